//! Values whose place in a document says what they are: members of a thing, siblings, pairs, tables, elements.

pub(super) mod access_log;
pub(super) mod container;
pub(super) mod difference;
pub(super) mod dimension;
pub(super) mod element;
pub(super) mod listing;
pub(super) mod markup_table;
pub(super) mod pair;
pub(super) mod pane;
pub(super) mod sibling;
pub(super) mod table;
