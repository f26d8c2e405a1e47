//! A long conversation is looked at passage by passage: each turn repeats all that was said before, and what was found in
//! a passage is known as long as it stays the same.
//!
//! A passage is some turns of the messages, or another member of the request. It is read with what stands right before and
//! behind it, so that nothing is taken from what announces it. What is found in a passage depends on nothing but these bytes
//! and a few facts about the others ([`Beside`]), whether it was looked at before or not.

use std::ops::Range;
use std::sync::Arc;

use once_cell::sync::OnceCell;

use crate::detect::scan::anchors::Pass;
use crate::detect::scan::recall::{Digest, Recall};
use crate::detect::shape::shaped::speaks_of_cloudfront;
use crate::detect::{Detector, Hits, Scan};
use crate::json::{Border, borders};

/// Shortest passage but the last, bytes; a shorter one may stand before a long member of the request.
const MIN_PASSAGE: usize = 32 * 1024;
/// Shortest one.
const MIN_LAST: usize = 2 * 1024;
/// Shorter requests are one passage.
pub(in crate::detect) const MIN_TO_CUT: usize = MIN_PASSAGE + MIN_LAST;
/// How far around a passage is read: as far as most rules look around what they find.
const MARGIN: usize = 4 * 1024;

/// What a passage stands beside.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(in crate::detect) struct Beside {
    /// Other passages: the text as a whole is long.
    pub(in crate::detect) others: bool,
    /// In one of them something was found.
    pub(in crate::detect) a_finding: bool,
    /// An identifier that is sure.
    pub(in crate::detect) an_identifier: bool,
}

impl Beside {
    fn and(self, other: Self) -> Self {
        Self {
            others: self.others | other.others,
            a_finding: self.a_finding | other.a_finding,
            an_identifier: self.an_identifier | other.an_identifier,
        }
    }

    fn told_by(hits: &Hits, detector: &Detector) -> Self {
        let has_sure = hits.has_sure(detector.catalog);
        Self { others: false, a_finding: !hits.is_empty(), an_identifier: has_sure }
    }
}

/// Where a passage stands in a text.
#[derive(Clone, Debug)]
struct Place {
    own: Range<usize>,
    /// With what stands around it.
    window: Range<usize>,
}

/// What was found in a passage.
#[derive(Debug)]
pub(in crate::detect) struct Passage {
    /// `None` where it has to be looked at through a view.
    pub(in crate::detect) hits: Option<Hits>,
    /// What it was looked at beside, and what was known from the first look at itself: more of this would change nothing.
    known: Beside,
    /// What others stand beside because of it.
    tells: Beside,
    /// Whether it speaks of CloudFront, once that was asked for.
    of_cloudfront: OnceCell<bool>,
}

impl Passage {
    /// One that tells nothing.
    #[cfg(test)]
    pub(in crate::detect) fn of(hits: Hits) -> Self {
        let nothing = Beside::default();
        Self { hits: Some(hits), known: nothing, tells: nothing, of_cloudfront: OnceCell::new() }
    }
}

