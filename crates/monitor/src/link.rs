//! Whether events can be read, for logs, metrics, `/ready` and the page.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use redis::RedisError;
use serde::Serialize;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::backlog::Backlog;
use crate::metrics::Metrics;

/// While Redis stays away, the log says so this often.
const REMINDER: Duration = Duration::from_secs(60);

/// The connection to Redis as others see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Never was up.
    Connecting,
    /// Events are read.
    Up,
    /// Was up, and is being tried again.
    Down,
}

/// Status, since when, and what waits in Redis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) status: Status,
    pub(crate) since: SystemTime,
    pub(crate) backlog: Option<Backlog>,
}

/// Tells of changes. One reader has it.
pub(crate) struct LinkReporter {
    sender: watch::Sender<Link>,
    metrics: Arc<Metrics>,
    place: String,
    reminded: Option<Instant>,
}

impl LinkReporter {
    pub(crate) fn new(place: String, metrics: Arc<Metrics>) -> (Self, watch::Receiver<Link>) {
        let link = Link { status: Status::Connecting, since: SystemTime::now(), backlog: None };
        let (sender, receiver) = watch::channel(link);
        (Self { sender, metrics, place, reminded: None }, receiver)
    }

    /// Events can be read.
    pub(crate) fn up(&mut self) {
        info!(redis = self.place, "reading events");
        self.reminded = None;
        self.change(Status::Up);
    }

    /// They cannot.
    pub(crate) fn down(&mut self, error: &RedisError) {
        let status = self.sender.borrow().status;
        if status == Status::Up {
            self.metrics.reconnected();
        }
        if self.reminded.is_none_or(|at| at.elapsed() >= REMINDER) {
            self.reminded = Some(Instant::now());
            warn!(redis = self.place, %error, "cannot read events; trying again until it works");
        }
        self.change(if status == Status::Connecting { Status::Connecting } else { Status::Down });
    }

    /// What waits in Redis.
    pub(crate) fn backlog(&self, backlog: Backlog) {
        self.metrics.backlog(backlog);
        self.sender.send_modify(|link| link.backlog = Some(backlog));
    }

    fn change(&self, status: Status) {
        self.metrics.redis_up(status == Status::Up);
        self.sender.send_if_modified(|link| {
            let is_change = link.status != status;
            if is_change {
                link.status = status;
                link.since = SystemTime::now();
            }
            is_change
        });
    }
}
