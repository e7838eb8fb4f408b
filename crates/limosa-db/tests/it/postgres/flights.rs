//! Flights: how often they wait, what they tell, and how they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use limosa_db::ledger::statements::leave_mark;
use limosa_db::{Abort, DbErrorKind, FlightObserver, FlightSource, Item, Landed, Notice, Session, Value};

use super::{Record, Told, connect, database, failure, fly, script};

/// Items that note how many had landed when each was asked for.
struct Noting {
    items: std::vec::IntoIter<Item>,
    landed: Arc<AtomicUsize>,
    seen: Vec<usize>,
}

impl FlightSource for Noting {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        self.seen.push(self.landed.load(Ordering::SeqCst));
        Ok(Iterator::next(&mut self.items))
    }
}

/// Counts what lands.
struct Counting(Arc<AtomicUsize>);

impl FlightObserver for Counting {
    fn landed(&mut self, _item: u64, _landed: Landed) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn notice(&mut self, _notice: Notice) {}
}

#[tokio::test]
async fn what_follows_is_asked_for_when_all_before_it_has_landed() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let items = in_transaction(vec![
        script("create table t (n int)"),
        script("select pg_sleep(0.1)"),
        Item::Await,
        script("insert into t values (1)"),
    ]);
    let landed = Arc::new(AtomicUsize::new(0));
    let mut source = Noting { items: items.into_iter(), landed: Arc::clone(&landed), seen: Vec::new() };
    session.flight(&mut source, &mut Counting(Arc::clone(&landed))).await.unwrap();
    assert_eq!(source.seen[..4], [0, 0, 0, 0], "the first are sent ahead");
    assert_eq!(source.seen[4], 4, "and then awaited, {:?}", source.seen);
    assert_eq!(landed.load(Ordering::SeqCst), 6);

    // Nothing is asked for behind a failure.
    let items = in_transaction(vec![script("insert into nowhere values (1)"), Item::Await, script("drop table t")]);
    let mut source = Noting { items: items.into_iter(), landed: Arc::new(AtomicUsize::new(0)), seen: Vec::new() };
    assert!(session.flight(&mut source, &mut Counting(landed)).await.is_err());
    assert_eq!(source.seen.len(), 3);
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("1"));
}

fn in_transaction(mut items: Vec<Item>) -> Vec<Item> {
    items.insert(0, Item::Begin);
    items.push(Item::Commit);
    items
}

#[tokio::test]
async fn a_transaction_of_any_length_waits_once() {
    let database = database();
    let proxy = super::proxy();
    let mut session = connect(&proxy.url(&database)).await;
    assert_eq!(proxy.waits(), 1, "facts and defaults of a session come in one wait");
    fly(&mut session, vec![script("create table t (n int, s text)")]).await.unwrap();
    proxy.reset();

    let mut items = vec![Item::Control("set local lock_timeout = '3s'".to_owned())];
    items.extend((0..500).map(|n| Item::Script(format!("insert into t values ({n}, 'x')"))));
    items.push(Item::Bound {
        sql: "insert into t values ($1, $2)".to_owned(),
        parameters: vec![500.into(), "y".into()],
    });
    fly(&mut session, in_transaction(items)).await.unwrap();
    assert_eq!(proxy.waits(), 1);

    // Just below the window: still once.
    proxy.reset();
    let big = "x".repeat(250_000);
    let items = (0..4).map(|n| Item::Script(format!("insert into t values ({n}, '{big}')"))).collect();
    fly(&mut session, in_transaction(items)).await.unwrap();
    assert_eq!(proxy.waits(), 1);

    // Sixteen windows: at most two waits for each.
    proxy.reset();
    let items = (0..64).map(|n| Item::Script(format!("insert into t values ({n}, '{big}')"))).collect();
    fly(&mut session, in_transaction(items)).await.unwrap();
    assert!((2..=34).contains(&proxy.waits()), "{}", proxy.waits());

    // Outside a transaction nothing is sent before its predecessor has succeeded.
    proxy.reset();
    fly(&mut session, vec![script("select 1"), script("select 2"), script("select 3")]).await.unwrap();
    assert_eq!(proxy.waits(), 3);
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("569"));
}

