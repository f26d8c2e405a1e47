//! Values that their key announces: `"AccountId": "…"`, `--bucket …`, `aws_secret_access_key = …`, `| BucketName | … |`.

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::catalog::{Category, Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::credential::login::{has_user, is_of_login, needs_user};
use crate::detect::credential::password::is_secure;
use crate::detect::evidence::hint::AWS_OR_SERVICE;
use crate::detect::evidence::told::ANY_SERVICE;
use crate::detect::evidence::vain;
use crate::detect::layout::difference::DIFFERS;
use crate::detect::setting::bare::{is_before_constant, is_ini_line, is_namespaced, is_of_record};
use crate::detect::setting::below::{is_no_argument, next_item, value_below};
use crate::detect::setting::between::{past_decoration, past_triple};
use crate::detect::setting::key::{MAX_PADDING, is_asked_last, key_start};
use crate::detect::setting::value::{Setting, Value, is_believable, shape_range, value, whole_quoted};
use crate::detect::setting::variable::MAX_VARIABLE;
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::gutter;
use crate::detect::text::line::whole_break_at;
use crate::token::{is_token_shaped, leading_token};

/// Most values of one list.
const MAX_LIST: usize = 1000;
/// Longest word behind an option that is looked at, bytes.
const MAX_WORD: usize = 1024;
/// Most that may stand between the sign behind a key and its value: where values stand below each other, the longest key
/// says how much.
pub(in crate::detect) const MAX_ASSIGNED: usize = MAX_PADDING;
/// Before what a value is changed to, in a plan of Terraform.
pub(in crate::detect) const CHANGED: &[u8] = b" -> ";
/// What keys end in that hold names and ids.
const NOUNS_END: [&[u8]; 6] = [b"name", b"id", b"identifier", b"names", b"ids", b"identifiers"];
/// How far behind the name of a policy its ARN may end, bytes.
const MAX_TO_ARN: usize = 160;
/// Words of sentences that stand before an option, and the length of the longest, bytes.
const BEFORE_OPTIONS: &[&[u8]] =
    &[b"a", b"and", b"in", b"missing", b"new", b"now", b"of", b"or", b"that", b"the", b"this", b"to", b"via", b"with"];
const MAX_BEFORE_OPTION: usize = 8;
/// Hexadecimal digits of a SHA-256.
const DIGEST: usize = 64;
/// Longest value, and longest list, that is looked at however many it is part of.
const MAX_NESTED_VALUE: usize = 128;
const MAX_NESTED_LIST: usize = 4;

impl Scan<'_, '_> {
    /// Looks at the `:` or `=` at `at`: does the key before it, which ends at `end`, say what the value after it is?
    pub(in crate::detect) fn keyed_value(&mut self, at: usize, end: usize) {
        let text = self.text;
        let start = key_start(text, end);
        // `-Dbucket=…`, of Java.
        let is_property = text[at] == b'=' && text[start..end].starts_with(b"D") && text[..start].ends_with(b"-");
        let start = if is_property { start + 1 } else { start };
        // `ecs:service:DesiredCount` is one name, and so is `AWS::S3::Bucket`; `a == b` and `a != b` announce nothing.
        let joined = start > 0 && text[start - 1] == b':' && (end == at || text[..start].ends_with(b"::"));
        // `app.yaml:12:bucket: …`; `:bucket=>…`, of Ruby.
        let joined = joined && !gutter::is_behind_place(text, start - 1) && !text[at..].starts_with(b"=>");
        let joined = joined && !is_namespaced(text, start - 1, at);
        let compared = text.get(at + 1) == Some(&b'=') || at > 0 && matches!(text[at - 1], b'=' | b'!' | b'<' | b'>');
        let sign = if compared { filter_sign(text, start, at).unwrap_or(at) } else { at };
        let compared = compared && sign == at;
        if joined && (text[at] == b':' || text[..start].ends_with(b"::")) || compared && text[at] == b'=' {
            return;
        }
        let at = sign;
        // `/gc/heap/buckets:bytes`, `_total/_bucket: `, metrics of Go and of Prometheus.
        let of_path = end == at && start > 0 && text[start - 1] == b'/' && text[at] == b':';
        let of_path = of_path && (text[start] == b'_' || text.get(at + 1).is_some_and(|c| !c.is_ascii_whitespace()));
        if vain::is_of_conversation(&text[start..end], text, at + 1) {
            return;
        }
        let mut members = self.meanings_anywhere(start, end);
        // Few values have the shape of an id, and that is seen sooner than what the text speaks of.
        if self.are_in_vain(&members, at + 1) {
            members.clear();
        }
        members.retain(|member| is_asked_last(member) || self.has_hint(member, start));
        if text[..start].ends_with(b"--") && self.is_secure_value(start, end) {
            members = vec![self.any_password()];
        }
        // The ids of Docker are as long as that of an owner in S3, which is `ID`, and as those of documents.
        if members.iter().any(|member| member.value == ValueShape::Hex64)
            && is_digest(text, at + 1)
            && vain::is_id_of_anything(&text[start..end])
            && !self.speaks_of(AWS_OR_SERVICE, start)
        {
            members.retain(|member| member.value != ValueShape::Hex64);
        }
        // `Cluster::connection_info`, `vault://env/x`.
        let of_path = of_path || end == at && matches!(text[at..], [b':', b':', ..] | [b':', b'/', b'/', ..]);
        if of_path {
            if &text[start..end] == b"AWS" && text[..start].ends_with(DIFFERS) {
                self.differences(start);
            }
            members.retain(|member| self.detector.is_credential(member.kind));
        }
        if joined {
            // `$Env:BUCKET="…"` sets a variable of PowerShell; elsewhere only a credential is worth the doubt.
            let before = &text[..start - 1];
            let is_env = before.len() >= 3 && before[before.len() - 3..].eq_ignore_ascii_case(b"env");
            // `sts:ExternalId` is a key of IAM's conditions.
            let is_condition = before.ends_with(b"sts");
            members.retain(|member| is_env || is_condition || self.detector.is_credential(member.kind));
        }
        let found = self.hits.findings.len();
        match &text[start..end] {
            b"Target" => self.directory(at + 1, true),
            b"HomeDirectory" => self.directory(at + 1, false),
            b"ID" => self.locked(at + 1),
            _ => {}
        }
        if !members.is_empty() {
            self.values(&members, at + 1);
        }
        // What stands beside it may say more.
        if self.hits.findings.len() == found {
            match &text[start..end] {
                key if key.eq_ignore_ascii_case(b"name") => self.hits.untold.push((at, true)),
                key if NOUNS_END.iter().any(|end| ends_in(key, end)) => self.hits.untold.push((at, false)),
                _ => {}
            }
        }
    }

    /// Looks at the option whose last dash is at `dash`: `--bucket acme-logs`, `--names a b`, `-BucketName acme-logs`.
    pub(in crate::detect) fn option(&mut self, dash: usize) {
        let text = self.text;
        let name = dash + 1;
        let end = run_end(text, name, 64, |c| is_alnum(c) || matches!(c, b'-' | b'_'));
        // `--name=value` is looked at from its `=`.
        let item = if text.get(end) == Some(&b' ') { None } else { next_item(text, dash - 1, end) };
        if text.get(end) != Some(&b' ') && item.is_none_or(|item| is_no_argument(text, item)) {
            return;
        }
        let mut members = self.meanings(name, end);
        // `aws glue create-job --role GlueRunner`
        if &text[name..end] == b"role" && self.is_option_of_aws(name) {
            members = self.detector.catalog.members.get(b"rolename").to_vec();
        }
        if self.is_secure_value(name, end) {
            members = vec![self.any_password()];
        }
        let any_name = self.detector.catalog.known.resource_name;
        if members.iter().all(|member| member.kind == any_name) {
            members.extend(self.meaning_of_option(name, end));
        }
        if members.is_empty() {
            return;
        }
        if let Some(item) = item {
            self.announced(&members, item, Setting::Told);
            return;
        }
        let mut at = run_end(text, end, 8, |c| c == b' ');
        if members.iter().all(|member| self.detector.is_credential(member.kind)) && is_spoken_of(text, dash, at) {
            return;
        }
        // `--secret-id-list a b`
        let last = if text[name..end].ends_with(b"-list") { b's' } else { text[end - 1] };
        let most = match last {
            b's' if self.options_met.is_deep(at) => MAX_NESTED_LIST,
            b's' => MAX_LIST,
            _ => 1,
        };
        for _ in 0..most {
            if text.get(at) == Some(&b'-') && text.get(at + 1) == Some(&b'-') {
                return;
            }
            let Some(found) = self.announced(&members, at, Setting::Told) else { return };
            at = run_end(text, found.next, 8, |c| c == b' ');
            if most > 1 {
                self.options_met.reach(at);
            }
            // The command goes on in the next line, or the next value has a quote that is escaped.
            let slashes = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
            let is_escaped = slashes > at && !matches!(text.get(slashes), Some(b'"' | b'\''));
            if at == found.next || is_escaped || matches!(text.get(at), Some(b'|' | b'>' | b'#')) {
                return;
            }
        }
    }

    /// True for the key `start..end` in `aws ssm put-parameter --type SecureString --value …`.
    fn is_secure_value(&self, start: usize, end: usize) -> bool {
        &self.text[start..end] == b"value" && self.is_option_of_aws(start) && is_secure(self.text, start)
    }

    fn any_password(&self) -> Member {
        let kind = self.detector.catalog.known.password;
        Member { kind, matches: Match::Exact, value: ValueShape::Password, hint: None }
    }

    /// Looks at the `("` of a call at `open`: `.bucket("acme-logs")`, `.withBucketName("…")`.
    #[inline(never)]
    pub(in crate::detect) fn builder(&mut self, open: usize) {
        let text = self.text;
        self.procedure(open);
        let start = run_start(text, open, 64, is_alnum);
        let is_method = text[..start].ends_with(b".");
        if is_method || text[..start].ends_with(b"new ") {
            self.positional_name(start, open);
        }
        if !is_method {
            return;
        }
        let name = &text[start..open];
        let is_verb = |verb: &&[u8]| name.starts_with(verb) && name.get(verb.len()).is_some_and(u8::is_ascii_uppercase);
        let verb = [&b"with"[..], b"set"].into_iter().find(is_verb).map_or(0, <[u8]>::len);
        let mut members = self.meanings(start + verb, open);
        // `cluster.topicId("a1")` is a method of any software, `generateKeyPair("RSA")` one of Java.
        members.retain(|m| m.value != ValueShape::OpaqueId || verb > 0 || self.speaks_of(AWS_OR_SERVICE, start));
        if !members.is_empty() && !is_construct(text, start) && !name.starts_with(b"generate") {
            self.announced(&members, open + 1, Setting::Sure);
        }
    }

    pub(in crate::detect) fn values(&mut self, members: &[Member], at: usize) {
        let text = self.text;
        // `${BUCKET:-acme-logs}`, of a shell.
        let is_default = text.get(at) == Some(&b'-') && text[..at].ends_with(b":");
        let at = if is_default { at + 1 } else { at };
        // `${PASSWORD:?required}`
        if text.get(at) == Some(&b'?') && text[..self.key.start].ends_with(b"{") {
            return;
        }
        let at = past_decoration(text, at);
        let spaced = text.get(at) == Some(&b' ');
        let assigned = spaced && text[at - 1] == b'=';
        let is_declared = text[..at].ends_with(b":") && text.get(at) == Some(&b'=');
        let is_in_code = assigned || is_declared || text.get(at) == Some(&b'>');
        let mut at = past_triple(text, run_end(text, at, MAX_ASSIGNED, is_between));
        if text.get(at) == Some(&b'{') {
            if !self.referred(members, at) {
                self.things(members, at);
            }
            return;
        }
        if text.get(at) == Some(&b'[') {
            let list = at;
            at = skip_space(text, at + 1);
            if text.get(at) == Some(&b'{') {
                return self.things(members, list);
            }
            let most = if self.lists_met.is_deep(list) { MAX_NESTED_LIST } else { MAX_LIST };
            for _ in 0..most {
                let Some(next) = value(text, at, &mut self.bare_run) else { return };
                let behind = skip_space(text, next.next);
                // `'passwords' => ['users' => […`, of PHP.
                if next.quoted && text[behind..].starts_with(b"=>") {
                    return;
                }
                // `queues=[orders-q billing-q]`, as Go prints a list.
                let is_printed = !next.quoted && text[next.start..next.end].contains(&b'-');
                // `buckets: [Vec<Id>; 8]`
                if !next.quoted && !is_printed && !matches!(text.get(behind), Some(b',' | b']')) {
                    return;
                }
                let Some(found) = self.announced(members, at, Setting::Sure) else { return };
                at = skip_space(text, found.next);
                self.lists_met.reach(at);
                match text.get(at) {
                    Some(b',') => at = skip_space(text, at + 1),
                    _ if is_printed && at == found.next + 1 => {}
                    _ => return,
                }
            }
            return;
        }
        // `- CreationDate: …`: an item with members of its own.
        let item = yaml_item(text, at).filter(|&item| {
            let end = run_end(text, item, 64, |c| is_alnum(c) || c == b'_');
            !(text.get(end) == Some(&b':') && matches!(text.get(end + 1), Some(b' ' | b'\n')))
        });
        if let Some(mut item) = item {
            for _ in 0..MAX_LIST {
                let Some(found) = self.announced(members, item, Setting::Line) else { return };
                match yaml_item(text, found.next) {
                    Some(next) => item = next,
                    None => return,
                }
            }
            return;
        }
        let is_credential = members.iter().all(|member| self.detector.is_credential(member.kind));
        let sign = if text[..at].ends_with(b" >") { at - 1 } else { at };
        if let Some(below) = value_below(text, self.key.start, sign, is_credential) {
            let found = value(text, below, &mut self.bare_run)
                .filter(|found| text[sign] == b'\\' || ends_line(text, found.next));
            if found.is_some() {
                self.announced(members, below, Setting::Line);
                return;
            }
        }
        if at < text.len() && ends_line(text, at) {
            return self.block(members, at);
        }
        // `STACK=${1:-acme}`
        if text[at..].starts_with(b"${") {
            let sign = run_end(text, at + 2, MAX_VARIABLE, |c| is_alnum(c) || c == b'_');
            if text[sign..].starts_with(b":-") {
                self.announced(members, sign + 2, Setting::Line);
            }
        }
        let setting = match value(text, at, &mut self.bare_run).map(|found| self.whole_password(members, found)) {
            Some(Value { quoted: true, .. }) => Setting::Sure,
            Some(Value { next, .. }) => match text.get(next) {
                _ if assigned && !is_ini_line(text, at, next) => Setting::Open,
                Some(b'&') => Setting::Line,
                _ if ends_line(text, next) || ends_string(text, next) => Setting::Line,
                Some(b'}') if is_default => Setting::Line,
                Some(b'\\') if matches!(text.get(next + 1), Some(b'n' | b'r' | b't')) => Setting::Line,
                _ if spaced && is_of_record(text, self.key.start, next) => Setting::Line,
                // `{ CLUSTER_NAME: AcmeMesh, SERVICE_NAME: web }`, of YAML.
                Some(b',') if spaced && self.is_constant() && is_before_constant(text, at, next) => Setting::Line,
                // `{ STREAM_NAME: acme_raw }`, of YAML.
                Some(b' ') if spaced && text.get(next + 1) == Some(&b'}') && self.is_constant() => Setting::Line,
                // `KEY=value more`: a shell's assignment, or a log line; with blanks around the sign it is code.
                // `sum := count + rest`, of Go.
                Some(b' ') if is_declared => Setting::Open,
                Some(b' ' | b'"' | b'\'') if !spaced => Setting::Line,
                _ => Setting::Open,
            },
            // Escaped quotes inside: only what takes everything up to its own quote goes on.
            None => Setting::Sure,
        };
        let setting = if setting == Setting::Line && self.is_user_of_line(at) { Setting::Sure } else { setting };
        // `send(producer, topic = topic0, count = 2)`, `#{stream_id := Stream0}`
        if setting == Setting::Open && is_in_code && !is_credential && self.is_variable(at) {
            return;
        }
        let is_plural = text[self.key.clone()].last() == Some(&b's');
        let found = self.announced(members, at, setting);
        if is_plural && setting == Setting::Open && !is_in_code {
            self.plural_values(members, at);
        }
        // `name = "acme-logs" -> "acme-logs-2"`, in a plan of Terraform.
        // `=>`, of older ones.
        let is_changed = |found: &Value| [CHANGED, b" => "].iter().any(|sign| text[found.next..].starts_with(sign));
        if let Some(found) = found.filter(|found| found.quoted && is_changed(found)) {
            self.announced(members, found.next + CHANGED.len(), setting);
        }
    }

    /// True for the bare value at `at` if it is a variable that is given to a call, or one of a record.
    fn is_variable(&self, at: usize) -> bool {
        let end = run_end(self.text, at, MAX_VARIABLE, |c| is_alnum(c) || c == b'_');
        end > at && matches!(self.text.get(end), Some(b',' | b')' | b'}'))
    }

    /// True for a key in capitals, as variables of an environment have it.
    fn is_constant(&self) -> bool {
        self.text[self.key.clone()].iter().all(|&c| c.is_ascii_uppercase() || c == b'_' || c.is_ascii_digit())
    }

    /// Records the value at `at` if one of the members may have it.
    pub(in crate::detect) fn announced(&mut self, members: &[Member], at: usize, setting: Setting) -> Option<Value> {
        let text = self.text;
        if members.iter().any(|m| m.value == ValueShape::QuotedSecret) {
            let Some(found) = whole_quoted(text, at) else {
                // `--secret-string …`, of one word.
                let is_option = text[..self.key.start].ends_with(b"--");
                return is_option.then(|| self.announced(&[self.any_password()], at, Setting::Told)).flatten();
            };
            self.believe(members, found, Setting::Sure);
            return Some(found);
        }
        let is_password = || members.iter().all(|member| member.value == ValueShape::Password);
        let Some(found) = value(text, at, &mut self.bare_run) else {
            // Escaped quotes inside.
            if let Some(found) = whole_quoted(text, at).filter(|_| is_password()) {
                self.believe(members, found, Setting::Sure);
                return Some(found);
            }
            // `&table`, of Go.
            if text.get(at) == Some(&b'&') {
                let end = run_end(text, at + 1, MAX_VARIABLE, |c| is_alnum(c) || c == b'_');
                self.used(members, Value { start: at, end, next: end, quoted: false });
            }
            return None;
        };
        if !found.quoted && self.is_nested_too_often(found) {
            return Some(found);
        }
        // A function's name or a string's prefix, as in `f"…"`.
        let opens_string = matches!(text.get(found.end), Some(b'"' | b'\'')) && found.end - found.start <= 2;
        // `bucket = table->buckets[n]`
        let points = text[..found.end].ends_with(b"-") && text.get(found.end) == Some(&b'>');
        let is_call = !found.quoted && (opens_string || points || text.get(found.end) == Some(&b'('));
        // `PASSWORD = N'…'`, of SQL Server.
        if opens_string && &text[found.start..found.end] == b"N" && is_password() {
            return self.announced(members, found.end, Setting::Sure);
        }
        // `f"{bucket}"`
        if is_call
            && opens_string
            && let Some(inner) = value(text, found.end, &mut self.bare_run)
        {
            self.used(members, inner);
        }
        if !is_call {
            let found = self.whole_password(members, found);
            let setting = if found.quoted && setting != Setting::Told { Setting::Sure } else { setting };
            self.believe(members, found, setting);
        }
        Some(found)
    }

    /// True for a long value that begins in another one, as too many others do.
    fn is_nested_too_often(&mut self, value: Value) -> bool {
        let is_deep = self.values_met.is_deep(value.start);
        self.values_met.reach(value.end);
        is_deep && value.end - value.start > MAX_NESTED_VALUE
    }

    /// True when the value is the key that was looked at last, in any spelling.
    fn repeats_key(&self, value: Value) -> bool {
        let plain = |range: Range<usize>| self.text[range].iter().filter(|&&c| is_alnum(c)).map(u8::to_ascii_lowercase);
        let key = self.key.clone();
        // A bucket may well be called `targetbucket`, behind a member of AWS as it spells it.
        let begins_large = self.text.get(key.start).is_some_and(u8::is_ascii_uppercase);
        let is_value =
            value.quoted && begins_large && self.text[value.start..value.end].iter().all(u8::is_ascii_lowercase);
        !is_value && plain(value.start..value.end).eq(plain(key))
    }

    /// True for a word behind a key as programs spell theirs, `table_name = "posts"`, where nothing speaks of AWS. AWS spells
    /// its members `TableName`.
    fn may_be_of_any_software(&mut self, members: &[Member], value: Value) -> bool {
        let (key, word) = (&self.text[self.key.clone()], &self.text[value.start..value.end]);
        let key = key.rsplit(|&c| c == b'.').next().unwrap_or_default();
        let is_of_program = key.contains(&b'_') && key.iter().all(|c| c.is_ascii_lowercase() || *c == b'_');
        let is_word = word.iter().all(|c| c.is_ascii_alphabetic() || *c == b'_');
        let is_shared = |m: &Member| self.detector.catalog.of_any_software.contains(&m.kind);
        is_of_program && is_word && members.iter().all(is_shared) && !self.speaks_of(ANY_SERVICE, self.key.start)
    }

    /// True for what an earlier turn left of an address, a host or a parameter: `IP4_ABCDEFGH/16`, `key=S3_ABCDEFGH`.
    fn is_left_of_token(&self, value: Value) -> bool {
        let body = &self.text[value.start..value.end];
        let has_label = |token: &[u8]| self.detector.has_label(token.split(|&c| c == b'_').next().unwrap_or_default());
        // `/copilot/RESNAME_ABCDEFGH/prod/secrets/TOKEN`
        if body.starts_with(b"/") && body.split(|&c| c == b'/').any(|part| is_token_shaped(part) && has_label(part)) {
            return true;
        }
        let from = memchr::memrchr(b'=', body).map_or(0, |sign| sign + 1);
        leading_token(&body[from..]).is_some_and(|token| {
            let is_whole = from > 0 && body.len() == from + token.len();
            let has_more = from == 0 && matches!(body.get(token.len()), Some(b'/' | b'.' | b':'));
            (is_whole || has_more) && has_label(token)
        })
    }

    pub(in crate::detect) fn believe(&mut self, members: &[Member], value: Value, setting: Setting) {
        let text = self.text;
        // `cluster_name=cluster_name`, `log_group: "LogGroup"`: a variable, a type.
        if self.is_left_of_token(value) || self.repeats_key(value) || self.may_be_of_any_software(members, value) {
            return;
        }
        let is_password = members.iter().all(|member| member.value == ValueShape::Password);
        // Beside the user of a connection string a hint says what it is.
        let is_told = members.iter().any(|member| member.hint.is_some());
        let needs_user = is_password && !is_told && needs_user(&text[self.key.clone()]);
        if needs_user && !has_user(text, self.key.start, value, &mut self.bare_run) {
            return;
        }
        let is_of_login =
            setting == Setting::Line && is_password && is_of_login(text, self.key.start, value, &mut self.bare_run);
        let setting = if is_of_login { Setting::Sure } else { setting };
        let told_by = |m: &Member| {
            let range = shape_range(text, value, m.value);
            let believed = !range.is_empty() && is_believable(m.value, &text[range.clone()], setting);
            (believed && (!is_asked_last(m) || self.has_hint(m, self.key.start))).then_some((m.kind, range))
        };
        let by_member = members.iter().find_map(told_by);
        let (resource, any_name) = (self.detector.catalog.known.resource_id, self.detector.catalog.known.resource_name);
        let told = || {
            let kind =
                members.iter().any(|m| m.kind == resource).then(|| self.prefixed_as_told(value.start, value.end));
            kind.flatten().map(|kind| (kind, value.start..value.end))
        };
        let Some((kind, Range { start, end })) = by_member.or_else(told) else {
            return self.used(members, value);
        };
        // An id with a prefix says more about itself.
        if (kind == resource || kind == any_name)
            && self.prefixed_within(start, end).is_some_and(|(_, _, to)| to == end)
        {
            return;
        }
        let known = &self.detector.catalog.known;
        if kind == known.policy && is_managed_policy(text, start, end) {
            return;
        }
        // `"SourceIdentifier": "RDS_SNAPSHOTS_PUBLIC_PROHIBITED"`: an instance has no `_` in its name.
        if kind == known.db_instance && text[start..end].contains(&b'_') {
            return;
        }
        if kind == known.repository && is_of_other_registry(&text[start..end]) {
            return;
        }
        let category = self.detector.catalog.kind(kind).map(|kind| kind.category);
        self.finding(kind, start, end);
        if kind == self.detector.catalog.known.object_key {
            return self.object_key(start, end);
        }
        let is_name = category != Some(Category::Credentials) && category != Some(Category::Accounts);
        self.part(kind, start, end, is_name);
        if is_password {
            self.user_beside(self.key.start, value.next);
        }
    }
}

/// The second half of the sign at `at` where a filter of jq asks for a string: `select(.bucket == "acme-logs")`.
fn filter_sign(text: &[u8], start: usize, at: usize) -> Option<usize> {
    let is_path = matches!(text[..start], [.., b' ' | b'(' | b'[' | b'|', b'.']);
    let value = run_end(text, at + 2, 1, |c| c == b' ');
    let quote = run_end(text, value, MAX_BACKSLASHES, |c| c == b'\\');
    (is_path && text[at..].starts_with(b"==") && text.get(quote) == Some(&b'"')).then_some(at + 1)
}

fn ends_in(key: &[u8], end: &[u8]) -> bool {
    key.len().checked_sub(end.len()).is_some_and(|at| key[at..].eq_ignore_ascii_case(end))
}

/// True where a sentence has an option in it, whose last dash is at `dash`, and goes on with a word at `at`: `the new
/// --password option`.
fn is_spoken_of(text: &[u8], dash: usize, at: usize) -> bool {
    let word = &text[at..run_end(text, at, MAX_WORD, |c| c.is_ascii_lowercase())];
    let ends =
        text.get(at + word.len()).is_none_or(|&c| matches!(c, b' ' | b'\n' | b'.' | b',' | b';' | b')' | b'\\' | b'"'));
    let before = text[..run_start(text, dash + 1, 2, |c| c == b'-')].trim_ascii_end();
    let start = run_start(before, before.len(), MAX_BEFORE_OPTION, |c| c.is_ascii_alphabetic());
    !word.is_empty() && ends && (before.ends_with(b",") || BEFORE_OPTIONS.contains(&&before[start..]))
}

/// True for 64 hexadecimal digits behind the sign before `at`.
fn is_digest(text: &[u8], at: usize) -> bool {
    let start = run_end(text, at, MAX_ASSIGNED, |c| is_between(c) || matches!(c, b'"' | b'\'' | b'\\'));
    run_end(text, start, DIGEST + 1, |c| c.is_ascii_hexdigit()) - start == DIGEST
}

/// What may stand between the sign behind a key and its value.
pub(in crate::detect) fn is_between(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'=' | b'>')
}

