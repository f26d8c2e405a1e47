//! Passwords that people speak of: `the password is …`, `log in with pw …`, `비밀번호는 …`, `the login is svc / …`.
//!
//! How much a word has to look like a password depends on what stands between it and the word that announces it.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::credential::login::is_sql;
use crate::detect::credential::password::is_latin;
use crate::detect::prose::link::past_links;
use crate::detect::setting::value::{Setting, Value, is_algorithm, is_believable, quoted_value};
use crate::detect::text::boundary::{is_alnum, run_end, run_start};

/// Longest password, and longest name of its user.
const MAX_PASSWORD: usize = 128;
/// Longest that may be said of whose a password is.
const MAX_OWNER: usize = 48;
/// Fewest characters of a password that nothing sets off from the sentence, of one that something does, and of one
/// with its user before it.
const MIN_BARE: usize = 8;
const MIN_QUOTED: usize = 6;
const MIN_WITH_USER: usize = 7;
/// Signs that few words have but passwords.
const SIGNS: &[u8] = b"!@#$%^&*+?~";
/// What stands between the word for a password and it.
const LINKS: &[&str] = &[
    "is ", "was ", "= ", "to ", "은 ", "는 ", "은: ", "는: ", "이 ", "가 ", "를 ", "을 ", ": ", "：", "は ", "は",
    "ist ", "lautet ", "es ", "est ",
];
/// Quotes of other languages, and Markdown's and HTML's code, that a password may stand in.
const QUOTES: &[&str] = &["「", "『", "“", "„", "‘", "«", "<code>", "{{"];
/// What a word that nothing links with its noun stands behind: `with pw …`, `user svc / pw …`.
const BEFORE: &[&[u8]] = &[b"with", b"and", b"/", b","];

/// What stands between a password and the word for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// A word for it: `is`.
    Told,
    /// A particle glued to a word that is not English.
    Particle,
    /// Nothing, behind `with`.
    With,
    /// Nothing.
    None,
}

fn has(body: &[u8], class: fn(&u8) -> bool) -> bool {
    body.iter().any(class)
}

fn has_sign(body: &[u8]) -> bool {
    body.iter().any(|c| SIGNS.contains(c))
}

/// True for what is hardly anything but a password: a digit, a small letter, and a capital or a sign.
fn is_mixed(body: &[u8]) -> bool {
    has(body, u8::is_ascii_digit)
        && has(body, u8::is_ascii_lowercase)
        && (has(body, u8::is_ascii_uppercase) || has_sign(body))
}

/// True where a digit stands among letters, in no algorithm's name.
fn is_lettered(body: &[u8]) -> bool {
    has(body, u8::is_ascii_digit) && has(body, u8::is_ascii_alphabetic) && !is_algorithm(body)
}

/// True for letters and digits in no order that a name of a variable has: `zq.W81_mKt7Lx`, not `user.Password1`.
fn is_scrambled(body: &[u8]) -> bool {
    let class = |c: &u8| (c.is_ascii_digit(), c.is_ascii_uppercase(), c.is_ascii_alphabetic());
    let changes = body.windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count();
    body.len() >= MIN_BARE && is_mixed(body) && changes * 2 > body.len()
}

/// True for a word in quotes that no variable is called: `tangerine.Dream`, `Correct-Horse`.
fn is_set_off(body: &[u8]) -> bool {
    let has_capital = has(body, u8::is_ascii_uppercase) && has(body, u8::is_ascii_lowercase);
    is_lettered(body) || has_sign(body) || has_capital && has(body, |c| matches!(c, b'.' | b'-'))
}

/// Where the password begins in `id/pw: user / password`, behind words that end at `at`.
fn past_user(text: &[u8], at: usize) -> Option<usize> {
    let colon = run_end(text, at, 2, |c| matches!(c, b':' | b' '));
    let user_end = run_end(text, colon, MAX_PASSWORD, |c| is_alnum(c) || b"-_.@".contains(&c));
    let slash = run_end(text, user_end, 3, |c| matches!(c, b' ' | b'/'));
    (colon > at && user_end > colon && text[user_end..slash].contains(&b'/')).then_some(slash)
}

/// Past whose the password is: `the password of the directory is`, `the password for svc_ro is`.
fn past_owner(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + MAX_OWNER)];
    if !rest.starts_with(b"of ") && !rest.starts_with(b"for ") {
        return at;
    }
    let owner = rest.iter().take_while(|&&c| is_alnum(c) || b" -_`'\"@".contains(&c)).count();
    memchr::memmem::find(&rest[..owner], b" is ").map_or(at, |is| at + is + 1)
}

/// What stands between the words `words..at` and a password, and where that begins or its quote does.
fn link(text: &[u8], words: usize, at: usize) -> Option<(Link, usize)> {
    let is_user_before = text[..words].ends_with(b"/") || text[words..at].contains(&b'/');
    if let Some(behind) = Some(at).filter(|_| is_user_before).and_then(|at| past_user(text, at)) {
        return Some((Link::Told, behind));
    }
    let blank = past_owner(text, run_end(text, at, 1, |c| c == b' '));
    if let Some(link) = LINKS.iter().find(|link| text[blank..].starts_with(link.as_bytes())) {
        let is_glued = !link.is_ascii();
        return Some((if is_glued { Link::Particle } else { Link::Told }, blank + link.len()));
    }
    let before = text[..words].trim_ascii_end();
    let is_with = text[words..at].starts_with(b"with") || BEFORE.iter().any(|word| before.ends_with(word));
    let is_apart =
        text[..blank].ends_with(b" ") || QUOTES.iter().any(|quote| text[blank..].starts_with(quote.as_bytes()));
    is_apart.then_some((if is_with { Link::With } else { Link::None }, blank))
}

