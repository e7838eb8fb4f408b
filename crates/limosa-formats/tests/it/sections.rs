//! Files whose sections lead up and back: what is run, what takes it back, and what is wrong with them.

use limosa_core::{Checksum, Direction, Expression, GroupMode, Markers, Outline, SectionMask, TransactionWish};
use limosa_formats::native::{FileFacts, FileReader};
use limosa_sql::{Diagnostic, Engine, PieceKind, Position, split};
use proptest::prelude::*;

use crate::project::show;

fn read(engine: Engine, markers: Markers, text: &str, chunk: usize) -> (FileFacts, Vec<Diagnostic>) {
    let mut reader = FileReader::new(engine, "m/1_a.sql", &[]).with_markers(Some(markers));
    for part in text.as_bytes().chunks(chunk.max(1)) {
        reader.feed(part);
    }
    let (facts, problems) = reader.finish();
    (facts.expect("a script"), problems)
}

fn fine(markers: Markers, text: &str) -> FileFacts {
    let (facts, problems) = read(Engine::Postgres, markers, text, usize::MAX);
    assert!(problems.is_empty(), "{text}\n{:?}", problems.iter().map(show).collect::<Vec<_>>());
    facts
}

fn problems(markers: Markers, text: &str) -> Vec<String> {
    read(Engine::Postgres, markers, text, usize::MAX).1.iter().map(show).collect()
}

/// The statements that are run: what a reader of the masked file splits.
fn statements(engine: Engine, markers: Markers, text: &str) -> Vec<String> {
    let mut mask = SectionMask::new(markers, Direction::Apply);
    let mut masked = Vec::new();
    mask.feed(text.as_bytes(), &mut masked);
    mask.finish(&mut masked);
    let pieces = split(engine, "a.sql", &masked).expect("statements");
    let statements = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_)));
    statements.map(|piece| piece.statement().to_owned()).collect()
}

const GOOSE: &str = "-- who wrote it\r\n-- +goose Up\r\n-- Lock-timeout: 2s\r\nCREATE TABLE a (note text DEFAULT '${x}');\r\n\
                     -- +goose StatementBegin\r\nCREATE FUNCTION f() RETURNS int AS $$\r\nBEGIN\r\n  RETURN 1;\r\nEND;\r\n$$ LANGUAGE plpgsql\r\n\
                     -- +goose StatementEnd\r\nCOMMENT ON TABLE a IS 'x';\r\n\r\n-- +goose Down\r\n-- Statement-timeout: 9s\r\n\
                     DROP FUNCTION f();\r\nDROP TABLE a;\r\n";

#[test]
fn sections_are_a_script_and_its_way_back() {
    let facts = fine(Markers::Goose, GOOSE);
    let script = facts.script().unwrap();
    assert_eq!((script.outline.markers, script.span.start), (Some(Markers::Goose), 0));
    let end = GOOSE.find("'x';").unwrap() + 4;
    assert_eq!(script.span.end, end as u64);
    assert_eq!(script.outline.statements, 3);
    assert_eq!(script.file_checksum, Checksum::of(GOOSE.as_bytes()));
    assert_eq!(facts.headers().lock_timeout, Some(2000));
    assert!(facts.headers().placeholders_off);
    let found = statements(Engine::Postgres, Markers::Goose, GOOSE);
    assert_eq!(found.len(), 3);
    assert!(found[1].starts_with("CREATE FUNCTION") && found[1].ends_with("LANGUAGE plpgsql"), "{found:?}");
    let back = facts.rollback().unwrap();
    assert_eq!(back.text, "-- Statement-timeout: 9s\nDROP FUNCTION f();\nDROP TABLE a;\n");
    assert_eq!(back.start, Position { line: 15, column: 1 });
    assert_eq!((back.outline.statements, back.time_outs().statement_ms), (2, Some(9000)));
}

