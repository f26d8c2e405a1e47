//! Member names, flags and attributes whose values are identifiers: `"DBInstanceIdentifier": …`, `--bucket …`.

use hashbrown::{HashMap, HashSet};

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
    /// A name that no prose has: of several words, or with a digit.
    OwnName,
    /// No value, but a thing with a name.
    Named,
    /// Likewise, with a name that no prose has.
    OwnNamed,
    /// No value, but a map whose values are names.
    Mapped,
    /// A name, and behind a colon what of the thing is meant: `ci/sonar:token`.
    Reference,
    /// The key of an object in S3, with a `/` and a digit in it.
    ObjectKey,
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
    /// A bucket and the key of an object in it: `acme-logs/2026/x.csv`, also behind a slash.
    BucketPath,
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
    /// Small letters and digits, twenty and more.
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
            "own-name" => Self::OwnName,
            "named" => Self::Named,
            "own-named" => Self::OwnNamed,
            "mapped" => Self::Mapped,
            "reference" => Self::Reference,
            "object-key" => Self::ObjectKey,
            "log-stream" => Self::LogStream,
            "alias" => Self::Alias,
            "uuid" => Self::Uuid,
            "opaque-id" => Self::OpaqueId,
            "zone-id" => Self::ZoneId,
            "change-id" => Self::ChangeId,
            "distribution-id" => Self::DistributionId,
            "invalidation-id" => Self::InvalidationId,
            "zone-path" => Self::ZonePath,
            "bucket-path" => Self::BucketPath,
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

/// Keys that mean what the key before them says: `{"name": "S3_BUCKET", "value": …}`. Members of AWS end so, too.
pub const PAIRED: [&[u8]; 2] = [b"value", b"values"];
/// Keys that mean what stands around them says.
const NAMES: [&[u8]; 2] = [b"name", b"names"];

/// Characters of the end of a key by which most keys of a text are turned down.
const TAIL: usize = 4;
/// Slots of the table of ends: several times as many as there are ends.
const TAIL_SLOTS: usize = 1 << 10;
/// Most separators among these characters.
const MAX_SEPARATORS: usize = 4;
/// What may stand between the characters of a key.
const SEPARATORS: [u8; 3] = [b'_', b'-', b'.'];

/// Members by normalised key: lower case, without `-`, `_` and `.`.
#[derive(Debug)]
pub struct Members {
    by_key: HashMap<&'static [u8], Vec<Member>>,
    first_sight: FirstSight,
    /// The codes of the last characters of every key, at [`slot`] or right behind it; 0 where there are none.
    tails: Vec<u32>,
    /// For each of these, by its code: a bit for each character that stands before the tail of a key, and one for each
    /// that stands before that.
    befores: Vec<[u64; 2]>,
    /// The keys that are shorter than that, with the codes of their last two characters. All are [`Match::Exact`].
    short: Vec<(u32, &'static [u8])>,
    /// By the code of the last character of these: a bit for that of the one before.
    short_lasts: [u64; 64],
}

impl Members {
    pub(super) fn read(by_name: &HashMap<&'static str, KindId>) -> Self {
        let mut by_key: HashMap<&'static [u8], Vec<Member>> = HashMap::new();
        let mut first_sight = FirstSight { around: Box::new([[[0; 2]; 32]; 32]) };
        let mut ends = HashSet::new();
        let (mut tails, mut befores) = (vec![0; TAIL_SLOTS], vec![[0; 2]; TAIL_SLOTS]);
        let (mut short, mut short_lasts) = (Vec::new(), [0; 64]);
        for [key, kind, matches, value, hint] in table::rows::<5>(Self::TABLE) {
            let (Some(&kind), Some(matches), Some(value)) =
                (by_name.get(kind), Match::parse(matches), ValueShape::parse(value))
            else {
                continue;
            };
            let hint = Some(hint).filter(|&hint| hint != "-");
            let key = key.as_bytes();
            by_key.entry(key).or_default().push(Member { kind, matches, value, hint });
            let end = &key[key.len().saturating_sub(TAIL)..];
            if ends.insert(end) {
                last_spellings(end).into_iter().for_each(|end| first_sight.add(end));
            }
            let coded = key.iter().rev().take(TAIL).enumerate().fold(0, |coded, (i, &c)| with_char(coded, i, c));
            if key.len() >= TAIL {
                let mut at = slot(coded);
                while tails[at] != 0 && tails[at] != coded {
                    at = (at + 1) % TAIL_SLOTS;
                }
                tails[at] = coded;
                let is_told = NAMES.iter().chain(&PAIRED).any(|told| told.ends_with(end));
                for (bits, back) in befores[at].iter_mut().zip(TAIL + 1..) {
                    // Before the key itself anything may stand.
                    let own = key.len().checked_sub(back).filter(|_| !is_told);
                    *bits |= own.map_or(u64::MAX, |i| 1 << CODES[usize::from(key[i])]);
                }
            } else if !short.iter().any(|&(_, known)| known == key) {
                short.push((coded & LAST_TWO, key));
                let [last, before] = last_two(coded);
                short_lasts[last] |= 1 << before;
            }
        }
        Self { by_key, first_sight, tails, befores, short, short_lasts }
    }

