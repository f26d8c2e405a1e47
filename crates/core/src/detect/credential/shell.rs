//! The words of a command behind its name, as a shell has them, `curl -u "a:b" x`, and as lists that programs start one
//! from have them, `["curl", "-u", "a:b", "x"]`. A command ends where its line, its string or its list does.

use crate::detect::setting::context::skip_space;
use crate::detect::setting::value::{Value, whole_quoted};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end};
use crate::detect::text::line::break_at;

/// Longest command that is looked at.
const MAX_COMMAND: usize = 4096;
/// Letters before the quote of `f"…"`, in a list.
const MAX_PREFIX: usize = 2;

/// The words of one command, in order.
pub(in crate::detect) struct Words<'t> {
    text: &'t [u8],
    at: usize,
    limit: usize,
    is_list: bool,
    /// Brackets that are open: what stands in `$(…)` ends no command.
    open: usize,
    /// Most backslashes before a quote so far: with fewer, one ends the string around the command.
    slashes: usize,
}

/// What stands at a place of a command.
enum Sign {
    /// What is between words, up to here.
    Space(usize),
    /// A quote, behind so many backslashes.
    Quote(u8, usize),
    /// Part of a word, up to here.
    Part(usize),
    /// The end of the command.
    End,
}

impl<'t> Words<'t> {
    /// Those behind the name that ends at `from`, if that is one of a command.
    pub(in crate::detect) fn behind(text: &'t [u8], from: usize) -> Option<Self> {
        let is_program = text.get(from..from + 4).is_some_and(|end| end.eq_ignore_ascii_case(b".exe"));
        let from = if is_program { from + 4 } else { from };
        // Short names have their blank with them.
        let from = if text[..from].ends_with(b" ") { from - 1 } else { from };
        let limit = text.len().min(from + MAX_COMMAND);
        let words = Self { text, at: from, limit, is_list: false, open: 0, slashes: 0 };
        match words.sign(from, 0) {
            Sign::Space(_) => Some(words),
            Sign::Quote(_, slashes) => {
                let behind = from + slashes + 1;
                let is_list = text.get(skip_space(text, behind)) == Some(&b',');
                is_list.then_some(Self { at: behind, is_list, ..words })
            }
            _ => (text.get(from) == Some(&b',')).then_some(Self { is_list: true, ..words }),
        }
    }

    /// How far the command was read.
    pub(in crate::detect) fn read_to(&self) -> usize {
        self.at
    }

    /// True where each word is in quotes of its own, whatever it says.
    pub(in crate::detect) fn is_list(&self) -> bool {
        self.is_list
    }

    /// What stands at `at`, in a word that has `len` bytes before it.
    fn sign(&self, at: usize, len: usize) -> Sign {
        let text = self.text;
        let end = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
        let slashes = end - at;
        // A break behind a backslash, which strings double: `\` and `\n` are three backslashes there.
        let goes_on = slashes.is_multiple_of(3) && (slashes / 3).is_power_of_two();
        match (slashes, text.get(end).copied()) {
            (_, None) => Sign::End,
            (_, Some(c @ (b'"' | b'\''))) => Sign::Quote(c, slashes),
            // `-p <password>`, of a manual, is one word.
            (0, Some(b'<')) if len == 0 && text.get(end + 1).copied().is_some_and(is_alnum) => Sign::Part(end + 1),
            (0, Some(b' ' | b'\t' | b'\r' | b'<' | b'>')) => Sign::Space(end + 1),
            (0, Some(b'`' | b'^')) if len == 0 && end + 1 < text.len() => match break_at(text, end + 1) {
                Some((_, next)) => Sign::Space(next),
                None => Sign::End,
            },
            (0, Some(b'`' | b'\n')) => Sign::End,
            (1, Some(b'\n')) => Sign::Space(end + 1),
            (_, Some(b'n')) if goes_on => Sign::Space(end + 1),
            // So it is of two bytes.
            (1, Some(b'\r')) if text.get(end + 1) == Some(&b'\n') => Sign::Space(end + 2),
            (_, Some(b'r')) if goes_on => match break_at(text, (end + 1).min(text.len() - 1)) {
                Some((_, next)) => Sign::Space(next),
                None => Sign::Part(end + 1),
            },
            (1.., Some(b'r' | b't')) if slashes.is_power_of_two() => Sign::Space(end + 1),
            (1.., Some(b'n')) if slashes.is_power_of_two() => Sign::End,
            (0, Some(b';' | b'|')) if self.open == 0 => Sign::End,
            // A bare URL may have one.
            (0, Some(b'&'))
                if self.open == 0 && matches!(text.get(end + 1), None | Some(b'&' | b' ' | b'\n' | b'\\')) =>
            {
                Sign::End
            }
            (0, Some(b')')) if self.open == 0 => Sign::End,
            (_, Some(c)) if !c.is_ascii() => Sign::Space(end + 1),
            (_, Some(c)) if c.is_ascii_control() => Sign::End,
            (_, Some(_)) => Sign::Part(end + 1),
        }
    }

