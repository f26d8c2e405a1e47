//! Streams that somebody sends to lose bytes, or to have a gateway keep and compute more than it can.
#![allow(missing_docs, clippy::unwrap_used, clippy::string_slice)]

mod support;

use aws_masker_core::session::Session;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use support::bedrock::{TYPE as BINARY, exception, message, messages};
use support::{mask, restore, restore_cut, session};

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";
const ID: &str = "i-0f3a9c27be41d8056";

/// A session, and the token that it knows.
fn knowing() -> (Session, String) {
    let mut session = session();
    let token = mask(&mut session, "text/plain", ID.as_bytes());
    (session, String::from_utf8(token).unwrap())
}

fn with_id(answer: &str, token: &str) -> String {
    answer.replace(token, ID)
}

/// Restores in one piece, in two, and byte by byte, which has to be the same.
fn restore_any(session: &mut Session, content_type: &str, answer: &[u8]) -> Vec<u8> {
    let whole = restore(session, content_type, answer);
    let each: Vec<usize> = (1..answer.len()).collect();
    for cuts in [&[answer.len() / 2][..], &[1, answer.len() - 1], &each] {
        let cut = restore_cut(session, content_type, answer, cuts);
        assert!(cut == whole, "cut at {cuts:?}: {}", String::from_utf8_lossy(&cut));
    }
    whole
}

#[test]
fn what_nothing_is_restored_in_stays_byte_for_byte() {
    let (mut session, _) = knowing();
    let candidates = "{\r\n\t\"candidates\": [ ],\r\"x\": 1\n}";
    let line = "{\"model\":\"m\",\"response\":\"12\",\"done\":false}";
    for (content_type, answer) in [
        (JSON, format!("[{candidates}\r\n,\r\n{candidates}\r\n]\r\n")),
        (JSON, format!("[{candidates}")),
        (JSON, format!("[{candidates}]]\n,{candidates}\n")),
        (LINES, format!("{line}\r\n{line}\r\n")),
        (LINES, format!("{line}\n\n\n{line} \n  {line}")),
        (LINES, format!("{line}  ")),
        (LINES, format!("\n{line}{line}\n{line}\nno line {{")),
    ] {
        let came = restore_any(&mut session, content_type, answer.as_bytes());
        assert_eq!(String::from_utf8_lossy(&came), answer);
    }
    for payload in ["{\r\n\"a\":\r1}\r\n\r\n", "{\"a\":\"\r\"}", "{}\n\n", "\r{}\r", "no \r JSON", "[]"] {
        let bytes = json!({ "bytes": STANDARD.encode(payload) }).to_string();
        let stream = [message("chunk", payload.as_bytes()), message("chunk", bytes.as_bytes())].concat();
        assert!(restore_any(&mut session, BINARY, &stream) == stream, "{payload:?}");
    }
}

#[test]
fn whatever_stands_between_items_stays() {
    let (mut session, token) = knowing();
    for between in ["\0", ",\0,\0", "\0\0 x, [", ", \"a string\", 5,", ""] {
        let answer = format!("[{{\"candidates\":[]}}{between}{{\"a\":\"{token}\"}}\0, {{\"b\":\"{token}\"}}]");
        let came = restore_any(&mut session, JSON, answer.as_bytes());
        assert_eq!(String::from_utf8_lossy(&came), with_id(&answer, &token));
    }
    let line = format!("{{\"model\":\"m\",\"response\":\"{token}\",\"done\":true}}");
    let answer = format!("{line}\0{line}\r\n\0\0{line}\n");
    let came = restore_any(&mut session, LINES, answer.as_bytes());
    assert_eq!(String::from_utf8_lossy(&came), with_id(&answer, &token));
}

