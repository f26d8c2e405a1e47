//! What was received, kept in memory within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

/// Requests kept at most.
const MAX_ENTRIES: usize = 10_000;
/// Bytes of bodies kept at most. The newest request is kept whatever its size.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// One received request.
pub(crate) struct Entry {
    /// Number of the request, counted from 1 since the start of the process.
    pub(crate) seq: u64,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    /// The body as it came.
    pub(crate) body: Bytes,
    /// The body without its content coding, where it had one.
    inflated: Option<Bytes>,
}

/// An [`Entry`] as the control API shows it.
#[derive(Serialize)]
pub(crate) struct View {
    seq: u64,
    method: String,
    path: String,
    query: String,
    headers: Map<String, Value>,
    body: String,
    body_base64: String,
    bytes: usize,
}

impl Entry {
    pub(crate) fn new(seq: u64, parts: &Parts, body: Bytes, inflated: Option<Bytes>) -> Self {
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Self {
            seq,
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
            inflated,
        }
    }

    fn held_bytes(&self) -> usize {
        self.body.len() + self.inflated.as_ref().map_or(0, Bytes::len)
    }

    /// The entry for the control API: `body` is readable text, `body_base64` the bytes as they came.
    pub(crate) fn view(&self) -> View {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            let joined = match headers.get(name).and_then(Value::as_str) {
                Some(earlier) => format!("{earlier}, {value}"),
                None => value.clone(),
            };
            headers.insert(name.clone(), Value::String(joined));
        }
        let readable = self.inflated.as_ref().unwrap_or(&self.body);
        View {
            seq: self.seq,
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers,
            body: String::from_utf8_lossy(readable).into_owned(),
            body_base64: STANDARD.encode(&self.body),
            bytes: self.body.len(),
        }
    }
}

/// The newest requests.
#[derive(Default)]
pub(crate) struct Record {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
}

impl Record {
    /// Adds `entry`, dropping the oldest ones that no longer fit.
    pub(crate) fn add(&self, entry: Entry) {
        let mut kept = self.lock();
        kept.bytes += entry.held_bytes();
        kept.entries.push_back(Arc::new(entry));
        while kept.entries.len() > MAX_ENTRIES || (kept.bytes > MAX_BYTES && kept.entries.len() > 1) {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.held_bytes();
        }
    }

    /// All kept requests after number `since`, oldest first.
    pub(crate) fn since(&self, since: u64) -> Vec<Arc<Entry>> {
        // requests that run side by side can be added out of order
        self.lock().entries.iter().filter(|entry| entry.seq > since).cloned().collect()
    }

    /// The request that was added last.
    pub(crate) fn last(&self) -> Option<Arc<Entry>> {
        self.lock().entries.back().cloned()
    }

    /// The request with number `seq`.
    pub(crate) fn get(&self, seq: u64) -> Option<Arc<Entry>> {
        self.lock().entries.iter().find(|entry| entry.seq == seq).cloned()
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, bytes: usize) -> Entry {
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        Entry::new(seq, &parts, Bytes::from(vec![b'x'; bytes]), None)
    }

    #[test]
    fn keeps_the_newest_within_bounds() {
        let record = Record::default();
        for seq in 1..=10_005 {
            record.add(entry(seq, 1));
        }
        assert_eq!(record.len(), MAX_ENTRIES);
        assert_eq!(record.since(0).first().unwrap().seq, 6);
        assert_eq!(record.since(10_003).len(), 2);

        record.add(entry(10_006, MAX_BYTES - 2));
        assert_eq!(record.len(), 3);
        record.add(entry(10_007, MAX_BYTES + 1));
        assert_eq!(record.len(), 1);
        assert_eq!(record.last().unwrap().seq, 10_007);
        record.clear();
        assert!(record.last().is_none() && record.get(10_007).is_none());
    }
}
