//! The strings of one JSON document that may be changed, and the numbers that could be account ids.

use std::ops::Range;

use super::walk::{Frame, Visitor, walk};
use crate::Result;
use crate::wire::Place;

/// Fewest bytes of a body for one such string, for most bodies.
const BYTES_PER_STRING: usize = 128;
/// Digits of an account id.
const ACCOUNT_LEN: usize = 12;
/// How many objects and lists around a number may say that it is an account id.
const MAX_LEVELS: usize = 4;
/// What keys say whose value is an account id: `AccountId`, `owner_id`.
const ACCOUNT_WORDS: [&[u8]; 2] = [b"account", b"owner"];

/// What may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Changeable {
    /// The inside of a string, or of a key that no protocol has.
    String,
    /// The inside of a string that holds a JSON document.
    JsonText,
    /// A number of as many digits as an account id has, under a key of the customer's that announces one.
    Account,
    /// Any other number of as many digits, but those at the top, which are the protocol's: limits, seeds.
    Number,
}

/// What of a document may be changed, in order.
#[derive(Debug, Default)]
pub(crate) struct ChangeableStrings {
    spans: Vec<(Range<usize>, Changeable)>,
}

struct Finder<'b> {
    body: &'b [u8],
    found: ChangeableStrings,
}

impl Visitor for Finder<'_> {
    fn key(&mut self, place: Place, inside: Range<usize>) {
        if place.may_rename(&self.body[inside.clone()]) {
            self.found.spans.push((inside, Changeable::String));
        }
    }

    fn string(&mut self, _path: &[Frame], place: Place, inside: Range<usize>) {
        if place.may_mask() {
            let what = if place == Place::JsonText { Changeable::JsonText } else { Changeable::String };
            self.found.spans.push((inside, what));
        }
    }

    fn scalar(&mut self, path: &[Frame], place: Place, span: Range<usize>) {
        if place == Place::Free && span.len() == ACCOUNT_LEN {
            if announces_account(self.body, path) {
                self.found.spans.push((span, Changeable::Account));
            } else if path.len() > 1 {
                self.found.spans.push((span, Changeable::Number));
            }
        }
    }
}

/// Whether the key of the value, or of what it stands in, is one of an account id: `{"account":{"id":…}}`.
fn announces_account(body: &[u8], path: &[Frame]) -> bool {
    let says_account = |key: &[u8]| {
        ACCOUNT_WORDS.iter().any(|word| key.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
    };
    path.iter().rev().take(MAX_LEVELS).any(|frame| says_account(&body[frame.key.clone()]))
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

    /// Where it stands, in order.
    pub(crate) fn into_spans(self) -> Vec<(Range<usize>, Changeable)> {
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
    fn thinking_in_other_formats_is_opaque_once_it_is_signed() {
        let body = r#"{"messages":[{"role":"assistant","content":"a","thinking_blocks":[
            {"type":"thinking","thinking":"b","signature":"s"}],"reasoning_details":[
            {"type":"reasoning.text","text":"c","signature":"s"},{"type":"reasoning.text","text":"d","index":0},
            {"type":"reasoning.encrypted","data":"e"}]}]}"#;
        assert_eq!(changeable(body), ["a", "d"]);
    }

    #[test]
    fn the_data_of_a_source_is_text_or_base64() {
        let body = r#"{"messages":[{"content":[{"type":"document","source":{"data":"text here","type":"text"}},
            {"type":"image","source":{"data":"AAAA","type":"base64"}}]}]}"#;
        assert_eq!(changeable(body), ["text here"]);
    }

    #[test]
    fn data_is_base64_where_it_looks_like_it() {
        let packed = "aW1hZ2U+".repeat(8);
        let body = format!(
            r#"{{"messages":[{{"role":"tool","tool_call_id":"t","content":[
            {{"type":"document","document":{{"id":"a","data":"b"}}}},{{"type":"document","document":{{"data":{{"x":"c"}}}}}},
            {{"type":"image","data":"{packed}","mimeType":"m"}},{{"type":"new","data":"data:x/y;base64,AAAA"}},
            {{"type":"document","source":{{"type":"text","data":"{packed}"}}}}]}}]}}"#
        );
        assert_eq!(changeable(&body), ["a", "b", "x", "c", "m", packed.as_str()]);
    }

    #[test]
    fn what_gemini_signs_and_names_is_opaque() {
        let body = r#"{"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"role":"model","parts":[
            {"text":"b","thought":true,"thoughtSignature":"s"},{"inlineData":{"mimeType":"m","data":"e","displayName":"c"}},
            {"functionCall":{"id":"i","name":"n","args":{"name":"d"}},"thoughtSignature":"s"},
            {"functionResponse":{"id":"i","name":"n","response":{"id":"e"}}},{"fileData":{"fileUri":"u"}},
            {"inline_data":{"mime_type":"m","data":"e"}},{"function_call":{"name":"n","args":{"x":"f"}},"thought_signature":"s"}]}],
            "tools":[{"functionDeclarations":[{"name":"n","description":"g"}]}],"cachedContent":"c",
            "toolConfig":{"functionCallingConfig":{"allowedFunctionNames":["n"]}}}"#;
        assert_eq!(changeable(body), ["a", "b", "c", "name", "d", "id", "e", "x", "f", "g"]);
        let wrapped = format!(r#"{{"model":"m","request":{body}}}"#);
        assert_eq!(changeable(&wrapped), changeable(body));
    }

    #[test]
    fn ids_of_calls_are_opaque() {
        let body = r#"{"messages":[{"role":"tool","tool_call_id":"c","content":"a"},{"role":"assistant",
            "tool_calls":[{"id":"c","function":{"id":"c","name":"n","arguments":"b"}}],"reasoning_opaque":"s","reasoning_text":"t"}],
            "previous_response_id":"r","tool_outputs":[{"tool_call_id":"c","output":"d"}],
            "input":[{"type":"function_call_output","call_id":"c","output":"e"}]}"#;
        assert_eq!(changeable(body), ["a", "b", "t", "d", "e"]);
    }

    #[test]
    fn what_a_program_is_called_with_is_all_its_own() {
        let body = r#"{"input":{"id":"a","role":"b","messages":[{"role":"c","content":"d"}]},"model":"m"}"#;
        assert_eq!(changeable(body), ["id", "a", "role", "b", "messages", "role", "c", "content", "d"]);
        let items = r#"{"input":[{"role":"r","content":"a"},"b",{"type":"input_file","file_data":"c"}],"model":"m"}"#;
        assert_eq!(changeable(items), ["a", "b", "c"]);
        assert_eq!(changeable(r#"{"input":"a"}"#), ["a"]);
    }
}
