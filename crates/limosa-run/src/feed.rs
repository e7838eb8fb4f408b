//! The items of a flight, made while the script is read: what goes before the statements, the statements, what goes after.

use std::collections::{BTreeMap, VecDeque};
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use limosa_core::{AuditHead, SharedText, StatementHasher, Step};
use limosa_db::{Abort, FlightObserver, FlightSource, Item, Landed, Notice};
use limosa_sql::{Class, Diagnostic, Effect, Engine, Expanded, TransactionRule};

use crate::held::{self, Held};
use crate::notices::Notices;
use crate::placeholders::{expand_copied, expand_statement};
use crate::reader::{Numbered, Part, ScriptReader};
use crate::{Context, Event, counted, entries, starts};

/// What an item is for; kept until it lands, so that a failure can be told in the user's terms.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// Begins our transaction.
    Begin,
    /// Sets session or transaction settings.
    Settings,
    /// Proves that the lease is ours.
    Fence,
    /// A statement of the user's.
    Statement(Box<Sent>),
    /// A row of the ledger.
    Ledger,
    /// A row of another tool's ledger that is kept too.
    Kept,
    /// A table of another tool's that is made because the step uses it.
    Made,
    /// A row of the audit log.
    Audit,
    /// Checks what was put off to the commit.
    Constraints,
    /// Commits our transaction.
    Commit,
}

/// A statement of the user's as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) step: usize,
    /// It is part of a callback, which may share the transaction of the step.
    pub(crate) is_around: bool,
    /// Statements of its script.
    pub(crate) of: u64,
    pub(crate) origin: SharedText,
    pub(crate) statement: Numbered,
    pub(crate) expanded: Expanded,
}

impl Sent {
    /// The number of its step as events tell it: from 1, and 0 for what runs around steps.
    pub(crate) fn told_step(&self) -> usize {
        if self.is_around { 0 } else { self.step + 1 }
    }
}

/// What is known of a flight while it is under way.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Items that were sent and have not landed, oldest first, with their numbers.
    pub(crate) open: VecDeque<(u64, Purpose)>,
    /// Why the source gave up.
    pub(crate) gave_up: Option<GaveUp>,
    /// A COMMIT, ours or the file's, was sent.
    pub(crate) commit_sent: bool,
    /// The last row of the audit log.
    pub(crate) head: Option<AuditHead>,
    /// Statements of the flight that landed.
    pub(crate) landed: u64,
    /// What the server said, by step.
    pub(crate) notices: Notices,
    /// What is told later.
    pub(crate) held: Held,
    /// The COPY whose data is being sent.
    pub(crate) copying: Option<Box<Sent>>,
    /// Step and number of the statement whose start was told last.
    pub(crate) started: Option<(SharedText, u64)>,
    /// What the statements took that landed, by step.
    pub(crate) spent: BTreeMap<usize, Duration>,
    /// Hash over the statements of a script that have passed the feed.
    pub(crate) hasher: StatementHasher,
}

#[derive(Debug, Clone)]
pub(crate) enum GaveUp {
    Interrupted,
    Problem(Box<Diagnostic>),
}

pub(crate) type SharedLog = Arc<Mutex<Log>>;

/// Locks the log; a panic elsewhere cannot make it wrong, it only holds plain facts.
pub(crate) fn lock(log: &SharedLog) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) type Tagged = (Item, Purpose);

/// Makes the items behind a script's statements, from what is known of the flight by then.
pub(crate) type Closing<'a> = Box<dyn FnOnce(&Log) -> Vec<Tagged> + Send + 'a>;

/// Statements of one script that travel in one flight.
pub(crate) struct Stretch<'a> {
    pub(crate) step_number: usize,
    /// The script is a callback's.
    pub(crate) is_around: bool,
    pub(crate) step: &'a Step,
    pub(crate) reader: Box<dyn DerefMut<Target = ScriptReader> + Send + 'a>,
    /// First and last statement to run.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The statements are the file's own BEGIN to COMMIT.
    pub(crate) own: bool,
    /// Statements before `from` are passed over; those that set session settings are sent again.
    pub(crate) replay: bool,
    /// The script ends with this stretch: its checksum is proven before `closing` is sent.
    pub(crate) last: bool,
    /// Sent before the statements (in an own transaction: after its BEGIN and what must follow that at once).
    pub(crate) head: Vec<Tagged>,
    /// `closing` is made when all that was sent before it has landed.
    pub(crate) awaits: bool,
    /// Sent after the statements (in an own transaction: before its COMMIT).
    pub(crate) closing: Closing<'a>,
}

/// The number of a step for what runs around steps.
pub(crate) const AROUND: usize = usize::MAX;

