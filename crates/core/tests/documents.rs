//! Answers in JSON mode: the text is a JSON document, and stays one when originals stand in it that JSON has to escape.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};

use aws_masker_core::session::Session;
use support::{mask, restore, restore_cut, session};

const JSON: &str = "application/json";

fn pem() -> String {
    let line = "MIIEowIBAAKCAQEAx7Zk3V9Qm2T8sLw5RfYc1HbNd6uJp4KgXe0Oa/iBvtMyWlC+";
    format!("-----BEGIN RSA PRIVATE KEY-----\n{line}\n{line}\n-----END RSA PRIVATE KEY-----")
}

/// A session that masked a request with these messages, what it made of them, and the token of the key.
fn masked(messages: &Value) -> (Session, Value, String) {
    let mut session = session();
    let body = mask(&mut session, JSON, json!({"model": "m", "messages": messages}).to_string().as_bytes());
    let token = session.tokens().iter().find(|entry| entry.token.starts_with(b"PEM")).unwrap().token.to_vec();
    let seen: Value = serde_json::from_slice(&body).unwrap();
    (session, seen["messages"].clone(), String::from_utf8(token).unwrap())
}

fn asked() -> Value {
    json!([{"role": "user", "content": format!("Give me this key as JSON:\n{}", pem())}])
}

fn key_of(document: &str) -> String {
    // as clients take it out of Markdown
    let document = document.strip_prefix("```json\n").map_or(document, |fenced| fenced.trim_end_matches("\n```"));
    let document: Value = serde_json::from_str(document).unwrap_or_else(|why| panic!("{why}: {document}"));
    let document = if document.is_array() { document[0].clone() } else { document };
    document["key"].as_str().unwrap().to_owned()
}

/// What a client puts together of `text` when it comes in deltas of `len` bytes each.
fn in_fragments(session: &mut Session, text: &str, len: usize, delta: &str, member: &str) -> String {
    let event = |piece: &[u8]| {
        let delta = json!({ "type": delta, member: std::str::from_utf8(piece).unwrap() });
        let event = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
        format!("event: content_block_delta\ndata: {event}\n\n")
    };
    let events: String = text.as_bytes().chunks(len).map(event).collect();
    let restored = String::from_utf8(restore(session, "text/event-stream", events.as_bytes())).unwrap();
    let said = |data: &str| serde_json::from_str::<Value>(data).unwrap()["delta"][member].as_str().unwrap().to_owned();
    restored.lines().filter_map(|line| line.strip_prefix("data: ")).map(said).collect()
}

