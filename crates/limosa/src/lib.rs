//! limosa as a library: run and undo SQL migrations, safely.
//!
//! ```no_run
//! use limosa::{Configuration, MigrateOptions, Migrator, Progress, Stop};
//!
//! # async fn example() -> Result<(), limosa::Failure> {
//! let migrator = Migrator::new(Configuration::new("sqlite:app.db"));
//! let answer = migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await?;
//! assert_eq!(answer.exit_code, 0);
//! # Ok(())
//! # }
//! ```
//!
//! Surprises: a run that was begun gives an answer, not an error, whatever its end; look at its `exit_code`. Methods that
//! only look (`status`, `plan`, `validate`, `history`, `ready`, `health`, `doctor`) write nothing, not even a ledger.

mod anchor;
mod backup;
mod branches;
mod builtins;
mod by_hand;
pub mod clock;
pub mod codes;
mod commands;
mod configuration;
mod counted_values;
mod default_schema;
mod elsewhere;
mod embedding;
mod enum_values;
mod event;
mod failure;
mod files;
mod flyway_baseline;
mod git;
mod interrupted_scripts;
mod ledger_told;
mod login_settings;
mod migrator;
mod missing_ledger;
mod opened;
mod policy;
mod project_of_files;
mod reading;
pub mod report;
mod schemas;
mod scripts;
pub mod settings;
mod side_by_side;
mod strays;
mod structure;
mod telling;
mod tool_sessions;
mod unread;

pub use commands::adopt::{AdoptOptions, GoBackOptions, ProveOn};
pub use commands::export::ExportOptions;
pub use commands::init::{init, ledger_script};
pub use commands::migrate::MigrateOptions;
pub use commands::repair::Repair;
pub use commands::rollback::{RollbackDifference, RollbackOptions};
pub use commands::scaffold::{NewKind, Numbering, RenumberOptions, Template, TemplateDetails};
pub use commands::status::StatusOptions;
pub use configuration::Configuration;
pub use embedding::{Builder, Embedded, RustCallback, RustMigration, Scratch, Summary};
pub use event::{Began, CopyKind, CopyUnit, Copying, Ended, Listener, Progress};
pub use failure::{Exit, Failure};
pub use limosa_core::{
    AuditHead, CallbackEvent, Direction, ForeignTool, Identity, Limits, OutOfOrder, Selection, SharedText, State,
    Version,
};
pub use limosa_db::{Blocker, DbError, Notice, Row, Secret, Value};
pub use limosa_formats::flyway::Naming as FlywayNaming;
pub use limosa_formats::native::{HeaderRule, header_rules};
pub use limosa_formats::pattern::{BadPattern, Pattern};
pub use limosa_formats::{Layout, LayoutChoice};
pub use limosa_run::{Code, CodeError, CodeFuture, Connection, Event, StepState, Stop, Values};
pub use limosa_sql::{BadMarks, Choice, Diagnostic, Engine, ForeignKeys, Label, PlaceholderMarks, Position, Severity};
pub use migrator::Migrator;
