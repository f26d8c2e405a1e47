//! Masking a request body in place: bytes that need no change do not change.

use std::ops::Range;

use super::Session;
use crate::detect::{Findings, Part};
use crate::wire::{Content, Layout, Multipart, Spelling, boundary};
use crate::{Error, Result};

impl Session {
    /// Masks a request body; `None` when its bytes stand as they are.
    ///
    /// `content_type` is the value of the header; empty means JSON if it looks like JSON, else text. The body is
    /// without any content coding, see [`ContentCoding::inflate`](crate::wire::ContentCoding::inflate).
    ///
    /// # Errors
    /// [`Error::UnsupportedContent`] for types that cannot be masked, [`Error::InvalidBody`] for a body that is not
    /// what its type says and holds something to mask, or could.
    pub fn mask(&mut self, content_type: &[u8], body: &[u8]) -> Result<Option<Vec<u8>>> {
        let (Findings { parts: edits, .. }, layout) = self.find(content_type, body)?;
        let len = u64::try_from(body.len()).unwrap_or(u64::MAX);
        self.counts.bytes_in += len;
        self.counts.masked += u64::try_from(edits.len()).unwrap_or(u64::MAX);
        if edits.is_empty() {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        let masked = self.write(body, &edits, &layout);
        self.counts.distinct = u64::try_from(self.tokens.len()).unwrap_or(u64::MAX);
        if self.options.dry_run {
            self.counts.bytes_out += len;
            return Ok(None);
        }
        self.counts.bytes_out += u64::try_from(masked.len()).unwrap_or(u64::MAX);
        Ok(Some(masked))
    }

    fn find(&mut self, content_type: &[u8], body: &[u8]) -> Result<(Findings, Layout)> {
        let content = Content::parse(content_type, body).ok_or(Error::UnsupportedContent)?;
        content.check(body)?;
        self.vault.note(&self.detector, content, body);
        let multipart = match content {
            Content::Multipart => {
                let boundary = boundary(content_type).ok_or(Error::InvalidBody { offset: 0 })?;
                Some(Multipart::parse(body, boundary)?)
            }
            _ => None,
        };
        let has_binary = multipart.iter().flat_map(|m| &m.parts).any(|part| part.kind.is_none());
        if has_binary && !self.options.allow_binary_parts {
            return Err(Error::UnsupportedContent);
        }
        self.detector.scan_parts(content, multipart.as_ref(), body)
    }

    fn write(&mut self, body: &[u8], edits: &[Part], layout: &Layout) -> Vec<u8> {
        let mut masked = Vec::with_capacity(body.len() + edits.len() * 4);
        let mut copied = 0;
        for Part { kind, span: Range { start, end }, .. } in edits.iter().cloned() {
            masked.extend_from_slice(&body[copied..start]);
            let spelling = layout.around(start).map_or(Spelling::Plain, |(_, spelling)| spelling);
            let original = spelling.read(&body[start..end]);
            let restores = self.options.restore_credentials || !self.detector.is_credential(kind);
            let label = self.detector.label(kind);
            let quote: &[u8] = if spelling == Spelling::JsonNumber { b"\"" } else { b"" };
            masked.extend_from_slice(quote);
            masked.extend_from_slice(self.tokens.token(&self.key, &original, kind, label, restores));
            masked.extend_from_slice(quote);
            self.count_kind(kind);
            copied = end;
        }
        masked.extend_from_slice(&body[copied..]);
        masked
    }
}
