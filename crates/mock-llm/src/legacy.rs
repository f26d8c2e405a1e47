//! OpenAI's older endpoints: embeddings and the completion of a bare prompt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Block, Ending};
use crate::json::Json;
use crate::openai::{error, now};
use crate::script::Script;
use crate::sse::{Step, Steps, unnamed};

/// Numbers in an embedding.
const DIMENSIONS: usize = 16;

#[derive(Serialize)]
struct Completion {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    choices: [Choice; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice {
    text: String,
    index: usize,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<usize>,
    total_tokens: usize,
}

#[derive(Serialize)]
struct Embeddings {
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

/// The answer as one JSON document.
pub(crate) fn whole(answer: &Answer) -> String {
    let text: String = scripts(answer).map(|script| script.whole()).collect();
    let (prompt_tokens, completion_tokens) = (answer.input_tokens, answer.output_tokens());
    let total_tokens = prompt_tokens + completion_tokens;
    let usage = Usage { prompt_tokens, completion_tokens: Some(completion_tokens), total_tokens };
    answer.json.text(&completion(answer, text, Some("stop"), Some(usage)))
}

/// What stands before and after the text in a document whose content is one text.
pub(crate) fn around_text(answer: &Answer) -> (String, String) {
    let empty = answer.json.text(&completion(answer, String::new(), Some("stop"), None));
    let (before, after) = empty.split_once(r#""text":"""#).unwrap_or_default();
    (format!(r#"{before}"text":""#), format!("\"{after}"))
}

/// The answer as a stream of chunks.
pub(crate) fn stream(answer: Answer) -> Steps {
    let json = answer.json;
    let end = match &answer.ending {
        Ending::Complete => {
            let last = completion(&answer, String::new(), Some("stop"), None);
            vec![unnamed(&json.text(&last)), unnamed("[DONE]")]
        }
        Ending::Error(message) => vec![unnamed(&error(json, 503, message.clone()))],
        // What was sent before gets the time to arrive: a reset takes back what nobody has read yet.
        Ending::Abort => vec![Step::Pause, Step::Abort],
    };
    let pieces: Vec<String> = scripts(&answer).flat_map(|script| script.pieces(answer.delta_bytes)).collect();
    let chunks = pieces
        .into_iter()
        .flat_map(move |text| [Step::Pause, unnamed(&json.text(&completion(&answer, text, None, None)))]);
    Box::new(chunks.chain(end))
}

/// Embeddings of the `input` of a request: the same text has the same one.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn embed(body: &[u8], json: Json) -> Result<String, String> {
    let request: Value = serde_json::from_slice(body).map_err(|_| "The request body is not valid JSON.".to_owned())?;
    let inputs = match request.get("input") {
        Some(text @ Value::String(_)) => vec![text.clone()],
        Some(Value::Array(items)) if items.iter().all(Value::is_number) => vec![Value::Array(items.clone())],
        Some(Value::Array(items)) => items.clone(),
        _ => return Err("'input' must be a string or an array".to_owned()),
    };
    let as_base64 = request.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let data = inputs.iter().enumerate().map(|(index, input)| {
        let numbers = numbers(&json.text(input));
        let embedding = if as_base64 {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            Vector::Base64(STANDARD.encode(bytes))
        } else {
            Vector::Numbers(numbers)
        };
        Embedding { object: "embedding", index, embedding }
    });
    let prompt_tokens = body.len().div_ceil(4);
    Ok(json.text(&Embeddings {
        object: "list",
        data: data.collect(),
        model: request.get("model").and_then(Value::as_str).unwrap_or("mock").to_owned(),
        usage: Usage { prompt_tokens, completion_tokens: None, total_tokens: prompt_tokens },
    }))
}

fn numbers(text: &str) -> Vec<f32> {
    Sha256::digest(text).iter().take(DIMENSIONS).map(|&byte| f32::from(byte) / 256.0).collect()
}

fn scripts(answer: &Answer) -> impl Iterator<Item = &Script> {
    answer.blocks.iter().filter_map(|block| match block {
        Block::Text(script) => Some(script),
        Block::Thinking(_) | Block::Tool { .. } => None,
    })
}

fn completion(answer: &Answer, text: String, finish_reason: Option<&'static str>, usage: Option<Usage>) -> Completion {
    Completion {
        id: format!("cmpl-mock{:08}", answer.seq),
        object: "text_completion",
        created: now(),
        model: answer.model.clone(),
        choices: [Choice { text, index: 0, logprobs: None, finish_reason }],
        usage,
    }
}
