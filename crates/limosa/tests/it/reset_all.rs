//! `RESET ALL` in a file on PostgreSQL: the row of the ledger still knows its transaction, and limosa's time-outs hold again.

use limosa::{MigrateOptions, Selection, Stop};

use crate::answers::{back, done, failed, labels, migrate, quiet};
use crate::place::{Home, newest_postgres};

/// What limosa sets for a file, and what the file has set.
const SEEN: &str = "select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement, \
    current_setting('application_name') as named, current_setting('timezone') as zone";

fn sets(number: u8) -> String {
    format!(
        "create table public.a{number} (n int); set timezone = 'Asia/Tokyo'; set lock_timeout = 0; reset all; \
         create table public.seen{number} as {SEEN};"
    )
}

fn begins_with(home: &Home) -> Vec<String> {
    home.file("1_fresh.sql", &format!("create table public.seen1 as {SEEN};"));
    home.rows("select current_setting('timezone')")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_goes_on_as_it_began() {
    for single_transaction in [false, true] {
        let home = newest_postgres();
        let zone = begins_with(&home);
        for number in 2..=5 {
            home.file(&format!("{number}_a.sql"), &sets(number));
        }
        let migrator = home.with(|configuration| configuration.single_transaction = single_transaction);
        if single_transaction {
            assert_eq!(labels(&done(migrate(&migrator).await)), ["1", "2", "3", "4", "5"]);
            assert_eq!(home.rows("select * from seen1"), home.rows("select * from seen5"));
            continue;
        }
        home.file(
            "6_pieces.sql",
            &format!("{} create index concurrently i on a2 (n); create table b (n int);", sets(6)),
        );
        home.file("7_alone.sql", &format!("-- Transaction: none\n{}", sets(7)));
        home.file("8_own.sql", &format!("begin; {} commit; create table c (n int);", sets(8)));
        assert_eq!(labels(&done(migrate(&migrator).await)).len(), 8);
        let fresh = home.rows("select * from seen1");
        assert!(fresh[0].starts_with("3s|") && fresh[0].ends_with(&zone[0]), "{fresh:?}");
        for number in 2..=8 {
            assert_eq!(home.rows(&format!("select * from seen{number}")), fresh, "{number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_back_and_where_it_is_only_tried() {
    let home = newest_postgres();
    let back_with =
        |number: u8| format!("create table t{number} (n int);\n-- limosa:rollback\nreset all; drop table t{number};\n");
    (1..=3).for_each(|number| home.file(&format!("{number}_t.sql"), &back_with(number)));
    done(home.migrate().await);
    done(back(&home.migrator(), Selection::Steps(3), Some(&home.database())).await);
    assert_eq!(home.ledger(), [""; 0]);
    home.file("4_seen.sql", &sets(4));
    home.file("5_locked.sql", "reset all; do $$ begin assert current_setting('lock_timeout') = '3s'; end $$;");
    let (options, name) = (MigrateOptions::default(), home.database());
    let tried = home.migrator().dry_run(&options, Some(&name), &quiet, Stop::new()).await.expect("a plan");
    let executed = tried.executed.expect("what was tried");
    assert!(executed.error.is_none(), "{:?}", executed.error);
    assert_eq!(home.ledger(), [""; 0]);
    let by_hand = home.migrator().plan_script(&options).await.expect("a script");
    assert!(by_hand.contains("reset all;\nset local lock_timeout = 3000;\n"), "{by_hand}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_its_words_do_not_show_it() {
    let home = newest_postgres();
    home.file("1_f.sql", "create function f() returns int language plpgsql as $$ begin reset all; return 1; end $$;");
    home.file("2_block.sql", "set timezone = 'Asia/Tokyo'; do $$ begin reset all; end $$; create table a2 (n int);");
    home.file("3_function.sql", "select f(); create table a3 (n int);");
    home.file(
        "4_pieces.sql",
        "select f(); create index concurrently i on a3 (n); do $$ begin reset all; end $$; create table a4 (n int);",
    );
    done(home.migrate().await);
    assert_eq!(home.ledger(), ["1|applied", "2|applied", "3|applied", "4|applied"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn around_each_file_too() {
    let home = newest_postgres();
    home.file("beforeEachMigrate.sql", "reset all;");
    home.file("afterEachMigrate.sql", "reset all; create table if not exists e (n int);");
    home.file("afterMigrate.sql", "reset all; insert into e values (1);");
    home.file("V1__a.sql", "create table a (n int);");
    home.file("V2__b.sql", "create table b (n int);");
    done(home.migrate().await);
    assert_eq!(home.count("select count(*) from e"), 1);
}

/// The server reads `\'` here as the end of the string, the file as a quote within: what lies between is hidden from limosa.
fn hidden(statements: &str) -> String {
    format!(
        "set standard_conforming_strings = off; do $$ begin perform set_config('standard_conforming_strings', 'on', false); end $$; \
         select '\\'; {statements}; select --\\'';\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_file_ended_is_not_taken_for_ours() {
    for ends in ["commit; reset all", "commit; begin; reset all", "rollback; begin"] {
        for behind in ["reset all;", "select 1;", "reset all; reset all; do $$ begin reset all; end $$;"] {
            let home = newest_postgres();
            home.file("1_a.sql", "create table a (n int);");
            home.file("2_ends.sql", &format!("{}{behind}", hidden(ends)));
            home.file("3_b.sql", "create table b (n int);");
            failed(&home.migrate().await, 3, &["LIM-R007", "2_ends.sql ended the transaction"]);
            assert_eq!(home.ledger(), ["1|applied"], "{ends} {behind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_files_before_it_have_set_ends_as_well() {
    let home = newest_postgres();
    let zone = home.rows("select current_setting('timezone')");
    home.file("1_a.up.sql", "set timezone = 'Asia/Tokyo';");
    home.file("2_b.up.sql", "create table before as select current_setting('timezone') as zone; reset all;");
    for number in 3..=5 {
        home.file(&format!("{number}_c.up.sql"), &format!("create table seen{number} as {SEEN};"));
    }
    let plan = home.migrator().plan(&MigrateOptions::default()).await.expect("a plan");
    assert_eq!(plan.steps[1].inherits, ["timezone"]);
    assert!(plan.steps.iter().all(|step| !step.inherits.contains(&"all".to_owned())));
    done(home.migrate().await);
    assert_eq!(home.rows("select * from before"), ["Asia/Tokyo"]);
    for number in 3..=5 {
        let seen = home.rows(&format!("select lock || '|' || zone from seen{number}"));
        assert_eq!(seen, [format!("3s|{}", zone[0])], "{number}");
    }
}
