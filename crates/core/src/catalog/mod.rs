//! The catalog: every kind of identifier, with its label, category, shape, example and source.
//!
//! The tables are the TSV files in `data/`, compiled into the library and read once. Detector, command line, schema
//! and documentation all take their kinds from here.

mod arn;
mod host;
mod member;
mod prefix;
mod prose;
mod table;
mod validator;

use std::fmt;

use hashbrown::HashMap;
use once_cell::sync::OnceCell;

pub use arn::{ArnSegment, ArnWords};
pub use host::{HostWords, SUFFIXES, suffixes_from};
pub use member::{FirstSight, MAX_KEY_LEN, Match, Member, Members, PAIRED, ValueShape};
pub use prefix::{Body, PrefixShape, PrefixTable};
pub(crate) use prefix::{MAX_PREFIX_LEN, MIN_HEX_LEN};
pub use prose::{Follows, Phrase, Phrases};
pub use validator::Validator;

/// Groups of kinds that an operator can switch on and off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Category {
    /// Resource ids such as `i-…`, `vpc-…`, `AROA…`.
    Ids,
    /// Amazon Resource Names.
    Arns,
    /// Host names and URLs of resources.
    Hosts,
    /// Twelve-digit account ids.
    Accounts,
    /// IPv4 and IPv6 addresses and ranges.
    Addresses,
    /// Access keys, secret keys, session tokens, passwords, private keys.
    Credentials,
    /// Names that an operator chose, where an AWS member, flag or attribute says so.
    Names,
    /// The operator's own patterns and terms; always on.
    Custom,
}

impl Category {
    /// The categories an operator can name, in the spelling of the schema.
    pub const NAMED: [(&'static str, Category); 7] = [
        ("ids", Category::Ids),
        ("arns", Category::Arns),
        ("hosts", Category::Hosts),
        ("accounts", Category::Accounts),
        ("addresses", Category::Addresses),
        ("credentials", Category::Credentials),
        ("names", Category::Names),
    ];

    /// The spelling of the schema.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, c)| *c == self).map_or("custom", |(name, _)| name)
    }

    /// The category of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    }
}

/// Index of a kind: of the catalog, or past it, one of the operator's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindId(u16);

impl fmt::Debug for KindId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KindId({})", self.0)
    }
}

