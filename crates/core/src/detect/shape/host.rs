//! Host names and URLs under AWS's domains, and `s3://` URLs.

use crate::catalog::{KindId, ValueShape, suffixes_from};
use crate::detect::Part;
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::shape::arn::{is_account, is_region};
use crate::detect::text::boundary::{class, is_alnum, run_end, run_start, word_start};
use crate::detect::text::word_list::WordList;
use crate::token::is_token_shaped;

/// Longest host name in DNS.
const MAX_HOST: usize = 253;
/// Longest label of one.
const MAX_LABEL: usize = 63;
/// Longest path looked at.
const MAX_PATH: usize = 1024;

/// Longest query of an RDS authentication token.
const MAX_QUERY: usize = 4096;
/// What the path and query of an RDS authentication token begin with.
const RDS_TOKEN: &[u8] = b"/?Action=connect&DBUser=";

/// What the second label of an endpoint of RDS, DocumentDB or Neptune says about it, before what tells accounts apart.
const DB_ENDPOINTS: [&[u8]; 5] = [b"cluster-ro-", b"cluster-custom-", b"cluster-", b"proxy-", b"global-"];

/// Domains whose hosts begin with a name that the customer chose.
const NAMED: [&str; 5] =
    ["amazoncognito.com", "awsapps.com", "connect.aws", "elasticbeanstalk.com", "signin.aws.amazon.com"];

/// What stands before `.amazonaws.com` in the names by which policies trust services, and no endpoint has.
static PRINCIPALS: WordList = WordList::new(&[
    "aiops.alarms.cloudwatch",
    "application.opensearchservice",
    "appstream",
    "aws-mcp",
    "backup.application-autoscaling",
    "billingconsole",
    "channels.lex",
    "channels.lexv2",
    "cks.kms",
    "cloudwatch",
    "config-multiaccountsetup",
    "credentials.iot",
    "custom.rds",
    "databrew",
    "delivery.logs",
    "dnssec-route53",
    "drt.shield",
    "dynamodb.application-autoscaling",
    "ec2fleet",
    "ecs-tasks",
    "ecs.application-autoscaling",
    "edgelambda",
    "eks-fargate-pods",
    "eks-nodegroup",
    "export.rds",
    "exportv2.securityhub",
    "lakeformation",
    "maintenance.s3tables",
    "management.chatbot",
    "mgn",
    "migration.s3tables",
    "monitoring.rds",
    "ops.apigateway",
    "pods.eks",
    "procurement-insights.marketplace",
    "rds.application-autoscaling",
    "rdsdata",
    "replication.cassandra",
    "replication.s3tables",
    "replicator.lambda",
    "reporting.trustedadvisor",
    "resources.cloudformation",
    "securityhubv2",
    "spot",
    "spotfleet",
    "ssm-incidents",
    "stacksets.cloudformation",
    "tagpolicies.tag",
    "transitgateway",
    "trustedadvisor",
    "vpc-flow-logs",
]);
/// Most parts of a host.
const MAX_PARTS: usize = 8;
/// Length of what tells domains of one name apart.
const SEARCH_HASH: usize = 26;
/// What the paths of channels of MediaPackage begin with.
const MEDIA_PATH: &[u8] = b"/out/v1/";
/// What the paths of Neptune begin with.
static PATHS_OF_NEPTUNE: WordList =
    WordList::new(&["gremlin", "loader", "ml", "opencypher", "propertygraph", "rdf", "sparql", "status"]);

/// Buckets that AWS's guides download from.
static OF_AWS: WordList = WordList::new(&[
    "amazoncloudwatch-agent",
    "aws-cli",
    "cloudformation-examples",
    // `http://s3.amazonaws.com/doc/2006-03-01/`, a namespace of XML.
    "doc",
    "ec2-downloads-windows",
    "rds-downloads",
    "session-manager-downloads",
]);

fn is_host_char(c: u8) -> bool {
    class::of(c) & class::HOST != 0
}

