//! Broken connections, servers that go away, cancels, and sessions that must become usable again.

use std::time::Duration;

use limosa_db::engines::mysql::{self, MysqlSession};
use limosa_db::{Collector, DbError, DbErrorKind, FlightError, Item, Session};
use limosa_testkit::mysql::{MysqlServer, TestDatabase};
use limosa_testkit::proxy::{Cut, Ending, Side};
use limosa_testkit::{Proxy, eventually};

use super::{connect, databases, failure, fly, options, refused, script, scripts, servers, text};

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Sleeps in a way that a cancel makes an error of.
const SLEEP: &str = "select sleep(7200) from (select 1 union all select 2) as twice";

/// Some of it goes out in one message, some alone.
fn migration() -> Vec<Item> {
    vec![
        Item::Begin,
        Item::Control("set innodb_lock_wait_timeout = 3; set lock_wait_timeout = 3".to_owned()),
        script("insert into t values (1)"),
        Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![2.into()] },
        script("insert /*!50000 ignore */ into t values ('3x')"),
        Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![4.into()] },
        script("insert into t values (5 + 0 * row_count())"),
        Item::Commit,
    ]
}

fn count(database: &TestDatabase) -> usize {
    database.query("select n from t").unwrap().len()
}

/// Sessions of the test's user in this database.
fn sessions(database: &TestDatabase) -> usize {
    let sql = "select 1 from information_schema.processlist where db = database() and user = 'tester'";
    database.query(sql).unwrap().len()
}

/// Waits until a session of this database sleeps.
fn asleep(database: &TestDatabase) {
    eventually("it sleeps", || {
        let sql = "select 1 from information_schema.processlist where db = database() and state = 'User sleep'";
        !database.query(sql).unwrap().is_empty()
    });
}

