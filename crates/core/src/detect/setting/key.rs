//! Keys: finding the one before a separator, and what it says about the value.

use crate::catalog::{MAX_KEY_LEN, Match, Member, PAIRED, ValueShape};
use crate::detect::Scan;
use crate::detect::api::operation::Operation;
use crate::detect::layout::container::named;
use crate::detect::scan::sieve::Lanes;
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start, word_start};
use crate::detect::text::line::{break_at, break_before};

/// Longest word before a call's opening bracket.
const MAX_CALL: usize = 64;

/// Nouns whose name is a domain, or that of a setting.
const OTHERS: [&[u8]; 7] = [b"zone", b"Zone", b"record", b"Record", b"domain", b"Domain", b"setting"];

/// How far before a key the bracket of its call may stand, bytes.
const MAX_ARGUMENTS: usize = 160;
/// Most blanks between a key and its sign. In a table the longest key says how wide the column is.
pub(in crate::detect) const MAX_PADDING: usize = 160;
/// Most tabs before a key that are written as escapes, and the break before them.
const MAX_TABS: usize = 8;

/// What operations begin with that take the name of a thing.
pub(in crate::detect) const VERBS: [&[u8]; 9] =
    [b"create", b"delete", b"describe", b"get", b"put", b"register", b"start", b"stop", b"update"];

impl Scan<'_, '_> {
    /// The meanings of the key `start..end`, the longest part of it that means something first.
    pub(in crate::detect) fn meanings(&mut self, start: usize, end: usize) -> Vec<Member> {
        let mut found = self.meanings_anywhere(start, end);
        found.retain(|m| is_asked_last(m) || self.has_hint(m, start));
        found
    }

    /// [`Self::meanings`], whatever the text around it speaks of.
    pub(in crate::detect) fn meanings_anywhere(&mut self, start: usize, end: usize) -> Vec<Member> {
        let text = self.text;
        let members = &self.detector.catalog.members;
        let mut found = Vec::new();
        if end < start || !members.may_mean_something(&text[start..end]) {
            return found;
        }
        self.key = start..end;
        let words = &Words::split(&text[start..end]);
        let told = self.word_told(words);
        if let Some((word, known)) = told {
            found = known.to_vec();
            found.retain(|member| words.fits(member, word));
        }
        match words.last() {
            b"name" | b"names" if !words.is_one() => {
                if found.is_empty() {
                    found.extend(self.meanings_of_flat(start, end));
                }
                if found.is_empty() {
                    found.extend(self.meanings_of_branded(words, start..end));
                }
            }
            // Any `id` may be the path of a zone; that is seen in the value.
            b"id" | b"ids" | b"identifier"
                if !words.is_one() && told.is_none_or(|(word, _)| word + 1 == words.count()) =>
            {
                found.extend(self.meanings_of_branded(words, start..end));
            }
            b"id" | b"ids" | b"identifier" if !words.is_one() => {}
            b"name" | b"names" if words.is_one() => {
                found.extend(self.meanings_of_name(start));
                found.extend(self.meanings_of_title(start, end));
            }
            b"id" | b"ids" | b"identifier" => {
                found.extend(self.meanings_of_id(start));
                found.extend(self.meanings_of_title(start, end));
            }
            last if PAIRED.contains(&last) => found.splice(0..0, self.meanings_of_value(start)).for_each(drop),
            _ => {}
        }
        found.retain(|m| self.wants(m.kind));
        found
    }

    /// The meanings of the longest part of a key that means something.
    pub(in crate::detect) fn meanings_of_words(&self, words: &Words) -> Vec<Member> {
        let Some((word, known)) = self.word_told(words) else { return Vec::new() };
        let mut found = known.to_vec();
        found.retain(|member| words.fits(member, word));
        found
    }

    /// The word that the longest part of a key begins with which means something, and what that means in any spelling.
    #[inline]
    fn word_told(&self, words: &Words) -> Option<(usize, &'static [Member])> {
        let members = &self.detector.catalog.members;
        for word in 0..words.count() {
            let known = members.get(words.from(word));
            if known.iter().any(|member| words.fits(member, word)) {
                return Some((word, known));
            }
        }
        None
    }

