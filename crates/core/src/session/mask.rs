//! Masking a request body in place: bytes that need no change do not change.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::Session;
use crate::detect::{BodyFindings, Part};
use crate::json::{Enclosing, begins_document, holds_document, push_escaped, stands_in_string, unescape};
use crate::token::CodeDigest;
use crate::wire::{Content, Layout, Multipart, Spelling, boundary};
use crate::{Error, Result};

/// Most tokens that room is made for at once.
const MAX_ROOM: usize = 1024;
/// How far a text is read to tell what it is, bytes.
const MAX_OPENING: usize = 1024;

/// The JSON document in a JSON string, as far as it was read.
#[derive(Default)]
struct InnerDocument {
    /// Where the string stands.
    string: Range<usize>,
    read_to: usize,
    enclosing: Enclosing,
}

impl InnerDocument {
    /// What has to stand around a token in place of the digits at `span`, if these are a number of the document that
    /// `string` is the inside of, or of one in a string of it: `{\"ids\": [123456789012]}`. In prose they are none.
    fn quote(&mut self, body: &[u8], string: &Range<usize>, span: &Range<usize>) -> &'static [u8] {
        if !body[span.clone()].iter().all(u8::is_ascii_digit) {
            return b"";
        }
        if self.string != *string || span.start < self.read_to {
            *self = Self { string: string.clone(), read_to: string.start, enclosing: Enclosing::new(2) };
        }
        self.enclosing.read(&body[self.read_to..span.start]);
        self.read_to = span.start;
        let before = trim_space_end(&body[string.start..span.start]);
        let behind = trim_space_start(&body[span.end..string.end]);
        let is_document = matches!(trim_space_start(&body[string.clone()]).first(), Some(b'{' | b'['));
        let is_value =
            matches!(before.last(), Some(b':' | b',' | b'[')) && matches!(behind.first(), Some(b',' | b']' | b'}'));
        match self.enclosing.depth_between_strings().filter(|_| is_document && is_value) {
            Some(1) => b"\\\"",
            Some(_) => b"\\\\\\\"",
            None => b"",
        }
    }
}

/// What the tokens of the parts of a body are made of.
#[derive(Default)]
struct Digests<'f> {
    /// One for each part, if it was masked before.
    known: &'f [Option<CodeDigest>],
    /// Those of this time, where they are to be kept.
    made: Option<Vec<Option<CodeDigest>>>,
}

/// Without white space in front, and its escapes.
fn trim_space_start(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        let escapes = text.iter().take_while(|&&c| c == b'\\').count();
        match text.get(escapes) {
            Some(b'n' | b'r' | b't') if escapes.is_power_of_two() => text = &text[escapes + 1..],
            _ => return text,
        }
    }
}

/// Likewise at the end.
fn trim_space_end(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_end();
        let [rest @ .., b'n' | b'r' | b't'] = text else { return text };
        let escapes = rest.iter().rev().take_while(|&&c| c == b'\\').count();
        if !escapes.is_power_of_two() {
            return text;
        }
        text = &rest[..rest.len() - escapes];
    }
}

/// True for a text that may begin like a JSON document, spelled so.
fn may_be_document(text: &[u8], spelling: Spelling) -> bool {
    let start = &text[..text.len().min(MAX_OPENING)];
    let begins = match spelling {
        Spelling::Json => begins_document(start, true),
        Spelling::JsonInJson => begins_document(&unescape(start), true),
        _ => begins_document(start, false),
    };
    begins.unwrap_or(true)
}

/// What `original` says where the string that it stands in is a JSON document itself, if its escapes are those that
/// restoring gives it there: the same value has the same token in the document and outside, and comes back as itself in
/// prose and in the arguments of a tool.
fn meant_in_document(string: &[u8], original: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', original).filter(|_| holds_document(string))?;
    let meant = unescape(original);
    let mut escaped = Vec::with_capacity(original.len());
    push_escaped(&mut escaped, &meant, 1);
    (escaped == original && !stands_in_string(&meant)).then(|| meant.into_owned())
}

impl Session {
    /// Masks a request body; `None` when its bytes stand as they are.
    ///
    /// # Errors
    /// Those of [`Self::mask_to`].
    pub fn mask(&mut self, content_type: &[u8], body: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut masked = Vec::new();
        Ok(self.mask_to(content_type, body, &mut masked)?.then_some(masked))
    }

