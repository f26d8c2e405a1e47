//! An event as the plugin sends it: `docs/events.schema.json`.

use std::fmt;

use serde::Deserialize;

/// The version of the format that is understood here.
const VERSION: u64 = 1;
/// Longer names of services and routes are no names.
const MAX_NAME_BYTES: usize = 128;
/// The last moment that a browser's `Date` knows, in milliseconds. Nothing that is counted, timed or weighed comes near:
/// larger numbers are somebody's mistake or joke, and would make sums overflow.
const MAX_NUMBER: u64 = 8_640_000_000_000_000;
/// More kinds than the catalog and 100 patterns of one's own could give.
const MAX_KINDS: usize = 1000;

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    /// When the exchange ended, in milliseconds since 1970, by the gateway's clock.
    pub(crate) timestamp: u64,
    /// The gateway node.
    pub(crate) node: String,
    /// With `sequence`: which event it is, should it come twice.
    pub(crate) source: String,
    /// Counts the events of a source.
    pub(crate) sequence: u64,
    /// Events that this source lost before this one.
    pub(crate) dropped: u64,
    /// A fixed word of the format.
    pub(crate) outcome: String,
    /// What the plugin tells only in detail.
    pub(crate) detail: Detail,
    /// What happened.
    pub(crate) happened: Happened,
}

/// Fields of `event_detail: detailed`.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    pub(crate) request_id: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) status: Option<u16>,
    /// Replaced stretches by kind, most frequent first.
    pub(crate) kinds: Vec<(String, u64)>,
}

/// What an event reports.
#[derive(Debug)]
pub(crate) enum Happened {
    /// A request body was examined.
    Masked { time: Microseconds, bytes: Bytes, masked: u64, distinct: u64 },
    /// An answer went through the restorer.
    Unmasked { time: Microseconds, bytes: Bytes, restored: u64, unresolved: u64 },
    /// The answer to a masked request did not go through the restorer.
    RestoreSkipped { reason: String },
    /// A request could not be masked.
    MaskBlocked { reason: String },
    /// Redis failed the plugin, `count` times.
    RedisError { operation: String, reason: String, count: u64 },
}

/// Time spent in the masking library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Microseconds(pub u64);

/// Sizes of a body, before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// Why something is not an event. Never says what it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Malformed {
    /// Not a JSON object with the fields of an event.
    Json,
    /// Of a version that this monitor does not know.
    Version,
    /// A field is missing for its type, or not as the format says.
    Field,
}

impl Malformed {
    /// The value of the metric's label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Version => "version",
            Self::Field => "field",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "not a JSON object with the fields of an event",
            Self::Version => "of a version that this monitor does not know",
            Self::Field => "with a field that is missing or not as the format says",
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    version: u64,
    #[serde(rename = "type")]
    kind: String,
    timestamp: u64,
    node: String,
    source: String,
    sequence: u64,
    outcome: String,
    dropped: Option<u64>,
    reason: Option<String>,
    operation: Option<String>,
    microseconds: Option<u64>,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    masked: Option<u64>,
    distinct: Option<u64>,
    restored: Option<u64>,
    unresolved: Option<u64>,
    count: Option<u64>,
    status: Option<u16>,
    request_id: Option<String>,
    service: Option<String>,
    route: Option<String>,
    kinds: Option<std::collections::BTreeMap<String, u64>>,
}

impl Event {
    /// Reads one event. Fields that a later plugin adds are ignored.
    ///
    /// # Errors
    /// [`Malformed`], which never holds a byte of the input.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }

        let raw: Raw = match serde_json::from_slice(bytes) {
            Ok(raw) => raw,
            Err(_) => {
                return Err(match serde_json::from_slice(bytes) {
                    Ok(Versioned { version }) if version != VERSION => Malformed::Version,
                    _ => Malformed::Json,
                });
            }
        };
        if raw.version != VERSION {
            return Err(Malformed::Version);
        }
        raw.checked().ok_or(Malformed::Field)
    }

    /// The `type` of the event.
    pub(crate) fn kind(&self) -> &'static str {
        match self.happened {
            Happened::Masked { .. } => "data_masked",
            Happened::Unmasked { .. } => "data_unmasked",
            Happened::RestoreSkipped { .. } => "restore_skipped",
            Happened::MaskBlocked { .. } => "mask_blocked",
            Happened::RedisError { .. } => "redis_error",
        }
    }

    /// Whether somebody should look at it.
    pub(crate) fn is_problem(&self) -> bool {
        match &self.happened {
            Happened::Masked { .. } => false,
            Happened::Unmasked { unresolved, .. } => *unresolved > 0 || self.outcome == "failed",
            // the others are as the operator or the protocol wants it
            Happened::RestoreSkipped { reason } => reason == "coding" || reason == "error",
            Happened::MaskBlocked { .. } | Happened::RedisError { .. } => true,
        }
    }
}

