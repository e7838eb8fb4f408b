//! The answer of `export`.

use limosa_core::AuditHead;
use limosa_sql::Diagnostic;
use serde::Serialize;

use super::Target;

/// The answer of `export`.
#[derive(Debug, Clone, Serialize)]
pub struct ExportAnswer {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// `export`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// `done`, or `would` (a dry run).
    pub outcome: &'static str,
    /// The database.
    pub target: Target,
    /// The other tool, as people call it.
    pub tool: String,
    /// The folder.
    pub folder: String,
    /// Each migration that has files there.
    pub migrations: Vec<ExportedLine>,
    /// The other tool's table.
    pub table: String,
    /// How many of its rows stand for migrations.
    pub ledger_rows: usize,
    /// It was made in the database.
    pub ledger_written: bool,
    /// What the tool cannot hold.
    pub left: Vec<LeftLine>,
    /// Worth knowing.
    pub notices: Vec<Diagnostic>,
    /// The head of the audit log afterwards.
    pub audit_head: Option<AuditHead>,
}

/// Something that another tool cannot hold.
#[derive(Debug, Clone, Serialize)]
pub struct LeftLine {
    /// What it is, or belongs to.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One migration in the form of another tool.
#[derive(Debug, Clone, Serialize)]
pub struct ExportedLine {
    /// Identity.
    pub identity: String,
    /// Its version there; empty for a repeatable.
    pub version: String,
    /// Description.
    pub name: String,
    /// Its files there.
    pub files: Vec<String>,
    /// The tool's ledger has it as applied.
    pub applied: bool,
}
