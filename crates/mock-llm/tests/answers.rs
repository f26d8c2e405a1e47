//! What `mock-llm` says: the echo, tools, thinking, errors, in both vendors' formats.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Answer, Mock};

const PROMPT: &str = "서버 \"EC2_ABCDEFGH\"를\nSG_ABCD2345 에서 😀";

fn tool_input(text: &str) -> Value {
    json!({"command": text, "ids": text.split_whitespace().collect::<Vec<_>>()})
}

fn names(answer: &Answer) -> Vec<String> {
    let mut names: Vec<String> = answer.events().into_iter().map(|(name, _)| name).collect();
    names.dedup();
    names
}

fn chat_deltas(answer: &Answer, pointer: &str) -> String {
    let events = answer.events().into_iter();
    events.filter_map(|(_, data)| data.pointer(pointer).and_then(Value::as_str).map(str::to_owned)).collect()
}

#[test]
fn echoes_text_in_one_document() {
    let mock = Mock::start();
    for path in ["/v1/messages", "/analyze-claude", "/v1/messages?beta=true"] {
        let answer = mock.post(path, &[], &support::request(false, PROMPT));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.complete && answer.header("content-length").is_some());
        let body = answer.json();
        assert_eq!(body["content"], json!([{"type": "text", "text": PROMPT}]));
        assert_eq!((&body["model"], &body["stop_reason"]), (&json!("m-1"), &json!("end_turn")));
        assert_eq!(body["type"], "message");
    }
    let body = mock.chat(&[], false, PROMPT).json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["message"]["content"], PROMPT);
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
}

#[test]
fn echoes_only_the_last_user_message() {
    let mock = Mock::start();
    let answer = mock.post(
        "/v1/messages",
        &[],
        &json!({"messages": [
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "one "}]},
                {"type": "tool_result", "tool_use_id": "u", "content": "two "},
                {"type": "text", "text": "three"},
            ]},
        ]}),
    );
    assert_eq!(answer.json()["content"][0]["text"], "one two three");
}

#[test]
fn streams_events_in_the_order_of_the_real_api() {
    let mock = Mock::start();
    let answer = mock.messages(&[], true, PROMPT);
    assert_eq!(
        names(&answer),
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    for (name, data) in answer.events() {
        assert_eq!(data["type"], name);
    }
    assert_eq!(answer.streamed_text(), PROMPT);
    let events = answer.events();
    assert_eq!(events[0].1["message"]["content"], json!([]));
    assert_eq!(events[events.len() - 2].1["delta"]["stop_reason"], "end_turn");
    // one write for each event
    assert_eq!(answer.chunks.len(), events.len());
    assert!(answer.complete);
}

#[test]
fn delta_sets_the_bytes_of_text_in_an_event() {
    let mock = Mock::start();
    for (value, longest) in [("1", 4), ("5", 5), ("1000", 1000)] {
        let answer = mock.messages(&[("x-mock-delta", value)], true, PROMPT);
        let deltas = answer.deltas("text_delta", "text");
        assert!(deltas.iter().all(|(_, text)| !text.is_empty() && text.len() <= longest), "{deltas:?}");
        assert_eq!(answer.streamed_text(), PROMPT);
        let chat = mock.chat(&[("x-mock-delta", value)], true, PROMPT);
        assert_eq!(chat_deltas(&chat, "/choices/0/delta/content"), PROMPT);
        if value == "1" {
            assert_eq!(deltas.len(), PROMPT.chars().count());
        }
    }
    let default = mock.messages(&[], true, &"x".repeat(30)).deltas("text_delta", "text");
    assert_eq!(default.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [12, 12, 6]);
}

#[test]
fn calls_a_tool() {
    let mock = Mock::start();
    let tool = [("x-mock-reply", "tool")];
    let body = mock.messages(&tool, false, PROMPT).json();
    assert_eq!(body["stop_reason"], "tool_use");
    assert_eq!(body["content"][0]["type"], "text");
    assert_eq!(body["content"][1]["name"], "run");
    assert_eq!(body["content"][1]["input"], tool_input(PROMPT));

    let mut request = support::request(false, PROMPT);
    request["tools"] = json!([{"name": "bash", "input_schema": {}}, {"name": "other"}]);
    assert_eq!(mock.post("/v1/messages", &tool, &request).json()["content"][1]["name"], "bash");

    let answer = mock.messages(&[("x-mock-reply", "tool"), ("x-mock-delta", "3")], true, PROMPT);
    let fragments = answer.deltas("input_json_delta", "partial_json");
    assert!(fragments.len() > 20 && fragments.iter().all(|(index, text)| *index == 1 && text.len() <= 4));
    let whole: String = fragments.into_iter().map(|(_, text)| text).collect();
    assert_eq!(serde_json::from_str::<Value>(&whole).unwrap(), tool_input(PROMPT));
    let start = answer.events().into_iter().find(|(_, data)| data["content_block"]["type"] == "tool_use");
    assert_eq!(start.unwrap().1["content_block"]["input"], json!({}));
    assert!(answer.events().iter().any(|(_, data)| data["delta"]["stop_reason"] == "tool_use"));
}

#[test]
fn calls_a_tool_as_openai_does() {
    let mock = Mock::start();
    let mut request = support::request(false, PROMPT);
    request["tools"] = json!([{"type": "function", "function": {"name": "bash"}}]);
    let body = mock.post("/v1/chat/completions", &[("x-mock-reply", "tool")], &request).json();
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    let call = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!("bash")));
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, tool_input(PROMPT));

    let answer = mock.chat(&[("x-mock-reply", "tool"), ("x-mock-delta", "4")], true, PROMPT);
    let arguments = chat_deltas(&answer, "/choices/0/delta/tool_calls/0/function/arguments");
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), tool_input(PROMPT));
    assert_eq!(chat_deltas(&answer, "/choices/0/delta/tool_calls/0/function/name"), "run");
    assert_eq!(chat_deltas(&answer, "/choices/0/finish_reason"), "tool_calls");
}

