//! Values that stand in the line below what announces them: `password: |`, `DB_PASSWORD=\` of a shell, `- --password` in a list
//! of words, one a line; and in such a list of one line.

use crate::detect::setting::context::skip_space;
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};
use crate::detect::text::line::whole_break_at;

/// Most blanks before a line.
const MAX_INDENT: usize = 64;
/// How far before an item the bracket of its list may stand, bytes.
const MAX_LIST: usize = 1024;
/// Longest word of a list.
const MAX_WORD: usize = 256;

/// Where the value begins in the line below that of the key at `key`, if nothing but the sign for such a value stands at `at`,
/// or nothing at all where it `may_be_bare`.
pub(in crate::detect) fn value_below(text: &[u8], key: usize, at: usize, may_be_bare: bool) -> Option<usize> {
    let end = match text.get(at)? {
        // `|`, `>-`, `|2`
        b'|' | b'>' => run_end(text, at + 1, 2, |c| matches!(c, b'-' | b'+') || c.is_ascii_digit()),
        b'\\' => match past_continuation(text, at) {
            Some(next) => return Some(run_end(text, next, MAX_INDENT, |c| c == b' ')),
            None => at,
        },
        _ => at,
    };
    if end == at && !may_be_bare {
        return None;
    }
    let (_, line) = whole_break_at(text, run_end(text, end, MAX_INDENT, |c| c == b' '))?;
    let value = run_end(text, line, MAX_INDENT, |c| c == b' ');
    let outer = key - run_start(text, key, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
    (value - line > outer).then_some(value)
}

/// Where the next line begins, behind a backslash before the break: in a string of JSON it is two, and the break one more.
fn past_continuation(text: &[u8], at: usize) -> Option<usize> {
    let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let own = match text.get(end)? {
        b'\n' | b'\r' => end - at,
        b'n' | b'r' => (end - at) / 3 * 2,
        _ => return None,
    };
    let depth_fits = own.is_power_of_two() && (own == end - at || own / 2 * 3 == end - at);
    depth_fits.then(|| whole_break_at(text, at + own)).flatten().map(|(_, next)| next)
}

/// Where the next item of a list begins whose item `start..end` is an option.
pub(in crate::detect) fn next_item(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let open = run_start(text, start, 1, |c| matches!(c, b'"' | b'\''));
    let slashes = run_start(text, open, MAX_BACKSLASHES, |c| c == b'\\');
    let close = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    let is_quoted = open < start && close - end == open - slashes && text.get(close) == text.get(open);
    let behind = if is_quoted { close + 1 } else { end };
    if is_quoted && text.get(behind) == Some(&b',') {
        let from = slashes.saturating_sub(MAX_LIST);
        let bracket = memchr::memrchr2(b'[', b'(', &text[from..slashes])?;
        let item = skip_space(text, behind + 1);
        let quote = run_end(text, item, MAX_BACKSLASHES, |c| c == b'\\');
        let is_string = matches!(text.get(quote), Some(b'"' | b'\''));
        return (text[from + bracket] == b'[' && is_string).then_some(item);
    }
    let item = if is_quoted { slashes } else { start };
    if !text[..item].ends_with(b"- ") {
        return None;
    }
    let (_, line) = whole_break_at(text, behind)?;
    let dash = run_end(text, line, MAX_INDENT, |c| c == b' ');
    text[dash..].starts_with(b"- ").then_some(dash + 2)
}

/// True for an item that is an option itself, or more than one word.
pub(in crate::detect) fn is_no_argument(text: &[u8], item: usize) -> bool {
    let start = run_end(text, item, MAX_BACKSLASHES + 1, |c| matches!(c, b'\\' | b'"' | b'\''));
    let end = run_end(text, start, MAX_WORD, |c| c.is_ascii_graphic() && !matches!(c, b'\\' | b'"' | b'\''));
    text.get(start) == Some(&b'-') || text.get(end) == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn values_in_the_next_line() {
        for text in [
            "db_password: |\n  Tr0ub4dor-3xKq\n",
            "db_password: >-\n    Tr0ub4dor-3xKq\nport: 1\n",
            "db:\n- password: |2-\n      Tr0ub4dor-3xKq\n",
            "password:\n  Tr0ub4dor-3xKq\n",
            "password:\r\n  Tr0ub4dor-3xKq\r\n",
            "export DB_PASSWORD=\\\nTr0ub4dor-3xKq\n",
            "DB_PASSWORD=\\\r\n  Tr0ub4dor-3xKq ./run\n",
            "apiVersion: v1\nkind: Secret\nstringData:\n  x: |\n    Tr0ub4dor-3xKq\n",
            "apiVersion: v1\r\nkind: Secret\r\nstringData:\r\n  x: Tr0ub4dor-3xKq\r\n",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")], "{text}");
        }
        for text in [
            "password: |\nTr0ub4dor-3xKq\n",
            "password:\n  min_length: 8\n",
            "password:\n  must have 8 signs\n",
            "  password:\n  Tr0ub4dor-3xKq\n",
            "bucket:\n  acme-logs-7\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn options_and_their_arguments_in_lists() {
        for text in [
            "args:\n  - --db-password\n  - Tr0ub4dor-3xKq\n",
            "args:\r\n- --db-password\r\n- 'Tr0ub4dor-3xKq'\r\n",
            "args:\n- \"--db-password\"\n- \"Tr0ub4dor-3xKq\"\n- \"--port\"\n",
            "CMD [\"app\", \"--db-password\", \"Tr0ub4dor-3xKq\"]",
            "{\"command\": [\n  \"--db-password\",\n  \"Tr0ub4dor-3xKq\"\n]}",
        ] {
            assert_eq!(parts(text), ["Tr0ub4dor-3xKq"], "{text}");
        }
        assert_eq!(parts("args:\n- --bucket\n- acme-raw-drop\n"), ["acme-raw-drop"]);
        for text in [
            "args:\n- --password\n- --db-host1\n",
            "args:\n- --password\nTr0ub4dor-3xKq\n",
            "parser.add_argument(\"--password\", \"db_passw0rd\")",
            "[\"--password\", \"the password, of 8 signs\"]",
            "[\"--password\", dest]",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
