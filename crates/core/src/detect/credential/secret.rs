//! Secret access keys beside access key ids, and private keys.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::detect::Scan;
use crate::detect::setting::value::Value;
use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};
use crate::detect::text::line::whole_break_at;
use crate::token::token_at;

/// Length of a secret access key.
const SECRET_LEN: usize = 40;
/// Length of an SMTP password of SES: 33 bytes in base64.
const SMTP_LEN: usize = 44;
/// How far from an access key id its secret may stand, bytes.
const REACH: usize = 300;
/// Fewest characters of a session token.
const MIN_TOKEN: usize = 40;
/// What session tokens begin with: base64 of a marker and the word `origin` or `aws`.
const SESSION_TOKENS: [&[u8]; 5] = [b"IQoJb3JpZ2lu", b"FwoGZXIvYXdz", b"FQoGZXIvYXdz", b"FQoDYXdz", b"IQoDYXdz"];
/// What the title of a private key ends with.
const TITLES: [&[u8]; 2] = [b"PRIVATE KEY-----", b"PRIVATE KEY BLOCK-----"];
/// Longest PEM block.
const MAX_PEM: usize = 16 * 1024;
/// Fewest characters of base64 in a row that are a key, or the beginning of one.
const MIN_PEM: usize = 16;
/// How much of a title in base64 says what it is of.
const MAX_ENCODED_TITLE: usize = 48;
/// How far into the block the key's first line may stand, bytes: encrypted ones have headers of their own.
const PEM_HEADERS: usize = 192;

pub(in crate::detect) fn is_base64(c: u8) -> bool {
    is_alnum(c) || c == b'+' || c == b'/'
}

/// Forty characters of base64 that no git hash, path or word makes.
pub(in crate::detect) fn is_secret_key(text: &[u8]) -> bool {
    text.len() == SECRET_LEN && text.iter().all(|&c| is_base64(c)) && is_random(text)
}

/// One that lost a few characters on its way, or won some; its key says what it is.
pub(in crate::detect) fn is_nearly_secret_key(text: &[u8]) -> bool {
    (SECRET_LEN - 10..SECRET_LEN + 10).contains(&text.len()) && text.iter().all(|&c| is_base64(c)) && is_random(text)
}

/// Three classes of characters and many different ones.
fn is_random(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    text.iter().for_each(|&c| seen[usize::from(c)] = true);
    seen.iter().filter(|&&s| s).count() >= 16
        && text.iter().any(u8::is_ascii_lowercase)
        && text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(|c| c.is_ascii_digit() || matches!(c, b'+' | b'/'))
}

/// The secret key at the beginning or the end of `start..end`, where a `/` or `+` may join it to what stands beside it.
fn secret_key_in(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let begins = |at: usize| at == start || at > start && matches!(text[at - 1], b'/' | b'+');
    let ends = |at: usize| at == end || at < end && matches!(text[at], b'/' | b'+');
    let first = end.checked_sub(SECRET_LEN).filter(|&first| first >= start)?;
    [start, start + 1, first, first - usize::from(first > start)]
        .into_iter()
        .map(|from| from..from + SECRET_LEN)
        .find(|key| begins(key.start) && ends(key.end) && key.end <= end && is_secret_key(&text[key.clone()]))
}

/// An SMTP password of SES, which is made of a secret key: its first byte is the version of how.
fn is_smtp_password(text: &[u8]) -> bool {
    text.len() == SMTP_LEN && text[0] == b'B' && text.iter().all(|&c| is_base64(c)) && is_random(text)
}

/// Where what looks like the lines of a private key ends, which begins at `body` and says nowhere that it ends.
fn cut_off_key_end(text: &[u8], body: usize) -> usize {
    let end = run_end(text, body, MAX_PEM, |c| {
        is_base64(c) || matches!(c, b'=' | b'\n' | b'\r' | b'\\' | b' ' | b':' | b'-' | b',')
    });
    // The last word may be the label of a token: `-----BEGIN PRIVATE KEY-----\nMIIEow\nEC2_…`.
    token_at(text, end).map_or(end, |token| token.start.max(body))
}

/// The run of base64 at `span` without the code of a token that it begins with, or the label that it ends with.
fn without_tokens(text: &[u8], span: Range<usize>) -> Range<usize> {
    let before = span.start.checked_sub(1).filter(|&before| text[before] == b'_').and_then(|at| token_at(text, at));
    let start = before.map_or(span.start, |token| token.end);
    start..token_at(text, span.end).map_or(span.end, |token| token.start).max(start)
}

