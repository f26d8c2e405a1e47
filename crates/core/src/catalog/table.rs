//! Reading the tab-separated tables of `data/`.

/// The rows of a table: `N` tab-separated columns; lines that begin with `#` and empty lines are left out, and so are
/// rows with another number of columns (tests count them).
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let mut row = [""; N];
        for cell in &mut row {
            *cell = columns.next()?;
        }
        columns.next().is_none().then_some(row)
    })
}
