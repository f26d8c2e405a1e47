//! Rows with a name and its value: `| BucketName | acme-logs |`.

use std::ops::Range;

use crate::detect::Scan;
use crate::detect::setting::index::before_index;
use crate::detect::setting::key::{MAX_PADDING, is_asked_last, key_end, key_start};
use crate::detect::setting::value::{Setting, Value};
use crate::detect::text::boundary::{run_end, run_start};

use super::{content, is_heading_at};

/// Longest cell of a table.
const MAX_CELL: usize = 1024;

/// What the column of names is called.
const NAMES: [&[u8]; 6] = [b"key", b"name", b"parameter", b"property", b"setting", b"variable"];

impl Scan<'_, '_> {
    /// Looks at the `|` at `at`, which may stand between the name and the value of a row.
    #[inline(never)]
    pub(in crate::detect) fn cell(&mut self, at: usize) {
        let text = self.text;
        // `ENV["DB_PASSWORD"] ||= "…"`
        if text[at..].starts_with(b"||=") {
            return self.keyed_value(at + 2, key_end(text, at));
        }
        let end = run_start(text, at, MAX_PADDING, |c| c == b' ');
        let is_known = |end: usize| self.detector.catalog.members.may_mean_something(&text[..end]);
        let end = if is_known(end) {
            end
        } else {
            match before_index(text, end) {
                Some(end) if is_known(end) => end,
                _ => return,
            }
        };
        let start = key_start(text, end);
        if start == end {
            return;
        }
        let mut members = self.meanings_anywhere(start, end);
        if is_of_cli(text, start, at) {
            self.speak_of_aws(&mut members, start, end);
        }
        members.retain(|m| is_asked_last(m) || self.has_hint(m, start));
        if members.is_empty() {
            return;
        }
        if is_heading_at(text, at) {
            self.hits.headings.push(at);
            return;
        }
        if !matches!(text.get(start.wrapping_sub(1)), Some(b' ' | b'|')) {
            return;
        }
        if let Some(found) = cell_text(text, at) {
            self.believe(&members, found, Setting::Sure);
        }
    }

    /// The column of names beside one of their values, where a table has these: what `vault kv get` and `Get-ChildItem Env:`
    /// print, and what spreadsheets of settings are.
    pub(super) fn pair_of_columns(&self, headings: &[Range<usize>]) -> Option<usize> {
        let heading = |cell: &Range<usize>| self.text[content(self.text, cell.clone())].to_ascii_lowercase();
        headings.windows(2).position(|pair| heading(&pair[1]) == b"value" && NAMES.contains(&&heading(&pair[0])[..]))
    }

    /// Looks at a row of such a table.
    pub(super) fn row_of_pair(&mut self, name: Range<usize>, value: Range<usize>) {
        let (name, value) = (content(self.text, name), content(self.text, value));
        let members = self.meanings(name.start, name.end);
        if !members.is_empty() && !value.is_empty() {
            let value = Value { start: value.start, end: value.end, next: value.end, quoted: true };
            self.believe(&members, value, Setting::Line);
        }
    }
}

/// True for the key at `key` in a row as AWS's command line draws them, with two blanks behind each bar:
/// `|  PolicyName |  acme-x  |`.
fn is_of_cli(text: &[u8], key: usize, bar: usize) -> bool {
    text[..key].ends_with(b"|  ") && text[bar..].starts_with(b"|  ")
}

/// The text of the cell that begins after the bar at `at`.
fn cell_text(text: &[u8], at: usize) -> Option<Value> {
    let stop = run_end(text, at + 1, MAX_CELL, |c| c != b'|' && c != b'\n');
    if text.get(stop) != Some(&b'|') {
        return None;
    }
    let from = run_end(text, at + 1, stop - at - 1, |c| c == b' ');
    let to = run_start(text, stop, stop - from, |c| c == b' ');
    // Markdown's code.
    let is_code = to > from + 2 && text[from] == b'`' && text[to - 1] == b'`';
    let (from, to) = if is_code { (from + 1, to - 1) } else { (from, to) };
    (from < to).then_some(Value { start: from, end: to, next: to, quoted: true })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn rows_of_the_command_line_speak_of_aws() {
        assert_eq!(parts("+------+\n|  PolicyName|  acme-scale-out  |\n+------+"), ["acme-scale-out"]);
        assert_eq!(parts("||  PolicyName  |  acme-scale-out  ||\n"), ["acme-scale-out"]);
        let padding = " ".repeat(100);
        assert_eq!(parts(&format!("|  UserName{padding}|  acme-ci{padding}|\n")), ["acme-ci"]);
        assert_eq!(parts("| PolicyName | acme-scale-out |\n"), [""; 0]);
        assert_eq!(parts("|  PolicyName|  Enabled  |\n"), [""; 0]);
    }
}
