//! Helpers of the integration tests.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;

pub fn detector() -> Arc<Detector> {
    Arc::new(Detector::new(&DetectorConfig::default()).unwrap())
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
