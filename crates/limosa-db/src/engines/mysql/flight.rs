//! Sends the items of a flight, and ends cleanly whatever happens.
//!
//! Items that follow each other go out in one message of several statements, at whose first failure the server stops, as far
//! as the result is the same ([`super::joined`]). All else waits one for the other: nothing is sent before the answer to the
//! message before it is there. The servers would take several messages at once (tried on MariaDB 10.11 and MySQL 8.0), but they
//! go on after one that failed. A deadlock rolls the transaction back, and what was sent behind it would run outside of any and
//! commit by itself; so would everything behind a BEGIN that was killed.
//!
//! Behind a proxy that has a number of its own for the session nothing is joined: not all of them keep up with that.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use limosa_sql::Engine;

use super::cancel::{Shared, cancelled, undisturbed};
use super::diagnostics;
use super::error;
use super::joined::Joined;
use super::statements::{self, Statements};
use super::traces::Traces;
use super::wire::{Event, Failure, Wire};
use crate::engines::first_word::first_word;
use crate::{Abort, DbError, DbErrorKind, FlightError, FlightObserver, FlightSource, Item, Landed};

pub(super) const BEGIN: &str = "START TRANSACTION";
/// Spelled out, because a script may have set `completion_type`.
pub(super) const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
pub(super) const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

/// Verbs whose count of rows means something even where it is 0.
const COUNTING: [&str; 6] = ["insert", "update", "delete", "replace", "load", "with"];

type Peeked = Result<Option<Item>, Abort>;

/// What a session keeps from flight to flight.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) statements: Statements,
    pub(super) traces: Traces,
    /// The server's `innodb_rollback_on_timeout`.
    pub(super) rolls_back_on_timeout: bool,
    /// Something stands between, which may not know messages of several statements.
    pub(super) one_by_one: bool,
}

/// Why not all of a message of several statements was heard.
enum Unheard<'a> {
    /// A statement of a user's failed.
    Script {
        sql: &'a str,
        error: Box<DbError>,
    },
    Error(DbError),
}

impl From<DbError> for Unheard<'_> {
    fn from(error: DbError) -> Self {
        Unheard::Error(error)
    }
}

/// A flight under way.
pub(super) struct Flight<'a> {
    wire: &'a mut Wire,
    kept: &'a mut Kept,
    observer: &'a mut dyn FlightObserver,
    shared: &'a Shared,
    last: Instant,
    /// Between the Begin and the Commit of the flight.
    bracketed: bool,
    /// The next items that had to be looked at before their time.
    peeked: VecDeque<Peeked>,
}

