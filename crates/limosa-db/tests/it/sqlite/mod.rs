//! SQLite: the conformance suite, and what is SQLite's own.

mod settings;
mod together;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use limosa_db::engines::sqlite::{self, SqliteSession};
use limosa_db::{
    Collector, ConnectOptions, DbError, DbErrorKind, FlightError, FlightObserver, Item, Landed, Notice, Secret,
    Session, Value,
};
use limosa_sql::Engine;
use tempfile::TempDir;

use crate::conformance::{Database, conformance};

struct File(TempDir);

struct Memory;

#[async_trait]
impl Database for File {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
    async fn session(&self) -> Box<dyn Session> {
        Box::new(sqlite::connect(&options(&self.0.path().join("a.db"))).await.unwrap())
    }
    async fn reader(&self) -> Option<Box<dyn Session>> {
        let options = ConnectOptions { read_only: true, ..options(&self.0.path().join("a.db")) };
        Some(Box::new(sqlite::connect(&options).await.unwrap()))
    }
}

#[async_trait]
impl Database for Memory {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
    async fn session(&self) -> Box<dyn Session> {
        Box::new(memory().await)
    }
    async fn reader(&self) -> Option<Box<dyn Session>> {
        None
    }
}

#[tokio::test]
async fn conforms_with_a_file() {
    conformance(async || File(tempfile::tempdir().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms_in_memory() {
    conformance(async || Memory).await;
}

/// A file that is made where it is missing; waits two minutes for writers, so that no test hangs on a slow machine's luck.
pub(crate) fn options(path: &Path) -> ConnectOptions {
    ConnectOptions {
        database: Secret::new(format!("sqlite:{}", path.display())),
        create: true,
        busy_timeout_ms: 120_000,
        ..ConnectOptions::default()
    }
}

pub(crate) async fn run(session: &mut SqliteSession, texts: &[&str]) -> Result<(), DbError> {
    let items: Vec<Item> = texts.iter().map(|text| Item::Script((*text).to_owned())).collect();
    let session: &mut dyn Session = session;
    session.send(items).await.map(drop)
}

pub(crate) async fn text(session: &mut SqliteSession, sql: &str) -> Option<String> {
    let session: &mut dyn Session = session;
    session.query(sql, &[]).await.unwrap()[0].text(0)
}

async fn memory() -> SqliteSession {
    let options = ConnectOptions { database: Secret::new("sqlite::memory:"), ..ConnectOptions::default() };
    sqlite::connect(&options).await.unwrap()
}

async fn refused(options: &ConnectOptions) -> DbError {
    match sqlite::connect(options).await {
        Ok(session) => panic!("opened {:?}", session.facts()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_session_starts_as_the_shell_does() {
    let mut session = memory().await;
    assert_eq!(text(&mut session, "pragma foreign_keys").await.as_deref(), Some("0"));
    assert_eq!(text(&mut session, "pragma recursive_triggers").await.as_deref(), Some("0"));
    for sql in ["select \"no_column\"", "create table t (a, check (a <> \"b\"))"] {
        let error = run(&mut session, &[sql]).await.unwrap_err();
        assert!(error.message.contains("no such column"), "{error}");
    }
    run(&mut session, &["create table t (a text default \"x\")"]).await.unwrap();
}

#[tokio::test]
async fn facts_name_the_file_and_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some name.db");
    let options = options(&path);
    assert_eq!(sqlite::describe(&options).unwrap(), path.display().to_string());
    assert!(!path.exists(), "describing opens nothing");
    let mut session = sqlite::connect(&options).await.unwrap();
    let facts = session.facts().clone();
    assert_eq!(facts.database, path.display().to_string());
    assert_eq!(Some(facts.version.clone()), text(&mut session, "select sqlite_version()").await);
    let parts: Vec<u32> = facts.version.split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(facts.version_number, parts[0] * 1_000_000 + parts[1] * 1_000 + parts[2]);
    assert_eq!((facts.host.as_str(), facts.user.as_str(), facts.read_only), ("", "", false));
    if cfg!(target_os = "linux") {
        assert_eq!(sqlite::backend_is_gone(&facts.backend.unwrap()), Some(false));
    }
}

#[tokio::test]
async fn sha256_is_an_sql_function() {
    let mut session = memory().await;
    run(&mut session, &["pragma encoding = 'UTF-16le'", "create table t (a)"]).await.unwrap();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(text(&mut session, "select limosa_sha256('abc')").await.as_deref(), Some(abc));
    // sha256sum of the UTF-8 bytes of é€, whatever the encoding of the database.
    let accents = text(&mut session, "select limosa_sha256('é€')").await;
    assert_eq!(accents.as_deref(), Some("f0165711145fd4315008feb1f589eb75f63fb382417be0782a1c1cab418bc0c4"));
    assert_eq!(text(&mut session, "select limosa_sha256(null)").await, None);
    let error = run(&mut session, &["select limosa_sha256(1)"]).await.unwrap_err();
    assert!(error.message.contains("takes a text"), "{error}");
}

#[tokio::test]
async fn wrong_paths_have_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("junk.db"), "This is not a database, but it is long enough to look at. ".repeat(40)).unwrap();
    std::fs::write(path("file"), "x").unwrap();
    let closed = |name: &str| ConnectOptions { create: false, ..options(&path(name)) };
    let reading = |name: &str| ConnectOptions { read_only: true, ..options(&path(name)) };
    for (options, kind, message, hint) in [
        (
            options(&path("junk.db")),
            DbErrorKind::Statement,
            "is not a SQLite database, or it is encrypted",
            "check the path",
        ),
        (options(&path("no/a.db")), DbErrorKind::DatabaseMissing, "does not exist", "mkdir -p"),
        (reading("no/a.db"), DbErrorKind::DatabaseMissing, "the folder", "mkdir -p"),
        (closed("none.db"), DbErrorKind::DatabaseMissing, "none.db does not exist", "check the path"),
        (reading("none.db"), DbErrorKind::DatabaseMissing, "none.db does not exist", "check the path"),
        (options(folder.path()), DbErrorKind::Configuration, "is a folder", "name a file in it"),
        (options(&path("file/a.db")), DbErrorKind::DatabaseMissing, "cannot be used", "check the path"),
    ] {
        let error = refused(&options).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.message.contains(&folder.path().display().to_string()), "{error}");
        assert!(error.hint.as_ref().unwrap().contains(hint), "{:?}", error.hint);
    }
    assert_eq!(refused(&options(&path("junk.db"))).await.code.as_deref(), Some("SQLITE_NOTADB"));
    assert!(!path("none.db").exists() && !path("no").exists());
}

#[tokio::test]
async fn a_damaged_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut session = sqlite::connect(&options(&path)).await.unwrap();
    run(&mut session, &["create table t (a)", "insert into t values (zeroblob(100000))"]).await.unwrap();
    Box::new(session).close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..4096].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();
    let error = refused(&options(&path)).await;
    assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::Statement, Some("SQLITE_CORRUPT")));
    assert!(error.hint.unwrap().contains("restore a backup"));
}

