//! Finding identifiers in a body, where its format lets them be changed.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashSet;
use once_cell::sync::OnceCell;

use crate::detect::scan::passage::MIN_TO_CUT;
use crate::detect::{Detector, Findings, Recall};
use crate::json::whole_escapes;
use crate::token::{CodeDigest, is_token_shaped};
use crate::wire::{Content, DecodedForm, Layout, Multipart, Spelling};
use crate::{Error, Result};

/// What was found in a body, and where its format lets it be changed.
#[derive(Debug, Default)]
pub(crate) struct BodyFindings {
    pub(crate) findings: Findings,
    pub(crate) layout: Layout,
    /// A memory has it.
    is_kept: bool,
    digests: OnceCell<Box<[Option<CodeDigest>]>>,
}

impl BodyFindings {
    fn new((findings, layout): (Findings, Layout)) -> Self {
        Self { findings, layout, ..Self::default() }
    }

    /// What the tokens of the parts are made of, those that are known from when they were made before.
    pub(crate) fn digests(&self) -> &[Option<CodeDigest>] {
        self.digests.get().map_or(&[], |digests| digests)
    }

    /// False where nothing would be gained by [`Self::keep_digests`].
    pub(crate) fn wants_digests(&self) -> bool {
        self.is_kept && self.digests.get().is_none()
    }

    /// Keeps what the tokens of the parts are made of, one for each part: the same bytes of the same scope have the same.
    pub(crate) fn keep_digests(&self, digests: Vec<Option<CodeDigest>>) {
        // Another thread may have been faster, with the same.
        let _ = self.digests.set(digests.into());
    }

    /// Memory that it points to, with the digests, whether they are there or not.
    pub(in crate::detect) fn bytes(&self) -> usize {
        let digests = self.findings.parts.len() * size_of::<Option<CodeDigest>>();
        self.findings.bytes() + self.layout.bytes() + digests
    }
}

impl Detector {
    /// Finds everything that may be masked in a body of this content.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] for a body that is not what its content says and holds something to mask.
    /// [`Error::UnsupportedContent`] for [`Content::Multipart`], whose content type has to be known.
    pub fn scan_body(&self, content: Content, body: &[u8]) -> Result<Findings> {
        self.find(content, None, body, None).map(|(findings, _)| findings)
    }

    /// [`Self::scan_body`] with the parts of a multipart body, giving where in the body text may be changed too. With
    /// `recall`, what was looked at before is not looked at again.
    pub(crate) fn scan_parts(
        &self,
        content: Content,
        multipart: Option<&Multipart>,
        body: &[u8],
        recall: Option<Recall<'_>>,
    ) -> Result<Arc<BodyFindings>> {
        let whole = recall.filter(|_| content != Content::Multipart).map(|recall| (recall, recall.digest(body)));
        if let Some(known) = whole.and_then(|(recall, digest)| recall.body(digest, content)) {
            return Ok(known);
        }
        let mut found = BodyFindings::new(self.find(content, multipart, body, recall)?);
        // A long one has passages that are known: as a whole it is kept once it has come again, as most do not.
        let kept = whole.filter(|(recall, digest)| body.len() < MIN_TO_CUT || recall.has_seen(*digest, content));
        if kept.is_some() {
            found.findings.shrink();
            found.layout.shrink();
            found.is_kept = true;
        }
        let found = Arc::new(found);
        if let Some((recall, digest)) = kept {
            recall.keep_body(digest, content, &found);
        }
        Ok(found)
    }

    fn find(
        &self,
        content: Content,
        multipart: Option<&Multipart>,
        body: &[u8],
        recall: Option<Recall<'_>>,
    ) -> Result<(Findings, Layout)> {
        match content {
            Content::Json => self.scan_where_allowed(body, true, recall, || Layout::of_json(body)),
            Content::JsonLines => self.scan_where_allowed(body, false, recall, || Layout::of_json_lines(body)),
            Content::Text | Content::EventStream => {
                Ok((self.scan_where(body, false, recall, |_| true), Layout::of_text(body)))
            }
            Content::Form => Ok(self.scan_form(body)),
            Content::Multipart => {
                let multipart = multipart.ok_or(Error::UnsupportedContent)?;
                self.scan_where_allowed(body, false, recall, || Layout::of_multipart(body, multipart))
            }
        }
    }

    /// The raw bytes are looked at first; only a body that has something to mask is read as what it is.
    fn scan_where_allowed(
        &self,
        body: &[u8],
        is_json: bool,
        recall: Option<Recall<'_>>,
        read: impl Fn() -> Result<Layout>,
    ) -> Result<(Findings, Layout)> {
        let mut layout: Option<Result<Layout>> = None;
        let mut hint = 0;
        let mut found = self.scan_where(body, is_json, recall, |start| match layout.get_or_insert_with(&read) {
            Ok(layout) => layout.around(start, &mut hint).is_some(),
            Err(_) => true,
        });
        let Some(layout) = layout.transpose()? else { return Ok(Default::default()) };
        clip(&mut found, &layout, body);
        Ok((found, layout))
    }