impl Scan<'_, '_> {
    /// Looks at the dot at `dot`; gives where to go on.
    pub(in crate::detect) fn host(&mut self, dot: usize) -> usize {
        let text = self.text;
        let Some(&first) = text.get(dot + 1) else { return dot + 1 };
        let is_here = |suffix: &&str| is_suffix(text, dot + 1, suffix);
        let Some(suffix) = suffixes_from(first).find(is_here) else { return dot + 1 };
        let known = &self.detector.catalog.known;
        if !self.wants(known.host) {
            return dot + 1;
        }
        // A host does not reach into the one before.
        let run = run_start(text, dot, MAX_HOST.min(dot.saturating_sub(self.host_end)), is_host_char);
        let start = word_start(text, run).min(dot);
        let end = dot + 1 + suffix.len();
        self.host_end = end;
        if suffix == "amazonaws.com" && PRINCIPALS.contains(&text[start..dot]) {
            return end;
        }
        let before = self.hits.parts.len();
        let service = self.host_labels(start, dot, suffix);
        self.line_of_pgpass(end);
        self.mounted(start, end);
        // That of an earlier turn is the token already.
        let first_label = &text[start..start + memchr::memchr(b'.', &text[start..=dot]).unwrap_or(0)];
        let has_customer_host = self.hits.parts.len() > before || is_token_shaped(first_label);
        let end = self.url_path(service, has_customer_host, end);
        if text[start..dot].ends_with(b".transfer")
            || memchr::memmem::find(&text[start..dot], b".server.transfer.").is_some()
        {
            self.user_before(start);
        }
        if self.hits.parts.len() > before {
            self.finding(known.host, start, end);
        }
        end
    }

