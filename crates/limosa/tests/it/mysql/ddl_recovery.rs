//! DDL whose run died before the statement, or behind it and before its journal row: nothing runs twice, nothing is left out, and
//! what cannot be proven is asked.

use limosa::{Identity, Repair};
use limosa_testkit::proxy::{Cut, Side};

use super::{home, proxy_to, shared};
use crate::place::{Home, error_text};
use crate::running::{exit, says, well};

/// A statement, what it needs, and what shows that it ran once. `{n}` is the name of the database.
struct Case {
    name: &'static str,
    before: &'static str,
    statement: &'static str,
    seen: &'static str,
    /// Where a person is asked: after it ran, after it did not.
    asked: (bool, bool),
}

const fn proven(name: &'static str, before: &'static str, statement: &'static str, seen: &'static str) -> Case {
    Case { name, before, statement, seen, asked: (false, false) }
}

const fn asked(
    name: &'static str,
    before: &'static str,
    statement: &'static str,
    seen: &'static str,
    asked: (bool, bool),
) -> Case {
    Case { name, before, statement, seen, asked }
}

const TABLES: &str = "select group_concat(table_name order by table_name) from information_schema.tables \
    where table_schema = '{n}' and table_name not like 'limosa%'";
const COLUMNS: &str = "select group_concat(concat_ws(' ', table_name, column_name, column_type, column_default, is_nullable) \
    order by table_name, ordinal_position) from information_schema.columns where table_schema = '{n}' and table_name not like 'limosa%'";
const INDEXES: &str = "select group_concat(concat_ws(' ', index_name, column_name, non_unique) order by index_name, seq_in_index) \
    from information_schema.statistics where table_schema = '{n}' and table_name = 't'";
const CONSTRAINTS: &str = "select group_concat(constraint_name order by constraint_name) \
    from information_schema.table_constraints where table_schema = '{n}' and table_name = 't'";
const OPTIONS: &str = "select concat_ws(' ', engine, table_comment, table_collation, row_format) from information_schema.tables \
    where table_schema = '{n}' and table_name = 't'";
const CREATE_OPTIONS: &str =
    "select create_options from information_schema.tables where table_schema = '{n}' and table_name = 't'";
const VERSIONED: &str =
    "select table_type from information_schema.tables where table_schema = '{n}' and table_name = 't'";
const PARTITIONS: &str = "select group_concat(concat_ws(' ', partition_name, partition_description) \
    order by partition_name) from information_schema.partitions where table_schema = '{n}' and table_name = 't'";
const VIEWS: &str = "select group_concat(concat(table_name, view_definition) order by table_name) from information_schema.views \
    where table_schema = '{n}'";
const ROUTINES: &str = "select group_concat(concat(routine_name, routine_definition) order by routine_name) \
    from information_schema.routines where routine_schema = '{n}'";
const TRIGGERS: &str = "select group_concat(trigger_name order by trigger_name) from information_schema.triggers where trigger_schema = '{n}'";
const EVENTS: &str = "select group_concat(concat_ws(' ', event_name, status, interval_value) order by event_name) \
    from information_schema.events where event_schema = '{n}'";
const DATABASES: &str = "select group_concat(concat_ws(' ', schema_name, default_character_set_name)) \
    from information_schema.schemata where schema_name like '{n}\\_%'";
const USERS: &str = "select group_concat(concat(user, host, plugin, authentication_string) order by user) from mysql.user where user like '%{n}'";
const GRANTS: &str = "select group_concat(privilege_type order by privilege_type) from information_schema.schema_privileges \
    where grantee like '%{n}%'";

const T: &str = "create table t (id int primary key, a int, b varchar(20))";
const PARTITIONED: &str = "create table t (id int primary key) partition by range (id) \
    (partition p0 values less than (10), partition p1 values less than (20))";

