//! Server-sent events on the wire, by the rules of WHATWG's HTML standard (section 9.2.6).

use std::ops::Range;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Offset past the blank line that ends the event whose bytes begin at `start`; line ends are CR LF, LF or CR.
///
/// Bytes before `from` were searched before. `from_its_start` says that the event begins at `start`, and not earlier.
/// A CR at the very end may be half of a CR LF, unless the stream ends there.
pub(super) fn event_end(bytes: &[u8], from: usize, start: usize, from_its_start: bool, last: bool) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &bytes[at..]) {
        let line_end = at + found;
        let next = line_past(bytes, line_end);
        let is_blank = if line_end == start { from_its_start } else { matches!(bytes[line_end - 1], b'\n' | b'\r') };
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

/// What a line of an event begins with; a colon alone begins a comment.
const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// How much of an answer is read to tell whether it is a stream of events.
pub(super) const MAX_BEGINNING: usize = 1024;

/// Whether an answer that begins so, without white space in front, is a stream whose first event says something in JSON;
/// `None` while only more of it would tell.
pub(super) fn begins_like_events(bytes: &[u8]) -> Option<bool> {
    let start = &bytes[..bytes.len().min(MAX_BEGINNING)];
    // A text that begins with `id:`, say, shows by its next line that it is none, and need not wait.
    let may_be = |line: &&[u8]| {
        matches!(*line, b"\n" | b"\r") || FIELDS.iter().any(|field| line.starts_with(field) || field.starts_with(line))
    };
    let lines = start.split_inclusive(|&c| matches!(c, b'\n' | b'\r'));
    let fields = &start[..lines.take_while(may_be).map(<[u8]>::len).sum()];
    let first = Data::of(fields).and_then(|data| data.text(fields).trim_ascii_start().first().copied());
    let is_over = bytes.len() >= MAX_BEGINNING || fields.len() < start.len();
    first.map(|c| c == b'{').or(is_over.then_some(false))
}

/// The data of an event: the values of its `data` lines, put together with a line feed between two.
#[derive(Debug)]
pub(super) struct Data {
    first: Range<usize>,
    /// The lines after the first, of which there are hardly ever any, and where each begins in what is put together.
    more: Vec<(usize, Range<usize>)>,
    /// The lines put together, where there is more than one.
    joined: Vec<u8>,
}

impl Data {
    /// `None` when the event has none, as comments do.
    pub(super) fn of(event: &[u8]) -> Option<Self> {
        let mut first = None;
        let mut more = Vec::new();
        let mut len = 0;
        let mut at = if event.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        while at < event.len() {
            let end = memchr::memchr2(b'\n', b'\r', &event[at..]).map_or(event.len(), |found| at + found);
            if let Some(value) = event[at..end].strip_prefix(b"data:") {
                let line = end - value.len()..end;
                match first {
                    None => first = Some(line),
                    Some(_) => more.push((len, line)),
                }
                len += value.len() + 1;
            }
            at = end + 1;
        }
        let mut data = Self { first: first?, more, joined: Vec::new() };
        if !data.more.is_empty() {
            let mut joined = Vec::with_capacity(len);
            for line in std::iter::once(&data.first).chain(data.more.iter().map(|(_, line)| line)) {
                joined.extend_from_slice(&event[line.clone()]);
                joined.push(b'\n');
            }
            data.joined = joined;
        }
        Some(data)
    }

    pub(super) fn text<'d>(&'d self, event: &'d [u8]) -> &'d [u8] {
        if self.more.is_empty() { &event[self.first.clone()] } else { &self.joined }
    }

    /// Where in the event a stretch of the data stands; `None` when it goes over the end of a line.
    pub(super) fn span(&self, stretch: &Range<usize>) -> Option<Range<usize>> {
        // Looked up, as an event may have as many lines as strings.
        let behind = self.more.partition_point(|(start, _)| *start <= stretch.start);
        let (start, line) = match behind.checked_sub(1) {
            Some(at) => (self.more[at].0, &self.more[at].1),
            None => (0, &self.first),
        };
        let from = line.start + (stretch.start - start);
        let end = line.start + (stretch.end - start);
        (end <= line.end).then_some(from..end)
    }

    /// Where the data begins, if it stands on one line.
    pub(super) fn only_line(&self) -> Option<usize> {
        self.more.is_empty().then_some(self.first.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_at_blank_lines_of_every_kind() {
        let end = |bytes: &[u8], last| event_end(bytes, 0, 0, true, last);
        assert_eq!(end(b"data: 1\n\ndata", false), Some(9));
        assert_eq!(end(b"data: 1\r\n\r\nx", false), Some(11));
        assert_eq!(end(b"data: 1\r\rx", false), Some(9));
        assert_eq!(end(b"data: 1\n\r\nx", false), Some(10));
        assert_eq!(end(b"data: 1\r\r", false), None);
        assert_eq!(end(b"data: 1\r\r", true), Some(9));
        assert_eq!(end(b"data: 1\n", true), None);
        assert_eq!(end(b"\n", false), Some(1));
        assert_eq!(event_end(b"\nid: 1\n\n", 0, 0, false, false), Some(8));
    }

    #[test]
    fn data_lines_are_put_together() {
        let text = |event: &[u8]| Data::of(event).map(|data| data.text(event).to_vec());
        assert_eq!(text(b"event: x\ndata: {}\n\n").unwrap(), b" {}");
        assert_eq!(text(b"\xef\xbb\xbfdata:{}\r\n\r\n").unwrap(), b"{}");
        assert_eq!(text(b": comment\n\n"), None);
        assert_eq!(text(b"data: a\r\nid: 1\r\ndata:b\r\n\r\n").unwrap(), b" a\nb\n");
    }

    #[test]
    fn stretches_of_joined_data_are_found_in_the_event() {
        let event = b"data: abc\nid: 1\ndata: def\n\n";
        let data = Data::of(event).unwrap();
        let raw = |stretch: Range<usize>| data.span(&stretch).map(|span| &event[span]);
        assert_eq!(raw(1..4), Some(&b"abc"[..]));
        assert_eq!(raw(6..9), Some(&b"def"[..]));
        assert_eq!(raw(3..7), None);
    }
}
