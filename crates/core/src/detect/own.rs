//! Names that somebody gave, told from the words and compounds of prose: `acme-logs`, not `server-side` or `schema-2.sql`.

use super::ordinary::is_ordinary;
use super::word_list::WordList;

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
/// Length of the longest of them.
const MAX_HALF: usize = 9;
/// Endings of files.
static EXTENSIONS: WordList = WordList::new(&[
    "conf", "csv", "go", "html", "ini", "java", "js", "json", "jsx", "log", "md", "py", "rb", "rs", "sh", "sql", "tf",
    "toml", "ts", "tsx", "txt", "xml", "yaml", "yml", "zip",
]);

/// Of several words, or with a digit, as nearly no word of prose is.
pub(super) fn is_joined(name: &[u8]) -> bool {
    name.iter().any(|c| matches!(c, b'-' | b'_') || c.is_ascii_digit())
}

/// A name that somebody gave: of several words, or with a digit; neither a word of manuals nor a file.
pub(super) fn is_own(name: &[u8]) -> bool {
    is_joined(name) && is_own_word(name)
}

/// Likewise, of one word too.
pub(super) fn is_own_word(name: &[u8]) -> bool {
    let extension = name.iter().rposition(|&c| c == b'.').map_or(&b""[..], |dot| &name[dot + 1..]);
    name.iter().any(u8::is_ascii_alphabetic)
        && !EXTENSIONS.contains(extension)
        && !name.split(|c| matches!(c, b'-' | b'_' | b'.' | b'/')).any(is_half)
        && !is_ordinary(name)
}

/// A name of three words or more, which no compound of prose has: `orders-high-value`.
pub(super) fn is_long_name(name: &[u8]) -> bool {
    let words = || name.split(|c| matches!(c, b'-' | b'_'));
    let is_extension = name.iter().rposition(|&c| c == b'.').is_some_and(|dot| EXTENSIONS.contains(&name[dot + 1..]));
    words().count() > 2 && words().all(|word| word.len() > 1) && !is_extension && !is_ordinary(name)
}

/// One of [`HALVES`], in either case.
fn is_half(word: &[u8]) -> bool {
    let mut lower = [0; MAX_HALF];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    HALVES.contains(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_somebody_gave() {
        assert!(HALVES.is_sorted() && EXTENSIONS.is_sorted());
        for name in ["acme-logs", "orders_eu", "ledger7"] {
            assert!(is_own(name.as_bytes()), "{name}");
        }
        for name in ["server-side", "schema-2.sql", "orders", "my-function", "Cross-account"] {
            assert!(!is_own(name.as_bytes()), "{name}");
        }
    }
}
