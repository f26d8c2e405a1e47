//! How `mock-llm` sends: write sizes, delays, codings, validators, long bodies, broken connections.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress};
use sha2::{Digest as _, Sha256};
use support::{Mock, events_of, find, head, request};

const PROMPT: &str = "서버 \"EC2_ABCDEFGH\"를\nSG_ABCD2345 에서 😀";

#[test]
fn write_cuts_a_stream_anywhere() {
    let mock = Mock::start();
    let whole = mock.messages(&[], true, PROMPT);
    for (value, size) in [("1", 1), ("7", 7), ("1000", 1000)] {
        let answer = mock.messages(&[("x-mock-write", value)], true, PROMPT);
        assert!(answer.complete);
        let (last, others) = answer.chunks.split_last().unwrap();
        assert!(others.iter().all(|chunk| chunk.len() == size), "{value}");
        assert!(!last.is_empty() && last.len() <= size);
        assert_eq!(answer.body.len(), whole.body.len());
        assert_eq!(answer.streamed_text(), PROMPT);
    }
}

#[test]
fn each_write_leaves_on_its_own() {
    let mock = Mock::start();
    let body = request(true, PROMPT).to_string();
    let reads = || {
        let mut stream = mock.connect();
        stream.write_all(&head("POST", "/v1/messages", &[("x-mock-write", "1")], body.len())).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut buffer = vec![0; 64 * 1024];
        std::iter::from_fn(|| Some(stream.read(&mut buffer).unwrap()).filter(|read| *read > 0)).count()
    };
    // a reader that was slow sees several writes at once; a stream in one write would never be this many reads
    let counts: Vec<usize> = (0..10).map(|_| reads()).collect();
    assert!(counts.iter().any(|count| *count > 50), "{counts:?}");
}

#[test]
fn write_and_chunked_shape_a_document() {
    let mock = Mock::start();
    let answer = mock.messages(&[("x-mock-write", "3")], false, PROMPT);
    assert!(answer.complete && answer.chunks.is_empty() && answer.header("content-length").is_some());
    assert_eq!(answer.json()["content"][0]["text"], PROMPT);

    let answer = mock.messages(&[("x-mock-chunked", "1")], false, PROMPT);
    assert!(answer.complete && answer.chunks.len() == 1 && answer.header("content-length").is_none());
    let answer = mock.messages(&[("x-mock-chunked", "1"), ("x-mock-write", "1")], false, PROMPT);
    assert!(answer.complete && answer.chunks.iter().all(|chunk| chunk.len() == 1));
    assert_eq!(answer.json()["content"][0]["text"], PROMPT);
}

#[test]
fn delay_waits_between_deltas() {
    let mock = Mock::start();
    let body = request(true, "0123456789").to_string();
    let headers = [("x-mock-delta", "1"), ("x-mock-delay-ms", "40")];
    let mut stream = mock.connect();
    let start = Instant::now();
    stream.write_all(&head("POST", "/v1/messages", &headers, body.len())).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut first_delta = None;
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..read]);
        if first_delta.is_none() && find(&bytes, b"text_delta").is_some() {
            first_delta = Some(start.elapsed());
        }
    }
    let whole = start.elapsed();
    assert!(whole >= Duration::from_millis(400), "{whole:?}");
    assert!(whole - first_delta.unwrap() >= Duration::from_millis(200), "{first_delta:?} of {whole:?}");
}

fn decode(encoding: &str, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "gzip" => GzDecoder::new(body).read_to_end(&mut plain).unwrap(),
        "deflate" => ZlibDecoder::new(body).read_to_end(&mut plain).unwrap(),
        "deflate-raw" => DeflateDecoder::new(body).read_to_end(&mut plain).unwrap(),
        _ => plain.write(body).unwrap(),
    };
    plain
}

#[test]
fn encoding_compresses_unasked() {
    let mock = Mock::start();
    let names = [("gzip", "gzip"), ("deflate", "deflate"), ("deflate-raw", "deflate"), ("br-bogus", "br")];
    for (value, name) in names {
        let answer = mock.messages(&[("x-mock-encoding", value)], false, PROMPT);
        assert_eq!(answer.header("content-encoding"), Some(name));
        assert!(answer.complete && answer.header("content-length").is_some());
        let document: serde_json::Value = serde_json::from_slice(&decode(value, &answer.body)).unwrap();
        assert_eq!(document["content"][0]["text"], PROMPT);

        for headers in [vec![("x-mock-encoding", value)], vec![("x-mock-encoding", value), ("x-mock-write", "1")]] {
            let answer = mock.messages(&headers, true, PROMPT);
            assert!(answer.complete);
            let events = events_of(&decode(value, &answer.body));
            assert_eq!(events.last().unwrap().0, "message_stop");
        }

        let large = [("x-mock-encoding", value), ("x-mock-reply", "large"), ("x-mock-size", "300000")];
        let answer = mock.messages(&large, false, "abc");
        assert!(answer.complete);
        let document: serde_json::Value = serde_json::from_slice(&decode(value, &answer.body)).unwrap();
        assert_eq!(document["content"][0]["text"].as_str().unwrap().len(), 300_000);
    }
}

