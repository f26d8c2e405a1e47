//! `aws-masker scan`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_masker_core::detect::{Detector, Finding};
use aws_masker_core::wire::Content;
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;
use crate::input::{Block, Input, InputKind};
use crate::{FAILED, config};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How findings are printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// How inputs are read
    #[arg(long, value_enum, default_value = "auto")]
    input: InputKind,
    /// Show the text of each finding, secrets too
    #[arg(long)]
    reveal: bool,
    /// End with exit code 1 when anything is found
    #[arg(long)]
    fail_on_match: bool,
    /// The plugin's configuration (JSON or YAML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Files to read; none or - is standard input
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for people
    Human,
    /// A JSON object a line; offsets are bytes
    Jsonl,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    kind: &'a str,
    label: &'a str,
    start: usize,
    end: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// Exit code for `--fail-on-match`.
const FOUND: u8 = 1;
/// Output is written in pieces of about this size.
const PIECE: usize = 64 << 10;

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config::read(args.config.as_deref())?;
    let detector = Detector::new(&config).map_err(|error| Failure::Usage(error.to_string()))?;
    let files: Vec<Option<&Path>> =
        if args.files.is_empty() { vec![None] } else { args.files.iter().map(|f| Some(f.as_path())).collect() };
    let mut scan = Scan { args, detector, names_files: files.len() > 1, found: false };
    let mut failed = false;
    for file in files {
        match scan.file(file) {
            Ok(()) => {}
            // Whoever read the output has seen enough.
            Err(failure) if failure.is_broken_pipe() => break,
            Err(failure @ Failure::Output(_)) => return Err(failure),
            // The other files are looked at all the same.
            Err(failure) => {
                failure.report();
                failed = true;
            }
        }
    }
    Ok(match scan.found {
        _ if failed => ExitCode::from(FAILED),
        true if args.fail_on_match => ExitCode::from(FOUND),
        _ => ExitCode::SUCCESS,
    })
}

struct Scan<'a> {
    args: &'a Args,
    detector: Detector,
    names_files: bool,
    found: bool,
}

impl Scan<'_> {
    fn file(&mut self, path: Option<&Path>) -> Result<(), Failure> {
        let input = Input::open(path)?;
        let name = path.map_or("-".into(), Path::to_string_lossy);
        let name = self.names_files.then_some(&*name);
        let progress = input.progress();
        let mut out = std::io::stdout().lock();
        let mut piece = Vec::new();
        input.blocks(self.args.input, |block| {
            let mut end = block.core.end;
            for finding in find(&self.detector, block)? {
                if block.core.contains(&finding.span.start) {
                    self.found = true;
                    end = end.max(finding.span.end);
                    self.print(&mut piece, block, &finding, name)?;
                }
                if piece.len() >= PIECE {
                    progress.suspend(|| out.write_all(&piece))?;
                    piece.clear();
                }
            }
            progress.suspend(|| out.write_all(&piece).and_then(|()| out.flush()))?;
            piece.clear();
            Ok(end)
        })
    }

    fn print(&self, out: &mut Vec<u8>, block: &Block<'_>, finding: &Finding, file: Option<&str>) -> io::Result<()> {
        let text = String::from_utf8_lossy(&block.bytes[finding.span.clone()]);
        let line = Line {
            file,
            kind: self.detector.kind_name(finding.kind),
            label: self.detector.label(finding.kind),
            start: block.start + finding.span.start,
            end: block.start + finding.span.end,
            text: self.args.reveal.then_some(&*text),
        };
        match self.args.format {
            Format::Jsonl => {
                serde_json::to_writer(&mut *out, &line)?;
                writeln!(out)
            }
            Format::Human => {
                let file = line.file.map(|file| format!("{}:", file.escape_debug())).unwrap_or_default();
                let text = line.text.map(|text| format!("  {}", text.escape_debug())).unwrap_or_default();
                writeln!(out, "{file}{}-{}  {}{text}", line.start, line.end, line.kind)
            }
        }
    }
}

/// Findings of a block, in order. Text in UTF-16 or UTF-32 is looked at without its zero bytes.
fn find(detector: &Detector, block: &Block<'_>) -> Result<Vec<Finding>, Failure> {
    let Block { bytes, content, .. } = block;
    if Content::Text.check(bytes).is_ok() {
        return Ok(detector.scan_body(*content, bytes)?.findings);
    }
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    let narrow: Vec<u8> = places.iter().map(|&at| bytes[at]).collect();
    let mut findings = detector.scan_body(Content::Text, &narrow)?.findings;
    for Finding { span, .. } in &mut findings {
        *span = places[span.start]..places[span.end - 1] + 1;
    }
    Ok(findings)
}
