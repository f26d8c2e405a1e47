//! Ids that a prefix announces: `vpc-0ab…`, `eipalloc-…`, `AROA…`.

use hashbrown::HashMap;

use super::{KindId, table};

/// Which characters follow the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// Hexadecimal digits of either case.
    Hex,
    /// `a-z0-9` with at least one digit, or either case where AWS says so.
    Alnum,
    /// A UUID.
    Uuid,
    /// `A-Za-z0-9` with a letter right after a digit: the prefix is a word of the language.
    Random,
    /// Small letters and digits; without a letter right after a digit the text must speak of Organizations.
    Org,
    /// Upper-case letters and digits after the dash.
    UpperDash,
    /// Upper-case letters and digits; these prefixes are in upper case and have no dash.
    Upper,
}

impl Body {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "hex" => Some(Self::Hex),
            "alnum" => Some(Self::Alnum),
            "uuid" => Some(Self::Uuid),
            "random" => Some(Self::Random),
            "org" => Some(Self::Org),
            "upper-dash" => Some(Self::UpperDash),
            "upper" => Some(Self::Upper),
            _ => None,
        }
    }
}

/// One shape of the ids of a prefix.
#[derive(Clone, Copy, Debug)]
pub struct PrefixShape {
    /// The kind of id.
    pub kind: KindId,
    /// Its characters.
    pub body: Body,
    /// Fewest characters after the prefix.
    pub min: u8,
    /// Most characters after the prefix.
    pub max: u8,
}

/// Longest prefix, without its dash.
pub(crate) const MAX_PREFIX_LEN: usize = 40;

/// What is known of the prefixes that end in the same two characters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PrefixTail {
    /// Bit `n` is set when one of them has `n` bytes.
    pub(crate) lengths: u64,
    /// Ids of one of them are letters and digits that must be mixed ([`Body::Alnum`], [`Body::Random`]).
    pub(crate) mixed: bool,
    /// Ids of one of them are hexadecimal digits.
    pub(crate) hex: bool,
    /// Ids of one of them are UUIDs.
    pub(crate) uuid: bool,
    /// Ids of one of them are of Organizations.
    pub(crate) org: bool,
    /// Ids of one of them are capitals and digits.
    pub(crate) upper: bool,
}

impl PrefixTail {
    /// True when one of them has so many bytes.
    #[inline]
    pub(crate) fn has_length(&self, len: usize) -> bool {
        len < 64 && self.lengths >> len & 1 == 1
    }

    fn add(&mut self, prefix: &[u8], body: Body) {
        self.lengths |= 1 << prefix.len();
        match body {
            Body::Hex => self.hex = true,
            Body::Alnum | Body::Random => self.mixed = true,
            // Before these stands no dash.
            Body::Upper => {}
            Body::Uuid => self.uuid = true,
            Body::Org => self.org = true,
            Body::UpperDash => self.upper = true,
        }
    }
}

/// Fewest hexadecimal digits that are the whole body of an id.
pub(crate) const MIN_HEX_LEN: usize = 8;

/// Prefixes (lower case, without the dash) and their shapes.
#[derive(Debug)]
pub struct PrefixTable {
    shapes: HashMap<&'static [u8], Vec<PrefixShape>>,
    /// By the last two characters.
    tails: Vec<PrefixTail>,
}

impl PrefixTable {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut shapes: HashMap<&'static [u8], Vec<PrefixShape>> = HashMap::new();
        let mut tails = vec![PrefixTail::default(); 1 << 10];
        for [prefix, kind, body, lengths] in table::rows::<4>(Self::TABLE) {
            let (Some(&kind), Some(body)) = (by_name.get(kind), Body::parse(body)) else { continue };
            for length in lengths.split(',') {
                let (min, max) = length.split_once('-').unwrap_or((length, length));
                let (Ok(min), Ok(max)) = (min.parse(), max.parse()) else { continue };
                shapes.entry(prefix.as_bytes()).or_default().push(PrefixShape { kind, body, min, max });
            }
            match prefix.as_bytes() {
                // Anything may stand before it.
                [only] => (0..32).for_each(|before| tails[tail(&[before, *only])].add(prefix.as_bytes(), body)),
                prefix => tails[tail(prefix)].add(prefix, body),
            }
        }
        Self { shapes, tails }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/prefixed.tsv");

    /// The shapes of the ids of this prefix, which is in lower case and without its dash.
    pub fn get(&self, prefix: &[u8]) -> &[PrefixShape] {
        self.shapes.get(prefix).map_or(&[], Vec::as_slice)
    }

    /// What prefixes there are that end as this text does, in either case.
    #[inline]
    pub(crate) fn tail(&self, text: &[u8]) -> PrefixTail {
        self.tails[tail(text)]
    }

    /// The prefixes of ids without a dash, which are in upper case.
    pub fn unique_ids(&self) -> impl Iterator<Item = &'static [u8]> {
        self.shapes.iter().filter(|(_, shapes)| shapes.iter().any(|s| s.body == Body::Upper)).map(|(prefix, _)| *prefix)
    }
}

/// Letters of either case have the same number; digits share theirs with some letters.
#[inline]
fn tail(text: &[u8]) -> usize {
    let (before, last) = match text {
        [.., before, last] => (*before, *last),
        [last] => (0, *last),
        [] => (0, 0),
    };
    usize::from(before & 31) << 5 | usize::from(last & 31)
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_has_a_kind_a_body_and_lengths() {
        for line in PrefixTable::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            assert!(Catalog::get().find(columns[1]).is_some(), "{line}");
            assert!(Body::parse(columns[2]).is_some(), "{line}");
            assert!(columns[0].len() <= MAX_PREFIX_LEN, "{line}");
            assert!(!Catalog::get().prefixes.get(columns[0].as_bytes()).is_empty(), "{line}");
            let shortest = columns[3].split([',', '-']).filter_map(|len| len.parse::<usize>().ok()).min();
            assert!(columns[2] != "hex" || shortest >= Some(MIN_HEX_LEN), "{line}");
        }
    }

    #[test]
    fn tails_know_every_prefix() {
        let prefixes = &Catalog::get().prefixes;
        for (prefix, shapes) in &prefixes.shapes {
            for text in
                [prefix.to_vec(), prefix.to_ascii_uppercase(), [b"x", *prefix].concat(), [b"-", *prefix].concat()]
            {
                let tail = prefixes.tail(&text);
                assert!(tail.lengths >> prefix.len() & 1 == 1, "{}", prefix.escape_ascii());
                for shape in shapes {
                    assert!(match shape.body {
                        Body::Hex => tail.hex,
                        Body::Alnum | Body::Random => tail.mixed,
                        Body::Uuid => tail.uuid,
                        Body::Org => tail.org,
                        Body::UpperDash => tail.upper,
                        Body::Upper => true,
                    });
                }
            }
        }
    }
}
