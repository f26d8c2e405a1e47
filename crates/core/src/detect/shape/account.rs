//! Twelve-digit account ids. Twelve digits alone are an order number as well, so something around them must say so.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use once_cell::sync::OnceCell;

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::shape::arn::{is_account, is_region};
use crate::detect::text::boundary::{
    MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start, word_start,
};
use crate::detect::text::line::{break_before, line_start};

/// How far before and after the digits a word may say what they are, bytes.
const REACH_BEFORE: usize = 40;
const REACH_AFTER: usize = 20;
/// How far before an account the key of the map that it is in may stand, bytes.
const REACH_OF_MAP: usize = 120;
/// Most blanks and quotes around a cell.
const MAX_BLANKS: usize = 32;
/// Longest name of a region.
const MAX_REGION: usize = 20;
/// How much of the command before an output is looked at, bytes.
const MAX_COMMAND: usize = 128;
/// Longest id of a zone, and longest domain.
const MAX_ZONE: usize = 33;
const MAX_DOMAIN: usize = 255;
/// Longest word before a bracket.
const MAX_WORD: usize = 64;
/// Longest name of a user of IAM, and what CodeCommit puts behind it.
const MAX_USER: usize = 64;
/// Length of a UUID before its last group.
const UUID_BEFORE: usize = 24;
const AT: &[u8] = b"-at-";
const WORDS: &[&str] = &[
    "account",
    "awslogs/",
    "principal",
    "acct",
    // Names of variables that lost their underscores: `EC2SECURITYGROUPOWNERID=618734209955`.
    "ownerid=",
    // `The repository … does not exist in the registry with id '618734209955'`, of ECR.
    "registry with id",
    // Of an event of S3; other software has a `requester_id`.
    "requester\"",
    "requester\\",
    "requester'",
    "계정",
    "주체",
    "어카운트",
    "アカウント",
    "账户",
    "账号",
    "帳戶",
    "konto",
    "cuenta",
    "conta ",
    "compte",
];

const OWNERS: [&[u8]; 3] = [b"owner id", b"owner", b"payer"];
/// Words before numbers in brackets that are of something else.
const OTHERS: [&[u8]; 8] = [b"bytes", b"case", b"id", b"invoice", b"order", b"size", b"ticket", b"time"];

impl Scan<'_, '_> {
    /// Looks at the run of digits that begins at `start`; gives where to go on.
    pub(in crate::detect) fn digits(&mut self, start: usize) -> usize {
        let text = self.text;
        let end = run_end(text, start, text.len(), |c| c.is_ascii_digit());
        let kind = self.detector.catalog.known.account;
        let (end, is_id) = match end - start {
            12 => (end, true),
            4 => match grouped_end(text, start) {
                // Any three numbers have blanks between them.
                Some(group_end) if text[end] == b'-' || says_account(text, start, group_end) => (group_end, true),
                _ => (end, false),
            },
            // `2017-12-13T08:16:02.130Z Z0123412341234 example.com A NOERROR …`
            3 if text[end..].starts_with(b"Z Z") => {
                self.zone_of_query(end + 2);
                (end, false)
            }
            _ => (end, false),
        };
        if is_id && stands_alone(text, start, end) && self.wants(kind) {
            if let Some(user) = user_of_git(text, start) {
                let user_kind = self.detector.catalog.known.iam_user;
                self.finding(user_kind, user, end);
                self.part(user_kind, user, start - AT.len(), true);
                self.part(kind, start, end, false);
            } else if says_account(text, start, end) {
                self.whole(kind, start, end);
            } else {
                self.loose(kind, start, end);
            }
        }
        end
    }
}

impl Scan<'_, '_> {
    /// Records the zone at `at` in a line of a log of queries, whose fields have no names: a domain and the type of a record
    /// stand behind it.
    ///
    /// Source: Amazon Route 53 Developer Guide, "Public DNS query logging", values that appear in DNS query logs.
    fn zone_of_query(&mut self, at: usize) {
        let text = self.text;
        let end = run_end(text, at, MAX_ZONE, is_alnum);
        let domain = run_end(text, end + 1, MAX_DOMAIN, |c| c.is_ascii_graphic() && c != b'\\');
        let kind = self.detector.catalog.known.hosted_zone;
        let is_record = text.get(domain) == Some(&b' ') && text.get(domain + 1).is_some_and(u8::is_ascii_uppercase);
        let is_zone = text.get(end) == Some(&b' ') && is_believable(ValueShape::ZoneId, &text[at..end], Setting::Sure);
        if is_zone && is_record && self.wants(kind) {
            self.whole(kind, at, end);
        }
    }