impl Scan<'_, '_> {
    /// Finds the secret keys that stand near an access key id without a name of their own.
    pub(in crate::detect) fn secrets_near_access_keys(&mut self) {
        let known = &self.detector.catalog.known;
        if !self.wants(known.secret_access_key) {
            return;
        }
        let text = self.text;
        let mut from = 0;
        let mut ids: Vec<_> =
            self.hits.findings.iter().filter(|f| f.kind == known.access_key_id).map(|f| f.span.clone()).collect();
        ids.sort_unstable_by_key(|id| id.start);
        for id in ids {
            let mut at = from.max(run_start(text, id.start.saturating_sub(REACH), REACH, is_base64));
            let limit = text.len().min(id.end + REACH);
            while at < limit {
                let start = run_end(text, at, limit - at, |c| !is_base64(c));
                // The id is no part of what stands beside it with a `/` or `+` between.
                let end = run_end(text, start, text.len(), is_base64);
                let (start, end) = match () {
                    () if start < id.start && end > id.start => (start, id.start),
                    () if start < id.end && end > id.start => (id.end, end),
                    () => (start, end),
                };
                let next = end;
                let Range { start, end } = without_tokens(text, start..end);
                let word = if start > 0 { word_start(text, start) } else { start };
                if let Some(secret) = secret_key_in(text, word, end) {
                    self.whole(known.secret_access_key, secret.start, secret.end);
                } else if text.get(word..end).is_some_and(is_smtp_password) {
                    self.whole(known.smtp_password, word, end);
                }
                at = next.max(at + 1);
            }
            from = at;
        }
    }

    /// Looks at the letter at `start`, which session tokens begin with; gives where to go on.
    #[inline(never)]
    pub(in crate::detect) fn session_token(&mut self, start: usize) -> usize {
        let text = self.text;
        if !SESSION_TOKENS.iter().any(|beginning| text[start..].starts_with(beginning)) {
            return start + 1;
        }
        let end = run_end(text, start, text.len(), |c| is_base64(c) || matches!(c, b'-' | b'_'));
        let end = run_end(text, end, 2, |c| c == b'=');
        if end - start >= MIN_TOKEN {
            self.whole(self.detector.catalog.known.session_token, start, end);
            return end;
        }
        start + 1
    }

    /// The private key in base64 that begins at `at`: what a title of its kind is in base64, and all behind it.
    pub(in crate::detect) fn encoded_key(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let mut title = [0; MAX_ENCODED_TITLE / 4 * 3];
        STANDARD.decode_slice(text.get(at..at + MAX_ENCODED_TITLE)?, &mut title).ok()?;
        memchr::memmem::find(&title, b"PRIVATE KEY")?;
        let line_end = |at: usize| run_end(text, at, MAX_PEM, is_base64);
        let mut end = line_end(at);
        // Lines of base64 are as long as each other.
        while end - at < MAX_PEM
            && let Some((_, next)) = whole_break_at(text, end)
        {
            let next = run_end(text, next, MAX_ENCODED_TITLE, |c| c == b' ');
            let stop = line_end(next);
            if stop - next < MIN_PEM {
                break;
            }
            end = stop;
        }
        let end = run_end(text, end, 2, |c| c == b'=');
        Some(Value { start: at, end, next: end, quoted: false })
    }

