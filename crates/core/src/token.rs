//! Tokens: what stands in a masked body in place of an original.
//!
//! `LABEL_XXXXXXXX`: a label of 2–10 upper-case letters or digits and 8 characters of base32 (A–Z, 2–7) of
//! HMAC-SHA-256 over scope and original. The same original gives the same token in every process that has the key;
//! without the key a token says nothing. A token is made longer (13 characters) when two originals of one session meet.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use highway::{HighwayHash, HighwayHasher, Key};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::detect::RecallKey;
use crate::{Error, Result};

/// Characters of base32 in an ordinary token.
pub const CODE_LEN: usize = 8;
/// Characters of base32 in a token that had to be told apart from another.
pub const LONG_CODE_LEN: usize = 13;
/// Shortest and longest label.
pub const LABEL_LEN: std::ops::RangeInclusive<usize> = 2..=10;
/// Longest token in its plain spelling.
pub const MAX_TOKEN_LEN: usize = 10 + 1 + LONG_CODE_LEN;
/// Shortest accepted secret, bytes.
pub const MIN_SECRET_LEN: usize = 16;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Value of a base32 character of either case, or `NOT_BASE32`.
const NOT_BASE32: u8 = 0xff;
const VALUES: [u8; 256] = {
    let mut values = [NOT_BASE32; 256];
    let mut i: u8 = 0;
    while i < 32 {
        let c = ALPHABET[i as usize];
        values[c as usize] = i;
        values[c.to_ascii_lowercase() as usize] = i;
        i += 1;
    }
    values
};

/// The 40 bits that the first eight characters after a label spell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Code(u64);

impl Code {
    /// Reads eight base32 characters of either case.
    pub fn read(text: &[u8]) -> Option<Self> {
        let (mut bits, mut all) = (0u64, 0);
        for &c in text.first_chunk::<CODE_LEN>()? {
            let value = VALUES[usize::from(c)];
            bits = bits << 5 | u64::from(value);
            all |= value;
        }
        if all == NOT_BASE32 {
            return None;
        }
        Some(Self(bits))
    }
}

/// True for a character that may stand in the part of a token after `_`, in either case.
#[inline]
pub fn is_code_char(c: u8) -> bool {
    VALUES[usize::from(c)] != NOT_BASE32
}

/// True for a character of a code as tokens are made with it: upper case.
pub(crate) fn is_base32(c: u8) -> bool {
    matches!(c, b'A'..=b'Z' | b'2'..=b'7')
}

/// True when `text` is spelled like a whole token. Such a text is never masked again.
pub fn is_token_shaped(text: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'_', text) else { return false };
    let (label, code) = (&text[..at], &text[at + 1..]);
    LABEL_LEN.contains(&label.len())
        && label[0].is_ascii_uppercase()
        && label.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && (code.len() == CODE_LEN || code.len() == LONG_CODE_LEN)
        && code.iter().all(|&c| is_base32(c))
}

/// The token in `text` whose separator is at `separator`, where nothing makes its code longer.
pub(crate) fn token_at(text: &[u8], separator: usize) -> Option<Range<usize>> {
    let is_of_label = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    // What is longer than any is none.
    let (before, behind) = (text.get(..separator)?.iter().rev(), text.get(separator + 1..)?.iter());
    let label_len = before.take(LABEL_LEN.end() + 1).take_while(|c| is_of_label(c)).count();
    let code_len = behind.take(LONG_CODE_LEN + 1).take_while(|c| c.is_ascii_alphanumeric()).count();
    let token = separator - label_len..separator + 1 + code_len;
    is_token_shaped(&text[token.clone()]).then_some(token)
}

/// The token that `text` begins with.
pub(crate) fn leading_token(text: &[u8]) -> Option<&[u8]> {
    let separator = memchr::memchr(b'_', &text[..text.len().min(LABEL_LEN.end() + 1)])?;
    token_at(text, separator).filter(|token| token.start == 0).map(|token| &text[token])
}

