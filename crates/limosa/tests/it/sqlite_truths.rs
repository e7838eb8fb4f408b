//! What SQLite does by itself, and what must hold all the same.

use std::process::{Command, Stdio};

use limosa::{MigrateOptions, Progress, Secret, Selection, Stop};

use crate::answers::{back, done, failed, labels, migrate, quiet, this_program};
use crate::place::{Home, sqlite};

const FAMILY: &str = "create table parent (id integer primary key, word text);\n\
    create table child (id integer primary key, parent_id integer references parent (id) on delete cascade);\n\
    insert into parent values (1, 'one'), (2, 'two');\ninsert into child values (10, 1), (20, 2), (21, 2);\n";

/// sqlite.org/lang_altertable.html section 7: the table is made anew, filled, and takes the old one's name.
const REBUILD: &str = "create table new_parent (id integer primary key, word text not null default '-');\n\
    insert into new_parent select id, word from parent;\ndrop table parent;\nalter table new_parent rename to parent;\n";

async fn family() -> Home {
    let home = sqlite();
    home.file("001_family.sql", FAMILY);
    done(home.migrate().await);
    home
}

#[tokio::test]
async fn a_rebuilt_table_keeps_the_rows_of_its_children() {
    for text in [
        format!("PRAGMA foreign_keys=OFF;\n{REBUILD}PRAGMA foreign_keys=ON;\n"),
        format!("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n{REBUILD}COMMIT;\nPRAGMA foreign_keys=ON;\n"),
        format!("BEGIN;\nPRAGMA foreign_keys=OFF;\n{REBUILD}COMMIT;\n"),
        // The shell begins with foreign keys off, and so do we; what comes last must not reach back.
        REBUILD.to_owned(),
        format!("{REBUILD}PRAGMA foreign_keys=ON;\n"),
        format!("PRAGMA foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n{REBUILD}PRAGMA foreign_keys=ON;\n"),
        format!(
            "PRAGMA foreign_keys=ON;\ninsert into parent values (3, 'three');\nPRAGMA foreign_keys=OFF;\n{REBUILD}"
        ),
        format!("PRAGMA foreign_keys=OFF;\n{REBUILD}PRAGMA foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n{REBUILD}"),
        format!("PRAGMA foreign_keys=OFF;\n{REBUILD}VACUUM;\n"),
    ] {
        let home = family().await;
        home.file("002_rebuild.sql", &text);
        done(home.migrate().await);
        assert_eq!(home.rows("select id, parent_id from child order by id"), ["10|1", "20|2", "21|2"], "{text}");
        assert!(home.count("select count(*) from parent") >= 2, "{text}");
        assert!(home.rows("pragma foreign_key_check").is_empty(), "{text}");
        assert!(home.rows("select sql from sqlite_schema where name = 'parent'")[0].contains("not null"), "{text}");
    }
}

#[tokio::test]
async fn what_asks_for_foreign_keys_gets_them() {
    let home = family().await;
    home.file("002_delete.sql", "PRAGMA foreign_keys = ON;\ndelete from parent where id = 2;\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select id from child"), ["10"]);
    home.file("003_wrong.sql", "PRAGMA foreign_keys = ON;\ninsert into child values (30, 99);\n");
    failed(&home.migrate().await, 3, &["FOREIGN KEY constraint failed", "statement 2 of 2, INSERT"]);
    assert_eq!(home.rows("select id from child"), ["10"]);
}

#[tokio::test]
async fn rows_that_would_point_nowhere_are_named_before_the_commit() {
    let home = family().await;
    home.file(
        "002_wrong.sql",
        "PRAGMA foreign_keys=OFF;\ncreate table beside (id int);\ndelete from parent where id = 2;\nPRAGMA foreign_keys=ON;\n",
    );
    let text = failed(
        &home.migrate().await,
        3,
        &[
            "foreign keys that point nowhere",
            "row 20 of child refers to a row of parent that is not there",
            "row 21 of child",
        ],
    );
    assert!(text.contains("002_wrong.sql") && text.contains("nothing of this file was kept"), "{text}");
    assert_eq!((home.count("select count(*) from parent"), home.tables()), (2, vec!["child".into(), "parent".into()]));
    // What was wrong before is not this file's fault.
    home.execute("pragma foreign_keys = off; insert into child values (30, 99)");
    home.file("002_wrong.sql", &format!("PRAGMA foreign_keys=OFF;\n{REBUILD}"));
    done(home.migrate().await);
    assert_eq!(home.count("select count(*) from child"), 4);
}

