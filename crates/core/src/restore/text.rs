//! Plain text, and the inside of JSON strings.

use super::matcher::{CONTEXT, held_from, restore};
use super::unresolved;
use crate::session::TokenIndex;

/// How much of what went out is kept, for what follows to be understood.
const KEPT: usize = if CONTEXT > unresolved::LONGEST { CONTEXT } else { unresolved::LONGEST };

/// Text that is restored as it streams.
#[derive(Debug, Default)]
pub(crate) struct TextAnswer {
    /// A little of what went out already, then what is held.
    buffer: Vec<u8>,
    /// How much of the buffer went out already.
    sent: usize,
    depth: u8,
    restored: u64,
}

impl TextAnswer {
    /// Text inside `depth` JSON strings.
    pub(super) fn in_json(depth: u8) -> Self {
        Self { depth, ..Self::default() }
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
        if last && self.buffer.is_empty() {
            self.restored += restore(tokens, chunk, 0..chunk.len(), self.depth, out).count;
            tokens.count_unresolved(unresolved::count(tokens, chunk, 0..chunk.len(), true));
            return;
        }
        self.buffer.extend_from_slice(chunk);
        let text = &self.buffer;
        let held = if last { text.len() } else { held_from(tokens, text, self.sent, self.depth) };
        let done = restore(tokens, text, self.sent..held, self.depth, out);
        self.restored += done.count;
        tokens.count_unresolved(unresolved::count(tokens, text, self.sent..done.end, last));
        if last {
            self.buffer.clear();
            self.sent = 0;
        } else {
            let kept = done.end.saturating_sub(KEPT);
            self.buffer.drain(..kept);
            self.sent = done.end - kept;
        }
    }
}
