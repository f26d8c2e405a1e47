//! Reading inputs of any size, in blocks that cut no identifier.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use aws_masker_core::detect::DetectorConfig;
use aws_masker_core::wire::Content;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// Text is read in blocks of this size.
const BLOCK: usize = 4 << 20;
/// JSON up to this size is read as one document; more is read as text.
const MAX_DOCUMENT: usize = 64 << 20;
/// How far from its end a block may be cut so that a private key stays whole.
const MAX_PEM: usize = 16 << 10;
/// Inputs of this size and more show their progress.
const PROGRESS_FROM: u64 = 64 << 20;

/// How an input is read.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputKind {
    /// JSON if it looks like it and is not too large, else text
    Auto,
    /// Text, whatever it holds
    Text,
    /// One JSON document; what the LLM APIs forbid to change stays
    Json,
}

/// A file, or standard input.
pub(crate) struct Input {
    path: PathBuf,
    reader: Box<dyn Read>,
    progress: ProgressBar,
}

/// A stretch of input that can be looked at on its own.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Offset of the block in the input.
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
        let size = file.metadata().map_err(fail)?.len();
        let progress = if size >= PROGRESS_FROM && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
            ProgressBar::new(size).with_style(style.unwrap_or(ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Ok(Self { path: path.to_path_buf(), reader: Box::new(file), progress })
    }

    /// Appends up to `limit` bytes to `buffer`; false at the end of the input.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<bool, Failure> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(limit).read_to_end(buffer);
        let read = read.map_err(|error| Failure::File(self.path.clone(), error))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.progress.inc(read);
        Ok(read == limit)
    }

    /// Hands the input to `each`, block by block.
    pub(crate) fn blocks(
        mut self,
        kind: InputKind,
        mut each: impl FnMut(&Path, Block) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let limit = if kind == InputKind::Text { BLOCK } else { MAX_DOCUMENT + 1 };
        let mut more = self.read(&mut bytes, limit)?;
        if kind == InputKind::Json && more {
            return Err(self.unusable("is too large for one JSON document; use --input text"));
        }
        let looks_like_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        if kind == InputKind::Json || kind == InputKind::Auto && looks_like_json && !more {
            let block = Block { bytes, start: 0, content: Content::Json };
            return each(&self.path, block);
        }
        let mut start = 0;
        loop {
            let end = if more { cut(&bytes) } else { bytes.len() };
            let rest = bytes.split_off(end);
            let taken = bytes.len();
            each(&self.path, Block { bytes, start, content: Content::Text })?;
            start += taken;
            bytes = rest;
            if !more && bytes.is_empty() {
                return Ok(());
            }
            if more {
                more = self.read(&mut bytes, BLOCK)?;
            }
        }
    }

    /// A failure that concerns this input.
    pub(crate) fn unusable(&self, what: &str) -> Failure {
        Failure::Content(self.path.clone(), what.into())
    }
}

/// Where a block of text ends: after a line, and not inside a private key.
fn cut(bytes: &[u8]) -> usize {
    let end = memchr::memrchr(b'\n', bytes)
        .or_else(|| bytes.iter().rposition(u8::is_ascii_whitespace))
        .map_or(bytes.len(), |at| at + 1);
    let tail = end.saturating_sub(MAX_PEM);
    match memchr::memmem::rfind(&bytes[tail..end], b"-----BEGIN ") {
        Some(begin) if memchr::memmem::find(&bytes[tail + begin..end], b"-----END ").is_none() && tail + begin > 0 => {
            tail + begin
        }
        _ => end,
    }
}

/// Reads the detection part of a plugin configuration, in JSON or YAML; other fields are ignored.
pub(crate) fn config(path: Option<&Path>) -> Result<DetectorConfig, Failure> {
    let Some(path) = path else { return Ok(DetectorConfig::default()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::File(path.to_path_buf(), error))?;
    // JSON is YAML.
    serde_norway::from_str(&text).map_err(|error| Failure::Content(path.to_path_buf(), error.to_string()))
}
