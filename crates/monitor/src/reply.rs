//! What Redis answers to stream commands, taken apart.
//!
//! By hand, because the typed replies of the client fail as a whole when one entry is not as expected: an entry that
//! was trimmed while it waited (no fields), or one that somebody else added.

use redis::Value;

/// Name of the field that holds an event.
pub(crate) const FIELD: &[u8] = b"event";

/// One entry of a stream.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// `MILLISECONDS-SEQUENCE`.
    pub(crate) id: String,
    /// The bytes of the event. None where the entry has been deleted from the stream, empty where it holds no event.
    pub(crate) event: Option<Vec<u8>>,
}

impl Entry {
    /// When Redis took it, in milliseconds since 1970.
    pub(crate) fn added_ms(&self) -> Option<u64> {
        self.id.split_once('-')?.0.parse().ok()
    }
}

/// Entries of the only stream in the answer to XREAD and XREADGROUP; none when the wait ended without any.
pub(crate) fn read(value: Value) -> Vec<Entry> {
    let streams = match value {
        // RESP3
        Value::Map(pairs) => return pairs.into_iter().next().map(|(_, value)| entries(value)).unwrap_or_default(),
        other => items(other),
    };
    match streams.into_iter().next() {
        Some(Value::Array(mut stream)) => stream.pop().map(entries).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Entries in the answer to XRANGE.
pub(crate) fn entries(value: Value) -> Vec<Entry> {
    items(value).into_iter().filter_map(entry).collect()
}

/// Answer to XAUTOCLAIM.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Claimed {
    /// Where the next call goes on; `0-0` when all have been looked at.
    pub(crate) cursor: String,
    /// Entries that are ours now.
    pub(crate) entries: Vec<Entry>,
    /// How many were gone from the stream and have been forgotten (Redis 7).
    pub(crate) gone: u64,
}

/// None when it is not an answer to XAUTOCLAIM.
pub(crate) fn claimed(value: Value) -> Option<Claimed> {
    let mut parts = items(value).into_iter();
    let cursor = text(parts.next()?)?;
    let entries = entries(parts.next()?);
    let gone = parts.next().map_or(0, |value| u64::try_from(items(value).len()).unwrap_or(u64::MAX));
    Some(Claimed { cursor, entries, gone })
}

/// What a group still has before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Backlog {
    /// Entries not yet fetched by any consumer; None where Redis does not know (before 7, or after deletions).
    pub(crate) waiting: Option<u64>,
    /// Entries fetched and not acknowledged.
    pub(crate) pending: u64,
}

/// The backlog of `group` in the answer to XINFO GROUPS.
pub(crate) fn backlog(value: Value, group: &str) -> Option<Backlog> {
    items(value).into_iter().find_map(|value| {
        let fields: Vec<(Value, Value)> = match value {
            Value::Map(fields) => fields,
            other => pairs(other),
        };
        let mut is_it = false;
        let mut backlog = Backlog::default();
        for (name, value) in fields {
            match text(name)?.as_str() {
                "name" => is_it = text(value)? == group,
                "pending" => backlog.pending = number(&value)?,
                "lag" => backlog.waiting = number(&value),
                _ => {}
            }
        }
        is_it.then_some(backlog)
    })
}

fn entry(value: Value) -> Option<Entry> {
    let mut parts = items(value).into_iter();
    let id = text(parts.next()?)?;
    let event = match parts.next()? {
        Value::Nil => None,
        Value::Map(fields) => Some(event(fields)),
        fields => Some(event(pairs(fields))),
    };
    Some(Entry { id, event })
}

fn event(fields: Vec<(Value, Value)>) -> Vec<u8> {
    fields
        .into_iter()
        .find_map(|(name, value)| match (name, value) {
            (Value::BulkString(name), Value::BulkString(value)) if name == FIELD => Some(value),
            _ => None,
        })
        .unwrap_or_default()
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn pairs(value: Value) -> Vec<(Value, Value)> {
    let mut values = items(value).into_iter();
    std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn list(values: &[Value]) -> Value {
        Value::Array(values.to_vec())
    }

    #[test]
    fn entries_without_fields_and_of_others_survive() {
        let value = list(&[list(&[
            bulk("masking:events:stream"),
            list(&[
                list(&[bulk("1-0"), list(&[bulk("other"), bulk("x"), bulk("event"), bulk("{}")])]),
                list(&[bulk("2-0"), Value::Nil]),
                list(&[bulk("3-7"), list(&[bulk("other"), bulk("x")])]),
            ]),
        ])]);
        let found = read(value);
        let events: Vec<_> = found.iter().map(|entry| entry.event.as_deref()).collect();
        assert_eq!(events, [Some(&b"{}"[..]), None, Some(&b""[..])]);
        assert_eq!(found[2].added_ms(), Some(3));
    }

    #[test]
    fn a_wait_that_ended_is_no_entries() {
        assert_eq!(read(Value::Nil), []);
    }

    #[test]
    fn claims_of_redis_6_and_7_are_read() {
        let six = list(&[bulk("0-0"), list(&[])]);
        let seven = list(&[bulk("5-0"), list(&[]), list(&[bulk("1-0"), bulk("2-0")])]);
        assert_eq!(claimed(six), Some(Claimed { cursor: "0-0".to_owned(), entries: Vec::new(), gone: 0 }));
        assert_eq!(claimed(seven), Some(Claimed { cursor: "5-0".to_owned(), entries: Vec::new(), gone: 2 }));
    }

    #[test]
    fn the_backlog_is_that_of_the_group() {
        let group = |name: &str, lag: Value| {
            list(&[bulk("name"), bulk(name), bulk("pending"), Value::Int(3), bulk("lag"), lag])
        };
        let groups = list(&[group("a", Value::Int(1)), group("b", Value::Nil)]);
        assert_eq!(backlog(groups.clone(), "a"), Some(Backlog { waiting: Some(1), pending: 3 }));
        assert_eq!(backlog(groups.clone(), "b"), Some(Backlog { waiting: None, pending: 3 }));
        assert_eq!(backlog(groups, "c"), None);
    }
}
