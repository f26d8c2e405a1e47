//! What a fixed word begins or ends, `case-…`, `$2y$…` and `…-s3alias`; and ids in capitals that are believed where the text
//! speaks of their service: `E2QWRUHAPOMQZL` beside CloudFront.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::value::Value;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{follows_escape, is_alnum, run_end, run_start, word_start};

/// Longest name of a bucket or an alias, bytes.
const MAX_NAME: usize = 63;
/// Fewest characters before the word that ends a name.
const MIN_NAME: usize = 3;
/// What the names of directory buckets, of access points and of tables in buckets end in, before `-s3`.
const ENDINGS: [&[u8]; 4] = [b"--x", b"--ol", b"--op", b"--table"];
/// How hashes of passwords say how they were made, and how long they are.
const HASHES: [&[u8]; 7] = [b"$2a$", b"$2b$", b"$2y$", b"$apr1$", b"$argon2", b"$5$", b"$6$"];
const MIN_HASH: usize = 24;
const MAX_HASH: usize = 128;
/// Characters of a distribution's id, and how they begin.
const DISTRIBUTION: std::ops::RangeInclusive<usize> = 13..=14;
/// Fewest digits and letters among them: `ENVIRONMENTS2` is a word.
const MIN_EACH: usize = 3;
/// Length of the random end of names that CloudFormation gives.
const PHYSICAL: std::ops::RangeInclusive<usize> = 11..=13;

impl Scan<'_, '_> {
    /// The account in `case-123456789012-muen-2025-0f1e2d3c4b5a6978`, and the rest, behind the first dash.
    pub(in crate::detect) fn support_case(&self, words: usize, at: usize) -> Option<Value> {
        let text = self.text;
        let account = run_end(text, at, 13, |c| c.is_ascii_digit());
        let partition = run_end(text, account + 1, 8, |c| c.is_ascii_lowercase());
        let year = run_end(text, partition + 1, 5, |c| c.is_ascii_digit());
        let end = run_end(text, year + 1, 40, |c| c.is_ascii_hexdigit());
        let dashes = [account, partition, year].into_iter().all(|dash| text.get(dash) == Some(&b'-'));
        let believed =
            dashes && account - at == 12 && partition > account + 1 && year == partition + 5 && end > year + 8;
        (believed && !text.get(end).is_some_and(|&c| is_alnum(c))).then_some(Value {
            start: words,
            end,
            next: end,
            quoted: false,
        })
    }

