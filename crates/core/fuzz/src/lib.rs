//! What each fuzz target asserts of its input. `tests/fuzz_corpus.rs` runs the same on the inputs that are kept.
//!
//! Inputs of the `restore_*` targets and of `stream_deltas` begin with a byte that says where the rest is cut.

#[path = "../../tests/support/bedrock.rs"]
mod bedrock;
mod frames;
#[path = "../../tests/support/oracle.rs"]
mod oracle_patterns;

use std::sync::{Arc, LazyLock};

use aws_masker_core::detect::{Detector, DetectorConfig, Lanes};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use serde_json::{Value, json};

pub use frames::restore_frames;

const JSON: &[u8] = b"application/json";
const TEXT: &[u8] = b"text/plain";
const SSE: &[u8] = b"text/event-stream";
const MULTIPART: &[u8] = b"multipart/form-data; boundary=B";

/// A text waits for the end of a token, and a JSON document for its path besides.
const MOST_HELD_OF_TEXT: usize = 512;
const MOST_HELD_OF_JSON: usize = 8192;

/// Originals whose tokens the answers of the `restore_*` targets may hold; `fuzz.dict` has the tokens.
const ORIGINALS: &[&str] = &[
    "i-0f3a9c27be41d8056",
    "vpc-04d1c7e92ab86f035",
    "arn:aws:iam::618734209955:role/billing-export",
    "10.24.7.31",
    "AKIAIOSFODNN7EXAMPLE",
    // needs escapes in JSON
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\n-----END RSA PRIVATE KEY-----",
];

fn session() -> Session {
    session_with(SessionOptions::default())
}

/// A session whose detector remembers what the inputs before had in them.
fn knowing_detector_session() -> Session {
    static DETECTOR: LazyLock<Arc<Detector>> = LazyLock::new(|| {
        let detector = Detector::new(&DetectorConfig::default()).expect("the default is sound");
        Arc::new(detector.with_memory(256 * 1024))
    });
    let key = TokenKey::new(b"0123456789abcdef0123456789abcdef").expect("32 bytes are enough");
    Session::new(Arc::clone(&DETECTOR), key.scope(b"test"), SessionOptions::default())
}

fn session_with(options: SessionOptions) -> Session {
    static DETECTOR: LazyLock<Arc<Detector>> =
        LazyLock::new(|| Arc::new(Detector::new(&DetectorConfig::default()).expect("the default is sound")));
    let key = TokenKey::new(b"0123456789abcdef0123456789abcdef").expect("32 bytes are enough");
    Session::new(Arc::clone(&DETECTOR), key.scope(b"test"), options)
}

/// A session that knows [`ORIGINALS`].
fn knowing_session() -> Session {
    let mut session = session();
    session.mask(TEXT, ORIGINALS.join(" \n").as_bytes()).expect("text is always masked");
    session
}

/// The tokens of [`ORIGINALS`], for the dictionary and the seeds.
pub fn known_tokens() -> Vec<String> {
    knowing_session().tokens().iter().map(|entry| String::from_utf8_lossy(entry.token).into_owned()).collect()
}

/// Restores an answer that comes in chunks of `size` bytes.
fn restored(session: &mut Session, content_type: &[u8], answer: &[u8], size: usize) -> Vec<u8> {
    if !session.open_answer(content_type, b"") {
        return answer.to_vec();
    }
    let mut out = Vec::new();
    for chunk in answer.chunks(size.max(1)) {
        session.restore(chunk, false, &mut out).expect("the answer is open");
        match content_type {
            TEXT => assert!(session.held_bytes() <= MOST_HELD_OF_TEXT, "{} bytes held", session.held_bytes()),
            JSON => assert!(session.held_bytes() <= MOST_HELD_OF_JSON, "{} bytes held", session.held_bytes()),
            _ => {}
        }
    }
    session.restore(b"", true, &mut out).expect("the answer is open");
    out
}

