//! What the operator wants found.

use std::ops::Range;

use hashbrown::HashSet;
use serde::Deserialize;

use crate::catalog::{Catalog, Category, KindId};
use crate::detect::{CustomPattern, Hits};
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
    /// Named one by one, sorted.
    excluded: Vec<KindId>,
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
        let mut excluded = Vec::new();
        for name in &config.exclude_kinds {
            let kind = catalog.find(name).ok_or_else(|| {
                Error::Config(format!("exclude_kinds: `{name}` is not a kind; `aws-masker catalog` lists them"))
            })?;
            off[kind.index()] = true;
            excluded.push(kind);
        }
        excluded.sort_unstable();
        if let Some(i) = config.allow_list.iter().position(String::is_empty) {
            return Err(Error::Config(format!("allow_list[{}]: is empty; remove it", i + 1)));
        }
        let allowed = config.allow_list.iter().map(|value| value.clone().into_bytes()).collect();
        Ok(Self { off, excluded, allowed, preserve_structure: config.preserve_structure })
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
        let is_allowed = |span: &Range<usize>| self.allowed.contains(&text[span.clone()]);
        let spans = hits.findings.iter().map(|f| &f.span).chain(hits.parts.iter().map(|p| &p.span));
        let mut spared: Vec<_> = spans.filter(|span| is_allowed(span)).cloned().collect();
        if spared.is_empty() {
            return;
        }
        // Each ends where the farthest ends that begins no later: what ends no later than that stands inside it.
        spared.sort_unstable_by_key(|span| span.start);
        let mut end = 0;
        for span in &mut spared {
            end = end.max(span.end);
            span.end = end;
        }
        let is_spared = |span: &Range<usize>| {
            let before = spared.partition_point(|s| s.start <= span.start).checked_sub(1);
            before.is_some_and(|i| span.end <= spared[i].end)
        };
        hits.findings.retain(|f| !is_spared(&f.span));
        hits.parts.retain(|p| !is_spared(&p.span));
        hits.drop_empty_findings();
    }

    /// Takes out what is of an excluded kind, also where it is a part of something else: the name in an ARN.
    pub(super) fn spare_excluded(&self, hits: &mut Hits) {
        let is_excluded = |kind: KindId| self.excluded.binary_search(&kind).is_ok();
        let before = hits.parts.len();
        hits.parts.retain(|p| !is_excluded(p.kind));
        if hits.parts.len() < before {
            hits.drop_empty_findings();
        }
    }
}
