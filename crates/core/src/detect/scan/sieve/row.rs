//! What must stand around an anchor.

use super::{LITERAL_OFFSETS, OFFSETS};

/// A set of bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::detect) struct Class {
    ascii: u128,
    /// Those from 0x80 on.
    beyond: u128,
}

impl Class {
    /// Every byte, also those that are not ASCII, and the outside of the text.
    pub(in crate::detect) const ANY: Self = Self { ascii: u128::MAX, beyond: u128::MAX };

    /// The ASCII bytes for which `member` holds.
    pub(in crate::detect) fn of(member: impl Fn(u8) -> bool) -> Self {
        let ascii = (0..128).filter(|&c| member(c)).fold(0, |set, c| set | 1 << c);
        Self { ascii, beyond: 0 }
    }

    /// These bytes.
    pub(in crate::detect) fn bytes(bytes: &[u8]) -> Self {
        let set = |is_ascii| bytes.iter().filter(|c| c.is_ascii() == is_ascii).fold(0, |set, c| set | 1 << (c & 127));
        Self { ascii: set(true), beyond: set(false) }
    }

    /// This byte in either case.
    fn like(c: u8) -> Self {
        if c.is_ascii() {
            Self::bytes(&[c.to_ascii_lowercase(), c.to_ascii_uppercase()])
        } else {
            Self { ascii: 0, beyond: 1 << (c & 127) }
        }
    }

    pub(super) fn contains(self, c: u8) -> bool {
        if c.is_ascii() { self.ascii >> c & 1 == 1 } else { self.beyond >> (c & 127) & 1 == 1 }
    }

    fn union(self, other: Self) -> Self {
        Self { ascii: self.ascii | other.ascii, beyond: self.beyond | other.beyond }
    }

    /// Of a thousand bytes of text, how many the tables see in the set; roughly. They see every byte whose halves are those
    /// of some byte of the set.
    fn per_mille(self) -> u32 {
        let bytes = self.ascii.to_le_bytes();
        let (pairs, _) = bytes.as_chunks::<2>();
        let [first, second] = pairs.iter().fold([0; 2], |[first, second], pair| [first | pair[0], second | pair[1]]);
        let of_row = |sums: &[[u32; 256]; 2]| sums[0][usize::from(first)] + sums[1][usize::from(second)];
        let rows = pairs.iter().zip(&SUMS).filter(|(pair, _)| **pair != [0; 2]);
        rows.map(|(_, sums)| of_row(sums)).sum::<u32>() + self.beyond.count_ones() / 2
    }
}

/// Bytes, and how many of a thousand bytes of requests (prose, code, JSON) are each of them; roughly. Of all others there is
/// one.
const FREQUENT: [(&[u8], u32); 5] =
    [(b" ", 140), (b"etaoinsr", 48), (b"\\\"-", 30), (b"bcdfghjklmpquvwxyz", 15), (b".:=_,/(012", 8)];

/// For the bytes that share a high half, how many of a thousand those with these low halves are: a bit for each of the first
/// eight low halves, and of the second eight.
static SUMS: [[[u32; 256]; 2]; 8] = {
    let mut frequencies = [1; 128];
    let mut i = 0;
    while i < FREQUENT.len() {
        let (bytes, each) = FREQUENT[i];
        let mut k = 0;
        while k < bytes.len() {
            frequencies[bytes[k] as usize] = each;
            k += 1;
        }
        i += 1;
    }
    let mut sums = [[[0; 256]; 2]; 8];
    let mut c = 0;
    while c < frequencies.len() {
        let (row, half, bit) = (c / 16, c / 8 % 2, c % 8);
        let mut set = 0;
        while set < 256 {
            if set >> bit & 1 == 1 {
                sums[row][half][set] += frequencies[c];
            }
            set += 1;
        }
        c += 1;
    }
    sums
};

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
    pub(super) fn unite(rows: Vec<Self>, limit: usize) -> Vec<Self> {
        let mut rows: Vec<_> = rows.into_iter().map(|row| Box::new(Weighed::of(row))).collect();
        // For each row, how much more it lets through together with each one before it.
        let mut more: Vec<Vec<u64>> = Vec::new();
        for (j, row) in rows.iter().enumerate() {
            more.push(rows[..j].iter().map(|other| other.more_together(row)).collect());
        }
        while rows.len() > limit {
            let pairs = more
                .iter()
                .enumerate()
                .flat_map(|(j, more)| more.iter().enumerate().map(move |(i, &more)| (more, i, j)));
            let Some((_, i, j)) = pairs.min() else { break };
            let other = rows.remove(j);
            *rows[i] = rows[i].union(&other);
            more.remove(j);
            for more in &mut more[j..] {
                more.remove(j);
            }
            for k in (0..rows.len()).filter(|&k| k != i) {
                more[i.max(k)][i.min(k)] = rows[i].more_together(&rows[k]);
            }
        }
        rows.into_iter().map(|weighed| weighed.row).collect()
    }

    /// A row for words that begin with these bytes, in either case, in a sieve of [`LITERAL_OFFSETS`].
    pub(super) fn of_word(word: &[u8]) -> Self {
        let letter = |offset| {
            let at = usize::try_from(offset).ok().and_then(|at| word.get(at));
            at.map_or(Class::ANY, |&c| Class::like(c))
        };
        Self { classes: LITERAL_OFFSETS.map(letter) }
    }

    /// [`Self::unite`] for many rows whose neighbours have much in common.
    pub(super) fn unite_neighbours(rows: Vec<Self>, limit: usize) -> Vec<Self> {
        let mut rows: Vec<_> = rows.into_iter().map(|row| Box::new(Weighed::of(row))).collect();
        let mut more: Vec<u64> = rows.windows(2).map(|pair| pair[0].more_together(&pair[1])).collect();
        while rows.len() > limit {
            let Some(i) = (0..more.len()).min_by_key(|&i| more[i]) else { break };
            let other = rows.remove(i + 1);
            *rows[i] = rows[i].union(&other);
            more.remove(i);
            if i > 0 {
                more[i - 1] = rows[i - 1].more_together(&rows[i]);
            }
            if i < more.len() {
                more[i] = rows[i].more_together(&rows[i + 1]);
            }
        }
        rows.into_iter().map(|weighed| weighed.row).collect()
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
                None => class.beyond == u128::MAX,
            }
        })
    }
}

/// A row with what it lets through, which takes long to tell.
struct Weighed {
    row: Row,
    looseness: u64,
}

impl Weighed {
    fn of(row: Row) -> Self {
        Self { looseness: row.looseness(), row }
    }

    fn union(&self, other: &Self) -> Self {
        Self::of(self.row.union(&other.row))
    }

    /// How much more the union of two rows lets through than they do alone.
    fn more_together(&self, other: &Self) -> u64 {
        let alone = self.looseness.saturating_add(other.looseness);
        self.row.union(&other.row).looseness().saturating_sub(alone)
    }
}
