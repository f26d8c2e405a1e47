//! What a stream event says: which of its strings are whole, and which are fragments of a text that runs on.

use std::collections::HashSet;
use std::ops::Range;

use crate::Result;
use crate::json::{Frame, Visitor, walk};
use crate::wire::Place;

/// Which text a fragment belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct SlotId {
    /// Content block index, choice index, or index of an output item.
    index: u64,
    /// Index of the tool call in a choice, or of the part of an item.
    part: u64,
    field: Field,
}

/// The fields that carry fragments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Field {
    Text,
    Refusal,
    Reasoning,
    Arguments,
    Content,
    Transcript,
    /// Of a line that says whether the answer is done.
    Line,
    /// What a model thinks, under a name that not all vendors share; an argument of a call of Gemini, by its path.
    Named(u64),
    /// `delta`, or `delta.stdout` and `delta.stderr`, of a family of events of the Responses API.
    Response {
        family: u64,
        member: Option<Member>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Member {
    Stdout,
    Stderr,
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

/// How the rest of a text is said that has to leave by itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// As the event that its last fragment came with.
    #[default]
    Repeated,
    /// With the text alone, in an event of Gemini: the others of its parts are calls, which must not be made twice.
    Candidate {
        /// Behind what Gemini's own clients have around it.
        is_wrapped: bool,
    },
}

impl Rest {
    /// What stands before and after the rest of the text of `id`, if it is not said with the event that it came with.
    pub(super) fn around(self, id: SlotId) -> Option<[Vec<u8>; 2]> {
        let Self::Candidate { is_wrapped } = self else { return None };
        if !matches!(id.field, Field::Text | Field::Reasoning) {
            return None;
        }
        let thought = if id.field == Field::Reasoning { "\"thought\":true," } else { "" };
        let (open, close) = if is_wrapped { ("{\"response\":", "}") } else { ("", "") };
        let before = format!("data: {open}{{\"candidates\":[{{\"content\":{{\"parts\":[{{{thought}\"text\":\"");
        let after = format!("\"}}],\"role\":\"model\"}},\"index\":{}}}]}}{close}\n\n", id.index);
        Some([before.into_bytes(), after.into_bytes()])
    }
}

/// What an event's data says.
#[derive(Debug, Default)]
pub(super) struct Event {
    /// In order.
    pub(super) slots: Vec<Slot>,
    /// It must not be said twice, even with other text: it has a number in the stream, or says more than one thing that
    /// clients put together.
    pub(super) is_unique: bool,
    pub(super) rest: Rest,
    kind: Kind,
    /// By a hash, the event of an agent's session that this is.
    whole: Option<u64>,
    index: Option<u64>,
    part: Option<u64>,
    /// Choices whose `finish_reason` is set, in order.
    finished: Vec<u64>,
    /// Candidates of Gemini that this event has, in order: each says all that it says of a text in one stretch of events.
    candidates: Vec<u64>,
}

/// What the `type` of an event means to texts that run on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    /// Ends the texts of its index.
    BlockStop,
    /// Ends every text.
    End,
    /// `<family>.delta`
    Delta(u64),
    /// `<family>.done`
    Done(u64),
    /// Ends the texts of its item.
    ItemDone,
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
            depth_of_deltas: 1,
            choices: Vec::new(),
            thoughts: Vec::new(),
            arguments: Vec::new(),
            candidates: Vec::new(),
            ends_block: false,
            is_line: false,
            tools: Vec::new(),
            items: Vec::new(),
            fragments: Vec::new(),
            strings_of_deltas: 0,
            finished: Vec::new(),
        };
        walk(data, &mut reader)?;
        Ok(reader.finish())
    }

    /// True when this event ends the text of `id`, so that what is held of it has to leave before.
    pub(super) fn ends(&self, id: SlotId) -> bool {
        match self.kind {
            Kind::BlockStop | Kind::ItemDone => self.index == Some(id.index),
            Kind::End => true,
            Kind::Done(ended) => {
                self.index.unwrap_or(0) == id.index
                    && self.part.unwrap_or(0) == id.part
                    && matches!(id.field, Field::Response { family, .. } if family == ended)
            }
            Kind::Other if self.whole == Some(id.index) => true,
            Kind::Delta(_) | Kind::Other => {
                (self.is_last_of(id) || self.candidates.binary_search(&id.index).is_ok())
                    && !self.slots.iter().any(|slot| slot.runs_on == Some(id))
            }
        }
    }

    /// True when no event after this one goes on with the text of `id`.
    fn is_last_of(&self, id: SlotId) -> bool {
        self.finished.binary_search(&id.index).is_ok()
    }

    /// Which of the slots end their text, each being the last one of it in this event; empty where none does.
    pub(super) fn ended_slots(&self) -> Vec<bool> {
        if self.finished.is_empty() {
            return Vec::new();
        }
        let mut later = HashSet::new();
        let mut ended: Vec<bool> = self
            .slots
            .iter()
            .rev()
            .map(|slot| slot.runs_on.is_some_and(|id| self.is_last_of(id) && later.insert(id)))
            .collect();
        ended.reverse();
        ended
    }
}

