//! A conversation of many turns with tools: what the upstream gets of earlier turns never changes, so that prompt caches
//! hit and signatures hold.
#![allow(clippy::string_slice, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{detector, mask, restore, session_of};

const TURNS: usize = 20;
const JSON: &str = "application/json";

/// What the user says in a turn, or a tool answers: identifiers old and new, in prose, JSON and ARNs.
fn said(turn: usize) -> String {
    let (now, before) = (0x9c00_0000 + turn * 7919, 0x9c00_0000 + turn / 2 * 7919);
    format!(
        "Turn {turn}: i-0abcdef0{now:09x} 는 응답이 없고, \"i-0abcdef0{before:09x}\"도 vpc-0a1b2c3d{now:09x}\n\
         arn:aws:lambda:us-east-1:123456789012:function:orders-{turn} | 10.20.{turn}.7"
    )
}

/// The body of the request whose conversation is `messages`.
fn request(messages: &[Value]) -> String {
    json!({ "model": "m", "system": "You know i-0abcdef0123456789.", "messages": messages }).to_string()
}

/// The messages of a masked request, byte for byte.
fn messages(masked: &[u8]) -> &str {
    let text = std::str::from_utf8(masked).unwrap();
    let (_, rest) = text.split_once("\"messages\":[").unwrap();
    rest.split_once("],\"model\"").unwrap().0
}

/// What a model says to the last message: it knows tokens only, and puts them into prose, code, tool input and thinking.
fn answer(last: &Value, turn: usize) -> Value {
    let heard = last["content"]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| last["content"][0]["content"].as_str().unwrap().to_owned());
    json!({ "id": format!("msg_{turn}"), "type": "message", "role": "assistant", "model": "m", "content": [
        { "type": "thinking", "thinking": format!("It says: {heard}"), "signature": format!("c2ln{turn}+/=") },
        { "type": "text", "text": format!("I see:\n```\n{heard}\n```\n") },
        { "type": "tool_use", "id": format!("toolu_{turn}"), "name": "bash",
            "input": { "command": format!("describe --text '{heard}'"), "lines": heard.lines().collect::<Vec<_>>() } },
    ], "stop_reason": "tool_use" })
}

#[test]
fn the_upstream_sees_the_same_prefix_turn_after_turn() {
    let detector = detector();
    let mut client = vec![json!({ "role": "user", "content": said(0) })];
    let mut upstream: Vec<Value> = Vec::new();
    let mut seen_before = String::new();
    for turn in 0..TURNS {
        // A session of its own for each request, as behind a gateway.
        let mut session = session_of(&detector, b"conversation");
        let masked = mask(&mut session, JSON, request(&client).as_bytes());
        let seen = messages(&masked);
        assert!(seen.starts_with(&seen_before), "turn {turn}: an earlier message changed");
        for secret in ["i-0abcdef0", "vpc-0a1b2c3d", "123456789012", "10.20."] {
            assert!(!seen.replace("toolu_", "").contains(secret), "turn {turn}: {secret} leaked");
        }
        seen_before = seen.to_owned();

        // The assistant's part of what the upstream sees is what it said itself.
        let messages: Vec<Value> = serde_json::from_str(&format!("[{seen}]")).unwrap();
        let own: Vec<&Value> = messages.iter().filter(|message| message["role"] == "assistant").collect();
        assert_eq!(own, upstream.iter().collect::<Vec<_>>(), "turn {turn}");

        let said_by_model = answer(messages.last().unwrap(), turn);
        upstream.push(json!({ "role": "assistant", "content": said_by_model["content"] }));
        let restored = restore(&mut session, JSON, said_by_model.to_string().as_bytes());
        let restored: Value = serde_json::from_slice(&restored).unwrap();

        // Tools get what they were asked about; thinking and signature stay as they were signed.
        let last_said = client.last().unwrap()["content"]
            .as_str()
            .map(str::to_owned)
            .unwrap_or_else(|| client.last().unwrap()["content"][0]["content"].as_str().unwrap().to_owned());
        assert_eq!(restored["content"][2]["input"]["command"], format!("describe --text '{last_said}'"));
        assert_eq!(restored["content"][0], said_by_model["content"][0]);

        client.push(json!({ "role": "assistant", "content": restored["content"] }));
        client.push(json!({ "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": format!("toolu_{turn}"), "content": said(turn + 1) },
        ]}));
    }
    assert_eq!(upstream.len(), TURNS);
}
