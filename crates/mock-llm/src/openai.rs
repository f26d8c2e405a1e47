//! OpenAI's Chat Completions format.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::answer::{Answer, Block, Ending};
use crate::json::Json;
use crate::script::Script;
use crate::sse::{Step, Steps, unnamed};

#[derive(Serialize)]
struct Completion<C> {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    system_fingerprint: Option<String>,
    choices: Vec<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice {
    index: usize,
    message: Message,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Serialize)]
struct ToolCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    arguments: String,
}

#[derive(Serialize)]
struct ChunkChoice {
    index: usize,
    delta: Delta,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
struct ErrorBody {
    error: Fault,
}

#[derive(Serialize)]
struct Fault {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
    code: Option<String>,
}

/// The answer as one JSON document.
pub(crate) fn whole(answer: &Answer) -> String {
    let mut message = empty_message();
    for (index, block) in answer.blocks.iter().enumerate() {
        match block {
            Block::Text(script) => message.content = Some(script.whole()),
            Block::Thinking(thinking) => message.reasoning_content = Some(thinking.clone()),
            Block::Tool { name, input } => {
                let arguments = input.text(answer.json);
                message.tool_calls.push(tool_call(answer.seq, index, None, name, arguments));
            }
        }
    }
    document(answer, message)
}

/// What stands before and after the text in a document whose content is one text.
pub(crate) fn around_text(answer: &Answer) -> (String, String) {
    let empty = document(answer, Message { content: Some(String::new()), ..empty_message() });
    let (before, after) = empty.split_once(r#""content":"""#).unwrap_or_default();
    (format!(r#"{before}"content":""#), format!("\"{after}"))
}

/// The answer as a stream of chunks.
pub(crate) fn stream(answer: Answer) -> Steps {
    let created = now();
    let (json, seq, delta_bytes) = (answer.json, answer.seq, answer.delta_bytes);
    let model = answer.model.clone();
    let chunk = move |choices: Vec<ChunkChoice>, usage: Option<Usage>| {
        let object = "chat.completion.chunk";
        unnamed(&json.text(&completion(seq, object, created, model.clone(), choices, usage)))
    };
    let delta = {
        let chunk = chunk.clone();
        move |delta: Delta| chunk(vec![ChunkChoice { index: 0, delta, logprobs: None, finish_reason: None }], None)
    };

    let role = Delta { role: Some("assistant"), content: Some(String::new()), ..Delta::default() };
    let start = delta(role);
    let end = match &answer.ending {
        Ending::Complete => {
            let last = ChunkChoice {
                index: 0,
                delta: Delta::default(),
                logprobs: None,
                finish_reason: Some(finish_reason(&answer)),
            };
            let mut end = vec![chunk(vec![last], None)];
            if answer.include_usage {
                end.push(chunk(Vec::new(), Some(usage(&answer))));
            }
            end.push(unnamed("[DONE]"));
            end
        }
        Ending::Error(message) => vec![unnamed(&error(json, 503, message.clone()))],
        // What was sent before gets the time to arrive: a reset takes back what nobody has read yet.
        Ending::Abort => vec![Step::Pause, Step::Abort],
    };
    let steps = answer.blocks.into_iter().enumerate().flat_map(move |(index, block)| {
        let delta = delta.clone();
        deltas(seq, index, block, delta_bytes, json).flat_map(move |piece| [Step::Pause, delta(piece)])
    });
    Box::new(std::iter::once(start).chain(steps).chain(end))
}

/// An error document.
pub(crate) fn error(json: Json, status: u16, message: String) -> String {
    let kind = match status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json.text(&ErrorBody { error: Fault { message, kind, param: None, code: None } })
}

fn document(answer: &Answer, message: Message) -> String {
    let choice = Choice { index: 0, message, logprobs: None, finish_reason: finish_reason(answer) };
    let (model, usage) = (answer.model.clone(), Some(usage(answer)));
    answer.json.text(&completion(answer.seq, "chat.completion", now(), model, vec![choice], usage))
}

fn completion<C>(
    seq: u64,
    object: &'static str,
    created: u64,
    model: String,
    choices: Vec<C>,
    usage: Option<Usage>,
) -> Completion<C> {
    let id = format!("chatcmpl-mock{seq:08}");
    Completion { id, object, created, model, system_fingerprint: None, choices, usage }
}

fn empty_message() -> Message {
    Message { role: "assistant", content: None, reasoning_content: None, refusal: None, tool_calls: Vec::new() }
}

fn tool_call(seq: u64, block: usize, index: Option<usize>, name: &str, arguments: String) -> ToolCall {
    ToolCall {
        index,
        id: Some(format!("call_mock{seq:08}x{block}")),
        kind: Some("function"),
        function: Function { name: Some(name.to_owned()), arguments },
    }
}

fn finish_reason(answer: &Answer) -> &'static str {
    if answer.calls_tool() { "tool_calls" } else { "stop" }
}

fn usage(answer: &Answer) -> Usage {
    let (prompt_tokens, completion_tokens) = (answer.input_tokens, answer.output_tokens());
    Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn deltas(
    seq: u64,
    block_index: usize,
    block: Block,
    delta_bytes: usize,
    json: Json,
) -> Box<dyn Iterator<Item = Delta> + Send> {
    match block {
        Block::Text(script) => {
            Box::new(script.pieces(delta_bytes).map(|text| Delta { content: Some(text), ..Delta::default() }))
        }
        Block::Thinking(thinking) => Box::new(
            Script::once(thinking)
                .pieces(delta_bytes)
                .map(|text| Delta { reasoning_content: Some(text), ..Delta::default() }),
        ),
        Block::Tool { name, input } => {
            let first = tool_call(seq, block_index, Some(0), &name, String::new());
            let rest = Script::once(input.text(json)).pieces(delta_bytes).map(|arguments| ToolCall {
                index: Some(0),
                id: None,
                kind: None,
                function: Function { name: None, arguments },
            });
            let calls = std::iter::once(first).chain(rest);
            Box::new(calls.map(|call| Delta { tool_calls: vec![call], ..Delta::default() }))
        }
    }
}
