//! What a [`crate::Migrator`] must know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use limosa_core::{Limits, OutOfOrder};
use limosa_db::Secret;
use limosa_formats::LayoutChoice;
use limosa_run::Values;
use limosa_sql::ForeignKeys;

use crate::project_of_files::DEFAULT;
use crate::{Embedded, RustCallback, RustMigration};

/// Everything that a project's settings decide. Values from the outside world are in here already.
#[derive(Clone)]
pub struct Configuration {
    /// The URL or key=value string of the database.
    pub database: Secret,
    /// Where the server is to be reached without a pooler, for work that a pooler cannot carry.
    pub direct_url: Option<Secret>,
    /// Folders of migrations.
    pub directories: Vec<PathBuf>,
    /// Migrations that are compiled in; they take the place of the folders.
    pub embedded: Option<Embedded>,
    /// Migrations in Rust.
    pub code: Vec<RustMigration>,
    /// Callbacks that are code of the application.
    pub hooks: Vec<RustCallback>,
    /// How the migrations are named.
    pub layout: LayoutChoice,
    /// Schemas (PostgreSQL) or databases (MySQL) that are made before the first migration where they are missing.
    pub create_schemas: Vec<String>,
    /// Callbacks may be programs.
    pub allow_commands: bool,
    /// The first migrate runs though another tool has migrated this database, or it holds tables that Flyway would not touch.
    pub ignore_other_ledgers: bool,
    /// The table in which the tool of the files keeps its record, `table` or `schema.table`; None where its own settings say it, or it
    /// has its usual name.
    pub tool_table: Option<String>,
    /// `${...}` in scripts is replaced.
    pub replace_placeholders: bool,
    /// `migrate` compares each file that was applied, byte for byte, with what the ledger knows of it. Else it goes by names alone.
    pub verify_applied: bool,
    /// PostgreSQL: small migrations share transactions: those that only make objects and fill them, in a database that holds nothing yet, and
    /// ways back that drop objects, while no other session uses the database.
    pub share_transactions: bool,
    /// SQLite: what each script begins with; None where that is what the tool of the files has.
    pub foreign_keys: Option<ForeignKeys>,
    /// The project: first part of every key in the ledger.
    pub project: String,
    /// It is said, and the files do not name it themselves (as Sqitch's plan does, where nobody says another one).
    pub project_is_given: bool,
    /// The environment, where one was chosen.
    pub environment: Option<String>,
    /// True where the environment is protected.
    pub protected: bool,
    /// `clean` and `reset` are refused.
    pub clean_disabled: bool,
    /// The version up to which Flyway would count a database with tables and without a ledger as migrated: the first run stops there.
    pub baseline_on_migrate: Option<String>,
    /// MySQL, MariaDB: what sessions begin with besides what the tool of the files sets, as names and values in SQL.
    pub session_settings: Vec<(String, String)>,
    /// Schema (PostgreSQL) or prefix (elsewhere) of the ledger's tables.
    pub ledger_schema: String,
    /// Role to take on, for the ownership of objects.
    pub role: Option<String>,
    /// Time-outs where a file says nothing.
    pub limits: Limits,
    /// How long to wait for another runner.
    pub lock_wait: Duration,
    /// How long to wait for a database that does not answer yet.
    pub wait_for_database: Option<Duration>,
    /// Silence after which a holder that cannot be looked up counts as gone.
    pub lease: Duration,
    /// What to do with versions that come late.
    pub out_of_order: OutOfOrder,
    /// All steps in one transaction.
    pub single_transaction: bool,
    /// Whether a pooler in transaction mode stands between; None means: find out.
    pub pooled: Option<bool>,
    /// Values for `${name}`.
    pub values: Values,
    /// The process environment, for `PG*` variables.
    pub variables: BTreeMap<String, String>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// Who runs: user and host, and process.
    pub actor: String,
    /// Where backups go.
    pub backup_directory: PathBuf,
    /// A file to which each run appends the head of the audit log.
    pub anchor_file: Option<PathBuf>,
    /// The key for the HMAC of anchors.
    pub anchor_key: Option<Secret>,
}

impl Configuration {
    /// A configuration with defaults for everything but the database.
    pub fn new(database: impl Into<String>) -> Configuration {
        Configuration {
            database: Secret::new(database),
            direct_url: None,
            directories: vec![PathBuf::from("migrations")],
            embedded: None,
            code: Vec::new(),
            hooks: Vec::new(),
            layout: LayoutChoice::Auto,
            create_schemas: Vec::new(),
            allow_commands: false,
            ignore_other_ledgers: false,
            tool_table: None,
            replace_placeholders: true,
            verify_applied: true,
            share_transactions: true,
            foreign_keys: None,
            project: DEFAULT.to_owned(),
            project_is_given: false,
            environment: None,
            protected: false,
            clean_disabled: false,
            baseline_on_migrate: None,
            session_settings: Vec::new(),
            ledger_schema: "limosa".to_owned(),
            role: None,
            limits: Limits { lock_timeout_ms: 3000, lock_retries: 10, statement_timeout_ms: 0 },
            lock_wait: Duration::from_secs(60),
            wait_for_database: None,
            lease: Duration::from_secs(30),
            out_of_order: OutOfOrder::Refuse,
            single_transaction: false,
            pooled: None,
            values: Values::default(),
            variables: BTreeMap::new(),
            home: None,
            actor: "limosa".to_owned(),
            backup_directory: PathBuf::from("backups"),
            anchor_file: None,
            anchor_key: None,
        }
    }
}
