//! Where a word begins and ends in text that may be JSON, JSON inside JSON, a URL or prose.

/// Most backslashes before a quote: each JSON in JSON doubles them and adds one, this is five deep.
pub(in crate::detect) const MAX_BACKSLASHES: usize = 31;

/// Most letters and digits that an escape lends to the word behind it: those of `\u00e9`.
pub(in crate::detect) const MAX_ESCAPE: usize = 5;

/// What a byte is, a bit each. Verifiers ask so often that a table is worth it.
pub(in crate::detect) mod class {
    pub(in crate::detect) const DIGIT: u8 = 1;
    pub(in crate::detect) const LOWER: u8 = 2;
    pub(in crate::detect) const UPPER: u8 = 4;
    /// A hexadecimal digit, of either case.
    pub(in crate::detect) const HEX: u8 = 8;
    /// May stand in the name of a host.
    pub(in crate::detect) const HOST: u8 = 16;
    /// May stand in a field of an ARN, or in a placeholder for one.
    pub(in crate::detect) const FIELD: u8 = 32;
    /// May stand in the path of a URL.
    pub(in crate::detect) const PATH: u8 = 64;
    /// May stand in the resource of an ARN, without braces.
    pub(in crate::detect) const RESOURCE: u8 = 128;

    pub(in crate::detect) const ALNUM: u8 = DIGIT | LOWER | UPPER;

    static CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut c: u8 = 0;
        while c < 128 {
            let digit = if c.is_ascii_digit() { DIGIT } else { 0 };
            let lower = if c.is_ascii_lowercase() { LOWER } else { 0 };
            let upper = if c.is_ascii_uppercase() { UPPER } else { 0 };
            let hex = if c.is_ascii_hexdigit() { HEX } else { 0 };
            let all = if c.is_ascii_alphanumeric() { HOST | FIELD | PATH | RESOURCE } else { 0 };
            let others = match c {
                b'-' | b'_' => HOST | FIELD | PATH | RESOURCE,
                b'.' => HOST | PATH | RESOURCE,
                b'*' => FIELD | PATH | RESOURCE,
                b'$' => FIELD | RESOURCE,
                b'{' | b'}' => FIELD,
                b'/' | b':' | b'@' | b'+' | b'=' | b'%' | b'~' | b'!' => PATH | RESOURCE,
                b'#' | b'?' => RESOURCE,
                _ => 0,
            };
            classes[c as usize] = digit | lower | upper | hex | all | others;
            c += 1;
        }
        classes
    };

    /// The classes of `c`.
    #[inline]
    pub(in crate::detect) fn of(c: u8) -> u8 {
        CLASSES[usize::from(c)]
    }
}

/// ASCII letter or digit.
#[inline]
pub(crate) fn is_alnum(c: u8) -> bool {
    class::of(c) & class::ALNUM != 0
}

/// Where the word that ends before `end` and reaches back to `start` really begins.
///
/// `start` is the first byte of a run of word characters. An escape or a percent code may have lent it its letters:
/// in `\ni-0ab` the run is `ni-0ab` and the word begins at `i`; the same holds for `\u00e9i-0ab` and `%2Fi-0ab`.
pub(crate) fn word_start(text: &[u8], start: usize) -> usize {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    match (before, text.get(start)) {
        (Some(b'\\'), Some(b'n' | b't' | b'r' | b'b' | b'f')) => start + 1,
        (Some(b'\\'), Some(b'u')) if is_hex_run(text, start + 1, 4) => start + 5,
        (Some(b'\\'), Some(b'x')) if is_hex_run(text, start + 1, 2) => start + 3,
        (Some(b'%'), Some(_)) if is_hex_run(text, start, 2) => start + 2,
        (Some(b'[' | b';'), Some(c)) if c.is_ascii_digit() || *c == b'm' => past_color(text, start),
        _ => start,
    }
}

