//! Reading inputs of any size: whole where they are small enough, else in windows that cut no identifier.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use aws_masker_core::Error;
use aws_masker_core::wire::Content;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// An input up to this size is read whole, as the gateway reads a request; a longer one is read as text, in windows.
pub(crate) const DOCUMENT: usize = 32 << 20;
/// How much of a longer text is looked at at a time, and how much before and after it is seen.
const SIZES: Sizes = Sizes { block: 4 << 20, context: 64 << 10 };
/// Inputs of this size and more show their progress.
const PROGRESS_FROM: u64 = 64 << 20;
/// How compressed files begin. In them nothing would be found.
const COMPRESSED: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
];

/// How an input is read.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputKind {
    /// JSON or JSON lines if it is that and not over 32 MiB, else text
    Auto,
    /// Text, whatever it holds
    Text,
    /// One JSON document up to 32 MiB; what the LLM APIs forbid to change stays
    Json,
}

impl InputKind {
    /// What a whole input may be, likeliest first.
    fn contents(self, bytes: &[u8]) -> &'static [Content] {
        let looks_like_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        match self {
            Self::Json => &[Content::Json],
            Self::Auto if looks_like_json => &[Content::Json, Content::JsonLines, Content::Text],
            Self::Auto | Self::Text => &[Content::Text],
        }
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    block: usize,
    context: usize,
}

/// A file, or standard input.
pub(crate) struct Input {
    path: PathBuf,
    reader: Box<dyn Read>,
    progress: ProgressBar,
}

/// A stretch of input.
pub(crate) struct Block<'a> {
    /// The stretch, and what is seen around it.
    pub(crate) bytes: &'a [u8],
    /// The stretch in `bytes`. What begins in it is its own.
    pub(crate) core: Range<usize>,
    /// Offset of `bytes` in the input.
    pub(crate) start: usize,
    pub(crate) content: Content,
}

