//! Content types.

use std::ops::Range;

use crate::{Error, Result};

/// What a body is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// One JSON document.
    Json,
    /// A JSON document on each line.
    JsonLines,
    /// Server-sent events.
    EventStream,
    /// Plain text of any kind.
    Text,
    /// Fields of a form, URL-encoded.
    Form,
    /// Parts, each with a type of its own.
    Multipart,
}

/// Types beyond `text/*` whose bodies are text all the same.
const TEXT_TYPES: &[&str] = &[
    "application/ecmascript",
    "application/graphql",
    "application/hcl",
    "application/javascript",
    "application/json5",
    "application/sql",
    "application/toml",
    "application/typescript",
    "application/x-httpd-php",
    "application/x-python-code",
    "application/x-sh",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
];

const JSON_LINES_TYPES: &[&str] = &[
    "application/json-lines",
    "application/json-seq",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    // Cohere's v1
    "application/stream+json",
    "application/x-json-lines",
    "application/x-jsonl",
    "application/x-jsonlines",
    "application/x-ndjson",
    "text/jsonl",
];

/// Charsets in which an ASCII character is the byte that it is in ASCII. In others nothing would be found.
const ASCII_CHARSETS: &[&str] = &[
    "ascii",
    "big5",
    "cp12",
    "euc-",
    "gb",
    "iso-8859-",
    "koi8-",
    "ks_c_",
    "latin",
    "shift_jis",
    "us-ascii",
    "utf-8",
    "utf8",
    "windows-",
];

impl Content {
    /// Reads a `Content-Type` value; `None` for types and charsets that cannot be masked.
    ///
    /// An empty value is judged by the body.
    pub fn parse(content_type: &[u8], body: &[u8]) -> Option<Self> {
        // What nearly every request says.
        if content_type == b"application/json" {
            return Some(Self::Json);
        }
        if parameter(content_type, "charset").is_some_and(|range| !is_ascii_charset(&content_type[range])) {
            return None;
        }
        let essence = essence(content_type).to_ascii_lowercase();
        match std::str::from_utf8(&essence).ok()? {
            "" => Some(Self::sniff(body)),
            "application/json" | "text/json" => Some(Self::Json),
            "text/event-stream" => Some(Self::EventStream),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" | "multipart/mixed" | "multipart/related" => Some(Self::Multipart),
            lines if JSON_LINES_TYPES.contains(&lines) => Some(Self::JsonLines),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.starts_with("text/") || other.ends_with("+xml") || TEXT_TYPES.contains(&other) => {
                Some(Self::Text)
            }
            _ => None,
        }
    }

    /// Whether a body of this content can be looked at as it stands.
    ///
    /// Scanning sees bytes. A body in UTF-16 would seem to hold nothing.
    ///
    /// # Errors
    /// [`Error::UnsupportedContent`] for text that is not written in ASCII and its extensions.
    /// [`Error::InvalidBody`] for JSON that does not begin like JSON.
    pub fn check(self, body: &[u8]) -> Result<()> {
        if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
            return Err(Error::UnsupportedContent);
        }
        match self {
            Self::Json | Self::JsonLines => {
                if body.iter().take(4).any(|&c| c == 0) {
                    return Err(Error::UnsupportedContent);
                }
                let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
                match text.iter().position(|c| !matches!(c, b' ' | b'\t' | b'\r' | b'\n' | 0x1e)).map(|at| text[at]) {
                    None | Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => Ok(()),
                    Some(_) => Err(Error::InvalidBody { offset: 0 }),
                }
            }
            Self::Text | Self::EventStream | Self::Form if holds_wide_ascii(body) => Err(Error::UnsupportedContent),
            _ => Ok(()),
        }
    }

    /// True for a body that calls itself text and is compressed.
    pub(crate) fn is_disguise(self, body: &[u8]) -> bool {
        matches!(self, Self::Text | Self::EventStream | Self::Form) && is_packed(body)
    }

    /// What a body of unknown type looks like.
    pub(crate) fn sniff(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Text,
        }
    }
}

/// True when four characters of ASCII in a row take two or four bytes each. No identifier is shorter.
fn holds_wide_ascii(body: &[u8]) -> bool {
    let is_wide = |at: usize, bytes: usize| {
        (0..4).all(|i| match body.get(at + bytes * i..at + bytes * i + 2) {
            Some(&[zero, c]) => zero == 0 && c.is_ascii_graphic(),
            _ => false,
        })
    };
    memchr::memchr_iter(0, body).any(|at| is_wide(at, 2) || is_wide(at, 4))
}

/// What compressed bytes begin with: gzip, zlib, Zstandard, xz, bzip2, zip.
const PACKED: [&[u8]; 9] =
    [b"\x1f\x8b", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh", b"PK\x03\x04"];

/// True for compressed bytes, which would seem to hold nothing.
fn is_packed(body: &[u8]) -> bool {
    PACKED.iter().any(|beginning| body.starts_with(beginning)) && std::str::from_utf8(body).is_err()
}

/// A type without its parameters.
pub(crate) fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|&c| c == b';').next().unwrap_or_default().trim_ascii()
}

/// True for types that say nothing about their content.
pub(crate) fn is_generic_type(content_type: &[u8]) -> bool {
    let essence = essence(content_type);
    essence.is_empty()
        || essence.eq_ignore_ascii_case(b"application/octet-stream")
        || essence.eq_ignore_ascii_case(b"binary/octet-stream")
}

