//! What the APIs keep of earlier requests: responses to go on from, batches with their results, files.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;

use crate::pump::{Outgoing, Payload};

/// Things kept at most, and the bytes of them; the oldest go first.
const MAX_THINGS: usize = 10_000;
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// What is kept, each thing under the path that asks for it.
#[derive(Default)]
pub(crate) struct Kept {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    by_path: HashMap<String, (&'static str, Bytes)>,
    /// Paths, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Shelf {
    fn remove(&mut self, path: &str) -> bool {
        let Some((_, body)) = self.by_path.remove(path) else { return false };
        self.bytes -= body.len();
        self.order.retain(|kept| kept != path);
        true
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `body` as the answer to a GET of `path`.
    pub(crate) fn put(&self, path: String, content_type: &'static str, body: Bytes) {
        let mut shelf = self.lock();
        shelf.remove(&path);
        shelf.bytes += body.len();
        shelf.by_path.insert(path.clone(), (content_type, body));
        shelf.order.push_back(path);
        while shelf.order.len() > MAX_THINGS || shelf.bytes > MAX_BYTES {
            let Some(oldest) = shelf.order.front().cloned() else { break };
            shelf.remove(&oldest);
        }
    }

    /// The bytes kept under `path`.
    pub(crate) fn bytes(&self, path: &str) -> Option<Bytes> {
        self.lock().by_path.get(path).map(|(_, body)| body.clone())
    }

    /// The answer to a GET of `path`.
    pub(crate) fn get(&self, path: &str) -> Option<Outgoing> {
        let (content_type, body) = self.lock().by_path.get(path)?.clone();
        Some(Outgoing { status: StatusCode::OK, content_type, payload: Payload::Whole(body) })
    }

    /// Forgets what is kept under `path`; true if there was something.
    pub(crate) fn remove(&self, path: &str) -> bool {
        self.lock().remove(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_within_bounds() {
        let kept = Kept::default();
        for at in 0..MAX_THINGS + 5 {
            kept.put(format!("/{at}"), "text/plain", Bytes::from_static(b"x"));
        }
        assert!(kept.get("/4").is_none() && kept.get("/5").is_some());
        kept.put("/5".to_owned(), "text/plain", Bytes::from_static(b"yy"));
        assert_eq!(kept.bytes("/5").unwrap(), "yy");
        assert!(kept.remove("/5") && !kept.remove("/5") && kept.get("/5").is_none());
        kept.put("/large".to_owned(), "text/plain", Bytes::from(vec![0; MAX_BYTES]));
        assert!(kept.get("/100").is_none() && kept.get("/large").is_some());
    }
}
