//! The log: what happens to the monitor, and the events, so many a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Level, info, warn};
use tracing_subscriber::fmt;

use crate::config::{Detail, LogFormat};
use crate::event::{Event, Happened};
use crate::metrics::Metrics;

const SECOND: Duration = Duration::from_secs(1);

/// Sends everything that is logged from now on to stderr.
pub(crate) fn init(format: LogFormat) {
    // a line that cannot be written (the disk is full, nobody reads the pipe) is lost; to report that on the same stderr
    // would end the process
    let lines = fmt().with_max_level(Level::INFO).with_writer(std::io::stderr).with_target(false);
    let lines = lines.log_internal_errors(false);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Human => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            lines.with_ansi(is_terminal && std::env::var_os("NO_COLOR").is_none()).init();
        }
    }
}

/// Logs events, at most so many a second. The others are counted, and their number is logged when the second is over.
pub(crate) struct EventLog {
    detail: Detail,
    rate: u32,
    metrics: Arc<Metrics>,
    second: Instant,
    logged: u32,
    suppressed: u64,
}

impl EventLog {
    pub(crate) fn new(detail: Detail, rate: u32, metrics: Arc<Metrics>) -> Self {
        Self { detail, rate, metrics, second: Instant::now(), logged: 0, suppressed: 0 }
    }

    /// Logs an event or counts it.
    pub(crate) fn write(&mut self, event: &Event) {
        self.tick();
        if self.logged < self.rate {
            self.logged += 1;
            line(event, self.detail);
        } else {
            self.suppressed += 1;
        }
    }

    /// Starts the next second when it is time, and reports what the last one suppressed.
    pub(crate) fn tick(&mut self) {
        if self.second.elapsed() >= SECOND {
            self.flush();
            self.second = Instant::now();
            self.logged = 0;
        }
    }

    /// Reports what was suppressed.
    pub(crate) fn flush(&mut self) {
        let suppressed = std::mem::take(&mut self.suppressed);
        if suppressed > 0 {
            self.metrics.suppressed(suppressed);
            // --log-rate 0 is a wish, not a flood
            if self.rate > 0 {
                info!(suppressed, log_rate = self.rate, "more events than --log-rate lets into the log");
            }
        }
    }
}

fn line(event: &Event, detail: Detail) {
    let detail = (detail == Detail::Detailed).then_some(&event.detail);
    let request_id = detail.and_then(|detail| detail.request_id.as_deref());
    let service = detail.and_then(|detail| detail.service.as_deref());
    let route = detail.and_then(|detail| detail.route.as_deref());
    let status = detail.and_then(|detail| detail.status);
    let kinds = detail.filter(|detail| !detail.kinds.is_empty()).map(|detail| kinds(&detail.kinds));
    let kinds = kinds.as_deref();
    let dropped = (event.dropped > 0).then_some(event.dropped);
    let (at, node, outcome) = (event.timestamp, &*event.node, &*event.outcome);

    macro_rules! write {
        ($macro:ident, $($fields:tt)*) => {
            $macro!(at, node, outcome, $($fields)*, dropped, request_id, service, route, status, kinds,
                    "{}", event.kind())
        };
    }
    match &event.happened {
        Happened::Masked { time, bytes, masked, distinct } => {
            write!(info, masked, distinct, microseconds = time.0, bytes_in = bytes.before, bytes_out = bytes.after);
        }
        Happened::Unmasked { time, bytes, restored, unresolved } => {
            write!(info, restored, unresolved, microseconds = time.0, bytes_in = bytes.before, bytes_out = bytes.after);
        }
        Happened::RestoreSkipped { reason } => write!(info, reason),
        Happened::MaskBlocked { reason } => write!(warn, reason),
        Happened::RedisError { operation, reason, count } => write!(warn, operation, reason, count),
    }
}

/// `ec2:instance=3 arn=1`
fn kinds(kinds: &[(String, u64)]) -> String {
    let parts: Vec<_> = kinds.iter().map(|(kind, count)| format!("{kind}={count}")).collect();
    parts.join(" ")
}
