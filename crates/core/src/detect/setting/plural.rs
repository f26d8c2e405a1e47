//! Values behind each other without brackets or quotes: `alb.ingress.kubernetes.io/security-groups: acme-web, acme-db`.

use crate::catalog::Member;
use crate::detect::Scan;
use crate::detect::setting::value::Setting;
use crate::detect::text::boundary::{ends_line, ends_string, is_alnum, run_end};

/// Longest list, bytes, and most values of one.
const MAX_LIST: usize = 512;
const MAX_VALUES: usize = 32;

impl Scan<'_, '_> {
    /// Looks at what stands behind the value at `at`, if words with commas between are all that the line goes on with. A
    /// sentence has words without.
    pub(in crate::detect) fn plural_values(&mut self, members: &[Member], at: usize) {
        let text = self.text;
        let is_part = |c: u8| is_alnum(c) || matches!(c, b'-' | b'_' | b'.' | b'/');
        let end = run_end(text, at, MAX_LIST, |c| is_part(c) || matches!(c, b',' | b' '));
        let is_list = text[at..end].split(|&c| c == b',').all(|word| {
            let word = word.strip_prefix(b" ").unwrap_or(word);
            !word.is_empty() && !word.contains(&b' ')
        });
        if !is_list || !ends_line(text, end) && !ends_string(text, end) {
            return;
        }
        let mut at = at;
        for _ in 1..MAX_VALUES {
            let comma = run_end(text, at, end - at, is_part);
            if comma == end {
                return;
            }
            at = run_end(text, comma + 1, 1, |c| c == b' ');
            self.announced(members, at, Setting::Open);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn lists_without_brackets() {
        for text in [
            "alb.ingress.kubernetes.io/security-groups: acme-web, acme-db,acme-ops\n",
            "tableNames: acme-web, acme-db, acme-ops\n",
        ] {
            assert_eq!(parts(text), ["acme-web", "acme-db", "acme-ops"], "{text}");
        }
        assert_eq!(parts("tableNames: acme-web, acme-db and acme-ops\n"), ["acme-web"]);
    }
}
