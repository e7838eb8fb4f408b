//! The settings as the rest of limosa uses them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use limosa_core::OutOfOrder;
use limosa_db::Secret;
use limosa_formats::pattern::Pattern;
use limosa_formats::{Layout, LayoutChoice, flyway};
use limosa_sql::ForeignKeys;

use super::origin::Origin;

/// All settings, each with its type. The table of keys says what each one means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The configuration file that was read.
    pub config: Option<PathBuf>,
    /// The environment that counts.
    pub environment: Option<String>,
    /// The env file that was asked for.
    pub env_file: Option<PathBuf>,
    /// The address of the database; None where nobody gave one, or where its secrets were not wanted.
    pub database: Option<Secret>,
    /// The address past the connection pooler.
    pub direct_url: Option<Secret>,
    /// Whether a pooler stands between; None means: find out.
    pub pooled: Option<bool>,
    /// The role to take on.
    pub role: Option<String>,
    /// How long to wait for a database that does not answer; None means not at all.
    pub wait_for_database: Option<Duration>,
    /// The folders of migrations.
    pub directories: Vec<PathBuf>,
    /// The format of the migrations, as it was asked for: `auto`, or the name of a format.
    pub format: &'static str,
    /// How the files are named, where that is one's own.
    pub pattern: Option<Pattern>,
    /// How the files are named in Flyway's folders.
    pub flyway: flyway::Naming,
    /// Schemas or databases that are made where they are missing.
    pub create_schemas: Vec<String>,
    /// Callbacks may be programs.
    pub allow_commands: bool,
    /// The first migrate runs though another tool has migrated this database, or it holds tables that Flyway would not touch.
    pub ignore_other_ledgers: bool,
    /// The table in which the tool of the files keeps its record.
    pub tool_table: Option<String>,
    /// `${...}` is replaced.
    pub replace_placeholders: bool,
    /// `migrate` compares files that were applied with the ledger.
    pub verify_applied: bool,
    /// Small migrations of a new database share transactions.
    pub share_transactions: bool,
    /// SQLite: what each script begins with; None where the tool of the files decides.
    pub foreign_keys: Option<ForeignKeys>,
    /// The first part of every key in the ledger.
    pub project: String,
    /// Somebody says it.
    pub project_is_given: bool,
    /// True where nothing may be destroyed, whatever the flags.
    pub protected: bool,
    /// `clean` and `reset` are refused.
    pub clean_disabled: bool,
    /// The version up to which Flyway would count a database with tables and without a ledger as migrated.
    pub baseline_on_migrate: Option<String>,
    /// MySQL, MariaDB: what sessions begin with, as names and values in SQL (Flyway's `initSql`).
    pub session_settings: Vec<(String, String)>,
    /// What to do with versions that come late.
    pub out_of_order: OutOfOrder,
    /// All migrations of a run in one transaction.
    pub single_transaction: bool,
    /// Take back what a failed run did.
    pub auto_rollback: bool,
    /// Make a backup before each migrate and rollback.
    pub backup: bool,
    /// Where backups go.
    pub backup_directory: PathBuf,
    /// How long a statement waits for a lock; zero means for ever.
    pub lock_timeout: Duration,
    /// How often a lock time-out is tried again.
    pub lock_retries: u32,
    /// How long a statement may run; zero means for ever.
    pub statement_timeout: Duration,
    /// How long to wait for another runner.
    pub lock_wait: Duration,
    /// The silence after which a holder that cannot be looked up counts as gone.
    pub lease: Duration,
    /// Values for `${name}`.
    pub placeholders: BTreeMap<String, Placeholder>,
    /// The schema or prefix of the ledger's tables.
    pub ledger_schema: String,
    /// The file to which each run appends the head of the audit log.
    pub anchor_file: Option<PathBuf>,
    /// The key that signs the lines of the anchor file.
    pub hmac_key: Option<Secret>,
    /// Who runs; None means: user, host and process.
    pub actor: Option<String>,
    /// The form of the answers, in small letters.
    pub output: String,
    /// The form of what goes to standard error.
    pub log_format: LogFormat,
    /// The file that each run overwrites with its metrics.
    pub metrics_file: Option<PathBuf>,
    /// When to use colours.
    pub color: Color,
    /// Plain questions are answered with yes.
    pub yes: bool,
}

impl Settings {
    /// How the migrations are named. The naming of Flyway's folders counts where that format was asked for, or where it is not
    /// the usual one; a pattern counts where no other format was asked for.
    pub fn layout(&self) -> LayoutChoice {
        let pattern = self.pattern.clone().map(Layout::Pattern);
        let of_flyway = Layout::Flyway(self.flyway.clone());
        let layout = match self.format {
            "flyway" => Some(of_flyway),
            "auto" if pattern.is_some() => pattern,
            "auto" if self.flyway != flyway::Naming::default() => Some(of_flyway),
            "pattern" => pattern,
            name => Layout::of_format(name),
        };
        layout.map_or(LayoutChoice::Auto, LayoutChoice::Given)
    }
}

/// The form of what goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// JSON lines: one object for each event.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The value; the reference itself where references were not followed.
    pub value: Secret,
    /// True where only the name may be stored or shown.
    pub secret: bool,
    /// Where the value came from, as far as that may be shown: `env:NAME`, `file:/path`, `cmd:program ***`.
    pub reference: Option<String>,
}

/// Where each value came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    pub(super) sources: BTreeMap<String, Source>,
}

/// Where one value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The place that won.
    pub origin: Origin,
    /// The reference that was followed, as far as it may be shown.
    pub reference: Option<String>,
    /// The places that gave another value and lost, the strongest first; defaults are left out.
    pub shadowed: Vec<Origin>,
    /// An address that was put together from references, as it may be shown.
    pub(super) shown: Option<String>,
}

impl Provenance {
    /// Where the value of a key came from; placeholders are called `placeholders.NAME`. None where nobody gave one.
    pub fn of(&self, key: &str) -> Option<&Source> {
        self.sources.get(key)
    }

    pub(super) fn note(&mut self, key: &str, origin: Origin, reference: Option<String>, shadowed: Vec<Origin>) {
        let shadowed = shadowed.into_iter().filter(|origin| *origin != Origin::Default).collect();
        self.sources.insert(key.to_owned(), Source { origin, reference, shadowed, shown: None });
    }
}
