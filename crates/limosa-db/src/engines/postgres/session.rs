//! A session with one PostgreSQL database.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::cancel::{PostgresCanceller, UnderWay};
use super::connect::{self, Opened};
use super::facts::{self, Defaults};
use super::flight::{self, Flight};
use super::parameters::{Parameters, SessionKind};
use super::tap::TransactionStatus;
use super::wire::Wire;
use super::{answer, blockers, startup_options, tls};
use crate::{
    Canceller, ConnectOptions, DbError, DbErrorKind, FlightError, FlightObserver, FlightSource, Notice, ServerFacts,
    Session,
};

/// How long a farewell may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How often an idle statement is tried while late cancel requests hit it.
const PROOF_ATTEMPTS: usize = 5;

/// A session with one PostgreSQL database.
pub struct PostgresSession {
    wire: Wire,
    facts: ServerFacts,
    defaults: Defaults,
    /// A flight or command is under way; still true afterwards only if its future was dropped.
    busy: bool,
    /// What the server said while nobody listened.
    unheard: Vec<Notice>,
    canceller: PostgresCanceller,
}

impl fmt::Debug for PostgresSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PostgresSession")
            .field("facts", &self.facts)
            .field("transaction", &self.transaction())
            .finish_non_exhaustive()
    }
}

/// Opens a session and learns what the server is, in one wait after the login.
///
/// On a direct connection it also makes the server watch for a client that is gone, takes on the role, and forbids
/// writing, where the options ask for it. Through a pooler these are left to each transaction.
///
/// # Errors
/// [`Configuration`](DbErrorKind::Configuration) for parameters that make no sense,
/// [`CannotConnect`](DbErrorKind::CannotConnect), [`Authentication`](DbErrorKind::Authentication),
/// [`DatabaseMissing`](DbErrorKind::DatabaseMissing), or what the server says about the role. No error shows a password.
pub async fn connect(options: &ConnectOptions) -> Result<PostgresSession, DbError> {
    let parameters = Parameters::read(options, &|path| path.exists())?;
    connect_to(&parameters, &Defaults { role: options.role.clone(), read_only: options.read_only }).await
}