impl Detector {
    /// Looks at a text, through a view unless it `is_raw`; `None` where it has to be through one. With `recall`, a
    /// text of more than a passage is not looked at where that was done before.
    pub(in crate::detect) fn look_at(
        &self,
        text: &[u8],
        is_raw: bool,
        is_json: bool,
        recall: Option<Recall<'_>>,
    ) -> Option<Hits> {
        let cuts = if is_json { cuts(text) } else { Vec::new() };
        let recall = recall.filter(|_| text.len() >= MIN_TO_CUT);
        if cuts.is_empty() && recall.is_none() {
            let mut hits = self.hits(text, is_raw, Beside::default())?.0;
            self.add_distributions(text, &mut hits, || speaks_of_cloudfront(text));
            return Some(hits);
        }
        let places = places(text.len(), &cuts);
        let has_others = places.len() > 1;
        let digests: Vec<_> = places.iter().map(|place| recall.map(|recall| place.digest(text, recall))).collect();
        let mut found: Vec<Option<Arc<Passage>>> = vec![None; places.len()];
        // What one tells may change what is found in others, which may tell more then; each fact comes but once.
        loop {
            let mut has_changed = false;
            for (i, place) in places.iter().enumerate() {
                let others = found.iter().enumerate().filter(|&(j, _)| j != i);
                let told = others.filter_map(|(_, passage)| passage.as_ref()).map(|passage| passage.tells);
                let beside = told.fold(Beside { others: has_others, ..Beside::default() }, Beside::and);
                if found[i].as_ref().is_some_and(|passage| passage.known.and(beside) == passage.known) {
                    continue;
                }
                // What was known stays so, and this comes to an end.
                let beside = found[i].as_ref().map_or(beside, |passage| passage.known.and(beside));
                let passage = self.passage(text, place, is_raw, beside, recall.zip(digests[i]));
                passage.hits.as_ref()?;
                found[i] = Some(passage);
                has_changed = true;
            }
            if !has_changed {
                break;
            }
        }
        let mut all = Hits::default();
        for (place, passage) in places.iter().zip(found.iter().flatten()) {
            all.extend_from(passage.hits.as_ref()?, place.own.start);
        }
        self.add_distributions(text, &mut all, || {
            let mut known = places.iter().zip(found.iter().flatten());
            known.any(|(place, passage)| {
                *passage.of_cloudfront.get_or_init(|| speaks_of_cloudfront(&text[place.own.clone()]))
            })
        });
        Some(all)
    }

    /// What is alone in a text would have the whole of it searched, in every text.
    fn add_distributions(&self, text: &[u8], hits: &mut Hits, is_of_cloudfront: impl Fn() -> bool) {
        if !hits.is_empty() && is_of_cloudfront() {
            Scan::resolved(self, text, hits).distributions();
        }
    }

    fn passage(
        &self,
        text: &[u8],
        place: &Place,
        is_raw: bool,
        beside: Beside,
        recall: Option<(Recall<'_>, Digest)>,
    ) -> Arc<Passage> {
        let known = recall.and_then(|(recall, digest)| recall.passage(digest, is_raw, beside));
        known.unwrap_or_else(|| {
            let hits = self.hits(&text[place.window.clone()], is_raw, beside);
            let (hits, early) = hits.map_or((None, Beside::default()), |(hits, early)| (Some(hits), early));
            let own = place.own.start - place.window.start..place.own.end - place.window.start;
            let passage = Arc::new(Passage {
                tells: hits.as_ref().map_or(Beside::default(), |hits| Beside::told_by(hits, self)),
                hits: hits.map(|hits| hits.within(own)),
                known: beside.and(early),
                of_cloudfront: OnceCell::new(),
            });
            if let Some((recall, digest)) = recall {
                recall.keep_passage(digest, is_raw, beside, &passage);
            }
            passage
        })
    }

    /// What is found in a text that stands beside others, but for what their findings and its own mean elsewhere; and what was
    /// known after a first look at it.
    fn hits(&self, text: &[u8], is_raw: bool, beside: Beside) -> Option<(Hits, Beside)> {
        let mut hits = Hits::default();
        let scan = if is_raw { Scan::raw(self, text, &mut hits) } else { Scan::resolved(self, text, &mut hits) };
        if scan.beside(beside).anchors() == Pass::MetEscape {
            return None;
        }
        Scan::resolved(self, text, &mut hits).secrets_near_access_keys();
        self.scan_encoded(text, &mut hits);
        self.scan_disguised(text, &mut hits);
        self.custom.scan(text, |label| self.has_label(label), &mut hits);
        let early = Beside::told_by(&hits, self);
        Scan::resolved(self, text, &mut hits).beside(beside).answers();
        Scan::resolved(self, text, &mut hits).beside(beside).siblings();
        Scan::resolved(self, text, &mut hits).beside(beside).tables();
        Scan::resolved(self, text, &mut hits).beside(beside).panes();
        Scan::resolved(self, text, &mut hits).beside(beside).accounts_behind_names();
        Scan::resolved(self, text, &mut hits).beside(beside).prose();
        Scan::resolved(self, text, &mut hits).beside(beside).suffixed();
        Scan::resolved(self, text, &mut hits).hashes();
        Some((hits, early))
    }
}

impl Place {
    fn digest(&self, text: &[u8], recall: Recall<'_>) -> Digest {
        recall.digest_within(&text[self.window.clone()], self.own.start - self.window.start, self.own.len())
    }
}

/// Where the passages stand of a text of this length that is cut there.
fn places(len: usize, cuts: &[usize]) -> Vec<Place> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([len]);
    let around = |own: Range<usize>| own.start.saturating_sub(MARGIN)..len.min(own.end + MARGIN);
    starts.zip(ends).map(|(start, end)| Place { own: start..end, window: around(start..end) }).collect()
}

