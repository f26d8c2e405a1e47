//! Dimensions of metrics in CloudWatch's dashboards and alarms: `"FunctionName","orders"`,
//! `{"value": "orders", "name": "QueueName"}`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::evidence::own::has_hump;
use crate::detect::setting::context::skip_space;
use crate::detect::setting::value::{Setting, Value, is_believable, quoted_value};
use crate::detect::text::boundary::{MAX_BACKSLASHES, run_end, run_start};

/// Longest value, and most bytes between two strings.
const MAX_VALUE: usize = 255;
const MAX_GAP: usize = 64;
/// How far behind its bracket a dimension of a list may stand, bytes.
const MAX_LIST: usize = 512;

impl Scan<'_, '_> {
    /// The value of the dimension whose name stands from `start` to `end`: the next string of a list, or the one before in
    /// an object that has its value first.
    pub(in crate::detect) fn dimension(&self, start: usize, end: usize) -> Option<Value> {
        let text = self.text;
        let close = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
        let open = start.checked_sub(1).filter(|&open| text[open] == b'"')?;
        if text.get(close) != Some(&b'"') {
            return None;
        }
        let behind = run_end(text, close + 1, MAX_GAP, |c| c.is_ascii_whitespace());
        let in_list = || {
            let next = skip_space(text, behind + 1);
            let found = quoted_value(text, next).filter(|_| text.get(behind) == Some(&b','))?;
            let bracket = run_start(text, open, MAX_LIST, |c| !matches!(c, b'[' | b']' | b'{' | b'}'));
            // The namespace and the metric stand before them. In a list of the members of something there is no namespace.
            let before = &text[bracket..open];
            let is_metric = text[..bracket].ends_with(b"[") && memchr::memchr_iter(b',', before).count() >= 2;
            let has_namespace = || before.windows(2).any(|pair| pair == b"S/");
            (is_metric && (has_namespace() || !has_hump(&text[found.start..found.end]))).then_some(found)
        };
        let found = value_before(text, open).or_else(in_list);
        found.filter(|found| is_believable(ValueShape::Name, &text[found.start..found.end], Setting::Sure))
    }
}

/// The value in `"value": "orders", "name": "`, whose last quote is at `open`.
fn value_before(text: &[u8], open: usize) -> Option<Value> {
    let mark = |c: u8| matches!(c, b' ' | b'"' | b'\\' | b':' | b',' | b'\n');
    let back = |at: usize, word: &[u8]| {
        let end = run_start(text, at, MAX_GAP, mark);
        let start = end.checked_sub(word.len())?;
        text[start..end].eq_ignore_ascii_case(word).then_some(start)
    };
    let name = back(open, b"name")?;
    let end = run_start(text, name, MAX_GAP, mark);
    let start = run_start(text, end, MAX_VALUE, |c| !matches!(c, b'"' | b'\\' | b'\n'));
    back(start, b"value")?;
    Some(Value { start, end, next: end, quoted: true })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn dimensions_in_lists_and_objects() {
        for (text, kind, name) in [
            ("[[\"AWS/Lambda\",\"Errors\",\"FunctionName\",\"orders\"]]", "name:lambda-function", "orders"),
            ("[\"AWS/SQS\", \"Age\", \"QueueName\", \"orders\", {\"stat\": \"Sum\"}]", "name:sqs-queue", "orders"),
            ("{\"Dimensions\":[{\"value\":\"orders\",\"name\":\"QueueName\"}]}", "name:sqs-queue", "orders"),
            ("{\"value\": \"orders\", \"name\": \"TableName\", \"x\": \"y\"}", "name:dynamodb-table", "orders"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
        for text in [
            "\"required\": [\"FunctionName\", \"orders\"]",
            "\"required\": [\"Arn\", \"Id\", \"FunctionName\", \"RoleArn\"]",
            "FunctionName, orders",
            "{\"name\": \"QueueName\"}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
