//! Which statement the server is at: the first that was sent and is not answered yet.

use crate::feed::{Purpose, SharedLog, lock};
use crate::{Context, Event, held};

/// Tells the start of a statement that has become the first, once. Costs nothing but a question where nobody reads it.
pub(crate) fn tell(context: &Context<'_>, shared: &SharedLog) {
    if !context.events.wants_starts() {
        return;
    }
    let mut log = lock(shared);
    let sent = match log.open.front() {
        Some((_, Purpose::Statement(sent))) => sent,
        Some(_) => return,
        // A COPY counts as sent with the end of its data; it begins before that.
        None => match &log.copying {
            Some(sent) => sent,
            None => return,
        },
    };
    // Of two scripts in one transaction each has a first statement.
    let is_told =
        matches!(&log.started, Some((origin, number)) if (origin, *number) == (&sent.origin, sent.statement.number));
    if is_told {
        return;
    }
    let (of, step, number, origin) = (sent.step, sent.told_step(), sent.statement.number, sent.origin.clone());
    let verb = sent.statement.class().verb.clone();
    log.started = Some((origin.clone(), number));
    drop(log);
    held::tell(context, shared, of, Event::StatementStarted { step, number, verb });
}
