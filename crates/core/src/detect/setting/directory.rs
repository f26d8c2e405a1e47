//! Buckets at the beginning of paths that only their key tells: a directory of Transfer Family, the place of a state.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::context::MAX_ASSIGNED;
use crate::detect::setting::value::{Setting, is_believable, quoted_value};
use crate::detect::text::boundary::{is_alnum, run_end};

/// Longest bucket, and a byte more.
const MAX_BUCKET: usize = 64;
/// How far from the key what says more may stand, bytes.
const AROUND: usize = 160;
/// How far before the id of a lock its head may stand, bytes.
const MAX_HEAD: usize = 48;

impl Scan<'_, '_> {
    /// The bucket in the directory of a user of Transfer Family: `"HomeDirectory": "/acme-in/x"`, or in the one that is seen
    /// as another: `"Entry": "/", "Target": "/acme-in/x"`.
    pub(in crate::detect) fn directory(&mut self, at: usize, is_mapped: bool) {
        let text = self.text;
        let found = quoted_value(text, run_end(text, at, 4, |c| c == b' '));
        let Some(found) = found.filter(|found| text[found.start] == b'/') else { return };
        let around = &text[at.saturating_sub(AROUND)..text.len().min(at + AROUND)];
        if is_mapped && memchr::memmem::find(around, b"Entry").is_none() {
            return;
        }
        let start = found.start + 1;
        self.bucket_of_path(start, run_end(text, start, found.end - start, |c| c != b'/'));
    }

    /// The bucket in which the state is that Terraform could not lock, in the line below the id of the lock that begins at `at`:
    /// `  Path:      acme-tf/prod/terraform.tfstate`.
    pub(in crate::detect) fn locked(&mut self, at: usize) {
        let text = self.text;
        let head = &text[self.key.start.saturating_sub(MAX_HEAD)..self.key.start];
        if memchr::memmem::find(head, b"Lock Info:").is_none() {
            return;
        }
        let around = &text[at..text.len().min(at + AROUND)];
        let Some(path) = memchr::memmem::find(around, b"Path:").map(|i| at + i + b"Path:".len()) else { return };
        let start = run_end(text, path, MAX_ASSIGNED, |c| c == b' ');
        let end = run_end(text, start, MAX_BUCKET, |c| is_alnum(c) || matches!(c, b'-' | b'.'));
        if text.get(end) == Some(&b'/') {
            self.bucket_of_path(start, end);
        }
    }

    fn bucket_of_path(&mut self, start: usize, end: usize) {
        let bucket = self.detector.catalog.known.bucket;
        if self.wants(bucket) && is_believable(ValueShape::Name, &self.text[start..end], Setting::Sure) {
            self.finding(bucket, start, end);
            self.part(bucket, start, end, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn buckets_that_are_copied_from() {
        for text in [
            "x-amz-copy-source: /acme-raw/2026/x.csv\n",
            "{\"CopySource\": \"acme-raw/2026/x.csv\"}",
            "aws s3api copy-object --copy-source acme-raw/2026/x.csv --key y",
        ] {
            assert_eq!(parts(text), ["acme-raw"], "{text}");
        }
        assert_eq!(parts("copySource: ./src/x\n"), [""; 0]);
    }

    #[test]
    fn buckets_of_states_that_are_locked() {
        let lock = "Error acquiring the state lock\n\nLock Info:\n  ID:        6638e010-8fb0-9e2b-e8f5-0a3d8b6d7c1e\n";
        let text = format!("{lock}  Path:      acme-states/prod/terraform.tfstate\n  Who:       jane@host\n");
        assert_eq!(parts(&text), ["acme-states"]);
        for text in ["  Path:      acme-states/prod/x.tf\n", "Lock Info:\n  Path:  terraform.tfstate\n"] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
