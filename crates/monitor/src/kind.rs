//! Kinds of the catalog, by name.

use aws_masker_core::catalog::{Catalog, Kind};

/// The kind, unless it is one of the operator's own patterns.
pub(crate) fn of_catalog(name: &str) -> Option<&'static Kind> {
    let catalog = Catalog::get();
    catalog.find(name).and_then(|id| catalog.kind(id))
}

/// The group that a kind belongs to; `custom` for the operator's own.
pub(crate) fn category(name: &str) -> &'static str {
    of_catalog(name).map_or("custom", |kind| kind.category.name())
}
