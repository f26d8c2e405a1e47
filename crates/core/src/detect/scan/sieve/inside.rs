//! Which letters stand inside a word: no other word begins there.
//!
//! A letter does when another one stands before it, unless that one is the end of an escape: of `\n`, `\x1b[31m` or `;1m`.

use super::WORD;

/// What an escape has before its last letter: `\`, a digit, `[`, `;`, and for the sake of simple ranges `:`.
pub(super) const ESCAPES: [(u8, u8); 2] = [(b'0', b';'), (b'[', b'\\')];

/// What stands before the [`WORD`] positions that are looked at next.
pub(super) struct Inside {
    /// Bit 0: a letter does.
    letter: u64,
    /// Bit 0 for two bytes before, bit 1 for one: what an escape has.
    escape: u64,
}

impl Inside {
    /// Behind the byte `before`; what stands before that may be anything.
    pub(super) fn behind(before: u8) -> Self {
        let is_escape = ESCAPES.iter().any(|&(first, last)| (first..=last).contains(&before));
        Self { letter: u64::from(before.is_ascii_alphabetic()), escape: u64::from(is_escape) << 1 | 1 }
    }

    /// Which of the next positions are those of letters inside a word, by which of them are letters, and which what an
    /// escape has.
    #[inline(always)]
    pub(super) fn next(&mut self, letters: u64, escapes: u64) -> u64 {
        let inside = letters & (letters << 1 | self.letter) & !(escapes << 2 | self.escape);
        self.letter = letters >> (WORD - 1);
        self.escape = escapes >> (WORD - 2);
        inside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Lanes, Sieve, WORDS};
    use super::*;

    /// What a scan whose first position is `from` knows.
    fn is_inside(text: &[u8], from: usize, at: usize) -> bool {
        let is_escape = |c: u8| matches!(c, b'0'..=b';' | b'[' | b'\\');
        text[at].is_ascii_alphabetic() && text[at - 1].is_ascii_alphabetic() && at > from && !is_escape(text[at - 2])
    }

    proptest! {
        #[test]
        fn letters_inside_words_are_ruled_out(
            text in prop::collection::vec(prop_oneof![
                3 => prop::sample::select(b"abzABZ@[`{/0:;<\\ \n".as_slice()),
                1 => any::<u8>(),
            ], 0..500),
            from in 1usize..80,
        ) {
            for sieve in [Sieve::of_words(&[b"a", b"ab", b"za", b"\\a", "é".as_bytes()]), Sieve::of_words(&[b""])] {
                for lanes in Lanes::available().into_iter().filter(|&lanes| lanes != Lanes::SCALAR) {
                    let mut words = [0; WORDS];
                    let count = sieve.look(lanes, &text, from, &mut words);
                    for i in 0..count * WORD {
                        let got = words[i / WORD] >> (i % WORD) & 1 == 1;
                        let at = from + i;
                        let wanted = sieve.passes(lanes, &text, at) && !is_inside(&text, from, at);
                        prop_assert_eq!(got, wanted, "{} at {}", lanes, at);
                    }
                }
            }
        }
    }

    #[test]
    fn words_behind_others_and_escapes() {
        let words = |text: &str| {
            let mut found = Vec::new();
            let text = format!("{text}{}", " ".repeat(200));
            Sieve::of_words(&[b"role"]).each(Lanes::best(), text.as_bytes(), |at| {
                found.extend(text.as_bytes()[at..].starts_with(b"role").then_some(at));
                at + 1
            });
            found.len()
        };
        assert_eq!(
            words("A role, x/role, x_role, \\nrole, \\\\nrole, %20role, \\u00e9role, \x1b[31mrole, \x1b[mrole"),
            9
        );
        assert_eq!(words("A parole, nrole, \\parole"), if Lanes::best() == Lanes::SCALAR { 3 } else { 0 });
    }
}
