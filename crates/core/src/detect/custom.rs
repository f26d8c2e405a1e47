//! The operator's own patterns and terms.

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::boundary::{follows_escape, is_alnum};
use super::{DetectorConfig, Finding, Hits, Part};
use crate::catalog::{Catalog, KindId};
use crate::token::LABEL_LEN;
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
            if catalog.find(&pattern.name).is_some() || patterns.iter().any(|p| p.name == pattern.name) {
                return Err(Error::Config(format!("{place}.name: `{}` is taken; choose another", pattern.name)));
            }
            patterns.push(pattern);
        }
        if let Some(i) = config.custom_terms.iter().position(|term| term.trim().is_empty()) {
            return Err(Error::Config(format!("custom_terms[{}]: is empty; remove it", i + 1)));
        }
        let terms = if config.custom_terms.is_empty() {
            None
        } else {
            let built = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(true)
                .build(&config.custom_terms);
            Some(built.map_err(|_| Error::Config("custom_terms: too many or too long; shorten the list".into()))?)
        };
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

    pub(super) fn scan(&self, text: &[u8], hits: &mut Hits) {
        let mut hit = |index: usize, start: usize, end: usize| {
            if start < end {
                let kind = KindId::from_index(self.first + index);
                hits.findings.push(Finding { kind, span: start..end });
                hits.parts.push(Part { kind, span: start..end, is_name: false });
            }
        };
        for (i, pattern) in self.patterns.iter().enumerate() {
            pattern.regex.find_iter(text).for_each(|m| hit(i, m.start(), m.end()));
        }
        for m in self.terms.iter().flat_map(|terms| terms.find_iter(text)) {
            if stands_alone(text, m.start(), m.end()) {
                hit(self.patterns.len(), m.start(), m.end());
            }
        }
    }
}

/// A term that begins or ends with a letter or digit does not count inside a longer word.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let left = !is_alnum(text[start]) || start == 0 || !is_alnum(text[start - 1]) || follows_escape(text, start);
    let right = !is_alnum(text[end - 1]) || text.get(end).is_none_or(|&c| !is_alnum(c));
    left && right
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
    let compiled =
        RegexBuilder::new(regex).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build().map_err(
            |error| match error {
                regex::Error::CompiledTooBig(_) => Error::Config(format!(
                    "{place}.regex: needs more than {MAX_PATTERN_BYTES} bytes; make counted repetitions smaller"
                )),
                other => Error::Config(format!("{place}.regex: {}", last_line(&other.to_string()))),
            },
        )?;
    if compiled.is_match(b"") {
        return Err(Error::Config(format!("{place}.regex: matches the empty text; make it match at least one byte")));
    }
    Ok(Pattern { name: name.clone(), label: label.clone(), regex: compiled })
}

/// The regex crate draws the pattern and points at the place; the last line says what is wrong.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
