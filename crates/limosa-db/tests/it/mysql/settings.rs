//! What a script leaves in the session is put back, and what keeps other runners away stays.

use limosa_db::{DbErrorKind, Session};
use limosa_testkit::mysql::TestDatabase;

use super::{connect, databases, fly, rows, script, scripts, servers, text};

/// Everything of the session that `SHOW VARIABLES` shows, without what moves by itself.
async fn shown(session: &mut dyn Session) -> Vec<(String, String)> {
    const MOVING: [&str; 9] = [
        "timestamp",
        "rand_seed1",
        "rand_seed2",
        "last_gtid",
        "gtid_binlog_pos",
        "gtid_binlog_state",
        "gtid_current_pos",
        "warning_count",
        "identity",
    ];
    let rows = rows(session, "show session variables").await;
    let pairs = rows.iter().map(|row| (row.text(0).unwrap(), row.text(1).unwrap_or_default()));
    pairs.filter(|(name, _)| !MOVING.contains(&name.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_a_script_changes_are_put_back() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        fly(&mut session, scripts(&["create table t (n int primary key auto_increment)"])).await.unwrap();
        let before = shown(&mut session).await;
        let mark = session.remember_settings().await.unwrap();
        let changes = [
            "set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
            "set names latin1",
            "set foreign_key_checks = 0, unique_checks = off",
            "set time_zone = '+03:00'",
            "set session transaction isolation level read committed",
            "set session transaction read only",
            "set lock_wait_timeout = 1, innodb_lock_wait_timeout = 1",
            "set optimizer_switch = 'index_merge=off'",
            "set sql_log_bin = 0",
            "set sql_safe_updates = 1",
            "set group_concat_max_len = 4",
            "set completion_type = CHAIN",
            "set lc_time_names = 'en_GB'",
            "set default_storage_engine = MyISAM",
            "set character_set_results = null",
            "set insert_id = 77",
            "set timestamp = 1",
            "set autocommit = 0",
            "set sql_select_limit = 0",
        ];
        fly(&mut session, scripts(&changes)).await.unwrap();
        session.restore_settings(mark).await.unwrap();
        assert_eq!(shown(&mut session).await, before);
        assert_ne!(text(&mut session, "select unix_timestamp()").await.as_deref(), Some("1"));
        // And again, where nothing has changed.
        let mark = session.remember_settings().await.unwrap();
        session.restore_settings(mark).await.unwrap();
        assert_eq!(shown(&mut session).await, before);
        assert!(!session.in_transaction());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits_of_a_script_do_not_stop_the_putting_back() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let mark = session.remember_settings().await.unwrap();
        let limit =
            if session.facts().is_mariadb() { "max_statement_time = 0.000001" } else { "max_execution_time = 1" };
        let changes = [format!("set {limit}"), "set sql_big_selects = 0, max_join_size = 1".to_owned()];
        for change in &changes {
            // The first may hit the second.
            let _ = fly(&mut session, vec![script(change)]).await;
        }
        session.restore_settings(mark).await.unwrap();
        let left = "select @@max_join_size > 1 and @@sql_big_selects = 1";
        assert_eq!(text(&mut session, left).await.as_deref(), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_leaves_open_is_taken_away_and_named_locks_stay() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        fly(&mut session, scripts(&["create table t (n int)", "insert into t values (1)"])).await.unwrap();
        assert_eq!(text(&mut session, "select get_lock('limosa-test', 0)").await.as_deref(), Some("1"));
        fly(&mut session, scripts(&["set @mine = 'kept'"])).await.unwrap();
        let mark = session.remember_settings().await.unwrap();
        let leavings = [
            "create temporary table if not exists left_over (n int)",
            "create temporary table t select 5 as n",
            "handler left_over open as h",
            "set @variable = 5, @`a b` = 6",
            "lock tables t write",
            "use mysql",
        ];
        fly(&mut session, scripts(&leavings)).await.unwrap();
        session.restore_settings(mark).await.unwrap();
        assert_eq!(text(&mut session, "select database()").await.as_deref(), Some(database.name()));
        assert_eq!(text(&mut session, "select n from t").await.as_deref(), Some("1"), "the temporary table is gone");
        let missing = session_error(&mut session, "select * from left_over").await;
        assert_eq!(missing, DbErrorKind::UndefinedTable);
        let variables = rows(&mut session, "select @variable, @`a b`, @mine").await;
        assert_eq!((variables[0].text(0), variables[0].text(1)), (None, None));
        assert_eq!(variables[0].text(2).as_deref(), Some("kept"));
        // Nothing is locked for others, and the named lock is still ours.
        database.execute("insert into t values (2)").unwrap();
        let mine = text(&mut session, "select is_used_lock('limosa-test') = connection_id()").await;
        assert_eq!(mine.as_deref(), Some("1"));
    }
}

async fn session_error(session: &mut dyn Session, sql: &str) -> DbErrorKind {
    session.query(sql, &[]).await.unwrap_err().kind
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_put_back() {
    for server in servers() {
        let database = server.create_database().unwrap();
        let (one, two) = (format!("one_{}", database.name()), format!("two_{}", database.name()));
        let user = format!("u{}", database.port());
        server.create_user(&user, "secret", &[&format!("all privileges on {}.*", database.name())]).unwrap();
        for role in [&one, &two] {
            database.execute(&format!("create role {role}; grant {role} to {user}")).unwrap();
        }
        let mut session = connect(&database.url_for(&user, "secret")).await;
        for start in ["none", &one] {
            fly(&mut session, scripts(&[&format!("set role {start}")])).await.unwrap();
            let before = text(&mut session, "select current_role()").await;
            for other in [&two, "none", &one] {
                let mark = session.remember_settings().await.unwrap();
                fly(&mut session, scripts(&[&format!("set role {other}")])).await.unwrap();
                session.restore_settings(mark).await.unwrap();
                assert_eq!(text(&mut session, "select current_role()").await, before, "{start} {other}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolation_level_for_the_next_transaction_is_forgotten() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let mark = session.remember_settings().await.unwrap();
        fly(&mut session, scripts(&["create table t (n int)", "set transaction read only"])).await.unwrap();
        session.restore_settings(mark).await.unwrap();
        fly(&mut session, scripts(&["begin", "insert into t values (1)", "commit"])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_put_back_in_the_middle_of_a_transaction() {
    for database in databases() {
        let mut session = connect(&database.url()).await;
        let mark = session.remember_settings().await.unwrap();
        fly(&mut session, scripts(&["create table t (n int)", "begin", "insert into t values (1)"])).await.unwrap();
        let error = session.restore_settings(mark).await.unwrap_err();
        assert!(error.message.contains("while a transaction is open"), "{error}");
        assert!(session.in_transaction(), "and it is still open");
        session.settle().await.unwrap();
        session.restore_settings(mark).await.unwrap();
        assert_eq!(count(&database), 0);
    }
}

fn count(database: &TestDatabase) -> usize {
    database.query("select n from t").unwrap().len()
}
