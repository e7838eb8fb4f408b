//! Statements outside of transactions that die: the next run looks at the catalogue, and goes on, cleans up, or asks.

use limosa::{Event, Identity, Progress, Repair, RollbackOptions, Selection};
use limosa_testkit::eventually;
use limosa_testkit::postgres::Session;

use crate::place::{Home, newest_postgres};
use crate::running::{Running, exit, postgres_homes, says, well};

/// A table whose rows an open transaction has changed: whatever is CONCURRENTLY waits for it.
fn held(home: &Home) -> Session {
    home.execute("create table if not exists t (n int); insert into t select generate_series(1, 100)");
    hold(home)
}

fn hold(home: &Home) -> Session {
    let session = home.database_handle().session().unwrap();
    session.execute("begin; insert into t values (1000)").unwrap();
    session
}

/// Waits until a backend waits for a lock.
fn waits_for_lock(home: &Home, backend: i32) {
    let sql = format!("select 1 from pg_stat_activity where pid = {backend} and wait_event_type = 'Lock'");
    eventually("it waits for a lock", || !home.rows(&sql).is_empty());
}

/// Starts a run, ends its backend while the statement waits for a lock, and gives the end of the run.
async fn die_in(home: &Home, statement: &str) -> u8 {
    let run = home.start();
    let backend = home.backend_running(statement);
    waits_for_lock(home, backend);
    home.terminate(backend);
    let result = run.end().await;
    says(&result, &["LIM-R006"]);
    exit(&result)
}

fn findings(home: &Home) -> Vec<String> {
    let events = home.events.lock().unwrap();
    let found = events.iter().filter_map(|progress| match progress {
        Progress::Run(Event::Recovered { label, statement, finding }) => Some(format!("{label}:{statement} {finding}")),
        _ => None,
    });
    found.collect()
}

/// The last finding, after a run that ended well and left no journal.
async fn goes_on(home: &Home) -> String {
    well(&home.migrate().await);
    assert_eq!(home.value("select count(*) from limosa.journal"), "0");
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    findings(home).pop().expect("something was found")
}

/// Indexes that are not valid, with their schemas.
const INVALID: &str = "select n.nspname || '.' || c.relname from pg_index i join pg_class c on c.oid = i.indexrelid \
                       join pg_namespace n on n.oid = c.relnamespace where not indisvalid order by 1";

