//! Elements of XML and HTML, `<Bucket>acme-logs</Bucket>`, and what says what they hold: their own name, an attribute, the
//! element before them.

use crate::catalog::MAX_KEY_LEN;
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};

/// Longest content, and longest tag.
pub(in crate::detect) const MAX_CONTENT: usize = 128;
/// Longest name of an element.
const MAX_ELEMENT: usize = 64;
/// What begins text in which nothing is a tag, and what ends it.
const TEXT: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");
/// Most elements around the text of a cell.
pub(in crate::detect) const MAX_INSIDE: usize = 3;
/// Elements that hold values, with those before them that hold their names: of Hadoop, of property lists, of Java.
const PAIRS: [(&[u8], &[u8]); 7] = [
    (b"value", b"name"),
    (b"string", b"key"),
    (b"param-value", b"param-name"),
    (b"env-entry-value", b"env-entry-name"),
    (b"td", b"td"),
    (b"td", b"th"),
    (b"dd", b"dt"),
];
/// Attributes that hold the name of what is in the element.
const ATTRIBUTES: [&[u8]; 2] = [b"name=", b"key="];

/// An element without others inside.
struct Element<'t> {
    name: &'t [u8],
    attributes: &'t [u8],
    /// Where its tag opens.
    open: usize,
    start: usize,
    end: usize,
}

/// The element whose `</` is at `close`.
fn element(text: &[u8], close: usize) -> Option<Element<'_>> {
    let key = close + 2;
    let key_end = run_end(text, key, MAX_ELEMENT, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
    let name = &text[key..key_end];
    if text.get(key_end) != Some(&b'>') || name.is_empty() {
        return None;
    }
    let is_text = text[..close].ends_with(TEXT.1);
    let end = if is_text { close - TEXT.1.len() } else { close };
    let start = run_start(text, end, MAX_CONTENT, |c| !matches!(c, b'>' | b'<' | b'\n') && (c != b'[' || !is_text));
    let tag_end = if is_text { text[..start].strip_suffix(TEXT.0)?.len() } else { start };
    let tag = text[..tag_end].strip_suffix(b">")?.len();
    let open = tag - (tag - run_start(text, tag, MAX_CONTENT, |c| !matches!(c, b'<' | b'>' | b'\n')));
    let attributes = text[open..tag].strip_prefix(name).filter(|rest| rest.first().is_none_or(|&c| c == b' '))?;
    let is_tag = open > 0 && text[open - 1] == b'<' && start < end;
    is_tag.then(|| Element { name, attributes, open: open - 1, start, end })
}

impl Scan<'_, '_> {
    /// Looks at the element whose `</` is at `close`.
    pub(in crate::detect) fn element(&mut self, close: usize) {
        let text = self.text;
        let Some(found) = element(text, close) else { return };
        // Of Maven.
        if found.name == b"artifactId" {
            return;
        }
        let is_cell = matches!(found.name, b"td" | b"dd");
        let is_first = found.attributes.is_empty() && found.name == b"Name" && is_first_of_bucket(text, found.start);
        let mut members = match attribute(found.attributes) {
            _ if is_first => self.detector.catalog.members.get(b"bucketname").to_vec(),
            Some((from, to)) => {
                let at = found.open + 1 + found.name.len();
                self.meanings(at + from, at + to)
            }
            None => match self.key_of_pair(&found) {
                Some((from, to)) => self.meanings(from, to),
                None if found.attributes.is_empty() && !is_cell => {
                    self.meanings(close + 2, close + 2 + found.name.len())
                }
                None => return,
            },
        };
        // Manuals have tables of what is called so, too.
        let setting = if is_cell { Setting::Line } else { Setting::Sure };
        if is_cell {
            members.retain(|member| self.detector.is_credential(member.kind));
        }
        if !members.is_empty() {
            let value = Value { start: found.start, end: found.end, next: close, quoted: true };
            self.believe(&members, value, setting);
        }
    }

