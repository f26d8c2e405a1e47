//! Strategies for identifiers, alone and in texts that hold them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

/// A text, and what must not be in it any more once it is masked.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    pub text: String,
    pub secrets: Vec<String>,
}

impl Piece {
    /// A text that is a secret as a whole.
    fn secret(text: String) -> Self {
        Self { secrets: vec![text.clone()], text }
    }

    fn plain(text: &str) -> Self {
        Self { text: text.into(), secrets: Vec::new() }
    }

    fn push(&mut self, other: Piece) {
        self.text.push_str(&other.text);
        self.secrets.extend(other.secrets);
    }
}

fn matching(regex: &str) -> BoxedStrategy<String> {
    string_regex(regex).unwrap().boxed()
}

/// (prefix, body, lengths) of every id that has a prefix, as the catalog's table spells them.
pub fn prefixes() -> Vec<(&'static str, &'static str, &'static str)> {
    include_str!("../../data/prefixed.tsv")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t');
            let prefix = columns.next().unwrap();
            (prefix, columns.nth(1).unwrap(), columns.next().unwrap())
        })
        .collect()
}

/// An id of any prefix of the catalog.
fn prefixed() -> BoxedStrategy<Piece> {
    (select(prefixes()), any::<prop::sample::Index>(), any::<bool>(), any::<[u8; 36]>())
        .prop_map(|((prefix, body, lengths), which, is_upper, random)| {
            let lengths: Vec<_> = lengths.split(',').collect();
            let (shortest, longest) = {
                let length = lengths[which.index(lengths.len())];
                let (min, max) = length.split_once('-').unwrap_or((length, length));
                (min.parse::<usize>().unwrap(), max.parse::<usize>().unwrap())
            };
            let shortest = if body == "org" { shortest.max(8) } else { shortest };
            let length = shortest + which.index(longest - shortest + 1);
            let spelled = |alphabet: &str| -> String {
                let letters = alphabet.as_bytes();
                random.iter().map(|&r| char::from(letters[usize::from(r) % letters.len()])).take(length).collect()
            };
            let id = match body {
                "hex" if is_upper => spelled("0123456789ABCDEF"),
                "hex" => spelled("0123456789abcdef"),
                // a digit and a letter, or it is a word
                "alnum" => format!("a1{}", &spelled("abcdefghijklmnopqrstuvwxyz0123456789")[2..]),
                // a letter right after a digit
                "random" => format!("1a{}", &spelled("abcdefghijklmnopqrstuvwxyz0123456789")[2..]),
                // shorter ones count only where the text speaks of Organizations
                "org" => format!("1a{}", &spelled("abcdefghijklmnopqrstuvwxyz0123456789")[2..]),
                "upper-dash" => format!("A1{}", &spelled("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")[2..]),
                "uuid" => {
                    let hex = spelled("0123456789abcdef");
                    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
                }
                "upper" => return Piece::secret(prefix.to_string() + &spelled("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")),
                other => panic!("prefixed.tsv: the tests know no body `{other}`; teach them"),
            };
            Piece::secret(format!("{prefix}-{id}"))
        })
        .boxed()
}

const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
/// A name that nobody takes for a word.
const NAME: &str = "[a-z]{3,6}-[a-z]{2,8}-[0-9]{3,5}";
const ACCOUNT: &str = "[1-9][0-9]{11}";
const REGION: &[&str] = &["us-east-1", "ap-northeast-2", "eu-central-1", "cn-north-1", "us-gov-west-1"];

/// A template whose `{n}` is a name, `{a}` an account, `{i}` an instance id, `{r}` a region, `{u}` a UUID; all but the
/// region are secrets.
fn filled(templates: &'static [&'static str]) -> BoxedStrategy<Piece> {
    (select(templates), matching(NAME), matching(ACCOUNT), matching("i-0[0-9a-f]{16}"), select(REGION), matching(UUID))
        .prop_map(|(template, name, account, id, region, uuid)| {
            let mut piece = Piece::plain(&template.replace("{r}", region));
            for (mark, value) in [("{n}", name), ("{a}", account), ("{i}", id), ("{u}", uuid)] {
                if template.contains(mark) {
                    piece.text = piece.text.replace(mark, &value);
                    piece.secrets.push(value);
                }
            }
            piece
        })
        .boxed()
}

const ARNS: &[&str] = &[
    "arn:aws:lambda:{r}:{a}:function:{n}",
    "arn:aws:lambda:{r}:{a}:function:{n}:42",
    "arn:aws:iam::{a}:role/service-role/{n}",
    "arn:aws-cn:iam::{a}:user/{n}",
    "arn:aws:ec2:{r}:{a}:instance/{i}",
    "arn:aws-us-gov:rds:{r}:{a}:db:{n}",
    "arn:aws:dynamodb:{r}:{a}:table/{n}",
    "arn:aws:s3:::{n}",
    "arn:aws:s3:::{n}/*",
    "arn:aws:sns:{r}:{a}:{n}",
    "arn:aws:sqs:{r}:{a}:{n}",
    "arn:aws:kms:{r}:{a}:key/{u}",
    "arn:aws:ecs:{r}:{a}:cluster/{n}",
    "arn:aws:logs:{r}:{a}:log-group:/aws/lambda/{n}:*",
    "arn:aws:states:{r}:{a}:stateMachine:{n}",
    "arn:aws:sts::{a}:assumed-role/{n}/{i}",
    "arn%3Aaws%3Alambda%3A{r}%3A{a}%3Afunction%3A{n}",
];

