//! Migrations that use the table in which the tool that they were written for keeps its record.

use limosa::{Layout, LayoutChoice, MigrateOptions, Selection, Stop};

use crate::answers::{done, failed, labels, quiet, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

/// Format, the names of two files, what stands above their SQL, the table, and its columns.
const TOOLS: &[(&str, [&str; 2], &str, &str, &str)] = &[
    ("goose", ["1_a.sql", "2_b.sql"], "-- +goose Up\n", "goose_db_version", "id, version_id, is_applied, tstamp"),
    ("up_down", ["1_a.up.sql", "2_b.up.sql"], "", "schema_migrations", "version, dirty"),
    ("dbmate", ["1_a.sql", "2_b.sql"], "-- migrate:up\n", "schema_migrations", "version"),
    (
        "flyway",
        ["V1__a.sql", "V2__b.sql"],
        "",
        "flyway_schema_history",
        "installed_rank, version, description, type, script, checksum, installed_by, installed_on, execution_time, success",
    ),
    (
        "sqlx",
        ["1_a.sql", "2_b.sql"],
        "",
        "_sqlx_migrations",
        "version, description, installed_on, success, checksum, execution_time",
    ),
    ("refinery", ["V1__a.sql", "V2__b.sql"], "", "refinery_schema_history", "version, name, applied_on, checksum"),
    ("diesel", ["1_a/up.sql", "2_b/up.sql"], "", "__diesel_schema_migrations", "version, run_on"),
    ("sql_migrate", ["1_a.sql", "2_b.sql"], "-- +migrate Up\n", "gorp_migrations", "id, applied_at"),
    ("node_pg_migrate", ["1_a.sql", "2_b.sql"], "-- Up Migration\n", "pgmigrations", "id, name, run_on"),
];

/// A folder whose second migration gives an index and a view to the tool's table.
fn folder(
    home: &Home,
    (format, names, above, table, columns): &(&str, [&str; 2], &str, &str, &str),
) -> limosa::Migrator {
    home.file(
        names[0],
        &format!("{above}-- {table} is not used here\ncreate table a (note varchar(40) default '{table}');\n"),
    );
    let first = columns.split(", ").next().unwrap();
    home.file(
        names[1],
        &format!(
            "{above}create index own_index on {table} ({first});\ncreate view seen as select {columns} from {table};\n"
        ),
    );
    home.with(|it| it.layout = LayoutChoice::Given(Layout::of_format(format).unwrap()))
}

#[tokio::test]
async fn the_table_of_the_tool_is_made_empty_where_a_migration_uses_it() {
    for tool in TOOLS {
        for home in all_homes() {
            let migrator = folder(&home, tool);
            let table = tool.3;
            let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
            assert!(words(&plan.notices).contains("LIM-P028"), "{plan:?}");
            let first = MigrateOptions { steps: Some(1), ..MigrateOptions::default() };
            let answer = done(migrator.migrate(&first, &quiet, Stop::new()).await);
            assert!(!words(&answer.notices).contains("LIM-P028"), "{table}");
            assert!(home.refuses(&format!("select * from {table}")), "{table} is made no earlier than it is used");
            let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
            let told = words(&answer.notices);
            assert!(told.contains("LIM-P028") && told.contains(table), "{table}: {told}");
            assert_eq!(home.rows(&format!("select count(*) from {table}")), ["0"], "{table}");
            assert_eq!(home.rows("select count(*) from seen"), ["0"]);

            // Rows that somebody writes into it are no history of that tool: limosa has one of its own here.
            let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
            assert!(answer.steps.is_empty() && answer.notices.is_empty(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn rows_that_a_migration_writes_into_it_are_no_history_elsewhere() {
    for home in all_homes() {
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::UpDown));
        home.file("1_a.up.sql", "insert into schema_migrations (version, dirty) values (7, false);\n");
        home.file("2_b.up.sql", "create table b (n int);\n");
        let first = MigrateOptions { steps: Some(1), ..MigrateOptions::default() };
        done(migrator.migrate(&first, &quiet, Stop::new()).await);
        let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
        assert_eq!(labels(&answer), ["2"]);
        assert_eq!(home.rows("select version from schema_migrations"), ["7"]);
    }
}

#[tokio::test]
async fn a_table_that_is_there_or_that_a_migration_makes_is_not_made() {
    for home in [sqlite(), newest_postgres()] {
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Goose));
        home.file(
            "1_a.sql",
            "-- +goose Up\ncreate table goose_db_version (n int);\ninsert into goose_db_version values (1);\n",
        );
        home.file(
            "2_b.sql",
            "-- +goose Up\nalter table goose_db_version add column m int;\nupdate goose_db_version set n = 2;\n",
        );
        let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
        assert!(answer.notices.is_empty(), "{answer:?}");
        assert_eq!(home.rows("select n from goose_db_version"), ["2"]);
    }
}

#[tokio::test]
async fn it_is_made_with_the_migration_and_goes_with_it() {
    for home in [sqlite(), newest_postgres()] {
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Goose));
        home.file(
            "1_a.sql",
            "-- +goose Up\ncreate view v as select * from goose_db_version;\nselect * from nothing;\n",
        );
        let consent = home.database();
        let failed = migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert_eq!(failed.outcome, "stopped", "{failed:?}");
        assert!(home.refuses("select * from goose_db_version"));

        home.file("1_a.sql", "-- +goose Up\ncreate view v as select * from goose_db_version;\n");
        let tried = migrator.dry_run(&MigrateOptions::default(), Some(&consent), &quiet, Stop::new()).await.unwrap();
        assert!(words(&tried.notices).contains("LIM-P028"));
        assert!(tried.executed.unwrap().error.is_none());
        assert!(home.refuses("select * from goose_db_version"));
        done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
    }
    // What runs outside of transactions has it made ahead.
    let home = newest_postgres();
    let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::Goose));
    home.file(
        "1_a.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently i on public.goose_db_version (version_id);\n",
    );
    done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
    assert_eq!(home.rows("select count(*) from goose_db_version"), ["0"]);
}

