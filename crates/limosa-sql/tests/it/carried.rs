//! What statements leave in their session, and what they need from it.

use limosa_sql::{Carried, Engine, carried};

fn of(statement: &str) -> Carried {
    carried(Engine::Mysql, statement)
}

#[test]
fn variables() {
    for (statement, sets, reads) in [
        ("set @a = 1", "a", ""),
        ("SET @A := @b + 1, @c = @A", "a, c", "b"),
        ("set @`x y` = 1, @'Z' = 2", "x y, z", ""),
        ("set @a = @a + 1", "a", "a"),
        ("select @r := @r + 1, @r", "r", "r"),
        ("set sql_mode = @old", "", "old"),
        ("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='x' */", "old_sql_mode", ""),
        ("select @a := max(id), @b from t", "a", "b"),
        ("select a, b into @x, @y from t where c = @z", "x, y", "z"),
        ("insert into t values (@a, @b)", "", "a, b"),
        ("insert into t values (@a, '@no', `@no`, @@sql_mode)", "", "a"),
        ("prepare s from @sql", "", "sql"),
        ("execute s using @a, @b", "", "a, b"),
        ("call p(@a, 1)", "a", "a"),
        ("get diagnostics @n = number", "n", ""),
        ("load data infile 'x' into table t (a, @b) set c = @b + 1", "b", ""),
        ("create user a@localhost", "", ""),
        ("grant all on d.* to root@localhost", "", ""),
        ("create procedure p() set @a = @b", "", ""),
        ("create definer=root@localhost trigger g before insert on t for each row set @a = @b", "", ""),
        ("do @a := 5", "a", ""),
    ] {
        let found = of(statement);
        assert_eq!(found.sets_variables.join(", "), sets, "{statement}");
        assert_eq!(found.reads_variables.join(", "), reads, "{statement}");
    }
}

#[test]
fn what_may_be_set_again_in_a_new_session() {
    for (statement, repeatable) in [
        ("set @a = 1", true),
        ("set @a = 'x', @b = @a, @c = concat(@a, upper('b')), sql_mode = ''", true),
        ("set names utf8mb4", true),
        ("use d", true),
        ("set @a = (select max(id) from t)", false),
        ("set @a = now()", false),
        ("set @a = uuid()", false),
        ("set @a = last_insert_id()", false),
        ("set @a = @a + 1", true),
        ("set role r", true),
        ("select @a := 1", false),
        ("set password = 'x'", false),
        ("insert into t values (1)", false),
    ] {
        assert_eq!(of(statement).sets_repeatably, repeatable, "{statement}");
    }
}

#[test]
fn numbers_and_counts() {
    for (statement, uses, inserts, counts) in [
        ("insert into t values (1)", false, true, false),
        ("replace into t values (1)", false, true, false),
        ("load data infile 'x' into table t", false, true, false),
        ("insert into c values (LAST_INSERT_ID())", true, true, false),
        ("set @id = last_insert_id()", true, false, false),
        ("select @@identity", true, false, false),
        ("select @@session.last_insert_id", true, false, false),
        ("update seq set id = last_insert_id(id + 1)", false, true, false),
        ("select row_count(), found_rows()", false, false, true),
        ("set @n = @@warning_count", false, false, true),
        ("select 'last_insert_id()', last_insert_id from t", false, false, false),
        ("update t set a = 1", false, false, false),
        ("/*!50000 select last_insert_id() */", true, false, false),
    ] {
        let found = of(statement);
        assert_eq!(
            (found.uses_last_insert_id, found.inserts, found.uses_counts),
            (uses, inserts, counts),
            "{statement}"
        );
    }
}

#[test]
fn temporary_tables() {
    let made = |statement: &str| {
        let found = of(statement);
        let names = |list: &[limosa_sql::QualifiedName]| {
            list.iter().map(|name| name.name.clone()).collect::<Vec<_>>().join(", ")
        };
        (names(&found.makes_temporary_tables), names(&found.drops_temporary_tables))
    };
    let both = |made: &str, dropped: &str| (made.to_owned(), dropped.to_owned());
    assert_eq!(made("create temporary table if not exists d.`T` (a int)"), both("T", ""));
    assert_eq!(made("/*!50000 create */ temporary table t select 1"), both("t", ""));
    assert_eq!(made("create or replace temporary table t (a int)"), both("t", ""));
    assert_eq!(made("create table t (a int)"), both("", ""));
    assert_eq!(made("drop temporary table if exists a, b"), both("", "a, b"));
    assert_eq!(made("drop table a"), both("", "a"));
    assert_eq!(made("create procedure p() create temporary table t (a int)"), both("", ""));
    let found = of("insert into Target select * from `Source` where name = 'quoted'");
    assert!(found.mentions("target") && found.mentions("SOURCE"));
    assert!(!found.mentions("quoted"));
    let other = carried(Engine::Sqlite, "create temp table x (a)");
    assert_eq!(other.makes_temporary_tables[0].name, "x");
}

#[test]
fn prepared_statements_and_locks() {
    assert_eq!(of("prepare `S` from 'select 1'").prepares, ["s"]);
    assert_eq!(of("execute s").executes, ["s"]);
    assert_eq!(of("deallocate prepare s").executes, ["s"]);
    assert_eq!(of("drop prepare s").executes, ["s"]);
    assert!(of("execute immediate 'select 1'").runs_others);
    assert!(of("call p()").runs_others);
    assert!(of("lock tables t write").locks_tables);
    assert!(of("flush tables t with read lock").locks_tables);
    assert!(of("unlock tables").unlocks_tables);
    assert!(of("select get_lock('x', 5)").takes_named_lock);
    assert!(!of("select 1").locks_tables);
}
