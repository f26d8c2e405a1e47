//! What messages and code say about names, passwords and defaults: `The role with name acme cannot be found`,
//! `creating IAM Role (acme): …`, `the password is …`, `getenv("BUCKET", "acme")`.

use super::Scan;
use super::boundary::{MAX_BACKSLASHES, ends_line, is_alnum, run_end, run_start};
use super::key::key_start;
use super::link::past_links;
use super::value::{BareRun, Setting, Value, is_believable, value};
use super::word_list::WordList;
use crate::catalog::ValueShape;

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
/// Longest that may be said of whose a password is.
const MAX_OWNER: usize = 48;
/// Fewest characters of a password that is spoken of.
const MIN_PASSWORD: usize = 8;
/// What is said of a name after it.
static SAID: WordList = WordList::new(&["already", "cannot", "does", "from", "is", "not", "was"]);
/// What stands between the word for a password and it.
const SPOKEN: &[&str] = &[
    "is ", "was ", "= ", "은 ", "는 ", "은: ", "는: ", "이 ", "가 ", ": ", "：", "は ", "は", "ist ", "lautet ", "es ",
    "est ",
];

/// Where the password begins in `id/pw: user / password`, behind words that end at `at`.
fn past_user(text: &[u8], at: usize) -> Option<usize> {
    let colon = run_end(text, at, 2, |c| matches!(c, b':' | b' '));
    let user_end = run_end(text, colon, MAX_NAME, |c| is_alnum(c) || b"-_.@".contains(&c));
    let slash = run_end(text, user_end, 3, |c| matches!(c, b' ' | b'/'));
    (colon > at && user_end > colon && text[user_end..slash].contains(&b'/')).then_some(slash)
}

/// Of the bytes of letters such as `ü`. Those of Korean and Japanese begin with others, and stand behind passwords.
fn is_latin(c: u8) -> bool {
    matches!(c, 0x80..=0xbf | 0xc3)
}

/// Quotes of other languages, and Markdown's and HTML's code, that a password may stand in.
const QUOTES: &[&str] = &["「", "『", "“", "„", "‘", "«", "<code>", "{{"];

/// Past whose the password is: `the password of the directory is`, `the password for svc_ro is`.
fn past_owner(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + MAX_OWNER)];
    if !rest.starts_with(b"of ") && !rest.starts_with(b"for ") {
        return at;
    }
    let owner = rest.iter().take_while(|&&c| is_alnum(c) || b" -_`'\"@".contains(&c)).count();
    memchr::memmem::find(&rest[..owner], b" is ").map_or(at, |is| at + is + 1)
}

/// True for what is hardly anything but a password: long, with a digit, a small letter, and a capital or a sign.
fn is_mixed(body: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| body.iter().any(class);
    body.len() >= MIN_PASSWORD
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && (has(u8::is_ascii_uppercase) || has(|c| b"!@#$%^&*+?~".contains(c)))
}

