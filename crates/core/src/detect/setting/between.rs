//! What may stand between the sign behind a key and its value, and is part of neither: the type of a declaration, the end of
//! bold text, the anchor or tag of YAML, the letters before a string.

use crate::detect::text::boundary::{MAX_BACKSLASHES, is_alnum, run_end};
use crate::detect::text::line::whole_break_at;

/// Longest type, or call that a value is given to.
const MAX_TYPE: usize = 48;
/// Most blanks around it.
const MAX_BLANKS: usize = 4;
/// Most blanks before a line of PHP's `var_dump`: two for each array around it.
const MAX_INDENT: usize = 64;
/// Most digits of a length.
const MAX_DIGITS: usize = 10;
/// Most of what is printed around one value.
const MAX_WRAPPERS: usize = 4;

/// Past what stands at `at`, right behind the sign, and is not the value.
pub(in crate::detect) fn past_decoration(text: &[u8], at: usize) -> usize {
    let at = past_tag(text, past_anchor(text, at));
    // `**Password:** …`
    let at = if text.get(at..).is_some_and(|rest| rest.starts_with(b"**")) { at + 2 } else { at };
    let found = past_type(text, at).or_else(|| past_prefix(text, at)).or_else(|| past_dump(text, at));
    found.or_else(|| past_php_type(text, at)).unwrap_or(at)
}

/// The last of the quotes at `at`, where three open a string.
pub(in crate::detect) fn past_triple(text: &[u8], at: usize) -> usize {
    let len = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\') + 1 - at;
    let is_triple = text.get(at..at + 3 * len).is_some_and(|three| {
        let (first, rest) = three.split_at(len);
        matches!(first.last(), Some(b'"' | b'\'')) && rest.chunks(len).all(|quote| quote == first)
    });
    if is_triple { at + 2 * len } else { at }
}

/// Past the letters that Python puts before a string: `f"…"`, `rb'…'`.
fn past_prefix(text: &[u8], at: usize) -> Option<usize> {
    let start = run_end(text, at, MAX_BLANKS, |c| c == b' ');
    let end = run_end(text, start, 2, |c| matches!(c.to_ascii_lowercase(), b'f' | b'r' | b'b' | b'u'));
    let quote = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
    (end > start && matches!(text.get(quote), Some(b'"' | b'\''))).then_some(end)
}

/// Past what stands before a value where a program prints all that it knows of a record: `Some("…")` of Rust's `Debug`,
/// `(*string)(0xc0000102a0)((len=13) "…")` of Go's spew, `Str(…)` and `Slice([…])` of an OpenTelemetry collector.
fn past_dump(text: &[u8], at: usize) -> Option<usize> {
    const WRAPPERS: [&[u8]; 3] = [b"Some(", b"Str(", b"Slice("];
    let mut at = run_end(text, at, MAX_BLANKS, |c| c == b' ');
    if text.get(at) == Some(&b'(') {
        return past_types(text, at);
    }
    let mut wrappers = 0;
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| text[at..].starts_with(wrapper)) {
        at += wrapper.len();
        wrappers += 1;
        if wrappers > MAX_WRAPPERS {
            return None;
        }
    }
    (wrappers > 0).then_some(at)
}

/// Past the types, the address and the length that spew puts before a string.
fn past_types(text: &[u8], mut at: usize) -> Option<usize> {
    let mut has_len = false;
    for _ in 0..=MAX_WRAPPERS {
        let open = run_end(text, at, 2, |c| c == b'(');
        if open == at {
            break;
        }
        let close =
            run_end(text, open, MAX_TYPE, |c| is_alnum(c) || matches!(c, b'_' | b'.' | b'*' | b'[' | b']' | b'='));
        if text.get(close) != Some(&b')') {
            return None;
        }
        has_len |= text[open..close].starts_with(b"len=");
        at = run_end(text, close + 1, 1, |c| c == b' ');
    }
    let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    (has_len && text.get(quote) == Some(&b'"')).then_some(at)
}

