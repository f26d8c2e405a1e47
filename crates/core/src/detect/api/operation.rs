//! Operations of AWS: `aws kendra list-faqs`, `client.get_rest_apis(`, `op=CreateTopic`. What they are about, and what of an
//! answer is that.

use std::ops::{Deref, Range};

use crate::detect::setting::key::{VERBS, key_end, key_start};
use crate::detect::text::boundary::{is_alnum, run_end, run_start};
use crate::detect::text::line::{break_before, line_start};
use crate::detect::text::word_list::WordList;

/// Longest name of an operation.
const MAX_OPERATION: usize = 64;
/// Most options before the service of a command.
const MAX_OPTIONS: usize = 8;
/// How far before the brace of what an operation takes or answers its name may stand, bytes.
const MAX_TO_BRACE: usize = 512;

/// What operations begin with whose answer is one thing, or a list of them.
const MORE_VERBS: &[&[u8]] = &[b"add", b"allocate", b"batch", b"import", b"list", b"modify", b"search"];

/// What the classes of SDKs end in, behind the name of an operation.
const CLASSES: [&[u8]; 5] = [b"Command", b"Input", b"Output", b"Request", b"Response"];

/// What AWS names, or all of its services have: operations on these answer no names of a customer's.
static OF_AWS: WordList = WordList::new(&[
    "addon",
    "attribute",
    "baseline",
    "block",
    "blueprint",
    "bundle",
    "category",
    "challenge",
    "check",
    "class",
    "column",
    "control",
    "dimension",
    "engine",
    "event",
    "feature",
    "field",
    "file",
    "filter",
    "finding",
    "framework",
    "header",
    "label",
    "language",
    "level",
    "limit",
    "message",
    "metric",
    "offering",
    "operation",
    "option",
    "owner",
    "parameter",
    "permission",
    "product",
    "property",
    "quota",
    "recommendation",
    "record",
    "region",
    "request",
    "runtime",
    "schema",
    "service",
    "setting",
    "standard",
    "state",
    "statement",
    "statistic",
    "status",
    "tag",
    "token",
    "trace",
    "type",
    "update",
    "value",
    "variable",
    "version",
    "zone",
]);
/// What ends in such a word and is named by customers all the same.
const OF_CUSTOMERS: [&[u8]; 2] = [b"accesscontrol", b"healthcheck"];
/// What the members end in that hold a thing or several, behind what these are called: `ProtectionGroupSummaries`.
const ENDINGS: [&[u8]; 13] = [
    b"summaries",
    b"summary",
    b"list",
    b"items",
    b"infos",
    b"info",
    b"details",
    b"detail",
    b"descriptions",
    b"description",
    b"config",
    b"configuration",
    b"input",
];
/// Members that hold things of all kinds.
const ITEMS: [&[u8]; 4] = [b"item", b"items", b"result", b"results"];

/// What an object of an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::detect) enum Role {
    /// What the operation is about: the answer itself, or a part of it that is called so.
    Thing,
    /// Another thing of a customer's, as far as is known.
    Other,
    /// What AWS has named, or that it counts: `"Events": [{"Id": …}]`.
    OfAws,
}

/// The name of an operation.
pub(in crate::detect) struct Operation {
    pub(in crate::detect) start: usize,
    pub(in crate::detect) end: usize,
    /// A command of AWS itself; other words may be those of any program.
    pub(in crate::detect) is_command: bool,
    /// What it is about, of one thing: `webacl` of `list-web-acls`.
    noun: Noun,
    /// It is about several things.
    is_of_several: bool,
    is_of_aws: bool,
}

impl Operation {
    /// Where the one of a command is named, whose service, or options before it, begin at `at`.
    pub(in crate::detect) fn of_command(text: &[u8], at: usize) -> Option<Range<usize>> {
        let word = |at: usize| {
            let start = run_end(text, at, 16, |c| c == b' ');
            start..run_end(text, start, MAX_OPERATION, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        };
        let mut service = word(at);
        // `aws --profile acme --region eu-west-1 sqs …`
        for _ in 0..MAX_OPTIONS {
            let option = &text[service.clone()];
            if !option.starts_with(b"--") {
                break;
            }
            let is_part = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\' | b'\'' | b'`');
            let end = run_end(text, service.end, MAX_OPERATION, is_part);
            let is_alone = end > service.end || option.starts_with(b"--no-") || option == b"--debug";
            let value = run_end(text, end, 16, |c| c == b' ');
            service = word(if is_alone { end } else { run_end(text, value, MAX_OPERATION, is_part) });
        }
        let operation = word(service.end);
        let ends = |word: &Range<usize>| {
            text.get(word.end).is_none_or(|c| c.is_ascii_whitespace() || *c == b'\\' || *c == b'"')
        };
        let has_verb = memchr::memchr(b'-', &text[operation.clone()]).is_some_and(|dash| dash > 0);
        (has_verb && service.end < operation.start && ends(&operation)).then_some(operation)
    }

