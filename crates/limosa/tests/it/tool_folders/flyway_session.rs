//! Flyway's files share a session, of which it puts back a part before each, and so do the callbacks of each of them. What is expected here
//! was seen with Flyway 12.4.

use limosa::{MigrateOptions, Selection, Stop};

use crate::answers::{back, done, migrate, quiet, said};
use crate::place::{Home, mysql_homes, newest_postgres, sqlite};

/// Keeps what the session shows of itself, by a name.
fn seen(name: &str) -> String {
    format!(
        "insert into public.log (name, seen) select '{name}', concat_ws('|', current_user, current_setting('search_path'), \
         current_setting('timezone'), current_setting('extra_float_digits'), current_setting('statement_timeout'));"
    )
}

/// A first file that sets all kinds of things, for a role of this database's own.
fn first(home: &Home) -> String {
    let role = role(home);
    format!(
        "create schema other; create role {role}; create table public.log (number serial, name text, seen text); \
         grant all on all tables in schema public to {role}; grant all on all sequences in schema public to {role}; \
         set search_path = other; set timezone = 'Asia/Tokyo'; set statement_timeout = '77s'; set role {role};"
    )
}

fn role(home: &Home) -> String {
    format!("{}_owner", home.database())
}

fn log(home: &Home) -> Vec<String> {
    home.rows("select name || ': ' || seen from log order by number")
}

