//! The one way in: no panic crosses the ABI, and every failure leaves a text behind.

use std::cell::RefCell;
use std::io::Write;
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

    pub(crate) fn closed() -> Self {
        Self { status: Status::WrongState, text: "the session is closed".into() }
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
            // Not `eprintln`, which panics itself where nobody reads stderr any more.
            let _ = writeln!(std::io::stderr(), "aws-masker: panic at {place}");
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use mlua::{LightUserData, Lua};

    use super::*;
    use crate::session::Session;
    use crate::{detector, session};

    const SECRET_TEXT: &str = "i-0f3a9c27be41d8056";
    const CHILD: &str = "AWSM_TEST_PANICS_HERE";

    fn open_session() -> *mut Session {
        let (mut rules, mut session) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the inputs are slices, the outputs local variables.
        unsafe {
            let secret = [7u8; 32];
            assert_eq!(
                detector::awsm_detector_new(std::ptr::null(), 0, secret.as_ptr(), secret.len(), &mut rules),
                Status::Ok
            );
            assert_eq!(session::awsm_session_new(rules, std::ptr::null(), 0, &mut session), Status::Ok);
            detector::awsm_detector_free(rules);
        }
        session
    }

    /// An exported function with a bug.
    unsafe extern "C" fn panics(session: *mut Session) -> Status {
        guard(|| {
            // SAFETY: the tests pass live sessions.
            unsafe { args::exclusive(session)? }.run(|_| -> Result<Status, Failure> { panic!("quotes {SECRET_TEXT}") })
        })
    }

    unsafe extern "C" fn masks(session: *mut Session) -> Status {
        let (mut out, mut len) = (std::ptr::null(), 0);
        let body = SECRET_TEXT.as_bytes();
        // SAFETY: the tests pass live sessions; the rest is local.
        unsafe {
            session::awsm_session_mask(
                session,
                b"text/plain".as_ptr(),
                10,
                std::ptr::null(),
                0,
                body.as_ptr(),
                body.len(),
                &mut out,
                &mut len,
            )
        }
    }

    #[test]
    fn a_session_that_saw_a_panic_accepts_only_free() {
        let (sound, broken) = (open_session(), open_session());
        // SAFETY: the sessions are live until they are freed at the end.
        unsafe {
            assert_eq!(masks(broken), Status::Ok);
            assert_eq!(panics(broken), Status::Panic);
            assert_eq!(masks(broken), Status::Panic);
            assert_eq!(
                session::awsm_session_open_answer(broken, b"text/plain".as_ptr(), 10, std::ptr::null(), 0),
                Status::Panic
            );
            assert_eq!(session::awsm_session_close(broken), Status::Panic);
            assert_eq!(masks(sound), Status::Ok);
            session::awsm_session_free(broken);
            session::awsm_session_free(sound);
        }
    }

    /// Many times, so that LuaJIT compiles the loop and the unwinder meets its machine code.
    #[test]
    #[cfg_attr(miri, ignore = "miri runs no LuaJIT")]
    fn no_panic_reaches_luajit() {
        let session = open_session();
        // SAFETY: `ffi` is what this test is about.
        let lua = unsafe { Lua::unsafe_new() };
        lua.globals().set("SESSION", LightUserData(session.cast())).unwrap();
        lua.globals().set("PANICS", LightUserData(panics as *mut std::ffi::c_void)).unwrap();
        let count: u32 = lua
            .load(
                r#"
                local ffi = require "ffi"
                local panics = ffi.cast("int (*)(void *)", PANICS)
                local count = 0
                for _ = 1, 500 do
                  if panics(SESSION) == 2 then
                    count = count + 1
                  end
                end
                return count
                "#,
            )
            .eval()
            .unwrap();
        assert_eq!(count, 500);
        // SAFETY: the session is live.
        unsafe { session::awsm_session_free(session) };
    }

    #[test]
    fn the_text_of_a_panic_is_not_kept() {
        let session = open_session();
        // SAFETY: the session is live; the outputs are local.
        let text = unsafe {
            assert_eq!(panics(session), Status::Panic);
            let (mut out, mut len) = (std::ptr::null(), 0);
            assert_eq!(last_error(&mut out, &mut len), Status::Ok);
            let text = String::from_utf8(std::slice::from_raw_parts(out, len).to_vec()).unwrap();
            session::awsm_session_free(session);
            text
        };
        assert!(text.contains("bug") && !text.contains(SECRET_TEXT), "{text}");
    }

    /// Runs a test once more as a process of its own, which goes another way there.
    fn child(test: &str) -> Command {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").env("RUST_BACKTRACE", "full");
        child
    }

    fn panic_once() {
        let session = open_session();
        // SAFETY: the session is live.
        unsafe {
            assert_eq!(panics(session), Status::Panic);
            session::awsm_session_free(session);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri starts no processes")]
    fn a_panic_prints_its_place_and_nothing_else() {
        if std::env::var_os(CHILD).is_some() {
            return panic_once();
        }
        let output = child("guard::tests::a_panic_prints_its_place_and_nothing_else").output().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stderr).unwrap();
        let place = printed.trim_end().strip_prefix("aws-masker: panic at ").unwrap_or_else(|| panic!("{printed}"));
        let (file, line) = place.rsplit_once(':').unwrap();
        assert!(file.ends_with("guard.rs") && line.parse::<u32>().is_ok(), "{printed}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri starts no processes")]
    fn a_panic_is_caught_where_nobody_reads_stderr() {
        if std::env::var_os(CHILD).is_some() {
            return panic_once();
        }
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status =
            child("guard::tests::a_panic_is_caught_where_nobody_reads_stderr").stderr(writer).status().unwrap();
        assert!(status.success(), "{status}");
    }
}
