//! Passwords among the options of commands: `mysql -pSECRET`, `redis-cli -a SECRET`, `curl -u name:SECRET`; and whom and
//! what those of databases on AWS work with: `psql -h … -U app sales`.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::credential::shell::Words;
use crate::detect::setting::value::{Setting, Value, is_believable, whole_quoted};
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end};

/// Longest command for a database that is looked at.
const MAX_COMMAND: usize = 1024;
/// Longest word of it.
const MAX_WORD: usize = 256;
/// How many commands may stand inside each other to be looked through for the same options.
const MAX_NESTED: usize = 3;
/// Length of an option of one letter.
const LETTER: usize = b"-u".len();
/// Letters of options of curl that have no argument: more may stand behind them in the same word, `-sSLu`.
const FLAGS: &[u8] = b"#0123469BGIJLMNORSafgijklnpqsv";

/// Where an option has its secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Place {
    /// The next word, or the rest of this one.
    Behind,
    /// The rest of the word: what follows a blank is something else.
    Glued,
    /// The next word, after the name of a user and a colon.
    BehindUser,
    /// The next word, after another and this sign.
    BehindSign(u8),
}

/// How far commands of a text were looked through for the same options.
#[derive(Debug)]
struct Seen {
    options: &'static str,
    to: usize,
    /// Commands inside others so far.
    nested: usize,
}

/// How far the commands of a text were looked through.
#[derive(Debug, Default)]
pub(in crate::detect) struct Commands {
    seen: Vec<Seen>,
    /// How far commands of databases were looked through.
    clients_to: usize,
}

