//! The one pass over the text: which bytes are worth a look.

use super::Scan;
use super::boundary::is_alnum;

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
}

const ANCHORS: [Anchor; 256] = {
    let mut table = [Anchor::None; 256];
    table[b'-' as usize] = Anchor::Dash;
    table[b'.' as usize] = Anchor::Dot;
    table[b':' as usize] = Anchor::Colon;
    table[b'=' as usize] = Anchor::Equals;
    table[b'%' as usize] = Anchor::Percent;
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

impl Scan<'_, '_> {
    /// Looks at every anchor in order. A verifier that found something says where to go on.
    pub(super) fn anchors(&mut self) {
        let text = self.text;
        let mut at = 0;
        while let Some(&c) = text.get(at) {
            at = match ANCHORS[usize::from(c)] {
                Anchor::None => at + 1,
                Anchor::Dash => self.dash(at),
                Anchor::Dot => self.dot(at),
                Anchor::Colon => self.colon(at),
                Anchor::Equals => {
                    self.keyed_value(at);
                    at + 1
                }
                Anchor::Percent => self.percent(at),
                Anchor::Capital => self.capital(at),
                Anchor::Digit => self.digits(at),
            };
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
        match text.get(at + 1) {
            Some(c) if c.is_ascii_digit() => self.dotted_address(at),
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
}
