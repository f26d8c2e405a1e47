//! What programs, their settings and what tools print say is not taken for what AWS's customers have: a model that gets
//! tokens for the names of fields and variables cannot help with the code.
#![allow(clippy::unwrap_used)]

mod support;

use aws_masker_core::wire::Content;

use support::detector;

/// What is found in a text.
fn parts(text: &str) -> Vec<&str> {
    let found = detector().scan_body(Content::Text, text.as_bytes()).unwrap();
    found.parts.iter().map(|part| text.get(part.span.clone()).unwrap()).collect()
}

#[test]
fn programs_have_nothing_to_mask() {
    for text in [
        // Fields and their types.
        "type head struct {\n\tbuckets       prometheus.GaugeFunc\n\tseriesRemoved prometheus.Counter\n}\n",
        "\tbuckets    func() pmetric.ExponentialBuckets\n\twantLayout map[int32]expectedBucketLayout\n\tb.SetOffset(0)\n",
        "\tbucket         string\n\tignoredSamples prometheus.Counter\n",
        // Expressions.
        "for i, bucket := range matrix[1:] {\n\tsumOfBuckets := nCount + pCount + h.ZeroCount\n",
        "const key = await subtle.generateKey({\n  name: 'HMAC',\n  length: 256,\n});",
        "reply.update!(topic: debate2)\napple = client.create_firm_with_primary_key(\"name\" => \"Apple\")\n",
        "createAndSend(producer, topicName = topic0, partitions = 2)",
        "KTable<Bytes, String> users = builder.table(\"topic\");\ncluster.topicId(\"validTopic1\"); x.generateKeyPair(\"RSA\");",
        "PASSWORD_CONFIG = \"ssl.key.password\";\n#{StreamId := Stream0} ->\n",
        "Power   Exact Value         Bytes\n40      1,099,511,627,776   1 TB\n",
        "PROJECT_NAME = \"kafka\"\nrootProject.name = 'kafka'\n",
        "<groupId>org.slf4j</groupId>\n<artifactId>slf4j-reload4j</artifactId>",
        "'passwords' => [\n    'users' => [\n        'provider' => 'users',\n",
        // Documents of programs.
        "- AWS-Lambda: fixed\n- New functions: `kong.response.get_raw_body` and `kong.log.err`\n",
        "options is {&lt;passphrase: &#x3C;string&#x3E;} and passphrase: &lt;string&gt;",
        // References, metrics, settings, logs.
        "Equals to /memory/classes/profiling/buckets:bytes. name does not end in _total/_sum/_bucket: \"series_total2\"",
        "# multiplier on hash table work_mem\ncluster_name = '15/main'  # added to process titles\n",
        "{\"cluster_id\": \"00000000-0000-0000-0000-000000000000\"}",
        "Parameters: {\"password\"=>\"[FILTERED]\"} masterauth: (redacted)",
        "x = cluster_name://acme2",
        // `docker inspect`
        "[{\"Id\": \"d43780927f21e5c56cc823545ddd546ac01cbcdd3d4d69104d01d4217e2361aa\", \"Names\": [\"/web\"]}]",
        "{\"container_id\": \"d43780927f21e5c56cc823545ddd546ac01cbcdd3d4d69104d01d4217e2361aa\", \"image\": \"web\"}",
    ] {
        assert_eq!(parts(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn nor_have_they_beside_an_identifier() {
    for text in ["x = \"{vault://env/not-found}\"", "// Cluster::connection_info depends on it"] {
        assert_eq!(parts(&format!("{text}\nin vpc-0ab12cd34ef56ab78\n")), ["vpc-0ab12cd34ef56ab78"], "{text}");
    }
}

#[test]
fn what_looks_like_programs_and_names_things_of_aws_is_masked() {
    for (text, part) in [
        ("BUCKET      REGION\nacme-logs   eu-west-1\n", "acme-logs"),
        ("BUCKET   REGION\nacme-logs-of-eu eu-west-1\n", "acme-logs-of-eu"),
        ("BUCKET := acme-logs\n", "acme-logs"),
        ("bucket := \"acme-logs\"", "acme-logs"),
        ("aws ec2 create_key_pair(KeyName='acme-bastion')", "acme-bastion"),
        ("boto3 client.create_key_pair(Name='acme-bastion')", "acme-bastion"),
        ("the Lambda function acme-billing-worker timed out", "acme-billing-worker"),
        ("aws dynamodb = builder.table(\"acme_orders\")", "acme_orders"),
        ("aws codebuild: PROJECT_NAME=acme-build", "acme-build"),
        ("send(producer, topic_name = 'acme-topic', count = 2)", "acme-topic"),
        ("user id = app, password = Tr0ub4dor3xKq, server = x", "Tr0ub4dor3xKq"),
        ("connect(host = db, password = Tr0ub4dor3xKq)", "Tr0ub4dor3xKq"),
        ("db_password::Tr0ub4dor3xKq", ":Tr0ub4dor3xKq"),
        ("%{password => Tr0ub4dor3xKq}", "Tr0ub4dor3xKq"),
        ("passphrase: Tr0ub4dor-3xKq", "Tr0ub4dor-3xKq"),
        (
            "\"Owner\": {\"ID\": \"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be\"}",
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
        ),
        ("{\"cluster_id\": \"7d1c0000-0000-0000-0000-000000000001\"}", "7d1c0000-0000-0000-0000-000000000001"),
    ] {
        assert!(parts(text).contains(&part), "{text}: {:?}", parts(text));
    }
}
