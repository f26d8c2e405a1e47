//! Calls of tools and their answers in the messages of a conversation: an answer has the id of its call.
//!
//! `{"type": "tool_use", "id": "t_1", …}` and `{"type": "tool_result", "tool_use_id": "t_1", "content": "…"}`; other
//! protocols have other keys. Keys may come in any order, and answers to several calls stand behind all of these.

use crate::detect::Scan;
use crate::detect::setting::context::skip_space;
use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end, run_start};
use crate::detect::text::line::Line;

/// How far behind an id the call may hold what it asks for, bytes.
const MAX_CALL: usize = 1024;
/// How far into a list of contents the first text of it may stand, bytes.
const MAX_TO_TEXT: usize = 256;
/// Most strings in which messages stand.
const MAX_DEPTH: usize = 4;
/// Longest id, and longest key.
const MAX_ID: usize = 128;
/// Keys of an answer that hold the id of its call.
const ANSWERED: [&[u8]; 4] = [b"tool_use_id", b"tool_call_id", b"call_id", b"toolUseId"];
/// Keys that hold what a tool answers.
pub(in crate::detect) const ANSWERS: [&[u8]; 4] = [b"content", b"output", b"text", b"stdout"];

/// The calls of a text that are answered in it.
#[derive(Debug, Default)]
pub(in crate::detect) struct Calls<'t> {
    /// Ids, and where they end, in order.
    ids: Vec<(usize, &'t [u8])>,
    /// Ids, and where what answers begins, sorted: some clients begin to count anew in each turn.
    answers: Vec<(&'t [u8], Line)>,
}

impl<'t> Calls<'t> {
    fn read(text: &'t [u8]) -> Self {
        let mut calls = Self::default();
        // What holds an answer and is not known to belong to an id, by how deep it is; and how far was looked at.
        let (mut held, mut seen) = ([None; MAX_DEPTH], 0);
        for colon in memchr::memchr_iter(b':', text) {
            let Some((key, slashes)) = key_before(text, colon) else { continue };
            let Some(held) = held.get_mut(depth_of(slashes)) else { continue };
            let at = skip_space(text, colon + 1);
            if ANSWERS.contains(&key) {
                *held = Some(at);
            } else if key == b"id" || ANSWERED.contains(&key) {
                let Some((id, end)) = id_at(text, at, slashes) else { continue };
                if key != b"id" && end > seen {
                    let before = held.take().filter(|&held| held >= seen && is_beside(text, held, colon, slashes));
                    let (found, to) = before.map_or_else(|| held_behind(text, end, slashes), |held| (Some(held), end));
                    seen = to;
                    if let Some(line) = found.and_then(|held| first_line(text, held, slashes)) {
                        calls.answers.push((id, line));
                        continue;
                    }
                }
                calls.ids.push((end, id));
            }
        }
        calls.answers.sort_unstable_by_key(|(id, line)| (*id, line.start));
        calls.ids.retain(|(_, id)| calls.answers.binary_search_by(|(answered, _)| answered.cmp(id)).is_ok());
        calls
    }

    /// What answers the call that asks for something at `at`.
    fn answer(&self, text: &[u8], at: usize) -> Option<Line> {
        let index = self.ids.partition_point(|&(end, _)| end <= at);
        let before = index.checked_sub(1).map(|i| self.ids[i]).filter(|&(end, _)| is_open_at(text, end, at));
        let (_, id) = before.or_else(|| self.ids.get(index).copied())?;
        let behind = self.answers.partition_point(|(answered, line)| (*answered, line.start) < (id, at));
        self.answers.get(behind).filter(|(answered, _)| *answered == id).map(|(_, line)| *line)
    }
}

impl Scan<'_, '_> {
    /// The first line of what answers the call that asks for something at `at`, if that is known from its id.
    pub(in crate::detect) fn answer_by_id(&mut self, at: usize) -> Option<Line> {
        let text = self.text;
        self.calls.get_or_insert_with(|| Calls::read(text)).answer(text, at)
    }
}

/// In how many strings a key stands that has so many backslashes before its quotes.
fn depth_of(slashes: usize) -> usize {
    usize::try_from((slashes + 1).trailing_zeros()).unwrap_or(MAX_DEPTH)
}

/// The key before the colon, and the backslashes before its quotes.
fn key_before(text: &[u8], colon: usize) -> Option<(&[u8], usize)> {
    let quote = run_start(text, colon, 2, |c| c == b' ').checked_sub(1).filter(|&i| text[i] == b'"')?;
    let end = run_start(text, quote, MAX_BACKSLASHES, |c| c == b'\\');
    let start = run_start(text, end, MAX_ID, |c| is_alnum(c) || c == b'_');
    let open = start.checked_sub(1).filter(|&i| text[i] == b'"')?;
    let slashes = open - run_start(text, open, MAX_BACKSLASHES, |c| c == b'\\');
    (slashes == quote - end).then_some((&text[start..end], slashes))
}

/// The id in quotes at `at`, and where it ends.
fn id_at(text: &[u8], at: usize, slashes: usize) -> Option<(&[u8], usize)> {
    let start = opened(text, at, slashes)?;
    let end = run_end(text, start, MAX_ID, |c| is_alnum(c) || matches!(c, b'_' | b'-' | b'.' | b':' | b'|'));
    let quote = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    (end > start && quote - end == slashes && text.get(quote) == Some(&b'"')).then(|| (&text[start..end], quote + 1))
}

/// Behind the quote at `at`.
fn opened(text: &[u8], at: usize, slashes: usize) -> Option<usize> {
    let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    (quote - at == slashes && text.get(quote) == Some(&b'"')).then_some(quote + 1)
}

/// The line that begins the string at `held`, or the first text in the list there.
fn first_line(text: &[u8], held: usize, slashes: usize) -> Option<Line> {
    let line = |next| Line { start: next, end: next, next, depth: (slashes + 1).trailing_zeros() + 1 };
    if text.get(held) != Some(&b'[') {
        return opened(text, held, slashes).map(line);
    }
    let list = &text[..text.len().min(held + MAX_TO_TEXT)];
    memchr::memchr_iter(b':', &list[held..]).find_map(|i| {
        let colon = held + i;
        key_before(list, colon).filter(|(key, _)| ANSWERS.contains(key))?;
        opened(text, skip_space(text, colon + 1), slashes).map(line)
    })
}

/// What stands between strings, with these backslashes before their quotes, from `at` on: calls `each` with the brackets
/// and colons until it says that this is enough, or the string ends that all of it stands in. Gives where that is.
fn each_sign(text: &[u8], mut at: usize, to: usize, slashes: usize, mut each: impl FnMut(usize) -> bool) -> usize {
    let mut is_inside = false;
    while at < to {
        let c = text[at];
        if c == b'"' {
            let before = at - run_start(text, at, MAX_BACKSLASHES, |c| c == b'\\');
            if before < slashes {
                return at;
            }
            is_inside ^= before == slashes;
        } else if !is_inside && matches!(c, b'{' | b'}' | b'[' | b']' | b':') && !each(at) {
            return at;
        }
        at += 1;
        if is_inside {
            at = memchr::memchr(b'"', &text[at..to]).map_or(to, |i| at + i);
        }
    }
    to
}

/// Where the answer is held in the rest of the object whose id ends at `from`, and how far that was looked at.
fn held_behind(text: &[u8], from: usize, slashes: usize) -> (Option<usize>, usize) {
    let (mut depth, mut held) = (0usize, None);
    let end = each_sign(text, from, text.len(), slashes, |at| match text[at] {
        b'{' | b'[' => {
            depth += 1;
            true
        }
        b':' => {
            let is_answer = depth == 0 && key_before(text, at).is_some_and(|(key, _)| ANSWERS.contains(&key));
            held = is_answer.then(|| skip_space(text, at + 1));
            !is_answer
        }
        _ => {
            depth = depth.wrapping_sub(1);
            depth != usize::MAX
        }
    });
    (held, end)
}

/// True when the answer at `held` is of the same object as the key before `colon`, or the text in a list that is.
fn is_beside(text: &[u8], held: usize, colon: usize, slashes: usize) -> bool {
    let mut depth = 0;
    let mut is_beside = true;
    let end = each_sign(text, held, colon, slashes, |at| {
        match text[at] {
            b'{' | b'[' if depth < 0 => is_beside = false,
            b'{' | b'[' => depth += 1,
            b':' => {}
            _ => depth -= 1,
        }
        is_beside
    });
    is_beside && end == colon && matches!(depth, 0 | -2)
}

/// True when the object in which an id ends at `end` is not closed before `at`.
fn is_open_at(text: &[u8], end: usize, at: usize) -> bool {
    // It may have been closed unseen: what is that long holds what it asks for itself.
    let mut depth = 0;
    each_sign(text, end, at.min(end + MAX_CALL), slashes_before(text, end), |at| {
        depth += match text[at] {
            b'{' | b'[' => 1,
            b':' => 0,
            _ => -1,
        };
        depth >= 0
    });
    depth >= 0
}

/// The backslashes before the quote that ends at `end`.
fn slashes_before(text: &[u8], end: usize) -> usize {
    end - 1 - run_start(text, end - 1, MAX_BACKSLASHES, |c| c == b'\\')
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{found, in_json, parts};

    const COMMANDS: [(&str, &str); 3] = [
        ("cd /x && aws s3 ls", "2024-05-01 10:11:12 acmelogs\n"),
        ("aws dynamodb list-tables --query 'TableNames[]' --output text", "orders\tcustomers\n"),
        (
            "aws sqs list-queues --query 'QueueUrls[0]' --output text; aws iam list-users --query Users[].UserName --output text",
            "deployer\n",
        ),
    ];
    const VALUES: [&str; 4] = ["acmelogs", "orders", "customers", "deployer"];

    /// Writes the call or the answer of this number, which holds the text.
    type Writer<'w> = &'w dyn Fn(usize, &str) -> String;

    /// A body with a message that calls and one that answers, in this order of both.
    fn body(call: impl Fn(usize, &str) -> String, answer: impl Fn(usize, &str) -> String, order: [usize; 3]) -> String {
        let calls = COMMANDS.iter().enumerate().map(|(i, (command, _))| call(i, command));
        let answers = order.iter().map(|&i| answer(i, COMMANDS[i].1));
        format!("[{{\"role\": \"x\", \"content\": \"Let me see\", \"calls\": [{}]}}, {}]", join(calls), join(answers))
    }

    fn join(parts: impl Iterator<Item = String>) -> String {
        parts.collect::<Vec<_>>().join(", ")
    }

    fn sorted(mut values: Vec<&str>) -> Vec<&str> {
        values.sort_unstable();
        values
    }

    #[test]
    fn each_answer_belongs_to_the_call_of_its_id() {
        let input = |command: &str| format!("{{\"command\":{},\"timeout\":5}}", in_json(command));
        let calls: [Writer<'_>; 6] = [
            &|i, c| format!("{{\"type\":\"tool_use\",\"id\":\"toolu_{i}\",\"name\":\"bash\",\"input\":{}}}", input(c)),
            &|i, c| format!("{{\"input\": {},\n \"id\": \"toolu_{i}\",\n \"type\": \"tool_use\"}}", input(c)),
            &|i, c| {
                format!(
                    "{{\"id\":\"toolu_{i}\",\"function\":{{\"name\":\"sh\",\"arguments\":{}}}}}",
                    in_json(&input(c))
                )
            },
            &|i, c| format!("{{\"function\":{{\"arguments\":{}}},\"id\":\"toolu_{i}\"}}", in_json(&input(c))),
            &|i, c| format!("{{\"id\":\"fc_{i}\",\"call_id\":\"toolu_{i}\",\"arguments\":{}}}", in_json(&input(c))),
            &|i, c| format!("{{\"toolUse\":{{\"toolUseId\":\"toolu_{i}\",\"input\":{}}}}}", input(c)),
        ];
        let answers: [Writer<'_>; 6] = [
            &|i, o| format!("{{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_{i}\",\"content\":{}}}", in_json(o)),
            &|i, o| format!("{{\"content\":{},\"tool_use_id\":\"toolu_{i}\"}}", in_json(o)),
            &|i, o| {
                format!(
                    "{{\"content\":[{{\"text\":{},\"type\":\"text\"}}],\"role\":\"tool\",\"tool_call_id\":\"toolu_{i}\"}}",
                    in_json(o)
                )
            },
            &|i, o| format!("{{\"call_id\": \"toolu_{i}\", \"output\": {}}}", in_json(o)),
            &|i, o| format!("{{\"call_id\":\"toolu_{i}\",\"output\":[{{\"stderr\":\"\",\"stdout\":{}}}]}}", in_json(o)),
            &|i, o| {
                format!("{{\"toolResult\":{{\"toolUseId\":\"toolu_{i}\",\"content\":[{{\"text\":{}}}]}}}}", in_json(o))
            },
        ];
        for (call, answer) in calls.iter().flat_map(|call| answers.iter().map(move |answer| (call, answer))) {
            for order in [[0, 1, 2], [2, 0, 1]] {
                let text = body(call, answer, order);
                for text in [text.clone(), in_json(&text)] {
                    assert_eq!(sorted(parts(&text)), sorted(VALUES.to_vec()), "{text}");
                }
            }
        }
    }

    #[test]
    fn ids_that_come_again_belong_to_the_answer_behind() {
        let turn = |command: &str, output: &str| {
            format!(
                "{{\"id\":\"call_0\",\"arguments\":{{\"a\":{}}}}},{{\"call_id\":\"call_0\",\"output\":{}}}",
                in_json(command),
                in_json(output)
            )
        };
        let turns = COMMANDS.map(|(command, output)| turn(command, output));
        assert_eq!(parts(&format!("[{}]", turns.join(","))), VALUES);
    }

    #[test]
    fn answers_to_other_calls() {
        for text in [
            // No command of AWS.
            "[{\"id\":\"a\",\"input\":{\"c\":\"cat x\"}},{\"id\":\"b\",\"input\":{\"c\":\"aws s3 ls\"}},\
             {\"call_id\":\"a\",\"output\":\"2024-05-01 10:11:12 acmelogs\\n\"},{\"call_id\":\"b\",\"output\":\"\"}]",
            // Nothing answers.
            "[{\"id\":\"a\",\"input\":{\"c\":\"aws s3 ls\"}}]",
            "[{\"id\":\"a\",\"input\":{\"c\":\"aws s3 ls\"}},{\"call_id\":\"a\",\"error\":\"x\"}]",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
