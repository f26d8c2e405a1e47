//! What stands between words of running text and the name or id that they announce: `bucket named acme-logs`,
//! `버킷 이름은 acme-logs`.

use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end};
use crate::marks::{BLOCK, not_letters};

/// What may stand between the words and a name: words of English and German, with a blank behind them.
const LINKS: &[&str] = &["named", "called", "name", "id", "ID", "is", "was", "heißt"];
/// Likewise: particles of Korean and Japanese, glued to what stands before them, and signs that are not of ASCII.
const PARTICLES: &[&str] = &[
    "이름은",
    "이름이",
    "이름",
    "명은",
    "명이",
    "명",
    "은",
    "는",
    "이",
    "가",
    "의",
    "인",
    "名は",
    "名が",
    "名",
    "は",
    "が",
    "の",
    "：",
    "「",
    "『",
    "【",
    "“",
    "‘",
    "„",
];
/// Longest name of a tag that text is set off with: `strong`.
const MAX_TAG: usize = 6;
/// Most of these in a row: `이름은: 「`.
const MAX_LINKS: usize = 4;
/// How many bytes on each side of the words say whether a name may stand there.
const SIDE: usize = BLOCK;

/// False for most words from `at` to `end`: what follows them, and what they follow, is the word of a sentence.
///
/// Of the sixteen bytes on each side all are looked at at once: where words end is what a processor cannot foretell.
pub(in crate::detect) fn may_be_named(text: &[u8], at: usize, end: usize) -> bool {
    let around = at.checked_sub(SIDE).and_then(|from| text.get(from..)?.first_chunk());
    match (around, behind(text, end)) {
        (Some(&before), Some(&behind)) => may_name_follow(behind) | may_name_stand_before(before),
        _ => true,
    }
}

/// False where what follows the words that end at `end` is the word of a sentence, and hence no id.
pub(in crate::detect) fn may_id_follow(text: &[u8], end: usize) -> bool {
    behind(text, end).is_none_or(|&behind| may_name_follow(behind))
}

/// What stands behind the words that end at `end`; where that is ` is`, as in most sentences, what stands behind it.
fn behind(text: &[u8], end: usize) -> Option<&[u8; SIDE]> {
    let rest = text.get(end..)?;
    let is_behind = rest.starts_with(b" is ");
    rest.get(if is_behind { b" is".len() } else { 0 }..)?.first_chunk()
}

fn is_sign(c: u8) -> bool {
    matches!(c, b'-' | b'_' | b'/' | b'.') || c.is_ascii_digit()
}

/// Whether words that go on like this have a name behind them: they do not where that is a word without a sign in it.
fn may_name_follow(behind: [u8; SIDE]) -> bool {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, ..] = behind;
    if first != b' ' {
        // The keys of JSON, `"role": ` and `\"user\":{`, have no name there.
        let is_key =
            is_quote(first) && !begins_name(second) || first == b'\\' && is_quote(second) && !begins_name(third);
        return MAY_FOLLOW[usize::from(first)] && !is_key || first == b',' && has_dash_near(&behind);
    }
    // A word that is longer may be one, and so may one with a capital in it.
    let stop = not_letters(behind).behind_first().first();
    // What ends a sentence is no sign.
    let is_end = (behind.get(stop) == Some(&b'.')) & behind.get(stop + 1).is_some_and(|&c| !is_alnum(c) & !is_sign(c));
    let sign = behind.get(stop).is_none_or(|&c| is_sign(c)) & !is_end | has_capital(behind, stop);
    let is_word = second.is_ascii_lowercase() & !is_link([second, third, fourth, fifth, sixth, seventh, eighth, ninth]);
    // Texts have many of these, or none.
    let is_other = !second.is_ascii() && !is_particle([second, third, fourth]);
    !is_other & (!is_word | sign)
}

