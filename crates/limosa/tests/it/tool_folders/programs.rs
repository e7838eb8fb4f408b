//! Migrations that are programs of another tool: what comes behind one does not run before it.

use limosa::{AdoptOptions, Repair, RustMigration, Stop};

use crate::adopt::verdicts;
use crate::answers::{done, failed, id, labels, migrate, quiet, states, to, words};
use crate::place::{Home, all_homes, sqlite};

fn goose(home: &Home, file: &str, up: &str) {
    home.file(file, &format!("-- +goose Up\n{up}\n"));
}

fn folder(home: &Home) {
    goose(home, "00001_a.sql", "create table a (n integer);");
    home.file("00002_fill.go", "package migrations\n");
    goose(home, "00003_b.sql", "update a set n = n * 10;");
}

#[tokio::test]
async fn a_program_that_is_pending_stops_what_comes_behind_it() {
    for home in all_homes() {
        folder(&home);
        let wanted = ["LIM-F034", "00002_fill.go is a migration in Go", "--to", "limosa repair --mark-applied 2"];
        failed(&home.migrate().await, 4, &wanted);
        assert_eq!(home.tables(), [] as [&str; 0]);
        // What stands before it runs, and a person says that it ran.
        assert_eq!(labels(&done(home.migrate_with(&to("1")).await)), ["00001"]);
        assert_eq!(home.states().await, ["1 applied", "2 pending", "3 pending"]);
        failed(&home.migrate().await, 4, &["LIM-F034"]);
        home.execute("insert into a values (1)");
        home.repair(Repair::MarkApplied(id("2"))).await.unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["00003"]);
        assert_eq!(home.rows("select n from a"), ["10"]);
        assert_eq!(home.states().await, ["1 applied", "2 baseline", "3 applied"]);
        done(home.migrate().await);
        // It is a file as any other: an edited one is told.
        home.file("00002_fill.go", "package other\n");
        failed(&home.migrate().await, 1, &["LIM-P001", "00002_fill.go"]);
    }
}

#[tokio::test]
async fn one_that_ran_with_its_tool_is_taken_over() {
    for home in all_homes() {
        folder(&home);
        let integer = if home.is_mysql() { "bigint" } else { "integer" };
        home.execute(&format!(
            "create table goose_db_version (id {integer} primary key, version_id bigint not null, is_applied boolean not null, \
             tstamp timestamp default current_timestamp)"
        ));
        for version in 0..3 {
            home.execute(&format!(
                "insert into goose_db_version (id, version_id, is_applied) values ({}, {version}, true)",
                version + 1
            ));
        }
        home.execute("create table a (n integer)");
        home.execute("insert into a values (1)");
        let answer = home.migrator().adopt(&AdoptOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
        let told = verdicts(&answer);
        assert!(told.iter().any(|line| line.contains("stamped") && line.contains("00002")), "{told:?}");
        done(home.migrate().await);
        assert_eq!(home.rows("select n from a"), ["10"]);
    }
}

#[tokio::test]
async fn what_is_written_again_as_sql_needs_no_program() {
    let home = sqlite();
    folder(&home);
    goose(&home, "00002_fill.sql", "insert into a values (2);");
    done(home.migrate().await);
    assert_eq!(home.rows("select n from a"), ["20"]);
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("V2__fill.rs", "pub fn migration() -> String { String::new() }\n");
    home.folder.write("refinery.toml", "[main]\ndb_type = \"Sqlite\"\n");
    failed(&home.migrate().await, 4, &["LIM-F034", "V2__fill.rs is a migration in Rust"]);
    let fill = RustMigration::from_fn("2", "fill", "1", |mut connection| {
        Box::pin(async move {
            connection.query("insert into a values (3)", &[]).await?;
            Ok(())
        })
    });
    let migrator = home.with(|it| it.code.push(fill.unwrap()));
    done(migrate(&migrator).await);
    assert_eq!(home.rows("select n from a"), ["3"]);
}

#[tokio::test]
async fn programs_of_node_pg_migrate_stop_it_as_well() {
    let home = sqlite();
    home.file("1712345678901_a.sql", "-- Up Migration\ncreate table a (n integer);\n");
    home.file("1712345678902_fill.js", "exports.up = () => {};\n");
    home.file("1712345678903_z.sql", "-- Up Migration\nupdate a set n = n * 10;\n");
    failed(
        &home.migrate().await,
        4,
        &["LIM-F034", "a program of node-pg-migrate", "--mark-applied 1712345678902_fill"],
    );
    home.repair(Repair::MarkApplied(id("1712345678902_fill"))).await.unwrap();
    done(
        home.with(|it| it.out_of_order = limosa::OutOfOrder::Allow)
            .migrate(&Default::default(), &quiet, Stop::new())
            .await,
    );
    assert_eq!(states(&home.migrator().status(Default::default()).await.unwrap()).len(), 3);
}
