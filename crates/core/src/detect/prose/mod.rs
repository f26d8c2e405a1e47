//! Names and ids in running text: `the bucket acme-logs is public`, `버킷 이름이 acme-logs 인데`; and where code gives a
//! name no key: `upload_file("a.csv", "acme-logs")`, `<Bucket>acme-logs</Bucket>`.

pub(super) mod capitals;
pub(super) mod enumerated;
pub(super) mod korean;
pub(super) mod link;
pub(super) mod message;
pub(super) mod named;
pub(super) mod suffix;
pub(super) mod word;

use std::ops::Range;

use once_cell::sync::OnceCell;

use crate::catalog::{Catalog, Follows, KindId, Phrase, ValueShape};
use crate::detect::Scan;
use crate::detect::credential::command;
use crate::detect::credential::login::{bare_of_sql, is_sql};
use crate::detect::credential::secret::{is_base64, is_secret_key};
use crate::detect::evidence::nearby::IDENTIFIER;
use crate::detect::evidence::own::{is_joined, is_own, is_own_word};
use crate::detect::evidence::told::{
    ANY_SERVICE, FOLLOWERS, is_markup, is_of_any_trade, is_of_others, speaks_of_any_service,
};
use crate::detect::layout::markup_table::MarkupTable;
use crate::detect::prose::link::{may_be_named, may_id_follow, past_links};
use crate::detect::scan::sieve::Sieve;
use crate::detect::setting::context::{is_construct, is_of_other_registry};
use crate::detect::setting::value::{Setting, Value, is_believable, quoted_value, value};
use crate::detect::shape::address::LONG_TEXT;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start, word_start};
use crate::detect::text::line::break_at;

/// Longest name.
const MAX_NAME: usize = 128;
/// How far behind its words a secret key may begin, bytes.
const SECRET_REACH: usize = 24;
/// Length of what tells load balancers and groups of one name apart.
const HASH_LEN: usize = 16;
/// Longest element of XML.
const MAX_ELEMENT: usize = 64;

impl Scan<'_, '_> {
    /// Reads the text as prose; again, where that has found something and the text speaks of AWS: what means something only
    /// beside an identifier means it then, too.
    pub(super) fn prose(&mut self) {
        let found = self.hits.findings.len();
        let has_identifier = self.has_any_identifier();
        self.read(if has_identifier { all_words(self.detector.catalog) } else { sieve(self.detector.catalog) });
        if !has_identifier && self.hits.findings.len() > found && speaks_of_any_service(self.text) {
            self.identifiers = None;
            if self.has_any_identifier() {
                self.read(all_words(self.detector.catalog));
            }
        }
    }

    fn read(&mut self, words: &Sieve) {
        let detector = self.detector;
        let text = self.text;
        let phrases = &detector.catalog.phrases;
        let arns = self.arns();
        let mut arn = arns.iter().peekable();
        words.each_that(
            detector.lanes,
            text,
            |rest, place| phrases.may_begin(rest, place),
            |at| {
                let Some(phrase) = text.get(at..).and_then(|rest| phrases.at(rest)) else { return at + 1 };
                if !begins_phrase(text, at, phrase) {
                    return at + 1;
                }
                while arn.next_if(|arn| arn.end <= at).is_some() {}
                // The names in it were taken apart with it.
                let end = at + phrase.words.len();
                let is_within = arn.peek().is_some_and(|arn| arn.start <= at && end <= arn.end);
                if is_within && !detector.is_credential(phrase.kind) {
                    return end;
                }
                if !text[end - 1].is_ascii() {
                    self.korean_heading(end);
                }
                self.phrase(at, phrase);
                // `app identified by`: the word goes on, and with it other words begin.
                let is_cut = is_alnum(text[end - 1]) && text.get(end).is_some_and(u8::is_ascii_alphabetic);
                if is_cut { at + 1 } else { end }
            },
        );
        let mut table = MarkupTable::default();
        for close in memchr::memchr_iter(b'<', text).filter(|at| text.get(at + 1) == Some(&b'/')) {
            self.element(close);
            self.markup_cell(&mut table, close);
        }
    }

