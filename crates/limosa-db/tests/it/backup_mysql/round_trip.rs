//! There and back, with all that a database can hold.

use std::fs;
use std::future::pending;

use limosa_db::DbErrorKind;
use limosa_db::backup::mysql::{backup, restore};
use limosa_testkit::mysql::{self, TestDatabase};

use super::{Setting, execute_all, names, rows, silent, with_tools};

const BEFORE: &[&str] = &[
    "alter database character set latin1 collate latin1_german1_ci",
    "create table parent (id int primary key, child_id int, name varchar(100) character set utf8mb4, t text character set utf8mb4, \
     bin varbinary(300), large longblob, j json, e enum('x','y'), d decimal(30,10), at datetime(6), ts timestamp(3) null, \
     bits bit(9), f double, doubled int as (id * 2) virtual, tripled int generated always as (id * 3) stored, \
     unique key (name))",
    "create table child (id int primary key auto_increment, parent_id int, \
     constraint child_of foreign key (parent_id) references parent (id))",
    "alter table parent add constraint parent_of foreign key (child_id) references child (id)",
    "create table parted (id int, y int, primary key (id, y)) partition by range (y) \
     (partition p0 values less than (10), partition p1 values less than maxvalue)",
    "create table `odd ``name; --` (`a b` int, check (`a b` < 100))",
    "create table no_transactions (id int primary key, x text) engine = MyISAM",
    "create table log (n int)",
    "insert into parent (id, name, t, bin, large, j, e, d, at, ts, bits, f) values \
     (1, 'né😀 ''q'' \\\\ \"dq\" \\n nl \\r\\n crlf', 'nul\\0 -- Dump completed', unhex('0001ff27225c0d0a'), \
      repeat(unhex('00ff27'), 100000), '{\"a\": \"ü😀\", \"b\": [1, 2]}', 'y', 12345678901234567890.0123456789, \
      '2024-02-03 04:05:06.123456', '2024-02-03 04:05:06.123', b'101010101', 0.1), \
     (0, null, '', '', '', null, 'x', -1, null, null, b'0', -0.0)",
    "insert into child (id, parent_id) values (0, 1), (7, 1), (8, null)",
    "update parent set child_id = 7 where id = 1",
    "insert into parted values (1, 5), (2, 15)",
    "insert into `odd ``name; --` values (1), (null)",
    "insert into no_transactions values (1, 'x')",
    "create view summary as select id, name from parent where id > 0",
    "create view on_view as select summary.*, 'ü' as k from summary",
    "create algorithm = merge sql security invoker view checked as select * from log where n < 10 with check option",
    "create trigger first_one after insert on parent for each row begin insert into log values (new.id); /* ; */ insert into log values (1); end",
    "create trigger second_one after insert on parent for each row follows first_one insert into log values (2)",
    "create procedure doing(in x int, out y int)\r\nbegin\r\n  -- a comment; ü\r\n  declare z int;\r\n  set z = x;\n  if z > 1 then set y = z; \
     else set y = 'DELIMITER $$'; end if; # another;\nend",
    "create function twice(x int) returns int deterministic return x * 2",
    "create event later on schedule every 1 day starts '2037-01-01 00:00:00' disable comment 'it''s' do begin delete from log; insert into log values (9); end",
];

/// What only MariaDB has.
const MARIADB: &[&str] = &[
    "create sequence numbers start with 5 increment by 3",
    "create table versioned (id int primary key, x int, hidden int invisible default 7) with system versioning",
    "insert into versioned (id, x) values (1, 1)",
    "update versioned set x = 2",
    "create aggregate function total(x int) returns int begin declare s int default 0; \
     declare continue handler for not found return s; loop fetch group next row; set s = s + x; end loop; end",
    "set sql_mode = oracle",
    "create package pack as function one return int; end",
    "create package body pack as function one return int as begin return 1; end; end",
];

const MIGRATION: &[&str] = &[
    "alter database character set utf8mb4 collate utf8mb4_bin",
    "create table later (id int primary key, parent int, foreign key (parent) references parent (id)) engine = InnoDB",
    "create table `odd 'name` (n int)",
    "create view seen as select * from on_view",
    "create or replace view summary as select 1 as one",
    "drop procedure doing",
    "create procedure another() select 1",
    "create function twice_more(x int) returns int deterministic return x * 4",
    "drop trigger second_one",
    "alter table child add column extra int default 5, rename to children",
    "delete from children where id = 8",
    "drop event later",
    "create event soon on schedule every 1 day disable do select 1",
    "drop table parted",
    "create table parted (n int)",
];

const MARIADB_MIGRATION: &[&str] = &[
    "drop sequence numbers",
    "create sequence numbers start with 1",
    "create sequence more",
    "delete from versioned",
    "create table history (n int) with system versioning",
    "set sql_mode = oracle",
    "drop package pack",
    "create package other as function two return int; end",
];

