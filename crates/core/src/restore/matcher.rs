//! Tokens in a stretch of text, in every spelling that a model gives them.
//!
//! A token is its label, a separator and its code. The separator is `_`, also behind backslashes (markdown, JSON in
//! JSON), `\u005f` or `%5F`. Letters may have changed case; then, and only then, the token has to stand at the start
//! of a word.

use std::ops::Range;

use crate::json::{Enclosing, push_escaped, stands_in_string};
use crate::session::TokenIndex;
use crate::token::{CODE_LEN, MAX_TOKEN_LEN, is_base32, is_code_char};

/// Most backslashes before a separator: markdown in JSON in JSON in JSON.
const MAX_BACKSLASHES: usize = 8;
/// Longest spelling of a token.
pub(super) const MAX_SPELLED: usize = MAX_TOKEN_LEN + MAX_BACKSLASHES + 4;
/// How much before a token is looked at to see whether a word begins there.
pub(crate) const CONTEXT: usize = 8;

struct Match<'t> {
    start: usize,
    end: usize,
    original: &'t [u8],
}

/// What [`restore`] did.
pub(crate) struct Restored {
    /// Tokens turned back.
    pub(crate) count: u64,
    /// Something may look like a token and is none that is known.
    pub(crate) met_stranger: bool,
    /// Where the text that is still to be given out begins.
    pub(crate) end: usize,
}

/// Appends `text[range]` to `out` with its tokens turned back; originals are escaped for JSON `depth` times.
///
/// What stands before the range tells only how words begin. A whole token that reaches past its end is taken along.
/// In the strings of a text that is JSON itself they are escaped once more, unless they can stand in it as they are;
/// `enclosing` follows the text for that.
pub(crate) fn restore(
    tokens: &TokenIndex,
    text: &[u8],
    range: Range<usize>,
    depth: u8,
    enclosing: &mut Enclosing,
    out: &mut Vec<u8>,
) -> Restored {
    let (mut count, mut met_stranger) = (0, false);
    let breaks = tokens.may_break_strings();
    let mut read = range.start;
    let mut copied = range.start;
    let mut at = range.start;
    let separators = Separators::of(&text[at..]);
    while let Some(anchor) = separators.next(text, at) {
        match match_at(tokens, text, copied, anchor, depth).filter(|found| found.start < range.end) {
            Some(found) => {
                out.extend_from_slice(&text[copied..found.start]);
                if breaks {
                    enclosing.read(&text[read..found.start]);
                    read = found.start;
                }
                let is_broken = breaks && enclosing.is_in_string() && !stands_in_string(found.original);
                push_escaped(out, found.original, depth + u8::from(is_broken));
                copied = found.end;
                at = found.end;
                count += 1;
            }
            None => {
                met_stranger |= text[anchor] == b'_' && may_be_code(&text[anchor + 1..]);
                at = anchor + 1;
            }
        }
    }
    if copied < range.end {
        out.extend_from_slice(&text[copied..range.end]);
    }
    let end = copied.max(range.end);
    if breaks {
        enclosing.read(&text[read..end]);
    }
    Restored { count, met_stranger, end }
}

/// Finds what separators of tokens end with, or hold.
enum Separators {
    /// They are all spelled `_`.
    Underscores,
    /// The `5` of `\u005f` and `%5F` too.
    AnySpelling,
}

impl Separators {
    /// Texts shorter than this are not worth looking through for the rarer spellings first.
    const SHORT: usize = 64;

    fn of(text: &[u8]) -> Self {
        let is_plain = text.len() >= Self::SHORT
            && memchr::memchr(b'%', text).is_none()
            && memchr::memmem::find(text, b"u005").is_none();
        if is_plain { Self::Underscores } else { Self::AnySpelling }
    }

    fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let found = match self {
            Self::Underscores => memchr::memchr(b'_', &text[from..]),
            Self::AnySpelling => memchr::memchr2(b'_', b'5', &text[from..]),
        };
        found.map(|found| from + found)
    }
}

/// True when `text` begins with what the code of a token is made of, as far as it goes.
fn may_be_code(text: &[u8]) -> bool {
    text.iter().take(CODE_LEN).all(|&c| is_base32(c))
}

/// The token whose separator ends with the `_` at `anchor`, or holds the `5` there. It begins at `floor` or later.
#[inline]
fn match_at<'t>(tokens: &'t TokenIndex, text: &[u8], floor: usize, anchor: usize, depth: u8) -> Option<Match<'t>> {
    let code = if text[anchor] == b'_' { anchor + 1 } else { anchor + 2 };
    if !is_code_char(*text.get(code + CODE_LEN - 1)?) || !is_code_char(text[code]) {
        return None;
    }
    let (token, label_len, original) = tokens.by_code(&text[code..])?;
    let label = &token[..label_len];
    let end = code + token.len() - label_len - 1;
    // As nearly all are spelled; in an escape it takes a closer look.
    let plainly = anchor.checked_sub(label_len).filter(|&start| start >= floor && text[start..end] == *token);
    if let Some(start) = plainly.filter(|&start| !in_escape(text, start)) {
        return Some(Match { start, end, original });
    }
    let separator = separator_start(text, anchor)?;
    let start = separator.checked_sub(label.len()).filter(|&start| start >= floor)?;
    let spelled = &text[start..separator];
    let exact = spelled == label && !text[code..end].iter().any(u8::is_ascii_lowercase);
    // In plain text, what is spelled exactly is a token even where an escape seems to take its first letters: no text
    // says a known code by chance. In JSON half an escape would be left.
    let fits = if in_escape(text, start) {
        exact && depth == 0
    } else {
        exact || spelled.eq_ignore_ascii_case(label) && begins_word(text, start)
    };
    fits.then_some(Match { start, end, original })
}

