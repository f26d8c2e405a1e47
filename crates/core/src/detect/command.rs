//! Passwords among the options of commands: `mysql -pSECRET`, `redis-cli -a SECRET`, `curl -u name:SECRET`; and whom and
//! what those of databases on AWS work with: `psql -h … -U app sales`.

use super::Scan;
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
    /// How far commands of databases were looked through.
    clients_to: usize,
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

/// Options of commands for databases, with what stands behind them: also glued to those of one letter.
const OPTIONS: [(&[u8], Has); 14] = [
    (b"--host", Has::Host),
    (b"--user", Has::User),
    (b"--username", Has::User),
    (b"--dbname", Has::Database),
    (b"--database", Has::Database),
    (b"-h", Has::Host),
    (b"-u", Has::User),
    (b"-U", Has::User),
    (b"-d", Has::Database),
    (b"-D", Has::Database),
    (b"-P", Has::Other),
    (b"-c", Has::Other),
    (b"-e", Has::Other),
    (b"-f", Has::Other),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Host,
    User,
    Database,
    /// Something else, which is no name of a database.
    Other,
}

impl Scan<'_, '_> {
    /// The user and the database in the command for one whose own name ends at `from`, if that is on AWS.
    pub(super) fn database_client(&mut self, from: usize) {
        let text = self.text;
        if from < self.commands.clients_to || text.get(from) != Some(&b' ') {
            return;
        }
        let end = command_end(text, from);
        let end = closing_quote(text, from, end).unwrap_or(end);
        self.commands.clients_to = end;
        if memchr::memmem::find(&text[from..end], b".amazonaws.com").is_none() {
            return;
        }
        let (mut at, mut expected, mut is_on_aws, mut is_named) = (from, None, false, false);
        let mut names = Vec::new();
        while at < end {
            at = run_end(text, at, end - at, |c| matches!(c, b' ' | b'\\' | b'\n'));
            let start = run_end(&text[..end], at, 1, |c| matches!(c, b'"' | b'\''));
            let word = bare(&text[..end], start);
            let body = &text[word.start..word.end];
            if body.starts_with(b"#") {
                break;
            }
            at = word.end + 1;
            let option = OPTIONS.iter().filter(|_| expected.is_none()).find(|(name, _)| {
                body.starts_with(name) && (name.len() == 2 || matches!(body.get(name.len()), None | Some(b'=')))
            });
            let (has, start) = match option {
                Some((name, has)) if body.len() == name.len() => {
                    expected = Some(*has);
                    continue;
                }
                Some((name, has)) => (*has, word.start + name.len() + usize::from(body[name.len()] == b'=')),
                None if expected.is_none() && (is_named || body.starts_with(b"-")) => continue,
                // The first word that is no option is the name of the database.
                None => {
                    is_named |= expected.is_none();
                    (expected.take().unwrap_or(Has::Database), word.start)
                }
            };
            match has {
                Has::Host => is_on_aws |= memchr::memmem::find(body, b".amazonaws.com").is_some(),
                Has::Other => {}
                Has::User => names.push((self.detector.catalog.known.db_user, start, word.end)),
                Has::Database => names.push((self.detector.catalog.known.database, start, word.end)),
            }
            if matches!(text.get(word.end), Some(b'|' | b'>' | b'<' | b'`' | b')')) {
                break;
            }
        }
        for (kind, start, end) in names.into_iter().filter(|_| is_on_aws) {
            if self.wants(kind) && is_believable(ValueShape::PlainName, &text[start..end], Setting::Told) {
                self.finding(kind, start, end);
                self.part(kind, start, end, true);
            }
        }
    }
}

/// Where the command ends whose name ends at `from`.
fn command_end(text: &[u8], from: usize) -> usize {
    let command = &text[from..text.len().min(from + MAX_COMMAND)];
    let ends = |&i: &usize| match command[i] {
        // A line that goes on in the next one ends in a backslash.
        b'\n' => command[i - 1] != b'\\',
        // So it does in a string, and in a string in a string.
        b'\\' if command[i - 1] != b'\\' => {
            let behind = run_end(command, i, MAX_BACKSLASHES, |c| c == b'\\');
            command.get(behind) == Some(&b'n') && (behind - i).is_power_of_two()
        }
        b'\\' => false,
        _ => true,
    };
    from + memchr::memchr3_iter(b'\n', b'\\', b';', command).find(ends).unwrap_or(command.len())
}

