//! Streams that are no server-sent events: Bedrock's binary messages and Gemini's lists.
#![allow(missing_docs, clippy::unwrap_used, clippy::string_slice)]

mod support;

use aws_masker_core::session::Session;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use support::bedrock::{TYPE as BINARY, message, messages};
use support::{cases, mask, restore, restore_cut, session};

const SAYS: &str = "Is i-0f3a9c27be41d8056 \"down\"?";

fn masked(text: &str) -> (Session, String) {
    let mut session = session();
    let masked = mask(&mut session, "text/plain", text.as_bytes());
    (session, String::from_utf8(masked).unwrap())
}

/// An event as InvokeModelWithResponseStream has it.
fn packed(event: &Value) -> Vec<u8> {
    let payload = json!({ "bytes": STANDARD.encode(event.to_string()), "p": "abcdef" });
    message("chunk", payload.to_string().as_bytes())
}

fn unpacked(payload: &[u8]) -> Value {
    let payload: Value = serde_json::from_slice(payload).unwrap();
    match payload["bytes"].as_str() {
        Some(bytes) => serde_json::from_slice(&STANDARD.decode(bytes).unwrap()).unwrap(),
        None => payload,
    }
}

fn said(stream: &[u8], at: &str) -> String {
    let events = messages(stream);
    events
        .iter()
        .map(|(_, payload)| unpacked(payload).pointer(at).and_then(Value::as_str).unwrap_or("").to_owned())
        .collect()
}

fn converse(kind: &str, event: Value) -> Vec<u8> {
    message(kind, event.to_string().as_bytes())
}

/// The streams of Bedrock that say `pieces`, and where they do.
fn bedrock(pieces: &[&str]) -> [(Vec<u8>, &'static str); 3] {
    let invoked = pieces.iter().map(|text| {
        let delta = json!({ "type": "text_delta", "text": text });
        packed(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
    });
    let stop = packed(&json!({ "type": "content_block_stop", "index": 0 }));
    let says = pieces.iter().map(|text| {
        converse("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": text }, "p": "abc" }))
    });
    let calls = pieces.iter().map(|text| {
        let delta = json!({ "toolUse": { "input": text } });
        converse("contentBlockDelta", json!({ "contentBlockIndex": 1, "delta": delta, "p": "abc" }))
    });
    let ends = |index: usize| {
        [
            converse("contentBlockStop", json!({ "contentBlockIndex": index, "p": "a" })),
            converse("messageStop", json!({ "stopReason": "end_turn", "p": "a" })),
            converse("metadata", json!({ "usage": { "totalTokens": 5 }, "p": "a" })),
        ]
        .concat()
    };
    [
        (invoked.chain([stop]).collect::<Vec<_>>().concat(), "/delta/text"),
        (says.chain([ends(0)]).collect::<Vec<_>>().concat(), "/delta/text"),
        (calls.chain([ends(1)]).collect::<Vec<_>>().concat(), "/delta/toolUse/input"),
    ]
}

#[test]
fn tokens_come_back_in_streams_of_bedrock() {
    let input = json!({ "id": SAYS }).to_string();
    for is_call in [false, true] {
        let (mut session, text) = masked(if is_call { &input } else { SAYS });
        for at in 0..=text.len() {
            for (stream, place) in bedrock(&[&text[..at], &text[at..]]) {
                if is_call != place.ends_with("input") {
                    continue;
                }
                let came = restore(&mut session, BINARY, &stream);
                assert_eq!(said(&came, place), if is_call { input.as_str() } else { SAYS }, "at {at}");
                // the block ends behind all that it says
                let last = messages(&came).pop().unwrap();
                assert_eq!(last, messages(&stream).pop().unwrap());
            }
        }
    }
}

#[test]
fn pieces_of_the_network_change_nothing() {
    let (mut session, text) = masked(SAYS);
    let pieces: Vec<&str> = text.as_bytes().chunks(3).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    for (stream, _) in bedrock(&pieces) {
        let whole = restore(&mut session, BINARY, &stream);
        for cut in 1..stream.len() {
            assert!(restore_cut(&mut session, BINARY, &stream, &[cut]) == whole, "cut at {cut}");
        }
        let all: Vec<usize> = (1..stream.len()).collect();
        assert!(restore_cut(&mut session, BINARY, &stream, &all) == whole, "byte by byte");
    }
}

