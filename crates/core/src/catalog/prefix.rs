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

/// Prefixes (lower case, without the dash) and their shapes.
#[derive(Debug)]
pub struct PrefixTable {
    shapes: HashMap<&'static [u8], Vec<PrefixShape>>,
}

impl PrefixTable {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut shapes: HashMap<&'static [u8], Vec<PrefixShape>> = HashMap::new();
        for [prefix, kind, body, lengths] in table::rows::<4>(Self::TABLE) {
            let (Some(&kind), Some(body)) = (by_name.get(kind), Body::parse(body)) else { continue };
            for length in lengths.split(',') {
                let (min, max) = length.split_once('-').unwrap_or((length, length));
                let (Ok(min), Ok(max)) = (min.parse(), max.parse()) else { continue };
                shapes.entry(prefix.as_bytes()).or_default().push(PrefixShape { kind, body, min, max });
            }
        }
        Self { shapes }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/prefixed.tsv");

    /// The shapes of the ids of this prefix, which is in lower case and without its dash.
    pub fn get(&self, prefix: &[u8]) -> &[PrefixShape] {
        self.shapes.get(prefix).map_or(&[], Vec::as_slice)
    }

    /// The prefixes of ids without a dash, which are in upper case.
    pub fn unique_ids(&self) -> impl Iterator<Item = &'static [u8]> {
        self.shapes.iter().filter(|(_, shapes)| shapes.iter().any(|s| s.body == Body::Upper)).map(|(prefix, _)| *prefix)
    }
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
        }
    }
}
