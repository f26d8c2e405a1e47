//! `aws-masker scan`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_masker_core::detect::{Detector, Finding};
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;
use crate::input::{self, Block, Input, InputKind};

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

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = input::config(args.config.as_deref())?;
    let detector = Detector::new(&config).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut found = false;
    let files: Vec<Option<&Path>> =
        if args.files.is_empty() { vec![None] } else { args.files.iter().map(|f| Some(f.as_path())).collect() };
    let several = files.len() > 1;
    for file in files {
        Input::open(file)?.blocks(args.input, |path, block| {
            let findings = detector
                .scan_body(block.content, &block.bytes)
                .map_err(|error| Failure::Content(path.to_path_buf(), error.to_string()))?
                .findings;
            found |= !findings.is_empty();
            let path = path.to_string_lossy();
            for finding in findings {
                print(&mut out, args, &detector, &block, &finding, several.then_some(&*path))?;
            }
            Ok(())
        })?;
    }
    out.flush()?;
    Ok(if found && args.fail_on_match { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn print(
    out: &mut impl Write,
    args: &Args,
    detector: &Detector,
    block: &Block,
    finding: &Finding,
    file: Option<&str>,
) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(&block.bytes[finding.span.clone()]);
    let line = Line {
        file,
        kind: detector.kind_name(finding.kind),
        label: detector.label(finding.kind),
        start: block.start + finding.span.start,
        end: block.start + finding.span.end,
        text: args.reveal.then_some(&*text),
    };
    match args.format {
        Format::Jsonl => {
            serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Human => {
            let file = line.file.map(|file| format!("{file}:")).unwrap_or_default();
            let text = line.text.map(|text| format!("  {}", text.escape_debug())).unwrap_or_default();
            writeln!(out, "{file}{}-{}  {}{text}", line.start, line.end, line.kind)?;
        }
    }
    Ok(())
}