#[test]
fn what_is_no_such_message_passes_as_it_is() {
    let (mut session, text) = masked(SAYS);
    let [(stream, _), ..] = bedrock(&[&text]);
    let broken = [b"no message, but bytes".as_slice(), &stream].concat();
    let mut wrong = stream.clone();
    // a payload that its checksum does not fit
    wrong[80] ^= 1;
    let long = [message("chunk", &vec![b'x'; 2 * 1024 * 1024]), message("x", b"\xff\xfe"), message("x", b"")].concat();
    for answer in [&broken, &wrong[..wrong.len() / 2].to_vec(), &long, &stream[..7].to_vec()] {
        for cut in [1, 20, answer.len() / 2] {
            let came = restore_cut(&mut session, BINARY, answer, &[cut]);
            assert!(&came == answer);
        }
    }
    // and what comes behind a long one is read again
    let came = restore(&mut session, BINARY, &[long.clone(), stream.clone()].concat());
    assert_eq!(said(&came[long.len()..], "/delta/text"), SAYS);
}

fn item(text: &str, reason: Value) -> String {
    let candidate =
        json!({ "content": { "parts": [{ "text": text }], "role": "model" }, "finishReason": reason, "index": 0 });
    serde_json::to_string_pretty(&json!({ "candidates": [candidate], "usageMetadata": { "totalTokenCount": 1 } }))
        .unwrap()
}

fn list(items: &[String]) -> String {
    format!("[{}\n]\n", items.join("\n,\r\n"))
}

#[test]
fn tokens_come_back_in_lists_of_gemini() {
    let (mut session, text) = masked(SAYS);
    for at in 0..=text.len() {
        for items in [
            vec![item(&text[..at], Value::Null), item(&text[at..], json!("STOP"))],
            vec![item(&text[..at], Value::Null), item(&text[at..], Value::Null)],
            vec![item(&text[..at], Value::Null), "{\"usageMetadata\":{}}".to_owned(), item(&text[at..], Value::Null)],
        ] {
            let answer = list(&items);
            let whole = restore(&mut session, "application/json", answer.as_bytes());
            let came: Vec<Value> = serde_json::from_slice(&whole).unwrap();
            let said: String =
                came.iter().filter_map(|item| item.pointer("/candidates/0/content/parts/0/text")?.as_str()).collect();
            assert_eq!(said, SAYS, "at {at}");
            if at == text.len() / 2 {
                for cut in 1..answer.len() {
                    let again = restore_cut(&mut session, "application/json", answer.as_bytes(), &[cut]);
                    assert!(again == whole, "cut at {cut}");
                }
                let all: Vec<usize> = (1..answer.len()).collect();
                assert!(restore_cut(&mut session, "application/json", answer.as_bytes(), &all) == whole);
            }
        }
    }
}

#[test]
fn tokens_come_back_in_lines_of_ollama_and_cohere() {
    let (mut session, text) = masked(SAYS);
    let chat = |text: &str, done: bool| {
        let line = json!({ "created_at": "t", "message": { "role": "assistant", "content": text }, "done": done });
        line.to_string().replacen('{', "{\"model\":\"m\",", 1) + "\n"
    };
    let generated =
        |text: &str, done: bool| format!("{{\"model\":\"m\",\"response\":{},\"done\":{done}}}\n", json!(text));
    let cohere = |text: &str, done: bool| {
        let (kind, end) = if done {
            ("stream-end", format!(",\"response\":{{\"text\":{}}}", json!("x")))
        } else {
            ("text-generation", String::new())
        };
        let said = if done { String::new() } else { format!(",\"text\":{}", json!(text)) };
        format!("{{\"is_finished\":{done},\"event_type\":\"{kind}\"{said}{end}}}\n")
    };
    for at in 0..=text.len() {
        let (first, rest) = text.split_at(at);
        for answer in [
            cohere(first, false) + &cohere(rest, false) + &cohere("", true),
            chat(first, false) + &chat(rest, false) + &chat("", true),
            chat(first, false) + &chat(rest, true),
            generated(first, false) + &generated(rest, false) + &generated("", true),
        ] {
            let content_type =
                if answer.contains("is_finished") { "application/stream+json" } else { "application/x-ndjson" };
            let whole = restore(&mut session, content_type, answer.as_bytes());
            let said: String = std::str::from_utf8(&whole)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .filter_map(|line| {
                    let text = line.pointer("/message/content").or(line.get("text")).or(line.get("response"));
                    Some(text?.as_str()?.to_owned())
                })
                .collect();
            assert_eq!(said, SAYS, "at {at}");
            for cut in 1..answer.len() {
                let again = restore_cut(&mut session, content_type, answer.as_bytes(), &[cut]);
                assert!(again == whole, "cut at {cut}");
            }
        }
    }
    // a line leaves as soon as its end comes
    let line = chat("and more", false);
    assert!(session.open_answer(b"application/x-ndjson", b""));
    let mut out = Vec::new();
    session.restore(line.trim_end().as_bytes(), false, &mut out).unwrap();
    session.restore(b"\n", false, &mut out).unwrap();
    assert_eq!(out, line.as_bytes());
    // other lines go on nothing
    let line = |text: &str| format!("{}\n", json!({ "custom_id": "a", "message": { "content": text } }));
    let answer = line(&text[..8]) + &line(&text) + &line(&text[8..]);
    let wanted = line(&text[..8]) + &line(SAYS) + &line(&text[8..]);
    assert_eq!(restore(&mut session, "application/x-ndjson", answer.as_bytes()), wanted.as_bytes());
}

