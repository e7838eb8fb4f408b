//! The ledger of another tool that is kept beside limosa's own: what it should say, and what is told to it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::{ForeignRow, ForeignTool, spelled};
use crate::{AppliedRow, Change, Direction, Identity, Plan, RowState};

impl ForeignTool {
    /// True where limosa can keep the tool's ledger beside its own.
    pub fn can_be_kept(self) -> bool {
        matches!(
            self,
            ForeignTool::Flyway
                | ForeignTool::GolangMigrate
                | ForeignTool::Goose
                | ForeignTool::Dbmate
                | ForeignTool::Sqlx
        )
    }
}

/// What is told to the tool with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A migration is applied: it gets a row.
    Row(ForeignRow),
    /// A migration is not applied any more: the rows of this key go.
    Gone(String),
    /// Its one row says this version from now on; without one nothing is applied any more.
    UpTo(Option<ForeignRow>),
}

/// Where the two ledgers do not agree, as the tool calls its migrations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disagreement {
    /// The tool has them as applied, limosa does not.
    pub only_there: Vec<String>,
    /// Limosa has them as applied, the tool does not.
    pub only_here: Vec<String>,
}

/// What both ledgers are compared by.
#[derive(Debug)]
pub struct Keeping<'k> {
    tool: ForeignTool,
    /// The files that the tool's ledger has a place for, with its rows for them.
    spelled: HashMap<&'k str, (&'k Change, ForeignRow)>,
    /// Identities that were taken over, with what the tool knows them by.
    keys: &'k BTreeMap<String, String>,
    /// What the tool had applied and that had no file when the database was taken over.
    missing: &'k [String],
}

/// Versions in order, with how many of the first of them are all applied: what one row for all versions can say.
struct Frontier<'k> {
    versions: Vec<(u64, Option<&'k str>, ForeignRow)>,
    standing: HashSet<&'k str>,
    whole: usize,
}

