//! Content types and codings.

/// What a body is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// One JSON document.
    Json,
    /// Server-sent events.
    EventStream,
    /// Plain text of any kind.
    Text,
}

impl Content {
    /// Reads a `Content-Type` value; `None` for types that cannot be masked.
    ///
    /// Parameters are ignored. An empty value is judged by the first byte of the body.
    pub fn parse(content_type: &[u8], body: &[u8]) -> Option<Self> {
        let essence = content_type.split(|&c| c == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        match essence.as_slice() {
            b"" => Some(Self::sniff(body)),
            b"application/json" | b"text/json" => Some(Self::Json),
            b"text/event-stream" => Some(Self::EventStream),
            other if other.ends_with(b"+json") => Some(Self::Json),
            other if other.starts_with(b"text/") => Some(Self::Text),
            _ => None,
        }
    }

    fn sniff(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Text,
        }
    }
}

/// `Content-Encoding` of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentCoding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or bare RFC 1951 as some servers send it.
    Deflate,
}

impl ContentCoding {
    /// Reads a `Content-Encoding` value; `None` for codings that cannot be read here.
    pub fn parse(value: &[u8]) -> Option<Self> {
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(Self::Identity),
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            b"deflate" => Some(Self::Deflate),
            _ => None,
        }
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
        assert_eq!(Content::parse(b"", b" {\"a\":1}"), Some(Content::Json));
        assert_eq!(Content::parse(b"application/octet-stream", b""), None);
        assert_eq!(ContentCoding::parse(b"GZIP"), Some(ContentCoding::Gzip));
        assert_eq!(ContentCoding::parse(b"br"), None);
    }
}