/// Past the type and the length that PHP's `var_dump` puts before a string, in the line below the key:
/// `["BucketName"]=>` and `  string(9) "acme-logs"`.
///
/// Source: PHP manual, `var_dump`, <https://www.php.net/manual/en/function.var-dump.php>.
fn past_php_type(text: &[u8], at: usize) -> Option<usize> {
    const TYPE: &[u8] = b"string(";
    if text.get(at) != Some(&b'>') {
        return None;
    }
    let line = whole_break_at(text, at + 1).map_or(at + 1, |(_, next)| next);
    let start = run_end(text, line, MAX_INDENT, |c| c == b' ');
    let len = start + text[start..].strip_prefix(TYPE).map(|_| TYPE.len())?;
    let close = run_end(text, len, MAX_DIGITS, |c| c.is_ascii_digit());
    let open = close + 2;
    let quote = run_end(text, open, MAX_BACKSLASHES, |c| c == b'\\');
    (close > len && text[close..].starts_with(b") ") && text.get(quote) == Some(&b'"')).then_some(open)
}

/// Past the anchor that YAML gives a value: `password: &pw …`.
fn past_anchor(text: &[u8], at: usize) -> usize {
    let Some(name) = text.get(at..).and_then(|rest| rest.strip_prefix(b" &")) else { return at };
    let len = name.iter().take_while(|&&c| is_alnum(c) || matches!(c, b'_' | b'-')).count();
    if len > 0 && name.get(len) == Some(&b' ') { at + 2 + len } else { at }
}

/// Past the function of CloudFormation that fills in what stands in the name: `BucketName: !Sub acme-${AWS::Region}`.
fn past_tag(text: &[u8], at: usize) -> usize {
    let is_tag = text.get(at..).is_some_and(|rest| rest.starts_with(b" !Sub "));
    if is_tag { at + b" !Sub".len() } else { at }
}

