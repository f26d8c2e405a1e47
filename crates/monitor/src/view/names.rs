//! Names by number, bounded.

use std::collections::HashMap;

use crate::label::OTHER;

/// Gives each name a number; beyond a limit all new names share one.
pub(super) struct Names {
    indices: HashMap<String, usize>,
    names: Vec<String>,
    limit: usize,
}

impl Names {
    pub(super) fn new(limit: usize) -> Self {
        Self { indices: HashMap::new(), names: Vec::new(), limit }
    }

    pub(super) fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        let index = self.names.len();
        if index == self.limit {
            return self.limit;
        }
        self.names.push(name.to_owned());
        self.indices.insert(name.to_owned(), index);
        index
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or(OTHER, String::as_str)
    }
}