const TABLE_CASES: &[Case] = &[
    proven("create table", "do 1", "create table made (n int)", TABLES),
    proven("create table if not exists", "do 1", "create table if not exists made (n int)", TABLES),
    proven("create or replace table", T, "create or replace table t (n int)", COLUMNS),
    asked(
        "create or replace table by its like",
        "create table t (n int); insert into t values (1)",
        "create or replace table t (n int)",
        "select count(*) from t",
        (false, true),
    ),
    asked(
        "create or replace table by its like, with rows",
        "create table t (n int(1) not null); insert into t values (5)",
        "create or replace table t as select 1 as n",
        "select sum(n) from t",
        (true, true),
    ),
    proven("create table like", T, "create table made like t", COLUMNS),
    proven("create table select", "do 1", "create table made as select 1 as n", "select sum(n) from made"),
    proven("drop table", T, "drop table t", TABLES),
    proven("drop table if exists", T, "drop table if exists t", TABLES),
    proven("drop two tables", "create table a (n int); create table b (n int)", "drop table a, b", TABLES),
    proven("add column", T, "alter table t add column c int not null default 5", COLUMNS),
    proven("add column if not exists", T, "alter table t add column if not exists c int", COLUMNS),
    proven("add two, drop one", T, "alter table t add column c int, add column d int after id, drop column a", COLUMNS),
    proven("drop column", T, "alter table t drop column a", COLUMNS),
    asked(
        "drop a column and add its like",
        "create table t (id int primary key, a int); insert into t values (1, 2)",
        "alter table t drop column if exists a, add column a int",
        "select coalesce(group_concat(a), 'none') from t",
        (true, true),
    ),
    proven("modify column", T, "alter table t modify b varchar(100) not null", COLUMNS),
    proven("change column", T, "alter table t change b c varchar(30)", COLUMNS),
    proven("rename column", T, "alter table t rename column b to c", COLUMNS),
    proven("alter column default", T, "alter table t alter column a set default 7", COLUMNS),
    proven("alter table rename", T, "alter table t rename to u", TABLES),
    proven("rename table", T, "rename table t to u", TABLES),
    proven(
        "swap tables",
        "create table t (a int); create table t_new (b int)",
        "rename table t to t_old, t_new to t",
        COLUMNS,
    ),
    proven("table comment", T, "alter table t comment = 'it''s \"new\" \\\\ '", OPTIONS),
    proven("engine", T, "alter table t engine = MyISAM", OPTIONS),
    proven("row format", T, "alter table t row_format = redundant", OPTIONS),
    proven("page compression", T, "alter table t page_compressed = 1", CREATE_OPTIONS),
    proven("add system versioning", T, "alter table t add system versioning", VERSIONED),
    proven(
        "drop system versioning",
        "create table t (id int primary key) with system versioning",
        "alter table t drop system versioning",
        VERSIONED,
    ),
    proven(
        "add a period and system versioning",
        T,
        "alter table t add column s timestamp(6) generated always as row start, \
            add column e timestamp(6) generated always as row end, add period for system_time (s, e), add system versioning",
        VERSIONED,
    ),
    proven(
        "partition by system time",
        "create table t (id int primary key) with system versioning",
        "alter table t partition by system_time (partition p0 history, partition p1 current)",
        PARTITIONS,
    ),
    proven("charset", T, "alter table t convert to character set latin1", OPTIONS),
    proven("add index", T, "alter table t add index by_a (a), add unique by_b (b)", INDEXES),
    proven("create index", T, "create index by_a on t (a)", INDEXES),
    proven("create unique index", T, "create unique index by_a on t (a, b)", INDEXES),
    proven("drop index", "create table t (a int, key by_a (a))", "drop index by_a on t", INDEXES),
    proven("add nameless index", T, "alter table t add index (a)", INDEXES),
    proven("drop primary key", "create table t (a int primary key)", "alter table t drop primary key", INDEXES),
    proven("exchange primary key", T, "alter table t drop primary key, add primary key (a)", INDEXES),
    proven("rename index", "create table t (a int, key by_a (a))", "alter table t rename index by_a to by_b", INDEXES),
    proven(
        "add foreign key",
        "create table p (id int primary key); create table t (p int)",
        "alter table t add constraint t_p foreign key (p) references p (id)",
        CONSTRAINTS,
    ),
    proven(
        "drop foreign key",
        "create table p (id int primary key); create table t (p int, constraint t_p foreign key (p) references p (id))",
        "alter table t drop foreign key t_p",
        CONSTRAINTS,
    ),
    proven(
        "add foreign key over an index of its name",
        "create table p (id int primary key); create table t (p int, key t_p (p))",
        "alter table t add constraint t_p foreign key (p) references p (id)",
        CONSTRAINTS,
    ),
    proven(
        "drop unique as constraint",
        "create table t (a int, unique key one (a))",
        "alter table t drop constraint one",
        INDEXES,
    ),
    proven("add unique as constraint", T, "alter table t add constraint one unique (a)", INDEXES),
    asked("truncate partition", PARTITIONED, "alter table t truncate partition p0", PARTITIONS, (true, true)),
    asked(
        "exchange partition",
        "create table t (id int primary key) partition by range (id) (partition p0 values less than (10)); \
        insert into t values (1), (2); create table u (id int primary key)",
        "alter table t exchange partition p0 with table u",
        "select concat((select count(*) from t), (select count(*) from u))",
        (true, true),
    ),
    proven(
        "next number",
        "create table t (id int primary key auto_increment)",
        "alter table t auto_increment = 100",
        "select auto_increment from information_schema.tables where table_schema = '{n}' and table_name = 't'",
    ),
    asked("rebuild", T, "alter table t force", OPTIONS, (true, true)),
    proven("order of columns", T, "alter table t modify b varchar(20) first", COLUMNS),
    proven("add check", T, "alter table t add constraint positive check (a > 0)", CONSTRAINTS),
    proven(
        "drop check",
        "create table t (a int, constraint positive check (a > 0))",
        "alter table t drop constraint positive",
        CONSTRAINTS,
    ),
    proven(
        "add partition",
        PARTITIONED,
        "alter table t add partition (partition p2 values less than (30))",
        PARTITIONS,
    ),
    proven("drop partition", PARTITIONED, "alter table t drop partition p0", PARTITIONS),
    proven(
        "reorganize partition",
        PARTITIONED,
        "alter table t reorganize partition p1 into (partition p1a values less than (15), partition p1b values less than (20))",
        PARTITIONS,
    ),
    proven("remove partitioning", PARTITIONED, "alter table t remove partitioning", PARTITIONS),
    proven(
        "partition by",
        "create table t (id int primary key)",
        "alter table t partition by hash (id) partitions 3",
        PARTITIONS,
    ),
    asked(
        "truncate",
        "create table t (n int); insert into t values (1)",
        "truncate table t",
        "select count(*) from t",
        (false, true),
    ),
];

