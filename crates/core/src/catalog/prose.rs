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
    /// Right behind: the rest of a URL of a repository of CodeCommit.
    GitRemote,
    /// Right behind: a segment of a path, and one of sixteen hexadecimal digits after it.
    PathWithHash,
    /// Right behind: the value of a setting.
    Setting,
    /// In a message of AWS: any name, in quotes or at the end of what is said.
    Said,
    /// Right behind: a name up to the closing bracket.
    Bracketed,
    /// In an error of Terraform: what was done with which thing, and its name in brackets.
    Failed,
    /// After a word that says so: a password.
    Spoken,
    /// The name of a user, a slash, and a password.
    UserAndPassword,
    /// After a blank: a password, or one in quotes.
    Given,
    /// Behind a tab: the value of a parameter.
    Tabbed,
    /// Right behind, in quotes: what a message is about.
    Subject,
    /// Right behind: the rest of a link into the console.
    Console,
    /// Right behind: the rest of the id of a support case.
    Case,
    /// Before it in the line, said to a command: a password.
    Piped,
    /// Right behind: base64 of a user and a password.
    Basic,
    /// Right before: a user, a colon and a password.
    BeforeHost,
    /// Right behind: a user, a slash and a password, before an `@`.
    OfOracle,
    /// Right behind: a variable of a Dockerfile, and its value.
    Environment,
    /// Right behind, at the end of the line: a password of Redis, or a user and theirs.
    RedisLogin,
    /// Right behind: a user of Redis and the rules for them.
    RedisRules,
    /// In the lines below, behind a date and a time: what `aws s3 ls` prints.
    Listed,
    /// In the lines below, indented: names with a key behind each.
    Keyed,
    /// The name of a dimension of metrics, in quotes, beside its value.
    Dimension,
    /// In Terraform, the address of a resource and its id.
    Imported,
    /// After a blank: the argument of a command.
    Positional,
    /// Likewise, the file of a private key.
    KeyFile,
    /// An expression, and in the lines below the values that it asks for.
    Queried,
    /// The name of a setting, which says what its default is.
    Default,
    /// The name of a variable in quotes, and a block with its default.
    Variable,
    /// That argument of a call, in quotes.
    Argument(usize),
    /// Further on in a command: the value of one of these options, which have commas between.
    Option(&'static str),
    /// Likewise, right behind the letter: `-pSECRET`.
    Glued(&'static str),
    /// Likewise, behind the name of a user: `-u name:SECRET`.
    Login(&'static str),
    /// Likewise, behind a word and this sign: `-U name%SECRET`, `--from-literal=name=SECRET`.
    Signed(u8, &'static str),
    /// Further on in a command for a database on AWS: its name and that of a user.
    Client,
    /// After blanks: the value of a setting, up to the end of its line.
    Line,
    /// Behind the brackets of a call that types something, where the line says what.
    Typed,
    /// The beginning of a private key in base64.
    EncodedKey,
    /// Right behind: the alias of a registry, and the repository in it.
    PublicRepository,
}

impl Follows {
    fn parse(name: &'static str) -> Option<Self> {
        if let Some((place, options)) = name.split_once(' ') {
            return match place {
                "option" => Some(Self::Option(options)),
                "glued" => Some(Self::Glued(options)),
                "login" => Some(Self::Login(options)),
                "share" => Some(Self::Signed(b'%', options)),
                "literal" => Some(Self::Signed(b'=', options)),
                _ => None,
            };
        }
        Some(match name {
            "name" => Self::Name,
            "function" => Self::Function,
            "dashed" => Self::Dashed,
            "path" => Self::Path,
            "git-remote" => Self::GitRemote,
            "path-with-hash" => Self::PathWithHash,
            "setting" => Self::Setting,
            "argument-1" => Self::Argument(0),
            "said" => Self::Said,
            "bracketed" => Self::Bracketed,
            "failed" => Self::Failed,
            "spoken" => Self::Spoken,
            "user-and-password" => Self::UserAndPassword,
            "given" => Self::Given,
            "piped" => Self::Piped,
            "tabbed" => Self::Tabbed,
            "subject" => Self::Subject,
            "console" => Self::Console,
            "case" => Self::Case,
            "basic" => Self::Basic,
            "before-host" => Self::BeforeHost,
            "of-oracle" => Self::OfOracle,
            "environment" => Self::Environment,
            "redis-login" => Self::RedisLogin,
            "redis-rules" => Self::RedisRules,
            "listed" => Self::Listed,
            "keyed" => Self::Keyed,
            "dimension" => Self::Dimension,
            "imported" => Self::Imported,
            "positional" => Self::Positional,
            "key-file" => Self::KeyFile,
            "queried" => Self::Queried,
            "default" => Self::Default,
            "variable" => Self::Variable,
            "argument-3" => Self::Argument(2),
            "argument-2" => Self::Argument(1),
            "client" => Self::Client,
            "line" => Self::Line,
            "typed" => Self::Typed,
            "encoded-key" => Self::EncodedKey,
            "public-repository" => Self::PublicRepository,
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
    start: Start,
}

/// Most lists of phrases, and one more.
const LISTS: usize = 512;
/// Slots of the table of first bytes.
const SLOTS: usize = 1 << 12;
/// Fewest bytes of a phrase, by which it is told from others; of one in Korean there are two syllables.
const PHRASE_START: usize = 4;
const KOREAN_START: usize = 6;

/// All phrases, by their first bytes.
#[derive(Debug)]
pub struct Phrases {
    /// Those that share a slot, the longest first.
    lists: Vec<Vec<Phrase>>,
    /// The bits that all phrases of a list begin with, by its number; 0 is that of no list and fits nothing.
    starts: Box<[Start; LISTS]>,
    /// The number of the list of each [`slot`], and one more; 0 turns most of a text down.
    slots: Box<[u16; SLOTS]>,
}

impl Phrases {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut lists: Vec<Vec<Phrase>> = Vec::new();
        let mut slots = Box::new([0; SLOTS]);
        for [words, kind, follows, hint] in table::rows::<4>(Self::TABLE) {
            let (Some(&kind), Some(follows)) = (by_name.get(kind), Follows::parse(follows)) else { continue };
            let hint = Some(hint).filter(|&hint| hint != "-");
            let number = &mut slots[slot(start_of(words.as_bytes()))];
            if *number == 0 {
                // `every_row_is_read_and_found` fails long before there are more.
                let Some(next) = u16::try_from(lists.len() + 1).ok().filter(|&next| usize::from(next) < LISTS) else {
                    continue;
                };
                *number = next;
                lists.push(Vec::new());
            }
            lists[usize::from(*number) - 1].push(Phrase { words, kind, follows, hint, start: Start::of(words) });
        }
        for phrases in &mut lists {
            phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
        }
        let common = |list: &Vec<Phrase>| list.iter().map(|phrase| phrase.start).reduce(Start::common);
        let mut starts = Box::new([Start::NEVER; LISTS]);
        for (start, list) in starts.iter_mut().skip(1).zip(&lists) {
            *start = common(list).unwrap_or(Start::NEVER);
        }
        Self { lists, starts, slots }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/prose.tsv");

    /// What texts have to speak of for a phrase to count.
    pub(crate) fn hints(&self) -> impl Iterator<Item = &'static str> {
        self.lists.iter().flatten().filter_map(|phrase| phrase.hint)
    }

    /// False for nearly all that no phrase stands at; without a branch.
    #[inline(always)]
    pub(crate) fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let Some(found) = text.get(at..at.wrapping_add(START)).and_then(|found| found.first_chunk()) else {
            return true;
        };
        let found = u64::from_le_bytes(*found);
        self.starts[usize::from(self.slots[slot(found)])].fits(found)
    }

    /// The phrase that stands at the beginning of `text`, in either case.
    #[inline]
    pub fn at(&self, text: &[u8]) -> Option<&Phrase> {
        let start = text.first_chunk().map_or_else(|| start_of(text), |start| u64::from_le_bytes(*start));
        let number = self.slots[slot(start)];
        let list = usize::from(number).checked_sub(1)?;
        self.in_list(list, text)
    }

    fn in_list(&self, list: usize, text: &[u8]) -> Option<&Phrase> {
        let phrases = &self.lists[list];
        let fits = |from: usize, phrase: &&Phrase| {
            let words = &phrase.words.as_bytes()[from.min(phrase.words.len())..];
            text.get(from..from + words.len()).is_some_and(|found| found.eq_ignore_ascii_case(words))
        };
        match text.first_chunk() {
            Some(&found) => {
                let found = u64::from_le_bytes(found);
                phrases.iter().find(|phrase| phrase.start.fits(found) && fits(START, phrase))
            }
            None => phrases.iter().find(|phrase| fits(0, phrase)),
        }
    }

    /// The words of these phrases, sorted: what a search must look for, in either case.
    pub(crate) fn words(&self, is_one: impl Fn(&Phrase) -> bool) -> Vec<&'static [u8]> {
        let phrases = self.lists.iter().flatten().filter(|phrase| is_one(phrase));
        let mut all: Vec<_> = phrases.map(|phrase| phrase.words.as_bytes()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The first bytes of words, in either case.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// In order from the lowest on.
    bytes: u64,
    /// The bits that count.
    mask: u64,
    /// The bit that letters of either case differ by, for those of them that are letters.
    case: u64,
}

/// How many bytes that are.
const START: usize = 8;

impl Start {
    const NEVER: Self = Self { bytes: 1, mask: 0, case: 0 };

    fn of(words: &str) -> Self {
        let (mut bytes, mut mask, mut case) = ([0; START], [0; START], [0; START]);
        for (i, &c) in words.as_bytes().iter().take(START).enumerate() {
            bytes[i] = c;
            mask[i] = u8::MAX;
            case[i] = if c.is_ascii_lowercase() { 0x20 } else { 0 };
        }
        let [bytes, mask, case] = [bytes, mask, case].map(u64::from_le_bytes);
        Self { bytes, mask, case }
    }

    /// The bits that both have in common.
    fn common(self, other: Self) -> Self {
        let differ = self.bytes ^ other.bytes | self.case ^ other.case;
        let mask = self.mask & other.mask & !differ;
        Self { bytes: self.bytes & mask, mask, case: self.case & mask }
    }

    #[inline(always)]
    fn fits(self, found: u64) -> bool {
        (found | self.case) & self.mask == self.bytes
    }
}

/// The first bytes of a text, in order from the lowest on, with zeros behind those that it has.
fn start_of(text: &[u8]) -> u64 {
    text.iter().take(START).rfold(0, |start, &c| start << 8 | u64::from(c))
}

/// Letters of either case have the same.
#[inline(always)]
fn slot(start: u64) -> usize {
    const CASE: u64 = 0x2020_2020_2020;
    /// The bytes that count, of a phrase in ASCII and of one that is not. Without a branch.
    static MASKS: [u64; 2] = [(1 << (8 * PHRASE_START)) - 1, (1 << (8 * KOREAN_START)) - 1];
    let lower = (start | CASE) & MASKS[usize::from(start & 0x80 != 0)];
    usize::try_from(lower.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.trailing_zeros())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Catalog;
    use super::*;

    proptest! {
        #[test]
        fn what_may_begin_is_all_that_does(
            words in prop::sample::select(Catalog::get().phrases.words(|_| true)),
            is_upper in prop::collection::vec(any::<bool>(), 64),
            cut in 0usize..80,
            behind in any::<[u8; 8]>(),
        ) {
            let phrases = &Catalog::get().phrases;
            let case = |(c, is_upper): (&u8, &bool)| if *is_upper { c.to_ascii_uppercase() } else { *c };
            let mut text: Vec<u8> = words.iter().zip(is_upper.iter().cycle()).map(case).collect();
            prop_assert!(phrases.at(&text).is_some_and(|found| found.words.as_bytes().eq_ignore_ascii_case(words)));
            text.truncate(cut);
            text.extend(behind);
            prop_assert!(phrases.may_begin(&text, 0) || phrases.at(&text).is_none());
        }
    }

    #[test]
    fn every_row_is_read_and_found() {
        for line in Phrases::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            let found = Catalog::get().phrases.at(columns[0].as_bytes()).unwrap();
            assert_eq!((found.words, Some(found.kind)), (columns[0], Catalog::get().find(columns[1])), "{line}");
            assert_eq!(Some(found.follows), Follows::parse(columns[2]), "{line}");
            assert_eq!(columns[0], columns[0].to_lowercase(), "{line}");
            let fewest = if columns[0].is_ascii() { PHRASE_START } else { KOREAN_START };
            assert!(columns[0].len() >= fewest, "{line}");
        }
    }
}