    /// What `Name` means as an argument of a call such as `create_secret(Name=…)`, as the option of a command such
    /// as `aws secretsmanager create-secret --name …`, or as an attribute of a resource such as `aws_sqs_queue`.
    fn meanings_of_name(&mut self, key: usize) -> Vec<Member> {
        if self.is_of_django(key) {
            let kind = self.detector.catalog.known.database;
            return vec![Member { kind, matches: Match::Exact, value: ValueShape::Name, hint: None }];
        }
        if let Some((start, end)) = self.call_before(key) {
            return self.meanings_of_noun(start, end);
        }
        if let Some((start, end)) = call_around(self.text, key)
            && (self.speaks_of("boto3", key) || self.speaks_of("aws", key))
        {
            return self.meanings_of_noun(start, end);
        }
        let (start, end, is_sure) = match self.command_before(key) {
            Some((start, end)) => (start, end, is_one_command(&self.text[end..key])),
            None => match self.type_before(key) {
                Some((start, end)) => (start, end, true),
                None => return self.meanings_of_block(key),
            },
        };
        let mut found = self.meanings_of_noun(start, end);
        found.retain(|member| is_asked_last(member) || self.has_hint(member, key));
        let any = self.detector.catalog.known.resource_name;
        if is_sure && found.iter().all(|member| member.kind == any) {
            found.extend(self.meaning_of_any_noun(start, end));
        }
        found
    }

    /// True for the `NAME` of a database on AWS, in the settings of a Django project.
    fn is_of_django(&mut self, key: usize) -> bool {
        let text = self.text;
        text[key..].starts_with(b"NAME")
            && memchr::memmem::find(&text[key.saturating_sub(MAX_ARGUMENTS)..key], b"django.db.backends").is_some()
            && self.speaks_of("rds.amazonaws.com", key)
    }

    /// What `name` means in a block inside a resource of Terraform: `iam_instance_profile { name = …`.
    fn meanings_of_block(&self, key: usize) -> Vec<Member> {
        let text = self.text;
        let from = key.saturating_sub(MAX_ARGUMENTS);
        let Some(open) = memchr::memrchr(b'{', &text[from..key]).map(|open| from + open) else { return Vec::new() };
        let end = run_start(text, open, 1, |c| c == b' ');
        let start = run_start(text, end, MAX_CALL, |c| is_alnum(c) || c == b'_');
        let is_closed = memchr::memchr(b'}', &text[open..key]).is_some();
        if is_closed || end == open || !text[start..end].contains(&b'_') {
            return Vec::new();
        }
        self.meanings_of_words(&Words::split(&text[start..end])).iter().filter_map(named).collect()
    }

    /// What `id` means in `aws_s3_bucket.logs: Refreshing state... [id=…]`, among the attributes of a resource, in what
    /// Terraform is to import, as an option such as `aws wafv2 get-web-acl --id …`, and as an argument such as
    /// `get_web_acl(Id=…)`.
    fn meanings_of_id(&mut self, key: usize) -> Vec<Member> {
        let text = self.text;
        let is_option = self.command_before(key).is_some_and(|(_, end)| is_one_command(&text[end..key]));
        // Programs of all kinds have an `id` in small letters.
        let is_argument = || text[key] == b'I' && call_around(text, key).is_some();
        if is_option || is_argument() && (self.speaks_of("boto3", key) || self.speaks_of("aws", key)) {
            let kind = self.detector.catalog.known.resource_id;
            return vec![Member { kind, matches: Match::Exact, value: ValueShape::OpaqueId, hint: None }];
        }
        let told = self.type_on_line(key).or_else(|| self.import_before(key)).or_else(|| self.type_before(key));
        told.map_or_else(Vec::new, |(start, end)| self.meanings_of_noun(start, end))
    }

    /// What the name of a thing of AWS means of which the noun says nothing more.
    fn meaning_of_any_noun(&self, start: usize, end: usize) -> Vec<Member> {
        let noun = &self.text[start..end];
        let is_other = OTHERS.iter().any(|word| memchr::memmem::find(noun, word).is_some());
        if is_other || !noun.iter().any(|c| matches!(c, b'_' | b'-' | b':')) {
            return Vec::new();
        }
        let kind = self.detector.catalog.known.resource_name;
        vec![Member { kind, matches: Match::Exact, value: ValueShape::SpacedName, hint: None }]
    }

