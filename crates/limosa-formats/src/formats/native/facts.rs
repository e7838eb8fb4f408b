//! What is known of one file.

use std::sync::Arc;

use limosa_core::{Checksum, Headers, Outline, Rollback, Script, Shape, Shared, SharedText};
use limosa_sql::{Diagnostic, Dialect, Engine, Label, Position, Span};
use thin_vec::{ThinVec, thin_vec};

use super::entry::FilePart;
use super::names::FileRole;
use super::rollback::read_file;
use super::wishes::{Reference, Wishes};
use crate::codes;

/// What is known of a file once it was read.
#[derive(Debug, Clone)]
pub struct FileFacts {
    pub(crate) path: SharedText,
    pub(crate) role: FileRole,
    pub(crate) headers: Shared<Headers>,
    pub(crate) references: ThinVec<Reference>,
    /// False where the file is meant for other engines only.
    pub(crate) wanted: bool,
    pub(crate) content: Content,
    /// Why it cannot be run.
    pub(crate) refusals: ThinVec<Diagnostic>,
    /// It is code of the application and no file, or a program of another tool.
    pub(crate) is_code: bool,
    /// Of the file only its checksum is known.
    pub(crate) is_unread: bool,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A change, and its way back where the same file holds it.
    Change { script: Shared<Script>, rollback: Option<Arc<Rollback>> },
    /// The way back of another file; None where it could not be read.
    WayBack(Option<Arc<Rollback>>),
}

impl Content {
    /// Takes a script for one that leaves nothing behind. The error: it cannot be in one transaction.
    pub(super) fn becomes_proof(&mut self, path: &str) -> Option<Diagnostic> {
        let Content::Change { script, .. } = self else { return None };
        match std::mem::take(&mut *script.outline).as_proof() {
            Some(outline) => {
                script.outline = outline.into();
                None
            }
            None => {
                let message = "this script proves a migration, and cannot be in one transaction with it";
                let help = "write it as one transaction, BEGIN to ROLLBACK, or move it elsewhere";
                Some(Diagnostic::error(codes::TRANSACTION_MISUSE, message).at(Label::file(path)).help(help))
            }
        }
    }

    /// Gives everything its place in the file, where a part of it was read as if it were all.
    pub(super) fn stands_in(&mut self, part: &FilePart) {
        let lines = part.lines_above();
        let below = |outline: &mut Outline| *outline = std::mem::take(outline).below(lines);
        match self {
            Content::Change { script, rollback } => {
                script.span = Span::new(script.span.start + part.start, script.span.end + part.start);
                script.start = Position { line: part.line, column: 1 };
                below(&mut script.outline);
                // The places of another change's are those of its file.
                if let Some(rollback) = rollback.as_mut().filter(|_| part.back_of_other.is_none()) {
                    Arc::make_mut(rollback).start.line += lines;
                }
            }
            Content::WayBack(_) => {}
        }
    }
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
        // What the code leaves in the session nobody knows.
        let unseen = dialect.engine() != Engine::Postgres;
        let shape = Shape { unseen, foreign_keys: dialect.foreign_keys(), ..Shape::default() };
        let script = Script::of_code(origin, declared, Outline::from(shape).into());
        let facts = FileFacts {
            path: origin.into(),
            role,
            headers: Shared::default(),
            references: ThinVec::new(),
            wanted: true,
            content: Content::Change { script: script.into(), rollback: rollback.map(Arc::new) },
            refusals: ThinVec::new(),
            is_code: true,
            is_unread: false,
        };
        (facts, diagnostics)
    }

    /// A change that is a program of another tool: it may have run there, and cannot be run here. None for files of any other role.
    pub fn of_program(path: SharedText, role: FileRole, checksum: Checksum) -> Option<FileFacts> {
        let FileRole::Program { problem, .. } = &role else { return None };
        let refusals = thin_vec![(**problem).clone()];
        let facts = FileFacts::unread(path, role, checksum.clone(), checksum);
        Some(FileFacts { refusals, is_unread: false, ..facts })
    }

    /// A change whose file is byte for byte the one that was applied, with the checksum of its up part that was recorded then:
    /// there is nothing in it to be read again. It cannot be run.
    pub fn unread(path: SharedText, role: FileRole, file_checksum: Checksum, up_checksum: Checksum) -> FileFacts {
        let is_code = matches!(role, FileRole::Program { .. });
        let script = Script {
            file: path.clone(),
            span: Span::new(0, 0),
            start: Position::START,
            file_checksum,
            up_checksum,
            outline: Shared::default(),
        };
        FileFacts {
            path,
            role,
            headers: Shared::default(),
            references: ThinVec::new(),
            wanted: true,
            content: Content::Change { script: script.into(), rollback: None },
            refusals: ThinVec::new(),
            is_code,
            is_unread: true,
        }
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
            Content::Change { rollback, .. } | Content::WayBack(rollback) => rollback.as_deref(),
        }
    }
}
