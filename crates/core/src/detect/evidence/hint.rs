//! What a text speaks of around a key or a noun: the service whose member it may be.

use hashbrown::HashMap;
use memchr::memmem::Finder;
use once_cell::sync::OnceCell;

use crate::catalog::Catalog;
use crate::detect::Scan;
use crate::detect::credential::manifest::SECRET_MANIFEST;
use crate::detect::evidence::nearby::IDENTIFIER;
use crate::detect::evidence::told::{ANY_SERVICE, speaks_of_any_service};
use crate::detect::layout::pair::TAGS;
use crate::detect::shape::arn::is_region;
use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};
use crate::detect::text::word_list::MAX_WORD;
use crate::token::token_at;

/// How far around a key its hint may stand, bytes.
const NEAR: usize = 2048;
/// The hint of a key that belongs to the bucket named right before it: `get_object(Bucket=…, Key=…)`.
const BUCKET_BEFORE: &str = "bucket-before";
/// The hint of keys that AWS or any service of it has to be named around.
pub(in crate::detect) const AWS_OR_SERVICE: &str = "aws-or-service";
/// Hints that no row of the catalog has, and that are asked for.
const ASKED_FOR: [&str; 9] =
    ["aws", "boto3", "iam", "s3", "dynamodb", "codebuild", "organizations", "aws-lambda", "rds.amazonaws.com"];
/// How far before the key its bucket may stand, bytes.
const MAX_ARGUMENTS: usize = 160;
/// Most of a region before the word for the place in it.
const MAX_REGION: usize = 16;

impl Scan<'_, '_> {
    /// True when the text around `at` names this service.
    pub(in crate::detect) fn speaks_of(&mut self, hint: &'static str, at: usize) -> bool {
        if hint == BUCKET_BEFORE {
            return bucket_before(self.text, at);
        }
        if hint == AWS_OR_SERVICE {
            return self.speaks_of("aws", at) || self.speaks_of(ANY_SERVICE, at);
        }
        if hint == IDENTIFIER {
            return self.has_identifier(at);
        }
        if hint == SECRET_MANIFEST {
            return self.is_of_secret(at);
        }
        let block = at / NEAR;
        // Keys of one kind come in rows.
        if let Some((_, known)) = self.last_near.filter(|&((last, of), _)| last == block && std::ptr::eq(of, hint)) {
            return known;
        }
        let around = [Some(block), block.checked_sub(1), Some(block + 1)];
        let known = around.into_iter().flatten().any(|block| self.is_named_in(hint, block));
        self.last_near = Some(((block, hint), known));
        known
    }

    /// True when what names the service begins in this block. Each is looked through once for each service.
    fn is_named_in(&mut self, hint: &'static str, block: usize) -> bool {
        let Some(start) = block.checked_mul(NEAR).filter(|&start| start < self.text.len()) else { return false };
        if let Some(&known) = self.near.get(&(block, hint)) {
            return known;
        }
        let block_at = Block { text: self.text, start };
        let known = match signs(self.detector.catalog).get(hint) {
            _ if hint == ANY_SERVICE => block_at.names_any_service(),
            Some(signs) => signs.iter().any(|sign| block_at.names(sign)),
            None => signs_of(hint).iter().any(|sign| block_at.names(sign)),
        };
        self.near.insert((block, hint), known);
        known
    }
}

/// Where a sign has to stand to name its service.
#[derive(Clone, Copy)]
enum Standing {
    Anywhere,
    /// Not inside a longer word: `specs` does not speak of `ecs`.
    Alone,
    /// Likewise, and not in a number: `7ec24b01` is a commit.
    Apart,
    /// As the place in a region, or in a zone of one: `us-east-1c`.
    InRegion,
}

/// What names a service.
pub(in crate::detect) struct Sign {
    finder: Finder<'static>,
    standing: Standing,
}

/// The signs of every hint; to make them costs as much as to look for them.
type Signs = HashMap<&'static str, Vec<Sign>>;

