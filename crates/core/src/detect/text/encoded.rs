//! What URLs and pages are written in: percent codes (`arn%3Aaws%3A…`) and character references (`&quot;acme&quot;`).
//!
//! A stretch of text that has such codes is looked at once more with its codes resolved, as a text of its own. Nothing
//! that was found in the text as it stands is given up for it: a code may also be a part of a password.

use std::ops::Range;

use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};
use crate::detect::text::view::View;
use crate::detect::{Detector, Hits, Scan};

/// How far before its first code a stretch may begin, bytes.
const REACH: usize = 2048;
/// Names of character references, of the characters that identifiers and what stands around them are made of.
const REFERENCES: &[(&[u8], u8)] = &[
    (b"quot;", b'"'),
    (b"amp;", b'&'),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"apos;", b'\''),
    (b"nbsp;", b' '),
    (b"colon;", b':'),
    (b"sol;", b'/'),
    (b"equals;", b'='),
    (b"lowbar;", b'_'),
    (b"period;", b'.'),
    (b"commat;", b'@'),
];

/// Whether a character reference may have this byte at this offset behind its `&`, 0 or 1.
pub(in crate::detect) fn may_be_reference(at: usize, c: u8) -> bool {
    let is_number = if at == 0 { c == b'#' } else { c.is_ascii_digit() || matches!(c, b'x' | b'X') };
    is_number || REFERENCES.iter().any(|(name, _)| name.get(at) == Some(&c))
}

impl Scan<'_, '_> {
    /// Looks at the `%` or `&` at `at`, which may begin a code; gives where to go on.
    #[inline(never)]
    pub(in crate::detect) fn code(&mut self, at: usize) -> usize {
        let text = self.text;
        let last = self.hits.encoded.last().map_or(0, |stretch| stretch.end);
        if self.is_decoded || at < last || code(text, at).is_none() {
            return at + 1;
        }
        // A URL has no blanks; what a page shows has, and ends with its line.
        let of_page = text[at] == b'&';
        let belongs =
            |c: u8| (c.is_ascii_graphic() || of_page && c == b' ') && !matches!(c, b'"' | b'\\' | b'<' | b'>');
        let start = run_start(text, at, REACH.min(at - last), belongs);
        let start = word_start(text, start).min(at);
        let end = run_end(text, at, text.len(), belongs);
        self.hits.encoded.push(start..end);
        at + 1
    }
}

impl Detector {
    /// Adds what shows in the stretches with codes once these are resolved.
    pub(in crate::detect) fn scan_encoded(&self, text: &[u8], hits: &mut Hits) {
        for stretch in std::mem::take(&mut hits.encoded) {
            let raw = &text[stretch.clone()];
            let decoded = View::decoded(raw, |raw, at| code(raw, at).map(|(plain, end)| (Some(plain), end)));
            self.scan_decoded(&decoded, &stretch, hits);
            // A form has blanks as `+`; what is no form has it in base64.
            if memchr::memchr(b'+', raw).is_some() {
                let form = View::decoded(raw, |raw, at| match raw[at] {
                    b'+' => Some((Some(b' '), at + 1)),
                    _ => code(raw, at).map(|(plain, end)| (Some(plain), end)),
                });
                self.scan_decoded(&form, &stretch, hits);
            }
        }
    }

    pub(in crate::detect) fn scan_decoded(&self, view: &View<'_>, stretch: &Range<usize>, hits: &mut Hits) {
        let mut own = Hits::default();
        let mut scan = Scan::resolved(self, view.text(), &mut own);
        scan.is_decoded = true;
        scan.anchors();
        scan.secrets_near_access_keys();
        self.custom.scan(view.text(), |label| self.has_label(label), &mut own);
        own.move_to(|span| stretch.start + view.raw_start(span.start)..stretch.start + view.raw_end(span.end));
        hits.append(own);
    }
}

/// The character that the code at `at` stands for, and where it ends; codes of codes are resolved to the last.
#[inline]
fn code(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (mut plain, mut end) = (*text.get(at)?, at + 1);
    if !matches!(plain, b'%' | b'&') {
        return None;
    }
    while let Some(resolved) = match plain {
        b'%' => percent(text, end),
        b'&' => reference(text, end),
        _ => None,
    } {
        (plain, end) = resolved;
    }
    (end > at + 1).then_some((plain, end))
}

