//! Names made of the words of manuals: `my-function`, `test-cluster`. They say nothing about anybody, and texts use them
//! for other things too: they are masked where a key, an ARN or a host says what they are, and nowhere else.

use crate::detect::text::word_list::WordList;

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

/// Where software runs. A thing and where it runs, `prod-db`, is how teams name what is theirs.
static STAGES: WordList = WordList::new(&["dev", "prod", "production", "staging"]);

/// Words that stand as values everywhere, whatever has such a name: states, sizes, software, departments, and what the APIs
/// themselves know as the value of a setting, and would not know as a token.
static USUAL_VALUES: WordList = WordList::new(&[
    "active",
    "adaptive",
    "admin",
    "administrator",
    "airflow",
    "alloy",
    "alpha",
    "alpine",
    "always",
    "analytics",
    "anonymous",
    "ansible",
    "approximate",
    "array",
    "assets",
    "assistant",
    "assistants",
    "audio",
    "audit",
    "auto",
    "available",
    "backend",
    "bash",
    "basic",
    "beta",
    "billing",
    "black",
    "blue",
    "boolean",
    "browser",
    "builder",
    "catalog",
    "checkout",
    "closed",
    "complete",
    "completed",
    "compliance",
    "concise",
    "consumer",
    "content",
    "cosine",
    "created",
    "critical",
    "customers",
    "debian",
    "debug",
    "deleted",
    "deploy",
    "deployer",
    "detailed",
    "direct",
    "disabled",
    "docker",
    "downloads",
    "east",
    "editor",
    "enabled",
    "engineering",
    "ephemeral",
    "error",
    "events",
    "export",
    "extract",
    "failed",
    "false",
    "fast",
    "fatal",
    "files",
    "finance",
    "flex",
    "float",
    "free",
    "frontend",
    "github",
    "gitlab",
    "global",
    "golang",
    "grafana",
    "grammar",
    "green",
    "guest",
    "hadoop",
    "healthy",
    "high",
    "html",
    "images",
    "import",
    "inactive",
    "index",
    "info",
    "ingest",
    "integer",
    "inventory",
    "items",
    "java",
    "javascript",
    "jenkins",
    "json",
    "kafka",
    "kubernetes",
    "large",
    "lark",
    "latest",
    "linux",
    "list",
    "local",
    "localhost",
    "logging",
    "low",
    "mariadb",
    "marketing",
    "medium",
    "member",
    "members",
    "messages",
    "metrics",
    "minimal",
    "mobile",
    "mongodb",
    "monitor",
    "monitoring",
    "natural",
    "never",
    "nginx",
    "node",
    "nodejs",
    "none",
    "north",
    "null",
    "number",
    "object",
    "offline",
    "online",
    "opaque",
    "open",
    "operations",
    "oracle",
    "orders",
    "original",
    "owner",
    "payments",
    "pending",
    "postgres",
    "postgresql",
    "premium",
    "priority",
    "producer",
    "products",
    "prometheus",
    "publisher",
    "python",
    "records",
    "red",
    "regex",
    "release",
    "remote",
    "reports",
    "required",
    "root",
    "ruby",
    "runner",
    "running",
    "rust",
    "sales",
    "scale",
    "scheduler",
    "search",
    "security",
    "shell",
    "shipping",
    "small",
    "south",
    "spark",
    "stable",
    "standard",
    "static",
    "stopped",
    "strict",
    "string",
    "subscriber",
    "succeeded",
    "success",
    "summarized",
    "support",
    "system",
    "terraform",
    "text",
    "tool",
    "tools",
    "transform",
    "transparent",
    "true",
    "typescript",
    "ubuntu",
    "unhealthy",
    "updated",
    "uploads",
    "users",
    "verbose",
    "viewer",
    "vivid",
    "warn",
    "warning",
    "webapp",
    "website",
    "west",
    "white",
    "windows",
    "yaml",
]);

/// Words that say of a name that a manual made it up; no format or API calls anything so.
static MADE_UP: WordList = WordList::new(&["demo", "example", "my", "sample", "test", "your"]);

/// Two words of the lists are not longer.
const MAX_WORD: usize = 24;

/// True when every word of the name is a word of manuals, and they do not say where it runs.
pub(in crate::detect) fn is_ordinary(name: &[u8]) -> bool {
    words(name).all(|word| WORDS.contains_in_any_case(word)) && !has_stage(name)
}

/// True for what says of a thing where it runs, too.
pub(in crate::detect) fn has_stage(name: &[u8]) -> bool {
    is_compound(name) && words(name).any(|word| STAGES.contains_in_any_case(word))
}

/// True for more than one word: `task-role`, where `role` may be anything.
pub(in crate::detect) fn is_compound(name: &[u8]) -> bool {
    words(name).nth(1).is_some()
}

/// True for a name that says of a thing what it is and that a manual made it up: `my-function`, `MyTestSecret`, `testuser`.
pub(in crate::detect) fn is_made_up(name: &[u8]) -> bool {
    let (mut says_what, mut says_so) = (false, false);
    let all_known = words(name).all(|word| {
        let cut = glued(word);
        let is_one = MADE_UP.contains_in_any_case(word);
        says_so |= cut || is_one;
        says_what |= cut || !is_one;
        cut || WORDS.contains_in_any_case(word)
    });
    all_known && says_what && says_so
}

/// True for `mybucket` and the like.
fn glued(word: &[u8]) -> bool {
    let is_cut = |at: usize| MADE_UP.contains_in_any_case(&word[..at]) && WORDS.contains_in_any_case(&word[at..]);
    word.len() <= MAX_WORD && (1..word.len()).any(is_cut)
}

/// The words of a name, which end before a capital that follows another letter, and at what is no letter or digit.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let start = rest.iter().position(u8::is_ascii_alphanumeric)?;
        let word = &rest[start..];
        let begins = |i: usize| word[i].is_ascii_uppercase() && !word[i - 1].is_ascii_uppercase();
        let end = (1..word.len()).find(|&i| begins(i) || !word[i].is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        rest = behind;
        Some(word)
    })
}

/// True for a word that is the value of many a setting, in any case.
pub(in crate::detect) fn is_usual_value(word: &[u8]) -> bool {
    USUAL_VALUES.contains_in_any_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_manuals_and_names_that_somebody_gave() {
        assert!(WORDS.is_sorted() && STAGES.is_sorted() && USUAL_VALUES.is_sorted() && MADE_UP.is_sorted());
        assert!(WORDS.longest() + MADE_UP.longest() <= MAX_WORD);
        for name in
            ["my-function", "test_cluster", "MyProject", "eksctl-my-eks-cluster-cluster", "/aws/lambda/demo", "prod"]
        {
            assert!(is_ordinary(name.as_bytes()), "{name}");
        }
        for name in [
            "orders-db",
            "my-bucket-7f3",
            "acme",
            "billing-prod-cluster",
            "prod-db",
            "DevVPC",
            "a-very-long-and-own-wordsworthianism",
        ] {
            assert!(!is_ordinary(name.as_bytes()), "{name}");
        }
    }
}
