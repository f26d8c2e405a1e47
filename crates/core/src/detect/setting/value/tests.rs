use super::*;

fn name(text: &str, setting: Setting) -> bool {
    is_believable(ValueShape::Name, text.as_bytes(), setting)
}

#[test]
fn names_are_told_from_words_expressions_and_placeholders() {
    for text in
        ["orders", "acme-logs", "/aws/lambda/f", "my_table", "Bob", "team/orders-api", "ORDERS_EU", "ACME_IDS_7"]
    {
        assert!(name(text, Setting::Sure), "{text}");
    }
    for text in [
        "true",
        "string",
        "default",
        "default.mysql8.0",
        "${var.x}",
        "<name>",
        "us-east-1",
        "us-west-2-lax-1",
        "12",
        "EC2_ABCDEFGH",
        "FARGATE_SPOT",
        "BACKEND_BUCKET_NAME",
        "SECRET_VERSION",
        "PASTE_HERE",
        "0x40000",
        "SECRET_VERSION.",
        "CodeDeployDefault.OneAtATime",
    ] {
        assert!(!name(text, Setting::Sure), "{text}");
    }
    for text in ["var.bucket", "props.tableName", "aws_s3_bucket.logs.id", "bucket(", "args.name"] {
        assert!(!name(text, Setting::Line), "{text}");
    }
    assert!(!name("bucketName", Setting::Open));
    assert!(name("acme-logs", Setting::Open));
    assert!(COMMON.is_sorted());
}

#[test]
fn secrets_in_json_in_json_end_at_their_own_quote() {
    let text = br#"\"{\\\"a\\\": 1}\", \"x\""#;
    let found = whole_quoted(text, 0).unwrap();
    assert_eq!(&text[found.start..found.end], br#"{\\\"a\\\": 1}"#);
    let text = br#"'{"a": 1}' "#;
    let found = whole_quoted(text, 0).unwrap();
    assert_eq!(&text[found.start..found.end], br#"{"a": 1}"#);
}

#[test]
fn go_wrappers_are_seen_through() {
    let text = br#"aws.String("acme-logs"), x"#;
    let found = value(text, 0, &mut BareRun::default()).unwrap();
    assert_eq!(&text[found.start..found.end], b"acme-logs");
}

#[test]
fn ids_of_archives_are_long() {
    let id = b"kKB7ymWJVpPSwhGP6ycSOAekp9ZYe_--zM_mw6k76ZFGEIWQX-ybtRDvc2VkPSDtfKmQrj0IRQLSGsNuDp-AJVlu2ccm";
    assert!(is_believable(ValueShape::OpaqueId, id, Setting::Sure));
    assert!(!is_believable(ValueShape::OpaqueId, &[id.as_slice(), id].concat(), Setting::Sure));
    assert!(!is_believable(ValueShape::OpaqueId, &b"an-example-of-1-name".repeat(4), Setting::Sure));
}

#[test]
fn numbers_are_no_ids() {
    assert!(!is_believable(ValueShape::OpaqueId, b"0x754f1a", Setting::Sure));
    assert!(is_believable(ValueShape::OpaqueId, b"a1b2c3d4e5", Setting::Sure));
}

#[test]
fn a_secret_key_that_lost_or_won_a_character_is_one_where_its_line_ends() {
    // As in the manual of STS: 41 characters.
    let nearly = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY";
    for (setting, is_one) in [(Setting::Sure, true), (Setting::Line, true), (Setting::Open, false)] {
        assert_eq!(is_believable(ValueShape::SecretKey, nearly, setting), is_one);
        assert!(is_believable(ValueShape::SecretKey, &nearly[..40], setting));
    }
}

#[test]
fn short_tokens_are_those_that_are_no_words() {
    for (text, token) in [
        ("AUTH_TOKEN=abcd1234efgh567", "abcd1234efgh567"),
        ("{\"api_key\": \"k3yV4lu3X9\"}", "k3yV4lu3X9"),
        ("gitlab:\n  access_token: x7Gh29PqLm\n", "x7Gh29PqLm"),
    ] {
        assert_eq!(crate::detect::testing::parts(text), [token], "{text}");
    }
    for text in [
        "AUTH_TOKEN=token1234",
        "api_key: your-key-1a2b3c",
        "access_token = a1b2c3d4e5 + salt",
        "{\"api_key\": \"sha256rsa2048\"}",
        "next_token: a1b2c3d4e5f6",
    ] {
        assert_eq!(crate::detect::testing::parts(text), Vec::<&str>::new(), "{text}");
    }
}
