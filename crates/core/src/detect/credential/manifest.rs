//! Secrets of Kubernetes: each value under `data:` and `stringData:` of a manifest of `kind: Secret`, whatever its key.

use crate::detect::Scan;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use crate::detect::text::line::{break_at, break_before, quote_backslashes};

/// The hint of keys that count in a manifest of a Secret.
pub(in crate::detect) const SECRET_MANIFEST: &str = "secret-manifest";

/// How far from its values the kind of a manifest may stand, bytes: before them, and behind, where they are sorted.
const NEAR_BEFORE: usize = 4 * 1024;
const NEAR_BEHIND: usize = 64 * 1024;
/// Most blanks before a line.
const MAX_INDENT: usize = 64;
/// How often a text may be read to see what belongs together in it.
const MAX_READ: usize = 4;

/// The manifests of a text.
#[derive(Debug)]
pub(in crate::detect) struct Manifests {
    /// Where each key `kind` begins whose value is `Secret`, in order.
    secrets: Vec<usize>,
    /// How many bytes may still be read.
    left: usize,
}

impl Manifests {
    fn read(text: &[u8]) -> Self {
        let kind = |value: usize| {
            let sign = |c: u8| matches!(c, b' ' | b'"' | b'\'' | b'\\' | b':');
            let key = run_start(text, value, 2 * MAX_BACKSLASHES, sign);
            let is_whole = !text.get(value + b"Secret".len()).is_some_and(|&c| is_alnum(c));
            let is_kind = is_whole && text[..key].ends_with(b"kind") && text[key..value].contains(&b':');
            is_kind.then(|| key - b"kind".len())
        };
        let secrets = memchr::memmem::find_iter(text, "Secret").filter_map(kind).collect();
        Self { secrets, left: text.len().saturating_mul(MAX_READ) }
    }

    /// Whether the key at `at` stands beside the kind of a Secret.
    fn is_secret(&mut self, text: &[u8], at: usize) -> bool {
        let next = self.secrets.partition_point(|&kind| kind < at);
        let before = next.checked_sub(1).map(|i| self.secrets[i]).filter(|kind| at - kind <= NEAR_BEFORE);
        let behind = self.secrets.get(next).copied().filter(|kind| kind - at <= NEAR_BEHIND);
        before.is_some_and(|kind| self.are_members_of_one(text, kind, at))
            || behind.is_some_and(|kind| self.are_members_of_one(text, at, kind))
    }

    /// Whether these two keys belong to one object, of JSON or of YAML.
    fn are_members_of_one(&mut self, text: &[u8], first: usize, second: usize) -> bool {
        let Some(left) = self.left.checked_sub(second - first) else { return false };
        self.left = left;
        let is_quoted = |key: usize| {
            let end = run_end(text, key, MAX_INDENT, is_alnum);
            let quote = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
            key > 0 && matches!(text.get(quote), Some(b'"' | b'\''))
        };
        match (is_quoted(first), is_quoted(second)) {
            (true, true) => are_in_one_object(text, first, second),
            (false, false) => are_in_one_block(text, first, second),
            _ => false,
        }
    }
}

fn slashes_before(text: &[u8], quote: usize) -> usize {
    quote - run_start(text, quote, MAX_BACKSLASHES, |c| c == b'\\')
}

