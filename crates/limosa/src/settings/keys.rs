//! The one table of keys. Files, variables, flags, documentation and `config explain` follow from it.

/// What a value of a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// A text that may be empty.
    TextOrNothing,
    /// A text that must not be printed; may be a reference.
    Secret,
    /// The address of a database; may be a reference, or hold references in `${...}`; its passwords are hidden.
    Url,
    /// A file or folder. In the configuration file it is relative to that file, elsewhere to the current folder.
    Path,
    /// Several of them. In a variable they are separated by commas; a flag is repeated.
    Paths,
    /// Several names, separated like paths.
    Names,
    /// A time such as `3s`, `500ms`, `2m`, `1h30m`; `0` and `off` mean none.
    Duration {
        /// The shortest that may be given, in milliseconds; `off` is refused where it is not 0.
        least_ms: u64,
        /// The longest that may be given, in milliseconds.
        most_ms: u64,
    },
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer {
        /// The smallest that may be given.
        least: u64,
        /// The largest that may be given.
        most: u64,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Names with values: placeholders.
    Map,
}

/// Where a key may stand in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the top, and in `[environments.NAME]`, which counts more.
    TopAndEnvironments,
    /// At the top only.
    Top,
    /// Nowhere: only variables and flags give it.
    Outside,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The name in the configuration file; `ledger.schema` stands for `schema` in the table `[ledger]`.
    pub name: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// Where it may stand in the configuration file.
    pub place: Place,
    /// The environment variable.
    pub variable: Option<&'static str>,
    /// The flag, with its two dashes.
    pub flag: Option<&'static str>,
    /// What holds where nothing is given, written as in a variable.
    pub default: Option<&'static str>,
    /// What Flyway calls it, or the nearest that Flyway has.
    pub flyway: Option<&'static str>,
    /// Other words under which people look for it.
    pub also: &'static [&'static str],
    /// What it decides; one line without a full stop.
    pub doc: &'static str,
}

impl Key {
    /// True where a value must not be printed as it is.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Url)
    }

    /// The name as it is written inside its table: `schema` for `ledger.schema`.
    pub fn last_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Key {
        let place = Place::TopAndEnvironments;
        Key { name, kind, place, variable: None, flag: None, default: None, flyway: None, also: &[], doc }
    }

    const fn given(self, variable: &'static str, flag: &'static str) -> Key {
        Key { variable: Some(variable), flag: Some(flag), ..self }
    }

    const fn variable(self, variable: &'static str) -> Key {
        Key { variable: Some(variable), ..self }
    }

    const fn default(self, default: &'static str) -> Key {
        Key { default: Some(default), ..self }
    }

    const fn flyway(self, flyway: &'static str) -> Key {
        Key { flyway: Some(flyway), ..self }
    }

    const fn also(self, also: &'static [&'static str]) -> Key {
        Key { also, ..self }
    }

    const fn only(self, place: Place) -> Key {
        Key { place, ..self }
    }
}

/// PostgreSQL holds its time-outs in a signed 32-bit number of milliseconds (documentation, "Client Connection Defaults").
const LONGEST_TIMEOUT_MS: u64 = 2_147_483_647;
const DAY_MS: u64 = 86_400_000;
const TIMEOUT: Kind = Kind::Duration { least_ms: 0, most_ms: LONGEST_TIMEOUT_MS };
const WAIT: Kind = Kind::Duration { least_ms: 0, most_ms: 7 * DAY_MS };

