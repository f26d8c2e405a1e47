//! Account ids that stand in JSON as numbers: a token is a string, so the number becomes one and stays one.

mod support;

use support::{mask, restore, session};

const JSON: &str = "application/json";

#[test]
fn an_account_id_does_not_leave_as_a_number() {
    for (body, masked_like) in [
        (r#"{"input":{"AccountId":618734209955}}"#, r#"{"input":{"AccountId":"#),
        (r#"{"input":{"ownerAccounts": [618734209955 , 618734209955]}}"#, r#"{"input":{"ownerAccounts": ["#),
        (r#"{"account_id":618734209955,"text":"in 618734209955"}"#, r#"{"account_id":"#),
        (r#"{"account":{"name":"prod","id":618734209955}}"#, r#"{"account":{"name":"prod","id":"#),
        (r#"{"accounts":{"prod":[{"id":618734209955}]}}"#, r#"{"accounts":{"prod":[{"id":"#),
        (r#"{"input":{"AccountId":"618734209955","limit":618734209955}}"#, r#"{"input":{"AccountId":""#),
        (r#"{"input":{"limit":618734209955,"text":"arn:aws:iam::618734209955:root"}}"#, r#"{"input":{"limit":"#),
    ] {
        let mut exchange = session();
        let masked = mask(&mut exchange, JSON, body.as_bytes());
        let text = String::from_utf8(masked.clone()).expect("UTF-8");

        assert!(!text.contains("618734209955"), "{text}");
        assert!(text.starts_with(masked_like), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON stays JSON");

        // What comes back says the same as a string, and leaves the same way in the next turn.
        let restored = restore(&mut exchange, JSON, &masked);
        assert!(String::from_utf8_lossy(&restored).contains(r#""618734209955""#));
        assert_eq!(mask(&mut session(), JSON, &restored), masked);
    }
}

#[test]
fn other_numbers_stay_numbers() {
    for body in [
        r#"{"input":{"AccountId":"618734209955","bytes":123456789012}}"#,
        r#"{"input":{"text":"the account is in bytes","bytes":123456789012}}"#,
        r#"{"account_age":61873420995,"AccountBalance":618734209955.5,"owner":1.23456789e12}"#,
        r#"{"max_tokens":618734209955,"messages":[{"role":"user","content":"account 618734209955"}]}"#,
    ] {
        let mut exchange = session();
        let masked = mask(&mut exchange, JSON, body.as_bytes());
        assert_eq!(restore(&mut exchange, JSON, &masked), body.as_bytes());
    }
}

#[test]
fn in_json_within_a_string_too_what_replaces_a_number_is_a_string() {
    let arguments = r#"{"AccountId": 618734209955, "why":"of: 618734209955, account","ids":[1]}"#;
    let call = serde_json::json!({"function": {"name": "f", "arguments": arguments}});
    let body = serde_json::json!({"messages": [{"role": "assistant", "tool_calls": [call]}]}).to_string();
    let mut exchange = session();
    let masked = mask(&mut exchange, JSON, body.as_bytes());
    let read: serde_json::Value = serde_json::from_slice(&masked).expect("JSON stays JSON");
    let inner = read.pointer("/messages/0/tool_calls/0/function/arguments").and_then(|inner| inner.as_str());
    let inner: serde_json::Value = serde_json::from_str(inner.expect("a string")).expect("JSON in it stays JSON");
    let token = inner["AccountId"].as_str().expect("a string");
    assert_eq!(inner["why"], format!("of: {token}, account"));

    let restored = restore(&mut exchange, JSON, &masked);
    assert_eq!(mask(&mut session(), JSON, &restored), masked);
}
