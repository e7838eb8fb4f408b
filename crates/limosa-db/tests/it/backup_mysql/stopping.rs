//! Locks of others, and cancelling.

use std::fs;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use limosa_db::DbErrorKind;
use limosa_db::backup::Standing;
use limosa_db::backup::mysql::{MysqlTools, backup, restore};
use limosa_testkit::eventually;
use limosa_testkit::mysql::TestDatabase;

use super::{fresh, names, rows, silent};

/// Sessions in this database that wait for a lock on a table.
fn waiting(database: &TestDatabase) -> String {
    let sql =
        "select count(*) from information_schema.processlist where db = database() and state like 'Waiting for table%'";
    rows(database, sql)[0][0].clone().unwrap()
}

async fn until_it_waits(database: &TestDatabase) {
    while waiting(database) != "1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn locks_of_others() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    database
        .execute("create table a (n int); create table t (n int); insert into t values (1); create view v as select 1")
        .unwrap();
    backup(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    let hasty = MysqlTools { lock_timeout: Duration::from_millis(300), ..setting.tools() };
    let writer = database.session().unwrap();
    writer.execute("lock table t write").unwrap();
    let error = backup(&hasty, &path("c.sql"), pending(), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::LockTimeout, "{error:?}");
    drop(writer);
    // An open transaction that has read is enough to stop a DROP, and no table is dropped before all can be.
    let reader = database.session().unwrap();
    reader.execute("begin; select * from t").unwrap();
    let failure = restore(&hasty, &path("b.sql"), pending(), silent).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.standing), (DbErrorKind::LockTimeout, Standing::Unchanged), "{failure:?}");
    assert_eq!(rows(&database, "show tables").len(), 3);
    drop(reader);
    restore(&hasty, &path("b.sql"), pending(), silent).await.unwrap();
    assert_eq!(names(folder.path()), ["b.sql"]);
}

#[tokio::test]
async fn cancelling() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    database.execute("create table t (n int); insert into t values (1)").unwrap();
    backup(&setting.tools(), &path("b.sql"), pending(), silent).await.unwrap();
    let holder = database.session().unwrap();
    holder.execute("lock table t write").unwrap();
    let error = backup(&setting.tools(), &path("c.sql"), until_it_waits(&database), silent).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Cancelled);
    drop(holder);
    // Nobody closed the connection in its place: the statement ended with its wait.
    eventually("nobody waits", || waiting(&database) == "0");
    let holder = database.session().unwrap();
    holder.execute("begin; select * from t").unwrap();
    let failure = restore(&setting.tools(), &path("b.sql"), until_it_waits(&database), silent).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.standing), (DbErrorKind::Cancelled, Standing::Unchanged), "{failure:?}");
    // Here the program itself cancels on the server.
    eventually("nobody waits", || waiting(&database) == "0");
    assert!(backup(&setting.tools(), &path("c.sql"), ready(()), silent).await.is_err());
    let failure = restore(&setting.tools(), &path("b.sql"), ready(()), silent).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.standing), (DbErrorKind::Cancelled, Standing::Unchanged), "{failure:?}");
    drop(holder);
    assert_eq!(names(folder.path()), ["b.sql"]);
    assert_eq!(rows(&database, "select n from t"), [[Some("1".to_owned())]]);
}

/// A restore that is cancelled in the middle says that the database is neither the old one nor the backup.
#[tokio::test]
async fn cancelling_in_the_middle_of_a_restore() {
    let (_, database, setting) = fresh();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.sql");
    database.execute("create table a (n int); create table z (t longtext)").unwrap();
    backup(&setting.tools(), &file, pending(), silent).await.unwrap();
    // A statement that does not end by itself.
    let text = fs::read_to_string(&file).unwrap();
    let slow =
        text.replacen("DROP TABLE IF EXISTS `z`;", "INSERT INTO `a` SELECT SLEEP(1000);\nDROP TABLE IF EXISTS `z`;", 1);
    assert_ne!(slow, text);
    let file = folder.path().join("slow.sql");
    fs::write(&file, &slow).unwrap();
    let sleeps = || {
        let sql = "select count(*) from information_schema.processlist where db = database() and info like 'INSERT INTO `a`%'";
        rows(&database, sql)[0][0].clone().unwrap()
    };
    let until_it_sleeps = async {
        while sleeps() != "1" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Long enough for a word about the progress.
        while HEARD.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    static HEARD: AtomicU64 = AtomicU64::new(0);
    let hear = |bytes| HEARD.store(bytes, Ordering::Relaxed);
    let failure = restore(&setting.tools(), &file, until_it_sleeps, hear).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.standing), (DbErrorKind::Cancelled, Standing::Partial), "{failure:?}");
    assert!(failure.error.hint.as_ref().unwrap().contains("restore the same backup again"), "{failure:?}");
    assert_eq!(HEARD.load(Ordering::Relaxed), slow.len() as u64);
    eventually("nothing runs", || sleeps() == "0");
    // The mark tells that it did not end.
    assert_eq!(rows(&database, "show tables"), [[Some("a".to_owned())], [Some("limosa_unfinished".to_owned())]]);
}
