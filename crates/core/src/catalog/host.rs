//! What the labels of an AWS host name mean.

use hashbrown::HashMap;

use super::{KindId, table};

/// Domains under which AWS names resources of customers, longest first where one ends in another.
pub const SUFFIXES: &[&str] = &[
    "amazonaws.com.cn",
    "amazonaws.cn",
    "amazonaws.com",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws",
    "on.aws",
    "cloudfront.net",
    "awsglobalaccelerator.com",
    "elasticbeanstalk.com",
    "awsapprunner.com",
    "amplifyapp.com",
    "amazoncognito.com",
    "awsapps.com",
    "connect.aws",
    "chime.aws",
    "iotsitewise.aws",
    "live-video.net",
    "signin.aws.amazon.com",
    "opsworks-cm.io",
    "sagemaker.aws",
    "compute.internal",
    "ec2.internal",
];

/// By the last five bits of the first letter: a bit for each of [`SUFFIXES`] that begins so.
const BY_FIRST: [u64; 32] = {
    let (mut by_first, mut i) = ([0; 32], 0);
    while i < SUFFIXES.len() {
        by_first[(SUFFIXES[i].as_bytes()[0] & 31) as usize] |= 1 << i;
        i += 1;
    }
    by_first
};

/// Those of [`SUFFIXES`] that may begin with this byte, in either case, in their order.
pub fn suffixes_from(first: u8) -> impl Iterator<Item = &'static str> {
    let mut left = BY_FIRST[usize::from(first & 31)];
    std::iter::from_fn(move || {
        let next = SUFFIXES.get(usize::try_from(left.trailing_zeros()).unwrap_or(SUFFIXES.len()));
        left &= left.wrapping_sub(1);
        next.copied()
    })
}

/// The labels that AWS puts into host names, and the kinds that they announce.
#[derive(Debug)]
pub struct HostWords {
    words: HashMap<&'static [u8], Option<KindId>>,
}

impl HostWords {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let rows = table::rows::<2>(Self::TABLE);
        Self { words: rows.map(|[word, kind]| (word.as_bytes(), by_name.get(kind).copied())).collect() }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/host_words.tsv");

    /// Whether a label (lower case) is a service, or another word of AWS, and then the kind of the names that stand
    /// before it, where it announces one.
    pub fn get(&self, label: &[u8]) -> Option<Option<KindId>> {
        self.words.get(label).copied()
    }

    /// The kind of the names that stand before this label or domain.
    pub fn kind(&self, label: &[u8]) -> Option<KindId> {
        self.get(label).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_names_a_kind_or_none() {
        for line in HostWords::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 2, "{line}");
            assert!(columns[1] == "-" || Catalog::get().find(columns[1]).is_some(), "{line}");
        }
    }
}
