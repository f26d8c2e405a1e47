//! What `/metrics` shows.

use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::backlog::Backlog;
use crate::event::{Event, Happened, Malformed, Microseconds};
use crate::label::Values;

/// Distinct values of a label beyond which new ones are called `other`.
const MAX_NODES: usize = 64;
const MAX_ROUTES: usize = 128;
const MAX_WORDS: usize = 32;
/// Kinds of the operator's own patterns; those of the catalog are known and never `other`.
const MAX_CUSTOM_KINDS: usize = 64;

/// Upper bounds in seconds: from a small request at microseconds to a pathological one.
const TIME_BUCKETS: [f64; 18] = [
    5e-6, 10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 200e-3, 500e-3,
    1.0, 5.0,
];

macro_rules! label_sets {
    ($($name:ident { $($label:ident),* })*) => {
        $(#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
        struct $name { $($label: Arc<str>),* })*
    };
}

label_sets! {
    OfNode { node }
    OfKind { kind }
    OfReason { reason }
    OfExchange { outcome, node }
    OfAnswer { outcome, node }
    OfBlock { reason, outcome, node }
    OfRoute { service, route, outcome }
    OfRedisError { operation, reason, node }
}

/// Why something was not an event, as a label.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfMalformed {
    why: &'static str,
}

/// Type of an event, as a label.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfType {
    r#type: &'static str,
}

type Counters<L> = Family<L, Counter>;

/// All metrics of the process.
pub(crate) struct Metrics {
    registry: Registry,
    names: Names,

    events: Counters<OfType>,
    requests: Counters<OfExchange>,
    answers: Counters<OfAnswer>,
    blocked: Counters<OfBlock>,
    skipped: Counters<OfReason>,
    routes: Counters<OfRoute>,
    masked: Counter,
    distinct: Counter,
    kinds: Counters<OfKind>,
    dry_run_kinds: Counters<OfKind>,
    restored: Counter,
    unresolved: Counters<OfNode>,
    request_bytes: Counter,
    answer_bytes: Counter,
    mask_time: Histogram,
    restore_time: Histogram,
    redis_errors: Counters<OfRedisError>,
    dropped: Counters<OfNode>,

    malformed: Counters<OfMalformed>,
    repeated: Counter,
    claimed: Counter,
    trimmed: Counter,
    suppressed: Counter,
    redis_up: Gauge,
    reconnects: Counter,
    waiting: Gauge<i64>,
    pending: Gauge<i64>,
    viewers: Gauge,
}

