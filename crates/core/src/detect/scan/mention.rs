//! Other mentions: what was found once for sure is found wherever it stands.

use std::ops::Range;

use hashbrown::HashMap;

use crate::catalog::{Category, KindId};
use crate::detect::evidence::ordinary::{is_compound, is_made_up, is_ordinary, is_usual_value};
use crate::detect::evidence::own::has_hump;
use crate::detect::evidence::told::speaks_of_any_service;
use crate::detect::scan::names::{MIN_NAME_LEN, Names};
use crate::detect::setting::value::is_owned_by_aws;
use crate::detect::shape::arn::is_account;
use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};
use crate::detect::text::line::line_start;
use crate::detect::text::spelling::{LetterCases, spellings};
use crate::detect::text::url;
use crate::detect::text::whole::{is_cell, is_whole_value};
use crate::detect::{Detector, Finding, Hits, Part};
use crate::token::is_token_shaped;

/// How near to an account's id twelve digits are believed to be another, bytes.
const BESIDE: usize = 120;
/// Longest option that is looked at.
const MAX_OPTION: usize = 64;
/// How far a word with dashes is looked at on either side of a name in it.
const MAX_WORD: usize = 32;
/// What the key of a size ends in.
const BYTES: &[u8] = b"bytes";
/// Longest row of a table in which a name is looked for beside its ARN, bytes.
const MAX_ROW: usize = 4096;
/// Numbers shorter than this are counts, times and the like.
const MIN_NUMBER_LEN: usize = 12;

/// Credentials that are shorter may be anything, and longer ones are not looked for elsewhere.
const MIN_SECRET_LEN: usize = 6;
const MAX_SECRET_LEN: usize = 4096;

/// Names that room is made for at once.
const ROOM: usize = 64;

/// What is known of a name. The least of it counts, where several are written alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mentioned {
    /// It stands nowhere as it is written here: another spelling of it does.
    is_respelled: bool,
    /// The first place where it was found of those that say least about its other mentions.
    place: (Where, usize),
    kind: KindId,
}

impl Detector {
    pub(in crate::detect) fn add_mentions(&self, text: &[u8], hits: &mut Hits) {
        self.add_accounts_beside_others(text, hits);
        self.add_accounts_in_sentences(text, hits);
        add_loose(text, hits);
        self.add_names(text, hits);
    }

    /// Believes twelve digits that a sentence about AWS says where something is: `the AMIs in 618734209955`.
    fn add_accounts_in_sentences(&self, text: &[u8], hits: &mut Hits) {
        let account = self.catalog.known.account;
        if hits.loose.is_empty() || !hits.has_sure(self.catalog) {
            return;
        }
        let spans = hits.loose.iter().map(|loose| loose.span.clone());
        let told: Vec<_> =
            spans.filter(|span| is_account(&text[span.clone()]) && follows_preposition(text, span.start)).collect();
        for span in told {
            hits.findings.push(Finding { kind: account, span: span.clone() });
            hits.parts.push(Part { kind: account, span, is_name: false });
        }
    }

    /// Believes twelve digits that stand near an account's id, `prod 123456789012, dev 210987654321`, or behind the unit of
    /// an organization that accounts are in.
    fn add_accounts_beside_others(&self, text: &[u8], hits: &mut Hits) {
        if hits.loose.is_empty() {
            return;
        }
        let known = &self.catalog.known;
        let starts_of = |kind: KindId| {
            let mut starts: Vec<_> = hits.parts.iter().filter(|p| p.kind == kind).map(|p| p.span.start).collect();
            starts.sort_unstable();
            starts
        };
        let (sure, units) = (starts_of(known.account), starts_of(known.organizational_unit));
        // Each that is believed speaks for the next.
        let mut last = None;
        let mut spans: Vec<_> = hits.loose.iter().map(|loose| loose.span.clone()).collect();
        spans.sort_unstable_by_key(|span| span.start);
        for span in spans {
            let index = sure.partition_point(|&at| at < span.start);
            let before = index.checked_sub(1).map(|i| sure[i]).max(last);
            let unit = units.partition_point(|&at| at < span.start).checked_sub(1).map(|i| units[i]);
            let is_near = before.max(unit).is_some_and(|at| span.start - at <= BESIDE)
                || sure.get(index).is_some_and(|&at| at - span.start <= BESIDE);
            let is_id = is_account(&text[span.clone()]) || text[span.clone()].contains(&b'-');
            if is_near && is_id && !is_counted(text, span.start) {
                last = Some(span.start);
                hits.findings.push(Finding { kind: known.account, span: span.clone() });
                hits.parts.push(Part { kind: known.account, span, is_name: false });
            }
        }
    }

