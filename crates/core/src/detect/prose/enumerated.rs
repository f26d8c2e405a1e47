//! Further names of an enumeration: `buckets acme-raw, acme-curated and acme-logs`; and names that stand in apposition:
//! `our bucket, acme-logs, is public`.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::evidence::ordinary::has_stage;
use crate::detect::evidence::own::{is_own, is_person};
use crate::detect::evidence::told::{goes_on, is_of_service, is_told};
use crate::detect::prose::link::has_dash_near;
use crate::detect::setting::value::{Setting, Value, is_believable};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};

/// Longest name.
const MAX_NAME: usize = 128;
/// Fewest characters of a name.
const MIN_NAME: usize = 4;
/// What stands between two names. Longer ones come first.
const SEPARATORS: &[&str] = &[
    ", and ", ", or ", ", ", " and ", " or ", " & ", " und ", " y ", " et ", "와 ", "과 ", " 와 ", " 과 ", " 및 ",
    "이랑 ", "랑 ", "하고 ", "、", "と", "·", "／",
];

impl Scan<'_, '_> {
    /// Takes the names that are enumerated behind the one at `first`.
    #[inline(never)]
    pub(in crate::detect) fn enumerated(&mut self, kind: KindId, first: &Value) {
        let text = self.text;
        let first_name = &text[first.start..first.end];
        let mut end = first.end;
        while let Some(next) = next_name(text, end) {
            let name = &text[next.start..next.end];
            let is_alike = first_word(name) == first_word(first_name) || has_stage(name);
            let are_persons = is_person(name) && is_person(first_name);
            if !(is_alike || are_persons || is_told(b"", name) && goes_on(text, next.end) && !is_person(name))
                || self.prefixed_within(next.start, next.end).is_some()
            {
                return;
            }
            self.finding(kind, next.start, next.end);
            self.part(kind, next.start, next.end, true);
            end = next.end;
        }
    }

    /// The name in apposition to the noun from `words` to `at`.
    #[inline(never)]
    pub(in crate::detect) fn apposed(&mut self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        if !text[at..].starts_with(b", ") || !has_dash_near(&text[at..]) {
            return None;
        }
        let found = name_at(text, at + 2)?;
        let name = &text[found.start..found.end];
        let noun = &text[words..at];
        let is_bucket = noun.eq_ignore_ascii_case(b"bucket");
        let is_of_service = is_of_service(text, words, at, name);
        // A comma or the end of the sentence closes what a comma opens.
        let closes = matches!(text.get(found.end), Some(b',' | b'.' | b'?' | b'!' | b';' | b')'))
            || ends_line(text, found.end)
            || ends_string(text, found.end);
        let is_name = closes
            && (is_of_service || is_bucket && is_told(b"", name))
            && self.prefixed_within(found.start, found.end).is_none();
        is_name.then_some(found)
    }
}

/// The name behind the one that ends at `end`, and a separator.
fn next_name(text: &[u8], end: usize) -> Option<Value> {
    let quote = past_quote(text, end);
    let separator = SEPARATORS.iter().find(|separator| text[quote..].starts_with(separator.as_bytes()))?;
    let start = quote + separator.len();
    let open = past_quote(text, start);
    // Both are in quotes, or neither is.
    ((open > start) == (quote > end)).then(|| name_at(text, open)).flatten()
}

/// Past the quote at `at`, if there is one; it may be escaped.
fn past_quote(text: &[u8], at: usize) -> usize {
    let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    if matches!(text.get(slashes), Some(b'"' | b'\'' | b'`')) { slashes + 1 } else { at }
}

/// A name of several words that begins at `start`.
fn name_at(text: &[u8], start: usize) -> Option<Value> {
    let stop = run_end(text, start, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.'));
    let end = run_start(text, stop, stop - start, |c| matches!(c, b'.' | b'-'));
    let name = &text[start..end];
    let is_name = name.len() >= MIN_NAME
        && name[0].is_ascii_alphabetic()
        && !matches!(text.get(stop), Some(b'(' | b'=' | b'@' | b'*' | b'{' | b'$' | b'%' | b'/' | b':'))
        && (is_own(name) || is_person(name))
        && is_believable(ValueShape::Name, name, Setting::Told);
    is_name.then_some(Value { start, end, next: end, quoted: false })
}

fn first_word(name: &[u8]) -> &[u8] {
    name.split(|c| matches!(c, b'-' | b'_' | b'.')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn names_behind_others_and_behind_commas() {
        for (text, names) in [
            ("버킷: acme-attach, acme-backup\n", &["acme-attach", "acme-backup"][..]),
            ("the buckets acme-raw, acme-curated and acme-logs are", &["acme-raw", "acme-curated", "acme-logs"]),
            ("queues `acme-todo` and `acme-done` are full", &["acme-todo", "acme-done"]),
            ("read access to our S3 bucket, acme-scans?", &["acme-scans"]),
            ("our buckets acme-logs, dev-logs and prod-raw", &["acme-logs", "dev-logs", "prod-raw"]),
            ("our bucket, acme-survey-scans, is public", &["acme-survey-scans"]),
        ] {
            assert_eq!(parts(text), names, "{text}");
        }
        for text in [
            "put it into the bucket, server-side encrypted",
            "into the bucket, copy-on-write or not",
            "the S3 bucket, well-known, is public",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
