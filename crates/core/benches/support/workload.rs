//! What is measured: requests as they come, and texts made to be slow.

use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig, Lanes};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;

use super::agent;
use super::answer::{self, Format};
use super::payload::{Density, request};

/// Something to run again and again; a round gives how many bytes came out, or how much was found.
pub struct Workload {
    /// How many bytes one round goes through.
    pub bytes: usize,
    pub run: Box<dyn FnMut() -> usize>,
}

const KB: usize = 1 << 10;
/// Size of the texts that are made to be slow.
const SLOW: usize = 256 * KB;

/// Requests: name, size, density, bytes for an identifier.
const REQUESTS: &[(&str, usize, Density, usize)] = &[
    ("clean-4k", 4 * KB, Density::Clean, 0),
    ("clean-256k", 256 * KB, Density::Clean, 0),
    ("dense-4k", 4 * KB, Density::Dense, 160),
    ("dense-256k", 256 * KB, Density::Dense, 160),
];

/// The default of `scan_cache_size`.
const MEMORY: usize = 1 << 20;

/// Requests of coding agents whose last turn alone is new, and such as were sent before: name, size, density.
const TURNS: &[(&str, usize, Density)] =
    &[("next-turn-clean-256k", 256 * KB, Density::Clean), ("next-turn-dense-256k", 256 * KB, Density::Dense)];
const AGAIN: &[(&str, usize, Density)] = &[
    ("again-clean-4k", 4 * KB, Density::Clean),
    ("again-dense-4k", 4 * KB, Density::Dense),
    ("again-dense-256k", 256 * KB, Density::Dense),
];

/// Likewise, of coding agents.
const AGENTS: &[(&str, usize, Density)] = &[
    ("agent-clean-4k", 4 * KB, Density::Clean),
    ("agent-clean-256k", 256 * KB, Density::Clean),
    ("agent-dense-4k", 4 * KB, Density::Dense),
    ("agent-dense-256k", 256 * KB, Density::Dense),
];

/// Answers: name, format, size.
const ANSWERS: &[(&str, Format, usize)] =
    &[("restore-json-256k", Format::Json, 256 * KB), ("restore-sse-256k", Format::Sse, 256 * KB)];

/// Texts made to be slow, by name, and what is repeated in them; those called `many-…` hold something to look into.
const SLOW_TEXTS: &[(&str, &str)] = &[
    ("slow-dashes", "i-"),
    ("many-ids", "i-0123456789abcdef0"),
    ("slow-digits", "7"),
    ("many-accounts", "123456789012 "),
    ("slow-dots", "."),
    ("slow-octets", "1.2."),
    ("slow-arn", "arn:"),
    ("many-arns", "arn:aws:"),
    ("many-arns-encoded", "arn%3Aaws%3A"),
    ("slow-backslashes", "\\"),
    ("many-escapes", "\\u0041"),
    ("many-solidi", "\\/"),
    ("slow-quotes", "\""),
    ("slow-equals", "="),
    ("slow-colons", ":"),
    ("slow-hex-colons", "2001:"),
    ("many-keys", "\"BucketName\":"),
    ("many-assignments", "bucket_name="),
    ("slow-options", "--"),
    ("many-options", "--bucket "),
    ("slow-capitals", "AKIA"),
    ("slow-percents", "%"),
    ("slow-percent-codes", "%2F"),
    ("slow-bars", "|"),
    ("many-cells", "| BucketName "),
    ("many-headings", "bucket,x\n\ni-0123456789abcdef0\n"),
    ("many-lines-in-json", "BUCKETS\\t\\n"),
    ("many-table-rows", "bucket,i-0123456789abcdef0\n"),
    ("many-commands", "i-0123456789abcdef0 curl -u "),
    ("many-table-cells", "i-0123456789abcdef0,bucket,"),
    ("many-calls", ".bucket(\""),
    ("many-private-keys", "-----BEGIN PRIVATE KEY-----"),
    ("many-hosts", "a.amazonaws.com."),
    ("many-schemes", "s3://"),
    ("slow-web-tokens", "eyJ.eyJ."),
    ("slow-underscores", "us-east-1_"),
    ("many-uuids", "0a1b2c3d-"),
    ("many-names", "{\\tName: x"),
    ("many-blanks", "x  y  "),
    ("many-records", "Name: x, "),
    ("many-parameters", "password=a&"),
    ("many-links", "console.aws.amazon.com/"),
    ("many-passwords", "password="),
    ("many-passwords-glued", "@password=x"),
    ("many-variables", "DB_PASSWORD="),
    ("many-bare-names", "name="),
    ("many-bare-calls", ".table("),
    ("many-lists", "[sso-session ="),
    ("many-lists-of-options", "aws {jobtemplate--"),
];

/// An event as long as one may be, in chunks of a byte: of any upstream that wants it so.
const LONG_EVENT: &str = "many-chunks";

/// JSON made to be slow.
const SLOW_JSON: &[&str] = &["slow-json-open-string", "slow-json-brackets", "slow-json-braces", "many-thinking"];

/// The names of all workloads.
pub fn names() -> Vec<&'static str> {
    let requests = REQUESTS.iter().map(|request| request.0);
    let answers = ANSWERS.iter().map(|answer| answer.0);
    let agents = AGENTS.iter().chain(TURNS).chain(AGAIN).map(|request| request.0);
    requests
        .chain(agents)
        .chain(answers)
        .chain(SLOW_TEXTS.iter().map(|text| text.0))
        .chain(SLOW_JSON.iter().copied())
        .chain([LONG_EVENT])
        .collect()
}

