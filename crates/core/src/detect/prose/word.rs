//! Names of one word without a sign in it, in running text: `the bucket called acme`, `the table \`orders\``.
//!
//! Any word could be one: something must say that it is a name, and the text must speak of the service that has such
//! things.

use crate::detect::Scan;
use crate::detect::evidence::own::is_own_word;
use crate::detect::evidence::told::FOLLOWERS;
use crate::detect::prose::named::Named;
use crate::detect::setting::value::OBJECTS;
use crate::detect::text::boundary::run_end;

/// What a name is followed by in Korean, when a sentence says that it is the name.
const SAID: &[&str] = &["이고", "이며", "이야", "이에요", "인데", "입니다", "예요", "라는", "라고"];

/// Longest name of a person that is looked at.
const MAX_PERSON: usize = 64;
/// What has a name in programs, besides [`OBJECTS`].
const OWNERS: &[&[u8]] = &[b"account", b"auth", b"claims", b"context", b"ctx", b"identity", b"session", b"user"];
/// Words for who has a user.
const PERSONS: &[&str] = &["사용자", "관리자", "담당자", "usuário", "usuario", "utilisateur"];
/// Services, one of which is enough where something is said to be a name.
const ANY: &[&str] = &["aws", "s3", "dynamodb", "sqs", "sns", "eks", "ecs", "rds", "iam", "kinesis"];

/// The services that have things of which these are the last words.
const SERVICES: &[(&[&str], &[&str])] = &[
    (&["bucket", "버킷", "バケット", "存储桶"], ANY),
    (&["table", "테이블", "テーブル"], &["dynamodb"]),
    (&["queue", "sqs 큐", "큐 이름", "대기열", "キュー", "队列"], &["sqs"]),
    (&["topic", "토픽", "トピック"], &["sns"]),
    (&["stream", "스트림"], &["kinesis"]),
    (&["cluster", "클러스터", "クラスター", "集群"], &["eks", "ecs", "rds"]),
    (&["nodegroup", "노드그룹", "노드 그룹"], &["eks"]),
    (&["stack", "스택", "スタック"], &["cloudformation"]),
    (&["lambda", "lambda function", "람다", "람다 함수", "lambda 함수"], &["aws-lambda", "aws", "dynamodb", "iam"]),
    (&["instance named", "instance called", "rds instance", "db instance", "인스턴스 이름"], &["rds"]),
    (&["repository", "리포지토리", "레포지토리"], &["ecr"]),
    (&["role", "역할", "ロール", "角色"], &["iam", "aws"]),
    (&["state machine", "스텝 함수", "상태 머신"], &["states", "aws"]),
    (&["database", "데이터베이스", "for user"], &["rds", "aws"]),
];

impl Scan<'_, '_> {
    /// Whether the word is said to be the name of what the noun is.
    // Few words get here.
    #[inline(never)]
    pub(in crate::detect) fn is_word_told(&mut self, found: &Named<'_>, closed: bool) -> bool {
        let (text, links) = (self.text, found.links());
        let is_korean = !found.noun().is_ascii();
        let says = |link: &str| memchr::memmem::find(links, link.as_bytes()).is_some();
        let is_called = if is_korean {
            let is_name = says("이름") || says("명") || found.noun().ends_with("이름".as_bytes());
            is_name && (closed || is_said(text, found.end))
        } else {
            let is_name = says("named") || says("called") || found.noun().ends_with(b"ed");
            is_name && (closed || found.goes_on() && !FOLLOWERS.contains(found.name()))
        };
        // `role: "assistant"` is a member.
        let is_told = is_called || closed && (is_korean || !says(":") && !says("|"));
        if !is_told {
            return false;
        }
        let is_user = found.noun().eq_ignore_ascii_case(b"user");
        let from = if is_user { found.noun_start.saturating_sub(4) } else { found.noun_start };
        let noun = text[from..found.noun_end].to_ascii_lowercase();
        let is_of = |nouns: &&[&str]| nouns.iter().any(|words| noun.ends_with(words.as_bytes()));
        let mut services = SERVICES.iter().filter(|(nouns, _)| is_of(nouns));
        services.any(|(_, hints)| {
            let hints = if is_called { ANY } else { *hints };
            found.is_of_service() || hints.iter().any(|hint| self.speaks_of(hint, found.noun_end))
        })
    }

