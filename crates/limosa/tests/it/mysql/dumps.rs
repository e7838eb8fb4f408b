//! Files as `mariadb-dump` and `mysqldump` write them, and files with the words of the `mysql` client.

use std::process::Command;

use limosa::Selection;
use limosa_testkit::mysql;
use limosa_testkit::proxy::{Cut, Side};

use super::{home, proxy_to, shared};
use crate::answers::{done, failed};
use crate::place::Home;
use crate::running::{Running, says, well};

/// A database with one of everything.
const SHOP: &str = "\
create table customers (id int primary key auto_increment, name varchar(80) not null, note text) comment = 'it''s; \"here\"';
create table orders (id int primary key, customer int, total decimal(10,2), day date, blob_ blob,
  constraint of_customer foreign key (customer) references customers (id)) engine = InnoDB;
create table parts (id int, kind enum('a', 'b;c')) partition by hash (id) partitions 2;
create table old (n int primary key) engine = MyISAM;
insert into customers values (1, 'O''Brien; \\\\ \"x\"', 'line\\nline'), (2, 'größe 🐦', null);
insert into orders values (1, 1, 9.5, '2024-02-29', x'00ff2700'), (2, 2, null, null, null);
insert into parts values (1, 'b;c'), (2, 'a');
create table places (g geometry not null, h json);
insert into places values (point(1, 2), '{\"a;\": 1}');
insert into old values (1), (2);
create view overview as select c.name, o.total from customers c join orders o on o.customer = c.id;
create view behind as select name from overview;
create sequence numbers start with 7";

const ROUTINES: &[&str] = &[
    "create procedure pay(who int)\nbegin\n  -- a comment; with a semicolon\n  update orders set total = 0 where customer = who;\n  \
     if who > 5 then\n    signal sqlstate '45000' set message_text = 'no; such \\'customer\\'';\n  end if;\nend",
    "create function twice(n int) returns int deterministic\nbegin\n  declare m int default 0;\n  set m = n * 2;\n  return m;\nend",
    "create trigger named before insert on customers for each row\nbegin\n  set new.note = concat(new.name, ';');\nend",
    "create event nightly on schedule every 1 day starts '2037-01-01 00:00:00' do\nbegin\n  delete from old;\nend",
];

fn shop(home: &Home) {
    home.execute(SHOP);
    for routine in ROUTINES {
        home.execute(routine);
    }
}

/// What the two databases must have in common.
fn everything(home: &Home) -> Vec<String> {
    let mut lines = Vec::new();
    for sql in [
        "select * from customers order by 1",
        "select id, customer, total, day, hex(blob_) from orders order by 1",
        "select id, kind from parts order by 1",
        "select st_astext(g), h from places",
        "select * from old order by 1",
        "select * from overview order by 1",
        "select * from behind order by 1",
        "select start_value from numbers",
        "select twice(4)",
        "select concat_ws(' ', table_name, engine, table_type, table_comment, table_collation) from information_schema.tables \
         where table_schema = database() and table_name not like 'limosa%' order by 1",
        "select concat_ws(' ', table_name, column_name, column_type, is_nullable, column_default, extra) from information_schema.columns \
         where table_schema = database() and table_name not like 'limosa%' order by table_name, ordinal_position",
        "select concat(routine_name, routine_definition, sql_mode) from information_schema.routines where routine_schema = database() order by 1",
        "select concat(trigger_name, action_statement, sql_mode) from information_schema.triggers where trigger_schema = database()",
        "select concat(event_name, event_definition, starts, time_zone) from information_schema.events where event_schema = database()",
    ] {
        lines.extend(home.rows(sql));
    }
    let name = home.database();
    lines.iter().map(|line| line.replace(&name, "{database}")).collect()
}

