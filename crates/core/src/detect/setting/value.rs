//! Values: where one begins and ends, and whether it may be what its key announces.

use std::ops::Range;

use crate::catalog::ValueShape;
use crate::detect::credential::password::is_password;
use crate::detect::credential::secret::{is_base64, is_nearly_secret_key, is_secret_key};
use crate::detect::evidence::own::{is_domain, is_joined, is_of_manual, is_own, is_own_value};
use crate::detect::evidence::placeholder::is_placeholder;
use crate::detect::evidence::published::is_published;
use crate::detect::setting::variable::end_of_literal;
use crate::detect::shape::arn::{is_account, is_region};
use crate::detect::shape::opaque::is_opaque;
use crate::detect::shape::prefixed::uuid_end;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end};
use crate::detect::text::word_list::WordList;
use crate::token::is_token_shaped;

/// Longest value looked at.
const MAX_VALUE: usize = 4096;
/// Longest name that AWS takes (log groups and secrets: 512).
const MAX_NAME: usize = 512;
/// Most digits of a version that a name could begin with.
const MAX_VERSION: usize = 4;
/// Longest family of instance types: `c7i-flex`.
const MAX_FAMILY: usize = 10;
/// Behind the name of a function, as AWS Lambda takes it.
const LATEST: &[u8] = b":$LATEST";
/// Shortest value that is a token for how it looks, and how often letters and digits take turns in it at least.
const MIN_SHORT_TOKEN: usize = 10;
const MIN_TURNS: usize = 3;
/// Longest path of identifiers before the quote in `aws.String("…")`.
const MAX_WRAPPER: usize = 32;

/// A value where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::detect) struct Value {
    pub(in crate::detect) start: usize,
    pub(in crate::detect) end: usize,
    /// Where to read on.
    pub(in crate::detect) next: usize,
    pub(in crate::detect) quoted: bool,
}

/// A stretch without a byte that ends a bare value. Values that are the end of each other read it once.
#[derive(Debug, Default)]
pub(in crate::detect) struct BareRun {
    start: usize,
    end: usize,
}

/// The value at `at`.
pub(in crate::detect) fn value(text: &[u8], at: usize, run: &mut BareRun) -> Option<Value> {
    quoted_value(text, at).or_else(|| bare(text, at, run))
}

/// The value at `at`, if that is in quotes.
pub(in crate::detect) fn quoted_value(text: &[u8], at: usize) -> Option<Value> {
    let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    match text.get(slashes)? {
        &quote @ (b'"' | b'\'' | b'`') => quoted(text, slashes, slashes - at, quote),
        _ if slashes == at => wrapped(text, at),
        _ => None,
    }
}

fn quoted(text: &[u8], open: usize, slashes: usize, quote: u8) -> Option<Value> {
    let start = open + 1;
    let end = run_end(text, start, MAX_VALUE, |c| c != quote && c != b'\\' && c != b'\n');
    let close = run_end(text, end, slashes, |c| c == b'\\');
    (text.get(close) == Some(&quote)).then_some(Value { start, end, next: close + 1, quoted: true })
}

/// `aws.String("…")` and the like.
fn wrapped(text: &[u8], at: usize) -> Option<Value> {
    let open = run_end(text, at, MAX_WRAPPER, |c| is_alnum(c) || matches!(c, b'.' | b'_' | b':' | b'&'));
    if text.get(open) != Some(&b'(') || !text[at..open].to_ascii_lowercase().ends_with(b"string") {
        return None;
    }
    let slashes = run_end(text, open + 1, MAX_BACKSLASHES, |c| c == b'\\');
    match text.get(slashes) {
        Some(&quote @ (b'"' | b'\'')) => quoted(text, slashes, slashes - open - 1, quote),
        _ => None,
    }
}

fn bare(text: &[u8], at: usize, run: &mut BareRun) -> Option<Value> {
    let limit = at + MAX_VALUE;
    if !(run.start..run.end).contains(&at) {
        *run = BareRun { start: at, end: at };
    }
    let known = run.end.min(limit);
    let end = run_end(text, known, limit - known, |c| {
        c.is_ascii_graphic()
            && !matches!(c, b',' | b';' | b'"' | b'\'' | b'`' | b'}' | b']' | b')' | b'&' | b'\\' | b'<' | b'>' | b'|')
    });
    run.end = run.end.max(end);
    // The end of bold text.
    let end = end - if text[at..end].ends_with(b"**") { 2 } else { 0 };
    // `- name: value`: the item of a list begins with a key.
    (end > at && text[end - 1] != b':').then_some(Value { start: at, end, next: end, quoted: false })
}

