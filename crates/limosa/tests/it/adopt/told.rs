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

#[tokio::test]
async fn another_project_of_the_same_tool_is_no_history_of_this_one() {
    for home in all_homes() {
        home.folder.write(".env", "GOOSE_TABLE=shop_versions\n");
        migrated(&home, "goose_db_version");
        home.execute("drop table a");
        refusal(adopt(&home).await, 2, &["LIM-U110", "shop_versions", "so .env says"]);
        // What is written counts more than what settings say.
        let named = AdoptOptions {
            ledger_table: Some("goose_db_version".to_owned()),
            dry_run: true,
            ..AdoptOptions::default()
        };
        assert!(adopt_with(&home, &named).await.unwrap().table.ends_with("goose_db_version"));
        let other = AdoptOptions { from: Some(ForeignTool::Dbmate), dry_run: true, ..AdoptOptions::default() };
        refusal(adopt_with(&home, &other).await, 2, &["LIM-U110", "there is no table of dbmate"]);
        assert_eq!(labels(&done(home.migrate().await)), ["1", "2"]);
    }
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