    /// What the name of a thing means whose noun stands behind another word: `create_secret`, `SQS::Queue`.
    pub(in crate::detect) fn meanings_of_noun(&self, start: usize, end: usize) -> Vec<Member> {
        let text = self.text;
        let mut noun = [0u8; MAX_CALL + 5];
        if end - start > MAX_CALL {
            return Vec::new();
        }
        let Some(verb) = text[start..end].iter().position(|c| matches!(c, b'_' | b'-') || c.is_ascii_uppercase())
        else {
            return Vec::new();
        };
        let mut len = 0;
        for &c in text[start + verb..end].iter().chain(b"_name") {
            noun[len] = c;
            len += 1;
        }
        loop {
            let words = Words::split(&noun[..len]);
            let members = &self.detector.catalog.members;
            // `subtle.generateKey({name: "HMAC"` names an algorithm; of AWS's keys, only pairs have names.
            let nouns = (0..words.count()).map(|word| words.from(word)).filter(|noun| *noun != b"keyname");
            if let Some(found) = nouns.map(|noun| members.get(noun)).find(|found| !found.is_empty()) {
                return found.to_vec();
            }
            // `start-pipeline-execution --name`: what it starts is that of a pipeline.
            // `describe-target-groups --names` are those of one each.
            let head = noun[..len].strip_suffix(b"-execution_name").or_else(|| noun[..len].strip_suffix(b"s_name"));
            let Some(head) = head else { return Vec::new() };
            let last = head.len();
            noun[last..last + b"_name".len()].copy_from_slice(b"_name");
            len = last + b"_name".len();
        }
    }

    /// The name of the function whose bracket opens right before `key`.
    fn call_before(&self, key: usize) -> Option<(usize, usize)> {
        let text = self.text;
        let between = |c: u8| c.is_ascii_whitespace() || matches!(c, b'"' | b'\'' | b'*' | b'{' | b'\\' | b'&');
        let mut open = run_start(text, key, 24, between);
        // In a string of JSON the break of the line has a letter in it, and so has a tab.
        for _ in 0..MAX_TABS {
            let tab = text[..open].strip_suffix(b"\\t").map(<[u8]>::len);
            let Some(before) = tab.or_else(|| break_before(text, open)) else { break };
            open = run_start(text, before, 24, between);
        }
        let open = match open.checked_sub(1).map(|i| text[i])? {
            b'(' => open - 1,
            // `new aws.dynamodb.Table("t", {name: …`
            b',' if text[open..key].contains(&b'{') => past_string(text, open - 1)?,
            // `.getParameter().name(…`
            b'.' => return self.builder_before(open - 1),
            // `&ssm.GetParameterInput{Name: …`, `new GetParameterRequest { Name = …`
            _ if text[open..key].contains(&b'{') => return request(text, open),
            _ => return None,
        };
        let start = run_start(text, open, MAX_CALL - 6, |c| is_alnum(c) || c == b'_');
        let command = text[start..open].strip_suffix(b"Command").map_or(open, |name| start + name.len());
        // `@Table(name = "orders")` is one of a database that Java has mapped.
        let is_annotation = text[..start].ends_with(b"@");
        (command > start && !is_annotation).then_some((start, command))
    }

    /// The call before the dot at `dot`: `describe_cluster()`, `GetParameterRequest.builder()`.
    fn builder_before(&self, dot: usize) -> Option<(usize, usize)> {
        let text = self.text;
        let end = run_start(text, dot, 64, |c| c.is_ascii_whitespace());
        let call = text[..end].strip_suffix(b"()")?;
        match call.strip_suffix(b".builder") {
            Some(name) => request(text, name.len()),
            None => {
                let start = run_start(text, call.len(), MAX_CALL - 6, |c| is_alnum(c) || c == b'_');
                (start < call.len()).then_some((start, call.len()))
            }
        }
    }

