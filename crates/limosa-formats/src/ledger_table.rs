//! The table in which the tool of a folder keeps its record: the usual one, or the one that settings of the tool name.
//!
//! Sources: goose `cmd/goose/main.go` (`GOOSE_TABLE`), dbmate `main.go` (`DBMATE_MIGRATIONS_TABLE`), sql-migrate
//! `sql-migrate/config.go` (`dbconfig.yml`), sqlx `sqlx-core/src/config/migrate.rs`, node-pg-migrate `bin/node-pg-migrate.ts`
//! (`config/default.json`), drizzle-kit `src/cli/validations/common.ts` (`drizzle.config.ts`), Sqitch `lib/App/Sqitch/Target.pm`
//! (`sqitch.conf`). What Liquibase's settings say is read with its layout.
//!
//! A name in capitals is another one for a tool that quotes it than for one that does not, where the server makes small letters of
//! what is not quoted (PostgreSQL). goose (`internal/dialects/postgres.go`) and sqlx put the name into their statements as it stands;
//! dbmate, sql-migrate (gorp), node-pg-migrate and drizzle quote it.

mod database_configuration;
mod drizzle_config;

use limosa_sql::Engine;

use crate::formats::sqlx;
use crate::layout::Layout;

/// Where a tool keeps its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTable {
    /// The schema (MySQL: the database), unquoted; None where none is named.
    pub schema: Option<String>,
    /// The table, unquoted.
    pub table: String,
    /// What names it: a file or a setting; None for the name that the tool has for itself.
    pub told_by: Option<String>,
}

/// A schema and a table, as far as settings name them.
type Parts = (Option<String>, Option<String>);

impl LedgerTable {
    /// What somebody wrote: `table` or `schema.table`, each in quotes or not.
    pub fn parse(written: &str, told_by: impl Into<String>) -> LedgerTable {
        let (schema, table) = parts(written);
        LedgerTable { schema, table, told_by: Some(told_by.into()) }
    }

    /// What a tool puts into its statements as it stands: the server makes small letters of what has no quotes (PostgreSQL).
    pub fn as_sql(written: &str, told_by: impl Into<String>, engine: Engine) -> LedgerTable {
        let folded = |part: String| match engine == Engine::Postgres && !written.contains(&format!("\"{part}\"")) {
            true => part.to_lowercase(),
            false => part,
        };
        let (schema, table) = parts(written);
        LedgerTable { schema: schema.map(folded), table: folded(table), told_by: Some(told_by.into()) }
    }

    /// As somebody would write it, without quotes.
    pub fn written(&self) -> String {
        self.schema.as_ref().map_or_else(|| self.table.clone(), |schema| format!("{schema}.{}", self.table))
    }
}

fn parts(written: &str) -> (Option<String>, String) {
    let bare = |part: &str| part.trim().trim_matches(['"', '`']).to_owned();
    match written.split_once('.') {
        Some((schema, table)) => (Some(bare(schema)), bare(table)),
        None => (None, bare(written)),
    }
}

impl Layout {
    /// The table in which the tool of these files keeps its record on an engine, as far as what was learnt tells; None where the
    /// files are of no tool, or it keeps more than one table.
    pub fn ledger_table(&self, engine: Engine) -> Option<LedgerTable> {
        if let Layout::Sqlx(sqlx::Settings { table_name: Some(written), .. }) = self {
            return Some(LedgerTable::as_sql(written, sqlx::SETTINGS, engine));
        }
        let usual = self.usual_table(engine)?;
        if let Layout::Liquibase(changelogs) = self
            && let Some(told) = changelogs.defaults().ledger(engine, &usual)
        {
            return Some(told);
        }
        Some(LedgerTable { schema: None, table: usual, told_by: None })
    }

    /// The table in which Sqitch keeps its registry, where that is not in sight by itself: of another schema, or another database.
    pub fn registry_table(&self, engine: Engine) -> Option<LedgerTable> {
        let Layout::Sqitch(project) = self else { return None };
        let (registry, told_by) = project.registry_schema(engine)?;
        let table = "changes".to_owned();
        Some(LedgerTable { schema: Some(registry.to_owned()), table, told_by: Some(told_by.to_owned()) })
    }

