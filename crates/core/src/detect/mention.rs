//! Other mentions: what was found once for sure is found wherever it stands.

use hashbrown::HashMap;

use super::names::{MIN_NAME_LEN, Names};
use super::ordinary::is_ordinary;
use super::{Detector, Finding, Hits, Lanes, Part, url};
use crate::catalog::{KindId, KnownKinds};
use crate::token::is_token_shaped;

/// Numbers shorter than this are counts, times and the like.
const MIN_NUMBER_LEN: usize = 12;

impl Detector {
    pub(super) fn add_mentions(&self, text: &[u8], hits: &mut Hits) {
        add_loose(text, hits);
        add_names(text, &self.catalog.known, self.lanes, hits);
    }
}

/// Believes the shapes whose text was found for sure somewhere else.
fn add_loose(text: &[u8], hits: &mut Hits) {
    if hits.loose.is_empty() {
        return;
    }
    let sure: HashMap<&[u8], KindId> = hits.parts.iter().map(|p| (&text[p.span.clone()], p.kind)).collect();
    let believed: Vec<_> = hits
        .loose
        .drain(..)
        .filter_map(|loose| sure.get(&text[loose.span.clone()]).map(|&kind| (kind, loose.span)))
        .collect();
    for (kind, span) in believed {
        hits.findings.push(Finding { kind, span: span.clone() });
        hits.parts.push(Part { kind, span, is_name: false });
    }
}

/// A name that holds a digit or a separator is nobody's ordinary word. Short ones are masked only where they were found.
fn is_distinctive(name: &[u8]) -> bool {
    name.len() >= MIN_NAME_LEN
        && name.iter().any(|c| c.is_ascii_digit() || matches!(c, b'-' | b'_' | b'.' | b'/'))
        && (name.iter().any(u8::is_ascii_alphabetic) || name.len() >= MIN_NUMBER_LEN)
        && !is_token_shaped(name)
        && !is_ordinary(name)
}

fn add_names(text: &[u8], known: &KnownKinds, lanes: Lanes, hits: &mut Hits) {
    let mut names: HashMap<&[u8], KindId> = HashMap::new();
    for part in hits.parts.iter().filter(|p| p.is_name) {
        let name = &text[part.span.clone()];
        // What an ARN names without saying what it is, is often a word: `group/checkout`.
        let is_told = part.kind != known.arn_name || name.len() >= 6 && name.iter().any(u8::is_ascii_digit);
        if is_told && is_distinctive(name) {
            names.entry(name).or_insert(part.kind);
        }
    }
    if names.is_empty() {
        return;
    }
    Names::new(names).each(lanes, text, |kind, span| {
        // A URL on AWS is one finding, whatever it names.
        let finding = match url::around(text, &span) {
            Some(url) => Finding { kind: known.host, span: url },
            None => Finding { kind, span: span.clone() },
        };
        hits.findings.push(finding);
        hits.parts.push(Part { kind, span, is_name: false });
    });
}