#[test]
fn several_sections_are_joined() {
    let text = "-- migrate:up\ncreate table a (n int)\n-- migrate:down\ndrop table a -- gone;\n\n\
                -- migrate:up transaction:false\ncreate index concurrently i on a (n);\n-- migrate:down\ndrop index i;\n";
    let facts = fine(Markers::Dbmate, text);
    assert_eq!(
        statements(Engine::Postgres, Markers::Dbmate, text),
        ["create table a (n int)", "create index concurrently i on a (n)"]
    );
    let modes: Vec<GroupMode> = facts.script().unwrap().outline.groups.iter().map(|group| group.mode).collect();
    assert_eq!(modes, [GroupMode::Transaction, GroupMode::Alone]);
    let back = facts.rollback().unwrap();
    assert_eq!(back.text, "drop table a -- gone;\n\n;\n\n\ndrop index i;\n");
    assert_eq!((back.start.line, back.outline.statements), (4, 2));
    assert_eq!(back.outline.groups.len(), 1);
}

#[test]
fn the_checksum_is_that_of_what_leads_up() {
    let sum = |text: &str| fine(Markers::Goose, text).script().unwrap().up_checksum.clone();
    let plain = sum("-- +goose Up\nselect 1;");
    for same in [
        "\u{feff}-- +goose Up\r\nselect 1;\r\n",
        "-- other words\n\n-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\n",
        "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd\n\n-- +goose Down\nselect 2;\n",
    ] {
        assert_eq!(sum(same), plain, "{same:?}");
    }
    for other in ["-- +goose Up\nselect 2;", "-- +goose Up\n-- x\nselect 1;"] {
        assert_ne!(sum(other), plain, "{other:?}");
    }
}

#[test]
fn no_transaction_holds_for_both_directions_wherever_it_stands() {
    for text in [
        "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\nselect 2;\n-- +goose Down\nselect 3;",
        "-- +goose Up\nselect 1;\nselect 2;\n-- +goose Down\n-- +goose NO TRANSACTION\nselect 3;",
    ] {
        let facts = fine(Markers::Goose, text);
        assert_eq!(facts.headers().transaction, TransactionWish::None);
        assert_eq!(facts.script().unwrap().outline.groups[0].mode, GroupMode::Alone);
        assert_eq!(facts.rollback().unwrap().transaction(), TransactionWish::None);
    }
    // A header of limosa's is nearer.
    let facts = fine(Markers::Goose, "-- +goose NO TRANSACTION\n-- +goose Up\n-- Transaction: always\nselect 1;");
    assert_eq!(facts.script().unwrap().outline.groups[0].mode, GroupMode::Transaction);
    let facts = fine(Markers::SqlMigrate, "-- +migrate Up\nselect 1;\n-- +migrate Down notransaction\nselect 2;\n");
    assert_eq!(facts.script().unwrap().outline.groups[0].mode, GroupMode::Transaction);
    assert_eq!(facts.rollback().unwrap().transaction(), TransactionWish::None);
}

#[test]
fn what_postgres_runs_as_one_outside_of_transactions_stays_one() {
    use GroupMode::{Alone, Transaction};
    let goose = "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\n-- +goose StatementBegin\nset local x = 1;\nselect 2;\n-- +goose StatementEnd\n\
                 -- +goose StatementBegin\nselect 3;\nselect 4\n-- +goose StatementEnd\n-- +goose StatementBegin\ndo 'commit';\n-- +goose StatementEnd\n\
                 select 5; select 6;\n-- +goose Down\n-- +goose StatementBegin\nselect 1;\nselect 2;\n-- +goose StatementEnd\n";
    let dbmate = "-- migrate:up transaction:false\nset local x = 1;\nselect 1;\n-- migrate:down transaction:false\nselect 1;\n\
                  -- migrate:up\nselect 2;\n-- migrate:up transaction:false\nselect 3;\n";
    for (markers, text, engine, expected, back) in [
        (
            Markers::Goose,
            goose,
            Engine::Postgres,
            &[(1, 1, Alone), (2, 3, Transaction), (4, 5, Transaction), (6, 8, Alone)][..],
            Transaction,
        ),
        (Markers::Goose, goose, Engine::Sqlite, &[(1, 8, Alone)], Alone),
        (Markers::Dbmate, dbmate, Engine::Postgres, &[(1, 2, Transaction), (3, 3, Transaction), (4, 4, Alone)], Alone),
    ] {
        for chunk in [1, 7, 1000] {
            let (facts, _) = read(engine, markers, text, chunk);
            let groups = &facts.script().expect("a script").outline.groups;
            let groups: Vec<_> = groups.iter().map(|group| (group.first, group.last, group.mode)).collect();
            assert_eq!(groups, expected, "{markers:?} {engine:?} {chunk}");
            assert_eq!(facts.rollback().expect("a way back").outline.groups[0].mode, back);
        }
    }
}

