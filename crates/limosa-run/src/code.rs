//! Steps that are code of the application: they run in one transaction with their row in the ledger, as scripts do.

use std::any::Any;
use std::error::Error;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use limosa_core::Step;
use limosa_db::{DbError, DbErrorKind, FlightError, FlightObserver, Item, Landed, Notice, Row, Session, Value};
use limosa_sql::{Class, Diagnostic, Dialect, Engine, Piece, TransactionRule, classify, split};

use crate::attempt::Failure;
use crate::conduct::{Ended, Run, empty_ended};
use crate::entries::{Marks, audit, farewell, finished, head, own_rights, settle_constraints};
use crate::feed::{AROUND, GaveUp, Purpose, Tagged};
use crate::lost::{self, Standing};
use crate::{Outcome, StepState, problem};

/// What is wrong where code fails.
pub type CodeError = Box<dyn Error + Send + Sync>;

/// A migration, or a callback, that is written in Rust.
#[async_trait]
pub trait Code: Send + Sync {
    /// Does it, in a transaction that is open already and is committed behind it together with the ledger's row (a callback has a
    /// row in the audit log only).
    ///
    /// # Errors
    /// Whatever went wrong; the transaction is rolled back then, and nothing is recorded but the failure.
    async fn run(&self, connection: Connection<'_>) -> Result<(), CodeError>;
}

/// What a closure gives that is a migration.
pub type CodeFuture<'a> = Pin<Box<dyn Future<Output = Result<(), CodeError>> + Send + 'a>>;

/// A closure that is a migration.
pub struct CodeFn<F>(pub F);

#[async_trait]
impl<F> Code for CodeFn<F>
where
    F: for<'a> Fn(Connection<'a>) -> CodeFuture<'a> + Send + Sync,
{
    async fn run(&self, connection: Connection<'_>) -> Result<(), CodeError> {
        (self.0)(connection).await
    }
}

/// The connection of a step, in its transaction.
pub struct Connection<'s> {
    session: &'s mut dyn Session,
    /// The statement that failed, and with it the transaction.
    failed: &'s Failing,
}

impl std::fmt::Debug for Connection<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Connection<'_> {
    /// The engine of the database.
    pub fn engine(&self) -> Engine {
        self.session.facts().engine()
    }

    /// Runs one statement and gives the number of rows that it changed; 0 where the engine gives none. PostgreSQL and SQLite take several
    /// in one text; the number is that of the last.
    ///
    /// # Errors
    /// What the server says. The transaction is rolled back then: the code cannot go on.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, DbError> {
        self.refuse_outside(sql)?;
        let mut counted = Counted(0);
        let items = vec![Item::Script(sql.to_owned())];
        match self.session.flight(&mut items.into_iter(), &mut counted).await {
            Ok(()) => Ok(counted.0),
            Err(FlightError::Failed { error, .. }) => {
                self.failed.by(&error);
                Err(*error)
            }
            Err(FlightError::Aborted) => Ok(0),
        }
    }

    /// Runs one statement and gives its rows. Parameters are `$1`, `$2` on PostgreSQL and MySQL, `?1`, `?2` on SQLite.
    ///
    /// # Errors
    /// As [`Connection::execute`].
    pub async fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        self.refuse_outside(sql)?;
        let rows = self.session.query(sql, parameters).await;
        rows.inspect_err(|error| self.failed.by(error))
    }

    /// Before any of it is sent: what has ended the transaction cannot be taken back.
    fn refuse_outside(&self, sql: &str) -> Result<(), DbError> {
        let refused = transactional(self.session.facts().dialect, sql);
        refused
            .map_err(|message| DbError::new(DbErrorKind::Statement, message))
            .inspect_err(|error| self.failed.by(error))
    }
}

/// How the first statement failed that did; what comes behind it fails for that reason.
#[derive(Default)]
struct Failing(Mutex<Option<DbError>>);

impl Failing {
    fn by(&self, error: &DbError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
    }

