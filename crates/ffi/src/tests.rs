//! The whole boundary, called from Rust: for miri, which sees what raw pointers do but runs no LuaJIT.

use crate::detector::{Detector, awsm_detector_free, awsm_detector_new};
use crate::session::{
    Counts, KindCount, Session, awsm_session_close, awsm_session_counts, awsm_session_free, awsm_session_kinds,
    awsm_session_mask, awsm_session_new, awsm_session_open_answer, awsm_session_renew, awsm_session_restore,
};
use crate::status::Status;
use crate::tally::{awsm_session_tally, awsm_take_tally};
use crate::{awsm_abi_version, awsm_last_error, awsm_live_handles};

const JSON: &[u8] = b"application/json";
const BODY: &[u8] = br#"{"text":"i-0f3a9c27be41d8056"}"#;
const SECRET: &[u8] = b"0123456789abcdef";

/// Calls a function with two outputs and copies what it lends.
fn lent(call: impl FnOnce(*mut *const u8, *mut usize) -> Status) -> Result<Vec<u8>, Status> {
    let (mut out, mut len) = (std::ptr::null(), 0);
    match call(&mut out, &mut len) {
        // SAFETY: outputs are written on success, and lent until the next call.
        Status::Ok => Ok(unsafe { std::slice::from_raw_parts(out, len) }.to_vec()),
        status => Err(status),
    }
}

struct Handles {
    detector: *mut Detector,
    session: *mut Session,
}

impl Handles {
    fn open() -> Self {
        let (mut detector, mut session) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the inputs are slices, the outputs local.
        unsafe {
            let made = awsm_detector_new(b"{}".as_ptr(), 2, SECRET.as_ptr(), SECRET.len(), &mut detector);
            assert_eq!(made, Status::Ok);
            assert_eq!(awsm_session_new(detector, b"s".as_ptr(), 1, &mut session), Status::Ok);
        }
        Self { detector, session }
    }

    fn mask(&self, body: &[u8]) -> Result<Vec<u8>, Status> {
        lent(|out, len| {
            // SAFETY: the handle is live, the inputs are slices, the outputs those of `lent`.
            unsafe {
                awsm_session_mask(
                    self.session,
                    JSON.as_ptr(),
                    JSON.len(),
                    std::ptr::null(),
                    0,
                    body.as_ptr(),
                    body.len(),
                    out,
                    len,
                )
            }
        })
    }

    fn restore(&self, chunk: &[u8], last: bool) -> Vec<u8> {
        let restored = lent(|out, len| {
            // SAFETY: as above.
            unsafe { awsm_session_restore(self.session, chunk.as_ptr(), chunk.len(), u32::from(last), out, len) }
        });
        match restored {
            Err(Status::Unchanged) => chunk.to_vec(),
            other => other.unwrap(),
        }
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        // SAFETY: both came from their `_new` and are freed once; a session may outlive its detector.
        unsafe {
            awsm_detector_free(self.detector);
            awsm_session_free(self.session);
        }
    }
}

#[test]
fn an_exchange_across_the_boundary() {
    assert_eq!(awsm_abi_version(), crate::ABI_VERSION);
    let handles = Handles::open();
    assert!(awsm_live_handles() >= 2);

    let masked = handles.mask(BODY).unwrap();
    assert_ne!(masked, BODY);
    // SAFETY: the handle is live, the inputs are slices or null with length 0.
    let opened = unsafe { awsm_session_open_answer(handles.session, JSON.as_ptr(), JSON.len(), std::ptr::null(), 0) };
    assert_eq!(opened, Status::Ok);
    let (first, rest) = masked.split_at(12);
    assert_eq!([handles.restore(first, false), handles.restore(rest, true)].concat(), BODY);

    let mut counts = std::mem::MaybeUninit::<Counts>::uninit();
    // SAFETY: the handle is live; the counts are written on success.
    let counts = unsafe {
        assert_eq!(awsm_session_counts(handles.session, counts.as_mut_ptr()), Status::Ok);
        counts.assume_init()
    };
    assert_eq!((counts.masked, counts.restored), (1.0, 1.0));

    let (mut kinds, mut len) = (std::ptr::null(), 0);
    // SAFETY: the handle is live; kinds and their names are lent until the next call.
    unsafe {
        assert_eq!(awsm_session_kinds(handles.session, &mut kinds, &mut len), Status::Ok);
        let kinds = std::slice::from_raw_parts(kinds, len);
        assert_eq!(std::slice::from_raw_parts(kinds[0].name, kinds[0].name_len), b"ec2:instance");
    }
}

#[test]
fn a_session_is_renewed_after_its_exchange() {
    let handles = Handles::open();
    let masked = handles.mask(BODY).unwrap();
    // SAFETY: the handles are live, the scope is a slice.
    let renew =
        |scope: &[u8]| unsafe { awsm_session_renew(handles.session, handles.detector, scope.as_ptr(), scope.len()) };
    // SAFETY: the handle is live, the inputs are slices or null with length 0.
    let open = || unsafe { awsm_session_open_answer(handles.session, JSON.as_ptr(), JSON.len(), std::ptr::null(), 0) };

    // SAFETY: the handle is live.
    let close = || unsafe { awsm_session_close(handles.session) };
    assert_eq!((close(), close()), (Status::Ok, Status::Ok));
    assert_eq!(handles.mask(BODY), Err(Status::WrongState));
    assert_eq!(open(), Status::WrongState);

    assert_eq!(renew(b"s"), Status::Ok);
    // It knows nothing of what it masked before, but masks alike.
    assert_eq!(open(), Status::Unchanged);
    assert_eq!(handles.mask(BODY).unwrap(), masked);
    // Without being closed in between, and for another owner.
    assert_eq!(renew(b"other"), Status::Ok);
    assert_eq!(open(), Status::Unchanged);
    assert_ne!(handles.mask(BODY).unwrap(), masked);
}

#[test]
fn a_failure_leaves_a_text() {
    let handles = Handles::open();
    assert_eq!(handles.mask(&BODY[..BODY.len() - 1]), Err(Status::InvalidBody));
    // SAFETY: the outputs are those of `lent`.
    let text = lent(|out, len| unsafe { awsm_last_error(out, len) }).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("body") && !text.contains("i-0f3a"), "{text}");
}

/// What was counted since the last call.
fn taken() -> Vec<(String, u64)> {
    let (mut kinds, mut len) = (std::ptr::null(), 0);
    // SAFETY: the outputs are two variables; kinds and their names are lent until the next call.
    unsafe {
        assert_eq!(awsm_take_tally(&mut kinds, &mut len), Status::Ok);
        let kinds = std::slice::from_raw_parts::<KindCount>(kinds, len).iter();
        kinds
            .map(|kind| {
                let name = std::slice::from_raw_parts(kind.name, kind.name_len);
                (String::from_utf8(name.to_vec()).unwrap(), kind.count)
            })
            .collect()
    }
}

#[test]
fn kinds_are_counted_for_the_process() {
    // No other test counts.
    assert_eq!(taken(), []);
    for _ in 0..2 {
        let handles = Handles::open();
        handles.mask(BODY).unwrap();
        // SAFETY: the handle is live.
        assert_eq!(unsafe { awsm_session_tally(handles.session) }, Status::Ok);
        // SAFETY: likewise; a closed session has no kinds any more.
        unsafe {
            assert_eq!(awsm_session_close(handles.session), Status::Ok);
            assert_eq!(awsm_session_tally(handles.session), Status::WrongState);
        }
    }
    assert_eq!(taken(), [("ec2:instance".to_owned(), 2)]);
    assert_eq!(taken(), []);
}
