//! OpenAI's Responses format.

use serde::Serialize;
use serde_json::Value;

use crate::answer::{Answer, Block, Ending};
use crate::openai::now;
use crate::prompt::seal;
use crate::script::Script;
use crate::sse::{Step, Steps, named};

#[derive(Clone, Serialize)]
struct Response {
    id: String,
    object: &'static str,
    created_at: u64,
    status: &'static str,
    error: Option<()>,
    incomplete_details: Option<()>,
    instructions: Value,
    max_output_tokens: Option<usize>,
    model: String,
    output: Vec<Item>,
    parallel_tool_calls: bool,
    previous_response_id: Option<String>,
    store: bool,
    temperature: f32,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: f32,
    truncation: &'static str,
    usage: Option<Usage>,
    metadata: Value,
}

#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    Message { id: String, status: &'static str, role: &'static str, content: Vec<Part> },
    Reasoning { id: String, summary: Vec<Part>, encrypted_content: String },
    FunctionCall { id: String, status: &'static str, call_id: String, name: String, arguments: String },
}

impl Item {
    fn id(&self) -> String {
        let (Self::Message { id, .. } | Self::Reasoning { id, .. } | Self::FunctionCall { id, .. }) = self;
        id.clone()
    }
}

#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    OutputText { text: String, annotations: [(); 0] },
    SummaryText { text: String },
}

#[derive(Clone, Serialize)]
struct Usage {
    input_tokens: usize,
    input_tokens_details: CachedTokens,
    output_tokens: usize,
    output_tokens_details: ReasoningTokens,
    total_tokens: usize,
}

#[derive(Clone, Serialize)]
struct CachedTokens {
    cached_tokens: usize,
}

#[derive(Clone, Serialize)]
struct ReasoningTokens {
    reasoning_tokens: usize,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.created")]
    Created { response: Response },
    #[serde(rename = "response.in_progress")]
    InProgress { response: Response },
    #[serde(rename = "response.output_item.added")]
    ItemAdded { output_index: usize, item: Item },
    #[serde(rename = "response.content_part.added")]
    PartAdded { item_id: String, output_index: usize, content_index: usize, part: Part },
    #[serde(rename = "response.output_text.delta")]
    TextDelta { item_id: String, output_index: usize, content_index: usize, delta: String, logprobs: [(); 0] },
    #[serde(rename = "response.output_text.done")]
    TextDone { item_id: String, output_index: usize, content_index: usize, text: String, logprobs: [(); 0] },
    #[serde(rename = "response.content_part.done")]
    PartDone { item_id: String, output_index: usize, content_index: usize, part: Part },
    #[serde(rename = "response.reasoning_summary_part.added")]
    SummaryAdded { item_id: String, output_index: usize, summary_index: usize, part: Part },
    #[serde(rename = "response.reasoning_summary_text.delta")]
    SummaryDelta { item_id: String, output_index: usize, summary_index: usize, delta: String },
    #[serde(rename = "response.reasoning_summary_text.done")]
    SummaryTextDone { item_id: String, output_index: usize, summary_index: usize, text: String },
    #[serde(rename = "response.reasoning_summary_part.done")]
    SummaryDone { item_id: String, output_index: usize, summary_index: usize, part: Part },
    #[serde(rename = "response.function_call_arguments.delta")]
    ArgumentsDelta { item_id: String, output_index: usize, delta: String },
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone { item_id: String, output_index: usize, name: String, arguments: String },
    #[serde(rename = "response.output_item.done")]
    ItemDone { output_index: usize, item: Item },
    #[serde(rename = "response.completed")]
    Completed { response: Response },
    #[serde(rename = "error")]
    Error { code: &'static str, message: String, param: Option<()> },
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "response.created",
            Self::InProgress { .. } => "response.in_progress",
            Self::ItemAdded { .. } => "response.output_item.added",
            Self::PartAdded { .. } => "response.content_part.added",
            Self::TextDelta { .. } => "response.output_text.delta",
            Self::TextDone { .. } => "response.output_text.done",
            Self::PartDone { .. } => "response.content_part.done",
            Self::SummaryAdded { .. } => "response.reasoning_summary_part.added",
            Self::SummaryDelta { .. } => "response.reasoning_summary_text.delta",
            Self::SummaryTextDone { .. } => "response.reasoning_summary_text.done",
            Self::SummaryDone { .. } => "response.reasoning_summary_part.done",
            Self::ArgumentsDelta { .. } => "response.function_call_arguments.delta",
            Self::ArgumentsDone { .. } => "response.function_call_arguments.done",
            Self::ItemDone { .. } => "response.output_item.done",
            Self::Completed { .. } => "response.completed",
            Self::Error { .. } => "error",
        }
    }
}

