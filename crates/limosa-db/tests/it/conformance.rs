//! The contract of [`Session`], checked for every engine by the same suite. An engine is supported where it passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{FutureExt, LocalBoxFuture};
use limosa_db::{
    Abort, Collector, DbError, DbErrorKind, FlightError, FlightObserver, FlightSource, Item, Landed, Notice, Row,
    Session, SettingsMark, Value,
};
use limosa_sql::Engine;

/// A fresh, empty database of one engine.
#[async_trait]
pub(crate) trait Database: Sync {
    fn engine(&self) -> Engine;
    /// DDL belongs to the transaction it runs in, and is taken back with it. Elsewhere it commits, itself and what came
    /// before it.
    fn ddl_is_transactional(&self) -> bool {
        self.engine() != Engine::Mysql
    }
    /// The column type for text of any length.
    fn long_text(&self) -> &'static str {
        if self.engine() == Engine::Mysql { "longtext" } else { "text" }
    }
    async fn session(&self) -> Box<dyn Session>;
    /// A session that may only read; None where a database has one session only.
    async fn reader(&self) -> Option<Box<dyn Session>>;
}

type Check = for<'a> fn(&'a dyn Database) -> LocalBoxFuture<'a, ()>;

const CHECKS: &[(&str, Check)] = &[
    ("items take effect in order", |database| order(database).boxed_local()),
    ("DDL in a transaction does what the engine says of it", |database| ddl_inside(database).boxed_local()),
    ("affected rows are told", |database| affected(database).boxed_local()),
    ("nothing after a failure outside a transaction", |database| failure_outside(database).boxed_local()),
    ("a failure in a transaction takes it back", |database| failure_inside(database).boxed_local()),
    ("the failed item of many has its number", |database| thirty_seventh_of_fifty(database).boxed_local()),
    ("a failure at the end of a transaction takes it back", |database| failing_guard(database).boxed_local()),
    ("a source that gives up takes the transaction back", |database| abort(database).boxed_local()),
    ("an endless source stops at the first failure", |database| endless_source(database).boxed_local()),
    ("landings are told in order as they happen", |database| landings(database).boxed_local()),
    ("scripts control transactions themselves", |database| user_transactions(database).boxed_local()),
    ("an item of limosa's may be several statements", |database| several_in_one(database).boxed_local()),
    ("rollback takes back", |database| rollback_item(database).boxed_local()),
    ("values go there and back", |database| values(database).boxed_local()),
    ("cancel from another task", |database| cancel(database).boxed_local()),
    ("a late cancel does not reach the next flight", |database| late_cancel(database).boxed_local()),
    ("settle after an error and after an open transaction", |database| settle(database).boxed_local()),
    ("errors have their kinds", |database| error_kinds(database).boxed_local()),
    ("a syntax error points at its byte", |database| positions(database).boxed_local()),
    ("a reading session refuses to write", |database| reading(database).boxed_local()),
    ("others see what is committed", |database| isolation(database).boxed_local()),
    ("ten thousand statements in one flight", |database| many(database).boxed_local()),
    ("settings can be remembered and put back", |database| settings(database).boxed_local()),
    ("close ends the session", |database| close(database).boxed_local()),
];

/// Runs every check, each on a database of its own.
#[expect(clippy::print_stderr, reason = "shown with a failure only: it names the check")]
pub(crate) async fn conformance<D: Database>(make: impl AsyncFn() -> D) {
    for (name, check) in CHECKS {
        eprintln!("checking: {name}");
        let database = make().await;
        let ended = tokio::time::timeout(Duration::from_secs(120), check(&database)).await;
        assert!(ended.is_ok(), "did not end: {name}");
    }
}

fn script(text: impl Into<String>) -> Item {
    Item::Script(text.into())
}

fn scripts(texts: &[&str]) -> Vec<Item> {
    texts.iter().copied().map(script).collect()
}

/// `?1` as the engine writes it.
fn marked(engine: Engine, sql: &str) -> String {
    sql.replace('?', by_engine(engine, ["?", "$", "$"]))
}

/// Runs for hours if nobody cancels it.
fn long(engine: Engine) -> Item {
    script(by_engine(
        engine,
        [
            "with recursive counted(n) as (select 1 union all select n + 1 from counted) select count(*) from counted",
            "select pg_sleep(7200)",
            // MySQL's sleep alone would end without an error.
            "select sleep(7200) from (select 1 union all select 2) as twice",
        ],
    ))
}