/// Likewise, where more is said: a digit among letters is enough.
fn is_lettered(body: &[u8]) -> bool {
    body.len() >= MIN_PASSWORD && body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic)
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
        let end = run_end(text, at, MAX_NAME, |c| is_alnum(c) || b"-_./+=@:".contains(&c));
        let believed = text[end..].starts_with(b"):") && is_believable(ValueShape::Name, &text[at..end], Setting::Sure);
        believed.then_some(Value { start: at, end, next: end, quoted: false })
    }

    /// `(service acme-web) has reached a steady state`, behind the blank before the name.
    pub(super) fn enclosed(&self, at: usize) -> Option<Value> {
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
    pub(super) fn failed(&self, at: usize) -> Option<Value> {
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

    /// `the password is …`.
    pub(super) fn spoken(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let has_user = text[..words].ends_with(b"/") || text[words..at].contains(&b'/');
        let behind_user = if has_user { past_user(text, at) } else { None };
        let blank = run_end(text, at, 1, |c| c == b' ');
        // `CREATE USER … PASSWORD '…'`
        let is_sql = blank > at && text.get(blank) == Some(&b'\'');
        let blank = past_owner(text, blank);
        let link = SPOKEN.iter().find(|link| text[blank..].starts_with(link.as_bytes()));
        let opening_at = |from: usize| QUOTES.iter().find(|quote| text[from..].starts_with(quote.as_bytes()));
        // `log in with password Tr0ubador`, `the login with pw Tr0ubador`
        let is_with = text[..words].trim_ascii_end().ends_with(b"with");
        let is_next = is_sql || is_with || opening_at(blank).is_some();
        let from = match behind_user {
            Some(behind) => behind,
            None => blank + link.map(|link| link.len()).or(is_next.then_some(0))?,
        };
        let opening = opening_at(from);
        let start = match opening {
            Some(quote) => from + quote.len(),
            None => run_end(text, from, 1, |c| matches!(c, b'"' | b'\'' | b'`')),
        };
        let stop = run_end(text, start, MAX_NAME, |c| {
            let is_sign = matches!(c, b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')' | b'\\' | b',');
            c.is_ascii_graphic() && !is_sign || is_latin(c)
        });
        let ascii: Vec<u8> = text[start..stop].iter().copied().filter(u8::is_ascii).collect();
        let is_ascii = ascii.len() == stop - start;
        let end = run_start(text, stop, stop - start, |c| matches!(c, b'.' | b';' | b':' | b'?'));
        let body = &text[start..end];
        let seen = if is_ascii { body } else { &ascii };
        // `user.Password1` is code, `Fubuki=2025` is none.
        let is_closed = start > from && text.get(stop).is_some_and(|c| matches!(c, b'"' | b'\'' | b'`' | b'<' | b'}'));
        let setting = if seen.contains(&b'.') && !is_closed { Setting::Open } else { Setting::Told };
        let believed =
            (is_mixed(seen) || is_with && is_lettered(seen)) && is_believable(ValueShape::Password, seen, setting);
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// `the login is svc_ro / Zx5yMykw_387`, behind words that end at `at`.
    pub(super) fn user_and_password(&mut self, at: usize) {
        let text = self.text;
        let Some(user) = past_links(text, at) else { return };
        let user_end = run_end(text, user, MAX_NAME, |c| is_alnum(c) || b"-_.@".contains(&c));
        let slash = run_end(text, user_end, 2, |c| matches!(c, b' ' | b'"' | b'`' | b'\''));
        let start = run_end(text, slash + 1, 2, |c| matches!(c, b' ' | b'"' | b'`' | b'\''));
        if text.get(slash) != Some(&b'/') || start == slash + 1 {
            return;
        }
        let end = run_end(text, start, MAX_NAME, |c| c.is_ascii_graphic() && !b"\"'`<>()\\,".contains(&c));
        let end = run_start(text, end, end - start, |c| matches!(c, b'.' | b';' | b':' | b'?'));
        let password = &text[start..end];
        let known = &self.detector.catalog.known;
        if !is_mixed(password) || !is_believable(ValueShape::Password, password, Setting::Told) {
            return;
        }
        if self.wants(known.db_user) && is_believable(ValueShape::Name, &text[user..user_end], Setting::Told) {
            self.finding(known.db_user, user, user_end);
            self.part(known.db_user, user, user_end, true);
        }
        self.whole(known.password, start, end);
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
            "パスワード: Zx5yMykw_387",
            "パスワードは「Zx5yMykw_387」です",
            "비번은 Zx5yMykw_387 그대로죠?",
            "das Passwort lautet Zx5yMykw_387",
            "the password of the directory is Zx5yMykw_387, in case",
            "log in with password Zx5yMykw_387.",
            "the temp password <code>Zx5yMykw_387</code>, please change it",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "Zx5yMykw_387")], "{text}");
        }
        assert_eq!(found("사전 공유 키는 \"q7Kz2xM9.vY\"예요"), [("cred:password".to_owned(), "q7Kz2xM9.vY")]);
        assert_eq!(found("same login with pw acme2019wren. ok"), [("cred:password".to_owned(), "acme2019wren")]);
        for text in [
            "The password is required1",
            "password is stored in AWS",
            "the password is SHA256",
            "user/password: see the wiki / ask Bob",
            "a password 'secret'",
            "password is user.Password1()",
            "the password is user.Password1 here",
            "protect it with password policies and sha256",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn users_and_their_passwords() {
        for text in [
            "마스터 계정 svc_ro / Zx5yMykw_387 로",
            "git credentials svc_ro / Zx5yMykw_387 (old)",
            "login: `svc_ro` / `Zx5yMykw_387`",
        ] {
            let expected = [("name:db-user".to_owned(), "svc_ro"), ("cred:password".to_owned(), "Zx5yMykw_387")];
            assert_eq!(found(text), expected, "{text}");
        }
        for text in ["login is done / later", "credentials in src/Main2.java", "로그인 화면/Signup2Page"] {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("The password is Zü5yMykw_387.")[0].1, "Zü5yMykw_387");
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
