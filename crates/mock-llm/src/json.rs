//! Writing JSON: raw UTF-8 as the real APIs send it, or with everything beyond ASCII escaped.

use std::fmt::Write as _;

use serde::Serialize;

/// How JSON text is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Json {
    /// Write characters beyond ASCII as `\uXXXX` escapes.
    pub(crate) ascii: bool,
}

impl Json {
    /// `value` as one line of JSON, members in the order of its fields.
    pub(crate) fn text<T: Serialize>(self, value: &T) -> String {
        // the types of this crate have string keys only and serialise without fail
        let text = serde_json::to_string(value).expect("a plain value is valid JSON");
        if self.ascii { escape_beyond_ascii(&text) } else { text }
    }

    /// `text` as the inside of a JSON string, without the quotes around it.
    pub(crate) fn inside(self, text: &str) -> String {
        let mut quoted = self.text(&text);
        quoted.pop();
        quoted.remove(0);
        quoted
    }
}

/// Characters beyond ASCII stand only inside strings, where an escape means the same.
fn escape_beyond_ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // writing to a string does not fail
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_only_where_asked() {
        let text = "서버 😀 \"i-0\"\n";
        assert_eq!(Json { ascii: false }.text(&text), "\"서버 😀 \\\"i-0\\\"\\n\"");
        let escaped = Json { ascii: true }.text(&text);
        assert_eq!(escaped, r#""\uc11c\ubc84 \ud83d\ude00 \"i-0\"\n""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        assert_eq!(Json::default().inside("a\"b"), "a\\\"b");
    }
}
