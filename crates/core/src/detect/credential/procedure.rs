//! Names and passwords that functions take without a key: those that RDS and Aurora add to SQL,
//! `CALL mysql.rds_set_external_master('10.0.0.5', 3306, 'repl', 'password', …)`, and `aws.dynamodb.Table.get("t", "orders")`
//! of Pulumi.

use crate::catalog::{KindId, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::context::skip_space;
use crate::detect::setting::value::{BareRun, Setting, Value, is_believable, quoted_value, value};
use crate::detect::text::boundary::{is_alnum, run_end, run_start};

/// Longest path of a function.
const MAX_PATH: usize = 96;
/// Which argument of the functions that begin a replication is the user, and which its password.
const USER: usize = 2;
const PASSWORD: usize = 3;

/// The last bytes of these functions, before the bracket.
const ENDS: [[u8; 4]; 6] = [*b"_uri", *b"_arn", *b"ster", *b"urce", *b"tion", *b".get"];

/// False before most brackets.
#[inline]
pub(in crate::detect) fn may_end_procedure(text: &[u8], at: usize) -> bool {
    text[..at].last_chunk().is_some_and(|end| ENDS.contains(end))
}

impl Scan<'_, '_> {
    /// Looks at the call whose bracket is at `open`, with a quote behind it.
    pub(in crate::detect) fn procedure(&mut self, open: usize) {
        if !may_end_procedure(self.text, open) {
            return;
        }
        let text = self.text;
        let known = &self.detector.catalog.known;
        let (bucket, function, user, password) = (known.bucket, known.function, known.db_user, known.password);
        let path = run_start(text, open, MAX_PATH, |c| is_alnum(c) || matches!(c, b'_' | b'.'));
        match &text[path..open] {
            b"aws_commons.create_s3_uri" => self.positional_argument(open, 0, bucket, ValueShape::Name),
            b"aws_commons.create_lambda_function_arn" => self.positional_argument(open, 0, function, ValueShape::Name),
            name if begins_replication(name) => {
                self.positional_argument(open, USER, user, ValueShape::Name);
                self.positional_argument(open, PASSWORD, password, ValueShape::Password);
            }
            name => {
                if let Some(kind) = name.strip_prefix(b"aws.").and_then(|name| name.strip_suffix(b".get"))
                    && let Some(found) = argument(text, open, 1)
                {
                    let start = path + b"aws.".len();
                    let members = self.meanings_of_noun(start, start + kind.len());
                    self.key = start..start + kind.len();
                    self.believe(&members, found, Setting::Sure);
                }
            }
        }
    }

    /// Looks at an argument of the call whose bracket is at `open`.
    fn positional_argument(&mut self, open: usize, index: usize, kind: KindId, shape: ValueShape) {
        let text = self.text;
        let found = argument(text, open, index).filter(|_| self.wants(kind));
        if let Some(Value { start, end, .. }) =
            found.filter(|v| is_believable(shape, &text[v.start..v.end], Setting::Sure))
        {
            self.finding(kind, start, end);
            self.part(kind, start, end, shape == ValueShape::Name);
        }
    }
}

/// `mysql.rds_set_external_master`, `mysql.rds_set_external_source_with_auto_position`.
fn begins_replication(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"mysql.").unwrap_or(name);
    name.strip_prefix(b"rds_set_external_")
        .is_some_and(|rest| rest.starts_with(b"master") || rest.starts_with(b"source"))
}

/// The quoted argument at this index of the call whose bracket is at `open`.
fn argument(text: &[u8], open: usize, index: usize) -> Option<Value> {
    let mut at = skip_space(text, open + 1);
    for _ in 0..index {
        let next = value(text, at, &mut BareRun::default())?.next;
        let comma = run_end(text, next, 8, |c| c == b' ');
        at = skip_space(text, Some(comma + 1).filter(|_| text.get(comma) == Some(&b','))?);
    }
    quoted_value(text, at)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn arguments_of_functions() {
        for (text, expected) in [
            (
                "CALL mysql.rds_set_external_master('db.example', 3306, 'repl-x', 'rP9-xx2!Lq', 'bin.000031', 120, 0);",
                &[("name:db-user", "repl-x"), ("cred:password", "rP9-xx2!Lq")][..],
            ),
            ("call mysql.rds_set_external_source_with_auto_position (\n'h',3306,'repl-x','rP9-xx2!Lq',0,0);", &[]),
            (
                "call mysql.rds_set_external_source_with_auto_position('h',3306,\n 'repl-x','rP9-xx2!Lq',0,0);",
                &[("name:db-user", "repl-x"), ("cred:password", "rP9-xx2!Lq")],
            ),
            ("aws_commons.create_s3_uri('acme', 'x.csv', 'eu-west-1')", &[("name:s3-bucket", "acme")]),
            ("aws_commons.create_lambda_function_arn('acme', 'eu-west-1')", &[("name:lambda-function", "acme")]),
            ("const t = aws.dynamodb.Table.get(\"old\", \"tenants\");", &[("name:dynamodb-table", "tenants")]),
            ("INTO OUTFILE S3 's3-eu-west-1://acme'", &[("name:s3-bucket", "acme")]),
            ("aws.iam.Role.get(\"r\", \"acme\")", &[("name:iam-role", "acme")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(kind, name)| ((*kind).to_owned(), *name)).collect();
            assert_eq!(found(text), expected, "{text}");
        }
        for text in
            ["create_s3_uri('acme')", "map.get(\"old\", \"acme\")", "rds_set_external_master('h', 3306, user, pw)"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
