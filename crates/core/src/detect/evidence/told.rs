//! What tells a name from the compound of a sentence behind the noun for what it is: `the S3 bucket acme-logs throttles`,
//! and `the bucket server-side encryption needs`.

use crate::detect::text::boundary::{ends_line, ends_string, is_alnum, run_end, run_start, word_start};
use crate::detect::text::word_list::WordList;

/// What goes on after a name that has no digit; after other words it may be the first half of a compound.
pub(in crate::detect) static FOLLOWERS: WordList = WordList::new(&[
    "after",
    "again",
    "already",
    "also",
    "and",
    "appears",
    "are",
    "as",
    "at",
    "backs",
    "be",
    "because",
    "becomes",
    "before",
    "began",
    "begins",
    "belongs",
    "breaks",
    "but",
    "by",
    "can",
    "can't",
    "cannot",
    "could",
    "crashes",
    "did",
    "didn't",
    "does",
    "doesn't",
    "drops",
    "during",
    "exists",
    "failed",
    "fails",
    "fills",
    "fires",
    "for",
    "from",
    "gets",
    "goes",
    "grew",
    "grows",
    "had",
    "hangs",
    "has",
    "hat",
    "have",
    "hits",
    "holds",
    "in",
    "into",
    "is",
    "isn't",
    "ist",
    "keeps",
    "lives",
    "loses",
    "misses",
    "must",
    "needs",
    "never",
    "no",
    "not",
    "now",
    "on",
    "or",
    "points",
    "reads",
    "refuses",
    "rejected",
    "rejects",
    "reports",
    "returned",
    "returns",
    "runs",
    "says",
    "seems",
    "sends",
    "should",
    "shows",
    "since",
    "sits",
    "so",
    "started",
    "starts",
    "stays",
    "still",
    "stopped",
    "stops",
    "takes",
    "that",
    "then",
    "throttles",
    "throws",
    "timed",
    "to",
    "turned",
    "und",
    "under",
    "until",
    "uses",
    "using",
    "via",
    "was",
    "went",
    "were",
    "when",
    "where",
    "which",
    "while",
    "will",
    "wird",
    "with",
    "without",
    "won't",
    "would",
    "writes",
]);
/// Services, as they stand before the word for what they keep.
static SERVICES: WordList = WordList::new(&[
    "amazon",
    "athena",
    "aurora",
    "aws",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "dms",
    "dynamodb",
    "ecr",
    "ecs",
    "eks",
    "elasticache",
    "eventbridge",
    "fargate",
    "firehose",
    "glue",
    "iam",
    "kinesis",
    "lambda",
    "manager",
    "msk",
    "opensearch",
    "rds",
    "redshift",
    "s3",
    "ses",
    "sns",
    "sqs",
    "ssm",
]);
/// Some of them in Korean.
const KOREAN: &[&str] = &[
    "키네시스",
    "레드시프트",
    "다이나모",
    "파이어호스",
    "아테나",
    "코그니토",
    "클라우드프론트",
    "이벤트브리지",
    "오픈서치",
];
/// Longest word that is looked at for one.
const MAX_SERVICE: usize = 14;
/// Those of them that are words of other trades, too, as they are written there.
const AMBIGUOUS: [&[u8]; 5] = [b"aurora", b"glue", b"lambda", b"manager", b"Manager"];
/// The hint that any service of AWS is spoken of.
pub(in crate::detect) const ANY_SERVICE: &str = "any-service";
/// Longest option.
const MAX_OPTION: usize = 32;
/// How far before a noun of `kubectl get secret acme` the command may stand, bytes.
const MAX_COMMAND: usize = 64;
/// Software that has repositories, queues and topics, too, and is not of AWS.
const OTHERS: &[&[u8]] = &[
    b"git",
    b"Git",
    b"GitHub",
    b"Kafka",
    b"kafka",
    b"MQTT",
    b"mqtt",
    b"Pulsar",
    b"RabbitMQ",
    b"Celery",
    b"NATS",
    // Fields and variables of programs: `pub stack: c_ulonglong`.
    b"pub",
    b"mut",
    b"struct",
    b"typedef",
];
/// Words inside compounds: `state-of-the-art`, `first-in-first-out`. One letter is none: `acme-a-spot` has a zone in it.
static SMALL: WordList = WordList::new(&[
    "an", "and", "as", "at", "by", "first", "for", "from", "in", "last", "least", "most", "no", "not", "of", "on",
    "one", "or", "party", "so", "the", "third", "to", "two", "use", "way", "with",
]);
/// Nouns that nothing but AWS has, and nouns of a language that writes no compounds of small words with dashes.
const NOUNS: &[&str] = &[
    "scaling group",
    "replication group",
    "configuration set",
    "launch template",
    "funktion",
    "warteschlange",
    "tabelle",
    "rolle",
    "instanz",
    "gruppe",
    "benutzer",
];
/// Nouns for what programs and other trades have, too: a shell has functions, a system users, a film streams.
static OF_ANY_TRADE: WordList = WordList::new(&[
    "alarm",
    "cluster",
    "crawler",
    "database",
    "function",
    "pipeline",
    "queue",
    "repository",
    "role",
    "secret",
    "service",
    "snapshot",
    "stack",
    "stream",
    "table",
    "topic",
    "user",
    "warteschlange",
    "インスタンス",
    "キュー",
    "クラスター",
    "サービス",
    "シークレット",
    "スタック",
    "ストリーム",
    "テーブル",
    "トピック",
    "パイプライン",
    "ユーザー",
    "リポジトリ",
    "ロール",
    "関数",
    "경보",
    "대기열",
    "데이터베이스",
    "레포지토리",
    "리포지토리",
    "사용자",
    "서비스",
    "스냅샷",
    "스택",
    "스트림",
    "시크릿",
    "알람",
    "역할",
    "인스턴스",
    "큐가",
    "큐는",
    "큐로",
    "큐를",
    "큐에",
    "큐의",
    "크롤러",
    "클러스터",
    "테이블",
    "토픽",
    "파이프라인",
    "함수",
]);
/// Nouns for what has the segments of a path in its name.
const OF_PATHS: &[&str] = &[
    "log group",
    "log stream",
    "parameter",
    "parameter store의",
    "secret",
    "로그 스트림",
    "파라미터 스토어의",
    "로그 그룹",
    "로그그룹",
    "파라미터",
    "시크릿",
];

