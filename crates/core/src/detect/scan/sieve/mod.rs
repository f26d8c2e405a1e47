//! The sieve: which bytes of a text an anchor can stand at, 64 at a time.
//!
//! "Class Teddy": each [`Row`] says which bytes may stand at five offsets around an anchor. A row is one bit; two
//! tables of 16 entries an offset, one for each half of a byte, hold the rows that the byte rules out. A position that
//! every row is ruled out at is not worth a look. The tables see classes as rectangles (high halves × low halves), so
//! the sieve lets more through than the rows say, and never less. AVX-512 looks seven bits of a byte up at once, and lets
//! through what the rows say of ASCII.
//!
//! Where words are looked for, the insides of others are ruled out bit by bit, see [`inside`].
//!
//! The scan calls the same handlers without it ([`Lanes::SCALAR`]): slower, and the reference that tests compare with.

mod inside;
#[cfg(target_arch = "aarch64")]
mod neon;
mod row;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::fmt;

pub(in crate::detect) use row::{Class, Row};

/// Offsets from an anchor at which bytes are looked at.
const OFFSETS: [isize; 5] = [-1, 0, 1, 2, 8];
/// Offsets from the start of a literal or a word.
const LITERAL_OFFSETS: [isize; OFFSETS.len()] = [0, 1, 2, 3, 4];
/// The furthest of all.
const REACH: usize = 8;
/// Rows that one table entry holds.
const ROWS_PER_PAGE: usize = 8;
/// A scan looks up this many tables of each kind.
const PAGES: usize = 2;
/// So many rows that each may be united with every other one in no time.
const FEW_ROWS: usize = 48;
/// So many literals have a row each on one page, which leaves one for those that are not ASCII.
const FEW_LITERALS: usize = ROWS_PER_PAGE - 1;
/// Positions in one word of the result.
const WORD: usize = 64;
/// Words that are made at a time: what is looked at next is still in the cache.
const WORDS: usize = 64;
/// A position, counted from the first one of the words.
type Place = u16;
/// Places that are written at once.
const FEW: usize = 8;
/// Words whose places are listed at a time.
const LISTED: usize = 12;
/// Room for all places of these.
const PLACES: usize = LISTED * WORD + FEW;

/// The instructions that a scan looks for anchors with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Lanes(Kind);

/// The variants are made only where the processor has the instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Ssse3,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Lanes {
    /// Byte by byte, without the sieve.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// All that this processor has, slowest first.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::SCALAR];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("ssse3") {
                all.push(Self(Kind::Ssse3));
            }
            if std::arch::is_x86_feature_detected!("avx2") && x86::has_bit_instructions() {
                all.push(Self(Kind::Avx2));
            }
            if std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vbmi")
                && std::arch::is_x86_feature_detected!("avx512vbmi2")
                && x86::has_bit_instructions()
            {
                all.push(Self(Kind::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            all.push(Self(Kind::Neon));
        }
        all
    }

    /// The fastest that this processor has; the scalar ones in builds with the feature `scalar`.
    pub fn best() -> Self {
        if cfg!(feature = "scalar") {
            return Self::SCALAR;
        }
        Self::available().pop().unwrap_or(Self::SCALAR)
    }

    /// [`list`], with what this processor has for bits.
    fn list(self, words: &[u64], places: &mut [Place; PLACES]) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => x86::list(words, places),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => x86::list_avx512(words, places),
            _ => list(words, places),
        }
    }

    /// Where the last of these two letters, given as small ones and found in either case, stand behind each other.
    pub(in crate::detect) fn last_pair(self, text: &[u8], pair: [u8; 2]) -> Option<usize> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 | Kind::Avx512 if text.len() > WORD => x86::last_pair(text, pair),
            _ => last_pair(text, pair),
        }
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Ssse3 => "ssse3",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        })
    }
}