/// The key that tokens are made with. Wiped when dropped; `Debug` shows the length of the secret only.
#[derive(Clone)]
pub struct TokenKey {
    /// Keyed with the secret: every scope begins with it.
    mac: Hmac<Sha256>,
    /// What the keys of scopes are made with by which texts are known that were looked at before.
    recall: [u64; 4],
    secret_len: usize,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({} bytes)", self.secret_len)
    }
}

impl Drop for TokenKey {
    fn drop(&mut self) {
        wipe(&mut self.mac);
        self.recall.zeroize();
    }
}

impl TokenKey {
    /// Takes the operator's secret (or 32 random bytes).
    ///
    /// # Errors
    /// [`Error::Config`] when it is shorter than 16 bytes.
    pub fn new(secret: &[u8]) -> Result<Self> {
        check_secret(secret)?;
        let mac = mac(secret);
        let mut recall = mac.clone();
        recall.update(b"aws-masker/recall/v1");
        Ok(Self { mac, recall: words(&recall.finalize().into_bytes()), secret_len: secret.len() })
    }

    /// The key of one scope. A token of one scope means nothing in another.
    ///
    /// `scope` is any text that names the owner. It is digested when the first token is made; what is kept until then is
    /// wiped with the key.
    pub fn scope(&self, scope: &[u8]) -> ScopeKey {
        let mut begun = self.mac.clone();
        begun.update(b"aws-masker/scope/v1\0");
        begun.update(scope);
        let recall = HighwayHasher::new(Key(self.recall)).hash256(scope);
        ScopeKey { begun, mac: OnceCell::new(), recall: RecallKey(recall) }
    }
}

pub(crate) fn check_secret(secret: &[u8]) -> Result<()> {
    if secret.len() < MIN_SECRET_LEN {
        let len = secret.len();
        return Err(Error::Config(format!("token_secret: has {len} bytes, at least {MIN_SECRET_LEN} are needed")));
    }
    Ok(())
}

pub(crate) fn mac(key: &[u8]) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of every length; the error type exists for other MACs.
        Err(_) => unreachable!("HMAC-SHA-256 takes keys of any length"),
    }
}

/// The words that 32 bytes spell.
fn words(bytes: &[u8]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// Overwrites what a hash state knows of its key and of what went through it.
fn wipe(state: &mut Hmac<Sha256>) {
    static BLANK: OnceLock<Hmac<Sha256>> = OnceLock::new();
    state.clone_from(BLANK.get_or_init(|| mac(&[])));
    // Somebody might look: the write above has to happen.
    std::hint::black_box(state);
}

/// Key of one scope, with the keyed hash state ready once a token was made: one more costs two compressions. Wiped when
/// dropped.
#[derive(Clone)]
pub struct ScopeKey {
    /// What digests the scope. Most requests hold nothing to make a token for.
    begun: Hmac<Sha256>,
    mac: OnceCell<Hmac<Sha256>>,
    recall: RecallKey,
}

impl Drop for ScopeKey {
    fn drop(&mut self) {
        wipe(&mut self.begun);
        if let Some(mac) = self.mac.get_mut() {
            wipe(mac);
        }
        self.recall.0.zeroize();
    }
}

impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopeKey(..)")
    }
}

impl ScopeKey {
    /// What texts of the scope are known by.
    pub(crate) fn recall(&self) -> &RecallKey {
        &self.recall
    }

    /// What the token for `original` is made of; each attempt gives another one.
    pub fn digest(&self, original: &[u8], attempt: u8) -> CodeDigest {
        let keyed = || {
            let key: Zeroizing<[u8; 32]> = Zeroizing::new(self.begun.clone().finalize().into_bytes().into());
            mac(key.as_slice())
        };
        let mut mac = self.mac.get_or_init(keyed).clone();
        mac.update(&[attempt]);
        mac.update(original);
        let digest = mac.finalize().into_bytes();
        let mut word = [0u8; 8];
        word.copy_from_slice(&digest[..8]);
        CodeDigest(u64::from_be_bytes(word))
    }
}

