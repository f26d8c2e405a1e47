//! `aws-masker catalog`.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use aws_masker_core::catalog::Catalog;
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How kinds are printed
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// One JSON list
    Json,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: &'a str,
    label: &'a str,
    category: &'a str,
    shape: &'a str,
    example: String,
    source: &'a str,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let kinds = Catalog::get().kinds();
    let rows: Vec<Row<'_>> = kinds
        .iter()
        .map(|kind| Row {
            kind: kind.name,
            label: kind.label,
            category: kind.category.name(),
            shape: kind.shape,
            example: kind.example_text(),
            source: kind.source,
        })
        .collect();
    let mut out = BufWriter::new(std::io::stdout().lock());
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &rows).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Human => {
            let width = rows.iter().map(|row| row.kind.len()).max().unwrap_or(0);
            for row in &rows {
                let example = row.example.escape_debug();
                writeln!(out, "{:width$}  {:10}  {:11}  {example}", row.kind, row.label, row.category)?;
            }
            writeln!(out, "{} kinds", rows.len())?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
