//! Answers fixed by the test, by path: what an API tells of things that it keeps itself (an earlier response, the
//! results of a batch, a file), and what the request at hand therefore does not hold.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::pump::{Outgoing, Payload};

const CONTENT_TYPES: [&str; 5] =
    ["application/json", "application/x-jsonl", "application/octet-stream", "text/event-stream", "text/plain"];

/// One fixed answer, as the control API takes it.
#[derive(Deserialize)]
struct Setting {
    path: String,
    content_type: String,
    body: String,
}

/// The answers that are fixed at the moment.
#[derive(Default)]
pub(crate) struct FixedAnswers {
    by_path: Mutex<HashMap<String, (&'static str, Bytes)>>,
}

impl FixedAnswers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (&'static str, Bytes)>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer, or replaces the one of the same path.
    ///
    /// # Errors
    /// A text for the test when `setting` is not one.
    pub(crate) fn set(&self, setting: &[u8]) -> Result<(), String> {
        let setting: Setting = serde_json::from_slice(setting)
            .map_err(|_| "the body must be an object of the strings path, content_type and body".to_owned())?;
        let content_type = CONTENT_TYPES
            .into_iter()
            .find(|known| *known == setting.content_type)
            .ok_or_else(|| format!("content_type must be one of {}", CONTENT_TYPES.join(", ")))?;
        self.lock().insert(setting.path, (content_type, setting.body.into()));
        Ok(())
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The answer for `path`.
    pub(crate) fn get(&self, path: &str) -> Option<Outgoing> {
        let (content_type, body) = self.lock().get(path)?.clone();
        Some(Outgoing { status: StatusCode::OK, content_type, payload: Payload::Whole(body) })
    }
}
