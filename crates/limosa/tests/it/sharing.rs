//! Small migrations of a new PostgreSQL database share transactions: quicker, and nobody can tell the difference.

use std::time::Duration;

use limosa::{Event, MigrateOptions};
use limosa_testkit::proxy::{Cut, Side};
use limosa_testkit::{Proxy, eventually};

use crate::place::{Home, newest_postgres};
use crate::running::{Running, audited, exit, postgres_homes, says, told, well};

/// The changes of each transaction that wrote the ledger, in order.
fn transactions(home: &Home) -> Vec<String> {
    home.rows(
        "select string_agg(identity, ' ' order by rank) from limosa.schema_migrations group by step_mark order by min(rank)",
    )
}

/// A table with numbers of its own, some rows, and what else a new database gets.
fn shop(home: &Home) {
    home.file("0001_item.sql", "create table item (id bigint generated always as identity primary key, name text);");
    home.file("0001_item.rollback.sql", "drop table item;");
    home.file("0002_note.sql", "alter table item add column note text;\ncomment on table item is 'things';");
    home.file("0003_fill.sql", "insert into item (name) values ('nut'), ('bolt');");
    home.file("0004_index.sql", "create index item_by_name on item (name);");
    home.file("0005_view.sql", "create view names as select name from item;");
    home.file("0006_fill.sql", "insert into item (name, note) values ('washer', 'a \"b\" \\c, {d}');");
}

#[tokio::test]
async fn small_migrations_of_a_new_database_are_one_transaction() {
    for home in postgres_homes() {
        shop(&home);
        let result = home.migrate().await;
        let answer = well(&result);
        assert_eq!(answer.steps.len(), 6);
        assert!(answer.steps.iter().all(|step| step.state == "done" && step.attempts == 1));
        assert_eq!(transactions(&home), ["1 2 3 4 5 6"]);
        assert_eq!(home.rows("select id || name from item order by id"), ["1nut", "2bolt", "3washer"]);
        let written = "select name, state, statements_done, statements_total, rank, applied_by, depends_on, \
                       checksum like 'sha256:%', rollback_sql from limosa.schema_migrations order by rank";
        assert_eq!(
            home.rows(written)[..2],
            ["item|applied|1|1|1|tester@here|[]|t|drop table item;", "note|applied|2|2|2|tester@here|[]|t|-"]
        );
        let logged =
            "select sequence, operation, identity, outcome, detail::json ->> 'name' from limosa.audit_log order by 1";
        assert_eq!(home.rows(logged)[1..3], ["2|apply|2|done|note", "3|apply|3|done|fill"]);
        audited(&home).await;
        assert_eq!(answer.audit_head.as_ref().map(|head| head.sequence), Some(6));
        // Another run finds it as any other.
        home.file("0007_more.sql", "create table more (n int);");
        home.file("0008_more.sql", "create table yet_more (n int);");
        assert_eq!(well(&home.migrate().await).steps.len(), 2);
        assert_eq!(transactions(&home), ["1 2 3 4 5 6", "7", "8"]);
        audited(&home).await;
    }
}

#[tokio::test]
async fn where_one_fails_the_others_stand_as_if_each_were_alone() {
    for home in postgres_homes() {
        shop(&home);
        home.file("0004_index.sql", "create index item_by_name on item (nam);");
        let (result, events) = home.start().end_with_events().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R002", "0004_index.sql:1", "nam"]);
        let answer = result.expect("a report");
        let states: Vec<_> = answer.steps.iter().map(|step| step.state).collect();
        assert_eq!(states, ["done", "done", "done", "rolled_back"]);
        assert_eq!(transactions(&home), ["1", "2", "3"]);
        // The numbers that the first attempt took are gone with the table that it made.
        assert_eq!(home.rows("select id || name from item order by id"), ["1nut", "2bolt"]);
        let told = told(&events);
        let statements = |event: &&Event| matches!(event, Event::StatementDone { .. });
        assert_eq!(events.iter().filter(statements).count(), 4, "no statement is told twice");
        assert_eq!(
            told,
            ["1 begins", "1 done", "2 begins", "2 done", "3 begins", "3 done", "4 begins", "4 failed"],
            "as if each were alone"
        );
        audited(&home).await;

        home.file("0004_index.sql", "create index item_by_name on item (name);");
        well(&home.migrate().await);
        assert_eq!(home.rows("select id || name from item order by id"), ["1nut", "2bolt", "3washer"]);
        audited(&home).await;
    }
}

