//! Server-sent events. An event goes on as soon as it is whole; what is held back of a text that runs over several
//! events is the end that could be the beginning of a token.
//!
//! What was held goes out with the next fragment of its text. When there is none, it has to go out before the text ends:
//! as one more event like the last one. An event that must not be said twice (it has a sequence number, or says more
//! than this text) waits itself instead, until the next event shows whether its text goes on.

use std::ops::Range;

use super::event::{Event, Slot, SlotId};
use super::framing::{Data, event_end};
use super::json::JsonAnswer;
use super::repeat::Repeat;
use super::text::TextAnswer;
use crate::session::TokenIndex;

/// An event longer than this is restored as it streams.
const MAX_EVENT: usize = 256 * 1024;
/// Most that is held of texts that run on.
const MAX_HELD: usize = 256 * 1024;
/// Most texts that run on at a time: each is looked at with each event.
const MAX_RUNNING: usize = 1024;

/// A text that runs over several events.
#[derive(Debug)]
struct Running {
    id: SlotId,
    text: TextAnswer,
    /// The last event of this text, before and after its fragment, to say the rest with.
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Running {
    fn held_bytes(&self) -> usize {
        self.before.len() + self.after.len() + self.text.held_bytes()
    }
}

/// An event that waits, because a text of it ends in what could be the beginning of a token.
#[derive(Debug)]
struct Waiting {
    /// As it will leave.
    event: Vec<u8>,
    /// The texts of which an end is held, and where in it that belongs.
    ends: Vec<(SlotId, usize)>,
}

/// An event that is too long to be kept.
#[derive(Debug)]
enum Oversized {
    Json(Box<JsonAnswer>),
    Text(TextAnswer),
}

/// A stream of events that is restored as it passes.
#[derive(Debug, Default)]
pub(crate) struct SseAnswer {
    /// The event that is not whole yet.
    pending: Vec<u8>,
    /// How much of it was searched for its end.
    searched: usize,
    oversized: Option<Oversized>,
    running: Vec<Running>,
    waiting: Option<Waiting>,
    /// The last event that had a fragment.
    last: Option<Box<Repeat>>,
    restored: u64,
}

impl SseAnswer {
    pub(super) fn restored(&self) -> u64 {
        self.restored + self.running.iter().map(|r| r.text.restored()).sum::<u64>()
    }

    /// Bytes of the answer, and of events to say them with, that wait here.
    pub(super) fn held_bytes(&self) -> usize {
        let waiting = self.waiting.as_ref().map_or(0, |waiting| waiting.event.len());
        let oversized = match &self.oversized {
            Some(Oversized::Json(json)) => json.held_bytes(),
            Some(Oversized::Text(text)) => text.held_bytes(),
            None => 0,
        };
        let last = self.last.as_ref().map_or(0, |last| last.held_bytes());
        self.pending.len() + waiting + oversized + last + self.running.iter().map(Running::held_bytes).sum::<usize>()
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut owned = std::mem::take(&mut self.pending);
        // Whole events of a chunk need not be copied.
        let is_whole = owned.is_empty();
        if !is_whole {
            owned.extend_from_slice(chunk);
        }
        let mut pending = if is_whole { chunk } else { &owned };
        let mut searched = std::mem::take(&mut self.searched).min(pending.len());
        loop {
            // One that began in an earlier chunk is compared when it is whole: chunks may be of a byte each.
            let repeated = if searched == 0 { self.repeated_event(tokens, pending, out) } else { None };
            let end = match repeated {
                Some(end) => end,
                None => {
                    let from = searched.saturating_sub(3);
                    let Some(end) = event_end(pending, from, 0, self.oversized.is_none(), last) else { break };
                    let event = &pending[..end];
                    if searched == 0 || self.repeated_event(tokens, event, out).is_none() {
                        self.event(tokens, event, out);
                    }
                    end
                }
            };
            pending = &pending[end..];
            searched = 0;
        }
        if pending.len() > MAX_EVENT || self.oversized.is_some() {
            // Two line ends in a row would be the end of the event: the last bytes wait for what follows.
            let (leaves, stays) = pending.split_at(pending.len() - pending.len().min(3));
            self.part_of_event(tokens, leaves, false, out);
            pending = stays;
        }
        self.searched = pending.len();
        if !last {
            let stays = pending.len();
            if is_whole {
                owned.extend_from_slice(&chunk[chunk.len() - stays..]);
            } else {
                owned.drain(..owned.len() - stays);
            }
            self.pending = owned;
            return;
        }
        let is_blank = pending.iter().all(|c| matches!(c, b'\r' | b'\n'));
        if is_blank && self.oversized.is_none() {
            self.end_texts(tokens, |_| true, out);
            out.extend_from_slice(pending);
        } else {
            self.unfinished_event(tokens, pending, out);
        }
        self.last = None;
        self.searched = 0;
    }

