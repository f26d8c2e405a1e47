//! What messages and code say about names and defaults: `The role with name acme cannot be found`,
//! `creating IAM Role (acme): …`, `getenv("BUCKET", "acme")`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::key::key_start;
use crate::detect::setting::value::{Setting, Value, is_believable, quoted_value};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, is_alnum, run_end, run_start};
use crate::detect::text::word_list::WordList;

/// Longest name.
const MAX_NAME: usize = 128;
/// What an event of ECS says of a service behind its name.
const OF_ECS: &[&[u8]] = &[
    b"(deployment",
    b"(instance",
    b"(port",
    b"(task",
    b"deregistered",
    b"did",
    b"has",
    b"registered",
    b"rolling",
    b"stopped",
    b"updated",
    b"was",
];
/// Longest name of a kind of thing in an error of Terraform.
const MAX_THING: usize = 48;
/// What is said of a name after it.
static SAID: WordList = WordList::new(&["already", "cannot", "does", "from", "is", "not", "was"]);
impl Scan<'_, '_> {
    /// The name in a message, in quotes or not, behind words that end at `at`.
    pub(in crate::detect) fn said(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let blank = run_end(text, at, 2, |c| c == b' ');
        let quoted = quoted_value(text, blank);
        let found = match quoted {
            Some(found) => found,
            None if blank > at => {
                let end = run_end(text, blank, MAX_NAME, |c| is_alnum(c) || b"-_./+=@".contains(&c));
                let end = run_start(text, end, 2, |c| c == b'.');
                let after = run_end(text, end + 1, 10, |c| c.is_ascii_lowercase());
                let is_said = match text.get(end) {
                    None | Some(b'.' | b'\n' | b'"') => true,
                    Some(b'\\') => ends_line(text, end),
                    Some(b' ') => SAID.contains(&text[end + 1..after]),
                    _ => false,
                };
                Some(Value { start: blank, end, next: end, quoted: false }).filter(|_| is_said && end > blank)?
            }
            None => return None,
        };
        is_believable(ValueShape::Name, &text[found.start..found.end], Setting::Sure).then_some(found)
    }

    /// `ALARM: "acme lag > 30s" in EU (Ireland)`, behind the opening quote.
    pub(in crate::detect) fn subject(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let end = run_end(text, at, MAX_NAME, |c| !matches!(c, b'"' | b'\\' | b'\n'));
        let close = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
        let believed = end > at && text[close..].starts_with(b"\" in ");
        believed.then_some(Value { start: at, end, next: end, quoted: true })
    }

    /// `(acme): `, with the bracket right before `at`.
    pub(in crate::detect) fn bracketed(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let end = run_end(text, at, MAX_NAME, |c| is_alnum(c) || b"-_./+=@:".contains(&c));
        let believed = text[end..].starts_with(b"):") && is_believable(ValueShape::Name, &text[at..end], Setting::Sure);
        believed.then_some(Value { start: at, end, next: end, quoted: false })
    }