impl<'k> Keeping<'k> {
    /// Files, and what is remembered of the taking over.
    pub fn new(
        tool: ForeignTool,
        changes: &'k [Change],
        keys: &'k BTreeMap<String, String>,
        missing: &'k [String],
    ) -> Keeping<'k> {
        let of = |change: &'k Change| Some((change.identity.as_str(), (change, spelled(tool, change, None)?)));
        Keeping { tool, spelled: changes.iter().filter_map(of).collect(), keys, missing }
    }

    fn has_one_row(&self) -> bool {
        self.tool == ForeignTool::GolangMigrate
    }

    /// What the tool calls a change; None where its ledger has no place for such a one.
    pub fn key(&self, identity: &Identity) -> Option<String> {
        match self.spelled.get(identity.as_str()) {
            Some((_, row)) => Some(row.key.clone()),
            None => self.keys.get(identity.as_str()).filter(|key| !key.is_empty()).cloned(),
        }
    }

    /// Where the ledgers do not agree. What is half done may stand in the tool's or not.
    pub fn disagreement(&self, ours: &[AppliedRow], theirs: &[ForeignRow]) -> Disagreement {
        if self.has_one_row() {
            return self.of_one_row(ours, theirs);
        }
        let mut expected: BTreeMap<String, bool> = BTreeMap::new();
        for row in ours {
            let Some(key) = self.key(&row.identity) else { continue };
            // What the tool counted as applied without a row of its own, as below a baseline, has none.
            let has_none = self.keys.get(row.identity.as_str()).is_some_and(String::is_empty);
            expected.insert(key, stands_for_good(row) && !has_none);
        }
        let known: HashSet<&str> = self.missing.iter().map(String::as_str).collect();
        let there: HashSet<&str> = theirs.iter().map(|row| row.key.as_str()).collect();
        let is_new = |row: &&ForeignRow| !expected.contains_key(&row.key) && !known.contains(row.key.as_str());
        let only_there = theirs.iter().filter(is_new).map(|row| row.key.clone()).collect();
        let is_lost = |(key, must): &(&String, &bool)| **must && !there.contains(key.as_str());
        let only_here = expected.iter().filter(is_lost).map(|(key, _)| key.clone()).collect();
        Disagreement { only_there, only_here }
    }

    fn of_one_row(&self, ours: &[AppliedRow], theirs: &[ForeignRow]) -> Disagreement {
        let expected = self.frontier(ours).row().map(|row| row.key);
        let there = theirs.last().map(|row| row.key.clone());
        let number = |key: &Option<String>| key.as_deref().and_then(|key| key.parse::<u64>().ok());
        // Where a file came late, the tool has passed it over, and limosa has not.
        let is_ours = |row: &AppliedRow| stands_for_good(row) && self.key(&row.identity) == there;
        match number(&there).cmp(&number(&expected)) {
            Ordering::Equal => Disagreement::default(),
            Ordering::Greater if ours.iter().any(is_ours) => Disagreement::default(),
            Ordering::Greater => Disagreement { only_there: there.into_iter().collect(), only_here: Vec::new() },
            Ordering::Less => Disagreement { only_there: Vec::new(), only_here: expected.into_iter().collect() },
        }
    }

    /// The newest version before which nothing is missing, where one row stands for all versions up to its own.
    pub fn up_to(&self, ours: &[AppliedRow]) -> Option<ForeignRow> {
        self.frontier(ours).row()
    }

    fn frontier(&self, ours: &[AppliedRow]) -> Frontier<'k> {
        let of_file = |(identity, (_, row)): (&&'k str, &(&Change, ForeignRow))| {
            Some((row.key.parse().ok()?, Some(*identity), row.clone()))
        };
        // What has no file is the tool's own affair.
        let of_none = |key: &String| {
            let row = ForeignRow { key: key.clone(), version: Some(key.clone()), ..ForeignRow::default() };
            Some((key.parse().ok()?, None, row))
        };
        let mut versions: Vec<(u64, Option<&'k str>, ForeignRow)> = self.spelled.iter().filter_map(of_file).collect();
        versions.extend(self.missing.iter().filter_map(of_none));
        versions.sort_by_key(|(number, _, _)| *number);
        let stands = |row: &&AppliedRow| stands_for_good(row) || row.state == RowState::Reverting;
        let standing = ours.iter().filter(stands);
        let standing =
            standing.filter_map(|row| self.spelled.get_key_value(row.identity.as_str()).map(|(key, _)| *key));
        let mut frontier = Frontier { versions, standing: standing.collect(), whole: 0 };
        frontier.advance();
        frontier
    }

    /// What is told with each step of a plan. `checksum` gives what the tool would record of a change.
    ///
    /// # Errors
    /// The first that `checksum` gives.
    pub fn told<E>(
        &self,
        plan: &Plan,
        ours: &[AppliedRow],
        checksum: &mut dyn FnMut(&Change) -> Result<Option<String>, E>,
    ) -> Result<BTreeMap<Identity, Told>, E> {
        let mut frontier = self.has_one_row().then(|| self.frontier(ours));
        let mut told = BTreeMap::new();
        for step in &plan.steps {
            let applies = step.action.direction() == Direction::Apply;
            let known = self.spelled.get_key_value(step.identity.as_str());
            let what = match (&mut frontier, known) {
                (Some(frontier), Some((identity, _))) => {
                    frontier.step(identity, applies);
                    Told::UpTo(frontier.row())
                }
                (Some(_), None) => continue,
                (None, Some((_, (change, row)))) if applies => {
                    Told::Row(ForeignRow { checksum: checksum(change)?, ..row.clone() })
                }
                (None, _) if applies => continue,
                (None, _) => match self.key(&step.identity) {
                    Some(key) => Told::Gone(key),
                    None => continue,
                },
            };
            told.insert(step.identity.clone(), what);
        }
        Ok(told)
    }
}

fn stands_for_good(row: &AppliedRow) -> bool {
    matches!(row.state, RowState::Applied | RowState::Baseline)
}

impl<'k> Frontier<'k> {
    fn advance(&mut self) {
        let stands = |identity: &Option<&str>| identity.is_none_or(|identity| self.standing.contains(identity));
        let more = self.versions[self.whole..].iter().take_while(|(_, identity, _)| stands(identity)).count();
        self.whole += more;
    }

    fn step(&mut self, identity: &'k str, applies: bool) {
        if applies {
            self.standing.insert(identity);
            self.advance();
            return;
        }
        self.standing.remove(identity);
        let place = self.versions.iter().position(|(_, own, _)| *own == Some(identity));
        self.whole = self.whole.min(place.unwrap_or(self.whole));
    }

    fn row(&self) -> Option<ForeignRow> {
        self.versions[..self.whole].last().map(|(_, _, row)| row.clone())
    }
}