/// The rows that a byte rules out at one offset: bits that no row has are ruled out everywhere.
#[derive(Clone, Copy, Debug)]
struct Ruled {
    /// By the low half of a byte, and by the high one.
    low: [u8; 16],
    high: [u8; 16],
    /// By the last seven bits of a byte. What is not ASCII looks like control characters, signs and letters there, but
    /// nothing looks like two of its bytes.
    #[cfg(target_arch = "x86_64")]
    whole: [u8; 128],
}

impl Ruled {
    const OUT: Self = Self {
        low: [0xff; 16],
        high: [0xff; 16],
        #[cfg(target_arch = "x86_64")]
        whole: [0xff; 128],
    };

    /// Rules the rows of `bits` in for the byte `c`. Of bytes that are not ASCII not all are told apart.
    fn rule_in(&mut self, c: u8, bits: u8) {
        self.high[usize::from(c >> 4)] &= !bits;
        if c.is_ascii() {
            self.low[usize::from(c & 15)] &= !bits;
        }
        #[cfg(target_arch = "x86_64")]
        {
            self.whole[usize::from(c & 127)] &= !bits;
        }
    }

    /// Rules them in for every byte.
    fn rule_in_all(&mut self, bits: u8) {
        self.low.iter_mut().chain(&mut self.high).for_each(|ruled| *ruled &= !bits);
        #[cfg(target_arch = "x86_64")]
        self.whole.iter_mut().for_each(|ruled| *ruled &= !bits);
    }
}

/// What the kernels look up.
#[derive(Debug)]
pub(in crate::detect) struct Sieve {
    /// [`OFFSETS`] or [`LITERAL_OFFSETS`]: from -1 to [`REACH`].
    offsets: &'static [isize; OFFSETS.len()],
    /// Letters inside a word are ruled out.
    is_for_words: bool,
    /// No row is on another page than the first.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "NEON looks both up"))]
    has_one_page: bool,
    /// By offset, then page.
    tables: [[Ruled; PAGES]; OFFSETS.len()],
}

impl Sieve {
    /// Takes the rows apart into tables; unites some when there are more than the tables have bits.
    pub(in crate::detect) fn new(rows: Vec<Row>) -> Self {
        Self::of_rows(&Row::unite(rows, PAGES * ROWS_PER_PAGE), &OFFSETS)
    }

    /// A sieve that lets the starts of all these words through, which are sorted, in either case; those that begin with a
    /// letter not inside other words.
    pub(in crate::detect) fn of_words(words: &[&[u8]]) -> Self {
        let rows = Row::unite_neighbours(words.iter().map(|word| Row::of_word(word)).collect(), FEW_ROWS);
        let rows = Row::unite(rows, PAGES * ROWS_PER_PAGE);
        Self { is_for_words: true, ..Self::of_rows(&rows, &LITERAL_OFFSETS) }
    }

    fn of_rows(rows: &[Row], offsets: &'static [isize; OFFSETS.len()]) -> Self {
        let mut tables = [[Ruled::OUT; PAGES]; OFFSETS.len()];
        for (i, row) in rows.iter().enumerate() {
            for (pages, class) in tables.iter_mut().zip(row.classes()) {
                let ruled = &mut pages[i / ROWS_PER_PAGE];
                (0..=u8::MAX).filter(|&c| class.contains(c)).for_each(|c| ruled.rule_in(c, 1 << (i % ROWS_PER_PAGE)));
            }
        }
        Self { offsets, is_for_words: false, has_one_page: rows.len() <= ROWS_PER_PAGE, tables }
    }

