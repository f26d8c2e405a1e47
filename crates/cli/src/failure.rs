//! Why a command could not do its work.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Everything that ends a command early. `Display` is for the person at the terminal.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    File(PathBuf, io::Error),
    /// Standard output is gone.
    Output(io::Error),
    /// A file does not hold what it should.
    Content(PathBuf, String),
    /// An option cannot be used as given.
    Usage(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Output(error) => write!(f, "cannot write: {error}"),
            Self::Content(path, what) => write!(f, "{}: {what}", path.display()),
            Self::Usage(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
