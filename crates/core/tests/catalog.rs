//! Every kind of the catalog is found in its example, and comes back.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use aws_masker_core::catalog::{Catalog, Category};
use support::{detector, mask, restore, session};

#[test]
fn every_kind_is_found_in_its_example() {
    let detector = detector();
    let mut lost = Vec::new();
    for kind in Catalog::get().kinds() {
        let text = kind.example_text();
        let found = detector.scan(text.as_bytes());
        let id = Catalog::get().find(kind.name).unwrap();
        let is_found = found.findings.iter().any(|f| f.kind == id) || found.parts.iter().any(|p| p.kind == id);
        if !is_found {
            let names: Vec<_> = found.parts.iter().map(|p| detector.kind_name(p.kind)).collect();
            lost.push(format!("{} in {text:?}: {names:?}", kind.name));
        }
    }
    assert!(lost.is_empty(), "{} kinds are not found:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn every_example_comes_back() {
    for kind in Catalog::get().kinds() {
        let text = kind.example_text();
        let mut session = session();
        let masked = mask(&mut session, "text/plain", text.as_bytes());
        assert_ne!(masked, text.as_bytes(), "{}", kind.name);
        assert_eq!(restore(&mut session, "text/plain", &masked), text.as_bytes(), "{}", kind.name);
    }
}

#[test]
fn there_are_many_kinds_in_every_category() {
    let kinds = Catalog::get().kinds();
    assert!(kinds.len() >= 400, "{}", kinds.len());
    for (name, category) in Category::NAMED {
        assert!(kinds.iter().any(|kind| kind.category == category), "{name}");
    }
}
