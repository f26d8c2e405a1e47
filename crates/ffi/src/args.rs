//! Arguments that come from C. The only place that looks at raw pointers and lengths.

use crate::guard::Failure;

/// The bytes of an input.
///
/// # Safety
/// - `data` is null, or valid for reads of `len` bytes that nobody writes to during `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Failure> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(Failure::null("an input")) };
    }
    // SAFETY: not null, and the caller promises that it is valid for reads of `len` bytes.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// A handle that is only read.
///
/// # Safety
/// - `handle` is null, or came from this library's `_new` and is not freed during `'a`.
pub(crate) unsafe fn shared<'a, T>(handle: *const T) -> Result<&'a T, Failure> {
    // SAFETY: the caller promises that a handle that is not null is live.
    unsafe { handle.as_ref() }.ok_or_else(|| Failure::null("the handle"))
}

/// A handle that is changed.
///
/// # Safety
/// - `handle` is null, or came from this library's `_new`, is not freed during `'a`, and no other call uses it.
pub(crate) unsafe fn exclusive<'a, T>(handle: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller promises that a handle that is not null is live and not used by another call.
    unsafe { handle.as_mut() }.ok_or_else(|| Failure::null("the handle"))
}

/// An output, checked before any work is done.
///
/// # Safety
/// - `out` is null, or valid for writes during `'a`.
pub(crate) unsafe fn output<'a, T>(out: *mut T) -> Result<Output<'a, T>, Failure> {
    if out.is_null() {
        return Err(Failure::null("an output"));
    }
    Ok(Output { out, lifetime: std::marker::PhantomData })
}

/// A place to write one result to. It may be uninitialised, so it is never read.
pub(crate) struct Output<'a, T> {
    out: *mut T,
    lifetime: std::marker::PhantomData<&'a mut T>,
}

impl<T> Output<'_, T> {
    pub(crate) fn write(self, value: T) {
        // SAFETY: `output` was promised that the pointer is valid for writes as long as this value lives.
        unsafe { self.out.write(value) }
    }
}
