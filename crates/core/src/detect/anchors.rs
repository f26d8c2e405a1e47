//! The one pass over the text: at which bytes a verifier has a look.
//!
//! A byte that may be an anchor has a handler in [`ANCHORS`]. A handler checks what stands close by and calls verifiers;
//! it gives where to go on. Where it has something to do (it found something, or goes on further than one byte), a row
//! of [`rows`] must say so: the scan goes through the [`Sieve`] and never calls handlers elsewhere.
//!
//! A new anchor is: an entry of [`ANCHORS`] with a handler, and a row that says what must stand around it. A handler
//! that learns to accept more must have its row learn it too; `every_row_knows_its_handler` fails until it has.
//! Rows should be as narrow as they can: a candidate costs as much as a hundred bytes without one.

#[cfg(test)]
mod tests;

use once_cell::sync::OnceCell;

use super::Scan;
use super::boundary::{is_alnum, run_end};
use super::sieve::{Class, Row, Sieve};
use super::view::spells_plain;
use crate::catalog::{Catalog, SUFFIXES};

/// What a byte may be the anchor of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    None,
    Dash,
    Dot,
    Colon,
    Equals,
    Percent,
    Capital,
    Digit,
    Backslash,
}

const ANCHORS: [Anchor; 256] = {
    let mut table = [Anchor::None; 256];
    table[b'-' as usize] = Anchor::Dash;
    table[b'.' as usize] = Anchor::Dot;
    table[b':' as usize] = Anchor::Colon;
    table[b'=' as usize] = Anchor::Equals;
    table[b'%' as usize] = Anchor::Percent;
    table[b'\\' as usize] = Anchor::Backslash;
    // Access keys and unique ids of IAM begin with this letter.
    table[b'A' as usize] = Anchor::Capital;
    let mut digit = b'0';
    while digit <= b'9' {
        table[digit as usize] = Anchor::Digit;
        digit += 1;
    }
    table
};

/// Fewest characters after a dash that make an id.
const MIN_BODY: usize = 8;

/// The sieve that lets the anchors through.
pub(super) fn sieve(catalog: &'static Catalog) -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| Sieve::new(rows(catalog)))
}

/// What must stand around each anchor, for all handlers.
fn rows(catalog: &Catalog) -> Vec<Row> {
    let alnum = Class::of(is_alnum);
    let digit = Class::of(|c| c.is_ascii_digit());
    let hex = Class::of(|c| c.is_ascii_hexdigit());
    let quote = Class::bytes(b"\"'`");
    let iam = |at: usize| Class::of(|c| catalog.prefixes.unique_ids().any(|prefix| prefix.get(at) == Some(&c)));
    let mut rows = vec![
        // `vpc-0ab…`: at least eight characters after the dash.
        Row::at(b"-").before(alnum).next(alnum).second(alnum).eighth(alnum),
        // `ip-10-0-1-5`.
        Row::at(b"-").before(Class::bytes(b"p")).next(digit),
        // `-----BEGIN `.
        Row::at(b"-").next(Class::bytes(b"-")).second(Class::bytes(b"-")).eighth(Class::bytes(b"I")),
        // `arn:aws`, `arn%3Aaws`.
        Row::at(b":%").before(Class::bytes(b"n")).next(Class::bytes(b"a3")).second(Class::bytes(b"wAa")),
        // `s3://`, `s3a://`, `s3n://`.
        Row::at(b":").before(Class::bytes(b"3an")).next(Class::bytes(b"/")).second(Class::bytes(b"/")),
        // `2001:db8::1`.
        Row::at(b":").before(hex).next(Class::of(|c| c.is_ascii_hexdigit() || c == b':')),
        // `"Key": `, `'key'=`.
        Row::at(b":=").before(quote),
        // `key=`, `Key: `, `key = `, `| key | value |`.
        Row::at(b":=").before(Class::of(|c| is_alnum(c) || b"_- \t|".contains(&c))),
        // `AKIA…`.
        Row::at(b"A").next(iam(1)).second(iam(2)).eighth(Class::of(is_upper)),
        // `123456789012`, `1234-5678-9012`.
        Row::at(b"0123456789").next(digit).second(digit).eighth(digit),
        // `10.0.1.5`: the second byte after the first dot is a digit or the second dot.
        Row::at(b".").before(digit).next(digit).second(Class::of(|c| c.is_ascii_digit() || c == b'.')),
        // `\u0069`, `\/`.
        Row::at(b"\\").next(Class::bytes(b"u")).second(hex),
        Row::at(b"\\").next(Class::bytes(b"/")),
    ];
    // `.amazonaws.com` and what else begins so; other long domains; `.on.aws`.
    let groups: [fn(&str) -> bool; 3] = [
        |suffix| suffix.len() >= 8 && suffix.starts_with('a'),
        |suffix| suffix.len() >= 8 && !suffix.starts_with('a'),
        |suffix| suffix.len() < 8,
    ];
    for belongs in groups {
        let suffixes: Vec<&str> = SUFFIXES.iter().copied().filter(|suffix| belongs(suffix)).collect();
        let class = |at: usize| {
            Class::of(|c| suffixes.iter().any(|s| s.as_bytes().get(at).is_some_and(|s| s.eq_ignore_ascii_case(&c))))
        };
        let row = Row::at(b".").next(class(0)).second(class(1));
        rows.push(if suffixes.iter().all(|suffix| suffix.len() >= 8) { row.eighth(class(7)) } else { row });
    }
    rows
}

