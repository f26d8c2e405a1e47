//! Texts that look like tokens of a gateway and that nothing is known for: a mapping that is lost, a key that changed.

use std::ops::Range;

use crate::detect::follows_escape;
use crate::session::TokenIndex;
use crate::token::{CODE_LEN, Code, LABEL_LEN, LONG_CODE_LEN, is_base32, is_code_char, is_token_shaped};

/// How far back a token can begin whose end has just come.
pub(super) const LONGEST: usize = *LABEL_LEN.end() + 1 + LONG_CODE_LEN + 1;

/// True when one may begin before `from` that did not end there.
pub(super) fn may_go_on(text: &[u8], from: usize) -> bool {
    memchr::memchr(b'_', &text[from.saturating_sub(LONG_CODE_LEN + 1)..from]).is_some()
}

/// How many such texts end in `text[range]`; with `last`, also one that the text ends with.
///
/// An estimate, on the low side: a code without a digit, which is one in five, passes for an ordinary constant such as
/// `HOST_OVERRIDE`.
pub(super) fn count(tokens: &TokenIndex, text: &[u8], range: Range<usize>, last: bool) -> u64 {
    // The byte after a code shows that it is over, so it has to be in the range too.
    let mut at = range.start.saturating_sub(LONG_CODE_LEN + 1);
    let mut count = 0;
    while let Some(found) = text.get(at..range.end).and_then(|rest| memchr::memchr(b'_', rest)) {
        let separator = at + found;
        at = separator + 1;
        // Most words with an underscore go on in small letters.
        if !text.get(at..at + CODE_LEN).is_some_and(|code| code.iter().all(|&c| is_base32(c))) {
            continue;
        }
        let code_len = text[at..].iter().take_while(|&&c| is_code_char(c)).count();
        let end = at + code_len;
        let ends_here = if end < text.len() { range.contains(&end) } else { last };
        if ends_here && (code_len == CODE_LEN || code_len == LONG_CODE_LEN) && is_stranger(tokens, text, separator, end)
        {
            count += 1;
        }
    }
    count
}

fn is_stranger(tokens: &TokenIndex, text: &[u8], separator: usize, end: usize) -> bool {
    let is_word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    let code = &text[separator + 1..end];
    if Code::read(code).is_none_or(|code| tokens.knows(code)) {
        return false;
    }
    if text.get(end).is_some_and(is_word) {
        return false;
    }
    let is_label = |c: &&u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let start = separator - text[..separator].iter().rev().take_while(is_label).count();
    is_token_shaped(&text[start..end])
        && (!text[..start].last().is_some_and(is_word) || follows_escape(text, start))
        && code.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unresolved(text: &str) -> u64 {
        count(&TokenIndex::default(), text.as_bytes(), 0..text.len(), true)
    }

    #[test]
    fn what_looks_like_a_token_counts() {
        assert_eq!(unresolved("look at EC2_ABCDEFG2, VPC_22222222 and \"S3_ABCDEFGHIJKL7\""), 3);
        assert_eq!(unresolved("EC2_ABCDEFG2"), 1);
        assert_eq!(unresolved("in JSON:\\nEC2_ABCDEFG2"), 1);
    }

    #[test]
    fn what_does_not_look_like_one_does_not() {
        for text in [
            "HOST_OVERRIDE",
            "EC2_ABCDEFG",
            "EC2_ABCDEFG23",
            "ec2_abcdefg2",
            "A_B_ABCDEFG2",
            "_ABCDEFG2",
            "EC2_ABCDEFG2_X",
        ] {
            assert_eq!(unresolved(text), 0, "{text}");
        }
    }

    #[test]
    fn a_known_token_does_not_count() {
        let mut tokens = TokenIndex::default();
        assert!(tokens.learn(b"EC2_ABCDEFG2", b"i-0f3a9c27be41d8056"));
        assert_eq!(count(&tokens, b"EC2_ABCDEFG2 EC2_ABCDEFG3", 0..25, true), 1);
    }

    #[test]
    fn each_counts_once_wherever_the_text_is_cut() {
        let text = b"EC2_ABCDEFG2 and RDS_ABCDEFGHIJKL7";
        for cut in 0..=text.len() {
            let tokens = TokenIndex::default();
            let first = count(&tokens, &text[..cut], 0..cut, false);
            assert_eq!(first + count(&tokens, text, cut..text.len(), true), 2, "cut at {cut}");
        }
    }
}
