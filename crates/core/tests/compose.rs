//! A model composes new ARNs, URLs, hosts and commands out of tokens it was given; they come back with the real values.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use aws_masker_core::session::Session;
use support::{cases, mask, restore, restore_cut, session};

const ACCOUNT: &str = "618734209955";
const BUCKET: &str = "acme-billing-logs";
const INSTANCE: &str = "i-0f3a9c27be41d8056";
const HOST_NAME: &str = "orders-db.cq3egrz5lxw7.eu-west-1.rds.amazonaws.com";
const ROLE: &str = "billing-export";
const ADDRESS: &str = "10.24.7.31";

/// What the client says: each name where AWS says that it is one.
fn request() -> String {
    let text = format!(
        "Instance {INSTANCE} ({ADDRESS}) in account {ACCOUNT} assumes arn:aws:iam::{ACCOUNT}:role/{ROLE}, writes to \
         s3://{BUCKET}/2026/ and reads {HOST_NAME}."
    );
    serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
}

/// A session that masked the request, and the token of each original, as a model sees them.
fn masked() -> (Session, BTreeMap<&'static str, String>) {
    let mut session = session();
    let seen = String::from_utf8(mask(&mut session, "application/json", request().as_bytes())).unwrap();
    let token = |original: &str| {
        let entry = session.tokens().iter().find(|entry| entry.original == original.as_bytes()).unwrap();
        String::from_utf8(entry.token.to_vec()).unwrap()
    };
    let labels: Vec<_> = HOST_NAME.split('.').take(2).collect();
    let tokens: BTreeMap<_, _> = [ACCOUNT, BUCKET, INSTANCE, ROLE, ADDRESS, labels[0], labels[1]]
        .into_iter()
        .map(|original| (original, token(original)))
        .collect();
    for (original, token) in &tokens {
        assert!(!seen.contains(original) && seen.contains(token), "{original} in {seen}");
    }
    (session, tokens)
}

/// What a model writes, with originals in place of the tokens that it uses.
fn composed() -> Vec<String> {
    let (database, cluster) = HOST_NAME.split_once('.').unwrap();
    let cluster = cluster.split('.').next().unwrap();
    vec![
        format!("arn:aws:s3:::{BUCKET}/new/key.json"),
        format!("arn:aws:s3:::{BUCKET}/*"),
        format!("s3://{BUCKET}/2027/{INSTANCE}.log"),
        format!("https://{BUCKET}.s3.eu-west-1.amazonaws.com/k?versionId=3"),
        format!("https://s3.eu-west-1.amazonaws.com/{BUCKET}/k"),
        format!("arn:aws:iam::{ACCOUNT}:role/new-role"),
        format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}-v2"),
        format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{INSTANCE}"),
        format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{ROLE}-queue"),
        format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{ROLE}:latest"),
        format!("{database}-replica.{cluster}.eu-west-1.rds.amazonaws.com:5432"),
        format!("postgres://app@{HOST_NAME}:5432/orders"),
        format!("{ROLE}.{BUCKET}.internal.example.com"),
        format!("http://{ADDRESS}:8080/{INSTANCE}/status"),
        format!("{ADDRESS}/32"),
        format!("aws s3 cp ./x s3://{BUCKET}/x --profile {ROLE}_{ACCOUNT}"),
        format!("{BUCKET}_{ROLE}_{INSTANCE}"),
        format!("| `{BUCKET}` | **{ACCOUNT}** | [{ROLE}]({HOST_NAME}) |"),
        format!("resource \"aws_s3_bucket\" \"b\" {{\n  bucket = \"{BUCKET}-copy\"\n}}\n"),
        format!("버킷 {BUCKET}의 {ROLE}은"),
        format!("{{\"Resource\": [\"arn:aws:s3:::{BUCKET}\", \"arn:aws:s3:::{BUCKET}/{ACCOUNT}/*\"]}}"),
    ]
}

