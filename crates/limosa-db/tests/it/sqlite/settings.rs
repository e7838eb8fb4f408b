//! What a script may change of its session, and foreign keys, which are such a setting.

use limosa_db::engines::sqlite::{self, FOREIGN_KEY_VIOLATIONS, ForeignKeyViolation};
use limosa_db::{Item, Session};

use super::{memory, options, run, text};

/// Each PRAGMA of the session with a value that it does not start with; that of the whole process has a test in a process of
/// its own, `tests/soft_heap_limit.rs`.
const LEAKING: &[(&str, &str)] = &[
    ("foreign_keys", "on"),
    ("recursive_triggers", "on"),
    ("legacy_alter_table", "on"),
    ("defer_foreign_keys", "on"),
    ("ignore_check_constraints", "on"),
    ("reverse_unordered_selects", "on"),
    ("synchronous", "off"),
    ("temp_store", "memory"),
    ("cache_size", "77"),
    ("cache_spill", "off"),
    ("secure_delete", "fast"),
    ("trusted_schema", "off"),
    ("writable_schema", "on"),
    ("automatic_index", "off"),
    ("cell_size_check", "on"),
    ("checkpoint_fullfsync", "on"),
    ("fullfsync", "on"),
    ("locking_mode", "exclusive"),
    ("wal_autocheckpoint", "3"),
    ("threads", "2"),
    ("analysis_limit", "9"),
    ("journal_size_limit", "4096"),
    ("read_uncommitted", "on"),
    ("count_changes", "on"),
    ("full_column_names", "on"),
    ("short_column_names", "off"),
    ("mmap_size", "65536"),
    ("max_page_count", "5000"),
    ("journal_mode", "memory"),
    ("query_only", "on"),
];

#[tokio::test]
async fn settings_do_not_leak() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = sqlite::connect(&options(&folder.path().join("a.db"))).await.unwrap();
    run(&mut session, &["create table t (a)"]).await.unwrap();
    let settings = session.snapshot_settings().await.unwrap();
    for (name, value) in LEAKING {
        let read = format!("pragma {name}");
        let before = text(&mut session, &read).await;
        run(&mut session, &[&format!("pragma {name} = {value}")]).await.unwrap();
        assert_ne!(text(&mut session, &read).await, before, "the test changes {name}");
        session.restore_settings(&settings).await.unwrap();
        assert_eq!(text(&mut session, &read).await, before, "{name}");
        assert_eq!(session.snapshot_settings().await.unwrap(), settings, "{name}");
    }
    let all: Vec<String> = LEAKING.iter().map(|(name, value)| format!("pragma {name} = {value}")).collect();
    run(&mut session, &all.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    session.restore_settings(&settings).await.unwrap();
    assert_eq!(session.snapshot_settings().await.unwrap(), settings);
    // The exclusive lock is gone too.
    let mut other = sqlite::connect(&options(&folder.path().join("a.db"))).await.unwrap();
    run(&mut other, &["insert into t values (1)"]).await.unwrap();
}

#[tokio::test]
async fn attached_databases_and_temporary_objects_do_not_leak() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = sqlite::connect(&options(&folder.path().join("a.db"))).await.unwrap();
    run(&mut session, &["create table t (a)", "create temp table kept (a)"]).await.unwrap();
    let settings = session.snapshot_settings().await.unwrap();
    let attach = format!("attach '{}' as \"a \"\"b\"\"\"", folder.path().join("b.db").display());
    let made = [
        attach.as_str(),
        "create table \"a \"\"b\"\"\".u (a)",
        "create temp table parent (a integer primary key autoincrement)",
        "create temp table \"child \"\"x\" (a references parent (a))",
        "create temp view v as select * from parent",
        "create temp trigger g after insert on t begin insert into parent values (new.a); end",
        "create virtual table temp.words using fts5 (w)",
        "pragma case_sensitive_like = on",
        "pragma foreign_keys = on",
        "insert into t values (1)",
        "insert into \"child \"\"x\" values (1)",
        "insert into words values ('x')",
    ];
    run(&mut session, &made).await.unwrap();
    session.restore_settings(&settings).await.unwrap();
    let temporary =
        text(&mut session, "select group_concat(name) from temp.sqlite_schema where name not like 'sqlite_%'");
    assert_eq!(temporary.await.as_deref(), Some("kept"));
    assert_eq!(text(&mut session, "select count(*) from pragma_database_list").await.as_deref(), Some("2"));
    assert_eq!(text(&mut session, "select 'A' like 'a'").await.as_deref(), Some("1"));
    run(&mut session, &["insert into t values (2)"]).await.unwrap();
    assert_eq!(text(&mut session, "select count(*) from t").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn properties_of_the_database_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = sqlite::connect(&options(&folder.path().join("a.db"))).await.unwrap();
    let settings = session.snapshot_settings().await.unwrap();
    run(&mut session, &["pragma journal_mode = wal", "pragma user_version = 7", "pragma application_id = 9"])
        .await
        .unwrap();
    session.restore_settings(&settings).await.unwrap();
    assert_eq!(text(&mut session, "pragma journal_mode").await.as_deref(), Some("wal"));
    assert_eq!(text(&mut session, "pragma user_version").await.as_deref(), Some("7"));
    assert_eq!(text(&mut session, "pragma application_id").await.as_deref(), Some("9"));
    // From WAL to a way of the session's: the file has left WAL, the session's way goes.
    let settings = session.snapshot_settings().await.unwrap();
    run(&mut session, &["pragma journal_mode = off"]).await.unwrap();
    session.restore_settings(&settings).await.unwrap();
    assert_eq!(text(&mut session, "pragma journal_mode").await.as_deref(), Some("delete"));
}

