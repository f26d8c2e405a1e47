//! Names that code gives by a variable: `TABLE=orders` for `--table-name $TABLE`, `dest = "acme-raw"` for `Bucket=dest`.
//!
//! Where a value is expected and a variable stands, the variable is a key like any other: whatever the text sets it to is
//! such a value.

use std::ops::Range;

use hashbrown::HashMap;

use crate::catalog::{KindId, Match, Member, PAIRED, ValueShape};
use crate::detect::Scan;
use crate::detect::scan::names::{MIN_NAME_LEN, Names};
use crate::detect::scan::sieve::Lanes;
use crate::detect::setting::context::skip_space;
use crate::detect::setting::key::is_id_at_sight;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, follows_escape, is_alnum, run_end, run_start};

/// Longest name of a variable.
pub(in crate::detect) const MAX_VARIABLE: usize = 64;
/// Variables of names too short for [`Names`] that are looked for, each in a search of its own.
const MAX_SHORT: usize = 64;
/// Variables with a name as short as this, in small letters, are used close behind where they are set.
const SHORT: usize = 4;
/// How close that is, bytes.
const NEAR: usize = 1024;
/// Longest type between a variable and what it is set to.
const MAX_TYPE: usize = 40;
/// Longest expression that a default is looked for in.
const MAX_EXPRESSION: usize = 160;
/// Most values of a loop.
const MAX_VALUES: usize = 100;
/// Longest list of words of a loop, bytes.
const MAX_LOOP: usize = 1024;
/// Most variables between a value and where it is used: `a = "x"; b = a; f(b)`.
const MAX_CHAIN: usize = 3;
/// Deepest indentation of a line of YAML.
const MAX_INDENT: usize = 64;
/// What settings of a program, of a module and of its surroundings belong to.
const OBJECTS: [&[u8]; 9] = [b"", b"self.", b"this.", b"local.", b"var.", b"env.", b"vars.", b"env:", b"Env:"];
/// Constructors of strings around a variable: `aws.String(table)`.
const WRAPPER: &[u8] = b"string";
/// The key of what refers to a parameter of CloudFormation.
const REF: &[u8] = b"Ref";

/// A variable that stands where a value is expected.
#[derive(Debug)]
pub(in crate::detect) struct Use {
    pub(in crate::detect) span: Range<usize>,
    /// What it may hold.
    members: Vec<Member>,
}

impl Use {
    /// The same, where `place` says that it stands.
    pub(in crate::detect) fn moved_to(&self, place: impl Fn(&Range<usize>) -> Range<usize>) -> Self {
        Self { span: place(&self.span), members: self.members.clone() }
    }

    /// Memory that it takes.
    pub(in crate::detect) fn bytes(&self) -> usize {
        size_of::<Self>() + self.members.capacity() * size_of::<Member>()
    }
}

/// What the text says about one variable.
struct Variable {
    members: Vec<Member>,
    /// Where it is used, in order.
    uses: Vec<usize>,
    /// As a shell writes it, whose values need no quotes.
    is_expanded: bool,
    /// Of Terraform: `local.name`.
    is_local: bool,
    /// Of a template, which may say further down what it is: `var.name`, `!Ref Name`.
    is_parameter: bool,
}

impl Scan<'_, '_> {
    /// Notes the variable that the value is, if it is one.
    pub(in crate::detect) fn used(&mut self, members: &[Member], value: Value) {
        let Some(span) = variable(self.text, value) else { return };
        let key = &self.text[self.key.clone()];
        // `password=self.password` is set where the key is one itself.
        if key == &self.text[span.clone()] && members.iter().all(|member| self.detector.is_credential(member.kind)) {
            return;
        }
        // An id is seldom what a variable stands for, and everything has a `value`.
        let is_value = PAIRED.iter().any(|paired| key.eq_ignore_ascii_case(paired));
        let mut members = members.to_vec();
        members.retain(|member| match member.hint {
            None => !is_value || !is_id_at_sight(member),
            Some(_) => !is_id_at_sight(member) && self.has_hint(member, span.start),
        });
        if !members.is_empty() {
            self.hits.uses.push(Use { span, members });
        }
    }

