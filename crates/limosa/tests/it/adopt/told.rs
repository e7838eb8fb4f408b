//! Tables of other tools that their own settings name.

use limosa::{AdoptOptions, ForeignTool, Layout, LayoutChoice, MigrateOptions, StatusOptions};

use super::{adopt, adopt_with};
use crate::answers::{done, failed, labels, refusal, words};
use crate::place::{Home, all_homes, newest_postgres};

/// A folder of goose's that has run its first migration, with its record in a table of another name.
fn migrated(home: &Home, table: &str) {
    home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
    home.file("2_b.sql", "-- +goose Up\ncreate table b (n int);\n");
    home.execute("create table a (n int)");
    home.execute(&format!(
        "create table {table} (id int, version_id bigint, is_applied boolean, tstamp timestamp null)"
    ));
    home.execute(&format!("insert into {table} values (1, 0, true, null), (2, 1, true, null)"));
}

#[tokio::test]
async fn the_table_is_found_where_an_env_file_names_it() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_DRIVER=postgres\nGOOSE_TABLE=shop_versions\n");
        migrated(&home, "shop_versions");
        failed(
            &home.migrate().await,
            4,
            &["LIM-P020", "goose has migrated this database (table shop_versions, newest: 1)"],
        );
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(words(&status.notices).contains("shop_versions"), "{:?}", status.notices);
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.tool.as_str()), ("done", "goose"));
        assert!(answer.table.ends_with("shop_versions"), "{}", answer.table);
        assert_eq!(labels(&done(home.migrate().await)), ["2"]);
    }
}

/// Settings may be those of another environment.
#[tokio::test]
async fn where_the_table_that_settings_name_is_missing_the_others_count() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_TABLE=shop_versions\n");
        migrated(&home, "goose_db_version");
        let table = if home.is_mysql() || home.is_sqlite() { "goose_db_version" } else { "public.goose_db_version" };
        let command = format!("limosa adopt --from goose --ledger-table {table}");
        let missing = "there is no table shop_versions, which .env names";
        failed(&home.migrate().await, 4, &["LIM-P020", missing, "1 migration, newest: 1", &command, "tool_table"]);
        let status = words(&home.migrator().status(StatusOptions::default()).await.unwrap().notices);
        assert!(status.contains("LIM-P020") && status.contains(missing), "{status}");
        refusal(adopt(&home).await, 2, &["LIM-U110", "shop_versions", "so .env says", &command]);
        // What is written counts more than what settings say.
        let named = AdoptOptions {
            ledger_table: Some("goose_db_version".to_owned()),
            dry_run: true,
            ..AdoptOptions::default()
        };
        assert!(adopt_with(&home, &named).await.unwrap().table.ends_with("goose_db_version"));
        let other = AdoptOptions { from: Some(ForeignTool::Dbmate), dry_run: true, ..AdoptOptions::default() };
        refusal(adopt_with(&home, &other).await, 2, &["LIM-U110", "there is no table of dbmate"]);
    }
}

#[tokio::test]
async fn where_the_table_that_settings_name_is_there_the_others_are_of_other_projects() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_TABLE=shop_versions\n");
        migrated(&home, "goose_db_version");
        home.execute("drop table a");
        home.execute(
            "create table shop_versions (id int, version_id bigint, is_applied boolean, tstamp timestamp null)",
        );
        assert_eq!(labels(&done(home.migrate().await)), ["1", "2"]);
    }
}

/// goose does not quote the name: PostgreSQL makes small letters of it.
#[tokio::test]
async fn a_name_in_capitals_is_what_the_tool_has_made_of_it() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_TABLE=ShopVersions\n");
        migrated(&home, "ShopVersions");
        failed(&home.migrate().await, 4, &["LIM-P020", "newest: 1"]);
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.counts.stamped), ("done", 1));
        assert_eq!(labels(&done(home.migrate().await)), ["2"]);
    }
    // One who quotes it writes the other.
    let home = newest_postgres();
    migrated(&home, "shopversions");
    home.execute(
        "create table \"ShopVersions\" (id int, version_id bigint, is_applied boolean, tstamp timestamp null)",
    );
    let migrator = home.with(|it| it.tool_table = Some("ShopVersions".to_owned()));
    let refused = crate::answers::migrate(&migrator).await;
    failed(&refused, 3, &["already exists"]);
    let migrator = home.with(|it| it.tool_table = Some("Shopversions".to_owned()));
    home.execute("drop schema limosa cascade");
    failed(&crate::answers::migrate(&migrator).await, 4, &["LIM-P020", "newest: 1"]);
}

#[tokio::test]
async fn drizzles_configuration_names_its_table() {
    let home = newest_postgres();
    home.folder.write(
        "drizzle.config.ts",
        "export default defineConfig({ out: './drizzle', migrations: { table: 'Ran', schema: 'ops' } });\n",
    );
    home.file("0000_a.sql", "create table a (n int);\n");
    home.file(
        "meta/_journal.json",
        r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"version":"7","when":1706702400000,"tag":"0000_a","breakpoints":true}]}"#,
    );
    home.execute(
        "create schema ops; create table ops.\"Ran\" (id serial primary key, hash text not null, created_at bigint)",
    );
    home.execute("insert into ops.\"Ran\" (hash, created_at) values ('x', 1706702400000)");
    failed(&home.migrate().await, 4, &["LIM-P020", "drizzle has migrated this database (table ops.Ran"]);
    assert_eq!(adopt(&home).await.unwrap().table, "ops.Ran");
}

