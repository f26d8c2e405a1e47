//! The operator's own patterns and terms.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashSet;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::catalog::{Catalog, KindId};
use crate::detect::text::boundary::{follows_escape, is_alnum, run_end, run_start, word_start};
use crate::detect::{DetectorConfig, Finding, Hits, Part};
use crate::token::{LABEL_LEN, MAX_TOKEN_LEN, is_token_shaped};
use crate::{Error, Result};

/// A pattern of the operator.
#[derive(Clone, Debug, Deserialize)]
pub struct CustomPattern {
    /// Name for metrics and `scan`.
    pub name: String,
    /// What its tokens begin with.
    pub label: String,
    /// A regular expression in the syntax of the `regex` crate: linear time, no look-around.
    pub regex: String,
}

/// Most memory that one compiled pattern may take, bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;
/// How often a term may stand inside JSON inside JSON.
const MAX_JSON_DEPTH: usize = 3;
/// Label of tokens for `custom_terms`.
const TERM_LABEL: &str = "TERM";
/// Kind name of `custom_terms`.
const TERM_NAME: &str = "custom:term";

#[derive(Debug)]
struct Pattern {
    name: String,
    label: String,
    regex: Regex,
}

/// Compiled patterns and terms.
#[derive(Debug)]
pub(super) struct Custom {
    first: usize,
    patterns: Vec<Pattern>,
    terms: Option<AhoCorasick>,
}

impl Custom {
    pub(super) fn new(catalog: &Catalog, config: &DetectorConfig) -> Result<Self> {
        let mut patterns: Vec<Pattern> = Vec::new();
        for (i, pattern) in config.custom_patterns.iter().enumerate() {
            let place = format!("custom_patterns[{}]", i + 1);
            let pattern = compile(&place, pattern)?;
            check_clashes(&place, catalog, &patterns, &pattern)?;
            patterns.push(pattern);
        }
        let terms = if config.custom_terms.is_empty() { None } else { Some(compile_terms(&config.custom_terms)?) };
        Ok(Self { first: catalog.kinds().len(), patterns, terms })
    }

    fn pattern(&self, kind: KindId) -> Option<&Pattern> {
        self.patterns.get(kind.index().checked_sub(self.first)?)
    }

    pub(super) fn label(&self, kind: KindId) -> &str {
        self.pattern(kind).map_or(TERM_LABEL, |p| &p.label)
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|p| p.label.as_str()).chain([TERM_LABEL])
    }

    pub(super) fn name(&self, kind: KindId) -> &str {
        self.pattern(kind).map_or(TERM_NAME, |p| &p.name)
    }

    /// `has_label` knows what tokens begin with: a text that was masked before is not masked again.
    pub(super) fn scan(&self, text: &[u8], has_label: impl Fn(&[u8]) -> bool, hits: &mut Hits) {
        let mut hit = |index: usize, span: Range<usize>| {
            let kind = KindId::from_index(self.first + index);
            hits.findings.push(Finding { kind, span: span.clone() });
            hits.parts.push(Part { kind, span, is_name: false });
        };
        let plain_words = if self.patterns.is_empty() { None } else { plain_words(text) };
        for (index, pattern) in self.patterns.iter().enumerate() {
            pattern.each(text, plain_words.as_deref(), |span| {
                if token_around(text, span.clone(), &has_label).is_none() {
                    hit(index, span);
                }
            });
        }
        let Some(terms) = &self.terms else { return };
        for found in terms.find_overlapping_iter(text) {
            let span = found.range();
            if stands_alone(text, span.start, span.end)
                // A term that is the whole of it is meant all the same.
                && token_around(text, span.clone(), &has_label).is_none_or(|token| token == span)
            {
                hit(self.patterns.len(), span);
            }
        }
    }
}

impl Pattern {
    /// Every match in the text as it is, and in its [`plain_words`]. Where both overlap the match takes all, but not the
    /// letters of an escape before it: `\nacme-1` in JSON is a line break and `acme-1`.
    fn each(&self, text: &[u8], plain_words: Option<&[u8]>, mut each: impl FnMut(Range<usize>)) {
        let find = |text| self.regex.find_iter(text).map(|found| found.range()).filter(|span| !span.is_empty());
        let mut as_it_is = find(text).peekable();
        for mut span in plain_words.into_iter().flat_map(|words| find(words)) {
            while let Some(other) = as_it_is.next_if(|other| other.end <= span.start) {
                each(other);
            }
            while let Some(other) = as_it_is.next_if(|other| other.start < span.end) {
                let before = plain_words.and_then(|words| words.get(other.start..span.start)).unwrap_or_default();
                if before.iter().any(|&c| c != IN_ESCAPE) {
                    span.start = other.start;
                }
                span.end = span.end.max(other.end);
            }
            each(span);
        }
        as_it_is.for_each(each);
    }
}

/// What [`plain_words`] has for the letter of an escape: most are some kind of blank.
const IN_ESCAPE: u8 = b' ';
/// What it has for the bytes of other letters than ASCII's. Never a part of UTF-8, hence of no word.
const NO_LETTER: u8 = 0xff;