/// Past the `31m` of a terminal's color code, whose escape character may itself be escaped.
fn past_color(text: &[u8], start: usize) -> usize {
    let bracket = run_start(text, start, 12, |c| c.is_ascii_digit() || c == b';');
    let end = run_end(text, start, 4, |c| c.is_ascii_digit());
    let before = bracket.checked_sub(1).filter(|&at| text[at] == b'[').map(|at| &text[..at]);
    let escapes: [&[u8]; 6] = [b"\x1b", b"\\u001b", b"\\u001B", b"\\x1b", b"\\033", b"\\e"];
    let is_color = before.is_some_and(|before| escapes.iter().any(|escape| before.ends_with(escape)));
    if is_color && text.get(end) == Some(&b'm') { end + 1 } else { start }
}

/// True when an escape or a percent code ends right before `at`, so that a word may begin there.
pub(crate) fn follows_escape(text: &[u8], at: usize) -> bool {
    (1..=MAX_ESCAPE).any(|back| at.checked_sub(back).is_some_and(|from| from < at && word_start(text, from) == at))
}

/// True when `text[at..at + len]` is hexadecimal.
pub(crate) fn is_hex_run(text: &[u8], at: usize, len: usize) -> bool {
    text.get(at..at + len).is_some_and(|run| run.iter().all(u8::is_ascii_hexdigit))
}

/// End of the run of bytes from `at` for which `member` holds, at most `limit` bytes long.
#[inline]
pub(crate) fn run_end(text: &[u8], at: usize, limit: usize, member: impl Fn(u8) -> bool) -> usize {
    let end = text.len().min(at + limit);
    let stop = text.get(at..end).and_then(|run| run.iter().position(|&c| !member(c)));
    stop.map_or(end, |len| at + len)
}

/// Start of the run of bytes that ends before `end` for which `member` holds, at most `limit` bytes long.
#[inline]
pub(crate) fn run_start(text: &[u8], end: usize, limit: usize, member: impl Fn(u8) -> bool) -> usize {
    let floor = end.saturating_sub(limit);
    let stop = text.get(floor..end).and_then(|run| run.iter().rposition(|&c| !member(c)));
    stop.map_or(floor, |at| floor + at + 1)
}

/// True where a line ends at `at`, by a line break or its escape, or the text does.
pub(crate) fn ends_line(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        None | Some(b'\n' | b'\r') => true,
        Some(b'\\') => {
            let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
            (end - at).is_power_of_two() && matches!(text.get(end), Some(b'n' | b'r'))
        }
        _ => false,
    }
}

/// True where a string of JSON ends at `at`: a quote with more of JSON behind it.
pub(crate) fn ends_string(text: &[u8], at: usize) -> bool {
    let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let behind = run_end(text, quote + 1, MAX_BACKSLASHES, |c| c.is_ascii_whitespace());
    let is_closed = match text.get(behind) {
        None | Some(b'}' | b']') => true,
        // Another member or item follows; in code, other things do.
        Some(b',') => {
            let next = run_end(text, behind + 1, MAX_BACKSLASHES, |c| c.is_ascii_whitespace() || c == b'\\');
            matches!(text.get(next), None | Some(b'"' | b'{' | b'[' | b'n'))
        }
        // So does the string around it.
        Some(b'"') => quote > at,
        _ => false,
    };
    text.get(quote) == Some(&b'"') && is_closed
}

/// True when no word runs on at `at`.
#[inline]
pub(crate) fn ends_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|&c| !is_alnum(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_belong_to_words() {
        assert_eq!(word_start(br"\ni-0", 1), 2);
        assert_eq!(word_start(br"\\ni-0", 2), 3);
        assert_eq!(word_start(br"\uac00i-0", 1), 6);
        assert_eq!(word_start(b"%2Fi-0", 1), 3);
        assert_eq!(word_start(br"\x84i-0", 1), 4);
        assert_eq!(word_start(b" ni-0", 1), 1);
        assert_eq!(word_start(b"ni-0", 0), 0);
        assert_eq!(word_start(b"\x1b[31mi-0", 2), 5);
        assert_eq!(word_start(br"\u001b[1;31mi-0", 9), 12);
        assert_eq!(word_start(b"x[31mi-0", 2), 2);
        assert!(follows_escape(b"\x1b[31marn:", 5));
    }

    #[test]
    fn runs() {
        assert_eq!(run_end(b"abc1-", 0, 99, is_alnum), 4);
        assert_eq!(run_start(b"-abc1", 5, 99, is_alnum), 1);
        assert_eq!(run_start(b"abc", 3, 2, is_alnum), 1);
    }
}