impl<'a> Flight<'a> {
    pub(super) fn new(
        wire: &'a mut Wire,
        kept: &'a mut Kept,
        observer: &'a mut dyn FlightObserver,
        shared: &'a Shared,
    ) -> Flight<'a> {
        Flight { wire, kept, observer, shared, last: Instant::now(), bracketed: false, peeked: VecDeque::new() }
    }

    /// Flies to the end.
    pub(super) async fn run(mut self, items: &mut dyn FlightSource) -> Result<(), FlightError> {
        let mut number = 0;
        loop {
            let item = match self.peeked.pop_front().unwrap_or_else(|| items.next()) {
                Ok(Some(item)) => item,
                Ok(None) => return Ok(()),
                Err(Abort) => {
                    self.give_up().await;
                    return Err(FlightError::Aborted);
                }
            };
            // A request that came between two messages has hit nothing, and is not forgotten.
            let sent = if self.shared.is_asked() {
                Err(cancelled())
            } else {
                match self.join(item, items) {
                    Ok(joined) => self.together(&mut number, joined).await,
                    Err(item) => self.alone(&mut number, *item, items).await,
                }
            };
            if let Err(error) = sent {
                self.give_up().await;
                return Err(FlightError::Failed { item: number, error: Box::new(error) });
            }
        }
    }

    /// Joins an item with those that follow it; gives it back where nothing is saved by that.
    fn join(&mut self, item: Item, items: &mut dyn FlightSource) -> Result<Joined, Box<Item>> {
        if self.kept.one_by_one {
            return Err(Box::new(item));
        }
        let mut joined = Joined::new(self.wire.longest.saturating_sub(2), self.bracketed);
        joined.push(item)?;
        loop {
            match self.peeked.pop_front().unwrap_or_else(|| items.next()) {
                Ok(Some(next)) => {
                    if let Err(next) = joined.push(next) {
                        self.peeked.push_front(Ok(Some(*next)));
                        break;
                    }
                }
                end => {
                    self.peeked.push_front(end);
                    break;
                }
            }
        }
        // What ends a message of several statements changes the counts.
        if self.peek(items).is_some_and(diagnostics::asks_for_counts)
            && let Some(last) = joined.take_last_script()
        {
            self.peeked.push_front(Ok(Some(last)));
        }
        let mut joined = joined.split_single()?;
        joined.listen();
        Ok(joined)
    }

    async fn alone(&mut self, number: &mut u64, item: Item, items: &mut dyn FlightSource) -> Result<(), DbError> {
        let landed = self.take(item, items).await?;
        self.landed(*number, landed);
        *number += 1;
        Ok(())
    }

    /// Sends several items in one message. `number` is that of the first, and then of the first that has not landed.
    async fn together(&mut self, number: &mut u64, joined: Joined) -> Result<(), DbError> {
        self.wire.send_several(joined.sql.clone().into()).await?;
        let heard = self.hear(number, &joined).await;
        // What is left of the answer. Where it does not come, what has landed has landed, and whatever is sent next says so.
        let _ = self.wire.drain().await;
        match heard {
            Err(Unheard::Script { sql, error }) => Err(self.explained(*error, sql).await),
            Err(Unheard::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    async fn hear<'j>(&mut self, number: &mut u64, joined: &'j Joined) -> Result<(), Unheard<'j>> {
        if let Event::Failed(said) = self.wire.event().await? {
            return Err(error::of_server(said).into());
        }
        let mut more = true;
        for member in &joined.members {
            let mut landed = Landed::default();
            let mut warnings = 0;
            for (index, statement) in member.statements.iter().enumerate() {
                if !more {
                    // A request to cancel that came between two statements ends them without an error.
                    let ended = if self.shared.is_asked() { cancelled() } else { statements::unanswered() };
                    return Err(ended.into());
                }
                let keeps = matches!(member.item, Item::Bound { .. } | Item::Seldom { .. }) || index > 0;
                let result = match statements::next_result(self.wire, keeps).await {
                    Ok(result) => result,
                    Err(Failure::Ours(error)) => return Err(error.into()),
                    Err(Failure::Server(said)) => {
                        let error = joined.error(statement, said);
                        return Err(match &member.item {
                            Item::Script(sql) if index == 0 => Unheard::Script { sql, error: Box::new(error) },
                            _ => error.into(),
                        });
                    }
                };
                more = result.more;
                let success = result.answer.success;
                match &member.item {
                    Item::Bound { sql, .. } | Item::Seldom { sql, .. } => {
                        landed.affected = affected(sql, success.affected, !result.answer.rows.is_empty());
                        landed.rows = result.answer.rows;
                        if let Some(error) = result.unread {
                            return Err(error.into());
                        }
                    }
                    Item::Script(sql) if index == 0 => {
                        landed.affected = affected(sql, success.affected, false);
                        warnings = success.warnings;
                    }
                    Item::Script(_) if warnings > 0 => {
                        diagnostics::tell_rows(&result.answer.rows, warnings, self.observer);
                    }
                    _ => {}
                }
            }
            match member.item {
                Item::Begin | Item::BeginGuarded | Item::BeginAhead => self.bracketed = true,
                Item::Commit | Item::Rollback => self.bracketed = false,
                _ => {}
            }
            self.landed(*number, landed);
            *number += 1;
        }
        Ok(())
    }

    fn landed(&mut self, item: u64, landed: Landed) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.last);
        self.last = now;
        self.observer.landed(item, Landed { elapsed, ..landed });
    }

    /// Rolls back what is open. An error does not say whether something is, so it is always done.
    async fn give_up(&mut self) {
        if !self.wire.is_lost() {
            // Where this fails the connection is gone, and the transaction with it.
            let _ = undisturbed(self.wire, ROLLBACK).await;
        }
    }

    async fn take(&mut self, item: Item, items: &mut dyn FlightSource) -> Result<Landed, DbError> {
        match item {
            Item::Begin | Item::BeginGuarded | Item::BeginAhead => {
                self.wire.command(BEGIN).await?;
                self.bracketed = true;
            }
            Item::Commit => {
                self.wire.command(COMMIT).await?;
                self.bracketed = false;
            }
            Item::Rollback => {
                self.wire.command(ROLLBACK).await?;
                self.bracketed = false;
            }
            Item::Await => {}
            Item::Script(sql) => return self.script(sql, items).await,
            Item::Control(sql) => self.control(&sql).await?,
            Item::Bound { sql, parameters } | Item::Seldom { sql, parameters, .. } => {
                let answer = self.kept.statements.run(self.wire, &sql, &parameters).await?;
                let affected = affected(&sql, answer.success.affected, !answer.rows.is_empty());
                return Ok(Landed { rows: answer.rows, affected, ..Landed::default() });
            }
            Item::CopyStart(_) | Item::CopyData(_) | Item::CopyEnd => {
                return Err(DbError::new(DbErrorKind::Statement, "COPY is PostgreSQL's; MySQL has no such statement")
                    .hint("load the rows with INSERT statements on MySQL"));
            }
        }
        Ok(Landed::default())
    }

    async fn script(&mut self, sql: String, items: &mut dyn FlightSource) -> Result<Landed, DbError> {
        let text = Bytes::from(sql);
        let ran = self.wire.run(text.clone()).await;
        let text = std::str::from_utf8(&text).unwrap_or_default();
        match ran {
            Ok(success) => {
                self.kept.traces.note(text);
                if success.warnings > 0 {
                    let readable = !self.peek(items).is_some_and(diagnostics::asks_for_counts);
                    diagnostics::tell(self.wire, success.warnings, readable, self.observer).await?;
                }
                if self.bracketed && !self.wire.in_transaction() {
                    return Err(error::committed_by_itself());
                }
                Ok(Landed { affected: affected(text, success.affected, false), ..Landed::default() })
            }
            Err(Failure::Ours(error)) => Err(error),
            Err(Failure::Server(said)) => Err(self.explained(error::of_statement(said, text), text).await),
        }
    }

    /// The error of a statement of a user's, with all that the server says about it, and what it did to the transaction.
    async fn explained(&mut self, mut error: DbError, sql: &str) -> DbError {
        error.detail = diagnostics::more(self.wire, &error).await;
        if self.bracketed && self.is_over().await {
            let ending = error::ending(first_word(Engine::Mysql, sql), &error, self.kept.rolls_back_on_timeout);
            error = error::with_ending(error, ending);
        }
        error
    }

    /// True where no transaction is open any more. An error does not say so itself.
    async fn is_over(&mut self) -> bool {
        // A cancel that came late may hit this instead of the statement that it was meant for.
        self.wire.ping().await.is_ok() && !self.wire.in_transaction()
    }

    fn peek(&mut self, items: &mut dyn FlightSource) -> Option<&str> {
        if self.peeked.is_empty() {
            self.peeked.push_back(items.next());
        }
        match self.peeked.front() {
            Some(Ok(Some(Item::Script(sql)))) => Some(sql),
            _ => None,
        }
    }

    /// Statements of limosa's own, one after the other.
    async fn control(&mut self, sql: &str) -> Result<(), DbError> {
        let pieces = limosa_sql::split(Engine::Mysql, "", sql.as_bytes())
            .map_err(|wrong| DbError::new(DbErrorKind::Statement, wrong.message))?;
        for piece in pieces.iter().filter(|piece| !piece.statement().is_empty()) {
            let statement = piece.statement();
            self.wire.run(Bytes::copy_from_slice(statement.as_bytes())).await.map_err(|failure| match failure {
                Failure::Server(said) => {
                    let mut error = error::of_statement(said, statement);
                    let begin = usize::try_from(piece.body_start()).unwrap_or_default();
                    error.position = error.position.map(|position| begin + position);
                    error
                }
                Failure::Ours(error) => error,
            })?;
        }
        Ok(())
    }
}

/// The number of rows, where it means something.
fn affected(sql: &str, count: u64, has_rows: bool) -> Option<u64> {
    let word = first_word(Engine::Mysql, sql);
    let counts = COUNTING.iter().any(|verb| word.eq_ignore_ascii_case(verb));
    (!has_rows && (counts || count > 0)).then_some(count)
}
