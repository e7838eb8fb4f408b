//! A new column that must have a value in the end.

use limosa_sql::Engine;

use super::template::{Draft, Table, derived};

/// The three files. `value` is an expression of the user's.
pub(super) fn drafts(engine: Engine, table: &Table, column: &str, data_type: &str, value: &str) -> Vec<Draft> {
    let change = Change {
        engine,
        table: table.quoted(engine),
        column: engine.quote_identifier(column),
        check: engine.quote_identifier(&derived(&table.name, &derived(&format!("_{column}"), "_filled"))),
        data_type,
        value,
    };
    vec![change.expand(), change.backfill(), change.enforce()]
}

struct Change<'a> {
    engine: Engine,
    table: String,
    column: String,
    /// The name of the constraint that holds while the rows are looked at (PostgreSQL).
    check: String,
    data_type: &'a str,
    value: &'a str,
}

impl Change<'_> {
    fn expand(&self) -> Draft {
        let Change { table, column, data_type, .. } = self;
        // MySQL makes a column of some types NOT NULL where nothing is said.
        let null = if self.engine == Engine::Mysql { " NULL" } else { "" };
        Draft {
            step: "expand",
            purpose: "step 1 of 3, a column that may be empty".to_owned(),
            headers: &[],
            up: format!(
                "-- Safe while the old code runs: it does not know the column, and need not.\n\n\
                 ALTER TABLE {table} ADD COLUMN {column} {data_type}{null};"
            ),
            back: format!("ALTER TABLE {table} DROP COLUMN {column};"),
        }
    }

    fn backfill(&self) -> Draft {
        let (headers, up): (&'static [&'static str], String) = match self.engine {
            Engine::Postgres => (&["Transaction: none"], self.batches()),
            _ => (&[], format!("{}\n\n{}", self.size(), self.fill())),
        };
        Draft {
            step: "backfill",
            purpose: "step 2 of 3, the rows that are there get a value".to_owned(),
            headers,
            up,
            back: "-- Nothing to do: the values go with the column.\nSELECT 'the values stay' AS note;".to_owned(),
        }
    }

    /// What to do where one UPDATE is too long.
    fn size(&self) -> String {
        let Change { table, column, value, .. } = self;
        match self.engine {
            Engine::Mysql => format!(
                "-- One transaction, which locks the rows until its end. With millions of rows run this by hand before, again and\n\
                 -- again until it changes none; then this file finds little to do:\n\
                 --   UPDATE {table} SET {column} = {value} WHERE {column} IS NULL LIMIT 10000"
            ),
            _ => "-- One transaction, which is the only writer until its end.".to_owned(),
        }
    }

    fn fill(&self) -> String {
        let Change { table, column, value, .. } = self;
        format!("UPDATE {table} SET {column} = {value} WHERE {column} IS NULL;")
    }

    /// PostgreSQL: by ranges of pages, which needs no key and reads each page once.
    fn batches(&self) -> String {
        let Change { engine, table, column, value, .. } = self;
        let named = engine.quote_literal(table);
        // The underscore: a column named as a variable would be ambiguous in the expression.
        let range = "ctid >= format('(%s,0)', page_)::tid AND ctid < format('(%s,0)', page_ + 1000)::tid";
        format!(
            "-- A thousand pages at a time, with a commit after each, so that no row stays locked for long. It needs a direct\n\
             -- connection. Rows that someone holds are passed over, and filled by step 3; rows with a value are left alone: where a\n\
             -- run was cut off, it may run again as it stands (limosa repair --retry).\n\n\
             DO $fill$\n\
             DECLARE\n    last_page_ BIGINT;\n    page_ BIGINT := 0;\n\
             BEGIN\n    \
                 -- Of a partitioned table, the largest partition counts.\n    \
                 SELECT greatest(pg_relation_size({named}::regclass), max(pg_relation_size(relid)))\n           \
                     / current_setting('block_size')::BIGINT\n    \
                 INTO last_page_ FROM pg_partition_tree({named}::regclass);\n    \
                 WHILE page_ <= last_page_ LOOP\n        \
                     UPDATE {table} SET {column} = {value}\n        \
                     WHERE {range}\n          \
                       AND (tableoid, ctid) IN (\n            \
                         SELECT tableoid, ctid FROM {table}\n            \
                         WHERE {range}\n              \
                           AND {column} IS NULL\n            \
                         FOR UPDATE SKIP LOCKED);\n        \
                     COMMIT;\n        \
                     page_ := page_ + 1000;\n    \
                 END LOOP;\n\
             END;\n\
             $fill$;"
        )
    }

    fn enforce(&self) -> Draft {
        let Change { table, column, data_type, check, .. } = self;
        let fill = self.fill();
        let begin = "-- Run it when all code that writes the table writes the column; until then, stop before it: limosa migrate --to.";
        let (up, back) = match self.engine {
            Engine::Postgres => (
                format!(
                    "{begin}\n\
                     -- Transactions of its own, so that no lock that stops readers is held while the rows are looked at.\n\n\
                     BEGIN;\n\
                     -- NOT VALID: from here on no row without a value comes in; the others are looked at later.\n\
                     ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;\n\
                     COMMIT;\n\n\
                     BEGIN;\n\
                     -- What old code wrote since step 2.\n\
                     {fill}\n\
                     COMMIT;\n\n\
                     BEGIN;\n\
                     -- Reads all rows, and lets others read and write meanwhile.\n\
                     ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n\
                     COMMIT;\n\n\
                     BEGIN;\n\
                     -- The proven constraint spares another look at the rows.\n\
                     ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\n\
                     ALTER TABLE {table} DROP CONSTRAINT {check};\n\
                     COMMIT;"
                ),
                format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;"),
            ),
            Engine::Mysql => (
                format!(
                    "{begin}\n\n\
                     -- What old code wrote since step 2.\n\
                     {fill}\n\n\
                     -- LOCK=NONE: others read and write meanwhile, or the server refuses; then leave the two words out, and\n\
                     -- writers wait.\n\
                     ALTER TABLE {table} MODIFY COLUMN {column} {data_type} NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;"
                ),
                format!("ALTER TABLE {table} MODIFY COLUMN {column} {data_type} NULL;"),
            ),
            _ => (
                format!(
                    "{begin}\n\n\
                     -- What old code wrote since step 2.\n\
                     {fill}\n\n\
                     ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"
                ),
                format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;"),
            ),
        };
        Draft {
            step: "enforce",
            purpose: "step 3 of 3, every row must have a value".to_owned(),
            headers: &[],
            up,
            back,
        }
    }
}
