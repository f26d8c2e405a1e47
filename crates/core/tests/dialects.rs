//! Streams of every vendor whose events are known: a token that is cut over two of them comes back, whatever pieces the
//! network makes of the stream, and nothing is said twice or left out.
#![allow(missing_docs, clippy::unwrap_used, clippy::string_slice)]

mod support;

use aws_masker_core::session::Session;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use support::{cases, mask, restore, restore_cut, session};

const SSE: &str = "text/event-stream";
const SAYS: &str = "Is i-0f3a9c27be41d8056 down?";
const CALLS: &str = r#"{"id":"i-0f3a9c27be41d8056","note":"a \"b\" \\ é"}"#;

/// A stream of one vendor that says a text in pieces, and where its events have it.
struct Dialect {
    name: &'static str,
    said: fn(&str) -> Value,
    at: &'static str,
    before: fn() -> Vec<Value>,
    after: fn() -> Vec<Value>,
    /// The text is JSON: the arguments of a tool.
    is_call: bool,
}

fn nothing() -> Vec<Value> {
    Vec::new()
}

fn chat(delta: Value, reason: Value) -> Value {
    json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
}

fn stop_chat() -> Vec<Value> {
    vec![chat(json!({}), json!("stop"))]
}

fn gemini(parts: Value, reason: Value) -> Value {
    let mut candidate = json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
    if !reason.is_null() {
        candidate["finishReason"] = reason;
    }
    json!({ "candidates": [candidate], "usageMetadata": { "totalTokenCount": 5 }, "modelVersion": "g", "responseId": "r" })
}

fn cohere(kind: &str, message: Value) -> Value {
    json!({ "type": kind, "index": 0, "delta": { "message": message } })
}

fn responses(kind: &str, member: &str, text: &str) -> Value {
    json!({ "type": kind, "item_id": "i", "output_index": 0, "content_index": 0, member: text, "sequence_number": 1 })
}

