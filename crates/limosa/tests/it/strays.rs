//! Ledgers of other tools in another schema or under another name, and several in one database: none is passed over in silence.

use limosa::{AdoptOptions, ForeignTool, MigrateOptions, StatusOptions, Stop};

use crate::answers::{done, failed, labels, migrate, quiet, refusal, words};
use crate::place::{Home, all_homes, mysql_homes, newest_postgres};

/// A folder of goose's.
fn files(home: &Home) {
    home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
    home.file("2_b.sql", "-- +goose Up\ncreate table b (n int);\n");
}

/// Its first migration has run, with the record in a table of this name.
fn migrated_by_goose(home: &Home, table: &str) {
    files(home);
    home.execute("create table a (n int)");
    home.execute(&format!(
        "create table {table} (id int, version_id bigint, is_applied boolean, tstamp timestamp null)"
    ));
    home.execute(&format!("insert into {table} values (1, 0, true, null), (2, 1, true, null)"));
}

/// Flyway's table with so many rows.
fn flyways(home: &Home, table: &str, rows: u32) {
    home.execute(&format!(
        "create table {table} (installed_rank int, version varchar(50), description varchar(200), type varchar(20), \
         script varchar(1000), checksum int, installed_by varchar(100), installed_on varchar(40), execution_time int, success boolean)"
    ));
    for number in 1..=rows {
        home.execute(&format!(
            "insert into {table} values ({number}, '{number}', 'x', 'SQL', 'V{number}__x.sql', 7, 'me', '2024-01-01', 1, true)"
        ));
    }
}

async fn status(home: &Home) -> String {
    words(&home.migrator().status(StatusOptions::default()).await.unwrap().notices)
}

/// The plain `adopt` does not take it and says how; as it says, it is done.
async fn is_taken_over_as_it_is_said(home: &Home, table: &str) {
    let command = format!("limosa adopt --from goose --ledger-table {table}");
    failed(
        &home.migrate().await,
        4,
        &["LIM-P020", &format!("goose (table {table}, 1 migration, newest: 1)"), &command],
    );
    let told = status(home).await;
    assert!(told.contains("LIM-P020") && told.contains(table), "{told}");
    for from in [None, Some(ForeignTool::Goose)] {
        let options = AdoptOptions { from, ..AdoptOptions::default() };
        let refused = home.migrator().adopt(&options, &quiet, Stop::new()).await;
        refusal(refused, 2, &["LIM-U110", &format!("goose (table {table}, 1 migration, newest: 1)"), &command]);
    }
    let options = AdoptOptions {
        from: Some(ForeignTool::Goose),
        ledger_table: Some(table.to_owned()),
        ..AdoptOptions::default()
    };
    let answer = home.migrator().adopt(&options, &quiet, Stop::new()).await.unwrap();
    assert_eq!((answer.outcome, answer.counts.stamped), ("done", 1), "{}", words(&answer.errors));
    assert_eq!(labels(&done(home.migrate().await)), ["2"]);
}

#[tokio::test]
async fn one_in_another_schema_stops_the_first_run() {
    let home = newest_postgres();
    home.execute("create schema ops");
    migrated_by_goose(&home, "ops.goose_db_version");
    is_taken_over_as_it_is_said(&home, "ops.goose_db_version").await;
}

#[tokio::test]
async fn one_under_another_name_is_known_by_its_columns() {
    for home in all_homes() {
        migrated_by_goose(&home, "what_ran");
        let table = if home.is_mysql() || home.is_sqlite() { "what_ran" } else { "public.what_ran" };
        is_taken_over_as_it_is_said(&home, table).await;
    }
}

