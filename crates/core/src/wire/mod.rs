//! What may change in the bodies of LLM APIs, and what never.

mod coding;
mod content;
mod form;
mod layout;
mod multipart;
mod packed;
mod place;

pub use coding::ContentCoding;
pub use content::Content;
pub(crate) use content::{essence, is_generic_type};
pub(crate) use form::DecodedForm;
pub(crate) use layout::{Layout, Spelling};
pub(crate) use multipart::{Multipart, boundary};
pub use place::Place;
