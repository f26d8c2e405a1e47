//! `aws-masker mask`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aws_masker_core::detect::Detector;
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use aws_masker_core::wire::Content;

use crate::failure::Failure;
use crate::input::{self, Input, InputKind};
use crate::mapping;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How the input is read
    #[arg(long, value_enum, default_value = "auto")]
    input: InputKind,
    /// Environment variable that holds the secret (16 bytes or more); without a secret tokens differ in each run
    #[arg(long, value_name = "VAR", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// File that holds the secret; one line end at its end does not count
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Who the tokens belong to: the same secret and scope give the same tokens
    #[arg(long, default_value = "global")]
    scope: String,
    /// Write what the tokens stand for to this file, for `unmask`
    #[arg(long, value_name = "OUT.json")]
    mapping: Option<PathBuf>,
    /// The plugin's configuration (JSON or YAML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File to read; none or - is standard input
    file: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let usage = |error: aws_masker_core::Error| Failure::Usage(error.to_string());
    let detector = Arc::new(Detector::new(&input::config(args.config.as_deref())?).map_err(usage)?);
    let key = TokenKey::new(&secret(args)?).map_err(usage)?;
    let mut session = Session::new(detector, key.scope(args.scope.as_bytes()), SessionOptions::default());
    let mut out = BufWriter::new(std::io::stdout().lock());
    Input::open(args.file.as_deref())?.blocks(args.input, |path, block| {
        let content_type: &[u8] = if block.content == Content::Json { b"application/json" } else { b"text/plain" };
        let masked = session
            .mask(content_type, &block.bytes)
            .map_err(|error| Failure::Content(path.to_path_buf(), error.to_string()))?;
        out.write_all(masked.as_ref().unwrap_or(&block.bytes))?;
        Ok(())
    })?;
    out.flush()?;
    if let Some(path) = &args.mapping {
        mapping::write(path, &session)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn secret(args: &Args) -> Result<Vec<u8>, Failure> {
    if let Some(name) = &args.secret_env {
        return match std::env::var(name) {
            Ok(secret) => Ok(secret.into_bytes()),
            Err(_) => Err(Failure::Usage(format!("--secret-env: {name} is not set"))),
        };
    }
    if let Some(path) = &args.secret_file {
        let mut secret = std::fs::read(path).map_err(|error| Failure::File(path.clone(), error))?;
        if secret.ends_with(b"\n") {
            secret.pop();
        }
        return Ok(secret);
    }
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|error| Failure::Usage(format!("no random numbers: {error}")))?;
    Ok(secret)
}
