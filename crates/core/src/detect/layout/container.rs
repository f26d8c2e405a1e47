//! Things whose name is a member of theirs: `"Buckets": [{"Name": …}]`, `cluster: {name: …}`, in YAML
//! `amazon.aws.s3_bucket:` with `name:` indented under it; and parameters with a default.

use crate::catalog::{Member, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::below::value_below;
use crate::detect::setting::context::skip_space;
use crate::detect::setting::key::{key_end, key_start};
use crate::detect::setting::value::Setting;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use crate::detect::text::line::{Line, following, whole_break_at};

/// Longest thing that is looked into, bytes.
const MAX_THING: usize = 4096;
/// Longest secret of Kubernetes: what etcd takes is not much longer.
const MAX_SECRET: usize = 1 << 20;
/// Most things of one list.
const MAX_LIST: usize = 1000;
/// Most blanks before a line of YAML.
const MAX_INDENT: usize = 64;

impl Scan<'_, '_> {
    /// Looks for the name in the object or the list of objects that opens at `open`, behind a key with these meanings.
    pub(in crate::detect) fn things(&mut self, members: &[Member], open: usize) {
        // What stands in another thing was looked through with it.
        if open < self.things_to {
            return;
        }
        let text = self.text;
        let mut at = if text[open] == b'[' { skip_space(text, open + 1) } else { open };
        let several = if text[open] == b'[' { MAX_LIST } else { 1 };
        for _ in 0..several {
            if text.get(at) != Some(&b'{') {
                break;
            }
            let end = self.object(members, at);
            self.things_to = end;
            at = skip_space(text, end);
            if text.get(at) != Some(&b',') {
                break;
            }
            at = skip_space(text, at + 1);
        }
    }

    /// Looks at the members of the object itself; gives where it ends.
    fn object(&mut self, members: &[Member], open: usize) -> usize {
        let text = self.text;
        let limit = text.len().min(open + self.longest_thing(members));
        let (mut at, mut depth) = (open + 1, 1usize);
        while at < limit {
            match text[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b':' | b'=' if depth == 1 => self.member(members, at),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    /// Looks for the name in the block of YAML that begins with the line break at `at`, behind the key that was looked at.
    pub(in crate::detect) fn block(&mut self, members: &[Member], at: usize) {
        let text = self.text;
        let Some((depth, next)) = whole_break_at(text, at).filter(|_| at >= self.things_to) else { return };
        let start = run_start(text, self.key.start, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
        let (outer, mut inner) = (self.key.start - start, None);
        let limit = text.len().min(at + self.longest_thing(members));
        let mut line = Line { start: at, end: at, next, depth };
        let mut to = next;
        while let Some(found) = following(text, line).filter(|found| found.start < limit) {
            let own = run_end(text, found.start, MAX_INDENT.min(found.end.saturating_sub(found.start)), |c| c == b' ');
            let content = if text[own..found.end].starts_with(b"- ") { own + 2 } else { own };
            if own < found.end && text[own] != b'#' {
                let indent = content - found.start;
                if indent <= outer || own - found.start < outer && content == own {
                    break;
                }
                if *inner.get_or_insert(indent) == indent
                    && let Some(colon) = memchr::memchr(b':', &text[content..found.end])
                {
                    self.member(members, content + colon);
                }
            }
            to = found.next;
            // The string ends here.
            if found.next <= found.end {
                break;
            }
            line = found;
        }
        self.things_to = to.min(text.len());
    }

    fn longest_thing(&self, members: &[Member]) -> usize {
        if members.iter().all(|member| self.detector.is_credential(member.kind)) { MAX_SECRET } else { MAX_THING }
    }

    /// What each value of a map means.
    fn mapped(&self, member: &Member) -> Option<Member> {
        let is_secret = self.detector.is_credential(member.kind);
        let value = if is_secret { ValueShape::Password } else { ValueShape::Reference };
        (member.value == ValueShape::Mapped).then_some(Member { value, ..*member })
    }

    /// Looks at the `:` or `=` at `at`: does a name or a default follow?
    fn member(&mut self, members: &[Member], at: usize) {
        let text = self.text;
        let end = key_end(text, at);
        let key = &text[key_start(text, end).min(end)..end];
        let start = run_end(text, at + 1, 16, |c| matches!(c, b' ' | b'['));
        let start = value_below(text, key_start(text, end).min(end), start, false).unwrap_or(start);
        let quote = run_end(text, start, MAX_BACKSLASHES, |c| c == b'\\');
        let is_quoted = matches!(text.get(quote), Some(b'"' | b'\'' | b'`'));
        let setting = if is_quoted { Setting::Sure } else { Setting::Line };
        if !(is_quoted || text.get(start).is_some_and(|&c| is_alnum(c) || c == b'/')) {
            return;
        }
        let mapped: Vec<_> = members.iter().filter_map(|member| self.mapped(member)).collect();
        if !mapped.is_empty() {
            let is_secret = mapped.iter().any(|member| member.value == ValueShape::Password);
            self.announced(&mapped, start, if is_secret { Setting::Sure } else { setting });
            return;
        }
        // `remoteRef:` of external secrets has a `key:`.
        let is_secret =
            || members.iter().any(|m| m.value == ValueShape::Named && m.kind == self.detector.catalog.known.secret);
        if key.eq_ignore_ascii_case(b"name") || key == b"key" && is_secret() {
            let members: Vec<_> = members.iter().filter_map(named).collect();
            self.announced(&members, start, setting);
        } else if key.eq_ignore_ascii_case(b"default") || key == b"value" {
            // `terraform output -json` has a `value`.
            self.announced(members, start, setting);
        }
    }
}

/// What the name of a thing means that these members of others mean.
pub(in crate::detect) fn named(member: &Member) -> Option<Member> {
    match member.value {
        ValueShape::Name | ValueShape::OwnName => Some(*member),
        ValueShape::Named => Some(Member { value: ValueShape::Name, ..*member }),
        ValueShape::OwnNamed => Some(Member { value: ValueShape::OwnName, ..*member }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{found, scanned};

    #[test]
    fn names_and_defaults_of_things() {
        for (text, kind, names) in [
            (
                "{\"Buckets\": [{\"Name\": \"acme\", \"x\": {\"y\": []}}, {\"z\": 1, \"Name\": \"other\"}]}",
                "name:s3-bucket",
                &["acme", "other"][..],
            ),
            ("{\\\"Buckets\\\": [\\n {\\n \\\"Name\\\": \\\"acme\\\"\\n}]}", "name:s3-bucket", &["acme"]),
            (
                "Buckets:\n- CreationDate: x\n  Name: acme\n- Name: other\nOwner: x\n",
                "name:s3-bucket",
                &["acme", "other"],
            ),
            ("AWS {'cluster': {'name': 'acme'}}", "name:cluster", &["acme"]),
            ("AWS\n{\n  \"clusters\": [\n    {\n      \"name\": \"acme\"\n    }\n  ]\n}", "name:cluster", &["acme"]),
            ("{\"SecretList\": [{\"Name\": \"acme\"}]}", "name:secret", &["acme"]),
            ("{\"DatabaseList\": [{\"Name\": \"acme\"}, {\"Name\": \"other\"}]}", "name:database", &["acme", "other"]),
            ("$ aws glue get-crawler --name x1\n{\"Crawler\": {\"Name\": \"acme\"}}", "name:resource", &["x1", "acme"]),
            ("$ aws eks list-clusters\n{\"clusters\": [\"acme\", \"other\"]}", "name:eks-cluster", &["acme", "other"]),
            ("eks\n{\n  \"nodegroups\": [\n    \"acme\"\n  ]\n}", "name:eks-nodegroup", &["acme"]),
            ("aws codebuild list-projects\nprojects:\n- acme\n- other\n", "name:codebuild-project", &["acme", "other"]),
            ("- amazon.aws.s3_bucket:\n    state: present\n    name: acme\n", "name:s3-bucket", &["acme"]),
            ("provider:\n  name: aws\n  deploymentBucket:\n    name: acme\n", "name:s3-bucket", &["acme"]),
            ("const c = {\n  bucket: {\n    name: 'acme',\n  },\n};\n", "name:s3-bucket", &["acme"]),
            ("Parameters:\n  LogBucket:\n    Type: String\n    Default: acme\n", "name:s3-bucket", &["acme"]),
            ("{\"LogBucket\": {\"Type\": \"String\", \"Default\": \"acme\"}}", "name:s3-bucket", &["acme"]),
            ("# aws\ntags = {\n  Env  = \"prod-eu\"\n  Name = \"acme-1\"\n}", "name:resource", &["acme-1"]),
            ("# aws\ntags = { Name = \"acme-1\" }", "name:resource", &["acme-1"]),
            ("# aws\ntags:\n  Name: acme-1\n", "name:resource", &["acme-1"]),
        ] {
            let expected: Vec<_> = names.iter().map(|name| (kind.to_owned(), *name)).collect();
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn maps_of_names() {
        for (text, kind, names) in [
            ("bucketNames: {chunks: loki-acme, ruler: loki-rules}", "name:s3-bucket", &["loki-acme", "loki-rules"][..]),
            (
                "s:\n  bucketNames:\n    chunks: loki-acme\n    ruler: \"acme\"\n",
                "name:s3-bucket",
                &["loki-acme", "acme"],
            ),
            (
                "env:\n  secrets-manager:\n    A: \"ci/sonar:token\"\n    B: acme\n",
                "name:secret",
                &["ci/sonar", "acme"],
            ),
            ("  parameter-store:\n    HOOK: /ci/acme/hook\n  x:\n    A: b\n", "name:ssm-parameter", &["/ci/acme/hook"]),
        ] {
            let expected: Vec<_> = names.iter().map(|name| (kind.to_owned(), *name)).collect();
            assert_eq!(found(text), expected, "{text}");
        }
        assert_eq!(found("secretsmanager:\n  enabled: true\n  endpoint: http://localhost:4566\n"), []);
    }

    #[test]
    fn values_that_terraform_puts_out() {
        let text = r#"{"db_password": {"sensitive": true, "type": "string", "value": "Tr0ub4dor-3xKq"}}"#;
        assert_eq!(found(text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")]);
    }

    #[test]
    fn blocks_that_are_cut_off_anywhere() {
        for len in 0..80 {
            let text = format!("bucket:\n{}\n{}- name: acme\n", "#".repeat(MAX_THING - len), " ".repeat(70));
            scanned(&text);
        }
    }

    #[test]
    fn other_names_and_defaults() {
        for text in [
            "{\"Tables\": [{\"Name\": \"acme\"}]}",
            "table = {\"name\": \"acme\"}",
            "{\"users\": [{\"name\": \"acme\"}]}",
            "AWS {\"Buckets\": [], \"x\": {\"Name\": \"acme\"}}",
            "AWS {\"Bucket\": 1, \"Name\": \"acme\"}",
            "{\"Buckets\": [{\"x\": {\"Name\": \"acme\"}}]}",
            "bucket:\nname: acme\n",
            "logBucket:\n  other:\n    default: acme\n",
            "switch (bucket) { default: acme() }",
            "{\"clusters\": [\"acme\"], \"projects\": [\"acme\"]}",
            "{\"table\": {\"name\": \"acme\"}, \"job\": {\"name\": \"acme\"}}",
            "AWS {\"partitionKey\": {\"name\": \"acme\"}}",
            "AWS tags = { Name = \"web\", Team = \"acme-1\" }",
            "tags = { Name = \"acme-1\" }",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