#[tokio::test]
async fn settings_wait_for_the_end_of_the_transaction() {
    let mut session = memory().await;
    let settings = session.snapshot_settings().await.unwrap();
    run(&mut session, &["begin"]).await.unwrap();
    let error = session.restore_settings(&settings).await.unwrap_err();
    assert!(error.message.contains("while a transaction is open"), "{error}");
}

/// A parent and a child that goes with it.
const FAMILY: &[&str] = &[
    "create table parent (id integer primary key, name text)",
    "create table child (id integer primary key, parent_id integer references parent (id) on delete cascade)",
    "insert into parent values (1, 'a'), (2, 'b')",
    "insert into child values (1, 1), (2, 1), (3, 2)",
];

/// The twelve steps of sqlite.org/lang_altertable.html section 7, as files have them.
const REBUILD: &[&str] = &[
    "create table parent_new (id integer primary key, name text not null default '')",
    "insert into parent_new select id, name from parent",
    "drop table parent",
    "alter table parent_new rename to parent",
];

#[tokio::test]
async fn a_rebuild_keeps_the_rows_of_cascading_children() {
    let mut session = memory().await;
    run(&mut session, FAMILY).await.unwrap();
    run(&mut session, &[&["begin"], REBUILD, &["commit"]].concat()).await.unwrap();
    assert_eq!(text(&mut session, "select count(*) from child").await.as_deref(), Some("3"));
    assert_eq!(session.foreign_key_violations().await.unwrap(), []);
    // The same with foreign keys enforced loses them: what the start as in the shell is for.
    run(&mut session, &["pragma foreign_keys = on"]).await.unwrap();
    run(&mut session, &[&["begin"], REBUILD, &["commit"]].concat()).await.unwrap();
    assert_eq!(text(&mut session, "select count(*) from child").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn violations_are_found_inside_the_transaction() {
    let mut session = memory().await;
    run(&mut session, FAMILY).await.unwrap();
    run(&mut session, &["create table loose (a text primary key references parent (id)) without rowid"]).await.unwrap();
    run(&mut session, &["begin", "delete from parent where id = 2", "insert into loose values ('9')"]).await.unwrap();
    let mut found = session.foreign_key_violations().await.unwrap();
    found.sort_by(|one, other| one.table.cmp(&other.table));
    let violation = |table: &str, rowid| ForeignKeyViolation {
        table: table.to_owned(),
        rowid,
        parent: "parent".to_owned(),
        constraint_index: 0,
    };
    assert_eq!(found, [violation("child", Some(3)), violation("loose", None)]);
    run(
        &mut session,
        &["with recursive n(i) as (select 10 union all select i + 1 from n limit 1000) \
         insert into child select i, 77 from n"],
    )
    .await
    .unwrap();
    let bound = Item::Bound { sql: FOREIGN_KEY_VIOLATIONS.to_owned(), parameters: Vec::new() };
    let dynamic: &mut dyn Session = &mut session;
    let rows = dynamic.send(vec![bound, Item::Rollback]).await.unwrap();
    assert_eq!(rows[0].len(), 20);
    assert_eq!(session.foreign_key_violations().await.unwrap(), []);
}