/// What a file sees of the session's settings.
fn telling(table: &str) -> String {
    format!(
        "create table {table} as select (select foreign_keys from pragma_foreign_keys) as foreign_keys, \
         (select recursive_triggers from pragma_recursive_triggers) as recursive_triggers, \
         (select cache_size from pragma_cache_size) as cache_size, \
         (select synchronous from pragma_synchronous) as synchronous, \
         (select count(*) from pragma_database_list where name = 'extra') as attached, \
         (select count(*) from temp.sqlite_schema) as temporary;\n"
    )
}

#[tokio::test]
async fn no_setting_reaches_the_next_file() {
    let home = sqlite();
    home.file("001_before.sql", &telling("before"));
    home.file(
        "002_settings.sql",
        &format!(
            "PRAGMA foreign_keys=ON;\nPRAGMA recursive_triggers=ON;\nPRAGMA cache_size=77;\nPRAGMA synchronous=OFF;\n\
             create temp table short_lived (id int);\n{}",
            telling("inside")
        ),
    );
    home.file("003_after.sql", &telling("after"));
    home.file(
        "004_attached.sql",
        &format!(
            "-- Transaction: none\nattach '{}' as extra;\ncreate table extra.elsewhere (id int);\nPRAGMA recursive_triggers=ON;\n",
            home.folder.join("extra.db").display()
        ),
    );
    home.file("005_after.sql", &telling("after_attached"));
    home.file(
        "0055_temporary.sql",
        "create temporary view short_lived as select 1 as id;\ncreate table temp.other (id int);\n",
    );
    home.file("0056_after.sql", &telling("after_temporary"));
    home.file("0060_failing.sql", "PRAGMA foreign_keys=ON;\nPRAGMA cache_size=99;\nselect * from nowhere;\n");
    failed(&home.migrate().await, 3, &["nowhere"]);
    let before = home.rows("select * from before");
    assert_eq!(home.rows("select foreign_keys, recursive_triggers, cache_size, temporary from inside"), ["1|1|77|1"]);
    assert_eq!(home.rows("select * from after"), before);
    assert_eq!(home.rows("select * from after_attached"), before);
    assert_eq!(home.rows("select * from after_temporary"), before);
    home.file("0060_failing.sql", &telling("mended"));
    done(home.migrate().await);
    assert_eq!(home.rows("select * from mended"), before);
}

#[tokio::test]
async fn settings_of_the_file_itself_stay() {
    let home = sqlite();
    home.file("001_wal.sql", "PRAGMA journal_mode=WAL;\n");
    home.file("002_a.sql", "create table a (id int);\ninsert into a values (1);\n");
    home.file("003_size.sql", "PRAGMA journal_mode=DELETE;\nPRAGMA page_size=8192;\nVACUUM;\nPRAGMA user_version=7;\n");
    home.file("004_b.sql", "create table b (id int);\nPRAGMA journal_mode=WAL;\n");
    let answer = done(home.migrate().await);
    assert_eq!(labels(&answer), ["001", "002", "003", "004"]);
    assert_eq!(home.rows("pragma journal_mode"), ["wal"]);
    assert_eq!(home.rows("pragma page_size"), ["8192"]);
    assert_eq!(home.rows("pragma user_version"), ["7"]);
    assert_eq!(home.count("select count(*) from a"), 1);
    assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn vacuum_stands_where_it_likes() {
    let home = sqlite();
    home.file("001_only.sql", "VACUUM;\n");
    home.file("002_between.sql", "create table a (id int);\nVACUUM;\ninsert into a values (1);\n");
    let into = home.folder.join("copy.db");
    home.file("003_into.sql", &format!("VACUUM INTO '{}';\n", into.display()));
    done(home.migrate().await);
    assert_eq!(home.count("select count(*) from a"), 1);
    assert!(into.is_file());
    assert_eq!(home.ledger(), ["1|applied", "2|applied", "3|applied"]);
}

#[tokio::test]
async fn triggers_with_case_are_one_statement() {
    let home = sqlite();
    home.file(
        "001_trigger.sql",
        "create table a (id int, word text);\n\
         create trigger watch before insert on a\nwhen new.id is not null\nbegin\n\
         \x20 select case when new.id < 0 then raise(abort, 'no; never') else case 1 when 1 then 2 end end;\n\
         \x20 update a set word = case word when 'a' then 'b' else 'end;' end where id = new.id;\n\
         end;\ninsert into a values (1, 'a');\n\
         -- limosa:rollback\ndrop trigger watch; drop table a;\n",
    );
    let answer = done(home.migrate().await);
    assert_eq!(answer.steps[0].statements_total, 3);
    home.file("002_fires.sql", "insert into a values (-1, 'x');");
    failed(&home.migrate().await, 3, &["no; never"]);
    done(home.rollback(Selection::Steps(1)).await);
    assert!(home.tables().is_empty());
}

#[tokio::test]
async fn a_database_in_memory_lives_as_long_as_its_run() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (id int);");
    let memory = home.with(|it| it.database = Secret::new("sqlite::memory:"));
    for _ in 0..2 {
        assert_eq!(labels(&done(migrate(&memory).await)), ["001"]);
    }
    assert_eq!(memory.status(limosa::StatusOptions::default()).await.unwrap().pending, 1);
    assert_eq!(memory.plan(&MigrateOptions::default()).await.unwrap().steps.len(), 1);
    assert_eq!(done(back(&memory, Selection::Steps(1), Some(":memory:")).await).outcome, "nothing_to_do");
    let backup = MigrateOptions { backup: true, ..MigrateOptions::default() };
    failed(&memory.migrate(&backup, &quiet, Stop::new()).await, 2, &["a database in memory cannot be backed up"]);
}

