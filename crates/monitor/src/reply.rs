//! What Redis answers to stream commands, taken apart.
//!
//! By hand, because the typed replies of the client fail as a whole when one entry is not as expected: an entry that
//! was trimmed while it waited (no fields), or one that somebody else added.

use redis::Value;

use crate::backlog::{Group, Id, Stream};

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
    /// How many are ours now although they are gone, and under what id is not said (Redis 6).
    pub(crate) nameless: usize,
}

/// None when it is not an answer to XAUTOCLAIM.
pub(crate) fn claimed(value: Value) -> Option<Claimed> {
    let mut parts = items(value).into_iter();
    let cursor = text(parts.next()?)?;
    let claimed = items(parts.next()?);
    let nameless = claimed.iter().filter(|entry| matches!(entry, Value::Nil)).count();
    let entries = claimed.into_iter().filter_map(entry).collect();
    let gone = parts.next().map_or(0, |value| u64::try_from(items(value).len()).unwrap_or(u64::MAX));
    Some(Claimed { cursor, entries, gone, nameless })
}

/// Answer to XINFO STREAM; None when it is not one.
pub(crate) fn stream(value: Value) -> Option<Stream> {
    let mut stream = Stream::default();
    for (name, value) in fields(value) {
        match text(name)?.as_str() {
            "length" => stream.length = number(&value)?,
            "entries-added" => stream.added = number(&value),
            "last-generated-id" => stream.last = id(&text(value)?)?,
            "first-entry" => stream.first = entry(value).and_then(|entry| id(&entry.id)),
            _ => {}
        }
    }
    Some(stream)
}

/// `group` in the answer to XINFO GROUPS.
pub(crate) fn group(value: Value, group: &str) -> Option<Group> {
    items(value).into_iter().find_map(|value| {
        let mut is_it = false;
        let mut found = Group::default();
        for (name, value) in fields(value) {
            match text(name)?.as_str() {
                "name" => is_it = text(value)? == group,
                "pending" => found.pending = number(&value)?,
                "last-delivered-id" => found.delivered = id(&text(value)?)?,
                "entries-read" => found.read = number(&value),
                _ => {}
            }
        }
        is_it.then_some(found)
    })
}

/// A consumer of a group.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    /// Entries that it has fetched and not acknowledged.
    pub(crate) pending: u64,
    /// Milliseconds since it asked for entries.
    pub(crate) idle_ms: u64,
}

/// Consumers in the answer to XINFO CONSUMERS.
pub(crate) fn consumers(value: Value) -> Vec<Consumer> {
    let consumer = |value| {
        let (mut found, mut pending, mut idle) = (None, None, None);
        for (name, value) in fields(value) {
            match text(name)?.as_str() {
                "name" => found = text(value),
                "pending" => pending = number(&value),
                "idle" => idle = number(&value),
                _ => {}
            }
        }
        Some(Consumer { name: found?, pending: pending?, idle_ms: idle? })
    };
    items(value).into_iter().filter_map(consumer).collect()
}

fn fields(value: Value) -> Vec<(Value, Value)> {
    match value {
        // RESP3
        Value::Map(fields) => fields,
        other => pairs(other),
    }
}

fn id(text: &str) -> Option<Id> {
    let (milliseconds, sequence) = text.split_once('-')?;
    Some((milliseconds.parse().ok()?, sequence.parse().ok()?))
}

fn entry(value: Value) -> Option<Entry> {
    let mut parts = items(value).into_iter();
    let id = text(parts.next()?)?;
    let event = match parts.next()? {
        Value::Nil => None,
        other => Some(event(fields(other))),
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
        let six = list(&[bulk("0-0"), list(&[Value::Nil])]);
        let seven = list(&[bulk("5-0"), list(&[]), list(&[bulk("1-0"), bulk("2-0")])]);
        assert_eq!(claimed(six), Some(Claimed { cursor: "0-0".to_owned(), entries: Vec::new(), gone: 0, nameless: 1 }));
        assert_eq!(
            claimed(seven),
            Some(Claimed { cursor: "5-0".to_owned(), entries: Vec::new(), gone: 2, nameless: 0 })
        );
    }

    #[test]
    fn the_group_is_the_one_asked_for() {
        let group_of = |name: &str, read: Value| {
            list(&[
                bulk("name"),
                bulk(name),
                bulk("pending"),
                Value::Int(3),
                bulk("last-delivered-id"),
                bulk("7-1"),
                bulk("entries-read"),
                read,
            ])
        };
        let groups = list(&[group_of("a", Value::Int(1)), group_of("b", Value::Nil)]);
        assert_eq!(group(groups.clone(), "a"), Some(Group { delivered: (7, 1), read: Some(1), pending: 3 }));
        assert_eq!(group(groups.clone(), "b"), Some(Group { delivered: (7, 1), read: None, pending: 3 }));
        assert_eq!(group(groups, "c"), None);
    }

    #[test]
    fn streams_of_redis_6_and_7_and_empty_ones_are_read() {
        let six = [
            bulk("length"),
            Value::Int(2),
            bulk("last-generated-id"),
            bulk("9-0"),
            bulk("groups"),
            Value::Int(1),
            bulk("first-entry"),
            list(&[bulk("8-2"), list(&[bulk("event"), bulk("{}")])]),
        ];
        let expected = Stream { length: 2, added: None, last: (9, 0), first: Some((8, 2)) };
        assert_eq!(stream(list(&six)), Some(expected));
        let seven = [&six[..], &[bulk("entries-added"), Value::Int(9)]].concat();
        assert_eq!(stream(list(&seven)), Some(Stream { added: Some(9), ..expected }));
        let empty =
            [bulk("length"), Value::Int(0), bulk("last-generated-id"), bulk("9-0"), bulk("first-entry"), Value::Nil];
        assert_eq!(stream(list(&empty)), Some(Stream { length: 0, added: None, last: (9, 0), first: None }));
    }
}
