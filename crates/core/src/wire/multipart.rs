//! Multipart bodies (RFC 2046, RFC 7578).

use std::ops::Range;

use memchr::memmem;

use super::coding::ContentCoding;
use super::content::{Content, is_generic_type, parameter};
use crate::{Error, Result};

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its headers.
    pub(crate) head: Range<usize>,
    /// Its content.
    pub(crate) content: Range<usize>,
    /// What that is; `None` where it cannot be masked.
    pub(crate) kind: Option<Content>,
}

/// A multipart body, taken apart.
#[derive(Debug)]
pub(crate) struct Multipart {
    pub(crate) parts: Vec<Part>,
    /// What stands before the first part and after the last.
    pub(crate) around: [Range<usize>; 2],
}

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let boundary = &content_type[parameter(content_type, "boundary")?];
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

impl Multipart {
    /// Takes `body` apart.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] when a part has no end, or no line between its headers and its content; what
    /// [`Content::check`] says of a part.
    pub(crate) fn parse(body: &[u8], boundary: &[u8]) -> Result<Self> {
        let delimiter = [b"--", boundary].concat();
        let mut lines = Delimiters { body, delimiter: &delimiter, at: 0 };
        let first = lines.next().ok_or(Error::InvalidBody { offset: 0 })?;
        let mut parts = Vec::new();
        let mut open = first.clone();
        while !open.closes {
            let next = lines.next().ok_or(Error::InvalidBody { offset: open.after })?;
            parts.push(part(body, open.after..next.before)?);
            open = next;
        }
        Ok(Self { parts, around: [0..first.before, open.after..body.len()] })
    }
}

/// A line that separates parts.
#[derive(Clone, Debug)]
struct Delimiter {
    /// Where it begins; the end of the line before belongs to it.
    before: usize,
    /// Past its end.
    after: usize,
    /// It is the last one.
    closes: bool,
}

struct Delimiters<'b> {
    body: &'b [u8],
    delimiter: &'b [u8],
    at: usize,
}

impl Iterator for Delimiters<'_> {
    type Item = Delimiter;

    fn next(&mut self) -> Option<Delimiter> {
        loop {
            let start = self.at + memmem::find(&self.body[self.at..], self.delimiter)?;
            self.at = start + self.delimiter.len();
            let before = match &self.body[..start] {
                [] => 0,
                [.., b'\r', b'\n'] => start - 2,
                [.., b'\n'] => start - 1,
                _ => continue,
            };
            let closes = self.body[self.at..].starts_with(b"--");
            let end = self.at + if closes { 2 } else { 0 };
            let padding = self.body[end..].iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
            let after = match &self.body[end + padding..] {
                [] if closes => self.body.len(),
                [b'\r', b'\n', ..] => end + padding + 2,
                [b'\n', ..] => end + padding + 1,
                // The text of a part goes on with what looks like a delimiter.
                _ => continue,
            };
            // The end of this line may be the one before the next delimiter.
            self.at = after.saturating_sub(2).max(self.at);
            return Some(Delimiter { before, after, closes });
        }
    }
}

fn part(body: &[u8], range: Range<usize>) -> Result<Part> {
    let bytes = body.get(range.clone()).ok_or(Error::InvalidBody { offset: range.start })?;
    let head_len = head_len(bytes).ok_or(Error::InvalidBody { offset: range.start })?;
    let (head, content) = (&bytes[..head_len], &bytes[head_len..]);
    let kind = kind(head, content);
    if let Some(kind) = kind {
        kind.check(content)?;
    }
    Ok(Part { head: range.start..range.start + head_len, content: range.start + head_len..range.end, kind })
}

/// Length of the headers and the empty line behind them.
fn head_len(part: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let end = at + memchr::memchr(b'\n', part.get(at..)?)?;
        let line = part[at..end].strip_suffix(b"\r").unwrap_or(&part[at..end]);
        at = end + 1;
        if line.is_empty() {
            return Some(at);
        }
    }
}

fn kind(head: &[u8], content: &[u8]) -> Option<Content> {
    let transfer = header(head, "content-transfer-encoding").unwrap_or(b"binary").to_ascii_lowercase();
    if !matches!(transfer.as_slice(), b"7bit" | b"8bit" | b"binary") {
        return None;
    }
    let coding = header(head, "content-encoding").unwrap_or_default();
    if ContentCoding::parse(coding) != Some(ContentCoding::Identity) {
        return None;
    }
    let content_type = header(head, "content-type").unwrap_or_default();
    if !is_generic_type(content_type) {
        // Parts within parts are used by no API that this is for.
        return Content::parse(content_type, content).filter(|&kind| kind != Content::Multipart);
    }
    let is_text = !content.contains(&0) && std::str::from_utf8(content).is_ok();
    is_text.then(|| match content.trim_ascii_start().first() {
        Some(b'{' | b'[') => Content::JsonLines,
        _ => Content::Text,
    })
}

fn header<'h>(head: &'h [u8], name: &str) -> Option<&'h [u8]> {
    head.split(|&c| c == b'\n').find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        line[..colon].trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &str) -> Vec<(&str, Option<Content>)> {
        let parsed = Multipart::parse(body.as_bytes(), b"B").unwrap();
        parsed.parts.iter().map(|part| (body.get(part.content.clone()).unwrap(), part.kind)).collect()
    }

    #[test]
    fn parts_and_their_kinds() {
        let body = "before\r\n--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--B\r\n\
            Content-Type: application/json\r\n\r\n{\"a\":1}\r\n--B\r\ncontent-type: image/png\r\n\r\n--Bx\r\n--B--\r\nafter";
        assert_eq!(parts(body), [("batch", Some(Content::Text)), ("{\"a\":1}", Some(Content::Json)), ("--Bx", None)]);
        let parsed = Multipart::parse(body.as_bytes(), b"B").unwrap();
        assert_eq!(parsed.around.clone().map(|range| body.get(range).unwrap()), ["before", "after"]);
    }

    #[test]
    fn generic_types_are_judged_by_their_content() {
        let of = |content: &str| parts(&format!("--B\n\n{content}\n--B--")).pop().unwrap().1;
        assert_eq!(of("text"), Some(Content::Text));
        assert_eq!(of("{\"a\":1}\n{\"a\":2}"), Some(Content::JsonLines));
        assert_eq!(of("%PDF-1.7 \0"), None);
    }

    #[test]
    fn coded_parts_cannot_be_masked() {
        assert_eq!(parts("--B\nContent-Transfer-Encoding: base64\n\naSA=\n--B--")[0].1, None);
        assert_eq!(parts("--B\nContent-Type: text/plain\nContent-Encoding: gzip\n\naSA=\n--B--")[0].1, None);
        assert_eq!(parts("--B\nContent-Type: text/plain; charset=utf-16\n\naSA=\n--B--")[0].1, None);
    }

    #[test]
    fn empty_parts_and_bodies() {
        assert_eq!(parts("--B\r\n\r\n\r\n--B--"), [("", Some(Content::Text))]);
        assert_eq!(parts("--B--\r\n"), []);
        for bad in ["", "text", "--B\r\n\r\nopen", "--B\r\nname: x\r\n--B--"] {
            assert!(Multipart::parse(bad.as_bytes(), b"B").is_err(), "{bad}");
        }
        assert_eq!(boundary(b"multipart/form-data; boundary=\"a b\""), Some(&b"a b"[..]));
        assert_eq!(boundary(b"multipart/form-data"), None);
    }
}
