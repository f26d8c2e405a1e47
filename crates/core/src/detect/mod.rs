//! Finding identifiers in bytes.
//!
//! One pass over the text stops at anchor bytes (dashes, dots, colons, runs of digits or capitals); a hand-written
//! verifier decides at each. The text may be prose, code, JSON, or JSON inside JSON strings: escapes count as borders.
//!
//! `scan` goes through a text, which `text` knows how to read. What is found there says itself what it is (`shape`,
//! `credential`), or something around it does: a key before it (`setting`), its place in a document (`layout`), an
//! operation of AWS (`api`), the words of a sentence (`prose`). `evidence` is asked by all of them.

mod api;
mod credential;
mod custom;
mod evidence;
mod hits;
mod layout;
mod policy;
mod prose;
mod scan;
mod setting;
mod shape;
mod text;

pub use custom::CustomPattern;
pub use policy::{DetectorConfig, Policy};
pub use scan::sieve::Lanes;

use std::collections::BTreeMap;
use std::ops::Range;

use hashbrown::HashMap;

use crate::Result;
use crate::catalog::{Catalog, Category, KindId};
use api::call::Calls;
use credential::command::Commands;
use credential::manifest::Manifests;
use custom::Custom;
use evidence::hint;
use hits::{Hits, Loose};
use layout::table;
use scan::anchors;
pub(crate) use scan::body::BodyFindings;
use scan::passage::Beside;
use scan::recall::Memory;
pub(crate) use scan::recall::{Recall, RecallKey};
use scan::sieve::Sieve;
use setting::nesting::Nesting;
use setting::value::BareRun;
pub(crate) use text::boundary::follows_escape;
use text::gutter;
use text::view;
use text::view::View;

/// Something found: what `scan` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Kind of the whole.
    pub kind: KindId,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A stretch of text that one token replaces. A finding has one or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Kind, hence label, of the token.
    pub kind: KindId,
    /// Where it stands.
    pub span: Range<usize>,
    /// A name: each other mention of it in the same text is the same thing.
    pub is_name: bool,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Findings {
    /// In order of their starts, none inside another.
    pub findings: Vec<Finding>,
    /// In order, not overlapping.
    pub parts: Vec<Part>,
}

impl Findings {
    /// Adds what stands where a view left out what it has once.
    fn repeat(&mut self, view: &View<'_>, mut may_mask: impl FnMut(usize) -> bool) {
        if !view.has_repeats() {
            return;
        }
        let mut again = |spans: Vec<Range<usize>>| -> Vec<_> {
            view.repeated(&spans).filter(|(_, span)| may_mask(span.start)).collect()
        };
        for (i, span) in again(self.findings.iter().map(|f| f.span.clone()).collect()) {
            self.findings.push(Finding { kind: self.findings[i].kind, span });
        }
        for (i, span) in again(self.parts.iter().map(|p| p.span.clone()).collect()) {
            self.parts.push(Part { kind: self.parts[i].kind, span, is_name: false });
        }
        // What goes over several lines has them in it.
        self.findings.sort_by_key(|f| f.span.start);
        self.findings.dedup_by(|f, before| f.span.start < before.span.end);
        self.parts.sort_by_key(|p| p.span.start);
        self.parts.dedup_by(|p, before| p.span.start < before.span.end);
    }
}

/// Finds what a configuration asks for. Immutable; one is shared by all requests of a worker.
#[derive(Debug)]
pub struct Detector {
    catalog: &'static Catalog,
    policy: Policy,
    custom: Custom,
    /// What tokens may begin with, sorted.
    labels: Vec<String>,
    sieve: &'static Sieve,
    lanes: Lanes,
    memory: Option<Memory>,
}

impl Detector {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// [`crate::Error::Config`] naming the field, e.g. a pattern that does not compile or is too large.
    pub fn new(config: &DetectorConfig) -> Result<Self> {
        let catalog = Catalog::get();
        let custom = Custom::new(catalog, config)?;
        let mut labels: Vec<String> = catalog.kinds().iter().map(|kind| kind.label.to_owned()).collect();
        labels.extend(custom.labels().map(str::to_owned));
        labels.sort_unstable();
        labels.dedup();
        // Whoever asks first would wait for these.
        let _ = (prose::sieve(catalog), prose::all_words(catalog), table::sieve(), view::sieve(), hint::signs(catalog));
        Ok(Self {
            catalog,
            policy: Policy::new(catalog, config)?,
            custom,
            labels,
            sieve: anchors::sieve(catalog),
            lanes: Lanes::best(),
            memory: None,
        })
    }

