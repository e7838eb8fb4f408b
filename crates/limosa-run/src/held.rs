//! What is told of steps that share a transaction waits until they are done: where it is taken back, they run again one by one.

use crate::feed::{SharedLog, lock};
use crate::{Context, Event};

/// Events that wait, with the numbers of their steps, in order.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// They wait.
    pub(crate) waits: bool,
    events: Vec<(usize, Event)>,
}

impl Held {
    /// Takes those out that belong to a step.
    pub(crate) fn of(&mut self, step: usize) -> Vec<Event> {
        let (found, rest) = std::mem::take(&mut self.events).into_iter().partition(|(number, _)| *number == step);
        self.events = rest;
        let found: Vec<(usize, Event)> = found;
        found.into_iter().map(|(_, event)| event).collect()
    }
}

/// Tells an event of a step, now or later.
pub(crate) fn tell(context: &Context<'_>, log: &SharedLog, step: usize, event: Event) {
    {
        let mut log = lock(log);
        if log.held.waits {
            log.held.events.push((step, event));
            return;
        }
    }
    context.events.event(event);
}
