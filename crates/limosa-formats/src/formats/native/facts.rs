//! What is known of a file once it was read.

use limosa_core::{Checksum, Headers, Outline, Rollback, Script};
use limosa_sql::{Diagnostic, Dialect, Engine, Position, Span};

use super::names::FileRole;
use super::rollback::read_file;
use super::wishes::{Reference, Wishes};

/// What is known of a file once it was read.
#[derive(Debug, Clone)]
pub struct FileFacts {
    pub(crate) path: String,
    pub(crate) role: FileRole,
    pub(crate) headers: Headers,
    pub(crate) references: Vec<Reference>,
    /// False where the file is meant for other engines only.
    pub(crate) wanted: bool,
    pub(crate) content: Content,
    /// It is code of the application and no file.
    pub(crate) is_code: bool,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A change, and its way back where the same file holds it.
    Change { script: Box<Script>, rollback: Option<Rollback> },
    /// The way back of another file; None where it could not be read.
    WayBack(Option<Rollback>),
}

impl FileFacts {
    /// A change that is code. `origin` is what messages call it; its checksum is that of the version which it declares.
    pub fn of_code(
        dialect: impl Into<Dialect>,
        origin: &str,
        role: FileRole,
        declared: &str,
        rollback: Option<&str>,
    ) -> (FileFacts, Vec<Diagnostic>) {
        let dialect = dialect.into();
        let (rollback, diagnostics) = match rollback {
            Some(text) => read_file(origin, dialect, text.to_owned(), &Wishes::default()),
            None => (None, Vec::new()),
        };
        let checksum = || Checksum::of(format!("code {declared}").as_bytes());
        let script = Script {
            file: origin.to_owned(),
            span: Span::new(0, 0),
            start: Position::START,
            markers: None,
            file_checksum: checksum(),
            up_checksum: checksum(),
            // What the code leaves in the session nobody knows.
            outline: Outline { unseen: dialect.engine() == Engine::Mysql, ..Outline::default() },
        };
        let facts = FileFacts {
            path: origin.to_owned(),
            role,
            headers: Headers::default(),
            references: Vec::new(),
            wanted: true,
            content: Content::Change { script: Box::new(script), rollback },
            is_code: true,
        };
        (facts, diagnostics)
    }

    /// Path as the user gave it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the file is for.
    pub fn role(&self) -> &FileRole {
        &self.role
    }

    /// Headers, with what the configuration of the folder adds.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The up script; None for a file that holds a way back only.
    pub fn script(&self) -> Option<&Script> {
        match &self.content {
            Content::Change { script, .. } => Some(script),
            Content::WayBack(_) => None,
        }
    }

    /// The way back that the file holds.
    pub fn rollback(&self) -> Option<&Rollback> {
        match &self.content {
            Content::Change { rollback, .. } | Content::WayBack(rollback) => rollback.as_ref(),
        }
    }
}
