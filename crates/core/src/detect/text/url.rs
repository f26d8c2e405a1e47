//! URLs around a name that stands in their path or query.

use std::ops::Range;

use crate::catalog::SUFFIXES;
use crate::detect::text::boundary::{is_alnum, run_start};

/// How far before a name its URL may begin, bytes.
const REACH: usize = 512;
/// Hosts of AWS that name no resource of a customer by themselves.
const HOSTS: &[&str] = &["public.ecr.aws", "aws.amazon.com"];

/// From the host of the URL on AWS that `name` stands in to the name's end; `None` when it stands in no such URL.
pub(in crate::detect) fn around(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let start = run_start(text, name.start, REACH, |c| {
        is_alnum(c)
            || matches!(
                c,
                b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'+' | b'=' | b'%' | b'~' | b'?' | b'&' | b'#' | b';'
            )
    });
    let before = &text[start..name.start];
    // Most mentions stand alone.
    if !before.iter().any(|c| matches!(c, b'/' | b':' | b'?')) {
        return None;
    }
    let host = start + memchr::memmem::rfind(before, b"://").map_or(0, |colon| colon + 3);
    let spelled = &text[host..name.start];
    let len = spelled.iter().position(|c| matches!(c, b'/' | b':' | b'?'))?;
    let is_aws = SUFFIXES.iter().chain(HOSTS).any(|suffix| {
        spelled[..len].strip_suffix(suffix.as_bytes()).is_some_and(|rest| rest.last().is_none_or(|&dot| dot == b'.'))
    });
    is_aws.then_some(host..name.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<&str> {
        let name = text.find("orders-api").unwrap();
        around(text.as_bytes(), &(name..name + 10)).map(|span| text.get(span).unwrap())
    }

    #[test]
    fn names_in_paths_and_queries_of_aws() {
        let git = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/orders-api";
        assert_eq!(url(git), git.strip_prefix("https://"));
        assert_eq!(url("public.ecr.aws/x1y2z3/orders-api:1"), Some("public.ecr.aws/x1y2z3/orders-api"));
        let console = "https://us-east-1.console.aws.amazon.com/ecs/home?region=us-east-1#/orders-api/";
        assert!(url(console).is_some_and(|found| found.starts_with("us-east-1.console") && found.ends_with("api")));
        for text in ["https://example.com/orders-api", "orders-api", "s3://orders-api", "xaws.amazon.com/orders-api"] {
            assert_eq!(url(text), None, "{text}");
        }
    }
}
