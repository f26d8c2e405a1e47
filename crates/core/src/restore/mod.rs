//! Turning tokens back into originals while an answer streams.

mod binary;
mod event;
mod frames;
mod framing;
mod inflate;
mod json;
mod list;
mod matcher;
mod repeat;
mod sse;
mod text;
mod unresolved;

use crate::Result;
use crate::session::TokenIndex;
use crate::wire::{Content, ContentCoding, essence, is_generic_type};

use binary::BinaryAnswer;
use inflate::Inflater;
use json::JsonAnswer;
use list::ListAnswer;
use sse::SseAnswer;
use text::TextAnswer;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An answer on its way to the client. What it holds back is never longer than one event or one token.
#[derive(Debug)]
pub(crate) struct Answer {
    inflater: Option<Inflater>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Its type says nothing, or what gateways in between call everything; the first bytes will say more. Kept of them is
    /// what could begin a stream of events, and does not tell yet.
    Unknown(Option<Content>, Vec<u8>),
    Json(JsonAnswer),
    List(Box<ListAnswer>),
    EventStream(SseAnswer),
    Binary(Box<BinaryAnswer>),
    Text(TextAnswer),
}

impl Answer {
    /// An answer with these headers; `None` when its bytes cannot be read here.
    pub(crate) fn open(content_type: &[u8], content_encoding: &[u8]) -> Option<Self> {
        let inflater = match ContentCoding::parse(content_encoding)? {
            ContentCoding::Identity => None,
            coding => Some(Inflater::new(coding)),
        };
        if essence(content_type).eq_ignore_ascii_case(binary::TYPE) {
            return Some(Self { inflater, body: Body::Binary(Box::default()) });
        }
        let declared = if is_generic_type(content_type) { None } else { Some(Content::parse(content_type, b"")?) };
        let body = match declared {
            None | Some(Content::Json | Content::Text) => Body::Unknown(declared, Vec::new()),
            Some(content) => Body::of(content),
        };
        Some(Self { inflater, body })
    }

    /// Appends to `out` what may leave after `chunk`; with `last` everything.
    ///
    /// # Errors
    /// [`crate::Error::InvalidCoding`] when the bytes are not coded as the headers said.
    pub(crate) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.inflater {
            Some(inflater) => {
                inflater.push(chunk, last, |plain| self.body.push(tokens, plain, false, out))?;
                if last {
                    self.body.push(tokens, b"", true, out);
                }
            }
            None => self.body.push(tokens, chunk, last, out),
        }
        Ok(())
    }

    /// Appends to `out` what is held, though the answer did not end.
    pub(crate) fn release(&mut self, tokens: &TokenIndex, out: &mut Vec<u8>) {
        self.body.push(tokens, b"", true, out);
    }

    /// Bytes kept of what came.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.body {
            Body::Unknown(_, beginning) => beginning.len(),
            Body::Json(answer) => answer.held_bytes(),
            Body::List(answer) => answer.held_bytes(),
            Body::Binary(answer) => answer.held_bytes(),
            Body::EventStream(answer) => answer.held_bytes(),
            Body::Text(answer) => answer.held_bytes(),
        }
    }

    /// Tokens turned back so far.
    pub(crate) fn restored(&self) -> u64 {
        match &self.body {
            Body::Unknown(..) => 0,
            Body::Json(answer) => answer.restored(),
            Body::List(answer) => answer.restored(),
            Body::Binary(answer) => answer.restored(),
            Body::EventStream(answer) => answer.restored(),
            Body::Text(answer) => answer.restored(),
        }
    }
}

impl Body {
    fn of(content: Content) -> Self {
        match content {
            Content::Json => Self::Json(JsonAnswer::default()),
            Content::JsonLines => Self::List(Box::new(ListAnswer::of_lines())),
            Content::EventStream => Self::EventStream(SseAnswer::default()),
            Content::Text | Content::Form | Content::Multipart => Self::Text(TextAnswer::default()),
        }
    }

    fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        let kept;
        let mut chunk = chunk;
        if let Self::Unknown(declared, beginning) = self {
            if beginning.is_empty() {
                // A byte order mark says nothing, and may come byte by byte.
                let says_nothing = |c: &&u8| c.is_ascii_whitespace() || BYTE_ORDER_MARK.contains(c);
                let (nothing, rest) = chunk.split_at(chunk.iter().take_while(says_nothing).count());
                out.extend_from_slice(nothing);
                chunk = rest;
            } else {
                beginning.extend_from_slice(chunk);
                kept = std::mem::take(beginning);
                chunk = &kept;
            }
            if chunk.is_empty() {
                return;
            }
            let content = match framing::begins_like_events(chunk) {
                None if !last => {
                    *beginning = chunk.to_vec();
                    return;
                }
                Some(true) => Content::EventStream,
                _ => declared.unwrap_or_else(|| Content::sniff(chunk)),
            };
            // Numbers and words of JSON hold no token; pages of errors may.
            let is_text = content == Content::Json && !begins_like_json(chunk);
            *self = if content == Content::Json && chunk.starts_with(b"[") {
                Self::List(Box::default())
            } else {
                Self::of(if is_text { Content::Text } else { content })
            };
        }
        match self {
            Self::Unknown(..) => {}
            Self::Json(answer) => answer.push(tokens, chunk, last, out),
            Self::List(answer) => answer.push(tokens, chunk, last, out),
            Self::Binary(answer) => answer.push(tokens, chunk, last, out),
            Self::EventStream(answer) => answer.push(tokens, chunk, last, out),
            Self::Text(answer) => answer.push(tokens, chunk, last, out),
        }
    }
}

/// True for the beginning of a document that has strings.
fn begins_like_json(document: &[u8]) -> bool {
    // Some lines of JSON begin with a record separator.
    document.first().is_some_and(|first| matches!(first, b'{' | b'[' | b'"' | 0x1e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_call_themselves_something_else_are_known_in_any_pieces() {
        let mut tokens = TokenIndex::default();
        assert!(tokens.learn(b"EC2_AAAAAAAA", b"i-0f3a9c27be41d8056"));
        let event =
            |text: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
        for begin in ["", ": ping\n\n", "event: x\nid: 1\n"] {
            let stream = [begin, &event("see EC2_AAA"), &event("AAAAA."), "data: [DONE]\n\n"].concat();
            for content_type in ["application/json", "text/plain", ""] {
                for size in [1, 2, 3, 7, 100, stream.len()] {
                    let mut answer = Answer::open(content_type.as_bytes(), b"").unwrap();
                    let mut out = Vec::new();
                    for chunk in stream.as_bytes().chunks(size) {
                        answer.push(&tokens, chunk, false, &mut out).unwrap();
                    }
                    answer.push(&tokens, b"", true, &mut out).unwrap();
                    let out = String::from_utf8(out).unwrap();
                    assert!(out.contains("i-0f3a9c27be41d8056."), "{content_type} {size}: {out}");
                }
            }
        }
        let text = ["id: 1\nname: x\n", &event("see EC2_AAAAAAAA")].concat();
        for size in [1, 5, 20, text.len()] {
            let mut answer = Answer::open(b"text/plain", b"").unwrap();
            let mut out = Vec::new();
            text.as_bytes().chunks(size).for_each(|chunk| answer.push(&tokens, chunk, false, &mut out).unwrap());
            answer.push(&tokens, b"", true, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text.replace("EC2_AAAAAAAA", "i-0f3a9c27be41d8056"), "{size}");
        }
        for (text, leaves) in [("i", false), ("id: x", false), ("id: x\nname: y", true), ("ideas: x", true)] {
            let mut answer = Answer::open(b"text/plain", b"").unwrap();
            let mut out = Vec::new();
            answer.push(&tokens, text.as_bytes(), false, &mut out).unwrap();
            assert_eq!(out.is_empty(), !leaves, "{text}");
        }
        for text in ["data", "i", "ev", "retry", "data: ", "id: x", "data: EC2_AAAAAAAA"] {
            let mut answer = Answer::open(b"text/plain", b"").unwrap();
            let mut out = Vec::new();
            answer.push(&tokens, text.as_bytes(), true, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text.replace("EC2_AAAAAAAA", "i-0f3a9c27be41d8056"));
        }
    }
}