    /// The one whose name this is.
    pub(in crate::detect) fn at(text: &[u8], start: usize, end: usize, is_command: bool) -> Option<Self> {
        let name = text.get(start..end).filter(|name| name.len() < MAX_OPERATION)?;
        // `new ListRestApisCommand(`
        let name = CLASSES.iter().find_map(|class| name.strip_suffix(*class)).unwrap_or(name);
        let end = start + name.len();
        let verb = 1 + name.iter().skip(1).position(|c| matches!(c, b'_' | b'-') || c.is_ascii_uppercase())?;
        // Commands of AWS are known by their first word.
        let is_verb = |known: &&&[u8]| known.eq_ignore_ascii_case(&name[..verb]);
        if !is_command && !VERBS.iter().chain(MORE_VERBS).any(|known| is_verb(&known)) {
            return None;
        }
        let (noun, is_of_aws) = (Noun::of(&name[verb..]), is_of_aws(&name[verb..]));
        let is_of_several = noun.singular() != noun;
        let found = Self { start, end, is_command, noun: noun.singular(), is_of_several, is_of_aws };
        (!found.noun.is_empty()).then_some(found)
    }

    /// The one that is named last before the brace, on the same line or, where only a comment stands before it, on the one
    /// before; and whether the brace stands among its arguments.
    pub(in crate::detect) fn before(text: &[u8], brace: usize) -> Option<(Self, bool)> {
        let floor = brace.saturating_sub(MAX_TO_BRACE);
        let mut line = line_start(text, brace).max(floor);
        if text[line..brace].iter().all(|&c| is_of_comment(c))
            && let Some(end) = break_before(text, line)
        {
            line = line_start(text, end).max(floor);
        }
        let mut at = brace;
        while at > line {
            let end = run_start(text, at, at - line, |c| !is_alnum(c));
            let start = run_start(text, end, MAX_OPERATION.min(end - line), |c| is_alnum(c) || c == b'_');
            if start == end {
                return None;
            }
            if let Some(found) = Self::at(text, start, end, false) {
                let is_open = text[end] == b'(' && !text[end..brace].contains(&b')');
                return Some((found, is_open));
            }
            at = start;
        }
        None
    }

    /// What the object or list under `key` is, in one that is `parent`; `may_be_all`: it may be the list of all that was
    /// asked for, whatever it is called.
    pub(in crate::detect) fn role(&self, parent: Role, key: &[u8], may_be_all: bool) -> Role {
        let is_thing = self.holds(key) || may_be_all && self.is_of_several && !is_of_aws(key);
        match parent {
            Role::Thing if is_thing => Role::Thing,
            Role::OfAws => Role::OfAws,
            _ if is_of_aws(key) => Role::OfAws,
            _ => Role::Other,
        }
    }

    /// True for a member that holds what the operation is about: `ProtectionGroups`, `items`, `IndexSummaryItems`.
    pub(in crate::detect) fn holds(&self, key: &[u8]) -> bool {
        let mut noun = Noun::of(key);
        if ITEMS.contains(&&*noun) {
            return true;
        }
        while let Some(stem) = ENDINGS.iter().find_map(|end| noun.strip_suffix(*end)).filter(|stem| !stem.is_empty()) {
            noun.len = stem.len();
        }
        self.is_about(&noun.singular())
    }

    /// True for a noun that says what the operation is about, or the end of it.
    pub(in crate::detect) fn is_about(&self, noun: &[u8]) -> bool {
        let noun = Noun::of(noun);
        noun.len() > 2 && (self.noun.ends_with(&noun) || noun.ends_with(&self.noun))
    }

