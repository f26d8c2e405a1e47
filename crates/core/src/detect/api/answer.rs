//! Names and ids of what an operation of AWS works on, in what it takes and in what it answers:
//! `aws appconfig list-applications` prints `{"Items": [{"Id": …, "Name": …}]}`, a log has
//! `op=create_topic params={"Name": …}`, and a trail `"eventName": "CreateTopic", "requestParameters": {"name": …}`.
//!
//! Every software has a `name` and an `id`. In an answer the one of the answer itself is that of what the operation is about,
//! and so is the one of a thing that is called like it, or of an item. Others are not: `"State": {"Name": "running"}`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::catalog::{Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::api::operation::{Operation, Role, is_of_comment, key_before};
use crate::detect::evidence::told::ANY_SERVICE;
use crate::detect::layout::table::{content, is_rule, split_at_bars};
use crate::detect::setting::context::skip_space;
use crate::detect::setting::key::{key_end, key_start};
use crate::detect::setting::value::Setting;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::line::{Line, break_before, following, line_at, line_start};

/// Longest command that is looked at for where it ends.
const MAX_COMMAND: usize = 1024;
/// Most lines between a command and what it printed: an empty one, and the fence of a block.
const MAX_BETWEEN: usize = 3;
/// How far behind the name of an event that of its parameters may stand, bytes.
const MAX_TO_PARAMETERS: usize = 2048;
/// Longest text that is looked through although nothing was found in it.
const SHORT_TEXT: usize = 1024;
/// Likewise, for commands only.
const MAX_PRINTED: usize = 16 * 1024;
/// Most strings of one list.
const MAX_LIST: usize = 1000;
/// Longest word before what it announces.
const MAX_WORD: usize = 32;
/// Most signs between the beginning of a line and an answer in a comment.
const MAX_COMMENT: usize = 16;
/// What the words end in that announce what an operation takes and answers.
const TAKEN: [&[u8]; 10] =
    [b"params", b"parameters", b"request", b"response", b"result", b"input", b"output", b"payload", b"args", b"body"];

/// What the members of things mean.
struct Meanings {
    names: Vec<Member>,
    ids: Vec<Member>,
    /// What the id of any other thing means.
    other_ids: Vec<Member>,
}

impl Meanings {
    /// What this member of an object of this role means.
    fn of(&self, operation: &Operation, role: Role, key: &[u8]) -> &[Member] {
        let ends = [&b"DisplayName"[..], b"Name", b"Identifier", b"Id"];
        let Some((end, noun)) = ends.iter().find_map(|end| {
            let at = key.len().checked_sub(end.len()).filter(|&at| key[at..].eq_ignore_ascii_case(end))?;
            Some((*end, &key[..at]))
        }) else {
            return &[];
        };
        let is_name = end.ends_with(b"Name");
        match role {
            Role::OfAws => &[],
            // `FirewallName`, of a firewall.
            _ if !noun.is_empty() && !operation.is_about(noun) => &[],
            Role::Other if noun.is_empty() && is_name => &[],
            Role::Other if noun.is_empty() => &self.other_ids,
            _ if is_name => &self.names,
            _ => &self.ids,
        }
    }
}

impl Scan<'_, '_> {
    /// Believes the names and ids in what operations take and answer, of the members met by [`Self::keyed_value`] and in
    /// tables.
    pub(in crate::detect) fn answers(&mut self) {
        let text = self.text;
        let mut members: Vec<_> = self.hits.untold.iter().map(|&(separator, _)| separator).collect();
        // What speaks of AWS and has nothing else of it is short.
        let is_short = !self.is_longer(SHORT_TEXT);
        let is_worth_it = is_short || self.has_finding() || !self.hits.headings.is_empty();
        if !members.is_sorted() {
            members.sort_unstable();
        }
        if is_worth_it {
            self.titled_tables();
        }
        // Few requests that are of nothing else have a key that begins with a capital.
        let may_be_printed = || text.len() <= MAX_PRINTED && members.iter().any(|&member| has_capital(text, member));
        if is_short || is_worth_it && !members.is_empty() || may_be_printed() {
            self.printed_things(&members);
        }
        if is_worth_it && !members.is_empty() {
            self.logged_things(&members);
            self.recorded_things(&members);
        }
    }

