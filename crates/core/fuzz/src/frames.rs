//! Streams that are no server-sent events: Bedrock's binary messages, lists of Gemini, lines of Ollama and Cohere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::bedrock::{TYPE as BINARY, message, messages};
use super::{JSON, TEXT, holds_a_token, knowing_session, restored, session};

const LINES: &[u8] = b"application/x-ndjson";

/// Whose stream it is.
#[derive(Clone, Copy)]
enum Kind {
    Invoked,
    Converse,
    Call,
    Gemini,
    Ollama,
    Cohere,
}

const KINDS: [Kind; 6] = [Kind::Invoked, Kind::Converse, Kind::Call, Kind::Gemini, Kind::Ollama, Kind::Cohere];

impl Kind {
    fn content_type(self) -> &'static [u8] {
        match self {
            Self::Invoked | Self::Converse | Self::Call => BINARY.as_bytes(),
            Self::Gemini => JSON,
            Self::Ollama | Self::Cohere => LINES,
        }
    }

    /// The event that says `text`.
    fn event(self, text: &str) -> Value {
        match self {
            Self::Invoked => {
                let delta = json!({ "type": "text_delta", "text": text });
                json!({ "type": "content_block_delta", "index": 0, "delta": delta })
            }
            Self::Converse => json!({ "contentBlockIndex": 0, "delta": { "text": text }, "p": "abc" }),
            Self::Call => json!({ "contentBlockIndex": 0, "delta": { "toolUse": { "input": text } } }),
            Self::Gemini => json!({ "candidates": [{ "content": { "parts": [{ "text": text }] }, "index": 0 }] }),
            Self::Ollama => json!({ "response": text, "done": false }),
            Self::Cohere => json!({ "is_finished": false, "text": text }),
        }
    }

    /// Where [`Self::event`] says it.
    fn pointer(self) -> &'static str {
        match self {
            Self::Invoked | Self::Converse => "/delta/text",
            Self::Call => "/delta/toolUse/input",
            Self::Gemini => "/candidates/0/content/parts/0/text",
            Self::Ollama => "/response",
            Self::Cohere => "/text",
        }
    }

    /// The event with what frames it; `raw` are bytes that stand before it.
    fn framed(self, event: &Value, raw: &[u8], is_first: bool) -> Vec<u8> {
        let said = event.to_string();
        match self {
            Self::Invoked => {
                let bytes = json!({ "bytes": STANDARD.encode(said), "p": "abc" });
                [raw, &message("chunk", bytes.to_string().as_bytes())].concat()
            }
            Self::Converse | Self::Call => [raw, &message("contentBlockDelta", said.as_bytes())].concat(),
            Self::Gemini => [if is_first { &b"["[..] } else { b"\r\n," }, raw, said.as_bytes()].concat(),
            // what the others begin with
            Self::Ollama if said.starts_with("{\"response\"") || said.starts_with("{\"done\"") => {
                [raw, b"{\"model\":\"m\",", &said.as_bytes()[1..], b"\n"].concat()
            }
            Self::Ollama | Self::Cohere => [raw, said.as_bytes(), b"\r\n"].concat(),
        }
    }

    fn end(self) -> &'static [u8] {
        if matches!(self, Self::Gemini) { b"\n]\n" } else { b"" }
    }

    /// The events of a stream, if it is one.
    fn events(self, stream: &[u8]) -> Vec<Value> {
        let read = |event: &[u8]| serde_json::from_slice(event).expect("events stay JSON");
        match self {
            Self::Invoked => {
                let unpacked = |payload: &[u8]| {
                    let payload: Value = read(payload);
                    read(&STANDARD.decode(payload["bytes"].as_str().expect("it stays")).expect("base64 stays that"))
                };
                messages(stream).iter().map(|(_, payload)| unpacked(payload)).collect()
            }
            Self::Converse | Self::Call => messages(stream).iter().map(|(_, payload)| read(payload)).collect(),
            Self::Gemini => serde_json::from_slice(stream).expect("a list stays one"),
            Self::Ollama | Self::Cohere => {
                let lines = stream.split(|&c| c == b'\n').filter(|line| !line.trim_ascii().is_empty());
                lines.map(read).collect()
            }
        }
    }
}

