//! Streams of JSON alone: Gemini's, where nobody asked for server-sent events, is one list, whose items come one after the
//! other; Ollama's and those of Cohere's v1 have a document on each line.

use super::frames::{Framed, Frames};
use super::json::JsonAnswer;
use crate::session::TokenIndex;

/// An item longer than this, and all behind it, is restored as it streams.
const MAX_ITEM: usize = 256 * 1024;
/// What a list of Gemini begins with, but for white space, and what a line of Ollama or Cohere does. Results of batches begin
/// otherwise, and their lines go on nothing.
const LIST: &[u8] = b"[{\"candidates\"";
const LINES: [&[u8]; 2] = [b"{\"model\":\"", b"{\"is_finished\":"];

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody knows yet whether it is such a list.
    #[default]
    Beginning,
    /// Before an item, or the end.
    Between,
    /// In an item.
    Item,
    /// Read as any other document.
    Document,
}

/// A JSON document that may be such a list.
#[derive(Debug, Default)]
pub(super) struct ListAnswer {
    state: State,
    /// The documents stand on lines.
    has_lines: bool,
    pending: Vec<u8>,
    /// How much of it was read, and where in it the item begins.
    read: usize,
    item: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    frames: Frames,
    document: JsonAnswer,
}

impl ListAnswer {
    /// An answer with a document on each line.
    pub(super) fn of_lines() -> Self {
        Self { has_lines: true, ..Self::default() }
    }

    pub(super) fn restored(&self) -> u64 {
        self.frames.restored() + self.document.restored()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.pending.len() + self.frames.held_bytes() + self.document.held_bytes()
    }

    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        if self.state == State::Document {
            return self.document.push(tokens, chunk, last, out);
        }
        self.pending.extend_from_slice(chunk);
        if self.state == State::Beginning {
            let known: &[&[u8]] = if self.has_lines { &LINES } else { &[LIST] };
            match begins(&self.pending, known) {
                Some(true) => self.state = State::Between,
                None if !last => return,
                _ => return self.go_on_as_document(tokens, last, out),
            }
        }
        self.items(tokens, out);
        if last || self.pending.len() > MAX_ITEM {
            self.frames.end(tokens, |framed| push_item(framed, out));
            self.go_on_as_document(tokens, last, out);
        }
    }

    /// The rest is a document, or several: an item that is too long, or what breaks off.
    fn go_on_as_document(&mut self, tokens: &TokenIndex, last: bool, out: &mut Vec<u8>) {
        self.state = State::Document;
        let pending = std::mem::take(&mut self.pending);
        self.document.push(tokens, &pending, last, out);
    }

    fn items(&mut self, tokens: &TokenIndex, out: &mut Vec<u8>) {
        let mut left = 0;
        while let Some(&c) = self.pending.get(self.read) {
            self.read += 1;
            if std::mem::take(&mut self.escaped) {
                continue;
            }
            match c {
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' if self.state == State::Item => self.depth += 1,
                b'{' => {
                    (self.state, self.item, self.depth) = (State::Item, self.read - 1, 1);
                }
                b'}' | b']' if self.state == State::Item => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        let (before, item) = self.pending[left..self.read].split_at(self.item - left);
                        let rest = &self.pending[self.read..];
                        let space = &rest[..rest.len() - rest.trim_ascii_start().len()];
                        // The end of its line goes with it, also where that is still to come: who reads lines waits for
                        // it, and ai-proxy wants to see a chunk begin with a comma.
                        let (before, behind) =
                            if self.has_lines { (before.trim_ascii_start(), &b"\n"[..]) } else { (before, space) };
                        let frame = [before, b"\0", behind].concat();
                        self.frames.push(tokens, &frame, item, |framed| push_item(framed, out));
                        self.read += space.len();
                        left = self.read;
                        self.state = State::Between;
                    }
                }
                // The end of the list.
                b']' if !self.has_lines => {
                    self.frames.end(tokens, |framed| push_item(framed, out));
                    out.extend_from_slice(&self.pending[left..self.read]);
                    left = self.read;
                }
                _ => {}
            }
        }
        if self.has_lines && self.state == State::Between {
            let rest = &self.pending[left..];
            left += rest.len() - rest.trim_ascii_start().len();
        }
        self.pending.drain(..left);
        self.read -= left;
        self.item = self.item.saturating_sub(left);
    }
}

/// Whether `bytes` begin like one of `known`, but for white space, if they are enough to tell.
fn begins(bytes: &[u8], known: &[&[u8]]) -> Option<bool> {
    let begins = |known: &[u8]| {
        let mut wanted = known.iter();
        for c in bytes.iter().filter(|c| !c.is_ascii_whitespace()) {
            match wanted.next() {
                None => break,
                Some(wanted) if wanted != c => return Some(false),
                Some(_) => {}
            }
        }
        wanted.as_slice().is_empty().then_some(true)
    };
    let answers: Vec<_> = known.iter().map(|known| begins(known)).collect();
    answers.iter().copied().find(|answer| *answer != Some(false)).unwrap_or(Some(false))
}

/// Appends an item between what stands before and behind it.
fn push_item(framed: &Framed, out: &mut Vec<u8>) {
    // One that only says the rest of a text has nothing around it.
    let mut around = if framed.frame.is_empty() { b",\n" } else { framed.frame.as_slice() }.split(|&c| c == 0);
    out.extend_from_slice(around.next().unwrap_or_default());
    out.extend_from_slice(framed.data.trim_ascii());
    out.extend_from_slice(around.next().unwrap_or_default());
}
