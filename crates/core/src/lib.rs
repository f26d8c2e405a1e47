//! Finds AWS identifiers, replaces them by tokens, and restores them.
//!
//! - [`catalog`]: every kind of identifier.
//! - [`detect`]: finding them in bytes.
//! - [`token`]: what stands in their place.
//! - [`session`]: one exchange: masks a request, remembers what it replaced, restores the answer
//!   while it streams.
//! - [`vault`]: sealing what tokens stand for, for a store that others may read.
//! - [`wire`]: what may change in the JSON of LLM APIs, and what never.
//!
//! Pure: no I/O, no clock, no randomness. No error and no `Debug` output holds a byte of a body.

pub mod catalog;
pub mod detect;
mod error;
mod json;
mod marks;
mod restore;
pub mod session;
pub mod token;
pub mod vault;
pub mod wire;

pub use error::{Error, Result};
