//! Passwords among the options of commands: `mysql -pSECRET`, `redis-cli -a SECRET`, `curl -u name:SECRET`.

use super::boundary::{MAX_BACKSLASHES, run_end};
use super::value::{Setting, Value, is_believable, whole_quoted};
use crate::catalog::ValueShape;

/// Longest command that is looked at.
const MAX_COMMAND: usize = 1024;
/// Longest word of it.
const MAX_WORD: usize = 256;

/// Where an option has its secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// The next word, or the rest of this one.
    Behind,
    /// The rest of the word: what follows a blank is something else.
    Glued,
    /// The next word, after the name of a user and a colon.
    BehindUser,
}

/// How far the commands of a text were looked through for each option.
#[derive(Debug, Default)]
pub(super) struct Commands {
    seen: Vec<((u8, Place), usize)>,
}

impl Commands {
    /// The secret of the option of this letter, in the command whose name ends at `from`. A command inside another one that
    /// has no such option has none either: a line of nothing but names is read once.
    pub(super) fn secret(&mut self, text: &[u8], from: usize, letter: u8, place: Place) -> Option<Value> {
        let option = (letter, place);
        if self.seen.iter().any(|&(seen, to)| seen == option && from < to) {
            return None;
        }
        let (found, to) = secret(text, from, letter, place)?;
        self.seen.retain(|&(seen, _)| seen != option);
        self.seen.push((option, to));
        found
    }
}

/// The secret, and how far it was looked for.
fn secret(text: &[u8], from: usize, letter: u8, place: Place) -> Option<(Option<Value>, usize)> {
    let command = &text[from..text.len().min(from + MAX_COMMAND)];
    if !command.starts_with(b" ") {
        return None;
    }
    let ends = |&i: &usize| match command[i] {
        // A line that goes on in the next one ends in a backslash.
        b'\n' => command[i - 1] != b'\\',
        b'\\' => command.get(i + 1) == Some(&b'n') && command[i - 1] != b'\\',
        _ => true,
    };
    let end = memchr::memchr3_iter(b'\n', b'\\', b';', command).find(ends).unwrap_or(command.len());
    let short = [b' ', b'-', letter];
    let options = memchr::memmem::find_iter(&command[..end], &short).map(|at| at + short.len());
    let long = memchr::memmem::find_iter(&command[..end], b" --user").map(|at| at + b" --user".len());
    let long = long.filter(|_| place == Place::BehindUser);
    let found = options.chain(long).find_map(|at| argument(text, from + at, place));
    Some((found, found.map_or(from + end, |found| found.end)))
}

fn argument(text: &[u8], at: usize, place: Place) -> Option<Value> {
    let start = run_end(text, at, 4, |c| c == b' ' || c == b'=' && place == Place::BehindUser);
    if place == Place::Glued && start > at {
        return None;
    }
    let slashes = run_end(text, start, MAX_BACKSLASHES, |c| c == b'\\');
    let is_quoted = matches!(text.get(slashes), Some(b'"' | b'\''));
    let found = if is_quoted { whole_quoted(text, start)? } else { bare(text, start) };
    let skipped = match place {
        Place::BehindUser => memchr::memchr(b':', &text[found.start..found.end])? + 1,
        Place::Behind | Place::Glued => 0,
    };
    let secret = Value { start: found.start + skipped, ..found };
    // Only a quoted one may have blanks in it.
    let shape = if is_quoted { ValueShape::QuotedSecret } else { ValueShape::Password };
    let body = &text[secret.start..secret.end];
    (!body.is_empty() && is_believable(shape, body, Setting::Told)).then_some(secret)
}

fn bare(text: &[u8], start: usize) -> Value {
    let is_word =
        |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'`' | b'\\' | b';' | b'|' | b')' | b'<' | b'>');
    let end = run_end(text, start, MAX_WORD, is_word);
    Value { start, end, next: end, quoted: false }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn passwords_of_commands() {
        for (text, secret) in [
            ("mysql -h db -u admin -pSup3rS3cret! orders", "Sup3rS3cret!"),
            ("$ mysqldump -uroot -p'Sup3r S3cret' orders > x.sql\n", "Sup3r S3cret"),
            ("mysql \\\n  -u admin \\\n  -pSup3rS3cret", "Sup3rS3cret"),
            ("{\"run\": \"mysql -p\\\"Sup3r S3cret\\\" x\\n\"}", "Sup3r S3cret"),
            ("redis-cli -h x -a R3disPass ping", "R3disPass"),
            ("sshpass -p Secr3tSsh ssh me@host", "Secr3tSsh"),
            ("sshpass -pSecr3tSsh ssh me@host", "Secr3tSsh"),
            ("curl -s -u admin:S3cretPassw0rd https://x.io", "S3cretPassw0rd"),
            ("curl --user \"admin:S3cret,Passw0rd\" https://x.io", "S3cret,Passw0rd"),
            ("docker login -u bob -p D0ckerPass1 registry.io", "D0ckerPass1"),
            ("ldapsearch -x -D cn=admin -w Ld4pPass -b dc=x", "Ld4pPass"),
            ("curl -s x; curl -u a: y && curl -u b:S3cretPassw0rd z", "S3cretPassw0rd"),
            ("PGPASSWORD=Pg5ecret9 psql -h x", "Pg5ecret9"),
            ("export MYSQL_PWD='Mysq1Pwd'", "Mysq1Pwd"),
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), secret)], "{text}");
        }
    }

    #[test]
    fn other_options() {
        for text in [
            "mysql -p orders",
            "mysql -p",
            "mysql -u root -p$PASSWORD; mkdir -pSrc1",
            "mysql -u root\nmkdir -pSrc/main1",
            "mkdir -p src/main1 && grep -a foo1 -w Bar1",
            "redis-cli -a \"$REDIS_AUTH\" ping",
            "curl -u admin https://x.io:8080",
            "curl -u \"$NAME:$TOKEN\" https://x.io",
            "docker run -p 8080:8080 nginx1",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
