//! Sessions: one exchange each.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use aws_masker_core::wire::ContentCoding;
use aws_masker_core::{Error, session};

use crate::detector::Detector;
use crate::guard::{Failure, guard};
use crate::status::Status;
use crate::{args, handle_freed, handle_made};

/// Memory that a session keeps for its next result.
const MAX_KEPT_BYTES: usize = 128 * 1024;

/// One exchange: a masked request and its answer.
pub struct Session {
    pub(crate) inner: session::Session,
    /// The lent result.
    pub(crate) result: Vec<u8>,
    /// Largest request body, once it is inflated.
    max_body_bytes: usize,
    /// The lent counts by kind. The names are those of the detector, which `inner` keeps alive.
    kinds: Vec<KindCount>,
    masking: Duration,
    restoring: Duration,
    poisoned: bool,
}

/// What a session did.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Stretches of the request that were replaced.
    pub masked: u64,
    /// Different originals among them.
    pub distinct: u64,
    /// Tokens of the answer that were turned back.
    pub restored: u64,
    /// Texts of the answer that look like tokens and stand for nothing known; an estimate on the low side.
    pub unresolved: u64,
    /// Size of the request as it came, bytes.
    pub bytes_in: u64,
    /// Size of the request as it left, bytes.
    pub bytes_out: u64,
    /// Size of the answer so far as it came, bytes.
    pub answer_bytes_in: u64,
    /// Size of the answer so far as it left, bytes.
    pub answer_bytes_out: u64,
    /// Time spent in `awsm_session_mask`.
    pub mask_nanoseconds: u64,
    /// Time spent in `awsm_session_restore`, all chunks together.
    pub restore_nanoseconds: u64,
}

/// How many stretches of one kind were replaced.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KindCount {
    /// Name of the kind, as in the catalog or of a custom pattern.
    pub name: *const u8,
    /// Bytes of the name.
    pub name_len: usize,
    /// Stretches.
    pub count: u64,
}

impl Session {
    /// Runs `body`; a panic in it makes the session unusable.
    pub(crate) fn run<R>(&mut self, body: impl FnOnce(&mut Self) -> Result<R, Failure>) -> Result<R, Failure> {
        if self.poisoned {
            return Err(Failure::poisoned());
        }
        match catch_unwind(AssertUnwindSafe(|| body(self))) {
            Ok(result) => result,
            Err(panic) => {
                self.poisoned = true;
                resume_unwind(panic)
            }
        }
    }
}

impl Session {
    fn mask(&mut self, content_type: &[u8], coding: &[u8], body: &[u8]) -> aws_masker_core::Result<Option<Vec<u8>>> {
        match ContentCoding::parse(coding).ok_or(Error::UnsupportedContent)? {
            ContentCoding::Identity => self.inner.mask(content_type, body),
            coding => self.inner.mask(content_type, &coding.inflate(body, self.max_body_bytes)?),
        }
    }
}

/// Opens a session whose tokens belong to `scope`: any text that names who owns them. Only a keyed digest is kept.
///
/// # Lifetimes
/// The session lives until `awsm_session_free`, also when the detector is freed before. `scope` is not kept.
///
/// # Safety
/// - `detector` is live.
/// - `scope` is valid for reads of `scope_len` bytes, or null with length 0.
/// - `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_new(
    detector: *const Detector,
    scope: *const u8,
    scope_len: usize,
    out: *mut *mut Session,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live, the input valid for reads, the output for writes.
        let (detector, scope, out) =
            unsafe { (args::shared(detector)?, args::bytes(scope, scope_len)?, args::output(out)?) };
        let vaults = detector.vaults.iter().map(|vault| vault.scope(scope)).collect();
        let inner = session::Session::new(detector.rules.clone(), detector.key.scope(scope), detector.options)
            .with_vaults(vaults);
        handle_made();
        let session = Session {
            inner,
            result: Vec::new(),
            max_body_bytes: detector.max_body_bytes,
            kinds: Vec::new(),
            masking: Duration::ZERO,
            restoring: Duration::ZERO,
            poisoned: false,
        };
        out.write(Box::into_raw(Box::new(session)));
        Ok(Status::Ok)
    })
}

/// Frees a session; null is nothing. What it knew is wiped.
///
/// # Safety
/// - `session` is null, or came from `awsm_session_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_free(session: *mut Session) {
    if session.is_null() {
        return;
    }
    guard(|| {
        handle_freed();
        // SAFETY: the caller promises that the pointer came from `Box::into_raw` in `awsm_session_new`.
        drop(unsafe { Box::from_raw(session) });
        Ok(Status::Ok)
    });
}