    pub(super) const TABLE: &'static str = include_str!("../../data/members.tsv");

    /// What texts have to speak of for a member to count.
    pub(crate) fn hints(&self) -> impl Iterator<Item = &'static str> {
        self.by_key.values().flatten().filter_map(|member| member.hint)
    }

    /// The meanings of this normalised key.
    pub fn get(&self, key: &[u8]) -> &[Member] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// False when no key ends as this text does, in either case and with separators in it.
    #[inline]
    pub fn may_end(&self, text: &[u8]) -> bool {
        self.may_end_at_first_sight(text) && self.may_end_by(text, |at| at.is_some())
    }

    /// [`Self::may_end`], turning more down: by two characters more, for what means nothing unless it does as a key.
    #[inline]
    pub(crate) fn may_mean_something(&self, key: &[u8]) -> bool {
        self.may_end_by(key, |at| at.is_some_and(|at| self.may_stand_before(at, key)))
    }

    /// [`FirstSight::may_end`] of these keys.
    #[inline(always)]
    pub(crate) fn may_end_at_first_sight(&self, text: &[u8]) -> bool {
        self.first_sight.may_end(text)
    }

    pub(crate) fn first_sight(&self) -> &FirstSight {
        &self.first_sight
    }

    /// What `known` says of the place of the text's tail in the table, if it is there.
    fn may_end_by(&self, text: &[u8], known: impl Fn(Option<usize>) -> bool) -> bool {
        let Some(tail) = text.last_chunk::<TAIL>() else { return self.may_end_slowly(text) };
        let [d, c, b, a] = tail.map(|c| u32::from(CODES[usize::from(c)]));
        if a == 0 || b == 0 || c == 0 || d == 0 {
            return a != 0 && self.may_end_slowly(text);
        }
        let coded = a | b << 6 | c << 12 | d << 18;
        known(self.find_tail(coded)) || self.may_end_in_short(coded, text)
    }

    /// False when no key with the tail at `at` has the two characters before it that the text has. Separators may stand
    /// between them.
    fn may_stand_before(&self, at: usize, text: &[u8]) -> bool {
        let Some(&[second, first, ..]) = text.last_chunk::<{ TAIL + 2 }>() else { return true };
        let [firsts, seconds] = self.befores[at];
        match (CODES[usize::from(first)], CODES[usize::from(second)]) {
            (0, _) => true,
            (first, second) => firsts >> first & 1 == 1 && (second == 0 || seconds >> second & 1 == 1),
        }
    }

    #[inline]
    fn may_end_in_short(&self, coded: u32, text: &[u8]) -> bool {
        let [last, before] = last_two(coded);
        self.short_lasts[last] >> before & 1 == 1
            && self.short.iter().any(|&(last, key)| last == coded & LAST_TWO && ends_in_short(text, key))
    }

