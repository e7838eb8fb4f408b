//! Statements of limosa's own: prepared once a connection, and sent together where they have no parameters.

use limosa_db::engines::postgres::PostgresSession;
use limosa_db::{DbErrorKind, Item, Session, Value};
use limosa_testkit::{PgBouncer, PoolMode};

use super::{Record, Told, connect, database, failure, fly, newest, script};

fn bound(sql: &str, parameters: Vec<Value>) -> Item {
    Item::Bound { sql: sql.to_owned(), parameters }
}

fn control(sql: &str) -> Item {
    Item::Control(sql.to_owned())
}

fn insert(n: i64) -> Item {
    bound("insert into t (n, s) values ($1, $2) returning n, s", vec![n.into(), "x".into()])
}

fn in_transaction(mut items: Vec<Item>) -> Vec<Item> {
    items.insert(0, Item::Begin);
    items.push(Item::Commit);
    items
}

/// Prepared statements that the server has for this session.
async fn prepared(session: &mut PostgresSession) -> i64 {
    let session: &mut dyn Session = session;
    let rows = session.query("select count(*) from pg_prepared_statements", &[]).await.unwrap();
    rows[0].integer(0).unwrap()
}

/// A session with a table in which one statement is prepared.
async fn with_one_prepared(url: &str) -> PostgresSession {
    let mut session = connect(url).await;
    fly(&mut session, vec![script("drop table if exists t"), script("create table t (n int8, s text)")]).await.unwrap();
    for n in 0..4 {
        fly(&mut session, in_transaction(vec![insert(n)])).await.unwrap();
    }
    assert_eq!(prepared(&mut session).await, 1);
    session
}

#[tokio::test]
async fn what_runs_often_is_prepared_without_a_wait() {
    let database = database();
    let proxy = super::proxy();
    let mut session = connect(&proxy.url(&database)).await;
    fly(&mut session, vec![script("create table t (n int8, s text)")]).await.unwrap();
    for n in 0..6 {
        proxy.reset();
        let null = bound("insert into t (n, s) values ($1, $2) returning n, s", vec![n.into(), Value::Null]);
        let open: &mut dyn Session = &mut session;
        let rows = open.send(in_transaction(vec![insert(n), null])).await.unwrap();
        assert_eq!(proxy.waits(), 1, "use {n}");
        assert_eq!((rows[1][0].integer(0), rows[1][0].text(1).as_deref()), (Some(n), Some("x")));
        assert_eq!((rows[2][0].integer(0), rows[2][0].text(1)), (Some(n), None));
        // With a NULL it is the same statement.
        assert_eq!(prepared(&mut session).await, if n < 1 { 0 } else { 1 });
    }
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("12"));
}

#[tokio::test]
async fn outside_of_a_transaction_and_through_a_pooler_nothing_is_prepared() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int8, s text)")]).await.unwrap();
    fly(&mut session, (0..6).map(insert).collect()).await.unwrap();
    assert_eq!(prepared(&mut session).await, 0);

    let server = limosa_testkit::postgres::shared(&newest()).unwrap();
    let bouncer = PgBouncer::start(server, PoolMode::Transaction).unwrap();
    let mut session = connect(&bouncer.url(&database)).await;
    for n in 0..6 {
        fly(&mut session, in_transaction(vec![insert(n)])).await.unwrap();
    }
    assert_eq!(prepared(&mut session).await, 0);
    // Where a person says that there is no pooler, and takes it back.
    session.assume_pooled(false).await.unwrap();
    for n in 0..6 {
        fly(&mut session, in_transaction(vec![insert(n)])).await.unwrap();
    }
    assert_eq!(prepared(&mut session).await, 1);
    session.assume_pooled(true).await.unwrap();
    assert_eq!(prepared(&mut session).await, 0);
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("18"));
}

#[tokio::test]
async fn texts_that_drop_or_create_prepared_statements_have_none_of_ours_in_their_way() {
    let database = database();
    for text in [
        "deallocate all",
        "do $$ begin execute 'DEALLOCATE ALL'; end $$",
        "prepare s0 as select 1; prepare s1 as select 1; prepare s2 as select 1; prepare s3 as select 1",
        "prepare mine as select 1; execute mine; deallocate mine",
    ] {
        let mut session = with_one_prepared(&database.url()).await;
        for _ in 0..2 {
            let items = vec![insert(5), script(text), insert(6), script("deallocate all"), insert(7)];
            fly(&mut session, in_transaction(items)).await.unwrap();
        }
        assert_eq!(prepared(&mut session).await, 0, "{text}");
    }
    // Outside of a transaction, with a COPY right behind it.
    let mut session = with_one_prepared(&database.url()).await;
    let copy = [Item::CopyStart("copy t from stdin".into()), Item::CopyData(b"1\tx\n".to_vec()), Item::CopyEnd];
    fly(&mut session, [script("discard all"), insert(1)].into_iter().chain(copy).collect()).await.unwrap();
    for n in 0..5 {
        fly(&mut session, in_transaction(vec![insert(n)])).await.unwrap();
    }
    assert_eq!(prepared(&mut session).await, 0);
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("11"));
}

