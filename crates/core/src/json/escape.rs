//! Escapes of JSON strings.

use std::borrow::Cow;
use std::ops::Range;

/// Texts up to this length are not worth the call of a search.
const SHORT: usize = 64;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The highest bit of each byte below `limit`, of the first one at least, and perhaps of some after it.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH
}

/// Likewise of each byte that is `c`.
fn equal(word: u64, c: u8) -> u64 {
    below(word ^ (ONES * u64::from(c)), 1)
}

/// True when `in_word` is for eight bytes of `text`, or `is_one` for one of less than eight. Keys and what tokens stand for
/// are short, and are asked about at each of them.
#[inline(always)]
fn has_any(text: &[u8], in_word: impl Fn(u64) -> bool, is_one: impl Fn(u8) -> bool) -> bool {
    let in_word = |word: &[u8; 8]| in_word(u64::from_le_bytes(*word));
    match text.last_chunk() {
        // The last eight bytes overlap with those before.
        Some(last) => in_word(last) || text.as_chunks().0.iter().any(in_word),
        None => text.iter().any(|&c| is_one(c)),
    }
}

/// What the inside of a JSON string spells. Broken escapes stay as they are.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.len() <= SHORT && !has_any(raw, |word| equal(word, b'\\') != 0, |c| c == b'\\') {
        return Cow::Borrowed(raw);
    }
    let Some(first) = memchr::memchr(b'\\', raw) else { return Cow::Borrowed(raw) };
    let mut text = Vec::with_capacity(raw.len());
    text.extend_from_slice(&raw[..first]);
    let mut at = first;
    while let Some(&c) = raw.get(at) {
        if c != b'\\' {
            text.push(c);
            at += 1;
            continue;
        }
        let plain = match raw.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(&c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'u') => {
                if let Some((c, end)) = unicode(raw, at) {
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    at = end;
                    continue;
                }
                b'\\'
            }
            _ => b'\\',
        };
        text.push(plain);
        at += if plain == b'\\' && raw.get(at + 1) != Some(&b'\\') { 1 } else { 2 };
    }
    Cow::Owned(text)
}

/// The character of the `\u` escape at `at` (a pair where it is a surrogate), and the offset past it.
fn unicode(raw: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let high = unit(at)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, at + 6));
    }
    let low = unit(at + 6)?;
    let both = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    let c = char::from_u32(0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff)).filter(|_| both)?;
    Some((c, at + 12))
}

/// `span`, a stretch of the JSON string `string` (by its inside), with the escapes whole that it begins or ends in.
pub(crate) fn whole_escapes(raw: &[u8], span: &Range<usize>, string: &Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (span.start, span.end);
    if let Some(escape) = escape_around(raw, start, string) {
        start = escape.start;
    }
    if let Some(escape) = escape_around(raw, end, string) {
        end = escape.end;
    }
    start..end
}

/// The escape that begins before `at` and ends after it.
fn escape_around(raw: &[u8], at: usize, string: &Range<usize>) -> Option<Range<usize>> {
    // `\uXXXX` is the longest
    let first = at.saturating_sub(5).max(string.start);
    let backslash = last_backslash(raw, first, at)?;
    // Behind an odd number of backslashes this one is escaped itself.
    let before = raw[string.start..backslash].iter().rev().take_while(|&&c| c == b'\\').count();
    if before % 2 == 1 {
        return None;
    }
    let len = if raw.get(backslash + 1) == Some(&b'u') { 6 } else { 2 };
    let end = (backslash + len).min(string.end);
    (end > at).then_some(backslash..end)
}

/// Where the last backslash in `raw[first..at]` stands, which is shorter than eight bytes.
fn last_backslash(raw: &[u8], first: usize, at: usize) -> Option<usize> {
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let Some(&near) = raw[..at].last_chunk::<8>() else {
        return raw[first..at].iter().rposition(|&c| c == b'\\').map(|found| first + found);
    };
    let word = u64::from_le_bytes(near) ^ u64::from_le_bytes([b'\\'; 8]);
    // The highest bit of each byte that is 0.
    let found = !((word & LOW_BITS).wrapping_add(LOW_BITS) | word | LOW_BITS);
    let behind = usize::try_from(found.leading_zeros() / 8).ok().filter(|&behind| behind < 8)?;
    Some(at - 1 - behind).filter(|&backslash| backslash >= first)
}