    /// True for credentials that their key or words about them tell; others have a shape of their own wherever they stand.
    fn is_told_credential(&self, kind: KindId) -> bool {
        let known = &self.catalog.known;
        self.is_credential(kind) && kind != known.access_key_id && kind != known.private_key
    }

    fn add_names(&self, text: &[u8], hits: &mut Hits) {
        let known = &self.catalog.known;
        let mut names: HashMap<&[u8], Mentioned> = HashMap::with_capacity(hits.parts.len().min(ROOM));
        for part in hits.parts.iter().filter(|p| p.is_name || self.is_told_credential(p.kind)) {
            let name = &text[part.span.clone()];
            if !part.is_name {
                if let Some(place) = repeated(name) {
                    let (kind, place) = (part.kind, (place, part.span.start));
                    names.entry(name).or_insert(Mentioned { is_respelled: false, place, kind });
                }
                continue;
            }
            // What an ARN names without saying what it is, is often a word: `group/checkout`.
            let is_told = part.kind != known.arn_name || name.len() >= 6 && name.iter().any(u8::is_ascii_digit);
            if !is_told && is_owned_by_aws(name) {
                continue;
            }
            let Some(place) = mentioned(name).map(|place| if is_told { place } else { place.beside_arn() }) else {
                continue;
            };
            let (kind, place) = (part.kind, (place, part.span.start));
            let known = names.entry(name).or_insert(Mentioned { is_respelled: false, place, kind });
            known.place = known.place.min(place);
        }
        if names.is_empty() {
            return;
        }
        let is_word = |name: &Mentioned| name.place.0 == Where::AsValue;
        let is_id = |found: &Finding| self.catalog.kind(found.kind).is_some_and(|k| k.category != Category::Names);
        if names.values().any(is_word) && !hits.findings.iter().any(is_id) && !speaks_of_any_service(text) {
            // Other software has tables and users, too.
            names.retain(|_, name| !is_word(name));
        }
        let anywhere = names.iter().filter(|(_, known)| known.place.0 == Where::Anywhere);
        let mut spelled: Vec<(Vec<u8>, Mentioned)> = Vec::new();
        let mut cased = LetterCases::with_capacity(names.len());
        for (name, known) in anywhere {
            let respelled = Mentioned { is_respelled: true, ..*known };
            spelled.extend(spellings(name).into_iter().map(|other| (other, respelled)));
            if !self.is_credential(known.kind) {
                cased.add(name, respelled);
            }
        }
        let others = spelled.iter().map(|(other, known)| (other.as_slice(), *known)).chain(cased.iter());
        Names::new(names.iter().map(|(name, known)| (*name, *known)).chain(others)).each(
            self.lanes,
            text,
            |&Mentioned { kind, place, .. }, span| {
                let is_meant = match place {
                    (Where::AsValue, _) => is_whole_value(text, span.start, span.end),
                    (Where::InRow, at) => is_cell_beside(text, &span, at),
                    (Where::Anywhere, _) => !is_within_word_of_aws(text, &span),
                };
                if !is_meant {
                    return;
                }
                // A URL on AWS is one finding, whatever it names.
                let is_name = !self.is_credential(kind) && self.policy.wants(known.host);
                let finding = match Some(&span).filter(|_| is_name).and_then(|span| url::around(text, span)) {
                    Some(url) => Finding { kind: known.host, span: url },
                    None => Finding { kind, span: span.clone() },
                };
                hits.findings.push(finding);
                hits.parts.push(Part { kind, span, is_name: false });
            },
        );
    }
}

/// True inside a longer word that is the same in every account: `us-east` in `us-east-1`.
fn is_within_word_of_aws(text: &[u8], span: &Range<usize>) -> bool {
    let is_part = |c: u8| is_alnum(c) || c == b'-';
    let start = word_start(text, run_start(text, span.start, MAX_WORD, is_part)).min(span.start);
    let end = run_end(text, span.end, MAX_WORD, is_part);
    (start..end) != *span && is_owned_by_aws(&text[start..end])
}

fn follows_preposition(text: &[u8], at: usize) -> bool {
    const WORDS: [&[u8]; 4] = [b" in ", b" from ", b" to ", b" into "];
    WORDS.iter().any(|word| text[..at].ends_with(word))
}

/// Believes the shapes whose text was found for sure somewhere else.
fn add_loose(text: &[u8], hits: &mut Hits) {
    if hits.loose.is_empty() {
        return;
    }
    let sure: HashMap<&[u8], KindId> = hits.parts.iter().map(|p| (&text[p.span.clone()], p.kind)).collect();
    let believed: Vec<_> = hits
        .loose
        .drain(..)
        .filter_map(|loose| sure.get(&text[loose.span.clone()]).map(|&kind| (kind, loose.span)))
        .collect();
    for (kind, span) in believed {
        hits.findings.push(Finding { kind, span: span.clone() });
        hits.parts.push(Part { kind, span, is_name: false });
    }
}

