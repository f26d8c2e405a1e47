//! Answers that come compressed although nobody asked for it.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::wire::ContentCoding;
use crate::{Error, Result};

/// Inflated bytes are handed on in pieces of this size.
const PIECE: usize = 32 * 1024;

/// Inflates as bytes come. Holds the window of its coding and no more; a deflated byte gives 1,032 at the most, which
/// bounds what one chunk can become.
#[derive(Debug)]
pub(super) struct Inflater {
    decoder: Decoder,
    /// Something came.
    began: bool,
}

#[derive(Debug)]
enum Decoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// Deflate with or without the frame of RFC 1950, which the first two bytes tell.
    Undecided(Vec<u8>),
    Deflate {
        state: Box<Decompress>,
        ended: bool,
    },
}

impl Inflater {
    pub(super) fn new(coding: ContentCoding) -> Self {
        let decoder = match coding {
            ContentCoding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            _ => Decoder::Undecided(Vec::new()),
        };
        Self { decoder, began: false }
    }

    /// Hands on what `coded` holds.
    ///
    /// # Errors
    /// [`Error::InvalidCoding`] when it is not coded as was said or, with `last`, breaks off.
    pub(super) fn push(&mut self, coded: &[u8], last: bool, mut each: impl FnMut(&[u8])) -> Result<()> {
        self.began |= !coded.is_empty();
        if let Decoder::Undecided(head) = &mut self.decoder {
            head.extend_from_slice(coded);
            if head.len() < 2 && !last {
                return Ok(());
            }
            let head = std::mem::take(head);
            let state = Box::new(Decompress::new(ContentCoding::has_zlib_header(&head)));
            self.decoder = Decoder::Deflate { state, ended: false };
            return self.advance(&head, last, &mut each);
        }
        self.advance(coded, last, &mut each)
    }

    fn advance(&mut self, coded: &[u8], last: bool, each: &mut impl FnMut(&[u8])) -> Result<()> {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => {
                gunzip(decoder, coded, last && self.began, each).map_err(|_| Error::InvalidCoding)
            }
            Decoder::Deflate { state, ended } => {
                inflate(state, ended, coded, each)?;
                if last && self.began && !*ended { Err(Error::InvalidCoding) } else { Ok(()) }
            }
            Decoder::Undecided(_) => Ok(()),
        }
    }
}

fn gunzip(
    decoder: &mut MultiGzDecoder<Vec<u8>>,
    mut coded: &[u8],
    last: bool,
    each: &mut impl FnMut(&[u8]),
) -> std::io::Result<()> {
    while !coded.is_empty() {
        let taken = decoder.write(coded)?;
        coded = &coded[taken..];
        hand_on(decoder.get_mut(), each);
    }
    if last {
        decoder.try_finish()?
    } else {
        decoder.flush()?
    }
    hand_on(decoder.get_mut(), each);
    Ok(())
}

fn hand_on(plain: &mut Vec<u8>, each: &mut impl FnMut(&[u8])) {
    if !plain.is_empty() {
        each(plain);
        plain.clear();
    }
}

fn inflate(state: &mut Decompress, ended: &mut bool, mut coded: &[u8], each: &mut impl FnMut(&[u8])) -> Result<()> {
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        if *ended {
            return if coded.is_empty() { Ok(()) } else { Err(Error::InvalidCoding) };
        }
        let before = state.total_in();
        let status =
            state.decompress_vec(coded, &mut piece, FlushDecompress::None).map_err(|_| Error::InvalidCoding)?;
        let taken = usize::try_from(state.total_in() - before).unwrap_or(0);
        coded = &coded[taken..];
        *ended = status == Status::StreamEnd;
        let is_stuck = taken == 0 && piece.is_empty() && !*ended;
        // With a full piece more may be waiting inside.
        let is_done = coded.is_empty() && piece.len() < piece.capacity();
        hand_on(&mut piece, each);
        if is_stuck && !coded.is_empty() {
            return Err(Error::InvalidCoding);
        }
        if is_stuck || is_done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn text() -> Vec<u8> {
        (0..40_000u32).flat_map(|i| format!("line {} of many\n", i * i % 977).into_bytes()).collect()
    }

    fn coded(text: &[u8]) -> [(ContentCoding, Vec<u8>); 3] {
        let level = Compression::fast();
        let (mut gzip, mut zlib, mut raw) = (
            GzEncoder::new(Vec::new(), level),
            ZlibEncoder::new(Vec::new(), level),
            DeflateEncoder::new(Vec::new(), level),
        );
        gzip.write_all(text).unwrap();
        zlib.write_all(text).unwrap();
        raw.write_all(text).unwrap();
        [
            (ContentCoding::Gzip, gzip.finish().unwrap()),
            (ContentCoding::Deflate, zlib.finish().unwrap()),
            (ContentCoding::Deflate, raw.finish().unwrap()),
        ]
    }

    fn inflated(coding: ContentCoding, bytes: &[u8], chunk: usize) -> Result<Vec<u8>> {
        let mut inflater = Inflater::new(coding);
        let mut out = Vec::new();
        for piece in bytes.chunks(chunk) {
            inflater.push(piece, false, |plain| out.extend_from_slice(plain))?;
        }
        inflater.push(b"", true, |plain| out.extend_from_slice(plain))?;
        Ok(out)
    }

    #[test]
    fn chunks_of_any_size_give_the_same_text() {
        let text = text();
        for (coding, bytes) in coded(&text) {
            for chunk in [1, 2, 3, 7, 1000, 16_384, bytes.len()] {
                assert!(inflated(coding, &bytes, chunk).as_ref() == Ok(&text), "{coding:?} in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn what_was_flushed_comes_out_at_once() {
        let mut press = GzEncoder::new(Vec::new(), Compression::fast());
        let mut inflater = Inflater::new(ContentCoding::Gzip);
        for event in ["first", "second"] {
            press.write_all(event.as_bytes()).unwrap();
            press.flush().unwrap();
            let mut out = Vec::new();
            inflater.push(&std::mem::take(press.get_mut()), false, |plain| out.extend_from_slice(plain)).unwrap();
            assert_eq!(out, event.as_bytes());
        }
    }

    #[test]
    fn broken_answers_are_noticed() {
        for (coding, bytes) in coded(b"some text that goes on for a while") {
            assert_eq!(inflated(coding, &bytes[..bytes.len() - 1], 5), Err(Error::InvalidCoding));
            assert_eq!(inflated(coding, b"clear text", 5), Err(Error::InvalidCoding));
            assert_eq!(inflated(coding, b"", 5), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_bomb_goes_by_in_pieces() {
        let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![b'x'; 40_000_000]).unwrap();
        let mut inflater = Inflater::new(ContentCoding::Deflate);
        let (mut total, mut largest) = (0, 0);
        inflater
            .push(&bomb.finish().unwrap(), true, |plain| {
                total += plain.len();
                largest = largest.max(plain.len());
            })
            .unwrap();
        assert_eq!(total, 40_000_000);
        assert!(largest <= PIECE);
    }
}
