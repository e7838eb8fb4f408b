//! How a file is cut into chunks makes no difference, and nothing makes the reader fail.

use limosa_sql::Engine;
use proptest::prelude::*;

use crate::project::read_file;

fn parts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("-- limosa:rollback\n"),
        Just("-- ====\n-- ROLLBACK\n-- ====\n"),
        Just("-- =======\r\n"),
        Just("-- ROLLBACK\n"),
        Just("--   DROP TABLE a;\n"),
        Just("-- prose\n"),
        Just("-- Transaction: none\n"),
        Just("-- Lock-timeout: soon\n"),
        Just("-- limosa:other\n"),
        Just("CREATE TABLE a (b int);\n"),
        Just("SELECT 1"),
        Just("BEGIN;"),
        Just("COMMIT;\r\n"),
        Just("'open\n"),
        Just("$x$\n"),
        Just("/* c\n"),
        Just("*/"),
        Just("\n"),
        Just(" \t\r\n"),
        Just("\u{feff}"),
        Just("é"),
        Just(";"),
        Just("("),
        Just(")"),
        Just("COPY t FROM stdin;\n1\n\\.\n"),
        Just("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1;\n"),
        Just("END;\n"),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn shown(engine: Engine, path: &str, text: &str, chunk: usize) -> String {
    format!("{:#?}", read_file(engine, path, text.as_bytes(), chunk, &[]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn chunks_do_not_matter(text in parts(), chunk in 1_usize..12, sqlite: bool, rollback: bool) {
        let engine = if sqlite { Engine::Sqlite } else { Engine::Postgres };
        let path = if rollback { "1_a.rollback.sql" } else { "1_a.sql" };
        let whole = shown(engine, path, &text, usize::MAX);
        prop_assert_eq!(shown(engine, path, &text, chunk), whole);
    }

    #[test]
    fn the_up_part_alone_reads_the_same(text in parts(), sqlite: bool) {
        let engine = if sqlite { Engine::Sqlite } else { Engine::Postgres };
        let (facts, problems) = read_file(engine, "1_a.sql", text.as_bytes(), 7, &[]);
        let Some(script) = facts.as_ref().and_then(|facts| facts.script()) else { return Ok(()) };
        if problems.iter().any(|problem| problem.is_error()) {
            return Ok(());
        }
        // What is sent is the up part, cut out of the file: it must be what was outlined and hashed.
        let up = &text.as_bytes()[..script.span.end as usize];
        let (again, problems) = read_file(engine, "1_a.sql", up, usize::MAX, &[]);
        prop_assert!(problems.iter().all(|problem| !problem.is_error()), "{:?}", problems);
        let again = again.and_then(|facts| facts.script().cloned()).expect("a script");
        prop_assert_eq!(&again.up_checksum, &script.up_checksum);
        prop_assert_eq!(&again.outline, &script.outline);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), chunk in 1_usize..5) {
        let (facts, _) = read_file(Engine::Postgres, "1_a.sql", &bytes, chunk, &[]);
        prop_assert!(facts.is_some());
    }
}
