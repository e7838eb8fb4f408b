//! Which steps share a transaction by themselves, on PostgreSQL, where nobody can tell the difference ([`SharedTransactions`]). Where one of
//! them fails, all of its transaction are run again one by one.
//! - In a database that held nothing when the run began, small migrations that only make objects, and fill those, are committed several at a
//!   time. Nobody uses what they make, and each of them leaves the same behind as in a transaction of its own, but for rows in different
//!   tables that have the same time; what could tell the difference otherwise (`limosa_sql::sharing`) stays alone.
//! - While no other session uses the database, so are small ways back that drop objects, and delete rows of small tables where nothing runs
//!   when they go, up to the first that may take long. Whoever comes meanwhile waits for no more than what is quick.

use std::collections::HashSet;

use limosa_core::{Action, Direction, Plan, Shares, Step, Touched, Work};
use limosa_sql::Engine;

use crate::{Context, SharedTransactions};

/// Steps and statements of one transaction, besides [`Shares::MOST_BYTES`]: so few that nobody waits long for it, that doing it again
/// costs little, and that its locks are a small part of those that all databases of a server share.
const MOST_STEPS: usize = 64;
const MOST_STATEMENTS: u64 = 128;

/// Decides step by step, in order.
#[derive(Debug, Clone)]
pub(crate) struct Sharing {
    bounds: Bounds,
    open: Open,
}

/// What may share transactions at all.
#[derive(Debug, Clone, Copy)]
enum Bounds {
    New {
        /// Rows may be added beside others.
        rows: bool,
        /// Something reads the clock of the transaction: rows that steps add to one table must not share its time.
        clock: bool,
        /// The first step behind which tables may be large: what looks at them may take long, and is not done twice.
        until: usize,
    },
    Back {
        /// Rows may be deleted.
        deletes: bool,
        /// The first step that may take long: behind it somebody may have come, and more may run when rows are deleted than was known before.
        until: usize,
    },
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
        let steps = &plan.steps;
        let is_open_to_it =
            engine == Engine::Postgres && !context.pooled && context.kept.is_none() && plan.callbacks.is_empty();
        let may = |step: &Step| !matches!(step.work, Work::Code(_)) && !step.outline.telltale.for_objects;
        if !is_open_to_it || !steps.iter().all(may) {
            return None;
        }
        let first = |found: &dyn Fn(&Step) -> bool| steps.iter().position(found).unwrap_or(steps.len());
        let bounds = match (context.shared_transactions, plan.direction) {
            (SharedTransactions::New, Direction::Apply) => Bounds::New {
                rows: !steps.iter().any(|step| step.outline.telltale.for_rows),
                clock: steps.iter().any(|step| step.outline.telltale.of_clock),
                until: first(&|step| step.outline.brings_rows),
            },
            (SharedTransactions::Back { deletes }, Direction::Revert) => {
                let may_take_long = |step: &Step| match step.outline.shares {
                    Shares::Drops => false,
                    Shares::Deletes => !deletes,
                    Shares::Nothing | Shares::Objects | Shares::Rows => true,
                };
                Bounds::Back { deletes, until: first(&may_take_long) }
            }
            _ => return None,
        };
        Some(Sharing { bounds, open: Open::default() })
    }

    /// Takes the step with this number into the open transaction; true where the following one joins it there.
    pub(crate) fn take(&mut self, number: usize, step: &Step, following: Option<&Step>) -> bool {
        let fits = self.fits(number, step);
        let (open, tables) = (&mut self.open, &step.outline.tables);
        open.made.extend(tables.iter().filter(|touched| touched.is_made()));
        open.filled.extend(tables.iter().filter(|touched| !touched.is_made()));
        open.steps += 1;
        open.statements += step.outline.statements;
        open.bytes += size(step);
        open.closed = !fits;
        let joins = following.is_some_and(|following| self.joins(number, step, following));
        if !joins {
            self.open = Open::default();
        }
        joins
    }

    fn joins(&self, number: usize, step: &Step, following: &Step) -> bool {
        let open = &self.open;
        let clock = matches!(self.bounds, Bounds::New { clock: true, .. });
        // Rows that two steps add to one table must not have the same time.
        let fills_again = following.outline.tables.iter().any(|touched| open.filled.contains(touched));
        let is_barred = open.closed || (clock && fills_again);
        !is_barred
            && self.fits(number + 1, following)
            && following.limits == step.limits
            && open.steps < MOST_STEPS
            && open.statements + following.outline.statements <= MOST_STATEMENTS
            && open.bytes + size(following) <= Shares::MOST_BYTES
    }

    fn fits(&self, number: usize, step: &Step) -> bool {
        let tables = &step.outline.tables;
        let is_new = |table: &Touched| {
            let made = table.as_made();
            self.open.made.contains(&made) || tables.contains(&made)
        };
        let shares = match (self.bounds, step.outline.shares) {
            (Bounds::New { until, .. }, Shares::Objects | Shares::Drops) => number < until,
            // A row in an older table takes a number that is gone when the transaction is taken back.
            (Bounds::New { rows, until, .. }, Shares::Rows) => rows && number < until && tables.iter().all(is_new),
            (Bounds::Back { until, .. }, Shares::Drops) => number < until,
            (Bounds::Back { until, deletes }, Shares::Deletes) => deletes && number < until,
            _ => false,
        };
        // A statement that is stopped after a time has to be known by its own step.
        shares && step.limits.statement_timeout_ms == 0 && is_plain(step)
    }
}

/// True for a step that does nothing to the settings and the transaction around it, and that writes one row into the ledger, or takes one
/// away.
fn is_plain(step: &Step) -> bool {
    let has_plain_row = match step.action {
        Action::Apply => step.adds_row && step.rank.is_some() && step.outline.shares != Shares::Deletes,
        Action::Revert => !step.has_journal,
        Action::Reapply | Action::Resume { .. } | Action::ResumeRevert { .. } => false,
    };
    has_plain_row && step.outline.shares != Shares::Nothing
}

/// Of a transaction that holds these steps by somebody's wish: for each, whether its rows may be written with those of the one before
/// it.
pub(crate) fn follow_on(block: &[Step], plan: &Plan, engine: Engine, context: &Context<'_>) -> Vec<bool> {
    let has_callbacks = plan.callbacks.iter().any(|callback| callback.event.is_each());
    let may =
        engine == Engine::Postgres && context.kept.is_none() && !has_callbacks && plan.direction == Direction::Apply;
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
