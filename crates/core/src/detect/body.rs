//! Finding identifiers in a body, where its format lets them be changed.

use super::{Detector, Findings};
use crate::Result;
use crate::json::ChangeableStrings;
use crate::wire::Content;

impl Detector {
    /// Finds everything that may be masked in a body of this content.
    ///
    /// # Errors
    /// [`crate::Error::InvalidBody`] for JSON that is none and holds something to mask.
    pub fn scan_body(&self, content: Content, body: &[u8]) -> Result<Findings> {
        match content {
            Content::Json => self.scan_json(body),
            Content::Text | Content::EventStream => Ok(self.scan(body)),
        }
    }

    /// The raw bytes are looked at first; only a body that has something to mask is read as JSON.
    fn scan_json(&self, body: &[u8]) -> Result<Findings> {
        let mut strings: Option<Result<ChangeableStrings>> = None;
        let mut found =
            self.scan_where(body, |start| match strings.get_or_insert_with(|| ChangeableStrings::find(body)) {
                Ok(strings) => strings.around(start).is_some(),
                Err(_) => true,
            });
        let Some(strings) = strings.transpose()? else { return Ok(Findings::default()) };
        // A finding ends with its string at the latest.
        let clip = |span: &mut std::ops::Range<usize>| match strings.around(span.start) {
            Some(string) => {
                span.end = span.end.min(string.end);
                true
            }
            None => false,
        };
        found.findings.retain_mut(|finding| clip(&mut finding.span));
        found.parts.retain_mut(|part| clip(&mut part.span));
        found.json_texts = strings.into_json_texts();
        Ok(found)
    }
}