#[tokio::test]
async fn a_writer_that_does_not_end_is_waited_for_and_told() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (id int);");
    home.execute("create table users_own (id int)");
    let writer = rusqlite::Connection::open(home.database()).unwrap();
    writer.execute_batch("begin immediate; insert into users_own values (1)").unwrap();
    let impatient = home.with(|it| {
        it.lock_wait = std::time::Duration::from_millis(200);
        it.limits.lock_retries = 0;
    });
    let text = failed(&migrate(&impatient).await, 4, &[]);
    assert!(text.contains("lock"), "{text}");
    assert_eq!(home.rows("select count(*) from users_own"), ["0"]);
    // It ends while we wait.
    let ending = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        writer.execute_batch("commit").unwrap();
    });
    done(home.migrate().await);
    ending.join().unwrap();
    assert_eq!(home.tables(), ["a", "users_own"]);
}

/// The second process of the test below: this very test, told by its environment where to go.
#[test]
fn other_process() {
    let Ok(database) = std::env::var("LIMOSA_TEST_OTHER_PROCESS") else { return };
    let folder = std::env::var("LIMOSA_TEST_OTHER_FOLDER").unwrap();
    let mut configuration = limosa::Configuration::new(format!("sqlite:{database}"));
    configuration.directories = vec![folder.into()];
    configuration.actor = format!("process {}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let migrator = limosa::Migrator::new(configuration);
    let result = runtime.block_on(migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()));
    done(result);
}

#[tokio::test]
async fn many_processes_apply_each_change_once() {
    let home = sqlite();
    for number in 1..=20 {
        home.file(
            &format!("{number:03}_x.sql"),
            &format!("create table t{number} (id int);\ninsert into t{number} values (1);\n"),
        );
    }
    let program = this_program();
    let processes: Vec<_> = (0..4)
        .map(|_| {
            Command::new(&program)
                .args(["--exact", "sqlite_truths::other_process", "--nocapture"])
                .env("LIMOSA_TEST_OTHER_PROCESS", home.database())
                .env("LIMOSA_TEST_OTHER_FOLDER", home.folder.join("migrations"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
    }
    assert_eq!(home.ledger().len(), 20);
    for number in 1..=20 {
        assert_eq!(home.count(&format!("select count(*) from t{number}")), 1);
    }
    let log = home.table("audit_log");
    assert_eq!(home.count(&format!("select count(*) from {log}")), 20);
    assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn texts_in_double_quotes_run_where_the_address_allows_them() {
    let home = sqlite();
    home.file("1_a.sql", "create table a (s text);\ninsert into a values (\"pending\");\n");
    failed(&home.migrate().await, 3, &["LIM-R002", "single quotes", "?double_quoted_strings=on"]);
    let allowed = home.with(|it| {
        let address = format!("{}?double_quoted_strings=on", it.database.expose());
        it.database = Secret::new(address);
    });
    done(migrate(&allowed).await);
    assert_eq!(home.rows("select s from a"), ["pending"]);
}
