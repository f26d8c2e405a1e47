//! Passwords that programs are given without a key: `requirepass …` in a file of settings, `Authorization: Basic …`,
//! `gopher:…@tcp(` in Go, `echo … | chpasswd`, hashes of a file of passwords.

use std::ops::Range;

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::key::key_end;
use crate::detect::setting::value::{BareRun, Setting, Value, is_believable, quoted_value, value, whole_quoted};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::line::break_at;
use crate::detect::text::word_list::WordList;

/// Longest password, and longest user.
const MAX_PASSWORD: usize = 128;
/// How far before a word of a line another one is looked for, bytes.
const MAX_LINE: usize = 256;
/// How far before `IDENTIFIED BY` a word of its statement may stand, bytes, and these words.
const SQL_REACH: usize = 96;
const STATEMENTS: &[&[u8]] = &[b"alter", b"create", b"grant", b"role", b"user"];
/// Those of them that begin one.
const VERBS: usize = 3;
/// Lines of settings that have a password after the word for it: of `.netrc`, of a router.
const LINES: [&[u8]; 3] = [b"machine ", b"login ", b"neighbor "];
/// What keys of users end with.
const USERS: [&[u8]; 7] = [b"user", b"username", b"user_name", b"user-name", b"login", b"uid", b"usr"];
/// How far beside a password its user may stand, bytes, and behind how many other settings.
const BESIDE: usize = 128;
const MAX_SETTINGS: usize = 4;
/// Keys of npm that hold what it logs in with.
const NPM_KEYS: [&[u8]; 3] = [b"_authToken", b"_auth", b"_password"];
/// Fewest letters of a password.
const MIN_WORD: usize = 4;
/// Users that every system has.
pub(in crate::detect) static ANYBODY: WordList = WordList::new(&[
    "admin",
    "administrator",
    "anonymous",
    "default",
    "ec2-user",
    "guest",
    "mysql",
    "postgres",
    "root",
    "sa",
    "test",
    "ubuntu",
    "user",
]);
/// Parts of words that are no passwords but types, or say where one is: `SecretStr`.
const TYPES: [&[u8]; 9] = [b"char", b"field", b"hash", b"input", b"pass", b"secret", b"str", b"text", b"type"];
/// Fewest characters of base64 that are a user and a password.
const MIN_BASIC: usize = 12;

/// True behind the statement that has `IDENTIFIED BY` in it. Elsewhere, what is identified by `"code"` has no password.
pub(in crate::detect) fn is_sql(text: &[u8], at: usize) -> bool {
    has_word_of(STATEMENTS, text, at)
}

/// A password without quotes behind such a statement, as Oracle has it.
pub(in crate::detect) fn bare_of_sql(text: &[u8], words: usize, at: usize) -> Option<Value> {
    let found = word(text, run_end(text, at, 2, |c| c == b' '));
    let body = &text[found.start..found.end];
    let is_written =
        body.iter().any(u8::is_ascii_digit) && is_told(body) && has_word_of(&STATEMENTS[..VERBS], text, words);
    is_written.then_some(found)
}

/// True where one of these words stands a little before `at`.
fn has_word_of(known: &[&[u8]], text: &[u8], at: usize) -> bool {
    let before = text[at.saturating_sub(SQL_REACH)..at].to_ascii_lowercase();
    // The letter of an escape may stand before it: `\nGRANT`.
    let is_statement = |word: &[u8]| match word {
        [b'n' | b't' | b'r', rest @ ..] => known.contains(&rest) || known.contains(&word),
        _ => known.contains(&word),
    };
    before.split(|&c| !is_alnum(c)).any(is_statement)
}

/// True for a password in a line of settings that is no word of a sentence.
fn is_told(body: &[u8]) -> bool {
    !body.starts_with(b"-")
        && body.iter().any(|c| !c.is_ascii_lowercase() && *c != b'.')
        && is_believable(ValueShape::Password, body, Setting::Told)
}

/// A word without quotes.
fn word(text: &[u8], start: usize) -> Value {
    let stop = run_end(text, start, MAX_PASSWORD, |c| c.is_ascii_graphic() && !b"\"'`\\<>".contains(&c));
    let end = run_start(text, stop, stop - start.min(stop), |c| matches!(c, b',' | b';' | b'.' | b':' | b')'));
    Value { start, end, next: end, quoted: false }
}

