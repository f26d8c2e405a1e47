//! Identifiers as they come out of documents, chats and input methods: with characters inside that nobody sees, with
//! another hyphen, in letters and digits of full width.

use super::boundary::is_alnum;

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

/// True where the text has something that [`plain`] says more about.
pub(super) fn is_disguised(text: &[u8]) -> bool {
    leads(text).any(|at| plain(text, at, text[..at].last().copied().unwrap_or(b' ')).is_some())
}

/// Where characters begin that may be such.
pub(super) fn leads(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr3_iter(0xe2, 0xef, 0xc2, text)
}

/// What the character at `at` stands for, if it stands inside an identifier, and where it ends; `before` is the byte
/// before it, or what that stands for.
pub(super) fn plain(text: &[u8], at: usize, before: u8) -> Option<(Option<u8>, usize)> {
    let (found, len) = disguise(&text[at..])?;
    let end = at + len;
    let joins = |c: u8| is_alnum(c) || c == b'-';
    let next = || text.get(end).is_some_and(|&c| joins(c));
    match found {
        Disguise::Invisible => {
            let mut behind = end;
            while let Some((Disguise::Invisible, len)) = disguise(&text[behind..]) {
                behind += len;
            }
            let follows = text.get(behind).is_some_and(|&c| joins(c)) || disguise(&text[behind..]).is_some();
            (joins(before) && follows).then_some((None, end))
        }
        Disguise::Hyphen => (is_alnum(before) && next()).then_some((Some(b'-'), end)),
        Disguise::Dash => {
            let body = text.get(end..end + MIN_BODY).unwrap_or_default();
            let is_id =
                body.len() == MIN_BODY && body.iter().all(|&c| is_alnum(c)) && body.iter().any(u8::is_ascii_digit);
            (is_alnum(before) && is_id).then_some((Some(b'-'), end))
        }
        Disguise::Wide(c) => {
            let wide = |at: &usize| matches!(text.get(*at..).and_then(disguise), Some((Disguise::Wide(_), _)));
            let ahead = (end..).step_by(3).take(MIN_WIDE).take_while(wide).count();
            let behind = (1..=MIN_WIDE).map_while(|i| at.checked_sub(3 * i)).take_while(wide).count();
            let is_run = 1 + ahead + behind >= MIN_WIDE;
            let beside = |at: Option<&u8>| at.is_some_and(|&c| joins(c));
            let touches = beside(text.get(end + 3 * ahead))
                || beside((at - 3 * behind).checked_sub(1).and_then(|at| text.get(at)));
            (is_run || touches).then_some((Some(c), end))
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

    const PLAIN: &[&str] = &["i-0f3a9c27be41d8056", "vpc-04d1c7e92ab86f035", "AKIAIOSFODNN7ABCDEFG", "acme-prod.logs2"];

    fn text_of(id: &str) -> String {
        format!("s3://acme-prod.logs2 {id}, 계정")
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
                    if !matches!(id.as_bytes()[at - 1], b'.') && !matches!(id.as_bytes()[at], b'.') {
                        assert_found(id, &format!("{}{c}{}", &id[..at], &id[at..]));
                    }
                }
            }
        }
    }

    #[test]
    fn other_hyphens() {
        for c in ["\u{2010}", "\u{2011}"] {
            for id in ["i-0f3a9c27be41d8056", "vpc-04d1c7e92ab86f035", "acme-prod.logs2"] {
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
            assert!(!is_disguised(text.as_bytes()), "{text}");
        }
    }
}