    /// Masks a request body, appending to `out`; false when its bytes stand as they are.
    ///
    /// `content_type` is the value of the header; empty means JSON if it looks like JSON, else text. The body is
    /// without any content coding, see [`ContentCoding::inflate`](crate::wire::ContentCoding::inflate).
    ///
    /// # Errors
    /// [`Error::UnsupportedContent`] for types that cannot be masked, [`Error::InvalidBody`] for a body that is not
    /// what its type says and holds something to mask, or could.
    pub fn mask_to(&mut self, content_type: &[u8], body: &[u8], out: &mut Vec<u8>) -> Result<bool> {
        if Content::parse(content_type, body).is_some_and(|content| content.is_disguise(body)) {
            return Err(Error::UnsupportedContent);
        }
        let found = self.find(content_type, body)?;
        let edits = &found.findings.parts;
        let mut digests = Digests { known: found.digests(), made: found.wants_digests().then(Vec::new) };
        let is_changed = self.replace(body, 0..body.len(), edits, &found.layout, &mut digests, out);
        if let Some(made) = digests.made.filter(|made| made.len() == edits.len()) {
            found.keep_digests(made);
        }
        Ok(is_changed)
    }

    /// Masks a stretch of a text that is too long for one call; gives the masked bytes, `None` when they stand as they
    /// are, and where in `text` they end.
    ///
    /// What stands around `range` is read, but neither masked nor given out, except that a stretch to be replaced which
    /// begins in the range is replaced whole. A name is known where its context stands in `text`.
    ///
    /// # Errors
    /// [`Error::UnsupportedContent`] for text that is not written in ASCII and its extensions.
    pub fn mask_within(&mut self, text: &[u8], mut range: Range<usize>) -> Result<(Option<Vec<u8>>, usize)> {
        let found = self.find(b"text/plain", text)?;
        let mut edits = found.findings.parts.clone();
        edits.retain_mut(|part| {
            // What the stretch before this one did not take is not left out.
            part.span.start = part.span.start.max(range.start);
            part.span.start < part.span.end && part.span.start < range.end
        });
        range.end = range.end.max(edits.last().map_or(0, |part| part.span.end));
        let mut masked = Vec::new();
        let is_changed = self.replace(text, range.clone(), &edits, &found.layout, &mut Digests::default(), &mut masked);
        Ok((is_changed.then_some(masked), range.end))
    }

    /// Counts and writes what [`Self::find`] found in `body[range]`; false when nothing changes.
    fn replace(
        &mut self,
        body: &[u8],
        range: Range<usize>,
        edits: &[Part],
        layout: &Layout,
        digests: &mut Digests<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        let len = u64::try_from(range.len()).unwrap_or(u64::MAX);
        self.counts.bytes_in += len;
        self.counts.masked += u64::try_from(edits.len()).unwrap_or(u64::MAX);
        if edits.is_empty() {
            self.counts.bytes_out += len;
            return false;
        }
        let before = out.len();
        self.write(body, range, edits, layout, digests, out);
        self.counts.distinct = u64::try_from(self.tokens.len()).unwrap_or(u64::MAX);
        if self.options.dry_run {
            self.counts.bytes_out += len;
            return false;
        }
        self.counts.bytes_out += u64::try_from(out.len() - before).unwrap_or(u64::MAX);
        true
    }

    fn find(&mut self, content_type: &[u8], body: &[u8]) -> Result<Arc<BodyFindings>> {
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
        self.detector.scan_parts(content, multipart.as_ref(), body, self.detector.recall(self.key.recall()))
    }

    fn write(
        &mut self,
        body: &[u8],
        range: Range<usize>,
        edits: &[Part],
        layout: &Layout,
        digests: &mut Digests<'_>,
        masked: &mut Vec<u8>,
    ) {
        masked.reserve(range.len() + edits.len() * 4);
        let (mut copied, mut hint, mut document) = (range.start, 0, InnerDocument::default());
        // Repeated ones take none; a body of megabytes repeats most.
        self.tokens.reserve(edits.len().min(MAX_ROOM));
        for (i, Part { kind, span: Range { start, end }, .. }) in edits.iter().cloned().enumerate() {
            masked.extend_from_slice(&body[copied..start]);
            let around = layout.around(start, &mut hint);
            let (around, spelling) = around.unwrap_or((range.clone(), Spelling::Plain));
            let mut original = spelling.read(&body[start..end]);
            if !stands_in_string(&original) && may_be_document(&body[around.clone()], spelling) {
                self.tokens.found_broken_string();
            }
            if spelling == Spelling::Json
                && let Some(meant) = meant_in_document(&body[around.clone()], &original)
            {
                original = Cow::Owned(meant);
            }
            let restores = self.options.restore_credentials || !self.detector.is_credential(kind);
            let label = self.detector.label(kind);
            let quote: &[u8] = match spelling {
                _ if spelling.is_number() => b"\"",
                Spelling::JsonInJson => document.quote(body, &around, &(start..end)),
                _ => b"",
            };
            masked.extend_from_slice(quote);
            let mut digest = digests.known.get(i).copied().flatten();
            masked.extend_from_slice(self.tokens.token(&self.key, &original, (kind, label), restores, &mut digest));
            masked.extend_from_slice(quote);
            if let Some(made) = &mut digests.made {
                made.push(digest);
            }
            self.count_kind(kind);
            copied = end;
        }
        masked.extend_from_slice(&body[copied..range.end]);
    }
}
