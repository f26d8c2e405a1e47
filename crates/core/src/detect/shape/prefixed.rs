//! Ids that a prefix and a dash or an underscore announce: `i-0ab…`, `vpce-svc-…`, `fleet-UUID`, `dt_2wj…`.

use crate::catalog::{Body, KindId, MAX_PREFIX_LEN, MIN_HEX_LEN};
use crate::detect::Scan;
use crate::detect::shape::address::begins_word;
use crate::detect::shape::arn::is_region;
use crate::detect::text::boundary::{class, ends_at, is_alnum, run_end, run_start, word_start};

/// Longest prefix looked at, dashes included.
const MAX_PREFIX: usize = MAX_PREFIX_LEN;
/// How far before a UUID the service may be named, bytes.
const NEAR_NAME: usize = 16;
/// Fewest characters of an id of Organizations that is believed on its own.
const MIN_ORG: usize = 8;
/// Longest id body looked at.
const MAX_BODY: usize = 64;

/// What stands at a dash.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::detect) enum Found {
    /// An id, from the first byte of its prefix to past its last.
    Id {
        kind: KindId,
        start: usize,
        end: usize,
    },
    /// The shape of an id, glued to a word.
    Glued {
        kind: KindId,
        start: usize,
        end: usize,
    },
    Nothing,
}

/// Digits of the run of a job of Glue.
const JOB_RUN_LEN: usize = 64;

impl Scan<'_, '_> {
    /// Looks at the dash at `dash`.
    pub(in crate::detect) fn prefixed_at(&mut self, dash: usize) -> usize {
        match find(self, dash) {
            Found::Id { kind, start, end } => {
                self.whole(kind, start, end);
                end
            }
            Found::Glued { kind, start, end } => {
                self.loose(kind, start, end);
                end
            }
            Found::Nothing => dash + 1,
        }
    }
}

