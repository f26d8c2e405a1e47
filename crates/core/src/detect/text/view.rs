//! Text with the escapes resolved that could hide an identifier, and without what tools print before its lines.

use std::borrow::Cow;
use std::ops::Range;

use once_cell::sync::OnceCell;

use crate::detect::scan::sieve::{Class, Lanes, Row, Sieve};
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};
use crate::detect::text::gutter::{self, Cut};

/// A text with its escapes as plain characters, with the way back to the bytes as they were given.
///
/// Nearly every text has no `\/` and `\uXXXX`, and is borrowed. Quotes, backslashes and control characters stay escaped, so
/// that the structure of JSON inside the text does not change. An even number of backslashes is JSON inside JSON.
pub(in crate::detect) struct View<'t> {
    raw_len: usize,
    text: Cow<'t, [u8]>,
    /// In order.
    escapes: Vec<Escape>,
    /// Where in raw something stands that the text has once, and where it was left out.
    repeats: Vec<(Range<usize>, usize)>,
}

/// A resolved escape: where it stands in the text, and in raw.
struct Escape {
    text: Range<usize>,
    raw: Range<usize>,
}

impl<'t> View<'t> {
    /// The text as it is.
    pub(in crate::detect) fn plain(raw: &'t [u8]) -> Self {
        Self { raw_len: raw.len(), text: Cow::Borrowed(raw), escapes: Vec::new(), repeats: Vec::new() }
    }

    /// The text with all escapes resolved, without what stands before its lines.
    pub(in crate::detect) fn resolved(lanes: Lanes, raw: &'t [u8]) -> Self {
        let mut view = Self::plain(raw);
        view.resolve(lanes, raw);
        let cuts = gutter::cuts(lanes, &view.text);
        if cuts.is_empty() { view } else { view.without(cuts) }
    }

    /// The text with the characters instead of their codes; `code` gives both the character, if any, that the code at an
    /// offset stands for and where it ends.
    pub(in crate::detect) fn decoded(
        raw: &'t [u8],
        code: impl Fn(&[u8], usize) -> Option<(Option<u8>, usize)>,
    ) -> Self {
        let mut text = Vec::with_capacity(raw.len());
        let mut escapes = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            match code(raw, at) {
                Some((plain, end)) => {
                    let from = text.len();
                    text.extend(plain);
                    escapes.push(Escape { text: from..text.len(), raw: at..end });
                    at = end;
                }
                None => {
                    text.push(raw[at]);
                    at += 1;
                }
            }
        }
        Self { raw_len: raw.len(), text: Cow::Owned(text), escapes, repeats: Vec::new() }
    }

    fn resolve(&mut self, lanes: Lanes, raw: &[u8]) {
        let mut text = Vec::with_capacity(raw.len());
        let mut copied = 0;
        sieve().each(lanes, raw, |last| {
            if raw[last] != b'\\' {
                return last + 1;
            }
            let Some((plain, end)) = resolved(raw, last + 1) else { return last + 1 };
            let first = run_start(raw, last, last - copied, |c| c == b'\\');
            // After an escaped backslash the escape is of this level, and the backslash stays.
            let start = if (last - first).is_multiple_of(2) { last } else { first };
            text.extend_from_slice(&raw[copied..start]);
            let from = text.len();
            text.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
            self.escapes.push(Escape { text: from..text.len(), raw: start..end });
            copied = end;
            end
        });
        if !self.escapes.is_empty() {
            text.extend_from_slice(&raw[copied..]);
            self.text = Cow::Owned(text);
        }
    }

    /// The view without these stretches of its text, which are in order.
    fn without(self, cuts: Vec<Cut>) -> Self {
        let mut text = Vec::with_capacity(self.text.len());
        let mut escapes = Vec::with_capacity(self.escapes.len() + cuts.len());
        let (mut copied, mut known) = (0, self.escapes.iter().peekable());
        let end = Cut { range: self.text.len()..self.text.len(), put: Vec::new(), known_at: None };
        let mut repeats = Vec::new();
        for Cut { range, put, known_at } in cuts.into_iter().chain([end]) {
            if let Some(known) = known_at {
                let raw = |start: usize| self.raw_start(start)..self.raw_end(start + known.len());
                let (first, again) = (raw(known.start), raw(range.start));
                // Spelled otherwise it stays as it is.
                if first.len() != known.len() || again.len() != known.len() {
                    continue;
                }
                repeats.push((first, again.start));
            }
            let place = |at: usize| text.len() + (at - copied);
            while let Some(escape) = known.next_if(|escape| escape.text.end <= range.start) {
                escapes
                    .push(Escape { text: place(escape.text.start)..place(escape.text.end), raw: escape.raw.clone() });
            }
            while known.next_if(|escape| escape.text.start < range.end).is_some() {}
            text.extend_from_slice(&self.text[copied..range.start]);
            if !range.is_empty() {
                let raw = self.raw_start(range.start)..self.raw_end(range.end);
                escapes.push(Escape { text: text.len()..text.len() + put.len(), raw });
            }
            text.extend(put);
            copied = range.end;
        }
        Self { raw_len: self.raw_len, text: Cow::Owned(text), escapes, repeats }
    }

    pub(in crate::detect) fn has_repeats(&self) -> bool {
        !self.repeats.is_empty()
    }

    /// For what stands in `spans`, in order, where the same was left out of the text: the index of each, and where it stands
    /// there.
    pub(in crate::detect) fn repeated<'s>(
        &'s self,
        spans: &'s [Range<usize>],
    ) -> impl Iterator<Item = (usize, Range<usize>)> + 's {
        self.repeats.iter().flat_map(move |(first, again)| {
            let from = spans.partition_point(|span| span.end <= first.start);
            let over = spans[from..].iter().take_while(|span| span.start < first.end).enumerate();
            over.map(move |(i, span)| {
                // Of what goes on outside, the part that is there.
                let (start, end) = (span.start.max(first.start), span.end.min(first.end));
                let at = again + (start - first.start);
                (from + i, at..at + (end - start))
            })
        })
    }

    pub(in crate::detect) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Raw offset of the character at `at`: the first byte of its escape.
    pub(in crate::detect) fn raw_start(&self, at: usize) -> usize {
        let before = self.escapes.partition_point(|e| e.text.start <= at).checked_sub(1);
        let raw = match before.map(|i| &self.escapes[i]) {
            Some(escape) if at < escape.text.end => escape.raw.start,
            Some(escape) => escape.raw.end + (at - escape.text.end),
            None => at,
        };
        raw.min(self.raw_len)
    }

    /// Raw offset past the character before `at`.
    pub(in crate::detect) fn raw_end(&self, at: usize) -> usize {
        let before = self.escapes.partition_point(|e| e.text.start < at).checked_sub(1);
        let raw = match before.map(|i| &self.escapes[i]) {
            Some(escape) => escape.raw.end + at.saturating_sub(escape.text.end),
            None => at,
        };
        raw.min(self.raw_len)
    }
}

