//! How statements are grouped for commit.

use limosa_core::{GroupMode, OutlineError, TransactionWish};
use limosa_sql::Engine;

use crate::build::{outline, outline_of};

/// Groups as `1-2 inside, 3 alone`.
fn groups(engine: Engine, text: &str, wish: TransactionWish) -> String {
    match outline_of(engine, text, wish) {
        Err(error) => format!("{error} at {}:{}", error.position().line, error.position().column),
        Ok(outline) => {
            let words = outline.groups.iter().map(|group| {
                let mode = match group.mode {
                    GroupMode::Transaction => "inside",
                    GroupMode::Alone => "alone",
                    GroupMode::Own => "own",
                };
                match group.first == group.last {
                    true => format!("{} {mode}", group.first),
                    false => format!("{}-{} {mode}", group.first, group.last),
                }
            });
            let words: Vec<String> = words.collect();
            format!("{}{}", words.join(", "), if outline.wrapped { " (wrapped)" } else { "" })
        }
    }
}

#[test]
fn statements_decide_their_transactions() {
    for (text, wanted) in [
        ("", ""),
        ("-- nothing", ""),
        ("select 1", "1 inside"),
        ("select 1; select 2;", "1-2 inside"),
        ("create index concurrently i on t (a);", "1 alone"),
        ("create table t (); create index concurrently i on t (a); select 1;", "1 inside, 2 alone, 3 inside"),
        ("vacuum; vacuum; select 1;", "1-2 alone, 3 inside"),
        ("begin; select 1; commit;", "1-3 inside (wrapped)"),
        ("start transaction isolation level serializable; select 1; end;", "1-3 inside (wrapped)"),
        ("begin; select 1; rollback;", "1-3 own"),
        ("begin; select 1; commit; begin; select 2; commit;", "1-3 own, 4-6 own"),
        ("select 0; begin; select 1; commit;", "1 inside, 2-4 own"),
        ("begin; select 1; commit; select 2;", "1-3 own, 4 inside"),
        ("begin; savepoint a; rollback to a; commit;", "1-4 inside (wrapped)"),
        ("begin;", "the transaction that begins here is still open at the end of the file at 1:1"),
        ("commit;", "COMMIT ends a transaction that this file did not begin at 1:1"),
        ("select 1;\n rollback;", "ROLLBACK ends a transaction that this file did not begin at 2:2"),
        ("begin; begin; commit;", "BEGIN inside a transaction that the file began already at 1:8"),
        (
            "begin; vacuum; commit;",
            "VACUUM cannot run inside a transaction, and the file's own BEGIN stands before it at 1:8",
        ),
    ] {
        assert_eq!(groups(Engine::Postgres, text, TransactionWish::Auto), wanted, "{text}");
    }
}

#[test]
fn headers_overrule_where_they_can() {
    for (text, wish, wanted) in [
        ("select 1; select 2;", TransactionWish::None, "1-2 alone"),
        ("select 1; vacuum;", TransactionWish::None, "1-2 alone"),
        ("begin; select 1; commit;", TransactionWish::None, "1-3 own"),
        ("select 1; select 2;", TransactionWish::Always, "1-2 inside"),
        (
            "select 1;\nvacuum;",
            TransactionWish::Always,
            "VACUUM cannot run inside a transaction, but the header asks for one at 2:1",
        ),
    ] {
        assert_eq!(groups(Engine::Postgres, text, wish), wanted, "{text} {wish:?}");
    }
}

#[test]
fn a_new_enum_value_splits_only_before_its_use() {
    for (text, wanted) in [
        ("alter type m add value 'x'; select 1;", "1-2 inside"),
        ("alter type m add value 'x'; select 'x'::m;", "1 inside, 2 inside"),
        ("alter type m add value 'x'; alter type m add value 'y' after 'x'; select 'y'::m;", "1-2 inside, 3 inside"),
        ("create type m as enum ('a'); alter type m add value 'x'; select 'x'::m;", "1-2 inside, 3 inside"),
        ("alter type m add value 'x'; insert into t values ('x'); insert into t values ('x');", "1 inside, 2-3 inside"),
        // What it will be called is not known here.
        ("alter type m add value ${x:literal}; select ${x:literal}::m;", "1 inside, 2 inside"),
        ("alter type m add value ${x:literal}; alter type m add value ${y:literal};", "1-2 inside"),
    ] {
        assert_eq!(groups(Engine::Postgres, text, TransactionWish::Auto), wanted, "{text}");
    }
    for text in [
        "alter type m add value 'x';",
        "begin; alter type m add value 'x'; commit;",
        "alter type m add value ${x:literal};",
    ] {
        assert!(outline(text).adds_enum_value, "{text}");
    }
    assert!(!outline("create type m as enum ('a', 'x');").adds_enum_value);
}

