//! Names that come from outside, bounded in number.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a name becomes once there are too many.
pub(crate) const OTHER: &str = "other";

/// The distinct values that one label may take. Every one of them is a time series for as long as the process lives, so
/// beyond a limit new ones are all called [`OTHER`].
#[derive(Debug)]
pub(crate) struct Values {
    known: Mutex<HashSet<Arc<str>>>,
    limit: usize,
    other: Arc<str>,
}

impl Values {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: Mutex::default(), limit, other: OTHER.into() }
    }

    /// `value`, or [`OTHER`].
    pub(crate) fn bounded(&self, value: &str) -> Arc<str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.get(value) {
            return Arc::clone(value);
        }
        if known.len() == self.limit {
            return Arc::clone(&self.other);
        }
        let value: Arc<str> = value.into();
        known.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_new_names_are_other_and_known_ones_stay() {
        let values = Values::new(3);
        let names: Vec<_> = ["a", "b", "c", "d", "b", "e"].map(|name| values.bounded(name)).into();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["a", "b", "c", OTHER, "b", OTHER]);
    }
}
