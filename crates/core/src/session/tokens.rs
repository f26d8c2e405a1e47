//! The tokens of one session, found by original and by what they spell.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};
use zeroize::Zeroize;

use super::wipe_kept;
use crate::catalog::KindId;
use crate::json::stands_in_string;
use crate::token::{CODE_LEN, Code, CodeDigest, LONG_CODE_LEN, ScopeKey, is_token_shaped};

/// How many spellings of a token are tried before two originals are given up as the same; each try has 65 bits.
const MAX_ATTEMPTS: u8 = 8;

/// Bytes that most tokens and their originals take.
const BYTES_PER_TOKEN: usize = 40;
/// Memory that is kept for other tokens, bytes of them and their originals.
const MAX_KEPT: usize = 8 * 1024;

/// A token and what it stands for.
#[derive(Clone, Copy)]
pub struct TokenEntry<'a> {
    /// Spelling of the token.
    pub token: &'a [u8],
    /// What it stands for.
    pub original: &'a [u8],
    /// Kind that it was found as; `None` when it was learned.
    pub kind: Option<KindId>,
    /// It is turned back in answers.
    pub restores: bool,
}

impl fmt::Debug for TokenEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenEntry({} bytes)", self.original.len())
    }
}

#[derive(Clone, Copy)]
struct Entry {
    kind: Option<KindId>,
    restores: bool,
    label_len: u8,
    token: usize,
    original: usize,
    end: usize,
    code: Code,
}

/// All tokens of a session. Wiped when dropped; `Debug` shows how many.
#[derive(Default)]
pub struct TokenIndex {
    /// Tokens and originals, one after the other.
    arena: Vec<u8>,
    entries: Vec<Entry>,
    by_original: HashTable<u32>,
    by_code: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Different labels of tokens that restore: where each stands first.
    labels: Vec<Range<usize>>,
    /// Which of the labels begin with a letter, a bit each, by the last five bits of the letter.
    labels_by_letter: [u64; 32],
    /// Which letters come second after a letter, likewise.
    second_letters: [u32; 32],
    /// Indices of tokens that restore, in the order of their spelling. Made when first asked for.
    sorted: OnceCell<Vec<u32>>,
    /// Some original that restores cannot stand in a JSON string as it is.
    breaks_strings: bool,
    /// A document of the request has such an original as it is, and gets it back so.
    has_broken_strings: bool,
    /// Texts that looked like tokens and stand for nothing known.
    unresolved: Cell<u64>,
}

impl fmt::Debug for TokenIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenIndex({} tokens)", self.entries.len())
    }
}

impl Drop for TokenIndex {
    fn drop(&mut self) {
        self.arena.zeroize();
    }
}

impl TokenIndex {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Wipes everything. What memory most requests need is kept.
    pub(super) fn forget(&mut self) {
        if self.is_empty() {
            return self.unresolved.set(0);
        }
        if self.arena.capacity() > MAX_KEPT {
            *self = Self::default();
            return;
        }
        wipe_kept(&mut self.arena);
        self.entries.clear();
        self.by_original.clear();
        self.by_code.clear();
        self.labels.clear();
        self.labels_by_letter.fill(0);
        self.second_letters.fill(0);
        self.breaks_strings = false;
        self.has_broken_strings = false;
        self.sorted.take();
        self.unresolved.set(0);
    }