    /// Whether the value at `at`, bare and at the end of its line, is a user named as persons are: `UserName: kim.minsu`.
    pub(in crate::detect) fn is_user_of_line(&self, at: usize) -> bool {
        let key = &self.text[self.key.clone()];
        let end = run_end(self.text, at, MAX_PERSON, |c| c.is_ascii_lowercase() || c == b'.');
        let name = &self.text[at..end];
        let Some(dot) = name.iter().position(|&c| c == b'.') else { return false };
        let from = key.len().saturating_sub(b"username".len());
        key[from..].eq_ignore_ascii_case(b"username")
            && !OBJECTS.contains(&&name[..dot])
            && !OWNERS.contains(&&name[..dot])
            && is_own_word(name)
    }

    /// Whether what the word from `words` on announces is a user of IAM whose name is that of a person, `kim.minsu`.
    #[inline(never)]
    pub(in crate::detect) fn is_person(&mut self, found: &Named<'_>) -> bool {
        let (noun, name) = (found.noun(), found.name());
        let Some(dot) = name.iter().position(|&c| c == b'.') else { return false };
        let (first, last) = (&name[..dot], &name[dot + 1..]);
        let is_of_iam = self.text[..found.noun_start].strip_suffix(b" ").is_some_and(|text| text.ends_with(b"IAM"));
        // `System.Object` is one of a program.
        let begins = |c: u8| c.is_ascii_lowercase() || is_of_iam && c.is_ascii_uppercase();
        let is_word = |part: &[u8]| {
            part.split_first().is_some_and(|(&first, rest)| begins(first) && rest.iter().all(u8::is_ascii_lowercase))
        };
        let is_name =
            last.len() > 1 && is_word(first) && is_word(last) && !OBJECTS.contains(&first) && is_own_word(name);
        let is_user = noun.eq_ignore_ascii_case(b"user") || PERSONS.iter().any(|person| person.as_bytes() == noun);
        let at = found.noun_end;
        let is_of_aws = |scan: &mut Self| scan.has_identifier(at) || !noun.is_ascii() && scan.speaks_of("iam", at);
        is_user && is_name && (is_of_iam || is_of_aws(self))
    }
}

/// True where a sentence in Korean ends, or goes on behind the name in it.
fn is_said(text: &[u8], end: usize) -> bool {
    let blank = run_end(text, end, 2, |c| matches!(c, b' ' | b'`' | b'"' | b'\''));
    let rest = &text[blank..];
    rest.is_empty()
        || matches!(rest[0], b'\n' | b',' | b'.')
        || SAID.iter().any(|word| rest.starts_with(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn users_may_be_persons() {
        for text in [
            "the IAM user kim.minsu cannot log in",
            "IAM 사용자 kim.minsu 가 로그인 못해요",
            "user kim.minsu assumed arn:aws:iam::aws:role/x of i-0f3a9c27be41d8056",
        ] {
            assert!(parts(text).contains(&"kim.minsu"), "{text}");
        }
        assert_eq!(parts("IAM 사용자(kim.minsu)를"), ["kim.minsu"]);
        assert_eq!(parts("IAM 사용자 kim.minsu와 choi.dana를"), ["kim.minsu", "choi.dana"]);
        assert_eq!(parts("the IAM user Kim.Minsu cannot log in"), ["Kim.Minsu"]);
        for text in ["the user kim.minsu cannot log in", "the IAM user event.detail has", "the IAM user main.rs adds"] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn words_that_are_said_to_be_names() {
        for (text, names) in [
            ("an EKS cluster named ledger, and an S3 bucket called acmelake.", &["ledger", "acmelake"][..]),
            ("My Lambda `resizer` reads the DynamoDB table `coupons` on AWS", &["resizer", "coupons"]),
            ("eksctl: nodegroup \"blue\" of the EKS cluster \"ledger\" is ready", &["blue", "ledger"]),
            ("DynamoDB가 느립니다. 버킷명은 acmelake 이고 SQS 큐 이름은 jobs 입니다. S3", &["acmelake", "jobs"]),
            ("- DynamoDB 테이블: `coupons`\n- S3 버킷: `acmelake`", &["coupons", "acmelake"]),
            ("On RDS: password authentication failed for user \"shopper\"", &["shopper"]),
            ("the RDS is slow, and the queue is named jobs. Why?", &["jobs"]),
            ("RDS says: Unknown database 'sales'", &["sales"]),
        ] {
            assert_eq!(parts(text), names, "{text}");
        }
    }

    #[test]
    fn other_words() {
        for text in [
            "a table named users and a queue called jobs",
            "a bucket called acme, of sand",
            "the table `users` of MySQL",
            "an S3 bucket called when it is full",
            "On AWS: const m = { role: \"assistant\" }",
            "the function `parse` on AWS Lambda",
            "S3 버킷 이름은 unique 해야 합니다",
            "the S3 bucket policy",
            "as user 'bob' on AWS",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
