//! What tools print before each line of a file: its number, the file's name, the sign of a diff.
//!
//! An agent sends files as its tools show them: `     7→  value: "x"`, `deploy.yaml:7:  value: "x"`, `+  value: "x"`. The
//! rules know how files are written; a [`super::view::View`] leaves out what stands before their lines.

use std::ops::Range;

use once_cell::sync::OnceCell;

use super::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use super::line::{break_at, break_before};
use super::sieve::{Class, Lanes, Row, Sieve};
use super::word_list::WordList;

/// Most digits of a line's number.
const MAX_DIGITS: usize = 6;
/// Most blanks before it.
const MAX_BLANKS: usize = 8;
/// Longest name of a file, bytes.
const MAX_PATH: usize = 240;
/// `→`, which Claude Code puts behind the number.
const ARROW: &[u8] = "\u{2192}".as_bytes();
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
pub(super) struct Cut {
    pub(super) range: Range<usize>,
    pub(super) put: Vec<u8>,
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
    /// A sign of a line of a diff whose head was met.
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
    /// Where the line stands among all.
    ordinal: usize,
    start: usize,
    end: usize,
    sign: Sign,
    number: usize,
}

/// False for most texts without lines that have something before them.
pub(super) fn may_stand_in(lanes: Lanes, text: &[u8]) -> bool {
    let mut found = false;
    sieve().each(lanes, text, |at| {
        found = found || is_sign(text, at);
        if found { text.len() } else { at + 1 }
    });
    found
}

/// What must stand around a byte that ends, or begins, what stands before a line.
fn sieve() -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| {
        let digit = Class::of(|c| c.is_ascii_digit());
        Sieve::new(vec![
            Row::at(b"0123456789").next(Class::bytes(&ARROW[..1])).second(Class::bytes(&ARROW[1..2])),
            Row::at(b"\\").before(digit).next(Class::bytes(b"t\\")),
            Row::at(b"\t:").before(digit),
            Row::at(b" ").before(digit).next(Class::bytes(b"|")).second(Class::bytes(b" ")),
            Row::at(b"+").before(Class::bytes(b"n\n\"")),
            Row::at(b"@").next(Class::bytes(b"@")).second(Class::bytes(b" ")),
        ])
    })
}

/// True when a byte that the sieve lets through belongs to a sign.
fn is_sign(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'+' => begins_line(text, at),
        b'@' => begins_line(text, at) && is_head(&text[at..]),
        c => {
            let at = if c.is_ascii_digit() { at + 1 } else { at };
            let digits = run_start(text, at, MAX_DIGITS, |c| c.is_ascii_digit());
            let blanks = run_start(text, digits, MAX_BLANKS, |c| c == b' ');
            digits < at && (begins_line(text, blanks) || c == b':' && text[..digits].ends_with(b":"))
        }
    }
}

fn begins_line(text: &[u8], at: usize) -> bool {
    at == 0 || text[at - 1] == b'"' || break_before(text, at).is_some()
}

/// True for `@@ -1,3 +1,4 @@`.
fn is_head(line: &[u8]) -> bool {
    matches!(line, [b'@', b'@', b' ', b'-', digit, ..] if digit.is_ascii_digit())
}

/// What to leave out of a text, in order.
pub(super) fn cuts(text: &[u8]) -> Vec<Cut> {
    let marks = marks(text);
    let mut cuts = Vec::new();
    let mut rest = marks.as_slice();
    while let [first, behind @ ..] = rest {
        let pairs = std::iter::once(first).chain(behind).zip(behind);
        let len = 1 + pairs.take_while(|(mark, next)| mark.is_followed_by(next, text)).count();
        let (run, behind) = rest.split_at(len);
        if is_believed(text, run) {
            let is_known = |i: usize| i > 0 || cuts_behind(text, first, &marks, rest.len());
            cuts.extend(run.iter().enumerate().map(|(i, mark)| mark.cut(text, is_known(i))));
        }
        rest = behind;
    }
    cuts
}

