//! Flyway's settings, and what becomes of each.
//!
//! Names: Flyway documentation, "Configuration", at its version 13.

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is this setting of limosa's.
    Is(&'static str),
    /// It is part of the address.
    Address(Part),
    /// It is read, and turned into what stands here.
    Turned(Turned),
    /// Nothing is to be done for it, for this reason.
    NotNeeded(&'static str),
    /// Something else does it, named here; where its value asks for more than the default, that is said.
    Instead(&'static str),
    /// It cannot be had; only this value of it is taken.
    Only(&'static str, &'static str),
}

/// Parts of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Url,
    User,
    Password,
    DefaultSchema,
}

/// Settings that say the same in other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// `true` becomes `out_of_order = "allow"`.
    OutOfOrder,
    /// Tries of one second become `lock_wait`.
    LockRetryCount,
    /// Tries become `wait_for_database`, ten seconds each.
    ConnectRetries,
    /// Folders, without `filesystem:`.
    Locations,
    /// The first is the default schema, all are made where they are missing.
    Schemas,
    /// Flyway's own table.
    Table,
    /// `false` takes `schemas` back as schemas to be made.
    CreateSchemas,
    /// UTF-8, or what is part of it.
    Encoding,
    /// What it sets is given with the login, or is a setting of limosa's.
    InitSql,
    /// With the version, that of a database with tables and without a ledger: the first run stops there.
    BaselineOnMigrate,
    BaselineVersion,
}

use Fate::{Address, Instead, Is, NotNeeded, Only, Turned as Into};

const PAID: &str = "not needed: limosa does this without a licence";
const JAVA: &str = "limosa runs no Java; write SQL, a command as a callback, or embed the library";
const OWN_DIFF: &str = "not part of running migrations; `limosa plan` shows what would run";

