//! What commands of AWS print: where it stands, and the rows that `--output text` begins with the name of a member,
//! `TABLENAMES orders` with a tab between.
//!
//! A command and what it printed may stand in two strings of JSON: the call of a tool and its answer.

use std::ops::Range;

use crate::catalog::Member;
use crate::detect::Scan;
use crate::detect::api::call::ANSWERS;
use crate::detect::api::query::MAX_EXPRESSION;
use crate::detect::layout::table::split_at_tabs;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};
use crate::detect::text::line::{Line, break_at, following};

/// Longest name of a member.
const MAX_TAG: usize = 48;
/// How far behind the call of a tool its answer may begin, bytes.
const MAX_TO_ANSWER: usize = 512;

/// Where a row has a name.
enum Place {
    /// Last, behind the time when the thing was made.
    Last,
    Before(&'static [u8]),
    Behind(&'static [u8]),
}

/// Rows of things that have their name beside what is always there and known by its shape. The cells are those members
/// that are there, sorted by their names. The rows of most other things have an ARN with the name in it.
const ROWS: &[(&[u8], &[u8], Place)] = &[
    // CreationDate, Name
    (b"BUCKETS", b"bucketname", Place::Last),
    // GroupId, GroupName
    (b"GROUPS", b"securitygroupname", Place::Behind(b"sg-")),
    (b"SECURITYGROUPS", b"securitygroupname", Place::Behind(b"sg-")),
    // KeyName, KeyPairId
    (b"KEYPAIRS", b"keyname", Place::Before(b"key-")),
    // LaunchTemplateId, LaunchTemplateName
    (b"LAUNCHTEMPLATES", b"launchtemplatename", Place::Behind(b"lt-")),
];

fn is_quote_at(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'\'' | b'"'))
}

/// The line behind the one of `at`, in plain text: what a call printed may stand below it, `{"cmd": "aws s3 ls"}`.
fn behind_line(text: &[u8], at: usize, limit: usize) -> Option<Line> {
    let next = at + memchr::memchr(b'\n', &text[at..limit])? + 1;
    following(text, Line { start: next, end: next, next, depth: 0 })
}

/// The first line of what answers next behind the quote at `quote`, which closes the string in which a tool was called.
fn next_answer(text: &[u8], quote: usize) -> Option<Line> {
    let near = &text[quote..text.len().min(quote + MAX_TO_ANSWER)];
    let tool = memchr::memmem::find(near, b"tool")?;
    memchr::memchr_iter(b'"', &near[tool..]).find_map(|i| {
        let key = &near[tool + i + 1..];
        let name = ANSWERS.iter().find(|name| key.starts_with(name) && key.get(name.len()) == Some(&b'"'))?;
        let colon = quote + tool + i + name.len() + 2;
        let open = run_end(text, colon, 8, |c| c == b':' || c.is_ascii_whitespace());
        let next = open + 1;
        (open > colon && text.get(open) == Some(&b'"')).then_some(())?;
        following(text, Line { start: next, end: next, next, depth: 1 })
    })
}

impl Scan<'_, '_> {
    /// The line behind the command that goes on at `at`, which ends within `reach` bytes: the first of what it printed.
    pub(in crate::detect) fn first_printed(&mut self, at: usize, reach: usize) -> Option<Line> {
        let text = self.text;
        let limit = text.len().min(at + reach);
        let (mut from, mut is_asked) = (at, false);
        loop {
            from += memchr::memchr3(b'\n', b'\\', b'"', text.get(from..limit)?)?;
            // Not the one in `tr '\\t' '\\n'`.
            let line_break = break_at(text, from).filter(|&(depth, next)| depth == 0 || !is_quote_at(text, next));
            if let Some((depth, next)) = line_break {
                return following(text, Line { start: next, end: next, next, depth });
            }
            let quote = run_end(text, from, MAX_BACKSLASHES, |c| c == b'\\');
            let behind = run_end(text, quote + 1, 8, |c| c.is_ascii_whitespace());
            // The string ends that holds the command; others are arguments in it.
            if text.get(quote) == Some(&b'"') && matches!(text.get(behind), Some(b'}' | b',' | b']')) {
                let answer = if is_asked { None } else { self.answer_by_id(at) };
                is_asked = true;
                if let Some(answer) = answer {
                    return following(text, answer);
                }
                if quote == from {
                    return next_answer(text, quote).or_else(|| behind_line(text, quote, limit));
                }
            }
            from = quote + 1;
        }
    }

