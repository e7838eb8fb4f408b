//! Statements that run outside of transactions: written into the journal before they begin, and what a failure may have left is
//! looked up.

use limosa_core::Group;
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Session, Value, catalogue};
use limosa_sql::{Class, Effect, Engine, TransactionRule, classify};

use super::{Walk, problem, server};
use crate::attempt::{Failure, fly, new_log};
use crate::counted;
use crate::entries::{fresh_settings, reset};
use crate::feed::{Feed, GaveUp, Stretch, lock};
use crate::lock::lock_key;
use crate::placeholders::expand_statement;
use crate::reader::Numbered;
use crate::recovery;

impl Walk<'_> {
    /// Statements that run outside of transactions, one by one.
    pub(super) async fn alone(&mut self, session: &mut dyn Session, group: &Group) -> Result<(), Failure> {
        while let Some(statement) = self.ahead()?
            && statement.number <= group.last
        {
            if !self.step.outline.sends(statement.number) {
                self.leave_out(&statement)?;
                continue;
            }
            self.announce(session, &statement).await?;
            self.execute(session, &statement).await?;
            self.ran = statement.number;
            if statement.class().verb == "DISCARD ALL" {
                self.take_on_again(session).await?;
            }
            self.hasher.add(&self.hash_of(&statement));
        }
        // The next group begins with its own record of what stands.
        if group.last < self.step.outline.statements {
            self.record(session, None).await?;
        }
        Ok(())
    }

    fn hash_of(&self, statement: &Numbered) -> String {
        counted::hash_of(self.step, statement, self.run.engine, self.run.context)
    }

    fn leave_out(&mut self, statement: &Numbered) -> Result<(), Failure> {
        self.take()?;
        self.ran = statement.number;
        self.hasher.add(&self.hash_of(statement));
        Ok(())
    }

    /// DISCARD ALL gave up the lock and the role of the session.
    async fn take_on_again(&mut self, session: &mut dyn Session) -> Result<(), Failure> {
        let context = self.run.context;
        let key = lock_key(&context.ledger.names.schema, &context.ledger.project);
        let mut items = vec![Item::Control(reset(context))];
        items.extend(fresh_settings(context, self.run.engine, self.step));
        // Should another have it by now, our lease has ended, and the next record fails.
        items.push(context.ledger.plain(&sql::TRY_LOCK, vec![Value::Integer(key), Value::Boolean(false)]));
        session.send(items).await.map(|_| ()).map_err(|error| server(None, error))
    }

    /// Writes into the journal that a statement begins, what it is, and what the catalogue shows before it.
    async fn announce(&mut self, session: &mut dyn Session, statement: &Numbered) -> Result<(), Failure> {
        // What is sent counts: names may be placeholders in the file.
        let (engine, context) = (self.run.engine, self.run.context);
        let expanded =
            expand_statement(self.step, self.reader.origin(), statement, engine, context).map_err(problem)?;
        let (class, before) = if expanded.used.iter().any(|name| context.values.secret.contains(name)) {
            // The journal keeps no secrets, so a person is asked.
            (statement.class().clone(), None)
        } else {
            let class =
                if expanded.map.is_empty() { statement.class().clone() } else { classify(engine, &expanded.text) };
            let before = catalogue::before(session, &class).await.map_err(|error| server(None, error))?;
            (class, before)
        };
        let remembered = recovery::remember(&class, before, self.stood());
        let hash = self.hash_of(statement);
        self.record(session, Some((statement.number, hash, Some(remembered)))).await
    }

    async fn execute(&mut self, session: &mut dyn Session, statement: &Numbered) -> Result<(), Failure> {
        loop {
            let log = new_log();
            self.run.begin_progress(self.step, statement.number);
            let (run, step) = (self.run, self.step);
            let own_time_out = run.engine == Engine::Postgres && waits_by_design(statement.class());
            if own_time_out {
                session.send(vec![Item::Control(PUT_ASIDE.to_owned())]).await.map_err(|error| server(None, error))?;
            }
            let mut feed = Feed::new(run.context, run.engine, log.clone());
            feed.stretch(Stretch {
                is_around: false,
                step_number: self.number,
                step,
                reader: Box::new(&mut self.reader),
                from: statement.number,
                to: statement.number,
                own: false,
                replay: false,
                last: false,
                head: Vec::new(),
                awaits: false,
                closing: Box::new(|_| Vec::new()),
            });
            let flown =
                fly(session, run.context, feed, &log, &run.progress, std::slice::from_ref(step), self.number).await;
            self.keep(&log);
            let landed = lock(&log).landed > 0;
            let flown = match flown {
                // It is done; the stop shows before the next one.
                Err(Failure::GaveUp(GaveUp::Interrupted)) if landed => Ok(()),
                flown => flown,
            };
            let failure = match flown {
                // The script could not be read on behind it.
                Err(Failure::GaveUp(problem)) if landed => {
                    self.ran = statement.number;
                    self.hasher.add(&self.hash_of(statement));
                    self.record(session, None).await?;
                    return Err(Failure::GaveUp(problem));
                }
                Ok(()) if own_time_out => {
                    let taken = session.send(vec![Item::Control(TAKE_UP.to_owned())]).await;
                    return taken.map(|_| ()).map_err(|error| server(None, error));
                }
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if own_time_out && !failure.is_connection_lost() && session.settle().await.is_ok() {
                // Where this fails, the next attempt fails too.
                let _ = session.send(vec![Item::Control(TAKE_UP.to_owned())]).await;
            }
            let clean = self.note_clean_failure(session, statement, &failure).await;
            self.again(session, failure).await?;
            if !clean && self.is_done_after_all(session, statement).await? {
                return Ok(());
            }
            self.announce(session, statement).await?;
        }
    }

    /// Before another attempt at a statement that may have left something behind: the catalogue is looked at as after a death.
    /// True where the statement counts as done.
    async fn is_done_after_all(&mut self, session: &mut dyn Session, statement: &Numbered) -> Result<bool, Failure> {
        let start = recovery::recover_step(self.run, session, self.step)
            .await
            .map_err(|outcome| Failure::Unsettled(Box::new(outcome)))?;
        if start.done < statement.number {
            return Ok(false);
        }
        self.take()?;
        Ok(true)
    }

    /// A statement that the server refused, and that can leave nothing behind, is taken out of the journal again: the next
    /// run simply tries it. Where it was the first of a way back, that never began. One that may leave something (an invalid index,
    /// a procedure that committed) stays in, and the next run looks at the catalogue. True where it left nothing.
    async fn note_clean_failure(&mut self, session: &mut dyn Session, statement: &Numbered, failure: &Failure) -> bool {
        let leaves_nothing = match failure {
            Failure::GaveUp(_) | Failure::Guarded(_) => true,
            Failure::Unsettled(_) => false,
            Failure::Server { error, .. } => {
                error.kind != DbErrorKind::ConnectionLost
                    && (undone_by_error(statement.class())
                        || names_nothing(error)
                        || is_not_understood(statement.class(), error))
            }
        };
        if leaves_nothing && session.settle().await.is_ok() {
            // Where this fails, the next run asks about the statement: safe, only less comfortable.
            let _ = match self.stood() {
                Some(stood) => self.stand_as_before(session, &stood).await,
                None => self.record(session, None).await,
            };
        }
        leaves_nothing
    }
}

