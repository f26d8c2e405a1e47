//! What the expression of a `--query` asks for, and where a command prints it: as text, as JSON or as a table.

use std::ops::Range;

use crate::catalog::{MAX_KEY_LEN, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::layout::container::named;
use crate::detect::layout::table::{content, is_rule, split_at_bars, split_at_tabs};
use crate::detect::setting::value::{Setting, quoted_value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use crate::detect::text::line::{Line, line_start, quote_backslashes};

/// Longest expression, and longest command before and behind it.
pub(in crate::detect) const MAX_EXPRESSION: usize = 512;

/// One of the values that an expression asks for.
struct Column {
    /// What it is called: `{Name: DBInstanceIdentifier}`.
    alias: Option<Range<usize>>,
    members: Vec<Member>,
}

/// How far JSON was read.
#[derive(Default)]
struct Json {
    /// How many values came before, in each list or object that is open.
    counts: Vec<usize>,
    /// The column of the last key.
    key: Option<usize>,
    is_done: bool,
}

/// What was printed.
enum Printed {
    Text,
    Json(Json),
    /// Whether its title was passed.
    Table(bool),
}

impl Scan<'_, '_> {
    /// The values that the command with a `--query`, which ends at `at`, prints.
    // Away from the loop over all words, which has few registers to spare.
    #[inline(never)]
    pub(in crate::detect) fn queried(&mut self, at: usize) {
        let text = self.text;
        let Some(expression) = expression(text, at) else { return };
        self.compared(expression.clone());
        let columns = self.columns_of(&expression);
        if columns.iter().all(|column| column.members.is_empty()) {
            return;
        }
        self.key = expression.clone();
        let mut printed = None;
        let mut cells = Vec::new();
        self.each_printed(expression.end, |scan, line| {
            let row = &text[line.start..line.end];
            let printed = printed.get_or_insert_with(|| match row.trim_ascii_start().first() {
                Some(b'[' | b'{' | b'"' | b'\\') => Printed::Json(Json::default()),
                Some(b'-' | b'+' | b'|') => Printed::Table(false),
                _ => Printed::Text,
            });
            match printed {
                Printed::Json(json) => scan.json_line(&columns, json, line),
                Printed::Table(is_titled) => {
                    let is_first = row.starts_with(b"|") && !std::mem::replace(is_titled, true);
                    is_first || is_rule(row) || scan.table_row(&columns, line, &mut cells)
                }
                Printed::Text => prints_text(text, at, expression.end) && scan.text_row(&columns, line, &mut cells),
            }
        });
    }

    /// What an expression looks for: `items[?name==`acme-gold`]`.
    fn compared(&mut self, expression: Range<usize>) {
        let text = self.text;
        for at in memchr::memmem::find_iter(&text[expression.clone()], b"==") {
            let at = expression.start + at;
            let key_end = run_start(text, at, 4, |c| c == b' ');
            let key = run_start(text, key_end, MAX_KEY_LEN, is_alnum);
            let from = run_end(text, at + 2, 4, |c| c == b' ');
            let Some(found) = quoted_value(text, from) else { continue };
            let mut members = self.meanings_of_words(&Words::split(&text[key..key_end]));
            if text[key..key_end].eq_ignore_ascii_case(b"name") {
                let kind = self.detector.catalog.known.resource_name;
                members.push(Member { kind, matches: Match::Exact, value: ValueShape::OwnName, hint: None });
            }
            members.retain(|member| self.wants(member.kind) && self.has_hint(member, key));
            self.key = key..key_end;
            self.believe(&members, found, Setting::Sure);
        }
    }

    fn text_row(&mut self, columns: &[Column], line: Line, cells: &mut Vec<Range<usize>>) -> bool {
        if !is_row(&self.text[line.start..line.end]) {
            return false;
        }
        split_at_tabs(self.text, line, cells);
        // One value of each thing: they may stand beside each other.
        if columns.len() > 1 && cells.len() != columns.len() {
            return false;
        }
        for (index, cell) in cells.iter().enumerate() {
            self.believe_cell(&columns[index % columns.len()].members, cell);
        }
        true
    }

    /// A row of a table; a list of names and values, where there is only one thing.
    fn table_row(&mut self, columns: &[Column], line: Line, cells: &mut Vec<Range<usize>>) -> bool {
        let text = self.text;
        if text[line.start] != b'|' {
            return false;
        }
        split_at_bars(text, line, cells);
        cells.iter_mut().for_each(|cell| *cell = content(text, cell.clone()));
        let called = |cell: &Range<usize>| columns.iter().find(|column| column.is_called(text, &text[cell.clone()]));
        match &cells[..] {
            [name, value] if called(name).is_some() && called(value).is_none() => {
                let members = called(name).map_or(&[][..], |column| &column.members);
                self.believe_cell(members, value);
            }
            cells if cells.len() == columns.len() && !cells.iter().any(|cell| called(cell).is_some()) => {
                for (cell, column) in cells.iter().zip(columns) {
                    self.believe_cell(&column.members, cell);
                }
            }
            _ => {}
        }
        true
    }

    /// A line of JSON; false behind its end.
    fn json_line(&mut self, columns: &[Column], json: &mut Json, line: Line) -> bool {
        let text = self.text;
        let slashes = quote_backslashes(line.depth);
        let mut at = line.start;
        while at < line.end && !json.is_done {
            match text[at] {
                b'[' | b'{' => json.counts.push(0),
                b']' | b'}' => {
                    json.counts.pop();
                    json.is_done = json.counts.is_empty();
                }
                b',' => {
                    json.key = None;
                    json.counts.last_mut().into_iter().for_each(|count| *count += 1);
                }
                b'"' | b'\\' => {
                    let Some(string) = string_at(text, at, line.end, slashes) else { return false };
                    at = string.end + slashes + 1;
                    let colon = run_end(text, at, 8, |c| c == b' ');
                    if text.get(colon) == Some(&b':') {
                        json.key = columns.iter().position(|column| column.is_called(text, &text[string.clone()]));
                        at = colon + 1;
                    } else {
                        let index = match json.counts.last() {
                            Some(_) if columns[0].alias.is_some() => json.key,
                            Some(&count) if columns.len() > 1 => Some(count),
                            _ => Some(0),
                        };
                        if let Some(column) = index.and_then(|index| columns.get(index)) {
                            self.believe_cell(&column.members, &string);
                        }
                        json.is_done = json.counts.is_empty();
                    }
                    continue;
                }
                c if is_alnum(c) || matches!(c, b' ' | b'.' | b'-' | b'\t') => {}
                _ => return false,
            }
            at += 1;
        }
        // Behind the end stands what was not printed by this command.
        at > line.start
    }

    /// What the values are that an expression asks for: `Buckets[].Name`, `Vpcs[].[VpcId, OwnerId]`,
    /// `Buckets[].{name: Name}`; in the order in which they are printed.
    fn columns_of(&mut self, expression: &Range<usize>) -> Vec<Column> {
        let text = self.text;
        let path = path_of(text, expression.clone());
        let closing = text[..path.end].last().filter(|c| matches!(c, b']' | b'}'));
        let Some(open) = closing.and_then(|_| last_open(text, path.clone())) else {
            return vec![Column { alias: None, members: self.meanings_of_path(path, None) }];
        };
        let things = trim_brackets(text, path.start..open.saturating_sub(1).max(path.start));
        let mut columns: Vec<_> = parts(text, open + 1..path.end - 1, b',')
            .into_iter()
            .map(|part| {
                let name =
                    run_end(text, part.start, part.len(), |c| is_alnum(c) || matches!(c, b'_' | b'"' | b'\\' | b' '));
                let alias =
                    (text[open] == b'{' && text.get(name) == Some(&b':')).then(|| content(text, part.start..name));
                let from = alias.as_ref().map_or(part.start, |_| name + 1);
                let path = path_of(text, from..part.end);
                Column { alias, members: self.meanings_of_path(path, Some(things.clone())) }
            })
            .collect();
        // Sorted, whatever they are called in the expression.
        columns.sort_by_key(|column| column.alias.clone().map(|alias| &text[alias]));
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
}

impl Column {
    fn is_called(&self, text: &[u8], name: &[u8]) -> bool {
        self.alias.as_ref().is_some_and(|alias| &text[alias.clone()] == name)
    }
}

/// Whether the command prints text whose expression ends at `end`, behind the option that ends at `at`.
fn prints_text(text: &[u8], at: usize, end: usize) -> bool {
    let goes_on = |line: usize| text[..line].ends_with(b"\\\n");
    let mut start = line_start(text, at);
    while goes_on(start) && at - start < MAX_EXPRESSION {
        start = line_start(text, start - 1);
    }
    let before = at.saturating_sub(MAX_EXPRESSION).max(start);
    let behind = &text[end..text.len().min(end + MAX_EXPRESSION)];
    let stop = memchr::memchr_iter(b'\n', behind).find(|&i| !goes_on(end + i + 1)).unwrap_or(behind.len());
    [&text[before..at], &behind[..stop]].into_iter().any(|options| {
        memchr::memmem::find_iter(options, b"--output")
            .any(|i| options[i + b"--output".len()..].get(1..).is_some_and(|format| format.starts_with(b"text")))
    })
}

/// False for lines that no list of names has: an empty one, the next command, prose.
fn is_row(line: &[u8]) -> bool {
    !line.contains(&b' ') && !matches!(line[0], b'$' | b'#' | b'>' | b'%' | b'{' | b'[' | b'`')
}

/// The string of JSON that opens at `at`, with so many backslashes before its quotes.
fn string_at(text: &[u8], at: usize, to: usize, slashes: usize) -> Option<Range<usize>> {
    let open = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    if open - at != slashes || open >= to || text[open] != b'"' {
        return None;
    }
    let quotes = memchr::memchr_iter(b'"', &text[open + 1..to]).map(|i| open + 1 + i);
    let before = |quote| quote - run_start(text, quote, MAX_BACKSLASHES.min(quote - open - 1), |c| c == b'\\');
    let close = quotes.into_iter().find(|&quote| before(quote) == slashes)?;
    Some(open + 1..close - slashes)
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

/// Calls `each` with the bytes of an expression outside of its strings, and how many brackets are open around them.
fn each_sign(text: &[u8], expression: Range<usize>, mut each: impl FnMut(usize, u8, usize)) {
    let (mut quote, mut depth) = (None, 0usize);
    for at in expression {
        let c = text[at];
        if quote.is_some() {
            quote = quote.filter(|&open| open != c);
            continue;
        }
        match c {
            b'\'' | b'`' => quote = Some(c),
            b'[' | b'{' | b'(' => {
                each(at, c, depth);
                depth += 1;
            }
            b']' | b'}' | b')' => {
                depth = depth.saturating_sub(1);
                each(at, c, depth);
            }
            _ => each(at, c, depth),
        }
    }
}

/// The parts of an expression between these signs, those in brackets left alone.
fn parts(text: &[u8], expression: Range<usize>, sign: u8) -> Vec<Range<usize>> {
    let mut parts = vec![expression.clone()];
    each_sign(text, expression.clone(), |at, c, depth| {
        if c == sign && depth == 0 {
            parts.last_mut().into_iter().for_each(|part| part.end = at);
            parts.push(at + 1..expression.end);
        }
    });
    parts.into_iter().map(|part| trim(text, part)).filter(|part| !part.is_empty()).collect()
}

/// The path that says what an expression asks for: not what only picks, sorts or joins values.
fn path_of(text: &[u8], expression: Range<usize>) -> Range<usize> {
    let pipes = parts(text, expression.clone(), b'|').into_iter().rev();
    let mut asks = pipes.map(|part| trim_brackets(text, part)).filter(|part| {
        let is_member = |c: &u8| is_alnum(*c);
        !part.is_empty() && text[part.clone()].iter().any(is_member) && !text[part.clone()].ends_with(b"(@)")
    });
    let mut path = asks.next().unwrap_or(expression);
    // `sort(TableNames)`, `join(' ', Buckets[].Name)`
    while let Some(inner) = text[path.clone()].strip_suffix(b")")
        && let Some(open) = memchr::memchr(b'(', inner)
    {
        let arguments = parts(text, path.start + open + 1..path.end - 1, b',');
        let Some(last) = arguments.last() else { break };
        path = trim_brackets(text, last.clone());
    }
    path
}

/// Where the last bracket opens that stands in no other.
fn last_open(text: &[u8], path: Range<usize>) -> Option<usize> {
    let mut open = None;
    each_sign(text, path, |at, c, depth| {
        if depth == 0 && matches!(c, b'[' | b'{') {
            open = Some(at);
        }
    });
    open
}

fn trim(text: &[u8], path: Range<usize>) -> Range<usize> {
    let start = run_end(text, path.start, path.len(), |c| c == b' ');
    start..run_start(text, path.end, path.end - start, |c| c == b' ')
}

/// Without brackets at its end that pick elements: `[]`, `[*]`, `[0]`, `[?State=='x']`.
fn trim_brackets(text: &[u8], path: Range<usize>) -> Range<usize> {
    let mut path = trim(text, path);
    while text[path.clone()].ends_with(b"]")
        && let Some(open) = last_open(text, path.clone())
    {
        let inner = &text[open + 1..path.end - 1];
        let picks = matches!(inner, [] | [b'?', ..]) || inner.iter().all(|c| c.is_ascii_digit() || b"*:-".contains(c));
        if !picks {
            break;
        }
        path = trim(text, path.start..open);
    }
    path
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
        (
            "aws rds describe-db-instances --query 'DBInstances[].{name: DBInstanceIdentifier, Engine: Engine, \
             group:DBSubnetGroup.DBSubnetGroupName}' --output text",
            "mysql\tacmegroup\tacmedb\npostgres\tacmegroup\tacmedb2\n",
            &["acmegroup", "acmedb", "acmegroup", "acmedb2"],
        ),
        (
            "aws rds describe-db-instances --query 'DBInstances[].{db: DBInstanceIdentifier, Engine: Engine}' --output table",
            "-----------\n|  DescribeDBInstances  |\n+-----+------+\n|  Engine |  db  |\n+----+----+\n\
             |  mysql |  acmedb |\n|  x |  acmedb2 |\n+-----+-----+\n",
            &["acmedb", "acmedb2"],
        ),
        (
            "aws rds describe-db-instances --query 'DBInstances[0].{db: DBInstanceIdentifier, Engine: Engine}' --output table",
            "-----------\n|  DescribeDBInstances  |\n+-----+------+\n|  Engine |  mysql  |\n|  db |  acmedb |\n+----+----+\n",
            &["acmedb"],
        ),
        (
            "aws rds describe-db-instances --query 'DBInstances[].[DBInstanceIdentifier]' --output table",
            "-----------\n|  DescribeDBInstances  |\n+-----------+\n|  acmedb |\n|  acmedb2 |\n+----+----+\n",
            &["acmedb", "acmedb2"],
        ),
        (
            "aws dynamodb list-tables --query TableNames",
            "[\n    \"orders\",\n    \"customers\"\n]\n",
            &["orders", "customers"],
        ),
        ("aws dynamodb list-tables --query 'TableNames[0]' --output json", "\"orders\"\n", &["orders"]),
        (
            "aws rds describe-db-instances --query \"DBInstances[].{db:DBInstanceIdentifier,sg:VpcSecurityGroups[].Status}\"",
            "[\n    {\n        \"db\": \"acmedb\",\n        \"sg\": [\n            \"active\"\n        ]\n    }\n]\n",
            &["acmedb"],
        ),
        (
            "aws rds describe-db-instances --query 'DBInstances[].[Engine, DBInstanceIdentifier]'",
            "[[\"mysql\", \"acmedb\"], [null, \"acmedb2\"]]\n",
            &["acmedb", "acmedb2"],
        ),
        (
            "aws dynamodb list-tables --query 'sort(TableNames) | [0:9]' --output text",
            "orders\tcustomers\n",
            &["orders", "customers"],
        ),
        (
            "aws dynamodb list-tables --query \"join(' ', TableNames[?starts_with(@, 'a|b, c]')])\" --output text",
            "orders\n",
            &["orders"],
        ),
        ("aws dynamodb list-tables \\\n  --query 'TableNames[]' \\\n  --output text", "orders\n", &["orders"]),
        ("aws dynamodb list-tables \\\n  --output text \\\n  --query TableNames[]", "orders\n", &["orders"]),
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
    fn what_an_expression_compares_with() {
        for text in [
            "aws apigateway get-usage-plans --query 'items[?name==`acme-gold`].[id]'",
            "aws rds describe-db-instances --query \"DBInstances[?DBInstanceIdentifier=='acme-gold']\"",
        ] {
            assert_eq!(parts(text), ["acme-gold"], "{text}");
        }
        assert_eq!(parts("aws ec2 describe-instances --query 'x[?State==`stopped`]'"), [""; 0]);
    }

    #[test]
    fn other_lines() {
        for text in [
            "$ aws s3api list-buckets --query 'Buckets[].Name' --output json\nacmelogs\n",
            "$ aws s3api list-buckets --query 'Buckets[].Name' --output text\nThe acmelogs\n",
            "$ aws s3api list-buckets --query 'Buckets[].CreationDate' --output text\nacmelogs\n",
            "$ aws s3api list-buckets --query 'Buckets[].CreationDate'\n[\"acmelogs\"]\n",
            "$ aws s3api list-buckets --query 'Buckets[].Name'\n[]\n[\"acmelogs\"]\n",
            "$ aws s3api list-buckets --query 'Buckets[].{a:CreationDate,b:Name}'\n[{\"a\": \"acmelogs\"}]\n",
            "$ aws s3api list-buckets --query 'Buckets[].[CreationDate,Name]'\n[[\"acmelogs\", \"\"]]\n",
            "$ mysql --query Buckets[].Name --output text",
            "aws --query '{a:' x",
            "aws --query '[{(]' x",
            "aws --query {a",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
            assert_eq!(parts(&in_json(text)), [""; 0], "{text}");
        }
    }
}
