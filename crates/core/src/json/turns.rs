//! Where a conversation could be cut: members of the request, and turns of its messages.

use std::ops::Range;

use super::walk::{Frame, Visitor, walk};
use crate::wire::Place;

/// Where a part of a request begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Border {
    /// A member of the request: its key.
    Member(usize),
    /// The first message of the model behind one of somebody else: what tools answered stands in front of it, beside their
    /// calls.
    Turn(usize),
}

/// Who says an item of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Model,
    Other,
}

/// How deep members of items stand: in the request, its list, the item.
const ITEM: usize = 3;

/// The borders in a request, in order; none in what is no conversation, or no JSON. They depend on nothing behind them but
/// the rest of the item that begins there.
pub(crate) fn borders(body: &[u8]) -> Vec<Border> {
    let mut found = Borders { body, borders: Vec::new(), member: 0..0, item: None, last: None, has_speaker: false };
    let is_json = walk(body, &mut found).is_ok();
    found.end_item();
    if is_json && found.has_speaker { found.borders } else { Vec::new() }
}

/// An item of a list, as far as it was read.
struct Item {
    start: usize,
    speaker: Option<Speaker>,
}

struct Borders<'b> {
    body: &'b [u8],
    borders: Vec<Border>,
    /// The key of the member of the request that is being read.
    member: Range<usize>,
    item: Option<Item>,
    /// Who said the last item of the list.
    last: Option<Speaker>,
    has_speaker: bool,
}

impl Borders<'_> {
    fn read(&mut self, path: &[Frame]) {
        let Some(request) = path.first().filter(|request| !request.key.is_empty()) else { return };
        if request.key != self.member {
            self.end_item();
            self.last = None;
            self.member = request.key.clone();
            self.borders.push(Border::Member(request.key.start - 1));
        }
        let item = path.get(ITEM - 1);
        if let Some(item) = item.filter(|item| self.item.as_ref().is_none_or(|known| known.start != item.start)) {
            self.end_item();
            self.item = Some(Item { start: item.start, speaker: None });
        }
    }

    fn end_item(&mut self) {
        let Some(Item { start, speaker: Some(speaker) }) = self.item.take() else { return };
        if speaker == Speaker::Model && self.last == Some(Speaker::Other) {
            self.borders.push(Border::Turn(start));
        }
        self.last = Some(speaker);
        self.has_speaker = true;
    }
}

impl Visitor for Borders<'_> {
    fn string(&mut self, path: &[Frame], _: Place, inside: Range<usize>) {
        self.read(path);
        if let [_, _, item] = path
            && let Some(own) = &mut self.item
        {
            own.speaker = own.speaker.or(speaker(&self.body[item.key.clone()], &self.body[inside]));
        }
    }

    fn scalar(&mut self, path: &[Frame], _: Place, _: Range<usize>) {
        self.read(path);
    }
}

/// Who says an item with this member; `None` where it tells nothing.
fn speaker(key: &[u8], value: &[u8]) -> Option<Speaker> {
    match (key, value) {
        (b"role", b"assistant" | b"model") => Some(Speaker::Model),
        (b"role", _) => Some(Speaker::Other),
        (b"type", b"reasoning") => Some(Speaker::Model),
        (b"type", call) if call.ends_with(b"_call") => Some(Speaker::Model),
        (b"type", output) if output.ends_with(b"_call_output") => Some(Speaker::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What begins at each border, up to its first colon or closing brace.
    fn borders_of(body: &str) -> Vec<&str> {
        let begins = |border| {
            let (Border::Member(at) | Border::Turn(at)) = border;
            body.split_at(at).1.split([':', '}']).next().unwrap()
        };
        borders(body.as_bytes()).into_iter().map(begins).collect()
    }

    #[test]
    fn members_and_turns() {
        let body = r#"{"model": "m", "messages": [{"role": "user"}, {"role": "assistant"}, {"role": "tool"}, {"role":
            "tool"}, {"content": [{"role": "user"}, "}"], "role":"assistant"}, {"role": "user"}], "tools": [{"name": "x"}]}"#;
        assert_eq!(borders_of(body), ["\"model\"", "\"messages\"", "{\"role\"", "{\"content\"", "\"tools\""]);
        let body = r#"{"input":[{"role":"user"},{"type":"reasoning"},{"type":"function_call"},{"type":"function_call"},
            {"type":"function_call_output"},{"call_id":"c","type":"function_call"},{"type":"web_search_call"}]}"#;
        assert_eq!(borders_of(body), ["\"input\"", "{\"type\"", "{\"call_id\""]);
    }

    #[test]
    fn what_is_no_request_has_none() {
        let two = r#"{"role": "user"}, {"role": "assistant"}"#;
        for text in [
            "".to_owned(),
            "x".to_owned(),
            format!("[{two}]"),
            format!("{{\"messages\": [{two}]"),
            format!("{{\"messages\": [{two}], \"x\"}}"),
            r#"{"name": "x", "tags": [{"Key": "a"}, {"Key": "b"}]}"#.to_owned(),
            "{{{{{{".to_owned(),
        ] {
            assert_eq!(borders(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn a_longer_conversation_has_the_same_borders_and_more() {
        let turn = r#"{"role":"user","content":"a\"b"},{"role":"assistant","content":"c"},"#;
        let body = |turns: usize| format!("{{\"messages\":[{}{{\"role\":\"user\"}}]}}", turn.repeat(turns));
        let (short, long) = (borders(body(3).as_bytes()), borders(body(5).as_bytes()));
        assert_eq!(short, long[..short.len()]);
        assert_eq!((short.len(), long.len()), (4, 6));
    }
}
