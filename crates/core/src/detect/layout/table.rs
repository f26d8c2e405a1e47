//! Tables whose heading names what stands below: CSV, TSV, Markdown, `psql`, `kubectl get`, `aws --output table`.

mod border;
mod row;
#[cfg(test)]
mod tests;

use std::ops::Range;

use once_cell::sync::OnceCell;

use crate::catalog::{Category, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::api::output::{may_end_tag, tag_before};
use crate::detect::scan::sieve::{Class, Row, Sieve};
use crate::detect::setting::key::is_asked_last;
use crate::detect::setting::section::is_in_section;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::setting::words::Words;
use crate::detect::shape::arn::is_account;
use crate::detect::text::boundary::{MAX_BACKSLASHES, follows_escape, is_alnum, run_end, run_start};
use crate::detect::text::line::{Line, following, line_at, line_start};
use border::{BOX_BAR, Border, is_around};
pub(in crate::detect) use border::{bar_len, content, split_at_bars, split_at_tabs};

/// Longest text that is looked through for tables although nothing was found in it.
const SHORT_TEXT: usize = 1024;
/// Longest line of a table with bars, where one of its bars is looked at by itself.
const MAX_BAR_LINE: usize = 1024;
/// Longest heading of a column.
pub(in crate::detect) const MAX_HEADING: usize = 64;

/// A column that means something.
struct Column {
    index: usize,
    /// Of the heading.
    span: Range<usize>,
    members: Vec<Member>,
}

impl Scan<'_, '_> {
    /// Looks for tables; for all but those that are drawn, only when it is worth it.
    pub(in crate::detect) fn tables(&mut self) {
        let text = self.text;
        let mut cells = Vec::new();
        // The last column of `psql` has no border that was met.
        let may_have_accounts = self.hits.loose.iter().any(|loose| is_account(&text[loose.span.clone()]));
        let is_worth_it = !self.is_longer(SHORT_TEXT) || may_have_accounts || self.has_finding();
        if !is_worth_it {
            self.met_tables(&mut cells);
        }
        if is_worth_it || self.has_finding() {
            self.written_tables(&mut cells);
        }
        let mut from = 0;
        // Its first byte is rarer in Korean than the others.
        for bar in memchr::memchr_iter(BOX_BAR[0], text) {
            if bar >= from && bar_len(text, bar) > 0 {
                from = self.behind_heading(bar, run_start(text, bar, MAX_HEADING, is_around), &mut cells);
            }
        }
    }

    /// Looks at the tables whose headings were met.
    fn met_tables(&mut self, cells: &mut Vec<Range<usize>>) {
        let mut from = 0;
        for at in std::mem::take(&mut self.hits.headings) {
            if at >= from {
                from = self.tagged_row(at).unwrap_or_else(|| self.table_at(at, cells));
            }
        }
    }

    fn written_tables(&mut self, cells: &mut Vec<Range<usize>>) {
        let (text, detector) = (self.text, self.detector);
        sieve().each(detector.lanes, text, |at| {
            let Some(before) = at.checked_sub(1).map(|before| text[before]) else { return 1 };
            if !may_end_heading(before, text[at], text.get(at + 1)) {
                return at + 1;
            }
            if may_end_tag(text, at)
                && let Some(next) = self.tagged_row(at)
            {
                return next.max(at + 1);
            }
            let end = if is_alnum(before) { at } else { run_start(text, at, MAX_HEADING, is_around) };
            let is_worth_a_call =
                detector.catalog.members.may_end_at_first_sight(&text[..end]) && !is_in_sentence(text, at, end);
            if is_worth_a_call { self.behind_heading(at, end, cells) } else { at + 1 }
        });
    }

    /// Looks at what may be a border behind the heading of a column that ends at `end`; gives where to go on.
    fn behind_heading(&mut self, at: usize, end: usize, cells: &mut Vec<Range<usize>>) -> usize {
        let text = self.text;
        if self.detector.catalog.members.may_end(&text[..end]) { self.table_at(at, cells) } else { at + 1 }
    }

    /// Looks at the line of `at`, which may be the heading of a table; gives where to go on.
    fn table_at(&mut self, at: usize, cells: &mut Vec<Range<usize>>) -> usize {
        let text = self.text;
        let Some(line) = line_at(text, line_start(text, at)) else { return text.len() };
        self.table(line, cells).unwrap_or(line.next).max(at + 1)
    }

    /// Looks at the line of `at`, once.
    pub(in crate::detect) fn table_around(&mut self, at: usize) {
        if at >= self.headings_seen {
            self.headings_seen = self.table_at(at, &mut Vec::new());
        }
    }

    /// Looks at a line that may be the heading of a table; gives where the table ends.
    fn table(&mut self, heading: Line, cells: &mut Vec<Range<usize>>) -> Option<usize> {
        let text = self.text;
        let (border, heading) = Border::of_heading(text, heading, cells)?;
        let columns = self.columns(cells);
        let is_setting = border == Border::Blanks && cells.len() == 2 && is_in_section(text, heading.start);
        // `#define LN_password  "password"` is the heading of nothing.
        let pair = self.pair_of_columns(cells);
        if columns.is_empty() && pair.is_none() || is_setting || text[heading.start..].starts_with(b"#define ") {
            return None;
        }
        let headings = cells.clone();
        let mut row = following(text, heading)?;
        if border == Border::Bar && !is_rule(&text[row.start..row.end]) {
            // Reports on costs and `psql -A` have bars for commas: none around the rows, and headings of one word.
            let is_bare = |line: Line| text[line.start..line.end].contains(&b'|') && !has_bar_around(text, line);
            let has_words = headings.iter().any(|cell| text[cell.clone()].contains(&b' '));
            border.split(text, row, cells);
            if has_words || cells.len() != headings.len() || !is_bare(heading) || !is_bare(row) {
                return None;
            }
        }
        let mut is_first = true;
        loop {
            if !is_rule(&text[row.start..row.end]) {
                border.split(text, row, cells);
                // The rows of a data frame are numbered.
                let is_numbered = cells.len() == headings.len() + 1 && border == Border::Blanks;
                if is_numbered && text[cells[0].clone()].iter().all(|c| c.is_ascii_digit() || *c == b' ') {
                    cells.remove(0);
                }
                let fits = cells.len() == headings.len();
                if cells.len() < 2 && headings.len() > 1 && border != Border::Blanks || is_first && !border.takes(fits)
                {
                    return Some(row.start);
                }
                let same = |(cell, heading): (&Range<usize>, &Range<usize>)| {
                    let (cell, heading) = (content(text, cell.clone()), content(text, heading.clone()));
                    !cell.is_empty() && text[cell] == text[heading]
                };
                // What stands above `GPG_ERR_SQL_ROW  NEW.` is another such line.
                if is_first && cells.iter().zip(&headings).any(same) {
                    return Some(row.start);
                }
                is_first = false;
                if let Some(index) = pair.filter(|_| fits) {
                    self.row_of_pair(cells[index].clone(), cells[index + 1].clone());
                }
                for column in &columns {
                    let cell = match border {
                        Border::Blanks if !fits => below(text, heading, row, &headings, column.index),
                        _ => cells.get(column.index).cloned(),
                    };
                    // What stands below a heading by chance may be prose.
                    let is_prose =
                        |cell: &Range<usize>| border == Border::Blanks && !fits && text[cell.clone()].contains(&b' ');
                    let cell = cell.map(|cell| content(text, cell)).filter(|cell| !cell.is_empty() && !is_prose(cell));
                    if let Some(cell) = cell {
                        // A data frame with gaps has floating-point numbers.
                        let is_float = text[cell.clone()].strip_suffix(b".0").is_some_and(is_account);
                        let cell = cell.start..cell.end - if is_float { 2 } else { 0 };
                        self.key = column.span.clone();
                        let value = Value { start: cell.start, end: cell.end, next: cell.end, quoted: true };
                        self.believe(&column.members, value, Setting::Sure);
                    }
                }
            }
            match following(text, row) {
                Some(next) if next.start < next.end => row = next,
                _ => return Some(row.next.max(heading.next)),
            }
        }
    }

    /// The columns whose headings are keys that mean something.
    fn columns(&mut self, headings: &[Range<usize>]) -> Vec<Column> {
        let text = self.text;
        let mut columns = Vec::new();
        for (index, cell) in headings.iter().enumerate() {
            let span = content(text, cell.clone());
            let heading = &text[span.clone()];
            let mut members = if self.detector.catalog.members.may_end(heading) {
                self.meanings_of_words(&Words::split(heading))
            } else {
                Vec::new()
            };
            if !heading.is_ascii() {
                members.extend(self.meanings_of_korean(heading));
            }
            members.retain(|member| self.wants(member.kind));
            if !members.is_empty() {
                columns.push(Column { index, span, members });
            }
        }
        let is_heading = |word: &[u8]| headings.iter().any(|cell| &text[content(text, cell.clone())] == word);
        if is_heading(b"CONTAINER ID") || is_heading(b"IMAGE ID") && is_heading(b"CREATED") {
            // What Docker lists.
            columns.clear();
        }
        self.name_column(headings, &mut columns);
        // Who has a password is a user, whatever the table is about.
        let has_secrets = columns.iter().any(|Column { span, members, .. }| {
            members.iter().any(|m| self.detector.is_credential(m.kind) && self.has_hint(m, span.start))
        });
        columns.retain_mut(|column| {
            let at = column.span.start;
            column.members.retain(|m| has_secrets || is_asked_last(m) || self.has_hint(m, at));
            !column.members.is_empty()
        });
        columns
    }
}

impl Scan<'_, '_> {
    /// The column that is just `Name`, in a table with the ids or accounts of things: it has theirs.
    fn name_column(&self, headings: &[Range<usize>], columns: &mut Vec<Column>) {
        let catalog = self.detector.catalog;
        let is_id = |member: &Member| {
            catalog.kind(member.kind).is_some_and(|kind| matches!(kind.category, Category::Ids | Category::Accounts))
        };
        if !self.wants(catalog.known.resource_name) || !columns.iter().flat_map(|c| &c.members).any(is_id) {
            return;
        }
        let mut spans = headings.iter().map(|cell| content(self.text, cell.clone())).enumerate();
        let found = spans.find(|(_, span)| self.text[span.clone()].eq_ignore_ascii_case(b"name"));
        if let Some((index, span)) = found.filter(|&(index, _)| !columns.iter().any(|column| column.index == index)) {
            let kind = catalog.known.resource_name;
            let member = Member { kind, matches: Match::Exact, value: ValueShape::OwnName, hint: None };
            columns.push(Column { index, span, members: vec![member] });
        }
    }
}

/// What must stand around a border between headings, in texts in which nothing else shows that they are worth a pass of
/// their own.
pub(in crate::detect) fn rows() -> Vec<Row> {
    let letter = || Class::of(|c| c.is_ascii_alphabetic());
    vec![
        // `BucketName,Region`.
        Row::at(b",;\t").before(letter()).next(letter()),
        // `BUCKETS\t2024-05-01`.
        Row::at(b"\t").before(Class::bytes(b"S")).next(Class::of(|c| c.is_ascii_digit())),
        // `"BucketName","Region"`, also in a string.
        Row::at(b",;").before(Class::bytes(b"\"")).next(Class::bytes(b"\"\\")),
        // `bucket, region`.
        Row::at(b",;").before(letter()).next(Class::bytes(b" ")).second(letter()),
        // `BUCKET   REGION`, and not what begins a line: `\n  return`.
        Row::at(b" ").before(Class::of(is_unindented)).next(Class::bytes(b" ")),
        // `BucketName\tRegion`, and not `\n\treturn`.
        Row::at(b"\\").before(Class::of(|c| is_unindented(c) || c == b'\\')).next(Class::bytes(b"t")),
    ]
}

/// Letters that are not the end of `\n`.
fn is_unindented(c: u8) -> bool {
    c.is_ascii_alphabetic() && c != b'n'
}

/// True where the second of these bytes may be such a border: what [`rows`] let through.
#[inline(always)]
pub(in crate::detect) fn may_be_border([before, border, next, second]: [u8; 4]) -> bool {
    match border {
        b' ' => next == b' ' && is_unindented(before),
        b'\\' => next == b't' && (is_unindented(before) || before == b'\\'),
        b',' | b';' if before == b'"' => matches!(next, b'"' | b'\\'),
        b'\t' if before == b'S' => is_alnum(next),
        b',' | b';' if next == b' ' => before.is_ascii_alphabetic() && second.is_ascii_alphabetic(),
        _ => before.is_ascii_alphabetic() && next.is_ascii_alphabetic(),
    }
}

impl Scan<'_, '_> {
    /// Notes it when a column before or behind the border at `at` has a heading that means something.
    #[inline(never)]
    pub(in crate::detect) fn border(&mut self, at: usize) {
        if self.text[at] == b' ' && self.setting_of_section(at) {
            return;
        }
        // Where something was found, every line is looked at.
        if self.has_finding() {
            return;
        }
        let (text, members) = (self.text, &self.detector.catalog.members);
        let behind_tag = run_start(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        if may_end_tag(text, behind_tag) && tag_before(text, behind_tag).is_some() {
            self.hits.headings.push(behind_tag);
            return;
        }
        let is_word = |c: u8| is_alnum(c) || matches!(c, b'_' | b'-' | b'.');
        let end = run_start(text, at, MAX_HEADING, is_around);
        if matches!(text[at..], [b',' | b';', b' ', ..]) {
            // In prose other words stand before most.
            let start = run_start(text, end, MAX_HEADING, is_word);
            let begins_line = matches!(text[..start], [] | [.., b'\n' | b'"' | b'\\']);
            if !begins_line && !text[..start].ends_with(&[text[at], b' ']) {
                return;
            }
        }
        // Only the last column has no border behind it.
        let may_be_last = || {
            let behind = run_end(text, at, MAX_HEADING, |c| is_around(c) || matches!(c, b',' | b';'));
            let behind = run_end(text, behind, MAX_HEADING, |c| is_word(c) || c == b' ');
            let is_last = text.get(behind).is_none_or(|&c| matches!(c, b'\n' | b'\r' | b'"' | b'\\'));
            is_last && members.may_end(&text[..behind])
        };
        if at >= self.headings_seen && (members.may_end(&text[..end]) || may_be_last()) && self.is_heading_around(at) {
            self.hits.headings.push(at);
        }
    }

    /// Whether the line of the border at `at` is the heading of a table in which a column means something. A line is
    /// looked at once.
    fn is_heading_around(&mut self, at: usize) -> bool {
        let text = self.text;
        if at < self.headings_seen {
            return false;
        }
        let Some(line) = line_at(text, line_start(text, at)) else {
            self.headings_seen = text.len();
            return false;
        };
        self.headings_seen = line.next;
        let mut cells = Vec::new();
        Border::of_heading(text, line, &mut cells).is_some() && !self.columns(&cells).is_empty()
    }
}

/// True when the bar at `at` stands in a heading: a line is drawn under it, and a row like it follows. Lists of names and
/// values have a line only around all of them.
pub(in crate::detect) fn is_heading_at(text: &[u8], at: usize) -> bool {
    if text[at..].starts_with(b"||") {
        return true;
    }
    let Some(heading) = line_at(&text[..text.len().min(at + MAX_BAR_LINE)], at) else { return false };
    let text = &text[..text.len().min(heading.next + 2 * MAX_BAR_LINE)];
    let Some(rule) = following(text, heading).filter(|rule| is_rule(&text[rule.start..rule.end])) else { return false };
    let Some(row) = following(text, rule) else { return false };
    let from = run_start(text, at, MAX_BAR_LINE, |c| c != b'"');
    let start = from + line_start(&text[from..at], at - from);
    let bars = |from: usize, to: usize| memchr::memchr_iter(b'|', &text[from..to]).count();
    bars(start, heading.end) == bars(row.start, row.end)
}

/// The cell of an aligned table that stands below the heading of this index.
fn below(text: &[u8], heading: Line, row: Line, headings: &[Range<usize>], index: usize) -> Option<Range<usize>> {
    let start = row.start + (headings[index].start - heading.start);
    let end = headings.get(index + 1).map_or(row.end, |next| row.start + (next.start - heading.start)).min(row.end);
    // What is wider than its column reaches into the next.
    let end = run_end(text, end, row.end - end, |c| c != b' ' && text.get(end.wrapping_sub(1)) != Some(&b' '));
    let is_column = start < end && text[start] != b' ' && (start == row.start || text[start - 1] == b' ');
    is_column.then_some(start..end)
}

/// The sieve that lets through what may stand behind the heading of a column.
pub(in crate::detect) fn sieve() -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| {
        // All of these have room on one page of the tables.
        Sieve::new(vec![
            Row::at(b",").before(Class::of(is_alnum)),
            Row::at(b";").before(Class::of(is_alnum)),
            Row::at(b",;").before(Class::bytes(b"\"")).next(Class::bytes(b"\"\\")),
            // `psql` fills the last heading up, too.
            Row::at(b"\t\r\n").before(Class::of(|c| is_alnum(c) || is_around(c))),
            Row::at(b"|").before(Class::of(|c| is_alnum(c) || is_around(c))),
            // Two rows: the tables would see blanks in the union of the two sets, and indented text has many.
            Row::at(b" ").before(Class::of(|c| is_alnum(c) || c == b'`')).next(Class::bytes(b" ")),
            Row::at(b" ").before(Class::bytes(b"\"*")).next(Class::bytes(b" ")),
            // `\t`, `\r\n`, and these in strings in strings.
            Row::at(b"\\").before(Class::of(|c| is_alnum(c) || is_around(c))).next(Class::bytes(b"\\rnt")),
        ])
    })
}