    /// Notes the variable at `at` that is the name of a thing of this kind: `s3://$BUCKET/`, `Table(NAME)`.
    pub(in crate::detect) fn used_as(&mut self, kind: KindId, at: usize) {
        let member = Member { kind, matches: Match::Exact, value: ValueShape::Name, hint: None };
        let end = run_end(self.text, at, MAX_VARIABLE, |c| !matches!(c, b'/' | b')' | b',' | b'"' | b'\'' | b'\n'));
        self.used(&[member], Value { start: at, end, next: end, quoted: false });
    }

    /// Notes the parameter that the object at `open` refers to: `{"Ref": "LogStore"}`. False for other objects.
    pub(in crate::detect) fn referred(&mut self, members: &[Member], open: usize) -> bool {
        let text = self.text;
        let mark = |c: u8| matches!(c, b' ' | b'"' | b'\\' | b':');
        let reference = run_end(text, open + 1, MAX_TYPE, mark);
        let start = run_end(text, reference + REF.len(), MAX_TYPE, mark);
        let is_reference = text[reference..].starts_with(REF);
        if is_reference {
            let end = run_end(text, start, MAX_VARIABLE, is_word);
            self.used(members, Value { start, end, next: end, quoted: false });
        }
        is_reference
    }

    /// Looks for what the variables that were noted are set to, and for what that is set to where it is a variable again.
    pub(in crate::detect) fn variables(&mut self) {
        for _ in 0..MAX_CHAIN {
            if self.hits.uses.is_empty() {
                return;
            }
            self.settings();
        }
        self.hits.uses.clear();
    }

    fn settings(&mut self) {
        let text = self.text;
        let (variables, mentions) = collect(self.detector.lanes, text, std::mem::take(&mut self.hits.uses));
        let locals = if variables.iter().any(|variable| variable.is_local) { locals(text) } else { Vec::new() };
        for (index, mention) in mentions {
            let Some(variable) = variables.get(index) else { continue };
            let block = locals.partition_point(|block| block.end <= mention.start);
            if variable.is_local && locals.get(block).is_none_or(|block| mention.start < block.start) {
                continue;
            }
            let is_short = mention.len() <= SHORT && text[mention.clone()].iter().all(u8::is_ascii_lowercase);
            let next_use = variable.uses.partition_point(|&at| at <= mention.end);
            let is_near = variable.uses.get(next_use).is_some_and(|at| at - mention.end <= NEAR);
            if (is_near || !is_short || variable.is_parameter || variable.is_local) && stands_alone(text, &mention) {
                // What a variable holds may have its name.
                self.key = mention.end..mention.end;
                self.setting(variable, &mention);
            }
        }
    }

    /// Looks at what follows the variable `name` where it is mentioned.
    fn setting(&mut self, variable: &Variable, name: &Range<usize>) {
        let text = self.text;
        // One letter is a type: `fn new<S: Into<String>>(name: S)`.
        let is_upper = name.len() > 1 && !text[name.clone()].iter().any(u8::is_ascii_lowercase);
        let quote_end = run_end(text, name.end, MAX_BACKSLASHES + 1, |c| matches!(c, b'\\' | b'"' | b'\''));
        if is_upper && let Some(at) = paired_value(text, quote_end) {
            return self.set(variable, at, true);
        }
        let quote = run_start(text, name.start, MAX_BACKSLASHES + 1, |c| matches!(c, b'\\' | b'"'));
        if quote < name.start && text[..quote].ends_with(b"variable ") {
            let open = run_end(text, quote_end, 2, |c| c == b' ');
            if text.get(open) == Some(&b'{') {
                self.things(&variable.members, open);
            }
            return;
        }
        if let Some((at, is_list)) = loop_values(text, name) {
            return self.looped(variable, at, is_list);
        }
        if text[..name.start].ends_with(b"ENV ") && text.get(name.end) == Some(&b' ') {
            return self.set(variable, name.end + 1, true);
        }
        let at = run_end(text, quote_end, MAX_TYPE, |c| matches!(c, b' ' | b'\t' | b']'));
        match text.get(at) {
            // `${TABLE:-orders}`
            Some(b':') if text.get(at + 1) == Some(&b'-') && text[..name.start].ends_with(b"${") => {
                self.set(variable, at + 2, true);
            }
            // `LogStore:` and its default below it, `"LogStore": {"Type": "String", "Default": "acme-logs"}`.
            Some(b':') if variable.is_parameter && opens_block(text, at + 1) => {
                self.key = name.clone();
                self.values(&variable.members, at + 1);
            }
            Some(b':') if variable.is_expanded && begins_line(text, name.start) && text.get(at + 1) == Some(&b' ') => {
                self.set(variable, at + 1, true);
            }
            Some(b':')
                if is_upper
                    && assignment(text, at).is_none()
                    && matches!(text.get(at + 1), Some(b' ' | b'"' | b'\'' | b'\\')) =>
            {
                self.set(variable, at + 1, true);
            }
            _ => {
                let Some(sign) = assignment(text, at) else { return };
                let is_bare = variable.is_expanded && sign == name.end;
                self.set(variable, sign + 1, is_bare);
            }
        }
    }

