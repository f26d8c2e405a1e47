//! Settings: values that a key before them announces, in files, options, code and tables of keys.

pub(super) mod bare;
pub(super) mod below;
pub(super) mod between;
pub(super) mod branded;
pub(super) mod context;
pub(super) mod declared;
pub(super) mod directory;
pub(super) mod flat;
pub(super) mod index;
pub(super) mod key;
pub(super) mod nesting;
pub(super) mod plural;
pub(super) mod section;
pub(super) mod setter;
pub(super) mod title;
pub(super) mod value;
pub(super) mod variable;
pub(super) mod words;