    /// `(service acme-web) has reached a steady state`, behind the blank before the name.
    pub(in crate::detect) fn enclosed(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let end = run_end(text, at, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
        let behind = text.get(end..).unwrap_or_default().strip_prefix(b") ").unwrap_or_default();
        let word = behind.iter().take_while(|c| c.is_ascii_lowercase() || **c == b'(').count();
        let believed = end > at
            && OF_ECS.contains(&&behind[..word])
            && is_believable(ValueShape::Name, &text[at..end], Setting::Told);
        believed.then_some(Value { start: at, end, next: end, quoted: false })
    }

    /// `creating EKS Node Group (acme:acme-arm): operation error …`, behind the verb.
    pub(in crate::detect) fn failed(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let thing = run_end(text, at, MAX_THING, |c| is_alnum(c) || matches!(c, b' ' | b'-' | b'/'));
        if thing == at || text.get(thing) != Some(&b'(') {
            return None;
        }
        // Some words say more about what the name is.
        let phrases = &self.detector.catalog.phrases;
        let says_more = (at..thing).filter(|&i| text[i] == b' ').any(|blank| {
            let phrase = phrases.at(&text[blank + 1..]);
            phrase.is_some_and(|phrase| blank + 1 + phrase.words.len() == thing + 1)
        });
        if says_more { None } else { self.bracketed(thing + 1) }
    }

    /// `getenv("BUCKET", "acme")`, `process.env.BUCKET ?? "acme"`: the setting's name stands at `at`.
    pub(in crate::detect) fn default_of_setting(&mut self, at: usize) {
        let text = self.text;
        let open = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        let quote = text.get(open).copied().filter(|c| matches!(c, b'"' | b'\''));
        let start = if quote.is_some() { open + 1 } else { at };
        let end = run_end(text, start, MAX_NAME, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'.'));
        let behind = match quote {
            Some(quote) => {
                let close = run_end(text, end, open - at, |c| c == b'\\');
                let closed = text.get(close..).and_then(|rest| rest.strip_prefix(&[quote]));
                closed.and_then(|rest| rest.strip_prefix(b", ").or_else(|| rest.strip_prefix(b",")))
            }
            None => text[end..].strip_prefix(b" ?? ").or_else(|| text[end..].strip_prefix(b" || ")),
        };
        let Some(behind) = behind else { return };
        let from = text.len() - behind.len();
        let slashes = run_end(text, from, MAX_BACKSLASHES, |c| c == b'\\');
        if !matches!(text.get(slashes), Some(b'"' | b'\'' | b'`')) {
            return;
        }
        let members = self.meanings(key_start(text, end).max(start), end);
        if !members.is_empty() {
            self.announced(&members, from, Setting::Sure);
        }
    }

    /// `variable "bucket" { default = "acme" }`, of Terraform: the variable's name stands at `at`.
    pub(in crate::detect) fn default_of_variable(&mut self, at: usize) {
        let text = self.text;
        let at = run_end(text, at, MAX_BACKSLASHES + 1, |c| matches!(c, b'\\' | b'"'));
        let end = run_end(text, at, MAX_NAME, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
        let quote = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
        if !text[quote..].starts_with(b"\" {") {
            return;
        }
        let members = self.meanings(at, end);
        if !members.is_empty() {
            self.things(&members, quote + 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn names_in_messages() {
        for (text, kind, name) in [
            ("Requested resource not found: Table: Acme not found", "name:dynamodb-table", "Acme"),
            ("The role with name acme cannot be found.", "name:iam-role", "acme"),
            ("EntityAlreadyExists: Role with name Acme already exists.", "name:iam-role", "Acme"),
            ("Stack with id acme does not exist", "name:cfn-stack", "acme"),
            ("No cluster found for name: acme.", "name:eks-cluster", "acme"),
            ("The key pair 'acme' does not exist", "name:key-pair", "acme"),
            ("The repository with name 'acme/api' does not exist", "name:ecr-repository", "acme/api"),
            ("DBInstance acme not found.", "name:rds-db-instance", "acme"),
            ("type 'AWS::Lambda::Function' with identifier 'acme' was not found", "name:resource", "acme"),
            ("Error: creating IAM Role (acme): operation error", "name:iam-role", "acme"),
            ("Error: reading DynamoDB Table (Acme): x", "name:dynamodb-table", "Acme"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
        for text in [
            "a user with name and address",
            "the role with name x of",
            "an IAM role (service): see below",
            "IAM role (acme) and so on",
            "The key pair is gone",
        ] {
            let names: Vec<_> =
                found(text).into_iter().map(|(_, name)| name).filter(|name| *name != "service").collect();
            assert!(names.is_empty(), "{text}: {names:?}");
        }
    }

    #[test]
    fn defaults() {
        for text in [
            "os.getenv(\"S3_BUCKET\", \"acme\")",
            "os.environ.setdefault('S3_BUCKET', 'acme')",
            "ENV.fetch('S3_BUCKET', 'acme')",
            "define('AWS_BUCKET', 'acme');",
            "const b = process.env.S3_BUCKET ?? 'acme';",
            "const b = process.env.S3_BUCKET || \"acme\";",
            "variable \"bucket_name\" {\n  type = string\n  default = \"acme\"\n}",
        ] {
            assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme")], "{text}");
        }
        for text in [
            "os.getenv('COLOR', 'acme')",
            "os.getenv('S3_BUCKET', name)",
            "process.env.S3_BUCKET === 'acme'",
            "variable \"color\" {\n  default = \"acme\"\n}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
