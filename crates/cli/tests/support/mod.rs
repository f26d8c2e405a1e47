//! Runs the command line as people do.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const INSTANCE: &str = "i-0f3a9c27be41d8056";
pub const VPC: &str = "vpc-04d1c7e92ab86f035";

/// What a run gave.
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub problems: String,
}

impl Ran {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Asserts that it went well and said nothing on the side.
    pub fn done(self) -> Self {
        assert_eq!((self.code, self.problems.as_str()), (0, ""));
        self
    }
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aws-masker"));
    command.args(arguments);
    command
}

/// Runs with `input` on standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that refuses its options does not read.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran { code: output.status.code().unwrap(), out: output.stdout, problems: String::from_utf8(output.stderr).unwrap() }
}

pub fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

/// A folder for one test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its path, as an argument.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        argument(&path)
    }
}

pub fn argument(path: &Path) -> String {
    path.to_str().unwrap().into()
}

/// `unmask(mask(input))`, with the masked bytes.
pub fn round_trip(folder: &Folder, mask: &[&str], input: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mapping = argument(&folder.path("mapping.json"));
    let masked = run_with(&[&["mask", "--mapping", &mapping], mask].concat(), input).done().out;
    let restored = run_with(&["unmask", "--mapping", &mapping], &masked).done().out;
    (masked, restored)
}
