//! Keys whose values are numbered: `TableNames.0` in what is printed flat, `TABLENAMES_0` in an environment.

use crate::detect::text::boundary::run_start;

/// Longest number behind a key, digits.
const MAX_INDEX: usize = 4;

/// Where the key ends that `end` stands behind, without the number of its value; `None` where it has none.
#[inline]
pub(in crate::detect) fn before_index(text: &[u8], end: usize) -> Option<usize> {
    let is_digit = |c: &u8| c.is_ascii_digit();
    text[..end].last().filter(|c| is_digit(c))?;
    let digits = run_start(text, end, MAX_INDEX, |c| c.is_ascii_digit());
    let is_index = matches!(text[..digits], [.., c, b'.' | b'_'] if c.is_ascii_alphabetic());
    is_index.then(|| digits - 1)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn values_of_a_list_are_numbered() {
        let table = "+---------------+--------+\n|  TableNames.0 |  acme  |\n|  TableNames.12|  orders|\n+---------------+--------+";
        assert_eq!(parts(table), ["acme", "orders"]);
        assert_eq!(parts("export TABLENAMES_0=acme\nexport TABLENAMES_10=orders\n"), ["acme", "orders"]);
        assert_eq!(parts("export REPLY_SECURITYGROUPIDS_0=sg1234\n"), ["sg1234"]);
        assert_eq!(parts("tableNames.0: acme\nbucketName_3 = \"orders\"\n"), ["acme", "orders"]);
    }

    #[test]
    fn numbers_that_count_nothing() {
        for text in ["at 12:30 x", "v1.2: acme-x", "TableNames.00000=acme", "TableNames0=acme", "x.0: acme-x"] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
