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
    let arguments = r#"{"AccountId": 618734209955, "few":[1 ,
 618734209955, [618734209955]], "one":"[618734209955, 2]", "why":"of: 618734209955, account","ids":[1]}"#;
    let call = serde_json::json!({"function": {"name": "f", "arguments": arguments}});
    let body = serde_json::json!({"messages": [{"role": "assistant", "tool_calls": [call]}]}).to_string();
    let mut exchange = session();
    let masked = mask(&mut exchange, JSON, body.as_bytes());
    let read: serde_json::Value = serde_json::from_slice(&masked).expect("JSON stays JSON");
    let inner = read.pointer("/messages/0/tool_calls/0/function/arguments").and_then(|inner| inner.as_str());
    let inner: serde_json::Value = serde_json::from_str(inner.expect("a string")).expect("JSON in it stays JSON");
    let token = inner["AccountId"].as_str().expect("a string");
    assert_eq!(inner["why"], format!("of: {token}, account"));
    assert_eq!(inner["few"], serde_json::json!([1, token, [token]]));
    assert_eq!(inner["one"], format!("[{token}, 2]"));

    let restored = restore(&mut exchange, JSON, &masked);
    assert_eq!(mask(&mut session(), JSON, &restored), masked);
}

/// A request in which a tool was called with these arguments.
fn called_with(arguments: &serde_json::Value) -> String {
    let call = serde_json::json!({"function": {"name": "f", "arguments": arguments.to_string()}});
    serde_json::json!({"messages": [{"role": "assistant", "tool_calls": [call]}]}).to_string()
}

fn arguments_of(body: &[u8]) -> serde_json::Value {
    let read: serde_json::Value = serde_json::from_slice(body).expect("JSON stays JSON");
    let inner = read.pointer("/messages/0/tool_calls/0/function/arguments").and_then(|inner| inner.as_str());
    serde_json::from_str(inner.expect("a string")).expect("JSON in it stays JSON")
}

#[test]
fn in_a_document_that_a_string_of_the_arguments_holds_too() {
    for document in [
        r#"{"AccountId": 618734209955}"#,
        "{\"AccountId\":\n  618734209955,\n\t\"ids\": [\n 618734209955\n]}",
        r#"[{"AccountId":"618734209955"}, 618734209955]"#,
    ] {
        let body = called_with(&serde_json::json!({"content": document, "AccountId": 618734209955u64}));
        let mut exchange = session();
        let masked = mask(&mut exchange, JSON, body.as_bytes());
        assert!(!String::from_utf8_lossy(&masked).contains("618734209955"), "{document}");
        let inner = arguments_of(&masked);
        let token = inner["AccountId"].as_str().expect("a string");
        let read = |text: &serde_json::Value| -> serde_json::Value {
            serde_json::from_str(text.as_str().expect("a string")).expect("JSON at every depth")
        };
        let expected =
            document.replace("\"618734209955\"", "618734209955").replace("618734209955", &format!("\"{token}\""));
        assert_eq!(read(&inner["content"]), serde_json::from_str::<serde_json::Value>(&expected).expect("JSON"));

        let restored = restore(&mut exchange, JSON, &masked);
        let back = expected.replace(token, "618734209955");
        assert_eq!(
            read(&arguments_of(&restored)["content"]),
            serde_json::from_str::<serde_json::Value>(&back).expect("JSON")
        );
        assert_eq!(mask(&mut session(), JSON, &restored), masked);
    }
}

#[test]
fn prose_gets_no_quotes() {
    let prose = "accounts [618734209955, 2] of AWS, account 618734209955";
    let said = serde_json::json!({"messages": [{"role": "user", "content": prose}]}).to_string();
    let argued = called_with(&serde_json::json!({"content": prose, "AccountId": "618734209955"}));
    // What should be JSON and is none.
    let call = serde_json::json!({"function": {"name": "f", "arguments": prose}});
    let none = serde_json::json!({"messages": [{"role": "assistant", "tool_calls": [call]}]}).to_string();
    for body in [said, argued, none] {
        let mut exchange = session();
        let masked = String::from_utf8(mask(&mut exchange, JSON, body.as_bytes())).expect("UTF-8");
        assert!(!masked.contains("618734209955") && masked.contains("accounts [ACCT_"), "{masked}");
        assert_eq!(restore(&mut exchange, JSON, masked.as_bytes()), body.as_bytes());
    }
}
