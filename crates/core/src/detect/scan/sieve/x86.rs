//! The sieve on x86-64.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::inside::{ESCAPES, Inside};
use super::{LISTED, OFFSETS, PAGES, PLACES, Place, REACH, Sieve, WORD};

/// Places that are written at once with AVX-512.
const FEW: usize = 16;

/// True where the processor counts and finds bits in one instruction.
pub(super) fn has_bit_instructions() -> bool {
    std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("popcnt")
}

/// [`super::list`] where the processor has AVX-512 with VBMI2.
pub(super) fn list_avx512(words: &[u64], places: &mut [Place; PLACES]) -> usize {
    assert!(words.len() <= LISTED);
    // SAFETY: `Kind::Avx512` is made only where the processor has AVX-512 VBMI2, and what counts bits; the length was
    // checked on the line above.
    unsafe { list_by_compression(words, places) }
}

/// # Safety
/// - The processor has AVX-512 BW and VBMI2, and POPCNT.
/// - There are at most [`LISTED`] words.
#[target_feature(enable = "avx512bw,avx512vbmi2,popcnt")]
unsafe fn list_by_compression(words: &[u64], places: &mut [Place; PLACES]) -> usize {
    const { assert!(size_of::<__m256i>() == FEW * size_of::<Place>() && WORD.is_multiple_of(FEW)) };
    let numbers: [u8; WORD] = std::array::from_fn(|i| i as u8);
    // SAFETY: there are 64 numbers.
    let numbers = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
    let mut found = 0;
    for (i, &word) in words.iter().enumerate() {
        let base = _mm256_set1_epi16((i * WORD) as i16);
        let set = _mm512_maskz_compress_epi8(word, numbers);
        let mut write = |few: __m128i, behind: usize| {
            let few = _mm256_add_epi16(_mm256_cvtepu8_epi16(few), base);
            // SAFETY: before this word there were at most `LISTED - 1` of `WORD` places each, and `behind + FEW` is at most
            // `WORD`.
            unsafe { _mm256_storeu_si256(places.as_mut_ptr().add(found + behind).cast(), few) };
        };
        write(_mm512_castsi512_si128(set), 0);
        let count = word.count_ones() as usize;
        if count > FEW {
            write(_mm512_extracti32x4_epi32::<1>(set), FEW);
            write(_mm512_extracti32x4_epi32::<2>(set), 2 * FEW);
            write(_mm512_extracti32x4_epi32::<3>(set), 3 * FEW);
        }
        found += count;
    }
    found
}

/// [`super::list`] where the processor has AVX2.
pub(super) fn list(words: &[u64], places: &mut [Place; PLACES]) -> usize {
    // SAFETY: the kinds that this is called for are made only where `has_bit_instructions` holds.
    unsafe { list_by_bit_instructions(words, places) }
}

/// # Safety
/// - The processor has BMI1, BMI2 and POPCNT.
#[target_feature(enable = "bmi1,bmi2,popcnt")]
unsafe fn list_by_bit_instructions(words: &[u64], places: &mut [Place; PLACES]) -> usize {
    super::list(words, places)
}

/// [`Sieve::look`] where the processor has AVX2. `window` begins one byte before the first position.
pub(super) fn look_avx2(sieve: &Sieve, window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD + 1 + REACH <= window.len());
    // SAFETY: `Kind::Avx2` is made only where the processor has AVX2; the length was checked on the line above.
    unsafe {
        if sieve.has_one_page {
            avx2::<1>(sieve, window.as_ptr(), words);
        } else {
            avx2::<PAGES>(sieve, window.as_ptr(), words);
        }
    }
}

/// [`Sieve::look`] where the processor has AVX-512 with VBMI. `window` begins one byte before the first position.
pub(super) fn look_avx512(sieve: &Sieve, window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD + 1 + REACH <= window.len());
    // SAFETY: `Kind::Avx512` is made only where the processor has AVX-512 BW and VBMI; the length was checked on the line
    // above.
    unsafe {
        if sieve.has_one_page {
            avx512::<1>(sieve, window.as_ptr(), words);
        } else {
            avx512::<PAGES>(sieve, window.as_ptr(), words);
        }
    }
}

/// [`Sieve::look`] where the processor has SSSE3. `window` begins one byte before the first position.
pub(super) fn look_ssse3(sieve: &Sieve, window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD + 1 + REACH <= window.len());
    // SAFETY: `Kind::Ssse3` is made only where the processor has SSSE3; the length was checked on the line above.
    unsafe {
        if sieve.has_one_page {
            ssse3::<1>(sieve, window.as_ptr(), words);
        } else {
            ssse3::<PAGES>(sieve, window.as_ptr(), words);
        }
    }
}

