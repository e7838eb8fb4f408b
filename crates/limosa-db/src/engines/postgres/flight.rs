//! Sends the items of a flight ahead of their answers, and ends cleanly whatever happens.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::answer::{self, Answer};
use super::control::{self, Control};
use super::joined::{self, Joined};
use super::prepared::{self, Form};
use super::tap::TransactionStatus;
use super::wire::{Event, Sending, Wire};
use super::{copy, error};
use crate::{Abort, DbError, DbErrorKind, FlightError, FlightObserver, FlightSource, Item, Landed, Value};

/// Bytes that may be under way without an answer. A transactional migration below this waits once.
const WINDOW: usize = 1 << 20;

/// A full window is refilled when it has emptied to this, so that a long flight waits twice a window and not at each
/// statement.
const REFILL: usize = WINDOW / 2;

/// Bytes that may be under way without an answer when another transaction is begun, by the shortest time in which the server answered: some
/// hundred small ones, enough for a server that is far away, or work for some milliseconds where it is near. Each byte under way takes four
/// of memory.
fn ahead(round_trip: Duration) -> usize {
    if is_near(round_trip) { WINDOW / 32 } else { WINDOW / 4 }
}

/// Messages that may be under way without an answer in one of many small transactions, to a server that is near: each takes some
/// thousand bytes of memory, whatever it says.
const NEAR_MESSAGES: usize = 32;

fn is_near(round_trip: Duration) -> bool {
    round_trip < Duration::from_millis(3)
}

/// Bytes that are made before the server gets to see them.
const OUT_OF_SIGHT: usize = 2 << 10;

/// How often what ends a transaction is sent when a cancel request that came late hits it.
const ATTEMPTS: usize = 5;

/// What may be sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Anything.
    Open,
    /// Nothing until everything has landed.
    Shut,
    /// Nothing until the window has emptied to [`REFILL`].
    Full,
}

/// A flight under way.
pub(super) struct Flight<'a> {
    pub(super) wire: &'a mut Wire,
    /// A transaction is open: by the server's word, or because a BEGIN that cannot fail is under way.
    open: bool,
    pub(super) observer: &'a mut dyn FlightObserver,
    gate: Gate,
    /// The last thing that was sent is a COMMIT.
    committing: bool,
    /// What ended the last transaction is a COMMIT of limosa's own.
    commits: bool,
    /// Waits for what may travel with it.
    joined: Option<Joined>,
    unanswered: usize,
    /// Bytes that were sent since the sockets were looked at.
    unseen: usize,
    last: Instant,
    failure: Option<(u64, DbError)>,
}