    /// The schema that the tool makes for its table where no other is named: drizzle on PostgreSQL.
    pub fn ledger_schema(&self, engine: Engine) -> Option<&'static str> {
        matches!((self, engine), (Layout::Drizzle(_), Engine::Postgres)).then_some("drizzle")
    }

    /// The variable of the process that names the table, which goes before any file.
    pub fn ledger_variable(&self) -> Option<&'static str> {
        match self {
            Layout::Goose => Some("GOOSE_TABLE"),
            Layout::Dbmate => Some("DBMATE_MIGRATIONS_TABLE"),
            _ => None,
        }
    }

    /// The table that the variable of the process names.
    pub fn told_by_variable(&self, name: &str, written: &str, engine: Engine) -> LedgerTable {
        match self {
            Layout::Goose => LedgerTable::as_sql(written, name, engine),
            _ => LedgerTable::parse(written, name),
        }
    }

    /// The file beside the folder or above it in which the tool's settings may name the schemas that it works in: node-pg-migrate sets the
    /// search path to them before it runs any file (`src/runner.ts`).
    pub fn schema_settings(&self) -> Option<&'static str> {
        matches!(self, Layout::NodePgMigrate).then_some("config/default.json")
    }

    /// The schemas that such a file names.
    pub fn schemas_in(&self, bytes: &[u8]) -> Vec<String> {
        let read: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
        let names: Vec<&serde_json::Value> = match &read["db"]["schema"] {
            serde_json::Value::Array(several) => several.iter().collect(),
            one => vec![one],
        };
        names.into_iter().filter_map(|name| name.as_str()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The files beside the folder or above it in which the tool's settings may name the table; the first that is there counts.
    pub fn ledger_settings(&self) -> &'static [&'static str] {
        match self {
            Layout::Goose | Layout::Dbmate => &[".env"],
            Layout::SqlMigrate => &["dbconfig.yml"],
            Layout::NodePgMigrate => &["config/default.json"],
            Layout::Drizzle(_) => drizzle_config::FILES,
            _ => &[],
        }
    }

    /// What to say of a file whose sections name different tables, none of which is the one that is meant for certain; the name of a
    /// database tells a section by the address in it.
    pub fn ledger_in_doubt(&self, text: &str, environment: Option<&str>, database: Option<&str>) -> Option<String> {
        match self {
            Layout::SqlMigrate => database_configuration::in_doubt(text, environment, database),
            _ => None,
        }
    }

    /// The table that such a file names for an environment, or for the database of this name; None where it names none.
    ///
    /// # Errors
    /// What is wrong with the file. It repeats nothing of it, for it may hold secrets.
    pub fn told_in(
        &self,
        file: &str,
        text: &str,
        environment: Option<&str>,
        database: Option<&str>,
        engine: Engine,
    ) -> Result<Option<LedgerTable>, String> {
        let text = text.trim_start_matches('\u{feff}');
        let (schema, table) = match self {
            Layout::Goose | Layout::Dbmate => {
                let written = self.ledger_variable().and_then(|name| of_env_file(text, name));
                return Ok(written.map(|written| self.told_by_variable(file, &written, engine)));
            }
            Layout::SqlMigrate => database_configuration::parts(text, environment, database)?,
            // Where there are no schemas, drizzle passes over what it is told of one.
            Layout::Drizzle(_) => {
                let (schema, table) = drizzle_config::parts(text)?;
                (schema.filter(|_| engine == Engine::Postgres), table)
            }
            Layout::NodePgMigrate => of_json(text)?,
            _ => (None, None),
        };
        if schema.is_none() && table.is_none() {
            return Ok(None);
        }
        let table = table.or_else(|| self.usual_table(engine));
        Ok(table.map(|table| LedgerTable { schema, table, told_by: Some(file.to_owned()) }))
    }

    fn usual_table(&self, engine: Engine) -> Option<String> {
        let usual = self.tool()?.usual_table()?;
        // Liquibase writes it in capitals, which PostgreSQL makes small.
        let is_loud = matches!(self, Layout::Liquibase(_)) && engine != Engine::Postgres;
        Some(if is_loud { usual.to_uppercase() } else { usual.to_owned() })
    }
}