/// Makes the signs of all hints of a catalog.
pub(in crate::detect) fn signs(catalog: &Catalog) -> &'static Signs {
    static SIGNS: OnceCell<Signs> = OnceCell::new();
    SIGNS.get_or_init(|| {
        let hints = catalog.members.hints().chain(catalog.phrases.hints()).chain(ASKED_FOR);
        hints.map(|hint| (hint, signs_of(hint))).collect()
    })
}

fn signs_of(hint: &str) -> Vec<Sign> {
    use Standing::{Alone, Anywhere, Apart, InRegion};
    let (anywhere, alone): (&[&str], &[&str]) = match hint {
        // `Amazon`, `amazonaws.com`.
        "aws" => (&["mazon"], &["aws", "AWS", "boto3"]),
        "security-group" => (&["sg-", "ecurityGroup", "ecurity group"], &[]),
        "opensearch" => (&["pensearch", "penSearch", ":es:", "aws es ", "ElasticsearchVersion", "DomainNames"], &[]),
        // `amazonS3.putObject(`
        "s3" => (&["S3"], &["s3"]),
        // `lambda` alone is a word of Python.
        "aws-lambda" => (&["Lambda", ":lambda:", "aws lambda"], &[]),
        "cognito" => (&[], &["cognito", "Cognito", "COGNITO"]),
        "bedrock" => (&[], &["bedrock", "Bedrock", "BEDROCK"]),
        "kinesis" => (&[], &["kinesis", "Kinesis", "KINESIS"]),
        "dynamodb" => (&["dynamodb", "DynamoDB", "DYNAMODB"], &[]),
        "codedeploy" => (&["codedeploy", "aws deploy "], &[]),
        TAGS => (&["Tags", "tags", "TagSet"], &[]),
        // Members that hardly anything else has.
        "elasticbeanstalk" => (
            &["VersionLabel", "SolutionStack", "ConfigurationTemplate", "EnvironmentId", "CNAMEPrefix"],
            &["elasticbeanstalk", "ELASTICBEANSTALK"],
        ),
        // The last is the version of the language of policies.
        "iam" => (&["PolicyDocument", "LoginProfile", "InstanceProfile", "MFADevice", "2012-10-17"], &["iam", "IAM"]),
        "states" => (&["states", "stepfunctions"], &[]),
        _ => (&[], &[hint, &hint.to_ascii_uppercase()]),
    };
    let (apart, in_region): (&[&str], &[&str]) = match hint {
        // East and west, central, north and south.
        "aws" => (&["EC2", "ec2"], &["st-", "al-", "th-"]),
        _ => (&[], &[]),
    };
    let each = [(anywhere, Anywhere), (alone, Alone), (apart, Apart), (in_region, InRegion)];
    let signs = each.into_iter().flat_map(|(signs, standing)| signs.iter().map(move |&sign| (sign, standing)));
    signs.map(|(sign, standing)| Sign { finder: Finder::new(sign).into_owned(), standing }).collect()
}

/// A stretch of a text; what it has is what begins in it.
struct Block<'t> {
    text: &'t [u8],
    start: usize,
}

impl Block<'_> {
    fn names(&self, sign: &Sign) -> bool {
        let (text, len) = (self.text, sign.finder.needle().len());
        let end = text.len().min(self.start + NEAR + len - 1);
        sign.finder.find_iter(&text[self.start..end]).map(|at| self.start + at).any(|at| match sign.standing {
            Standing::Anywhere => true,
            Standing::Alone => is_word(text, at, at + len) && !is_label(text, at + len),
            Standing::Apart => {
                let mut beside = text[at.saturating_sub(1)..at].iter().chain(text.get(at + len));
                !beside.any(u8::is_ascii_digit) && is_word(text, at, at + len) && !is_label(text, at + len)
            }
            Standing::InRegion => {
                let digit = at + len;
                let start = run_start(text, at, MAX_REGION, |c| c.is_ascii_lowercase() || c == b'-');
                let is_digit = text.get(digit).is_some_and(u8::is_ascii_digit);
                is_digit && is_region(&text[word_start(text, start).min(at)..=digit])
            }
        })
    }

    fn names_any_service(&self) -> bool {
        // The word over its end stands in both.
        let end = self.text.len().min(self.start + NEAR);
        let end = run_end(self.text, end, MAX_WORD, is_alnum);
        speaks_of_any_service(&self.text[run_start(self.text, self.start, MAX_WORD, is_alnum)..end])
    }
}

fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let begins = start == 0
        || !text[start - 1].is_ascii_alphabetic()
        || matches!(text[..start], [.., b'\\', b'n' | b'r' | b't']);
    begins && text.get(end).is_none_or(|c| !c.is_ascii_lowercase())
}

/// True for the label of a token, which ends at `end`: what was masked says no more than what is.
fn is_label(text: &[u8], end: usize) -> bool {
    text.get(end) == Some(&b'_') && token_at(text, end).is_some()
}

/// True when the argument or member before the one at `at` names a bucket.
fn bucket_before(text: &[u8], at: usize) -> bool {
    let near = &text[at.saturating_sub(MAX_ARGUMENTS)..at];
    let Some(bucket) = memchr::memmem::rfind(near, b"ucket") else { return false };
    let mut between = near[bucket..].iter().enumerate();
    between.all(|(i, &c)| match c {
        b'}' | b';' | b'{' | b'<' | b'|' => false,
        // `.bucket("acme-logs")\n.key("…")`, `Bucket: aws.String("acme-logs"), Key: …`
        b')' => near[bucket + i + 1..]
            .first()
            .is_none_or(|&next| matches!(next, b',' | b'.' | b'\\') || next.is_ascii_whitespace()),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks_of(text: &str, hint: &str) -> bool {
        signs_of(hint).iter().any(|sign| Block { text: text.as_bytes(), start: 0 }.names(sign))
    }

    #[test]
    fn commits_do_not_speak_of_ec2() {
        for text in ["7ec24b01", "d5ec2", "ec20f1", "7EC24B", "spec2"] {
            assert!(!speaks_of(text, "aws"), "{text}");
        }
        for text in ["ec2", "aws ec2 describe", "\\nec2-user", "on EC2.", "EC2_HOST"] {
            assert!(speaks_of(text, "aws"), "{text}");
        }
    }

    #[test]
    fn labels_of_tokens_speak_of_nothing() {
        assert!(!speaks_of("EC2_ABCDEFGH,acme-web", "aws") && !speaks_of("ECS_ABCDEFGH", "ecs"));
        assert!(speaks_of("EC2_HOST", "aws") && speaks_of("ECS_CLUSTER", "ecs"));
    }

    #[test]
    fn members_that_only_one_service_has() {
        for (text, hint) in [
            ("{\"VersionLabel\": \"v1\"}", "elasticbeanstalk"),
            ("{\"PolicyDocument\": \"{}\"}", "iam"),
            ("POLICYDOCUMENT='{\"Version\":\"2012-10-17\"}'", "iam"),
            ("{\"DomainNames\": []}", "opensearch"),
            ("import boto3", "aws"),
        ] {
            assert!(speaks_of(text, hint), "{text}");
        }
        assert!(!speaks_of("{\"Version\": 1, \"Policy\": 2}", "elasticbeanstalk") && !speaks_of("boto30", "s3"));
    }

    #[test]
    fn words_stand_alone_behind_escapes_too() {
        let names = |text, word| speaks_of(text, word);
        assert!(names("on ECS", "ecs") && names("\\nECS", "ecs") && names("x\\tecs", "ecs"));
        assert!(!names("specs", "ecs") && !names("nECS", "ecs") && !names("ecsx", "ecs"));
    }

    #[test]
    fn regions_and_their_zones() {
        for text in ["in us-east-1c", "{\"zone\":\"ap-northeast-2\"}", r"\neu-north-1"] {
            assert!(speaks_of(text, "aws"), "{text}");
        }
        for text in ["north-1", "best-3", "al-4", "st-"] {
            assert!(!speaks_of(text, "aws"), "{text}");
        }
    }
}