/// Where of a value what has this shape stands: a bare one may end before [`bare`] says so.
pub(in crate::detect) fn shape_range(text: &[u8], value: Value, shape: ValueShape) -> Range<usize> {
    let Value { start, end, quoted, .. } = value;
    let run = |start: usize, member: fn(u8) -> bool| start..run_end(text, start, end - start, member);
    match shape {
        // `_` and `-` are no characters of a key, but they may be glued to it.
        ValueShape::SecretKey => run(run(start, |c| !is_base64(c)).end, is_base64),
        // `acme-prod (618734209955)`, as the console has it.
        ValueShape::Account if text[start..end].ends_with(b")") => {
            let open = memchr::memrchr(b'(', &text[start..end]).map_or(start, |open| start + open + 1);
            run(open, |c| c.is_ascii_digit())
        }
        ValueShape::Account if !quoted => run(start, is_alnum),
        ValueShape::Base64 if !quoted => run(start, is_base64_char),
        // `Z0123456789ABCDEFGHIJ_www.acme.io_CNAME`, the id of a record in Terraform.
        ValueShape::ZoneId if text[start] == b'Z' => run(start, |c| c != b'_'),
        ValueShape::BucketPath if is_url_or_arn(&text[start..end]) => start..start,
        ValueShape::BucketPath => {
            let bucket = start + usize::from(text[start] == b'/');
            bucket..run_end(text, bucket, end.saturating_sub(bucket), |c| c != b'/')
        }
        ValueShape::Reference if is_url_or_arn(&text[start..end]) => start..start,
        ValueShape::Reference => run(start, |c| c != b':'),
        _ if is_name_shape(shape) => {
            let end = end_of_literal(text, start, end);
            // `orders:$LATEST`, a function with its version.
            start..end - if text[start..end].ends_with(LATEST) { LATEST.len() } else { 0 }
        }
        _ => start..end,
    }
}

fn is_url_or_arn(body: &[u8]) -> bool {
    body.starts_with(b"arn:") || memchr::memmem::find(body, b"://").is_some()
}

fn is_base64_char(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'+' | b'/' | b'=' | b'-' | b'_' | b'%' | b'~')
}

/// A quoted value with everything in it, escaped quotes too.
pub(in crate::detect) fn whole_quoted(text: &[u8], at: usize) -> Option<Value> {
    let open = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let depth = open - at;
    let quote = *text.get(open).filter(|c| matches!(c, b'"' | b'\''))?;
    let limit = text.len().min(open + MAX_VALUE);
    let mut end = open + 1;
    while end < limit {
        end += memchr::memchr(quote, &text[end..limit])?;
        let slashes = text[open + 1..end].iter().rev().take_while(|&&c| c == b'\\').count();
        if slashes == depth {
            return Some(Value { start: open + 1, end: end - depth, next: end + 1, quoted: true });
        }
        end += 1;
    }
    None
}

/// What stands around a value and says how far it is to be believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Setting {
    /// The argument of an option of a command.
    Told,
    /// Quoted: it is a value.
    Sure,
    /// Bare, at the end of its line.
    Line,
    /// Bare, with more after it, or after ` = `: it may be code or prose.
    Open,
}

impl Setting {
    pub(in crate::detect) fn is_sure(self) -> bool {
        matches!(self, Self::Told | Self::Sure)
    }
}