    /// The operation of the AWS command whose option is written right before `key`.
    fn command_before(&self, key: usize) -> Option<(usize, usize)> {
        let text = self.text;
        let dashes = run_start(text, key, 2, |c| c == b'-');
        if key - dashes != 2 {
            return None;
        }
        let from = dashes.saturating_sub(512);
        let command = from + last_command(self.detector.lanes, &text[from..dashes])?;
        let mut at = command + 4;
        if text[at..].starts_with(b"--") {
            let operation = Operation::of_command(text, at).filter(|operation| operation.end <= dashes);
            return operation.map(|operation| (operation.start, operation.end));
        }
        // Service, then operation.
        for last in [false, true] {
            at = run_end(text, at, 16, |c| c == b' ');
            let end = run_end(text, at, MAX_CALL - 6, |c| is_alnum(c) || c == b'-');
            if last {
                return (end > at && end <= dashes).then_some((at, end));
            }
            at = end;
        }
        None
    }

    /// True for the option at `key` of an AWS command.
    pub(in crate::detect) fn is_option_of_aws(&self, key: usize) -> bool {
        self.command_before(key).is_some_and(|(_, end)| is_one_command(&self.text[end..key]))
    }

    /// What an option means that is called after what its command is about: `aws network-firewall delete-firewall
    /// --firewall-name …`, where the name may be any word.
    pub(in crate::detect) fn meaning_of_option(&self, key: usize, end: usize) -> Option<Member> {
        let text = self.text;
        let noun = text[key..end].strip_suffix(b"-name")?;
        let (start, operation_end) = self.command_before(key)?;
        let operation = Operation::at(text, start, operation_end, true)?;
        let is_its = operation.is_about(noun) && !operation.is_of_aws() && is_one_command(&text[operation_end..key]);
        let kind = Some(self.detector.catalog.known.resource_name).filter(|&kind| is_its && self.wants(kind))?;
        Some(Member { kind, matches: Match::Exact, value: ValueShape::SpacedName, hint: None })
    }

    /// True when the text around `at` speaks of what the member belongs to.
    pub(in crate::detect) fn has_hint(&mut self, member: &Member, at: usize) -> bool {
        member.hint.is_none_or(|hint| self.speaks_of(hint, at))
    }
}

/// Where the last `aws ` of a text begins.
fn last_command(lanes: Lanes, text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    loop {
        let second = lanes.last_pair(&text[..end], *b"ws")?;
        // `windows` has these letters, too.
        let command = second.checked_sub(1).filter(|&at| text[at..].starts_with(b"aws "));
        if command.is_some() {
            return command;
        }
        end = second + 1;
    }
}

/// True when no other command begins in this; in one, line breaks stand behind a backslash.
fn is_one_command(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(i) = text.get(at..).and_then(|rest| rest.iter().position(|c| b"\n\\|;&".contains(c))) {
        at += i;
        if text[at] != b'\\' || break_at(text, at).is_some() {
            return false;
        }
        at = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\') + 1;
    }
    true
}

/// The name of the operation whose request or input has its name end at `end`.
fn request(text: &[u8], end: usize) -> Option<(usize, usize)> {
    let start = run_start(text, end, MAX_CALL - 6, is_alnum);
    let name = &text[start..end];
    let operation = name.strip_suffix(b"Request").or_else(|| name.strip_suffix(b"Input"));
    // `&dynamodb.TableArgs{Name: …`, of Pulumi: with the package, whose dot the noun stands behind.
    let Some(operation) = operation else {
        let noun = name.strip_suffix(b"Args").filter(|noun| !noun.is_empty() && text[..start].ends_with(b"."))?;
        return Some((start - 1, start + noun.len()));
    };
    (!operation.is_empty()).then_some((start, start + operation.len()))
}