fn are_in_one_object(text: &[u8], first: usize, second: usize) -> bool {
    let slashes = slashes_before(text, first - 1);
    let (mut is_inside, mut depth) = (true, 0usize);
    for at in first..second - 1 {
        match text[at] {
            b'"' if slashes_before(text, at) == slashes => is_inside = !is_inside,
            // The string ends that all of it stands in.
            b'"' if slashes_before(text, at) < slashes => return false,
            _ if is_inside => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return false,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !is_inside && slashes_before(text, second - 1) == slashes
}

fn are_in_one_block(text: &[u8], first: usize, second: usize) -> bool {
    let column = |key: usize| {
        let start = run_start(text, key, MAX_INDENT, |c| matches!(c, b' ' | b'-'));
        let begins_line = matches!(text[..start], [] | [.., b'"']) || break_before(text, start).is_some();
        begins_line.then_some(key - start)
    };
    let Some(indent) = column(first) else { return false };
    if column(second) != Some(indent) {
        return false;
    }
    let slashes = slashes_of(text, first);
    let mut at = first;
    while at < second {
        let Some(sign) = memchr::memchr3(b'\n', b'\\', b'"', &text[at..second]) else { return true };
        at += sign;
        let Some((depth, next)) = break_at(text, at) else {
            let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
            let ends_string = text.get(quote) == Some(&b'"') && quote - at < slashes;
            if ends_string {
                return false;
            }
            at = quote + 1;
            continue;
        };
        let own = run_end(text, next, MAX_INDENT, |c| c == b' ');
        let is_empty =
            text.get(own).is_none_or(|&c| c == b'\n' || c == b'#') || depth > 0 && break_at(text, own).is_some();
        let is_item = text[own..].starts_with(b"- ");
        let content = own - next + if is_item { 2 } else { 0 };
        if !is_empty && (content < indent || is_item && content == indent || text[own..].starts_with(b"---")) {
            return false;
        }
        at = next;
    }
    true
}

/// How many backslashes stand before a quote of the string whose lines `at` stands in; 0 where it is in none.
fn slashes_of(text: &[u8], at: usize) -> usize {
    let next = memchr::memchr2_iter(b'\n', b'\\', &text[at..]).find_map(|i| break_at(text, at + i));
    next.map_or(0, |(depth, _)| quote_backslashes(depth))
}

impl Scan<'_, '_> {
    /// True where the key at `at` is a member of a manifest of a Secret.
    pub(in crate::detect) fn is_of_secret(&mut self, at: usize) -> bool {
        let text = self.text;
        self.manifests.get_or_insert_with(|| Manifests::read(text)).is_secret(text, at)
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn the_values_of_secrets() {
        for text in [
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: orders\ntype: Opaque\ndata:\n  DATABASE_URL: cG9zdGdyZXM6Ly9h\n  \
             tls.key: \"LS0tLS1CRUdJTg==\"\n",
            "apiVersion: v1\ndata:\n  DATABASE_URL: cG9zdGdyZXM6Ly9h\n  tls.key: LS0tLS1CRUdJTg==\nkind: Secret\nmetadata:\n  \
             name: orders\n",
            "{\"apiVersion\": \"v1\", \"data\": {\"DATABASE_URL\": \"cG9zdGdyZXM6Ly9h\", \"tls.key\": \"LS0tLS1CRUdJTg==\"}, \
             \"kind\": \"Secret\"}",
            "items:\n- apiVersion: v1\n  data:\n    DATABASE_URL: cG9zdGdyZXM6Ly9h\n    tls.key: LS0tLS1CRUdJTg==\n  kind: Secret\n",
            "kind: Secret\nstringData:\n  DATABASE_URL: cG9zdGdyZXM6Ly9h\n  # x\n\n  tls.key: 'LS0tLS1CRUdJTg=='\n",
        ] {
            assert_eq!(parts(text), ["cG9zdGdyZXM6Ly9h", "LS0tLS1CRUdJTg=="], "{text}");
        }
        assert_eq!(found("kind: Secret\ndata:\n  x: cG9zdGdyZXM6Ly9h\n")[0].0, "cred:password");
    }

    #[test]
    fn the_values_of_others() {
        for text in [
            "kind: ConfigMap\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "kind: Secret\nmetadata:\n  name: x\n---\nkind: ConfigMap\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "kind: ConfigMap\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n---\nkind: Secret\n",
            "kind: SecretStore\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "mankind Secret\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "kind: Secret\ndata:\nother:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "items:\n- kind: ConfigMap\n  data:\n    LEVEL: cG9zdGdyZXM6Ly9h\n- kind: Secret\n",
            "- apiVersion: v1\n  data:\n    LEVEL: cG9zdGdyZXM6Ly9h\n  kind: ConfigMap\n- apiVersion: v1\n  kind: Secret\n",
            "Use kind: Secret to store it. Then the chart has\n\ndata:\n  LEVEL: cG9zdGdyZXM6Ly9h\n",
            "{\"items\": [{\"kind\": \"ConfigMap\", \"data\": {\"x\": \"cG9zdGdyZXM6Ly9h\"}}, {\"kind\": \"Secret\"}]}",
            "[{\"data\": {\"x\": \"cG9zdGdyZXM6Ly9h\"}}, \"kind: Secret\"]",
            "[\"a:\\ndata:\\n  x: cG9zdGdyZXM6Ly9h\\n\", \"a:\\nkind: Secret\\n\"]",
            "{\"data\": {\"x\": \"cG9zdGdyZXM6Ly9h\"}}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