fn dialects() -> Vec<Dialect> {
    vec![
        Dialect {
            name: "OpenAI",
            said: |text| chat(json!({ "content": text }), Value::Null),
            at: "/choices/0/delta/content",
            before: || vec![chat(json!({ "role": "assistant", "content": "" }), Value::Null)],
            after: stop_chat,
            is_call: false,
        },
        Dialect {
            name: "OpenAI, a call",
            said: |text| {
                chat(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": text } }] }), Value::Null)
            },
            at: "/choices/0/delta/tool_calls/0/function/arguments",
            before: || {
                let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "" } });
                vec![chat(json!({ "tool_calls": [call] }), Value::Null)]
            },
            after: || vec![chat(json!({}), json!("tool_calls"))],
            is_call: true,
        },
        Dialect {
            name: "thinking of OpenAI-likes",
            said: |text| chat(json!({ "reasoning_content": text }), Value::Null),
            at: "/choices/0/delta/reasoning_content",
            before: nothing,
            after: stop_chat,
            is_call: false,
        },
        Dialect {
            name: "thinking of Copilot",
            said: |text| chat(json!({ "reasoning_text": text }), Value::Null),
            at: "/choices/0/delta/reasoning_text",
            before: nothing,
            after: || {
                vec![chat(json!({ "reasoning_opaque": "EC2_AAAAAAAA" }), Value::Null), chat(json!({}), json!("stop"))]
            },
            is_call: false,
        },
        Dialect {
            name: "thinking that is said under two names",
            said: |text| chat(json!({ "reasoning": text, "reasoning_content": text }), Value::Null),
            at: "/choices/0/delta/reasoning",
            before: nothing,
            after: stop_chat,
            is_call: false,
        },
        Dialect {
            name: "Responses",
            said: |text| responses("response.output_text.delta", "delta", text),
            at: "/delta",
            before: nothing,
            after: || {
                vec![responses("response.output_text.done", "text", "x"), json!({ "type": "response.completed" })]
            },
            is_call: false,
        },
        Dialect {
            name: "Responses, a call",
            said: |text| responses("response.function_call_arguments.delta", "delta", text),
            at: "/delta",
            before: nothing,
            after: || vec![responses("response.function_call_arguments.done", "arguments", "{}")],
            is_call: true,
        },
        Dialect {
            name: "Anthropic, a call",
            said: |text| {
                let delta = json!({ "type": "input_json_delta", "partial_json": text });
                json!({ "type": "content_block_delta", "index": 1, "delta": delta })
            },
            at: "/delta/partial_json",
            before: nothing,
            after: || vec![json!({ "type": "content_block_stop", "index": 1 })],
            is_call: true,
        },
        Dialect {
            name: "Gemini",
            said: |text| gemini(json!([{ "text": text }]), Value::Null),
            at: "/candidates/0/content/parts/0/text",
            before: || vec![gemini(json!([{ "text": "hm", "thought": true }]), Value::Null)],
            after: || {
                let call = json!({ "functionCall": { "id": "f", "name": "n", "args": {} }, "thoughtSignature": "EC2_AAAAAAAA" });
                vec![gemini(json!([call]), Value::Null), gemini(json!([{ "text": "" }]), json!("STOP"))]
            },
            is_call: false,
        },
        Dialect {
            name: "Gemini's thoughts, as its own clients get them",
            said: |text| json!({ "response": gemini(json!([{ "thought": true, "text": text }]), Value::Null) }),
            at: "/response/candidates/0/content/parts/0/text",
            before: nothing,
            after: || vec![json!({ "response": gemini(json!([{ "text": "" }]), json!("STOP")) })],
            is_call: false,
        },
        Dialect {
            name: "Gemini, an argument of a call",
            said: |text| {
                let argument = json!({ "jsonPath": "$.id", "stringValue": text, "willContinue": true });
                let other = json!({ "jsonPath": "$.n", "numberValue": 1 });
                let call = json!({ "name": "n", "willContinue": true, "partialArgs": [other, argument] });
                gemini(json!([{ "functionCall": call }]), Value::Null)
            },
            at: "/candidates/0/content/parts/0/functionCall/partialArgs/1/stringValue",
            before: nothing,
            after: || vec![gemini(json!([{ "functionCall": {} }]), Value::Null), gemini(json!([]), json!("STOP"))],
            is_call: false,
        },
        Dialect {
            name: "Cohere",
            said: |text| cohere("content-delta", json!({ "content": { "text": text } })),
            at: "/delta/message/content/text",
            before: || vec![cohere("content-start", json!({ "content": { "type": "text", "text": "" } }))],
            after: || {
                vec![
                    json!({ "type": "content-end", "index": 0 }),
                    json!({ "type": "message-end", "delta": { "finish_reason": "COMPLETE" } }),
                ]
            },
            is_call: false,
        },
        Dialect {
            name: "Cohere's plan",
            said: |text| json!({ "type": "tool-plan-delta", "delta": { "message": { "tool_plan": text } } }),
            at: "/delta/message/tool_plan",
            before: nothing,
            after: || {
                let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": "" } });
                vec![cohere("tool-call-start", json!({ "tool_calls": call })), json!({ "type": "message-end" })]
            },
            is_call: false,
        },
        Dialect {
            name: "Cohere, a call",
            said: |text| cohere("tool-call-delta", json!({ "tool_calls": { "function": { "arguments": text } } })),
            at: "/delta/message/tool_calls/function/arguments",
            before: nothing,
            after: || vec![json!({ "type": "tool-call-end", "index": 0 })],
            is_call: true,
        },
        Dialect {
            name: "Llama",
            said: |text| json!({ "event": { "event_type": "progress", "delta": { "type": "text", "text": text } } }),
            at: "/event/delta/text",
            before: nothing,
            after: || vec![json!({ "event": { "event_type": "complete", "delta": { "type": "text", "text": "" } } })],
            is_call: false,
        },
    ]
}

