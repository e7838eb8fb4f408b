//! The schema that names without one meant to the tool that a database was taken over from.

use limosa_core::ForeignTool;
use limosa_sql::{Diagnostic, Engine};

use crate::Failure;
use crate::builtins::current_schema;
use crate::elsewhere::worker;
use crate::opened::Opened;

/// What is said where Flyway kept its record in another schema (MySQL: database) than the one in which this session finds names without
/// a schema: its table stands in its default schema, which it puts at the head of the search path for each migration.
///
/// # Errors
/// What the server says.
pub(crate) async fn told_of_default_schema(
    opened: &mut Opened<'_>,
    tool: Option<ForeignTool>,
    schema: Option<&str>,
) -> Result<Option<Diagnostic>, Failure> {
    let Some(schema) = schema.filter(|_| tool == Some(ForeignTool::Flyway)) else { return Ok(None) };
    let facts = opened.session.facts();
    let (engine, supposed) = (facts.engine(), current_schema(facts));
    let here = match engine {
        Engine::Postgres if supposed != schema => {
            let rows = opened.session.query("select pg_catalog.current_schema()::text", &[]).await?;
            rows.first().and_then(|row| row.text(0)).unwrap_or_default()
        }
        Engine::Mysql => facts.database.clone(),
        _ => return Ok(None),
    };
    if here == schema {
        return Ok(None);
    }
    let whose = if here.is_empty() { "no schema at all".to_owned() } else { here.clone() };
    let message = format!(
        "Flyway kept its table in {schema}: a name without a schema in its files meant {schema} first, and here it means {whose}"
    );
    Ok(Some(Diagnostic::warning("LIM-U165", message).help(mended(opened, engine, schema, &here))))
}

/// The setting that makes names mean what they meant.
fn mended(opened: &Opened<'_>, engine: Engine, schema: &str, here: &str) -> String {
    const ELSE: &str = "where each file names its schemas, that changes nothing";
    if engine == Engine::Mysql {
        return format!(
            "let the address name that database: database = \"mysql://HOST/{schema}\" in limosa.toml, before anything is taken over; {ELSE}"
        );
    }
    let path = if here.is_empty() { schema.to_owned() } else { format!("{schema},{here}") };
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | ',');
    let of_role = format!(
        "alter role {} set search_path = {}",
        engine.quote_identifier(&worker(opened)),
        [schema, here]
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| engine.quote_identifier(name))
            .collect::<Vec<_>>()
            .join(", ")
    );
    match path.chars().all(is_plain) {
        true => format!(
            "write the search path into the address: database = \"postgres://HOST/DATABASE?options=-csearch_path%3D{path}\" in limosa.toml; \
             or give it to the role, as a pooler needs it: {of_role}; {ELSE}"
        ),
        false => format!("give the search path to the role: {of_role}; {ELSE}"),
    }
}