#[test]
fn streams_chunks_that_end_with_done() {
    let mock = Mock::start();
    let mut request = support::request(true, PROMPT);
    request["stream_options"] = json!({"include_usage": true});
    let answer = mock.post("/v1/chat/completions", &[], &request);
    let events = answer.events();
    assert!(events.iter().all(|(name, _)| name.is_empty()));
    assert_eq!(events.last().unwrap().1, "[DONE]");
    let usage = &events[events.len() - 2].1;
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["total_tokens"].as_u64().unwrap() > 0);
    assert_eq!(events[0].1["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(chat_deltas(&answer, "/choices/0/finish_reason"), "stop");

    let plain = mock.chat(&[], true, PROMPT).events();
    assert!(plain.iter().all(|(_, data)| data["choices"] != json!([])));
}

#[test]
fn signs_its_thinking_and_knows_it_again() {
    let mock = Mock::start();
    let thinking = [("x-mock-reply", "thinking"), ("x-mock-delta", "5")];
    let signature = format!("sig-{:x}", Sha256::digest(PROMPT));
    let block = json!({"type": "thinking", "thinking": PROMPT, "signature": signature});
    let body = mock.messages(&thinking, false, PROMPT).json();
    assert_eq!(body["content"], json!([block, {"type": "text", "text": PROMPT}]));

    let answer = mock.messages(&thinking, true, PROMPT);
    let streamed: String = answer.deltas("thinking_delta", "thinking").into_iter().map(|(_, text)| text).collect();
    assert_eq!(streamed, PROMPT);
    assert_eq!(answer.deltas("signature_delta", "signature"), [(0, signature)]);
    assert_eq!(answer.streamed_text(), PROMPT);
    assert!(answer.deltas("text_delta", "text").iter().all(|(index, _)| *index == 1));

    let next = |block: &Value| {
        json!({"messages": [
            {"role": "assistant", "content": [block]},
            {"role": "user", "content": "go on"},
        ]})
    };
    assert_eq!(mock.post("/v1/messages", &[], &next(&block)).status, 200);
    let mut changed = block;
    changed["thinking"] = json!("something else");
    let refused = mock.post("/v1/messages", &[], &next(&changed));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["message"], "messages.0.content.0: Invalid `signature` in `thinking` block");

    let chat = mock.chat(&thinking, true, PROMPT);
    assert_eq!(chat_deltas(&chat, "/choices/0/delta/reasoning_content"), PROMPT);
    assert_eq!(chat_deltas(&chat, "/choices/0/delta/content"), PROMPT);
}

#[test]
fn errors_quote_the_prompt() {
    let mock = Mock::start();
    let quoted = format!("prompt was: {PROMPT}");
    for stream in [false, true] {
        let answer = mock.messages(&[("x-mock-reply", "error")], stream, PROMPT);
        assert_eq!(answer.status, 400);
        let body = answer.json();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"], json!({"type": "invalid_request_error", "message": quoted}));
        assert_eq!(body["request_id"].as_str(), answer.header("request-id"));
    }
    let answer = mock.messages(&[("x-mock-reply", "error"), ("x-mock-status", "529")], false, PROMPT);
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (529, &json!("overloaded_error")));
    let answer = mock.chat(&[("x-mock-reply", "error"), ("x-mock-status", "429")], false, PROMPT);
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.json(),
        json!({"error": {"message": quoted, "type": "rate_limit_error", "param": null, "code": null}})
    );
}