    /// Looks at the `-----BEGIN ` at `start`; gives where to go on.
    pub(in crate::detect) fn private_key(&mut self, start: usize) -> usize {
        let text = self.text;
        let header = &text[start..text.len().min(start + 64)];
        let title = TITLES.iter().find_map(|title| Some((memchr::memmem::find(header, title)?, title.len())));
        let Some((title_end, title_len)) = title else { return start + 5 };
        if memchr::memchr(b'\n', &header[..title_end]).is_some() {
            return start + 5;
        }
        let body = start + title_end + title_len;
        let window = &text[body..text.len().min(body + MAX_PEM)];
        // The header alone, as code that looks for it has it, is no key.
        let has_key = |block: &[u8]| block.split(|&c| !is_base64(c)).any(|run| run.len() >= MIN_PEM);
        let first_lines = &window[..window.len().min(PEM_HEADERS)];
        if !has_key(first_lines) {
            return start + 5;
        }
        let tail = memchr::memmem::find(window, b"-----END ");
        if tail.is_some_and(|tail| tail < PEM_HEADERS && !has_key(&window[..tail])) {
            return start + 5;
        }
        let end = match tail {
            Some(tail) => {
                let title = body + tail + 9;
                let dashes = run_end(text, title, 48, |c| is_alnum(c) || c == b' ');
                let end = run_end(text, dashes, 5, |c| c == b'-');
                // What no title ends is not the key's: an id that begins there is looked at by itself.
                if end - dashes == 5 { end } else { title }
            }
            None => {
                let end = cut_off_key_end(text, body);
                if !has_key(&text[body..end]) {
                    return start + 5;
                }
                end
            }
        };
        // A backslash at the end belongs to what comes next.
        let end = start + text[start..end].iter().rposition(|&c| c != b'\\').map_or(0, |last| last + 1);
        let end = end.max(run_start(text, end, 1, |c| c == b'-'));
        self.lines_of_key(start, end);
        end
    }

    /// Records the private key at `start..end`. Each of its lines may be a string of its own, as in a notebook or a program:
    /// then each is replaced by itself, so that what divides them stays as it is.
    fn lines_of_key(&mut self, start: usize, end: usize) {
        let text = self.text;
        let kind = self.detector.catalog.known.private_key;
        if !self.wants(kind) {
            return;
        }
        self.finding(kind, start, end);
        let (mut from, mut is_inside) = (start, true);
        while from < end {
            let quote = memchr::memchr2(b'"', b'\'', &text[from..end]).map(|at| from + at);
            if is_inside {
                self.part(kind, from, quote.map_or(end, |quote| end_of_line(text, from, quote)), false);
            }
            is_inside = !is_inside;
            from = quote.map_or(end, |quote| quote + 1);
        }
    }
}

