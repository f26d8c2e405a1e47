//! The sieve on aarch64.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::inside::{ESCAPES, Inside};
use super::{OFFSETS, PAGES, REACH, Sieve, WORD};

/// [`Sieve::look`] where the processor has NEON. `window` begins one byte before the first position.
pub(super) fn look(sieve: &Sieve, window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD + 1 + REACH <= window.len());
    // SAFETY: `Kind::Neon` is made only where the processor has NEON; the length was checked on the line above.
    unsafe { neon(sieve, window.as_ptr(), words) }
}

/// A bit for each byte, which are all ones or all zeros.
#[target_feature(enable = "neon")]
fn mask(bytes: uint8x16_t) -> u16 {
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: an array of 16 bytes.
    let set = vandq_u8(bytes, unsafe { vld1q_u8(BITS.as_ptr()) });
    u16::from_le_bytes([vaddv_u8(vget_low_u8(set)), vaddv_u8(vget_high_u8(set))])
}

/// # Safety
/// - The processor has NEON.
/// - `window` points at `words.len() * WORD + 1 + REACH` readable bytes.
#[target_feature(enable = "neon")]
unsafe fn neon(sieve: &Sieve, window: *const u8, words: &mut [u64]) {
    let all = vdupq_n_u8(0xff);
    // Indices from 16 on look up nothing: a byte that is not ASCII keeps its highest bit.
    let low_half = vdupq_n_u8(0x8f);
    for (i, word) in words.iter_mut().enumerate() {
        *word = 0;
        // Plain loops over constant ranges: they are unrolled, where iterator adapters cost a call each.
        let mut quarter = 0;
        while quarter < 4 {
            let mut ruled = [vdupq_n_u8(0); PAGES];
            let mut k = 0;
            while k < OFFSETS.len() {
                // SAFETY: all offsets lie between -1 and REACH and `window` begins at -1, so the last of the 16 bytes read
                // is at most byte `1 + REACH + WORD * words.len() - 1` of it.
                let bytes = unsafe { vld1q_u8(window.offset(1 + sieve.offsets[k]).add(i * WORD + quarter * 16)) };
                let (low_half, high_half) = (vandq_u8(bytes, low_half), vshrq_n_u8::<4>(bytes));
                let mut page = 0;
                while page < PAGES {
                    let table = &sieve.tables[k][page];
                    // SAFETY: the tables are arrays of 16 bytes.
                    let (low, high) = unsafe { (vld1q_u8(table.low.as_ptr()), vld1q_u8(table.high.as_ptr())) };
                    let by_byte = vorrq_u8(vqtbl1q_u8(low, low_half), vqtbl1q_u8(high, high_half));
                    ruled[page] = vorrq_u8(ruled[page], by_byte);
                    page += 1;
                }
                k += 1;
            }
            let mut out = all;
            let mut page = 0;
            while page < PAGES {
                out = vandq_u8(out, vceqq_u8(ruled[page], all));
                page += 1;
            }
            *word |= u64::from(mask(vmvnq_u8(out))) << (quarter * 16);
            quarter += 1;
        }
    }
}

/// Clears the bits of letters inside words, where the processor has NEON. `window` begins one byte before the first
/// position.
pub(super) fn clear_insides(window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD < window.len());
    // SAFETY: `Kind::Neon` is made only where the processor has NEON; the length was checked on the line above.
    unsafe { insides(window, words) }
}

/// # Safety
/// - The processor has NEON.
/// - `window` has more than `words.len() * WORD` bytes.
#[target_feature(enable = "neon")]
unsafe fn insides(window: &[u8], words: &mut [u64]) {
    let is_in = |bytes, (first, last): (u8, u8)| vcleq_u8(vsubq_u8(bytes, vdupq_n_u8(first)), vdupq_n_u8(last - first));
    let mut before = Inside::behind(window[0]);
    for (i, word) in words.iter_mut().enumerate() {
        let (mut letters, mut escapes) = (0, 0);
        let mut quarter = 0;
        while quarter < 4 {
            // SAFETY: the last of the bytes is at most byte `WORD * words.len()`.
            let bytes = unsafe { vld1q_u8(window.as_ptr().add(1 + i * WORD + quarter * 16)) };
            let letter = is_in(vorrq_u8(bytes, vdupq_n_u8(0x20)), (b'a', b'z'));
            let escape = vorrq_u8(is_in(bytes, ESCAPES[0]), is_in(bytes, ESCAPES[1]));
            letters |= u64::from(mask(letter)) << (quarter * 16);
            escapes |= u64::from(mask(escape)) << (quarter * 16);
            quarter += 1;
        }
        *word &= !before.next(letters, escapes);
    }
}
