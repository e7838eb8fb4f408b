//! A session with one MySQL or MariaDB database.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::blockers;
use super::cancel::{MysqlCanceller, Shared, undisturbed};
use super::connect::{Route, within};
use super::facts;
use super::flight::{Flight, Kept, ROLLBACK};
use super::parameters::{Files, Parameters};
use super::settings::{self, Settings};
use super::wire::Wire;
use crate::remembered::Remembered;
use crate::{
    Blocker, Canceller, ConnectOptions, DbError, FlightError, FlightObserver, FlightSource, Notice, ServerFacts,
    Session, SettingsMark,
};

/// How long a farewell may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a statement that was killed is waited for before it is killed again: the first time it may not have begun.
const AGAIN: Duration = Duration::from_secs(1);

/// A session with one MySQL or MariaDB database.
pub struct MysqlSession {
    wire: Wire,
    kept: Kept,
    facts: ServerFacts,
    remembered: Remembered<Settings>,
    unsettable: BTreeSet<String>,
    /// A flight is under way; still true afterwards only if its future was dropped.
    busy: bool,
    /// What is to be said while nobody listened.
    unheard: Vec<Notice>,
    canceller: MysqlCanceller,
}

impl fmt::Debug for MysqlSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MysqlSession")
            .field("facts", &self.facts)
            .field("in_transaction", &self.in_transaction())
            .finish_non_exhaustive()
    }
}

/// Opens a session and learns what the server is.
///
/// # Errors
/// [`Configuration`](crate::DbErrorKind::Configuration) for parameters that make no sense,
/// [`CannotConnect`](crate::DbErrorKind::CannotConnect), [`Authentication`](crate::DbErrorKind::Authentication),
/// [`DatabaseMissing`](crate::DbErrorKind::DatabaseMissing), or what the server says about the role. No error shows a
/// password.
pub async fn connect(options: &ConnectOptions) -> Result<MysqlSession, DbError> {
    let mut parameters = Parameters::read(options, &Files)?;
    let unheard = std::mem::take(&mut parameters.notices);
    let route = Route::new(parameters)?;
    let opened = route.open(Some(&route.parameters.database)).await?;
    let mut wire = Wire::new(opened.packets, opened.status, usize::MAX);
    let shown = route.parameters.place.shown();
    let learning = facts::learn(&mut wire, opened.connection, &opened.version, options, shown);
    let learnt = match within(route.parameters.connect_timeout, learning).await {
        Some(learnt) => learnt?,
        None => return Err(route.silence()),
    };
    wire.longest = learnt.longest;
    Ok(MysqlSession {
        wire,
        kept: Kept {
            rolls_back_on_timeout: learnt.rolls_back_on_timeout,
            one_by_one: learnt.facts.pooled,
            ..Kept::default()
        },
        facts: learnt.facts,
        remembered: Remembered::default(),
        unsettable: BTreeSet::new(),
        busy: false,
        unheard,
        canceller: MysqlCanceller { route, connection: learnt.connection, shared: Arc::new(Shared::default()) },
    })
}

impl MysqlSession {
    /// Whether a transaction is open, as the server said in its last answer; no wait.
    pub fn in_transaction(&self) -> bool {
        self.wire.in_transaction()
    }

    /// Makes the session ready for what comes now, whatever was before.
    async fn be_ready(&mut self) -> Result<(), DbError> {
        // A flight before this was dropped in the air.
        if self.busy { self.settle().await } else { self.shake_off_cancels().await }
    }

    /// Cancel requests from before must not hit what comes now.
    async fn shake_off_cancels(&mut self) -> Result<(), DbError> {
        self.canceller.shared.wait().await;
        if self.canceller.shared.take_asked() {
            undisturbed(&mut self.wire, "do 0").await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Session for MysqlSession {
    fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    async fn flight(
        &mut self,
        items: &mut dyn FlightSource,
        observer: &mut dyn FlightObserver,
    ) -> Result<(), FlightError> {
        let ready = self.be_ready().await;
        ready.map_err(|error| FlightError::Failed { item: 0, error: Box::new(error) })?;
        for notice in self.unheard.drain(..) {
            observer.notice(notice);
        }
        self.busy = true;
        self.canceller.shared.set_flying(true);
        let shared = Arc::clone(&self.canceller.shared);
        let result = Flight::new(&mut self.wire, &mut self.kept, observer, &shared).run(items).await;
        self.canceller.shared.set_flying(false);
        self.busy = false;
        result
    }

    async fn settle(&mut self) -> Result<(), DbError> {
        if self.busy {
            while !self.wire.is_lost() {
                self.canceller.cancel().await?;
                if let Ok(drained) = tokio::time::timeout(AGAIN, self.wire.drain()).await {
                    drained?;
                    break;
                }
            }
            self.canceller.shared.set_flying(false);
            self.busy = false;
        }
        self.shake_off_cancels().await?;
        // In this order: UNLOCK TABLES commits.
        undisturbed(&mut self.wire, ROLLBACK).await?;
        undisturbed(&mut self.wire, "unlock tables").await
    }

    async fn blockers(&mut self, backend: &str) -> Result<Vec<Blocker>, DbError> {
        let Some(number) = backend.split(':').next().and_then(|number| number.parse().ok()) else {
            return Ok(Vec::new());
        };
        self.be_ready().await?;
        blockers::blockers(&mut self.wire, self.facts.is_mariadb(), number).await
    }

    fn canceller(&self) -> Box<dyn Canceller> {
        Box::new(self.canceller.clone())
    }

    async fn remember_settings(&mut self) -> Result<SettingsMark, DbError> {
        self.be_ready().await?;
        let settings = settings::read(&mut self.wire, self.facts.is_mariadb()).await?;
        Ok(self.remembered.keep(settings))
    }

    async fn restore_settings(&mut self, mark: SettingsMark) -> Result<(), DbError> {
        self.be_ready().await?;
        let Some(settings) = self.remembered.get(mark) else { return Ok(()) };
        let (mariadb, traces) = (self.facts.is_mariadb(), &mut self.kept.traces);
        settings.restore(&mut self.wire, mariadb, traces, &mut self.unsettable).await?;
        self.remembered.forget(mark);
        Ok(())
    }

    async fn put_back_between_files(&mut self, mark: SettingsMark) -> Result<(), DbError> {
        self.be_ready().await?;
        let Some(settings) = self.remembered.get(mark) else { return Ok(()) };
        settings.restore_between_files(&mut self.wire, self.facts.is_mariadb()).await
    }

    async fn changed_since(&mut self, mark: SettingsMark) -> Result<Vec<String>, DbError> {
        self.be_ready().await?;
        let Some(settings) = self.remembered.get(mark) else { return Ok(Vec::new()) };
        settings.changed_since(&mut self.wire, self.facts.is_mariadb()).await
    }

    fn forget_settings(&mut self, mark: SettingsMark) {
        self.remembered.forget(mark);
    }

    async fn close(self: Box<Self>) {
        // A server that does not answer the farewell keeps nobody: the socket closes anyway.
        let _ = tokio::time::timeout(GOODBYE, self.wire.close()).await;
    }
}
