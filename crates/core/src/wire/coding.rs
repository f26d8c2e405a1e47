//! Content codings: bodies that came compressed.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::{Error, Result};

/// `Content-Encoding` of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentCoding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or bare RFC 1951 as some send it.
    Deflate,
}

impl ContentCoding {
    /// Reads a `Content-Encoding` value; `None` for codings that cannot be read here, and for more than one.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut coding = Self::Identity;
        for name in value.split(|&c| c == b',') {
            let named = match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Self::Gzip,
                b"deflate" => Self::Deflate,
                _ => return None,
            };
            if coding != Self::Identity {
                return None;
            }
            coding = named;
        }
        Some(coding)
    }

    /// Whether a deflated body has the frame of RFC 1950: method 8, and both bytes together a multiple of 31.
    pub(crate) fn has_zlib_header(body: &[u8]) -> bool {
        matches!(body, [cmf, flags, ..] if cmf & 15 == 8 && (u16::from(*cmf) * 256 + u16::from(*flags)) % 31 == 0)
    }

    /// The whole `body` without this coding.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`] when it would have more than `max_bytes`; nothing beyond that is kept in memory.
    /// [`Error::InvalidCoding`] when it is not coded so, or not to its end.
    pub fn inflate(self, body: &[u8], max_bytes: usize) -> Result<Vec<u8>> {
        match self {
            Self::Identity => read(body, max_bytes).map(|(plain, _)| plain),
            // Whatever follows the last member is taken for one more, and fails.
            Self::Gzip => read(MultiGzDecoder::new(body), max_bytes).map(|(plain, _)| plain),
            Self::Deflate if Self::has_zlib_header(body) => {
                let (plain, decoder) = read(ZlibDecoder::new(body), max_bytes)?;
                whole(plain, decoder.into_inner())
            }
            Self::Deflate => {
                let (plain, decoder) = read(DeflateDecoder::new(body), max_bytes)?;
                whole(plain, decoder.into_inner())
            }
        }
    }
}

/// Bytes behind the end would leave unseen.
fn whole(plain: Vec<u8>, rest: &[u8]) -> Result<Vec<u8>> {
    if rest.is_empty() { Ok(plain) } else { Err(Error::InvalidCoding) }
}

fn read<R: Read>(coded: R, max_bytes: usize) -> Result<(Vec<u8>, R)> {
    let mut plain = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut limited = coded.take(limit);
    limited.read_to_end(&mut plain).map_err(|_| Error::InvalidCoding)?;
    if plain.len() > max_bytes { Err(Error::BodyTooLarge) } else { Ok((plain, limited.into_inner())) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"a text of some length, a text of some length";

    fn coded() -> [(ContentCoding, Vec<u8>); 3] {
        let level = Compression::fast();
        let (mut gzip, mut zlib, mut raw) = (
            GzEncoder::new(Vec::new(), level),
            ZlibEncoder::new(Vec::new(), level),
            DeflateEncoder::new(Vec::new(), level),
        );
        gzip.write_all(TEXT).unwrap();
        zlib.write_all(TEXT).unwrap();
        raw.write_all(TEXT).unwrap();
        [
            (ContentCoding::Gzip, gzip.finish().unwrap()),
            (ContentCoding::Deflate, zlib.finish().unwrap()),
            (ContentCoding::Deflate, raw.finish().unwrap()),
        ]
    }

    #[test]
    fn names() {
        assert_eq!(ContentCoding::parse(b"GZIP"), Some(ContentCoding::Gzip));
        assert_eq!(ContentCoding::parse(b" identity "), Some(ContentCoding::Identity));
        assert_eq!(ContentCoding::parse(b"gzip, identity"), Some(ContentCoding::Gzip));
        assert_eq!(ContentCoding::parse(b"Identity,, Deflate"), Some(ContentCoding::Deflate));
        assert_eq!(ContentCoding::parse(b"gzip, br"), None);
        assert_eq!(ContentCoding::parse(b"br"), None);
        assert_eq!(ContentCoding::parse(b"gzip, gzip"), None);
    }

    #[test]
    fn bodies_are_inflated_within_the_limit() {
        for (coding, bytes) in coded() {
            assert_eq!(coding.inflate(&bytes, TEXT.len()).unwrap(), TEXT);
            assert_eq!(coding.inflate(&bytes, TEXT.len() - 1), Err(Error::BodyTooLarge));
        }
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![0; 50_000_000]).unwrap();
        assert_eq!(ContentCoding::Gzip.inflate(&bomb.finish().unwrap(), 1_000_000), Err(Error::BodyTooLarge));
    }

    #[test]
    fn nothing_is_hidden_behind_or_in_broken_bodies() {
        for (coding, bytes) in coded() {
            let longer = [bytes.as_slice(), b"i-0123456789abcdef0"].concat();
            assert_eq!(coding.inflate(&longer, 1000), Err(Error::InvalidCoding));
            assert_eq!(coding.inflate(&bytes[..bytes.len() - 1], 1000), Err(Error::InvalidCoding));
            assert_eq!(coding.inflate(b"not coded at all", 1000), Err(Error::InvalidCoding));
        }
        let twice = [coded()[0].1.as_slice(), &coded()[0].1].concat();
        assert_eq!(ContentCoding::Gzip.inflate(&twice, 1000).unwrap(), [TEXT, TEXT].concat());
    }
}