/// True where the server takes back all that the statement did when it gives an error.
fn undone_by_error(class: &Class) -> bool {
    match class.effect {
        Effect::CreatesDatabase { .. } | Effect::DropsDatabase { .. } | Effect::CreatesTablespace { .. } => true,
        // MariaDB drops those of several tables that it finds before it says that one is missing.
        Effect::ChangesSchema { ref changes } => changes.len() == 1,
        Effect::Unknown
        | Effect::CopyFromStdin
        | Effect::CreatesType { .. }
        | Effect::AddsEnumValue { .. }
        | Effect::SetsSession { .. }
        | Effect::SetsSeveral { .. }
        | Effect::CreatesIndex { .. }
        | Effect::DropsIndex { .. } => {
            class.transaction == TransactionRule::Either && !["CALL", "DO"].contains(&class.verb.as_str())
        }
        _ => false,
    }
}

/// True where the server did not find the table or schema that the statement itself names; a function that it called would show
/// in the context.
fn names_nothing(error: &DbError) -> bool {
    matches!(error.code.as_deref(), Some("42P01" | "3F000"))
        && error.context.is_none()
        && error.internal_query.is_none()
}

/// True where MySQL could not parse the statement itself; one that runs others may give the error of one of them.
fn is_not_understood(class: &Class, error: &DbError) -> bool {
    error.code.as_deref() == Some("1064 (42000)")
        && !["CALL", "DO"].contains(&&*class.verb)
        && !class.verb.starts_with("EXECUTE")
}

/// CONCURRENTLY waits for old transactions by design, so the lock time-out is off for it.
fn waits_by_design(class: &Class) -> bool {
    class.verb.contains("CONCURRENTLY")
}

const PUT_ASIDE: &str =
    "select set_config('limosa.lock_timeout', current_setting('lock_timeout'), false); set lock_timeout = 0";

const TAKE_UP: &str = "select set_config('lock_timeout', current_setting('limosa.lock_timeout'), false)";