    /// Calls `each` with the lines that the command which goes on at `at` printed, up to the first that it turns down. Lines
    /// are read once, however many commands stand before them.
    pub(in crate::detect) fn each_printed(&mut self, at: usize, mut each: impl FnMut(&mut Self, Line) -> bool) {
        let Some(first) = self.first_printed(at, MAX_EXPRESSION) else { return };
        let is_read = self.printed.range(..=first.start).next_back().is_some_and(|(_, &end)| end > first.start);
        let read_on = self.printed.range(first.start..).next().map_or(usize::MAX, |(&start, _)| start);
        let (mut row, mut end) = (Some(first).filter(|_| !is_read), first.start);
        while let Some(line) = row.filter(|line| line.start < line.end && line.start < read_on) {
            if !each(self, line) {
                break;
            }
            end = line.end;
            row = following(self.text, line);
        }
        if end > first.start {
            self.printed.insert(first.start, end);
        }
    }

    pub(in crate::detect) fn believe_cell(&mut self, members: &[Member], cell: &Range<usize>) {
        let value = Value { start: cell.start, end: cell.end, next: cell.end, quoted: true };
        if !cell.is_empty() && !members.is_empty() {
            self.believe(members, value, Setting::Sure);
        }
    }

    /// Looks at what may be the first tab of a row that begins with a tag; gives where the row ends if it has something to
    /// mask. Any other may be the heading of a table.
    // Likewise.
    #[inline(never)]
    pub(in crate::detect) fn tagged_row(&mut self, at: usize) -> Option<usize> {
        let text = self.text;
        let tag = tag_before(text, at)?;
        let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\') - at;
        let depth = if slashes == 0 { 0 } else { slashes.trailing_zeros() + 1 };
        let row = following(text, Line { start: tag.start, end: tag.start, next: tag.start, depth })?;
        let mut cells = Vec::new();
        split_at_tabs(text, row, &mut cells);
        let [_, cells @ ..] = &cells[..] else { return None };
        let found = self.hits.findings.len();
        self.key = tag.clone();
        let name = ROWS.iter().find(|(name, ..)| *name == &text[tag.clone()]);
        let place = name.and_then(|(_, member, place)| Some((member, place.cell(text, cells)?)));
        if let Some((member, cell)) = place {
            self.believe_cell(self.detector.catalog.members.get(member), cell);
        } else if let [cell] = cells {
            // A heading goes on in capitals, too.
            if text[cell.clone()].iter().all(|c| !c.is_ascii_lowercase() && !c.is_ascii_digit()) {
                return None;
            }
            let mut members = self.meanings_of_words(&Words::split(&text[tag.clone()]));
            members.retain(|member| self.wants(member.kind) && self.has_hint(member, tag.start));
            self.believe_cell(&members, cell);
        }
        self.owner_in_row(cells);
        (self.hits.findings.len() > found).then_some(row.next)
    }

    /// The account among the cells of a thing of EC2.
    fn owner_in_row(&mut self, cells: &[Range<usize>]) {
        let text = self.text;
        let is_account =
            |cell: &&Range<usize>| cell.len() == 12 && text[(*cell).clone()].iter().all(u8::is_ascii_digit);
        let owner = cells.iter().find(is_account);
        if let Some(owner) = owner
            && cells.iter().any(|cell| self.prefixed_within(cell.start, cell.end).is_some())
        {
            self.whole(self.detector.catalog.known.account, owner.start, owner.end);
        }
    }
}