/// Masks what the client says; gives a session that knows it, and what the model sees.
fn masked(text: &str) -> (Session, String) {
    let mut session = session();
    let masked = mask(&mut session, "text/plain", text.as_bytes());
    assert_ne!(masked, text.as_bytes());
    (session, String::from_utf8(masked).unwrap())
}

impl Dialect {
    fn text(&self) -> &'static str {
        if self.is_call { CALLS } else { SAYS }
    }

    fn stream(&self, pieces: &[&str]) -> String {
        let events = (self.before)().into_iter().chain(pieces.iter().map(|piece| (self.said)(piece)));
        let events = events.chain((self.after)());
        events.map(|event| format!("data: {event}\n\n")).collect()
    }

    /// What a client puts together, and the other events.
    fn read(&self, stream: &[u8], others: bool) -> (String, Vec<Value>) {
        let stream = std::str::from_utf8(stream).unwrap();
        let events = stream.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let (mut text, mut rest) = (String::new(), Vec::new());
        let frame = [(self.before)(), (self.after)()].concat();
        for event in events {
            let event: Value = serde_json::from_str(event).unwrap();
            if frame.contains(&event) {
                rest.extend(others.then_some(event));
            } else {
                text +=
                    event.pointer(self.at).and_then(Value::as_str).unwrap_or_else(|| panic!("{}: {event}", self.name));
            }
        }
        (text, rest)
    }
}

#[test]
fn a_token_that_is_cut_over_events_comes_back() {
    for dialect in dialects() {
        let (mut session, text) = masked(dialect.text());
        for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            for pieces in [vec![&text[..at], &text[at..]], vec![&text[..at]]] {
                let stream = dialect.stream(&pieces);
                let came = restore(&mut session, SSE, stream.as_bytes());
                let (said, others) = dialect.read(&came, true);
                let whole = pieces.concat();
                let wanted = String::from_utf8(restore(&mut session, "text/plain", whole.as_bytes())).unwrap();
                assert_eq!(said, wanted, "{} at {at}: {stream}", dialect.name);
                assert_eq!(others, dialect.read(stream.as_bytes(), true).1, "{} at {at}", dialect.name);
            }
        }
    }
}