/// What stands for the engine in a list for SQLite, PostgreSQL and MySQL.
fn by_engine<T: Copy>(engine: Engine, list: [T; 3]) -> T {
    let engines = [Engine::Sqlite, Engine::Postgres, Engine::Mysql];
    list[engines.iter().position(|known| *known == engine).unwrap()]
}

async fn prepared(database: &dyn Database) -> Box<dyn Session> {
    let mut session = database.session().await;
    fly(&mut *session, scripts(&["create table t (n int unique, s text)"])).await.unwrap();
    session
}

async fn fly(session: &mut dyn Session, items: Vec<Item>) -> Result<(), FlightError> {
    session.flight(&mut items.into_iter(), &mut Collector::default()).await
}

async fn failure(session: &mut dyn Session, items: Vec<Item>) -> (u64, DbError) {
    match fly(session, items).await {
        Err(FlightError::Failed { item, error }) => (item, *error),
        other => panic!("no failure but {other:?}"),
    }
}

async fn numbers(session: &mut dyn Session) -> Vec<i64> {
    let rows = session.query("select n from t order by n", &[]).await.unwrap();
    rows.iter().map(|row| row.integer(0).unwrap()).collect()
}

async fn order(database: &dyn Database) {
    let mut session = prepared(database).await;
    for bracket in [false, true] {
        let mut items = scripts(&[
            "insert into t values (1, 'a')",
            "update t set s = concat(s, 'bc')",
            "insert into t select n + 1, concat(s, 'd') from t",
        ]);
        if database.ddl_is_transactional() || !bracket {
            items.extend(scripts(&["create table u as select * from t", "drop table t", "alter table u rename to t"]));
        }
        if bracket {
            items.insert(0, Item::Begin);
            items.push(Item::Commit);
        }
        fly(&mut *session, items).await.unwrap();
        let rows = session.query("select s from t order by n", &[]).await.unwrap();
        assert_eq!(rows, [Row(vec!["abc".into()]), Row(vec!["abcd".into()])]);
        fly(&mut *session, scripts(&["drop table t", "create table t (n int unique, s text)"])).await.unwrap();
    }
}

async fn ddl_inside(database: &dyn Database) {
    let mut session = prepared(database).await;
    for (ddl, failing) in [("create table u (n int)", false), ("create table t (n int)", true)] {
        let items =
            vec![Item::Begin, script("insert into t values (1, '')"), script(ddl), script("nonsense"), Item::Commit];
        let (item, error) = failure(&mut *session, items).await;
        if database.ddl_is_transactional() {
            assert_eq!(item, if failing { 2 } else { 3 }, "{ddl}: {error}");
            assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
        } else {
            assert_eq!((item, error.kind), (2, DbErrorKind::ImplicitCommit), "{ddl}: {error}");
            assert!(error.hint.unwrap().contains("what came before it in this file stands"));
            assert_eq!(error.code.is_some(), failing, "the server's own error is kept");
            assert_eq!(numbers(&mut *session).await, [1]);
        }
        fly(&mut *session, scripts(&["delete from t"])).await.unwrap();
    }
    assert_eq!(session.query("select * from u", &[]).await.is_ok(), !database.ddl_is_transactional());
}

#[derive(Default)]
struct Affected(Vec<Option<u64>>);

impl FlightObserver for Affected {
    fn landed(&mut self, item: u64, landed: Landed) {
        assert_eq!(item, self.0.len() as u64);
        assert!(landed.rows.is_empty(), "rows of scripts are dropped");
        self.0.push(landed.affected);
    }
    fn notice(&mut self, _: Notice) {}
}

async fn affected(database: &dyn Database) {
    let mut session = prepared(database).await;
    let items = scripts(&[
        "insert into t values (1, 'a'), (2, 'b'), (3, 'c')",
        "update t set s = 'x' where n > 1",
        "delete from t where n > 99",
        "/* a comment */ delete from t",
    ]);
    let mut observer = Affected::default();
    session.flight(&mut items.into_iter(), &mut observer).await.unwrap();
    assert_eq!(observer.0, [Some(3), Some(2), Some(0), Some(3)]);
}

async fn failure_outside(database: &dyn Database) {
    let mut session = prepared(database).await;
    let (item, error) = failure(
        &mut *session,
        scripts(&["insert into t values (1, '')", "insert into missing values (2)", "insert into t values (3, '')"]),
    )
    .await;
    assert_eq!((item, error.kind), (1, DbErrorKind::UndefinedTable));
    assert_eq!(numbers(&mut *session).await, [1], "what came before stays, what came after was not sent");
}