/// The first `N` pages are looked up.
///
/// # Safety
/// - The processor has AVX-512 BW and VBMI.
/// - `window` points at `words.len() * WORD + 1 + REACH` readable bytes.
#[target_feature(enable = "avx512bw,avx512vbmi")]
unsafe fn avx512<const N: usize>(sieve: &Sieve, window: *const u8, words: &mut [u64]) {
    let all = _mm512_set1_epi8(-1);
    let mut tables = [[[_mm512_setzero_si512(); 2]; N]; OFFSETS.len()];
    // Plain loops over constant ranges: the tables stay in registers.
    let mut k = 0;
    while k < OFFSETS.len() {
        let mut page = 0;
        while page < N {
            let whole = sieve.tables[k][page].whole.as_ptr();
            // SAFETY: the table is an array of 128 bytes.
            tables[k][page] = unsafe { [_mm512_loadu_si512(whole.cast()), _mm512_loadu_si512(whole.add(64).cast())] };
            page += 1;
        }
        k += 1;
    }
    for (i, word) in words.iter_mut().enumerate() {
        let mut ruled = [_mm512_setzero_si512(); N];
        let mut k = 0;
        while k < OFFSETS.len() {
            // SAFETY: all offsets lie between -1 and REACH and `window` begins at -1, so the last of the 64 bytes read is
            // at most byte `1 + REACH + WORD * words.len() - 1` of it.
            let bytes = unsafe { _mm512_loadu_si512(window.offset(1 + sieve.offsets[k]).add(i * WORD).cast()) };
            let mut page = 0;
            while page < N {
                let [low, high] = tables[k][page];
                ruled[page] = _mm512_or_si512(ruled[page], _mm512_permutex2var_epi8(low, bytes, high));
                page += 1;
            }
            k += 1;
        }
        *word = 0;
        let mut page = 0;
        while page < N {
            *word |= _mm512_cmpneq_epi8_mask(ruled[page], all);
            page += 1;
        }
    }
}

/// Likewise.
///
/// # Safety
/// - The processor has AVX2.
/// - `window` points at `words.len() * WORD + 1 + REACH` readable bytes.
#[target_feature(enable = "avx2")]
unsafe fn avx2<const N: usize>(sieve: &Sieve, window: *const u8, words: &mut [u64]) {
    let half = _mm256_set1_epi8(15);
    let all = _mm256_set1_epi8(-1);
    let tables = wide_tables::<N>(sieve);
    for (i, word) in words.iter_mut().enumerate() {
        let mut ruled = [[_mm256_setzero_si256(); 2]; N];
        // Plain loops over constant ranges: they are unrolled, where iterator adapters cost a call each.
        let mut k = 0;
        while k < OFFSETS.len() {
            // SAFETY: all offsets lie between -1 and REACH and `window` begins at -1, so the last of the 64 bytes read is
            // at most byte `1 + REACH + WORD * words.len() - 1` of it.
            let bytes = unsafe {
                let at = window.offset(1 + sieve.offsets[k]).add(i * WORD);
                [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(32).cast())]
            };
            let high_half = [
                _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[0]), half),
                _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[1]), half),
            ];
            let mut page = 0;
            while page < N {
                let [low, high] = tables[k][page];
                // A byte that is not ASCII looks up nothing in `low`.
                let first =
                    _mm256_or_si256(_mm256_shuffle_epi8(low, bytes[0]), _mm256_shuffle_epi8(high, high_half[0]));
                let second =
                    _mm256_or_si256(_mm256_shuffle_epi8(low, bytes[1]), _mm256_shuffle_epi8(high, high_half[1]));
                ruled[page][0] = _mm256_or_si256(ruled[page][0], first);
                ruled[page][1] = _mm256_or_si256(ruled[page][1], second);
                page += 1;
            }
            k += 1;
        }
        let mut out = [all; 2];
        let mut page = 0;
        while page < N {
            out[0] = _mm256_and_si256(out[0], _mm256_cmpeq_epi8(ruled[page][0], all));
            out[1] = _mm256_and_si256(out[1], _mm256_cmpeq_epi8(ruled[page][1], all));
            page += 1;
        }
        let (low, high) = (_mm256_movemask_epi8(out[0]).cast_unsigned(), _mm256_movemask_epi8(out[1]).cast_unsigned());
        *word = !(u64::from(low) | u64::from(high) << 32);
    }
}

