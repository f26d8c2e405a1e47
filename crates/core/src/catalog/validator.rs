//! What decides that a text is of a kind: the rows of the tables that name it, or a rule of its own.

use std::fmt;

use super::arn::ArnWords;
use super::host::HostWords;
use super::member::Members;
use super::prefix::PrefixTable;
use super::prose::Phrases;
use super::{KindId, KnownKinds, table};

/// One way in which a text is found to be of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validator {
    /// A hand-written rule.
    Rule,
    /// A prefix, what characters follow it, and how many.
    Prefix {
        /// Without its dash.
        prefix: &'static str,
        /// The characters that follow.
        body: &'static str,
        /// Numbers and ranges of characters.
        lengths: &'static str,
    },
    /// A resource type in the ARNs of a service; `*` for a service whose ARNs have none.
    Arn {
        /// The service.
        service: &'static str,
        /// The resource type.
        resource: &'static str,
    },
    /// What stands before this label or domain in a host name of AWS.
    Host {
        /// The label.
        label: &'static str,
    },
    /// The value of a member, flag or attribute of this name.
    Member {
        /// In lower case and without separators.
        key: &'static str,
        /// What its value looks like.
        value: &'static str,
    },
    /// What follows these words in running text or in code.
    Phrase {
        /// In lower case.
        words: &'static str,
        /// What follows looks like this.
        value: &'static str,
    },
}

impl Validator {
    /// All that decide for a kind, in the order of the tables.
    pub(super) fn of(known: &KnownKinds, kind: KindId, name: &str) -> Vec<Self> {
        let rule = known.all().any(|known| known == kind).then_some(Self::Rule);
        let prefixes = table::rows::<4>(PrefixTable::TABLE)
            .filter(|row| row[1] == name)
            .map(|[prefix, _, body, lengths]| Self::Prefix { prefix, body, lengths });
        let arns = table::rows::<3>(ArnWords::KINDS)
            .filter(|row| row[2] == name)
            .map(|[service, resource, _]| Self::Arn { service, resource });
        let hosts =
            table::rows::<2>(HostWords::TABLE).filter(|row| row[1] == name).map(|[label, _]| Self::Host { label });
        let members = table::rows::<5>(Members::TABLE)
            .filter(|row| row[1] == name)
            .map(|[key, _, _, value, _]| Self::Member { key, value });
        let phrases = table::rows::<4>(Phrases::TABLE)
            .filter(|row| row[1] == name)
            .map(|[words, _, value, _]| Self::Phrase { words, value });
        rule.into_iter().chain(prefixes).chain(arns).chain(hosts).chain(members).chain(phrases).collect()
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule => f.write_str("rule"),
            Self::Prefix { prefix, body, lengths } => write!(f, "prefix {prefix} ({body} {lengths})"),
            Self::Arn { service, resource } => write!(f, "arn {service} {resource}"),
            Self::Host { label } => write!(f, "host {label}"),
            Self::Member { key, value } => write!(f, "member {key} ({value})"),
            Self::Phrase { words, value } => write!(f, "words {} ({value})", words.trim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;

    #[test]
    fn something_decides_for_every_kind() {
        for kind in Catalog::get().kinds() {
            assert!(!Catalog::get().validators(kind).is_empty(), "nothing finds {}", kind.name);
        }
    }
}