/// The same text as the model writes it.
fn by_model(text: &str, tokens: &BTreeMap<&'static str, String>) -> String {
    // Longest first: one original may be part of another.
    let mut pairs: Vec<_> = tokens.iter().collect();
    pairs.sort_by_key(|(original, _)| std::cmp::Reverse(original.len()));
    let written = pairs.iter().fold(text.to_owned(), |text, (original, token)| text.replace(**original, token));
    for original in tokens.keys() {
        assert!(!written.contains(original), "{written}");
    }
    written
}

#[test]
fn what_a_model_composes_comes_back_with_the_real_values() {
    for text in composed() {
        let (mut session, tokens) = masked();
        let written = by_model(&text, &tokens);
        assert_ne!(written, text);
        assert_eq!(restore(&mut session, "text/plain", written.as_bytes()), text.as_bytes(), "{written}");

        let answer = |text: &str| {
            let input = serde_json::json!({"command": text});
            serde_json::json!({"content": [
                {"type": "text", "text": text},
                {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": input},
            ]})
            .to_string()
        };
        let restored = restore(&mut session, "application/json", answer(&written).as_bytes());
        assert_eq!(String::from_utf8(restored).unwrap(), answer(&text));
    }
}

/// Server-sent events that say `text` in pieces of `size` characters: as a text, and as the arguments of a tool.
fn events(text: &str, size: usize) -> String {
    let pieces = |text: &str| -> Vec<String> {
        text.chars().collect::<Vec<_>>().chunks(size).map(|piece| piece.iter().collect()).collect()
    };
    let event = |data: serde_json::Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let delta = |index: u8, delta: serde_json::Value| {
        event(serde_json::json!({"type": "content_block_delta", "index": index, "delta": delta}))
    };
    let stop = |index: u8| event(serde_json::json!({"type": "content_block_stop", "index": index}));
    let mut stream = String::new();
    for piece in pieces(text) {
        stream += &delta(0, serde_json::json!({"type": "text_delta", "text": piece}));
    }
    stream += &stop(0);
    for piece in pieces(&serde_json::json!({"command": text}).to_string()) {
        stream += &delta(1, serde_json::json!({"type": "input_json_delta", "partial_json": piece}));
    }
    stream += &stop(1);
    stream + &event(serde_json::json!({"type": "message_stop"}))
}

/// What a client puts together from such a stream.
fn joined(stream: &[u8]) -> (String, String) {
    let (mut text, mut arguments) = (String::new(), String::new());
    for data in std::str::from_utf8(stream).unwrap().lines().filter_map(|line| line.strip_prefix("data: ")) {
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        text += data["delta"]["text"].as_str().unwrap_or_default();
        arguments += data["delta"]["partial_json"].as_str().unwrap_or_default();
    }
    let arguments: serde_json::Value = serde_json::from_str(&arguments).unwrap();
    (text, arguments["command"].as_str().unwrap().to_owned())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn so_does_what_it_streams_in_small_pieces(
        texts in prop::collection::vec(select(composed()), 1..4),
        between in "[ ,\n_/:.-]{1,2}",
        size in 1usize..20,
        step in 1usize..200,
    ) {
        let text = texts.join(&between);
        let (mut session, tokens) = masked();
        let stream = events(&by_model(&text, &tokens), size);
        let cuts: Vec<_> = (step..stream.len()).step_by(step).collect();
        let restored = restore_cut(&mut session, "text/event-stream", stream.as_bytes(), &cuts);
        prop_assert_eq!(joined(&restored), (text.clone(), text));
    }

    /// What came back is masked again in the next turn: nothing of it leaves, and the same names have the same tokens.
    #[test]
    fn what_was_composed_leaves_masked_in_the_next_turn(text in select(composed())) {
        let (_, tokens) = masked();
        let mut next = session();
        let body = serde_json::json!({"messages": [
            {"role": "user", "content": serde_json::from_str::<serde_json::Value>(&request()).unwrap()["messages"][0]["content"]},
            {"role": "assistant", "content": text},
        ]});
        let seen = String::from_utf8(mask(&mut next, "application/json", body.to_string().as_bytes())).unwrap();
        for original in tokens.keys() {
            prop_assert!(!seen.contains(original), "{} in {}", original, seen);
        }
    }
}
