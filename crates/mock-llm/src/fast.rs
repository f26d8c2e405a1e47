//! The answer of `--fast`: one fixed message, as soon as the body has arrived.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;

use crate::app::App;

const MESSAGE: &[u8] = br#"{"id":"msg_mock_fast","type":"message","role":"assistant","model":"mock","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}"#;

/// Reads the body without keeping it and answers.
pub(crate) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    app.count_received();
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            break;
        }
    }
    let mut response = Response::new(Body::from(Bytes::from_static(MESSAGE)));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