/// Where so many words end behind `at`, with a blank before each, in the same line.
fn past_words(text: &[u8], at: usize, count: usize) -> Option<usize> {
    (0..count).try_fold(at, |at, _| {
        let start = run_end(text, at, 2, |c| c == b' ');
        let end = run_end(text, start, MAX_PASSWORD, |c| c.is_ascii_graphic() && c != b'\\');
        (start > at && end > start).then_some(end)
    })
}

/// Past blanks and tabs, also where these are escapes.
fn past_blanks(text: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..MAX_SETTINGS {
        let next = run_end(text, at, 4, |c| matches!(c, b' ' | b'\t'));
        let tab = run_end(text, next, MAX_BACKSLASHES, |c| c == b'\\');
        at = if tab > next && text.get(tab) == Some(&b't') { tab + 1 } else { next };
    }
    at
}

/// Where the user ends before the password on the command line of `htpasswd`, which reads it from there with `-b` alone: behind
/// the options, and the file where `-n` does not say that there is none.
fn past_user_of_htpasswd(text: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut is_batch, mut has_file) = (at, false, true);
    loop {
        let end = past_words(text, at, 1)?;
        let word = text[at..end].trim_ascii_start();
        if !word.starts_with(b"-") {
            break;
        }
        is_batch |= word.contains(&b'b');
        has_file &= !word.contains(&b'n');
        // `-C 10`
        at = if word.ends_with(b"C") { past_words(text, end, 1)? } else { end };
    }
    past_words(text, at, if has_file { 2 } else { 1 }).filter(|_| is_batch)
}

/// The beginning of the line of `at`, or what is near enough to it.
fn line_before(text: &[u8], at: usize) -> &[u8] {
    let start = run_start(text, at, MAX_LINE, |c| c != b'\n');
    &text[start..at]
}

impl Scan<'_, '_> {
    /// Records the user whose password was found behind the key at `key`, up to `end`.
    pub(in crate::detect) fn user_beside(&mut self, key: usize, end: usize) {
        let text = self.text;
        let kind = self.detector.catalog.known.db_user;
        let Some(user) = user_near(text, key, end, &mut self.bare_run).filter(|_| self.wants(kind)) else { return };
        let name = &text[user.start..user.end];
        let is_known = self.hits.findings.iter().rev().take(MAX_SETTINGS).any(|f| f.span.start == user.start);
        if !is_known && !ANYBODY.contains_in_any_case(name) && is_believable(ValueShape::Name, name, Setting::Told) {
            self.finding(kind, user.start, user.end);
            self.part(kind, user.start, user.end, true);
        }
    }

    /// The word behind those of a setting that end at `at`: `requirepass …`, `ConvertTo-SecureString "…"`.
    pub(in crate::detect) fn given(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let line = &text[at..text.len().min(at + MAX_LINE)];
        let behind = |word: &[u8]| memchr::memmem::find(line, word).map(|found| at + found + word.len() - 1);
        let at = match &text[words..at].to_ascii_lowercase()[..] {
            b"pre-shared-key address" => behind(b" key ")?,
            // `IDENTIFIED WITH mysql_native_password BY '…'`
            b"identified with" => behind(b" BY ").or_else(|| behind(b" by "))?,
            // `SET PASSWORD FOR 'root'@'localhost' = '…'`
            b"set password for" => behind(b"= ")?,
            b"net user" => past_words(text, at, 1)?,
            b"htpasswd" => past_user_of_htpasswd(text, at)?,
            // `npm config set //npm.acme.io/:_authToken …`
            [.., b' ', b's', b'e', b't'] => {
                let end = past_words(text, at, 1)?;
                NPM_KEYS.iter().any(|key| text[at..end].ends_with(key)).then_some(end)?
            }
            // `rootpw --plaintext …`
            b"rootpw" if line.starts_with(b" --") => past_words(text, at, 1)?,
            _ => at,
        };
        let start = past_blanks(text, at);
        // `rootpw {SSHA}…`
        let is_hash = text.get(start) == Some(&b'{');
        let hash = if is_hash { run_end(text, start + 1, 12, |c| is_alnum(c) || c == b'-') } else { start };
        let start = if is_hash && text.get(hash) == Some(&b'}') { hash + 1 } else { start };
        // `10.0.0.1 10.0.0.2 : PSK "…"`
        let is_of_peers = text[at - 1] == b' ';
        if is_of_peers && !text[..words].ends_with(b": ") || start == at && !is_of_peers {
            return None;
        }
        let found = quoted_value(text, start).unwrap_or_else(|| word(text, start));
        let body = &text[found.start..found.end];
        // What is identified with a service, by somebody, is no user of a database.
        let is_bare = !found.quoted && !is_of_peers && !matches!(text[words], b'i' | b'I');
        let believed =
            found.quoted && is_believable(ValueShape::Password, body, Setting::Told) || is_bare && is_told(body);
        (believed && !body.is_empty()).then_some(found)
    }

