//! Secrets of Kubernetes: each value under `data:` and `stringData:` of a manifest of `kind: Secret`, whatever its key.

use super::Scan;
use super::boundary::{MAX_BACKSLASHES, is_alnum, run_start};

/// The hint of keys that count in a manifest of a Secret.
pub(super) const SECRET_MANIFEST: &str = "secret-manifest";
/// How far from its values the kind of a manifest may stand, bytes: before them, and behind, where they are sorted.
const NEAR_BEFORE: usize = 2048;
const NEAR_BEHIND: usize = 64 * 1024;
/// What stands between two manifests of a file.
const BORDER: &[u8] = b"---";

/// The manifests of a text.
#[derive(Debug)]
pub(super) struct Manifests {
    /// Where the kind of each that is a Secret stands, in order.
    secrets: Vec<usize>,
    /// Where one ends and the next begins, in order.
    borders: Vec<usize>,
}

impl Manifests {
    fn read(text: &[u8]) -> Self {
        let is_kind = |&at: &usize| {
            let sign = |c: u8| matches!(c, b' ' | b'"' | b'\'' | b'\\' | b':');
            let key = run_start(text, at, 2 * MAX_BACKSLASHES, sign);
            let end = at + b"Secret".len();
            text[..key].ends_with(b"kind")
                && text[key..at].contains(&b':')
                && !text.get(end).is_some_and(|&c| is_alnum(c))
        };
        let secrets: Vec<_> = memchr::memmem::find_iter(text, "Secret").filter(is_kind).collect();
        let borders = if secrets.is_empty() { Vec::new() } else { memchr::memmem::find_iter(text, BORDER).collect() };
        Self { secrets, borders }
    }

    /// Whether what stands at `at` belongs to a Secret.
    fn is_secret(&self, at: usize) -> bool {
        let next = self.secrets.partition_point(|&kind| kind < at);
        let before = next.checked_sub(1).map(|i| self.secrets[i]).filter(|kind| at - kind <= NEAR_BEFORE);
        let behind = self.secrets.get(next).copied().filter(|kind| kind - at <= NEAR_BEHIND);
        let is_between = |from: usize, to: usize| {
            self.borders.get(self.borders.partition_point(|&border| border < from)).is_some_and(|&border| border < to)
        };
        before.is_some_and(|kind| !is_between(kind, at)) || behind.is_some_and(|kind| !is_between(at, kind))
    }
}

impl Scan<'_, '_> {
    /// True where what stands at `at` belongs to a manifest of a Secret.
    pub(super) fn is_of_secret(&mut self, at: usize) -> bool {
        let text = self.text;
        self.manifests.get_or_insert_with(|| Manifests::read(text)).is_secret(at)
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
            "{\"data\": {\"x\": \"cG9zdGdyZXM6Ly9h\"}}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
