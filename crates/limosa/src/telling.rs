//! The frame of every run in the stream of progress: it began, it ended.

use std::time::Instant;

use limosa_db::engine_of;
use limosa_sql::{Diagnostic, Engine};

use crate::event::{Began, Ended, Listener, Progress};
use crate::opened::{Purpose, options};
use crate::report::{AdoptAnswer, DoneAnswer, ExportAnswer, PlanAnswer, RunAnswer};
use crate::{Configuration, Failure};

/// Awaits the work of a command, and tells before and after.
pub(crate) async fn told<A: Answer>(
    configuration: &Configuration,
    command: &'static str,
    listener: &dyn Listener,
    work: impl Future<Output = Result<A, Failure>>,
) -> Result<A, Failure> {
    listener.progress(Progress::Began(began(configuration, command)));
    let start = Instant::now();
    // What a command waits for within is large, and a thread may have a small stack.
    let result = Box::pin(work).await;
    let (outcome, exit_code, error) = match &result {
        Ok(answer) => answer.end(),
        Err(failure) => ("failed", failure.exit.into(), failure.diagnostics.first()),
    };
    let notices = match &result {
        Ok(answer) => answer.notices(),
        Err(failure) => failure.diagnostics.get(1..).unwrap_or_default(),
    };
    notices.iter().cloned().for_each(|notice| listener.progress(Progress::Notice(notice)));
    let error = error.cloned();
    listener.progress(Progress::Ended(Ended { command, outcome, exit_code, error, elapsed: start.elapsed() }));
    result
}

/// An answer that says how its run ended.
pub(crate) trait Answer {
    /// Outcome, exit code, and why.
    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>);

    /// What else is worth knowing.
    fn notices(&self) -> &[Diagnostic] {
        &[]
    }
}

impl Answer for RunAnswer {
    fn notices(&self) -> &[Diagnostic] {
        &self.notices
    }

    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>) {
        (self.outcome, self.exit_code, self.error.as_ref())
    }
}

impl Answer for PlanAnswer {
    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>) {
        let error = self.executed.as_ref().and_then(|executed| executed.error.as_ref());
        (if error.is_some() { "stopped" } else { "done" }, self.exit_code, error)
    }
}

impl Answer for AdoptAnswer {
    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>) {
        (self.outcome, self.exit_code, self.errors.first())
    }
}

impl Answer for ExportAnswer {
    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>) {
        (self.outcome, self.exit_code, None)
    }
}

impl Answer for DoneAnswer {
    fn end(&self) -> (&'static str, u8, Option<&Diagnostic>) {
        ("done", self.exit_code, None)
    }
}

fn began(configuration: &Configuration, command: &'static str) -> Began {
    let engine = engine_of(configuration.database.expose()).ok();
    Began {
        command,
        project: configuration.project.clone(),
        environment: configuration.environment.clone(),
        engine,
        database: engine.and_then(|engine| database(configuration, engine)),
    }
}

/// The name that the server will say, as far as address and variables tell it.
pub(crate) fn database(configuration: &Configuration, engine: Engine) -> Option<String> {
    let options = options(configuration, Purpose::Write);
    match engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => limosa_db::engines::sqlite::describe(&options).ok(),
        #[cfg(feature = "postgres")]
        Engine::Postgres => limosa_db::engines::postgres::describe(&options).ok().map(|target| target.database),
        #[cfg(feature = "mysql")]
        Engine::Mysql => limosa_db::engines::mysql::describe(&options).ok().map(|target| target.database),
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        _ => None,
    }
}