#[test]
fn an_item_leaves_when_it_is_whole() {
    let (mut session, text) = masked(SAYS);
    assert!(session.open_answer(b"application/json", b""));
    let mut out = Vec::new();
    let first = format!("[{}", item(&format!("{text} and more"), Value::Null));
    session.restore(first.as_bytes(), false, &mut out).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&[&out, b"]".as_slice()].concat()).unwrap()[0]["candidates"][0]["content"]["parts"]
            [0]["text"],
        format!("{SAYS} and more")
    );
}

#[test]
fn other_lists_are_documents() {
    let (mut session, text) = masked(SAYS);
    let long = "x".repeat(300_000);
    let answers = [
        "[]".to_owned(),
        "[".to_owned(),
        json!([{ "candidate": text }, 5, [text, { "candidates": text }]]).to_string(),
        json!([{ "candidates": [{ "content": { "parts": [{ "inlineData": { "data": long } }, { "text": text }] } }] }, { "a": text }]).to_string(),
        format!("[{{\"candidates\":[]}}, {}", json!({ "a": [text] })),
    ];
    for answer in answers {
        let quoted = |text: &str| json!(text).to_string();
        let wanted = answer.replace(&quoted(&text), &quoted(SAYS));
        for cut in [0, 1, 2, answer.len() / 2] {
            let came = restore_cut(&mut session, "application/json", answer.as_bytes(), &[cut]);
            assert!(came == wanted.as_bytes(), "{}", String::from_utf8_lossy(&came[..came.len().min(500)]));
        }
    }
}

proptest! {
    #![proptest_config(cases(600))]

    /// Whatever is broken in a stream, the pieces that it comes in change nothing, and nobody panics.
    #[test]
    fn broken_streams_are_read_alike(
        which in 0usize..4,
        at in 0usize..40,
        changes in vec((any::<Index>(), any::<u8>()), 0..4),
        swaps in vec((any::<Index>(), prop::sample::select(&b"[]{},\"\\ \n\0"[..])), 0..4),
        lost in any::<Index>(),
        byte_cuts in vec(any::<Index>(), 0..6),
    ) {
        let (mut session, text) = masked(SAYS);
        let (first, rest) = text.split_at(at.min(text.len()));
        let (mut answer, content_type) = if which < 3 {
            (bedrock(&[first, rest])[which].0.clone(), BINARY)
        } else {
            (list(&[item(first, Value::Null), item(rest, json!("STOP"))]).into_bytes(), "application/json")
        };
        for (at, byte) in changes.into_iter().chain(swaps) {
            let at = at.index(answer.len());
            answer[at] = byte;
        }
        answer.remove(lost.index(answer.len()));
        let whole = restore(&mut session, content_type, &answer);
        let mut cuts: Vec<usize> = byte_cuts.iter().map(|cut| cut.index(answer.len())).collect();
        cuts.sort_unstable();
        prop_assert!(restore_cut(&mut session, content_type, &answer, &cuts) == whole, "{:?}", String::from_utf8_lossy(&answer));
    }
}
