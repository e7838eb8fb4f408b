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
///
/// A file that comes late is no such gap: the tool has passed it over, and would run what stands behind it again were its row put back below.
struct Frontier<'k> {
    /// Up to this version the row counts whatever has no row here as passed over.
    passed: u64,
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
        let expected = self.frontier(ours, 0).row().map(|row| row.key);
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

    /// The newest version before which nothing is missing, where one row stands for all versions up to its own. `theirs` is that row as it
    /// stands: what it has passed over is not missing, but for what is taken back with this.
    pub fn up_to(&self, ours: &[AppliedRow], theirs: &[ForeignRow], taken_back: &[Identity]) -> Option<ForeignRow> {
        self.frontier(ours, self.passed(ours, theirs, taken_back)).row()
    }

    /// Files that come late with a plan, by what the tool's one row says: the tool itself passes over such in silence.
    pub fn late<'p>(&self, plan: &'p Plan, theirs: &[ForeignRow]) -> Vec<&'p str> {
        let said = theirs.last().and_then(number).filter(|_| self.has_one_row());
        let is_late = |identity: &Identity| {
            let own = self.spelled.get(identity.as_str()).and_then(|(_, row)| number(row));
            own.zip(said).is_some_and(|(own, said)| own < said)
        };
        let applied = plan.steps.iter().filter(|step| step.action.direction() == Direction::Apply);
        applied.filter(|step| is_late(&step.identity)).map(|step| step.label.as_str()).collect()
    }

    /// The version up to which the one row has passed over what has no row here; 0 where that version was taken back.
    fn passed(&self, ours: &[AppliedRow], theirs: &[ForeignRow], taken_back: &[Identity]) -> u64 {
        let Some(said) = theirs.last() else { return 0 };
        let stands = |identity: &str| ours.iter().any(|row| row.identity.as_str() == identity && stands_for_good(row));
        let of_file = self.spelled.iter().find(|(_, (_, row))| row.key == said.key);
        let is_known = match of_file {
            // What is taken back, now or since it was taken over, stood here until then.
            Some((identity, _)) => {
                let is_gone = |gone: &Identity| gone.as_str() == *identity;
                stands(identity) || self.keys.contains_key(*identity) || taken_back.iter().any(is_gone)
            }
            None => self.missing.contains(&said.key),
        };
        // What was taken over and does not stand any more was taken back since.
        let gone = self.keys.keys().map(String::as_str).filter(|identity| !stands(identity));
        let gone = gone.chain(taken_back.iter().map(Identity::as_str));
        let first_gone = gone.filter_map(|identity| number(&self.spelled.get(identity)?.1)).min();
        let said = number(said).filter(|_| is_known).unwrap_or(0);
        first_gone.map_or(said, |first| said.min(first.saturating_sub(1)))
    }

    fn frontier(&self, ours: &[AppliedRow], passed: u64) -> Frontier<'k> {
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
        let mut frontier = Frontier { passed, versions, standing: standing.collect(), whole: 0 };
        frontier.advance();
        frontier
    }

    /// What is told with each step of a plan; `theirs` is what stands in the tool's ledger. `checksum` gives what the tool would record of a change.
    ///
    /// # Errors
    /// The first that `checksum` gives.
    pub fn told<E>(
        &self,
        plan: &Plan,
        ours: &[AppliedRow],
        theirs: &[ForeignRow],
        checksum: &mut dyn FnMut(&Change) -> Result<Option<String>, E>,
    ) -> Result<BTreeMap<Identity, Told>, E> {
        let mut frontier = self.has_one_row().then(|| self.frontier(ours, self.passed(ours, theirs, &[])));
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

/// The version of a row of golang-migrate's.
fn number(row: &ForeignRow) -> Option<u64> {
    row.key.parse().ok()
}

impl<'k> Frontier<'k> {
    fn stands(&self, identity: Option<&str>) -> bool {
        identity.is_none_or(|identity| self.standing.contains(identity))
    }

    fn advance(&mut self) {
        let rest = self.versions[self.whole..].iter();
        let more = rest.take_while(|(number, identity, _)| *number <= self.passed || self.stands(*identity)).count();
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
        let number = place.map(|place| self.versions[place].0);
        self.passed = self.passed.min(number.map_or(self.passed, |number| number.saturating_sub(1)));
        self.whole = self.whole.min(place.unwrap_or(self.whole));
    }

    fn row(&self) -> Option<ForeignRow> {
        let whole = self.versions[..self.whole].iter().rev();
        whole.filter(|(_, identity, _)| self.stands(*identity)).map(|(_, _, row)| row.clone()).next()
    }
}
