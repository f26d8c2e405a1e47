//! Lines in languages of their own: `ENV` of a Dockerfile, `AUTH` and `ACL SETUSER` of Redis, the lines of `.pgpass`.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::line::break_before;

/// Longest name of a variable, and longest word of a command.
const MAX_WORD: usize = 128;
/// Most rules of a user of Redis.
const MAX_RULES: usize = 40;
/// Most tabs before a line that are written as escapes.
const MAX_TABS: usize = 8;
/// Length of an alias that AWS made up.
const ALIAS_LEN: usize = 8;
/// Length of a password's hash.
const HASH_LEN: usize = 64;
/// Shortest password that a word is without anything that says so.
const MIN_PASSWORD: usize = 8;

/// True where a line begins, or what is typed behind a prompt.
fn begins_line(text: &[u8], at: usize) -> bool {
    matches!(text[..at], [] | [.., b'"' | b'`'] | [.., b'>', b' ']) || break_before(text, at).is_some()
}

/// Where the blanks and tabs begin before `at`, and the prompt of a shell.
fn indent_start(text: &[u8], at: usize) -> usize {
    let mut at = match text[..at] {
        [.., b'$' | b'%', b' '] => at - 2,
        // `#define DB_PASSWORD "…"`
        [.., b'#'] => at - 1,
        _ => at,
    };
    for _ in 0..MAX_TABS {
        at = run_start(text, at, MAX_WORD, |c| matches!(c, b' ' | b'\t'));
        let Some(tab) = text[..at].strip_suffix(b"t").filter(|before| before.ends_with(b"\\")) else { break };
        at = run_start(text, tab.len(), MAX_BACKSLASHES, |c| c == b'\\');
    }
    at
}

/// Where the word at `start` ends.
fn word_end(text: &[u8], start: usize) -> usize {
    run_end(text, start, MAX_WORD, |c| c.is_ascii_graphic() && !matches!(c, b'\\' | b'"' | b'\'' | b'`'))
}

/// True for a word with letters and digits in it, as long as passwords are.
fn is_written(word: &[u8]) -> bool {
    word.len() >= MIN_PASSWORD && word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic)
}

