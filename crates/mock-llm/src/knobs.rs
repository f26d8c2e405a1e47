//! The request headers that choose the answer and the way it is sent.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};

use crate::json::Json;

const DEFAULT_DELTA_BYTES: usize = 12;
const DEFAULT_LARGE_BYTES: usize = 1024 * 1024;

/// What the answer is (`x-mock-reply`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The echo of the last user message.
    #[default]
    Text,
    /// A short text and a tool call whose arguments hold the echo.
    Tool,
    /// A tool call, and once the last user message holds its result, the echo: what an agent's loop needs to end.
    Agent,
    /// The echo as signed thinking, then as text.
    Thinking,
    /// An error that quotes the prompt.
    Error,
    /// A stream that breaks off with an error event that quotes the prompt.
    ErrorStream,
    /// The echo, repeated up to `x-mock-size` bytes.
    Large,
    /// No body at all.
    Empty,
    /// Half of the echo, then a TCP reset.
    Reset,
    /// The echo as `text/plain`.
    PlainText,
}

impl FromStr for Reply {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "text" => Self::Text,
            "tool" => Self::Tool,
            "agent" => Self::Agent,
            "thinking" => Self::Thinking,
            "error" => Self::Error,
            "error-stream" => Self::ErrorStream,
            "large" => Self::Large,
            "empty" => Self::Empty,
            "reset" => Self::Reset,
            "plain-text" => Self::PlainText,
            _ => return Err(()),
        })
    }
}

/// How the body is compressed (`x-mock-encoding`), whether or not the client accepts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// gzip.
    Gzip,
    /// deflate as RFC 9110 means it: with a zlib frame.
    Deflate,
    /// deflate without the frame, as some servers send it.
    RawDeflate,
    /// Says `br`, but the bytes are not compressed.
    BogusBrotli,
}

impl Encoding {
    /// The value of `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate | Self::RawDeflate => "deflate",
            Self::BogusBrotli => "br",
        }
    }
}

impl FromStr for Encoding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "deflate-raw" => Self::RawDeflate,
            "br-bogus" => Self::BogusBrotli,
            _ => return Err(()),
        })
    }
}

/// All choices of one request.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// `x-mock-reply`
    pub(crate) reply: Reply,
    /// `x-mock-status`: overrides the status of any answer.
    pub(crate) status: Option<StatusCode>,
    /// `x-mock-delta`: bytes of text in each event of a stream.
    pub(crate) delta_bytes: usize,
    /// `x-mock-write`: bytes of the body in each write.
    pub(crate) write_bytes: Option<usize>,
    /// `x-mock-delay-ms`: wait before each delta.
    pub(crate) delay: Duration,
    /// `x-mock-size`: bytes of text in a large answer.
    pub(crate) large_bytes: usize,
    /// `x-mock-encoding`
    pub(crate) encoding: Option<Encoding>,
    /// `x-mock-etag: 1`: send validators and digests of the body.
    pub(crate) etag: bool,
    /// `x-mock-chunked: 1`: no Content-Length.
    pub(crate) chunked: bool,
    /// `x-mock-ascii: 1`: escape characters beyond ASCII in JSON.
    pub(crate) json: Json,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            reply: Reply::default(),
            status: None,
            delta_bytes: DEFAULT_DELTA_BYTES,
            write_bytes: None,
            delay: Duration::ZERO,
            large_bytes: DEFAULT_LARGE_BYTES,
            encoding: None,
            etag: false,
            chunked: false,
            json: Json::default(),
        }
    }
}

impl Knobs {
    /// Reads the `x-mock-*` headers; those that are absent keep their defaults.
    ///
    /// # Errors
    /// The name of the header whose value means nothing.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, &'static str> {
        let default = Self::default();
        Ok(Self {
            reply: value(headers, "x-mock-reply")?.unwrap_or(default.reply),
            status: value(headers, "x-mock-status")?,
            delta_bytes: positive(headers, "x-mock-delta")?.unwrap_or(default.delta_bytes),
            write_bytes: positive(headers, "x-mock-write")?,
            delay: value(headers, "x-mock-delay-ms")?.map_or(default.delay, Duration::from_millis),
            large_bytes: value(headers, "x-mock-size")?.unwrap_or(default.large_bytes),
            encoding: value(headers, "x-mock-encoding")?,
            etag: switch(headers, "x-mock-etag")?,
            chunked: switch(headers, "x-mock-chunked")?,
            json: Json { ascii: switch(headers, "x-mock-ascii")? },
        })
    }
}

/// Whether the request may be recorded: not with `x-mock-record: no`.
pub(crate) fn may_record(headers: &HeaderMap) -> bool {
    headers.get("x-mock-record").is_none_or(|value| value != "no")
}

fn value<T: FromStr>(headers: &HeaderMap, name: &'static str) -> Result<Option<T>, &'static str> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    value.to_str().ok().and_then(|text| text.trim().parse().ok()).map(Some).ok_or(name)
}

fn positive(headers: &HeaderMap, name: &'static str) -> Result<Option<usize>, &'static str> {
    match value(headers, name)? {
        Some(0) => Err(name),
        other => Ok(other),
    }
}

fn switch(headers: &HeaderMap, name: &'static str) -> Result<bool, &'static str> {
    match value::<u8>(headers, name)? {
        None | Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(_) => Err(name),
    }
}