/// The tables, once for each half of a vector.
#[target_feature(enable = "avx2")]
fn wide_tables<const N: usize>(sieve: &Sieve) -> [[[__m256i; 2]; N]; OFFSETS.len()] {
    let mut wide = [[[_mm256_setzero_si256(); 2]; N]; OFFSETS.len()];
    let mut k = 0;
    while k < OFFSETS.len() {
        let mut page = 0;
        while page < N {
            let table = &sieve.tables[k][page];
            // SAFETY: the tables are arrays of 16 bytes.
            let (low, high) =
                unsafe { (_mm_loadu_si128(table.low.as_ptr().cast()), _mm_loadu_si128(table.high.as_ptr().cast())) };
            wide[k][page] = [_mm256_broadcastsi128_si256(low), _mm256_broadcastsi128_si256(high)];
            page += 1;
        }
        k += 1;
    }
    wide
}

/// Likewise.
///
/// # Safety
/// - The processor has SSSE3.
/// - `window` points at `words.len() * WORD + 1 + REACH` readable bytes.
#[target_feature(enable = "ssse3")]
unsafe fn ssse3<const N: usize>(sieve: &Sieve, window: *const u8, words: &mut [u64]) {
    let half = _mm_set1_epi8(15);
    let all = _mm_set1_epi8(-1);
    for (i, word) in words.iter_mut().enumerate() {
        *word = 0;
        let mut quarter = 0;
        while quarter < 4 {
            let mut ruled = [_mm_setzero_si128(); N];
            let mut k = 0;
            while k < OFFSETS.len() {
                // SAFETY: all offsets lie between -1 and REACH and `window` begins at -1, so the last of the 16 bytes read
                // is at most byte `1 + REACH + WORD * words.len() - 1` of it.
                let bytes =
                    unsafe { _mm_loadu_si128(window.offset(1 + sieve.offsets[k]).add(i * WORD + quarter * 16).cast()) };
                let high_half = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
                let mut page = 0;
                while page < N {
                    let table = &sieve.tables[k][page];
                    // SAFETY: the tables are arrays of 16 bytes.
                    let (low, high) = unsafe {
                        (_mm_loadu_si128(table.low.as_ptr().cast()), _mm_loadu_si128(table.high.as_ptr().cast()))
                    };
                    // A byte that is not ASCII looks up nothing in `low`.
                    let by_byte = _mm_or_si128(_mm_shuffle_epi8(low, bytes), _mm_shuffle_epi8(high, high_half));
                    ruled[page] = _mm_or_si128(ruled[page], by_byte);
                    page += 1;
                }
                k += 1;
            }
            let mut out = all;
            let mut page = 0;
            while page < N {
                out = _mm_and_si128(out, _mm_cmpeq_epi8(ruled[page], all));
                page += 1;
            }
            let ruled_out = _mm_movemask_epi8(out).cast_unsigned();
            *word |= u64::from(!ruled_out & 0xffff) << (quarter * 16);
            quarter += 1;
        }
    }
}

/// [`super::Lanes::last_pair`] of a text of more than [`WORD`] bytes, where the processor has AVX2.
pub(super) fn last_pair(text: &[u8], pair: [u8; 2]) -> Option<usize> {
    assert!(text.len() > WORD);
    // SAFETY: `Kind::Avx2` and `Kind::Avx512` are made only where the processor has AVX2, which those with AVX-512 have; the
    // length was checked on the line above.
    unsafe { last_pair_avx2(text, pair) }
}

/// # Safety
/// - The processor has AVX2.
/// - `text` has more than [`WORD`] bytes.
#[target_feature(enable = "avx2")]
unsafe fn last_pair_avx2(text: &[u8], pair: [u8; 2]) -> Option<usize> {
    let [first, second] = pair.map(|c| _mm256_set1_epi8(c.cast_signed()));
    let case = _mm256_set1_epi8(CASE);
    // Positions below are left.
    let mut end = text.len() - 1;
    loop {
        let from = end.saturating_sub(WORD);
        let mut found = 0;
        let mut half = 0;
        while half < 2 {
            // SAFETY: `from + WORD` is `end`, which is less than the length, or `WORD`, which is less, too.
            let (firsts, seconds) = unsafe {
                let at = text.as_ptr().add(from + half * 32);
                (_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(1).cast()))
            };
            let is_first = _mm256_cmpeq_epi8(_mm256_or_si256(firsts, case), first);
            let is_second = _mm256_cmpeq_epi8(_mm256_or_si256(seconds, case), second);
            let both = _mm256_movemask_epi8(_mm256_and_si256(is_first, is_second)).cast_unsigned();
            found |= u64::from(both) << (half * 32);
            half += 1;
        }
        if end - from < WORD {
            found &= (1 << (end - from)) - 1;
        }
        if found != 0 {
            return Some(from + WORD - 1 - found.leading_zeros() as usize);
        }
        if from == 0 {
            return None;
        }
        end = from;
    }
}

/// Clears the bits of letters inside words, where the processor has AVX2. `window` begins one byte before the first
/// position.
pub(super) fn clear_insides_avx2(window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD < window.len());
    // SAFETY: `Kind::Avx2` is made only where the processor has AVX2; the length was checked on the line above.
    unsafe { insides_avx2(window, words) }
}

