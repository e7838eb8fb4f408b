//! Liquibase's changes that may fail and set something for their session. What is expected here was seen with Liquibase 4.33.

use crate::answers::{done, failed, labels};
use crate::place::{Home, all_homes};

/// How an engine is told something that a session shows, and what it shows: `[first, then]`.
fn told(home: &Home) -> ([&'static str; 2], &'static str) {
    match (home.is_mysql(), home.is_sqlite()) {
        (true, _) => (["set time_zone = '+09:00';", "set time_zone = '+10:00';"], "@@time_zone"),
        (_, true) => {
            let shown = "(select recursive_triggers from pragma_recursive_triggers)";
            (["pragma recursive_triggers = on;", "pragma recursive_triggers = off;"], shown)
        }
        _ => (["set timezone = 'Asia/Tokyo';", "set timezone = 'Asia/Seoul';"], "current_setting('timezone')"),
    }
}

fn changes(home: &Home) -> String {
    let ([first, then], shown) = told(home);
    format!(
        "--liquibase formatted sql\n--changeset a:1\ncreate table log (who varchar(9), it varchar(40));\n\
         --changeset a:2\ninsert into log select 'two', {shown};\n\
         --changeset a:3 failOnError:false\n{first}\ninsert into log (who) values ('three');\ninsert into log (who) values (nothing);\n\
         --changeset a:4\ninsert into log select 'four', {shown};\n\
         --changeset a:5 failOnError:false\n{then}\ninsert into log (who) values ('five');\n\
         --changeset a:6\ninsert into log select 'six', {shown};\n"
    )
}

fn log(home: &Home) -> Vec<String> {
    let rows = home.rows("select who, coalesce(it, '') from log where who <> 'five'");
    rows.iter().map(|line| line.replace('|', " ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_left_and_what_it_set_is_as_with_liquibase() {
    for home in all_homes() {
        home.file("a.sql", &changes(&home));
        let answer = done(home.migrate().await);
        let ends: Vec<&str> = answer.steps.iter().map(|step| step.state).collect();
        assert_eq!(ends, ["done", "done", "forgiven", "done", "done", "done"]);
        let log = log(&home);
        let fresh = log[0].strip_prefix("two ").expect("the second change");
        let [four, six] = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => ["+09:00", "+10:00"],
            (_, true) => ["1", "0"],
            _ => [fresh, "Asia/Seoul"],
        };
        assert_eq!(log[1..], [format!("four {four}"), format!("six {six}")]);
        home.file("a.sql", &changes(&home).replace("insert into log (who) values (nothing);\n", ""));
        assert_eq!(labels(&done(home.migrate().await)), ["0003"]);
        home.file("b.sql", "--liquibase formatted sql\n--changeset b:1\ninsert into log (who) values ('seven');\n");
        done(home.migrate().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_runs_always_leaves_what_any_other_leaves() {
    for home in all_homes() {
        let ([first, _], shown) = told(&home);
        home.file(
            "a.sql",
            &format!(
                "--liquibase formatted sql\n--changeset a:1\ncreate table log (who varchar(9), it varchar(40));\n\
                 --changeset a:2\ninsert into log select 'two', {shown};\n\
                 --changeset a:always runAlways:true failOnError:false\n{first}\ninsert into log (who) values (nothing);\n\
                 --changeset a:last runAlways:true\ninsert into log select 'last', {shown};\n"
            ),
        );
        done(home.migrate().await);
        let log = log(&home);
        let last = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => " +09:00",
            (_, true) => " 1",
            _ => log[0].strip_prefix("two").expect("the second change"),
        };
        assert_eq!(log[1].strip_prefix("last"), Some(last), "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_stop_the_run_as_before() {
    for home in all_homes() {
        home.file("a.sql", &changes(&home).replace("a:3 failOnError:false", "a:3"));
        failed(&home.migrate().await, 3, &["nothing", "a.sql"]);
        assert_eq!(log(&home).len(), 1);
    }
}