/// Numbers that a failed attempt has taken from something older would be gone.
#[tokio::test]
async fn a_row_in_an_older_table_keeps_its_number_whatever_fails() {
    let table = "id bigint generated always as identity, n int check (n > 0)";
    for (files, row) in [
        // The next file fails.
        (
            vec!["create table t", "set role none;", "create table o (n int);", "insert into t(n) values (1);", "bad"],
            "1",
        ),
        // It fails itself, and runs again when it is mended.
        (vec!["create table t", "set role none;", "create table o (n int);", "insert into t(n) values (-1);"], "2"),
        // The older table is of another case, or got its name later, or gives its numbers to a new one.
        (
            vec![
                "create table \"T\"",
                "set role none;",
                "create table t (n int);",
                "insert into \"T\"(n) values (1);",
                "bad",
            ],
            "1",
        ),
        (
            vec![
                "create table old",
                "set role none;",
                "create table t (n int);",
                "drop table t;",
                "alter table old rename to t;",
                "insert into t(n) values (1);",
                "bad",
            ],
            "1",
        ),
    ] {
        let home = newest_postgres();
        for (number, text) in files.iter().enumerate() {
            let text = match *text {
                "bad" => "create table bad (x nosuchtype);".to_owned(),
                text if text.starts_with("create table") && !text.ends_with(';') => format!("{text} ({table});"),
                text => text.to_owned(),
            };
            home.file(&format!("{:04}_file.sql", number + 1), &text);
        }
        says(&home.migrate().await, &["LIM-R002"]);
        if files.last() == Some(&"insert into t(n) values (-1);") {
            home.file("0004_file.sql", "insert into t(n) values (1);");
            well(&home.migrate().await);
        }
        let from = if files[0].contains('"') { "\"T\"" } else { "t" };
        assert_eq!(home.rows(&format!("select id from {from}")), [row], "{files:?}");
    }
}

#[tokio::test]
async fn functions_that_set_something_are_not_met_by_others() {
    for single in [false, true] {
        let home = newest_postgres();
        home.file(
        "0001_f.sql",
        "create schema s; create function f() returns int language plpgsql as $$begin set local search_path = s; return 1; end$$;",
    );
        home.file("0002_t.sql", "create table t(n int default f(), m int);");
        home.file("0003_row.sql", "insert into t(m) values (1);");
        home.file("0004_u.sql", "create table u(k int);");
        let mut configuration = home.configuration();
        configuration.single_transaction = single;
        well(&Running::migrate(configuration).end().await);
        let expected: &[&str] = if single { &["1 2 3 4"] } else { &["1", "2", "3", "4"] };
        assert_eq!(transactions(&home), expected);
        assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 'u'"), ["public"]);
    }
}

#[tokio::test]
async fn rows_of_one_table_do_not_share_a_time() {
    for home in postgres_homes() {
        home.file("0001_seen.sql", "create table seen (n int, at timestamptz default now());");
        home.file("0002_row.sql", "insert into seen values (1);");
        home.file("0003_row.sql", "insert into seen values (2);");
        home.file("0004_other.sql", "create table other (n int);");
        well(&home.migrate().await);
        assert_eq!(transactions(&home), ["1 2", "3", "4"]);
        assert_eq!(home.rows("select count(distinct at) from seen"), ["2"]);
    }
}

#[tokio::test]
async fn what_could_tell_stands_alone() {
    for home in postgres_homes() {
        shop(&home);
        home.file("0007_put_off.sql", "create table late (n int primary key deferrable initially deferred);");
        well(&home.migrate().await);
        assert_eq!(transactions(&home), ["1 2", "3", "4 5", "6", "7"]);
    }
    for (text, expected) in [
        ("set search_path = public;", ["1 2", "3", "4"]),
        ("create temp table t (n int) on commit drop;", ["1 2", "3", "4"]),
        ("do $$ begin end $$;", ["1 2", "3", "4"]),
        ("create table copied as select * from a;", ["1 2", "3", "4"]),
        ("update a set n = 2;", ["1 2", "3", "4"]),
        ("-- Lock-timeout: 9s\ncreate table c (n int);", ["1 2", "3", "4"]),
    ] {
        let home = newest_postgres();
        home.file("0001_a.sql", "create table a (n int);");
        home.file("0002_b.sql", "create table b (n int);");
        home.file("0003_alone.sql", text);
        home.file("0004_d.sql", "create table d (n int);");
        well(&home.migrate().await);
        assert_eq!(transactions(&home), expected, "{text}");
        audited(&home).await;
    }
}