/// The operation of AWS in whose call the key at `at` is a later argument, itself or in its only one:
/// `create_model(ApiId=…, Name=…)`, `createModel({ApiId: …, Name: …})`.
fn call_around(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let floor = at.saturating_sub(MAX_ARGUMENTS);
    // Most names stand in no such call, and every request has some.
    memchr::memchr_iter(b'(', &text[floor..at]).find(|open| operation_before(text, floor + open).is_some())?;
    let mut depth = 0;
    let open = (floor..at).rev().find_map(|at| match text[at] {
        b')' | b']' | b'}' => {
            depth += 1;
            None
        }
        b'(' | b'[' | b'{' if depth > 0 => {
            depth -= 1;
            None
        }
        opening @ (b'(' | b'[' | b'{') => Some((opening, at)),
        _ => None,
    });
    let open = match open? {
        (b'(', at) => at,
        (b'{', at) => {
            let before = run_start(text, at, 24, |c| c.is_ascii_whitespace() || c == b'*');
            before.checked_sub(1).filter(|&i| text[i] == b'(')?
        }
        _ => return None,
    };
    operation_before(text, open)
}

/// The operation of AWS whose bracket opens at `open`.
fn operation_before(text: &[u8], open: usize) -> Option<(usize, usize)> {
    let start = run_start(text, open, MAX_CALL - 6, |c| is_alnum(c) || c == b'_');
    let end = text[start..open].strip_suffix(b"Command").map_or(open, |name| start + name.len());
    let name = &text[start..end];
    let verb = name.iter().skip(1).position(|c| *c == b'_' || c.is_ascii_uppercase())?;
    VERBS.iter().any(|known| known.eq_ignore_ascii_case(&name[..=verb])).then_some((start, end))
}

/// The bracket that opens right before the string that ends before the comma at `comma`.
fn past_string(text: &[u8], comma: usize) -> Option<usize> {
    let close = comma.checked_sub(1).filter(|&i| matches!(text[i], b'"' | b'\'' | b'`'))?;
    let start = run_start(text, close, MAX_CALL, |c| c != text[close] && c != b'\n');
    let open = start.checked_sub(1).filter(|&open| text[open] == text[close])?;
    let bracket = run_start(text, open, MAX_BACKSLASHES, |c| c == b'\\').checked_sub(1)?;
    (text[bracket] == b'(').then_some(bracket)
}

/// True for members that all software has: few have such a value, and that is seen sooner than what the text speaks of.
pub(in crate::detect) fn is_asked_last(member: &Member) -> bool {
    matches!(member.value, ValueShape::OwnName | ValueShape::ObjectKey) || is_id_at_sight(member)
}

/// True for members whose value says what it is.
pub(in crate::detect) fn is_id_at_sight(member: &Member) -> bool {
    matches!(
        member.value,
        ValueShape::Account | ValueShape::DistributionId | ValueShape::MediaJob | ValueShape::OrgRoot
    )
}

/// Where the key before `at` ends: before blanks, the `?` of `?=`, the bracket of `environ["BUCKET"]`, a closing quote and its
/// backslashes, the end of bold text, and the type that Go puts behind a name.
pub(in crate::detect) fn key_end(text: &[u8], at: usize) -> usize {
    let is_conditional = text.get(at) == Some(&b'=') && text[..at].ends_with(b"?");
    let at = if is_conditional { at - 1 } else { at };
    let mut end = run_start(text, at, MAX_PADDING, |c| matches!(c, b' ' | b'\t'));
    // `["BucketName"]=>`, of PHP, has no blank before its sign.
    let is_dumped = end == at && text[at..].starts_with(b"=>") && text[..end].ends_with(b"\"]");
    if is_dumped || end < at && text[..end].ends_with(b"]") {
        end -= 1;
    }
    match text[..end] {
        [.., b'"' | b'\'' | b'`'] => run_start(text, end - 1, MAX_BACKSLASHES, |c| c == b'\\'),
        // `**Password**: …`
        [.., b'*', b'*'] => end - 2,
        // `var password string = …`
        [.., b' ', b's', b't', b'r', b'i', b'n', b'g'] if end < at => end - b" string".len(),
        _ => end,
    }
}

