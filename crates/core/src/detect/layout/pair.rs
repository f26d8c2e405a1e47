//! Lists of names and values: `{"name": "S3_BUCKET", "value": "acme-logs"}`, `ParameterKey: VpcId` and what follows it.

use std::ops::Range;

use crate::catalog::{MAX_KEY_LEN, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::key::{key_end, key_start};
use crate::detect::setting::value::quoted_value;
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::line::{break_before, line_start};

/// Most bytes between the two members of a pair.
const MAX_GAP: usize = 96;
/// Most that tools print before a line, bytes.
const MAX_GUTTER: usize = 120;
/// Longest value that stands before its name, bytes.
const MAX_VALUE: usize = 256;
/// How far from a parameter's value its type may stand, bytes.
const MAX_PARAMETER: usize = 256;

/// The hint that tags are near.
pub(in crate::detect) const TAGS: &str = "tags";
/// The key of the tag by which the consoles call a thing.
const NAME_TAG: &[u8] = b"Name";

/// What stands before it in a filter.
const TAG: &[u8] = b"tag:";

/// The member that has the name, for the last word of the one that has the value.
const NAMES: &[&[u8]] = &[b"name", b"key"];

impl Scan<'_, '_> {
    /// What the value means whose key, `value` or one that ends in it, begins at `key`: the name before it says so.
    pub(in crate::detect) fn meanings_of_value(&self, key: usize) -> Vec<Member> {
        let mut meanings: Vec<_> = self.secure_string(key).into_iter().collect();
        let name = name_before(self.text, key).or_else(|| name_behind(self.text, key));
        match name.map(|name| &self.text[name]) {
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

/// The name of the pair whose value's key begins at `key`, in the same line or the one before.
fn name_before(text: &[u8], key: usize) -> Option<Range<usize>> {
    name_ending_at(text, back_over_gap(text, key)).or_else(|| {
        // Tools print more before lines than numbers: times, names, who wrote them.
        let line = start_of_line(text, key)?;
        let name = name_ending_at(text, back_over_gap(text, break_before(text, line)?))?;
        let member = memchr::memrchr2(b':', b'=', &text[..name.start])?;
        let member = key_start(text, key_end(text, member));
        are_alike(&text[start_of_line(text, member)?..member], &text[line..key]).then_some(name)
    })
}

/// Where the line begins that `at` stands in, if not much stands before it.
fn start_of_line(text: &[u8], at: usize) -> Option<usize> {
    let floor = at.saturating_sub(MAX_GUTTER);
    (floor..=at).rev().find(|&start| start == 0 || break_before(text, start).is_some())
}

/// True for what a tool may have put before two lines: the same words, but for those with digits in them.
fn are_alike(first: &[u8], second: &[u8]) -> bool {
    let words = |line: &[u8]| -> Vec<Vec<u8>> {
        let words = line.split(|&c| !is_alnum(c) && c.is_ascii()).filter(|word| !word.is_empty());
        words.map(|word| if word.iter().any(u8::is_ascii_digit) { b"0".to_vec() } else { word.to_vec() }).collect()
    };
    // Blanks alone were looked over.
    second.iter().any(u8::is_ascii_graphic) && words(first) == words(second)
}

/// The name of the pair whose value stands before it, behind its key at `key`: `{"value": "acme-logs", "name": "BUCKET"}`.
fn name_behind(text: &[u8], key: usize) -> Option<Range<usize>> {
    let is_of_key = |c: u8| is_alnum(c) || matches!(c, b'_' | b'-');
    let around = |at: usize| run_end(text, at, MAX_GAP, |c| matches!(c, b'"' | b'\'' | b'\\' | b' '));
    let behind_sign = |at: usize| {
        let sign = around(at);
        matches!(text.get(sign), Some(b':' | b'=')).then_some(sign + 1)
    };
    let value = behind_sign(run_end(text, key, MAX_KEY_LEN, is_of_key))?;
    let value = run_end(text, value, MAX_GAP, |c| c == b' ');
    let value_end = match quoted_value(text, value) {
        Some(found) => found.next,
        None => run_end(text, value, MAX_VALUE, |c| c.is_ascii_graphic() && !b"\"'`,;{}[]\\".contains(&c)),
    };
    let member = over_gap(text, value_end);
    let member_end = run_end(text, member, MAX_KEY_LEN, is_of_key);
    let is_name = value_end > value && ends_in_name(&text[member..member_end]);
    let name = around(behind_sign(member_end).filter(|_| is_name)?);
    let end = run_end(text, name, MAX_KEY_LEN, is_of_name);
    (end > name).then_some(name..end)
}

/// Past white space, quotes and commas, also where they are escaped.
fn over_gap(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < from + MAX_GAP {
        let next =
            run_end(text, at, MAX_GAP, |c| c.is_ascii_whitespace() || matches!(c, b'"' | b'\'' | b'\\' | b',' | b';'));
        let is_escape = text[at..next].ends_with(b"\\") && matches!(text.get(next), Some(b'n' | b'r' | b't'));
        if !is_escape {
            return next;
        }
        at = next + 1;
    }
    at
}

fn is_of_name(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'_' | b'-' | b'.')
}

/// True for the key of a pair that has the name.
fn ends_in_name(member: &[u8]) -> bool {
    let is_name =
        |name: &&[u8]| member.len().checked_sub(name.len()).is_some_and(|at| member[at..].eq_ignore_ascii_case(name));
    NAMES.iter().any(is_name)
}

/// The name of a pair that ends at `end`.
fn name_ending_at(text: &[u8], end: usize) -> Option<Range<usize>> {
    let start = run_start(text, end, MAX_KEY_LEN, is_of_name);
    let start = start - if text[..start].ends_with(TAG) { TAG.len() } else { 0 };
    let colon = back_over_quotes(text, start);
    if start == end || !matches!(text.get(colon.checked_sub(1)?), Some(b':' | b'=')) {
        return None;
    }
    let member = key_end(text, colon - 1);
    ends_in_name(&text[key_start(text, member)..member]).then_some(start..end)
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
    fn the_name_of_a_pair_may_stand_behind_its_value() {
        for (text, kind, part) in [
            (r#"[{"value": "acme-logs", "name": "S3_BUCKET"}]"#, "name:s3-bucket", "acme-logs"),
            ("- value: s3cr3t!x\n  name: DB_PASSWORD\n", "cred:password", "s3cr3t!x"),
            (r#"{"ParameterValue": "s3cr3t!x", "ParameterKey": "DBPassword"}"#, "cred:password", "s3cr3t!x"),
            (r#"{"Tags": [{"Value": "acme-web", "Key": "Name"}]}"#, "name:resource", "acme-web"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), part)], "{text}");
        }
        for text in [
            "- value: s3cr3t!x\n- name: DB_PASSWORD\n",
            r#"{"value": "s3cr3t!x"}, {"name": "DB_PASSWORD"}"#,
            r#"{"value": "s3cr3t!x", "id": 7, "name": "DB_PASSWORD"}"#,
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn tools_print_more_before_lines_than_numbers() {
        for (first, second) in [
            ("2026-01-02T03:04:05.678Z ", "2026-01-02T03:04:05.679Z "),
            ("web-1  | ", "web-1  | "),
            ("a1b2c3d4 (Jane Doe 2026-01-02 03:04:05 +0000  7) ", "0f9e8d7c (Jane Doe 2026-01-02 03:04:06 +0000  8) "),
            ("my dir/a.yaml:7:", "my dir/a.yaml:8:"),
            ("  7 │ ", "  8 │ "),
            ("L7: ", "L8: "),
            ("# ", "# "),
            ("      + ", "      + "),
        ] {
            let text = format!("{first}- name: DB_PASSWORD\n{second}  value: s3cr3t!x\n");
            assert_eq!(found(&text), [("cred:password".to_owned(), "s3cr3t!x")], "{text}");
        }
        let text = "the name: DB_PASSWORD\nand a value: s3cr3t!x\n";
        assert_eq!(found(text), [], "{text}");
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
