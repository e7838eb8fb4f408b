//! Locks of others: time-outs, retries, who stands in the way, time-outs of statements, stopping.

use std::time::Duration;

use limosa::Event;
use limosa_testkit::eventually;
use limosa_testkit::mysql::{ServerOptions, Session};

use super::{home, home_on, own_server};
use crate::answers::failed;
use crate::place::Home;
use crate::running::{Running, exit, says, well};

/// Reads the table in a transaction that stays open: DDL waits for its metadata lock.
fn reading(home: &Home) -> Session {
    let session = home.mysql().session().unwrap();
    session.execute("begin; select count(*) from busy").unwrap();
    session
}

fn busy(home: &Home) {
    home.execute("create table busy (n int primary key, m int); insert into busy values (1, 1)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_statement_of_ddl_is_tried_again_and_succeeds_when_the_way_is_free() {
    let home = home();
    busy(&home);
    let holder = reading(&home);
    home.file(
        "001_alter.sql",
        "create table early (n int);\nalter table busy add column k int;\ncreate table behind (n int);\n",
    );
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 1000;
    configuration.limits.lock_retries = 50;
    let run = Running::migrate(configuration);
    run.wait_for("it is tried again", |event| matches!(event, Event::Retrying { attempt: 2, of: 51, .. }));
    holder.execute("rollback").unwrap();
    let result = run.end().await;
    assert!(well(&result).steps[0].attempts >= 2);
    assert_eq!(home.tables(), ["behind", "busy", "early"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_stays_blocked_fails_with_its_attempts_and_is_in_no_doubt() {
    for (text, holds, code) in [
        (
            "create table if not exists early (n int);\nalter table busy add column k int;\n",
            "select * from busy",
            "1205",
        ),
        ("create table if not exists early (n int);\nupdate busy set m = 2;\n", "update busy set m = 3", "1205"),
        ("insert into early_rows values (1);\nupdate busy set m = 2;\n", "update busy set m = 3", "1205"),
    ] {
        let home = home();
        busy(&home);
        home.execute("create table early_rows (n int)");
        let holder = home.mysql().session().unwrap();
        holder.execute(&format!("begin; {holds}")).unwrap();
        home.file("001_blocked.sql", text);
        let mut configuration = home.configuration();
        configuration.limits.lock_timeout_ms = 1000;
        let result = Running::migrate(configuration).end().await;
        failed(&result, 3, &["LIM-R003", code, "001_blocked.sql:2:1", "statement 2 of 2", "tried 3 times"]);
        assert_eq!(result.unwrap().steps[0].attempts, 3);
        holder.execute("rollback").unwrap();
        well(&home.migrate().await);
        assert!(home.rows("select n from early_rows").len() < 2, "the rows before it were taken back each time");
        home.assert_sound().await;
    }
}

/// Waits until the run names the session that holds the table, by its number.
async fn names_the_blocker(home: &Home, statement: &str, holds: &str) {
    let holder = home.mysql().session().unwrap();
    holder.execute(&format!("begin; {holds}")).unwrap();
    home.file("001_blocked.sql", &format!("{statement};\n"));
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 3000;
    configuration.limits.lock_retries = 100;
    let run = Running::migrate(configuration);
    run.wait_for("it tells whom it waits for", |event| {
        let Event::Waiting { label, statement: 1, blockers, .. } = event else { return false };
        label == "001" && blockers.iter().any(|blocker| u64::try_from(blocker.pid).ok() == Some(holder.id()))
    });
    holder.execute("rollback").unwrap();
    well(&run.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stands_in_the_way_is_named() {
    for on in [true, false] {
        let server = own_server(&ServerOptions::new().performance_schema(on));
        for (statement, holds) in [
            ("alter table busy add column k int", "select * from busy"),
            ("update busy set m = 2", "update busy set m = 3"),
        ] {
            let home = home_on(&server);
            busy(&home);
            names_the_blocker(&home, statement, holds).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_out_of_statements_stops_them_on_the_server() {
    let home = home();
    for (at, header) in [(0, "-- Statement-timeout: 500ms\n"), (1, "")] {
        home.file(
            &format!("00{at}_slow.sql"),
            &format!("{header}create table if not exists t{at} (n int);\nselect sleep(600);\n"),
        );
        let mut configuration = home.configuration();
        if header.is_empty() {
            configuration.limits.statement_timeout_ms = 500;
        }
        let result = Running::migrate(configuration).end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["500 ms", &format!("00{at}_slow.sql:"), "select sleep(600)"]);
        let sleeping =
            "select id from information_schema.processlist where db = database() and info like 'select sleep%'";
        assert!(home.rows(sleeping).is_empty());
        home.file(&format!("00{at}_slow.sql"), &format!("{header}create table if not exists t{at} (n int);\n"));
        well(&home.migrate().await);
    }
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_kills_the_query_and_the_next_run_goes_on() {
    for (text, slow) in [
        ("insert into t values (1);\nselect sleep(600);\n", "select sleep"),
        ("create table made (n int);\nselect sleep(600);\n", "select sleep"),
        ("create table made as select sleep(600) as n;\n", "create table made"),
    ] {
        let home = home();
        home.execute("create table t (n int)");
        home.file("001_slow.sql", text);
        let run = home.start();
        let sql = format!(
            "select id from information_schema.processlist where db = database() and info like '{slow}%' and id <> connection_id()"
        );
        eventually("it runs", || !home.rows(&sql).is_empty());
        run.stop.ask();
        let result = run.end().await;
        assert_eq!(exit(&result), 3, "{text}");
        says(&result, &["LIM-R005", "interrupted"]);
        eventually("nothing runs any more", || home.rows(&sql).is_empty());
        home.file("001_slow.sql", &text.replace("select sleep(600)", "select 1"));
        well(&home.migrate().await);
        home.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_held_is_told_with_its_holder() {
    let home = home();
    home.file("001_slow.sql", "create table t (n int);\nselect sleep(600);\n");
    let first = home.start();
    let sql = "select id from information_schema.processlist where db = database() and info like 'select sleep%'";
    eventually("it runs", || !home.rows(sql).is_empty());
    let mut configuration = home.configuration();
    configuration.lock_wait = Duration::from_millis(300);
    configuration.actor = "somebody else".to_owned();
    let second = Running::migrate(configuration);
    second.wait_for("the second waits", |event| {
        matches!(event, Event::LockHeld { holder, since } if holder.as_deref() == Some("tester@here") && since.is_some())
    });
    let result = second.end().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R001", "tester@here", "since 2", "last sign of life", "--lock-wait"]);
    first.stop.ask();
    assert_eq!(exit(&first.end().await), 3);
    home.file("001_slow.sql", "create table t (n int);\n");
    well(&home.migrate().await);
}