impl<'a> Flight<'a> {
    pub(super) fn new(wire: &'a mut Wire, observer: &'a mut dyn FlightObserver) -> Flight<'a> {
        Flight {
            open: wire.status() != TransactionStatus::Idle,
            wire,
            observer,
            gate: Gate::Open,
            committing: false,
            commits: false,
            joined: None,
            unanswered: 0,
            unseen: 0,
            last: Instant::now(),
            failure: None,
        }
    }

    /// Flies to the end.
    pub(super) async fn run(mut self, items: &mut dyn FlightSource) -> Result<(), FlightError> {
        let mut next = 0;
        let mut end = Ok(());
        while self.failure.is_none() {
            let item = match items.next() {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(Abort) => {
                    end = Err(Abort);
                    break;
                }
            };
            let number = next;
            next += 1;
            end = self.take(item, number, items, &mut next).await;
            if end.is_err() {
                break;
            }
        }
        if end.is_ok() {
            self.depart().await;
        }
        self.land_all().await;
        self.finish(end).await
    }

    /// Sends one item when its time has come.
    async fn take(
        &mut self,
        item: Item,
        number: u64,
        items: &mut dyn FlightSource,
        next: &mut u64,
    ) -> Result<(), Abort> {
        if !matches!(item, Item::Control(_) | Item::Bound { .. } | Item::Seldom { .. } | Item::Commit) {
            self.depart().await;
        }
        match item {
            Item::Begin => self.joined = Some(Joined::new(number, "BEGIN".to_owned(), 1, true)),
            Item::BeginGuarded => self.joined = Some(Joined::guarded(number)),
            Item::BeginAhead => self.begin_ahead(number).await,
            Item::Await => {
                self.land_all().await;
                if self.failure.is_none() {
                    self.landed(number, Landed::default());
                }
            }
            Item::Commit => self.commit(number).await,
            Item::Rollback => {
                self.send_plain(number, "ROLLBACK".to_owned(), Control::Ends).await;
                self.commits = false;
            }
            Item::Script(sql) => {
                self.spare_prepared(number, &sql).await;
                let control = Control::of(&sql);
                self.send_plain(number, sql, control).await;
                // Here the server gets to work on what was sent, while the next items are made.
                if self.unseen > OUT_OF_SIGHT {
                    self.land_ready().await;
                }
                if self.wire.one_of_many && self.wire.unanswered() > NEAR_MESSAGES && is_near(self.wire.round_trip()) {
                    while self.wire.unanswered() > NEAR_MESSAGES / 2 && self.failure.is_none() {
                        self.land_next().await;
                    }
                }
            }
            Item::Control(sql) => self.take_control(number, sql).await,
            Item::Bound { sql, parameters } | Item::Seldom { sql, parameters, .. } => {
                self.take_bound(number, sql, parameters).await;
            }
            Item::CopyStart(sql) => return self.copy(number, sql, items, next).await,
            Item::CopyData(_) | Item::CopyEnd => {
                let error =
                    DbError::new(DbErrorKind::Statement, "data for COPY came without a COPY statement before it");
                self.failure = Some((number, error));
            }
        }
        Ok(())
    }

    /// Commits, in one message with what of limosa's own goes right before it.
    async fn commit(&mut self, number: u64) {
        self.commits = true;
        match &mut self.joined {
            Some(joined) if !joined.opens => {
                joined.end(number);
                self.depart().await;
            }
            _ => {
                self.depart().await;
                self.send_plain(number, "COMMIT".to_owned(), Control::Ends).await;
                self.committing = true;
            }
        }
    }

    /// Begins the next transaction before the commit is answered.
    async fn begin_ahead(&mut self, number: u64) {
        // Here the server gets to work on what was sent, while the next items are made.
        self.land_ready().await;
        while self.unanswered > ahead(self.wire.round_trip()) && self.failure.is_none() && !self.wire.is_quiet() {
            self.land_next().await;
        }
        if self.committing && self.gate == Gate::Shut {
            self.gate = Gate::Open;
        }
        self.joined = Some(Joined::new(number, "BEGIN READ WRITE".to_owned(), 1, true));
    }

    /// A text of limosa's own: within a transaction it waits for the next one, unless it cannot travel with others.
    async fn take_control(&mut self, number: u64, sql: String) {
        let control = Control::of_several(&sql);
        let commands = joined::commands(&sql).filter(|_| control == Control::Nothing && !control::is_copy(&sql));
        if let (Some(joined), Some(commands)) = (&mut self.joined, commands) {
            joined.push(number, &sql, commands);
            return;
        }
        self.depart().await;
        let Some(commands) = commands else {
            return self.send_plain(number, sql, control).await;
        };
        // Only now it is known whether a transaction is open.
        if !self.may_send(answer::plain_weight(&sql)).await {
            return;
        }
        if self.open {
            self.joined = Some(Joined::new(number, sql, commands, false));
        } else {
            self.send_plain(number, sql, control).await;
        }
    }

    /// Sends the texts that were held back.
    async fn depart(&mut self) {
        let Some(joined) = self.joined.take() else { return };
        let weight = answer::plain_weight(&joined.text);
        if !self.may_send(weight).await {
            return;
        }
        let (opens, ends) = (joined.opens, joined.ends);
        self.wire.guarded |= joined.guarded;
        let request = answer::joined(self.wire.client(), joined);
        self.send(request, weight).await;
        if ends {
            self.gate = Gate::Shut;
            self.committing = true;
        } else if opens {
            // It cannot fail, so what follows can be sent at once.
            self.open = true;
        } else {
            self.shut_outside();
        }
    }

    /// Before a text that may drop prepared statements, or create some: ours are closed, and there will be no more.
    async fn spare_prepared(&mut self, number: u64, sql: &str) {
        let matters = self.wire.prepared.is_allowed() || self.wire.prepared.is_in_use();
        if !matters || !prepared::may_touch(sql) {
            return;
        }
        self.wire.prepared.stop();
        if !self.wire.prepared.is_in_use() {
            return;
        }
        // One that is being prepared can only be dropped when it is there.
        self.land_all().await;
        if self.failure.is_none() {
            let dropped = self.wire.prepared.close();
            if let Err(error) = command(self.wire, &dropped).await {
                self.failure = Some((number, error));
            }
        }
    }

    async fn send_plain(&mut self, number: u64, sql: String, control: Control) {
        let copy = control::is_copy(&sql);
        if copy && control::copies_with_client(&sql) {
            self.land_all().await;
            self.failure.get_or_insert_with(|| (number, copy::unannounced()));
            return;
        }
        if control == Control::Revives {
            // After a failure it would make the transaction usable again, and what follows would take effect.
            self.land_all().await;
        }
        let weight = answer::plain_weight(&sql);
        if !self.may_send(weight).await {
            return;
        }
        let request = answer::plain(self.wire.client(), number, sql);
        self.send(request, weight).await;
        match control {
            // It cannot fail, so what follows can be sent at once.
            Control::Opens { plain: true } => self.open = true,
            // Only the answer tells whether a transaction is open.
            Control::Opens { plain: false } | Control::Ends => self.gate = Gate::Shut,
            // Should it be a COPY with the client after all, nothing behind it may have been sent.
            Control::Nothing if copy => self.gate = Gate::Shut,
            Control::Nothing | Control::Revives => self.shut_outside(),
        }
    }

    /// A statement of limosa's own with parameters. One that the server has goes as a text among others.
    async fn take_bound(&mut self, number: u64, sql: String, parameters: Vec<Value>) {
        // Only now it is known whether a transaction is open; where texts wait, one is.
        if self.joined.is_none() && !self.may_send(answer::bound_weight(&sql, &parameters)).await {
            return;
        }
        // Outside of a transaction a failed preparing would stand beside a use that took effect.
        let form =
            if self.open || self.joined.is_some() { self.wire.prepared.form(&sql, &parameters) } else { Form::Once };
        let Form::Text { sql: text, commands } = form else {
            self.depart().await;
            return self.send_bound(number, sql, parameters).await;
        };
        // The encoding of a message is that of before it.
        let alone = !text.is_ascii();
        if alone {
            self.depart().await;
        }
        self.joined.get_or_insert_with(Joined::empty).push_bound(number, &text, commands, &sql);
        if alone {
            self.depart().await;
        }
    }

    async fn send_bound(&mut self, number: u64, sql: String, parameters: Vec<Value>) {
        let weight = answer::bound_weight(&sql, &parameters);
        if !self.may_send(weight).await {
            return;
        }
        let request = answer::bound(self.wire.client(), number, sql, parameters);
        self.shut_outside();
        self.send(request, weight).await;
    }

    async fn send(&mut self, request: BoxFuture<'static, Answer>, weight: usize) {
        self.unanswered += weight;
        self.unseen += weight;
        self.committing = false;
        if self.wire.send(request).await == Sending::Ended {
            // What could not be sent has failed, and the server does not know: nothing may follow it.
            self.gate = Gate::Shut;
        }
    }

    /// Outside a transaction each item is waited for.
    fn shut_outside(&mut self) {
        if !self.open {
            self.gate = Gate::Shut;
        }
    }

    /// Waits until a message of this size may go; false if something has failed meanwhile.
    async fn may_send(&mut self, weight: usize) -> bool {
        if self.gate == Gate::Open && self.unanswered > 0 && self.unanswered + weight > WINDOW {
            self.gate = Gate::Full;
        }
        while self.failure.is_none() && !self.wire.is_quiet() {
            match self.gate {
                Gate::Open => return true,
                Gate::Full if self.unanswered <= REFILL => break,
                Gate::Full | Gate::Shut => self.land_next().await,
            }
        }
        if self.failure.is_some() {
            return false;
        }
        if self.wire.is_quiet() {
            self.open = self.wire.status() != TransactionStatus::Idle;
        }
        self.gate = Gate::Open;
        true
    }

    /// Takes one answer or notice.
    async fn land_next(&mut self) {
        if let Some(event) = self.wire.next().await {
            self.take_event(event);
        }
    }

    /// Takes what has come, without waiting.
    async fn land_ready(&mut self) {
        // Sockets are looked at between two turns of the runtime; nothing else would end this one.
        tokio::task::yield_now().await;
        self.unseen = 0;
        while let Some(event) = self.wire.ready().await {
            self.take_event(event);
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Notice(notice) if self.failure.is_none() => self.observer.notice(notice),
            Event::Notice(_) => {}
            Event::Answer(answer) => self.land(answer),
        }
    }

    fn land(&mut self, answer: Answer) {
        let Answer { item, before, weight, outcome, out_of_step } = answer;
        self.unanswered = self.unanswered.saturating_sub(weight);
        if out_of_step {
            self.wire.abandon("the connection was given up after a COPY that nobody had announced");
        }
        if self.failure.is_some() {
            // The server answers Ok to a COMMIT behind a failure: only the first failure tells the truth.
            return;
        }
        for (item, reply) in before {
            self.landed(item, Landed { rows: reply.rows, affected: reply.affected, ..Landed::default() });
        }
        match outcome {
            Ok(reply) => self.landed(item, Landed { rows: reply.rows, affected: reply.affected, ..Landed::default() }),
            Err(error) => {
                if error.code.as_deref().is_some_and(|code| answer::STALE.contains(&code)) {
                    self.wire.prepared.stop();
                    // Which of them are there nobody knows: none is used or dropped any more.
                    let _ = self.wire.prepared.close();
                }
                self.failure = Some((item, self.wire.explain(error)));
            }
        }
    }

    fn landed(&mut self, item: u64, landed: Landed) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.last);
        self.last = now;
        self.observer.landed(item, Landed { elapsed, ..landed });
    }

    async fn land_all(&mut self) {
        while !self.wire.is_quiet() {
            self.land_next().await;
        }
        self.unanswered = 0;
        self.open = self.wire.status() != TransactionStatus::Idle;
        self.gate = Gate::Open;
    }

    /// COPY is a barrier: everything before it lands first.
    async fn copy(
        &mut self,
        number: u64,
        sql: String,
        items: &mut dyn FlightSource,
        next: &mut u64,
    ) -> Result<(), Abort> {
        self.land_all().await;
        if self.failure.is_some() {
            return Ok(());
        }
        let copied = copy::copy_in(self.wire, sql, items, next).await;
        for notice in self.wire.take_notices() {
            self.observer.notice(notice);
        }
        match copied {
            copy::End::Done { rows } => {
                // CopyEnd was the last item taken.
                self.landed(*next - 1, Landed { affected: Some(rows), ..Landed::default() });
                Ok(())
            }
            copy::End::Failed(error) => {
                self.failure = Some((number, self.wire.explain(error)));
                Ok(())
            }
            copy::End::Aborted => Err(Abort),
        }
    }

    /// Makes sure that after a failure nothing is left open.
    async fn finish(self, end: Result<(), Abort>) -> Result<(), FlightError> {
        self.wire.prepared.settle(end.is_ok() && self.failure.is_none());
        let is_idle = self.wire.status() == TransactionStatus::Idle;
        if end.is_ok() && self.failure.is_none() {
            match (is_idle, self.commits) {
                (true, true) => self.wire.guarded = false,
                (true, false) => unguard(self.wire).await,
                (false, _) => {}
            }
            return Ok(());
        }
        if is_idle {
            unguard(self.wire).await;
        } else {
            // Where this fails the connection is gone, and the transaction with it.
            let _ = roll_back(self.wire).await;
        }
        match self.failure {
            Some((item, error)) => Err(FlightError::Failed { item, error: Box::new(error) }),
            None => Err(FlightError::Aborted),
        }
    }
}