struct Names {
    nodes: Values,
    services: Values,
    routes: Values,
    outcomes: Values,
    reasons: Values,
    operations: Values,
    custom_kinds: Values,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("aws_masker"),
            names: Names {
                nodes: Values::new(MAX_NODES),
                services: Values::new(MAX_ROUTES),
                routes: Values::new(MAX_ROUTES),
                outcomes: Values::new(MAX_WORDS),
                reasons: Values::new(MAX_WORDS),
                operations: Values::new(MAX_WORDS),
                custom_kinds: Values::new(MAX_CUSTOM_KINDS),
            },
            events: Family::default(),
            requests: Family::default(),
            answers: Family::default(),
            blocked: Family::default(),
            skipped: Family::default(),
            routes: Family::default(),
            masked: Counter::default(),
            distinct: Counter::default(),
            kinds: Family::default(),
            dry_run_kinds: Family::default(),
            restored: Counter::default(),
            unresolved: Family::default(),
            request_bytes: Counter::default(),
            answer_bytes: Counter::default(),
            mask_time: Histogram::new(TIME_BUCKETS),
            restore_time: Histogram::new(TIME_BUCKETS),
            redis_errors: Family::default(),
            dropped: Family::default(),
            malformed: Family::default(),
            repeated: Counter::default(),
            claimed: Counter::default(),
            trimmed: Counter::default(),
            suppressed: Counter::default(),
            redis_up: Gauge::default(),
            reconnects: Counter::default(),
            waiting: Gauge::default(),
            pending: Gauge::default(),
            viewers: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let Self { registry: r, .. } = self;
        r.register("events", "Events counted, each once", self.events.clone());
        r.register(
            "requests",
            "Requests whose body was examined or could not be, by what came of it",
            self.requests.clone(),
        );
        r.register("answers", "Answers to masked requests, by what came of them", self.answers.clone());
        r.register(
            "blocked",
            "Requests that could not be masked, by reason and by what came of them",
            self.blocked.clone(),
        );
        r.register("restore_skipped", "Answers to masked requests that were not looked at", self.skipped.clone());
        r.register(
            "route_requests",
            "Requests by route, where the plugin's event_detail is detailed",
            self.routes.clone(),
        );
        r.register("masked_stretches", "Stretches of requests that were replaced by tokens", self.masked.clone());
        r.register("masked_originals", "Different originals among them, per request", self.distinct.clone());
        r.register("masked_by_kind", "Replaced stretches by kind, where event_detail is detailed", self.kinds.clone());
        r.register("dry_run_by_kind", "What dry runs would have replaced, by kind", self.dry_run_kinds.clone());
        r.register("restored_tokens", "Tokens of answers that were turned back", self.restored.clone());
        r.register(
            "unresolved_tokens",
            "Token-like stretches of answers that nothing is known for",
            self.unresolved.clone(),
        );
        r.register_with_unit("request", "Examined request bodies", Unit::Bytes, self.request_bytes.clone());
        r.register_with_unit("answer", "Restored answer bodies", Unit::Bytes, self.answer_bytes.clone());
        r.register_with_unit("mask", "Time the masking of one request took", Unit::Seconds, self.mask_time.clone());
        r.register_with_unit(
            "restore",
            "Time the restoring of one answer took",
            Unit::Seconds,
            self.restore_time.clone(),
        );
        r.register("redis_errors", "Times Redis failed the plugin", self.redis_errors.clone());
        r.register(
            "dropped_events",
            "Events that the plugin made and lost before they reached Redis",
            self.dropped.clone(),
        );

        let r = r.sub_registry_with_prefix("monitor");
        r.register("build", "Version of the monitor", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        r.register("malformed_events", "Entries and messages that are not events", self.malformed.clone());
        r.register("repeated_events", "Events that came again and were not counted again", self.repeated.clone());
        r.register("claimed_events", "Events taken over from a consumer that had stopped", self.claimed.clone());
        r.register("trimmed_events", "Events trimmed from the stream before they were read", self.trimmed.clone());
        r.register("suppressed_log_lines", "Events left out of the log because of --log-rate", self.suppressed.clone());
        r.register("redis_up", "1 while events can be read", self.redis_up.clone());
        r.register("redis_reconnects", "Connections to Redis that were lost", self.reconnects.clone());
        r.register(
            "stream_waiting",
            "Events that no consumer of the group has fetched; -1 unknown",
            self.waiting.clone(),
        );
        r.register(
            "stream_pending",
            "Events that consumers of the group have fetched and not acknowledged",
            self.pending.clone(),
        );
        r.register("page_viewers", "Browsers that have the live page open", self.viewers.clone());
    }

