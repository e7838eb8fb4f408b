//! `preConditions` of Liquibase's changelogs: what is asked before anything runs.

use limosa::MigrateOptions;

use crate::answers::{done, failed, labels, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

const FIRST: &str = "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer);\n";

/// A changelog that asks this, and includes `a.sql`.
fn asks(home: &Home, conditions: &str) {
    home.file(
        "changelog.xml",
        &format!("<databaseChangeLog>\n{conditions}\n<include file=\"a.sql\"/>\n</databaseChangeLog>\n"),
    );
}

#[tokio::test]
async fn nothing_runs_where_it_does_not_hold() {
    for home in all_homes() {
        home.file("a.sql", FIRST);
        for on in ["", "HALT", "MARK_RAN", "CONTINUE"] {
            let on = if on.is_empty() { String::new() } else { format!(" onFail=\"{on}\" onError=\"{on}\"") };
            let asked = |sql: &str| {
                format!(
                    "<preConditions{on} onFailMessage=\"ask Ann\">\n<sqlCheck expectedResult=\"1\">{sql}</sqlCheck></preConditions>"
                )
            };
            asks(&home, &asked("select 7"));
            let wanted = ["LIM-R040", "changelog.xml:3", "expected '1', found '7'", "ask Ann"];
            failed(&home.migrate().await, 4, &wanted);
            asks(&home, &asked("select nothing"));
            failed(&home.migrate().await, 3, &["LIM-R041", "changelog.xml:3", "nothing"]);
            assert!(home.ledger().is_empty() && !home.tables().contains(&"t".to_owned()));
        }
        asks(
            &home,
            "<preConditions><sqlCheck expectedResult=\"0\">select count(*) from limosa_here</sqlCheck></preConditions>",
        );
        home.execute("create table limosa_here (n integer)");
        assert_eq!(labels(&done(home.migrate().await)), ["0001"]);
        assert_eq!(home.ledger(), ["a.sql::1::a|applied"]);
        // It is asked with each run, as with liquibase.
        assert!(done(home.migrate().await).steps.is_empty());
        let before = home.rows(&format!("select count(*) from {}", home.table("audit_log")));
        done(home.migrate().await);
        assert_eq!(home.rows(&format!("select count(*) from {}", home.table("audit_log"))), before);
        home.execute("insert into limosa_here values (1)");
        failed(&home.migrate().await, 4, &["LIM-R040", "changelog.xml:2", "found '1'"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_warning_lets_it_run() {
    for home in all_homes() {
        home.file("a.sql", FIRST);
        for (at, sql) in ["select 7", "select nothing"].into_iter().enumerate() {
            asks(
                &home,
                &format!(
                    "<preConditions onFail=\"WARN\" onError=\"WARN\"><sqlCheck expectedResult=\"1\">{sql}</sqlCheck></preConditions>"
                ),
            );
            assert_eq!(done(home.migrate().await).steps.len(), 1 - at);
        }
        assert_eq!(home.ledger(), ["a.sql::1::a|applied"]);
    }
}

#[tokio::test]
async fn what_is_asked_may_be_made_of_others() {
    for home in all_homes() {
        home.file("a.sql", FIRST);
        let log = |conditions: &str| {
            home.file(
                "changelog.yaml",
                &format!("databaseChangeLog:\n- property: {{name: one, value: 1}}\n- preConditions:\n{conditions}- include: {{file: a.sql}}\n"),
            );
        };
        for (conditions, wanted) in [
            (
                "  - not:\n    - sqlCheck: {expectedResult: '${one}', sql: select 1}\n",
                "it holds that select 1 gives '1'",
            ),
            (
                "  - or:\n    - sqlCheck: {expectedResult: 2, sql: select 1}\n    - tableExists: {tableName: t}\n",
                "expected '2', found '1'; there is no table t",
            ),
            ("  - dbms: {type: oracle}\n", "it does not hold that this is a database of oracle"),
            ("  - runningAs: {username: nobody-here}\n", "the user is not nobody-here"),
            ("  - changeSetExecuted: {id: 1, author: A, changeLogFile: a.sql}\n", "a.sql::1::a has not run"),
            ("  - changeLogPropertyDefined: {property: two}\n", "there is a property two"),
        ] {
            log(conditions);
            failed(&home.migrate().await, 4, &["LIM-R040", "changelog.yaml:4", wanted]);
        }
        assert!(home.ledger().is_empty());
        log(
            "  - not: [{changeSetExecuted: {id: 1, author: a, changeLogFile: a.sql}}]\n  - dbms: {type: 'postgresql,sqlite,mariadb,mysql'}\n\
             \x20 - or: [{sqlCheck: {expectedResult: 2, sql: select 1}}, {not: [{tableExists: {tableName: t}}]}]\n",
        );
        assert_eq!(labels(&done(home.migrate().await)), ["0001"]);
        log("  - changeSetExecuted: {id: 1, author: a, changeLogFile: a.sql}\n  - tableExists: {tableName: t}\n");
        done(home.migrate().await);
        log("  - columnExists: {tableName: t, columnName: n}\n");
        failed(&home.migrate().await, 2, &["LIM-F063", "changelog.yaml:4", "columnExists", "sqlCheck"]);
    }
}

#[tokio::test]
async fn included_changelogs_ask_too_and_plans_show_it() {
    let home = sqlite();
    home.file("a.sql", FIRST);
    home.file("changelog.yaml", "databaseChangeLog:\n- include: {file: sub/more.yaml}\n- include: {file: a.sql}\n");
    let asked =
        "- preConditions: [{sqlCheck: {expectedResult: 0, sql: select 7}}]\n- preConditions: [{dbms: {type: h2}}]\n";
    home.file("sub/more.yaml", &format!("databaseChangeLog:\n{asked}"));
    let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
    let shown: Vec<&str> = plan.callbacks.iter().flat_map(|it| &it.preconditions).map(String::as_str).collect();
    assert_eq!(
        shown,
        ["select 7 gives '0', else the run stops (line 2)", "this is a database of h2, else the run stops (line 3)"]
    );
    failed(&home.migrate().await, 4, &["LIM-R040", "more.yaml:2"]);
    home.file("sub/more.yaml", "databaseChangeLog:\n- property: {name: x, value: y}\n");
    assert_ne!(plan.digest, home.migrator().plan(&MigrateOptions::default()).await.unwrap().digest);
    done(home.migrate().await);
}

#[tokio::test]
async fn the_user_is_the_one_that_logged_in() {
    let home = newest_postgres();
    home.file("a.sql", FIRST);
    let user = home.rows("select upper(session_user)").concat();
    asks(&home, &format!("<preConditions><runningAs username=\"{user}\"/></preConditions>"));
    let answer = done(home.migrate().await);
    assert_eq!((labels(&answer), words(&answer.notices).as_str()), (vec!["0001"], ""));
}
