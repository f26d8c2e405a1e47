//! Reads the end of a stream for the page, beside the group.
//!
//! Monitors of one group share its events, but whoever opens the page of one of them wants to see all, and what was
//! before it started. So the page has a reader of its own that takes nothing away from anybody.

use std::time::Duration;

use redis::{Client, RedisResult, Value, cmd};

use crate::connect::{self, Backoff};
use crate::event::Event;
use crate::reply;
use crate::seen::Seen;
use crate::stop::Stop;
use crate::view::{self, SharedView};

const BLOCK: Duration = Duration::from_secs(1);
const COUNT: u32 = 1000;

/// Shows events as they come until it is told to stop.
pub(crate) async fn run(client: Client, stream: String, view: SharedView, mut stop: Stop) {
    let mut backoff = Backoff::new();
    let mut seen = Seen::default();
    let mut last = None;
    loop {
        if follow(&client, &stream, &view, &mut seen, &mut last, &mut backoff, &stop).await.is_ok() {
            return;
        }
        // the group's reader tells of it
        tokio::select! {
            () = tokio::time::sleep(backoff.wait()) => {}
            () = stop.requested() => return,
        }
    }
}

async fn follow(
    client: &Client,
    stream: &str,
    view: &SharedView,
    seen: &mut Seen,
    last: &mut Option<String>,
    backoff: &mut Backoff,
    stop: &Stop,
) -> RedisResult<()> {
    let mut connection = connect::connection(client, BLOCK).await?;
    let mut after = match last.take() {
        Some(id) => id,
        None => {
            // by the clock that made the ids
            let (seconds, _): (u64, u64) = cmd("TIME").query_async(&mut connection).await?;
            format!("{}-0", seconds.saturating_sub(view::WINDOW_SECONDS) * 1000)
        }
    };
    while !stop.is_requested() {
        let read: RedisResult<Value> = cmd("XREAD")
            .arg("COUNT")
            .arg(COUNT)
            .arg("BLOCK")
            .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX))
            .arg("STREAMS")
            .arg(stream)
            .arg(&after)
            .query_async(&mut connection)
            .await;
        *last = Some(after.clone());
        let entries = reply::read(read?);
        *backoff = Backoff::new();
        let Some(entry) = entries.last() else { continue };
        after.clone_from(&entry.id);
        let mut view = view.lock();
        for entry in &entries {
            let Some(bytes) = &entry.event else { continue };
            if let Ok(event) = Event::parse(bytes)
                && seen.is_new(&event.source, event.sequence)
            {
                view.record(&event, entry.added_ms().unwrap_or(event.timestamp));
            }
        }
    }
    Ok(())
}
