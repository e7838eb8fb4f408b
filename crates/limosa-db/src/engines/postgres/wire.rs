//! Drives the driver: requests that were sent ahead, their answers, and the notices between them, in the server's order.
//!
//! The connection is polled by whoever waits for an answer, not by a task of its own. So a notice can be put exactly
//! between the answers around it, nothing runs when nobody waits, and a dropped session closes its socket at once.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Connection};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::answer::Answer;
use super::error;
use super::prepared::Prepared;
use super::tap::{Heard, Socket, Tap, TransactionStatus};
use crate::{DbError, Notice};

/// A TLS stream that is listened to.
pub(super) type Stream = Tap<<MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// SQLSTATE of `there is no transaction in progress`, the answer to a ROLLBACK that was sent to make sure.
const NO_TRANSACTION: &str = "25P01";

/// What came from the server.
pub(super) enum Event {
    Answer(Answer),
    Notice(Notice),
}

/// What became of a request when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// Its answer is awaited.
    UnderWay,
    /// It has ended already: it could not be sent.
    Ended,
}

/// One connection with what is under way on it.
pub(super) struct Wire {
    client: Arc<Client>,
    heard: Arc<Heard>,
    /// None once the connection has ended; only then do its requests end with an error.
    connection: Option<Box<Connection<Socket, Stream>>>,
    /// What the server said when it ended the connection.
    last_words: Option<DbError>,
    queue: FuturesOrdered<BoxFuture<'static, Answer>>,
    events: VecDeque<Event>,
    /// When something was sent last while nothing was under way, until that is answered.
    asked: Option<Instant>,
    /// The shortest time in which something was answered.
    round_trip: Duration,
    /// Outside of transactions the session changes nothing: a guarded BEGIN was sent whose transaction is not known to be committed.
    pub(super) guarded: bool,
    /// What is under way is one of many small transactions.
    pub(super) one_of_many: bool,
    /// Dropped behind the client: a connection that ends need not close its statements.
    pub(super) prepared: Prepared,
}

impl Wire {
    pub(super) fn new(client: Client, connection: Connection<Socket, Stream>, heard: Arc<Heard>) -> Wire {
        Wire {
            client: Arc::new(client),
            heard,
            connection: Some(Box::new(connection)),
            last_words: None,
            queue: FuturesOrdered::new(),
            events: VecDeque::new(),
            asked: None,
            round_trip: Duration::MAX,
            guarded: false,
            one_of_many: false,
            prepared: Prepared::default(),
        }
    }

    /// For making requests.
    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// What the driver does not tell.
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The transaction's state. Exact when nothing is under way.
    pub(super) fn status(&self) -> TransactionStatus {
        if self.is_closed() { TransactionStatus::Idle } else { self.heard.status() }
    }

    /// A setting that the server reports by itself, such as `server_version`.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.connection.as_ref()?.parameter(name)
    }

    /// True once the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_none()
    }

    /// The shortest time in which the server answered, as far as anything was asked while nothing else was under way.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Messages that are not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.queue.len()
    }

    /// True while nothing is unanswered.
    pub(super) fn is_quiet(&self) -> bool {
        self.queue.is_empty() && self.events.is_empty()
    }

    /// Sends a request. A request writes its message when it is first polled; that happens here, so requests leave in
    /// the order of these calls.
    pub(super) async fn send(&mut self, mut request: BoxFuture<'static, Answer>) -> Sending {
        if self.queue.is_empty() {
            self.asked = Some(Instant::now());
        }
        let first = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx))).await;
        match first {
            Poll::Ready(answer) => {
                // Nobody was asked.
                self.asked = None;
                self.queue.push_back(Box::pin(std::future::ready(answer)));
                Sending::Ended
            }
            Poll::Pending => {
                self.queue.push_back(request);
                Sending::UnderWay
            }
        }
    }

    /// Waits for the next answer or notice; None when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<Event> {
        if self.is_quiet() {
            return None;
        }
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// An answer or notice that has come, after moving what can be moved without waiting.
    pub(super) async fn ready(&mut self) -> Option<Event> {
        poll_fn(|cx| match self.poll_next(cx) {
            Poll::Ready(event) => Poll::Ready(event),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            self.collect_answers(cx);
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if self.queue.is_empty() {
                return Poll::Ready(None);
            }
            let Some(notice) = std::task::ready!(self.poll_connection(cx)) else {
                // The connection has ended; now all requests end.
                continue;
            };
            // The answers that came before the notice stand ready.
            self.collect_answers(cx);
            self.events.push_back(Event::Notice(notice));
        }
    }

    fn collect_answers(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(answer)) = self.queue.poll_next_unpin(cx) {
            if let Some(asked) = self.asked.take() {
                self.round_trip = self.round_trip.min(asked.elapsed());
            }
            self.events.push_back(Event::Answer(answer));
        }
    }

    /// Moves bytes. Ready with a notice, or with None when the connection has ended.
    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        loop {
            let Some(connection) = self.connection.as_mut() else {
                // Requests end by themselves; whoever polls them is woken by them.
                return if self.queue.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            };
            match std::task::ready!(connection.poll_message(cx)) {
                Some(Ok(AsyncMessage::Notice(server))) if server.code().code() != NO_TRANSACTION => {
                    return Poll::Ready(Some(error::notice(&server)));
                }
                Some(Ok(_)) => {}
                Some(Err(end)) => {
                    self.last_words.get_or_insert_with(|| error::of_driver(&end));
                    self.connection = None;
                    return Poll::Ready(None);
                }
                None => {
                    self.connection = None;
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// Runs a future that uses the client, with the connection. Notices wait for the next [`next`](Self::next).
    pub(super) async fn drive<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.poll_with(future.as_mut(), cx)).await
    }

    fn poll_with<F: Future>(&mut self, mut future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            if self.connection.is_none() {
                return Poll::Pending;
            }
            if let Some(notice) = std::task::ready!(self.poll_connection(cx)) {
                self.events.push_back(Event::Notice(notice));
            }
        }
    }

    /// Notices that came while a future was driven.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        let events = self.events.drain(..);
        events.filter_map(|event| if let Event::Notice(notice) = event { Some(notice) } else { None }).collect()
    }

    /// Forgets requests whose flight was dropped. Their answers still come and are thrown away.
    pub(super) fn forget(&mut self) {
        self.queue = FuturesOrdered::new();
        self.events.clear();
    }

    /// Gives the connection up: its stream is out of step. The server rolls back what is open.
    pub(super) fn abandon(&mut self, why: &str) {
        self.last_words.get_or_insert_with(|| error::connection_lost(why));
        self.connection = None;
    }

    /// Replaces "closed" by what the server said when it closed.
    pub(super) fn explain(&self, error: DbError) -> DbError {
        match &self.last_words {
            Some(words) if error.code.is_none() && error.kind == crate::DbErrorKind::ConnectionLost => words.clone(),
            _ => error,
        }
    }

    /// Says goodbye and waits for the socket to close.
    pub(super) async fn close(self) {
        let Wire { client, connection, queue, .. } = self;
        drop(queue);
        drop(client);
        if let Some(mut connection) = connection {
            while let Some(Ok(_)) = poll_fn(|cx| connection.poll_message(cx)).await {}
        }
    }
}
