//! What a stream event says: which of its strings are whole, and which are fragments of a text that runs on.

use std::ops::Range;

use crate::Result;
use crate::json::{Frame, Visitor, walk};
use crate::wire::Place;

/// Which text a fragment belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SlotId {
    /// Content block index, or choice index.
    index: u64,
    /// Index of the tool call in a choice.
    tool: u64,
    field: Field,
}

/// The fields that carry fragments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Text,
    Refusal,
    Reasoning,
    Arguments,
    Content,
}

/// A string of an event that may hold tokens.
#[derive(Debug)]
pub(super) struct Slot {
    /// Inside of the string.
    pub(super) span: Range<usize>,
    /// How many JSON strings deep its text is.
    pub(super) depth: u8,
    /// The text it is a fragment of.
    pub(super) runs_on: Option<SlotId>,
}

/// What an event's data says.
#[derive(Debug, Default)]
pub(super) struct Event {
    /// In order.
    pub(super) slots: Vec<Slot>,
    event_type: Vec<u8>,
    index: Option<u64>,
    /// Choices whose `finish_reason` is set.
    finished: Vec<u64>,
}

impl Event {
    /// Reads the data of one event.
    ///
    /// # Errors
    /// When it is not one JSON document.
    pub(super) fn read(data: &[u8]) -> Result<Self> {
        let mut reader = Reader {
            data,
            event: Self::default(),
            choices: Vec::new(),
            tools: Vec::new(),
            fragments: Vec::new(),
            finished: Vec::new(),
        };
        walk(data, &mut reader)?;
        Ok(reader.finish())
    }

    /// True when this event ends the text of `id`, so that what is held of it has to leave before.
    pub(super) fn ends(&self, id: SlotId) -> bool {
        match self.event_type.as_slice() {
            b"content_block_stop" => self.index == Some(id.index),
            b"message_delta" | b"message_stop" | b"error" => true,
            _ => self.is_last_of(id) && !self.slots.iter().any(|slot| slot.runs_on == Some(id)),
        }
    }

    /// True when no event after this one goes on with the text of `id`.
    pub(super) fn is_last_of(&self, id: SlotId) -> bool {
        self.finished.contains(&id.index)
    }
}

/// A fragment whose indices are not known before the whole event is read.
#[derive(Clone, Copy)]
struct Fragment {
    slot: usize,
    choice: Option<usize>,
    tool: Option<usize>,
    field: Field,
}

struct Reader<'d> {
    data: &'d [u8],
    event: Event,
    /// (position in `choices`, its `index`).
    choices: Vec<(usize, u64)>,
    /// (position in `choices`, position in `tool_calls`, its `index`).
    tools: Vec<(usize, usize, u64)>,
    fragments: Vec<Fragment>,
    /// Positions in `choices` that have a `finish_reason`.
    finished: Vec<usize>,
}

impl<'d> Reader<'d> {
    fn keys<'p>(&self, path: &'p [Frame]) -> Keys<'d, 'p> {
        Keys { data: self.data, path }
    }

    fn finish(mut self) -> Event {
        let choice_index = |at| self.choices.iter().find(|c| c.0 == at).map_or(0, |c| c.1);
        self.event.finished = self.finished.iter().map(|&at| choice_index(at)).collect();
        for fragment in &self.fragments {
            let index = fragment.choice.map_or(self.event.index.unwrap_or(0), choice_index);
            let tool = self
                .tools
                .iter()
                .find(|t| Some(t.0) == fragment.choice && Some(t.1) == fragment.tool)
                .map_or(0, |t| t.2);
            self.event.slots[fragment.slot].runs_on = Some(SlotId { index, tool, field: fragment.field });
        }
        self.event
    }
}

/// The keys that lead to a value.
struct Keys<'d, 'p> {
    data: &'d [u8],
    path: &'p [Frame],
}

impl Keys<'_, '_> {
    fn key(&self, depth: usize) -> &[u8] {
        self.path.get(depth).map_or(&[], |frame| &self.data[frame.key.clone()])
    }

    fn item(&self, depth: usize) -> usize {
        self.path.get(depth).map_or(0, |frame| frame.index)
    }

    /// The field of a fragment at this path, with its choice and tool call.
    fn fragment(&self) -> Option<(Field, Option<usize>, Option<usize>)> {
        match (self.path.len(), self.key(0)) {
            // {"delta":{"text":…}}
            (2, b"delta") => match self.key(1) {
                b"text" => Some((Field::Text, None, None)),
                b"partial_json" => Some((Field::Arguments, None, None)),
                b"content" => Some((Field::Content, None, None)),
                _ => None,
            },
            // {"choices":[{"text":…}]}
            (3, b"choices") if self.key(2) == b"text" => Some((Field::Text, Some(self.item(1)), None)),
            // {"choices":[{"delta":{"content":…}}]}
            (4, b"choices") if self.key(2) == b"delta" => match self.key(3) {
                b"content" => Some((Field::Content, Some(self.item(1)), None)),
                b"refusal" => Some((Field::Refusal, Some(self.item(1)), None)),
                b"reasoning_content" | b"reasoning" => Some((Field::Reasoning, Some(self.item(1)), None)),
                _ => None,
            },
            // {"choices":[{"delta":{"function_call":{"arguments":…}}}]}
            (5, b"choices") if self.key(3) == b"function_call" && self.key(4) == b"arguments" => {
                Some((Field::Arguments, Some(self.item(1)), None))
            }
            // {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":…}}]}}]}
            (7, b"choices") if self.key(3) == b"tool_calls" && matches!(self.key(6), b"arguments" | b"input") => {
                Some((Field::Arguments, Some(self.item(1)), Some(self.item(4))))
            }
            _ => None,
        }
    }
}

impl Visitor for Reader<'_> {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place == Place::Free {
            self.event.slots.push(Slot { span: inside, depth: 1, runs_on: None });
        }
    }

    fn string(&mut self, path: &[Frame], place: Place, inside: Range<usize>) {
        let keys = self.keys(path);
        if path.len() == 1 && keys.key(0) == b"type" {
            self.event.event_type = self.data[inside.clone()].to_vec();
        }
        if path.len() == 3 && keys.key(0) == b"choices" && keys.key(2) == b"finish_reason" {
            self.finished.push(keys.item(1));
        }
        if !place.may_restore() {
            return;
        }
        let fragment = self.keys(path).fragment();
        if let Some((field, choice, tool)) = fragment {
            self.fragments.push(Fragment { slot: self.event.slots.len(), choice, tool, field });
        }
        let depth = if place == Place::JsonText { 2 } else { 1 };
        self.event.slots.push(Slot { span: inside, depth, runs_on: None });
    }

    fn scalar(&mut self, path: &[Frame], span: Range<usize>) {
        let Some(value) = std::str::from_utf8(&self.data[span]).ok().and_then(|digits| digits.parse().ok()) else {
            return;
        };
        let keys = self.keys(path);
        // a document may be one bare number
        let Some(innermost) = path.len().checked_sub(1) else { return };
        match (path.len(), keys.key(0), keys.key(innermost)) {
            (1, b"index", _) => self.event.index = Some(value),
            (3, b"choices", b"index") => {
                let at = keys.item(1);
                self.choices.push((at, value));
            }
            (6, b"choices", b"index") if keys.key(3) == b"tool_calls" => {
                let (choice, tool) = (keys.item(1), keys.item(4));
                self.tools.push((choice, tool, value));
            }
            _ => {}
        }
    }
}
