//! One JSON document of any size, as it streams.

use super::text::TextAnswer;
use crate::session::TokenIndex;
use crate::wire::Place;

/// How deep places are told apart; below that everything has the place of its container.
const MAX_DEPTH: usize = 512;
/// Longest key or `type` that means something to the protocol.
const MAX_WORD: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Frame {
    is_object: bool,
    place: Place,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between strings.
    #[default]
    Structure,
    /// Inside a key.
    Key,
    /// Inside a string that may change.
    Text,
    /// Inside a string that stays as it is.
    Opaque,
}

/// A document that is restored as it streams. Holds no more than the end of one string.
#[derive(Debug, Default)]
pub(crate) struct JsonAnswer {
    state: State,
    /// The next byte of a string is escaped.
    escaped: bool,
    expects_key: bool,
    stack: Vec<Frame>,
    /// Containers open past [`MAX_DEPTH`].
    below: usize,
    /// The last key, and whether the string being read is a `type` that decides over its object.
    word: Vec<u8>,
    reads_type: bool,
    value_place: Option<Place>,
    text: TextAnswer,
    restored: u64,
}

impl JsonAnswer {
    pub(super) fn restored(&self) -> u64 {
        self.restored + self.text.restored()
    }

    /// Bytes kept here: the path to where the document is being read, its last key, the end of a string.
    pub(super) fn held_bytes(&self) -> usize {
        self.stack.len() * size_of::<Frame>() + self.word.len() + self.text.held_bytes()
    }

    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut at = 0;
        while at < chunk.len() {
            at = if self.state == State::Structure {
                self.structure(chunk, at, out)
            } else {
                self.string(tokens, chunk, at, out)
            };
        }
        if last {
            self.text.push(tokens, b"", true, out);
        }
    }

    /// Copies up to and including the next quote.
    fn structure(&mut self, chunk: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
        let mut at = start;
        while let Some(&c) = chunk.get(at) {
            at += 1;
            match c {
                b'"' => {
                    self.open_string();
                    break;
                }
                b'{' => self.open(true),
                b'[' => self.open(false),
                b'}' | b']' => self.close(),
                b',' => {
                    self.expects_key = self.in_object();
                    self.value_place = None;
                }
                b':' => self.value_place = Some(self.place().member(&self.word)),
                _ => {}
            }
        }
        out.extend_from_slice(&chunk[start..at]);
        at
    }

    fn in_object(&self) -> bool {
        self.below == 0 && self.stack.last().is_some_and(|frame| frame.is_object)
    }

    /// Place of the innermost object or list.
    fn place(&self) -> Place {
        self.stack.last().map_or(Place::Root, |frame| frame.place)
    }

    fn open(&mut self, is_object: bool) {
        if self.stack.len() >= MAX_DEPTH {
            self.below += 1;
            return;
        }
        let place = self.value_place.take().unwrap_or(self.place()).opened(is_object);
        self.stack.push(Frame { is_object, place });
        self.expects_key = is_object;
    }

    fn close(&mut self) {
        if self.below > 0 {
            self.below -= 1;
        } else {
            self.stack.pop();
        }
        self.expects_key = false;
        self.value_place = None;
    }

    fn open_string(&mut self) {
        let place = self.place();
        if self.expects_key && self.in_object() {
            self.expects_key = false;
            self.word.clear();
            self.state = State::Key;
            self.text = self.next_text(1);
            return;
        }
        let value = self.value_place.take().unwrap_or(place);
        self.reads_type = place.is_typed() && self.in_object() && self.word == b"type";
        if self.reads_type {
            self.word.clear();
        }
        self.state = if value.may_restore() { State::Text } else { State::Opaque };
        self.text = self.next_text(if value == Place::JsonText { 2 } else { 1 });
    }

    fn next_text(&mut self, depth: u8) -> TextAnswer {
        self.restored += self.text.restored();
        TextAnswer::in_json(depth)
    }

    /// Reads on in a string, up to its closing quote or the end of the chunk.
    fn string(&mut self, tokens: &TokenIndex, chunk: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
        let unescaped = start + usize::from(std::mem::take(&mut self.escaped));
        let mut at = unescaped;
        let end = loop {
            let rest = chunk.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr(b'"', rest).map(|found| at + found) else {
                self.escaped = ends_in_escape(chunk.get(unescaped..).unwrap_or_default());
                break None;
            };
            if !ends_in_escape(&chunk[unescaped..found]) {
                break Some(found);
            }
            at = found + 1;
        };
        let inside = &chunk[start..end.unwrap_or(chunk.len())];
        if self.state == State::Key || self.reads_type {
            let room = MAX_WORD.saturating_sub(self.word.len());
            self.word.extend_from_slice(&inside[..inside.len().min(room)]);
        }
        let changes = match self.state {
            // No key of the protocol looks like a token.
            State::Key => self.place().may_restore(),
            state => state == State::Text,
        };
        if changes {
            self.text.push(tokens, inside, end.is_some(), out);
        } else {
            out.extend_from_slice(inside);
        }
        let Some(end) = end else { return chunk.len() };
        out.push(b'"');
        if self.reads_type {
            self.end_type();
        }
        self.state = State::Structure;
        end + 1
    }

    /// The `type` of an object is known: does it take the whole object out of our hands?
    fn end_type(&mut self) {
        self.reads_type = false;
        let place = self.place().typed(&self.word);
        if let Some(frame) = self.stack.last_mut() {
            frame.place = place;
        }
    }
}

/// True when what follows `inside`, the beginning of a string's inside or of the rest of one, is escaped.
///
/// Looking at backslashes where a quote is found costs less than stopping at each: most of them are line feeds.
fn ends_in_escape(inside: &[u8]) -> bool {
    inside.iter().rev().take_while(|&&c| c == b'\\').count() % 2 == 1
}