    /// What a test types into a field for a password: `cy.get("#password").type("…")`, `page.fill("#password", "…")`.
    pub(in crate::detect) fn typed(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let first = quoted_value(text, at)?;
        let comma = run_end(text, first.next, 2, |c| matches!(c, b',' | b' '));
        let found = if comma > first.next { quoted_value(text, comma)? } else { first };
        let before = &text[words - line_before(text, words).len()..found.start];
        let says = before.windows(5).any(|word| word.eq_ignore_ascii_case(b"passw"));
        let believed = says && is_believable(ValueShape::Password, &text[found.start..found.end], Setting::Line);
        believed.then_some(found)
    }

    /// The value of a parameter behind its type, as `--output text` has it.
    pub(in crate::detect) fn tabbed(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        let start = match text.get(slashes) {
            Some(b'\t') if slashes == at => at + 1,
            Some(b't') if slashes > at => slashes + 1,
            _ => return None,
        };
        let found = word(text, start);
        let believed = found.end > start && is_believable(ValueShape::Password, &text[start..found.end], Setting::Told);
        believed.then_some(found)
    }

    /// The password behind its word in a line of `.netrc` or of a router: `login a password b`.
    pub(in crate::detect) fn of_line(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        if text.get(at) != Some(&b' ') {
            return None;
        }
        let found = word(text, at + 1);
        let body = &text[found.start..found.end.max(found.start)];
        let is_written = body.iter().any(|c| c.is_ascii_digit() || c.is_ascii_punctuation() && !b".,;:-".contains(c));
        let ends = ends_line(text, found.end) || ends_string(text, found.end);
        if !is_written || !ends || !is_told(body) {
            return None;
        }
        let before = &text[words.saturating_sub(SQL_REACH)..words];
        let is_line = LINES.iter().any(|line| memchr::memmem::find(before, line).is_some());
        is_line.then_some(found)
    }

    /// `("password", "…")`, with the word in quotes from `words` to `at`: an option that is set.
    pub(in crate::detect) fn set_by_name(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let quote = *text.get(words.checked_sub(1)?).filter(|c| matches!(c, b'"' | b'\''))?;
        let open = run_start(text, words - 1, MAX_BACKSLASHES, |c| c == b'\\');
        let close = run_end(text, at, words - 1 - open, |c| c == b'\\');
        let is_first = text[..open].ends_with(b"(") && text.get(close) == Some(&quote);
        let comma = text.get(close + 1..)?.strip_prefix(b",").filter(|_| is_first)?;
        let next = text.len() - comma.len();
        let found = quoted_value(text, run_end(text, next, 2, |c| c == b' '))?;
        let is_last = text.get(found.next) == Some(&b')');
        let believed = is_last && is_believable(ValueShape::Password, &text[found.start..found.end], Setting::Sure);
        believed.then_some(found)
    }

    /// What is behind `Basic `: base64 of a user, a colon and a password.
    pub(in crate::detect) fn basic(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let run = run_end(text, at, text.len(), |c| is_alnum(c) || matches!(c, b'+' | b'/'));
        let end = run_end(text, run, 2, |c| c == b'=');
        let believed = run - at >= MIN_BASIC && (end - at).is_multiple_of(4) && has_colon(&text[at..run]);
        believed.then_some(Value { start: at, end, next: end, quoted: false })
    }

    /// `gopher:secret@tcp(10.0.1.5:3306)`, whose `tcp(` begins at `words`.
    pub(in crate::detect) fn before_host(&mut self, words: usize) {
        let text = self.text;
        let Some(at) = text[..words].strip_suffix(b"@").map(<[u8]>::len) else { return };
        let start = run_start(text, at, MAX_PASSWORD, |c| c.is_ascii_graphic() && !b"\"'`\\/".contains(&c));
        let Some(colon) = memchr::memchr(b':', &text[start..at]).map(|colon| start + colon) else { return };
        if is_believable(ValueShape::Password, &text[colon + 1..at], Setting::Sure) {
            self.login((start, colon), (colon + 1, at));
        }
    }

