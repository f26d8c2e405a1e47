//! What the mock needs to know of a request: the text to echo, and a few choices of the client.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The parts of a request that shape the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompt {
    /// Text of the last user message: its string, or its text blocks and tool results one after another.
    pub(crate) echo: String,
    /// The model asked for.
    pub(crate) model: String,
    /// Whether that message holds the result of a tool.
    pub(crate) holds_results: bool,
    /// Name of the first tool offered.
    pub(crate) tool: Option<String>,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    /// Whether an OpenAI stream ends with a chunk of usage figures.
    pub(crate) include_usage: bool,
    /// A made-up count of tokens that grows with the request.
    pub(crate) input_tokens: usize,
    /// What an answer in the Responses format repeats.
    pub(crate) echoed: Echoed,
}

/// Members of a request in the Responses format that its answer repeats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echoed {
    pub(crate) instructions: Value,
    pub(crate) metadata: Value,
    pub(crate) previous_response_id: Option<String>,
    /// Whether the response is kept.
    pub(crate) store: bool,
}

/// Reads an Anthropic Messages request.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn anthropic(body: &[u8]) -> Result<Prompt, String> {
    let request = parse(body)?;
    let messages = messages(&request)?;
    check_signatures(messages)?;
    let last_user = messages.iter().rev().find(|message| text(message, "role") == Some("user"));
    let mut prompt = common(&request, body);
    if let Some(content) = last_user.and_then(|message| message.get("content")) {
        append_text(content, &mut prompt.echo);
        let mut blocks = content.as_array().into_iter().flatten();
        prompt.holds_results = blocks.any(|block| text(block, "type") == Some("tool_result"));
    }
    prompt.tool = first_tool(&request).and_then(|tool| text(tool, "name")).map(str::to_owned);
    Ok(prompt)
}

/// Reads an OpenAI Chat Completions request. Tool messages at the end count as the last user message, all of them.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn openai(body: &[u8]) -> Result<Prompt, String> {
    let request = parse(body)?;
    let messages = messages(&request)?;
    let is_tool = |message: &Value| matches!(text(message, "role"), Some("tool" | "function"));
    let last = messages.iter().rposition(|message| is_tool(message) || text(message, "role") == Some("user"));
    let mut prompt = common(&request, body);
    if let Some(last) = last {
        let tools = messages.iter().take(last + 1).rev().take_while(|message| is_tool(message)).count();
        let first = (last + 1).saturating_sub(tools.max(1));
        prompt.holds_results = tools > 0;
        for message in messages.iter().take(last + 1).skip(first) {
            append_text(message.get("content").unwrap_or(&Value::Null), &mut prompt.echo);
        }
    }
    prompt.tool = first_tool(&request)
        .and_then(|tool| tool.get("function"))
        .and_then(|function| text(function, "name"))
        .map(str::to_owned);
    prompt.include_usage = request.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false);
    Ok(prompt)
}

/// Reads a request in OpenAI's Responses format. Results of functions at the end count as the last user message.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn responses(body: &[u8]) -> Result<Prompt, String> {
    let request = parse(body)?;
    let mut prompt = common(&request, body);
    match request.get("input") {
        Some(Value::String(input)) => prompt.echo.clone_from(input),
        Some(Value::Array(items)) => {
            check_reasoning(items)?;
            let is_result = |item: &Value| text(item, "type") == Some("function_call_output");
            let last = items.iter().rposition(|item| is_result(item) || text(item, "role") == Some("user"));
            let last = last.map_or(0, |last| last + 1);
            let results = items.iter().take(last).rev().take_while(|item| is_result(item)).count();
            prompt.holds_results = results > 0;
            for item in items.iter().take(last).skip(last.saturating_sub(results.max(1))) {
                let key = if is_result(item) { "output" } else { "content" };
                append_text(item.get(key).unwrap_or(&Value::Null), &mut prompt.echo);
            }
        }
        _ => return Err("Missing required parameter: 'input'.".to_owned()),
    }
    prompt.tool = first_tool(&request).and_then(|tool| text(tool, "name")).map(str::to_owned);
    prompt.echoed = Echoed {
        instructions: request.get("instructions").cloned().unwrap_or_default(),
        metadata: request.get("metadata").cloned().unwrap_or_default(),
        previous_response_id: text(&request, "previous_response_id").map(str::to_owned),
        store: request.get("store").and_then(Value::as_bool).unwrap_or(true),
    };
    Ok(prompt)
}

/// Reads a request for the completion of a bare prompt. Prompts made of tokens have no text.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn completion(body: &[u8]) -> Result<Prompt, String> {
    let request = parse(body)?;
    let mut prompt = common(&request, body);
    match request.get("prompt") {
        Some(Value::String(echo)) => prompt.echo.clone_from(echo),
        Some(Value::Array(items)) => prompt.echo = items.iter().filter_map(Value::as_str).collect(),
        _ => return Err("you must provide a prompt parameter".to_owned()),
    }
    Ok(prompt)
}