const OTHER_CASES: &[Case] = &[
    proven("create view", T, "create view v as select a from t", VIEWS),
    proven(
        "replace view",
        "create table t (a int); create view v as select 1 as n",
        "create or replace view v as select a from t",
        VIEWS,
    ),
    proven("alter view", "create view v as select 1 as n", "alter view v as select 2 as n", VIEWS),
    proven("drop view", "create view v as select 1 as n", "drop view v", VIEWS),
    proven("create procedure", "do 1", "create procedure p() begin select 1; select ';'; end", ROUTINES),
    proven("create function", "do 1", "create function f() returns int deterministic return 1", ROUTINES),
    proven("drop procedure", "create procedure p() select 1", "drop procedure p", ROUTINES),
    proven("drop function", "create function f() returns int deterministic return 1", "drop function f", ROUTINES),
    proven("replace procedure", "create procedure p() select 1", "create or replace procedure p() select 2", ROUTINES),
    proven("create trigger", T, "create trigger g before insert on t for each row set new.a = 1", TRIGGERS),
    proven(
        "drop trigger",
        "create table t (a int); create trigger g before insert on t for each row set new.a = 1",
        "drop trigger g",
        TRIGGERS,
    ),
    proven("create event", "do 1", "create event e on schedule every 1 year do select 1", EVENTS),
    proven("alter event", "create event e on schedule every 1 year do select 1", "alter event e disable", EVENTS),
    proven("drop event", "create event e on schedule every 1 year do select 1", "drop event e", EVENTS),
    proven("create sequence", "do 1", "create sequence s start with 5", "select nextval(s)"),
    asked(
        "create or replace sequence",
        "create sequence s; select nextval(s)",
        "create or replace sequence s",
        "select nextval(s)",
        (true, true),
    ),
    proven("drop sequence", "create sequence s", "drop sequence s", TABLES),
    proven("create database", "do 1", "create database {n}_x", DATABASES),
    proven("create database if not exists", "do 1", "create database if not exists {n}_x", DATABASES),
    proven("drop database", "create database {n}_x", "drop database {n}_x", DATABASES),
    proven("alter database", "create database {n}_x", "alter database {n}_x character set latin1", DATABASES),
    proven(
        "table of another database",
        "create database {n}_x",
        "create table {n}_x.made (n int)",
        "select count(*) from {n}_x.made",
    ),
    proven("create user", "do 1", "create user 'u_{n}'@'%' identified by 'secret'", USERS),
    proven("drop user", "create user 'u_{n}'@'%'", "drop user 'u_{n}'@'%'", USERS),
    proven("rename user", "create user 'u_{n}'@'%'", "rename user 'u_{n}'@'%' to 'w_{n}'@'%'", USERS),
    proven("alter user", "create user 'u_{n}'@'%'", "alter user 'u_{n}'@'%' identified by 'secret'", USERS),
    proven("grant", "create user 'u_{n}'@'%'", "grant select, insert on {n}.* to 'u_{n}'@'%'", GRANTS),
    asked(
        "revoke",
        "create user 'u_{n}'@'%'; grant select, insert on {n}.* to 'u_{n}'@'%'",
        "revoke insert on {n}.* from 'u_{n}'@'%'",
        GRANTS,
        (true, true),
    ),
    asked("alter sequence", "create sequence s", "alter sequence s restart 50", "select nextval(s)", (true, true)),
    proven(
        "alter procedure",
        "create procedure p() select 1",
        "alter procedure p comment 'new'",
        "select routine_comment from information_schema.routines where routine_schema = '{n}'",
    ),
    proven("set password", "create user 'u_{n}'@'%'", "set password for 'u_{n}'@'%' = password('secret')", USERS),
    asked("create role", "do 1", "create role r_{n}", USERS, (true, true)),
    asked("prepared DDL", "do 1", "execute immediate 'create table made (n int)'", TABLES, (true, true)),
    proven("rename of a view", "create view v as select 1 as n", "rename table v to w", VIEWS),
    proven(
        "swap of a table and a view of it",
        "create table t (a int); create view v as select a from t; create view w as select a from v",
        "rename table v to v_old, t to v, w to t",
        TABLES,
    ),
    proven("flush", T, "flush tables t", TABLES),
    proven("analyze", T, "analyze table t", TABLES),
    proven("optimize", T, "optimize table t", TABLES),
    asked(
        "call of a procedure with DDL",
        "create procedure p() create table made (n int)",
        "call p()",
        TABLES,
        (true, true),
    ),
];