/// Where the separator begins whose `_` or `5` is at `anchor`.
fn separator_start(text: &[u8], anchor: usize) -> Option<usize> {
    let letter = if text[anchor] == b'_' {
        anchor
    } else {
        if !matches!(text.get(anchor + 1), Some(b'f' | b'F')) {
            return None;
        }
        if anchor >= 1 && text[anchor - 1] == b'%' {
            return Some(anchor - 1);
        }
        // `u005f`, which means nothing without its backslash.
        let unicode = anchor.checked_sub(3).filter(|&u| matches!(&text[u..anchor], [b'u', b'0', b'0']))?;
        (unicode > 0 && text[unicode - 1] == b'\\').then_some(unicode)?
    };
    let floor = letter.saturating_sub(MAX_BACKSLASHES);
    Some((floor..letter).rev().find(|&i| text[i] != b'\\').map_or(floor, |i| i + 1))
}

fn begins_word(text: &[u8], start: usize) -> bool {
    match start.checked_sub(1).map(|before| text[before]) {
        Some(c) if c.is_ascii_alphanumeric() => crate::detect::follows_escape(text, start),
        _ => true,
    }
}

/// True when the letter at `at` belongs to an escape: the `n` of `\\n`, a digit of `\\u00ec`.
fn in_escape(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(5)..at];
    match before.iter().rposition(|&c| c == b'\\').map(|i| &before[i + 1..]) {
        Some([]) => matches!(text.get(at), Some(b'n' | b't' | b'r' | b'b' | b'f' | b'u')),
        Some([b'u', digits @ ..]) => digits.len() < 4 && digits.iter().chain(text.get(at)).all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

/// Where in `text`, at `floor` or later, the end begins that could be the beginning of a known token.
pub(crate) fn held_from(tokens: &TokenIndex, text: &[u8], floor: usize, depth: u8) -> usize {
    let floor = floor.max(text.len().saturating_sub(MAX_SPELLED));
    // Labels, separators and codes are of these; a word before the last is no beginning.
    let is_of_token = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'\\' | b'%');
    let word = text[floor..].iter().rposition(|c| !is_of_token(c)).map_or(floor, |before| floor + before + 1);
    (word..text.len())
        .find(|&start| tokens.may_begin(&text[start..]) && may_go_on(tokens, text, start, depth))
        .unwrap_or(text.len())
}

/// True when `text[start..]` is a proper prefix of a spelling of a known token.
fn may_go_on(tokens: &TokenIndex, text: &[u8], start: usize, depth: u8) -> bool {
    let rest = &text[start..];
    tokens.labels_from(rest[0]).any(|label| {
        let len = rest.len().min(label.len());
        if !rest[..len].eq_ignore_ascii_case(&label[..len]) {
            return false;
        }
        // What leaves before the held end has to be whole escapes: each fragment is a JSON string of its own.
        if depth > 0 && in_escape(text, start) {
            return false;
        }
        if rest[..len] != label[..len] && (!begins_word(text, start) || in_escape(text, start)) {
            return false;
        }
        match code_part(&rest[len..]) {
            _ if rest.len() <= label.len() => true,
            CodePart::SeparatorGoesOn => true,
            CodePart::Code(code) => code.iter().all(|&c| is_code_char(c)) && tokens.is_proper_prefix(label, code),
            CodePart::Nothing => false,
        }
    })
}

enum CodePart<'t> {
    /// The text ends inside the separator.
    SeparatorGoesOn,
    /// The text after the separator.
    Code(&'t [u8]),
    Nothing,
}

/// Splits what follows a label.
fn code_part(text: &[u8]) -> CodePart<'_> {
    let backslashes = text.iter().take_while(|&&c| c == b'\\').count();
    if backslashes > MAX_BACKSLASHES {
        return CodePart::Nothing;
    }
    let rest = &text[backslashes..];
    let spellings: &[&[u8]] = match backslashes {
        0 => &[b"_", b"%5f"],
        _ => &[b"_", b"u005f"],
    };
    for spelling in spellings {
        let len = rest.len().min(spelling.len());
        if rest[..len].eq_ignore_ascii_case(&spelling[..len]) {
            return if len < spelling.len() { CodePart::SeparatorGoesOn } else { CodePart::Code(&rest[len..]) };
        }
    }
    CodePart::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_is_cut_in_two() {
        let mut tokens = TokenIndex::default();
        assert!(tokens.learn(b"EC2_ABCDEFGH", b"i-1"));
        for text in [&br"\uACCE"[..], br"\u00EC", br"\\u00EC"] {
            assert_eq!(held_from(&tokens, text, 0, 1), text.len());
        }
        assert_eq!(held_from(&tokens, br"\uACCEEC", 0, 1), 6);
        // Plain text has no escapes.
        assert_eq!(held_from(&tokens, br"\uE", 0, 0), 2);
    }
}
