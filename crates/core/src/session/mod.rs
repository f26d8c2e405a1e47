//! One exchange: a request is masked, what was replaced is remembered, and the answer is restored.

mod mask;
mod tokens;
mod vault;

use std::sync::Arc;

use crate::catalog::KindId;
use crate::detect::Detector;
use crate::restore::Answer;
use crate::token::ScopeKey;
use crate::{Error, Result};

pub use tokens::{TokenEntry, TokenIndex};
pub use vault::Learned;
use vault::VaultView;

/// Choices that concern a whole exchange.
#[derive(Clone, Copy, Debug)]
pub struct SessionOptions {
    /// Credentials come back in the answer. When false they stay tokens.
    pub restore_credentials: bool,
    /// Count what would be masked, and change nothing.
    pub dry_run: bool,
    /// Parts of a multipart body that are no text pass as they are. When false such a body is refused.
    pub allow_binary_parts: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { restore_credentials: true, dry_run: false, allow_binary_parts: false }
    }
}

/// What a session did; sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stretches of the request that were replaced.
    pub masked: u64,
    /// Different originals among them.
    pub distinct: u64,
    /// Tokens of the answer that were turned back.
    pub restored: u64,
    /// Texts of the answer that look like tokens and stand for nothing known; an estimate on the low side.
    pub unresolved: u64,
    /// Size of the request as it came.
    pub bytes_in: u64,
    /// Size of the request as it left.
    pub bytes_out: u64,
    /// Size of the answer so far, as it came.
    pub answer_bytes_in: u64,
    /// Size of the answer so far, as it left.
    pub answer_bytes_out: u64,
}

/// One exchange. Belongs to one worker; dropped when the exchange ends.
#[derive(Debug)]
pub struct Session {
    detector: Arc<Detector>,
    key: ScopeKey,
    options: SessionOptions,
    tokens: TokenIndex,
    vault: VaultView,
    answer: Option<Answer>,
    counts: Counts,
    /// Stretches replaced, by kind; one exchange has a handful of kinds.
    kinds: Vec<(KindId, u64)>,
}

/// Memory that one exchange leaves for another, with nothing in it.
#[derive(Debug, Default)]
pub struct Room {
    tokens: TokenIndex,
    kinds: Vec<(KindId, u64)>,
}

/// Empties memory that goes on being used, and overwrites all of it: also what longer contents left behind the end.
///
/// `zeroize` does so byte by byte, since what is freed next must not be left out by the compiler; this is kept.
pub fn wipe_kept(memory: &mut Vec<u8>) {
    memory.clear();
    memory.resize(memory.capacity(), 0);
    std::hint::black_box(memory.as_slice());
    memory.clear();
}

impl Session {
    /// A session whose tokens belong to the scope of `key`.
    pub fn new(detector: Arc<Detector>, key: ScopeKey, options: SessionOptions) -> Self {
        Self::in_room(Room::default(), detector, key, options)
    }

    /// [`Self::new`], in the memory of another that has ended.
    pub fn in_room(room: Room, detector: Arc<Detector>, key: ScopeKey, options: SessionOptions) -> Self {
        let Room { tokens, kinds } = room;
        Self {
            detector,
            key,
            options,
            tokens,
            vault: VaultView::default(),
            answer: None,
            counts: Counts::default(),
            kinds,
        }
    }

    /// Ends the exchange; what the session knew is wiped.
    pub fn leave(self) -> Room {
        let Self { mut tokens, mut kinds, .. } = self;
        tokens.forget();
        kinds.clear();
        Room { tokens, kinds }
    }

    /// The tokens this session made, with their originals.
    pub fn tokens(&self) -> &TokenIndex {
        &self.tokens
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        let restored = self.answer.as_ref().map_or(0, Answer::restored);
        Counts { restored, unresolved: self.tokens.unresolved(), ..self.counts }
    }

    /// Names of the kinds that were replaced, and how many stretches of each.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().map(|&(kind, count)| (self.detector.kind_name(kind), count))
    }

    fn count_kind(&mut self, kind: KindId) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind, 1)),
        }
    }

    /// Takes over a mapping that was made elsewhere, e.g. read from a file.
    ///
    /// False when `token` is not spelled like a token or stands for something else already.
    pub fn learn(&mut self, token: &[u8], original: &[u8]) -> bool {
        self.tokens.learn(token, original)
    }

    /// Prepares for an answer. False when nothing in it can change: its bytes are to be passed as they are.
    pub fn open_answer(&mut self, content_type: &[u8], content_encoding: &[u8]) -> bool {
        self.answer = None;
        if self.tokens.is_empty() || self.options.dry_run {
            return false;
        }
        self.answer = Answer::open(content_type, content_encoding);
        self.answer.is_some()
    }

    /// Restores the next bytes of the answer, appending to `out`; `last` gives out what was held back.
    ///
    /// # Errors
    /// [`Error::WrongState`] when no answer is open. [`Error::InvalidCoding`] when the answer is not coded as its
    /// headers said: what is left of it cannot be read.
    pub fn restore(&mut self, chunk: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let answer = self.answer.as_mut().ok_or(Error::WrongState("restore before open_answer"))?;
        let before = out.len();
        answer.push(&self.tokens, chunk, last, out)?;
        self.counts.answer_bytes_in += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.counts.answer_bytes_out += u64::try_from(out.len() - before).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Bytes that the session keeps of the answer for now: what was held back, and what it needs to say that later.
    pub fn held_bytes(&self) -> usize {
        self.answer.as_ref().map_or(0, Answer::held_bytes)
    }

    /// Gives out what is held back of an answer that breaks off, appending to `out`.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        if let Some(answer) = &mut self.answer {
            let before = out.len();
            answer.release(&self.tokens, out);
            self.counts.answer_bytes_out += u64::try_from(out.len() - before).unwrap_or(u64::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wipe_kept;

    #[test]
    #[allow(unsafe_code)]
    fn of_memory_that_is_kept_nothing_is_left() {
        let mut memory = b"longer contents".to_vec();
        memory.clear();
        memory.extend_from_slice(b"short");
        let capacity = memory.capacity();
        wipe_kept(&mut memory);
        assert!(memory.is_empty());
        assert_eq!(memory.capacity(), capacity);
        // SAFETY: every byte of it has been written.
        unsafe { memory.set_len(capacity) };
        assert!(memory.iter().all(|&c| c == 0));
    }
}
