//! node-pg-migrate and drizzle run all files of a run in one transaction: what one sets for its transaction holds for those behind it. What
//! is expected here was seen with node-pg-migrate 9, drizzle-orm 0.45 and 1.0.0-rc.5.

use limosa::{MigrateOptions, Selection, Stop};

use crate::answers::{back, done, failed, migrate, quiet};
use crate::place::{Home, newest_postgres};

/// A file of node-pg-migrate's.
fn file(home: &Home, number: u8, up: &str) {
    home.file(
        &format!("{number}_m.sql"),
        &format!("-- Up Migration\n{up}\n-- Down Migration\n{}\n", seen("down", number)),
    );
}

/// Keeps what the session shows of itself, and where a table is made.
fn seen(name: &str, number: u8) -> String {
    format!(
        "insert into public.log (name, seen) select '{name}{number}', concat_ws('|', current_user, current_setting('search_path'), \
         current_setting('timezone'), current_setting('work_mem'));"
    )
}

fn first() -> String {
    "create schema other; create table public.log (number serial, name text, seen text); grant all on all tables in schema public to pg_monitor; \
     grant all on all sequences in schema public to pg_monitor; set local search_path = other, public; set timezone = 'Asia/Tokyo'; \
     set local timezone = 'America/Lima'; select set_config('work_mem', '1MB', true); set local role pg_monitor;"
        .to_owned()
}

fn log(home: &Home) -> Vec<String> {
    home.rows("select name || ': ' || seen from log order by number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_local_reaches_the_files_behind_it() {
    for single_transaction in [false, true] {
        let home = newest_postgres();
        file(&home, 1, &first());
        file(&home, 2, &seen("up", 2));
        file(&home, 3, &format!("{} reset role; set timezone = 'Asia/Seoul'; create table t (n int);", seen("up", 3)));
        file(&home, 4, &seen("up", 4));
        file(&home, 5, &seen("up", 5));
        let (options, name) = (MigrateOptions::default(), home.database());
        let plan = home.migrator().plan(&options).await.expect("a plan");
        assert_eq!(plan.steps[1].inherits, ["search_path", "timezone", "work_mem", "role"]);
        let tried = home.migrator().dry_run(&options, Some(&name), &quiet, Stop::new()).await.expect("a plan");
        assert!(tried.executed.is_some_and(|executed| executed.error.is_none()));
        let script = home.migrator().plan_script(&options).await.expect("a script");
        assert!(script.contains("'limosa.local_0'"), "{script}");
        let migrator = home.with(|configuration| configuration.single_transaction = single_transaction);
        let answer = done(migrate(&migrator).await);
        assert!(answer.notices.is_empty(), "{:?}", answer.notices);
        let line = |number: u8, who: &str, zone: &str| format!("up{number}: {who}|other, public|{zone}|1MB");
        let (lima, seoul) = ("America/Lima", "Asia/Seoul");
        let expected = [
            line(2, "pg_monitor", lima),
            line(3, "pg_monitor", lima),
            line(4, "postgres", seoul),
            line(5, "postgres", seoul),
        ];
        assert_eq!(log(&home), expected, "{single_transaction}");
        assert_eq!(home.rows("select schemaname::text from pg_tables where tablename = 't'"), ["other"]);
        assert_eq!(home.ledger().len(), 5);
        file(&home, 6, &seen("up", 6));
        done(home.migrate().await);
        assert!(log(&home)[4].starts_with("up6: postgres|\"$user\", public|"), "it ended with the run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_a_file_that_is_not_in_one_transaction() {
    let home = newest_postgres();
    file(&home, 1, &first().replace(" set local role pg_monitor;", ""));
    file(&home, 2, &seen("up", 2));
    file(&home, 3, &format!("{} create index concurrently i on public.log (name);", seen("up", 3)));
    file(&home, 4, &seen("up", 4));
    file(&home, 5, "set local search_path = other; reset all;");
    file(&home, 6, &seen("up", 6));
    done(home.migrate().await);
    let session = "postgres|\"$user\", public|Asia/Tokyo|4MB";
    let log = log(&home);
    assert_eq!(
        log[..3],
        [
            "up2: postgres|other, public|America/Lima|1MB".to_owned(),
            format!("up3: {session}"),
            format!("up4: {session}")
        ]
    );
    assert!(log[3].starts_with("up6: postgres|\"$user\", public|") && log[3].ends_with("|4MB"), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_back_and_behind_a_failure() {
    let home = newest_postgres();
    file(&home, 1, &first().replace(" set local role pg_monitor;", ""));
    for number in 2..=3 {
        home.file(
            &format!("{number}_m.sql"),
            &format!(
                "-- Up Migration\nselect 1;\n-- Down Migration\n{} set local search_path = public, other;\n",
                seen("down", number)
            ),
        );
    }
    done(home.migrate().await);
    done(back(&home.migrator(), Selection::Steps(2), Some(&home.database())).await);
    let log_of = |at: usize| log(&home)[at].clone();
    assert!(log_of(0).starts_with("down3: postgres|\"$user\", public|"), "{:?}", log(&home));
    assert!(log_of(1).starts_with("down2: postgres|public, other|"), "{:?}", log(&home));
    file(&home, 2, "set local search_path = other; create table made_here (n int);");
    file(&home, 3, "create table made_there (n int); select 1 / 0;");
    failed(&home.migrate().await, 3, &["division by zero", "3_m.sql"]);
    assert_eq!(home.rows("select identity, outcome from limosa.audit_log where outcome = 'failed'"), ["3_m|failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_does_with_drizzle() {
    let home = newest_postgres();
    for (number, sql) in (1..).zip([first(), seen("up", 2), seen("up", 3)]) {
        home.file(
            &format!("2024010100000{number}_m/migration.sql"),
            &sql.replace("; ", ";\n--> statement-breakpoint\n"),
        );
        home.file(&format!("2024010100000{number}_m/snapshot.json"), "{}");
    }
    done(home.migrate().await);
    let line = |number: u8| format!("up{number}: pg_monitor|other, public|America/Lima|1MB");
    assert_eq!(log(&home), [line(2), line(3)]);
}
