//! Keys as people and consoles write them, in several words: `Environment ID: e-…`, `| Data source name | … |`.

use crate::catalog::Member;
use crate::detect::Scan;
use crate::detect::evidence::hint::AWS_OR_SERVICE;
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::run_start;

/// Most words before the last one, and the longest of them.
const MAX_WORDS: usize = 3;
const MAX_WORD: usize = 24;

impl Scan<'_, '_> {
    /// What the key means whose last word, `name` or `id`, stands from `last` to `end`, where the text speaks of AWS. Other
    /// software has tables with names, too.
    pub(in crate::detect) fn meanings_of_title(&mut self, last: usize, end: usize) -> Vec<Member> {
        let text = self.text;
        let mut starts = [last; MAX_WORDS];
        let mut count = 0;
        let mut at = last;
        while count < MAX_WORDS && text[..at].ends_with(b" ") {
            let start = run_start(text, at - 1, MAX_WORD, |c| c.is_ascii_alphabetic());
            if start == at - 1 {
                break;
            }
            starts[count] = start;
            count += 1;
            at = start;
        }
        // The longest title says most.
        for &start in starts[..count].iter().rev() {
            let mut found = self.meanings_of_words(&Words::split(&text[start..end]));
            if found.is_empty() {
                continue;
            }
            for member in &mut found {
                member.hint.get_or_insert(AWS_OR_SERVICE);
            }
            self.key = start..end;
            return found;
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, parts};

    #[test]
    fn keys_of_several_words() {
        for (text, kind, part) in [
            ("AWS Elastic Beanstalk\n  Environment ID: e-56e9a1kmmt\n", "id:resource", "e-56e9a1kmmt"),
            ("| AWS | x |\n|---|---|\n| Data source name | `acme-wiki` |\n", "name:resource", "acme-wiki"),
            ("on AWS, Table name: acme-orders\n", "name:dynamodb-table", "acme-orders"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), part)], "{text}");
        }
        for text in ["Table name: acme-orders", "on AWS, Request ID: 4f2e8d1c73b6", "on AWS the name: acme-orders"] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
