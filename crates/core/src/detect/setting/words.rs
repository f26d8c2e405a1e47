//! The words that a key is made of: `DBInstanceIdentifier`, `db-instance_id`.

use crate::catalog::{MAX_KEY_LEN, Match, Member};
use crate::detect::text::boundary::is_alnum;

/// Most words of one key.
const MAX_WORDS: usize = 12;

/// The words of a key, lower case and without separators.
pub(in crate::detect) struct Words {
    text: [u8; MAX_KEY_LEN],
    len: usize,
    starts: [(usize, Start); MAX_WORDS],
    count: usize,
}

/// What stands before a word of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Nothing, or a dot: the word begins a key of its own.
    Key,
    /// An underscore or a dash.
    Separator,
    /// The case changed.
    Case,
}

impl Words {
    /// Splits `key` at its separators and where its case changes.
    pub(in crate::detect) fn split(key: &[u8]) -> Self {
        let mut words = Self { text: [0; MAX_KEY_LEN], len: 0, starts: [(0, Start::Key); MAX_WORDS], count: 0 };
        let mut pending = Some(Start::Key);
        for (i, &c) in key.iter().take(MAX_KEY_LEN).enumerate() {
            match c {
                b'a'..=b'z' | b'0'..=b'9' if pending.is_none() => {
                    words.text[words.len] = c;
                    words.len += 1;
                }
                b'.' => pending = Some(Start::Key),
                _ if !is_alnum(c) => pending = Some(pending.unwrap_or(Start::Separator)),
                _ => {
                    let before = i.checked_sub(1).map_or(b' ', |i| key[i]);
                    let next = key.get(i + 1).copied().unwrap_or(b' ');
                    let changes = c.is_ascii_uppercase()
                        && (before.is_ascii_lowercase()
                            || before.is_ascii_digit()
                            || before.is_ascii_uppercase() && next.is_ascii_lowercase() && next != b's');
                    let start = pending.take().or(changes.then_some(Start::Case));
                    if let Some(start) = start
                        && words.count < MAX_WORDS
                    {
                        words.starts[words.count] = (words.len, start);
                        words.count += 1;
                    }
                    words.text[words.len] = c.to_ascii_lowercase();
                    words.len += 1;
                }
            }
        }
        words
    }

    /// How many there are.
    pub(in crate::detect) fn count(&self) -> usize {
        self.count
    }

    /// This word, and all behind it.
    pub(in crate::detect) fn from(&self, word: usize) -> &[u8] {
        &self.text[self.starts[word].0..self.len]
    }

    /// This word alone.
    pub(in crate::detect) fn word(&self, word: usize) -> &[u8] {
        let end = if word + 1 < self.count { self.starts[word + 1].0 } else { self.len };
        &self.text[self.starts[word].0..end]
    }

    pub(in crate::detect) fn is_one(&self) -> bool {
        self.count == 1
    }

    pub(in crate::detect) fn last(&self) -> &[u8] {
        if self.count == 0 { &[] } else { self.from(self.count - 1) }
    }

    /// Whether `member`, found under the words from `word` on, means this spelling.
    pub(in crate::detect) fn fits(&self, member: &Member, word: usize) -> bool {
        let (_, start) = self.starts[word];
        let rest = &self.starts[word + 1..self.count];
        let alone = match start {
            Start::Key => true,
            Start::Separator => rest.iter().all(|&(_, start)| start == Start::Case),
            Start::Case => false,
        };
        match member.matches {
            Match::Suffix => true,
            Match::Exact => alone,
            Match::Words => alone && !rest.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(key: &str) -> Vec<String> {
        let words = Words::split(key.as_bytes());
        (0..words.count).map(|w| String::from_utf8(words.from(w).to_vec()).unwrap()).collect()
    }

    #[test]
    fn keys_are_split_into_words() {
        assert_eq!(words("DBInstanceIdentifier"), ["dbinstanceidentifier", "instanceidentifier", "identifier"]);
        assert_eq!(words("S3BucketName"), ["s3bucketname", "bucketname", "name"]);
        assert_eq!(words("db-instance_id"), ["dbinstanceid", "instanceid", "id"]);
        assert_eq!(words("Instances.0.VpcId"), ["instances0vpcid", "0vpcid", "vpcid", "id"]);
        assert_eq!(words("accountIDs"), ["accountids", "ids"]);
    }
}
