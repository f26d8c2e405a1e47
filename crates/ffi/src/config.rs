//! The configuration as the plugin hands it over: one JSON object.

use aws_masker_core::detect::DetectorConfig;
use aws_masker_core::session::SessionOptions;
use serde::Deserialize;

use crate::guard::Failure;

#[derive(Deserialize)]
struct Fields {
    #[serde(flatten)]
    detector: DetectorConfig,
    #[serde(default = "yes")]
    restore_credentials: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(default = "default_max_bytes")]
    max_request_body_size: usize,
    #[serde(default = "default_cache_bytes")]
    scan_cache_size: usize,
    #[serde(default)]
    unsupported_content: Unsupported,
}

/// What becomes of content that cannot be masked.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Unsupported {
    #[default]
    Block,
    Allow,
}

/// The configuration, taken apart.
pub(crate) struct Config {
    pub(crate) detector: DetectorConfig,
    pub(crate) session: SessionOptions,
    /// Largest body, once it is inflated.
    pub(crate) max_body_bytes: usize,
    /// What the detector may remember.
    pub(crate) cache_bytes: usize,
}

fn default_max_bytes() -> usize {
    32 << 20
}

fn default_cache_bytes() -> usize {
    1 << 20
}

fn yes() -> bool {
    true
}

/// Reads the configuration; empty means all defaults.
pub(crate) fn read(json: &[u8]) -> Result<Config, Failure> {
    let json = if json.is_empty() { b"{}" } else { json };
    // serde_json's messages may quote values of the configuration, never anything of a request.
    let fields: Fields = serde_json::from_slice(json).map_err(|error| Failure::config(error.to_string()))?;
    let session = SessionOptions {
        restore_credentials: fields.restore_credentials,
        dry_run: fields.dry_run,
        allow_binary_parts: fields.unsupported_content == Unsupported::Allow,
    };
    Ok(Config {
        detector: fields.detector,
        session,
        max_body_bytes: fields.max_request_body_size,
        cache_bytes: fields.scan_cache_size,
    })
}
