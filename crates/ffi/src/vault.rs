//! The vault's side of detectors and sessions: what to ask a store for, and what to put there.
//!
//! A scope's mappings lie under one name for each secret. Names and sealed values say nothing without the secrets.

use aws_masker_core::session::Learned;
use aws_masker_core::vault::VaultKey;

use crate::args;
use crate::detector::Detector;
use crate::guard::{Failure, guard};
use crate::session::{Exchange, Session};
use crate::status::Status;

/// Lets the sessions that are opened from now on use a vault under `secret`, 16 bytes or more.
///
/// The first secret added is written with; all of them read. Gives `InvalidConfig` for one that is too short.
///
/// # Lifetimes
/// The secret is not kept.
///
/// # Safety
/// - `detector` is live and not used by another call.
/// - `secret` is valid for reads of `secret_len` bytes, or null with length 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_detector_add_vault_secret(
    detector: *mut Detector,
    secret: *const u8,
    secret_len: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the input valid for reads.
        let (detector, secret) = unsafe { (args::exclusive(detector)?, args::bytes(secret, secret_len)?) };
        detector.vaults.push(VaultKey::new(secret)?);
        Ok(Status::Ok)
    })
}

/// The name under which the scope's mappings lie that were sealed with the secret at `index`, counted from 0.
///
/// Gives `Unchanged` when there is no such secret.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_vault_name(
    session: *mut Session,
    index: usize,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the outputs valid for writes.
        let (session, out, out_len) =
            unsafe { (args::exclusive(session)?, args::output(out)?, args::output(out_len)?) };
        session.run(|session| {
            let Some(vault) = session.inner.vaults().get(index) else { return Ok(Status::Unchanged) };
            session.result = vault.name().as_bytes().to_vec();
            session.lend(out, out_len)
        })
    })
}

/// Tokens in the masked request that this session cannot explain, each followed by a line feed; at most `limit`.
///
/// Gives `Unchanged` when there are none.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_unexplained(
    session: *mut Session,
    limit: usize,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the outputs valid for writes.
        let (session, out, out_len) =
            unsafe { (args::exclusive(session)?, args::output(out)?, args::output(out_len)?) };
        session.run(|session| {
            session.result = lines(session.inner.unexplained().take(limit));
            session.lend(out, out_len)
        })
    })
}

/// Tells whether the masked request has the API go on from something that it keeps itself, so that its answer may hold
/// tokens that are not in the request: `Ok` when it does, `Unchanged` when not.
///
/// # Safety
/// - `session` is live and not used by another call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_refers_to_state(session: *mut Session) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use.
        let session = unsafe { args::exclusive(session)? };
        session.run(|session| Ok(if session.inner.refers_to_state() { Status::Ok } else { Status::Unchanged }))
    })
}

/// Takes over a sealed value that lay under `token` at the name of the secret at `index`.
///
/// Gives `Unchanged` when the session restores no such token, and `Unsealable` when the value does not open.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `token` and `sealed` are valid for reads of their lengths, or null with length 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_learn(
    session: *mut Session,
    index: usize,
    token: *const u8,
    token_len: usize,
    sealed: *const u8,
    sealed_len: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the inputs valid for reads.
        let (session, token, sealed) =
            unsafe { (args::exclusive(session)?, args::bytes(token, token_len)?, args::bytes(sealed, sealed_len)?) };
        session.run(|session| match session.inner.learn_sealed(index, token, sealed) {
            Learned::Known => Ok(Status::Ok),
            Learned::Refused => Ok(Status::Unchanged),
            Learned::Unsealable => Err(Failure::unsealable()),
        })
    })
}

/// Tokens that the session made and that belong into the vault, each followed by a line feed.
///
/// Gives `Unchanged` when there are none.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_to_store(
    session: *mut Session,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, and the outputs valid for writes.
        let (session, out, out_len) =
            unsafe { (args::exclusive(session)?, args::output(out)?, args::output(out_len)?) };
        session.run(|session| {
            session.result = lines(session.inner.to_store());
            session.lend(out, out_len)
        })
    })
}

/// The sealed form of what `token`, one of `awsm_session_to_store`, stands for.
///
/// Gives `Unchanged` for other tokens.
///
/// # Lifetimes
/// The result is lent until the next call on this session.
///
/// # Safety
/// - `session` is live and not used by another call.
/// - `token` is valid for reads of `token_len` bytes, or null with length 0.
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_seal(
    session: *mut Session,
    token: *const u8,
    token_len: usize,
    out: *mut *const u8,
    out_len: *mut usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use, input and outputs valid.
        let (session, token, out, out_len) = unsafe {
            (args::exclusive(session)?, args::bytes(token, token_len)?, args::output(out)?, args::output(out_len)?)
        };
        session.run(|session| {
            session.result.clear();
            session.inner.seal(token, &mut session.result);
            session.lend(out, out_len)
        })
    })
}

fn lines<'t>(tokens: impl Iterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    for token in tokens {
        text.extend_from_slice(token);
        text.push(b'\n');
    }
    text
}

impl Exchange {
    /// Lends the result, unless it is empty.
    fn lend(&self, out: args::Output<'_, *const u8>, out_len: args::Output<'_, usize>) -> Result<Status, Failure> {
        if self.result.is_empty() {
            return Ok(Status::Unchanged);
        }
        out.write(self.result.as_ptr());
        out_len.write(self.result.len());
        Ok(Status::Ok)
    }
}
