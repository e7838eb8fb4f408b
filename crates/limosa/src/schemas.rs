//! Schemas (MySQL: databases) that the settings name, made before the first migration.

use limosa_db::Item;
use limosa_sql::Engine;

use crate::Failure;
use crate::opened::Opened;

impl Opened<'_> {
    /// What makes schemas (MySQL: databases), a statement each.
    pub(crate) fn creating<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Vec<String> {
        let what = if self.target.engine == Engine::Mysql { "database" } else { "schema" };
        let quoted = |name: &String| self.target.engine.quote_identifier(name);
        names.into_iter().map(|name| format!("create {what} if not exists {}", quoted(name))).collect()
    }

    /// The schemas that the settings name and that are missing: whoever may not make any needs no right where they stand.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn missing_schemas(&mut self) -> Result<Vec<String>, Failure> {
        let engine = self.target.engine;
        let wanted = &self.configuration.create_schemas;
        let names: Vec<String> = wanted.iter().map(|name| engine.quote_literal(name)).collect();
        let sql = match engine {
            _ if names.is_empty() => return Ok(Vec::new()),
            Engine::Postgres => {
                format!("select nspname::text from pg_catalog.pg_namespace where nspname in ({})", names.join(", "))
            }
            Engine::Mysql => format!(
                "select schema_name from information_schema.schemata where schema_name in ({})",
                names.join(", ")
            ),
            _ => return Ok(Vec::new()),
        };
        let rows = self.session.query(&sql, &[]).await?;
        let standing: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
        let folds = engine == Engine::Mysql;
        let stands =
            |name: &String| standing.iter().any(|known| known == name || (folds && known.eq_ignore_ascii_case(name)));
        Ok(wanted.iter().filter(|name| !stands(name)).cloned().collect())
    }

    /// Makes the schemas that the settings name, where they are missing.
    pub(crate) async fn create_schemas(&mut self) -> Result<(), Failure> {
        let missing = self.missing_schemas().await?;
        for statement in self.creating(&missing) {
            self.session.send(vec![Item::Control(statement)]).await?;
        }
        Ok(())
    }
}