    /// The user in `sftp acme_bank@s-0625b94f7916e59c0.server.transfer.…`, whose host begins at `host`.
    fn user_before(&mut self, host: usize) {
        let text = self.text;
        let Some(end) = text[..host].strip_suffix(b"@").map(<[u8]>::len) else { return };
        let start = run_start(text, end, MAX_LABEL, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'.'));
        let kind = self.detector.catalog.known.resource_name;
        if self.wants(kind) && is_believable(ValueShape::Name, &text[start..end], Setting::Told) {
            self.finding(kind, start, end);
            self.part(kind, start, end, true);
        }
    }

    /// Records what the customer put before AWS's own labels; gives the service, the label that says most.
    fn host_labels(&mut self, start: usize, dot: usize, suffix: &str) -> Option<&'static str> {
        let text = self.text;
        let words = &self.detector.catalog.host_words;
        let mut kind = words.kind(suffix.as_bytes());
        let mut service = None;
        let mut customer_end = dot;
        loop {
            let label_start = memchr::memrchr(b'.', &text[start..customer_end]).map_or(start, |dot| start + dot + 1);
            let mut lower = [0; MAX_LABEL];
            let Some(label) = lower.get_mut(..customer_end - label_start) else { break };
            label.copy_from_slice(&text[label_start..customer_end]);
            label.make_ascii_lowercase();
            let label = &*label;
            // Of a bucket or at a domain of names the first label is a name, whatever it says: `assets.s3.amazonaws.com`.
            let is_name = label_start == start
                && (service == Some("s3") && kind == Some(self.detector.catalog.known.bucket)
                    || NAMED.contains(&suffix) && !is_region(label));
            let word = words.get(label);
            let is_of_aws = || {
                word.is_some()
                    || is_region(label)
                    || is_service_region(label)
                    || label.strip_suffix(b"-fips").is_some_and(|label| self.is_word_of_aws(label))
            };
            if is_name || !is_of_aws() {
                break;
            }
            kind = word.flatten().or(kind);
            service = match label {
                b"s3" => Some("s3"),
                b"sqs" => Some("sqs"),
                b"ecr" => Some("ecr"),
                b"codeartifact" => Some("codeartifact"),
                b"rds" | b"docdb" | b"neptune" | b"redshift" | b"redshift-serverless" | b"cache" | b"memorydb" => {
                    Some("db")
                }
                b"scim" => Some("scim"),
                b"mediapackagev2" => Some("mediapackagev2"),
                _ if label.starts_with(b"s3-") => Some("s3"),
                _ => service,
            };
            if label_start == start {
                return service;
            }
            customer_end = label_start - 1;
        }
        let has_name = service == Some("db") || NAMED.contains(&suffix);
        self.customer_labels(kind, service, start, customer_end, has_name);
        service
    }

    /// A service, a region, or another word of AWS.
    fn is_aws_label(&self, label: &[u8]) -> bool {
        self.is_word_of_aws(label.strip_suffix(b"-fips").unwrap_or(label)) || is_region(label)
    }

    fn is_word_of_aws(&self, label: &[u8]) -> bool {
        self.detector.catalog.host_words.get(label).is_some()
    }

    /// Records each label from `start` to `end`; the first one is a name whatever it says where the host `has_name`.
    fn customer_labels(
        &mut self,
        kind: Option<KindId>,
        service: Option<&str>,
        start: usize,
        end: usize,
        has_name: bool,
    ) {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let kind = kind.unwrap_or(known.host);
        if service == Some("s3") && kind == known.bucket {
            return self.host_part(kind, start, end, true);
        }
        let mut label = start;
        while label < end {
            let stop = memchr::memchr(b'.', &text[label..end]).map_or(end, |dot| label + dot);
            let body = &text[label..stop];
            if is_account(body) {
                self.part(known.account, label, stop, false);
            } else if (label != start || !has_name || body == b"clustercfg") && self.is_aws_label(body) {
                // A word of AWS between the customer's labels stays.
            } else if label > start && service == Some("db") && body.len() == 4 && body.iter().all(u8::is_ascii_digit) {
                // A shard of ElastiCache: `orders.abc123.0001.use1.cache.amazonaws.com`.
            } else if let Some(word) = DB_ENDPOINTS.iter().find(|word| service == Some("db") && body.starts_with(word))
            {
                // It looks like the id of a cluster of CloudHSM.
                let is_whole = |part: &Part| part.span.start == label && part.span.end <= stop;
                if let Some(at) = self.hits.parts.iter().rposition(is_whole) {
                    self.hits.parts.remove(at);
                }
                self.host_part(known.host, label + word.len(), stop, false);
            } else if let Some(name) = search_domain(body).filter(|_| label == start) {
                self.host_part(known.search_domain, label + name.start, label + name.end, true);
                self.host_part(known.host, label + name.end + 1, stop, false);
            } else if kind == known.load_balancer {
                self.load_balancer(label, stop);
            } else if let Some((kind, from, to)) = self.prefixed_within(label, stop) {
                self.part(kind, from, to, false);
                self.host_part(known.host, to, stop, false);
            } else {
                let first = label == start && kind != known.ec2_host;
                // The id stands behind a branch, and alone elsewhere: `main.d2abcdefghij1k.amplifyapp.com`.
                let is_app = kind == known.amplify_app && is_believable(ValueShape::AppId, body, Setting::Told);
                let is_told = is_app || first && kind != known.amplify_app;
                self.host_part(if is_told { kind } else { known.host }, label, stop, first || is_app);
            }
            label = stop + 1;
        }
    }

    fn host_part(&mut self, kind: KindId, start: usize, end: usize, is_name: bool) {
        let body = &self.text[start..end];
        if body.iter().any(|&c| is_alnum(c)) && !is_token_shaped(body) {
            self.part(kind, start, end, is_name);
        }
    }

    /// `internal-NAME-NUMBER`: the name is the one that the API shows.
    fn load_balancer(&mut self, start: usize, end: usize) {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let start = if text[start..end].starts_with(b"internal-") { start + 9 } else { start };
        match memchr::memrchr(b'-', &text[start..end]) {
            Some(dash) if dash > 0 => {
                self.host_part(known.load_balancer, start, start + dash, true);
                self.host_part(known.host, start + dash + 1, end, false);
            }
            _ => self.host_part(known.load_balancer, start, end, true),
        }
    }

    /// Names in the path that follows a host: the bucket of a path-style URL, an SQS queue, an ECR repository.
    fn url_path(&mut self, service: Option<&str>, has_customer_host: bool, host_end: usize) -> usize {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let path = run_end(text, host_end, 6, |c| c == b':' || c.is_ascii_digit());
        if text.get(path) != Some(&b'/') {
            return host_end;
        }
        let end = path_end(text, path + 1);
        let segment = run_end(text, path + 1, end - path - 1, |c| c != b'/');
        if text[path..].starts_with(RDS_TOKEN) {
            let end =
                run_end(text, path, MAX_QUERY, |c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'`' | b'\\'));
            // A key may have announced it, and the host before it, as a password: that is all one.
            let covers = |part: &&Part| part.span.contains(&(path + 2)) && self.detector.is_credential(part.kind);
            let announced = self.hits.parts.iter().rev().take(MAX_PARTS).find(covers);
            let start = announced.map_or(path + 2, |part| part.span.start);
            self.part(known.rds_token, start, end, false);
            return end;
        }
        // The issuer of a Kubernetes cluster: `oidc.eks.REGION.amazonaws.com/id/HASH`.
        let issuer = path + "/id/".len();
        let hash_end = run_end(text, issuer, 33, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if text[path..].starts_with(b"/id/") && hash_end - issuer == 32 {
            self.part(known.eks_hash, issuer, hash_end, true);
            return hash_end;
        }
        match service {
            Some("s3") if has_customer_host => self.object_key(path + 1, end),
            Some("s3") if OF_AWS.contains(&text[path + 1..segment]) => return host_end,
            Some("s3") => {
                self.host_part(known.bucket, path + 1, segment, true);
                if segment < end {
                    self.object_key(segment + 1, end);
                }
            }
            Some("sqs") if is_account(&text[path + 1..segment]) => {
                self.part(known.account, path + 1, segment, false);
                if segment < end {
                    self.host_part(known.queue, segment + 1, end, true);
                }
            }
            // `jdbc:oracle:thin:@//orders.….rds.amazonaws.com:1521/ORDERS`; Neptune has paths, a database a name.
            Some("db") if !PATHS_OF_NEPTUNE.contains_in_any_case(&text[path + 1..segment]) => {
                let name_end = run_end(text, path + 1, MAX_LABEL, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
                let has_letter = text[path + 1..name_end].iter().any(u8::is_ascii_alphabetic);
                if name_end != segment || segment != end || !has_letter {
                    return host_end;
                }
                self.host_part(known.database, path + 1, name_end, true);
            }
            // `acme-618734209955.d.codeartifact.us-west-2.amazonaws.com/npm/acme-libs/`
            Some("codeartifact") if segment < end => {
                let name_end = run_end(text, segment + 1, end - segment - 1, |c| c != b'/');
                self.host_part(known.arn_name, segment + 1, name_end, true);
                return name_end;
            }
            Some("scim") => {
                self.host_part(known.resource_id, path + 1, segment, true);
                return segment;
            }
            // `/out/v1/GROUP/CHANNEL/ENDPOINT/…`
            Some("mediapackagev2") if text[path..].starts_with(MEDIA_PATH) => {
                let mut at = path + MEDIA_PATH.len();
                for _ in 0..3 {
                    let next = run_end(text, at, end.saturating_sub(at), |c| c != b'/');
                    self.host_part(known.arn_name, at, next, true);
                    at = next + 1;
                }
                return at.min(end);
            }
            Some("ecr") if has_customer_host => {
                let name_end = run_end(text, path + 1, end - path - 1, |c| c != b':' && c != b'@');
                self.host_part(known.repository, path + 1, name_end, true);
                return name_end;
            }
            _ => return host_end,
        }
        end
    }

    /// Looks at the `://` at `colon`; gives the end of an `s3://` URL, or `colon`.
    pub(in crate::detect) fn s3_url(&mut self, colon: usize) -> usize {
        let text = self.text;
        let known = &self.detector.catalog.known;
        let mut scheme = word_start(text, run_start(text, colon, 12, is_alnum));
        let mut is_s3 = matches!(&text[scheme..colon], b"s3" | b"s3a" | b"s3n");
        if !is_s3 {
            // Aurora has `s3-eu-west-1://acme-logs`.
            scheme = word_start(text, run_start(text, colon, 24, |c| is_alnum(c) || c == b'-'));
            is_s3 = text[scheme..colon].strip_prefix(b"s3-").is_some_and(is_region);
        }
        if !is_s3 || !self.wants(known.bucket) {
            return colon;
        }
        let bucket = colon + 3;
        if matches!(text.get(bucket), Some(b'$' | b'{' | b'%')) {
            self.used_as(known.bucket, bucket);
            return colon + 1;
        }
        // Names have 63 characters, old ones up to 255. Half a longer one would tell the rest.
        let bucket_end = run_end(text, bucket, text.len(), is_host_char);
        let before = self.hits.parts.len();
        self.host_part(known.bucket, bucket, bucket_end, true);
        let mut end = bucket_end;
        if text.get(bucket_end) == Some(&b'/') {
            end = path_end(text, bucket_end + 1);
            self.object_key(bucket_end + 1, end);
        }
        if self.hits.parts.len() > before {
            self.finding(known.bucket, scheme, end);
        }
        end.max(colon + 1)
    }
}

