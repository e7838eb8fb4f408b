//! The ledger of another tool that is kept beside limosa's own: each step writes both, in one transaction.

use std::collections::BTreeMap;

use limosa_core::{Identity, Step, Told};
use limosa_db::{FoundLedger, Item, RunnerLock, Spent};
use limosa_sql::Engine;

use crate::Context;
use crate::entries::{Marks, spent_before};
use crate::feed::{Purpose, Tagged};

/// The ledger of another tool.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its table.
    pub ledger: FoundLedger,
    /// What is told to it with a step; nothing where it has no place for that.
    pub told: BTreeMap<Identity, Told>,
    /// The lock that its own runs take.
    pub lock: Option<RunnerLock>,
}

impl Kept {
    /// The items that tell it one thing.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    pub fn items(&self, engine: Engine, told: &Told, spent: Spent) -> Result<Vec<Item>, &'static str> {
        match told {
            Told::Row(row) | Told::UpTo(Some(row)) => self.ledger.write(engine, row, spent),
            Told::Gone(key) => Ok(vec![self.ledger.erase(engine, key)?]),
            Told::UpTo(None) => Ok(vec![self.ledger.clear(engine)]),
        }
    }
}

/// What a step that is done writes into the kept ledger, beside its row in limosa's.
pub(crate) fn items(context: &Context<'_>, engine: Engine, step: &Step, marks: &Marks) -> Vec<Tagged> {
    let Some(kept) = context.kept else { return Vec::new() };
    let told = kept.told.get(&step.identity);
    let spent = Spent::Before(spent_before(engine, marks));
    // Tools whose rows cannot be written are not kept.
    let items = told.and_then(|told| kept.items(engine, told, spent).ok()).unwrap_or_default();
    items.into_iter().map(|item| (item, Purpose::Kept)).collect()
}
