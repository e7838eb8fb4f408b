//! PostgreSQL: whether a script may share a transaction with others, as its statements go by.

use limosa_sql::{Class, Sharing, Telltale, sharing, telltale};
use thin_vec::ThinVec;

use crate::outline::{Outline, Shares, Touched};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Sharings {
    /// Of its statements that were looked at.
    bytes: u64,
    alone: bool,
    brings_rows: bool,
    makes: bool,
    deletes: bool,
    tables: ThinVec<Touched>,
    telltale: Telltale,
}

impl Sharings {
    /// The next statement.
    pub(super) fn add(&mut self, class: &Class, statement: &str) {
        // There may be millions, and no more to learn.
        if self.bytes > Shares::MOST_BYTES {
            return;
        }
        self.bytes += statement.len() as u64;
        if self.bytes > Shares::MOST_BYTES {
            (self.alone, self.brings_rows) = (true, true);
            self.tables.clear();
            return;
        }
        let told = telltale(statement);
        self.telltale.of_clock |= told.of_clock;
        self.telltale.for_rows |= told.for_rows;
        self.telltale.for_objects |= told.for_objects;
        let touched = match sharing(statement, class) {
            Sharing::Alone { brings_rows } => {
                self.alone = true;
                self.brings_rows |= brings_rows;
                self.tables.clear();
                return;
            }
            Sharing::Makes { table } => {
                self.makes = true;
                table.map(|name| Touched::made(&name))
            }
            Sharing::Fills { table } => {
                self.makes = true;
                Some(Touched::filled(&table))
            }
            Sharing::Drops => None,
            Sharing::Empties { .. } => {
                // Nobody knows what comes with a row that goes.
                (self.deletes, self.brings_rows) = (true, true);
                None
            }
        };
        if let Some(touched) = touched.filter(|touched| !self.alone && !self.tables.contains(touched)) {
            self.tables.push(touched);
        }
    }

    /// Notes what there is to know of the whole script.
    pub(super) fn finish(mut self, outline: &mut Outline) {
        // What stands for a placeholder nobody has looked at.
        let replaces = !outline.placeholders.is_empty() || !outline.expressions.is_empty();
        self.telltale.for_rows |= replaces;
        outline.telltale = self.telltale;
        outline.brings_rows = self.brings_rows;
        if self.alone || replaces {
            return;
        }
        self.tables.shrink_to_fit();
        let fills = self.tables.iter().any(|touched| !touched.is_made());
        outline.shares = match (self.makes, self.deletes) {
            (false, false) => Shares::Drops,
            (false, true) => Shares::Deletes,
            (true, true) => Shares::Nothing,
            (true, false) if fills => Shares::Rows,
            (true, false) => Shares::Objects,
        };
        outline.tables = self.tables;
    }
}
