//! What the operator wants found.

use hashbrown::HashSet;
use serde::Deserialize;

use super::{CustomPattern, Hits};
use crate::catalog::{Catalog, Category, KindId};
use crate::{Error, Result};

/// The detection part of the plugin's configuration. Absent fields have the schema's defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct DetectorConfig {
    /// Categories to look for; all when absent.
    pub categories: Option<Vec<String>>,
    /// Kinds to leave alone.
    pub exclude_kinds: Vec<String>,
    /// The operator's own patterns.
    pub custom_patterns: Vec<CustomPattern>,
    /// The operator's own literal names.
    pub custom_terms: Vec<String>,
    /// Exact values that are never masked.
    pub allow_list: Vec<String>,
    /// Keep the structure of ARNs, hosts and URLs.
    pub preserve_structure: bool,
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self {
            categories: None,
            exclude_kinds: Vec::new(),
            custom_patterns: Vec::new(),
            custom_terms: Vec::new(),
            allow_list: Vec::new(),
            preserve_structure: true,
        }
    }
}

/// [`DetectorConfig`], checked and ready.
#[derive(Debug)]
pub struct Policy {
    off: Vec<bool>,
    allowed: HashSet<Vec<u8>>,
    pub(super) preserve_structure: bool,
}

impl Policy {
    pub(super) fn new(catalog: &Catalog, config: &DetectorConfig) -> Result<Self> {
        let mut categories = Vec::new();
        for name in config.categories.iter().flatten() {
            categories.push(Category::parse(name).ok_or_else(|| {
                let known: Vec<_> = Category::NAMED.iter().map(|(name, _)| *name).collect();
                Error::Config(format!("categories: `{name}` is not one of {}", known.join(", ")))
            })?);
        }
        let mut off: Vec<bool> = catalog
            .kinds()
            .iter()
            .map(|kind| config.categories.is_some() && !categories.contains(&kind.category))
            .collect();
        for name in &config.exclude_kinds {
            let kind = catalog.find(name).ok_or_else(|| {
                Error::Config(format!("exclude_kinds: `{name}` is not a kind; `aws-masker catalog` lists them"))
            })?;
            off[kind.index()] = true;
        }
        if config.allow_list.iter().any(String::is_empty) {
            return Err(Error::Config("allow_list: has an empty value; remove it".into()));
        }
        let allowed = config.allow_list.iter().map(|value| value.clone().into_bytes()).collect();
        Ok(Self { off, allowed, preserve_structure: config.preserve_structure })
    }

    /// True for kinds that are looked for. The operator's own always are.
    pub(super) fn wants(&self, kind: KindId) -> bool {
        !self.off.get(kind.index()).copied().unwrap_or(false)
    }

    /// Takes out findings and parts whose text is on the allow list.
    pub(super) fn apply_allow_list(&self, text: &[u8], hits: &mut Hits) {
        if self.allowed.is_empty() {
            return;
        }
        let mut spared = Vec::new();
        hits.findings.retain(|f| {
            let allowed = self.allowed.contains(&text[f.span.clone()]);
            if allowed {
                spared.push(f.span.clone());
            }
            !allowed
        });
        hits.parts.retain(|p| {
            !self.allowed.contains(&text[p.span.clone()])
                && !spared.iter().any(|s| s.start <= p.span.start && p.span.end <= s.end)
        });
        // A finding none of whose parts is left has nothing to report.
        let parts = &hits.parts;
        hits.findings.retain(|f| parts.iter().any(|p| f.span.start <= p.span.start && p.span.end <= f.span.end));
    }
}
