//! Access key ids and the unique ids of IAM: `AKIA…`, `AROA…`.

use super::Scan;
use super::boundary::{is_alnum, run_end, run_start, word_start};

/// Letters that announce the kind.
const PREFIX: usize = 4;
/// A run of base64 characters of this length before a slash is base64, not a path.
const BASE64_RUN: usize = 20;

impl Scan<'_, '_> {
    /// Looks at the capital at `at`; gives where to go on.
    pub(super) fn capital(&mut self, at: usize) -> usize {
        let text = self.text;
        let end = run_end(text, at, text.len(), |c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let run = run_start(text, at, 8, is_alnum);
        if end - at <= PREFIX || run != at && word_start(text, run) != at {
            return end;
        }
        // Old ids of this family differ in their fourth character.
        let prefix: &[u8] = if text[at..].starts_with(b"A3T") { b"A3T" } else { &text[at..at + PREFIX] };
        let body = end - at - prefix.len();
        let shape = self
            .detector
            .catalog
            .prefixes
            .get(prefix)
            .iter()
            .find(|shape| (usize::from(shape.min)..=usize::from(shape.max)).contains(&body));
        if let Some(shape) = shape
            && text.get(end).is_none_or(|&c| !is_alnum(c) && c != b'+')
            && !in_base64(text, at)
        {
            self.whole(shape.kind, at, end);
        }
        end
    }
}

/// True when what stands before is base64 that runs on.
fn in_base64(text: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map(|i| text[i]) {
        Some(b'+') => true,
        Some(b'/') => {
            let run = run_start(text, at - 1, BASE64_RUN, |c| is_alnum(c) || c == b'+');
            at - 1 - run >= BASE64_RUN
        }
        _ => false,
    }
}
