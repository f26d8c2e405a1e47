//! Finding many literal names in a text, where they stand alone.

use std::ops::Range;

use hashbrown::HashMap;

use super::boundary::{follows_escape, is_alnum};
use super::sieve::{Lanes, Sieve};
use crate::catalog::KindId;

/// Names shorter than this are not looked for.
pub(super) const MIN_NAME_LEN: usize = 4;

/// A set of names to look for. Making it costs less than a microsecond for a dozen; an automaton would cost a hundred.
pub(super) struct Names<'t> {
    kinds: HashMap<&'t [u8], KindId>,
    /// The lengths of the names that begin with these bytes, longest first.
    lengths: HashMap<[u8; MIN_NAME_LEN], Vec<usize>>,
    sieve: Sieve,
}

impl<'t> Names<'t> {
    /// Takes names of at least [`MIN_NAME_LEN`] bytes; leaves out shorter ones.
    pub(super) fn new(kinds: HashMap<&'t [u8], KindId>) -> Self {
        let mut names: Vec<&[u8]> = kinds.keys().copied().filter(|name| name.len() >= MIN_NAME_LEN).collect();
        names.sort_unstable();
        let mut lengths: HashMap<[u8; MIN_NAME_LEN], Vec<usize>> = HashMap::new();
        for name in &names {
            if let Some(start) = name.first_chunk() {
                lengths.entry(*start).or_default().push(name.len());
            }
        }
        for lengths in lengths.values_mut() {
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
        }
        Self { kinds, lengths, sieve: Sieve::of_literals(&names) }
    }

    /// Calls `found` with each mention in order: the longest name that begins there, none inside another.
    pub(super) fn each(&self, lanes: Lanes, text: &[u8], mut found: impl FnMut(KindId, Range<usize>)) {
        self.sieve.each(lanes, text, |at| {
            let Some(start) = text[at..].first_chunk::<MIN_NAME_LEN>() else { return at + 1 };
            if !begins(text, at) {
                return at + 1;
            }
            for len in self.lengths.get(start).into_iter().flatten() {
                let end = at + len;
                if ends(text, end)
                    && let Some(&kind) = text.get(at..end).and_then(|name| self.kinds.get(name))
                {
                    found(kind, at..end);
                    return end;
                }
            }
            at + 1
        });
    }
}

/// A letter or a digit beside a name makes it part of another word. A dash does not: what is called after a thing,
/// `acme-db-backup`, would tell its name.
fn joins(c: u8) -> bool {
    is_alnum(c)
}

fn begins(text: &[u8], at: usize) -> bool {
    at == 0 || !joins(text[at - 1]) || follows_escape(text, at)
}

fn ends(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|&c| !joins(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mentions(names: &[&[u8]], lanes: Lanes, text: &[u8]) -> Vec<Range<usize>> {
        let kinds = names.iter().enumerate().map(|(i, name)| (*name, KindId::from_index(i))).collect();
        let mut all = Vec::new();
        Names::new(kinds).each(lanes, text, |kind, span| {
            assert_eq!(names[kind.index()], &text[span.clone()]);
            all.push(span);
        });
        all
    }

    /// What [`Names`] promises, byte by byte.
    fn plainly(names: &[&[u8]], text: &[u8]) -> Vec<Range<usize>> {
        let (mut all, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let longest = names.iter().filter(|name| text[at..].starts_with(name) && ends(text, at + name.len()));
            match longest.map(|name| name.len()).filter(|&len| len >= MIN_NAME_LEN && begins(text, at)).max() {
                Some(len) => {
                    all.push(at..at + len);
                    at += len;
                }
                None => at += 1,
            }
        }
        all
    }

    #[test]
    fn the_longest_that_stands_alone() {
        let names: [&[u8]; 3] = [b"acme-db", b"acme-db.replica", b"my/logs"];
        for lanes in Lanes::available() {
            assert_eq!(mentions(&names, lanes, br"acme-db acme-db.replica"), [0..7, 8..23]);
            assert_eq!(mentions(&names, lanes, br"acme-db.replicas x\nacme-db"), [0..7, 20..27]);
            assert!(mentions(&names, lanes, b"xacme-db acme-dba acme-db2").is_empty());
            // What is called after a thing tells its name.
            assert_eq!(mentions(&names, lanes, b"acme-db-2 my-acme-db"), [0..7, 13..20]);
            // What begins inside a word does not hide what stands behind it.
            assert_eq!(mentions(&names, lanes, b"amy/logs/my/logs acme-db"), [9..16, 17..24]);
        }
    }

    proptest! {
        #[test]
        fn names_are_found_as_promised(
            names in prop::collection::hash_set("[ab/.-]{2,6}|[a-d]{4}[ab]?-[0-9]{1,12}|가[a-b]{1,9}", 1..40),
            text in prop::collection::vec("[ab/.-]{1,9}|[a-d]{4}-[0-9]{1,3}| |\\\\n|가|\"", 0..120),
        ) {
            let text = text.concat() + &names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            let names: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
            let expected = plainly(&names, text.as_bytes());
            for lanes in Lanes::available() {
                prop_assert_eq!(&mentions(&names, lanes, text.as_bytes()), &expected);
            }
        }
    }
}
