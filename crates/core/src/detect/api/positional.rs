//! Names that calls of the SDK for Java take without a key: `s3.putObject("acme-logs", key, file)`.

use crate::catalog::ValueShape;
use crate::detect::Scan;
use crate::detect::setting::value::{Setting, is_believable, quoted_value};
use crate::detect::text::boundary::run_end;
use crate::detect::text::word_list::WordList;

/// Methods and requests of S3 that have the bucket first. Other software has those of these names, too: the text must
/// speak of S3.
static OF_BUCKETS: WordList = WordList::new(&[
    "copyobject",
    "deleteobject",
    "deleteobjectrequest",
    "deleteobjectsrequest",
    "doesbucketexist",
    "doesbucketexistv2",
    "doesobjectexist",
    "generatepresignedurl",
    "getobject",
    "getobjectasstring",
    "getobjectmetadata",
    "getobjectrequest",
    "listobjects",
    "listobjectsrequest",
    "listobjectsv2",
    "putobject",
    "putobjectrequest",
]);
/// Likewise, of DynamoDB.
static OF_TABLES: WordList = WordList::new(&["deletetable", "describetable", "gettable"]);
/// Of SQS.
const OF_QUEUES: &[u8] = b"getqueueurl";
/// Length of the longest of them.
const MAX_METHOD: usize = 20;

/// The last bytes of all of them.
const ENDS: [[u8; 3]; 10] = [*b"ata", *b"ble", *b"cts", *b"ect", *b"est", *b"ing", *b"ist", *b"sV2", *b"tV2", *b"Url"];

/// False before most brackets: no method ends there that has a name first.
#[inline]
pub(in crate::detect) fn may_end_method(text: &[u8], at: usize) -> bool {
    text[..at].last_chunk().is_some_and(|end| ENDS.contains(end))
}

impl Scan<'_, '_> {
    /// Looks at the call whose name is `start..open`, with a quote behind its bracket.
    pub(in crate::detect) fn positional_name(&mut self, start: usize, open: usize) {
        let text = self.text;
        let mut lower = [0; MAX_METHOD];
        let Some(lower) = lower.get_mut(..open - start) else { return };
        lower.copy_from_slice(&text[start..open]);
        lower.make_ascii_lowercase();
        let known = &self.detector.catalog.known;
        let (kind, is_spoken_of) = if OF_BUCKETS.contains(lower) {
            (
                known.bucket,
                self.speaks_of("s3", start) || lower.ends_with(b"request") || lower.starts_with(b"doesbucket"),
            )
        } else if OF_TABLES.contains(lower) {
            (known.table, self.speaks_of("dynamodb", start))
        } else {
            (known.queue, lower == OF_QUEUES)
        };
        let from = run_end(text, open + 1, 8, |c| c == b' ');
        let Some(found) = quoted_value(text, from).filter(|_| is_spoken_of) else { return };
        let name = &text[found.start..found.end];
        if self.wants(kind) && is_believable(ValueShape::Name, name, Setting::Sure) {
            self.finding(kind, found.start, found.end);
            self.part(kind, found.start, found.end, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::found;

    #[test]
    fn names_that_calls_have_first() {
        assert!(OF_BUCKETS.is_sorted() && OF_TABLES.is_sorted());
        for method in ["copyObject", "deleteObjects", "doesBucketExist", "getObjectAsString", "getObjectMetadata"] {
            assert!(may_end_method(method.as_bytes(), method.len()), "{method}");
        }
        for (text, kind, name) in [
            ("amazonS3.putObject(\"acme\", key, file)", "name:s3-bucket", "acme"),
            ("new GetObjectRequest(\"acme\", key)", "name:s3-bucket", "acme"),
            ("if (!client.doesBucketExistV2(\"acme\"))", "name:s3-bucket", "acme"),
            ("new DynamoDB(client).getTable(\"orders\")", "name:dynamodb-table", "orders"),
            ("sqs.getQueueUrl(\"orders\").getQueueUrl()", "name:sqs-queue", "orders"),
        ] {
            assert_eq!(found(text), [(kind.to_owned(), name)], "{text}");
        }
        for text in
            ["rows.getObject(\"acme\", String.class)", "html.getTable(\"acme\")", "s3.putObject(bucket, \"acme\")"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
