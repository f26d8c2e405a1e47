//! What messages and code say about names, passwords and defaults: `The role with name acme cannot be found`,
//! `creating IAM Role (acme): …`, `the password is …`, `getenv("BUCKET", "acme")`.

use super::Scan;
use super::boundary::{MAX_BACKSLASHES, ends_line, is_alnum, run_end, run_start};
use super::key::key_start;
use super::value::{BareRun, Setting, Value, is_believable, value};
use super::word_list::WordList;
use crate::catalog::ValueShape;

/// Longest name.
const MAX_NAME: usize = 128;
/// Fewest characters of a password that is spoken of.
const MIN_PASSWORD: usize = 8;
/// What is said of a name after it.
static SAID: WordList = WordList::new(&["already", "cannot", "does", "is", "not", "was"]);
/// What stands between the word for a password and it.
const SPOKEN: &[&str] = &["is ", "was ", "= ", "은 ", "는 ", "은: ", "는: ", "이 ", "가 ", ": "];

/// Where the password begins in `id/pw: user / password`, behind words that end at `at`.
fn past_user(text: &[u8], at: usize) -> Option<usize> {
    let colon = run_end(text, at, 2, |c| matches!(c, b':' | b' '));
    let user_end = run_end(text, colon, MAX_NAME, |c| is_alnum(c) || b"-_.@".contains(&c));
    let slash = run_end(text, user_end, 3, |c| matches!(c, b' ' | b'/'));
    (colon > at && user_end > colon && text[user_end..slash].contains(&b'/')).then_some(slash)
}

impl Scan<'_, '_> {
    /// The name in a message, in quotes or not, behind words that end at `at`.
    pub(super) fn said(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let blank = run_end(text, at, 2, |c| c == b' ');
        let quoted = value(text, blank, &mut BareRun::default()).filter(|found| found.quoted);
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

    /// `(acme): `, with the bracket right before `at`.
    pub(super) fn bracketed(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let end = run_end(text, at, MAX_NAME, |c| is_alnum(c) || b"-_./+=@".contains(&c));
        let believed = text[end..].starts_with(b"):") && is_believable(ValueShape::Name, &text[at..end], Setting::Sure);
        believed.then_some(Value { start: at, end, next: end, quoted: false })
    }

    /// `the password is …`.
    pub(super) fn spoken(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let has_user = text[..words].ends_with(b"/") || text[words..at].contains(&b'/');
        let behind_user = if has_user { past_user(text, at) } else { None };
        let blank = run_end(text, at, 1, |c| c == b' ');
        // `CREATE USER … PASSWORD '…'`
        let is_sql = blank > at && text.get(blank) == Some(&b'\'');
        let link = SPOKEN.iter().find(|link| text[blank..].starts_with(link.as_bytes()));
        let from = match behind_user {
            Some(behind) => behind,
            None => blank + link.map(|link| link.len()).or(is_sql.then_some(0))?,
        };
        let start = run_end(text, from, 1, |c| matches!(c, b'"' | b'\'' | b'`'));
        let stop = run_end(text, start, MAX_NAME, |c| {
            c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')' | b'\\' | b',')
        });
        let end = run_start(text, stop, stop - start, |c| matches!(c, b'.' | b';' | b':' | b'?'));
        let body = &text[start..end];
        let has = |class: fn(&u8) -> bool| body.iter().any(class);
        let is_mixed = has(u8::is_ascii_digit)
            && has(u8::is_ascii_lowercase)
            && (has(u8::is_ascii_uppercase) || has(|c| b"!@#$%^&*+?~".contains(c)));
        let believed =
            body.len() >= MIN_PASSWORD && is_mixed && is_believable(ValueShape::Password, body, Setting::Open);
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// `getenv("BUCKET", "acme")`, `process.env.BUCKET ?? "acme"`: the setting's name stands at `at`.
    pub(super) fn default_of_setting(&mut self, at: usize) {
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
    pub(super) fn default_of_variable(&mut self, at: usize) {
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
    fn passwords_that_are_spoken_of() {
        for text in [
            "The password is Zx5yMykw_387.",
            "비밀번호는 Zx5yMykw_387 입니다",
            "비밀번호: Zx5yMykw_387",
            "the password was 'Zx5yMykw_387'",
            "CREATE USER x WITH PASSWORD 'Zx5yMykw_387';",
            "id/pw: svc_ro / Zx5yMykw_387",
            "계정/비밀번호: svc_ro / Zx5yMykw_387",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "Zx5yMykw_387")], "{text}");
        }
        for text in [
            "The password is required1",
            "password is stored in AWS",
            "the password is SHA256",
            "user/password: see the wiki / ask Bob",
            "a password 'secret'",
            "password is user.Password1()",
        ] {
            assert_eq!(found(text), [], "{text}");
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
