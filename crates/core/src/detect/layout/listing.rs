//! The names in what `aws s3 ls` prints: `2024-05-01 10:11:12 acme-logs`.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{is_alnum, run_end};

/// Longest line of a listing: a bucket's name has 63 characters at most.
const MAX_LISTED: usize = 96;

impl Scan<'_, '_> {
    /// The names that `aws s3 ls` prints below the line of `at`: `2024-05-01 10:11:12 acme-logs`.
    pub(in crate::detect) fn listed(&mut self, kind: KindId, at: usize) {
        let text = self.text;
        self.each_printed(at, |scan, line| {
            let cells = &text[line.start..line.end];
            if cells.len() > MAX_LISTED || !is_time_of_listing(cells) {
                return false;
            }
            let start = line.start + TIME_OF_LISTING.len();
            let end = run_end(text, start, line.end - start, |c| is_alnum(c) || matches!(c, b'-' | b'.'));
            // Objects have their size first.
            if end == line.end && is_believable(ValueShape::Name, &text[start..end], Setting::Sure) {
                scan.finding(kind, start, end);
                scan.part(kind, start, end, true);
            }
            true
        });
    }

    /// The keys in the lines behind `at`, each indented and behind its name.
    pub(in crate::detect) fn keyed(&mut self, kind: KindId, at: usize) {
        let text = self.text;
        self.each_printed(at, |scan, line| {
            let cells = &text[line.start..line.end];
            let Some(colon) = memchr::memmem::find(cells, b": ").filter(|_| cells.starts_with(b" ")) else {
                return false;
            };
            let start = line.start + colon + 2;
            if is_believable(ValueShape::Token, &text[start..line.end], Setting::Sure) {
                scan.finding(kind, start, line.end);
                scan.part(kind, start, line.end, false);
            }
            true
        });
    }
}

/// What each line of a listing begins with; `0` stands for any digit.
const TIME_OF_LISTING: &[u8] = b"0000-00-00 00:00:00 ";

fn is_time_of_listing(line: &[u8]) -> bool {
    let fits = |(&c, &sample): (&u8, &u8)| if sample == b'0' { c.is_ascii_digit() } else { c == sample };
    line.len() > TIME_OF_LISTING.len() && line.iter().zip(TIME_OF_LISTING).all(fits)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{in_json, parts};

    #[test]
    fn keys_of_a_stage() {
        let text = "stage: prod\napi keys:\n  mobile: 9fK2mQx7Lr0TzB4vWn8YpH3sDc6GjA1e\n  web: None\nendpoints:\n  x: \
                    0TzB4vWn8YpH3sDc6GjA1e9fK2mQx7Lr\n";
        for text in [text.to_owned(), in_json(text)] {
            assert_eq!(parts(&text), ["9fK2mQx7Lr0TzB4vWn8YpH3sDc6GjA1e"], "{text}");
        }
    }

    #[test]
    fn listings_of_buckets() {
        let text = "$ aws s3 ls\n2024-05-01 10:11:12 acme-logs\n2023-12-24 01:02:03 acmedata\n$ aws s3 ls s3://acme-logs\n\
                    2024-05-01 10:11:12       1234 report.csv\n                           PRE old/\n";
        for text in [text.to_owned(), in_json(text), in_json(&in_json(text))] {
            assert_eq!(parts(&text), ["acme-logs", "acmedata", "acme-logs"], "{text}");
        }
        let answer = in_json("2024-05-01 10:11:12 acme-logs\n2023-12-24 01:02:03 acmedata\n");
        let text = format!("{{\"command\": \"aws s3 ls\"}}, {{\"type\": \"tool_result\", \"content\": {answer}}}");
        assert_eq!(parts(&text), ["acme-logs", "acmedata"]);
        assert_eq!(parts("> {\"cmd\": \"aws s3 ls\"}\n2024-05-01 10:11:12 acme-logs\n"), ["acme-logs"]);
        assert_eq!(parts("$ ls\n2024-05-01 10:11:12 acme-logs\n"), [""; 0]);
    }
}
