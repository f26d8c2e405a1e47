//! Reads a stream as one consumer of a group.

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult, Value, cmd};
use tracing::{info, warn};

use crate::backlog::{Backlog, Id, Tally};
use crate::config::Args;
use crate::connect::{self, Backoff};
use crate::link::LinkReporter;
use crate::metrics::Metrics;
use crate::reply::{self, Consumer, Entry};
use crate::sink::Sink;
use crate::stop::Stop;

/// Longest wait for new entries in one call. A stop waits for its end, so that nothing is fetched and left behind.
const BLOCK: Duration = Duration::from_secs(1);
/// How often the backlog is asked for.
const BACKLOG_EVERY: Duration = Duration::from_secs(5);
/// How often others' abandoned entries are looked for, at most.
const LONGEST_CLAIM_EVERY: Duration = Duration::from_secs(15);
/// Whoever asked for entries in this time may be about to do it again.
const RECENT: Duration = Duration::from_secs(3600);
/// How often consumers that are gone are looked for, at most.
const LONGEST_FORGET_EVERY: Duration = Duration::from_secs(600);

/// One consumer of a group.
pub(crate) struct GroupReader {
    client: Client,
    stream: String,
    group: String,
    consumer: String,
    batch_size: u32,
    claim_idle: Duration,
    forget_idle: Duration,
    metrics: std::sync::Arc<Metrics>,
    tally: Tally,
}

impl GroupReader {
    pub(crate) fn new(client: Client, args: &Args, metrics: std::sync::Arc<Metrics>) -> Self {
        Self {
            client,
            stream: args.stream.clone(),
            group: args.group.clone(),
            consumer: args.consumer(),
            batch_size: args.batch_size,
            claim_idle: args.claim_idle(),
            forget_idle: args.forget_idle(),
            metrics,
            tally: Tally::default(),
        }
    }

    /// Reads until it is told to stop, whatever Redis does meanwhile.
    pub(crate) async fn run(mut self, sink: &mut Sink, mut link: LinkReporter, mut stop: Stop) {
        let mut backoff = Backoff::new();
        loop {
            match self.follow(sink, &mut link, &mut backoff, &stop).await {
                Ok(()) => return,
                Err(error) => link.down(&error),
            }
            sink.tick();
            tokio::select! {
                () = tokio::time::sleep(backoff.wait()) => {}
                () = stop.requested() => return,
            }
        }
    }

    /// Takes what the group has not seen yet, and what this consumer and dead ones left, and ends.
    ///
    /// # Errors
    /// What Redis answered.
    pub(crate) async fn run_once(&mut self, sink: &mut Sink, stop: &Stop) -> RedisResult<()> {
        let mut connection = connect::connection(&self.client, Duration::ZERO).await?;
        self.create_group(&mut connection).await?;
        self.resume(&mut connection, sink, stop).await?;
        self.claim(&mut connection, sink, stop).await?;
        self.ask_backlog(&mut connection).await?;
        while !stop.is_requested() {
            let entries = self.fetch(&mut connection, ">", None).await?;
            if entries.is_empty() {
                break;
            }
            self.process(&mut connection, sink, entries).await?;
        }
        Ok(())
    }

    async fn follow(
        &mut self,
        sink: &mut Sink,
        link: &mut LinkReporter,
        backoff: &mut Backoff,
        stop: &Stop,
    ) -> RedisResult<()> {
        let mut connection = connect::connection(&self.client, BLOCK).await?;
        self.create_group(&mut connection).await?;
        self.resume(&mut connection, sink, stop).await?;
        link.up();
        *backoff = Backoff::new();

        let claim_every = self.claim_idle.min(LONGEST_CLAIM_EVERY);
        let forget_every = self.forget_idle.min(LONGEST_FORGET_EVERY);
        let (mut claimed, mut forgot, mut asked) = (None, None, None);
        while !stop.is_requested() {
            if is_due(&mut claimed, claim_every) {
                self.claim(&mut connection, sink, stop).await?;
            }
            if is_due(&mut forgot, forget_every) {
                self.forget(&mut connection).await?;
            }
            if is_due(&mut asked, BACKLOG_EVERY) {
                // before the first fetch, after which nobody could tell what was trimmed in the meantime
                if let Some(backlog) = self.ask_backlog(&mut connection).await? {
                    link.backlog(backlog);
                }
            }
            let entries = self.fetch(&mut connection, ">", Some(BLOCK)).await?;
            self.process(&mut connection, sink, entries).await?;
            sink.tick();
        }
        Ok(())
    }