    /// A sieve that lets the starts of all these through, which are sorted; quick to make.
    pub(in crate::detect) fn of_literals(literals: &[&[u8]]) -> Self {
        let mut tables = [[Ruled::OUT; PAGES]; OFFSETS.len()];
        // Bytes that are not ASCII look all alike: telling them apart would cost rows for nothing.
        let (ascii, rest): (Vec<&[u8]>, Vec<&[u8]>) =
            literals.iter().partition(|literal| literal.first().is_some_and(u8::is_ascii));
        let has_one_page = literals.len() <= FEW_LITERALS;
        let rows = if has_one_page { ROWS_PER_PAGE - 1 } else { PAGES * ROWS_PER_PAGE - 1 };
        // Neighbours have much in common.
        let ascii_rows = ascii.iter().enumerate().map(|(i, literal)| (i * rows / ascii.len(), literal));
        for (row, literal) in ascii_rows.chain(rest.iter().map(|literal| (rows, literal))) {
            let bit = 1 << (row % ROWS_PER_PAGE);
            for (pages, offset) in tables.iter_mut().zip(LITERAL_OFFSETS) {
                let ruled = &mut pages[row / ROWS_PER_PAGE];
                match usize::try_from(offset).ok().and_then(|at| literal.get(at)) {
                    Some(&c) => ruled.rule_in(c, bit),
                    None => ruled.rule_in_all(bit),
                }
            }
        }
        Self { offsets: &LITERAL_OFFSETS, is_for_words: false, has_one_page, tables }
    }

    /// Calls `visit` with the offsets of all bytes that are worth a look, in order; it gives the offset to go on at.
    ///
    /// It is called with 0 in any case, and may be with others that are not worth a look.
    pub(in crate::detect) fn each(&self, lanes: Lanes, text: &[u8], mut visit: impl FnMut(usize) -> usize) {
        self.each_places(lanes, text, |from, places, mut next| {
            for &place in places {
                let at = from + usize::from(place);
                if at >= next {
                    next = visit(at);
                }
            }
            next
        });
    }

    /// [`Self::each`] of the offsets that `may` holds for.
    ///
    /// It is asked about all offsets that the tables let through, without a branch on what it says: where most are turned
    /// down it costs less than visits, whose branches a processor cannot foretell. It should have none itself. It gets the
    /// rest of the text from some offset on, and the place in it: where that ends is told by one comparison.
    pub(in crate::detect) fn each_that(
        &self,
        lanes: Lanes,
        text: &[u8],
        may: impl Fn(&[u8], usize) -> bool,
        mut visit: impl FnMut(usize) -> usize,
    ) {
        self.each_places(lanes, text, |from, places, mut next| {
            let rest = text.get(from..).unwrap_or_default();
            for some in places.chunks(WORD) {
                let mut left = those_that(some, rest, &may);
                while left != 0 {
                    let place = some.get(usize::try_from(left.trailing_zeros()).unwrap_or(WORD));
                    let at = from + place.map_or(0, |&place| usize::from(place));
                    if at >= next {
                        next = visit(at);
                    }
                    left &= left - 1;
                }
            }
            next
        });
    }

    /// Calls `visit` with places of bytes that are worth a look, from the first on: the offset that they are counted from,
    /// some of them, and the offset below which none is to be looked at. It gives that of the next call.
    #[inline(always)]
    fn each_places(&self, lanes: Lanes, text: &[u8], mut visit: impl FnMut(usize, &[Place], usize) -> usize) {
        // Positions below were looked at, or belong to what was found.
        let mut next = 0;
        let mut words = [0; WORDS];
        let mut places = [0; PLACES];
        // The first byte has none before it, and the last ones get zeros behind them.
        words[0] = u64::from(!text.is_empty());
        let (mut from, mut count, mut past) = (0, 1, 1);
        let mut end = [0; 3 * WORD];
        let mut is_end = false;
        loop {
            // Here alone, so that the visit becomes part of the loop.
            for (i, words) in words[..count].chunks(LISTED).enumerate() {
                let found = lanes.list(words, &mut places);
                next = visit(from + i * LISTED * WORD, &places[..found], next);
            }
            // What was found may reach far beyond the words.
            from = next.max(past);
            if is_end {
                return;
            }
            count = self.look(lanes, text, from, &mut words);
            past = from + count * WORD;
            if count == 0 {
                is_end = true;
                let Some(rest) = text.get(from - 1..) else { return };
                let Some(room) = end.get_mut(..rest.len()) else { return };
                room.copy_from_slice(rest);
                count = self.look(lanes, &end, 1, &mut words);
                for (i, word) in words[..count].iter_mut().enumerate() {
                    *word &= !seen_from(from + i * WORD, text.len());
                }
            }
        }
    }