    fn take(&self) -> Option<DbError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Why a text cannot be part of our transaction: every statement of it counts, for PostgreSQL and SQLite run them all.
fn transactional(dialect: Dialect, sql: &str) -> Result<(), String> {
    fits(&classify(dialect.engine(), sql))?;
    // One statement is by far the most usual, and needs no splitter.
    if !sql.trim_end().trim_end_matches(';').contains(';') {
        return Ok(());
    }
    // What the splitter cannot read might hide anything behind it.
    let pieces = split(dialect, "code", sql.as_bytes()).map_err(|problem| problem.message)?;
    pieces.iter().filter_map(Piece::class).try_for_each(fits)
}

fn fits(class: &Class) -> Result<(), String> {
    let stays = match class.transaction {
        TransactionRule::Either => true,
        TransactionRule::Controls => class.verb != "PREPARE TRANSACTION",
        _ => false,
    };
    let why = "cannot be part of a migration in Rust, which is one transaction: put it into one in SQL";
    if stays { Ok(()) } else { Err(format!("{} {why}", class.verb)) }
}

struct Counted(u64);

impl FlightObserver for Counted {
    fn landed(&mut self, _: u64, landed: Landed) {
        self.0 = landed.affected.unwrap_or(0);
    }

    fn notice(&mut self, _: Notice) {}
}

/// Runs one step.
pub(crate) async fn run(run: &Run<'_>, session: &mut dyn Session, step: &Step, number: usize) -> Ended {
    let marks = run.marks(Duration::ZERO);
    run.begin_progress(step, 1);
    let mut ended = empty_ended();
    let Err(failure) = put_back(run, session, step, &marks, Records::Migration).await else { return ended };
    if failure.is_connection_lost() {
        let standing = lost::standing(run, step).await;
        let ours = matches!(&standing, Some(Standing::Done { mark }) if mark.as_ref() == Some(&marks.step_mark));
        ended.state = match standing {
            _ if ours => StepState::Done,
            Some(_) => StepState::RolledBack,
            None => StepState::Unknown,
        };
        if ours && number + 1 == run.plan.steps.len() {
            ended.notices.push((number, lost::nothing_left(&step.label)));
            return ended;
        }
        let (outcome, _) = run.explain(&failure, std::slice::from_ref(step), number);
        ended.outcome = Some(lost::told(outcome, &step.label, standing.as_ref()));
        return ended;
    }
    let _ = session.settle().await;
    ended.state = StepState::RolledBack;
    ended.outcome = Some(run.explain(&failure, std::slice::from_ref(step), number).0);
    ended
}

/// Runs a callback by itself.
pub(crate) async fn hook(run: &Run<'_>, session: &mut dyn Session, step: &Step) -> Result<(), Outcome> {
    let marks = run.marks(Duration::ZERO);
    run.begin_progress(step, 1);
    let done = put_back(run, session, step, &marks, Records::Callback).await;
    run.end_progress();
    let Err(failure) = done else { return Ok(()) };
    let _ = session.settle().await;
    let outcome = run.explain(&failure, std::slice::from_ref(step), AROUND).0;
    run.record_failure(session, step, &outcome, 0).await;
    Err(outcome)
}

/// What is written behind code that ended well.
#[derive(Debug, Clone, Copy)]
enum Records {
    /// The ledger's row, and one of the audit log.
    Migration,
    /// A row of the audit log.
    Callback,
}

impl Records {
    fn items(self, run: &Run<'_>, step: &Step, marks: &Marks) -> Vec<Item> {
        let (context, engine) = (run.context, run.engine);
        let mut items: Vec<Tagged> = settle_constraints(engine).into_iter().collect();
        match self {
            Records::Migration => items.extend(finished(context, engine, step, marks, false)),
            Records::Callback => {
                items.extend(own_rights(context, engine, step));
                items.extend(audit(context, step, marks, "done", serde_json::json!({"callback": true})));
            }
        }
        items.extend(farewell(context, engine, step));
        items.into_iter().map(|(item, _)| item).chain([Item::Commit]).collect()
    }
}

/// Where settings are no part of the transaction, those of the code go behind it; elsewhere within it ([`farewell`]).
async fn put_back(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    marks: &Marks,
    records: Records,
) -> Result<(), Failure> {
    if run.engine == Engine::Postgres {
        return once(run, session, step, marks, records).await;
    }
    let mark = session.remember_settings().await.map_err(|error| Failure::server(Purpose::Settings, error))?;
    let result = once(run, session, step, marks, records).await;
    if result.is_err() {
        let _ = session.settle().await;
    }
    // A session that is broken shows at the next statement.
    let _ = session.restore_settings(mark).await;
    result
}

async fn once(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    marks: &Marks,
    records: Records,
) -> Result<(), Failure> {
    let (context, engine) = (run.context, run.engine);
    let Some(code) = context.code.get(&step.identity) else {
        return Err(wrong(step, "this application has no code for it", "run the application that brought it"));
    };
    let mut items = vec![Item::Begin];
    items.extend(head(context, engine, step, marks, true).into_iter().map(|(item, _)| item));
    // The ledger's row proves on the other engines that the transaction is still the one that was begun.
    let mark = |text: &str| (engine == Engine::Sqlite).then(|| Item::Control(text.to_owned()));
    items.extend(mark("savepoint limosa_step"));
    session.send(items).await.map_err(|error| Failure::server(Purpose::Fence, error))?;
    let failed = Failing::default();
    let connection = Connection { session: &mut *session, failed: &failed };
    let ran = tokio::select! {
        ran = unpanicked(code.run(connection)) => ran,
        () = context.stop.asked() => return Err(Failure::GaveUp(GaveUp::Interrupted)),
    };
    match ran {
        Ok(Ok(())) if failed.take().is_some() => {
            let what = "a statement failed, which ended the transaction, and the code went on";
            return Err(wrong(step, what, "let the code give the error back; its transaction was rolled back"));
        }
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let words = context.values.hide_in_words(chain(error.as_ref()));
            return Err(by_statement(step, &words, failed.take().as_ref()));
        }
        Err(panic) => {
            let words = context.values.hide_in_words(format!("it panicked: {panic}"));
            return Err(wrong(step, &words, "its transaction was rolled back; mend the code, and run again"));
        }
    }
    if let Some(release) = mark("release limosa_step")
        && session.send(vec![release]).await.is_err()
    {
        return Err(wrong(
            step,
            "it ended the transaction that limosa had opened for it",
            "leave BEGIN, COMMIT and ROLLBACK out",
        ));
    }
    let rows = session.send(records.items(run, step, marks)).await.map_err(|error| Failure::Server {
        purpose: Some(Purpose::Ledger),
        error: Box::new(error),
        commit_sent: true,
    })?;
    run.keep_head(limosa_db::ledger::audit_head(&rows));
    Ok(())
}

