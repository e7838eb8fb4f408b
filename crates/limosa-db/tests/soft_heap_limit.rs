//! `soft_heap_limit` belongs to the whole process, so its test has one of its own: beside other tests it would change what
//! they remember and put back.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

use limosa_db::engines::sqlite::{self, SqliteSession};
use limosa_db::{ConnectOptions, Item, Secret, Session};

async fn open() -> SqliteSession {
    let options = ConnectOptions { database: Secret::new("sqlite::memory:"), ..ConnectOptions::default() };
    sqlite::connect(&options).await.unwrap()
}

async fn limit(session: &mut dyn Session) -> Option<i64> {
    session.query("pragma soft_heap_limit", &[]).await.unwrap()[0].integer(0)
}

async fn set_limit(session: &mut dyn Session) {
    session.send(vec![Item::Script("pragma soft_heap_limit = 100000000".to_owned())]).await.unwrap();
}

#[tokio::test]
async fn the_limit_of_the_heap_does_not_leak() {
    let (mut session, mut other) = (open().await, open().await);
    let settings = session.snapshot_settings().await.unwrap();
    let before = limit(&mut session).await;
    assert_ne!(before, Some(100_000_000));
    set_limit(&mut session).await;
    assert_eq!(limit(&mut session).await, Some(100_000_000));
    assert_eq!(limit(&mut other).await, Some(100_000_000), "it is the process's");
    session.restore_settings(&settings).await.unwrap();
    assert_eq!(limit(&mut session).await, before);
    assert_eq!(session.snapshot_settings().await.unwrap(), settings);
}
