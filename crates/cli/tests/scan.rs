//! `aws-masker scan`.
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::{Folder, INSTANCE, VPC, command, run, run_with};

#[test]
fn findings_are_lines_with_byte_offsets() {
    let text = format!("서버 {INSTANCE} 와 {VPC}\n");
    let (first, second) = (text.find(INSTANCE).unwrap(), text.find(VPC).unwrap());

    let human = run_with(&["scan"], text.as_bytes()).done();
    let expected =
        format!("{first}-{}  ec2:instance\n{second}-{}  ec2:vpc\n", first + INSTANCE.len(), second + VPC.len());
    assert_eq!(human.text(), expected);

    let lines = run_with(&["scan", "--format", "jsonl"], text.as_bytes()).done();
    let first_line: serde_json::Value = serde_json::from_str(lines.text().lines().next().unwrap()).unwrap();
    let expected = serde_json::json!({
        "kind": "ec2:instance", "label": "EC2", "start": first, "end": first + INSTANCE.len(),
    });
    assert_eq!(first_line, expected);
}

#[test]
fn only_reveal_shows_what_was_found() {
    for format in ["human", "jsonl"] {
        let hidden = run_with(&["scan", "--format", format], INSTANCE.as_bytes()).done();
        assert!(!hidden.text().contains(INSTANCE));
        let shown = run_with(&["scan", "--format", format, "--reveal"], INSTANCE.as_bytes()).done();
        assert!(shown.text().contains(INSTANCE));
    }
}

#[test]
fn exit_codes() {
    assert_eq!(run_with(&["scan"], INSTANCE.as_bytes()).code, 0);
    assert_eq!(run_with(&["scan", "--fail-on-match"], INSTANCE.as_bytes()).code, 1);
    assert_eq!(run_with(&["scan", "--fail-on-match"], b"nothing here").code, 0);
    assert_eq!(run_with(&["scan", "--fail-on-match"], b"").code, 0);
    for arguments in
        [&["scan", "--unknown"][..], &["scan", "--format", "xml"], &["scan", "/no/such/file"], &["sacn"], &[]]
    {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(!ran.problems.is_empty());
        assert_eq!(ran.text(), "");
    }
}

#[test]
fn every_file_is_looked_at_though_one_cannot_be_read() {
    let folder = Folder::new();
    let (one, two) = (folder.file("one", INSTANCE), folder.file("two", format!("x {VPC}")));
    let missing = support::argument(&folder.path("missing"));

    let ran = run(&["scan", "--fail-on-match", &one, &missing, &two]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.text(), format!("{one}:0-19  ec2:instance\n{two}:2-23  ec2:vpc\n"));
    assert!(ran.problems.starts_with(&format!("aws-masker: {missing}: ")), "{}", ran.problems);
    assert_eq!(ran.problems.lines().count(), 1);
}

#[test]
fn a_dash_among_files_is_standard_input() {
    let folder = Folder::new();
    let file = folder.file("file", VPC);
    let ran = run_with(&["scan", "--format", "jsonl", &file, "-"], INSTANCE.as_bytes()).done();
    let files: Vec<_> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, [file, "-".to_owned()]);
}

#[test]
fn problems_say_what_to_do() {
    let folder = Folder::new();
    let gzip = folder.file("logs.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    let locked = folder.file("locked", INSTANCE);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    let here = support::argument(&folder.path(""));
    let broken = folder.file("broken.json", format!("{{\"a\": \"{INSTANCE}\", "));
    for (arguments, problem) in [
        (vec!["scan", &here], "is a directory; name files instead"),
        (vec!["scan", &gzip], "is compressed (gzip); decompress it first"),
        (vec!["scan", "--input", "json", &broken], "is not JSON (at byte 29); use --input auto or --input text"),
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.code, 2);
        assert!(ran.problems.contains(problem), "{}", ran.problems);
        assert!(!ran.problems.contains(INSTANCE));
    }
    // Whoever may read everything sees no permissions.
    if std::fs::read(&locked).is_err() {
        assert!(run(&["scan", &locked]).problems.contains("Permission denied"));
    }
}