    /// Takes the value at `at` for what the variable holds; without quotes only where that `is_bare`.
    fn set(&mut self, variable: &Variable, at: usize, is_bare: bool) {
        let text = self.text;
        let from = run_end(text, at, MAX_TYPE, |c| matches!(c, b' ' | b'\t'));
        if is_quoted(text, from) || is_bare {
            let setting = if is_quoted(text, from) { Setting::Sure } else { Setting::Line };
            self.announced(&variable.members, from, setting);
        } else if let Some(default) = default_of(text, from) {
            self.announced(&variable.members, default, Setting::Sure);
        } else {
            let end = run_end(text, from, MAX_VARIABLE, |c| is_word(c) || matches!(c, b'.' | b'$' | b'{' | b'}'));
            let statement_end = run_end(text, end, 2, |c| matches!(c, b' ' | b';' | b','));
            if statement_end == text.len() || ends_line(text, statement_end) {
                self.used(&variable.members, Value { start: from, end, next: end, quoted: false });
            }
        }
    }

    /// Takes the values from `at` on for what the variable of a loop holds, one after the other.
    fn looped(&mut self, variable: &Variable, mut at: usize, is_list: bool) {
        let text = self.text;
        // The values of another loop, which were looked at.
        if at < self.things_to {
            return;
        }
        for _ in 0..MAX_VALUES {
            if is_list && !is_quoted(text, at) {
                return;
            }
            let setting = if is_list { Setting::Sure } else { Setting::Told };
            let Some(found) = self.announced(&variable.members, at, setting) else { return };
            let separator = |c: u8| matches!(c, b' ' | b'\n') || is_list && c == b',';
            at = run_end(text, found.next, MAX_TYPE, separator);
            self.things_to = at;
            if at == found.next {
                return;
            }
        }
    }
}

/// What the text says about each variable that is used, and where these are mentioned.
fn collect(lanes: Lanes, text: &[u8], uses: Vec<Use>) -> (Vec<Variable>, Vec<(usize, Range<usize>)>) {
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut variables: Vec<Variable> = Vec::new();
    for Use { span, members } in uses {
        let index = *numbers.entry(&text[span.clone()]).or_insert(variables.len());
        if index == variables.len() {
            variables.push(Variable {
                members,
                uses: Vec::new(),
                is_expanded: false,
                is_local: true,
                is_parameter: false,
            });
        }
        let variable = &mut variables[index];
        variable.uses.push(span.start);
        variable.is_expanded |= is_expanded(text, span.start);
        variable.is_local &= text[..span.start].ends_with(b"local.");
        variable.is_parameter |= is_parameter(text, span.start);
    }
    variables.iter_mut().for_each(|variable| variable.uses.sort_unstable());
    let mut mentions = Vec::new();
    let short = numbers.iter().filter(|(name, _)| name.len() < MIN_NAME_LEN).take(MAX_SHORT);
    for (name, &index) in short {
        mentions.extend(memchr::memmem::find_iter(text, name).map(|at| (index, at..at + name.len())));
    }
    let long = numbers.iter().filter(|(name, _)| name.len() >= MIN_NAME_LEN);
    Names::new(long.map(|(&name, &index)| (name, index)))
        .each(lanes, text, |&index, span| mentions.push((index, span)));
    mentions.sort_unstable_by_key(|(_, span)| span.start);
    (variables, mentions)
}