fn wrong(step: &Step, what: &str, help: &str) -> Failure {
    wrong_by("LIM-R015", step, what, help)
}

fn wrong_by(code: &'static str, step: &Step, what: &str, help: &str) -> Failure {
    let problem = Diagnostic::error(code, format!("{}: {what}", step.work.origin())).help(help);
    Failure::GaveUp(GaveUp::Problem(Box::new(problem)))
}

/// Code gave an error behind a statement that failed, or by itself. Where others were in the way there is nothing to mend in it, and the
/// error has the code that it has in a file.
fn by_statement(step: &Step, words: &str, error: Option<&DbError>) -> Failure {
    let rolled_back = "its transaction was rolled back";
    match error {
        Some(error) if error.is_transient() => {
            let hint = problem::own_hint(error).map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
            wrong_by(problem::code_for(error.kind), step, words, &format!("{hint}{rolled_back}; run again"))
        }
        Some(error) if error.kind == DbErrorKind::ConnectionLost => {
            wrong(step, words, &format!("the connection was lost, and {rolled_back}; run again"))
        }
        _ => wrong(step, words, &format!("{rolled_back}; mend the code, and run again")),
    }
}

/// The error and its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// The result of a future, or the words of its panic.
async fn unpanicked<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = Box::pin(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(words(panic.as_ref()))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}