    /// The same detector with a memory of so many bytes: of what it has looked at for a session it knows what it found, and
    /// finds the same in less time. Nothing of the texts is kept. 0 is none.
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = (bytes > 0).then(|| Memory::new(bytes));
        self
    }

    /// The memory, for the scope with this key.
    pub(crate) fn recall<'d>(&'d self, key: &'d RecallKey) -> Option<Recall<'d>> {
        self.memory.as_ref().map(|memory| Recall { memory, key })
    }

    /// The same detector with other instructions. What it finds does not depend on them; for tests and benches.
    #[must_use]
    pub fn with_lanes(mut self, lanes: Lanes) -> Self {
        self.lanes = lanes;
        self
    }

    /// True when tokens of this configuration may begin with `label`.
    pub(crate) fn has_label(&self, label: &[u8]) -> bool {
        self.labels.binary_search_by(|known| known.as_bytes().cmp(label)).is_ok()
    }

    /// The label of a kind.
    pub fn label(&self, kind: KindId) -> &str {
        self.catalog.kind(kind).map_or_else(|| self.custom.label(kind), |k| k.label)
    }

    /// The name of a kind.
    pub fn kind_name(&self, kind: KindId) -> &str {
        self.catalog.kind(kind).map_or_else(|| self.custom.name(kind), |k| k.name)
    }

    /// True for kinds that are credentials.
    pub fn is_credential(&self, kind: KindId) -> bool {
        self.catalog.kind(kind).is_some_and(|k| k.category == Category::Credentials)
    }

    /// Finds everything in `text`, in time linear in its length.
    ///
    /// Offsets are bytes of `text` as it was given. A name found in its context is found at its other mentions too;
    /// so is an id that stands glued to other letters elsewhere.
    pub fn scan(&self, text: &[u8]) -> Findings {
        self.scan_where(text, false, None, |_| true)
    }

    /// [`Self::scan`], for callers that know where text may not be changed: `may_mask` is asked with the start of each
    /// finding and part; what it turns down is neither reported nor a source of mentions. A long one that `is_json` is
    /// looked at passage by passage.
    fn scan_where(
        &self,
        text: &[u8],
        is_json: bool,
        recall: Option<Recall<'_>>,
        mut may_mask: impl FnMut(usize) -> bool,
    ) -> Findings {
        let mut view = View::plain(text);
        // What needs a view should not be looked at in vain before that is met.
        let raw = if gutter::stands_in(self.lanes, text) { None } else { self.look_at(text, true, is_json, recall) };
        let mut hits = raw.unwrap_or_else(|| {
            view = View::resolved(self.lanes, text);
            self.look_at(view.text(), false, is_json, recall).unwrap_or_default()
        });
        Scan::resolved(self, view.text(), &mut hits).variables();
        hits.settle_addresses(self.catalog);
        self.policy.spare_excluded(&mut hits);
        hits.retain_from((0, 0), |start| may_mask(view.raw_start(start)));
        if hits.is_empty() {
            return Findings::default();
        }
        let before = (hits.findings.len(), hits.parts.len());
        self.add_mentions(view.text(), &mut hits);
        hits.retain_from(before, |start| may_mask(view.raw_start(start)));
        self.policy.apply_allow_list(view.text(), &mut hits);
        let mut found = hits.into_findings(&view, self.policy.preserve_structure, |kind| self.is_credential(kind));
        found.repeat(&view, may_mask);
        found
    }
}

