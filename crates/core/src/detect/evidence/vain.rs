//! Values that are none of what their key could announce: seen sooner than what the text speaks of.

use crate::catalog::{Member, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::context::{CHANGED, MAX_ASSIGNED, is_between};
use crate::detect::setting::value::{Setting, Value, is_believable, quoted_value, shape_range};
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end};

/// Longest number that is looked at for an id.
const MAX_NUMBER: usize = 32;
/// Longest object that is looked through for a name, bytes.
const MAX_OBJECT: usize = 256;
/// Keys of messages that hold ids of tools' calls, messages, users and answers.
const KEYS_OF_CONVERSATIONS: [&[u8]; 9] = [
    b"id",
    b"tool_use_id",
    b"tool_call_id",
    b"call_id",
    b"user_id",
    b"item_id",
    b"message_id",
    b"response_id",
    b"previous_response_id",
];
/// What these begin with.
const IDS_OF_CONVERSATIONS: [&[u8]; 9] =
    [b"toolu_", b"call_", b"srvtoolu_", b"msg_", b"user_", b"fc_", b"rs_", b"resp_", b"chatcmpl-"];

/// Whose ids are those of owners in S3, or their keys.
const OWNERS: [&[u8]; 3] = [b"owner", b"canonical", b"grantee"];

/// `id`, `container_id`: hardly that of the owner of a bucket, which is `ID`, `OwnerID` or `canonical_user_id`.
pub(in crate::detect) fn is_id_of_anything(key: &[u8]) -> bool {
    let name = key.to_ascii_lowercase();
    key != b"ID" && name.ends_with(b"id") && !OWNERS.iter().any(|owner| memchr::memmem::find(&name, owner).is_some())
}

impl Scan<'_, '_> {
    /// True when what stands at `at` is one value in quotes, or a number, or an object without a name, and none that these
    /// members may have.
    pub(in crate::detect) fn are_in_vain(&self, members: &[Member], at: usize) -> bool {
        let text = self.text;
        if members.iter().all(|member| member.hint.is_none()) {
            return false;
        }
        let at = run_end(text, at, MAX_ASSIGNED, is_between);
        if text.get(at) == Some(&b'{') {
            let is_of_names = |m: &Member| matches!(m.value, ValueShape::Named | ValueShape::OwnNamed);
            return members.iter().all(is_of_names) && has_no_name(&text[at..text.len().min(at + MAX_OBJECT)]);
        }
        let Some(value) = plain_value(text, at) else { return false };
        let may_have = |member: &Member| {
            let range = shape_range(text, value, member.value);
            // Nothing is believed elsewhere that is not in quotes.
            let is_one = !range.is_empty() && is_believable(member.value, &text[range], Setting::Sure);
            is_one || member.value == ValueShape::QuotedSecret || member.kind == self.detector.catalog.known.resource_id
        };
        !members.iter().any(may_have)
    }
}

/// The value at `at`, in quotes or a number, if that is all that stands there: no variable, and nothing that it changes to.
fn plain_value(text: &[u8], at: usize) -> Option<Value> {
    match text.get(at)? {
        c if c.is_ascii_digit() => {
            let end = run_end(text, at, MAX_NUMBER, |c| c.is_ascii_digit());
            let ends = text
                .get(end)
                .is_none_or(|&c| c.is_ascii_whitespace() || matches!(c, b',' | b'}' | b']' | b'&' | b'\\'));
            ends.then_some(Value { start: at, end, next: end, quoted: false })
        }
        b'"' | b'\'' | b'`' | b'\\' => quoted_value(text, at).filter(|value| {
            let begins_plainly = text[value.start..value.end].first().is_none_or(|&c| is_alnum(c));
            begins_plainly && !text[value.next..].starts_with(CHANGED)
        }),
        _ => None,
    }
}

/// True for an object that ends here, holds no other and has no key that ends in `name`.
fn has_no_name(object: &[u8]) -> bool {
    let inside = &object[1..];
    let Some(end) = memchr::memchr2(b'{', b'}', inside).filter(|&end| inside[end] == b'}') else { return false };
    !inside[..end].windows(3).any(|letters| letters.eq_ignore_ascii_case(b"ame"))
}

/// True for an id that an API of language models gave: those of one conversation stand in all of its messages.
pub(in crate::detect) fn is_of_conversation(key: &[u8], text: &[u8], at: usize) -> bool {
    if !key.ends_with(b"id") || !KEYS_OF_CONVERSATIONS.contains(&key) {
        return false;
    }
    let at = run_end(text, at, MAX_ASSIGNED, is_between);
    let start = run_end(text, at, MAX_BACKSLASHES + 1, |c| matches!(c, b'"' | b'\\'));
    text[at..start].ends_with(b"\"") && IDS_OF_CONVERSATIONS.iter().any(|prefix| text[start..].starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn ids_of_conversations_are_nobody_s_on_aws() {
        for text in [
            r#"aws {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "Bash"}"#,
            r#"aws {"role": "tool", "tool_call_id": "call_1a2b3c4d5e6f", "content": "ok"}"#,
            r#"aws {"metadata": {"user_id": "user_4f2e8d1c73b6a09"}}"#,
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
        // What is no id may look like one.
        for key in ["password", "external_id"] {
            assert_eq!(parts(&format!(r#"aws {{"{key}": "call_4f2e8d1c73b6"}}"#)), ["call_4f2e8d1c73b6"], "{key}");
        }
    }

    #[test]
    fn objects_with_a_name() {
        for metadata in [
            r#"{"name": "acme-blue", "region": "eu-west-1"}"#,
            r#"{"labels": {"a": "b"}, "name": "acme-blue"}"#,
            r#"{"NAME": "acme-blue"}"#,
        ] {
            assert_eq!(parts(&format!("kind: ClusterConfig\nmetadata: {metadata}\n")), ["acme-blue"], "{metadata}");
        }
    }
}