/// The signature the mock gives to `thinking`.
pub(crate) fn sign(thinking: &str) -> String {
    format!("sig-{}", hex(&Sha256::digest(thinking)))
}

/// What the mock gives in place of encrypted reasoning.
pub(crate) fn seal(reasoning: &str) -> String {
    format!("enc-{}", hex(&Sha256::digest(reasoning)))
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|_| "The request body is not valid JSON.".to_owned())
}

fn messages(request: &Value) -> Result<&Vec<Value>, String> {
    let messages = request.get("messages").ok_or("messages: Field required")?;
    messages.as_array().ok_or_else(|| "messages: Input should be a valid list".to_owned())
}

fn common(request: &Value, body: &[u8]) -> Prompt {
    Prompt {
        model: text(request, "model").unwrap_or("mock").to_owned(),
        stream: request.get("stream").and_then(Value::as_bool).unwrap_or(false),
        input_tokens: body.len().div_ceil(4),
        ..Prompt::default()
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn first_tool(request: &Value) -> Option<&Value> {
    request.get("tools").and_then(Value::as_array).and_then(|tools| tools.first())
}

/// Appends the text of a message's or a tool result's content.
fn append_text(content: &Value, echo: &mut String) {
    match content {
        Value::String(text) => echo.push_str(text),
        Value::Array(blocks) => {
            for block in blocks {
                match text(block, "type") {
                    Some("text" | "input_text" | "output_text") => {
                        echo.push_str(text(block, "text").unwrap_or_default())
                    }
                    Some("tool_result") => append_text(block.get("content").unwrap_or(&Value::Null), echo),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Refuses reasoning that differs from what was sealed, so that a summary that changed on its way shows.
fn check_reasoning(items: &[Value]) -> Result<(), String> {
    for (at, item) in items.iter().enumerate().filter(|(_, item)| text(item, "type") == Some("reasoning")) {
        let Some(sealed) = text(item, "encrypted_content").filter(|sealed| sealed.starts_with("enc-")) else {
            continue;
        };
        let parts = item.get("summary").and_then(Value::as_array).into_iter().flatten();
        let summary: String = parts.filter_map(|part| text(part, "text")).collect();
        if sealed != seal(&summary) {
            return Err(format!("input[{at}]: the encrypted content could not be verified"));
        }
    }
    Ok(())
}

/// As the real API does, refuses thinking that differs from what was signed. Signatures of others are not judged.
fn check_signatures(messages: &[Value]) -> Result<(), String> {
    for (at, message) in messages.iter().enumerate() {
        let blocks = message.get("content").and_then(Value::as_array).into_iter().flatten();
        for (block_at, block) in blocks.enumerate() {
            let (Some("thinking"), Some(thinking), Some(signature)) =
                (text(block, "type"), text(block, "thinking"), text(block, "signature"))
            else {
                continue;
            };
            let ours = signature.strip_prefix("sig-").is_some_and(|hex| hex.len() == 64);
            if ours && signature != sign(thinking) {
                return Err(format!("messages.{at}.content.{block_at}: Invalid `signature` in `thinking` block"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo_of(read: fn(&[u8]) -> Result<Prompt, String>, messages: &str) -> String {
        read(format!(r#"{{"messages":{messages}}}"#).as_bytes()).unwrap().echo
    }

    #[test]
    fn echoes_the_last_user_message() {
        assert_eq!(echo_of(anthropic, "[]"), "");
        assert_eq!(
            echo_of(
                anthropic,
                r#"[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"}]"#
            ),
            "b"
        );
        assert_eq!(
            echo_of(
                anthropic,
                r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a"},
                {"type":"image"}]},{"type":"tool_result","content":"b"},{"type":"text","text":"c"}]}]"#
            ),
            "abc"
        );
    }

    #[test]
    fn joins_tool_messages_of_openai() {
        let tail = r#"[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[]},
            {"role":"tool","content":"a"},{"role":"tool","content":[{"type":"text","text":"b"}]}]"#;
        assert_eq!(echo_of(openai, tail), "ab");
        assert_eq!(echo_of(openai, r#"[{"role":"tool","content":"a"},{"role":"user","content":"q"}]"#), "q");
        assert_eq!(echo_of(openai, r#"[{"role":"system","content":"s"}]"#), "");
    }

    #[test]
    fn refuses_thinking_that_was_changed() {
        let request = |thinking: &str, signature: &str| {
            format!(
                r#"{{"messages":[{{"role":"assistant","content":[{{"type":"thinking","thinking":"{thinking}","signature":"{signature}"}}]}}]}}"#
            )
        };
        assert!(anthropic(request("a", &sign("a")).as_bytes()).is_ok());
        let error = anthropic(request("b", &sign("a")).as_bytes()).unwrap_err();
        assert_eq!(error, "messages.0.content.0: Invalid `signature` in `thinking` block");
        assert!(anthropic(request("b", "ErcB…").as_bytes()).is_ok());
    }
}
