//! Turning tokens back into originals while an answer streams.

mod event;
mod json;
mod matcher;
mod sse;
mod text;

use crate::session::TokenIndex;
use crate::wire::Content;

use json::JsonAnswer;
use sse::SseAnswer;
use text::TextAnswer;

/// An answer on its way to the client. What it holds back is never longer than one event or one token.
#[derive(Debug)]
pub(crate) enum Answer {
    Json(JsonAnswer),
    EventStream(SseAnswer),
    Text(TextAnswer),
}

impl Answer {
    pub(crate) fn new(content: Content) -> Self {
        match content {
            Content::Json => Self::Json(JsonAnswer::default()),
            Content::EventStream => Self::EventStream(SseAnswer::default()),
            Content::Text => Self::Text(TextAnswer::default()),
        }
    }

    /// Appends to `out` what may leave after `chunk`; with `last` everything.
    pub(crate) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        match self {
            Self::Json(answer) => answer.push(tokens, chunk, last, out),
            Self::EventStream(answer) => answer.push(tokens, chunk, last, out),
            Self::Text(answer) => answer.push(tokens, chunk, last, out),
        }
    }

    /// Tokens turned back so far.
    pub(crate) fn restored(&self) -> u64 {
        match self {
            Self::Json(answer) => answer.restored(),
            Self::EventStream(answer) => answer.restored(),
            Self::Text(answer) => answer.restored(),
        }
    }
}
