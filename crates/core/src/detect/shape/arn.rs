//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use std::borrow::Cow;

use crate::catalog::{ArnSegment, KindId};
use crate::detect::Scan;
use crate::detect::shape::prefixed::uuid_end;
use crate::detect::text::boundary::{class, follows_escape, is_alnum, run_end};
use crate::token::is_token_shaped;

/// Longest ARN looked at. AWS documents 2,048 as the longest.
const MAX_ARN: usize = 2048;
/// Longest number that is a version or an index rather than an id.
const MAX_PLAIN_NUMBER: usize = 6;
/// Longest field before the resource, and longest variable.
const MAX_FIELD: usize = 128;
const MAX_VARIABLE: usize = 64;
/// Length of a UUID.
const UUID_LEN: usize = 36;

impl Scan<'_, '_> {
    /// Looks at the ARN whose first colon is at `colon`; gives its end, or `colon` when it is none.
    pub(in crate::detect) fn arn(&mut self, colon: usize) -> usize {
        let Some(start) = colon.checked_sub(3) else { return colon };
        let text = self.text;
        let arn = self.detector.catalog.known.arn;
        if !self.wants(arn) {
            return colon;
        }
        let Some((fields, resource)) = header(text, colon) else { return colon };
        let [partition, service, region, account] = fields.map(|(from, to)| &text[from..to]);
        if !(begins_with(partition, b"aws") || partition.starts_with(b"${")) || service.is_empty() {
            return colon;
        }
        // Two ARNs that run into each other: the second is the one that is whole.
        if [region, account].iter().any(|field| ends_with(field, b"arn")) {
            return colon;
        }
        // The account says that this is an ARN where somebody wrote `REGION`, and where it is glued to a word.
        let is_region = region.is_empty() || region == b"*" || region.contains(&b'-') || region.contains(&b'$');
        let is_glued = start > 0 && is_alnum(text[start - 1]) && !follows_escape(text, start);
        if !(is_region && !is_glued || is_account(account)) {
            return colon;
        }
        let end = resource_end(text, resource);
        let before = self.hits.parts.len();
        if is_account(account) {
            let (from, to) = fields[3];
            self.part(self.detector.catalog.known.account, from, to, false);
        }
        // In examples of Pinpoint's, the id of a user stands in its place.
        if let Some(kind) = self.unique_id(account) {
            let (from, to) = fields[3];
            self.part(kind, from, to, false);
        }
        let in_capitals = service.iter().any(u8::is_ascii_uppercase);
        let service = &*own_word(service, in_capitals);
        // Quotas have the same codes in every account, and `arn:aws:states:::lambda:invoke` is what a state machine can do.
        let is_integration = service == b"states" && region.is_empty() && account.is_empty();
        let is_owned_by_aws = account.eq_ignore_ascii_case(b"aws")
            || service == b"servicequotas"
            || is_integration
            || is_public(service, &text[resource..end]);
        if !is_owned_by_aws {
            let is_regional = !(region.is_empty() && account.is_empty());
            self.arn_resource(service, resource, end, in_capitals, is_regional);
        }
        if self.hits.parts.len() > before {
            self.finding(arn, start, end);
        }
        end
    }

    fn arn_resource(&mut self, service: &[u8], start: usize, end: usize, in_capitals: bool, is_regional: bool) {
        let text = self.text;
        let catalog = self.detector.catalog;
        let mut kind = catalog.arn_words.untyped(service);
        let mut walk = catalog.arn_words.walk(service);
        let is_s3 = service == b"s3";
        // Only buckets have neither a region nor an account in their ARNs.
        let is_bucket = is_s3 && !is_regional;
        let mut segment = start;
        let mut index = 0;
        while segment < end {
            let stop = past_variables(text, segment, end, |c| c != b'/' && c != b':');
            let next = end.min(stop + 1);
            let body = &text[segment..stop];
            if is_bucket && index == 1 {
                return self.object_key(segment, end);
            }
            let meaning = if is_bucket { ArnSegment::Name } else { walk.step(body, next == end) };
            if is_region(body) && uuid_end(text, next).is_some_and(|uuid| uuid <= end) {
                self.part(catalog.known.identity_pool, segment, next + UUID_LEN, true);
                segment = next + UUID_LEN + 1;
                index += 1;
                continue;
            }
            match meaning {
                ArnSegment::Word if is_s3 && index > 0 && body == b"object" => return self.object_key(next, end),
                ArnSegment::Word => {
                    let word = &*own_word(body, in_capitals);
                    kind = catalog.arn_words.kind(service, word).or(if index == 0 { None } else { kind });
                }
                // What AWS calls the first of a kind in every account.
                ArnSegment::Name if matches!(body, b"default" | b"latest") => {}
                ArnSegment::Name => {
                    // The path of a role is no name, and a session says nothing about the role's kind.
                    let is_path = service == b"iam" && stop < end;
                    let kind = if service == b"sts" && index > 1 { Some(catalog.known.arn_name) } else { kind };
                    self.arn_segment(kind, segment, stop, !is_path);
                }
            }
            index += 1;
            segment = stop + 1;
        }
    }

