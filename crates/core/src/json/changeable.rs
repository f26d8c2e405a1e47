//! The strings of one JSON document that may be changed.

use std::ops::Range;

use super::walk::{Frame, Visitor, walk};
use crate::Result;
use crate::wire::Place;

/// Insides of the strings that may be changed, in order; keys where the customer chooses them.
#[derive(Debug, Default)]
pub(crate) struct ChangeableStrings {
    spans: Vec<Range<usize>>,
    /// Those of them that hold JSON by the protocol.
    json_texts: Vec<Range<usize>>,
}

impl Visitor for ChangeableStrings {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place == Place::Free {
            self.spans.push(inside);
        }
    }

    fn string(&mut self, _path: &[Frame], place: Place, inside: Range<usize>) {
        if place == Place::JsonText {
            self.json_texts.push(inside.clone());
        }
        if place.may_change() {
            self.spans.push(inside);
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

    /// The strings that hold JSON by the protocol.
    pub(crate) fn into_json_texts(self) -> Vec<Range<usize>> {
        self.json_texts
    }

    /// The string around `at`.
    pub(crate) fn around(&self, at: usize) -> Option<Range<usize>> {
        let i = self.spans.partition_point(|span| span.start <= at).checked_sub(1)?;
        self.spans.get(i).filter(|span| at < span.end).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changeable(body: &str) -> Vec<String> {
        let strings = ChangeableStrings::find(body.as_bytes()).unwrap();
        strings.spans.iter().map(|span| String::from_utf8(body.as_bytes()[span.clone()].to_vec()).unwrap()).collect()
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