/// True when the run before `first`, of which `left` marks were not looked at, is of lines of the same file: `--` stands
/// between the two.
fn cuts_behind(text: &[u8], first: &Mark, marks: &[Mark], left: usize) -> bool {
    let before = marks.len().checked_sub(left + 1).map(|i| &marks[i]);
    before.is_some_and(|before| before.ordinal + 2 >= first.ordinal && before.is_of_file(first, text))
}

/// Whether what stands before the lines of a run was put there by a tool.
fn is_believed(text: &[u8], run: &[Mark]) -> bool {
    let [first, ..] = run else { return false };
    match &first.sign {
        Sign::OfHunk | Sign::Number(Divider::Arrow) => true,
        Sign::Plus | Sign::Number(Divider::Colon) => run.len() > 1,
        // The first column of a table has its heading.
        Sign::Number(divider) => run.len() > 1 && !has_columns(text, first.start, *divider),
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

impl Mark {
    fn is_followed_by(&self, next: &Self, text: &[u8]) -> bool {
        let is_next = next.ordinal == self.ordinal + 1;
        is_next
            && match (&self.sign, &next.sign) {
                (Sign::OfHunk, Sign::OfHunk) | (Sign::Plus, Sign::Plus) => true,
                (Sign::Number(Divider::Colon), Sign::Number(Divider::Colon)) => next.number > self.number,
                (Sign::Number(divider), Sign::Number(other)) => divider == other && next.number == self.number + 1,
                _ => self.is_of_file(next, text),
            }
    }

    /// True for a later line of the same file.
    fn is_of_file(&self, next: &Self, text: &[u8]) -> bool {
        match (&self.sign, &next.sign) {
            (Sign::File { path, .. }, Sign::File { path: other, .. }) => {
                next.number > self.number && text[path.clone()] == text[other.clone()]
            }
            _ => false,
        }
    }

    /// The cut before this line. The name of a file, which may be somebody's, becomes a line of its own once.
    fn cut(&self, text: &[u8], is_known: bool) -> Cut {
        match &self.sign {
            Sign::File { path, .. } if !is_known => {
                Cut { range: path.end..self.end, put: line_break(text, self.start, self.end) }
            }
            _ => Cut { range: self.start..self.end, put: Vec::new() },
        }
    }
}

/// A line break as the text has it around the line that begins at `start`.
fn line_break(text: &[u8], start: usize, from: usize) -> Vec<u8> {
    if let Some(at) = break_before(text, start) {
        return text[at..start].to_vec();
    }
    if let [.., b'"'] = text[..start] {
        let slashes = start - 1 - run_start(text, start - 1, MAX_BACKSLASHES, |c| c == b'\\');
        return [vec![b'\\'; slashes + 1], vec![b'n']].concat();
    }
    let next = memchr::memchr2(b'\n', b'\\', &text[from..]).map(|at| from + at);
    let next = next.and_then(|at| break_at(text, at).map(|(_, end)| text[at..end].to_vec()));
    next.unwrap_or_else(|| vec![b'\n'])
}

/// Every line that may have something before it.
fn marks(text: &[u8]) -> Vec<Mark> {
    let mut lines = Lines { text, marks: Vec::new(), ordinal: 0, is_in_hunk: false };
    lines.begin(0);
    // The backslashes of the last break, which say how deep the string is that it stands in.
    let mut slashes = 0;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr3(b'\n', b'\\', b'"', rest)) {
        at += next;
        if let Some((_, next)) = break_at(text, at) {
            slashes = memchr::memchr(b'n', &text[at..next]).unwrap_or(0);
            lines.ordinal += 1;
            lines.begin(next);
            at = next;
            continue;
        }
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        if text.get(end) == Some(&b'"') {
            let is_end = end - at < slashes;
            if is_end {
                // Nothing goes on from one string to another.
                lines.ordinal += 2;
                (lines.is_in_hunk, slashes) = (false, 0);
            }
            lines.begin_string(end + 1);
        }
        at = end + 1;
    }
    lines.marks
}

/// The lines of a text, as far as they were met.
struct Lines<'t> {
    text: &'t [u8],
    marks: Vec<Mark>,
    ordinal: usize,
    is_in_hunk: bool,
}

