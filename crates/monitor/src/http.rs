//! What is served: the page and its live data, metrics, health.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::response::sse::{self, Sse};
use axum::routing::get;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::{Args, Detail, Transport};
use crate::link::{Link, Status};
use crate::listen::{LONGEST_SILENCE, Limited, MAX_CONNECTIONS};
use crate::metrics::Metrics;
use crate::page;
use crate::stop::Stop;
use crate::view::{Picture, SharedView, View};

/// How often the page is told what is new.
const TICK: Duration = Duration::from_secs(1);
/// After how long a browser that lost the monitor tries again.
const RETRY: Duration = Duration::from_secs(1);
/// Browsers at a time.
const MAX_VIEWERS: usize = 64;

/// The page needs its own files and nothing else; nothing inline, from nowhere else, in nobody's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Server {
    metrics: Arc<Metrics>,
    view: SharedView,
    link: watch::Receiver<Link>,
    about: Arc<About>,
    viewers: Arc<AtomicUsize>,
    ticks: watch::Receiver<Arc<str>>,
    stop: Stop,
}

/// What does not change while the process lives.
#[derive(Debug, Serialize)]
struct About {
    version: &'static str,
    redis: String,
    transport: &'static str,
    /// Stream or channel.
    source: String,
    group: Option<String>,
    consumer: Option<String>,
    is_detailed: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    about: &'a About,
    link: LinkState,
    #[serde(flatten)]
    picture: Picture,
}

#[derive(Serialize)]
struct LinkState {
    status: Status,
    since: u64,
    waiting: Option<u64>,
    pending: Option<u64>,
}

impl Server {
    /// Prepares to serve; the pictures of each second are made from now on, while somebody looks.
    pub(crate) fn new(
        args: &Args,
        place: String,
        metrics: Arc<Metrics>,
        view: SharedView,
        link: watch::Receiver<Link>,
        stop: Stop,
    ) -> Self {
        let is_stream = args.transport == Transport::Stream;
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            redis: place,
            transport: args.transport.name(),
            source: if is_stream { args.stream.clone() } else { args.channel.clone() },
            group: is_stream.then(|| args.group.clone()),
            consumer: is_stream.then(|| args.consumer()),
            is_detailed: args.detail == Detail::Detailed,
        };
        let (sender, ticks) = watch::channel(Arc::from(""));
        let server = Self { metrics, view, link, about: Arc::new(about), viewers: Arc::default(), ticks, stop };
        let ticker = server.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            loop {
                interval.tick().await;
                if ticker.viewers.load(Ordering::Relaxed) > 0 {
                    sender.send_replace(ticker.message(View::latest));
                }
            }
        });
        server
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// When the socket fails.
    pub(crate) async fn run(self, listener: TcpListener) -> io::Result<()> {
        let mut stop = self.stop.clone();
        let router = Router::new()
            .route("/", get(|| page::file("index.html")))
            .route("/assets/{name}", get(|Path(name): Path<String>| async move { page::file(&name).await }))
            .route("/live", get(live))
            .route("/metrics", get(metrics))
            .route("/health", get(|| async { "ok\n" }))
            .route("/ready", get(ready))
            .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing here; try / or /metrics\n") })
            .layer(map_response(with_headers))
            .with_state(self);
        let listener = Limited::new(listener, MAX_CONNECTIONS, LONGEST_SILENCE);
        axum::serve(listener, router).with_graceful_shutdown(async move { stop.requested().await }).await
    }

    fn message(&self, picture: fn(&mut View) -> Picture) -> Arc<str> {
        let link = *self.link.borrow();
        let since = link.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let message = Message {
            about: &self.about,
            link: LinkState {
                status: link.status,
                since: u64::try_from(since).unwrap_or(u64::MAX),
                waiting: link.backlog.and_then(|backlog| backlog.waiting),
                pending: link.backlog.map(|backlog| backlog.pending),
            },
            picture: picture(&mut self.view.lock()),
        };
        // of strings and numbers alone
        serde_json::to_string(&message).unwrap_or_default().into()
    }
}

async fn with_headers<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn metrics(State(server): State<Server>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (content_type, text) = server.metrics.text(accept);
    ([(header::CONTENT_TYPE, content_type)], text)
}

async fn ready(State(server): State<Server>) -> impl IntoResponse {
    match server.link.borrow().status {
        Status::Up => (StatusCode::OK, "ready\n"),
        Status::Connecting | Status::Down => (StatusCode::SERVICE_UNAVAILABLE, "not ready: Redis cannot be read\n"),
    }
}

/// The whole window first, and then each second what is new.
async fn live(State(server): State<Server>) -> Result<impl IntoResponse, (StatusCode, &'static str)> {
    let viewer = Viewer::new(&server).ok_or((StatusCode::SERVICE_UNAVAILABLE, "too many viewers\n"))?;
    let first = sse::Event::default().retry(RETRY).data(server.message(View::whole));
    let events: Box<dyn Stream<Item = Result<sse::Event, io::Error>> + Send + Unpin> =
        Box::new(Box::pin(stream::unfold((viewer, server, Some(first)), next)));
    Ok(Sse::new(events))
}

type Next = (Viewer, Server, Option<sse::Event>);

async fn next((viewer, mut server, first): Next) -> Option<(Result<sse::Event, io::Error>, Next)> {
    if let Some(first) = first {
        server.ticks.mark_unchanged();
        return Some((Ok(first), (viewer, server, None)));
    }
    tokio::select! {
        changed = server.ticks.changed() => changed.ok()?,
        // a stream without end would hold up the stop
        () = server.stop.requested() => return None,
    }
    let data = Arc::clone(&server.ticks.borrow_and_update());
    Some((Ok(sse::Event::default().data(data)), (viewer, server, None)))
}

/// Counts a browser for as long as it looks.
struct Viewer(Server);

impl Viewer {
    fn new(server: &Server) -> Option<Self> {
        let limited = |viewers| (viewers < MAX_VIEWERS).then_some(viewers + 1);
        let before = server.viewers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, limited).ok()?;
        server.metrics.viewers(before + 1);
        Some(Self(server.clone()))
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let before = self.0.viewers.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.viewers(before.saturating_sub(1));
    }
}
