//! Lines taken apart at the borders between their cells, and what may be a heading.

use std::ops::Range;

use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};
use crate::detect::text::line::{Line, quote_backslashes};
use crate::detect::text::word_list::WordList;

use super::MAX_HEADING;
use crate::token::is_token_shaped;

/// Most cells that a line is taken apart into.
const MAX_COLUMNS: usize = 512;
/// Most words of a heading.
const MAX_WORDS: usize = 4;
/// A vertical line of a box, as UTF-8.
pub(super) const BOX_BAR: &[u8] = "│".as_bytes();

/// What stands between two cells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// `|` or `│`, and around the rows as well.
    Bar,
    /// `||` between headings, `|` between cells: of wikis and Jira.
    Wiki,
    Tab,
    /// As many as it takes to the next column: of Go's `tabwriter`.
    Tabs,
    Comma,
    Semicolon,
    /// Two blanks or more.
    Blanks,
}

/// In the order in which they are tried: what has bars may have commas in its cells.
const BORDERS: [Border; 7] =
    [Border::Wiki, Border::Bar, Border::Tab, Border::Tabs, Border::Blanks, Border::Comma, Border::Semicolon];

/// Of these, what may stand between headings behind prose on the same line.
const LISTS: [Border; 3] = [Border::Tab, Border::Comma, Border::Semicolon];

/// What may stand in a line of headings: in them, around them, and between them.
const MAY_BE_IN_HEADINGS: [bool; 256] = {
    let mut may_be = [false; 256];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        may_be[c] = is_of_heading(byte) || is_around(byte) || matches!(byte, b'|' | b',' | b';');
        c += 1;
    }
    may_be
};

impl Border {
    /// Takes a line apart that may be a heading, or have one behind its last sentence: `Here it is: BucketName,Region`.
    pub(super) fn of_heading(text: &[u8], line: Line, cells: &mut Vec<Range<usize>>) -> Option<(Self, Line)> {
        // What no heading has, no line of headings has.
        let headings = run_start(text, line.end, line.end - line.start, |c| MAY_BE_IN_HEADINGS[usize::from(c)]);
        if headings == line.start
            && let Some(border) = BORDERS.iter().find(|border| border.split_heading(text, line, cells))
        {
            return Some((*border, line));
        }
        let sentence = headings.saturating_sub(1).max(line.start);
        let behind = memchr::memrchr_iter(b' ', &text[sentence..line.end])
            .map(|i| sentence + i)
            .find(|&at| at > line.start && matches!(text[at - 1], b':' | b'.' | b'!' | b'?'))?;
        let line = Line { start: behind + 1, ..line };
        let border = LISTS.iter().find(|border| border.split_heading(text, line, cells))?;
        Some((*border, line))
    }

    /// Takes a line apart that may be a heading; false when it is none. Most lines are none by their first cell.
    fn split_heading(self, text: &[u8], line: Line, cells: &mut Vec<Range<usize>>) -> bool {
        // What was tried with single tabs before has headings up to an empty one.
        if self == Self::Tabs && cells.last().is_none_or(|cell| cell.end >= line.end) {
            return false;
        }
        cells.clear();
        if self == Self::Wiki && !is_wiki_heading(&text[line.start..line.end]) {
            return false;
        }
        for cell in self.cells(text, line) {
            let heading = &text[content(text, cell.clone())];
            // The numbers of the rows have no heading.
            let is_of_numbers = cells.is_empty() && heading.is_empty();
            if !(is_of_numbers || is_heading(heading) || self == Self::Bar && is_counted(heading)) {
                return false;
            }
            cells.push(cell);
        }
        // A table of one column has bars around it.
        let is_framed = || {
            matches!(self, Self::Bar | Self::Wiki)
                && cells.first().is_some_and(|cell| cell.start > line.start && bar_len(text, cell.end) > 0)
        };
        let is_list = matches!(self, Self::Comma | Self::Semicolon);
        // `Yes, we have a bucket`: where blanks stand behind the commas, they stand nowhere else.
        let is_spaced = is_list && cells.iter().skip(1).any(|cell| text.get(cell.start) == Some(&b' '));
        // `buckets    []int`, `table     sync.Map`: what a record of a program has.
        let is_of_code = |cell: &Range<usize>| is_type(&text[content(text, cell.clone())]);
        if matches!(self, Self::Blanks | Self::Tab | Self::Tabs) && cells.len() == 2 && is_of_code(&cells[1]) {
            return false;
        }
        let has_words = |cell: &Range<usize>| text[content(text, cell.clone())].contains(&b' ');
        (cells.len() > 1 || is_framed()) && !(is_spaced && cells.iter().any(has_words))
    }

