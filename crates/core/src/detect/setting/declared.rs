//! The type of the resource that a block of Terraform or CloudFormation declares: it says what its `name` is.

use std::ops::Range;

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::scan::sieve::Lanes;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, is_alnum, run_end, run_start};
use crate::detect::text::line::break_before;

/// How far behind its type the name of a resource may stand, bytes.
const REACH: usize = 1024;
/// Longest line of what Terraform says that it does.
const MAX_LINE: usize = 256;
/// Longest type.
const MAX_TYPE: usize = 96;
const TERRAFORM: &[u8] = b"\"aws_";
const CLOUDFORMATION: &[u8] = b"AWS::";
/// What names those modules of Terraform's registry that are for AWS: `source = "terraform-aws-modules/sqs/aws"`.
const MODULE: &[u8] = b"terraform-aws-modules/";
const IMPORT: &[u8] = b"import {";
/// What types begin with, and where the letters of AWS stand in it.
const TYPES: [(&[u8], usize); 3] = [(TERRAFORM, 1), (CLOUDFORMATION, 0), (MODULE, b"terraform-".len())];
/// The furthest of these places.
const FURTHEST: usize = b"terraform-".len();

impl Scan<'_, '_> {
    /// Where the type of the resource stands whose own attribute is named at `key`, from the word before what it is on:
    /// `aws_sqs_queue`, `SQS::Queue`.
    pub(in crate::detect) fn type_before(&mut self, key: usize) -> Option<(usize, usize)> {
        let text = self.text;
        // Names come in order, and what was looked through for one before is not for the next.
        let (seen_to, last) = self.types;
        let (known_to, known) = if seen_to <= key { (seen_to, last) } else { (0, None) };
        let from = known_to.max(key.saturating_sub(REACH));
        let last = last_type(self.detector.lanes, text, from..key).or(known);
        self.types = (key, last);
        let at = last.filter(|at| key - at <= REACH)?;
        match text[at] {
            b'"' => terraform(text, at, key),
            b't' => module(text, at, key),
            _ => cloudformation(text, at, key),
        }
    }

    /// The id in `terraform import ADDRESS ID`, behind the command.
    pub(in crate::detect) fn imported(&mut self, at: usize) {
        let text = self.text;
        let limit = text.len().min(at + MAX_LINE);
        let line = &text[at..(at..limit).find(|&end| ends_line(text, end)).unwrap_or(limit)];
        let mut words = line.split(|&c| c == b' ').filter(|word| !word.is_empty() && !word.starts_with(b"-"));
        let (Some(address), Some(id)) = (words.next(), words.next()) else { return };
        let offset = |word: &[u8]| at + (word.as_ptr() as usize - line.as_ptr() as usize);
        let Some(kind) = memchr::memmem::rfind(address, b"aws_") else { return };
        let start = offset(address) + kind;
        let end = run_end(text, start, MAX_TYPE, |c| is_alnum(c) || c == b'_');
        // `ZONE_name_type`
        let zone = id.split(|&c| c == b'_').next().filter(|_| text[start..end].ends_with(b"_route53_record"));
        if let Some(zone) = zone.filter(|zone| is_believable(ValueShape::ZoneId, zone, Setting::Told)) {
            let from = offset(id);
            return self.whole(self.detector.catalog.known.hosted_zone, from, from + zone.len());
        }
        let members = self.meanings_of_noun(start, end);
        self.key = start..end;
        self.announced(&members, offset(id), Setting::Told);
    }

    /// The type in `import { to = aws_iam_role.ci  id = …`, with the key of the id at `key`.
    pub(in crate::detect) fn import_before(&self, key: usize) -> Option<(usize, usize)> {
        let text = self.text;
        let from = key.saturating_sub(MAX_LINE);
        let mut braces = memchr::memrchr_iter(b'{', &text[from..key]).map(|i| from + i);
        let head = 1 + braces.find(|&brace| text[from..=brace].ends_with(IMPORT))?;
        let at = head + memchr::memmem::find(&text[head..key], b"aws_")?;
        let is_within = memchr::memchr(b'}', &text[head..key]).is_none();
        let end = run_end(text, at, MAX_TYPE, |c| is_alnum(c) || c == b'_');
        is_within.then_some((at, end))
    }

    /// The type at the beginning of the line on which `[id=` stands, whose `id` is at `key`.
    pub(in crate::detect) fn type_on_line(&self, key: usize) -> Option<(usize, usize)> {
        let text = self.text;
        let before = text[..key].strip_suffix(b"[")?;
        let line = run_start(text, before.len(), MAX_LINE, |c| c != b'\n');
        let Some(at) = memchr::memmem::rfind(&before[line..], b"aws_").map(|at| line + at) else {
            return type_of_step(text, before.len());
        };
        let end = run_end(text, at, MAX_TYPE, |c| is_alnum(c) || c == b'_');
        (text.get(end) == Some(&b'.')).then_some((at, end))
    }
}

