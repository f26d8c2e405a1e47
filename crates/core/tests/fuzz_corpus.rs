//! Runs every input of the fuzz targets that is kept, without a fuzzer: `fuzz/seeds/TARGET/` is what fuzzing begins
//! with, `fuzz/found/TARGET/` is what it broke once.
#![allow(unreachable_pub, clippy::print_stdout, clippy::unwrap_used)]

#[path = "../fuzz/src/lib.rs"]
mod properties;

use std::path::Path;

fn run(target: &str, property: fn(&[u8])) {
    let mut inputs = 0;
    for set in ["seeds", "found"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(set).join(target);
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            // the name of the input that fails comes right before its failure
            println!("{}", path.display());
            property(&std::fs::read(&path).unwrap());
            inputs += 1;
        }
    }
    assert!(inputs > 0, "fuzz/seeds/{target} is empty");
}

#[test]
fn mask_json() {
    run("mask_json", properties::mask_json);
}

#[test]
fn mask_multipart() {
    run("mask_multipart", properties::mask_multipart);
}

#[test]
fn mask_text() {
    run("mask_text", properties::mask_text);
}

#[test]
fn oracle() {
    run("oracle", properties::oracle);
}

#[test]
fn restore_json() {
    run("restore_json", properties::restore_json);
}

#[test]
fn restore_text() {
    run("restore_text", properties::restore_text);
}

#[test]
fn restore_sse() {
    run("restore_sse", properties::restore_sse);
}

#[test]
fn restore_frames() {
    run("restore_frames", properties::restore_frames);
}

#[test]
fn stream_deltas() {
    run("stream_deltas", properties::stream_deltas);
}

/// A dictionary with other tokens would lead the fuzzer nowhere.
#[test]
fn the_dictionary_has_the_tokens_of_the_targets() {
    let dictionary = include_str!("../fuzz/fuzz.dict");
    for token in properties::known_tokens() {
        assert!(dictionary.contains(&format!("\"{token}\"")), "fuzz/fuzz.dict lacks {token}");
    }
}
