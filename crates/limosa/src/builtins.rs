//! Placeholders that have a value always, by the names that Flyway gives them: `${flyway:user}` and its like.
//!
//! Flyway documentation, "Flyway Placeholders Namespace".

use std::collections::BTreeMap;

use limosa_db::ServerFacts;
use limosa_formats::Layout;
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
    let table = if facts.engine() == Engine::Postgres { "schema_migrations" } else { "limosa_schema_migrations" };
    [
        ("database", facts.database.clone()),
        ("user", facts.user.clone()),
        ("defaultSchema", schema),
        (TABLE, table.to_owned()),
        ("environment", environment(configuration)),
        ("workingDirectory", here()),
        (TIMESTAMP, jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string()),
        // Each script has its own, which wins over this one.
        ("filename", String::new()),
    ]
    .map(|(name, value)| (PlaceholderMarks::default().built_in(name), value))
    .into()
}

/// The value of a placeholder where no database is at hand, as beside a script: one that is given, or of Flyway's own what the settings
/// tell; where the format does not tell placeholders apart by case, under any spelling. None where nobody says it.
pub(crate) fn value_without_database(configuration: &Configuration, layout: &Layout, name: &str) -> Option<String> {
    let all = &configuration.values.all;
    let folds = layout.folds_placeholders();
    let is = |known: &str| known == name || (folds && known.eq_ignore_ascii_case(name));
    if let Some(value) = all.get(name).or_else(|| all.iter().find(|(known, _)| is(known)).map(|(_, value)| value)) {
        return Some(value.clone());
    }
    let marks = layout.placeholder_marks();
    let known = NAMES.into_iter().find(|known| is(&marks.built_in(known)))?;
    match known {
        "environment" => Some(environment(configuration)),
        "workingDirectory" => Some(here()),
        TABLE => Some(match &configuration.tool_table {
            Some(table) => table.rsplit('.').next().unwrap_or(table).to_owned(),
            None => layout.tool()?.usual_table()?.to_owned(),
        }),
        // Where Flyway's own table stands.
        "defaultSchema" => {
            let table = configuration.tool_table.as_deref().unwrap_or_default();
            Some(table.rsplit_once('.').map_or("public", |(schema, _)| schema).to_owned())
        }
        _ => None,
    }
}

fn environment(configuration: &Configuration) -> String {
    configuration.environment.clone().unwrap_or_else(|| "default".to_owned())
}

fn here() -> String {
    std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default()
}

/// The first schema of the search path that the address or the role gives.
pub(crate) fn current_schema(facts: &ServerFacts) -> String {
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
