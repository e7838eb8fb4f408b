//! Placeholders that have a value always, by the names that Flyway gives them: `${flyway:user}` and its like.
//!
//! Flyway documentation, "Flyway Placeholders Namespace".

use std::collections::BTreeMap;

use limosa_db::ServerFacts;
use limosa_sql::{Engine, PlaceholderMarks};

use crate::Configuration;

/// All of them, without what their names begin with.
pub(crate) const NAMES: [&str; 8] =
    ["database", "user", "defaultSchema", "table", "environment", "workingDirectory", TIMESTAMP, "filename"];
/// The time at which the run began.
pub(crate) const TIMESTAMP: &str = "timestamp";

/// Their values, but for those of a single script.
pub(crate) fn values(configuration: &Configuration, facts: &ServerFacts) -> BTreeMap<String, String> {
    let schema = match facts.engine() {
        Engine::Postgres => current_schema(facts),
        Engine::Mysql => facts.database.clone(),
        _ => "main".to_owned(),
    };
    let here = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
    let table = if facts.engine() == Engine::Postgres { "schema_migrations" } else { "limosa_schema_migrations" };
    [
        ("database", facts.database.clone()),
        ("user", facts.user.clone()),
        ("defaultSchema", schema),
        ("table", table.to_owned()),
        ("environment", configuration.environment.clone().unwrap_or_else(|| "default".to_owned())),
        ("workingDirectory", here),
        (TIMESTAMP, jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string()),
        // Each script has its own, which wins over this one.
        ("filename", String::new()),
    ]
    .map(|(name, value)| (PlaceholderMarks::default().built_in(name), value))
    .into()
}

/// The first schema of the search path that the address or the role gives.
pub(crate) fn current_schema(facts: &ServerFacts) -> String {
    let path = facts.settings.iter().find(|(name, _)| name == "search_path").map(|(_, value)| value.as_str());
    let first = path.and_then(|path| path.split(',').next()).map(|name| name.trim().trim_matches('"'));
    first.filter(|name| !name.is_empty() && !name.contains('$')).unwrap_or("public").to_owned()
}
