//! What the other tool cannot hold, as JSON: for whoever has to do it by other means.

use limosa_core::{CallbackWork, Kind};
use serde_json::{Value, json};

use super::files::{Exported, Project};

/// The file.
pub(super) const FILE: &str = "limosa-export.json";

/// Its text. Values of placeholders stand in it, secrets never.
pub(super) fn text(project: &Project<'_>, exported: &Exported) -> String {
    let value = json!({
        "tool": project.tool.word(),
        "project": project.opened.configuration.project,
        "engine": project.opened.target.engine,
        "left": exported.left.iter().map(|left| json!({"what": left.what, "why": left.why})).collect::<Vec<_>>(),
        "placeholders": exported.placeholders,
        "migrations": project.loaded.changes.iter().map(|change| of_change(project, exported, change)).collect::<Vec<_>>(),
        "callbacks": project.loaded.callbacks.iter().map(|callback| json!({
            "event": callback.event.name(),
            "name": callback.name,
            "file": callback.file(),
            "text": match &callback.work {
                CallbackWork::Script(script) => super::files::text_of(project, script).ok(),
                CallbackWork::Command(_) | CallbackWork::Code(_) => None,
            },
        })).collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn of_change(project: &Project<'_>, exported: &Exported, change: &limosa_core::Change) -> Value {
    let one = exported.migrations.iter().find(|one| one.identity == change.identity);
    let row = project.view.row(&change.identity);
    let headers = &change.headers;
    let recorded = project.recorded.get(&change.identity);
    let of_file = change.rollback.as_ref().map(|rollback| rollback.text.as_str());
    let differs = recorded.map(String::as_str).filter(|recorded| Some(*recorded) != of_file);
    // What has no file of its own there is here whole.
    let text = one.is_none().then(|| super::files::text_of(project, &change.script).ok()).flatten();
    json!({
        "identity": change.identity,
        "kind": if change.kind == Kind::Repeatable { "repeatable" } else { "versioned" },
        "version": change.label,
        "name": change.name,
        "file": change.script.file,
        "exported": one.map(|one| &one.files),
        "text": text,
        "way_back": of_file.filter(|_| one.is_none()),
        "recorded_way_back": differs,
        "depends_on": change.depends_on,
        "engines": headers.engines,
        "environments": headers.environments,
        "requires_extension": headers.requires_extension,
        "tags": headers.tags,
        "purpose": headers.purpose,
        "phase": headers.phase,
        "checklist": headers.checklist,
        "lock_timeout_ms": headers.lock_timeout,
        "statement_timeout_ms": headers.statement_timeout,
        "data_loss_allowed": headers.data_loss_allowed,
        "applied_at": row.map(|row| &row.applied_at),
        "applied_by": row.map(|row| &row.applied_by),
        "checksum": change.text_checksum(),
    })
}
