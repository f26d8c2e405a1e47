//! What may change in the bodies of LLM APIs, and what never.

mod content;
mod place;

pub use content::{Content, ContentCoding};
pub use place::{Place, is_opaque_block, is_opaque_source};
