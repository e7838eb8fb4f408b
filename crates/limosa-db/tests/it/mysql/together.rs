//! Items that go out in one message.

use std::time::Duration;

use limosa_core::{Direction, RowState};
use limosa_db::ledger::{AuditEntry, JournalEntry, Ledger, LedgerNames, RowEntry, statements as sql};
use limosa_db::{Collector, DbErrorKind, FlightError, FlightObserver, Item, Landed, Notice, Row, Session, Value};
use limosa_sql::Engine;
use limosa_testkit::proxy::{Cut, Side};
use limosa_testkit::{MysqlServer, Proxy, eventually, mysql::ServerOptions};

use super::{Record, Told, connect, databases, failure, fly, script, scripts, servers, text};

const INSERT: &str = "insert into t values ($1)";

fn bound(sql: &str, parameters: Vec<Value>) -> Item {
    Item::Bound { sql: sql.to_owned(), parameters }
}

fn control(sql: &str) -> Item {
    Item::Control(sql.to_owned())
}

async fn rows_of(session: &mut dyn Session, items: Vec<Item>) -> Vec<Vec<Row>> {
    session.send(items).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_item_that_fails_is_named_in_each_position_and_nothing_of_it_stays() {
    for database in databases() {
        database.execute("create table t (n int primary key) engine = innodb").unwrap();
        let mut session = connect(&database.url()).await;
        let good = vec![
            Item::Begin,
            control("set @a = 1; savepoint s; set @b = 2"),
            bound(INSERT, vec![1.into()]),
            bound(INSERT, vec![2.into()]),
            script("insert into t values (3)"),
            bound(INSERT, vec![4.into()]),
            bound("select n from t where n = $1", vec![4.into()]),
            Item::Commit,
        ];
        let guard = "insert into t select coalesce((select n from t where n = $1), (select 1 union all select 2))";
        for (position, number) in (1..good.len()).zip(1_u64..) {
            for (bad, kind) in [
                (bound(guard, vec![99.into()]), DbErrorKind::Statement),
                (control("set @c = 1; insert into missing values (1); set @d = 1"), DbErrorKind::UndefinedTable),
            ] {
                let mut items = good.clone();
                items.insert(position, bad);
                let (item, error) = failure(&mut session, items).await;
                assert_eq!((item, error.kind), (number, kind), "{error}");
                assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"), "{position}");
            }
        }
        assert_eq!(text(&mut session, "select count(@d)").await.as_deref(), Some("0"));
        let found = rows_of(&mut session, good).await;
        assert_eq!(found[6], [Row(vec![4_i64.into()])]);
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("4"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_one_statement_behind_and_before_joined_ones() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        let own = || vec![bound(INSERT, vec![1.into()]), bound(INSERT, vec![2.into()])];
        for after_failure in [false, true] {
            if after_failure {
                let mut items = own();
                items.push(control("insert into missing values (1)"));
                failure(&mut session, items).await;
            }
            let mut items = own();
            items.push(script("insert into t values (8); insert into t values (9)"));
            items.extend(own());
            let (item, error) = failure(&mut session, items.clone()).await;
            assert_eq!((item, error.code.as_deref()), (2, Some("1064 (42000)")), "{error}");
            items.insert(0, Item::Begin);
            let (item, error) = failure(&mut session, items).await;
            assert_eq!((item, error.code.as_deref()), (3, Some("1064 (42000)")), "{error}");
            assert_eq!(text(&mut session, "select count(*) from t where n > 7").await.as_deref(), Some("0"));
        }
        // limosa's own parameters are values, and its statements with parameters are one each.
        let two = bound("insert into t values ($1); insert into t values (7)", vec![7.into()]);
        let (item, _) = failure(&mut session, vec![own().remove(0), own().remove(0), two, own().remove(0)]).await;
        assert_eq!(item, 2);
        assert_eq!(text(&mut session, "select count(*) from t where n = 7").await.as_deref(), Some("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_arrive_as_they_are_in_each_mode_and_encoding() {
    let texts = [
        "it's",
        "a\\",
        "\\'; drop table t; -- ",
        "'; drop table t; -- ",
        "\"",
        "`",
        "$1 ? $2",
        "é€𝄞",
        "\u{0}\u{1a}\n\r\t",
        "-- ",
        "/* */",
        "",
        "ß\\'\"",
        "%_",
        ";\n",
        "0x41",
        "表",
        "\u{bf}'\u{5c}",
    ];
    for database in databases() {
        database.execute("create table t (s varchar(100) character set utf8mb4 collate utf8mb4_bin, n int)").unwrap();
        let mut session = connect(&database.url()).await;
        for mode in ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT", "STRICT_ALL_TABLES", "ANSI"] {
            for names in ["utf8mb4", "latin1", "gbk", "sjis"] {
                let mut items = scripts(&[&format!("set sql_mode = '{mode}'"), &format!("set names {names}")]);
                let insert = "insert into t (s, n) values ($1, $2)";
                items.extend(texts.iter().zip(0_i64..).map(|(text, n)| bound(insert, vec![(*text).into(), n.into()])));
                items.extend(scripts(&["set names utf8mb4"]));
                fly(&mut session, items).await.unwrap();
                let found = rows_of(&mut session, vec![bound("select s from t order by n", Vec::new())]).await;
                let found: Vec<String> = found[0].iter().map(|row| row.text(0).unwrap()).collect();
                assert_eq!(found, texts, "{mode} {names}");
                fly(&mut session, scripts(&["delete from t"])).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_the_same_joined_as_prepared() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let values = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(-5),
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Boolean(true),
            Value::Boolean(false),
            "".into(),
            "é'\\".into(),
            "12".into(),
        ];
        let table = "create table v (id int primary key, a bigint, b boolean, c varchar(20), d decimal(20, 2), e datetime(3), \
             f date)";
        fly(
            &mut session,
            scripts(&[table, "insert into v values (1, -7, true, 'é', 1.50, '2024-02-29 01:02:03.045', null)"]),
        )
        .await
        .unwrap();
        let mut statements: Vec<(String, Vec<Value>)> =
            values.iter().map(|value| ("select $1, $1 is null".to_owned(), vec![value.clone()])).collect();
        statements.push(("select id, a, b, c, d, e, f from v where id = $1".to_owned(), vec![1_i64.into()]));
        statements.push(("select id from v limit $1".to_owned(), vec![1_i64.into()]));
        statements.push(("select 1-$1, $2 + 1".to_owned(), vec![Value::Integer(-5), Value::Integer(2)]));
        let mut joined = Vec::new();
        for (sql, parameters) in &statements {
            joined.push(bound(sql, parameters.clone()));
        }
        let joined = rows_of(&mut session, joined).await;
        for ((sql, parameters), joined) in statements.iter().zip(&joined) {
            let alone = rows_of(&mut session, vec![bound(sql, parameters.clone())]).await;
            assert_eq!(&alone[0], joined, "{sql} {parameters:?}");
        }
    }
}

/// All statements of the ledger, in an order in which each does something.
/// What scripts told within a transaction, their errors, and the rows that they leave; sent together or one by one.
async fn heard(session: &mut dyn Session, texts: &[&str], together: bool) -> (Vec<Told>, Option<String>, Vec<Row>) {
    session
        .send(vec![control("drop table if exists t; create table t (n int primary key, s varchar(3))")])
        .await
        .unwrap();
    let mut told = Vec::new();
    let mut failed = None;
    // A script is joined only where the flight itself has begun the transaction.
    let begun = usize::from(together);
    let mut items = scripts(texts);
    if together {
        items.insert(0, Item::Begin);
    } else {
        session.send(vec![Item::Begin]).await.unwrap();
    }
    let mut record = Record::default();
    if let Err(FlightError::Failed { item, error }) = session.flight(&mut items.into_iter(), &mut record).await {
        let at = item - u64::from(together);
        failed =
            Some(format!("{at} {:?} {:?} {error} {:?} {:?}", error.kind, error.code, error.position, error.detail));
    }
    for heard in record.0.into_iter().skip(begun) {
        told.push(match heard {
            Told::Landed(item, affected) => Told::Landed(item - u64::from(together), affected),
            notice @ Told::Notice(..) => notice,
        });
    }
    let rows =
        if failed.is_none() { session.query("select * from t order by n", &[]).await.unwrap() } else { Vec::new() };
    session.settle().await.unwrap();
    (told, failed, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_change_rows_are_the_same_joined_as_alone() {
    let runs: [&[&str]; 14] = [
        &["insert into t values (1, 'a')", "update t set s = 'b'", "delete from t", "replace into t values (1, 'c')"],
        &["insert ignore into t values (1, 'long')", "insert ignore into t values (2, 'long'), (3, 'long')", "do 1"],
        &["insert ignore into t values (1, 'long')", "insert into t values (row_count(), 'n')", "do 1"],
        &["insert into t values (1, 'a'), (2, 'b')", "insert into t values (10 + row_count(), 'n')", "do 1"],
        &[
            "insert into t values (1, '; #') -- ; why",
            "insert into t values (2, '--') # ; no",
            "update t set n = n + 10",
        ],
        &["insert into t values /* ; */ (1, 'a')", "insert into t values /*!50000 (2, 'a'), */ (3, 'b')", "do 1"],
        &[r"insert into t values (1, ''')", r"insert into t values (2, '\')", "do 1"],
        &["select 1, 2 union select 3, 4", "with a as (select 1) select * from a", "insert into t select 1, 'a'"],
        &["insert into t values (1, 'a')", "insert into t values (1, 'b')", "insert into t values (2, 'c')"],
        &["insert into t values (1, 'a')", "insert into t valuesss (1, 'b')", "insert into t values (2, 'c')"],
        &["insert into t values (1, 'a')", "insert into t values (2, 'b'", "insert into t values (3, 'c')"],
        &["insert into t values (1, 'a')", "insert into t values (2,\n nope)", "insert into t values (3, 'c')"],
        &["insert into t values (1, 'a')", "insert into t (n) values (';' oops ';')", "insert into t values (3, 'c')"],
        &["insert into t values (1, 'a')", "do 1; insert into t values (2, 'b')", "insert into t values (3, 'c')"],
    ];
    for database in databases() {
        let mut session = connect(&database.url()).await;
        for texts in runs {
            let alone = heard(&mut session, texts, false).await;
            let together = heard(&mut session, texts, true).await;
            assert_eq!(together, alone, "{texts:?}");
        }
    }
}

fn ledger_items(ledger: &Ledger) -> Vec<Item> {
    let text = |text: &str| Value::Text(text.to_owned());
    let row = RowEntry {
        identity: "V1".to_owned(),
        version: Some("1".to_owned()),
        name: "größer 'als' \\ \u{1F422}".to_owned(),
        checksum: "c".repeat(64),
        up_checksum: "u".repeat(64),
        state: Some(RowState::Partial),
        done: 1,
        total: 3,
        applied_by: "ann@häuser".to_owned(),
        execution_ms: 5_000_000_000,
        rollback: Some("drop table `ö`;\n-- it's \\n \"x\"\n".to_owned()),
        rollback_origin: Some("{\"file\": \"a\\\\b\"}".to_owned()),
        rollback_values: None,
        depends_on: "[\"ä\"]".to_owned(),
        plan_digest: None,
        epoch: 1,
        step_mark: "mark".to_owned(),
        rank: None,
        is_new: false,
    };
    let skipped = RowEntry { identity: "V2".to_owned(), version: None, state: None, ..row.clone() };
    let journal = JournalEntry {
        identity: "V1".to_owned(),
        direction: Direction::Apply,
        done: 1,
        done_hash: "d".repeat(64),
        current: Some((2, "h".repeat(64), Some("before ü\\'".to_owned()))),
        epoch: 1,
    };
    let idle = JournalEntry { identity: "V2".to_owned(), current: None, ..journal.clone() };
    let audit = |detail: &str| AuditEntry {
        actor: "ann@\u{e9}".to_owned(),
        operation: "apply".to_owned(),
        identity: Some("V1".to_owned()),
        outcome: "failed",
        detail: detail.to_owned(),
    };
    let one = |statement, parameters| ledger.bound(statement, parameters);
    let identity = || text("V1");
    let mut items = vec![
        ledger.plain(&sql::EXISTS, Vec::new()),
        one(&sql::ENSURE_HEAD, Vec::new()),
        ledger.plain(&sql::TRY_LOCK, vec![text("limosa joined as prepared")]),
        one(&sql::TAKE_LEASE, vec![text("hölder"), false.into(), text("x"), text("7:1")]),
        one(&sql::HOLD_LEASE, Vec::new()),
        one(&sql::FENCE, vec![1.into(), text("mark"), text(""), text("1é")]),
        ledger.write_row(&RowEntry { done: 0, ..row.clone() }),
        ledger.write_row(&row),
        ledger.write_row(&skipped),
        one(&sql::GUARD_ROW, vec![identity(), 1.into(), text("other")]),
        one(&sql::PROGRESS_ROW, vec![identity(), 1.into(), text("third"), text("partial"), 2.into(), 3.into()]),
        one(&sql::ACCEPT_ROW, vec![identity(), text("a"), text("b"), text("näme")]),
        ledger.write_journal(&journal),
        ledger.write_journal(&idle),
        one(&sql::RETRY_JOURNAL, vec![identity(), text("up")]),
        one(&sql::SET_METADATA, vec![text("këy"), text("vålue")]),
        one(&sql::HEARTBEAT, vec![1.into()]),
        ledger.bound_lists(&sql::ROLLBACKS_OF, vec![identity(), text("another")]).remove(0),
        one(&sql::STEP_MARK_OF, vec![identity()]),
    ];
    items.extend(ledger.audit(&audit("{\"a\": \"it's \\\\ \\n \"}")));
    items.extend(ledger.audit(&audit("plain")));
    items.extend(ledger.reads());
    items.extend([
        one(&sql::AUDIT_PAGE, vec![0.into(), 10.into()]),
        one(&sql::AUDIT_NEWEST, vec![1.into()]),
        one(&sql::DELETE_JOURNAL, vec![identity(), text("up")]),
        one(&sql::DELETE_ROW, vec![identity()]),
        one(&sql::RELEASE_LEASE, vec![1.into()]),
        one(&sql::FENCE_OFF, vec![1.into()]),
        ledger.plain(&sql::SET_VERSION, vec![text("3")]),
        ledger.plain(&sql::UNLOCK, vec![text("limosa joined as prepared")]),
    ]);
    items.extend(ledger.reads());
    items
}

/// Times, and hashes over them, are different each time.
fn without_times(rows: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
    let masked = |value: Value| match value {
        Value::Text(text) if text.starts_with("20") && text.contains(':') => {
            Value::Text(format!("time {}", text.len()))
        }
        Value::Text(text) if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => "hash".into(),
        other => other,
    };
    rows.into_iter()
        .map(|rows| rows.into_iter().map(|row| Row(row.0.into_iter().map(masked).collect())).collect())
        .collect()
}

/// What landed: rows and counts.
#[derive(Default)]
struct All(Vec<Vec<Row>>, Vec<Option<u64>>);

impl FlightObserver for All {
    fn landed(&mut self, _: u64, landed: Landed) {
        self.0.push(landed.rows);
        self.1.push(landed.affected);
    }
    fn notice(&mut self, _: Notice) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_the_same_joined_as_prepared() {
    for server in servers() {
        let mut found = Vec::new();
        for together in [false, true] {
            let database = server.create_database().unwrap();
            let mut session = connect(&database.url()).await;
            let ledger = Ledger::new(LedgerNames::new(Engine::Mysql, "limosa"), "pröject's");
            fly(&mut session, vec![ledger.create()]).await.unwrap();
            let items = ledger_items(&ledger);
            let mut all = All::default();
            if together {
                session.flight(&mut items.into_iter(), &mut all).await.unwrap();
            } else {
                for item in items {
                    session.flight(&mut vec![item].into_iter(), &mut all).await.unwrap();
                }
            }
            assert!(all.0.iter().filter(|rows| !rows.is_empty()).count() > 12);
            found.push((without_times(all.0), all.1));
        }
        for (number, (alone, joined)) in found[0].0.iter().zip(&found[1].0).enumerate() {
            assert_eq!(alone, joined, "{number}");
        }
        assert_eq!(found[0], found[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn places_of_errors_are_counted_in_the_text_of_the_item() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        for sql in [
            "select $1, $2, $3 oops oops",
            "select $3 = $1, '$2' oops oops, $2",
            "select OOPS.a, $1, $2, $3 from (select 1) as oops oops",
        ] {
            for behind in [vec![], vec![bound("select $1 oops2", vec![1.into()]), Item::Commit]] {
                let parameters = vec!["a somewhat long text".into(), "it's".into(), Value::Integer(1)];
                let mut items = vec![Item::Begin, control("set @a = 1;\n set @b = 2"), bound(sql, parameters)];
                items.extend(behind);
                let (item, error) = failure(&mut session, items).await;
                assert_eq!((item, error.position), (2, sql.rfind("oops")), "{sql}: {error}");
            }
        }
        let sql = "set @a = 1;\n -- why\n select 'é';\n set @b = oops oops;";
        let (item, error) = failure(&mut session, vec![Item::Begin, control(sql), Item::Commit]).await;
        assert_eq!((item, error.position), (1, sql.rfind("oops")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_items_go_alone_and_in_order() {
    for server in servers() {
        let server =
            MysqlServer::start_with(server.version(), &ServerOptions::new().max_allowed_packet(16 << 20)).unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (n int auto_increment primary key, s longtext)").unwrap();
        let mut session = connect(&database.url()).await;
        let insert = "insert into t (s) values ($1)";
        let large = "é'".repeat(5 << 20 >> 1);
        let half = "x".repeat(700_000);
        let sizes = ["a", &large[..], "b", &half[..], &half[..], "c"];
        let mut items = vec![Item::Begin];
        items.extend(sizes.iter().map(|text| bound(insert, vec![(*text).into()])));
        items.push(Item::Commit);
        fly(&mut session, items).await.unwrap();
        let found = rows_of(&mut session, vec![bound("select length(s) from t order by n", Vec::new())]).await;
        let found: Vec<i64> = found[0].iter().map(|row| row.integer(0).unwrap()).collect();
        assert_eq!(found, sizes.map(|text| i64::try_from(text.len()).unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_within_a_joined_message_takes_all_of_it_back() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        let slow = "insert into t select sleep(7200) from (select 1 union all select 2) as twice";
        for dropped in [false, true] {
            let canceller = session.canceller();
            let items = vec![
                Item::Begin,
                bound(INSERT, vec![1.into()]),
                bound(slow, Vec::new()),
                bound(INSERT, vec![2.into()]),
                Item::Commit,
            ];
            let watched = database.clone();
            let asleep = tokio::task::spawn_blocking(move || {
                eventually("it sleeps", || {
                    let sql =
                        "select 1 from information_schema.processlist where db = database() and state = 'User sleep'";
                    !watched.query(sql).unwrap().is_empty()
                });
            });
            let mut items = items.into_iter();
            let mut collector = Collector::default();
            let mut flight = session.flight(&mut items, &mut collector);
            tokio::select! {
                _ = &mut flight => panic!("it must not end"),
                ended = asleep => ended.unwrap(),
            }
            if dropped {
                drop(flight);
                tokio::time::timeout(Duration::from_secs(60), session.settle()).await.unwrap().unwrap();
            } else {
                canceller.cancel().await.unwrap();
                let Err(FlightError::Failed { item, error }) = flight.await else { panic!("it was cancelled") };
                assert_eq!((item, error.kind), (2, DbErrorKind::Cancelled), "{error}");
                session.settle().await.unwrap();
            }
            assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
            let (_, error) = failure(&mut session, scripts(&["do 1; do 2"])).await;
            assert_eq!(error.code.as_deref(), Some("1064 (42000)"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_at_any_time_leave_all_or_nothing() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let mut session = connect(&database.url()).await;
        for turn in 0..150 {
            let canceller = session.canceller();
            let task = tokio::spawn(async move { canceller.cancel().await });
            let mut items = vec![Item::Begin];
            items.extend((0..40).map(|n| bound(INSERT, vec![n.into()])));
            items.push(Item::Commit);
            let flown = fly(&mut session, items).await;
            let _ = task.await.unwrap();
            let expected = match &flown {
                Ok(()) => "40",
                Err(FlightError::Failed { error, .. }) => {
                    assert_eq!(error.kind, DbErrorKind::Cancelled, "{turn}: {error:?}");
                    "0"
                }
                Err(other) => panic!("{other}"),
            };
            assert_eq!(
                text(&mut session, "select count(*) from t").await.as_deref(),
                Some(expected),
                "{turn} {flown:?}"
            );
            fly(&mut session, scripts(&["truncate t"])).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_within_a_joined_answer_fails_at_the_item_that_was_not_heard() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let server = servers().into_iter().find(|server| server.port() == database.port()).unwrap();
        let proxy = Proxy::start(server).unwrap();
        proxy.set_quiet(Duration::ZERO);
        let items = || {
            let mut items = vec![Item::Begin];
            items.extend((0..4).map(|n| bound(INSERT, vec![n.into()])));
            items.push(Item::Commit);
            items
        };
        // The first answer is that to the option; behind the last one nothing is lost but the connection.
        for answer in 1..=8 {
            database.execute("truncate t").unwrap();
            let mut session = connect(&proxy.url(&database)).await;
            proxy.reset();
            proxy.cut(Cut::before(Side::Server, answer));
            let flown = fly(&mut session, items()).await;
            match flown {
                Ok(()) => assert_eq!(answer, 8),
                Err(FlightError::Failed { item, error }) => {
                    assert_eq!(error.kind, DbErrorKind::ConnectionLost);
                    assert_eq!(item, u64::try_from(answer).unwrap().saturating_sub(2));
                }
                Err(other) => panic!("{other}"),
            }
            assert_eq!(proxy.cuts_done(), 1);
            assert_eq!(session.settle().await.unwrap_err().kind, DbErrorKind::ConnectionLost);
            // The server may still be at work on what it was sent: what it does then must not reach the next turn.
            eventually("the server is done with it", || {
                let sql =
                    "select 1 from information_schema.processlist where db = database() and id <> connection_id()";
                database.query(sql).unwrap().is_empty()
            });
            let rows = database.query("select n from t").unwrap().len();
            assert!([0, 4].contains(&rows), "{answer}: {rows}");
        }
    }
}
