//! What stands around a bare value and says whether it is one: the line of a file of settings, a record in one line, or the
//! code of a program.

use crate::detect::setting::variable::MAX_VARIABLE;
use crate::detect::text::boundary::{
    MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start, word_start,
};
use crate::detect::text::line::{break_before, line_start};

/// How far before a member of a record a bracket may stand, bytes.
const MAX_RECORD: usize = 256;
/// How far before a setting the head of its section may stand, bytes.
const MAX_SECTION: usize = 1024;
/// Longest name of a project, and most blanks before it.
const MAX_NAMESPACE: usize = 64;
const MAX_INDENT: usize = 16;

/// True for the colon at `colon` of a key with the name of its project or provider, in a stack file of Pulumi, whose sign
/// stands at `at`: `  app:bucketName: acme-logs`.
pub(in crate::detect) fn is_namespaced(text: &[u8], colon: usize, at: usize) -> bool {
    let run = run_start(text, colon, MAX_NAMESPACE, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
    let start = word_start(text, run);
    let line = run_start(text, start, MAX_INDENT, |c| c == b' ');
    text.get(at + 1).is_some_and(|&c| c == b' ' || c == b'\n' || c == b'\\')
        && text.get(start).is_some_and(u8::is_ascii_alphabetic)
        && start < colon
        && start - line >= 2
        && (line == 0 || break_before(text, line).is_some())
}

/// True when the value `at..end` ends a line of the kind that a file of settings in sections has: nothing but such lines
/// and comments stand between it and the head of its section, `[storage]`.
pub(in crate::detect) fn is_ini_line(text: &[u8], at: usize, end: usize) -> bool {
    if !ends_line(text, end) && !ends_string(text, end) {
        return false;
    }
    let floor = at.saturating_sub(MAX_SECTION);
    let mut start = line_start(text, at);
    while let Some(end) = break_before(text, start).filter(|&end| end > floor) {
        start = line_start(text, end);
        let line = text[start..end].trim_ascii();
        let line = match line {
            [line @ .., b'\\', b'r'] => &line[..run_start(line, line.len(), MAX_BACKSLASHES, |c| c == b'\\')],
            line => line,
        };
        // A string of JSON may begin with it.
        let head = line.strip_suffix(b"]").and_then(|line| Some((line, line.iter().rposition(|&c| c == b'[')?)));
        match (line, head) {
            (_, Some((line, open))) if line[..open].last().is_none_or(|&c| c == b'"') => {
                return line[open + 1..].iter().all(|&c| is_alnum(c) || matches!(c, b' ' | b'-' | b'_' | b'.' | b':'));
            }
            ([] | [b'#' | b';', ..], _) => {}
            _ if line.contains(&b'=') && !line.ends_with(b"{") => {}
            _ => return false,
        }
    }
    false
}

/// True for a value that ends at `end` in a record that is written in one line: `Username: APP_RW, Port: 1521, Engine: oracle`.
/// Of a program there are brackets around it.
pub(in crate::detect) fn is_of_record(text: &[u8], key: usize, end: usize) -> bool {
    let Some(rest) = text[end..].strip_prefix(b", ") else { return false };
    let next = rest.iter().take_while(|&&c| is_alnum(c)).count();
    let brackets = |c: u8| matches!(c, b'{' | b'(' | b'[');
    let start = run_start(text, key, MAX_RECORD, |c| c != b'\n' && !brackets(c));
    rest.first().is_some_and(u8::is_ascii_uppercase)
        && next > 1
        && rest[next..].starts_with(b": ")
        && !text[..start].last().is_some_and(|&c| brackets(c))
}

/// True for a value `at..end` with another variable of an environment behind it. One in small letters with capitals
/// inside is a variable of a program: `{ QUEUE_NAME: ordersQueue, TABLE_NAME: … }`.
pub(in crate::detect) fn is_before_constant(text: &[u8], at: usize, end: usize) -> bool {
    let is_constant = |c: u8| c.is_ascii_uppercase() || c == b'_' || c.is_ascii_digit();
    let of_program = text[at].is_ascii_lowercase() && !text[at..end].iter().any(|c| matches!(c, b'-' | b'_'));
    let Some(rest) = text[end..].strip_prefix(b", ").filter(|_| !of_program) else { return false };
    let next = run_end(rest, 0, MAX_VARIABLE, is_constant);
    next > 1 && rest[next..].starts_with(b": ")
}
