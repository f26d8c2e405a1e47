//! Sending an answer: compressed, cut, delayed or broken off as the request asked.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use futures_util::stream;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::knobs::{Encoding, Knobs, Reply};
use crate::net::Connection;
use crate::prompt::hex;
use crate::sse::{Step, Steps};

/// A body to send.
pub(crate) enum Payload {
    /// All of it at once.
    Whole(Bytes),
    /// A document that is made while it is sent, and its length.
    Long(Steps, usize),
    /// A stream of events.
    Events(Steps),
}

/// An answer to send.
pub(crate) struct Outgoing {
    /// Status, unless the request asked for another.
    pub(crate) status: StatusCode,
    /// Media type of the body.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) payload: Payload,
}

impl Outgoing {
    /// A JSON document.
    pub(crate) fn json(status: StatusCode, document: String) -> Self {
        Self { status, content_type: "application/json", payload: Payload::Whole(document.into()) }
    }
}

/// Turns `outgoing` into the response to a request.
pub(crate) fn send(outgoing: Outgoing, knobs: &Knobs, connection: &Connection, seq: u64) -> Response {
    let Outgoing { status, content_type, payload } = outgoing;
    let mut pump = Pump {
        steps: Box::new(std::iter::empty()),
        press: None,
        sync: false,
        ready: BytesMut::new(),
        write_bytes: knobs.write_bytes,
        delay: knobs.delay,
        connection: connection.clone(),
        state: State::Running,
        started: false,
    };
    let (body, length, validated) = match payload {
        Payload::Whole(plain) => {
            let bytes = match knobs.encoding.and_then(compressor) {
                Some(mut press) => Bytes::from([push(&mut *press, &plain, false), finish(&mut *press)].concat()),
                None => plain,
            };
            let length = Some(bytes.len());
            let body = if knobs.reply == Reply::Reset {
                let half = Step::Data(bytes.slice(..bytes.len() / 2));
                pump.steps = Box::new([half, Step::Abort].into_iter());
                pump.into_body()
            } else if knobs.write_bytes.is_some() || knobs.chunked {
                pump.steps = Box::new([Step::Data(bytes.clone())].into_iter());
                pump.into_body()
            } else {
                Body::from(bytes.clone())
            };
            (body, length, bytes)
        }
        Payload::Long(steps, length) => {
            pump.press = knobs.encoding.and_then(compressor);
            pump.steps = steps;
            let length = pump.press.is_none().then_some(length);
            (pump.into_body(), length, made_up(seq))
        }
        Payload::Events(steps) => {
            pump.press = knobs.encoding.and_then(compressor);
            pump.sync = true;
            pump.steps = steps;
            (pump.into_body(), None, made_up(seq))
        }
    };

    let mut response = Response::new(body);
    *response.status_mut() = knobs.status.unwrap_or(status);
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, content_type);
    if let Some(length) = length.filter(|_| !knobs.chunked) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(encoding) = knobs.encoding {
        set(headers, header::CONTENT_ENCODING, encoding.name());
    }
    if knobs.etag {
        set_validators(headers, &validated);
    }
    response
}

/// What stands in for a body that is not known in advance when its digest is asked for.
fn made_up(seq: u64) -> Bytes {
    Bytes::from(format!("stream {seq}"))
}