    /// Counts an event.
    pub(crate) fn record(&self, event: &Event) {
        let names = &self.names;
        let node = names.nodes.bounded(&event.node);
        let outcome = names.outcomes.bounded(&event.outcome);
        self.events.get_or_create(&OfType { r#type: event.kind() }).inc();
        if event.dropped > 0 {
            self.dropped.get_or_create(&OfNode { node: node.clone() }).inc_by(event.dropped);
        }
        match &event.happened {
            Happened::Masked { time, bytes, masked, distinct } => {
                self.mask_time.observe(seconds(*time));
                self.request_bytes.inc_by(bytes.before);
                // a dry run replaces nothing
                let is_dry_run = event.outcome == "dry_run";
                if !is_dry_run {
                    self.masked.inc_by(*masked);
                    self.distinct.inc_by(*distinct);
                }
                let kinds = if is_dry_run { &self.dry_run_kinds } else { &self.kinds };
                for (kind, count) in &event.detail.kinds {
                    kinds.get_or_create(&OfKind { kind: self.kind(kind) }).inc_by(*count);
                }
                self.record_request(event, &outcome, node);
            }
            Happened::Unmasked { time, bytes, restored, unresolved } => {
                self.restore_time.observe(seconds(*time));
                self.answer_bytes.inc_by(bytes.before);
                self.restored.inc_by(*restored);
                if *unresolved > 0 {
                    self.unresolved.get_or_create(&OfNode { node: node.clone() }).inc_by(*unresolved);
                }
                self.answers.get_or_create(&OfAnswer { outcome, node }).inc();
            }
            Happened::RestoreSkipped { reason } => {
                self.skipped.get_or_create(&OfReason { reason: names.reasons.bounded(reason) }).inc();
                self.answers.get_or_create(&OfAnswer { outcome, node }).inc();
            }
            Happened::MaskBlocked { reason } => {
                let reason = names.reasons.bounded(reason);
                let labels = OfBlock { reason, outcome: outcome.clone(), node: node.clone() };
                self.blocked.get_or_create(&labels).inc();
                self.record_request(event, &outcome, node);
            }
            Happened::RedisError { operation, reason, count } => {
                let (operation, reason) = (names.operations.bounded(operation), names.reasons.bounded(reason));
                self.redis_errors.get_or_create(&OfRedisError { operation, reason, node }).inc_by(*count);
            }
        }
    }

    fn record_request(&self, event: &Event, outcome: &Arc<str>, node: Arc<str>) {
        self.requests.get_or_create(&OfExchange { outcome: outcome.clone(), node }).inc();
        if let Some(route) = &event.detail.route {
            let service = self.names.services.bounded(event.detail.service.as_deref().unwrap_or_default());
            let route = self.names.routes.bounded(route);
            self.routes.get_or_create(&OfRoute { service, route, outcome: outcome.clone() }).inc();
        }
    }

    fn kind(&self, name: &str) -> Arc<str> {
        match crate::kind::of_catalog(name) {
            Some(kind) => kind.name.into(),
            None => self.names.custom_kinds.bounded(name),
        }
    }

    pub(crate) fn malformed(&self, why: Malformed) {
        self.malformed.get_or_create(&OfMalformed { why: why.name() }).inc();
    }

    pub(crate) fn repeated(&self) {
        self.repeated.inc();
    }

    pub(crate) fn claimed(&self, events: u64) {
        self.claimed.inc_by(events);
    }

    pub(crate) fn trimmed(&self, events: u64) {
        self.trimmed.inc_by(events);
    }

    pub(crate) fn suppressed(&self, lines: u64) {
        self.suppressed.inc_by(lines);
    }

    pub(crate) fn redis_up(&self, is_up: bool) {
        self.redis_up.set(is_up.into());
    }

    pub(crate) fn reconnected(&self) {
        self.reconnects.inc();
    }

    pub(crate) fn backlog(&self, backlog: Backlog) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.waiting.set(backlog.waiting.map_or(-1, signed));
        self.pending.set(signed(backlog.pending));
    }

    pub(crate) fn viewers(&self, viewers: usize) {
        self.viewers.set(i64::try_from(viewers).unwrap_or(i64::MAX));
    }

    /// The exposition text and its content type, for a client that sends `accept`.
    pub(crate) fn text(&self, accept: &str) -> (&'static str, String) {
        let mut body = String::with_capacity(16 * 1024);
        // writing into a String does not fail
        if accept.contains("application/openmetrics-text") {
            let _ = text::encode(&mut body, &self.registry);
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", body)
        } else {
            let _ = prometheus_text::encode(&mut body, &self.registry);
            ("text/plain; version=0.0.4; charset=utf-8", body)
        }
    }
}

fn seconds(time: Microseconds) -> f64 {
    std::time::Duration::from_micros(time.0).as_secs_f64()
}