/// A fragment whose indices are not known before the whole event is read.
#[derive(Clone, Copy)]
struct Fragment {
    slot: usize,
    choice: Option<usize>,
    tool: Option<usize>,
    /// Position in the list of an Assistants delta.
    item: Option<usize>,
    /// Position of an argument of Gemini, as in [`Reader::arguments`].
    argument: Option<[usize; 3]>,
    field: Option<Field>,
    member: Option<Member>,
}

impl Fragment {
    fn new(field: Field) -> Self {
        Self { slot: 0, choice: None, tool: None, item: None, argument: None, field: Some(field), member: None }
    }
}

struct Reader<'d> {
    data: &'d [u8],
    event: Event,
    /// How deep the text of a `delta` is whose event says so by its type.
    depth_of_deltas: u8,
    /// (position in `choices` or `candidates`, its `index`).
    choices: Vec<(usize, u64)>,
    /// (position in `candidates`, position in its `parts`) of what the model thinks.
    thoughts: Vec<(usize, usize)>,
    /// (position in `candidates`, in its `parts`, in the arguments of a call, a hash of the argument's path).
    arguments: Vec<([usize; 3], u64)>,
    /// Positions in `candidates` that are there.
    candidates: Vec<usize>,
    /// Of Converse: the event is one of a block, and its end where there is no delta.
    ends_block: bool,
    /// Of Ollama and Cohere: the event says whether the answer is done.
    is_line: bool,
    /// (position in `choices`, position in `tool_calls`, its `index`).
    tools: Vec<(usize, usize, u64)>,
    /// (position in the list of an Assistants delta, its `index`).
    items: Vec<(usize, u64)>,
    fragments: Vec<Fragment>,
    /// Strings that are not empty in the deltas of choices.
    strings_of_deltas: usize,
    /// Positions in `choices` that have a `finish_reason`.
    finished: Vec<usize>,
}

