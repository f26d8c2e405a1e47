//! Lines of logs that give their fields no names: of S3, `owner bucket [time] address requester …`; of Classic Load
//! Balancers, `time name client:port backend:port …`; of PostgreSQL on RDS, `time:client(port):user@database:[process]:…`.
//!
//! Source: Amazon S3 User Guide, "Amazon S3 server access log format"; Elastic Load Balancing, User Guide for Classic Load
//! Balancers, "Access log entries"; Amazon RDS User Guide, parameters for logging of RDS for PostgreSQL, `log_line_prefix`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{ends_at, is_alnum, run_end, run_start, word_start};

/// Hexadecimal digits of a canonical user id.
const USER_ID_LEN: usize = 64;
const BUCKET_LENS: std::ops::RangeInclusive<usize> = 3..=63;
/// `[06/Feb/2019:00:00:38 +0000] `
const TIME_LEN: usize = 29;
/// Longest address.
const MAX_ADDRESS: usize = 45;
/// Longest port, and longest names of users and databases, and of load balancers.
const MAX_PORT: usize = 5;
const MAX_NAME: usize = 63;
const MAX_BALANCER: usize = 32;

fn is_of_name(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'_' | b'-' | b'.' | b'$')
}

impl Scan<'_, '_> {
    /// Looks at the bracket at `at` that opens the time; gives where to go on.
    #[inline(never)]
    pub(in crate::detect) fn access_log(&mut self, at: usize) -> usize {
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

    /// Records who and what stands around the address of a client, `start..end`.
    #[inline(never)]
    pub(in crate::detect) fn names_around_client(&mut self, start: usize, end: usize) {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let port = run_end(text, end + 1, MAX_PORT, |c| c.is_ascii_digit());
        let names = if text[end] == b'(' && text[port..].starts_with(b"):") {
            let user = port + 2..run_end(text, port + 2, MAX_NAME, is_of_name);
            let database = user.end + 1..run_end(text, user.end + 1, MAX_NAME, is_of_name);
            let is_line = text.get(user.end) == Some(&b'@') && text[database.end.min(text.len())..].starts_with(b":[");
            if !is_line {
                return;
            }
            [Some((known.db_user, user)), Some((known.database, database))]
        } else {
            let name_end = if text[..start].ends_with(b" ") { start - 1 } else { return };
            let name = run_start(text, name_end, MAX_BALANCER, |c| is_alnum(c) || c == b'-');
            let is_time = matches!(text[..name], [.., b'.', _, _, _, _, _, _, b'Z', b' ']);
            let is_line = is_time && text.get(port) == Some(&b' ') && port > end + 1;
            [is_line.then_some((known.load_balancer, name..name_end)), None]
        };
        for (kind, name) in names.into_iter().flatten() {
            if self.wants(kind) && is_believable(ValueShape::Name, &text[name.clone()], Setting::Sure) {
                self.finding(kind, name.start, name.end);
                self.part(kind, name.start, name.end, true);
            }
        }
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

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn names_around_addresses_of_clients() {
        for (text, names) in [
            (
                "2026-03-04 10:00:00 UTC:10.18.2.15(51022):acme_rw@acme_db:[3412]:ERROR:  deadlock detected",
                &["10.18.2.15", "acme_rw", "acme_db"][..],
            ),
            (
                "2015-05-13T23:39:43.945958Z acme-front 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200",
                &["acme-front", "192.168.131.39", "10.0.0.1"],
            ),
            ("10.18.2.15(51022): acme_rw@acme_db:[3412]", &["10.18.2.15"]),
            ("2015-05-13T23:39:43.945Z acme-front 192.168.131.39:2817 x", &["192.168.131.39"]),
        ] {
            assert_eq!(parts(text), names, "{text}");
        }
    }
}
