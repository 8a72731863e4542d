//! Tables that fit the terminal: what can be spared is left out, what can flow is wrapped, names stay whole.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// Narrower than this nothing is made to fit; the terminal wraps what is left.
const WIDTH_MIN: u16 = 40;

/// How a column takes it when there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// It stays as it is.
    Whole(&'static str),
    /// Its text may be broken into lines.
    Flows(&'static str),
    /// It is left out; the last one first.
    Spare(&'static str),
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Whole(head) | Self::Flows(head) | Self::Spare(head) => head,
        }
    }
}

/// Rows under named columns.
#[derive(Debug)]
pub(crate) struct Grid<const N: usize> {
    columns: [Column; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Grid<N> {
    pub(crate) fn new(columns: [Column; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// As text for standard output: fitted to a terminal, whole for everything else.
    pub(crate) fn show(&self) -> String {
        self.fitted(Table::new().width())
    }

    /// As text of at most `width` characters a line, as far as that goes.
    fn fitted(&self, width: Option<u16>) -> String {
        let mut left: Vec<usize> = (0..N).collect();
        let Some(width) = width else { return self.table(&left).to_string() };
        while wide(&self.table(&left)) > usize::from(width) {
            let is_spare = |index: &usize| matches!(self.columns.get(*index), Some(Column::Spare(_)));
            let Some(place) = left.iter().rposition(is_spare) else { break };
            left.remove(place);
        }
        let mut table = self.table(&left);
        if wide(&table) > usize::from(width) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(WIDTH_MIN));
            for (place, index) in left.iter().enumerate() {
                let is_whole = matches!(self.columns.get(*index), Some(Column::Whole(_)));
                if let Some(column) = table.column_mut(place).filter(|_| is_whole) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        let spared: Vec<_> = (0..N).filter(|index| !left.contains(index)).collect();
        if spared.is_empty() {
            return table.to_string();
        }
        let names: Vec<_> = spared.iter().filter_map(|index| self.columns.get(*index)).map(|one| one.head()).collect();
        format!("{table}\nno room for: {}; a wider terminal or --json has it", names.join(", "))
    }

    fn table(&self, left: &[usize]) -> Table {
        let mut table = Table::new();
        let heads = left.iter().filter_map(|index| self.columns.get(*index)).map(|column| column.head());
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header(heads);
        for row in &self.rows {
            table.add_row(left.iter().filter_map(|index| row.get(*index)));
        }
        table
    }
}

/// The border is as wide as the widest row.
fn wide(table: &Table) -> usize {
    table.lines().next().map_or(0, |border| border.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid<4> {
        let columns = [Column::Whole("job"), Column::Flows("detail"), Column::Spare("first"), Column::Spare("second")];
        let mut grid = Grid::new(columns);
        grid.row(["0x297ef07b…".into(), "word ".repeat(12).trim_end().into(), "1".repeat(20), "2".repeat(20)]);
        grid
    }

    #[test]
    fn what_is_no_terminal_gets_everything() {
        let whole = grid().fitted(None);
        assert!(whole.contains(&"2".repeat(20)) && whole.contains(&"1".repeat(20)) && !whole.contains("no room"));
        assert_eq!(whole, grid().fitted(Some(200)));
    }

    #[test]
    fn a_narrow_terminal_spares_the_last_column_first_and_wraps_what_flows() {
        let narrower = grid().fitted(Some(110));
        assert!(narrower.contains(&"1".repeat(20)) && narrower.contains("no room for: second"), "{narrower}");
        for width in [60, 80, 100] {
            let narrow = grid().fitted(Some(width));
            let widest =
                narrow.lines().filter(|line| !line.starts_with("no room")).map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.into()), "{width}:\n{narrow}");
            assert!(narrow.contains("0x297ef07b…"), "a name stays whole:\n{narrow}");
        }
    }
}
