//! Whether a word is all that stands somewhere: the whole of a string, a cell, an item, or the value behind a key.

use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::line::break_before;

/// Most blanks around the text of a cell.
const MAX_BLANKS: usize = 64;
/// Longest option of a command.
const MAX_OPTION: usize = 64;
/// Most blanks that fill a cell up which has a longer one above or below it.
const MAX_FILL: usize = 256;

/// True when `start..end` is a whole value. The key of an object is none, nor is a word of a sentence.
pub(in crate::detect) fn is_whole_value(text: &[u8], start: usize, end: usize) -> bool {
    match start.checked_sub(1).map(|at| text[at]) {
        Some(quote @ (b'"' | b'\'' | b'`')) => is_quoted(text, start, end, quote),
        _ => begins_value(text, start) && ends_value(text, end) || is_of_option(text, start, end),
    }
}

/// True when `start..end` is all that stands between two borders of cells, one of which may be that of the line.
pub(in crate::detect) fn is_cell(text: &[u8], start: usize, end: usize) -> bool {
    let from = run_start(text, start, MAX_FILL, |c| c == b' ');
    let to = run_end(text, end, MAX_FILL, |c| c == b' ');
    let tab = run_end(text, to, MAX_BACKSLASHES, |c| c == b'\\');
    let begins = match text[..from] {
        [.., b'\t'] | [.., b'\\', b't'] => true,
        [.., b'|'] => from < start,
        _ => false,
    };
    let ends = match text.get(to) {
        Some(b'\t') => true,
        Some(b'|') => to > end,
        _ => tab > to && text.get(tab) == Some(&b't'),
    };
    begins && (ends || ends_line(text, to) || ends_string(text, to))
}

/// `"orders"`, `\"orders\"`, but not `"orders": `.
fn is_quoted(text: &[u8], start: usize, end: usize, quote: u8) -> bool {
    let slashes = start - 1 - run_start(text, start - 1, MAX_BACKSLASHES, |c| c == b'\\');
    let close = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    let behind = run_end(text, close + 1, MAX_BLANKS, |c| c == b' ');
    let is_key = text.get(behind) == Some(&b':') || text.get(behind..).is_some_and(|rest| rest.starts_with(b"=>"));
    text.get(close) == Some(&quote) && close - end == slashes && !is_key
}

/// Behind `=` or `: `, where a line or a string begins, behind the dash of an item, or at the left of a cell.
fn begins_value(text: &[u8], start: usize) -> bool {
    let begins_line = |at: usize| at == 0 || break_before(text, at).is_some();
    if begins_line(start) {
        return true;
    }
    let blanks = run_start(text, start, MAX_BLANKS, |c| c == b' ');
    match text[..blanks] {
        [.., b'=' | b'\t' | b'|'] => true,
        [.., b'\\', b't'] => blanks == start,
        [.., b':'] => blanks < start,
        [.., b'-'] if blanks < start => begins_line(run_start(text, blanks - 1, MAX_BLANKS, |c| c == b' ')),
        _ => false,
    }
}

/// What a command takes for an option: `--domain acme --owner`.
fn is_of_option(text: &[u8], start: usize, end: usize) -> bool {
    let blanks = run_start(text, start, MAX_BLANKS, |c| c == b' ');
    let option = run_start(text, blanks, MAX_OPTION, |c| is_alnum(c) || c == b'-');
    let behind = text.get(end);
    let ends = behind == Some(&b' ') || ends_line(text, end) || ends_string(text, end);
    ends && blanks < start && matches!(text[option..blanks], [b'-', b'-', first, ..] if first != b'-')
}

/// Where a line ends or a cell does, or what is assigned.
fn ends_value(text: &[u8], end: usize) -> bool {
    let blanks = run_end(text, end, MAX_BLANKS, |c| c == b' ');
    let rest = text.get(blanks..).unwrap_or_default();
    ends_line(text, blanks)
        || matches!(rest, [b'\t' | b'|' | b'"', ..] | [b'\\', b't' | b'"', ..])
        || blanks == end && matches!(rest, [b',' | b';' | b'&' | b')' | b'}' | b']', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(text: &str) -> bool {
        let start = text.find("acme").unwrap();
        is_whole_value(text.as_bytes(), start, start + "acme".len())
    }

    #[test]
    fn values_and_words_of_sentences() {
        for text in [
            "acme",
            "\"acme\"",
            "{\"x\": \"acme\", \"y\": 1}",
            r#"{\"x\": \"acme\"}"#,
            "['acme']",
            "x=acme",
            "a=b x=acme\n",
            "f(x=acme, y)",
            "x: acme\n",
            "x: acme",
            "y:\n  - acme\nz",
            "- acme",
            r#""y:\n- acme\nz""#,
            "a\tacme\tb",
            r#""a\tacme\tb""#,
            "| acme    |",
            "| x | acme |",
            "a\nacme\nb",
            "x --of acme -y",
            "x --of acme \\\n -y",
            "x --of acme",
            r#""a\nacme\nb""#,
        ] {
            assert!(is_whole(text), "{text}");
        }
        for text in [
            "the acme is",
            "{\"acme\": 1}",
            r#"{\"acme\" : 1}"#,
            "{'acme' => 1}",
            "\"acme corporation\"",
            "'an acme'",
            "x: acme and more",
            "x:acme",
            "well - acme\n",
            "acme is",
            "x --of acmes",
            "x -- acme y",
            "x --- acme y",
            "--x of acme y",
            "\"acme'",
            r#""acme\""#,
        ] {
            assert!(!is_whole(text), "{text}");
        }
    }
}