const FRESH_PATH: &str = "\"$user\", public";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn path_and_role_are_put_back_and_the_rest_reaches_the_next_file() {
    for single_transaction in [false, true] {
        let home = newest_postgres();
        home.file("V1__a.sql", &first(&home));
        // Sent ahead of the answers of those before them.
        for number in 2..=4 {
            home.file(&format!("V{number}__b.sql"), &seen(&format!("V{number}")));
        }
        home.file(
            "V5__c.sql",
            &format!("{} set search_path = other; reset timezone; set extra_float_digits = 0;", seen("V5")),
        );
        home.file("V6__d.sql", &seen("V6"));
        let (options, name) = (MigrateOptions::default(), home.database());
        let plan = home.migrator().plan(&options).await.expect("a plan");
        assert_eq!(plan.steps[1].inherits, ["timezone"]);
        assert_eq!(plan.steps[5].inherits, ["timezone", "extra_float_digits"]);
        let tried = home.migrator().dry_run(&options, Some(&name), &quiet, Stop::new()).await.expect("a plan");
        assert!(tried.executed.is_some_and(|executed| executed.error.is_none()));
        let migrator = home.with(|configuration| configuration.single_transaction = single_transaction);
        done(migrate(&migrator).await);
        let zone = home.rows("select current_setting('timezone')")[0].clone();
        let line = |name: &str, rest: &str| format!("{name}: postgres|{FRESH_PATH}|{rest}|0");
        let mut expected: Vec<_> = (2..=5).map(|number| line(&format!("V{number}"), "Asia/Tokyo|1")).collect();
        expected.push(line("V6", &format!("{zone}|0")));
        assert_eq!(log(&home), expected, "{single_transaction}");
        home.file("V7__e.sql", &seen("V7"));
        done(home.migrate().await);
        assert_eq!(log(&home).last(), Some(&line("V7", &format!("{zone}|1"))), "it ended with the run");
        home.execute(&format!("drop owned by {0}; drop role {0}", role(&home)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_in_pieces_too_and_ways_back() {
    let home = newest_postgres();
    home.file("V1__a.sql", &first(&home));
    home.file(
        "V2__b.sql",
        &format!("create table t (n int); {} set search_path = other; create index concurrently i on public.t (n); create table u (n int);", seen("V2")),
    );
    home.file("V3__c.sql", &seen("V3"));
    home.file("U3__c.sql", "set search_path = other; set timezone = 'America/Lima';");
    home.file("U2__b.sql", &format!("{} drop table other.u, t;", seen("U2")));
    let script = home.migrator().plan_script(&MigrateOptions::default()).await.expect("a script");
    assert_eq!(script.matches("reset role; reset search_path;").count(), 2, "{script}");
    done(home.migrate().await);
    let line = |name: &str, zone: &str| format!("{name}: postgres|{FRESH_PATH}|{zone}|1|0");
    assert_eq!(log(&home), [line("V2", "Asia/Tokyo"), line("V3", "Asia/Tokyo")]);
    assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 'u'"), ["other"]);
    done(back(&home.migrator(), Selection::Steps(2), Some(&home.database())).await);
    assert_eq!(log(&home)[2..], [line("U2", "America/Lima")]);
    home.execute(&format!("drop owned by {0}; drop role {0}", role(&home)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_of_each_file_are_part_of_its_session() {
    for single_transaction in [false, true] {
        let home = newest_postgres();
        let role = role(&home);
        home.file("V1__a.sql", &first(&home));
        home.file("V2__b.sql", &seen("V2"));
        home.file("V3__c.sql", &format!("{} set extra_float_digits = 0; set role {role};", seen("V3")));
        if !single_transaction {
            home.file("V4__d.sql", &format!("{} create index concurrently i on public.log (name);", seen("V4")));
        }
        home.file("beforeMigrate.sql", "set timezone = 'America/Lima'; set search_path = pg_catalog;");
        let there =
            |sql: &str| format!("do $$ begin if to_regclass('public.log') is not null then {sql} end if; end $$;");
        let before = there(&seen("before"));
        home.file("beforeEachMigrate.sql", &format!("{before} set search_path = public, pg_catalog;"));
        home.file("afterEachMigrate.sql", &seen("after"));
        home.file("afterMigrate.sql", &seen("end"));
        let migrator = home.with(|configuration| configuration.single_transaction = single_transaction);
        done(migrate(&migrator).await);
        let zone = home.rows("select current_setting('timezone')")[0].clone();
        let set = "public, pg_catalog";
        // limosa's own time-outs hold for each.
        let line =
            |name: &str, who: &str, path: &str, digits: u8| format!("{name}: {who}|{path}|Asia/Tokyo|{digits}|0");
        let mut expected = vec![line("after", &role, "other", 1)];
        for (name, behind, digits) in
            [("V2", "postgres", [1, 1]), ("V3", role.as_str(), [1, 0]), ("V4", "postgres", [0, 0])]
        {
            if name != "V4" || !single_transaction {
                expected.push(line("before", "postgres", FRESH_PATH, digits[0]));
                expected.push(line(name, "postgres", set, digits[0]));
                expected.push(line("after", behind, set, digits[1]));
            }
        }
        expected.push(format!("end: postgres|{FRESH_PATH}|{zone}|1|0"));
        assert_eq!(log(&home), expected, "{single_transaction}");
        home.execute(&format!("drop owned by {role}; drop role {role}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_fails_leaves_nothing_to_what_runs_behind_it() {
    let home = newest_postgres();
    home.file("V1__a.sql", &first(&home));
    home.file("V2__b.sql", "set extra_float_digits = 0; select 1 / 0;");
    home.file("beforeEachMigrate.sql", "set work_mem = '1MB';");
    home.file("afterMigrateError.sql", &seen("error"));
    assert_eq!(said(&home.migrate().await).0, 3);
    let zone = home.rows("select current_setting('timezone')")[0].clone();
    assert_eq!(log(&home), [format!("error: postgres|{FRESH_PATH}|{zone}|1|0")]);
    home.execute(&format!("drop owned by {0}; drop role {0}", role(&home)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mariadb_and_mysql_variables_and_two_checks_are_put_back() {
    for (with_callbacks, home) in
        [false, true].into_iter().flat_map(|with| mysql_homes().into_iter().map(move |home| (with, home)))
    {
        let name = home.database();
        let seen = |who: &str| {
            format!(
                "insert into {name}.log (name, seen) select '{who}', concat_ws(',', @@foreign_key_checks + 0, @@sql_safe_updates + 0, @@unique_checks + 0, \
                 @@sql_mode like '%ANSI_QUOTES%', @@time_zone, ifnull(@mine, '-'), database() = '{name}');"
            )
        };
        home.file(
            "V1__a.sql",
            &format!(
                "create table log (number int auto_increment primary key, name text, seen text); {} set foreign_key_checks = 0, sql_safe_updates = 1, \
                 unique_checks = 0, @mine = 7; set sql_mode = 'ANSI_QUOTES'; set time_zone = '+09:00'; use information_schema;",
                seen("V1").replace("ifnull(@mine, '-')", "'-'")
            ),
        );
        home.file("V2__b.sql", &format!("{} set @mine = 9; set unique_checks = 1;", seen("V2")));
        home.file("V3__c.sql", &format!("create table t (n int); {}", seen("V3")));
        if with_callbacks {
            home.file("beforeMigrate.sql", "set time_zone = '-03:00';");
            home.file("beforeEachMigrate.sql", "set @mine = 5;");
            home.file("afterEachMigrate.sql", &seen("after"));
            home.file("afterMigrate.sql", &seen("end"));
        }
        done(home.migrate().await);
        let log = home.rows("select concat(name, ': ', seen) from log order by number");
        let zone = home
            .rows("select substring_index(substring_index(seen, ',', 5), ',', -1) from log where name = 'V1'")[0]
            .clone();
        let (begun, log) = log.split_first().expect("a row of the first file");
        let fresh = format!("1,0,1,0,{zone},-,1");
        assert_eq!(*begun, format!("V1: {fresh}"));
        let end = format!("end: {fresh}");
        let expected = match with_callbacks {
            false => vec!["V2: 1,0,0,1,+09:00,-,1", "V3: 1,0,1,1,+09:00,-,1"],
            true => vec![
                "after: 0,1,0,1,+09:00,7,0",
                "V2: 1,0,0,1,+09:00,5,1",
                "after: 1,0,1,1,+09:00,9,1",
                "V3: 1,0,1,1,+09:00,5,1",
                "after: 1,0,1,1,+09:00,5,1",
                &end,
            ],
        };
        assert_eq!(log, expected);
        home.file("V4__d.sql", &seen("V4"));
        done(home.migrate().await);
        let last = if with_callbacks { "5" } else { "-" };
        let sql = "select seen from log where name = 'V4'";
        assert_eq!(home.rows(sql), [fresh.replace(",-,", &format!(",{last},"))], "it ended with the run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_nothing_is_put_back() {
    let home = sqlite();
    let seen = |who: &str| {
        format!(
            "insert into log select '{who}', (select recursive_triggers from pragma_recursive_triggers), \
             (select cache_size from pragma_cache_size);"
        )
    };
    home.file("V1__a.sql", "create table log (name, triggers, size); pragma recursive_triggers = on;");
    home.file("V2__b.sql", &seen("V2"));
    home.file("V3__c.sql", "pragma recursive_triggers = off;");
    home.file("V4__d.sql", &seen("V4"));
    home.file("beforeMigrate.sql", "pragma cache_size = 33;");
    home.file("beforeEachMigrate.sql", "pragma cache_size = 77;");
    home.file("afterMigrate.sql", &seen("end"));
    done(home.migrate().await);
    let size = home.rows("select cache_size from pragma_cache_size");
    assert_eq!(
        home.rows("select * from log"),
        ["V2|1|77".to_owned(), "V4|0|77".to_owned(), format!("end|0|{}", size[0])]
    );
}
