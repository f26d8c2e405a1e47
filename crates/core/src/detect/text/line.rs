//! Lines, in text and in strings of JSON.
//!
//! Lines may end in escapes, as they do in a string of JSON. How often a string is inside another is its depth: at
//! depth 0 a line ends in a line feed and a quote is a quote, at depth 1 they are `\n` and `\"`, at depth 2 `\\n` and
//! `\\\"`.

use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};

/// Longest line of a table; reports on costs have hundreds of columns.
pub(in crate::detect) const MAX_LINE: usize = 16 * 1024;

/// How far back is looked first for where a line begins.
const SHORT_LINE: usize = 256;

/// A line, without its end.
#[derive(Clone, Copy, Debug)]
pub(in crate::detect) struct Line {
    pub(in crate::detect) start: usize,
    pub(in crate::detect) end: usize,
    /// Where the next one begins.
    pub(in crate::detect) next: usize,
    pub(in crate::detect) depth: u32,
}

/// Where the line begins that `at` stands in or ends, as far as it is looked at.
pub(in crate::detect) fn line_start(text: &[u8], at: usize) -> usize {
    // Most lines are short, and a text of many may have breaks of one kind only: the other kind is not looked for far.
    let behind_break = [SHORT_LINE, MAX_LINE].into_iter().find_map(|reach| behind_last_break(text, at, reach));
    behind_break.unwrap_or(at.saturating_sub(MAX_LINE))
}

/// Where the line break begins that ends at `at`.
pub(in crate::detect) fn break_before(text: &[u8], at: usize) -> Option<usize> {
    let before = &text[..at];
    match before {
        [.., b'\n'] => Some(at - 1),
        [.., b'\\', b'n'] => Some(run_start(text, at - 1, MAX_BACKSLASHES, |c| c == b'\\')),
        _ => None,
    }
}

/// Where the last line break before `at` ends, if it is no further away than `reach`.
fn behind_last_break(text: &[u8], at: usize, reach: usize) -> Option<usize> {
    let floor = at.saturating_sub(reach);
    let before = &text[floor..at];
    let plain = memchr::memrchr(b'\n', before).map(|i| i + 1);
    let from = plain.unwrap_or(0);
    let escaped = memchr::memrchr_iter(b'\\', &before[from..]).find(|&i| {
        let last = floor + from + i;
        if before.get(from + i + 1) != Some(&b'n') {
            return false;
        }
        let slashes = run_start(text, last, MAX_BACKSLASHES.min(last), |c| c == b'\\');
        (last + 1 - slashes).is_power_of_two()
    });
    escaped.map(|i| from + i + 2).or(plain).map(|end| floor + end)
}

/// The line at `from`, with the quote cut off that opens the string it stands in.
pub(in crate::detect) fn line_at(text: &[u8], from: usize) -> Option<Line> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'\n', b'\\', text.get(at..)?)?;
        if let Some((depth, next)) = break_at(text, at) {
            let end = trim_return(text, from, at, depth);
            let start = from.max(end.saturating_sub(MAX_LINE));
            let start = opening_quote(text, start, end, depth).unwrap_or(start);
            return Some(Line { start, end, next, depth });
        }
        at = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\') + 1;
    }
}

/// The line behind another one of the same table.
pub(in crate::detect) fn following(text: &[u8], line: Line) -> Option<Line> {
    let depth = line.depth;
    let start = line.next;
    let limit = text.len().min(start + MAX_LINE);
    if start >= text.len() {
        return None;
    }
    let whole = |at: usize, next: usize| Line { start, end: trim_return(text, start, at, depth), next, depth };
    if depth == 0 {
        return match memchr::memchr(b'\n', &text[start..limit]) {
            Some(i) => Some(whole(start + i, start + i + 1)),
            None => (limit == text.len()).then(|| whole(limit, limit)),
        };
    }
    let mut at = start;
    while at < limit {
        let Some(i) = memchr::memchr3(b'\\', b'"', b'\'', &text[at..limit]) else { break };
        at += i;
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        let is_quote = matches!(text.get(end), Some(b'"' | b'\''));
        if is_quote && end - at == quote_backslashes(depth - 1) && text[end] == b'"' {
            return Some(whole(at, at));
        }
        if let Some((_, next)) = break_at(text, at).filter(|&(found, _)| found == depth) {
            return Some(whole(at, next));
        }
        at = end + 1;
    }
    (limit == text.len()).then(|| whole(limit, limit))
}

