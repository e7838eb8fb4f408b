//! Files that need not be read again: those that are byte for byte what was applied.

use std::collections::{HashMap, HashSet};

use limosa_core::{AppliedRow, Checksum, Identity, LedgerView, RowState};
use limosa_db::ledger::Glance;
use limosa_formats::native::{FileRole, RollbackTarget};

/// What the ledger knows of the files of a listing. Where it knows nothing, all are read.
#[derive(Debug, Default)]
pub(crate) struct Known<'v> {
    rows: HashMap<Identity, &'v AppliedRow>,
}

impl<'v> Known<'v> {
    /// The rows that speak for one file each. Of several files with one identity (each for other engines) what they say counts,
    /// so that they are read; so is what is half done.
    pub(crate) fn of<'r>(view: &'v LedgerView, roles: impl IntoIterator<Item = &'r FileRole>) -> Known<'v> {
        let is_whole = |row: &&AppliedRow| matches!(row.state, RowState::Applied | RowState::Baseline);
        let mut rows: HashMap<Identity, &AppliedRow> =
            view.rows.iter().filter(is_whole).map(|row| (row.identity.clone(), row)).collect();
        if !rows.is_empty() {
            let mut seen = HashSet::new();
            for identity in roles.into_iter().filter_map(FileRole::identity) {
                if let Some(twice) = seen.replace(identity) {
                    rows.remove(&twice);
                }
            }
        }
        Known { rows }
    }

    /// True where a file need not be opened: the way back of a migration that was applied is the one in the ledger.
    pub(crate) fn is_settled(&self, role: &FileRole) -> bool {
        match role {
            FileRole::Rollback { of: of @ RollbackTarget::Version(_), .. } => self.rows.contains_key(&of.identity()),
            FileRole::Proof { of } => self.rows.contains_key(&Identity::of_version(of)),
            _ => false,
        }
    }

    /// The row of what was applied from a file of this role.
    pub(crate) fn row(&self, role: &FileRole) -> Option<&'v AppliedRow> {
        // What runs with each run must be known whole.
        if self.rows.is_empty() || matches!(role, FileRole::Again { always: true, .. }) {
            return None;
        }
        self.rows.get(&role.identity()?).copied()
    }
}

/// True where the files of a folder are exactly those that were applied, byte for byte where their checksums were taken, and the
/// ledger tells of nothing else: there is nothing to run, and nothing to say. Whatever is not plain counts as something. `names_count`
/// says that files without a checksum are what was applied under their names.
pub(crate) fn is_settled<'f>(
    glance: &Glance,
    files: impl Iterator<Item = (&'f FileRole, Option<&'f Checksum>)> + Clone,
    names_count: bool,
) -> bool {
    if glance.rows.is_empty() || glance.has_journal || glance.keeps_another {
        return false;
    }
    let mut rows: HashMap<&str, (&str, bool)> = HashMap::with_capacity(glance.rows.len());
    for row in glance.rows.iter().filter(|row| row.is_applied) {
        rows.insert(&row.identity, (&row.file_checksum, false));
    }
    let mut met = 0;
    let mut is_met = |role: &FileRole, checksum: Option<&Checksum>| {
        if matches!(role, FileRole::Again { always: true, .. }) {
            return false;
        }
        let Some(identity) = role.identity() else { return true };
        // Of several files with one identity nobody knows here which was meant.
        let Some((applied, known @ false)) = rows.get_mut(identity.as_str()) else { return false };
        *known = true;
        met += 1;
        checksum.map_or(names_count && role.runs_once(), |checksum| *checksum == Checksum::stored(applied))
    };
    if !files.clone().all(|(role, checksum)| is_met(role, checksum)) || met < glance.rows.len() {
        return false;
    }
    let is_known = |identity: &Identity| rows.contains_key(identity.as_str());
    let mut others = files.map(|(role, _)| role).filter(|role| role.identity().is_none());
    others.all(|role| match role {
        FileRole::Rollback { of: of @ RollbackTarget::Version(_), .. } => is_known(&of.identity()),
        FileRole::Proof { of } => is_known(&Identity::of_version(of)),
        FileRole::Ignored => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use limosa_db::ledger::GlanceRow;
    use limosa_formats::native::classify;

    use super::*;

    fn glance(rows: &[(&str, &str, bool)]) -> Glance {
        let row = |&(identity, checksum, is_applied): &(&str, &str, bool)| GlanceRow {
            identity: identity.to_owned(),
            file_checksum: checksum.to_owned(),
            is_applied,
        };
        Glance { rows: rows.iter().map(row).collect(), ..Glance::default() }
    }

    fn settled(glance: &Glance, files: &[(&str, &str)], names_count: bool) -> bool {
        let roles: Vec<(FileRole, Option<Checksum>)> = files
            .iter()
            .map(|(name, checksum)| (classify(name), (!checksum.is_empty()).then(|| Checksum::stored(checksum))))
            .collect();
        is_settled(glance, roles.iter().map(|(role, checksum)| (role, checksum.as_ref())), names_count)
    }

    #[test]
    fn only_what_is_plain_is_settled() {
        let applied = &[("1", "a", true), ("R:v", "b", true)][..];
        let files = &[("001_x.sql", "a"), ("R__v.sql", "b")][..];
        let with = |more: (&'static str, &'static str)| [files, &[more]].concat();
        for (rows, files, names_count, expected) in [
            (applied, files, false, true),
            (applied, files, true, true),
            (applied, &with(("001_x.rollback.sql", "")), false, true),
            (applied, &with(("rollbacks/1.sql", "")), false, true),
            (applied, &with(("README.md", "")), false, true),
            // Where names count, what runs once needs no checksum.
            (applied, &[("001_x.sql", ""), ("R__v.sql", "b")], true, true),
            (applied, &[("001_x.sql", ""), ("R__v.sql", "b")], false, false),
            (applied, &[("001_x.sql", ""), ("R__v.sql", "")], true, false),
            // Changed, new, twice, gone, left out, unclear.
            (applied, &[("001_x.sql", "c"), ("R__v.sql", "b")], false, false),
            (applied, &[("001_x.sql", "a"), ("R__v.sql", "c")], true, false),
            (applied, &with(("002_y.sql", "c")), false, false),
            (applied, &with(("1_z.sql", "a")), false, false),
            (applied, &files[..1], false, false),
            (&[("1", "a", true), ("R:v", "b", false)], files, false, false),
            (&[("1", "a", true), ("R:v", "b", true), ("2", "c", false)], files, false, false),
            (applied, &with(("002_y.rollback.sql", "")), false, false),
            (applied, &with(("R__v.rollback.sql", "")), false, false),
            (applied, &with(("views.sql", "")), false, false),
            (&[], &[], false, false),
        ] {
            assert_eq!(settled(&glance(rows), files, names_count), expected, "{rows:?} {files:?} {names_count}");
        }
        let whole = glance(applied);
        assert!(!settled(&Glance { has_journal: true, ..whole.clone() }, files, false));
        assert!(!settled(&Glance { keeps_another: true, ..whole }, files, false));
    }
}