#[tokio::test]
async fn a_statement_that_was_dropped_behind_our_back_fails_once_and_can_be_tried_again() {
    let database = database();
    database
        .execute(
            "create function drops() returns void language plpgsql as $$ begin execute 'deal' || 'locate all'; end $$",
        )
        .unwrap();
    for change in ["select drops()", "alter table t alter column n type text"] {
        let mut session = with_one_prepared(&database.url()).await;
        let items = || in_transaction(vec![script(change), insert(9)]);
        let (item, error) = failure(&mut session, items()).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::Serialization), "{change}: {error}");
        assert!(error.is_transient());
        let again = fly(&mut session, items()).await;
        if change == "select drops()" {
            again.unwrap();
        }
        // What is gone is not dropped again before a text that touches prepared statements.
        fly(&mut session, in_transaction(vec![script("deallocate all"), script("select 1")])).await.unwrap();
    }
}

#[tokio::test]
async fn a_table_that_is_made_anew_and_another_search_path_or_role_are_seen() {
    let database = database();
    let mut session = with_one_prepared(&database.url()).await;
    fly(&mut session, in_transaction(vec![script("drop table t; create table t (s text, n int8)"), insert(20)]))
        .await
        .unwrap();
    database.execute("create schema other; create table other.t (n int8, s text)").unwrap();
    let items = vec![control("set local search_path = other"), insert(21)];
    fly(&mut session, in_transaction(items)).await.unwrap();
    assert_eq!(database.query("select n from other.t").unwrap(), [[Some("21".to_owned())]]);
    database.execute("create role nobody_here").unwrap();
    let (item, error) =
        failure(&mut session, in_transaction(vec![control("set local role nobody_here"), insert(22)])).await;
    assert_eq!((item, error.kind), (2, DbErrorKind::PermissionDenied));
    let (item, error) = failure(&mut session, in_transaction(vec![script("nonsense"), insert(23)])).await;
    assert_eq!((item, error.kind), (1, DbErrorKind::Statement));
    fly(&mut session, in_transaction(vec![insert(24)])).await.unwrap();
    assert_eq!(database.query("select n from public.t").unwrap().len(), 2);
    assert_eq!(prepared(&mut session).await, 1);
}

#[tokio::test]
async fn a_preparing_that_meets_a_failed_transaction_is_tried_again() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int8, s text)")]).await.unwrap();
    for n in 0..2 {
        fly(&mut session, in_transaction(vec![insert(n)])).await.unwrap();
    }
    let (item, _) = failure(&mut session, in_transaction(vec![script("nonsense"), insert(3)])).await;
    assert_eq!(item, 1);
    assert_eq!(prepared(&mut session).await, 0);
    fly(&mut session, in_transaction(vec![insert(4)])).await.unwrap();
    assert_eq!(prepared(&mut session).await, 1);
}

#[tokio::test]
async fn texts_that_travel_together_land_and_fail_one_by_one() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int unique deferrable initially deferred)")]).await.unwrap();
    let items = || {
        vec![
            control("set local lock_timeout = '3s'; set local role \"postgres\""),
            script("insert into t values (1)"),
            control("set constraints all immediate"),
            control("set local client_encoding = 'UTF8'"),
            control("insert into t values (2), (3)"),
        ]
    };
    let mut record = Record::default();
    session.flight(&mut in_transaction(items()).into_iter(), &mut record).await.unwrap();
    let landed = [(0, None), (1, None), (2, Some(1)), (3, None), (4, None), (5, Some(2)), (6, None)];
    assert_eq!(record.0, landed.map(|(item, affected)| Told::Landed(item, affected)));

    // Of three texts in a row each is named when it fails, with the place within itself.
    let (item, error) = failure(&mut session, in_transaction(items())).await;
    assert_eq!((item, error.code.as_deref()), (3, Some("23505")));
    for wrong in 0..3 {
        let mut items = vec![control("reset role; reset all"), control("select 1"), control("reset role")];
        items[wrong] = control("select 1; select missing");
        let (item, error) = failure(&mut session, in_transaction(items)).await;
        assert_eq!((item, error.position), (wrong as u64 + 1, Some(17)), "{wrong}");
    }
    // A savepoint that is taken back to is never among them.
    let items = vec![
        control("savepoint a"),
        control("insert into t values (7)"),
        control("rollback to a"),
        control("insert into t values (8)"),
    ];
    fly(&mut session, in_transaction(items)).await.unwrap();
    assert_eq!(database.query("select n from t where n > 3").unwrap(), [[Some("8".to_owned())]]);
}
