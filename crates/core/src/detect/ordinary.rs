//! Names made of the words of manuals: `my-function`, `test-cluster`. They say nothing about anybody, and texts use them
//! for other things too: they are masked where a key, an ARN or a host says what they are, and nowhere else.

use super::word_list::WordList;

/// Words that manuals make names of: what a thing is, what it is for, and nobody's own.
static WORDS: WordList = WordList::new(&[
    "a",
    "acl",
    "alarm",
    "alb",
    "alias",
    "an",
    "api",
    "app",
    "application",
    "asg",
    "aws",
    "backup",
    "balancer",
    "batch",
    "bucket",
    "build",
    "cache",
    "channel",
    "cli",
    "client",
    "cluster",
    "config",
    "configuration",
    "connection",
    "container",
    "custom",
    "data",
    "database",
    "db",
    "default",
    "demo",
    "deployment",
    "dev",
    "document",
    "domain",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "eks",
    "eksctl",
    "elasticache",
    "elb",
    "endpoint",
    "env",
    "environment",
    "event",
    "example",
    "external",
    "file",
    "first",
    "function",
    "gateway",
    "group",
    "iam",
    "image",
    "instance",
    "internal",
    "job",
    "key",
    "kms",
    "lambda",
    "launch",
    "load",
    "log",
    "logs",
    "main",
    "my",
    "mysql",
    "name",
    "nat",
    "network",
    "new",
    "nlb",
    "node",
    "old",
    "option",
    "parameter",
    "pipe",
    "pipeline",
    "policy",
    "pool",
    "primary",
    "private",
    "prod",
    "production",
    "profile",
    "project",
    "proxy",
    "public",
    "queue",
    "rds",
    "read",
    "redis",
    "redshift",
    "replica",
    "repo",
    "repository",
    "role",
    "rule",
    "s3",
    "sample",
    "second",
    "secret",
    "security",
    "server",
    "service",
    "session",
    "simple",
    "snapshot",
    "sns",
    "source",
    "sqs",
    "stack",
    "stage",
    "staging",
    "state",
    "stream",
    "subnet",
    "table",
    "target",
    "task",
    "template",
    "test",
    "the",
    "thing",
    "topic",
    "user",
    "vault",
    "vpc",
    "web",
    "worker",
    "your",
]);

/// Longest word of the list, and then some.
const MAX_WORD: usize = 16;

/// True when every word of the name is a word of manuals.
pub(super) fn is_ordinary(name: &[u8]) -> bool {
    let mut word = [0u8; MAX_WORD];
    let mut len = 0;
    let mut before = b' ';
    for &c in name {
        let begins = c.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if begins || !c.is_ascii_alphanumeric() {
            if !is_known(&word[..len]) {
                return false;
            }
            len = 0;
        }
        if c.is_ascii_alphanumeric() {
            let Some(slot) = word.get_mut(len) else { return false };
            *slot = c.to_ascii_lowercase();
            len += 1;
        }
        before = c;
    }
    is_known(&word[..len])
}

fn is_known(word: &[u8]) -> bool {
    word.is_empty() || WORDS.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_manuals_and_names_that_somebody_gave() {
        assert!(WORDS.is_sorted());
        for name in ["my-function", "test_cluster", "MyProject", "eksctl-my-eks-cluster-cluster", "/aws/lambda/demo"] {
            assert!(is_ordinary(name.as_bytes()), "{name}");
        }
        for name in
            ["orders-db", "my-bucket-7f3", "acme", "billing-prod-cluster", "a-very-long-and-own-wordsworthianism"]
        {
            assert!(!is_ordinary(name.as_bytes()), "{name}");
        }
    }
}
