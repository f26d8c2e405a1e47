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
}

fn yes() -> bool {
    true
}

/// Reads the configuration; empty means all defaults.
pub(crate) fn read(json: &[u8]) -> Result<(DetectorConfig, SessionOptions), Failure> {
    let json = if json.is_empty() { b"{}" } else { json };
    // serde_json's messages may quote values of the configuration, never anything of a request.
    let fields: Fields = serde_json::from_slice(json).map_err(|error| Failure::config(error.to_string()))?;
    let options = SessionOptions { restore_credentials: fields.restore_credentials, dry_run: fields.dry_run };
    Ok((fields.detector, options))
}