    /// True where a quote at `at`, in the word that begins at `start`, opens something.
    fn opens(&self, start: usize, at: usize, quote: u8, slashes: usize) -> bool {
        let text = self.text;
        if quote == b'"' && (slashes < self.slashes || ends_string(text, at)) {
            return false;
        }
        match text[start..at] {
            [] | [.., b'=' | b':' | b',' | b'@' | b'$'] | [b'-', _] => true,
            // `https://x.io/"$ID"`, `'{"a": "'"$X"'"}'`: nothing goes on behind what closes the string around.
            _ => {
                let behind = at + slashes + 1;
                let is_last = |&c: &u8| c.is_ascii_whitespace() || matches!(c, b',' | b')' | b']' | b'}' | b';' | b':');
                let before_next = run_end(text, behind, MAX_BACKSLASHES, |c| c == b'\\') - behind;
                let follows_piece = matches!(text[at - 1], b'"' | b'\'');
                let is_closed = (before_next < self.slashes || !follows_piece) && ends_string(text, behind);
                let is_last = text.get(behind).is_none_or(is_last) || ends_line(text, behind) || is_closed;
                !(is_last || quote == b'\'' && self.is_apostrophe(at))
            }
        }
    }

    /// True inside a word of a sentence: `doesn't`.
    fn is_apostrophe(&self, at: usize) -> bool {
        let is_letter = |c: &u8| c.is_ascii_alphabetic();
        self.text[..at].last().is_some_and(is_letter) && self.text.get(at + 1).is_some_and(is_letter)
    }

    /// The quoted piece at `at`, if it ends where the command may.
    fn piece(&self, at: usize) -> Option<Value> {
        whole_quoted(self.text, at).filter(|found| found.next <= self.limit)
    }

    /// The next word of a shell.
    fn of_shell(&mut self) -> Option<Value> {
        let mut start = self.at;
        while start < self.limit
            && let Sign::Space(next) = self.sign(start, 0)
        {
            start = next;
        }
        let (mut at, mut quoted) = (start, None);
        while at < self.limit {
            match self.sign(at, at - start) {
                Sign::Space(_) => break,
                Sign::Part(next) => {
                    match self.text[next - 1] {
                        b'(' => self.open += 1,
                        b')' => self.open = self.open.saturating_sub(1),
                        _ => {}
                    }
                    at = next;
                }
                Sign::Quote(quote, slashes) if self.opens(start, at, quote, slashes) => match self.piece(at) {
                    Some(piece) => {
                        if quote == b'"' {
                            self.slashes = slashes;
                        }
                        quoted = Some(piece).filter(|_| at == start);
                        at = piece.next;
                    }
                    // Somebody forgot the other one.
                    None => at += slashes + 1,
                },
                Sign::Quote(b'\'', 0) if at > start && self.is_apostrophe(at) => at += 1,
                Sign::Quote(..) | Sign::End => self.limit = at,
            }
        }
        self.at = at;
        let end = at;
        let word = match quoted.filter(|piece| piece.next == end) {
            Some(piece) => piece,
            None => Value { start, end, next: end, quoted: false },
        };
        // What a comment says is no word.
        (end > start && (word.quoted || self.text[start] != b'#')).then_some(word)
    }

