//! Which steps share a transaction by themselves: in a PostgreSQL database that held nothing when the run began, small migrations
//! that only make objects, and fill those, are committed several at a time. Nobody uses what they make, and each of them leaves the
//! same behind as in a transaction of its own, but for rows in different tables that have the same time; what could tell the difference
//! otherwise (`limosa_sql::sharing`) stays alone. Where one of them fails, all of its transaction are run again one by one.

use std::collections::HashSet;

use limosa_core::{Action, Direction, Plan, Shares, Step, Touched, Work};
use limosa_sql::Engine;

use crate::Context;

/// Steps and statements of one transaction, besides [`Shares::MOST_BYTES`]: so few that nobody waits long for it, and that doing it again
/// costs little.
const MOST_STEPS: usize = 64;
const MOST_STATEMENTS: u64 = 128;

/// Decides step by step, in order.
#[derive(Debug, Clone)]
pub(crate) struct Sharing {
    /// Rows may be added beside others.
    rows: bool,
    /// Something reads the clock of the transaction: rows that steps add to one table must not share its time.
    clock: bool,
    /// The first step behind which tables may be large: what looks at them may take long, and is not done twice.
    until: usize,
    open: Open,
}

/// The steps of the transaction that is open.
#[derive(Debug, Clone, Default)]
struct Open {
    steps: usize,
    statements: u64,
    bytes: u64,
    made: HashSet<Touched>,
    filled: HashSet<Touched>,
    /// Nothing may come behind its last step.
    closed: bool,
}

impl Sharing {
    /// None where each step of the plan has its own transaction.
    pub(crate) fn of(plan: &Plan, engine: Engine, context: &Context<'_>) -> Option<Sharing> {
        let is_open_to_it = engine == Engine::Postgres
            && context.shares_transactions
            && !context.pooled
            && context.kept.is_none()
            && plan.direction == Direction::Apply
            && plan.callbacks.is_empty();
        let may = |step: &Step| !matches!(step.work, Work::Code(_)) && !step.outline.telltale.for_objects;
        if !is_open_to_it || !plan.steps.iter().all(may) {
            return None;
        }
        let rows = !plan.steps.iter().any(|step| step.outline.telltale.for_rows);
        let clock = plan.steps.iter().any(|step| step.outline.telltale.of_clock);
        let until = plan.steps.iter().position(|step| step.outline.brings_rows).unwrap_or(plan.steps.len());
        Some(Sharing { rows, clock, until, open: Open::default() })
    }

    /// Takes the step with this number into the open transaction; true where the following one joins it there.
    pub(crate) fn take(&mut self, number: usize, step: &Step, following: Option<&Step>) -> bool {
        let fits = number + 1 < self.until && self.fits(step);
        let (open, tables) = (&mut self.open, &step.outline.tables);
        open.made.extend(tables.iter().filter(|touched| touched.is_made()));
        open.filled.extend(tables.iter().filter(|touched| !touched.is_made()));
        open.steps += 1;
        open.statements += step.outline.statements;
        open.bytes += size(step);
        open.closed = !fits;
        let joins = following.is_some_and(|following| self.joins(step, following));
        if !joins {
            self.open = Open::default();
        }
        joins
    }

    fn joins(&self, step: &Step, following: &Step) -> bool {
        let open = &self.open;
        // Rows that two steps add to one table must not have the same time.
        let fills_again = following.outline.tables.iter().any(|touched| open.filled.contains(touched));
        let is_barred = open.closed || (self.clock && fills_again);
        !is_barred
            && self.fits(following)
            && following.limits == step.limits
            && open.steps < MOST_STEPS
            && open.statements + following.outline.statements <= MOST_STATEMENTS
            && open.bytes + size(following) <= Shares::MOST_BYTES
    }

    fn fits(&self, step: &Step) -> bool {
        let tables = &step.outline.tables;
        let is_new = |table: &Touched| {
            let made = table.as_made();
            self.open.made.contains(&made) || tables.contains(&made)
        };
        let shares = match step.outline.shares {
            Shares::Nothing => false,
            Shares::Objects => true,
            // A row in an older table takes a number that is gone when the transaction is taken back.
            Shares::Rows => self.rows && tables.iter().all(is_new),
        };
        // A statement that is stopped after a time has to be known by its own step.
        shares && step.limits.statement_timeout_ms == 0 && is_plain(step)
    }
}

/// True for a step that does nothing to the settings and the transaction around it, and whose row is a new one.
pub(crate) fn is_plain(step: &Step) -> bool {
    step.outline.shares != Shares::Nothing && step.action == Action::Apply && step.adds_row && step.rank.is_some()
}

/// Of a transaction that holds these steps by somebody's wish: for each, whether its rows may be written with those of the one before
/// it.
pub(crate) fn follow_on(block: &[Step], plan: &Plan, engine: Engine, context: &Context<'_>) -> Vec<bool> {
    let has_callbacks = plan.callbacks.iter().any(|callback| callback.event.is_each());
    let may = engine == Engine::Postgres && context.kept.is_none() && !has_callbacks;
    let is_bare = |step: &Step| {
        let has_locals = step.inherits.as_ref().is_some_and(|inherited| !inherited.locals.is_empty());
        is_plain(step) && step.proof.is_none() && step.begins_with.is_empty() && !step.goes_on && !has_locals
    };
    let mut together = 0;
    let behind = block.windows(2).map(|pair| {
        together = if may && pair.iter().all(is_bare) && together + 1 < MOST_STEPS { together + 1 } else { 0 };
        together > 0
    });
    [false].into_iter().chain(behind).collect()
}

/// The bytes of a step's text.
fn size(step: &Step) -> u64 {
    match &step.work {
        Work::File(script) | Work::Code(script) => script.span.end - script.span.start,
        Work::Text(text) => text.text.len() as u64,
    }
}
