//! The oracle: many plain regular expressions over the same text. It knows less than the detector, and what it does
//! know is beyond doubt: whatever it covers, the detector has to cover.

#![allow(unreachable_pub, clippy::expect_used)]

use std::ops::Range;
use std::sync::LazyLock;

use aws_masker_core::catalog::{Body, Catalog};
use aws_masker_core::detect::Detector;
use regex::bytes::{Regex, RegexBuilder};

/// Where an identifier may begin when nothing else is known about it.
const BEGIN: &str = r#"(?:^|[\s"'`(\[<,;|>])"#;
/// Where it may end.
const END: &str = r#"(?:$|[\s"'`)\]>,;|<])"#;

/// Prefixes of ids with 17 hexadecimal digits.
pub const PREFIXES: &[&str] = &[
    "i",
    "ami",
    "vol",
    "snap",
    "vpc",
    "subnet",
    "sg",
    "eni",
    "rtb",
    "igw",
    "nat",
    "acl",
    "vpce",
    "tgw",
    "eipalloc",
    "fs",
    "lt",
    "pcx",
    "vgw",
    "cgw",
    "dopt",
    "fsap",
    "tgw-attach",
    "vpce-svc",
];

/// One pattern; what its first group covers has to be found.
pub struct Pattern {
    pub regex: Regex,
    /// A look at the text before says that it is none after all.
    unless_before: Option<fn(&[u8]) -> bool>,
}

fn pattern(regex: &str) -> Pattern {
    let regex = RegexBuilder::new(regex).unicode(false).multi_line(true).build();
    Pattern { regex: regex.expect("patterns of the oracle compile"), unless_before: None }
}

/// `version 10.1.2.3`, `Chrome/10.0.0.1` and what they look like when a title or a colon stands between.
fn speaks_of_version(before: &[u8]) -> bool {
    let near = before[before.len().saturating_sub(24)..].to_ascii_lowercase();
    [&b"ver"[..], b"sec", b"rel"].iter().any(|word| near.windows(3).any(|w| w == *word))
}

/// One pattern for each kind of shape, made from the catalog where that has a table of them.
pub static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let prefixes = &Catalog::get().prefixes;
    let mut patterns = Vec::new();
    for prefix in PREFIXES {
        // A prefix that the catalog no longer has would take its pattern with it unseen.
        assert!(prefixes.get(prefix.as_bytes()).iter().any(|shape| shape.body == Body::Hex), "{prefix}");
        patterns.push(pattern(&format!(r"{BEGIN}({prefix}-[0-9a-f]{{17}}){END}")));
    }
    for id in prefixes.unique_ids() {
        let id = String::from_utf8_lossy(id);
        patterns.push(pattern(&format!(r"{BEGIN}({id}[A-Z2-7]{{16}}){END}")));
    }
    patterns.push(pattern(&format!(
        r"{BEGIN}arn:aws:(?:sqs|sns|lambda|dynamodb|iam):[a-z]{{2}}-[a-z]{{4,9}}-[1-9]:([0-9]{{12}}):[a-z]"
    )));
    patterns.push(pattern(r#""(?:AccountId|OwnerId)": ?"([0-9]{12})""#));
    for host in
        ["s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "eu-west-1.elb.amazonaws.com", "lambda-url.us-east-1.on.aws"]
    {
        patterns.push(pattern(&format!(r"{BEGIN}(acme[0-9][a-z0-9]{{3,9}}\.{}){END}", host.replace('.', r"\."))));
    }
    patterns.push(pattern(&format!(r"{BEGIN}s3://(acme[0-9][a-z0-9]{{3,9}}){END}")));
    patterns.push(Pattern {
        unless_before: Some(speaks_of_version),
        ..pattern(&format!(r"{BEGIN}((?:10|172|192)(?:\.(?:25[0-4]|1[0-9][0-9]|[1-9][0-9]|[1-9])){{3}}){END}"))
    });
    patterns.push(pattern(&format!(r"{BEGIN}(2600:1f18(?::[0-9a-f]{{1,4}}){{6}}){END}")));
    patterns
});

/// The first stretch of `text` that the oracle knows and the detector has not wholly covered.
pub fn uncovered(detector: &Detector, text: &[u8]) -> Option<Range<usize>> {
    let found = detector.scan(text);
    let covers = |span: &Range<usize>| {
        found.findings.iter().any(|finding| finding.span.start <= span.start && span.end <= finding.span.end)
    };
    PATTERNS.iter().find_map(|pattern| {
        // The end of one may be the beginning of the next.
        let mut at = 0;
        while let Some(groups) = pattern.regex.captures_at(text, at) {
            let span = groups.get(1)?.range();
            let is_none = pattern.unless_before.is_some_and(|is_none| is_none(&text[..span.start]));
            if !is_none && !covers(&span) {
                return Some(span);
            }
            at = span.end;
        }
        None
    })
}