impl<'a> Stretch<'a> {
    /// A whole script, and nothing around it.
    pub(crate) fn whole(step: &'a Step, reader: impl DerefMut<Target = ScriptReader> + Send + 'a) -> Stretch<'a> {
        Stretch {
            step_number: 0,
            is_around: false,
            step,
            reader: Box::new(reader),
            from: 1,
            to: step.outline.statements,
            own: false,
            replay: false,
            last: true,
            head: Vec::new(),
            awaits: false,
            closing: Box::new(|_| Vec::new()),
        }
    }
}

/// Where further stretches come from, one by one, when those before them have been sent.
pub(crate) type Supply<'a> = Box<dyn FnMut() -> Result<Option<Stretch<'a>>, Box<Diagnostic>> + Send + 'a>;

/// A flight's source.
pub(crate) struct Feed<'a> {
    context: &'a Context<'a>,
    engine: Engine,
    log: SharedLog,
    queue: VecDeque<Tagged>,
    stretches: VecDeque<Stretch<'a>>,
    supply: Supply<'a>,
    tail: VecDeque<Tagged>,
    opened: bool,
    sent: u64,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(context: &'a Context<'a>, engine: Engine, log: SharedLog) -> Self {
        Feed {
            context,
            engine,
            log,
            queue: VecDeque::new(),
            stretches: VecDeque::new(),
            supply: Box::new(|| Ok(None)),
            tail: VecDeque::new(),
            opened: false,
            sent: 0,
        }
    }

    /// Sent before everything else.
    pub(crate) fn first(&mut self, items: impl IntoIterator<Item = Tagged>) {
        self.queue.extend(items);
    }

    /// The transaction is open already.
    pub(crate) fn is_begun(&mut self) {
        self.queue.clear();
    }

    pub(crate) fn stretch(&mut self, stretch: Stretch<'a>) {
        self.stretches.push_back(stretch);
    }

    /// Asked when all stretches have been sent.
    pub(crate) fn supplied(&mut self, supply: Supply<'a>) {
        self.supply = supply;
    }

    /// Sent after everything else.
    pub(crate) fn last(&mut self, items: impl IntoIterator<Item = Tagged>) {
        self.tail.extend(items);
    }

    /// The items of a feed without statements.
    pub(crate) fn into_items(self) -> Vec<Item> {
        self.queue.into_iter().chain(self.tail).map(|(item, _)| item).collect()
    }

    fn give_up(&mut self, reason: GaveUp) -> Abort {
        lock(&self.log).gave_up = Some(reason);
        Abort
    }

    fn fill(&mut self) -> Result<(), Box<Diagnostic>> {
        while self.queue.is_empty() {
            let Some(stretch) = self.stretches.front_mut() else {
                if let Some(stretch) = (self.supply)()? {
                    self.stretches.push_back(stretch);
                    continue;
                }
                self.queue.append(&mut self.tail);
                return Ok(());
            };
            if !self.opened {
                self.opened = true;
                if !stretch.own {
                    begin(stretch, self.engine, self.context, &self.log, &mut self.queue)?;
                    self.queue.extend(stretch.head.drain(..));
                    continue;
                }
            }
            let more = match stretch.reader.peek()? {
                Some(Part::Statement(statement)) => statement.number <= stretch.to,
                Some(Part::CopyData(_) | Part::CopyEnd) => true,
                None => false,
            };
            if more {
                take(stretch, self.engine, self.context, &self.log, &mut self.queue)?;
                continue;
            }
            if std::mem::take(&mut stretch.awaits) {
                self.queue.push_back((Item::Await, Purpose::Settings));
                continue;
            }
            if let Some(mut stretch) = self.stretches.pop_front() {
                self.opened = false;
                if stretch.last {
                    stretch.reader.prove_unchanged()?;
                }
                if !stretch.own {
                    self.queue.extend((stretch.closing)(&lock(&self.log)));
                }
            }
        }
        Ok(())
    }
}

/// What must come before any query, so before the fence: the options of a leading BEGIN that ours replaces, and SET TRANSACTION.
fn begin(
    stretch: &mut Stretch<'_>,
    engine: Engine,
    context: &Context<'_>,
    log: &SharedLog,
    queue: &mut VecDeque<Tagged>,
) -> Result<(), Box<Diagnostic>> {
    if stretch.from != 1 {
        return Ok(());
    }
    if stretch.step.outline.wrapped {
        if engine == Engine::Postgres
            && let Some(Part::Statement(statement)) = stretch.reader.peek()?
            && let Some(options) = begin_options(statement.piece.statement())
        {
            queue.push_back((Item::Control(format!("set transaction {options}")), Purpose::Settings));
        }
        take(stretch, engine, context, log, queue)?;
    }
    while let Some(Part::Statement(statement)) = stretch.reader.peek()?
        && statement.number <= stretch.to
        && precedes_queries(statement.class())
    {
        take(stretch, engine, context, log, queue)?;
    }
    Ok(())
}

