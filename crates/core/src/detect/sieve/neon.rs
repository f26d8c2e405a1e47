//! The sieve on aarch64.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::{OFFSETS, PAGES, REACH, Sieve, WORD};

/// [`Sieve::look`] where the processor has NEON. `window` begins one byte before the first position.
pub(super) fn look(sieve: &Sieve, window: &[u8], words: &mut [u64]) {
    assert!(words.len() * WORD + 1 + REACH <= window.len());
    // SAFETY: `Kind::Neon` is made only where the processor has NEON; the length was checked on the line above.
    unsafe { neon(sieve, window.as_ptr(), words) }
}

/// # Safety
/// - The processor has NEON.
/// - `window` points at `words.len() * WORD + 1 + REACH` readable bytes.
#[target_feature(enable = "neon")]
unsafe fn neon(sieve: &Sieve, window: *const u8, words: &mut [u64]) {
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: an array of 16 bytes.
    let bits = unsafe { vld1q_u8(BITS.as_ptr()) };
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
            let passing = vandq_u8(vmvnq_u8(out), bits);
            let halves = u16::from_le_bytes([vaddv_u8(vget_low_u8(passing)), vaddv_u8(vget_high_u8(passing))]);
            *word |= u64::from(halves) << (quarter * 16);
            quarter += 1;
        }
    }
}
