//! Schemas (MySQL: databases) that the settings name, made before the first migration.

use limosa_core::ForeignTool;
use limosa_db::Item;
use limosa_sql::Engine;

use crate::Failure;
use crate::builtins::current_schema;
use crate::opened::Opened;

impl Opened<'_> {
    /// What makes the schemas that the settings name and that are missing, a statement each: whoever may not make any needs no right where
    /// they stand.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn creating_schemas(&mut self) -> Result<Vec<String>, Failure> {
        let engine = self.target.engine;
        self.refuse_without_told_schema().await?;
        let wanted = &self.configuration.create_schemas;
        let (what, catalogue) = match engine {
            _ if wanted.is_empty() => return Ok(Vec::new()),
            Engine::Postgres => ("schema", "select nspname::text from pg_catalog.pg_namespace where nspname"),
            Engine::Mysql => ("database", "select schema_name from information_schema.schemata where schema_name"),
            _ => return Ok(Vec::new()),
        };
        let names: Vec<String> = wanted.iter().map(|name| engine.quote_literal(name)).collect();
        let rows = self.session.query(&format!("{catalogue} in ({})", names.join(", ")), &[]).await?;
        let standing: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
        let missing = wanted.iter().filter(|name| !standing.contains(name));
        Ok(missing.map(|name| format!("create {what} if not exists {}", engine.quote_identifier(name))).collect())
    }

    /// The tool would find no place for its record there; here names without a schema would mean another one in silence.
    pub(crate) async fn refuse_without_told_schema(&mut self) -> Result<(), Failure> {
        let engine = self.target.engine;
        let is_flyways = engine == Engine::Postgres && self.tool == Some(ForeignTool::Flyway);
        let first = is_flyways.then(|| current_schema(self.session.facts()));
        let first = first.filter(|first| first != "public" && !self.configuration.create_schemas.contains(first));
        let Some(schema) = self.told_schema_needed.clone().or(first.clone()) else { return Ok(()) };
        // Where the search path is that of the role or the database, the first file may make the schema, as with Flyway itself.
        let question = match first {
            Some(_) => {
                "select 1::int8 where exists (select from pg_catalog.pg_namespace where nspname = $1::text) \
                 or (select source from pg_catalog.pg_settings where name = 'search_path') not in ('client', 'session')"
            }
            None => "select 1::int8 from pg_catalog.pg_namespace where nspname = $1::text",
        };
        if !self.session.query(question, &[schema.as_str().into()]).await?.is_empty() {
            return Ok(());
        }
        let (who, more) = match first {
            Some(_) => ("settings or address", format!("; or let limosa make it: create_schemas = [\"{schema}\"]")),
            None => ("liquibase's settings", String::new()),
        };
        let message = format!("{who} name {schema} as the default schema, and there is no such schema");
        let help = format!("make it first: create schema {}{more}", engine.quote_identifier(&schema));
        Err(Failure::usage("LIM-U170", message, help))
    }

    /// Makes the schemas that the settings name, where they are missing.
    pub(crate) async fn create_schemas(&mut self) -> Result<(), Failure> {
        for statement in self.creating_schemas().await? {
            self.session.send(vec![Item::Control(statement)]).await?;
        }
        Ok(())
    }
}