/// Runs one ignored test of this binary in another process, without root's rights over files where it has them, through
/// `sh -c` with a preparation.
pub(crate) fn run_part(part: &str, folder: &Path, preparation: &str) -> std::process::ExitStatus {
    let program = folder.join("program");
    if !program.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{preparation} exec \"$0\" \"$@\"")).arg(&program);
    command.args(["--ignored", "--exact", part]).env("LIMOSA_TEST_FOLDER", folder).current_dir(folder);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        use std::os::unix::process::CommandExt;
        if std::fs::metadata(folder).unwrap().uid() == 0 {
            for entry in std::fs::read_dir(folder).unwrap() {
                chown(entry.unwrap().path(), Some(65534), Some(65534)).unwrap();
            }
            chown(folder, Some(65534), Some(65534)).unwrap();
            std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
            command.uid(65534).gid(65534);
        }
    }
    command.status().unwrap()
}

/// The folder that [`run_part`] gave; None where the part was not started by it.
pub(crate) fn part_folder() -> Option<PathBuf> {
    std::env::var_os("LIMOSA_TEST_FOLDER").map(PathBuf::from)
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "only a part of rights_of_files_and_folders"]
async fn part_rights() {
    use std::os::unix::fs::PermissionsExt;
    let Some(folder) = part_folder() else { return };
    let rights = |path: &Path, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let inner = folder.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let path = inner.join("a.db");
    let mut session = sqlite::connect(&options(&path)).await.unwrap();
    run(&mut session, &["create table t (a)"]).await.unwrap();
    Box::new(session).close().await;

    rights(&path, 0o444);
    let error = refused(&options(&path)).await;
    assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error}");
    assert!(error.message.contains("a.db may not be written") && error.hint.unwrap().contains("?mode=ro"));
    let mut options_read = options(&path);
    options_read.database = Secret::new(format!("sqlite:{}?mode=ro", path.display()));
    let mut session = sqlite::connect(&options_read).await.unwrap();
    assert!(session.facts().read_only);
    let error = run(&mut session, &["insert into t values (1)"]).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error}");
    let error = run(&mut session, &["create temp table x (a)"]).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error}");
    Box::new(session).close().await;

    rights(&path, 0o000);
    assert_eq!(refused(&options(&path)).await.kind, DbErrorKind::PermissionDenied);
    rights(&path, 0o644);
    rights(&inner, 0o555);
    let error = refused(&options(&inner.join("new.db"))).await;
    assert_eq!(error.kind, DbErrorKind::PermissionDenied, "{error}");
    assert!(error.message.contains("new.db cannot be opened"), "{error}");
    // No journal can be made beside the file.
    let mut session = sqlite::connect(&options(&path)).await.unwrap();
    let error = run(&mut session, &["insert into t values (1)"]).await.unwrap_err();
    assert!(matches!(error.kind, DbErrorKind::ReadOnly | DbErrorKind::PermissionDenied), "{error:?}");
    assert!(error.hint.unwrap().contains("folder"));
    assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
    rights(&inner, 0o000);
    assert_eq!(refused(&options(&path)).await.kind, DbErrorKind::PermissionDenied);
    rights(&inner, 0o755);
}

