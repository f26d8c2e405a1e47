//! Server-sent events. An event goes on as soon as it is whole; what is held back of a text that runs over several
//! events is the end that could be the beginning of a token.

use std::ops::Range;

use super::event::{Event, Slot, SlotId};
use super::text::TextAnswer;
use crate::session::TokenIndex;

/// An event longer than this is restored as it streams, as one text.
const MAX_EVENT: usize = 512 * 1024;

/// A text that runs over several events.
#[derive(Debug)]
struct Running {
    id: SlotId,
    text: TextAnswer,
    /// The last event of this text, to say the rest with, and where its fragment stands in it.
    template: Vec<u8>,
    fragment: Range<usize>,
}

/// A stream of events that is restored as it passes.
#[derive(Debug, Default)]
pub(crate) struct SseAnswer {
    /// The event that is not whole yet.
    pending: Vec<u8>,
    /// How much of it was searched for its end.
    searched: usize,
    /// Set while an event passes that is too long to be kept.
    oversized: Option<TextAnswer>,
    running: Vec<Running>,
    restored: u64,
}

impl SseAnswer {
    pub(super) fn restored(&self) -> u64 {
        self.restored + self.running.iter().map(|r| r.text.restored()).sum::<u64>()
    }

    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        self.pending.extend_from_slice(chunk);
        let mut pending = std::mem::take(&mut self.pending);
        let mut done = 0;
        while let Some(end) = event_end(&pending, done.max(self.searched.saturating_sub(3)), done, last) {
            self.event(tokens, &pending[done..end], out);
            done = end;
            self.searched = end;
        }
        pending.drain(..done);
        self.searched = pending.len();
        if pending.len() > MAX_EVENT || self.oversized.is_some() {
            let text = self.oversized.get_or_insert_with(|| TextAnswer::in_json(1));
            // Two line ends in a row would be the end of the event: the last bytes wait for what follows.
            let keep = pending.len().min(3);
            text.push(tokens, &pending[..pending.len() - keep], false, out);
            pending.drain(..pending.len() - keep);
            self.searched = pending.len();
        }
        self.pending = pending;
        if last {
            let rest = std::mem::take(&mut self.pending);
            if rest.iter().all(|c| matches!(c, b'\r' | b'\n')) && self.oversized.is_none() {
                self.flush(tokens, |_| true, out);
                out.extend_from_slice(&rest);
            } else {
                self.event(tokens, &rest, out);
                self.flush(tokens, |_| true, out);
            }
        }
    }

    fn event(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) {
        if let Some(mut text) = self.oversized.take() {
            text.push(tokens, bytes, true, out);
            self.restored += text.restored();
            return;
        }
        let Some(data) = data_of(bytes) else {
            self.whole_text(tokens, bytes, out);
            return;
        };
        let Ok(event) = Event::read(&bytes[data.clone()]) else {
            if bytes[data].trim_ascii() == b"[DONE]" {
                self.flush(tokens, |_| true, out);
            }
            self.whole_text(tokens, bytes, out);
            return;
        };
        self.flush(tokens, |id| event.ends(id), out);
        let mut copied = 0;
        for slot in &event.slots {
            let span = data.start + slot.span.start..data.start + slot.span.end;
            out.extend_from_slice(&bytes[copied..span.start]);
            copied = span.end;
            let last = slot.runs_on.is_some_and(|id| event.is_last_of(id));
            self.slot(tokens, slot, last, bytes, span, out);
        }
        out.extend_from_slice(&bytes[copied..]);
    }

    fn slot(
        &mut self,
        tokens: &TokenIndex,
        slot: &Slot,
        last: bool,
        bytes: &[u8],
        span: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let inside = &bytes[span.clone()];
        let Some(id) = slot.runs_on else {
            let mut text = TextAnswer::in_json(slot.depth);
            text.push(tokens, inside, true, out);
            self.restored += text.restored();
            return;
        };
        let at = match self.running.iter().position(|r| r.id == id) {
            Some(at) => at,
            None => {
                let text = TextAnswer::in_json(slot.depth);
                self.running.push(Running { id, text, template: Vec::new(), fragment: 0..0 });
                self.running.len() - 1
            }
        };
        let running = &mut self.running[at];
        running.text.push(tokens, inside, last, out);
        running.template.clear();
        if running.text.is_holding() {
            running.template.extend_from_slice(bytes);
            running.fragment = span;
        }
    }

    /// Ends the texts that `ends` names; what was held of them goes out as one more event of their kind.
    fn flush(&mut self, tokens: &TokenIndex, ends: impl Fn(SlotId) -> bool, out: &mut Vec<u8>) {
        let mut at = 0;
        while at < self.running.len() {
            if !ends(self.running[at].id) {
                at += 1;
                continue;
            }
            let Running { mut text, template, fragment, .. } = self.running.remove(at);
            if text.is_holding() {
                out.extend_from_slice(&template[..fragment.start]);
                text.push(tokens, b"", true, out);
                out.extend_from_slice(&template[fragment.end..]);
            } else {
                // gives out nothing, but the text may end with a token that nothing is known for
                text.push(tokens, b"", true, out);
            }
            self.restored += text.restored();
        }
    }

    /// An event that is not one JSON document on one line: comments, `[DONE]`, text.
    fn whole_text(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) {
        let mut text = TextAnswer::in_json(1);
        text.push(tokens, bytes, true, out);
        self.restored += text.restored();
    }
}