const INDEX: &str = "select indisvalid::text, indexrelid::text from pg_index where indexrelid = to_regclass('t_n')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_whose_backend_was_ended_is_dropped_and_built_again() {
    for home in postgres_homes() {
        let holder = held(&home);
        home.file(
            "0001_index.sql",
            "create table before (n int);\ncreate index concurrently t_n on t (n);\ncreate table behind (n int);\n",
        );
        assert_eq!(die_in(&home, "create index concurrently").await, 3);
        assert_eq!(home.ledger(), ["1|partial"]);
        let left = home.value(INDEX);
        assert!(left.starts_with("false"), "{left}");
        holder.execute("rollback").unwrap();

        assert_eq!(goes_on(&home).await, "0001:2 it left t_n invalid; dropped, and built again");
        let built = home.value(INDEX);
        assert!(built.starts_with("true") && built[4..] != left[5..], "{left} {built}");
        assert_eq!(home.tables(), ["before", "behind", "t"]);
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_went_on_without_its_client_counts_as_done() {
    for home in postgres_homes() {
        let holder = held(&home);
        home.file("0001_index.sql", "create index concurrently t_n on t (n);\ncreate table behind (n int);\n");
        let run = home.start();
        let backend = home.backend_running("create index concurrently");
        waits_for_lock(&home, backend);
        run.kill().await;
        // The server works on; the next run waits for it, then sees a valid index.
        let next = home.start();
        next.wait_for("the next run waits", |event| matches!(event, Event::LockHeld { .. }));
        holder.execute("rollback").unwrap();
        let finding = |event: &Event| matches!(event, Event::Recovered { finding, .. } if finding == "index t_n is there and valid: it counts as done");
        let events = {
            eventually("the next run ends", || next.is_over());
            next.events()
        };
        well(&next.end().await);
        assert!(events.iter().any(finding), "{events:?}");
        assert_eq!(home.value(INDEX).split('|').next(), Some("true"));
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_misses_its_client_gives_up_and_the_next_run_builds_again() {
    let home = newest_postgres();
    let holder = held(&home);
    home.file("0001_index.sql", "create index concurrently t_n on t (n);\n");
    let run = home.start();
    let backend = home.backend_running("create index concurrently");
    waits_for_lock(&home, backend);
    run.kill().await;
    let gone = format!("select 1 from pg_stat_activity where pid = {backend}");
    eventually("the server notices", || home.rows(&gone).is_empty());
    holder.execute("rollback").unwrap();
    assert_eq!(goes_on(&home).await, "0001:1 it left t_n invalid; dropped, and built again");
    assert_eq!(home.value(INDEX).split('|').next(), Some("true"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_index_that_finds_duplicates_is_built_once_per_run() {
    for home in postgres_homes() {
        home.file("0001_table.sql", "create table t (n int); insert into t values (1), (1), (2);");
        home.file("0002_index.sql", "create unique index concurrently t_n on t (n);\ninsert into t values (3);");
        for run in 0..2 {
            let result = home.migrate().await;
            assert_eq!(exit(&result), 3);
            says(&result, &["23505", "0002_index.sql:1:1", "Key (n)=(1) is duplicated", "statement 1 was begun"]);
            assert_eq!(home.value(INDEX).split('|').next(), Some("false"));
            assert_eq!(findings(&home).len(), run);
        }
        home.execute("delete from t where ctid = '(0,1)'");
        assert_eq!(goes_on(&home).await, "0002:1 it left t_n invalid; dropped, and built again");
        assert_eq!(home.value(INDEX).split('|').next(), Some("true"));
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_invalid_before_we_began_is_not_dropped() {
    for home in postgres_homes() {
        home.file("0001_table.sql", "create table t (n int); insert into t values (1), (1);");
        well(&home.migrate().await);
        assert!(home.database_handle().execute("create unique index concurrently t_n on t (n)").is_err());
        let before = home.value(INDEX);
        assert!(before.starts_with("false"));
        home.execute("truncate t");
        home.file("0002_index.sql", "create unique index concurrently t_n on t (n);");
        for _ in 0..2 {
            let result = home.migrate().await;
            assert_eq!(exit(&result), 3);
            says(&result, &["42P07", "already exists"]);
            assert_eq!(home.value(INDEX), before);
        }
        home.execute("drop index t_n");
        assert_eq!(goes_on(&home).await, "0002:1 no new index stands in the catalogue: it runs again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_without_a_name_is_found_too() {
    let home = newest_postgres();
    let holder = held(&home);
    home.file("0001_index.sql", "create index concurrently on t (n);\n");
    die_in(&home, "create index concurrently").await;
    holder.execute("rollback").unwrap();
    assert!(goes_on(&home).await.contains("left t_n_idx invalid"));
    assert_eq!(home.rows("select indisvalid::text from pg_index where indrelid = 't'::regclass"), ["true"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_of_a_concurrent_index_is_tried_again_without_its_leftover() {
    let home = newest_postgres();
    let holder = held(&home);
    holder.execute("set deadlock_timeout = '1h'").unwrap();
    home.file(
        "0001_index.sql",
        "-- Transaction: none\nset deadlock_timeout = '4s';\ncreate index concurrently t_n on t (n);\n",
    );
    let run = home.start();
    let backend = home.backend_running("create index concurrently");
    waits_for_lock(&home, backend);
    // It waits for the holder, and now the holder for it: only its own deadlock check will find that.
    let altered = holder.send("alter table t add column m int").unwrap();
    run.wait_for("the deadlock is found", |event| matches!(event, Event::Retrying { .. }));
    altered.wait().unwrap();
    holder.execute("commit").unwrap();
    let events = {
        eventually("the run ends", || run.is_over());
        run.events()
    };
    well(&run.end().await);
    assert!(events.iter().any(|event| matches!(event, Event::Recovered { .. })), "{events:?}");
    assert_eq!(home.value(INDEX).split('|').next(), Some("true"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_that_died_is_finished() {
    for home in postgres_homes() {
        home.execute("create table t (n int); create index t_n on t (n)");
        let holder = hold(&home);
        home.file("0001_drop.sql", "drop index concurrently t_n;\n");
        die_in(&home, "drop index concurrently").await;
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(&home).await, "0001:1 index t_n is still there: it runs again");
        assert!(home.rows(INDEX).is_empty());
    }
    let home = newest_postgres();
    home.execute("create table t (n int); create index t_n on t (n)");
    let holder = hold(&home);
    home.file("0001_drop.sql", "drop index concurrently t_n;\n");
    die_in(&home, "drop index concurrently").await;
    holder.execute("rollback").unwrap();
    home.execute("drop index t_n");
    assert_eq!(goes_on(&home).await, "0001:1 the index is gone: it counts as done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reindex_left_behind_is_dropped() {
    for home in postgres_homes() {
        home.execute("create table t (n int); create index t_n on t (n)");
        let database = home.database();
        for (number, what) in [
            (1, "index concurrently t_n".to_owned()),
            (2, "table concurrently t".to_owned()),
            (3, "schema concurrently public".to_owned()),
            (4, format!("database concurrently {database}")),
        ] {
            let holder = hold(&home);
            home.file(&format!("000{number}_reindex.sql"), &format!("reindex {what};\n"));
            die_in(&home, "reindex").await;
            let left = "select c.relname::text from pg_index i join pg_class c on c.oid = indexrelid where indrelid = 't'::regclass and not indisvalid";
            assert_eq!(home.rows(left), ["t_n_ccnew"], "{what}");
            holder.execute("rollback").unwrap();
            assert_eq!(
                goes_on(&home).await,
                format!("000{number}:1 it left t_n_ccnew invalid; dropped, and built again")
            );
            assert_eq!(home.rows("select c.relname::text from pg_index i join pg_class c on c.oid = indexrelid where indrelid = 't'::regclass"), ["t_n"]);
        }
    }
}

/// The index that was replaced keeps its number and takes the name `_ccold`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_a_reindex_had_replaced_already_is_dropped() {
    for home in postgres_homes() {
        home.execute("create table t (n int); create index t_n on t (n)");
        // One who has only read stands in the way of the old index alone.
        let reader = home.database_handle().session().unwrap();
        reader.execute("begin; select count(*) from t").unwrap();
        home.file("0001_reindex.sql", "reindex index concurrently t_n;\n");
        die_in(&home, "reindex").await;
        assert_eq!(home.rows(INVALID), ["public.t_n_ccold"]);
        reader.execute("rollback").unwrap();
        assert_eq!(goes_on(&home).await, "0001:1 it left t_n_ccold invalid; dropped, and built again");
        assert_eq!(
            home.rows("select indexrelid::regclass::text from pg_index where indrelid = 't'::regclass"),
            ["t_n"]
        );
    }
}

/// The indexes of a partitioned table are its partitions', each rebuilt in a transaction of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reindex_left_behind_on_partitions_is_dropped() {
    for home in postgres_homes() {
        home.execute(
            "create schema parts; \
             create table t (n int) partition by range (n); \
             create table t_low partition of t for values from (0) to (10); \
             create table parts.t_high partition of t for values from (10) to (9999) partition by range (n); \
             create table parts.t_higher partition of parts.t_high for values from (100) to (9999); \
             create index t_n on t (n); insert into t values (1), (200)",
        );
        let all = "select indexrelid::regclass::text, indisvalid::text from pg_index i join pg_class c on c.oid = indrelid \
                   where c.relname like 't%' order by 1";
        let before = home.rows(all);
        for (number, what, holds, left) in [
            (1, "index concurrently t_n", "insert into t values (200)", "t_higher_n_idx_ccnew"),
            // It would wait for a writer before it begins.
            (2, "table concurrently t", "select from parts.t_higher", "t_higher_n_idx_ccold"),
        ] {
            let holder = home.database_handle().session().unwrap();
            holder.execute(&format!("begin; {holds}")).unwrap();
            home.file(&format!("000{number}_reindex.sql"), &format!("reindex {what};\n"));
            die_in(&home, "reindex").await;
            assert_eq!(home.rows(INVALID), [format!("parts.{left}")], "{what}");
            holder.execute("rollback").unwrap();
            assert_eq!(goes_on(&home).await, format!("000{number}:1 it left {left} invalid; dropped, and built again"));
            assert_eq!(home.rows(all), before, "{what}");
        }
    }
}

/// REINDEX TABLE rebuilds the index of the table's TOAST table too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reindex_left_behind_on_long_values_is_dropped() {
    for home in postgres_homes() {
        home.execute("create table t (n int, long text); create index t_n on t (n)");
        let holder = hold(&home);
        home.file("0001_reindex.sql", "reindex table concurrently t;\n");
        die_in(&home, "reindex").await;
        let left = home.rows(INVALID);
        assert!(left.len() == 2 && left[0].starts_with("pg_toast.pg_toast_"), "{left:?}");
        holder.execute("rollback").unwrap();
        let found = goes_on(&home).await;
        assert!(found.contains("t_n_ccnew") && found.contains("_index_ccnew"), "{found}");
        assert_eq!(home.rows(INVALID), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_superuser_may_drop_is_named_and_left() {
    for home in postgres_homes() {
        let role = format!("{}_owner", home.database());
        home.execute(&format!(
            "create role {role}; grant create on database {} to {role}; create table t (n int, long text); \
             create index t_n on t (n); alter table t owner to {role}; grant all on schema public to {role}",
            home.database()
        ));
        let mut configuration = home.configuration();
        configuration.role = Some(role);
        let holder = hold(&home);
        home.file("0001_reindex.sql", "reindex table concurrently t;\n");
        let run = Running::migrate(configuration.clone());
        let backend = home.backend_running("reindex");
        waits_for_lock(&home, backend);
        home.terminate(backend);
        says(&run.end().await, &["LIM-R006"]);
        holder.execute("rollback").unwrap();
        let listener = |progress| home.events.lock().unwrap().push(progress);
        let again = limosa::Migrator::new(configuration);
        well(&again.migrate(&limosa::MigrateOptions::default(), &listener, limosa::Stop::new()).await);
        let found = findings(&home).pop().unwrap();
        assert!(found.starts_with("0001:1 it left t_n_ccnew invalid; dropped, and built again; pg_toast_"), "{found}");
        assert!(found.ends_with("_index_ccnew stays invalid, only a superuser may drop it"), "{found}");
        let left = home.rows(INVALID);
        assert!(left.len() == 1 && left[0].starts_with("pg_toast.pg_toast_"), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vacuum_that_died_runs_again() {
    let home = newest_postgres();
    home.execute("create table t (n int)");
    let holder = home.database_handle().session().unwrap();
    holder.execute("begin; lock table t in share update exclusive mode").unwrap();
    home.file("0001_vacuum.sql", "-- Lock-timeout: 60s\nvacuum (analyze) t;\n");
    die_in(&home, "vacuum").await;
    holder.execute("rollback").unwrap();
    assert_eq!(goes_on(&home).await, "0001:1 VACUUM may be run twice without harm: it runs again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_being_created_is_looked_up() {
    let home = newest_postgres();
    let (template, made) = (format!("{}_template", home.database()), format!("{}_made", home.database()));
    home.execute(&format!("create database {template} template template0"));
    let user = limosa_testkit::postgres::shared(&limosa_testkit::postgres::newest().unwrap())
        .unwrap()
        .database(&template)
        .session()
        .unwrap();
    home.file("0001_database.sql", &format!("create database {made} template {template};\n"));
    let run = home.start();
    // The server waits some seconds for the last users of the template to leave.
    let backend = home.backend_running("create database");
    home.terminate(backend);
    says(&run.end().await, &["LIM-R006"]);
    drop(user);
    let users = format!("select 1 from pg_stat_activity where datname = '{template}'");
    eventually("the template is free", || home.rows(&users).is_empty());
    assert_eq!(goes_on(&home).await, format!("0001:1 {made} is not there: it runs again"));
    assert_eq!(home.value(&format!("select count(*) from pg_database where datname = '{made}'")), "1");

    // A clear refusal leaves no doubt.
    home.file("0002_database.sql", &format!("create database {made};\n"));
    says(&home.migrate().await, &["42P04"]);
    home.execute(&format!("drop database {made}"));
    well(&home.migrate().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detach_that_died_is_finalized() {
    for home in postgres_homes() {
        home.execute("create table t (n int) partition by range (n); create table t_low partition of t for values from (0) to (10)");
        let holder = home.database_handle().session().unwrap();
        // The next run finds them whatever it takes the names for.
        home.execute(
            "create schema elsewhere; alter table t set schema elsewhere; alter table t_low set schema elsewhere",
        );
        holder.execute("begin; select count(*) from elsewhere.t").unwrap();
        home.file("0001_detach.sql", "-- Transaction: none\nset search_path = elsewhere;\nalter table t detach partition t_low concurrently;\ncreate table behind (n int);");
        die_in(&home, "alter table t detach").await;
        assert_eq!(
            home.value("select inhdetachpending::text from pg_inherits where inhrelid = 'elsewhere.t_low'::regclass"),
            "true"
        );
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(&home).await, "0001:2 the detach was begun; finished, it counts as done");
        assert!(home.rows("select 1 from pg_inherits").is_empty());
        assert_eq!(home.tables(), ["behind", "t", "t_low"]);
    }
}

/// A statement whose effect nothing proves, ended in the middle.
async fn in_doubt(home: &Home) {
    home.execute("create table t (n int)");
    home.file("0001_rows.sql", "-- Transaction: none\ninsert into t values (1);\ninsert into t select 2 from pg_sleep(600);\ninsert into t values (3);\n");
    let run = home.start();
    let backend = home.backend_running("insert into t select 2");
    home.terminate(backend);
    let result = run.end().await;
    says(&result, &["LIM-R006", "statements 1 to 1 are committed and recorded"]);
    // From the statement in doubt on the file may be changed.
    home.file(
        "0001_rows.sql",
        "-- Transaction: none\ninsert into t values (1);\ninsert into t values (2);\ninsert into t values (3);\n",
    );
    let result = home.migrate().await;
    assert_eq!(exit(&result), 4);
    says(
        &result,
        &["LIM-R021", "statement 2 of 0001 (INSERT t)", "limosa repair --mark-done 1:2", "limosa repair --retry 1:2"],
    );
    assert_eq!(home.rows("select n from t"), ["1"]);
    assert_eq!(home.ledger(), ["1|partial"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_nothing_proves_is_asked_about() {
    for home in postgres_homes() {
        in_doubt(&home).await;
        let quiet = |_: Progress| {};
        let identity = Identity::new("1");
        let wrong = home
            .migrator()
            .repair(&Repair::Retry(identity.clone(), 1), false, &quiet, limosa::Stop::new())
            .await
            .unwrap_err();
        assert!(wrong.diagnostics[0].message.contains("statement 2 is"), "{:?}", wrong.diagnostics);
        home.migrator().repair(&Repair::Retry(identity, 2), false, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(goes_on(&home).await, "0001:2 you asked for it with 'limosa repair --retry': it runs again");
        assert_eq!(home.rows("select n from t order by n"), ["1", "2", "3"]);
    }
    let home = newest_postgres();
    in_doubt(&home).await;
    home.execute("insert into t values (2)");
    home.migrator()
        .repair(&Repair::MarkDone(Identity::new("1"), 2), false, &|_: Progress| {}, limosa::Stop::new())
        .await
        .unwrap();
    // What is marked done is marked by the text that ran.
    let result = home.migrate().await;
    assert_eq!(exit(&result), 4);
    says(&result, &["LIM-P006"]);
    home.file("0001_rows.sql", "-- Transaction: none\ninsert into t values (1);\ninsert into t select 2 from pg_sleep(600);\ninsert into t values (3);\n");
    well(&home.migrate().await);
    assert_eq!(home.rows("select n from t order by n"), ["1", "2", "3"]);
    assert_eq!(home.ledger(), ["1|applied"]);
    assert_eq!(home.value("select count(*) from limosa.journal"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_statement_marked_done_ends_the_file() {
    let home = newest_postgres();
    home.execute("create table t (n int)");
    home.file("0001_rows.sql", "-- Transaction: none\ninsert into t select 2 from pg_sleep(600);\n");
    let run = home.start();
    home.terminate(home.backend_running("insert into t select 2"));
    run.end().await.unwrap();
    assert_eq!(exit(&home.migrate().await), 4);
    home.migrator()
        .repair(&Repair::MarkDone(Identity::new("1"), 1), false, &|_: Progress| {}, limosa::Stop::new())
        .await
        .unwrap();
    well(&home.migrate().await);
    assert_eq!(home.ledger(), ["1|applied"]);
}

#[tokio::test]
async fn a_failed_file_may_be_edited_from_the_failed_statement_on() {
    for home in postgres_homes() {
        home.execute("create table t (n int)");
        home.file(
            "0001_rows.sql",
            "-- Transaction: none\ninsert into t values (1);\ninsert into t values (2);\ninsert into t values (1/0);\n",
        );
        assert_eq!(exit(&home.migrate().await), 3);

        home.file(
            "0001_rows.sql",
            "-- Transaction: none\ninsert into t values (1);\ninsert into t values (22);\ninsert into t values (3);\n",
        );
        let result = home.migrate().await;
        assert_eq!(exit(&result), 4);
        says(&result, &["LIM-P006", "0001_rows.sql", "put those statements back"]);
        assert_eq!(home.rows("select n from t order by n"), ["1", "2"]);

        // Comments and blanks are no change, nor is a new name of the file's description.
        home.file("0001_rows.sql", "-- Transaction: none\n-- mended\ninsert into t values (1);\n\ninsert into t values (2);\ninsert into t values (3);\ninsert into t values (4);\n");
        well(&home.migrate().await);
        assert_eq!(home.rows("select n from t order by n"), ["1", "2", "3", "4"]);
        assert_eq!(
            home.value("select statements_done || '/' || statements_total from limosa.schema_migrations"),
            "4/4"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_outside_of_transactions_recovers_likewise() {
    for home in postgres_homes() {
        home.execute("create table t (n int)");
        home.file(
            "0001_index.sql",
            "create index concurrently t_n on t (n);\ncreate table behind (n int);\n-- limosa:rollback\ndrop table behind;\ndrop index concurrently t_n;\ndrop index concurrently if exists nosuch;\n",
        );
        well(&home.migrate().await);
        let holder = hold(&home);
        let options = RollbackOptions {
            selection: Selection::Steps(1),
            use_file: false,
            consent: Some(home.database()),
            backup: false,
        };
        let run = Running::rollback(home.configuration(), options.clone());
        let backend = home.backend_running("drop index concurrently");
        waits_for_lock(&home, backend);
        home.terminate(backend);
        let result = run.end().await;
        says(&result, &["LIM-R006", "statements 1 to 1 are committed"]);
        assert_eq!(home.ledger(), ["1|reverting"]);
        let result = home.migrate().await;
        assert_eq!(exit(&result), 4);
        says(&result, &["LIM-P004", "limosa rollback 1"]);
        holder.execute("rollback").unwrap();

        well(&home.rollback(Selection::One(Identity::new("1"))).await);
        assert_eq!(home.ledger(), Vec::<String>::new());
        assert_eq!(home.value("select count(*) from limosa.journal"), "0");
        assert!(home.rows(INDEX).is_empty());
        assert_eq!(home.tables(), ["t"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        well(&home.migrate().await);
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_of_ours_holds_a_snapshot_while_an_index_is_built() {
    for home in postgres_homes() {
        let holder = held(&home);
        home.file("0001_index.sql", "create index concurrently t_n on t (n);\n");
        let run = home.start();
        let backend = home.backend_running("create index concurrently");
        run.wait_for(
            "it tells whom it waits for",
            |event| matches!(event, Event::Waiting { blockers, .. } if blockers[0].pid == i64::from(holder.pid())),
        );
        let ours =
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'limosa'";
        assert!(home.value(ours).parse::<i32>().unwrap() >= 2, "a second connection watches");
        let snapshots = format!(
            "{ours} and pid <> {backend} and (backend_xmin is not null or backend_xid is not null or xact_start is not null)"
        );
        eventually("none holds a snapshot", || home.value(&snapshots) == "0");
        assert_eq!(home.value(&format!("select count(*) from pg_locks where pid = {backend} and locktype = 'relation' and relation = to_regclass('limosa.lease')")), "0");
        holder.execute("rollback").unwrap();
        well(&run.end().await);
        assert_eq!(home.value("select current_setting('lock_timeout')"), "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_still_runs_is_not_begun_again() {
    let home = newest_postgres();
    let holder = held(&home);
    // A file that gives our lock away, and a hand that frees the lease: only the journal knows.
    home.file(
        "0001_index.sql",
        "-- Transaction: none\nselect pg_advisory_unlock_all();\ncreate index concurrently t_n on t (n);\n",
    );
    let run = home.start();
    let backend = home.backend_running("create index concurrently");
    waits_for_lock(&home, backend);
    run.kill().await;
    let mut configuration = home.configuration();
    configuration.lock_wait = std::time::Duration::from_millis(500);
    let result = Running::migrate(configuration.clone()).end().await;
    assert_eq!(exit(&result), 4, "the holder of the lease is still there");
    says(&result, &["LIM-R001"]);
    home.execute("update limosa.lease set holder = null, backend = null");
    let result = Running::migrate(configuration).end().await;
    assert_eq!(exit(&result), 4);
    says(
        &result,
        &["LIM-R020", "statement 2 of 0001 still runs on the server", &format!("pg_cancel_backend({backend})")],
    );
    holder.execute("rollback").unwrap();
    well(&home.migrate().await);
    assert_eq!(home.rows("select indisvalid::text from pg_index where indrelid = 't'::regclass"), ["true"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_while_an_index_is_built_leaves_it_to_the_next_run() {
    for home in postgres_homes() {
        let holder = held(&home);
        home.file("0001_index.sql", "create index concurrently t_n on t (n);\n");
        let run = home.start();
        let backend = home.backend_running("create index concurrently");
        waits_for_lock(&home, backend);
        run.stop.ask();
        let result = run.end().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R005", "statement 1 was begun"]);
        holder.execute("rollback").unwrap();
        assert_eq!(goes_on(&home).await, "0001:1 it left t_n invalid; dropped, and built again");
    }
}
