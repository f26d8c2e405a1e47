//! Names whose words are told apart by their capitals, in running text: `the role DeployRunnerProd`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::evidence::own::{has_hump, is_own_word};
use crate::detect::evidence::told::{goes_on, is_of_service};
use crate::detect::prose::link::past_links;
use crate::detect::prose::named::Named;
use crate::detect::setting::value::{OBJECTS, Setting, Value, is_believable};
use crate::detect::text::boundary::{is_alnum, run_end};
use crate::detect::text::word_list::WordList;

/// Longest name.
const MAX_NAME: usize = 128;
/// Words before such a name; other nouns have types and functions behind them.
const NOUNS: &[&str] = &[
    "lambda",
    "lambda function",
    "lambda-funktion",
    "policy",
    "role",
    "rolle",
    "stack",
    "state machine",
    "step function",
    "table",
    "rol",
    "le rôle",
    "tabla",
    "tabelle",
    "람다",
    "람다 함수",
    "역할",
    "스택",
    "스텝 함수",
    "상태 머신",
    "상태 시스템",
    "테이블",
    "ロール",
    "スタック",
    "ステートマシン",
    "テーブル",
    "関数",
];
/// Things of AWS alone.
const OF_AWS: &[&str] = &["state machine", "스텝 함수", "상태 머신", "상태 시스템", "ステートマシン"];
/// What programs have, whose names are written so, too.
const OF_CODE: &[&str] = &[
    "function",
    "table",
    "database",
    "user",
    "service",
    "application",
    "environment",
    "instance",
    "called",
    "named",
    "함수",
    "테이블",
    "사용자",
    "서비스",
    "인스턴스",
    "애플리케이션",
    "환경",
    "関数",
    "テーブル",
    "函数",
];
/// Fewest letters of a name of one word.
const MIN_PROPER: usize = 4;
/// What stands in capitals behind `S3 bucket` and the like, and is a word of AWS, or of any heading.
static OF_SERVICES: WordList = WordList::new(&[
    "access",
    "alias",
    "analytics",
    "auto",
    "autoscaler",
    "backup",
    "balancer",
    "capacity",
    "class",
    "cluster",
    "configuration",
    "connect",
    "container",
    "deployment",
    "encryption",
    "endpoint",
    "endpoints",
    "error",
    "event",
    "events",
    "example",
    "export",
    "function",
    "global",
    "group",
    "groups",
    "import",
    "index",
    "insights",
    "instance",
    "inventory",
    "issue",
    "keys",
    "layer",
    "layers",
    "lifecycle",
    "list",
    "local",
    "logging",
    "logs",
    "management",
    "manager",
    "metrics",
    "mode",
    "monitoring",
    "name",
    "names",
    "notification",
    "notifications",
    "object",
    "owner",
    "ownership",
    "parameter",
    "performance",
    "permission",
    "permissions",
    "policies",
    "policy",
    "pricing",
    "proxy",
    "public",
    "replication",
    "resource",
    "role",
    "scaling",
    "security",
    "service",
    "settings",
    "setup",
    "size",
    "snapshot",
    "snapshots",
    "state",
    "status",
    "storage",
    "stream",
    "streams",
    "table",
    "tags",
    "task",
    "tasks",
    "template",
    "type",
    "types",
    "upgrade",
    "usage",
    "version",
    "versioning",
    "versions",
    "what",
    "where",
    "which",
    "with",
]);
/// Software that is written in two such words.
static PRODUCTS: WordList = WordList::new(&[
    "appsync",
    "bitbucket",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "documentdb",
    "dynamodb",
    "elasticache",
    "elasticsearch",
    "eventbridge",
    "github",
    "gitlab",
    "guardduty",
    "javascript",
    "mongodb",
    "nodejs",
    "opensearch",
    "openshift",
    "opentelemetry",
    "postgresql",
    "powershell",
    "quicksight",
    "sagemaker",
    "servicenow",
    "stepfunctions",
    "typescript",
]);

impl Scan<'_, '_> {
    /// The name behind the words from `words` to `at`, where the text speaks of AWS.
    #[inline(never)]
    pub(in crate::detect) fn capitals_after(&mut self, words: usize, at: usize, noun: &str) -> Option<Value> {
        let text = self.text;
        let start = past_links(text, at).filter(|&start| text[start].is_ascii_uppercase())?;
        if !NOUNS.iter().any(|known| noun.ends_with(known)) {
            return None;
        }
        let end = run_end(text, start, MAX_NAME, is_alnum);
        let name = &text[start..end];
        let humps = name.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
        let of_aws = || OF_AWS.contains(&noun) || is_of_service(text, words, at, name);
        let is_near = humps > 0 && self.has_identifier(at);
        let is_enough = match humps {
            0 => false,
            1 => (of_aws() || is_near) && !PRODUCTS.contains(&name.to_ascii_lowercase()),
            _ => true,
        };
        // `dynamodb:table:ReadCapacityUnits`
        let is_name = is_enough
            && text[at..start].iter().any(|c| *c == b' ' || !c.is_ascii())
            && (goes_on(text, end) || of_aws() || is_near)
            && is_own_word(name)
            && is_believable(ValueShape::Name, name, Setting::Told)
            && (of_aws()
                || is_near
                || is_assumed(text, words)
                || ["aws", "iam", "aws-lambda", "dynamodb"].into_iter().any(|hint| self.speaks_of(hint, at)));
        is_name.then_some(Value { start, end, next: end, quoted: false })
    }