/// The depth of the line break at `at`, and where it ends.
pub(in crate::detect) fn break_at(text: &[u8], at: usize) -> Option<(u32, usize)> {
    if *text.get(at)? == b'\n' {
        return Some((0, at + 1));
    }
    let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let count = end - at;
    (text.get(end) == Some(&b'n') && count.is_power_of_two()).then(|| (count.trailing_zeros() + 1, end + 1))
}

/// The depth of the line break at `at`, which may have a return before it, and where it ends.
pub(in crate::detect) fn whole_break_at(text: &[u8], at: usize) -> Option<(u32, usize)> {
    break_at(text, at).or_else(|| {
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        let is_return = if end > at { (end - at).is_power_of_two() } else { true };
        let sign = if end > at { b'r' } else { b'\r' };
        (is_return && text.get(end) == Some(&sign)).then(|| break_at(text, end + 1)).flatten()
    })
}

/// Where a line ends whose break at `end` may be the second half of one.
pub(in crate::detect) fn trim_return(text: &[u8], start: usize, end: usize, depth: u32) -> usize {
    let line = &text[start..end];
    let Some(depth) = depth.checked_sub(1) else { return end - usize::from(line.ends_with(b"\r")) };
    let slashes = run_start(text, end.saturating_sub(1).max(start), (1 << depth).min(end - start), |c| c == b'\\');
    let is_return = line.ends_with(b"r") && end - 1 - slashes == 1 << depth;
    if is_return { slashes } else { end }
}

/// Backslashes before a quote at this depth.
pub(in crate::detect) fn quote_backslashes(depth: u32) -> usize {
    (1 << depth) - 1
}

/// Behind the last quote that opens a string of this depth.
pub(in crate::detect) fn opening_quote(text: &[u8], start: usize, end: usize, depth: u32) -> Option<usize> {
    let outer = quote_backslashes(depth.checked_sub(1)?);
    let is_outer = |&i: &usize| {
        if outer == 0 || i == 0 {
            return outer == 0 && (i == 0 || text[start + i - 1] != b'\\');
        }
        let slashes = run_start(text, start + i, MAX_BACKSLASHES.min(i), |c| c == b'\\');
        start + i - slashes == outer
    };
    memchr::memrchr_iter(b'"', &text[start..end]).find(is_outer).map(|i| start + i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What [`line_start`] promises, without a first look nearby.
    fn plainly(text: &[u8], at: usize) -> usize {
        // From its first backslash on.
        let is_break = |start: usize| start == 0 || text[start - 1] != b'\\' || text[start] == b'\n';
        let is_end = |&end: &usize| {
            let starts = (0..end).rev().take(MAX_BACKSLASHES + 1).filter(|&start| is_break(start));
            starts.filter_map(|start| break_at(text, start)).any(|(_, next)| next == end)
        };
        let floor = at.saturating_sub(MAX_LINE);
        (floor + 1..=at).rev().find(is_end).unwrap_or(floor)
    }

    proptest! {
        #[test]
        fn lines_begin_behind_the_last_break(
            parts in prop::collection::vec("\n|\\\\{1,4}n|[abn]{1,30}|[an]{200,300}", 1..20),
            at in any::<prop::sample::Index>(),
        ) {
            let text = parts.concat();
            let at = at.index(text.len());
            prop_assert_eq!(line_start(text.as_bytes(), at), plainly(text.as_bytes(), at));
        }
    }
}
