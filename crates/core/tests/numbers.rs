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
        r#"{"AccountId":"618734209955","bytes":123456789012,"limit":618734209955}"#,
        r#"{"account_age":61873420995,"AccountBalance":618734209955.5,"owner":1.23456789e12}"#,
        r#"{"max_tokens":618734209955,"messages":[{"role":"user","content":"account 618734209955"}]}"#,
    ] {
        let mut exchange = session();
        let masked = mask(&mut exchange, JSON, body.as_bytes());
        assert_eq!(restore(&mut exchange, JSON, &masked), body.as_bytes());
    }
}
