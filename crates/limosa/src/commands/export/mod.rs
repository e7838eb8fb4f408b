//! `export`: the project in the form of another tool, with that tool's ledger; what the tool cannot hold is named.

mod files;
mod folder;
mod ledger;
mod sidecar;

use std::path::PathBuf;

use limosa_core::{ForeignTool, LedgerView, RowState};
use limosa_formats::export::TARGETS;
use limosa_run::Stop;
use limosa_sql::Diagnostic;
use serde_json::json;

use super::held::{Edit, under_lock};
use crate::event::Listener;
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_and_open;
use crate::report::{ExportAnswer, ExportedLine, LeftLine, SCHEMA_VERSION};
use crate::telling::told;
use crate::{Exit, Failure, Migrator};
use files::{Exported, Project};

/// What `export` is asked.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The other tool.
    pub to: ForeignTool,
    /// The folder that is made.
    pub out: PathBuf,
    /// Make the tool's table in the database, too.
    pub write_ledger: bool,
    /// Only list what would be written.
    pub dry_run: bool,
}

impl ExportOptions {
    /// The words of the tools that files can be written for.
    pub fn words() -> Vec<&'static str> {
        TARGETS.iter().map(|tool| tool.word()).collect()
    }
}

impl Migrator {
    /// Writes the project's files in the form of another tool into a new folder, with that tool's ledger as SQL, and what the tool
    /// cannot hold as JSON.
    ///
    /// # Errors
    /// A folder that is not empty; files that the tool cannot be given, a secret among them; whatever the server says.
    pub async fn export(
        &self,
        options: &ExportOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<ExportAnswer, Failure> {
        if !options.write_ledger || options.dry_run {
            return self.write_out(options, listener, stop).await;
        }
        told(&self.configuration, "export", listener, self.write_out(options, listener, stop)).await
    }

    async fn write_out(
        &self,
        options: &ExportOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<ExportAnswer, Failure> {
        folder::refuse_filled(&options.out)?;
        let writes = options.write_ledger && !options.dry_run;
        let purpose = if writes { Purpose::Change } else { Purpose::Read };
        let (loaded, mut opened) = read_and_open(&self.configuration, purpose, Loaded::refuse_errors).await?;
        let answer = export(&mut opened, &loaded, options, listener, &stop).await;
        opened.close().await;
        answer
    }
}

async fn export(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &ExportOptions,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<ExportAnswer, Failure> {
    let view = opened.look().await?;
    refuse_half_done(&view)?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    let recorded = super::rollback::recorded_ways_back(opened, &view).await?;
    let schema = ledger::schema(opened).await?;
    let project = Project { opened, loaded, view: &view, around: &around, recorded: &recorded, tool: options.to };
    let exported = files::exported(&project)?;
    let rows = ledger::Rows::of(&project, &exported, schema.as_deref())?;
    let sidecar = sidecar::text(&project, &exported);
    let mut answer = answer_of(opened, options, &exported, &rows);
    answer.notices.extend(opened.notices());
    answer.notices.extend(loaded.diagnostics.iter().cloned());
    if options.dry_run {
        answer.outcome = "would";
        return Ok(answer);
    }
    if options.write_ledger {
        ledger::refuse_existing(opened, options.to).await?;
    }
    let script = rows.script(opened.target.engine);
    let placed: Vec<String> =
        exported.files.iter().map(|file| format!("{}/{}", folder::MIGRATIONS, file.name)).collect();
    let mut list: Vec<(&str, &str)> =
        placed.iter().zip(&exported.files).map(|(name, file)| (name.as_str(), file.text.as_str())).collect();
    list.extend([(ledger::FILE, script.as_str()), (sidecar::FILE, sidecar.as_str())]);
    folder::write(&options.out, &list)?;
    if options.write_ledger {
        let written = under_lock(opened, listener, stop, |opened, now, _| {
            if now.rows != view.rows {
                return Err(Failure::person(
                    "LIM-U145",
                    "another runner was here meanwhile",
                    "run it again, into another folder",
                ));
            }
            let detail = json!({"tool": options.to.word(), "table": rows.table(), "migrations": rows.count()});
            Ok(Edit { items: rows.items(opened.target.engine), audit: vec![("export", None, detail)] })
        })
        .await?;
        answer.notices.extend(written.notices);
        answer.audit_head = written.head;
        answer.ledger_written = true;
    }
    Ok(answer)
}

fn refuse_half_done(view: &LedgerView) -> Result<(), Failure> {
    let half = view.rows.iter().find(|row| matches!(row.state, RowState::Partial | RowState::Reverting));
    let Some(row) = half else { return Ok(()) };
    Err(Failure::person(
        "LIM-U143",
        format!("{} ({}) is half done, and no other tool goes on from there", row.identity, row.name),
        "finish it first: limosa migrate, or limosa rollback; see limosa repair",
    ))
}

fn answer_of(opened: &Opened<'_>, options: &ExportOptions, exported: &Exported, rows: &ledger::Rows) -> ExportAnswer {
    let line = |file: &files::OneOfMany| ExportedLine {
        identity: file.identity.to_string(),
        version: file.version.clone(),
        name: file.name.clone(),
        files: file.files.clone(),
        applied: file.is_applied,
    };
    let left = |left: &files::Left| LeftLine { what: left.what.clone(), why: left.why.clone() };
    ExportAnswer {
        schema_version: SCHEMA_VERSION,
        command: "export",
        exit_code: Exit::Done.into(),
        outcome: "done",
        target: opened.target.clone(),
        tool: options.to.name().to_owned(),
        folder: options.out.display().to_string(),
        migrations: exported.migrations.iter().map(line).collect(),
        table: rows.table(),
        ledger_rows: rows.count(),
        ledger_written: false,
        left: exported.left.iter().map(left).collect(),
        notices: summary(options.to, exported.left.len()).into_iter().collect(),
        audit_head: None,
    }
}

/// That something is left, where something is; each is listed.
fn summary(tool: ForeignTool, left: usize) -> Option<Diagnostic> {
    let things = if left == 1 { "1 thing".to_owned() } else { format!("{left} things") };
    let message = format!("{} cannot hold {things} of this project", tool.name());
    let help = format!("each is listed, and kept in {}", sidecar::FILE);
    (left > 0).then(|| Diagnostic::warning("LIM-U144", message).help(help))
}
