//! How else a name or a secret is written where characters of it mean something: in a URL, in a string, in HTML.

/// Longest of which other spellings are looked for, bytes.
const MAX_LEN: usize = 512;

/// The other spellings of `name`; none of what has letters, digits and dashes only.
pub(in crate::detect) fn spellings(name: &[u8]) -> Vec<Vec<u8>> {
    let is_plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    if name.len() > MAX_LEN || name.iter().all(is_plain) {
        return Vec::new();
    }
    let percent = |digits: &[u8; 16]| {
        let code = |c: &u8| match c {
            c if is_plain(c) => vec![*c],
            c => vec![b'%', digits[usize::from(c >> 4)], digits[usize::from(c & 15)]],
        };
        name.iter().flat_map(code).collect::<Vec<u8>>()
    };
    let mut others = vec![percent(b"0123456789ABCDEF"), percent(b"0123456789abcdef")];
    if name.iter().any(|c| matches!(c, b'"' | b'\\')) {
        // In a string, and of one in a string.
        let escape = |&c: &u8| if matches!(c, b'"' | b'\\') { vec![b'\\', c] } else { vec![c] };
        others.push(name.iter().flat_map(escape).collect());
        others.extend(unescaped(name));
    }
    if name.iter().any(|c| matches!(c, b'&' | b'<' | b'>')) {
        let reference = |&c: &u8| match c {
            b'&' => b"&amp;".to_vec(),
            b'<' => b"&lt;".to_vec(),
            b'>' => b"&gt;".to_vec(),
            c => vec![c],
        };
        others.push(name.iter().flat_map(reference).collect());
    }
    others.retain(|other| other != name);
    others.dedup();
    others
}

/// Names of several words as they begin a sentence, as headings have them, and as what takes no capitals does; each with
/// what is known of the name.
pub(in crate::detect) struct LetterCases<T> {
    /// All of them, one behind the other: that costs less than a vector each.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<(usize, T)>,
}

/// Bytes of a name that room is made for.
const USUAL_LEN: usize = 32;

impl<T: Copy> LetterCases<T> {
    /// Room for so many names.
    pub(in crate::detect) fn with_capacity(names: usize) -> Self {
        Self { bytes: Vec::with_capacity(2 * names * USUAL_LEN), ends: Vec::with_capacity(2 * names) }
    }

    /// Adds the other letter cases of a name. One word is a class in capitals, `neo4j`, and with underscores a constant.
    pub(in crate::detect) fn add(&mut self, name: &[u8], known: T) {
        let is_joined = name.iter().any(|c| matches!(c, b'-' | b'.' | b'/'));
        if !is_joined || name.contains(&b'_') || name.len() > MAX_LEN {
            return;
        }
        let Some(first) = name.iter().position(u8::is_ascii_alphabetic) else { return };
        if name[first].is_ascii_lowercase() {
            self.push(name, known, |other| other[first].make_ascii_uppercase());
        }
        if name[first + 1..].iter().any(u8::is_ascii_lowercase) {
            self.push(name, known, <[u8]>::make_ascii_uppercase);
        }
        if name.iter().any(u8::is_ascii_uppercase) {
            self.push(name, known, <[u8]>::make_ascii_lowercase);
        }
    }

    fn push(&mut self, name: &[u8], known: T, change: impl FnOnce(&mut [u8])) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        change(&mut self.bytes[start..]);
        self.ends.push((self.bytes.len(), known));
    }

    pub(in crate::detect) fn iter(&self) -> impl Iterator<Item = (&[u8], T)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, known)| (&self.bytes[std::mem::replace(&mut start, end)..end], known))
    }
}

/// The name without the backslashes of a string it stands in.
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name.iter();
    while let Some(&c) = rest.next() {
        plain.push(if c == b'\\' { *rest.next().filter(|c| matches!(c, b'"' | b'\\'))? } else { c });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::parts;

    #[test]
    fn names_in_other_spellings() {
        let spelled = |name: &str| -> Vec<String> {
            spellings(name.as_bytes()).into_iter().map(|other| String::from_utf8(other).unwrap()).collect()
        };
        assert_eq!(spelled("acme-logs_2.x"), Vec::<String>::new());
        assert_eq!(spelled("a/b"), ["a%2Fb", "a%2fb"]);
        assert_eq!(spelled("a+1"), ["a%2B1", "a%2b1"]);
        assert_eq!(spelled("p&w<x"), ["p%26w%3Cx", "p%26w%3cx", "p&amp;w&lt;x"]);
        assert_eq!(spelled(r#"a\"b"#), [r"a%5C%22b", r"a%5c%22b", r#"a\\\"b"#, "a\"b"]);
        assert_eq!(spelled(r"a\n"), ["a%5Cn", "a%5cn", r"a\\n"]);
    }

    #[test]
    fn names_in_other_letter_cases() {
        for (name, others) in [
            ("acme-db", &["Acme-db", "ACME-DB"][..]),
            ("Acme-DB.7", &["ACME-DB.7", "acme-db.7"]),
            ("ACME-DB", &["acme-db"]),
            ("7-b", &["7-B"]),
            ("acme/주문", &["Acme/주문", "ACME/주문"]),
            ("acme_db-7", &[]),
            ("OrdersApi", &[]),
            ("neo4j", &[]),
            ("12-34", &[]),
        ] {
            let mut cases = LetterCases::with_capacity(1);
            cases.add(name.as_bytes(), ());
            assert_eq!(
                cases.iter().map(|(other, ())| other).collect::<Vec<_>>(),
                others.iter().map(|o| o.as_bytes()).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn secrets_are_found_in_other_spellings() {
        for (first, second) in [
            (
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYzqH1v0LrKE",
                "wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYzqH1v0LrKE",
            ),
            ("db_password: 'p@ss&w0rd!x9#q'", "p@ss&amp;w0rd!x9#q"),
            ("aws secretsmanager get-secret-value --secret-id prod/orders-x/dbcreds", "prod%2forders-x%2fdbcreds"),
        ] {
            let text = format!("{first}\nthen <td>{second}</td> in the log\n");
            assert!(parts(&text).contains(&second), "{text}");
        }
    }

    #[test]
    fn a_password_with_quotes_in_the_arguments_of_a_tool() {
        let body = serde_json::json!({
            "user": "db_password: 'ab\"cd9\\ef!K3q'",
            "arguments": serde_json::json!({ "cmd": "./connect.sh ab\"cd9\\ef!K3q" }).to_string(),
        });
        let text = body.to_string();
        let found = parts(&text);
        assert!(found.contains(&r#"ab\"cd9\\ef!K3q"#) && found.contains(&r#"ab\\\"cd9\\\\ef!K3q"#), "{found:?}");
    }
}
