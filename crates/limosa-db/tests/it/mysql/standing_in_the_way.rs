//! Who blocks a session, as far as each server and each user can tell.

use std::time::Duration;

use limosa_db::engines::mysql::{self, MysqlSession};
use limosa_db::{Blocker, ConnectOptions, FlightError, Session};
use limosa_testkit::mysql::{MysqlServer, ServerOptions, TestDatabase};
use limosa_testkit::{MysqlVersion, eventually};
use tokio::task::JoinHandle;

use super::{connect, databases, fly, options, script, servers};

fn number(session: &MysqlSession) -> i64 {
    session.facts().backend.as_deref().unwrap().split(':').next().unwrap().parse().unwrap()
}

/// Sends a statement that will wait, and waits until it does. Gives the session's name.
async fn blocked(database: &TestDatabase, sql: &str) -> (String, JoinHandle<Result<(), FlightError>>) {
    let mut session = connect(&database.url()).await;
    let (name, number) = (session.facts().backend.clone().unwrap(), number(&session));
    let sql = sql.to_owned();
    let task = tokio::spawn(async move { fly(&mut session, vec![script(&sql)]).await });
    eventually("it waits", || {
        let sql = format!(
            "select 1 from information_schema.processlist where id = {number} \
             and (state like 'Waiting for %lock%' or state like 'updating%')"
        );
        !database.query(&sql).unwrap().is_empty()
    });
    (name, task)
}