#[tokio::test]
async fn words_that_anybody_uses_prove_nothing() {
    for home in all_homes() {
        files(&home);
        home.execute("create table ran (version varchar(20))");
        home.execute("insert into ran values ('1')");
        home.execute("create table visits (id int, applied_at varchar(20))");
        home.execute("insert into visits values (1, 'now')");
        home.execute(
            "create table tagged (id int, version_id bigint, is_applied boolean, tstamp varchar(9), note varchar(9))",
        );
        home.execute("insert into tagged values (1, 1, true, '', '')");
        // One without migrations neither.
        home.execute("create table empty_one (id int, version_id bigint, is_applied boolean, tstamp varchar(9))");
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["1", "2"]);
        // Databases of other tests stand on the same server of MySQL's.
        let said = words(&answer.notices);
        let tables = ["ran", "visits", "tagged", "empty_one"];
        assert!(
            !tables.iter().any(|table| said.contains(&format!("(table {table},")))
                && (home.is_mysql() || said.is_empty()),
            "{said}"
        );
    }
}

#[tokio::test]
async fn those_of_other_applications_are_told_and_stop_nobody() {
    let home = newest_postgres();
    files(&home);
    home.execute("create schema billing");
    flyways(&home, "billing.flyway_schema_history", 3);
    let wanted = [
        "LIM-U162",
        "Flyway (table billing.flyway_schema_history, 3 migrations, newest: 3)",
        "limosa adopt --from flyway --ledger-table billing.flyway_schema_history",
    ];
    let plan = words(&home.migrator().plan(&MigrateOptions::default()).await.unwrap().notices);
    let status = status(&home).await;
    let answer = done(home.migrate().await);
    for told in [plan, status, words(&answer.notices)] {
        assert!(wanted.iter().all(|wanted| told.contains(wanted)) && !told.contains("LIM-P020"), "{told}");
    }
    assert_eq!(labels(&answer), ["1", "2"]);
    home.file("3_c.sql", "-- +goose Up\ncreate table c (n int);\n");
    assert_eq!(words(&done(home.migrate().await).notices), "", "it is told before the first run alone");
}

#[tokio::test]
async fn one_that_may_not_be_read_is_told_with_the_rights_and_stops_nobody() {
    let home = newest_postgres();
    home.execute("create schema ops");
    migrated_by_goose(&home, "ops.goose_db_version");
    home.execute("drop table a");
    let role = format!("{}_ann", home.database());
    home.execute(&format!("create role \"{role}\"; grant create on database \"{}\" to \"{role}\"", home.database()));
    home.execute(&format!("grant create, usage on schema public to \"{role}\""));
    let ann = home.with(|it| it.role = Some(role.clone()));
    let said = words(&done(migrate(&ann).await).notices);
    let wanted =
        ["LIM-U162", "goose (table ops.goose_db_version, cannot be read: ", "grant usage on schema \"ops\" to "];
    assert!(wanted.iter().all(|wanted| said.contains(wanted)), "{said}");
    home.execute(&format!("drop owned by \"{role}\"; drop role \"{role}\""));
}

#[tokio::test]
async fn several_are_all_named_with_what_they_hold() {
    for home in all_homes() {
        migrated_by_goose(&home, "goose_db_version");
        flyways(&home, "flyway_schema_history", 3);
        home.execute("create table schema_migrations (version bigint not null primary key, dirty boolean not null)");
        home.execute("insert into schema_migrations values (7, true)");
        let at = |table: &str| match home.is_mysql() || home.is_sqlite() {
            true => table.to_owned(),
            false => format!("public.{table}"),
        };
        let wanted = [
            "LIM-P020".to_owned(),
            format!("Flyway (table {}, 3 migrations, newest: 3)", at("flyway_schema_history")),
            format!("goose (table {}, 1 migration, newest: 1)", at("goose_db_version")),
            format!(
                "golang-migrate (table {}, 1 migration, newest: 7; it calls that version dirty)",
                at("schema_migrations")
            ),
            format!("limosa adopt --from goose --ledger-table {}", at("goose_db_version")),
            format!("limosa adopt --from flyway --ledger-table {}", at("flyway_schema_history")),
        ];
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        failed(&home.migrate().await, 4, &wanted);
        let told = status(&home).await;
        assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{told}");
    }
}