/// The variable that the value is.
fn variable(text: &[u8], Value { start, end, quoted, .. }: Value) -> Option<Range<usize>> {
    let value = &text[start..end];
    // `!Ref LogBucket`, `!Sub "${LogBucket}"`.
    if matches!(value, b"!Ref" | b"!Sub") {
        let at = run_end(text, end, MAX_TYPE, |c| matches!(c, b' ' | b'"' | b'\'' | b'\\'));
        let end = run_end(text, at, MAX_VARIABLE, |c| is_word(c) || matches!(c, b'$' | b'{' | b'}'));
        let is_written_so = value == b"!Ref" || text[at..].starts_with(b"${");
        return variable(text, Value { start: at, end, next: end, quoted: false }).filter(|_| is_written_so);
    }
    let open = match *value {
        [b'$', b'{', b'{', ..] => 3,
        [b'$', b'{' | b'(', ..] | [b'{', b'{', ..] => 2,
        [b'$' | b'{' | b'%' | b'&', ..] => 1,
        _ if quoted => return None,
        _ => {
            let bracket = value.iter().take(MAX_TYPE).position(|&c| c == b'(');
            let wrapped = bracket.filter(|&at| value[..at].to_ascii_lowercase().ends_with(WRAPPER));
            wrapped.map_or(0, |at| at + 1)
        }
    };
    let at = run_end(text, start + open, MAX_VARIABLE, |c| c == b' ');
    let word_end = run_end(text, at, MAX_VARIABLE, |c| is_word(c) || matches!(c, b'.' | b':'));
    let name = run_start(text, word_end, word_end - at, is_word);
    let object = &text[at..name];
    let is_object = object.starts_with(b"self:") || OBJECTS.contains(&object);
    let behind = &text[run_end(text, word_end, 2, |c| c == b' ')..];
    let closes = match value.get(..open) {
        Some(b"${{" | b"${" | b"$(" | b"{{" | b"{" | b"%") => matches!(behind, [b'}' | b')' | b'%', ..]),
        _ => word_end >= end || text.get(word_end).is_none_or(|c| !b"([.-/=".contains(c)),
    };
    let body = &text[name..word_end];
    let is_name = body.first().is_some_and(|c| !c.is_ascii_digit()) && body.iter().any(u8::is_ascii_alphabetic);
    (is_object && is_name && closes && !is_word_of_language(body)).then_some(name..word_end)
}

