//! The C ABI of kong-aws-masker, called by the plugin through LuaJIT's FFI.
//!
//! Rules that every function keeps:
//! - Strings are pointer and length, never NUL-terminated; a null pointer with length 0 is an empty string.
//! - Inputs come first, outputs last; outputs are written only on success.
//! - Results are lent: valid until the next call on the same handle, or its free. The caller copies at once.
//! - A handle belongs to one thread at a time. A detector may be freed before the sessions made from it.
//! - No panic leaves a function; it becomes [`Status::Panic`], and the session that saw it accepts only free.

mod args;
mod config;
pub mod detector;
mod guard;
pub mod session;
pub mod status;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod vault;

use std::sync::atomic::{AtomicU64, Ordering};

/// Version of this interface. Any change of a signature, an enum or a lifetime raises it.
pub const ABI_VERSION: u32 = 7;

/// Detectors that are not freed yet, and sessions that are neither closed nor freed.
static LIVE_HANDLES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn handle_made() {
    LIVE_HANDLES.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn handle_freed() {
    LIVE_HANDLES.fetch_sub(1, Ordering::Relaxed);
}

/// Version of this interface, to be compared with `AWSM_ABI_VERSION` of the header that the caller was written for.
#[unsafe(no_mangle)]
pub extern "C" fn awsm_abi_version() -> u32 {
    ABI_VERSION
}

/// Number of detectors that are not freed yet and of sessions that are neither closed nor freed, in this process.
#[unsafe(no_mangle)]
pub extern "C" fn awsm_live_handles() -> u64 {
    LIVE_HANDLES.load(Ordering::Relaxed)
}

/// What went wrong in the last call of this thread that did not succeed. Never holds a byte of a body.
///
/// # Lifetimes
/// The text is lent until the next call of this thread that fails.
///
/// # Safety
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_last_error(out: *mut *const u8, out_len: *mut usize) -> status::Status {
    // SAFETY: the caller promises that both pointers are valid for writes.
    unsafe { guard::last_error(out, out_len) }
}