    /// One segment that AWS did not put there: an id, an account, a name, or a pattern of one.
    pub(in crate::detect) fn arn_segment(&mut self, kind: Option<KindId>, start: usize, end: usize, is_name: bool) {
        let text = self.text;
        let catalog = self.detector.catalog;
        let known = &catalog.known;
        let body = &text[start..end];
        if body.len() <= MAX_PLAIN_NUMBER && body.iter().all(u8::is_ascii_digit)
            || body.starts_with(b"$") && !body.starts_with(b"${")
            || body.starts_with(b"AWSServiceRoleFor")
            || body.starts_with(b"AWS-")
            || body.starts_with(b"rds-ca-")
            || body.ends_with(b".amazonaws.com")
            || body.ends_with(b".amazonaws.com.cn")
            || is_token_shaped(body)
            || is_region(body)
        {
            return;
        }
        if is_account(body) {
            return self.part(known.account, start, end, false);
        }
        if uuid_end(text, start) == Some(end) {
            return self.part(known.uuid, start, end, true);
        }
        if let Some((kind, from, to)) = self.prefixed_within(start, end) {
            return self.part(kind, from, to, false);
        }
        let kind = kind.unwrap_or(known.arn_name);
        let is_whole = !body.iter().any(|c| matches!(c, b'*' | b'?' | b'$' | b'{' | b'}'));
        if is_whole {
            return self.part(kind, start, end, is_name);
        }
        let mut at = start;
        while at < end {
            let literal = run_end(text, at, end - at, |c| !matches!(c, b'*' | b'?' | b'$' | b'{' | b'}'));
            let spelled = &text[at..literal];
            let is_variable = at > start && text[at - 1] == b'{';
            if spelled.iter().any(|&c| is_alnum(c)) && !is_variable && !is_token_shaped(spelled) {
                self.part(kind, at, literal, false);
            }
            at = literal + 1;
        }
    }

    /// The key of an S3 object: one token, its last extension kept.
    pub(in crate::detect) fn object_key(&mut self, start: usize, end: usize) {
        let text = self.text;
        let kind = self.detector.catalog.known.object_key;
        let stem_start = run_end(text, start, end - start, |c| matches!(c, b'/' | b'*'));
        let mut stem_end = end;
        while stem_end > stem_start && matches!(text[stem_end - 1], b'*' | b'/') {
            stem_end -= 1;
        }
        if let Some(dot) = memchr::memrchr(b'.', &text[stem_start..stem_end]) {
            let extension = &text[stem_start + dot + 1..stem_end];
            if dot > 0 && (1..=5).contains(&extension.len()) && extension.iter().all(|&c| is_alnum(c)) {
                stem_end = stem_start + dot;
            }
        }
        let stem = &text[stem_start..stem_end.max(stem_start)];
        if !is_token_shaped(stem) && stem.iter().any(|&c| is_alnum(c)) {
            self.part(kind, stem_start, stem_end, false);
        }
    }
}

fn begins_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

fn ends_with(text: &[u8], word: &[u8]) -> bool {
    text.len().checked_sub(word.len()).is_some_and(|at| text[at..].eq_ignore_ascii_case(word))
}

/// Whether AWS made the resource, the same one for everybody.
fn is_public(service: &[u8], resource: &[u8]) -> bool {
    let begins = |words: &[u8]| resource.starts_with(words);
    match service {
        b"kms" => begins(b"alias/aws/"),
        b"securityhub" => {
            [&b"product/aws/"[..], b"product-subscription/aws/", b"ruleset/", b"standards/"].into_iter().any(begins)
        }
        b"ssm" => begins(b"parameter/aws/service/"),
        // `foundation-model/anthropic.claude-v2`, `inference-profile/us.anthropic.claude-v2`: a vendor, its model. The
        // profiles of customers are `application-inference-profile`.
        b"bedrock" => (begins(b"foundation-model/") || begins(b"inference-profile/")) && resource.contains(&b'.'),
        _ => false,
    }
}