async fn failure_inside(database: &dyn Database) {
    let mut session = prepared(database).await;
    for failing in
        [script("insert into missing values (2)"), script("nonsense"), script("insert into t values (1, '')")]
    {
        let items = vec![
            Item::Begin,
            script("insert into t values (1, '')"),
            failing,
            script("insert into t values (3, '')"),
            Item::Commit,
        ];
        let (item, _) = failure(&mut *session, items).await;
        assert_eq!(item, 2);
        assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
        // No transaction is left open: what follows commits by itself.
        fly(&mut *session, scripts(&["insert into t values (9, '')", "delete from t"])).await.unwrap();
    }
}

async fn thirty_seventh_of_fifty(database: &dyn Database) {
    let mut session = prepared(database).await;
    let mut items: Vec<Item> = (1..=50).map(|n| script(format!("insert into t values ({n}, 'x')"))).collect();
    items[36] = script("insert into t values (5, 'twice')");
    items.insert(0, Item::Begin);
    items.push(Item::Commit);
    let (item, error) = failure(&mut *session, items).await;
    assert_eq!(item, 37);
    let code = by_engine(database.engine(), ["SQLITE_CONSTRAINT_UNIQUE", "23505", "1062 (23000)"]);
    assert_eq!(error.code.as_deref(), Some(code));
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
}

async fn failing_guard(database: &dyn Database) {
    let mut session = prepared(database).await;
    fly(&mut *session, scripts(&["create table guarded (mark text not null)"])).await.unwrap();
    let guard = Item::Bound {
        sql: marked(database.engine(), "insert into guarded values ((select s from t where n = ?1))"),
        parameters: vec![Value::Integer(99)],
    };
    let items = vec![Item::Begin, script("insert into t values (1, '')"), guard, Item::Commit];
    let (item, error) = failure(&mut *session, items).await;
    assert_eq!((item, error.kind), (2, DbErrorKind::NotNull));
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
}

/// Gives its items, then gives up.
struct GivesUp(std::vec::IntoIter<Item>);

impl FlightSource for GivesUp {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        Iterator::next(&mut self.0).map(Some).ok_or(Abort)
    }
}

async fn abort(database: &dyn Database) {
    let mut session = prepared(database).await;
    let items = vec![Item::Begin, script("insert into t values (1, '')"), script("insert into t values (2, '')")];
    let ended = session.flight(&mut GivesUp(items.into_iter()), &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Aborted)), "{ended:?}");
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
    let ended = session.flight(&mut GivesUp(Vec::new().into_iter()), &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Aborted)), "{ended:?}");
    fly(&mut *session, scripts(&["insert into t values (7, '')"])).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [7]);
}

/// Begins, fails, and goes on for ever.
struct Endless(u64);

impl FlightSource for Endless {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        self.0 += 1;
        Ok(Some(match self.0 {
            1 => Item::Begin,
            5 => script("nonsense"),
            n => script(format!("insert into t values ({n}, 'x')")),
        }))
    }
}

async fn endless_source(database: &dyn Database) {
    let mut session = prepared(database).await;
    let ended = session.flight(&mut Endless(0), &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Failed { item: 4, .. })), "{ended:?}");
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
}

/// Sets a flag when the given item lands.
struct Flag {
    flag: Arc<AtomicBool>,
    item: u64,
    landed: Vec<u64>,
}

impl FlightObserver for Flag {
    fn landed(&mut self, item: u64, _: Landed) {
        self.landed.push(item);
        self.flag.store(item >= self.item, Ordering::SeqCst);
    }
    fn notice(&mut self, _: Notice) {}
}

