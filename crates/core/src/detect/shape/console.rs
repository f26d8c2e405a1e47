//! Links into the console: `https://eu-west-1.console.aws.amazon.com/lambda/home#/functions/acme?tab=code`. What a name in
//! one is of says the word before it; the console puts names behind `#` and writes what stands there in codes, twice
//! (`$252Faws$252Flambda$252Facme`).

use std::ops::Range;

use once_cell::sync::OnceCell;

use crate::catalog::{Catalog, KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable, is_owned_by_aws};
use crate::detect::shape::arn::is_account;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::word_list::WordList;

/// Longest link, bytes.
const MAX_LINK: usize = 8192;
/// Longest label before the host, with an account in it: `123456789012-x1y2z3ab.us-east-1.`.
const MAX_HOST: usize = 64;
/// Longest id of a session.
const MAX_SESSION: usize = 16;
/// Most characters of one code: `$25252F`.
const MAX_CODE: usize = 7;

/// Words of the console, and what the name or id behind each is of.
const NOUNS: &[(&str, &str)] = &[
    ("AutoScalingGroupDetails", "name:autoscaling-group"),
    ("ListRecordSets", "route53:hosted-zone"),
    ("alarm", "name:cloudwatch-alarm"),
    ("apis", "id:resource"),
    ("applications", "name:resource"),
    ("backupvaults", "name:backup-vault"),
    ("buckets", "name:s3-bucket"),
    ("certificates", "id:resource"),
    ("cluster-details", "name:redshift-cluster"),
    ("clusters", "name:cluster"),
    ("crawlers", "name:resource"),
    ("dashboard", "name:resource"),
    ("dashboards", "name:resource"),
    ("database", "name:rds-db-instance"),
    ("databases", "name:database"),
    ("dbcluster", "name:rds-db-cluster"),
    ("dbinstance", "name:rds-db-instance"),
    ("deliverystreams", "name:firehose-stream"),
    ("deployment-groups", "name:deployment-group"),
    ("distributions", "cloudfront:distribution"),
    ("documents", "name:ssm-document"),
    ("domains", "name:opensearch-domain"),
    ("endpoints", "name:resource"),
    ("eventbus", "name:event-bus"),
    ("functions", "name:lambda-function"),
    ("groups", "name:iam-group"),
    ("hostedzones", "route53:hosted-zone"),
    ("job", "name:glue-job"),
    ("jobs", "name:resource"),
    ("keys", "kms:key-id"),
    ("log-group", "name:log-group"),
    ("memcached", "name:elasticache-cluster"),
    ("nodegroups", "name:eks-nodegroup"),
    ("object", "name:s3-bucket"),
    ("parameters", "name:ssm-parameter"),
    ("pipelines", "name:codepipeline"),
    ("policies", "name:iam-policy"),
    ("projects", "name:codebuild-project"),
    ("queues", "name:sqs-queue"),
    ("redis", "name:elasticache-cluster"),
    ("repositories", "name:ecr-repository"),
    ("roles", "name:iam-role"),
    ("rules", "name:event-rule"),
    ("secret", "name:secret"),
    ("services", "name:ecs-service"),
    ("statemachines", "name:state-machine"),
    ("streams", "name:kinesis-stream"),
    ("table", "name:dynamodb-table"),
    ("tables", "name:resource"),
    ("task-definitions", "name:ecs-task-family"),
    ("topic", "name:sns-topic"),
    ("users", "name:iam-user"),
    ("valkey", "name:elasticache-cluster"),
];
/// Words between a noun and its name, and the keys of names: `roles/details/acme`, `table?name=acme`.
static BETWEEN: WordList = WordList::new(&[
    "cluster", "detail", "details", "id", "name", "private", "secret", "selected", "table", "v2", "view",
]);
/// Words of the console where a name could stand.
static PAGES: WordList = WordList::new(&[
    "add", "all", "browse", "create", "default", "edit", "home", "list", "new", "overview", "public", "search",
]);
/// Nouns whose names have paths.
const PATHS: [&str; 3] = ["log-group", "parameters", "secret"];

/// The kinds of [`NOUNS`], in their order.
fn kinds() -> &'static [Option<KindId>] {
    static KINDS: OnceCell<Vec<Option<KindId>>> = OnceCell::new();
    KINDS.get_or_init(|| NOUNS.iter().map(|(_, kind)| Catalog::get().find(kind)).collect())
}

/// A word of a link.
struct Word {
    span: Range<usize>,
    /// The sign of the link before it; 0 for one in a code.
    before: u8,
    /// It ends before a sign of the link itself, and not before one in a code.
    is_last: bool,
}