    /// Takes a line apart.
    pub(super) fn split(self, text: &[u8], line: Line, cells: &mut Vec<Range<usize>>) {
        cells.clear();
        cells.extend(self.cells(text, line));
    }

    /// The cells of a line.
    fn cells(self, text: &[u8], line: Line) -> impl Iterator<Item = Range<usize>> {
        let mut at = line.start;
        if matches!(self, Self::Bar | Self::Wiki) {
            at = run_end(text, at, line.end - at, |c| matches!(c, b' ' | b'>'));
            at += if self == Self::Wiki { run_end(text, at, 2, |c| c == b'|') - at } else { bar_len(text, at) };
        }
        let next_cell = move || {
            if at > line.end {
                return None;
            }
            let start = at;
            let (end, next) = self.cell_end(text, start, line);
            at = next;
            // Behind the last bar stands nothing.
            let is_behind_all =
                matches!(self, Self::Bar | Self::Wiki) && next > line.end && text[start..end].trim_ascii().is_empty();
            (!is_behind_all).then_some(start..end)
        };
        std::iter::from_fn(next_cell).take(MAX_COLUMNS)
    }

    /// Where the cell ends that begins at `at`, and where the next one begins; past the line for the last.
    fn cell_end(self, text: &[u8], at: usize, line: Line) -> (usize, usize) {
        let rest = &text[at..line.end];
        let last = (line.end, line.end + 1);
        match self {
            Self::Bar => {
                let bar = memchr::memchr2_iter(b'|', BOX_BAR[0], rest).find(|&i| bar_len(text, at + i) > 0);
                bar.map_or(last, |i| (at + i, at + i + bar_len(text, at + i)))
            }
            Self::Wiki => {
                memchr::memchr(b'|', rest).map_or(last, |i| (at + i, run_end(text, at + i, 2, |c| c == b'|')))
            }
            Self::Tab | Self::Tabs => {
                let tab = memchr::memchr2_iter(b'\t', b'\\', rest)
                    .find_map(|i| tab_end(text, at + i, line).map(|end| (i, end)));
                let Some((i, mut end)) = tab else { return last };
                while self == Self::Tabs
                    && end < line.end
                    && let Some(next) = tab_end(text, end, line)
                {
                    end = next;
                }
                (at + i, end)
            }
            Self::Comma | Self::Semicolon => {
                let sign = if self == Self::Comma { b',' } else { b';' };
                let from = quoted_end(text, at, line, sign).unwrap_or(at);
                memchr::memchr(sign, &text[from..line.end]).map_or(last, |i| (from + i, from + i + 1))
            }
            Self::Blanks => {
                let from = run_end(text, at, line.end - at, |c| c == b' ');
                let gap = memchr::memmem::find(&text[from..line.end], b"  ").map(|i| from + i);
                let next =
                    gap.map(|gap| run_end(text, gap, line.end - gap, |c| c == b' ')).filter(|&next| next < line.end);
                gap.zip(next).unwrap_or((gap.unwrap_or(line.end), line.end + 1))
            }
        }
    }

    /// Whether the first row may be one that has as many cells as the heading, or has not.
    pub(super) fn takes(self, fits: bool) -> bool {
        fits || matches!(self, Self::Blanks | Self::Bar | Self::Wiki)
    }
}

/// Takes a row apart whose cells have tabs between them.
pub(in crate::detect) fn split_at_tabs(text: &[u8], line: Line, cells: &mut Vec<Range<usize>>) {
    Border::Tab.split(text, line, cells);
}

/// Takes a row apart whose cells have bars between and around them.
pub(in crate::detect) fn split_at_bars(text: &[u8], line: Line, cells: &mut Vec<Range<usize>>) {
    Border::Bar.split(text, line, cells);
}