    /// What stands behind the last blank line, where the stream ends or breaks off. No event of our own may be glued to
    /// it: half an event goes last, and one that only lacks its end gets that where it changed or something follows.
    fn unfinished_event(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) {
        let says_something = Data::of(bytes).is_some_and(|data| Event::read(data.text(bytes)).is_ok());
        if !says_something || self.oversized.is_some() {
            self.end_texts(tokens, |_| true, out);
            self.event(tokens, bytes, out);
            return;
        }
        let end: &[u8] = if bytes.ends_with(b"\n") { b"\n" } else { b"\n\n" };
        let finished = [bytes, end].concat();
        self.event(tokens, &finished, out);
        let follows = self.waiting.is_some() || self.running.iter().any(|running| running.text.is_holding());
        if !follows && out.ends_with(&finished) {
            out.truncate(out.len() - end.len());
        }
        self.end_texts(tokens, |_| true, out);
    }

    /// Bytes of an event that is too long to be kept.
    fn part_of_event(&mut self, tokens: &TokenIndex, mut bytes: &[u8], ends: bool, out: &mut Vec<u8>) {
        if self.oversized.is_none() {
            // Nobody knows yet whether it goes on with one of these texts.
            self.end_texts(tokens, |_| true, out);
            let data = Data::of(bytes).and_then(|data| data.only_line());
            let data = data.filter(|&at| bytes[at..].trim_ascii_start().first() == Some(&b'{'));
            let head;
            (head, bytes) = bytes.split_at(data.unwrap_or(0));
            out.extend_from_slice(head);
            self.oversized = Some(match data {
                Some(_) => Oversized::Json(Box::default()),
                None => Oversized::Text(TextAnswer::in_json(1)),
            });
        }
        let restored = match &mut self.oversized {
            Some(Oversized::Json(json)) => {
                json.push(tokens, bytes, ends, out);
                json.restored()
            }
            Some(Oversized::Text(text)) => {
                text.push(tokens, bytes, ends, out);
                text.restored()
            }
            None => 0,
        };
        if ends {
            self.restored += restored;
            self.oversized = None;
        }
    }

    /// The event at the start of `bytes`, where it says the same as the last one but for its fragment; gives its end.
    fn repeated_event(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        if self.oversized.is_some() {
            return None;
        }
        let mut last = self.last.take()?;
        let end = last.takes(bytes);
        if let Some(end) = end {
            let start = last.data_start();
            let place = |span: &Range<usize>| start + span.start..start + span.end;
            self.read_event(tokens, last.event(), place, &bytes[..end], out);
        }
        self.last = Some(last);
        end
    }

