//! What the segments of an ARN's resource mean.

use hashbrown::{HashMap, HashSet};

use super::{KindId, table};

/// Meaning of one segment of the resource part of an ARN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArnSegment {
    /// A word of AWS: a resource type, a path element. It stays.
    Word,
    /// The customer's.
    Name,
}

/// The words that AWS puts into ARNs, and the kinds that resource types announce.
#[derive(Debug)]
pub struct ArnWords {
    words: HashSet<&'static [u8]>,
    kinds: HashMap<(&'static [u8], &'static [u8]), KindId>,
    untyped: HashMap<&'static [u8], KindId>,
}

impl ArnWords {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let (mut words, mut kinds, mut untyped) = (HashSet::new(), HashMap::new(), HashMap::new());
        for [service, word, kind] in table::rows::<3>(Self::TABLE) {
            let kind = by_name.get(kind).copied();
            match (word, kind) {
                ("*", Some(kind)) => drop(untyped.insert(service.as_bytes(), kind)),
                (_, Some(kind)) => {
                    words.insert(word.as_bytes());
                    kinds.insert((service.as_bytes(), word.as_bytes()), kind);
                }
                (_, None) => drop(words.insert(word.as_bytes())),
            }
        }
        Self { words, kinds, untyped }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/arn_words.tsv");

    /// Kind of the resources of a service whose ARNs have no resource type (`arn:aws:sqs:…:NAME`).
    pub fn untyped(&self, service: &[u8]) -> Option<KindId> {
        self.untyped.get(service).copied()
    }

    /// Kind of what follows `resource_type` in an ARN of `service`.
    pub fn kind(&self, service: &[u8], resource_type: &[u8]) -> Option<KindId> {
        self.kinds.get(&(service, resource_type)).copied()
    }

    /// Whether a segment is a word of AWS or the customer's name.
    pub fn segment(&self, text: &[u8]) -> ArnSegment {
        if self.words.contains(text) { ArnSegment::Word } else { ArnSegment::Name }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_names_a_kind_or_none() {
        for line in ArnWords::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 3, "{line}");
            assert!(columns[2] == "-" || Catalog::get().find(columns[2]).is_some(), "{line}");
        }
    }
}