/// Whether one of the letters from the third to `stop` is a capital.
fn has_capital(letters: [u8; SIDE], stop: usize) -> bool {
    let small = u128::from_le_bytes(letters) & (u128::MAX / 0xff * 0x20);
    let looked_at = (u128::MAX << 16) & !u128::MAX.unbounded_shl(u8::BITS * u32::try_from(stop).unwrap_or(0));
    looked_at & (u128::MAX / 0xff * 0x20) & !small != 0
}

/// What but a blank may stand right behind words that have a name behind them: links, quotes, the `s` of a plural.
static MAY_FOLLOW: [bool; 256] = {
    let mut may = [false; 256];
    let mut c = 0;
    while c < may.len() {
        may[c] = begins_link(c as u8) || is_quote(c as u8) || matches!(c as u8, b's' | b'\\' | b'*');
        c += 1;
    }
    may
};

/// Whether a name may be in apposition: its first dash is near.
pub(in crate::detect) fn has_dash_near(behind: &[u8]) -> bool {
    behind.iter().take(SIDE).any(|&c| c == b'-')
}

/// Likewise for what stands before them.
fn may_name_stand_before(before: [u8; SIDE]) -> bool {
    let [.., last, blank] = before;
    let sign = before.get(not_letters(before).before_last().last());
    let is_end = last.is_ascii_digit() | matches!(last, b'"' | b'\'' | b'`');
    let is_word = last.is_ascii_alphabetic() & sign.is_none_or(|&c| is_sign(c));
    (blank == b' ') & (is_end | is_word)
}

/// Whether a text begins with one of [`LINKS`].
fn is_link(text: [u8; 8]) -> bool {
    let text = u64::from_le_bytes(text);
    LINK_STARTS.iter().fold(false, |is_link, (link, mask)| is_link | (text & mask == *link))
}

static LINK_STARTS: [(u64, u64); LINKS.len()] = {
    let mut starts = [(0, 0); LINKS.len()];
    let mut i = 0;
    while i < LINKS.len() {
        let (link, mut k) = (LINKS[i].as_bytes(), 0);
        while k < link.len() {
            starts[i].0 |= (link[k] as u64) << (8 * k);
            starts[i].1 |= 0xff << (8 * k);
            k += 1;
        }
        i += 1;
    }
    starts
};

/// Whether one of [`PARTICLES`] begins with this syllable.
fn is_particle([first, second, third]: [u8; 3]) -> bool {
    let syllable = u32::from_le_bytes([first, second, third, 0]);
    PARTICLE_STARTS.iter().fold(false, |is_particle, start| is_particle | (*start == syllable))
}

/// In numbers, which are compared several at a time.
static PARTICLE_STARTS: [u32; PARTICLES.len()] = {
    let mut starts = [0; PARTICLES.len()];
    let mut i = 0;
    while i < PARTICLES.len() {
        let particle = PARTICLES[i].as_bytes();
        starts[i] = u32::from_le_bytes([particle[0], particle[1], particle[2], 0]);
        i += 1;
    }
    starts
};

/// Where the link ends that begins at `at`.
fn link_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let first = *rest.first()?;
    if matches!(first, b':' | b'|') {
        return Some(at + 1);
    }
    let is_here = |link: &&&str| {
        let link = link.as_bytes();
        let is_id = link.eq_ignore_ascii_case(b"id");
        let ends = |c: u8| !first.is_ascii() || c == b' ' || is_id && (c == b':' || !c.is_ascii());
        link[0] == first && rest.starts_with(link) && rest.get(link.len()).is_none_or(|&c| ends(c))
    };
    let (links, may_be) = match rest.first_chunk::<8>() {
        Some(&begin) if first.is_ascii() => (LINKS, is_link(begin)),
        Some(&[first, second, third, ..]) => (PARTICLES, is_particle([first, second, third])),
        None if first.is_ascii() => (LINKS, true),
        None => (PARTICLES, true),
    };
    // Few of the words that begin like one are.
    links.iter().filter(|_| may_be).find(is_here).map(|link| at + link.len())
}

/// Whether a link may begin with this byte.
const fn begins_link(c: u8) -> bool {
    matches!(c, b'n' | b'c' | b'h' | b'i' | b'I' | b'w' | b':' | b'|') || !c.is_ascii()
}

