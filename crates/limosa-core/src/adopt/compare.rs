//! The rows of another tool against our changes: what can be taken over, and how sure that is.

use std::collections::HashMap;

use super::spelling::{names, stem_of_program};
use super::{ForeignRow, ForeignState, ForeignTool, KnownBy};
use crate::{Change, Identity, Kind, Version};

/// Whether a file is the one that a recorded checksum was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// It is.
    Same,
    /// It is but for something that changes nothing, in words: its line endings, a byte-order mark.
    SameBut(&'static str),
    /// It is not.
    Different,
    /// That cannot be told, in words.
    Unknowable(&'static str),
}

/// What is to be thought of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Applied, and the file is the one that was applied.
    Verified,
    /// Applied; whether by this text cannot be told, for the tool keeps no checksum of it.
    Stamped,
    /// Applied, and the file was changed since.
    Diverged,
    /// Failed, or never seen to end.
    HalfDone,
    /// Applied, and there is no file.
    Missing,
    /// Not applied, although one that comes after it was.
    Unknown,
    /// Not applied, and does not apply here.
    NotApplicable,
    /// Not applied yet.
    Pending,
}

impl Verdict {
    /// All of them, in the order in which they are told.
    pub const ALL: [Verdict; 8] = [
        Verdict::Verified,
        Verdict::Stamped,
        Verdict::Diverged,
        Verdict::HalfDone,
        Verdict::Missing,
        Verdict::Unknown,
        Verdict::NotApplicable,
        Verdict::Pending,
    ];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Stamped => "stamped",
            Verdict::Diverged => "diverged",
            Verdict::HalfDone => "half_done",
            Verdict::Missing => "missing",
            Verdict::Unknown => "unknown",
            Verdict::NotApplicable => "not_applicable",
            Verdict::Pending => "pending",
        }
    }
}

/// A change, a row, or both, with the verdict.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// The change, where there is a file.
    pub change: Option<&'a Change>,
    /// The row, where the tool has one of its own for it.
    pub row: Option<&'a ForeignRow>,
    /// The verdict.
    pub verdict: Verdict,
    /// More, in words.
    pub note: Option<String>,
    /// Grows in the order in which the tool applied them.
    pub order: usize,
}

impl Compared<'_> {
    /// Takes back that it is pending, or comes late, where it does not apply here; `why_not` says so of a change.
    pub fn judge_applicable(&mut self, why_not: impl FnOnce(&Change) -> Option<String>) {
        let waits = matches!(self.verdict, Verdict::Pending | Verdict::Unknown) && self.row.is_none();
        if let Some(reason) = self.change.filter(|_| waits).and_then(why_not) {
            (self.verdict, self.note) = (Verdict::NotApplicable, Some(reason));
        }
    }
}

/// Compares the rows that stand, in the order in which they were written, with changes in the order in which they run.
///
/// `compared` gives a version as the format of the files compares it. `agreement` says whether a file is the one that a row's
/// checksum was made of; it is asked only where there is a checksum, once for each row. `by_other_name` gives the identity of the
/// change that the tool may know by such a key besides its identity.
pub fn compare<'a>(
    tool: ForeignTool,
    rows: &'a [ForeignRow],
    changes: &'a [Change],
    compared: &dyn Fn(&Version) -> Version,
    by_other_name: &dyn Fn(&str) -> Option<String>,
    agreement: &mut dyn FnMut(&Change, &ForeignRow) -> Agreement,
) -> Vec<Compared<'a>> {
    let version_of = |row: &ForeignRow| Some(compared(&Version::parse(row.version.as_deref()?).ok()?));
    let (row_of, unmatched) = Index::new(changes).matched(tool, rows, &version_of, by_other_name);
    // Whatever came before such a row counts as applied with it; before golang-migrate's one row, also where that is half done.
    let covers = |row: &ForeignRow| match row.state {
        ForeignState::HalfDone => tool == ForeignTool::GolangMigrate,
        state => state == ForeignState::UpTo,
    };
    let up_to = rows.iter().enumerate().filter(|(_, row)| covers(row));
    let up_to = up_to.filter_map(|(at, row)| Some((version_of(row)?, at))).max();
    let of_changes =
        changes.iter().zip(&row_of).filter(|(_, row)| row.is_some()).filter_map(|(change, _)| version(change));
    let of_rows = rows.iter().filter(|_| is_comparable(tool)).filter_map(version_of);
    let newest = of_changes.cloned().chain(of_rows).max();

    let mut all = Vec::with_capacity(changes.len() + unmatched.len());
    for (change, at) in changes.iter().zip(row_of) {
        let covered = up_to.as_ref().filter(|(to, _)| version(change).is_some_and(|own| own <= to));
        let (row, order) = match (at, covered) {
            (Some(at), _) => (Some(&rows[at]), at),
            (None, Some((_, at))) => (None, *at),
            (None, None) => (None, usize::MAX),
        };
        let judged = match (row, covered) {
            (Some(row), _) => judged(tool, change, row, agreement),
            // It would stand for what came before it, in an empty database only.
            (None, _) if change.is_baseline => continue,
            (None, Some(_)) => (Verdict::Stamped, covered_by(tool, rows, order)),
            // Liquibase runs whatever has not run, and so does limosa.
            (None, None) if tool.known_by() == KnownBy::Path && change.headers.may_come_late => {
                (Verdict::Pending, None)
            }
            (None, None) if version(change).is_some_and(|own| newest.as_ref().is_some_and(|newest| own < newest)) => {
                (Verdict::Unknown, Some(format!("{} has not applied it, and has applied later ones", tool.name())))
            }
            (None, None) => (Verdict::Pending, None),
        };
        all.push(Compared { change: Some(change), row, verdict: judged.0, note: judged.1, order });
    }
    let missing = unmatched.into_iter().map(|at| Compared {
        change: None,
        row: Some(&rows[at]),
        verdict: Verdict::Missing,
        note: Some("no file defines it".to_owned()),
        order: at,
    });
    all.extend(missing);
    all
}

