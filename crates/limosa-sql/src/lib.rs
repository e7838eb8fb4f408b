//! SQL text for migrations: where things stand, what is wrong, how a script falls into statements, what each statement
//! is, and how names are quoted. Pure: no files, sockets, clock or environment.

mod boundary;
mod carried;
mod classify;
pub mod codes;
mod command;
mod delimiter;
mod diagnostic;
mod dialect;
mod encoding;
mod engine;
mod executable_comments;
mod lexer;
mod literal;
mod marks;
mod piece;
mod place;
mod placeholder;
mod quoting;
mod reach;
mod schema;
mod search;
mod span;
mod splitter;
mod table_use;
mod variables;
mod words;

pub use carried::{Carried, carried};
pub use classify::{
    Leftover, SessionChange, Sharing, Telltale, classify, session_change, sets_for_transaction, sharing,
    stays_in_session, telltale,
};
pub use delimiter::{EndDelimiter, NotPlain};
pub use diagnostic::{Choice, Diagnostic, Label, Severity};
pub use dialect::{Dialect, ForeignKeys};
pub use engine::Engine;
pub use executable_comments::ExecutableCommentMask;
pub use literal::mentions_literal;
pub use marks::{BadMarks, PlaceholderMarks};
pub use piece::{Class, Effect, Loss, Piece, PieceKind, QualifiedName, TransactionRule};
pub use placeholder::{
    Expanded, UnknownPlaceholder, expand, expand_data, in_usual_marks, placeholders, placeholders_in_data,
};
pub use reach::reaches_beyond;
pub use schema::{AfterState, ObjectKind, PartChange, PartState, SchemaChange, SchemaObject, TablePart};
pub use span::{Position, Span};
pub use splitter::{Splitter, split};
pub use table_use::{TableUse, table_use};
pub use variables::{FoundVariable, VariableFault, VariableLines, variable_fault, variable_value};
