//! Ways back that go wrong halfway, and what a failed run may take back.

use limosa::{MigrateOptions, Progress, RollbackOptions, Selection, Stop};
use limosa_testkit::eventually;

use crate::place::{all_homes, error_text, newest_postgres, sqlite};

/// A way back that stops at its second statement, which can run in no transaction.
fn interrupted_home(file: &str) -> crate::place::Home {
    let home = sqlite();
    home.file("001_a.sql", "create table a (n integer);\ncreate table b (n integer);\n");
    home.file("001_a.rollback.sql", file);
    home
}

#[tokio::test]
async fn an_interrupted_way_back_from_a_file_is_finished_by_the_same_command() {
    let home = interrupted_home("drop table b;\n");
    home.migrate().await.unwrap();
    home.file("001_a.rollback.sql", "drop table b;\nvacuum into '/nowhere/at/all';\ndrop table a;\n");
    let options = RollbackOptions {
        selection: Selection::Steps(1),
        use_file: true,
        consent: Some(home.database()),
        backup: false,
    };
    let quiet = |_: Progress| {};
    let first = home.migrator().rollback(&options, &quiet, Stop::new()).await;
    assert_eq!(first.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 3, "{}", error_text(&first));
    assert_eq!(home.ledger(), ["1|reverting"]);

    // From the failed statement on the file may be edited; the statement before it ran and stays.
    home.file("001_a.rollback.sql", "drop table b;\nvacuum;\ndrop table a;\n");
    let second = home.migrator().rollback(&options, &quiet, Stop::new()).await;
    assert_eq!(second.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&second));
    assert_eq!(home.tables(), Vec::<String>::new());
    assert_eq!(home.rows("select count(*) from limosa_journal"), ["0"]);
}

/// The server finishes what a killed run has sent, maybe while the next one reads the ledger: the head of the log is newer than the rows
/// then, and the way back that a row promises is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_away_while_the_ledger_is_read_is_not_missed() {
    let home = newest_postgres();
    for number in 1..=2 {
        let text = format!("create table t{number} (n int);\n-- limosa:rollback\ndrop table t{number};\n");
        home.file(&format!("000{number}_t.sql"), &text);
    }
    home.migrate().await.unwrap();
    let other = home.database_handle().session().unwrap();
    other.execute("begin; lock table limosa.audit_head; drop table t2").unwrap();
    other.execute("delete from limosa.schema_migrations where identity = '2'").unwrap();
    other.execute("update limosa.audit_head set sequence = sequence + 1").unwrap();
    let options = RollbackOptions {
        selection: Selection::Steps(2),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let migrator = home.migrator();
    let back = tokio::spawn(async move { migrator.rollback(&options, &|_: Progress| {}, Stop::new()).await });
    let waits = "select pid::text from pg_locks where relation = 'limosa.audit_head'::regclass and not granted";
    eventually("the rollback reads the head", || !home.rows(waits).is_empty());
    other.execute("commit").unwrap();
    let result = back.await.unwrap();
    assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
    assert_eq!((home.ledger(), home.tables()), (Vec::new(), Vec::<String>::new()));
}

#[tokio::test]
async fn taking_back_what_was_half_done_leaves_no_journal() {
    let home = interrupted_home("drop table a;\n");
    home.file("001_a.sql", "create table a (n integer);\nvacuum into '/nowhere/at/all';\n");
    let result = home.migrate().await;
    assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 3, "{}", error_text(&result));
    let back = home.rollback(Selection::Steps(1)).await;
    assert_eq!(back.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&back));
    assert_eq!(home.rows("select count(*) from limosa_journal"), ["0"]);
    assert_eq!(home.ledger(), Vec::<String>::new());
}

#[tokio::test]
async fn auto_rollback_leaves_what_stood_before() {
    for home in all_homes() {
        home.file(
            "R__a.sql",
            "drop view if exists a;\ncreate view a as select 1 as n;\n-- limosa:rollback\ndrop view a;\n",
        );
        home.migrate().await.unwrap();
        home.file(
            "R__a.sql",
            "drop view if exists a;\ncreate view a as select 2 as n;\n-- limosa:rollback\ndrop view a;\n",
        );
        home.file("R__b.sql", "select * from nowhere;\n");
        let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
        let result = home.migrate_with(&options).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 3, "{}", error_text(&result));
        assert!(result.unwrap().taken_back.is_empty());
        assert_eq!(home.rows("select n from a"), ["2"], "the view stood before this run, so it stays");
        assert_eq!(home.ledger(), ["R:a|applied"]);
    }
}

#[tokio::test]
async fn seeds_say_what_they_do_not_read() {
    let home = sqlite();
    let folder = home.folder.join("seeds");
    std::fs::create_dir(&folder).unwrap();
    let seed = async || home.migrator().seed(&folder, false, &|_: Progress| {}, Stop::new()).await;
    let codes =
        |answer: &limosa::report::RunAnswer| answer.notices.iter().map(|notice| notice.code).collect::<Vec<_>>();
    let answer = seed().await.unwrap();
    assert_eq!((answer.outcome, codes(&answer)), ("nothing_to_do", vec!["LIM-U071"]));
    home.folder.write("seeds/people.sql", "insert into people values (1);");
    crate::answers::refusal(seed().await, 2, &["LIM-F033", "people.sql"]);
    home.folder.write("seeds/001_numbers.sql", "create table numbers (n int);");
    let answer = seed().await.unwrap();
    assert_eq!((answer.outcome, codes(&answer)), ("done", vec!["LIM-F001"]));
}
