//! Private databases, the shells of their engines, and what stands in them.

mod form;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use limosa_testkit::{MysqlServer, MysqlVersion, PostgresServer, PostgresVersion, TestDatabase, mysql, postgres};
use tempfile::TempDir;

use crate::projects::Engine;
use crate::scripts::Script;

pub(crate) use form::same;

/// Servers that were started.
#[derive(Default)]
pub(crate) struct Servers {
    postgres: Option<PostgresServer>,
    mariadb: Option<MysqlServer>,
}

impl Servers {
    /// An empty database.
    pub(crate) fn database(&mut self, engine: Engine) -> Result<Database> {
        match engine {
            Engine::Postgres => {
                let server = match self.postgres.take() {
                    Some(server) => server,
                    None => PostgresServer::start(&postgres_with_dump()?)?,
                };
                let server = self.postgres.insert(server);
                let bin = server.version().bin().to_owned();
                let version = format!("PostgreSQL {}", server.version().major());
                Ok(Database::Postgres { database: server.create_database()?, bin, version })
            }
            Engine::Mariadb => {
                let server = match self.mariadb.take() {
                    Some(server) => server,
                    None => MysqlServer::start(&mariadb()?)?,
                };
                let server = self.mariadb.insert(server);
                // The project before may have wanted it otherwise.
                server.execute("mysql", "set global foreign_key_checks = 1")?;
                let version = format!("MariaDB {}.{}", server.version().major(), server.version().minor());
                Ok(Database::Mariadb { database: server.create_database()?, version })
            }
            Engine::Sqlite => Ok(Database::Sqlite { folder: tempfile::tempdir()? }),
        }
    }
}

/// The newest PostgreSQL that has its shell and its dump beside it.
fn postgres_with_dump() -> Result<PostgresVersion> {
    let has = |version: &PostgresVersion| ["psql", "pg_dump"].iter().all(|name| version.program(name).is_some());
    postgres::versions()?.into_iter().rfind(has).context("no PostgreSQL here has psql and pg_dump beside its server")
}

fn mariadb() -> Result<MysqlVersion> {
    let found = mysql::versions()?.into_iter().rfind(MysqlVersion::is_mariadb);
    found.context("no MariaDB was found")
}

/// One database.
pub(crate) enum Database {
    Postgres { database: TestDatabase, bin: PathBuf, version: String },
    Mariadb { database: mysql::TestDatabase, version: String },
    Sqlite { folder: TempDir },
}

/// What stands in a database, without what limosa keeps.
#[derive(PartialEq, Eq)]
pub(crate) struct Content {
    /// The lines of its dump without data.
    pub(crate) schema: Vec<String>,
    /// How many rows each table has.
    pub(crate) rows: BTreeMap<String, u64>,
}

impl Database {
    /// The engine with its version.
    pub(crate) fn version(&self) -> String {
        match self {
            Database::Postgres { version, .. } | Database::Mariadb { version, .. } => version.clone(),
            Database::Sqlite { .. } => "SQLite".to_owned(),
        }
    }

    /// What limosa is given.
    pub(crate) fn url(&self) -> String {
        match self {
            Database::Postgres { database, .. } => database.url(),
            Database::Mariadb { database, .. } => database.url(),
            Database::Sqlite { folder } => format!("sqlite:{}", folder.path().join("history.db").display()),
        }
    }

    /// Runs a script by the engine's own shell; Err is what the shell says of a statement that failed.
    pub(crate) fn run(&self, script: &Script) -> Result<Result<(), String>> {
        let (mut shell, sql) = match self {
            Database::Postgres { bin, .. } => {
                let mut shell = self.psql(bin, "psql");
                shell.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"]);
                if script.in_transaction {
                    shell.arg("--single-transaction");
                }
                (shell, script.sql.clone())
            }
            Database::Mariadb { .. } => (self.mariadb("mariadb"), script.sql.clone()),
            Database::Sqlite { folder } => {
                let mut shell = Command::new("sqlite3");
                shell.args(["-batch", "-bail"]).arg(folder.path().join("history.db"));
                let sql = match script.in_transaction {
                    true => format!("BEGIN;\n{}\n;COMMIT;\n", script.sql),
                    false => script.sql.clone(),
                };
                (shell, sql)
            }
        };
        let input = tempfile::NamedTempFile::new()?;
        fs::write(input.path(), sql)?;
        shell.stdin(Stdio::from(fs::File::open(input.path())?));
        let output = shell.output().context("cannot run the engine's shell")?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(if output.status.success() { Ok(()) } else { Err(said) })
    }

