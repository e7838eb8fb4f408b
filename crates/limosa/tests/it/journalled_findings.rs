//! Files that are no single transaction: what is looked up after a death, what a stop leaves alone, what is recorded.

use std::sync::Mutex;

use limosa::{Event, MigrateOptions, Migrator, Progress, Repair, Stop};
use limosa_testkit::eventually;
use limosa_testkit::postgres::Session;

use crate::answers::{done, failed, id, refusal};
use crate::place::{Home, all_homes, newest_postgres, sqlite};
use crate::running::{Running, exit, postgres_homes, says, well};

fn holding(home: &Home, sql: &str) -> Session {
    let session = home.database_handle().session().unwrap();
    session.execute(&format!("begin; {sql}")).unwrap();
    session
}

fn waits_for_lock(home: &Home, backend: i32) {
    let sql = format!("select 1 from pg_stat_activity where pid = {backend} and wait_event_type = 'Lock'");
    eventually("it waits for a lock", || !home.rows(&sql).is_empty());
}

/// Starts a run and ends its backend while the statement waits for a lock.
async fn die_in(home: &Home, run: Running, statement: &str) {
    let backend = home.backend_running(statement);
    waits_for_lock(home, backend);
    home.terminate(backend);
    says(&run.end().await, &["LIM-R006"]);
}

/// Runs to a good end; gives what was found out about the interrupted statement.
async fn goes_on(configuration: limosa::Configuration) -> Vec<String> {
    let found = Mutex::new(Vec::new());
    let listener = |progress| {
        if let Progress::Run(Event::Recovered { finding, .. }) = progress {
            found.lock().unwrap().push(finding);
        }
    };
    well(&Migrator::new(configuration).migrate(&MigrateOptions::default(), &listener, Stop::new()).await);
    found.into_inner().unwrap()
}