/// All keys, in the order in which people read them.
pub const KEYS: &[Key] = &[
    Key::new("config", Kind::Path, "the configuration file, in place of the limosa.toml that is looked for")
        .only(Place::Outside)
        .given("LIMOSA_CONFIG", "--config")
        .flyway("flyway.configFiles"),
    Key::new(
        "environment",
        Kind::Text,
        "the section [environments.NAME] that counts; in the file: the one that counts where none is named",
    )
    .only(Place::Top)
    .given("LIMOSA_ENVIRONMENT", "--environment")
    .flyway("flyway.environment")
    .also(&["env", "default_environment"]),
    Key::new("env_file", Kind::Path, "a file of NAME=VALUE lines whose variables count below those of the process")
        .given("LIMOSA_ENV_FILE", "--env-file")
        .also(&["dotenv", "envfile"]),
    Key::new(
        "database",
        Kind::Url,
        "the database: sqlite:path, postgres://user@host:5432/name, key=value pairs, or mysql://user@host:3306/name",
    )
    .given("LIMOSA_DATABASE", "--database")
    .flyway("flyway.url")
    .also(&["url", "database_url", "db", "db_url", "dsn", "connection", "datasource"]),
    Key::new(
        "direct_url",
        Kind::Url,
        "the same database past its connection pooler, for work that a pooler cannot carry",
    )
    .given("LIMOSA_DIRECT_URL", "--direct-url")
    .also(&["direct", "direct_database"]),
    Key::new(
        "pooled",
        Kind::Choice(&["auto", "yes", "no"]),
        "whether a pooler in transaction mode stands before the database; auto finds out",
    )
    .given("LIMOSA_POOLED", "--pooled")
    .default("auto")
    .also(&["pooler", "pgbouncer"]),
    Key::new("role", Kind::Text, "the role to take on after connecting, so that it owns what is made")
        .given("LIMOSA_ROLE", "--role")
        .also(&["set_role", "owner"]),
    Key::new("wait_for_database", WAIT, "how long to wait for a database that does not answer yet")
        .given("LIMOSA_WAIT_FOR_DATABASE", "--wait-for-database")
        .default("off")
        .flyway("flyway.connectRetries")
        .also(&["wait", "connect_retries"]),
    Key::new("dir", Kind::Paths, "the folders of the migrations")
        .given("LIMOSA_DIR", "--dir")
        .default("migrations")
        .flyway("flyway.locations")
        .also(&["dirs", "directory", "directories", "migrations", "migrations_dir", "folder", "path"]),
    Key::new(
        "format",
        Kind::Choice(&[
            "auto",
            "native",
            "flyway",
            "goose",
            "dbmate",
            "sql_migrate",
            "node_pg_migrate",
            "sqlx",
            "refinery",
            "diesel",
            "prisma",
            "drizzle",
            "sqitch",
            "liquibase",
            "pattern",
            "up_down",
        ]),
        "how the migrations are named and marked; auto looks at the names, and at the first lines of a few files",
    )
    .given("LIMOSA_FORMAT", "--format")
    .default("auto")
    .also(&["layout", "tool"]),
    Key::new(
        "pattern",
        Kind::Text,
        "a naming of one's own, of {version}, {name} and {direction}, such as V{version}.{name}.{direction}.sql",
    )
    .given("LIMOSA_PATTERN", "--pattern")
    .also(&["naming", "file_name", "filename", "names"]),
    Key::new(
        "create_schemas",
        Kind::Names,
        "schemas (PostgreSQL) or databases (MySQL) that are made before the first migration where they are missing",
    )
    .variable("LIMOSA_CREATE_SCHEMAS")
    .flyway("flyway.schemas")
    .also(&["schemas"]),
    Key::new("allow_commands", Kind::Boolean, "callbacks may be programs (afterMigrate.sh), which run as this user")
        .given("LIMOSA_ALLOW_COMMANDS", "--allow-commands")
        .default("false"),
    Key::new(
        "ignore_other_ledgers",
        Kind::Boolean,
        "the first migrate runs though another tool has migrated this database, or it holds tables that Flyway would not touch",
    )
    .given("LIMOSA_IGNORE_OTHER_LEDGERS", "--ignore-other-ledgers")
    .default("false"),
    Key::new(
        "tool_table",
        Kind::Text,
        "the table in which the tool of the files keeps its record, NAME or SCHEMA.NAME, where its own settings do not say it",
    )
    .variable("LIMOSA_TOOL_TABLE")
    .flyway("flyway.table")
    .also(&["ledger_table", "history_table", "migrations_table"]),
    Key::new(
        "project",
        Kind::Text,
        "the name that begins every key of the ledger, so that projects can share a database; where nobody says one, Sqitch's plan does",
    )
    .given("LIMOSA_PROJECT", "--project")
    .default("default")
    .also(&["service", "app", "application", "name"]),
    Key::new(
        "protected",
        Kind::Boolean,
        "refuses clean, reset, executed dry runs and rollbacks that lose data, whatever the flags",
    )
    .also(&["production", "readonly"]),
    Key::new("clean_disabled", Kind::Boolean, "refuses clean and reset, whatever the flags")
        .variable("LIMOSA_CLEAN_DISABLED")
        .default("false")
        .flyway("flyway.cleanDisabled"),
    Key::new(
        "out_of_order",
        Kind::Choice(&["refuse", "warn", "allow"]),
        "what to do with a version that comes after a newer one was applied",
    )
    .given("LIMOSA_OUT_OF_ORDER", "--out-of-order")
    .default("refuse")
    .flyway("flyway.outOfOrder"),
    Key::new("single_transaction", Kind::Boolean, "all migrations of a run in one transaction")
        .given("LIMOSA_SINGLE_TRANSACTION", "--single-transaction")
        .default("false")
        .flyway("flyway.group")
        .also(&["group", "one_transaction"]),
    Key::new(
        "share_transactions",
        Kind::Boolean,
        "false commits each migration by itself also where small ones else share transactions: on PostgreSQL those that only make objects, or \
         fill them with rows of their own, in a database that held nothing before the run, and ways back that drop objects while no other \
         session uses the database",
    )
    .variable("LIMOSA_SHARE_TRANSACTIONS")
    .default("true"),
    Key::new("auto_rollback", Kind::Boolean, "after a failure, takes back what the run did; for preview environments")
        .given("LIMOSA_AUTO_ROLLBACK", "--auto-rollback")
        .default("false"),
    Key::new("backup", Kind::Boolean, "makes a backup before each migrate and rollback")
        .given("LIMOSA_BACKUP", "--backup")
        .default("false"),
    Key::new("backup_dir", Kind::Path, "the folder of the backups")
        .given("LIMOSA_BACKUP_DIR", "--backup-dir")
        .default("backups")
        .also(&["backups", "backup_directory"]),
    Key::new("lock_timeout", TIMEOUT, "how long a statement waits for a table lock, for each attempt")
        .given("LIMOSA_LOCK_TIMEOUT", "--lock-timeout")
        .default("3s"),
    Key::new("lock_retries", Kind::Integer { least: 0, most: 1000 }, "how often a lock time-out is tried again")
        .given("LIMOSA_LOCK_RETRIES", "--lock-retries")
        .default("10"),
    Key::new("statement_timeout", TIMEOUT, "how long a statement may run")
        .given("LIMOSA_STATEMENT_TIMEOUT", "--statement-timeout")
        .default("off")
        .also(&["timeout"]),
    Key::new("lock_wait", WAIT, "how long to wait for another runner")
        .given("LIMOSA_LOCK_WAIT", "--lock-wait")
        .default("60s")
        .flyway("flyway.lockRetryCount"),
    Key::new(
        "lease",
        Kind::Duration { least_ms: 1000, most_ms: DAY_MS },
        "the silence after which another runner that cannot be looked up counts as gone",
    )
    .variable("LIMOSA_LEASE")
    .default("30s"),
    Key::new(
        "placeholders",
        Kind::Map,
        "values for ${name} in scripts; a value may be a reference in the configuration file only",
    )
    .given("LIMOSA_PLACEHOLDER_", "--placeholder")
    .flyway("flyway.placeholders")
    .also(&["placeholder", "variables", "vars"]),
    Key::new("replace_placeholders", Kind::Boolean, "false leaves ${...} alone in all scripts")
        .variable("LIMOSA_REPLACE_PLACEHOLDERS")
        .default("true")
        .flyway("flyway.placeholderReplacement"),
    Key::new(
        "verify_applied",
        Kind::Boolean,
        "false lets migrate go by names alone: files that the ledger has as applied are not opened, and one that changed is not \
         noticed; repeatables, and every other command, look all the same",
    )
    .variable("LIMOSA_VERIFY_APPLIED")
    .default("true")
    .flyway("flyway.validateOnMigrate"),
    Key::new(
        "secret_placeholders",
        Kind::Names,
        "placeholders whose values are never stored or shown; those given by reference always are; lists add up",
    )
    .variable("LIMOSA_SECRET_PLACEHOLDERS")
    .also(&["secrets"]),
    Key::new("ledger.schema", Kind::Text, "the schema (PostgreSQL) or the prefix (elsewhere) of limosa's own tables")
        .given("LIMOSA_LEDGER_SCHEMA", "--ledger-schema")
        .default("limosa")
        .flyway("flyway.defaultSchema")
        .also(&["schema", "ledger_schema", "table"]),
    Key::new(
        "sqlite.foreign_keys",
        Kind::Choice(&["auto", "on", "off"]),
        "what PRAGMA foreign_keys each script begins with on SQLite; auto does as the tool does that the files were written for",
    )
    .variable("LIMOSA_SQLITE_FOREIGN_KEYS")
    .default("auto")
    .also(&["foreign_keys", "pragma", "pragmas"]),
    Key::new(
        "flyway.sql_migration_prefix",
        Kind::TextOrNothing,
        "what versioned migrations begin with in Flyway's folders; it may be empty",
    )
        .variable("LIMOSA_FLYWAY_SQL_MIGRATION_PREFIX")
        .default("V")
        .flyway("flyway.sqlMigrationPrefix"),
    Key::new("flyway.undo_sql_migration_prefix", Kind::Text, "what ways back begin with in Flyway's folders")
        .variable("LIMOSA_FLYWAY_UNDO_SQL_MIGRATION_PREFIX")
        .default("U")
        .flyway("flyway.undoSqlMigrationPrefix"),
    Key::new("flyway.repeatable_sql_migration_prefix", Kind::Text, "what repeatables begin with in Flyway's folders")
        .variable("LIMOSA_FLYWAY_REPEATABLE_SQL_MIGRATION_PREFIX")
        .default("R")
        .flyway("flyway.repeatableSqlMigrationPrefix"),
    Key::new("flyway.baseline_migration_prefix", Kind::Text, "what baseline migrations begin with in Flyway's folders")
        .variable("LIMOSA_FLYWAY_BASELINE_MIGRATION_PREFIX")
        .default("B")
        .flyway("flyway.baselineMigrationPrefix"),
    Key::new("flyway.sql_migration_separator", Kind::Text, "what stands before the description in Flyway's folders")
        .variable("LIMOSA_FLYWAY_SQL_MIGRATION_SEPARATOR")
        .default("__")
        .flyway("flyway.sqlMigrationSeparator"),
    Key::new("flyway.sql_migration_suffixes", Kind::Names, "how scripts end in Flyway's folders")
        .variable("LIMOSA_FLYWAY_SQL_MIGRATION_SUFFIXES")
        .default(".sql")
        .flyway("flyway.sqlMigrationSuffixes"),
    Key::new("flyway.placeholder_prefix", Kind::Text, "what stands before the name of a placeholder in Flyway's folders")
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_PREFIX")
        .default("${")
        .flyway("flyway.placeholderPrefix"),
    Key::new("flyway.placeholder_suffix", Kind::Text, "what stands behind the name of a placeholder in Flyway's folders")
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_SUFFIX")
        .default("}")
        .flyway("flyway.placeholderSuffix"),
    Key::new("flyway.placeholder_separator", Kind::Text, "what stands behind `flyway` in the names of built-in placeholders in Flyway's folders")
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_SEPARATOR")
        .default(":")
        .flyway("flyway.placeholderSeparator"),
    Key::new("flyway.script_placeholder_prefix", Kind::Text, "what the variables begin with in which callbacks that are programs get placeholders")
        .variable("LIMOSA_FLYWAY_SCRIPT_PLACEHOLDER_PREFIX")
        .default("FP__")
        .flyway("flyway.scriptPlaceholderPrefix"),
    Key::new("flyway.script_placeholder_suffix", Kind::Text, "what those variables end with")
        .variable("LIMOSA_FLYWAY_SCRIPT_PLACEHOLDER_SUFFIX")
        .default("__")
        .flyway("flyway.scriptPlaceholderSuffix"),
    Key::new(
        "flyway.baseline_on_migrate",
        Kind::Text,
        "the version up to which Flyway would count a database as migrated that holds tables and no ledger: the first run stops there",
    )
    .variable("LIMOSA_FLYWAY_BASELINE_ON_MIGRATE")
    .flyway("flyway.baselineOnMigrate"),
    Key::new("audit.anchor_file", Kind::Path, "a file to which each run appends the head of the audit log")
        .given("LIMOSA_AUDIT_ANCHOR_FILE", "--anchor-file")
        .also(&["anchor_file", "anchor"]),
    Key::new("audit.hmac_key", Kind::Secret, "the key that signs the lines of the anchor file")
        .variable("LIMOSA_AUDIT_HMAC_KEY")
        .also(&["hmac_key", "hmac"]),
    Key::new("actor", Kind::Text, "who runs, as the ledger shows it; where it is not given: user, host and process")
        .given("LIMOSA_ACTOR", "--actor")
        .flyway("flyway.installedBy")
        .also(&["user", "applied_by", "installed_by"]),
    Key::new("output", Kind::Text, "the form of the answers: text, json, or what the command offers besides")
        .given("LIMOSA_OUTPUT", "--output")
        .default("text")
        .flyway("-outputType")
        .also(&["output_type"]),
    Key::new(
        "log_format",
        Kind::Choice(&["text", "json"]),
        "the form of what goes to standard error: text, or JSON lines, one object for each event",
    )
    .given("LIMOSA_LOG_FORMAT", "--log-format")
    .default("text")
    .also(&["log", "log_type", "json_logs"]),
    Key::new("metrics_file", Kind::Path, "a file that each run overwrites with its metrics, in Prometheus' text form")
        .given("LIMOSA_METRICS_FILE", "--metrics-file")
        .also(&["metrics", "prometheus", "textfile"]),
    Key::new(
        "color",
        Kind::Choice(&["auto", "always", "never"]),
        "colours; auto means: on a terminal, unless NO_COLOR is set",
    )
    .given("LIMOSA_COLOR", "--color")
    .default("auto")
    .flyway("-color")
    .also(&["colour", "colors"]),
    Key::new(
        "yes",
        Kind::Boolean,
        "answers plain questions with yes; consent that names a database is asked for besides",
    )
    .only(Place::Outside)
    .given("LIMOSA_YES", "--yes")
    .default("false"),
];