impl Scan<'_, '_> {
    /// Looks at the UUID whose first dash is at `dash`, for what stands before it; gives where to go on.
    pub(in crate::detect) fn uuid_at(&mut self, dash: usize) -> usize {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let Some(start) = dash.checked_sub(8) else { return dash + 1 };
        let Some(end) = uuid_end(text, start) else { return dash + 1 };
        let before = &text[..start];
        for (prefix, kind) in
            [(&b"ADID"[..], known.snow_address), (b"JID", known.snow_job), (b"CID", known.snow_cluster)]
        {
            let from = start.saturating_sub(prefix.len());
            if before.ends_with(prefix) && begins_word(text, from) {
                self.whole(kind, from, end);
                return end;
            }
        }
        match before.last() {
            Some(b'-') => {
                let from = run_start(text, start - 1, 11, |c| c.is_ascii_hexdigit());
                if start - 1 - from == 10 && begins_word(text, from) {
                    self.whole(known.identity_store, from, end);
                    return end;
                }
            }
            Some(b'.') if before.ends_with(b"amzn.mws.") => {
                self.whole(known.mws_token, start - 9, end);
                return end;
            }
            Some(b':') => {
                let from = run_start(text, start - 1, 150, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
                let from = word_start(text, from);
                let owner = &text[from.min(start - 1)..start - 1];
                if is_region(owner) {
                    self.whole(known.identity_pool, from, end);
                    return end;
                }
                if owner.len() > 1 && (is_of_build(&text[..from]) || self.speaks_of("codebuild", start)) {
                    self.whole(known.build, from, end);
                    return end;
                }
            }
            _ => {
                let near = &text[start.saturating_sub(NEAR_NAME)..start];
                if memchr::memmem::find(near, b"KMS").is_some() || memchr::memmem::find(near, b"kms").is_some() {
                    self.whole(known.kms_key, start, end);
                    return end;
                }
            }
        }
        dash + 1
    }

    /// Looks at `us-east-1_aB3dEf9Gh` whose last dash is at `dash`; gives where to go on.
    pub(in crate::detect) fn user_pool(&mut self, dash: usize) -> usize {
        let text = self.text;
        let kind = self.detector.catalog.known.user_pool;
        let run = run_start(text, dash, 24, |c| c.is_ascii_lowercase() || c == b'-');
        let start = word_start(text, run).min(dash);
        let end = run_end(text, dash + 3, 16, is_alnum);
        let is_id = end - dash == 12 || text[dash + 3..end] == *b"EXAMPLE";
        if is_id && is_region(&text[start..dash + 2]) && begins_word(text, start) {
            self.whole(kind, start, end);
            return end;
        }
        dash + 1
    }

    /// Looks at `dt_2wjDZi3h…` whose underscore is at `sign`; gives where to go on.
    ///
    /// CloudFront makes these of the time and a random number, in 27 letters and digits; its documentation has shorter ones.
    pub(in crate::detect) fn ksuid_at(&mut self, sign: usize) -> usize {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let Some(start) = sign.checked_sub(2) else { return sign + 1 };
        let kind = match &text[start..sign] {
            b"dt" => known.distribution_tenant,
            b"cg" => known.connection_group,
            _ => return sign + 1,
        };
        let run = BodyRun::at(text, sign + 1);
        let is_id = (20..=27).contains(&(run.end - run.start)) && run.has(class::UPPER) && run.has(class::LOWER);
        if is_id && begins_word(text, start) && ends_at(text, run.end) {
            self.whole(kind, start, run.end);
            return run.end;
        }
        sign + 1
    }

    /// The run of a job of Glue whose sign is at `sign`: `jr_` and 64 hexadecimal digits.
    #[inline(never)]
    pub(in crate::detect) fn job_run(&mut self, sign: usize) -> usize {
        let text = self.text;
        let start = sign.saturating_sub(b"jr".len());
        let end = run_end(text, sign + 1, JOB_RUN_LEN + 1, |c| c.is_ascii_hexdigit());
        let is_id = end - sign - 1 == JOB_RUN_LEN && ends_at(text, end);
        if is_id && &text[start..sign] == b"jr" && begins_word(text, start) {
            self.whole(self.detector.catalog.known.resource_id, start, end);
            return end;
        }
        sign + 1
    }

    /// The kind of the id that fills `start..end`, where a key has said that it is one: letters alone will do.
    pub(in crate::detect) fn prefixed_as_told(&self, start: usize, end: usize) -> Option<KindId> {
        let text = &self.text[start..end];
        let dash = memchr::memrchr(b'-', text)?;
        let body = &text[dash + 1..];
        let fits = |shape: &&crate::catalog::PrefixShape| {
            (usize::from(shape.min)..=usize::from(shape.max)).contains(&body.len())
                && matches!(shape.body, Body::Alnum | Body::Random | Body::Org)
        };
        let shapes = self.detector.catalog.prefixes.get(&text[..dash]);
        (body.iter().all(|&c| is_alnum(c))).then(|| shapes.iter().find(fits).map(|shape| shape.kind)).flatten()
    }

    /// The prefixed id that begins at `start` and ends at or before `end`.
    pub(in crate::detect) fn prefixed_within(&mut self, start: usize, end: usize) -> Option<(KindId, usize, usize)> {
        let mut at = start;
        while let Some(found) = memchr::memchr(b'-', &self.text[at..end]) {
            let dash = at + found;
            // One that begins here has this length, or is that of an organizational unit.
            let tail = self.detector.catalog.prefixes.tail(&self.text[..dash]);
            if !(tail.has_length(dash - start) || self.text[start..].starts_with(b"ou-")) {
                at = dash + 1;
                continue;
            }
            if let Found::Id { kind, start: from, end: to } = find(self, dash)
                && from == start
                && to <= end
            {
                return Some((kind, from, to));
            }
            at = dash + 1;
        }
        None
    }
}

fn find(scan: &mut Scan<'_, '_>, dash: usize) -> Found {
    let text = scan.text;
    let tail = scan.detector.catalog.prefixes.tail(&text[..dash]);
    // Most dashes of a text end here.
    if tail.lengths == 0 && !may_be_unit(text, dash) {
        return Found::Nothing;
    }
    let run = BodyRun::at(text, dash + 1);
    let is_possible = tail.hex && run.hex_end - run.start >= MIN_HEX_LEN
        || tail.mixed && run.has(class::DIGIT) && run.has(class::LOWER | class::UPPER)
        || tail.uuid && run.end - run.start == 8
        || tail.org && !text[run.start..].first().is_some_and(u8::is_ascii_uppercase)
        || tail.upper && !text[run.start..].first().is_some_and(u8::is_ascii_lowercase);
    if !is_possible && !may_be_unit(text, dash) {
        return Found::Nothing;
    }
    let start = run_start(text, dash, MAX_PREFIX, |c| is_alnum(c) || c == b'-');
    let first = word_start(text, start).min(dash);
    // `\s-1NAME\s0` sets the size of letters in a manual page.
    if text[first..dash].eq_ignore_ascii_case(b"s") && first > 0 && text[first - 1] == b'\\' {
        return Found::Nothing;
    }
    if let Some(found) = organizational_unit(scan, first, dash) {
        return found;
    }
    let mut lower = [0u8; MAX_PREFIX];
    let lower = &mut lower[..dash - start];
    lower.copy_from_slice(&text[start..dash]);
    lower.make_ascii_lowercase();
    let lower = &*lower;
    let has_length = |len| tail.has_length(len);
    // A run that was cut at the limit begins in the middle of a word.
    let cut = start > 0 && start == first && dash - start == MAX_PREFIX && is_alnum(text[start - 1]);
    let mut from = first;
    while from < dash {
        if !(from == first && cut)
            && has_length(dash - from)
            && let Some((kind, end)) = body_end(scan, &lower[from - start..], &run, true)
        {
            return if ends_at(text, end) {
                Found::Id { kind, start: from, end }
            } else {
                Found::Glued { kind, start: from, end }
            };
        }
        match memchr::memchr(b'-', &text[from..dash]) {
            Some(next) => from += next + 1,
            None => break,
        }
    }
    // The prefix is the tail of a longer word: kept aside for the ids that the request has elsewhere.
    let word = run_start(text, dash, MAX_PREFIX, is_alnum);
    for from in word + 1..dash {
        if has_length(dash - from)
            && let Some((kind, end)) = body_end(scan, &lower[from - start..], &run, false)
        {
            return Found::Glued { kind, start: from, end };
        }
    }
    Found::Nothing
}

/// True behind a key that says that the id of a build follows: `"BuildId": "`, `| build-id | `.
fn is_of_build(before: &[u8]) -> bool {
    let key = run_start(before, before.len(), MAX_PREFIX, |c| !is_alnum(c) && c != b'\n');
    let words = before[..key].iter().rev().filter(|c| !matches!(c, b'-' | b'_')).map(u8::to_ascii_lowercase);
    words.take(b"buildid".len()).eq(b"buildid".iter().rev().copied())
}

/// What stands before the last dash of an [`organizational_unit`].
fn may_be_unit(text: &[u8], dash: usize) -> bool {
    let is_part = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let root = run_start(text, dash, 33, is_part);
    text[..root].ends_with(b"ou-")
}

/// `ou-ROOT-UNIT` whose last dash is at `dash`.
fn organizational_unit(scan: &Scan<'_, '_>, first: usize, dash: usize) -> Option<Found> {
    let text = scan.text;
    let is_part = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let root = text[first..dash].strip_prefix(b"ou-")?;
    let end = run_end(text, dash + 1, 33, is_part);
    let shaped = (4..=32).contains(&root.len()) && root.iter().all(|&c| is_part(c)) && (9..=33).contains(&(end - dash));
    let kind = scan.detector.catalog.known.organizational_unit;
    (shaped && ends_at(text, end)).then_some(Found::Id { kind, start: first, end })
}

/// The letters and digits after a dash, looked at once for all prefixes.
struct BodyRun {
    start: usize,
    /// Where the letters and digits end, [`MAX_BODY`] of them at most.
    end: usize,
    /// Where the hexadecimal digits end.
    hex_end: usize,
    /// The classes of all of them together.
    classes: u8,
}

impl BodyRun {
    fn at(text: &[u8], start: usize) -> Self {
        let rest = text.get(start..).unwrap_or_default();
        let rest = &rest[..rest.len().min(MAX_BODY)];
        let mut classes = 0;
        let mut taken = 0;
        let mut run = |wanted: u8| {
            while let Some(&c) = rest.get(taken) {
                let found = class::of(c);
                if found & wanted == 0 {
                    break;
                }
                classes |= found;
                taken += 1;
            }
            start + taken
        };
        let hex_end = run(class::HEX);
        let end = run(class::ALNUM);
        // AWS writes its examples so: `tgw-attach-01f8100bc7EXAMPLE`, of which `E` is a digit.
        let is_example = end > hex_end && text[hex_end - 1..end] == *b"EXAMPLE";
        Self { start, end, hex_end: if is_example { end } else { hex_end }, classes }
    }