fn is_ascii_charset(charset: &[u8]) -> bool {
    let charset = charset.to_ascii_lowercase();
    ASCII_CHARSETS.iter().any(|known| charset.starts_with(known.as_bytes()))
}

/// Where the value of a parameter of a header stands, without the quotes around it.
pub(crate) fn parameter(header: &[u8], name: &str) -> Option<Range<usize>> {
    let mut at = memchr::memchr(b';', header)?;
    loop {
        at += 1;
        while header.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let len = header.get(at..)?.iter().position(|c| matches!(c, b'=' | b';'))?;
        let is_wanted = header[at..at + len].trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        at += len;
        if header[at] == b';' {
            continue;
        }
        at += 1;
        while header.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let value = match header.get(at) {
            Some(b'"') => {
                let start = at + 1;
                let mut end = start;
                while !matches!(header.get(end), None | Some(b'"')) {
                    end += if header[end] == b'\\' { 2 } else { 1 };
                }
                at = end.min(header.len());
                start..at
            }
            _ => {
                let start = at;
                at += header[at..].iter().position(|&c| c == b';').unwrap_or(header.len() - at);
                start..start + header[start..at].trim_ascii_end().len()
            }
        };
        if is_wanted {
            return Some(value);
        }
        at += header.get(at..)?.iter().position(|&c| c == b';')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        assert_eq!(Content::parse(b"application/json; charset=utf-8", b""), Some(Content::Json));
        assert_eq!(Content::parse(b"Application/Problem+JSON", b""), Some(Content::Json));
        assert_eq!(Content::parse(b"text/event-stream", b""), Some(Content::EventStream));
        assert_eq!(Content::parse(b"text/plain", b"{"), Some(Content::Text));
        assert_eq!(Content::parse(b"application/yaml", b""), Some(Content::Text));
        assert_eq!(Content::parse(b"application/x-ndjson", b""), Some(Content::JsonLines));
        assert_eq!(Content::parse(b"text/jsonl", b""), Some(Content::JsonLines));
        assert_eq!(Content::parse(b"application/x-www-form-urlencoded", b""), Some(Content::Form));
        assert_eq!(Content::parse(b"multipart/form-data; boundary=x", b""), Some(Content::Multipart));
        assert_eq!(Content::parse(b"", b" {\"a\":1}"), Some(Content::Json));
        assert_eq!(Content::parse(b"application/octet-stream", b""), None);
    }

    #[test]
    fn charsets_that_hide_ascii_are_refused() {
        assert_eq!(Content::parse(b"application/json; charset=UTF-16", b""), None);
        assert_eq!(Content::parse(b"text/plain;charset=\"utf-7\"", b""), None);
        assert_eq!(Content::parse(b"text/plain;charset=IBM037", b""), None);
        assert_eq!(Content::parse(b"text/plain; charset=EUC-KR", b""), Some(Content::Text));
        assert_eq!(Content::parse(b"text/plain; charset = \"ISO-8859-1\"; x=y", b""), Some(Content::Text));
    }

    #[test]
    fn bodies_that_hide_their_text_are_refused() {
        let utf_16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Content::Json.check(&utf_16), Err(Error::UnsupportedContent));
        assert_eq!(Content::Json.check(&[b"\xff\xfe", utf_16.as_slice()].concat()), Err(Error::UnsupportedContent));
        assert_eq!(Content::Text.check(&utf_16), Err(Error::UnsupportedContent));
        assert_eq!(Content::Text.check("가\0".as_bytes()), Ok(()));
        for packed in [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], b"x\x9c\xcbLQ\xc8\xd4\x05", b"(\xb5/\xfd\x04\0"] {
            assert!(Content::Text.is_disguise(packed));
        }
        assert!(!Content::Text.is_disguise(b"caf\xe9 \x1b[31m\x07"));
        for wide in [b"i\0-\x000\0a\0b\0".as_slice(), b"i\0\0\0-\0\0\x000\0\0\0a\0\0\0b\0\0\0"] {
            assert_eq!(Content::Text.check(wide), Err(Error::UnsupportedContent));
        }
        assert_eq!(Content::Json.check(b"\x1f\x8b\x08"), Err(Error::InvalidBody { offset: 0 }));
        for fine in [&b""[..], b" \n", b"\xef\xbb\xbf {}", b"\"a\"", b"-1", b"null"] {
            assert_eq!(Content::Json.check(fine), Ok(()));
        }
    }

    #[test]
    fn parameters() {
        let value = |header: &'static str, name| parameter(header.as_bytes(), name).and_then(|range| header.get(range));
        assert_eq!(value("multipart/form-data; boundary=abc", "boundary"), Some("abc"));
        assert_eq!(value("m; a=\"x;y\\\"z\"; Boundary = \"q r\" ", "boundary"), Some("q r"));
        assert_eq!(value("m; a=\"x;y\\\"z\"; Boundary=\"q r\" ", "boundary"), Some("q r"));
        assert_eq!(value("m; a=\"x;y\\\"z\"", "a"), Some("x;y\\\"z"));
        assert_eq!(value("m; flag; a=1 ;b=2", "a"), Some("1"));
        assert_eq!(value("m; flag; a=1 ;b=2", "b"), Some("2"));
        assert_eq!(value("m", "b"), None);
        assert_eq!(value("m; a=\"open", "a"), Some("open"));
    }
}