/// What the server takes before the first query of a transaction only.
pub(crate) fn precedes_queries(class: &Class) -> bool {
    let named = matches!(&class.effect, Effect::SetsSession { name }
        if ["transaction_isolation", "transaction_read_only", "transaction_deferrable"].contains(&name.as_str()));
    class.verb.starts_with("SET TRANSACTION") || (class.verb.starts_with("SET") && named)
}

/// What follows BEGIN, BEGIN WORK or START TRANSACTION, without comments.
fn begin_options(statement: &str) -> Option<String> {
    let plain = without_comments(statement);
    let mut words = plain.split_whitespace().skip(1).peekable();
    words.next_if(|word| ["work", "transaction"].contains(&word.to_ascii_lowercase().as_str()));
    let options: Vec<&str> = words.collect();
    (!options.is_empty()).then(|| options.join(" "))
}

/// A text that holds no quotes, with blanks in place of its comments, which nest in PostgreSQL.
fn without_comments(statement: &str) -> String {
    let mut plain = String::with_capacity(statement.len());
    let mut rest = statement;
    let mut depth = 0_usize;
    while let Some(first) = rest.chars().next() {
        let length = match (depth, rest.get(..2)) {
            (0, Some("--")) => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            (_, Some("/*")) => {
                depth += 1;
                2
            }
            (1.., Some("*/")) => {
                depth -= 1;
                2
            }
            (0, _) => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            _ => first.len_utf8(),
        };
        plain.push(' ');
        rest = &rest[length..];
    }
    plain
}

/// Takes the next part of a stretch and queues what it makes.
fn take(
    stretch: &mut Stretch<'_>,
    engine: Engine,
    context: &Context<'_>,
    log: &SharedLog,
    queue: &mut VecDeque<Tagged>,
) -> Result<(), Box<Diagnostic>> {
    let Some(part) = stretch.reader.next()? else { return Ok(()) };
    let statement = match part {
        Part::Statement(statement) => statement,
        // Data of a COPY that was passed over is passed over too.
        Part::CopyData(data) => {
            if queue_copies(log) {
                let data = expand_copied(stretch.step, data, engine, context)?;
                queue.push_back((Item::CopyData(data), Purpose::Settings));
            }
            return Ok(());
        }
        Part::CopyEnd => {
            if queue_copies(log) {
                let sent = lock(log).copying.take();
                let purpose = sent.map_or(Purpose::Settings, Purpose::Statement);
                queue.push_back((Item::CopyEnd, purpose));
            }
            return Ok(());
        }
    };
    let hash = counted::hash_of(stretch.step, &statement, engine, context);
    lock(log).hasher.add(&hash);
    let class = statement.class().clone();
    let outline = &stretch.step.outline;
    let unsent = !outline.sends(statement.number);
    let lifted = engine == Engine::Sqlite && outline.lifted.iter().any(|lifted| lifted.statement == statement.number);
    let passed = statement.number < stretch.from;
    let replayed = passed && stretch.replay && !class.effect.session_settings().is_empty();
    if unsent || lifted || (passed && !replayed) {
        return Ok(());
    }
    let ends_own = stretch.own && statement.number == stretch.to;
    if stretch.own && statement.number > stretch.from && !precedes_queries(&class) {
        queue.extend(stretch.head.drain(..));
    }
    if ends_own && class.transaction == TransactionRule::Commits {
        let closing = std::mem::replace(&mut stretch.closing, Box::new(|_| Vec::new()));
        queue.extend(closing(&lock(log)));
    }
    let expanded = expand_statement(stretch.step, stretch.reader.origin(), &statement, engine, context)?;
    let copies = class.effect == Effect::CopyFromStdin;
    let text = expanded.text.clone();
    let origin = stretch.reader.origin().clone();
    let sent = Box::new(Sent {
        step: stretch.step_number,
        is_around: stretch.is_around,
        of: stretch.step.outline.statements,
        origin,
        statement,
        expanded,
    });
    if copies {
        lock(log).copying = Some(sent.clone());
        queue.push_back((Item::CopyStart(text), Purpose::Statement(sent)));
    } else {
        queue.push_back((Item::Script(text), Purpose::Statement(sent)));
    }
    let again = entries::behind_reset_all(context, engine, stretch.step, &class);
    queue.extend(again.map(|item| (item, Purpose::Settings)));
    Ok(())
}

