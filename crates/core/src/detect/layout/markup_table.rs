//! Tables of HTML whose heading names what stands below, `<th>Password</th>` … `<td>Tr0ub4dor-3xKq</td>`: as wikis store their
//! pages. Manuals have tables of everything else, so only credentials are looked for.

use std::ops::Range;

use memchr::memmem;

use crate::catalog::Member;
use crate::detect::Scan;
use crate::detect::layout::element::{MAX_CONTENT, MAX_INSIDE};
use crate::detect::setting::value::{Setting, Value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};

/// Longest text of a cell, and a byte more.
const MAX_TEXT: usize = 1024;
/// Most columns that are looked at.
const MAX_COLUMNS: usize = 16;

/// Where in a table the last cell stood, and its columns that mean something.
#[derive(Default)]
pub(in crate::detect) struct MarkupTable {
    seen: usize,
    index: usize,
    columns: Vec<Column>,
}

struct Column {
    index: usize,
    heading: Range<usize>,
    members: Vec<Member>,
}

impl MarkupTable {
    /// Goes on to the cell that ends at `close`.
    fn go_to(&mut self, text: &[u8], close: usize) {
        let between = &text[self.seen..close];
        let has = |tags: [&[u8]; 2]| tags.iter().any(|tag| memmem::find(between, tag).is_some());
        if has([b"<table", b"<TABLE"]) {
            self.columns.clear();
        }
        self.index = if has([b"<tr", b"<TR"]) { 0 } else { self.index + 1 };
        self.seen = close;
    }
}

impl Scan<'_, '_> {
    /// Looks at the cell whose `</` is at `close`, if it is one.
    pub(in crate::detect) fn markup_cell(&mut self, table: &mut MarkupTable, close: usize) {
        let text = self.text;
        let Some(name) = text.get(close + 2..close + 5) else { return };
        let is_heading = name.eq_ignore_ascii_case(b"th>");
        if !is_heading && (!name.eq_ignore_ascii_case(b"td>") || table.columns.is_empty()) {
            return;
        }
        table.go_to(text, close);
        let Some(cell) = cell_text(text, close) else { return };
        if is_heading {
            let members = self.secrets_called(&cell);
            if !members.is_empty() && table.columns.len() < MAX_COLUMNS {
                table.columns.push(Column { index: table.index, heading: cell, members });
            }
        } else if let Some(column) = table.columns.iter().find(|column| column.index == table.index) {
            self.key = column.heading.clone();
            let value = Value { start: cell.start, end: cell.end, next: close, quoted: true };
            self.believe(&column.members, value, Setting::Line);
        }
    }

    /// The credentials that are called so.
    fn secrets_called(&mut self, heading: &Range<usize>) -> Vec<Member> {
        let words = &self.text[heading.clone()];
        if !self.detector.catalog.members.may_end(words) {
            return Vec::new();
        }
        let mut members = self.meanings_of_words(&Words::split(words));
        members
            .retain(|m| self.detector.is_credential(m.kind) && self.wants(m.kind) && self.has_hint(m, heading.start));
        members
    }
}

/// The text of the cell that ends at `close`, without elements around it: `<td><p>…</p></td>`.
fn cell_text(text: &[u8], close: usize) -> Option<Range<usize>> {
    let mut end = close;
    for _ in 0..MAX_INSIDE {
        let Some(tag) = text[..end].strip_suffix(b">") else { break };
        let name = run_start(text, tag.len(), MAX_CONTENT, |c| is_alnum(c) || c == b'-');
        end = text[..name].strip_suffix(b"</")?.len();
    }
    let is_text = |c: u8| !matches!(c, b'<' | b'>' | b'\n');
    let start = run_start(text, end, MAX_TEXT, is_text);
    // The end of a secret is no secret.
    if end - start == MAX_TEXT {
        return None;
    }
    let start = run_end(text, start, end - start, |c| c == b' ');
    let end = run_start(text, end, end - start, |c| c == b' ');
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn passwords_below_their_heading() {
        for text in [
            "<table><tr><th>Host</th><th>Password</th></tr>\n<tr><td>db1</td><td>Tr0ub4dor-3xKq</td></tr></table>",
            "<table data-layout=\"default\"><tbody><tr><th><p><strong>DB password</strong></p></th><th><p>Host</p></th></tr>\
             <tr><td><p>Tr0ub4dor-3xKq</p></td><td><p>db1</p></td></tr></tbody></table>",
            "<TABLE><TR><TH>Password</TH></TR><TR><TD>Tr0ub4dor-3xKq</TD></TR></TABLE>",
            "<tr>\n <th>Password</th>\n <th>Use</th>\n</tr>\n<tr>\n <td> Tr0ub4dor-3xKq </td>\n <td>reports</td>\n</tr>",
        ] {
            assert_eq!(parts(text), ["Tr0ub4dor-3xKq"], "{text}");
        }
        for (len, is_found) in [(10, true), (20, true), (200, false)] {
            let secret = "Tr0ub4dor-3xKq".repeat(len);
            let text = format!("<tr><th>Password</th></tr><tr><td>{secret}</td></tr>");
            assert_eq!(parts(&text), [secret.as_str()][..usize::from(is_found)], "{text}");
        }
        for text in [
            "<tr><th>Password</th><th>Host</th></tr><tr><td>required</td><td>Tr0ub4dor-3xKq</td></tr>",
            "<table><tr><th>Password</th></tr></table><table><tr><td>Tr0ub4dor-3xKq</td></tr></table>",
            "<tr><th>Bucket</th></tr><tr><td>acme-logs</td></tr>",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
