//! Runs the cases of `testdata/cases.json`; the tests of the C ABI and of the plugin run the same ones.
//!
//! In `masked`, `EC2#1` stands for the first token with the label `EC2`, `EC2#2` for the second, and so on.
#![allow(clippy::string_slice, clippy::unwrap_used)]

mod support;

use aws_masker_core::wire::Content;
use regex::bytes::Regex;
use serde::Deserialize;

use support::{detector, mask, restore, session};

#[derive(Deserialize)]
struct Case {
    name: String,
    why: String,
    #[serde(rename = "type")]
    content_type: String,
    input: String,
    masked: String,
    /// (kind, text) in order.
    findings: Vec<(String, String)>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../testdata/cases.json")).unwrap()
}

/// Tokens as the cases write them.
fn numbered(masked: &[u8]) -> String {
    let token = Regex::new(r"([A-Z][A-Z0-9]{1,9})_([A-Z2-7]{13}|[A-Z2-7]{8})").unwrap();
    let mut seen: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let numbered = token.replace_all(masked, |found: &regex::bytes::Captures<'_>| {
        let (label, code) = (found[1].to_vec(), found[2].to_vec());
        if !seen.contains(&(label.clone(), code.clone())) {
            seen.push((label.clone(), code.clone()));
        }
        let number =
            seen.iter().filter(|(other, _)| *other == label).position(|(_, other)| *other == code).unwrap() + 1;
        [label.as_slice(), format!("#{number}").as_bytes()].concat()
    });
    String::from_utf8_lossy(&numbered).into_owned()
}

#[test]
fn every_case_is_masked_as_written_and_comes_back() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut session = session();
        let masked = mask(&mut session, &case.content_type, case.input.as_bytes());
        if numbered(&masked) != case.masked {
            wrong.push(format!("{} ({}):\n  want {}\n  have {}", case.name, case.why, case.masked, numbered(&masked)));
        }
        let restored = restore(&mut session, &case.content_type, &masked);
        let again = mask(&mut support::session(), &case.content_type, &restored);
        // an escape that hid an identifier is spelled plainly afterwards
        if restored != case.input.as_bytes() && (again != masked || !case.input.contains("\\u00")) {
            wrong.push(format!("{}: comes back as {}", case.name, String::from_utf8_lossy(&restored)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_has_the_findings_as_written() {
    let mut wrong = Vec::new();
    for case in cases() {
        let content = Content::parse(case.content_type.as_bytes(), case.input.as_bytes()).unwrap();
        let found: Vec<(String, String)> = detector()
            .scan_body(content, case.input.as_bytes())
            .unwrap()
            .findings
            .into_iter()
            .map(|f| (detector().kind_name(f.kind).to_string(), case.input[f.span].to_string()))
            .collect();
        if found != case.findings {
            wrong.push(format!("{}:\n  want {:?}\n  have {found:?}", case.name, case.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
