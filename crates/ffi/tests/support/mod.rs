//! The built library, loaded into LuaJIT as the plugin loads it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use mlua::{FromLuaMulti, Lua};
use tempfile::TempDir;

pub const LIBRARY: &str = "libaws_masker.so";

pub fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn repository() -> PathBuf {
    crate_root().join("../..").canonicalize().unwrap()
}

/// The library, built as this test is. Cargo builds no `cdylib` for integration tests by itself, and a `lib` beside it
/// would cost the released library its link-time optimisation.
pub fn library() -> &'static Path {
    static LIBRARY_PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        // target/PROFILE/deps/TEST
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let name = match profile.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let target = profile.parent().unwrap().to_str().unwrap();
        output_of(
            env!("CARGO"),
            &["build", "--quiet", "--package", "aws-masker-ffi", "--lib", "--profile", name, "--target-dir", target],
        );
        profile.join(LIBRARY)
    });
    &LIBRARY_PATH
}

/// Output of a program that has to succeed.
pub fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compiles C into a library of that name in `folder`.
pub fn compile(folder: &Path, code: &str) {
    let source = folder.join("source.c");
    std::fs::write(&source, code).unwrap();
    let library = folder.join(LIBRARY);
    output_of("cc", &["-shared", "-fPIC", "-o", library.to_str().unwrap(), source.to_str().unwrap()]);
}

/// A worker: a LuaJIT state with the plugin's modules, and a copy of the library of its own, so that its count of open
/// handles is not that of other tests.
pub struct Worker {
    lua: Lua,
    folder: TempDir,
}

impl Worker {
    /// A worker whose library is there.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::copy(library(), folder.path().join(LIBRARY)).unwrap();
        Self::with_folder(folder)
    }

    /// A worker that looks for the library in `folder`.
    pub fn with_folder(folder: TempDir) -> Self {
        // SAFETY: `ffi` is what these tests are about; the code they run is their own.
        let lua = unsafe { Lua::unsafe_new() };
        let worker = Self { lua, folder };
        let path = worker.folder().to_str().unwrap().to_string();
        worker.lua.globals().set("FOLDER", path).unwrap();
        worker.lua.globals().set("PLUGIN", repository().join("kong-plugin").to_str().unwrap()).unwrap();
        worker.run::<()>(
            r#"
            package.path = PLUGIN .. "/?.lua"
            package.cpath = FOLDER .. "/?.so"
            ffi = require "ffi"
            cdefs = require "kong.plugins.aws-masker.cdefs"
            SECRET = "0123456789abcdef"
            BODY = '{"text":"i-0f3a9c27be41d8056 in vpc-04d1c7e92ab86f035"}'
            JSON = "application/json"
            "#,
        );
        worker
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs Lua; an error in it fails the test.
    pub fn run<R: FromLuaMulti>(&self, code: &str) -> R {
        self.lua.load(code).eval().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads what the plugin calls the library with.
    pub fn with_clib(self) -> Self {
        self.run::<()>(r#"clib = require "kong.plugins.aws-masker.clib"; assert(clib.available())"#);
        self
    }

    /// Loads the library itself, with cells for outputs.
    pub fn with_library(self) -> Self {
        self.run::<()>(
            r#"
            lib = ffi.load(FOLDER .. "/libaws_masker.so")
            OUT, LEN = ffi.new("const uint8_t *[1]"), ffi.new("size_t[1]")
            DETECTOR, SESSION = ffi.new("awsm_detector *[1]"), ffi.new("awsm_session *[1]")
            S = {}
            for name, value in io.open(PLUGIN .. "/kong/plugins/aws-masker/cdefs.lua"):read("*a")
                                 :gmatch("AWSM_STATUS_([A-Z_]+) = (%d+)") do
              S[tonumber(value)] = name
            end
            function status(of) return S[tonumber(of)] or error("no such status: " .. tonumber(of)) end
            function last_error()
              assert(status(lib.awsm_last_error(OUT, LEN)) == "OK")
              return ffi.string(OUT[0], LEN[0])
            end
            function new_session()
              assert(status(lib.awsm_detector_new("{}", 2, SECRET, #SECRET, DETECTOR)) == "OK")
              assert(status(lib.awsm_session_new(DETECTOR[0], "s", 1, SESSION)) == "OK")
              return SESSION[0], DETECTOR[0]
            end
            "#,
        );
        self
    }
}