/// All settings of `flyway.conf`, without the `flyway.` in front, in alphabetical order.
pub(super) const KEYS: &[(&str, Fate)] = &[
    ("baselineDescription", NotNeeded("the ledger keeps who counted what, and when")),
    ("baselineMigrationPrefix", Is("flyway.baseline_migration_prefix")),
    ("baselineOnMigrate", Into(Turned::BaselineOnMigrate)),
    ("baselineVersion", Into(Turned::BaselineVersion)),
    ("batch", NotNeeded("statements go out together by themselves")),
    (
        "callbackLocations",
        Only("", "put the callbacks into a folder of `dir`, beside the migrations or in one of their own"),
    ),
    ("callbacks", Only("", JAVA)),
    (
        "cherryPick",
        Only("", "name the last version to run with `limosa migrate --to`; `Environments` in the header of a file"),
    ),
    ("cleanDisabled", Is("clean_disabled")),
    ("cleanOnValidationError", Only("false", "limosa never cleans by itself; `limosa reset` does both, with consent")),
    ("color", Is("color")),
    ("communityDBSupportEnabled", NotNeeded("there is one edition")),
    ("configFileEncoding", NotNeeded("configuration files are UTF-8")),
    ("configFiles", Instead("`--config FILE`; the variable `FLYWAY_CONFIG_FILES` is read where it names one file")),
    ("connectRetries", Into(Turned::ConnectRetries)),
    ("connectRetriesInterval", NotNeeded("the database is asked several times a second")),
    ("createSchemas", Into(Turned::CreateSchemas)),
    ("defaultSchema", Address(Part::DefaultSchema)),
    ("detectEncoding", NotNeeded("scripts are UTF-8")),
    ("driver", NotNeeded("the address says which engine is meant")),
    ("dryRunOutput", Only("", "nothing is run by `limosa plan`, or `limosa plan --sql > FILE`")),
    ("displayName", NotNeeded("a name for people")),
    ("encoding", Into(Turned::Encoding)),
    ("environment", Is("environment")),
    ("errorOverrides", Instead("an error stops the run; catch it in the script (DO ... EXCEPTION)")),
    (
        "executeInTransaction",
        Only(
            "true",
            "write executeInTransaction=false into a file of settings beside each that needs it: V2__b.sql.conf",
        ),
    ),
    ("failOnMissingLocations", NotNeeded("a folder that is missing is an error always")),
    ("failOnMissingTarget", NotNeeded("a `--to` that no file has is refused always")),
    ("group", Is("single_transaction")),
    ("ignoreMigrationPatterns", Instead("missing files warn and do not stop; late ones: `out_of_order`")),
    ("ignoreMissingMigrations", NotNeeded("missing files warn and do not stop")),
    ("ignorePendingMigrations", NotNeeded("pending files are no error of `limosa validate`")),
    ("ignoreFutureMigrations", NotNeeded("versions of a newer release warn and do not stop")),
    ("ignoreIgnoredMigrations", Instead("`out_of_order`")),
    ("initSql", Into(Turned::InitSql)),
    ("installedBy", Is("actor")),
    ("jarDirs", NotNeeded("there are no drivers to be loaded")),
    ("licenseKey", NotNeeded("there is one edition")),
    ("locations", Into(Turned::Locations)),
    ("lockRetryCount", Into(Turned::LockRetryCount)),
    ("loggers", NotNeeded("talk goes to stderr, data to stdout; `--output json`")),
    ("migrationResolvers", Only("", JAVA)),
    ("mixed", NotNeeded("statements decide by themselves what can share a transaction; the others are journalled")),
    ("offlinePermitPath", NotNeeded("limosa asks nobody for permission")),
    ("outOfOrder", Into(Turned::OutOfOrder)),
    ("outputFile", Instead("redirect the standard output")),
    ("outputQueryResults", NotNeeded("rows of a migration are not printed")),
    ("outputType", Is("output")),
    ("password", Address(Part::Password)),
    ("placeholderPrefix", Is("flyway.placeholder_prefix")),
    ("placeholderReplacement", Is("replace_placeholders")),
    ("placeholderSeparator", Is("flyway.placeholder_separator")),
    ("placeholderSuffix", Is("flyway.placeholder_suffix")),
    (
        "postgresql.transactional.lock",
        NotNeeded("statements that cannot be in a transaction never wait behind limosa's own lock"),
    ),
    ("powershellExecutable", NotNeeded("callbacks that end with .ps1 are run by pwsh")),
    ("provisioner", Instead("the database is taken as it is; `limosa init` and `limosa restore` make one")),
    ("publishResult", NotNeeded("limosa talks to nobody")),
    ("pipelineId", NotNeeded("limosa talks to nobody")),
    ("repeatableSqlMigrationPrefix", Is("flyway.repeatable_sql_migration_prefix")),
    ("reportEnabled", Instead("`--output json`")),
    ("reportFilename", Instead("`--output json > FILE`")),
    ("resolvers", Only("", JAVA)),
    ("schemas", Into(Turned::Schemas)),
    ("scriptPlaceholderPrefix", Is("flyway.script_placeholder_prefix")),
    ("scriptPlaceholderSuffix", Is("flyway.script_placeholder_suffix")),
    ("skipDefaultCallbacks", Only("false", "move the callbacks out of the folders of migrations")),
    ("skipDefaultResolvers", Only("false", "name the folder with `dir`")),
    (
        "skipExecutingMigrations",
        Only("false", "`limosa baseline --to VERSION` counts versions as applied without running them"),
    ),
    ("sqlMigrationPrefix", Is("flyway.sql_migration_prefix")),
    ("sqlMigrationSeparator", Is("flyway.sql_migration_separator")),
    ("sqlMigrationSuffix", Is("flyway.sql_migration_suffixes")),
    ("sqlMigrationSuffixes", Is("flyway.sql_migration_suffixes")),
    ("stream", NotNeeded(PAID)),
    ("table", Into(Turned::Table)),
    ("tablespace", NotNeeded("limosa's own tables stand in the default tablespace")),
    ("target", Only("latest", "name it in the call: `limosa migrate --to VERSION`")),
    ("token", NotNeeded("limosa asks nobody for permission")),
    ("undoSqlMigrationPrefix", Is("flyway.undo_sql_migration_prefix")),
    ("url", Address(Part::Url)),
    ("user", Address(Part::User)),
    ("username", Address(Part::User)),
    ("validateMigrationNaming", NotNeeded("files whose names are not understood are named in a warning always")),
    ("validateOnMigrate", Is("verify_applied")),
    ("workingDirectory", Instead("run limosa in that folder, or name folders with `dir`")),
];

