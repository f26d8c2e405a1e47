//! Lines of S3 server access logs, which give their fields no names: `owner bucket [time] address requester …`.
//!
//! Source: Amazon S3 User Guide, "Amazon S3 server access log format".

use super::Scan;
use super::boundary::{ends_at, is_alnum, run_end, run_start, word_start};

/// Hexadecimal digits of a canonical user id.
const USER_ID_LEN: usize = 64;
const BUCKET_LENS: std::ops::RangeInclusive<usize> = 3..=63;
/// `[06/Feb/2019:00:00:38 +0000] `
const TIME_LEN: usize = 29;
/// Longest address.
const MAX_ADDRESS: usize = 45;

impl Scan<'_, '_> {
    /// Looks at the bracket at `at` that opens the time; gives where to go on.
    #[inline(never)]
    pub(super) fn access_log(&mut self, at: usize) -> usize {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let is_time = matches!(text.get(at..at + TIME_LEN), Some([_, _, _, b'/', _, _, _, b'/', .., b']', b' ']));
        let Some(bucket_end) = at.checked_sub(1).filter(|_| is_time) else { return at + 1 };
        let bucket = run_start(text, bucket_end, *BUCKET_LENS.end() + 1, |c| is_alnum(c) || matches!(c, b'.' | b'-'));
        let Some(owner_end) = bucket.checked_sub(1).filter(|&end| text[end] == b' ') else { return at + 1 };
        if !BUCKET_LENS.contains(&(bucket_end - bucket)) || !self.user_id(owner_end) {
            return at + 1;
        }
        if self.wants(known.bucket) {
            self.finding(known.bucket, bucket, bucket_end);
            self.part(known.bucket, bucket, bucket_end, true);
        }
        let requester = run_end(text, at + TIME_LEN, MAX_ADDRESS, |c| c != b' ') + 1;
        self.user_id(requester + USER_ID_LEN);
        at + 1
    }

    /// Records the canonical user id that ends at `end`, if there is one.
    fn user_id(&mut self, end: usize) -> bool {
        if end > self.text.len() {
            return false;
        }
        let run = run_start(self.text, end, USER_ID_LEN + 6, is_alnum);
        let start = word_start(self.text, run).min(end);
        let id = &self.text[start..end];
        let is_id = id.len() == USER_ID_LEN && id.iter().all(u8::is_ascii_hexdigit) && ends_at(self.text, end);
        let kind = self.detector.catalog.known.canonical_user;
        if is_id && self.wants(kind) {
            self.finding(kind, start, end);
            self.part(kind, start, end, true);
        }
        is_id
    }
}