    /// What commands print: `aws appconfig list-applications`.
    fn printed_things(&mut self, members: &[usize]) {
        let text = self.text;
        let mut seen = 0;
        // What was read: tools may be called one after the other, and answer then.
        let mut read: BTreeMap<usize, usize> = BTreeMap::new();
        for at in memchr::memmem::find_iter(text, b"aws ") {
            if at < seen || at > 0 && is_alnum(text[at - 1]) {
                continue;
            }
            let Some(Range { start, end }) = Operation::of_command(text, at + 4) else { continue };
            seen = end;
            let Some(first) = self.first_printed(end, MAX_COMMAND) else { continue };
            let command = end..first.start.clamp(end, end + MAX_COMMAND);
            let mut line = first;
            for _ in 0..MAX_BETWEEN {
                let row = text[line.start..line.end].trim_ascii();
                if !(row.is_empty() || row.starts_with(b"```")) {
                    break;
                }
                let Some(next) = following(text, line) else { break };
                line = next;
            }
            let row = &text[line.start..line.end];
            let open = line.start + run_end(row, 0, row.len(), |c| c == b' ');
            let is_json = matches!(text.get(open), Some(b'{' | b'['));
            let is_yaml =
                || row.contains(&b':') && (row.starts_with(b"- ") || row.first().is_some_and(|&c| is_alnum(c)));
            let takes_json = memchr::memchr(b'{', &text[command.clone()]).is_some();
            if !is_json && !takes_json && !is_yaml() {
                continue;
            }
            let Some(operation) = Operation::at(text, start, end, true) else { continue };
            if takes_json {
                self.arguments(&operation, command, members);
            }
            if read.range(..=open).next_back().is_some_and(|(_, &to)| to > open) {
                continue;
            }
            let limit = read.range(open..).next().map_or(text.len(), |(&next, _)| next);
            if is_json {
                read.insert(open, self.things_of(&operation, open..limit, members));
            } else if is_yaml() {
                read.insert(open, self.lines_of(&operation, line, limit, members));
            }
        }
    }

    /// What a command takes as JSON: `--connection-input '{"Name": …}'`.
    fn arguments(&mut self, operation: &Operation, command: Range<usize>, members: &[usize]) {
        let text = self.text;
        let mut seen = command.start;
        for brace in memchr::memchr_iter(b'{', &text[command.clone()]).map(|i| command.start + i) {
            let quote = run_start(text, brace, 4, |c| matches!(c, b'\'' | b'"' | b'\\' | b'['));
            let end = run_start(text, quote, 4, |c| matches!(c, b' ' | b'='));
            let start = run_start(text, end, 64, |c| is_alnum(c) || c == b'-');
            if brace >= seen && quote < brace && end < quote && operation.holds(&text[start..end]) {
                seen = self.things_of(operation, brace..command.end, members);
            }
        }
    }

    /// What stands behind the name of an operation on the same line: `op=create_topic params={"Name": …}`,
    /// `client.get_rest_apis()` with `# => {'items': …}` below.
    fn logged_things(&mut self, members: &[usize]) {
        let text = self.text;
        let mut seen = 0;
        for brace in memchr::memchr_iter(b'{', text) {
            if brace < seen || !begins_value(text, brace) {
                continue;
            }
            let Some((operation, is_argument)) = Operation::before(text, brace) else { continue };
            let from = brace.saturating_sub(MAX_COMMAND);
            if is_argument && !key_before(text, from, brace).is_some_and(|key| operation.holds(key)) {
                continue;
            }
            if [ANY_SERVICE, "aws", "boto3"].into_iter().any(|hint| self.speaks_of(hint, brace)) {
                seen = self.things_of(&operation, brace..text.len(), members);
            }
        }
    }

