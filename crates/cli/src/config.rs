//! The plugin's configuration in a file: as it stands in a declarative file of Kong, in an answer of the Admin API, or
//! its fields alone.

use std::path::Path;

use aws_masker_core::detect::DetectorConfig;
use serde::Deserialize;
use serde_norway::{Mapping, Value};

use crate::failure::Failure;

const PLUGIN: &str = "aws-masker";
/// Fields that decide what is found.
const FIELDS: &[&str] =
    &["categories", "exclude_kinds", "custom_patterns", "custom_terms", "allow_list", "preserve_structure"];
/// The plugin's other fields, which concern the gateway.
const OTHER_FIELDS: &[&str] = &[
    "token_secret",
    "token_scope",
    "max_request_body_size",
    "scan_cache_size",
    "mask_query",
    "unsupported_content",
    "restore_responses",
    "restore_credentials",
    "on_error",
    "dry_run",
    "use_redis",
    "redis_required",
    "redis",
    "redis_pool_size",
    "mapping_ttl",
    "max_entries",
    "token_secret_previous",
    "enable_redis_events",
    "event_transport",
    "redis_event_stream",
    "event_stream_maxlen",
    "redis_event_channel",
    "event_sampling_rate",
    "event_batch_size",
    "event_flush_interval",
    "event_detail",
];

/// Reads the detection part of a plugin configuration, in JSON or YAML.
pub(crate) fn read(path: Option<&Path>) -> Result<DetectorConfig, Failure> {
    let Some(path) = path else { return Ok(DetectorConfig::default()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::File(path.to_path_buf(), error))?;
    parse(&text).map_err(|what| Failure::Content(path.to_path_buf(), what))
}

fn parse(text: &str) -> Result<DetectorConfig, String> {
    // JSON is YAML.
    let file: Value = serde_norway::from_str(text).map_err(|error| format!("is neither JSON nor YAML: {error}"))?;
    let mut fields = match plugin_config(&file)? {
        Value::Null => Mapping::new(),
        Value::Mapping(fields) => fields.clone(),
        _ => return Err("holds no fields of the plugin's configuration; write `categories: [ids]` or the like".into()),
    };
    // Kong writes fields without a value as null.
    fields.retain(|_, value| !value.is_null());
    for (key, value) in &fields {
        let name = key.as_str().unwrap_or_default();
        if OTHER_FIELDS.contains(&name) {
            continue;
        }
        if !FIELDS.contains(&name) {
            return Err(format!("`{name}` is not a field of the plugin's configuration; correct or remove it"));
        }
        // One by one, so that the message can name the field.
        let field = Mapping::from_iter([(key.clone(), value.clone())]);
        DetectorConfig::deserialize(Value::Mapping(field)).map_err(|error| format!("{name}: {error}"))?;
    }
    DetectorConfig::deserialize(Value::Mapping(fields)).map_err(|error| error.to_string())
}

/// The fields of the plugin, wherever in the file they stand.
fn plugin_config(file: &Value) -> Result<&Value, String> {
    if file.get("_format_version").is_some() {
        let mut found = Vec::new();
        collect(file, &mut found);
        return match found[..] {
            [config] => Ok(config),
            [] => Err(format!("configures no plugin `{PLUGIN}`")),
            _ => {
                Err(format!("configures `{PLUGIN}` {} times; keep the one you mean in a file of its own", found.len()))
            }
        };
    }
    let is_plugin = file.get("name").and_then(Value::as_str) == Some(PLUGIN);
    Ok(file.get("config").filter(|config| is_plugin || config.is_mapping()).unwrap_or(file))
}

fn collect<'f>(value: &'f Value, found: &mut Vec<&'f Value>) {
    match value {
        Value::Mapping(members) => {
            if members.get("name").and_then(Value::as_str) == Some(PLUGIN) {
                found.push(members.get("config").unwrap_or(&Value::Null));
                return;
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_stand_alone_or_in_what_kong_writes() {
        for text in [
            "custom_terms: [zebrafish]",
            r#"{"custom_terms": ["zebrafish"], "token_secret": null, "exclude_kinds": null}"#,
            r#"{"name": "aws-masker", "enabled": true, "config": {"custom_terms": ["zebrafish"], "dry_run": false}}"#,
            "_format_version: '3.0'\nservices:\n- name: a\n  plugins:\n  - name: cors\n  - name: aws-masker\n    \
             config:\n      custom_terms: [zebrafish]\n",
        ] {
            assert_eq!(parse(text).unwrap().custom_terms, ["zebrafish"], "{text}");
        }
    }

    #[test]
    fn an_empty_file_is_the_default() {
        for text in ["", "{}", "# nothing\n", "name: aws-masker\nconfig:\n"] {
            assert!(parse(text).unwrap().preserve_structure, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("custom_term: [x]", "`custom_term` is not a field"),
            ("custom_terms: zebrafish", "custom_terms: invalid type"),
            ("preserve_structure: 1", "preserve_structure: invalid type"),
            ("custom_patterns: [{name: a, label: AB}]", "custom_patterns: missing field `regex`"),
            ("[1]", "holds no fields"),
            ("{", "is neither JSON nor YAML"),
            ("_format_version: '3.0'", "configures no plugin"),
            ("_format_version: '3.0'\nplugins: [{name: aws-masker}, {name: aws-masker}]", "2 times"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    /// `docs/configuration.md` is made from the schema, and a spec holds it to that.
    #[test]
    fn the_fields_are_those_of_the_schema() {
        let page = include_str!("../../../docs/configuration.md");
        let mut documented: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .filter(|name| !name.contains(['.', '[']))
            .collect();
        let mut known: Vec<_> = FIELDS.iter().chain(OTHER_FIELDS).copied().collect();
        documented.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, documented);
    }
}
