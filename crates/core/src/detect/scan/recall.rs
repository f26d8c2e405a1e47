//! What was found in texts that were looked at before: where and of what kind, and what tokens it has; never a byte of them.
//!
//! Texts are known by a hash of 128 bits that is keyed with the scope's own key: nobody can make two that meet, and what
//! one scope sends is not looked up for another, not even to tell by the time it takes whether it was sent.

use std::hash::Hash;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use highway::{HighwayHash, HighwayHasher, Key};

use crate::detect::scan::body::BodyFindings;
use crate::detect::scan::passage::{Beside, Passage};
use crate::detect::setting::variable::Use;
use crate::detect::shape::address::Address;
use crate::detect::{Finding, Findings, Hits, Loose, Part};
use crate::wire::Content;

/// Memory of an entry beside its lists, bytes: its slot, of which every other one may be empty, and what that points to.
const ENTRY: usize = 448;

/// A text, by its length and keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::detect) struct Digest(usize, [u64; 2]);

/// The key of a scope for [`Digest`]s.
#[derive(Clone, Copy)]
pub(crate) struct RecallKey(pub(crate) [u64; 4]);

/// What an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    Body(Digest, Content),
    Passage(Digest, bool, Beside),
    /// That a body came.
    Visit(Digest, Content),
}

#[derive(Clone)]
enum Known {
    Body(Arc<BodyFindings>),
    Passage(Arc<Passage>),
    Visited,
}

/// What is known, of a bounded size: the entries that were asked for of late, and those before them.
#[derive(Default)]
struct Entries {
    young: HashMap<About, Known>,
    old: HashMap<About, Known>,
    young_bytes: usize,
}

/// A store of findings, one for each detector.
pub(in crate::detect) struct Memory {
    entries: Mutex<Entries>,
    /// Half of what may be used.
    max_young_bytes: usize,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} bytes)", self.max_young_bytes * 2)
    }
}

impl Memory {
    /// One of so many bytes at most.
    pub(in crate::detect) fn new(bytes: usize) -> Self {
        Self { entries: Mutex::default(), max_young_bytes: bytes / 2 }
    }

    fn get(&self, about: About) -> Option<Known> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.young.get(&about) {
            return Some(known.clone());
        }
        let known = entries.old.remove(&about)?;
        self.put(&mut entries, about, known.clone());
        Some(known)
    }

    fn keep(&self, about: About, known: Known) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(&mut entries, about, known);
    }

    fn put(&self, entries: &mut Entries, about: About, known: Known) {
        let bytes = ENTRY + known.bytes();
        if bytes > self.max_young_bytes {
            return;
        }
        if entries.young_bytes + bytes > self.max_young_bytes {
            entries.old = std::mem::take(&mut entries.young);
            entries.young_bytes = 0;
        }
        entries.young_bytes += bytes;
        entries.young.insert(about, known);
    }
}

impl Known {
    /// Memory that it points to.
    fn bytes(&self) -> usize {
        match self {
            Self::Body(found) => found.bytes(),
            Self::Passage(passage) => passage.hits.as_ref().map_or(0, Hits::bytes),
            Self::Visited => 0,
        }
    }
}

impl Findings {
    /// Gives back the room that was made for more.
    pub(in crate::detect) fn shrink(&mut self) {
        self.findings.shrink_to_fit();
        self.parts.shrink_to_fit();
    }

    pub(in crate::detect) fn bytes(&self) -> usize {
        self.findings.capacity() * size_of::<Finding>() + self.parts.capacity() * size_of::<Part>()
    }
}

impl Hits {
    /// What a passage is joined with others by, of what stands in `own`, with offsets from there, and in no more room than
    /// that takes.
    pub(in crate::detect) fn within(self, own: Range<usize>) -> Self {
        let place =
            |span: &Range<usize>| own.contains(&span.start).then(|| span.start - own.start..span.end - own.start);
        let findings = self.findings.into_iter().filter_map(|f| Some(Finding { span: place(&f.span)?, ..f }));
        let parts = self.parts.into_iter().filter_map(|p| Some(Part { span: place(&p.span)?, ..p }));
        let moved = |span: &Range<usize>| span.start - own.start..span.end - own.start;
        let addresses = self.addresses.iter().filter(|address| own.contains(&address.span.start));
        let uses = self.uses.iter().filter(|used| own.contains(&used.span.start));
        let mut within = Self {
            findings: findings.collect(),
            parts: parts.collect(),
            loose: self.loose.iter().filter_map(|loose| Some(Loose { span: place(&loose.span)? })).collect(),
            addresses: addresses.map(|address| address.moved_to(moved)).collect(),
            uses: uses.map(|used| used.moved_to(moved)).collect(),
            hearsay: self.hearsay.iter().filter(|at| own.contains(at)).map(|at| at - own.start).collect(),
            ..Self::default()
        };
        within.findings.shrink_to_fit();
        within.parts.shrink_to_fit();
        within
    }

    fn bytes(&self) -> usize {
        self.findings.capacity() * size_of::<Finding>()
            + self.parts.capacity() * size_of::<Part>()
            + self.loose.capacity() * size_of::<Loose>()
            + self.addresses.capacity() * size_of::<Address>()
            + self.hearsay.capacity() * size_of::<usize>()
            + self.uses.iter().map(Use::bytes).sum::<usize>()
    }
}

/// The memory, as one scope uses it.
#[derive(Clone, Copy)]
pub(crate) struct Recall<'m> {
    pub(in crate::detect) memory: &'m Memory,
    pub(in crate::detect) key: &'m RecallKey,
}