/// Values and types that look like variables: `"stream": true`, `bucket: string`.
fn is_word_of_language(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 14] = [
        b"true",
        b"false",
        b"null",
        b"none",
        b"nil",
        b"undefined",
        b"self",
        b"this",
        b"str",
        b"string",
        b"bool",
        b"boolean",
        b"int",
        b"any",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn is_word(c: u8) -> bool {
    is_alnum(c) || c == b'_'
}

/// `$TABLE`, `${TABLE}`, `${{ env.TABLE }}`, `${self:custom.table}`, `%TABLE%`.
fn is_expanded(text: &[u8], name: usize) -> bool {
    let object = run_start(text, name, MAX_VARIABLE, |c| is_word(c) || matches!(c, b'.' | b':'));
    let before = text[..object].trim_ascii_end();
    [&b"{{"[..], b"$", b"${", b"$(", b"%"].iter().any(|sign| before.ends_with(sign))
}

/// `var.bucket`, `!Ref Bucket`, `!Sub "${Bucket}"`, `{"Ref": "Bucket"}`.
fn is_parameter(text: &[u8], name: usize) -> bool {
    let before = &text[..name];
    let to_sub = run_start(text, name, MAX_TYPE, |c| matches!(c, b' ' | b'"' | b'\'' | b'\\' | b'$' | b'{'));
    let to_ref = run_start(text, name, MAX_TYPE, |c| matches!(c, b' ' | b'"' | b':' | b'\\'));
    before.ends_with(b"var.") || before[..to_ref].ends_with(b"Ref") || before[..to_sub].ends_with(b"!Sub")
}

/// True where nothing but blanks and the dash of a list stands before `at` on its line.
fn begins_line(text: &[u8], at: usize) -> bool {
    let start = run_start(text, at, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
    start == 0 || text[start - 1] == b'\n' || text[..start].ends_with(b"\\n") || follows_escape(text, at)
}

/// True where the value of a key is an object, or a block below it.
fn opens_block(text: &[u8], at: usize) -> bool {
    let at = run_end(text, at, MAX_TYPE, |c| c == b' ');
    text.get(at) == Some(&b'{') || at < text.len() && ends_line(text, at)
}

/// False for the end or the beginning of a longer name, and for the member of something.
fn stands_alone(text: &[u8], name: &Range<usize>) -> bool {
    let before = &text[..name.start];
    let begins = match before.last() {
        Some(b'.') => before.ends_with(b"self.") || before.ends_with(b"this."),
        Some(&c) => !is_word(c) && c != b'-' || follows_escape(text, name.start),
        None => true,
    };
    begins && text.get(name.end).is_none_or(|&c| !is_word(c) && c != b'-')
}

/// The `=` of an assignment whose variable ends before `at`: `x = 1`, `x := 1`, `x: str = 1`, `x string = 1`.
fn assignment(text: &[u8], at: usize) -> Option<usize> {
    let typed = run_end(text, at, MAX_TYPE, |c| {
        is_alnum(c) || matches!(c, b':' | b' ' | b'&' | b'?' | b'\'' | b'<' | b'>' | b'[' | b']' | b'|')
    });
    let stated = &text[at..typed];
    let is_type = stated.is_empty() || stated == b"?" || stated.starts_with(b":") || stated.starts_with(b"string ");
    let is_sign = text.get(typed) == Some(&b'=') && !matches!(text.get(typed + 1), Some(b'=' | b'~' | b'>'));
    (is_type && is_sign).then_some(typed)
}

fn is_quoted(text: &[u8], at: usize) -> bool {
    let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    // `aws.String("orders")` is taken apart like its string.
    let wrapped = run_end(text, at, MAX_TYPE, |c| is_alnum(c) || matches!(c, b'.' | b':' | b'&'));
    let is_wrapped = text.get(wrapped) == Some(&b'(') && text[at..wrapped].to_ascii_lowercase().ends_with(WRAPPER);
    is_wrapped || matches!(text.get(slashes), Some(b'"' | b'\'' | b'`'))
}

/// What an expression that begins at `at` has for a variable of the environment that is not set:
/// `process.env.TABLE ?? "orders"`, `os.environ.get("TABLE", "orders")`.
fn default_of(text: &[u8], at: usize) -> Option<usize> {
    let head = &text[at..text.len().min(at + MAX_VARIABLE)];
    let is_of_environment = head.windows(3).any(|word| word.eq_ignore_ascii_case(b"env"));
    let end = if is_of_environment { run_end(text, at, MAX_EXPRESSION, |c| !matches!(c, b'\n' | b';')) } else { at };
    let expression = &text[at..end];
    [&b"?? "[..], b"|| ", b"\", ", b"', ", b" or "].iter().find_map(|sign| {
        let default = at + memchr::memmem::find(expression, sign)? + sign.len();
        is_quoted(text, default).then_some(default)
    })
}

/// The value behind the name of a pair: `{"name": "TABLE", "value": "orders"}`.
fn paired_value(text: &[u8], name_end: usize) -> Option<usize> {
    let at = run_end(text, name_end, MAX_TYPE, |c| c.is_ascii_whitespace() || matches!(c, b',' | b'"' | b'\\' | b'\''));
    let key = text.get(at..at + 5).filter(|key| at > name_end && key.eq_ignore_ascii_case(b"value"))?;
    let behind = at + key.len();
    let colon = run_end(text, behind, MAX_BACKSLASHES, |c| matches!(c, b'"' | b'\\' | b'\'' | b' '));
    matches!(text.get(colon), Some(b':' | b'=')).then_some(colon + 1)
}

/// Where the values of a loop over the variable `name` begin, and whether they are a list of strings:
/// `for t in orders carts; do`, `for t in ["orders", "carts"]:`.
fn loop_values(text: &[u8], name: &Range<usize>) -> Option<(usize, bool)> {
    let before = text[..name.start].trim_ascii_end();
    let is_loop = [&b"for"[..], b"for (const", b"for (let", b"foreach ("].iter().any(|word| before.ends_with(word));
    let behind =
        [&b" in "[..], b" of "].into_iter().find(|word| text[name.end..].starts_with(word)).filter(|_| is_loop)?;
    let at = name.end + behind.len();
    match text.get(at)? {
        b'[' | b'(' => Some((at + 1, true)),
        _ => is_loop_of_shell(text, at).then_some((at, false)),
    }
}

/// Whether the words from `at` on have the `do` of a shell behind them.
fn is_loop_of_shell(text: &[u8], at: usize) -> bool {
    let end = run_end(text, at, MAX_LOOP, |c| !matches!(c, b';' | b'\n' | b'\\'));
    let behind = if text.get(end) == Some(&b';') { end + 1 } else { end };
    // The words may go on in the next line.
    let slashes = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\') - end;
    let goes_on = match text.get(end + slashes) {
        Some(b'\n') => slashes > 0,
        _ => slashes > 0 && !slashes.is_power_of_two(),
    };
    goes_on || text[skip_space(text, behind)..].starts_with(b"do")
}

/// Where the local values of Terraform stand: `locals { … }`.
fn locals(text: &[u8]) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for at in memchr::memmem::find_iter(text, b"locals {") {
        if blocks.last().is_none_or(|last| last.end <= at) {
            blocks.push(at..block_end(text, at));
        }
    }
    blocks
}

/// Where the block ends whose brace opens behind `at`.
fn block_end(text: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    for brace in memchr::memchr2_iter(b'{', b'}', &text[at..]) {
        match text[at + brace] {
            b'{' => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
        if depth == 0 {
            return at + brace;
        }
    }
    text.len()
}

/// Where the part of a name ends that a template or a program has in it as it is: `acme-logs-${AWS::AccountId}`.
pub(in crate::detect) fn end_of_literal(text: &[u8], start: usize, end: usize) -> usize {
    let Some(brace) = memchr::memchr(b'{', &text[start..end]).map(|at| start + at) else { return end };
    let literal = text[start..brace].strip_suffix(b"$").unwrap_or(&text[start..brace]);
    let literal = start + literal.trim_ascii_end().len();
    let cut = run_start(text, literal, literal - start, |c| !is_alnum(c));
    if cut > start { cut } else { end }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn what_a_variable_is_set_to() {
        for (text, kind, names) in [
            ("TABLE=orders\naws dynamodb scan --table-name $TABLE", "name:dynamodb-table", &["orders"][..]),
            ("export TO='acme'\naws s3 sync . \"s3://${TO}/x\"", "name:s3-bucket", &["acme"]),
            ("set TO=acme\naws s3 ls s3://%TO%/", "name:s3-bucket", &["acme"]),
            ("$to = \"acme\"\nWrite-S3Object -BucketName $to", "name:s3-bucket", &["acme"]),
            ("to = \"acme\"\ns3.put_object(Bucket=to)", "name:s3-bucket", &["acme"]),
            ("to = \"acme\"\ns3.put_object(Bucket=f'{to}')", "name:s3-bucket", &["acme"]),
            ("self.dest = 'acme'\ns3.put_object(Bucket=self.dest)", "name:s3-bucket", &["acme"]),
            ("dest: str = 'acme'\ns3.upload_file('a.csv', dest, 'a.csv')", "name:s3-bucket", &["acme"]),
            ("dest = 'acme'; path = f\"s3://{dest}/x\"", "name:s3-bucket", &["acme"]),
            ("const target = 'acme'; put({ Bucket: target, Key: k })", "name:s3-bucket", &["acme"]),
            ("const N = process.env.N ?? 'orders';\nget({ TableName: N })", "name:dynamodb-table", &["orders"]),
            ("N = os.environ.get('N', 'orders')\nscan(TableName=N)", "name:dynamodb-table", &["orders"]),
            ("const dest string = \"acme\"\nx{Bucket: aws.String(dest)}", "name:s3-bucket", &["acme"]),
            ("dest := \"acme\"\nx{Bucket: &dest, Key: k}", "name:s3-bucket", &["acme"]),
            ("const DEST: &str = \"acme\";\nclient.put_object().bucket(DEST)", "name:s3-bucket", &["acme"]),
            ("String q = \"orders\";\nx.queueName(q)", "name:sqs-queue", &["orders"]),
            ("locals {\n  a = { b = 1 }\n  store = \"acme\"\n}\n bucket = local.store\n", "name:s3-bucket", &["acme"]),
            ("bucket = var.store\nmodule \"m\" {\n  store = \"acme\"\n}", "name:s3-bucket", &["acme"]),
            ("variable \"to\" {\n  default = \"acme\"\n}\nx {\n  bucket = var.to\n}", "name:s3-bucket", &["acme"]),
            ("Parameters:\n  Dest:\n    Default: acme\nx:\n  BucketName: !Ref Dest\n", "name:s3-bucket", &["acme"]),
            (
                "Parameters:\n  Dest:\n    Default: acme\nx:\n  BucketName: !Sub \"${Dest}\"\n",
                "name:s3-bucket",
                &["acme"],
            ),
            ("{\"Dest\": {\"Default\": \"acme\"}, \"BucketName\": {\"Ref\": \"Dest\"}}", "name:s3-bucket", &["acme"]),
            (
                "vars:\n  dest: acme\ntasks:\n  - s3_object:\n      bucket: \"{{ dest }}\"\n",
                "name:s3-bucket",
                &["acme"],
            ),
            ("custom:\n  store: acme\nBucketName: ${self:custom.store}\n", "name:s3-bucket", &["acme"]),
            ("env:\n  TO: acme\nrun: aws s3 ls s3://${{ env.TO }}", "name:s3-bucket", &["acme"]),
            ("{\"name\": \"TO\", \"value\": \"acme\"}, run: aws s3 ls s3://$TO", "name:s3-bucket", &["acme"]),
            ("ENV TO acme\nRUN aws s3 ls s3://$TO", "name:s3-bucket", &["acme"]),
            ("aws s3 ls s3://${TO:-acme}/; aws s3 ls s3://$TO/", "name:s3-bucket", &["acme"]),
            (
                "for t in orders carts; do aws dynamodb scan --table-name $t; done",
                "name:dynamodb-table",
                &["orders", "carts"],
            ),
            ("base = 'acme'\ndest = base\ns3.put_object(Bucket=dest)", "name:s3-bucket", &["acme"]),
            ("TO=acme\nDEST=\"${TO}\"\naws s3 ls s3://$DEST", "name:s3-bucket", &["acme"]),
            ("locals {\n  a = \"acme\"\n  b = local.a\n}\nbucket = local.b\n", "name:s3-bucket", &["acme"]),
            ("dest = os.getenv('B') or 'acme'\ns3.put_object(Bucket=dest)", "name:s3-bucket", &["acme"]),
            ("for b in ['acme', 'other']:\n  s3.delete_bucket(Bucket=b)", "name:s3-bucket", &["acme", "other"]),
        ] {
            let expected: Vec<_> = names.iter().map(|name| (kind.to_owned(), *name)).collect();
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_else_has_the_name_of_a_variable() {
        for text in [
            "name = \"Bob\"\nx.name = \"Eve\"",
            "x.dest = 'acme'\ns3.put_object(Bucket=dest)",
            "destination = 'acme'; my_dest = 'acme'\ns3.put_object(Bucket=dest)",
            "if dest == 'acme':\n  s3.put_object(Bucket=dest)",
            "{\"dest\": \"acme\"}\ns3.put_object(Bucket=dest)",
            "dest = other\ns3.put_object(Bucket=dest)",
            "TO=$1\naws s3 ls s3://$TO",
            "TO=us-east-1\naws s3 ls s3://$TO",
            "locals {\n  x = 1\n}\nstore = \"acme\"\nbucket = local.store\n",
            "s3.put_object(Bucket=get(dest))\ndest = 'acme'",
            "pub fn new<S: Into<String>>(function_name: S) {}",
            "for dest in self.all if not dest.x\ns3.put_object(Bucket=dest)",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
        let text = format!("key = \"acme\"\n{}s3.put_object(Bucket=key)", "x = 1\n".repeat(300));
        assert_eq!(found(&text), []);
    }
}