/// True for a name that is one whatever follows it: `named acme-logs`, with a digit in it, of three words.
pub(in crate::detect) fn is_told(links: &[u8], name: &[u8]) -> bool {
    let says = |word: &str| memchr::memmem::find(links, word.as_bytes()).is_some();
    let words = || name.split(|c| matches!(c, b'-' | b'_'));
    name.iter().any(u8::is_ascii_digit)
        || says("named")
        || says("called")
        || says("heißt")
        || words().count() > 2 && !words().any(|word| SMALL.contains(word))
}

/// True for a compound that sentences are made of.
pub(in crate::detect) fn has_small_word(name: &[u8]) -> bool {
    name.split(|&c| c == b'-').any(|word| SMALL.contains(word))
}

/// True where a service is named with the noun `text[at..end]`, as in `S3 bucket` and `EventBridge rule`: a compound behind
/// it is hardly anything but a name. So it is behind [`NOUNS`].
pub(in crate::detect) fn is_of_service(text: &[u8], at: usize, end: usize, name: &[u8]) -> bool {
    let noun = &text[at..end];
    let words = noun.split(|c| matches!(c, b' ' | b'-'));
    let first = noun.split(|c| matches!(c, b' ' | b'-')).next().filter(|_| words.count() > 1);
    let ends_with = |word: &&str| {
        let from = noun.len().saturating_sub(word.len());
        noun[from..].eq_ignore_ascii_case(word.as_bytes())
    };
    let is_told = is_service(word_before(text, at)) || first.is_some_and(is_service) || NOUNS.iter().any(ends_with);
    is_told && !has_small_word(name)
}

/// True where the noun that begins at `at` is that of other software, or what an option is set to: `Kafka topic`,
/// `--install alb`.
#[inline(never)]
pub(in crate::detect) fn is_of_others(text: &[u8], at: usize) -> bool {
    let option = text[..at].strip_suffix(b" ").unwrap_or_default();
    let start = run_start(option, option.len(), MAX_OPTION, |c| is_alnum(c) || c == b'-');
    let line = &text[run_start(text, at, MAX_COMMAND, |c| c != b'\n' && c != b'\\')..at];
    let is_of_kubernetes = memchr::memmem::find(line, b"kubectl ").is_some();
    // `image: redis:7-alpine`
    let is_image = text[..at].ends_with(b"image: ") || text[..at].ends_with(b"image: \"");
    OTHERS.contains(&word_before(text, at))
        || is_of_kubernetes
        || is_image
        || option[start..].starts_with(b"--") && option.len() > start + 2
}

/// True for a noun that says nothing of AWS.
pub(in crate::detect) fn is_of_any_trade(noun: &str) -> bool {
    OF_ANY_TRADE.contains(noun.as_bytes())
}

/// True where the noun `text[at..end]` is a role of reStructuredText: ``:user:`acme-dev` ``.
pub(in crate::detect) fn is_markup(text: &[u8], at: usize, end: usize) -> bool {
    text[..at].ends_with(b":") && text[end..].starts_with(b":`")
}

fn word_before(text: &[u8], at: usize) -> &[u8] {
    let start = run_start(text, at, MAX_SERVICE + 1, |c| is_alnum(c) || c == b' ');
    // The first word may have an escape before it: `\nECR repository`.
    let start = word_start(text, start).min(at);
    text[start..at].trim_ascii().rsplit(|&c| c == b' ').next().unwrap_or_default()
}