/// The name that other tools use for the variable with the database's address.
pub const FOREIGN_DATABASE_VARIABLE: &str = "DATABASE_URL";

/// The key with this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The tables that group keys: `ledger` for `ledger.schema`.
pub(super) fn is_group(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The key that a reader may have meant with a name that is none.
pub(super) fn nearest(name: &str) -> Option<&'static Key> {
    let plain = plain(name);
    let exact = KEYS.iter().find(|key| {
        let flyway = key.flyway.is_some_and(|flyway| self::plain(flyway.rsplit('.').next().unwrap_or(flyway)) == plain);
        flyway || self::plain(key.name) == plain || key.also.iter().any(|also| self::plain(also) == plain)
    });
    exact.or_else(|| {
        let names = KEYS.iter().flat_map(|key| [(key, key.name), (key, key.last_name())]);
        let near = names.map(|(key, candidate)| (strsim::damerau_levenshtein(&self::plain(candidate), &plain), key));
        near.min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= allowed(&plain))
            .map(|(_, key)| key)
    })
}

/// The nearest of some names to one that is none of them.
pub(super) fn nearest_name<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate)).min()?;
    (near.0 <= allowed(name)).then_some(near.1)
}

/// How many letters may be wrong before a suggestion confuses more than it helps.
fn allowed(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

/// Without the marks that join words, in small letters: `lockTimeout`, `lock-timeout` and `lock_timeout` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::value::{Raw, parse};
    use super::*;

    #[test]
    fn names_variables_and_flags_are_unique_and_follow_one_pattern() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(!KEYS[..index].iter().any(|other| other.name == key.name), "{}", key.name);
            assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{}", key.name);
            let upper = key.name.replace('.', "_").to_uppercase();
            if let Some(variable) = key.variable.filter(|_| key.kind != Kind::Map) {
                assert_eq!(variable, format!("LIMOSA_{upper}"));
            }
            if let Some(flag) = key.flag {
                assert!(flag.starts_with("--"), "{flag}");
                assert!(!KEYS[..index].iter().any(|other| other.flag == Some(flag)), "{flag}");
            }
            assert!(key.variable.is_some() || key.place != Place::Outside, "{} can be given nowhere", key.name);
        }
    }

    #[test]
    fn defaults_are_values_of_their_kind() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert!(parse(key, &Raw::Text(default)).is_ok(), "{}", key.name);
            }
        }
    }

    #[test]
    fn protection_has_neither_variable_nor_flag_and_secrets_have_no_flag() {
        let protected = find("protected").unwrap();
        assert_eq!((protected.variable, protected.flag), (None, None));
        for key in KEYS.iter().filter(|key| key.kind == Kind::Secret) {
            assert_eq!(key.flag, None, "{}: a flag shows in the list of processes", key.name);
        }
    }

    #[test]
    fn the_nearest_key() {
        for (written, meant) in [
            ("databse", "database"),
            ("url", "database"),
            ("locations", "dir"),
            ("outOfOrder", "out_of_order"),
            ("lock-timeout", "lock_timeout"),
            ("lockTimout", "lock_timeout"),
            ("schema", "ledger.schema"),
            ("shema", "ledger.schema"),
            ("defaultSchema", "ledger.schema"),
            ("hmac_key", "audit.hmac_key"),
            ("installedBy", "actor"),
            ("protectd", "protected"),
        ] {
            assert_eq!(nearest(written).map(|key| key.name), Some(meant), "{written}");
        }
        assert_eq!(nearest("quantum_flux"), None);
    }
}
