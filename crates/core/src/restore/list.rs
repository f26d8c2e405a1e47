//! Streams of JSON alone: Gemini's, where nobody asked for server-sent events, is one list, whose items come one after the
//! other; Ollama's and those of Cohere's v1 have a document on each line.

use std::ops::Range;

use super::frames::{Framed, Frames};
use super::json::JsonAnswer;
use crate::session::TokenIndex;

/// An item longer than this, and all behind it, is restored as it streams.
const MAX_ITEM: usize = 256 * 1024;
/// How much may come, white space for the most part, before it is clear what begins there.
const MAX_BEGINNING: usize = 1024;
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
    /// Behind an item, before the end of its line.
    LineEnd,
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
    item_end: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The first item came.
    has_begun: bool,
    frames: Frames,
    around: Around,
    document: JsonAnswer,
}

/// What stands around items as they leave.
#[derive(Debug, Default)]
struct Around {
    has_lines: bool,
    /// The first item left.
    has_begun: bool,
}

impl ListAnswer {
    /// An answer with a document on each line.
    pub(super) fn of_lines() -> Self {
        Self { has_lines: true, around: Around { has_lines: true, has_begun: false }, ..Self::default() }
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
                // An answer may be released before anything of it came, and go on.
                None if self.pending.is_empty() || !last && self.pending.len() <= MAX_BEGINNING => return,
                _ => return self.go_on_as_document(tokens, last, out),
            }
        }
        self.items(tokens, out);
        // Also where it came in one piece: as an event it would be copied several times.
        let is_long = self.pending.len() > MAX_ITEM;
        if last && self.state == State::LineEnd {
            self.last_line(tokens, out);
        } else if last || is_long {
            let space = self.end(tokens, 0, out);
            self.pending.drain(..space);
        }
        if is_long || last && !self.pending.is_empty() {
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
                b'\n' if self.state == State::LineEnd => left = self.push_read(tokens, left, self.read, out),
                _ if self.state == State::LineEnd && c.is_ascii_whitespace() => {}
                _ if self.state == State::LineEnd => {
                    self.read -= 1;
                    left = self.push_read(tokens, left, self.read, out);
                }
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' if self.state == State::Item => self.depth += 1,
                b'{' => {
                    (self.state, self.item, self.depth) = (State::Item, self.read - 1, 1);
                }
                b'}' | b']' if self.state == State::Item => {
                    self.depth -= 1;
                    if self.depth > 0 {
                        continue;
                    }
                    if self.read - self.item > MAX_ITEM {
                        break;
                    }
                    self.item_end = self.read;
                    // The end of its line goes with it. Who reads lines has nothing of one without its end, and what its
                    // text may still have to say needs a line of its own.
                    if self.has_lines {
                        self.state = State::LineEnd;
                        continue;
                    }
                    // So does that of a list's: ai-proxy wants to see a chunk begin with a comma.
                    let rest = &self.pending[self.read..];
                    self.read += rest.len() - rest.trim_ascii_start().len();
                    left = self.push_read(tokens, left, self.read, out);
                }
                // The end of the list.
                b']' if !self.has_lines => {
                    left = self.end(tokens, left, out);
                    out.extend_from_slice(&self.pending[left..self.read]);
                    left = self.read;
                }
                _ => {}
            }
        }
        self.pending.drain(..left);
        self.read -= left;
        self.item = self.item.saturating_sub(left);
        self.item_end = self.item_end.saturating_sub(left);
    }

    /// Restores the item with all that stands around it in `pending[start..end]`; gives `end`.
    fn push_read(&mut self, tokens: &TokenIndex, start: usize, end: usize, out: &mut Vec<u8>) -> usize {
        let mut space = self.space(start, self.item, out);
        let (before, behind) = (&self.pending[space.end..self.item], &self.pending[self.item_end..end]);
        let frame = frame_of(!std::mem::replace(&mut self.has_begun, true), before, behind);
        let item = &self.pending[self.item..self.item_end];
        self.frames.push(tokens, &frame, item, |framed| {
            self.around.push_item(framed, out);
            out.extend_from_slice(&self.pending[std::mem::take(&mut space)]);
        });
        self.state = State::Between;
        end
    }

    /// Ends all texts; gives where in `pending[start..]` what is still to leave begins.
    fn end(&mut self, tokens: &TokenIndex, start: usize, out: &mut Vec<u8>) -> usize {
        let mut space = self.space(start, self.pending.len(), out);
        let left = space.end;
        self.frames.end(tokens, |framed| {
            self.around.push_item(framed, out);
            out.extend_from_slice(&self.pending[std::mem::take(&mut space)]);
        });
        left
    }

    /// White space in `pending[start..end]` that belongs to the item before, having come later than that. It leaves at once,
    /// or else is given, to leave with the item that waits: before what the item's text has still to say, as it does where
    /// it came with the item.
    fn space(&self, start: usize, end: usize, out: &mut Vec<u8>) -> Range<usize> {
        let rest = &self.pending[start..end];
        let len = if self.has_lines { 0 } else { rest.len() - rest.trim_ascii_start().len() };
        let space = start..start + len;
        if self.frames.is_waiting() {
            return space;
        }
        out.extend_from_slice(&self.pending[space.clone()]);
        space.end..space.end
    }

    /// A line without its end, as the stream ends: it gets one for the time that something may follow.
    fn last_line(&mut self, tokens: &TokenIndex, out: &mut Vec<u8>) {
        self.pending.push(b'\n');
        self.push_read(tokens, 0, self.pending.len(), out);
        self.frames.end(tokens, |framed| self.around.push_item(framed, out));
        if out.ends_with(b"\n") {
            out.pop();
        }
        self.pending.clear();
        (self.read, self.item, self.item_end) = (0, 0, 0);
    }
}

impl Around {
    /// Appends an item between what stands before and behind it.
    fn push_item(&mut self, framed: &Framed, out: &mut Vec<u8>) {
        let (alone, alone_behind): (&[u8], &[u8]) = if self.has_lines { (b"", b"\n") } else { (b",\n", b"") };
        // One that only says the rest of a text has nothing around it, or what the item had that it repeats.
        let (before, behind) = match parts_of(&framed.frame) {
            None => (alone, alone_behind),
            Some((true, _, behind)) if self.has_begun && !self.has_lines => (alone, behind),
            Some((_, before, behind)) => (before, behind),
        };
        self.has_begun = true;
        out.extend_from_slice(before);
        out.extend_from_slice(framed.data.trim_ascii());
        out.extend_from_slice(behind);
    }
}

/// What an item has besides itself: whether it is the first one, and what stands around it, the length of what is before
/// it first.
fn frame_of(is_first: bool, before: &[u8], behind: &[u8]) -> Vec<u8> {
    let len = u32::try_from(before.len()).unwrap_or(0).to_be_bytes();
    [&[u8::from(is_first)], &len[..], before, behind].concat()
}

fn parts_of(frame: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let (is_first, rest) = frame.split_first()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (before, behind) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    Some((*is_first == 1, before, behind))
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
