//! A second gateway behind this one, or a turn of a conversation that was never restored, changes nothing: whatever the
//! catalog's examples stand in.
#![allow(clippy::unwrap_used)]

mod support;

use aws_masker_core::catalog::Catalog;
use serde_json::json;
use support::{mask, session};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What examples stand in.
const AROUND: &[&str] = &[
    "{}",
    "see {} here",
    "The bucket {} is public",
    "password={}",
    "password={}\n",
    "password: {}",
    "PGPASSWORD=\"{}\" psql",
    "{\"Password\": \"{}\", \"Name\": \"{}\"}",
    "--name {} --secret-string {}",
    "name={}&key={}",
    "| BucketName | {} |",
    "bucket,{}\n{},x\n",
    "s3://{}/{}",
    "https://acme-logs.s3.eu-west-1.amazonaws.com/{}",
    "https://{}.s3.amazonaws.com/a.png?x={}",
    "arn:aws:iam::618734209955:role/{}",
    "export TOKEN={}; curl -u {}:{} https://x",
    "<Bucket>{}</Bucket><Key>{}.png</Key>",
    "{}/{}",
    "{}.{}",
    "{}_{}",
    "{}-{}",
    "x{}y",
];

/// What is wrong, if masking again changes what was masked.
fn changed(content_type: &str, body: &str) -> Option<String> {
    let masked = mask(&mut session(), content_type, body.as_bytes());
    let again = mask(&mut session(), content_type, &masked);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (again != masked).then(|| format!("{body}\n  {}\n  {}", text(&masked), text(&again)))
}

#[test]
fn examples_are_masked_once_wherever_they_stand() {
    let mut wrong = Vec::new();
    for kind in Catalog::get().kinds() {
        let example = kind.example_text();
        for around in AROUND {
            let text = around.replace("{}", &example);
            wrong.extend(changed(TEXT, &text));
            wrong.extend(changed(JSON, &json!({ "text": text }).to_string()));
        }
    }
    assert!(wrong.is_empty(), "{} are masked twice:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn tokens_with_something_at_them_are_masked_once() {
    let query = "Action=connect&DBUser=jane&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900";
    let signature = "1f2e3d4c5b6a79881f2e3d4c5b6a7988";
    let host = "orders.abc123def456.us-west-2.rds.amazonaws.com:3306";
    let token = format!("{host}/?{query}&X-Amz-Signature={signature}");
    for text in [
        "https://acme-billing-logs.s3.eu-west-1.amazonaws.com/a.png".to_owned(),
        "https://acme-billing-logs.s3.amazonaws.com/2026/01/a.tar.gz and s3://acme-billing-logs/a.png".to_owned(),
        format!("password={token}"),
        format!("mysql --password={token} --user=jane"),
        format!("PGPASSWORD=\"{token}\" psql"),
        format!("password: {token}\n"),
    ] {
        assert_eq!(changed(TEXT, &text), None);
        assert_eq!(changed(JSON, &json!({ "text": text }).to_string()), None);
    }
}
