//! Files that need not be read again: those that are byte for byte what was applied.

use std::collections::{HashMap, HashSet};

use limosa_core::{AppliedRow, Identity, LedgerView, RowState};
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
        if self.rows.is_empty() {
            return None;
        }
        self.rows.get(&role.identity()?).copied()
    }
}