    fn event(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) {
        if self.oversized.is_some() {
            self.part_of_event(tokens, bytes, true, out);
            return;
        }
        let Some(data) = Data::of(bytes) else {
            self.let_go(out);
            self.whole_text(tokens, bytes, out);
            return;
        };
        let text = data.text(bytes);
        let Ok(event) = Event::read(text) else {
            if text.trim_ascii() == b"[DONE]" {
                self.end_texts(tokens, |_| true, out);
            }
            self.let_go(out);
            self.whole_text(tokens, bytes, out);
            return;
        };
        // A string that runs over the end of a line is no JSON that anybody reads.
        if !event.slots.iter().all(|slot| data.span(&slot.span).is_some()) {
            self.let_go(out);
            self.whole_text(tokens, bytes, out);
            return;
        }
        let place = |span: &Range<usize>| data.span(span).unwrap_or_default();
        self.read_event(tokens, &event, place, bytes, out);
        self.last = Repeat::of(event, &data, bytes).map(Box::new).or(self.last.take());
    }

    /// `place` tells where in `bytes` a stretch of the event's data stands.
    fn read_event(
        &mut self,
        tokens: &TokenIndex,
        event: &Event,
        place: impl Fn(&Range<usize>) -> Range<usize>,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.end_texts(tokens, |id| event.ends(id), out);
        self.let_go(out);
        self.slots(tokens, event, place, bytes, out);
        let held: usize = self.running.iter().map(Running::held_bytes).sum();
        if held > MAX_HELD || self.running.len() >= MAX_RUNNING {
            self.end_texts(tokens, |_| true, out);
        }
    }

    fn slots(
        &mut self,
        tokens: &TokenIndex,
        event: &Event,
        place: impl Fn(&Range<usize>) -> Range<usize>,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let mut copied = 0;
        let mut ends: Vec<(SlotId, usize)> = Vec::new();
        let ended = event.ended_slots();
        // What the ends that are held are said with has the length of the event each.
        let mut room = MAX_HELD;
        for (at, slot) in event.slots.iter().enumerate() {
            let span = place(&slot.span);
            out.extend_from_slice(&bytes[copied..span.start]);
            copied = span.end;
            let is_last = room == 0 || ended.get(at) == Some(&true);
            let held = self.slot(tokens, event, at, is_last, &place, bytes, out);
            let Some(id) = slot.runs_on else { continue };
            ends.retain(|(other, _)| *other != id);
            if let Some(held) = held {
                room = room.saturating_sub(held);
                ends.push((id, out.len() - start));
            }
        }
        out.extend_from_slice(&bytes[copied..]);
        if event.is_unique && !ends.is_empty() {
            self.waiting = Some(Waiting { event: out.split_off(start), ends });
        }
    }

    /// The text of the slot at `at`, which ends there with `is_last`. Where an end of it is held back, gives the length of
    /// what that is said with.
    #[allow(clippy::too_many_arguments)]
    fn slot(
        &mut self,
        tokens: &TokenIndex,
        event: &Event,
        at: usize,
        is_last: bool,
        place: impl Fn(&Range<usize>) -> Range<usize>,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let slot = &event.slots[at];
        let inside = &bytes[place(&slot.span)];
        let known = slot.runs_on.and_then(|id| self.running.iter().position(|r| r.id == id));
        let Some(id) = slot.runs_on.filter(|_| known.is_some() || self.running.len() < MAX_RUNNING) else {
            let mut text = TextAnswer::in_json(slot.depth);
            text.push(tokens, inside, true, out);
            self.restored += text.restored();
            return None;
        };
        let known = known.unwrap_or_else(|| {
            let text = TextAnswer::in_json(slot.depth);
            self.running.push(Running { id, text, before: Vec::new(), after: Vec::new() });
            self.running.len() - 1
        });
        let running = &mut self.running[known];
        running.text.push(tokens, inside, is_last, out);
        running.before.clear();
        running.after.clear();
        if !running.text.is_holding() {
            return None;
        }
        match event.rest.around(id) {
            Some([before, after]) => (running.before, running.after) = (before, after),
            None => {
                let (before, after) = (&event.slots[..at], &event.slots[at + 1..]);
                let span = place(&slot.span);
                push_without_texts(before, &place, bytes, 0..span.start, &mut running.before);
                push_without_texts(after, &place, bytes, span.end..bytes.len(), &mut running.after);
            }
        }
        Some(running.before.len() + running.after.len())
    }