/// What is held of a text that an item begins is said in one more item of the same list.
#[test]
fn a_list_begins_once() {
    let (mut session, token) = knowing();
    let (first, rest) = token.split_at(token.len() - 2);
    let call = |text: &str| {
        let argument = json!({ "jsonPath": "$.id", "stringValue": text });
        let parts = json!([{ "functionCall": { "partialArgs": [argument] } }]);
        json!({ "candidates": [{ "content": { "parts": parts }, "index": 0 }] })
    };
    let answer = json!([call(first), { "usageMetadata": {} }]).to_string();
    let came = restore_any(&mut session, JSON, answer.as_bytes());
    let items: Vec<Value> = serde_json::from_slice(&came).unwrap();
    let said: Vec<&str> = items
        .iter()
        .filter_map(|item| {
            item.pointer("/candidates/0/content/parts/0/functionCall/partialArgs/0/stringValue")?.as_str()
        })
        .collect();
    assert_eq!(said.concat(), first);
    let answer = json!([call(first), { "usageMetadata": {} }, call(rest)]).to_string();
    assert!(String::from_utf8_lossy(&restore_any(&mut session, JSON, answer.as_bytes())).contains(ID));
}

/// nginx asks for what is held where it has nothing for the client yet; the answer goes on all the same.
#[test]
fn a_release_before_anything_came_changes_nothing() {
    let (mut session, token) = knowing();
    let (first, rest) = token.split_at(5);
    let line = |text: &str, done: bool| format!("{{\"model\":\"m\",\"response\":\"{text}\",\"done\":{done}}}\n");
    let item = |text: &str| format!("{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}}}}]}}");
    let payload = |text: &str| format!("{{\"contentBlockIndex\":0,\"delta\":{{\"text\":\"{text}\"}}}}");
    let message = |text: &str| message("contentBlockDelta", payload(text).as_bytes());
    for (content_type, before, answer) in [
        (LINES, String::new(), [line(first, false), line(rest, true)].concat().into_bytes()),
        (LINES, line("1", false), [line(first, false), line(rest, true)].concat().into_bytes()),
        (JSON, format!("[{}", item("1")), format!(",{},{}]", item(first), item(rest)).into_bytes()),
        (BINARY, String::new(), [message(first), message(rest)].concat()),
    ] {
        assert!(session.open_answer(content_type.as_bytes(), b""));
        let mut out = Vec::new();
        session.release(&mut out);
        session.restore(before.as_bytes(), false, &mut out).unwrap();
        session.release(&mut out);
        session.restore(&answer, true, &mut out).unwrap();
        assert!(String::from_utf8_lossy(&out).contains(ID), "{content_type}: {}", String::from_utf8_lossy(&out));
    }
    // in the middle of a message, the next one is found again
    let (long, whole) = (message("1"), message(&token));
    session.open_answer(BINARY.as_bytes(), b"");
    let mut out = Vec::new();
    session.restore(&long[..20], false, &mut out).unwrap();
    session.release(&mut out);
    session.restore(&long[20..], false, &mut out).unwrap();
    session.restore(&whole, true, &mut out).unwrap();
    let came = messages(&out);
    assert_eq!(came.last().unwrap().1, payload(ID).as_bytes());
}

#[test]
fn white_space_without_end_is_not_kept() {
    let (mut session, token) = knowing();
    for (content_type, beginning) in [(JSON, "["), (LINES, "{"), (LINES, "\n"), (JSON, "[{\"candidates\":[]}")] {
        assert!(session.open_answer(content_type.as_bytes(), b""));
        let mut out = Vec::new();
        let mut answer = beginning.to_owned();
        session.restore(beginning.as_bytes(), false, &mut out).unwrap();
        for _ in 0..600 {
            answer += &" ".repeat(1024);
            session.restore(&[b' '; 1024], false, &mut out).unwrap();
            assert!(session.held_bytes() <= 300 * 1024, "{} bytes are held", session.held_bytes());
        }
        let rest = format!("{{\"a\":\"{token}\"}}");
        answer += &rest;
        session.restore(rest.as_bytes(), true, &mut out).unwrap();
        assert!(out == with_id(&answer, &token).as_bytes());
    }
}

