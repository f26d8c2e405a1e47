//! What speaks for a value being somebody's identifier, and what against it.

pub(super) mod hint;
pub(super) mod nearby;
pub(super) mod ordinary;
pub(super) mod own;
pub(super) mod placeholder;
pub(super) mod published;
pub(super) mod told;
pub(super) mod vain;