impl Recall<'_> {
    pub(in crate::detect) fn digest(&self, text: &[u8]) -> Digest {
        Digest(text.len(), HighwayHasher::new(Key(self.key.0)).hash128(text))
    }

    /// The digest of a passage in its surroundings: it begins at `start` of them and is so long.
    pub(in crate::detect) fn digest_within(&self, window: &[u8], start: usize, len: usize) -> Digest {
        let mut hasher = HighwayHasher::new(Key(self.key.0));
        hasher.append(window);
        hasher.append(&start.to_le_bytes());
        hasher.append(&len.to_le_bytes());
        Digest(window.len(), hasher.finalize128())
    }

    pub(in crate::detect) fn passage(&self, digest: Digest, is_raw: bool, beside: Beside) -> Option<Arc<Passage>> {
        match self.memory.get(About::Passage(digest, is_raw, beside))? {
            Known::Passage(passage) => Some(passage),
            Known::Body(_) | Known::Visited => None,
        }
    }

    pub(in crate::detect) fn keep_passage(&self, digest: Digest, is_raw: bool, beside: Beside, passage: &Arc<Passage>) {
        self.memory.keep(About::Passage(digest, is_raw, beside), Known::Passage(Arc::clone(passage)));
    }

    pub(in crate::detect) fn body(&self, digest: Digest, content: Content) -> Option<Arc<BodyFindings>> {
        match self.memory.get(About::Body(digest, content))? {
            Known::Body(found) => Some(found),
            Known::Passage(_) | Known::Visited => None,
        }
    }

    pub(in crate::detect) fn keep_body(&self, digest: Digest, content: Content, found: &Arc<BodyFindings>) {
        self.memory.keep(About::Body(digest, content), Known::Body(Arc::clone(found)));
    }

    /// True when this was asked for the same body before, of late.
    pub(in crate::detect) fn has_seen(&self, digest: Digest, content: Content) -> bool {
        let about = About::Visit(digest, content);
        let has_seen = self.memory.get(about).is_some();
        if !has_seen {
            self.memory.keep(about, Known::Visited);
        }
        has_seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(findings: usize) -> Arc<Passage> {
        let kind = crate::catalog::Catalog::get().known.arn;
        let findings = (0..findings).map(|start| Finding { kind, span: start..start + 1 }).collect();
        Arc::new(Passage::of(Hits { findings, ..Hits::default() }))
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_asked_for_stays() {
        let (bytes, key) = (64 * 1024, RecallKey([1; 4]));
        let memory = Memory::new(bytes);
        let recall = Recall { memory: &memory, key: &key };
        let often = recall.digest(b"often");
        recall.keep_passage(often, true, Beside::default(), &passage(3));
        for i in 0..1000_u32 {
            recall.keep_passage(recall.digest(&i.to_le_bytes()), true, Beside::default(), &passage(20));
            assert!(recall.passage(often, true, Beside::default()).is_some(), "{i}");
            let entries = memory.entries.lock().unwrap();
            let known = entries.young.iter().chain(&entries.old);
            let kept: usize = known.map(|(_, known)| ENTRY + known.bytes()).sum();
            assert!(kept <= bytes, "{kept} after {i}");
        }
        assert!(recall.passage(recall.digest(&999_u32.to_le_bytes()), true, Beside::default()).is_some());
        assert!(recall.passage(recall.digest(&0_u32.to_le_bytes()), true, Beside::default()).is_none());
        // What is larger than all there is.
        recall.keep_passage(recall.digest(b"large"), true, Beside::default(), &passage(bytes));
        assert!(recall.passage(recall.digest(b"large"), true, Beside::default()).is_none());
    }

    #[test]
    fn every_byte_counts() {
        let memory = Memory::new(0);
        let recall = Recall { memory: &memory, key: &RecallKey([1; 4]) };
        for len in [1, 31, 32, 33, 1000] {
            let mut text = vec![b'a'; len];
            let mut digests = vec![recall.digest(&text)];
            for at in 0..len {
                text[at] = b'b';
                digests.push(recall.digest(&text));
                text[at] = b'a';
            }
            let all = digests.len();
            assert_eq!(digests.into_iter().collect::<std::collections::HashSet<_>>().len(), all, "{len}");
        }
    }

    #[test]
    fn an_entry_is_as_large_as_it_says() {
        let counters = 2 * size_of::<usize>();
        let pointed_to = counters + size_of::<Passage>().max(size_of::<BodyFindings>());
        let slots = 16 * (size_of::<(About, Known)>() + 1) / 7;
        assert!((ENTRY / 2..=ENTRY).contains(&(slots + pointed_to)), "{}", slots + pointed_to);
    }

    #[test]
    fn scopes_and_surroundings_have_their_own() {
        let memory = Memory::new(1 << 20);
        let keys = [RecallKey([1; 4]), RecallKey([2; 4])];
        let [one, other] = [0, 1].map(|i| Recall { memory: &memory, key: &keys[i] });
        let beside = Beside { a_finding: true, ..Beside::default() };
        one.keep_passage(one.digest(b"text"), true, beside, &passage(1));
        assert!(one.passage(one.digest(b"text"), true, beside).is_some());
        assert!(other.passage(other.digest(b"text"), true, beside).is_none());
        assert!(one.passage(one.digest(b"text"), true, Beside::default()).is_none());
        assert!(one.passage(one.digest(b"text"), false, beside).is_none());
        assert!(one.passage(one.digest(b"texts"), true, beside).is_none());
        assert!(one.body(one.digest(b"text"), Content::Text).is_none());
    }
}
