//! Settings without a sign behind their key, in sections: those of Fluent Bit, `    bucket           acme-cold`.

use crate::detect::Scan;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::line::{break_before, line_start};

/// How far before a setting the head of its section may stand, bytes.
const MAX_SECTION: usize = 1024;
/// Most blanks before a key, and between it and its value.
const MAX_BLANKS: usize = 64;
/// Longest key and value.
const MAX_WORD: usize = 256;

impl Scan<'_, '_> {
    /// Looks at the blanks at `at`, of which there are two or more behind a letter; true where they stand in a setting.
    pub(in crate::detect) fn setting_of_section(&mut self, at: usize) -> bool {
        let text = self.text;
        let key = run_start(text, at, MAX_WORD, |c| is_alnum(c) || c == b'_');
        let line = run_start(text, key, MAX_BLANKS, |c| c == b' ');
        if line == key || break_before(text, line).is_none() {
            return false;
        }
        let start = run_end(text, at, MAX_BLANKS, |c| c == b' ');
        let end = run_end(text, start, MAX_WORD, |c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\'));
        if start >= end || !(ends_line(text, end) || ends_string(text, end)) || !is_in_section(text, line) {
            return false;
        }
        let members = self.meanings(key, at);
        if !members.is_empty() {
            self.believe(&members, Value { start, end, next: end, quoted: false }, Setting::Line);
        }
        true
    }
}

/// True where nothing but indented lines stands between the line that begins at `at` and the head of a section.
pub(in crate::detect) fn is_in_section(text: &[u8], mut at: usize) -> bool {
    let floor = at.saturating_sub(MAX_SECTION);
    while let Some(end) = break_before(text, at).filter(|&end| end > floor) {
        at = line_start(text, end);
        // A string of JSON may begin with it.
        let quote = run_end(text, at, MAX_BACKSLASHES, |c| matches!(c, b'"' | b'\\'));
        match text[quote.min(end)..end] {
            [b'[', .., b']'] => return true,
            [b' ', ..] => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn settings_of_fluent_bit() {
        let text = "[OUTPUT]\n    Name            s3\n    bucket           acme-cold\n    region  us-west-2\n";
        assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme-cold")]);
        for text in ["    bucket           acme-cold\n", "[x]\ny\n    bucket           acme-cold\n"] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
