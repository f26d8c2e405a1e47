//! Anthropic's Message Batches: all requests of a batch are answered when it is created.

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::anthropic;
use crate::kept::Kept;
use crate::knobs::Knobs;
use crate::prompt;

const CREATED: &str = "2026-01-01T00:00:00Z";
const ENDED: &str = "2026-01-01T00:01:00Z";
const EXPIRES: &str = "2026-01-02T00:00:00Z";

#[derive(Deserialize)]
struct Request {
    requests: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    custom_id: String,
    params: Box<RawValue>,
}

#[derive(Serialize)]
struct Batch {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    processing_status: &'static str,
    request_counts: Counts,
    ended_at: Option<&'static str>,
    created_at: &'static str,
    expires_at: &'static str,
    archived_at: Option<()>,
    cancel_initiated_at: Option<()>,
    results_url: Option<String>,
}

#[derive(Default, Serialize)]
struct Counts {
    processing: usize,
    succeeded: usize,
    errored: usize,
    canceled: usize,
    expired: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    custom_id: &'a str,
    result: Outcome,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outcome {
    Succeeded { message: Box<RawValue> },
    Errored { error: Box<RawValue> },
}

/// Creates a batch, answers its requests and keeps what asks for them.
///
/// `origin` is the one that the batch names for its results, as the API names its own.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn create(kept: &Kept, body: &[u8], knobs: &Knobs, seq: u64, origin: &str) -> Result<String, String> {
    let request: Request = serde_json::from_slice(body).map_err(|_| "requests: Field required".to_owned())?;
    let mut counts = Counts::default();
    let mut lines = String::new();
    for asked in &request.requests {
        let result = match prompt::anthropic(asked.params.get().as_bytes()) {
            Ok(prompt) => {
                counts.succeeded += 1;
                Outcome::Succeeded { message: raw(anthropic::whole(&Answer::plan(prompt, knobs, seq))) }
            }
            Err(message) => {
                counts.errored += 1;
                Outcome::Errored { error: raw(anthropic::error(knobs.json, 400, message, seq)) }
            }
        };
        lines.push_str(&knobs.json.text(&Line { custom_id: &asked.custom_id, result }));
        lines.push('\n');
    }
    let id = format!("msgbatch_mock{seq:08}");
    let path = format!("/v1/messages/batches/{id}");
    let batch = |processing_status, request_counts, ended_at, results_url| Batch {
        id: id.clone(),
        kind: "message_batch",
        processing_status,
        request_counts,
        ended_at,
        created_at: CREATED,
        expires_at: EXPIRES,
        archived_at: None,
        cancel_initiated_at: None,
        results_url,
    };
    let processing = Counts { processing: request.requests.len(), ..Counts::default() };
    let created = knobs.json.text(&batch("in_progress", processing, None, None));
    let ended = batch("ended", counts, Some(ENDED), Some(format!("{origin}{path}/results")));
    kept.put(format!("{path}/results"), "application/x-jsonl", Bytes::from(lines));
    kept.put(path, "application/json", Bytes::from(knobs.json.text(&ended)));
    Ok(created)
}

fn raw(document: String) -> Box<RawValue> {
    // written by this crate a line ago
    RawValue::from_string(document).expect("a document of our own is valid JSON")
}
