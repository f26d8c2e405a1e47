//! Lists of words that a word of a text is looked up in.

/// Longest word that is looked up in either case.
pub(in crate::detect) const MAX_WORD: usize = 32;

/// A sorted list of words in lower case.
pub(in crate::detect) struct WordList {
    words: &'static [&'static str],
    /// By the last five bits of their first byte: a bit for the length of each word. Most words of a text end here.
    lengths: [u32; 32],
}

impl WordList {
    /// Takes a list that is sorted.
    pub(in crate::detect) const fn new(words: &'static [&'static str]) -> Self {
        let (mut lengths, mut i) = ([0; 32], 0);
        while i < words.len() {
            lengths[(words[i].as_bytes()[0] & 31) as usize] |= length_bit(words[i].len());
            i += 1;
        }
        Self { words, lengths }
    }

    /// True when `word`, which is in lower case, is in the list.
    pub(in crate::detect) fn contains(&self, word: &[u8]) -> bool {
        self.may_contain(word) && self.words.binary_search_by(|known| known.as_bytes().cmp(word)).is_ok()
    }

    /// False for most words that are not in the list, in either case.
    #[inline(always)]
    fn may_contain(&self, word: &[u8]) -> bool {
        word.first().is_some_and(|first| self.lengths[usize::from(first & 31)] & length_bit(word.len()) != 0)
    }

    /// [`Self::contains`], of a word in either case.
    pub(in crate::detect) fn contains_in_any_case(&self, word: &[u8]) -> bool {
        if !self.may_contain(word) {
            return false;
        }
        let mut lower = [0; MAX_WORD];
        let Some(lower) = lower.get_mut(..word.len()) else { return false };
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        self.contains(lower)
    }

    /// The length of the longest word.
    #[cfg(test)]
    pub(in crate::detect) fn longest(&self) -> usize {
        self.words.iter().map(|word| word.len()).max().unwrap_or(0)
    }

    #[cfg(test)]
    pub(in crate::detect) fn is_sorted(&self) -> bool {
        self.words.is_sorted()
    }
}

/// Lengths over 31 share their bits with others.
const fn length_bit(len: usize) -> u32 {
    1 << (len & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_list_and_no_others() {
        const LIST: WordList = WordList::new(&["a", "ab", "b", "quite-a-long-word-that-nobody-ever-writes"]);
        assert!(LIST.is_sorted() && LIST.words.iter().all(|word| LIST.contains(word.as_bytes())));
        for word in ["", "abc", "c", "A", "bb", "quite-a-l"] {
            assert!(!LIST.contains(word.as_bytes()), "{word}");
        }
        for word in ["a", "A", "aB", "AB", "b"] {
            assert!(LIST.contains_in_any_case(word.as_bytes()), "{word}");
        }
        for word in ["", "c", "BB", &"a".repeat(MAX_WORD + 1)] {
            assert!(!LIST.contains_in_any_case(word.as_bytes()), "{word}");
        }
    }
}