    /// `scott/tiger@`, of Oracle, behind words that end at `at`.
    pub(in crate::detect) fn of_oracle(&mut self, at: usize) {
        let text = self.text;
        let user = run_end(text, at, 4, |c| matches!(c, b' ' | b'"' | b'\''));
        let slash = run_end(text, user, MAX_PASSWORD, |c| is_alnum(c) || matches!(c, b'_' | b'$' | b'#'));
        let end = run_end(text, slash + 1, MAX_PASSWORD, |c| c.is_ascii_graphic() && !b"\"'`\\@/".contains(&c));
        let is_login = slash > user && text.get(slash) == Some(&b'/') && text.get(end) == Some(&b'@');
        if is_login && is_believable(ValueShape::Password, &text[slash + 1..end], Setting::Sure) {
            self.login((user, slash), (slash + 1, end));
        }
    }

    /// What `echo` says to a command that reads a password, with words of this from `words` to `at`:
    /// `echo 'svc:…' | chpasswd`.
    pub(in crate::detect) fn piped(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        // Without the capital it is a shell.
        if text[words..at].ends_with(b"-s") {
            return None;
        }
        let line = line_before(text, words);
        let said = |command: &[u8]| memchr::memmem::rfind(line, command).map(|found| found + command.len());
        let start = words - line.len() + said(b"echo ").max(said(b"printf "))?;
        let start = if text[start..].starts_with(b"-n ") { start + b"-n ".len() } else { start };
        let said = |start| whole_quoted(text, start).unwrap_or_else(|| word(text, start));
        let first = said(start);
        // `printf '%s' "…"`
        let is_format = text[first.start..first.end].starts_with(b"%s") && text.get(first.next) == Some(&b' ');
        let found = if is_format { said(first.next + 1) } else { first };
        let pipe = run_end(text, found.next, 2, |c| c == b' ');
        if text.get(pipe) != Some(&b'|') {
            return None;
        }
        let body = &text[found.start..found.end];
        let has_user = text[words..at].starts_with(b"chpasswd");
        let user = if has_user { memchr::memchr(b':', body)? + 1 } else { 0 };
        let believed = is_believable(ValueShape::Password, &body[user..], Setting::Sure);
        believed.then_some(Value { start: found.start + user, ..found })
    }
}

/// True for a word in letters alone that is a password because its user stands beside it: `user: acme` and `password:
/// jackdaw` in the next line.
pub(in crate::detect) fn is_of_login(text: &[u8], key: usize, word: Value, run: &mut BareRun) -> bool {
    let body = &text[word.start..word.end];
    if body.len() < MIN_WORD || !body.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let lower = body.to_ascii_lowercase();
    let is_type = TYPES.iter().any(|part| memchr::memmem::find(&lower, part).is_some());
    !is_type && user_near(text, key, word.next, run).is_some()
}

/// True for a key that means a password only beside a user: other software passes and has directories, too.
pub(in crate::detect) fn needs_user(key: &[u8]) -> bool {
    key.eq_ignore_ascii_case(b"pass") || key.eq_ignore_ascii_case(b"pwd")
}

/// True for the value of such a key with a user beside it, which is no directory.
pub(in crate::detect) fn has_user(text: &[u8], key: usize, value: Value, run: &mut BareRun) -> bool {
    let is_path = matches!(text[value.start..value.end], [b'/' | b'~' | b'.' | b'%', ..] | [_, b':', ..]);
    !is_path && user_near(text, key, value.next, run).is_some()
}

/// The value of the nearest setting for a user, among those around one whose key begins at `key` and whose value ends at
/// `end`.
fn user_near(text: &[u8], key: usize, end: usize, run: &mut BareRun) -> Option<Value> {
    let from = key.saturating_sub(BESIDE);
    let to = text.len().min(end + BESIDE);
    let is_user = |at: &usize| {
        let key = &text[..key_end(text, *at)];
        let ends = |user: &&[u8]| key.len() >= user.len() && key[key.len() - user.len()..].eq_ignore_ascii_case(user);
        USERS.iter().any(ends)
    };
    let before = memchr::memrchr2_iter(b'=', b':', &text[from..key]).map(|i| from + i).take(MAX_SETTINGS);
    let behind = memchr::memchr2_iter(b'=', b':', &text[end.min(to)..to]).map(|i| end + i).take(MAX_SETTINGS);
    let found = before.filter(is_user).find_map(|at| user_at(text, at, at..key, run));
    found.or_else(|| behind.filter(is_user).find_map(|at| user_at(text, at, end..at, run)))
}

