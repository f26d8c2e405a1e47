//! URL-encoded forms.

use std::borrow::Cow;
use std::ops::Range;

/// A form with the escapes of its fields resolved and a line for each field, with the way back to the bytes as they
/// were given.
pub(crate) struct DecodedForm {
    text: Vec<u8>,
    /// (offset in `text`, offset in the form) after each escape; between them both advance together.
    steps: Vec<(usize, usize)>,
    form_len: usize,
}

impl DecodedForm {
    pub(crate) fn new(form: &[u8]) -> Self {
        let mut decoded = Self { text: Vec::with_capacity(form.len()), steps: Vec::new(), form_len: form.len() };
        let mut at = 0;
        while let Some(&c) = form.get(at) {
            let (plain, len) = match c {
                b'&' => (b'\n', 1),
                _ => character(form, at),
            };
            decoded.text.push(plain);
            at += len;
            if len > 1 {
                decoded.steps.push((decoded.text.len(), at));
            }
        }
        decoded
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where in the form the text at `span` stands.
    pub(crate) fn raw(&self, span: &Range<usize>) -> Range<usize> {
        self.offset(span.start)..self.offset(span.end)
    }

    fn offset(&self, at: usize) -> usize {
        let passed = self.steps.partition_point(|step| step.0 <= at);
        let raw = match passed.checked_sub(1).and_then(|i| self.steps.get(i)) {
            Some(&(text, raw)) => raw + (at - text),
            None => at,
        };
        raw.min(self.form_len)
    }
}

/// The character at `at` of a field, and how many bytes spell it.
fn character(form: &[u8], at: usize) -> (u8, usize) {
    match form[at] {
        b'+' => (b' ', 1),
        b'%' => {
            let digit = |i: usize| form.get(i).and_then(|&c| char::from(c).to_digit(16));
            match (digit(at + 1), digit(at + 2)) {
                (Some(high), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or(b'%'), 3),
                _ => (b'%', 1),
            }
        }
        c => (c, 1),
    }
}

/// What a stretch of a field spells.
pub(super) fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let (plain, len) = character(raw, at);
        text.push(plain);
        at += len;
    }
    Cow::Owned(text)
}

/// Names and values, in order.
pub(super) fn fields(form: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let ends = memchr::memchr2_iter(b'&', b'=', form).chain([form.len()]);
    ends.scan(0, |start, end| Some(std::mem::replace(start, end + 1)..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_offsets_go_back() {
        let form = b"a=%69-0+x&b%3D=1%2";
        let decoded = DecodedForm::new(form);
        assert_eq!(decoded.text(), b"a=i-0 x\nb==1%2");
        assert_eq!(&form[decoded.raw(&(2..5))], b"%69-0");
        assert_eq!(&form[decoded.raw(&(3..5))], b"-0");
        assert_eq!(&form[decoded.raw(&(8..10))], b"b%3D");
        assert_eq!(decode(b"%69-0+x").as_ref(), b"i-0 x");
        assert_eq!(fields(form).map(|f| &form[f]).collect::<Vec<_>>(), [&b"a"[..], b"%69-0+x", b"b%3D", b"1%2"]);
    }
}
