//! Detectors: a compiled configuration with its token key.

use std::sync::Arc;

use aws_masker_core::detect;
use aws_masker_core::session::SessionOptions;
use aws_masker_core::token::TokenKey;
use aws_masker_core::vault::VaultKey;

use crate::guard::guard;
use crate::status::Status;
use crate::{args, config, handle_freed, handle_made};

/// A compiled configuration. One per plugin instance and worker.
pub struct Detector {
    pub(crate) rules: Arc<detect::Detector>,
    pub(crate) key: TokenKey,
    pub(crate) options: SessionOptions,
    /// One for each secret under which sessions use the vault; none where there is no vault.
    pub(crate) vaults: Vec<VaultKey>,
    pub(crate) max_body_bytes: usize,
}

/// Compiles a configuration.
///
/// `config` is a JSON object; all members are optional: `categories`, `exclude_kinds`, `custom_patterns`,
/// `custom_terms`, `allow_list`, `preserve_structure`, `restore_credentials`, `dry_run`,
/// `max_request_body_size` (bytes, of the inflated body), `scan_cache_size` (bytes that the detector may use to remember where
/// it found something; 0 is none), `unsupported_content` (`block` or `allow`). `secret` is what tokens are
/// keyed with, 16 bytes or more.
///
/// Gives `InvalidConfig` when a field cannot be used; the last error names it.
///
/// # Lifetimes
/// The detector lives until `awsm_detector_free`. Both inputs are copied.
///
/// # Safety
/// - `config` and `secret` are valid for reads of their lengths, or null with length 0.
/// - `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_detector_new(
    config: *const u8,
    config_len: usize,
    secret: *const u8,
    secret_len: usize,
    out: *mut *mut Detector,
) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the inputs are valid for reads and the output for writes.
        let (json, secret, out) =
            unsafe { (args::bytes(config, config_len)?, args::bytes(secret, secret_len)?, args::output(out)?) };
        let config = config::read(json)?;
        let rules = Arc::new(detect::Detector::new(&config.detector)?.with_memory(config.cache_bytes));
        let key = TokenKey::new(secret)?;
        handle_made();
        out.write(Box::into_raw(Box::new(Detector {
            rules,
            key,
            options: config.session,
            max_body_bytes: config.max_body_bytes,
            vaults: Vec::new(),
        })));
        Ok(Status::Ok)
    })
}

/// Frees a detector; null is nothing. Sessions made from it live on.
///
/// # Safety
/// - `detector` is null, or came from `awsm_detector_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_detector_free(detector: *mut Detector) {
    if detector.is_null() {
        return;
    }
    guard(|| {
        handle_freed();
        // SAFETY: the caller promises that the pointer came from `Box::into_raw` in `awsm_detector_new`.
        drop(unsafe { Box::from_raw(detector) });
        Ok(Status::Ok)
    });
}