/// The type in the line above `[id=…]` in a preview of Pulumi, whose bracket stands at `open`: `:Bucket` in
/// `~ aws:s3/bucket:Bucket: (update)`.
fn type_of_step(text: &[u8], open: usize) -> Option<(usize, usize)> {
    let end = break_before(text, run_start(text, open, MAX_LINE, |c| c == b' '))?;
    let line = end - text[end.saturating_sub(MAX_LINE)..end].iter().rev().take_while(|&&c| c != b'\n').count();
    let type_at = line + memchr::memmem::rfind(&text[line..end], b" aws:")? + 1;
    let type_end = run_end(text, type_at, MAX_TYPE, |c| is_alnum(c) || matches!(c, b':' | b'/' | b'-'));
    let type_end = run_start(text, type_end, 1, |c| c == b':');
    let noun = type_at + memchr::memrchr(b':', &text[type_at..type_end])?;
    text[type_end..].starts_with(b": (").then_some((noun, type_end))
}

/// Where the last type begins of those that begin in this range.
///
/// No type has the letters of AWS twice, so the last ones that are those of a type are those of the last type.
fn last_type(lanes: Lanes, text: &[u8], range: Range<usize>) -> Option<usize> {
    let mut end = text.len().min(range.end + FURTHEST + 2);
    loop {
        let second = range.start + lanes.last_pair(text.get(range.start..end)?, *b"ws")?;
        let begins = |(begin, letters): &(&[u8], usize)| {
            let at = second.checked_sub(1 + letters).filter(|at| range.contains(at))?;
            text[at..].starts_with(begin).then_some(at)
        };
        let found = TYPES.iter().find_map(begins);
        if found.is_some() {
            return found;
        }
        end = second + 1;
    }
}

/// `resource "aws_sqs_queue" "orders" {`, with `key` among its own attributes.
fn terraform(text: &[u8], at: usize, key: usize) -> Option<(usize, usize)> {
    let head = &text[..run_start(text, at, MAX_BACKSLASHES, |c| c == b'\\')];
    if !(head.ends_with(b"resource ") || head.ends_with(b"data ")) || !matches!(text[key], b'n' | b'i') {
        return None;
    }
    let end = run_end(text, at + 1, MAX_TYPE, |c| is_alnum(c) || c == b'_');
    (depth(&text[end..key]) == Some(1)).then_some((at + 1, end))
}

/// `source = "terraform-aws-modules/sqs/aws"`, with `key` in the same block: `aws-modules/sqs`.
fn module(text: &[u8], at: usize, key: usize) -> Option<(usize, usize)> {
    let end = run_end(text, at + MODULE.len(), MAX_TYPE, |c| is_alnum(c) || c == b'-');
    let open = memchr::memchr2_iter(b'{', b'}', text.get(end..key)?)
        .try_fold(0usize, |open, brace| if text[end + brace] == b'{' { Some(open + 1) } else { open.checked_sub(1) });
    (open == Some(0)).then_some((at + b"terraform-".len(), end))
}

/// `Type: AWS::SSM::Parameter`, with `key` among its properties.
fn cloudformation(text: &[u8], at: usize, key: usize) -> Option<(usize, usize)> {
    let service = at + CLOUDFORMATION.len();
    let service_end = run_end(text, service, MAX_TYPE, is_alnum);
    let noun = service_end + 2;
    let end = run_end(text, noun, MAX_TYPE, is_alnum);
    let between = text.get(end..key).filter(|_| text[service_end..].starts_with(b"::"))?;
    let properties = end + memchr::memmem::find(between, b"Properties")?;
    let is_own = if memchr::memchr(b'{', between).is_some() {
        depth(between) == Some(1)
    } else {
        let (outer, inner) = (indentation(text, properties)?, indentation(text, key)?);
        inner > outer && inner - outer <= 4
    };
    is_own.then_some((service_end, end))
}

/// How many braces are open at the end of this; `None` where the first was closed again.
pub(in crate::detect) fn depth(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'{', b'}', text).try_fold(0usize, |open, brace| match text[brace] {
        b'{' => Some(open + 1),
        _ => open.checked_sub(1).filter(|&left| left > 0),
    })
}

