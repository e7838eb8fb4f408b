//! Broken connections, servers that go away, cancels, and sessions that must become usable again.

use std::time::Duration;

use limosa_db::engines::postgres::{self, PostgresSession};
use limosa_db::{Collector, DbErrorKind, FlightError, Item, Session};
use limosa_testkit::proxy::{Cut, Ending, Side};
use limosa_testkit::{ServerOptions, TestDatabase, eventually};

use super::{connect, database, failure, fly, options, own_server, proxy, script};

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

fn migration() -> Vec<Item> {
    vec![
        Item::Begin,
        Item::Control("set local lock_timeout = '3s'".to_owned()),
        script("insert into t values (1)"),
        Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![2.into()] },
        Item::CopyStart("copy t from stdin".to_owned()),
        Item::CopyData(b"3\n4\n".to_vec()),
        Item::CopyEnd,
        script("insert into t values (5)"),
        Item::Commit,
    ]
}

fn rows(database: &TestDatabase) -> usize {
    database.query("select n from t").unwrap().len()
}

/// Nothing of the test's sessions runs any more.
fn gone(database: &TestDatabase) {
    eventually("the server has noticed", || {
        let sql =
            "select 1 from pg_stat_activity where datname = current_database() and application_name = 'limosa-test'";
        database.query(sql).unwrap().is_empty()
    });
}

/// Waits until a session of this database sleeps.
fn asleep(database: &TestDatabase) {
    eventually("it sleeps", || {
        let sql = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
        !database.query(sql).unwrap().is_empty()
    });
}

#[tokio::test]
async fn a_cut_at_any_message_is_an_error_and_never_half_a_migration() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    let proxy = proxy();
    proxy.set_quiet(Duration::ZERO);
    for side in [Side::Client, Side::Server] {
        let mut lost = 0;
        for number in 1.. {
            proxy.reset();
            let cut = if number % 2 == 0 { Cut::before(side, number) } else { Cut::after(side, number) };
            proxy.cut(cut.ending(if number % 3 == 0 { Ending::Reset } else { Ending::Close }));
            let all = async {
                let mut session = postgres::connect(&options(&proxy.url(&database))).await?;
                let flown = fly(&mut session, migration()).await;
                if let Err(FlightError::Failed { error, .. }) = flown {
                    assert_eq!(error.kind, DbErrorKind::ConnectionLost, "{side:?} {number}: {error}");
                    assert_eq!(session.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
                    return Err(*error);
                }
                assert!(flown.is_ok());
                Ok(())
            };
            let ended = tokio::time::timeout(LIMIT, all).await.expect("it must not hang");
            gone(&database);
            let there = rows(&database);
            assert!(there == 0 || there == 5, "{side:?} {number}: {there} rows");
            match &ended {
                Ok(()) => assert_eq!(there, 5),
                Err(error) => {
                    lost += 1;
                    let kinds = [DbErrorKind::ConnectionLost, DbErrorKind::CannotConnect];
                    assert!(kinds.contains(&error.kind), "{side:?} {number}: {error:?}");
                }
            }
            database.execute("truncate t").unwrap();
            if proxy.cuts_done() == 0 {
                break;
            }
        }
        assert!(lost > 10, "{side:?}: only {lost} cuts hurt");
    }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_fails_at_the_commit() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    let proxy = proxy();
    proxy.set_quiet(Duration::ZERO);
    let mut session = connect(&proxy.url(&database)).await;
    proxy.cut(Cut::before_completion("COMMIT"));
    let (item, error) = failure(&mut session, migration()).await;
    assert_eq!((item, error.kind), (8, DbErrorKind::ConnectionLost));
    assert_eq!(rows(&database), 5);
}