    /// Every token, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = TokenEntry<'_>> {
        self.entries.iter().map(|entry| self.entry_view(entry))
    }

    fn entry_view<'a>(&'a self, entry: &'a Entry) -> TokenEntry<'a> {
        TokenEntry {
            token: self.token_of(entry),
            original: self.original_of(entry),
            kind: entry.kind,
            restores: entry.restores,
        }
    }

    fn token_of(&self, entry: &Entry) -> &[u8] {
        &self.arena[entry.token..entry.original]
    }

    fn original_of(&self, entry: &Entry) -> &[u8] {
        &self.arena[entry.original..entry.end]
    }

    fn entry(&self, index: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Makes room for so many tokens more.
    pub(super) fn reserve(&mut self, tokens: usize) {
        self.entries.reserve(tokens);
        self.arena.reserve(tokens * BYTES_PER_TOKEN);
        let (entries, arena, hasher) = (&self.entries, &self.arena, &self.hasher);
        let get = |i: u32| usize::try_from(i).ok().and_then(|i| entries.get(i));
        self.by_original.reserve(tokens, |&i| get(i).map_or(0, |e| hasher.hash_one(&arena[e.original..e.end])));
        self.by_code.reserve(tokens, |&i| get(i).map_or(0, |e| hasher.hash_one(e.code)));
    }

    /// The token for `original`: the one it has, or a new one under `label`. What that is made of first is taken from
    /// `digest` where it is known, and left there.
    pub(super) fn token(
        &mut self,
        key: &ScopeKey,
        original: &[u8],
        (kind, label): (KindId, &str),
        restores: bool,
        digest: &mut Option<CodeDigest>,
    ) -> &[u8] {
        let hash = self.hasher.hash_one(original);
        let found =
            self.by_original.find(hash, |&i| self.entry(i).is_some_and(|e| self.original_of(e) == original)).copied();
        let index = match found {
            Some(index) => index,
            None => {
                let first = *digest.get_or_insert_with(|| key.digest(original, 0));
                self.make(key, first, (original, hash), (kind, label), restores)
            }
        };
        self.entry(index).map_or(&[], |entry| self.token_of(entry))
    }

    /// `hash` is that of `original`, `digest` what its token is made of if that is still free.
    fn make(
        &mut self,
        key: &ScopeKey,
        mut digest: CodeDigest,
        (original, hash): (&[u8], u64),
        (kind, label): (KindId, &str),
        restores: bool,
    ) -> u32 {
        let mut attempt = 0;
        loop {
            let start = self.arena.len();
            self.arena.extend_from_slice(label.as_bytes());
            self.arena.push(b'_');
            let code = digest.write(attempt > 0, &mut self.arena);
            attempt += 1;
            if attempt > MAX_ATTEMPTS || self.find_code(code).is_none() {
                return self.push(Some(kind), restores, label.len(), start, (original, hash), code);
            }
            self.arena.truncate(start);
            digest = key.digest(original, attempt);
        }
    }

    fn push(
        &mut self,
        kind: Option<KindId>,
        restores: bool,
        label_len: usize,
        token: usize,
        (original, hash): (&[u8], u64),
        code: Code,
    ) -> u32 {
        let at = self.arena.len();
        self.arena.extend_from_slice(original);
        self.sorted.take();
        let label_len = u8::try_from(label_len).unwrap_or(u8::MAX);
        let end = self.arena.len();
        // A session holds fewer tokens than a body has bytes, and bodies are bounded far below 4 GiB.
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { kind, restores, label_len, token, original: at, end, code });
        let (entries, arena, hasher) = (&self.entries, &self.arena, &self.hasher);
        let get = |i: u32| usize::try_from(i).ok().and_then(|i| entries.get(i));
        self.by_original
            .insert_unique(hash, index, |&i| get(i).map_or(0, |e| hasher.hash_one(&arena[e.original..e.end])));
        self.by_code.insert_unique(hasher.hash_one(code), index, |&i| get(i).map_or(0, |e| hasher.hash_one(e.code)));
        if restores {
            self.breaks_strings |= !stands_in_string(original);
            let place = token..token + usize::from(label_len);
            let label = &self.arena[place.clone()];
            if !self.labels.iter().any(|known| &self.arena[known.clone()] == label) {
                let bit = 1 << (self.labels.len() % 64);
                let first = usize::from(label[0] & 31);
                self.labels_by_letter[first] |= bit;
                self.second_letters[first] |= label.get(1).map_or(u32::MAX, |second| 1 << (second & 31));
                self.labels.push(place);
            }
        }
        index
    }

    pub(crate) fn learn(&mut self, token: &[u8], original: &[u8]) -> bool {
        let Some(label_len) = memchr::memchr(b'_', token).filter(|_| is_token_shaped(token)) else { return false };
        let Some(code) = Code::read(&token[label_len + 1..]) else { return false };
        if let Some(known) = self.find_code(code).and_then(|i| self.entry(i)) {
            return self.original_of(known) == original;
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(token);
        self.push(None, true, label_len, start, (original, self.hasher.hash_one(original)), code);
        true
    }

    fn find_code(&self, code: Code) -> Option<u32> {
        self.by_code.find(self.hasher.hash_one(code), |&i| self.entry(i).is_some_and(|e| e.code == code)).copied()
    }

    /// The token whose code begins with these eight characters.
    pub(super) fn by_exact_code(&self, code: &[u8]) -> Option<TokenEntry<'_>> {
        let entry = self.entry(self.find_code(Code::read(code)?)?)?;
        Some(self.entry_view(entry))
    }

    /// True when a token has this code, whether it restores or not.
    pub(crate) fn knows(&self, code: Code) -> bool {
        self.find_code(code).is_some()
    }

    /// Adds to what was looked up in vain.
    pub(crate) fn count_unresolved(&self, count: u64) {
        self.unresolved.set(self.unresolved.get() + count);
    }

    /// How many texts looked like tokens and stand for nothing known.
    pub(super) fn unresolved(&self) -> u64 {
        self.unresolved.get()
    }

    /// True when some original would break a JSON string that it is put into as it is, and should not.
    #[inline]
    pub(crate) fn may_break_strings(&self) -> bool {
        self.breaks_strings && !self.has_broken_strings
    }

    /// Some original has come in a text that begins like a document, and broke it.
    pub(super) fn found_broken_string(&mut self) {
        self.has_broken_strings = true;
    }

    fn sort(&self) -> Vec<u32> {
        let mut sorted: Vec<u32> =
            (0..).zip(&self.entries).filter(|(_, e)| e.restores).map(|(index, _)| index).collect();
        sorted.sort_unstable_by(|&a, &b| {
            let spelled = |i| self.entry(i).map_or(&[][..], |e| self.token_of(e));
            spelled(a).cmp(spelled(b))
        });
        sorted
    }

    /// False when no label of a token that restores goes on like this text.
    #[inline]
    pub(crate) fn may_begin(&self, text: &[u8]) -> bool {
        let Some(first) = text.first() else { return true };
        let seconds = self.second_letters[usize::from(first & 31)];
        text.get(1).map_or(seconds != 0, |second| seconds >> (second & 31) & 1 == 1)
    }

    /// Labels of the tokens that restore, of those that may begin with the letter or digit `c` of either case.
    pub(crate) fn labels_from(&self, c: u8) -> impl Iterator<Item = &[u8]> {
        let mut left = self.labels_by_letter[usize::from(c & 31)];
        // Past 64 labels a bit stands for several.
        let step = if self.labels.len() > 64 { self.labels.len().div_ceil(64) } else { 1 };
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            usize::try_from(bit).ok()
        })
        .flat_map(move |bit| (0..step).filter_map(move |i| self.labels.get(bit + 64 * i)))
        .map(|place| &self.arena[place.clone()])
    }

    /// The token that restores and whose code stands at the start of `text`, with its original.
    ///
    /// Gives the token, the length of its label and the original; either case of letters. The caller compares the label.
    #[inline]
    pub(crate) fn by_code(&self, text: &[u8]) -> Option<(&[u8], usize, &[u8])> {
        let entry = self.entry(self.find_code(Code::read(text)?)?).filter(|e| e.restores)?;
        let (token, label_len) = (self.token_of(entry), usize::from(entry.label_len));
        // The first characters are those that were looked up.
        let rest = &token[label_len + 1 + CODE_LEN..];
        let goes_on = rest.is_empty() || text.get(CODE_LEN..CODE_LEN + rest.len())?.eq_ignore_ascii_case(rest);
        goes_on.then_some((token, label_len, self.original_of(entry)))
    }

    /// True when a token under `label` goes on after `code`, which is fewer characters than the token has.
    pub(crate) fn is_proper_prefix(&self, label: &[u8], code: &[u8]) -> bool {
        if code.len() >= LONG_CODE_LEN {
            return false;
        }
        let mut wanted = Vec::with_capacity(label.len() + 1 + CODE_LEN);
        wanted.extend_from_slice(label);
        wanted.push(b'_');
        wanted.extend(code.iter().map(u8::to_ascii_uppercase));
        let spelled = |i: &u32| self.entry(*i).map_or(&[][..], |e| self.token_of(e));
        let sorted = self.sorted.get_or_init(|| self.sort());
        let at = sorted.partition_point(|i| spelled(i) < wanted.as_slice());
        // A token that is `wanted` itself comes first among those that begin with it.
        sorted[at..]
            .iter()
            .map(spelled)
            .take_while(|token| token.starts_with(&wanted))
            .take(2)
            .any(|token| token.len() > wanted.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenKey;

    #[test]
    fn the_same_original_has_one_token() {
        let key = TokenKey::new(&[1; 32]).unwrap().scope(b"");
        let mut index = TokenIndex::default();
        let first = index.token(&key, b"i-1", (KindId::from_index(0), "EC2"), true, &mut None).to_vec();
        let again = index.token(&key, b"i-1", (KindId::from_index(5), "VPC"), true, &mut None).to_vec();
        assert_eq!(first, again);
        assert_eq!(index.len(), 1);
        assert_eq!(index.by_code(&first[4..]).unwrap().2, b"i-1");
    }

    #[test]
    fn two_originals_that_meet_get_different_tokens() {
        let key = TokenKey::new(&[1; 32]).unwrap().scope(b"");
        let mut clash = TokenIndex::default();
        let token = TokenIndex::default().token(&key, b"i-1", (KindId::from_index(0), "EC2"), true, &mut None).to_vec();
        assert!(clash.learn(&token, b"something else"));
        let longer = clash.token(&key, b"i-1", (KindId::from_index(0), "EC2"), true, &mut None).to_vec();
        assert_eq!(longer.len(), token.len() + 5);
        assert!(!longer.starts_with(&token));
        assert_eq!(clash.by_code(&token[4..]).unwrap().2, b"something else");
        assert_eq!(clash.by_code(&longer[4..]).unwrap().2, b"i-1");
    }

    #[test]
    fn prefixes_of_known_tokens_are_known() {
        let key = TokenKey::new(&[1; 32]).unwrap().scope(b"");
        let mut index = TokenIndex::default();
        let token = index.token(&key, b"i-1", (KindId::from_index(0), "EC2"), true, &mut None).to_vec();
        assert!(index.is_proper_prefix(b"EC2", b""));
        assert!(index.is_proper_prefix(b"EC2", &token[4..8]));
        assert!(index.is_proper_prefix(b"EC2", &token[4..8].to_ascii_lowercase()));
        assert!(!index.is_proper_prefix(b"EC2", &token[4..]));
        assert!(!index.is_proper_prefix(b"VPC", b""));
    }

    #[test]
    fn nothing_is_left_of_what_was_forgotten() {
        let key = TokenKey::new(&[1; 32]).unwrap().scope(b"");
        for tokens in [1, 3 * MAX_KEPT / BYTES_PER_TOKEN] {
            let mut index = TokenIndex::default();
            for i in 0..tokens {
                index.token(&key, format!("i-{i}").as_bytes(), (KindId::from_index(0), "EC2"), true, &mut None);
            }
            let code = index.iter().next().unwrap().token[4..].to_vec();
            assert!(index.is_proper_prefix(b"EC2", b""));
            index.count_unresolved(1);
            index.forget();
            assert!(index.is_empty() && index.by_code(&code).is_none() && !index.is_proper_prefix(b"EC2", b""));
            assert!(!index.may_begin(b"EC2") && index.labels_from(b'E').next().is_none() && index.unresolved() == 0);
            assert!(index.arena.capacity() <= MAX_KEPT);
            let token = index.token(&key, b"vpc-1", (KindId::from_index(5), "VPC"), true, &mut None).to_vec();
            assert_eq!(index.by_code(&token[4..]).unwrap().2, b"vpc-1");
            assert!(index.labels_from(b'V').eq([b"VPC"]));
        }
    }

    #[test]
    fn what_does_not_restore_is_not_found() {
        let key = TokenKey::new(&[1; 32]).unwrap().scope(b"");
        let mut index = TokenIndex::default();
        let token = index.token(&key, b"secret", (KindId::from_index(0), "SECRET"), false, &mut None).to_vec();
        assert!(index.by_code(&token[7..]).is_none());
        assert!(index.labels.is_empty());
    }
}