/// The sieve that lets these through alone.
pub(in crate::detect) fn sieve() -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| Sieve::new(rows()))
}

/// What must stand around the last backslash of an escape that a view resolves.
pub(in crate::detect) fn rows() -> Vec<Row> {
    let backslash = || Row::at(b"\\");
    vec![
        backslash().next(Class::bytes(b"u")).second(Class::of(|c| c.is_ascii_hexdigit())),
        // `\/`, and `10\.24\.7\.5` of a regular expression.
        backslash().next(Class::bytes(b"/.")),
    ]
}

/// True when a backslash at `at`, the last of its run, begins an escape that a view resolves.
pub(in crate::detect) fn spells_plain(raw: &[u8], at: usize) -> bool {
    resolved(raw, at + 1).is_some()
}

/// The character that the escape spells whose letter stands at `at`, and the offset past it.
fn resolved(raw: &[u8], at: usize) -> Option<(char, usize)> {
    match raw.get(at) {
        Some(b'/') => return Some(('/', at + 1)),
        Some(b'.') => {
            let is_digit = |at: usize| raw.get(at).is_some_and(u8::is_ascii_digit);
            let before = run_start(raw, at, MAX_BACKSLASHES, |c| c == b'\\').checked_sub(1)?;
            return (is_digit(before) && is_digit(at + 1)).then_some(('.', at + 1));
        }
        _ => {}
    }
    let value = unit(raw, at)?;
    if (0xd800..0xdc00).contains(&value)
        && let Some(pair) = second_unit(raw, at).and_then(|(low, end)| Some((paired(value, low)?, end)))
    {
        return Some(pair);
    }
    // Half of a pair: nothing that an identifier could be made of.
    let plain = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    (plain >= ' ' && plain != '"' && plain != '\\' && plain != '\x7f').then_some((plain, at + 5))
}

