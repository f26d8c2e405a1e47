//! Names of things that hold their ARN or their id beside it: `{"Name": "lobby", "AcceleratorArn": "arn:…"}`, and the
//! same in YAML.
//!
//! Every software has a `name`; the ARN in the same object says that this one is of a resource. Objects are told by the
//! braces, blocks of YAML by the indentation between what was found; nothing is read twice.

use std::ops::Range;

use hashbrown::HashMap;

use crate::catalog::{Category, KindId, ValueShape};
use crate::detect::evidence::ordinary::is_ordinary;
use crate::detect::evidence::own::is_own;
use crate::detect::setting::key::{key_end, key_start};
use crate::detect::setting::value::{BareRun, Setting, Value, is_believable, value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};
use crate::detect::text::line::{break_at, break_before};
use crate::detect::text::word_list::WordList;
use crate::detect::{Finding, Scan};

/// Longest stretch without a name, an ARN or an id in one thing, bytes.
const MAX_GAP: usize = 4096;
/// Most blanks before a line of YAML.
const MAX_INDENT: usize = 64;

/// Members that nothing but a thing of AWS has beside its name.
static BESIDE: WordList = WordList::new(&["autoscalinggroupname", "eventbusname", "loadbalancername"]);

/// Longest line with the handler of a function.
const MAX_HANDLER: usize = 160;

/// How a thing is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In braces; the backslashes before its quotes.
    Braces { slashes: usize },
    /// In lines; how far they are indented, and the backslashes before their breaks.
    Lines { indent: usize, slashes: usize },
}

/// What says that a thing is a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// The ARN of a role, which many things take that are no resources, or of a task, in which containers run.
    Weak,
    Strong,
}

/// A member that is a name, or an ARN or id.
struct Member {
    /// Where its key begins.
    at: usize,
    form: Form,
    is: Is,
}

#[derive(Clone)]
enum Is {
    Name(Value),
    /// And where the ARN or id stands.
    Proof(Proof, Range<usize>),
}

/// A thing that is not read to its end.
#[derive(Default)]
struct Open {
    indent: usize,
    names: Vec<Value>,
    proof: Option<Proof>,
    /// Where the ARNs and ids stand that are its proofs.
    proofs: Vec<Range<usize>>,
}

impl Scan<'_, '_> {
    /// Believes the names met by [`Self::keyed_value`] that stand beside an ARN or an id.
    pub(in crate::detect) fn siblings(&mut self) {
        let (names, others): (Vec<_>, Vec<_>) = self.hits.untold.drain(..).partition(|&(_, is_name)| is_name);
        let [names, others] = [names, others].map(|met| met.into_iter().map(|(at, _)| at).collect::<Vec<_>>());
        self.vouched(&others);
        self.functions(&names);
        if names.is_empty() || !self.wants(self.detector.catalog.known.resource_name) {
            return;
        }
        let proofs: Vec<_> = self.hits.findings.iter().filter_map(|f| self.proof(f)).collect();
        if proofs.is_empty() {
            return;
        }
        let mut run = BareRun::default();
        let names = names.into_iter().filter_map(|separator| named(self.text, separator, &mut run));
        let mut members: Vec<_> = names.chain(proofs).collect();
        members.sort_by_key(|member| member.at);
        let in_braces = |member: &&Member| matches!(member.form, Form::Braces { .. });
        let mut found = Vec::new();
        let (braces, lines): (Vec<_>, Vec<_>) = members.iter().partition(in_braces);
        objects(self.text, &braces, &mut found);
        blocks(self.text, &lines, &mut found);
        self.believe_names(&found);
    }

