//! Events that say the same as the one before them but for a fragment of text, as nearly all of a stream do.

use super::event::Event;
use crate::json::string_end;

/// Longest data of an event that is remembered.
const MAX_LEN: usize = 4096;

/// The last event, to see at a glance whether the next one is like it.
#[derive(Debug)]
pub(super) struct Repeat {
    event: Event,
    /// Its only slot whose text runs on.
    fragment: usize,
    /// The data before and after the fragment.
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Repeat {
    /// Remembers `event`, which `data` says; `None` for events that the next one cannot repeat.
    pub(super) fn of(event: Event, data: &[u8]) -> Option<Self> {
        let mut running = (0..event.slots.len()).filter(|&i| event.slots[i].runs_on.is_some());
        let (Some(fragment), None) = (running.next(), running.next()) else { return None };
        let span = event.slots[fragment].span.clone();
        // What an empty fragment says of an event is not what another one says.
        if data.len() > MAX_LEN || span.is_empty() {
            return None;
        }
        let (before, after) = (data[..span.start].to_vec(), data[span.end..].to_vec());
        Some(Self { event, fragment, before, after })
    }

    pub(super) fn event(&self) -> &Event {
        &self.event
    }

    /// Bytes kept here.
    pub(super) fn held_bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// True when `data` says the same but for the fragment; [`Self::event`] is then that of `data`.
    pub(super) fn takes(&mut self, data: &[u8]) -> bool {
        let start = self.before.len();
        let Some(end) = data.len().checked_sub(self.after.len()).filter(|&end| end > start) else { return false };
        if !data.starts_with(&self.before) || !data.ends_with(&self.after) || string_end(data, start) != Some(end) {
            return false;
        }
        let old_end = self.event.slots[self.fragment].span.end;
        self.event.slots[self.fragment].span.end = end;
        for slot in &mut self.event.slots[self.fragment + 1..] {
            slot.span = slot.span.start - old_end + end..slot.span.end - old_end + end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(text: &str) -> String {
        format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}],"x":"EC2"}}"#)
    }

    #[test]
    fn a_repeated_event_is_read_as_it_would_be_alone() {
        let first = delta("Hel");
        let mut repeat = Repeat::of(Event::read(first.as_bytes()).unwrap(), first.as_bytes()).unwrap();
        for text in ["lo", "", r#"\""#, r#"a\\"#, "a long text that says more than the one before it", "x"] {
            let data = delta(text);
            let alone = Event::read(data.as_bytes()).unwrap();
            assert_eq!(repeat.takes(data.as_bytes()), !text.is_empty(), "{text}");
            if !text.is_empty() {
                assert_eq!(format!("{:?}", repeat.event()), format!("{alone:?}"), "{text}");
            }
        }
        for other in [r#"a","b":"c"#, r#"\"#, "x\"}}],\"x\":\"EC2\"}"] {
            assert!(!repeat.takes(delta(other).as_bytes()), "{other}");
        }
        assert!(!repeat.takes(b"{}") && !repeat.takes(b""));
    }

    #[test]
    fn events_without_one_fragment_are_not_remembered() {
        for data in [r#"{"type":"ping"}"#, r#"{"delta":{"text":""}}"#, r#"{"delta":{"text":"a","content":"b"}}"#] {
            assert!(Repeat::of(Event::read(data.as_bytes()).unwrap(), data.as_bytes()).is_none(), "{data}");
        }
    }
}
