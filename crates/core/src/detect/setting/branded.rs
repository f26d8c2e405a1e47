//! Keys that name a service of AWS themselves: `GLUE_JOB_NAME`, `SagemakerEndpointName`, `rds_instance_name`. Whatever its noun,
//! what such a key gives the name or the id of is a thing on AWS.

use std::ops::Range;

use crate::catalog::{KindId, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::key::is_id_at_sight;
use crate::detect::setting::words::Words;
use crate::detect::text::word_list::WordList;

/// Services, in one word, that no other software is called.
static SERVICES: WordList = WordList::new(&[
    "apigateway",
    "appconfig",
    "apprunner",
    "appsync",
    "athena",
    "beanstalk",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "cognito",
    "docdb",
    "documentdb",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elasticbeanstalk",
    "elb",
    "elbv2",
    "emr",
    "eventbridge",
    "fargate",
    "firehose",
    "fsx",
    "glacier",
    "glue",
    "guardduty",
    "iam",
    "kms",
    "lightsail",
    "memorydb",
    "msk",
    "opensearch",
    "quicksight",
    "rds",
    "redshift",
    "rekognition",
    "route53",
    "s3",
    "sagemaker",
    "secretsmanager",
    "sfn",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
]);
/// What belongs to a thing, or is one of AWS or of a program: `RDS_ENGINE_NAME`, `SQS_MESSAGE_ID`.
static PARTS: WordList = WordList::new(&[
    "account",
    "action",
    "algorithm",
    "api",
    "attribute",
    "class",
    "client",
    "column",
    "command",
    "config",
    "contact",
    "container",
    "correlation",
    "customer",
    "data",
    "default",
    "device",
    "display",
    "domain",
    "engine",
    "event",
    "field",
    "file",
    "first",
    "folder",
    "format",
    "handler",
    "header",
    "host",
    "hosted",
    "image",
    "item",
    "last",
    "message",
    "method",
    "metric",
    "model",
    "module",
    "namespace",
    "object",
    "option",
    "order",
    "owner",
    "package",
    "param",
    "parameter",
    "partition",
    "plugin",
    "policy",
    "process",
    "product",
    "property",
    "provider",
    "record",
    "region",
    "request",
    "resource",
    "role",
    "row",
    "rule",
    "runtime",
    "schema",
    "secret",
    "server",
    "service",
    "session",
    "setting",
    "shard",
    "span",
    "subject",
    "tag",
    "tenant",
    "test",
    "thread",
    "trace",
    "transaction",
    "type",
    "unit",
    "user",
    "value",
    "variable",
    "version",
    "zone",
]);

impl Scan<'_, '_> {
    /// What a key with these words means, one of which is a service and the last `name` or `id`, where no table has it.
    pub(in crate::detect) fn meanings_of_branded(&self, words: &Words, key: Range<usize>) -> Option<Member> {
        let is_name = match words.last() {
            b"name" | b"names" | b"identifier" => true,
            b"id" | b"ids" => false,
            _ => return None,
        };
        let last = words.count().checked_sub(2)?;
        let service = (0..=last).find(|&i| SERVICES.contains(words.word(i)))?;
        if PARTS.contains(words.word(last)) {
            return None;
        }
        // `ec2LabelAccountID = ec2Label + "account_id"`, of a program.
        let is_spelled = self.text[key.clone()].iter().any(|c| matches!(c, b'_' | b'-'));
        if !is_name && !is_spelled && self.text.get(key.end) == Some(&b' ') {
            return None;
        }
        let known = &self.detector.catalog.known;
        let (kind, value) = if is_name {
            (self.kind_of_noun(words.from(service + 1)).unwrap_or(known.resource_name), ValueShape::Name)
        } else {
            (known.resource_id, ValueShape::OpaqueId)
        };
        Some(Member { kind, matches: Match::Exact, value, hint: None })
    }

    /// The kind of what the members called so are names of.
    fn kind_of_noun(&self, key: &[u8]) -> Option<KindId> {
        let members = self.detector.catalog.members.get(key).iter().filter(|member| !is_id_at_sight(member));
        members.map(|member| member.kind).find(|&kind| !self.detector.is_credential(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{found, parts};

    #[test]
    fn words_are_sorted() {
        assert!(SERVICES.is_sorted() && PARTS.is_sorted());
    }

    #[test]
    fn keys_with_a_service_in_them() {
        for text in [
            "GLUE_JOB_NAME=acme-nightly\n",
            "export CODEPIPELINE_NAME=acme-nightly",
            "PROD_SAGEMAKER_ENDPOINT_NAME: acme-nightly\n",
            "rds_instance_name = \"acme-nightly\"",
            "{\"RekognitionCollectionName\": \"acme-nightly\"}",
            "resp = c.get(GlacierVaultName='acme-nightly')",
            "ERROR codepipeline CodepipelineName=acme-nightly not found",
        ] {
            assert_eq!(parts(text), ["acme-nightly"], "{text}");
        }
        assert_eq!(found("SAGEMAKER_JOB_ID=4f2e8d1c73b6\n"), [("id:resource".to_owned(), "4f2e8d1c73b6")]);
        for text in [
            "RDS_ENGINE_NAME=acme-nightly\n",
            "sqs_message_id = \"4f2e8d1c73b6\"",
            "JOB_NAME=acme-nightly\n",
            "rds_name = instance.name",
            "ec2LabelDiskID = ec2Label1 + x",
            "sqsname: acme-nightly\n",
            "GLUE_JOB_TITLE=acme-nightly\n",
            "glue_job_name: str = None",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
