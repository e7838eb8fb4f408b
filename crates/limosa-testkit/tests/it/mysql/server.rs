//! Servers: started, given databases and users, hurt, stopped.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use limosa_testkit::mysql::{self, ServerOptions};
use limosa_testkit::{MysqlServer, eventually};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};

fn one(text: &str) -> Vec<Vec<Option<String>>> {
    vec![vec![Some(text.to_owned())]]
}

#[test]
fn every_tested_version_starts_once_and_gives_databases_of_their_own() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        assert!(std::ptr::eq(server, mysql::shared(&version).unwrap()));
        let (a, b) = (server.create_database().unwrap(), server.create_database().unwrap());
        assert_ne!(a.name(), b.name());
        a.execute("create table t (n int, s text); insert into t values (1, null), (2, 'x')").unwrap();
        assert_eq!(
            a.query("select * from t order by n; select 3").unwrap(),
            [
                vec![Some("1".to_owned()), None],
                vec![Some("2".to_owned()), Some("x".to_owned())],
                vec![Some("3".to_owned())]
            ]
        );
        assert_eq!(b.query("show tables").unwrap(), [[None; 0]; 0]);
        let said = server.query("mysql", "select version()").unwrap()[0][0].clone().unwrap();
        assert!(said.starts_with(&format!("{}.{}.", version.major(), version.minor())), "{said}");
        assert_eq!(said.contains("MariaDB"), version.is_mariadb());
    }
}

async fn current_user(opts: Opts) -> (String, String) {
    let mut connection = Conn::new(opts).await.unwrap();
    let row: (String, String) = connection.query_first("select current_user(), database()").await.unwrap().unwrap();
    connection.disconnect().await.unwrap();
    row
}

#[tokio::test]
async fn the_url_and_the_socket_work_from_an_asynchronous_test() {
    for version in mysql::tested().unwrap() {
        let database = mysql::shared(&version).unwrap().create_database().unwrap();
        let url = Opts::from_url(&database.url()).unwrap();
        let tcp = OptsBuilder::from_opts(url.clone()).prefer_socket(false);
        let socket = OptsBuilder::from_opts(url).socket(Some(database.socket().to_string_lossy()));
        for opts in [tcp, socket] {
            let expected = (format!("{}@%", database.user()), database.name().to_owned());
            assert_eq!(current_user(opts.into()).await, expected);
        }
    }
}

#[test]
fn an_sql_error_names_message_code_and_statement() {
    let server = mysql::shared(&mysql::newest().unwrap()).unwrap();
    let error = server.execute("mysql", "select 1; select nothing_here").unwrap_err().to_string();
    let expected = "'nothing_here' in 'SELECT' (1054, 42S22), sent: select 1; select nothing_here";
    assert!(error.to_lowercase().contains(&expected.to_lowercase()), "{error}");
}

#[test]
fn a_user_has_only_the_rights_that_were_given() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (n int)").unwrap();
        let user = format!("reader_{}", database.name());
        server.create_user(&user, "pass'word", &[&format!("select on {}.*", database.name())]).unwrap();
        let session = database.session_for(&user, "pass'word").unwrap();
        session.query("select * from t").unwrap();
        let error = session.execute("insert into t values (1)").unwrap_err().to_string();
        assert!(error.contains("(1142, 42000)"), "{error}");
        database.session_for(&user, "wrong").unwrap_err();
    }
}

#[test]
fn a_dedicated_server_has_its_own_settings_and_starts_again() {
    for version in mysql::tested().unwrap() {
        let options = ServerOptions::new()
            .sql_mode("ANSI_QUOTES")
            .max_allowed_packet(1 << 20)
            .performance_schema(true)
            .setting("lock_wait_timeout", "77")
            .password("other");
        let server = MysqlServer::start_with(&version, &options).unwrap();
        let sql = "select concat_ws(' ', @@global.sql_mode, @@global.max_allowed_packet, if(@@performance_schema, 1, 0), \
                   @@lock_wait_timeout)";
        assert_eq!(server.query("mysql", sql).unwrap(), one("ANSI_QUOTES 1048576 1 77"));
        let database = server.create_database().unwrap();
        assert!(database.url().contains(":other@127.0.0.1:"));
        database.session_for(database.user(), "other").unwrap();
        database.execute("create table kept (n int)").unwrap();
        server.restart().unwrap();
        assert_eq!(database.query("select count(*) from kept").unwrap(), one("0"));
        server.stop().unwrap();
        assert_eq!(server.pid(), None);
        database.execute("select 1").unwrap_err();
        server.start_again().unwrap();
        database.execute("select 1").unwrap();
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}

#[test]
fn a_durable_server_keeps_what_was_committed_when_it_is_killed() {
    for version in mysql::tested().unwrap() {
        let server = MysqlServer::start_with(&version, &ServerOptions::new().durable()).unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (n int)").unwrap();
        let open = database.session().unwrap();
        open.execute("begin; insert into t values (1)").unwrap();
        database.execute("insert into t values (2)").unwrap();
        server.kill_hard().unwrap();
        open.execute("commit").unwrap_err();
        server.start_again().unwrap();
        assert_eq!(database.query("select n from t").unwrap(), one("2"));
    }
}

#[test]
fn a_read_only_server_refuses_writes_of_others() {
    for version in mysql::tested().unwrap() {
        let server = MysqlServer::start_with(&version, &ServerOptions::new().read_only()).unwrap();
        let database = server.create_database().unwrap();
        server.create_user("writer", "w", &["all privileges on `test%`.*"]).unwrap();
        let error = database.session_for("writer", "w").unwrap().execute("create table t (n int)").unwrap_err();
        assert!(error.to_string().contains("(1290, HY000)"), "{error}");
        database.execute("create table t (n int)").unwrap();
    }
}

/// Runs in a process of its own, started by the test below: starts a server and waits to be killed.
#[test]
#[ignore = "only a part of the_guardian_stops_servers_after_kill_9"]
fn part_start_a_server_and_wait() {
    let Ok(report) = std::env::var("TESTKIT_REPORT") else { return };
    let version = mysql::newest().unwrap();
    let server = mysql::shared(&version).unwrap();
    // Where the tests may mount, the disk goes too.
    let _with_disk = MysqlServer::start_with(&version, &ServerOptions::new().disk(200 << 20));
    let partial = format!("{report}.partial");
    std::fs::write(&partial, format!("{} {}", server.pid().unwrap(), server.folder().display())).unwrap();
    std::fs::rename(partial, report).unwrap();
    sleep(Duration::from_secs(600));
}

#[test]
fn the_guardian_stops_servers_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "mysql::server::part_start_a_server_and_wait"])
        .env("TESTKIT_REPORT", &report)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the other process has a server", || report.exists());
    let text = std::fs::read_to_string(&report).unwrap();
    let (pid, server) = text.split_once(' ').unwrap();
    let alive = || Command::new("sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status().unwrap().success();
    assert!(alive());
    let server = PathBuf::from(server);
    let root: &Path = server.parent().unwrap();
    let mounted = || std::fs::read_to_string("/proc/mounts").unwrap_or_default().contains(root.to_str().unwrap());
    let may_mount = std::fs::metadata(root).unwrap().uid() == 0;
    assert_eq!(mounted(), may_mount);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    eventually("the server is gone", || !alive());
    eventually("the disk is gone", || !mounted());
    eventually("the folder is gone", || !root.exists());
}