/// A text that is said in events of any size, between bytes of any kind: the client reads what was masked, however the
/// stream is cut; and bytes that are no events at all are read alike too.
pub fn restore_frames(data: &[u8]) {
    let Some((&[chunk, shape], said)) = data.split_first_chunk() else { return };
    let kind = KINDS[usize::from(shape) % KINDS.len()];
    let of_event = usize::from(shape) / KINDS.len() % 16 + 1;
    text_in_events(kind, of_event, usize::from(chunk), said);
    bytes_between_events(kind, of_event, usize::from(chunk), said);
}

fn text_in_events(kind: Kind, of_event: usize, chunk: usize, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let text = if matches!(kind, Kind::Call) { json!({ "text": text }).to_string() } else { text.to_owned() };
    let content_type: &[u8] = if matches!(kind, Kind::Call) { JSON } else { TEXT };
    let mut session = session();
    let masked = match session.mask(content_type, text.as_bytes()) {
        Ok(Some(masked)) if !holds_a_token(&session, text.as_bytes()) => masked,
        _ => return,
    };
    let masked = String::from_utf8(masked).expect("masked UTF-8 is UTF-8");
    let letters: Vec<char> = masked.chars().collect();
    let mut stream = Vec::new();
    for letters in letters.chunks(of_event) {
        let event = kind.event(&letters.iter().collect::<String>());
        stream.extend(kind.framed(&event, b"", stream.is_empty()));
    }
    stream.extend_from_slice(kind.end());

    let whole = restored(&mut session, kind.content_type(), &stream, usize::MAX);
    for size in [chunk, 1] {
        assert!(restored(&mut session, kind.content_type(), &stream, size) == whole, "chunks of {size}");
    }
    let events = kind.events(&whole);
    let came: String = events.iter().filter_map(|event| event.pointer(kind.pointer())?.as_str()).collect();
    if matches!(kind, Kind::Call) {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("arguments stay JSON");
        assert!(parsed(&came) == parsed(&text), "the client reads something else");
    } else {
        assert!(came == text, "the client reads something else");
    }
}

/// Bytes before an event and in it, of which nobody knows what they mean.
fn bytes_between_events(kind: Kind, of_event: usize, chunk: usize, bytes: &[u8]) {
    let mut session = knowing_session();
    let mut stream = Vec::new();
    for (at, raw) in bytes.chunks(of_event * 8).enumerate() {
        let event = kind.event(&String::from_utf8_lossy(raw));
        match (kind, at % 3) {
            (Kind::Invoked | Kind::Converse | Kind::Call, 2) => stream.extend(message("raw", raw)),
            // where a message begins, other bytes end the reading of them
            (Kind::Invoked | Kind::Converse | Kind::Call, 1) if !bytes.starts_with(b"raw") => {
                stream.extend(kind.framed(&event, b"", stream.is_empty()));
            }
            (_, 1) => stream.extend(kind.framed(&event, raw, stream.is_empty())),
            (_, 2) => stream.extend_from_slice(raw),
            _ => stream.extend(kind.framed(&event, b"", stream.is_empty())),
        }
    }
    let whole = restored(&mut session, kind.content_type(), &stream, usize::MAX);
    for size in [chunk, 1] {
        assert!(restored(&mut session, kind.content_type(), &stream, size) == whole, "chunks of {size}");
    }
    // what has no letters begins no token, so nothing is held and nothing comes back
    if !bytes.iter().any(|&c| c.is_ascii_alphabetic() || c.is_ascii_control()) {
        assert!(whole == stream, "bytes without tokens changed");
    }
    if !bytes.starts_with(b"raw") && matches!(kind, Kind::Invoked | Kind::Converse | Kind::Call) {
        messages(&whole);
    }
}