/// Whether the value may be what its key announces.
pub(in crate::detect) fn is_believable(shape: ValueShape, body: &[u8], setting: Setting) -> bool {
    if is_token_shaped(body) || is_name_shape(shape) && body.len() > MAX_NAME {
        return false;
    }
    let all = |member: fn(u8) -> bool| body.iter().all(|&c| member(c));
    let has_digit = body.iter().any(u8::is_ascii_digit);
    match shape {
        ValueShape::Account => is_account(body) || is_rounded_account(body),
        ValueShape::SecretKey => is_secret_key(body) || setting != Setting::Open && is_nearly_secret_key(body),
        ValueShape::Base64 => body.len() >= 16 && all(is_base64_char),
        ValueShape::CredentialScope => body.len() > 30 && memchr::memmem::find(body, b"aws4_request").is_some(),
        ValueShape::Token => {
            let enough = if setting.is_sure() { 16 } else { 20 };
            (body.len() >= enough || setting != Setting::Open && is_short_token(body))
                && has_digit
                && all(|c| c.is_ascii_graphic())
                && !is_placeholder(body)
                && !is_code(body, setting)
                && !is_path(body)
        }
        ValueShape::Password => is_password(body, setting),
        ValueShape::QuotedSecret => {
            body.len() >= 4 && setting.is_sure() && (body[0] == b'{' && body[1] != b'{' || !is_placeholder(body))
        }
        ValueShape::Uuid => is_uuid(body),
        ValueShape::OpaqueId => is_uuid(body) || is_opaque(body),
        ValueShape::ZoneId => is_upper_id(body.strip_prefix(b"/hostedzone/").unwrap_or(body), b'Z'),
        ValueShape::ZonePath => body.strip_prefix(b"/hostedzone/").is_some_and(|id| is_upper_id(id, b'Z')),
        ValueShape::ChangeId => is_upper_id(body.strip_prefix(b"/change/").unwrap_or(body), b'C'),
        ValueShape::ChangePath => body.strip_prefix(b"/change/").is_some_and(|id| is_upper_id(id, b'C')),
        ValueShape::DelegationSetPath => body.strip_prefix(b"/delegationset/").is_some_and(|id| is_upper_id(id, b'N')),
        ValueShape::DistributionId => is_upper_id(body, b'E'),
        ValueShape::InvalidationId => is_upper_id(body, b'I'),
        ValueShape::MediaJob => {
            body.len() == 20
                && body[..13].iter().all(u8::is_ascii_digit)
                && body[13] == b'-'
                && body[14..].iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }
        ValueShape::OrgRoot => body.strip_prefix(b"r-").is_some_and(|id| {
            (4..=32).contains(&id.len()) && id.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }),
        ValueShape::LowerId => (8..=10).contains(&body.len()) && all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        ValueShape::ClientId => {
            (20..=32).contains(&body.len()) && has_digit && all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }
        ValueShape::ApiId => body.len() == 26 && has_digit && all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        ValueShape::AppId => {
            (13..=15).contains(&body.len())
                && body[0] == b'd'
                && has_digit
                && all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }
        ValueShape::Hex32 => body.len() == 32 && all(|c| c.is_ascii_hexdigit()),
        ValueShape::Hex64 => body.len() == 64 && all(|c| c.is_ascii_hexdigit()),
        ValueShape::Alias => {
            body.len() > 6
                && body.starts_with(b"alias/")
                && !body.starts_with(b"alias/aws/")
                && all(|c| is_alnum(c) || matches!(c, b'/' | b'_' | b'-'))
        }
        ValueShape::LogStream => all(|c| is_name_char(c) || matches!(c, b'[' | b']' | b'$')) && is_name(body, setting),
        ValueShape::SpacedName if setting.is_sure() => {
            all(|c| is_name_char(c) || c == b' ' || c == b'(' || c == b')') && is_name(body, setting)
        }
        ValueShape::Reference | ValueShape::BucketPath => all(is_name_char) && is_name(body, setting),
        ValueShape::Named | ValueShape::OwnNamed | ValueShape::Mapped => false,
        // A key says that it is one: `Nightly export`, `NightlyExport`, `MyPolicy` in a manual.
        ValueShape::OwnName if setting.is_sure() => {
            let is_own = || is_own_value(body) || is_of_manual(body);
            all(|c| is_name_char(c) || c == b' ') && is_own() && is_name(body, setting)
        }
        ValueShape::OwnName => {
            let is_one = || is_joined(body) && is_own_value(body) || is_of_manual(body);
            let is_own = is_own(body) || setting == Setting::Line && is_one();
            all(is_name_char) && is_own && is_name(body, setting)
        }
        ValueShape::ObjectKey => {
            let stem = &body[..body.iter().rposition(|&c| c == b'.').unwrap_or(body.len())];
            body.contains(&b'/')
                && stem.iter().any(u8::is_ascii_digit)
                && all(|c| c.is_ascii_graphic())
                && is_name(body, setting)
        }
        ValueShape::PlainName => !body.contains(&b'.') && all(is_name_char) && is_name(body, setting),
        ValueShape::Name | ValueShape::SpacedName => {
            all(is_name_char) && is_name(body, setting) && !begins_with_version(body)
        }
    }
}

/// True for what no word is, although it is short: `9f8e7d6c5b4a`, letters and digits that take turns.
fn is_short_token(body: &[u8]) -> bool {
    let turns = body.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    body.len() >= MIN_SHORT_TOKEN && turns >= MIN_TURNS && body.iter().all(|&c| is_alnum(c)) && !is_algorithm(body)
}

