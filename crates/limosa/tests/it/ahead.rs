//! Migrations that are sent ahead of each other's answers: each stands alone all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use limosa::{Event, RollbackOptions, Selection};
use limosa_testkit::proxy::{Cut, Side};
use limosa_testkit::{Proxy, eventually};

use crate::place::{Home, newest_postgres, sqlite};
use crate::running::{Running, audited, exit, postgres_homes, says, told, well};

/// Migrations `first` to `last`, each a row in the table `seen`, which the first of all makes.
fn rows(home: &Home, first: usize, last: usize) {
    for number in first..=last {
        // A word of rules keeps rows out of transactions that several migrations share in a new database.
        let create = if number == 1 { "create table seen (n int check (n > 0 or 'rule' = ''));\n" } else { "" };
        home.file(&format!("{number:04}_row.sql"), &format!("{create}insert into seen values ({number});"));
        home.file(&format!("{number:04}_row.rollback.sql"), &format!("delete from seen where n = {number};"));
    }
}

fn seen(home: &Home) -> Vec<String> {
    home.rows("select cast(n as varchar(9)) from seen order by seen.n")
}

/// Where steps are sent ahead.
fn places() -> Vec<Home> {
    postgres_homes().into_iter().chain([sqlite()]).collect()
}

#[tokio::test]
async fn what_follows_a_failure_has_no_effect() {
    for home in places() {
        rows(&home, 1, 9);
        home.file("0005_row.sql", "insert into seen values (5);\ninsert into nowhere values (1);");
        let run = home.start();
        let (result, events) = run.end_with_events().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R002", "0005_row.sql:2", "nowhere"]);
        let answer = result.expect("a report");
        let states: Vec<_> = answer.steps.iter().map(|step| step.state).collect();
        assert_eq!(states, ["done", "done", "done", "done", "rolled_back"]);
        assert_eq!(seen(&home), ["1", "2", "3", "4"]);
        assert_eq!(home.ledger().len(), 4);
        assert_eq!(
            told(&events),
            [
                "1 begins", "1 done", "2 begins", "2 done", "3 begins", "3 done", "4 begins", "4 done", "5 begins",
                "5 failed"
            ]
        );
        assert_eq!(
            home.rows(&format!("select outcome from {} order by sequence", home.table("audit_log")))
                .last()
                .expect("a row"),
            "failed"
        );
        audited(&home).await;

        home.file("0005_row.sql", "insert into seen values (5);");
        well(&home.migrate().await);
        assert_eq!(seen(&home), ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        audited(&home).await;
    }
}

#[tokio::test]
async fn a_commit_that_fails_ends_the_run_there() {
    for home in postgres_homes() {
        rows(&home, 1, 9);
        // Only the commit finds that the two tables are emptied at different times; they would be dropped before it, were they seen.
        home.file(
            "0004_row.sql",
            "insert into seen values (4);\ndo $$ begin create temp table a (n int primary key) on commit delete rows;\n\
             create temp table b (n int references a) on commit preserve rows; end $$;",
        );
        let result = home.migrate().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R009", "0004_row.sql failed at its commit", "ON COMMIT"]);
        assert_eq!(seen(&home), ["1", "2", "3"]);
        assert_eq!(home.ledger().len(), 3);

        home.file(
            "0004_row.sql",
            "insert into seen values (4);\ncreate table one (n int primary key deferrable initially deferred);\n\
             insert into one values (1), (1);",
        );
        let result = home.migrate().await;
        says(&result, &["LIM-R009", "0004_row.sql failed at its commit", "duplicate key"]);
        assert_eq!(seen(&home), ["1", "2", "3"]);
        audited(&home).await;
    }
}

#[tokio::test]
async fn settings_that_nobody_sees_do_not_leak() {
    for home in postgres_homes() {
        let state = "current_setting('search_path') || ' ' || current_setting('transaction_isolation') || ' ' || \
                     current_setting('transaction_read_only')";
        home.file("0001_make.sql", "create table seen (n int, state text);");
        home.file(
            "0002_hidden.sql",
            "create function hidden() returns void language plpgsql as $$ begin\n\
             perform set_config('default_transaction_isolation', 'serializable', false);\n\
             perform set_config('search_path', 'pg_catalog', false);\n\
             perform set_config('default_transaction_read_only', 'off', false);\n\
             perform set_config('client_encoding', 'LATIN1', false); end $$;",
        );
        home.file("0003_call.sql", "select hidden();");
        home.file("0004_look.sql", &format!("insert into public.seen select 4, {state};"));
        home.file("0005_é.sql", &format!("insert into seen select 5, {state};"));
        home.file(
            "0006_isolated.sql",
            &format!("set transaction isolation level serializable;\ninsert into seen select 6, {state};"),
        );
        home.file("0007_look.sql", &format!("insert into seen select 7, {state};"));
        well(&home.migrate().await);
        let plain = "\"$user\", public read committed off";
        assert_eq!(
            home.rows("select n || ' ' || state from seen order by n"),
            [4, 5, 6, 7].map(|number| match number {
                6 => "6 \"$user\", public serializable off".to_owned(),
                _ => format!("{number} {plain}"),
            })
        );
        assert_eq!(home.value("select name from limosa.schema_migrations where identity = '5'"), "é");
        audited(&home).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_step_is_tried_again_alone_and_the_others_follow() {
    for home in postgres_homes() {
        rows(&home, 1, 3);
        well(&home.migrate().await);
        home.execute("create table busy (n int)");
        let blocker = home.database_handle().session().expect("a session");
        blocker.execute("begin; select count(*) from busy").expect("it holds the table");
        rows(&home, 4, 9);
        home.file("0006_row.sql", "insert into seen values (6);\nalter table busy add column m int;");
        let mut configuration = home.configuration();
        configuration.limits.lock_timeout_ms = 200;
        configuration.limits.lock_retries = 50;
        let run = Running::migrate(configuration);
        run.wait_for("it is tried again", |event| matches!(event, Event::Retrying { attempt: 2, of: 51, .. }));
        assert_eq!(seen(&home), ["1", "2", "3", "4", "5"]);
        blocker.execute("rollback").expect("it lets go");
        let (result, events) = run.end_with_events().await;
        let steps = &well(&result).steps;
        assert!(steps[2].attempts >= 2);
        assert_eq!(steps.len(), 6);
        assert_eq!(seen(&home).len(), 9);
        let events = told(&events);
        let begun: Vec<_> = events.iter().filter(|event| event.ends_with("begins")).collect();
        assert_eq!(begun.len(), 6, "each is told once: {events:?}");
        audited(&home).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_keeps_what_is_committed() {
    for home in postgres_homes() {
        rows(&home, 1, 9);
        home.file("0005_row.sql", "insert into seen values (5);\nselect pg_sleep(60);");
        let run = home.start();
        home.backend_running("select pg_sleep");
        run.stop.ask();
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R005", "interrupted"]);
        assert_eq!(seen(&home), ["1", "2", "3", "4"]);
        assert_eq!(home.ledger().len(), 4);
        audited(&home).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_told_at_the_step_that_it_hit() {
    for home in postgres_homes() {
        rows(&home, 1, 9);
        home.file("0005_row.sql", "insert into seen values (5);\nselect pg_sleep(60);");
        let run = home.start();
        let pid = home.backend_running("select pg_sleep");
        home.terminate(pid);
        let result = run.end().await;
        says(&result, &["the connection was lost, and nothing of 0005 stands"]);
        assert_eq!(result.expect("a report").steps.len(), 5);
        assert_eq!(seen(&home), ["1", "2", "3", "4"]);
        home.file("0005_row.sql", "insert into seen values (5);");
        well(&home.migrate().await);
        assert_eq!(seen(&home).len(), 9);
        audited(&home).await;
    }
}

/// Connections that are cut anywhere while the server has more to do than the client has heard of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_whose_answers_were_lost_are_found_in_the_ledger() {
    for (side, places) in [(Side::Server, 30..900), (Side::Client, 10..300)] {
        let home = newest_postgres();
        rows(&home, 1, 1);
        well(&home.migrate().await);
        rows(&home, 2, 40);
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], home.database_handle().port()));
        let proxy = Proxy::start(address).expect("a proxy");
        proxy.set_quiet(std::time::Duration::ZERO);
        let mut before = 1;
        for place in places.step_by(17) {
            let what = format!("{side:?} {place}");
            let mut configuration = home.configuration();
            configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
            proxy.reset();
            proxy.cut(Cut::before(side, place));
            let result = Running::migrate(configuration).end().await;
            let ours =
                "select 1 from pg_stat_activity where datname = current_database() and application_name = 'limosa'";
            eventually("the server has noticed", || home.rows(ours).is_empty());
            let standing = seen(&home).len();
            assert_eq!(home.ledger().len(), standing, "{what}");
            if let Ok(answer) = &result {
                // Those that stood before, and those that are reported done, are all that stand.
                let done = answer.steps.iter().filter(|step| step.state == "done").count();
                assert_eq!(before + done, standing, "{what}: {result:?}");
            }
            before = standing;
            audited(&home).await;
            if standing == 40 {
                break;
            }
        }
        well(&home.migrate().await);
        assert_eq!(seen(&home).len(), 40);
    }
}

/// Requests to cancel hit every place between statements, BEGIN and COMMIT among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_cancel_hits_each_migration_runs_whole_or_not_at_all() {
    let home = newest_postgres();
    rows(&home, 1, 300);
    let session = home.database_handle().session().expect("a session");
    let over = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&over);
    let cancelling = tokio::task::spawn_blocking(move || {
        while !heard.load(Ordering::SeqCst) {
            let _ = session.execute(
                "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() \
                 and pid <> pg_backend_pid() and backend_type = 'client backend' and state = 'active'",
            );
            std::thread::sleep(std::time::Duration::from_millis(7));
        }
    });
    let mut cancelled = 0;
    for _ in 0..300 {
        if exit(&home.start().end().await) == 0 {
            break;
        }
        cancelled += 1;
    }
    over.store(true, Ordering::SeqCst);
    cancelling.await.expect("it ends");
    assert!(cancelled > 0, "nothing was hit");
    well(&home.migrate().await);
    let expected: Vec<String> = (1..=300).map(|number| number.to_string()).collect();
    assert_eq!(seen(&home), expected);
    assert_eq!(home.ledger().len(), 300);
    audited(&home).await;
}

#[tokio::test]
async fn many_are_taken_back_until_one_fails() {
    for home in places() {
        rows(&home, 1, 9);
        home.file("0004_row.rollback.sql", "delete from nowhere;");
        well(&home.migrate().await);
        let options =
            |consent| RollbackOptions { selection: Selection::Steps(8), use_file: false, consent, backup: false };
        let result = Running::rollback(home.configuration(), options(Some(home.database()))).end().await;
        says(&result, &["LIM-R002", "nowhere"]);
        assert_eq!(seen(&home), ["1", "2", "3", "4"]);
        assert_eq!(home.ledger().len(), 4);
        audited(&home).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_sqlite_is_stopped_each_migration_runs_whole_or_not_at_all() {
    let home = sqlite();
    rows(&home, 1, 300);
    let mut stopped = 0;
    loop {
        let run = home.start();
        let wanted = 7 + stopped % 5 * 3;
        let is_enough = |event: &Event| matches!(event, Event::StepDone { number, .. } if *number >= wanted);
        eventually("some are done", || run.is_over() || run.events().iter().any(is_enough));
        std::thread::sleep(std::time::Duration::from_millis(stopped as u64 % 4));
        run.stop.ask();
        let result = run.end().await;
        let stands = seen(&home);
        assert_eq!(stands, (1..=stands.len()).map(|number| number.to_string()).collect::<Vec<_>>());
        if exit(&result) == 0 {
            break;
        }
        says(&result, &["LIM-R005"]);
        let answer = result.expect("a report");
        let done = answer.steps.iter().filter(|step| step.state == "done").count();
        assert!(done >= wanted && done <= stands.len(), "{done} are told done, {} stand", stands.len());
        assert_eq!(home.ledger().len(), stands.len());
        stopped += 1;
    }
    assert!(stopped > 0, "nothing was hit");
    assert_eq!(seen(&home).len(), 300);
    assert_eq!(home.ledger().len(), 300);
    audited(&home).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_writer_between_two_steps_is_waited_for_on_sqlite() {
    let home = sqlite();
    rows(&home, 1, 3);
    well(&home.migrate().await);
    rows(&home, 4, 200);
    home.execute("create table theirs (n int)");
    let (path, done) = (home.database(), Arc::new(AtomicBool::new(false)));
    let ended = Arc::clone(&done);
    let other = std::thread::spawn(move || {
        let writer = rusqlite::Connection::open(path).expect("it is there");
        writer.busy_timeout(std::time::Duration::from_secs(60)).expect("a setting");
        let mut written = 0;
        while written < 20 && !ended.load(Ordering::SeqCst) {
            writer.execute_batch("begin immediate; insert into theirs values (1); commit").expect("its turn comes");
            written += 1;
        }
        written
    });
    well(&home.migrate().await);
    done.store(true, Ordering::SeqCst);
    let written = other.join().expect("it ends");
    assert_eq!(home.rows("select count(*) from theirs"), [written.to_string()]);
    assert_eq!(seen(&home).len(), 200);
    audited(&home).await;
}

#[tokio::test]
async fn the_file_of_the_journal_does_not_outlive_many_migrations() {
    for mode in ["delete", "wal"] {
        let home = sqlite();
        home.execute(&format!("pragma journal_mode = {mode};"));
        rows(&home, 1, 20);
        well(&home.migrate().await);
        assert_eq!(seen(&home).len(), 20);
        let journal = format!("{}-journal", home.database());
        assert!(!std::path::Path::new(&journal).exists(), "{mode}: {journal} is left");
        assert_eq!(home.rows("pragma journal_mode"), [mode]);
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_in_the_middle_ends_the_run_there() {
    for back in [false, true] {
        for home in places() {
            rows(&home, 1, 30);
            let steal = format!("update {} set epoch = epoch + 1;", home.table("lease"));
            let script = |steal: &str| format!("{steal}\ninsert into seen values (15);");
            home.file("0015_row.sql", &script(if back { "" } else { &steal }));
            home.file("0015_row.rollback.sql", &format!("{steal}\ndelete from seen where n = 15;"));
            let result = match back {
                false => home.migrate().await,
                true => {
                    well(&home.migrate().await);
                    let consent = Some(home.database());
                    let selection = Selection::Steps(29);
                    let options = RollbackOptions { selection, use_file: false, consent, backup: false };
                    Running::rollback(home.configuration(), options).end().await
                }
            };
            says(&result, &["LIM-R008"]);
            // On PostgreSQL the row of the lease is held by whoever stole it, and the next migration finds it.
            let stand = match (back, home.is_sqlite()) {
                (false, true) => 14,
                (false, false) | (true, true) => 15,
                (true, false) => 14,
            };
            assert_eq!(seen(&home).len(), stand);
            assert_eq!(home.ledger().len(), stand);
        }
    }
}