impl Input {
    /// Opens a file; `-` and nothing are standard input.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            let path = PathBuf::from("standard input");
            return Ok(Self { path, reader: Box::new(io::stdin()), progress: ProgressBar::hidden() });
        };
        let fail = |error| Failure::File(path.to_path_buf(), error);
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            let what = "is a directory; name files instead, for example with `find DIRECTORY -type f`";
            return Err(Failure::Content(path.to_path_buf(), what.into()));
        }
        let size = metadata.len();
        let progress = if size >= PROGRESS_FROM && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
            ProgressBar::new(size).with_style(style.unwrap_or(ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Ok(Self { path: path.to_path_buf(), reader: Box::new(file), progress })
    }

    /// The bar that has to be [suspended](ProgressBar::suspend) while something is printed.
    pub(crate) fn progress(&self) -> ProgressBar {
        self.progress.clone()
    }

    /// Appends `limit` bytes to `buffer`; false at the end of the input.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<bool, Failure> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(limit).read_to_end(buffer);
        let read = read.map_err(|error| Failure::File(self.path.clone(), error))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.progress.inc(read);
        Ok(read == limit)
    }

    /// Appends what is there, up to `limit` bytes, to `buffer`; false at the end of the input.
    pub(crate) fn read_some(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<bool, Failure> {
        let start = buffer.len();
        buffer.resize(start + limit, 0);
        let read = loop {
            match self.reader.read(&mut buffer[start..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| Failure::File(self.path.clone(), error)),
            }
        }?;
        buffer.truncate(start + read);
        self.progress.inc(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read > 0)
    }

    /// Hands the input to `each`, which gives the offset in `bytes` up to which it took them: the end of `core`, or
    /// more.
    pub(crate) fn blocks(
        mut self,
        kind: InputKind,
        mut each: impl FnMut(&Block<'_>) -> Result<usize, Failure>,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let more = self.read(&mut bytes, DOCUMENT + 1)?;
        if let Some((_, name)) = COMPRESSED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(self.unusable(&format!("is compressed ({name}); decompress it first")));
        }
        if more && kind == InputKind::Json {
            return Err(self.unusable("is over 32 MiB, too large for one JSON document; use --input text"));
        }
        let result =
            if more { self.windows(SIZES, bytes, more, &mut each) } else { whole(kind, &bytes, &mut each).map(drop) };
        result.map_err(|failure| match failure {
            Failure::Block(error) => self.unusable(&advice(&error)),
            other => other,
        })
    }

    fn windows(
        &mut self,
        sizes: Sizes,
        mut bytes: Vec<u8>,
        mut more: bool,
        each: &mut impl FnMut(&Block<'_>) -> Result<usize, Failure>,
    ) -> Result<(), Failure> {
        let mut offset = 0;
        let mut done = 0;
        while more || done < bytes.len() {
            if more && bytes.len() - done < sizes.block + sizes.context {
                let gone = done.saturating_sub(sizes.context);
                bytes.drain(..gone);
                (offset, done) = (offset + gone, done - gone);
                more = self.read(&mut bytes, sizes.block + sizes.context)?;
                continue;
            }
            let from = done.saturating_sub(sizes.context);
            let end = bytes.len().min(done + sizes.block);
            let to = bytes.len().min(end + sizes.context);
            let core = done - from..end - from;
            done = from + each(&Block { bytes: &bytes[from..to], core, start: offset + from, content: Content::Text })?;
        }
        Ok(())
    }

    /// A failure that concerns this input.
    pub(crate) fn unusable(&self, what: &str) -> Failure {
        Failure::Content(self.path.clone(), what.into())
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// Hands the whole input over as the first content that it turns out to be.
fn whole(
    kind: InputKind,
    bytes: &[u8],
    each: &mut impl FnMut(&Block<'_>) -> Result<usize, Failure>,
) -> Result<usize, Failure> {
    let mut block = Block { bytes, core: 0..bytes.len(), start: 0, content: Content::Text };
    let (last, others) = kind.contents(bytes).split_last().unwrap_or((&Content::Text, &[]));
    for content in others {
        block.content = *content;
        match each(&block) {
            Err(Failure::Block(Error::InvalidBody { .. })) => {}
            result => return result,
        }
    }
    block.content = *last;
    each(&block)
}

/// What to do about an input that the core cannot read.
fn advice(error: &Error) -> String {
    match error {
        Error::InvalidBody { offset } => format!("is not JSON (at byte {offset}); use --input auto or --input text"),
        Error::UnsupportedContent => "is in UTF-16 or UTF-32; convert it to UTF-8 first, for example with iconv".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(bytes: &'static [u8]) -> Input {
        Input { path: "test".into(), reader: Box::new(bytes), progress: ProgressBar::hidden() }
    }

    #[test]
    fn windows_hand_over_every_byte_once_and_show_what_is_around() {
        let text: &'static [u8] = Vec::leak((0..=255u8).cycle().take(1000).collect());
        for block in [1, 2, 7, 64, 333, 999, 1000, 4000] {
            for context in [0, 1, 5, 100, 2000] {
                for taken_more in [0, 1, 4] {
                    let mut seen = Vec::new();
                    let sizes = Sizes { block, context };
                    let mut each = |block: &Block<'_>| {
                        assert_eq!(block.start + block.core.start, seen.len());
                        assert_eq!(block.bytes, &text[block.start..][..block.bytes.len()]);
                        assert!(block.core.start == context || block.start == 0);
                        let after = block.bytes.len() - block.core.end;
                        assert!(after == context || block.start + block.bytes.len() == text.len());
                        let end = block.bytes.len().min(block.core.end + taken_more);
                        seen.extend_from_slice(&block.bytes[block.core.start..end]);
                        Ok(end)
                    };
                    input(text).windows(sizes, Vec::new(), true, &mut each).unwrap();
                    assert_eq!(seen, text);
                }
            }
        }
    }

    #[test]
    fn an_input_is_what_it_turns_out_to_be() {
        let mut tried = Vec::new();
        let mut each = |block: &Block<'_>| {
            tried.push(block.content);
            if block.content == Content::Json { Err(Error::InvalidBody { offset: 0 }.into()) } else { Ok(1) }
        };
        whole(InputKind::Auto, b" [1] x", &mut each).unwrap();
        assert_eq!(tried, [Content::Json, Content::JsonLines]);
    }
}