/// `3A`, behind a `%`.
fn percent(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let &[high, low] = text.get(at..)?.first_chunk()?;
    plain_char(digit(high)? << 4 | digit(low)?).map(|c| (c, at + 2))
}

/// `quot;`, `#58;`, `#x3a;`, behind a `&`.
fn reference(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = text.get(at..)?;
    if rest.first() != Some(&b'#') {
        return REFERENCES.iter().find(|(name, _)| rest.starts_with(name)).map(|(name, c)| (*c, at + name.len()));
    }
    let is_hex = matches!(rest.get(1), Some(b'x' | b'X'));
    let (first, radix) = if is_hex { (2, 16) } else { (1, 10) };
    let end = run_end(rest, first, 7, is_alnum);
    if end == first || rest.get(end) != Some(&b';') {
        return None;
    }
    let number = rest[first..end]
        .iter()
        .try_fold(0u8, |number, &c| number.checked_mul(radix)?.checked_add(digit(c).filter(|&digit| digit < radix)?));
    plain_char(number?).map(|c| (c, at + end + 1))
}

#[inline]
fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

/// A character of ASCII that text may have. Others border on identifiers as they are.
#[inline]
fn plain_char(c: u8) -> Option<u8> {
    (matches!(c, b' '..=b'~') || matches!(c, b'\t' | b'\n' | b'\r')).then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::found;

    #[test]
    fn codes() {
        for (text, plain) in [
            ("%3A", b':'),
            ("%3a", b':'),
            ("%253A", b':'),
            ("%2525252f", b'/'),
            ("&quot;", b'"'),
            ("&amp;quot;", b'"'),
            ("&#58;", b':'),
            ("&#0058;", b':'),
            ("&#x3A;", b':'),
            ("&amp;#X2f;", b'/'),
            ("%26quot;", b'"'),
            ("%0A", b'\n'),
        ] {
            assert_eq!(code(text.as_bytes(), 0), Some((plain, text.len())), "{text}");
        }
        assert_eq!(code(b"%25zz", 0), Some((b'%', 3)));
        for text in ["%", "%3", "%+3", "%zz", "%EC", "%00", "&", "&x", "&#", "&#;", "&#x;", "&#44228;", "&#58", "x"] {
            assert_eq!(code(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn identifiers_that_are_written_in_codes() {
        for (text, parts) in [
            ("s3%3A%2F%2Facme-logs%2F2026%2Fapp.log", &["acme-logs", "2026%2Fapp"][..]),
            ("arn%253Aaws%253Aiam%253A%253A618734209955%253Arole%252Fbilling", &["618734209955", "billing"]),
            ("arn&#58;aws&#58;iam&#58;&#58;618734209955&#58;role&#x2F;billing", &["618734209955", "billing"]),
            ("arn&colon;aws&colon;iam&colon;&colon;618734209955&colon;role&sol;billing", &["618734209955", "billing"]),
            ("&lt;DBUser=orders2", &["orders2"]),
            ("{&quot;DBInstanceIdentifier&quot;: &quot;orders&quot;}", &["orders"]),
            ("\"\\nhttps%3A%2F%2Facme.s3.amazonaws.com%2Fa.csv\"", &["acme", "a"]),
            ("?cmd=aws+s3+ls+--bucket+acme-logs%2Fx", &["acme-logs%2Fx"]),
            ("x%3D10.0.3.7%202600%3A1f18%3A22ab%3A%3A1", &["10.0.3.7", "2600%3A1f18%3A22ab%3A%3A1"]),
            (
                "aws_secret_access_key%3DwJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY",
                &["wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY"],
            ),
        ] {
            assert_eq!(found(text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), parts, "{text}");
        }
    }

    #[test]
    fn codes_that_belong_to_a_value_stay_in_it() {
        for (text, value) in [
            ("postgres://shop:p%40ss%2Fw0rd@db/x", "p%40ss%2Fw0rd"),
            ("\"password\": \"a%20b%22c%261\"", "a%20b%22c%261"),
        ] {
            assert!(found(text).iter().any(|(_, part)| *part == value), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn text_with_codes_and_without_identifiers() {
        for text in ["printf(\"%20s %2d\", a, b)", "Q&amp;A &quot;hello&quot; &#169; 2026", "100%25 of %3Cb%3E"] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