    /// True for those about what has a domain for its name, or another one.
    pub(in crate::detect) fn is_of_domains(&self) -> bool {
        self.noun.ends_with(b"domain")
    }

    /// True for commands that may answer with a list of nothing but names.
    pub(in crate::detect) fn lists_names(&self) -> bool {
        self.is_command && self.is_of_several && !self.is_of_aws()
    }

    /// True for those about what AWS has named.
    pub(in crate::detect) fn is_of_aws(&self) -> bool {
        self.is_of_aws
    }
}

/// True for the name of what AWS has named, by its last word: `AccountLimits`, `db-engine-versions`, and not `Profiles`.
pub(in crate::detect) fn is_of_aws(name: &[u8]) -> bool {
    let whole = Noun::of(name).singular();
    if OF_CUSTOMERS.iter().any(|noun| whole.ends_with(noun)) {
        return false;
    }
    let begins_word = |&at: &usize| {
        let before = name[at - 1];
        !is_alnum(before) || name[at].is_ascii_uppercase() && before.is_ascii_lowercase()
    };
    let last = (1..name.len()).rev().find(begins_word).unwrap_or(0);
    OF_AWS.contains(&Noun::of(&name[last..]).singular()) || whole.ends_with(b"tagkey")
}

/// What a thing is called, in small letters and without dashes; of long names the beginning.
#[derive(Clone, Copy)]
struct Noun {
    letters: [u8; MAX_OPERATION],
    len: usize,
}

impl Noun {
    fn of(name: &[u8]) -> Self {
        let mut noun = Self { letters: [0; MAX_OPERATION], len: 0 };
        let letters = name.iter().filter(|&&c| is_alnum(c));
        for (place, letter) in std::iter::zip(&mut noun.letters, letters) {
            *place = letter.to_ascii_lowercase();
            noun.len += 1;
        }
        noun
    }

    /// Of one thing.
    fn singular(mut self) -> Self {
        if self.ends_with(b"ies") {
            self.len -= 2;
            self.letters[self.len - 1] = b'y';
        } else if self.ends_with(b"s") && !self.ends_with(b"ss") && !self.ends_with(b"us") {
            self.len -= 1;
        }
        self
    }
}

impl Deref for Noun {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.letters[..self.len]
    }
}

impl PartialEq for Noun {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// What stands before an answer that is shown in a comment.
pub(in crate::detect) fn is_of_comment(c: u8) -> bool {
    matches!(c, b'#' | b'/' | b' ' | b'=' | b'>')
}

/// The key before the value at `at`, behind its sign: `"Items": [`, `params={`.
pub(in crate::detect) fn key_before(text: &[u8], from: usize, at: usize) -> Option<&[u8]> {
    let sign = text[from..at].strip_suffix(b":").or_else(|| text[from..at].strip_suffix(b"="))?;
    let end = key_end(text, from + sign.len());
    Some(&text[key_start(text, end).min(end)..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(OF_AWS.is_sorted());
    }

    #[test]
    fn what_aws_has_named() {
        for name in ["AccountLimits", "db-engine-versions", "tags", "TagKeys", "account_attributes"] {
            assert!(is_of_aws(name.as_bytes()), "{name}");
        }
        for name in ["Profiles", "configuration-profile", "HealthChecks", "origin-access-control", "Items", ""] {
            assert!(!is_of_aws(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn operations_of_commands() {
        let operation =
            |text: &'static str| Operation::of_command(text.as_bytes(), 4).and_then(|found| text.get(found));
        for text in ["aws kendra list-faqs", "aws --profile x --debug --region=y kendra list-faqs --z"] {
            assert_eq!(operation(text), Some("list-faqs"), "{text}");
        }
        for text in ["aws s3 ls", "aws kendra help", "aws is a cloud", "aws list-faqs"] {
            assert_eq!(operation(text), None, "{text}");
        }
    }

    #[test]
    fn members_that_hold_what_an_operation_is_about() {
        let text = b"describe-protection-groups";
        let operation = Operation::at(text, 0, text.len(), true).unwrap();
        for key in ["ProtectionGroups", "protectionGroup", "items", "GroupSummaryItems", "ShieldProtectionGroupList"] {
            assert!(operation.holds(key.as_bytes()), "{key}");
        }
        for key in ["Protections", "State", "Members", "s", ""] {
            assert!(!operation.holds(key.as_bytes()), "{key}");
        }
    }
}