/// The text as a pattern with `\b` in it expects it: without letters that only seem to belong to the word beside them.
/// These are the `n` of `\n` in JSON, the `2F` of `%2F`, and the particle that Korean appends to a name. `None` where
/// there are none.
fn plain_words(text: &[u8]) -> Option<Vec<u8>> {
    let mut words: Option<Vec<u8>> = None;
    for at in memchr::memchr2_iter(b'\\', b'%', text) {
        let word = word_start(text, at + 1);
        if word > at + 1 {
            words.get_or_insert_with(|| text.to_vec())[at + 1..word].fill(IN_ESCAPE);
        }
    }
    if !text.is_ascii() {
        let words = words.get_or_insert_with(|| text.to_vec());
        words.iter_mut().filter(|c| !c.is_ascii()).for_each(|c| *c = NO_LETTER);
    }
    words
}

/// The token of some label in which `span` stands.
fn token_around(text: &[u8], span: Range<usize>, has_label: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let is_of_token = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
    if span.len() > MAX_TOKEN_LEN {
        return None;
    }
    let start = run_start(text, span.start, MAX_TOKEN_LEN, is_of_token);
    let end = run_end(text, span.end, MAX_TOKEN_LEN, is_of_token);
    let token = &text[start..end];
    let label = token.split(|&c| c == b'_').next()?;
    (is_token_shaped(token) && has_label(label)).then_some(start..end)
}

/// A term that begins or ends with a letter or digit does not count inside a longer word.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let left = !is_alnum(text[start]) || start == 0 || !is_alnum(text[start - 1]) || follows_escape(text, start);
    let right = !is_alnum(text[end - 1]) || text.get(end).is_none_or(|&c| !is_alnum(c));
    left && right
}

fn check_clashes(place: &str, catalog: &Catalog, others: &[Pattern], pattern: &Pattern) -> Result<()> {
    let Pattern { name, label, .. } = pattern;
    if catalog.find(name).is_some() || name == TERM_NAME || others.iter().any(|other| other.name == *name) {
        return Err(Error::Config(format!("{place}.name: `{name}` is taken; choose another")));
    }
    if let Some(kind) = catalog.kinds().iter().find(|kind| kind.label == label) {
        let name = kind.name;
        return Err(Error::Config(format!("{place}.label: `{label}` is the label of {name}; choose another")));
    }
    if label == TERM_LABEL {
        return Err(Error::Config(format!("{place}.label: `{label}` is the label of custom_terms; choose another")));
    }
    if let Some(other) = others.iter().position(|other| other.label == *label) {
        return Err(Error::Config(format!(
            "{place}.label: `{label}` is the label of custom_patterns[{}]; choose another, or join the two with |",
            other + 1
        )));
    }
    Ok(())
}

fn compile(place: &str, pattern: &CustomPattern) -> Result<Pattern> {
    let CustomPattern { name, label, regex } = pattern;
    let bytes = label.as_bytes();
    let spelled = LABEL_LEN.contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if !spelled {
        return Err(Error::Config(format!(
            "{place}.label: `{label}` must be 2 to 10 upper-case letters or digits and begin with a letter"
        )));
    }
    if name.is_empty() {
        return Err(Error::Config(format!("{place}.name: is empty; give the pattern a name")));
    }
    let failure = |what: &str| Error::Config(format!("{place}.regex: {what}"));
    let syntax = ParserBuilder::new().utf8(false).build().parse(regex);
    let syntax = syntax.map_err(|error| failure(&format!("{}; correct it", last_line(&error.to_string()))))?;
    match syntax.properties().minimum_len() {
        Some(0) => return Err(failure("matches the empty text; make it match at least one byte")),
        Some(_) => {}
        None => return Err(failure("can match nothing; correct or remove it")),
    }
    let compiled = RegexBuilder::new(regex).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build();
    let regex = compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            failure(&format!("needs more than {MAX_PATTERN_BYTES} bytes; make counted repetitions smaller"))
        }
        other => failure(last_line(&other.to_string())),
    })?;
    Ok(Pattern { name: name.clone(), label: label.clone(), regex })
}

/// The regex crate draws the pattern and points at the place; the last line says what is wrong.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

fn compile_terms(terms: &[String]) -> Result<AhoCorasick> {
    let mut spellings = HashSet::new();
    for (i, term) in terms.iter().enumerate() {
        if term.trim().is_empty() {
            return Err(Error::Config(format!("custom_terms[{}]: is empty; remove it", i + 1)));
        }
        if !term.chars().any(char::is_alphanumeric) {
            let what = "has no letter and no digit, and would be found everywhere; remove it";
            return Err(Error::Config(format!("custom_terms[{}]: {what}", i + 1)));
        }
        add_spellings(term, &mut spellings);
    }
    AhoCorasick::builder()
        // Of two terms that begin alike the longer may be part of a word, and the shorter not.
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(&spellings)
        .map_err(|_| Error::Config("custom_terms: too many or too long; shorten the list".into()))
}

/// How a term may be spelled: in either case, composed or decomposed (as macOS names files), inside JSON.
fn add_spellings(term: &str, spellings: &mut HashSet<String>) {
    for cased in [term.to_owned(), term.to_lowercase(), term.to_uppercase()] {
        for composed in [cased.nfc().collect(), cased.nfd().collect(), cased] {
            let mut spelling: String = composed;
            for _ in 0..=MAX_JSON_DEPTH {
                let quoted = serde_json::to_string(&spelling).unwrap_or_default();
                let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
                // Case-insensitive search would find what differs in ASCII letters alone more than once.
                if !spellings.insert(spelling.to_ascii_lowercase()) || inside == spelling {
                    break;
                }
                spelling = inside.to_owned();
            }
        }
    }
}