/// Each end that is held needs an event to be said with; an event with thousands of texts is not kept for each of them.
#[test]
fn an_event_with_thousands_of_texts_is_not_kept_as_often() {
    let (mut session, _) = knowing();
    let choices: Vec<Value> = (0..2000).map(|index| json!({ "index": index, "text": "E" })).collect();
    let data = json!({ "choices": choices }).to_string();
    for (content_type, answer) in [
        (EVENTS, format!("data: {data}\n\n").into_bytes()),
        (BINARY, message("chunk", data.as_bytes())),
        (LINES, format!("{{\"model\":\"m\",{}\n", &data[1..]).into_bytes()),
    ] {
        assert!(session.open_answer(content_type.as_bytes(), b""));
        let mut out = Vec::new();
        session.restore(&answer, false, &mut out).unwrap();
        assert!(session.held_bytes() < 1024 * 1024, "{content_type}: {} bytes are held", session.held_bytes());
        session.restore(b"", true, &mut out).unwrap();
        assert!(out.len() < 1024 * 1024, "{content_type}: {} bytes leave", out.len());
    }
}

/// With as many lines as strings, and as many choices as texts, an event takes no longer than others of its length.
#[test]
fn an_event_takes_time_in_proportion_to_its_length() {
    let (mut session, _) = knowing();
    let lines = format!("{{\"model\":\"m\",\"candidates\":[{}\"\"]}}", "\"\",\n".repeat(50_000));
    let choices: Vec<Value> =
        (0..20_000).map(|index| json!({ "index": index, "text": "", "finish_reason": "" })).collect();
    let choices = json!({ "choices": choices }).to_string();
    for data in [&lines, &choices] {
        let answer = message("chunk", data.as_bytes());
        let start = std::time::Instant::now();
        assert!(restore(&mut session, BINARY, &answer) == answer);
        assert!(start.elapsed().as_secs() < 10, "took {:?}", start.elapsed());
    }
}

/// Clients read nothing behind an exception: what is held of a text leaves before it.
#[test]
fn an_exception_ends_all_texts() {
    let (mut session, token) = knowing();
    let payload = json!({ "contentBlockIndex": 0, "delta": { "text": &token[..5] } }).to_string();
    let fails = exception("throttlingException", b"{\"message\":\"Too many requests\"}");
    let stream = [message("contentBlockDelta", payload.as_bytes()), fails.clone()].concat();
    let came = restore_any(&mut session, BINARY, &stream);
    let said: String = messages(&came)
        .iter()
        .filter_map(|(_, payload)| {
            let payload: Value = serde_json::from_slice(payload).unwrap();
            Some(payload.pointer("/delta/text")?.as_str()?.to_owned())
        })
        .collect();
    assert_eq!(said, token[..5]);
    assert!(came.ends_with(&fails));
}

/// An item that is too long to be kept is read alike where it comes in one piece.
#[test]
fn a_long_item_is_read_alike_in_one_piece() {
    let (mut session, token) = knowing();
    let (first, rest) = token.split_at(5);
    let item = |text: &str, more: &str| {
        let parts = json!([{ "text": text }, { "inlineData": { "data": more } }]);
        json!({ "candidates": [{ "content": { "parts": parts } }] })
    };
    let answer = json!([item(first, ""), item(&token, &"A".repeat(400_000)), item(rest, "")]).to_string();
    let pieces: Vec<usize> = (1..answer.len()).step_by(1000).collect();
    let whole = restore(&mut session, JSON, answer.as_bytes());
    assert!(restore_cut(&mut session, JSON, answer.as_bytes(), &pieces) == whole);
}

/// A byte order mark that comes byte by byte says no more than one that comes in one piece.
#[test]
fn a_byte_order_mark_changes_nothing() {
    let (mut session, token) = knowing();
    let (first, rest) = token.split_at(5);
    let item = |text: &str| json!({ "candidates": [{ "content": { "parts": [{ "text": text }] } }] });
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\n-----END RSA PRIVATE KEY-----";
    let key = String::from_utf8(mask(&mut session, "text/plain", key.as_bytes())).unwrap();
    for text in [json!([item(first), item(rest)]).to_string(), format!("<p>{token} {key}"), json!([token]).to_string()]
    {
        let plain = restore_any(&mut session, JSON, text.as_bytes());
        for mark in ["\u{feff}", "\u{feff}\n", " \u{feff} "] {
            let came = restore_any(&mut session, JSON, format!("{mark}{text}").as_bytes());
            assert_eq!(String::from_utf8_lossy(&came), format!("{mark}{}", String::from_utf8_lossy(&plain)));
        }
    }
}