    /// Where ARNs were found, in order.
    fn arns(&self) -> Vec<Range<usize>> {
        let arn = self.detector.catalog.known.arn;
        let arns = self.hits.findings.iter().filter(|finding| finding.kind == arn);
        let mut arns: Vec<_> = arns.map(|finding| finding.span.clone()).collect();
        arns.sort_unstable_by_key(|arn| arn.start);
        arns
    }

    fn phrase(&mut self, at: usize, phrase: &Phrase) {
        let named = matches!(phrase.follows, Follows::Name | Follows::Function | Follows::Dashed);
        // Short nouns have their blank with them.
        let end = at + phrase.words.len() - usize::from(named && phrase.words.ends_with(' '));
        // `(service turnstile) was unable to place a task`
        let is_event = phrase.words == "service" && self.text[..at].ends_with(b"(");
        let is_filtered = match phrase.follows {
            // Behind `instance named` any word may be a name.
            // `사용자(kim.minsu)`
            _ if named && self.text.get(end) == Some(&b'(') && !self.text[end - 1].is_ascii() => false,
            _ if named => !phrase.words.ends_with("ed") && !is_event,
            // These have signs in them, and need not stand right behind.
            Follows::Id(ValueShape::SecretKey | ValueShape::Password | ValueShape::Base64) => false,
            // `CMK(4f2e8d1c-…`
            Follows::Id(_) => !phrase.words.ends_with(['(', ' ', '/']) && self.text.get(end) != Some(&b'('),
            _ => false,
        };
        // With debug assertions, that it overlooks nothing is checked below.
        let (text, is_id) = (self.text, !named);
        let may_be = || if is_id { may_id_follow(text, end) } else { may_be_named(text, at, end) };
        // Most end here.
        if is_filtered && !cfg!(debug_assertions) && !may_be() {
            return;
        }
        // `{vault://env/x}`, `Cluster::new`.
        if named && matches!(text[end..], [b':', b':', ..] | [b':', b'/', b'/', ..]) {
            return;
        }
        if !self.wants(phrase.kind) || phrase.hint.is_some_and(|hint| !self.speaks_of(hint, at)) {
            return;
        }
        // `aws codepipeline start-pipeline-execution`, `AWS::IAM::Policy::…`
        let is_command = self.text[..at].ends_with(b"aws ") || self.text[at + phrase.words.len()..].starts_with(b"::");
        if phrase.hint == Some(IDENTIFIER) && is_command {
            return;
        }
        let found = self.value_behind(phrase, at, end, is_event);
        let is_first = named && found.is_some();
        let found = found.or_else(|| if named { self.name_before(at, phrase.words) } else { None });
        debug_assert!(
            !is_filtered || found.is_none() || may_be(),
            "what {:?} announces is overlooked at {at}",
            phrase.words
        );
        let found = found.filter(|found| {
            let is_of_registry = phrase.kind == self.detector.catalog.known.repository
                && is_of_other_registry(&text[found.start..found.end]);
            let is_of_aws = !is_of_others(text, at) && !is_markup(text, at, end) && !is_of_registry;
            !named || is_of_aws && !self.may_be_of_code(at, phrase, found)
        });
        let Some(found) = found else { return };
        let before = self.hits.findings.len();
        self.finding(phrase.kind, found.start, found.end);
        self.part(phrase.kind, found.start, found.end, true);
        if phrase.follows == Follows::PathWithHash {
            self.whole(phrase.kind, found.end + 1, found.end + 1 + HASH_LEN);
        }
        self.id_beside(found.end);
        if is_first {
            self.enumerated(phrase.kind, &found);
        }
        if named {
            self.hearsay(at, before);
        }
    }