#[test]
fn sections_without_sql() {
    let facts = fine(Markers::Dbmate, "-- migrate:up\nselect 1;\n\n-- migrate:down\n-- nothing takes it back\n");
    assert!(facts.rollback().is_none());
    let (_, found) = read(Engine::Sqlite, Markers::Goose, "-- +goose Up\n-- words\n-- +goose Down\nselect 1;", 9);
    assert_eq!(found.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["LIM-F008"]);
    let facts = fine(Markers::NodePgMigrate, "create table a (n int);\n");
    assert!(facts.rollback().is_none() && facts.script().unwrap().outline.statements == 1);
}

#[test]
fn bodies_of_routines_stay_whole() {
    let body = "CREATE PROCEDURE p() BEGIN\n  DECLARE n INT DEFAULT 0;\n  again: LOOP SET n = n + 1; IF n > 3 THEN LEAVE again; END IF; END LOOP;\n\
                CASE n WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE;\nEND;";
    let mysql = format!("-- +goose Up\n-- +goose StatementBegin\n{body}\n-- +goose StatementEnd\nSELECT 1;\n");
    assert_eq!(statements(Engine::Mysql, Markers::Goose, &mysql), [body.trim_end_matches(';'), "SELECT 1"]);
    let body = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT CASE WHEN 1 THEN 2 END;\n  DELETE FROM b;\nEND";
    let sqlite = format!("-- +migrate Up\n-- +migrate StatementBegin\n{body}\n-- +migrate StatementEnd\nSELECT 1;\n");
    assert_eq!(statements(Engine::Sqlite, Markers::SqlMigrate, &sqlite), [body, "SELECT 1"]);
}

#[test]
fn variables_are_replaced_where_the_file_says_so() {
    let text = "-- +goose Up\n-- +goose ENVSUB ON\ncreate role ${OWNER:-me}; -- ${OTHER:literal}\n-- $5\n-- +goose ENVSUB OFF\nselect '$x ${y';\n\
                select '${OUTSIDE}', '$$5';\n-- +goose ENVSUB ON\n-- +goose Down\n\ndrop role $OWNER;\n";
    let facts = fine(Markers::Goose, text);
    assert!(!facts.headers().placeholders_off);
    let outline = &facts.script().unwrap().outline;
    let names: Vec<&str> = outline.placeholders.iter().map(|(name, _)| name.as_str()).collect();
    let written = |outline: &Outline| -> Vec<(String, u64, u64)> {
        let of = |one: &Expression| (one.written.clone(), one.position.line, one.position.column);
        outline.expressions.iter().map(of).collect()
    };
    assert_eq!(names, ["OWNER"]);
    assert_eq!(written(outline), [("${OWNER:-me}".to_owned(), 3, 13)]);
    assert_eq!(
        [2, 3, 4, 5, 6, 7, 8, 9, 11].map(|line| outline.variables.contains(line)),
        [false, true, true, false, false, false, false, true, true]
    );
    // The lines of the way back are those of its own text.
    let back = facts.rollback().unwrap();
    assert_eq!((back.text.as_str(), back.start.line), ("\ndrop role $OWNER;\n", 10));
    assert_eq!(written(&back.outline), [("$OWNER".to_owned(), 11, 11)]);
    assert_eq!([1, 2, 3, 4].map(|line| back.outline.variables.contains(line)), [true, true, true, false]);
}

