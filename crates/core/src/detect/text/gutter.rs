//! What tools print before each line of a file: its number, the file's name, the sign of a diff.
//!
//! An agent sends files as its tools show them: `     7→  value: "x"`, `deploy.yaml:7:  value: "x"`, `+  value: "x"`. The
//! rules know how files are written; a [`crate::detect::text::view::View`] leaves out what stands before their lines.

use std::ops::Range;

use once_cell::sync::OnceCell;

use crate::detect::scan::sieve::{Class, Lanes, Row, Sieve};
use crate::detect::text::boundary::{MAX_BACKSLASHES, follows_escape, is_alnum, run_end, run_start};
use crate::detect::text::line::{break_at, break_before, line_start};
use crate::detect::text::word_list::WordList;

/// Most digits of a line's number.
const MAX_DIGITS: usize = 6;
/// Most blanks before it.
const MAX_BLANKS: usize = 8;
/// Longest name of a file, bytes.
const MAX_PATH: usize = 240;
/// `→`, which Claude Code puts behind the number.
const ARROW: &[u8] = "\u{2192}".as_bytes();
/// Longest line behind which the next one is looked for, bytes.
const MAX_LINE: usize = 16 * 1024;
/// Most lines that are shown before a match.
const MAX_BEFORE: usize = 50;
/// Most quotes that may open the string that a line is in.
const MAX_QUOTES: usize = 16;
/// How far a line is looked at for what its columns are divided by.
const MAX_HEADER: usize = 512;

/// Endings of the names of files that are not in a folder: others may be hosts.
static ENDINGS: WordList = WordList::new(&[
    "bash",
    "bat",
    "c",
    "cfg",
    "cjs",
    "conf",
    "config",
    "cpp",
    "cs",
    "env",
    "go",
    "gradle",
    "h",
    "hcl",
    "html",
    "ini",
    "java",
    "js",
    "json",
    "jsonl",
    "jsx",
    "kt",
    "kts",
    "lock",
    "log",
    "lua",
    "md",
    "mjs",
    "php",
    "properties",
    "ps1",
    "py",
    "rb",
    "rs",
    "scala",
    "sh",
    "sql",
    "swift",
    "tf",
    "tfvars",
    "toml",
    "ts",
    "tsx",
    "txt",
    "xml",
    "yaml",
    "yml",
    "zsh",
]);

/// A stretch to leave out, and what is to stand there instead.
pub(in crate::detect) struct Cut {
    pub(in crate::detect) range: Range<usize>,
    pub(in crate::detect) put: Vec<u8>,
    /// Where what it begins with was left in, if that is the name of the same file as before.
    pub(in crate::detect) known_at: Option<Range<usize>>,
}

