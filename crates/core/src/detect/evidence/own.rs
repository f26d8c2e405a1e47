//! Names that somebody gave, told from the words and compounds of prose: `acme-logs`, not `server-side` or `schema-2.sql`.

use crate::detect::evidence::ordinary::{is_made_up, is_ordinary};
use crate::detect::setting::value::OBJECTS;
use crate::detect::text::word_list::WordList;

/// Top-level domains under which companies are, none of which is a member of anything.
static DOMAINS: WordList = WordList::new(&[
    "ai", "at", "au", "be", "br", "ca", "ch", "cloud", "cn", "co", "com", "cz", "de", "dev", "dk", "edu", "es", "eu",
    "fi", "fr", "gov", "hk", "ie", "il", "info", "internal", "io", "it", "jp", "kr", "local", "mx", "net", "nl", "no",
    "nz", "org", "pl", "pt", "se", "sg", "tech", "tw", "uk", "us",
]);
/// First and last halves of compounds that are no names: `server-side`, `cross-account`.
static HALVES: WordList = WordList::new(&[
    "account",
    "auto",
    "az",
    "based",
    "built",
    "client",
    "cross",
    "defined",
    "demand",
    "driven",
    "end",
    "high",
    "level",
    "like",
    "long",
    "low",
    "managed",
    "metal",
    "multi",
    "non",
    "off",
    "only",
    "optimized",
    "out",
    "per",
    "pre",
    "premise",
    "premises",
    "purpose",
    "real",
    "region",
    "related",
    "right",
    "scaling",
    "self",
    "server",
    "short",
    "side",
    "specific",
    "time",
    "up",
    "well",
    "wide",
]);
/// Compounds of the trade that stand behind nouns, too: `the function cold-start time`, `the user site-packages`.
static COMPOUNDS: WordList = WordList::new(&[
    "as-is",
    "auto-created",
    "best-effort",
    "blue-green",
    "bulk-writable",
    "byte-order",
    "case-insensitive",
    "case-sensitive",
    "check-in",
    "check-out",
    "clean-up",
    "cluster-mode",
    "cold-start",
    "cold-starts",
    "cool-down",
    "copy-on-write",
    "day-to-day",
    "dead-letter",
    "dist-packages",
    "dry-run",
    "end-to-end",
    "error-prone",
    "event-driven",
    "fail-over",
    "failover-time",
    "fall-back",
    "fine-grained",
    "full-text",
    "git-lfs",
    "half-closed",
    "half-open",
    "health-check",
    "health-checks",
    "host-only",
    "hot-spot",
    "in-memory",
    "in-place",
    "in-process",
    "in-use",
    "iso-8859-1",
    "key-value",
    "least-privilege",
    "line-buffered",
    "line-by-line",
    "lock-free",
    "log-in",
    "log-out",
    "look-ahead",
    "look-behind",
    "look-up",
    "nice-to-have",
    "node-gyp",
    "object-oriented",
    "opt-in",
    "out-of-band",
    "partition-key",
    "peer-to-peer",
    "platform-dependent",
    "platform-independent",
    "point-to-point",
    "pre-flight",
    "pre-warm",
    "re-emitted",
    "re-entrant",
    "re-export",
    "re-exported",
    "read-heavy",
    "read-only",
    "read-write",
    "roll-back",
    "round-robin",
    "round-trip",
    "row-level",
    "run-length",
    "run-time",
    "scale-down",
    "scale-in",
    "scale-up",
    "semi-structured",
    "set-up",
    "sign-in",
    "sign-off",
    "sign-on",
    "sign-up",
    "single-threaded",
    "site-package",
    "site-packages",
    "soft-delete",
    "sort-key",
    "state-change",
    "sub-class",
    "sub-component",
    "sub-process",
    "sub-system",
    "sub-tree",
    "super-user",
    "thread-local",
    "thread-safe",
    "three-way",
    "time-outs",
    "top-level",
    "trust-policy",
    "two-way",
    "type-safe",
    "utf-16",
    "utf-32",
    "utf-8",
    "warm-up",
    "well-formed",
    "well-known",
    "write-heavy",
    "write-only",
    "write-through",
    "www-data",
]);
/// What standards, algorithms and advisories are numbered by: `CVE-2013-4458`, `PKCS-12`, `PBKDF2-HMAC-SHA1`.
static NUMBERED: WordList = WordList::new(&[
    "aes", "ansi", "cve", "cwe", "dla", "dsa", "ecma", "fips", "hmac", "iec", "ieee", "iso", "itu", "nist", "pbkdf2",
    "pep", "pkcs", "rfc", "rhsa", "rsa", "rustsec", "sha", "sha1", "sha256", "sha384", "sha512", "ssl", "tls", "usn",
    "utf",
]);
/// Longest name with blanks.
const MAX_SPACED: usize = 64;
/// Words of sentences that names hardly have.
static OF_SENTENCES: WordList = WordList::new(&[
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "from", "has", "if", "in", "is", "it", "must", "not", "of",
    "or", "that", "the", "this", "to", "was", "when", "which", "will", "with", "you", "your",
]);
/// Endings of files.
static EXTENSIONS: WordList = WordList::new(&[
    "conf", "csv", "go", "html", "ini", "java", "js", "json", "jsx", "log", "md", "py", "rb", "rs", "sh", "sql", "tf",
    "toml", "ts", "tsx", "txt", "xml", "yaml", "yml", "zip",
]);