/// Likewise, where the processor has AVX-512.
pub(super) fn clear_insides_avx512(window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD < window.len());
    // SAFETY: `Kind::Avx512` is made only where the processor has AVX-512 BW; the length was checked on the line above.
    unsafe { insides_avx512(window, words) }
}

/// Likewise, where the processor has SSE2, as all of x86-64 have.
pub(super) fn clear_insides_sse2(window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD < window.len());
    // SAFETY: the length was checked on the line above.
    unsafe { insides_sse2(window, words) }
}

/// The number that brings `first` to the lowest of all that has a sign, and what `last` is then.
const fn range((first, last): (u8, u8)) -> (i8, i8) {
    (0x80u8.wrapping_sub(first).cast_signed(), (0x80 + (last - first)).cast_signed())
}

const CASE: i8 = 0x20;
const LETTERS: (i8, i8) = range((b'a', b'z'));
const ENDS: [(i8, i8); 2] = [range(ESCAPES[0]), range(ESCAPES[1])];

/// # Safety
/// - The processor has AVX-512 BW.
/// - `window` has more than `words.len() * WORD` bytes.
#[target_feature(enable = "avx512bw")]
unsafe fn insides_avx512(window: &[u8], words: &mut [u64]) {
    let among = |bytes, (first, last): (u8, u8)| {
        let from_first = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first.cast_signed()));
        _mm512_cmple_epu8_mask(from_first, _mm512_set1_epi8((last - first).cast_signed()))
    };
    let mut before = Inside::behind(window[0]);
    for (i, word) in words.iter_mut().enumerate() {
        // SAFETY: the last of the bytes is at most byte `WORD * words.len()`.
        let bytes = unsafe { _mm512_loadu_si512(window.as_ptr().add(1 + i * WORD).cast()) };
        let letters = among(_mm512_or_si512(bytes, _mm512_set1_epi8(CASE)), (b'a', b'z'));
        let escapes = among(bytes, ESCAPES[0]) | among(bytes, ESCAPES[1]);
        *word &= !before.next(letters, escapes);
    }
}

/// # Safety
/// - The processor has AVX2.
/// - `window` has more than `words.len() * WORD` bytes.
#[target_feature(enable = "avx2")]
unsafe fn insides_avx2(window: &[u8], words: &mut [u64]) {
    let above = |bytes, (shift, last)| {
        _mm256_cmpgt_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8(shift)), _mm256_set1_epi8(last))
    };
    let mut before = Inside::behind(window[0]);
    for (i, word) in words.iter_mut().enumerate() {
        // What are no letters, and what escapes do not have: one instruction less a byte.
        let (mut signs, mut others) = (0, 0);
        let mut half = 0;
        while half < 2 {
            // SAFETY: the last of the bytes is at most byte `WORD * words.len()`.
            let bytes = unsafe { _mm256_loadu_si256(window.as_ptr().add(1 + i * WORD + half * 32).cast()) };
            let sign = above(_mm256_or_si256(bytes, _mm256_set1_epi8(CASE)), LETTERS);
            let other = _mm256_and_si256(above(bytes, ENDS[0]), above(bytes, ENDS[1]));
            signs |= u64::from(_mm256_movemask_epi8(sign).cast_unsigned()) << (half * 32);
            others |= u64::from(_mm256_movemask_epi8(other).cast_unsigned()) << (half * 32);
            half += 1;
        }
        *word &= !before.next(!signs, !others);
    }
}

/// # Safety
/// - `window` has more than `words.len() * WORD` bytes.
#[target_feature(enable = "sse2")]
unsafe fn insides_sse2(window: &[u8], words: &mut [u64]) {
    let above = |bytes, (shift, last)| _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(shift)), _mm_set1_epi8(last));
    let mut before = Inside::behind(window[0]);
    for (i, word) in words.iter_mut().enumerate() {
        let (mut signs, mut others) = (0, 0);
        let mut quarter = 0;
        while quarter < 4 {
            // SAFETY: the last of the bytes is at most byte `WORD * words.len()`.
            let bytes = unsafe { _mm_loadu_si128(window.as_ptr().add(1 + i * WORD + quarter * 16).cast()) };
            let sign = above(_mm_or_si128(bytes, _mm_set1_epi8(CASE)), LETTERS);
            let other = _mm_and_si128(above(bytes, ENDS[0]), above(bytes, ENDS[1]));
            signs |= u64::from(_mm_movemask_epi8(sign).cast_unsigned()) << (quarter * 16);
            others |= u64::from(_mm_movemask_epi8(other).cast_unsigned()) << (quarter * 16);
            quarter += 1;
        }
        *word &= !before.next(!signs, !others);
    }
}
