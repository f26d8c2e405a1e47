//! Events that say the same as the one before them but for a fragment of text, as nearly all of a stream do.

use super::event::Event;
use super::framing::Data;

/// Longest event that is remembered.
const MAX_LEN: usize = 4096;

/// The last event, to see at a glance whether the next one is like it.
#[derive(Debug)]
pub(super) struct Repeat {
    event: Event,
    /// Its only slot whose text runs on.
    fragment: usize,
    /// Where in the event its data begins, which stands on one line.
    data_start: usize,
    /// The bytes before and after the fragment; the latter end with the event.
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Repeat {
    /// Remembers `event`, which is the `data` of `bytes`; `None` for events that the next one cannot repeat.
    pub(super) fn of(event: Event, data: &Data, bytes: &[u8]) -> Option<Self> {
        let data_start = data.only_line()?;
        let mut running = (0..event.slots.len()).filter(|&i| event.slots[i].runs_on.is_some());
        let (Some(fragment), None) = (running.next(), running.next()) else { return None };
        let span = &event.slots[fragment].span;
        // What an empty fragment says of an event is not what another one says; and after a CR nobody knows whether the
        // event is over.
        if bytes.len() > MAX_LEN || span.is_empty() || !bytes.ends_with(b"\n") {
            return None;
        }
        let before = bytes[..data_start + span.start].to_vec();
        let after = bytes[data_start + span.end..].to_vec();
        Some(Self { event, fragment, data_start, before, after })
    }

    pub(super) fn event(&self) -> &Event {
        &self.event
    }

    /// Where in the bytes of the event its data begins.
    pub(super) fn data_start(&self) -> usize {
        self.data_start
    }

    /// Bytes kept here.
    pub(super) fn held_bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Where the first event of `bytes` ends, when it says the same but for the fragment; [`Self::event`] is then that
    /// event.
    pub(super) fn takes(&mut self, bytes: &[u8]) -> Option<usize> {
        let rest = bytes.strip_prefix(self.before.as_slice())?;
        let len = fragment_len(rest).filter(|&len| len > 0 && rest[len..].starts_with(&self.after))?;
        let end = self.before.len() - self.data_start + len;
        let old_end = self.event.slots[self.fragment].span.end;
        self.event.slots[self.fragment].span.end = end;
        for slot in &mut self.event.slots[self.fragment + 1..] {
            slot.span = slot.span.start - old_end + end..slot.span.end - old_end + end;
        }
        Some(self.before.len() + len + self.after.len())
    }
}

/// Length of the string whose inside `text` begins with; `None` where a line ends before it does.
fn fragment_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'"', b'\\', b'\n', text.get(at..)?)?;
        match text[at] {
            b'"' => break,
            b'\\' if !matches!(text.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
            _ => return None,
        }
    }
    memchr::memchr(b'\r', &text[..at]).is_none().then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(text: &str) -> String {
        format!(
            "id: 1\ndata: {{\"id\":\"a\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}],\"x\":\"EC2\"}}\n\n"
        )
    }

    fn repeat(bytes: &str) -> Option<Repeat> {
        let data = Data::of(bytes.as_bytes()).unwrap();
        Repeat::of(Event::read(data.text(bytes.as_bytes())).unwrap(), &data, bytes.as_bytes())
    }

    #[test]
    fn a_repeated_event_is_read_as_it_would_be_alone() {
        let mut repeat = repeat(&delta("Hel")).unwrap();
        for text in ["lo", "", r#"\""#, r#"a\\"#, "a long text that says more than the one before it", "x"] {
            let alone = delta(text);
            let followed = alone.clone() + "data: 1\n\n";
            assert_eq!(repeat.takes(followed.as_bytes()), (!text.is_empty()).then_some(alone.len()), "{text}");
            if !text.is_empty() {
                let data = Data::of(alone.as_bytes()).unwrap();
                let alone = Event::read(data.text(alone.as_bytes())).unwrap();
                assert_eq!(format!("{:?}", repeat.event()), format!("{alone:?}"), "{text}");
            }
        }
        for other in [r#"a","b":"c"#, r#"\"#, "x\"}}],\"x\":\"EC2\"}", "a\n\nb", "a\r\rb", "\\\n\n"] {
            assert!(repeat.takes(delta(other).as_bytes()).is_none(), "{other}");
        }
        assert!(repeat.takes(b"{}").is_none() && repeat.takes(b"").is_none());
        let cut = delta("cut");
        assert!(repeat.takes(&cut.as_bytes()[..cut.len() - 1]).is_none());
    }

    #[test]
    fn events_without_one_fragment_are_not_remembered() {
        for data in [r#"{"type":"ping"}"#, r#"{"delta":{"text":""}}"#, r#"{"delta":{"text":"a","content":"b"}}"#] {
            assert!(repeat(&format!("data: {data}\n\n")).is_none(), "{data}");
        }
        assert!(repeat("data: {\"delta\":\ndata: {\"text\":\"a\"}}\n\n").is_none());
        assert!(repeat("data: {\"delta\":{\"text\":\"a\"}}\r\r").is_none());
    }
}
