use crate::catalog::Catalog;
use crate::detect::testing::{found, scanned};

#[test]
fn names_after_the_word_for_what_they_are() {
    for (text, kind, name) in [
        ("The bucket acme-logs is public, why?", "name:s3-bucket", "acme-logs"),
        ("Athena workgroup acme-wg is slow", "name:athena-workgroup", "acme-wg"),
        ("the SageMaker endpoint acme-fraud-v3 returns 413", "name:sagemaker", "acme-fraud-v3"),
        ("Elastic Beanstalk environment acme-web-env is red", "name:eb-environment", "acme-web-env"),
        ("DynamoDB GSI acme-user-idx throttles", "name:dynamodb-index", "acme-user-idx"),
        ("마스터 유저 svc_acme 로 접속", "name:db-user", "svc_acme"),
        ("Parameter Store의 /acme/prod/url 값", "name:ssm-parameter", "/acme/prod/url"),
        ("Copy the table `orders_eu` of DynamoDB to another region", "name:dynamodb-table", "orders_eu"),
        ("The function orders-sync fails", "name:lambda-function", "orders-sync"),
        ("Why is my S3 bucket acme-prod-logs public?", "name:s3-bucket", "acme-prod-logs"),
        ("the DynamoDB table acme-sessions throttles", "name:dynamodb-table", "acme-sessions"),
        ("On Lambda the function orders_sync fails", "name:lambda-function", "orders_sync"),
        ("Why is queue \"orders-dlq\" growing?", "name:sqs-queue", "orders-dlq"),
        ("The RDS instance called ledger-7 is slow", "name:rds-db-instance", "ledger-7"),
        ("버킷 이름이 acme-logs-7 인데", "name:s3-bucket", "acme-logs-7"),
        ("서브넷 그룹은 db-acme입니다", "name:db-subnet-group", "db-acme"),
        ("Log group: /acme/orders-api\n", "name:log-group", "/acme/orders-api"),
        ("CloudFront distribution EDFDVBD6EXAMPLE", "cloudfront:distribution", "EDFDVBD6EXAMPLE"),
        ("Route53 호스팅 영역 Z3M3LMPEXAMPLE1에 없어", "route53:hosted-zone", "Z3M3LMPEXAMPLE1"),
        ("the root is r-ab12", "organizations:root", "r-ab12"),
        (
            "my secret access key is kD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ, thanks",
            "cred:secret-access-key",
            "kD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ",
        ),
        (
            "Secret access key\nkD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ\n",
            "cred:secret-access-key",
            "kD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ",
        ),
        ("CREATE USER x IDENTIFIED BY 'Tr0ub4dor&3';", "cred:password", "Tr0ub4dor&3"),
        ("docker login -u AWS -p eyJwYXlsb2FkIjoiabc+/= h", "cred:ecr-login-password", "eyJwYXlsb2FkIjoiabc+/="),
        ("the key alias/acme-orders", "kms:alias", "acme-orders"),
        ("So.\nECR 리포지토리 acme/web 에는", "name:ecr-repository", "acme/web"),
        ("tags: { karpenter.sh/discovery: \"acme-main\" }", "name:eks-cluster", "acme-main"),
        ("aws logs tail /acme/orders --follow", "name:log-group", "/acme/orders"),
        ("IAM 역할 DeployRunnerProd 권한을 줄여야 합니다", "name:iam-role", "DeployRunnerProd"),
        ("in /aws/lambda/acme-resize", "name:lambda-function", "acme-resize"),
        ("The acme-raw-landing bucket is public", "name:s3-bucket", "acme-raw-landing"),
        ("Is the `acme-logs` bucket public?", "name:s3-bucket", "acme-logs"),
        ("acme-logs 버킷에 접근이 안 돼요", "name:s3-bucket", "acme-logs"),
        ("acme-web 클러스터(EKS)에서", "name:cluster", "acme-web"),
        ("cdk deploy AcmeStack --all", "name:cfn-stack", "AcmeStack"),
        ("어제부터 acme-orders 인스턴스가 느립니다", "name:resource", "acme-orders"),
        ("acme-orders RDS 인스턴스가 느립니다", "name:rds-db-instance", "acme-orders"),
        ("acme-sync Lambda 함수가 실패합니다", "name:lambda-function", "acme-sync"),
        ("acme-dlq 큐에 쌓입니다", "name:sqs-queue", "acme-dlq"),
        ("acme-web 타겟 그룹에 없어요", "name:target-group", "acme-web"),
        ("/acme/orders 로그 그룹을 봐 주세요", "name:log-group", "/acme/orders"),
        ("https://s3.console.aws.amazon.com/s3/buckets/acme-logs?tab=x", "name:s3-bucket", "acme-logs"),
        ("latest/meta-data/iam/security-credentials/acme-nodes", "name:iam-role", "acme-nodes"),
        ("net use \\\\amznfsxab12cd34.corp.example.com", "host:aws", "ab12cd34"),
        ("s3.upload_file(\"a.csv\", \"acme\", \"b.csv\")", "name:s3-bucket", "acme"),
        ("dynamodb.Table('orders')", "name:dynamodb-table", "orders"),
        ("<ListBucketResult><BucketName>acme</BucketName>", "name:s3-bucket", "acme"),
    ] {
        assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
    }
}

