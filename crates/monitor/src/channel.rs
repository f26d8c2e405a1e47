//! Listens to a Pub/Sub channel.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use redis::{Client, ErrorKind, RedisError, RedisResult};

use crate::connect::Backoff;
use crate::link::LinkReporter;
use crate::sink::Sink;
use crate::stop::Stop;
use crate::view::SharedView;

/// Longest wait for the subscription.
const SUBSCRIBE: Duration = Duration::from_secs(5);
/// A connection that is silent for so long is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How often the log's second is looked at while nothing comes.
const TICK: Duration = Duration::from_millis(500);

/// Listens until it is told to stop, whatever Redis does meanwhile.
pub(crate) async fn run(
    client: Client,
    channel: String,
    sink: &mut Sink,
    view: SharedView,
    mut link: LinkReporter,
    mut stop: Stop,
) {
    let mut backoff = Backoff::new();
    loop {
        match listen(&client, &channel, sink, &view, &mut link, &mut backoff, &mut stop).await {
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

async fn listen(
    client: &Client,
    channel: &str,
    sink: &mut Sink,
    view: &SharedView,
    link: &mut LinkReporter,
    backoff: &mut Backoff,
    stop: &mut Stop,
) -> RedisResult<()> {
    let subscribing = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        RedisResult::Ok(subscription)
    };
    let subscription = within(SUBSCRIBE, subscribing).await?;
    link.up();
    *backoff = Backoff::new();

    let (mut commands, mut messages) = subscription.split();
    let mut tick = tokio::time::interval(TICK);
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => {
                    if let Some(event) = sink.take(message.get_payload_bytes()) {
                        view.lock().record(&event, now_ms(), 0);
                    }
                }
                None => return Err((ErrorKind::Io, "the connection ended").into()),
            },
            _ = tick.tick() => sink.tick(),
            _ = ping.tick() => within(SUBSCRIBE, commands.ping::<redis::Value>()).await.map(drop)?,
            () = stop.requested() => return Ok(()),
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(RedisError::from((ErrorKind::Io, "no answer in time"))),
    }
}

fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