#[cfg(unix)]
#[test]
fn rights_of_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run_part("sqlite::part_rights", folder.path(), "").success());
    assert!(folder.path().join("inner/a.db").exists(), "the part ran");
}

#[tokio::test]
async fn a_full_disk_takes_the_transaction_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = sqlite::connect(&options(&folder.path().join("a.db"))).await.unwrap();
    run(&mut session, &["create table t (a)", "insert into t values ('kept')"]).await.unwrap();
    let settings = session.snapshot_settings().await.unwrap();
    run(&mut session, &["pragma max_page_count = 20"]).await.unwrap();
    let filling = "insert into t select zeroblob(1000) from (with recursive n(i) as (select 1 union all select i + 1 from n \
                   limit 1000) select i from n)";
    for items in [vec!["begin", "create table u (a)", filling, "commit"], vec![filling]] {
        let error = run(&mut session, &items).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::Resources, Some("SQLITE_FULL")));
        assert!(error.hint.unwrap().contains("a.db"));
    }
    session.restore_settings(&settings).await.unwrap();
    assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("1"));
    run(&mut session, &["create table u (a)", filling]).await.unwrap();
}

#[tokio::test]
async fn a_second_writer_is_told_of_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut one = sqlite::connect(&options(&path)).await.unwrap();
    run(&mut one, &["create table t (a)"]).await.unwrap();
    let hasty = ConnectOptions { busy_timeout_ms: 0, ..options(&path) };
    let mut other = sqlite::connect(&hasty).await.unwrap();
    let holds: &mut dyn Session = &mut one;
    holds.send(vec![Item::Begin, Item::Script("insert into t values (1)".to_owned())]).await.unwrap();
    let begins: &mut dyn Session = &mut other;
    let error = begins.send(vec![Item::Begin, Item::Commit]).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::LockTimeout, Some("SQLITE_BUSY")));
    assert!(error.is_transient());
    assert!(error.hint.unwrap().contains("a.db"));
    let error = run(&mut other, &["insert into t values (2)"]).await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::LockTimeout);
    run(&mut one, &["commit"]).await.unwrap();
    run(&mut other, &["insert into t values (2)"]).await.unwrap();
    assert_eq!(text(&mut one, "select count(*) from t").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn waiting_for_a_lock_ends_when_it_is_free_or_when_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut one = sqlite::connect(&options(&path)).await.unwrap();
    run(&mut one, &["create table t (a)"]).await.unwrap();
    let mut other = sqlite::connect(&options(&path)).await.unwrap();
    let settings = other.snapshot_settings().await.unwrap();
    // A script's own time-out goes with its settings.
    run(&mut other, &["pragma busy_timeout = 0"]).await.unwrap();
    run(&mut one, &["begin immediate", "insert into t values (1)"]).await.unwrap();
    assert_eq!(run(&mut other, &["begin immediate"]).await.unwrap_err().kind, DbErrorKind::LockTimeout);
    other.restore_settings(&settings).await.unwrap();
    let canceller = other.canceller();
    let (waited, _) = tokio::join!(run(&mut other, &["begin immediate", "commit"]), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        canceller.cancel().await.unwrap();
    });
    assert_eq!(waited.unwrap_err().kind, DbErrorKind::Cancelled);
    let (waited, _) =
        tokio::join!(run(&mut other, &["begin immediate", "insert into t values (2)", "commit"]), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            run(&mut one, &["commit"]).await.unwrap();
        });
    waited.unwrap();
    assert_eq!(text(&mut one, "select count(*) from t").await.as_deref(), Some("2"));
}

/// Tells each landing to a channel.
struct Tell(mpsc::Sender<u64>);

