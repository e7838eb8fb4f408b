//! What DDL of MySQL makes of the objects it names.

use limosa_sql::{AfterState, Effect, Engine, PartState, QualifiedName, classify};

fn name(name: &QualifiedName) -> String {
    match &name.schema {
        Some(schema) => format!("{schema}.{}", name.name),
        None => name.name.clone(),
    }
}

/// The changes in short: `table t: +column a, -index i, ~option engine`. A `?` marks what is conditional.
fn changes(statement: &str) -> String {
    let Effect::ChangesSchema { changes } = classify(Engine::Mysql, statement).effect else { return String::new() };
    let mark = |yes: bool, mark: &'static str| if yes { mark } else { "" };
    let shown = changes.iter().map(|change| {
        let kind = format!("{:?}", change.object.kind).to_lowercase();
        let after = match &change.after {
            AfterState::Exists { if_not_exists, or_replace, from_query } => format!(
                "exists{}{}{}",
                mark(*if_not_exists, "?"),
                mark(*or_replace, " replaced"),
                mark(*from_query, " with rows")
            ),
            AfterState::Gone { if_exists } => format!("gone{}", mark(*if_exists, "?")),
            AfterState::RenamedTo { name: to, if_exists } => format!("is {}{}", name(to), mark(*if_exists, "?")),
            AfterState::Emptied => "empty".to_owned(),
            AfterState::Altered { parts, if_exists } => {
                let parts = parts.iter().map(|part| {
                    let sign = match part.change {
                        PartState::Appears => "+",
                        PartState::Disappears => "-",
                        PartState::Changes => "~",
                    };
                    let kind = format!("{:?}", part.part).to_lowercase();
                    let name = part.name.as_deref().unwrap_or("*");
                    format!("{sign}{kind} {name}{}", mark(part.conditional, "?"))
                });
                format!("{}{}", parts.collect::<Vec<_>>().join(", "), mark(*if_exists, " if there"))
            }
            _ => "unknown".to_owned(),
        };
        format!("{kind} {}: {after}", name(&change.object.name))
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[test]
fn objects_that_come_go_and_are_renamed() {
    for (statement, expected) in [
        ("create table t (a int)", "table t: exists"),
        ("create table if not exists `a`.`b``c` (a int) engine=innodb comment='select'", "table a.b`c: exists?"),
        ("create or replace table t like u", "table t: exists replaced"),
        ("create table t select 1", "table t: exists with rows"),
        ("create table t (a int default (1)) as with x as (select 1) select * from x", "table t: exists with rows"),
        ("create table t (select 1)", "table t: exists with rows"),
        ("create table t (a int) ignore (select 1)", "table t: exists with rows"),
        ("create table t table u", "table t: exists with rows"),
        ("create table t values row(1)", "table t: exists with rows"),
        (
            "create table t (a int as (b + 1), check (a in (1, 2))) with system versioning partition by list (a) (partition p values in (1))",
            "table t: exists",
        ),
        ("create temporary table t (a int)", ""),
        ("create view d.v as select 1", "view d.v: exists"),
        ("create or replace view v as select 1", "view v: exists replaced"),
        ("alter definer=a@b view v as select 1", "view v: exists replaced"),
        ("create procedure if not exists p() select 1", "procedure p: exists?"),
        ("create function f() returns int return 1", "function f: exists"),
        ("create function f returns int soname 'f.so'", "loadablefunction f: exists"),
        ("create trigger d.g before insert on t for each row set @a = 1", "trigger d.g: exists"),
        ("create event e on schedule every 1 day do select 1", "event e: exists"),
        ("alter event d.e rename to d.f", "event d.e: is d.f"),
        ("alter event e on schedule every 1 day rename to f do rename table a to b", "event e: is f"),
        ("alter event e do rename table a to b", ""),
        ("create sequence s", "sequence s: exists"),
        ("create database d", "database d: exists"),
        (
            "create user a, 'b'@'c', `d`@localhost identified by 'x' default role r, s",
            "user a@%: exists; user b@c: exists; user d@localhost: exists",
        ),
        ("create role if not exists r, s", "role r: exists?; role s: exists?"),
        ("create package body p as end", "packagebody p: exists"),
        ("create server s foreign data wrapper mysql options (host 'h')", "server s: exists"),
        ("create tablespace s add datafile 's.ibd'", "tablespace s: exists"),
        ("create logfile group g", ""),
        ("drop table if exists a, d.b restrict", "table a: gone?; table d.b: gone?"),
        ("drop tables a", "table a: gone"),
        ("drop temporary table a", ""),
        ("drop view v, w", "view v: gone; view w: gone"),
        ("drop procedure if exists p", "procedure p: gone?"),
        ("drop trigger d.g", "trigger d.g: gone"),
        ("drop database d", "database d: gone"),
        ("drop user if exists a, 'b'@'c'", "user a@%: gone?; user b@c: gone?"),
        ("drop role r", "role r: gone"),
        ("drop package body p", "packagebody p: gone"),
        ("rename table a to b, d.b to d.a, b to c", "table a: is b; table d.b: is d.a; table b: is c"),
        ("rename tables if exists a wait 5 to b", "table a: is b?"),
        ("rename user a to 'b'@'c'", "user a@%: is b@c"),
        ("truncate table d.t", "table d.t: empty"),
        ("/*!50001 drop view if exists `v`*/", "view v: gone?"),
        ("create table `${name}` (a int)", "table ${name}: exists"),
        ("set statement lock_wait_timeout = 1 for drop table t", "table t: gone"),
    ] {
        assert_eq!(changes(statement), expected, "{statement}");
    }
}

#[test]
fn indexes_are_parts_of_their_table() {
    for (statement, expected) in [
        ("create index i on t (a)", "table t: +index i"),
        ("create unique index if not exists i using btree on d.t (a) comment 'x'", "table d.t: +index i?"),
        ("create or replace index i on t (a)", "table t: ~index i"),
        ("create online fulltext index `i j` on t (a)", "table t: +index i j"),
        ("drop index i on d.t algorithm=inplace lock=none", "table d.t: -index i"),
        ("drop index if exists i on t", "table t: -index i?"),
        ("drop index `PRIMARY` on t", "table t: -primarykey *"),
        ("drop index i", ""),
    ] {
        assert_eq!(changes(statement), expected, "{statement}");
    }
}

#[test]
fn parts_of_tables() {
    for (specifications, expected) in [
        ("add a int", "+column a"),
        ("add column `a b` int not null default (1 + 2) after b", "+column a b"),
        ("add column if not exists a int", "+column a?"),
        (
            "add (a int, b decimal(5, 2), index i (a), constraint c check (a > 1))",
            "+column a, +column b, +index i, +constraint c",
        ),
        ("add column (a int)", "+column a"),
        ("add a int, add b int first, drop c", "+column a, +column b, -column c"),
        ("drop column a restrict", "-column a"),
        ("drop if exists a", "-column a?"),
        ("modify a bigint unsigned", "~column a"),
        ("modify column if exists a enum('x', 'y,z') comment 'a, b'", "~column a?"),
        ("change a b int", "-column a, +column b"),
        ("change column a A int", "~column A"),
        ("rename column a to b, rename column b to a", "unknown"),
        ("rename column a to b, rename column c to a", "unknown"),
        ("drop index i, add index I (b), drop primary key, add primary key (b)", "~index i, ~primarykey *"),
        // Its values are lost with each time.
        ("drop column a, add column a int", "-column a, +column a"),
        ("drop column if exists a, add column if not exists A int", "-column a?, +column A?"),
        ("change a b int, change b a int", "unknown"),
        ("add a int, change b c int", "+column a, -column b, +column c"),
        ("alter a set default 5", "~column a"),
        ("alter column a drop default", "~column a"),
        ("alter column a set invisible", "~column a"),
        ("alter index i invisible", "~index i"),
        ("alter key i not ignored", "~index i"),
        ("alter check c not enforced", "~constraint c"),
        ("add index i (a, b desc)", "+index i"),
        ("add key (a)", "+index *"),
        ("add index using btree (a)", "+index *"),
        ("add unique (a)", "+index *"),
        ("add unique key u (a)", "+index u"),
        ("add constraint u unique (a)", "+index u"),
        ("add constraint u unique index v (a)", "+index v"),
        ("add fulltext index f (a) with parser ngram", "+index f"),
        ("add spatial s (g)", "+index s"),
        ("add vector index v (e)", "+index v"),
        ("add vector int", "+column vector"),
        ("add index if not exists i (a)", "+index i?"),
        ("add primary key (a, b)", "+primarykey *"),
        ("add constraint p primary key using btree (a)", "+primarykey *"),
        ("add foreign key (a) references u (b) on delete cascade", "+constraint *"),
        ("add constraint f foreign key i (a) references d.u (b)", "+constraint f"),
        ("add constraint foreign key (a) references u (b)", "+constraint *"),
        ("add foreign key if not exists f (a) references u (b)", "+constraint f?"),
        ("add constraint c check (a > 1) not enforced", "+constraint c"),
        ("add check (a > 1)", "+constraint *"),
        ("drop index i, drop key k", "-index i, -index k"),
        ("drop foreign key f, drop constraint c, drop check d", "-constraint f, -constraint c, -constraint d"),
        ("drop constraint if exists c", "-constraint c?"),
        ("drop primary key", "-primarykey *"),
        ("rename index a to b", "-index a, +index b"),
        ("rename key a to b", "-index a, +index b"),
        ("engine = innodb", "~option engine"),
        ("engine innodb row_format=compressed frobnicate 8", "unknown"),
        (
            "engine innodb row_format=compressed, key_block_size=8",
            "~option engine, ~option row_format, ~option key_block_size",
        ),
        ("convert to character set utf8mb4 collate utf8mb4_bin", "~option convert to character set, ~option collate"),
        ("default character set = utf8mb4", "~option default character set"),
        ("default charset utf8mb4", "~option default charset"),
        ("comment = 'a, b' auto_increment = 5", "~option comment, ~option auto_increment"),
        ("union = (a, b), max_rows=5", "~option union, ~option max_rows"),
        ("add a int, algorithm=instant, lock = none", "+column a"),
        ("wait 5 add a int", "+column a"),
        ("nowait add a int", "+column a"),
        ("force", ""),
        ("disable keys", ""),
        ("order by a, b desc, add c int", "+column c"),
        ("partition by hash (a) partitions 4", "~partitioning *"),
        (
            "add a int partition by range (a) (partition p values less than (5), partition q values less than maxvalue)",
            "+column a",
        ),
        ("remove partitioning", "-partitioning *"),
        (
            "add partition (partition p values less than (5), partition `q` values less than (6))",
            "+partition p, +partition q",
        ),
        ("add partition if not exists (partition p values in (5, 6))", "+partition p?"),
        ("add partition partitions 4", "unknown"),
        ("drop partition p, q", "-partition p, -partition q"),
        (
            "reorganize partition p into (partition q values less than (5), partition r values less than (9))",
            "-partition p, +partition q, +partition r",
        ),
        ("reorganize partition p, q into (partition P values less than (9))", "-partition q"),
        ("reorganize partition p into (partition p values less than (9))", "unknown"),
        ("rebuild partition p, q", ""),
        ("truncate partition p", "unknown"),
        ("coalesce partition 2", "unknown"),
        ("exchange partition p with table u", "unknown"),
        ("discard tablespace", "unknown"),
        ("import tablespace", "unknown"),
        ("add system versioning", "+versioning *"),
        ("drop system versioning", "-versioning *"),
        ("add period for system_time (a, b)", "+period system_time"),
        ("add system int", "+column system"),
        ("add period int", "+column period"),
        ("frobnicate a, drop b", "unknown"),
        ("add a int) , drop b", "unknown"),
        ("", ""),
    ] {
        let expected = match expected {
            "" => "table d.t: ".to_owned(),
            parts => format!("table d.t: {parts}"),
        };
        assert_eq!(changes(&format!("alter table d.t {specifications}")), expected, "{specifications}");
    }
    for (statement, expected) in [
        ("alter table a rename to d.b", "table a: is d.b"),
        ("alter table a rename as b", "table a: is b"),
        ("alter table a rename = b", "table a: is b"),
        ("alter table a add c int, rename b, drop d", "table a: is b"),
        ("alter table if exists a rename to b", "table a: is b?"),
        ("alter table if exists a add b int", "table a: +column b if there"),
        ("alter online ignore table a add b int", "table a: +column b"),
    ] {
        assert_eq!(changes(statement), expected, "{statement}");
    }
}

/// The journal keeps classes as JSON.
#[test]
fn changes_are_stored_and_read_again() {
    for (statement, stored) in [
        (
            "create table d.t (a int)",
            r#"{"effect":"changes_schema","changes":[{"object":{"kind":"table","name":{"schema":"d","name":"t"}},"after":{"state":"exists","if_not_exists":false,"or_replace":false,"from_query":false}}]}"#,
        ),
        (
            "alter table t add index (a)",
            r#"{"effect":"changes_schema","changes":[{"object":{"kind":"table","name":{"schema":null,"name":"t"}},"after":{"state":"altered","parts":[{"part":"index","name":null,"change":"appears","conditional":false}],"if_exists":false}}]}"#,
        ),
        ("set a = 1, b = 2", r#"{"effect":"sets_several","names":["a","b"]}"#),
    ] {
        let effect = classify(Engine::Mysql, statement).effect;
        assert_eq!(serde_json::to_string(&effect).unwrap(), stored, "{statement}");
        assert_eq!(serde_json::from_str::<Effect>(stored).unwrap(), effect, "{statement}");
    }
}