#[tokio::test]
async fn a_transaction_of_the_files_own_is_sent_ahead_too() {
    let database = database();
    let proxy = super::proxy();
    let mut session = connect(&proxy.url(&database)).await;
    proxy.reset();
    let items = ["begin", "create table t (n int)", "insert into t values (1)", "insert into t values (2)", "commit"];
    fly(&mut session, items.map(script).to_vec()).await.unwrap();
    assert_eq!(proxy.waits(), 1);
    // A BEGIN that may fail is waited for: what follows must not run outside of it.
    proxy.reset();
    let (item, _) =
        failure(&mut session, ["begin isolation level nonsense", "drop table t"].map(script).to_vec()).await;
    assert_eq!(item, 0);
    let items = ["begin isolation level serializable", "insert into t values (3)", "select 1", "commit"];
    fly(&mut session, items.map(script).to_vec()).await.unwrap();
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("3"));
}

#[tokio::test]
async fn nothing_after_a_failure_takes_effect_even_behind_a_savepoint() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int)")]).await.unwrap();
    for revival in [script("rollback to savepoint a"), Item::Control("select 1; rollback to a".to_owned())] {
        let items = vec![
            script("insert into t values (1)"),
            script("savepoint a"),
            script("nonsense"),
            revival,
            script("insert into t values (2)"),
        ];
        let (item, error) = failure(&mut session, in_transaction(items)).await;
        assert_eq!((item, error.kind), (3, DbErrorKind::Statement));
    }
    for end in ["commit and chain", "rollback and chain", "commit", "rollback; begin"] {
        let items = ["begin", "nonsense", end, "insert into t values (3)", "commit"];
        let (item, _) = failure(&mut session, items.map(script).to_vec()).await;
        assert_eq!(item, 1, "{end}");
    }
    // Without a failure they do what they should.
    let items = [
        "begin",
        "savepoint a",
        "insert into t values (4)",
        "rollback to a",
        "insert into t values (5)",
        "commit and chain",
        "insert into t values (6)",
        "rollback",
    ];
    fly(&mut session, items.map(script).to_vec()).await.unwrap();
    assert_eq!(database.query("select n from t").unwrap(), [[Some("5".to_owned())]]);
}

#[tokio::test]
async fn the_failing_item_is_named_with_its_place_and_nothing_persists() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int unique)")]).await.unwrap();
    let mut items: Vec<Item> = (1..=50).map(|n| Item::Script(format!("/* é */ insert into t values ({n})"))).collect();
    items[36] = script("/* é€ */ insert into missing values (1)");
    let (item, error) = failure(&mut session, in_transaction(items.clone())).await;
    assert_eq!((item, error.kind), (37, DbErrorKind::UndefinedTable));
    assert_eq!(error.position, "/* é€ */ insert into missing values (1)".find("missing"));
    // The server gives no place for this one; the item's number is all there is.
    items[36] = script("insert into t values (5)");
    let (item, error) = failure(&mut session, in_transaction(items)).await;
    assert_eq!((item, error.code.as_deref(), error.position), (37, Some("23505"), None));
    assert_eq!(error.detail.as_deref(), Some("Key (n)=(5) already exists."));
    assert_eq!(database.query("select n from t").unwrap(), Vec::<Vec<Option<String>>>::new());
}

#[tokio::test]
async fn errors_inside_functions_show_the_statement_there() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let (_, error) = failure(&mut session, vec![script("do $$ begin execute 'selec 1'; end $$")]).await;
    assert_eq!(error.internal_query.as_deref(), Some("selec 1"));
    assert_eq!(error.position, None);
    assert!(error.context.unwrap().contains("PL/pgSQL function inline_code_block"));
    let (_, error) = failure(
        &mut session,
        vec![script("do $$ begin raise exception 'no' using hint = 'do', detail = 'why'; end $$")],
    )
    .await;
    assert_eq!(
        (error.message.as_str(), error.hint.as_deref(), error.detail.as_deref()),
        ("no", Some("do"), Some("why"))
    );
}

