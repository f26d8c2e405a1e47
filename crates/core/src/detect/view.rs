//! Text with the escapes resolved that could hide an identifier.

use std::borrow::Cow;

use memchr::memmem;

/// A text in which `\/` and `\u0020`…`\u007e` are plain characters, with the way back to the bytes as they were given.
///
/// Nearly every text has none of these, and is borrowed. Quotes and backslashes stay escaped, so that the structure of
/// JSON inside the text does not change. Runs of backslashes (JSON inside JSON) count as one.
pub(super) struct View<'t> {
    raw_len: usize,
    text: Cow<'t, [u8]>,
    /// (offset in `text`, offset in raw) after each resolved escape; offsets between them advance together.
    steps: Vec<(usize, usize)>,
    /// (offset in `text`, start, end in raw) of each resolved escape.
    escapes: Vec<(usize, usize, usize)>,
}

impl<'t> View<'t> {
    pub(super) fn new(raw: &'t [u8]) -> Self {
        let mut view = Self { raw_len: raw.len(), text: Cow::Borrowed(raw), steps: Vec::new(), escapes: Vec::new() };
        let unicode = memmem::find(raw, b"\\u00").is_some();
        let solidus = memmem::find(raw, b"\\/").is_some();
        if unicode || solidus {
            view.resolve(raw);
        }
        view
    }

    fn resolve(&mut self, raw: &[u8]) {
        let mut text = Vec::with_capacity(raw.len());
        let mut copied = 0;
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
            let start = at + found;
            let mut last = start;
            while raw.get(last + 1) == Some(&b'\\') {
                last += 1;
            }
            let Some((plain, end)) = resolved(raw, last + 1) else {
                at = last + 1;
                continue;
            };
            text.extend_from_slice(&raw[copied..start]);
            self.escapes.push((text.len(), start, end));
            text.push(plain);
            self.steps.push((text.len(), end));
            copied = end;
            at = end;
        }
        if !self.steps.is_empty() {
            text.extend_from_slice(&raw[copied..]);
            self.text = Cow::Owned(text);
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Raw offset of the character at `at`: the first byte of its escape.
    pub(super) fn raw_start(&self, at: usize) -> usize {
        match self.escapes.binary_search_by_key(&at, |e| e.0) {
            Ok(i) => self.escapes[i].1,
            Err(_) => self.raw_end(at),
        }
    }

    /// Raw offset past the character before `at`.
    pub(super) fn raw_end(&self, at: usize) -> usize {
        let step = self.steps.partition_point(|s| s.0 <= at);
        let raw = match step.checked_sub(1).and_then(|i| self.steps.get(i)) {
            Some(&(text, raw)) => raw + (at - text),
            None => at,
        };
        raw.min(self.raw_len)
    }
}

/// The character that the escape spells whose letter stands at `at`, and the offset past it.
fn resolved(raw: &[u8], at: usize) -> Option<(u8, usize)> {
    match raw.get(at)? {
        b'/' => Some((b'/', at + 1)),
        b'u' => {
            let digits = std::str::from_utf8(raw.get(at + 1..at + 5)?).ok()?;
            if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            let value = u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()?;
            ((0x20..0x7f).contains(&value) && value != b'"' && value != b'\\').then_some((value, at + 5))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        let view = View::new(b"a\\n\\uac00b");
        assert!(matches!(view.text, Cow::Borrowed(_)));
        assert_eq!((view.raw_start(3), view.raw_end(3)), (3, 3));
    }

    #[test]
    fn escapes_are_resolved_and_offsets_go_back() {
        let raw = br"x\u0069-0\/1\\u002dz";
        let view = View::new(raw);
        assert_eq!(view.text(), b"xi-0/1-z");
        assert_eq!(view.raw_start(1), 1);
        assert_eq!(view.raw_end(2), 7);
        assert_eq!(&raw[view.raw_start(4)..view.raw_end(5)], br"\/");
        assert_eq!(&raw[view.raw_start(6)..view.raw_end(7)], br"\\u002d");
        assert_eq!(view.raw_end(8), raw.len());
    }

    #[test]
    fn quotes_and_backslashes_stay() {
        assert_eq!(View::new(br"\u0022\u005c\u002f").text(), br"\u0022\u005c/");
    }
}