#[test]
fn what_goose_would_refuse_in_variables_is_refused() {
    for (line, place, message, help) in [
        ("é $5", "4:3", "goose reads '$5' as no variable", "${NAME:-default}"),
        ("${A", "4:1", "'${A'", "${NAME}"),
        ("select '${A:x}';", "4:9", "'${A:x}'", "a dollar sign is \\$"),
        ("select ${A:-$1};", "4:13", "'$1'", "ENVSUB OFF"),
        ("do $$ begin end $$;", "4:4", "'$$' stands at an end of a string", "write \\$\\$"),
        ("do $$$$ begin null; end $$$$;", "4:4", "'$$' stands at an end of a string", "write \\$\\$"),
        ("do -- x\n  $A$ begin end $A$;", "5:5", "goose reads '$ ' as no", "ENVSUB OFF"),
    ] {
        for head in ["-- +goose Up\n\n", "-- +goose Up\n-- +goose Down\n"] {
            let found = problems(Markers::Goose, &format!("{head}-- +goose ENVSUB ON\n{line}\n"));
            let words = [format!("LIM-F042 error [m/1_a.sql:{place}]"), message.to_owned(), help.to_owned()];
            let is_told = found.iter().any(|problem| words.iter().all(|word| problem.contains(word)));
            assert!(is_told, "{line}: {found:?}");
        }
    }
    // Of a body in dollar signs the server sees what goose makes of it.
    let body =
        "do \\$\\$ begin perform ${A:-1}; end \\$\\$;\n-- +goose ENVSUB OFF\ndo $$ begin null; end $$;\nselect $$x$$;";
    let text = format!("-- +goose Up\n-- +goose ENVSUB ON\n{body}");
    assert_eq!(fine(Markers::Goose, &text).script().unwrap().outline.statements, 3);
}

#[test]
fn markers_that_make_no_sense_are_told() {
    use Markers::{Dbmate, Goose, NodePgMigrate, SqlMigrate};
    for (markers, text, expected) in [
        (Goose, "create table a (n int);\n", "LIM-F038 error [m/1_a.sql] this file has no '-- +goose Up'"),
        (Goose, "", "LIM-F038 error [m/1_a.sql]"),
        (
            Goose,
            "-- note\n-- migrate:up\nselect 1;",
            "LIM-F038 error [m/1_a.sql] this file has no '-- +goose Up', so nobody knows what of it leads up / write '-- +goose Up' \
             above its SQL; '-- migrate:up' is of dbmate: give its files a folder of their own",
        ),
        (Goose, "s\0e\0l\0e\0c\0t\0", "LIM-S002 error [m/1_a.sql"),
        (
            Goose,
            "-- x\n/* y */ select 1;\n-- +goose Up\nselect 1;",
            "LIM-F040 error [m/1_a.sql:2:1] this SQL stands above",
        ),
        (
            Goose,
            "-- +goose Down\nselect 1;\n-- +goose Up\nselect 2;",
            "LIM-F039 error [m/1_a.sql:1:1] '-- +goose Down' stands above",
        ),
        (
            Goose,
            "-- +goose Up\nselect 1;\n-- +goose Up\n",
            "LIM-F039 error [m/1_a.sql:3:1] this file has a second '-- +goose Up'",
        ),
        (
            Goose,
            "-- +goose Up\n-- +goose Dwon\nselect 1;",
            "LIM-F039 error [m/1_a.sql:2:1] '-- +goose Dwon' is no marker of goose",
        ),
        (
            Goose,
            "-- +goose Up\n-- +goose StatementEnd\n",
            "LIM-F039 error [m/1_a.sql:2:1] '-- +goose StatementEnd' ends nothing",
        ),
        (
            Goose,
            "-- +goose Up\n-- +goose StatementBegin\nselect 1;",
            "LIM-F039 error [m/1_a.sql:2:1] this statement is not ended",
        ),
        (
            Goose,
            "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose Down\nselect 2;",
            "LIM-F039 error [m/1_a.sql:4:1] a section begins within the statement that begins on line 2",
        ),
        (
            Goose,
            "-- +goose Up\n-- limosa:rollback\nselect 1;",
            "LIM-F009 error [m/1_a.sql:2:1] 'limosa:rollback' says nothing",
        ),
        (Dbmate, "select 1;\n-- migrate:up\nselect 2;", "LIM-F040 error [m/1_a.sql:1:1]"),
        (
            Dbmate,
            "-- migrate:down\nselect 2;",
            "LIM-F039 error [m/1_a.sql:1:1] '-- migrate:down' stands above '-- migrate:up'",
        ),
        (
            Dbmate,
            "-- migrate:up\nselect 2;\n-- migrate:down\n-- migrate:down",
            "LIM-F039 error [m/1_a.sql:4:1] a second '-- migrate:down' follows one section up",
        ),
        (SqlMigrate, "select 1;\n-- +migrate Up\nselect 2;", "LIM-F040 warning [m/1_a.sql:1:1]"),
        (SqlMigrate, "-- +migrate up\nselect 2;", "LIM-F039 error [m/1_a.sql:1:1] '-- +migrate up' is no marker"),
        (NodePgMigrate, "select 1;\n-- Down Migration\nselect 2;", "LIM-F039 error [m/1_a.sql:2:1] this file has"),
        (NodePgMigrate, "select 1;\n-- Up Migration\nselect 2;", "LIM-F040 error [m/1_a.sql:1:1]"),
    ] {
        let found = problems(markers, text);
        assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{text:?}: {found:?}");
    }
}

