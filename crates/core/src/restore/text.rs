//! Plain text, and the inside of JSON strings.

use super::matcher::{CONTEXT, MAX_SPELLED, held_from, restore};
use super::unresolved;
use crate::json::Enclosing;
use crate::session::TokenIndex;

/// How much of what went out is kept, for what follows to be understood.
const KEPT: usize = if CONTEXT > unresolved::LONGEST { CONTEXT } else { unresolved::LONGEST };
/// How much of a chunk is read together with what was kept: whatever is held after that stands in the chunk, with as
/// much before it as is kept.
const SEAM: usize = MAX_SPELLED + KEPT;

/// Text that is restored as it streams.
#[derive(Debug, Default)]
pub(crate) struct TextAnswer {
    /// A little of what went out already, then what is held.
    buffer: Vec<u8>,
    /// How much of the buffer went out already.
    sent: usize,
    depth: u8,
    /// Where what went out has come to, if the text is JSON.
    enclosing: Enclosing,
    restored: u64,
}

impl TextAnswer {
    /// Text inside `depth` JSON strings.
    pub(super) fn in_json(depth: u8) -> Self {
        Self { depth, enclosing: Enclosing::new(depth), ..Self::default() }
    }

    pub(super) fn restored(&self) -> u64 {
        self.restored
    }

    /// Bytes kept here, a little of what went out already among them.
    pub(super) fn held_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// True when something is held back.
    pub(super) fn is_holding(&self) -> bool {
        self.buffer.len() > self.sent
    }

    /// Appends what may leave after `chunk`; with `last` everything, and the next chunk begins a new text.
    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut read = 0;
        if !self.buffer.is_empty() {
            // A long chunk is read where it is, once nothing of what came before it is held.
            let is_long = chunk.len() > 2 * SEAM;
            let seam = if is_long { SEAM } else { chunk.len() };
            let mut text = std::mem::take(&mut self.buffer);
            text.extend_from_slice(&chunk[..seam]);
            let end = self.advance(tokens, &text, self.sent, last && !is_long, out);
            if !is_long {
                let kept = if last { text.len() } else { end.saturating_sub(KEPT) };
                text.drain(..kept);
                self.buffer = text;
                self.sent = end - kept;
                self.end_if(last);
                return;
            }
            read = seam - (text.len() - end);
            text.clear();
            self.buffer = text;
        }
        let end = self.advance(tokens, chunk, read, last, out);
        let kept = if last { chunk.len() } else { end.saturating_sub(KEPT) };
        self.buffer.extend_from_slice(&chunk[kept..]);
        self.sent = end - kept;
        self.end_if(last);
    }

    fn end_if(&mut self, last: bool) {
        if last {
            self.enclosing = Enclosing::new(self.depth);
        }
    }

    /// Appends what may leave of `text` from `sent` on; gives how far that is.
    fn advance(&mut self, tokens: &TokenIndex, text: &[u8], sent: usize, last: bool, out: &mut Vec<u8>) -> usize {
        let held = if last { text.len() } else { held_from(tokens, text, sent, self.depth) };
        let done = restore(tokens, text, sent..held, self.depth, &mut self.enclosing, out);
        self.restored += done.count;
        if done.met_stranger || unresolved::may_go_on(text, sent) {
            tokens.count_unresolved(unresolved::count(tokens, text, sent..done.end, last));
        }
        done.end
    }
}
