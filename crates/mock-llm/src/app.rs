//! Taking a request in and choosing its answer.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::LengthLimitError;

use crate::answer::{Answer, quote};
use crate::endpoint::{Endpoint, Format};
use crate::fixed::FixedAnswers;
use crate::json::Json;
use crate::kept::Kept;
use crate::knobs::{Knobs, Reply, may_record};
use crate::leaks::LeakCheck;
use crate::net::Connection;
use crate::prompt::Prompt;
use crate::pump::{Outgoing, Payload, send};
use crate::record::{Entry, Record};
use crate::script::Script;
use crate::sse::Step;
use crate::{anthropic, batches, files, legacy, responses};

/// Largest body accepted, as it comes and without its content coding.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;
const MAX_INFLATED_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of text in each step of a long document.
const LONG_STEP_BYTES: usize = 64 * 1024;

/// Longest text of a response that is kept.
const MAX_KEPT_TEXT: usize = 1024 * 1024;

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

const MODELS: &str = r#"{"object":"list","data":[{"type":"model","object":"model","id":"claude-mock-1","display_name":"Claude Mock 1","created_at":"2025-01-01T00:00:00Z","created":1735689600,"owned_by":"mock"},{"type":"model","object":"model","id":"gpt-mock-1","display_name":"GPT Mock 1","created_at":"2025-01-01T00:00:00Z","created":1735689600,"owned_by":"mock"}],"has_more":false,"first_id":"claude-mock-1","last_id":"gpt-mock-1"}"#;

/// What all requests share.
#[derive(Default)]
pub(crate) struct App {
    /// What was received.
    pub(crate) record: Record,
    /// What was found in it.
    pub(crate) leaks: LeakCheck,
    /// What it answers whatever was asked.
    pub(crate) fixed: FixedAnswers,
    /// What it keeps of earlier requests.
    kept: Kept,
    seq: AtomicU64,
    received: AtomicU64,
}

impl App {
    /// Requests received outside of the control API since the start or the last reset.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts from zero again.
    pub(crate) fn reset_received(&self) {
        self.received.store(0, Ordering::Relaxed);
    }

    /// Counts a request whose head has arrived.
    pub(crate) fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Searches and records request `seq`; returns its body without a content coding.
    fn take_in(&self, seq: u64, parts: &Parts, body: Bytes) -> Bytes {
        let inflated = inflate(parts, &body);
        let plain = inflated.clone().unwrap_or_else(|| body.clone());
        self.leaks.check(seq, parts, &plain);
        if may_record(&parts.headers) {
            self.record.add(Entry::new(seq, parts, body, inflated));
        }
        plain
    }
}

/// Reads a whole body of at most [`MAX_BODY_BYTES`].
pub(crate) async fn read_body(body: Body) -> Result<Bytes, axum::Error> {
    axum::body::to_bytes(body, MAX_BODY_BYTES).await
}

/// Answers any request outside of the control API.
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    app.count_received();
    let seq = app.seq.fetch_add(1, Ordering::Relaxed) + 1;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let format = Endpoint::of(path).format(path, &parts.headers);
    let (outgoing, knobs) = match read_body(body).await {
        Ok(body) => {
            let body = app.take_in(seq, &parts, body);
            match Knobs::read(&parts.headers) {
                Ok(knobs) => {
                    let fixed = app.fixed.get(path);
                    (fixed.unwrap_or_else(|| route(&app.kept, &parts, &body, &knobs, seq)), knobs)
                }
                Err(name) => {
                    let message = format!("{name}: the mock does not know this value");
                    let error = format.error(Json::default(), StatusCode::BAD_REQUEST, message, seq);
                    (error, Knobs::default())
                }
            }
        }
        Err(error) => (unreadable(format, &error, seq), Knobs::default()),
    };
    let mut response = send(outgoing, &knobs, &connection, seq);
    if let Ok(id) = HeaderValue::from_str(&anthropic::request_id(seq)) {
        response.headers_mut().insert(format.request_id_header(), id);
    }
    response
}

