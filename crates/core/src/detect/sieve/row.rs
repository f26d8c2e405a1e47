//! What must stand around an anchor.

use super::OFFSETS;

/// A set of bytes: some of ASCII, or every byte there is.
#[derive(Clone, Copy, Debug)]
pub(in crate::detect) struct Class {
    ascii: u128,
    any: bool,
}

impl Class {
    /// Every byte, also those that are not ASCII, and the outside of the text.
    pub(in crate::detect) const ANY: Self = Self { ascii: u128::MAX, any: true };

    /// The ASCII bytes for which `member` holds.
    pub(in crate::detect) fn of(member: impl Fn(u8) -> bool) -> Self {
        let ascii = (0..128).filter(|&c| member(c)).fold(0, |set, c| set | 1 << c);
        Self { ascii, any: false }
    }

    /// These ASCII bytes.
    pub(in crate::detect) fn bytes(bytes: &[u8]) -> Self {
        Self::of(|c| bytes.contains(&c))
    }

    pub(super) fn has_low_half(self, half: u8) -> bool {
        (0..8).any(|high| self.ascii >> (high << 4 | half) & 1 == 1)
    }

    pub(super) fn has_high_half(self, half: u8) -> bool {
        if half < 8 { (0..16).any(|low| self.ascii >> (half << 4 | low) & 1 == 1) } else { self.any }
    }

    #[cfg(test)]
    fn contains(self, c: Option<u8>) -> bool {
        self.any || c.is_some_and(|c| c.is_ascii() && self.ascii >> c & 1 == 1)
    }
}

/// What must stand at and around an anchor for its handler to have something to do.
#[derive(Clone, Debug)]
pub(in crate::detect) struct Row {
    classes: [Class; OFFSETS.len()],
}

impl Row {
    /// A row for anchors that are one of `bytes`.
    pub(in crate::detect) fn at(bytes: &[u8]) -> Self {
        let any = Class::ANY;
        Self { classes: [any, Class::bytes(bytes), any, any, any] }
    }

    /// The byte before the anchor.
    pub(in crate::detect) fn before(mut self, class: Class) -> Self {
        self.classes[0] = class;
        self
    }

    /// The byte after the anchor.
    pub(in crate::detect) fn next(mut self, class: Class) -> Self {
        self.classes[2] = class;
        self
    }

    /// The second byte after the anchor.
    pub(in crate::detect) fn second(mut self, class: Class) -> Self {
        self.classes[3] = class;
        self
    }

    /// The eighth byte after the anchor.
    pub(in crate::detect) fn eighth(mut self, class: Class) -> Self {
        self.classes[4] = class;
        self
    }

    pub(super) fn classes(&self) -> &[Class; OFFSETS.len()] {
        &self.classes
    }

    /// True when this row, taken by its word, lets `at` through.
    #[cfg(test)]
    pub(in crate::detect) fn matches(&self, text: &[u8], at: usize) -> bool {
        self.classes
            .iter()
            .zip(OFFSETS)
            .all(|(class, offset)| class.contains(at.checked_add_signed(offset).and_then(|at| text.get(at)).copied()))
    }
}