/// Blockers once they are as expected. InnoDB keeps its lists for a tenth of a second after they were read last, by whom ever.
async fn found(watcher: &mut MysqlSession, name: &str, expected: impl Fn(&[Blocker]) -> bool) -> Vec<Blocker> {
    let mut found = Vec::new();
    for _ in 0..200 {
        found = watcher.blockers(name).await.unwrap();
        if expected(&found) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("never as expected: {found:?}");
}

fn is(holder: &limosa_testkit::mysql::Session) -> impl Fn(&[Blocker]) -> bool + use<> {
    let number = i64::try_from(holder.id()).unwrap();
    move |found| found.len() == 1 && found[0].pid == number
}

async fn release(holder: limosa_testkit::mysql::Session, task: JoinHandle<Result<(), FlightError>>) {
    holder.execute("rollback; unlock tables").unwrap();
    tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_one_holds() {
    for database in databases() {
        database.execute("create table t (n int primary key, m int); insert into t values (1, 1)").unwrap();
        let holder = database.session().unwrap();
        holder.execute("start transaction; update t set m = 2").unwrap();
        let (name, task) = blocked(&database, "update t set m = 3 where n = 1").await;
        let mut watcher = connect(&database.url()).await;
        let is_holder = is(&holder);
        let complete = |found: &[Blocker]| is_holder(found) && found[0].transaction_seconds.is_some();
        let found = found(&mut watcher, &name, complete).await;
        let blocker = &found[0];
        assert_eq!(blocker.user.as_deref(), Some("root"));
        assert_eq!(blocker.state.as_deref(), Some("idle in transaction"));
        assert_eq!(blocker.relation, Some(format!("{}.t", database.name())));
        assert!(blocker.grant.is_none());
        if !watcher.facts().is_mariadb() {
            assert_eq!(blocker.query.as_deref(), Some("update t set m = 2"), "what it ran last");
        }
        release(holder, task).await;
        self::found(&mut watcher, &name, <[Blocker]>::is_empty).await;
    }
}

/// Blockers of an ALTER TABLE that waits for a transaction that has read the table.
async fn behind_a_reader(database: &TestDatabase) -> Vec<Blocker> {
    database.execute("create table t (n int); insert into t values (1)").unwrap();
    let holder = database.session().unwrap();
    holder.execute("start transaction; select * from t").unwrap();
    let (name, task) = blocked(database, "alter table t add column m int").await;
    let mut watcher = connect(&database.url()).await;
    let is_holder = is(&holder);
    let complete = |found: &[Blocker]| is_holder(found) && found[0].transaction_seconds.is_some();
    let found = found(&mut watcher, &name, complete).await;
    release(holder, task).await;
    found
}

fn own_server(version: &MysqlVersion, options: &ServerOptions) -> (MysqlServer, TestDatabase) {
    let server = MysqlServer::start_with(version, options).unwrap();
    let database = server.create_database().unwrap();
    (server, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_another_one_reads() {
    for server in servers() {
        let version = server.version();
        let watching = ServerOptions::new()
            .performance_schema(true)
            .setting("performance_schema_instrument", "'wait/lock/metadata/sql/mdl=ON'");
        let (_server, database) = own_server(version, &watching);
        let found = behind_a_reader(&database).await;
        assert_eq!(found[0].state.as_deref(), Some("idle in transaction"), "{version}");
        assert_eq!(found[0].relation, Some(format!("{}.t", database.name())));
        // MariaDB keeps no last statements unless it is told to.
        let last = (!version.is_mariadb()).then_some("select * from t");
        assert_eq!((found[0].grant.as_deref(), found[0].query.as_deref()), (None, last));
        // Where the server keeps no book of such locks, those who may be it are named.
        let (_server, database) = own_server(version, &ServerOptions::new().performance_schema(false));
        let found = behind_a_reader(&database).await;
        assert_eq!(found[0].state.as_deref(), Some("idle in transaction; it may be this one"), "{version}");
        let remedy = if version.is_mariadb() { "INSTALL SONAME" } else { "GRANT SELECT ON performance_schema.*" };
        assert!(found[0].grant.as_deref().unwrap().starts_with(remedy), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_of_mariadb_shows_who_holds_a_table() {
    for server in servers() {
        let (_server, database) = own_server(server.version(), &ServerOptions::new());
        if !server.version().is_mariadb() || database.execute("install soname 'metadata_lock_info'").is_err() {
            // Packages leave the plugin out.
            continue;
        }
        let found = behind_a_reader(&database).await;
        assert_eq!(found[0].relation, Some(format!("{}.t", database.name())));
        assert!(found[0].grant.is_none());
        for (lock, statement) in [
            ("lock tables t write", "insert into t values (7, 7)"),
            ("flush tables with read lock", "insert into t values (8, 8)"),
        ] {
            let holder = database.session().unwrap();
            holder.execute(lock).unwrap();
            let (name, task) = blocked(&database, statement).await;
            let mut watcher = connect(&database.url()).await;
            self::found(&mut watcher, &name, is(&holder)).await;
            release(holder, task).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_locked_by_name() {
    for database in databases() {
        database.execute("create table t (n int)").unwrap();
        let holder = database.session().unwrap();
        holder.execute("lock tables t write").unwrap();
        let (name, task) = blocked(&database, "insert into t values (1)").await;
        let mut watcher = connect(&database.url()).await;
        if !watcher.facts().is_mariadb() {
            let found = found(&mut watcher, &name, is(&holder)).await;
            assert_eq!(found[0].state.as_deref(), Some("idle"));
        }
        release(holder, task).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_others_is_told_how_to() {
    for database in databases() {
        database.execute("create table t (n int primary key, m int); insert into t values (1, 1)").unwrap();
        let server = servers().into_iter().find(|server| server.port() == database.port()).unwrap();
        let user = format!("blind_{}", database.name());
        server.create_user(&user, "secret", &[&format!("all privileges on {}.*", database.name())]).unwrap();
        let options = ConnectOptions { ..options(&database.url_for(&user, "secret")) };
        let mut session = mysql::connect(&options).await.unwrap();
        let name = session.facts().backend.clone().unwrap();
        let mut watcher = mysql::connect(&options).await.unwrap();
        let holder = database.session().unwrap();
        holder.execute("start transaction; select * from t").unwrap();
        let number = number(&session);
        let task = tokio::spawn(async move { fly(&mut session, vec![script("alter table t add column o int")]).await });
        eventually("it waits", || {
            let sql =
                format!("select 1 from information_schema.processlist where id = {number} and state like 'Waiting%'");
            !database.query(&sql).unwrap().is_empty()
        });
        let found = found(&mut watcher, &name, |found| found.len() == 1).await;
        assert_eq!((found[0].pid, found[0].state.as_deref()), (0, Some("hidden")));
        let grant = found[0].grant.clone().unwrap();
        assert_eq!(grant, format!("GRANT PROCESS ON *.* TO `{user}`@`%`"));
        database.execute(&grant).unwrap();
        let mut watcher = mysql::connect(&options).await.unwrap();
        let number = i64::try_from(holder.id()).unwrap();
        self::found(&mut watcher, &name, |found| found.iter().any(|blocker| blocker.pid == number)).await;
        release(holder, task).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_not_wait_has_nobody_in_its_way() {
    for database in databases() {
        let mut watcher = connect(&database.url()).await;
        let holder = database.session().unwrap();
        holder.execute("start transaction with consistent snapshot").unwrap();
        let idle = connect(&database.url()).await;
        for name in [idle.facts().backend.clone().unwrap(), "4000000000:1".to_owned(), "nonsense".to_owned()] {
            assert!(watcher.blockers(&name).await.unwrap().is_empty(), "{name}");
        }
    }
}
