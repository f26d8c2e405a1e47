//! Streams whose events are framed otherwise than server-sent events: each is handed to [`SseAnswer`] as one, with what
//! its frame needs in a comment before it, and framed anew when it comes out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::sse::SseAnswer;
use crate::session::TokenIndex;

/// An event with what its frame needs.
#[derive(Debug, Default)]
pub(super) struct Framed {
    pub(super) frame: Vec<u8>,
    pub(super) data: Vec<u8>,
}

/// Restores events that are framed otherwise.
#[derive(Debug, Default)]
pub(super) struct Frames {
    events: SseAnswer,
    /// An event on its way in, and those on their way out.
    came: Vec<u8>,
    leaves: Vec<u8>,
}

impl Frames {
    pub(super) fn restored(&self) -> u64 {
        self.events.restored()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.events.held_bytes()
    }

    /// True when an event waits for the next one: it is the first one to leave then.
    pub(super) fn is_waiting(&self) -> bool {
        self.events.is_waiting()
    }

    /// Restores an event, calling `each` with those that may leave.
    pub(super) fn push(&mut self, tokens: &TokenIndex, frame: &[u8], data: &[u8], each: impl FnMut(&Framed)) {
        let came = &mut self.came;
        came.clear();
        came.push(b':');
        came.extend_from_slice(STANDARD.encode(frame).as_bytes());
        came.extend_from_slice(b"\ndata:");
        let mut rest = data;
        // Events know only one end of a line: the other has a comment before what follows it.
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            came.extend_from_slice(&rest[..end]);
            came.extend_from_slice(if rest[end] == b'\r' { b"\n:\ndata:" } else { b"\ndata:" });
            rest = &rest[end + 1..];
        }
        came.extend_from_slice(rest);
        came.extend_from_slice(b"\n\n");
        self.events.push(tokens, came, false, &mut self.leaves);
        self.leave(each);
    }

    /// Ends all texts, as the stream ends or goes on with what nobody reads here.
    pub(super) fn end(&mut self, tokens: &TokenIndex, each: impl FnMut(&Framed)) {
        self.events.push(tokens, b"", true, &mut self.leaves);
        self.leave(each);
    }

    fn leave(&mut self, mut each: impl FnMut(&Framed)) {
        let mut at = 0;
        while let Some(end) = memchr::memmem::find(&self.leaves[at..], b"\n\n").map(|len| at + len) {
            let mut framed = Framed::default();
            let mut line_end = None;
            for line in self.leaves[at..end].split(|&c| c == b'\n') {
                if let Some(frame) = line.strip_prefix(b":") {
                    match line_end {
                        None => framed.frame = STANDARD.decode(frame).unwrap_or_default(),
                        Some(_) => line_end = Some(b'\r'),
                    }
                } else if let Some(data) = line.strip_prefix(b"data:") {
                    framed.data.extend(line_end);
                    framed.data.extend_from_slice(data);
                    line_end = Some(b'\n');
                }
            }
            each(&framed);
            at = end + 2;
        }
        self.leaves.clear();
    }
}