/// The user behind the sign at `at`, with nothing in `between` that ends what stands together.
fn user_at(text: &[u8], at: usize, mut between: Range<usize>, run: &mut BareRun) -> Option<Value> {
    if between.any(|at| ends_record(text, at)) {
        return None;
    }
    let found = value(text, run_end(text, at + 1, 4, |c| c == b' '), run)?;
    is_believable(ValueShape::Name, &text[found.start..found.end], Setting::Told).then_some(found)
}

/// True where what stands together ends: at a bracket, and at an empty line.
fn ends_record(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'{' | b'}' | b'[' | b']' => true,
        b'\n' | b'\\' => {
            break_at(text, at).is_some_and(|(_, next)| next < text.len() && break_at(text, next).is_some())
        }
        _ => false,
    }
}

/// Whether what this base64 stands for is a line of text with a colon in it.
fn has_colon(base64: &[u8]) -> bool {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut met = false;
    let mut bits = 0u32;
    for (i, &c) in base64.iter().enumerate() {
        bits = bits << 6 | u32::from(digit(c));
        if i % 4 > 0 {
            let byte = (bits >> (6 - 2 * (i % 4))) & 0xff;
            // Text, in UTF-8 too.
            if byte < 0x20 || byte == 0x7f {
                return false;
            }
            met |= byte == u32::from(b':');
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn passwords_without_a_key() {
        for (text, secret) in [
            ("requirepass lighthouse-Keeper-3\nmaxmemory 1gb\n", "lighthouse-Keeper-3"),
            ("%any acme.io : PSK \"zq.W81_mKt7Lx\"\n", "zq.W81_mKt7Lx"),
            ("pre-shared-key address acme.io key Kx7.pL2_vQ9m\n", "Kx7.pL2_vQ9m"),
            ("$s = ConvertTo-SecureString \"P0wer$hellY!\" -AsPlainText -Force", "P0wer$hellY!"),
            ("machine git.io\nlogin buildbot\npassword ghostPepper_7\n\n", "ghostPepper_7"),
            ("/acme/db\tSecureString\thR7$kq29_WvZe\t3\n", "hR7$kq29_WvZe"),
            ("machine git.io login buildbot password gh0stPepper", "gh0stPepper"),
            (" neighbor acme password 0xBgP_Peer77\n", "0xBgP_Peer77"),
            ("curl -H \"Authorization: Basic ZGVwbG95Ym90OlIwY2tldEZ1ZWwh\" https://x", "ZGVwbG95Ym90OlIwY2tldEZ1ZWwh"),
            ("echo \"deploy:B0otstrap!now\" | chpasswd\n", "B0otstrap!now"),
            ("echo 'harbor.Lamp0st' | docker login h.io -u x --password-stdin", "harbor.Lamp0st"),
            ("spark.option(\"user\", u).option(\"password\", \"Matchstick\").load()", "Matchstick"),
            ("new NetworkCredential(user, \"En-velope!\")", "En-velope!"),
            ("SecretValue.unsafePlainText('Plain!Text?No7')", "Plain!Text?No7"),
            ("ALTER USER 'a' IDENTIFIED BY 'n3wR00t!';", "n3wR00t!"),
            ("ALTER USER 'a' IDENTIFIED WITH mysql_native_password BY 'n3wR00t!';", "n3wR00t!"),
            ("ALTER USER app IDENTIFIED BY \"n3wR00t!\";", "n3wR00t!"),
            ("ALTER USER app IDENTIFIED BY n3wR00tPw;", "n3wR00tPw"),
            ("SET PASSWORD FOR 'root'@'localhost' = 'n3wR00t!';", "n3wR00t!"),
            ("echo n3wR00tPw | sudo -S ls", "n3wR00tPw"),
            ("printf 'n3wR00t!' | docker login --password-stdin", "n3wR00t!"),
            ("printf '%s' \"n3wR00t!\" | docker login -u x --password-stdin", "n3wR00t!"),
            ("db.auth('app','n3wR00t!')", "n3wR00t!"),
            ("requests.get(url, auth=('admin', 'n3wR00t!'))", "n3wR00t!"),
            ("{\"auths\": {\"r.acme.io\": {\"auth\": \"YWRtaW46Wng4MXFQMDRt\"}}}", "YWRtaW46Wng4MXFQMDRt"),
            ("ansible_ssh_pass: n3wR00tPw\n", "n3wR00tPw"),
            ("rootpw: n3wR00tPw\n", "n3wR00tPw"),
            ("net user tempadmin Str@tum9Zz /add", "Str@tum9Zz"),
            ("htpasswd -bc /etc/nginx/.htpasswd kibana sn0wyOwl\n", "sn0wyOwl"),
            ("htpasswd -nbB kibana sn0wyOwl\n", "sn0wyOwl"),
            ("htpasswd -B -C 10 -b /etc/nginx/x kibana sn0wyOwl\n", "sn0wyOwl"),
            ("npm config set //npm.acme.io/:_authToken sn0wyOwl77\n", "sn0wyOwl77"),
            ("rootpw sn0wyOwl\n", "sn0wyOwl"),
            ("rootpw\t\tsn0wyOwl\n", "sn0wyOwl"),
            ("rootpw --plaintext sn0wyOwl\n", "sn0wyOwl"),
            ("rootpw {SSHA}sn0wyOwl77abcdef==\n", "sn0wyOwl77abcdef=="),
            ("cy.get('#password').type('sn0wyOwl')", "sn0wyOwl"),
            ("page.fill(\"input[name=password]\", \"sn0wyOwl\")", "sn0wyOwl"),
            ("find_element(By.ID, \"passwd\").send_keys(\"sn0wyOwl\")", "sn0wyOwl"),
            ("CREATE ROLE acme WITH LOGIN PASSWORD 'met@base';", "met@base"),
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), secret)], "{text}");
        }
    }

    #[test]
    fn users_beside_their_passwords() {
        for text in [
            "username: acme_rw\n  password: jackdaw\n",
            "user=acme_rw\nPASSWORD=jackdaw\n",
            "{\"user\": \"acme_rw\", \"pass\": \"jackdaw9\"}",
            "db.createUser({user: 'acme_rw', pwd: 'jackdaw9', roles: []})",
            "{\"password\": \"jackdaw\", \"port\": 5432, \"username\": \"acme_rw\"}",
            "psql \"host=db user=acme_rw dbname=x password=jackdaw9\"",
        ] {
            let mut kinds: Vec<_> = found(text).into_iter().map(|(kind, _)| kind).collect();
            kinds.sort();
            assert_eq!(kinds, ["cred:password", "name:db-user"], "{text}");
        }
        for text in [
            "username: EmailStr\npassword: SecretStr\n",
            "user: String\npassword: String\n",
            "user: acme\n\npassword: jackdaw\n",
            "USER=acme\nPWD=/home/acme1\n",
            "{\"tests\": 7, \"pass\": \"yes, all7\"}",
            "\"pwd\": \"work1/x\"",
            "type Query { login(user: String!, password: String!): Token! }",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn logins_of_databases() {
        for text in ["sql.Open(\"mysql\", \"gopher:d1gT-unnel@tcp(db:3306)/x\")", "sqlplus gopher/d1gT-unnel@db"] {
            let login = [("name:db-user".to_owned(), "gopher"), ("cred:password".to_owned(), "d1gT-unnel")];
            assert_eq!(found(text), login, "{text}");
        }
    }

    #[test]
    fn what_is_no_password() {
        for text in [
            "requirepass option, or the requirepass directive",
            "requirepass $REDIS_PASSWORD\n",
            "a basic understanding of basic authentication",
            "Authorization: Basic ${TOKEN}",
            "Authorization: Basic abcdefghijklmnop",
            "[\"username\", \"password\", \"email\"]",
            "get(\"password\", \"x\", 1)",
            "rows are identified by n3wR00tPw",
            "echo n3wR00tPw | sudo -s",
            "echo \"$PW\" | chpasswd; cat x | docker login --password-stdin",
            "the login page has a password Field\n",
            "htpasswd -c /etc/nginx/x kibana\nsn0wyOwl\n",
            "npm config set prefix ~/.npm-packages1\n",
            "page.fill('#user', 'sn0wyOwl')",
            "page.fill('#password', 'wrong')",
            "$user:$pass@tcp(db)",
            "Pass --symmetric1 to gpg, and pass SSL_OP_NO_TLSv1",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
