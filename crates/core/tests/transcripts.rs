//! Streams of both vendors, cut everywhere, against what a client puts together of a stream that was never masked.
#![allow(missing_docs, clippy::unwrap_used, unreachable_pub)]

mod support;
#[path = "support/transcripts.rs"]
mod transcripts;

use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use transcripts::{Event, Style, put_together, read, write};

const INSTANCE: &str = "i-0f3a9c27be41d8056";
/// A name that has to be escaped in JSON, and once more in JSON in JSON.
const QUOTED: &str = "the \"odd\" \\name";

/// Bytes of text in each fragment.
const FRAGMENTS: [usize; 9] = [1, 2, 3, 5, 8, 13, 21, 34, 500];

/// Bytes between cuts.
const STRIDE: usize = 61;

const PLAIN: Style = Style { line_end: "\n", several_lines: false, comments: false };
const STYLES: &[Style] = &[
    PLAIN,
    Style { line_end: "\r\n", several_lines: false, comments: true },
    Style { line_end: "\r", several_lines: true, comments: true },
];

type Transcript = fn(&str, usize) -> Vec<Event>;
const TRANSCRIPTS: &[(&str, Transcript)] = &[
    ("anthropic", transcripts::anthropic),
    ("chat", transcripts::chat),
    ("completions", transcripts::completions),
    ("responses", transcripts::responses),
    ("assistants", transcripts::assistants),
];

/// A session that knows both originals, and their tokens.
fn session() -> (Session, [String; 2]) {
    let config = DetectorConfig { custom_terms: vec![QUOTED.to_owned()], ..DetectorConfig::default() };
    let key = TokenKey::new(b"0123456789abcdef0123456789abcdef").unwrap().scope(b"test");
    let mut session = Session::new(Arc::new(Detector::new(&config).unwrap()), key, SessionOptions::default());
    session.mask(b"text/plain", format!("{INSTANCE}\n{QUOTED}").as_bytes()).unwrap().unwrap();
    let token = |original: &str| {
        let found = session.tokens().iter().find(|entry| entry.original == original.as_bytes()).unwrap();
        String::from_utf8(found.token.to_vec()).unwrap()
    };
    let tokens = [token(INSTANCE), token(QUOTED)];
    (session, tokens)
}

/// What is said, with [instance, quoted]: tokens between other text, and half of one at the end.
fn said([instance, quoted]: [&str; 2], half: &str) -> String {
    format!("한 {instance}, \"{quoted}\"\n`{instance}`. {half}")
}

/// The stream as the upstream sends it and as the client would have got it had nothing been masked.
fn both(transcript: Transcript, tokens: &[String; 2], bytes: usize, style: Style) -> (Vec<u8>, Vec<Event>) {
    let half = &tokens[0].get(..7).unwrap();
    let masked = transcript(&said([&tokens[0], &tokens[1]], half), bytes);
    (write(&masked, style), transcript(&said([INSTANCE, QUOTED], half), bytes))
}

fn restored(session: &mut Session, stream: &[u8], cuts: &[usize]) -> Vec<u8> {
    support::restore_cut(session, "text/event-stream", stream, cuts)
}

#[test]
fn clients_put_together_what_was_never_masked() {
    let (mut session, tokens) = session();
    for &(name, transcript) in TRANSCRIPTS {
        for bytes in FRAGMENTS {
            for &style in STYLES {
                let (stream, expected) = both(transcript, &tokens, bytes, style);
                let got = read(&restored(&mut session, &stream, &[]));
                let (texts, others) = put_together(&got);
                let (expected_texts, expected_others) = put_together(&expected);
                assert!(texts == expected_texts, "{name} in fragments of {bytes}, {style:?}");
                // How many fragments a text comes in depends on how long it is.
                let of_whole_events = |strings: Vec<String>| -> Vec<String> {
                    strings.into_iter().filter(|string| !string.contains(".delta ")).collect()
                };
                if name == "responses" {
                    let (others, expected) = (of_whole_events(others), of_whole_events(expected_others));
                    let differs = others.iter().zip(&expected).find(|(got, expected)| got != expected);
                    assert_eq!(differs, None, "{name} in fragments of {bytes}, {style:?}");
                    assert_eq!(others.len(), expected.len());
                }
            }
        }
    }
}

#[test]
fn events_leave_one_for_one_where_they_are_numbered() {
    let (mut session, tokens) = session();
    for &(name, transcript) in TRANSCRIPTS.iter().filter(|t| t.0 == "responses") {
        for bytes in FRAGMENTS {
            let (stream, _) = both(transcript, &tokens, bytes, PLAIN);
            let shape = |stream: &[u8]| -> Vec<_> {
                read(stream).into_iter().map(|(name, data)| (name, data["sequence_number"].as_u64())).collect()
            };
            assert_eq!(shape(&restored(&mut session, &stream, &[])), shape(&stream), "{name} {bytes}");
        }
    }
}