/// An event with its number in the stream.
#[derive(Serialize)]
struct Numbered {
    #[serde(flatten)]
    event: Event,
    sequence_number: usize,
}

/// What is sent, before events have numbers.
enum Beat {
    Event(Box<Event>),
    Pause,
    Abort,
}

impl From<Event> for Beat {
    fn from(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// The id of the response to request `seq`.
pub(crate) fn response_id(seq: u64) -> String {
    format!("resp_mock{seq:08}")
}

/// The answer as one JSON document.
pub(crate) fn whole(answer: &Answer) -> String {
    answer.json.text(&completed(answer))
}

/// What stands before and after the text in a document whose content is one text.
pub(crate) fn around_text(answer: &Answer) -> (String, String) {
    let empty = Answer { blocks: vec![Block::Text(Script::once(String::new()))], ..answer.clone() };
    let document = whole(&empty);
    let (before, after) = document.split_once(r#""text":"""#).unwrap_or_default();
    (format!(r#"{before}"text":""#), format!("\"{after}"))
}

/// The answer as a stream of events.
pub(crate) fn stream(answer: Answer) -> Steps {
    let json = answer.json;
    let begun = response(&answer, "in_progress", Vec::new());
    let start = [Event::Created { response: begun.clone() }.into(), Event::InProgress { response: begun }.into()];
    let end: Vec<Beat> = match &answer.ending {
        Ending::Complete => vec![Event::Completed { response: completed(&answer) }.into()],
        Ending::Error(message) => {
            vec![Event::Error { code: "server_error", message: message.clone(), param: None }.into()]
        }
        // What was sent before gets the time to arrive: a reset takes back what nobody has read yet.
        Ending::Abort => vec![Beat::Pause, Beat::Abort],
    };
    let items = (0..answer.blocks.len()).flat_map(move |index| item_beats(&answer, index));
    let mut number = 0;
    Box::new(start.into_iter().chain(items).chain(end).map(move |beat| match beat {
        Beat::Pause => Step::Pause,
        Beat::Abort => Step::Abort,
        Beat::Event(event) => {
            let numbered = Numbered { event: *event, sequence_number: number };
            number += 1;
            named(numbered.event.name(), &json.text(&numbered))
        }
    }))
}

/// The events of one item. An answer that breaks off leaves its last item open.
fn item_beats(answer: &Answer, output_index: usize) -> Vec<Beat> {
    let Some(block) = answer.blocks.get(output_index) else { return Vec::new() };
    let whole = item(answer, output_index, block);
    let item_id = whole.id();
    let pieces = |text: &str| Script::once(text.to_owned()).pieces(answer.delta_bytes);
    let mut beats: Vec<Beat> = Vec::new();
    let mut done: Vec<Beat> = Vec::new();
    let index = 0;
    let delta = |beats: &mut Vec<Beat>, event: Event| beats.extend([Beat::Pause, event.into()]);
    match &whole {
        Item::Message { id, role, .. } => {
            let opened = Item::Message { id: id.clone(), status: "in_progress", role, content: Vec::new() };
            beats.push(Event::ItemAdded { output_index, item: opened }.into());
            let part = |text: String| Part::OutputText { text, annotations: [] };
            let empty = part(String::new());
            beats.push(
                Event::PartAdded { item_id: item_id.clone(), output_index, content_index: index, part: empty }.into(),
            );
            let Block::Text(script) = block else { return beats };
            for piece in script.pieces(answer.delta_bytes) {
                let item_id = item_id.clone();
                let event =
                    Event::TextDelta { item_id, output_index, content_index: index, delta: piece, logprobs: [] };
                delta(&mut beats, event);
            }
            let text = script.whole();
            done.push(
                Event::TextDone {
                    item_id: item_id.clone(),
                    output_index,
                    content_index: index,
                    text: text.clone(),
                    logprobs: [],
                }
                .into(),
            );
            done.push(Event::PartDone { item_id, output_index, content_index: index, part: part(text) }.into());
        }
        Item::Reasoning { id, .. } => {
            let opened = Item::Reasoning { id: id.clone(), summary: Vec::new(), encrypted_content: String::new() };
            beats.push(Event::ItemAdded { output_index, item: opened }.into());
            let empty = Part::SummaryText { text: String::new() };
            beats.push(
                Event::SummaryAdded { item_id: item_id.clone(), output_index, summary_index: index, part: empty }
                    .into(),
            );
            let Block::Thinking(text) = block else { return beats };
            for piece in pieces(text) {
                let item_id = item_id.clone();
                delta(&mut beats, Event::SummaryDelta { item_id, output_index, summary_index: index, delta: piece });
            }
            let part = Part::SummaryText { text: text.clone() };
            done.push(
                Event::SummaryTextDone {
                    item_id: item_id.clone(),
                    output_index,
                    summary_index: index,
                    text: text.clone(),
                }
                .into(),
            );
            done.push(Event::SummaryDone { item_id, output_index, summary_index: index, part }.into());
        }
        Item::FunctionCall { id, call_id, name, arguments, .. } => {
            let opened = Item::FunctionCall {
                id: id.clone(),
                status: "in_progress",
                call_id: call_id.clone(),
                name: name.clone(),
                arguments: String::new(),
            };
            beats.push(Event::ItemAdded { output_index, item: opened }.into());
            for piece in pieces(arguments) {
                delta(&mut beats, Event::ArgumentsDelta { item_id: item_id.clone(), output_index, delta: piece });
            }
            let (name, arguments) = (name.clone(), arguments.clone());
            done.push(Event::ArgumentsDone { item_id, output_index, name, arguments }.into());
        }
    }
    if answer.ending == Ending::Complete {
        beats.append(&mut done);
        beats.push(Event::ItemDone { output_index, item: whole }.into());
    }
    beats
}

fn completed(answer: &Answer) -> Response {
    let items = answer.blocks.iter().enumerate().map(|(index, block)| item(answer, index, block));
    response(answer, "completed", items.collect())
}

fn response(answer: &Answer, status: &'static str, output: Vec<Item>) -> Response {
    let (input_tokens, output_tokens) = (answer.input_tokens, answer.output_tokens());
    let usage = (status == "completed").then_some(Usage {
        input_tokens,
        input_tokens_details: CachedTokens { cached_tokens: 0 },
        output_tokens,
        output_tokens_details: ReasoningTokens { reasoning_tokens: 0 },
        total_tokens: input_tokens + output_tokens,
    });
    Response {
        id: response_id(answer.seq),
        object: "response",
        created_at: now(),
        status,
        error: None,
        incomplete_details: None,
        instructions: answer.echoed.instructions.clone(),
        max_output_tokens: None,
        model: answer.model.clone(),
        output,
        parallel_tool_calls: true,
        previous_response_id: answer.echoed.previous_response_id.clone(),
        store: answer.echoed.store,
        temperature: 1.0,
        tool_choice: "auto",
        tools: [],
        top_p: 1.0,
        truncation: "disabled",
        usage,
        metadata: answer.echoed.metadata.clone(),
    }
}

fn item(answer: &Answer, index: usize, block: &Block) -> Item {
    let seq = answer.seq;
    match block {
        Block::Text(script) => Item::Message {
            id: format!("msg_mock{seq:08}x{index}"),
            status: "completed",
            role: "assistant",
            content: vec![Part::OutputText { text: script.whole(), annotations: [] }],
        },
        Block::Thinking(text) => Item::Reasoning {
            id: format!("rs_mock{seq:08}x{index}"),
            summary: vec![Part::SummaryText { text: text.clone() }],
            encrypted_content: seal(text),
        },
        Block::Tool { name, input } => Item::FunctionCall {
            id: format!("fc_mock{seq:08}x{index}"),
            status: "completed",
            call_id: format!("call_mock{seq:08}x{index}"),
            name: name.clone(),
            arguments: input.text(answer.json),
        },
    }
}
