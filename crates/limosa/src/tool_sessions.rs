//! What the sessions of a run begin with: as the tool of the files begins its own, and as limosa set its own.

use std::borrow::Cow;

use limosa_run::set_all;
use limosa_sql::Engine;

use crate::Failure;
use crate::files::Loaded;
use crate::opened::Opened;

/// Follows `reset all`: what the session set for itself when it began.
fn set_again(settings: &[(String, String)]) -> String {
    // SET in place of set_config(): the server need not plan a query for each transaction.
    let engine = Engine::Postgres;
    settings
        .iter()
        .map(|(name, value)| format!("; set {} = {}", engine.quote_identifier(name), engine.quote_literal(value)))
        .collect()
}

impl Opened<'_> {
    /// MySQL: the tool works in the database that the address names.
    ///
    /// # Errors
    /// Its settings name another one.
    pub(crate) fn refuse_other_database(&self, layout: &limosa_formats::Layout) -> Result<(), Failure> {
        let database = &self.target.database;
        let other = layout.told_database().filter(|told| !told.eq_ignore_ascii_case(database));
        if let (Engine::Mysql, Some(other), Some(tool)) = (self.target.engine, other, layout.tool()) {
            let message = format!(
                "{}'s settings name the database {other} for its changes, and the address names {database}",
                tool.name()
            );
            let help = format!("name {other} in the address, where the tables are; or take it out of these settings");
            return Err(Failure::usage("LIM-U181", message, help));
        }
        Ok(())
    }

    pub(crate) fn take_first_schema(&mut self, layout: &limosa_formats::Layout) {
        let told = layout.told_schema().filter(|_| self.target.engine == Engine::Postgres);
        let begins = self.session.facts().current_schema.clone().filter(|_| layout.puts_schema_first());
        self.first_schema = told.as_ref().map(|(schema, _)| schema.clone()).or(begins);
        // Where the record stands elsewhere, the first file may make it.
        self.told_schema_needed = told.filter(|(_, is_elsewhere)| !is_elsewhere).map(|(schema, _)| schema);
    }

    /// What that tool sets for its session before it runs any file.
    pub(crate) fn take_tool_settings(&mut self, loaded: &Loaded) {
        let engine = self.target.engine;
        let usual = loaded.layout.session_settings(engine, self.session.facts().is_mariadb()).iter();
        self.tool_settings = usual.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))).collect();
        if engine == Engine::Mysql {
            let own = self.configuration.session_settings.iter().cloned();
            self.tool_settings.extend(own.map(|(name, value)| (Cow::Owned(name), Cow::Owned(value))));
        }
        if engine == Engine::Postgres && !loaded.schemas.is_empty() {
            let path: Vec<String> = loaded.schemas.iter().map(|schema| engine.quote_identifier(schema)).collect();
            self.tool_settings.push(("search_path".into(), Cow::Owned(path.join(", "))));
        }
    }

    /// PostgreSQL: what follows `reset all`, and begins each script.
    pub(crate) fn session_settings(&self) -> String {
        let of_tool = set_all(self.target.engine, self.pooled, &self.tool_settings);
        let own = set_again(&self.session.facts().settings);
        of_tool.map_or(own.clone(), |of_tool| format!("{own}; {of_tool}"))
    }
}
