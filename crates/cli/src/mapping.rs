//! The mapping file: what the tokens stand for.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_masker_core::session::{Session, TokenIndex};
use serde::{Deserialize, Serialize, Serializer};

use crate::failure::Failure;

#[derive(Deserialize)]
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

/// Only the owner may read the file, whoever made it.
const MODE: u32 = 0o600;

/// A mapping file that is to be written when everything is masked. It is opened before anything is, so that nothing
/// leaves that could not be undone.
pub(crate) struct MappingFile {
    path: PathBuf,
    file: File,
}

impl MappingFile {
    /// Opens or makes the file; what it holds stays until [`Self::write`].
    pub(crate) fn open(path: &Path, input: Option<&Path>) -> Result<Self, Failure> {
        let fail = |error| Failure::File(path.to_path_buf(), error);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        let is_input = input
            .and_then(|input| input.metadata().ok())
            .is_some_and(|input| metadata.is_file() && (input.dev(), input.ino()) == (metadata.dev(), metadata.ino()));
        if is_input {
            return Err(Failure::Usage("--mapping: names the input, which it would overwrite".into()));
        }
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Writes what the tokens of `session` stand for.
    pub(crate) fn write(mut self, session: &Session) -> Result<(), Failure> {
        self.try_write(session).map_err(|error| Failure::File(self.path, error))
    }

    fn try_write(&mut self, session: &Session) -> io::Result<()> {
        // A pipe or a terminal has neither length nor owner to set.
        if self.file.metadata()?.is_file() {
            self.file.set_permissions(Permissions::from_mode(MODE))?;
            self.file.set_len(0)?;
        }
        let mut out = BufWriter::new(&mut self.file);
        serde_json::to_writer_pretty(&mut out, &Written { version: VERSION, tokens: Tokens(session.tokens()) })?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// [`Mapping`], straight from a session: there may be millions of tokens.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    tokens: Tokens<'a>,
}

struct Tokens<'a>(&'a TokenIndex);

impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|entry| {
            let original = match std::str::from_utf8(entry.original) {
                Ok(text) => Original::Text(text.into()),
                Err(_) => Original::Bytes(entry.original.to_vec()),
            };
            (String::from_utf8_lossy(entry.token), original)
        }))
    }
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
