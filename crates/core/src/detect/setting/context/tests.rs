use crate::detect::testing::{found, parts};

#[test]
fn settings_in_sections_may_be_words() {
    for before in ["[storage]\n", "# x\n[a b]\n; y\nregion = z\n\n", "[s]\r\nregion = z\r\n"] {
        let text = format!("{before}bucket = acmeuploads\n");
        assert_eq!(found(&text), [("name:s3-bucket".to_owned(), "acmeuploads")], "{text}");
    }
    for text in [
        "bucket = acmeuploads\n",
        "x = [1]\nbucket = acmeuploads\n",
        "[storage]\ndef f():\n  bucket = acmeuploads\n",
        "[storage]\nbucket = acmeuploads(x)\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn what_an_earlier_turn_left_has_a_label_of_ours() {
    assert_eq!(found("DB_PASSWORD=/AB_ABCDEFGH"), [("cred:password".to_owned(), "/AB_ABCDEFGH")]);
    assert_eq!(found("aws ssm get-parameter --name /copilot/RESNAME_ABCDEFGH/prod"), []);
}

#[test]
fn words_behind_keys_of_programs() {
    for text in ["self.table_name = \"posts\"", "function_name: gzip_decode", "{ table_name: 'posts' }"] {
        assert_eq!(found(text), [], "{text}");
    }
    for text in [
        "dynamodb: table_name = \"posts\"",
        "table_name = \"acme-posts\"",
        "{\"TableName\": \"posts\"}",
        "TABLE_NAME=posts",
    ] {
        assert_eq!(found(text).len(), 1, "{text}");
    }
}

#[test]
fn lists_of_code_are_no_values() {
    assert_eq!(found("buckets: [Vec<PatternID>; BUCKETS],"), []);
    assert_eq!(found("bucket_names = [name for name in self.all]"), []);
    assert_eq!(found("bucket_names: [acme, acmeuploads]").len(), 2);
    assert_eq!(found("level=info bucketNames=[acme-logs acme-web]").len(), 2);
}

#[test]
fn values_in_other_places() {
    for (text, names) in [
        ("~ bucket = \"acme\" -> \"acme2\" # forces replacement", &["acme", "acme2"][..]),
        ("os.environ[\"S3_BUCKET\"] = \"acme\"", &["acme"]),
        ("ENV['S3_BUCKET'] = 'acme'", &["acme"]),
        ("aws s3 ls s3://${S3_BUCKET:-acme}/", &["acme"]),
        ("S3_BUCKET=${1:-acme}\nREGION=${2:-us-east-1}", &["acme"]),
    ] {
        let expected: Vec<_> = names.iter().map(|name| ("name:s3-bucket".to_owned(), *name)).collect();
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn policies_of_aws_keep_their_names() {
    assert_eq!(found("{\"PolicyName\":\"Power\",\"PolicyArn\":\"arn:aws:iam::aws:policy/job-function/Power\"}"), []);
    assert_eq!(
        found("{\"PolicyName\":\"Own\",\"PolicyArn\":\"arn:aws:iam::aws:policy/Power\"}"),
        [("name:iam-policy".to_owned(), "Own")]
    );
}

#[test]
fn keys_of_objects_belong_to_their_bucket() {
    for (text, key) in [
        ("get_object(Bucket=BUCKET, Key='raw/cust-7/a.csv')", "raw/cust-7/a"),
        ("{ Bucket: bucket, Key: \"raw/cust-7/a.csv\" }", "raw/cust-7/a"),
        (".bucket(bucket)\n    .key(\"raw/cust-7/a.csv\")", "raw/cust-7/a"),
        ("Bucket: aws.String(bucket),\n\tKey:    aws.String(\"raw/cust-7/a.gz\"),", "raw/cust-7/a"),
        ("aws lambda update-function-code --s3-key builds/cust-7/app.zip", "builds/cust-7/app"),
    ] {
        assert_eq!(found(text), [("name:s3-object-key".to_owned(), key)], "{text}");
    }
    for text in [
        "{\"Key\": \"raw/cust-7/a.csv\"}",
        "{ Bucket: bucket }, { Key: 'raw/cust-7/a.csv' }",
        "f(bucket); g(key='raw/cust-7/a.csv')",
        "{ Bucket: bucket, Key: 'index.html' }",
        "{ Bucket: bucket, Key: `${prefix}/cust-7/a.csv` }",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn members_of_answers_about_resources() {
    for (text, kind, name) in [
        ("aws {\"ResourceName\": \"acme\"}", "name:resource", "acme"),
        ("{\"StackName\": \"x\", \"PhysicalId\": \"acme\"}", "name:resource", "acme"),
        ("cloudformation: PhysicalId: acme", "name:resource", "acme"),
        ("{\"PhysicalResourceId\": \"acme\"}", "name:resource", "acme"),
        ("rds {\"SourceIdentifier\": \"acme\"}", "name:rds-db-instance", "acme"),
        ("{\"ConfigRuleName\": \"acme\"}", "name:resource", "acme"),
        ("eksctl create cluster --name acme-eu", "name:eks-cluster", "acme-eu"),
        ("eksctl get nodegroup --cluster acme", "name:eks-cluster", "acme"),
        ("aws memorydb\nACLName: acme-acl\n", "name:resource", "acme-acl"),
        ("aws codeartifact login --domain acme-libs", "name:resource", "acme-libs"),
    ] {
        assert!(found(text).contains(&(kind.to_owned(), name)), "{text}: {:?}", found(text));
    }
    for text in
        ["{\"ResourceName\": \"acme\"}", "PhysicalId: acme", "{\"SourceIdentifier\": \"acme\"}", "--domain acme-libs"]
    {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn fields_that_other_software_has_are_names_where_the_text_speaks_of_the_service() {
    for (key, service) in [("table", "DynamoDB"), ("queue", "SQS"), ("topic", "SNS"), ("stream", "Kinesis")] {
        assert_eq!(found(&format!("level=warn msg=\"{service} is slow\" {key}=acme-eu")).len(), 1, "{key}");
        assert_eq!(found(&format!("level=warn msg=\"it is slow\" {key}=acme-eu")), [], "{key}");
        assert_eq!(found(&format!("level=warn msg=\"{service} is slow\" {key}=acme")), [], "{key}");
    }
}

#[test]
fn things_that_customers_make_have_names_that_they_chose() {
    for (text, name) in [
        ("{\"TrialComponentName\": \"acme-eu\"}", "acme-eu"),
        ("aws sagemaker create-trial-component --trial-component-name acme", "acme"),
        ("aws sesv2 {\"ContactListName\": \"Acme\"}", "Acme"),
        ("aws iot list-jobs {\"jobTemplateId\": \"acme-eu\"}", "acme-eu"),
        ("aws iot delete-topic-rule --rule-name acme_eu", "acme_eu"),
        ("{\"fargateProfileName\": \"acme-eu\"}", "acme-eu"),
        ("aws iot describe-security-profile --security-profile-name TooManyLogins", "TooManyLogins"),
        ("aws budgets {\"BudgetName\": \"Team budget 2026\"}", "Team budget 2026"),
        ("aws dms {\"DataProviderName\": \"acme-eu\"}", "acme-eu"),
        ("aws autoscaling put-scaling-policy --policy-name acme-scaling-out", "acme-scaling-out"),
    ] {
        assert_eq!(found(text), [("name:resource".to_owned(), name)], "{text}");
    }
    for text in [
        "{\"TrialComponentName\": \"acme\"}",
        "{\"jobTemplateId\": \"acme-eu\"}",
        "{\"ruleName\": \"acme_eu\"}",
        "aws {\"deviceName\": \"acme-eu\", \"columnName\": \"acme_eu\"}",
        "aws {\"deliverySourceName\": \"acme.json\"}",
        "budget {\"BudgetName\": \"Team budget 2026\"}",
        "aws {\"BudgetName\": \"The name of a budget\"}",
        "aws ecs delete-account-setting {\"accountSettingName\": \"containerInsights\"}",
        "aws deploy {\"deploymentConfigName\": \"CodeDeployDefault.OneAtATime\"}",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn ids_of_things_that_a_service_makes() {
    for text in [
        "{\"healthCheckId\": \"ab12cd34-5678-90ab-cdef-1234567890ab\"}",
        "aws datapipeline get-pipeline-definition --pipeline-id df-06372391ZG65EX",
        "{\"assetId\": \"a1b2c3d4-5678-90ab-cdef-33333EXAMPLE\"}",
        "aws ssm {\"WindowId\": \"mw-1a2b3c4d5e6f7g8h9\"}",
        "aws cognito-idp list-users --user-pool-id us-west-2_EXAMPLE",
        "TransitGatewayAttachmentId: tgw-attach-01f8100bc7EXAMPLE",
    ] {
        assert_eq!(found(text).len(), 1, "{text}: {:?}", found(text));
    }
    for text in [
        "{\"WindowId\": \"mw-1a2b3c4d5e6f7g8h9\"}",
        "aws {\"operationId\": \"ab12cd34\", \"orderId\": \"ab12cd34\"}",
        "aws {\"availabilityZoneId\": \"use1-az1\"}",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn ids_that_every_software_has() {
    for pair in [
        r#""user_id": "u-4f2e8d1c73b6""#,
        r#""sessionId": "8d3c9a72-2f04-4ab4-8b8a-0c1e5a0b7c11""#,
        r#""account_id": "acct_1OqZ2aC4e6g8i0k2""#,
        r#""project_id": "prj_12HKQaOmR5t5Uy6vdcQsNIiZgHGB""#,
    ] {
        assert_eq!(found(&format!("{{{pair}}}")), [], "{pair}");
        assert_eq!(found(&format!("{{{pair}, \"service\": \"aws\"}}")).len(), 1, "{pair}");
    }
}

#[test]
fn users_of_services_that_have_their_own() {
    for text in [
        "aws cognito-idp admin-get-user --username diego@example.org",
        "workdocs {\"Username\": \"diego\"}",
        "{\"SAMAccountName\": \"diego\"}",
    ] {
        assert_eq!(found(text).len(), 1, "{text}: {:?}", found(text));
    }
    assert_eq!(found("{\"username\": \"diego\"}"), []);
}

#[test]
fn secrets_that_their_key_announces() {
    for text in [
        "{\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY\"}",
        "{\"AccessToken\": \"eyJra456defEXAMPLE\"}",
        "aws directconnect {\"bgpPeers\": [{\"authKey\": \"0xzxgA9YoW9h58u8S\"}]}",
    ] {
        assert_eq!(found(text).len(), 1, "{text}: {:?}", found(text));
    }
    for text in ["{\"authKey\": \"0xzxgA9YoW9h58u8S\"}", "secret_access_key = read_the_key_from_somewhere(x)"] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn options_of_cmdlets() {
    assert_eq!(
        found("Get-S3Object -BucketName acme-logs -Key x; Get-SECSecretValue -SecretId prod/db"),
        [("name:s3-bucket".to_owned(), "acme-logs"), ("name:secret".to_owned(), "prod/db")]
    );
}

#[test]
fn values_with_signs_that_end_others() {
    for (text, kind, value) in [
        ("spring.datasource.password=Wren&Falcon19\n", "cred:password", "Wren&Falcon19"),
        (
            "password = 1wtwdi5t32GN9yW7wY4I+iXBoJ0p7ZQuxY6YpE3NGoE=\n",
            "cred:password",
            "1wtwdi5t32GN9yW7wY4I+iXBoJ0p7ZQuxY6YpE3NGoE=",
        ),
        ("TF_STATE_BUCKET: tfstate.acme-rail.cz\n", "name:s3-bucket", "tfstate.acme-rail.cz"),
        ("Engine: oracle, DatabaseName: ACMEPRD, Port: 1521", "name:database", "ACMEPRD"),
        ("\"sts:ExternalId\": \"acme-0b71fe\"", "iam:external-id", "acme-0b71fe"),
        ("\"HomeDirectory\": \"/acme-in/x\"", "name:s3-bucket", "acme-in"),
        ("{\"Entry\": \"/\", \"Target\": \"/acme-in/x\"}", "name:s3-bucket", "acme-in"),
        ("WorkspaceId: x\nUserName: kim.minsu\n", "name:resource", "kim.minsu"),
        (
            "KMS_KEY_ID: &key c47ab0f4-496c-42bd-8fc5-eea33e407da7\n",
            "kms:key-id",
            "c47ab0f4-496c-42bd-8fc5-eea33e407da7",
        ),
        ("green: { STREAM_NAME: acme_raw }", "name:kinesis-stream", "acme_raw"),
        ("x: { CLUSTER_NAME: AcmeMesh, LEVEL: info } # aws", "name:cluster", "AcmeMesh"),
        ("aws ssm put-parameter --type SecureString --value swordfish --overwrite", "cred:password", "swordfish"),
        ("{ ECS_SERVICE_NAME: acme }", "name:ecs-service", "acme"),
        ("spring.datasource.password=m0untain.Ash!\n", "cred:password", "m0untain.Ash!"),
        ("kms_master_key_id = \"alias/acme\"", "kms:alias", "alias/acme"),
        ("aws glue create-job --role GlueRunner --x", "name:iam-role", "GlueRunner"),
        ("aws := &dynamodb.TableArgs{\n\tName: pulumi.String(\"SeatHolds\"),", "name:dynamodb-table", "SeatHolds"),
        ("<ListBucketResult xmlns=\"x\"><Name>acme</Name>", "name:s3-bucket", "acme"),
        ("--source_db acme_raw --x", "name:database", "acme_raw"),
    ] {
        assert_eq!(found(text), [(kind.to_owned(), value)], "{text}");
    }
    for text in [
        "f({DatabaseName: ACMEPRD, Port: 1521})",
        "{\"Target\": \"/acme-in/x\"}",
        "bucket: props.name\n",
        "new Function({ environment: { QUEUE_NAME: ordersQueue, LEVEL: level } })",
        "WorkspaceId: x\nUserName: user.name\n",
        "repository: registry.k8s.io/ingress-nginx/controller",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    assert_eq!(found("https://x.example/?password=Wren1&next=a")[0].1, "Wren1");
}

#[test]
fn what_a_pointer_points_to_is_code() {
    for text in ["size_type __bucket = _M_ht->_M_bkt_num(x);", "bucket = table7->buckets;", "++bucket < table7->size;"]
    {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn options_that_are_spoken_of() {
    for text in [
        "Add missing -p, --password description to the usage",
        "Documentation for the new --password options.",
        "but now --ask-password wins",
        "Wget has the --ftp-user and --ftp-password command",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    for text in ["mysqldump shop --password hunter", "run the --password 'hunter'", "and --password Hunter7,"] {
        assert_eq!(found(text).len(), 1, "{text}");
    }
}

#[test]
fn several_values_of_an_option() {
    let text = "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names \"acme-1\" 'acme-2' acme-3 \\\n  --x y";
    let names: Vec<_> = found(text).into_iter().map(|(_, part)| part).collect();
    assert_eq!(names, ["acme-1", "acme-2", "acme-3"]);
}

#[test]
fn a_value_may_be_called_like_its_member() {
    assert_eq!(parts("{\"TargetBucket\": \"targetbucket\"}"), ["targetbucket"]);
    for text in
        ["{\"targetBucket\": \"targetbucket\"}", "TargetBucket: targetbucket\n", "{\"BucketName\": \"BucketName\"}"]
    {
        assert_eq!(parts(text), [""; 0], "{text}");
    }
}

#[test]
fn names_of_manuals_behind_members_of_aws() {
    assert_eq!(parts("aws codeartifact describe-domain --domain test-domain"), ["test-domain"]);
    assert_eq!(parts("{\"ApplicationName\": \"my-app\", \"VersionLabel\": \"v1\"}"), ["my-app"]);
    assert_eq!(parts("boto3 c.delete_policy(PolicyName='MyPolicy')"), ["MyPolicy"]);
    assert_eq!(parts("{\"PolicyName\": \"MyPolicy\"}"), [""; 0]);
}

#[test]
fn families_in_a_string_of_json() {
    let text = r#"{"content": "{\"families\": [\"acme-web\", \"acme-batch\"]}"}"#;
    assert_eq!(parts(text), ["acme-web", "acme-batch"]);
}

#[test]
fn keys_behind_what_a_search_prints() {
    for before in
        ["7:", "L7:", "Dockerfile:7:", "my dir/app.yaml:7:", "C:\\src\\app.yaml:7:", "deploy/app.yaml:", ".env:"]
    {
        let text = format!("{before}db_password: Tr0ub4dor-3xKq\n");
        assert_eq!(found(&text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")], "{text}");
    }
    let names = ["deploy/app.yaml:bucket: acme-logs\n", "{:bucket=>\"acme-logs\"}", "java -Dbucket=acme-logs -jar x"];
    for text in names {
        assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme-logs")], "{text}");
    }
    assert_eq!(found("app:config:db_password: Tr0ub4dor-3xKq"), []);
}

#[test]
fn values_before_the_color_of_a_terminal_and_in_older_plans() {
    assert_eq!(found("db_password: Tr0ub4dor-3xKq\x1b[m\n"), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")]);
    let text = "~ bucket: \"acme-old-logs\" => \"acme-new-logs\" (forces new resource)";
    assert_eq!(found(text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), ["acme-old-logs", "acme-new-logs"]);
}

#[test]
fn passwords_of_several_words() {
    for (text, password) in [
        ("db_password: 'correct horse 7 battery'\n", "correct horse 7 battery"),
        ("export DB_PASSWORD=\"Summer 2024 Rain!\"\n", "Summer 2024 Rain!"),
        ("{\"password\": \"correct horse 7 battery\"}", "correct horse 7 battery"),
    ] {
        assert_eq!(found(text), [("cred:password".to_owned(), password)], "{text}");
    }
    for text in [
        "{\"password\": \"Must have 8 characters or more\"}",
        "password: 'Passwort mit 8 Zeichen'",
        "password = \"Field 2\"",
        "password: correct horse 7 battery\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn what_is_called_a_secret_may_be_as_short_as_a_password() {
    for text in [
        "JWT_SECRET=s3cr3tJwtKey24x\n",
        "SESSION_SECRET: s3cr3tJwtKey24x\n",
        "client_secret: \"s3cr3tJwtKey24x\"",
        "{\"WebhookSecret\": \"s3cr3tJwtKey24x\"}",
    ] {
        assert_eq!(found(text), [("cred:oauth-secret".to_owned(), "s3cr3tJwtKey24x")], "{text}");
    }
    for text in [
        "client_secret = settings.CLIENT_SECRET\n",
        "clientSecret: process.env.JWT_SECRET,\n",
        "app_secret: str = \"required\"\n",
        "client_secret=client_secret,\n",
        "signingSecret: <your-secret-12>\n",
    ] {
        assert_eq!(parts(text), [""; 0], "{text}");
    }
}

#[test]
fn filters_of_jq_ask_for_a_name() {
    for text in [
        "jq '.[] | select(.bucket == \"acme-drop\")'",
        "jq 'select(.requestParameters.bucketName==\"acme-drop\")' trail.json",
        "jq '.Records[] | select(.s3.bucket.name == \"acme-drop\")'",
    ] {
        assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme-drop")], "{text}");
    }
    for text in ["if x.bucket == \"acme-drop\":", "bucket == \"acme-drop\"", "jq 'select(.state == \"acme-drop\")'"] {
        assert_eq!(parts(text), [""; 0], "{text}");
    }
}

#[test]
fn options_that_take_a_list() {
    let text = "aws secretsmanager batch-get-secret-value --secret-id-list acme-db1 acme-db2 --query x";
    assert_eq!(parts(text), ["acme-db1", "acme-db2"]);
    assert_eq!(parts("aws ecs describe-clusters --include X --clusters acme-web"), ["acme-web"]);
}

#[test]
fn modules_of_ansible() {
    for module in ["amazon.aws.s3_bucket", "community.aws.ecs_cluster", "amazon.aws.iam_managed_policy"] {
        let text = format!("- name: make it\n  {module}:\n    name: acme-web\n    state: present\n");
        assert_eq!(parts(&text), ["acme-web"], "{text}");
    }
}
