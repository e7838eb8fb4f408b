//! A run on a task of its own, that a test watches, stops or kills from outside.

use std::sync::{Arc, Mutex};

use limosa::report::RunAnswer;
use limosa::{Configuration, Event, Failure, MigrateOptions, Migrator, Progress, RollbackOptions, Stop};
use limosa_testkit::eventually;
use tokio::task::JoinHandle;

use crate::place::{Home, Place, error_text, homes};

/// A migrate or rollback under way.
pub(crate) struct Running {
    task: JoinHandle<Result<RunAnswer, Failure>>,
    events: Arc<Mutex<Vec<Progress>>>,
    pub(crate) stop: Stop,
}

impl Running {
    pub(crate) fn migrate(configuration: Configuration) -> Running {
        Self::migrate_with(configuration, MigrateOptions::default())
    }

    pub(crate) fn migrate_with(configuration: Configuration, options: MigrateOptions) -> Running {
        let (events, stop) = (Arc::new(Mutex::new(Vec::new())), Stop::new());
        let (heard, asked) = (Arc::clone(&events), stop.clone());
        let task = tokio::spawn(async move {
            let listener = move |progress| heard.lock().expect("events").push(progress);
            Migrator::new(configuration).migrate(&options, &listener, asked).await
        });
        Running { task, events, stop }
    }

    pub(crate) fn rollback(configuration: Configuration, options: RollbackOptions) -> Running {
        let (events, stop) = (Arc::new(Mutex::new(Vec::new())), Stop::new());
        let (heard, asked) = (Arc::clone(&events), stop.clone());
        let task = tokio::spawn(async move {
            let listener = move |progress| heard.lock().expect("events").push(progress);
            Migrator::new(configuration).rollback(&options, &listener, asked).await
        });
        Running { task, events, stop }
    }

    /// Waits for its end.
    pub(crate) async fn end(self) -> Result<RunAnswer, Failure> {
        self.task.await.expect("the run does not panic")
    }

    /// As [`end`](Self::end), with all that was told.
    pub(crate) async fn end_with_events(self) -> (Result<RunAnswer, Failure>, Vec<Event>) {
        let events = Arc::clone(&self.events);
        let result = self.end().await;
        let events = of_runs(&events.lock().expect("events"));
        (result, events)
    }

    /// Drops it in the middle, as a killed process: its sockets close, nothing is said.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// What the run has told so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        of_runs(&self.events.lock().expect("events"))
    }

    /// Waits until it has told such an event.
    pub(crate) fn wait_for(&self, what: &str, matches: impl Fn(&Event) -> bool) {
        eventually(what, || self.events().iter().any(&matches));
    }
}

fn of_runs(all: &[Progress]) -> Vec<Event> {
    let runs = all.iter().filter_map(|progress| match progress {
        Progress::Run(event) => Some(event.clone()),
        _ => None,
    });
    runs.collect()
}

impl Home {
    pub(crate) fn start(&self) -> Running {
        Running::migrate(self.configuration())
    }

    pub(crate) fn database_handle(&self) -> &limosa_testkit::TestDatabase {
        match &self.place {
            Place::Postgres(database) => database,
            Place::Sqlite(_) | Place::Mysql(_) => panic!("this home is not on PostgreSQL"),
        }
    }

    /// The process that serves the session of a run while a statement runs whose text begins so.
    pub(crate) fn backend_running(&self, statement: &str) -> i32 {
        let sql = format!(
            "select pid from pg_stat_activity where datname = current_database() and state = 'active' \
             and pid <> pg_backend_pid() and query ilike '{}%'",
            statement.replace('\'', "''")
        );
        eventually(&format!("{statement} runs"), || !self.rows(&sql).is_empty());
        self.rows(&sql)[0].parse().expect("a process number")
    }

    /// Ends a backend as an administrator does and waits until it is gone.
    pub(crate) fn terminate(&self, pid: i32) {
        self.rows(&format!("select pg_terminate_backend({pid})::text"));
        let gone = format!("select 1 from pg_stat_activity where pid = {pid}");
        eventually("the backend is gone", || self.rows(&gone).is_empty());
    }

    /// One value.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.rows(sql).into_iter().next().unwrap_or_else(|| panic!("no row: {sql}"))
    }
}

/// One home per tested version of PostgreSQL.
pub(crate) fn postgres_homes() -> Vec<Home> {
    homes().into_iter().filter(|home| !home.is_sqlite()).collect()
}

/// The run ended well.
#[track_caller]
pub(crate) fn well(result: &Result<RunAnswer, Failure>) -> &RunAnswer {
    match result {
        Ok(answer) if answer.exit_code == 0 => answer,
        _ => panic!("it did not end well: {}", error_text(result)),
    }
}

/// The exit code of a run that ended in whatever way.
pub(crate) fn exit(result: &Result<RunAnswer, Failure>) -> u8 {
    match result {
        Ok(answer) => answer.exit_code,
        Err(failure) => failure.exit.into(),
    }
}

/// The error says all of this.
#[track_caller]
pub(crate) fn says(result: &Result<RunAnswer, Failure>, parts: &[&str]) {
    let text = error_text(result);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not said in: {text}");
    }
}

/// What the events say of each step, in their order.
pub(crate) fn told(events: &[Event]) -> Vec<String> {
    let one = |event: &Event| match event {
        Event::StepStarted { number, .. } => Some(format!("{number} begins")),
        Event::StepDone { number, .. } => Some(format!("{number} done")),
        Event::StepFailed { number, .. } => Some(format!("{number} failed")),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

/// The audit log is whole.
pub(crate) async fn audited(home: &Home) {
    assert_eq!(home.migrator().audit_verify(&[]).await.expect("it is read").exit_code, 0);
}
