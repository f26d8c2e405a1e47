//! Names that say themselves what they are: `checkout-web-asg-2024`, `orders-dlq`, in a text with an identifier in it.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::evidence::own::is_own_word;
use crate::detect::setting::value::{Setting, is_believable};
use crate::detect::text::boundary::{is_alnum, run_end, run_start, word_start};

/// Longest name.
const MAX_NAME: usize = 128;
/// Fewest words of a name that does not stand in quotes.
const MIN_WORDS: usize = 3;

impl Scan<'_, '_> {
    /// Believes these names, where the text has an identifier that is sure.
    pub(in crate::detect) fn suffixed(&mut self) {
        if !self.has_any_identifier() {
            return;
        }
        let text = self.text;
        for dash in memchr::memchr_iter(b'-', text) {
            let behind = dash + 1;
            if let Some((kind, len)) = self.kind_of_suffix(&text[behind..])
                && let Some((start, end)) = name_around(text, dash, behind + len)
                && self.wants(kind)
                && self.prefixed_within(start, end).is_none()
            {
                self.finding(kind, start, end);
                self.part(kind, start, end, true);
            }
        }
    }

    /// What has such a word behind the last dash of its name, which nothing but a resource ends with or has a number
    /// behind, and how long the word is.
    fn kind_of_suffix(&self, word: &[u8]) -> Option<(KindId, usize)> {
        let known = &self.detector.catalog.known;
        let kind = match word {
            [b'a', b's', b'g', ..] => known.autoscaling_group,
            [b'a' | b'n', b'l', b'b', ..] => known.load_balancer,
            [b'd', b'l', b'q', ..] | [b's', b'q', b's', ..] => known.queue,
            [b'r', b'd', b's', ..] => known.db_instance,
            [b's', b'n', b's', ..] => known.resource_name,
            [b't', b'g', ..] => return Some((known.resource_name, b"tg".len())),
            _ => return None,
        };
        Some((kind, b"asg".len()))
    }
}

/// The name whose suffix is `from..to`, if it is one.
fn name_around(text: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let is_part = |c: u8| is_alnum(c) || matches!(c, b'-' | b'_');
    let end = run_end(text, to, MAX_NAME, is_part);
    let number = text[to..end].strip_prefix(b"-").unwrap_or(&text[to..end]);
    let run = run_start(text, from, MAX_NAME, is_part);
    let start = word_start(text, run).min(from);
    let name = &text[start..end];
    let before = start.checked_sub(1).map(|at| text[at]);
    let quote = before.filter(|c| matches!(c, b'"' | b'\'' | b'`'));
    let is_quoted = quote.is_some() && text.get(end).copied() == quote;
    let is_alone = start > run
        || before
            .is_none_or(|c| matches!(c, b' ' | b'\n' | b'\t' | b'(' | b'*' | b'"' | b'\'' | b'`') || !c.is_ascii());
    let is_told = number.iter().all(u8::is_ascii_digit)
        && is_alone
        && !matches!(text.get(end), Some(b'/' | b'@' | b'='))
        && (is_quoted || name.split(|&c| c == b'-').count() >= MIN_WORDS)
        && name[0].is_ascii_alphabetic()
        && is_own_word(name)
        && is_believable(ValueShape::Name, name, Setting::Told);
    is_told.then_some((start, end))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn names_that_say_what_they_are() {
        for (text, name) in [
            ("acme-web-asg-2024 went to 0", "acme-web-asg-2024"),
            ("`acme-dlq` has 3 messages", "acme-dlq"),
            ("acme-lobby-asg에서 뜬 거", "acme-lobby-asg"),
        ] {
            assert_eq!(parts(&format!("In vpc-0ab12cd34ef56ab78: {text}")), ["vpc-0ab12cd34ef56ab78", name], "{text}");
            assert_eq!(parts(text), [""; 0], "{text}");
        }
        for text in
            ["an internal-alb and a test-dlq", "orders-dlq grows", "cross-account-sns", "src/acme-web-alb/main.tf"]
        {
            assert_eq!(parts(&format!("In vpc-0ab12cd34ef56ab78: {text}")), ["vpc-0ab12cd34ef56ab78"], "{text}");
        }
    }
}