#[tokio::test]
async fn behind_any_number_of_rows_each_is_alone() {
    let many = format!("insert into a values (1){};", ", (2)".repeat(20_000));
    for (between, expected) in [
        ("set role none;", vec!["1 2", "3", "4 5"]),
        ("insert into a select generate_series(1, 9);", vec!["1 2", "3", "4", "5"]),
        (&many, vec!["1 2", "3", "4", "5"]),
    ] {
        let home = newest_postgres();
        home.file("0001_a.sql", "create table a (n int);");
        home.file("0002_b.sql", "create table b (n int);");
        home.file("0003_between.sql", between);
        home.file("0004_d.sql", "create index on a (n);");
        home.file("0005_e.sql", "create table e (n int);");
        let result = home.migrate().await;
        well(&result);
        assert_eq!(transactions(&home), expected, "{between:.60}");
    }
}

#[tokio::test]
async fn where_somebody_may_be_at_work_none_is_shared() {
    let each = ["1", "2", "3", "4", "5", "6"];
    let home = newest_postgres();
    shop(&home);
    home.holds("create table theirs (n int)");
    well(&home.migrate().await);
    assert_eq!(transactions(&home), each);

    // What is there may take part in what the migrations make.
    for sql in ["create sequence theirs", "create domain theirs as int", "create view theirs as select 1 as n"] {
        let home = newest_postgres();
        shop(&home);
        home.execute(sql);
        well(&home.migrate().await);
        assert_eq!(transactions(&home), each, "{sql}");
    }

    let home = newest_postgres();
    shop(&home);
    let mut configuration = home.configuration();
    configuration.share_transactions = false;
    well(&Running::migrate(configuration).end().await);
    assert_eq!(transactions(&home), each);
}

#[tokio::test]
async fn notices_stand_at_the_migration_that_brought_them() {
    for home in postgres_homes() {
        home.file("0001_a.sql", "create table a (n int);");
        home.file("0002_b.sql", "create index if not exists i on a (n);\ncreate index if not exists i on a (n);");
        home.file("0003_c.sql", "create table c (n int);");
        let result = home.migrate().await;
        let counts: Vec<usize> = well(&result).steps.iter().map(|step| step.notices.len()).collect();
        assert_eq!(counts, [0, 1, 0]);
        assert_eq!(transactions(&home), ["1 2 3"]);
    }
}