/// Masks a request body.
///
/// `content_type` is the value of the header; empty means JSON if the body looks like it, else text. A body with a
/// `content_encoding` (gzip, deflate) is inflated first, and the result has none.
///
/// Gives `Unchanged` when the body stands as it is, coding and all; `UnsupportedContent` for types and codings that
/// cannot be masked; `InvalidBody` for a body that is not what its type or coding says; `BodyTooLarge` when it grows over
/// `max_request_body_size`.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `content_type`, `content_encoding` and `body` are valid for reads of their lengths, or null with length 0.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_mask(
    session: *mut Session,
    content_type: *const u8,
    content_type_len: usize,
    content_encoding: *const u8,
    content_encoding_len: usize,
    body: *const u8,
    body_len: usize,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, inputs and outputs valid.
        let (session, content_type, content_encoding, body, out, out_len) = unsafe {
            (
                args::exclusive(session)?,
                args::bytes(content_type, content_type_len)?,
                args::bytes(content_encoding, content_encoding_len)?,
                args::bytes(body, body_len)?,
                args::output(out)?,
                args::output(out_len)?,
            )
        };
        session.run(|session| {
            let started = Instant::now();
            let masked = session.mask(content_type, content_encoding, body);
            session.masking += started.elapsed();
            let Some(masked) = masked? else { return Ok(Status::Unchanged) };
            session.result = masked;
            out.write(session.result.as_ptr());
            out_len.write(session.result.len());
            Ok(Status::Ok)
        })
    })
}

/// Prepares for an answer, by the values of its headers.
///
/// Gives `Unchanged` when nothing in it can change: no tokens are known, or its type or coding cannot be read. Its
/// bytes are then passed as they are. Gives `Ok` when each chunk has to go through `awsm_session_restore`, which gives
/// bytes without a coding.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `content_type` and `content_encoding` are valid for reads of their lengths, or null with length 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_open_answer(
    session: *mut Session,
    content_type: *const u8,
    content_type_len: usize,
    content_encoding: *const u8,
    content_encoding_len: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the inputs valid for reads.
        let (session, content_type, content_encoding) = unsafe {
            (
                args::exclusive(session)?,
                args::bytes(content_type, content_type_len)?,
                args::bytes(content_encoding, content_encoding_len)?,
            )
        };
        session.run(|session| {
            let opened = session.inner.open_answer(content_type, content_encoding);
            Ok(if opened { Status::Ok } else { Status::Unchanged })
        })
    })
}

/// Restores the next bytes of the answer. `last` is not 0 with the last of them and gives out what was held back.
///
/// Gives `Unchanged` when the chunk is to be passed as it is, else the bytes to pass instead, which may be none.
/// `InvalidBody` says that an answer with a coding cannot be read on: what is left of it is to be cut off.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `chunk` is valid for reads of `chunk_len` bytes, or null with length 0.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_restore(
    session: *mut Session,
    chunk: *const u8,
    chunk_len: usize,
    last: u32,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, input and outputs valid.
        let (session, chunk, out, out_len) = unsafe {
            (args::exclusive(session)?, args::bytes(chunk, chunk_len)?, args::output(out)?, args::output(out_len)?)
        };
        session.run(|session| {
            let started = Instant::now();
            let mut result = std::mem::take(&mut session.result);
            result.clear();
            // One large chunk must not cost memory for as long as the answer lasts.
            result.shrink_to(MAX_KEPT_BYTES);
            let restored = session.inner.restore(chunk, last != 0, &mut result);
            session.result = result;
            session.restoring += started.elapsed();
            restored?;
            if session.result == chunk {
                return Ok(Status::Unchanged);
            }
            out.write(session.result.as_ptr());
            out_len.write(session.result.len());
            Ok(Status::Ok)
        })
    })
}

/// Gives out what was held back of an answer that breaks off: the upstream is gone in the middle of it.
///
/// Gives `Unchanged` when nothing was held back.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_release(
    session: *mut Session,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the outputs valid for writes.
        let (session, out, out_len) =
            unsafe { (args::exclusive(session)?, args::output(out)?, args::output(out_len)?) };
        session.run(|session| {
            let mut result = std::mem::take(&mut session.result);
            result.clear();
            session.inner.release(&mut result);
            session.result = result;
            if session.result.is_empty() {
                return Ok(Status::Unchanged);
            }
            out.write(session.result.as_ptr());
            out_len.write(session.result.len());
            Ok(Status::Ok)
        })
    })
}

/// What the session did so far.
///
/// # Safety
/// - `session` is live.
/// - `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_counts(session: *const Session, out: *mut Counts) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and the output valid for writes.
        let (session, out) = unsafe { (args::shared(session)?, args::output(out)?) };
        let counts = session.inner.counts();
        out.write(Counts {
            masked: counts.masked,
            distinct: counts.distinct,
            restored: counts.restored,
            unresolved: counts.unresolved,
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            answer_bytes_in: counts.answer_bytes_in,
            answer_bytes_out: counts.answer_bytes_out,
            mask_nanoseconds: nanoseconds(session.masking),
            restore_nanoseconds: nanoseconds(session.restoring),
        });
        Ok(Status::Ok)
    })
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Which kinds were replaced and how often, in no particular order.
///
/// # Lifetimes
/// The array is lent until the next call on this session, the names until its free.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_kinds(
    session: *mut Session,
    out: *mut *const KindCount,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the outputs valid for writes.
        let (session, out, out_len) =
            unsafe { (args::exclusive(session)?, args::output(out)?, args::output(out_len)?) };
        session.run(|session| {
            session.kinds.clear();
            let counts = session.inner.kinds();
            session.kinds.extend(counts.map(|(name, count)| KindCount {
                name: name.as_ptr(),
                name_len: name.len(),
                count,
            }));
            out.write(session.kinds.as_ptr());
            out_len.write(session.kinds.len());
            Ok(Status::Ok)
        })
    })
}
