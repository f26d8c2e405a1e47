//! The mapping file: what the tokens stand for.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_masker_core::session::Session;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Serialize, Deserialize)]
struct Mapping {
    version: u32,
    tokens: BTreeMap<String, Original>,
}

/// Text, or bytes that are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Original {
    Text(String),
    Bytes(Vec<u8>),
}

const VERSION: u32 = 1;

/// Writes what the tokens of `session` stand for. Only the owner may read the file.
pub(crate) fn write(path: &Path, session: &Session) -> Result<(), Failure> {
    let tokens = session
        .tokens()
        .iter()
        .map(|entry| {
            let original = match std::str::from_utf8(entry.original) {
                Ok(text) => Original::Text(text.into()),
                Err(_) => Original::Bytes(entry.original.to_vec()),
            };
            (String::from_utf8_lossy(entry.token).into_owned(), original)
        })
        .collect();
    let fail = |error| Failure::File(path.to_path_buf(), error);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(fail)?;
    let text = serde_json::to_vec_pretty(&Mapping { version: VERSION, tokens }).map_err(|e| fail(e.into()))?;
    file.write_all(&text).and_then(|()| file.write_all(b"\n")).map_err(fail)
}

/// Teaches `session` the mapping of a file.
pub(crate) fn read(path: &Path, session: &mut Session) -> Result<(), Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::File(path.to_path_buf(), error))?;
    let unusable = |what: &str| Failure::Content(path.to_path_buf(), what.into());
    let mapping: Mapping =
        serde_json::from_slice(&text).map_err(|_| unusable("is not a mapping that `aws-masker mask` wrote"))?;
    if mapping.version != VERSION {
        return Err(unusable("was written by another version of aws-masker"));
    }
    for (token, original) in &mapping.tokens {
        let original = match original {
            Original::Text(text) => text.as_bytes(),
            Original::Bytes(bytes) => bytes,
        };
        if !session.learn(token.as_bytes(), original) {
            return Err(unusable("has an entry that is not a token, or two that contradict each other"));
        }
    }
    Ok(())
}