#[test]
fn a_file_that_is_run_as_a_whole_has_no_other_tools_way_back() {
    for (text, refused) in [
        ("-- +goose Up\nselect 1;\n-- +goose Down\ndrop table a;", true),
        ("-- migrate:up\nselect 1;\n-- migrate:down\ndrop table a;", true),
        ("-- +migrate Up\nselect 1;\n-- +migrate Down\ndrop table a;", true),
        ("-- Up Migration\nselect 1;\n-- Down Migration\ndrop table a;", true),
        ("-- +goose Up\nselect 1;\n", false),
        ("-- down migration of users comes later\nselect 1;\n", false),
    ] {
        let mut reader = FileReader::new(Engine::Postgres, "m/1_a.sql", &[]);
        reader.feed(text.as_bytes());
        let (_, found) = reader.finish();
        let refusal = found.iter().find(|problem| problem.code == "LIM-F041");
        assert_eq!(refusal.is_some(), refused, "{text}");
        if let Some(refusal) = refusal {
            assert!(show(refusal).contains("[m/1_a.sql:3:1]"), "{}", show(refusal));
        }
    }
}

fn parts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("-- +goose Up\n"),
        Just("-- +goose Down\r\n"),
        Just("-- +goose StatementBegin\n"),
        Just("-- +goose StatementEnd\n"),
        Just("-- +goose NO TRANSACTION\n"),
        Just("-- +goose ENVSUB ON\n"),
        Just("-- migrate:up\n"),
        Just("-- migrate:down transaction:false\n"),
        Just("-- Up Migration\n"),
        Just("-- Down Migration\n"),
        Just("-- prose\n"),
        Just("select ${A};\n"),
        Just("select 1"),
        Just("begin;"),
        Just("commit;\r\n"),
        Just("'open\n"),
        Just("\n"),
        Just(" \t\r\n"),
        Just("\u{feff}"),
        Just("é"),
        Just(";"),
        Just("--"),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn chunks_do_not_matter(text in parts(), chunk in 1_usize..12, which in 0_usize..4) {
        let markers = Markers::ALL[which];
        let shown = |chunk| format!("{:#?}", read(Engine::Postgres, markers, &text, chunk));
        prop_assert_eq!(shown(chunk), shown(usize::MAX));
    }

    #[test]
    fn what_is_run_is_what_was_outlined(text in parts(), which in 0_usize..4) {
        let markers = Markers::ALL[which];
        let (facts, problems) = read(Engine::Postgres, markers, &text, 5);
        if problems.iter().any(Diagnostic::is_error) {
            return Ok(());
        }
        let script = facts.script().expect("a script");
        // What runs is cut out of the file first, and masked then.
        let cut = &text[..script.span.end as usize];
        let found = statements(Engine::Postgres, markers, cut);
        prop_assert_eq!(found.len() as u64, script.outline.statements);
        prop_assert_eq!(found, statements(Engine::Postgres, markers, &text));
        let last = script.outline.groups.last().map_or(0, |group| group.last);
        prop_assert_eq!(last, script.outline.statements);
        if let Some(back) = facts.rollback() {
            let pieces = split(Engine::Postgres, "a.sql", back.text.as_bytes()).expect("statements");
            let count = pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_))).count();
            prop_assert_eq!(count as u64, back.outline.statements);
        }
    }

    #[test]
    fn the_mask_keeps_every_line_end(text in parts(), which in 0_usize..4) {
        let mut mask = SectionMask::new(Markers::ALL[which], Direction::Apply);
        let mut masked = Vec::new();
        mask.feed(text.as_bytes(), &mut masked);
        mask.finish(&mut masked);
        let text = if Markers::ALL[which].joins_lines() { text.replace("\r\n", "\n") } else { text };
        prop_assert_eq!(masked.len(), text.len());
        for (found, byte) in masked.iter().zip(text.bytes()) {
            prop_assert_eq!(*found == b'\n', byte == b'\n');
        }
    }
}