impl<'d> Reader<'d> {
    fn keys<'p>(&self, path: &'p [Frame]) -> Keys<'d, 'p> {
        Keys { data: self.data, path }
    }

    fn finish(mut self) -> Event {
        // What was noted of positions is in their order: an event may have as many as it has bytes to say them with.
        let choice_index = |at| index_at(&self.choices, at, |c| c.0).map_or(0, |c| c.1);
        self.event.finished.extend(self.finished.iter().map(|&at| choice_index(at)));
        self.event.finished.sort_unstable();
        self.event.finished.dedup();
        if self.ends_block && self.event.kind == Kind::Other && self.fragments.is_empty() {
            self.event.kind = Kind::BlockStop;
        }
        self.event.candidates.extend(self.candidates.iter().map(|&at| choice_index(at)));
        self.event.candidates.sort_unstable();
        self.event.candidates.dedup();
        for fragment in &self.fragments {
            let slot = &mut self.event.slots[fragment.slot];
            let thought = |at| fragment.item.is_some_and(|part| self.thoughts.binary_search(&(at, part)).is_ok());
            let field = match (fragment.field, self.event.kind) {
                (Some(Field::Text), _) if fragment.choice.is_some_and(thought) => Field::Reasoning,
                (Some(Field::Named(_)), _) if fragment.argument.is_some() => {
                    let path = fragment.argument.and_then(|at| index_at(&self.arguments, at, |argument| argument.0));
                    Field::Named(path.map_or(0, |(_, path)| *path))
                }
                // A message that says nothing of that is whole.
                (Some(Field::Line), _) if !self.is_line => continue,
                (Some(field), _) => field,
                (None, Kind::Delta(family)) => {
                    slot.depth = self.depth_of_deltas;
                    Field::Response { family, member: fragment.member }
                }
                (None, _) => continue,
            };
            let index = fragment.choice.map_or(self.event.index.unwrap_or(0), choice_index);
            let tool = fragment.choice.zip(fragment.tool);
            let tool = tool.and_then(|at| index_at(&self.tools, at, |tool| (tool.0, tool.1)));
            let item = fragment.item.and_then(|at| index_at(&self.items, at, |item| item.0));
            let part = match (fragment.choice, fragment.item) {
                (Some(_), _) => tool.map(|t| t.2),
                (None, Some(_)) => item.map(|item| item.1),
                (None, None) => self.event.part,
            };
            slot.runs_on = Some(SlotId { index, part: part.unwrap_or(0), field });
        }
        self.event
    }

    fn read_type(&mut self, event_type: &[u8]) {
        self.event.kind = match event_type {
            b"content_block_start" => {
                // A block begins once.
                self.event.is_unique = true;
                Kind::Other
            }
            // Cohere's calls of tools come after what it plans to do with them.
            b"content_block_stop" | b"content-end" | b"tool-call-start" | b"tool-call-end" => Kind::BlockStop,
            b"message-end"
            | b"message_delta"
            | b"message_stop"
            | b"error"
            | b"response.completed"
            | b"response.incomplete"
            | b"response.failed"
            | b"span.model_request_end" => Kind::End,
            b"response.output_item.done" => Kind::ItemDone,
            // Sound, in base64.
            b"response.audio.delta" | b"response.output_audio.delta" => Kind::Other,
            other => match (other.strip_suffix(b".delta"), other.strip_suffix(b".done")) {
                (Some(family), _) => {
                    self.depth_of_deltas = if family.ends_with(b"arguments") { 2 } else { 1 };
                    Kind::Delta(digest(family))
                }
                (None, Some(family)) => Kind::Done(digest(family)),
                (None, None) => Kind::Other,
            },
        };
    }
}

/// The first of `noted` at `position`.
fn index_at<T, P: Ord>(noted: &[T], position: P, position_of: impl Fn(&T) -> P) -> Option<&T> {
    let at = noted.partition_point(|one| position_of(one) < position);
    noted.get(at).filter(|one| position_of(one) == position)
}

/// Whether an object of the Assistants API ends the texts that its deltas say.
fn is_whole_of_assistant(object: &[u8]) -> bool {
    object.starts_with(b"thread.") && !object.ends_with(b".delta")
}

/// FNV-1a: tells the families of events apart, those that are yet to be invented too.
fn digest(family: &[u8]) -> u64 {
    family.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &c| (hash ^ u64::from(c)).wrapping_mul(0x100_0000_01b3))
}

