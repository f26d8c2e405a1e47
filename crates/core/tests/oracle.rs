//! The detector covers whatever plain regular expressions cover, between all delimiters and for all lanes.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

#[path = "support/oracle.rs"]
mod oracle;

use std::sync::LazyLock;

use aws_masker_core::catalog::Catalog;
use aws_masker_core::detect::{Detector, DetectorConfig, Lanes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let new = |lanes| Detector::new(&DetectorConfig::default()).unwrap().with_lanes(lanes);
    Lanes::available().into_iter().map(new).collect()
});

/// Texts that the patterns of the oracle match, and some that they just do not.
fn identifier() -> impl Strategy<Value = String> {
    let unique_ids: Vec<String> =
        Catalog::get().prefixes.unique_ids().map(|id| String::from_utf8_lossy(id).into_owned()).collect();
    prop_oneof![
        3 => (prop::sample::select(oracle::PREFIXES), "-[0-9a-f]{17}").prop_map(|(prefix, body)| prefix.to_owned() + &body),
        2 => (prop::sample::select(unique_ids), "[A-Z2-7]{16}").prop_map(|(prefix, body)| prefix + &body),
        1 => "arn:aws:(sqs|sns|lambda|dynamodb):us-east-1:[0-9]{12}:[a-z]{1,9}",
        1 => "\"(AccountId|OwnerId)\":( )?\"[0-9]{12}\"",
        1 => "acme[0-9][a-z0-9]{3,9}\\.((s3|eu-west-1\\.elb|s3\\.us-east-1)\\.amazonaws\\.com|lambda-url\\.us-east-1\\.on\\.aws)",
        1 => "s3://acme[0-9][a-z0-9]{3,9}",
        1 => "(10|172|192)(\\.[1-9][0-9]?){3}",
        1 => "2600:1f18(:[0-9a-f]{1,4}){6}",
        1 => "[a-z0-9.:=/-]{1,30}",
    ]
}

fn delimiter() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ \n\t\"'`()\\[\\]<>,;|]{1,3}",
        2 => "\\\\(n|t|r|\"|/|u0020|u00e9|uac00|\\\\n)",
        1 => "[ -~]{0,12}",
        1 => "[가-힣é\u{3000}]{1,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_detector_covers_what_the_oracle_covers(
        pieces in prop::collection::vec((delimiter(), identifier(), delimiter()), 1..12),
    ) {
        let text: String = pieces.into_iter().map(|(before, id, after)| before + &id + &after).collect();
        for (detector, lanes) in DETECTORS.iter().zip(Lanes::available()) {
            let missed = oracle::uncovered(detector, text.as_bytes()).map(|span| text.get(span));
            prop_assert!(missed.is_none(), "{} missed {:?} in {:?}", lanes, missed, text);
        }
    }
}

/// An oracle that matches nothing would be content with everything.
#[test]
fn every_pattern_of_the_oracle_matches_something() {
    let text = prop::collection::vec((identifier(), "[ \n\"',]"), 2000..2001);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let pieces = text.new_tree(&mut runner).unwrap().current();
    let text: String = pieces.into_iter().map(|(id, after)| format!(" {id}{after}")).collect();
    let silent = oracle::PATTERNS.iter().filter(|pattern| !pattern.regex.is_match(text.as_bytes())).count();
    assert_eq!(silent, 0, "so many patterns match nothing");
    assert_eq!(oracle::uncovered(&DETECTORS[0], text.as_bytes()), None);
}
