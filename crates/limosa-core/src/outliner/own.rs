//! Transactions that a file begins and ends itself.
//!
//! On MySQL a statement that commits by itself ends the transaction it stands in, without a word. A transaction of a file's own
//! that holds such a statement therefore holds nothing together: its BEGIN and COMMIT are left out, and what stands between
//! is grouped as if they were not there. The server would have kept less together, never more. Where a statement only may
//! commit, such as CALL, the transaction stays as written.

use limosa_sql::{Class, Effect, Engine, Piece, Position, TransactionRule};

use super::Outliner;
use super::groups::Groups;
use crate::change::TransactionWish;
use crate::outline::{Group, GroupMode, LeftOut, LeftOutReason, OutlineError};

/// The transaction that another tool has around a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolTransaction {
    /// The tool begins and ends it: the script may end that one, and leave one of its own open for the tool to end.
    Held,
    /// It is there for want of another, as the server has one around statements that are sent together: the script may end it, and with
    /// one that is left open the tool fails.
    Implicit,
    /// As [`ToolTransaction::Implicit`], but around what is sent as one statement, too: the tool's connection has one open at all times.
    OfConnection,
}

/// Statements that run others, which do not stand in their text. One of those may commit, and mostly none does.
const RUN_OTHERS: &[&str] =
    &["BEGIN NOT ATOMIC", "CALL", "CASE", "EXECUTE", "EXECUTE IMMEDIATE", "FOR", "IF", "LOOP", "REPEAT", "WHILE"];

/// True for a statement of MySQL that may end the transaction it stands in, without anyone knowing before.
pub(super) fn may_commit(class: &Class) -> bool {
    RUN_OTHERS.contains(&class.verb.as_str())
}

/// The open one.
#[derive(Debug)]
pub(super) struct Own {
    first: u64,
    last: u64,
    /// Where it begins.
    pub(super) position: Position,
    verb: String,
    /// The first statement in it that commits by itself (MySQL).
    committed: Option<(String, Position)>,
    /// A statement in it may commit, and nobody knows (MySQL).
    may_commit: bool,
    /// How its statements are grouped where it holds nothing together.
    apart: Groups,
}

impl Own {
    /// Takes notice of a statement in it that is not sent.
    pub(super) fn note(&mut self, number: u64) {
        self.last = number;
        self.apart.attach(number);
    }
}

impl Outliner {
    /// BEGIN.
    pub(super) fn begin(&mut self, number: u64, piece: &Piece, class: &Class) -> Result<(), OutlineError> {
        match self.own.take() {
            // The one before ended when one of its statements committed.
            Some(own) if own.committed.is_some() => self.dissolve(own, LeftOutReason::HoldsNothing),
            Some(own) => {
                self.own = Some(own);
                return Err(OutlineError::NestedBegin { position: piece.position });
            }
            None => {}
        }
        self.first_begins |= number == 1;
        self.own_count += 1;
        let mut apart = Groups::default();
        apart.attach(number);
        self.own = Some(Own {
            first: number,
            last: number,
            position: piece.position,
            verb: class.verb.clone(),
            committed: None,
            may_commit: false,
            apart,
        });
        Ok(())
    }

    /// COMMIT or ROLLBACK.
    pub(super) fn end(&mut self, number: u64, piece: &Piece, class: &Class) -> Result<(), OutlineError> {
        let (verb, position) = (class.verb.clone(), piece.position);
        let Some(mut own) = self.own.take() else { return Err(OutlineError::EndsNothing { verb, position }) };
        self.last_statement_commits = class.transaction == TransactionRule::Commits;
        let Some((committed, at)) = own.committed.clone() else {
            self.added_values.clear();
            self.groups.add(Group { first: own.first, last: number, mode: GroupMode::Own });
            self.own_may_commit |= own.may_commit;
            return Ok(());
        };
        if !self.last_statement_commits {
            return Err(OutlineError::CommittedBeforeRollback { verb: committed, position: at, ends: verb });
        }
        own.note(number);
        self.outline.left_out.push(LeftOut { statement: number, position, verb, why: LeftOutReason::HoldsNothing });
        self.dissolve(own, LeftOutReason::HoldsNothing);
        Ok(())
    }

    /// A statement between BEGIN and COMMIT.
    pub(super) fn inside_own(&mut self, number: u64, piece: &Piece, class: &Class) -> Result<(), OutlineError> {
        let may = self.engine == Engine::Mysql && may_commit(class);
        let outside =
            class.transaction == TransactionRule::Outside && !matches!(class.effect, Effect::LiftedPragma { .. });
        let mysql = self.engine == Engine::Mysql;
        if outside && mysql && !may && self.wish == TransactionWish::Always {
            return Err(self.cannot_run_inside(piece, class));
        }
        if outside && !mysql {
            return Err(OutlineError::InsideOwn { verb: class.verb.clone(), position: piece.position });
        }
        let alone = outside || self.wish == TransactionWish::None;
        let Some(own) = &mut self.own else { return Ok(()) };
        own.last = number;
        own.may_commit |= may;
        if outside && !may {
            own.committed.get_or_insert_with(|| (class.verb.clone(), piece.position));
        }
        own.apart.join_or_push(number, if alone { GroupMode::Alone } else { GroupMode::Transaction });
        Ok(())
    }

    /// True where a statement ends the transaction that another tool holds open. A lone END is rather that of a function which
    /// these rules do not see: a file for another engine.
    pub(super) fn ends_tools(&self, class: &Class) -> bool {
        self.around.is_some() && self.wish != TransactionWish::None && class.verb.starts_with("COMMIT")
    }

    /// True where another tool would end what is left open.
    pub(super) fn is_held(&self) -> bool {
        self.around == Some(ToolTransaction::Held) && self.wish != TransactionWish::None
    }

    /// PostgreSQL has no transaction around what a tool sends as one statement: the procedure may commit.
    pub(super) fn is_lone_call(&self) -> bool {
        self.engine == Engine::Postgres
            && self.first_calls
            && self.outline.statements == 1
            && self.around == Some(ToolTransaction::Implicit)
            && self.wish == TransactionWish::Auto
    }

    /// COMMIT of the transaction that another tool holds open around the file.
    pub(super) fn end_tools(&mut self, number: u64, piece: &Piece, class: &Class) {
        self.leave_out(number, piece, class, LeftOutReason::OfTool);
        // The file's own transactions end with a statement that is sent.
        if self.groups.ends_with(GroupMode::Own) {
            self.push(number, GroupMode::Transaction);
        } else {
            self.groups.attach(number);
        }
        self.begins_group = true;
    }

    /// Groups the statements of a transaction that is left out.
    pub(super) fn dissolve(&mut self, own: Own, why: LeftOutReason) {
        let begin = LeftOut { statement: own.first, position: own.position, verb: own.verb, why };
        self.outline.left_out.push(begin);
        self.added_values.clear();
        for group in own.apart.finish() {
            self.groups.add(group);
        }
    }
}