/// Blanks between the beginning of the line and `at`; `None` where something else stands there.
fn indentation(text: &[u8], at: usize) -> Option<usize> {
    let start = run_start(text, at, MAX_TYPE, |c| c == b' ');
    let before = &text[..start];
    (before.is_empty() || before.ends_with(b"\n") || before.ends_with(b"\\n")).then_some(at - start)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn modules_of_the_registry_have_names() {
        let text = "module \"network\" {\n  source  = \"terraform-aws-modules/vpc/aws\"\n  version = \"5.8.1\"\n\n  \
            tags = { a = 1 }\n  name = \"acme-net\"\n  rules = [{ name = \"http\" }]\n}\n\nfoo { name = \"other\" }\n";
        assert_eq!(found(text), [("name:resource".into(), "acme-net")]);
    }

    #[test]
    fn the_type_of_a_resource_says_what_its_name_is() {
        for (text, kind, name) in [
            ("resource \"aws_sqs_queue\" \"q\" {\n  name = \"orders\"\n}", "name:sqs-queue", "orders"),
            (
                "resource \"aws_iam_role\" \"r\" {\n  tags = { team = \"x\" }\n  name = \"deployer\"",
                "name:iam-role",
                "deployer",
            ),
            ("data \"aws_ecr_repository\" \"r\" {\n  name = \"shop/api\"\n}", "name:ecr-repository", "shop/api"),
            (
                "  P:\n    Type: AWS::SSM::Parameter\n    Properties:\n      Name: /shop/url\n",
                "name:ssm-parameter",
                "/shop/url",
            ),
            (
                "{\"Type\": \"AWS::Kinesis::Stream\", \"Properties\": {\"Name\": \"clicks\"}}",
                "name:kinesis-stream",
                "clicks",
            ),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
    }

    #[test]
    fn ids_of_what_terraform_works_on() {
        for (text, kind, id) in [
            ("aws_s3_bucket.logs: Refreshing state... [id=acme-logs]", "name:s3-bucket", "acme-logs"),
            (
                "module.x.aws_iam_role.ci: Still creating... [id=deployer-ci, 10s elapsed]",
                "name:iam-role",
                "deployer-ci",
            ),
            ("\naws_sqs_queue.q[\"a\"]: Modifying... [id=orders-q]\n", "name:sqs-queue", "orders-q"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), id)], "{text}");
        }
        assert_eq!(found("null_resource.x: Creating... [id=acme-logs]"), []);
    }

    #[test]
    fn what_terraform_takes_over() {
        for (text, kind, id) in [
            ("terraform import aws_s3_bucket.assets acme", "name:s3-bucket", "acme"),
            ("$ terraform import -no-color 'module.x.aws_iam_role.ci[\"a\"]' deployer\n", "name:iam-role", "deployer"),
            ("terraform import aws_route53_record.a Z3M3LMPEXAMPLE1_a.io_A", "route53:hosted-zone", "Z3M3LMPEXAMPLE1"),
            ("tofu import aws_lambda_function.thumb acme-thumb", "name:lambda-function", "acme-thumb"),
            ("import {\n  to = module.x.aws_iam_role.ci\n  id = \"deployer\"\n}", "name:iam-role", "deployer"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), id)], "{text}");
        }
        assert_eq!(found("terraform import null_resource.x acme-logs; terraform import\n"), []);
    }

    #[test]
    fn names_of_resources_without_a_kind_of_their_own() {
        for text in [
            "resource \"aws_scheduler_schedule\" \"s\" {\n  name = \"nightly\"\n}",
            "A:\n  Type: AWS::ApiGateway::RestApi\n  Properties: {Name: acme-gateway}\n",
            "A:\n  Type: AWS::Synthetics::Canary\n  Properties:\n    Name: acme\n",
            "aws kendra create-index --role x \\\n  --name acme",
        ] {
            assert!(found(text).iter().any(|(kind, _)| kind == "name:resource"), "{text}");
        }
        for text in [
            "resource \"aws_route53_record\" \"r\" {\n  name = \"www\"\n}",
            "data \"aws_cloudfront_cache_policy\" \"p\" {\n  name = \"Managed-CachingOptimized\"\n}",
            "aws ecr get-login-password | docker run --name acme",
            "aws ecr get-login-password\ndocker run --name acme",
            "aws s3 ls --name acme",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn other_names_in_a_resource_are_not_its_own() {
        for text in [
            "resource \"aws_dynamodb_table\" \"t\" {\n  attribute {\n    name = \"OrderId\"\n  }\n}",
            "resource \"aws_sqs_queue\" \"q\" {\n}\nvariable \"x\" {\n  name = \"orders\"\n}",
            "resource \"aws_sqs_queue\" \"q\" {\n  tags = {\n    Name = \"orders\"\n  }\n}",
            "module \"aws_sqs_queue\" {\n  name = \"orders\"\n}",
            "Type: AWS::Kinesis::Stream\nProperties:\n  Things:\n    Deep:\n      Name: clicks\n",
            "{\"Type\": \"AWS::Kinesis::Stream\", \"Properties\": {\"Thing\": {\"Name\": \"clicks\"}}}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn resources_of_pulumi_and_records_of_terraform() {
        for (text, name) in [
            ("  ~ aws:s3/bucket:Bucket: (update)\n      [id=acme-raw-1]\n      [urn=urn:pulumi:x]\n", "acme-raw-1"),
            ("config:\n  app:bucketName: acme-raw-1\n", "acme-raw-1"),
            ("aws_route53_record.api: Destroying... [id=Z0123456789ABCDEFGHIJ_www.x.io_A]", "Z0123456789ABCDEFGHIJ"),
        ] {
            assert_eq!(parts(text), [name], "{text}");
        }
        for text in ["  + random:index/string: (create)\n      [id=acme-raw-1]\n", "app:bucketName: acme-raw-1\n"] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
