//! Transactions that are committed several at once.
//!
//! A commit waits for the disk four or five times, which takes longer than most migrations. Where transactions follow each other without
//! an answer in between, those of a few hundredths of a second are run as one: a COMMIT is put off, the BEGIN behind it is left out, and
//! none of them is told to have ended before the one commit that ends them all. What stands after a failure is what would stand had each
//! been committed by itself: all is rolled back, those that were complete are run again, one by one, and the one that failed is not.
//!
//! Nobody can tell the difference, as long as no statement takes long (others would wait for the lock, and what ran before it would be
//! told late), and as long as nothing is put off to a commit. So it is done in small databases only, never with what
//! [`Rules::stands_alone`], and a statement that takes longer than [`LONG`] is stopped and runs again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use limosa_sql::Engine;
use rusqlite::Connection;

use super::worker::Event;
use crate::Item;
use crate::engines::first_word::first_word;

/// A database of more bytes has statements that take long.
const SMALL: i64 = 64 << 20;

/// How long commits are put off, and after which time a transaction that is not complete is not made to share any longer.
const WHILE: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_millis(100);

/// What may be held of transactions that would have to be run again.
const BYTES: usize = 1 << 20;

/// When the statement that runs is stopped, if ever. Looked at from within SQLite, on the same thread.
#[derive(Clone, Default)]
pub(super) struct Deadline(Arc<AtomicU64>);

impl Deadline {
    pub(super) fn set(&self, at: Instant) {
        let left = at.saturating_duration_since(Instant::now());
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        self.0.store(now().saturating_add(left).max(1), Ordering::Relaxed);
    }

    /// No longer; true where it had passed.
    pub(super) fn take(&self) -> bool {
        let passed = self.has_passed();
        self.0.store(0, Ordering::Relaxed);
        passed
    }

    pub(super) fn has_passed(&self) -> bool {
        let at = self.0.load(Ordering::Relaxed);
        at > 0 && now() >= at
    }
}

/// Milliseconds of a clock that does not jump.
fn now() -> u64 {
    u64::try_from(crate::monotonic_ms()).unwrap_or_default()
}

/// The transactions that are run as one.
pub(super) struct Group {
    allowed: bool,
    began: Instant,
    /// All items that ran since the last commit.
    items: Vec<Item>,
    bytes: usize,
    /// Those of them that belong to complete transactions, whose commit was put off.
    complete: usize,
    /// Those of them that were told to have landed.
    told: usize,
    /// What is told of the other complete ones, and of those behind them, once they are committed.
    untold: [Vec<Event>; 2],
    /// The BEGIN behind a commit that was put off was left out, and nothing ran since.
    left_out: bool,
}

impl Group {
    /// With nothing in it; `allowed` where commits may be put off.
    pub(super) fn new(allowed: bool) -> Self {
        Self {
            allowed,
            began: Instant::now(),
            items: Vec::new(),
            bytes: 0,
            complete: 0,
            told: 0,
            untold: Default::default(),
            left_out: false,
        }
    }

    /// True where a commit was put off.
    pub(super) fn owes(&self) -> bool {
        self.complete > 0
    }

    /// True where a commit was put off, and nothing ran since.
    pub(super) fn is_between(&self) -> bool {
        self.owes() && (self.left_out || self.items.len() == self.complete)
    }

    /// True where that would have been a BEGIN.
    pub(super) fn left_out_begin(&self) -> bool {
        self.left_out
    }

    /// True where the commit that comes next may be put off.
    pub(super) fn may_wait(&self) -> bool {
        self.allowed && self.bytes < BYTES && self.began.elapsed() < WHILE
    }

    /// No commit of it is put off.
    pub(super) fn forbid(&mut self) {
        self.allowed = false;
    }

    /// Its first transaction begins now.
    pub(super) fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// True where a transaction that is under way is better parted from those before it: it takes long, or has more text than is held.
    pub(super) fn is_long(&self) -> bool {
        self.bytes >= BYTES || self.began.elapsed() > LONG
    }

    /// When what runs of it is stopped.
    pub(super) fn deadline(&self) -> Instant {
        self.began + LONG
    }

    /// Keeps an item that ran, in case it has to run again.
    pub(super) fn ran(&mut self, item: Item) {
        self.left_out = false;
        self.bytes += match &item {
            Item::Script(text) | Item::Control(text) => text.len(),
            Item::Bound { sql, .. } | Item::Seldom { sql, .. } => sql.len(),
            _ => 0,
        };
        // A transaction that is too large is committed by itself, and parted from those that wait before it.
        if self.allowed && (self.bytes < BYTES || self.owes()) {
            self.items.push(item);
        }
    }

