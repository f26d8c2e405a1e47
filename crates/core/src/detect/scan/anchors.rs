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

use crate::catalog::{Catalog, FirstSight, SUFFIXES};
use crate::detect::Scan;
use crate::detect::api::positional;
use crate::detect::credential::procedure;
use crate::detect::layout::table;
use crate::detect::scan::sieve::{Class, Row, Sieve};
use crate::detect::setting::index::before_index;
use crate::detect::setting::key::key_end;
use crate::detect::setting::setter;
use crate::detect::text::boundary::{class, is_alnum, run_end};
use crate::detect::text::encoded::may_be_reference;
use crate::detect::text::view::{self, spells_plain};

/// How far a scan came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Pass {
    /// To the end.
    Whole,
    /// To the first escape that a [`view::View`] resolves: the text has to be looked at through one.
    MetEscape,
}

/// What a byte may be the anchor of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    None,
    Dash,
    Underscore,
    Dot,
    Colon,
    Equals,
    Code,
    Capital,
    SessionToken,
    Digit,
    Backslash,
    Bar,
    Bracket,
    SquareBracket,
    Border,
}

const ANCHORS: [Anchor; 256] = {
    let mut table = [Anchor::None; 256];
    table[b'-' as usize] = Anchor::Dash;
    table[b'_' as usize] = Anchor::Underscore;
    table[b'.' as usize] = Anchor::Dot;
    table[b':' as usize] = Anchor::Colon;
    table[b'=' as usize] = Anchor::Equals;
    table[b'%' as usize] = Anchor::Code;
    table[b'&' as usize] = Anchor::Code;
    table[b'\\' as usize] = Anchor::Backslash;
    // Between the cells of a table.
    table[b'|' as usize] = Anchor::Bar;
    // Only `("`, in `.bucket("acme-logs")`.
    table[b'(' as usize] = Anchor::Bracket;
    // The time in a log.
    table[b'[' as usize] = Anchor::SquareBracket;
    // Between the columns of a table.
    table[b',' as usize] = Anchor::Border;
    table[b';' as usize] = Anchor::Border;
    table[b'\t' as usize] = Anchor::Border;
    table[b' ' as usize] = Anchor::Border;
    // Access keys and unique ids of IAM begin with this letter.
    table[b'A' as usize] = Anchor::Capital;
    table[b'I' as usize] = Anchor::SessionToken;
    table[b'F' as usize] = Anchor::SessionToken;
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
pub(in crate::detect) fn sieve(catalog: &'static Catalog) -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| Sieve::new(rows(catalog)))
}

/// What keys for Bedrock begin with.
pub(in crate::detect) const BEDROCK_KEY: &[u8] = b"ABSK";
/// What every part of a JSON web token but the last begins with.
pub(in crate::detect) const WEB_TOKEN: &str = "eyJ";
/// What a token for the Kubernetes API has after its dot: base64 of `https`.
pub(in crate::detect) const EKS_TOKEN: &str = "aHR0";

/// What must stand around each anchor, for all handlers.
fn rows(catalog: &Catalog) -> Vec<Row> {
    let alnum = Class::of(is_alnum);
    let alpha = Class::of(|c| c.is_ascii_alphabetic());
    let digit = Class::of(|c| c.is_ascii_digit());
    let hex = Class::of(|c| c.is_ascii_hexdigit());
    let quote = Class::bytes(b"\"'`");
    let begins = |prefix: &[u8], at: usize, c: u8| prefix.get(at) == Some(&c);
    let iam = |at: usize| {
        Class::of(|c| begins(BEDROCK_KEY, at, c) || catalog.prefixes.unique_ids().any(|prefix| begins(prefix, at, c)))
    };
    let mut rows = vec![
        // `vpc-0ab…`: at least eight characters after the dash; ` -BucketName acme-logs`.
        Row::at(b"-").before(Class::of(|c| is_alnum(c) || c == b' ')).next(alnum).second(alnum).eighth(alnum),
        // `ip-10-0-1-5`, `us-east-1_aB3dEf9Gh`.
        Row::at(b"-").before(Class::bytes(b"pthl")).next(digit),
        // `acme--usw2-az1--x-s3`, `…-s3alias`.
        Row::at(b"-").before(alnum).next(Class::bytes(b"s")).second(Class::bytes(b"3")),
        // `dt_2wjDZi3h…`, `jr_3f2a9c8b…`.
        Row::at(b"_").before(Class::bytes(b"tgr")).next(hex).second(alnum).eighth(alnum),
        // `--bucket acme-logs`, `-----BEGIN `, from the last dash on.
        Row::at(b"-").before(Class::bytes(b"-")).next(alpha),
        // `arn:aws`.
        Row::at(b":").before(Class::bytes(b"nN")).next(Class::bytes(b"aA")).second(Class::bytes(b"wW")),
        // `arn:${AWS::Partition}`.
        Row::at(b":").before(Class::bytes(b"nN")).next(Class::bytes(b"$")).second(Class::bytes(b"{")),
        // `%3A`; letters and digits are not written so.
        Row::at(b"%").next(Class::bytes(b"0234567")).second(hex),
        // `&quot;`, `&apos;`, `&amp;`, `&#58;`, `&#x3A;`.
        Row::at(b"&").next(Class::of(|c| may_be_reference(0, c))).second(Class::of(|c| may_be_reference(1, c))),
        // `s3://`, `postgres://user:password@`.
        Row::at(b":").before(alnum).next(Class::bytes(b"/")).second(Class::bytes(b"/")),
        // `2001:db8::1`.
        Row::at(b":").before(hex).next(Class::of(|c| c.is_ascii_hexdigit() || c == b':')),
        // `"Key": `, `'key'=`.
        Row::at(b":=").before(quote),
        // `key=`, `Key: `, `key = `.
        Row::at(b":=").before(Class::of(|c| is_alnum(c) || b" \t*".contains(&c))),
        // `| key | value |`.
        Row::at(b"|").before(Class::of(|c| is_alnum(c) || b" \t".contains(&c))),
        // `PASSWORD ?= x`, `PASSWORD?=x`.
        Row::at(b"=").before(Class::bytes(b"?")),
        // `["BucketName"]=>`.
        Row::at(b"=").before(Class::bytes(b"]")).next(Class::bytes(b">")),
        // `.bucket("acme-logs")`.
        Row::at(b"(").before(alnum).next(Class::bytes(b"\"'\\")),
        // `define( 'DB_PASSWORD', `.
        Row::at(b"(").before(alnum).next(Class::bytes(b" ")).second(Class::bytes(b"\"'\\")),
        // `bucket [06/Feb/2019:…`.
        Row::at(b"[").before(Class::bytes(b" ")).next(digit).second(digit).eighth(digit),
        // `AKIA…`, `ABSKQmVkcm9ja0…`, which is base64 of `Bedrock`.
        Row::at(b"A").next(iam(1)).second(iam(2)).eighth(Class::of(|c| is_upper(c) || c == b'c')),
        // `IQoJb3JpZ2lu…`, `FwoGZXIvYXdz…`.
        Row::at(b"IF").next(Class::bytes(b"Qw")).second(Class::bytes(b"o")).eighth(alnum),
        // `123456789012`, `1234-5678-9012`.
        Row::at(b"0123456789").next(digit).second(digit).eighth(digit),
        // `10.0.1.5`: the second byte after the first dot is a digit or the second dot.
        Row::at(b".").before(digit).next(digit).second(Class::of(|c| c.is_ascii_digit() || c == b'.')),
    ];
    rows.extend(view::rows());
    rows.extend(table::rows());
    // `.amazonaws.com` and what else begins so; other long domains; `.on.aws`, with the tokens that go on after a dot.
    let groups: [fn(&str) -> bool; 3] = [
        |suffix| suffix.len() >= 8 && suffix.starts_with('a'),
        |suffix| suffix.len() >= 8 && !suffix.starts_with('a'),
        |suffix| suffix.len() < 8,
    ];
    for belongs in groups {
        let beginnings = SUFFIXES.iter().copied().chain([WEB_TOKEN, EKS_TOKEN]);
        let suffixes: Vec<&str> = beginnings.filter(|suffix| belongs(suffix)).collect();
        let class = |at: usize| {
            Class::of(|c| suffixes.iter().any(|s| s.as_bytes().get(at).is_some_and(|s| s.eq_ignore_ascii_case(&c))))
        };
        let row = Row::at(b".").next(class(0)).second(class(1));
        rows.push(if suffixes.iter().all(|suffix| suffix.len() >= 8) { row.eighth(class(7)) } else { row });
    }
    rows
}

#[inline]
fn is_digit(c: u8) -> bool {
    c.is_ascii_digit()
}

/// How far before an anchor, and how far from it on, its surroundings reach.
const BEFORE: usize = 5;
const BEHIND: usize = 11;

/// What stands around a byte that may be an anchor, which is the one at [`BEFORE`]; zeros stand outside of the text, where
/// nothing is that a handler looks for. One check of bounds is enough for all that is asked about it.
type Near = [u8; BEFORE + BEHIND];

/// The surroundings of `at`.
#[inline(always)]
fn near(text: &[u8], at: usize) -> Near {
    // Far beyond the text where less stands before it.
    let from = at.wrapping_sub(BEFORE);
    match text.get(from..from.wrapping_add(BEFORE + BEHIND)).and_then(<[u8]>::first_chunk) {
        Some(near) => *near,
        None => near_end(text, at),
    }
}

#[cold]
fn near_end(text: &[u8], at: usize) -> Near {
    std::array::from_fn(|place| (at + place).checked_sub(BEFORE).and_then(|at| text.get(at)).copied().unwrap_or(0))
}

/// False for nearly all that follows a dash and is no id: a date, a word.
#[inline(always)]
fn may_begin_body(near: &Near) -> bool {
    let [.., _, second, _, _, fifth, _, _, _, _, _] = *near;
    second == b'_' || fifth == b'-' || near[BEFORE + 1..][..MIN_BODY].iter().all(|&c| is_alnum(c))
}

/// False when the colon in the middle does not end the first group of an IPv6 address.
#[inline(always)]
fn may_end_group(near: &Near) -> bool {
    let [before_group, first, second, _, _, _, next, ..] = *near;
    let is_hex = |c| class::of(c) & class::HEX != 0;
    // Times of day have colons, too; all groups but the first have one before them.
    (next == b':' || is_hex(next)) && is_hex(second) && is_hex(first) && before_group != b':'
}

/// Longest number before the second dot of an address, with a digit too many.
const MAX_OCTET: usize = 4;

/// False for the dot of a number with a fraction: behind that of an address there is a second one.
#[inline(always)]
fn may_join_octets(near: &Near) -> bool {
    near[BEFORE + 2..][..MAX_OCTET].iter().fold(false, |met, &c| met | (c == b'.'))
}

/// The two letters that something begins with which goes on after a dot, a bit each.
const DOMAIN_BEGINNINGS: [u32; 32] = {
    let mut beginnings = [0; 32];
    let mut i = 0;
    while i < SUFFIXES.len() + 2 {
        let beginning = match i.checked_sub(SUFFIXES.len()) {
            None => SUFFIXES[i],
            Some(0) => WEB_TOKEN,
            Some(_) => EKS_TOKEN,
        };
        let beginning = beginning.as_bytes();
        beginnings[(beginning[0] & 31) as usize] |= 1 << (beginning[1] & 31);
        i += 1;
    }
    beginnings
};

#[inline(always)]
fn begins_domain(first: u8, second: u8) -> bool {
    first.is_ascii_alphabetic() && DOMAIN_BEGINNINGS[usize::from(first & 31)] >> (second & 31) & 1 == 1
}

/// What the byte before a separator says of the key.
const KEY_ENDS: [KeyEnd; 256] = {
    let mut ends = [KeyEnd::Nowhere; 256];
    let mut c: u8 = 0;
    while c < 128 {
        if c.is_ascii_alphanumeric() {
            ends[c as usize] = KeyEnd::Here;
        } else if matches!(c, b'"' | b'\'' | b'`' | b' ' | b'\t' | b'*' | b'?' | b']') {
            ends[c as usize] = KeyEnd::Before;
        }
        c += 1;
    }
    ends
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyEnd {
    /// There is none.
    Nowhere,
    /// It ends with this byte.
    Here,
    /// It ends before this one, or before others.
    Before,
}

/// False when what stands before the separator at `at` is no key; most keys of a text mean nothing.
#[inline(always)]
fn may_be_key(keys: &FirstSight, text: &[u8], at: usize, near: &Near) -> bool {
    let [e, d, c, b, a, ..] = *near;
    match KEY_ENDS[usize::from(a)] {
        KeyEnd::Nowhere => false,
        KeyEnd::Here => keys.may_be_last([d, c, b, a]) || is_digit(a) && may_be_numbered(keys, text, at),
        // A type of Go may stand behind the key.
        KeyEnd::Before if is_alnum(b) && !is_digit(b) && [e, d, c, b] != *b"ring" => keys.may_be_last([e, d, c, b]),
        KeyEnd::Before => {
            let end = key_end(text, at);
            keys.may_end(&text[..end]) || may_be_numbered(keys, text, end)
        }
    }
}

/// False when what ends at `end` is no key with the number of its value.
#[inline(never)]
fn may_be_numbered(keys: &FirstSight, text: &[u8], end: usize) -> bool {
    before_index(text, end).is_some_and(|end| keys.may_end(&text[..end]))
}

/// True for what a string begins with behind a bracket, perhaps with a blank between.
#[inline(always)]
fn may_open_string(next: u8, second: u8) -> bool {
    let is_quote = |c| matches!(c, b'"' | b'\'' | b'\\');
    is_quote(next) || next == b' ' && is_quote(second)
}

fn is_upper(c: u8) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

impl Scan<'_, '_> {
    /// Looks at every anchor in order.
    pub(in crate::detect) fn anchors(&mut self) -> Pass {
        let detector = self.detector;
        let (text, keys) = (self.text, detector.catalog.members.first_sight());
        detector.sieve.each(detector.lanes, text, |at| self.visit(text, keys, at));
        if self.met_escape { Pass::MetEscape } else { Pass::Whole }
    }

    /// Calls the handler of the byte at `at` of `text`, the scan's own; gives where to go on.
    ///
    /// What turns most bytes down stands here, in the loop over all of them; the handlers are calls. Each is called from
    /// where its byte was told from the others: asking twice costs as much as a handler.
    #[inline(always)]
    fn visit(&mut self, text: &[u8], keys: &FirstSight, at: usize) -> usize {
        let near = &near(text, at);
        let [_, _, _, _, before, c, next, second, ..] = *near;
        match ANCHORS[usize::from(c)] {
            Anchor::Dash if next == b's' && second == b'3' && is_alnum(before) => self.name_of_s3(at),
            Anchor::Dash if matches!(before, b'-' | b'p' | b'y') || may_begin_body(near) => self.dash(at),
            Anchor::Underscore if matches!(before, b't' | b'g') && is_digit(next) && is_alnum(second) => {
                self.ksuid_at(at)
            }
            Anchor::Underscore if before == b'r' => self.job_run(at),
            Anchor::Dot
                if is_digit(next) && is_digit(before) && may_join_octets(near) || begins_domain(next, second) =>
            {
                self.dot(at)
            }
            Anchor::Colon if is_alnum(before) && (matches!(next, b'a' | b'A' | b'/' | b'$') || may_end_group(near)) => {
                self.colon(at)
            }
            Anchor::Colon | Anchor::Equals if may_be_key(keys, text, at, near) => {
                self.separator(at);
                at + 1
            }
            Anchor::Bar if may_be_key(keys, text, at, near) => {
                self.cell(at);
                at + 1
            }
            Anchor::SquareBracket if before == b' ' && is_digit(next) => self.access_log(at),
            Anchor::Bracket if setter::may_end_setter(text, at) && may_open_string(next, second) => {
                self.set_in_call(at);
                if next != b' ' {
                    self.builder(at);
                }
                at + 1
            }
            Anchor::Bracket
                if matches!(next, b'"' | b'\'' | b'\\')
                    && (may_be_key(keys, text, at, near)
                        || positional::may_end_method(text, at)
                        || procedure::may_end_procedure(text, at)) =>
            {
                self.builder(at);
                at + 1
            }
            Anchor::Digit => match near[BEFORE..] {
                // `2025-03-14`
                [_, b, c, d, b'-', _, _, _, eighth, last, _]
                    if [b, c, d, eighth].into_iter().all(is_digit) && last != b'-' =>
                {
                    at + 4
                }
                _ => self.digit(at),
            },
            Anchor::Border if table::may_be_border([before, c, next, second]) => {
                self.border(at);
                at + 1
            }
            Anchor::Code => self.code(at),
            Anchor::Capital => self.capital_letter(at),
            Anchor::SessionToken => self.session_token(at),
            Anchor::Backslash => self.backslash(at),
            _ => at + 1,
        }
    }

    #[inline(never)]
    fn dash(&mut self, at: usize) -> usize {
        let text = self.text;
        let Some(&c) = text.get(at + 1) else { return at + 1 };
        if at > 0 && text[at - 1] == b'-' && c.is_ascii_alphabetic() {
            if text[at + 1..].starts_with(b"BEGIN ") && text[..=at].ends_with(b"-----") {
                return self.private_key(at - 4);
            }
            self.option(at);
        }
        // `-BucketName` in PowerShell.
        let is_long = [at + 2, at + MIN_BODY].into_iter().all(|at| text.get(at).is_some_and(|&c| is_alnum(c)));
        if at > 0 && text[at - 1] == b' ' && c.is_ascii_uppercase() && is_long {
            self.option(at);
        }
        if text[at + 1..].starts_with(b"certificate.pem") {
            self.certificate_file(at);
        }
        match text.get(at + 1..at + 1 + MIN_BODY) {
            // What follows is base64 of `bedrock.amazonaws.com/`, so these have to be letters.
            Some(&[first, second, .., eighth])
                if at > 0
                    && text[at - 1] == b'y'
                    && text[..at].ends_with(b"bedrock-api-key")
                    && [first, second, eighth].into_iter().all(is_alnum) =>
            {
                self.bedrock_short_key(at)
            }
            Some([_, _, _, _, b'-', _, _, _]) if text.get(at + 10) == Some(&b'-') => self.uuid_at(at),
            Some([digit, b'_', ..]) if digit.is_ascii_digit() => self.user_pool(at),
            Some(body) if body.iter().all(|&c| is_alnum(c)) => {
                let is_suffix = body.iter().any(u8::is_ascii_uppercase)
                    && body.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
                match is_suffix.then(|| self.physical_id(at)).flatten() {
                    Some(end) => end,
                    None => self.prefixed_at(at),
                }
            }
            // Dates are full of these.
            _ if c.is_ascii_digit() && text[..at].ends_with(b"ip") => self.dashed_address(at),
            _ => at + 1,
        }
    }

    #[inline(never)]
    fn dot(&mut self, at: usize) -> usize {
        let text = self.text;
        match text.get(at + 1) {
            Some(c) if c.is_ascii_digit() => {
                // Floating-point numbers have one dot.
                let digits_end = run_end(text, at + 1, MAX_OCTET, is_digit);
                let is_joined = at > 0 && is_digit(text[at - 1]) && text.get(digits_end) == Some(&b'.');
                if is_joined { self.dotted_address(at) } else { at + 1 }
            }
            Some(b'e') if text[at + 1..].starts_with(WEB_TOKEN.as_bytes()) => self.web_token(at),
            Some(b'a') if text[at + 1..].starts_with(EKS_TOKEN.as_bytes()) => self.eks_token(at),
            Some(c) if c.is_ascii_alphabetic() => self.host(at),
            _ => at + 1,
        }
    }

    #[inline(never)]
    fn colon(&mut self, at: usize) -> usize {
        let text = self.text;
        let before = at.checked_sub(1).map_or(b' ', |before| text[before]);
        // A quote or a blank comes before most colons of JSON.
        if is_alnum(before) {
            if matches!(before, b'n' | b'N')
                && text[at.saturating_sub(3)..]
                    .get(..6)
                    .is_some_and(|found| found.eq_ignore_ascii_case(b"arn:aw") || found == b"arn:${")
            {
                let end = self.arn(at);
                if end > at {
                    return end;
                }
            }
            if text[at..].starts_with(b"://") {
                self.url_password(at);
                if is_digit(before) || matches!(before, b'a' | b'n') {
                    let end = self.s3_url(at);
                    if end > at {
                        return end;
                    }
                }
            }
            if before.is_ascii_hexdigit() && text.get(at + 1).is_some_and(|&c| c.is_ascii_hexdigit() || c == b':') {
                let end = self.colon_address(at);
                if end > at {
                    return end;
                }
            }
            let members = &self.detector.catalog.members;
            let is_known = |end: usize| members.may_end_at_first_sight(&text[..end]);
            if !is_known(at) && !before_index(text, at).is_some_and(is_known) {
                return at + 1;
            }
        }
        self.separator(at);
        at + 1
    }

    /// What may stand between a key and its value.
    #[inline(never)]
    fn separator(&mut self, at: usize) {
        let text = self.text;
        let Some(&before) = text[..at].last() else { return };
        let end = match KEY_ENDS[usize::from(before)] {
            KeyEnd::Nowhere => return,
            KeyEnd::Here => at,
            KeyEnd::Before => key_end(text, at),
        };
        let members = &self.detector.catalog.members;
        if members.may_mean_something(&text[..end]) {
            self.keyed_value(at, end);
        } else if let Some(end) = before_index(text, end)
            && members.may_mean_something(&text[..end])
        {
            self.keyed_value(at, end);
        }
    }

    /// The letter that unique ids of IAM begin with.
    #[inline(never)]
    fn capital_letter(&mut self, at: usize) -> usize {
        let prefixes = &self.detector.catalog.prefixes;
        match self.text.get(at..at + 9) {
            Some(run) if run.starts_with(BEDROCK_KEY) && matches!(run[8], b'c') => self.bedrock_key(at),
            Some(run)
                if run.iter().all(|&c| is_upper(c))
                    && !(prefixes.get(&run[..4]).is_empty() && prefixes.get(&run[..3]).is_empty()) =>
            {
                self.capital(at)
            }
            _ => at + 1,
        }
    }

    #[inline(never)]
    fn digit(&mut self, at: usize) -> usize {
        match self.text.get(at..at + 9) {
            Some([_, b, c, .., last]) if [b, c, last].iter().all(|&&c| is_digit(c)) => self.digits(at),
            _ => at + 1,
        }
    }

    #[inline(never)]
    fn backslash(&mut self, at: usize) -> usize {
        let [_, _, _, _, before, c, next, second, ..] = near(self.text, at);
        if table::may_be_border([before, c, next, second]) {
            self.border(at);
            return at + 1;
        }
        if self.is_raw && spells_plain(self.text, at) {
            self.met_escape = true;
            return self.text.len();
        }
        at + 1
    }
}
