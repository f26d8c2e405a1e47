//! Credentials that announce themselves: bearer keys, web tokens, passwords in URLs.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::credential::login::ANYBODY;
use crate::detect::scan::anchors::WEB_TOKEN;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};
use crate::token::is_token_shaped;

/// Fewest characters of base64 after the prefix of a Bedrock key.
const MIN_KEY: usize = 40;
/// Longest token looked at.
const MAX_TOKEN: usize = 4096;
/// Longest user, and longest password, in a URL.
const MAX_USERINFO: usize = 128;
/// Longest host.
const MAX_HOST: usize = 253;

/// Schemes of URLs whose user and path are a database's.
const DATABASES: [&[u8]; 11] = [
    b"postgres",
    b"postgresql",
    b"mysql",
    b"mariadb",
    b"redshift",
    b"mongodb",
    b"jdbc",
    b"redis",
    b"rediss",
    b"amqp",
    b"amqps",
];

fn is_base64(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'+' | b'/' | b'=')
}

fn is_base64_url(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'-' | b'_')
}

impl Scan<'_, '_> {
    /// Looks at the `ABSK` at `start`; gives where to go on.
    pub(in crate::detect) fn bedrock_key(&mut self, start: usize) -> usize {
        let text = self.text;
        let end = run_end(text, start, MAX_TOKEN, is_base64);
        let run = run_start(text, start, 8, is_alnum);
        if end - start >= MIN_KEY && (run == start || word_start(text, run) == start) {
            self.whole(self.detector.catalog.known.bedrock_key, start, end);
            return end;
        }
        start + 4
    }

    /// Looks at the last dash of `bedrock-api-key-` at `dash`; gives where to go on.
    pub(in crate::detect) fn bedrock_short_key(&mut self, dash: usize) -> usize {
        let end = run_end(self.text, dash + 1, MAX_TOKEN, |c| is_base64(c) || is_base64_url(c));
        if end - dash > MIN_KEY {
            self.whole(self.detector.catalog.known.bedrock_short_key, dash - "bedrock-api-key".len(), end);
            return end;
        }
        dash + 1
    }

    /// Looks at the dot of `k8s-aws-v1.` at `dot`; gives where to go on.
    pub(in crate::detect) fn eks_token(&mut self, dot: usize) -> usize {
        let Some(start) = self.text[..dot].strip_suffix(b"k8s-aws-v1").map(<[u8]>::len) else { return dot + 1 };
        let end = run_end(self.text, dot + 1, MAX_TOKEN, is_base64_url);
        if end - dot > MIN_KEY {
            self.whole(self.detector.catalog.known.eks_token, start, end);
            return end;
        }
        dot + 1
    }

    /// Looks at the first dot of `eyJ….eyJ….…`, or at that before `eyJ…` in a key of Amazon Location, at `dot`; gives where to
    /// go on.
    pub(in crate::detect) fn web_token(&mut self, dot: usize) -> usize {
        let text = self.text;
        if let Some(start) = text[..dot].strip_suffix(b"v1.public").map(<[u8]>::len) {
            let end = run_end(text, dot + 1, MAX_TOKEN, is_base64_url);
            if end - dot > MIN_KEY {
                self.whole(self.detector.catalog.known.location_key, start, end);
                return end;
            }
        }
        // What comes after is read first: it takes no search.
        let second = run_end(text, dot + 1, MAX_TOKEN, is_base64_url);
        let end = run_end(text, second + 1, MAX_TOKEN, is_base64_url);
        if text.get(second) != Some(&b'.') || end <= second + 8 {
            return dot + 1;
        }
        let run = run_start(text, dot, 1024, is_base64_url);
        let run = word_start(text, run).min(dot);
        // The name of a variable may stand before it: `token_eyJ…`.
        let border = |at: &usize| *at == run || !is_alnum(text[*at - 1]);
        let head = memchr::memmem::find_iter(&text[run..dot], WEB_TOKEN.as_bytes()).map(|at| run + at).find(border);
        let Some(start) = head else { return dot + 1 };
        self.whole(self.detector.catalog.known.jwt, start, end);
        end
    }

    fn name_in_url(&mut self, kind: KindId, start: usize, end: usize) {
        if self.wants(kind) && end > start + 1 && !is_token_shaped(&self.text[start..end]) {
            self.finding(kind, start, end);
            self.part(kind, start, end, true);
        }
    }