impl Raw {
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let optional = [
            self.dropped,
            self.microseconds,
            self.bytes_in,
            self.bytes_out,
            self.masked,
            self.distinct,
            self.restored,
            self.unresolved,
            self.count,
        ];
        let kinds = self.kinds.iter().flatten().map(|(_, count)| *count);
        [self.timestamp, self.sequence].into_iter().chain(optional.into_iter().flatten()).chain(kinds)
    }

    fn checked(self) -> Option<Event> {
        if self.numbers().any(|number| number > MAX_NUMBER) {
            return None;
        }
        let time = self.microseconds.map(Microseconds);
        let bytes = self.bytes_in.zip(self.bytes_out).map(|(before, after)| Bytes { before, after });
        let happened = match self.kind.as_str() {
            "data_masked" => {
                Happened::Masked { time: time?, bytes: bytes?, masked: self.masked?, distinct: self.distinct? }
            }
            "data_unmasked" => Happened::Unmasked {
                time: time?,
                bytes: bytes?,
                restored: self.restored?,
                unresolved: self.unresolved?,
            },
            "restore_skipped" => Happened::RestoreSkipped { reason: word(self.reason?)? },
            "mask_blocked" => Happened::MaskBlocked { reason: word(self.reason?)? },
            "redis_error" => Happened::RedisError {
                operation: word(self.operation?)?,
                reason: word(self.reason?)?,
                count: self.count?,
            },
            _ => return None,
        };
        let mut kinds: Vec<_> = self.kinds.unwrap_or_default().into_iter().collect();
        if kinds.len() > MAX_KINDS || !kinds.iter().all(|(kind, _)| is_kind(kind)) {
            return None;
        }
        kinds.sort_by(|(_, a), (_, b)| b.cmp(a));
        let hex = |text: &String| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !hex(&self.node) || !hex(&self.source) || !self.request_id.iter().all(hex) {
            return None;
        }
        if !self.service.iter().chain(&self.route).all(|name| is_name(name)) {
            return None;
        }
        Some(Event {
            timestamp: self.timestamp,
            node: self.node,
            source: self.source,
            sequence: self.sequence,
            dropped: self.dropped.unwrap_or(0),
            outcome: word(self.outcome)?,
            detail: Detail {
                request_id: self.request_id,
                service: self.service,
                route: self.route,
                status: self.status,
                kinds,
            },
            happened,
        })
    }
}

/// A fixed word of the format: nothing else can be in it.
fn word(text: String) -> Option<String> {
    let fits = (1..=41).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    fits.then_some(text)
}

