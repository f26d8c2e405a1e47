//! One pass over a JSON document, without a tree.

use std::ops::{ControlFlow, Range};

use super::escape::unescape;
use crate::marks::{BLOCK, LONG_BLOCK, either, equal};
use crate::wire::Place;
use crate::{Error, Result};

/// How deep blocks may nest before their `type` is no longer looked for ahead of its turn; protocols need four.
const MAX_LOOK_AHEAD: usize = 16;
/// How deep objects and lists may nest in an object whose `type` decides; beyond that none does.
const MAX_BELOW: usize = 64;

/// Strings from this on are worth to be remembered.
const LONG: usize = 64;
/// Most of them.
const MAX_REMEMBERED: usize = 1024;
/// How deep most documents nest.
const DEPTH: usize = 16;

/// Some writers put one before UTF-8; RFC 8259 lets readers skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An object or list that is open.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Inside of the key of the member that is being read; empty in lists.
    pub(crate) key: Range<usize>,
    /// Number of the member or item that is being read.
    pub(crate) index: usize,
    /// Where it opens.
    pub(crate) start: usize,
    is_object: bool,
    /// Nothing of its inside was read yet.
    is_new: bool,
    place: Place,
}

/// What a walk tells of. `path` leads from the outermost object to the value.
pub(crate) trait Visitor {
    /// A key, by its inside, in an object at `place`.
    fn key(&mut self, _place: Place, _inside: Range<usize>) {}
    /// A string, by its inside.
    fn string(&mut self, path: &[Frame], place: Place, inside: Range<usize>);
    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self, _path: &[Frame], _place: Place, _span: Range<usize>) {}
}

/// Walks `body`, which has to be one JSON document.
///
/// # Errors
/// [`Error::InvalidBody`] with the offset where it stops being JSON.
pub(crate) fn walk(body: &[u8], visitor: &mut impl Visitor) -> Result<()> {
    Walk { body, at: 0, stack: Vec::with_capacity(DEPTH), long: LongStrings::default(), visitor }.document()
}