impl FlightObserver for Tell {
    fn landed(&mut self, item: u64, _: Landed) {
        let _ = self.0.send(item);
    }
    fn notice(&mut self, _: Notice) {}
}

#[tokio::test]
async fn a_dropped_flight_is_taken_back() {
    let mut session = memory().await;
    run(&mut session, &["create table t (a)"]).await.unwrap();
    let endless =
        "with recursive n(i) as (select 1 union all select i + 1 from n) insert into t select count(*) from n";
    let items = ["begin", "insert into t values (1)", endless, "commit"].map(|text| Item::Script(text.to_owned()));
    let mut items = Vec::from(items).into_iter();
    let (tell, told) = mpsc::channel();
    let mut observer = Tell(tell);
    let until_second = async {
        while told.try_recv() != Ok(1) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = session.flight(&mut items, &mut observer) => panic!("{ended:?}"),
        () = until_second => {}
    }
    session.settle().await.unwrap();
    assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn scripts_that_sqlite_would_misread_are_refused() {
    let mut session = memory().await;
    run(&mut session, &["create table t (a, b)"]).await.unwrap();
    for (sql, message, position) in [
        ("insert into t values (1, 2);\0 drop table t", "zero byte", Some(28)),
        ("insert into t values (1, ?)", "parameter ?", None),
        ("insert into t values (:name, 2)", "parameter :name", None),
        ("insert into t values (1, 2); insert into t valus (3)", "near \"valus\"", Some(43)),
        ("insert into t values ('é', 2); insert into t values (3", "incomplete input", Some(55)),
        ("insert into t values ('€', #)", "unrecognized token", Some(29)),
    ] {
        let dynamic: &mut dyn Session = &mut session;
        let error = dynamic.send(vec![Item::Begin, Item::Script(sql.to_owned())]).await.unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(error.position, position, "{error}");
        assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("0"));
    }
    for copy in [Item::CopyStart("copy t from stdin".to_owned()), Item::CopyData(b"1\t2\n".to_vec()), Item::CopyEnd] {
        let dynamic: &mut dyn Session = &mut session;
        let error = dynamic.send(vec![copy]).await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::Statement);
        assert!(error.message.starts_with("COPY is PostgreSQL's"), "{error}");
    }
}

#[tokio::test]
async fn own_statements_take_and_give_text_and_numbers() {
    let mut session = memory().await;
    let dynamic: &mut dyn Session = &mut session;
    let rows = dynamic.query("select 1.0, 0.1, 1e300, 'a', 7, null, true", &[]).await.unwrap();
    let columns: Vec<_> = (0..7).map(|column| rows[0].text(column)).collect();
    let expected = [Some("1.0"), Some("0.1"), Some("1e300"), Some("a"), Some("7"), None, Some("1")];
    assert_eq!(columns.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    let error = dynamic.query("select 1, x'00ff'", &[]).await.unwrap_err();
    assert_eq!(error.message, "column 2 of the result holds a blob (x'00ff') where text or a number was expected");
    let error = dynamic.query("select ?1", &[]).await.unwrap_err();
    assert_eq!(error.message, "the statement has 1 parameters, given were 0");
    dynamic.query("select 1; select 2", &[]).await.unwrap_err();
    let rows = dynamic.query("select typeof(?1), ?1", &[Value::Text("a\0b".to_owned())]).await.unwrap();
    assert_eq!(rows[0].text(1).as_deref(), Some("a\0b"));
}

#[tokio::test]
async fn transaction_items_outside_their_place() {
    let mut session = memory().await;
    let mut collector = Collector::default();
    session.flight(&mut vec![Item::Rollback].into_iter(), &mut collector).await.unwrap();
    assert_eq!(collector.notices[0].severity, "WARNING");
    let ended = session.flight(&mut vec![Item::Commit].into_iter(), &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Failed { item: 0, .. })), "{ended:?}");
    let begins = vec![Item::Begin, Item::Begin];
    let ended = session.flight(&mut begins.into_iter(), &mut Collector::default()).await;
    assert!(matches!(ended, Err(FlightError::Failed { item: 1, .. })), "{ended:?}");
    run(&mut session, &["begin", "commit"]).await.unwrap();
}

#[tokio::test]
async fn a_reading_session_in_memory_writes_nothing() {
    let options =
        ConnectOptions { database: Secret::new("sqlite::memory:"), read_only: true, ..ConnectOptions::default() };
    let mut session = sqlite::connect(&options).await.unwrap();
    assert_eq!(run(&mut session, &["create table t (a)"]).await.unwrap_err().kind, DbErrorKind::ReadOnly);
}

/// Goes on with a copy.
pub(crate) fn go_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