fn is_upper(c: u8) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

impl Scan<'_, '_> {
    /// Looks at every anchor in order.
    ///
    /// Ends early, and gives the offset, at the first escape that a [`super::view::View`] resolves, unless the text is
    /// such a view already.
    pub(super) fn anchors(&mut self) -> Option<usize> {
        let detector = self.detector;
        let text = self.text;
        detector.sieve.each(detector.lanes, text, |at| self.visit(at));
        self.escape
    }

    /// Calls the handler of the byte at `at`; gives where to go on.
    fn visit(&mut self, at: usize) -> usize {
        let Some(&c) = self.text.get(at) else { return at + 1 };
        match ANCHORS[usize::from(c)] {
            Anchor::None => at + 1,
            Anchor::Dash => self.dash(at),
            Anchor::Dot => self.dot(at),
            Anchor::Colon => self.colon(at),
            Anchor::Equals => {
                self.keyed_value(at);
                at + 1
            }
            Anchor::Percent => self.percent(at),
            Anchor::Capital => self.capital_letter(at),
            Anchor::Digit => self.digit(at),
            Anchor::Backslash => self.backslash(at),
        }
    }

    fn dash(&mut self, at: usize) -> usize {
        let text = self.text;
        match text.get(at + 1) {
            Some(b'-') if text[at..].starts_with(b"-----BEGIN ") => self.private_key(at),
            Some(&c) if is_alnum(c) => match text.get(at + 1..at + 1 + MIN_BODY) {
                Some(body) if body.iter().all(|&c| is_alnum(c)) => self.prefixed_at(at),
                _ if c.is_ascii_digit() => self.dashed_address(at),
                _ => at + 1,
            },
            _ => at + 1,
        }
    }

    fn dot(&mut self, at: usize) -> usize {
        let text = self.text;
        let digits_end = run_end(text, at + 1, 4, |c| c.is_ascii_digit());
        match text.get(at + 1) {
            Some(c) if c.is_ascii_digit() => {
                // Floating-point numbers have one dot.
                let is_joined = at > 0 && text[at - 1].is_ascii_digit() && text.get(digits_end) == Some(&b'.');
                if is_joined { self.dotted_address(at) } else { at + 1 }
            }
            Some(c) if c.is_ascii_alphabetic() => self.host(at),
            _ => at + 1,
        }
    }

    fn colon(&mut self, at: usize) -> usize {
        let text = self.text;
        if text[..at].ends_with(b"arn") {
            let end = self.arn(at);
            if end > at {
                return end;
            }
        }
        if text[at..].starts_with(b"://") && text[..at].last().is_some_and(|c| matches!(c, b'3' | b'a' | b'n')) {
            let end = self.s3_url(at);
            if end > at {
                return end;
            }
        }
        let end = self.colon_address(at);
        if end > at {
            return end;
        }
        self.keyed_value(at);
        at + 1
    }

    fn percent(&mut self, at: usize) -> usize {
        let text = self.text;
        if text[..at].ends_with(b"arn") && text[at..].len() > 3 && text[at..at + 3].eq_ignore_ascii_case(b"%3A") {
            let end = self.arn(at);
            if end > at {
                return end;
            }
        }
        at + 1
    }

    /// The letter that unique ids of IAM begin with.
    fn capital_letter(&mut self, at: usize) -> usize {
        match self.text.get(at..at + 9) {
            Some(run)
                if run.iter().all(|&c| is_upper(c)) && !self.detector.catalog.prefixes.get(&run[..4]).is_empty() =>
            {
                self.capital(at)
            }
            _ => at + 1,
        }
    }

    fn digit(&mut self, at: usize) -> usize {
        match self.text.get(at..at + 9) {
            Some([_, b, c, .., last]) if [b, c, last].iter().all(|c| c.is_ascii_digit()) => self.digits(at),
            _ => at + 1,
        }
    }

    fn backslash(&mut self, at: usize) -> usize {
        if self.is_raw && spells_plain(self.text, at) {
            self.escape = Some(at);
            return self.text.len();
        }
        at + 1
    }
}