fn set_validators(headers: &mut HeaderMap, bytes: &[u8]) {
    let sha256 = Sha256::digest(bytes);
    let base64 = STANDARD.encode(sha256);
    set(headers, header::ETAG, &format!("\"{}\"", hex(&sha256)));
    set(headers, header::ACCEPT_RANGES, "bytes");
    set(headers, HeaderName::from_static("content-md5"), &STANDARD.encode(Md5::digest(bytes)));
    set(headers, HeaderName::from_static("digest"), &format!("sha-256={base64}"));
    set(headers, HeaderName::from_static("content-digest"), &format!("sha-256=:{base64}:"));
    set(headers, HeaderName::from_static("repr-digest"), &format!("sha-256=:{base64}:"));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A compressor whose output collects in memory.
trait Compressor: io::Write + Send {
    /// Ends the compressed stream.
    fn end(&mut self) -> io::Result<()>;
    /// The output since the last call.
    fn take(&mut self) -> Vec<u8>;
}

macro_rules! impl_compressor {
    ($($encoder:ident),*) => {$(
        impl Compressor for $encoder<Vec<u8>> {
            fn end(&mut self) -> io::Result<()> {
                self.try_finish()
            }

            fn take(&mut self) -> Vec<u8> {
                std::mem::take(self.get_mut())
            }
        }
    )*};
}

impl_compressor!(GzEncoder, ZlibEncoder, DeflateEncoder);

fn compressor(encoding: Encoding) -> Option<Box<dyn Compressor>> {
    let level = Compression::fast();
    match encoding {
        Encoding::Gzip => Some(Box::new(GzEncoder::new(Vec::new(), level))),
        Encoding::Deflate => Some(Box::new(ZlibEncoder::new(Vec::new(), level))),
        Encoding::RawDeflate => Some(Box::new(DeflateEncoder::new(Vec::new(), level))),
        Encoding::BogusBrotli => None,
    }
}

/// Compresses `bytes`. With `sync`, what is returned holds all of them.
fn push(press: &mut dyn Compressor, bytes: &[u8], sync: bool) -> Vec<u8> {
    let pushed = press.write_all(bytes).and_then(|()| if sync { press.flush() } else { Ok(()) });
    debug_assert!(pushed.is_ok(), "writing to memory does not fail");
    press.take()
}

fn finish(press: &mut dyn Compressor) -> Vec<u8> {
    let ended = press.end();
    debug_assert!(ended.is_ok(), "writing to memory does not fail");
    press.take()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// All steps are done; what is ready is still to be sent.
    Ending,
    /// As `Ending`, and then the connection breaks.
    Aborting,
    Done,
}

/// Takes the steps of an answer and gives the writes.
struct Pump {
    steps: Steps,
    press: Option<Box<dyn Compressor>>,
    /// Flush the compressor after each step.
    sync: bool,
    ready: BytesMut,
    write_bytes: Option<usize>,
    delay: Duration,
    connection: Connection,
    state: State,
    started: bool,
}

impl Pump {
    fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, async |mut pump| {
            let write = pump.next_write().await?;
            Some((write, pump))
        }))
    }

    async fn next_write(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(write) = self.take_write() {
                // the server flushes what it has when the body is not ready, so that this is a write of its own
                if self.started {
                    tokio::task::yield_now().await;
                }
                self.started = true;
                return Some(Ok(write));
            }
            match self.state {
                State::Running => self.advance().await,
                State::Ending => self.state = State::Done,
                State::Aborting => {
                    tokio::task::yield_now().await;
                    self.connection.reset_on_close();
                    self.state = State::Done;
                    return Some(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                State::Done => return None,
            }
        }
    }

    /// The next write, if enough is ready for it.
    fn take_write(&mut self) -> Option<Bytes> {
        let ready = self.ready.len();
        let size = match self.write_bytes {
            Some(size) if size <= ready => size,
            Some(_) if self.state == State::Running => 0,
            _ => ready,
        };
        (size > 0).then(|| self.ready.split_to(size).freeze())
    }

    async fn advance(&mut self) {
        match self.steps.next() {
            Some(Step::Data(bytes)) => match &mut self.press {
                Some(press) => self.ready.extend_from_slice(&push(&mut **press, &bytes, self.sync)),
                None => self.ready.extend_from_slice(&bytes),
            },
            Some(Step::Pause) if self.delay.is_zero() => {}
            Some(Step::Pause) => tokio::time::sleep(self.delay).await,
            Some(Step::Abort) => self.state = State::Aborting,
            None => {
                if let Some(press) = &mut self.press {
                    self.ready.extend_from_slice(&finish(&mut **press));
                }
                self.state = State::Ending;
            }
        }
    }
}
