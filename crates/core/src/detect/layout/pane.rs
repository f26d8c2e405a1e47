//! What is copied from a page of the console: a label in one line, and in the line below it what it labels.
//!
//! `Key pair assigned at launch`, `acme-ops`; `VPC`, `acme-vpc (vpc-0ab12cd34ef56ab78)`. Such lines mean something around
//! an identifier that has a line and a label of its own.
//!
//! Source: the details that Amazon EC2, Amazon RDS, IAM, AWS Lambda and Billing show of a resource.

use std::ops::Range;

use crate::catalog::{Catalog, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::evidence::nearby::is_sure;
use crate::detect::setting::value::{Setting, Value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::line::{Line, break_at, break_before, following, line_at, line_start, opening_quote};

/// How far around an identifier the lines of its page are read, bytes.
const REACH: usize = 2048;
/// Longest label, and most words of one.
const MAX_LABEL: usize = 48;
const MAX_WORDS: usize = 6;
/// Labels that are no members of AWS.
const LABELS: &[(&str, &str, ValueShape)] = &[
    ("account alias", "name:resource", ValueShape::OwnName),
    ("account name", "name:resource", ValueShape::SpacedName),
    ("db identifier", "name:rds-db-instance", ValueShape::Name),
    ("execution role", "name:iam-role", ValueShape::Name),
    ("iam role", "name:iam-role", ValueShape::Name),
    ("key pair assigned at launch", "name:key-pair", ValueShape::Name),
    ("kms key", "name:resource", ValueShape::OwnName),
    ("name", "name:resource", ValueShape::OwnName),
    ("option group", "name:option-group", ValueShape::Name),
    ("parameter group", "name:parameter-group", ValueShape::Name),
    ("security groups", "name:security-group", ValueShape::Name),
    ("subnet group", "name:db-subnet-group", ValueShape::Name),
];

impl Scan<'_, '_> {
    /// Looks for the names in the lines around identifiers that stand below a label.
    pub(in crate::detect) fn panes(&mut self) {
        let (text, catalog) = (self.text, self.detector.catalog);
        let begins_line = |start: usize| break_before(text, start).is_some_and(|end| is_label(&text[..end]));
        let sure = self.hits.findings.iter().filter(|found| is_sure(catalog, found.kind));
        let mut starts: Vec<_> = sure.map(|found| found.span.start).filter(|&start| begins_line(start)).collect();
        starts.sort_unstable();
        let (mut seen, mut goes_on) = (0, false);
        for start in starts {
            if start >= seen {
                (seen, goes_on) = self.pane(page_start(text, start, seen), start + REACH);
            } else if goes_on {
                (seen, goes_on) = self.pane(seen, start + REACH);
            }
        }
    }

    /// Looks at the labels from `from` on; gives the first that was not looked at, and whether it is of the same string.
    fn pane(&mut self, from: usize, to: usize) -> (usize, bool) {
        let text = self.text;
        let Some(mut label) = line_at(text, from) else { return (text.len(), false) };
        while let Some(line) = following(text, label).filter(|line| line.start < to) {
            if label.end - label.start <= MAX_LABEL && is_label(&text[..label.end]) {
                self.labelled(label, line);
            }
            // The string ends here.
            if line.next <= line.end {
                return (line.end, false);
            }
            label = line;
        }
        (label.start, true)
    }

    fn labelled(&mut self, label: Line, line: Line) {
        let text = self.text;
        let start = label.start;
        let mut members = self.meanings_of_words(&Words::split(&text[start..label.end]));
        if members.is_empty() {
            members.extend(meaning_of_label(self.detector.catalog, &text[start..label.end]));
        }
        let (value, is_beside_id) = self.beside_id(line.start..line.end);
        if is_beside_id && members.iter().all(|member| !is_name(member.value)) {
            members = meaning_of_label(self.detector.catalog, b"name").into_iter().collect();
        }
        members.retain(|member| self.wants(member.kind));
        if !members.is_empty() && !value.is_empty() && text[value.clone()].len() <= REACH {
            self.key = start..label.end;
            let Range { start, end } = value;
            self.believe(&members, Value { start, end, next: end, quoted: true }, Setting::Sure);
        }
    }

    /// The name in `acme-vpc (vpc-0ab12cd34ef56ab78)` and in `sg-0ab12cd34ef56ab78 (acme-web)`, and whether it is one; else
    /// all of the line.
    fn beside_id(&mut self, line: Range<usize>) -> (Range<usize>, bool) {
        let text = self.text;
        let Some(close) = line.end.checked_sub(1).filter(|&close| close > line.start && text[close] == b')') else {
            return (line, false);
        };
        let Some(open) = memchr::memmem::rfind(&text[line.start..close], b" (").map(|open| line.start + open) else {
            return (line, false);
        };
        let (before, inside) = (line.start..open, open + 2..close);
        let mut is_id = |part: &Range<usize>| {
            self.prefixed_within(part.start, part.end).is_some_and(|(_, from, to)| from == part.start && to == part.end)
        };
        match (is_id(&before), is_id(&inside)) {
            (true, false) => (inside, true),
            (false, true) => (before, true),
            _ => (line, false),
        }
    }
}

/// Where what is read of the page begins that has an identifier at the beginning of the line at `at`: no further back than
/// the string that it stands in, and than `floor`.
fn page_start(text: &[u8], at: usize, floor: usize) -> usize {
    let floor = floor.max(at.saturating_sub(REACH));
    let mut from = at;
    while let Some(end) = break_before(text, from) {
        let Some((depth, _)) = break_at(text, end) else { break };
        let line = line_start(text, end);
        if let Some(string) = opening_quote(text, line, end, depth) {
            return string.max(floor);
        }
        if line < floor {
            break;
        }
        from = line;
    }
    from
}

fn is_name(shape: ValueShape) -> bool {
    matches!(shape, ValueShape::Name | ValueShape::PlainName | ValueShape::SpacedName | ValueShape::OwnName)
}

const fn is_of_label(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b' ' | b'_' | b'(' | b')' | b'/')
}

/// True when the last line of `text` is a label: a few words that begin with a capital, and nothing else.
fn is_label(text: &[u8]) -> bool {
    let start = run_start(text, text.len(), MAX_LABEL + 1, is_of_label);
    let start = match text[..start] {
        // The break of a string of JSON has a letter in it.
        [.., b'\\'] if text[start..].starts_with(b"n") => start + 1,
        _ => start,
    };
    let label = &text[start..];
    let begins_line = start == 0 || break_before(text, start).is_some() || text[..start].ends_with(b"\"");
    begins_line
        && (2..=MAX_LABEL).contains(&label.len())
        && label[0].is_ascii_uppercase()
        && !label.ends_with(b" ")
        && label.iter().filter(|&&c| c == b' ').count() < MAX_WORDS
        && run_end(label, 0, 2, is_alnum) == 2
}

fn meaning_of_label(catalog: &Catalog, label: &[u8]) -> Option<Member> {
    let (_, kind, value) = LABELS.iter().find(|(known, ..)| known.as_bytes().eq_ignore_ascii_case(label))?;
    Some(Member { kind: catalog.find(kind)?, matches: Match::Exact, value: *value, hint: None })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn labels_and_what_stands_below_them() {
        for (text, names) in [
            (
                "Instance ID\ni-0ab12cd34ef56ab78 (acme-web)\nIAM Role\nweb-node\nKey pair assigned at launch\nacme-ops\n",
                &["i-0ab12cd34ef56ab78", "acme-web", "web-node", "acme-ops"][..],
            ),
            (
                "DB identifier\nacme-main\nVPC\nacme-vpc (vpc-0ab12cd34ef56ab78)\nMaster username\nacmeadmin\n\
                 Subnet group\nacme-nets\nVPC security groups\nacme-db (sg-0ab12cd34ef56ab78)\nVPC ID\nvpc-0ab12cd34ef56ab78",
                &[
                    "acme-main",
                    "acme-vpc",
                    "vpc-0ab12cd34ef56ab78",
                    "acmeadmin",
                    "acme-nets",
                    "acme-db",
                    "sg-0ab12cd34ef56ab78",
                    "vpc-0ab12cd34ef56ab78",
                ],
            ),
            ("AWS account ID\n618734209955\nAccount name\nAcme Prod\nStatus\nActive\n", &["618734209955", "Acme Prod"]),
            (
                "Owner ID\n618734209955\nRole name\nacme-runner\nDB_PASSWORD\nTr0ub4dor-3xKq\n",
                &["618734209955", "acme-runner", "Tr0ub4dor-3xKq"],
            ),
        ] {
            assert_eq!(parts(text), names, "{text}");
        }
        // In messages, none of which is part of the page in another.
        let page = |id: &str, name: &str| format!("Instance ID\\n{id}\\nIAM Role\\n{name}\\nx");
        let (first, second) = (page("i-0ab12cd34ef56ab78", "web-one"), page("i-0ab12cd34ef56ab79", "web-two"));
        for blank in ["", "\n  "] {
            let text = format!("[{blank}\"{first}\",{blank}\"{second}\",{blank}\"Role name\\nacme-runner\\nx\"]");
            assert_eq!(parts(&text), ["i-0ab12cd34ef56ab78", "web-one", "i-0ab12cd34ef56ab79", "web-two"], "{text}");
        }
        for text in [
            // Nothing says that it is of AWS.
            "Role name\nacme-runner\nStatus\nActive\n",
            // The identifier has no label.
            "see:\ni-0ab12cd34ef56ab78\n\nRole name\nacme-runner\nx\n",
            "Instance ID\ni-0ab12cd34ef56ab78\nPlatform\nlinux-2\nState\nstopped-ok\n",
        ] {
            assert!(!parts(text).iter().any(|part| !part.starts_with("i-")), "{text}");
        }
    }
}