    /// What a trail records.
    fn recorded_things(&mut self, members: &[usize]) {
        let text = self.text;
        let is_between = |c: u8| matches!(c, b'"' | b'\\' | b':' | b' ');
        let mut seen = 0;
        for &separator in members {
            let end = run_start(text, separator, 4, |c| matches!(c, b'"' | b'\\' | b' '));
            if !text[..end].ends_with(b"eventName") {
                continue;
            }
            let start = run_end(text, separator, 16, is_between);
            let end = run_end(text, start, 64, is_alnum);
            let Some(operation) = Operation::at(text, start, end, false) else { continue };
            let behind = &text[end..text.len().min(end + MAX_TO_PARAMETERS)];
            for key in [&b"requestParameters"[..], b"responseElements"] {
                let Some(found) = memchr::memmem::find(behind, key) else { continue };
                let open = run_end(text, end + found + key.len(), 16, is_between);
                if text.get(open) == Some(&b'{') && open >= seen {
                    seen = self.things_of(&operation, open..text.len(), members);
                }
            }
        }
    }

    /// Believes the names and ids of the things in the object or list that begins this range; gives where it ends.
    fn things_of(&mut self, operation: &Operation, range: Range<usize>, members: &[usize]) -> usize {
        let text = self.text;
        let open = range.start;
        let meanings = self.meanings_of_thing(operation);
        let mut next = members.partition_point(|&member| member < open);
        let mut roles: Vec<Role> = Vec::new();
        // That of the object before, in the same list.
        let mut last = Role::Other;
        let mut end = open;
        for brace in memchr::memchr2_iter(b'{', b'}', &text[range]).map(|i| open + i) {
            if roles.len() == 1 && text[open] == b'{' && operation.lists_names() {
                self.strings(operation, &meanings, end..brace);
            }
            while let Some(&member) = members.get(next).filter(|&&member| member < brace) {
                next += 1;
                if let Some(&role) = roles.last() {
                    self.thing(operation, &meanings, role, member);
                }
            }
            end = brace + 1;
            if text[brace] == b'{' {
                let role = match (roles.last(), holder(text, open, brace)) {
                    (None, _) => Role::Thing,
                    (_, Holder::String) => Role::OfAws,
                    (_, Holder::List) => last,
                    (Some(&parent), Holder::Key(key, is_list)) => {
                        operation.role(parent, key, is_list && roles.len() == 1)
                    }
                };
                roles.push(role);
            } else {
                last = roles.pop().unwrap_or(Role::Other);
                if roles.is_empty() && (text[open] == b'{' || closes_list(text, end)) {
                    break;
                }
            }
        }
        end
    }

    /// Believes the strings of the lists in this part of an answer: `"JobNames": ["acme", …]`.
    fn strings(&mut self, operation: &Operation, meanings: &Meanings, range: Range<usize>) {
        let text = self.text;
        for list in memchr::memchr_iter(b'[', &text[range.clone()]).map(|i| range.start + i) {
            let colon = before_blanks(text, range.start, list);
            let Some(key) = key_before(text, range.start, colon) else { continue };
            let ends = |ends: &[&[u8]]| ends.iter().any(|end| key.to_ascii_lowercase().ends_with(end));
            let members = match () {
                () if ends(&[b"ids", b"identifiers"]) => &meanings.ids,
                () if ends(&[b"names"]) || operation.holds(key) => &meanings.names,
                () => continue,
            };
            let mut at = skip_space(text, list + 1);
            for _ in 0..MAX_LIST {
                if at >= range.end || !matches!(text[at], b'"' | b'\'' | b'\\') {
                    break;
                }
                self.key = colon..list;
                let Some(found) = self.announced(members, at, Setting::Sure) else { break };
                let comma = skip_space(text, found.next);
                if text.get(comma) != Some(&b',') {
                    break;
                }
                at = skip_space(text, comma + 1);
            }
        }
    }