/// What the four digits behind the `u` at `at` spell.
fn unit(raw: &[u8], at: usize) -> Option<u32> {
    let digits = raw.get(at..at + 5)?.strip_prefix(b"u")?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

/// The escape right behind the one whose `u` stands at `at`, if as many backslashes announce it; and where it ends.
fn second_unit(raw: &[u8], at: usize) -> Option<(u32, usize)> {
    let before = at - run_start(raw, at, MAX_BACKSLASHES, |c| c == b'\\');
    // An odd one out announces the first, behind escaped backslashes.
    let announcing = if before.is_multiple_of(2) { before } else { 1 };
    let second = run_end(raw, at + 5, MAX_BACKSLASHES, |c| c == b'\\');
    (second - (at + 5) == announcing).then_some(())?;
    Some((unit(raw, second)?, second + 5))
}

/// The character outside of the first plane that two halves make.
fn paired(high: u32, low: u32) -> Option<char> {
    let low = low.checked_sub(0xdc00).filter(|&low| low < 0x400)?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10 | low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::found;

    #[test]
    fn plain_text_is_borrowed() {
        let raw = b"a\\n\\user";
        assert!(!(0..raw.len()).any(|at| raw[at] == b'\\' && spells_plain(raw, at)));
        let view = View::resolved(Lanes::best(), raw);
        assert!(matches!(view.text, Cow::Borrowed(_)));
        assert_eq!((view.raw_start(3), view.raw_end(3)), (3, 3));
    }

    #[test]
    fn pairs_are_one_character() {
        for (raw, plain) in [
            (r"x\ud83d\ude00y", "x\u{1f600}y"),
            (r"x\\uD83D\\uDE00y", "x\u{1f600}y"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\\ude00", "\u{fffd}\u{fffd}"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\ude0", "\u{fffd}\\ude0"),
        ] {
            let view = View::resolved(Lanes::best(), raw.as_bytes());
            assert_eq!(String::from_utf8_lossy(view.text()), plain, "{raw}");
            assert_eq!(view.raw_end(view.text().len()), raw.len(), "{raw}");
        }
    }

    #[test]
    fn escapes_are_resolved_and_offsets_go_back() {
        let raw = br"x\u0069-0\/1\\u002dz";
        let view = View::resolved(Lanes::best(), raw);
        assert_eq!(view.text(), b"xi-0/1-z");
        assert_eq!(view.raw_start(1), 1);
        assert_eq!(view.raw_end(2), 7);
        assert_eq!(&raw[view.raw_start(4)..view.raw_end(5)], br"\/");
        assert_eq!(&raw[view.raw_start(6)..view.raw_end(7)], br"\\u002d");
        assert_eq!(view.raw_end(8), raw.len());
    }

    #[test]
    fn offsets_go_back_past_what_stands_before_lines() {
        let raw = br"1\u2192a\u002db\n2\u2192cd";
        let view = View::resolved(Lanes::best(), raw);
        assert_eq!(view.text(), br"a-b\ncd");
        assert_eq!(&raw[view.raw_start(0)..view.raw_end(3)], br"a\u002db");
        assert_eq!(&raw[view.raw_start(5)..view.raw_end(7)], b"cd");
        assert_eq!(view.raw_end(5), br"1\u2192a\u002db\n".len());
    }

    #[test]
    fn letters_of_every_script_are_resolved() {
        let raw = br"\uacc4\uC815 1\ud83d\ude002";
        let view = View::resolved(Lanes::best(), raw);
        assert_eq!(view.text(), "계정 1\u{1f600}2".as_bytes());
        assert_eq!((view.raw_start(7), view.raw_end(8)), (13, 14));
        // no offset leads into the middle of an escape
        assert_eq!((view.raw_start(1), view.raw_end(1)), (0, 6));
        assert_eq!((view.raw_start(4), view.raw_end(4)), (6, 12));
        assert_eq!(view.raw_start(view.text().len() - 1), raw.len() - 1);
    }

    #[test]
    fn an_escaped_backslash_stays_before_an_escape() {
        let raw = br"a\\\u006e\\\\u002d";
        let view = View::resolved(Lanes::best(), raw);
        assert_eq!(view.text(), br"a\\n-");
        assert_eq!((view.raw_start(3), view.raw_end(4)), (3, 9));
    }

    #[test]
    fn addresses_in_regular_expressions() {
        assert_eq!(found(r#"re.match(r"10\.24\.7\.5", ip)"#), [("ip:v4".to_owned(), r"10\.24\.7\.5")]);
        assert_eq!(View::resolved(Lanes::best(), br"1\.\d 1\.a a\.1 1\\.2").text(), br"1\.\d 1\.a a\.1 1.2");
    }

    #[test]
    fn quotes_and_backslashes_stay() {
        assert_eq!(View::resolved(Lanes::best(), br"\u0022\u005c\u002f").text(), br"\u0022\u005c/");
    }
}
