//! Access key ids and the unique ids of IAM: `AKIA…`, `AROA…`.

use crate::catalog::{KindId, PrefixShape};
use crate::detect::Scan;
use crate::detect::text::boundary::{ends_at, is_alnum, run_end, run_start, word_start};

/// Letters that announce the kind.
const PREFIX: usize = 4;
/// Longest name of a session.
const MAX_SESSION: usize = 64;

impl Scan<'_, '_> {
    /// Looks at the capital at `at`; gives where to go on.
    pub(in crate::detect) fn capital(&mut self, at: usize) -> usize {
        let text = self.text;
        let end = run_end(text, at, text.len(), |c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let run = run_start(text, at, 8, is_alnum);
        if end - at <= PREFIX || run != at && word_start(text, run) != at {
            return end;
        }
        if let Some(kind) = self.unique_id(&text[at..end])
            && ends_at(text, end)
        {
            let session = self.session_end(&text[at..at + PREFIX], end);
            if session == end {
                self.whole(kind, at, end);
            } else if self.wants(kind) {
                self.finding(kind, at, session);
                self.part(kind, at, end, false);
                self.arn_segment(Some(self.detector.catalog.known.arn_name), end + 1, session, false);
            }
            return session;
        }
        end
    }

    /// The kind of the unique id that this is, all of it.
    pub(in crate::detect) fn unique_id(&self, id: &[u8]) -> Option<KindId> {
        if id.first() != Some(&b'A') {
            return None;
        }
        // Old ids of this family differ in their fourth character.
        let len = if id.starts_with(b"A3T") { PREFIX - 1 } else { PREFIX };
        let (prefix, body) = id.split_at_checked(len)?;
        let fits =
            |len: usize| move |shape: &&PrefixShape| (usize::from(shape.min)..=usize::from(shape.max)).contains(&len);
        let is_id = body.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let shape = self.detector.catalog.prefixes.get(prefix).iter().find(fits(body.len())).filter(|_| is_id)?;
        Some(shape.kind)
    }

    /// Where the session's name ends that follows the id of a role: `AROA…:session` is the user id of an assumed role.
    fn session_end(&self, prefix: &[u8], end: usize) -> usize {
        let text = self.text;
        if prefix != b"AROA" || text.get(end) != Some(&b':') {
            return end;
        }
        let stop = run_end(text, end + 1, MAX_SESSION, |c| {
            is_alnum(c) || matches!(c, b'_' | b'+' | b'=' | b'.' | b'@' | b'-')
        });
        let name_end = run_start(text, stop, stop - end, |c| c == b'.');
        if text.get(end + 1).is_some_and(|&c| is_alnum(c)) { name_end } else { end }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Detector, DetectorConfig};

    #[test]
    fn a_role_s_session_belongs_to_its_user_id() {
        let detector = Detector::new(&DetectorConfig::default()).unwrap();
        let parts = |text: &str| {
            let found = detector.scan(text.as_bytes());
            assert_eq!(found.findings.len(), 1, "{text}");
            let parts = found.parts.iter();
            parts
                .map(|p| (detector.label(p.kind).to_owned(), text.get(p.span.clone()).unwrap().to_owned()))
                .collect::<Vec<_>>()
        };
        let text = "AROAEXAMPLEID0123456A:bob@example.com.";
        let [role, session] = &parts(text)[..] else { panic!() };
        assert_eq!((role.1.as_str(), session.1.as_str()), ("AROAEXAMPLEID0123456A", "bob@example.com"));
        assert_eq!(parts("AROAEXAMPLEID0123456A:i-0f3a9c27be41d8056")[1].0, "EC2");
        for text in ["AROAEXAMPLEID0123456A:*", "AROAEXAMPLEID0123456A: bob", "AIDAEXAMPLEID0123456A:bob"] {
            assert_eq!(parts(text).len(), 1, "{text}");
        }
    }
}