    /// Likewise of the things in the lines of YAML from this one on, up to `limit`; gives where they end.
    fn lines_of(&mut self, operation: &Operation, first: Line, limit: usize, members: &[usize]) -> usize {
        let text = self.text;
        let meanings = self.meanings_of_thing(operation);
        // How far their keys are indented.
        let mut roles: Vec<(usize, Role)> = Vec::new();
        let mut row = Some(first);
        let mut end = first.start;
        while let Some(line) = row.filter(|line| line.start < line.end && line.start < limit) {
            let key = run_end(text, line.start, line.end - line.start, |c| matches!(c, b' ' | b'-'));
            let Some(colon) = memchr::memchr(b':', &text[key..line.end]).map(|i| key + i) else {
                // What goes on in a second line has a blank before it, and so has the item of a list a dash.
                if key == line.start {
                    break;
                }
                row = following(text, line);
                continue;
            };
            let indent = key - line.start;
            while roles.pop_if(|(outer, _)| *outer >= indent).is_some() {}
            let parent = roles.last().map_or(Role::Thing, |&(_, role)| role);
            row = following(text, line);
            if colon + 1 >= line.end {
                let is_list = row.is_some_and(|next| text[next.start..next.end].trim_ascii_start().starts_with(b"- "));
                roles.push((indent, operation.role(parent, &text[key..colon], is_list && roles.is_empty())));
            } else if members.binary_search(&colon).is_ok() {
                self.thing(operation, &meanings, parent, colon);
            }
            end = line.end;
        }
        end
    }

    /// Likewise in tables, whose title is the operation.
    fn titled_tables(&mut self) {
        let text = self.text;
        let mut seen = 0;
        for rule in memchr::memmem::find_iter(text, b"+--") {
            let Some(end) = break_before(text, rule).filter(|&end| rule >= seen && text[..end].ends_with(b"|")) else {
                continue;
            };
            let Some(line) = line_at(text, line_start(text, end)) else { continue };
            let mut cells = Vec::new();
            split_at_bars(text, line, &mut cells);
            let [title] = &cells[..] else { continue };
            let title = content(text, title.clone());
            if let Some(operation) = Operation::at(text, title.start, title.end, true) {
                seen = self.table_of(&operation, line);
            }
        }
    }

    /// The table with this title; gives where it ends.
    fn table_of(&mut self, operation: &Operation, title: Line) -> usize {
        let text = self.text;
        let meanings = self.meanings_of_thing(operation);
        let of = |heading: &[u8]| Some(meanings.of(operation, Role::Thing, heading)).filter(|found| !found.is_empty());
        let mut roles = vec![Role::Thing];
        let (mut cells, mut headings) = (Vec::new(), Vec::new());
        let mut row = following(text, title);
        let mut end = title.end;
        while let Some(line) = row.filter(|line| line.start < line.end) {
            end = line.end;
            row = following(text, line);
            if is_rule(&text[line.start..line.end]) {
                continue;
            }
            let bars = run_end(text, line.start, line.end - line.start, |c| c == b'|') - line.start;
            let inner = Line { start: line.start + bars.saturating_sub(1), ..line };
            split_at_bars(text, inner, &mut cells);
            cells.retain(|cell| !cell.is_empty());
            cells.iter_mut().for_each(|cell| *cell = content(text, cell.clone()));
            match &cells[..] {
                _ if bars == 0 => break,
                [section] if bars > 1 => {
                    roles.truncate(bars - 1);
                    let parent = roles.last().copied().unwrap_or(Role::Other);
                    roles.push(operation.role(parent, &text[section.clone()], bars == 2));
                    headings.clear();
                }
                cells if roles.len() == bars && roles.last() == Some(&Role::Thing) => {
                    // Headings have a rule behind them, and as many cells below it.
                    let is_ruled = row.is_some_and(|next| is_rule(&text[next.start..next.end]));
                    let below = row.filter(|_| is_ruled).and_then(|rule| following(text, rule));
                    if headings.len() == cells.len() {
                        for (heading, cell) in std::iter::zip(&headings, cells) {
                            let heading: &Range<usize> = heading;
                            if let Some(members) = of(&text[heading.clone()]) {
                                self.key = heading.clone();
                                self.believe_cell(members, cell);
                            }
                        }
                    } else if below.is_some_and(|below| bars_of(text, below) == bars_of(text, line)) {
                        headings = cells.to_vec();
                    } else if let [name, cell] = cells
                        && let Some(members) = of(&text[name.clone()])
                    {
                        self.key = name.clone();
                        self.believe_cell(members, cell);
                    }
                }
                _ => {}
            }
        }
        end
    }