#[tokio::test]
async fn one_elsewhere_is_told_where_the_usual_one_is_taken_over() {
    let home = newest_postgres();
    migrated_by_goose(&home, "goose_db_version");
    home.execute("create schema ops; create table ops.goose_db_version as table goose_db_version");
    failed(&home.migrate().await, 4, &["public.goose_db_version", "ops.goose_db_version"]);
    let answer = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap();
    assert_eq!((answer.outcome, answer.table.as_str()), ("done", "public.goose_db_version"));
    let said = words(&answer.notices);
    assert!(said.contains("LIM-U162") && said.contains("--ledger-table ops.goose_db_version"), "{said}");
}

#[tokio::test]
async fn one_that_settings_name_makes_the_others_those_of_other_projects() {
    let home = newest_postgres();
    home.folder.write(".env", "GOOSE_TABLE=shop_versions\n");
    home.execute("create schema ops");
    migrated_by_goose(&home, "ops.goose_db_version");
    let missing = "there is no table shop_versions, which .env names";
    failed(&home.migrate().await, 4, &["LIM-P020", missing, "--ledger-table ops.goose_db_version"]);
    home.execute("drop table a");
    home.execute("create table shop_versions as table ops.goose_db_version with no data");
    let answer = done(home.migrate().await);
    assert_eq!((labels(&answer), words(&answer.notices).as_str()), (vec!["1", "2"], ""));
}

#[tokio::test]
async fn many_of_tenants_are_not_all_read() {
    let home = newest_postgres();
    files(&home);
    let tenant = |number: u32| {
        format!(
            "create schema tenant{number}; create table tenant{number}.schema_migrations (version varchar(20)); insert into tenant{number}.schema_migrations values ('{number}');"
        )
    };
    home.execute(&(0..60).map(tenant).collect::<String>());
    let said = words(&done(home.migrate().await).notices);
    assert!(
        said.contains("dbmate or Rails (table tenant0.schema_migrations, 1 migration") && said.contains("and 52 more"),
        "{said}"
    );
}

#[tokio::test]
async fn one_in_another_database_is_told_where_this_one_is_not_empty() {
    for home in mysql_homes() {
        files(&home);
        let other = format!("{}_ops", home.database());
        home.execute(&format!("create database {other}"));
        let table = format!("{other}.goose_db_version");
        home.execute(&format!(
            "create table {table} (id int, version_id bigint, is_applied boolean, tstamp timestamp null)"
        ));
        home.execute(&format!("insert into {table} values (1, 0, true, null), (2, 1, true, null)"));
        home.execute("create table mine (n int)");
        let told = status(&home).await;
        assert!(told.contains("LIM-U162") && told.contains(&format!("--from goose --ledger-table {table}")), "{told}");
        // One with tables of its own is another application's.
        home.execute(&format!("create table {other}.theirs (n int)"));
        let told = status(&home).await;
        assert!(!told.contains(&other), "{told}");
        home.execute(&format!("drop table {other}.theirs, mine"));
        let told = status(&home).await;
        assert!(!told.contains(&other), "{told}");
        home.execute(&format!("drop database {other}"));
    }
}

