//! Identifiers leave no request, whatever stands around them and wherever in the request they stand.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use support::{cases, found_in, mask, restore, session};

/// A text, and what of it must not leave.
const IDENTIFIERS: &[(&str, &[&str])] = &[
    ("i-0f3a9c27be41d8056", &["0f3a9c27be41d8056"]),
    ("arn:aws:iam::618734209955:role/billing-export", &["618734209955", "billing-export"]),
    ("AKIAQ3EGRZ5LXW7TPN4M", &["AKIAQ3EGRZ5LXW7TPN4M"]),
    ("s3://acme-billing-logs/2026/a.log", &["acme-billing-logs"]),
    ("orders-db.cq3egrz5lxw7.eu-west-1.rds.amazonaws.com", &["orders-db", "cq3egrz5lxw7"]),
    ("$Env:AWS_SECRET_ACCESS_KEY=\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzZZXAMPLE\"", &["wJalrXUtnFEMI"]),
    ("$env:DB_PASSWORD='correct-horse-9'", &["correct-horse-9"]),
    ("x:password='correct-horse-9'", &["correct-horse-9"]),
];

const BORDERS: &[&str] = &[
    "",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\"",
    "'",
    "`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    "|",
    "\\",
    "&",
    "?",
    "#",
    "!",
    "*",
    "**",
    "…",
    "가",
    "é",
    "\u{200b}",
    "\u{a0}",
    "\u{feff}",
    "“",
    "」",
    "、",
    "\u{1b}[31m",
    "\u{1b}[0m",
    "\\n",
    "\\t",
];

/// A request with `text` in one of the places where text may stand.
fn request(place: usize, text: &str) -> Value {
    let says = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    match place {
        0 => says(json!(text)),
        1 => json!({"system": text, "messages": []}),
        2 => json!({"system": [{"type": "text", "text": text}], "messages": []}),
        3 => says(json!([{"type": "tool_result", "tool_use_id": "toolu_1", "content": text}])),
        4 => says(json!([{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": text}]}])),
        5 => says(json!([{"type": "tool_use", "id": "t", "name": "n", "input": {"a": {"b": [text]}}}])),
        6 => says(json!([{"type": "tool_use", "id": "t", "name": "n", "input": {text: 1}}])),
        7 => {
            json!({"tools": [{"name": "n", "description": text, "input_schema": {"properties": {"a": {"enum": [text]}}}}]})
        }
        8 => json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function":
            {"name": "f", "arguments": json!({"x": text}).to_string()}}]}]}),
        9 => json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": text}]}),
        10 => json!({"input": text, "instructions": text}),
        11 => json!({"input": [{"type": "function_call_output", "call_id": "c", "output": text}]}),
        12 => json!({"metadata": {"user_id": text}, "messages": []}),
        13 => says(json!([{"type": "document", "title": text, "context": text,
            "source": {"type": "text", "media_type": "text/plain", "data": text}}])),
        14 => json!({"what": {"nobody": [[text, "knows"]]}}),
        _ => says(json!(json!({"inside": text}).to_string())),
    }
}
const PLACES: usize = 16;

/// The same document with some characters of its strings as `\uXXXX`, and slashes as `\/`.
fn escaped(json: &str, every: usize) -> String {
    let mut out = String::new();
    let mut is_escape = false;
    for (i, c) in json.chars().enumerate() {
        match c {
            _ if is_escape => out.push(c),
            '/' => out.push_str("\\/"),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' if i % every == 0 => {
                out += &format!("\\u{:04x}", u32::from(c))
            }
            _ => out.push(c),
        }
        is_escape = c == '\\' && !is_escape;
    }
    out
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn an_identifier_leaves_no_request(
        (identifier, secrets) in select(IDENTIFIERS),
        left in select(BORDERS),
        right in select(BORDERS),
        place in 0..PLACES,
    ) {
        let text = format!("see {left}{identifier}{right} there");
        let body = request(place, &text).to_string();
        let mut exchange = session();
        let masked = mask(&mut exchange, "application/json", body.as_bytes());
        for secret in secrets {
            prop_assert!(!found_in(&masked, secret), "{}", String::from_utf8_lossy(&masked));
        }
        let restored = restore(&mut exchange, "application/json", &masked);
        prop_assert_eq!(mask(&mut session(), "application/json", &restored), masked);
    }

    /// Whatever characters of a plain text are escaped: what the text of the request says is what is masked.
    #[test]
    fn an_escaped_identifier_leaves_no_request(
        (identifier, secrets) in select(IDENTIFIERS),
        every in 1usize..6,
    ) {
        let content = serde_json::to_string(&format!("see {identifier} there")).unwrap();
        let body = format!(r#"{{"messages":[{{"role":"user","content":{}}}]}}"#, escaped(&content, every));
        prop_assert!(serde_json::from_str::<Value>(&body).is_ok(), "{}", body);
        let masked = mask(&mut session(), "application/json", body.as_bytes());
        for secret in secrets {
            prop_assert!(!found_in(&masked, secret), "{}", String::from_utf8_lossy(&masked));
        }
    }
}
