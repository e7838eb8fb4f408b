//! COPY with data from the client.

use limosa_db::{Abort, Collector, DbErrorKind, FlightError, FlightSource, Item, Session};

use super::{Record, Told, connect, database, failure, fly, script};

const COPY: &str = "copy t (n, s) from stdin";

fn copy(sql: &str, chunks: &[&str]) -> Vec<Item> {
    let mut items = vec![Item::CopyStart(sql.to_owned())];
    items.extend(chunks.iter().map(|chunk| Item::CopyData(chunk.as_bytes().to_vec())));
    items.push(Item::CopyEnd);
    items
}

fn in_transaction(parts: Vec<Vec<Item>>) -> Vec<Item> {
    let mut items = vec![Item::Begin];
    items.extend(parts.into_iter().flatten());
    items.push(Item::Commit);
    items
}

#[tokio::test]
async fn data_arrive_inside_and_outside_a_transaction() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int, s text)")]).await.unwrap();
    let proxy = super::proxy();
    let mut watched = connect(&proxy.url(&database)).await;
    proxy.reset();
    let mut record = Record::default();
    let items = in_transaction(vec![
        vec![script("insert into t values (0, 'first')")],
        copy(COPY, &["1\ta\n2\t", "b\n3\tc\n"]),
        vec![script("do $$ begin raise notice 'after'; end $$")],
        copy("COPY t FROM STDIN WITH (FORMAT csv)", &["4,\"d\n\"\n"]),
        copy(COPY, &[]),
    ]);
    watched.flight(&mut items.into_iter(), &mut record).await.unwrap();
    let expected = vec![
        Told::Landed(0, None),
        Told::Landed(1, Some(1)),
        Told::Landed(5, Some(3)),
        Told::Notice("after".to_owned()),
        Told::Landed(6, None),
        Told::Landed(9, Some(1)),
        Told::Landed(11, Some(0)),
        Told::Landed(12, None),
    ];
    assert_eq!(record.0, expected);
    assert!(proxy.waits() <= 12, "{}", proxy.waits());
    fly(&mut session, copy(COPY, &["5\te\n"])).await.unwrap();
    assert_eq!(database.query("select count(*), max(n) from t").unwrap()[0], ["6", "5"].map(|n| Some(n.to_owned())));
}

#[tokio::test]
async fn bad_data_and_bad_statements_fail_at_the_copy() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int, s text)")]).await.unwrap();
    for (items, item, code, said) in [
        (copy(COPY, &["1\ta\n", "x\tb\n"]), 2, "22P02", "COPY t, line 2, column n"),
        (copy("copy missing from stdin", &["1\n"]), 2, "42P01", ""),
        (copy("copy t from stdin with (format nonsense)", &["1\n"]), 2, "22023", ""),
    ] {
        let (failed, error) =
            failure(&mut session, in_transaction(vec![vec![script("insert into t values (9, '')")], items.clone()]))
                .await;
        assert_eq!((failed, error.code.as_deref()), (item, Some(code)), "{error:?}");
        assert!(error.context.unwrap_or_default().starts_with(said));
        let (failed, _) = failure(&mut session, items).await;
        assert_eq!(failed, 0);
        session.settle().await.unwrap();
    }
    // Not a COPY, no end, data without a COPY.
    let (item, error) = failure(&mut session, copy("select 1", &["1\n"])).await;
    assert_eq!((item, error.kind), (0, DbErrorKind::Statement), "{error}");
    let (item, error) =
        failure(&mut session, vec![Item::CopyStart(COPY.to_owned()), Item::CopyData(b"1\ta\n".to_vec())]).await;
    assert_eq!(item, 0);
    assert!(error.message.contains("no end"), "{error}");
    let (item, error) = failure(&mut session, vec![Item::Begin, Item::CopyData(b"1".to_vec())]).await;
    assert_eq!((item, error.kind), (1, DbErrorKind::Statement), "{error}");
    session.settle().await.unwrap();
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_copy_that_nobody_announced_is_refused_and_nothing_persists() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int)")]).await.unwrap();
    for sql in ["copy pg_class to stdout", "copy t from stdin"] {
        let items =
            vec![Item::Begin, script("insert into t values (1)"), script(sql), script("select 1"), Item::Commit];
        let (item, error) = failure(&mut session, items).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::Statement), "{error}");
        assert!(error.message.contains("COPY") && error.hint.is_some(), "{error}");
        session.settle().await.unwrap();
    }
    // Hidden behind another statement it reaches the server: then the connection is given up.
    for sql in ["select 1; copy pg_class to stdout", "select 1; copy t from stdin"] {
        let mut session = connect(&database.url()).await;
        let items = vec![Item::Begin, script("insert into t values (1)"), script(sql)];
        let (item, error) = failure(&mut session, items).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::Statement), "{error}");
        assert!(error.message.contains("COPY"), "{error}");
        assert_eq!(session.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
    }
    limosa_testkit::eventually("the lost sessions are rolled back", || {
        let sql = "select 1 from pg_locks where relation = 't'::regclass and database = (select oid from pg_database where datname = current_database())";
        database.query(sql).unwrap().is_empty()
    });
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("0"));
}

/// A COPY of many chunks that counts how far the sender is ahead.
struct Rows {
    left: usize,
    started: bool,
    gives_up: bool,
}

impl FlightSource for Rows {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        if !self.started {
            self.started = true;
            return Ok(Some(Item::CopyStart(COPY.to_owned())));
        }
        match self.left {
            0 if self.gives_up => Err(Abort),
            0 => {
                self.left = usize::MAX;
                Ok(Some(Item::CopyEnd))
            }
            usize::MAX => Ok(None),
            _ => {
                self.left -= 1;
                let row = format!("{}\t{}\n", self.left, "x".repeat(97));
                Ok(Some(Item::CopyData(row.repeat(640).into_bytes())))
            }
        }
    }
}

#[tokio::test]
async fn a_long_copy_streams_and_one_that_is_given_up_leaves_nothing() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create unlogged table t (n int, s text)")]).await.unwrap();
    let mut source = Rows { left: 500, started: false, gives_up: true };
    let ended = session.flight(&mut source, &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Aborted)), "{ended:?}");
    session.settle().await.unwrap();
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("0"));
    let mut source = Rows { left: 500, started: false, gives_up: false };
    session.flight(&mut source, &mut Collector::default()).await.unwrap();
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("320000"));
}

/// Rows of which the first is wrong.
struct WrongAtOnce(Rows);

impl FlightSource for WrongAtOnce {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        let item = self.0.next()?;
        let first = self.0.left == 99_999;
        Ok(item.map(|item| if first { Item::CopyData(b"not a number\t\n".to_vec()) } else { item }))
    }
}

#[tokio::test]
async fn a_copy_that_is_refused_takes_no_more_data() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int, s text)")]).await.unwrap();
    // Six gigabytes, if they were sent.
    let mut source = WrongAtOnce(Rows { left: 100_000, started: false, gives_up: false });
    let ended = session.flight(&mut source, &mut Collector::default()).await;
    let Err(FlightError::Failed { item, error }) = ended else { panic!("{ended:?}") };
    assert_eq!((item, error.code.as_deref()), (0, Some("22P02")));
    assert!(source.0.left > 90_000, "{} chunks were taken", 100_000 - source.0.left);
    session.settle().await.unwrap();
}
