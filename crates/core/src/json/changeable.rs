//! The strings of one JSON document that may be changed, and the numbers that could be account ids.

use std::ops::Range;

use super::walk::{Frame, Visitor, walk};
use crate::Result;
use crate::wire::Place;

/// Fewest bytes of a body for one such string, for most bodies.
const BYTES_PER_STRING: usize = 128;
/// Digits of an account id.
const ACCOUNT_LEN: usize = 12;
/// What keys say whose value is an account id: `AccountId`, `owner_id`.
const ACCOUNT_WORDS: [&[u8]; 2] = [b"account", b"owner"];

/// Insides of the strings that may be changed, in order; keys where the customer chooses them. Numbers of as many bytes
/// as an account id has, where the customer's own key announces one: any other number is not worth becoming a string.
#[derive(Debug, Default)]
pub(crate) struct ChangeableStrings {
    spans: Vec<(Range<usize>, Place)>,
}

struct Finder<'b> {
    body: &'b [u8],
    found: ChangeableStrings,
}

impl Visitor for Finder<'_> {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place == Place::Free {
            self.found.spans.push((inside, place));
        }
    }

    fn string(&mut self, _path: &[Frame], place: Place, inside: Range<usize>) {
        if place.may_mask() {
            self.found.spans.push((inside, place));
        }
    }

    fn scalar(&mut self, path: &[Frame], place: Place, span: Range<usize>) {
        if place == Place::Free && span.len() == ACCOUNT_LEN && announces_account(self.body, path) {
            self.found.spans.push((span, place));
        }
    }
}

/// Whether the key of the value, or of the lists around it, is one of an account id.
fn announces_account(body: &[u8], path: &[Frame]) -> bool {
    let key = path.iter().rev().map(|frame| &body[frame.key.clone()]).find(|key| !key.is_empty());
    key.is_some_and(|key| {
        ACCOUNT_WORDS.iter().any(|word| key.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
    })
}

impl ChangeableStrings {
    /// Walks `body`, which has to be one JSON document.
    ///
    /// # Errors
    /// [`crate::Error::InvalidBody`] with the offset where it stops being JSON.
    pub(crate) fn find(body: &[u8]) -> Result<Self> {
        let spans = Vec::with_capacity((body.len() / BYTES_PER_STRING).clamp(16, 1024));
        let mut finder = Finder { body, found: Self { spans } };
        walk(body, &mut finder)?;
        Ok(finder.found)
    }

    /// The insides, in order, each with its place; that of a key is the place of its object.
    pub(crate) fn into_spans(self) -> Vec<(Range<usize>, Place)> {
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changeable(body: &str) -> Vec<String> {
        let strings = ChangeableStrings::find(body.as_bytes()).unwrap();
        strings
            .spans
            .iter()
            .map(|(span, _)| String::from_utf8(body.as_bytes()[span.clone()].to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn a_thinking_block_is_opaque_wherever_its_type_stands() {
        let body = r#"{"model":"m","messages":[{"role":"assistant","content":[
            {"thinking":"a","signature":"s","type":"thinking"},{"type":"text","text":"b"},
            {"type":"tool_use","id":"t","name":"n","input":{"signature":"c"}}]},{"role":"user","content":"d"}]}"#;
        assert_eq!(changeable(body), ["b", "signature", "c", "d"]);
    }

    #[test]
    fn the_data_of_a_source_is_text_or_base64() {
        let body = r#"{"messages":[{"content":[{"type":"document","source":{"data":"text here","type":"text"}},
            {"type":"image","source":{"data":"AAAA","type":"base64"}}]}]}"#;
        assert_eq!(changeable(body), ["text here"]);
    }
}