    /// Escapes could hide anything: a form is read before it is looked at.
    fn scan_form(&self, body: &[u8]) -> (Findings, Layout) {
        let decoded = DecodedForm::new(body);
        let layout = Layout::of_form(body);
        let mut hint = 0;
        let mut found = self.scan_where(decoded.text(), false, None, |start| {
            layout.around(decoded.raw(&(start..start)).start, &mut hint).is_some()
        });
        for finding in &mut found.findings {
            finding.span = decoded.raw(&finding.span);
        }
        for part in &mut found.parts {
            part.span = decoded.raw(&part.span);
        }
        clip(&mut found, &layout, body);
        (found, layout)
    }
}

/// A finding ends with the stretch it begins in at the latest, and takes no escape apart.
fn clip(found: &mut Findings, layout: &Layout, body: &[u8]) {
    if layout.has_other_numbers() {
        spare_other_numbers(found, layout, body);
    }
    let mut hint = 0;
    let mut clip = |span: &mut Range<usize>, end: usize| match layout.around(span.start, &mut hint) {
        Some((region, spelling)) => {
            span.end = span.end.min(region.end);
            if spelling.is_number() {
                // Half a number cannot be a string.
                *span = region;
            } else if spelling.has_escapes() {
                *span = whole_escapes(body, span, &region);
            }
            span.start = span.start.max(end);
            span.start < span.end
        }
        None => false,
    };
    found.findings.retain_mut(|finding| clip(&mut finding.span, 0));
    let (mut end, mut left_tokens) = (0, false);
    found.parts.retain_mut(|part| {
        let whole_end = part.span.end;
        let stays = clip(&mut part.span, end);
        end = end.max(part.span.end);
        // The rest of what was a name may be the token of an earlier turn.
        let is_token = stays && part.span.end < whole_end && is_token_shaped(&body[part.span.clone()]);
        left_tokens |= is_token;
        stays && !is_token
    });
    if left_tokens {
        let Findings { findings, parts } = found;
        findings.retain(|finding| {
            let first = parts.partition_point(|part| part.span.start < finding.span.start);
            parts.get(first).is_some_and(|part| part.span.start < finding.span.end)
        });
    }
}

/// Numbers that nothing near them calls account ids stay, unless the same digits are found elsewhere too.
fn spare_other_numbers(found: &mut Findings, layout: &Layout, body: &[u8]) {
    let mut hint = 0;
    let mut is_other = |start: usize| {
        layout.around(start, &mut hint).is_some_and(|(_, spelling)| spelling == Spelling::JsonOtherNumber)
    };
    let others: Vec<Range<usize>> =
        found.parts.iter().map(|part| part.span.clone()).filter(|span| is_other(span.start)).collect();
    if others.is_empty() {
        return;
    }
    let is_among_others = |start: usize| others.binary_search_by_key(&start, |span| span.start).is_ok();
    let known: HashSet<&[u8]> = found
        .parts
        .iter()
        .filter(|part| !is_among_others(part.span.start))
        .map(|part| &body[part.span.clone()])
        .collect();
    let stays = |span: &Range<usize>| !is_among_others(span.start) || known.contains(&body[span.clone()]);
    found.findings.retain(|finding| stays(&finding.span));
    found.parts.retain(|part| stays(&part.span));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{DetectorConfig, RecallKey};

    #[test]
    fn a_long_body_is_kept_when_it_comes_again() {
        let detector = Detector::new(&DetectorConfig::default()).unwrap().with_memory(1 << 20);
        let keys = [RecallKey([1; 4]), RecallKey([2; 4])];
        let scan = |key: usize, body: &str| {
            detector.scan_parts(Content::Json, None, body.as_bytes(), detector.recall(&keys[key])).unwrap()
        };
        let body = |len: usize| format!("[\"vpc-0ab12cd34ef56ab78 {}\"]", "and so on ".repeat(len / 10));

        let long = body(MIN_TO_CUT);
        let found: Vec<_> = (0..4).map(|_| scan(0, &long)).collect();
        let same: Vec<_> = found.windows(2).map(|pair| Arc::ptr_eq(&pair[0], &pair[1])).collect();
        assert_eq!(same, [false, true, true]);
        assert!(!found[0].wants_digests() && found[1].wants_digests());
        assert!(!Arc::ptr_eq(&scan(1, &long), &scan(1, &long)), "another scope's");
        // A short one at once.
        let short = body(100);
        assert!(Arc::ptr_eq(&scan(0, &short), &scan(0, &short)));
    }
}