    /// What stands here.
    pub(crate) fn content(&self) -> Result<Content> {
        match self {
            Database::Postgres { database, bin, .. } => {
                let mut dump = self.psql(bin, "pg_dump");
                dump.args(["--schema-only", "--no-owner", "--exclude-schema=limosa"]);
                let tables = database.query(
                    "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = \
                     c.relnamespace where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname not in \
                     ('information_schema', 'limosa')",
                )?;
                let rows = count(first_column(tables), |sql| Ok(first_column(database.query(sql)?)))?;
                Ok(Content { schema: schema(&run(&mut dump)?, database.name()), rows })
            }
            Database::Mariadb { database, .. } => {
                let mut dump = self.mariadb("mariadb-dump");
                dump.args(["--no-data", "--routines", "--events", "--skip-comments"]);
                let tables = first_column(database.query(
                    "select table_name from information_schema.tables where table_schema = database() and \
                     table_type = 'BASE TABLE'",
                )?);
                let (own, tables): (Vec<_>, Vec<_>) = tables.into_iter().partition(|name| name.starts_with("limosa_"));
                for name in own {
                    dump.arg(format!("--ignore-table={}.{name}", database.name()));
                }
                let tables = tables.into_iter().map(|name| format!("`{name}`")).collect();
                let rows = count(tables, |sql| Ok(first_column(database.query(sql)?)))?;
                Ok(Content { schema: schema(&run(&mut dump)?, database.name()), rows })
            }
            Database::Sqlite { .. } => {
                let ask = |sql: &str| self.texts(sql);
                let schema = ask(
                    "select type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') from sqlite_schema \
                     where tbl_name not like 'limosa\\_%' escape '\\' and name != 'sqlite_sequence' order by type, name",
                )?;
                let tables = ask(
                    "select '\"' || replace(name, '\"', '\"\"') || '\"' from sqlite_schema where type = 'table' and \
                     name not like 'limosa\\_%' escape '\\' and name not like 'sqlite\\_%' escape '\\'",
                )?;
                Ok(Content { schema, rows: count(tables, ask)? })
            }
        }
    }

    /// The first column of what a query gives, as texts.
    pub(crate) fn texts(&self, sql: &str) -> Result<Vec<String>> {
        match self {
            Database::Postgres { database, .. } => Ok(first_column(database.query(sql)?)),
            Database::Mariadb { database, .. } => Ok(first_column(database.query(sql)?)),
            Database::Sqlite { folder } => {
                let mut shell = Command::new("sqlite3");
                shell.args(["-batch", "-bail"]).arg(folder.path().join("history.db")).arg(sql);
                Ok(run(&mut shell)?.lines().map(str::to_owned).collect())
            }
        }
    }

    /// All that stands in a database of PostgreSQL's, as its own program writes it in statements.
    pub(crate) fn whole(&self) -> Result<String> {
        let Database::Postgres { bin, .. } = self else { bail!("only databases of PostgreSQL's are dumped") };
        let mut dump = self.psql(bin, "pg_dump");
        dump.args(["--no-owner", "--inserts"]).env("PGTZ", "UTC");
        run(&mut dump)
    }

    fn psql(&self, bin: &Path, program: &str) -> Command {
        let mut command = Command::new(bin.join(program));
        if let Database::Postgres { database, .. } = self {
            command.args(["--username", "postgres", "--port", &database.port().to_string(), "--host"]);
            command.arg(database.socket_folder()).args(["--dbname", database.name()]);
        }
        command
    }

    /// The server's default character set, as its applications' drivers have it.
    pub(crate) fn mariadb(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Database::Mariadb { database, .. } = self {
            command.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--default-character-set=utf8mb4"]);
            command.arg(format!("--port={}", database.port())).arg(format!("--user={}", database.user()));
            command.arg(format!("--password={}", database.password())).arg(database.name());
        }
        command
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_column(rows: mysql::Rows) -> Vec<String> {
    rows.iter().filter_map(|row| row.first().cloned().flatten()).collect()
}

/// The lines of a dump without comments; the database's own name stands for any other's.
fn schema(dump: &str, name: &str) -> Vec<String> {
    let is_text = |line: &&str| {
        !line.is_empty() && !["--", "\\restrict", "\\unrestrict"].iter().any(|begin| line.starts_with(begin))
    };
    dump.lines().filter(is_text).map(|line| line.replace(name, "the_database")).collect()
}

fn count(mut tables: Vec<String>, ask: impl Fn(&str) -> Result<Vec<String>>) -> Result<BTreeMap<String, u64>> {
    tables.sort();
    let mut rows = BTreeMap::new();
    for table in tables {
        let answer = ask(&format!("select count(*) from {table}"))?;
        let number = answer.first().and_then(|number| number.parse().ok());
        rows.insert(table, number.context("a count is no number")?);
    }
    Ok(rows)
}
