//! A long conversation is looked at passage by passage: each turn repeats all that was said before, and what was found in
//! a passage is known as long as it stays the same.
//!
//! A passage is some turns of the messages, or another member of the request. What is found in it depends on nothing but
//! its bytes and a few facts about the others ([`Beside`]), whether it was looked at before or not.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::anchors::Pass;
use super::recall::{Digest, Recall};
use super::shaped::speaks_of_cloudfront;
use super::{Detector, Hits, Scan};
use crate::json::{Border, borders};

/// Shortest passage but the last, bytes: several times as long as most of what is found looks around itself.
const MIN_PASSAGE: usize = 8 * 1024;
/// Shortest last one.
const MIN_LAST: usize = 2 * 1024;
/// Shorter requests are one passage.
pub(super) const MIN_TO_CUT: usize = MIN_PASSAGE + MIN_LAST;

/// What a passage stands beside.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(super) struct Beside {
    /// Other passages: the text as a whole is long.
    pub(super) others: bool,
    /// In one of them something was found.
    pub(super) a_finding: bool,
    /// An identifier that is sure.
    pub(super) an_identifier: bool,
}

impl Beside {
    fn and(self, other: Self) -> Self {
        Self {
            others: self.others | other.others,
            a_finding: self.a_finding | other.a_finding,
            an_identifier: self.an_identifier | other.an_identifier,
        }
    }
}

/// What was found in a passage.
#[derive(Debug)]
pub(super) struct Passage {
    /// `None` where an escape has to be resolved first.
    pub(super) hits: Option<Hits>,
    /// What others stand beside because of it.
    tells: Beside,
    /// Whether it speaks of CloudFront, once that was asked for.
    of_cloudfront: OnceCell<bool>,
}

impl Passage {
    /// One that tells nothing.
    #[cfg(test)]
    pub(super) fn of(hits: Hits) -> Self {
        Self { hits: Some(hits), tells: Beside::default(), of_cloudfront: OnceCell::new() }
    }
}

impl Detector {
    /// Looks at a text, whose escapes were resolved unless it `is_raw`; `None` where they have to be first. With `recall`, a
    /// text of more than a passage is not looked at where that was done before.
    pub(super) fn look_at(&self, text: &[u8], is_raw: bool, is_json: bool, recall: Option<Recall<'_>>) -> Option<Hits> {
        let cuts = if is_json { cuts(text) } else { Vec::new() };
        if cuts.is_empty() {
            let recall = recall.filter(|_| text.len() >= MIN_TO_CUT);
            if recall.is_none() {
                let mut hits = self.hits(text, is_raw, Beside::default())?;
                self.add_distributions(text, &mut hits, || speaks_of_cloudfront(text));
                return Some(hits);
            }
        }
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let spans: Vec<_> = starts.zip(ends).map(|(start, end)| start..end).collect();
        let mut beside = Beside { others: spans.len() > 1, ..Beside::default() };
        let mut found: Vec<Option<Arc<Passage>>> = vec![None; spans.len()];
        let digests: Vec<_> =
            spans.iter().map(|span| recall.map(|recall| recall.digest(&text[span.clone()]))).collect();
        // What one tells may change what is found in those before it, a few times at most.
        loop {
            let before = beside;
            for (i, span) in spans.iter().enumerate() {
                if found[i].as_ref().is_some_and(|known| known.tells.and(beside) == known.tells) {
                    continue;
                }
                let passage = self.passage(&text[span.clone()], is_raw, beside, recall.zip(digests[i]));
                passage.hits.as_ref()?;
                beside = beside.and(passage.tells);
                found[i] = Some(passage);
            }
            if beside == before {
                break;
            }
        }
        let mut all = Hits::default();
        for (span, passage) in spans.iter().zip(found.iter().flatten()) {
            all.extend_from(passage.hits.as_ref()?, span.start);
        }
        if beside.others {
            // A secret may be the answer to a question for it.
            Scan::resolved(self, text, &mut all).secrets_near_access_keys();
        }
        self.add_distributions(text, &mut all, || {
            let mut known = spans.iter().zip(found.iter().flatten());
            known
                .any(|(span, passage)| *passage.of_cloudfront.get_or_init(|| speaks_of_cloudfront(&text[span.clone()])))
        });
        Some(all)
    }

    /// What is alone in a text would have the whole of it searched, in every text.
    fn add_distributions(&self, text: &[u8], hits: &mut Hits, is_of_cloudfront: impl Fn() -> bool) {
        if !hits.is_empty() && is_of_cloudfront() {
            Scan::resolved(self, text, hits).distributions();
        }
    }

