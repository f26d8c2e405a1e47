//! Names and ids of what AWS's own members hold, where nothing says AWS but something of it stands nearby:
//! `{"AutoScalingGroupName": "acme", "PolicyName": "acme-scale-out"}`.
//!
//! Other software has such members, too. What was found in the first pass says that the text is about somebody's AWS.

use crate::catalog::{Match, Member, ValueShape};
use crate::detect::Scan;
use crate::detect::api::operation::is_of_aws;
use crate::detect::setting::index::before_index;
use crate::detect::setting::key::{key_end, key_start};

/// What the models of services call their members by.
const OF_MODELS: &[u8] = b"locationName";

impl Scan<'_, '_> {
    /// Makes members of AWS out of those of the key at `start..end` that are some only where the text speaks of it, or of one
    /// of its services: these are then names that no prose has, of anything.
    pub(in crate::detect) fn speak_of_aws(&mut self, members: &mut Vec<Member>, start: usize, end: usize) {
        members.iter_mut().filter(|m| m.hint == Some("aws")).for_each(|m| m.hint = None);
        let known = members.len();
        members.retain(|member| self.has_hint(member, start));
        let key = &self.text[start..end];
        let key = &key[memchr::memrchr(b'.', key).map_or(0, |dot| dot + 1)..];
        let kind = self.detector.catalog.known.resource_name;
        if members.len() < known && is_name_of_customers(key) && self.wants(kind) {
            members.push(Member { kind, matches: Match::Exact, value: ValueShape::OwnName, hint: None });
        }
    }

    /// Looks once more at the values of keys, whose separators these are, that count where the text speaks of AWS.
    pub(in crate::detect) fn vouched(&mut self, separators: &[usize]) {
        let text = self.text;
        for &at in separators {
            if !self.has_identifier(at) {
                continue;
            }
            let end = key_end(text, at);
            let end = before_index(text, end).unwrap_or(end);
            let start = member_start(text, key_start(text, end).min(end), end);
            let key = &text[start..end];
            if key == OF_MODELS || !key.iter().any(u8::is_ascii_uppercase) || key.contains(&b'_') {
                continue;
            }
            let mut members = self.meanings_anywhere(start, end);
            // Programs of all kinds have a `user_name`; AWS spells it `UserName`.
            let is_of_program = !text[start..].first().is_some_and(u8::is_ascii_uppercase);
            members.retain(|m| m.hint == Some("aws") || !is_of_program && m.hint.is_some());
            if !members.is_empty() {
                self.speak_of_aws(&mut members, start, end);
                self.values(&members, at + 1);
            }
        }
    }
}

/// Where the member begins in the variable of an environment `start..end`: behind the last `_` of `LOADBALANCER_POLICYNAME`.
/// Constants of programs have one between the words: `POLICY_NAME`.
fn member_start(text: &[u8], start: usize, end: usize) -> usize {
    let key = &text[start..end];
    let is_variable = !key.iter().any(u8::is_ascii_lowercase);
    let before = Some(key).filter(|_| is_variable).and_then(|key| memchr::memrchr(b'_', key));
    let start = before.map_or(start, |sign| start + sign + 1);
    let is_member = !is_variable || ![&b"NAME"[..], b"ID", b"IDENTIFIER"].contains(&&text[start..end]);
    if is_member { start } else { end }
}

/// True for the key of a name of two words or more, unless AWS gives that what has it.
fn is_name_of_customers(key: &[u8]) -> bool {
    let noun = key.len().checked_sub(b"name".len()).filter(|&at| key[at..].eq_ignore_ascii_case(b"name"));
    noun.is_some_and(|noun| noun > 0 && !is_of_aws(&key[..noun]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn members_of_aws_count_beside_what_is_of_aws() {
        for beside in ["\"AutoScalingGroupName\": \"acme\"", "\"InstanceId\": \"i-0ab12cd34ef56ab78\""] {
            let alone = "{\"PolicyName\": \"acme-scale-out\"}";
            let text = alone.replace('}', &format!(", {beside}}}"));
            assert!(parts(&text).contains(&"acme-scale-out"), "{text}");
            assert_eq!(parts(alone), [""; 0]);
            let text = text.replace("acme-scale-out", "Enabled");
            assert_eq!(parts(&text).len(), 1, "{text}");
        }
        let lines = "PolicyName: acme-scale-out\nInstanceId: i-0ab12cd34ef56ab78\n";
        assert_eq!(parts(lines), ["acme-scale-out", "i-0ab12cd34ef56ab78"]);
        let variables = "export POLICYNAME=acme-scale-out\nexport INSTANCEID=i-0ab12cd34ef56ab78\n";
        assert_eq!(parts(variables), ["acme-scale-out", "i-0ab12cd34ef56ab78"]);
        let constant = "POLICY_NAME = \"acme-scale-out\"; INSTANCE_ID = \"i-0ab12cd34ef56ab78\"\n";
        assert_eq!(parts(constant), ["i-0ab12cd34ef56ab78"]);
        let model = "{\"locationName\": \"maxItems\", \"InstanceId\": \"i-0ab12cd34ef56ab78\"}";
        assert_eq!(parts(model), ["i-0ab12cd34ef56ab78"]);
        let service = "ServiceName: Code-Deploy\nInstanceId: i-0ab12cd34ef56ab78\n";
        assert_eq!(parts(service), ["i-0ab12cd34ef56ab78"]);
        let lines = "UserName: acme-ci\nusername: acme-web\npolicy_name: acme-out\nrule.name: acme-in\nInstanceId: i-0ab12cd34ef56ab78\n";
        assert_eq!(parts(lines), ["acme-ci", "i-0ab12cd34ef56ab78"]);
    }
}