/// Past blanks, links and an opening quote; `None` where nothing stands in between, or the line ends.
pub(in crate::detect) fn past_links(text: &[u8], at: usize) -> Option<usize> {
    let mut end = run_end(text, at, 2, |c| c == b' ');
    for _ in 0..MAX_LINKS {
        if !text.get(end).is_some_and(|&c| begins_link(c)) {
            break;
        }
        let Some(link) = link_end(text, end) else { break };
        end = run_end(text, link, 2, |c| c == b' ');
    }
    // `bucket <tt>acme-logs</tt>`, `bucket {{acme-logs}}`
    if end > at && matches!(text.get(end), Some(b'<' | b'{')) {
        return past_markup(text, end);
    }
    // `the table (`orders_2023`)`
    let is_open = text.get(end) == Some(&b'(');
    let is_aside = is_open && end > at && text.get(end + 1).is_some_and(|&c| is_quote(c));
    // `사용자(kim.minsu)`
    let is_glued = is_open
        && end == at
        && at > 0
        && !text[at - 1].is_ascii()
        && text.get(end + 1).is_some_and(|&c| begins_name(c));
    if is_glued {
        return Some(end + 1);
    }
    let end = end + usize::from(is_aside);
    let slashes = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    let start = match text.get(slashes) {
        Some(&c) if is_quote(c) => slashes + 1,
        Some(b'*') => run_end(text, slashes, 2, |c| c == b'*'),
        _ => end,
    };
    (start > at && text.get(start).is_some_and(|&c| begins_name(c))).then_some(start)
}

/// Past the tag of HTML or the braces of Jira that a name stands in.
fn past_markup(text: &[u8], at: usize) -> Option<usize> {
    let start = match &text[at..] {
        [b'{', b'{', ..] => at + 2,
        [b'<', rest @ ..] => {
            let tag = rest.iter().take_while(|c| c.is_ascii_lowercase()).count();
            (tag > 0 && tag <= MAX_TAG && rest.get(tag) == Some(&b'>')).then_some(at + tag + 2)?
        }
        _ => return None,
    };
    text.get(start).is_some_and(|&c| begins_name(c)).then_some(start)
}

const fn is_quote(c: u8) -> bool {
    matches!(c, b'"' | b'\'' | b'`')
}

fn begins_name(c: u8) -> bool {
    is_alnum(c) || c == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_as_they_are_looked_for() {
        assert!(LINKS.iter().all(|link| begins_link(link.as_bytes()[0])));
        assert!(LINKS.iter().all(|link| is_link(std::array::from_fn(|i| *link.as_bytes().get(i).unwrap_or(&b' ')))));
    }

    #[test]
    fn sentences_have_no_names_beside_their_nouns() {
        let may = |text: &str| {
            let at = text.find("bucket").unwrap();
            may_be_named(text.as_bytes(), at, at + "bucket".len())
        };
        for text in [
            "we have looked into the bucket again and it is empty",
            "we have looked into the bucket. Then we went on with it",
            "we have looked into the bucket again. Then we went on",
            "we have looked into why the bucket is empty again today",
            "우리가 어제 확인한 bucket 서버가 느려진 원인을 확인해",
        ] {
            assert!(!may(text), "{text}");
        }
        for text in [
            "we have looked into the bucket acme-logs and it is empty",
            "we have looked into the bucket named logs and it is empty",
            "we have looked into the acme-logs bucket and it is empty",
            "we have looked into the \"logs\" bucket and it is empty",
            "우리가 어제 확인한 bucket 이름은 acme 그것이 느려진 원인",
            "the bucket acme",
            "we have looked into the bucket acmeLogs and it is empty",
            "we have looked into the bucket acme.logs and it is empty",
            "we have looked into it: the bucket is acme-logs, and empty",
            "we have looked into it: the bucket is called logs, and empty",
        ] {
            assert!(may(text), "{text}");
        }
    }
}