/// Where the passages of a request begin, but for the first. Those of a conversation that goes on stay where they are.
fn cuts(text: &[u8]) -> Vec<usize> {
    let mut cuts = Vec::new();
    if text.len() < MIN_TO_CUT {
        return cuts;
    }
    let borders = borders(text);
    // Where the member ends that each stands in, or begins.
    let mut member_ends = vec![text.len(); borders.len()];
    let mut next = text.len();
    for (end, border) in member_ends.iter_mut().zip(&borders).rev() {
        *end = next;
        if let Border::Member(at) = border {
            next = *at;
        }
    }
    let mut start = 0;
    for (border, member_end) in borders.into_iter().zip(member_ends) {
        let (at, is_cut) = match border {
            Border::Member(at) => {
                let is_between = at - start >= MIN_LAST && text.len() - at >= MIN_LAST;
                (at, is_between && (at - start >= MIN_PASSAGE || member_end - at >= MIN_PASSAGE))
            }
            Border::Turn(at) => (at, at - start >= MIN_PASSAGE && member_end - at >= MIN_LAST),
        };
        if is_cut {
            cuts.push(at);
            start = at;
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::DetectorConfig;

    fn detector() -> Detector {
        Detector::new(&DetectorConfig::default()).unwrap()
    }

    /// A request with these messages, the user's and the model's in turns.
    fn request(messages: &[&str]) -> String {
        let message = |(i, text): (usize, &&str)| {
            let role = ["user", "assistant"][i % 2];
            serde_json::json!({ "role": role, "content": text }).to_string()
        };
        let messages: Vec<_> = messages.iter().enumerate().map(message).collect();
        format!("{{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":9}}", messages.join(","))
    }

    /// The text of each part that is found in a request.
    fn parts(body: &str) -> Vec<&str> {
        let found = detector().scan_where(body.as_bytes(), true, None, |_| true);
        found.parts.iter().map(|part| body.get(part.span.clone()).unwrap()).collect()
    }

    #[test]
    fn passages_are_long_and_end_where_the_model_speaks() {
        let filler = "and so on ".repeat(600);
        for turns in 2..24 {
            let body = request(&vec![filler.as_str(); turns]);
            let cuts = cuts(body.as_bytes());
            assert_eq!(cuts.len(), (turns - 2) / 6, "{turns}");
            for &cut in &cuts {
                let (before, behind) = body.split_at(cut);
                assert!(before.ends_with("},") && behind.contains("assistant"), "{turns}");
                assert!(body.len() - cut >= MIN_LAST, "{turns}");
            }
        }
    }

    #[test]
    fn passages_stay_where_they_are_when_a_conversation_goes_on() {
        let filler = "and so on ".repeat(250);
        let mut before = Vec::new();
        for turns in 1..100 {
            let now = cuts(request(&vec![filler.as_str(); turns]).as_bytes());
            assert!(now.starts_with(&before), "{turns}: {before:?} {now:?}");
            before = now;
        }
        assert!(before.len() > 5);
    }

    #[test]
    fn a_long_member_is_a_passage_of_its_own() {
        let tools = format!("[{{\"name\":\"Bash\",\"description\":\"{}\"}}]", "Runs it. ".repeat(4000));
        let body =
            |text: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}],\"tools\":{tools}}}");
        for text in ["Hello. ".repeat(400), "Hello. ".repeat(8000)] {
            let body = body(&text);
            let cuts = cuts(body.as_bytes());
            assert!(matches!(cuts[..], [cut] if body.split_at(cut).1.starts_with("\"tools\"")), "{cuts:?}");
        }
        // What is as short as this is no passage.
        assert!(cuts(body("Hello.").as_bytes()).is_empty());
    }

    #[test]
    fn passages_know_what_stands_in_the_others() {
        let filler = "and so on ".repeat(3400);
        let id = "vpc-0ab12cd34ef56ab78";
        // Before it and behind it, this means something only beside an identifier.
        let said = "it was checkout-web-asg again";
        assert_eq!(parts(&request(&[said, &filler, &filler, &filler])), Vec::<&str>::new());
        for messages in [[said, &filler, id, &filler], [id, &filler, said, &filler]] {
            let body = request(&messages);
            let found = parts(&body);
            assert!(found.contains(&"checkout-web-asg") && found.contains(&id), "{found:?}");
        }
        // A name is known everywhere.
        let told = "aws s3 ls s3://acme-logs";
        let asked = format!("{filler} where is acme-logs?");
        assert_eq!(parts(&request(&[&asked, &filler, told, &filler])), ["acme-logs"; 2]);
        // An id without a prefix where any message speaks of its service.
        let texts =
            ["We have CloudFront in account 618734209955.", &filler, &filler, "invalidate EQDFC7Y4WF186 please"];
        assert_eq!(parts(&request(&texts)), ["618734209955", "EQDFC7Y4WF186"]);
    }

    #[test]
    fn a_secret_that_answers_a_question_is_found() {
        let (filler, secret) = ("and so on ".repeat(3400), "wJalrXUtnFEMI7K7MDENGbPxRfiCYzqH1v0LrKEy");
        let asked = format!("{filler} I have AKIAQ3EGRIT7Q6B2XKMP");
        let body = request(&[&asked, "And the other half?", secret, &filler]);
        assert_eq!(cuts(body.as_bytes()).len(), 1, "they stand in two passages");
        assert_eq!(parts(&body), ["AKIAQ3EGRIT7Q6B2XKMP", secret]);
    }

    #[test]
    fn what_is_said_on_the_other_side_of_a_cut_counts() {
        for (user, model, part) in [
            ("Scan the DynamoDB table of orders", r#"{"table": "orders_prod"}"#, "orders_prod"),
            ("Set up the VPN on AWS again", r#"{"psk": "d1gTunnel99xQ"}"#, "d1gTunnel99xQ"),
            ("On AWS:", r#"{"host": "203.0.113.7"}"#, "203.0.113.7"),
            ("UID=hoewon", "pwd=d1gTunnel99", "d1gTunnel99"),
            ("aws iam list-users", r#"{"Users": [{"UserName": "deployer"}]}"#, "deployer"),
        ] {
            let filler = "and so on ".repeat(3400);
            let user = format!("{filler}{user}");
            let body = request(&[&user, model, &"and so on ".repeat(400)]);
            let cuts = cuts(body.as_bytes());
            assert!(matches!(cuts[..], [cut] if body.split_at(cut).1.contains("assistant")), "{cuts:?}");
            let model = serde_json::to_string(model).unwrap();
            assert!(body.contains(&model));
            assert!(parts(&body).contains(&part), "{part}: {:?}", parts(&body));
        }
    }

    #[test]
    fn a_finding_elsewhere_counts_however_late_the_own_ones_come() {
        let filler = |len: usize| "and so on ".repeat(len / 10);
        let table = "Name | Bucket\n---|---\nshopfront | acmelogz\n\n";
        let first = format!("{}\n{table}{}the bucket acme-logs-eu", filler(2500), filler(31_000));
        let body = request(&[&first, "i-0ab12cd34ef56ab78", &filler(6000)]);
        assert_eq!(cuts(body.as_bytes()).len(), 1);
        assert!(parts(&body).contains(&"acmelogz"), "{:?}", parts(&body));
    }

    #[test]
    fn what_is_no_conversation_is_not_cut() {
        let long = "x y ".repeat(10_000);
        for body in [
            format!("{{\"description\": \"{long}\", \"name\": \"lobby\", \"notes\": \"{long}\"}}"),
            format!("{{ {long} aws_secret_access_key=\"wJalrXUtnFEMI7K7MDENGbPxRfiCYzqH1v0LrKEy\" , {long} }}"),
            request(&[&long, &long, &long]).replace("\"max_tokens\":9", "\"max_tokens\":"),
        ] {
            assert!(cuts(body.as_bytes()).is_empty(), "{}", body.split_at(40).0);
        }
    }
}
