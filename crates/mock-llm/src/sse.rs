//! Server-sent events and the steps an answer is sent in.

use bytes::Bytes;

/// One step of sending an answer.
pub(crate) enum Step {
    /// Bytes that belong together: an event, or a stretch of a long body.
    Data(Bytes),
    /// Wait as long as the request asked for between deltas.
    Pause,
    /// Break the connection.
    Abort,
}

/// The steps of one answer, made as they are needed.
pub(crate) type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// An event with a name, as Anthropic sends it.
pub(crate) fn named(name: &str, json: &str) -> Step {
    Step::Data(Bytes::from(format!("event: {name}\ndata: {json}\n\n")))
}

/// An event without a name, as OpenAI sends it.
pub(crate) fn unnamed(json: &str) -> Step {
    Step::Data(Bytes::from(format!("data: {json}\n\n")))
}
