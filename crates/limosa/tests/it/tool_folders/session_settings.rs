//! Files begin with what their tool sets for its session: time zone, dates, and on MySQL modes.

use limosa::{Layout, LayoutChoice, MigrateOptions, Migrator, RollbackOptions, Selection, Stop};

use crate::answers::{done, migrate, quiet};
use crate::dry_run::by_hand;
use crate::place::{Home, homes, mysql_homes};

fn of(home: &Home, format: &str) -> Migrator {
    let layout = Layout::of_format(format).unwrap();
    home.with(|it| it.layout = LayoutChoice::Given(layout))
}

fn file(home: &Home, format: &str, number: usize, up: &str, down: &str) {
    if format == "diesel" {
        home.file(&format!("2024-01-01-00000{number}_m/up.sql"), up);
        home.file(&format!("2024-01-01-00000{number}_m/down.sql"), down);
    } else {
        home.file(&format!("{number}_m.up.sql"), up);
        home.file(&format!("{number}_m.down.sql"), down);
    }
}

const SEEN: &str = "insert into seen select current_setting('timezone') || ' ' || current_setting('datestyle');\n";

/// PostgreSQL, where the database has other settings than the tools.
fn postgres() -> Vec<Home> {
    let homes: Vec<Home> = homes().into_iter().filter(|home| !home.is_sqlite()).collect();
    for home in &homes {
        let name = home.database();
        home.execute(&format!("alter database \"{name}\" set timezone = 'America/New_York'"));
        home.execute(&format!("alter database \"{name}\" set datestyle = 'German, DMY'"));
    }
    homes
}

#[tokio::test]
async fn postgres_has_the_time_zone_of_the_tool() {
    for format in ["sqlx", "diesel", "up_down"] {
        let wanted = match format {
            "sqlx" => "UTC ISO, MDY",
            "diesel" => "UTC German, DMY",
            _ => "America/New_York German, DMY",
        };
        for home in postgres() {
            file(&home, format, 1, &format!("create table seen (what text);\n{SEEN}"), "drop table seen;\n");
            // Behind one that sets something, what is put back is this; and without a transaction too.
            file(&home, format, 2, SEEN, SEEN);
            done(migrate(&of(&home, format)).await);
            file(&home, format, 3, &format!("vacuum;\n{SEEN}"), "select 1;\n");
            done(migrate(&of(&home, format)).await);
            assert_eq!(home.rows("select distinct what from seen"), [wanted], "{format}");
            assert_eq!(home.rows("select count(*) from seen"), ["3"], "{format}");
            // The way back as well, and a dry run leaves nothing.
            let options = RollbackOptions {
                selection: Selection::Steps(2),
                use_file: false,
                consent: Some(home.database()),
                backup: false,
            };
            done(of(&home, format).rollback(&options, &quiet, Stop::new()).await);
            assert_eq!(home.rows("select what from seen"), vec![wanted; 4], "{format}");
            let script = of(&home, format).plan_script(&MigrateOptions::default()).await.expect("a script");
            by_hand(&home, &script);
            assert_eq!(home.rows("select distinct what from seen"), [wanted], "{format}\n{script}");
        }
    }
}

#[tokio::test]
async fn a_file_may_set_another_which_reaches_the_next_as_with_the_tool() {
    for home in postgres() {
        file(&home, "sqlx", 1, "create table seen (what text);\nset timezone = 'Asia/Tokyo';\n", "select 1;\n");
        file(&home, "sqlx", 2, SEEN, "select 1;\n");
        file(&home, "sqlx", 3, &format!("reset all;\n{SEEN}"), "select 1;\n");
        done(migrate(&of(&home, "sqlx")).await);
        assert_eq!(home.rows("select what from seen order by 1"), ["Asia/Tokyo ISO, MDY", "UTC ISO, MDY"]);
    }
}

#[tokio::test]
async fn mysql_has_its_modes_and_time_zone() {
    for (format, modes, both) in [("sqlx", &["PIPES_AS_CONCAT", "IGNORE_SPACE"][..], "10"), ("diesel", &[], "1")] {
        for home in mysql_homes() {
            let seen = "insert into seen values (@@sql_mode, @@time_zone, '1' || '0');\n";
            let table = "create table seen (modes text, zone varchar(40), text varchar(40));\n";
            file(&home, format, 1, &format!("{table}{seen}"), "drop table seen;\n");
            file(&home, format, 2, &format!("{seen}set sql_mode = 'ANSI_QUOTES';\n"), seen);
            done(migrate(&of(&home, format)).await);
            assert_eq!(
                home.rows("select distinct concat(zone, ' ', text) from seen"),
                [format!("+00:00 {both}")],
                "{format}"
            );
            for mode in modes {
                let has = format!("select count(*) from seen where find_in_set('{mode}', modes)");
                assert_eq!(home.rows(&has), ["2"], "{format} {mode}");
            }
            let script = {
                file(&home, format, 3, seen, "select 1;\n");
                of(&home, format).plan_script(&MigrateOptions::default()).await.expect("a script")
            };
            by_hand(&home, &script);
            assert_eq!(
                home.rows("select concat(zone, ' ', text) from seen"),
                vec![format!("+00:00 {both}"); 3],
                "{format}\n{script}"
            );
        }
    }
}