impl KindId {
    pub(crate) fn from_index(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// Position in [`Catalog::kinds`]; the operator's own kinds follow after the last.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One kind of identifier.
#[derive(Debug)]
pub struct Kind {
    /// Stable name, e.g. `ec2:instance`.
    pub name: &'static str,
    /// What its tokens begin with, e.g. `EC2`.
    pub label: &'static str,
    /// The group it belongs to.
    pub category: Category,
    /// The shape in words or as a regular expression; for readers, not for the detector.
    pub shape: &'static str,
    /// A text in which this kind is found. `\n` stands for a line break.
    pub example: &'static str,
    /// Where AWS documents the shape.
    pub source: &'static str,
}

impl Kind {
    /// The example as it would stand in a text.
    pub fn example_text(&self) -> String {
        self.example.replace("\\n", "\n")
    }
}

macro_rules! known_kinds {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// Kinds that a hand-written rule finds.
        #[derive(Debug)]
        pub struct KnownKinds { $($(#[$doc])* pub $field: KindId,)* }

        impl KnownKinds {
            fn resolve(by_name: &HashMap<&'static str, KindId>) -> Self {
                Self { $($field: by_name.get($name).copied().unwrap_or(KindId(0)),)* }
            }

            fn all(&self) -> impl Iterator<Item = KindId> {
                [$(self.$field,)*].into_iter()
            }

            #[cfg(test)]
            const NAMES: &'static [&'static str] = &[$($name,)*];
        }
    };
}

known_kinds! {
    /// A whole ARN.
    arn = "arn",
    /// A twelve-digit account id.
    account = "account-id",
    /// The name part of an ARN whose resource type says nothing more.
    arn_name = "arn:name",
    /// A host name of a resource.
    host = "host:aws",
    /// A host name that EC2 gives from an address.
    ec2_host = "host:ec2",
    /// An S3 bucket's name.
    bucket = "name:s3-bucket",
    /// An AWS account as S3 names it.
    canonical_user = "s3:canonical-user-id",
    /// An S3 object key.
    object_key = "name:s3-object-key",
    /// An SQS queue's name.
    queue = "name:sqs-queue",
    /// A domain of OpenSearch.
    search_domain = "name:opensearch-domain",
    /// An Auto Scaling group.
    autoscaling_group = "name:autoscaling-group",
    /// An instance of RDS.
    db_instance = "name:rds-db-instance",
    /// A DynamoDB table's name.
    table = "name:dynamodb-table",
    /// A function of Lambda.
    function = "name:lambda-function",
    /// An ECR repository's name.
    repository = "name:ecr-repository",
    /// A load balancer's name.
    load_balancer = "name:load-balancer",
    /// IPv4.
    ipv4 = "ip:v4",
    /// IPv6.
    ipv6 = "ip:v6",
    /// Access key id.
    access_key_id = "cred:access-key-id",
    /// Secret access key.
    secret_access_key = "cred:secret-access-key",
    /// PEM private key.
    private_key = "cred:private-key",
    /// UUID of a resource.
    uuid = "id:uuid",
    /// The hash in the names of an EKS cluster's endpoints.
    eks_hash = "eks:cluster-hash",
    /// A key of KMS.
    kms_key = "kms:key-id",
    /// A user of IAM.
    iam_user = "name:iam-user",
    /// The user of a database.
    db_user = "name:db-user",
    /// A database.
    database = "name:database",
    /// An id that only its member tells.
    resource_id = "id:resource",
    /// The name of a resource of any sort.
    resource_name = "name:resource",
    /// An organizational unit.
    organizational_unit = "organizations:ou",
    /// An identity pool of Cognito.
    identity_pool = "cognito:identity-pool",
    /// A user pool of Cognito.
    user_pool = "cognito:user-pool",
    /// A distribution tenant of CloudFront.
    distribution_tenant = "cloudfront:distribution-tenant",
    /// A connection group of CloudFront.
    connection_group = "cloudfront:connection-group",
    /// A user or group of an identity store.
    identity_store = "identitystore:principal",
    /// A Snowball job.
    snow_job = "snowball:job",
    /// A Snowball cluster.
    snow_cluster = "snowball:cluster",
    /// A Snowball address.
    snow_address = "snowball:address",
    /// A build of CodeBuild.
    build = "codebuild:build",
    /// A CloudFront distribution.
    distribution = "cloudfront:distribution",
    /// A Route 53 hosted zone.
    hosted_zone = "route53:hosted-zone",
    /// A token of Marketplace Web Service.
    mws_token = "cred:mws-auth-token",
    /// A JSON web token.
    jwt = "cred:jwt",
    /// An app of Amplify.
    amplify_app = "amplify:app-id",
    /// A key for the API of Amazon Location.
    location_key = "cred:location-api-key",
    /// A token for the Kubernetes API.
    eks_token = "cred:eks-token",
    /// A long-term key for Bedrock.
    bedrock_key = "cred:bedrock-api-key",
    /// A short-term key for Bedrock.
    bedrock_short_key = "cred:bedrock-short-term-key",
    /// A session token.
    session_token = "cred:session-token",
    /// The password of a URL.
    url_password = "cred:url-password",
    /// Any other password.
    password = "cred:password",
    /// An SMTP password of SES.
    smtp_password = "cred:ses-smtp-password",
    /// Profiles of the AWS CLI.
    cli_profile = "name:cli-profile",
    /// Secrets of Secrets Manager.
    secret = "name:secret",
    /// Policies of IAM.
    policy = "name:iam-policy",
    /// The query of an RDS authentication token.
    rds_token = "cred:rds-auth-token",
}

/// Kinds of things that other software has, too: `table_name`, `function_name`.
const OF_ANY_SOFTWARE: &[&str] =
    &["name:dynamodb-table", "name:iam-user", "name:iot-thing", "name:kinesis-stream", "name:lambda-function"];

/// All tables, read once.
#[derive(Debug)]
pub struct Catalog {
    kinds: Vec<Kind>,
    by_name: HashMap<&'static str, KindId>,
    /// Kinds that rules name.
    pub known: KnownKinds,
    /// Kinds of things that other software has, too.
    pub(crate) of_any_software: Vec<KindId>,
    /// Ids with a prefix.
    pub prefixes: PrefixTable,
    /// What the segments of an ARN's resource mean.
    pub arn_words: ArnWords,
    /// What the labels of an AWS host name mean.
    pub host_words: HostWords,
    /// Member names whose values are identifiers.
    pub members: Members,
    /// What running text says before an identifier.
    pub phrases: Phrases,
}

impl Catalog {
    /// The one catalog of this build.
    pub fn get() -> &'static Self {
        static CATALOG: OnceCell<Catalog> = OnceCell::new();
        CATALOG.get_or_init(Self::read)
    }

    fn read() -> Self {
        let kinds: Vec<Kind> = table::rows::<6>(include_str!("../../data/kinds.tsv"))
            .filter_map(|[name, label, category, shape, example, source]| {
                let category = Category::parse(category)?;
                Some(Kind { name, label, category, shape, example, source })
            })
            .collect();
        let by_name: HashMap<_, _> =
            kinds.iter().enumerate().map(|(i, kind)| (kind.name, KindId::from_index(i))).collect();
        Self {
            known: KnownKinds::resolve(&by_name),
            of_any_software: OF_ANY_SOFTWARE.iter().filter_map(|name| by_name.get(name).copied()).collect(),
            prefixes: PrefixTable::read(&by_name),
            arn_words: ArnWords::read(&by_name),
            host_words: HostWords::read(&by_name),
            members: Members::read(&by_name),
            phrases: Phrases::read(&by_name),
            kinds,
            by_name,
        }
    }

    /// Every kind, in the order of their ids.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The kind of that id; `None` for the operator's own.
    pub fn kind(&self, id: KindId) -> Option<&Kind> {
        self.kinds.get(id.index())
    }

    /// What decides that a text is of this kind.
    pub fn validators(&self, kind: &Kind) -> Vec<Validator> {
        self.find(kind.name).map_or(Vec::new(), |id| Validator::of(&self.known, id, kind.name))
    }

    /// The id of the kind of that name.
    pub fn find(&self, name: &str) -> Option<KindId> {
        self.by_name.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::LABEL_LEN;

    #[test]
    fn every_row_is_read_and_every_name_is_unique() {
        let catalog = Catalog::get();
        let rows = include_str!("../../data/kinds.tsv").lines().filter(|l| !l.starts_with('#') && !l.is_empty());
        assert_eq!(rows.count(), catalog.kinds().len());
        assert_eq!(catalog.by_name.len(), catalog.kinds().len());
        for name in KnownKinds::NAMES.iter().chain(OF_ANY_SOFTWARE) {
            assert!(catalog.find(name).is_some(), "{name} is not in kinds.tsv");
        }
    }

    #[test]
    fn labels_are_spelled_as_tokens_need_them() {
        for kind in Catalog::get().kinds() {
            let label = kind.label.as_bytes();
            assert!(LABEL_LEN.contains(&label.len()), "{}", kind.name);
            assert!(label[0].is_ascii_uppercase(), "{}", kind.name);
            assert!(label.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()), "{}", kind.name);
            assert!(!kind.source.is_empty() && !kind.shape.is_empty() && !kind.example.is_empty(), "{}", kind.name);
        }
    }
}
