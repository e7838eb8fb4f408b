//! Ways back that stop: where nothing of them has taken effect the change stands as before, and where something has, it is told how
//! to get out of it.

use limosa::report::RunAnswer;
use limosa::{Failure, Identity, Repair, RollbackOptions, Selection};

use super::home;
use crate::answers::{done, failed};
use crate::place::Home;
use crate::running::{Running, says};

const JOURNALS: &str = "select count(*) from limosa_journal where direction = 'revert'";

/// Runs a way back of the newest change that waits a second for locks, and not again.
async fn back_impatiently(home: &Home) -> Result<RunAnswer, Failure> {
    let options = RollbackOptions {
        selection: Selection::Steps(1),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 1000;
    configuration.limits.lock_retries = 1;
    Running::rollback(configuration, options).end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_began_leaves_the_change_applied() {
    for settings in ["", "set foreign_key_checks = 0;\n"] {
        let home = home();
        home.file("001_busy.sql", "create table busy (n int primary key);\n");
        home.file(
            "002_k.sql",
            &format!(
                "alter table busy add column k int;\n-- limosa:rollback\n{settings}alter table busy drop column k;\n"
            ),
        );
        done(home.migrate().await);
        let holder = home.mysql().session().unwrap();
        holder.execute("begin; select count(*) from busy").unwrap();
        failed(&back_impatiently(&home).await, 3, &["LIM-R003", "1205", "tried 2 times"]);
        assert_eq!(home.ledger(), ["1|applied", "2|applied"], "{settings}");
        assert_eq!(home.rows("select statements_done, statements_total from limosa_schema_migrations"), ["1|1", "1|1"]);
        assert_eq!(home.rows(JOURNALS), ["0"]);
        home.file("003_next.sql", "create table next (n int);\n-- limosa:rollback\ndrop table next;\n");
        done(home.migrate().await);
        holder.execute("rollback").unwrap();
        done(home.rollback(Selection::Steps(2)).await);
        assert_eq!(home.ledger(), ["1|applied"]);
        home.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_began_leaves_a_half_done_change_to_go_on() {
    let home = home();
    let up = "create table a (n int);\ninsert into nope values (1);\ncreate table c (n int);\n";
    let back = "-- limosa:rollback\ndrop table c;\ndrop table a;\n";
    home.file("001_a.sql", &format!("{up}{back}"));
    failed(&home.migrate().await, 3, &["nope"]);
    failed(&home.rollback(Selection::Steps(1)).await, 3, &["1051", "statement 1 of 2"]);
    assert_eq!(home.ledger(), ["1|partial"]);
    assert_eq!(home.rows("select statements_done, statements_total from limosa_schema_migrations"), ["1|3"]);
    assert_eq!(home.rows(JOURNALS), ["0"]);
    home.file("001_a.sql", &format!("{}{back}", up.replace("insert into nope values (1);\n", "")));
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a", "c"]);
    home.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_began_is_finished_or_counts_as_applied_again() {
    let home = home();
    home.file("001_a.sql", "create table a (n int);\n-- limosa:rollback\ndrop table a;\ndrop table nope;\n");
    done(home.migrate().await);
    failed(&home.rollback(Selection::Steps(1)).await, 3, &["1051", "statements 1 to 1 of 2 are committed"]);
    assert_eq!(home.ledger(), ["1|reverting"]);
    let result = home.migrate().await;
    says(&result, &["LIM-P004", "limosa rollback 1", "limosa repair --mark-applied 1"]);
    let told = home.repair(Repair::Explain).await.unwrap().would.join("\n");
    assert!(told.contains("'limosa rollback 1' goes on") && told.contains("limosa repair --mark-applied 1"), "{told}");
    home.execute("create table a (n int)");
    home.repair(Repair::MarkApplied(Identity::new("1"))).await.unwrap();
    assert!(done(home.migrate().await).steps.is_empty());
    home.assert_sound().await;
}
