//! The proxy in front of MariaDB and MySQL: messages, waits, cuts.

use std::time::Duration;

use limosa_testkit::mysql::{self, MysqlVersion, TestDatabase};
use limosa_testkit::proxy::{Cut, Ending, Message, Protocol, Side, Target};
use limosa_testkit::{Limosa, Proxy, eventually};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};

/// Long, so that a busy machine does not make a client look silent in the middle of a pipeline.
const QUIET: Duration = Duration::from_millis(200);

fn database(version: &MysqlVersion) -> TestDatabase {
    mysql::shared(version).unwrap().create_database().unwrap()
}

fn proxy_to(version: &MysqlVersion) -> Proxy {
    let proxy = Proxy::start(mysql::shared(version).unwrap()).unwrap();
    proxy.set_quiet(Duration::ZERO);
    proxy
}

async fn try_connect(url: &str) -> mysql_async::Result<Conn> {
    let url = Opts::from_url(url).unwrap();
    // Without these two the client would ask the server for them.
    let asked = OptsBuilder::from_opts(url).max_allowed_packet(Some(1 << 24)).wait_timeout(Some(600));
    Conn::new(asked.prefer_socket(false)).await
}

async fn connect(url: &str) -> Conn {
    try_connect(url).await.unwrap()
}

/// Kind and text of the messages of one side, without the start-up.
fn said(proxy: &Proxy, side: Side) -> Vec<(char, String)> {
    let own = |message: &Message| message.side == side && message.kind != '!';
    proxy.messages().into_iter().filter(own).map(|message| (message.kind, message.text)).collect()
}

fn pairs(expected: &[(char, &str)]) -> Vec<(char, String)> {
    expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
}

#[tokio::test]
async fn messages_are_listed_by_side_kind_and_sql() {
    for version in mysql::tested().unwrap() {
        let database = database(&version);
        let proxy = proxy_to(&version);
        let mut client = connect(&proxy.url(&database)).await;
        client.query_drop("create table t (n int)").await.unwrap();
        client.exec_drop("insert into t values (?)", (7,)).await.unwrap();
        let found: Option<i32> = client.query_first("select n from t; do 1").await.unwrap();
        assert_eq!(found, Some(7));
        client.query_drop("nonsense").await.unwrap_err();
        client.disconnect().await.unwrap();
        let of_client = [
            ('Q', "create table t (n int)"),
            ('P', "insert into t values (?)"),
            ('E', "insert into t values (?)"),
            ('Q', "select n from t; do 1"),
            ('Q', "nonsense"),
            ('X', ""),
        ];
        eventually("the client's end is heard", || said(&proxy, Side::Client) == pairs(&of_client));
        let mut of_server = said(&proxy, Side::Server);
        let error = of_server.pop().unwrap();
        assert!(error.0 == 'E' && error.1.contains("nonsense"), "{error:?}");
        // Older clients are told where columns end.
        let answers = of_server.into_iter().filter(|message| message.0 != 'T').collect::<Vec<_>>();
        let expected = [
            ('C', "create table t (n int)"),
            ('1', "insert into t values (?)"),
            ('C', "insert into t values (?)"),
            ('D', ""),
            ('C', "select n from t; do 1"),
            ('C', "select n from t; do 1"),
        ];
        assert_eq!(answers, pairs(&expected), "{version}");
    }
}

#[tokio::test]
async fn each_answer_that_is_awaited_counts_once() {
    for version in mysql::tested().unwrap() {
        let database = database(&version);
        let proxy = proxy_to(&version);
        proxy.set_quiet(QUIET);
        let mut client = connect(&proxy.url(&database)).await;
        assert_eq!(proxy.waits(), 0, "connecting does not count");
        for _ in 0..3 {
            client.query_drop("do 1").await.unwrap();
        }
        assert_eq!(proxy.waits(), 3);
        proxy.reset();
        client.query_drop("do 1; do 2; do sleep(0.3); select 4").await.unwrap();
        assert_eq!(proxy.waits(), 1);
        proxy.reset();
        // Prepare, then execute; closing it waits for nothing.
        let statement = client.prep("do ?").await.unwrap();
        client.exec_drop(&statement, (1,)).await.unwrap();
        client.close(statement).await.unwrap();
        client.query_drop("do 1").await.unwrap();
        assert_eq!(proxy.waits(), 3);
    }
}

#[tokio::test]
async fn a_lost_answer_to_commit_leaves_the_work_done() {
    for version in mysql::tested().unwrap() {
        let database = database(&version);
        database.execute("create table t (n int)").unwrap();
        for ending in [Ending::Close, Ending::Reset] {
            let proxy = proxy_to(&version);
            let mut client = connect(&proxy.url(&database)).await;
            proxy.cut(Cut::before_completion("COMMIT").ending(ending));
            client.query_drop("begin").await.unwrap();
            client.query_drop("insert into t values (1)").await.unwrap();
            let error = client.query_drop("commit").await.unwrap_err();
            assert!(!matches!(error, mysql_async::Error::Server(_)), "the server said nothing: {error}");
            assert_eq!(proxy.cuts_done(), 1);
        }
        assert_eq!(database.query("select count(*) from t").unwrap(), [[Some("2".to_owned())]]);
    }
}