    /// The next item of a list.
    fn of_list(&mut self) -> Option<Value> {
        let text = self.text;
        let comma = skip_space(text, self.at);
        if text.get(comma) != Some(&b',') || comma >= self.limit {
            return None;
        }
        let at = skip_space(text, comma + 1);
        if at == text.len() {
            return None;
        }
        let prefix = run_end(text, at, MAX_PREFIX, is_alnum);
        let quoted = self.piece(prefix).or_else(|| self.piece(at));
        let word = quoted.unwrap_or_else(|| {
            let is_part = |c: u8| c.is_ascii_graphic() && !b",]})\"'`;\\".contains(&c);
            let end = run_end(text, at, MAX_COMMAND, is_part);
            Value { start: at, end, next: end, quoted: false }
        });
        self.at = word.next;
        Some(word)
    }
}

impl Iterator for Words<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        if self.is_list { self.of_list() } else { self.of_shell() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::in_json;

    fn words(text: &str, name: &str) -> Vec<String> {
        let from = text.find(name).unwrap() + name.len();
        let found = Words::behind(text.as_bytes(), from).into_iter().flatten();
        found.map(|word| text.get(word.start..word.end).unwrap().to_owned()).collect()
    }

    #[test]
    fn words_of_commands() {
        for (text, expected) in [
            ("curl -u a:b x\ncurl y", &["-u", "a:b", "x"][..]),
            ("curl -u 'a b' -H \"c: d\" x", &["-u", "a b", "-H", "c: d", "x"]),
            ("curl -s \\\n  -u a:b \\\r\n x", &["-s", "-u", "a:b", "x"]),
            ("curl -s `\n -u a:b", &["-s", "-u", "a:b"]),
            ("curl.exe -u a:b", &["-u", "a:b"]),
            ("curl x && docker -u 1:1", &["x"]),
            ("curl x; y", &["x"]),
            ("curl x | y", &["x"]),
            ("curl x?a=1&b=2 -v", &["x?a=1&b=2", "-v"]),
            ("curl -d $(cat x | y) -v", &["-d", "$(cat", "x", "|", "y)", "-v"]),
            ("x=$(curl -u a:b x) y", &["-u", "a:b", "x"]),
            ("ssh h \"curl -u a:b x\" y", &["-u", "a:b", "x"]),
            ("ssh h 'curl -u \"a:b\"' y", &["-u", "a:b"]),
            ("run `curl -u a:b x` y", &["-u", "a:b", "x"]),
            ("curl -d '{\"a\": \"'\"$X\"'\"}' -v", &["-d", "'{\"a\": \"'\"$X\"'\"}'", "-v"]),
            ("[\"curl\", \"-u\", 'a:b', x, f\"y\"], \"z\"", &["-u", "a:b", "x", "y"]),
            ("exec.Command(\"curl\", \"-u\",\n\t\"a:b\")", &["-u", "a:b"]),
            ("[curl, -u, a:b]", &["-u", "a:b"]),
            ("ssh h 'curl -u a:b'", &["-u", "a:b"]),
            ("curl x # -u a:b", &["x"]),
            ("curl x/\"$ID\"/y -v", &["x/\"$ID\"/y", "-v"]),
            ("curl -H 'a -v", &["-H", "'a", "-v"]),
            ("curl doesn't take -v", &["doesn't", "take", "-v"]),
            ("curl -u <a:b> x > y", &["-u", "<a:b", "x", "y"]),
            ("curl.io is -u a:b", &[]),
        ] {
            assert_eq!(words(text, "curl"), expected, "{text}");
            let json = format!("{{\"a\": {}, \"b\": \" -u c:d\"}}", in_json(text));
            for json in [in_json(&json), json] {
                let found = words(&json, "curl");
                assert_eq!(found.len(), expected.len(), "{json}: {found:?}");
            }
        }
    }
}