fn is_kind(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'.' | b'-'))
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn masked() -> Value {
        json!({
            "version": 1, "type": "data_masked", "timestamp": 1_764_000_000_000_u64,
            "node": "0c5a2f5e-9f3a-4d0e-8a55-3b7d9d1e2f60", "source": "00ff00ff00ff", "sequence": 7, "dropped": 3,
            "outcome": "masked", "microseconds": 12, "bytes_in": 100, "bytes_out": 90, "masked": 4, "distinct": 2,
            "kinds": {"arn": 1, "ec2:instance": 3}, "route": "messages", "new_in_a_later_release": {"x": 1},
        })
    }

    fn with(changes: Value) -> Result<Event, Malformed> {
        let mut event = masked();
        for (name, value) in changes.as_object().unwrap() {
            event[name] = value.clone();
        }
        Event::parse(event.to_string().as_bytes())
    }

    #[test]
    fn fields_of_later_releases_are_ignored() {
        let event = Event::parse(masked().to_string().as_bytes()).unwrap();
        assert!(matches!(event.happened, Happened::Masked { masked: 4, distinct: 2, .. }));
        assert_eq!(event.dropped, 3);
        assert_eq!(event.detail.kinds, [("ec2:instance".to_owned(), 3), ("arn".to_owned(), 1)]);
    }

    #[test]
    fn what_is_not_an_event_is_told_apart() {
        assert_eq!(with(json!({"version": 2})).unwrap_err(), Malformed::Version);
        assert_eq!(Event::parse(br#"{"version":2,"shape":"unknown"}"#).unwrap_err(), Malformed::Version);
        assert_eq!(Event::parse(b"").unwrap_err(), Malformed::Json);
        assert_eq!(Event::parse(b"\xff\xfe").unwrap_err(), Malformed::Json);
        assert_eq!(Event::parse(b"[]").unwrap_err(), Malformed::Json);
        assert_eq!(with(json!({"timestamp": -1})).unwrap_err(), Malformed::Json);
        assert_eq!(with(json!({"type": "data_leaked"})).unwrap_err(), Malformed::Field);
        assert_eq!(with(json!({"masked": null})).unwrap_err(), Malformed::Field);
    }

    #[test]
    fn strings_that_could_carry_data_are_refused() {
        for changes in [
            json!({"outcome": "arn:aws:iam::123456789012:role/x"}),
            json!({"node": "i-0f3a9c27be41d8056 is down"}),
            json!({"request_id": "AKIAIOSFODNN7EXAMPLE"}),
            json!({"route": "x".repeat(129)}),
            json!({"service": "line\nbreak"}),
            json!({"kinds": {"Kind with spaces": 1}}),
            json!({"type": "mask_blocked", "reason": "10.0.0.1"}),
        ] {
            assert_eq!(with(changes.clone()).unwrap_err(), Malformed::Field, "{changes}");
        }
    }

    #[test]
    fn numbers_that_no_gateway_counts_to_are_refused() {
        for name in ["timestamp", "sequence", "dropped", "microseconds", "bytes_in", "bytes_out", "masked", "distinct"]
        {
            assert!(with(json!({name: MAX_NUMBER})).is_ok(), "{name}");
            assert_eq!(with(json!({name: MAX_NUMBER + 1})).unwrap_err(), Malformed::Field, "{name}");
        }
        assert_eq!(with(json!({"kinds": {"arn": u64::MAX}})).unwrap_err(), Malformed::Field);
        let error = json!({"type": "redis_error", "operation": "read", "reason": "other", "count": u64::MAX});
        assert_eq!(with(error).unwrap_err(), Malformed::Field);
    }

    /// One event for each way in which the format's schema lets one be.
    fn all_that_the_schema_allows() -> Vec<Value> {
        let schema: Value = serde_json::from_str(include_str!("../../../docs/events.schema.json")).unwrap();
        let words = |field: &Value| match (&field["const"], &field["enum"]) {
            (Value::Null, Value::Null) => vec![json!("BODY_TOO_LARGE")],
            (Value::Null, words) => words.as_array().unwrap().clone(),
            (word, _) => vec![word.clone()],
        };
        let mut events = Vec::new();
        for shape in schema["oneOf"].as_array().unwrap() {
            let fields = &shape["properties"];
            let mut event = json!({
                "version": schema["properties"]["version"]["const"], "type": fields["type"]["const"],
                "timestamp": 0, "node": "0c5a2f5e-9f3a-4d0e-8a55-3b7d9d1e2f60", "source": "00ff00ff00ff", "sequence": 1,
            });
            let required = shape["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            for name in required.clone().filter(|name| schema["properties"][name]["type"] == "integer") {
                event[name] = schema["properties"][name]["minimum"].clone();
            }
            for name in required.chain(["outcome"]).filter(|name| schema["properties"][name]["type"] == "string") {
                event[name] = words(&fields[name])[0].clone();
                for word in words(&fields[name]) {
                    let mut other = event.clone();
                    other[name] = word;
                    other["outcome"] = words(&fields["outcome"])[0].clone();
                    events.push(other);
                }
            }
            for outcome in words(&fields["outcome"]) {
                event["outcome"] = outcome;
                events.push(event.clone());
            }
        }
        events.retain(|event| event["type"] != "redis_error" || event.get("reason").is_some());
        events
    }

    #[test]
    fn whatever_the_schema_allows_is_an_event() {
        let events = all_that_the_schema_allows();
        assert!(events.len() > 25, "{}", events.len());
        for event in events {
            let parsed = Event::parse(event.to_string().as_bytes());
            assert_eq!(parsed.map(|event| event.kind().to_owned()).unwrap(), event["type"], "{event}");
        }
    }
}