/// The newest version, as the tool writes it, that it has applied and that has no file. None where its versions cannot be compared with
/// those of files; `compared` as for [`compare`].
pub fn newest_missing<'a>(
    tool: ForeignTool,
    lines: &[Compared<'a>],
    compared: &dyn Fn(&Version) -> Version,
) -> Option<&'a str> {
    let missing = lines.iter().filter(|line| line.verdict == Verdict::Missing && is_comparable(tool));
    let written = missing.filter_map(|line| line.row?.version.as_deref());
    written
        .filter_map(|written| Some((compared(&Version::parse(written).ok()?), written)))
        .max()
        .map(|(_, written)| written)
}

/// Where versions are texts, or names are what counts, only our own can be compared.
fn is_comparable(tool: ForeignTool) -> bool {
    tool.known_by() == KnownBy::Version && tool != ForeignTool::Diesel
}

pub(super) fn version(change: &Change) -> Option<&Version> {
    match &change.kind {
        Kind::Versioned(version) => Some(version),
        Kind::Repeatable => None,
    }
}

fn covered_by(tool: ForeignTool, rows: &[ForeignRow], at: usize) -> Option<String> {
    let words = rows.get(at).map(|row| row.key.as_str()).unwrap_or_default();
    match tool {
        // One row is all that it keeps, which needs no words for each of them.
        ForeignTool::GolangMigrate => None,
        _ => Some(format!("{} has a baseline up to {words}", tool.name())),
    }
}

fn judged(
    tool: ForeignTool,
    change: &Change,
    row: &ForeignRow,
    agreement: &mut dyn FnMut(&Change, &ForeignRow) -> Agreement,
) -> (Verdict, Option<String>) {
    let is_half_done = row.state == ForeignState::HalfDone;
    if row.checksum.is_none() || change.is_code {
        return (if is_half_done { Verdict::HalfDone } else { Verdict::Stamped }, None);
    }
    if is_half_done {
        let is_another = agreement(change, row) == Agreement::Different;
        return (
            Verdict::HalfDone,
            is_another.then(|| format!("the file is not the one that {} has begun", tool.name())),
        );
    }
    match agreement(change, row) {
        Agreement::Same => (Verdict::Verified, None),
        Agreement::SameBut(what) => (Verdict::Verified, Some(format!("the same but for {what}"))),
        Agreement::Unknowable(why) => (Verdict::Stamped, Some(why.to_owned())),
        // It runs whenever its text changes, with either tool.
        Agreement::Different if change.kind == Kind::Repeatable => {
            let what = if change.headers.counted_values.is_some() { "its text or a value in it" } else { "its text" };
            (Verdict::Pending, Some(format!("{what} was changed since it ran: it runs again")))
        }
        Agreement::Different => {
            (Verdict::Diverged, Some(format!("the file is not the one that {} has applied", tool.name())))
        }
    }
}

/// What a change of Liquibase's is known by: the path, and what stands behind it.
fn part_of(identity: &Identity) -> Option<(&str, &str)> {
    let name = identity.as_str();
    name.strip_prefix("R:").unwrap_or(name).split_once("::")
}

/// Changes by what tools may know them by.
struct Index<'a> {
    changes: &'a [Change],
    versions: HashMap<&'a Version, usize>,
    labels: HashMap<&'a str, usize>,
    baselines: HashMap<&'a Version, usize>,
    names: HashMap<&'a str, usize>,
    /// Those that are known by names of their own, in their order; one that comes again has `@` and more behind the name.
    planned: HashMap<&'a str, Vec<usize>>,
    repeatables: HashMap<&'a str, usize>,
    /// Those that are called `path::id::author`, by what stands behind the path, with the path.
    parts: HashMap<&'a str, Vec<(&'a str, usize)>>,
    hashes: HashMap<String, usize>,
}