const PARTITIONED: &str = "create schema s; create table s.t (n int) partition by range (n); \
    create table s.t_low partition of s.t for values from (0) to (10); create table s.\"T low\" (n int)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detach_is_looked_up_by_what_it_named_under_the_search_path_of_the_file() {
    for home in postgres_homes() {
        home.execute(PARTITIONED);
        home.file(
            "0001_detach.sql",
            "set search_path = s;\nalter table t detach partition t_low concurrently;\ncreate table behind (n int);\n",
        );
        // It has not come to anything yet.
        let holder = holding(&home, "lock table s.t in share update exclusive mode");
        let mut configuration = home.configuration();
        configuration.limits.lock_timeout_ms = 0;
        die_in(&home, Running::migrate(configuration), "alter table t detach").await;
        holder.execute("rollback").unwrap();
        let attached = "select inhdetachpending::text from pg_inherits where inhrelid = 's.t_low'::regclass";
        assert_eq!(home.rows(attached), ["false"]);

        // It is half done.
        let holder = holding(&home, "select count(*) from s.t");
        die_in(&home, home.start(), "alter table t detach").await;
        assert_eq!(home.rows(attached), ["true"]);
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(home.configuration()).await, ["the detach was begun; finished, it counts as done"]);
        assert!(home.rows(attached).is_empty());
        assert_eq!(home.value("select to_regclass('s.behind') is not null"), "t");
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finish_waits_no_longer_for_a_lock_than_the_file_may() {
    let home = newest_postgres();
    home.execute(PARTITIONED);
    home.file("0001_detach.sql", "-- Lock-timeout: 300ms\nalter table s.t detach partition s.t_low concurrently;\n");
    let holder = holding(&home, "select count(*) from s.t");
    let run = home.start();
    let backend = home.backend_running("alter table s.t detach");
    let pending = "select inhdetachpending::text from pg_inherits";
    eventually("the detach is pending", || home.rows(pending) == ["true"]);
    home.terminate(backend);
    says(&run.end().await, &["LIM-R006"]);
    holder.execute("rollback").unwrap();

    let holder = holding(&home, "lock table s.t_low in access share mode");
    let result = home.migrate().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R003", "55P03"]);
    holder.execute("rollback").unwrap();
    well(&home.migrate().await);
    assert_eq!(home.ledger(), ["1|applied"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_file_is_recorded_though_its_failed_end_was_deleted() {
    let bad = |home: &Home| if home.is_sqlite() { "vacuum into '/nosuch/folder/x.db';\n" } else { "vacuum nosuch;\n" };
    for home in [sqlite(), newest_postgres()] {
        home.file("0001_table.sql", &format!("create table t (n int);\n{}", bad(&home)));
        assert_eq!(exit(&home.migrate().await), 3);
        assert_eq!(home.ledger(), ["1|partial"]);
        home.file("0001_table.sql", "create table t (n int);\n");
        well(&home.migrate().await);
        assert_eq!(home.ledger(), ["1|applied"]);
        assert_eq!(home.rows(&format!("select count(*) from {}", home.table("journal"))), ["0"]);
        assert_eq!(home.migrate().await.unwrap().outcome, "nothing_to_do");
    }
}

#[tokio::test]
async fn pragmas_of_a_file_in_parts_hold_for_what_a_later_run_does() {
    let home = sqlite();
    home.file("0001_tables.sql", "create table p (id int primary key);\ncreate table c (p int references p);\n");
    well(&home.migrate().await);
    // What stands before the failed statement holds behind it.
    let begin = "pragma foreign_keys = on;\ncreate table t (n int);\n";
    home.file("0002_rows.sql", &format!("{begin}vacuum into '/nosuch/folder/x.db';\ninsert into c values (1);\n"));
    assert_eq!(exit(&home.migrate().await), 3);
    home.file("0002_rows.sql", &format!("{begin}insert into c values (1);\n"));
    says(&home.migrate().await, &["FOREIGN KEY constraint failed"]);
    assert!(home.rows("select * from c").is_empty());
    // What comes behind it is run, though the file would now be one transaction.
    home.file(
        "0002_rows.sql",
        &format!("{begin}insert into p values (1);\ninsert into c values (1);\npragma journal_mode = wal;\n"),
    );
    well(&home.migrate().await);
    assert_eq!(home.rows("pragma journal_mode"), ["wal"]);
    assert_eq!(home.rows("select p from c"), ["1"]);
    assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
}

#[tokio::test]
async fn pragmas_of_a_file_in_parts_take_effect() {
    let home = sqlite();
    home.file("0001_mode.sql", "pragma journal_mode = wal;\ncreate table t (n int);\nvacuum;\n");
    well(&home.migrate().await);
    assert_eq!(home.rows("pragma journal_mode"), ["wal"]);
    home.file(
        "0002_keys.sql",
        "create table p (id int primary key);\ncreate table c (p int references p);\nvacuum;\npragma foreign_keys = on;\ninsert into c values (1);\n",
    );
    says(&home.migrate().await, &["FOREIGN KEY constraint failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeatable_that_lost_its_connection_at_once_is_not_done() {
    for home in postgres_homes() {
        home.file("R__views.sql", "create table first (n int);\nvacuum;\n");
        well(&home.migrate().await);
        home.file("R__views.sql", "select pg_sleep(600);\nvacuum;\n");
        let run = home.start();
        home.terminate(home.backend_running("select pg_sleep"));
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R006", "nothing of", "stands"]);
        home.file("R__views.sql", "create table second (n int);\nvacuum;\n");
        well(&home.migrate().await);
        assert_eq!(home.tables(), ["first", "second"]);
    }
}

#[tokio::test]
async fn what_landed_when_the_stop_came_does_not_run_twice() {
    for home in postgres_homes() {
        home.execute("create table t (n int)");
        for (number, first, rows) in [
            (1, "copy t from stdin;\n1\n\\.\n", 1),
            (2, "insert into t values (1);\n", 3),
            (3, "insert into t values (1);\nvacuum t;\n", 5),
        ] {
            home.file(
                &format!("000{number}_rows.sql"),
                &format!("-- Transaction: none\n{first}insert into t values (2);\n"),
            );
            let stop = Stop::new();
            let asked = stop.clone();
            let listener = |progress: Progress| {
                if matches!(progress, Progress::Run(Event::StatementDone { number: 1, .. })) {
                    asked.ask();
                }
            };
            let result = home.migrator().migrate(&MigrateOptions::default(), &listener, stop).await;
            says(&result, &["LIM-R005"]);
            assert_eq!(home.value("select count(*) from t"), rows.to_string());
            let done = "select statements_done from limosa.schema_migrations order by rank desc limit 1";
            assert_eq!(home.value(done), "1");
            well(&home.migrate().await);
            assert_eq!(home.value("select count(*) from t"), (rows + 1).to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_on_a_table_named_by_a_placeholder_is_found() {
    for home in postgres_homes() {
        home.execute("create schema s; create table s.t (n int)");
        home.file("0001_index.sql", "create index concurrently t_n on ${where}.t (n);\n");
        let mut configuration = home.configuration();
        configuration.values.all.insert("where".to_owned(), "s".to_owned());
        let holder = holding(&home, "insert into s.t values (1)");
        die_in(&home, Running::migrate(configuration.clone()), "create index concurrently").await;
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(configuration).await, ["it left t_n invalid; dropped, and built again"]);
        assert_eq!(home.rows("select indisvalid::text from pg_index where indrelid = 's.t'::regclass"), ["true"]);
    }
}

#[tokio::test]
async fn an_index_on_a_table_that_is_not_there_needs_no_person() {
    let home = newest_postgres();
    home.file("0001_index.sql", "create index concurrently t_n on nosuch (n);\n");
    says(&home.migrate().await, &["42P01"]);
    home.file("0001_index.sql", "create index concurrently t_n on t (n);\n");
    home.execute("create table t (n int)");
    well(&home.migrate().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_can_be_interrupted() {
    for home in postgres_homes() {
        home.execute("create table t (n int)");
        let holder = holding(&home, "insert into t values (1)");
        home.file("0001_index.sql", "create index concurrently t_n on t (n);\n");
        die_in(&home, home.start(), "create index concurrently").await;
        let run = home.start();
        let backend = home.backend_running("drop index concurrently");
        waits_for_lock(&home, backend);
        run.stop.ask();
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R005"]);
        assert_eq!(home.ledger(), ["1|partial"]);
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(home.configuration()).await, ["it left t_n invalid; dropped, and built again"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_recovery_within_a_run_the_lock_time_out_is_the_files_again() {
    let home = newest_postgres();
    home.execute("create table t (n int); create table seen (lock_timeout text)");
    let holder = holding(&home, "insert into t values (1)");
    holder.execute("set deadlock_timeout = '1h'").unwrap();
    home.file(
        "0001_index.sql",
        "-- Transaction: none\n-- Lock-timeout: 77s\nset deadlock_timeout = '4s';\ncreate index concurrently t_n on t (n);\ninsert into seen select current_setting('lock_timeout');\n",
    );
    let run = home.start();
    let backend = home.backend_running("create index concurrently");
    waits_for_lock(&home, backend);
    let altered = holder.send("alter table t add column m int").unwrap();
    run.wait_for("the deadlock is found", |event| matches!(event, Event::Retrying { .. }));
    altered.wait().unwrap();
    holder.execute("commit").unwrap();
    eventually("the run ends", || run.is_over());
    let events = run.events();
    well(&run.end().await);
    assert!(events.iter().any(|event| matches!(event, Event::Recovered { .. })), "{events:?}");
    assert_eq!(home.rows("select lock_timeout from seen"), ["77s"]);
}

#[tokio::test]
async fn what_the_server_refused_whole_is_simply_tried_again() {
    for home in postgres_homes() {
        home.execute("create type mood as enum ('a'); create table t (n int); create index t_n on t (n)");
        for (number, statement, code, mend) in [
            (1, "create type mood as enum ('b')", "42710", "drop type mood"),
            (2, "alter type mood add value 'b'", "42710", "alter type mood rename value 'b' to 'c'"),
            (3, "create index t_n on t (n)", "42P07", "drop index t_n"),
            (4, "set nosuch_setting = 1", "42704", "select 1"),
        ] {
            let name = format!("000{number}_one.sql");
            home.file(&name, &format!("-- Transaction: none\n{statement};\n"));
            says(&home.migrate().await, &[code]);
            assert_eq!(
                home.value("select count(*) from limosa.journal where current_statement is not null"),
                "0",
                "{statement}"
            );
            home.execute(mend);
            if number == 4 {
                home.file(&name, "-- Transaction: none\nset work_mem = '5MB';\n");
            }
            well(&home.migrate().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_holds_no_secret() {
    let home = newest_postgres();
    home.execute("create schema hunter2; create table hunter2.t (n int)");
    home.file("0001_index.sql", "create index concurrently t_n on ${secret}.t (n);\n");
    let mut configuration = home.configuration();
    configuration.values.all.insert("secret".to_owned(), "hunter2".to_owned());
    configuration.values.secret = [String::from("secret")].into();
    let holder = holding(&home, "insert into hunter2.t values (1)");
    die_in(&home, Running::migrate(configuration.clone()), "create index concurrently").await;
    holder.execute("rollback").unwrap();
    assert_eq!(home.rows("select count(*) from limosa.journal where current_before like '%hunter2%'"), ["0"]);
    // Without the name nothing can be looked up.
    let result = Running::migrate(configuration).end().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-R021"]);
}

/// Names of objects may be secrets too, and the server names them in what it says of limosa's own questions and cleaning up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_nothing_that_is_said_while_recovering() {
    for home in postgres_homes() {
        let role = format!("{}_other", home.database());
        home.execute(&format!("create table t (n int); create index hunter2 on t (n); create role {role}"));
        home.file("0001_reindex.sql", "reindex table concurrently t;\n");
        let mut configuration = home.configuration();
        configuration.values.all.insert("secret".to_owned(), "hunter2".to_owned());
        configuration.values.secret = [String::from("secret")].into();
        let holder = holding(&home, "insert into t values (1)");
        die_in(&home, Running::migrate(configuration.clone()), "reindex").await;
        holder.execute("rollback").unwrap();
        assert_eq!(
            home.rows("select relname::text from pg_class where relname ~ 'hunter2' order by 1"),
            ["hunter2", "hunter2_ccnew"]
        );
        let heard = std::sync::Mutex::new(String::new());
        let listener = |progress: limosa::Progress| heard.lock().unwrap().push_str(&format!("{progress:?}"));
        let run = |configuration| {
            let (migrator, options) = (limosa::Migrator::new(configuration), limosa::MigrateOptions::default());
            let listener = &listener;
            async move { migrator.migrate(&options, listener, limosa::Stop::new()).await }
        };

        // It may keep the ledger, and is not the owner of the index.
        home.execute(&format!(
            "grant all on schema limosa, public to {role}; grant all on all tables in schema limosa to {role}; \
             grant all on all sequences in schema limosa to {role}"
        ));
        let mut other = configuration.clone();
        other.role = Some(role.clone());
        let result = run(other).await;
        assert_eq!(exit(&result), 3);
        says(&result, &["must be owner of index ***", "while cleaning up", "drop index concurrently", "***_ccnew"]);
        let all = format!("{result:?}");
        assert!(!all.contains("hunter2"), "{all}");

        // The ledger's own schema.
        let mut elsewhere = configuration.clone();
        elsewhere.ledger_schema = "hunter2".to_owned();
        elsewhere.role = Some(role);
        let result = run(elsewhere).await;
        assert_eq!(exit(&result), 3);
        let all = format!("{result:?}");
        assert!(!all.contains("hunter2"), "{all}");

        well(&run(configuration).await);
        let heard = heard.lock().unwrap();
        assert!(heard.contains("it left ***_ccnew invalid; dropped, and built again"), "{heard}");
        assert!(!heard.contains("hunter2"), "{heard}");
        let written = "select count(*) from limosa.audit_log where detail::text like '%hunter2%'";
        assert_eq!(home.value(written), "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_fails_as_it_took_effect_already_is_passed_over() {
    for home in all_homes() {
        home.file(
            "1_a.sql",
            "-- Transaction: none\ncreate table a (n int);\ncreate table b (n int);\ncreate table c (n int);\n",
        );
        home.execute("create table b (n int)");
        failed(&home.migrate().await, 3, &["already exists", "statement 2 of 3"]);
        let told = home.repair(Repair::Explain).await.unwrap().would.join("\n");
        assert!(told.contains("limosa repair --mark-done 1:2"), "{told}");
        refusal(home.repair(Repair::MarkDone(id("1"), 3)).await, 2, &["LIM-U033"]);
        refusal(home.repair(Repair::Retry(id("1"), 2)).await, 2, &["LIM-U033"]);
        home.repair(Repair::MarkDone(id("1"), 2)).await.unwrap();
        assert_eq!(
            home.rows(&format!("select statements_done, statements_total from {}", home.table("schema_migrations"))),
            ["2|3"]
        );
        done(home.migrate().await);
        assert_eq!(home.tables(), ["a", "b", "c"]);
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}
