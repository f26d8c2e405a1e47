//! `aws-masker`: finds, masks and restores AWS identifiers in files and streams.

mod catalog;
mod config;
mod failure;
mod input;
mod mapping;
mod mask;
mod scan;
mod unmask;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code for what could not be done.
const FAILED: u8 = 2;

/// Finds AWS identifiers and credentials, replaces them by tokens, and restores them.
///
/// Exit codes: 0 done, 1 something was found (with --fail-on-match), 2 wrong usage or unreadable input.
#[derive(Parser)]
#[command(name = "aws-masker", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what is there and where, without changing anything
    ///
    /// Text over 32 MiB is read in windows of 4 MiB: a name is found where its context stands, and at its other mentions
    /// in the same window.
    Scan(scan::Args),
    /// Replace identifiers by tokens
    ///
    /// Text over 32 MiB is read in windows of 4 MiB: a name is replaced where its context stands, and at its other
    /// mentions in the same window.
    Mask(mask::Args),
    /// Turn tokens back into what they stand for
    Unmask(unmask::Args),
    /// List every kind of identifier
    Catalog(catalog::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Mask(args) => mask::run(&args),
        Command::Unmask(args) => unmask::run(&args),
        Command::Catalog(args) => catalog::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::from(FAILED)
        }
    }
}
