//! Preconditions of Liquibase's changes: what is asked before them, and what becomes of them.

use limosa::report::RunAnswer;
use limosa::{Failure, MigrateOptions};

use crate::answers::{done, failed, labels, said};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

const FIRST: &str = "--liquibase formatted sql\n--changeset a:1\ncreate table t (n integer);\n";

/// A change whose precondition is this, between two that have none.
fn between(conditions: &str, sql: &str) -> String {
    format!("{FIRST}--changeset a:2\n{conditions}\n{sql}\n--changeset a:3\ninsert into t values (3);\n")
}

fn told(answer: &RunAnswer) -> String {
    let notices = answer.steps.iter().flat_map(|step| &step.notices);
    notices.map(|notice| notice.message.as_str()).collect::<Vec<_>>().join("\n")
}

fn ends(answer: &RunAnswer) -> Vec<&str> {
    answer.steps.iter().map(|step| step.state).collect()
}

fn rows(home: &Home) -> Vec<String> {
    home.rows("select n from t order by n")
}

#[tokio::test]
async fn what_holds_is_run() {
    for home in all_homes() {
        let conditions = "--preconditions onFail:HALT onError:HALT\n--precondition-sql-check expectedResult:0 SELECT COUNT(*) FROM t;\n\
                          --precondition-table-exists table:t\n--precondition-view-exists view:v";
        let view = "--changeset a:1b\ncreate view v as select n from t;\n";
        let text = between(conditions, "insert into t values (2);");
        home.file("a.sql", &text.replace("--changeset a:2", &format!("{view}--changeset a:2")));
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["0001", "0002", "0003", "0004"]);
        assert_eq!((told(&answer).as_str(), ends(&answer)), ("", vec!["done"; 4]));
        assert_eq!(rows(&home), ["2", "3"]);
    }
}

#[tokio::test]
async fn the_same_question_may_be_asked_before_many_changes() {
    let home = newest_postgres();
    for (name, expected, question) in [("a", "1", "select 1 -- always"), ("b", "on", "show is_superuser")] {
        let asked =
            format!("--preconditions onFail:HALT\n--precondition-sql-check expectedResult:{expected} {question}");
        let mut text = FIRST.replace("table t", "table if not exists t");
        for number in 2..=7 {
            text.push_str(&format!("--changeset a:{number}\n{asked}\ninsert into t values ({number});\n"));
        }
        home.file(&format!("{name}.sql"), &text);
        done(home.migrate().await);
    }
}

