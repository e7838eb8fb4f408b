//! Aligned columns without lines between them.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::style::{Tone, bare, harmless};

/// A table that is built row by row.
pub(crate) struct Columns {
    table: Table,
    tones: Vec<Vec<Tone>>,
}

impl Columns {
    /// A table with these headings; none where the list is empty. With a width, long cells are broken to fit into it.
    pub(crate) fn new(headings: &[&str], width: Option<u16>) -> Columns {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        if let Some(width) = width {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        if !headings.is_empty() {
            table.set_header(headings.to_vec());
        }
        Columns { table, tones: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<(String, Tone)>) {
        let (texts, tones): (Vec<String>, Vec<Tone>) = cells.into_iter().unzip();
        self.table.add_row(texts.iter().map(|text| Cell::new(harmless(text))));
        self.tones.push(tones);
    }

    /// Puts a column's text at its right side.
    pub(crate) fn right(&mut self, column: usize) {
        if let Some(column) = self.table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }

    /// The table, each line indented by two blanks, without blanks at the ends of lines.
    pub(crate) fn render(mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = String::new();
        let header = self.table.header().is_some();
        let lines: Vec<String> = self.table.lines().collect();
        // Where a cell was broken, lines and rows do not correspond any more: no colours then.
        let whole = lines.len() == self.tones.len() + usize::from(header);
        for (number, line) in lines.iter().enumerate() {
            let line = line.trim_end();
            let painted = match number.checked_sub(usize::from(header)) {
                None => Tone::Faint.paint(line),
                Some(row) if whole => self.tones[row]
                    .iter()
                    .find(|tone| **tone != Tone::Plain)
                    .map_or_else(|| line.to_owned(), |tone| tone.paint(line)),
                Some(_) => line.to_owned(),
            };
            text.push_str("  ");
            text.push_str(&painted);
            text.push('\n');
        }
        debug_assert!(!bare(&text).lines().any(|line| line.ends_with(' ')), "blanks at the end of a line");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: &mut Columns, cells: &[&str]) {
        table.row(cells.iter().map(|cell| ((*cell).to_owned(), Tone::Plain)).collect());
    }

    #[test]
    fn columns_are_aligned_whatever_the_letters() {
        let mut table = Columns::new(&["VERSION", "NAME", "TIME"], None);
        row(&mut table, &["1", "größe 表", "5 ms"]);
        row(&mut table, &["20240101", "", "12 ms"]);
        table.right(2);
        let expected = "  VERSION   NAME       TIME\n  1         größe 表   5 ms\n  20240101            12 ms\n";
        assert_eq!(bare(&table.render()), expected);
    }

    #[test]
    fn narrow_terminals_break_long_cells() {
        let mut table = Columns::new(&[], Some(30));
        row(&mut table, &["a", "a long text that does not fit into the line"]);
        let text = table.render();
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= 32), "{text}");
    }
}
