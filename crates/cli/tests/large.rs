//! Inputs of any size: what lies across the borders of blocks, memory, pipes that close, progress.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use support::{Folder, INSTANCE, argument, command, run};

const MEBIBYTE: usize = 1 << 20;
/// Up to here an input is read whole, and beyond in blocks.
const WHOLE: usize = 32 * MEBIBYTE;
const BLOCK: usize = 4 * MEBIBYTE;

const ARN: &str = "arn:aws:iam::618734209955:role/billing-export";
const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\n-----END RSA PRIVATE KEY-----";

/// A text of one line with `what` at each of `places`, and nothing else to find.
fn one_line(size: usize, what: &str, places: &[usize]) -> Vec<u8> {
    let mut text = b"lorem-ipsum.".repeat(size / 12 + 1);
    text.truncate(size);
    for &place in places {
        text[place - 1] = b' ';
        text[place..place + what.len()].copy_from_slice(what.as_bytes());
        text[place + what.len()] = b' ';
    }
    text
}

/// Where `what` has to stand for the borders of blocks to lie at these offsets in it. A block that takes all of what
/// begins at its end moves the borders after it.
fn across_borders(what: &str, shifts: &[usize]) -> Vec<usize> {
    let mut border = 0;
    let place = |&shift: &usize| {
        border += BLOCK;
        let place = border - shift;
        if shift > 0 {
            border = border.max(place + what.len());
        }
        place
    };
    shifts.iter().map(place).collect()
}

#[test]
fn what_lies_across_a_border_of_blocks_is_found() {
    let folder = Folder::new();
    for (what, kind) in [(INSTANCE, "ec2:instance"), (ARN, "arn"), (KEY, "cred:private-key")] {
        let len = what.len();
        let places = across_borders(what, &[0, 1, 2, 4, 13, len / 2, len - 4, len - 1, len]);
        let file = folder.file("text", one_line(WHOLE + 7 * MEBIBYTE, what, &places));
        let expected: Vec<_> = places.iter().map(|place| format!("{place}-{}  {kind}", place + len)).collect();
        assert_eq!(run(&["scan", &file]).done().text().lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_text_of_many_blocks_is_masked_and_comes_back() {
    let folder = Folder::new();
    let size = WHOLE + 5 * MEBIBYTE;
    let places: Vec<usize> = (1..8).flat_map(|n| [n * BLOCK - 20, n * BLOCK + 200]).collect();
    let text = one_line(size, ARN, &places);
    let (file, mapping) = (folder.file("text", &text), argument(&folder.path("mapping.json")));
    let masked = run(&["mask", "--mapping", &mapping, &file]).done().out;
    assert!(memchr::memmem::find(&masked, b"618734209955").is_none());
    assert!(memchr::memmem::find(&masked, b"billing-export").is_none());
    let masked = folder.file("masked", masked);
    assert!(run(&["unmask", "--mapping", &mapping, &masked]).done().out == text);
}

/// Most memory that a run took, bytes.
fn peak(arguments: &[&str]) -> usize {
    let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().unwrap();
    let mut buffer = vec![0; MEBIBYTE];
    let mut peak = 0;
    // The kernel keeps the highest value; it is read until there is nothing left to read.
    while out.read(&mut buffer).unwrap() > 0 {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
        peak = peak.max(kibibytes.unwrap_or(0) * 1024);
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let folder = Folder::new();
    let padding = "and so on ".repeat(20);
    let line = format!("2026-11-25 {INSTANCE} called {ARN} from 10.24.7.31 {padding}\n");
    let small = folder.file("small", line.repeat(40 * MEBIBYTE / line.len()));
    let large = folder.file("large", line.repeat(64 * MEBIBYTE / line.len()));
    for command in ["scan", "mask"] {
        let (small, large) = (peak(&[command, &small]), peak(&[command, &large]));
        assert!(small > 0 && large < small + 12 * MEBIBYTE, "{command}: {small} and {large} bytes");
        assert!(large < 192 * MEBIBYTE, "{command}: {large} bytes");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    let file = folder.file("text", format!("{INSTANCE}\n").repeat(300_000));
    let mapping = argument(&folder.path("mapping.json"));
    for (arguments, code) in [
        (vec!["scan", &file], 0),
        (vec!["scan", "--fail-on-match", &file], 1),
        (vec!["scan", "--format", "jsonl", &file], 0),
        (vec!["mask", "--mapping", &mapping, &file], 0),
        (vec!["catalog"], 0),
        (vec!["catalog", "--format", "json"], 0),
    ] {
        let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
    }
    assert!(std::fs::read_to_string(&mapping).unwrap().contains(INSTANCE));
}

#[test]
fn an_output_that_is_full_is_a_failure() {
    let folder = Folder::new();
    let file = folder.file("text", format!("{INSTANCE}\n").repeat(1000));
    for arguments in [vec!["scan", &file], vec!["mask", &file], vec!["catalog"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command(&arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write: "), "{arguments:?}");
    }
}

/// Runs a shell command on a terminal of its own; gives all that the terminal got.
fn on_a_terminal(command: &str) -> String {
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn progress_is_shown_on_a_terminal_only() {
    let folder = Folder::new();
    let (file, binary) =
        (folder.file("text", one_line(64 * MEBIBYTE, INSTANCE, &[1])), env!("CARGO_BIN_EXE_aws-masker"));

    let shown = on_a_terminal(&format!("{binary} scan {file}"));
    assert!(shown.contains("MiB/64.00 MiB"), "{shown:?}");
    assert!(shown.contains("1-20  ec2:instance"), "{shown:?}");
    let piped = on_a_terminal(&format!("{binary} scan {file} 2>/dev/null"));
    assert_eq!(piped, "1-20  ec2:instance\r\n");
    assert_eq!(run(&["scan", &file]).done().text(), "1-20  ec2:instance\n");
}
