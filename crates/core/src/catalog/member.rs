//! Member names, flags and attributes whose values are identifiers: `"DBInstanceIdentifier": …`, `--bucket …`.

use hashbrown::HashMap;

use super::{KindId, table};

/// Which spellings of a key count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// The key, and every longer key that ends in it: `DestinationBucketName`.
    Suffix,
    /// The key alone, or after a dot or an underscore: `LAUNCHTEMPLATEDATA_KEYNAME`.
    Exact,
    /// Like `Exact`, and written in several words: `UserName`, not `Username`.
    Words,
}

impl Match {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "suffix" => Some(Self::Suffix),
            "exact" => Some(Self::Exact),
            "words" => Some(Self::Words),
            _ => None,
        }
    }
}

/// Which values the member takes; others are not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueShape {
    /// Twelve digits.
    Account,
    /// A name: letters, digits and `_.-/+=,@:`.
    Name,
    /// A name without dots: with dots it would be a host name.
    PlainName,
    /// A name that may hold blanks when it is quoted.
    SpacedName,
    /// A log stream: like a name, with `[$LATEST]` in it.
    LogStream,
    /// `alias/…`.
    Alias,
    /// A UUID.
    Uuid,
    /// Six characters or more with a digit among them.
    OpaqueId,
    /// `Z` and capitals and digits.
    ZoneId,
    /// `C` and capitals and digits.
    ChangeId,
    /// `E` and capitals and digits.
    DistributionId,
    /// `I` and capitals and digits.
    InvalidationId,
    /// `/hostedzone/` and capitals and digits.
    ZonePath,
    /// `/change/` and capitals and digits.
    ChangePath,
    /// `/delegationset/` and capitals and digits.
    DelegationSetPath,
    /// Thirteen digits, a dash, six letters or digits.
    MediaJob,
    /// `r-` and small letters and digits.
    OrgRoot,
    /// Small letters and digits, eight to ten.
    LowerId,
    /// Small letters and digits, sixteen and more.
    ClientId,
    /// 26 small letters and digits.
    ApiId,
    /// `d` and small letters and digits, thirteen to fifteen in all.
    AppId,
    /// 32 hexadecimal digits.
    Hex32,
    /// 64 hexadecimal digits.
    Hex64,
    /// Forty characters of base64 with the entropy of a key.
    SecretKey,
    /// Base64, 16 characters or more.
    Base64,
    /// An access key id and the scope of a signature: `AKIA…/20250101/us-east-1/s3/aws4_request`.
    CredentialScope,
    /// Anything without white space and with a digit, twenty characters or more.
    Token,
    /// Anything without white space, four characters or more.
    Password,
    /// Everything up to the closing quote.
    QuotedSecret,
}

impl ValueShape {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "account" => Self::Account,
            "name" => Self::Name,
            "plain-name" => Self::PlainName,
            "spaced-name" => Self::SpacedName,
            "log-stream" => Self::LogStream,
            "alias" => Self::Alias,
            "uuid" => Self::Uuid,
            "opaque-id" => Self::OpaqueId,
            "zone-id" => Self::ZoneId,
            "change-id" => Self::ChangeId,
            "distribution-id" => Self::DistributionId,
            "invalidation-id" => Self::InvalidationId,
            "zone-path" => Self::ZonePath,
            "change-path" => Self::ChangePath,
            "delegation-set-path" => Self::DelegationSetPath,
            "media-job" => Self::MediaJob,
            "org-root" => Self::OrgRoot,
            "lower-id" => Self::LowerId,
            "api-id" => Self::ApiId,
            "app-id" => Self::AppId,
            "client-id" => Self::ClientId,
            "hex32" => Self::Hex32,
            "hex64" => Self::Hex64,
            "secret-key" => Self::SecretKey,
            "base64" => Self::Base64,
            "credential-scope" => Self::CredentialScope,
            "token" => Self::Token,
            "password" => Self::Password,
            "quoted-secret" => Self::QuotedSecret,
            _ => return None,
        })
    }
}

/// One meaning of a key.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Kind of the value.
    pub kind: KindId,
    /// Which spellings of the key count.
    pub matches: Match,
    /// What the value looks like.
    pub value: ValueShape,
    /// The service that the text must speak of nearby.
    pub hint: Option<&'static str>,
}

/// Longest key looked at.
pub const MAX_KEY_LEN: usize = 96;

/// Members by normalised key: lower case, without `-`, `_` and `.`.
#[derive(Debug)]
pub struct Members {
    by_key: HashMap<&'static [u8], Vec<Member>>,
    /// The last three characters of every key, as a bit each: most keys of a text are turned down here.
    tails: Vec<u64>,
}

impl Members {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut by_key: HashMap<&'static [u8], Vec<Member>> = HashMap::new();
        let mut tails = vec![0u64; 1 << 9];
        for [key, kind, matches, value, hint] in table::rows::<5>(Self::TABLE) {
            let (Some(&kind), Some(matches), Some(value)) =
                (by_name.get(kind), Match::parse(matches), ValueShape::parse(value))
            else {
                continue;
            };
            let hint = Some(hint).filter(|&hint| hint != "-");
            by_key.entry(key.as_bytes()).or_default().push(Member { kind, matches, value, hint });
            let (third, last) = key.as_bytes().split_at(key.len().saturating_sub(2));
            // Anything may stand before a key of two characters, and a separator before the last two of every key.
            for third in third.last().map_or(0..32, |&c| c..c + 1).chain([0]) {
                let bit = tail_bit(third, last);
                tails[bit / 64] |= 1 << (bit % 64);
            }
        }
        Self { by_key, tails }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/members.tsv");

    /// The meanings of this normalised key.
    pub fn get(&self, key: &[u8]) -> &[Member] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// False when no key ends as this text does, in either case and with separators in it.
    #[inline]
    pub fn may_end(&self, text: &[u8]) -> bool {
        let Some((before, last)) = text.split_last_chunk::<2>() else { return false };
        // A separator, or the end of an escape, has the bit of a key of two characters.
        let third = before.last().copied().filter(u8::is_ascii_alphanumeric).unwrap_or(0);
        let bit = tail_bit(third, last);
        last.iter().all(u8::is_ascii_alphanumeric) && self.tails[bit / 64] & 1 << (bit % 64) != 0
    }
}

/// Letters of either case have the same bit; digits share theirs with some letters.
#[inline]
fn tail_bit(third: u8, last: &[u8]) -> usize {
    last.iter().fold(usize::from(third & 31), |bit, c| bit << 5 | usize::from(c & 31))
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_row_is_read() {
        for line in Members::TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 5, "{line}");
            assert!((2..=MAX_KEY_LEN).contains(&columns[0].len()), "{line}");
            assert!(Match::parse(columns[2]).is_some(), "{line}");
            assert!(ValueShape::parse(columns[3]).is_some(), "{line}");
            let kind = Catalog::get().find(columns[1]);
            let found = Catalog::get().members.get(columns[0].as_bytes());
            assert!(kind.is_some() && found.iter().any(|m| Some(m.kind) == kind), "{line}");
        }
    }

    #[test]
    fn tails_let_every_key_through_and_turn_others_down() {
        let members = &Catalog::get().members;
        for key in members.by_key.keys() {
            assert!(members.may_end(key) && members.may_end(&key.to_ascii_uppercase()));
            assert!(members.may_end(&[b"x_", &key[..]].concat()));
            let (before, last) = key.split_at(key.len() - 2);
            assert!(members.may_end(&[before, b"_", last].concat()));
        }
        assert!(!members.may_end(b"xzq") && !members.may_end(b"timeout") && !members.may_end(b"e"));
    }
}