/// The value of a variable in lines of `NAME=VALUE`; the last one counts.
fn of_env_file(text: &str, name: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        line.strip_prefix(name)?.trim_start().strip_prefix('=')
    })?;
    let value = value.trim();
    let value = match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => value[1..].split(quote).next().unwrap_or_default(),
        None => value.split(" #").next().unwrap_or_default().trim(),
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// `db` with `migrations-schema`, `schema` and `migrations-table`.
fn of_json(text: &str) -> Result<Parts, String> {
    let read: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("line {} is no JSON", error.line()))?;
    let text_of = |value: &serde_json::Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let settings = &read["db"];
    let schema = text_of(&settings["migrations-schema"]).or_else(|| match &settings["schema"] {
        serde_json::Value::Array(several) => several.first().and_then(text_of),
        one => text_of(one),
    });
    Ok((schema, text_of(&settings["migrations-table"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_tools_name_their_tables() {
        let json = r#"{"db": {"schema": ["app", "b"], "migrations-table": "mine"}, "migrations-table": "no"}"#;
        let yaml = "development:\n  dialect: postgres\n  table: mine\nlive:\n  table: theirs\n  schema: ops\n";
        for (format, environment, text, expected) in [
            (
                "goose",
                None,
                "# x\nGOOSE_DRIVER=postgres\nGOOSE_TABLE=no\nexport GOOSE_TABLE = \"ops.mine\"\n",
                "ops.mine",
            ),
            ("goose", None, "GOOSE_TABLE=mine # the table\n", "mine"),
            ("goose", None, "GOOSE_TABLE=\nGOOSE_TABLES=x\nDBMATE_MIGRATIONS_TABLE=x\n", "-"),
            ("goose", None, "GOOSE_TABLE=Ops.Mine\n", "ops.mine"),
            ("goose", None, "GOOSE_TABLE='Ops.\"Mine\"'\n", "ops.Mine"),
            ("dbmate", None, "DBMATE_MIGRATIONS_TABLE=Ops.Mine\n", "Ops.Mine"),
            ("drizzle", None, "export default { migrations: { table: 'Mine', schema: `ops` } }", "ops.Mine"),
            ("drizzle", None, "export default { out: './drizzle' }", "-"),
            ("dbmate", None, "\u{feff}DBMATE_MIGRATIONS_TABLE='mine'\r\n", "mine"),
            ("sql_migrate", None, yaml, "mine"),
            ("sql_migrate", Some("live"), yaml, "ops.theirs"),
            ("sql_migrate", Some("other"), yaml, "mine"),
            ("sql_migrate", None, "development:\n  schema: ops\n", "ops.gorp_migrations"),
            ("sql_migrate", None, "live:\n  table: theirs\n", "-"),
            ("sql_migrate", None, "a: [\n", "line 1 is no YAML"),
            ("node_pg_migrate", None, json, "app.mine"),
            ("node_pg_migrate", None, r#"{"db": {"migrations-schema": "ops", "schema": "app"}}"#, "ops.pgmigrations"),
            ("node_pg_migrate", None, r#"{"db": "postgres://db"}"#, "-"),
            ("node_pg_migrate", None, "{\n\n", "line 3 is no JSON"),
            ("refinery", None, "GOOSE_TABLE=mine", "-"),
        ] {
            let layout = Layout::of_format(format).unwrap();
            let told = match layout.told_in("file", text, environment, None, Engine::Postgres) {
                Ok(Some(told)) => told.written(),
                Ok(None) => "-".to_owned(),
                Err(problem) => problem,
            };
            assert_eq!(told, expected, "{format} {text}");
        }
        let liquibase = Layout::of_format("liquibase").unwrap();
        assert_eq!(liquibase.ledger_table(Engine::Mysql).unwrap().table, "DATABASECHANGELOG");
    }
}
