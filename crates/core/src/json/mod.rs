//! JSON without a tree: where its strings are, what they spell, and how to spell them.

mod changeable;
mod escape;
mod opening;
mod turns;
mod walk;

pub(crate) use changeable::{Changeable, ChangeableStrings};
pub(crate) use escape::{push_escaped, unescape, whole_escapes};
pub(crate) use opening::{Enclosing, begins_document, holds_document, stands_in_string};
pub(crate) use turns::{Border, borders};
pub(crate) use walk::{Frame, Visitor, walk};
