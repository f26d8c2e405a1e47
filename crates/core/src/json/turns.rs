//! Where a conversation could be cut: members of the request, and turns of its messages.

use std::ops::Range;

use super::walk::string_end;

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

/// An item of a list of the request, as far as it was read.
struct Item {
    start: usize,
    key: Range<usize>,
    speaker: Option<Speaker>,
}

/// How deep members of items stand: in the request, its list, the item.
const ITEM: usize = 3;

/// What is looked at outside of strings.
const IS_STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    let (bytes, mut i) = (b"\"{}[],:", 0);
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
};

/// The borders in a request, in order. They depend on nothing behind them but the rest of the item that begins there; of what
/// is no JSON they mean nothing.
pub(crate) fn borders(body: &[u8]) -> Vec<Border> {
    let mut borders = Vec::new();
    let (mut at, mut depth) = (0, 0usize);
    let (mut is_value, mut last) = (false, None);
    let mut item = Item { start: 0, key: 0..0, speaker: None };
    while let Some(ahead) = body[at..].iter().position(|&c| IS_STRUCTURE[usize::from(c)]) {
        at += ahead;
        match body[at] {
            b'"' => {
                let Some(end) = string_end(body, at + 1) else { break };
                let inside = at + 1..end;
                match depth {
                    1 if !is_value => {
                        borders.push(Border::Member(at));
                        last = None;
                    }
                    ITEM if !is_value => item.key = inside,
                    ITEM => item.speaker = item.speaker.or(speaker(&body[item.key.clone()], &body[inside])),
                    _ => {}
                }
                at = end;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth == ITEM {
                    item = Item { start: at, key: 0..0, speaker: None };
                }
                is_value = false;
            }
            b'}' | b']' => {
                if depth == ITEM && item.speaker.is_some() {
                    if item.speaker == Some(Speaker::Model) && last == Some(Speaker::Other) {
                        borders.push(Border::Turn(item.start));
                    }
                    last = item.speaker;
                }
                depth = depth.saturating_sub(1);
                is_value = false;
            }
            c => is_value = c == b':',
        }
        at += 1;
    }
    borders
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

    /// What begins at each border, up to the first sign that is no letter, digit, quote or bracket.
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
            "tool"}, {"content": [{"role": "user"}, "}"], "role":"assistant"}, {"role": "user"}], "tools": [{}]}"#;
        assert_eq!(borders_of(body), ["\"model\"", "\"messages\"", "{\"role\"", "{\"content\"", "\"tools\""]);
        let body = r#"{"input":[{"role":"user"},{"type":"reasoning"},{"type":"function_call"},{"type":"function_call"},
            {"type":"function_call_output"},{"call_id":"c","type":"function_call"},{"type":"web_search_call"}]}"#;
        assert_eq!(borders_of(body), ["\"input\"", "{\"type\"", "{\"call_id\""]);
    }

    #[test]
    fn what_is_no_request_has_none() {
        for text in ["", "x", "[{\"role\": \"user\"}, {\"role\": \"assistant\"}]", "}}]]\"", "\"{", "{{{{{{"] {
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
