//! Bodies of every size are masked as a whole: a gateway buffers 8 KiB, and what spills over it leaks elsewhere.
#![allow(clippy::unwrap_used)]

mod support;

use aho_corasick::AhoCorasick;

use support::{mask, restore, session};

const JSON: &str = "application/json";
/// Different identifiers in a body.
const DISTINCT: usize = 500;

/// Identifiers that each stand on their own, the same ones for every run.
fn identifiers() -> Vec<String> {
    // Knuth's multiplier spreads the digits
    let number = |i: usize| i.wrapping_mul(6_364_136_223_846_793_005) | 1 << 63;
    (1..=DISTINCT)
        .map(|i| match i % 5 {
            0 => format!("i-0{:016x}", number(i)),
            1 => format!("vpc-{:017x}", number(i)),
            2 => format!("AKIA{:0>16}", format!("{:X}", number(i))),
            3 => format!("10.{}.{}.{}", i % 250 + 1, i / 250 + 1, i % 199 + 1),
            _ => format!("subnet-{:08x}", number(i) >> 32),
        })
        .collect()
}

/// A request to the Messages API of at least `size` bytes; its last identifier stands at its very end.
fn body(size: usize, identifiers: &[String]) -> String {
    let mut body = String::with_capacity(size + 512);
    body += r#"{"model":"m","max_tokens":1024,"messages":[{"role":"user","content":""#;
    let mut turn = 0;
    while body.len() < size {
        body += &identifiers[turn % DISTINCT];
        body += r#" 서버가 \"응답\" 하지 않습니다.\nThe log says nothing; restarting it did not help.\n"#;
        turn += 1;
    }
    body += &identifiers[turn % DISTINCT];
    body + "\"}]}"
}

fn nothing_leaks_of(size: usize) {
    let identifiers = identifiers();
    let body = body(size, &identifiers);
    let found = |text: &[u8]| AhoCorasick::new(&identifiers).unwrap().find_iter(text).count();
    assert!(body.len() >= size && found(body.as_bytes()) > size / 200);

    let mut session = session();
    let masked = mask(&mut session, JSON, body.as_bytes());
    assert_eq!(found(&masked), 0);
    assert_eq!(session.counts().masked, u64::try_from(found(body.as_bytes())).unwrap());
    assert!(restore(&mut session, JSON, &masked) == body.as_bytes());
}

#[test]
fn nothing_leaks_of_9_kilobytes() {
    nothing_leaks_of(9 * 1024);
}

#[test]
fn nothing_leaks_of_200_kilobytes() {
    nothing_leaks_of(200 * 1024);
}

#[test]
fn nothing_leaks_of_20_megabytes() {
    nothing_leaks_of(20 * 1024 * 1024);
}

#[test]
fn nothing_leaks_around_the_buffer_of_the_gateway() {
    for size in 8 * 1024 - 80..8 * 1024 + 80 {
        nothing_leaks_of(size);
    }
}