#[test]
fn a_document_stays_one() {
    let (mut session, _, token) = masked(&asked());
    for document in [
        format!(r#"{{"key":"{token}"}}"#),
        format!("\n{{\n\t\"n\": 1,\n\t\"key\": \"{token}\"\n}}"),
        format!(r#"[{{"key": "{token}"}}]"#),
        format!("```json\n{{\"key\": \"{token}\"}}\n```"),
    ] {
        let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": document}}]});
        let restored: Value =
            serde_json::from_slice(&restore(&mut session, JSON, answer.to_string().as_bytes())).unwrap();
        assert_eq!(key_of(restored["choices"][0]["message"]["content"].as_str().unwrap()), pem());
        // the answer itself, of a type that does not say so
        let restored = restore(&mut session, "text/plain", document.as_bytes());
        assert_eq!(key_of(std::str::from_utf8(&restored).unwrap()), pem());
    }
}

#[test]
fn wherever_the_network_cuts_it() {
    let (mut session, _, token) = masked(&asked());
    let answer = json!({"content": [{"type": "text", "text": format!("\n{{ \"key\": \"{token}\" }}")}]}).to_string();
    let whole = restore(&mut session, JSON, answer.as_bytes());
    for cut in 1..answer.len() {
        assert_eq!(restore_cut(&mut session, JSON, answer.as_bytes(), &[cut]), whole, "cut at {cut}");
    }
}

#[test]
fn in_fragments_of_a_stream() {
    let (mut session, _, token) = masked(&asked());
    let document = format!("{{\n \"key\": \"{token}\"}}");
    for len in 1..8 {
        let said = in_fragments(&mut session, &document, len, "text_delta", "text");
        assert_eq!(key_of(&said), pem(), "fragments of {len}");
    }
}

#[test]
fn prose_has_no_escapes() {
    let (mut session, _, token) = masked(&asked());
    for text in [
        format!("The key:\n{token}"),
        format!("[1] {token}"),
        format!("{{{token}}}"),
        format!("`{token}`"),
        format!("{{\"a\": \"\\\"\", \"b\": 1}}\n\nThe key:\n{token}"),
        format!("```json\n{{\"a\": \"b\"}}\n```\nThe key: {token}"),
        format!("{{\"a\": 5\" or\n6\" of {token}"),
    ] {
        let answer = json!({"content": [{"type": "text", "text": text}]}).to_string();
        let restored: Value = serde_json::from_slice(&restore(&mut session, JSON, answer.as_bytes())).unwrap();
        assert_eq!(restored["content"][0]["text"], text.replace(&token, &pem()), "{text}");
    }
}

#[test]
fn what_came_in_a_document_goes_back_as_it_came() {
    let result = json!({"key": pem()}).to_string();
    let (mut session, seen, _) = masked(&json!([{"role": "tool", "tool_call_id": "c", "content": result}]));
    let answer = json!({"choices": [{"index": 0, "message": seen[0]}]}).to_string();
    let restored: Value = serde_json::from_slice(&restore(&mut session, JSON, answer.as_bytes())).unwrap();
    assert_eq!(restored["choices"][0]["message"]["content"], result);
}

#[test]
fn the_next_turn_is_masked_as_the_model_said_it() {
    let (mut session, _, token) = masked(&asked());
    let said = json!({"role": "assistant", "content": format!(r#"{{"key": "{token}"}}"#)});
    let restored: Value = serde_json::from_slice(&restore(&mut session, JSON, said.to_string().as_bytes())).unwrap();
    let mut messages = asked();
    messages.as_array_mut().unwrap().push(restored);
    assert_eq!(masked(&messages).1[1], said);
}

#[test]
fn what_came_in_a_document_is_itself_elsewhere() {
    let result = json!({"key": pem(), "n": 1}).to_string();
    let (mut session, _, token) = masked(&json!([{"role": "tool", "tool_call_id": "c", "content": result}]));
    let mut restored = |answer: Value| -> Value {
        serde_json::from_slice(&restore(&mut session, JSON, answer.to_string().as_bytes())).unwrap()
    };
    // in a tool's input, in arguments, in prose
    let input = restored(json!({"content": [{"type": "tool_use", "name": "write", "input": {"key": token}}]}));
    assert_eq!(input["content"][0]["input"]["key"], pem());
    let arguments = json!({"key": token}).to_string();
    let called = restored(json!({"choices": [{"message": {"tool_calls": [{"function": {"arguments": arguments}}]}}]}));
    assert_eq!(
        key_of(called["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap()),
        pem()
    );
    let prose = restored(json!({"content": [{"type": "text", "text": format!("It is\n{token}")}]}));
    assert_eq!(prose["content"][0]["text"], format!("It is\n{}", pem()));
}

#[test]
fn a_document_in_the_arguments_of_a_tool_stays_one() {
    let (mut session, _, token) = masked(&asked());
    let input = json!({"path": "key.json", "content": format!(r#"{{"n": 1, "key": "{token}"}}"#), "raw": token});
    let arguments = input.to_string();
    for len in 1..9 {
        let said = in_fragments(&mut session, &arguments, len, "input_json_delta", "partial_json");
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(key_of(said["content"].as_str().unwrap()), pem(), "pieces of {len}");
        assert_eq!(said["raw"], pem());
    }
}

#[test]
fn a_broken_document_comes_back_as_it_came() {
    for text in [format!("{{\"key\": \"{}\"}}", pem()), format!("{{\"a\": \"b\"}}\n{}", pem())] {
        let (mut session, seen, _) = masked(&json!([{"role": "user", "content": text}]));
        let answer = json!({"choices": [{"index": 0, "message": seen[0]}]}).to_string();
        let restored: Value = serde_json::from_slice(&restore(&mut session, JSON, answer.as_bytes())).unwrap();
        assert_eq!(restored["choices"][0]["message"]["content"], text);
        let mut session = support::session();
        let body = mask(&mut session, "text/plain", text.as_bytes());
        assert_eq!(restore(&mut session, "text/plain", &body), text.as_bytes());
    }
}
