//! A flight as the thread sees it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::execute::{Done, Executor};
use super::together::{Group, Rules, is_small};
use super::worker::{Ending, Event, Sent, Worker};
use crate::{DbError, DbErrorKind, Item, Landed};

/// How long the next item is waited for while a commit is put off.
const NEXT_ITEM: Duration = Duration::from_millis(2);

/// How often a transaction is parted from those before it until none is put together with others any more.
const OFTEN: u32 = 3;

/// Events on their way to the asynchronous side. To wake it costs as much as a small statement, so several go at once; nothing
/// that somebody may be waiting for stays behind.
struct Telling<'e> {
    events: &'e UnboundedSender<Vec<Event>>,
    held: Vec<Event>,
    ran: usize,
}

impl Telling<'_> {
    fn send(&mut self) {
        if self.ran > 0 {
            self.held.push(Event::Ran(std::mem::take(&mut self.ran)));
        }
        if !self.held.is_empty() {
            let _ = self.events.send(std::mem::take(&mut self.held));
        }
    }

    fn last(&mut self, event: Event) {
        self.held.push(event);
        self.send();
    }
}

/// A flight that is under way.
struct Flying<'w, 'e> {
    worker: &'w Worker,
    telling: Telling<'e>,
    rules: Rules,
    group: Group,
    /// How often a transaction had to be parted from those before it.
    parted: u32,
    /// When the item before ended.
    last: Instant,
}

impl Worker {
    /// Runs items as they come until the end, a failure, or `abandoned`; rolls back where it must.
    pub(super) fn flight(&self, items: &Receiver<Sent>, events: &UnboundedSender<Vec<Event>>, abandoned: &AtomicBool) {
        let looked = self.together.get().then(|| Rules::of(&self.connection).ok()).flatten();
        let rules = looked.unwrap_or(Rules::NEVER);
        let telling = Telling { events, held: Vec::new(), ran: 0 };
        let group = Group::new(rules.possible);
        let mut flying = Flying { worker: self, telling, rules, group, parted: 0, last: Instant::now() };
        let ending = loop {
            let sent = items.try_recv().or_else(|_: TryRecvError| flying.wait_for(items));
            let went_on = match sent {
                Ok(Sent::Item(item)) if !abandoned.load(Ordering::SeqCst) => flying.item(item),
                Ok(Sent::End(ending)) => break Some(ending),
                Err(RecvTimeoutError::Timeout) => flying.commit_between(),
                // The asynchronous side is gone.
                Ok(Sent::Item(_)) | Err(RecvTimeoutError::Disconnected) => break None,
            };
            if went_on.is_break() {
                return;
            }
        };
        let _ = flying.end(ending);
    }
}