    fn has(&self, wanted: u8) -> bool {
        self.classes & wanted != 0
    }
}

/// The kind and end of an id with this prefix and a body that begins as `run` does.
fn body_end(scan: &mut Scan<'_, '_>, prefix: &[u8], run: &BodyRun, stands_alone: bool) -> Option<(KindId, usize)> {
    let text = scan.text;
    let body = run.start;
    let mut glued = None;
    for shape in scan.detector.catalog.prefixes.get(prefix) {
        let end = match shape.body {
            Body::Hex => run.hex_end,
            Body::Alnum | Body::Random => run.end,
            Body::Org => run_end(text, body, MAX_BODY, |c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            Body::UpperDash => run_end(text, body, MAX_BODY, |c| c.is_ascii_uppercase() || c.is_ascii_digit()),
            Body::Uuid => match uuid_end(text, body) {
                Some(end) => end,
                None => continue,
            },
            Body::Upper => continue,
        };
        let len = end - body;
        if len < usize::from(shape.min) {
            continue;
        }
        if len <= usize::from(shape.max) && is_mixed(scan, shape.body, body, end, stands_alone) {
            if ends_at(text, end) {
                return Some((shape.kind, end));
            }
            glued = glued.max(Some((shape.kind, end)));
        }
    }
    glued
}

/// An id whose body may be any letters must have a digit, or it is a word.
fn is_mixed(scan: &mut Scan<'_, '_>, body: Body, start: usize, end: usize, stands_alone: bool) -> bool {
    let text = &scan.text[start..end];
    let has_digit = || text.iter().any(u8::is_ascii_digit);
    let has_letter = || text.iter().any(u8::is_ascii_alphabetic);
    let is_random = || text.windows(2).any(|w| w[0].is_ascii_digit() && w[1].is_ascii_alphabetic());
    match body {
        Body::Hex | Body::Uuid | Body::Upper => true,
        Body::Alnum | Body::UpperDash => has_digit() && has_letter(),
        Body::Random => is_random(),
        // What is glued to a word is not worth a look around.
        Body::Org => {
            text.len() >= MIN_ORG && is_random()
                || stands_alone && has_letter() && scan.speaks_of("organizations", start)
        }
    }
}

impl Scan<'_, '_> {
    /// Looks at the dash of `6a97c14c…-certificate.pem.crt`: so IoT calls the files of a certificate, by its id.
    #[inline(never)]
    pub(in crate::detect) fn certificate_file(&mut self, dash: usize) {
        let start = run_start(self.text, dash, CERTIFICATE_ID + 1, |c| c.is_ascii_hexdigit());
        if dash - start == CERTIFICATE_ID {
            self.whole(self.detector.catalog.known.resource_id, start, dash);
        }
    }
}

/// Length of the id of a certificate of IoT: SHA-256 in hexadecimal digits.
const CERTIFICATE_ID: usize = 64;

/// End of the UUID that begins at `at`.
pub(in crate::detect) fn uuid_end(text: &[u8], at: usize) -> Option<usize> {
    let uuid = text.get(at..at + 36)?;
    let shaped = uuid.iter().enumerate().all(|(i, &c)| match i {
        8 | 13 | 18 | 23 => c == b'-',
        _ => c.is_ascii_hexdigit(),
    });
    // That of nothing.
    let is_nil = uuid.iter().all(|c| matches!(c, b'0' | b'-'));
    (shaped && !is_nil && ends_at(text, at + 36)).then_some(at + 36)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn a_key_says_that_a_build_has_this_id() {
        let id = "acme-web:4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5";
        for text in [
            format!("{{\"BuildId\": \"{id}\"}}"),
            format!("| build-id | {id} |"),
            format!("export BUILD_ID={id}"),
            format!("aws codebuild x --ids {id}"),
        ] {
            assert_eq!(found(&text), [("codebuild:build".to_owned(), id)], "{text}");
        }
        assert_eq!(found(&format!("{{\"Id\": \"{id}\"}}")), []);
    }

    #[test]
    fn ids_of_cloudfront_have_an_underscore() {
        assert_eq!(
            found("tenants dt_2wjDZi3hD1ivOXf6rpZJOSNE1AB, cg_2whCJoXMYCjHcxaLGrkllvyABC"),
            [
                ("cloudfront:distribution-tenant".into(), "dt_2wjDZi3hD1ivOXf6rpZJOSNE1AB"),
                ("cloudfront:connection-group".into(), "cg_2whCJoXMYCjHcxaLGrkllvyABC")
            ]
        );
        assert!(
            found("dt_20250314_report cg_2 xdt_2wjDZi3hD1ivOXf6rpZJOSNE1AB dt_2wjdzi3hd1ivoxf6rpzjosne1ab").is_empty()
        );
    }

    #[test]
    fn runs_of_jobs() {
        let id = format!("jr_{}", "3f2a9c8b7d6e5f4a".repeat(4));
        assert_eq!(found(&format!("run {id} failed")), [("id:resource".to_owned(), id.as_str())]);
        for text in [format!("x{id}"), format!("{id}0"), "jr_3f2a9c8b7d6e5f4a".to_owned()] {
            assert!(found(&text).is_empty(), "{text}");
        }
    }
}
