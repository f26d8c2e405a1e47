//! The one error type of this crate. No error holds a byte of a body.

use std::fmt;

/// What went wrong, and what to do about it.
///
/// `Display` is one lower-case sentence for the operator who reads the log; it names configuration fields, positions
/// and limits, never contents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A field of the configuration cannot be used; the text names the field and the fix.
    Config(String),
    /// The body is not what its content type says. Holds the byte offset where reading stopped.
    InvalidBody {
        /// Byte offset into the body.
        offset: usize,
    },
    /// This content type is not one that can be masked.
    UnsupportedContent,
    /// The body is not coded as its content coding says, or not to its end.
    InvalidCoding,
    /// The body grew over the limit when it was inflated.
    BodyTooLarge,
    /// A call came out of order, e.g. restoring before the answer was opened.
    WrongState(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(text) => f.write_str(text),
            Self::InvalidBody { offset } => {
                write!(f, "the body is not what its content type says (byte {offset})")
            }
            Self::UnsupportedContent => f.write_str("bodies of this content type cannot be masked"),
            Self::InvalidCoding => f.write_str("the body is not coded as its content coding says"),
            Self::BodyTooLarge => f.write_str("the inflated body is over the limit"),
            Self::WrongState(what) => write!(f, "called out of order: {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
