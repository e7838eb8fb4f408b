//! Files that mix DDL and rows: an error in the middle, the file mended and edited, the way back likewise.

use limosa::{Identity, MigrateOptions, Repair, Selection, Stop};

use super::home;
use crate::answers::{done, failed, labels, quiet};
use crate::running::well;

const FILE: &str = "create table a (n int primary key);\n\
    insert into a values (1);\n\
    insert into a values (2);\n\
    alter table a add column m int;\n\
    update a set m = n;\n\
    insert into a values (3, 3);\n\
    insert into a values (3, 4);\n\
    create table behind (n int);\n";

#[tokio::test]
async fn an_error_in_the_middle_leaves_what_was_committed_and_the_next_run_goes_on() {
    let home = home();
    home.file("001_mixed.sql", FILE);
    let result = home.migrate().await;
    let text = failed(
        &result,
        3,
        &["LIM-R002", "1062", "statement 7 of 8", "001_mixed.sql:7:1", "statements 1 to 4 of 8 are committed"],
    );
    assert!(text.contains("limosa goes on from there"), "{text}");
    let step = &result.unwrap().steps[0];
    assert_eq!((step.state, step.statements_done, step.statements_total), ("partial", 4, 8));
    // The rows of the failed transaction are gone.
    assert_eq!(home.rows("select n, m from a order by n"), ["1|-", "2|-"]);
    assert_eq!(home.ledger(), ["1|partial"]);
    assert_eq!(home.states().await, ["1 partial"]);
    assert_eq!(home.migrator().validate().await.unwrap().exit_code, 1);

    // As it is, it fails again, and nothing is done twice.
    failed(&home.migrate().await, 3, &["1062", "statements 1 to 4 of 8"]);
    assert_eq!(home.rows("select n, m from a order by n"), ["1|-", "2|-"]);

    // Statements that ran may not change.
    home.file("001_mixed.sql", &FILE.replace("values (1)", "values (9)"));
    failed(&home.migrate().await, 4, &["LIM-P006", "its first 4 statements"]);
    assert_eq!(home.rows("select n from a order by n"), ["1", "2"]);

    home.file("001_mixed.sql", &FILE.replace("(3, 4)", "(4, 4)"));
    assert_eq!(labels(&done(home.migrate().await)), ["001"]);
    assert_eq!(home.rows("select n, m from a order by n"), ["1|1", "2|2", "3|3", "4|4"]);
    assert_eq!(home.tables(), ["a", "behind"]);
    assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    home.assert_sound().await;
}

#[tokio::test]
async fn a_way_back_that_fails_in_the_middle_goes_on() {
    let home = home();
    let back = "delete from a where n = 1;\nalter table a drop column m;\ndelete from nosuch;\ndrop table a;\n";
    let file = |back: &str| {
        format!("create table a (n int, m int);\ninsert into a values (1, 1), (2, 2);\n-- limosa:rollback\n{back}")
    };
    home.file("001_a.sql", &file(back));
    well(&home.migrate().await);
    failed(&home.rollback(Selection::Steps(1)).await, 3, &["1146", "nosuch", "statements 1 to 2 of 4 are committed"]);
    assert_eq!(home.rows("select * from a"), ["2"]);
    assert_eq!(home.states().await, ["1 reverting"]);
    // The way back is the one of the ledger: it asks for the table that is missing.
    failed(&home.migrate().await, 4, &["1"]);
    home.execute("create table nosuch (n int)");
    done(home.rollback(Selection::Steps(1)).await);
    assert_eq!(home.tables(), ["nosuch"]);
    assert!(home.ledger().is_empty());
    home.assert_sound().await;
}

