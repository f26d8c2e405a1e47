//! How a text is gone through: the sieve that says where to look, passages, what is remembered of them, other mentions.

pub(super) mod anchors;
pub(super) mod body;
pub(super) mod crossing;
pub(super) mod mention;
pub(super) mod names;
pub(super) mod passage;
pub(super) mod recall;
pub(super) mod sieve;