/// What [`sieve`] lets through, to the byte: behind a heading a whole line is passed over, so other bytes must not do.
fn may_end_heading(before: u8, c: u8, next: Option<&u8>) -> bool {
    match c {
        b',' | b';' => is_alnum(before) || before == b'"' && matches!(next, Some(b'"' | b'\\')),
        b'\t' | b'\r' | b'\n' | b'|' => is_alnum(before) || is_around(before),
        b' ' => next == Some(&b' ') && (is_alnum(before) || matches!(before, b'"' | b'`' | b'*')),
        b'\\' => (is_alnum(before) || is_around(before)) && matches!(next, Some(b'\\' | b'r' | b'n' | b't')),
        _ => false,
    }
}

/// True for the comma in `of the group, see the log`: where blanks stand behind the commas of a heading, its columns have
/// one word each, so that no other stands right before it.
fn is_in_sentence(text: &[u8], at: usize, end: usize) -> bool {
    if !matches!(text[at..], [b',' | b';', b' ', ..]) {
        return false;
    }
    let word = run_start(text, end, MAX_HEADING, |c| !matches!(c, b' ' | b'\n' | b'\\' | b'"' | b',' | b';'));
    let before = run_start(text, word, MAX_HEADING, |c| c == b' ');
    before < word && text[..before].last().is_some_and(|&c| is_alnum(c)) && !follows_escape(text, before)
}

/// True for a line that begins or ends with a bar.
fn has_bar_around(text: &[u8], line: Line) -> bool {
    let line = text[line.start..line.end].trim_ascii();
    line.starts_with(b"|") || line.ends_with(b"|") || line.starts_with(BOX_BAR)
}

/// True for the line that is drawn under a heading.
pub(in crate::detect) fn is_rule(line: &[u8]) -> bool {
    // What boxes are drawn with: U+2500 to U+257F.
    let is_drawn = |c: u8| matches!(c, b'-' | b'=' | b'+' | b'|' | b':' | b' ' | 0xe2 | 0x80..=0xbf);
    line.len() >= 3
        && line.iter().all(|&c| is_drawn(c))
        && (line.iter().filter(|&&c| matches!(c, b'-' | b'=')).count() >= 3
            || line.iter().filter(|&&c| c == 0xe2).count() >= 3)
}