impl<'a> Index<'a> {
    fn new(changes: &'a [Change]) -> Index<'a> {
        let mut index = Index {
            changes,
            versions: HashMap::new(),
            labels: HashMap::new(),
            baselines: HashMap::new(),
            names: HashMap::new(),
            planned: HashMap::new(),
            repeatables: HashMap::new(),
            parts: HashMap::new(),
            hashes: HashMap::new(),
        };
        for (at, change) in changes.iter().enumerate() {
            match &change.kind {
                Kind::Versioned(version) if change.is_baseline => index.baselines.insert(version, at),
                Kind::Versioned(version) => {
                    index.labels.insert(&change.label, at);
                    index.versions.insert(version, at)
                }
                Kind::Repeatable => index.repeatables.insert(&change.name, at),
            };
            if let Some(name) = version(change).and_then(Version::name) {
                index.planned.entry(name.split('@').next().unwrap_or(name)).or_default().push(at);
            }
            if let Some((path, part)) = part_of(&change.identity) {
                index.parts.entry(part).or_default().push((path, at));
            } else {
                index.names.extend(names(&change.script.file).chain(stem_of_program(change)).map(|name| (name, at)));
            }
            index.hashes.insert(change.script.file_checksum.digits(), at);
        }
        index
    }

    /// The change that is called so, where the path may count from another folder.
    fn by_path(&self, key: &str) -> Option<usize> {
        let (path, part) = key.split_once("::")?;
        let path = path.strip_prefix("classpath:").unwrap_or(path);
        let alike = self.parts.get(part)?;
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|before| before.ends_with('/'));
        let same = alike.iter().find(|(own, _)| *own == path);
        let mut near = alike.iter().filter(|(own, _)| ends(own, path) || ends(path, own));
        let only = || near.next().filter(|_| near.next().is_none());
        same.or_else(only).map(|(_, at)| *at)
    }

    fn identified(&self, identity: &str) -> Option<usize> {
        self.changes.iter().position(|change| change.identity.as_str() == identity)
    }

    /// The row of each change, and the rows that have none.
    fn matched(
        &self,
        tool: ForeignTool,
        rows: &[ForeignRow],
        version_of: &dyn Fn(&ForeignRow) -> Option<Version>,
        by_other_name: &dyn Fn(&str) -> Option<String>,
    ) -> (Vec<Option<usize>>, Vec<usize>) {
        let mut row_of: Vec<Option<usize>> = vec![None; self.changes.len()];
        let mut without = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let other = || self.identified(&by_other_name(&row.key)?);
            match self.place(tool, row, version_of).or_else(other) {
                // Several rows of one file (Liquibase) count as one.
                Some(change) => {
                    row_of[change].get_or_insert(at);
                }
                None => without.push(at),
            }
        }
        if tool.known_by() == KnownBy::Hash {
            // Its rows have no other mark: where the text was changed since, their order tells which file is meant.
            let free: Vec<usize> = (0..row_of.len()).filter(|at| row_of[*at].is_none()).collect();
            let mut free = free.into_iter();
            without.retain(|at| free.next().is_none_or(|change| row_of[change].replace(*at).is_some()));
        }
        (row_of, without)
    }

    fn place(
        &self,
        tool: ForeignTool,
        row: &ForeignRow,
        version_of: &dyn Fn(&ForeignRow) -> Option<Version>,
    ) -> Option<usize> {
        let by_version = || {
            let by_number = || {
                let version = version_of(row)?;
                let baseline = self.baselines.get(&version).filter(|_| row.state == ForeignState::UpTo);
                baseline.or_else(|| self.versions.get(&version))
            };
            // Versions that are no numbers are the same where they are written alike.
            by_number().or_else(|| self.labels.get(row.version.as_deref()?)).copied()
        };
        let by_name = |name: Option<&String>| self.names.get(name?.rsplit('/').next()?).copied();
        match tool.known_by() {
            KnownBy::Version if row.version.is_none() => self.repeatables.get(row.name.as_deref()?).copied(),
            KnownBy::Version => by_version(),
            KnownBy::Name => by_name(row.file.as_ref()).or_else(|| by_name(Some(&row.key))),
            KnownBy::Path => self.by_path(&row.key).or_else(|| by_name(row.file.as_ref())),
            KnownBy::Plan if self.planned.is_empty() => by_name(Some(&row.key)),
            KnownBy::Plan => {
                let (name, number) = match row.key.strip_suffix(')').and_then(|key| key.rsplit_once(" (")) {
                    Some((name, number)) => (name, number.parse::<usize>().ok()?),
                    None => (row.key.as_str(), 1),
                };
                self.planned.get(name)?.get(number.checked_sub(1)?).copied()
            }
            KnownBy::Hash => {
                let by_hash = || self.hashes.get(row.checksum.as_deref()?).copied();
                by_name(row.name.as_ref()).or_else(by_hash)
            }
        }
    }
}