    /// [`Self::may_end`] for texts that are shorter than a tail, or have separators in it.
    fn may_end_slowly(&self, text: &[u8]) -> bool {
        let Some(last) = text.last().map(|&c| CODES[usize::from(c)]).filter(|&code| code != 0) else { return false };
        self.may_end_across_separators(text)
            || self.short_lasts[usize::from(last)] != 0 && self.short.iter().any(|(_, key)| ends_in_short(text, key))
    }

    fn may_end_across_separators(&self, text: &[u8]) -> bool {
        let (mut coded, mut taken, mut at) = (0, 0, text.len());
        let floor = at.saturating_sub(TAIL + MAX_SEPARATORS);
        while taken < TAIL && at > floor {
            match text[at - 1] {
                c if c.is_ascii_alphanumeric() => {
                    coded = with_char(coded, taken, c);
                    taken += 1;
                }
                b'_' | b'-' | b'.' => {}
                _ => return false,
            }
            at -= 1;
        }
        // So many separators are looked into.
        if taken < TAIL { floor > 0 } else { self.find_tail(coded).is_some() }
    }

    fn find_tail(&self, coded: u32) -> Option<usize> {
        let mut at = slot(coded);
        loop {
            match self.tails[at] {
                0 => return None,
                found if found == coded => return Some(at),
                _ => at = (at + 1) % TAIL_SLOTS,
            }
        }
    }
}

/// The last four bytes of whatever spells a key, three of them at a time and by five bits of each, which are the same for a
/// letter of either case.
#[derive(Debug)]
pub struct FirstSight {
    /// By the third and the second byte from the end: a bit for each last byte, and one for each that is the fourth.
    around: Box<[[[u32; 2]; 32]; 32]>,
}

impl FirstSight {
    fn add(&mut self, [d, c, b, a]: [u8; TAIL]) {
        let [lasts, fourths] = &mut self.around[usize::from(c & 31)][usize::from(b & 31)];
        *lasts |= 1 << (a & 31);
        *fourths |= 1 << (d & 31);
    }

    /// [`Members::may_end`], letting more through: little enough to be asked at every separator of a text.
    #[inline(always)]
    pub(crate) fn may_end(&self, text: &[u8]) -> bool {
        text.last_chunk().is_none_or(|&last| self.may_be_last(last))
    }

    /// [`Self::may_end`] of a text with these last bytes; zeros stand for those that it does not have.
    #[inline(always)]
    pub(crate) fn may_be_last(&self, [d, c, b, a]: [u8; TAIL]) -> bool {
        let [lasts, fourths] = self.around[usize::from(c) & 31][usize::from(b) & 31];
        (lasts >> (a & 31)) & (fourths >> (d & 31)) & 1 == 1
    }
}

/// The last bytes of all the ways to spell a key that ends so, of those that five bits tell apart.
fn last_spellings(key: &[u8]) -> Vec<[u8; TAIL]> {
    let any = || (0..32).collect::<Vec<u8>>();
    // The last character of a text that ends in a key is the key's own.
    let mut ends: Vec<(Vec<u8>, usize)> = key.last().map(|&c| (vec![c], 1)).into_iter().collect();
    for _ in 1..TAIL {
        ends = ends
            .into_iter()
            .flat_map(|(end, taken)| {
                let own = key.len().checked_sub(taken + 1).map(|at| key[at]);
                // Before the key itself anything may stand.
                let own = own.map_or_else(any, |c| vec![c]).into_iter().map(|c| (c, taken + 1));
                let longer = own.chain(SEPARATORS.map(|c| (c, taken)));
                longer.map(|(c, taken)| ([&[c], end.as_slice()].concat(), taken)).collect::<Vec<_>>()
            })
            .collect();
    }
    ends.into_iter().filter_map(|(end, _)| end.try_into().ok()).collect()
}