/// Tables of `flyway.toml` and their like in `flyway.conf` that belong to other things than running migrations.
pub(super) const NAMESPACES: &[(&str, &str)] = &[
    ("add", "`limosa new`"),
    ("azure", "give secrets by reference: env:NAME, file:/path, cmd:program"),
    ("check", OWN_DIFF),
    ("clickhouse", "limosa does not speak ClickHouse"),
    ("conjur", "give secrets by reference: env:NAME, file:/path, cmd:program"),
    ("dapr", "give secrets by reference: env:NAME, file:/path, cmd:program"),
    ("db2z", "limosa does not speak DB2"),
    ("deploy", OWN_DIFF),
    ("diff", OWN_DIFF),
    ("diffText", OWN_DIFF),
    ("email", "limosa talks to nobody"),
    ("gcsm", "give secrets by reference: env:NAME, file:/path, cmd:program"),
    ("flywayDesktop", "not needed: it is for Flyway's desktop program"),
    ("generate", OWN_DIFF),
    ("init", "`limosa init`"),
    ("jdbcProperties", "write parameters into the address"),
    ("kerberosConfigFile", "log in with a password, a certificate or the account of the process"),
    ("migrate", "`limosa migrate`"),
    ("model", OWN_DIFF),
    ("oracle", "limosa does not speak Oracle"),
    ("plugins", "there are no plugins"),
    ("prepare", OWN_DIFF),
    ("redgateCompare", OWN_DIFF),
    ("resolvers", "give secrets by reference: env:NAME, file:/path, cmd:program"),
    ("schemaModelLocation", OWN_DIFF),
    ("schemaModelSchemas", OWN_DIFF),
    ("snapshot", OWN_DIFF),
    ("sqlserver", "limosa does not speak SQL Server"),
    ("tags", "`Tags` in the header of a file"),
    ("undo", "`limosa rollback`"),
    ("vault", "give secrets by reference: env:NAME, file:/path, cmd:program"),
];

/// True where nothing is said of a table: it has nothing to do with migrations.
pub(super) fn is_silent(instead: &str) -> bool {
    instead.starts_with("not needed")
}

impl Fate {
    /// In words, for the documentation.
    pub(super) fn words(self) -> String {
        match self {
            Is(key) => format!("`{key}`"),
            Address(Part::Url) => "`database`; a `jdbc:` address is read as it is".to_owned(),
            Address(Part::User | Part::Password) => {
                "part of `database`; a reference such as `${DB_PASSWORD}` is kept as one".to_owned()
            }
            Address(Part::DefaultSchema) => {
                "the first of the search path (PostgreSQL), unless the address says one itself, wherever that is given; the database (MySQL)"
                    .to_owned()
            }
            Into(Turned::OutOfOrder) => "`out_of_order = \"allow\"`".to_owned(),
            Into(Turned::LockRetryCount) => "`lock_wait`, one second each".to_owned(),
            Into(Turned::ConnectRetries) => "`wait_for_database`, ten seconds each".to_owned(),
            Into(Turned::Locations) => {
                "`dir`; `classpath:` is looked for below `src/main/resources`; no wildcards: a folder is read with all that is in it".to_owned()
            }
            Into(Turned::Schemas) => "`create_schemas`; the first is the default schema where none is given".to_owned(),
            Into(Turned::Table) => "`tool_table`, in the default schema where one is given".to_owned(),
            Into(Turned::BaselineOnMigrate) => {
                "a database that holds tables and no ledger stops the first run, which says what to count: `limosa baseline --to VERSION`, once"
                    .to_owned()
            }
            Into(Turned::BaselineVersion) => "named by that stop; 1 where none is given".to_owned(),
            Into(Turned::Encoding) => {
                "`UTF-8` only, or `US-ASCII`: convert other scripts, `iconv -f ... -t UTF-8`".to_owned()
            }
            Into(Turned::InitSql) => {
                "`SET ROLE` is `role`, `SET lock_timeout` and `SET statement_timeout` are these settings, and what else it sets is given with the \
                 login to PostgreSQL; on MariaDB and MySQL a run begins with it (`lock_wait_timeout` is `lock_timeout`; not `sql_mode`); on SQLite \
                 `PRAGMA foreign_keys` is `sqlite.foreign_keys`; more than to set something: a callback beforeMigrate"
                    .to_owned()
            }
            Into(Turned::CreateSchemas) => "`false` makes none of `schemas`".to_owned(),
            NotNeeded(reason) => format!("not needed: {}", reason.strip_prefix("not needed: ").unwrap_or(reason)),
            Instead(what) => format!("instead: {what}"),
            Only("", why) => format!("not here: {why}"),
            Only(value, why) => format!("`{value}` only: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::find;
    use super::*;

    #[test]
    fn fates_lead_somewhere() {
        for (index, (name, fate)) in KEYS.iter().enumerate() {
            assert!(!KEYS[..index].iter().any(|(other, _)| other == name), "{name}");
            if let Is(key) = fate {
                assert!(find(key).is_some(), "{name}: {key}");
            }
            assert!(!fate.words().is_empty());
        }
    }
}
