//! The text an answer is made of: a text, repeated up to a size, cut into pieces at character boundaries.

use crate::json::Json;

/// A text repeated until it has `total` bytes; the last character is left out where it would not fit.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    text: String,
    total: usize,
}

impl Script {
    /// `text` once.
    pub(crate) fn once(text: String) -> Self {
        Self { total: text.len(), text }
    }

    /// `text` over and over, up to `total` bytes. An empty text is replaced by dots.
    pub(crate) fn repeated(text: String, total: usize) -> Self {
        let text = if text.is_empty() { ".".to_owned() } else { text };
        Self { text, total }
    }

    /// The first half.
    pub(crate) fn half(self) -> Self {
        Self { total: self.total / 2, ..self }
    }

    /// Bytes of the text; a few more than there are where the last character does not fit.
    pub(crate) fn len(&self) -> usize {
        self.total
    }

    /// The whole text in one piece.
    pub(crate) fn whole(&self) -> String {
        self.pieces(self.total.max(1)).collect()
    }

    /// The text in pieces of at most `max_bytes`; a character longer than that is a piece of its own.
    pub(crate) fn pieces(&self, max_bytes: usize) -> Pieces {
        Pieces { text: self.text.clone(), position: 0, remaining: self.total, max_bytes }
    }

    /// Bytes of the text as the inside of a JSON string. Works without building it.
    pub(crate) fn len_inside_json(&self, json: Json) -> usize {
        let Some(repetitions) = self.total.checked_div(self.text.len()) else { return 0 };
        let rest = floor_char_boundary(&self.text, self.total % self.text.len());
        let rest = self.text.get(..rest).unwrap_or_default();
        json.inside(&self.text).len() * repetitions + json.inside(rest).len()
    }
}

/// Iterator over the pieces of a [`Script`].
pub(crate) struct Pieces {
    text: String,
    position: usize,
    remaining: usize,
    max_bytes: usize,
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut piece = String::new();
        while piece.len() < self.max_bytes && self.remaining > 0 {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let room = (self.max_bytes - piece.len()).min(self.remaining);
            let mut cut = floor_char_boundary(rest, room);
            if cut == 0 {
                let first = rest.chars().next().map_or(0, char::len_utf8);
                if first > self.remaining {
                    self.remaining = 0;
                    break;
                }
                if !piece.is_empty() {
                    break;
                }
                cut = first;
            }
            piece.push_str(rest.get(..cut).unwrap_or_default());
            self.remaining -= cut;
            self.position += cut;
            if self.position == self.text.len() {
                self.position = 0;
            }
        }
        (!piece.is_empty()).then_some(piece)
    }
}

/// The largest character boundary of `text` that is not beyond `index`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_characters() {
        let script = Script::once("ab서버c".to_owned());
        assert_eq!(script.pieces(1).collect::<Vec<_>>(), ["a", "b", "서", "버", "c"]);
        assert_eq!(script.pieces(4).collect::<Vec<_>>(), ["ab", "서", "버c"]);
        assert_eq!(script.pieces(100).collect::<Vec<_>>(), ["ab서버c"]);
        assert_eq!(script.whole(), "ab서버c");
        assert_eq!(Script::once(String::new()).whole(), "");
    }

    #[test]
    fn repeats_up_to_the_size() {
        let script = Script::repeated("a서".to_owned(), 10);
        assert_eq!(script.whole(), "a서a서a");
        for size in 0..40 {
            let script = Script::repeated("\"a서\n".to_owned(), size);
            for max_bytes in 1..9 {
                let whole: String = script.pieces(max_bytes).collect();
                assert_eq!(whole, script.whole());
                assert!(whole.len() <= size && whole.len() + 3 > size);
            }
            for json in [Json { ascii: true }, Json { ascii: false }] {
                assert_eq!(script.len_inside_json(json), json.inside(&script.whole()).len());
            }
        }
        assert_eq!(Script::repeated(String::new(), 3).whole(), "...");
    }
}