#[tokio::test]
async fn a_deferred_constraint_fails_at_the_commit() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int unique deferrable initially deferred)")]).await.unwrap();
    let items = vec![script("insert into t values (1)"), script("insert into t values (1)")];
    let (item, error) = failure(&mut session, in_transaction(items)).await;
    assert_eq!((item, error.code.as_deref()), (3, Some("23505")));
    session.settle().await.unwrap();
    assert_eq!(database.query("select n from t").unwrap(), Vec::<Vec<Option<String>>>::new());
}

#[tokio::test]
async fn notices_come_between_the_landings_around_them() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let say =
        |text: &str| Item::Script(format!("do $$ begin raise notice '{text} 1'; raise warning '{text} 2'; end $$"));
    let mut items = Vec::new();
    let mut expected = vec![Told::Landed(0, None)];
    for number in 1..=200 {
        if number % 3 == 0 {
            items.push(say(&number.to_string()));
            expected.push(Told::Notice(format!("{number} 1")));
            expected.push(Told::Notice(format!("{number} 2")));
        } else {
            items.push(script("select 1"));
        }
        expected.push(Told::Landed(number, None));
    }
    expected.push(Told::Landed(201, None));
    let mut record = Record::default();
    session.flight(&mut in_transaction(items).into_iter(), &mut record).await.unwrap();
    assert_eq!(record.0, expected);
}