impl Commands {
    /// What was seen of these options, unless too many commands that stand in each other were looked through for them
    /// already: a line of nothing but names takes no time.
    fn seen_of(&mut self, options: &'static str, from: usize) -> Option<&mut Seen> {
        let known = self.seen.iter().position(|seen| seen.options == options);
        let index = known.unwrap_or_else(|| {
            self.seen.push(Seen { options, to: 0, nested: 0 });
            self.seen.len() - 1
        });
        let seen = self.seen.get_mut(index)?;
        seen.nested = if from < seen.to { seen.nested + 1 } else { 0 };
        (seen.nested <= MAX_NESTED).then_some(seen)
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
    /// Records the secrets of these options, with commas between, of the command whose name ends at `from`.
    pub(in crate::detect) fn secrets_of_command(
        &mut self,
        kind: KindId,
        from: usize,
        options: &'static str,
        place: Place,
    ) {
        let text = self.text;
        let Some(mut words) = Words::behind(text, from) else { return };
        let Some(seen) = self.commands.seen_of(options, from) else { return };
        let (mut found, mut is_expected) = (Vec::new(), false);
        while let Some(word) = words.next() {
            let is_option = text[word.start] == b'-' && (!word.quoted || words.is_list());
            let argument = match option_at(text, word, options, place) {
                _ if is_expected && !is_option => Some(word),
                Some(start) if start < word.end => Some(Value { start, ..word }),
                at_end => {
                    is_expected = at_end.is_some();
                    continue;
                }
            };
            let is_next = is_expected;
            is_expected = false;
            let argument = argument.filter(|word| place != Place::Glued || !is_next || is_written(text, *word));
            found.extend(argument.and_then(|argument| secret_of(text, argument, place)));
        }
        seen.to = seen.to.max(words.read_to());
        for secret in found {
            self.finding(kind, secret.start, secret.end);
            self.part(kind, secret.start, secret.end, true);
        }
    }

    /// The user and the database in the command for one whose own name ends at `from`, if that is on AWS.
    pub(in crate::detect) fn database_client(&mut self, from: usize) {
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

/// True for a word behind `-p` that somebody took for the password, which has to be glued to it: the name of a database has
/// no quotes, and no digit among capitals.
fn is_written(text: &[u8], word: Value) -> bool {
    let body = &text[word.start..word.end];
    word.quoted && body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_uppercase)
}

/// Where the argument begins of one of the options in this word, if it is one: at its end, where the next word is that.
fn option_at(text: &[u8], word: Value, options: &str, place: Place) -> Option<usize> {
    let body = &text[word.start..word.end];
    let argument = |option: &str| {
        let rest = body.strip_prefix(option.as_bytes())?;
        let is_letter = option.len() == LETTER;
        let sign = usize::from(rest.starts_with(b"=") && (!is_letter || place == Place::BehindUser));
        (rest.is_empty() || is_letter || sign > 0).then_some(option.len() + sign)
    };
    let of_flags = || {
        let flags = body.strip_prefix(b"-").filter(|_| place == Place::BehindUser)?;
        let len = flags.iter().take_while(|c| FLAGS.contains(c)).count();
        (len > 0 && flags.get(len) == Some(&b'u')).then_some(len + LETTER)
    };
    options.split(',').find_map(argument).or_else(of_flags).map(|len| word.start + len)
}

/// The secret in the argument of an option, which may have quotes of its own: `-p'Sup3r S3cret'`.
fn secret_of(text: &[u8], argument: Value, place: Place) -> Option<Value> {
    let inner = whole_quoted(text, argument.start).filter(|inner| !argument.quoted && inner.next <= argument.next);
    let found = inner.unwrap_or_else(|| bare_secret(text, argument));
    // Only a quoted one may have blanks in it.
    let shape = if found.quoted { ValueShape::QuotedSecret } else { ValueShape::Password };
    let is_secret = |found: &Value| {
        let body = &text[found.start..found.end];
        !body.is_empty() && is_believable(shape, body, Setting::Told)
    };
    let body = &text[found.start..found.end];
    match place {
        Place::Glued => Some(found).filter(is_secret),
        // `mongo -p 27017:27017`, of a container that is called so.
        Place::Behind if body.iter().all(|c| c.is_ascii_digit() || *c == b':') && body.contains(&b':') => None,
        // Communities of SNMP that every device has.
        Place::Behind if matches!(body, b"public" | b"private") => None,
        // `-passin pass:…`, and `env:…` for where one is.
        Place::Behind if body.starts_with(b"env:") || body.starts_with(b"file:") => None,
        Place::Behind => {
            let is_marked = body.starts_with(b"pass:");
            let start = found.start + if is_marked { b"pass:".len() } else { 0 };
            Some(Value { start, ..found }).filter(is_secret)
        }
        Place::BehindSign(sign) => {
            let start = found.start + memchr::memchr(sign, body)? + 1;
            Some(Value { start, ..found }).filter(is_secret)
        }
        Place::BehindUser => {
            // `lftp -u svc,…`
            let sign = found.start + memchr::memchr2(b':', b',', body)?;
            let user = Value { end: sign, ..found };
            // `curl -u https://…`
            let is_url = body[sign - found.start + 1..].starts_with(b"//");
            let behind = Some(Value { start: sign + 1, ..found }).filter(|found| !is_url && is_secret(found));
            // A key for an API that has no password, or one that says nothing: `KEY:`, `KEY:x`.
            let is_key = |user: &Value| {
                let body = &text[user.start..user.end];
                let behind = &text[sign + 1..found.end];
                behind.iter().all(|c| c.is_ascii_lowercase() || matches!(c, b'-' | b'_'))
                    && !body.contains(&b'@')
                    && is_believable(ValueShape::Token, body, Setting::Told)
            };
            Some(user).filter(is_key).or(behind)
        }
    }
}

/// What is left of a word without quotes when the sentence that goes on behind it has lent it a comma.
fn bare_secret(text: &[u8], word: Value) -> Value {
    let is_lent = !word.quoted && text[word.start..word.end].ends_with(b",");
    Value { end: if is_lent { word.end - 1 } else { word.end }, ..word }
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

    use crate::detect::testing::{found, in_json, parts, scanned};

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
            ("mysql -u root -p \"Sup3rS3cret\" -h db", "Sup3rS3cret"),
            ("smbclient //fs/x -U svc%Secr3tSmb", "Secr3tSmb"),
            ("rpcclient -U 'acme/svc%Secr3tSmb' fs", "Secr3tSmb"),
            ("snmpget -v3 -a SHA -A Secr3tSnmp -l authNoPriv sysName", "Secr3tSnmp"),
            ("snmpwalk -v2c -c Secr3tSnmp fs", "Secr3tSnmp"),
            ("psexec -u svc -p Secr3tRun cmd", "Secr3tRun"),
            ("schtasks /create /tn x /ru svc /rp Secr3tRun", "Secr3tRun"),
            ("kubectl create secret generic db --from-literal=x=Secr3tK8s", "Secr3tK8s"),
            ("ldapsearch -x -D cn=admin -w Ld4pPass -b dc=x", "Ld4pPass"),
            ("curl -s x; curl -u a: y && curl -u b:S3cretPassw0rd z", "S3cretPassw0rd"),
            ("curl --user=admin:S3cretPassw0rd https://x.io", "S3cretPassw0rd"),
            ("curl -uadmin:S3cretPassw0rd https://x.io", "S3cretPassw0rd"),
            ("curl -fsSLu admin:S3cretPassw0rd https://x.io", "S3cretPassw0rd"),
            ("curl.exe -vu 'admin:S3cretPassw0rd' https://x.io", "S3cretPassw0rd"),
            ("curl -n -u \\\n  admin:S3cretPassw0rd https://x.io", "S3cretPassw0rd"),
            ("curl --user admin:S3cretPassw0rd https://x && docker run -u 1000:1000 x", "S3cretPassw0rd"),
            ("curl --user admin:S3cretPassw0rd x\ncurl -u admin:$TOKEN x", "S3cretPassw0rd"),
            ("curl -s x | sort -u a:B3cretPassw0rd; curl -u a:S3cretPassw0rd z", "S3cretPassw0rd"),
            ("curl -u sk_live_4eC39HqLyjWD: https://x.io", "sk_live_4eC39HqLyjWD"),
            ("curl -u 4eC39HqLyjWDarjtT1:x https://x.io", "4eC39HqLyjWDarjtT1"),
            ("curl -d \"$(curl -u admin:S3cretPassw0rd y)\" x", "S3cretPassw0rd"),
            ("ssh h 'curl -u \"admin:S3cretPassw0rd\" x'", "S3cretPassw0rd"),
            ("curl -u admin:S3cret(Passw0rd)x https://x.io", "S3cret(Passw0rd)x"),
            ("subprocess.run([\"curl\", \"-u\", \"admin:S3cretPassw0rd\", \"x\"])", "S3cretPassw0rd"),
            ("subprocess.run(['mysql', '-uroot', '-pSup3rS3cret'])", "Sup3rS3cret"),
            ("command: [\"redis-cli\", \"-a\", \"R3disPass\", \"ping\"]", "R3disPass"),
            ("redis-server --requirepass R3disPass --appendonly yes", "R3disPass"),
            ("openssl rsa -in k -passin pass:S3cretPassw0rd -out x", "S3cretPassw0rd"),
            ("openssl pkcs12 -export -passout 'pass:S3cretPassw0rd'", "S3cretPassw0rd"),
            ("keytool -import -storepass S3cretPassw0rd -keystore k", "S3cretPassw0rd"),
            ("zip -r -P S3cretPassw0rd a b", "S3cretPassw0rd"),
            ("7z a -pS3cretPassw0rd a b", "S3cretPassw0rd"),
            ("ssh-keygen -t rsa -N 'S3cret Passw0rd' -f k", "S3cret Passw0rd"),
            ("cypher-shell -u a -p S3cretPassw0rd", "S3cretPassw0rd"),
            ("set -x DB_PASSWORD S3cretPassw0rd\n", "S3cretPassw0rd"),
            ("$ setenv DB_PASSWORD S3cretPassw0rd\n", "S3cretPassw0rd"),
            ("<V>\n\tSetEnv DB_PASSWORD S3cretPassw0rd\n", "S3cretPassw0rd"),
            ("  fastcgi_param DB_PASSWORD S3cretPassw0rd;\n", "S3cretPassw0rd"),
            ("aws secretsmanager update-secret --secret-string S3cretPassw0rd --secret-id x", "S3cretPassw0rd"),
            ("New-User -Name x -Password \"S3cretPassw0rd\"", "S3cretPassw0rd"),
            ("PGPASSWORD=Pg5ecret9 psql -h x", "Pg5ecret9"),
            ("export MYSQL_PWD='Mysq1Pwd'", "Mysq1Pwd"),
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), secret)], "{text}");
        }
    }

    #[test]
    fn options_without_a_secret() {
        for text in [
            "mysql -u root -p orders_db1 -h db",
            "mysql -u root -p 'orders_db1'",
            "snmpwalk -v2c -c public fs",
            "smbclient //fs/x -U svc",
            // A list that is cut off.
            "\"mysql\",\n\"system\",\n",
            "[curl, -u,",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn every_secret_of_a_command() {
        let text = "curl -U px:Pr0xyS3cret -su admin:S3cretPassw0rd https://x";
        assert_eq!(parts(text), ["Pr0xyS3cret", "S3cretPassw0rd"]);
        let text = "curl -u admin:S3cretPassw0rd --proxy-user px:Pr0xyS3cret https://x";
        assert_eq!(parts(text), ["S3cretPassw0rd", "Pr0xyS3cret"]);
    }

    #[test]
    fn a_command_ends_with_its_message() {
        for behind in ["docker run -u app:app9Group x", "curl -u admin:$TOKEN x"] {
            let text = format!("[{{\"a\": \"curl --user admin:S3cretPassw0rd x\"}}, {{\"a\": \"{behind}\"}}]");
            for text in [in_json(&text), text] {
                assert_eq!(scanned(&text), [("cred:password".to_owned(), "S3cretPassw0rd")], "{text}");
            }
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
            "docker run --name mongo -p 27017:27017 mongo",
            "openssl rsa -passin env:PASSW0RD -passout file:/root/x1",
            "keytool -storepass:env PASSW0RD",
            "ssh-keygen -N '' -f k1",
            "the zip -P option",
            "env DB_PASSWORD=$X y",
            "aws secretsmanager create-secret --secret-string file://x1.json",
            "mongo -p --host db1.acme.io",
            "docker login -u AWS -p <token-1> -e none",
            "curl -du admin:S3cretPassw0rd https://x.io",
            "curl https://x.io && docker run -u app:app9Group x",
            "curl -u firstname.lastname1@acme.io: https://x.io",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
