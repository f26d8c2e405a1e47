//! A name behind its noun, `the bucket called acme-logs`, and before it, `acme-logs 버킷`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::evidence::own::{has_hump, is_joined, is_long_name, is_own, is_own_word};
use crate::detect::evidence::told::{goes_on, has_small_word, is_of_service, is_path, is_told};
use crate::detect::prose::link::past_links;
use crate::detect::setting::value::{Setting, Value, is_believable};
use crate::detect::text::boundary::{
    MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start, word_start,
};
use crate::token::is_token_shaped;

/// Longest name.
const MAX_NAME: usize = 128;
/// Fewest characters of a name.
const MIN_NAME: usize = 4;
/// Words behind a name of three words that no compound has before it.
const BEHIND: &[&str] = &["bucket", "cluster", "queue", "role", "stack", "stream", "table", "topic"];

/// A noun, and what may be the name behind it.
#[derive(Clone, Copy)]
pub(in crate::detect) struct Named<'t> {
    pub(in crate::detect) text: &'t [u8],
    /// Where the noun begins and ends.
    pub(in crate::detect) noun_start: usize,
    pub(in crate::detect) noun_end: usize,
    /// Where the name does.
    pub(in crate::detect) start: usize,
    pub(in crate::detect) end: usize,
}

impl<'t> Named<'t> {
    pub(in crate::detect) fn noun(&self) -> &'t [u8] {
        &self.text[self.noun_start..self.noun_end]
    }

    /// What stands between the two: ` called `, `: "`.
    pub(in crate::detect) fn links(&self) -> &'t [u8] {
        &self.text[self.noun_end..self.start]
    }

    pub(in crate::detect) fn name(&self) -> &'t [u8] {
        &self.text[self.start..self.end]
    }

    pub(in crate::detect) fn goes_on(&self) -> bool {
        goes_on(self.text, self.end)
    }

    pub(in crate::detect) fn is_of_service(&self) -> bool {
        is_of_service(self.text, self.noun_start, self.noun_end, self.name())
    }

    /// True for a path where the noun is of what has paths for names.
    fn is_path(&self) -> bool {
        is_path(self.text, self.noun_start, self.noun_end, self.links(), self.name())
    }

    /// True for a path that no such noun stands before, `stream: llm/v1/chat`, and for a service's `web.config`.
    fn is_file(&self) -> bool {
        let name = self.name();
        name.contains(&b'/') && !name.contains(&b'-') && !self.is_path()
            || name.contains(&b'.') && self.noun().eq_ignore_ascii_case(b"service")
    }
}

