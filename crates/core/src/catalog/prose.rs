//! Words of running text that say what the name or id after them is: `the bucket acme-logs`.

use hashbrown::HashMap;

use super::{KindId, ValueShape, table};

/// How a name follows its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Follows {
    /// After a blank or a particle, perhaps in quotes: a name that is nobody's ordinary word.
    Name,
    /// Likewise, but a name without a dash may be one of source code: something must speak of Lambda then.
    Function,
    /// Likewise, with a dash: `lambda: x_1` is Python.
    Dashed,
    /// Likewise: an id of that shape.
    Id(ValueShape),
    /// Right behind: a segment of a path.
    Path,
    /// Right behind: a segment of a path, and one of sixteen hexadecimal digits after it.
    PathWithHash,
    /// Right behind: the value of a setting.
    Setting,
    /// In a message of AWS: any name, in quotes or at the end of what is said.
    Said,
    /// Right behind: a name up to the closing bracket.
    Bracketed,
    /// After a word that says so: a password.
    Spoken,
    /// In the lines below, behind a date and a time: what `aws s3 ls` prints.
    Listed,
    /// The name of a setting, which says what its default is.
    Default,
    /// The name of a variable in quotes, and a block with its default.
    Variable,
    /// That argument of a call, in quotes.
    Argument(usize),
    /// Further on in a command: the value of the option of this letter.
    Option(u8),
    /// Likewise, right behind the letter: `-pSECRET`.
    Glued(u8),
    /// Likewise, behind the name of a user: `-u name:SECRET`.
    Login(u8),
}

impl Follows {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "name" => Self::Name,
            "function" => Self::Function,
            "dashed" => Self::Dashed,
            "path" => Self::Path,
            "path-with-hash" => Self::PathWithHash,
            "setting" => Self::Setting,
            "argument-1" => Self::Argument(0),
            "said" => Self::Said,
            "bracketed" => Self::Bracketed,
            "spoken" => Self::Spoken,
            "listed" => Self::Listed,
            "default" => Self::Default,
            "variable" => Self::Variable,
            "argument-3" => Self::Argument(2),
            "argument-2" => Self::Argument(1),
            "option-a" => Self::Option(b'a'),
            "option-p" => Self::Option(b'p'),
            "option-w" => Self::Option(b'w'),
            "option-P" => Self::Option(b'P'),
            "glued-p" => Self::Glued(b'p'),
            "login-u" => Self::Login(b'u'),
            shape => Self::Id(ValueShape::parse(shape)?),
        })
    }
}

/// What some words say about what follows.
#[derive(Clone, Copy, Debug)]
pub struct Phrase {
    /// The words, in lower case.
    pub words: &'static str,
    /// Kind of what follows.
    pub kind: KindId,
    /// How it follows.
    pub follows: Follows,
    /// The service that the text must speak of nearby.
    pub hint: Option<&'static str>,
}

/// Slots of the table of first bytes.
const SLOTS: usize = 1 << 12;
/// Bytes that phrases are told apart by.
pub(crate) const PHRASE_START: usize = 4;

/// All phrases, by their first bytes.
#[derive(Debug)]
pub struct Phrases {
    /// Those that share a slot, the longest first.
    lists: Vec<Vec<Phrase>>,
    /// The number of the list of each [`slot`], and one more; 0 turns most of a text down.
    slots: Box<[u8; SLOTS]>,
}

impl Phrases {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut lists: Vec<Vec<Phrase>> = Vec::new();
        let mut slots = Box::new([0; SLOTS]);
        for [words, kind, follows, hint] in table::rows::<4>(Self::TABLE) {
            let (Some(&kind), Some(follows)) = (by_name.get(kind), Follows::parse(follows)) else { continue };
            let hint = Some(hint).filter(|&hint| hint != "-");
            let Some(&start) = words.as_bytes().first_chunk() else { continue };
            let number = &mut slots[slot(start)];
            if *number == 0 {
                // `every_row_is_read_and_found` fails long before there are more.
                let Ok(next) = u8::try_from(lists.len() + 1) else { continue };
                *number = next;
                lists.push(Vec::new());
            }
            lists[usize::from(*number) - 1].push(Phrase { words, kind, follows, hint });
        }
        for phrases in &mut lists {
            phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
        }
        Self { lists, slots }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/prose.tsv");

    /// The phrase that stands at the beginning of `text`, in either case.
    #[inline]
    pub fn at(&self, text: &[u8]) -> Option<&Phrase> {
        let number = self.slots[slot(*text.first_chunk::<PHRASE_START>()?)];
        let list = usize::from(number).checked_sub(1)?;
        self.in_list(list, text)
    }

    fn in_list(&self, list: usize, text: &[u8]) -> Option<&Phrase> {
        let fits = |phrase: &&Phrase| {
            text.get(..phrase.words.len()).is_some_and(|found| found.eq_ignore_ascii_case(phrase.words.as_bytes()))
        };
        self.lists[list].iter().find(fits)
    }

    /// All words, sorted: what a search must look for, in either case.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        let mut all: Vec<_> = self.lists.iter().flatten().map(|phrase| phrase.words).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Letters of either case have the same.
#[inline]
fn slot(start: [u8; PHRASE_START]) -> usize {
    let lower = u32::from_le_bytes(start) | 0x2020_2020;
    usize::try_from(lower.wrapping_mul(0x9e37_79b1) >> 20).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_is_read_and_found() {
        for line in Phrases::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            let found = Catalog::get().phrases.at(columns[0].as_bytes()).unwrap();
            assert_eq!((found.words, Some(found.kind)), (columns[0], Catalog::get().find(columns[1])), "{line}");
            assert_eq!(Some(found.follows), Follows::parse(columns[2]), "{line}");
            assert_eq!(columns[0], columns[0].to_lowercase(), "{line}");
        }
    }
}