/// True when a quote, a backslash or a control character is in `text`.
pub(super) fn needs_escapes(text: &[u8]) -> bool {
    has_any(
        text,
        |word| below(word, 0x20) | equal(word, b'"') | equal(word, b'\\') != 0,
        |c| c == b'"' || c == b'\\' || c < 0x20,
    )
}

/// Appends `text`, escaped for the inside of a JSON string `depth` times over.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8], depth: u8) {
    if depth == 0 || !needs_escapes(text) {
        out.extend_from_slice(text);
        return;
    }
    let mut once = Vec::with_capacity(text.len() + 16);
    for &c in text {
        match c {
            b'"' | b'\\' => once.extend_from_slice(&[b'\\', c]),
            b'\n' => once.extend_from_slice(b"\\n"),
            b'\r' => once.extend_from_slice(b"\\r"),
            b'\t' => once.extend_from_slice(b"\\t"),
            8 => once.extend_from_slice(b"\\b"),
            12 => once.extend_from_slice(b"\\f"),
            c if c < 0x20 => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                once.extend_from_slice(b"\\u00");
                once.push(DIGITS[usize::from(c >> 4)]);
                once.push(DIGITS[usize::from(c & 15)]);
            }
            c => once.push(c),
        }
    }
    push_escaped(out, &once, depth - 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_escape_is_taken_apart() {
        let raw = br#""a\n\\b\u00e9c\"d""#;
        let string = 1..raw.len() - 1;
        let whole = |start, end| whole_escapes(raw, &(start..end), &string);
        assert_eq!(whole(1, 3), 1..4);
        assert_eq!(whole(3, 4), 2..4);
        assert_eq!(whole(2, 4), 2..4);
        assert_eq!(whole(5, 6), 4..6);
        assert_eq!(whole(6, 7), 6..7);
        assert_eq!(whole(6, 9), 6..13);
        assert_eq!(whole(10, 12), 7..13);
        assert_eq!(whole(13, 15), 13..16);
        assert_eq!(whole(16, 17), 16..17);
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescape(br#"a\n\"\\\/\u0041\ud83d\ude00\uac00"#).as_ref(), "a\n\"\\/A😀가".as_bytes());
        assert_eq!(unescape(br"\q\ud800x\u12").as_ref(), br"\q\ud800x\u12");
    }

    proptest! {
        #[test]
        fn the_last_backslash_near(
            raw in prop::collection::vec(prop::sample::select(b"\\\\a\x5d\xdc\x00\xff".as_slice()), 0..20),
            len in 0usize..8,
            cut in 0usize..20,
        ) {
            let at = raw.len().saturating_sub(cut);
            let first = at.saturating_sub(len);
            let plainly = (first..at).rev().find(|&i| raw[i] == b'\\');
            prop_assert_eq!(last_backslash(&raw, first, at), plainly);
        }

        #[test]
        fn what_needs_escapes(text in prop::collection::vec(
            prop_oneof![8 => any::<u8>(), 40 => Just(b'a'), 4 => prop::sample::select(b"!#[]\x1f\x20\x21\x9f\xa2\xdc".as_slice())],
            0..40,
        )) {
            prop_assert_eq!(needs_escapes(&text), text.iter().any(|&c| c == b'"' || c == b'\\' || c < 0x20));
        }

        #[test]
        fn escaping_agrees_with_serde(text in any::<String>()) {
            let mut once = Vec::new();
            push_escaped(&mut once, text.as_bytes(), 1);
            let quoted = [b"\"", once.as_slice(), b"\""].concat();
            let expected: String = serde_json::from_slice(&quoted).unwrap();
            prop_assert_eq!(&expected, &text);
            let unescaped = unescape(&once);
            prop_assert_eq!(unescaped.as_ref(), text.as_bytes());
            let mut twice = Vec::new();
            push_escaped(&mut twice, text.as_bytes(), 2);
            let inner = unescape(&twice);
            let plain = unescape(&inner);
            prop_assert_eq!(plain.as_ref(), text.as_bytes());
        }
    }
}