/// The first run meets what goose has made, and fails; what it has begun is no hindrance.
#[tokio::test]
async fn one_in_another_database_is_taken_over_after_a_run_that_failed() {
    for home in mysql_homes() {
        files(&home);
        let other = format!("{}_gone_on", home.database());
        home.execute(&format!("create database {other}"));
        let table = format!("{other}.goose_db_version");
        home.execute(&format!(
            "create table {table} (id bigint unsigned not null auto_increment primary key, version_id bigint not null, \
             is_applied boolean not null, tstamp timestamp null default now())"
        ));
        home.execute(&format!("insert into {table} (version_id, is_applied) values (0, true), (1, true)"));
        home.execute("create table a (n int)");
        let command = format!("limosa adopt --from goose --ledger-table {table}");
        failed(&home.migrate().await, 3, &["'a' already exists", "LIM-U162", &command]);
        assert_eq!(home.ledger(), ["1|partial"]);
        let options = AdoptOptions {
            from: Some(ForeignTool::Goose),
            ledger_table: Some(table.clone()),
            ..AdoptOptions::default()
        };
        let answer = home.migrator().adopt(&options, &quiet, Stop::new()).await.expect("it is taken over");
        assert_eq!((answer.outcome, answer.counts.stamped), ("done", 1), "{}", words(&answer.errors));
        assert_eq!(home.ledger(), ["1|baseline"]);
        assert_eq!(home.rows(&format!("select count(*) from {}", home.table("journal"))), ["0"]);
        assert_eq!(labels(&done(home.migrate().await)), ["2"]);
        home.migrator()
            .adopt_undo(limosa::GoBackOptions::default(), &quiet, Stop::new())
            .await
            .expect("it is given back");
        assert_eq!(home.rows(&format!("select version_id from {table} order by id")), ["0", "1", "2"]);
        home.execute(&format!("drop database {other}"));
    }
}

/// What the other tool has not applied is limosa's own to go on with.
#[tokio::test]
async fn what_limosa_has_begun_itself_is_not_taken_over() {
    for home in mysql_homes() {
        files(&home);
        home.execute("create table b (n int)");
        failed(&home.migrate().await, 3, &["'b' already exists"]);
        home.execute(&format!("delete from {} where identity = '1'", home.table("schema_migrations")));
        home.execute(
            "create table goose_db_version (id int, version_id bigint, is_applied boolean, tstamp timestamp null)",
        );
        home.execute("insert into goose_db_version values (1, 0, true, null), (2, 1, true, null)");
        let refused = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await;
        refusal(refused, 4, &["LIM-U119", "limosa has begun 2", "limosa repair --mark-not-applied 2"]);
        home.repair(limosa::Repair::MarkNotApplied(limosa::Identity::new("2"))).await.expect("it is forgotten");
        let answer = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.expect("it is read");
        assert_eq!(answer.outcome, "done");
    }
}

/// refinery's files without its `refinery.toml` are read as Flyway's.
#[tokio::test]
async fn the_format_is_named_before_the_ledger_of_files_that_look_like_others_is_taken_over() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n int);");
        home.execute("create table refinery_schema_history (version int, name varchar(255), applied_on varchar(255), checksum varchar(255))");
        home.execute("insert into refinery_schema_history values (1, 'a', '2026-11-26T05:10:44.78672272Z', '7')");
        let first = "limosa adopt --format refinery takes it over";
        failed(&home.migrate().await, 4, &["LIM-P020", first, "limosa baseline --format refinery --to VERSION"]);
        let told = status(&home).await;
        let places = [told.find("LIM-U159"), told.find("LIM-P020"), told.find(first)];
        assert!(places.is_sorted() && places[0].is_some(), "{told}");
        let options = AdoptOptions { dry_run: true, ..AdoptOptions::default() };
        let answer = home.migrator().adopt(&options, &quiet, Stop::new()).await.expect("it is read");
        assert!(words(&answer.notices).starts_with("LIM-U159"), "{}", words(&answer.notices));
        assert!(words(&answer.notices).contains("limosa adopt --format refinery"), "{}", words(&answer.notices));
        // Where the format is said, nothing is.
        let said = home.with(|it| it.layout = limosa::LayoutChoice::Given(limosa::Layout::Refinery));
        let told = words(&said.status(StatusOptions::default()).await.expect("a status").notices);
        assert!(told.contains("limosa adopt") && !told.contains("LIM-U159"), "{told}");
    }
}