fn holds_a_token(session: &Session, text: &[u8]) -> bool {
    let text = text.to_ascii_uppercase();
    // whatever the separator is spelled like, a token ends with its code
    session.tokens().iter().any(|entry| {
        let code = entry.token.iter().rposition(|&c| c == b'_').map_or(0, |at| at + 1);
        memchr::memmem::find(&text, &entry.token[code..]).is_some()
    })
}

/// A body that is JSON stays JSON that says the same after masking and restoring; one that is none is refused or stays.
pub fn mask_json(body: &[u8]) {
    let mut session = session();
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let masked = session.mask(JSON, body);
    for _ in 0..2 {
        let known = knowing_detector_session().mask(JSON, body);
        assert!(known == masked, "what was looked at before is masked in another way");
    }
    let masked = match masked {
        Ok(Some(masked)) => masked,
        Ok(None) => return,
        Err(_) => return assert!(parsed.is_none(), "valid JSON was refused"),
    };
    let Some(parsed) = parsed else { return };
    assert!(serde_json::from_slice::<Value>(&masked).is_ok(), "masked JSON is none");
    if holds_a_token(&session, body) {
        return;
    }
    let back = restored(&mut session, JSON, &masked, usize::MAX);
    assert!(serde_json::from_slice::<Value>(&back).ok() == Some(parsed), "restored JSON says something else");
    assert_eq!(session.counts().restored, session.counts().masked);
}

/// Any bytes come back, however the answer is cut.
pub fn mask_text(body: &[u8]) {
    let mut session = session();
    // refused are bytes that are text in an encoding nobody reads here
    let Ok(Some(masked)) = session.mask(TEXT, body) else { return };
    if holds_a_token(&session, body) {
        return;
    }
    for size in [usize::MAX, 1, 7] {
        assert!(restored(&mut session, TEXT, &masked, size) == body, "chunks of {size}");
    }
}

/// The cut does not matter; without tokens nothing changes.
fn restore_any(content_type: &[u8], data: &[u8]) {
    let Some((&size, answer)) = data.split_first() else { return };
    let mut session = knowing_session();
    let whole = restored(&mut session, content_type, answer, usize::MAX);
    for size in [usize::from(size), 1] {
        assert!(restored(&mut session, content_type, answer, size) == whole, "chunks of {size}");
    }
    if !holds_a_token(&session, answer) {
        assert!(whole == answer, "bytes without tokens changed");
    }
}

/// Any bytes as a JSON answer; JSON stays JSON.
pub fn restore_json(data: &[u8]) {
    restore_any(JSON, data);
    let answer = data.get(1..).unwrap_or_default();
    if serde_json::from_slice::<Value>(answer).is_ok() {
        let back = restored(&mut knowing_session(), JSON, answer, usize::MAX);
        assert!(serde_json::from_slice::<Value>(&back).is_ok(), "restored JSON is none");
    }
}

/// Any bytes as text.
pub fn restore_text(data: &[u8]) {
    restore_any(TEXT, data);
}

/// Any bytes as a stream of events. Held text may leave in an event of its own, so only streams without tokens stay.
pub fn restore_sse(data: &[u8]) {
    let Some((&size, answer)) = data.split_first() else { return };
    let mut session = knowing_session();
    let whole = restored(&mut session, SSE, answer, usize::MAX);
    for size in [usize::from(size), 1] {
        assert!(restored(&mut session, SSE, answer, size) == whole, "chunks of {size}");
    }
}

/// A text that is said in deltas of any size: the client reads what was masked.
pub fn stream_deltas(data: &[u8]) {
    let Some((&size, text)) = data.split_first() else { return };
    let (delta_chars, chunk) = (usize::from(size & 15) + 1, usize::from(size >> 4) + 1);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut session = session();
    let masked = match session.mask(TEXT, text.as_bytes()) {
        Ok(Some(masked)) if !holds_a_token(&session, text.as_bytes()) => masked,
        _ => return,
    };
    let masked = String::from_utf8(masked).expect("masked UTF-8 is UTF-8");
    let letters: Vec<char> = masked.chars().collect();

    let mut stream = String::new();
    for delta in letters.chunks(delta_chars) {
        let delta = json!({ "type": "content_block_delta", "index": 0,
            "delta": { "type": "text_delta", "text": delta.iter().collect::<String>() } });
        stream += &format!("event: content_block_delta\ndata: {delta}\n\n");
    }
    stream += "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";

    let back = String::from_utf8(restored(&mut session, SSE, stream.as_bytes(), chunk)).expect("UTF-8 stays UTF-8");
    let said: String = back
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).expect("events stay JSON"))
        .filter_map(|event| event["delta"]["text"].as_str().map(String::from))
        .collect();
    assert!(said == text, "the client reads something else");
}

