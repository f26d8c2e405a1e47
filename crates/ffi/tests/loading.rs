//! Finding, loading and declaring the library.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use support::{LIBRARY, Worker, compile, crate_root, library, output_of, repository};
use tempfile::TempDir;

/// Why the plugin cannot use the library.
fn refusal(worker: &Worker) -> String {
    worker.run(
        r#"
        local clib = require "kong.plugins.aws-masker.clib"
        local available, why = clib.available()
        assert(not available)
        -- every way in says the same
        local detector, failure, text = clib.detector("{}", SECRET)
        assert(detector == nil and failure == "LIBRARY_UNAVAILABLE" and text == why)
        return why
        "#,
    )
}

#[test]
fn a_missing_library_is_said_with_the_places_that_were_tried() {
    let worker = Worker::with_folder(TempDir::new().unwrap());
    let why = refusal(&worker);
    assert!(why.contains("lua_package_cpath"), "{why}");
    assert!(why.contains(worker.folder().join(LIBRARY).to_str().unwrap()), "{why}");
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join(LIBRARY), "not an ELF file").unwrap();
    let why = refusal(&Worker::with_folder(folder));
    assert!(why.contains("could not be loaded"), "{why}");
}

#[test]
fn another_library_is_refused() {
    let folder = TempDir::new().unwrap();
    compile(folder.path(), "int unrelated(void) { return 1; }");
    let why = refusal(&Worker::with_folder(folder));
    assert!(why.contains("is not a libaws_masker") && why.contains("awsm_abi_version"), "{why}");
}

#[test]
fn another_abi_version_is_refused_with_both_numbers_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    compile(folder.path(), "unsigned awsm_abi_version(void) { return 4711; }");
    let worker = Worker::with_folder(folder);
    let why = refusal(&worker);
    let needed = worker.run::<u32>("return cdefs.ABI_VERSION");
    assert!(why.contains("4711") && why.contains(&format!("needs {needed}")) && why.contains("same release"), "{why}");
}

#[test]
fn the_library_has_the_version_of_the_declarations() {
    Worker::new().with_library().run::<()>("assert(tonumber(lib.awsm_abi_version()) == cdefs.ABI_VERSION)");
}

#[test]
fn what_is_exported_is_declared_and_the_other_way_round() {
    let listed = output_of("nm", &["-D", "--defined-only", library().to_str().unwrap()]);
    let exported: BTreeSet<&str> =
        listed.lines().filter_map(|line| line.split(' ').nth(2)).filter(|name| name.starts_with("awsm_")).collect();

    let worker = Worker::new().with_library();
    // a symbol that is declared without a type that LuaJIT understands fails here
    let declared =
        worker.run::<Vec<String>>("for _, name in ipairs(cdefs.SYMBOLS) do assert(lib[name]) end return cdefs.SYMBOLS");
    let declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
    assert_eq!(exported, declared);
    assert!(declared.contains("awsm_abi_version"));
}

#[test]
fn nothing_but_the_abi_is_exported() {
    let listed = output_of("nm", &["-D", "--defined-only", library().to_str().unwrap()]);
    let others: Vec<&str> = listed.lines().filter(|line| !line.contains(" T awsm_")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn the_header_is_what_the_generator_makes() {
    let config = cbindgen::Config::from_file(crate_root().join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::generate_with_config(crate_root(), config).unwrap().write(&mut made);
    let committed = std::fs::read_to_string(crate_root().join("include/aws_masker.h")).unwrap();
    assert!(String::from_utf8(made).unwrap() == committed, "include/aws_masker.h is stale: run `make header`");
}

#[test]
fn the_declarations_are_what_the_header_says() {
    let made = output_of("scripts/generate-cdefs", &["crates/ffi/include/aws_masker.h"]);
    let committed =
        std::fs::read_to_string(repository().join("kong-plugin/kong/plugins/aws-masker/cdefs.lua")).unwrap();
    assert!(made == committed, "cdefs.lua is stale: run `make header`");
}

/// Its panic hook and thread-local data outlive the Lua state that loaded it.
#[test]
fn the_library_is_never_unloaded() {
    let is_mapped = |path: &str| std::fs::read_to_string("/proc/self/maps").unwrap().contains(path);
    let load_and_drop = |worker: Worker| {
        let path = worker.folder().join(LIBRARY).to_str().unwrap().to_string();
        worker.run::<()>(r#"LOADED = ffi.load(FOLDER .. "/libaws_masker.so")"#);
        assert!(is_mapped(&path));
        drop(worker);
        is_mapped(&path)
    };

    // LuaJIT unloads what it loaded, unless the library forbids it
    let folder = TempDir::new().unwrap();
    compile(folder.path(), "int unrelated(void) { return 1; }");
    assert!(!load_and_drop(Worker::with_folder(folder)));
    assert!(load_and_drop(Worker::new()));
}
