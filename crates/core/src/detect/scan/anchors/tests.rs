//! The scan through the sieve finds what the scan of every anchor finds.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::detect::Lanes;
use crate::detect::{Detector, DetectorConfig, Findings, Hits};

/// One detector for each kind of lanes; the first walks.
static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let new = |lanes| Detector::new(&DetectorConfig::default()).unwrap().with_lanes(lanes);
    Lanes::available().into_iter().map(new).collect()
});
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| rows(Catalog::get()));

/// The findings of every kind of lanes, which have to be those of the walk.
fn agree(text: &[u8]) -> Findings {
    let walked = DETECTORS[0].scan(text);
    for detector in DETECTORS.iter() {
        let sifted = detector.scan(text);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(walked.findings, sifted.findings, "{} on {shown:?}", detector.lanes);
        assert_eq!(walked.parts, sifted.parts, "{} on {shown:?}", detector.lanes);
    }
    walked
}

/// Calls the handler of each byte: one that has something to do must be let through by a row.
fn rows_know_handlers(text: &[u8]) {
    for at in 0..text.len() {
        let mut hits = Hits::default();
        let mut scan = Scan::raw(&DETECTORS[0], text, &mut hits);
        let next = scan.visit(text, Catalog::get().members.first_sight(), at);
        let idle = next == at + 1
            && !scan.met_escape
            && hits.is_empty()
            && hits.parts.is_empty()
            && hits.loose.is_empty()
            && hits.encoded.is_empty()
            && hits.headings.is_empty();
        // The scan visits the first byte in any case.
        assert!(
            idle || at == 0 || ROWS.iter().any(|row| row.matches(text, at)),
            "no row lets byte {at} of {:?} through",
            String::from_utf8_lossy(text),
        );
    }
}

/// Texts in which each kind is found.
fn examples() -> Vec<String> {
    Catalog::get().kinds().iter().map(|kind| kind.example_text()).collect()
}

/// What may stand between identifiers.
fn joint() -> impl Strategy<Value = Vec<u8>> {
    let common: Vec<&[u8]> = vec![
        b" ",
        b"\n",
        b"\\n",
        b"\\\\n",
        b"\\t",
        b"\"",
        b"\\\"",
        b"\\u00e9",
        b"\\u0020",
        b"\\/",
        b"%2F",
        b"&colon;",
        b"&lt;",
        b"-",
        b"--",
        b".",
        b":",
        b"=",
        b": ",
        b" = ",
        b",",
        b"/",
        b"_",
        b"|",
        b"`",
        b"(",
        b"x",
        b"1",
        b"",
        "가".as_bytes(),
        b"\xff",
        b"\0",
        b"account ",
        b"\"AccountId\": \"",
        b"--bucket ",
        b"arn:",
        b"AKIA",
        b"s3://",
        b"-----BEGIN ",
    ];
    prop_oneof![
        6 => prop::sample::select(common).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..80),
        1 => "[ -~]{0,80}".prop_map(String::into_bytes),
    ]
}

fn identifier() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(examples()).prop_map(String::into_bytes);
    let damaged = (prop::sample::select(examples()), any::<prop::sample::Index>(), any::<u8>(), 0..3u8).prop_map(
        |(text, index, c, how)| {
            let mut text = text.into_bytes();
            let at = index.index(text.len());
            match how {
                0 => text[at] = c & 0x7f,
                1 => drop(text.remove(at)),
                _ => text.insert(at, c),
            }
            text
        },
    );
    prop_oneof![
        4 => known,
        4 => damaged,
        2 => "[0-9.:a-fA-F/-]{1,40}".prop_map(String::into_bytes),
        2 => "(i|vpc|ip|subnet)-[0-9a-f]{7,18}".prop_map(String::into_bytes),
        2 => "A[A-Z]{2}A[A-Z0-9]{14,18}".prop_map(String::into_bytes),
        2 => "[0-9]{10,14}|[0-9]{4}-[0-9]{4}-[0-9]{4}".prop_map(String::into_bytes),
        1 => "[-.:=%A0-9a-z\"\\\\/ ]{1,40}".prop_map(String::into_bytes),
    ]
}

/// Texts long enough for several words of the sieve.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((joint(), identifier()), 0..12)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(joint, id)| [joint, id].concat()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_sieve_loses_nothing(text in text()) {
        agree(&text);
    }

    #[test]
    fn every_row_knows_its_handler(text in text()) {
        rows_know_handlers(&text);
    }
}

#[test]
fn examples_are_found_at_every_offset_of_a_word() {
    for example in examples() {
        rows_know_handlers(format!(" {example} ").as_bytes());
        let alone = agree(example.as_bytes()).findings.len();
        // In a long text an address needs it.
        let example = format!("EC2 {example}");
        for shift in [0, 1, 7, 8, 9, 31, 32, 55, 56, 63, 64, 65, 127, 4095, 4096, 4160] {
            let padded = format!("{}\n{example}", " ".repeat(shift));
            assert_eq!(agree(padded.as_bytes()).findings.len(), alone, "{example} after {shift}");
            let followed = format!("{padded}\n{}", " ".repeat(shift));
            assert_eq!(agree(followed.as_bytes()).findings.len(), alone, "{example} between {shift}");
        }
    }
}

#[test]
fn short_texts_over_the_bytes_of_anchors() {
    // Every text of four of these bytes, in front of and behind something that makes them matter.
    let alphabet = b"-.:=%A1a\\\" ";
    let around: [(&[u8], &[u8]); 5] =
        [(b"", b""), (b"10", b"0.0.1"), (b"vpc", b"0123456789abcdef0"), (b"arn", b"aws:s3:::b"), (b"2001", b"db8::1")];
    for n in 0..alphabet.len().pow(4) {
        let middle: Vec<u8> = (0..4).map(|i| alphabet[n / alphabet.len().pow(i) % alphabet.len()]).collect();
        for (before, after) in around {
            rows_know_handlers(&[before, &middle, after].concat());
        }
    }
}