#[tokio::test]
async fn an_error_in_the_first_statement_leaves_nothing() {
    let home = home();
    home.file("001_a.sql", "create table a (n int,, m int);\ncreate table b (n int);\n");
    let result = home.migrate().await;
    failed(&result, 3, &["1064", "001_a.sql:1:24", "no statement of this file is recorded as committed"]);
    assert_eq!(result.unwrap().steps[0].state, "rolled_back");
    // It may be edited freely, and may even go away.
    home.file("001_a.sql", "create table c (n int);\n");
    done(home.migrate().await);
    assert_eq!(home.tables(), ["c"]);
    home.assert_sound().await;
}

#[tokio::test]
async fn what_the_server_does_not_understand_is_in_no_doubt() {
    let home = home();
    home.file("001_a.sql", "create table a (n int);\ndrop index nosuch;\n");
    let text = failed(&home.migrate().await, 3, &["1064", "statements 1 to 1 of 2", "limosa goes on from there"]);
    assert!(!text.contains("was begun"), "{text}");
    home.file("001_a.sql", "create table a (n int);\ncreate table b (n int);\n");
    done(home.migrate().await);
    home.assert_sound().await;
}

#[tokio::test]
async fn rows_that_know_no_transactions_are_told() {
    for engine in ["MyISAM", "Aria", "MEMORY"] {
        let home = home();
        home.file("001_t.sql", &format!("create table t (n int primary key) engine = {engine};\n"));
        well(&home.migrate().await);
        home.file("002_rows.sql", "insert into t values (1);\ninsert into t values (2);\ninsert into t values (2);\n");
        let result = home.migrate().await;
        let text = failed(&result, 3, &["1062", "002_rows.sql:3:1"]);
        assert_eq!(result.unwrap().steps[0].state, "rows_stay");
        assert_eq!(home.rows("select count(*) from t"), ["2"], "the engine keeps them");
        // Nobody may believe that nothing of it stands.
        assert!(text.contains("tables without transactions (MyISAM, Aria, MEMORY) stay changed"), "{engine}: {text}");
        let doctor = crate::answers::findings(&home.migrator().doctor().await.unwrap());
        assert!(doctor.contains(&format!("no transactions in t ({engine})")), "{doctor}");
        // In a transaction behind DDL, too.
        home.file("002_rows.sql", "create table u (n int);\ninsert into t values (3);\ninsert into t values (3);\n");
        failed(&home.migrate().await, 3, &["1062", "stay changed"]);
        // Rows of other tables are taken back, and nothing is said.
        home.file("002_rows.sql", "create table u (n int);\ninsert into u values (3);\ninsert into t values (3);\n");
        let text = failed(&home.migrate().await, 3, &["1062"]);
        assert!(!text.contains("stay changed"), "{text}");
        assert_eq!(home.rows("select count(*) from u"), ["0"]);
    }
}