#[tokio::test]
async fn without_schemas_drizzle_takes_the_table_alone() {
    for home in all_homes().into_iter().filter(|home| !matches!(home.place, crate::place::Place::Postgres(_))) {
        home.folder.write("drizzle.config.ts", "export default { migrations: { table: 'Ran', schema: 'ops' } };\n");
        home.file("0000_a.sql", "create table a (n int);\n");
        home.file(
            "meta/_journal.json",
            r#"{"version":"7","entries":[{"idx":0,"version":"7","when":1706702400000,"tag":"0000_a","breakpoints":true}]}"#,
        );
        let (id, when) = if home.is_sqlite() { ("integer primary key", "numeric") } else { ("serial", "bigint") };
        home.execute(&format!("create table Ran (id {id}, hash text not null, created_at {when})"));
        home.execute("insert into Ran (hash, created_at) values ('x', 1706702400000)");
        failed(&home.migrate().await, 4, &["LIM-P020", "drizzle has migrated this database (table Ran"]);
        assert!(adopt(&home).await.unwrap().table.ends_with("Ran"));
    }
}

#[tokio::test]
async fn a_section_is_that_of_the_database() {
    let home = newest_postgres();
    let sections = format!(
        "development:\n  table: dev_ran\n  datasource: dbname=dev\nlive:\n  table: ran\n  datasource: host=db dbname={}\n",
        home.database()
    );
    home.folder.write("dbconfig.yml", &sections);
    home.file("1-a.sql", "-- +migrate Up\ncreate table a (n int);\n");
    home.execute(
        "create table ran (id text primary key, applied_at timestamptz); insert into ran values ('1-a.sql', now())",
    );
    failed(&home.migrate().await, 4, &["LIM-P020", "(table ran, newest: 1-a.sql)"]);
    assert_eq!(adopt(&home).await.unwrap().outcome, "done");

    let other = newest_postgres();
    other.folder.write("dbconfig.yml", "development:\n  table: dev_ran\nlive:\n  table: ran\n");
    other.file("1-a.sql", "-- +migrate Up\ncreate table a (n int);\n");
    let status = words(&other.migrator().status(StatusOptions::default()).await.unwrap().notices);
    assert!(status.contains("LIM-U175") && status.contains("dev_ran (development), ran (live)"), "{status}");
}

#[tokio::test]
async fn a_setting_and_a_variable_go_before_the_file() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_TABLE=nosuch\n");
        migrated(&home, "shop_versions");
        for by_setting in [true, false] {
            let migrator = home.with(|it| match by_setting {
                true => it.tool_table = Some("shop_versions".to_owned()),
                false => drop(it.variables.insert("GOOSE_TABLE".to_owned(), "shop_versions".to_owned())),
            });
            let options = AdoptOptions { dry_run: true, ..AdoptOptions::default() };
            let answer = migrator.adopt(&options, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
            assert!(answer.table.ends_with("shop_versions"), "{}", answer.table);
        }
    }
}

#[tokio::test]
async fn a_schema_is_told_with_it() {
    let home = newest_postgres();
    home.execute("create schema ops");
    home.folder.write("dbconfig.yml", "development:\n  dialect: postgres\n  table: ran\n  schema: ops\n");
    home.file("1-a.sql", "-- +migrate Up\ncreate table a (n int);\n");
    home.file("2-b.sql", "-- +migrate Up\ngrant select on ops.ran to public;\n");
    // Nothing has run: the table is made in its place.
    let answer = done(home.migrate().await);
    assert!(words(&answer.notices).contains("ops.ran"), "{answer:?}");
    assert_eq!(home.rows("select count(*) from ops.ran"), ["0"]);
    home.execute("drop schema limosa cascade; insert into ops.ran values ('1-a.sql', now())");
    failed(&home.migrate().await, 4, &["LIM-P020", "(table ops.ran, newest: 1-a.sql)"]);
    assert_eq!(adopt(&home).await.unwrap().table, "ops.ran");
    assert_eq!(labels(&done(home.migrate().await)), ["2"]);

    let broken = newest_postgres();
    broken.folder.write("dbconfig.yml", "development: [\n");
    broken.file("1-a.sql", "-- +migrate Up\ncreate table a (n int);\n");
    let answer = done(broken.migrate().await);
    assert!(words(&answer.notices).contains("LIM-U158"), "{answer:?}");
}

#[tokio::test]
async fn drizzle_makes_a_schema_for_a_table_of_another_name() {
    let home = newest_postgres();
    home.file("20240101000000_a/migration.sql", "grant select on drizzle.ran to public;\n");
    let migrator = home.with(|it| {
        it.layout = LayoutChoice::Given(Layout::of_format("drizzle").unwrap());
        it.tool_table = Some("ran".to_owned());
    });
    let answer = done(crate::answers::migrate(&migrator).await);
    assert!(words(&answer.notices).contains("drizzle.ran"), "{answer:?}");
    assert_eq!(home.rows("select count(name) from drizzle.ran"), ["0"]);
}

#[tokio::test]
async fn a_table_that_a_setting_names_and_that_is_not_there_is_told() {
    for home in all_homes() {
        home.file("1_a.sql", "-- +goose Up\ncreate table a (n int);\n");
        let migrator = home.with(|it| it.tool_table = Some("nope".to_owned()));
        let status = migrator.status(StatusOptions::default()).await.unwrap();
        let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
        for said in [words(&status.notices), words(&plan.notices)] {
            assert!(said.contains("LIM-U110") && said.contains("tool_table") && said.contains("nope"), "{said}");
        }
        assert_eq!(labels(&done(crate::answers::migrate(&migrator).await)), ["1"], "it stops nobody");
        let status = migrator.status(StatusOptions::default()).await.unwrap();
        assert!(!words(&status.notices).contains("LIM-U110"), "{:?}", status.notices);
    }
}