fn proxy(database: &TestDatabase) -> Proxy {
    let server = servers().into_iter().find(|server| server.port() == database.port()).unwrap();
    let proxy = Proxy::start(server).unwrap();
    proxy.set_quiet(Duration::ZERO);
    proxy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_message_is_an_error_and_never_half_a_migration() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let proxy = proxy(&database);
        for side in [Side::Client, Side::Server] {
            let mut lost = 0;
            for number in 1.. {
                proxy.reset();
                let cut = if number % 2 == 0 { Cut::before(side, number) } else { Cut::after(side, number) };
                proxy.cut(cut.ending(if number % 3 == 0 { Ending::Reset } else { Ending::Close }));
                let all = async {
                    let mut session = mysql::connect(&options(&proxy.url(&database))).await?;
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
                eventually("the server has noticed", || sessions(&database) == 0);
                let there = count(&database);
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_fails_at_the_commit() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let proxy = proxy(&database);
        let mut session = connect(&proxy.url(&database)).await;
        // Twice: alone, and behind a statement of limosa's own in the same message.
        proxy.cut(Cut::before_completion("COMMIT AND NO CHAIN NO RELEASE"));
        let (item, error) = failure(&mut session, migration()).await;
        assert_eq!((item, error.kind), (7, DbErrorKind::ConnectionLost));
        assert_eq!(count(&database), 5);
        let mut items = migration();
        items.insert(7, Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![6.into()] });
        let mut session = connect(&proxy.url(&database)).await;
        proxy.reset();
        fly(&mut session, items.clone()).await.unwrap();
        let answers: Vec<String> = proxy
            .messages()
            .into_iter()
            .filter(|message| message.side == Side::Server)
            .map(|message| message.text)
            .collect();
        let last = answers.iter().rposition(|text| text.contains("COMMIT")).unwrap();
        let mut session = connect(&proxy.url(&database)).await;
        proxy.reset();
        proxy.cut(Cut::before(Side::Server, last + 1));
        let (item, error) = failure(&mut session, items).await;
        assert_eq!((item, error.kind), (8, DbErrorKind::ConnectionLost));
        assert_eq!(count(&database), 5 + 6 + 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_once_for_each_message() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let server = servers().into_iter().find(|server| server.port() == database.port()).unwrap();
        let proxy = Proxy::start(server).unwrap();
        let mut session = connect(&proxy.url(&database)).await;
        // Log-in apart: facts, and what is set.
        assert_eq!(proxy.waits(), 2);
        let waits = async |session: &mut MysqlSession, items: Vec<Item>| {
            proxy.reset();
            fly(session, items).await.unwrap();
            proxy.waits()
        };
        let bound = || Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![2.into()] };
        let items = || vec![Item::Begin, script("insert into t values (1)"), bound(), bound(), Item::Commit];
        assert_eq!(waits(&mut session, items()).await, 1);
        let whole = vec![
            Item::Begin,
            Item::Control("set innodb_lock_wait_timeout = 3; savepoint s".to_owned()),
            bound(),
            script("insert into t values (1)"),
            bound(),
            bound(),
            bound(),
            Item::Commit,
        ];
        assert_eq!(waits(&mut session, whole).await, 1);
        let mixed = ["insert into t values (1)", "set @a = 1", "insert into t values (2)", "update t set n = n + 1"];
        let mixed = [vec![Item::Begin], scripts(&mixed), vec![Item::Commit]].concat();
        assert_eq!(waits(&mut session, mixed).await, 3, "what is set waits alone");
        assert_eq!(waits(&mut session, vec![bound()]).await, 2, "what stands alone is prepared");
        assert_eq!(waits(&mut session, vec![bound()]).await, 1);
        assert_eq!(waits(&mut session, scripts(&["insert ignore into t values ('x')"])).await, 2, "warnings are read");
        proxy.reset();
        let mark = session.remember_settings().await.unwrap();
        assert_eq!(proxy.waits(), 2);
        proxy.reset();
        session.restore_settings(mark).await.unwrap();
        assert_eq!(proxy.waits(), 5);
    }
}

#[tokio::test]
async fn a_server_that_is_swallowed_is_given_up_when_connecting() {
    let database = databases().remove(0);
    let proxy = proxy(&database);
    proxy.black_hole();
    let error = refused(&options(&format!("{}?connect-timeout=2", proxy.url(&database)))).await;
    assert_eq!(error.kind, DbErrorKind::CannotConnect);
    assert!(error.message.contains("no answer from 127.0.0.1:") && error.message.contains("2 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_says_so() {
    for server in servers() {
        let server = MysqlServer::start(server.version()).unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (n int)").unwrap();
        let mut idle = connect(&database.url()).await;
        let mut busy = connect(&database.url()).await;
        let flight = tokio::spawn(async move {
            let items = vec![Item::Begin, script("insert into t values (1)"), script(SLEEP), Item::Commit];
            failure(&mut busy, items).await
        });
        asleep(&database);
        server.restart().unwrap();
        assert_eq!(count(&database), 0);
        let (item, error) = flight.await.unwrap();
        assert_eq!((item, error.kind), (2, DbErrorKind::ConnectionLost), "{error:?}");
        let (item, error) = failure(&mut idle, vec![Item::Begin, script("select 1"), Item::Commit]).await;
        assert_eq!((item, error.kind), (0, DbErrorKind::ConnectionLost), "{error:?}");
        assert_eq!(idle.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_killed_is_lost() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        for busy in [false, true] {
            let mut session = connect(&database.url()).await;
            let number = session.facts().backend.as_deref().unwrap().split(':').next().unwrap().to_owned();
            let (item, error) = if busy {
                let items = vec![Item::Begin, script("insert into t values (1)"), script(SLEEP), Item::Commit];
                let watched = database.clone();
                let kill = tokio::task::spawn_blocking(move || {
                    asleep(&watched);
                    watched.execute(&format!("kill {number}")).unwrap();
                });
                let failed = failure(&mut session, items).await;
                kill.await.unwrap();
                failed
            } else {
                database.execute(&format!("kill {number}")).unwrap();
                eventually("it is gone", || sessions(&database) == 0);
                failure(&mut session, vec![Item::Begin, Item::Commit]).await
            };
            assert_eq!(item, if busy { 2 } else { 0 });
            // MySQL says of a statement that runs only that it was interrupted, before it closes the connection.
            assert!(matches!(error.kind, DbErrorKind::ConnectionLost | DbErrorKind::Cancelled), "{error:?}");
            assert_eq!(session.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
            assert_eq!(count(&database), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_ended_for_idleness_is_told_why_where_it_says_so() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        fly(&mut session, scripts(&["set session wait_timeout = 1"])).await.unwrap();
        eventually("it is gone", || sessions(&database) == 0);
        let (_, error) = failure(&mut session, scripts(&["select 1"])).await;
        assert_eq!(error.kind, DbErrorKind::ConnectionLost);
        if error.code.is_some() {
            assert!(error.message.contains("inactivity") || error.message.contains("imeout"), "{error:?}");
        }
    }
}

/// Runs the items and cancels once when the server sleeps in one of them.
async fn cancelled(session: &mut MysqlSession, database: &TestDatabase, items: Vec<Item>) -> Result<(), FlightError> {
    let canceller = session.canceller();
    let database = database.clone();
    let task = tokio::spawn(async move {
        tokio::task::spawn_blocking(move || asleep(&database)).await.unwrap();
        canceller.cancel().await.unwrap();
    });
    let flown = session.flight(&mut items.into_iter(), &mut Collector::default()).await;
    task.await.unwrap();
    flown
}

fn failed(flown: Result<(), FlightError>) -> (u64, DbError) {
    match flown {
        Err(FlightError::Failed { item, error }) => (item, *error),
        other => panic!("no failure but {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_takes_the_transaction_back() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        let mut items = vec![Item::Begin, script("insert into t values (1)"), script(SLEEP)];
        items.extend([script("insert into t values (2)"), Item::Commit]);
        let (item, error) = failed(cancelled(&mut session, &database, items).await);
        assert_eq!((item, error.kind), (2, DbErrorKind::Cancelled), "{error:?}");
        session.settle().await.unwrap();
        fly(&mut session, scripts(&["insert into t values (3)"])).await.unwrap();
        assert_eq!(database.query("select n from t").unwrap(), [[Some("3".to_owned())]]);
        // A statement that just ends when it is killed: the next one is not sent.
        for statement in ["do sleep(7200)", "select sleep(7200)"] {
            let items = vec![Item::Begin, script(statement), script("insert into t values (4)"), Item::Commit];
            let (item, error) = failed(cancelled(&mut session, &database, items).await);
            assert_eq!(error.kind, DbErrorKind::Cancelled, "{statement}: {error:?}");
            assert!(item == 1 || item == 2, "{statement}");
            let items = scripts(&[statement, "insert into t values (5)"]);
            let (_, error) = failed(cancelled(&mut session, &database, items).await);
            assert_eq!(error.kind, DbErrorKind::Cancelled, "{statement}: {error:?}");
        }
        assert_eq!(count(&database), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_was_dropped_in_the_air_is_settled() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        for (items, by_flight) in [
            (vec![Item::Begin, script("insert into t values (1)"), script(SLEEP), Item::Commit], false),
            (vec![script("insert into t values (2)"), script(SLEEP)], false),
            (vec![Item::Begin, script("insert into t values (1)"), script("do sleep(7200)"), Item::Commit], true),
        ] {
            let mut items = items.into_iter();
            let mut collector = Collector::default();
            let flight = session.flight(&mut items, &mut collector);
            let watched = database.clone();
            let asleep = tokio::task::spawn_blocking(move || asleep(&watched));
            tokio::select! {
                _ = flight => panic!("it must not end"),
                ended = asleep => ended.unwrap(),
            }
            if !by_flight {
                tokio::time::timeout(LIMIT, session.settle()).await.unwrap().unwrap();
            }
            // Whoever flies next settles first.
            fly(&mut session, scripts(&["insert into t values (9)"])).await.unwrap();
        }
        let rows = database.query("select n from t order by n").unwrap();
        let numbers: Vec<_> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
        assert_eq!(numbers, ["2", "9", "9", "9"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_was_dropped_in_the_middle_of_a_result_is_read_to_its_end() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let rows = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 900) \
             select repeat('x', 4000) from c a, c b limit 100000";
        for turn in 0..20 {
            let mut items = scripts(&[rows]).into_iter();
            let mut collector = Collector::default();
            let flight = session.flight(&mut items, &mut collector);
            // Somewhere between the sending and the last of 400 MB.
            let _ = tokio::time::timeout(Duration::from_millis(turn * 3), flight).await;
            assert_eq!(text(&mut session, "select 7").await.as_deref(), Some("7"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_was_dropped_while_it_was_sent_is_sent_to_its_end() {
    for database in databases() {
        database.execute("create table t (s longtext)").unwrap();
        let proxy = proxy(&database);
        let mut session = connect(&proxy.url(&database)).await;
        let long = format!("insert into t values ('{}')", "x".repeat(12 << 20));
        // The proxy takes a part of it and no more.
        proxy.pause();
        let mut items = vec![Item::Begin, script(&long), Item::Commit].into_iter();
        let mut collector = Collector::default();
        {
            let flight = session.flight(&mut items, &mut collector);
            let _ = tokio::time::timeout(Duration::from_millis(200), flight).await;
        }
        proxy.resume();
        tokio::time::timeout(LIMIT, session.settle()).await.unwrap().unwrap();
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
        fly(&mut session, vec![script(&long)]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_that_come_too_late_hit_nothing() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        for _ in 0..30 {
            session.canceller().cancel().await.unwrap();
            fly(&mut session, vec![Item::Begin, script("select 1"), Item::Commit]).await.unwrap();
        }
        // Some that hit their flight or not, and never the next one; and some whose caller has given up.
        for turn in 0..60 {
            let canceller = session.canceller();
            let task = tokio::spawn(async move { canceller.cancel().await });
            if turn % 2 == 0 {
                tokio::task::yield_now().await;
                task.abort();
            }
            let flown = fly(&mut session, scripts(&["do sleep(0.001)"])).await;
            if let Err(FlightError::Failed { error, .. }) = flown {
                assert_eq!(error.kind, DbErrorKind::Cancelled);
            }
            if turn % 3 == 0 {
                session.settle().await.unwrap();
            }
            if turn % 2 == 1 {
                task.await.unwrap().unwrap();
            }
            fly(&mut session, vec![Item::Begin, script("select 1"), Item::Commit]).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_cannot_be_sent_says_so() {
    for database in databases() {
        let proxy = proxy(&database);
        let mut session = connect(&proxy.url(&database)).await;
        let canceller = session.canceller();
        let watched = database.clone();
        let task = tokio::spawn(async move {
            tokio::task::spawn_blocking(move || asleep(&watched)).await.unwrap();
            proxy.set_traffic(limosa_testkit::proxy::Traffic::Refused);
            let refused = canceller.cancel().await.unwrap_err();
            proxy.resume();
            canceller.cancel().await.unwrap();
            (refused, proxy)
        });
        let (_, error) = failure(&mut session, scripts(&[SLEEP])).await;
        assert_eq!(error.kind, DbErrorKind::Cancelled);
        let (refused, _proxy) = task.await.unwrap();
        assert_eq!(refused.kind, DbErrorKind::CannotConnect);
        assert!(refused.message.contains("the cancel request to 127.0.0.1:"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_of_tables_are_let_go_when_the_session_settles() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        fly(&mut session, scripts(&["lock tables t write", "insert into t values (1)"])).await.unwrap();
        session.settle().await.unwrap();
        database.execute("insert into t values (2)").unwrap();
        assert_eq!(count(&database), 2);
        // What neither ROLLBACK nor anything short of the end of the session ends is told.
        fly(&mut session, scripts(&["xa start 'x'", "insert into t values (3)"])).await.unwrap();
        let error = session.settle().await.unwrap_err();
        assert!(error.hint.as_deref().unwrap_or_default().contains("XA"), "{error:?}");
    }
}