/// All that a person would call the database's content.
fn content(database: &TestDatabase, mariadb: bool) -> Vec<Vec<Option<String>>> {
    let name = database.name();
    let mut found = Vec::new();
    let lists = [
        "select default_character_set_name, default_collation_name from information_schema.schemata where schema_name = database()",
        "select table_name, table_type from information_schema.tables where table_schema = database() order by 1",
        "select table_name, column_name, column_type, collation_name, generation_expression from information_schema.columns \
         where table_schema = database() order by table_name, ordinal_position",
        "select routine_name, routine_type, routine_definition, sql_mode, character_set_client from information_schema.routines \
         where routine_schema = database() order by 1, 2",
        "select trigger_name, action_statement, action_order from information_schema.triggers where trigger_schema = database() order by 1",
        "select event_name, event_definition, status, starts, event_comment, time_zone from information_schema.events \
         where event_schema = database() order by 1",
        "select table_name, view_definition, check_option, security_type from information_schema.views \
         where table_schema = database() order by 1",
        "select constraint_name, table_name, referenced_table_name from information_schema.referential_constraints \
         where constraint_schema = database() order by 1",
    ];
    for sql in lists {
        found.extend(rows(database, sql));
    }
    let kind = "table_schema = database() and table_type in ('BASE TABLE', 'SYSTEM VERSIONED') order by 1";
    for row in rows(database, &format!("select table_name from information_schema.tables where {kind}")) {
        let table = format!("`{}`", row[0].as_ref().unwrap().replace('`', "``"));
        found.extend(rows(database, &format!("show create table {table}")));
        found.extend(rows(database, &format!("select * from {table} order by 1")));
    }
    if mariadb {
        found.extend(rows(
            database,
            "select x, hidden, row_start, row_end from versioned for system_time all order by row_start",
        ));
        found.extend(rows(database, "select increment, start_value from numbers"));
    }
    // Views name the database in what they show of themselves.
    for value in found.iter_mut().flatten().flatten() {
        *value = value.replace(name, "DATABASE");
    }
    found
}

fn next(database: &TestDatabase) -> u64 {
    rows(database, "select nextval(numbers)")[0][0].as_ref().unwrap().parse().unwrap()
}

#[tokio::test]
async fn there_and_back() {
    for version in with_tools() {
        let server = mysql::shared(&version).unwrap();
        let database = server.create_database().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("b.sql");
        let mariadb = version.is_mariadb();
        execute_all(&database, BEFORE);
        if mariadb {
            execute_all(&database, MARIADB);
        }
        let before = content(&database, mariadb);
        let setting = Setting::new(&version, &database.url());
        let report = backup(&setting.tools(), &file, pending(), silent).await.unwrap();
        assert_eq!(report.bytes, fs::metadata(&file).unwrap().len());
        assert_eq!(names(folder.path()), ["b.sql"]);
        let warnings: Vec<&str> = report.warnings.iter().map(|notice| notice.message.as_str()).collect();
        let expected =
            "the rows of no_transactions (MyISAM) are not of one moment with the rest: no transactions there";
        assert_eq!(warnings, [expected], "{version}");
        let number = mariadb.then(|| next(&database));
        for _ in 0..2 {
            execute_all(&database, MIGRATION);
            if mariadb {
                execute_all(&database, MARIADB_MIGRATION);
            }
            assert_ne!(content(&database, false), before);
            restore(&setting.tools(), &file, pending(), silent).await.unwrap();
            assert_eq!(content(&database, mariadb), before, "{version}");
        }
        if let Some(number) = number {
            assert!(next(&database) >= number, "a number was given twice");
        }
        // Into an empty database, over the socket.
        let other = server.create_database().unwrap();
        let socket = other.socket().display();
        let url = format!("mysql://tester:{}@/{}?socket={socket}", other.password(), other.name());
        let setting = Setting::new(&version, &url);
        restore(&setting.tools(), &file, pending(), silent).await.unwrap();
        assert_eq!(content(&other, mariadb), before, "{version}");
        let error = backup(&setting.tools(), &file, pending(), silent).await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::Configuration);
        assert!(error.message.ends_with("b.sql exists already"), "{error}");
    }
}

/// A backup of a backup's restore is the same text.
#[tokio::test]
async fn a_second_backup_is_the_first_one() {
    let version = with_tools().pop().unwrap();
    let database = mysql::shared(&version).unwrap().create_database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["1.sql", "2.sql"].map(|name| folder.path().join(name));
    execute_all(&database, BEFORE);
    let setting = Setting::new(&version, &database.url());
    backup(&setting.tools(), &first, pending(), silent).await.unwrap();
    restore(&setting.tools(), &first, pending(), silent).await.unwrap();
    backup(&setting.tools(), &second, pending(), silent).await.unwrap();
    let text = |path| {
        let bytes = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (text, last) = text.trim_end().rsplit_once('\n').unwrap();
        assert!(last.starts_with("-- Dump completed"), "{last}");
        text.to_owned()
    };
    assert_eq!(text(&first), text(&second));
}

/// Writers go on while the dump runs, and what they write is not in it, though they touch two tables at once.
#[tokio::test]
async fn a_dump_is_of_one_moment_and_blocks_no_writer() {
    let version = with_tools().pop().unwrap();
    let database = mysql::shared(&version).unwrap().create_database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    execute_all(
        &database,
        &["create table a (n int primary key)", "create table z (n int primary key)", "create table m (t longtext)"],
    );
    execute_all(
        &database,
        &[
            "insert into m select repeat('x', 1000000)",
            "insert into m select t from m",
            "insert into m select t from m",
        ],
    );
    let (tell, told) = std::sync::mpsc::channel();
    let writer = database.session().unwrap();
    let writing = std::thread::spawn(move || {
        let mut count = 0;
        while told.try_recv().is_err() {
            count += 1;
            writer
                .execute(&format!("begin; insert into a values ({count}); insert into z values ({count}); commit"))
                .unwrap();
        }
        count
    });
    let setting = Setting::new(&version, &database.url());
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    tell.send(()).unwrap();
    let written: i64 = writing.join().unwrap();
    assert!(written > 0);
    restore(&setting.tools(), &file, pending(), silent).await.unwrap();
    let [a, z] = ["a", "z"].map(|table| rows(&database, &format!("select count(*), coalesce(max(n), 0) from {table}")));
    assert_eq!(a, z);
}