#[test]
fn compressed_streams_are_flushed_after_each_event() {
    let mock = Mock::start();
    let answer = mock.messages(&[("x-mock-encoding", "deflate")], true, PROMPT);
    let mut inflate = Decompress::new(true);
    let mut events = 0;
    for chunk in &answer.chunks {
        let mut plain = Vec::with_capacity(4096);
        inflate.decompress_vec(chunk, &mut plain, FlushDecompress::Sync).unwrap();
        if plain.is_empty() {
            continue; // the end of the compressed stream
        }
        assert_eq!(events_of(&plain).len(), 1, "a chunk holds one whole event");
        events += 1;
    }
    assert_eq!(events, mock.messages(&[], true, PROMPT).events().len());
}

#[test]
fn etag_sends_digests_of_the_body() {
    let mock = Mock::start();
    for headers in [vec![("x-mock-etag", "1")], vec![("x-mock-etag", "1"), ("x-mock-encoding", "gzip")]] {
        let answer = mock.messages(&headers, false, PROMPT);
        let digest = STANDARD.encode(Sha256::digest(&answer.body));
        assert_eq!(answer.header("digest"), Some(format!("sha-256={digest}").as_str()));
        assert_eq!(answer.header("content-digest"), Some(format!("sha-256=:{digest}:").as_str()));
        assert_eq!(STANDARD.decode(answer.header("content-md5").unwrap()).unwrap().len(), 16);
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert!(answer.header("etag").unwrap().starts_with('"'));
    }
    assert!(mock.messages(&[("x-mock-etag", "1")], true, PROMPT).header("etag").is_some());
    assert!(mock.messages(&[], false, PROMPT).header("etag").is_none());
}

#[test]
fn large_repeats_the_echo_to_the_size() {
    let mock = Mock::start();
    let headers = [("x-mock-reply", "large"), ("x-mock-size", "300001")];
    let answer = mock.messages(&headers, false, PROMPT);
    assert!(answer.complete && answer.header("content-length").is_some());
    let document = answer.json();
    let text = document["content"][0]["text"].as_str().unwrap();
    assert!(text.len() <= 300_001 && text.len() > 299_997);
    assert!(PROMPT.repeat(text.len() / PROMPT.len() + 1).starts_with(text));
    assert_eq!(document["stop_reason"], "end_turn");

    let chat = mock.chat(&headers, false, PROMPT);
    assert!(chat.complete);
    assert_eq!(chat.json()["choices"][0]["message"]["content"].as_str().unwrap(), text);
    let stream = [("x-mock-reply", "large"), ("x-mock-size", "300001"), ("x-mock-delta", "1000")];
    assert_eq!(mock.messages(&stream, true, PROMPT).streamed_text(), text);
}

#[test]
fn large_needs_no_memory_for_its_size() {
    let mock = Mock::start();
    let body = request(false, PROMPT).to_string();
    let mut stream = mock.connect();
    let headers = [("x-mock-reply", "large"), ("x-mock-size", "60000000")];
    stream.write_all(&head("POST", "/v1/messages", &headers, body.len())).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert!(received > 60_000_000);
    let status = std::fs::read_to_string(format!("/proc/{}/status", mock.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().split(' ').next().unwrap().parse().unwrap();
    assert!(kilobytes < 32 * 1024, "peak of {kilobytes} kB");
}

#[test]
fn reset_breaks_the_connection_in_the_middle() {
    let mock = Mock::start();
    let answer = mock.messages(&[("x-mock-reply", "reset")], true, PROMPT);
    assert!(answer.reset && !answer.complete && answer.status == 200);
    let text = answer.streamed_text();
    assert!(!text.is_empty() && text.len() < PROMPT.len() && PROMPT.starts_with(&text));

    let answer = mock.messages(&[("x-mock-reply", "reset")], false, PROMPT);
    assert!(answer.reset && !answer.complete && !answer.body.is_empty());
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(answer.body.len(), promised / 2);

    let answer = mock.chat(&[("x-mock-reply", "reset"), ("x-mock-write", "1")], true, PROMPT);
    assert!(answer.reset && !answer.complete);
    // other connections are none the worse
    assert_eq!(mock.messages(&[], false, PROMPT).status, 200);
}
