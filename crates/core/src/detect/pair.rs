//! Lists of names and values: `{"name": "S3_BUCKET", "value": "acme-logs"}`, `ParameterKey: VpcId` and what follows it.

use std::ops::Range;

use super::Scan;
use super::boundary::{is_alnum, run_end, run_start};
use super::key::{Words, key_end, key_start};
use super::line::line_start;
use crate::catalog::{MAX_KEY_LEN, Match, Member, ValueShape};

/// Most bytes between the two members of a pair.
const MAX_GAP: usize = 96;
/// How far from a parameter's value its type may stand, bytes.
const MAX_PARAMETER: usize = 256;

/// The hint that tags are near.
pub(super) const TAGS: &str = "tags";
/// The key of the tag by which the consoles call a thing.
const NAME_TAG: &[u8] = b"Name";

/// What stands before it in a filter.
const TAG: &[u8] = b"tag:";

/// The member that has the name, for the last word of the one that has the value.
const NAMES: &[&[u8]] = &[b"name", b"key"];

impl Scan<'_, '_> {
    /// What the value means whose key, `value` or one that ends in it, begins at `key`: the name before it says so.
    pub(super) fn meanings_of_value(&self, key: usize) -> Vec<Member> {
        let mut meanings: Vec<_> = self.secure_string(key).into_iter().collect();
        match name_before(self.text, key).map(|name| &self.text[name]) {
            // `Name=tag:Name,Values=…`
            Some(name) if name == [TAG, NAME_TAG].concat() => {
                let kind = self.detector.catalog.known.resource_name;
                meanings.push(Member { kind, matches: Match::Exact, value: ValueShape::OwnName, hint: None });
            }
            Some(NAME_TAG) => {
                let kind = self.detector.catalog.known.resource_name;
                meanings.push(Member { kind, matches: Match::Exact, value: ValueShape::OwnName, hint: Some(TAGS) });
            }
            Some(name) => meanings.extend(self.meanings_of_words(&Words::split(name))),
            None => {}
        }
        meanings
    }
}

impl Scan<'_, '_> {
    /// What the value of a parameter of Systems Manager is whose type, before it or behind it, is `SecureString`.
    fn secure_string(&self, key: usize) -> Option<Member> {
        let text = self.text;
        let from = run_start(text, key, MAX_PARAMETER, |c| !matches!(c, b'{' | b'}'));
        let to = run_end(text, key, MAX_PARAMETER, |c| !matches!(c, b'{' | b'}'));
        memchr::memmem::find(&text[from..to], b"SecureString")?;
        let kind = self.detector.catalog.known.password;
        Some(Member { kind, matches: Match::Suffix, value: ValueShape::QuotedSecret, hint: None })
    }
}

/// The name of the pair whose value's key begins at `key`.
fn name_before(text: &[u8], key: usize) -> Option<Range<usize>> {
    let end = back_over_gap(text, key);
    let start = run_start(text, end, MAX_KEY_LEN, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'.'));
    let start = start - if text[..start].ends_with(TAG) { TAG.len() } else { 0 };
    let colon = back_over_quotes(text, start);
    if start == end || !matches!(text.get(colon.checked_sub(1)?), Some(b':' | b'=')) {
        return None;
    }
    let member = key_end(text, colon - 1);
    let member = &text[key_start(text, member)..member];
    let is_name =
        |name: &&[u8]| member.len().checked_sub(name.len()).is_some_and(|at| member[at..].eq_ignore_ascii_case(name));
    NAMES.iter().any(is_name).then_some(start..end)
}

fn back_over_quotes(text: &[u8], at: usize) -> usize {
    run_start(text, at, MAX_GAP, |c| matches!(c, b'"' | b'\'' | b'\\' | b' '))
}

/// Back over white space, quotes and commas, also where they are escaped, and a comment.
fn back_over_gap(text: &[u8], from: usize) -> usize {
    let floor = from.saturating_sub(MAX_GAP);
    let (mut at, mut is_past_comment) = (from, false);
    while at > floor {
        match (at.checked_sub(2).map(|i| text[i]), text[at - 1]) {
            (Some(b'\\'), b'n' | b'r' | b't') => at -= 2,
            (_, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b',' | b';') => at -= 1,
            // Behind a comment, before which the line goes on.
            _ if !is_past_comment && text[at - 1] != b':' => {
                let line = line_start(text, at).max(floor);
                let Some(sign) = memchr::memmem::rfind(&text[line..at], b" #") else { break };
                (at, is_past_comment) = (line + sign, true);
            }
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn the_name_of_a_pair_says_what_its_value_is() {
        for (text, kind, part) in [
            (r#"{"name": "S3_BUCKET", "value": "acme"}"#, "name:s3-bucket", "acme"),
            (r#"{\"name\":\"S3_BUCKET\",\"value\":\"acme\"}"#, "name:s3-bucket", "acme"),
            ("{\"Name\": \"TableName\",\n      \"Value\": \"orders\"}", "name:dynamodb-table", "orders"),
            (r#"{\"name\": \"DB_PASSWORD\",\n  \"value\": \"s3cr3t!x\"}"#, "cred:password", "s3cr3t!x"),
            ("- name: DB_PASSWORD\n  value: s3cr3t!x\n", "cred:password", "s3cr3t!x"),
            ("ParameterKey=BucketName,ParameterValue=acme-logs ", "name:s3-bucket", "acme-logs"),
            (r#"{"OutputKey": "QueueName", "OutputValue": "orders"}"#, "name:sqs-queue", "orders"),
            (r#"{"Name": "bucket-name", "Values": ["acme"]}"#, "name:s3-bucket", "acme"),
            (r#"{"Name": "/x/y", "Type": "SecureString", "Value": "oat-Rivet"}"#, "cred:password", "oat-Rivet"),
            (r#"{"Value": "oat-Rivet", "Type": "SecureString"}"#, "cred:password", "oat-Rivet"),
            ("{Name=FunctionName, Value=resize-7}", "name:lambda-function", "resize-7"),
            (r#"{"Tags": [{"Key": "Name", "Value": "Acme web"}]}"#, "name:resource", "Acme web"),
            ("--filters Name=tag:Name,Values=acme-web ", "name:resource", "acme-web"),
            (r#"[{"Name": "tag:Name", "Values": ["acme-web"]}]"#, "name:resource", "acme-web"),
            ("- name: DB_PASSWORD # of db\n  value: s3cr3t!x\n", "cred:password", "s3cr3t!x"),
            ("TagSet:\n- Key: Name\n  Value: acme-web\n", "name:resource", "acme-web"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), part)], "{text}");
        }
    }

    #[test]
    fn other_values() {
        for text in [
            r#"{"name": "color", "value": "acme"}, {"Type": "SecureString"}"#,
            r#"{"bucket": 1, "value": "acme"}"#,
            r#"{"name": "S3_BUCKET"}, {"value": "acme"}"#,
            r#"{"Key": "Name", "Value": "web-1"}"#,
            r#"{"Tags": [{"Key": "Name", "Value": "web"}, {"Key": "Team", "Value": "acme-web"}]}"#,
            "value: acme",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
