//! A way back of which nothing has taken effect: its change stands as before, and the ledger says so.

use limosa_core::{Action, Direction, RowState, Step};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, Session, Value};
use serde::{Deserialize, Serialize};

use super::{Walk, problem};
use crate::attempt::Failure;
use crate::conduct::Run;
use crate::entries::untouched;
use crate::reader::{Part, ScriptReader};

/// How the row of a change stood before its way back began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stood {
    pub(crate) state: RowState,
    pub(crate) done: i64,
    pub(crate) total: i64,
}

impl Stood {
    /// Looks before a way back begins; None for everything else.
    pub(super) async fn look(
        run: &Run<'_>,
        session: &mut dyn Session,
        step: &Step,
    ) -> Result<Option<Stood>, Box<DbError>> {
        if step.action != Action::Revert {
            return Ok(None);
        }
        let identity = Value::Text(step.identity.to_string());
        let rows = session.query_item(run.context.ledger.bound(&sql::STEP_MARK_OF, vec![identity])).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let state = row.text(1).and_then(|state| RowState::parse(&state));
        // One that an interrupted way back left says nothing of before.
        let state = state.filter(|state| *state != RowState::Reverting);
        Ok(state.map(|state| Stood { state, done: row.integer(2).unwrap_or(0), total: row.integer(3).unwrap_or(0) }))
    }
}

impl Walk<'_> {
    /// How the row stood, as long as nothing of the way back has taken effect: what sets something for the session has none.
    pub(super) fn stood(&self) -> Option<Stood> {
        let stood = self.stood.clone().filter(|_| self.step.action.direction() == Direction::Revert)?;
        self.only_set().ok()?.then_some(stood)
    }

    fn only_set(&self) -> Result<bool, Failure> {
        if self.ran == 0 {
            return Ok(true);
        }
        let mut reader = ScriptReader::open(self.step, self.run.dialect, self.run.context.files).map_err(problem)?;
        while let Some(part) = reader.next().map_err(problem)? {
            let Part::Statement(statement) = part else { return Ok(false) };
            if statement.number > self.ran {
                break;
            }
            let is_sent = self.step.outline.sends(statement.number);
            if is_sent && statement.class().effect.session_settings().is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The row as it stood, and no journal of the way back.
    pub(super) async fn stand_as_before(&mut self, session: &mut dyn Session, stood: &Stood) -> Result<(), Failure> {
        let marks = self.marks();
        let head = self.head(&marks);
        let rows = untouched(self.run.context, self.run.engine, self.step, &marks, stood);
        self.send(session, head, rows).await?;
        self.done = 0;
        self.begun = None;
        Ok(())
    }
}
