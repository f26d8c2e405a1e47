//! What holds for every body: nothing leaks, everything comes back, nothing else changes.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use aws_masker_core::detect::{CustomPattern, Detector, DetectorConfig};
use aws_masker_core::wire::Content;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use support::body::{Node, any_json, spelling};
use support::identifier::{clean_text, text, wild_text};
use support::{cases, detector, found_in, mask, restore, restore_cut, session_of};

/// Patterns that match pieces of words, characters and escapes.
const PATTERNS: &[&str] =
    &["[^ ]{3}", r"\\.", r".\\", "u00", "[0-9a-f]{2}", "(?-u)[\\x80-\\xff]", r#"\\*["n]"#, "-----.{0,40}"];

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// The parts that a scan names, and nothing else, are replaced, each by the token of what stood there: the label is that of
/// the kind it was first found as.
fn check_edits(content: Content, body: &[u8], masked: &[u8]) -> Result<(), TestCaseError> {
    let detector = detector();
    let parts = detector.scan_body(content, body).unwrap().parts;
    let mut rest = masked;
    let mut copied = 0;
    let mut tokens: HashMap<&[u8], &[u8]> = HashMap::new();
    for part in &parts {
        let kept = &body[copied..part.span.start];
        prop_assert!(rest.starts_with(kept), "bytes before offset {} changed", part.span.start);
        rest = &rest[kept.len()..];
        let token = rest.iter().take_while(|c| matches!(c, b'A'..=b'Z' | b'0'..=b'9' | b'_')).count();
        let label = detector.label(part.kind);
        // what follows a token may be a capital too
        let len = label.len() + 9;
        match tokens.get(&body[part.span.clone()]) {
            Some(&known) => {
                prop_assert!(rest.starts_with(known), "two tokens for one text");
                rest = &rest[known.len()..];
            }
            None => {
                prop_assert!(token >= len && rest.starts_with(label.as_bytes()) && rest[label.len()] == b'_');
                tokens.insert(&body[part.span.clone()], &rest[..len]);
                rest = &rest[len..];
            }
        }
        copied = part.span.end;
    }
    prop_assert_eq!(rest, &body[copied..], "bytes after the last part changed");
    Ok(())
}

/// Strings that must not change are where they were.
fn check_opaque(node: &Node, masked: &Value) -> Result<(), TestCaseError> {
    match (node, masked) {
        (Node::Opaque(text), Value::String(found)) => prop_assert_eq!(text, found),
        (Node::List(nodes), Value::Array(items)) => {
            for (node, item) in nodes.iter().zip(items) {
                check_opaque(node, item)?;
            }
        }
        // keys of an object that has opaque members are the protocol's
        (Node::Object(members), Value::Object(object)) => {
            for (key, node) in members {
                if let Some(value) = object.get(key) {
                    check_opaque(node, value)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// What came of a body.
struct Exchange {
    masked: Vec<u8>,
    restored: Vec<u8>,
}

fn check_body(content_type: &str, body: &[u8], secrets: &[&str], cuts: &[usize]) -> Result<Exchange, TestCaseError> {
    let content = Content::parse(content_type.as_bytes(), body).unwrap();
    let mut session = session_of(&detector(), b"one");
    let masked = mask(&mut session, content_type, body);

    for &secret in secrets {
        prop_assert!(!found_in(&masked, secret), "a secret of {} characters is left", secret.len());
    }
    check_edits(content, body, &masked)?;

    let restored = restore(&mut session, content_type, &masked);
    prop_assert_eq!(session.counts().restored, session.counts().masked);
    let cuts: Vec<usize> = cuts.iter().map(|cut| cut % (masked.len() + 1)).collect();
    prop_assert!(restore_cut(&mut session, content_type, &masked, &cuts) == restored, "cuts {:?} matter", cuts);
    Ok(Exchange { masked, restored })
}

/// A second gateway behind this one, or a turn of a conversation that was never restored, changes nothing.
fn check_is_final(content_type: &str, masked: &[u8]) -> Result<(), TestCaseError> {
    let again = mask(&mut session_of(&detector(), b"one"), content_type, masked);
    prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(masked), "masked twice");
    Ok(())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(any::<usize>(), 0..6).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn json_is_masked_and_comes_back(node in any_json(), spelling in spelling(), cuts in cuts()) {
        let body = node.render(spelling);
        let Exchange { masked, restored } = check_body(JSON, body.as_bytes(), &node.secrets(), &cuts)?;
        check_opaque(&node, &serde_json::from_slice(&masked).unwrap())?;
        check_is_final(JSON, &masked)?;
        if spelling.is_canonical() {
            prop_assert_eq!(String::from_utf8_lossy(&restored), body);
        } else {
            let (was, is): (Value, Value) = (serde_json::from_str(&body).unwrap(), serde_json::from_slice(&restored).unwrap());
            prop_assert_eq!(was, is);
        }
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn text_is_masked_and_comes_back(piece in text(), cuts in cuts()) {
        let secrets: Vec<&str> = piece.secrets.iter().map(String::as_str).collect();
        let Exchange { masked, restored } = check_body(TEXT, piece.text.as_bytes(), &secrets, &cuts)?;
        check_is_final(TEXT, &masked)?;
        prop_assert_eq!(String::from_utf8_lossy(&restored), piece.text);
    }

    #[test]
    fn whatever_stands_glued_comes_back(text in wild_text(), cuts in cuts()) {
        let restored = check_body(TEXT, text.as_bytes(), &[], &cuts)?.restored;
        prop_assert_eq!(String::from_utf8_lossy(&restored), text);
    }

    #[test]
    fn whatever_stands_glued_in_json_comes_back(text in wild_text(), cuts in cuts()) {
        let body = serde_json::json!({ "a": text, "b": [{ text: 1 }] }).to_string();
        let restored = check_body(JSON, body.as_bytes(), &[], &cuts)?.restored;
        prop_assert_eq!(String::from_utf8_lossy(&restored), body);
    }

    #[test]
    fn patterns_of_the_operator_break_no_json(text in wild_text(), pattern in select(PATTERNS), cuts in cuts()) {
        let pattern = CustomPattern { name: "any".into(), label: "ANY".into(), regex: pattern.into() };
        let config = DetectorConfig { custom_patterns: vec![pattern], ..DetectorConfig::default() };
        let mut session = session_of(&Arc::new(Detector::new(&config).unwrap()), b"one");
        let body = serde_json::json!({ "a": text, "b": [{ text: 1 }] }).to_string();
        let masked = mask(&mut session, JSON, body.as_bytes());
        prop_assert!(serde_json::from_slice::<Value>(&masked).is_ok(), "masked JSON is none");
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut % (masked.len() + 1)).collect();
        let restored = restore_cut(&mut session, JSON, &masked, &cuts);
        prop_assert_eq!(serde_json::from_slice::<Value>(&restored).unwrap(), serde_json::from_str::<Value>(&body).unwrap());
    }

    #[test]
    fn bytes_in_no_known_encoding_come_back(bytes in vec(b' '..=0xff, 0..64), text in wild_text(), cuts in cuts()) {
        // what begins with `\xff\xfe` is UTF-16, and is refused
        let body = [b"-", bytes.as_slice(), text.as_bytes(), bytes.as_slice()].concat();
        let restored = check_body(TEXT, &body, &[], &cuts)?.restored;
        prop_assert!(restored == body);
    }

    #[test]
    fn without_identifiers_the_same_bytes_go_on(text in clean_text(), other in any::<String>()) {
        let body = serde_json::json!({ "text": text, "other": other }).to_string();
        prop_assert!(session_of(&detector(), b"one").mask(JSON.as_bytes(), body.as_bytes()).unwrap().is_none());
        prop_assert!(session_of(&detector(), b"one").mask(TEXT.as_bytes(), text.as_bytes()).unwrap().is_none());
    }

    #[test]
    fn tokens_belong_to_their_scope(piece in text()) {
        let detector = detector();
        let body = piece.text.as_bytes();
        let (mut one, mut same, mut other) =
            (session_of(&detector, b"one"), session_of(&detector, b"one"), session_of(&detector, b"other"));
        let masked = mask(&mut one, TEXT, body);
        prop_assert!(mask(&mut same, TEXT, body) == masked);
        prop_assert!(mask(&mut other, TEXT, body) != masked);
        // the other scope knows the same originals, and restores none of them from these tokens
        prop_assert!(restore(&mut other, TEXT, &masked) == masked);
        prop_assert!(restore(&mut same, TEXT, &masked) == body);
    }
}
