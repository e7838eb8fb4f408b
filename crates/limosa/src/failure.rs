//! Why a command could not answer, and whose fault it is.

use limosa_db::{DbError, DbErrorKind};
use limosa_sql::Diagnostic;

/// How a command ends; the numbers are the exit codes of the binary and stand in its JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[repr(u8)]
#[serde(into = "u8")]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: findings, or something pending where that was asked.
    No = 1,
    /// Usage, configuration or the user's files.
    Usage = 2,
    /// The database, or the run, failed.
    Database = 3,
    /// A person is needed: partial state, a lock that is held, a gate that refused.
    Person = 4,
    /// A bug of limosa's.
    Bug = 70,
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> u8 {
        exit as u8
    }
}

/// A command that could not answer.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whose fault.
    pub exit: Exit,
    /// What is wrong; at least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, diagnostic) in self.diagnostics.iter().enumerate() {
            let gap = if at == 0 { "" } else { "; " };
            write!(formatter, "{gap}[{}] {}", diagnostic.code, diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// A failure with one diagnostic.
    pub fn new(exit: Exit, diagnostic: Diagnostic) -> Failure {
        Failure { exit, diagnostics: vec![diagnostic] }
    }

    /// A mistake of the user's.
    pub fn usage(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, Diagnostic::error(code, message).help(help))
    }

    /// Something that only a person may decide.
    pub fn person(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::new(Exit::Person, Diagnostic::error(code, message).help(help))
    }

    /// MySQL: a restore or a clean was begun and has not come to its end.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.diagnostics.iter().any(|problem| problem.code == UNFINISHED)
    }

    /// Refusals of a decision, with the exit code of the gravest.
    pub fn refused(diagnostics: Vec<Diagnostic>) -> Failure {
        let exit = diagnostics.iter().map(|diagnostic| exit_of(diagnostic.code)).max_by_key(|exit| *exit as u8);
        Failure { exit: exit.unwrap_or(Exit::Usage), diagnostics }
    }
}

/// What is said where a restore or a clean was begun and has not come to its end.
const UNFINISHED: &str = "LIM-D011";

/// The exit code of a refusal.
fn exit_of(code: &str) -> Exit {
    match code {
        // Consent and protection: a gate refused. Partial state: a person is needed.
        "LIM-P003" | "LIM-P004" | "LIM-P006" | "LIM-P015" | "LIM-P016" | "LIM-P020" | "LIM-P031" | "LIM-P036"
        | "LIM-P037" | "LIM-P038" | "LIM-P040" | "LIM-P045" | "LIM-F034" => Exit::Person,
        // The history and the files disagree: findings.
        "LIM-P001" | "LIM-P005" | "LIM-P011" | "LIM-P012" | "LIM-P013" | "LIM-P014" => Exit::No,
        _ => Exit::Usage,
    }
}

/// What to do where the server says nothing of it.
fn own_hint(kind: DbErrorKind) -> Option<&'static str> {
    match kind {
        DbErrorKind::ReadOnly => Some("this is a standby or a read-only session; use the address of the primary"),
        DbErrorKind::PermissionDenied => Some(
            "grant the right, or set 'role' to a role that has it; what limosa itself needs: limosa init --print-ledger-sql",
        ),
        _ => None,
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Failure {
        // SQLite's one lock is that of the runner at work.
        let is_of_file = error.code.as_deref().is_some_and(|code| code.starts_with("SQLITE_"));
        let (exit, code) = match error.kind {
            DbErrorKind::Configuration => (Exit::Usage, "LIM-D001"),
            DbErrorKind::CannotConnect => (Exit::Database, "LIM-D002"),
            DbErrorKind::Authentication => (Exit::Database, "LIM-D003"),
            DbErrorKind::DatabaseMissing => (Exit::Database, "LIM-D004"),
            DbErrorKind::PermissionDenied => (Exit::Database, "LIM-D005"),
            DbErrorKind::ReadOnly => (Exit::Database, "LIM-D006"),
            DbErrorKind::ConnectionLost => (Exit::Database, "LIM-D007"),
            DbErrorKind::Resources => (Exit::Database, "LIM-D008"),
            DbErrorKind::LockTimeout if is_of_file => (Exit::Person, "LIM-R001"),
            DbErrorKind::Unfinished => (Exit::Person, UNFINISHED),
            _ => (Exit::Database, "LIM-D009"),
        };
        let message = match &error.code {
            Some(code) if !error.message.contains(code.as_str()) => format!("{} ({code})", error.message),
            _ => error.message.clone(),
        };
        let message = match error.kind {
            DbErrorKind::LockTimeout if is_of_file => format!("somebody else holds the lock: {message}"),
            _ => message,
        };
        let mut diagnostic = Diagnostic::error(code, message);
        let hint = error.hint.or_else(|| own_hint(error.kind).map(str::to_owned));
        let help: Vec<String> =
            [error.detail.map(|detail| format!("detail: {detail}")), hint].into_iter().flatten().collect();
        if !help.is_empty() {
            diagnostic = diagnostic.help(help.join("\n"));
        }
        Failure::new(exit, diagnostic)
    }
}
