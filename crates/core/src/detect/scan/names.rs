//! Finding many literal names in a text, where they stand alone.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::detect::scan::sieve::{Lanes, Sieve};
use crate::detect::text::boundary::{follows_escape, is_alnum};

/// Names shorter than this are not looked for.
pub(in crate::detect) const MIN_NAME_LEN: usize = 4;

/// How many beginnings of names are told apart.
const STARTS: usize = 1 << 12;
/// So many names are looked for one after the other.
const FEW: usize = 3;

/// A set of names to look for, each with what is known of it. Making it costs less than a microsecond for a dozen; an
/// automaton would cost a hundred.
pub(in crate::detect) struct Names<'t, T> {
    /// Sorted.
    names: Vec<(&'t [u8], T)>,
    /// What each begins with, see [`head_of`].
    heads: Vec<u64>,
    /// For each of them, the longest other one that it begins with.
    shorter: Vec<Option<usize>>,
    /// A bit for what each begins with, see [`start_of`].
    starts: [u64; STARTS / 64],
    /// Of more than a [`FEW`].
    sieve: Option<Sieve>,
}

impl<'t, T: Ord + Copy> Names<'t, T> {
    /// Takes names of at least [`MIN_NAME_LEN`] bytes; leaves out shorter ones. Of one that comes several times the least
    /// counts of what is known.
    pub(in crate::detect) fn new(names: impl IntoIterator<Item = (&'t [u8], T)>) -> Self {
        let names = names.into_iter().filter(|(name, _)| name.len() >= MIN_NAME_LEN);
        let mut names: Vec<_> = names.map(|(name, known)| (head_of(name), name, known)).collect();
        // Most differ in their heads, and numbers are compared without a call.
        names.sort_unstable();
        names.dedup_by_key(|(_, name, _)| *name);
        let heads = names.iter().map(|(head, ..)| *head).collect();
        let names: Vec<_> = names.into_iter().map(|(_, name, known)| (name, known)).collect();
        let mut shorter: Vec<Option<usize>> = Vec::with_capacity(names.len());
        for (i, (name, _)) in names.iter().enumerate() {
            // It is the one before, or one that this begins with.
            let mut last = i.checked_sub(1);
            while let Some(before) = last.filter(|&before| !name.starts_with(names[before].0)) {
                last = shorter[before];
            }
            shorter.push(last);
        }
        let literals = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let sieve = (names.len() > FEW).then(|| Sieve::of_literals(&literals()));
        let mut starts = [0; STARTS / 64];
        for start in names.iter().filter_map(|(name, _)| start_of(name)) {
            starts[start / 64] |= 1 << (start % 64);
        }
        Self { names, heads, shorter, starts, sieve }
    }

    /// Calls `found` with each mention in order: the longest name that begins there, none inside another.
    pub(in crate::detect) fn each(&self, lanes: Lanes, text: &[u8], mut found: impl FnMut(&T, Range<usize>)) {
        let mut visit = |at: usize| {
            // What many names begin with the sieve does not tell from much else.
            let is_start = start_of(&text[at..]).is_some_and(|start| self.starts[start / 64] >> (start % 64) & 1 == 1);
            if !is_start || !begins(text, at) {
                return at + 1;
            }
            match self.longest(text, at) {
                Some((name, known)) => {
                    found(known, at..at + name.len());
                    at + name.len()
                }
                None => at + 1,
            }
        };
        if let Some(sieve) = &self.sieve {
            return sieve.each(lanes, text, visit);
        }
        let mut places: Vec<usize> = self.names.iter().flat_map(|(name, _)| places_of(name, text)).collect();
        places.sort_unstable();
        let mut next = 0;
        for at in places {
            if at >= next {
                next = visit(at);
            }
        }
    }

    /// The longest name that stands at `at` and ends there.
    fn longest(&self, text: &[u8], at: usize) -> Option<&(&'t [u8], T)> {
        let rest = &text[at..];
        // All that `rest` begins with are before it, and the last one that is before it begins with them.
        let head = head_of(rest);
        let first = self.heads.partition_point(|&known| known < head);
        let count = self.heads[first..].partition_point(|&known| known == head);
        let behind = first + self.names[first..first + count].partition_point(|(name, _)| *name <= rest);
        let mut next = behind.checked_sub(1);
        while let Some(i) = next {
            let (name, _) = &self.names[i];
            if rest.starts_with(name) && ends(text, at + name.len()) {
                return Some(&self.names[i]);
            }
            next = self.shorter[i];
        }
        None
    }
}

/// The first [`MIN_NAME_LEN`] bytes of a name, which others may share; `None` where there are fewer.
fn start_of(text: &[u8]) -> Option<usize> {
    let start = u32::from_le_bytes(*text.first_chunk::<MIN_NAME_LEN>()?);
    usize::try_from(start.wrapping_mul(0x9e37_79b1) >> (32 - STARTS.trailing_zeros())).ok()
}

/// The first eight bytes, as a number in the order of the names; zeros stand where there are fewer.
fn head_of(text: &[u8]) -> u64 {
    let head = text.first_chunk().copied().unwrap_or_else(|| {
        let mut head = [0; 8];
        head[..text.len()].copy_from_slice(text);
        head
    });
    u64::from_be_bytes(head)
}

/// Where `name` stands, inside itself too.
fn places_of(name: &[u8], text: &[u8]) -> impl Iterator<Item = usize> {
    let (finder, mut from) = (Finder::new(name), 0);
    std::iter::from_fn(move || {
        let at = from + finder.find(text.get(from..)?)?;
        from = at + 1;
        Some(at)
    })
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
        let known = names.iter().enumerate().map(|(i, name)| (*name, i));
        let mut all = Vec::new();
        Names::new(known).each(lanes, text, |&i, span| {
            assert_eq!(names[i], &text[span.clone()]);
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

    const NAME: &str = "[ab/.-]{2,6}|[a-d]{4}[ab]?-[0-9]{1,12}|가[a-b]{1,9}";

    proptest! {
        #[test]
        fn names_are_found_as_promised(
            names in prop_oneof![prop::collection::hash_set(NAME, 1..=FEW), prop::collection::hash_set(NAME, FEW..40)],
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