/// A form keeps its parts, tokens are not masked once more, and text comes back.
pub fn mask_multipart(body: &[u8]) {
    let new = || session_with(SessionOptions { allow_binary_parts: true, ..SessionOptions::default() });
    let mut session = new();
    let Ok(Some(masked)) = session.mask(MULTIPART, body) else { return };
    assert_eq!(delimiters(&masked), delimiters(body), "parts were lost or made");
    if holds_a_token(&session, body) {
        return;
    }
    let mut again = new();
    match again.mask(MULTIPART, &masked) {
        Ok(None) => {}
        // with an identifier out of the way another one may show behind it; tokens themselves are never masked
        Ok(Some(twice)) => {
            let is_in_name = |token: &[u8]| again.tokens().iter().any(|entry| is_within(entry.original, token));
            let stays = |token: &[u8]| {
                !stands_alone(&masked, token) || memchr::memmem::find(&twice, token).is_some() || is_in_name(token)
            };
            assert!(session.tokens().iter().all(|entry| stays(entry.token)), "a token was masked");
        }
        Err(_) => panic!("the masked form is refused"),
    }
    // in JSON and forms what comes back may be spelled in another way
    if !body.iter().any(|c| matches!(c, b'\\' | b'{' | b'[' | b'%' | b'+')) {
        assert!(restored(&mut session, TEXT, &masked, 7) == body, "the form did not come back");
    }
}

/// False where `token` stands for a part of a run that is longer than any name: with the rest of it, it is no token.
fn stands_alone(text: &[u8], token: &[u8]) -> bool {
    let is_part_of_name = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
    memchr::memmem::find_iter(text, token)
        .all(|start| !is_part_of_name(text[..start].last()) && !is_part_of_name(text.get(start + token.len())))
}

/// True where `name` has `token` in it and more: what a key announces is masked whole, as in `role:role/ROLE_…`, since
/// what stands beside the token may be the customer's.
fn is_within(name: &[u8], token: &[u8]) -> bool {
    name != token && memchr::memmem::find(name, token).is_some()
}

/// The lines that separate the parts of a form, up to the one that ends it, read with no regard to what stands between.
fn delimiters(body: &[u8]) -> Vec<&[u8]> {
    let lines = body.split(|&c| c == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    // Blanks and tabs may follow, nothing else.
    let unpadded = |line: &[u8]| line.iter().rposition(|c| !matches!(c, b' ' | b'\t')).map_or(0, |last| last + 1);
    let mut delimiters: Vec<&[u8]> =
        lines.map(|line| &line[..unpadded(line)]).filter(|line| matches!(*line, b"--B" | b"--B--")).collect();
    let end = delimiters.iter().position(|line| *line == b"--B--").map_or(delimiters.len(), |last| last + 1);
    delimiters.truncate(end);
    delimiters
}

/// The detector covers what plain regular expressions cover, and finds the same with every kind of instructions.
pub fn oracle(text: &[u8]) {
    static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(|| {
        let new = |lanes| Detector::new(&DetectorConfig::default()).expect("the default is sound").with_lanes(lanes);
        Lanes::available().into_iter().map(new).collect()
    });
    let walked = DETECTORS[0].scan(text);
    for detector in &DETECTORS[1..] {
        let sifted = detector.scan(text);
        assert_eq!((&walked.findings, &walked.parts), (&sifted.findings, &sifted.parts));
    }
    assert_eq!(oracle_patterns::uncovered(&DETECTORS[0], text), None);
}