#[test]
fn pieces_of_the_network_change_nothing() {
    for dialect in dialects() {
        let (mut session, text) = masked(dialect.text());
        let pieces: Vec<String> =
            text.chars().collect::<Vec<_>>().chunks(3).map(|piece| piece.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        for stream in [dialect.stream(&pieces), dialect.stream(&pieces).replace('\n', "\r\n"), dialect.stream(&[&text])]
        {
            let whole = restore(&mut session, SSE, stream.as_bytes());
            for cut in 1..stream.len() {
                assert!(
                    restore_cut(&mut session, SSE, stream.as_bytes(), &[cut]) == whole,
                    "{} at {cut}",
                    dialect.name
                );
            }
            let all: Vec<usize> = (1..stream.len()).collect();
            assert!(restore_cut(&mut session, SSE, stream.as_bytes(), &all) == whole, "{} byte by byte", dialect.name);
        }
    }
}

/// Two answers at once, each of which ends in what could be the beginning of a token.
#[test]
fn answers_side_by_side_are_each_said_once() {
    let (mut session, text) = masked(SAYS);
    let at = text.find('_').unwrap() + 3;
    let two = |first: &str, second: &str| {
        let choice =
            |index: usize, text: &str| json!({ "index": index, "delta": { "content": text }, "finish_reason": null });
        json!({ "id": "c", "choices": [choice(0, first), choice(1, second)] })
    };
    let ends =
        |index: usize| json!({ "id": "c", "choices": [{ "index": index, "delta": {}, "finish_reason": "stop" }] });
    let candidates = |first: &str, second: &str| {
        let candidate =
            |index: usize, text: &str| json!({ "index": index, "content": { "parts": [{ "text": text }] } });
        json!({ "candidates": [candidate(0, first), candidate(1, second)] })
    };
    let last = |index: usize| json!({ "candidates": [{ "index": index, "finishReason": "STOP" }] });
    for events in [
        vec![two(&text[..at], &text[..at]), two(&text[at..], ""), two("", &text[at..]), ends(0), ends(1)],
        vec![two(&text[..at], &text[..at]), ends(0), ends(1)],
        vec![two(&text[..at], &text[..at]), ends(1), ends(0)],
        vec![candidates(&text[..at], &text[..at]), candidates(&text[at..], &text[at..]), last(0), last(1)],
        vec![candidates(&text[..at], &text[..at]), last(1), last(0)],
        vec![candidates(&text[..at], &text[..at]), json!({ "usageMetadata": {} })],
    ] {
        let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let came = String::from_utf8(restore(&mut session, SSE, stream.as_bytes())).unwrap();
        let said = |stream: &str| {
            let mut said = [String::new(), String::new()];
            for event in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
                let event: Value = serde_json::from_str(event).unwrap();
                let choices =
                    event["choices"].as_array().or(event["candidates"].as_array()).cloned().unwrap_or_default();
                for choice in choices {
                    let text = choice.pointer("/delta/content").or(choice.pointer("/content/parts/0/text"));
                    said[usize::try_from(choice["index"].as_u64().unwrap()).unwrap()] +=
                        text.and_then(Value::as_str).unwrap_or("");
                }
            }
            said
        };
        let wanted =
            said(&stream).map(|text| String::from_utf8(restore(&mut session, "text/plain", text.as_bytes())).unwrap());
        assert_eq!(said(&came), wanted, "{stream}\n{came}");
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// What else a stream may have between two events of a text changes nothing of what is said.
    #[test]
    fn whatever_comes_in_between(
        dialect in any::<Index>(),
        text_cuts in vec(any::<Index>(), 0..8),
        others in vec(0usize..5, 10),
        byte_cuts in vec(any::<Index>(), 0..6),
    ) {
        let dialects = dialects();
        let dialect = &dialects[dialect.index(dialects.len())];
        let (mut session, text) = masked(dialect.text());
        let mut cuts: Vec<usize> = text_cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.iter_mut().for_each(|at| *at = (0..=*at).rev().find(|&i| text.is_char_boundary(i)).unwrap());
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let mut stream = String::new();
        for event in (dialect.before)() {
            stream += &format!("data: {event}\n\n");
        }
        for (pair, other) in cuts.windows(2).zip(others) {
            stream += &format!("data: {}\n\n", (dialect.said)(&text[pair[0]..pair[1]]));
            stream += [
                "", "", ": ping\n\n", "event: ping\ndata: {\"type\":\"ping\"}\n\n", "data: {\"usageMetadata\":{\"x\":1}}\n\n"
            ][other];
        }
        for event in (dialect.after)() {
            stream += &format!("data: {event}\n\n");
        }
        let whole = restore(&mut session, SSE, stream.as_bytes());
        let without = |stream: &[u8]| {
            let stream = String::from_utf8(stream.to_vec()).unwrap();
            let events = stream.split_inclusive("\n\n");
            events.filter(|event| !event.contains("ping") && !event.starts_with("data: {\"usage")).collect::<String>()
        };
        let (said, rest) = dialect.read(without(&whole).as_bytes(), true);
        prop_assert_eq!(&said, dialect.text(), "{}", stream);
        prop_assert_eq!(rest, dialect.read(without(stream.as_bytes()).as_bytes(), true).1);
        let mut cuts: Vec<usize> = byte_cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        prop_assert!(restore_cut(&mut session, SSE, stream.as_bytes(), &cuts) == whole);
    }
}
