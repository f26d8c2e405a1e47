//! The strings of one JSON document that may be changed.

use std::ops::Range;

use super::walk::{Frame, Visitor, walk};
use crate::Result;
use crate::wire::Place;

/// Insides of the strings that may be changed, in order; keys where the customer chooses them.
#[derive(Debug, Default)]
pub(crate) struct ChangeableStrings {
    spans: Vec<(Range<usize>, Place)>,
}

impl Visitor for ChangeableStrings {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place == Place::Free {
            self.spans.push((inside, place));
        }
    }

    fn string(&mut self, _path: &[Frame], place: Place, inside: Range<usize>) {
        if place.may_mask() {
            self.spans.push((inside, place));
        }
    }
}

impl ChangeableStrings {
    /// Walks `body`, which has to be one JSON document.
    ///
    /// # Errors
    /// [`crate::Error::InvalidBody`] with the offset where it stops being JSON.
    pub(crate) fn find(body: &[u8]) -> Result<Self> {
        let mut strings = Self::default();
        walk(body, &mut strings)?;
        Ok(strings)
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
