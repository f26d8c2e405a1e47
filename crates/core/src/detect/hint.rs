//! What a text speaks of around a key or a noun: the service whose member it may be.

use super::Scan;
use super::arn::is_region;
use super::boundary::{is_alnum, run_end, run_start, word_start};
use super::nearby::IDENTIFIER;
use super::pair::TAGS;
use super::told::{ANY_SERVICE, speaks_of_any_service};
use super::word_list::MAX_WORD;

/// How far around a key its hint may stand, bytes.
const NEAR: usize = 2048;
/// The hint of a key that belongs to the bucket named right before it: `get_object(Bucket=…, Key=…)`.
const BUCKET_BEFORE: &str = "bucket-before";
/// The hint of keys that AWS or any service of it has to be named around.
pub(super) const AWS_OR_SERVICE: &str = "aws-or-service";
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
        if hint == AWS_OR_SERVICE {
            return self.speaks_of("aws", at) || self.speaks_of(ANY_SERVICE, at);
        }
        if hint == IDENTIFIER {
            return self.has_identifier(at);
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
        let known = Block { text: self.text, start }.names_service(hint);
        self.near.insert((block, hint), known);
        known
    }
}

/// A stretch of a text; what it has is what begins in it.
struct Block<'t> {
    text: &'t [u8],
    start: usize,
}

impl Block<'_> {
    fn names_service(&self, hint: &'static str) -> bool {
        let finds = |needle: &str| self.each(needle).next().is_some();
        match hint {
            "aws" => {
                // `Amazon`, `amazonaws.com`.
                ["aws", "AWS"].into_iter().any(|word| self.names(word))
                    || finds("mazon")
                    || ["EC2", "ec2"].into_iter().any(|word| self.names_apart(word))
                    || self.names_region()
            }
            "security-group" => finds("sg-") || finds("ecurityGroup") || finds("ecurity group"),
            "opensearch" => finds("pensearch") || finds("penSearch") || finds(":es:") || finds("aws es "),
            // `amazonS3.putObject(`
            "s3" => finds("S3") || self.names("s3"),
            // `lambda` alone is a word of Python.
            "aws-lambda" => finds("Lambda") || finds(":lambda:") || finds("aws lambda"),
            "cognito" => ["cognito", "Cognito", "COGNITO"].into_iter().any(|word| self.names(word)),
            "kinesis" => ["kinesis", "Kinesis", "KINESIS"].into_iter().any(|word| self.names(word)),
            "dynamodb" => finds("dynamodb") || finds("DynamoDB") || finds("DYNAMODB"),
            ANY_SERVICE => self.names_any_service(),
            "codedeploy" => finds("codedeploy") || finds("aws deploy "),
            TAGS => finds("Tags") || finds("tags") || finds("TagSet"),
            "states" => finds("states") || finds("stepfunctions"),
            _ => self.names(hint) || self.names(&hint.to_ascii_uppercase()),
        }
    }

    /// Where `needle` begins in the block.
    fn each(&self, needle: &str) -> impl Iterator<Item = usize> {
        let end = self.text.len().min(self.start + NEAR + needle.len() - 1);
        memchr::memmem::find_iter(&self.text[self.start..end], needle.as_bytes()).map(|at| self.start + at)
    }

    /// True when the word stands in the text, not inside a longer one: `specs` does not speak of `ecs`.
    fn names(&self, word: &str) -> bool {
        self.each(word).any(|at| is_word(self.text, at, at + word.len()))
    }

    /// Likewise, of a word that may be part of a number: `7ec24b01` is a commit.
    fn names_apart(&self, word: &str) -> bool {
        self.each(word).any(|at| {
            let end = at + word.len();
            let mut beside = self.text[at.saturating_sub(1)..at].iter().chain(self.text.get(end));
            !beside.any(u8::is_ascii_digit) && is_word(self.text, at, end)
        })
    }

    /// True where a region stands in the text, or a zone of one: `us-east-1c`.
    fn names_region(&self) -> bool {
        // East and west, central, north and south.
        ["st-", "al-", "th-"].into_iter().any(|end| {
            self.each(end).any(|at| {
                let digit = at + end.len();
                let start = run_start(self.text, at, MAX_REGION, |c| c.is_ascii_lowercase() || c == b'-');
                let is_digit = self.text.get(digit).is_some_and(u8::is_ascii_digit);
                is_digit && is_region(&self.text[word_start(self.text, start).min(at)..=digit])
            })
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

    fn block(text: &str) -> Block<'_> {
        Block { text: text.as_bytes(), start: 0 }
    }

    #[test]
    fn commits_do_not_speak_of_ec2() {
        let names_ec2 = |text| block(text).names_apart("ec2") || block(text).names_apart("EC2");
        for text in ["7ec24b01", "d5ec2", "ec20f1", "7EC24B", "spec2"] {
            assert!(!names_ec2(text), "{text}");
        }
        for text in ["ec2", "aws ec2 describe", "\\nec2-user", "on EC2.", "EC2_HOST"] {
            assert!(names_ec2(text), "{text}");
        }
    }

    #[test]
    fn words_stand_alone_behind_escapes_too() {
        let names = |text, word| block(text).names(word);
        assert!(names("on ECS", "ECS") && names("\\nECS", "ECS") && names("x\\tecs", "ecs"));
        assert!(!names("specs", "ecs") && !names("nECS", "ECS") && !names("ecsx", "ecs"));
    }

    #[test]
    fn regions_and_their_zones() {
        for text in ["in us-east-1c", "{\"zone\":\"ap-northeast-2\"}", r"\neu-north-1"] {
            assert!(block(text).names_region(), "{text}");
        }
        for text in ["north-1", "best-3", "al-4", "st-"] {
            assert!(!block(text).names_region(), "{text}");
        }
    }
}
