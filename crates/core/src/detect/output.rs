//! What commands of AWS print without keys: the values that `--query … --output text` asks for, and the rows that
//! `--output text` begins with the name of a member, `TABLENAMES orders` with a tab between.
//!
//! A command and what it printed may stand in two strings of JSON: the call of a tool and its answer.

use std::ops::Range;

use super::Scan;
use super::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use super::call::ANSWERS;
use super::container::named;
use super::key::Words;
use super::line::{Line, break_at, following, line_start};
use super::table::split_at_tabs;
use super::value::{Setting, Value};
use crate::catalog::Member;

/// Longest expression, and longest command before and behind it.
const MAX_EXPRESSION: usize = 512;
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
    /// The line behind the command that goes on at `at`: the first of what it printed.
    fn first_printed(&mut self, at: usize) -> Option<Line> {
        let text = self.text;
        let limit = text.len().min(at + MAX_EXPRESSION);
        let (mut from, mut is_asked) = (at, false);
        loop {
            from += memchr::memchr3(b'\n', b'\\', b'"', text.get(from..limit)?)?;
            if let Some((depth, next)) = break_at(text, from) {
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
    pub(super) fn each_printed(&mut self, at: usize, mut each: impl FnMut(&mut Self, Line) -> bool) {
        let Some(first) = self.first_printed(at) else { return };
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

    /// The values that the command with a `--query`, which ends at `at`, prints as text.
    // Away from the loop over all words, which has few registers to spare.
    #[inline(never)]
    pub(super) fn queried(&mut self, at: usize) {
        let text = self.text;
        let Some(expression) = expression(text, at) else { return };
        let before = at.saturating_sub(MAX_EXPRESSION).max(line_start(text, at));
        let behind = text.len().min(expression.end + MAX_EXPRESSION);
        let stop = memchr::memchr(b'\n', &text[expression.end..behind]).map_or(behind, |i| expression.end + i);
        let prints_text = [before..at, expression.end..stop].into_iter().any(|range| {
            memchr::memmem::find_iter(&text[range.clone()], b"--output")
                .any(|i| text[range.start + i + b"--output".len()..].get(1..).is_some_and(|t| t.starts_with(b"text")))
        });
        let columns = if prints_text { self.columns_of(&expression) } else { Vec::new() };
        if columns.iter().all(Vec::is_empty) {
            return;
        }
        self.key = expression.clone();
        let mut cells = Vec::new();
        self.each_printed(expression.end, |scan, line| {
            if !is_row(&text[line.start..line.end]) {
                return false;
            }
            split_at_tabs(text, line, &mut cells);
            // One value of each thing: they may stand beside each other.
            if columns.len() > 1 && cells.len() != columns.len() {
                return false;
            }
            for (index, cell) in cells.iter().enumerate() {
                scan.believe_cell(&columns[index % columns.len()], cell);
            }
            true
        });
    }

    fn believe_cell(&mut self, members: &[Member], cell: &Range<usize>) {
        let value = Value { start: cell.start, end: cell.end, next: cell.end, quoted: true };
        if !cell.is_empty() && !members.is_empty() {
            self.believe(members, value, Setting::Sure);
        }
    }

    /// What the values are that an expression asks for: `Buckets[].Name`, `Vpcs[].[VpcId, OwnerId]`.
    fn columns_of(&mut self, expression: &Range<usize>) -> Vec<Vec<Member>> {
        let text = self.text;
        // What is behind a `|` picks some of the values.
        let pipe = memchr::memchr(b'|', &text[expression.clone()]).map_or(expression.end, |i| expression.start + i);
        let path = trim_brackets(text, expression.start..pipe);
        let list = text[path.clone()].strip_suffix(b"]").and_then(|path| memchr::memrchr(b'[', path));
        let Some(open) = list.map(|i| path.start + i) else { return vec![self.meanings_of_path(path, None)] };
        let things = trim_brackets(text, path.start..open.saturating_sub(1).max(path.start));
        let mut columns = Vec::new();
        let mut start = open + 1;
        while start < path.end {
            let end = memchr::memchr2(b',', b']', &text[start..path.end]).map_or(path.end, |i| start + i);
            columns.push(self.meanings_of_path(trim_brackets(text, start..end), Some(things.clone())));
            start = end + 1;
        }
        columns
    }

    /// The meanings of the last member of a path; of a `Name` those of the things that have it.
    fn meanings_of_path(&mut self, path: Range<usize>, things: Option<Range<usize>>) -> Vec<Member> {
        let text = self.text;
        let member = |path: &Range<usize>| run_start(text, path.end, path.len(), is_alnum)..path.end;
        let last = member(&path);
        let mut members = self.meanings_of_words(&Words::split(&text[last.clone()]));
        if text[last.clone()].eq_ignore_ascii_case(b"name") {
            let before = path.start..last.start.saturating_sub(1).max(path.start);
            let things = if last.start > path.start { trim_brackets(text, before) } else { things.unwrap_or(before) };
            let of_things = self.meanings_of_words(&Words::split(&text[member(&things)]));
            members = of_things.iter().filter_map(named).collect();
        }
        members.retain(|member| self.wants(member.kind) && self.has_hint(member, path.start));
        members
    }

    /// Looks at what may be the first tab of a row that begins with a tag; gives where the row ends if it has something to
    /// mask. Any other may be the heading of a table.
    // Likewise.
    #[inline(never)]
    pub(super) fn tagged_row(&mut self, at: usize) -> Option<usize> {
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
pub(super) fn tag_before(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !may_end_tag(text, at) {
        return None;
    }
    let start = run_start(text, at, MAX_TAG, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let begins_line = matches!(text[..start], [] | [.., b'\n' | b'"'] | [.., b'\\', b'n']);
    (begins_line && at - start >= 4).then_some(start..at)
}

/// True where a tag may end: those of more than one value end in `S`.
#[inline]
pub(super) fn may_end_tag(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b'S' && matches!(text[at], b'\t' | b'\\')
}

/// False for lines that no list of names has: an empty one, the next command, prose.
fn is_row(line: &[u8]) -> bool {
    !line.contains(&b' ') && !matches!(line[0], b'$' | b'#' | b'>' | b'%' | b'{' | b'[' | b'`')
}

/// The expression behind `--query`, in quotes or not.
fn expression(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = run_end(text, at, 2, |c| matches!(c, b' ' | b'='));
    let open = run_end(text, start, MAX_BACKSLASHES, |c| c == b'\\');
    let found = match text.get(open) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = run_end(text, open + 1, MAX_EXPRESSION, |c| c != quote && c != b'\n');
            open + 1..run_start(text, end, open - start, |c| c == b'\\')
        }
        _ => start..run_end(text, start, MAX_EXPRESSION, |c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\')),
    };
    (start > at && !found.is_empty()).then_some(found)
}

/// Without brackets at its end that pick elements: `[]`, `[*]`, `[0]`, `[?State=='x']`.
fn trim_brackets(text: &[u8], mut path: Range<usize>) -> Range<usize> {
    loop {
        path.start = run_end(text, path.start, path.len(), |c| c == b' ');
        path.end = run_start(text, path.end, path.len(), |c| c == b' ');
        let Some(open) = text[path.clone()].strip_suffix(b"]").and_then(|list| memchr::memrchr(b'[', list)) else {
            return path;
        };
        let inner = &text[path.start + open + 1..path.end - 1];
        let picks = matches!(inner, [] | [b'?', ..]) || inner.iter().all(|c| c.is_ascii_digit() || b"*:-".contains(c));
        if !picks {
            return path;
        }
        path.end = path.start + open;
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{in_json, parts};

    const QUERIES: &[(&str, &str, &[&str])] = &[
        (
            "aws s3api list-buckets --query 'Buckets[].Name' --output text",
            "acmelogs\tacmedata\n",
            &["acmelogs", "acmedata"],
        ),
        ("aws s3api list-buckets --output text --query Buckets[*].Name", "acmelogs\n", &["acmelogs"]),
        (
            "aws dynamodb list-tables --query \"TableNames[]\" --output=text",
            "orders\tcustomers\n",
            &["orders", "customers"],
        ),
        (
            "aws rds describe-db-instances --query 'DBInstances[*].[DBInstanceIdentifier, Engine]' --output text",
            "acmedb\tmysql\nacmedb2\tpostgres\n",
            &["acmedb", "acmedb2"],
        ),
        (
            "aws lambda list-functions --query 'Functions[?Runtime==`x`].FunctionName | [0]' --output text",
            "sync\n",
            &["sync"],
        ),
        ("aws sts get-caller-identity --query Account --output text", "618734209955\n", &["618734209955"]),
        ("aws glue get-databases --query 'DatabaseList[].[Name, CatalogId]' --output text", "sales\t1\n", &["sales"]),
    ];

    #[test]
    fn values_that_a_query_asks_for() {
        for (command, output, values) in QUERIES {
            let text = format!("$ {command}\n{output}$ ls\nacmeother\n");
            for text in [text.clone(), in_json(&text), in_json(&in_json(&text))] {
                assert_eq!(parts(&text), *values, "{text}");
            }
        }
    }

    #[test]
    fn values_in_the_answer_of_a_tool() {
        for (command, output, values) in QUERIES {
            let (command, output) = (in_json(command), in_json(output));
            let text = format!(
                "{{\"messages\":[{{\"role\":\"assistant\",\"content\":[{{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"bash\",\
                 \"input\":{{\"command\":{command}}}}}]}},{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\
                 \"tool_use_id\":\"t\",\"content\":{output}}}]}}]}}"
            );
            assert_eq!(parts(&text), *values, "{text}");
            let arguments = in_json(&format!("{{\"command\":{command}}}"));
            let text = format!(
                "[{{\"function\":{{\"name\":\"sh\",\"arguments\":{arguments}}}}}]}}, {{\"role\": \"tool\", \
                 \"tool_call_id\": \"c\", \"content\": {output}}}"
            );
            assert_eq!(parts(&text), *values, "{text}");
        }
    }

    #[test]
    fn values_below_a_call_in_plain_text() {
        for (command, output, values) in QUERIES {
            let text = format!("> {{\"cmd\": {}}}\n{output}", in_json(command));
            assert_eq!(parts(&text), *values, "{text}");
        }
    }

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
            for text in [text.to_owned(), in_json(text), in_json(&in_json(text))] {
                assert_eq!(parts(&text), values, "{text}");
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
            "$ aws s3api list-buckets --query 'Buckets[].Name' --output json\nacmelogs\n",
            "$ aws s3api list-buckets --query 'Buckets[].Name' --output text\nThe acmelogs\n",
            "$ aws s3api list-buckets --query 'Buckets[].CreationDate' --output text\nacmelogs\n",
            "$ mysql --query Buckets[].Name --output text",
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
