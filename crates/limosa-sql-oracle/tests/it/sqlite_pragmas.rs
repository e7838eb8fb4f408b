//! Which statements SQLite ignores or refuses inside a transaction, by trying.

use limosa_sql::{Effect, Engine, TransactionRule, classify};
use rusqlite::{Connection, params_from_iter};

/// A database in a file, as some settings mean nothing in memory.
fn database(name: &str) -> (Connection, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("limosa-sql-oracle-{}-{name}.db", std::process::id()));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    (Connection::open(&path).expect("SQLite opens"), path)
}

fn value(connection: &Connection, pragma: &str) -> String {
    let row = connection.query_row(&format!("pragma {pragma}"), params_from_iter::<[i32; 0]>([]), |row| {
        row.get::<_, rusqlite::types::Value>(0)
    });
    row.map_or_else(|error| error.to_string(), |value| format!("{value:?}"))
}

/// Runs a statement and its rows; the error if there is one.
fn run(connection: &Connection, text: &str) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

#[test]
fn lifted_pragmas_have_no_effect_inside() {
    // Each with a value that is not the first one.
    let cases = [
        // The library that is built in has them on at first, other than the sqlite3 shell.
        ("foreign_keys", "off"),
        ("journal_mode", "wal"),
        ("synchronous", "off"),
        ("temp_store", "memory"),
        ("defer_foreign_keys", "on"),
        ("recursive_triggers", "on"),
        ("cache_size", "77"),
        ("legacy_alter_table", "on"),
        ("ignore_check_constraints", "on"),
        ("user_version", "5"),
        ("application_id", "5"),
        ("busy_timeout", "5"),
        ("secure_delete", "on"),
        ("case_sensitive_like", "on"),
        ("writable_schema", "on"),
        ("trusted_schema", "off"),
        ("locking_mode", "exclusive"),
        ("journal_size_limit", "7"),
        ("query_only", "on"),
        ("automatic_index", "off"),
        ("reverse_unordered_selects", "on"),
        ("checkpoint_fullfsync", "on"),
        ("wal_autocheckpoint", "7"),
        ("cell_size_check", "on"),
        ("max_page_count", "999"),
        ("soft_heap_limit", "99999999"),
        ("threads", "1"),
        ("analysis_limit", "7"),
        ("mmap_size", "65536"),
    ];
    for (pragma, new) in cases {
        let (connection, path) = database(pragma);
        connection.execute_batch("create table t (a); create temp table u (a)").expect("tables");
        let before = value(&connection, pragma);
        connection.execute_batch("begin; insert into t values (1)").expect("a transaction");
        let text = format!("pragma {pragma} = {new}");
        let result = run(&connection, &text);
        let inside = value(&connection, pragma);
        connection.execute_batch("commit").expect("it ends");
        run(&connection, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let outside = value(&connection, pragma);
        let works_outside = outside != before;
        let works_inside = result.is_ok() && inside == outside;
        let class = classify(Engine::Sqlite, &text);
        let lifted = matches!(class.effect, Effect::LiftedPragma { .. });
        assert_eq!(lifted, class.transaction == TransactionRule::Outside, "{text}");
        if works_outside {
            assert_eq!(
                lifted, !works_inside,
                "{text}: {result:?}, before {before}, inside {inside}, outside {outside}"
            );
        } else {
            assert!(!lifted, "{text} has no effect at all: {before}, {outside}");
        }
        drop(connection);
        let _ = std::fs::remove_file(path);
    }
}

#[test]
fn refused_inside_a_transaction() {
    for text in [
        "vacuum",
        "pragma wal_checkpoint",
        "detach x",
        "select 1",
        "reindex",
        "analyze",
        "attach ':memory:' as y",
        "pragma optimize",
    ] {
        let (connection, path) = database(&text.replace([' ', ':', '\''], "-"));
        let tables = "pragma journal_mode = wal; create table t (a); attach ':memory:' as x";
        connection.execute_batch(tables).expect("tables");
        connection.execute_batch("begin; insert into t values (1); create table x.u (a)").expect("a transaction");
        let inside = run(&connection, text);
        connection.execute_batch("commit").expect("it ends");
        if inside.is_err() {
            run(&connection, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        let expected = if inside.is_ok() { TransactionRule::Either } else { TransactionRule::Outside };
        assert_eq!(classify(Engine::Sqlite, text).transaction, expected, "{text}: {inside:?}");
        drop(connection);
        let _ = std::fs::remove_file(path);
    }
}
