//! Whether a text, or the string that it has come to, is a JSON document, as answers in JSON mode are: told by how it
//! begins, since it may still be streaming.

use super::escape::needs_escapes;

/// How a text begins, as far as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// White space at most.
    #[default]
    Nothing,
    /// The line that opens a block of Markdown: "```json".
    Fence,
    /// Braces and brackets, and what may stand between them.
    Bracket,
    /// In a string of a document.
    String,
    /// Between its strings, or behind it.
    Between,
    /// Any other text.
    Other,
}

/// The beginning of a text that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    state: State,
    /// The last byte was the backslash of an escape.
    escaped: bool,
    /// Likewise, of one in a string of the document.
    inner_escaped: bool,
}

impl Opening {
    /// Reads on; `has_escapes` where the text is the inside of a JSON string itself.
    pub(crate) fn read(&mut self, text: &[u8], has_escapes: bool) {
        for &c in text {
            if self.state == State::Other {
                return;
            }
            if c == b'\\' && has_escapes && !self.escaped {
                self.escaped = true;
                continue;
            }
            let is_escape = std::mem::take(&mut self.escaped);
            let is_space =
                if is_escape { matches!(c, b'n' | b'r' | b't') } else { matches!(c, b' ' | b'\n' | b'\r' | b'\t') };
            let ends_line = c == if is_escape { b'n' } else { b'\n' };
            // What the document says, which has escapes of its own.
            let is_sign = is_escape == has_escapes;
            let was_escaped = std::mem::take(&mut self.inner_escaped);
            self.state = match (self.state, c) {
                // Strings of JSON have no line breaks.
                (State::String, _) if is_space && c != b' ' || c < b' ' => State::Other,
                (State::String, b'"') if is_sign && !was_escaped => State::Between,
                (State::String, _) => {
                    self.inner_escaped = c == b'\\' && is_sign && !was_escaped;
                    State::String
                }
                (State::Between | State::Bracket, b'"') if is_sign => State::String,
                (State::Between, _) => State::Between,
                (State::Fence, _) if ends_line => State::Nothing,
                (State::Fence, _) if is_space || c == b'`' || c.is_ascii_alphanumeric() => State::Fence,
                (State::Fence, _) => State::Other,
                (state, _) if is_space => state,
                (State::Nothing, b'`') if !is_escape => State::Fence,
                (_, b'{' | b'[') if !is_escape => State::Bracket,
                _ => State::Other,
            };
        }
    }

    /// True in a string of a document.
    pub(crate) fn is_in_string(self) -> bool {
        self.state == State::String
    }

    fn is_document(self) -> bool {
        matches!(self.state, State::String | State::Between)
    }
}

/// Where a text that may be JSON has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Enclosing {
    /// The text itself, inside a JSON string or not.
    Text { opening: Opening, has_escapes: bool },
    /// A document, inside a JSON string: the string of it that is open.
    Document { string: Option<Opening>, escaped: bool, inner_escaped: bool },
}

impl Default for Enclosing {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Enclosing {
    /// At the beginning of a text `depth` JSON strings deep.
    pub(crate) fn new(depth: u8) -> Self {
        match depth {
            0 | 1 => Self::Text { opening: Opening::default(), has_escapes: depth == 1 },
            _ => Self::Document { string: None, escaped: false, inner_escaped: false },
        }
    }

    pub(crate) fn read(&mut self, text: &[u8]) {
        match self {
            Self::Text { opening, has_escapes } => opening.read(text, *has_escapes),
            Self::Document { string, escaped, inner_escaped } => {
                for &c in text {
                    // What stands in the document, by its outer escapes.
                    let c = match (c, std::mem::replace(escaped, false)) {
                        (b'\\', false) => {
                            *escaped = true;
                            continue;
                        }
                        (b'n' | b'r' | b't', true) => b' ',
                        (c, _) => c,
                    };
                    match string {
                        Some(_) if c == b'"' && !*inner_escaped => *string = None,
                        Some(opening) => {
                            opening.read(&[c], true);
                            *inner_escaped = c == b'\\' && !*inner_escaped;
                        }
                        None if c == b'"' => *string = Some(Opening::default()),
                        None => {}
                    }
                }
            }
        }
    }