/// The words of the link that goes on from `at` to `end`.
fn words(text: &[u8], at: usize, end: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut start, mut next, mut before) = (at, at, b'/');
    while next <= end {
        let (sign, is_last) = match text.get(next).filter(|_| next < end) {
            None => (1, true),
            Some(b'/' | b'?' | b'&' | b'=' | b';' | b':' | b'#' | b',') => (1, true),
            Some(b'%' | b'$') => (code_len(&text[next..end]), false),
            Some(_) => (0, false),
        };
        if sign == 0 {
            next += 1;
            continue;
        }
        if start < next {
            words.push(Word { span: start..next, before, is_last });
        } else if let Some(word) = words.last_mut() {
            word.is_last |= is_last;
        }
        before = if is_last { text.get(next).copied().unwrap_or_default() } else { 0 };
        next += sign;
        start = next;
    }
    words
}

/// The length of a code of any depth that stands at the beginning, `%2F`, `%252F`, `$252F`, or 0.
fn code_len(text: &[u8]) -> usize {
    let mut len = 1;
    while text[len..].starts_with(b"25") && len + 4 <= MAX_CODE && text.get(len + 2).is_some_and(u8::is_ascii_hexdigit)
    {
        len += 2;
    }
    let is_code = text[len..].iter().take(2).filter(|c| c.is_ascii_hexdigit()).count() == 2;
    if is_code { len + 2 } else { 0 }
}

