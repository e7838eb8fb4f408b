//! SQL text for migrations: where things stand, what is wrong, how a script falls into statements, what each statement
//! is, and how names are quoted. Pure: no files, sockets, clock or environment.

mod diagnostic;
mod dialect;
mod engine;
mod piece;
mod placeholder;
mod span;
mod splitter;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use engine::Engine;
pub use piece::{Class, Effect, Loss, Piece, PieceKind, QualifiedName, TransactionRule};
pub use placeholder::{Expanded, UnknownPlaceholder, expand};
pub use span::{Position, Span};
pub use splitter::Splitter;