#[test]
fn what_looks_like_json_and_is_none_is_text() {
    for text in [
        format!("[2026-11-25] {INSTANCE} is down\n"),
        format!("{{\"line\": \"{INSTANCE}\"}}\n{{\"line\": \"and\"}}\n"),
        format!("{{\"cut\": \"{INSTANCE}\", "),
        format!("{{{{ template }}}} {INSTANCE}"),
    ] {
        assert!(run_with(&["scan"], text.as_bytes()).done().text().contains("ec2:instance"), "{text}");
    }
}

#[test]
fn what_no_api_lets_change_is_not_reported_in_json() {
    let body = format!(r#"{{"model":"{INSTANCE}","messages":[{{"role":"user","content":"{VPC}"}}]}}"#);
    assert_eq!(run_with(&["scan"], body.as_bytes()).done().text().lines().count(), 1);
    assert_eq!(run_with(&["scan", "--input", "text"], body.as_bytes()).done().text().lines().count(), 2);
}

#[test]
fn bytes_of_any_kind_are_looked_at() {
    let mut bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    bytes.extend_from_slice(format!("\0\u{1}{INSTANCE}\0").as_bytes());
    bytes.extend_from_slice(b"\xff\xfe\xc3\x28");
    let ran = run_with(&["scan"], &bytes).done();
    assert!(ran.text().contains("5002-5021  ec2:instance"), "{}", ran.text());
}

#[test]
fn text_in_utf_16_and_utf_32_is_looked_at() {
    let text = format!("서버 {INSTANCE}가");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (bytes, start, end) in [
        ([b"\xff\xfe", &little[..]].concat(), 2 + 3 * 2, 2 + 22 * 2 - 1),
        (little.clone(), 3 * 2, 22 * 2 - 1),
        (big, 3 * 2 + 1, 22 * 2),
        (wide, 3 * 4, 22 * 4 - 3),
    ] {
        let ran = run_with(&["scan"], &bytes).done();
        assert_eq!(ran.text(), format!("{start}-{end}  ec2:instance\n"));
    }
}

#[test]
fn the_operator_s_own_rules_come_from_the_plugin_s_configuration() {
    let folder = Folder::new();
    let config = folder.file(
        "kong.yaml",
        "_format_version: '3.0'\nplugins:\n- name: aws-masker\n  config:\n    categories: [ids]\n    \
         exclude_kinds: ['ec2:vpc']\n    custom_terms: [Zebrafish]\n    custom_patterns:\n    - {name: ticket, \
         label: TICKET, regex: 'OPS-[0-9]+'}\n",
    );
    let text = format!("{INSTANCE} {VPC} 10.1.2.3 zebrafish OPS-77");
    let ran = run_with(&["scan", "--config", &config], text.as_bytes()).done();
    let kinds: Vec<_> = ran.text().lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["ec2:instance", "custom:term", "ticket"]);
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_with_its_field() {
    let folder = Folder::new();
    for (config, problem) in [
        ("custom_term: [x]", "`custom_term` is not a field"),
        ("custom_terms: ['']", "custom_terms[1]: "),
        ("exclude_kinds: [ec2:no-such]", "exclude_kinds: "),
        ("categories: [secrets]", "categories: "),
        ("custom_patterns: [{name: a, label: AB, regex: '('}]", "custom_patterns[1].regex: "),
    ] {
        let config = folder.file("config.yaml", config);
        for command in ["scan", "mask"] {
            let ran = run_with(&[command, "--config", &config], INSTANCE.as_bytes());
            assert_eq!(ran.code, 2);
            assert!(ran.problems.contains(problem), "{}", ran.problems);
            assert_eq!(ran.text(), "");
        }
    }
}

#[test]
fn help_and_version_are_no_failures() {
    for arguments in [&["--help"][..], &["--version"], &["scan", "--help"], &["mask", "--help"]] {
        run(arguments).done();
    }
    let version = command(&["--version"]).output().unwrap().stdout;
    assert_eq!(version, format!("aws-masker {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}