    /// The value that a phrase announces, whose words begin at `at` and end at `end`. Where it announces several, they are
    /// recorded here.
    fn value_behind(&mut self, phrase: &Phrase, at: usize, end: usize, is_event: bool) -> Option<Value> {
        match phrase.follows {
            Follows::Name if is_event => self.enclosed(end + 1),
            Follows::Name => self
                .name_after(at, end)
                .or_else(|| self.capitals_after(at, end, phrase.words))
                .or_else(|| self.apposed(at, end)),
            // Functions of code have dots: `the function kong.log.err`.
            Follows::Function => {
                self.name_after(at, end).filter(|found| !self.text[found.start..found.end].contains(&b'.'))
            }
            // `aws lambda get-function-configuration` has no name there.
            Follows::Dashed if self.text[..at].ends_with(b"aws ") => None,
            // `lambda x_1` is Python.
            Follows::Dashed => self
                .name_after(at, end)
                .filter(|found| self.has_dash(found) || !is_joined(&self.text[found.start..found.end])),
            Follows::Id(ValueShape::Password) if !is_sql(self.text, at) => None,
            Follows::Id(ValueShape::Password) => {
                self.id_after(end, ValueShape::Password).or_else(|| bare_of_sql(self.text, at, end))
            }
            Follows::Id(shape) => self.id_after(end, shape),
            Follows::Path => {
                let is_sure = ["alias/", "/aws/", "/v1/repos/", "/security-credentials/", "/copilot/"];
                self.path(at, end, is_sure.into_iter().any(|path| phrase.words.starts_with(path)))
            }
            Follows::Failed => self.failed(end),
            Follows::GitRemote => self.git_remote(end),
            Follows::PathWithHash => self.path(at, end, true).filter(|found| is_hash(self.text, found.end)),
            Follows::Setting => {
                let end = run_end(self.text, end, MAX_BACKSLASHES, |c| matches!(c, b'\\' | b'"'));
                let stop = run_end(self.text, end, MAX_NAME, |c| is_alnum(c) || matches!(c, b'_' | b'-'));
                let body = &self.text[end..stop];
                let believed = body.len() >= 2 && is_believable(ValueShape::PlainName, body, Setting::Told);
                believed.then_some(Value { start: end, end: stop, next: stop, quoted: false })
            }
            Follows::Positional => self.positional(end),
            Follows::KeyFile => self.key_file(end),
            Follows::Said => self.said(end),
            Follows::Bracketed => self.bracketed(end),
            Follows::Spoken => {
                self.set_by_name(at, end).or_else(|| self.spoken(at, end)).or_else(|| self.of_line(at, end))
            }
            Follows::Given => self.given(at, end),
            Follows::Piped => self.piped(at, end),
            Follows::Tabbed => self.tabbed(end),
            Follows::Subject => self.subject(end),
            Follows::Console => {
                self.console_link(at, end);
                None
            }
            Follows::Case => self.support_case(at, end),
            Follows::Basic => self.basic(end),
            Follows::BeforeHost => {
                self.before_host(at);
                None
            }
            Follows::OfOracle => {
                self.of_oracle(end);
                None
            }
            Follows::Environment => {
                self.environment(at, end);
                None
            }
            Follows::RedisLogin => {
                self.redis_login(at, end);
                None
            }
            Follows::RedisRules => {
                self.redis_rules(end);
                None
            }
            Follows::UserAndPassword => {
                self.user_and_password(end);
                None
            }
            Follows::Queried => {
                self.queried(end);
                None
            }
            Follows::Listed => {
                self.listed(phrase.kind, end);
                None
            }
            Follows::Keyed => {
                self.keyed(phrase.kind, end);
                None
            }
            Follows::Dimension => self.dimension(at, end),
            Follows::Imported => {
                self.imported(end);
                None
            }
            Follows::Default => {
                self.default_of_setting(end);
                None
            }
            Follows::Variable => {
                self.default_of_variable(end);
                None
            }
            Follows::Argument(index) => self.argument(phrase.kind, at, end, index),
            Follows::Option(options) => {
                self.secrets_of_command(phrase.kind, end, options, command::Place::Behind);
                None
            }
            Follows::Client => {
                self.database_client(end);
                None
            }
            Follows::Glued(options) => {
                self.database_client(end);
                self.secrets_of_command(phrase.kind, end, options, command::Place::Glued);
                None
            }
            Follows::Login(options) => {
                self.secrets_of_command(phrase.kind, end, options, command::Place::BehindUser);
                None
            }
            Follows::Signed(sign, options) => {
                self.secrets_of_command(phrase.kind, end, options, command::Place::BehindSign(sign));
                None
            }
            Follows::Line => {
                self.rest_of_line(at, end);
                None
            }
            Follows::Typed => self.typed(at, end),
            Follows::EncodedKey => self.encoded_key(at),
            Follows::PublicRepository => {
                self.public_repository(phrase.kind, end);
                None
            }
        }
    }