/// Offset past the blank line that ends the event that begins at `start`; line ends are CR LF, LF or CR.
///
/// A CR at the very end may be half of a CR LF, unless the stream ends there.
fn event_end(bytes: &[u8], from: usize, start: usize, last: bool) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &bytes[at..]) {
        let line_end = at + found;
        let next = line_past(bytes, line_end);
        let is_blank = line_end == start || matches!(bytes[line_end - 1], b'\n' | b'\r');
        // The LF of a CR LF does not make a blank line of its own.
        let is_half = bytes[line_end] == b'\n' && line_end > start && bytes[line_end - 1] == b'\r';
        if is_blank && !is_half || is_half && line_end >= start + 2 && matches!(bytes[line_end - 2], b'\n' | b'\r') {
            let complete = bytes[line_end] == b'\n' || next > line_end + 1 || next < bytes.len() || last;
            return complete.then_some(next);
        }
        at = next;
    }
    None
}

fn line_past(bytes: &[u8], line_end: usize) -> usize {
    if bytes[line_end] == b'\r' && bytes.get(line_end + 1) == Some(&b'\n') { line_end + 2 } else { line_end + 1 }
}

/// The value of the only `data` line of an event; `None` when there is none or more than one.
fn data_of(event: &[u8]) -> Option<Range<usize>> {
    let mut data = None;
    let mut at = 0;
    while at < event.len() {
        let end = memchr::memchr2(b'\n', b'\r', &event[at..]).map_or(event.len(), |found| at + found);
        let start = if at == 0 && event.starts_with(b"\xef\xbb\xbf") { 3 } else { at };
        if let Some(value) = event[start..end].strip_prefix(b"data:") {
            if data.is_some() {
                return None;
            }
            data = Some(end - value.len()..end);
        }
        at = end + 1;
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_at_blank_lines_of_every_kind() {
        assert_eq!(event_end(b"data: 1\n\ndata", 0, 0, false), Some(9));
        assert_eq!(event_end(b"data: 1\r\n\r\nx", 0, 0, false), Some(11));
        assert_eq!(event_end(b"data: 1\r\rx", 0, 0, false), Some(9));
        assert_eq!(event_end(b"data: 1\n\r\nx", 0, 0, false), Some(10));
        assert_eq!(event_end(b"data: 1\r\r", 0, 0, false), None);
        assert_eq!(event_end(b"data: 1\r\r", 0, 0, true), Some(9));
        assert_eq!(event_end(b"data: 1\n", 0, 0, true), None);
        assert_eq!(event_end(b"\n", 0, 0, false), Some(1));
    }

    #[test]
    fn the_data_line_is_found() {
        let event = b"event: x\ndata: {}\n\n";
        assert_eq!(&event[data_of(event).unwrap()], b" {}");
        assert_eq!(data_of(b"data: a\ndata: b\n\n"), None);
        assert_eq!(data_of(b": comment\n\n"), None);
    }
}