    /// The member whose value was found, if it says that what it belongs to is a resource.
    fn proof(&self, &Finding { kind, ref span }: &Finding) -> Option<Member> {
        let (text, start) = (self.text, span.start);
        let known = &self.detector.catalog.known;
        let is_arn = kind == known.arn;
        let category = self.detector.catalog.kind(kind)?.category;
        if !is_arn && !matches!(category, Category::Ids | Category::Accounts | Category::Names) {
            return None;
        }
        let value = run_start(text, start, MAX_BACKSLASHES + 1, |c| matches!(c, b'"' | b'\'' | b'\\'));
        let separator = run_start(text, value, 8, |c| c == b' ').checked_sub(1)?;
        let end = key_end(text, separator);
        let key = key_start(text, end).min(end);
        let words = Words::split(&text[key..end]);
        let proof = match words.last() {
            b"name" if BESIDE.contains_in_any_case(&text[key..end]) => Proof::Strong,
            b"arn" if is_arn => proof_of_arn(&text[start..])?,
            // Names of zones are domains.
            b"id" if words.is_one() && kind != known.hosted_zone => Proof::Strong,
            // The thing's own where it has no shape: `knowledgeBaseId`.
            b"id" if kind == known.resource_id => Proof::Strong,
            // Of a database or table of Glue.
            b"id" if kind == known.account && text[key..end].eq_ignore_ascii_case(b"CatalogId") => Proof::Strong,
            _ => return None,
        };
        member(text, separator, Is::Proof(proof, span.clone()))
    }

    /// Believes the names of functions in `serverless.yml`: their handler stands in the line below.
    fn functions(&mut self, names: &[usize]) {
        let text = self.text;
        let kind = self.detector.catalog.known.function;
        if !self.wants(kind) {
            return;
        }
        let mut run = BareRun::default();
        for &separator in names {
            let at = run_end(text, separator + 1, 8, |c| c == b' ');
            let Some(found) = value(text, at, &mut run) else { continue };
            let next =
                text.get(found.next).and_then(|_| break_at(text, found.next)).map_or(text.len(), |(_, next)| next);
            let key = run_end(text, next, MAX_INDENT, |c| c == b' ');
            let body = &text[found.start..found.end];
            let above = run_start(text, key_start(text, separator), MAX_INDENT, |c| matches!(c, b' ' | b'-'));
            let above = break_before(text, above).map_or(&[][..], |end| &text[end.saturating_sub(MAX_HANDLER)..end]);
            let has_handler = text[key..].starts_with(b"handler: ") || ends_in_handler(above);
            if has_handler && is_believable(ValueShape::PlainName, body, Setting::Line) {
                self.finding(kind, found.start, found.end);
                self.part(kind, found.start, found.end, true);
            }
        }
    }

    fn believe_names(&mut self, found: &[Value]) {
        let text = self.text;
        if found.is_empty() {
            return;
        }
        let any = self.detector.catalog.known.resource_name;
        // The ARN may say what it is.
        let named: HashMap<&[u8], KindId> =
            self.hits.parts.iter().filter(|p| p.is_name).map(|p| (&text[p.span.clone()], p.kind)).collect();
        let found: Vec<_> =
            found.iter().map(|v| (named.get(&text[v.start..v.end]).copied().unwrap_or(any), v)).collect();
        for (kind, &Value { start, end, .. }) in found {
            if self.prefixed_within(start, end).is_none_or(|(_, _, to)| to != end) {
                self.finding(kind, start, end);
                self.part(kind, start, end, true);
            }
        }
    }
}

/// True when the last of these lines says what handles the calls of a function.
fn ends_in_handler(lines: &[u8]) -> bool {
    let is_key = |colon: &usize| lines[..*colon].ends_with(b"handler") && lines.get(colon + 1) == Some(&b' ');
    let line = memchr::memrchr_iter(b':', lines).find(is_key).map(|colon| &lines[colon..]);
    line.is_some_and(|line| !line.contains(&b'\n') && memchr::memmem::find(line, b"\\n").is_none())
}

/// What an ARN proves: nothing where it has no account, because AWS has made what it names.
fn proof_of_arn(arn: &[u8]) -> Option<Proof> {
    let mut fields = arn.splitn(6, |&c| c == b':').skip(2);
    let service = fields.next()?;
    let is_own = fields.nth(1).is_some_and(|account| !account.is_empty());
    is_own.then_some(if matches!(service, b"iam" | b"ecs") { Proof::Weak } else { Proof::Strong })
}

/// The name whose separator this is.
fn named(text: &[u8], separator: usize, run: &mut BareRun) -> Option<Member> {
    let at = run_end(text, separator + 1, 8, |c| c == b' ');
    let found = value(text, at, run)?;
    member(text, separator, Is::Name(found))
}

