//! What the labels of an AWS host name mean.

use hashbrown::{HashMap, HashSet};

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
    "iotsitewise.aws",
    "live-video.net",
    "signin.aws.amazon.com",
    "opsworks-cm.io",
    "sagemaker.aws",
    "compute.internal",
    "ec2.internal",
];

/// The labels that AWS puts into host names, and the kinds that they announce.
#[derive(Debug)]
pub struct HostWords {
    words: HashSet<&'static [u8]>,
    kinds: HashMap<&'static [u8], KindId>,
}

impl HostWords {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let (mut words, mut kinds) = (HashSet::new(), HashMap::new());
        for [word, kind] in table::rows::<2>(Self::TABLE) {
            words.insert(word.as_bytes());
            if let Some(&kind) = by_name.get(kind) {
                kinds.insert(word.as_bytes(), kind);
            }
        }
        Self { words, kinds }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/host_words.tsv");

    /// Whether a label (lower case) is a service, or another word of AWS.
    pub fn is_word(&self, label: &[u8]) -> bool {
        self.words.contains(label)
    }

    /// The kind of the names that stand before this label or domain.
    pub fn kind(&self, label: &[u8]) -> Option<KindId> {
        self.kinds.get(label).copied()
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