/// Of several words, or with a digit, as nearly no word of prose is.
pub(in crate::detect) fn is_joined(name: &[u8]) -> bool {
    name.iter().any(|c| matches!(c, b'-' | b'_') || c.is_ascii_digit())
}

/// Of several words without a sign between them: `ProcessOrders`, `processOrders`.
pub(in crate::detect) fn has_hump(name: &[u8]) -> bool {
    name.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// A name that somebody gave: of several words, or with a digit; neither a word of manuals nor a file.
pub(in crate::detect) fn is_own(name: &[u8]) -> bool {
    is_joined(name) && is_own_word(name)
}

/// Likewise, of one word too.
pub(in crate::detect) fn is_own_word(name: &[u8]) -> bool {
    name.iter().any(u8::is_ascii_alphabetic)
        && !is_file(name)
        && !is_numbered(name)
        && !COMPOUNDS.contains_in_any_case(name)
        && !name.split(|c| matches!(c, b'-' | b'_' | b'.' | b'/')).any(|word| HALVES.contains_in_any_case(word))
        && !is_ordinary(name)
}

/// Likewise, where a key has said that it is a name: compounds of prose are no other ones.
pub(in crate::detect) fn is_own_value(name: &[u8]) -> bool {
    let is_of_words = name.contains(&b' ');
    (is_joined(name) || has_hump(name) || is_of_words)
        && !(is_of_words && is_sentence(name))
        && !is_file(name)
        && !is_ordinary(name)
}

/// A name that a manual made up: `MyPolicy`, and not `docker.example.com/library/my-app`.
pub(in crate::detect) fn is_of_manual(name: &[u8]) -> bool {
    !name.iter().any(|c| b"./:@".contains(c)) && is_made_up(name)
}

/// What stands behind a key in a description of it: `The name of the rule`.
fn is_sentence(text: &[u8]) -> bool {
    text.len() > MAX_SPACED || text.split(|&c| c == b' ').any(|word| OF_SENTENCES.contains_in_any_case(word))
}

/// A name as persons have it where they work: `kim.minsu`.
pub(in crate::detect) fn is_person(name: &[u8]) -> bool {
    let is_word = |word: &[u8]| word.len() > 1 && word.iter().all(u8::is_ascii_lowercase);
    let mut words = name.split(|&c| c == b'.');
    words.next().is_some_and(is_word) && words.next().is_some_and(is_word) && words.next().is_none() && !is_file(name)
}

/// A name that is a domain, as those of many buckets are: `tfstate.acme.cz`, not `props.name`.
pub(in crate::detect) fn is_domain(name: &[u8]) -> bool {
    let mut labels = name.rsplit(|&c| c == b'.');
    let top = labels.next().unwrap_or_default();
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
    };
    let first = name.split(|&c| c == b'.').next().unwrap_or_default();
    DOMAINS.contains(top) && !OBJECTS.contains(&first) && labels.clone().count() > 0 && labels.all(is_label)
}

fn is_file(name: &[u8]) -> bool {
    name.iter().rposition(|&c| c == b'.').is_some_and(|dot| EXTENSIONS.contains(&name[dot + 1..]))
}

/// A name of three words or more, which no compound of prose has: `orders-high-value`.
pub(in crate::detect) fn is_long_name(name: &[u8]) -> bool {
    let words = || name.split(|c| matches!(c, b'-' | b'_'));
    words().count() > 2
        && words().all(|word| word.len() > 1)
        && !is_file(name)
        && !is_ordinary(name)
        && !is_numbered(name)
}

/// A standard, in capitals.
fn is_numbered(name: &[u8]) -> bool {
    if !name.first().is_some_and(u8::is_ascii_uppercase) {
        return false;
    }
    let first = name.split(|&c| c == b'-').next().unwrap_or_default();
    first.len() < name.len() && !name.iter().any(u8::is_ascii_lowercase) && NUMBERED.contains_in_any_case(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::text::word_list::MAX_WORD;

    #[test]
    fn names_that_a_manual_made_up() {
        for name in ["MyPolicy", "my-app", "test-domain", "exampleUser"] {
            assert!(is_of_manual(name.as_bytes()), "{name}");
        }
        for name in ["policy", "example.com", "docker.example.com/library/my-app:v1", "app-policy"] {
            assert!(!is_of_manual(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_somebody_gave() {
        assert!(OF_SENTENCES.is_sorted() && OF_SENTENCES.longest() <= MAX_WORD);
        assert!(HALVES.is_sorted() && EXTENSIONS.is_sorted() && COMPOUNDS.is_sorted());
        assert!(NUMBERED.is_sorted());
        assert!(COMPOUNDS.longest() <= MAX_WORD);
        for name in ["acme-logs", "orders_eu", "ledger7"] {
            assert!(is_own(name.as_bytes()), "{name}");
        }
        assert!(DOMAINS.is_sorted());
        assert!(is_domain(b"tfstate.acme-rail.cz") && !is_domain(b"props.name") && !is_domain(b"config.Bucket.io"));
        for name in [
            "server-side",
            "schema-2.sql",
            "orders",
            "my-function",
            "Cross-account",
            "site-packages",
            "UTF-8",
            "CVE-2013-4458",
            "PBKDF2-HMAC-SHA1",
        ] {
            assert!(!is_own(name.as_bytes()), "{name}");
        }
    }
}