fn route(kept: &Kept, parts: &Parts, body: &[u8], knobs: &Knobs, seq: u64) -> Outgoing {
    let path = parts.uri.path();
    let endpoint = Endpoint::of(path);
    let format = endpoint.format(path, &parts.headers);
    let refuse = |status, message: &str| format.error(knobs.json, status, message.to_owned(), seq);
    let made = |made: Result<String, String>| match made {
        Ok(document) => Outgoing::json(StatusCode::OK, document),
        Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
    };
    let head = parts.method == Method::HEAD;
    let get = head || parts.method == Method::GET;
    let post = parts.method == Method::POST;
    match endpoint {
        Endpoint::Other if get => kept.get(path).unwrap_or_else(|| refuse(StatusCode::NOT_FOUND, "Not found")),
        Endpoint::Other if parts.method == Method::DELETE && kept.remove(path) => {
            Outgoing::json(StatusCode::OK, r#"{"deleted":true}"#.to_owned())
        }
        Endpoint::Other => refuse(StatusCode::NOT_FOUND, "Not found"),
        Endpoint::Models if get => Outgoing::json(StatusCode::OK, MODELS.to_owned()),
        Endpoint::Root if get => Outgoing::json(StatusCode::OK, r#"{"status":"ok"}"#.to_owned()),
        Endpoint::Batches if post => made(batches::create(kept, body, knobs, seq, &origin(parts))),
        Endpoint::Files if post => made(files::upload(kept, &parts.headers, body, knobs.json, seq)),
        Endpoint::Embeddings if post => made(legacy::embed(body, knobs.json)),
        // the answer to a HEAD request has no body; its headers are those of an answer to nothing
        _ if endpoint.converses() && head => converse(endpoint, format, Prompt::default(), knobs, seq),
        _ if endpoint.converses() && post => match format.read(body).and_then(|prompt| go_on(kept, prompt)) {
            Ok(prompt) => {
                if endpoint == Endpoint::Responses {
                    keep_response(kept, &prompt, knobs, seq);
                }
                converse(endpoint, format, prompt, knobs, seq)
            }
            // plain text for plain text: the body need not be a prompt
            Err(_) if knobs.reply == Reply::PlainText => plain_text(Bytes::copy_from_slice(body)),
            Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
}

/// Where the client says that it talks to.
fn origin(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}")
}

/// Where a response's part of the conversation is kept; no client asks for that path.
fn said_path(id: &str) -> String {
    format!("/v1/responses/{id}/said")
}

/// With `previous_response_id`, what was said before is part of the prompt.
fn go_on(kept: &Kept, mut prompt: Prompt) -> Result<Prompt, String> {
    if let Some(previous) = &prompt.echoed.previous_response_id {
        let said = kept.bytes(&said_path(previous)).ok_or("The previous response was not found.")?;
        prompt.echo = format!("{}\n{}", String::from_utf8_lossy(&said), prompt.echo);
    }
    Ok(prompt)
}

/// Keeps the response that is about to be given, unless the request says not to.
fn keep_response(kept: &Kept, prompt: &Prompt, knobs: &Knobs, seq: u64) {
    if !prompt.echoed.store || prompt.echo.len() > MAX_KEPT_TEXT {
        return;
    }
    let id = responses::response_id(seq);
    let document = responses::whole(&Answer::plan(prompt.clone(), knobs, seq));
    kept.put(said_path(&id), "text/plain", Bytes::from(prompt.echo.clone()));
    kept.put(format!("/v1/responses/{id}"), "application/json", Bytes::from(document));
}

/// Answers a prompt.
fn converse(endpoint: Endpoint, format: Format, prompt: Prompt, knobs: &Knobs, seq: u64) -> Outgoing {
    let stream = prompt.stream && endpoint != Endpoint::CountTokens;
    match knobs.reply {
        Reply::Error => {
            let status = knobs.status.unwrap_or(StatusCode::BAD_REQUEST);
            format.error(knobs.json, status, quote(&prompt.echo), seq)
        }
        Reply::ErrorStream if !stream => format.error(knobs.json, format.overloaded(), quote(&prompt.echo), seq),
        Reply::PlainText => plain_text(prompt.echo.into()),
        Reply::Empty => Outgoing {
            status: StatusCode::OK,
            content_type: if stream { EVENT_STREAM } else { "application/json" },
            payload: Payload::Whole(Bytes::new()),
        },
        _ if endpoint == Endpoint::CountTokens => {
            Outgoing::json(StatusCode::OK, anthropic::token_count(prompt.input_tokens))
        }
        _ => {
            let answer = Answer::plan(prompt, knobs, seq);
            if stream {
                let payload = Payload::Events(format.stream(answer));
                return Outgoing { status: StatusCode::OK, content_type: EVENT_STREAM, payload };
            }
            match answer.long_text().filter(|_| knobs.reply == Reply::Large) {
                Some(text) => long(format.around_text(&answer), text, knobs.json),
                None => Outgoing::json(StatusCode::OK, format.whole(&answer)),
            }
        }
    }
}

/// A JSON document around a text of any length, made while it is sent.
fn long((before, after): (String, String), text: &Script, json: Json) -> Outgoing {
    let length = before.len() + text.len_inside_json(json) + after.len();
    let inside = text.pieces(LONG_STEP_BYTES).map(move |piece| json.inside(&piece));
    let parts = std::iter::once(before).chain(inside).chain([after]);
    let steps = Box::new(parts.map(|part| Step::Data(part.into())));
    Outgoing { status: StatusCode::OK, content_type: "application/json", payload: Payload::Long(steps, length) }
}

fn plain_text(text: Bytes) -> Outgoing {
    let content_type = "text/plain; charset=utf-8";
    Outgoing { status: StatusCode::OK, content_type, payload: Payload::Whole(text) }
}

fn unreadable(format: Format, error: &axum::Error, seq: u64) -> Outgoing {
    let too_long = std::error::Error::source(error).is_some_and(|cause| cause.is::<LengthLimitError>());
    let (status, message) = if too_long {
        (StatusCode::PAYLOAD_TOO_LARGE, "Request exceeds the maximum size")
    } else {
        (StatusCode::BAD_REQUEST, "The request body could not be read")
    };
    format.error(Json::default(), status, message.to_owned(), seq)
}

/// The body without gzip or deflate, where it has that and is sound.
fn inflate(parts: &Parts, body: &Bytes) -> Option<Bytes> {
    let coding = parts.headers.get(header::CONTENT_ENCODING)?.to_str().ok()?;
    let bytes = body.as_ref();
    let reader: Box<dyn io::Read + '_> = match coding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(bytes)),
        "deflate" => Box::new(ZlibDecoder::new(bytes)),
        _ => return None,
    };
    let mut plain = Vec::new();
    reader.take(MAX_INFLATED_BYTES).read_to_end(&mut plain).ok()?;
    Some(plain.into())
}
