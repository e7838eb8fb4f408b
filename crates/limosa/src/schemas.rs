//! Schemas (MySQL: databases) that the settings name, made before the first migration.

use limosa_db::Item;
use limosa_sql::Engine;

use crate::Failure;
use crate::opened::Opened;

impl Opened<'_> {
    /// What makes the schemas that the settings name and that are missing, a statement each: whoever may not make any needs no right where
    /// they stand.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn creating_schemas(&mut self) -> Result<Vec<String>, Failure> {
        let engine = self.target.engine;
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

    /// Makes the schemas that the settings name, where they are missing.
    pub(crate) async fn create_schemas(&mut self) -> Result<(), Failure> {
        for statement in self.creating_schemas().await? {
            self.session.send(vec![Item::Control(statement)]).await?;
        }
        Ok(())
    }
}
