//! Tokens that meet, and tokens that are nobody's.
#![allow(clippy::unwrap_used)]

mod support;

use support::{detector, mask, restore, session, session_of};

const TEXT: &str = "text/plain";
const ID: &str = "i-0f3a9c27be41d8056";

fn token_of(original: &str) -> String {
    String::from_utf8(mask(&mut session(), TEXT, original.as_bytes())).unwrap()
}

#[test]
fn two_originals_with_one_token_are_told_apart() {
    let token = token_of(ID);
    let mut session = session();
    assert!(session.learn(token.as_bytes(), b"another original"));

    let longer = String::from_utf8(mask(&mut session, TEXT, ID.as_bytes())).unwrap();
    assert!(longer.len() > token.len() && !longer.starts_with(&token), "{longer}");

    let answer = format!("{token} {longer} {token}{longer}");
    let expected = format!("another original {ID} another original{ID}");
    assert_eq!(restore(&mut session, TEXT, answer.as_bytes()), expected.as_bytes());
}

#[test]
fn a_token_of_nobody_stays() {
    let mut session = session();
    let sent = format!("EC2_ABCDEFGH and {ID}");
    let masked = mask(&mut session, TEXT, sent.as_bytes());
    assert!(masked.starts_with(b"EC2_ABCDEFGH and EC2_"));
    assert_eq!(restore(&mut session, TEXT, &masked), sent.as_bytes());
}

#[test]
fn a_token_of_another_scope_stays() {
    let (mut one, mut other) = (session_of(&detector(), b"one"), session_of(&detector(), b"other"));
    let masked = mask(&mut one, TEXT, ID.as_bytes());
    mask(&mut other, TEXT, ID.as_bytes());
    assert_eq!(restore(&mut other, TEXT, &masked), masked);
    assert_eq!(restore(&mut one, TEXT, &masked), ID.as_bytes());
}

#[test]
fn a_token_with_the_label_of_another_kind_stays() {
    let mut session = session();
    let masked = String::from_utf8(mask(&mut session, TEXT, ID.as_bytes())).unwrap();
    let relabelled = masked.replacen("EC2", "VPC", 1);
    assert_ne!(masked, relabelled);
    assert_eq!(restore(&mut session, TEXT, relabelled.as_bytes()), relabelled.as_bytes());
}

#[test]
fn every_spelling_of_a_token_comes_back() {
    let mut session = session();
    let masked = String::from_utf8(mask(&mut session, TEXT, ID.as_bytes())).unwrap();
    let (label, code) = masked.split_once('_').unwrap();
    for spelled in [
        masked.to_lowercase(),
        format!("{label}\\_{code}"),
        format!("{label}%5F{code}"),
        format!("{label}\\u005f{code}"),
        format!("**{masked}**"),
        format!("x{masked}x"),
        format!("가{masked}가"),
    ] {
        let restored = restore(&mut session, TEXT, spelled.as_bytes());
        assert!(memchr::memmem::find(&restored, ID.as_bytes()).is_some(), "{spelled}");
    }
}