fn queue_copies(log: &SharedLog) -> bool {
    lock(log).copying.is_some()
}

impl FlightSource for Feed<'_> {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        if self.context.stop.is_asked() && !lock(&self.log).commit_sent {
            return Err(self.give_up(GaveUp::Interrupted));
        }
        if self.queue.is_empty()
            && let Err(problem) = self.fill()
        {
            return Err(self.give_up(GaveUp::Problem(problem)));
        }
        let Some((item, purpose)) = self.queue.pop_front() else { return Ok(None) };
        let mut log = lock(&self.log);
        let commits = matches!(item, Item::Commit)
            || matches!(&purpose, Purpose::Statement(sent) if sent.statement.class().transaction == TransactionRule::Commits);
        log.commit_sent = (log.commit_sent || commits) && !matches!(item, Item::BeginAhead);
        if !matches!(item, Item::CopyStart(_) | Item::CopyData(_)) {
            log.open.push_back((self.sent, purpose));
        }
        drop(log);
        starts::tell(self.context, &self.log);
        self.sent += 1;
        Ok(Some(item))
    }
}

/// What the watcher needs to know: which statement runs since when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) label: SharedText,
    pub(crate) statement: u64,
    pub(crate) since: Option<Instant>,
    pub(crate) lock_timeout: Duration,
    /// Zero for none.
    pub(crate) statement_timeout: Duration,
}

pub(crate) type SharedProgress = Arc<Mutex<Progress>>;

/// A flight's observer: tells the events, keeps the log and the progress.
pub(crate) struct Watch<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) log: SharedLog,
    pub(crate) progress: SharedProgress,
    pub(crate) steps: &'a [Step],
    pub(crate) first_step: usize,
    /// The step to which belongs what the server says outside of statements.
    pub(crate) current: usize,
}

impl Watch<'_> {
    fn step(&self, number: usize) -> Option<&Step> {
        self.steps.get(number.checked_sub(self.first_step)?)
    }

    fn moved(&self, statement: u64, step: usize) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(step) = self.step(step) {
            progress.label.clone_from(&step.label);
            progress.lock_timeout = Duration::from_millis(step.limits.lock_timeout_ms);
            progress.statement_timeout = Duration::from_millis(step.limits.statement_timeout_ms);
        }
        progress.statement = statement + 1;
        progress.since = Some(Instant::now());
    }
}

impl FlightObserver for Watch<'_> {
    fn landed(&mut self, item: u64, landed: Landed) {
        let mut log = lock(&self.log);
        let mut purpose = None;
        while log.open.front().is_some_and(|(number, _)| *number <= item) {
            purpose = log.open.pop_front().map(|(_, purpose)| purpose);
        }
        match purpose {
            Some(Purpose::Statement(sent)) => {
                log.landed += 1;
                if !sent.is_around {
                    *log.spent.entry(sent.step).or_default() += landed.elapsed;
                }
                drop(log);
                let number = sent.statement.number;
                self.moved(number, sent.step);
                let done = Event::StatementDone {
                    step: sent.told_step(),
                    number,
                    of: sent.of,
                    verb: sent.statement.class().verb.clone(),
                    rows: landed.affected,
                    elapsed: landed.elapsed,
                };
                held::tell(self.context, &self.log, sent.step, done);
            }
            Some(Purpose::Audit) => {
                if let Some(row) = landed.rows.first()
                    && let Some(sequence) = row.integer(0)
                {
                    log.head = Some(AuditHead { sequence, hash: row.text(1).unwrap_or_default() });
                }
                drop(log);
            }
            _ => drop(log),
        }
        starts::tell(self.context, &self.log);
    }

    fn notice(&mut self, notice: Notice) {
        let notice = self.context.values.hide_in_notice(notice);
        let step = {
            let mut log = lock(&self.log);
            let step = log.open.iter().find_map(|(_, purpose)| match purpose {
                Purpose::Statement(sent) => Some(sent.step),
                _ => None,
            });
            let step = step.unwrap_or(self.current);
            log.notices.push((step, notice.clone()));
            step
        };
        let label = self.step(step).map(|step| step.label.clone()).unwrap_or_default();
        held::tell(self.context, &self.log, step, Event::Notice { label, notice });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_begin() {
        for (statement, expected) in [
            ("BEGIN", None),
            ("begin work", None),
            ("START TRANSACTION", None),
            ("BEGIN -- the lot", None),
            (
                "begin /* a /* b */ c */ isolation level\n  serializable, read only",
                Some("isolation level serializable, read only"),
            ),
            ("start transaction -- x\nread write", Some("read write")),
        ] {
            assert_eq!(begin_options(statement).as_deref(), expected, "{statement}");
        }
    }
}