impl Scan<'_, '_> {
    /// `ENV DB_PASSWORD …` of a Dockerfile, `SetEnv DB_PASSWORD …` of Apache and their like, whose word is at `words` and
    /// whose variable at `at`.
    pub(in crate::detect) fn environment(&mut self, words: usize, at: usize) {
        let text = self.text;
        let end = run_end(text, at, MAX_WORD, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_');
        let start = run_end(text, end, 8, |c| c == b' ');
        // `env DB_PASSWORD=… x` is a command.
        let is_other = text[words..].starts_with(b"env") || text[words..].starts_with(b"Env");
        if is_other || end == at || start == end || !begins_line(text, indent_start(text, words)) {
            return;
        }
        let members = self.meanings(at, end);
        if !members.is_empty() {
            self.announced(&members, start, Setting::Line);
        }
    }

    /// The value up to the end of the line, behind the key at `words` that begins it: `s3_bucket acme-logs`, of Fluentd.
    pub(in crate::detect) fn rest_of_line(&mut self, words: usize, at: usize) {
        let text = self.text;
        let start = run_end(text, at, MAX_WORD, |c| matches!(c, b' ' | b'\t'));
        let end = word_end(text, start);
        if start == at
            || !begins_line(text, indent_start(text, words))
            || !ends_line(text, end) && !ends_string(text, end)
        {
            return;
        }
        let members = self.meanings(words, at);
        if !members.is_empty() {
            self.announced(&members, start, Setting::Line);
        }
    }

    /// The password of `AUTH …` and `AUTH user …`, behind the word at `words` and a prompt, `127.0.0.1:6379> `.
    pub(in crate::detect) fn redis_login(&mut self, words: usize, at: usize) {
        let text = self.text;
        if !text[..words].strip_suffix(b"> ").is_some_and(|prompt| prompt.last().is_some_and(u8::is_ascii_digit)) {
            return;
        }
        let first = word_end(text, at);
        let second = run_end(text, first, 1, |c| c == b' ');
        let (start, end) = if second > first { (second, word_end(text, second)) } else { (at, first) };
        let ends = end == text.len() || ends_line(text, end) || matches!(text[end], b'"' | b'`' | b'\\');
        if ends
            && is_written(&text[start..end])
            && is_believable(ValueShape::Password, &text[start..end], Setting::Told)
        {
            self.whole(self.detector.catalog.known.password, start, end);
        }
    }

    /// The passwords among the rules for a user, behind `ACL SETUSER`: `>password`, `#hash`.
    pub(in crate::detect) fn redis_rules(&mut self, at: usize) {
        let text = self.text;
        // The first word is the user.
        let user = run_end(text, at, 2, |c| c == b' ');
        let mut at = word_end(text, user);
        for _ in 0..MAX_RULES {
            let start = run_end(text, at, 2, |c| c == b' ');
            let end = word_end(text, start);
            if start == at || end == start {
                return;
            }
            let password = start + 1;
            let is_hash = end - password == HASH_LEN && text[password..end].iter().all(u8::is_ascii_hexdigit);
            let is_one = matches!(text[start], b'>' | b'<') || matches!(text[start], b'#' | b'!') && is_hash;
            if is_one && is_believable(ValueShape::Password, &text[password..end], Setting::Sure) {
                self.whole(self.detector.catalog.known.password, password, end);
            }
            at = end;
        }
    }

    /// The name that a file system on the host `start..end` is mounted by: `fs-….fsx.us-east-1.amazonaws.com@tcp:/fab12cdx`.
    pub(in crate::detect) fn mounted(&mut self, start: usize, end: usize) {
        let text = self.text;
        let behind = text[end..].strip_prefix(b"@tcp").unwrap_or(&text[end..]);
        let Some(path) = behind.strip_prefix(b":/") else { return };
        let kind = self.detector.catalog.known.resource_name;
        if memchr::memmem::find(&text[start..end], b".fsx.").is_none() || !self.wants(kind) {
            return;
        }
        let from = text.len() - path.len();
        let to = run_end(text, from, MAX_WORD, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
        let name = &text[from..to];
        // What each file system of OpenZFS, and the first kind of Lustre, is mounted by.
        if name != b"fsx" && is_believable(ValueShape::PlainName, name, Setting::Told) {
            self.whole(kind, from, to);
        }
    }

    /// The alias of a registry behind `public.ecr.aws/`, and the repository in it. AWS makes up aliases of eight characters;
    /// one that was asked for is there to be read.
    pub(in crate::detect) fn public_repository(&mut self, kind: KindId, at: usize) {
        let text = self.text;
        let end = run_end(text, at, ALIAS_LEN + 1, is_alnum);
        let alias = &text[at..end];
        let is_made_up = alias.len() == ALIAS_LEN
            && alias[0].is_ascii_lowercase()
            && alias[1].is_ascii_digit()
            && !alias.iter().any(u8::is_ascii_uppercase);
        if !is_made_up || text.get(end) != Some(&b'/') {
            return;
        }
        self.whole(kind, at, end);
        let from = end + 1;
        let to = run_end(text, from, MAX_WORD, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'/'));
        if is_believable(ValueShape::Name, &text[from..to], Setting::Told) {
            self.finding(kind, from, to);
            self.part(kind, from, to, true);
        }
    }

    /// `host:5432:orders:app:…`, of `.pgpass`, whose host on AWS ends at `at`.
    pub(in crate::detect) fn line_of_pgpass(&mut self, at: usize) {
        let text = self.text;
        let field = |from: usize, is_of: fn(u8) -> bool| {
            let start = from + 1;
            let end = run_end(text, start, MAX_WORD, is_of);
            (text.get(from) == Some(&b':') && end > start).then_some((start, end))
        };
        let is_name = |c: u8| is_alnum(c) || matches!(c, b'_' | b'-' | b'*');
        let login = field(at, |c| c.is_ascii_digit() || c == b'*').and_then(|(_, port)| {
            let database = field(port, is_name)?;
            let user = field(database.1, is_name)?;
            let start = user.1 + 1;
            let end = word_end(text, start);
            (text.get(user.1) == Some(&b':') && end > start).then_some((user, (start, end)))
        });
        let Some((user, password)) = login else { return };
        let slashes = run_end(text, password.1, MAX_BACKSLASHES, |c| c == b'\\');
        let ends = slashes == text.len() || matches!(text[slashes], b'\n' | b'\r' | b'n' | b'r' | b'"' | b'\'');
        if ends && is_believable(ValueShape::Password, &text[password.0..password.1], Setting::Sure) {
            self.login(user, password);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn passwords_in_languages_of_their_own() {
        for text in [
            "FROM alpine\nENV DB_PASSWORD d1gT-unnel\nRUN x",
            "127.0.0.1:6379> AUTH d1gT-unnel\nOK",
            "orders.abc123.0001.use1.cache.amazonaws.com:6379> AUTH app-user d1gT-unnel\n",
            "ACL SETUSER app on >d1gT-unnel ~* +@all\n",
            "orders.c9akciq32.us-east-1.rds.amazonaws.com:5432:orders:app_user:d1gT-unnel\n",
            "orders.c9akciq32.us-east-1.rds.amazonaws.com:5432:*:app_user:d1gT-unnel",
        ] {
            let passwords: Vec<_> = found(text).into_iter().filter(|(kind, _)| kind == "cred:password").collect();
            assert_eq!(passwords, [("cred:password".to_owned(), "d1gT-unnel")], "{text}");
        }
        assert_eq!(found("#define DB_PASSWORD \"d1gT-unnel\"\n"), [("cred:password".to_owned(), "d1gT-unnel")]);
        assert_eq!(found("[OUTPUT]\n    HTTP_Passwd  d1gT-unnel\n"), [("cred:password".to_owned(), "d1gT-unnel")]);
        let bucket = found("FROM alpine\nENV BUCKET_NAME acme-logs\n");
        assert_eq!(bucket, [("name:s3-bucket".to_owned(), "acme-logs")]);
    }

    #[test]
    fn names_in_lines_of_their_own() {
        for (text, name) in [
            ("<match **>\n  s3_bucket acme-raw-drop\n</match>\n", "acme-raw-drop"),
            ("[OUTPUT]\n    log_group_name   /acme/app/prod\n", "/acme/app/prod"),
            ("docker pull public.ecr.aws/k3l4m5n6/acme-web:1.2", "acme-web"),
        ] {
            assert!(found(text).iter().any(|(_, part)| *part == name), "{text}");
        }
        let host = "fs-0ab12cd34ef56ab78.fsx.us-east-1.amazonaws.com";
        for (behind, name) in [("@tcp:/fab12cdx /mnt", "fab12cdx"), (":/vol1acme /mnt", "vol1acme")] {
            let text = format!("mount {host}{behind}");
            assert!(found(&text).contains(&("name:resource".to_owned(), name)), "{text}");
        }
        let text = format!("mount {host}:/fsx /mnt");
        assert!(!found(&text).iter().any(|(kind, _)| kind == "name:resource"), "{text}");
        for text in
            ["the s3_bucket acme of x\n", "docker pull public.ecr.aws/docker/library/node:18", "s3_bucket = x\n"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "the env DB_PASSWORD is set, ENV DB_PASSWORD d1gT-unnel",
            "ENV PATH /usr/local/bin:$PATH\n",
            "ENV DB_PASSWORD $OTHER\n",
            "AUTH LOGIN\n",
            "the AUTH token12345 of it",
            "AUTH with two2words7 and more",
            "ACL SETUSER app on >$PASSWORD nopass\n",
            "10.0.0.1 is acl setuser",
            "ACL SETUSER <username> [rule ...]",
            "ACL SETUSER app on #comment12",
            "S: 250\nAUTH CRAM-MD5\n",
            "AUTH SCRAM-SHA-256\n> AUTH oauth2login\n",
        ] {
            let passwords = found(text).into_iter().filter(|(kind, _)| kind == "cred:password");
            assert_eq!(passwords.count(), 0, "{text}");
        }
    }
}
