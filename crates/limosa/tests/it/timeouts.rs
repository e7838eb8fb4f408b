//! Time-outs, retries, who is waited for, and stopping.

use std::sync::Mutex;

use limosa::{Event, MigrateOptions, Migrator, Progress, Stop};
use limosa_testkit::eventually;

use crate::place::{Home, newest_postgres, sqlite};
use crate::running::{Running, exit, postgres_homes, says, well};

fn blocked(home: &Home) -> limosa_testkit::postgres::Session {
    home.execute("create table busy (n int)");
    let session = home.database_handle().session().unwrap();
    session.execute("begin; select count(*) from busy").unwrap();
    session
}

#[tokio::test]
async fn time_outs_come_from_the_configuration_and_from_headers() {
    for home in postgres_homes() {
        let insert = "create table if not exists seen (n int, how text); insert into seen values";
        let how = "current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
        home.file("0001_default.sql", &format!("{insert} (1, {how});"));
        home.file("0002_header.sql", &format!("-- Lock-timeout: 9s\n-- Statement-timeout: 2min\n{insert} (2, {how});"));
        home.file("0003_none.sql", &format!("-- Transaction: none\n-- Lock-timeout: 9s\n{insert} (3, {how});"));
        home.file("0004_own.sql", &format!("set lock_timeout = '11s'; {insert} (4, {how});"));
        home.file("0005_after.sql", &format!("{insert} (5, {how});"));
        well(&home.migrate().await);
        assert_eq!(home.rows("select how from seen order by n"), ["3s 0", "9s 2min", "9s 0", "11s 0", "3s 0"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_statement_is_tried_again_and_succeeds_when_the_way_is_free() {
    for home in postgres_homes() {
        let blocker = blocked(&home);
        home.file(
            "0001_alter.sql",
            "create table before (n int);\nalter table busy add column m int;\ncreate table behind (n int);",
        );
        let mut configuration = home.configuration();
        configuration.limits.lock_timeout_ms = 200;
        configuration.limits.lock_retries = 50;
        let run = Running::migrate(configuration);
        run.wait_for("it is tried again", |event| matches!(event, Event::Retrying { attempt: 2, of: 51, .. }));
        blocker.execute("rollback").unwrap();
        let result = run.end().await;
        assert!(well(&result).steps[0].attempts >= 2);
        assert_eq!(home.value("select count(*) from limosa.audit_log where operation = 'apply'"), "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_stays_blocked_fails_with_its_attempts() {
    for text in [
        "create table before (n int);\nalter table busy add column m int;",
        "-- Transaction: none\ncreate table if not exists before (n int);\nalter table busy add column m int;",
    ] {
        let home = newest_postgres();
        let blocker = blocked(&home);
        home.file("0001_alter.sql", text);
        let mut configuration = home.configuration();
        // Long enough for the watcher to see who it is.
        configuration.limits.lock_timeout_ms = 800;
        let run = Running::migrate(configuration);
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R003", "55P03", "0001_alter.sql:", "alter table busy", "tried 3 times"]);
        says(&result, &["seen in the way: session ", "idle in transaction"]);
        assert_eq!(result.as_ref().unwrap().steps[0].attempts, 3);
        blocker.execute("rollback").unwrap();
        // The statement was taken back by the server: nothing is in doubt.
        well(&home.migrate().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stands_in_the_way_is_told_while_waiting() {
    for home in postgres_homes() {
        let blocker = blocked(&home);
        home.file("0001_alter.sql", "alter table busy add column m int;");
        let mut configuration = home.configuration();
        configuration.limits.lock_timeout_ms = 1000;
        configuration.limits.lock_retries = 100;
        let run = Running::migrate(configuration);
        run.wait_for("it tells whom it waits for", |event| {
            let Event::Waiting { label, statement, elapsed, blockers } = event else { return false };
            assert_eq!((label.as_str(), *statement), ("0001", 1));
            assert!(elapsed.as_millis() >= 500);
            let first = &blockers[0];
            assert_eq!(first.pid, i64::from(blocker.pid()));
            assert_eq!(first.application.as_deref(), Some("limosa-testkit"));
            assert_eq!(first.state.as_deref(), Some("idle in transaction"));
            assert_eq!(first.query.as_deref(), Some("begin; select count(*) from busy"));
            assert_eq!(first.relation.as_deref(), Some("busy"));
            assert!(first.transaction_seconds.is_some());
            true
        });
        blocker.execute("rollback").unwrap();
        well(&run.end().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_seen_is_told_with_the_grant_that_shows_it() {
    let home = newest_postgres();
    let role = format!("{}_plain", home.database());
    home.execute(&format!(
        "create role {role} login; grant all on database {} to {role}; grant all on schema public to {role}; \
         set role {role}; create table busy (n int)",
        home.database()
    ));
    let blocker = home.database_handle().session().unwrap();
    blocker.execute("begin; lock table busy").unwrap();
    home.file("0001_alter.sql", "alter table busy add column m int;");
    let mut configuration = home.configuration();
    configuration.database = limosa::Secret::new(home.database_handle().url_for(&role, "none"));
    configuration.limits.lock_timeout_ms = 1000;
    configuration.limits.lock_retries = 100;
    let run = Running::migrate(configuration);
    run.wait_for("it tells what would show more", |event| {
        let Event::Waiting { blockers, .. } = event else { return false };
        let grant = blockers[0].grant.as_deref();
        assert_eq!(grant, Some(format!("GRANT pg_read_all_stats TO {role}").as_str()));
        assert_eq!((blockers[0].pid, blockers[0].query.as_deref()), (i64::from(blocker.pid()), None));
        true
    });
    blocker.execute("rollback").unwrap();
    well(&run.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_cancels_on_the_server_and_rolls_back() {
    for home in postgres_homes() {
        home.file("0001_first.sql", "create table first (n int);");
        home.file("0002_slow.sql", "create table second (n int);\nselect pg_sleep(600);\ncreate table third (n int);");
        let run = home.start();
        home.backend_running("select pg_sleep");
        run.stop.ask();
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R005", "interrupted", "rolled back", "what was committed before stands"]);
        let states: Vec<_> =
            result.as_ref().unwrap().steps.iter().map(|step| (step.version.as_str(), step.state)).collect();
        assert_eq!(states, [("0001", "done"), ("0002", "rolled_back")]);
        assert_eq!(home.tables(), ["first"]);
        eventually("nothing of it runs on the server", || {
            home.rows("select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
                .is_empty()
        });
        assert_eq!(home.value("select coalesce(holder, 'free') from limosa.lease"), "free");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_among_many_short_statements_is_heard() {
    let home = newest_postgres();
    let text: String = (0..20_000).map(|number| format!("select {number}, pg_sleep(0.01);\n")).collect();
    home.file("0001_many.sql", &format!("create table t (n int);\n{text}"));
    let run = home.start();
    run.wait_for("some have run", |event| matches!(event, Event::StatementDone { number, .. } if *number > 5));
    run.stop.ask();
    let result = run.end().await;
    says(&result, &["LIM-R005"]);
    assert!(result.unwrap().elapsed_ms < 60_000, "it did not wait for all of them");
    assert_eq!(home.tables(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_outside_of_a_transaction_says_what_stands() {
    let home = newest_postgres();
    home.file(
        "0001_none.sql",
        "-- Transaction: none\ncreate table first (n int);\nselect pg_sleep(600);\ncreate table third (n int);",
    );
    let run = home.start();
    home.backend_running("select pg_sleep");
    run.stop.ask();
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R005", "statements 1 to 1 of 3 are committed and recorded"]);
    assert_eq!(home.tables(), ["first"]);
    home.file(
        "0001_none.sql",
        "-- Transaction: none\ncreate table first (n int);\ncreate table second (n int);\ncreate table third (n int);",
    );
    well(&home.migrate().await);
    assert_eq!(home.tables(), ["first", "second", "third"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_between_attempts_ends_the_waiting() {
    let home = newest_postgres();
    let _blocker = blocked(&home);
    home.file("0001_alter.sql", "alter table busy add column m int;");
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 50;
    configuration.limits.lock_retries = 1000;
    let run = Running::migrate(configuration);
    run.wait_for("it is tried again", |event| matches!(event, Event::Retrying { attempt: 6, .. }));
    run.stop.ask();
    assert_eq!(exit(&run.end().await), 3);
    assert_eq!(home.ledger(), Vec::<String>::new());
}

#[tokio::test]
async fn a_statement_time_out_ends_what_lasts_too_long() {
    for home in postgres_homes() {
        home.file("0001_slow.sql", "-- Statement-timeout: 100ms\ncreate table t (n int);\nselect pg_sleep(600);\n");
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["57014", "statement timeout", "0001_slow.sql:3:1", "Statement-timeout"]);
        assert_eq!(home.tables(), Vec::<String>::new());
        home.file(
            "0001_slow.sql",
            "-- Statement-timeout: 100ms\n-- Transaction: none\ncreate table t (n int);\nselect pg_sleep(600);\n",
        );
        let result = home.migrate().await;
        says(&result, &["57014", "0001_slow.sql:4:1", "statements 1 to 1 of 2"]);
        home.file(
            "0001_slow.sql",
            "-- Statement-timeout: 10s\n-- Transaction: none\ncreate table t (n int);\nselect pg_sleep(0.01);\n",
        );
        well(&home.migrate().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_time_out_of_the_file_returns_behind_concurrently() {
    let home = newest_postgres();
    home.file("0001_table.sql", "create table t (n int); create table seen (how text);");
    home.file(
        "0002_index.sql",
        "set lock_timeout = '7s';\ncreate index concurrently t_n on t (n);\ninsert into seen values (current_setting('lock_timeout'));\n\
         drop index concurrently t_n;\ninsert into seen values (current_setting('lock_timeout'));\n",
    );
    well(&home.migrate().await);
    assert_eq!(home.rows("select how from seen"), ["7s", "7s"]);
}

/// Counts for hours if nobody stops it.
const ENDLESS: &str = "insert into t with recursive counted(n) as (select 1 union all select n + 1 from counted) select max(n) from counted;";

#[tokio::test]
async fn a_statement_of_sqlite_that_runs_too_long_is_stopped() {
    for (header, environment) in [("-- Statement-timeout: 300ms\n", 0), ("", 300)] {
        for transaction in ["", "-- Transaction: none\n"] {
            let home = sqlite();
            home.file("0001_quick.sql", "create table t (n int);");
            home.file("0002_slow.sql", &format!("{header}{transaction}insert into t values (1);\n{ENDLESS}"));
            let mut configuration = home.configuration();
            configuration.limits.statement_timeout_ms = environment;
            let result = Running::migrate(configuration).end().await;
            assert_eq!(exit(&result), 3);
            says(
                &result,
                &["LIM-R005", "statement timeout of 300 ms", "0002_slow.sql:", "statement 2 of 2", "Statement-timeout"],
            );
            assert_eq!(home.ledger()[0], "1|applied");
            let kept = if transaction.is_empty() { "0" } else { "1" };
            assert_eq!(home.rows("select count(*) from t"), [kept]);
        }
    }
}

#[tokio::test]
async fn the_lock_time_out_of_sqlite_comes_from_the_configuration_and_from_headers() {
    for (header, environment) in [("-- Lock-timeout: 40ms\n", 3_600_000), ("", 40)] {
        for transaction in ["", "-- Transaction: none\n"] {
            let home = sqlite();
            home.file("0001_a.sql", "create table a (n int);");
            well(&home.migrate().await);
            home.file("0002_b.sql", &format!("{header}{transaction}create table b (n int);"));
            let mut configuration = home.configuration();
            configuration.limits.lock_timeout_ms = environment;
            let writer = Mutex::new(rusqlite::Connection::open(home.folder.join("test.db")).unwrap());
            // With a time-out of an hour nothing would ever be tried again.
            let listener = |progress| {
                let writer = writer.lock().unwrap();
                match progress {
                    Progress::Run(Event::StepStarted { .. }) => writer.execute_batch("begin immediate").unwrap(),
                    Progress::Run(Event::Retrying { .. }) => writer.execute_batch("rollback").unwrap(),
                    _ => {}
                }
            };
            let migrator = Migrator::new(configuration);
            let result = migrator.migrate(&MigrateOptions::default(), &listener, Stop::new()).await;
            assert_eq!(well(&result).steps[0].attempts, 2, "{header}{transaction}");
        }
    }
}
