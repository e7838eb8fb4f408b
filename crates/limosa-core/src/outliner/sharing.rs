//! PostgreSQL: whether a script may share a transaction with others, as its statements go by.

use limosa_sql::{Class, Sharing, Telltale, sharing, telltale};
use thin_vec::ThinVec;

use crate::outline::{Shares, Touched};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Sharings {
    alone: bool,
    tables: ThinVec<Touched>,
    telltale: Telltale,
}

impl Sharings {
    /// The next statement.
    pub(super) fn add(&mut self, class: &Class, statement: &str) {
        let told = telltale(statement);
        self.telltale.of_clock |= told.of_clock;
        self.telltale.for_rows |= told.for_rows;
        self.telltale.for_objects |= told.for_objects;
        if self.alone {
            return;
        }
        let touched = match sharing(statement, class) {
            Sharing::Alone => {
                self.alone = true;
                self.tables.clear();
                return;
            }
            Sharing::Makes { table } => table.map(|name| Touched::made(&name)),
            Sharing::Fills { table } => Some(Touched::filled(&table)),
        };
        if let Some(touched) = touched.filter(|touched| !self.tables.contains(touched)) {
            self.tables.push(touched);
        }
    }

    /// What there is to know of the whole script.
    pub(super) fn finish(mut self, replaces: bool) -> (Shares, Telltale, ThinVec<Touched>) {
        // What stands for a placeholder nobody has looked at.
        self.telltale.for_rows |= replaces;
        if self.alone || replaces {
            return (Shares::Nothing, self.telltale, ThinVec::new());
        }
        self.tables.shrink_to_fit();
        let fills = self.tables.iter().any(|touched| !touched.is_made());
        (if fills { Shares::Rows } else { Shares::Objects }, self.telltale, self.tables)
    }
}
