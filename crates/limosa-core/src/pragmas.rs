//! SQLite: pragmas that have no effect inside a transaction, and what stands around them.
//!
//! What a script sets before its first other statement is set before the transaction, everything later after it. For
//! `foreign_keys` that is only right where all statements run under one value: with the wrong one, DROP TABLE deletes the rows
//! of other tables. A script that switches between its statements is run in pieces, as the sqlite3 shell would.

use limosa_sql::{Engine, ForeignKeys};

use crate::outline::{Group, GroupMode, Lifted, Outline};

const FOREIGN_KEYS: &str = "foreign_keys";

impl Outline {
    /// Pragmas that are run before the transaction, and those that are run after it.
    pub fn pragmas_around(&self) -> (Vec<&Lifted>, Vec<&Lifted>) {
        let first = (1..=self.statements).find(|number| self.works(*number)).unwrap_or(u64::MAX);
        self.lifted.iter().partition(|lifted| lifted.statement < first)
    }

    /// True where the statements run while foreign keys are enforced: as the script says, or as its session begins.
    pub fn enforces_foreign_keys(&self) -> bool {
        let (before, _) = self.pragmas_around();
        let last = before.iter().rev().find(|lifted| lifted.name == FOREIGN_KEYS);
        last.map_or(!self.foreign_keys.are_ignored(), |lifted| switches_on(lifted))
    }

    /// True for statements that are neither lifted nor the file's own BEGIN and COMMIT.
    fn works(&self, number: u64) -> bool {
        let wrapper = self.wrapped && (number == 1 || number == self.statements);
        !wrapper && self.lifted.binary_search_by_key(&number, |lifted| lifted.statement).is_err()
    }

    /// True where foreign keys are switched between statements that do something.
    fn switches_foreign_keys(&self) -> bool {
        // Inside the file's own transaction SQLite ignores them, whoever runs it.
        if self.wrapped {
            return false;
        }
        let begins_with = self.enforces_foreign_keys();
        let mut enforced = !self.foreign_keys.are_ignored();
        let mut from = 1;
        for lifted in self.lifted.iter().filter(|lifted| lifted.name == FOREIGN_KEYS) {
            let worked = (from..lifted.statement).any(|number| self.works(number));
            if worked && enforced != begins_with {
                return true;
            }
            enforced = switches_on(lifted);
            from = lifted.statement + 1;
        }
        (from..=self.statements).any(|number| self.works(number)) && enforced != begins_with
    }

    /// Gives pragmas back their place where the script cannot run in one transaction, or must not.
    pub(crate) fn settle_pragmas(&mut self, engine: Engine) {
        self.leaves_foreign_keys = self.last_outside_own();
        self.leave_in_transaction();
        let apart = !self.is_atomic() || self.switches_foreign_keys();
        if engine == Engine::Sqlite && !self.lifted.is_empty() && apart {
            self.split_at_pragmas();
        }
    }

    fn last_outside_own(&self) -> Option<bool> {
        let is_own = |number: u64| {
            let holds = |group: &&Group| (group.first..=group.last).contains(&number);
            self.wrapped || self.groups.iter().find(holds).is_some_and(|group| group.mode == GroupMode::Own)
        };
        let outside = |lifted: &&Lifted| lifted.name == FOREIGN_KEYS && !is_own(lifted.statement);
        self.lifted.iter().rev().find(outside).map(switches_on)
    }

    /// Leaves pragmas where SQLite ignores them, as the tool of the script does. A script with a transaction of its own was none that its
    /// tool ran in another one.
    fn leave_in_transaction(&mut self) {
        if self.foreign_keys != ForeignKeys::IgnoredThroughout || self.wrapped || !self.is_atomic() {
            return;
        }
        self.switches_in_vain = self.enforces_foreign_keys() || self.switches_foreign_keys();
        self.lifted.retain(|lifted| lifted.name != FOREIGN_KEYS);
    }

    /// The same script with each pragma run where it stands, outside of transactions.
    pub fn in_pieces(mut self) -> Outline {
        self.split_at_pragmas();
        self
    }

    fn split_at_pragmas(&mut self) {
        let lifted = std::mem::take(&mut self.lifted);
        let groups = std::mem::take(&mut self.groups);
        for group in groups {
            let mut first = group.first;
            if group.mode == GroupMode::Transaction {
                let within = |lifted: &&Lifted| (group.first..=group.last).contains(&lifted.statement);
                for pragma in lifted.iter().filter(within) {
                    if first < pragma.statement {
                        self.groups.push(Group { first, last: pragma.statement - 1, mode: group.mode });
                    }
                    let own = Group { first: pragma.statement, last: pragma.statement, mode: GroupMode::Alone };
                    self.groups.push(own);
                    first = pragma.statement + 1;
                }
            }
            if first <= group.last {
                self.groups.push(Group { first, last: group.last, mode: group.mode });
            }
        }
    }
}

/// What a `PRAGMA foreign_keys` sets; SQLite takes everything that it does not know for OFF.
fn switches_on(lifted: &Lifted) -> bool {
    let value = lifted.text.rsplit(['=', '(']).next().unwrap_or_default();
    let value = value.trim_matches(|letter: char| letter.is_whitespace() || "();'\"".contains(letter));
    ["on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
        || value.trim_start_matches('0').bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}