/// The path to a value without what Gemini's own clients have around an answer.
fn unwrapped<'p>(data: &[u8], path: &'p [Frame]) -> &'p [Frame] {
    match path {
        [outer, rest @ ..] if rest.first().is_some_and(|frame| data[frame.key.clone()] == *b"candidates") => {
            if data[outer.key.clone()] == *b"response" { rest } else { path }
        }
        _ => path,
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

    /// What the string at this path is a fragment of.
    fn fragment(&self) -> Option<Fragment> {
        match (self.path.len(), self.key(0)) {
            // {"completion":"…"}, of the API that came before Messages
            (1, b"completion") => Some(Fragment::new(Field::Text)),
            // {"content_block":{"text":…}}: what the deltas go on with
            (2, b"content_block") if self.key(1) == b"text" => Some(Fragment::new(Field::Text)),
            // {"delta":"…"}
            (1, b"delta") => Some(Fragment { field: None, ..Fragment::new(Field::Text) }),
            // {"delta":{"text":…}}
            (2, b"delta") => match self.key(1) {
                b"text" => Some(Fragment::new(Field::Text)),
                b"partial_json" => Some(Fragment::new(Field::Arguments)),
                b"content" => Some(Fragment::new(Field::Content)),
                b"stdout" => Some(Fragment { field: None, member: Some(Member::Stdout), ..Fragment::new(Field::Text) }),
                b"stderr" => Some(Fragment { field: None, member: Some(Member::Stderr), ..Fragment::new(Field::Text) }),
                _ => None,
            },
            // {"delta":{"toolUse":{"input":…}}}, of Bedrock's Converse
            (3, b"delta") if self.key(1) == b"toolUse" && self.key(2) == b"input" => {
                Some(Fragment::new(Field::Arguments))
            }
            // {"delta":{"content":{"text":…}}}, of an event that an agent's session previews
            (3, b"delta") if self.key(1) == b"content" && self.key(2) == b"text" => Some(Fragment::new(Field::Content)),
            (3.., b"delta") if self.key(1) == b"message" => Some(Fragment::new(self.field_of_cohere()?)),
            // {"message":{"content":…},"done":false} and {"response":…,"done":false}, of Ollama;
            // {"text":…,"is_finished":false}, of Cohere's v1
            (2, b"message") if self.key(1) == b"content" => Some(Fragment::new(Field::Line)),
            (1, b"response" | b"text") => Some(Fragment::new(Field::Line)),
            // {"event":{"delta":{"text":…}}}, of Llama's
            (3, b"event") if self.key(1) == b"delta" && self.key(2) == b"text" => Some(Fragment::new(Field::Text)),
            // {"candidates":[{"content":{"parts":[{"text":…}]}}]}
            (6, b"candidates") if self.key(3) == b"parts" && self.key(5) == b"text" => {
                Some(Fragment { choice: Some(self.item(1)), item: Some(self.item(4)), ..Fragment::new(Field::Text) })
            }
            // {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":…,"stringValue":…}]}}]}}]}
            (9, b"candidates") if self.key(6) == b"partialArgs" && self.key(8) == b"stringValue" => Some(Fragment {
                choice: Some(self.item(1)),
                argument: Some([self.item(1), self.item(4), self.item(7)]),
                ..Fragment::new(Field::Named(0))
            }),
            (4.., b"delta") => {
                let (field, item) = self.fragment_of_assistant()?;
                Some(Fragment { item: Some(item), ..Fragment::new(field) })
            }
            (3.., b"choices") => {
                let (field, tool) = self.fragment_of_choice()?;
                Some(Fragment { choice: Some(self.item(1)), tool, ..Fragment::new(field) })
            }
            _ => None,
        }
    }

    fn field_of_cohere(&self) -> Option<Field> {
        match (self.path.len(), self.key(2), self.key(3), self.key(4)) {
            // {"delta":{"message":{"tool_plan":…}}}
            (3, b"tool_plan", ..) => Some(Field::Reasoning),
            // {"delta":{"message":{"content":{"text":…}}}}
            (4, b"content", b"text", _) => Some(Field::Content),
            // {"delta":{"message":{"tool_calls":{"function":{"arguments":…}}}}}
            (5, b"tool_calls", b"function", b"arguments") => Some(Field::Arguments),
            _ => None,
        }
    }

    /// Of a `thread.message.delta` or a `thread.run.step.delta`: the field, and the position of the part.
    fn fragment_of_assistant(&self) -> Option<(Field, usize)> {
        match (self.path.len(), self.key(1), self.key(2), self.key(3), self.key(4), self.key(5)) {
            // {"delta":{"content":[{"text":{"value":…}}]}}
            (5, b"content", _, b"text", b"value", _) => Some((Field::Content, self.item(2))),
            (4, b"content", _, b"refusal", ..) => Some((Field::Refusal, self.item(2))),
            // {"delta":{"step_details":{"tool_calls":[{"function":{"arguments":…}}]}}}
            (6, b"step_details", b"tool_calls", _, b"function", b"arguments")
            | (6, b"step_details", b"tool_calls", _, b"code_interpreter", b"input") => {
                Some((Field::Arguments, self.item(3)))
            }
            _ => None,
        }
    }

    fn fragment_of_choice(&self) -> Option<(Field, Option<usize>)> {
        match (self.path.len(), self.key(2), self.key(3), self.key(4)) {
            // {"choices":[{"text":…}]}
            (3, b"text", ..) => Some((Field::Text, None)),
            // {"choices":[{"delta":{"content":…}}]}
            (4, b"delta", b"content", _) => Some((Field::Content, None)),
            // {"choices":[{"delta":{"content":[{"text":…}]}}]}
            (6, b"delta", b"content", _) if self.key(5) == b"text" => Some((Field::Content, None)),
            (4, b"delta", b"refusal", _) => Some((Field::Refusal, None)),
            // `reasoning_content`, `reasoning_text`: some vendors say the same under two of them
            (4, b"delta", key, _) if key.starts_with(b"reasoning") => Some((Field::Named(digest(key)), None)),
            (5, b"delta", b"function_call", b"arguments") => Some((Field::Arguments, None)),
            (5, b"delta", b"audio", b"transcript") => Some((Field::Transcript, None)),
            // {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":…}}]}}]}
            (7, b"delta", b"tool_calls", _) if matches!(self.key(6), b"arguments" | b"input") => {
                Some((Field::Arguments, Some(self.item(4))))
            }
            _ => None,
        }
    }
}