    /// Lets the event go that waits; the end of its text is still held.
    fn let_go(&mut self, out: &mut Vec<u8>) {
        if let Some(waiting) = self.waiting.take() {
            out.extend_from_slice(&waiting.event);
        }
    }

    /// Ends the texts that `ends` names; what was held of them goes out with the event that waits, or as one more event
    /// of their kind.
    fn end_texts(&mut self, tokens: &TokenIndex, ends: impl Fn(SlotId) -> bool, out: &mut Vec<u8>) {
        let is_waiting = self.waiting.is_some();
        if let Some(waiting) = self.waiting.take_if(|waiting| waiting.ends.iter().any(|(id, _)| ends(*id))) {
            let mut said = Waiting { event: Vec::with_capacity(waiting.event.len()), ends: Vec::new() };
            let mut copied = 0;
            for (id, at) in waiting.ends {
                said.event.extend_from_slice(&waiting.event[copied..at]);
                copied = at;
                if !ends(id) {
                    said.ends.push((id, said.event.len()));
                } else if let Some(running) = self.running.iter_mut().find(|running| running.id == id) {
                    running.text.push(tokens, b"", true, &mut said.event);
                }
            }
            said.event.extend_from_slice(&waiting.event[copied..]);
            if said.ends.is_empty() {
                out.extend_from_slice(&said.event);
            } else {
                self.waiting = Some(said);
            }
        }
        if is_waiting && self.running.iter().any(|r| ends(r.id) && r.text.is_holding()) {
            self.let_go(out);
        }
        let mut at = 0;
        while at < self.running.len() {
            if !ends(self.running[at].id) {
                at += 1;
                continue;
            }
            let Running { mut text, before, after, .. } = self.running.remove(at);
            // Says nothing more where nothing is held; what stands at the very end is counted all the same.
            let is_holding = text.is_holding();
            if is_holding {
                out.extend_from_slice(&before);
            }
            text.push(tokens, b"", true, out);
            if is_holding {
                out.extend_from_slice(&after);
            }
            self.restored += text.restored();
        }
    }

    /// An event that is not JSON: comments, `[DONE]`, text.
    fn whole_text(&mut self, tokens: &TokenIndex, bytes: &[u8], out: &mut Vec<u8>) {
        let mut text = TextAnswer::in_json(1);
        text.push(tokens, bytes, true, out);
        self.restored += text.restored();
    }
}

/// Appends `bytes[range]` without what `slots` say there of texts that run on: an event that says the rest of one text
/// says nothing of others.
fn push_without_texts(
    slots: &[Slot],
    place: impl Fn(&Range<usize>) -> Range<usize>,
    bytes: &[u8],
    range: Range<usize>,
    out: &mut Vec<u8>,
) {
    let mut copied = range.start;
    for slot in slots.iter().filter(|slot| slot.runs_on.is_some()) {
        let span = place(&slot.span);
        out.extend_from_slice(&bytes[copied..span.start]);
        copied = span.end;
    }
    out.extend_from_slice(&bytes[copied..range.end]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_never_end_are_not_all_remembered() {
        let mut tokens = TokenIndex::default();
        assert!(tokens.learn(b"EC2_ABCDEFG2", b"i-0f3a9c27be41d8056"));
        let (mut answer, mut out) = (SseAnswer::default(), Vec::new());
        for index in 0..3 * MAX_RUNNING {
            let event = format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"\"}}}}]}}\n\n");
            answer.push(&tokens, event.as_bytes(), false, &mut out);
            assert!(answer.running.len() <= MAX_RUNNING);
            assert!(out.ends_with(event.as_bytes()));
        }
    }
}
