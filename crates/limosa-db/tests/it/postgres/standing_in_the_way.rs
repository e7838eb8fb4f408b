//! Who blocks a session, and whom a concurrent index build waits for.

use limosa_db::engines::postgres::{PostgresSession, blockers, concurrent_index_waits};
use limosa_db::{DbErrorKind, Item, Session};
use limosa_testkit::{TestDatabase, eventually};

use super::{connect, database, failure, fly, script};

fn pid(session: &PostgresSession) -> i64 {
    session.facts().backend.as_deref().unwrap().split(':').next().unwrap().parse().unwrap()
}

fn wait_for_lock(database: &TestDatabase, pid: i64) {
    eventually("it waits", || {
        let sql = format!("select 1 from pg_stat_activity where pid = {pid} and wait_event_type = 'Lock'");
        !database.query(&sql).unwrap().is_empty()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn blockers_are_named_with_what_they_hold() {
    let database = database();
    database.execute("create schema s; create table s.t (n int)").unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; insert into s.t values (1)").unwrap();
    let mut blocked = connect(&database.url()).await;
    let blocked_pid = pid(&blocked);
    let waiting = tokio::spawn(async move {
        let items = vec![
            Item::Begin,
            script("set local lock_timeout = '30s'"),
            script("alter table s.t add m int"),
            Item::Commit,
        ];
        fly(&mut blocked, items).await
    });
    wait_for_lock(&database, blocked_pid);
    // A third one queues behind the second.
    let mut queued = connect(&database.url()).await;
    let queued_pid = pid(&queued);
    let queue = tokio::spawn(async move {
        fly(&mut queued, vec![Item::Begin, script("lock table s.t in row exclusive mode"), Item::Commit]).await
    });
    wait_for_lock(&database, queued_pid);

    let mut watcher = connect(&database.url()).await;
    let found = blockers(&mut watcher, blocked_pid).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let blocker = &found[0];
    assert_eq!(blocker.activity.pid, i64::from(holder.pid()));
    assert_eq!(blocker.activity.state.as_deref(), Some("idle in transaction"));
    assert_eq!(blocker.activity.query.as_deref(), Some("begin; insert into s.t values (1)"));
    assert_eq!(blocker.activity.user.as_deref(), Some("postgres"));
    assert!(blocker.activity.transaction_seconds.is_some() && blocker.activity.grant.is_none());
    assert_eq!((blocker.object.as_deref(), blocker.wanted.as_deref()), (Some("s.t"), Some("AccessExclusiveLock")));
    assert_eq!(blocker.held.as_deref(), Some("RowExclusiveLock"));

    let found = blockers(&mut watcher, queued_pid).await.unwrap();
    let ahead = found.iter().find(|blocker| blocker.activity.pid == blocked_pid).unwrap();
    assert_eq!((ahead.held.as_deref(), ahead.queued_for.as_deref()), (None, Some("AccessExclusiveLock")));

    // Who may not see the statement is told how to.
    database.execute("create role watcher login").unwrap();
    let mut blind = connect(&database.url_for("watcher", "")).await;
    let found = blockers(&mut blind, blocked_pid).await.unwrap();
    assert_eq!(found[0].activity.pid, i64::from(holder.pid()));
    assert_eq!(found[0].activity.query, None);
    assert_eq!(found[0].activity.grant.as_deref(), Some("GRANT pg_read_all_stats TO watcher"));
    database.execute("grant pg_read_all_stats to watcher").unwrap();
    assert!(blockers(&mut blind, blocked_pid).await.unwrap()[0].activity.query.is_some());

    holder.execute("rollback").unwrap();
    waiting.await.unwrap().unwrap();
    queue.await.unwrap().unwrap();
    assert!(blockers(&mut watcher, blocked_pid).await.unwrap().is_empty());
    database.execute("drop role watcher").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_transactions_and_advisory_locks_block_too() {
    let database = database();
    database.execute("create table t (n int)").unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; insert into t values (1); prepare transaction 'left behind'").unwrap();
    holder.execute("select pg_advisory_lock(42)").unwrap();
    let mut watcher = connect(&database.url()).await;
    for (sql, object) in [("lock table t", "t"), ("select pg_advisory_xact_lock(42)", "advisory")] {
        let mut blocked = connect(&database.url()).await;
        let blocked_pid = pid(&blocked);
        let canceller = blocked.canceller();
        let waiting =
            tokio::spawn(async move { failure(&mut blocked, vec![Item::Begin, script(sql), Item::Commit]).await });
        wait_for_lock(&database, blocked_pid);
        let found = blockers(&mut watcher, blocked_pid).await.unwrap();
        assert_eq!((found.len(), found[0].object.as_deref()), (1, Some(object)), "{found:?}");
        if object == "t" {
            assert_eq!(found[0].activity.pid, 0);
            assert_eq!(found[0].activity.state.as_deref(), Some("prepared transaction"));
            assert_eq!(found[0].activity.query.as_deref(), Some("left behind"));
            assert_eq!(found[0].held.as_deref(), Some("RowExclusiveLock"));
        }
        canceller.cancel().await.unwrap();
        assert_eq!(waiting.await.unwrap().1.kind, DbErrorKind::Cancelled);
    }
    holder.execute("rollback prepared 'left behind'").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_concurrent_index_build_shows_its_progress_and_whom_it_waits_for() {
    let database = database();
    database.execute("create table t (n int); insert into t select generate_series(1, 1000)").unwrap();
    let holder = database.session().unwrap();
    holder.execute("begin; insert into t values (1)").unwrap();
    let mut building = connect(&database.url()).await;
    let building_pid = pid(&building);
    let build =
        tokio::spawn(async move { fly(&mut building, vec![script("create index concurrently i on t (n)")]).await });
    wait_for_lock(&database, building_pid);
    let mut watcher = connect(&database.url()).await;
    let progress = concurrent_index_waits(&mut watcher, building_pid).await.unwrap().unwrap();
    assert_eq!(progress.command, "CREATE INDEX CONCURRENTLY");
    assert_eq!((progress.table.as_deref(), progress.index.as_deref()), (Some("t"), Some("i")));
    assert_eq!(progress.phase, "waiting for writers before build");
    assert_eq!((progress.lockers_total, progress.lockers_done), (1, 0));
    let locker = progress.current_locker.unwrap();
    assert_eq!((locker.pid, locker.state.as_deref()), (i64::from(holder.pid()), Some("idle in transaction")));
    holder.execute("commit").unwrap();
    build.await.unwrap().unwrap();
    assert_eq!(concurrent_index_waits(&mut watcher, building_pid).await.unwrap(), None);
}