/// The quote that closes the string of JSON which a command stands in, before `end`.
fn closing_quote(text: &[u8], from: usize, end: usize) -> Option<usize> {
    memchr::memchr_iter(b'"', &text[from..end]).map(|i| from + i).find(|&quote| {
        let next = run_end(text, quote + 1, MAX_WORD, |c| c.is_ascii_whitespace());
        text.get(next).is_none_or(|c| matches!(c, b',' | b'}' | b']' | b':'))
    })
}

/// The secret, and how far it was looked for.
fn secret(text: &[u8], from: usize, letter: u8, place: Place) -> Option<(Option<Value>, usize)> {
    if text.get(from) != Some(&b' ') {
        return None;
    }
    let end = command_end(text, from);
    let command = &text[from..end];
    let short = [b' ', b'-', letter];
    let options = memchr::memmem::find_iter(command, &short).map(|at| at + short.len());
    let long = memchr::memmem::find_iter(command, b" --user").map(|at| at + b" --user".len());
    let long = long.filter(|_| place == Place::BehindUser);
    let found = options.chain(long).find_map(|at| argument(text, from + at, place));
    Some((found, found.map_or(end, |found| found.end)))
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
        // `lftp -u svc,…`
        Place::BehindUser => memchr::memchr2(b':', b',', &text[found.start..found.end])? + 1,
        Place::Behind | Place::Glued => 0,
    };
    let secret = Value { start: found.start + skipped, ..found };
    // Only a quoted one may have blanks in it.
    let shape = if is_quoted { ValueShape::QuotedSecret } else { ValueShape::Password };
    let body = &text[secret.start..secret.end];
    // `curl -u https://…`
    if place == Place::BehindUser && body.starts_with(b"//") {
        return None;
    }
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
    use proptest::prelude::*;

    use crate::detect::testing::{found, in_json, scanned};

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
    fn users_and_names_of_databases() {
        const HOST: &str = "acme-1.abc123def456.us-east-1.rds.amazonaws.com";
        for command in [
            "mysql -u app -h HOST sales",
            "mysql -h HOST -P 3306 -uapp -p sales",
            "mysql --host=HOST --user=app --ssl-mode=REQUIRED sales < x.sql",
            "mysqldump -h HOST -u app sales > sales.sql",
            "psql -h HOST -U app -d sales",
            "psql \\\n  --host=HOST \\\n  --username=app --dbname=sales",
            "{\"run\": \"pg_dump -h HOST -U 'app' sales\"}",
        ] {
            let text = command.replace("HOST", HOST);
            let mut names = found(&text);
            names.retain(|(kind, _)| kind == "name:db-user" || kind == "name:database");
            names.sort_unstable();
            names.dedup();
            assert_eq!(names, [("name:database".to_owned(), "sales"), ("name:db-user".to_owned(), "app")], "{text}");
        }
        for text in [
            "mysql -u app -h db sales".to_owned(),
            "mysql -u app sales".to_owned(),
            "psql -h $HOST -U app sales; curl x.amazonaws.com".to_owned(),
            format!("ping {HOST}\npsql -U app sales"),
            format!("psql -h {HOST}\naws s3 ls\n"),
            format!("psql -h {HOST} # from home"),
            format!("psql -h {HOST} '"),
            format!("psql -h {HOST} \""),
        ] {
            // As it is, and as it stands in messages, behind which others stand.
            let calls = format!("[{{\"x\": {}, \"y\": \"ran aws\"}}]", in_json(&text));
            let text = format!("{text}\n{calls}\n[{{\"arguments\": {}}}, {{\"z\": \"$ aws ls\"}}]", in_json(&calls));
            let names = found(&text);
            assert!(!names.iter().any(|(kind, _)| kind == "name:db-user" || kind == "name:database"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn commands_that_end_anywhere(pieces in prop::collection::vec(prop::sample::select(&[
            "psql", "mysql -u", " ", " -h", " acme.abc123def456.us-east-1.rds.amazonaws.com", " app", "--user=", "-d", "'",
            "\"", "\\", "\\n", "\n", "}", ",", ";", "|", "-p", "=", "\u{ac00}",
        ][..]), 0..24)) {
            let text = format!("psql -h acme.abc123def456.us-east-1.rds.amazonaws.com{}", pieces.concat());
            for part in [text.as_str(), &in_json(&text), &in_json(&in_json(&text))] {
                let _ = scanned(part);
            }
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