    /// Looks at the dash of `-s3` at `dash`, which may end the alias of an access point, `acme-ro-…-s3alias`, or the name of a
    /// directory bucket, `acme--usw2-az1--x-s3`; gives where to go on.
    #[inline(never)]
    pub(in crate::detect) fn name_of_s3(&mut self, dash: usize) -> usize {
        let text = self.text;
        let end = dash + b"-s3".len();
        let is_alias = text[end..].starts_with(b"alias");
        let is_one = is_alias || ENDINGS.iter().any(|ending| text[..dash].ends_with(ending));
        let end = if is_alias { end + b"alias".len() } else { end };
        let run = run_start(text, dash, MAX_NAME, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        let start = word_start(text, run).min(dash);
        let kind = self.detector.catalog.known.bucket;
        let believed = is_one
            && self.wants(kind)
            && dash - start >= MIN_NAME
            && !text.get(end).is_some_and(|&c| is_alnum(c) || c == b'-')
            && is_believable(ValueShape::PlainName, &text[start..end], Setting::Told);
        if believed {
            self.finding(kind, start, end);
            self.part(kind, start, end, true);
            return end;
        }
        dash + 1
    }

    /// Looks at the last dash of the name that CloudFormation gives what a template does not name, at `dash`:
    /// `acme-orders-OrdersTable-1K2J3H4G5F6D`, of a stack, what the template calls it, and what is random. Gives where it
    /// ends.
    #[inline(never)]
    pub(in crate::detect) fn physical_id(&mut self, dash: usize) -> Option<usize> {
        let text = self.text;
        let kind = self.detector.catalog.known.resource_name;
        let end = run_end(text, dash + 1, PHYSICAL.end() + 1, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let random = &text[dash + 1..end];
        let digits = random.iter().filter(|c| c.is_ascii_digit()).count();
        let is_random = PHYSICAL.contains(&random.len()) && digits >= MIN_EACH && random.len() - digits >= MIN_EACH;
        let logical = run_start(text, dash, MAX_NAME, is_alnum);
        let is_logical = text[logical..dash].first().is_some_and(u8::is_ascii_uppercase)
            && text[logical..dash].iter().any(u8::is_ascii_lowercase);
        let stack_end = logical.checked_sub(1).filter(|&at| text[at] == b'-')?;
        let run = run_start(text, stack_end, MAX_NAME, |c| is_alnum(c) || c == b'-');
        let start = word_start(text, run).min(stack_end);
        let is_stack = text[start..stack_end].first().is_some_and(u8::is_ascii_alphabetic);
        let ends = !text.get(end).is_some_and(|&c| is_alnum(c) || matches!(c, b'-' | b'_'));
        if !(is_random && is_logical && is_stack && ends && self.wants(kind)) {
            return None;
        }
        // What announces it knows more of it.
        let is_known = self.hits.parts.last().is_some_and(|part| part.span.start <= start && end <= part.span.end);
        if !is_known {
            self.finding(kind, start, end);
            self.part(kind, start, end, true);
        }
        Some(end)
    }

    /// Records the hashes of passwords: `$2y$10$…`, `$apr1$…`.
    pub(in crate::detect) fn hashes(&mut self) {
        let text = self.text;
        let is_part = |c: u8| is_alnum(c) || matches!(c, b'.' | b'/' | b'$' | b'+' | b'=' | b',');
        let mut next = 0;
        for start in memchr::memchr_iter(b'$', text) {
            let how = HASHES.iter().find(|how| text[start..].starts_with(how));
            let Some(how) = how.filter(|_| start >= next) else { continue };
            let end = run_end(text, start + how.len(), MAX_HASH, is_part);
            if end - start >= MIN_HASH {
                self.whole(self.detector.catalog.known.password, start, end);
                next = end;
            }
        }
    }

    /// Records the ids of CloudFront's distributions in a text that speaks of it and has something else of AWS.
    pub(in crate::detect) fn distributions(&mut self) {
        let text = self.text;
        let kind = self.detector.catalog.known.distribution;
        if !self.wants(kind) {
            return;
        }
        for start in memchr::memchr_iter(b'E', text) {
            let end = run_end(text, start, DISTRIBUTION.end() + 1, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
            let digits = text[start..end].iter().filter(|c| c.is_ascii_digit()).count();
            let is_id = DISTRIBUTION.contains(&(end - start)) && digits >= MIN_EACH && end - start - digits >= MIN_EACH;
            let is_apart = start == 0 || !is_alnum(text[start - 1]) || follows_escape(text, start);
            let ends = !text.get(end).is_some_and(|&c| is_alnum(c) || c == b'_');
            if is_id && is_apart && ends && !matches!(start.checked_sub(1).map(|i| text[i]), Some(b'_' | b'/')) {
                self.whole(kind, start, end);
            }
        }
    }
}

/// True for a text with the name of CloudFront in it, in the spellings that are used.
pub(in crate::detect) fn speaks_of_cloudfront(text: &[u8]) -> bool {
    let speaks = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    speaks(b"loudfront") || speaks(b"loudFront")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn what_a_word_begins_or_ends() {
        for (text, kind, id) in [
            (
                "AWS Support 케이스 case-618734209955-muen-2025-7625c3d9c44064a8에",
                "support:case",
                "case-618734209955-muen-2025-7625c3d9c44064a8",
            ),
            (
                "\"Alias\": \"acme-ro-oakwaiexlxovozdw9bhrx0bi2am2ff8at0-s3alias\"",
                "name:s3-bucket",
                "acme-ro-oakwaiexlxovozdw9bhrx0bi2am2ff8at0-s3alias",
            ),
            ("in acme--usw2-az1--x-s3, which", "name:s3-bucket", "acme--usw2-az1--x-s3"),
            ("viewer:$2y$10$Q7bR1kVtLx9Zp0mWcYhA3uE5sDfGj\n", "cred:password", "$2y$10$Q7bR1kVtLx9Zp0mWcYhA3uE5sDfGj"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), id)], "{text}");
        }
        let text = "CloudFront in account 618734209955: invalidate EQDFC7Y4WF186.";
        let expected =
            [("account-id".to_owned(), "618734209955"), ("cloudfront:distribution".to_owned(), "EQDFC7Y4WF186")];
        assert_eq!(found(text), expected);
        for text in
            ["case-insensitive", "case-618734209955", "invalidate EQDFC7Y4WF186", "CloudFront: PL4EQDFC7Y4WF186&v=1"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn names_that_cloudformation_gives() {
        let name = "acme-orders-OrdersTable-1K2J3H4G5F6D7";
        for text in [format!("Value    {name}\n"), format!("\"{name}\""), format!("x={name},"), format!("s3://{name}")]
        {
            let names: Vec<_> = found(&text).into_iter().map(|(_, part)| part.to_owned()).collect();
            assert_eq!(names, [name], "{text}");
        }
        let function = found("--function-name acme-orders-Fn-1K2J3H4G5F6D7");
        assert_eq!(function, [("name:lambda-function".to_owned(), "acme-orders-Fn-1K2J3H4G5F6D7")]);
        for text in [
            "acme-orders-orderstable-1K2J3H4G5F6D7",
            "OrdersTable-1K2J3H4G5F6D7",
            "acme-OrdersTable-ABCDEFGHIJKLM",
            "acme-OrdersTable-1234567890123",
            "acme-OrdersTable-1K2J3H4G5F6D7a",
            "acme-OrdersTable-1K2J3H4G5F6D7-x",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