/// Where the string begins in `: str = "…"`, `: Optional[str] = Field(default="…")`, `: &'static str = "…"`.
fn past_type(text: &[u8], at: usize) -> Option<usize> {
    let is_blank = |c: u8| c == b' ';
    let is_of_type = |c: u8| {
        is_alnum(c) || matches!(c, b'_' | b'.' | b'[' | b']' | b'<' | b'>' | b'&' | b'\'' | b'|' | b'?' | b'!' | b' ')
    };
    if text.get(at.checked_sub(1)?) != Some(&b':') {
        return None;
    }
    let start = run_end(text, at, MAX_BLANKS, is_blank);
    let end = run_end(text, start, MAX_TYPE, is_of_type);
    let is_assigned = matches!(text.get(end..), Some([b'=', next, ..]) if !matches!(next, b'=' | b'>'));
    if end == start || !is_assigned {
        return None;
    }
    let start = run_end(text, end + 1, MAX_BLANKS, is_blank);
    let open = run_end(text, start, MAX_TYPE, |c| is_alnum(c) || matches!(c, b'_' | b'.' | b':'));
    // `SecretStr("…")`, `Field(default="…")`
    let value = if open > start && text.get(open) == Some(&b'(') {
        let argument = b"default=";
        let from = open + 1;
        from + text.get(from..).filter(|rest| rest.starts_with(argument)).map_or(0, |_| argument.len())
    } else {
        start
    };
    let quote = run_end(text, value, MAX_BACKSLASHES, |c| c == b'\\');
    matches!(text.get(quote), Some(b'"' | b'\'' | b'`')).then_some(value)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn types_stand_before_values() {
        for text in [
            "db_password: str = \"Tr0ub4dor-3xKq\"",
            "password: str = Field(default='Tr0ub4dor-3xKq')",
            "password: SecretStr = SecretStr(\"Tr0ub4dor-3xKq\")",
            "db_password: Optional[str] = \"Tr0ub4dor-3xKq\"",
            "const password: string | undefined = 'Tr0ub4dor-3xKq';",
            "private readonly dbPassword: string = 'Tr0ub4dor-3xKq'",
            "let password: String = \"Tr0ub4dor-3xKq\".to_owned();",
            "const DB_PASSWORD: &'static str = \"Tr0ub4dor-3xKq\";",
            "var dbPassword string = \"Tr0ub4dor-3xKq\"",
            "**Password:** Tr0ub4dor-3xKq",
            "- **Password**: Tr0ub4dor-3xKq",
            "* **DB password:** `Tr0ub4dor-3xKq`",
            "**password=Tr0ub4dor-3xKq**",
            "password = b'Tr0ub4dor-3xKq'",
            "password = \"\"\"Tr0ub4dor-3xKq\"\"\"\n",
            "val dbPassword: String = \"\"\"Tr0ub4dor-3xKq\"\"\"",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "Tr0ub4dor-3xKq")], "{text}");
        }
        for (text, name) in [
            ("s3_bucket: str = \"acme-logs\"", "acme-logs"),
            ("const tableName: string = 'orders_prod'", "orders_prod"),
            ("**aws dynamodb scan --table-name orders_prod_v2**", "orders_prod_v2"),
            ("**BucketName: acme-logs**", "acme-logs"),
        ] {
            let found: Vec<_> = found(text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(found, [name], "{text}");
        }
    }

    #[test]
    fn what_programs_print_around_values() {
        for (text, name) in [
            ("DbInstance { db_instance_identifier: Some(\"acme-main\"), port: Some(5432) }", "acme-main"),
            ("table_name: Some(Some(\"acme-orders-1\"))", "acme-orders-1"),
            ("TableName: (*string)(0xc0000102a0)((len=11) \"orders_prod\"),", "orders_prod"),
            ("TableName: (string) (len=11) \"orders_prod\",", "orders_prod"),
            ("     -> aws.ecs.task.family: Str(acme-task)", "acme-task"),
            ("     -> aws.dynamodb.table_names: Slice([\"orders_prod\"])", "orders_prod"),
            ("\"FunctionName\": \"acme-orders:$LATEST\"", "acme-orders"),
        ] {
            let found: Vec<_> = found(text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(found, [name], "{text}");
        }
        for text in ["table_name: Some(table)", "table_name: (string) \"orders_prod\"", "bucket: Some(())", "bucket: ("]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn what_php_prints_before_strings() {
        use crate::detect::testing::in_json;
        for (text, part) in [
            ("  [\"FunctionName\"]=>\n  string(10) \"acme-hello\"\n", "acme-hello"),
            ("    [\"BucketName\"]=>\n    string(9) \"acme-logs\"\n", "acme-logs"),
            ("  [\"MasterUserPassword\"]=>\n  string(14) \"Tr0ub4dor-3xKq\"\n", "Tr0ub4dor-3xKq"),
            ("  [\"BucketName\"]=> string(9) \"acme-logs\"\n", "acme-logs"),
        ] {
            let text = format!("object(Aws\\Result)#84 (2) {{\n{text}");
            for text in [text.clone(), in_json(&text)] {
                let found: Vec<_> = found(&text).into_iter().map(|(_, part)| part).collect();
                assert_eq!(found, [part], "{text}");
            }
        }
        for text in [
            "  [\"BucketName\"]=>\n  string() \"acme-logs\"\n",
            "  [\"BucketName\"]=>\n  int(9)\n  [\"x\"]=>\n  string(9) \"acme-logs\"\n",
            "  [\"BucketName\"]=>\n\n  string(9) \"acme-logs\"\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn names_with_more_to_fill_in() {
        for text in [
            "BucketName: !Sub \"acme-billing-logs-${AWS::AccountId}\"",
            "BucketName: !Sub acme-billing-logs-${AWS::AccountId}\n",
            "bucket = \"acme-billing-logs-${data.aws_caller_identity.current.account_id}\"",
            "bucketName: `acme-billing-logs-${this.account}`",
            "bucket_name = f'acme-billing-logs-{env}'",
            "bucket_name = \"acme-billing-logs-#{env}\"",
        ] {
            assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme-billing-logs")], "{text}");
        }
        for text in ["bucket = \"${var.bucket}\"", "BucketName: !Sub \"${AWS::StackName}-logs\"", "bucket = {name}"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn types_are_no_values() {
        for text in [
            "password: str = None",
            "password: string = process.env.DB_PASSWORD",
            "db_password: Optional[str] = None, name = \"x1y2z3w4\"",
            "fn f(password: &str) { let a = \"b1-c2-d3-e4\"; }",
            "password: string => \"Tr0ub4dor-3xKq\"",
            "**Password:** required",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