    /// Whether a name of several words without a sign, `generarFactura`, stands behind a noun that the name of a service
    /// is part of, or behind one that programs do not have, beside an identifier.
    #[inline(never)]
    pub(in crate::detect) fn is_humped(&mut self, found: &Named<'_>) -> bool {
        let (noun, name) = (found.noun(), found.name());
        let has_humps = has_hump(name) && name.iter().all(|&c| is_alnum(c));
        // `lambda:GetLayerVersion` is an action.
        let is_apart = found.links().iter().any(|c| *c == b' ' || !c.is_ascii());
        if !has_humps || !is_apart || PRODUCTS.contains(&name.to_ascii_lowercase()) {
            return false;
        }
        let is_of_code = || OF_CODE.iter().any(|word| noun.ends_with(word.as_bytes()));
        found.is_of_service() || !is_of_code() && self.has_identifier(found.noun_end)
    }

    /// Whether a word in capitals, `Wishlist`, stands behind a noun that the name of a service is part of: `the DynamoDB table
    /// Wishlist`, `EKS 클러스터 Baekdu를`.
    #[inline(never)]
    pub(in crate::detect) fn is_proper(&mut self, found: &Named<'_>) -> bool {
        let (noun, name) = (found.noun(), found.name());
        let is_capital =
            name.len() >= MIN_PROPER && name[0].is_ascii_uppercase() && name[1..].iter().all(u8::is_ascii_lowercase);
        let is_near = found.links().iter().all(|&c| matches!(c, b' ' | b's'));
        is_capital
            && is_near
            && found.goes_on()
            && !OF_SERVICES.contains_in_any_case(name)
            && (found.is_of_service() || noun.eq_ignore_ascii_case(b"lambda") || noun == "람다".as_bytes())
    }

    /// Whether `hoewon.photo` stands behind the noun for a bucket, beside an identifier or the name of the service.
    #[inline(never)]
    pub(in crate::detect) fn is_bucket_with_dots(&mut self, found: &Named<'_>) -> bool {
        let (noun, name) = (found.noun(), found.name());
        let is_bucket = noun.to_ascii_lowercase().ends_with(b"bucket")
            || ["버킷", "バケット", "存储桶"].iter().any(|word| noun.ends_with(word.as_bytes()));
        let mut labels = name.split(|&c| c == b'.');
        let is_label = |label: &[u8]| {
            label.len() > 1 && label.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
        };
        is_bucket
            && name.contains(&b'.')
            && labels.clone().next().is_some_and(|first| !OBJECTS.contains(&first) && first != b"bucket")
            && labels.all(is_label)
            && is_own_word(name)
            && (found.is_of_service() || self.has_identifier(found.noun_end))
    }
}

/// `assume the role`: nothing but IAM has roles that are.
fn is_assumed(text: &[u8], at: usize) -> bool {
    let before = text[..at].trim_ascii_end();
    let before =
        [&b" the"[..], b" our", b" my"].into_iter().find_map(|word| before.strip_suffix(word)).unwrap_or(before);
    [&b"assume"[..], b"assumes", b"assumed", b"assuming"].into_iter().any(|verb| before.ends_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{found, parts};

    #[test]
    fn names_in_capitals() {
        assert!(PRODUCTS.is_sorted() && OF_SERVICES.is_sorted());
        for (text, kind, name) in [
            ("the state machine AcmeRestore is in `TIMED_OUT`", "name:state-machine", "AcmeRestore"),
            ("They assume the role AcmeVendorRead from there", "name:iam-role", "AcmeVendorRead"),
            ("스텝 함수 AcmeRefundFlow 실행이 실패했습니다", "name:state-machine", "AcmeRefundFlow"),
            ("für die IAM-Rolle AcmeLeser freigeben", "name:iam-role", "AcmeLeser"),
            ("our DynamoDB table Wishlist is slow", "name:dynamodb-table", "Wishlist"),
            ("Our lambda Cartographer started timing out", "name:lambda-function", "Cartographer"),
            ("EKS 클러스터 Baekdu를 올린 뒤", "name:eks-cluster", "Baekdu"),
            ("the S3 bucket maps.raw is slow", "name:s3-bucket", "maps.raw"),
            ("S3 버킷 hoewon.photo에 업로드", "name:s3-bucket", "hoewon.photo"),
            ("the IAM role AcmeReader has no policy", "name:iam-role", "AcmeReader"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
        for text in [
            "the IAM role CloudFormation uses",
            "the state machine StepFunctions has",
            "the S3 bucket Policy is wrong",
            "an ECS cluster Capacity has",
            "the bucket bucket.name is",
            "the S3 bucket policy.json is",
            "a table Wishlist is",
            "the role MyHttpHandler is to parse",
            "a table ReadCapacityUnits for what",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
