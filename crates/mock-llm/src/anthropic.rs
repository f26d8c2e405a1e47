//! Anthropic's Messages format.

use serde::Serialize;

use crate::answer::{Answer, Block, Ending, Input};
use crate::json::Json;
use crate::prompt::sign;
use crate::script::Script;
use crate::sse::{Step, Steps, named};

#[derive(Serialize)]
struct Message {
    model: String,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    content: Vec<Content>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<String>,
    usage: Usage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Content {
    Text { text: String },
    Thinking { thinking: String, signature: String },
    ToolUse { id: String, name: String, input: ToolInput },
}

#[derive(Serialize)]
#[serde(untagged)]
enum ToolInput {
    Whole(Input),
    Empty {},
}

#[derive(Serialize)]
struct Usage {
    input_tokens: usize,
    cache_creation_input_tokens: usize,
    cache_read_input_tokens: usize,
    output_tokens: usize,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart { message: Message },
    ContentBlockStart { index: usize, content_block: Content },
    Ping,
    ContentBlockDelta { index: usize, delta: Delta },
    ContentBlockStop { index: usize },
    MessageDelta { delta: End, usage: OutputUsage },
    MessageStop,
    Error { error: Fault },
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::Ping => "ping",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
            Self::Error { .. } => "error",
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
}

#[derive(Serialize)]
struct End {
    stop_reason: &'static str,
    stop_sequence: Option<String>,
}

#[derive(Serialize)]
struct OutputUsage {
    output_tokens: usize,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "error")]
struct ErrorBody {
    error: Fault,
    request_id: String,
}

#[derive(Serialize)]
struct Fault {
    #[serde(rename = "type")]
    kind: &'static str,
    message: String,
}

#[derive(Serialize)]
struct TokenCount {
    input_tokens: usize,
}

/// The answer as one JSON document.
pub(crate) fn whole(answer: &Answer) -> String {
    let content = answer.blocks.iter().enumerate().map(|(index, block)| content(answer.seq, index, block));
    answer.json.text(&message(answer, content.collect(), Some(stop_reason(answer)), answer.output_tokens()))
}

/// What stands before and after the text in a document whose content is one text.
pub(crate) fn around_text(answer: &Answer) -> (String, String) {
    let content = vec![Content::Text { text: String::new() }];
    let empty = answer.json.text(&message(answer, content, Some(stop_reason(answer)), answer.output_tokens()));
    let (before, after) = empty.split_once(r#""text":"""#).unwrap_or_default();
    (format!(r#"{before}"text":""#), format!("\"{after}"))
}

/// The answer as a stream of events.
pub(crate) fn stream(answer: Answer) -> Steps {
    let (json, seq, delta_bytes) = (answer.json, answer.seq, answer.delta_bytes);
    let step = move |event: Event| named(event.name(), &json.text(&event));

    let start = step(Event::MessageStart { message: message(&answer, Vec::new(), None, 1) });
    let end = match &answer.ending {
        Ending::Complete => vec![
            step(Event::MessageDelta {
                delta: End { stop_reason: stop_reason(&answer), stop_sequence: None },
                usage: OutputUsage { output_tokens: answer.output_tokens() },
            }),
            step(Event::MessageStop),
        ],
        Ending::Error(message) => {
            let error = Fault { kind: "overloaded_error", message: message.clone() };
            vec![step(Event::Error { error })]
        }
        // What was sent before gets the time to arrive: a reset takes back what nobody has read yet.
        Ending::Abort => vec![Step::Pause, Step::Abort],
    };
    let complete = answer.ending == Ending::Complete;
    let blocks = answer.blocks.into_iter().enumerate().flat_map(move |(index, block)| {
        let content_block = opening(seq, index, &block);
        let ping = (index == 0).then(|| step(Event::Ping));
        let stop = complete.then(|| step(Event::ContentBlockStop { index }));
        let deltas = deltas(block, delta_bytes, json)
            .flat_map(move |delta| [Step::Pause, step(Event::ContentBlockDelta { index, delta })]);
        [step(Event::ContentBlockStart { index, content_block })].into_iter().chain(ping).chain(deltas).chain(stop)
    });
    Box::new(std::iter::once(start).chain(blocks).chain(end))
}

/// The answer to a request for a count of tokens.
pub(crate) fn token_count(input_tokens: usize) -> String {
    Json::default().text(&TokenCount { input_tokens })
}

/// An error document.
pub(crate) fn error(json: Json, status: u16, message: String, seq: u64) -> String {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json.text(&ErrorBody { error: Fault { kind, message }, request_id: request_id(seq) })
}

/// The id the API gives to request `seq`.
pub(crate) fn request_id(seq: u64) -> String {
    format!("req_mock{seq:08}")
}

fn message(answer: &Answer, content: Vec<Content>, stop_reason: Option<&'static str>, output_tokens: usize) -> Message {
    Message {
        model: answer.model.clone(),
        id: format!("msg_mock{:08}", answer.seq),
        kind: "message",
        role: "assistant",
        content,
        stop_reason,
        stop_sequence: None,
        usage: Usage {
            input_tokens: answer.input_tokens,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            output_tokens,
        },
    }
}

fn stop_reason(answer: &Answer) -> &'static str {
    if answer.calls_tool() { "tool_use" } else { "end_turn" }
}

fn tool_id(seq: u64, index: usize) -> String {
    format!("toolu_mock{seq:08}x{index}")
}

/// A block as it stands in a whole answer.
fn content(seq: u64, index: usize, block: &Block) -> Content {
    match block {
        Block::Text(script) => Content::Text { text: script.whole() },
        Block::Thinking(thinking) => Content::Thinking { thinking: thinking.clone(), signature: sign(thinking) },
        Block::Tool { name, input } => {
            Content::ToolUse { id: tool_id(seq, index), name: name.clone(), input: ToolInput::Whole(input.clone()) }
        }
    }
}

/// A block as it starts in a stream.
fn opening(seq: u64, index: usize, block: &Block) -> Content {
    match block {
        Block::Text(_) => Content::Text { text: String::new() },
        Block::Thinking(_) => Content::Thinking { thinking: String::new(), signature: String::new() },
        Block::Tool { name, .. } => {
            Content::ToolUse { id: tool_id(seq, index), name: name.clone(), input: ToolInput::Empty {} }
        }
    }
}

fn deltas(block: Block, delta_bytes: usize, json: Json) -> Box<dyn Iterator<Item = Delta> + Send> {
    match block {
        Block::Text(script) => Box::new(script.pieces(delta_bytes).map(|text| Delta::Text { text })),
        Block::Thinking(thinking) => {
            let signature = Delta::Signature { signature: sign(&thinking) };
            let script = Script::once(thinking);
            let pieces = script.pieces(delta_bytes).map(|thinking| Delta::Thinking { thinking });
            Box::new(pieces.chain([signature]))
        }
        Block::Tool { input, .. } => {
            let script = Script::once(input.text(json));
            let pieces = script.pieces(delta_bytes);
            // the real stream starts with an empty fragment
            let fragments = std::iter::once(String::new()).chain(pieces);
            Box::new(fragments.map(|partial_json| Delta::InputJson { partial_json }))
        }
    }
}
