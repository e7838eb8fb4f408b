//! PostgreSQL: what a script leaves in its session, as its statements go by.

use limosa_sql::{Class, Leftover, Position, SessionChange, session_change};

use crate::SessionBound;

/// What is left there so far, in order.
#[derive(Debug, Default)]
pub(super) struct Leftovers(Vec<(Leftover, String, SessionBound)>);

impl Leftovers {
    /// The next statement.
    pub(super) fn add(&mut self, class: &Class, statement: &str, position: Position) {
        match session_change(statement, class) {
            Some(SessionChange::Leaves(kind, name)) => {
                self.0.push((kind, name, SessionBound { verb: class.verb.clone(), position }));
            }
            Some(SessionChange::Takes(kind, names)) => {
                self.0.retain(|(known, name, _)| *known != kind || !(names.is_empty() || names.contains(name)));
            }
            None => {}
        }
    }

    /// The first statement whose work is still there at the end.
    pub(super) fn first(self) -> Option<SessionBound> {
        self.0.into_iter().next().map(|(.., bound)| bound)
    }
}
