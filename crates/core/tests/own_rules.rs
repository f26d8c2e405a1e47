//! The operator's own: `custom_patterns`, `custom_terms`, `allow_list`, `exclude_kinds`, `categories`.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use aws_masker_core::detect::{CustomPattern, Detector, DetectorConfig};
use support::{found_in, mask, restore, session_of};

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

fn pattern(name: &str, label: &str, regex: &str) -> CustomPattern {
    CustomPattern { name: name.into(), label: label.into(), regex: regex.into() }
}

fn patterns(patterns: &[(&str, &str, &str)]) -> DetectorConfig {
    let custom_patterns = patterns.iter().map(|&(name, label, regex)| pattern(name, label, regex)).collect();
    DetectorConfig { custom_patterns, ..Default::default() }
}

fn terms(terms: &[&str]) -> DetectorConfig {
    DetectorConfig { custom_terms: terms.iter().map(|&term| term.into()).collect(), ..Default::default() }
}

fn masked(config: &DetectorConfig, content_type: &str, body: &str) -> String {
    let detector = Arc::new(Detector::new(config).unwrap());
    let mut session = session_of(&detector, b"test");
    let masked = mask(&mut session, content_type, body.as_bytes());
    let restored = restore(&mut session, content_type, &masked);
    if content_type == JSON {
        // An original in unusual escapes comes back in the usual ones.
        let value = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
        assert_eq!(value(&restored), value(body.as_bytes()));
    } else {
        assert_eq!(restored, body.as_bytes(), "{body}");
    }
    String::from_utf8(masked).unwrap()
}

fn problem(config: &DetectorConfig) -> String {
    Detector::new(config).unwrap_err().to_string()
}