    /// Believes the name or the id behind this separator, in an object of this role.
    fn thing(&mut self, operation: &Operation, meanings: &Meanings, role: Role, separator: usize) {
        let text = self.text;
        let end = key_end(text, separator);
        self.key = key_start(text, end).min(end)..end;
        let members = meanings.of(operation, role, &text[self.key.clone()]);
        let at = run_end(text, separator + 1, 8, |c| c == b' ');
        let is_quoted = matches!(text.get(at), Some(b'"' | b'\'' | b'\\'));
        let setting = if is_quoted { Setting::Sure } else { Setting::Line };
        self.announced(members, at, setting);
    }

    /// What the name and the id mean of what an operation is about.
    fn meanings_of_thing(&mut self, operation: &Operation) -> Meanings {
        let known = &self.detector.catalog.known;
        let (any_name, any_id) = (known.resource_name, known.resource_id);
        let any = |kind, value| Member { kind, matches: Match::Exact, value, hint: None };
        let mut names = self.meanings_of_noun(operation.start, operation.end);
        let mut ids = Vec::new();
        let is_known = !names.is_empty();
        names.retain(|member| self.has_hint(member, operation.start));
        if operation.is_of_aws() {
            names.retain(|member| member.kind != any_name);
        } else if operation.is_command || is_known {
            if names.iter().all(|member| member.kind == any_name) {
                let shape = if operation.is_of_domains() { ValueShape::PlainName } else { ValueShape::SpacedName };
                names.push(any(any_name, shape));
            }
            // What looks like an id is one; a customer may have chosen another.
            ids.extend([any(any_id, ValueShape::OpaqueId), any(any_name, ValueShape::OwnName)]);
        }
        names.retain(|member| self.wants(member.kind));
        ids.retain(|member| self.wants(member.kind));
        let is_opaque = |member: &&Member| member.value == ValueShape::OpaqueId;
        Meanings { other_ids: ids.iter().filter(is_opaque).copied().collect(), names, ids }
    }
}

/// True for a brace behind what announces what an operation takes or answers, `params={`, `DatabaseInput={`, `result: {`, and
/// for one that begins a line, or a comment: `# => {`.
fn begins_value(text: &[u8], brace: usize) -> bool {
    match text[..brace] {
        [.., b'=' | b':'] => is_announced(text, brace - 1),
        [.., b':', b' '] => is_announced(text, brace - 2),
        [.., b'\n'] | [.., b'\\', b'n'] => follows_call(text, brace),
        [.., b'>' | b'#' | b'/', b' '] => follows_call(text, run_start(text, brace, MAX_COMMENT, is_of_comment)),
        _ => false,
    }
}

/// True for the beginning of a line behind one that ends in a call: commands end in a word.
fn follows_call(text: &[u8], line: usize) -> bool {
    break_before(text, line).is_some_and(|end| matches!(text[..end], [.., b')' | b';' | b':']))
}

/// True for the sign behind a word for what is taken or answered, or behind the argument of an SDK, which has a capital.
fn is_announced(text: &[u8], sign: usize) -> bool {
    let start = run_start(text, sign, MAX_WORD, is_alnum);
    let key = &text[start..sign];
    let is_word = |end: &[u8]| key.len() >= end.len() && key[key.len() - end.len()..].eq_ignore_ascii_case(end);
    text[sign] == b'=' && key.first().is_some_and(u8::is_ascii_uppercase) || TAKEN.iter().any(|end| is_word(end))
}

/// True for a key with a capital before this separator.
fn has_capital(text: &[u8], separator: usize) -> bool {
    let end = key_end(text, separator);
    text.get(key_start(text, end).min(end)).is_some_and(u8::is_ascii_uppercase)
}

/// What an object stands in.
enum Holder<'t> {
    /// It is the value of this key, or the first of a list that is.
    Key(&'t [u8], bool),
    /// It is a later one of a list.
    List,
    /// It is written in a string, as policies are.
    String,
}