#[tokio::test]
async fn a_dry_run_changes_no_rows_that_would_stay() {
    let home = home();
    home.execute("create table t (n int) engine = MyISAM");
    home.file("001_rows.sql", "insert into t values (1);\n");
    let try_out = async || {
        let consent = home.database();
        home.migrator().dry_run(&MigrateOptions::default(), Some(&consent), &quiet, Stop::new()).await.unwrap()
    };
    let executed = try_out().await.executed.unwrap();
    assert!(executed.steps.is_empty(), "{executed:?}");
    assert!(executed.not_tried[0].reason.contains("t (MyISAM) would stay changed"), "{executed:?}");
    assert_eq!(home.rows("select count(*) from t"), ["0"]);
    // A table elsewhere is found by the server's word only.
    let other = home.mysql().session().unwrap();
    let name = format!("{}_other", home.database());
    other.execute(&format!("create database {name}; alter table t rename {name}.t")).unwrap();
    home.file("001_rows.sql", &format!("insert into {name}.t values (1);\n"));
    let executed = try_out().await.executed.unwrap();
    assert_eq!(executed.error.unwrap().code, "LIM-R013");
    assert_eq!(executed.steps[0].state, "rows_stay");
    other.execute(&format!("drop database {name}")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_stay_changed_are_not_changed_twice() {
    let home = home();
    home.execute(
        "create table t (n int) engine = MyISAM; create table u (n int primary key); insert into u values (1)",
    );
    let holder = home.mysql().session().unwrap();
    holder.execute("begin; update u set n = 2").unwrap();
    home.file("001_rows.sql", "insert into t values (1);\nupdate u set n = 3;\n");
    let mut configuration = home.configuration();
    configuration.limits.lock_timeout_ms = 1000;
    let result = crate::running::Running::migrate(configuration).end().await;
    failed(&result, 3, &["1205", "stay changed"]);
    assert_eq!(home.rows("select count(*) from t"), ["1"]);
    holder.execute("rollback").unwrap();
}

#[tokio::test]
async fn what_is_partial_may_be_settled_by_hand() {
    let home = home();
    home.file("001_a.sql", "create table a (n int);\ncreate table b (n int);\ninsert into nosuch values (1);\n");
    failed(&home.migrate().await, 3, &["1146", "statements 1 to 2 of 3"]);
    home.repair(Repair::MarkApplied(Identity::new("1"))).await.unwrap();
    assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    assert_eq!(home.ledger(), ["1|baseline"]);
    home.assert_sound().await;

    let home = super::home();
    home.file("001_a.sql", "create table a (n int);\ncreate table b (n int);\ninsert into nosuch values (1);\n");
    failed(&home.migrate().await, 3, &["1146"]);
    home.execute("drop table a, b; create table nosuch (n int)");
    home.repair(Repair::MarkNotApplied(Identity::new("1"))).await.unwrap();
    assert_eq!(labels(&done(home.migrate().await)), ["001"]);
    home.assert_sound().await;
}

#[tokio::test]
async fn what_commits_unseen_is_never_said_to_be_rolled_back() {
    let home = home();
    home.execute(
        "create table t (n int); create procedure commits() begin insert into t values (10); commit; insert into t values (11); end; \
         create procedure makes() begin create table made (n int); insert into nosuch values (1); end",
    );
    // The call commits what came before it in limosa's transaction, were it in one.
    home.file(
        "001_calls.sql",
        "insert into t values (1);\ncall commits();\ninsert into t values (2);\ninsert into nosuch values (1);\n",
    );
    failed(&home.migrate().await, 3, &["1146", "statement 4 of 4", "statements 1 to 2 of 4 are committed"]);
    assert_eq!(home.rows("select n from t order by n"), ["1", "10", "11"]);
    home.file("001_calls.sql", "insert into t values (1);\ncall commits();\ninsert into t values (2);\n");
    done(home.migrate().await);
    assert_eq!(home.rows("select n from t order by n"), ["1", "2", "10", "11"]);

    // A procedure that fails behind its own DDL: a person decides.
    home.file("002_makes.sql", "insert into t values (3);\ncall makes();\n");
    let text = failed(&home.migrate().await, 3, &["1146", "statement 2 of 2"]);
    assert!(text.contains("statement 2 was begun, and its end is not recorded"), "{text}");
    failed(&home.migrate().await, 4, &["LIM-R021", "--mark-done 2:2", "--retry 2:2"]);
    home.repair(Repair::MarkDone(Identity::new("2"), 2)).await.unwrap();
    done(home.migrate().await);
    assert_eq!(home.rows("select count(*) from t where n = 3"), ["1"]);

    // Prepared DDL.
    home.file(
        "003_prepared.sql",
        "insert into t values (4);\nprepare s from 'create table prepared (n int)';\nexecute s;\ninsert into nosuch values (1);\n",
    );
    failed(&home.migrate().await, 3, &["1146", "statement 4 of 4", "statements 1 to 3 of 4 are committed"]);
    assert_eq!(home.rows("select count(*) from t where n = 4"), ["1"]);
    home.file(
        "003_prepared.sql",
        "insert into t values (4);\nprepare s from 'create table prepared (n int)';\nexecute s;\n",
    );
    done(home.migrate().await);
    home.assert_sound().await;
}
