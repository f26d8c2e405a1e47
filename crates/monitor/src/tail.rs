//! Reads the end of a stream for the page, beside the group.
//!
//! Monitors of one group share its events, but whoever opens the page of one of them wants to see all, and what was
//! before it started. So the page has a reader of its own that takes nothing away from anybody.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult, Value, cmd};

use crate::connect::{self, Backoff};
use crate::event::Event;
use crate::reply;
use crate::seen::Seen;
use crate::stop::Stop;
use crate::view::{self, SharedView};

const BLOCK: Duration = Duration::from_secs(1);
const COUNT: u32 = 1000;
/// How often Redis is asked what time it is: either clock may be set.
const COMPARE_EVERY: Duration = Duration::from_secs(60);

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
    // the ids of entries are by that clock
    let mut time = time_of(&mut connection).await?;
    let mut compared = Instant::now();
    let mut after = match last.take() {
        Some(id) => id,
        None => format!("{}-0", time.milliseconds.saturating_sub(view::WINDOW_SECONDS * 1000)),
    };
    while !stop.is_requested() {
        if compared.elapsed() >= COMPARE_EVERY {
            time = time_of(&mut connection).await?;
            compared = Instant::now();
        }
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
                view.record(&event, entry.added_ms().unwrap_or(event.timestamp), time.ahead_ms);
            }
        }
    }
    Ok(())
}

/// What time it is for Redis.
struct Time {
    milliseconds: u64,
    /// How far our clock is before it.
    ahead_ms: i64,
}

async fn time_of(connection: &mut MultiplexedConnection) -> RedisResult<Time> {
    let (seconds, microseconds): (u64, u64) = cmd("TIME").query_async(connection).await?;
    let milliseconds = seconds.saturating_mul(1000).saturating_add(microseconds / 1000);
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ours = i64::try_from(ours.as_millis()).unwrap_or(i64::MAX);
    let theirs = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    Ok(Time { milliseconds, ahead_ms: ours.saturating_sub(theirs) })
}
