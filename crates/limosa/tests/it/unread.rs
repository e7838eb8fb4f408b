//! Applied files are not read again where they are byte for byte what was applied, and are where that stops being true.

use limosa::{Event, Migrator, OutOfOrder};

use crate::answers::{done, failed, findings, labels, migrate};
use crate::place::{all_homes, newest_postgres, sqlite};
use crate::running::{Running, well};

#[tokio::test]
async fn what_is_applied_and_unchanged_holds_nobody_up() {
    for home in all_homes() {
        home.file("0001_one.sql", "create table one (n int);");
        home.file("0001_one.rollback.sql", "drop table one;");
        home.file("R__two.sql", "insert into one values (1);");
        done(home.migrate().await);
        // The way back that counts is the recorded one; what is wrong with its file is a finding of validate.
        home.file("0001_one.rollback.sql", "drop table 'one;");
        home.file("0003_three.sql", "create table three (n int);");
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
        assert!(findings(&home.migrator().validate().await.unwrap()).contains("0001_one.rollback.sql"));
        // A repeatable is read again as soon as it differs, with its way back.
        home.file("R__two.sql", "insert into one values (2);");
        home.file("R__two.rollback.sql", "delete from one;");
        assert_eq!(labels(&done(home.migrate().await)), ["R"]);
        assert_eq!(home.count("select count(*) from one"), 2);
        let ways =
            format!("select identity from {} where rollback_sql = 'delete from one;'", home.table("schema_migrations"));
        assert_eq!(home.rows(&ways), ["R:two"]);
        // One byte more is a change.
        home.file("0001_one.sql", "create table one (m int);");
        failed(&home.migrate().await, 1, &["LIM-P001", "0001_one.sql"]);
        // Line endings are none, and are read for that.
        home.file("0001_one.sql", "create table one (n int);\r\n");
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    }
}

#[tokio::test]
async fn where_names_count_what_is_applied_is_not_opened() {
    for home in all_homes() {
        home.file("0001_one.sql", "create table one (n int);");
        home.file("0002_two.sql", "create table two (n int);");
        home.file("R__rows.sql", "insert into one values (1);");
        done(home.migrate().await);
        home.file("0001_one.sql", "create table 'one;");
        home.file("R__rows.sql", "insert into one values (2);");
        home.file("0003_three.sql", "create table three (n int);");
        let mut configuration = home.configuration();
        configuration.verify_applied = false;
        let migrator = Migrator::new(configuration);
        assert_eq!(labels(&done(migrate(&migrator).await)), ["0003", "R"]);
        assert_eq!(home.count("select count(*) from one"), 2);
        // Every other command looks, and so does what has to run again.
        assert!(findings(&migrator.validate().await.unwrap()).contains("0001_one.sql"));
    }
}

#[tokio::test]
async fn files_for_other_engines_are_still_told_apart() {
    let home = sqlite();
    home.file("1_here.sql", "-- Engines: sqlite\ncreate table here (n int);");
    home.file("1_there.sql", "-- Engines: postgres\ncreate table there (n int);");
    done(home.migrate().await);
    home.file("2_more.sql", "create table more (n int);");
    assert_eq!(labels(&done(home.migrate().await)), ["2"]);
    home.file("1_there.sql", "create table there (n int);");
    failed(&home.migrate().await, 2, &["both have the version 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_while_a_runner_waited_is_read_and_run() {
    let home = newest_postgres();
    home.file("0001_one.sql", "create table one (n int); insert into one values (1);");
    well(&home.migrate().await);
    let gate = home.database_handle().session().unwrap();
    gate.execute("create table gate (n int)").unwrap();
    gate.execute("begin; lock table gate").unwrap();
    home.file("0002_gate.sql", "select count(*) from gate;");
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 60_000;
    configuration.out_of_order = OutOfOrder::Allow;
    let first = Running::migrate(configuration.clone());
    home.backend_running("select count(*) from gate");
    let second = Running::migrate(configuration);
    second.wait_for("the second waits", |event| matches!(event, Event::LockHeld { .. }));
    home.execute(&format!("delete from {} where identity = '1'", home.table("schema_migrations")));
    home.execute("drop table one");
    gate.execute("commit").unwrap();
    well(&first.end().await);
    assert_eq!(labels(well(&second.end().await)), ["0001"]);
    assert_eq!(home.count("select count(*) from one"), 1);
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}
