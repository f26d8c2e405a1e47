//! Identifiers that are known by their shape.

pub(super) mod access_key;
pub(super) mod account;
pub(super) mod address;
pub(super) mod arn;
pub(super) mod console;
pub(super) mod host;
pub(super) mod opaque;
pub(super) mod prefixed;
pub(super) mod shaped;
