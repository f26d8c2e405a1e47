//! `--dump`: everything that is in the stream, on stdout.

use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use redis::{Client, Value, cmd};

use crate::connect;
use crate::event::Event;
use crate::reply;
use crate::stop::Stop;

const COUNT: u32 = 1000;

/// Prints every event, oldest first, and returns how many there were and how many entries were none.
///
/// # Errors
/// A text that says what failed.
pub(crate) async fn run(client: &Client, stream: &str, stop: &Stop) -> Result<(u64, u64), String> {
    let cannot_read = |error| format!("cannot read the stream: {error}");
    let mut connection = connect::connection(client, Duration::ZERO).await.map_err(cannot_read)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut events, mut others) = (0, 0);
    let mut from = "-".to_owned();
    while !stop.is_requested() {
        let answer: Value = cmd("XRANGE")
            .arg(stream)
            .arg(&from)
            .arg("+")
            .arg("COUNT")
            .arg(COUNT)
            .query_async(&mut connection)
            .await
            .map_err(cannot_read)?;
        let entries = reply::entries(answer);
        let Some(last) = entries.last() else { break };
        from = format!("({}", last.id);
        for bytes in entries.iter().filter_map(|entry| entry.event.as_deref()) {
            // what is not an event may hold anything and is not repeated
            if Event::parse(bytes).is_err() {
                others += 1;
                continue;
            }
            events += 1;
            let line = one_line(bytes).unwrap_or_default();
            match writeln!(out, "{line}") {
                // a reader such as head has seen enough
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok((events, others)),
                result => result.map_err(|error| format!("cannot write: {error}"))?,
            }
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok((events, others)),
    }
}

/// The same JSON without line breaks.
fn one_line(bytes: &[u8]) -> serde_json::Result<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes)?;
    serde_json::to_string(&value)
}