impl Scan<'_, '_> {
    /// The name that follows the noun from `noun` to `at`.
    pub(in crate::detect) fn name_after(&mut self, noun: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let start = past_links(text, past_plural(text, noun, at))?;
        let quote = start.checked_sub(1).map(|i| text[i]).filter(|c| matches!(c, b'"' | b'\'' | b'`' | b'*'));
        let slashes = start - run_start(text, start.saturating_sub(1), MAX_BACKSLASHES, |c| c == b'\\');
        let stop = run_end(text, start, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.' | b'/'));
        let end = run_start(text, stop, stop - start, |c| matches!(c, b'.' | b'-' | b'/'));
        let close = run_end(text, stop, slashes - 1, |c| c == b'\\');
        let closed = quote.is_some_and(|quote| text.get(close) == Some(&quote)) && stop == end
            || closes_foreign_quote(text, start, stop);
        let found = Named { text, noun_start: noun, noun_end: at, start, end };
        let is_person = self.is_person(&found);
        // `Secrets Manager or SSM Parameter Store`
        let is_service = found.name() == b"Store" && found.noun().to_ascii_lowercase().ends_with(b"parameter");
        if is_service || found.name().len() < MIN_NAME || goes_on_as_code(text, stop, closed) || found.is_file() {
            return None;
        }
        // A word could be anything: the noun has to say that it is a name. What has a sign in it has to stand apart from
        // the sentence, in quotes or by what it is.
        let is_told = if is_joined(found.name()) {
            closed || quote.is_none() && self.is_apart(&found)
        } else {
            (closed || quote.is_none()) && (is_person || self.is_word_of(&found, closed))
        };
        let believed = is_told
            && (is_own_word(found.name()) || is_long_name(found.name()) && self.has_identifier(at))
            && !found.name().split(|c| matches!(c, b'/' | b'.' | b'-')).any(is_token)
            && is_believable(ValueShape::Name, found.name(), if is_person { Setting::Sure } else { Setting::Told })
            && self.prefixed_within(start, end).is_none();
        believed.then_some(Value { start, end, next: end, quoted: closed })
    }

    /// Whether a word without a sign is the name of what the noun says.
    fn is_word_of(&mut self, found: &Named<'_>, closed: bool) -> bool {
        found.is_path()
            || self.is_word_told(found, closed)
            || self.is_humped(found)
            || self.is_proper(found)
            || self.is_bucket_with_dots(found)
    }

    /// Whether a name of several words is no compound of the sentence, as in `the bucket-policy`.
    fn is_apart(&mut self, found: &Named<'_>) -> bool {
        is_told(found.links(), found.name())
            || found.goes_on()
            || found.is_of_service()
            || !has_small_word(found.name()) && self.has_identifier(found.noun_end)
    }

    /// The name that stands before words which begin at `at`: `the acme-raw-landing bucket`, `acme-logs 버킷`.
    pub(in crate::detect) fn name_before(&mut self, at: usize, words: &str) -> Option<Value> {
        let text = self.text;
        // `class="nav-content" role="search"`
        if words.is_ascii() && matches!(text.get(at + words.len()), Some(b'=' | b'(')) {
            return None;
        }
        let behind = text[..at].strip_suffix(b" ")?.len();
        let quote = text[..behind].last().filter(|c| matches!(c, b'"' | b'\'' | b'`')).copied();
        let end = match quote {
            Some(_) => run_start(text, behind - 1, MAX_BACKSLASHES, |c| c == b'\\'),
            None => behind,
        };
        let run = run_start(text, end, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.' | b'/'));
        let start = word_start(text, run).min(end);
        let name = &text[start..end];
        let before = start.checked_sub(1).map(|i| text[i]);
        let dashes = name.iter().filter(|&&c| c == b'-' || c == b'_').count();
        // `/acme/orders 로그 그룹`
        let is_path = name.first() == Some(&b'/') && words.starts_with("로그");
        let is_told = match quote {
            Some(quote) => before == Some(quote),
            // In English it may be one of the compounds that stand before nouns.
            None if words.is_ascii() => dashes >= 2 && BEHIND.contains(&words) && !has_small_word(name),
            None => (dashes >= 1 || is_path) && !has_small_word(name),
        };
        let is_alone = start > run
            || before.is_none_or(|c| matches!(c, b' ' | b'\n' | b'(' | b'"') || Some(c) == quote || !c.is_ascii());
        let believed = is_told
            && is_alone
            && name.len() >= MIN_NAME
            && (name[0].is_ascii_alphabetic() || name[0] == b'/')
            && is_alnum(name[name.len() - 1])
            && (is_own(name)
                || is_path && is_own_word(name)
                || quote.is_some() && has_hump(name) && self.has_identifier(at))
            && is_believable(ValueShape::Name, name, Setting::Told)
            && self.prefixed_within(start, end).is_none();
        believed.then_some(Value { start, end, next: end, quoted: quote.is_some() })
    }
}

/// True where what ends at `stop` is no word of a sentence: a call, an assignment, half of something in quotes.
fn goes_on_as_code(text: &[u8], stop: usize, closed: bool) -> bool {
    match text.get(stop) {
        Some(b'(' | b'=' | b'@' | b'{' | b'$' | b'%') => true,
        Some(b':') => text[stop..].starts_with(b"::"),
        Some(b'*') => !closed,
        Some(b'\\') => !closed && !ends_line(text, stop) && !ends_string(text, stop),
        _ => false,
    }
}

/// True for what stands from `start` to `end` in quotes of other languages.
fn closes_foreign_quote(text: &[u8], start: usize, end: usize) -> bool {
    const QUOTES: [(&str, &str); 6] = [("「", "」"), ("『", "』"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»")];
    QUOTES
        .iter()
        .any(|(open, close)| text[..start].ends_with(open.as_bytes()) && text[end..].starts_with(close.as_bytes()))
}

/// Past the `s` of a plural in English.
fn past_plural(text: &[u8], noun: usize, at: usize) -> usize {
    let is_plural = text[noun..at].is_ascii() && (text[at..].starts_with(b"s ") || text[at..].starts_with(b"s: "));
    if is_plural { at + 1 } else { at }
}

/// True for a token, also where another ARN begins right behind it.
fn is_token(word: &[u8]) -> bool {
    is_token_shaped(word.strip_suffix(b"arn").unwrap_or(word))
}
