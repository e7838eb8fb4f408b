//! Consecutive statements that commit together.

use crate::outline::{Group, GroupMode};

/// Groups, as they grow.
#[derive(Debug, Default)]
pub(super) struct Groups {
    list: Vec<Group>,
    /// Statements without a group of their own that came before the first group: its first one, and the last.
    before: Option<(u64, u64)>,
}

impl Groups {
    /// Adds a statement to the last group, if that commits in this way, or begins a new one; true where it did that.
    pub(super) fn join_or_push(&mut self, number: u64, mode: GroupMode) -> bool {
        match self.list.last_mut() {
            Some(group) if group.mode == mode => {
                group.last = number;
                false
            }
            _ => {
                self.push(number, mode);
                true
            }
        }
    }

    /// Begins a group.
    pub(super) fn push(&mut self, number: u64, mode: GroupMode) {
        let first = self.before.take().map_or(number, |(first, _)| first);
        self.list.push(Group { first, last: number, mode });
    }

    /// True where the last group commits in this way.
    pub(super) fn ends_with(&self, mode: GroupMode) -> bool {
        self.list.last().is_some_and(|group| group.mode == mode)
    }

    /// Adds a statement that is not sent to whatever group is next to it.
    pub(super) fn attach(&mut self, number: u64) {
        match self.list.last_mut() {
            Some(group) => group.last = number,
            None => {
                let first = self.before.map_or(number, |(first, _)| first);
                self.before = Some((first, number));
            }
        }
    }

    /// Adds a group of consecutive statements.
    pub(super) fn add(&mut self, group: Group) {
        let first = self.before.take().map_or(group.first, |(first, _)| first);
        match self.list.last_mut() {
            Some(last) if last.mode == group.mode && group.mode != GroupMode::Own => last.last = group.last,
            _ => self.list.push(Group { first, ..group }),
        }
    }

    /// All groups. Statements that are not sent make one where there is no other.
    pub(super) fn finish(mut self) -> Vec<Group> {
        if let Some((first, last)) = self.before.take() {
            self.list.push(Group { first, last, mode: GroupMode::Transaction });
        }
        self.list
    }
}