const HOSTS: &[&str] = &[
    "https://{n}.s3.{r}.amazonaws.com/",
    "{n}.s3.amazonaws.com",
    "s3://{n}/2026/",
    "https://s3.{r}.amazonaws.com/{n}",
    "https://sqs.{r}.amazonaws.com/{a}/{n}",
    "{a}.dkr.ecr.{r}.amazonaws.com/{n}:1.2",
    "{n}.c9akciq32abc.{r}.rds.amazonaws.com:5432",
    "{n}-1234567890.{r}.elb.amazonaws.com",
    "{n}.execute-api.{r}.amazonaws.com",
];

const ACCOUNTS: &[&str] =
    &["account {a}", "AWS account id: {a}", "AccountId={a}", "계정 {a}", "\"OwnerId\": \"{a}\"", "acct {a}"];

fn address() -> BoxedStrategy<Piece> {
    let octet = 1..255u8;
    let quad = (select(&[10u8, 52, 172, 192, 203][..]), octet.clone(), octet.clone(), octet);
    prop_oneof![
        (quad, select(&["", "/32", "/24", "/16"][..])).prop_map(|((a, b, c, d), length)| {
            let ip = format!("{a}.{b}.{c}.{d}");
            Piece { text: format!("{ip}{length}"), secrets: vec![ip] }
        }),
        matching("2600:1f[0-9a-f]{2}:[1-9a-f][0-9a-f]{3}:[1-9a-f][0-9a-f]{3}::[1-9a-f]{1,4}").prop_map(Piece::secret),
        matching("ip-10-[1-9]-[1-9]-[1-9][0-9]").prop_map(|label| {
            let text = format!("{label}.ec2.internal");
            Piece { text, secrets: vec![label] }
        }),
    ]
    .boxed()
}

fn credential() -> BoxedStrategy<Piece> {
    // lower, upper and digit for sure, so that it is believed
    let secret_key = || matching("[a-z][A-Z][0-9][a-zA-Z0-9/]{37}");
    let named = select(
        &[
            "aws_secret_access_key = {}",
            "\"SecretAccessKey\":\"{}\"",
            "export AWS_SECRET_ACCESS_KEY={}",
            "secret_key: {}",
        ][..],
    );
    prop_oneof![
        (named, secret_key()).prop_map(|(text, key)| Piece { text: text.replace("{}", &key), secrets: vec![key] }),
        (matching("(AKIA|ASIA)[A-Z2-7]{16}"), secret_key())
            .prop_map(|(id, key)| Piece { text: format!("{id} {key}"), secrets: vec![id, key] }),
        matching("[A-Za-z0-9+/]{80}")
            .prop_map(|token| Piece { text: format!("aws_session_token={token}"), secrets: vec![token] }),
        vec(matching("[A-Za-z0-9+/]{64}"), 1..4).prop_map(|lines| {
            let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", lines.join("\n"));
            Piece { text, secrets: lines }
        }),
    ]
    .boxed()
}

/// One identifier of any sort, as it would stand in a text.
pub fn identifier() -> BoxedStrategy<Piece> {
    prop_oneof![
        6 => prefixed(),
        4 => filled(ARNS),
        3 => filled(HOSTS),
        2 => filled(ACCOUNTS),
        2 => address(),
        1 => credential(),
    ]
    .boxed()
}

/// What may stand around an identifier without touching it.
const BORDERS: &[&str] = &[
    " ", "\n", "\t", "\r\n", " (", ") ", " [", "] ", "`", "\"", "'", " | ", ", ", "는 ", "「", "」", "😀", " → ", "; ",
    "<", ">", "\n\n- ", " {", "} ", "가", "ガ", "\u{3000}", "é", "\u{a0}",
];

/// Words that are no part of any identifier.
const WORDS: &[&str] = &[
    "the instance",
    "does not answer",
    "인스턴스가 응답하지 않습니다",
    "서울 리전",
    "retry",
    "naïve",
    "日本",
    "1234",
    "v1.2.3",
    "50%",
    "max_requests",
    "on-call",
    "2026-11-25T02:10:07Z",
    "a/b/c",
    "x = [1, 2]",
    "C:\\temp\\new",
    "https://example.com/a?b=c",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "e\u{301}",
    "\u{202e}",
    "",
];

/// Text with no identifier in it.
pub fn clean_text() -> BoxedStrategy<String> {
    vec((select(WORDS), select(BORDERS)), 0..8)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, border)| [word, border]).collect())
        .boxed()
}

/// Text with identifiers that stand on their own.
pub fn text() -> BoxedStrategy<Piece> {
    let border = || select(BORDERS);
    vec((clean_text(), border(), identifier(), border()), 1..4)
        .prop_map(|parts| {
            let mut all = Piece::default();
            for (words, before, identifier, after) in parts {
                all.text.push_str(&words);
                all.text.push_str(before);
                all.push(identifier);
                all.text.push_str(after);
            }
            all
        })
        .boxed()
}

/// Anything glued to anything: nothing is promised of it but that it comes back.
pub fn wild_text() -> BoxedStrategy<String> {
    let part = prop_oneof![
        3 => identifier().prop_map(|piece| piece.text),
        2 => select(WORDS).prop_map(String::from),
        2 => select(BORDERS).prop_map(String::from),
        2 => matching("[-_.:/=@%+~#?!*$a-z0-9A-Z]{0,6}"),
        1 => any::<String>(),
        // token-shaped text that the client sent itself
        1 => matching("(EC2|ARN|S3)_[A-Z2-7]{8}"),
    ];
    vec(part, 0..10).prop_map(|parts| parts.concat()).boxed()
}