#[test]
fn streams_without_tokens_pass_byte_for_byte() {
    let (mut session, _) = session();
    for &(_, transcript) in TRANSCRIPTS {
        for &style in STYLES {
            let stream = write(&transcript("한 plain text, \"quoted\"\nend.", 5), style);
            assert!(restored(&mut session, &stream, &[]) == stream);
        }
    }
}

#[test]
fn cuts_at_every_byte_change_nothing() {
    let (mut session, tokens) = session();
    for &(name, transcript) in TRANSCRIPTS {
        for &style in STYLES {
            let (stream, _) = both(transcript, &tokens, 9, style);
            let whole = restored(&mut session, &stream, &[]);
            // Every position in one of these runs, with others far from it.
            for first in 1..=STRIDE {
                let cuts: Vec<usize> = (first..stream.len()).step_by(STRIDE).collect();
                assert!(restored(&mut session, &stream, &cuts) == whole, "{name} cut from {first} on, {style:?}");
            }
            let every: Vec<usize> = (1..stream.len()).collect();
            assert!(restored(&mut session, &stream, &every) == whole, "{name} byte by byte, {style:?}");
        }
    }
}

#[test]
fn random_cuts_change_nothing() {
    let (mut session, tokens) = session();
    // A generator that needs no seed from outside: the same cuts in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for &(name, transcript) in TRANSCRIPTS {
        for round in 0..30 {
            let (stream, _) = both(transcript, &tokens, 1 + round % 30, STYLES[round % STYLES.len()]);
            let whole = restored(&mut session, &stream, &[]);
            let mut cuts: Vec<usize> = (0..1 + next(60)).map(|_| next(stream.len())).collect();
            cuts.sort_unstable();
            assert!(restored(&mut session, &stream, &cuts) == whole, "{name} cut at {cuts:?}");
        }
    }
}

#[test]
fn an_event_of_any_size_streams() {
    let (mut session, tokens) = session();
    let text = said([&tokens[0], &tokens[1]], "").repeat(20_000);
    let stream = write(&transcripts::responses(&text, 1 << 20), PLAIN);
    assert!(session.open_answer(b"text/event-stream", b""));
    let (mut out, mut most) = (Vec::new(), 0);
    for chunk in stream.chunks(16 * 1024) {
        session.restore(chunk, false, &mut out).unwrap();
        most = most.max(session.held_bytes());
    }
    session.restore(b"", true, &mut out).unwrap();
    assert!(most < 1 << 20, "{most} bytes held");

    let expected = transcripts::responses(&said([INSTANCE, QUOTED], "").repeat(20_000), 1 << 20);
    let got = read(&out);
    let last = |events: &[Event]| events.last().unwrap().1["response"]["output"].clone();
    assert!(last(&got) == last(&expected));
}

/// How many bytes each kind of answer is tried with: 8 MB, or as many as `AWS_MASKER_ANSWER_BYTES` says.
fn answer_bytes() -> usize {
    std::env::var("AWS_MASKER_ANSWER_BYTES").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(8 << 20)
}

#[test]
fn memory_does_not_grow_with_the_answer() {
    let (mut session, tokens) = session();
    let piece = said([&tokens[0], &tokens[1]], "");
    let json = serde_json::to_string(&piece).unwrap();
    let inside = json.trim_matches('"');
    let event = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{json}}}}}]}}\n\n");
    let line = format!("{{\"custom_id\":{json},\"result\":{{\"message\":{{\"content\":[{{\"text\":{json}}}]}}}}}}\n");
    for (content_type, head, body, tail) in [
        ("text/plain", "", piece.as_str(), ""),
        ("application/json", "{\"content\":[{\"type\":\"text\",\"text\":\"", inside, "\"}]}"),
        ("application/x-ndjson", "", line.as_str(), ""),
        ("text/event-stream", "", event.as_str(), "data: [DONE]\n\n"),
        ("text/event-stream", "data: {\"delta\":{\"text\":\"", inside, "\"}}\n\n"),
    ] {
        let body = body.repeat(16 * 1024 / body.len() + 1);
        assert!(session.open_answer(content_type.as_bytes(), b""));
        let (mut out, mut sent, mut most) = (Vec::new(), 0, 0);
        session.restore(head.as_bytes(), false, &mut out).unwrap();
        while sent < answer_bytes() {
            out.clear();
            // An odd size, so that cuts wander.
            for chunk in body.as_bytes().chunks(4093) {
                session.restore(chunk, false, &mut out).unwrap();
                most = most.max(session.held_bytes());
            }
            sent += body.len();
        }
        session.restore(tail.as_bytes(), true, &mut out).unwrap();
        assert!(session.held_bytes() < 64, "{content_type}");
        assert!(most < 1 << 20, "{content_type}: {most} bytes held");
    }
}