fn holder(text: &[u8], from: usize, brace: usize) -> Holder<'_> {
    let mut at = before_blanks(text, from, brace);
    if matches!(text[..at].last(), Some(b'"' | b'\'')) {
        return Holder::String;
    }
    let is_list = text[from..at].ends_with(b"[");
    if is_list {
        at = before_blanks(text, from, at - 1);
    }
    key_before(text, from, at).map_or(Holder::List, |key| Holder::Key(key, is_list))
}

/// Where the blanks and line breaks begin before `at`.
fn before_blanks(text: &[u8], from: usize, at: usize) -> usize {
    let mut at = run_start(text, at, at - from, |c| c.is_ascii_whitespace());
    while let Some(end) = break_before(text, at).filter(|&end| end >= from) {
        at = run_start(text, end, end - from, |c| c.is_ascii_whitespace());
    }
    at
}

/// True when a list ends behind `at`, and no other object follows in it.
fn closes_list(text: &[u8], at: usize) -> bool {
    text.get(run_end(text, at, 64, |c| !matches!(c, b',' | b']' | b'{'))) != Some(&b',')
}

/// How many bars a row has.
fn bars_of(text: &[u8], line: Line) -> usize {
    memchr::memchr_iter(b'|', &text[line.start..line.end]).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::detect::testing::{found, in_json, parts, scanned};

    fn names(text: &str) -> Vec<&str> {
        found(text).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn things_that_operations_answer() {
        for text in [
            "$ aws appconfig list-applications\n{\n    \"Items\": [\n        {\n            \"Id\": \"abc1234\",\n            \
             \"Name\": \"acme\"\n        }\n    ]\n}\n",
            "aws --profile x kendra list-faqs --index-id 1\n\n```\n{\"FaqSummaryItems\": [{\"Id\": \"abc1234\", \"Name\": \"acme\"}]}",
            "aws databrew update-project\n{\"Id\": \"abc1234\", \"Name\": \"acme\"}",
            "aws x list-web-acls \\\n  --scope \\\n  y\n[{\"Id\": \"abc1234\"}, {\"Name\": \"acme\"}]",
            "aws x list-web-acls\n{\"Rest\": [{\"Acls\": {\"Id\": \"abc1234\"}, \"Name\": \"acme\"}]}",
            "aws log: op=create_rest_api params={\"id\":\"abc1234\"} result={\"name\":\"acme\",\"x\":{\"name\":\"y\"}}",
            "boto3 client.get_rest_apis(limit=3)\n# => {'items': [{'id': 'abc1234', 'name': 'acme'}]}",
            "{\"eventSource\": \"apigateway.amazonaws.com\", \"eventName\": \"CreateRestApi\", \"requestParameters\": {\"id\": \
             \"abc1234\", \"name\": \"acme\"}}",
            "aws x list-web-acls\nAcls:\n- Id: abc1234\n  State:\n    Name: y\n  Name: acme-1\nRest:\n  x:\n    Name: z-1\n",
            "aws x create-web-acl --acl '{\"Id\": \"abc1234\", \"x\": {\"Name\": \"y\"}}' --rule '{\"Name\": \"y\"}'\n\
             {\"AclSummary\": {\"Name\": \"acme\"}}",
            "aws: await c.send(new ListRestApisCommand({}));\n// {\n//   items: [ { id: 'abc1234', name: 'acme' } ],",
            "boto3 print(c.get_rest_apis())\n{'items': [{'id': 'abc1234', 'name': 'acme'}]}",
            "aws network-firewall list-firewalls\n{\"x\": [{\"FirewallId\": \"abc1234\", \"FirewallName\": \"acme\"}]}",
            "aws x list-acls\n{\"AclIds\": [\"abc1234\"], \"x\": [1], \"Acls\": [\"acme\"], \"y\": {\"Name\": \"y\"}}",
        ] {
            let found: Vec<_> = names(text).into_iter().map(|name| name.trim_end_matches("-1")).collect();
            assert_eq!(found, ["abc1234", "acme"], "{text}");
        }
    }

    #[test]
    fn tables_of_things() {
        for text in [
            "--------\n|  ListWebAcls  |\n+------+\n||   Acls    ||\n|+-----+-----+|\n||  Id  |  Name   ||\n|+-----+-----+|\n||  abc1234 \
             |  acme  ||\n|+-----+-----+|\n",
            "--------\n|  get-web-acl  |\n+------+\n|  Id | abc1234 |\n| Name   | acme |\n+----+---+\n||   State   ||\n\
             |+----+---+|\n||  Name | y  ||\n|+----+---+|\n",
        ] {
            assert_eq!(names(text), ["abc1234", "acme"], "{text}");
        }
    }

    #[test]
    fn other_things_in_answers() {
        for text in [
            "aws ec2 stop-instances\n{\"StoppingInstances\": [{\"State\": {\"Name\": \"acme\"}}]}",
            "aws rds describe-account-attributes\n{\"AccountAttributes\": [{\"Name\": \"acme\"}]}",
            "aws x list-web-acls\n{\"Filters\": [{\"Name\": \"acme\"}]}",
            "aws x list-web-acls\nDone.\n{\"Name\": \"acme\"}",
            "aws x list-web-acls\n{}\n{\"Name\": \"acme\"}",
            "aws x get-tag-keys\n{\"TagKeys\": [\"CostCenter\"]}",
            "aws x list-files\n{\"Files\": [{\"FileName\": \"acme\"}]}",
            "aws x list-acls\n{\"Owner\": {\"DisplayName\": \"acme\"}, \"Creator\": {\"Name\": \"acme\"}}",
            "aws x list-acls\nCreator:\n  Name: acme-1\n",
            "aws x get-acl\n{\"Policy\": \"{\\n \\\"Id\\\": \\\"abc1234\\\"}\"}",
            "aws x list-acls\n{\"Events\": [{\"Id\": \"abc1234\"}], \"Acls\": [{\"States\": [{\"Name\": \"acme\"}]}]}",
            "render_page params={\"name\":\"acme\"} on aws",
            "create_widget params={\"name\":\"acme\"} on aws",
            "create_rest_api params={\"name\":\"acme\"}",
            "boto3 c.create_rest_api(tags={'name': 'acme'})",
            "--------\n|  Report  |\n+------+\n|  Id | abc1234 |\n| Name   | acme |\n+----+---+\n",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn tools_that_are_called_one_after_the_other() {
        let call = |id: usize, operation: &str| {
            format!("{{\"id\": \"t{id}\", \"input\": {{\"command\": \"aws appconfig {operation}\"}}}}")
        };
        let answer = |id: usize, name: &str| {
            let printed = in_json(&format!("{{\"Items\": [{{\"Name\": \"{name}\"}}]}}"));
            format!("{{\"tool_use_id\": \"t{id}\", \"content\": {printed}}}")
        };
        let operations = [call(1, "list-applications"), call(2, "list-environments")].join(", ");
        let text = format!("[{operations}, {}, {}]", answer(1, "acme"), answer(2, "umbra"));
        assert_eq!(parts(&text), ["acme", "umbra"], "{text}");
    }

    proptest! {
        #[test]
        fn answers_that_end_anywhere(pieces in prop::collection::vec(prop::sample::select(&[
            "aws x list-acls", " --a '", "\n", "\\n", "{", "}", "[", "]", "\"Name\": ", "Id: ", "\"acme\"", "abc1234", ",", "- ",
            "  ", "Acls:", "\"Acls\": ", "op=create_rest_api ", "params=", "create_rest_api(", ")", "# => ", "\"eventName\": ",
            "\"CreateRestApi\"", "\"requestParameters\": ", "|  ListAcls  |", "+--", "||  Id | Name ||", "|", "\"", "\\", "```",
            "\u{ac00}",
        ][..]), 0..40)) {
            let text = pieces.concat();
            for part in [text.as_str(), &in_json(&text)] {
                let _ = scanned(part);
            }
        }
    }
}
