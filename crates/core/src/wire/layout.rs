//! Where in a body text stands that may be changed, and how it is spelled there.

use std::borrow::Cow;
use std::ops::Range;

use super::content::Content;
use super::form;
use super::multipart::Multipart;
use crate::json::{Changeable, ChangeableStrings, unescape};
use crate::{Error, Result};

/// How bytes of a body spell its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spelling {
    /// As it is.
    Plain,
    /// With the escapes of a JSON string.
    Json,
    /// A JSON number: what replaces it is a string.
    JsonNumber,
    /// The same, where nothing says that it is an account id: it is one only where that account is known.
    JsonOtherNumber,
    /// Inside a JSON string, with the escapes of the JSON document that it holds.
    JsonInJson,
    /// URL-encoded.
    Form,
}

impl Spelling {
    /// True when backslashes begin escapes.
    pub(crate) fn has_escapes(self) -> bool {
        matches!(self, Self::Json | Self::JsonInJson)
    }

    /// True for numbers, which are replaced whole and by a string.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::JsonNumber | Self::JsonOtherNumber)
    }

    /// What `raw` spells.
    pub(crate) fn read(self, raw: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Plain | Self::JsonNumber | Self::JsonOtherNumber => Cow::Borrowed(raw),
            Self::Json => unescape(raw),
            Self::JsonInJson => match unescape(raw) {
                Cow::Borrowed(text) => unescape(text),
                Cow::Owned(text) => Cow::Owned(unescape(&text).into_owned()),
            },
            Self::Form => form::decode(raw),
        }
    }
}

/// The stretches of a body that may be changed, in order.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    regions: Vec<(Range<usize>, Spelling)>,
    has_other_numbers: bool,
}

impl Layout {
    /// All of a body.
    pub(crate) fn of_text(body: &[u8]) -> Self {
        Self { regions: vec![(0..body.len(), Spelling::Plain)], ..Self::default() }
    }

    /// The strings of a JSON document.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] with the offset where it stops being JSON.
    pub(crate) fn of_json(body: &[u8]) -> Result<Self> {
        let mut layout = Self::default();
        layout.add_json(body, 0..body.len())?;
        Ok(layout)
    }

    /// The strings of a JSON document on each line.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] with the offset where a line stops being JSON.
    pub(crate) fn of_json_lines(body: &[u8]) -> Result<Self> {
        let mut layout = Self::default();
        layout.add_json_lines(body, 0..body.len())?;
        Ok(layout)
    }

    /// Names and values of a form.
    pub(crate) fn of_form(body: &[u8]) -> Self {
        let mut layout = Self::default();
        layout.add_form(body, 0..body.len());
        layout
    }

    /// What its parts allow, and all of what stands around and above their contents.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] for a part that is not what its type says.
    pub(crate) fn of_multipart(body: &[u8], multipart: &Multipart) -> Result<Self> {
        let mut layout = Self::default();
        let [before, after] = multipart.around.clone();
        layout.add(before, Spelling::Plain);
        for part in &multipart.parts {
            layout.add_lines(body, part.head.clone());
            let content = part.content.clone();
            match part.kind {
                None => {}
                Some(Content::Json) => layout.add_json(body, content)?,
                Some(Content::JsonLines) => {
                    let regions = layout.regions.len();
                    // Judged by its looks only: what is not JSON after all is text.
                    if layout.add_json_lines(body, content.clone()).is_err() {
                        layout.regions.truncate(regions);
                        layout.add(content, Spelling::Plain);
                    }
                }
                Some(Content::Form) => layout.add_form(body, content),
                Some(Content::Text | Content::EventStream | Content::Multipart) => layout.add(content, Spelling::Plain),
            }
        }
        layout.add(after, Spelling::Plain);
        Ok(layout)
    }

    fn add(&mut self, span: Range<usize>, spelling: Spelling) {
        if !span.is_empty() {
            self.regions.push((span, spelling));
        }
    }

    /// Each line for itself: what is found in one leaves the others, and the empty one that ends a head.
    fn add_lines(&mut self, body: &[u8], lines: Range<usize>) {
        let mut at = lines.start;
        for line in body[lines].split_inclusive(|&c| c == b'\n') {
            self.add(at..at + line.trim_ascii_end().len(), Spelling::Plain);
            at += line.len();
        }
    }

    fn add_json(&mut self, body: &[u8], document: Range<usize>) -> Result<()> {
        let start = document.start;
        let strings = ChangeableStrings::find(&body[document]).map_err(|error| match error {
            Error::InvalidBody { offset } => Error::InvalidBody { offset: start + offset },
            other => other,
        })?;
        let has_other_numbers = &mut self.has_other_numbers;
        let regions = strings.into_spans().into_iter().map(|(span, what)| {
            let spelling = match what {
                Changeable::String => Spelling::Json,
                Changeable::JsonText => Spelling::JsonInJson,
                Changeable::Account => Spelling::JsonNumber,
                Changeable::Number => {
                    *has_other_numbers = true;
                    Spelling::JsonOtherNumber
                }
            };
            (start + span.start..start + span.end, spelling)
        });
        if self.regions.is_empty() {
            self.regions = regions.collect();
        } else {
            self.regions.extend(regions);
        }
        Ok(())
    }

    fn add_json_lines(&mut self, body: &[u8], lines: Range<usize>) -> Result<()> {
        // A document that stands on several lines is not what was promised, but no less clear.
        if self.add_json(body, lines.clone()).is_ok() {
            return Ok(());
        }
        let mut at = lines.start;
        while at < lines.end {
            let end = memchr::memchr(b'\n', &body[at..lines.end]).map_or(lines.end, |found| at + found);
            // RFC 7464 puts a record separator before each document.
            let start = if body[at] == 0x1e { at + 1 } else { at };
            if !body[start..end].trim_ascii().is_empty() {
                self.add_json(body, start..end)?;
            }
            at = end + 1;
        }
        Ok(())
    }

    fn add_form(&mut self, body: &[u8], form: Range<usize>) {
        for field in form::fields(&body[form.clone()]) {
            self.add(form.start + field.start..form.start + field.end, Spelling::Form);
        }
    }

    /// Gives back the room that was made for more.
    pub(crate) fn shrink(&mut self) {
        self.regions.shrink_to_fit();
    }

    /// Memory that it points to.
    pub(crate) fn bytes(&self) -> usize {
        self.regions.capacity() * size_of::<(Range<usize>, Spelling)>()
    }

    /// True when some number may be an account id of which only the other mentions tell.
    pub(crate) fn has_other_numbers(&self) -> bool {
        self.has_other_numbers
    }

    /// The stretch around `at`. `hint` is where the last one was found, 0 at first: what is asked for comes in order,
    /// or nearly so.
    pub(crate) fn around(&self, at: usize, hint: &mut usize) -> Option<(Range<usize>, Spelling)> {
        let holds = |region: &&(Range<usize>, Spelling)| region.0.contains(&at);
        if let Some(region) = self.regions.get(*hint).filter(holds) {
            return Some(region.clone());
        }
        *hint = self.regions.partition_point(|region| region.0.start <= at).checked_sub(1)?;
        self.regions.get(*hint).filter(holds).cloned()
    }
}