/// What stands before a line.
#[derive(Clone, PartialEq, Eq)]
enum Sign {
    /// Its number, and what divides it from the line.
    Number(Divider),
    /// The file and a colon; before lines around a match, dashes.
    File { path: Range<usize>, is_match: bool },
    /// `+`, of a line that a diff adds.
    Plus,
    /// The head of a part of a diff: `@@ -1,3 +1,4 @@`.
    Head,
    /// A sign of a line behind that, or none before an empty one.
    OfHunk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Divider {
    Arrow,
    Tab,
    Bar,
    Colon,
}

/// A line that may have something before it.
struct Mark {
    start: usize,
    /// Where the line itself begins.
    end: usize,
    sign: Sign,
    number: usize,
}

/// True for a text with lines that have something before them.
pub(in crate::detect) fn stands_in(lanes: Lanes, text: &[u8]) -> bool {
    let mut found = false;
    each_run(lanes, text, 2, |_| found = true);
    found
}

/// What to leave out of a text, in order.
pub(in crate::detect) fn cuts(lanes: Lanes, text: &[u8]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut file = 0..0;
    each_run(lanes, text, usize::MAX, |run| {
        for mark in run {
            // The name of a file, which may be somebody's, becomes a line of its own once.
            let (from, put, known_at) = match &mark.sign {
                Sign::File { path, .. } if text[path.clone()] == text[file.clone()] => {
                    (mark.start, Vec::new(), Some(file.clone()))
                }
                Sign::File { path, .. } => {
                    file = path.clone();
                    (path.end, line_break(text, mark.start), None)
                }
                _ => (mark.start, Vec::new(), None),
            };
            if from < mark.end {
                cuts.push(Cut { range: from..mark.end, put, known_at });
            }
        }
    });
    cuts
}

/// Calls `found` with each run of lines that a tool put something before, or with the first so many lines of the first.
fn each_run(lanes: Lanes, text: &[u8], limit: usize, mut found: impl FnMut(&[Mark])) {
    let (mut seen_to, mut run) = (0, Vec::new());
    // Where no line ends.
    let mut unended = 0..0;
    sieve().each(lanes, text, |at| {
        let Some(first) = line_of(text, at).filter(|&start| start >= seen_to).and_then(|start| mark(text, start))
        else {
            return at + 1;
        };
        run.clear();
        if let Sign::File { path, .. } = &first.sign {
            before(text, &first, path, seen_to, &mut run);
        }
        run.push(first);
        while let Some(last) = run.last().filter(|last| run.len() < limit && !unended.contains(&last.end)) {
            let Some(start) = next_line(text, last.end) else {
                unended = last.end..last.end + MAX_LINE;
                break;
            };
            let Some(next) = last.next(text, start) else { break };
            run.push(next);
        }
        let end = run.last().map_or(at, |last| last.end).max(at + 1);
        seen_to = end;
        if !is_believed(text, &run) {
            return end;
        }
        found(&run);
        if limit < usize::MAX { text.len() } else { end }
    });
}

/// The lines of the same file that are shown before a match.
fn before(text: &[u8], first: &Mark, path: &Range<usize>, floor: usize, run: &mut Vec<Mark>) {
    let mut start = first.start;
    while run.len() < MAX_BEFORE
        && let Some(end) = break_before(text, start)
    {
        let line = line_start(text, end).max(floor);
        // The first may stand behind the quote that opens the string.
        let quotes = text.get(line..end).map(|line| memchr::memchr_iter(b'"', line).take(MAX_QUOTES));
        let mut starts = std::iter::once(line).chain(quotes.into_iter().flatten().map(|at| line + at + 1));
        let Some(mark) = starts.find_map(|at| mark(text, at).filter(|mark| mark.is_around_match(text, path))) else {
            break;
        };
        if mark.start >= start {
            break;
        }
        start = mark.start;
        run.push(mark);
    }
    run.reverse();
}

/// What must stand around a byte that ends, or begins, what stands before a line.
fn sieve() -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| {
        let digit = Class::of(|c| c.is_ascii_digit());
        Sieve::new(vec![
            Row::at(b"0123456789").next(Class::bytes(&ARROW[..1])).second(Class::bytes(&ARROW[1..2])),
            Row::at(b"\\").before(digit).next(Class::bytes(b"t\\")),
            // In one row they would let a nine and a line's end through.
            Row::at(b"\t").before(digit),
            Row::at(b":").before(digit),
            Row::at(b" ").before(digit).next(Class::bytes(b"|")).second(Class::bytes(b" ")),
            Row::at(b"+").before(Class::bytes(b"n\n\"")),
            Row::at(b"@").next(Class::bytes(b"@")).second(Class::bytes(b" ")),
        ])
    })
}

/// Where the line begins before which a byte that the sieve lets through may stand.
fn line_of(text: &[u8], at: usize) -> Option<usize> {
    let start = match text[at] {
        b'@' | b'+' => at,
        c => {
            let end = if c.is_ascii_digit() { at + 1 } else { at };
            let digits = run_start(text, end, MAX_DIGITS, |c| c.is_ascii_digit());
            if c == b':' && text[..digits].ends_with(b":") {
                run_start(text, digits - 1, MAX_PATH, is_of_path)
            } else {
                run_start(text, digits, MAX_BLANKS, |c| c == b' ')
            }
        }
    };
    let begins_line = |at: usize| at == 0 || text[at - 1] == b'"' || break_before(text, at).is_some();
    // The letter of an escaped break looks like one of the line.
    [start, start + usize::from(text[start] == b'n')].into_iter().find(|&start| begins_line(start))
}