/// Offset of the quote that ends the string whose inside begins at `at`.
fn string_end(body: &[u8], mut at: usize) -> Option<usize> {
    // Keys are short.
    if let Some(&block) = body.get(at..)?.first_chunk() {
        let len = either(block, [b'"', b'\\']).first();
        match block.get(len) {
            Some(b'"') => return Some(at + len),
            Some(_) => at += len,
            None => at += BLOCK,
        }
    }
    let mut escapes_next = false;
    while let Some(block) = body[at..].first_chunk() {
        let quotes = equal(block, b'"') & !escaped(equal(block, b'\\'), &mut escapes_next);
        if quotes != 0 {
            return Some(at + usize::try_from(quotes.trailing_zeros()).ok()?);
        }
        at += LONG_BLOCK;
    }
    at += usize::from(escapes_next);
    loop {
        at += memchr::memchr2(b'"', b'\\', body.get(at..)?)?;
        if body[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The bytes behind a backslash that begins an escape, of a block with these backslashes; and whether the first one of the
/// next block is such a byte. As in "Parsing Gigabytes of JSON per Second" (Langdale and Lemire, 2019): in a run of
/// backslashes every other one begins an escape.
fn escaped(backslashes: u64, escapes_next: &mut bool) -> u64 {
    const ODD: u64 = u64::MAX / 3 * 2;
    let first = u64::from(*escapes_next);
    let may_begin = backslashes & !first;
    // What a run at an odd place would have behind its escapes is borrowed from.
    let at_odd = (may_begin << 1 | ODD).wrapping_sub(may_begin) ^ ODD;
    *escapes_next = (at_odd & backslashes) >> 63 == 1;
    at_odd ^ (backslashes | first)
}

/// The long strings that a look ahead has read, in order: the walk, and other looks, need not read them again.
#[derive(Default)]
struct LongStrings {
    spans: Vec<Range<usize>>,
}

impl LongStrings {
    /// [`string_end`], remembered.
    #[inline]
    fn end(&mut self, body: &[u8], at: usize) -> Option<usize> {
        let is_next = self.spans.last().is_none_or(|last| last.end < at);
        if !is_next && let Ok(known) = self.spans.binary_search_by_key(&at, |span| span.start) {
            return Some(self.spans[known].end);
        }
        let end = string_end(body, at)?;
        if end - at >= LONG && is_next && self.spans.len() < MAX_REMEMBERED {
            self.spans.push(at..end);
        }
        Some(end)
    }

    /// [`string_end`], for the walk itself: what stands before is not asked for again.
    #[inline]
    fn end_for_good(&mut self, body: &[u8], at: usize) -> Option<usize> {
        let Some(last) = self.spans.last() else { return string_end(body, at) };
        let is_last = last.start <= at;
        let end = match self.spans.binary_search_by_key(&at, |span| span.start) {
            Ok(known) => Some(self.spans[known].end),
            Err(_) => string_end(body, at),
        };
        if is_last {
            self.spans.clear();
        }
        end
    }
}

struct Walk<'b, 'v, V> {
    body: &'b [u8],
    at: usize,
    stack: Vec<Frame>,
    long: LongStrings,
    visitor: &'v mut V,
}

impl<V: Visitor> Walk<'_, '_, V> {
    fn document(&mut self) -> Result<()> {
        if self.body.starts_with(BYTE_ORDER_MARK) {
            self.at = BYTE_ORDER_MARK.len();
        }
        self.space();
        self.value(Place::Root)?;
        while let Some(frame) = self.stack.last_mut() {
            let (is_object, place, is_first) = (frame.is_object, frame.place, frame.is_new);
            frame.is_new = false;
            self.space();
            match self.body.get(self.at) {
                Some(&c) if c == if is_object { b'}' } else { b']' } => {
                    self.at += 1;
                    self.stack.pop();
                    continue;
                }
                Some(_) if is_first => {}
                Some(b',') => {
                    self.at += 1;
                    self.space();
                    self.next_index();
                }
                _ => return self.invalid(),
            }
            self.element(is_object, place)?;
        }
        self.space();
        if self.at == self.body.len() { Ok(()) } else { self.invalid() }
    }

    fn next_index(&mut self) {
        if let Some(frame) = self.stack.last_mut() {
            frame.index += 1;
        }
    }

    fn invalid<T>(&self) -> Result<T> {
        Err(Error::InvalidBody { offset: self.at.min(self.body.len()) })
    }

    fn space(&mut self) {
        while matches!(self.body.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// One member or item; lists have the place of their items.
    fn element(&mut self, is_object: bool, place: Place) -> Result<()> {
        if !is_object {
            return self.value(place);
        }
        if self.body.get(self.at) != Some(&b'"') {
            return self.invalid();
        }
        let key = self.string()?;
        self.visitor.key(place, key.clone());
        if let Some(frame) = self.stack.last_mut() {
            frame.key = key.clone();
        }
        self.space();
        if self.body.get(self.at) != Some(&b':') {
            return self.invalid();
        }
        self.at += 1;
        self.space();
        self.value(place.member(&unescape(&self.body[key])))
    }

    fn value(&mut self, place: Place) -> Result<()> {
        match self.body.get(self.at) {
            Some(b'"') => {
                let span = self.string()?;
                let place = place.of_value(&self.body[span.clone()]);
                self.visitor.string(&self.stack, place, span);
                Ok(())
            }
            Some(&c @ (b'{' | b'[')) => {
                self.open(c == b'{', place);
                Ok(())
            }
            Some(_) => self.scalar(place),
            None => self.invalid(),
        }
    }

    fn open(&mut self, is_object: bool, place: Place) {
        self.at += 1;
        let start = self.at - 1;
        let place = place.opened(is_object);
        let place = if is_object && place.is_typed() { self.typed(place) } else { place };
        self.stack.push(Frame { key: 0..0, index: 0, start, is_object, is_new: true, place });
    }

    /// The place of an object that its `type` decides over, wherever in the object that stands.
    ///
    /// Readers of JSON differ in which of two equal keys they believe: two types that disagree decide nothing.
    fn typed(&mut self, place: Place) -> Place {
        if self.stack.len() > MAX_LOOK_AHEAD {
            return place;
        }
        let mut typed = place;
        let mut is_signed = false;
        let read = own_strings(self.body, self.at, &mut self.long, |key, value| match key {
            b"type" => {
                let decided = place.typed(&unescape(value));
                if decided == place || typed != place && typed != decided {
                    typed = place;
                    return ControlFlow::Break(());
                }
                typed = decided;
                ControlFlow::Continue(())
            }
            b"signature" => {
                is_signed = true;
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        });
        // Nothing is decided by a part of an object.
        if read.is_none() {
            return place;
        }
        // The vendor compares what it signed byte for byte.
        if matches!(typed, Place::Compaction | Place::Reasoning) && is_signed { Place::Opaque } else { typed }
    }

    fn string(&mut self) -> Result<Range<usize>> {
        let start = self.at + 1;
        match self.long.end_for_good(self.body, start) {
            Some(end) => {
                self.at = end + 1;
                Ok(start..end)
            }
            None => {
                self.at = self.body.len();
                self.invalid()
            }
        }
    }

    fn scalar(&mut self, place: Place) -> Result<()> {
        let rest = &self.body[self.at..];
        let len = rest
            .iter()
            .position(|c| !(c.is_ascii_alphanumeric() || matches!(c, b'-' | b'+' | b'.')))
            .unwrap_or(rest.len());
        let valid = match &rest[..len] {
            b"true" | b"false" | b"null" => true,
            number => is_number(number),
        };
        if !valid {
            return self.invalid();
        }
        self.visitor.scalar(&self.stack, place, self.at..self.at + len);
        self.at += len;
        Ok(())
    }
}

/// A number as RFC 8259 spells it.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let digits = |t: &[u8]| t.iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(text);
    if whole == 0 || whole > 1 && text[0] == b'0' {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// What [`own_strings`] stops at.
const IS_STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    let (bytes, mut i) = (b"\"{}[],", 0);
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
};

/// Tells of the members with a string for a value of the object whose inside begins at `at`; `None` when it was not
/// read to its end.
fn own_strings(
    body: &[u8],
    mut at: usize,
    long: &mut LongStrings,
    mut member: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
) -> Option<()> {
    let mut depth = 0usize;
    let mut key: Option<Range<usize>> = None;
    loop {
        at += body.get(at..)?.iter().position(|&c| IS_STRUCTURE[usize::from(c)])?;
        match body[at] {
            b'"' => {
                let end = long.end(body, at + 1)?;
                if depth == 0 {
                    match key.take() {
                        Some(key) if member(&body[key.clone()], &body[at + 1..end]).is_break() => return None,
                        Some(_) => {}
                        None => key = Some(at + 1..end),
                    }
                }
                at = end;
            }
            b',' if depth == 0 => key = None,
            b'{' | b'[' if depth < MAX_BELOW => depth += 1,
            b'{' | b'[' => return None,
            b'}' | b']' if depth == 0 => return Some(()),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Nobody;

    impl Visitor for Nobody {
        fn string(&mut self, _: &[Frame], _: Place, _: Range<usize>) {}
    }

    #[test]
    fn invalid_documents_are_refused() {
        for bad in
            ["", "{", "[1,]", "{\"a\"}", "{\"a\":1}x", "\"open", "{\"a\":tru}", "[01]", "[1.]", "{,}", "[1 2]", "{1:2}"]
        {
            assert!(walk(bad.as_bytes(), &mut Nobody).is_err(), "{bad}");
            assert!(serde_json::from_str::<serde_json::Value>(bad).is_err(), "{bad}");
        }
        for good in ["1", " [] ", "{}", "[-0.5e+10, true, null]", "{\"a\":{\"b\":[[],{}]}}", "\"x\\\"y\""] {
            assert!(walk(good.as_bytes(), &mut Nobody).is_ok(), "{good}");
        }
    }

    proptest! {
        #[test]
        fn strings_end_at_the_first_quote_that_is_no_escape(text in prop_oneof![
            prop::collection::vec(
                prop::sample::select(b"\"\\abcdefgh\x21\x23\x5b\x5d\xa2\xdc\x00".as_slice()), 0..200),
            // Runs of backslashes over the borders of blocks.
            (0..200usize, prop::collection::vec(prop::sample::select(b"\\\\\\\\\\a\"".as_slice()), 0..20))
                .prop_map(|(before, text)| [vec![b'a'; before], vec![b'\\'; before % 7], text].concat()),
        ], at in 0usize..4) {
            let (mut plainly, mut i) = (None, at);
            while plainly.is_none() && i < text.len() {
                match text[i] {
                    b'"' => plainly = Some(i),
                    b'\\' => i += 2,
                    _ => i += 1,
                }
            }
            prop_assert_eq!(string_end(&text, at), plainly);
        }
    }

    #[test]
    fn deep_nesting_is_linear() {
        let body = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(walk(body.as_bytes(), &mut Nobody).is_ok());
    }
}