/// A detector that remembers nothing.
pub fn detector() -> Arc<Detector> {
    Arc::new(forgetful())
}

/// One that remembers as much as a gateway's does.
pub fn remembering() -> Arc<Detector> {
    Arc::new(forgetful().with_memory(MEMORY))
}

/// A detector with the lanes that `LANES` names, or the best.
fn forgetful() -> Detector {
    let wanted = std::env::var("LANES").ok();
    let known = Lanes::available().into_iter().find(|lanes| wanted.as_ref().is_some_and(|w| *w == lanes.to_string()));
    let detector = Detector::new(&DetectorConfig::default()).expect("the default is sound");
    detector.with_lanes(known.unwrap_or_else(Lanes::best))
}

/// The key of a worker, which makes it once.
pub fn key() -> TokenKey {
    TokenKey::new(b"0123456789abcdef0123456789abcdef").expect("32 bytes are enough")
}

pub fn session(detector: &Arc<Detector>) -> Session {
    session_of(detector, &key())
}

pub fn session_of(detector: &Arc<Detector>, key: &TokenKey) -> Session {
    Session::new(Arc::clone(detector), key.scope(b"bench"), SessionOptions::default())
}

/// Masks `body` as a request. One that is not JSON is turned down, which is work as well.
pub fn mask(body: Vec<u8>) -> Workload {
    mask_with(detector(), body)
}

/// Masks a request of an agent whose last turn is another one each time.
pub fn mask_turns(mut body: Vec<u8>) -> Workload {
    let (detector, key) = (remembering(), key());
    let bytes = body.len();
    // The last call of a tool, and what answers it.
    let ends = agent::ends_of_last_call(&body);
    let mut turn = 0_u32;
    let run = move || {
        turn += 1;
        for &end in &ends {
            body[end - 8..end].copy_from_slice(format!("{turn:08}").as_bytes());
        }
        let masked = session_of(&detector, &key).mask(b"application/json", &body).expect("it is JSON");
        masked.map_or(0, |masked| masked.len())
    };
    Workload { bytes, run: Box::new(run) }
}

fn mask_with(detector: Arc<Detector>, body: Vec<u8>) -> Workload {
    let key = key();
    let bytes = body.len();
    let run = move || match session_of(&detector, &key).mask(b"application/json", &body) {
        Ok(masked) => masked.map_or(0, |masked| masked.len()),
        Err(_) => 0,
    };
    Workload { bytes, run: Box::new(run) }
}

fn scan(text: Vec<u8>) -> Workload {
    let detector = detector();
    Workload { bytes: text.len(), run: Box::new(move || detector.scan(&text).findings.len()) }
}

fn restore(format: Format, len: usize) -> Workload {
    let (mut session, answer) = answer::masked(session(&detector()), format, len);
    let mut out = Vec::new();
    Workload { bytes: answer.len(), run: Box::new(move || answer::restore(&mut session, format, &answer, &mut out)) }
}

fn long_event() -> Workload {
    let said = "x".repeat(SLOW - 4 * KB);
    let answer =
        format!("data: {{\"type\":\"content_block_delta\",\"delta\":{{\"text\":\"{said}\"}}}}\n\n").into_bytes();
    let mut session = session(&detector());
    // A session that has masked nothing lets answers pass.
    session.mask(b"text/plain", b"i-0123456789abcdef0").expect("text can be masked");
    let mut out = Vec::new();
    let bytes = answer.len();
    let run = move || answer::restore_in(1, &mut session, Format::Sse, &answer, &mut out);
    Workload { bytes, run: Box::new(run) }
}

fn slow_json(name: &str) -> Vec<u8> {
    // Something to mask, so that the body has to be read as JSON.
    let start = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"i-0123456789abcdef0"},"#;
    let rest = SLOW - start.len();
    let slow = match name {
        "slow-json-open-string" => format!("\"{}", "x\\\"".repeat(rest / 3)),
        "slow-json-brackets" => "[".repeat(rest / 2) + &"]".repeat(rest / 2),
        "slow-json-braces" => "{\"content\":".repeat(rest / 11),
        _ => r#"{"signature":"s","thinking":"t","type":"thinking"},"#.repeat(rest / 51),
    };
    (start.to_owned() + &slow).into_bytes()
}

/// The workload of that name, or of the request in that file.
pub fn named(name: &str) -> Option<Workload> {
    if let Some(&(_, len, density, each)) = REQUESTS.iter().find(|request| request.0 == name) {
        return Some(mask(request(len, density, each, 1)));
    }
    if let Some(&(_, len, density)) = AGENTS.iter().find(|request| request.0 == name) {
        return Some(mask(agent::request(len, density, 1)));
    }
    if let Some(&(_, len, density)) = TURNS.iter().find(|request| request.0 == name) {
        return Some(mask_turns(agent::request(len, density, 1)));
    }
    if let Some(&(_, len, density)) = AGAIN.iter().find(|request| request.0 == name) {
        let mut again = mask_with(remembering(), agent::request(len, density, 1));
        // What is long is known as a whole when it comes for the third time.
        for _ in 0..2 {
            (again.run)();
        }
        return Some(again);
    }
    if let Some(&(_, format, len)) = ANSWERS.iter().find(|answer| answer.0 == name) {
        return Some(restore(format, len));
    }
    if let Some((_, part)) = SLOW_TEXTS.iter().find(|text| text.0 == name) {
        return Some(scan(part.repeat(SLOW / part.len()).into_bytes()));
    }
    if name == LONG_EVENT {
        return Some(long_event());
    }
    if SLOW_JSON.contains(&name) {
        return Some(mask(slow_json(name)));
    }
    std::fs::read(name).ok().map(mask)
}