#[tokio::test]
async fn a_statement_that_is_cut_off_before_the_server_never_runs() {
    for version in mysql::tested().unwrap() {
        let database = database(&version);
        database.execute("create table t (n int)").unwrap();
        let proxy = proxy_to(&version);
        let mut client = connect(&proxy.url(&database)).await;
        proxy.cut(Cut::before_text(Side::Client, "values (2)"));
        client.query_drop("insert into t values (1)").await.unwrap();
        client.query_drop("insert into t values (2)").await.unwrap_err();
        let mut client = connect(&proxy.url(&database)).await;
        proxy.cut(Cut::after_text(Side::Client, "values (3)"));
        client.query_drop("insert into t values (3)").await.unwrap_err();
        let rows = || database.query("select n from t order by n").unwrap();
        let expected = [[Some("1".to_owned())], [Some("3".to_owned())]];
        eventually("the third arrives, the second never", || rows() == expected);
    }
}

#[tokio::test]
async fn every_message_can_be_the_last() {
    for version in mysql::tested().unwrap() {
        let database = database(&version);
        database.execute("create table t (n int)").unwrap();
        for side in [Side::Client, Side::Server] {
            for forward in [true, false] {
                let mut number = 0;
                loop {
                    number += 1;
                    let proxy = proxy_to(&version);
                    proxy.cut(if forward { Cut::after(side, number) } else { Cut::before(side, number) });
                    let finished = insert_twice(&proxy.url(&database)).await;
                    if proxy.cuts_done() == 0 {
                        assert!(finished, "nothing was cut");
                        break;
                    }
                    let sent = proxy.count(side);
                    assert!(sent >= number, "{sent} of {number}");
                }
                // Start-up, three queries and the end, which may come too late to be cut; the greeting, columns, rows, answers.
                assert!(number >= if side == Side::Client { 5 } else { 8 }, "{side:?} {number}");
            }
        }
        let rows = database.query("select count(*) from t").unwrap();
        assert_ne!(rows[0][0].as_deref(), Some("0"));
    }
}

async fn insert_twice(url: &str) -> bool {
    let Ok(mut client) = try_connect(url).await else { return false };
    for sql in ["insert into t values (1)", "select 1", "insert into t values (2)"] {
        if client.query_drop(sql).await.is_err() {
            return false;
        }
    }
    client.disconnect().await.is_ok()
}

#[test]
fn a_client_that_stands_still_at_a_statement_can_be_killed_there() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        let database = database(&version);
        database.execute("create table t (n int)").unwrap();
        let proxy = proxy_to(&version);
        proxy.cut(Cut::after_text(Side::Client, "values (2)").ending(Ending::Hang));
        let url = proxy.url(&database);
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut client = connect(&url).await;
                client.query_drop("begin").await.unwrap();
                client.query_drop("insert into t values (1)").await.unwrap();
                client.query_drop("insert into t values (2)").await.is_ok()
            })
        });
        eventually("it hangs", || proxy.cuts_done() == 1);
        let sessions = || {
            let own = |process: &mysql::Process| process.database.as_deref() == Some(database.name());
            server.processes().unwrap().iter().filter(|process| own(process)).count()
        };
        eventually("the statement runs on the server", || {
            let transactions = "select count(*) from information_schema.innodb_trx where trx_rows_modified = 2 and \
                                trx_mysql_thread_id in (select id from information_schema.processlist where db = database())";
            database.query(transactions).unwrap() == [[Some("1".to_owned())]]
        });
        assert!(!client.is_finished());
        proxy.resume();
        assert!(!client.join().unwrap(), "the answer never came");
        eventually("the server has ended the session", || sessions() == 0);
        assert_eq!(database.query("select * from t").unwrap(), [[None; 0]; 0]);
    }
}

#[test]
fn another_client_is_understood_too() {
    for version in mysql::tested().unwrap().into_iter().filter(MysqlVersion::is_mariadb) {
        let database = database(&version);
        database
            .execute("create table t (n int primary key, s text); insert into t values (1, 'a'), (2, null)")
            .unwrap();
        let server = mysql::shared(&version).unwrap();
        let proxy = Proxy::start(Target::new(Protocol::Mysql, server.socket())).unwrap();
        proxy.set_quiet(Duration::ZERO);
        let program = |name: &str| {
            Limosa::new(version.program(name).unwrap())
                .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--skip-ssl", "--user", database.user()])
                .arg(format!("--password={}", database.password()))
                .arg(format!("--port={}", proxy.port()))
        };
        let sql = "select n, s from t; alter table t add m int, algorithm = copy; nonsense";
        let output = program("mariadb").args(["--batch", "--force", "--execute", sql, database.name()]).run().unwrap();
        assert!(output.stdout.contains("2\tNULL") && output.stderr.contains("nonsense"), "{output}");
        let client = said(&proxy, Side::Client);
        for sql in ["select n, s from t", "alter table t add m int, algorithm = copy"] {
            assert!(client.iter().any(|(kind, text)| *kind == 'Q' && text == sql), "{client:?}");
        }
        let server = said(&proxy, Side::Server);
        let rows = server.iter().filter(|(kind, _)| *kind == 'D').count();
        assert!(rows >= 2 && server.contains(&('C', "select n, s from t".to_owned())), "{server:?}");
        assert!(server.iter().any(|(kind, text)| *kind == 'E' && text.contains("nonsense")), "{server:?}");

        proxy.reset();
        let output = program("mariadb-dump").arg(database.name()).run().unwrap().assert_code(0);
        assert!(output.stdout.contains("INSERT INTO `t` VALUES"), "{output}");
        let answered = said(&proxy, Side::Server).iter().filter(|(kind, _)| *kind == 'C').count();
        assert!(answered > 10, "{answered} answers");
        assert_eq!(said(&proxy, Side::Client).last(), Some(&('X', String::new())));
    }
}
