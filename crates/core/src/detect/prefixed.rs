//! Ids that a prefix and a dash announce: `i-0ab…`, `vpce-svc-…`, `fleet-UUID`.

use super::Scan;
use super::boundary::{ends_at, is_alnum, run_end, run_start, word_start};
use crate::catalog::{Body, KindId, MAX_PREFIX_LEN};

/// Longest prefix looked at, dashes included.
const MAX_PREFIX: usize = MAX_PREFIX_LEN;
/// Longest id body looked at.
const MAX_BODY: usize = 64;

/// What stands at a dash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An id, from the first byte of its prefix to past its last.
    Id {
        kind: KindId,
        start: usize,
        end: usize,
    },
    /// The shape of an id, glued to a word.
    Glued {
        kind: KindId,
        start: usize,
        end: usize,
    },
    Nothing,
}

impl Scan<'_, '_> {
    /// Looks at the dash at `dash`.
    pub(super) fn prefixed_at(&mut self, dash: usize) -> usize {
        match find(self, dash) {
            Found::Id { kind, start, end } => {
                self.whole(kind, start, end);
                end
            }
            Found::Glued { kind, start, end } => {
                self.loose(kind, start, end);
                end
            }
            Found::Nothing => dash + 1,
        }
    }
}

impl Scan<'_, '_> {
    /// The prefixed id that begins at `start` and ends at or before `end`.
    pub(super) fn prefixed_within(&self, start: usize, end: usize) -> Option<(KindId, usize, usize)> {
        let mut at = start;
        while let Some(found) = memchr::memchr(b'-', &self.text[at..end]) {
            let dash = at + found;
            if let Found::Id { kind, start: from, end: to } = find(self, dash)
                && from == start
                && to <= end
            {
                return Some((kind, from, to));
            }
            at = dash + 1;
        }
        None
    }
}

fn find(scan: &Scan<'_, '_>, dash: usize) -> Found {
    let text = scan.text;
    let body = dash + 1;
    let run = run_start(text, dash, MAX_PREFIX, |c| is_alnum(c) || c == b'-');
    let first = word_start(text, run).min(dash);
    let mut lower = [0u8; MAX_PREFIX];
    let prefix = &mut lower[..dash - first];
    prefix.copy_from_slice(&text[first..dash]);
    prefix.make_ascii_lowercase();
    // A run that was cut at the limit begins in the middle of a word.
    let cut = run > 0 && run == first && dash - run == MAX_PREFIX && is_alnum(text[run - 1]);
    let mut from = 0;
    while from < prefix.len() {
        if !(from == 0 && cut)
            && let Some((kind, end)) = body_end(scan, &prefix[from..], body)
        {
            return if ends_at(text, end) {
                Found::Id { kind, start: first + from, end }
            } else {
                Found::Glued { kind, start: first + from, end }
            };
        }
        match memchr::memchr(b'-', &prefix[from..]) {
            Some(next) => from += next + 1,
            None => break,
        }
    }
    glued_left(scan, dash, body)
}

/// The id shapes whose prefix is the tail of a longer word: kept aside for the ids that the request has elsewhere.
fn glued_left(scan: &Scan<'_, '_>, dash: usize, body: usize) -> Found {
    let text = scan.text;
    let word = run_start(text, dash, MAX_PREFIX, is_alnum);
    for start in word + 1..dash {
        let mut lower = [0u8; MAX_PREFIX];
        let prefix = &mut lower[..dash - start];
        prefix.copy_from_slice(&text[start..dash]);
        prefix.make_ascii_lowercase();
        if let Some((kind, end)) = body_end(scan, prefix, body) {
            return Found::Glued { kind, start, end };
        }
    }
    Found::Nothing
}

/// The kind and end of an id with this prefix whose body begins at `body`.
fn body_end(scan: &Scan<'_, '_>, prefix: &[u8], body: usize) -> Option<(KindId, usize)> {
    let text = scan.text;
    let mut glued = None;
    for shape in scan.detector.catalog.prefixes.get(prefix) {
        let end = match shape.body {
            Body::Hex => run_end(text, body, MAX_BODY, |c| c.is_ascii_hexdigit()),
            Body::Alnum => run_end(text, body, MAX_BODY, is_alnum),
            Body::Uuid => match uuid_end(text, body) {
                Some(end) => end,
                None => continue,
            },
            Body::Upper => continue,
        };
        let len = end - body;
        if len < usize::from(shape.min) {
            continue;
        }
        if len <= usize::from(shape.max) && is_mixed(shape.body, &text[body..end]) {
            if ends_at(text, end) {
                return Some((shape.kind, end));
            }
            glued = glued.max(Some((shape.kind, end)));
        }
    }
    glued
}

/// An id whose body may be any letters must have a digit, or it is a word.
fn is_mixed(body: Body, text: &[u8]) -> bool {
    body != Body::Alnum || text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
}

/// End of the UUID that begins at `at`.
pub(super) fn uuid_end(text: &[u8], at: usize) -> Option<usize> {
    let uuid = text.get(at..at + 36)?;
    let shaped = uuid.iter().enumerate().all(|(i, &c)| match i {
        8 | 13 | 18 | 23 => c == b'-',
        _ => c.is_ascii_hexdigit(),
    });
    (shaped && ends_at(text, at + 36)).then_some(at + 36)
}