/// One pass over one text.
struct Scan<'d, 't> {
    detector: &'d Detector,
    text: &'t [u8],
    hits: &'t mut Hits,
    /// Escapes were not resolved; the scan ends at the first that a view resolves.
    is_raw: bool,
    met_escape: bool,
    /// The text is what codes stand for: it has no codes itself.
    is_decoded: bool,
    beside: Beside,
    /// Which services the text speaks of, by stretch of text.
    near: HashMap<(usize, &'static str), bool>,
    /// The last of these that was asked for.
    last_near: Option<((usize, &'static str), bool)>,
    /// The key whose value is looked at.
    key: Range<usize>,
    /// How far types of resources were looked for, and where the last one is written.
    types: (usize, Option<usize>),
    /// How far lines were looked at for headings of tables.
    headings_seen: usize,
    /// End of the last host.
    host_end: usize,
    bare_run: BareRun,
    /// Values without quotes, lists of values, and those of options.
    values_met: Nesting,
    lists_met: Nesting,
    options_met: Nesting,
    commands: Commands,
    /// How far links into the console were read.
    links_to: usize,
    /// How far things with names in them were looked through.
    things_to: usize,
    /// What commands printed and was read: where it begins and ends.
    printed: BTreeMap<usize, usize>,
    /// Where identifiers that are sure stand, once they were asked for.
    identifiers: Option<Vec<usize>>,
    /// The manifests in this text, once they were asked for.
    manifests: Option<Manifests>,
    /// The calls of tools in this text, once they were asked for.
    calls: Option<Calls<'t>>,
}

impl<'d, 't> Scan<'d, 't> {
    fn raw(detector: &'d Detector, text: &'t [u8], hits: &'t mut Hits) -> Self {
        Self {
            detector,
            text,
            hits,
            is_raw: true,
            met_escape: false,
            is_decoded: false,
            beside: Beside::default(),
            near: HashMap::new(),
            last_near: None,
            key: 0..0,
            types: (0, None),
            headings_seen: 0,
            host_end: 0,
            bare_run: BareRun::default(),
            values_met: Nesting::default(),
            lists_met: Nesting::default(),
            options_met: Nesting::default(),
            commands: Commands::default(),
            links_to: 0,
            things_to: 0,
            printed: BTreeMap::new(),
            identifiers: None,
            manifests: None,
            calls: None,
        }
    }

    fn resolved(detector: &'d Detector, text: &'t [u8], hits: &'t mut Hits) -> Self {
        Self { is_raw: false, ..Self::raw(detector, text, hits) }
    }

    /// The same, of a text that stands beside others.
    fn beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }
}

impl Scan<'_, '_> {
    /// True for a text of more than `limit` bytes, with what it stands beside.
    fn is_longer(&self, limit: usize) -> bool {
        self.beside.others || self.text.len() > limit
    }

    /// True when something was found, in this text or beside it.
    fn has_finding(&self) -> bool {
        self.beside.a_finding || !self.hits.is_empty()
    }

    fn wants(&self, kind: KindId) -> bool {
        self.detector.policy.wants(kind)
    }

    /// Records a finding that one token replaces.
    fn whole(&mut self, kind: KindId, start: usize, end: usize) {
        if self.wants(kind) {
            self.hits.make_room();
            self.hits.findings.push(Finding { kind, span: start..end });
            self.hits.parts.push(Part { kind, span: start..end, is_name: false });
        }
    }

    /// Records a finding whose parts follow by [`Self::part`].
    fn finding(&mut self, kind: KindId, start: usize, end: usize) {
        self.hits.findings.push(Finding { kind, span: start..end });
    }

    fn part(&mut self, kind: KindId, start: usize, end: usize, is_name: bool) {
        if start < end {
            self.hits.make_room();
            self.hits.parts.push(Part { kind, span: start..end, is_name });
        }
    }

    /// Records a shape to be believed only if the same text is found for sure elsewhere.
    fn loose(&mut self, kind: KindId, start: usize, end: usize) {
        if self.wants(kind) {
            self.hits.loose.push(Loose { span: start..end });
        }
    }
}

#[cfg(test)]
mod testing {
    use super::{Detector, DetectorConfig};

    /// Kind and text of each part that is found in `text`.
    pub(super) fn scanned(text: &str) -> Vec<(String, &str)> {
        let detector = Detector::new(&DetectorConfig::default()).unwrap();
        let found = detector.scan(text.as_bytes());
        let parts = found.parts.iter();
        parts.map(|p| (detector.kind_name(p.kind).to_owned(), text.get(p.span.clone()).unwrap())).collect()
    }

    /// Likewise; the same is found in a string of JSON, where most texts arrive, and in one inside another.
    pub(super) fn found(text: &str) -> Vec<(String, &str)> {
        let plainly = scanned(text);
        // A conversation has such strings itself.
        let depths = if text.contains("\"content\"") { 0 } else { 2 };
        let mut json = text.to_owned();
        for depth in 1..=depths {
            json = in_json(&json);
            let unescaped = |(kind, part): (String, &str)| {
                let part =
                    (0..depth).fold(part.to_owned(), |part, _| serde_json::from_str(&format!("\"{part}\"")).unwrap());
                (kind, part)
            };
            let in_json: Vec<_> = scanned(&json).into_iter().map(unescaped).collect();
            let alike =
                in_json.iter().map(|(kind, part)| (kind, part.as_str())).eq(plainly.iter().map(|(k, p)| (k, *p)));
            assert!(alike, "not found alike in JSON: {json}\n{in_json:?}\n{plainly:?}");
        }
        plainly
    }

    /// The text of each part.
    pub(super) fn parts(text: &str) -> Vec<&str> {
        found(text).into_iter().map(|(_, part)| part).collect()
    }

    /// The text as it stands in a string of JSON.
    pub(super) fn in_json(text: &str) -> String {
        serde_json::to_string(text).unwrap()
    }
}
