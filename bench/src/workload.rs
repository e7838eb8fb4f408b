//! The migrations that every tool runs: five kinds in turn, each with a way back.

use std::fmt;

/// Kinds of migrations in a group; each group works on a table of its own.
const KINDS: usize = 5;

/// An engine that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
    /// MariaDB, or MySQL where there is no other.
    Mysql,
}

impl Engine {
    /// The word of the command line and of folders.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Mysql => "mysql",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Mysql => "MariaDB",
        })
    }
}

/// One migration, in no tool's form.
pub(crate) struct Migration {
    /// From 1.
    pub(crate) number: usize,
    /// Lower case, without blanks.
    pub(crate) name: String,
    pub(crate) up: String,
    pub(crate) down: String,
    /// True where a `;` stands inside the body of a function.
    pub(crate) is_function: bool,
}

impl Migration {
    /// Sorts like the number, whatever the tool: `00007`.
    pub(crate) fn version(&self) -> String {
        format!("{:05}", self.number)
    }
}

/// The first `count` migrations.
pub(crate) fn migrations(engine: Engine, count: usize) -> Vec<Migration> {
    (1..=count).map(|number| migration(engine, number)).collect()
}

fn migration(engine: Engine, number: usize) -> Migration {
    let group = (number - 1) / KINDS + 1;
    let kind = (number - 1) % KINDS;
    let (name, up, down) = match kind {
        0 => (format!("create_item_{group}"), table(engine, group), format!("DROP TABLE item_{group};\n")),
        1 => (
            format!("note_of_item_{group}"),
            format!("ALTER TABLE item_{group} ADD COLUMN note text;\n"),
            format!("ALTER TABLE item_{group} DROP COLUMN note;\n"),
        ),
        2 => (
            format!("index_item_{group}"),
            format!("CREATE INDEX item_{group}_by_name ON item_{group} (name);\n"),
            match engine {
                Engine::Mysql => format!("DROP INDEX item_{group}_by_name ON item_{group};\n"),
                Engine::Postgres | Engine::Sqlite => format!("DROP INDEX item_{group}_by_name;\n"),
            },
        ),
        3 => (
            format!("fill_item_{group}"),
            format!(
                "INSERT INTO item_{group} (name, quantity, note) VALUES\n  ('bolt; steel', 10, 'first'),\n  \
                 ('nut', 20, 'it''s second; still here'),\n  ('washer', 30, NULL);\n"
            ),
            format!("DELETE FROM item_{group};\n"),
        ),
        _ => sum(engine, group),
    };
    Migration { number, name, up, down, is_function: kind == 4 && engine != Engine::Sqlite }
}