/// Cancels again and again from the moment the flag is set, until told to stop.
fn cancel_when(session: &dyn Session, flag: &Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    let (canceller, flag) = (session.canceller(), Arc::clone(flag));
    tokio::spawn(async move {
        loop {
            if flag.load(Ordering::SeqCst) {
                canceller.cancel().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
}

async fn landings(database: &dyn Database) {
    for bracket in [false, true] {
        let mut session = prepared(database).await;
        let mut items = vec![script("insert into t values (1, '')"), script("insert into t values (2, '')")];
        if bracket {
            items.insert(0, Item::Begin);
        }
        let before = items.len() as u64;
        items.extend([long(database.engine()), Item::Commit]);
        // The long statement ends only because the landing before it is told while it runs.
        let flag = Arc::new(AtomicBool::new(false));
        let task = cancel_when(&*session, &flag);
        let mut observer = Flag { flag, item: before - 1, landed: Vec::new() };
        let ended = session.flight(&mut items.into_iter(), &mut observer).await;
        task.abort();
        let Err(FlightError::Failed { item, error }) = ended else { panic!("{ended:?}") };
        assert_eq!((item, error.kind), (before, DbErrorKind::Cancelled));
        assert_eq!(observer.landed, (0..before).collect::<Vec<_>>());
        assert_eq!(numbers(&mut *session).await.len(), if bracket { 0 } else { 2 });
        fly(&mut *session, scripts(&["drop table t"])).await.unwrap();
        session.close().await;
    }
}

async fn user_transactions(database: &dyn Database) {
    let mut session = prepared(database).await;
    let committed = ["begin", "insert into t values (1, '')", "commit", "insert into t values (2, '')"];
    fly(&mut *session, scripts(&committed)).await.unwrap();
    fly(&mut *session, scripts(&["begin", "insert into t values (3, '')", "rollback"])).await.unwrap();
    let nested =
        ["begin", "insert into t values (4, '')", "savepoint a", "insert into t values (5, '')", "rollback to a"];
    fly(&mut *session, scripts(&nested)).await.unwrap();
    // Left open without failure, the transaction is open.
    assert_eq!(numbers(&mut *session).await, [1, 2, 4]);
    fly(&mut *session, scripts(&["commit"])).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [1, 2, 4]);
    let (item, _) = failure(&mut *session, scripts(&["begin", "insert into t values (6, '')", "nonsense"])).await;
    assert_eq!(item, 2);
    assert_eq!(numbers(&mut *session).await, [1, 2, 4]);
}

async fn several_in_one(database: &dyn Database) {
    let mut session = prepared(database).await;
    let items = vec![
        Item::Begin,
        Item::Control("insert into t values (1, 'a;b'); -- a comment;\ninsert into t values (2, '');".to_owned()),
        Item::Commit,
    ];
    fly(&mut *session, items).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [1, 2]);
}

async fn rollback_item(database: &dyn Database) {
    let mut session = prepared(database).await;
    let items = vec![
        Item::Begin,
        script("insert into t values (1, '')"),
        Item::Rollback,
        script("insert into t values (2, '')"),
    ];
    fly(&mut *session, items).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [2]);
    fly(&mut *session, vec![Item::Rollback]).await.unwrap();
}

async fn values(database: &dyn Database) {
    let mut session = database.session().await;
    let table = format!("create table v (k int, a {}, b bigint, c boolean)", database.long_text());
    fly(&mut *session, scripts(&[&table])).await.unwrap();
    let long = "ü".repeat(512 * 1024);
    let texts = ["", "a", "it's \"quoted\"; -- ?1 $1 \\n", "€ 𝄞 日本語\r\n\t", "%s ${x} :y @z", &long];
    let mut kept: Vec<Vec<Value>> = texts.iter().map(|text| vec![(*text).into(), 0_i64.into(), true.into()]).collect();
    kept.extend([i64::MIN, -1, i64::MAX].map(|number| vec!["".into(), number.into(), false.into()]));
    kept.push(vec![Value::Null, Value::Null, Value::Null]);
    let insert = marked(database.engine(), "insert into v values (?1, ?2, ?3, ?4)");
    let items = (0_i64..).zip(&kept).map(|(k, row)| {
        let parameters = [vec![k.into()], row.clone()].concat();
        Item::Bound { sql: insert.clone(), parameters }
    });
    let items = [vec![Item::Begin], items.collect(), vec![Item::Commit]].concat();
    fly(&mut *session, items).await.unwrap();
    let rows = session.query("select a, b, c from v order by k", &[]).await.unwrap();
    assert_eq!(rows.len(), kept.len());
    for (row, kept) in rows.iter().zip(&kept) {
        assert_eq!(row.0[..2], kept[..2]);
        assert_eq!(row.boolean(2), kept[2] == Value::Boolean(true));
        assert_eq!(row.0[2] == Value::Null, kept[2] == Value::Null);
    }
    // The same parameter twice, and rows of several bound items kept apart.
    let twice = Item::Bound {
        sql: marked(database.engine(), "select k from v where k = ?1 or k = ?1 + ?2 order by k"),
        parameters: vec![1_i64.into(), 2_i64.into()],
    };
    let found = session.send(vec![twice.clone(), script("select 1"), twice]).await.unwrap();
    let expected = vec![Row(vec![1_i64.into()]), Row(vec![3_i64.into()])];
    assert_eq!(found, [expected.clone(), Vec::new(), expected]);
}

async fn cancel(database: &dyn Database) {
    let mut session = prepared(database).await;
    let flag = Arc::new(AtomicBool::new(true));
    let task = cancel_when(&*session, &flag);
    let (item, error) = failure(&mut *session, vec![long(database.engine())]).await;
    task.abort();
    assert_eq!((item, error.kind), (0, DbErrorKind::Cancelled));
    session.settle().await.unwrap();
    fly(&mut *session, scripts(&["insert into t values (1, '')"])).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [1]);
}