/// True where the call that is named at `at` makes a construct. Its first argument is what the program calls it:
/// `new aws.s3.Bucket("data", …)`, `aws.s3.Bucket("data")`.
pub(in crate::detect) fn is_construct(text: &[u8], at: usize) -> bool {
    let path = run_start(text, at, 32, |c| is_alnum(c) || matches!(c, b'_' | b'.'));
    text[..path].ends_with(b"new ") || text[path..at].starts_with(b"aws.")
}

/// `registry.k8s.io/pause`, `ghcr.io/acme/web`: a host of somebody else stands before the path.
pub(in crate::detect) fn is_of_other_registry(repository: &[u8]) -> bool {
    let mut segments = repository.split(|&c| c == b'/');
    let host = segments.next().unwrap_or_default();
    segments.next().is_some() && host.contains(&b'.') && !host.ends_with(b".amazonaws.com")
}

/// True for the name of a policy of AWS's own whose ARN stands behind it: `arn:aws:iam::aws:policy/PowerUserAccess`.
fn is_managed_policy(text: &[u8], start: usize, end: usize) -> bool {
    let behind = &text[end..text.len().min(end + MAX_TO_ARN)];
    let name = &text[start..end];
    memchr::memmem::find_iter(behind, b":iam::aws:policy/").any(|at| {
        let policy = run_end(behind, at, MAX_TO_ARN, |c| is_alnum(c) || b":/-_+=.@".contains(&c));
        behind[at..policy].strip_suffix(name).is_some_and(|path| path.ends_with(b"/"))
    })
}

/// Past white space, also where it is escaped.
pub(in crate::detect) fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        let next = run_end(text, at, 256, |c| c.is_ascii_whitespace());
        let end = run_end(text, next, MAX_BACKSLASHES, |c| c == b'\\');
        if !(end - next).is_power_of_two() || !matches!(text.get(end), Some(b'n' | b't' | b'r')) {
            return next;
        }
        at = end + 1;
    }
}

/// Where the text of the item begins when the rest of the line is empty and the next one holds `- item`.
fn yaml_item(text: &[u8], at: usize) -> Option<usize> {
    let (_, line) = whole_break_at(text, at)?;
    let dash = run_end(text, line, 64, |c| c == b' ');
    (text.get(dash..dash + 2)? == b"- ").then_some(dash + 2)
}
