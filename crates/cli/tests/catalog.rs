//! `aws-masker catalog`, and the pages and lists that have to say the same.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use serde_json::Value;

use support::{round_trip, run};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn kinds() -> Vec<Value> {
    serde_json::from_slice(&run(&["catalog", "--format", "json"]).done().out).unwrap()
}

fn field<'a>(kind: &'a Value, name: &str) -> &'a str {
    kind[name].as_str().unwrap()
}

#[test]
fn every_kind_says_what_it_is() {
    let kinds = kinds();
    assert!(kinds.len() >= 400, "{}", kinds.len());
    let names: BTreeSet<_> = kinds.iter().map(|kind| field(kind, "kind")).collect();
    assert_eq!(names.len(), kinds.len());
    for kind in &kinds {
        for name in ["kind", "label", "category", "shape", "example", "source"] {
            assert!(!field(kind, name).trim().is_empty(), "{kind}");
        }
        assert!(!kind["validator"].as_array().unwrap().is_empty(), "{kind}");
        // What the plugin's schema takes for a kind, and the format of events for a name.
        let name = field(kind, "kind");
        assert!(
            name.len() <= 128 && name.bytes().all(|c| b"abcdefghijklmnopqrstuvwxyz0123456789_:-".contains(&c)),
            "{name}"
        );
    }
}

#[test]
fn the_table_for_people_has_every_kind() {
    let table = run(&["catalog"]).done();
    let kinds = kinds();
    let lines: Vec<_> = table.text().lines().collect();
    assert_eq!(lines.len(), kinds.len() + 1);
    assert_eq!(*lines.last().unwrap(), format!("{} kinds", kinds.len()));
    for (line, kind) in lines.iter().zip(&kinds) {
        let columns: Vec<_> = line.split_whitespace().take(3).collect();
        assert_eq!(columns, ["kind", "label", "category"].map(|name| field(kind, name)));
        assert!(line.ends_with(field(kind, "source")), "{line}");
    }
}

/// That each is found by its own rule, the core's tests see.
#[test]
fn all_examples_in_one_text_are_masked_and_come_back() {
    let folder = support::Folder::new();
    let kinds = kinds();
    // One to a paragraph; only a private key has more lines than one.
    let text: String = kinds.iter().map(|kind| format!("{}\n\n", field(kind, "example"))).collect();
    let (masked, restored) = round_trip(&folder, &["--input", "text"], text.as_bytes());
    assert_eq!(String::from_utf8(restored).unwrap(), text);

    let masked = String::from_utf8(masked).unwrap();
    let paragraphs: Vec<_> = masked.trim_end().split("\n\n").collect();
    assert_eq!(paragraphs.len(), kinds.len());
    for (paragraph, kind) in paragraphs.iter().zip(&kinds) {
        assert_ne!(*paragraph, field(kind, "example"), "{kind}");
    }
}

#[test]
fn the_page_is_what_the_catalog_says() {
    let made = run(&["catalog", "--format", "markdown"]).done();
    let page = std::fs::read_to_string(format!("{ROOT}/docs/catalog.md")).unwrap();
    assert!(made.text() == page, "docs/catalog.md is not what the tables say; run `make docs`");

    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let listed: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
    let mut known: Vec<_> = kinds().iter().map(|kind| field(kind, "kind").to_owned()).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    known.sort_unstable();
    assert_eq!(sorted, known);
}
