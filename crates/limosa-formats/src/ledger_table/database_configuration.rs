//! sql-migrate's `dbconfig.yml`: a section for each environment, each with a table of its own where it says so.

use super::Parts;
use crate::native::yaml::{self, Node, Value};

/// The environment that sql-migrate takes where none is named.
const DEFAULT: &str = "development";

/// `schema` and `table` of the section that is meant: that of the environment, else the one whose `datasource` is the database, else the
/// one that sql-migrate takes by itself.
pub(super) fn parts(text: &str, environment: Option<&str>, database: Option<&str>) -> Result<Parts, String> {
    let Some(root) = read(text)? else { return Ok((None, None)) };
    let chosen = chosen(&root, environment, database).or_else(|| child(&root, DEFAULT));
    Ok(chosen.map_or((None, None), table_of))
}

/// What to say where the sections name different tables, and nothing tells which is meant.
pub(super) fn in_doubt(text: &str, environment: Option<&str>, database: Option<&str>) -> Option<String> {
    let root = read(text).ok()??;
    if chosen(&root, environment, database).is_some() {
        return None;
    }
    let sections = sections(&root);
    let first = table_of(sections.first()?.1);
    if sections.iter().all(|(_, section)| table_of(section) == first) {
        return None;
    }
    let shown = |section: &Node| match table_of(section) {
        (Some(schema), table) => format!("{schema}.{}", table.unwrap_or_else(|| "gorp_migrations".to_owned())),
        (None, table) => table.unwrap_or_else(|| "gorp_migrations".to_owned()),
    };
    let named: Vec<String> = sections.iter().map(|(name, section)| format!("{} ({name})", shown(section))).collect();
    Some(named.join(", "))
}

fn read(text: &str) -> Result<Option<Node>, String> {
    yaml::parse(text).map_err(|broken| match broken.position {
        Some(position) => format!("line {} is no YAML", position.line),
        None => "it is no YAML".to_owned(),
    })
}

fn sections(root: &Node) -> Vec<(&str, &Node)> {
    let Value::Mapping(entries) = &root.value else { return Vec::new() };
    let is_section = |node: &Node| matches!(node.value, Value::Mapping(_));
    entries.iter().filter(|entry| is_section(&entry.value)).map(|entry| (entry.key.as_str(), &entry.value)).collect()
}

fn chosen<'n>(root: &'n Node, environment: Option<&str>, database: Option<&str>) -> Option<&'n Node> {
    if let Some(section) = environment.and_then(|name| child(root, name)) {
        return Some(section);
    }
    let database = database?;
    let is_of =
        |section: &&Node| text_of(section, "datasource").is_some_and(|address| database_in(&address) == Some(database));
    let fitting: Vec<&Node> = sections(root).into_iter().map(|(_, section)| section).filter(is_of).collect();
    let first = *fitting.first()?;
    fitting.iter().all(|section| table_of(section) == table_of(first)).then_some(first)
}

fn table_of(section: &Node) -> Parts {
    (text_of(section, "schema"), text_of(section, "table"))
}

fn text_of(section: &Node, key: &str) -> Option<String> {
    match &child(section, key)?.value {
        Value::Scalar(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Mapping(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// The database in an address as drivers of Go take it: `dbname=shop host=db`, `postgres://db/shop?sslmode=disable`,
/// `me@tcp(db)/shop?parseTime=true`, `shop.db`. None where a variable stands in it.
fn database_in(address: &str) -> Option<&str> {
    if address.contains('$') {
        return None;
    }
    let word = address.split_whitespace().find_map(|word| word.strip_prefix("dbname="));
    let name = match word {
        Some(name) => name.trim_matches('\''),
        None if address.contains('=') && !address.contains(['/', '?']) => return None,
        None => address.split('?').next()?.rsplit(['/', '\\', ':']).next()?,
    };
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "development: {dialect: postgres, datasource: \"host=db dbname=dev\", table: dev_ran}\n\
        staging: {dialect: postgres, datasource: 'postgres://db/stg?x=y'}\n\
        production: {datasource: 'me:x@tcp(db:3306)/prd?parseTime=true', table: ran, schema: ops}\n";

    #[test]
    fn a_section_is_chosen_by_its_name_or_by_the_database() {
        for (environment, database, expected) in [
            (None, None, (None, Some("dev_ran"))),
            (None, Some("stg"), (None, None)),
            (None, Some("prd"), (Some("ops"), Some("ran"))),
            (Some("production"), Some("stg"), (Some("ops"), Some("ran"))),
            (Some("nosuch"), Some("stg"), (None, None)),
            (None, Some("other"), (None, Some("dev_ran"))),
        ] {
            let (schema, table) = parts(FILE, environment, database).unwrap();
            assert_eq!((schema.as_deref(), table.as_deref()), expected, "{environment:?} {database:?}");
        }
    }

    #[test]
    fn tables_that_differ_are_named_where_none_is_chosen() {
        let told = in_doubt(FILE, None, Some("other")).unwrap();
        assert_eq!(told, "dev_ran (development), gorp_migrations (staging), ops.ran (production)");
        assert_eq!(in_doubt(FILE, Some("staging"), None), None);
        assert_eq!(in_doubt(FILE, None, Some("prd")), None);
        assert_eq!(in_doubt("a: {table: x}\nb: {table: x}\n", None, None), None);
    }
}