/// A word of AWS as its tables have it, where the whole ARN may be in capitals.
fn own_word(word: &[u8], in_capitals: bool) -> Cow<'_, [u8]> {
    if in_capitals { Cow::Owned(word.to_ascii_lowercase()) } else { Cow::Borrowed(word) }
}

/// The four fields after `arn:` and the offset of the resource.
fn header(text: &[u8], colon: usize) -> Option<([(usize, usize); 4], usize)> {
    let mut at = colon + 1;
    let mut fields = [(0, 0); 4];
    for index in 0..fields.len() {
        let end = past_variables(text, at, text.len().min(at + MAX_FIELD), |c| class::of(c) & class::FIELD != 0);
        fields[index] = (at, end);
        if text.get(end) != Some(&b':') {
            // That of an account, which some services have: `arn:aws:iotthingsgraph:eu-west-1:618734209955`.
            let is_whole = index == 3 && is_account(&text[at..end]);
            return is_whole.then_some((fields, end));
        }
        at = end + 1;
    }
    Some((fields, at))
}

/// [`run_end`] from `at`, with variables in it as long as they are: `${AWS::Region}`, `${var.region}`.
fn past_variables(text: &[u8], at: usize, limit: usize, member: fn(u8) -> bool) -> usize {
    let mut end = at;
    loop {
        end = run_end(text, end, limit.saturating_sub(end), |c| c != b'$' && member(c));
        if end >= limit || text.get(end) != Some(&b'$') {
            return end;
        }
        let close = run_end(text, end, MAX_VARIABLE.min(limit - end), |c| c != b'}' && c != b'"' && c != b'\n');
        let is_variable = text.get(end + 1) == Some(&b'{') && close < limit && text.get(close) == Some(&b'}');
        end = if is_variable { close + 1 } else { end + 1 };
    }
}

/// Where the resource ends: at white space, quotes, brackets, commas and everything that is not ASCII; punctuation of
/// the sentence around it does not belong to it.
fn resource_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    let limit = text.len().min(start + MAX_ARN);
    while end < limit {
        let c = text[end];
        let belongs = class::of(c) & class::RESOURCE != 0
            || c == b'{' && end > start && text[end - 1] == b'$'
            || c == b'}' && text[start..end].contains(&b'{');
        if !belongs {
            break;
        }
        // Another ARN, without anything in between.
        if c == b':' && ends_with(&text[start..end], b"arn") && begins_with(&text[end + 1..], b"aws") {
            end -= 3;
            break;
        }
        end += 1;
    }
    while end > start && matches!(text[end - 1], b'.' | b':' | b'?' | b'!' | b'=' | b'#') {
        end -= 1;
    }
    end
}

pub(in crate::detect) fn is_account(text: &[u8]) -> bool {
    text.len() == 12 && text.iter().all(u8::is_ascii_digit)
}

