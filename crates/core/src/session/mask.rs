//! Masking a request body in place: bytes that need no change do not change.

use std::borrow::Cow;
use std::ops::Range;

use super::Session;
use crate::detect::{Findings, Part};
use crate::json::unescape;
use crate::wire::Content;
use crate::{Error, Result};

impl Session {
    /// Masks a request body; `None` when its bytes stand as they are.
    ///
    /// `content_type` is the value of the header; empty means JSON if it looks like JSON, else text.
    ///
    /// # Errors
    /// [`Error::UnsupportedContent`] for types that cannot be masked, [`Error::InvalidBody`] for JSON that is none and
    /// holds something to mask.
    pub fn mask(&mut self, content_type: &[u8], body: &[u8]) -> Result<Option<Vec<u8>>> {
        let content = Content::parse(content_type, body).ok_or(Error::UnsupportedContent)?;
        self.vault.note(&self.detector, content, body);
        let found = self.detector.scan_body(content, body)?;
        let edits = &found.parts;
        let len = u64::try_from(body.len()).unwrap_or(u64::MAX);
        self.counts.bytes_in += len;
        self.counts.masked += u64::try_from(edits.len()).unwrap_or(u64::MAX);
        if edits.is_empty() {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        let masked = self.write(body, &found, content == Content::Json);
        self.counts.distinct = u64::try_from(self.tokens.len()).unwrap_or(u64::MAX);
        if self.options.dry_run {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        self.counts.bytes_out += u64::try_from(masked.len()).unwrap_or(u64::MAX);
        Ok(Some(masked))
    }

    fn write(&mut self, body: &[u8], found: &Findings, is_json: bool) -> Vec<u8> {
        let mut masked = Vec::with_capacity(body.len() + found.parts.len() * 4);
        let mut json_texts = found.json_texts.iter().peekable();
        let mut copied = 0;
        for Part { kind, span: Range { start, end }, .. } in found.parts.iter().cloned() {
            masked.extend_from_slice(&body[copied..start]);
            while json_texts.next_if(|text| text.end < end).is_some() {}
            let is_nested = json_texts.peek().is_some_and(|text| text.start <= start);
            let mut original = Cow::Borrowed(&body[start..end]);
            for _ in 0..u8::from(is_json) + u8::from(is_nested) {
                if let Cow::Owned(plain) = unescape(&original) {
                    original = Cow::Owned(plain);
                }
            }
            let restores = self.options.restore_credentials || !self.detector.is_credential(kind);
            let label = self.detector.label(kind);
            masked.extend_from_slice(self.tokens.token(&self.key, &original, kind, label, restores));
            self.count_kind(kind);
            copied = end;
        }
        masked.extend_from_slice(&body[copied..]);
        masked
    }
}
