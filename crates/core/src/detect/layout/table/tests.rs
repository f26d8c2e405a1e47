use super::SHORT_TEXT;
use crate::detect::testing::{found, in_json, parts};

const TABLES: &[(&str, &[&str])] = &[
    ("Account ID,Name,Email\n618734209955,sandbox,a@x.io\n210987654321,b,c\n", &["618734209955", "210987654321"]),
    ("\"Account ID\",\"Name\"\r\n\"618734209955\",\"a, b\"\r\n", &["618734209955"]),
    ("\"Name\",\"Account ID\"\n\"a, b\",\"618734209955\"", &["618734209955"]),
    ("identity/LineItemId,lineItem/UsageAccountId\nabc,618734209955\n", &["618734209955"]),
    ("line_item_usage_account_id;cost\n618734209955;1.2\n", &["618734209955"]),
    ("User name,Password\nalice,Xy7!kq_Zpw2\nbob,\"pa,ss!w0rd\"\n", &["alice", "Xy7!kq_Zpw2", "bob", "pa,ss!w0rd"]),
    ("BucketName\tRoleName\nacmelogs\tdeployer\n", &["acmelogs", "deployer"]),
    (",bucket,region\n0,acmelogs,us-east-1\n", &["acmelogs"]),
    ("bucket, region\nacmelogs, us-east-1\n", &["acmelogs"]),
    ("region; bucket; size\nus-east-1; acmelogs; 3\n", &["acmelogs"]),
    ("| Region | Bucket |\n|:--|--:|\n| us-east-1 | `acmelogs` |\n| x | **acmedata** |\n", &["acmelogs", "acmedata"]),
    ("Bucket | Region\n--- | ---\nacmelogs | us-east-1\n", &["acmelogs"]),
    (
        " bucket_name | account_id \n-------------+-----\n acmelogs    | 618734209955\n(1 row)\n",
        &["acmelogs", "618734209955"],
    ),
    (" size | account_id \n------+------------\n 1    | 618734209955\n", &["618734209955"]),
    ("+--------+\n| bucket |\n+--------+\n| acme   |\n+--------+\n", &["acme"]),
    ("┌─────┬───┐\n│ bucket_name │ x │\n├─────┼───┤\n│ acmelogs │ 1 │\n└─────┴───┘\n", &["acmelogs"]),
    (
        "BUCKET NAME   ACCOUNT ID     REGION\nacmelogs      618734209955   x\nacmedata                     y\n",
        &["acmelogs", "618734209955", "acmedata"],
    ),
    (",x,account_id\n0,y,618734209955.0\n", &["618734209955"]),
    ("account_id,cost\n6.18734209955E+11,3\n6.18734E+11,3\n6.18E+11,3\n", &["6.18734209955E+11", "6.18734E+11"]),
    ("Account ID,Name\n618734209955,acme-sandbox\n", &["618734209955", "acme-sandbox"]),
    ("DB identifier,Engine\norders,mysql\n", &["orders"]),
    ("     bucket     region\n0  acmelogs  us-east-1\n1  acmedata  us-east-1\n", &["acmelogs", "acmedata"]),
    ("BucketName   AccountId\n----------   ---------\nacmelogs     618734209955\n", &["acmelogs", "618734209955"]),
];