async fn late_cancel(database: &dyn Database) {
    let mut session = prepared(database).await;
    session.canceller().cancel().await.unwrap();
    session.settle().await.unwrap();
    fly(&mut *session, vec![Item::Begin, script("insert into t values (1, '')"), Item::Commit]).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [1]);
}

async fn settle(database: &dyn Database) {
    let mut session = prepared(database).await;
    session.settle().await.unwrap();
    failure(&mut *session, scripts(&["nonsense"])).await;
    session.settle().await.unwrap();
    fly(&mut *session, vec![Item::Begin, script("insert into t values (1, '')")]).await.unwrap();
    session.settle().await.unwrap();
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
    fly(&mut *session, scripts(&["begin", "insert into t values (2, '')"])).await.unwrap();
    session.settle().await.unwrap();
    session.settle().await.unwrap();
    assert_eq!(numbers(&mut *session).await, [0_i64; 0]);
}

async fn error_kinds(database: &dyn Database) {
    let mut session = prepared(database).await;
    // On MySQL names of indexes belong to their table, and the unique column has one of its name.
    let index =
        by_engine(database.engine(), ["create index n on strict_one (n)", "create index n on strict_one (n)", "do 0"]);
    let setup = ["insert into t values (1, '')", "create table strict_one (n int not null)", index];
    fly(&mut *session, scripts(&setup)).await.unwrap();
    // The codes of SQLite, PostgreSQL and MySQL.
    for (sql, kind, codes) in [
        ("create table t (n int)", DbErrorKind::Duplicate, ["SQLITE_ERROR", "42P07", "1050 (42S01)"]),
        ("create index n on t (n)", DbErrorKind::Duplicate, ["SQLITE_ERROR", "42P07", "1061 (42000)"]),
        ("select * from missing", DbErrorKind::UndefinedTable, ["SQLITE_ERROR", "42P01", "1146 (42S02)"]),
        (
            "insert into strict_one values (null)",
            DbErrorKind::NotNull,
            ["SQLITE_CONSTRAINT_NOTNULL", "23502", "1048 (23000)"],
        ),
        ("insert into t values (1, '')", DbErrorKind::Statement, ["SQLITE_CONSTRAINT_UNIQUE", "23505", "1062 (23000)"]),
        ("selec 1", DbErrorKind::Statement, ["SQLITE_ERROR", "42601", "1064 (42000)"]),
    ] {
        let code = by_engine(database.engine(), codes);
        let (_, error) = failure(&mut *session, scripts(&[sql])).await;
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "{sql}: {error}");
        assert!(!error.message.is_empty());
        let bound = Item::Bound { sql: sql.to_owned(), parameters: Vec::new() };
        let (_, error) = failure(&mut *session, vec![bound]).await;
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "bound {sql}: {error}");
    }
}

async fn positions(database: &dyn Database) {
    let mut session = prepared(database).await;
    for sql in [
        "oops",
        "insert into t values (1, '') oops",
        "insert into t values (1, 'é€𝄞') oops",
        "-- Größe: naïve\r\ninsert into t\r\n values (1, '日本') oops (2)",
        "select 1,\n\n  'ß' oops oops",
    ] {
        let place = sql.rfind("oops");
        for bracket in [false, true] {
            let mut items = vec![script("select 'é'"), script(sql), script("select 2")];
            if bracket {
                items.insert(0, Item::Begin);
                items.push(Item::Commit);
            }
            let (item, error) = failure(&mut *session, items).await;
            assert_eq!(item, if bracket { 2 } else { 1 });
            assert_eq!(error.position, place, "{sql}: {error}");
        }
    }
    // Without a place in the text there is none.
    let (_, error) = failure(&mut *session, scripts(&["insert into t values (1, ''), (1, '')"])).await;
    assert_eq!(error.position, None);
}

