//! Answers that speak of what was masked, as the APIs send them.

use aws_masker_core::session::Session;

use super::payload::{Density, text};

/// Bytes that come from the network at a time: a record of TLS, or what nginx reads into its buffers between two calls.
const CHUNK: usize = 16 << 10;
/// Bytes of text in an event: a model's token or two.
const DELTA: usize = 24;

/// How an answer is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Json,
    Sse,
}

impl Format {
    pub fn content_type(self) -> &'static [u8] {
        match self {
            Self::Json => b"application/json",
            Self::Sse => b"text/event-stream",
        }
    }
}

/// An answer of about `len` bytes with a token for about 160, and the session that knows what they stand for.
pub fn masked(mut session: Session, format: Format, len: usize) -> (Session, Vec<u8>) {
    let text_len = if format == Format::Sse { len / 5 } else { len * 9 / 10 };
    let plain = text(text_len, Density::Dense, 160, 7);
    let masked = session.mask(b"text/plain", plain.as_bytes()).expect("text can be masked");
    let spoken = String::from_utf8(masked.expect("something to mask")).expect("masking keeps UTF-8");
    let answer = match format {
        Format::Json => serde_json::json!({
            "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": spoken}],
            "stop_reason": "end_turn", "usage": {"input_tokens": 2095, "output_tokens": 503},
        })
        .to_string(),
        Format::Sse => events(&spoken),
    };
    (session, answer.into_bytes())
}

fn events(spoken: &str) -> String {
    let mut stream = String::new();
    let mut rest = spoken;
    while !rest.is_empty() {
        let end = (DELTA.min(rest.len())..=rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        let delta = serde_json::json!({"type": "text_delta", "text": head});
        let data = serde_json::json!({"type": "content_block_delta", "index": 0, "delta": delta});
        stream += &format!("event: content_block_delta\ndata: {data}\n\n");
        rest = tail;
    }
    stream + "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
}

/// Copies the chunks of `answer`; gives how many bytes that were.
pub fn copy(answer: &[u8], out: &mut Vec<u8>) -> usize {
    let mut written = 0;
    for chunk in answer.chunks(CHUNK) {
        out.clear();
        out.extend_from_slice(chunk);
        written += std::hint::black_box(&*out).len();
    }
    written
}

/// Restores `answer` as it would come over the network; gives how many bytes came out.
pub fn restore(session: &mut Session, format: Format, answer: &[u8], out: &mut Vec<u8>) -> usize {
    restore_in(CHUNK, session, format, answer, out)
}

/// Restores `answer` in chunks of `len` bytes.
pub fn restore_in(len: usize, session: &mut Session, format: Format, answer: &[u8], out: &mut Vec<u8>) -> usize {
    assert!(session.open_answer(format.content_type(), b""));
    let mut written = 0;
    let mut chunks = answer.chunks(len).peekable();
    while let Some(chunk) = chunks.next() {
        out.clear();
        session.restore(chunk, chunks.peek().is_none(), out).expect("the answer has no coding");
        written += out.len();
    }
    written
}