#[test]
fn terms_are_found_however_json_spells_them() {
    let detector = Arc::new(Detector::new(&terms(&["\u{1f600} corp"])).unwrap());
    for body in [
        r#"{"a": "of \ud83d\ude00 corp"}"#,
        r#"{"a": "{\"b\": \"\\ud83d\\ude00 corp\"}"}"#,
        "{\"a\": \"\u{1f600} corp\"}",
    ] {
        let masked = mask(&mut session_of(&detector, b"x"), "application/json", body.as_bytes());
        assert!(!String::from_utf8(masked).unwrap().contains("corp"), "{body}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_its_field_and_the_fix() {
    let list = |values: &[&str]| values.iter().map(|&value| value.into()).collect::<Vec<String>>();
    for (config, expected) in [
        (patterns(&[("a", "AB", "(")]), "custom_patterns[1].regex: unclosed group; correct it"),
        (patterns(&[("a", "AB", "x(?=y)")]), "custom_patterns[1].regex: look-around"),
        (patterns(&[("a", "AB", r"(x)\1")]), "custom_patterns[1].regex: backreferences are not supported"),
        (patterns(&[("a", "AB", "[0-9]{1000000}")]), "make counted repetitions smaller"),
        (patterns(&[("a", "AB", r"(\w{50}){50}")]), "make counted repetitions smaller"),
        (patterns(&[("a", "AB", &"(".repeat(3000))]), "custom_patterns[1].regex: "),
        (patterns(&[("a", "AB", "x*")]), "custom_patterns[1].regex: matches the empty text; make it match"),
        (patterns(&[("a", "AB", "")]), "custom_patterns[1].regex: matches the empty text"),
        (patterns(&[("a", "AB", r"\b")]), "custom_patterns[1].regex: matches the empty text"),
        (patterns(&[("a", "AB", "^|x")]), "custom_patterns[1].regex: matches the empty text"),
        (patterns(&[("a", "AB", r"[^\s\S]")]), "custom_patterns[1].regex: can match nothing"),
        (patterns(&[("a", "AB", "x"), ("a", "CD", "y")]), "custom_patterns[2].name: `a` is taken; choose another"),
        (patterns(&[("ec2:vpc", "AB", "x")]), "custom_patterns[1].name: `ec2:vpc` is taken"),
        (patterns(&[("custom:term", "AB", "x")]), "custom_patterns[1].name: `custom:term` is taken"),
        (patterns(&[("", "AB", "x")]), "custom_patterns[1].name: is empty; give"),
        (
            patterns(&[("a", "AB", "x"), ("b", "AB", "y")]),
            "custom_patterns[2].label: `AB` is the label of custom_patterns[1]",
        ),
        (
            patterns(&[("a", "EC2", "x")]),
            "custom_patterns[1].label: `EC2` is the label of ec2:instance; choose another",
        ),
        (patterns(&[("a", "TERM", "x")]), "custom_patterns[1].label: `TERM` is the label of custom_terms"),
        (patterns(&[("a", "A", "x")]), "custom_patterns[1].label: `A` must be 2 to 10 upper-case letters"),
        (patterns(&[("a", "2AB", "x")]), "custom_patterns[1].label: `2AB` must be"),
        (terms(&["ok", ""]), "custom_terms[2]: is empty; remove it"),
        (terms(&[" \t"]), "custom_terms[1]: is empty; remove it"),
        (terms(&["---"]), "custom_terms[1]: has no letter and no digit"),
        (DetectorConfig { allow_list: list(&["x", ""]), ..Default::default() }, "allow_list[2]: is empty; remove it"),
        (
            DetectorConfig { exclude_kinds: list(&["ec2:vpcs"]), ..Default::default() },
            "exclude_kinds: `ec2:vpcs` is not a kind; `aws-masker catalog` lists them",
        ),
        (
            DetectorConfig { categories: Some(list(&["secrets"])), ..Default::default() },
            "categories: `secrets` is not one of ids, arns,",
        ),
    ] {
        let problem = problem(&config);
        assert!(problem.contains(expected), "{problem}, not {expected}");
    }
}

#[test]
fn a_pattern_is_found_beside_every_border() {
    let config = patterns(&[("ticket", "TICKET", r"\bOPS-[0-9]{4}\b")]);
    for text in [
        "OPS-1234",
        "see (OPS-1234), `OPS-1234`; \"OPS-1234\" OPS-1234.",
        "가OPS-1234 나, OPS-1234를",
        "https://x/?q=%2FOPS-1234%20",
        "path/OPS-1234/file",
    ] {
        let masked = masked(&config, TEXT, text);
        assert!(!masked.contains("OPS-1234"), "{masked}");
    }
    let says = |text: &str| serde_json::json!({"messages": [{"role": "user", "content": text}]}).to_string();
    for text in ["\nOPS-1234\n", "\tOPS-1234\t", "\rOPS-1234\\", "\u{8}OPS-1234\u{c}OPS-1234", "\"OPS-1234\""] {
        let body = says(text);
        assert!(!masked(&config, JSON, &body).contains("OPS-1234"), "{body}");
        let nested = says(&body);
        assert!(!masked(&config, JSON, &nested).contains("OPS-1234"), "{nested}");
    }
    let escaped = says("OPS-1234").replace("OPS", "\\u004fPS").replace("-1", "\\u002d1");
    assert!(!found_in(masked(&config, JSON, &escaped).as_bytes(), "OPS-1234"));
}

#[test]
fn letters_of_escapes_are_not_masked_and_letters_after_a_backslash_are() {
    let config = patterns(&[("name", "HUSH", "[a-z]+-corp(?:/[a-z]+)?")]);
    let body = r#"{"messages":[{"role":"user","content":"a\nacme-corp and \tacme-corp/x"}]}"#;
    let masked_body = masked(&config, JSON, body);
    assert!(masked_body.contains(r"a\nHUSH_") && masked_body.contains(r"\tHUSH_"), "{masked_body}");
    // One original, one token, with and without an escape before it.
    let both = masked(&config, JSON, r#"{"messages":[{"role":"user","content":"acme-corp\nacme-corp"}]}"#);
    let tokens: Vec<_> = both.split("HUSH_").skip(1).map(|rest| rest.get(..8).unwrap()).collect();
    assert!(tokens.len() == 2 && tokens[0] == tokens[1], "{both}");

    let config = patterns(&[("name", "HUSH", "new-corp")]);
    assert!(!masked(&config, TEXT, r"C:\new-corp").contains("new-corp"));
    let config = patterns(&[("name", "HUSH", "[가-힣]+-[0-9]+")]);
    assert!(!masked(&config, TEXT, "주문-12와").contains("주문"));
    let config = patterns(&[("name", "HUSH", "[^ ]+-secret")]);
    let url = masked(&config, TEXT, "acme%2Fthe-secret%2Fname-secret");
    assert!(!url.contains("acme") && !url.contains("the-") && !url.contains("name-"), "{url}");
}

#[test]
fn a_term_is_found_in_every_spelling() {
    let decomposed: String = "주문"
        .chars()
        .flat_map(|c| {
            let at = u32::from(c) - 0xac00;
            [Some(0x1100 + at / 588), Some(0x1161 + at % 588 / 28), (at % 28 > 0).then_some(0x11a7 + at % 28)]
        })
        .flatten()
        .filter_map(char::from_u32)
        .collect();
    let config = terms(&["Zebrafish", "주문", "Café Größe", "Acme \"Prod\""]);
    for text in [
        "zebrafish ZEBRAFISH zEbRaFiSh",
        "주문서버, 신주문을",
        &decomposed,
        "CAFÉ GRÖSSE, café größe, Cafe\u{301} Gro\u{308}ße",
        "acme \"prod\"",
    ] {
        for body in [text.to_owned(), format!("-{text}."), format!("\"{text}\"")] {
            let said = masked(&config, TEXT, &body);
            let left: String = said.to_lowercase().split("term_").map(|rest| rest.get(8..).unwrap_or(rest)).collect();
            for word in ["zebrafish", "주문", &decomposed, "caf", "gr", "prod"] {
                assert!(!left.contains(word), "{said}");
            }
        }
        let once = serde_json::json!({"messages": [{"role": "user", "content": format!("\n{text}\n")}]}).to_string();
        let twice = serde_json::json!({"messages": [{"role": "user", "content": once}]}).to_string();
        for body in [&once, &twice] {
            let said = masked(&config, JSON, body).to_lowercase();
            for word in ["zebrafish", "주문", &decomposed, "größe", "prod"] {
                assert!(!said.contains(word), "{said}");
            }
        }
    }
    let escaped = r#"{"messages":[{"role":"user","content":"\uc8fc\ubb38 \u005aebrafish"}]}"#;
    let said = masked(&config, JSON, escaped);
    assert!(!said.contains("ubb38") && !said.contains("ebrafish"), "{said}");
}

#[test]
fn a_term_does_not_count_inside_a_longer_word() {
    let config = terms(&["acme", "acme-corp"]);
    for (text, left) in [
        ("acmeist, pacme, ACMES", "acmeist, pacme, ACMES"),
        // The longer of two is part of a word here, and the shorter is not.
        ("acme-corporation", "-corporation"),
        ("acme-corp's", "'s"),
        ("acme_prod", "_prod"),
        ("x\\nacme", "x\\n"),
    ] {
        let said = masked(&config, TEXT, text);
        let rest: String = said
            .split("TERM_")
            .map(|rest| rest.strip_prefix(char::is_uppercase).map_or(rest, |_| rest.get(8..).unwrap()))
            .collect();
        assert_eq!(rest, left, "{said}");
    }
}

#[test]
fn the_same_name_in_an_arn_a_url_and_prose_is_the_same_token() {
    let config = terms(&["billing-export"]);
    let said = masked(&config, TEXT, "arn:aws:iam::618734209955:role/billing-export and billing-export");
    let tokens: Vec<_> = said.split(['/', ' ']).filter(|word| word.contains('_') && !word.contains(':')).collect();
    assert!(tokens.len() == 2 && tokens[0] == tokens[1], "{said}");
}

#[test]
fn own_rules_and_kinds_of_the_catalog_overlap_without_a_leak() {
    let config = DetectorConfig {
        custom_terms: vec!["acme".into()],
        ..patterns(&[("range", "RANGE", r"10\.24\.[0-9]+\.[0-9]+ to [0-9.]+")])
    };
    for text in [
        "s3://acme-logs/acme/2026",
        "arn:aws:iam::618734209955:role/acme",
        "acme.abc123def456.us-west-2.rds.amazonaws.com",
        "10.24.7.31 to 10.24.7.99",
    ] {
        let said = masked(&config, TEXT, text);
        for original in ["acme", "618734209955", "abc123def456", "10.24"] {
            assert!(!said.contains(original), "{said}");
        }
    }
}

#[test]
fn a_token_is_not_masked_again() {
    let config = DetectorConfig {
        custom_terms: vec!["EC2".into(), "acct".into(), "ABCDEFGH".into(), "ACME_INTERNAL".into()],
        ..patterns(&[("caps", "CAPS", "[A-Z0-9_]{6,}")])
    };
    for token in ["EC2_ABCDEFGH", "ACCT_ABCDEFGHIJKLM", "CAPS_ABCDEFGH", "TERM_ABCDEFGH"] {
        let text = format!("is {token} up?");
        assert_eq!(masked(&config, TEXT, &text), text);
    }
    // Its label could be the last group of an address.
    let text = "2600:1f18::EC2_ABCDEFGH is up";
    assert_eq!(masked(&DetectorConfig::default(), TEXT, text), text);
    // No label of anything: only looks like a token.
    for text in ["ACME_INTERNAL", "EC2", "acct", "XYZZY_ABCDEFGH"] {
        assert_ne!(masked(&config, TEXT, text), text);
    }
}

#[test]
fn the_allow_list_exempts_exact_values() {
    let config = DetectorConfig {
        custom_terms: vec!["zebrafish".into(), "acme".into()],
        allow_list: ["Zebrafish", "OPS-1", "10.0.0.1", "acme-logs", "618734209955"].map(String::from).to_vec(),
        ..patterns(&[("ticket", "TICKET", "OPS-[0-9]+")])
    };
    let said =
        masked(&config, TEXT, "Zebrafish zebrafish OPS-1 OPS-12 10.0.0.1 10.0.0.2 s3://acme-logs/k s3://acme-data");
    assert!(said.starts_with("Zebrafish TERM_"), "{said}");
    assert!(said.contains(" OPS-1 TICKET_") && said.contains(" 10.0.0.1 IP4_"), "{said}");
    assert!(said.contains(" s3://acme-logs/KEY_") && !said.contains("acme-data"), "{said}");
    let arn = masked(&config, TEXT, "arn:aws:iam::618734209955:role/deployer");
    assert!(arn.starts_with("arn:aws:iam::618734209955:role/ROLE_"), "{arn}");
}

#[test]
fn an_excluded_kind_stays_in_an_arn_and_at_its_other_mentions() {
    let config = DetectorConfig { exclude_kinds: vec!["name:iam-role".into()], ..Default::default() };
    let said = masked(&config, TEXT, "arn:aws:iam::618734209955:role/billing-export, that is billing-export");
    assert!(said.ends_with(":role/billing-export, that is billing-export") && said.contains("ACCT_"), "{said}");
}

/// Bytes grow tenfold; the time of anything that looks at every pair of finds grows a hundredfold.
#[test]
fn an_allow_list_costs_time_in_proportion_to_the_text() {
    let config = DetectorConfig { allow_list: vec!["10.0.0.1".into()], ..Default::default() };
    let detector = Detector::new(&config).unwrap();
    let time = |lines: usize| {
        let text = "10.0.0.1 10.0.0.2 i-0f3a9c27be41d8056\n".repeat(lines);
        let times = (0..5).map(|_| {
            let start = std::time::Instant::now();
            assert_eq!(detector.scan(text.as_bytes()).findings.len(), 2 * lines);
            start.elapsed()
        });
        times.min().unwrap()
    };
    let (short, long) = (time(2_000), time(20_000));
    assert!(long < short * 40, "{short:?} and {long:?}");
}
