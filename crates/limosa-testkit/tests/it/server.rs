//! Servers: started, given databases, hurt, stopped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use limosa_testkit::{PostgresServer, ServerOptions, eventually, postgres};

fn one(text: &str) -> Vec<Vec<Option<String>>> {
    vec![vec![Some(text.to_owned())]]
}

#[test]
fn every_tested_version_starts_once_and_gives_databases_of_their_own() {
    let versions = postgres::tested().unwrap();
    assert!(versions.len() >= 2, "one old and one new server are needed, found {versions:?}");
    for version in versions {
        let server = postgres::shared(&version).unwrap();
        assert!(std::ptr::eq(server, postgres::shared(&version).unwrap()));
        let (a, b) = (server.create_database().unwrap(), server.create_database().unwrap());
        assert_ne!(a.name(), b.name());
        a.execute("create table t (n int, s text); insert into t values (1, null), (2, 'x')").unwrap();
        assert_eq!(
            a.query("select * from t order by n").unwrap(),
            [[Some("1".to_owned()), None], [Some("2".to_owned()), Some("x".to_owned())]]
        );
        assert_eq!(b.query("select count(*) from pg_tables where tablename = 't'").unwrap(), one("0"));
        let number = server.query("postgres", "show server_version_num").unwrap();
        let number: u32 = number[0][0].as_ref().unwrap().parse().unwrap();
        assert_eq!(number / 10_000, version.major());
    }
}

#[tokio::test]
async fn both_urls_work_from_an_asynchronous_test() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    for url in [database.url(), database.socket_url()] {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let name: String = client.query_one("select current_database()::text", &[]).await.unwrap().get(0);
        assert_eq!(name, database.name());
        drop(client);
        driver.await.unwrap().unwrap();
    }
}

#[test]
fn an_sql_error_names_message_code_and_statement() {
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let error = server.execute("postgres", "select nothing_here").unwrap_err().to_string();
    assert_eq!(error, "column \"nothing_here\" does not exist (42703), sent: select nothing_here");
}

#[test]
fn a_dedicated_server_has_its_own_settings_restarts_and_recovers() {
    for version in postgres::tested().unwrap() {
        let options = ServerOptions::new().setting("work_mem", "7MB");
        let server = PostgresServer::start_with(&version, &options).unwrap();
        assert_eq!(server.query("postgres", "show work_mem").unwrap(), one("7MB"));
        let database = server.create_database().unwrap();
        database.execute("create table kept ()").unwrap();
        server.restart().unwrap();
        server.stop_immediate().unwrap();
        database.execute("select 1").unwrap_err();
        server.start_again().unwrap();
        assert_eq!(database.query("select count(*) from kept").unwrap(), one("0"));
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}

#[test]
fn a_killed_backend_ends_all_sessions_and_the_server_recovers() {
    let server = PostgresServer::start(&postgres::newest().unwrap()).unwrap();
    let database = server.create_database().unwrap();
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| database.query("select pg_sleep(600)"));
        let find = "select pid from pg_stat_activity where query = 'select pg_sleep(600)'";
        eventually("the sleeper runs", || !server.query("postgres", find).unwrap().is_empty());
        let pid = server.query("postgres", find).unwrap()[0][0].as_ref().unwrap().parse().unwrap();
        server.kill_backend(pid).unwrap();
        sleeper.join().unwrap().unwrap_err();
    });
    eventually("the server has recovered", || server.execute("postgres", "select 1").is_ok());
}

#[test]
fn a_password_is_asked_for_over_tcp() {
    let options = ServerOptions::new().scram_password("se'cret");
    let server = PostgresServer::start_with(&postgres::newest().unwrap(), &options).unwrap();
    let database = server.create_database().unwrap();
    let connect = |password: &str| {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(server.port()).user("postgres").password(password);
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(config.connect(tokio_postgres::NoTls))
            .map(drop)
            .map_err(|error| error.code().unwrap().code().to_owned())
    };
    assert_eq!(connect("se'cret"), Ok(()));
    assert_eq!(connect("wrong"), Err("28P01".to_owned()));
    assert!(database.url().contains(":se'cret@"));
}

#[test]
fn a_replica_follows_and_refuses_to_write() {
    for version in postgres::tested().unwrap() {
        let options = ServerOptions::new();
        let (primary, replica) = PostgresServer::start_with_replica(&version, &options).unwrap();
        let database = primary.create_database().unwrap();
        database.execute("create table t (); insert into t default values").unwrap();
        replica.catch_up(&primary).unwrap();
        let copy = replica.database(database.name());
        assert_eq!(copy.query("select count(*) from t").unwrap(), one("1"));
        assert_eq!(copy.query("select pg_is_in_recovery()").unwrap(), one("t"));
        let error = copy.execute("insert into t default values").unwrap_err().to_string();
        assert!(error.contains("25006"), "{error}");
    }
}

/// Runs in a process of its own, started by the test below: starts a server and waits to be killed.
#[test]
#[ignore = "only a part of the_guardian_stops_servers_after_kill_9"]
fn part_start_a_server_and_wait() {
    let Ok(report) = std::env::var("TESTKIT_REPORT") else { return };
    let server = postgres::shared(&postgres::newest().unwrap()).unwrap();
    let partial = format!("{report}.partial");
    std::fs::write(&partial, server.folder().to_str().unwrap()).unwrap();
    std::fs::rename(partial, report).unwrap();
    sleep(Duration::from_secs(600));
}

#[test]
fn the_guardian_stops_servers_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "server::part_start_a_server_and_wait"])
        .env("TESTKIT_REPORT", &report)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the other process has a server", || report.exists());
    let server = PathBuf::from(std::fs::read_to_string(&report).unwrap());
    let pid_file = std::fs::read_to_string(server.join("data/postmaster.pid")).unwrap();
    let pid = pid_file.lines().next().unwrap().to_owned();
    let alive = || Command::new("sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status().unwrap().success();
    assert!(alive());
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    eventually("the server is gone", || !alive());
    let root: &Path = server.parent().unwrap();
    eventually("the folder is gone", || !root.exists());
}

#[test]
fn a_database_goes_with_its_last_handle() {
    let count = "select count(*) from pg_database where datname = ";
    for version in postgres::tested().unwrap() {
        let server = PostgresServer::start_with(&version, &ServerOptions::new().drops_databases()).unwrap();
        let database = server.create_database().unwrap();
        let (other, name) = (database.clone(), database.name().to_owned());
        let left_open = database.session().unwrap();
        drop(database);
        other.execute("select 1").unwrap();
        drop(other);
        let is_gone = || server.query("postgres", &format!("{count}'{name}'")).unwrap() == one("0");
        eventually("the database is dropped", is_gone);
        drop(left_open);
    }
}