impl Place {
    fn cell<'c>(&self, text: &[u8], cells: &'c [Range<usize>]) -> Option<&'c Range<usize>> {
        let find = |id: &[u8]| cells.iter().position(|cell| text[cell.clone()].starts_with(id));
        match self {
            Self::Last => {
                let [.., time, last] = cells else { return None };
                let time = &text[time.clone()];
                (time.len() >= 19 && time[10] == b'T' && time[..4].iter().all(u8::is_ascii_digit)).then_some(last)
            }
            Self::Before(id) => cells.get(find(id)?.checked_sub(1)?),
            Self::Behind(id) => cells.get(find(id)? + 1),
        }
    }
}

/// The tag that ends before the tab at `at`, plain or escaped: capitals that begin a line.
pub(in crate::detect) fn tag_before(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !may_end_tag(text, at) {
        return None;
    }
    let start = run_start(text, at, MAX_TAG, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let begins_line = matches!(text[..start], [] | [.., b'\n' | b'"'] | [.., b'\\', b'n']);
    (begins_line && at - start >= 4).then_some(start..at)
}

/// True where a tag may end: those of more than one value end in `S`.
#[inline]
pub(in crate::detect) fn may_end_tag(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b'S' && matches!(text[at], b'\t' | b'\\')
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{in_json, parts};

    #[test]
    fn rows_that_begin_with_the_name_of_a_member() {
        for (text, values) in [
            ("TABLENAMES\torders\nTABLENAMES\tcustomers\n", &["orders", "customers"][..]),
            ("BUCKETS\t2024-05-01T10:11:12+00:00\tacmelogs\nOWNER\tacme\tx\n", &["acmelogs"]),
            ("BUCKETS\tus-east-1\t2024-05-01T10:11:12+00:00\tacmelogs", &["acmelogs"]),
            ("aws eks list-clusters --output text\nCLUSTERS\tacmeprod\n", &["acmeprod"]),
            (
                "SECURITYGROUPS\tfor web\tsg-0f3a9c27be41d8056\tacmeweb\t618734209955\tvpc-04d1c7e92ab86f035\n",
                &["sg-0f3a9c27be41d8056", "acmeweb", "618734209955", "vpc-04d1c7e92ab86f035"],
            ),
            ("KEYPAIRS\taa:bb\tacmekey\tkey-0f3a9c27be41d8056\trsa\n", &["acmekey", "key-0f3a9c27be41d8056"]),
            ("LAUNCHTEMPLATES\t1\tlt-0f3a9c27be41d8056\tacmeweb\n", &["lt-0f3a9c27be41d8056", "acmeweb"]),
            ("RESERVATIONS\t618734209955\tr-0f3a9c27be41d8056\n", &["618734209955", "r-0f3a9c27be41d8056"]),
        ] {
            // Nothing else says in a long text that it has such rows.
            let long = "It goes on for long and on.\n".repeat(80);
            for text in [text.to_owned(), format!("{long}{text}\n{long}")] {
                for text in [text.clone(), in_json(&text), in_json(&in_json(&text))] {
                    assert_eq!(parts(&text), values, "{text}");
                }
            }
        }
    }

    #[test]
    fn headings_that_look_like_tags() {
        for (text, values) in [
            ("ITEMS\tBUCKET_NAME\tREGION\n5\tacmelogs\tus-east-1\n", &["acmelogs"][..]),
            ("GROUPS\tACCOUNT_ID\n5\t618734209955\n", &["618734209955"]),
            ("USERS\tAccountId\tx\nbob\t618734209955\t1\n", &["618734209955"]),
        ] {
            for text in [text.to_owned(), in_json(text), in_json(&in_json(text))] {
                assert_eq!(parts(&text), values, "{text}");
            }
        }
    }

    #[test]
    fn other_rows_and_lines() {
        for text in [
            "BUCKETS\tREGIONS\nx y\tz\n",
            "BUCKETS\tacme\tlogs\n",
            "see BUCKETS\tacmelogs\n",
            "TOTALS\t618734209955\tx\n",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
            assert_eq!(parts(&in_json(text)), [""; 0], "{text}");
        }
    }
}
