//! `aws-masker catalog`.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use aws_masker_core::catalog::{Catalog, Category, Kind, Validator};
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
    /// The page docs/catalog.md
    Markdown,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    label: &'static str,
    category: &'static str,
    shape: &'static str,
    /// What decides that a text is of this kind.
    validator: Vec<String>,
    example: String,
    source: &'static str,
}

impl Row {
    fn new(catalog: &Catalog, kind: &Kind) -> Self {
        Self {
            kind: kind.name,
            label: kind.label,
            category: kind.category.name(),
            shape: kind.shape,
            validator: catalog.validators(kind).iter().map(Validator::to_string).collect(),
            example: kind.example_text(),
            source: kind.source,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let catalog = Catalog::get();
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let rows: Vec<_> = catalog.kinds().iter().map(|kind| Row::new(catalog, kind)).collect();
            serde_json::to_writer_pretty(&mut out, &rows).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Human => {
            let kinds = catalog.kinds();
            let width = kinds.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
            for kind in kinds {
                let Kind { name, label, .. } = kind;
                let (category, example) = (kind.category.name(), kind.example_text());
                writeln!(out, "{name:width$}  {label:10}  {category:11}  {}  {}", example.escape_debug(), kind.source)?;
            }
            writeln!(out, "{} kinds", kinds.len())?;
        }
        Format::Markdown => page(&mut out, catalog)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The page of the documentation: a table for each category.
fn page(out: &mut impl Write, catalog: &Catalog) -> io::Result<()> {
    let kinds = catalog.kinds();
    writeln!(out, "# Catalog\n")?;
    writeln!(
        out,
        "The {} kinds of identifiers that are found. Made from the tables of `crates/core/data` by `make docs`; edit \
         those\ninstead. `aws-masker catalog --format json` has the same for programs.\n",
        kinds.len()
    )?;
    writeln!(
        out,
        "A kind is what `exclude_kinds` names and what metrics and events count; its label is what its tokens begin \
         with. *Found\nby* says what decides: a prefix and the characters after it, a resource type of an ARN, a label \
         of a host name, the name\nof the member, flag or attribute that holds the value, words of running text \
         before it, or a rule written for this kind\nalone."
    )?;
    for (name, category) in Category::NAMED {
        let of_category: Vec<_> = kinds.iter().filter(|kind| kind.category == category).collect();
        writeln!(out, "\n## {name} ({})\n", of_category.len())?;
        writeln!(out, "| kind | label | shape | found by | example | source |\n|---|---|---|---|---|---|")?;
        for kind in of_category {
            let Kind { name, label, source, .. } = kind;
            let (shape, example) = (code(kind.shape), code(kind.example));
            let found_by = summary(&catalog.validators(kind));
            writeln!(out, "| `{name}` | `{label}` | {shape} | {found_by} | {example} | {} |", cell(source))?;
        }
    }
    Ok(())
}

/// A few words on what decides; of members and words in running text one stands for all.
fn summary(validators: &[Validator]) -> String {
    let mut parts = Vec::new();
    let (mut members, mut phrases) = (Vec::new(), Vec::new());
    for validator in validators {
        match validator {
            Validator::Rule => parts.push("a rule".to_owned()),
            Validator::Prefix { prefix, .. } => parts.push(format!("prefix {}", code(prefix))),
            Validator::Arn { service, resource } => {
                parts.push(format!("ARN {}", code(&format!("{service}:{resource}"))));
            }
            Validator::Host { label } => parts.push(format!("host {}", code(label))),
            Validator::Member { key, .. } => members.push(*key),
            Validator::Phrase { words, .. } => phrases.push(words.trim()),
        }
    }
    parts.extend(one_of_many("member", &members));
    parts.extend(one_of_many("words", &phrases));
    parts.join(", ")
}

fn one_of_many(what: &str, names: &[&str]) -> Option<String> {
    let first = code(names.first()?);
    Some(if names.len() == 1 {
        format!("{what} {first}")
    } else {
        format!("{what} {first} and {} more", names.len() - 1)
    })
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// A bar would end the cell, also in code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