#[test]
fn lists_that_look_like_tables() {
    for text in [
        "REPOSITORY   IMAGE ID       CREATED        SIZE\nredis        1f0c9ab7e3d2   2 weeks ago    41.2MB\n",
        "GPG_ERR_SQL_AUTH      NEW.\nGPG_ERR_SQL_FORMAT    NEW.\nGPG_ERR_SQL_DONE      NEW.\n",
        "assert.same(a.redis_password, b.password)\nassert.same(a.redis_database, b.database)\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn cells_below_a_heading_that_says_what_they_are() {
    for (table, cells) in TABLES {
        for text in [
            (*table).to_owned(),
            format!("Look at this:\n\n{table}\nIs it right?"),
            in_json(table),
            format!("{{\"content\":{}, \"x\": 1}}", in_json(&format!("See\n{table}\nthere"))),
            in_json(&in_json(table)),
            format!("[{}]", in_json(&format!("{{\"a\": {}}}", in_json(table)))),
        ] {
            // A quote in a cell is doubled or escaped.
            assert_eq!(parts(&text), *cells, "{text}");
        }
    }
}

/// Longer than texts that are looked through in any case, without anything to find and without escapes.
fn clean_text(line: &str) -> String {
    line.repeat(2 * SHORT_TEXT / line.len())
}

#[test]
fn tables_in_long_texts_that_have_nothing_else() {
    for (table, cells) in TABLES {
        for text in [
            format!("{table}\n{}", clean_text("It goes on for long, and on.\n")),
            format!("{}\n{table}\n{0}", clean_text("It goes on,and on;\tand\n  on.  And on\n")),
        ] {
            assert_eq!(parts(&text), *cells, "{text}");
            assert_eq!(parts(&in_json(&text)), *cells, "{text} in JSON");
            assert_eq!(parts(&in_json(&in_json(&text))), *cells, "{text} in JSON in JSON");
        }
    }
}

#[test]
fn headings_that_begin_with_a_number() {
    let table = "| 계정 | 11월 비용 | 30 days |\n|---|---|---|\n| 618734209955 | 12 | 3 |\n";
    assert_eq!(parts(table), ["618734209955"]);
    assert_eq!(parts("| Bucket | 12 |\n|---|---|\n| acmelogs | 3 |\n"), [""; 0]);
}

#[test]
fn headings_behind_prose_on_their_line() {
    for (prose, table) in [
        ("It is long, I fear. Look: ", "BucketName,Region\nacmelogs,us-east-1\nacmedata,us-east-1\n"),
        ("여기 있습니다. ", "BucketName\tRegion\nacmelogs\tus-east-1\nacmedata\tus-east-1"),
        ("What is wrong here? ", "Region;Bucket Name\nus-east-1;acmelogs\nus-east-1;acmedata"),
        ("The rows: ", "\"BucketName\",\"Region\"\n\"acmelogs\",\"us-east-1\"\n\"acmedata\",\"us-east-1\""),
    ] {
        for text in [format!("{prose}{table}"), format!("{}{prose}{table}", clean_text("It goes on and on.\n"))] {
            assert_eq!(parts(&text), ["acmelogs", "acmedata"], "{text}");
            assert_eq!(parts(&in_json(&text)), ["acmelogs", "acmedata"], "{text} in JSON");
        }
    }
}

#[test]
fn other_lines() {
    for text in [
        "Name,Color\nacme,618734209955\n",
        "Yes, we have a bucket\nSurely, acmelogs\n",
        "bucket, key = parse(x)\nacmelogs, other = y\n",
        "x = f(bucket,key)\ny = f(acmelogs,other)\n",
        "Bucket | Region\nacmelogs | us-east-1\n",
        "Bucket,Region\n\nacmelogs,us-east-1\n",
        "Bucket,Region\nacmelogs\n",
        "It has these: bucket, region\nacmelogs\n",
        "Look here. First the bucket, then the region\nacmelogs, us-east-1\n",
        "Account ID,Name\n61873420995,sandbox\n",
        "aws\nBUDGET NAME   LIMIT\nWhat follows is a sentence\n",
    ] {
        assert_eq!(found(text), [], "{text}");
        assert_eq!(found(&in_json(text)), [], "{text}");
    }
}

#[test]
fn definitions_in_c_are_no_headings() {
    let define = "#define LN_challengePassword   \"challengePassword\"\n#define NID_challengePassword  54\n";
    assert_eq!(parts(&format!("{define}#define OBJ_challengePassword  OBJ_pkcs9,7L\n")), [""; 0]);
}

#[test]
fn columns_that_tabs_are_filled_up_to() {
    let text = "eksctl\nCLUSTER\t\tNODEGROUP\tASG NAME\t\tTYPE\nacme-eks\tng-apps\t\teks-ng-apps-1ac2b3c4\tmanaged\n";
    let found: Vec<_> = found(text).into_iter().map(|(_, part)| part).collect();
    assert_eq!(found, ["acme-eks", "ng-apps", "eks-ng-apps-1ac2b3c4"]);
}

#[test]
fn tables_of_names_and_values() {
    for text in [
        "Key,Value\nDB_PASSWORD,Tr0ub4dor-3xKq\nPORT,3306\n",
        "Key                 Value\n---                 -----\npassword            Tr0ub4dor-3xKq\nuser                x\n",
        "Name                           Value\n----                           -----\nDB_PASSWORD                    Tr0ub4dor-3xKq\n",
        "1 | DB_PASSWORD | Tr0ub4dor-3xKq |\n2 | PORT | 3306 |\n",
    ] {
        assert_eq!(found(text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")], "{text}");
    }
    for text in ["Name,Value\nDB_PASSWORD,the password\n", "Name,Size\nDB_PASSWORD,Tr0ub4dor-3xKq\n"] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn tokens_are_no_headings() {
    assert_eq!(found("log_group_name   LOGS_6YEU3437\nregion           acme-web-7\n"), []);
}

#[test]
fn tables_of_wikis() {
    let text = "||Bucket||DB password||\n|acme-logs|Tr0ub4dor-3xKq|\n|acme-raw|x9K!mq42Lw|\n";
    assert_eq!(parts(text), ["acme-logs", "Tr0ub4dor-3xKq", "acme-raw", "x9K!mq42Lw"]);
    let text = "|| Host || Password ||\\n| db1 | Tr0ub4dor-3xKq |\\n\\nacme";
    assert_eq!(parts(&format!("{{\"text\":\"{text}\"}}")), ["Tr0ub4dor-3xKq"]);
    assert_eq!(parts("||Password||\n|Tr0ub4dor-3xKq|\n"), ["Tr0ub4dor-3xKq"]);
    // As the command line draws things in things.
    assert_eq!(parts("||  Password  |  Tr0ub4dor-3xKq  ||\n||  State  |  x9K!mq42Lw  ||\n"), ["Tr0ub4dor-3xKq"]);
    assert_eq!(parts("a = x || password || y\n|z|w|Tr0ub4dor-3xKq\n"), [""; 0]);
}
