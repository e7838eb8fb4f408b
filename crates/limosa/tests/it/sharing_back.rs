//! Small ways back share transactions while nobody else uses the PostgreSQL database: quicker, and nobody can tell the difference.

use std::time::Duration;

use limosa::report::RunAnswer;
use limosa::{Configuration, Event, Failure, RollbackOptions, Selection, Version};
use limosa_testkit::proxy::{Cut, Side};
use limosa_testkit::{Proxy, eventually};

use crate::place::{Home, newest_postgres};
use crate::running::{Running, audited, exit, says, told, well};

/// The changes of each transaction that took some back, oldest transaction first.
fn transactions(home: &Home) -> Vec<String> {
    home.rows(
        "select string_agg(identity, ' ' order by sequence) from limosa.audit_log \
         where operation = 'revert' and outcome = 'done' group by at order by min(sequence)",
    )
}

/// A table that is filled and changed, each step with its way back.
fn shop(home: &Home) {
    for (number, up, down) in [
        (1, "create table item (id bigint generated always as identity primary key, name text);", "drop table item;"),
        (2, "alter table item add column note text;", "alter table item drop column note;"),
        (3, "insert into item (name) values ('nut'), ('bolt');", "delete from item where name in ('nut', 'bolt');"),
        (4, "create index item_by_name on item (name);", "drop index item_by_name;"),
        (5, "create view names as select name from item;", "drop view names;\ncomment on table item is null;"),
        (6, "insert into item (name) values ('washer');", "delete from item;"),
    ] {
        home.file(&format!("{number:04}_step.sql"), up);
        home.file(&format!("{number:04}_step.rollback.sql"), down);
    }
}

/// Waits until no session of before is left in the database.
fn is_left_alone(home: &Home) {
    let observer = newest_postgres();
    let there = format!("select pid from pg_stat_activity where datname = '{}'", home.database());
    eventually("nobody else is connected", || observer.rows(&there).is_empty());
}

fn all() -> Selection {
    Selection::To(Version::parse("0").expect("a version"))
}

async fn take_back(home: &Home) -> Result<RunAnswer, Failure> {
    is_left_alone(home);
    home.rollback(all()).await
}

#[tokio::test]
async fn small_ways_back_are_one_transaction_while_nobody_else_is_there() {
    let home = newest_postgres();
    shop(&home);
    well(&home.migrate().await);
    let result = take_back(&home).await;
    let answer = well(&result);
    assert_eq!(answer.steps.len(), 6);
    assert!(answer.steps.iter().all(|step| step.state == "done" && step.attempts == 1));
    assert_eq!(transactions(&home), ["6 5 4 3 2 1"]);
    assert!(home.ledger().is_empty());
    assert!(home.tables().is_empty());
    assert_eq!(answer.audit_head.as_ref().map(|head| head.sequence), Some(12));
    audited(&home).await;
    // Another run finds it as any other.
    well(&home.migrate().await);
    assert_eq!(home.ledger().len(), 6);
    audited(&home).await;
}

#[tokio::test]
async fn where_somebody_else_is_there_each_is_alone() {
    let home = newest_postgres();
    shop(&home);
    well(&home.migrate().await);
    let session = home.database_handle().session().expect("a session");
    session.execute("select 1").expect("it is there");
    well(&home.rollback(all()).await);
    assert_eq!(transactions(&home), ["6", "5", "4", "3", "2", "1"]);
    audited(&home).await;
    drop(session);

    well(&home.migrate().await);
    is_left_alone(&home);
    let mut configuration = home.configuration();
    configuration.share_transactions = false;
    well(&Running::rollback(configuration, everything(&home)).end().await);
    assert_eq!(transactions(&home).len(), 12);
}

fn everything(home: &Home) -> RollbackOptions {
    RollbackOptions { selection: all(), use_file: false, consent: Some(home.database()), backup: false }
}

/// Whoever asks whether anybody is there must not wait for him.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_somebody_keeps_locked_is_told_after_the_time_out() {
    let home = newest_postgres();
    shop(&home);
    well(&home.migrate().await);
    let session = home.database_handle().session().expect("a session");
    session.execute("begin; lock table item").expect("it is locked");
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 100;
    configuration.limits.lock_retries = 0;
    let run = Running::rollback(configuration, everything(&home)).end();
    let result = tokio::time::timeout(Duration::from_secs(30), run).await.expect("it ends by itself");
    assert_eq!(exit(&result), 3);
    says(&result, &["lock"]);
    session.execute("rollback").expect("it lets go");
    assert_eq!(home.ledger().len(), 6);
    audited(&home).await;
}