fn table(engine: Engine, group: usize) -> String {
    let (key, name, time) = match engine {
        Engine::Postgres => {
            ("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "text", "timestamptz NOT NULL DEFAULT now()")
        }
        Engine::Sqlite => ("integer PRIMARY KEY", "text", "text NOT NULL DEFAULT CURRENT_TIMESTAMP"),
        // A text without a length cannot be indexed.
        Engine::Mysql => (
            "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "varchar(200)",
            "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP",
        ),
    };
    format!(
        "-- Things in stock, group {group}\nCREATE TABLE item_{group} (\n  id {key},\n  name {name} NOT NULL,\n  \
         quantity integer NOT NULL DEFAULT 0,\n  price numeric(12, 2),\n  created_at {time}\n);\n"
    )
}

fn sum(engine: Engine, group: usize) -> (String, String, String) {
    let name = format!("total_{group}");
    match engine {
        Engine::Postgres => (
            format!("function_{name}"),
            format!(
                "CREATE FUNCTION {name}() RETURNS bigint LANGUAGE plpgsql AS $fn$\nBEGIN\n  \
                 RETURN (SELECT coalesce(sum(quantity), 0) FROM item_{group});\nEND;\n$fn$;\n"
            ),
            format!("DROP FUNCTION {name}();\n"),
        ),
        Engine::Mysql => (
            format!("function_{name}"),
            format!(
                "CREATE FUNCTION {name}() RETURNS bigint DETERMINISTIC\nBEGIN\n  \
                 RETURN (SELECT coalesce(sum(quantity), 0) FROM item_{group});\nEND;\n"
            ),
            format!("DROP FUNCTION {name};\n"),
        ),
        Engine::Sqlite => (
            format!("view_{name}"),
            format!("CREATE VIEW {name} AS SELECT coalesce(sum(quantity), 0) AS total FROM item_{group};\n"),
            format!("DROP VIEW {name};\n"),
        ),
    }
}

/// What stands in a database: the columns of [`count_query`].
pub(crate) type Counts = [usize; 6];

/// What must stand after the first `applied` migrations: tables, columns added, indexes, functions or views, rows of
/// the first table, rows of the last one.
pub(crate) fn expected(applied: usize) -> Counts {
    let of_kind = |kind: usize| (applied + KINDS - 1 - kind) / KINDS;
    let filled = of_kind(3);
    let last = if filled > 0 && filled == of_kind(0) { 3 } else { 0 };
    [of_kind(0), of_kind(1), of_kind(2), of_kind(4), if filled > 0 { 3 } else { 0 }, last]
}

/// Counts what stands, as one row; the tables named must stand after `applied` migrations.
pub(crate) fn count_query(engine: Engine, applied: usize) -> String {
    let last = applied.div_ceil(KINDS);
    let rows = match last {
        0 => "0, 0".to_owned(),
        _ => format!("(SELECT count(*) FROM item_1), (SELECT count(*) FROM item_{last})"),
    };
    match engine {
        Engine::Postgres => format!(
            "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'item\\_%'), \
             (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'r' \
             AND c.relname LIKE 'item\\_%' AND a.attname = 'note' AND NOT a.attisdropped), \
             (SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relname LIKE 'item\\_%\\_by\\_name'), \
             (SELECT count(*) FROM pg_proc WHERE proname LIKE 'total\\_%'), {rows}"
        ),
        Engine::Mysql => format!(
            "SELECT (SELECT count(*) FROM information_schema.tables WHERE table_schema = database() \
             AND table_name LIKE 'item\\_%'), \
             (SELECT count(*) FROM information_schema.columns WHERE table_schema = database() \
             AND table_name LIKE 'item\\_%' AND column_name = 'note'), \
             (SELECT count(*) FROM information_schema.statistics WHERE table_schema = database() \
             AND index_name LIKE 'item\\_%\\_by\\_name'), \
             (SELECT count(*) FROM information_schema.routines WHERE routine_schema = database() \
             AND routine_name LIKE 'total\\_%'), {rows}"
        ),
        Engine::Sqlite => format!(
            "SELECT (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 'item_*'), \
             (SELECT count(*) FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' \
             AND m.name GLOB 'item_*' AND c.name = 'note'), \
             (SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name GLOB 'item_*_by_name'), \
             (SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name GLOB 'total_*'), {rows}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_as_they_come() {
        for (applied, counts) in [
            (0, [0, 0, 0, 0, 0, 0]),
            (1, [1, 0, 0, 0, 0, 0]),
            (4, [1, 1, 1, 0, 3, 3]),
            (5, [1, 1, 1, 1, 3, 3]),
            (6, [2, 1, 1, 1, 3, 0]),
            (1000, [200, 200, 200, 200, 3, 3]),
        ] {
            assert_eq!(expected(applied), counts, "{applied}");
        }
    }

    #[test]
    fn versions_sort_like_numbers_and_every_migration_has_a_way_back() {
        for engine in [Engine::Postgres, Engine::Sqlite, Engine::Mysql] {
            let all = migrations(engine, 1001);
            assert!(all.is_sorted_by_key(Migration::version));
            assert!(all.iter().all(|migration| !migration.down.is_empty()));
            assert_eq!(all.iter().any(|migration| migration.is_function), engine != Engine::Sqlite);
        }
    }
}
