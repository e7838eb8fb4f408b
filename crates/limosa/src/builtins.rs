//! Placeholders that have a value always, by the names that Flyway gives them: `${flyway:user}` and its like.
//!
//! Flyway documentation, "Flyway Placeholders Namespace".

use std::collections::BTreeMap;

use limosa_db::ServerFacts;
use limosa_sql::{Engine, PlaceholderMarks};

use crate::Configuration;

/// All of them, without what their names begin with.
pub(crate) const NAMES: [&str; 8] =
    ["database", "user", "defaultSchema", TABLE, "environment", "workingDirectory", TIMESTAMP, "filename"];
/// The table that holds the record.
pub(crate) const TABLE: &str = "table";
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
        (TABLE, table.to_owned()),
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
fn current_schema(facts: &ServerFacts) -> String {
    let first = facts.search_path.as_deref().and_then(first_identifier);
    first.filter(|name| !name.is_empty() && name != "$user").unwrap_or_else(|| "public".to_owned())
}

/// The first name of a list as the server writes it, without its quotes.
fn first_identifier(list: &str) -> Option<String> {
    let list = list.trim_start();
    let Some(quoted) = list.strip_prefix('"') else {
        return list.split(',').next().map(|name| name.trim().to_owned());
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        // Two of them are one that stands in the name.
        match behind.strip_prefix('"') {
            Some(more) => rest = more,
            None => return Some(name),
        }
        name.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_search_path() {
        for (list, expected) in [
            ("b", Some("b")),
            (" b , public", Some("b")),
            ("\"a b\", public", Some("a b")),
            ("\"a,\"\"b\",\"$user\"", Some("a,\"b")),
            ("\"$user\", public", Some("$user")),
            ("\"unclosed", None),
            ("", Some("")),
        ] {
            assert_eq!(first_identifier(list).as_deref(), expected, "{list}");
        }
    }
}