#[tokio::test]
async fn mariadb_reads_calls_as_its_own_jdbc_driver_asks_it_to() {
    const COUNTS: &str = "create table b as select count (*) from a;\n";
    let flyway = |home: &Home| {
        home.file("V1__a.sql", "create table a (n int);\n");
        home.file("V2__b.sql", COUNTS);
    };
    let liquibase = |home: &Home| {
        let changes = format!("--changeset me:1\ncreate table a (n int);\n--changeset me:2\n{COUNTS}");
        home.file("changelog.sql", &format!("--liquibase formatted sql\n{changes}"));
    };
    for files in [&flyway as &dyn Fn(&Home), &liquibase] {
        for home in mysql_homes() {
            files(&home);
            // MySQL's own driver does not, and there it is an error.
            let is_mariadb = home.value("select version()").contains("MariaDB");
            let result = migrate(&home.migrator()).await;
            assert_eq!(result.as_ref().is_ok_and(|answer| answer.outcome == "done"), is_mariadb, "{result:?}");
        }
    }
}

#[tokio::test]
async fn mysql_compares_texts_as_drizzle_has_it() {
    for home in mysql_homes() {
        let entry = r#"{"idx":0,"version":"7","when":1700000000000,"tag":"0000_a","breakpoints":true}"#;
        home.file("meta/_journal.json", &format!(r#"{{"version":"7","dialect":"mysql","entries":[{entry}]}}"#));
        home.file(
            "0000_a.sql",
            "create table seen (n int);\ninsert into seen select count (*) from (select 'straße' as a, 'STRASSE' as b) t where a = b;\n",
        );
        done(home.migrate().await);
        assert_eq!(home.rows("select n from seen"), ["1"], "as with utf8mb4_unicode_ci");
    }
}

#[tokio::test]
async fn node_pg_migrate_works_in_the_schemas_of_its_settings() {
    for home in postgres() {
        home.execute("create schema \"App\"; create schema other");
        home.folder
            .write("config/default.json", r#"{"db": {"schema": ["App", "other"], "migrations-schema": "public"}}"#);
        home.file(
            "1712345678901_a.sql",
            "-- Up Migration\ncreate table made (n int);\n-- Down Migration\ndrop table made;\n",
        );
        home.file("1712345678902_b.sql", "-- Up Migration\ncreate table next (n int);\n");
        done(migrate(&home.migrator()).await);
        let tables =
            "select schemaname || '.' || tablename from pg_tables where tablename in ('made', 'next') order by 1";
        assert_eq!(home.rows(tables), ["App.made", "App.next"]);
    }
}

#[tokio::test]
async fn a_script_by_hand_sets_what_the_address_gives_with_the_login() {
    for home in postgres() {
        let sign = if home.url().contains('?') { '&' } else { '?' };
        let given = "-ctimezone%3DAsia/Tokyo%20-cstatement_timeout%3D7s%20-cdatestyle%3DGerman%20-capp.key%3Dhush";
        let address = format!("{}{sign}options={given}", home.url());
        let seen =
            "current_setting('timezone') || ' ' || current_setting('datestyle') || ' ' || current_setting('work_mem')";
        home.file(
            "1_a.sql",
            &format!("create table seen (what text);\ninsert into seen values ({seen});\nset work_mem = '9MB';\n"),
        );
        home.file("2_b.sql", &format!("insert into seen values ({seen});\n"));
        let migrator = home.with(|it| it.database = limosa::Secret::new(address.clone()));
        let script = migrator.plan_script(&MigrateOptions::default()).await.expect("a script");
        assert!(!script.contains("hush"), "{script}");
        by_hand(&home, &script);
        let by_hand = home.rows("select what from seen");
        assert!(by_hand[0].starts_with("Asia/Tokyo German"), "{by_hand:?}");
        home.execute("drop table seen; drop schema limosa cascade");
        done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
        assert_eq!(home.rows("select what from seen"), by_hand, "{script}");
    }
}
