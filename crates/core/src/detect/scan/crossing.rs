//! Parts that begin in each other: a name of two segments, found elsewhere, and the two that an ARN was taken apart to.

use crate::catalog::KindId;
use crate::detect::Part;
use crate::detect::text::boundary::{is_alnum, run_start};

/// Lets names end where the next part begins that goes on further. To cut that one would leave two tokens without a sign
/// between them, and those are none. In order of their starts, of those with one start the longest first.
pub(in crate::detect) fn divide(parts: &mut [Part], text: &[u8], is_credential: impl Fn(KindId) -> bool) {
    let mut longest = 0;
    for i in 1..parts.len() {
        let (next, before) = (parts[i].span.clone(), &mut parts[longest]);
        let are_crossed = before.span.start < next.start && (next.start + 1..next.end).contains(&before.span.end);
        if are_crossed && !is_credential(before.kind) {
            before.span.end = run_start(text, next.start, next.start - before.span.start, |c| !is_alnum(c));
        }
        if next.end > parts[longest].span.end {
            longest = i;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn a_name_ends_where_a_part_of_another_begins() {
        let text =
            r#"{"Name": "acme/db-x", "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:acme/db-x-AbCdEf"}"#;
        assert_eq!(parts(text), ["acme/db-x", "123456789012", "acme", "db-x-AbCdEf"]);
    }
}
