//! Why a command could not do its work.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

/// Everything that ends a command early. `Display` is for the person at the terminal, and never quotes an input.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    File(PathBuf, io::Error),
    /// Standard output is gone.
    Output(io::Error),
    /// A file does not hold what it should.
    Content(PathBuf, String),
    /// The core could not read a block; whoever knows the file makes it [`Failure::Content`].
    Block(aws_masker_core::Error),
    /// An option cannot be used as given.
    Usage(String),
}

impl Failure {
    /// The reader of a pipe went away: nothing more to do, and nothing to complain of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Tells the person at the terminal.
    pub(crate) fn report(&self) {
        let _ = writeln!(io::stderr(), "aws-masker: {self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Output(error) => write!(f, "cannot write: {error}"),
            Self::Content(path, what) => write!(f, "{}: {what}", path.display()),
            Self::Block(error) => write!(f, "{error}"),
            Self::Usage(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<aws_masker_core::Error> for Failure {
    fn from(error: aws_masker_core::Error) -> Self {
        Self::Block(error)
    }
}
