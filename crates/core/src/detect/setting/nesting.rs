//! Values and lists that are part of each other: `a=b=c=…`, `--names a --names b …`. Each may be what its key announces,
//! and to read all of them to their ends would take time that grows with the square of the longest.

use std::ops::Range;

/// How many may begin in one before others are.
const MAX_DEPTH: usize = 4;

/// The last of these that begins in no other, and how many were met that begin in it.
#[derive(Debug, Default)]
pub(in crate::detect) struct Nesting {
    outer: Range<usize>,
    depth: usize,
}

impl Nesting {
    /// Counts the one that begins at `at`; true where too many have begun in the same before.
    pub(in crate::detect) fn is_deep(&mut self, at: usize) -> bool {
        if self.outer.contains(&at) {
            self.depth += 1;
        } else {
            *self = Self { outer: at..at, depth: 0 };
        }
        self.depth >= MAX_DEPTH
    }

    /// The one that was counted last goes on to `end`.
    pub(in crate::detect) fn reach(&mut self, end: usize) {
        if self.depth == 0 {
            self.outer.end = self.outer.end.max(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::parts;

    #[test]
    fn what_begins_in_another_is_counted() {
        let mut nesting = Nesting::default();
        assert!(!nesting.is_deep(10));
        nesting.reach(100);
        let deep: Vec<bool> = (11..=20).map(|at| nesting.is_deep(at)).collect();
        assert_eq!(deep.iter().filter(|&&deep| deep).count(), 10 - MAX_DEPTH + 1);
        // The next one, behind it.
        assert!(!nesting.is_deep(100));
    }

    #[test]
    fn the_end_of_a_long_chain_is_found() {
        for (unit, last) in [("password=", "hR7$kq29_WvZe"), ("a=[x-1 b=[x-2 ", "bucket=[acme-logs]")] {
            let text = format!("{}{last}\n", unit.repeat(2000));
            let name = last.trim_start_matches("bucket=[").trim_end_matches(']');
            assert!(parts(&text).iter().any(|part| part.ends_with(name)), "{unit}");
        }
    }
}