/// What the base32 part of a token spells, and some bits more: a keyed digest, which says no more than the token does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeDigest(u64);

impl CodeDigest {
    /// Appends [`CODE_LEN`] characters to `out`, or [`LONG_CODE_LEN`], and gives what the first ones spell.
    pub fn write(self, is_long: bool, out: &mut Vec<u8>) -> Code {
        let mut code = [0u8; LONG_CODE_LEN];
        // 13 characters want 65 bits: the last one is made of the 4 that are left.
        let mut bits = self.0;
        for c in &mut code {
            *c = ALPHABET[usize::from((bits >> 59).to_le_bytes()[0])];
            bits <<= 5;
        }
        out.extend_from_slice(&code[..if is_long { LONG_CODE_LEN } else { CODE_LEN }]);
        Code(self.0 >> (64 - 5 * CODE_LEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ScopeKey {
        TokenKey::new(b"a secret of thirty-two bytes ...").unwrap().scope(b"global")
    }

    #[test]
    fn tokens_in_texts() {
        let at = |text: &str| token_at(text.as_bytes(), text.find('_').unwrap());
        for (text, token) in [
            ("EC2_ABCDEFGH", 0..12),
            ("x+EC2_ABCDEFGH+", 2..14),
            ("nEC2_ABCDEFGH", 1..13),
            ("/EC2_ABCDEFGHJKLMN.", 1..18),
        ] {
            assert_eq!(at(text), Some(token), "{text}");
        }
        for text in ["_", "_ABCDEFGH", "EC2_", "EC2_ABCDEFGHs", "AVERYLONGLABEL_ABCDEFGH", "ec2_ABCDEFGH"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_is_stable_and_depends_on_scope_and_original() {
        let code = |key: &ScopeKey, original: &[u8]| {
            let mut out = Vec::new();
            key.digest(original, 0).write(false, &mut out);
            out
        };
        let other = TokenKey::new(b"a secret of thirty-two bytes ...").unwrap().scope(b"consumer:1");
        assert_eq!(code(&key(), b"i-1"), code(&key(), b"i-1"));
        assert_ne!(code(&key(), b"i-1"), code(&key(), b"i-2"));
        assert_ne!(code(&key(), b"i-1"), code(&other, b"i-1"));
        assert_eq!(code(&key(), b"i-1").len(), CODE_LEN);
    }

    #[test]
    fn a_code_is_what_its_characters_spell() {
        for attempt in 0..4 {
            let mut out = Vec::new();
            let code = key().digest(b"vpc-1", attempt).write(attempt > 0, &mut out);
            assert_eq!(Code::read(&out), Some(code));
        }
    }

    #[test]
    fn further_attempts_are_longer_and_differ_from_the_first_character_block() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        key().digest(b"vpc-1", 0).write(false, &mut first);
        key().digest(b"vpc-1", 1).write(true, &mut second);
        assert_eq!(second.len(), LONG_CODE_LEN);
        assert_ne!(first, second[..CODE_LEN]);
    }

    #[test]
    fn shapes() {
        assert!(is_token_shaped(b"EC2_ABCDEFGH"));
        assert!(is_token_shaped(b"EC2_ABCDEFGHIJKLM"));
        assert!(!is_token_shaped(b"EC2_ABCDEFG"));
        assert!(!is_token_shaped(b"EC2_ABCDEFG1"));
        assert!(!is_token_shaped(b"2EC_ABCDEFGH"));
        assert!(!is_token_shaped(b"max_requests"));
        assert_eq!(Code::read(b"abcdefgh"), Code::read(b"ABCDEFGH"));
        assert_eq!(Code::read(b"ABCDEFG1"), None);
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!(TokenKey::new(b"short").is_err());
        assert_eq!(format!("{:?}", TokenKey::new(&[7; 20]).unwrap()), "TokenKey(20 bytes)");
    }
}