/// Six bits for a letter or digit, the same for a letter of either case; 0 for all else.
const CODES: [u8; 256] = {
    let mut codes = [0; 256];
    let mut i: u8 = 0;
    while i < 26 {
        codes[(b'a' + i) as usize] = i + 1;
        codes[(b'A' + i) as usize] = i + 1;
        i += 1;
    }
    while i < 36 {
        codes[(b'0' + i - 26) as usize] = i + 1;
        i += 1;
    }
    codes
};

/// The bits of the last two characters.
const LAST_TWO: u32 = (1 << 12) - 1;

/// The codes of some last characters, with one more before them.
fn with_char(coded: u32, taken: usize, c: u8) -> u32 {
    coded | u32::from(CODES[usize::from(c)]) << (6 * taken)
}

/// The codes of the last character and of the one before, of these.
#[inline(always)]
fn last_two(coded: u32) -> [usize; 2] {
    [coded & 63, coded >> 6 & 63].map(|code| usize::try_from(code).unwrap_or(0))
}

/// Where in the table the codes of four characters stand.
#[inline]
fn slot(coded: u32) -> usize {
    usize::try_from(coded.wrapping_mul(0x9e37_79b1) >> (32 - TAIL_SLOTS.trailing_zeros())).unwrap_or(0)
}

/// True when `text` ends in `key`, with nothing before it but what may stand before a key.
fn ends_in_short(text: &[u8], key: &[u8]) -> bool {
    let mut start = text.len();
    for &wanted in key.iter().rev() {
        while start > 0 && matches!(text[start - 1], b'_' | b'-' | b'.') {
            start -= 1;
        }
        if start == 0 || !text[start - 1].eq_ignore_ascii_case(&wanted) {
            return false;
        }
        start -= 1;
    }
    // The letters before it may belong to an escape, a percent code or a terminal's color.
    let near = &text[start.saturating_sub(6)..start];
    near.last().is_none_or(|c| !c.is_ascii_alphanumeric())
        || near.iter().any(|c| matches!(c, b'\\' | b'%' | b'[' | b';'))
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
            let (before, last) = key.split_at(key.len() - 1);
            assert!(
                members.may_end(&[before, b".", last].concat()) && members.may_end(&[before, b"--", last].concat())
            );
        }
        for key in PAIRED {
            assert!(members.may_end(key));
        }
        for word in ["xzq", "timeout", "e", "text", "type", "content", "role", "tools", "a_b", "x_", ""] {
            assert!(!members.may_end(word.as_bytes()), "{word}");
        }
        for key in [&br"x\nid"[..], br"\u00e9id", b"%2Fid", b"order_id", b"i_d", br"\taws", b"\x1b[31mid", b"a-----i.d"]
        {
            assert!(members.may_end(key), "{}", key.escape_ascii());
        }
    }

    #[test]
    fn every_key_may_mean_something_and_most_that_end_like_one_do_not() {
        let members = &Catalog::get().members;
        for key in members.by_key.keys().copied().chain(NAMES).chain(PAIRED) {
            assert!(members.may_mean_something(key));
            for before in [&b"x"[..], b"9", b"x_", b"\\n", b"%2F", b"x.y-"].into_iter().filter(|_| key.len() >= TAIL) {
                assert!(members.may_mean_something(&[before, key].concat().to_ascii_uppercase()));
                for at in 0..key.len() {
                    let spelled = [before, &key[..at], b"_", &key[at..]].concat();
                    assert!(members.may_mean_something(&spelled), "{}", spelled.escape_ascii());
                }
            }
        }
        for word in ["version", "headers", "description", "MessageHeaders"] {
            assert!(members.may_end(word.as_bytes()) && !members.may_mean_something(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn short_keys_mean_something_alone_only() {
        let members = &Catalog::get().members;
        let exact = |key: &[u8]| members.get(key).iter().all(|member| member.matches == Match::Exact);
        assert!(members.by_key.keys().all(|key| key.len() >= TAIL || exact(key)));
        // A table that is nearly full would be slow.
        assert!(members.tails.iter().filter(|&&coded| coded != 0).count() * 2 < TAIL_SLOTS);
    }
}