    /// Looks at the `://` at `colon`, for `user:password@` and what a database is called.
    pub(in crate::detect) fn url_password(&mut self, colon: usize) {
        let text = self.text;
        let user = colon + 3;
        let is_part =
            |c: u8| c.is_ascii_graphic() && !matches!(c, b'/' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'@');
        let user_end = run_end(text, user, MAX_USERINFO, |c| is_part(c) && c != b':');
        // `postgresql+psycopg2`
        let run = run_start(text, colon, 24, |c| is_alnum(c) || c == b'+');
        let scheme = text[run..colon].split(|&c| c == b'+').next().unwrap_or_default();
        let is_database = DATABASES.iter().any(|name| scheme.ends_with(name));
        if text.get(user_end) != Some(&b':') && !is_database {
            return;
        }
        let start = user_end + usize::from(text.get(user_end) == Some(&b':'));
        let mut end = run_end(text, start, MAX_USERINFO, is_part);
        // `app:p@ssw0rd@host`, which should be `%40`: the host begins behind the last one.
        while text.get(end) == Some(&b'@') {
            let left = (start + MAX_USERINFO).saturating_sub(end + 1);
            let next = run_end(text, end + 1, left, |c| is_part(c) && !b"?#,;=&".contains(&c));
            if text.get(next) != Some(&b'@') {
                break;
            }
            end = next;
        }
        let has_user = text.get(end) == Some(&b'@');
        let host = if has_user { end + 1 } else { user };
        let is_on_aws = is_database && {
            let host_end = run_end(text, host, MAX_HOST, |c| is_alnum(c) || matches!(c, b'.' | b'-'));
            memchr::memmem::find(&text[host..host_end], b".amazonaws.com").is_some()
        };
        let password = &text[start.min(end)..end];
        let is_random = password.iter().any(u8::is_ascii_digit) && password.iter().any(u8::is_ascii_alphabetic);
        let is_variable = password.iter().any(|c| matches!(c, b'{' | b'(')) || password.first() == Some(&b'$');
        // `rabbitEars`
        let is_humped = password.windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
            && !password.to_ascii_lowercase().windows(4).any(|four| four == b"pass");
        let is_told = (is_random || is_humped) && password.len() >= 6
            || is_on_aws && is_believable(ValueShape::Password, password, Setting::Sure);
        let has_password = has_user && is_told && !is_variable && !is_token_shaped(password);
        let known = &self.detector.catalog.known;
        if has_password {
            self.whole(known.url_password, start, end);
        }
        if is_database && (has_password || is_on_aws) {
            if has_user && !ANYBODY.contains_in_any_case(&text[user..user_end]) {
                self.name_in_url(known.db_user, user, user_end);
            }
            let host_end = run_end(text, host, MAX_HOST, |c| is_alnum(c) || matches!(c, b'.' | b'-' | b':'));
            if text.get(host_end) == Some(&b'/') {
                let name_end = run_end(text, host_end + 1, 64, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
                self.name_in_url(known.database, host_end + 1, name_end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn keys_of_amazon_location() {
        let key = format!("v1.public.eyJqdGkiOiI{}", "x1Yz_".repeat(9));
        assert_eq!(found(&format!("const key = \"{key}\";")), [("cred:location-api-key".to_owned(), &*key)]);
        assert_eq!(found("v1.public.eyJ0"), []);
    }

    #[test]
    fn urls_of_databases() {
        const HOST: &str = "acme-1.abc123def456.us-east-1.rds.amazonaws.com";
        const HOST_PARTS: [&str; 2] = ["acme-1", "abc123def456"];
        for (before, behind, names) in [
            ("jdbc:postgresql://", ":5432/sales?ssl=true", &["sales"][..]),
            ("jdbc:mysql://", "/sales", &["sales"]),
            ("postgresql://app@", "/sales", &["app", "sales"]),
            ("postgres://app:swordfish@", ":5432/sales", &["app", "swordfish", "sales"]),
            ("postgresql+psycopg2://app:Hunter22@", "/sales", &["app", "Hunter22", "sales"]),
            ("postgres://app:${PASSWORD}@", ":5432/sales", &["app", "sales"]),
            ("jdbc:sqlserver://", ":1433;databaseName=sales;user=app;", &["sales", "app"]),
        ] {
            let text = format!("{before}{HOST}{behind}");
            let parts: Vec<_> = parts(&text).into_iter().filter(|part| !HOST_PARTS.contains(part)).collect();
            assert_eq!(parts, names, "{text}");
        }
        assert_eq!(parts("mysql://app:Xk9qqzz1@db/sales"), ["app", "Xk9qqzz1", "sales"]);
        assert_eq!(parts("mysql://app:Xk9@qq@zz1@db/sales"), ["app", "Xk9@qq@zz1", "sales"]);
        assert_eq!(parts("amqp://app:Xk9qqzz1@db?owner=a@db"), ["app", "Xk9qqzz1"]);
        for text in [
            "jdbc:mysql://localhost:3306/test",
            "postgres://app@db/sales",
            "https://app@db/sales",
            "mysql://",
            "jdbc:mysql://x.amazonaws.com",
        ] {
            assert!(found(text).iter().all(|(kind, _)| kind.starts_with("host")), "{text}");
        }
    }
}