impl Scan<'_, '_> {
    /// Looks at the link whose host goes on with `console.aws.amazon.com/` from `host` to `at`.
    pub(in crate::detect) fn console_link(&mut self, host: usize, at: usize) {
        let text = self.text;
        self.account_of_session(host);
        // What a link has in it was read with it.
        if at < self.links_to {
            return;
        }
        let end = run_end(text, at, MAX_LINK, |c| {
            c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'|' | b')' | b']')
        });
        let end = run_start(text, end, end - at, |c| matches!(c, b'.' | b',' | b';' | b':' | b'!' | b'?'));
        let words = words(text, at, end);
        // An ARN or a URL in it is read as such.
        let is_other = |word: &Word| matches!(&text[word.span.clone()], b"arn" | b"https" | b"http");
        let count = words.iter().position(is_other).unwrap_or(words.len());
        self.links_to = words.get(count).map_or(end, |other| other.span.start);
        let mut noun = None;
        let mut i = 0;
        while i < count {
            let word = &text[words[i].span.clone()];
            let known = NOUNS.iter().position(|(noun, _)| noun.as_bytes() == word);
            // `/codesuite/codebuild/123456789012/projects/acme`
            if is_account(word) {
                self.whole(self.detector.catalog.known.account, words[i].span.start, words[i].span.end);
                i += 1;
                continue;
            }
            let is_key = matches!(words[i].before, b'?' | b'&' | b';');
            // `#alarm:alarmFilter=ANY;name=acme`
            let is_filter = words[i].before != b'/' && !is_key && text.get(words[i].span.end) == Some(&b'=');
            if noun.is_some() && known.is_none() && is_filter && !BETWEEN.contains(word) {
                i += 2;
                continue;
            }
            noun = match noun {
                _ if known.is_some() => known,
                Some(_) if BETWEEN.contains(word) => noun,
                // `?region=eu-west-1`
                Some(of) if !is_key && !PAGES.contains(word) => {
                    i = self.name_in_link(of, &words[..count], i);
                    None
                }
                _ => None,
            };
            i += 1;
        }
    }

    /// Records the name that begins with this word; gives the last word of it.
    fn name_in_link(&mut self, noun: usize, words: &[Word], first: usize) -> usize {
        let text = self.text;
        let Some(kind) = kinds()[noun] else { return first };
        let (noun, _) = NOUNS[noun];
        let known = &self.detector.catalog.known;
        let word = &text[words[first].span.clone()];
        let shape = match noun {
            "hostedzones" | "ListRecordSets" => ValueShape::ZoneId,
            "distributions" => ValueShape::DistributionId,
            "apis" => ValueShape::LowerId,
            "certificates" | "keys" => ValueShape::Uuid,
            _ => ValueShape::Name,
        };
        let has_path = PATHS.contains(&noun) || shape == ValueShape::Name && !words[first].is_last;
        let mut last = first;
        while has_path && !words[last].is_last && last + 1 < words.len() {
            last += 1;
        }
        // `/aws/lambda/acme`
        let own = if word == b"aws" && last > first + 1 { first + 2 } else { first };
        for word in &words[own..=last] {
            let Range { start, end } = word.span;
            let body = &text[start..end];
            let is_uuid = shape == ValueShape::Name && is_believable(ValueShape::Uuid, body, Setting::Sure);
            if is_uuid {
                self.whole(known.resource_id, start, end);
            } else if self.wants(kind) && !is_owned_by_aws(body) && is_believable(shape, body, Setting::Sure) {
                self.finding(kind, start, end);
                self.part(kind, start, end, true);
            }
        }
        last
    }

    /// The account in the host of one of several sessions, `123456789012-x1y2z3ab.us-east-1.`, which ends at `host`.
    fn account_of_session(&mut self, host: usize) {
        let text = self.text;
        let start = run_start(text, host, MAX_HOST, |c| is_alnum(c) || matches!(c, b'-' | b'.'));
        let label = run_end(text, start, MAX_HOST, is_alnum);
        let account = start.max(label.saturating_sub(12));
        let is_first = account == start || !text[account - 1].is_ascii_digit();
        if text.get(label) == Some(&b'-') && is_first && is_account(&text[account..label]) {
            self.whole(self.detector.catalog.known.account, account, label);
            let id = run_end(text, label + 1, MAX_SESSION, is_alnum);
            if text.get(id) == Some(&b'.') && is_believable(ValueShape::LowerId, &text[label + 1..id], Setting::Sure) {
                self.whole(self.detector.catalog.known.resource_id, label + 1, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::parts;

    const HOST: &str = "https://eu-west-1.console.aws.amazon.com";

    #[test]
    fn every_noun_has_a_kind() {
        assert!(kinds().iter().all(Option::is_some));
        assert!(NOUNS.is_sorted() && BETWEEN.is_sorted() && PAGES.is_sorted());
    }

    #[test]
    fn names_in_links_into_the_console() {
        for (link, names) in [
            ("/lambda/home?region=eu-west-1#/functions/acmefn?tab=code", &["acmefn"][..]),
            ("/ecs/v2/clusters/acmeprod/services/web/health?region=eu-west-1", &["acmeprod", "web"]),
            ("/rds/home?region=eu-west-1#database:id=acmedb;is-cluster=false", &["acmedb"]),
            ("/dynamodbv2/home?region=eu-west-1#table?name=Orders&tab=overview", &["Orders"]),
            ("/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/AcmeCPU", &["AcmeCPU"]),
            ("/codesuite/codepipeline/pipelines/shop/view?region=eu-west-1", &["shop"]),
            ("/secretsmanager/secret?name=prod%2Facme&region=eu-west-1", &["prod", "acme"]),
            ("/systems-manager/parameters/%252Facme%252Fdb/description?region=eu-west-1", &["acme", "db"]),
            ("/iam/home#/roles/details/Deployer?section=permissions", &["Deployer"]),
            ("/ecr/repositories/private/618734209955/shop?region=eu-west-1", &["618734209955", "shop"]),
            ("/codesuite/codebuild/618734209955/projects/shop/history", &["618734209955", "shop"]),
            ("/kms/home#/kms/keys/4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5", &["4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5"]),
            ("/route53/v2/hostedzones#ListRecordSets/Z0123456789ABCDEFGHIJ", &["Z0123456789ABCDEFGHIJ"]),
            ("/cloudwatch/home?region=us-east-1#alarm:alarmFilter=ANY;name=acme-5xx", &["acme-5xx"]),
            ("/rds/home?region=us-east-1#dbinstance:id=acme-main", &["acme-main"]),
            ("/ecs/home#/clusters/acme-main=1", &["acme-main"]),
            ("/cloudwatch/home#dashboards:dashboard=acme-main", &["acme-main"]),
            (
                "/cloudwatch/home#logsV2:log-groups/log-group/$252Faws$252Flambda$252FacmeFn/log-events/2025",
                &["acmeFn"],
            ),
        ] {
            let text = format!("see {HOST}{link}, please");
            assert_eq!(parts(&text), names, "{text}");
        }
        let sso = "https%3A%2F%2Fus-east-2.console.aws.amazon.com%2Flambda%2Fhome%23%2Ffunctions%2FAcmeTax&x=1";
        assert_eq!(parts(sso), ["AcmeTax"]);
        let session = "https://618734209955-x1y2z3ab.us-east-1.console.aws.amazon.com/lambda/home";
        assert_eq!(parts(session), ["618734209955", "x1y2z3ab"]);
    }

    #[test]
    fn pages_of_the_console() {
        for link in
            ["/lambda/home#/functions", "/iam/home#/roles/create", "/ecs/v2/clusters?region=eu-west-1", "/", "/s3/"]
        {
            assert_eq!(parts(&format!("{HOST}{link}")), [""; 0], "{link}");
        }
    }

    #[test]
    fn links_in_links_are_read_once() {
        let link = format!("{HOST}/x?to={HOST}/lambda/home#/functions/acmefn");
        assert_eq!(parts(&link), ["acmefn"]);
        let long = format!("{HOST}/lambda/home?x={}#/functions/acmefn", "a".repeat(3000));
        assert_eq!(parts(&long), ["acmefn"]);
    }

    #[test]
    fn links_that_end_anywhere() {
        let link = format!("{HOST}/cloudwatch/home#log-group/$252Faws$252Flambda$252Fa%2525/x?b=1");
        for len in 0..link.len() {
            let _ = parts(link.get(..len).unwrap_or_default());
        }
    }
}