/// The name in `search-NAME-HASH` and `vpc-NAME-HASH`, the first labels of OpenSearch and CloudSearch.
fn search_domain(label: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = [&b"search-"[..], b"vpc-", b"doc-"].iter().find(|word| label.starts_with(word))?.len();
    // What an earlier turn left of it.
    let masked = memchr::memrchr(b'-', label).filter(|&dash| dash > start && is_token_shaped(&label[dash + 1..]));
    if let Some(dash) = masked {
        return Some(start..dash);
    }
    let end = label.len().checked_sub(SEARCH_HASH + 1).filter(|&end| end > start && label[end] == b'-')?;
    label[end + 1..].iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()).then_some(start..end)
}

/// True when `text` has the domain `suffix` at `at`, and it ends there.
fn is_suffix(text: &[u8], at: usize, suffix: &str) -> bool {
    let end = at + suffix.len();
    let ends = match text.get(end) {
        // Emphasis of markdown ends here, a longer name goes on.
        Some(b'_') => text.get(end + 1).is_none_or(|&c| !is_alnum(c) && c != b'_'),
        Some(&c) => !is_alnum(c) && c != b'-',
        None => true,
    };
    // That is seen sooner than that it is another domain: many begin alike.
    ends && text.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(suffix.as_bytes()))
}

