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
/// The same between exchanges: hundreds of sessions may be idle.
const MAX_IDLE_BYTES: usize = 16 * 1024;

/// A handle for one exchange after the other.
pub struct Session {
    /// `None` once it is closed.
    exchange: Option<Exchange>,
    /// What the last exchange left for the next one.
    room: Room,
    poisoned: bool,
}

/// Memory that an exchange needs, with nothing in it. Making it anew costs a gateway more than much of the work: between
/// the requests of others there is none at hand.
#[derive(Default)]
struct Room {
    inner: session::Room,
    result: Vec<u8>,
    kinds: Vec<KindCount>,
}

/// A masked request and its answer.
pub(crate) struct Exchange {
    pub(crate) inner: session::Session,
    /// The lent result.
    pub(crate) result: Vec<u8>,
    /// Largest request body, once it is inflated.
    max_body_bytes: usize,
    /// The lent counts by kind. The names are those of the detector, which `inner` keeps alive.
    kinds: Vec<KindCount>,
    masking: Duration,
    restoring: Duration,
}

/// What a session did. The numbers are those that Lua has, whole ones.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Stretches of the request that were replaced.
    pub masked: f64,
    /// Different originals among them.
    pub distinct: f64,
    /// Tokens of the answer that were turned back.
    pub restored: f64,
    /// Texts of the answer that look like tokens and stand for nothing known; an estimate on the low side.
    pub unresolved: f64,
    /// Size of the request as it came, bytes.
    pub bytes_in: f64,
    /// Size of the request as it left, bytes.
    pub bytes_out: f64,
    /// Size of the answer so far as it came, bytes.
    pub answer_bytes_in: f64,
    /// Size of the answer so far as it left, bytes.
    pub answer_bytes_out: f64,
    /// Time spent in `awsm_session_mask`.
    pub mask_microseconds: f64,
    /// Time spent in `awsm_session_restore`, all chunks together.
    pub restore_microseconds: f64,
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

impl KindCount {
    pub(crate) fn new(name: &str, count: u64) -> Self {
        Self { name: name.as_ptr(), name_len: name.len(), count }
    }
}

impl Session {
    /// Runs `body`; a panic in it makes the session unusable.
    pub(crate) fn run<R>(&mut self, body: impl FnOnce(&mut Exchange) -> Result<R, Failure>) -> Result<R, Failure> {
        if self.poisoned {
            return Err(Failure::poisoned());
        }
        let exchange = self.exchange.as_mut().ok_or_else(Failure::closed)?;
        match catch_unwind(AssertUnwindSafe(|| body(exchange))) {
            Ok(result) => result,
            Err(panic) => {
                self.poisoned = true;
                resume_unwind(panic)
            }
        }
    }

    fn open(&mut self, detector: &Detector, scope: &[u8]) {
        self.close();
        handle_made();
        self.exchange = Some(Exchange::new(std::mem::take(&mut self.room), detector, scope));
    }

    fn close(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            self.room = exchange.leave();
            handle_freed();
        }
    }
}

impl Exchange {
    fn new(room: Room, detector: &Detector, scope: &[u8]) -> Self {
        let Room { inner, result, kinds } = room;
        let vaults = detector.vaults.iter().map(|vault| vault.scope(scope)).collect();
        let (rules, key) = (detector.rules.clone(), detector.key.scope(scope));
        let inner = session::Session::in_room(inner, rules, key, detector.options).with_vaults(vaults);
        Self {
            inner,
            result,
            max_body_bytes: detector.max_body_bytes,
            kinds,
            masking: Duration::ZERO,
            restoring: Duration::ZERO,
        }
    }

    /// Ends it. The memory that is kept is wiped.
    fn leave(self) -> Room {
        let Self { inner, mut result, mut kinds, .. } = self;
        if result.capacity() > MAX_IDLE_BYTES {
            result = Vec::new();
        }
        session::wipe_kept(&mut result);
        kinds.clear();
        Room { inner: inner.leave(), result, kinds }
    }

    /// Makes the masked body the result; false when it stands as it is.
    fn mask(&mut self, content_type: &[u8], coding: &[u8], body: &[u8]) -> aws_masker_core::Result<bool> {
        self.result.clear();
        match ContentCoding::parse(coding).ok_or(Error::UnsupportedContent)? {
            ContentCoding::Identity => self.inner.mask_to(content_type, body, &mut self.result),
            coding => {
                let plain = coding.inflate(body, self.max_body_bytes)?;
                self.inner.mask_to(content_type, &plain, &mut self.result)
            }
        }
    }
}

/// Opens a session whose tokens belong to `scope`: any text that names who owns them. It is wiped with the session.
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
        let mut session = Box::new(Session { exchange: None, room: Room::default(), poisoned: false });
        session.open(detector, scope);
        out.write(Box::into_raw(session));
        Ok(Status::Ok)
    })
}

/// Ends the exchange. What the session knew is wiped; it accepts only renew, close and free. Closing again is nothing.
///
/// # Safety
/// - `session` is live and not used by another call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_close(session: *mut Session) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use.
        let session = unsafe { args::exclusive(session)? };
        if session.poisoned {
            return Err(Failure::poisoned());
        }
        session.close();
        Ok(Status::Ok)
    })
}

/// Begins another exchange, as if the session were freed and made anew. That is for hosts in which to make a handle
/// costs more than the session: a finalizer in LuaJIT is an entry in a table of all of them.
///
/// # Lifetimes
/// As for `awsm_session_new`.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `detector` is live.
/// - `scope` is valid for reads of `scope_len` bytes, or null with length 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_renew(
    session: *mut Session,
    detector: *const Detector,
    scope: *const u8,
    scope_len: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handles are live, the session not in use, the input valid for reads.
        let (session, detector, scope) =
            unsafe { (args::exclusive(session)?, args::shared(detector)?, args::bytes(scope, scope_len)?) };
        if session.poisoned {
            return Err(Failure::poisoned());
        }
        session.open(detector, scope);
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
        // SAFETY: the caller promises that the pointer came from `Box::into_raw` in `awsm_session_new`.
        unsafe { Box::from_raw(session) }.close();
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
            if !masked? {
                return Ok(Status::Unchanged);
            }
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
/// - `session` is live and not used by another call.
/// - `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_counts(session: *mut Session, out: *mut Counts) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the output valid for writes.
        let (session, out) = unsafe { (args::exclusive(session)?, args::output(out)?) };
        session.run(|session| {
            let counts = session.inner.counts();
            out.write(Counts {
                masked: whole(counts.masked),
                distinct: whole(counts.distinct),
                restored: whole(counts.restored),
                unresolved: whole(counts.unresolved),
                bytes_in: whole(counts.bytes_in),
                bytes_out: whole(counts.bytes_out),
                answer_bytes_in: whole(counts.answer_bytes_in),
                answer_bytes_out: whole(counts.answer_bytes_out),
                mask_microseconds: microseconds(session.masking),
                restore_microseconds: microseconds(session.restoring),
            });
            Ok(Status::Ok)
        })
    })
}

/// As Lua has numbers: exact up to 2^53, of bytes more than any exchange has.
fn whole(count: u64) -> f64 {
    count as f64
}

fn microseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round()
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
            session.kinds.extend(counts.map(|(name, count)| KindCount::new(name, count)));
            out.write(session.kinds.as_ptr());
            out_len.write(session.kinds.len());
            Ok(Status::Ok)
        })
    })
}
