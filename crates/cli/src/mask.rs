//! `aws-masker mask`.

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aws_masker_core::detect::Detector;
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use aws_masker_core::wire::Content;

use crate::config;
use crate::failure::Failure;
use crate::input::{Input, InputKind};
use crate::mapping::MappingFile;

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
    /// Write what the tokens stand for to this file, for `unmask`; until then memory holds every different original
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
    let detector = Arc::new(Detector::new(&config::read(args.config.as_deref())?).map_err(usage)?);
    let key = TokenKey::new(&secret(args)?).map_err(|error| Failure::Usage(secret_advice(args, &error)))?;
    let key = key.scope(args.scope.as_bytes());
    let new_session = || Session::new(Arc::clone(&detector), key.clone(), SessionOptions::default());
    let mut session = new_session();
    let input = Input::open(args.file.as_deref())?;
    let mapping = args.mapping.as_deref().map(|path| MappingFile::open(path, args.file.as_deref())).transpose()?;
    let forgets = mapping.is_none();
    let written = write(input, args.input, |content, bytes, core| {
        // What is not written down need not be known for longer: the key alone makes the same tokens.
        if forgets {
            session = new_session();
        }
        mask(&mut session, content, bytes, core)
    });
    // What is out already can be undone, whatever came after it.
    let remembered = mapping.map_or(Ok(()), |mapping| mapping.write(&session));
    written.and(remembered).map(|()| ExitCode::SUCCESS)
}

/// The masked bytes, `None` where they stand as they are, and where in the block they end.
type Masked = (Option<Vec<u8>>, usize);

fn mask(session: &mut Session, content: Content, bytes: &[u8], core: Range<usize>) -> Result<Masked, Failure> {
    Ok(match content {
        Content::Text => session.mask_within(bytes, core)?,
        Content::JsonLines => (session.mask(b"application/jsonl", bytes)?, core.end),
        _ => (session.mask(b"application/json", bytes)?, core.end),
    })
}

fn write(
    input: Input,
    kind: InputKind,
    mut mask: impl FnMut(Content, &[u8], Range<usize>) -> Result<Masked, Failure>,
) -> Result<(), Failure> {
    let progress = input.progress();
    let mut out = std::io::stdout().lock();
    input.blocks(kind, |block| {
        let (masked, end) = mask(block.content, block.bytes, block.core.clone())?;
        let masked = masked.as_deref().unwrap_or(&block.bytes[block.core.start..end]);
        progress.suspend(|| out.write_all(masked))?;
        Ok(end)
    })?;
    out.flush()?;
    Ok(())
}

/// The core speaks of the plugin's field; here the secret came another way.
fn secret_advice(args: &Args, error: &aws_masker_core::Error) -> String {
    let option = if args.secret_env.is_some() { "--secret-env" } else { "--secret-file" };
    let text = error.to_string();
    format!("{option}: {}", text.strip_prefix("token_secret: ").unwrap_or(&text))
}

fn secret(args: &Args) -> Result<Vec<u8>, Failure> {
    if let Some(name) = &args.secret_env {
        return match std::env::var(name) {
            Ok(secret) => Ok(secret.into_bytes()),
            Err(_) => Err(Failure::Usage(format!("--secret-env: {name} is not set, or not text; export it first"))),
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