/// Opens a session by parameters that have been read.
pub(super) async fn connect_to(parameters: &Parameters, defaults: &Defaults) -> Result<PostgresSession, DbError> {
    let tls = tls::connector(&parameters.tls)?;
    // A second round takes any server where only a preferred kind was looked for.
    let rounds: &[SessionKind] = match parameters.session_kind {
        SessionKind::PreferStandby => &[SessionKind::Standby, SessionKind::Any],
        _ => std::slice::from_ref(&parameters.session_kind),
    };
    let mut failures: Vec<DbError> = Vec::new();
    for kind in rounds {
        failures.clear();
        for place in connect::order(parameters) {
            let routes = match connect::routes(parameters, &tls, &place).await {
                Ok(routes) => routes,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            for route in routes {
                let attempt = async {
                    let opened = connect::open(parameters, &place, route).await?;
                    PostgresSession::begin(opened, defaults, *kind, parameters.options.as_deref()).await
                };
                match attempt.await {
                    Ok(session) => return Ok(session),
                    // As libpq: a server that refuses the login ends the search; one that is not there, not ready or
                    // not of the wanted kind does not.
                    Err(error) if error.kind == DbErrorKind::CannotConnect => failures.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Err(together(failures))
}

/// One error for several servers that could not be reached.
fn together(mut failures: Vec<DbError>) -> DbError {
    // The addresses of one host often fail alike.
    failures.dedup();
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let messages: Vec<&str> = failures.iter().map(|error| error.message.as_str()).collect();
    DbError::new(DbErrorKind::CannotConnect, format!("none of the servers will do: {}", messages.join("; ")))
        .hint("check the hosts and ports of the URL, and target_session_attrs")
}

impl PostgresSession {
    async fn begin(
        opened: Opened,
        defaults: &Defaults,
        kind: SessionKind,
        options: Option<&str>,
    ) -> Result<PostgresSession, DbError> {
        let Opened { client, connection, heard, route, place, notices } = opened;
        let process = heard.process();
        let mut wire = Wire::new(client, connection, Arc::clone(&heard));
        let learning = facts::learn(&mut wire, process, defaults, &route.shown);
        let learnt = match connect::within(route.limit, learning).await {
            Some(learnt) => learnt?,
            None => return Err(super::refusal::silence(&place, route.limit.unwrap_or_default())),
        };
        let suits = match kind {
            SessionKind::Any | SessionKind::PreferStandby => true,
            SessionKind::ReadWrite => !learnt.standby && !learnt.default_read_only,
            SessionKind::ReadOnly => learnt.standby || learnt.default_read_only,
            SessionKind::Primary => !learnt.standby,
            SessionKind::Standby => learnt.standby,
        };
        if !suits {
            farewell(wire).await;
            let message = format!("{} is not the kind of server that target_session_attrs asks for", route.shown);
            return Err(DbError::new(DbErrorKind::CannotConnect, message));
        }
        if let Some(options) = options.filter(|_| learnt.facts.pooled) {
            startup_options::refuse_dropped(&mut wire, options).await?;
        }
        let mut unheard = notices;
        unheard.extend(learnt.notices);
        if !learnt.facts.pooled {
            wire.prepared.start();
        }
        let defaults = defaults.clone();
        let canceller = PostgresCanceller { heard, route, place, under_way: UnderWay::default() };
        Ok(PostgresSession { wire, facts: learnt.facts, defaults, busy: false, unheard, canceller })
    }

    /// The role that each transaction must take on by `SET LOCAL ROLE`. None where no role was asked for, and on a direct
    /// connection, where the session has taken it on.
    pub fn role(&self) -> Option<&str> {
        self.defaults.role.as_deref().filter(|_| self.facts.pooled)
    }

    /// Overrides what was found out about a pooler. Towards a direct connection it sets role and read-only for the
    /// session; towards a pooler it takes them back.
    ///
    /// # Errors
    /// What the server says about these settings.
    pub async fn assume_pooled(&mut self, pooled: bool) -> Result<(), DbError> {
        if pooled == self.facts.pooled {
            return Ok(());
        }
        if pooled {
            self.wire.prepared.stop();
            let dropped = self.wire.prepared.close();
            if !dropped.is_empty() {
                flight::command(&mut self.wire, &dropped).await?;
            }
            for setting in ["role", "default_transaction_read_only", "client_connection_check_interval"] {
                flight::command(&mut self.wire, &format!("reset {setting}")).await?;
            }
            self.facts.settings.clear();
        } else {
            for (sql, parameters) in facts::default_settings(&self.defaults, None) {
                let request = answer::bound(self.wire.client(), 0, sql, parameters);
                flight::own(&mut self.wire, request).await?;
            }
        }
        if !pooled {
            self.wire.prepared.start();
        }
        self.facts.pooled = pooled;
        Ok(())
    }

    /// Whether a transaction is open, as the server said in its last answer; no wait.
    pub fn transaction(&self) -> TransactionStatus {
        self.wire.status()
    }

    /// A setting that the server reports by itself, such as `server_version` or `in_hot_standby`; no wait.
    pub fn reported(&self, name: &str) -> Option<&str> {
        self.wire.parameter(name)
    }

    pub(super) fn wire_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }

    pub(super) async fn say_goodbye(self) {
        farewell(self.wire).await;
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    async fn flight(
        &mut self,
        items: &mut dyn FlightSource,
        observer: &mut dyn FlightObserver,
    ) -> Result<(), FlightError> {
        if self.busy {
            // A flight before this one was dropped in the air.
            self.settle().await.map_err(|error| FlightError::Failed { item: 0, error: Box::new(error) })?;
        }
        // A cancel request from before is not meant for this flight.
        self.canceller.under_way.wait().await;
        for notice in self.unheard.drain(..) {
            observer.notice(notice);
        }
        self.busy = true;
        let result = Flight::new(&mut self.wire, observer).run(items).await;
        self.busy = false;
        result
    }

    async fn many_transactions(&mut self, follow: bool, _together: bool) {
        self.wire.one_of_many = follow;
    }

    async fn settle(&mut self) -> Result<(), DbError> {
        if self.busy && !self.wire.is_closed() {
            self.canceller.cancel().await?;
        }
        // Requests of others must not hit what comes next.
        self.canceller.under_way.wait().await;
        if self.busy {
            self.wire.forget();
            flight::roll_back(&mut self.wire).await?;
        } else if self.transaction() != TransactionStatus::Idle {
            flight::roll_back(&mut self.wire).await?;
        }
        self.busy = false;
        let mut proof = Ok(());
        for _ in 0..PROOF_ATTEMPTS {
            proof = flight::command(&mut self.wire, "select 1").await;
            match &proof {
                Err(error) if error.kind == DbErrorKind::Cancelled => {}
                _ => break,
            }
        }
        proof
    }

    async fn blockers(&mut self, backend: &str) -> Result<Vec<crate::Blocker>, DbError> {
        let Some(pid) = backend.split(':').next().and_then(|pid| pid.parse().ok()) else { return Ok(Vec::new()) };
        let found = blockers::blockers(self, pid).await?;
        Ok(found.into_iter().map(crate::Blocker::from).collect())
    }

    fn canceller(&self) -> Box<dyn Canceller> {
        Box::new(self.canceller.clone())
    }

    async fn close(self: Box<Self>) {
        farewell(self.wire).await;
    }
}

async fn farewell(wire: Wire) {
    // A server that does not answer the farewell keeps nobody: the socket closes anyway.
    let _ = tokio::time::timeout(GOODBYE, wire.close()).await;
}