    /// Believes numbers that stand in brackets behind the name of their account.
    pub(in crate::detect) fn accounts_behind_names(&mut self) {
        for i in 0..self.hits.loose.len() {
            let Range { start, end } = self.hits.loose[i].span;
            if self.is_behind_its_name(start, end) {
                self.whole(self.detector.catalog.known.account, start, end);
            }
        }
    }

    /// `in prod (618734209955)`, beside an identifier: so people and the console write an account behind its name.
    fn is_behind_its_name(&mut self, start: usize, end: usize) -> bool {
        let text = self.text;
        if !is_account(&text[start..end]) || !text[..start].ends_with(b" (") || text.get(end) != Some(&b')') {
            return false;
        }
        let word_end = start - 2;
        let word = run_start(text, word_end, MAX_WORD, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
        let is_other = OTHERS.iter().any(|other| text[word..word_end].eq_ignore_ascii_case(other));
        word < word_end && !is_other && !is_minute(&text[start..end]) && self.has_identifier(start)
    }
}

/// A minute as programs write it: `202411301504`, and not an account in groups, `2024-1130-1504`.
fn is_minute(digits: &[u8]) -> bool {
    if !is_account(digits) {
        return false;
    }
    let two = |at: usize| 10 * (digits[at] - b'0') + digits[at + 1] - b'0';
    matches!(two(0), 19 | 20) && (1..=12).contains(&two(4)) && (1..=31).contains(&two(6)) && two(8) < 24 && two(10) < 60
}

/// Where the name begins of the user of `jane-at-618734209955`, whose account begins at `start`: so CodeCommit calls who
/// has credentials for git.
fn user_of_git(text: &[u8], start: usize) -> Option<usize> {
    let end = text[..start].strip_suffix(AT)?.len();
    let user = run_start(text, end, MAX_USER, |c| is_alnum(c) || b"+=.@_-".contains(&c));
    let user = word_start(text, user).min(end);
    (user < end).then_some(user)
}

/// `1234-5678-9012`, as the console shows it, or `1234 5678 9012`.
fn grouped_end(text: &[u8], start: usize) -> Option<usize> {
    let id = text.get(start..start + 14)?;
    let sign = if id[4] == b' ' { b' ' } else { b'-' };
    let shaped = id.iter().enumerate().all(|(i, c)| if i == 4 || i == 9 { *c == sign } else { c.is_ascii_digit() });
    (shaped && !text.get(start + 14).is_some_and(|&c| is_alnum(c) || c == b'-')).then_some(start + 14)
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let run = run_start(text, start, 8, is_alnum);
    let left = run == start || word_start(text, run) == start;
    // `1.123456789012` and `123456789012.5` are numbers, `610327489955,618734209955` is a list of ids.
    let number = run_start(text, start.saturating_sub(1), 13, |c| c.is_ascii_digit());
    // `us-west-2.618734209955.channel` is none.
    let is_region = number.checked_sub(1).is_some_and(|at| text[at] == b'-');
    let fraction =
        !is_region && start > 0 && matches!(text[start - 1], b'.' | b',') && !matches!(start - 1 - number, 0 | 12)
            || text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    // `shardId-000000000003`
    let is_counter = text[..start].ends_with(b"shardId-");
    left && !fraction && !is_counter && !ends_uuid(text, start) && text.get(end).is_none_or(|&c| !is_alnum(c))
}

/// True for the last group of a UUID, `123e4567-e89b-12d3-a456-426614174000`: an account beside it says nothing of it.
fn ends_uuid(text: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(UUID_BEFORE).and_then(|at| text.get(at..start)) else { return false };
    before
        .iter()
        .enumerate()
        .all(|(i, c)| if matches!(i, 8 | 13 | 18 | 23) { *c == b'-' } else { c.is_ascii_hexdigit() })
}

fn says_account(text: &[u8], start: usize, end: usize) -> bool {
    // Digits may follow each other by the thousand: one search, made once.
    static SEARCH: OnceCell<Option<AhoCorasick>> = OnceCell::new();
    let search = SEARCH.get_or_init(|| AhoCorasick::builder().ascii_case_insensitive(true).build(WORDS).ok());
    let before = &text[start.saturating_sub(REACH_BEFORE)..start];
    // A line of a flow log: the account owns the interface.
    if text[end..].starts_with(b" eni-") || text[end..].starts_with(b" vpc-") || follows_interface(before) {
        return true;
    }
    // A row of ids: `vpc-0ab12cd34ef56ab78  618734209955  us-east-1`.
    if precedes_region(text, end) && follows_id(before) {
        return true;
    }
    // In a row of any table, with the region in the next cell: `| 618734209955 | us-east-1 |`.
    if precedes_cell_of_region(text, end) && !is_minute(&text[start..end]) {
        return true;
    }
    // A bad ARN, the namespace of a service, the path of a vault: `eu-west-1:618734209955`, `eu-west-1/618734209955`.
    if follows_region(before) || text[end..].starts_with(b"/vaults/") {
        return true;
    }
    // `aws://618734209955/eu-west-1`, an environment of CDK.
    if before.ends_with(b"aws://") {
        return true;
    }
    // A group of CloudWatch Logs, as its queries show it: `618734209955:/aws/lambda/orders`.
    if text[end..].starts_with(b":/") && text.get(end + 2).is_some_and(|&c| is_alnum(c)) {
        return true;
    }
    // `accounts = { prod = "618734209955" …`, over several lines.
    let sign = run_start(text, start, MAX_BACKSLASHES, |c| matches!(c, b' ' | b'"' | b'\'' | b'\\'));
    let is_value = sign < start && sign > 0 && matches!(text[sign - 1], b'=' | b':');
    // `allowedAccountIds:`, and an account in each line below: `- "618734209955"`.
    let is_item = text[..sign].ends_with(b"-") && text[sign] == b' ';
    if (is_value || is_item) && lists_accounts(&text[start.saturating_sub(REACH_OF_MAP)..start]) {
        return true;
    }
    let after = &text[end..text.len().min(end + REACH_AFTER)];
    let is_break = |i: usize| before[i] == b'\n' || before[i] == b'n' && i > 0 && before[i - 1] == b'\\';
    let from = start - before.len() + (0..before.len()).rev().find(|&i| is_break(i)).map_or(0, |i| i + 1);
    // `aws sts get-caller-identity --query Account --output text` prints nothing else.
    let above = break_before(text, start).filter(|_| from == start && (ends_line(text, end) || ends_string(text, end)));
    let line = above.map_or(&text[from..start], |above| last_line(&text[..above]));
    // What the console writes above who owns a thing.
    let label = &line[line.iter().rposition(|&c| c == b'"').map_or(0, |quote| quote + 1)..];
    let is_owned = above.is_some() && OWNERS.iter().any(|owner| label.trim_ascii().eq_ignore_ascii_case(owner));
    is_owned || search.as_ref().is_none_or(|search| search.is_match(line) || search.is_match(after))
}

/// True behind the id of a network interface and a blank, as in a flow log.
fn follows_interface(before: &[u8]) -> bool {
    let Some(word) = before.strip_suffix(b" ") else { return false };
    let start = run_start(word, word.len(), 17, |c| c.is_ascii_hexdigit());
    start < word.len() && word[..start].ends_with(b"eni-")
}

/// True before blanks and a region.
fn precedes_region(text: &[u8], at: usize) -> bool {
    let blanks = run_end(text, at, 2, |c| matches!(c, b' ' | b'\t'));
    let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    let is_escaped = slashes > at && text.get(slashes) == Some(&b't');
    let start = if is_escaped { slashes + 1 } else { blanks };
    let end = run_end(text, start, MAX_REGION, |c| is_alnum(c) || c == b'-');
    start > at && is_region(&text[start..end])
}

/// True where the cell ends, and the next one holds a region.
fn precedes_cell_of_region(text: &[u8], at: usize) -> bool {
    let is_around = |c: u8| matches!(c, b' ' | b'"' | b'\\');
    let border = run_end(text, at, MAX_BLANKS, is_around);
    if !matches!(text.get(border), Some(b'|' | b',')) {
        return false;
    }
    let start = run_end(text, border + 1, MAX_BLANKS, is_around);
    let end = run_end(text, start, MAX_REGION, |c| is_alnum(c) || c == b'-');
    is_region(&text[start..end])
}

/// True behind an id with a prefix and blanks.
fn follows_id(before: &[u8]) -> bool {
    let tab = before.strip_suffix(b"t").filter(|before| before.ends_with(b"\\"));
    let word =
        tab.map_or(before.trim_ascii_end(), |tab| &tab[..run_start(tab, tab.len(), MAX_BACKSLASHES, |c| c == b'\\')]);
    let start = run_start(word, word.len(), 32, |c| c.is_ascii_hexdigit());
    word.len() < before.len() && word.len() - start >= 8 && word[..start].ends_with(b"-")
}

/// True where a key is the word for several accounts.
fn lists_accounts(before: &[u8]) -> bool {
    memchr::memmem::find_iter(before, b"ccount").any(|at| {
        let rest = &before[at + b"ccount".len()..];
        let plural = [&b"_ids"[..], b"Ids", b"IDs", b"s"].into_iter().find_map(|end| rest.strip_prefix(end));
        let rest = plural.unwrap_or_default();
        matches!(rest.first(), Some(b'"' | b'\'' | b':' | b'=' | b' ' | b'\\'))
    })
}

/// True behind a region and a separator.
fn follows_region(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let Some(before) = before.strip_suffix(b":").or_else(|| before.strip_suffix(b"/")) else { return false };
    is_region(&before[run_start(before, before.len(), MAX_REGION, |c| is_alnum(c) || c == b'-')..])
}

/// The end of the last line.
fn last_line(text: &[u8]) -> &[u8] {
    let text = &text[text.len().saturating_sub(MAX_COMMAND)..];
    &text[line_start(text, text.len())..]
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn what_stands_before_and_after() {
        for text in [
            "$ aws sts get-caller-identity --query Account --output text\n618734209955\n",
            "eni-0ab12cd34ef56ab78 618734209955 IPv4",
            "618734209955 vpc-0ab12cd34ef56ab78",
            "GATEWAY\ttgw-0ab12cd34ef56ab78\t618734209955\tus-east-1\n",
            "| 618734209955:/aws/lambda/orders |",
            "aws:arn:secretsmanager:us-west-2:618734209955:secret:x",
            "urn:tdm:us-west-2/618734209955/default:Workflow:x",
            "/618734209955/vaults/acme",
            "variable \"accounts\" {\n  type = map(string)\n  default = {\n    network = \"618734209955\"",
            "account_ids:\n  prod: 618734209955\n",
            "  aws:allowedAccountIds:\n    - \"618734209955\"\n",
            "  mapAccounts: |\n    - \"610327489955\"\n    - \"618734209955\"\n",
            "Owner ID\n618734209955\nType\n",
            "{\"etag\":\"b1946ac9\",\"requester\":\"618734209955\"}",
            "| 618734209955 | us-east-1 | FAIL |",
            "cdk bootstrap aws://618734209955/us-east-1",
            "it does not exist in the registry with id '618734209955'",
            "\"618734209955\",\"us-east-1\",\"FAIL\"",
            "Linked account\tService\nacme-prod (618734209955)\tEC2-Other\n",
            "account_id|resource_id|cost\n618734209955|vol-0ab12cd34ef56ab78|12.20\n",
            "Principals=610327489955,618734209955,Actions=Deploy",
        ] {
            assert!(found(text).contains(&("account-id".to_owned(), "618734209955")), "{text}");
        }
        assert_eq!(found("vpc-0ab12cd34ef56ab78  618734209955  us-east-1").len(), 2);
        assert_eq!(
            found("jane-at-618734209955"),
            [("name:iam-user".to_owned(), "jane"), ("account-id".to_owned(), "618734209955")]
        );
        assert_eq!(found("ou-ab12-cdef3456 (Workloads)\n  ├ 618734209955 acme / ACTIVE").len(), 2);
        assert_eq!(found("account 000000123456"), [("account-id".to_owned(), "000000123456")]);
        assert_eq!(found("| 2024-1130-1504 | us-east-1 |"), [("account-id".to_owned(), "2024-1130-1504")]);
        let beside = "in prod (618734209955) sg-0ab12cd34ef56ab78 failed";
        assert_eq!(found(beside).first().map(|(_, part)| *part), Some("618734209955"));
        for other in ["order (618734209955)", "at (202411301504)", "(618734209955 bytes)"] {
            assert_eq!(found(&beside.replace("prod (618734209955)", other)).len(), 1, "{other}");
        }
        let query = "1.0 2017-12-13T08:16:02.130Z Z0123412341234ABCDEF example.com A NOERROR UDP FRA6";
        assert_eq!(found(query), [("route53:hosted-zone".to_owned(), "Z0123412341234ABCDEF")]);
        assert_eq!(found("EC2SECURITYGROUPOWNERID=618734209955").len(), 1);
        assert_eq!(found("account x, shardId-000000000003 of it"), []);
        for text in
            ["account 550e8400-e29b-41d4-a716-618734209955", "account_uuid: '550E8400-E29B-41D4-A716-618734209955'"]
        {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("account e29b-41d4-a716-618734209955").len(), 1);
        for text in ["my account\nis 618734209955", "order\n618734209955\n", "x-0ab12cd3 618734209955 IPv4"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn digits_in_groups() {
        for text in ["account 6187-3420-9955", "Account ID: 6187 3420 9955", "6187 3420 9955 계정"] {
            let [(kind, id)] = &found(text)[..] else { panic!("{text}") };
            assert!(kind == "account-id" && id.len() == 14, "{text}");
        }
        for text in ["6187-3420-9955", "call 6187 3420 9955", "account 6187 3420 99551", "account 6187 3420-9955"] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