/// What runs when rows go, or lasts, or is told of changes.
#[tokio::test]
async fn what_could_tell_stands_alone() {
    let trigger = "create function seen() returns trigger language plpgsql as 'begin return old; end';
        create trigger seen before delete on item for each row execute function seen()";
    let large = "insert into item (name) select repeat('x', 100) from generate_series(1, 10000)";
    let refers = "create table other (id bigint references item (id) on delete cascade)";
    let policy = "alter table item enable row level security; alter table item force row level security;
        create policy all_of_it on item using (true)";
    let partitions = "create table parts (n int) partition by list (n);
        do $$ begin for n in 1..101 loop
        execute format('create table part_%s partition of parts for values in (%s)', n, n); end loop; end $$";
    let event = "create function told() returns event_trigger language plpgsql as 'begin end';
        create event trigger told on sql_drop execute function told()";
    let child = "create table child () inherits (item)";
    for sql in [trigger, large, refers, policy, child, event, partitions] {
        let home = newest_postgres();
        shop(&home);
        home.file("0001_step.rollback.sql", "drop table item cascade;");
        well(&home.migrate().await);
        home.execute(sql);
        well(&take_back(&home).await);
        assert_eq!(transactions(&home), ["6", "5", "4", "3", "2", "1"], "{sql}");
        audited(&home).await;
    }
}

/// While it runs somebody may come, and rows that go behind it may meet what nobody knew of before.
#[tokio::test]
async fn behind_what_may_take_long_each_is_alone() {
    for down in [
        "alter table item add column old int;",
        "set local work_mem = '1MB';",
        "update item set name = 'x';",
        "select 1;",
        "delete from item where id in (select 1);",
        "drop index concurrently if exists nosuch;",
    ] {
        let home = newest_postgres();
        shop(&home);
        home.file("0002_step.sql", "select 1;");
        home.file("0002_step.rollback.sql", down);
        well(&home.migrate().await);
        well(&take_back(&home).await);
        assert_eq!(transactions(&home), ["6 5 4 3", "2", "1"], "{down}");
        audited(&home).await;
    }
}

#[tokio::test]
async fn where_one_fails_the_others_are_taken_back_as_if_each_were_alone() {
    // The second is no name of a table either: whether it is a small one cannot be asked.
    for (wrong, word) in [("alter table item drop column nota;", "nota"), ("delete from a.b.c.item;", "a.b.c.item")] {
        let home = newest_postgres();
        shop(&home);
        home.file("0002_step.rollback.sql", wrong);
        well(&home.migrate().await);
        is_left_alone(&home);
        let (result, events) = Running::rollback(home.configuration(), everything(&home)).end_with_events().await;
        assert_eq!(exit(&result), 3);
        says(&result, &["LIM-R002", word]);
        let states: Vec<_> = result.expect("a report").steps.iter().map(|step| step.state).collect();
        assert_eq!(states, ["done", "done", "done", "done", "rolled_back"]);
        assert_eq!(transactions(&home), ["6", "5", "4", "3"]);
        assert_eq!(home.ledger().len(), 2);
        let statements = |event: &&Event| matches!(event, Event::StatementDone { .. });
        assert_eq!(events.iter().filter(statements).count(), 5, "no statement is told twice");
        let mut expected: Vec<String> =
            (1..=4).flat_map(|number| [format!("{number} begins"), format!("{number} done")]).collect();
        expected.extend(["5 begins".to_owned(), "5 failed".to_owned()]);
        assert_eq!(told(&events), expected, "as if each were alone");
        audited(&home).await;
    }
}

/// Connections that are cut anywhere: what the ledger says is what stands, and what is reported done is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_connection_breaks_ledger_and_tables_agree() {
    let through = |home: &Home, proxy: &Proxy| -> Configuration {
        let mut configuration = home.configuration();
        configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
        configuration
    };
    for (side, places) in [(Side::Server, 30..500), (Side::Client, 20..300)] {
        for place in places.step_by(41) {
            let what = format!("{side:?} {place}");
            let home = newest_postgres();
            for number in 1..=200 {
                home.file(&format!("{number:04}_table.sql"), &format!("create table t_{number} (n int primary key);"));
                home.file(&format!("{number:04}_table.rollback.sql"), &format!("drop table t_{number};"));
            }
            well(&home.migrate().await);
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], home.database_handle().port()));
            let proxy = Proxy::start(address).expect("a proxy");
            proxy.set_quiet(Duration::ZERO);
            is_left_alone(&home);
            proxy.cut(Cut::before(side, place));
            let result = Running::rollback(through(&home, &proxy), everything(&home)).end().await;
            is_left_alone(&home);
            let standing = home.tables().len();
            assert_eq!(home.ledger().len(), standing, "{what}");
            if let Ok(answer) = &result {
                let done = answer.steps.iter().filter(|step| step.state == "done").count();
                // Steps that were committed with the one whose answer was lost are found by the next run.
                assert!(done <= 200 - standing, "{what}: {result:?}");
            }
            audited(&home).await;
            if standing > 0 {
                well(&take_back(&home).await);
            }
            assert!(home.tables().is_empty(), "{what}");
            assert!(home.ledger().is_empty(), "{what}");
            audited(&home).await;
        }
    }
}