impl Visitor for Reader<'_> {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place.may_restore() && place.may_rename(&self.data[inside.clone()]) {
            self.event.slots.push(Slot { span: inside, depth: 1, runs_on: None });
        }
    }

    fn string(&mut self, path: &[Frame], place: Place, inside: Range<usize>) {
        let outer = path.len();
        let path = unwrapped(self.data, path);
        let keys = self.keys(path);
        if path.len() >= 3 && keys.key(0) == b"candidates" {
            self.event.is_unique = true;
            self.event.rest = Rest::Candidate { is_wrapped: outer > path.len() };
            if path.len() == 3 && keys.key(2) == b"finishReason" {
                self.finished.push(keys.item(1));
            }
            if path.len() == 9 && keys.key(6) == b"partialArgs" && keys.key(8) == b"jsonPath" {
                let at = [keys.item(1), keys.item(4), keys.item(7)];
                self.arguments.push((at, digest(&self.data[inside.clone()])));
            }
            if self.candidates.last() != Some(&keys.item(1)) {
                self.candidates.push(keys.item(1));
            }
        }
        if path.len() == 2
            && keys.key(0) == b"event"
            && keys.key(1) == b"event_type"
            && self.data[inside.clone()] == *b"complete"
        {
            self.event.kind = Kind::End;
        }
        if path.len() == 1 && keys.key(0) == b"type" {
            self.read_type(&self.data[inside.clone()]);
        }
        // Events of the Assistants API have their type beside the data; the data is the whole object, or a delta.
        if path.len() == 1 && keys.key(0) == b"object" && is_whole_of_assistant(&self.data[inside.clone()]) {
            self.event.kind = Kind::End;
        }
        match (path.len(), keys.key(0)) {
            (1, b"event_id") => self.event.index = Some(digest(&self.data[inside.clone()])),
            (1, b"id") => self.event.whole = Some(digest(&self.data[inside.clone()])),
            _ => {}
        }
        if path.len() == 3 && keys.key(0) == b"choices" && keys.key(2) == b"finish_reason" {
            self.finished.push(keys.item(1));
        }
        // {"completion":"","stop_reason":"stop_sequence"}
        if path.len() == 1 && keys.key(0) == b"stop_reason" {
            self.event.finished.push(0);
        }
        let fragment = if place.may_restore() { keys.fragment() } else { None };
        if path.len() >= 4 && keys.key(0) == b"choices" && keys.key(2) == b"delta" && !inside.is_empty() {
            self.strings_of_deltas += 1;
            self.event.is_unique |= self.strings_of_deltas > 1;
        }
        // Clients put these together too, and they are those of all of the text.
        self.event.is_unique |= path.len() >= 4 && keys.key(0) == b"choices" && keys.key(2) == b"logprobs";
        if !place.may_restore() {
            return;
        }
        if let Some(fragment) = fragment {
            self.fragments.push(Fragment { slot: self.event.slots.len(), ..fragment });
        }
        // Of Converse: what is an object in whole answers comes as its text.
        let is_json = place == Place::JsonText
            || path.len() == 3 && keys.key(0) == b"delta" && keys.key(1) == b"toolUse" && keys.key(2) == b"input";
        self.event.slots.push(Slot { span: inside, depth: if is_json { 2 } else { 1 }, runs_on: None });
    }

    fn scalar(&mut self, path: &[Frame], _place: Place, span: Range<usize>) {
        let path = unwrapped(self.data, path);
        if path.is_empty() {
            return;
        }
        let keys = self.keys(path);
        if path.len() == 6
            && keys.key(3) == b"parts"
            && keys.key(5) == b"thought"
            && self.data[span.clone()] == *b"true"
        {
            self.thoughts.push((keys.item(1), keys.item(4)));
        }
        if path.len() == 1 && matches!(keys.key(0), b"done" | b"is_finished") {
            self.is_line = true;
            if self.data[span.clone()] == *b"true" {
                self.event.finished.push(0);
            }
        }
        let last = keys.key(path.len() - 1);
        let place = match (path.len(), keys.key(0), last) {
            (1, b"index" | b"output_index" | b"contentBlockIndex", _)
            | (1, b"content_index" | b"summary_index" | b"command_index", _)
            | (1, b"sequence_number", _)
            | (2, b"delta", b"index")
            | (3 | 6, b"choices", b"index")
            | (3, b"candidates", b"index")
            | (4 | 5, b"delta", b"index") => path.len(),
            _ => return,
        };
        let digits = &self.data[span];
        let Some(value) = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) else { return };
        match (place, last) {
            (1, b"contentBlockIndex") => {
                self.event.index = Some(value);
                self.ends_block = true;
            }
            (1, b"index" | b"output_index") => self.event.index = Some(value),
            (1, b"sequence_number") => self.event.is_unique = true,
            (1 | 2, _) => self.event.part = Some(value),
            (3, _) => {
                let at = keys.item(1);
                self.choices.push((at, value));
            }
            (4, _) if keys.key(1) == b"content" => self.items.push((keys.item(2), value)),
            (5, _) if keys.key(2) == b"tool_calls" => self.items.push((keys.item(3), value)),
            _ if keys.key(3) == b"tool_calls" => {
                let (choice, tool) = (keys.item(1), keys.item(4));
                self.tools.push((choice, tool, value));
            }
            _ => {}
        }
    }
}
