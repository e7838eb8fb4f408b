//! The tables that ways back delete rows of.

use std::collections::BTreeSet;

use limosa_core::{Plan, Shares, Work};
use limosa_sql::{Dialect, Sharing, sharing, split};

/// PostgreSQL: the tables, as the statements have them, of which steps delete rows that may share a transaction for what they are. None
/// where one of the steps does not hold its text, so that nobody has seen its statements.
pub fn emptied_tables(plan: &Plan, dialect: Dialect) -> Option<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    for step in plan.steps.iter().filter(|step| step.outline.shares == Shares::Deletes) {
        let Work::Text(text) = &step.work else { return None };
        for piece in split(dialect, &text.origin, text.text.as_bytes()).ok()? {
            let touched = piece.class().map(|class| sharing(piece.statement(), class));
            if let Some(Sharing::Empties { table }) = touched {
                tables.insert(table);
            }
        }
    }
    Some(tables)
}