    /// Sets bit `i % 64` of word `i / 64` of `words` for each position `from + i` that is worth a look.
    ///
    /// Gives how many words it set, as many as the text is long enough for: the byte before the first position and
    /// [`REACH`] bytes past the last one have to be there.
    fn look(&self, lanes: Lanes, text: &[u8], from: usize, words: &mut [u64; WORDS]) -> usize {
        let Some(before) = from.checked_sub(1) else { return 0 };
        let Some(window) = text.get(before..) else { return 0 };
        let count = (window.len().saturating_sub(1 + REACH) / WORD).min(WORDS);
        if count == 0 {
            return 0;
        }
        let words = &mut words[..count];
        match lanes.0 {
            Kind::Scalar => words.fill(!0),
            #[cfg(target_arch = "x86_64")]
            Kind::Ssse3 => x86::look_ssse3(self, window, words),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => x86::look_avx2(self, window, words),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => x86::look_avx512(self, window, words),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => neon::look(self, window, words),
        }
        if self.is_for_words {
            match lanes.0 {
                Kind::Scalar => {}
                #[cfg(target_arch = "x86_64")]
                Kind::Ssse3 => x86::clear_insides_sse2(window, words),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => x86::clear_insides_avx2(window, words),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => x86::clear_insides_avx512(window, words),
                #[cfg(target_arch = "aarch64")]
                Kind::Neon => neon::clear_insides(window, words),
            }
        }
        count
    }

    /// What the kernels compute, for one position. Outside of the text stand zeros.
    #[cfg(test)]
    fn passes(&self, lanes: Lanes, text: &[u8], at: usize) -> bool {
        let mut ruled = [0u8; PAGES];
        for (pages, offset) in self.tables.iter().zip(*self.offsets) {
            let c = at.checked_add_signed(offset).and_then(|at| text.get(at)).copied().unwrap_or(0);
            for (ruled, table) in ruled.iter_mut().zip(pages) {
                *ruled |= match lanes.0 {
                    #[cfg(target_arch = "x86_64")]
                    Kind::Avx512 => table.whole[usize::from(c & 127)],
                    _ if c.is_ascii() => table.high[usize::from(c >> 4)] | table.low[usize::from(c & 15)],
                    _ => table.high[usize::from(c >> 4)],
                };
            }
        }
        ruled.iter().any(|&ruled| ruled != 0xff)
    }
}

/// A bit for each of these places that `may` holds for.
// Away from the visits, so that what is looked at for all places stays in registers.
#[inline(never)]
fn those_that(places: &[Place], rest: &[u8], may: &impl Fn(&[u8], usize) -> bool) -> u64 {
    places.iter().rev().fold(0, |all, &place| all << 1 | u64::from(may(rest, usize::from(place))))
}

/// Lists the numbers of all bits that are set, from the lowest on, and gives how many there are.
///
/// Room for a few is written for every word, whether it has them or not: how many there are is what a processor cannot
/// foretell.
#[inline(always)]
fn list(words: &[u64], places: &mut [Place; PLACES]) -> usize {
    let mut found = 0;
    for (i, &word) in words.iter().enumerate() {
        let mut left = word;
        let mut next = || {
            let [low, high, ..] =
                (WORD * i).wrapping_add(usize::try_from(left.trailing_zeros()).unwrap_or(WORD)).to_le_bytes();
            left &= left.wrapping_sub(1);
            Place::from_le_bytes([low, high])
        };
        let count = usize::try_from(word.count_ones()).unwrap_or(WORD);
        let Some(rest) = places.get_mut(found..) else { return found };
        let Some((few, more)) = rest.split_first_chunk_mut::<FEW>() else { return found };
        few.iter_mut().for_each(|place| *place = next());
        if count > FEW {
            more.iter_mut().take(count - FEW).for_each(|place| *place = next());
        }
        found += count;
    }
    found
}

