//! What kind of statement an answer belongs to, where its number of rows or its error alone does not tell.

use limosa_sql::Engine;

/// The first word behind blanks and comments; empty where there is none, as in a comment that MySQL runs.
pub(super) fn first_word(engine: Engine, sql: &str) -> &str {
    let mysql = engine == Engine::Mysql;
    let mut rest = sql.trim_start();
    loop {
        let behind = if rest.starts_with("--") || (mysql && rest.starts_with('#')) {
            rest.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*")
            && !(mysql && (comment.starts_with('!') || comment.starts_with("M!")))
        {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            break;
        };
        rest = behind.trim_start();
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words() {
        for (sql, word) in [
            ("insert into t values (1)", "insert"),
            ("  -- a comment\n/* another -- one */ UPDATE t", "UPDATE"),
            ("with(x) as", "with"),
            ("-- nothing", ""),
            ("/* open", ""),
            ("", ""),
        ] {
            for engine in [Engine::Sqlite, Engine::Mysql] {
                assert_eq!(first_word(engine, sql), word, "{engine:?}: {sql}");
            }
        }
        for (engine, sql, word) in [
            (Engine::Mysql, "  -- a comment\n# another\n/* one -- more */ UPDATE t", "UPDATE"),
            (Engine::Mysql, "/*!50000 select */ 1", ""),
            (Engine::Mysql, "/*M!100100 select */ 1", ""),
            (Engine::Sqlite, "/*!50000 select */ insert", "insert"),
            (Engine::Sqlite, "# insert", ""),
        ] {
            assert_eq!(first_word(engine, sql), word, "{engine:?}: {sql}");
        }
    }
}