/// Whether what stands before the lines of a run was put there by a tool.
fn is_believed(text: &[u8], run: &[Mark]) -> bool {
    let [first, ..] = run else { return false };
    match &first.sign {
        Sign::Number(Divider::Arrow) => true,
        Sign::Plus | Sign::Head | Sign::OfHunk | Sign::Number(Divider::Colon) => run.len() > 1,
        // The first column of a table has its heading.
        Sign::Number(divider) => {
            run.len() > 1 && !has_columns(text, first.start, *divider) && !is_row(text, first.end, *divider)
        }
        Sign::File { .. } => run.iter().any(|mark| matches!(mark.sign, Sign::File { is_match: true, .. })),
    }
}

/// True when the line before the one at `start` is one of a table.
fn has_columns(text: &[u8], start: usize, divider: Divider) -> bool {
    let Some(end) = break_before(text, start) else { return false };
    let from = run_start(text, end, MAX_HEADER, |c| c != b'\n' && c != b'"');
    let line = &text[from..end];
    // A break that is an escape: the line begins behind the last one.
    let line = memchr::memmem::rfind(line, b"\\n").map_or(line, |at| &line[at + 2..]);
    match divider {
        Divider::Tab => line.contains(&b'\t') || memchr::memmem::find(line, b"\\t").is_some(),
        _ => line.contains(&b'|') || memchr::memmem::find(line, b"-+-").is_some(),
    }
}

/// True for the rest of a line, from `at` on, that is the rest of a row of a table: `1 | DB_PASSWORD | … |`.
fn is_row(text: &[u8], at: usize, divider: Divider) -> bool {
    let end = next_break(text, at).map_or(at, |found| found.start);
    divider == Divider::Bar && text[at..end].trim_ascii_end().ends_with(b"|")
}

impl Mark {
    /// True for a line of this file that is no match.
    fn is_around_match(&self, text: &[u8], path: &Range<usize>) -> bool {
        let Sign::File { path: own, is_match: false } = &self.sign else { return false };
        text[own.clone()] == text[path.clone()]
    }

    /// The mark of the next line, which begins at `start`, if both belong together.
    fn next(&self, text: &[u8], start: usize) -> Option<Self> {
        let number = self.number;
        if matches!(self.sign, Sign::Head | Sign::OfHunk) {
            return of_hunk(text, start);
        }
        let next = mark(text, start)?;
        let belongs = match (&self.sign, &next.sign) {
            (Sign::Plus, Sign::Plus) => true,
            (Sign::Number(Divider::Colon), Sign::Number(Divider::Colon)) => next.number > number,
            (Sign::Number(divider), Sign::Number(other)) => divider == other && next.number == number + 1,
            (Sign::File { path, .. }, Sign::File { path: other, .. }) => text[path.clone()] == text[other.clone()],
            _ => false,
        };
        belongs.then_some(next)
    }
}

/// The mark of a line of a part of a diff. Empty lines, and `\ No newline at end of file`, have nothing before them, nor has
/// what begins with two dashes: an option, a key between other lines of dashes.
fn of_hunk(text: &[u8], start: usize) -> Option<Mark> {
    let end = match &text[start..] {
        [b'-', b'-', b'-', b'-', b'-', next, ..] if *next != b'-' => return None,
        [b'-', b'-', next, ..] if is_alnum(*next) => start,
        [b'+' | b'-' | b' ', ..] => start + 1,
        [b'\n' | b'\r' | b'\\', ..] => start,
        _ => return None,
    };
    Some(Mark { start, end, sign: Sign::OfHunk, number: 0 })
}

/// A line break as the text has it around the line that begins at `start`.
fn line_break(text: &[u8], start: usize) -> Vec<u8> {
    if let Some(at) = break_before(text, start) {
        return text[at..start].to_vec();
    }
    if let [.., b'"'] = text[..start] {
        let slashes = start - 1 - run_start(text, start - 1, MAX_BACKSLASHES, |c| c == b'\\');
        return [vec![b'\\'; slashes + 1], vec![b'n']].concat();
    }
    next_break(text, start).map_or_else(|| vec![b'\n'], |range| text[range].to_vec())
}