fn is_name_shape(shape: ValueShape) -> bool {
    matches!(
        shape,
        ValueShape::Name
            | ValueShape::PlainName
            | ValueShape::SpacedName
            | ValueShape::OwnName
            | ValueShape::ObjectKey
            | ValueShape::LogStream
            | ValueShape::Reference
    )
}

fn is_name_char(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'_' | b'.' | b'-' | b'/' | b'+' | b'=' | b'@' | b':' | b'#')
}

fn is_upper_id(id: &[u8], first: u8) -> bool {
    (8..=32).contains(&id.len())
        && id[0] == first
        && id.iter().any(u8::is_ascii_digit)
        && id.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn is_uuid(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"mrk-").unwrap_or(body);
    body.len() == 36 && uuid_end(body, 0) == Some(36) || body.len() == 32 && body.iter().all(u8::is_ascii_hexdigit)
}

/// An account id as spreadsheets show a number that is too wide, with most of its digits: `6.18734E+11`.
fn is_rounded_account(body: &[u8]) -> bool {
    let digits = body.strip_suffix(b"E+11").or_else(|| body.strip_suffix(b"e+11"));
    digits.is_some_and(|digits| {
        (7..=13).contains(&digits.len())
            && digits[1] == b'.'
            && digits.iter().enumerate().all(|(i, c)| i == 1 || c.is_ascii_digit())
    })
}

/// Words with digits in them that stand where an id could stand.
const ALGORITHMS: &[&[u8]] = &[
    b"argon2", b"bcrypt", b"sha256", b"sha384", b"sha512", b"sha-256", b"sha-512", b"aes256", b"aes-256", b"aes128",
    b"ed25519", b"rsa2048", b"rsa4096", b"base64",
];

/// True for one of these, also with something behind it: `sha512crypt`.
pub(in crate::detect) fn is_algorithm(body: &[u8]) -> bool {
    let begins = |name: &&[u8]| body.len() >= name.len() && body[..name.len()].eq_ignore_ascii_case(name);
    ALGORITHMS.iter().any(begins)
}

/// Where a secret is kept: `~/.ssh/id_ed25519`, `/etc/ssl/server.key`. No secret has a dot at such a place.
fn is_path(body: &[u8]) -> bool {
    matches!(body, [b'.' | b'~', b'/', ..] | [b'.', b'.', b'/', ..]) || body[0] == b'/' && body.contains(&b'.')
}

/// A name that somebody chose.
fn is_name(body: &[u8], setting: Setting) -> bool {
    (2..=MAX_NAME).contains(&body.len())
        && body.iter().any(u8::is_ascii_alphabetic)
        && (is_alnum(body[0]) || matches!(body[0], b'/' | b'_'))
        && !is_hex_number(body)
        && !is_placeholder(body)
        && !is_common_word(body)
        && !is_owned_by_aws(body)
        && !is_code(body, setting)
}

/// `15/main`, as Debian calls a cluster of PostgreSQL.
fn begins_with_version(body: &[u8]) -> bool {
    body.get(run_end(body, 0, MAX_VERSION, |c| c.is_ascii_digit())) == Some(&b'/') && body[0] != b'/'
}

