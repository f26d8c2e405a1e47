//! Sixteen bytes or more that are looked at at once, without a branch for each.

#[cfg(target_arch = "x86_64")]
use x86 as lanes;

/// Bytes that are looked at together.
pub(crate) const BLOCK: usize = 16;
/// Bytes that have a bit each in [`equal`].
pub(crate) const LONG_BLOCK: usize = 64;

/// Which of the bytes of a block are what was looked for: so many bits each, all of them or the highest one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Marks(Bits);

#[cfg(target_arch = "x86_64")]
type Bits = u16;
#[cfg(not(target_arch = "x86_64"))]
type Bits = u128;

const EACH: u32 = Bits::BITS / BLOCK as u32;

impl Marks {
    /// The first byte that is marked; [`BLOCK`] where none is.
    #[inline(always)]
    pub(crate) fn first(self) -> usize {
        usize::try_from(self.0.trailing_zeros() / EACH).unwrap_or(BLOCK)
    }

    /// The last byte that is marked; far beyond the block where none is.
    #[inline(always)]
    pub(crate) fn last(self) -> usize {
        (BLOCK - 1).wrapping_sub(usize::try_from(self.0.leading_zeros() / EACH).unwrap_or(BLOCK))
    }

    /// Without that of the first byte.
    #[inline(always)]
    pub(crate) fn behind_first(self) -> Self {
        Self(self.0 & Bits::MAX << EACH)
    }

    /// Without that of the last byte.
    #[inline(always)]
    pub(crate) fn before_last(self) -> Self {
        Self(self.0 & Bits::MAX >> EACH)
    }
}

/// Those that are one of these two bytes.
#[inline(always)]
pub(crate) fn either(bytes: [u8; BLOCK], pair: [u8; 2]) -> Marks {
    Marks(lanes::either(bytes, pair))
}

/// A bit for each byte of a long block that is this one, the lowest for the first.
#[inline(always)]
pub(crate) fn equal(bytes: &[u8; LONG_BLOCK], c: u8) -> u64 {
    bytes.as_chunks().0.iter().rev().fold(0, |bits, &chunk| bits << BLOCK | u64::from(lanes::equal(chunk, c)))
}

/// Those that are no ASCII letters.
#[inline(always)]
pub(crate) fn not_letters(bytes: [u8; BLOCK]) -> Marks {
    Marks(lanes::not_letters(bytes))
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::*;

    use super::BLOCK;

    #[inline(always)]
    pub(super) fn either(bytes: [u8; BLOCK], pair: [u8; 2]) -> u16 {
        // SAFETY: all of x86-64 have SSE2.
        unsafe { either_sse2(bytes, pair) }
    }

    #[inline(always)]
    pub(super) fn equal(bytes: [u8; BLOCK], c: u8) -> u16 {
        either(bytes, [c, c])
    }

    #[inline(always)]
    pub(super) fn not_letters(bytes: [u8; BLOCK]) -> u16 {
        // SAFETY: all of x86-64 have SSE2.
        unsafe { not_letters_sse2(bytes) }
    }

    /// # Safety
    /// The processor has SSE2.
    #[inline]
    #[target_feature(enable = "sse2")]
    unsafe fn either_sse2(bytes: [u8; BLOCK], [first, second]: [u8; 2]) -> u16 {
        // SAFETY: an array of 16 bytes.
        let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
        let first = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(first.cast_signed()));
        let second = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(second.cast_signed()));
        _mm_movemask_epi8(_mm_or_si128(first, second)) as u16
    }

    /// # Safety
    /// The processor has SSE2.
    #[inline]
    #[target_feature(enable = "sse2")]
    unsafe fn not_letters_sse2(bytes: [u8; BLOCK]) -> u16 {
        // SAFETY: an array of 16 bytes.
        let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
        let lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        // `a` becomes the lowest of all numbers, and `z` that with 25 added.
        let from_a = _mm_add_epi8(lower, _mm_set1_epi8(i8::MIN.wrapping_sub(b'a'.cast_signed())));
        _mm_movemask_epi8(_mm_cmpgt_epi8(from_a, _mm_set1_epi8(i8::MIN + 25))) as u16
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod lanes {
    use super::BLOCK;

    /// The highest bit of each byte.
    const HIGH: u128 = each(0x80);

    pub(super) fn either(bytes: [u8; BLOCK], [first, second]: [u8; 2]) -> u128 {
        let bytes = u128::from_le_bytes(bytes);
        zeros(bytes ^ each(first)) | zeros(bytes ^ each(second))
    }

    pub(super) fn equal(bytes: [u8; BLOCK], c: u8) -> u16 {
        let bits = zeros(u128::from_le_bytes(bytes) ^ each(c)) >> 7;
        // The lowest bit of each of eight bytes, side by side.
        let packed = |half: u128| (half as u64).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        (packed(bits) | packed(bits >> 64) << 8) as u16
    }

    pub(super) fn not_letters(bytes: [u8; BLOCK]) -> u128 {
        let bytes = u128::from_le_bytes(bytes);
        let lower = (bytes | each(0x20)) & !HIGH;
        let from_a = lower + each(0x80 - b'a');
        let past_z = lower + each(0x7f - b'z');
        !(from_a & !past_z) & HIGH | bytes & HIGH
    }

    const fn each(c: u8) -> u128 {
        u128::MAX / 0xff * c as u128
    }

    fn zeros(bytes: u128) -> u128 {
        !((bytes & !HIGH) + !HIGH | bytes) & HIGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(found: Marks, bytes: [u8; BLOCK], is_one: impl Fn(u8) -> bool) {
        let first = |from: usize| (from..BLOCK).find(|&i| is_one(bytes[i])).unwrap_or(BLOCK);
        let last = |end: usize| (0..end).rev().find(|&i| is_one(bytes[i])).unwrap_or(usize::MAX);
        assert_eq!((found.first(), found.behind_first().first()), (first(0), first(1)));
        assert_eq!((found.last(), found.before_last().last()), (last(BLOCK), last(BLOCK - 1)));
    }

    proptest! {
        #[test]
        fn bytes_are_told_apart(
            bytes: [u8; BLOCK],
            near in prop::array::uniform16(prop::sample::select(b"\"\\aZ@[`{\x21\x23\x5b\x5d\xa2\xdc\x00\xe1".as_slice())),
        ) {
            for bytes in [bytes, near] {
                check(either(bytes, [b'"', b'\\']), bytes, |c| c == b'"' || c == b'\\');
                check(not_letters(bytes), bytes, |c| !c.is_ascii_alphabetic());
                let found = lanes::equal(bytes, b'"');
                prop_assert!((0..BLOCK).all(|i| (found >> i & 1 == 1) == (bytes[i] == b'"')));
            }
        }

        #[test]
        fn each_byte_has_its_bit(bytes in prop::collection::vec(prop::sample::select(b"\"\\a\xa2".as_slice()), LONG_BLOCK)) {
            let found = equal(bytes.first_chunk().unwrap(), b'"');
            prop_assert!((0..LONG_BLOCK).all(|i| (found >> i & 1 == 1) == (bytes[i] == b'"')));
        }
    }
}
