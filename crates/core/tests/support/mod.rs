//! Helpers of the integration tests.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::string_slice, clippy::unwrap_used)]

pub mod bedrock;
pub mod body;
pub mod identifier;

use std::sync::{Arc, LazyLock};

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// The same bodies at each run, so that nobody's change fails by another's luck; `PROPTEST_RNG_SEED=…` for others.
pub fn cases(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig { cases, max_shrink_iters: 4096, failure_persistence: None, ..Default::default() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(20_261_125);
    }
    config
}

/// The detector of the default configuration.
pub fn detector() -> Arc<Detector> {
    static DETECTOR: LazyLock<Arc<Detector>> =
        LazyLock::new(|| Arc::new(Detector::new(&DetectorConfig::default()).unwrap()));
    Arc::clone(&DETECTOR)
}

pub fn session_of(detector: &Arc<Detector>, scope: &[u8]) -> Session {
    let key = TokenKey::new(b"0123456789abcdef0123456789abcdef").unwrap();
    Session::new(Arc::clone(detector), key.scope(scope), SessionOptions::default())
}

pub fn session() -> Session {
    session_of(&detector(), b"test")
}

/// Masks, taking `None` for the body as it is.
pub fn mask(session: &mut Session, content_type: &str, body: &[u8]) -> Vec<u8> {
    session.mask(content_type.as_bytes(), body).unwrap().unwrap_or_else(|| body.to_vec())
}

/// Restores in pieces that end at `cuts`.
pub fn restore_cut(session: &mut Session, content_type: &str, answer: &[u8], cuts: &[usize]) -> Vec<u8> {
    if !session.open_answer(content_type.as_bytes(), b"") {
        return answer.to_vec();
    }
    let mut out = Vec::new();
    let mut from = 0;
    for &cut in cuts.iter().filter(|&&cut| cut <= answer.len()) {
        if cut > from {
            session.restore(&answer[from..cut], false, &mut out).unwrap();
            from = cut;
        }
    }
    session.restore(&answer[from..], true, &mut out).unwrap();
    out
}

pub fn restore(session: &mut Session, content_type: &str, answer: &[u8]) -> Vec<u8> {
    restore_cut(session, content_type, answer, &[])
}

/// True when `secret` stands in `body`, however often it is escaped there.
pub fn found_in(body: &[u8], secret: &str) -> bool {
    let mut text = body.to_vec();
    // JSON in JSON in JSON, and the text of that
    for _ in 0..4 {
        if memchr::memmem::find(&text, secret.as_bytes()).is_some() {
            return true;
        }
        text = unescaped(&text);
    }
    false
}

/// A level of JSON's escapes less, where there are any.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        at += 1;
        if c != b'\\' {
            plain.push(c);
            continue;
        }
        let unicode = text.get(at..at + 5).filter(|u| u[0] == b'u').and_then(|u| std::str::from_utf8(&u[1..]).ok());
        match unicode.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                at += 5;
            }
            None => {
                plain.extend(text.get(at).map(|&c| if c == b'n' { b'\n' } else { c }));
                at += 1;
            }
        }
    }
    plain
}