fn dump(home: &Home, options: &[&str]) -> String {
    let version = mysql::newest().unwrap();
    let program = version.program("mariadb-dump").or_else(|| version.program("mysqldump")).unwrap();
    let output = Command::new(program)
        .args(["--no-defaults", "--user=root", "--socket"])
        .arg(home.mysql().socket())
        .args(options)
        .arg(home.database())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const ALL: &[&str] = &["--routines", "--triggers", "--events", "--hex-blob"];

#[tokio::test]
async fn a_dump_is_a_migration() {
    let source = home();
    shop(&source);
    for more in [
        &[][..],
        &["--skip-opt", "--create-options"],
        &["--skip-extended-insert", "--complete-insert"],
        &["--single-transaction"],
        &["--add-drop-trigger", "--skip-add-locks"],
        &["--compact"],
        &["--quote-names=0", "--skip-tz-utc"],
    ] {
        let target = home();
        let options: Vec<&str> = ALL.iter().chain(more).copied().collect();
        target.file("001_dump.sql", &dump(&source, &options));
        target.file(
            "002_next.sql",
            "insert into customers (name) values ('next');\ndelete from customers where name = 'next';\n",
        );
        let answer = done(target.migrate().await);
        let notices: Vec<&str> = answer.steps[0].notices.iter().map(|notice| notice.message.as_str()).collect();
        let locks = more.iter().all(|word| !["--compact", "--skip-opt", "--skip-add-locks"].contains(word));
        assert_eq!(
            notices.iter().any(|notice| notice.contains("LOCK TABLES") && notice.contains("is left out")),
            locks,
            "{more:?}: {notices:?}"
        );
        let (found, wanted) = (everything(&target), everything(&source));
        assert_eq!(found, wanted, "{more:?}");
        assert_eq!(target.migrator().validate().await.unwrap().exit_code, 0);
        target.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_goes_on_where_its_connection_broke() {
    let source = home();
    shop(&source);
    let text = dump(&source, ALL);
    for place in [
        "CREATE TABLE `orders`",
        "INSERT INTO `orders`",
        "CREATE DEFINER=`root`@`localhost` PROCEDURE",
        "trigger named before",
        "VIEW `behind`",
    ] {
        let target = home();
        target.file("001_dump.sql", &text);
        let proxy = proxy_to(shared());
        proxy.cut(Cut::before_text(Side::Client, place));
        let result = Running::migrate(target.through(&proxy)).end().await;
        assert_eq!(proxy.cuts_done(), 1, "{place}");
        says(&result, &["LIM-R006"]);
        target.wait_until_alone();
        let second = target.migrate().await;
        // The dump keeps the settings from before in variables, and the session that held them is gone.
        if let Ok(answer) = &second
            && answer.exit_code == 4
        {
            failed(&second, 4, &["LIM-R022", "001_dump.sql:"]);
            continue;
        }
        well(&second);
        assert_eq!(everything(&target), everything(&source), "{place}");
        target.assert_sound().await;
    }
}

#[tokio::test]
async fn delimiters_and_the_body_of_a_procedure_have_their_places() {
    let home = home();
    home.execute("create table t (n int primary key)");
    home.file(
        "001_routines.sql",
        "-- the client's words\nDELIMITER $$\n\
         CREATE PROCEDURE one()\nBEGIN\n  INSERT INTO t VALUES (1);\n  INSERT INTO t VALUES (2);\nEND$$\n\
         DELIMITER //\n\
         CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.n = NEW.n + 10; END//\n\
         DELIMITER ;\n\
         CALL one();\n",
    );
    done(home.migrate().await);
    assert_eq!(home.rows("select n from t order by n"), ["11", "12"]);

    home.file(
        "002_wrong.sql",
        "create table u (n int);\n\nDELIMITER ;;\ncreate procedure two()\nbegin\n  select 1;\n  selectt 2;\nend;;\nDELIMITER ;\n",
    );
    failed(&home.migrate().await, 3, &["1064", "statement 2 of 2, CREATE PROCEDURE", "002_wrong.sql:7:"]);
    home.file(
        "002_wrong.sql",
        "create table u (n int);\n\nDELIMITER ;;\ncreate procedure two()\nbegin\n  select 1;\n  select 2;\nend;;\nDELIMITER ;\n",
    );
    done(home.migrate().await);
    // The place of an error while it runs is that of the call.
    home.file("003_call.sql", "select 1;\n\n  call one();\n");
    failed(&home.migrate().await, 3, &["1062", "003_call.sql:3:3", "CALL"]);
}

#[tokio::test]
async fn ways_back_know_delimiters_too() {
    let made = [
        "create procedure p()\nbegin\n  select 1;\nend;\n",
        "DELIMITER //\ncreate procedure p()\nbegin\n  select 1;\nend//\nDELIMITER ;\n",
    ];
    let backs = [
        "drop procedure p;\n",
        "DELIMITER //\ndrop procedure p//\nDELIMITER ;\n",
        "\nDELIMITER $$\ndrop procedure p$$\n",
    ];
    for (up, back) in made.iter().flat_map(|up| backs.iter().map(move |back| (up, back))) {
        let home = home();
        home.file("001_p.sql", &format!("{up}-- limosa:rollback\n{back}"));
        done(home.migrate().await);
        assert_eq!(
            home.rows("select count(*) from information_schema.routines where routine_schema = database()"),
            ["1"]
        );
        let stored = home.rows("select coalesce(rollback_sql, 'none') from limosa_schema_migrations");
        assert_ne!(stored, ["none"], "{up}{back}");
        done(home.rollback(Selection::Steps(1)).await);
        assert_eq!(
            home.rows("select count(*) from information_schema.routines where routine_schema = database()"),
            ["0"]
        );
        home.assert_sound().await;
    }
}

#[tokio::test]
async fn a_dump_of_a_server_with_gtids_switches_its_log() {
    let home = home();
    home.file(
        "001_dump.sql",
        "SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\nSET @@SESSION.SQL_LOG_BIN= 0;\ncreate table t (n int);\n\
         insert into t values (1), (2);\nSET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;\n",
    );
    home.file("002_left_off.sql", "set sql_log_bin = 0;\ninsert into t values (3);\n");
    home.file("003_after.sql", "create table told as select @@sql_log_bin as logs;\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select logs from told"), ["1"]);
    assert_eq!(home.rows("select count(*) from t"), ["3"]);
}
