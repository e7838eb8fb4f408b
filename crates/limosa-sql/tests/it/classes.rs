//! What statements are.

use limosa_sql::TransactionRule::{self, Begins, Commits, Controls, Either, Outside, RollsBack};
use limosa_sql::{Class, Effect, Engine, QualifiedName, classify};

fn check(engine: Engine, cases: &[(&str, &str, TransactionRule)]) {
    for (statement, verb, transaction) in cases {
        let class = classify(engine, statement);
        assert_eq!((class.verb.as_str(), class.transaction), (*verb, *transaction), "{statement}");
    }
}

/// A file must never end the process, whatever it holds.
#[test]
fn statements_inside_statements_have_no_depth_that_kills() {
    for engine in Engine::ALL {
        for (part, rest) in
            [("with x as (", "select 1"), ("set statement a = 1 for ", "select 1"), ("explain ", "select 1")]
        {
            let text = format!("{}{rest}", part.repeat(50_000));
            assert!(!classify(*engine, &text).verb.is_empty());
        }
    }
    let text = format!("set sql_mode = {}'ansi_quotes'{}; select 1", "concat(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(limosa_sql::split(Engine::Mysql, "file.sql", text.as_bytes()).unwrap().len(), 2);
    // What anyone writes is looked into.
    let text = format!("{}delete from t{}", "with x as (".repeat(10), ") select 1".repeat(10));
    for engine in Engine::ALL {
        assert_eq!(classify(*engine, &text).loss.map(|loss| loss.object).as_deref(), Some("t"), "{engine:?}");
    }
}

#[test]
fn postgres_statements_and_transactions() {
    check(
        Engine::Postgres,
        &[
            ("select 1", "SELECT", Either),
            ("(select 1) union (select 2)", "SELECT", Either),
            ("insert into t values (1)", "INSERT", Either),
            ("with x as (select 1) select * from x", "SELECT", Either),
            (
                "with x as materialized (select 1), y(a) as not materialized (select 2) insert into t select 1",
                "INSERT",
                Either,
            ),
            (
                "with recursive x as (select 1) search depth first by a, b set o cycle a set c using p, y as (select 1) update t set a = 1",
                "UPDATE",
                Either,
            ),
            ("merge into t using u on true when matched then do nothing", "MERGE", Either),
            ("create table if not exists a.b (c int)", "CREATE TABLE", Either),
            ("create unlogged table t (c int)", "CREATE TABLE", Either),
            ("create or replace temp view v as select 1", "CREATE VIEW", Either),
            ("create index i on t (a)", "CREATE INDEX", Either),
            ("create unique index concurrently if not exists i on t (a)", "CREATE INDEX CONCURRENTLY", Outside),
            ("CREATE /* x */ INDEX\nCONCURRENTLY ON t (a)", "CREATE INDEX CONCURRENTLY", Outside),
            ("create index \"concurrently\" on t (a)", "CREATE INDEX", Either),
            ("create table concurrently (index int)", "CREATE TABLE", Either),
            ("drop index i", "DROP INDEX", Either),
            ("drop index concurrently if exists i", "DROP INDEX CONCURRENTLY", Outside),
            ("reindex index i", "REINDEX INDEX", Either),
            ("reindex table t", "REINDEX TABLE", Either),
            ("reindex table concurrently t", "REINDEX TABLE CONCURRENTLY", Outside),
            ("reindex (concurrently) index i", "REINDEX INDEX CONCURRENTLY", Outside),
            ("reindex (verbose, concurrently true) index i", "REINDEX INDEX CONCURRENTLY", Outside),
            ("reindex (concurrently false, verbose) index i", "REINDEX INDEX", Either),
            ("reindex schema s", "REINDEX SCHEMA", Outside),
            ("reindex database d", "REINDEX DATABASE", Outside),
            ("reindex system", "REINDEX SYSTEM", Outside),
            ("vacuum", "VACUUM", Outside),
            ("vacuum (full, analyze) t", "VACUUM", Outside),
            ("analyze t", "ANALYZE", Either),
            ("create database d", "CREATE DATABASE", Outside),
            ("drop database if exists d with (force)", "DROP DATABASE", Outside),
            ("create tablespace t location '/x'", "CREATE TABLESPACE", Outside),
            ("drop tablespace t", "DROP TABLESPACE", Outside),
            ("alter database d set tablespace t", "ALTER DATABASE", Outside),
            ("alter database d set search_path to a", "ALTER DATABASE", Either),
            ("alter system set a = 1", "ALTER SYSTEM", Outside),
            ("alter table t detach partition p concurrently", "ALTER TABLE DETACH PARTITION CONCURRENTLY", Outside),
            ("alter table t detach partition p finalize", "ALTER TABLE", Either),
            ("alter table t detach partition p", "ALTER TABLE", Either),
            ("cluster", "CLUSTER", Outside),
            ("cluster verbose", "CLUSTER", Outside),
            ("cluster (verbose)", "CLUSTER", Outside),
            ("cluster t using i", "CLUSTER", Either),
            ("create subscription s connection 'x' publication p", "CREATE SUBSCRIPTION", Outside),
            (
                "create subscription s connection 'x' publication p with (create_slot = false)",
                "CREATE SUBSCRIPTION",
                Either,
            ),
            (
                "create subscription s connection 'x' publication p with (slot_name = none, connect = 'off')",
                "CREATE SUBSCRIPTION",
                Either,
            ),
            ("create subscription s connection 'x' publication p with (create_slot)", "CREATE SUBSCRIPTION", Outside),
            ("alter subscription s refresh publication", "ALTER SUBSCRIPTION", Outside),
            ("alter subscription s set publication p", "ALTER SUBSCRIPTION", Outside),
            ("alter subscription s add publication p with (refresh = false)", "ALTER SUBSCRIPTION", Either),
            ("alter subscription s set (failover = true)", "ALTER SUBSCRIPTION", Outside),
            ("alter subscription s disable", "ALTER SUBSCRIPTION", Either),
            ("drop subscription if exists s", "DROP SUBSCRIPTION", Outside),
            ("commit prepared 'x'", "COMMIT PREPARED", Outside),
            ("rollback prepared 'x'", "ROLLBACK PREPARED", Outside),
            ("discard all", "DISCARD ALL", Outside),
            ("discard temp", "DISCARD TEMP", Either),
            ("call p(1)", "CALL", Either),
            ("do $$ begin vacuum; end $$", "DO", Either),
            ("do $$ begin commit; end $$", "DO", Outside),
            (
                "do language plpgsql $x$begin loop insert into t values (1); COMMIT AND CHAIN; end loop; end$x$",
                "DO",
                Outside,
            ),
            ("do 'begin if true then rollback; end if; end' language plpgsql", "DO", Outside),
            ("do e'begin\\n rollback /* x */ ; end'", "DO", Outside),
            ("do $$ declare commit int; begin -- commit;\n commit := 1; perform 'x; commit;'; end $$", "DO", Either),
            ("do $$ begin execute 'commit'; end $$", "DO", Either),
            ("do language plpython3u $$ begin; commit; $$", "DO", Either),
            ("do $$ begin x.commit; end", "DO", Either),
            ("alter type t add value 'x'", "ALTER TYPE ADD VALUE", Either),
            ("refresh materialized view concurrently v", "REFRESH MATERIALIZED VIEW CONCURRENTLY", Either),
            ("begin", "BEGIN", Begins),
            ("begin isolation level serializable", "BEGIN", Begins),
            ("start transaction read only", "START TRANSACTION", Begins),
            ("commit work", "COMMIT", Commits),
            ("commit transaction and chain", "COMMIT AND CHAIN", Commits),
            ("commit and no chain", "COMMIT", Commits),
            ("end", "END", Commits),
            ("rollback", "ROLLBACK", RollsBack),
            ("rollback and chain", "ROLLBACK AND CHAIN", RollsBack),
            ("abort work", "ABORT", RollsBack),
            ("rollback work to savepoint s", "ROLLBACK TO SAVEPOINT", Controls),
            ("rollback to s", "ROLLBACK TO SAVEPOINT", Controls),
            ("savepoint s", "SAVEPOINT", Controls),
            ("release savepoint s", "RELEASE SAVEPOINT", Controls),
            ("release s", "RELEASE SAVEPOINT", Controls),
            ("prepare transaction 'x'", "PREPARE TRANSACTION", Controls),
            ("prepare transaction as select 1", "PREPARE", Either),
            ("set transaction isolation level serializable", "SET TRANSACTION", Either),
            ("set constraints all deferred", "SET CONSTRAINTS", Either),
            ("explain analyze delete from t", "EXPLAIN", Either),
            ("nonsense", "NONSENSE", Either),
            ("", "", Either),
            ("'text'", "", Either),
        ],
    );
}

#[test]
fn sqlite_statements_and_transactions() {
    check(
        Engine::Sqlite,
        &[
            ("select 1", "SELECT", Either),
            ("insert or replace into t values (1)", "INSERT", Either),
            ("replace into t values (1)", "REPLACE", Either),
            ("create temp trigger if not exists g after insert on t begin select 1; end", "CREATE TRIGGER", Either),
            ("create virtual table t using fts5(a)", "CREATE VIRTUAL TABLE", Either),
            ("begin immediate", "BEGIN", Begins),
            ("commit transaction", "COMMIT", Commits),
            ("end transaction", "END", Commits),
            ("rollback transaction", "ROLLBACK", RollsBack),
            ("rollback transaction to savepoint s", "ROLLBACK TO SAVEPOINT", Controls),
            ("savepoint s", "SAVEPOINT", Controls),
            ("release s", "RELEASE SAVEPOINT", Controls),
            ("vacuum", "VACUUM", Outside),
            ("vacuum main into 'x'", "VACUUM", Outside),
            ("detach database x", "DETACH", Outside),
            ("attach 'x' as y", "ATTACH", Either),
            ("pragma foreign_keys = off", "PRAGMA", Outside),
            ("pragma foreign_keys", "PRAGMA", Either),
            ("PRAGMA main.journal_mode(wal)", "PRAGMA", Outside),
            ("pragma wal_checkpoint", "PRAGMA", Outside),
            ("pragma user_version = 3", "PRAGMA", Either),
            ("reindex", "REINDEX", Either),
        ],
    );
}

fn effect(engine: Engine, statement: &str) -> Effect {
    classify(engine, statement).effect
}

fn name(schema: Option<&str>, name: &str) -> Box<QualifiedName> {
    Box::new(QualifiedName { schema: schema.map(str::to_owned), name: name.to_owned() })
}

#[test]
fn settings() {
    for (statement, setting) in [
        ("set search_path = a, b", Some("search_path")),
        ("set local Lock_Timeout to '1s'", Some("lock_timeout")),
        ("set session my.Thing = 1", Some("my.thing")),
        ("set a.\"B\".c.d = 1", Some("a.b.c.d")),
        ("set \"search_path\" to a", Some("search_path")),
        ("set role r", Some("role")),
        ("set session authorization r", Some("session_authorization")),
        ("set time zone 'UTC'", Some("timezone")),
        ("set local time zone 'UTC'", Some("timezone")),
        ("set names 'latin1'", Some("client_encoding")),
        ("set schema 'a'", Some("search_path")),
        ("set session characteristics as transaction read only", Some("session characteristics")),
        ("set transaction read only", None),
        ("set constraints a immediate", None),
        ("reset all", Some("all")),
        ("reset statement_timeout", Some("statement_timeout")),
        ("reset session authorization", Some("session_authorization")),
        ("select pg_catalog.set_config('search_path', '', false)", Some("search_path")),
        ("select set_config($$Role$$, 'x', true), 1", Some("role")),
        ("select set_config(a, 'x', true)", None),
        ("select 'set_config(''a'', 1)'", None),
    ] {
        let expected = match setting {
            Some(name) => Effect::SetsSession { name: name.to_owned() },
            None => Effect::Unknown,
        };
        assert_eq!(effect(Engine::Postgres, statement), expected, "{statement}");
    }
    assert_eq!(classify(Engine::Postgres, "set local a = 1").verb, "SET LOCAL");
    assert_eq!(classify(Engine::Postgres, "set session a = 1").verb, "SET");
    let lifted = |name: &str| Effect::LiftedPragma { name: name.to_owned() };
    let sets = |name: &str| Effect::SetsSession { name: name.to_owned() };
    for (statement, expected) in [
        ("pragma Foreign_Keys = on", lifted("foreign_keys")),
        ("pragma main.synchronous(off)", lifted("synchronous")),
        ("pragma synchronous", Effect::Unknown),
        ("pragma wal_checkpoint(truncate)", lifted("wal_checkpoint")),
        ("pragma cache_size = 100", sets("cache_size")),
        ("pragma defer_foreign_keys = on", sets("defer_foreign_keys")),
        ("pragma table_info(t)", Effect::Unknown),
        ("pragma foreign_key_check(t)", Effect::Unknown),
        ("pragma user_version = 2", Effect::Idempotent),
    ] {
        assert_eq!(effect(Engine::Sqlite, statement), expected, "{statement}");
    }
}

#[test]
fn effects_name_their_objects() {
    let of = |statement: &str| effect(Engine::Postgres, statement);
    assert_eq!(
        of("create unique index concurrently if not exists Job_State on Only \"S\".Job using gin (a)"),
        Effect::CreatesIndex {
            index: Some(name(Some("S"), "job_state")),
            table: name(Some("S"), "job"),
            concurrently: true,
            if_not_exists: true,
        }
    );
    assert_eq!(
        of("create index on t (a)"),
        Effect::CreatesIndex { index: None, table: name(None, "t"), concurrently: false, if_not_exists: false }
    );
    let long = "N".repeat(80);
    assert_eq!(
        of(&format!("create index {long} on t (a)")),
        Effect::CreatesIndex {
            index: Some(name(None, &"n".repeat(63))),
            table: name(None, "t"),
            concurrently: false,
            if_not_exists: false,
        }
    );
    assert_eq!(
        effect(Engine::Sqlite, "create index main.I on [t 1](a)"),
        Effect::CreatesIndex {
            index: Some(name(Some("main"), "I")),
            table: name(None, "t 1"),
            concurrently: false,
            if_not_exists: false,
        }
    );
    assert_eq!(
        of("drop index concurrently if exists a.B, \"C\"\"d\" cascade"),
        Effect::DropsIndex {
            indexes: vec![*name(Some("a"), "b"), *name(None, "C\"d")],
            concurrently: true,
            if_exists: true,
        }
    );
    assert_eq!(
        of("reindex (concurrently) table U&\"d\\0061t\""),
        Effect::Reindexes { target: "TABLE".to_owned(), name: Some(name(None, "dat")), concurrently: true }
    );
    assert_eq!(
        of("alter table if exists only a.t detach partition b.p concurrently"),
        Effect::DetachesPartition { parent: name(Some("a"), "t"), partition: name(Some("b"), "p") }
    );
    let add = |type_name: &str, value: &str| Effect::AddsEnumValue { type_name: type_name.into(), value: value.into() };
    assert_eq!(of("alter type s.\"Mood\" add value if not exists 'it''s' before 'b'"), add("s.\"Mood\"", "it's"));
    assert_eq!(of("alter type mood add value E'a\\'b'"), add("mood", "a'b"));
    assert_eq!(of("create type s.mood as enum ('a')"), Effect::CreatesType { type_name: "s.mood".to_owned() });
    assert_eq!(of("create domain d as int"), Effect::CreatesType { type_name: "d".to_owned() });
    assert_eq!(of("create database \"My\""), Effect::CreatesDatabase { name: "My".to_owned() });
    assert_eq!(of("drop database if exists D"), Effect::DropsDatabase { name: "d".to_owned(), if_exists: true });
    assert_eq!(of("create tablespace T location 'x'"), Effect::CreatesTablespace { name: "t".to_owned() });
    assert_eq!(of("copy t (a) from stdin with (format csv)"), Effect::CopyFromStdin);
    assert_eq!(of("copy t from 'x'"), Effect::Unknown);
    for statement in
        ["vacuum", "analyze", "checkpoint", "alter system reset all", "discard plans", "comment on table t is 'x'"]
    {
        assert_eq!(of(statement), Effect::Idempotent, "{statement}");
    }
}

#[test]
fn objects() {
    for (statement, object) in [
        ("insert into a.\"B c\" values (1)", Some("a.\"B c\"")),
        ("update only t set a = 1", Some("t")),
        ("delete from only t", Some("t")),
        ("create or replace function f(a int) returns int return 1", Some("f")),
        ("create schema if not exists s", Some("s")),
        ("create schema authorization r", Some("r")),
        ("create event trigger e on ddl_command_end execute function f()", Some("e")),
        ("alter table if exists only t add c int", Some("t")),
        ("comment on materialized view v is 'x'", Some("v")),
        ("truncate table a, only b *, c restart identity", Some("a, b, c")),
        ("copy a.b from stdin", Some("a.b")),
        ("create table ${schema}.t (a int)", Some("${schema}.t")),
        ("create cast (a as b) without function", None),
        ("alter table all in tablespace x set tablespace y", None),
        ("select 1", None),
        ("begin", None),
    ] {
        assert_eq!(classify(Engine::Postgres, statement).object.as_deref(), object, "{statement}");
    }
}

#[test]
fn losses() {
    let loss = |class: Class| class.loss.map(|loss| format!("{}: {}", loss.kind, loss.object));
    for (statement, expected) in [
        ("drop table if exists a, s.b cascade", Some("table: a, s.b")),
        ("drop schema s cascade", Some("schema: s")),
        ("drop database d", Some("database: d")),
        ("drop materialized view v", Some("view data: v")),
        ("drop sequence s", Some("sequence: s")),
        ("drop view v", None),
        ("drop index i", None),
        ("drop type t", None),
        ("drop type t cascade", Some("type: t")),
        ("drop function f(int)", None),
        ("drop owned by a, b", Some("owned objects: a, b")),
        ("truncate t, u", Some("rows: t, u")),
        ("delete from t where a = 1", Some("rows: t")),
        ("with x as (delete from t returning *) insert into u select * from x", Some("rows: t")),
        ("with x as (select 1) delete from t", Some("rows: t")),
        ("with x as (with y as (delete from t) select 1) select 1", Some("rows: t")),
        ("explain analyze delete from t", Some("rows: t")),
        ("explain (analyze, verbose) delete from t", Some("rows: t")),
        ("explain (analyze false) delete from t", None),
        ("explain delete from t", None),
        ("merge into t using u on true when matched then delete", Some("rows: t")),
        ("update t set a = 1", None),
        ("insert into t values ('delete from t')", None),
        ("alter table o drop note", Some("column: o.note")),
        (
            "alter table o add a numeric(1,2) default array[1,2], drop column if exists \"No te\", drop b",
            Some("column: o.\"No te\", o.b"),
        ),
        ("alter table o drop constraint c", None),
        ("alter table o alter c drop not null, alter d drop default", None),
        ("alter type t drop attribute if exists a", Some("attribute: t.a")),
        ("with x as (merge into t using u on true when matched then delete) select 1", Some("rows: t")),
        // A block runs at once; what it calls is not looked into.
        ("do $$ begin drop table if exists t; end $$", Some("table: t")),
        ("do language plpgsql 'declare n int; begin if true then delete from t; end if; end'", Some("rows: t")),
        ("do $$ begin for r in select 1 loop truncate t; end loop; end $$", Some("rows: t")),
        (
            "do $$ begin insert into t values (1); alter table o drop note; exception when others then null; end $$",
            Some("column: o.note"),
        ),
        ("do $$ begin execute $q$drop table t$q$; end $$", Some("table: t")),
        (
            "do $$ begin execute format('drop table %I', name); end $$",
            Some("what it names when it runs:: execute format('drop table %I', name)"),
        ),
        ("do $$ begin execute 'alter table ' || name || ' add c int'; end $$", None),
        ("do $$ begin execute whatever; perform drop_all(); end $$", None),
        ("do $$ begin perform 'x; drop table t;'; -- drop table t;\n end $$", None),
        ("do language plperl 'drop table t;'", None),
        ("create function f() returns void language plpgsql as 'begin drop table t; end'", None),
    ] {
        assert_eq!(loss(classify(Engine::Postgres, statement)).as_deref(), expected, "{statement}");
    }
    for (statement, expected) in [
        ("drop table main.[a b]", Some("table: main.[a b]")),
        ("alter table t drop c", Some("column: t.c")),
        ("with x as (select 1) delete from t", Some("rows: t")),
        ("drop view v", None),
    ] {
        assert_eq!(loss(classify(Engine::Sqlite, statement)).as_deref(), expected, "{statement}");
    }
}

/// Nothing here takes time that grows with the square of what is written.
#[test]
fn a_block_of_which_no_statement_ends_is_read_to_its_end() {
    let open = "if x then execute y ".repeat(20_000);
    let block = format!("do $$ begin {open}; drop table t; end $$");
    let loss = classify(Engine::Postgres, &block).loss.expect("what it destroys is seen");
    assert_eq!((loss.kind.as_str(), loss.object.as_str()), ("table", "t"));
}
