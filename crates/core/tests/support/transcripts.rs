//! Streams as the vendors send them, with every type of event that their SDKs know, and what clients put together of
//! them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One event: its name, where it has one, and its data.
pub type Event = (Option<String>, Value);

/// `text` in fragments of `bytes` bytes, at character boundaries.
fn fragments(text: &str, bytes: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in text.chars() {
        if parts.last().is_some_and(|part| !part.is_empty() && part.len() + c.len_utf8() > bytes) {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push(c);
    }
    parts
}

pub fn anthropic(text: &str, bytes: usize) -> Vec<Event> {
    let input = json!({ "command": text, "nested": [{ "key": text }] }).to_string();
    let mut data = vec![
        json!({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m",
            "content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}),
        json!({"type":"ping"}),
    ];
    let mut block = |index: u64, start: Value, deltas: Vec<Value>| {
        data.push(json!({"type":"content_block_start","index":index,"content_block":start}));
        data.extend(deltas.into_iter().map(|delta| json!({"type":"content_block_delta","index":index,"delta":delta})));
        data.push(json!({"type":"content_block_stop","index":index}));
    };
    let cut = |text: &str, kind: &str, field: &str| -> Vec<Value> {
        fragments(text, bytes).into_iter().map(|part| json!({"type":kind,field:part})).collect()
    };
    let mut thinking = cut("thought", "thinking_delta", "thinking");
    thinking.push(json!({"type":"signature_delta","signature":"c2lnbmF0dXJl"}));
    block(0, json!({"type":"thinking","thinking":"","signature":""}), thinking);
    let mut spoken = cut(text, "text_delta", "text");
    spoken.push(json!({"type":"citations_delta","citation":{"type":"char_location","cited_text":text,
        "document_index":0,"document_title":text,"start_char_index":0,"end_char_index":4}}));
    block(1, json!({"type":"text","text":""}), spoken);
    block(
        2,
        json!({"type":"tool_use","id":"toolu_1","name":"bash","input":{}}),
        cut(&input, "input_json_delta", "partial_json"),
    );
    block(
        3,
        json!({"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}),
        cut(&input, "input_json_delta", "partial_json"),
    );
    block(
        4,
        json!({"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result",
            "url":"https://example.com/","title":"t","encrypted_content":"ZW5j","page_age":null}]}),
        vec![],
    );
    block(
        5,
        json!({"type":"mcp_tool_result","tool_use_id":"m","is_error":false,
        "content":[{"type":"text","text":text}]}),
        vec![],
    );
    block(6, json!({"type":"redacted_thinking","data":"ZGF0YQ=="}), vec![]);
    block(7, json!({"type":"brand_new_block","of":{"which":text}}), vec![]);
    data.push(json!({"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":text},
        "usage":{"output_tokens":7}}));
    data.push(json!({"type":"brand_new_event","text":text,"index":1}));
    data.push(json!({"type":"message_stop"}));
    data.push(json!({"type":"error","error":{"type":"overloaded_error","message":text}}));
    data.into_iter().map(|data| (Some(data["type"].as_str().unwrap().to_owned()), data)).collect()
}

pub fn chat(text: &str, bytes: usize) -> Vec<Event> {
    let arguments = json!({ "command": text }).to_string();
    let chunk = |index: u64, delta: Value, finish: Value| {
        json!({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,
            "obfuscation":"aGk","choices":[{"index":index,"delta":delta,"logprobs":null,"finish_reason":finish}]})
    };
    let call = |at: u64, arguments: &str| json!({"tool_calls":[{"index":at,"function":{"arguments":arguments}}]});
    let mut data = Vec::new();
    let parts = fragments(text, bytes);
    for index in 0..2 {
        data.push(chunk(index, json!({"role":"assistant","content":"","refusal":null}), Value::Null));
    }
    // Two choices at a time.
    for part in &parts {
        for index in 0..2 {
            data.push(chunk(index, json!({"content":part}), Value::Null));
        }
    }
    for field in ["refusal", "reasoning_content"] {
        data.extend(parts.iter().map(|part| chunk(0, json!({field:part}), Value::Null)));
    }
    data.extend(parts.iter().map(|part| chunk(0, json!({"audio":{"transcript":part}}), Value::Null)));
    for at in 0..2 {
        data.push(chunk(
            0,
            json!({"tool_calls":[{"index":at,"id":"call_1","type":"function",
            "function":{"name":"bash","arguments":""}}]}),
            Value::Null,
        ));
        data.extend(fragments(&arguments, bytes).iter().map(|part| chunk(0, call(at, part), Value::Null)));
    }
    let custom = |part: &str| json!({"tool_calls":[{"index":2,"custom":{"input":part}}]});
    data.extend(parts.iter().map(|part| chunk(0, custom(part), Value::Null)));
    data.push(chunk(0, json!({}), json!("tool_calls")));
    data.push(chunk(1, json!({"content":"."}), json!("stop")));
    data.push(json!({"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[],"usage":{"total_tokens":3}}));
    data.into_iter().map(|data| (None, data)).collect()
}

pub fn completions(text: &str, bytes: usize) -> Vec<Event> {
    let chunk = |text: &str, finish: Value| {
        json!({"id":"cmpl-1","object":"text_completion","choices":[
        {"index":0,"text":text,"logprobs":null,"finish_reason":finish}]})
    };
    let mut data: Vec<Value> = fragments(text, bytes).iter().map(|part| chunk(part, Value::Null)).collect();
    data.push(chunk("", json!("stop")));
    data.into_iter().map(|data| (None, data)).collect()
}

/// The families of deltas of the Responses API, with the member in which `*.done` repeats the whole.
const FAMILIES: &[(&str, &str)] = &[
    ("response.output_text", "text"),
    ("response.refusal", "refusal"),
    ("response.reasoning_text", "text"),
    ("response.reasoning_summary_text", "text"),
    ("response.function_call_arguments", "arguments"),
    ("response.mcp_call_arguments", "arguments"),
    ("response.custom_tool_call_input", "input"),
    ("response.code_interpreter_call_code", "code"),
    ("response.shell_call_command", "command"),
    ("response.audio.transcript", "transcript"),
    ("response.brand_new", "text"),
];

/// Events that tell how far something is, and nothing else.
const STATES: &[&str] = &[
    "response.code_interpreter_call.in_progress",
    "response.code_interpreter_call.interpreting",
    "response.code_interpreter_call.completed",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
    "response.file_search_call.completed",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.generating",
    "response.image_generation_call.completed",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.mcp_list_tools.in_progress",
    "response.mcp_list_tools.completed",
    "response.mcp_list_tools.failed",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
    "response.compaction.compacting",
    "response.audio.done",
];

pub fn responses(text: &str, bytes: usize) -> Vec<Event> {
    let arguments = json!({ "command": text }).to_string();
    let response = |status: &str, output: Value| {
        json!({"id":"resp_1","object":"response","status":status,"model":"m",
        "instructions":text,"output":output,"metadata":{"key":text}})
    };
    let items = json!([
        {"type":"message","id":"item_0","role":"assistant","status":"completed",
            "content":[{"type":"output_text","text":text,"annotations":[],"logprobs":[]}]},
        {"type":"function_call","id":"item_4","call_id":"call_1","name":"bash","arguments":arguments},
        {"type":"reasoning","id":"item_3","encrypted_content":"ZW5j","summary":[{"type":"summary_text","text":text}]},
        {"type":"image_generation_call","id":"item_9","status":"completed","result":"aW1hZ2U="},
    ]);
    let mut data = vec![
        json!({"type":"response.created","response":response("in_progress", json!([]))}),
        json!({"type":"response.queued","response":response("queued", json!([]))}),
        json!({"type":"response.in_progress","response":response("in_progress", json!([]))}),
    ];
    for (at, &(family, whole)) in FAMILIES.iter().enumerate() {
        let said = if whole == "arguments" { arguments.as_str() } else { text };
        data.push(json!({"type":"response.output_item.added","output_index":at,"item":{"type":"message","id":"i"}}));
        data.push(json!({"type":"response.content_part.added","output_index":at,"content_index":0,
            "part":{"type":"output_text","text":"","annotations":[]}}));
        data.extend(fragments(said, bytes).iter().map(|part| {
            json!({"type":format!("{family}.delta"),"item_id":"i","output_index":at,"content_index":0,"delta":part,
                "obfuscation":"aGk"})
        }));
        data.push(json!({"type":format!("{family}.done"),"item_id":"i","output_index":at,"content_index":0,
            whole:said}));
        data.push(json!({"type":"response.content_part.done","output_index":at,"content_index":0,
            "part":{"type":"output_text","text":text,"annotations":[]}}));
        data.push(json!({"type":"response.output_item.done","output_index":at,"item":items[at % 4]}));
    }
    data.extend(fragments(text, bytes).iter().map(|part| {
        json!({"type":"response.shell_call_output_content.delta","output_index":20,"command_index":1,"item_id":"i",
            "delta":{"stdout":part}})
    }));
    data.push(json!({"type":"response.shell_call_output_content.done","output_index":20,"command_index":1,
        "item_id":"i","output":[{"stdout":text,"stderr":text,"outcome":{"type":"exit","exit_code":0}}]}));
    data.push(json!({"type":"response.output_text.annotation.added","output_index":0,"content_index":0,
        "annotation_index":0,"annotation":{"type":"url_citation","title":text,"url":"https://example.com/"}}));
    data.push(json!({"type":"response.reasoning_summary_part.added","output_index":3,"summary_index":0,
        "part":{"type":"summary_text","text":""}}));
    data.push(json!({"type":"response.reasoning_summary_part.done","output_index":3,"summary_index":0,
        "part":{"type":"summary_text","text":text}}));
    data.push(json!({"type":"response.image_generation_call.partial_image","output_index":9,"item_id":"i",
        "partial_image_index":0,"partial_image_b64":"aW1hZ2U="}));
    data.push(json!({"type":"response.audio.delta","delta":"UzNfQUJD"}));
    data.extend(STATES.iter().map(|state| json!({"type":state,"output_index":30,"item_id":"i"})));
    data.push(json!({"type":"error","code":"c","message":text,"param":null}));
    for end in ["response.incomplete", "response.failed", "response.completed"] {
        data.push(json!({"type":end,"response":response("completed", items.clone())}));
    }
    for (number, data) in data.iter_mut().enumerate() {
        data["sequence_number"] = json!(number);
    }
    data.into_iter().map(|data| (Some(data["type"].as_str().unwrap().to_owned()), data)).collect()
}

pub fn assistants(text: &str, bytes: usize) -> Vec<Event> {
    let arguments = json!({ "command": text }).to_string();
    let message = |said: &str| {
        json!({"id":"msg_1","object":"thread.message","role":"assistant","thread_id":"thread_1",
            "content":[{"type":"text","text":{"value":said,"annotations":[]}}]})
    };
    let step = |calls: Value| {
        json!({"id":"step_1","object":"thread.run.step","type":"tool_calls",
            "step_details":{"type":"tool_calls","tool_calls":calls}})
    };
    let call = json!({"id":"call_1","type":"function","function":{"name":"bash","arguments":arguments,"output":text}});
    let run = |action: Value| json!({"id":"run_1","object":"thread.run","instructions":text,"required_action":action});
    let message_delta = |index: u64, part: Value| {
        let mut part = part;
        part["index"] = json!(index);
        json!({"id":"msg_1","object":"thread.message.delta","delta":{"content":[part]}})
    };
    let step_delta = |call: Value| {
        json!({"id":"step_1","object":"thread.run.step.delta",
            "delta":{"step_details":{"type":"tool_calls","tool_calls":[call]}}})
    };
    let parts = fragments(text, bytes);
    let mut events = vec![("thread.run.created", run(Value::Null)), ("thread.message.created", message(""))];
    for part in &parts {
        // Two parts at a time.
        for index in 0..2 {
            let said = json!({"type":"text","text":{"value":part}});
            events.push(("thread.message.delta", message_delta(index, said)));
        }
    }
    events.extend(
        parts.iter().map(|part| ("thread.message.delta", message_delta(2, json!({"type":"refusal","refusal":part})))),
    );
    events.push(("thread.message.completed", message(text)));
    events.push(("thread.run.step.created", step(json!([]))));
    events.extend(fragments(&arguments, bytes).iter().map(|part| {
        let function = json!({"arguments":part});
        ("thread.run.step.delta", step_delta(json!({"index":0,"type":"function","function":function})))
    }));
    events.extend(parts.iter().map(|part| {
        let code = json!({"input":part});
        ("thread.run.step.delta", step_delta(json!({"index":1,"type":"code_interpreter","code_interpreter":code})))
    }));
    events.push(("thread.run.step.completed", step(json!([call]))));
    let wanted = json!({"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[call]}});
    events.push(("thread.run.requires_action", run(wanted)));
    events.into_iter().map(|(name, data)| (Some(name.to_owned()), data)).collect()
}

/// How events are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub line_end: &'static str,
    /// JSON over several `data` lines.
    pub several_lines: bool,
    pub comments: bool,
}

pub fn write(events: &[Event], style: Style) -> Vec<u8> {
    let mut out = String::new();
    let end = style.line_end;
    for (name, data) in events {
        if style.comments {
            out += &format!(": keep-alive{end}{end}");
        }
        if let Some(name) = name {
            out += &format!("event: {name}{end}");
        }
        let json = if style.several_lines { serde_json::to_string_pretty(data) } else { serde_json::to_string(data) };
        for line in json.unwrap().lines() {
            out += &format!("data: {line}{end}");
        }
        out += end;
    }
    (out + &format!("data: [DONE]{end}{end}")).into_bytes()
}

/// Reads a stream as clients do.
pub fn read(stream: &[u8]) -> Vec<Event> {
    let text = String::from_utf8(stream.to_vec()).unwrap().replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let field = |name: &str| -> Vec<&str> { block.lines().filter_map(|line| line.strip_prefix(name)).collect() };
        let data = field("data: ").join("\n");
        if data.is_empty() || data == "[DONE]" {
            continue;
        }
        events.push((field("event: ").first().map(|&name| name.to_owned()), serde_json::from_str(&data).unwrap()));
    }
    events
}

/// What clients put together: every text that runs over events, and the other strings of all events in order.
pub fn put_together(events: &[Event]) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut texts, mut others) = (BTreeMap::<String, String>::new(), Vec::new());
    for (_, data) in events {
        let mut strings = Vec::new();
        collect(data, &mut String::new(), &mut strings);
        let kind = data["type"].as_str().or(data["object"].as_str()).unwrap_or_default().to_owned();
        let number = |key: &str| data[key].as_u64().unwrap_or_default();
        for (path, value) in strings {
            let is_delta = path.starts_with("/delta") && kind.ends_with("delta") && kind != "message_delta"
                || path.starts_with("/choices") && (path.contains("/delta/") || path.ends_with("/text"));
            let is_fragment = is_delta
                && [
                    "text",
                    "partial_json",
                    "thinking",
                    "content",
                    "refusal",
                    "reasoning_content",
                    "transcript",
                    "arguments",
                    "input",
                    "stdout",
                    "stderr",
                    "delta",
                    "value",
                ]
                .iter()
                .any(|field| path.ends_with(&format!("/{field}")))
                && kind != "response.audio.delta";
            if is_fragment {
                let choice = data["choices"][0]["index"].as_u64().unwrap_or_default();
                let tool = data["choices"][0]["delta"]["tool_calls"][0]["index"].as_u64().unwrap_or_default();
                let part = [&data["delta"]["content"][0], &data["delta"]["step_details"]["tool_calls"][0]]
                    .map(|part| part["index"].as_u64().unwrap_or_default());
                let indices = format!("{} {} {choice} {tool} {part:?}", number("index"), number("output_index"));
                let key = format!("{kind} {indices} {path}");
                *texts.entry(key).or_default() += &value;
            } else {
                others.push(format!("{kind} {path} {value}"));
            }
        }
    }
    (texts, others)
}

fn collect(value: &Value, path: &mut String, strings: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => strings.push((path.clone(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, strings)),
        Value::Object(members) => {
            for (key, member) in members {
                let len = path.len();
                *path += &format!("/{key}");
                collect(member, path, strings);
                path.truncate(len);
            }
        }
        _ => {}
    }
}
