//! What is found in a text, before it is put in order.

use std::ops::Range;

use super::scan::crossing;
use super::setting::variable::Use;
use super::shape::address::Address;
use super::text::view::View;
use super::{Finding, Findings, Part};
use crate::catalog::KindId;

/// A shape without enough around it to be believed on its own.
#[derive(Debug)]
pub(super) struct Loose {
    pub(super) span: Range<usize>,
}

/// Findings and parts that room is made for at once: what malloc has at hand for most requests.
const ROOM: usize = 40;

/// The raw results of one pass.
#[derive(Debug, Default)]
pub(super) struct Hits {
    pub(super) findings: Vec<Finding>,
    pub(super) parts: Vec<Part>,
    pub(super) loose: Vec<Loose>,
    pub(super) addresses: Vec<Address>,
    /// Where findings begin that make no address believable although their kind does.
    pub(super) hearsay: Vec<usize>,
    /// Stretches with codes in them, see `text::encoded`.
    pub(super) encoded: Vec<Range<usize>>,
    /// Borders between headings of tables that mean something, as far as they were met.
    pub(super) headings: Vec<usize>,
    /// Variables where a value is expected.
    pub(super) uses: Vec<Use>,
    /// Separators behind keys that end in `name`, `id` or `identifier`, of nothing that is known, and whether a key is just
    /// `name`.
    pub(super) untold: Vec<(usize, bool)>,
}

impl Hits {
    pub(super) fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Where there is one there are more.
    pub(super) fn make_room(&mut self) {
        if self.parts.capacity() == 0 {
            self.findings.reserve(ROOM);
            self.parts.reserve(ROOM);
        }
    }

    /// Moves everything to where `place` says that it stands.
    pub(super) fn move_to(&mut self, place: impl Fn(&Range<usize>) -> Range<usize>) {
        let findings = self.findings.iter_mut().map(|f| &mut f.span);
        let parts = self.parts.iter_mut().map(|p| &mut p.span);
        let loose = self.loose.iter_mut().map(|l| &mut l.span);
        findings.chain(parts).chain(loose).for_each(|span| *span = place(span));
        for address in &mut self.addresses {
            *address = address.moved_to(&place);
        }
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.parts.append(&mut other.parts);
        self.loose.append(&mut other.loose);
        self.addresses.append(&mut other.addresses);
        self.hearsay.append(&mut other.hearsay);
    }

    /// Adds what was found in a passage that begins at `start`.
    pub(super) fn extend_from(&mut self, passage: &Self, start: usize) {
        let place = |span: &Range<usize>| start + span.start..start + span.end;
        let findings = passage.findings.iter();
        self.findings.extend(findings.map(|f| Finding { kind: f.kind, span: place(&f.span) }));
        let parts = passage.parts.iter();
        self.parts.extend(parts.map(|p| Part { kind: p.kind, span: place(&p.span), is_name: p.is_name }));
        self.loose.extend(passage.loose.iter().map(|loose| Loose { span: place(&loose.span) }));
        self.addresses.extend(passage.addresses.iter().map(|address| address.moved_to(place)));
        self.uses.extend(passage.uses.iter().map(|used| used.moved_to(place)));
        self.hearsay.extend(passage.hearsay.iter().map(|at| start + at));
    }

    /// Keeps of the findings and parts, from these indices on, those whose start may be kept.
    pub(super) fn retain_from(&mut self, (finding, part): (usize, usize), mut keep: impl FnMut(usize) -> bool) {
        let mut index = 0;
        self.findings.retain(|f| {
            index += 1;
            index <= finding || keep(f.span.start)
        });
        index = 0;
        self.parts.retain(|p| {
            index += 1;
            index <= part || keep(p.span.start)
        });
    }

    /// Takes out findings that have nothing left to replace.
    pub(super) fn drop_empty_findings(&mut self) {
        self.parts.sort_unstable_by_key(|p| p.span.start);
        let parts = &self.parts;
        self.findings.retain(|f| {
            let first = parts.partition_point(|p| p.span.start < f.span.start);
            parts[first..].iter().take_while(|p| p.span.start < f.span.end).any(|p| p.span.end <= f.span.end)
        });
    }

    /// Puts everything in order, takes findings out that stand inside others, and cuts overlapping parts.
    ///
    /// Of two that are one and the same, the credential counts: whoever does not want credentials back says so.
    pub(super) fn into_findings(
        mut self,
        view: &View<'_>,
        preserve_structure: bool,
        is_credential: impl Fn(KindId) -> bool,
    ) -> Findings {
        let in_order = |a: (&Range<usize>, KindId), b: (&Range<usize>, KindId)| {
            let longer_first = a.0.start.cmp(&b.0.start).then(b.0.end.cmp(&a.0.end));
            longer_first.then_with(|| is_credential(b.1).cmp(&is_credential(a.1)))
        };
        self.findings.sort_by(|a, b| in_order((&a.span, a.kind), (&b.span, b.kind)));
        let mut end = 0;
        self.findings.retain(|f| {
            let outside = f.span.end > end;
            end = end.max(f.span.end);
            outside
        });
        if !preserve_structure {
            self.parts =
                self.findings.iter().map(|f| Part { kind: f.kind, span: f.span.clone(), is_name: false }).collect();
        }
        self.parts.sort_by(|a, b| in_order((&a.span, a.kind), (&b.span, b.kind)));
        crossing::divide(&mut self.parts, view.text(), &is_credential);
        let mut end = 0;
        self.parts.retain_mut(|p| {
            p.span.start = p.span.start.max(end);
            end = end.max(p.span.end);
            p.span.start < p.span.end
        });
        for span in self.findings.iter_mut().map(|f| &mut f.span).chain(self.parts.iter_mut().map(|p| &mut p.span)) {
            *span = view.raw_start(span.start)..view.raw_end(span.end);
        }
        Findings { findings: self.findings, parts: self.parts }
    }
}