#[tokio::test]
async fn a_server_that_is_swallowed_is_given_up_when_connecting() {
    let database = database();
    let proxy = proxy();
    proxy.black_hole();
    let error = super::refused(&options(&format!("{}?connect_timeout=2", proxy.url(&database)))).await;
    assert_eq!(error.kind, DbErrorKind::CannotConnect);
    assert!(error.message.contains("no answer from 127.0.0.1:") && error.message.contains("2 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_says_so() {
    let server = own_server(&ServerOptions::new());
    let database = server.create_database().unwrap();
    database.execute("create table t (n int)").unwrap();
    let mut idle = connect(&database.url()).await;
    let mut busy = connect(&database.url()).await;
    let flight = tokio::spawn(async move {
        let items =
            vec![Item::Begin, script("insert into t values (1)"), script("select pg_sleep(7200)"), Item::Commit];
        failure(&mut busy, items).await
    });
    asleep(&database);
    server.restart().unwrap();
    assert_eq!(rows(&database), 0);
    let (item, error) = flight.await.unwrap();
    assert_eq!((item, error.kind, error.code.as_deref()), (2, DbErrorKind::ConnectionLost, Some("57P01")), "{error}");
    // The other one learns it at its next word, in the server's own.
    let (item, error) = failure(&mut idle, vec![Item::Begin, script("select 1"), Item::Commit]).await;
    assert_eq!((item, error.kind), (0, DbErrorKind::ConnectionLost), "{error}");
    assert!(error.message.contains("administrator"), "{error}");
    assert_eq!(idle.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
}

/// Runs the items and cancels when the server sleeps in one of them.
async fn cancelled(
    session: &mut PostgresSession,
    database: &TestDatabase,
    items: Vec<Item>,
) -> Result<(), FlightError> {
    let canceller = session.canceller();
    let database = database.clone();
    let task = tokio::spawn(async move {
        let (asleep, watched) = (std::sync::Arc::new(()), database);
        tokio::task::spawn_blocking(move || {
            eventually("it sleeps", || {
                let sql =
                    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
                !watched.query(sql).unwrap().is_empty()
            });
            drop(asleep);
        })
        .await
        .unwrap();
        canceller.cancel().await.unwrap();
    });
    let flown = session.flight(&mut items.into_iter(), &mut Collector::default()).await;
    task.await.unwrap();
    flown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_arrives_through_the_flight_and_takes_the_transaction_back() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    let mut session = connect(&database.url()).await;
    let mut items = vec![Item::Begin, script("insert into t values (1)"), script("select pg_sleep(7200)")];
    items.extend((0..100).map(|_| script("insert into t values (2)")));
    items.push(Item::Commit);
    let Err(FlightError::Failed { item, error }) = cancelled(&mut session, &database, items).await else {
        panic!("it was not cancelled")
    };
    assert_eq!((item, error.kind, error.code.as_deref()), (2, DbErrorKind::Cancelled, Some("57014")));
    session.settle().await.unwrap();
    fly(&mut session, vec![script("insert into t values (3)")]).await.unwrap();
    assert_eq!(database.query("select n from t").unwrap(), [[Some("3".to_owned())]]);
    // A statement of its own transaction.
    let flown = cancelled(&mut session, &database, vec![script("select pg_sleep(7200)"), script("select 1")]).await;
    assert!(matches!(flown, Err(FlightError::Failed { item: 0, .. })), "{flown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_was_dropped_in_the_air_is_settled() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    let mut session = connect(&database.url()).await;
    for items in [
        vec![Item::Begin, script("insert into t values (1)"), script("select pg_sleep(7200)"), Item::Commit],
        vec![script("insert into t values (2)"), script("select pg_sleep(7200)")],
    ] {
        let mut items = items.into_iter();
        let mut collector = Collector::default();
        let flight = session.flight(&mut items, &mut collector);
        let watched = database.clone();
        let asleep = tokio::task::spawn_blocking(move || {
            eventually("it sleeps", || {
                let sql =
                    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
                !watched.query(sql).unwrap().is_empty()
            });
        });
        tokio::select! {
            _ = flight => panic!("it must not end"),
            ended = asleep => ended.unwrap(),
        }
        tokio::time::timeout(LIMIT, session.settle()).await.unwrap().unwrap();
    }
    fly(&mut session, vec![script("insert into t values (3)")]).await.unwrap();
    let rows = database.query("select n from t order by n").unwrap();
    assert_eq!(rows, [[Some("2".to_owned())], [Some("3".to_owned())]]);
}

#[tokio::test]
async fn a_session_that_is_terminated_between_flights_is_lost() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let pid = session.facts().backend.clone().unwrap();
    database.execute(&format!("select pg_terminate_backend({pid})")).unwrap();
    gone(&database);
    assert_eq!(session.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
    let (item, error) = failure(&mut session, vec![Item::Begin, Item::Commit]).await;
    assert_eq!((item, error.kind), (0, DbErrorKind::ConnectionLost));
}

#[tokio::test]
async fn cancels_that_come_too_late_hit_nothing() {
    let database = database();
    let mut session = connect(&database.url()).await;
    for _ in 0..100 {
        session.canceller().cancel().await.unwrap();
        fly(&mut session, vec![Item::Begin, script("select 1"), Item::Commit]).await.unwrap();
    }
    // Those whose caller has given up are waited for.
    for _ in 0..100 {
        let canceller = session.canceller();
        let task = tokio::spawn(async move { canceller.cancel().await });
        tokio::task::yield_now().await;
        task.abort();
        session.settle().await.unwrap();
        fly(&mut session, vec![Item::Begin, script("select 1"), Item::Commit]).await.unwrap();
    }
}
