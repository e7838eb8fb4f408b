//! Connections that are killed or cut in the middle of DDL, servers that die: the next run waits, or finds what became of it.

use limosa_testkit::eventually;
use limosa_testkit::mysql::ServerOptions;
use limosa_testkit::proxy::Traffic;

use super::{goes_on, home, home_on, own_server, proxy_to, shared};
use crate::place::Home;
use crate::running::{Running, exit, says, well};

/// An ALTER that waits until the holder lets go.
fn busy(home: &Home) -> limosa_testkit::mysql::Session {
    home.execute("create table busy (n int)");
    home.file(
        "001_alter.sql",
        "-- Lock-timeout: 600s\ncreate table early (n int);\nalter table busy add column m int;\ncreate table behind (n int);\n",
    );
    let holder = home.mysql().session().unwrap();
    holder.execute("begin; select * from busy").unwrap();
    holder
}

const ALTERING: &str = "select id from information_schema.processlist where db = database() and info like 'alter table busy%' and id <> connection_id()";

fn altering(home: &Home) -> u64 {
    eventually("it alters", || !home.rows(ALTERING).is_empty());
    home.rows(ALTERING)[0].parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_killed_in_the_middle_of_ddl() {
    let home = home();
    let holder = busy(&home);
    let run = home.start();
    let session = altering(&home);
    shared().kill_session(session).unwrap();
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R006"]);
    holder.execute("rollback").unwrap();
    home.wait_until_alone();
    assert_eq!(goes_on(home.configuration()).await, ["busy shows no change: it runs again"]);
    assert_eq!(home.tables(), ["behind", "busy", "early"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_another_kills_is_in_no_doubt() {
    let home = home();
    let holder = busy(&home);
    let run = home.start();
    let session = altering(&home);
    shared().kill_query(session).unwrap();
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["001_alter.sql:3:1", "1317"]);
    holder.execute("rollback").unwrap();
    well(&home.migrate().await);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_still_runs_on_the_server_is_waited_for() {
    let home = home();
    let holder = busy(&home);
    let proxy = proxy_to(shared());
    let run = Running::migrate(home.through(&proxy));
    altering(&home);
    // The client is gone, and the server does not know.
    proxy.set_traffic(Traffic::Paused);
    run.kill().await;
    let mut patient = home.configuration();
    patient.lock_wait = std::time::Duration::from_millis(1500);
    let result = Running::migrate(patient).end().await;
    assert_eq!(exit(&result), 4, "it still runs: {}", crate::place::error_text(&result));
    says(&result, &["tester@here"]);
    assert!(!home.rows(ALTERING).is_empty());

    let mut patient = home.configuration();
    patient.lock_wait = std::time::Duration::from_secs(60);
    let second = Running::migrate(patient);
    second.wait_for("it waits", |event| matches!(event, limosa::Event::LockHeld { .. }));
    holder.execute("rollback").unwrap();
    // The server finds the connection gone when it is done.
    eventually("it has altered", || home.rows(ALTERING).is_empty());
    drop(proxy);
    well(&second.end().await);
    assert_eq!(
        home.rows(
            "select count(*) from information_schema.columns where table_schema = database() and table_name = 'busy'"
        ),
        ["2"]
    );
    assert_eq!(home.tables(), ["behind", "busy", "early"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_in_the_middle_of_ddl() {
    let server = own_server(&ServerOptions::new().durable());
    let home = home_on(&server);
    let _holder = busy(&home);
    let run = home.start();
    altering(&home);
    server.kill_hard().unwrap();
    let result = run.end().await;
    assert_eq!(exit(&result), 3);
    says(&result, &["LIM-R006"]);
    server.start_again().unwrap();
    assert_eq!(home.ledger(), ["1|partial"]);
    assert_eq!(goes_on(home.configuration()).await, ["busy shows no change: it runs again"]);
    assert_eq!(home.tables(), ["behind", "busy", "early"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_while_it_copies_a_table() {
    let server = own_server(&ServerOptions::new().durable());
    let home = home_on(&server);
    home.execute(
        "create table t (n int, c varchar(200)); insert into t select seq, repeat('x', 200) from seq_1_to_200000",
    );
    home.file("001_alter.sql", "create table early (n int);\nalter table t add column m int, algorithm = copy;\ncreate table behind (n int);\n");
    let run = home.start();
    let copying = "select id from information_schema.processlist where db = database() and info like 'alter table t%' and state like 'copy%'";
    eventually("it copies", || run.is_over() || !home.rows(copying).is_empty());
    server.kill_hard().unwrap();
    let _ = run.end().await;
    server.start_again().unwrap();
    well(&home.migrate().await);
    assert_eq!(home.tables(), ["behind", "early", "t"]);
    assert_eq!(home.rows("select count(*) from t"), ["200000"]);
    home.assert_sound().await;
}
