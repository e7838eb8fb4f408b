//! `baseline`: an existing database counts as migrated up to a version, without running anything.

use limosa_core::{Change, Kind, RowState, Version};
use limosa_db::ledger::RowEntry;
use limosa_sql::Engine;
use serde_json::json;

use super::held::{Edit, Marks, under_lock};
use crate::event::Listener;
use crate::files::load;
use crate::opened::{Opened, Purpose, open};
use crate::report::{DoneAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator};

impl Migrator {
    /// Marks all changes up to a version as applied without running them.
    ///
    /// # Errors
    /// Where a change up to that version was applied by limosa, or there is none.
    pub async fn baseline(&self, to: &Version, dry_run: bool, listener: &dyn Listener) -> Result<DoneAnswer, Failure> {
        let loaded = load(&self.configuration.directories, self.engine()?)?;
        loaded.refuse_errors()?;
        let chosen: Vec<&Change> = loaded
            .changes
            .iter()
            .filter(|change| matches!(&change.kind, Kind::Versioned(version) if version <= to))
            .collect();
        if chosen.is_empty() {
            return Err(Failure::usage(
                "LIM-U020",
                format!("no migration has a version up to {to}"),
                "see them: limosa status",
            ));
        }
        let lines: Vec<String> =
            chosen.iter().map(|change| format!("{} {} counts as applied", change.label, change.name)).collect();
        let mut opened = open(&self.configuration, if dry_run { Purpose::Read } else { Purpose::Write }).await?;
        let result = match dry_run {
            true => Ok(None),
            false => under_lock(&mut opened, listener, |opened, view, marks| {
                if let Some(row) =
                    view.rows.iter().find(|row| chosen.iter().any(|change| change.identity == row.identity))
                {
                    let message = format!("{} ({}) is in the ledger already", row.identity, row.name);
                    return Err(Failure::person(
                        "LIM-U021",
                        message,
                        "a baseline is for a database that limosa has not migrated; see limosa history",
                    ));
                }
                Ok(Edit {
                    items: chosen
                        .iter()
                        .map(|change| opened.ledger.write_row(&counted(opened, change, marks)))
                        .collect(),
                    audit: chosen
                        .iter()
                        .map(|change| ("baseline", Some(change.identity.to_string()), json!({"name": change.name})))
                        .collect(),
                })
            })
            .await
            .map(|(_, head)| head),
        };
        let target = opened.target.clone();
        opened.close().await;
        let head = result?;
        Ok(DoneAnswer {
            schema_version: SCHEMA_VERSION,
            command: "baseline",
            exit_code: Exit::Done.into(),
            target: Some(target),
            done: if dry_run { Vec::new() } else { lines.clone() },
            would: if dry_run { lines } else { Vec::new() },
            notices: Vec::new(),
            audit_head: head,
        })
    }
}

/// The row of a change that counts as applied.
pub(crate) fn counted(opened: &Opened<'_>, change: &Change, marks: &Marks) -> RowEntry {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let rollback = change.rollback.as_ref();
    let depends_on: Vec<&str> = change.depends_on.iter().map(limosa_core::Identity::as_str).collect();
    RowEntry {
        identity: change.identity.to_string(),
        version: matches!(change.kind, Kind::Versioned(_)).then(|| change.label.clone()),
        name: change.name.clone(),
        checksum: change.script.file_checksum.as_str().to_owned(),
        up_checksum: change.script.up_checksum.as_str().to_owned(),
        state: Some(RowState::Baseline),
        done: change.script.outline.statements.cast_signed(),
        total: change.script.outline.statements.cast_signed(),
        applied_by: opened.configuration.actor.clone(),
        execution_ms: match opened.target.engine {
            Engine::Sqlite => -i64::try_from(now.as_millis()).unwrap_or(0),
            _ => 0,
        },
        rollback: rollback.map(|rollback| rollback.text.clone()),
        rollback_origin: rollback.map(|rollback| {
            json!({"file": rollback.file, "line": rollback.start.line, "column": rollback.start.column}).to_string()
        }),
        rollback_values: None,
        depends_on: json!(depends_on).to_string(),
        plan_digest: None,
        epoch: marks.epoch,
        step_mark: marks.step_mark.clone(),
    }
}