/// `0x40000`
pub(in crate::detect) fn is_hex_number(body: &[u8]) -> bool {
    body.strip_prefix(b"0x").is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Words that stand where a name could stand and are none.
static COMMON: WordList = WordList::new(&[
    "and",
    "any",
    "args",
    "argument",
    "arguments",
    "array",
    "auto",
    "bool",
    "boolean",
    "bucket",
    "bytes",
    "char",
    "cluster",
    "const",
    "custom",
    "default",
    "dict",
    "disabled",
    "enabled",
    "enum",
    "f32",
    "f64",
    "false",
    "flag",
    "flags",
    "float",
    "for",
    "from",
    "function",
    "i16",
    "i32",
    "i64",
    "i8",
    "in",
    "int",
    "integer",
    "is",
    "isize",
    "list",
    "long",
    "map",
    "name",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "number",
    "object",
    "of",
    "option",
    "optional",
    "options",
    "or",
    "param",
    "parameter",
    "password",
    "primary",
    "required",
    "schema",
    "self",
    "set",
    "str",
    "string",
    "table",
    "the",
    "this",
    "to",
    "true",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "undefined",
    "unknown",
    "usize",
    "value",
    "void",
    "with",
    "yes",
]);

pub(in crate::detect) fn is_common_word(body: &[u8]) -> bool {
    COMMON.contains_in_any_case(body)
}

/// Names that are the same in every account.
pub(in crate::detect) fn is_owned_by_aws(body: &[u8]) -> bool {
    const BEGINNINGS: &[&[u8]] = &[
        b"default.",
        b"default:",
        b"default-",
        b"aws/",
        b"alias/aws/",
        b"AWS-",
        b"AWS.",
        b"AWS::",
        b"AWSServiceRole",
        b"AwsDataCatalog",
        b"awsdatacatalog",
        b"aws:",
        b"arn:",
        b"http:",
        b"https:",
        b"s3:",
        b"com.amazonaws.",
        b"aws-managed",
        b"AmazonCloudWatch-",
        b"AWSSupport-",
        b"Managed-",
        b"aws-service-role/",
        b"AmazonEC2",
        b"AmazonECS",
        b"AmazonS3",
        b"AmazonSSM",
        b"AWSLambda",
        b"/aws/service/",
        b"CodeDeployDefault.",
        b"ELBSecurityPolicy-",
        b"FARGATE",
        b"rds-ca-",
    ];
    let is_document = body.starts_with(b"AWS") && body.contains(&b'-');
    is_document
        || body == b"AWS"
        || is_published(body)
        || BEGINNINGS.iter().any(|beginning| body.starts_with(beginning))
        || body.ends_with(b".amazonaws.com")
        || body.starts_with(b"AWS_") && !body.iter().any(u8::is_ascii_lowercase)
        || is_region(body)
        || is_local_zone(body)
        || is_instance_type(body)
}

/// The group of a local zone: `us-west-2-lax-1`.
fn is_local_zone(body: &[u8]) -> bool {
    body.split_last_chunk::<6>().is_some_and(|(region, zone)| {
        zone[0] == b'-'
            && zone[1..4].iter().all(u8::is_ascii_lowercase)
            && zone[4] == b'-'
            && zone[5].is_ascii_digit()
            && is_region(region)
    })
}

/// `m6i.large`, `db.r6g.2xlarge`, `m6g.large.search`.
fn is_instance_type(body: &[u8]) -> bool {
    const AROUND: [&[u8]; 5] = [b"db", b"cache", b"ml", b"search", b"elasticsearch"];
    if !body.contains(&b'.') {
        return false;
    }
    let mut segments = body.split(|&c| c == b'.').filter(|segment| !AROUND.contains(segment));
    let (Some(family), Some(size), None) = (segments.next(), segments.next(), segments.next()) else { return false };
    let is_size = match size.strip_suffix(b"xlarge") {
        Some(times) => times.iter().all(u8::is_ascii_digit),
        None => matches!(size, b"nano" | b"micro" | b"small" | b"medium" | b"large") || size.starts_with(b"metal"),
    };
    let is_family = family.first().is_some_and(u8::is_ascii_lowercase)
        && family.len() <= MAX_FAMILY
        && family.iter().any(u8::is_ascii_digit)
        && family.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-');
    is_size && is_family
}

/// What stands before a dot in expressions of programs.
pub(in crate::detect) const OBJECTS: &[&[u8]] = &[
    b"args",
    b"body",
    b"cfg",
    b"config",
    b"data",
    b"each",
    b"env",
    b"event",
    b"input",
    b"local",
    b"module",
    b"options",
    b"opts",
    b"os",
    b"params",
    b"process",
    b"props",
    b"req",
    b"request",
    b"resource",
    b"self",
    b"settings",
    b"this",
    b"var",
];

/// A bare value that is more likely an expression than a name.
pub(in crate::detect) fn is_code(body: &[u8], setting: Setting) -> bool {
    if setting.is_sure() {
        return false;
    }
    let dashed = body.contains(&b'-') || body.contains(&b'/');
    let dotted = body.iter().position(|&c| c == b'.').is_some_and(|dot| {
        let head = &body[..dot];
        head.starts_with(b"aws_")
            || OBJECTS.contains(&head)
            || !dashed && body[dot..].iter().any(u8::is_ascii_alphabetic)
    });
    let is_padded = body.len().is_multiple_of(4)
        && body.iter().rposition(|&c| c != b'=').is_some_and(|last| body.len() - last <= 3);
    let unpadded = &body[..if is_padded { body.len() - 2 } else { body.len() }];
    let opens = body.contains(&b'(') || body.contains(&b'[') || unpadded.contains(&b'=');
    let is_domain = setting == Setting::Line && is_domain(body);
    dotted && !is_domain || opens || setting == Setting::Open && !dashed && !body.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