#[tokio::test]
async fn rows_of_scripts_are_dropped_and_those_of_bound_statements_are_read() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let session: &mut dyn Session = &mut session;
    fly(session, in_transaction(vec![script("select repeat('x', 1000) from generate_series(1, 20000)")]))
        .await
        .unwrap();
    let sql = "select 1::int2, 2::int4, 3::int8, 4::oid, true, 'a'::text, 'b'::varchar, 'c'::name, 'd', null::int, 'e'::char(2)";
    let rows = session.query(sql, &[]).await.unwrap();
    let texts: Vec<Option<String>> = (0..11).map(|column| rows[0].text(column)).collect();
    let expected = ["1", "2", "3", "4", "true", "a", "b", "c", "d", "", "e "];
    for (found, expected) in texts.iter().zip(expected) {
        assert_eq!(found.as_deref(), Some(expected).filter(|text| !text.is_empty()));
    }
    assert_eq!(rows[0].0[3], Value::Integer(4));
    let error = session.query("select now()", &[]).await.unwrap_err();
    assert!(error.message.contains("timestamp"), "{error}");
    // A type that the driver must ask about, in the middle of a pipeline.
    fly(session, vec![script("create type mood as enum ('good')")]).await.unwrap();
    let bound = |sql: &str| Item::Bound { sql: sql.to_owned(), parameters: Vec::new() };
    let items = vec![bound("select 1"), bound("select 'good'::mood"), bound("select 2"), script("select 3")];
    let (item, error) = failure(session, in_transaction(items)).await;
    assert_eq!(item, 2);
    assert!(error.message.contains("mood"), "{error}");
    assert_eq!(session.query("select 1", &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn affected_rows_are_those_that_changed() {
    let database = database();
    let mut session = connect(&database.url()).await;
    let mut record = Record::default();
    let items = [
        "create table t (n int)",
        "insert into t values (1), (2) returning n",
        "create table u as select * from t",
        "select * from t",
        "with gone as (delete from u returning n) insert into t select n from gone",
        "update t set n = 0 where n > 9",
        "truncate t",
    ];
    session.flight(&mut items.map(script).to_vec().into_iter(), &mut record).await.unwrap();
    let counts: Vec<Option<u64>> =
        record.0.iter().map(|told| if let Told::Landed(_, affected) = told { *affected } else { None }).collect();
    assert_eq!(counts, [None, Some(2), Some(2), None, Some(2), Some(0), None]);
}

#[tokio::test]
async fn what_cannot_be_sent_takes_the_transaction_back() {
    let database = database();
    let mut session = connect(&database.url()).await;
    fly(&mut session, vec![script("create table t (n int, s text)")]).await.unwrap();
    for unsendable in [
        script("insert into t values (2, 'a\0b')"),
        Item::Bound { sql: "insert into t values (2, $1)".to_owned(), parameters: vec!["a\0b".into()] },
        Item::Bound { sql: "insert into t values (2, '\0')".to_owned(), parameters: Vec::new() },
    ] {
        let items = vec![script("insert into t values (1, '')"), unsendable, script("insert into t values (3, '')")];
        let (item, error) = failure(&mut session, in_transaction(items)).await;
        assert_eq!((item, error.kind), (2, DbErrorKind::Statement), "{error}");
        assert!(format!("{error:?}").contains("NUL") || error.code.is_some(), "{error:?}");
        assert_eq!(database.query("select n from t").unwrap(), Vec::<Vec<Option<String>>>::new());
    }
}

#[tokio::test]
async fn without_a_transaction_no_mark_of_one_is_left() {
    let database = database();
    let mut session: Box<dyn Session> = Box::new(connect(&database.url()).await);
    let left = async |session: &mut dyn Session| {
        let sql = "select coalesce(current_setting('limosa.committed', true), '')".to_owned();
        let rows = session.send(vec![Item::Bound { sql, parameters: Vec::new() }]).await.unwrap();
        rows[0][0].text(0)
    };
    let leave = || Item::Control(leave_mark("mine"));
    let error = session.send(vec![leave()]).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("25P01"), "{error}");
    assert_eq!(left(session.as_mut()).await.as_deref(), Some(""));
    session.send(in_transaction(vec![leave()])).await.unwrap();
    assert_eq!(left(session.as_mut()).await.as_deref(), Some("mine"));
}

#[tokio::test]
async fn nothing_takes_effect_where_a_guarded_transaction_did_not_begin() {
    let database = database();
    let mut session: Box<dyn Session> = Box::new(connect(&database.url()).await);
    fly(session.as_mut(), vec![script("create table t (n int)")]).await.unwrap();
    let insert = |n: i64| script(&format!("insert into t values ({n})"));
    let guarded = |items: Vec<Item>| [vec![Item::BeginGuarded], items].concat();
    // A text that goes with the BEGIN in one message and cannot be read keeps it from taking place, as a request to cancel can.
    let unread = guarded(vec![Item::Control("no statement".to_owned()), insert(1), insert(2), Item::Commit]);
    let (item, error) = failure(session.as_mut(), unread).await;
    assert_eq!((item, error.code.as_deref()), (0, Some("42601")), "{error}");
    let rows = || database.query("select n from t").unwrap().concat();
    assert_eq!(rows(), Vec::<Option<String>>::new());

    // However it ends, the session can be used as before.
    let may_write = async |session: &mut dyn Session| {
        let sql = "show default_transaction_read_only".to_owned();
        let rows = session.send(vec![Item::Bound { sql, parameters: Vec::new() }]).await.unwrap();
        rows[0][0].text(0).as_deref() == Some("off")
    };
    assert!(may_write(session.as_mut()).await);
    for end in [Item::Commit, Item::Rollback, script("select 1 / 0")] {
        let _ = fly(session.as_mut(), guarded(vec![insert(3), end.clone()])).await;
        assert!(may_write(session.as_mut()).await, "{end:?}");
    }
    assert_eq!(rows(), [Some("3".to_owned())]);
    let long = guarded(vec![script("select pg_sleep(60)"), Item::Commit]);
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(200), fly(session.as_mut(), long)).await;
    assert!(given_up.is_err());
    session.settle().await.unwrap();
    assert!(may_write(session.as_mut()).await);
}

#[tokio::test]
async fn a_guarded_transaction_waits_no_more_often() {
    let database = database();
    let proxy = super::proxy();
    let mut session = connect(&proxy.url(&database)).await;
    fly(&mut session, vec![script("create table t (n int)")]).await.unwrap();
    proxy.reset();
    let items = vec![Item::BeginGuarded, script("insert into t values (1)"), Item::Commit];
    fly(&mut session, items).await.unwrap();
    assert_eq!(proxy.waits(), 1);
}
