//! What several steps write into the ledger that share a transaction, all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use limosa_core::{Direction, RowState, Step};
use limosa_db::ledger;
use limosa_sql::Engine;
use serde_json::json;

use super::{Marks, audit_entry, own_rights, row};
use crate::Context;
use crate::feed::{Purpose, Tagged};

/// The rows of steps whose transaction has not been sent to its end.
#[derive(Default)]
pub(crate) struct Several {
    /// Their numbers in the plan.
    steps: Vec<usize>,
    noted: ledger::Several,
}

impl Several {
    /// True before the first.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Notes a step that will be done.
    pub(crate) fn note(&mut self, context: &Context<'_>, number: usize, step: &Step, marks: &Marks) {
        let entry = audit_entry(context, step, marks, "done", &json!({}));
        match step.action.direction() {
            Direction::Apply => {
                let row = row(context, Engine::Postgres, step, marks, RowState::Applied, step.outline.statements);
                context.ledger.note(&mut self.noted, &row, &entry);
            }
            Direction::Revert => context.ledger.note_taken(&mut self.noted, &marks.step_mark, &entry),
        }
        self.steps.push(number);
    }

    /// The changes are done: their rows, each with the time that it took, or none where they were taken back, and their places in the audit
    /// log. The last step is one of them.
    pub(crate) fn finished(self, context: &Context<'_>, last: &Step, spent: &BTreeMap<usize, Duration>) -> Vec<Tagged> {
        const HALF: Duration = Duration::from_micros(500);
        let took = |number: &usize| {
            let spent = spent.get(number).copied().unwrap_or_default();
            i64::try_from((spent + HALF).as_millis()).unwrap_or(i64::MAX)
        };
        let [rows, log] = match last.action.direction() {
            Direction::Apply => {
                let took_ms: Vec<i64> = self.steps.iter().map(took).collect();
                context.ledger.add_several(self.noted, &took_ms)
            }
            Direction::Revert => context.ledger.take_several(self.noted),
        };
        let mut items = own_rights(context, Engine::Postgres, last);
        items.extend([(rows, Purpose::Ledger), (log, Purpose::Audit)]);
        items
    }
}
