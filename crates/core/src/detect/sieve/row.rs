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

    pub(super) fn contains(self, c: u8) -> bool {
        if c.is_ascii() { self.ascii >> c & 1 == 1 } else { self.any }
    }

    fn union(self, other: Self) -> Self {
        Self { ascii: self.ascii | other.ascii, any: self.any || other.any }
    }

    /// What tables of half bytes see: every byte whose halves are those of some byte of the set.
    fn rectangle(self) -> u128 {
        let has_half =
            |half: fn(u8) -> u8| (0..128).filter(|&c| self.ascii >> c & 1 == 1).fold(0u16, |set, c| set | 1 << half(c));
        let (high, low) = (has_half(|c| c >> 4), has_half(|c| c & 15));
        Self::of(|c| high >> (c >> 4) & 1 == 1 && low >> (c & 15) & 1 == 1).ascii
    }

    /// Of a thousand bytes of text, how many the tables see in the set; roughly.
    fn per_mille(self) -> u32 {
        let seen = self.rectangle();
        let rest = !FREQUENT.iter().fold(0u128, |all, (set, _)| all | set);
        let listed: u32 = FREQUENT.iter().map(|(set, each)| (seen & set).count_ones() * each).sum();
        listed + (seen & rest).count_ones() + if self.any { 60 } else { 0 }
    }
}

/// Sets of bytes, and how many of a thousand bytes of requests (prose, code, JSON) are each of them; roughly.
const FREQUENT: [(u128, u32); 5] = [
    (set(b" "), 140),
    (set(b"etaoinsr"), 48),
    (set(b"\\\""), 30),
    (set(b"bcdfghjklmpquvwxyz"), 15),
    (set(b".-:=_,/(012"), 8),
];

const fn set(bytes: &[u8]) -> u128 {
    let (mut set, mut i) = (0, 0);
    while i < bytes.len() {
        set |= 1 << bytes[i];
        i += 1;
    }
    set
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

    /// A row that lets through what either of the two does, and more.
    fn union(&self, other: &Self) -> Self {
        let mut classes = self.classes;
        for (class, other) in classes.iter_mut().zip(other.classes) {
            *class = class.union(other);
        }
        Self { classes }
    }

    /// How many bytes of text the row lets through, out of so many that only the ratio of two results says anything.
    fn looseness(&self) -> u64 {
        self.classes.iter().fold(1, |product, class| product * u64::from(class.per_mille()))
    }

    /// Unites rows until no more than `limit` are left, those first that together let little more through than alone.
    pub(super) fn unite(mut rows: Vec<Self>, limit: usize) -> Vec<Self> {
        while rows.len() > limit {
            let mut best = (u64::MAX, 0, 1);
            for (i, row) in rows.iter().enumerate() {
                for (j, other) in rows.iter().enumerate().skip(i + 1) {
                    let alone = row.looseness().saturating_add(other.looseness());
                    let more = row.union(other).looseness().saturating_sub(alone);
                    best = best.min((more, i, j));
                }
            }
            let (_, i, j) = best;
            let other = rows.remove(j);
            rows[i] = rows[i].union(&other);
        }
        rows
    }

    pub(super) fn classes(&self) -> &[Class; OFFSETS.len()] {
        &self.classes
    }

    /// True when this row, taken by its word, lets `at` through.
    #[cfg(test)]
    pub(in crate::detect) fn matches(&self, text: &[u8], at: usize) -> bool {
        self.classes.iter().zip(OFFSETS).all(|(class, offset)| {
            match at.checked_add_signed(offset).and_then(|at| text.get(at)) {
                Some(&c) => class.contains(c),
                None => class.any,
            }
        })
    }
}