/// `us-east-1`, `ap-northeast-2a`, `us-gov-west-1`, `us-isob-east-1`, `eusc-de-east-1`.
pub(in crate::detect) fn is_region(text: &[u8]) -> bool {
    static AREAS: [&[u8]; 12] =
        [b"af", b"ap", b"ca", b"cn", b"eu", b"eusc", b"il", b"me", b"mx", b"sa", b"us", b"global"];
    static PLACES: [&[u8]; 17] = [
        b"central",
        b"east",
        b"north",
        b"northeast",
        b"northwest",
        b"south",
        b"southeast",
        b"southwest",
        b"west",
        b"gov",
        b"iso",
        b"isob",
        b"isoe",
        b"isof",
        b"de",
        b"northern",
        b"southern",
    ];
    // Most names end otherwise.
    if text.len() < 7 || !text[text.len() - 2..].iter().any(u8::is_ascii_digit) {
        return false;
    }
    let mut parts = text.split(|&c| c == b'-');
    let Some(last) = parts.next_back() else { return false };
    let number = match last {
        [digits @ .., b'a'..=b'f'] if text.len() > 8 => digits,
        digits => digits,
    };
    let is_number = (1..=2).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    let mut places = 0;
    is_number
        && parts.next().is_some_and(|area| AREAS.contains(&area))
        && parts.all(|place| {
            places += 1;
            PLACES.contains(&place)
        })
        && places > 0
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn the_id_of_a_user_may_stand_where_the_account_does() {
        let text = "arn:aws:mobiletargeting:us-west-2:AIDAQ7ZK3M5X2W9LPVNB:apps/9d1c2e7f4a6b";
        let parts = [("iam:user-id".to_owned(), "AIDAQ7ZK3M5X2W9LPVNB"), ("arn:name".to_owned(), "9d1c2e7f4a6b")];
        assert_eq!(found(text), parts);
        assert!(found("arn:aws:s3:us-west-2:AIDAQ7ZK:x/aws").iter().all(|(kind, _)| kind != "iam:user-id"));
    }

    #[test]
    fn arns_in_capitals() {
        assert_eq!(
            found("ARN:AWS:IAM::618734209955:ROLE/BILLING"),
            [("account-id".to_owned(), "618734209955"), ("name:iam-role".to_owned(), "BILLING")]
        );
        assert_eq!(
            found("Arn:Aws:States:us-east-1:618734209955:StateMachine:billing")[1],
            ("name:state-machine".to_owned(), "billing")
        );
        assert_eq!(found("ARN:AWS:IAM::AWS:POLICY/ReadOnlyAccess"), []);
        assert_eq!(found("arn:aws:rds:us-east-1::cert:rds-ca-rsa2048-g1"), []);
        assert_eq!(found("arn:aws:states:::sns:publish.waitForTaskToken, arn:aws:states:::aws-sdk:s3:getObject"), []);
    }

    #[test]
    fn names_that_are_also_words_of_aws() {
        for (text, expected) in [
            (
                "arn:aws:dynamodb:us-east-1:618734209955:table/account/index/index",
                &["618734209955", "account", "index"][..],
            ),
            ("arn:aws:lambda:us-east-1:618734209955:function:registry:live", &["618734209955", "registry", "live"]),
            ("arn:aws:iam::618734209955:role/service-role/role", &["618734209955", "role"]),
            ("arn:aws:s3:::accesspoint/object/x.csv", &["accesspoint", "object/x"]),
            ("arn:aws:s3:us-east-1:618734209955:accesspoint/acme/object/x/y.csv", &["618734209955", "acme", "x/y"]),
            ("arn:aws:events:us-east-1:618734209955:rule/default/nightly", &["618734209955", "nightly"]),
            ("arn:aws:kms:us-east-1:618734209955:alias/aws/s3", &["618734209955"]),
            ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", &[]),
            ("arn:aws:bedrock:us-east-1:618734209955:inference-profile/us.amazon.nova-pro-v1:0", &["618734209955"]),
            ("arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0", &[]),
            (
                "arn:aws-cn:iam::618734209955:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/\
                 4FFF3DF74FBFC37FE65A9EF267C358F8",
                &["618734209955", "4FFF3DF74FBFC37FE65A9EF267C358F8"],
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn arns_that_run_into_each_other() {
        for (text, expected) in [
            ("arn:aws:s3:::*arn:aws:s3:::acme-logs", &["acme-logs"][..]),
            ("arn:aws:iam::*arn:aws:iam::618734209955:role/x", &["618734209955", "x"]),
            ("arn:aws:iam::610327489955:*arn:aws:sqs:us-east-1:618734209955:q", &["610327489955", "618734209955", "q"]),
            (
                "arn:aws:sts::610327489955:assumed-role/a/barn:aws:iam::618734209955:role/x",
                &["610327489955", "a", "b", "618734209955", "x"],
            ),
            ("arn:aws:sqs:us-east-1arn:aws:iam::618734209955:role/x", &["618734209955", "x"]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn arns_with_variables_in_them() {
        for (text, expected) in [
            ("!Sub \"arn:aws:sqs:${AWS::Region}:618734209955:orders\"", &["618734209955", "orders"][..]),
            ("!Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/acme", &["acme"]),
            ("arn:${AWS::Partition}:s3:::acme-${AWS::Region}/*", &["acme-"]),
            ("arn:aws:dynamodb:${self:provider.region}:618734209955:table/acme", &["618734209955", "acme"]),
            (
                "\"arn:${data.aws_partition.current.partition}:iam::618734209955:role/${var.name}-ci\"",
                &["618734209955", "-ci"],
            ),
            ("arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/acme", &["acme"]),
            ("arn:aws:s3:::${Bucket}/*", &[]),
            ("arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess", &[]),
            ("arn:${AWS::Partition:iam::618734209955:role/x", &[]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn arns_glued_to_a_word_have_an_account() {
        assert_eq!(parts("rolearn:aws:iam::618734209955:role/x"), ["618734209955", "x"]);
        assert_eq!(parts("learn:aws:iam:::x"), [""; 0]);
        assert_eq!(parts("arn:aws:iotthingsgraph:eu-west-1:618734209955."), ["618734209955"]);
    }
}