/// Where the line ends that ends a string at `quote`, without the break and the backslashes before the quote.
fn end_of_line(text: &[u8], start: usize, quote: usize) -> usize {
    let is_escape = |c: u8| c == b'\\';
    let mut end = run_start(text, quote, quote - start, is_escape);
    while let [.., b'\\', b'n' | b'r'] = text[start..end] {
        end = run_start(text, end - 1, end - 1 - start, is_escape);
    }
    end
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, in_json, scanned};

    const ID: &str = "AKIAQ3EGTZLWB5YVN2XC";
    const KEY: &str = "kD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ";
    const TOKEN: &str = "IQoJb3JpZ2luX2VjEJv//////////wEaCXVzLWVhc3QtMSJHMEUCIQDkz3qv5m9y";

    #[test]
    fn keys_beside_their_ids_whatever_stands_between() {
        for joint in [":", "_", "-", "~", "/", "+", "|", ",", "=", " ", "\n", "\\n", "%2F", "\": \"", ";;"] {
            for text in
                [format!("{ID}{joint}{KEY}"), format!("x{joint}{ID}{joint}{KEY}{joint}x"), format!("{KEY}{joint}{ID}")]
            {
                let parts: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
                assert!(parts.contains(&ID) && parts.contains(&KEY), "{text}: {parts:?}");
            }
        }
    }

    #[test]
    fn keys_that_only_their_name_tells() {
        let key = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        for name in
            ["DEPLOYER_PRIVATE_KEY", "AppServerPrivateKey", "NwkKey", "RAILS_MASTER_KEY", "hmac-key", "DD_APP_KEY"]
        {
            let found =
                found(&format!("{name}={key}")).into_iter().map(|(_, part)| part.to_owned()).collect::<Vec<_>>();
            assert_eq!(found, [key], "{name}");
        }
        for text in
            ["private_key_path=\"/etc/ssl/private/server_key_2024.pem\"", "ssh_private_key=./keys/id_ed25519_of_2024"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn tokens_are_no_beginning_or_end_of_a_key() {
        let (_, behind) = KEY.split_at("ABCDEFGH+".len());
        let (_, before) = KEY.split_at("+SECRET".len());
        for text in [format!("{ID} SECRET_ABCDEFGH+{behind}"), format!("{before}+SECRET_ABCDEFGH {ID}")] {
            assert_eq!(found(&text), [("cred:access-key-id".to_owned(), ID)], "{text}");
        }
    }

    #[test]
    fn a_run_that_is_reached_in_its_middle_is_read_from_its_start() {
        for between in super::REACH - 2 * KEY.len()..super::REACH {
            let text = format!("{KEY}{KEY}{}{ID}", " ".repeat(between));
            assert_eq!(found(&text), [("cred:access-key-id".to_owned(), ID)], "{between}");
        }
    }

    #[test]
    fn keys_that_their_name_announces_have_what_is_glued_to_them_taken_off() {
        for (before, behind) in [("", ""), ("_", "_"), ("", "~"), ("-", "-"), ("\"_", "\""), ("", "=")] {
            let text = format!("aws_secret_access_key={before}{KEY}{behind}");
            assert_eq!(found(&text), [("cred:secret-access-key".to_owned(), KEY)], "{text}");
        }
    }

    #[test]
    fn session_tokens_announce_themselves() {
        for text in [TOKEN.to_owned(), format!("token{TOKEN}=="), format!("x_{TOKEN}"), format!("-{TOKEN}~")] {
            let [(kind, part)] = &found(&text)[..] else { panic!("{text}") };
            assert!(kind == "cred:session-token" && part.starts_with(TOKEN), "{text}");
        }
        assert_eq!(found("IQoJb3JpZ2lu is what they begin with"), []);
    }

    #[test]
    fn private_keys_whose_end_is_damaged() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\n-----END ";
        for behind in
            ["i-0f3a9c27be41d8056", "RSA i-0f3a9c27be41d8056", "x<i-0f3a9c27be41d8056", "RSA KEY-i-0f3a9c27be41d8056"]
        {
            let text = format!("{key}{behind}");
            let parts: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
            assert!(parts.len() == 2 && parts[1] == "i-0f3a9c27be41d8056", "{text}: {parts:?}");
        }
    }

    #[test]
    fn private_keys_that_are_cut_off() {
        let header = "-----BEGIN RSA PRIVATE KEY-----";
        let key = format!("{header}\nMIIEowIBAAKCAQEA0123456789");
        for behind in
            ["", "\"", "\nEC2_ABCDEFGH", "\nEC2_ABCDEFGH is down", "\\nACCOUNT_ABCDEFGHJKLMN", " S3_ABCDEFGH."]
        {
            let text = format!("{key}{behind}");
            let [(kind, part)] = &found(&text)[..] else { panic!("{behind}") };
            assert!(kind == "cred:private-key" && part.trim_end_matches("\\n").trim_end() == key, "{behind}: {part}");
        }
        // The header alone is no key, whatever follows.
        for behind in ["\nEC2_ABCDEFGH", "\") { return readsThePrivateKeyAsItIs; }"] {
            assert_eq!(found(&format!("{header}{behind}")), [], "{behind}");
        }
    }

    #[test]
    fn private_keys_with_a_string_for_each_line() {
        let lines = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA0123456789", "-----END RSA PRIVATE KEY-----"];
        let [list, sum] = [", ", " +\n  "].map(|sign| lines.map(|line| format!("\"{line}\\n\"")).join(sign));
        for text in [list, sum] {
            assert_eq!(scanned(&text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), lines, "{text}");
            let json = in_json(&text);
            assert_eq!(scanned(&json).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), lines, "{json}");
        }
    }

    #[test]
    fn private_keys_in_base64() {
        let key = "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVBMDEyMzQ1Njc4OWFiY2RlZmdo";
        for key in [key.to_owned(), format!("{key}\n  {key}=="), format!("{key}\r\n{key}")] {
            assert_eq!(found(&format!("blob: {key}\nx")), [("cred:private-key".to_owned(), key.as_str())]);
        }
        // That of a certificate.
        assert_eq!(found("blob: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUVvd0lCQUFLQ0FRRUEwMTIzNDU2Nzg5"), []);
    }

    #[test]
    fn private_keys_of_pgp() {
        let text = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\nlQdGBGUxYzABEADLmWq9zzT4kLm2\n=aBcD\n\
                    -----END PGP PRIVATE KEY BLOCK-----";
        assert_eq!(found(text), [("cred:private-key".to_owned(), text)]);
    }

    #[test]
    fn web_tokens_behind_the_name_of_a_variable() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzb21lIjoicGF5bG9hZCJ9.4twFt5NiznN84AWoo1d7KO1T";
        for before in ["", "_", "-", "token_", "id-token-"] {
            assert_eq!(found(&format!("{before}{token}")), [("cred:jwt".to_owned(), token)], "{before}");
        }
    }
}