#[test]
fn sqlite_lifts_pragmas_out() {
    let found = outline_of(
        Engine::Sqlite,
        "pragma foreign_keys = off; create table t (a); pragma foreign_keys = on;",
        TransactionWish::Auto,
    )
    .unwrap();
    assert!(found.is_atomic());
    let lifted: Vec<(u64, &str)> = found.lifted.iter().map(|one| (one.statement, one.name.as_str())).collect();
    assert_eq!(lifted, [(1, "foreign_keys"), (3, "foreign_keys")]);
    for (text, wanted) in [
        ("vacuum;", "1 alone"),
        ("create table t (a); vacuum;", "1 inside, 2 alone"),
        ("begin; pragma foreign_keys=off; create table t (a); commit;", "1-4 inside (wrapped)"),
        ("pragma journal_mode = wal;", "1 inside"),
        // What cannot be one transaction keeps its pragmas where they stand.
        ("pragma page_size = 8192; vacuum;", "1 alone, 2 alone"),
        (
            "create table a (x); pragma synchronous = off; create table b (x); vacuum; pragma synchronous = full;",
            "1 inside, 2 alone, 3 inside, 4 alone, 5 alone",
        ),
    ] {
        assert_eq!(groups(Engine::Sqlite, text, TransactionWish::Auto), wanted, "{text}");
    }
}

#[test]
fn foreign_keys_are_enforced_where_the_script_says_so_and_nowhere_else() {
    for (text, enforced, grouped) in [
        ("drop table p; pragma foreign_keys = on;", false, "1-2 inside"),
        (
            "pragma foreign_keys = on; pragma foreign_keys = off; drop table p; pragma foreign_keys = on;",
            false,
            "1-4 inside",
        ),
        ("pragma foreign_keys = on; insert into c values (1);", true, "1-2 inside"),
        ("pragma foreign_keys(1); insert into c values (1); pragma foreign_keys = 0;", true, "1-3 inside"),
        ("pragma main.foreign_keys = 'yes'; insert into c values (1);", true, "1-2 inside"),
        ("pragma foreign_keys = nonsense; insert into c values (1);", false, "1-2 inside"),
        ("create table x (a); pragma foreign_keys = off; drop table p;", false, "1-3 inside"),
        (
            "pragma foreign_keys = off; drop table p; pragma foreign_keys = on; pragma foreign_keys = off; drop table q;",
            false,
            "1-5 inside",
        ),
        // Switched between statements: in pieces, as the shell would.
        (
            "create table x (a); pragma foreign_keys = on; insert into c values (1);",
            false,
            "1 inside, 2 alone, 3 inside",
        ),
        (
            "pragma foreign_keys = on; insert into c values (1); pragma foreign_keys = off; drop table p;",
            false,
            "1 alone, 2 inside, 3 alone, 4 inside",
        ),
        (
            "begin; drop table p; pragma foreign_keys = on; insert into c values (1); commit;",
            false,
            "1-5 inside (wrapped)",
        ),
    ] {
        let found = outline_of(Engine::Sqlite, text, TransactionWish::Auto).unwrap();
        assert_eq!(groups(Engine::Sqlite, text, TransactionWish::Auto), grouped, "{text}");
        assert_eq!(found.enforces_foreign_keys(), enforced, "{text}");
        let (before, after) = found.pragmas_around();
        assert_eq!(before.len() + after.len(), found.lifted.len(), "{text}");
    }
}

#[test]
fn the_first_error_counts_and_has_its_place() {
    let error = outline_of(Engine::Postgres, "select 1;\n\n commit; begin;", TransactionWish::Auto).unwrap_err();
    assert!(matches!(&error, OutlineError::EndsNothing { verb, position } if verb == "COMMIT" && position.line == 3));
}

#[test]
fn what_a_script_holds_is_counted() {
    let found = outline(
        "set search_path = a; create table ${t} (); -- ${comment}\ninsert into ${t} values ('${u}');\n\
         drop table a, b; truncate c; delete from d; copy t from stdin;\n1\n\\.\n",
    );
    assert_eq!(found.statements, 7);
    assert_eq!(found.settings, ["search_path"]);
    assert!(found.copies);
    let names: Vec<(&str, u64)> = found.placeholders.iter().map(|(name, at)| (name.as_str(), at.line)).collect();
    assert_eq!(names, [("t", 1), ("u", 2)]);
    let losses: Vec<String> = found.losses().map(|(_, loss)| format!("{} {}", loss.kind, loss.object)).collect();
    assert_eq!(losses, ["table a, b", "rows c", "rows d"]);
}

#[test]
fn places_within_groups() {
    let found = outline("select 1; select 2; vacuum;");
    let place = |number| found.place_of(number).map(|(group, first, last)| (group.mode, first, last));
    assert_eq!(place(1), Some((GroupMode::Transaction, true, false)));
    assert_eq!(place(2), Some((GroupMode::Transaction, false, true)));
    assert_eq!(place(3), Some((GroupMode::Alone, true, true)));
    assert_eq!(place(4), None);
}
