//! One runner at a time: many at once, one that holds on, one that is gone, one that has lost its lease.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use limosa::{Event, MigrateOptions, Migrator, Progress, RustMigration, Stop};
use limosa_testkit::eventually;

use crate::place::{Home, all_homes, newest_postgres, sqlite};
use crate::running::{Running, exit, postgres_homes, says, well};

/// Each file fails where it runs twice, and says so in a table that knows no keys.
fn once_each(home: &Home) {
    for number in 1..=4 {
        home.file(
            &format!("000{number}_once.sql"),
            &format!("create table t{number} (n int);\ninsert into t{number} values ({number});\n"),
        );
    }
}

async fn many(home: &Home, count: usize) {
    once_each(home);
    let mut configuration = home.configuration();
    configuration.lock_wait = Duration::from_secs(120);
    let runs: Vec<Running> = (0..count).map(|_| Running::migrate(configuration.clone())).collect();
    let mut done = 0;
    for run in runs {
        let result = run.end().await;
        done += well(&result).steps.len();
    }
    assert_eq!(done, 4, "each migration is applied once");
    assert_eq!(home.ledger(), ["1|applied", "2|applied", "3|applied", "4|applied"]);
    let applied = home.rows(&format!(
        "select identity from {} where operation = 'apply' and outcome = 'done' order by sequence",
        home.table("audit_log")
    ));
    assert_eq!(applied, ["1", "2", "3", "4"]);
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_at_once() {
    for home in all_homes() {
        many(&home, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_runners_at_once() {
    for home in all_homes() {
        many(&home, 50).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_held_is_told_with_its_holder() {
    for home in postgres_homes() {
        home.file("0001_slow.sql", "create table t (n int); select pg_sleep(600);");
        let first = home.start();
        home.backend_running("select pg_sleep");

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
        assert_eq!(home.ledger(), Vec::<String>::new());
        home.file("0001_slow.sql", "create table t (n int);");
        well(&home.migrate().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_stops_when_it_is_asked() {
    let home = newest_postgres();
    home.file("0001_slow.sql", "select pg_sleep(600);");
    let first = home.start();
    home.backend_running("select pg_sleep");
    let second = home.start();
    second.wait_for("the second waits", |event| matches!(event, Event::LockHeld { .. }));
    second.stop.ask();
    let result = second.end().await;
    says(&result, &["interrupted"]);
    first.stop.ask();
    first.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_with_nothing_pending_does_not_wait() {
    let home = newest_postgres();
    home.file("0001_done.sql", "create table done (n int);");
    well(&home.migrate().await);
    let old = home.folder.write("old/0001_done.sql", "create table done (n int);");
    home.file("0002_slow.sql", "select pg_sleep(600);");
    let first = home.start();
    home.backend_running("select pg_sleep");

    // The older release has nothing to do: it starts although the newer one migrates.
    let mut configuration = home.configuration();
    configuration.directories = vec![old.parent().unwrap().to_owned()];
    let result = Running::migrate(configuration).end().await;
    assert_eq!(well(&result).outcome, "nothing_to_do");
    assert!(!first.is_over());
    first.stop.ask();
    first.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_goes_home_when_the_other_has_done_everything() {
    let home = newest_postgres();
    let gate = home.database_handle().session().unwrap();
    gate.execute("create table gate (n int)").unwrap();
    gate.execute("begin; lock table gate").unwrap();
    home.file(
        "0001_slow.sql",
        "create table done (n int);\n-- the gate is opened by the test\nselect count(*) from gate;",
    );
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 60_000;
    let first = Running::migrate(configuration.clone());
    home.backend_running("select count(*) from gate");
    let second = Running::migrate(configuration);
    second.wait_for("the second waits", |event| matches!(event, Event::LockHeld { .. }));
    gate.execute("commit").unwrap();
    assert_eq!(well(&first.end().await).steps.len(), 1);
    assert_eq!(well(&second.end().await).steps.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_taken_over_when_its_backend_is_gone() {
    for home in postgres_homes() {
        home.file("0001_first.sql", "create table first (n int);");
        home.file("0002_slow.sql", "create table second (n int);\nselect pg_sleep(600);");
        let first = home.start();
        let backend = home.backend_running("select pg_sleep");
        let second = home.start();
        second.wait_for("the second waits", |event| matches!(event, Event::LockHeld { .. }));
        home.file("0002_slow.sql", "create table second (n int);");
        home.terminate(backend);

        let result = first.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R006", "connection was lost"]);
        let answer = result.as_ref().unwrap();
        assert_eq!((answer.steps[0].state, answer.steps[1].state), ("done", "rolled_back"));

        // The second planned with the file as it was; it either sees the change and says so, or ran the new one.
        let result = second.end().await;
        if exit(&result) != 0 {
            says(&result, &["LIM-R010"]);
            well(&home.migrate().await);
        }
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
        assert_eq!(home.value("select count(distinct lease_epoch) from limosa.schema_migrations"), "2");
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_cannot_be_taken_from_under_a_transaction() {
    let home = newest_postgres();
    let gate = home.database_handle().session().unwrap();
    gate.execute("create table gate (n int)").unwrap();
    gate.execute("begin; lock table gate").unwrap();
    home.file("0001_first.sql", "create table first (n int);\nselect count(*) from gate;");
    // What sets something waits for the answer to the commit before it.
    home.file("0002_second.sql", "set lock_timeout = '2s';\ncreate table second (n int);");
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 60_000;
    let (stolen, told) = std::sync::mpsc::channel::<()>();
    let told = std::sync::Mutex::new(told);
    let run = tokio::spawn(async move {
        // Between the two migrations the thief is let through.
        let listener = move |progress| {
            if matches!(&progress, Progress::Run(Event::StepDone { label, .. }) if label == "0001") {
                told.lock().unwrap().recv().unwrap();
            }
        };
        Migrator::new(configuration).migrate(&MigrateOptions::default(), &listener, Stop::new()).await
    });
    home.backend_running("select count(*) from gate");

    // Whoever takes the lease waits for the transaction that relies on it.
    let thief = home.database_handle().session().unwrap();
    let theft = thief.send("update limosa.lease set epoch = epoch + 1, holder = 'thief'").unwrap();
    let waits = format!("select 1 from pg_locks where pid = {} and not granted", thief.pid());
    eventually("the thief waits", || !home.rows(&waits).is_empty());
    gate.execute("commit").unwrap();
    theft.wait().unwrap();
    stolen.send(()).unwrap();

    let result = run.await.unwrap();
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R008", "the lease was lost"]);
    assert_eq!(
        result.as_ref().unwrap().steps.iter().map(|step| step.state).collect::<Vec<_>>(),
        ["done", "rolled_back"]
    );
    assert_eq!(home.ledger(), ["1|applied"]);
    assert_eq!(
        home.rows("select tablename::text from pg_tables where schemaname = 'public' order by 1"),
        ["first", "gate"]
    );
    assert_eq!(home.value("select holder from limosa.lease"), "thief", "what is another's is not given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_lost_its_lease_begins_and_records_nothing_more() {
    let home = newest_postgres();
    home.file(
        "0001_none.sql",
        "-- Transaction: none\ncreate table first (n int);\nselect pg_sleep(600);\ncreate table second (n int);\n",
    );
    let run = home.start();
    let backend = home.backend_running("select pg_sleep");
    home.execute("update limosa.lease set epoch = epoch + 1, holder = 'thief', backend = null");
    let before = home.rows("select * from limosa.journal, limosa.schema_migrations, limosa.audit_head");
    home.rows(&format!("select pg_cancel_backend({backend})::text"));
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    assert_eq!(home.tables(), ["first"]);
    assert_eq!(home.rows("select * from limosa.journal, limosa.schema_migrations, limosa.audit_head"), before);

    // The same where the statement ends well: its end is not recorded, nor the next statement begun.
    let home = newest_postgres();
    let gate = home.database_handle().session().unwrap();
    gate.execute("create table gate (n int)").unwrap();
    gate.execute("begin; lock table gate").unwrap();
    home.file(
        "0001_none.sql",
        "-- Transaction: none\n-- Lock-timeout: 60s\nselect count(*) from gate;\ncreate table second (n int);\n",
    );
    let run = home.start();
    home.backend_running("select count(*) from gate");
    home.execute("update limosa.lease set epoch = epoch + 1, holder = 'thief', backend = null");
    gate.execute("commit").unwrap();
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R008", "statement 1 was begun, and its end is not recorded"]);
    assert_eq!(home.tables(), ["gate"]);
    assert_eq!(home.value("select done || ',' || current_statement from limosa.journal"), "0,1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_do_not_wait_for_each_other() {
    let home = newest_postgres();
    home.file("0001_slow.sql", "select pg_sleep(600);");
    let first = home.start();
    home.backend_running("select pg_sleep");
    let other = home.folder.write("other/0001_mine.sql", "create table mine (n int);");
    let mut configuration = home.configuration();
    configuration.project = "other".to_owned();
    configuration.directories = vec![other.parent().unwrap().to_owned()];
    configuration.lock_wait = Duration::ZERO;
    well(&Running::migrate_with(configuration, MigrateOptions::default()).end().await);
    first.stop.ask();
    first.end().await.unwrap();
    assert_eq!(home.rows("select project, identity from limosa.schema_migrations"), ["other|1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_whose_session_is_hidden_counts_as_gone_only_for_who_has_the_lock() {
    let home = newest_postgres();
    let role = format!("{}_other", home.database());
    home.file("0001_table.sql", "create table done (n int);");
    well(&home.migrate().await);
    home.execute(&format!(
        "create role {role} login; grant all on schema limosa, public to {role}; grant all on all tables in schema limosa to {role}"
    ));
    home.file("0002_slow.sql", "-- Transaction: none\nselect pg_sleep(600);");
    let first = home.start();
    let backend = home.backend_running("select pg_sleep");

    // Another user sees that there is a session, not since when; behind a pooler there is no lock to tell.
    let mut configuration = home.configuration();
    configuration.database = limosa::Secret::new(home.database_handle().url_for(&role, "none"));
    configuration.pooled = Some(true);
    configuration.lock_wait = Duration::ZERO;
    let other = home.folder.write("other/0002_other.sql", "create table other (n int);");
    home.folder.write("other/0001_table.sql", "create table done (n int);");
    configuration.directories = vec![other.parent().unwrap().to_owned()];
    let result = Running::migrate(configuration.clone()).end().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R001", "tester@here"]);

    home.terminate(backend);
    first.end().await.unwrap();
    // A direct session takes the lock, and with it the proof that the other is gone.
    configuration.pooled = Some(false);
    configuration.lock_wait = Duration::from_secs(20);
    let result = Running::migrate(configuration).end().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R021"]);
}

/// The process lives on, and with it whatever a run has left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_nobody_waits_for_any_more_gives_its_lock_back() {
    const SLOW: &str = "create table slow as with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) as n from r;";
    let waits = || {
        RustMigration::from_fn("2", "waits", "1", |mut connection| {
            Box::pin(async move {
                connection.execute("create table slow (n int)").await?;
                std::future::pending().await
            })
        })
    };
    let home = sqlite();
    home.file("0001_a.sql", "create table a (n int);");
    home.folder.write("slow/0002_slow.sql", SLOW);
    for (is_code, steps) in [(false, 2), (true, 1)] {
        let migrator = home.with(|it| match is_code {
            true => it.code = vec![waits().unwrap()],
            false => it.directories.push(home.folder.join("slow")),
        });
        let begun = AtomicUsize::new(0);
        let listener = |progress| {
            if matches!(progress, Progress::Run(Event::StepStarted { .. })) {
                begun.fetch_add(1, Ordering::SeqCst);
            }
        };
        let last_begins = async {
            while begun.load(Ordering::SeqCst) < steps {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let options = MigrateOptions::default();
        tokio::select! {
            _ = migrator.migrate(&options, &listener, Stop::new()) => panic!("it ended"),
            () = last_begins => {}
        }
        let held = "select holder from limosa_lease where holder is not null";
        eventually("the lock is given back", || home.rows(held).is_empty());
        assert_eq!(home.ledger(), ["1|applied"]);
    }
    home.file("0002_quick.sql", "create table slow (n int);");
    well(&home.migrate().await);
}
