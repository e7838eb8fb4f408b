//! PgBouncer: found out, and left as clean as it was.

use limosa_db::engines::postgres;
use limosa_db::{ConnectOptions, DbErrorKind, Item, Session};
use limosa_testkit::{PgBouncer, PoolMode};

use super::{connect, database, failure, fly, newest, options, proxy, refused, script};

fn bouncer(mode: PoolMode) -> PgBouncer {
    PgBouncer::start(limosa_testkit::postgres::shared(&newest()).unwrap(), mode).unwrap()
}

#[tokio::test]
async fn a_pooler_is_found_out_in_the_first_wait_and_keeps_no_setting() {
    let database = database();
    database.execute("create role alice; create table t (n int); grant all on t to alice").unwrap();
    let bouncer = bouncer(PoolMode::Transaction);
    let asked = ConnectOptions { role: Some("alice".to_owned()), read_only: true, ..options(&bouncer.url(&database)) };
    let session = postgres::connect(&asked).await.unwrap();
    assert!(session.facts().pooled);
    assert_eq!(session.role(), Some("alice"));
    Box::new(session).close().await;

    // The next client gets the same server session: nothing has leaked into it.
    let mut session = connect(&bouncer.url(&database)).await;
    assert!(session.facts().pooled);
    assert_eq!(session.role(), None);
    let row = (&mut session as &mut dyn Session)
        .query("select current_user::text, current_setting('default_transaction_read_only'), current_setting('client_connection_check_interval')", &[])
        .await
        .unwrap();
    assert_eq!([0, 1, 2].map(|column| row[0].text(column).unwrap()), ["postgres", "off", "0"]);
}

#[tokio::test]
async fn direct_connections_are_not_taken_for_pooled() {
    let database = database();
    let asked = ConnectOptions { read_only: true, ..options(&database.url()) };
    let mut session = postgres::connect(&asked).await.unwrap();
    assert!(!session.facts().pooled && session.facts().read_only);
    let session: &mut dyn Session = &mut session;
    let row = session
        .query("select current_setting('client_connection_check_interval'), current_setting('application_name')", &[])
        .await
        .unwrap();
    assert_eq!([0, 1].map(|column| row[0].text(column).unwrap()), ["10s", "limosa-test"]);
    assert!(!connect(&database.socket_url()).await.facts().pooled);
    assert!(!connect(&proxy().url(&database)).await.facts().pooled);
}

#[tokio::test]
async fn flights_and_copies_go_through_a_transaction_pooler() {
    let database = database();
    let bouncer = bouncer(PoolMode::Transaction);
    let mut session = connect(&bouncer.url(&database)).await;
    let mut other = connect(&bouncer.url(&database)).await;
    let copy = || [Item::CopyStart("copy t from stdin".to_owned()), Item::CopyData(b"1\n2\n".to_vec()), Item::CopyEnd];
    fly(&mut other, vec![script("create table t (n int)")]).await.unwrap();
    // The other client holds the server session that this one had.
    fly(&mut other, vec![Item::Begin, script("insert into t values (0)")]).await.unwrap();
    let mut items =
        vec![Item::Begin, Item::Bound { sql: "insert into t values ($1)".to_owned(), parameters: vec![7.into()] }];
    items.extend(copy());
    items.push(Item::Commit);
    fly(&mut session, items).await.unwrap();
    fly(&mut session, copy().to_vec()).await.unwrap();
    fly(&mut other, copy().to_vec()).await.unwrap();
    fly(&mut other, vec![Item::Rollback]).await.unwrap();
    assert_eq!(database.query("select n from t").unwrap().len(), 5);
    // No prepared statement stays behind for the next client to stumble over.
    let mut checked = connect(&bouncer.url(&database)).await;
    let rows = (&mut checked as &mut dyn Session)
        .query("select name from pg_prepared_statements where name <> ''", &[])
        .await
        .unwrap();
    assert!(rows.is_empty(), "{rows:?}");
    let (item, error) = failure(&mut session, vec![Item::Begin, script("nonsense"), Item::Commit]).await;
    assert_eq!((item, error.kind), (1, DbErrorKind::Statement));
    session.settle().await.unwrap();
}

#[tokio::test]
async fn the_guess_can_be_overridden() {
    let database = database();
    database.execute("create role carol").unwrap();
    let bouncer = bouncer(PoolMode::Session);
    let asked = ConnectOptions { role: Some("carol".to_owned()), read_only: true, ..options(&bouncer.url(&database)) };
    let mut session = postgres::connect(&asked).await.unwrap();
    assert!(session.facts().pooled, "any pooler is taken for one in transaction mode");
    for pooled in [false, false, true, false] {
        session.assume_pooled(pooled).await.unwrap();
        assert_eq!(session.facts().pooled, pooled);
        assert_eq!(session.role(), Some("carol").filter(|_| pooled));
        let rows = (&mut session as &mut dyn Session)
            .query("select current_user::text, current_setting('default_transaction_read_only')", &[])
            .await
            .unwrap();
        let expected = if pooled { ["postgres", "off"] } else { ["carol", "on"] };
        assert_eq!([0, 1].map(|column| rows[0].text(column).unwrap()), expected);
    }
}

#[tokio::test]
async fn what_the_pooler_says_is_understood() {
    let bouncer = bouncer(PoolMode::Transaction);
    let url = format!("postgres://postgres@127.0.0.1:{}/no_such_database", bouncer.port());
    let error = refused(&options(&url)).await;
    assert_eq!(error.kind, DbErrorKind::DatabaseMissing, "{error:?}");
    let url = format!("postgres://nobody_knows_me@127.0.0.1:{}/postgres", bouncer.port());
    let error = refused(&options(&url)).await;
    assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
}

#[tokio::test]
async fn a_cancel_goes_through_a_pooler() {
    let database = database();
    let bouncer = bouncer(PoolMode::Transaction);
    let mut session = connect(&bouncer.url(&database)).await;
    let canceller = session.canceller();
    let again = tokio::spawn(async move {
        loop {
            canceller.cancel().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let (_, error) = failure(&mut session, vec![Item::Begin, script("select pg_sleep(7200)"), Item::Commit]).await;
    again.abort();
    assert_eq!(error.kind, DbErrorKind::Cancelled);
    session.settle().await.unwrap();
}