#[test]
fn errors_can_come_in_mid_stream() {
    let mock = Mock::start();
    let reply = [("x-mock-reply", "error-stream")];
    let answer = mock.messages(&reply, true, PROMPT);
    assert_eq!(answer.status, 200);
    let events = answer.events();
    let (name, data) = events.last().unwrap();
    assert_eq!(name, "error");
    assert_eq!(data["error"]["message"], format!("prompt was: {PROMPT}"));
    let before = answer.streamed_text();
    assert!(!before.is_empty() && PROMPT.starts_with(&before) && before.len() < PROMPT.len());
    assert!(!names(&answer).contains(&"content_block_stop".to_owned()));

    let events = mock.chat(&reply, true, PROMPT).events();
    assert_eq!(events.last().unwrap().1["error"]["message"], format!("prompt was: {PROMPT}"));
    // nothing to break off where nothing is streamed
    let answer = mock.messages(&reply, false, PROMPT);
    assert_eq!((answer.status, &answer.json()["type"]), (529, &json!("error")));
}

#[test]
fn answers_nothing_or_plain_text() {
    let mock = Mock::start();
    for stream in [false, true] {
        let answer = mock.messages(&[("x-mock-reply", "empty")], stream, PROMPT);
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(answer.header("content-length"), Some("0"));
    }
    let answer = mock.messages(&[("x-mock-reply", "plain-text"), ("x-mock-status", "201")], false, PROMPT);
    assert_eq!((answer.status, answer.text().as_str()), (201, PROMPT));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let answer = mock.send("POST", "/v1/messages", &[("x-mock-reply", "plain-text")], b"not JSON");
    assert_eq!((answer.status, answer.text().as_str()), (200, "not JSON"));
}

#[test]
fn other_routes_answer_as_the_api_does() {
    let mock = Mock::start();
    let answer = mock.post("/v1/messages/count_tokens", &[], &support::request(false, PROMPT));
    assert!(answer.json()["input_tokens"].as_u64().unwrap() > 0);
    let models = mock.get("/v1/models").json();
    assert_eq!(models["data"][0]["type"], "model");
    let answer = mock.get("/v1/nothing");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"]["type"], "not_found_error");
    assert_eq!(mock.get("/v1/messages").status, 405);
    assert_eq!(mock.get("/").status, 200);

    for path in ["/v1/messages", "/v1/models", "/"] {
        let answer = mock.send("HEAD", path, &[], b"");
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert!(answer.header("content-length").unwrap().parse::<usize>().unwrap() > 0);
    }
}

#[test]
fn refuses_what_it_does_not_understand_without_quoting_it() {
    let mock = Mock::start();
    for body in ["{\"messages\": [i-0abc]}", "", "[]", "{\"messages\": \"i-0abc\"}"] {
        let answer = mock.send("POST", "/v1/messages", &[], body.as_bytes());
        assert_eq!((answer.status, &answer.json()["type"]), (400, &json!("error")), "{body}");
        assert!(!answer.text().contains("0abc"));
        let answer = mock.send("POST", "/v1/chat/completions", &[], body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["message"].is_string());
    }
    for knob in [
        ("x-mock-reply", "nonsense"),
        ("x-mock-write", "0"),
        ("x-mock-delta", "-1"),
        ("x-mock-status", "x"),
        ("x-mock-encoding", "zstd"),
        ("x-mock-etag", "yes"),
    ] {
        let answer = mock.messages(&[knob], false, PROMPT);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(knob.0));
    }
}

#[test]
fn ascii_escapes_everything_else() {
    let mock = Mock::start();
    for stream in [false, true] {
        let answer = mock.messages(&[("x-mock-ascii", "1")], stream, PROMPT);
        assert!(answer.body.is_ascii());
        assert!(answer.text().contains("\\uc11c"));
        if stream {
            assert_eq!(answer.streamed_text(), PROMPT);
        } else {
            assert_eq!(answer.json()["content"][0]["text"], PROMPT);
        }
    }
}

#[test]
fn an_agent_s_loop_ends_with_the_result_of_its_tool() {
    let mock = Mock::start();
    let headers = [("x-mock-reply", "agent")];
    assert_eq!(mock.messages(&headers, false, PROMPT).json()["stop_reason"], "tool_use");
    let result = json!([{"type": "tool_result", "tool_use_id": "t", "content": "done"}]);
    let turns = json!({"messages": [{"role": "user", "content": result}]});
    let last = mock.post("/v1/messages", &headers, &turns).json();
    assert_eq!((&last["stop_reason"], &last["content"][0]["text"]), (&json!("end_turn"), &json!("done")));

    assert_eq!(mock.chat(&headers, false, PROMPT).json()["choices"][0]["finish_reason"], "tool_calls");
    let turns = json!({"messages": [{"role": "tool", "tool_call_id": "t", "content": "done"}]});
    let last = mock.post("/v1/chat/completions", &headers, &turns).json();
    assert_eq!(last["choices"][0]["message"]["content"], "done");
}
