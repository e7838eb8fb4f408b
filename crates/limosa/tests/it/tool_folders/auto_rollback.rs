//! What a run takes back by itself begins with what its change began with, where the tool lets settings of one file reach the next.

use limosa::report::RunAnswer;
use limosa::{MigrateOptions, Stop};

use crate::answers::quiet;
use crate::place::{Home, all_homes, newest_postgres};

fn file(home: &Home, number: u8, up: &str, down: &str) {
    home.file(&format!("{number}_m.up.sql"), up);
    home.file(&format!("{number}_m.down.sql"), down);
}

/// Runs and fails; what was taken back, newest first.
async fn taken_back(home: &Home) -> Vec<String> {
    let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
    let answer: RunAnswer = home.migrator().migrate(&options, &quiet, Stop::new()).await.expect("an answer");
    assert_eq!(answer.exit_code, 3, "{answer:?}");
    assert!(answer.notices.is_empty(), "{:?}", answer.notices);
    let error = answer.error.expect("an error").message;
    assert!(error.contains("division by zero") || error.contains("nowhere"), "{error}");
    answer.taken_back.iter().map(|step| format!("{} {}", step.version, step.state)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_finds_what_its_file_had_set_before_it() {
    let home = newest_postgres();
    let role = format!("{}_owner", home.database());
    home.execute(&format!(
        "create table seen (number serial, who text); create role {role}; grant create on database {} to {role}; \
         grant all on seen to {role}; grant all on sequence seen_number_seq to {role}",
        home.database()
    ));
    let seen = |number: u8| {
        format!(
            "insert into public.seen (who) select '{number}|' || current_user || '|' || current_setting('search_path') || '|' || \
             current_setting('app.person', true);"
        )
    };
    file(
        &home,
        1,
        &format!("create schema other authorization {role}; set search_path = other, public; set app.person = 'me';"),
        &format!("{} drop schema other;", seen(1).replace("current_setting('app.person', true)", "'-'")),
    );
    file(&home, 2, "create table b (n int);", &format!("{} drop table b;", seen(2)));
    file(&home, 3, "do $$ begin set work_mem = '1MB'; end $$; set app.person = 'you';", &seen(3));
    // In pieces.
    file(
        &home,
        4,
        &format!("set role {role}; create table c (n int);"),
        &format!("reindex table concurrently c; {} drop table c;", seen(4)),
    );
    file(
        &home,
        5,
        "create table d (n int);",
        &format!("{} drop table d; insert into seen (who) values (current_setting('work_mem'));", seen(5)),
    );
    file(&home, 6, "set search_path = public;", &seen(6));
    file(&home, 7, "select 1 / 0;", "select 1;");
    assert_eq!(taken_back(&home).await, ["6", "5", "4", "3", "2", "1"].map(|number| format!("{number} done")));
    let line = |number: u8, who: &str, user: &str| format!("{number}|{who}|other, public|{user}");
    let expected = [
        line(6, &role, "you"),
        line(5, &role, "you"),
        "1MB".to_owned(),
        line(4, "postgres", "you"),
        line(3, "postgres", "me"),
        line(2, "postgres", "me"),
        "1|postgres|\"$user\", public|-".to_owned(),
    ];
    assert_eq!(home.rows("select who from seen order by number"), expected);
    assert_eq!(home.ledger(), [""; 0]);
    home.execute(&format!("drop owned by {role}; drop role {role}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_each_engine() {
    for home in all_homes() {
        let (shown, sets) = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => (
                "concat(@@sql_mode like '%ANSI_QUOTES%', ifnull(@mine, '-'))",
                ["set sql_mode = 'ANSI_QUOTES'; set @mine = 7;", "set sql_mode = ''; set @mine = 'it''s';"],
            ),
            (_, true) => (
                "(select recursive_triggers || cache_size from pragma_recursive_triggers, pragma_cache_size)",
                [
                    "pragma recursive_triggers = on; pragma cache_size = 77;",
                    "pragma recursive_triggers = off; pragma cache_size = 78;",
                ],
            ),
            _ => (
                "current_setting('timezone') || current_setting('extra_float_digits')",
                [
                    "set timezone = 'Asia/Tokyo'; set extra_float_digits = 0;",
                    "set timezone = 'Asia/Seoul'; set extra_float_digits = 2;",
                ],
            ),
        };
        home.execute("create table seen (number integer, it varchar(40))");
        let seen = |number: u8| format!("insert into seen select {number}, {shown};");
        file(&home, 1, &format!("{} {}", seen(1), sets[0]), &seen(10));
        file(&home, 2, &seen(2), &seen(20));
        file(
            &home,
            3,
            &format!("{} {}", seen(3), sets[1]),
            &format!("create table t (n int); {} drop table t;", seen(30)),
        );
        file(&home, 4, &seen(4), &format!("{} {}", sets[0], seen(40)));
        file(&home, 5, &seen(5), &seen(50));
        file(&home, 6, "insert into nowhere values (1);", "select 1;");
        assert_eq!(taken_back(&home).await, ["5", "4", "3", "2", "1"].map(|number| format!("{number} done")));
        let at = |number: u8| home.rows(&format!("select it from seen where number = {number}"));
        for number in [1, 2, 3, 5] {
            assert_eq!(at(number * 10), at(number), "{number}");
        }
        assert_eq!(at(40), at(2), "it sets anew");
        assert_ne!(at(2), at(1));
        assert_ne!(at(2), at(4));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_for_a_transaction_too() {
    let home = newest_postgres();
    let write = |number: u8, up: &str, down: &str| {
        home.file(&format!("{number}_m.sql"), &format!("-- Up Migration\n{up}\n-- Down Migration\n{down}\n"));
    };
    write(1, "create schema other; set local search_path = other, public;", "drop schema other;");
    write(2, "create table b (n int);", "drop table b;");
    write(3, "select 1 / 0;", "select 1;");
    assert_eq!(taken_back(&home).await, ["2 done", "1 done"]);
    assert_eq!(home.ledger(), [""; 0]);
}
