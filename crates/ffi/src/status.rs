//! What a call gives back.

use aws_masker_core::Error;

/// How a call ended. Numbers are only ever added.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done; outputs are written.
    Ok = 0,
    /// Done, and the input stands as it is; outputs are not written.
    Unchanged = 1,
    /// A bug in the library. The session accepts only free.
    Panic = 2,
    /// A pointer that must not be null was null.
    NullPointer = 3,
    /// The configuration cannot be used; the last error names the field.
    InvalidConfig = 4,
    /// The body is not what its content type says.
    InvalidBody = 5,
    /// A content type that cannot be masked.
    UnsupportedContent = 6,
    /// The body grew over the limit when it was inflated.
    BodyTooLarge = 7,
    /// The call came out of order.
    WrongState = 8,
    /// A sealed value does not open: it was made for another scope, token or secret, or somebody changed it.
    Unsealable = 9,
}

impl From<&Error> for Status {
    fn from(error: &Error) -> Self {
        match error {
            Error::Config(_) => Self::InvalidConfig,
            Error::InvalidBody { .. } | Error::InvalidCoding => Self::InvalidBody,
            Error::UnsupportedContent => Self::UnsupportedContent,
            Error::BodyTooLarge => Self::BodyTooLarge,
            _ => Self::WrongState,
        }
    }
}