/// [`Lanes::last_pair`], one of the first letters after the other.
fn last_pair(text: &[u8], [first, second]: [u8; 2]) -> Option<usize> {
    let firsts = text.split_last()?.1;
    memchr::memrchr2_iter(first, first.to_ascii_uppercase(), firsts)
        .find(|at| text[at + 1].to_ascii_lowercase() == second)
}

/// The bits of the word of positions from `base` on that are not below `next`.
#[inline]
fn seen_from(base: usize, next: usize) -> u64 {
    match next.saturating_sub(base) {
        skip if skip < WORD => !0 << skip,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> Vec<Row> {
        let alnum = Class::of(|c| c.is_ascii_alphanumeric());
        vec![
            Row::at(b"-").before(alnum).next(alnum).second(alnum).eighth(alnum),
            Row::at(b":%").before(Class::bytes(b"n")).next(Class::bytes(b"a3")),
            Row::at(b"\\").next(Class::bytes(b"/")),
            Row::at(b"A").eighth(Class::bytes(b"X")),
            Row::at(b"B"),
            Row::at(b"C"),
            Row::at(b"D"),
            Row::at(b"E"),
            Row::at(b"F").before(Class::bytes(b"f")),
        ]
    }

    /// With every kind of lanes.
    fn passes_all(sieve: &Sieve, text: &[u8], at: usize) -> bool {
        Lanes::available().into_iter().all(|lanes| sieve.passes(lanes, text, at))
    }

    fn hot_bytes() -> impl Strategy<Value = Vec<u8>> {
        let hot = prop::sample::select(b"-:%\\/nafAXBCDEF3 \n\"\x00\x80\xba\xff".as_slice());
        prop::collection::vec(prop_oneof![4 => hot, 1 => any::<u8>()], 0..1500)
    }

    proptest! {
        #[test]
        fn kernels_agree_with_the_tables(text in hot_bytes(), from in 0usize..80) {
            let sieve = Sieve::new(rows());
            for lanes in Lanes::available().into_iter().filter(|&lanes| lanes != Lanes::SCALAR) {
                let mut words = [0; WORDS];
                let count = sieve.look(lanes, &text, from, &mut words);
                prop_assert!(count == 0 || from + count * WORD + REACH <= text.len());
                prop_assert!(from == 0 || from + (count + 1) * WORD + REACH > text.len());
                for i in 0..count * WORD {
                    let got = words[i / WORD] >> (i % WORD) & 1 == 1;
                    prop_assert_eq!(got, sieve.passes(lanes, &text, from + i), "{} at {}", lanes, from + i);
                }
            }
        }

        #[test]
        fn each_goes_on_where_it_is_told(text in hot_bytes(), skips in prop::collection::vec(0usize..300, 1..20)) {
            let rows = rows();
            let sieve = Sieve::new(rows.clone());
            let passes = |at: usize| rows.iter().any(|row| row.matches(&text, at));
            let mut walked = Vec::new();
            let (mut at, mut lengths) = (0, skips.iter().cycle());
            while at < text.len() {
                if passes(at) {
                    walked.push(at);
                    at += lengths.next().map_or(0, |skip| skip.saturating_sub(200));
                }
                at += 1;
            }
            let mut runs = Lanes::available().into_iter().map(|lanes| {
                let (mut visited, mut skips, mut allowed) = (Vec::new(), skips.iter().cycle(), 0);
                sieve.each(lanes, &text, |at| {
                    assert!(at >= allowed, "{lanes} went back to {at}");
                    if passes(at) {
                        visited.push(at);
                        allowed = at + 1 + skips.next().map_or(0, |skip| skip.saturating_sub(200));
                    } else {
                        allowed = at + 1;
                    }
                    allowed
                });
                visited
            });
            prop_assert!(runs.all(|visited| visited == walked));
        }

        #[test]
        fn all_set_bits_are_listed(words in prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 0..=LISTED)) {
            let bits = (0..words.len() * WORD).filter(|bit| words[bit / WORD] >> (bit % WORD) & 1 == 1);
            let wanted: Vec<usize> = bits.collect();
            for lanes in Lanes::available() {
                let mut places = [0; PLACES];
                let found = lanes.list(&words, &mut places);
                prop_assert!(places[..found].iter().copied().map(usize::from).eq(wanted.iter().copied()), "{}", lanes);
            }
        }

        #[test]
        fn those_that_may_are_visited(text in hot_bytes(), odd: bool) {
            let sieve = Sieve::new(rows());
            let may = |rest: &[u8], at: usize| (rest.len() - at).is_multiple_of(3) == odd;
            for lanes in Lanes::available() {
                let (mut all, mut some) = (Vec::new(), Vec::new());
                sieve.each(lanes, &text, |at| { all.push(at); at + 1 });
                sieve.each_that(lanes, &text, may, |at| { some.push(at); at + 1 });
                all.retain(|&at| may(&text, at));
                prop_assert_eq!(all, some, "{}", lanes);
            }
        }

        #[test]
        fn the_last_pair_is_found(
            text in prop::collection::vec(prop::sample::select(b"wWsSwWsSa\x57\x37\x13 \xf7\xf3".as_slice()), 0..12),
            before in 0usize..300,
            behind in 0usize..300,
        ) {
            let text = [vec![b'-'; before], text, vec![b'-'; behind]].concat();
            let wanted = text.windows(2).rposition(|pair| pair.eq_ignore_ascii_case(b"ws"));
            for lanes in Lanes::available() {
                prop_assert_eq!(lanes.last_pair(&text, *b"ws"), wanted, "{}", lanes);
            }
        }

        #[test]
        fn many_rows_are_united(text in hot_bytes()) {
            let letters = b"abcdefghijklmnopqrstuvwxyz";
            let more = letters.windows(2).map(|pair| Row::at(&pair[..1]).next(Class::bytes(&pair[1..])));
            let all: Vec<Row> = rows().into_iter().chain(more).collect();
            let sieve = Sieve::new(all.clone());
            for at in 0..text.len() {
                prop_assert!(passes_all(&sieve, &text, at) || !all.iter().any(|row| row.matches(&text, at)));
            }
            prop_assert!(Lanes::available().into_iter().all(|lanes| !sieve.passes(lanes, b"  ", 1)));
        }

        #[test]
        fn no_row_is_lost_in_the_tables(text in hot_bytes()) {
            let rows = rows();
            let sieve = Sieve::new(rows.clone());
            for at in 0..text.len() {
                prop_assert!(passes_all(&sieve, &text, at) || !rows.iter().any(|row| row.matches(&text, at)));
            }
        }
    }

    #[test]
    fn every_pair_of_byte_and_offset() {
        let rows = rows();
        let sieve = Sieve::new(rows.clone());
        for base in [&b"A........X"[..], b"i-01234567", b"n:a........", b"n%3A......", b"\\/........"] {
            for at in 0..base.len() {
                for c in 0..=255 {
                    let mut text = [b" ", base].concat();
                    text[at] = c;
                    for at in 0..text.len() {
                        assert!(passes_all(&sieve, &text, at) || !rows.iter().any(|row| row.matches(&text, at)));
                    }
                }
            }
        }
    }
}
