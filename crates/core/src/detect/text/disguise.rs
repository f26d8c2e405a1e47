//! Identifiers as they come out of documents, chats and input methods: with characters inside that nobody sees, with
//! another hyphen, in letters and digits of full width.

use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::view::View;
use crate::detect::{Detector, Hits};

/// What these characters begin with in UTF-8.
const LEADS: [u8; 3] = [0xc2, 0xe2, 0xef];
/// How far before and behind a character an identifier and what announces it may stand, bytes.
const REACH: usize = 512;
/// How much of a stretch is looked at once more with the next one: what stands at its end may go on behind it.
const LONGEST: usize = 128;
/// Most invisible characters beside each other.
const MAX_INVISIBLE: usize = 4;
/// Fewest letters and digits behind a dash that make it the hyphen of an id, where the dash may be one of prose.
const MIN_BODY: usize = 8;
/// Fewest characters of full width that are looked at, where none beside them has the usual one.
const MIN_WIDE: usize = 8;

/// What a character stands for inside an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Disguise {
    /// Nothing: it has no width.
    Invisible,
    /// A hyphen; prose has none such.
    Hyphen,
    /// A dash of prose, or a hyphen.
    Dash,
    /// The ASCII character of usual width.
    Wide(u8),
}

impl Detector {
    /// Adds what shows in the lines with such characters once they are the usual ones. Nothing that was found in the text
    /// as it stands is given up for it: what nobody sees may also stand between two ids.
    pub(in crate::detect) fn scan_disguised(&self, text: &[u8], hits: &mut Hits) {
        let mut last = 0;
        for at in memchr::memchr3_iter(LEADS[0], LEADS[1], LEADS[2], text) {
            if at + LONGEST < last || plain(text, at).is_none() {
                continue;
            }
            let start = run_start(text, at, REACH, |c| c != b'\n');
            let end = run_end(text, at, REACH, |c| c != b'\n');
            self.scan_decoded(&View::decoded(&text[start..end], plain), &(start..end), hits);
            last = end;
        }
    }
}

/// What the character at `at` stands for, if it stands inside an identifier, and where it ends.
fn plain(text: &[u8], at: usize) -> Option<(Option<u8>, usize)> {
    if !LEADS.contains(&text[at]) {
        return None;
    }
    let (found, len) = disguise(&text[at..])?;
    let end = at + len;
    let is_plain = |found| match found {
        Disguise::Invisible => before(text, at).is_some() && behind(text, end).is_some(),
        Disguise::Hyphen => before(text, at).is_some_and(is_alnum) && behind(text, end).is_some_and(is_alnum),
        Disguise::Dash => {
            let body = text.get(end..end + MIN_BODY).unwrap_or_default();
            let is_body = body.len() == MIN_BODY && body.iter().all(|&c| is_alnum(c));
            is_body && body.iter().any(u8::is_ascii_digit) && before(text, at).is_some_and(is_alnum)
        }
        Disguise::Wide(_) => {
            let wide = |at: &usize| matches!(text.get(*at..).and_then(disguise), Some((Disguise::Wide(_), _)));
            let ahead = (end..).step_by(len).take(MIN_WIDE).take_while(wide).count();
            let back = (1..=MIN_WIDE).map_while(|i| at.checked_sub(len * i)).take_while(wide).count();
            let beside = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|&c| is_alnum(c) || c == b'-');
            1 + ahead + back >= MIN_WIDE || beside(Some(end + len * ahead)) || beside((at - len * back).checked_sub(1))
        }
    };
    is_plain(found).then_some((found.plain(), end))
}

/// The visible ASCII character before `at`, whatever it is spelled like.
fn before(text: &[u8], mut at: usize) -> Option<u8> {
    for _ in 0..MAX_INVISIBLE {
        let last = *text[..at].last()?;
        if last.is_ascii() {
            return last.is_ascii_graphic().then_some(last);
        }
        let (start, found) = [2, 3].into_iter().find_map(|len| {
            let start = at.checked_sub(len)?;
            disguise(&text[start..]).filter(|&(_, found)| found == len).map(|(found, _)| (start, found))
        })?;
        match found.plain() {
            Some(c) => return Some(c),
            None => at = start,
        }
    }
    None
}

/// The visible ASCII character at `at`, whatever it is spelled like.
fn behind(text: &[u8], mut at: usize) -> Option<u8> {
    for _ in 0..MAX_INVISIBLE {
        let first = *text.get(at)?;
        if first.is_ascii() {
            return first.is_ascii_graphic().then_some(first);
        }
        let (found, len) = disguise(&text[at..])?;
        match found.plain() {
            Some(c) => return Some(c),
            None => at += len,
        }
    }
    None
}

impl Disguise {
    /// The character that it stands for, if any.
    fn plain(self) -> Option<u8> {
        match self {
            Self::Invisible => None,
            Self::Hyphen | Self::Dash => Some(b'-'),
            Self::Wide(c) => Some(c),
        }
    }
}

