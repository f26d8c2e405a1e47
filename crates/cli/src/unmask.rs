//! `aws-masker unmask`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use clap::ValueEnum;
use serde::de::IgnoredAny;

use crate::failure::Failure;
use crate::input::{DOCUMENT, Input};
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
    fn content_type(self) -> Option<&'static [u8]> {
        match self {
            Self::Auto => None,
            Self::Json => Some(b"application/json"),
            Self::Sse => Some(b"text/event-stream"),
            Self::Text => Some(b"text/plain"),
        }
    }
}

/// What an input is that begins with `head`; `None` when more has to be seen.
///
/// JSON is restored as such only if it is JSON to its end: the originals in a log that begins with a bracket are not
/// to be escaped.
fn sniff(head: &[u8], more: bool) -> Option<&'static [u8]> {
    let is_over = !more || head.len() > DOCUMENT;
    match head.trim_ascii_start() {
        [] if more => None,
        [b'{' | b'[', ..] if !is_over => None,
        [b'{' | b'[', ..] if more || is_json(head) => Some(b"application/json"),
        start if start.starts_with(b"event:") || start.starts_with(b"data:") || start.starts_with(b":") => {
            sniff_event(start, is_over)
        }
        start if !is_over && (b"event:".starts_with(start) || b"data:".starts_with(start)) => None,
        _ => Some(b"text/plain"),
    }
}

/// Tells events from other text with such lines, YAML for example: their data is JSON.
fn sniff_event(head: &[u8], is_over: bool) -> Option<&'static [u8]> {
    let mut lines = head.split(|&c| c == b'\n').peekable();
    while let Some(line) = lines.next() {
        let is_whole = is_over || lines.peek().is_some();
        if let Some(data) = line.strip_prefix(b"data:") {
            return match data.trim_ascii_start() {
                [b'{', ..] => Some(b"text/event-stream"),
                start if start.starts_with(b"[DONE]") => Some(b"text/event-stream"),
                _ if is_whole => Some(b"text/plain"),
                _ => None,
            };
        }
        let is_field = line.trim_ascii().is_empty()
            || [&b"event:"[..], b"id:", b"retry:", b":"].iter().any(|name| line.starts_with(name));
        if is_whole && !is_field {
            return Some(b"text/plain");
        }
    }
    is_over.then_some(b"text/plain")
}

/// True for one JSON document, or one after the other.
fn is_json(text: &[u8]) -> bool {
    serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>().all(|document| document.is_ok())
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let usage = |error: aws_masker_core::Error| Failure::Usage(error.to_string());
    let detector = Arc::new(Detector::new(&DetectorConfig::default()).map_err(usage)?);
    // Nothing is masked here, so no key is ever used.
    let key = TokenKey::new(&[0; 32]).map_err(usage)?;
    let mut session = Session::new(detector, key.scope(b""), SessionOptions::default());
    mapping::read(&args.mapping, &mut session)?;
    let mut input = Input::open(args.file.as_deref())?;
    let progress = input.progress();
    let mut out = std::io::stdout().lock();
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut more = true;
    let content_type = loop {
        match args.format.content_type().or_else(|| sniff(&chunk, more)) {
            Some(content_type) => break content_type,
            None => more = input.read_some(&mut chunk, CHUNK)?,
        }
    };
    let changes = session.open_answer(content_type, b"");
    let mut restored = Vec::with_capacity(CHUNK);
    loop {
        restored.clear();
        if changes {
            session.restore(&chunk, !more, &mut restored).map_err(usage)?;
        } else {
            restored.append(&mut chunk);
        }
        progress.suspend(|| out.write_all(&restored).and_then(|()| out.flush()))?;
        if !more {
            return Ok(ExitCode::SUCCESS);
        }
        chunk.clear();
        more = input.read_some(&mut chunk, CHUNK)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_apart() {
        let json: Option<&[u8]> = Some(b"application/json");
        let events: Option<&[u8]> = Some(b"text/event-stream");
        let text: Option<&[u8]> = Some(b"text/plain");
        for (head, unfinished, finished) in [
            ("", None, text),
            ("\n ", None, text),
            ("plain", text, text),
            ("{\"a\":", None, text),
            ("{\"a\":1}", None, json),
            ("{\"a\":1}\n[2]\n", None, json),
            ("[2026-11-25] started", None, text),
            ("ev", None, text),
            ("event: message_start\n", None, text),
            ("event: message_start\ndata: {", events, events),
            (": ping\n\ndata:{\"a\"", events, events),
            ("data: [DONE]\n\n", events, events),
            ("data:", None, text),
            ("data:\n  bucket: b\n", text, text),
            ("event: rollout\nname: x\n", text, text),
        ] {
            assert_eq!(sniff(head.as_bytes(), true), unfinished, "{head:?}");
            assert_eq!(sniff(head.as_bytes(), false), finished, "{head:?}");
        }
    }
}