#[tokio::test]
async fn a_run_stops_before_what_does_not_hold() {
    for home in all_homes() {
        for (condition, wanted) in [
            ("--precondition-sql-check expectedResult:0 select 7", "expected '0', found '7'"),
            ("--precondition-sql-check expectedResult:0 select max(n) from t", "expected '0', found NULL"),
            ("--precondition-table-exists table:nowhere", "does not hold: there is no table nowhere"),
            ("--precondition-view-exists view:t", "there is no view t"),
        ] {
            let condition = format!("--preconditions onFailMessage:\"ask Ann\"\n{condition}");
            home.file("a.sql", &between(&condition, "insert into t values (2);"));
            failed(
                &home.migrate().await,
                4,
                &["LIM-R040", "a.sql:6", wanted, "ask Ann", "--mark-applied 'a.sql::2::a'"],
            );
            assert_eq!(home.ledger(), ["a.sql::1::a|applied"]);
            assert!(rows(&home).is_empty());
        }
        // One that cannot be asked is an error, too.
        home.file(
            "a.sql",
            &between("--precondition-sql-check expectedResult:0 select nothing", "insert into t values (2);"),
        );
        failed(&home.migrate().await, 3, &["LIM-R041", "a.sql:5", "nothing"]);
        for (query, wanted) in [
            ("select n from t", "gives no row"),
            ("select 0 union all select 0", "gives several rows"),
            ("select 0, 0", "gives several columns"),
        ] {
            let conditions =
                format!("--preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:0 {query}");
            home.file("a.sql", &between(&conditions, "insert into t values (2);"));
            failed(&home.migrate().await, 3, &["LIM-R041", "a.sql:6", wanted]);
        }
        home.file(
            "a.sql",
            &between("--precondition-sql-check expectedResult:0 select count(*) from t", "insert into t values (2);"),
        );
        done(home.migrate().await);
        assert_eq!(rows(&home), ["2", "3"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn what_does_not_hold_may_be_left_counted_or_run_all_the_same() {
    for home in all_homes() {
        for (words, sql) in [
            ("onFail", "--precondition-sql-check expectedResult:0 select 7"),
            ("onError", "--precondition-sql-check expectedResult:0 select nothing"),
        ] {
            let text =
                |what: &str| between(&format!("--preconditions {words}:{what}\n{sql}"), "insert into t values (2);");
            home.file("a.sql", &text("CONTINUE"));
            let answer = done(home.migrate().await);
            assert_eq!(answer.steps.iter().find(|step| step.version == "0002").unwrap().state, "left");
            assert!(told(&answer).contains("it is left for the next run"), "{}", told(&answer));
            assert_eq!(
                (home.ledger(), rows(&home)),
                (vec!["a.sql::1::a|applied".into(), "a.sql::3::a|applied".into()], vec!["3".to_owned()])
            );

            home.file("a.sql", &text("WARN"));
            let answer = done(home.migrate().await);
            assert_eq!((labels(&answer), ends(&answer)), (vec!["0002"], vec!["done"]));
            assert!(told(&answer).contains("a.sql:6); it runs all the same"), "{}", told(&answer));
            assert_eq!(rows(&home), ["2", "3"]);

            home.execute("delete from t");
            let counted =
                text("MARK_RAN").replace("a:2", "a:2b").replace("insert into t values (2)", "insert into t values (4)");
            home.file("a.sql", &format!("{}{}", text("WARN"), counted.replace(FIRST, "").replace("a:3", "a:4")));
            let answer = done(home.migrate().await);
            assert_eq!(ends(&answer), ["counted", "done"]);
            assert!(told(&answer).contains("it counts as applied, and was not run"), "{}", told(&answer));
            assert!(home.ledger().contains(&"a.sql::2b::a|baseline".to_owned()), "{:?}", home.ledger());
            assert_eq!(rows(&home), ["3"]);
            assert!(done(home.migrate().await).steps.is_empty());
            assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
            home.execute("drop table t");
            home.forget();
        }
    }
}

impl Home {
    /// As if nothing had run here.
    fn forget(&self) {
        let table = self.table("schema_migrations");
        self.execute(&format!("delete from {table}"));
        self.file("a.sql", FIRST);
    }
}

#[tokio::test]
async fn answers_are_compared_and_names_are_found_as_liquibase_does() {
    const FALSE: &str = "counted";
    let of_postgres = [
        ("sql-check expectedResult:t select 1 = 1", "done"),
        ("sql-check expectedResult:true select 1 = 1", FALSE),
        ("sql-check expectedResult:0 select 0.00", FALSE),
        ("sql-check expectedResult:\"-1.50\" select -1.5::numeric(9,2)", "done"),
        ("sql-check expectedResult:12 select sum(n) from generate_series(3, 5) n", "done"),
        ("table-exists table:T", "done"),
        ("table-exists table:t schema:PUBLIC", "done"),
        ("table-exists table:Big", FALSE),
        ("table-exists table:pg_class", FALSE),
        ("table-exists table:v", FALSE),
        ("view-exists view:V", "done"),
    ];
    let of_sqlite = [
        ("table-exists table:t schema:nowhere", "done"),
        ("table-exists table:T", FALSE),
        ("table-exists table:Big", "done"),
        ("view-exists view:v", "done"),
    ];
    for (home, cases) in [(newest_postgres(), &of_postgres[..]), (sqlite(), &of_sqlite)] {
        let mut text = FIRST.to_owned();
        for (at, (condition, _)) in cases.iter().enumerate() {
            let lines = format!("--preconditions onFail:MARK_RAN, onError:MARK_RAN\n--precondition-{condition}");
            text.push_str(&format!("--changeset a:{}\n{lines}\ninsert into t values (1);\n", at + 2));
        }
        home.execute("create table \"Big\" (n integer); create view v as select 1 as n");
        home.file("a.sql", &text);
        let answer = done(home.migrate().await);
        let expected: Vec<(&str, &str)> = cases.to_vec();
        let found: Vec<(&str, &str)> =
            cases.iter().map(|(condition, _)| *condition).zip(ends(&answer)[1..].to_vec()).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn it_is_asked_in_the_transaction_of_the_change() {
    for home in [sqlite(), newest_postgres()] {
        // What it asks sees what the change before it did, and what the change does goes with it where a later statement fails.
        let conditions = "--precondition-sql-check expectedResult:1 select count(*) from t";
        let text = format!(
            "{FIRST}insert into t values (1);\n--changeset a:2\n{conditions}\ninsert into t values (2);\ninsert into t values (nothing);\n"
        );
        home.file("a.sql", &text);
        failed(&home.migrate().await, 3, &["a.sql:8:"]);
        assert_eq!(rows(&home), ["1"]);
        home.file("a.sql", &text.replace("nothing", "3"));
        done(home.migrate().await);
        assert_eq!(rows(&home), ["1", "2", "3"]);
    }
}

#[tokio::test]
async fn what_runs_in_pieces_or_sets_something_is_asked_before_it() {
    let home = newest_postgres();
    let index = "create index concurrently i on t (n);";
    let text = |expected: &str| {
        format!(
            "{FIRST}--changeset a:2 runInTransaction:false\n--preconditions onFail:MARK_RAN\n\
             --precondition-sql-check expectedResult:{expected} select count(*) from pg_class where relname = 'i'\n{index}\n\
             --changeset a:3\n--preconditions onFail:CONTINUE\n--precondition-sql-check expectedResult:t select current_setting('work_mem') <> '7MB'\n\
             set work_mem = '7MB';\ninsert into t values (3);\n"
        )
    };
    let isolated = "--changeset a:0\n--precondition-sql-check expectedResult:1 select 1\nset transaction isolation level serializable;\nselect 1;\n";
    home.file("a.sql", &text("0").replace("--changeset a:1", &format!("{isolated}--changeset a:1")));
    assert_eq!(
        ends(&done(home.migrate_with(&MigrateOptions { steps: Some(1), ..MigrateOptions::default() }).await)),
        ["done"]
    );
    home.file("a.sql", &text("0"));
    assert_eq!(ends(&done(home.migrate().await)), ["done", "done", "done"]);
    home.file(
        "a.sql",
        &format!("{}{}", text("0"), text("0").replace(FIRST, "").replace("a:2", "a:4").replace("a:3", "a:5")),
    );
    assert_eq!(ends(&done(home.migrate().await)), ["counted", "done"]);
    assert_eq!(rows(&home), ["3", "3"]);
}

#[tokio::test]
async fn plans_show_it_and_their_digest_covers_it() {
    let home = sqlite();
    home.file(
        "a.sql",
        &between(
            "--preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:0 select '${word}'",
            "select 2;",
        ),
    );
    let migrator = home.with(|it| drop(it.values.all.insert("word".to_owned(), "0".to_owned())));
    let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
    assert_eq!(plan.steps[1].preconditions, ["select '${word}' gives '0', else it counts as applied (line 6)"]);
    let other = home.with(|it| drop(it.values.all.insert("word".to_owned(), "1".to_owned())));
    assert_ne!(plan.digest, other.plan(&MigrateOptions::default()).await.unwrap().digest);
    let answer: Result<RunAnswer, Failure> =
        migrator.migrate(&MigrateOptions::default(), &crate::answers::quiet, limosa::Stop::new()).await;
    assert_eq!(said(&answer).0, 0);
    assert_eq!(ends(&answer.unwrap()), ["done", "done", "done"]);
}

#[tokio::test]
async fn what_runs_with_each_run_is_asked_about_each_time() {
    for home in all_homes() {
        let text = |what: &str, asked: &str| {
            let conditions = format!("--preconditions {what}\n--precondition-sql-check expectedResult:0 {asked}");
            let always = format!("--changeset a:log runAlways:true\n{conditions}\ninsert into t values (1);\n");
            format!("{FIRST}{always}--changeset a:2 runAlways:true\ninsert into t values (2);\n")
        };
        const COUNT: &str = "select count(*) from t where n = 1";
        home.file("a.sql", &text("onFail:MARK_RAN", COUNT));
        done(home.migrate().await);
        assert_eq!(rows(&home), ["1", "2"]);
        for word in ["MARK_RAN", "CONTINUE"] {
            home.file("a.sql", &text(&format!("onFail:{word} onError:{word}"), COUNT));
            done(home.migrate().await);
            home.file("a.sql", &text(&format!("onFail:{word} onError:{word}"), "select nothing"));
            done(home.migrate().await);
        }
        assert_eq!(rows(&home), ["1", "2", "2", "2", "2", "2"]);
        home.file("a.sql", &text("onFail:HALT", COUNT));
        failed(&home.migrate().await, 4, &["LIM-R040", "a.sql:6", "a.sql::log::a"]);
        home.file("a.sql", &text("onError:HALT", "select nothing"));
        failed(&home.migrate().await, 3, &["LIM-R041", "a.sql:6", "nothing"]);
        assert_eq!(rows(&home).len(), 6);
        home.file("a.sql", &text("onFail:WARN", COUNT));
        done(home.migrate().await);
        assert_eq!(rows(&home).len(), 8);
        home.execute("delete from t");
        home.file("a.sql", &text("", COUNT));
        done(home.migrate().await);
        assert_eq!(rows(&home), ["1", "2"]);
        let plan = home.migrator().plan(&MigrateOptions::default()).await.unwrap();
        assert_eq!(plan.steps[0].preconditions.len(), 1);
        home.file("a.sql", &text("onFail:WARN", COUNT));
        assert_ne!(plan.digest, home.migrator().plan(&MigrateOptions::default()).await.unwrap().digest);
    }
}

#[tokio::test]
async fn what_may_fail_is_left_for_the_next_run() {
    for home in all_homes() {
        let text = |sql: &str, attribute: &str| {
            let sql = format!("insert into t values (2);\n{sql}");
            let always = format!("--changeset a:log failOnError:false runAlways:true\n{sql}");
            let asked = "--changeset a:4 failOnError:false\n--precondition-sql-check expectedResult:0 select 7\ninsert into t values (4);\n";
            let plain = between("", &sql).replace("a:2", &format!("a:2 {attribute}"));
            format!("{plain}{asked}{always}")
        };
        const BROKEN: &str = "insert into t values (nothing);\n";
        home.file("a.sql", &text(BROKEN, "failOnError:false"));
        let answer = done(home.migrate().await);
        assert_eq!(
            (labels(&answer), ends(&answer)),
            (vec!["0001", "0003"], vec!["done", "forgiven", "done", "left", "forgiven"])
        );
        assert!(told(&answer).contains("a.sql:7); it may fail, and is left for the next run"), "{}", told(&answer));
        assert_eq!(rows(&home), ["3"]);
        home.file("a.sql", &text("", "failOnError:false"));
        let answer = done(home.migrate().await);
        assert_eq!((labels(&answer), ends(&answer)), (vec!["0002", "R"], vec!["done", "left", "done"]));
        assert_eq!(rows(&home), ["2", "2", "3"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        // The others still stop a run.
        home.file("b.sql", &text(BROKEN, "failOnError:true").replace("create table t", "create table t2"));
        failed(&home.migrate().await, 3, &["b.sql:7"]);
    }
}
