//! A detector that remembers what it looked at finds what one finds that does not.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use support::identifier::{clean_text, text};
use support::{cases, detector, mask, session_of};

const JSON: &str = "application/json";

fn remembering(bytes: usize) -> Arc<Detector> {
    Arc::new(Detector::new(&DetectorConfig::default()).unwrap().with_memory(bytes))
}

/// What a member of a conversation says: several lines, some of which mean something only beside others.
fn said() -> BoxedStrategy<String> {
    let told = select(vec![
        "the alarm acme-bounces muted",
        "aws s3 ls s3://acme-logs",
        "is acme-logs there?",
        "TABLE=orders-prod",
        "--table-name $TABLE",
        "CloudFront, EQDFC7Y4WF186",
        "192.0.2.17 \u{c774} \\/ \\u0041",
        "{\"Name\": \"acme-web\", \"Id\": \"a1b2c3\"}",
        "    7→- name: DB_PASSWORD\n    8→  value: Tr0ub4dor-3xKq",
        "a/b.yml:3:bucket: acme-logs",
        "+ PGPASSWORD=Tr0ub4dor-3xKq\n+ x",
    ]);
    let line = prop_oneof![
        3 => clean_text(),
        1 => text().prop_map(|piece| piece.text),
        1 => told.prop_map(str::to_owned),
    ];
    (vec(line, 1..12), 1..90_usize)
        .prop_map(|(lines, times)| {
            let filler = "It goes on and on, as such things do, for a while.\n".repeat(times * 4);
            format!("{}\n{filler}", lines.join("\n"))
        })
        .boxed()
}

fn conversation() -> BoxedStrategy<Vec<Value>> {
    vec((said(), any::<bool>()), 2..14)
        .prop_map(|messages| {
            let message = |(i, (text, is_tool)): (usize, (String, bool))| match (i % 2, is_tool) {
                (0, true) => json!({ "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": format!("toolu_{i}"), "content": text }] }),
                (0, false) => json!({ "role": "user", "content": text }),
                (_, true) => json!({ "role": "assistant", "content": [
                    { "type": "tool_use", "id": format!("toolu_{}", i + 1), "name": "Bash", "input": { "command": text } }] }),
                (_, false) => json!({ "content": text, "role": "assistant" }),
            };
            messages.into_iter().enumerate().map(message).collect()
        })
        .boxed()
}

fn request(messages: &[Value], system: &str) -> String {
    json!({ "model": "m", "system": system, "messages": messages, "tools": [{ "name": "Bash" }] }).to_string()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn each_turn_is_masked_as_if_it_were_the_first(
        messages in conversation(), system in said(), bytes in select(vec![2_000, 20_000, 4_000_000]),
        again in any::<Index>()
    ) {
        let (plain, known) = (detector(), remembering(bytes));
        let masked = |detector: &Arc<Detector>, scope: &[u8], body: &str| {
            String::from_utf8(mask(&mut session_of(detector, scope), JSON, body.as_bytes())).unwrap()
        };
        let turns: Vec<usize> = (1..=messages.len()).chain([again.index(messages.len()) + 1]).collect();
        for turn in turns {
            let body = request(&messages[..turn], &system);
            for scope in [b"one", b"two", b"one"] {
                prop_assert!(masked(&known, scope, &body) == masked(&plain, scope, &body), "turn {turn}");
            }
        }
    }

    #[test]
    fn other_texts_too(texts in vec(said(), 1..6), content_type in select(vec![
        "text/plain", "application/x-ndjson", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B",
    ])) {
        let (plain, known) = (detector(), remembering(100_000));
        for text in texts.iter().chain(&texts) {
            let body = match content_type {
                "application/x-ndjson" => format!("{}\n{}\n", json!({ "a": text }), json!([text])),
                "application/x-www-form-urlencoded" => format!("a={}&b=1", text.replace(['&', '=', '%'], "+")),
                "text/plain" => text.clone(),
                _ => format!("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n{text}\r\n--B--\r\n"),
            };
            let masked = |detector| session_of(detector, b"one").mask(content_type.as_bytes(), body.as_bytes());
            prop_assert!(masked(&known) == masked(&plain));
        }
    }
}

#[test]
fn a_token_that_stands_for_another_value_is_not_given_again() {
    let (plain, known) = (detector(), remembering(100_000));
    let body = r#"{"model":"m","messages":[{"role":"user","content":"i-0ab12cd34ef56ab78, acme 10.1.2.3"}]}"#;
    let masked = |detector: &Arc<Detector>, learned: &[u8]| {
        let mut session = session_of(detector, b"one");
        assert!(learned.is_empty() || session.learn(learned, b"i-00000000000000000"));
        String::from_utf8(mask(&mut session, JSON, body.as_bytes())).unwrap()
    };
    let first = masked(&known, b"");
    let token = first.split('"').find_map(|text| text.split_once(", acme")).unwrap().0.as_bytes();
    for _ in 0..2 {
        let other = masked(&known, token);
        assert_ne!(other, first);
        assert_eq!(other, masked(&plain, token));
        assert_eq!(masked(&known, b""), first);
    }
}

#[test]
fn what_is_remembered_shows_no_text() {
    let known = remembering(1 << 20);
    let body = request(&[json!({ "role": "user", "content": "i-0ab12cd34ef56ab78 ".repeat(800) })], "x");
    mask(&mut session_of(&known, b"one"), JSON, body.as_bytes());
    assert!(!format!("{known:?}").contains("0ab12cd3"));
}

#[test]
fn counts_and_kinds_are_those_of_the_first_time() {
    let known = remembering(1 << 20);
    for text in ["i-0ab12cd34ef56ab78 in 10.20.30.40".to_owned(), "i-0ab12cd34ef56ab78 ".repeat(1000)] {
        let body = request(&[json!({ "role": "user", "content": text })], "x");
        let [first, second] = [(); 2].map(|()| {
            let mut session = session_of(&known, b"one");
            mask(&mut session, JSON, body.as_bytes());
            let kinds: Vec<_> = session.kinds().map(|(kind, count)| (kind.to_owned(), count)).collect();
            (session.counts(), kinds)
        });
        assert_eq!(first, second);
        assert!(first.0.masked > 0);
    }
}