/// `s3-us-west-2`, `s3-website-us-east-1`: older forms that join service and region.
fn is_service_region(label: &[u8]) -> bool {
    let rest = label.strip_prefix(b"s3-website-").or_else(|| label.strip_prefix(b"s3-"));
    rest.is_some_and(is_region)
}

/// End of the path at `start`: no query, no quotes, no punctuation of the sentence around.
fn path_end(text: &[u8], start: usize) -> usize {
    let mut end = run_end(text, start, MAX_PATH, |c| class::of(c) & class::PATH != 0);
    while end > start && matches!(text[end - 1], b'.' | b':' | b'!' | b'=' | b'*') {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{found, parts};

    #[test]
    fn names_that_are_also_services() {
        for (text, expected) in [
            ("https://assets.s3.us-east-1.amazonaws.com/x.csv", &["assets", "x"][..]),
            ("https://data.s3.dualstack.us-east-1.amazonaws.com/x.csv", &["data", "x"]),
            ("http://media.s3-website-us-east-1.amazonaws.com", &["media"]),
            ("https://email.s3-accelerate.amazonaws.com", &["email"]),
            ("https://portal.awsapps.com/start", &["portal"]),
            ("https://api.auth.us-east-1.amazoncognito.com", &["api"]),
            ("http://api.us-east-1.elasticbeanstalk.com", &["api"]),
            ("catalog.c9akciq32abc.us-east-1.rds.amazonaws.com", &["catalog", "c9akciq32abc"]),
            ("data.abc123.0001.use1.cache.amazonaws.com", &["data", "abc123"]),
            ("clustercfg.orders.abc123.memorydb.us-east-1.amazonaws.com", &["orders", "abc123"]),
            ("metrics.c9akciq32abc.us-east-1.redshift.amazonaws.com", &["metrics", "c9akciq32abc"]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn names_in_hosts_and_before_them() {
        assert!(PRINCIPALS.is_sorted() && PATHS_OF_NEPTUNE.is_sorted() && OF_AWS.is_sorted());
        let host = "search-acme-find-oopcnjfn6ugofer3zx5iadxxca.eu-west-1.es.amazonaws.com";
        assert_eq!(parts(host), ["acme-find", "oopcnjfn6ugofer3zx5iadxxca"]);
        assert_eq!(
            parts("sftp acme_bank@s-0625b94f7916e59c0.server.transfer.us-east-1.amazonaws.com"),
            ["acme_bank", "s-0625b94f7916e59c0"]
        );
    }

    #[test]
    fn names_in_paths() {
        for (text, expected) in [
            (
                "jdbc:oracle:thin:@//db.c9akciq32abc.us-east-1.rds.amazonaws.com:1521/ORDERS",
                &["db", "c9akciq32abc", "ORDERS"][..],
            ),
            (
                "acme.618734209955.us-east-1.redshift-serverless.amazonaws.com:5439/acmedw?ssl=true",
                &["acme", "618734209955", "acmedw"],
            ),
            ("https://x1.c9akciq32abc.us-east-1.neptune.amazonaws.com:8182/gremlin", &["x1", "c9akciq32abc"]),
            (
                "acme-618734209955.d.codeartifact.us-west-2.amazonaws.com/npm/acme-libs/",
                &["acme-618734209955", "acme-libs"],
            ),
            (
                "https://feature-x.d2abcdefghij1k.amplifyapp.com and d2abcdefghij1k",
                &["feature-x", "d2abcdefghij1k", "d2abcdefghij1k"],
            ),
            (
                "https://4daa50.egress.rftj28.mediapackagev2.us-east-1.amazonaws.com/out/v1/live-sports/main/",
                &["4daa50", "egress", "rftj28", "live-sports", "main"],
            ),
            ("https://scim.us-east-2.amazonaws.com/d90aa85a527-4f2e/scim/v2/", &["d90aa85a527-4f2e"]),
            ("https://metadata.s3.amazonaws.com/acme-9.csv", &["metadata", "acme-9"]),
            ("xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", &[]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn endpoints_of_services_stay() {
        for host in [
            "dynamodb-fips.us-east-1.amazonaws.com",
            "s3.dualstack.us-east-1.amazonaws.com",
            "s3-fips.us-gov-west-1.amazonaws.com",
            "search-dynamodb.us-east-1.amazonaws.com",
            "runtime.sagemaker-fips.us-east-1.api.aws",
            "iam.us-gov.amazonaws.com",
            "us-east-1.signin.aws.amazon.com",
            "ecs-tasks.amazonaws.com",
            "delivery.logs.amazonaws.com",
        ] {
            assert_eq!(parts(host), [""; 0], "{host}");
        }
    }

    #[test]
    fn endpoints_of_database_clusters_keep_the_words_of_aws() {
        for (word, domain) in
            [("cluster", "rds"), ("cluster-ro", "rds"), ("proxy", "rds"), ("cluster", "docdb"), ("cluster", "neptune")]
        {
            let text = format!("orders-eu.{word}-abc123def456.us-east-1.{domain}.amazonaws.com");
            let parts: Vec<_> =
                found(&text).into_iter().map(|(kind, part)| (kind != "cloudhsmv2:cluster-id", part)).collect();
            assert_eq!(parts, [(true, "orders-eu"), (true, "abc123def456")], "{text}");
        }
    }
}
