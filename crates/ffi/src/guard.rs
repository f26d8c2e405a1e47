//! The one way in: no panic crosses the ABI, and every failure leaves a text behind.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::args;
use crate::status::Status;

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A failure on its way out.
pub(crate) struct Failure {
    status: Status,
    text: String,
}

impl Failure {
    pub(crate) fn null(what: &str) -> Self {
        Self { status: Status::NullPointer, text: format!("{what} is a null pointer") }
    }

    pub(crate) fn poisoned() -> Self {
        Self { status: Status::Panic, text: "the session saw a bug of the library before; free it".into() }
    }

    pub(crate) fn unsealable() -> Self {
        Self {
            status: Status::Unsealable,
            text: "a value of the vault does not open under this scope and token".into(),
        }
    }

    pub(crate) fn config(text: String) -> Self {
        Self { status: Status::InvalidConfig, text }
    }
}

impl From<aws_masker_core::Error> for Failure {
    fn from(error: aws_masker_core::Error) -> Self {
        Self { status: Status::from(&error), text: error.to_string() }
    }
}

/// Runs the body of an exported function.
pub(crate) fn guard(body: impl FnOnce() -> Result<Status, Failure>) -> Status {
    install_hook();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => {
            remember(failure.text);
            failure.status
        }
        Err(_) => {
            remember("a bug in the library; the error log has the place".into());
            Status::Panic
        }
    }
}

fn remember(text: String) {
    LAST_ERROR.with_borrow_mut(|last| *last = text);
}

/// Panic messages may hold data: only the place is printed.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
            eprintln!("aws-masker: panic at {place}");
        }));
    });
}

/// Lends the text of the last failure.
///
/// # Safety
/// - `out` and `out_len` are null, or valid for writes.
pub(crate) unsafe fn last_error(out: *mut *const u8, out_len: *mut usize) -> Status {
    // SAFETY: the caller promises the same of both pointers.
    let (Ok(out), Ok(out_len)) = (unsafe { args::output(out) }, unsafe { args::output(out_len) }) else {
        return Status::NullPointer;
    };
    LAST_ERROR.with_borrow(|last| {
        out.write(last.as_ptr());
        out_len.write(last.len());
    });
    Status::Ok
}
