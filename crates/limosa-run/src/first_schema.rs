//! PostgreSQL: the schema that a tool puts at the head of the search path before each of its files, where another one stands there.
//!
//! Liquibase 4.33 looks at the search path before each change, and writes its default schema before what it finds: what a change has set
//! holds for those behind it, below that schema.

use limosa_sql::Engine;

/// The statement that does so, for the session or for the transaction alone.
pub fn put_first(schema: &str, is_local: bool) -> String {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let quoted = Engine::Postgres.quote_identifier(schema);
    let written = if schema.chars().all(is_plain) { schema } else { &quoted };
    let literal = |text: &str| Engine::Postgres.quote_literal(text);
    // A path that is empty has `""` in it.
    format!(
        "select pg_catalog.set_config('search_path', case when path in ('', '\"\"') then {} else {} || path end, {is_local}) \
         from pg_catalog.current_setting('search_path') as path \
         where pg_catalog.btrim(pg_catalog.split_part(path, ',', 1)) not in ({}, {})",
        literal(written),
        literal(&format!("{written}, ")),
        literal(schema),
        literal(&quoted),
    )
}