/// Where the line begins behind the one that `at` stands in, in the same string.
fn next_line(text: &[u8], at: usize) -> Option<usize> {
    next_break(text, at).map(|found| found.end)
}

/// The break of the line that `at` stands in, if the string does not end before it.
fn next_break(text: &[u8], mut at: usize) -> Option<Range<usize>> {
    let limit = text.len().min(at + MAX_LINE);
    // The fewest backslashes before a quote: fewer than the break has end the string.
    let mut quoted = usize::MAX;
    loop {
        at += memchr::memchr3(b'\n', b'\\', b'"', text.get(at..limit)?)?;
        if let Some((_, next)) = (text[at] != b'"').then(|| break_at(text, at)).flatten() {
            let slashes = next - at - 1;
            return (quoted >= slashes).then_some(at..next);
        }
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        if text.get(end) == Some(&b'"') {
            quoted = quoted.min(end - at);
        }
        at = end.max(at) + 1;
    }
}

/// What stands before the line at `start`.
fn mark(text: &[u8], start: usize) -> Option<Mark> {
    let (sign, number, end) = sign(text, start)?;
    Some(Mark { start, end, sign, number })
}

/// What stands before the line at `start`, the number in it, and where the line itself begins.
fn sign(text: &[u8], start: usize) -> Option<(Sign, usize, usize)> {
    match text.get(start..)? {
        [b'+', next, ..] if *next != b'+' => return Some((Sign::Plus, 0, start + 1)),
        [b'@', b'@', b' ', b'-', digit, ..] if digit.is_ascii_digit() => return Some((Sign::Head, 0, start)),
        _ => {}
    }
    let digits = run_end(text, start, MAX_BLANKS, |c| c == b' ');
    if let Some((number, end)) = number(text, digits) {
        let rest = &text[end..];
        let (divider, len) = match rest {
            [b'\t', ..] => (Divider::Tab, 1),
            [b':', behind @ ..] if digits == start && !goes_on_in_groups(behind) => (Divider::Colon, 1),
            [b' ', b'|', b' ', ..] => (Divider::Bar, 3),
            _ if rest.starts_with(ARROW) => (Divider::Arrow, ARROW.len()),
            _ => {
                let slashes = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\') - end;
                (slashes > 0 && rest.get(slashes) == Some(&b't')).then_some((Divider::Tab, slashes + 1))?
            }
        };
        return Some((Sign::Number(divider), number, end + len));
    }
    file(text, start)
}

/// True behind the first group of an IPv6 address and its colon; times look alike.
fn goes_on_in_groups(behind: &[u8]) -> bool {
    let group = behind.iter().take(4).take_while(|c| c.is_ascii_hexdigit()).count();
    behind.get(group) == Some(&b':') && behind.get(group + 1).is_some_and(|&c| c.is_ascii_hexdigit() || c == b':')
}

/// The number at `at`, and where it ends.
fn number(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = run_end(text, at, MAX_DIGITS, |c| c.is_ascii_digit());
    let number = text.get(at..end)?.iter().fold(0, |number, c| number * 10 + usize::from(c - b'0'));
    (end > at && !text.get(end).is_some_and(u8::is_ascii_digit)).then_some((number, end))
}

/// The name of a file at `start`, the number of the line in it, and where the line begins: `a/b.yml:12:`, `a/b.yml-11-`.
fn file(text: &[u8], start: usize) -> Option<(Sign, usize, usize)> {
    let stop = run_end(text, start, MAX_PATH, is_of_path);
    let of_match = || {
        let (number, end) = number(text, stop + 1).filter(|_| text.get(stop) == Some(&b':'))?;
        (text.get(end) == Some(&b':') && is_file(&text[start..stop])).then_some((start..stop, true, number, end))
    };
    // A name may have dashes and digits itself.
    let of_other = |dash: usize| {
        let (number, end) = number(text, dash + 1)?;
        (text.get(end) == Some(&b'-') && is_file(&text[start..dash])).then_some((start..dash, false, number, end))
    };
    let dashes = || memchr::memchr_iter(b'-', &text[start..stop]).map(|at| start + at).take(MAX_BLANKS);
    let (path, is_match, number, end) = of_match().or_else(|| dashes().find_map(of_other))?;
    // The column behind the line.
    let column = self::number(text, end + 1).filter(|&(_, end)| is_match && text.get(end) == Some(&b':'));
    Some((Sign::File { path, is_match }, number, column.map_or(end, |(_, end)| end) + 1))
}

