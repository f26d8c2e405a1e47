//! Where events end: counted once, and logged.

use std::sync::Arc;

use tracing::warn;

use crate::event::{Event, Malformed};
use crate::log::EventLog;
use crate::metrics::Metrics;
use crate::seen::Seen;

/// Counts and logs events.
pub(crate) struct Sink {
    metrics: Arc<Metrics>,
    log: EventLog,
    seen: Seen,
    has_warned: bool,
    counted: u64,
}

impl Sink {
    pub(crate) fn new(metrics: Arc<Metrics>, log: EventLog) -> Self {
        Self { metrics, log, seen: Seen::default(), has_warned: false, counted: 0 }
    }

    /// Takes what should be an event; gives it back when it is one that was not there before.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Event> {
        match Event::parse(bytes) {
            Ok(event) if self.seen.is_new(&event.source, event.sequence) => {
                self.counted += 1;
                self.metrics.record(&event);
                self.log.write(&event);
                Some(event)
            }
            Ok(_) => {
                self.metrics.repeated();
                None
            }
            Err(why) => {
                self.malformed(why);
                None
            }
        }
    }

    /// Called now and then, so that what the log left out is reported also when nothing follows.
    pub(crate) fn tick(&mut self) {
        self.log.tick();
    }

    /// The last call.
    pub(crate) fn flush(&mut self) {
        self.log.flush();
    }

    /// Events taken so far.
    pub(crate) fn counted(&self) -> u64 {
        self.counted
    }

    /// Counted always, logged once: whoever can write to the stream must not be able to fill the disk.
    fn malformed(&mut self, why: Malformed) {
        self.metrics.malformed(why);
        if !self.has_warned {
            self.has_warned = true;
            warn!("left out an entry {why}; further ones are only counted");
        }
    }
}
