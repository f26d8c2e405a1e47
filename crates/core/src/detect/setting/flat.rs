//! Names of the things of a list that is printed flat: `stateMachines.0.name`, `SECRETLIST_0_NAME` of an environment. The key of
//! the list says what they are, as it does in JSON.

use crate::catalog::Member;
use crate::detect::Scan;
use crate::detect::layout::container::named;
use crate::detect::setting::index::before_index;
use crate::detect::setting::words::Words;

impl Scan<'_, '_> {
    /// What the `name` means that ends the key `start..end`, behind the number of a thing and the key of its list.
    pub(in crate::detect) fn meanings_of_flat(&mut self, start: usize, end: usize) -> Vec<Member> {
        let list = end.checked_sub(b".name".len()).filter(|&dot| dot > start && matches!(self.text[dot], b'.' | b'_'));
        let Some(list) = list.and_then(|dot| before_index(self.text, dot)).filter(|&list| list > start) else {
            return Vec::new();
        };
        let mut found: Vec<_> =
            self.meanings_of_words(&Words::split(&self.text[start..list])).iter().filter_map(named).collect();
        found.retain(|member| self.has_hint(member, start));
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn lists_say_what_their_things_are() {
        for (text, kind) in [
            ("|  stateMachines.0.name  |  acme-nightly  |\n|  stateMachines.0.type  |  STANDARD  |\n", "state-machine"),
            ("export SECRETLIST_0_NAME=acme-nightly\n", "secret"),
            ("secretList.12.name: acme-nightly\n", "secret"),
        ] {
            assert_eq!(found(text), [(format!("name:{kind}"), "acme-nightly")], "{text}");
        }
        for text in ["things.0.name: acme-nightly\n", "x stateMachines.name = load(1)\n", "0.name: acme-nightly\n"] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