/// True for a number whose key says what it counts: that of a member, an option, or what ends in `Bytes`; and for so many
/// mebibytes.
fn is_counted(text: &[u8], start: usize) -> bool {
    let number =
        text[start..].iter().take_while(|c| c.is_ascii_digit()).fold(0u64, |n, &c| n * 10 + u64::from(c - b'0'));
    if number % (1 << 20) == 0 {
        return true;
    }
    let end = run_start(text, start, 4, |c| matches!(c, b' ' | b':' | b'='));
    if matches!(text[..end].last(), Some(b'"' | b'\'')) {
        return text[end..start].contains(&b':');
    }
    let word = &text[run_start(text, end, MAX_OPTION, |c| is_alnum(c) || matches!(c, b'-' | b'_'))..end];
    let ending = word.len().saturating_sub(BYTES.len());
    word.starts_with(b"--") || word[ending..].eq_ignore_ascii_case(BYTES)
}

/// Where else in the text a name means the same thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// Wherever it stands alone.
    Anywhere,
    /// Where it is a whole value: in sentences it is a word.
    AsValue,
    /// Where it is a cell of the row that names it.
    InRow,
}

impl Where {
    /// Likewise, for what an ARN names without saying what it is.
    fn beside_arn(self) -> Self {
        if self == Self::Anywhere { Self::AsValue } else { Self::InRow }
    }
}

/// True for a cell that holds all of this, on the line of the ARN with the name at `at`.
fn is_cell_beside(text: &[u8], span: &Range<usize>, at: usize) -> bool {
    let (first, last) = (at.min(span.start), at.max(span.start));
    last - first <= MAX_ROW && is_cell(text, span.start, span.end) && line_start(text, last) <= first
}

/// Where else a credential is masked; `None` for what may be a word or a number of something else.
fn repeated(secret: &[u8]) -> Option<Where> {
    let is_letters = secret.iter().all(u8::is_ascii_alphabetic);
    let is_number = secret.iter().all(u8::is_ascii_digit);
    let is_word = is_letters || is_number && secret.len() < MIN_NUMBER_LEN || is_ordinary(secret);
    let is_one = (MIN_SECRET_LEN..=MAX_SECRET_LEN).contains(&secret.len()) && !is_word && !is_token_shaped(secret);
    is_one.then_some(Where::Anywhere)
}

