//! `aws-masker unmask`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use clap::ValueEnum;

use crate::failure::Failure;
use crate::input::Input;
use crate::mapping;

/// Bytes restored at a time.
const CHUNK: usize = 64 << 10;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `mask --mapping` wrote
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// What the input is: it decides how originals are escaped
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// File to read; none or - is standard input
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON or server-sent events if it looks like it, else text
    Auto,
    /// One JSON document
    Json,
    /// Server-sent events
    Sse,
    /// Text
    Text,
}

impl Format {
    fn content_type(self, head: &[u8]) -> &'static [u8] {
        match self {
            Self::Json => b"application/json",
            Self::Sse => b"text/event-stream",
            Self::Text => b"text/plain",
            Self::Auto => match head.trim_ascii_start() {
                [b'{' | b'[', ..] => b"application/json",
                head if head.starts_with(b"event:") || head.starts_with(b"data:") => b"text/event-stream",
                _ => b"text/plain",
            },
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let usage = |error: aws_masker_core::Error| Failure::Usage(error.to_string());
    let detector = Arc::new(Detector::new(&DetectorConfig::default()).map_err(usage)?);
    // Nothing is masked here, so no key is ever used.
    let key = TokenKey::new(&[0; 32]).map_err(usage)?;
    let mut session = Session::new(detector, key.scope(b""), SessionOptions::default());
    mapping::read(&args.mapping, &mut session)?;
    let mut input = Input::open(args.file.as_deref())?;
    let mut out = std::io::stdout().lock();
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut more = input.read(&mut chunk, CHUNK)?;
    let changes = session.open_answer(args.format.content_type(&chunk), b"");
    let mut restored = Vec::with_capacity(CHUNK);
    loop {
        if changes {
            restored.clear();
            session.restore(&chunk, !more, &mut restored).map_err(usage)?;
            out.write_all(&restored)?;
        } else {
            out.write_all(&chunk)?;
        }
        if !more {
            out.flush()?;
            return Ok(ExitCode::SUCCESS);
        }
        chunk.clear();
        more = input.read(&mut chunk, CHUNK)?;
    }
}
