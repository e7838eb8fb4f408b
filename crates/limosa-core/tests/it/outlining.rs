//! How statements are grouped for commit.

use limosa_core::{GroupMode, LeftOutReason, Outline, OutlineError, Outliner, ToolTransaction, TransactionWish};
use limosa_sql::{Dialect, Engine, ForeignKeys, Splitter};
use proptest::prelude::*;

use crate::build::{outline, outline_of};

/// Groups as `1-2 inside, 3 alone`.
fn groups(engine: Engine, text: &str, wish: TransactionWish) -> String {
    words(outline_of(engine, text, wish))
}

fn words(outline: Result<Outline, OutlineError>) -> String {
    match outline {
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
            let left: Vec<String> = outline.left_out.iter().map(|left| left.statement.to_string()).collect();
            let left = if left.is_empty() { String::new() } else { format!(", without {}", left.join(" ")) };
            format!("{}{}{left}", words.join(", "), if outline.wrapped { " (wrapped)" } else { "" })
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
fn transactions_of_another_tool_are_limosa_s() {
    let groups_in = |around, text: &str, wish| groups_around(Engine::Sqlite, around, text, wish);
    let groups = |text: &str, wish| groups_in(ToolTransaction::Held, text, wish);
    for (text, wanted) in [
        ("select 1; commit; select 2;", "1-2 inside, 3 inside, without 2"),
        ("commit; select 1;", "1-2 inside, without 1"),
        ("commit;", "1 inside, without 1"),
        ("begin; select 1;", "1-2 inside, without 1"),
        ("begin;", "1 inside, without 1"),
        (
            "commit; pragma foreign_keys = off; begin; select 1; commit; pragma foreign_keys = on; begin;",
            "1 inside, 2 alone, 3-5 own, 6 alone, 7 inside, without 1 7",
        ),
        ("begin; select 1; commit; commit; select 2;", "1-3 own, 4 inside, 5 inside, without 4"),
        ("select 1; rollback;", "ROLLBACK ends a transaction that this file did not begin at 1:11"),
    ] {
        assert_eq!(groups(text, TransactionWish::Auto), wanted, "{text}");
    }
    let alone = groups("select 1; commit;", TransactionWish::None);
    assert_eq!(alone, "COMMIT ends a transaction that this file did not begin at 1:11");
    let implicit = |text: &str| groups_in(ToolTransaction::Implicit, text, TransactionWish::Auto);
    assert_eq!(implicit("select 1; commit; select 2;"), "1-2 inside, 3 inside, without 2");
    let left_open = "the transaction that begins here is still open at the end of the file at 1:1";
    assert_eq!(implicit("begin; select 1;"), left_open);
}

fn groups_around(engine: Engine, around: ToolTransaction, text: &str, wish: TransactionWish) -> String {
    let mut splitter = Splitter::new(engine, "test.sql");
    splitter.feed(text.as_bytes());
    splitter.finish();
    let mut outliner = Outliner::new(engine, wish);
    outliner.surround(around);
    while let Some(piece) = splitter.next_piece().unwrap() {
        outliner.add(&piece);
    }
    words(outliner.finish())
}

#[test]
fn a_procedure_that_a_tool_calls_by_itself_may_commit() {
    for (around, text, wish, wanted) in [
        (ToolTransaction::Implicit, "-- x\ncall p();", TransactionWish::Auto, "1 alone"),
        (ToolTransaction::Implicit, "call p()", TransactionWish::Always, "1 inside"),
        (ToolTransaction::Implicit, "call p(); call q();", TransactionWish::Auto, "1-2 inside"),
        (ToolTransaction::Implicit, "select 1; call p();", TransactionWish::Auto, "1-2 inside"),
        (ToolTransaction::Held, "call p();", TransactionWish::Auto, "1 inside"),
        (ToolTransaction::OfConnection, "call p();", TransactionWish::Auto, "1 inside"),
    ] {
        assert_eq!(groups_around(Engine::Postgres, around, text, wish), wanted, "{text}");
    }
}

#[test]
fn mysql_commits_ddl_by_itself() {
    for (text, wanted) in [
        ("", ""),
        ("insert into t values (1); update t set a = 2;", "1-2 inside"),
        ("create table t (a int);", "1 alone"),
        (
            "create table t (a int); alter table t add b int; insert into t values (1, 2); delete from t;",
            "1-2 alone, 3-4 inside",
        ),
        (
            "set names utf8mb4; create temporary table x (a int); insert into x values (1); drop temporary table x;",
            "1-4 inside",
        ),
        ("set autocommit = 0; insert into t values (1); set autocommit = 1;", "1 inside"),
        ("call p();", "1 alone"),
        ("insert into t values (1); call p(); insert into t values (2);", "1 inside, 2 alone, 3 inside"),
        ("begin not atomic select 1; end;", "1 alone"),
        ("savepoint a; insert into t values (1); rollback to a;", "1-3 inside"),
        // The file's own transactions.
        ("begin; insert into t values (1); commit;", "1-3 inside (wrapped)"),
        ("start transaction; insert into t values (1); rollback;", "1-3 own"),
        ("insert into t values (0); begin; insert into t values (1); commit;", "1 inside, 2-4 own"),
        ("begin; call p(); commit;", "1-3 own"),
        ("set @a = 1; begin; execute s; commit; select 1;", "1 inside, 2-4 own, 5 inside"),
        // Those that hold nothing together.
        ("begin; create table t (a int); commit;", "1-3 alone, without 1 3"),
        (
            "begin; create table t (a int); insert into t values (1); insert into t values (2); commit;",
            "1-2 alone, 3-5 inside, without 1 5",
        ),
        ("begin; insert into t values (1); create table u (a int); commit;", "1-2 inside, 3-4 alone, without 1 4"),
        (
            "set sql_mode = ''; start transaction; set time_zone = '+00:00'; create table t (a int); insert into t values (1); commit; set names utf8mb4;",
            "1-3 inside, 4 alone, 5-7 inside, without 2 6",
        ),
        ("begin; create table t (a int); begin; insert into t values (1); commit;", "1-2 alone, 3-5 own, without 1"),
        ("begin; call p(); drop table t; commit;", "1-4 alone, without 1 4"),
        (
            "begin; create table t (a int); insert into t values (1); rollback;",
            "the file's own transaction ends with ROLLBACK, but on MySQL CREATE TABLE commits, and nothing takes that back at 1:8",
        ),
        (
            "begin; create table t (a int);",
            "the transaction that begins here is still open at the end of the file at 1:1",
        ),
        ("begin; begin; commit;", "BEGIN inside a transaction that the file began already at 1:8"),
        ("commit;", "COMMIT ends a transaction that this file did not begin at 1:1"),
        // What a dump brings.
        ("lock tables t write; insert into t values (1); unlock tables;", "1-3 inside, without 1 3"),
        (
            "lock tables t write; alter table t disable keys; insert into t values (1); unlock tables;",
            "1-2 alone, 3-4 inside, without 1 4",
        ),
        ("lock tables t write; unlock tables;", "1-2 inside, without 1 2"),
        (
            "begin; lock tables t write; insert into t values (1); unlock tables; commit;",
            "1-5 inside (wrapped), without 2 4",
        ),
        (
            "SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0; insert into t values (1); commit; insert into t values (2); commit;",
            "1-4 inside, without 2 4",
        ),
        ("set autocommit = 0; commit; create table t (a int);", "1-2 alone, without 1"),
        ("set autocommit = 0; rollback;", "ROLLBACK ends a transaction that this file did not begin at 1:21"),
        // What nobody could go on from.
        (
            "begin; insert into t values (1); commit and chain;",
            "COMMIT AND CHAIN leaves a transaction behind that no migration ends; write COMMIT, and BEGIN where another is wanted at 1:34",
        ),
        ("begin; commit release;", "COMMIT RELEASE closes the connection, which limosa still needs at 1:8"),
        (
            "xa start 'x';",
            "XA START leaves a transaction behind that no migration ends; write COMMIT, and BEGIN where another is wanted at 1:1",
        ),
        ("xa commit 'x';", "1 alone"),
        (
            "flush tables with read lock;",
            "FLUSH TABLES WITH READ LOCK keeps everyone from writing, limosa and its ledger too at 1:1",
        ),
        (
            "set transaction read only;",
            "SET TRANSACTION is for the next transaction only, and that is one of limosa's at 1:1",
        ),
        ("set session transaction read only;", "1 inside"),
    ] {
        assert_eq!(groups(Engine::Mysql, text, TransactionWish::Auto), wanted, "{text}");
    }
    for (text, wish, wanted) in [
        ("insert into t values (1); insert into t values (2);", TransactionWish::None, "1-2 alone"),
        ("begin; insert into t values (1); commit;", TransactionWish::None, "1-3 own"),
        (
            "begin; create table t (a int); insert into t values (1); commit;",
            TransactionWish::None,
            "1-4 alone, without 1 4",
        ),
        (
            "select 1;\ncreate table t (a int);",
            TransactionWish::Always,
            "on MySQL CREATE TABLE commits by itself, and ends the transaction that it runs in, but the header asks for one at 2:1",
        ),
        (
            "begin; create table t (a int); commit;",
            TransactionWish::Always,
            "on MySQL CREATE TABLE commits by itself, and ends the transaction that it runs in, but the header asks for one at 1:8",
        ),
        // Who writes the header knows what the procedure does.
        ("insert into t values (1); call p();", TransactionWish::Always, "1-2 inside"),
        ("begin; call p(); commit;", TransactionWish::Always, "1-3 inside (wrapped)"),
    ] {
        assert_eq!(groups(Engine::Mysql, text, wish), wanted, "{text} {wish:?}");
    }
}

#[test]
fn what_is_left_out_is_counted_and_explained() {
    let text = "start transaction;\ncreate table t (a int);\nlock table t write;\ninsert into t values (1);\ncommit;";
    let found = outline_of(Engine::Mysql, text, TransactionWish::Auto).unwrap();
    let left: Vec<_> =
        found.left_out.iter().map(|left| (left.statement, left.verb.as_str(), left.position.line, left.why)).collect();
    assert_eq!(
        left,
        [
            (1, "START TRANSACTION", 1, LeftOutReason::HoldsNothing),
            (3, "LOCK TABLE", 3, LeftOutReason::LocksLedger),
            (5, "COMMIT", 5, LeftOutReason::HoldsNothing),
        ]
    );
    let sent: Vec<bool> = (1..=5).map(|number| found.sends(number)).collect();
    assert_eq!(sent, [false, true, false, true, false]);
    assert!(!found.is_atomic());
    assert_eq!(found.statements, 5);
    let wrapped = outline_of(Engine::Mysql, "begin; insert into t values (1); commit;", TransactionWish::Auto).unwrap();
    let sent: Vec<bool> = (1..=3).map(|number| wrapped.sends(number)).collect();
    assert_eq!(sent, [false, true, false]);
}

#[test]
fn several_settings_of_one_statement_are_counted() {
    let found =
        outline_of(Engine::Mysql, "set a = 1, b = 2; set names utf8mb4; use d;", TransactionWish::Auto).unwrap();
    assert_eq!(found.settings, ["a", "b", "names", "database"]);
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
fn a_script_may_begin_with_foreign_keys_enforced() {
    let begun = Dialect::from(Engine::Sqlite).with_foreign_keys(ForeignKeys::Enforced);
    for (text, enforced, grouped) in [
        ("drop table p;", true, "1 inside"),
        ("begin; drop table p; commit;", true, "1-3 inside (wrapped)"),
        ("drop table p; pragma foreign_keys = on;", true, "1-2 inside"),
        ("pragma foreign_keys = off; drop table p; pragma foreign_keys = on;", false, "1-3 inside"),
        ("pragma foreign_keys = off; drop table p;", false, "1-2 inside"),
        ("create table x (a); pragma foreign_keys = off; drop table p;", true, "1 inside, 2 alone, 3 inside"),
        // As Prisma writes it.
        (
            "pragma defer_foreign_keys=on; pragma foreign_keys=off; create table n (a); drop table p; \
             pragma foreign_keys=on; pragma defer_foreign_keys=off;",
            true,
            "1 inside, 2 alone, 3-4 inside, 5 alone, 6 inside",
        ),
    ] {
        let found = outline_of(begun, text, TransactionWish::Auto);
        assert_eq!(words(found.clone()), grouped, "{text}");
        assert_eq!(found.expect("an outline").enforces_foreign_keys(), enforced, "{text}");
    }
    let elsewhere = Dialect::from(Engine::Postgres).with_foreign_keys(ForeignKeys::Enforced);
    assert!(
        !outline_of(elsewhere, "drop table p;", TransactionWish::Auto).expect("an outline").enforces_foreign_keys()
    );
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

const PARTS: &[&str] = &[
    "begin;",
    "start transaction;",
    "commit;",
    "rollback;",
    "select 1;",
    "insert into t values (1);",
    "create table t (a int);",
    "drop table t;",
    "vacuum;",
    "call p();",
    "savepoint a;",
    "lock tables t write;",
    "unlock tables;",
    "set autocommit = 0;",
    "set @old = @@autocommit, autocommit = 0;",
    "alter type m add value 'x';",
    "select 'x';",
    "pragma foreign_keys = off;",
    "-- nothing\n",
];

proptest! {
    #[test]
    fn groups_hold_each_statement_once(
        engine in proptest::sample::select(Engine::ALL),
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..12),
        wish in proptest::sample::select(&[TransactionWish::Auto, TransactionWish::Always, TransactionWish::None]),
    ) {
        let Ok(found) = outline_of(engine, &parts.concat(), wish) else { return Ok(()) };
        let mut next = 1;
        for group in &found.groups {
            prop_assert_eq!(group.first, next);
            prop_assert!(group.last >= group.first);
            next = group.last + 1;
        }
        prop_assert_eq!(next, found.statements + 1);
        let left: Vec<u64> = found.left_out.iter().map(|left| left.statement).collect();
        prop_assert!(left.is_sorted() && left.iter().all(|number| !found.sends(*number)));
        // What commits by itself stands in no transaction of limosa's.
        if engine == Engine::Mysql {
            let inside = |number| found.place_of(number).is_some_and(|(group, ..)| group.mode == GroupMode::Transaction);
            let commits = |verb: &str| ["CREATE TABLE", "DROP TABLE"].contains(&verb);
            prop_assert!(found.remarkable.iter().all(|one| !(commits(&one.class.verb) && inside(one.statement))));
        }
    }
}