    /// Where no string of the document, or of one that its string holds, is open: how many JSON strings deep that is.
    pub(crate) fn depth_between_strings(self) -> Option<u32> {
        match self {
            Self::Text { .. } => None,
            Self::Document { string: None, .. } => Some(1),
            Self::Document { string: Some(opening), .. } => (opening.state == State::Between).then_some(2),
        }
    }

    /// True in a string of a document, the text itself or what a string of it holds.
    pub(crate) fn is_in_string(self) -> bool {
        match self {
            Self::Text { opening, .. } => opening.is_in_string(),
            Self::Document { string, .. } => string.is_some_and(Opening::is_in_string),
        }
    }
}

/// Whether the inside of a JSON string begins like a document.
pub(crate) fn holds_document(inside: &[u8]) -> bool {
    begins_document(inside, true) == Some(true)
}

/// Whether a text begins like a document; `None` where it ends before that is clear.
pub(crate) fn begins_document(text: &[u8], has_escapes: bool) -> Option<bool> {
    let mut opening = Opening::default();
    text.iter().find_map(|c| {
        opening.read(std::slice::from_ref(c), has_escapes);
        (opening.is_document() || opening.state == State::Other).then(|| opening.is_document())
    })
}

/// Whether `text` may stand in a JSON string as it is: no bare quote or control character, every backslash an escape.
pub(crate) fn stands_in_string(text: &[u8]) -> bool {
    if !needs_escapes(text) {
        return true;
    }
    let mut rest = text;
    while let Some((&c, after)) = rest.split_first() {
        rest = match (c, after) {
            (b'\\', [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..]) => after,
            (b'\\', [b'u', a, b, c, d, after @ ..]) if [a, b, c, d].iter().all(|c| c.is_ascii_hexdigit()) => after,
            (b'\\' | b'"' | ..0x20, _) => return false,
            _ => after,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_other_texts() {
        for text in
            [r#"{"a":1}"#, " \n{ \"", r#"["a"]"#, "```json\n{\"a\"", "```\r\n[\"a", r#"[{"a"#, "{\"a\":\n\"b\"}"]
        {
            for len in 1..text.len() {
                let (mut plain, (first, second)) = (Opening::default(), text.as_bytes().split_at(len));
                plain.read(first, false);
                plain.read(second, false);
                assert!(plain.is_document(), "{text}");
                let mut escaped = Vec::new();
                super::super::push_escaped(&mut escaped, text.as_bytes(), 1);
                let (mut inside, (first, second)) = (Opening::default(), escaped.split_at(len));
                inside.read(first, true);
                inside.read(second, true);
                assert!(inside.is_document() && holds_document(&escaped), "{text}");
            }
        }
        for text in [
            "",
            "a",
            "{",
            "[link]",
            "{a: \\\"b\\\"}",
            "[1] \\\"a\\\"",
            "\\\"{\\\"",
            "{\"",
            "\\\\{",
            "`{\\\"",
            "```json\\na",
            "```{\\n\\\"",
        ] {
            assert!(!holds_document(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn documents_in_strings_of_a_document() {
        for (text, is_in_string) in [
            (r#"{"a":"{\"b\":\""#, true),
            (r#"{"a":"{\n \"b\":\"x\\\""#, true),
            (r#"{"a":"{\"b\":1}","c":"x"#, false),
            (r#"{"a":"{\"b\":1}""#, false),
            (r#"{"a":"{"#, false),
            (r#"["#, false),
        ] {
            let mut escaped = Vec::new();
            super::super::push_escaped(&mut escaped, text.as_bytes(), 1);
            for len in 0..escaped.len() {
                let (mut enclosing, (first, second)) = (Enclosing::new(2), escaped.split_at(len));
                enclosing.read(first);
                enclosing.read(second);
                assert_eq!(enclosing.is_in_string(), is_in_string, "{text}");
            }
        }
    }

    #[test]
    fn what_may_stand_in_a_string() {
        for text in ["", "a", r"a\nb", r#"a\"b\\"#, r"\u00e9", "é"] {
            assert!(stands_in_string(text.as_bytes()), "{text}");
        }
        for text in ["a\"", "a\nb", r"a\qb", r"a\", r"\u00g0", r"\u00e", "\\\\\\"] {
            assert!(!stands_in_string(text.as_bytes()), "{text}");
        }
    }
}