/// The character that `text` begins with, and its length.
fn disguise(text: &[u8]) -> Option<(Disguise, usize)> {
    Some(match *text {
        [0xc2, 0xad, ..] => (Disguise::Invisible, 2),
        // U+200B to U+200D, U+2060, U+FEFF
        [0xe2, 0x80, 0x8b..=0x8d, ..] | [0xe2, 0x81, 0xa0, ..] | [0xef, 0xbb, 0xbf, ..] => (Disguise::Invisible, 3),
        // U+2010, U+2011
        [0xe2, 0x80, 0x90 | 0x91, ..] => (Disguise::Hyphen, 3),
        // U+2012 to U+2015, U+2212
        [0xe2, 0x80, 0x92..=0x95, ..] | [0xe2, 0x88, 0x92, ..] => (Disguise::Dash, 3),
        // U+FF01 to U+FF5E are ASCII from `!` on.
        [0xef, 0xbc, c @ 0x81..=0xbf, ..] => (wide(c - 0x60)?, 3),
        [0xef, 0xbd, c @ 0x80..=0x9e, ..] => (wide(c - 0x20)?, 3),
        _ => return None,
    })
}

/// What identifiers are made of.
fn wide(c: u8) -> Option<Disguise> {
    (is_alnum(c) || matches!(c, b'-' | b'.' | b'/' | b':' | b'_')).then_some(Disguise::Wide(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::found;

    const PLAIN: &[&str] = &["i-0f3a9c27be41d8056", "vpc-04d1c7e92ab86f035", "AKIAIOSFODNN7ABCDEFG", "acme-prod-logs2"];

    fn text_of(id: &str) -> String {
        format!("aws s3api x --bucket {id}, 계정")
    }

    /// The id is found in this spelling as it is in the plain one.
    fn assert_found(id: &str, spelled: &str) {
        let plain = text_of(id);
        let plain = found(&plain);
        let text = text_of(spelled);
        let parts = found(&text);
        assert!(plain.iter().any(|(_, part)| *part == id), "{id}");
        assert_eq!(parts.len(), plain.len(), "{text}");
        assert!(parts.iter().any(|(_, part)| *part == spelled), "{text}: {parts:?}");
        let json: Vec<u16> = text.encode_utf16().collect();
        let escaped: String = json
            .iter()
            .map(|&unit| {
                char::from_u32(unit.into()).filter(char::is_ascii).map_or(format!("\\u{unit:04x}"), String::from)
            })
            .collect();
        assert_eq!(found(&format!("\"{escaped}\"")).len(), plain.len(), "{escaped}");
    }

    #[test]
    fn invisible_characters_inside_of_identifiers() {
        for id in PLAIN {
            for c in ["\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}", "\u{ad}", "\u{200b}\u{ad}"] {
                for at in 1..id.len() {
                    let (first, last) = id.split_at(at);
                    assert_found(id, &format!("{first}{c}{last}"));
                }
            }
        }
    }

    #[test]
    fn identifiers_anywhere_in_a_long_line() {
        for shift in REACH - 24..REACH + 8 {
            let text = format!("a\u{ad}b {} vpc-04d1c7\u{200b}e92ab86f035", "x ".repeat(shift / 2));
            let parts: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(parts, ["vpc-04d1c7\u{200b}e92ab86f035"], "{text}");
        }
    }

    #[test]
    fn other_hyphens() {
        for c in ["\u{2010}", "\u{2011}"] {
            for id in ["i-0f3a9c27be41d8056", "vpc-04d1c7e92ab86f035", "acme-prod-logs2"] {
                assert_found(id, &id.replace('-', c));
            }
        }
        for c in ["\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}"] {
            assert_found("vpc-04d1c7e92ab86f035", &format!("vpc{c}04d1c7e92ab86f035"));
        }
    }

    #[test]
    fn full_width() {
        for id in PLAIN {
            let wide = |c: char| char::from_u32(u32::from(c) - 0x21 + 0xff01).unwrap();
            assert_found(id, &id.chars().map(wide).collect::<String>());
            let (first, last) = id.split_at(4);
            assert_found(id, &format!("{first}{}", last.chars().map(wide).collect::<String>()));
        }
        assert_eq!(found("계정 ６１８７３４２０９９５５"), [("account-id".to_owned(), "６１８７３４２０９９５５")]);
    }

    #[test]
    fn what_stands_between_ids_stays_between_them() {
        for c in ["\u{200b}", "\u{ad}", "\u{2011}", "\u{2014}"] {
            let text = format!("i-0f3a9c27be41d8056{c}vpc-04d1c7e92ab86f035{c}is new");
            let parts: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(parts, ["i-0f3a9c27be41d8056", "vpc-04d1c7e92ab86f035"], "{text}");
        }
    }

    #[test]
    fn dashes_and_wide_letters_of_prose_stay() {
        for text in [
            "a word—and another one",
            "pages 12–34",
            "2019–2020",
            "５月１２日",
            "ＡＷＳ、ＥＣ２",
            "a\u{200b} b",
            "x − y",
            "\u{feff}text",
            "state–of–the–art",
            "१\u{200d}२",
        ] {
            assert!((0..text.len()).all(|at| plain(text.as_bytes(), at).is_none()), "{text}");
        }
    }
}
