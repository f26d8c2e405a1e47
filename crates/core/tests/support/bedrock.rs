//! Messages of AWS event streams, made and read by the specification.

use flate2::Crc;

pub const TYPE: &str = "application/vnd.amazon.eventstream";

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

fn header(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![u8::try_from(name.len()).unwrap()];
    out.extend_from_slice(name.as_bytes());
    out.push(7);
    out.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
    out.extend_from_slice(value.as_bytes());
    out
}

pub fn message(event_type: &str, payload: &[u8]) -> Vec<u8> {
    message_with(&[header(":event-type", event_type), header(":message-type", "event")].concat(), payload)
}

/// What ends a stream that goes wrong.
#[allow(dead_code)]
pub fn exception(exception_type: &str, payload: &[u8]) -> Vec<u8> {
    message_with(&[header(":exception-type", exception_type), header(":message-type", "exception")].concat(), payload)
}

fn message_with(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(16 + headers.len() + payload.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc(&out));
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc(&out));
    out
}

/// The headers and payloads of a stream; checks lengths and checksums.
pub fn messages(mut stream: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut out = Vec::new();
    while !stream.is_empty() {
        let number = |at: usize| u32::from_be_bytes(*stream[at..].first_chunk().unwrap()) as usize;
        let (total, headers) = (number(0), number(4));
        assert_eq!(crc(&stream[..8]), stream[8..12]);
        assert_eq!(crc(&stream[..total - 4]), stream[total - 4..total]);
        out.push((stream[12..12 + headers].to_vec(), stream[12 + headers..total - 4].to_vec()));
        stream = &stream[total..];
    }
    out
}