    /// The word behind those of a command.
    fn positional(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let start = run_end(text, at, 4, |c| matches!(c, b' ' | b'"' | b'\''));
        let end = run_end(text, start, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.' | b'/'));
        let name = &text[start..end];
        // `cdk deploy fails`
        let believed = start > at && !FOLLOWERS.contains(name) && is_believable(ValueShape::Name, name, Setting::Told);
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// The pair in `acme-ops` of `~/.ssh/acme-ops.pem`.
    fn key_file(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let start = run_end(text, at, MAX_BACKSLASHES + 2, |c| matches!(c, b' ' | b'"' | b'\'' | b'\\'));
        let next = run_end(text, start, MAX_NAME, |c| is_alnum(c) || b"-_./~$@".contains(&c));
        let path = text[start..next].strip_suffix(b".pem")?;
        let end = start + path.len();
        let start = path.iter().rposition(|&c| c == b'/').map_or(start, |slash| start + slash + 1);
        is_own(&text[start..end]).then_some(Value { start, end, next, quoted: false })
    }

    /// True for a name as programs have them, `parse_header2`, where nothing speaks of AWS: programs have functions, tables
    /// and users, too. Manuals and changelogs have more of them than anybody has names: in a long text a compound may be a
    /// program's, too, `the function menu-complete`.
    fn may_be_of_code(&mut self, at: usize, phrase: &Phrase, found: &Value) -> bool {
        let name = &self.text[found.start..found.end];
        let noun = phrase.words.trim_end();
        if name.contains(&b'-') || !is_joined(name) || noun.contains(' ') {
            return self.is_longer(LONG_TEXT) && is_of_any_trade(noun) && !self.is_about_aws(at);
        }
        match phrase.follows {
            Follows::Function => !self.speaks_of("aws-lambda", at),
            _ => !self.speaks_of(ANY_SERVICE, at) && !self.has_any_identifier(),
        }
    }

    fn has_dash(&self, found: &Value) -> bool {
        self.text[found.start..found.end].contains(&b'-')
    }

    fn id_after(&self, at: usize, shape: ValueShape) -> Option<Value> {
        let text = self.text;
        match shape {
            ValueShape::SecretKey => return self.secret_after(at),
            ValueShape::Password => {
                let found = quoted_value(text, run_end(text, at, 2, |c| c == b' '))?;
                // `identified by `start` and `end`` is prose.
                let is_string = text[found.start - 1] != b'`';
                let believed = is_string && is_believable(shape, &text[found.start..found.end], Setting::Sure);
                return believed.then_some(found);
            }
            ValueShape::Base64 => {
                let start = past_links(text, at).unwrap_or(run_end(text, at, 2, |c| c == b' '));
                let end = run_end(text, start, text.len(), |c| is_base64(c) || c == b'=');
                let believed = is_believable(shape, &text[start..end], Setting::Told);
                return believed.then_some(Value { start, end, next: end, quoted: false });
            }
            _ => {}
        }
        // `CMK(4f2e8d1c-…`
        let open = if text.get(at) == Some(&b'(') { at + 1 } else { at };
        let is_here =
            (open > at || matches!(text[at - 1], b'(' | b' ' | b'/')) && text.get(open).is_some_and(|&c| is_alnum(c));
        let start = if is_here { open } else { past_links(text, at)? };
        let end = run_end(text, start, MAX_NAME, |c| is_alnum(c) || c == b'-');
        let body = &text[start..end];
        // `rest api version2` is prose; a key would leave no doubt.
        let is_random = body.windows(2).any(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_lowercase());
        let is_doubtful = shape == ValueShape::LowerId && !(body.len() == 10 && is_random);
        let believed = is_believable(shape, body, Setting::Told) && !is_doubtful;
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// The id in brackets behind a name that ends at `at`: `acme-front(ID 4f2e8d1c-…)`.
    fn id_beside(&mut self, at: usize) {
        let text = self.text;
        let open = run_end(text, at, 1, |c| c == b' ');
        let Some(id) = text[open..].strip_prefix(b"(ID ").or_else(|| text[open..].strip_prefix(b"(ID: ")) else {
            return;
        };
        let start = text.len() - id.len();
        let end = run_end(text, start, MAX_NAME, |c| is_alnum(c) || c == b'-');
        if is_believable(ValueShape::Uuid, &text[start..end], Setting::Told) {
            self.whole(self.detector.catalog.known.resource_id, start, end);
        }
    }

    /// The secret key within a few words or on the line behind those that announce it.
    fn secret_after(&self, at: usize) -> Option<Value> {
        let text = self.text;
        let limit = text.len().min(at + SECRET_REACH);
        let mut start = at;
        while start < limit {
            start = run_end(text, start, limit - start, |c| !is_base64(c));
            let word = word_start(text, start);
            let end = run_end(text, start, MAX_NAME, is_base64);
            if text.get(word..end).is_some_and(is_secret_key) {
                return Some(Value { start: word, end, next: end, quoted: false });
            }
            start = end.max(start + 1);
        }
        None
    }

    /// The segment of the path that begins at `at`, behind words that end at `end`; one word is enough where nothing else
    /// has such a path.
    fn path(&self, at: usize, end: usize, is_sure: bool) -> Option<Value> {
        let text = self.text;
        let is_directory = text[at..end].ends_with(b"/security-credentials/");
        if at > 0 && matches!(text[at - 1], b'/' | b'.' | b'_' | b'-' | b'$' | b'~') {
            return None;
        }
        // The metadata service lists what it has in the line below: `…/iam/security-credentials/`.
        let listed = if is_directory { break_at(text, end).map_or(end, |(_, next)| next) } else { end };
        let stop = run_end(text, listed, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
        let (end, name) = (listed, &text[listed..stop]);
        let owned_by_aws = name == b"aws" || name.starts_with(b"aws-");
        // Nothing but roles stands there in the metadata of an instance.
        let is_role = is_directory && text[..at].ends_with(b"/iam") && is_joined(name);
        let is_own = is_role || is_own(name) || is_sure && is_own_word(name);
        let believed = !owned_by_aws && is_own && is_believable(ValueShape::Name, name, Setting::Told);
        believed.then_some(Value { start: end, end: stop, next: stop, quoted: false })
    }

    /// The repository in `codecommit::eu-west-1://profile@acme-web`, behind the scheme that ends at `at`.
    fn git_remote(&mut self, at: usize) -> Option<Value> {
        let text = self.text;
        let colon = run_end(text, at, MAX_ELEMENT, |c| is_alnum(c) || matches!(c, b'-' | b':'));
        let start = text.get(colon..)?.strip_prefix(b"//").map(|_| colon + 2)?;
        let end = run_end(text, start, MAX_NAME, |c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.' | b'@'));
        let profile = text[start..end].iter().position(|&c| c == b'@').map(|at| start + at);
        let kind = self.detector.catalog.known.cli_profile;
        if let Some(profile) = profile.filter(|&profile| {
            self.wants(kind) && is_believable(ValueShape::Name, &text[start..profile], Setting::Told)
        }) {
            self.finding(kind, start, profile);
            self.part(kind, start, profile, true);
        }
        let start = profile.map_or(start, |at| at + 1);
        let end = run_start(text, end, end - start, |c| c == b'.');
        let believed = is_believable(ValueShape::Name, &text[start..end], Setting::Told);
        believed.then_some(Value { start, end, next: end, quoted: false })
    }

    /// The argument of the call that opens before `end`.
    fn argument(&mut self, kind: KindId, at: usize, end: usize, index: usize) -> Option<Value> {
        let text = self.text;
        // `bucket.upload_file(file, key)` has no bucket among its arguments.
        let receiver = run_start(text, at, 32, |c| is_alnum(c) || c == b'_');
        if index > 0 && text[receiver..at].to_ascii_lowercase().ends_with(b"bucket") {
            return None;
        }
        if index == 0 && is_construct(text, at) {
            return None;
        }
        let end_of_name = end - 1;
        if text[at..end_of_name].eq_ignore_ascii_case(b".object") && !self.is_of_s3(&text[receiver..at], at) {
            return None;
        }
        let mut from = end;
        for _ in 0..index {
            let comma = run_end(text, from, MAX_NAME, |c| !matches!(c, b',' | b'\n' | b'(' | b')'));
            if text.get(comma) != Some(&b',') {
                return None;
            }
            from = comma + 1;
        }
        let from = run_end(text, from, 8, |c| c == b' ');
        let found = value(text, from, &mut self.bare_run)?;
        if !found.quoted {
            self.used_as(kind, from);
            return None;
        }
        let shape = if self.detector.is_credential(kind) { ValueShape::Password } else { ValueShape::Name };
        let believed = is_believable(shape, &text[found.start..found.end], Setting::Sure);
        believed.then_some(found)
    }

    /// True for what has objects in buckets: `s3.Object("acme-logs", …)`, and not `mock.patch.object("module", …)`.
    fn is_of_s3(&mut self, receiver: &[u8], at: usize) -> bool {
        // `.bucket('acme').object('a.csv')`, of Ruby, has the name of an object there.
        !receiver.is_empty() && (receiver.ends_with(b"resource") || receiver != b"patch" && self.speaks_of("s3", at))
    }
}

/// The sieve that lets the words of phrases through.
pub(super) fn sieve(catalog: &Catalog) -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| {
        let words = catalog.phrases.words(|phrase| phrase.hint != Some(IDENTIFIER));
        Sieve::of_words(&words)
    })
}

/// Likewise, with those that mean something only beside an identifier.
pub(super) fn all_words(catalog: &Catalog) -> &'static Sieve {
    static SIEVE: OnceCell<Sieve> = OnceCell::new();
    SIEVE.get_or_init(|| Sieve::of_words(&catalog.phrases.words(|_| true)))
}

/// What the escapes end with that words stand behind: `\n`, `%20`, `[31m`.
fn may_end_escape(c: u8) -> bool {
    matches!(c, b'n' | b't' | b'r' | b'm') || c.is_ascii_digit()
}

/// Words do not begin inside others; what stands in a path or a call may.
fn begins_phrase(text: &[u8], at: usize, phrase: &Phrase) -> bool {
    let first = phrase.words.as_bytes()[0];
    if !is_alnum(first) || at == 0 {
        return true;
    }
    let before = text[at - 1];
    let is_of_word = |c| is_alnum(c) || matches!(c, b'-' | b'_');
    if !is_of_word(before) {
        return true;
    }
    may_end_escape(before) && word_start(text, run_start(text, at, 8, is_of_word)) == at
}

/// `/` and sixteen hexadecimal digits.
fn is_hash(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b'/') && run_end(text, at + 1, HASH_LEN + 1, |c| c.is_ascii_hexdigit()) == at + 1 + HASH_LEN
}

#[cfg(test)]
mod tests;