/// Ends the transaction. Where none is open the server only warns, which is not shown.
pub(super) async fn roll_back(wire: &mut Wire) -> Result<(), DbError> {
    let result = persistently(wire, "ROLLBACK").await;
    unguard(wire).await;
    result
}

/// Lets the session change something outside of transactions again, where a guard stands. Where this fails the connection is gone.
async fn unguard(wire: &mut Wire) {
    if std::mem::take(&mut wire.guarded) {
        let _ = persistently(wire, joined::UNGUARD).await;
    }
}

/// Sends it again where a request to cancel that came late hits it.
async fn persistently(wire: &mut Wire, sql: &str) -> Result<(), DbError> {
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        result = command(wire, sql).await.map(drop);
        match &result {
            Err(error) if error.kind == DbErrorKind::Cancelled => {}
            _ => break,
        }
    }
    result
}

/// Sends one statement of the session's own, waits for it, and drops its notices.
pub(super) async fn command(wire: &mut Wire, sql: &str) -> Result<(), DbError> {
    let request = answer::plain(wire.client(), 0, sql.to_owned());
    own(wire, request).await
}

/// Sends a request of the session's own, waits for it, and drops rows and notices.
pub(super) async fn own(wire: &mut Wire, request: BoxFuture<'static, Answer>) -> Result<(), DbError> {
    wire.send(request).await;
    let mut result = Err(error::connection_lost("the server closed the connection"));
    while let Some(event) = wire.next().await {
        if let Event::Answer(answer) = event {
            result = answer.outcome.map(drop);
        }
    }
    result.map_err(|error| wire.explain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_far_or_was_never_asked_gets_more_at_once() {
        let far = [Duration::from_millis(3), Duration::from_millis(200), Duration::MAX].map(ahead);
        assert!(far.iter().all(|bytes| *bytes == far[0]));
        assert!(ahead(Duration::ZERO) < far[0] && far[0] < WINDOW);
        // Several migrations all the same.
        assert!(ahead(Duration::ZERO) > 16 * 1024);
    }
}
