//! What the segments of an ARN's resource mean.

use hashbrown::HashMap;

use super::{KindId, table};

/// Meaning of one segment of the resource part of an ARN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArnSegment {
    /// A word of AWS: a resource type, a path element. It stays.
    Word,
    /// The customer's.
    Name,
}

/// The words that AWS puts into ARNs, and the kinds that resource types announce.
#[derive(Debug)]
pub struct ArnWords {
    services: HashMap<&'static [u8], Node>,
    kinds: HashMap<(&'static [u8], &'static [u8]), KindId>,
    untyped: HashMap<&'static [u8], KindId>,
}

/// The templates of a service from some segment on.
#[derive(Default, Debug)]
struct Node {
    words: Vec<(&'static [u8], Node)>,
    name: Option<Box<Node>>,
}

impl Node {
    fn add(&mut self, path: &'static str) {
        let mut node = self;
        for segment in path.split('/') {
            node = match segment {
                "*" => node.name.get_or_insert_default(),
                word => {
                    let at = node.words.iter().position(|(known, _)| *known == word.as_bytes()).unwrap_or_else(|| {
                        node.words.push((word.as_bytes(), Self::default()));
                        node.words.len() - 1
                    });
                    &mut node.words[at].1
                }
            };
        }
    }

    fn word(&self, segment: &[u8]) -> Option<&Self> {
        self.words.iter().find(|(word, _)| word.eq_ignore_ascii_case(segment)).map(|(_, node)| node)
    }
}

/// A walk over the segments of one resource, along the templates of its service.
#[derive(Debug)]
pub struct ArnWalk<'a> {
    /// Where the templates are; `None` where no template is like the resource.
    node: Option<&'a Node>,
    is_at_name: bool,
    has_name: bool,
    is_first: bool,
}

impl ArnWalk<'_> {
    /// Whether the next segment is a word of AWS or the customer's name; `is_last` when nothing follows it.
    pub fn step(&mut self, segment: &[u8], is_last: bool) -> ArnSegment {
        let meaning = self.read(segment, is_last);
        // A name that is like a word: `role/service-role`. Only the account itself has no name.
        if meaning == ArnSegment::Word && is_last && !self.has_name && !segment.eq_ignore_ascii_case(b"root") {
            return ArnSegment::Name;
        }
        self.has_name |= meaning == ArnSegment::Name;
        meaning
    }

    fn read(&mut self, segment: &[u8], is_last: bool) -> ArnSegment {
        let is_first = std::mem::take(&mut self.is_first);
        if let Some(node) = self.node {
            if let Some(next) = node.word(segment) {
                (self.node, self.is_at_name) = (Some(next), false);
                return ArnSegment::Word;
            }
            if let Some(next) = node.name.as_deref() {
                (self.node, self.is_at_name) = (Some(next), true);
                return ArnSegment::Name;
            }
            // A name may have separators in it: `log-group:/acme/orders:log-stream:…`.
            if self.is_at_name {
                return ArnSegment::Name;
            }
            self.node = None;
        }
        // A resource type younger than the templates. No service begins with a name and has types, too.
        if is_first && !is_last && is_type(segment) { ArnSegment::Word } else { ArnSegment::Name }
    }
}

/// A resource type: letters and dashes, as in `log-group` or `autoScalingGroup`.
fn is_type(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&c| c.is_ascii_alphabetic() || c == b'-' || c == b'_')
}

impl ArnWords {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let (mut services, mut kinds, mut untyped) = (HashMap::new(), HashMap::new(), HashMap::new());
        for [service, paths] in table::rows::<2>(include_str!("../../data/arn_templates.tsv")) {
            let root: &mut Node = services.entry(service.as_bytes()).or_default();
            paths.split(' ').for_each(|path| root.add(path));
        }
        for [service, word, kind] in table::rows::<3>(Self::KINDS) {
            match (word, by_name.get(kind).copied()) {
                ("*", Some(kind)) => drop(untyped.insert(service.as_bytes(), kind)),
                (_, Some(kind)) => drop(kinds.insert((service.as_bytes(), word.as_bytes()), kind)),
                (_, None) => {}
            }
        }
        Self { services, kinds, untyped }
    }

    pub(super) const KINDS: &'static str = include_str!("../../data/arn_kinds.tsv");

    /// A walk over the resource of an ARN of `service`.
    pub fn walk(&self, service: &[u8]) -> ArnWalk<'_> {
        ArnWalk { node: self.services.get(service), is_at_name: false, has_name: false, is_first: true }
    }

    /// Kind of the resources of a service whose ARNs have no resource type (`arn:aws:sqs:…:NAME`).
    pub fn untyped(&self, service: &[u8]) -> Option<KindId> {
        self.untyped.get(service).copied()
    }

    /// Kind of what follows the word `resource_type` in an ARN of `service`.
    pub fn kind(&self, service: &[u8], resource_type: &[u8]) -> Option<KindId> {
        self.kinds.get(&(service, resource_type)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_names_a_kind() {
        for line in ArnWords::KINDS.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 3, "{line}");
            assert!(Catalog::get().find(columns[2]).is_some(), "{line}");
        }
    }

    /// The resource, words of AWS as they are and names as `*`.
    fn template(service: &str, resource: &str) -> String {
        let mut walk = Catalog::get().arn_words.walk(service.as_bytes());
        let segments: Vec<_> = resource.split(['/', ':']).collect();
        let read = segments.iter().enumerate().map(|(i, segment)| {
            match walk.step(segment.as_bytes(), i + 1 == segments.len()) {
                ArnSegment::Word => segment,
                ArnSegment::Name => "*",
            }
        });
        read.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn words_are_words_where_aws_puts_them() {
        for (service, resource, expected) in [
            ("dynamodb", "table/index/index/table", "table/*/index/*"),
            ("iam", "role/role", "role/*"),
            ("iam", "role/service-role", "role/*"),
            ("iam", "role/service-role/service-role", "role/service-role/*"),
            ("apigateway", "/apis/apis/routes", "/apis/*/routes"),
            ("codepipeline", "webhook", "*"),
            ("iam", "root", "root"),
            ("kinesis", "stream/stream/consumer/consumer:1572383852", "stream/*/consumer/*/*"),
            ("logs", "log-group:/aws/lambda/aws:log-stream:lambda", "log-group//aws/lambda/*/log-stream/*"),
            ("logs", "log-group:/acme/lambda/x:log-stream:y", "log-group//*/*/*/*/*"),
            ("logs", "log-group:acme/lambda:log-stream:y", "log-group/*/*/log-stream/*"),
            ("s3", "accesspoint/object/object/object", "accesspoint/*/object/*"),
            ("sqs", "queue", "*"),
            ("states", "StateMachine:orders", "StateMachine/*"),
            ("connect", "instance/queue/queue/queue", "instance/*/queue/*"),
            ("a-new-service", "thing/thing", "thing/*"),
            ("a-new-service", "thing", "*"),
            ("lambda", "new-type/function", "new-type/*"),
        ] {
            assert_eq!(template(service, resource), expected, "{service} {resource}");
        }
    }
}
