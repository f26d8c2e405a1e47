//! Values that their key announces: `"AccountId": "…"`, `aws_secret_access_key = …`, `SESSION_TOKEN=…`.

use super::Scan;
use super::arn::is_account;
use super::boundary::{is_alnum, run_end, run_start, word_start};
use super::secret::is_secret_key;
use crate::catalog::{Member, Strength, ValueShape};
use crate::token::is_token_shaped;

/// Longest key looked at.
const MAX_KEY: usize = 64;
/// Longest value looked at.
const MAX_VALUE: usize = 4096;
/// Most backslashes before a quote: each JSON in JSON doubles them and adds one, this is five deep.
const MAX_BACKSLASHES: usize = 31;
/// Most values of one list.
const MAX_LIST: usize = 64;

impl Scan<'_, '_> {
    /// Looks at the `:` or `=` at `at`: is there a key before it that says what the value after it is?
    pub(super) fn keyed_value(&mut self, at: usize) {
        let text = self.text;
        let key_end = key_end(text, at);
        let run = run_start(text, key_end, MAX_KEY, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
        if run == key_end {
            return;
        }
        let start = word_start(text, run).min(key_end);
        let mut normal = [0u8; MAX_KEY];
        let mut len = 0;
        for &c in text[start..key_end].iter().filter(|&&c| is_alnum(c)) {
            normal[len] = c.to_ascii_lowercase();
            len += 1;
        }
        let Some(member) = self.detector.catalog.members.get(&normal[..len]) else { return };
        if member.strength == Strength::Weak || !self.wants(member.kind) {
            return;
        }
        self.values(member, at + 1);
    }

    fn values(&mut self, member: Member, at: usize) {
        let text = self.text;
        let mut at = run_end(text, at, 16, |c| matches!(c, b' ' | b'\t' | b'=' | b'>' | b'|'));
        let is_list = text.get(at) == Some(&b'[');
        if is_list {
            at = skip_space(text, at + 1);
        }
        for _ in 0..if is_list { MAX_LIST } else { 1 } {
            let Some((start, end, next)) = value(text, at, member.value) else { return };
            let body = &text[start..end];
            if is_believable(member.value, body) && !is_token_shaped(body) {
                self.whole(member.kind, start, end);
            }
            at = skip_space(text, next);
            if text.get(at) != Some(&b',') {
                return;
            }
            at = skip_space(text, at + 1);
        }
    }
}

/// Where the key before `at` ends: before blanks, a closing quote and its backslashes.
fn key_end(text: &[u8], at: usize) -> usize {
    let mut end = run_start(text, at, 16, |c| matches!(c, b' ' | b'\t' | b'|'));
    if end > 0 && matches!(text[end - 1], b'"' | b'\'' | b'`') {
        end -= 1;
        end = run_start(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    }
    end
}

/// Past white space, also where it is escaped.
fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        let next = run_end(text, at, 256, |c| c.is_ascii_whitespace());
        match text.get(next..next + 2) {
            Some([b'\\', b'n' | b't' | b'r']) => at = next + 2,
            _ => return next,
        }
    }
}

/// The value at `at`: its start, its end, and where to read on. Without quotes it ends where its shape does.
fn value(text: &[u8], at: usize, shape: ValueShape) -> Option<(usize, usize, usize)> {
    let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    match text.get(quote) {
        Some(&q @ (b'"' | b'\'' | b'`')) => {
            let start = quote + 1;
            let end = run_end(text, start, MAX_VALUE, |c| c != q && c != b'\\' && c != b'\n');
            let close = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
            (text.get(close) == Some(&q)).then_some((start, end, close + 1))
        }
        Some(_) if quote == at => {
            let end = run_end(text, at, MAX_VALUE, |c| may_hold(shape, c));
            (end > at).then_some((at, end, end))
        }
        _ => None,
    }
}

fn is_believable(shape: ValueShape, value: &[u8]) -> bool {
    match shape {
        ValueShape::Account => is_account(value),
        ValueShape::SecretKey => is_secret_key(value),
        ValueShape::Base64 => value.len() >= 16 && value.iter().all(|&c| may_hold(shape, c)),
        ValueShape::Password => value.len() >= 8,
        ValueShape::Name => {
            (1..=255).contains(&value.len())
                && value.iter().any(|&c| is_alnum(c))
                && value.iter().all(|&c| may_hold(shape, c))
        }
    }
}

/// True when `c` can stand in a value of this shape that has no quotes around it.
fn may_hold(shape: ValueShape, c: u8) -> bool {
    match shape {
        ValueShape::Account => is_alnum(c),
        ValueShape::SecretKey | ValueShape::Base64 => {
            is_alnum(c) || matches!(c, b'+' | b'/' | b'=' | b'-' | b'_' | b'%')
        }
        ValueShape::Name => is_alnum(c) || matches!(c, b'_' | b'.' | b'-' | b'/' | b'+' | b'=' | b'@' | b':'),
        ValueShape::Password => {
            c.is_ascii_graphic()
                && !matches!(c, b',' | b';' | b'"' | b'\'' | b'`' | b'}' | b']' | b')' | b'&' | b'\\' | b'<' | b'|')
        }
    }
}
