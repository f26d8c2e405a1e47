//! What a text speaks of around a key or a noun: the service whose member it may be.

use super::Scan;
use super::arn::is_region;
use super::boundary::{run_start, word_start};
use super::nearby::IDENTIFIER;
use super::pair::TAGS;
use super::told::{ANY_SERVICE, speaks_of_any_service};

/// How far around a key its hint may stand, bytes.
const NEAR: usize = 2048;
/// The hint of a key that belongs to the bucket named right before it: `get_object(Bucket=…, Key=…)`.
const BUCKET_BEFORE: &str = "bucket-before";
/// How far before the key its bucket may stand, bytes.
const MAX_ARGUMENTS: usize = 160;
/// Most of a region before the word for the place in it.
const MAX_REGION: usize = 16;

impl Scan<'_, '_> {
    /// True when the text around `at` names this service.
    pub(super) fn speaks_of(&mut self, hint: &'static str, at: usize) -> bool {
        if hint == BUCKET_BEFORE {
            return bucket_before(self.text, at);
        }
        if hint == IDENTIFIER {
            return self.has_identifier(at);
        }
        let block = at / NEAR;
        // Keys of one kind come in rows.
        if let Some((_, known)) = self.last_near.filter(|&((last, of), _)| last == block && std::ptr::eq(of, hint)) {
            return known;
        }
        let known = match self.near.get(&(block, hint)) {
            Some(&known) => known,
            None => self.look_for(hint, block),
        };
        self.last_near = Some(((block, hint), known));
        known
    }

    fn look_for(&mut self, hint: &'static str, block: usize) -> bool {
        let text = self.text;
        let from = (block * NEAR).saturating_sub(NEAR);
        let around = &text[from..text.len().min((block + 2) * NEAR)];
        let finds = |needle: &[u8]| memchr::memmem::find(around, needle).is_some();
        let known = match hint {
            "aws" => {
                [b"aws", b"AWS"].iter().any(|word| names(around, *word))
                    || [b"EC2", b"ec2"].iter().any(|word| names_apart(around, *word))
                    // `Amazon`, `amazonaws.com`.
                    || finds(b"mazon")
                    || names_region(around)
            }
            "security-group" => finds(b"sg-") || finds(b"ecurityGroup") || finds(b"ecurity group"),
            "opensearch" => finds(b"pensearch") || finds(b"penSearch") || finds(b":es:") || finds(b"aws es "),
            // `amazonS3.putObject(`
            "s3" => finds(b"S3") || names(around, b"s3"),
            // `lambda` alone is a word of Python.
            "aws-lambda" => finds(b"Lambda") || finds(b":lambda:") || finds(b"aws lambda"),
            "cognito" => [&b"cognito"[..], b"Cognito", b"COGNITO"].iter().any(|word| names(around, word)),
            "kinesis" => [&b"kinesis"[..], b"Kinesis", b"KINESIS"].iter().any(|word| names(around, word)),
            "dynamodb" => finds(b"dynamodb") || finds(b"DynamoDB") || finds(b"DYNAMODB"),
            ANY_SERVICE => speaks_of_any_service(around),
            "codedeploy" => finds(b"codedeploy") || finds(b"aws deploy "),
            TAGS => finds(b"Tags") || finds(b"tags") || finds(b"TagSet"),
            "states" => finds(b"states") || finds(b"stepfunctions"),
            _ => names(around, hint.as_bytes()) || names(around, hint.to_ascii_uppercase().as_bytes()),
        };
        self.near.insert((block, hint), known);
        known
    }
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

/// True when the word stands in the text, not inside a longer one: `specs` does not speak of `ecs`.
fn names(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|at| {
        let left =
            at == 0 || !text[at - 1].is_ascii_alphabetic() || matches!(text[..at], [.., b'\\', b'n' | b'r' | b't']);
        left && text.get(at + word.len()).is_none_or(|c| !c.is_ascii_lowercase())
    })
}

/// Likewise, of a word that may be part of a number: `7ec24b01` is a commit.
fn names_apart(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|at| {
        let end = at + word.len();
        let mut beside = text[at.saturating_sub(1)..at].iter().chain(text.get(end));
        !beside.any(u8::is_ascii_digit) && names(&text[at.saturating_sub(2)..text.len().min(end + 1)], word)
    })
}

/// True where a region stands in the text, or a zone of one: `us-east-1c`.
fn names_region(text: &[u8]) -> bool {
    // East and west, central, north and south.
    const ENDS: [&[u8]; 3] = [b"st-", b"al-", b"th-"];
    ENDS.iter().any(|end| {
        memchr::memmem::find_iter(text, end).any(|at| {
            let digit = at + end.len();
            let start = run_start(text, at, MAX_REGION, |c| c.is_ascii_lowercase() || c == b'-');
            let is_digit = text.get(digit).is_some_and(u8::is_ascii_digit);
            is_digit && is_region(&text[word_start(text, start).min(at)..=digit])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_do_not_speak_of_ec2() {
        for text in ["7ec24b01", "d5ec2", "ec20f1", "7EC24B", "spec2"] {
            assert!(!names_apart(text.as_bytes(), b"ec2") && !names_apart(text.as_bytes(), b"EC2"), "{text}");
        }
        for text in ["ec2", "aws ec2 describe", "\\nec2-user", "on EC2.", "EC2_HOST"] {
            assert!(names_apart(text.as_bytes(), b"ec2") || names_apart(text.as_bytes(), b"EC2"), "{text}");
        }
    }

    #[test]
    fn words_stand_alone_behind_escapes_too() {
        assert!(names(b"on ECS", b"ECS") && names(b"\\nECS", b"ECS") && names(b"x\\tecs", b"ecs"));
        assert!(!names(b"specs", b"ecs") && !names(b"nECS", b"ECS") && !names(b"ecsx", b"ecs"));
    }

    #[test]
    fn regions_and_their_zones() {
        for text in ["in us-east-1c", "{\"zone\":\"ap-northeast-2\"}", r"\neu-north-1"] {
            assert!(names_region(text.as_bytes()), "{text}");
        }
        for text in ["north-1", "best-3", "al-4", "st-"] {
            assert!(!names_region(text.as_bytes()), "{text}");
        }
    }
}