/// The member whose separator this is.
fn member(text: &[u8], separator: usize, is: Is) -> Option<Member> {
    if !matches!(text[separator], b':' | b'=') {
        return None;
    }
    let end = key_end(text, separator);
    let at = key_start(text, end).min(end);
    let quote = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    if quote < separator && matches!(text[quote], b'"' | b'\'') {
        return Some(Member { at, form: Form::Braces { slashes: quote - end }, is });
    }
    if text[separator] == b':'
        && let Some(form) = line_form(text, at)
    {
        return Some(Member { at, form, is });
    }
    let value = run_end(text, separator + 1, 8, |c| matches!(c, b' ' | b'>'));
    let slashes = run_end(text, value, MAX_BACKSLASHES, |c| c == b'\\') - value;
    Some(Member { at, form: Form::Braces { slashes }, is })
}

/// How the line is written that the key at `at` begins.
fn line_form(text: &[u8], at: usize) -> Option<Form> {
    let start = run_start(text, at, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
    let indent = at - start;
    let slashes = match text[..start] {
        [] | [.., b'\n'] => 0,
        [.., b'\\', b'n'] => start - 1 - run_start(text, start - 1, MAX_BACKSLASHES, |c| c == b'\\'),
        // The first line of a string.
        [.., b'"'] => start - run_start(text, start - 1, MAX_BACKSLASHES, |c| c == b'\\'),
        _ => return None,
    };
    Some(Form::Lines { indent, slashes })
}

/// Names that AWS gives in every account.
const OF_AWS: [&[u8]; 3] = [b"FARGATE", b"FARGATE_SPOT", b"Root"];

/// What Secrets Manager appends to the name of a secret in its ARN: a dash and six letters or digits.
const SECRET_SUFFIX: usize = 7;

/// True when this ARN is that of what has this name.
fn is_of(arn: &[u8], name: &[u8]) -> bool {
    let (before, suffix) = arn.split_at(arn.len().saturating_sub(SECRET_SUFFIX));
    let is_suffixed = matches!(suffix, [b'-', rest @ ..] if rest.iter().all(u8::is_ascii_alphanumeric));
    let ends = |arn: &[u8]| arn.strip_suffix(name).is_some_and(|before| matches!(before, [.., b':' | b'/']));
    arn.starts_with(b"arn:") && (ends(arn) || is_suffixed && ends(before))
}

impl Open {
    fn take(&mut self, is: Is) {
        match is {
            Is::Name(name) => self.names.push(name),
            Is::Proof(proof, span) => {
                self.proof = self.proof.max(Some(proof));
                self.proofs.push(span);
            }
        }
    }

    /// Whether this is believed to be its name.
    fn is_proven(&self, text: &[u8], name: Value) -> bool {
        let body = &text[name.start..name.end];
        let setting = if name.quoted { Setting::Sure } else { Setting::Line };
        !OF_AWS.contains(&body)
            && (!is_ordinary(body) || self.proofs.iter().any(|span| is_of(&text[span.clone()], body)))
            && is_believable(ValueShape::SpacedName, body, setting)
            && (self.proof == Some(Proof::Strong) || self.proof == Some(Proof::Weak) && is_own(body))
    }

    /// The names of a thing that was read to its end.
    fn close(self, text: &[u8], found: &mut Vec<Value>) {
        found.extend(self.names.iter().copied().filter(|&name| self.is_proven(text, name)));
    }
}

/// Names in braces: those between two members say whether both are of one object.
fn objects(text: &[u8], members: &[&Member], found: &mut Vec<Value>) {
    let mut stack: Vec<Open> = Vec::new();
    let mut last = None;
    for member in members {
        let same_string = |(at, form): (usize, Form)| form == member.form && member.at - at <= MAX_GAP;
        match last.filter(|&last| same_string(last)) {
            Some((at, _)) => {
                for brace in memchr::memchr2_iter(b'{', b'}', &text[at..member.at]) {
                    if text[at + brace] == b'{' {
                        stack.push(Open::default());
                    } else if let Some(open) = stack.pop() {
                        open.close(text, found);
                    }
                }
            }
            None => stack.drain(..).for_each(|open| open.close(text, found)),
        }
        if stack.is_empty() {
            stack.push(Open::default());
        }
        if let Some(open) = stack.last_mut() {
            open.take(member.is.clone());
        }
        last = Some((member.at, member.form));
    }
    stack.into_iter().for_each(|open| open.close(text, found));
}

/// Names in lines: the indentation of those between two members says whether both are of one block.
fn blocks(text: &[u8], members: &[&Member], found: &mut Vec<Value>) {
    let mut stack: Vec<Open> = Vec::new();
    let mut last: Option<(usize, usize)> = None;
    for member in members {
        let Form::Lines { indent, slashes } = member.form else { continue };
        let is_one = last.is_some_and(|(at, of)| {
            of == slashes
                && member.at - at <= MAX_GAP
                && each_line(text, at..member.at, slashes, |indent, is_item| {
                    while let Some(open) = stack.pop_if(|open| open.indent > indent || is_item && open.indent == indent)
                    {
                        open.close(text, found);
                    }
                })
        });
        if !is_one {
            stack.drain(..).for_each(|open| open.close(text, found));
        }
        if stack.last().is_none_or(|open| open.indent != indent) {
            stack.push(Open { indent, ..Open::default() });
        }
        if let Some(open) = stack.last_mut() {
            open.take(member.is.clone());
        }
        last = Some((member.at, slashes));
    }
    stack.into_iter().for_each(|open| open.close(text, found));
}

/// Calls `each` with the indentation of every line that begins in this range, and whether it is an item of a list. False
/// where the string ends in it whose line breaks have so many backslashes.
fn each_line(text: &[u8], range: Range<usize>, slashes: usize, mut each: impl FnMut(usize, bool)) -> bool {
    let mut at = range.start;
    while let Some(i) = memchr::memchr3(b'\n', b'\\', b'"', &text[at..range.end]) {
        at += i;
        if let Some((_, next)) = break_at(text, at) {
            let own = run_end(text, next, MAX_INDENT, |c| c == b' ');
            let content = run_end(text, own, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
            // Empty lines say nothing.
            if own < text.len() && !matches!(text[own], b'\n' | b'\r' | b'\\') {
                each(content - next, content > own);
            }
            at = next;
            continue;
        }
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        if text.get(end) == Some(&b'"') && end - at < slashes {
            return false;
        }
        at = (end + 1).min(range.end);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::detect::testing::{found, in_json, scanned};

    /// The names in a text, which also has ARNs and ids.
    fn names(text: &str) -> Vec<&str> {
        let found = found(text).into_iter();
        found.filter(|(kind, _)| kind == "name:resource").map(|(_, name)| name).collect()
    }

    #[test]
    fn names_beside_an_arn_or_an_id() {
        for (text, expected) in [
            ("{\"Name\": \"lobby\", \"ShareArn\": \"@\"}", &["lobby"][..]),
            ("{\"shareArn\": \"@\", \"x\": {\"y\": [{}]}, \"name\": \"hub of all\"}", &["hub of all"]),
            ("[{\"arn\": \"@\", \"name\": \"a1\"}, {\"arn\": \"@\", \"name\": \"b2\"}]", &["a1", "b2"]),
            ("{'Name': 'lobby', 'ARN': '@'}", &["lobby"]),
            ("share = { name = \"lobby\", arn = \"@\" }", &["lobby"]),
            ("app:\n  shareArn: @\n  x:\n    - y: 1\n  name: lobby\n", &["lobby"]),
            ("Shares:\n- Arn: @\n  Name: lobby\n- Name: hub\n  Arn: @\n", &["lobby", "hub"]),
            ("- name: lobby\n\n  roleArn: arn:aws:iam::618734209955:role/x\n", &[]),
            ("- name: lobby-eu\n\n  roleArn: arn:aws:iam::618734209955:role/x\n", &["lobby-eu"]),
            ("{\"id\": \"fs-0f3a9c27be41d8056\", \"name\": \"lobby\"}", &["lobby"]),
            ("{\"CatalogId\": \"618734209955\", \"Name\": \"lobby\"}", &["lobby"]),
            ("{\"Name\": \"lobby-eu\", \"EventBusName\": \"acme-core\"}", &["lobby-eu"]),
            ("{\"name\": \"lobby\", \"knowledgeBaseId\": \"ABCDEFGH12\"}", &["lobby"]),
        ] {
            let text = text.replace('@', "arn:aws:ram:us-east-1:618734209955:resource-share/27d09e7a");
            assert_eq!(names(&text), expected, "{text}");
        }
    }

    #[test]
    fn functions_beside_their_handler() {
        let text = "functions:\n  hold:\n    name: acme-hold\n    handler: src/hold.handler\n";
        assert_eq!(found(text), [("name:lambda-function".to_owned(), "acme-hold")]);
        let text = "    handler: src/hold.handler\n    name: PdfPress\n";
        assert_eq!(found(text), [("name:lambda-function".to_owned(), "PdfPress")]);
        assert_eq!(found("  name: acme-hold\n  x: 1\n  handler: src/hold.handler\n"), []);
    }

    #[test]
    fn other_names() {
        for text in [
            "{\"name\": \"lobby\", \"x\": {\"arn\": \"@\"}}",
            "{\"name\": \"lobby\"}, {\"arn\": \"@\"}",
            "{\"name\": \"lobby\", \"value\": \"@\"}",
            "{\"name\": \"lobby\", \"roleArn\": \"arn:aws:iam::618734209955:role/x\"}",
            "{\"name\": \"lobby\", \"subnetId\": \"subnet-0f3a9c27be41d8056\"}",
            "{\"name\": \"lobby\", \"text\": \"{\\\"arn\\\": \\\"@\\\"}\"}",
            "{\"name\": \"app\", \"taskArn\": \"arn:aws:ecs:us-east-1:618734209955:task/x/6fe3ef2c6e70\"}",
            "{\"name\": \"Deny it\", \"arn\": \"arn:aws:controlcatalog:::control/m7a5gbdf08wg2o0en010mkng\"}",
            "{\"Id\": \"/hostedzone/Z04YR3FVWZEPND4\", \"Name\": \"peregrin.example.\"}",
            "{\"Id\": \"r-3dhy\", \"Name\": \"Root\", \"Arn\": \"@\"}",
            "{\"name\": \"string\", \"arn\": \"@\"}",
            "name: lobby\nx:\n  arn: @\n",
            "- name: lobby\n- arn: @\n",
            "x:\n  name: lobby\narn: @\n",
            "{\"content\": \"name: lobby\", \"x\": \"arn: @\"}",
        ] {
            let text = text.replace('@', "arn:aws:ram:us-east-1:618734209955:resource-share/27d09e7a");
            assert_eq!(names(&text), [""; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn things_that_end_anywhere(pieces in prop::collection::vec(prop::sample::select(&[
            "{", "}", "\"name\": ", "name: ", "\"arn\": ", "arn: ", "arn:aws:sqs:us-east-1:618734209955:lobby", "\"hub\"",
            "hub", "\n", "\\n", "  ", "- ", "\"", "\\\"", ", ", "\\",
        ][..]), 0..40)) {
            let text = pieces.concat();
            for part in [text.as_str(), &in_json(&text)] {
                let _ = scanned(part);
            }
        }
    }

    #[test]
    fn secrets_have_a_suffix_in_their_arn() {
        let arn = "arn:aws:secretsmanager:us-east-1:618734209955:secret:MyTestSecret-k2D9xq";
        let text = format!("{{\"ARN\": \"{arn}\", \"Name\": \"MyTestSecret\"}}");
        assert_eq!(names(&text), ["MyTestSecret"]);
        assert_eq!(names(&text.replace("k2D9xq", "k2D9xqq")), [""; 0]);
    }

    #[test]
    fn an_arn_with_the_name_says_what_it_is() {
        for (name, arn, kind) in [
            ("billing", "states:us-east-1:618734209955:stateMachine:billing", Some("name:state-machine")),
            ("demo", "ram:us-east-1:618734209955:monitor/demo", Some("arn:name")),
            ("test", "ram:us-east-1:618734209955:monitor/latest", None),
        ] {
            let text = format!("{{\"Name\": \"{name}\", \"Arn\": \"arn:aws:{arn}\"}}");
            let found = found(&text);
            let first = found.iter().find(|(_, part)| *part == name).map(|(kind, _)| kind.as_str());
            assert_eq!(first, kind, "{text}");
        }
    }
}