#[tokio::test]
async fn a_failed_run_is_taken_back_as_a_whole_where_that_is_asked_for() {
    for home in postgres_homes() {
        home.file("0001_a.sql", "create table a (n int);");
        home.file("0001_a.rollback.sql", "drop table a;");
        home.file("0002_b.sql", "create table b (n int);");
        home.file("0002_b.rollback.sql", "drop table b;");
        home.file("0003_c.sql", "create table a (n int);");
        let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
        let answer = home.migrate_with(&options).await.expect("a report");
        assert_eq!(answer.taken_back.len(), 2);
        assert!(home.tables().is_empty());
        assert!(home.ledger().is_empty());
        audited(&home).await;
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_ends_the_run() {
    for home in postgres_homes() {
        shop(&home);
        // Whoever runs beside it takes the lease over between two transactions.
        home.file("0003_fill.sql", "update limosa.lease set epoch = epoch + 1;");
        let result = home.migrate().await;
        says(&result, &["LIM-R008"]);
        assert_eq!(transactions(&home), ["1 2", "3"]);
        audited(&home).await;
    }
}

/// Many tables, so that several transactions are under way.
fn tables(home: &Home, count: usize) {
    for number in 1..=count {
        home.file(&format!("{number:04}_table.sql"), &format!("create table t_{number} (n int primary key);"));
    }
}

/// Connections that are cut anywhere: what the ledger says is what stands, and what is reported done is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_connection_breaks_ledger_and_tables_agree() {
    for (side, places) in [(Side::Server, 30..700), (Side::Client, 20..420)] {
        for place in places.step_by(29) {
            let what = format!("{side:?} {place}");
            let home = newest_postgres();
            tables(&home, 300);
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], home.database_handle().port()));
            let proxy = Proxy::start(address).expect("a proxy");
            proxy.set_quiet(Duration::ZERO);
            let mut configuration = home.configuration();
            configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
            proxy.cut(Cut::before(side, place));
            let result = Running::migrate(configuration).end().await;
            let ours =
                "select 1 from pg_stat_activity where datname = current_database() and application_name = 'limosa'";
            eventually("the server has noticed", || home.rows(ours).is_empty());
            let standing = home.tables().len();
            let is_there = home.value("select (to_regclass('limosa.schema_migrations') is not null)::text") == "true";
            assert_eq!(if is_there { home.ledger().len() } else { 0 }, standing, "{what}");
            if let Ok(answer) = &result {
                let done = answer.steps.iter().filter(|step| step.state == "done").count();
                // Steps that were committed with the one whose answer was lost are found by the next run.
                assert!(done <= standing, "{what}: {result:?}");
            }
            well(&home.migrate().await);
            assert_eq!(home.tables().len(), 300, "{what}");
            assert_eq!(home.ledger().len(), 300, "{what}");
            audited(&home).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cancels_a_statement_is_heard() {
    let home = newest_postgres();
    home.file("0001_a.sql", "create table a (n int);");
    home.file("0002_e.sql", "create table e (n int);");
    home.file("0003_b.sql", "create table b (n int);\ncreate table c (n int check (n > 0));");
    home.file("0004_d.sql", "create table d (n int);");
    // The name is somebody's who has not committed: the server waits, in the midst of a shared transaction.
    let session = home.database_handle().session().expect("a session");
    session.execute("begin; create type public.d as (n int)").expect("it holds the name");
    let run = home.start();
    let pid = home.backend_running("create table d");
    home.rows(&format!("select pg_cancel_backend({pid})::text"));
    let result = run.end().await;
    session.execute("rollback").expect("it lets go");
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R005", "0004_d.sql"]);
    assert!(home.ledger().is_empty());
    well(&home.migrate().await);
    assert_eq!(home.ledger().len(), 4);
    audited(&home).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_leaves_whole_transactions() {
    for home in postgres_homes() {
        tables(&home, 600);
        let run = home.start();
        run.wait_for("some are done", |event| matches!(event, Event::StepDone { number: 3, .. }));
        run.stop.ask();
        let result = run.end().await;
        let standing = home.tables().len();
        assert_eq!(home.ledger().len(), standing);
        if exit(&result) != 0 {
            says(&result, &["LIM-R005"]);
            let done = result.expect("a report").steps.iter().filter(|step| step.state == "done").count();
            assert_eq!(done, standing);
        }
        well(&home.migrate().await);
        assert_eq!(home.tables().len(), 600);
        audited(&home).await;
    }
}

#[tokio::test]
async fn a_run_in_one_transaction_writes_many_rows_at_once() {
    for home in postgres_homes() {
        shop(&home);
        home.file("0007_sets.sql", "set local lock_timeout = '9s';\nupdate item set note = 'none' where note is null;");
        home.file("0008_seen.sql", "create table seen as select current_setting('lock_timeout') as value;");
        home.file("0009_more.sql", "create table more (n int);");
        home.file("0010_more.sql", "create index more_n on more (n);");
        let one = || {
            let mut configuration = home.configuration();
            configuration.single_transaction = true;
            configuration
        };
        let result = Running::migrate(one()).end().await;
        assert_eq!(well(&result).steps.len(), 10);
        assert_eq!(transactions(&home), ["1 2 3 4 5 6 7 8 9 10"]);
        assert_eq!(home.ledger().len(), 10);
        assert_eq!(home.rows("select count(*) from limosa.audit_log where outcome = 'done'"), ["10"]);
        assert_eq!(home.rows("select value from seen"), ["3s"]);
        audited(&home).await;

        home.file("0011_more.sql", "create table yet_more (n int);");
        home.file("0012_wrong.sql", "create table yet_more (n int);");
        let result = Running::migrate(one()).end().await;
        says(&result, &["LIM-R002", "0012_wrong.sql:1"]);
        assert_eq!(home.ledger().len(), 10);
        audited(&home).await;
    }
}
