//! Every kind of the catalog is found in its example, and comes back.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use aws_masker_core::catalog::{Catalog, Category};
use aws_masker_core::detect::{Detector, DetectorConfig};
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
fn a_kind_that_is_excluded_is_not_found() {
    let mut found = Vec::new();
    for kind in Catalog::get().kinds() {
        let config = DetectorConfig { exclude_kinds: vec![kind.name.into()], ..Default::default() };
        let text = kind.example_text();
        let findings = Detector::new(&config).unwrap().scan(text.as_bytes());
        let id = Catalog::get().find(kind.name).unwrap();
        if findings.findings.iter().any(|f| f.kind == id) || findings.parts.iter().any(|p| p.kind == id) {
            found.push(format!("{} in {text:?}", kind.name));
        }
    }
    assert!(found.is_empty(), "{} kinds are found though excluded:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_category_that_is_off_is_not_found_on_its_own() {
    let mut found = Vec::new();
    for (off, category) in Category::NAMED {
        let others = Category::NAMED.iter().filter(|(name, _)| *name != off).map(|(name, _)| (*name).to_owned());
        let detector =
            Detector::new(&DetectorConfig { categories: Some(others.collect()), ..Default::default() }).unwrap();
        for kind in Catalog::get().kinds() {
            let text = kind.example_text();
            let findings = detector.scan(text.as_bytes());
            // An ARN or a host of a category that is on is masked with all its parts.
            for kind in findings
                .findings
                .iter()
                .map(|f| f.kind)
                .filter_map(|id| Catalog::get().kind(id))
                .filter(|kind| kind.category == category)
            {
                found.push(format!("{} of {off} in {text:?}", kind.name));
            }
        }
    }
    assert!(found.is_empty(), "found though off:\n{}", found.join("\n"));
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