impl Lines<'_> {
    fn begin(&mut self, start: usize) {
        let line = &self.text[start..];
        if self.is_in_hunk && matches!(line, [b'+' | b'-' | b' ', ..]) {
            self.mark(start, Sign::OfHunk, 0, start + 1);
            return;
        }
        // An empty line, and `\ No newline at end of file`, are of the hunk.
        self.is_in_hunk &= matches!(line, [b'\n' | b'\r' | b'\\', ..]);
        self.begin_string(start);
    }

    /// At a quote, which may open a string.
    fn begin_string(&mut self, start: usize) {
        if is_head(&self.text[start..]) {
            self.is_in_hunk = true;
        } else if let Some((sign, number, end)) = sign(self.text, start) {
            self.mark(start, sign, number, end);
        }
    }

    fn mark(&mut self, start: usize, sign: Sign, number: usize, end: usize) {
        self.marks.push(Mark { ordinal: self.ordinal, start, end, sign, number });
    }
}

/// What stands before the line at `start`, the number in it, and where the line itself begins.
fn sign(text: &[u8], start: usize) -> Option<(Sign, usize, usize)> {
    if let [b'+', next, ..] = &text[start..]
        && *next != b'+'
    {
        return Some((Sign::Plus, 0, start + 1));
    }
    let digits = run_end(text, start, MAX_BLANKS, |c| c == b' ');
    if let Some((number, end)) = number(text, digits) {
        let rest = &text[end..];
        let (divider, len) = match rest {
            [b'\t', ..] => (Divider::Tab, 1),
            [b':', ..] if digits == start => (Divider::Colon, 1),
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

/// The number at `at`, and where it ends.
fn number(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = run_end(text, at, MAX_DIGITS, |c| c.is_ascii_digit());
    let number = text.get(at..end)?.iter().fold(0, |number, c| number * 10 + usize::from(c - b'0'));
    (end > at && !text.get(end).is_some_and(u8::is_ascii_digit)).then_some((number, end))
}

/// The name of a file at `start`, the number of the line in it, and where the line begins: `a/b.yml:12:`, `a/b.yml-11-`.
fn file(text: &[u8], start: usize) -> Option<(Sign, usize, usize)> {
    let stop =
        run_end(text, start, MAX_PATH, |c| is_alnum(c) || matches!(c, b'.' | b'_' | b'-' | b'/' | b'+' | b'@' | b'~'));
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

fn is_file(path: &[u8]) -> bool {
    let ending = memchr::memrchr(b'.', path).map(|dot| &path[dot + 1..]);
    path.len() > 1 && (path.contains(&b'/') || ending.is_some_and(|ending| ENDINGS.contains_in_any_case(ending)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detect::testing::{found, in_json};

    fn cut(text: &str) -> String {
        let (mut out, mut copied) = (Vec::new(), 0);
        for cut in cuts(text.as_bytes()) {
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
            ("+a\n+ b\n", "a\n b\n"),
        ] {
            assert_eq!(cut(text), plain, "{text}");
            let (text, plain) = (in_json(text), in_json(plain));
            assert_eq!(cut(&text), plain, "{text}");
            assert!(may_stand_in(Lanes::best(), text.as_bytes()), "{text}");
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
            "a-6-x\na-7-y\n",
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

    proptest! {
        #[test]
        fn cuts_are_in_order_and_seen_at_first_sight(pieces in prop::collection::vec(prop::sample::select(&[
            "1", "2", "12", " ", "\t", "\\t", "→", "\\u2192", ":", "-", "+", "@@ -1 +1 @@", "a/b", "c.tf", "\n", "\\n", "\\\\n",
            "\"", "\\\"", "|", "x",
        ][..]), 0..40)) {
            let text = pieces.concat();
            let cuts = cuts(text.as_bytes());
            let mut end = 0;
            for cut in &cuts {
                prop_assert!(end <= cut.range.start && cut.range.start < cut.range.end && cut.range.end <= text.len());
                end = cut.range.end;
            }
            prop_assert!(cuts.is_empty() || may_stand_in(Lanes::best(), text.as_bytes()), "{text}");
        }
    }
}
