//! Event streams of AWS, as Bedrock answers with them: binary messages with lengths and checksums, each of which holds an
//! event in JSON.
//!
//! Source: Smithy, "Amazon Event Stream Specification": prelude, headers, payload and CRCs of a message. Bedrock Runtime API
//! reference: `PayloadPart` of InvokeModelWithResponseStream has the event in base64, ConverseStream has it as it is.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;

use super::frames::{Framed, Frames};
use crate::json::{Frame, Visitor, walk};
use crate::session::TokenIndex;
use crate::wire::Place;

/// The type of such answers.
pub(super) const TYPE: &[u8] = b"application/vnd.amazon.eventstream";

/// Total length, length of the headers, and the checksum of both: four bytes each.
const PRELUDE: usize = 12;
/// Length of a checksum.
const CHECKSUM: usize = 4;
/// Longest message that is kept until it is whole; longer ones pass as they are.
const MAX_MESSAGE: usize = 1024 * 1024;

/// An event stream of AWS that is restored as it passes.
#[derive(Debug, Default)]
pub(super) struct BinaryAnswer {
    /// The message that is not whole yet.
    pending: Vec<u8>,
    frames: Frames,
    /// Bytes to come of a message that is too long to be kept.
    passing: usize,
    /// It is not what its type says: the rest passes as it is.
    is_broken: bool,
}

/// Where the event stands in the payload of a message, in base64.
struct Bytes<'p> {
    payload: &'p [u8],
    span: Option<Range<usize>>,
}

impl Visitor for Bytes<'_> {
    fn string(&mut self, path: &[Frame], _place: Place, inside: Range<usize>) {
        if let [frame] = path
            && self.payload[frame.key.clone()] == *b"bytes"
        {
            self.span = Some(inside);
        }
    }
}

impl BinaryAnswer {
    pub(super) fn restored(&self) -> u64 {
        self.frames.restored()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.pending.len() + self.frames.held_bytes()
    }

    pub(super) fn push(&mut self, tokens: &TokenIndex, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(chunk);
        let mut at = 0;
        loop {
            let rest = &pending[at..];
            if self.passing > 0 || self.is_broken {
                let len = if self.is_broken { rest.len() } else { self.passing.min(rest.len()) };
                out.extend_from_slice(&rest[..len]);
                self.passing = self.passing.saturating_sub(len);
                at += len;
                if self.passing > 0 || at == pending.len() {
                    break;
                }
                continue;
            }
            let Some(prelude) = rest.first_chunk::<PRELUDE>() else { break };
            match lengths(prelude) {
                None => {
                    self.frames.end(tokens, |framed| push_message(framed, out));
                    self.is_broken = true;
                }
                Some((total, _)) if total > MAX_MESSAGE => {
                    self.frames.end(tokens, |framed| push_message(framed, out));
                    self.passing = total;
                }
                Some((total, headers)) => {
                    let Some(message) = rest.get(..total) else { break };
                    self.message(tokens, message, headers, out);
                    at += total;
                }
            }
        }
        pending.drain(..at);
        if last {
            self.frames.end(tokens, |framed| push_message(framed, out));
            // The rest of it may come all the same.
            let total = pending.first_chunk::<PRELUDE>().and_then(lengths).map_or(0, |(total, _)| total);
            self.passing = self.passing.max(total.saturating_sub(pending.len()));
            out.append(&mut pending);
        }
        self.pending = pending;
    }

    fn message(&mut self, tokens: &TokenIndex, message: &[u8], headers: usize, out: &mut Vec<u8>) {
        let (content, checksum) = message.split_at(message.len() - CHECKSUM);
        let payload = &content[PRELUDE + headers..];
        let mut bytes = Bytes { payload, span: None };
        let is_readable = crc(content) == *checksum && walk(payload, &mut bytes).is_ok();
        let event = bytes.span.map(|span| (STANDARD.decode(&payload[span.clone()]), span));
        let headers = &content[PRELUDE..PRELUDE + headers];
        // Clients read nothing behind it.
        if memchr::memmem::find(headers, b":exception-type").is_some() {
            self.frames.end(tokens, |framed| push_message(framed, out));
        }
        match event {
            None if is_readable => {
                self.frames.push(tokens, &frame_of(headers, None), payload, |framed| push_message(framed, out));
            }
            Some((Ok(event), span)) if is_readable && event.first() == Some(&b'{') => {
                let around = Some((&payload[..span.start], &payload[span.end..]));
                self.frames.push(tokens, &frame_of(headers, around), &event, |framed| push_message(framed, out));
            }
            _ => {
                self.frames.end(tokens, |framed| push_message(framed, out));
                out.extend_from_slice(message);
            }
        }
    }
}

/// Total length of a message and that of its headers; `None` when it is no prelude.
fn lengths(prelude: &[u8; PRELUDE]) -> Option<(usize, usize)> {
    let number = |at: usize| usize::try_from(u32::from_be_bytes(*prelude[at..].first_chunk()?)).ok();
    let (total, headers) = (number(0)?, number(4)?);
    let fits = headers.checked_add(PRELUDE + CHECKSUM).is_some_and(|least| least <= total);
    (fits && crc(&prelude[..8]) == prelude[8..]).then_some((total, headers))
}

fn crc(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// What a message has besides its event: its headers, and what stands around base64; each with its length before it.
fn frame_of(headers: &[u8], around: Option<(&[u8], &[u8])>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(headers.len() + 64);
    let mut part = |bytes: &[u8]| {
        frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        frame.extend_from_slice(bytes);
    };
    part(headers);
    if let Some((before, after)) = around {
        part(before);
        part(after);
    }
    frame
}

fn next_part<'f>(frame: &mut &'f [u8]) -> Option<&'f [u8]> {
    let (len, rest) = frame.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    *frame = rest;
    Some(part)
}

/// Appends the message that says `framed`.
fn push_message(framed: &Framed, out: &mut Vec<u8>) {
    let mut frame = framed.frame.as_slice();
    let headers = next_part(&mut frame).unwrap_or_default();
    let payload = match (next_part(&mut frame), next_part(&mut frame)) {
        (Some(before), Some(after)) => [before, STANDARD.encode(&framed.data).as_bytes(), after].concat(),
        _ => framed.data.clone(),
    };
    let start = out.len();
    let total = PRELUDE + headers.len() + payload.len() + CHECKSUM;
    out.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&u32::try_from(headers.len()).unwrap_or(u32::MAX).to_be_bytes());
    let checksum = crc(&out[start..]);
    out.extend_from_slice(&checksum);
    out.extend_from_slice(headers);
    out.extend_from_slice(&payload);
    let checksum = crc(&out[start..]);
    out.extend_from_slice(&checksum);
}
