//! The control API under `/__mock/`, for the test that drives the mock.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use serde::Serialize;

use crate::app::{App, read_body};
use crate::json::Json;
use crate::record::Entry;

/// Routes relative to `/__mock`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(async || json(&Health { status: "ok" })))
        .route("/count", get(count))
        .route("/requests", get(list).delete(forget))
        .route("/requests/{which}", get(one))
        .route("/requests/{which}/body", get(body))
        .route("/originals", post(add_originals).delete(clear_originals))
        .route("/leaks", get(leaks))
        .route("/answers", post(fix_answer).delete(clear_answers))
        .fallback(async || (StatusCode::NOT_FOUND, "no such control route\n"))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Count {
    count: u64,
    recorded: usize,
}

#[derive(Serialize)]
struct Originals {
    originals: usize,
}

async fn count(State(app): State<Arc<App>>) -> Response {
    json(&Count { count: app.received(), recorded: app.record.len() })
}

/// All requests, or those after `?since=SEQ`; written one by one, as together they may fill the memory.
async fn list(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let since = match query.strip_prefix("since=").map(str::parse) {
        Some(Ok(seq)) => seq,
        None if query.is_empty() => 0,
        _ => return (StatusCode::BAD_REQUEST, "the query is since=SEQ or absent\n").into_response(),
    };
    let entries = app.record.since(since);
    let last = entries.len().saturating_sub(1);
    let open = if entries.is_empty() { "[]" } else { "" };
    let items = entries.into_iter().enumerate().map(move |(index, entry)| {
        let before = if index == 0 { "[" } else { "," };
        let after = if index == last { "]" } else { "" };
        format!("{before}{}{after}", Json::default().text(&entry.view()))
    });
    let parts = std::iter::once(open.to_owned()).chain(items).map(Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(parts))).into_response()
}

async fn forget(State(app): State<Arc<App>>) -> StatusCode {
    app.record.clear();
    app.reset_received();
    StatusCode::NO_CONTENT
}

async fn one(State(app): State<Arc<App>>, Path(which): Path<String>) -> Response {
    entry(&app, &which).map_or_else(nothing, |entry| json(&entry.view()))
}

async fn body(State(app): State<Arc<App>>, Path(which): Path<String>) -> Response {
    let raw =
        |entry: Arc<Entry>| ([(header::CONTENT_TYPE, "application/octet-stream")], entry.body.clone()).into_response();
    entry(&app, &which).map_or_else(nothing, raw)
}

fn entry(app: &App, which: &str) -> Option<Arc<Entry>> {
    if which == "last" {
        return app.record.last();
    }
    which.parse().ok().and_then(|seq| app.record.get(seq))
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "no such request is kept\n").into_response()
}

async fn add_originals(State(app): State<Arc<App>>, body: Body) -> Response {
    let added = match read_body(body).await {
        Ok(body) => parse_strings(&body).and_then(|strings| app.leaks.extend(strings)),
        Err(_) => Err("could not read the body".to_owned()),
    };
    match added {
        Ok(originals) => json(&Originals { originals }),
        Err(message) => (StatusCode::BAD_REQUEST, message + "\n").into_response(),
    }
}

fn parse_strings(body: &Bytes) -> Result<Vec<String>, String> {
    serde_json::from_slice(body).map_err(|_| "the body must be a JSON array of strings".to_owned())
}

async fn clear_originals(State(app): State<Arc<App>>) -> StatusCode {
    app.leaks.clear();
    StatusCode::NO_CONTENT
}

/// Fixes the answer of one path: an object with `path`, `content_type` and `body`.
async fn fix_answer(State(app): State<Arc<App>>, body: Body) -> Response {
    let set = match read_body(body).await {
        Ok(body) => app.fixed.set(&body),
        Err(_) => Err("could not read the body".to_owned()),
    };
    match set {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(message) => (StatusCode::BAD_REQUEST, message + "\n").into_response(),
    }
}

async fn clear_answers(State(app): State<Arc<App>>) -> StatusCode {
    app.fixed.clear();
    StatusCode::NO_CONTENT
}

async fn leaks(State(app): State<Arc<App>>) -> Response {
    json(&app.leaks.findings())
}

fn json<T: Serialize>(value: &T) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Json::default().text(value)).into_response()
}
