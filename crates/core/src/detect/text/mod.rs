//! What a text is made of, whatever it speaks of: where words, lines and URLs begin and end, and what hides behind escapes.

pub(super) mod boundary;
pub(super) mod disguise;
pub(super) mod encoded;
pub(super) mod gutter;
pub(super) mod line;
pub(super) mod spelling;
pub(super) mod url;
pub(super) mod view;
pub(super) mod whole;
pub(super) mod word_list;