async fn reading(database: &dyn Database) {
    let mut writer = prepared(database).await;
    fly(&mut *writer, scripts(&["insert into t values (1, '')"])).await.unwrap();
    assert!(!writer.facts().read_only);
    let Some(mut reader) = database.reader().await else { return };
    assert!(reader.facts().read_only);
    assert_eq!(numbers(&mut *reader).await, [1]);
    for items in [
        scripts(&["insert into t values (2, '')"]),
        scripts(&["create table u (n int)"]),
        scripts(&["drop table t"]),
        vec![Item::Begin, script("delete from t"), Item::Commit],
    ] {
        let (_, error) = failure(&mut *reader, items).await;
        assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error}");
    }
    let (_, error) = failure(&mut *reader, scripts(&["select * from missing"])).await;
    assert_eq!(error.kind, DbErrorKind::UndefinedTable);
    assert_eq!(numbers(&mut *writer).await, [1]);
}

async fn isolation(database: &dyn Database) {
    let mut one = prepared(database).await;
    let Some(mut other) = database.reader().await else { return };
    fly(&mut *one, vec![Item::Begin, script("insert into t values (1, '')")]).await.unwrap();
    assert_eq!(numbers(&mut *one).await, [1]);
    assert_eq!(numbers(&mut *other).await, [0_i64; 0]);
    fly(&mut *one, vec![Item::Commit]).await.unwrap();
    assert_eq!(numbers(&mut *other).await, [1]);
    fly(&mut *one, vec![Item::Begin, script("delete from t"), Item::Rollback]).await.unwrap();
    assert_eq!(numbers(&mut *other).await, [1]);
}

/// Gives the numbers from 0 to below the limit as inserts, in a transaction.
struct Inserts {
    next: u64,
    limit: u64,
}

impl FlightSource for Inserts {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        let n = self.next;
        self.next += 1;
        Ok(match n {
            0 => Some(Item::Begin),
            n if n <= self.limit => Some(script(format!("insert into t values ({n}, 'row number {n}')"))),
            n if n == self.limit + 1 => Some(Item::Commit),
            _ => None,
        })
    }
}

async fn many(database: &dyn Database) {
    let mut session = prepared(database).await;
    let mut observer = Affected::default();
    session.flight(&mut Inserts { next: 0, limit: 10_000 }, &mut observer).await.unwrap();
    assert_eq!(observer.0.len(), 10_002);
    assert!(observer.0[1..=10_000].iter().all(|affected| *affected == Some(1)));
    let rows = session.query("select count(*), sum(n) from t", &[]).await.unwrap();
    assert_eq!((rows[0].integer(0), rows[0].integer(1)), (Some(10_000), Some(50_005_000)));
}

async fn settings(database: &dyn Database) {
    let mut session = prepared(database).await;
    session.restore_settings(SettingsMark::default()).await.unwrap();
    let mark = session.remember_settings().await.unwrap();
    fly(&mut *session, scripts(&["insert into t values (1, '')"])).await.unwrap();
    session.restore_settings(mark).await.unwrap();
    session.restore_settings(mark).await.unwrap();
    assert_eq!(numbers(&mut *session).await, [1]);
}

async fn close(database: &dyn Database) {
    let mut session = prepared(database).await;
    let facts = session.facts().clone();
    assert_eq!(facts.engine(), database.engine());
    assert!(facts.version_number > 0 && facts.version.starts_with(|first: char| first.is_ascii_digit()), "{facts:?}");
    assert!(!facts.database.is_empty() && !facts.pooled);
    let backend = facts.backend.expect("a session can be named");
    if let Some(reader) = database.reader().await {
        // Sessions of one process share the process in SQLite, and nothing in PostgreSQL.
        assert_eq!(reader.facts().backend.as_ref() == Some(&backend), database.engine() == Engine::Sqlite);
        reader.close().await;
        fly(&mut *session, vec![Item::Begin, script("insert into t values (1, '')")]).await.unwrap();
        session.close().await;
        // What was open is taken back, and nothing is locked.
        let mut next = database.session().await;
        assert_eq!(numbers(&mut *next).await, [0_i64; 0]);
        fly(&mut *next, scripts(&["insert into t values (2, '')"])).await.unwrap();
    }
}
