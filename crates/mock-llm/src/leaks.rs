//! Searching everything received for strings that must never have left the client.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

/// Samples kept at most.
const MAX_SAMPLES: usize = 100;
/// JSON inside a string inside JSON … is followed this deep.
const MAX_NESTING: usize = 8;

/// An original that was found in a request.
#[derive(Clone, Serialize)]
pub(crate) struct Sample {
    seq: u64,
    index: usize,
    place: String,
}

/// What was found since the list of originals was last cleared.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Findings {
    /// Pairs of a request and an original found in it.
    leaks: u64,
    /// Requests searched.
    checked: u64,
    samples: Vec<Sample>,
}

/// The originals, and what was found of them.
#[derive(Default)]
pub(crate) struct LeakCheck {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    originals: Vec<String>,
    searcher: Option<AhoCorasick>,
    findings: Findings,
}

impl LeakCheck {
    /// Adds strings to look for from now on; returns how many there are. Indices go on where they stood.
    ///
    /// # Errors
    /// A message when a string is empty or the list is too large to search for; the list stays as it was.
    pub(crate) fn extend(&self, more: Vec<String>) -> Result<usize, String> {
        if more.iter().any(String::is_empty) {
            return Err("an original must not be empty".to_owned());
        }
        let mut state = self.lock();
        let mut originals = state.originals.clone();
        originals.extend(more);
        let searcher = AhoCorasick::new(&originals).map_err(|error| error.to_string())?;
        state.searcher = (!originals.is_empty()).then_some(searcher);
        state.originals = originals;
        Ok(state.originals.len())
    }

    /// Forgets the strings and the findings.
    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// The findings so far.
    pub(crate) fn findings(&self) -> Findings {
        self.lock().findings.clone()
    }

    /// Searches path, query, header values and `body` (already without a content coding) of request `seq`:
    /// the bytes as they are, percent-decoded, and the strings of the body's JSON unescaped.
    pub(crate) fn check(&self, seq: u64, parts: &Parts, body: &[u8]) {
        // cloning shares the automaton; the search itself runs without the lock
        let Some(searcher) = self.lock().searcher.clone() else { return };
        let mut found = Found { searcher, seen: HashSet::new(), hits: Vec::new() };

        let target = parts.uri.to_string();
        found.search("path", target.as_bytes());
        found.search("path", &percent_decode_str(&target).collect::<Vec<u8>>());
        for (name, value) in &parts.headers {
            found.search(name.as_str(), value.as_bytes());
        }
        found.search("body", body);
        if has_escapes(body)
            && let Ok(json) = serde_json::from_slice(body)
        {
            found.search_json(&json, 0);
        }

        let mut state = self.lock();
        state.findings.checked += 1;
        state.findings.leaks += u64::try_from(found.hits.len()).unwrap_or(u64::MAX);
        for (index, place) in found.hits {
            if state.findings.samples.len() < MAX_SAMPLES {
                state.findings.samples.push(Sample { seq, index, place });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a backslash no JSON string differs from its raw bytes.
fn has_escapes(body: &[u8]) -> bool {
    body.contains(&b'\\')
}

/// The originals found in one request, each once.
struct Found {
    searcher: AhoCorasick,
    seen: HashSet<usize>,
    hits: Vec<(usize, String)>,
}

impl Found {
    fn search(&mut self, place: &str, bytes: &[u8]) {
        for found in self.searcher.find_overlapping_iter(bytes) {
            let index = found.pattern().as_usize();
            if self.seen.insert(index) {
                self.hits.push((index, place.to_owned()));
            }
        }
    }

    fn search_json(&mut self, value: &Value, nesting: usize) {
        match value {
            Value::String(text) => self.search_text(text, nesting),
            Value::Array(items) => items.iter().for_each(|item| self.search_json(item, nesting)),
            Value::Object(members) => {
                for (key, member) in members {
                    self.search_text(key, nesting);
                    self.search_json(member, nesting);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn search_text(&mut self, text: &str, nesting: usize) {
        self.search("body", text.as_bytes());
        let nested = text.trim_start().starts_with(['{', '[', '"']);
        if nested
            && nesting < MAX_NESTING
            && let Ok(json) = serde_json::from_str(text)
        {
            self.search_json(&json, nesting + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn leaks(check: &LeakCheck, uri: &str, header: &str, body: &str) -> Vec<(usize, String)> {
        let (parts, ()) = Request::builder().uri(uri).header("x-h", header).body(()).unwrap().into_parts();
        let before = check.findings();
        check.check(7, &parts, body.as_bytes());
        let after = check.findings();
        assert_eq!(after.checked, before.checked + 1);
        let new = after.samples.get(before.samples.len()..).unwrap();
        assert_eq!(after.leaks, before.leaks + u64::try_from(new.len()).unwrap());
        new.iter().map(|sample| (sample.index, sample.place.clone())).collect()
    }

    #[test]
    fn finds_originals_wherever_they_hide() {
        let check = LeakCheck::default();
        let (parts, ()) = Request::new(()).into_parts();
        check.check(1, &parts, b"i-0abc");
        assert_eq!(check.findings().checked, 0, "nothing to look for yet");

        assert_eq!(check.extend(vec!["i-0abc".into(), "s3://b/k".into()]).unwrap(), 2);
        assert_eq!(check.extend(vec!["0ab".into(), "key\nline".into()]).unwrap(), 4);
        assert!(check.extend(vec![String::new()]).is_err());

        assert_eq!(leaks(&check, "/", "", "{}"), []);
        let body = |index| (index, "body".to_owned());
        assert_eq!(leaks(&check, "/", "", "i-0abc i-0abc"), [body(2), body(0)]);
        assert_eq!(leaks(&check, "/", "", r#"{"a":["s3:\/\/b\/k"]}"#), [body(1)]);
        assert_eq!(leaks(&check, "/", "", r#"{"a":"\u0069-0\u0061bc"}"#), [body(2), body(0)]);
        assert_eq!(leaks(&check, "/", "", r#"{"a":"{\"key\\nline\":1}"}"#), [body(3)]);
        assert_eq!(leaks(&check, "/", "s3://b/k", ""), [(1, "x-h".to_owned())]);
        assert_eq!(leaks(&check, "/?q=s3%3A%2F%2fb/k", "", ""), [(1, "path".to_owned())]);

        check.clear();
        assert_eq!(check.findings().leaks, 0);
        check.check(9, &parts, b"i-0abc");
        assert_eq!(check.findings().checked, 0);
    }
}