/// Where the tab at `at` ends, if it is one.
fn tab_end(text: &[u8], at: usize, line: Line) -> Option<usize> {
    if text[at] == b'\t' {
        return Some(at + 1);
    }
    let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let is_tab = line.depth > 0 && text.get(end) == Some(&b't') && end - at == 1 << (line.depth - 1) && end < line.end;
    is_tab.then_some(end + 1)
}

/// Behind the quoted cell that begins at `at`.
fn quoted_end(text: &[u8], at: usize, line: Line, sign: u8) -> Option<usize> {
    let open = run_end(text, at, line.end - at, |c| c == b' ');
    let quote = run_end(text, open, MAX_BACKSLASHES, |c| c == b'\\');
    if quote - open != quote_backslashes(line.depth) || text.get(quote) != Some(&b'"') {
        return None;
    }
    let ends = |&i: &usize| {
        let behind = quote + 2 + i;
        behind >= line.end || text[behind] == sign
    };
    memchr::memchr_iter(b'"', text.get(quote + 1..line.end)?).find(ends).map(|i| (quote + 2 + i).min(line.end))
}

/// A cell without blanks, quotes and marks around what it holds.
pub(in crate::detect) fn content(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let start = run_end(text, cell.start, cell.len(), is_around);
    start..run_start(text, cell.end, cell.end - start, is_around)
}

/// What may stand between a cell and its border: blanks, quotes, and what Markdown has around words.
pub(super) const fn is_around(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'"' | b'`' | b'*' | b'\\')
}

/// `||Bucket||Password||`: between all headings stand two bars.
fn is_wiki_heading(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let bars = memchr::memchr_iter(b'|', line).count();
    line.starts_with(b"||") && bars > 2 && bars == 2 * memchr::memmem::find_iter(line, b"||").count()
}

/// Bytes of the bar at `at`.
pub(in crate::detect) fn bar_len(text: &[u8], at: usize) -> usize {
    match text.get(at..) {
        Some([b'|', ..]) => 1,
        Some(rest) if rest.starts_with(BOX_BAR) => BOX_BAR.len(),
        _ => 0,
    }
}

/// `11월 비용`, `30 days`: between bars, with a line under it, that is a heading, too.
fn is_counted(heading: &[u8]) -> bool {
    let number = run_end(heading, 0, MAX_HEADING, |c| c.is_ascii_digit());
    let unit = run_end(heading, number, 1, |c| c == b' ');
    number > 0 && heading.get(unit..).is_some_and(|unit| is_heading(unit) && !unit[0].is_ascii_punctuation())
}

/// Types of programs.
static TYPES: WordList = WordList::new(&[
    "bool", "boolean", "byte", "char", "double", "float", "float32", "float64", "int", "int32", "int64", "integer",
    "long", "str", "string", "uint", "uint32", "uint64", "uint8", "varchar",
]);

/// True for the type of a field: `string`, `prometheus.Counter`, `func() error`.
fn is_type(heading: &[u8]) -> bool {
    let is_exported = |three: &[u8]| three[0].is_ascii_lowercase() && three[1] == b'.' && three[2].is_ascii_uppercase();
    TYPES.contains(heading) || heading.windows(3).any(is_exported) || memchr::memmem::find(heading, b"()").is_some()
}

/// What headings are written with.
const fn is_of_heading(c: u8) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, b' ' | b'_' | b'-' | b'.' | b'/' | b':' | b'#' | b'(' | b')' | b'%' | b'?' | b'&' | b'$')
        || !c.is_ascii()
}

/// What a column may be called: a few words.
#[inline]
fn is_heading(heading: &[u8]) -> bool {
    let Some(&first) = heading.first().filter(|_| heading.len() <= MAX_HEADING) else { return false };
    let count = |sign: u8| heading.iter().filter(|&&c| c == sign).count();
    (first.is_ascii_alphabetic() || matches!(first, b'_' | b'#') || !first.is_ascii())
        && !is_token_shaped(heading)
        && heading.iter().all(|&c| is_of_heading(c))
        && count(b' ') < MAX_WORDS
        // Half a call is none: `f(a, b)`.
        && count(b'(') == count(b')')
}