    /// A new group begins with the oldest entry that is there: nothing that was sent before is lost to it.
    async fn create_group(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let created: RedisResult<Value> = cmd("XGROUP")
            .arg("CREATE")
            .arg(&self.stream)
            .arg(&self.group)
            .arg("0")
            .arg("MKSTREAM")
            .query_async(connection)
            .await;
        match created {
            Ok(_) => {
                info!(stream = self.stream, group = self.group, "made the consumer group");
                // what was known is of another stream
                self.tally = Tally::default();
                Ok(())
            }
            Err(error) if is_code(&error, "BUSYGROUP") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes again what this consumer has fetched and not acknowledged: in an earlier life, or before the connection
    /// was lost.
    async fn resume(&self, connection: &mut MultiplexedConnection, sink: &mut Sink, stop: &Stop) -> RedisResult<()> {
        let mut after = "0".to_owned();
        let mut resumed = 0;
        while !stop.is_requested() {
            let entries = self.fetch(connection, &after, None).await?;
            let Some(last) = entries.last() else { break };
            after.clone_from(&last.id);
            resumed += entries.len();
            self.process(connection, sink, entries).await?;
        }
        if resumed > 0 {
            info!(events = resumed, "took up events that were not acknowledged before");
        }
        Ok(())
    }

    /// Takes over what other consumers have fetched and not acknowledged for long.
    async fn claim(&self, connection: &mut MultiplexedConnection, sink: &mut Sink, stop: &Stop) -> RedisResult<()> {
        let mut cursor = "0-0".to_owned();
        let (mut taken, mut nameless) = (0, 0);
        loop {
            let answer: Value = cmd("XAUTOCLAIM")
                .arg(&self.stream)
                .arg(&self.group)
                .arg(&self.consumer)
                .arg(u64::try_from(self.claim_idle.as_millis()).unwrap_or(u64::MAX))
                .arg(&cursor)
                .arg("COUNT")
                .arg(self.batch_size)
                .query_async(connection)
                .await?;
            let Some(claimed) = reply::claimed(answer) else { break };
            self.metrics.trimmed(claimed.gone);
            let count = u64::try_from(claimed.entries.len()).unwrap_or(u64::MAX);
            self.metrics.claimed(count);
            taken += count;
            nameless += claimed.nameless;
            self.process(connection, sink, claimed.entries).await?;
            if claimed.cursor == "0-0" {
                break;
            }
            cursor = claimed.cursor;
        }
        if nameless > 0 {
            // now that they are ours, their ids can be asked for
            self.resume(connection, sink, stop).await?;
        }
        if taken > 0 {
            warn!(events = taken, "took over events that another consumer had fetched and not acknowledged");
        }
        Ok(())
    }

    /// Takes consumers off the group that are gone for good. One that lives and for which nothing comes (before Redis 7.2
    /// that counts as silence) is made again by its next entry.
    async fn forget(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let Some(consumers) = self.consumers(connection).await? else { return Ok(()) };
        let silent = |consumer: &Consumer| u128::from(consumer.idle_ms) >= self.forget_idle.as_millis();
        for gone in consumers.into_iter().filter(|found| found.pending == 0 && silent(found)) {
            let mut command = cmd("XGROUP");
            command.arg("DELCONSUMER").arg(&self.stream).arg(&self.group).arg(&gone.name);
            if gone.name != self.consumer && if_allowed(command.query_async::<Value>(connection).await)?.is_some() {
                info!(consumer = gone.name, "took a consumer off the group that is gone for long");
            }
        }
        Ok(())
    }

    async fn fetch(
        &self,
        connection: &mut MultiplexedConnection,
        after: &str,
        block: Option<Duration>,
    ) -> RedisResult<Vec<Entry>> {
        let mut command = cmd("XREADGROUP");
        command.arg("GROUP").arg(&self.group).arg(&self.consumer).arg("COUNT").arg(self.batch_size);
        if let Some(block) = block {
            command.arg("BLOCK").arg(u64::try_from(block.as_millis()).unwrap_or(u64::MAX));
        }
        let answer: Value = command.arg("STREAMS").arg(&self.stream).arg(after).query_async(connection).await?;
        Ok(reply::read(answer))
    }

    /// Counts first and acknowledges then: should this process end in between, the entries come again.
    async fn process(
        &self,
        connection: &mut MultiplexedConnection,
        sink: &mut Sink,
        entries: Vec<Entry>,
    ) -> RedisResult<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut acknowledge = cmd("XACK");
        acknowledge.arg(&self.stream).arg(&self.group);
        for entry in &entries {
            match &entry.event {
                Some(bytes) => {
                    sink.take(bytes);
                }
                None => self.metrics.trimmed(1),
            }
            acknowledge.arg(&entry.id);
        }
        acknowledge.query_async::<()>(connection).await
    }

    /// Asks Redis what waits, and counts what it has trimmed before anybody read it.
    async fn ask_backlog(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<Option<Backlog>> {
        let Some(groups) = self.info("GROUPS", connection).await? else { return Ok(None) };
        let Some(group) = reply::group(groups, &self.group) else { return Ok(None) };
        let Some(stream) = self.info("STREAM", connection).await?.and_then(reply::stream) else { return Ok(None) };
        let (backlog, lost) = self.tally.take(&group, &stream);
        if lost > 0 {
            self.metrics.trimmed(lost);
            warn!(
                events = lost,
                "the stream was trimmed before these events were read; raise event_stream_maxlen, or run more monitors"
            );
        }
        if self.tally.is_off(&group, &stream) {
            self.correct(connection, group.delivered, stream.added.unwrap_or_default()).await?;
        }
        Ok(Some(backlog))
    }

    /// Tells Redis how many entries there were up to the one fetched last. Redis 7.0 counts those that it hands out, also
    /// where others were trimmed in between. This sets the group's place too, so there must be no other reader.
    async fn correct(
        &mut self,
        connection: &mut MultiplexedConnection,
        (ms, sequence): Id,
        read: u64,
    ) -> RedisResult<()> {
        let Some(consumers) = self.consumers(connection).await? else { return Ok(()) };
        let is_recent = |consumer: &Consumer| u128::from(consumer.idle_ms) < RECENT.as_millis();
        if consumers.iter().any(|found| found.name != self.consumer && is_recent(found)) {
            return Ok(());
        }
        let mut command = cmd("XGROUP");
        command.arg("SETID").arg(&self.stream).arg(&self.group).arg(format!("{ms}-{sequence}"));
        if if_allowed(command.arg("ENTRIESREAD").arg(read).query_async::<Value>(connection).await)?.is_some() {
            self.tally.corrected();
        }
        Ok(())
    }

    async fn consumers(&self, connection: &mut MultiplexedConnection) -> RedisResult<Option<Vec<Consumer>>> {
        let answer = cmd("XINFO").arg("CONSUMERS").arg(&self.stream).arg(&self.group).query_async(connection).await;
        Ok(if_allowed(answer)?.map(reply::consumers))
    }

    async fn info(&self, what: &str, connection: &mut MultiplexedConnection) -> RedisResult<Option<Value>> {
        if_allowed(cmd("XINFO").arg(what).arg(&self.stream).query_async(connection).await)
    }
}

/// None where an ACL forbids a command without which everything else works.
fn if_allowed<T>(answer: RedisResult<T>) -> RedisResult<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_code(&error, "NOPERM") => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_code(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code)
}

/// Whether `every` has passed since it was last due; then it is due again.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let is_due = last.is_none_or(|at| at.elapsed() >= every);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}
