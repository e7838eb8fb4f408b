//! The proxy: waits, cuts, stopped traffic.

use std::time::Duration;

use limosa_testkit::TestDatabase;
use limosa_testkit::postgres;
use limosa_testkit::proxy::{Cut, Ending, Protocol, Proxy, Side, Target};
use tokio::io::AsyncReadExt;
use tokio_postgres::{Client, NoTls};

/// Long, so that a busy machine does not make a client look silent in the middle of a pipeline.
const QUIET: Duration = Duration::from_millis(200);

fn database() -> TestDatabase {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    server.create_database().unwrap()
}

fn proxy_to(database: &TestDatabase) -> Proxy {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    assert_eq!(server.port(), database.port());
    let proxy = Proxy::start(server).unwrap();
    proxy.set_quiet(QUIET);
    proxy
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_pipeline_is_one_wait_and_a_sequence_is_many() {
    let database = database();
    let proxy = proxy_to(&database);
    let client = connect(&proxy.url(&database)).await;
    assert_eq!(proxy.waits(), 0, "connecting does not count");

    let (a, b, c) = tokio::join!(
        client.simple_query("select 1"),
        client.simple_query("select 2"),
        client.simple_query("select 3"),
    );
    for answer in [a, b, c] {
        answer.unwrap();
    }
    assert_eq!(proxy.waits(), 1);

    proxy.reset();
    for _ in 0..3 {
        client.simple_query("select 1").await.unwrap();
    }
    assert_eq!(proxy.waits(), 3);

    proxy.reset();
    // Describe, then execute: a prepared statement waits twice.
    client.query("select $1::int4", &[&1_i32]).await.unwrap();
    assert_eq!(proxy.waits(), 2);
    drop(client);
}

#[tokio::test]
async fn a_slow_statement_with_notices_is_one_wait() {
    let database = database();
    let proxy = proxy_to(&database);
    let client = connect(&proxy.url(&database)).await;
    let sql = "do $$ begin for i in 1..3 loop raise notice 'at %', i; perform pg_sleep(0.3); end loop; end $$";
    client.batch_execute(sql).await.unwrap();
    assert_eq!(proxy.waits(), 1);
    let notices: Vec<String> = proxy.messages().into_iter().filter(|m| m.kind == 'N').map(|m| m.text).collect();
    assert_eq!(notices, ["at 1", "at 2", "at 3"]);
    assert!(proxy.messages().iter().any(|m| m.side == Side::Client && m.kind == 'Q' && m.text == sql));
}

#[tokio::test]
async fn a_large_pipeline_neither_blocks_nor_counts_more_than_once() {
    let database = database();
    let proxy = proxy_to(&database);
    let client = connect(&proxy.url(&database)).await;
    // Megabytes in both directions: without reading ahead, both sides would wait to write for ever.
    let query = format!("select repeat('x', 100000) -- {}", "y".repeat(100_000));
    join_all((0..60).map(|_| client.simple_query(&query)).collect()).await;
    assert_eq!(proxy.waits(), 1);
}

/// Polls all futures from the start, so that all are sent before any is awaited.
async fn join_all<F: Future>(futures: Vec<F>)
where
    F::Output: std::fmt::Debug,
{
    let mut pinned: Vec<_> = futures.into_iter().map(|f| Some(Box::pin(f))).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for slot in &mut pinned {
            if let Some(future) = slot {
                if future.as_mut().poll(context).is_ready() {
                    *slot = None;
                } else {
                    pending = true;
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_to_commit_leaves_the_work_done() {
    let database = database();
    for ending in [Ending::Close, Ending::Reset] {
        let proxy = proxy_to(&database);
        proxy.set_quiet(Duration::ZERO);
        let client = connect(&proxy.url(&database)).await;
        proxy.cut(Cut::before_completion("COMMIT").ending(ending));
        client.batch_execute("drop table if exists t").await.unwrap();
        let error = client.batch_execute("begin; create table t (); commit").await.unwrap_err();
        assert!(error.as_db_error().is_none(), "the connection broke, the server said nothing: {error}");
        assert_eq!(proxy.cuts_done(), 1);
        database.execute("select * from t").unwrap();
    }
}

#[tokio::test]
async fn every_message_can_be_the_last() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    for side in [Side::Client, Side::Server] {
        for forward in [true, false] {
            let mut number = 0;
            loop {
                number += 1;
                let proxy = proxy_to(&database);
                proxy.set_quiet(Duration::ZERO);
                proxy.cut(if forward { Cut::after(side, number) } else { Cut::before(side, number) });
                let finished = insert_twice(&proxy.url(&database)).await;
                if proxy.cuts_done() == 0 {
                    assert!(finished, "nothing was cut");
                    break;
                }
                let sent = proxy.count(side);
                assert!(sent >= number, "{sent} of {number}");
            }
            // Start-up, two queries and Terminate; authentication, parameters, answers.
            assert!(number > if side == Side::Client { 3 } else { 15 }, "{side:?} {number}");
        }
    }
    let rows = database.query("select count(*) from t").unwrap();
    assert_ne!(rows[0][0].as_deref(), Some("0"));
}

async fn insert_twice(url: &str) -> bool {
    let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await else { return false };
    let driver = tokio::spawn(connection);
    for _ in 0..2 {
        if client.batch_execute("insert into t values (1)").await.is_err() {
            return false;
        }
    }
    drop(client);
    driver.await.unwrap().is_ok()
}

#[tokio::test]
async fn paused_traffic_goes_on_and_swallowed_traffic_does_not() {
    let database = database();
    let proxy = proxy_to(&database);
    proxy.set_quiet(Duration::ZERO);
    let client = connect(&proxy.url(&database)).await;
    proxy.pause();
    let short = Duration::from_millis(300);
    let mut query = Box::pin(client.simple_query("select 1"));
    assert!(tokio::time::timeout(short, &mut query).await.is_err());
    proxy.resume();
    query.await.unwrap();

    proxy.black_hole();
    let sent = client.simple_query("create table never ()");
    assert!(tokio::time::timeout(short, sent).await.is_err());
    let url = proxy.url(&database);
    let fresh = tokio_postgres::connect(&url, NoTls);
    assert!(tokio::time::timeout(short, fresh).await.is_err());
    database.execute("select * from never").unwrap_err();

    proxy.set_traffic(limosa_testkit::proxy::Traffic::Refused);
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_unix_socket_can_be_the_target_and_a_cancel_request_passes() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    let proxy = Proxy::start(Target::new(Protocol::Postgres, server.socket())).unwrap();
    let client = connect(&proxy.url(&database)).await;
    let cancel = client.cancel_token();
    let sleeper = tokio::spawn(async move { client.simple_query("select pg_sleep(600)").await.map(drop) });
    let find = "select 1 from pg_stat_activity where query = 'select pg_sleep(600)'";
    while server.query("postgres", find).unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cancel.cancel_query(NoTls).await.unwrap();
    let error = sleeper.await.unwrap().unwrap_err();
    assert_eq!(error.code().unwrap().code(), "57014");
    assert!(proxy.messages().iter().any(|m| m.text == "CancelRequest"));
}
