//! `aws-masker mask` and `aws-masker unmask`.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use support::{Folder, INSTANCE, VPC, argument, command, round_trip, run, run_with};

/// Bytes of which originals and what stands around them are made: every kind has an example in the catalog.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let examples = run(&["catalog", "--format", "json"]).done();
    let kinds: Vec<serde_json::Value> = serde_json::from_slice(&examples.out).unwrap();
    let examples: Vec<Vec<u8>> =
        kinds.iter().map(|kind| kind["example"].as_str().unwrap().as_bytes().to_vec()).collect();
    let around: &[&[u8]] = &[
        b" ",
        b"\n",
        b"\r\n",
        b"\"",
        b"\\",
        b"\\n",
        b"{",
        b"[",
        b"]",
        b"data:",
        b"event: x\n",
        b"\xff\xc3",
        b"\0",
        "가".as_bytes(),
    ];
    let around: Vec<Vec<u8>> = around.iter().map(|bytes| bytes.to_vec()).collect();
    let piece = prop_oneof![
        2 => prop::sample::select(examples),
        3 => prop::sample::select(around),
        1 => "[ -~]{0,12}".prop_map(String::into_bytes),
        1 => "EC2_[A-Z2-7]{0,9}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn unmask_undoes_mask() {
    let folder = Folder::new();
    let mut config = ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(20_261_125);
    }
    TestRunner::new(config)
        .run(&any_text(), |text| {
            let (_, restored) = round_trip(&folder, &[], &text);
            prop_assert_eq!(restored, text);
            Ok(())
        })
        .unwrap();
}

#[test]
fn json_stays_json_and_comes_back() {
    let folder = Folder::new();
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\n-----END RSA PRIVATE KEY-----\n";
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": format!("{INSTANCE}\n{key} \"{VPC}\"")}],
        "arguments": serde_json::json!({"InstanceId": INSTANCE, "key": key}).to_string(),
    })
    .to_string();
    let (masked, restored) = round_trip(&folder, &[], body.as_bytes());
    serde_json::from_slice::<serde_json::Value>(&masked).unwrap();
    let masked = String::from_utf8(masked).unwrap();
    assert!(!masked.contains(INSTANCE) && !masked.contains(VPC) && !masked.contains("MIIE"), "{masked}");
    assert_eq!(restored, body.as_bytes());
}

#[test]
fn a_secret_gives_the_same_tokens_and_none_gives_others() {
    let folder = Folder::new();
    let file = folder.file("secret", "sixteen bytes ok\n");
    let masked = |arguments: &[&str]| run_with(&[&["mask"], arguments].concat(), INSTANCE.as_bytes()).done().out;

    let one = masked(&["--secret-file", &file]);
    assert_eq!(masked(&["--secret-file", &file]), one);
    let output = command(&["mask", "--secret-env", "AWS_MASKER_TEST_SECRET", &folder.file("input", INSTANCE)])
        .env("AWS_MASKER_TEST_SECRET", "sixteen bytes ok")
        .output()
        .unwrap();
    assert_eq!(output.stdout, one);
    assert_ne!(masked(&["--secret-file", &file, "--scope", "another"]), one);
    assert_ne!(masked(&[]), masked(&[]));
}

#[test]
fn a_bad_secret_is_refused_by_its_option_and_not_shown() {
    let folder = Folder::new();
    let short = folder.file("short", "hunter2");
    let ran = run_with(&["mask", "--secret-file", &short], INSTANCE.as_bytes());
    assert_eq!((ran.code, ran.text()), (2, ""));
    assert!(ran.problems.contains("--secret-file: has 7 bytes, at least 16 are needed"), "{}", ran.problems);
    assert!(!ran.problems.contains("hunter2"));
    let ran = run_with(&["mask", "--secret-env", "AWS_MASKER_NOT_SET"], INSTANCE.as_bytes());
    assert!(ran.code == 2 && ran.problems.contains("--secret-env: AWS_MASKER_NOT_SET is not set"));
}

#[test]
fn only_the_owner_may_read_the_mapping() {
    let folder = Folder::new();
    let old = folder.file("old.json", "x".repeat(5000));
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o644)).unwrap();
    for mapping in [argument(&folder.path("new.json")), old] {
        run_with(&["mask", "--mapping", &mapping], INSTANCE.as_bytes()).done();
        assert_eq!(std::fs::metadata(&mapping).unwrap().permissions().mode() & 0o777, 0o600);
        let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&mapping).unwrap()).unwrap();
        assert_eq!(written["tokens"].as_object().unwrap().values().next().unwrap(), INSTANCE);
    }
}

#[test]
fn nothing_is_masked_when_the_mapping_cannot_be_kept() {
    let folder = Folder::new();
    let ran = run_with(&["mask", "--mapping", "/no/such/folder/mapping.json"], INSTANCE.as_bytes());
    assert_eq!((ran.code, ran.text()), (2, ""));

    let input = folder.file("input", INSTANCE);
    let ran = run(&["mask", "--mapping", &input, &input]);
    assert_eq!((ran.code, ran.text()), (2, ""));
    assert!(ran.problems.contains("--mapping: names the input"), "{}", ran.problems);
    assert_eq!(std::fs::read(&input).unwrap(), INSTANCE.as_bytes());
}

#[test]
fn a_mapping_that_is_none_is_refused_and_not_shown() {
    let folder = Folder::new();
    for (content, problem) in [
        (INSTANCE.to_owned(), "is not a mapping"),
        (format!(r#"{{"version":1,"tokens":{{"{INSTANCE}":"x"}}}}"#), "has an entry that is not a token"),
        (r#"{"version":2,"tokens":{}}"#.into(), "another version"),
    ] {
        let mapping = folder.file("mapping.json", content);
        let ran = run_with(&["unmask", "--mapping", &mapping], b"EC2_ABCDEFGH");
        assert_eq!((ran.code, ran.text()), (2, ""));
        assert!(ran.problems.contains(problem) && !ran.problems.contains(INSTANCE), "{}", ran.problems);
    }
}

#[test]
fn bytes_that_need_no_change_do_not_change() {
    for input in [&b""[..], b"\n", b"\xff\0\x80 text", b"{ \"a\" : [ 1.0e5 ] }", b"{\"broken", b"data:\n"] {
        assert_eq!(run_with(&["mask"], input).done().out, input);
    }
}

#[test]
fn what_cannot_be_masked_does_not_leave() {
    let utf16: Vec<u8> = INSTANCE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ran = run_with(&["mask"], &utf16);
    assert_eq!((ran.code, ran.text()), (2, ""));
    assert!(ran.problems.contains("is in UTF-16 or UTF-32; convert it to UTF-8 first"), "{}", ran.problems);
}

#[test]
fn an_answer_is_restored_while_it_streams() {
    let folder = Folder::new();
    let mapping = argument(&folder.path("mapping.json"));
    let token = run_with(&["mask", "--mapping", &mapping], INSTANCE.as_bytes()).done().out;
    let token = String::from_utf8(token).unwrap();

    let mut child =
        command(&["unmask", "--mapping", &mapping]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let data = |text: &str| {
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#)
    };
    // The input stays open: each event has to come back before the next is sent.
    for _ in 0..3 {
        write!(stdin, "event: content_block_delta\ndata: {}\n\n", data(&format!("is {token}, "))).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "event: content_block_delta");
        assert_eq!(lines.next().unwrap().unwrap(), format!("data: {}", data(&format!("is {INSTANCE}, "))));
        assert_eq!(lines.next().unwrap().unwrap(), "");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
