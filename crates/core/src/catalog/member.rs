//! Member names, flags and attributes whose values are identifiers: `"DBInstanceIdentifier": …`, `--bucket …`.

use hashbrown::HashMap;

use super::{KindId, table};

/// How much a key says on its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// The key is AWS's beyond doubt.
    Strong,
    /// An everyday word: it counts only where the text is about AWS.
    Weak,
}

/// Which values the member takes; others are not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueShape {
    /// Twelve digits.
    Account,
    /// A name: letters, digits and `_.-/+=,@:`.
    Name,
    /// Forty characters of base64 with the entropy of a key.
    SecretKey,
    /// Base64, 16 characters or more.
    Base64,
    /// Anything without white space, eight characters or more.
    Password,
}

impl ValueShape {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "account" => Some(Self::Account),
            "name" => Some(Self::Name),
            "secret-key" => Some(Self::SecretKey),
            "base64" => Some(Self::Base64),
            "password" => Some(Self::Password),
            _ => None,
        }
    }
}

/// One member.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Kind of the value.
    pub kind: KindId,
    /// How much the key says.
    pub strength: Strength,
    /// What the value looks like.
    pub value: ValueShape,
}

/// Longest normalised key.
#[cfg(test)]
const MAX_KEY_LEN: usize = 64;

/// Members by normalised key: lower case, without `-`, `_` and `.`.
#[derive(Debug)]
pub struct Members {
    by_key: HashMap<&'static [u8], Member>,
}

impl Members {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let by_key = table::rows::<4>(Self::TABLE)
            .filter_map(|[key, kind, strength, value]| {
                let strength = if strength == "strong" { Strength::Strong } else { Strength::Weak };
                let member = Member { kind: *by_name.get(kind)?, strength, value: ValueShape::parse(value)? };
                Some((key.as_bytes(), member))
            })
            .collect();
        Self { by_key }
    }

    const TABLE: &'static str = include_str!("../../data/members.tsv");

    /// The member of this normalised key.
    pub fn get(&self, key: &[u8]) -> Option<Member> {
        self.by_key.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_is_read() {
        for line in Members::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            assert!(columns[0].len() <= MAX_KEY_LEN, "{line}");
            assert!(columns[2] == "strong" || columns[2] == "weak", "{line}");
            assert!(Catalog::get().members.get(columns[0].as_bytes()).is_some(), "{line}");
        }
    }
}