#[tokio::test]
async fn the_table_is_called_as_the_settings_of_the_tool_say() {
    let home = newest_postgres();
    home.folder.write("sqlx.toml", "[migrate]\ntable-name = 'ops._applied'\n");
    home.file("1_a.sql", "create schema ops;\n");
    home.file("2_b.sql", "grant select on ops._applied to public;\n");
    let answer = done(home.migrate().await);
    assert!(words(&answer.notices).contains("ops._applied"), "{answer:?}");
    assert_eq!(home.rows("select count(*) from ops._applied"), ["0"]);
}

#[tokio::test]
async fn callbacks_that_use_it_have_it_too() {
    const USES: &str = "delete from flyway_schema_history where installed_rank < 0;\n";
    for event in ["beforeMigrate", "beforeEachMigrate", "afterEachMigrate", "afterMigrateApplied", "afterMigrate"] {
        for home in all_homes() {
            let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::of_format("flyway").unwrap()));
            home.file(&format!("{event}.sql"), USES);
            home.file("V1__a.sql", "create table a (n int);\n");
            home.file("V2__b.sql", "create table b (n int);\n");
            let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
            assert!(words(&plan.notices).contains("LIM-P028"), "{event}: {plan:?}");
            let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
            let told = words(&answer.notices);
            assert!(
                told.contains("LIM-P028") && told.contains(event) == (event != "afterEachMigrate"),
                "{event}: {told}"
            );
            assert_eq!(home.rows("select count(*) from flyway_schema_history"), ["0"], "{event}");
            let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
            assert!(answer.notices.is_empty(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_callback_without_migrations_has_it_and_one_of_failures_makes_none() {
    for home in [sqlite(), newest_postgres()] {
        let migrator = home.with(|it| it.layout = LayoutChoice::Given(Layout::of_format("flyway").unwrap()));
        home.file("V1__a.sql", "create table a (n int);\n");
        home.file("afterMigrateError.sql", "delete from flyway_schema_history where installed_rank < 0;\n");
        let answer = done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
        assert!(answer.notices.is_empty() && home.refuses("select * from flyway_schema_history"), "{answer:?}");
        home.file("afterMigrate.sql", "delete from flyway_schema_history where installed_rank < 0;\n");
        done(migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await);
        assert_eq!(home.rows("select count(*) from flyway_schema_history"), ["0"]);
    }
}

#[tokio::test]
async fn a_way_back_makes_none_and_says_what_does() {
    for home in all_homes() {
        home.file("1_a.up.sql", "create table a (n int);\n");
        home.file("1_a.down.sql", "delete from schema_migrations where version = 1;\ndrop table a;\n");
        done(home.migrate().await);
        let stopped = failed(&home.rollback(Selection::Steps(1)).await, 3, &["LIM-R002"]);
        assert!(stopped.contains("run again: create table"), "{stopped}");
        home.execute("create table schema_migrations (version bigint not null primary key, dirty boolean not null)");
        done(home.rollback(Selection::Steps(1)).await);
    }
}