    fn passage(&self, text: &[u8], is_raw: bool, beside: Beside, recall: Option<(Recall<'_>, Digest)>) -> Arc<Passage> {
        let known = recall.and_then(|(recall, digest)| recall.passage(digest, is_raw, beside));
        known.unwrap_or_else(|| {
            let hits = self.hits(text, is_raw, beside).map(Hits::shrink);
            let tells = hits.as_ref().map_or(Beside::default(), |hits| self.told_by(hits)).and(beside);
            let passage = Arc::new(Passage { hits, tells, of_cloudfront: OnceCell::new() });
            if let Some((recall, digest)) = recall {
                recall.keep_passage(digest, is_raw, beside, &passage);
            }
            passage
        })
    }

    fn told_by(&self, hits: &Hits) -> Beside {
        Beside { others: false, a_finding: !hits.is_empty(), an_identifier: hits.has_sure(self.catalog) }
    }

    /// What is found in a text that stands beside others, but for what their findings and its own mean elsewhere.
    fn hits(&self, text: &[u8], is_raw: bool, beside: Beside) -> Option<Hits> {
        let mut hits = Hits::default();
        let scan = if is_raw { Scan::raw(self, text, &mut hits) } else { Scan::resolved(self, text, &mut hits) };
        if scan.beside(beside).anchors() == Pass::MetEscape {
            return None;
        }
        Scan::resolved(self, text, &mut hits).secrets_near_access_keys();
        self.scan_encoded(text, &mut hits);
        self.scan_disguised(text, &mut hits);
        self.custom.scan(text, |label| self.has_label(label), &mut hits);
        Scan::resolved(self, text, &mut hits).beside(beside).answers();
        Scan::resolved(self, text, &mut hits).beside(beside).siblings();
        Scan::resolved(self, text, &mut hits).beside(beside).tables();
        Scan::resolved(self, text, &mut hits).beside(beside).prose();
        Scan::resolved(self, text, &mut hits).beside(beside).suffixed();
        Scan::resolved(self, text, &mut hits).hashes();
        Some(hits)
    }
}

/// Where the passages of a request begin, but for the first. Those of a conversation that goes on stay where they are.
fn cuts(text: &[u8]) -> Vec<usize> {
    let mut cuts = Vec::new();
    if text.len() < MIN_TO_CUT {
        return cuts;
    }
    let borders = borders(text);
    let mut start = 0;
    for (i, &border) in borders.iter().enumerate() {
        let (Border::Member(at) | Border::Turn(at)) = border;
        let member_end = || {
            let next = borders[i + 1..].iter().find_map(|border| match border {
                Border::Member(at) => Some(*at),
                Border::Turn(_) => None,
            });
            next.unwrap_or(text.len())
        };
        let is_cut = match border {
            Border::Member(_) => {
                at - start >= MIN_LAST
                    && text.len() - at >= MIN_LAST
                    && (at - start >= MIN_PASSAGE || member_end() - at >= MIN_PASSAGE)
            }
            Border::Turn(_) => at - start >= MIN_PASSAGE && member_end() - at >= MIN_LAST,
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
        let filler = "and so on ".repeat(300);
        for turns in 0..12 {
            let body = request(&vec![filler.as_str(); turns]);
            let cuts = cuts(body.as_bytes());
            assert_eq!(cuts.len(), turns / 4, "{turns}");
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
        for turns in 1..30 {
            let now = cuts(request(&vec![filler.as_str(); turns]).as_bytes());
            assert!(now.starts_with(&before), "{turns}: {before:?} {now:?}");
            before = now;
        }
        assert!(before.len() > 5);
    }

    #[test]
    fn a_long_member_is_a_passage_of_its_own() {
        let tools = format!("[{{\"name\":\"Bash\",\"description\":\"{}\"}}]", "Runs it. ".repeat(1000));
        let body =
            |text: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}],\"tools\":{tools}}}");
        for text in ["Hello. ".repeat(400), "Hello. ".repeat(2000)] {
            let body = body(&text);
            let cuts = cuts(body.as_bytes());
            assert!(matches!(cuts[..], [cut] if body.split_at(cut).1.starts_with("\"tools\"")), "{cuts:?}");
        }
        // What is as short as this is no passage.
        assert!(cuts(body("Hello.").as_bytes()).is_empty());
    }

    #[test]
    fn passages_know_what_stands_in_the_others() {
        let filler = "and so on ".repeat(900);
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
        let (filler, secret) = ("and so on ".repeat(900), "wJalrXUtnFEMI7K7MDENGbPxRfiCYzqH1v0LrKEy");
        let asked = format!("{filler} I have AKIAQ3EGRIT7Q6B2XKMP");
        let body = request(&[&asked, "And the other half?", secret, &filler]);
        assert_eq!(cuts(body.as_bytes()).len(), 1, "they stand in two passages");
        assert_eq!(parts(&body), ["AKIAQ3EGRIT7Q6B2XKMP", secret]);
    }
}