fn is_of_path(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'.' | b'_' | b'-' | b'/' | b'+' | b'@' | b'~')
}

fn is_file(path: &[u8]) -> bool {
    let ending = memchr::memrchr(b'.', path).map(|dot| &path[dot + 1..]);
    path.len() > 1 && (path.contains(&b'/') || ending.is_some_and(|ending| ENDINGS.contains_in_any_case(ending)))
}

/// True where the colon at `at` ends where a line stands in a file: `app.yaml:12:`, `12:`, `deploy/app.yaml:`.
pub(in crate::detect) fn is_behind_place(text: &[u8], at: usize) -> bool {
    let digits = run_start(text, at, MAX_DIGITS, |c| c.is_ascii_digit());
    if digits < at {
        // `L12:`
        let place = digits - usize::from(text[..digits].ends_with(b"L"));
        return !text[..place].last().is_some_and(|&c| is_alnum(c) || matches!(c, b'.' | b'_'))
            || follows_escape(text, place);
    }
    let path = run_start(text, at, MAX_PATH, is_of_path);
    let path = path + usize::from(text[..path].ends_with(b"\\") && text[path] == b'n');
    is_file(&text[path..at]) && (path == 0 || text[path - 1] == b'"' || break_before(text, path).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::testing::{found, in_json};

    fn cut(text: &str) -> String {
        let (mut out, mut copied) = (Vec::new(), 0);
        for cut in cuts(Lanes::best(), text.as_bytes()) {
            out.extend_from_slice(&text.as_bytes()[copied..cut.range.start]);
            out.extend_from_slice(&cut.put);
            copied = cut.range.end;
        }
        out.extend_from_slice(&text.as_bytes()[copied..]);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_tools_put_before_lines_is_left_out() {
        for (text, plain) in [
            ("     1→a\n     2→ b\n", "a\n b\n"),
            ("  9\ta\n 10\t b\n", "a\n b\n"),
            ("1\ta\n2\t b\n", "a\n b\n"),
            ("7 | a\n8 |  b\n", "a\n b\n"),
            ("7:a\n12: b\n", "a\n b\n"),
            ("a/b.yml:7:a\na/b.yml:9: b\nc.tf:1:c", "a/b.yml\na\n b\nc.tf\nc"),
            ("a-1.yml-6-x\na-1.yml:7:a\n--\na-1.yml:12: b\n", "a-1.yml\nx\na\n--\n b\n"),
            ("src/a.go:12:5: undefined: x", "src/a.go\n undefined: x"),
            ("@@ -1,2 +1,2 @@ fn\n a\n-b\n+c\n\n d\nend", "@@ -1,2 +1,2 @@ fn\na\nb\nc\n\nd\nend"),
            ("@@ -1,2 +1,2 @@\n-a\n--bucket b\n", "@@ -1,2 +1,2 @@\na\n--bucket b\n"),
            ("+a\n+ b\n", "a\n b\n"),
        ] {
            assert_eq!(cut(text), plain, "{text}");
            let (text, plain) = (in_json(text), in_json(plain));
            assert_eq!(cut(&text), plain, "{text}");
            assert!(stands_in(Lanes::best(), text.as_bytes()), "{text}");
            assert_eq!(cut(&in_json(&text)), in_json(&plain), "{text}");
        }
    }

    #[test]
    fn other_lines_stay() {
        for text in [
            "1\ta\n3\tb\n",
            "id\tname\n1\ta\n2\tb\n",
            " id | name\n----+-----\n 1 | a\n 2 | b\n",
            "12:30:45 a\n",
            "10.0.0.5:6379:a\ndb.acme.com:5432:shop:app:x\n",
            "arn:aws:sqs:us-east-1:123456789012:a",
            "https://a/b:80:c",
            "- a\n- b\n+ c\n- d\n",
            "+++ b/a.yml\n",
            "8080: a\n80: b\n",
            "2406:da12:4d5:7f00:a1b2:c3d4:e5f6:1\n2600:1f18::1\n",
            "@@ -1 +1 @@\n\n-----BEGIN X\n--bucket acme\n",
            "a-6-x\na-7-y\n",
            "1 | a | b |\n2 | c | d |\n",
            "x: \"1\" y\n2: \"z\"\n",
        ] {
            assert_eq!(cut(text), text);
        }
    }

    #[test]
    fn what_stands_in_files_is_found_however_they_are_shown() {
        let file = "env:\n  - name: DB_PASSWORD\n    value: \"Tr0ub4dor-3xKq\"\n  - name: AWS_SECRET_ACCESS_KEY\n    value: \
                    8hG2kPq0ZrT5vXy1LmN4bWc7DfJ9sAeU6iOoQ3tR\ndb_password: q7Rt_92bVxLm0a\n";
        let shown = |before: &dyn Fn(usize) -> String| -> String {
            file.lines().enumerate().map(|(i, line)| format!("{}{line}\n", before(i + 1))).collect()
        };
        for text in [
            file.to_owned(),
            shown(&|i| format!("{i:6}→")),
            shown(&|i| format!("{i}\t")),
            shown(&|i| format!("{i} | ")),
            shown(&|i| format!("{i}:")),
            shown(&|i| format!("deploy/app.yaml:{i}:")),
            shown(&|i| format!("app.yaml{0}{i}{0}", if i == 2 { ":" } else { "-" })),
            shown(&|_| "+".to_owned()),
            format!("@@ -1,6 +1,6 @@\n{}", shown(&|i| if i > 3 { "-" } else { "+" }.to_owned())),
        ] {
            for text in [&text, &in_json(&text), &in_json(&in_json(&text))] {
                let found: Vec<_> = found(text).into_iter().map(|(_, part)| part).collect();
                let secrets = ["Tr0ub4dor-3xKq", "8hG2kPq0ZrT5vXy1LmN4bWc7DfJ9sAeU6iOoQ3tR", "q7Rt_92bVxLm0a"];
                assert_eq!(found, secrets, "{text}");
            }
        }
    }

    #[test]
    fn the_names_of_files_are_masked_on_every_line() {
        let id = "i-0ab12cd34ef56ab78";
        let text = format!("{id}.json:3:x\n{id}.json:4:y\nlogs/{id}-1:5:z\nlogs/{id}-1:6:{id}\n");
        for text in [&text, &in_json(&text)] {
            assert_eq!(found(text).iter().filter(|(_, part)| *part == id).count(), 5, "{text}");
        }
        // A key without an end takes the first of them for its own.
        let text = format!("-----BEGIN PRIVATE KEY-----\n{id}/x.yml:19:a\n{id}/x.yml:20:b\n");
        let found = found(&text);
        assert_eq!(found.iter().filter(|(_, part)| part.contains(id)).count(), 2, "{found:?}");
    }

    proptest! {
        #[test]
        fn cuts_are_in_order_and_seen_at_first_sight(pieces in prop::collection::vec(prop::sample::select(&[
            "1", "2", "12", " ", "\t", "\\t", "→", "\\u2192", ":", "-", "+", "@@ -1 +1 @@", "a/b", "c.tf", "\n", "\\n", "\\\\n",
            "\"", "\\\"", "|", "x",
        ][..]), 0..40)) {
            let text = pieces.concat();
            let cuts = cuts(Lanes::best(), text.as_bytes());
            let mut end = 0;
            for cut in &cuts {
                prop_assert!(end <= cut.range.start && cut.range.start < cut.range.end && cut.range.end <= text.len());
                end = cut.range.end;
            }
            prop_assert!(cuts.is_empty() || stands_in(Lanes::best(), text.as_bytes()), "{text}");
        }
    }
}
