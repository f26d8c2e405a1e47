//! Masking a request body in place: bytes that need no change do not change.

use std::borrow::Cow;
use std::ops::Range;

use super::Session;
use crate::detect::Part;
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
        let edits = self.detector.scan_body(content, body)?.parts;
        let len = u64::try_from(body.len()).unwrap_or(u64::MAX);
        self.counts.bytes_in += len;
        self.counts.masked += u64::try_from(edits.len()).unwrap_or(u64::MAX);
        if edits.is_empty() {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        let masked = self.write(body, &edits, content == Content::Json);
        self.counts.distinct = u64::try_from(self.tokens.len()).unwrap_or(u64::MAX);
        if self.options.dry_run {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        self.counts.bytes_out += u64::try_from(masked.len()).unwrap_or(u64::MAX);
        Ok(Some(masked))
    }

    fn write(&mut self, body: &[u8], edits: &[Part], is_json: bool) -> Vec<u8> {
        let mut masked = Vec::with_capacity(body.len() + edits.len() * 4);
        let mut copied = 0;
        for Part { kind, span: Range { start, end }, .. } in edits.iter().cloned() {
            masked.extend_from_slice(&body[copied..start]);
            let raw = &body[start..end];
            let original = if is_json { unescape(raw) } else { Cow::Borrowed(raw) };
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