fn files(home: &Home, case: &Case) -> (String, String) {
    let filled = |text: &str| text.replace("{n}", home.mysql().name());
    let statement = filled(case.statement);
    home.file("001_before.sql", &format!("{};\n", filled(case.before)));
    home.file("002_statement.sql", &format!("{statement};\ncreate table behind (n int);\n"));
    (statement, filled(case.seen))
}

/// What shows after a run without a death; the name of the database is left out of it.
fn outcome(home: &Home, seen: &str) -> String {
    home.rows(seen).join("\n").replace(home.mysql().name(), "{n}")
}

async fn dies(case: &Case, ran: bool) -> Result<(), String> {
    let wanted = {
        let home = home();
        let (_, seen) = files(&home, case);
        well(&home.migrate().await);
        outcome(&home, &seen)
    };
    let home = home();
    let (statement, seen) = files(&home, case);
    let proxy = proxy_to(shared());
    proxy.cut(match ran {
        true => Cut::before_completion(&statement),
        false => Cut::before_text(Side::Client, &statement),
    });
    let first = limosa::Migrator::new(home.through(&proxy))
        .migrate(&limosa::MigrateOptions::default(), &|_| {}, limosa::Stop::new())
        .await;
    if proxy.cuts_done() != 1 {
        return Err(format!("no cut: {}", error_text(&first)));
    }
    says(&first, &["LIM-R006"]);
    home.wait_until_alone();
    let second = home.migrate().await;
    let asks = exit(&second) == 4;
    let expected = if ran { case.asked.0 } else { case.asked.1 };
    if asks != expected || ![0, 4].contains(&exit(&second)) {
        return Err(format!("exit {}: {}", exit(&second), error_text(&second)));
    }
    if asks {
        says(&second, &["LIM-R021", "--mark-done 2:1", "--retry 2:1"]);
        let identity = Identity::new("2");
        let repair = if ran { Repair::MarkDone(identity, 1) } else { Repair::Retry(identity, 1) };
        home.repair(repair).await.map_err(|failure| format!("{failure:?}"))?;
        well(&home.migrate().await);
    }
    let found = outcome(&home, &seen);
    if found != wanted {
        return Err(format!("{found}\nnot {wanted}"));
    }
    if home.ledger() != ["1|applied", "2|applied"] {
        return Err(format!("{:?}", home.ledger()));
    }
    home.assert_sound().await;
    Ok(())
}

async fn all(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        for ran in [true, false] {
            if let Err(what) = dies(case, ran).await {
                wrong.push(format!("{} ({}): {what}", case.name, if ran { "ran" } else { "did not run" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_looked_up_after_a_death() {
    all(TABLE_CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_objects_are_looked_up_after_a_death() {
    all(OTHER_CASES).await;
}