impl Flying<'_, '_> {
    fn executor(&self) -> Executor<'_> {
        self.worker.executor()
    }

    /// The next item, with nothing kept from those who wait. A commit that was put off does not wait long.
    fn wait_for(&mut self, items: &Receiver<Sent>) -> Result<Sent, RecvTimeoutError> {
        self.telling.send();
        if self.group.is_between() {
            return items.recv_timeout(NEXT_ITEM);
        }
        items.recv().map_err(|_| RecvTimeoutError::Disconnected)
    }

    fn item(&mut self, item: Item) -> ControlFlow<()> {
        if matches!(item, Item::Commit) && self.group.may_wait() && !self.worker.connection.is_autocommit() {
            self.group.put_off();
            return self.landed_later();
        }
        let alone = self.rules.stands_alone(&item);
        if self.group.owes() {
            if matches!(item, Item::Begin | Item::BeginGuarded | Item::BeginAhead) {
                self.group.leave_out(item);
                return self.landed_later();
            }
            let is_outside = self.group.is_between() && !self.group.left_out_begin();
            if is_outside || (alone && self.group.is_between()) {
                self.commit_between()?;
            } else if alone || (matches!(item, Item::Script(_)) && self.group.is_long()) {
                self.part()?;
            }
        }
        if alone {
            self.group.forbid();
            // What it declares is there from now on.
            self.rules.possible &= !self.rules.declares(&item);
        }
        self.run(item)
    }

    /// Nothing was done for an item: it lands with the commit that was put off.
    fn landed_later(&mut self) -> ControlFlow<()> {
        self.telling.ran += 1;
        let elapsed = self.since_last();
        self.group.tell_later(Event::Landed(Landed { elapsed, ..Landed::default() }));
        ControlFlow::Continue(())
    }

    /// Runs an item, keeps it, and tells of it as soon as that may be.
    fn run(&mut self, item: Item) -> ControlFlow<()> {
        // A statement of the user's may take long: what came before it is known meanwhile.
        if matches!(item, Item::Script(_)) {
            self.telling.send();
        }
        if self.group.owes() {
            self.worker.deadline.set(self.group.deadline());
        }
        let ran = self.executor().run(&item);
        let late = self.worker.deadline.take();
        let done = match ran {
            Ok(done) => done,
            // It was stopped, by nobody who waits.
            Err(error)
                if late && error.kind == DbErrorKind::Cancelled && !self.worker.cancelled.load(Ordering::SeqCst) =>
            {
                self.part()?;
                return self.run(item);
            }
            Err(error) => return self.failed(error),
        };
        self.telling.ran += 1;
        let events = self.events_of(done);
        match item {
            Item::Commit => {
                self.tell_untold();
                self.telling.held.extend(events);
                self.begin_group();
                self.telling.send();
                return ControlFlow::Continue(());
            }
            Item::Begin | Item::BeginGuarded | Item::BeginAhead => self.group.begin(),
            _ => {}
        }
        self.group.ran(item);
        if self.group.owes() {
            events.for_each(|event| self.group.tell_later(event));
        } else {
            self.telling.held.extend(events);
        }
        ControlFlow::Continue(())
    }

    fn events_of(&mut self, done: Done) -> impl Iterator<Item = Event> + use<> {
        let landed = Landed { rows: done.rows, affected: done.affected, elapsed: self.since_last() };
        done.notice.map(Event::Notice).into_iter().chain([Event::Landed(landed)])
    }

    fn since_last(&mut self) -> Duration {
        let now = Instant::now();
        let elapsed = now - self.last;
        self.last = now;
        elapsed
    }

    fn tell_untold(&mut self) {
        self.group.untold().into_iter().for_each(|events| self.telling.held.extend(events));
    }

    /// What comes next may share its commit, where the database is still small.
    fn begin_group(&mut self) {
        self.group = Group::new(self.rules.possible && is_small(&self.worker.connection).unwrap_or(false));
    }

    /// Commits what was put off, where nothing of the next transaction has run, and begins that one where it was to begin.
    fn commit_between(&mut self) -> ControlFlow<()> {
        let begin = self.group.left_out_begin();
        let committed = self.unstopped(|flying| flying.executor().run(&Item::Commit));
        if committed.is_ok() {
            self.tell_untold();
        } else {
            // Where it fails again, it is known which one it is.
            let [_, behind] = self.group.untold();
            self.again()?;
            self.telling.held.extend(behind);
        }
        self.begin_group();
        self.telling.send();
        if begin {
            if let Err(error) = self.executor().run(&Item::BeginAhead) {
                return self.failed(error);
            }
            self.group.begin();
            self.group.ran(Item::BeginAhead);
        }
        ControlFlow::Continue(())
    }

    /// Does something for transactions that are complete: a request to stop comes too late for them, and is heard behind them.
    fn unstopped<T>(&mut self, does: impl FnOnce(&mut Self) -> T) -> T {
        let cancelled = self.worker.cancelled.swap(false, Ordering::SeqCst);
        let done = does(self);
        self.worker.cancelled.fetch_or(cancelled, Ordering::SeqCst);
        done
    }

    /// Lets the transaction that is under way go on by itself. Where that happens again and again, nothing is won.
    fn part(&mut self) -> ControlFlow<()> {
        self.parted += 1;
        self.rules.possible &= self.parted < OFTEN;
        drop(self.group.untold());
        let rest = self.again()?;
        self.group = Group::new(false);
        rest.into_iter().try_for_each(|item| self.run_again(&item, true))?;
        self.telling.send();
        ControlFlow::Continue(())
    }

    /// Rolls back, runs the complete transactions again, one by one, and gives the items behind them.
    fn again(&mut self) -> ControlFlow<(), Vec<Item>> {
        if let Err(error) = self.executor().clean_up() {
            self.telling.last(Event::Failed(error));
            return ControlFlow::Break(());
        }
        let (complete, rest) = self.group.take();
        self.group = Group::new(false);
        self.unstopped(|flying| complete.into_iter().try_for_each(|(item, tells)| flying.run_again(&item, tells)))?;
        ControlFlow::Continue(rest)
    }

    fn run_again(&mut self, item: &Item, tells: bool) -> ControlFlow<()> {
        match self.executor().run(item) {
            Ok(done) => {
                let events = self.events_of(done);
                self.telling.held.extend(events.filter(|_| tells));
                ControlFlow::Continue(())
            }
            Err(error) => self.failed(error),
        }
    }

    /// An item failed: nothing stands of its transaction, and all of the complete ones before it.
    fn failed(&mut self, mut error: DbError) -> ControlFlow<()> {
        if self.group.owes() {
            let [_, behind] = self.group.untold();
            self.again()?;
            self.telling.held.extend(behind);
        } else if let Err(second) = self.executor().clean_up() {
            error.detail = Some(format!("the transaction could not be rolled back either: {second}"));
        }
        self.telling.last(Event::Failed(error));
        ControlFlow::Break(())
    }

    /// No item follows; None where nobody waits any longer.
    fn end(&mut self, ending: Option<Ending>) -> ControlFlow<()> {
        match ending {
            Some(Ending::Complete) if self.group.owes() => self.commit_between()?,
            Some(Ending::GivenUp) if self.group.owes() => {
                drop(self.group.untold());
                self.again()?;
            }
            Some(Ending::Complete) => {}
            Some(Ending::GivenUp) | None => {
                if let Err(error) = self.executor().clean_up() {
                    self.telling.last(Event::Failed(error));
                    return ControlFlow::Break(());
                }
            }
        }
        self.telling.last(Event::Ended);
        ControlFlow::Continue(())
    }
}