    /// The commit of a complete transaction is put off.
    pub(super) fn put_off(&mut self) {
        if !self.owes() {
            self.told = self.items.len();
        }
        self.items.push(Item::Commit);
        self.complete = self.items.len();
        let [complete, behind] = &mut self.untold;
        complete.append(behind);
    }

    /// The BEGIN behind it is left out.
    pub(super) fn leave_out(&mut self, begin: Item) {
        self.ran(begin);
        self.left_out = true;
    }

    /// Something to be told once the commit has taken place.
    pub(super) fn tell_later(&mut self, event: Event) {
        let [complete, behind] = &mut self.untold;
        if self.items.len() == self.complete { complete.push(event) } else { behind.push(event) }
    }

    /// What was to be told: of complete transactions, and of items behind them.
    pub(super) fn untold(&mut self) -> [Vec<Event>; 2] {
        std::mem::take(&mut self.untold)
    }

    /// The items of complete transactions with whether they are still to be told, and the items behind them.
    pub(super) fn take(&mut self) -> (Vec<(Item, bool)>, Vec<Item>) {
        let rest = self.items.split_off(self.complete);
        let complete = std::mem::take(&mut self.items).into_iter().enumerate();
        (complete.map(|(number, item)| (item, number >= self.told)).collect(), rest)
    }
}

/// What decides whether transactions of a flight may share a commit.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// They may, as far as is known.
    pub(super) possible: bool,
    /// Foreign keys are enforced. No transaction changes that.
    enforced: bool,
}

impl Rules {
    /// They never may.
    pub(super) const NEVER: Rules = Rules { possible: false, enforced: true };

    /// They may where the database is small, and none of its foreign keys is looked at by the commit alone.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Rules> {
        let is_true = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        let enforced = is_true("PRAGMA foreign_keys")?;
        let deferred = enforced && is_true("select exists (select 1 from sqlite_schema where sql like '%deferr%')")?;
        Ok(Rules { possible: is_small(connection)? && !deferred, enforced })
    }

    /// True for a statement that must share its transaction with no other: it may put off to the commit what it violates (foreign keys do
    /// so where they are declared so, and where a table that others refer to is dropped), or changes what a transaction ends or a session
    /// is.
    pub(super) fn stands_alone(self, item: &Item) -> bool {
        let (Item::Script(text) | Item::Control(text)) = item else { return false };
        let word = first_word(Engine::Sqlite, text);
        let is = |verb: &&str| word.eq_ignore_ascii_case(verb);
        let plain = ["create", "insert", "update", "delete", "replace", "with", "select", "alter", "analyze"];
        !(plain.iter().any(is) || (is(&"drop") && !self.enforced)) || self.declares(item)
    }

    /// True for a statement behind which a commit may have more to look at than before it: where the words `deferrable`, `deferred` occur
    /// in it, whatever they mean there.
    pub(super) fn declares(self, item: &Item) -> bool {
        let (Item::Script(text) | Item::Control(text)) = item else { return false };
        self.enforced && text.as_bytes().windows(6).any(|window| window.eq_ignore_ascii_case(b"deferr"))
    }
}

/// True where no statement is expected to take long.
pub(super) fn is_small(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    Ok(number("PRAGMA main.page_count")?.saturating_mul(number("PRAGMA main.page_size")?) <= SMALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(text: &str) -> [bool; 2] {
        let item = Item::Script(text.to_owned());
        [false, true].map(|enforced| Rules { possible: true, enforced }.stands_alone(&item))
    }

    #[test]
    fn plain_statements_may_share() {
        for text in [
            "create table t (id int)",
            "-- why\nINSERT INTO t VALUES (1)",
            "alter table t add column c",
            "with x as (select 1) insert into t select * from x",
        ] {
            assert_eq!(alone(text), [false, false], "{text}");
        }
        let ours = Item::Bound { sql: "drop".to_owned(), parameters: Vec::new() };
        assert!(!Rules { possible: true, enforced: true }.stands_alone(&ours));
    }

    #[test]
    fn what_ends_a_transaction_or_changes_a_session_stands_alone() {
        for text in ["PRAGMA defer_foreign_keys = on", "commit", "savepoint s", "attach 'x' as y", "reindex", ""] {
            assert_eq!(alone(text), [true, true], "{text}");
        }
    }

    #[test]
    fn what_a_commit_has_to_look_at_stands_alone_where_foreign_keys_are_enforced() {
        for text in ["drop table t", "create table c (p references t (id) DEFERRABLE INITIALLY DEFERRED)"] {
            assert_eq!(alone(text), [false, true], "{text}");
        }
    }
}