#[test]
fn words_that_are_no_names() {
    for text in [
        "Turn on bucket server-side encryption",
        "the role cross-account access needs",
        "a table look-up takes long",
        "the user data-driven approach",
        "the function my-function is slow",
        "see the table in schema-2.sql",
        "a stack over-flow happened",
        "every task 0123456789abcdef0123456789abcdef0123",
        "alias/aws/s3",
        "the app/models/user",
        "bucket.upload_file('a.csv', 'b.csv')",
        "Access denied for user 'app'@'db'",
        "<Title>acme-logs</Title>",
        "the service us-east-1 of",
        "the function parse_header2 is slow",
        "a state-of-the-art cluster",
        "the cross-account role",
        "a long-running task, a hash-based table",
        "The 'user-defined' function",
        "cross-account 역할",
        "on-demand 인스턴스, multi-az 인스턴스, 그리고 memory-optimized 인스턴스",
        "pipe(lambda: read_proto, end)",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn names_as_programs_have_them() {
    for code in [
        "The `parse_header` function is slow",
        "The function `parse_header2` is slow",
        "Copy the table `orders_eu` to another schema",
        "the stack c_ulonglong is too small",
        "our `user_role` role is one of the app",
        "stream: proc_macro::TokenStream,",
        "<div class=\"nav-content\" role=\"search\">",
        "haystack identified by `start` and `end`",
        "install it into the user site-packages and the function as-is is fine",
        "the git repository python3-defaults has it",
        "the service library-example.googleapis.com is up",
        "the stream `llm/v1/chat` is a route",
    ] {
        assert_eq!(found(code), [], "{code}");
    }
    for (text, name) in [
        ("Lambda: the `parse_header` function is slow", "parse_header"),
        ("In DynamoDB, copy the table `orders_eu` to another region", "orders_eu"),
        ("arn:aws:s3:::acme-x. Copy the table `orders_eu` to another region", "orders_eu"),
        ("Our ECS service billing_api2 is down", "billing_api2"),
    ] {
        assert!(found(text).iter().any(|(_, part)| *part == name), "{text}");
    }
}

#[test]
fn ids_that_a_word_announces() {
    for (text, id) in [
        ("the REST API a1b2c3d4e5 gives 403", "a1b2c3d4e5"),
        ("REST API ID: a1b2c3d4e5", "a1b2c3d4e5"),
        ("Amplify app d2abcdefghij1k fails", "d2abcdefghij1k"),
        ("our knowledge base KB4N8T2WZ6 is empty", "KB4N8T2WZ6"),
        ("지식 베이스 KB4N8T2WZ6 에서", "KB4N8T2WZ6"),
        ("the certificate 4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5 expired", "4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5"),
    ] {
        assert_eq!(found(text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), [id], "{text}");
    }
    for text in ["rest api version2 is out", "API Gateway 502errors", "knowledge base articles", "REST API v2"] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn files_of_private_keys() {
    for (text, name) in [
        ("ssh -i acme-ops.pem ec2-user@10.24.7.31", "acme-ops"),
        ("scp -i ~/.ssh/acme_ops2.pem app.zip ec2-user@host:", "acme_ops2"),
        ("$ chmod 400 \"acme-ops.pem\"", "acme-ops"),
    ] {
        assert!(found(text).contains(&("name:key-pair".into(), name)), "{text}");
    }
    for text in ["ssh -i key.pem host", "ssh -i acme-ops host", "ssh -i my-key.pem host", "ssh -i ./.pem host"] {
        assert!(found(text).is_empty(), "{text}");
    }
}

#[test]
fn long_texts_that_have_nothing_else() {
    // Agents send long instructions with each short question.
    let long = "Nothing to see here. ".repeat(100);
    for (text, name) in [
        ("the bucket acme-logs is public", "acme-logs"),
        ("the EKS cluster acme-prod-1 is down", "acme-prod-1"),
        ("acme-logs 버킷에 접근이 안 돼요", "acme-logs"),
        ("mysql -h db -u root -pTr0ub4dor3 shop", "Tr0ub4dor3"),
        ("<Bucket>acme-logs</Bucket>", "acme-logs"),
    ] {
        for text in [format!("{long}\n{text}\n{long}"), format!("{{\"x\": \"{long}\\n{text}\\n\"}}")] {
            let found: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(found, [name], "{text}");
        }
    }
}

#[test]
fn things_that_few_texts_speak_of() {
    for (text, kind, name) in [
        ("Training job acme-churn-2025 failed", "name:sagemaker", "acme-churn-2025"),
        ("the backup vault acme-nightly is locked", "name:backup-vault", "acme-nightly"),
        ("백업 볼트 acme-nightly 잠겼어요", "name:backup-vault", "acme-nightly"),
        ("le service ECS acme-mailer du", "name:ecs-service", "acme-mailer"),
        ("서비스 롤은 AcmeExecutor_main 이에요", "name:iam-role", "AcmeExecutor_main"),
        ("activation 4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5 ran", "id:resource", "4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5"),
        ("활성화 ID는 4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5, 또", "id:resource", "4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5"),
        ("launch template karpenter.k8s.aws/0540-42 is", "name:launch-template", "karpenter.k8s.aws/0540-42"),
        ("the table (`orders_2023`) is old", "name:dynamodb-table", "orders_2023"),
        ("The `PriceFanout` lambda was throttled", "name:lambda-function", "PriceFanout"),
        ("La función Lambda generarFactura falla", "name:lambda-function", "generarFactura"),
        ("백업 볼트 GeumgoVault 에", "name:backup-vault", "GeumgoVault"),
        ("EKSクラスター「Sazanami」の", "name:eks-cluster", "Sazanami"),
        ("存储桶 acme-rizhi 很慢", "name:s3-bucket", "acme-rizhi"),
        ("bucket <tt>acme-photos</tt> is", "name:s3-bucket", "acme-photos"),
        ("DAG bucket {{acme-dags}} is", "name:s3-bucket", "acme-dags"),
        ("(service turnstile) was unable to place", "name:ecs-service", "turnstile"),
        ("Error: creating EKS Node Group (gaon:gaon-arm): operation", "name:resource", "gaon:gaon-arm"),
        ("in zone `/hostedzone/Z0QX7KM29WLPTB4ZVH`", "route53:hosted-zone", "Z0QX7KM29WLPTB4ZVH"),
        ("앱 클라이언트(d5gy41ghe91066pppgnfedz2i4)를", "cognito:app-client-id", "d5gy41ghe91066pppgnfedz2i4"),
    ] {
        let text = format!("In vpc-0ab12cd34ef56ab78: {text}");
        assert_eq!(found(&text)[1..], [(kind.to_owned(), name)], "{text}");
    }
    for text in [
        "the function parseHeader is",
        "(service account) is",
        "request 4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5",
        "Connection: keep-alive",
        "cdk deploy fails with",
    ] {
        assert_eq!(found(&format!("In vpc-0ab12cd34ef56ab78: {text}")).len(), 1, "{text}");
    }
}

#[test]
fn what_prose_has_found_speaks_for_more() {
    assert_eq!(found("DMS 복제 인스턴스 이름은 acme-dms, 엔드포인트 acme-target 입니다. AWS").len(), 2);
    assert_eq!(found("엔드포인트 acme-target 입니다. AWS"), []);
}

#[test]
fn ids_behind_short_nouns() {
    const UUID: &str = "1eb3b5e7-9eb0-435a-a80b-108b488b0d45";
    for (text, id) in [
        (format!("AWS: cert {UUID} expires"), UUID),
        (format!("ACM 인증서 {UUID} 만료"), UUID),
        (format!("restore recovery point {UUID}"), UUID),
        (format!("the Kendra index {UUID} is empty"), UUID),
        ("AppSync API k3x7mfqz2jd5vcn4rtyb6sw1ae".to_owned(), "k3x7mfqz2jd5vcn4rtyb6sw1ae"),
        ("Bedrock guardrail 7h2k9m4n1p0q".to_owned(), "7h2k9m4n1p0q"),
        ("the origin access control E1ABCDEF2GHIJK".to_owned(), "E1ABCDEF2GHIJK"),
    ] {
        assert_eq!(crate::detect::testing::parts(&text), [id], "{text}");
    }
    for text in [format!("git cert {UUID}"), "guardrail 7h2k9m4n1p0q".to_owned()] {
        assert_eq!(crate::detect::testing::parts(&text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn profiles_before_repositories() {
    let found = crate::detect::testing::found("git clone codecommit::eu-west-1://billing@acme-web");
    assert_eq!(found, [("name:cli-profile".to_owned(), "billing"), ("name:ecr-repository".to_owned(), "acme-web")]);
    assert_eq!(crate::detect::testing::parts("s3.bucket('acme-logs').object('a.csv')"), ["acme-logs"]);
    let text = "the Cognito app client 6v3k9pq2m1xz7t4b8c5d0wh1ra was rotated";
    assert_eq!(crate::detect::testing::parts(text), ["6v3k9pq2m1xz7t4b8c5d0wh1ra"]);
}

#[test]
fn names_in_urls_paths_and_files() {
    for (text, kind, name) in [
        ("git clone codecommit://AcmeWeb", "name:ecr-repository", "AcmeWeb"),
        (
            "curl http://169.254.169.254/latest/meta-data/iam/security-credentials/\nacme-nodes\n",
            "name:iam-role",
            "acme-nodes",
        ),
        ("eb status acme-blue", "name:eb-environment", "acme-blue"),
        ("volume show -vserver acme_svm", "name:resource", "acme_svm"),
        ("# key glsa_fF7Dxu1B43Z1Mzs_83cae185", "cred:api-key", "fF7Dxu1B43Z1Mzs_83cae185"),
        ("Domain dzd_q5fbf8qke4uap is", "id:resource", "q5fbf8qke4uap"),
        ("CMK(4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5)", "kms:key-id", "4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5"),
        (
            "API key: G5hcqYDtr4mZKVDdQvKuNgADREhiB5O7PfjI846W",
            "cred:api-key",
            "G5hcqYDtr4mZKVDdQvKuNgADREhiB5O7PfjI846W",
        ),
        ("<name>hive.ConnectionPassword</name><value>h!ve-Otter_2207</value>", "cred:password", "h!ve-Otter_2207"),
    ] {
        assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
    }
}

#[test]
fn nouns_of_any_trade_in_long_texts() {
    // A manual has more functions and users than anybody has names.
    let manual = "Nothing to see here. ".repeat(400);
    let (before, behind) = manual.split_at(manual.len() / 2);
    for (text, name) in [
        ("New bindable function: menu-complete-backward.", "menu-complete-backward"),
        ("The user p11-kit, which is new.", "p11-kit"),
        ("based on stream bit-depth.", "bit-depth"),
        ("Merge changes from topic 'demux-fragment-cleanup'", "demux-fragment-cleanup"),
        ("the \"systemd-oomd\" service.", "systemd-oomd"),
        ("함수 acme-sync 가 느립니다", "acme-sync"),
        ("関数「acme-gen」が失敗します", "acme-gen"),
    ] {
        let parts = |around: &str, near: &str| -> Vec<String> {
            let text = format!("{around}{before}\n{near}{text}\n{behind}");
            found(&text).into_iter().map(|(_, part)| part.to_owned()).collect()
        };
        assert_eq!(found(text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), [name], "{text}");
        assert_eq!(parts("", ""), [""; 0], "{text}");
        assert_eq!(parts("On EC2: ", ""), [""; 0], "{text}");
        for near in ["On EC2: ", "In AWS, ", "With SQS: "] {
            assert_eq!(parts("", near), [name], "{near}{text}");
        }
        assert_eq!(parts("vpc-0ab12cd34ef56ab78 ", ""), ["vpc-0ab12cd34ef56ab78", name], "{text}");
    }
    // What is no name is none where it is mentioned.
    let text = format!("{before}\nThe user acme-deploy-7.\n{behind}\n`acme-deploy-7`, acme-deploy-7");
    assert_eq!(found(&text), []);
    for (text, name) in [
        ("the bucket acme-logs is public", "acme-logs"),
        ("our Lambda acme-sync, which fails", "acme-sync"),
        ("the security group acme-web, which is new", "acme-web"),
    ] {
        let text = format!("{before}\n{text}\n{behind}");
        assert_eq!(found(&text).into_iter().map(|(_, part)| part).collect::<Vec<_>>(), [name], "{text}");
    }
}

#[test]
fn what_is_identified_by_something_has_no_password() {
    for text in [
        "problem identified by \"jamesh\"",
        "All the commands identified by \"code\" are jumps",
        "all columns identified by 'aOrderBy2'",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    for text in [
        "alter user 'acme'@'%' identified by 'Tr0ub4dor'",
        "GRANT ALL ON shop.* TO 'acme'@'10.%' IDENTIFIED BY 'Tr0ub4dor';",
        "USE x;\nGRANT ALL ON shop.* TO acme IDENTIFIED BY 'Tr0ub4dor';",
        "CREATE DATABASE LINK x CONNECT TO y\n  IDENTIFIED BY \"Tr0ub4dor\"",
    ] {
        assert!(found(text).contains(&("cred:password".into(), "Tr0ub4dor")), "{text}");
    }
}

#[test]
fn objects_that_are_in_no_bucket() {
    for text in
        ["patch.object('Something', 'do_something')", "yup.object('acme', {})", "S3: mock.patch.object('a.b7', 'c')"]
    {
        assert_eq!(found(text), [], "{text}");
    }
    for text in
        ["s3.Object('acme', 'a.csv')", "resource.Object('acme', 'a.csv')", "# S3\nclient.Object('acme', 'a.csv')"]
    {
        assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme")], "{text}");
    }
}

#[test]
fn roles_of_restructured_text() {
    assert_eq!(found("On AWS, see -- by :user:`acme-dev`, and :func:`acme-run`."), []);
}

#[test]
fn load_balancers_in_their_logs() {
    let found: Vec<_> =
        found("https x app/acme-edge/50dc6c495c0c9188 10.1.2.3:80").into_iter().map(|(_, part)| part).collect();
    assert_eq!(found, ["acme-edge", "50dc6c495c0c9188", "10.1.2.3"]);
}

#[test]
fn texts_end_behind_the_words_of_any_phrase() {
    for phrase in Catalog::get().phrases.words(|_| true) {
        for around in ["", " ", "In vpc-0ab12cd34ef56ab78: ", "aws ", "\"", "(\""] {
            scanned(&format!("{around}{}", String::from_utf8_lossy(phrase)));
        }
    }
}