/// Where the key that ends before `end` begins.
pub(in crate::detect) fn key_start(text: &[u8], end: usize) -> usize {
    let run = run_start(text, end, MAX_KEY_LEN, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'.'));
    let start = word_start(text, run).min(end);
    run_end(text, start, end - start, |c| c == b'-' || c == b'.')
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn a_constructor_says_whose_name_stands_on_the_next_line() {
        let text = "new aws.cloudwatch.MetricAlarm(\"cpu\", {\n    name: \"acme-cpu\",\n  x: 1 })";
        assert_eq!(found(text), [("name:cloudwatch-alarm".to_owned(), "acme-cpu")]);
    }

    #[test]
    fn blocks_inside_a_resource_say_whose_name_it_is() {
        let text = "+ iam_instance_profile {\n  arn  = null\n  name = \"acme\"\n}\n";
        assert_eq!(found(text), [("name:instance-profile".to_owned(), "acme")]);
        for text in ["attribute {\n  name = \"acme\"\n}", "iam_instance_profile { }\nname = \"acme\""] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn databases_of_django() {
        let settings = "{'ENGINE': 'django.db.backends.mysql', 'NAME': 'acme', 'HOST': 'HERE'}";
        let host = "x1.abc123def456.us-east-1.rds.amazonaws.com";
        let on_aws = settings.replace("HERE", host);
        assert!(found(&on_aws).contains(&("name:database".to_owned(), "acme")), "{on_aws}");
        assert_eq!(found(settings), []);
    }

    #[test]
    fn commands_say_that_an_id_is_one_of_aws() {
        let id = "4f2e8d1c-73b6-4a09-9c5d-e1f0a2b3c4d5";
        for command in [
            "aws wafv2 get-web-acl --scope REGIONAL --id",
            "aws iotwireless get-wireless-device --identifier-type ThingName \\\n  --identifier",
        ] {
            assert_eq!(found(&format!("{command} {id}")), [("id:resource".to_owned(), id)]);
        }
        for call in ["boto3 c.get_web_acl(Scope='REGIONAL', Id='", "aws new GetPublicKeyCommand({ Id: '"] {
            assert_eq!(found(&format!("{call}{id}'")), [("id:resource".to_owned(), id)]);
        }
        for call in ["aws s3 ls\n./render --id ", "boto3 c.get_order(id='", "c.get_order(Id='", "boto3 c.render(Id='"] {
            assert_eq!(found(&format!("{call}{id}'")), [], "{call}");
        }
    }

    #[test]
    fn options_called_after_what_their_command_is_about() {
        for command in [
            "aws network-firewall delete-firewall --firewall-name acme",
            "aws --profile x --region eu-west-1 transcribe get-medical-vocabulary \\\n  --x 1 --vocabulary-name acme",
            "aws --region=eu-west-1 glue get-crawler --name acme",
        ] {
            assert_eq!(found(command), [("name:resource".to_owned(), "acme")], "{command}");
        }
        for command in [
            "aws network-firewall delete-firewall --rule-name acme",
            "aws eks describe-addon --addon-name acme",
            "aws network-firewall delete-firewall; ./x --firewall-name acme",
            "delete-firewall --firewall-name acme",
        ] {
            assert_eq!(found(command), [], "{command}");
        }
    }

    #[test]
    fn calls_say_whose_name_a_later_argument_is() {
        for text in [
            "boto3 c.create_model(ApiId='a', Name='acme-eu')",
            "boto3 c.create_model(**{'ApiId': 'a', 'Tags': [{'x': (1)}], 'Name': 'acme-eu'})",
            "aws c.createModel({ApiId: 'a', Name: 'acme-eu'})",
            "aws new CreateModelCommand({\n  ApiId: 'a',\n  Name: 'acme-eu'\n})",
        ] {
            let text = text.replace("odel", "odelCard").replace("create_modelCard", "create_model_card");
            assert_eq!(found(&text), [("name:resource".to_owned(), "acme-eu")], "{text}");
        }
        for text in [
            "c.create_model_card(ApiId='a', Name='acme')",
            "boto3 c.render_model_card(ApiId='a', Name='acme-eu')",
            "boto3 c.create_model_card(Extras=[{'x': 1, 'Name': 'acme-eu'}])",
            "boto3 c.create_model_card(Extras={'x': 1, 'Name': 'acme-eu'})",
            "boto3 c.create_model_card(a)\nName='acme-eu'",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