    /// What stands in the element before this one, if that says what is in this one.
    fn key_of_pair(&self, found: &Element<'_>) -> Option<(usize, usize)> {
        let text = self.text;
        let (mut name, mut open) = (found.name, found.open);
        // `<td><code>…</code></td>`
        for _ in 0..MAX_INSIDE {
            if PAIRS.iter().any(|(value, _)| *value == name) {
                break;
            }
            let tag = text[..open].strip_suffix(b">")?.len();
            let start = run_start(text, tag, MAX_CONTENT, |c| !matches!(c, b'<' | b'>' | b'\n'));
            let end = run_end(text, start, tag - start, |c| is_alnum(c) || c == b'-');
            (name, open) = (&text[start..end], start.checked_sub(1)?);
        }
        let before = back_over_space(text, open);
        let keys = PAIRS.iter().filter(|(value, _)| *value == name).map(|(_, key)| key);
        let key = keys.into_iter().find_map(|key| {
            let rest = text[..before].strip_suffix(b">")?.strip_suffix(*key)?;
            rest.strip_suffix(b"</")
        })?;
        let mut end = key.len();
        for _ in 0..MAX_INSIDE {
            let Some(tag) = text[..end].strip_suffix(b">") else { break };
            let start = run_start(text, tag.len(), MAX_ELEMENT, |c| is_alnum(c) || c == b'/');
            end = text[..start].strip_suffix(b"<").filter(|_| text.get(start) == Some(&b'/'))?.len();
        }
        let end = run_start(text, end, 2, |c| matches!(c, b':' | b' '));
        let start = run_start(text, end, MAX_KEY_LEN, |c| is_alnum(c) || matches!(c, b'.' | b'-' | b'_' | b' '));
        (start < end && text[..start].ends_with(b">")).then_some((start, end))
    }
}

/// The name that an attribute gives to what is in the element: `<entry key="db.password">`.
fn attribute(attributes: &[u8]) -> Option<(usize, usize)> {
    let at = ATTRIBUTES.iter().find_map(|name| {
        let at = memchr::memmem::find(attributes, name)?;
        (attributes[..at].last() == Some(&b' ')).then_some(at + name.len())
    })?;
    let quote = run_end(attributes, at, MAX_BACKSLASHES, |c| c == b'\\');
    let start = quote + 1;
    let end = run_end(attributes, start, MAX_KEY_LEN, |c| is_alnum(c) || matches!(c, b'.' | b'-' | b'_'));
    let close = run_end(attributes, end, MAX_BACKSLASHES, |c| c == b'\\');
    let is_whole =
        matches!(attributes.get(quote), Some(b'"' | b'\'')) && attributes.get(close) == attributes.get(quote);
    (is_whole && end > start).then_some((start, end))
}

/// Back over white space, also where it is escaped.
fn back_over_space(text: &[u8], at: usize) -> usize {
    let mut at = run_start(text, at, MAX_ELEMENT, |c| c.is_ascii_whitespace());
    while let [.., b'\\', b'n' | b't' | b'r'] = text[..at] {
        let escape = run_start(text, at - 1, MAX_BACKSLASHES, |c| c == b'\\');
        at = run_start(text, escape, MAX_ELEMENT, |c| c.is_ascii_whitespace());
    }
    at
}

/// `<ListBucketResult xmlns="…"><Name>`, `<Bucket><Name>`.
fn is_first_of_bucket(text: &[u8], start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b"<Name>") else { return false };
    let before = &before[..run_start(text, before.len(), MAX_ELEMENT, |c| c.is_ascii_whitespace())];
    let open = memchr::memrchr(b'<', &before[before.len().saturating_sub(MAX_CONTENT)..]);
    let tag = open.map_or(&[][..], |open| &before[before.len().saturating_sub(MAX_CONTENT) + open..]);
    tag.ends_with(b">") && (tag.starts_with(b"<ListBucketResult") || tag == b"<Bucket>")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn passwords_in_elements() {
        for text in [
            "<password>Tr0ub4dor-3xKq</password>",
            "<password><![CDATA[Tr0ub4dor-3xKq]]></password>",
            "<entry key=\"db.password\">Tr0ub4dor-3xKq</entry>",
            "<property name=\"hibernate.connection.password\">Tr0ub4dor-3xKq</property>",
            "<key>DB_PASSWORD</key>\n\t<string>Tr0ub4dor-3xKq</string>",
            "<env-entry-name>DB_PASSWORD</env-entry-name>\r\n<env-entry-value>Tr0ub4dor-3xKq</env-entry-value>",
            "<name>fs.db.password</name>\n  <value>Tr0ub4dor-3xKq</value>",
            "<tr>\n  <td>Password</td>\n  <td>Tr0ub4dor-3xKq</td>\n</tr>",
            "<tr><th>DB password:</th><td class=\"x\">Tr0ub4dor-3xKq</td></tr>",
            "<tr><td><b>DB password</b></td><td><code>Tr0ub4dor-3xKq</code></td></tr>",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")], "{text}");
        }
        assert_eq!(parts("<key>S3Bucket</key>\n<string>acme-logs</string>"), ["acme-logs"]);
        for text in [
            "<td>Password</td><td>required</td>",
            "<td>Bucket</td><td>acme-logs</td>",
            "<td>Password</td></tr><tr><td>x1y2z3w4</td>",
            "<entry key=\"db.color\">Tr0ub4dor-3xKq</entry>",
            "<string>Tr0ub4dor-3xKq</string>",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