/// Where else a name is masked; `None` for words that say nothing, which are masked only where they
/// were found.
fn mentioned(name: &[u8]) -> Option<Where> {
    if name.len() < MIN_NAME_LEN || is_token_shaped(name) {
        return None;
    }
    if is_made_up(name) {
        return Some(Where::Anywhere);
    }
    if is_ordinary(name) {
        return is_compound(name).then_some(Where::AsValue);
    }
    let is_numeric = !name.iter().any(u8::is_ascii_alphabetic);
    let is_joined = name.iter().any(|c| c.is_ascii_digit() || matches!(c, b'-' | b'_' | b'.' | b'/'));
    if is_numeric {
        (is_joined && name.len() >= MIN_NUMBER_LEN).then_some(Where::Anywhere)
    } else if is_joined || has_hump(name) {
        Some(Where::Anywhere)
    } else {
        (!is_usual_value(name)).then_some(Where::AsValue)
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn credentials_are_found_wherever_they_stand() {
        let secret = "wJalrXUtnFEMI7K7MDENGbPxRfiCYzqH1v0LrKEy";
        for text in [
            "DB_PASSWORD=Xk9qqzz1!\nI tried Xk9qqzz1! but it does not work: connect('Xk9qqzz1!')".to_owned(),
            format!("secret key: {secret}\nand then {secret} in the logs, {secret}"),
        ] {
            assert_eq!(found(&text).len(), 3, "{text}");
        }
        let text = "user: acme\npassword: 20250311\nup since 20250311";
        assert_eq!(found(text).iter().filter(|(kind, _)| kind == "cred:password").count(), 1, "{text}");
    }

    #[test]
    fn names_elsewhere_in_the_text() {
        for (text, names) in [
            ("aws lambda invoke --function-name ProcessOrders o.json\nProcessOrders is slow, /x/ProcessOrders", 3),
            ("aws iam get-user --user-name batchshared\nUSER_NAME=batchshared\n{\"x\": \"batchshared\"}", 3),
            ("aws iam get-user --user-name batchshared\nIs batchshared a word?", 1),
            ("aws iam get-user --user-name batchshared\n{\"batchshared\": 1}", 1),
            ("aws iam get-user --user-name admin\n{\"role\": \"admin\"}", 1),
            ("aws sqs create-queue --queue-name priority\n{\"service_tier\": \"priority\"}", 1),
            ("aws s3 ls s3://static\n{\"chunking_strategy\": {\"type\": \"static\"}}", 1),
            ("aws eks list-clusters\n--cluster-name acme-eu\nacme-eu-node, my-acme-eu.log, acme-eux", 3),
            ("aws eks describe-cluster --cluster-name us-east\nin us-east-1", 1),
            ("aws lambda invoke --function-name my-function o.json\nzip my-function.zip src; MyFunction", 2),
            ("aws iam get-role --role-name MyTestRole\nMyTestRole, MyTestRole-policy.json", 3),
            ("aws iam get-user --user-name testuser\nfor testuser", 2),
            ("aws iam get-role --role-name task-role\n{\"name\": \"task-role\"}, the task-role", 2),
            ("aws rds reboot-db-instance --db-instance-identifier acme-7x\nAcme-7x is slow. ACME-7X, aCME-7x", 3),
            ("aws rds reboot-db-instance --db-instance-identifier Acme-7X\nacme-7x is slow. ACME-7X, acme-7xs", 3),
            ("aws dynamodb scan --table-name acme_orders_7\nexport ACME_ORDERS_7=1; Acme_Orders_7", 1),
        ] {
            assert_eq!(found(text).len(), names, "{text}");
        }
    }

    #[test]
    fn names_that_differ_in_their_letter_cases() {
        const REST: &str = "ACME-7X, acme-7x";
        let bucket_first = format!("s3://Acme-7X\naws rds reboot-db-instance --db-instance-identifier ACME-7x\n{REST}");
        let instance_first =
            format!("aws rds reboot-db-instance --db-instance-identifier ACME-7x\ns3://Acme-7X\n{REST}");
        for (text, kind) in [(bucket_first, "name:s3-bucket"), (instance_first, "name:rds-db-instance")] {
            // Not by chance: each text has a map of its own.
            for _ in 0..16 {
                let kinds: Vec<_> = found(&text).into_iter().skip(2).map(|(kind, _)| kind).collect();
                assert_eq!(kinds, [kind, kind], "{text}");
            }
        }
    }

    #[test]
    fn what_an_arn_names_in_other_cells_of_its_row() {
        const ARN: &str = "arn:aws:sagemaker:us-east-1:618734209955:trial/";
        for (text, count) in [
            (format!("TRIALS\t{ARN}kestrel\tkestrel\t2024"), 2),
            (format!("TRIALS\tkestrel\t{ARN}kestrel\n"), 2),
            (format!("| {ARN}kestrel | kestrel |\n"), 2),
            (format!("| {ARN}kestrel |\n| kestrel |\n"), 1),
            (format!("TRIALS\t{ARN}kestrel\tkestrels"), 1),
            (format!("{ARN}kestrel and kestrel, \"kestrel\""), 1),
            (format!("{ARN}OrdersApi \"x\": \"OrdersApi\""), 2),
            (format!("{ARN}orders-api\nx: orders-api\n"), 2),
            (format!("{ARN}OrdersApi \"OrdersApi\": 1, OrdersApi()"), 1),
            (format!("{ARN}FARGATE_SPOT\nx: FARGATE_SPOT\n"), 1),
        ] {
            let found = found(&text);
            let of_ours = ["kestrel", "OrdersApi", "orders-api", "FARGATE_SPOT"];
            let names = found.iter().filter(|(_, part)| of_ours.contains(part));
            assert_eq!(names.count(), count, "{text}");
        }
    }

    #[test]
    fn twelve_digits_beside_an_account_are_another() {
        for text in [
            "accounts: prod 418273650942, dev 771234509876, sandbox 220011334455",
            "accounts = { prod = \"418273650942\", dev = \"771234509876\", x = \"220011334455\" }",
            "220011334455 771234509876\narn:aws:iam::418273650942:root",
        ] {
            assert_eq!(found(text).len(), 3, "{text}");
        }
        for text in [
            "{\"AccountId\": \"418273650942\", \"StoredBytes\": 771234509876}".to_owned(),
            "{'AccountId': '418273650942', 'StoredBytes': 771234509876}".to_owned(),
            "arn:aws:iam::418273650942:root\t0\t161061273600".to_owned(),
            "account: 418273650942\nstored_bytes: 771234509876".to_owned(),
            "arn:aws:iam::418273650942:root --size-of-it 771234509876".to_owned(),
            format!("account 418273650942{}771234509876", " and so on".repeat(20)),
            "account 418273650942, order 7712345098761".to_owned(),
        ] {
            assert_eq!(found(&text).len(), 1, "{text}");
        }
        assert_eq!(found("order 771234509876"), []);
        assert_eq!(found("we keep ami-0ab12cd34ef56ab78 in 771234509876.").len(), 2);
        assert_eq!(found("we keep the parcel in 771234509876."), []);
    }
}
