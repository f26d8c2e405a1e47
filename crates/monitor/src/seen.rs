//! Which events have been counted already.

use std::collections::{HashMap, VecDeque};

/// Sources that are remembered; the one that was first heard of longest ago makes room. One is a worker process.
const MAX_SOURCES: usize = 4096;
/// How far back a repeated event of a source is recognised. A plugin's queue holds 10000.
const REMEMBERED: u64 = 16_384;
const WORD_BITS: u64 = 64;

/// Recognises events that come twice: the plugin sends a batch again when its connection broke, and Redis hands out
/// again what was not acknowledged in time.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sources: HashMap<String, Recent>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether the event `sequence` of `source` comes for the first time, as far as can be remembered.
    pub(crate) fn is_new(&mut self, source: &str, sequence: u64) -> bool {
        if let Some(recent) = self.sources.get_mut(source) {
            return recent.add(sequence);
        }
        if self.order.len() == MAX_SOURCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.sources.remove(&oldest);
        }
        self.order.push_back(source.to_owned());
        self.sources.entry(source.to_owned()).or_default().add(sequence)
    }
}

/// The last [`REMEMBERED`] sequence numbers up to the highest one, a bit for each that came.
#[derive(Debug, Default)]
struct Recent {
    highest: u64,
    bits: VecDeque<u64>,
}

impl Recent {
    fn add(&mut self, sequence: u64) -> bool {
        let (word, highest_word) = (sequence / WORD_BITS, self.highest / WORD_BITS);
        if self.bits.is_empty() {
            self.bits.push_front(0);
            self.highest = sequence;
        } else if sequence > self.highest {
            let steps = (word - highest_word).min(REMEMBERED / WORD_BITS);
            for _ in 0..steps {
                self.bits.push_front(0);
            }
            self.bits.truncate(usize::try_from(REMEMBERED / WORD_BITS).unwrap_or(usize::MAX));
            self.highest = sequence;
        }
        let age = self.highest / WORD_BITS - word;
        if age >= REMEMBERED / WORD_BITS {
            // too old to know; rather once too often than not at all
            return true;
        }
        let index = usize::try_from(age).unwrap_or(usize::MAX);
        while self.bits.len() <= index {
            self.bits.push_back(0);
        }
        let bit = 1 << (sequence % WORD_BITS);
        match self.bits.get_mut(index) {
            Some(bits) => {
                let is_new = *bits & bit == 0;
                *bits |= bit;
                is_new
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn agrees_with_a_set_of_everything_within_what_it_remembers() {
        let mut random = fastrand::Rng::with_seed(6);
        let (mut seen, mut all) = (Seen::default(), HashSet::new());
        let mut base = 0;
        for _ in 0..200_000 {
            base += random.u64(0..3);
            // batches come late and twice
            let sequence = 1 + base.saturating_sub(random.u64(0..REMEMBERED - 2 * WORD_BITS));
            assert_eq!(seen.is_new("00ff", sequence), all.insert(sequence), "{sequence}");
        }
    }

    #[test]
    fn sources_are_apart_and_bounded() {
        let mut seen = Seen::default();
        for source in 0..MAX_SOURCES + 10 {
            assert!(seen.is_new(&source.to_string(), 1));
        }
        assert_eq!((seen.sources.len(), seen.order.len()), (MAX_SOURCES, MAX_SOURCES));
        assert!(!seen.is_new(&MAX_SOURCES.to_string(), 1));
        assert!(seen.is_new(&MAX_SOURCES.to_string(), 2));
    }

    #[test]
    fn a_leap_forgets_without_growing() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a", 1));
        assert!(seen.is_new("a", u64::MAX));
        assert!(!seen.is_new("a", u64::MAX));
        assert!(seen.sources["a"].bits.len() as u64 <= REMEMBERED / WORD_BITS);
        assert!(seen.is_new("a", 1));
    }
}