/// True where a service of AWS is named in the text.
pub(in crate::detect) fn speaks_of_any_service(text: &[u8]) -> bool {
    let is_named = |word: &[u8]| is_service(word) && !AMBIGUOUS.contains(&word) || word.starts_with(b"aws_");
    // The letter of an escape may stand before it: `\\nECS`.
    let past_escape = |word: &[u8]| match word {
        [b'n' | b't' | b'r', rest @ ..] => is_named(rest),
        _ => false,
    };
    text.split(|&c| !is_alnum(c) && c != b'_').any(|word| is_named(word) || past_escape(word))
        || !text.is_ascii() && KOREAN.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

fn is_service(word: &[u8]) -> bool {
    SERVICES.contains_in_any_case(word)
}

/// True for a path that is the name of what the noun `text[at..end]` says: `ECR repository acme/web`, `secret name: acme/db`,
/// `log group /acme/web`.
pub(in crate::detect) fn is_path(text: &[u8], at: usize, end: usize, links: &[u8], name: &[u8]) -> bool {
    let noun = &text[at..end];
    let segments = name.split(|&c| c == b'/').filter(|segment| !segment.is_empty()).count();
    let ends_with = |word: &&str| {
        let from = noun.len().saturating_sub(word.len());
        noun[from..].eq_ignore_ascii_case(word.as_bytes())
    };
    let says = |word: &str| memchr::memmem::find(links, word.as_bytes()).is_some();
    segments > 1
        && (is_of_service(text, at, end, name)
            || OF_PATHS.iter().any(ends_with)
                && (segments > 2 || name[0] == b'/' || says(":") || says("name") || says("이름")))
}

/// True when a sentence ends or goes on with a word that no compound has.
pub(in crate::detect) fn goes_on(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        None | Some(b'\n' | b',' | b';' | b'!' | b'?' | b')' | b':' | b'.') => true,
        Some(c) if !c.is_ascii() => true,
        Some(b'\\' | b'"') => ends_line(text, end) || ends_string(text, end),
        Some(b' ') if text.get(end + 1) == Some(&b'|') => true,
        Some(b' ') => {
            let stop = run_end(text, end + 1, 10, |c| c.is_ascii_lowercase() || c == b'\'');
            let word = &text[end + 1..stop];
            text.get(end + 1).is_some_and(|c| !c.is_ascii() || *c == b'(') || FOLLOWERS.contains(word)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{found, parts};

    #[test]
    fn lists_are_sorted() {
        assert!(FOLLOWERS.is_sorted() && SMALL.is_sorted() && OF_ANY_TRADE.is_sorted() && SERVICES.is_sorted());
        assert!(SERVICES.longest() == MAX_SERVICE);
    }

    #[test]
    fn compounds_behind_nouns_that_only_aws_has() {
        for (text, kind, name) in [
            ("The Auto Scaling group acme-web replaced two", "name:autoscaling-group", "acme-web"),
            ("our EKS cluster acme-a throttles pods", "name:cluster", "acme-a"),
            ("EventBridge rule acme-nightly fired at 01:00", "name:event-rule", "acme-nightly"),
            ("The replication group acme-hot failed over", "name:elasticache-cluster", "acme-hot"),
            ("The crawler \"acme-raw\" is ready", "name:resource", "acme-raw"),
            ("push to the ECR repository acme/web again", "name:ecr-repository", "acme/web"),
            ("ECR 리포지토리 acme/web 에는 없어요", "name:ecr-repository", "acme/web"),
            ("시크릿 이름: acme/live/mysql", "name:secret", "acme/live/mysql"),
            ("로그 그룹 /acme/front/access 보존 기간", "name:log-group", "/acme/front/access"),
            ("DLQ는 acme-dead 예요", "name:sqs-queue", "acme-dead"),
            ("ALB는 acme-front, 확인", "name:load-balancer", "acme-front"),
            ("die Warteschlange acme-rechnungen läuft voll", "name:sqs-queue", "acme-rechnungen"),
            ("Der Bucket heißt acme-belege und liegt dort", "name:s3-bucket", "acme-belege"),
            ("Die Lambda-Funktion acme-parser wirft Fehler", "name:lambda-function", "acme-parser"),
            ("本番のLambda関数「acme-gen」が失敗します", "name:lambda-function", "acme-gen"),
            ("S3バケット：acme-tokyo\n", "name:s3-bucket", "acme-tokyo"),
            ("SQSキュー名は acme-order です", "name:sqs-queue", "acme-order"),
            ("ECS 클러스터 「acme-web」 확인", "name:ecs-cluster", "acme-web"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
    }

    #[test]
    fn what_is_none_of_these() {
        for text in [
            "Kafka topic `orders.v1` has partitions",
            "on ECS with `pub stack: c_ulonglong,` and `mut table: hash_map`",
            "the GitHub repository torvalds/linux is large",
            "the secret client/server handshake",
            "인스턴스 m6i.large 기준입니다",
            "인스턴스 t3.micro 는 작습니다",
            "the DB instance db.r6g.2xlarge is large",
            "cache cluster cache.t4g.small, m6g.large.search",
            "an Auto Scaling group with mixed-instances and on-demand capacity",
            "the event bus built-in rules",
            "helm upgrade --install alb aws-load-balancer-controller",
            "  redis:\n    image: redis:7-alpine\n",
            "kubectl get secret grafana-acme -o yaml",
            "keep it in an environment variable, Secrets Manager or SSM Parameter Store and read it",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