impl Scan<'_, '_> {
    /// `the password is …`, with the noun from `words` to `at`.
    pub(in crate::detect) fn spoken(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let (link, from) = link(text, words, at)?;
        // `pass --symmetric to gpg`: a verb.
        let is_verb = text[words..at].eq_ignore_ascii_case(b"pass") && !text[at..].starts_with(b" is ");
        if is_verb && (link != Link::Told || text[..from].ends_with(b"to ")) || text.get(from) == Some(&b'-') {
            return None;
        }
        let is_sql_word = || is_sql(text, words);
        if let Some(found) = quoted_value(text, from) {
            let body = &text[found.start..found.end];
            if body.starts_with(b"-") {
                return None;
            }
            // `PASSWORD 'swordfish'`, of SQL.
            let is_literal = link == Link::None && text[found.start - 1] == b'\'' && is_sql_word();
            let is_told = is_literal
                || link != Link::None && body.len() >= MIN_QUOTED && is_set_off(body)
                || body.len() >= MIN_BARE && is_mixed(body);
            let believed = is_told && is_believable(ValueShape::Password, body, Setting::Told);
            return believed.then_some(found);
        }
        let opening = QUOTES.iter().find(|quote| text[from..].starts_with(quote.as_bytes()));
        let start = opening.map_or(from, |quote| from + quote.len());
        let stop = run_end(text, start, MAX_PASSWORD, |c| {
            let is_sign = matches!(c, b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')' | b'\\' | b',');
            c.is_ascii_graphic() && !is_sign || is_latin(c)
        });
        let end = run_start(text, stop, stop - start, |c| matches!(c, b'.' | b';' | b':' | b'?'));
        let end = if opening == Some(&"{{") { run_start(text, stop, stop - start, |c| c == b'}') } else { end };
        let ascii: Vec<u8> = text[start..end].iter().copied().filter(u8::is_ascii).collect();
        let body = &ascii[..];
        let is_long = body.len() >= MIN_BARE;
        let is_foreign = !text[words..at].is_ascii();
        let is_told = match link {
            _ if opening.is_some() => body.len() >= MIN_QUOTED && is_set_off(body),
            Link::Particle => is_long && (is_lettered(body) || has_sign(body)),
            Link::With => is_long && is_lettered(body),
            Link::Told => is_long && is_mixed(body),
            Link::None if is_foreign => is_long && is_mixed(body),
            Link::None => is_long && is_mixed(body) && (has_sign(body) || is_scrambled(body)),
        };
        // `user.Password1` is code, `Fubuki=2025` is none.
        let may_be_code = body.contains(&b'.') && opening.is_none() && !is_scrambled(body);
        let setting = if may_be_code { Setting::Open } else { Setting::Told };
        let believed = is_told && is_believable(ValueShape::Password, body, setting);
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// `the login is svc_ro / Zx5yMykw_387`, `credentials svc_ro:Zx5yMykw_387`, behind words that end at `at`.
    pub(in crate::detect) fn user_and_password(&mut self, at: usize) {
        let text = self.text;
        let Some(user) = past_links(text, at) else { return };
        let user_end = run_end(text, user, MAX_PASSWORD, |c| is_alnum(c) || b"-_.@".contains(&c));
        let slash = run_end(text, user_end, 2, |c| matches!(c, b' ' | b'"' | b'`' | b'\''));
        let start = run_end(text, slash + 1, 2, |c| matches!(c, b' ' | b'"' | b'`' | b'\''));
        let is_glued = start == slash + 1;
        let is_separated = match text.get(slash) {
            Some(b'/') => !is_glued,
            Some(b':') => is_glued && slash == user_end && user_end > user,
            _ => false,
        };
        if !is_separated {
            return;
        }
        let end = run_end(text, start, MAX_PASSWORD, |c| c.is_ascii_graphic() && !b"\"'`<>()\\,".contains(&c));
        let end = run_start(text, end, end - start, |c| matches!(c, b'.' | b';' | b':' | b'?'));
        let password = &text[start..end];
        let is_told = password.len() >= MIN_WITH_USER && is_mixed(password);
        if is_told && is_believable(ValueShape::Password, password, Setting::Told) {
            self.login((user, user_end), (start, end));
        }
    }

    /// Records a user and their password.
    pub(in crate::detect) fn login(&mut self, user: (usize, usize), password: (usize, usize)) {
        let known = &self.detector.catalog.known;
        if self.wants(known.db_user) && is_believable(ValueShape::Name, &self.text[user.0..user.1], Setting::Told) {
            self.finding(known.db_user, user.0, user.1);
            self.part(known.db_user, user.0, user.1, true);
        }
        self.whole(known.password, password.0, password.1);
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

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
            "RDS acme-main password Zx5yMykw_387 again",
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
            "the password Rotation2024 policy",
            "password Base64Encoder2",
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
}
