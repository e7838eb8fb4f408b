//! What another tool left half done in a table that is kept is never written over.

use limosa::{AdoptOptions, Failure, GoBackOptions, Repair, Selection, Stop, report::DoneAnswer};

use super::tools::{migrated, text, tool};
use super::{adopt_with, go_back};
use crate::answers::{back, done, failed, findings, id, quiet, refusal, version, words};
use crate::place::{Home, all_homes};

async fn keep(home: &Home) {
    let answer = adopt_with(home, &AdoptOptions { keep: true, ..AdoptOptions::default() }).await.unwrap();
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
}

async fn repair(home: &Home, repair: &Repair, dry_run: bool) -> Result<DoneAnswer, Failure> {
    home.migrator().repair(repair, dry_run, &quiet, Stop::new()).await
}

async fn baseline(home: &Home, to: &str, dry_run: bool) -> Result<DoneAnswer, Failure> {
    home.migrator().baseline(&version(to), dry_run, &quiet, Stop::new()).await
}

/// All of the tool's table.
fn rows(home: &Home, word: &str) -> Vec<String> {
    home.rows(match word {
        "golang-migrate" => "select version, dirty from schema_migrations",
        "flyway" => "select version, success from flyway_schema_history order by installed_rank",
        _ => "select version, success from _sqlx_migrations order by version",
    })
}

#[tokio::test]
async fn what_is_half_done_there_is_not_written_over_by_hand() {
    let cases = [
        ("golang-migrate", "update schema_migrations set version = 3, dirty = true", "migrate force 3"),
        ("flyway", "update flyway_schema_history set success = false where version = '3'", "flyway repair"),
        ("sqlx", "update _sqlx_migrations set success = false where version = 3", "delete from"),
    ];
    for (word, fails, next) in cases {
        for home in all_homes() {
            let tool = tool(word);
            migrated(&home, tool);
            keep(&home).await;
            // The tool is let go on, and fails at the third.
            home.execute(&(tool.next)(&home));
            home.execute(fails);
            let before = rows(&home, word);
            let wanted = ["LIM-U140", next];
            failed(&home.migrate().await, 4, &wanted);
            let valid = home.migrator().validate().await.unwrap();
            assert_eq!(valid.exit_code, 1, "{}", findings(&valid));
            assert!(wanted.iter().all(|wanted| findings(&valid).contains(wanted)), "{}", findings(&valid));
            for dry_run in [true, false] {
                refusal(repair(&home, &Repair::MarkApplied(id("3")), dry_run).await, 4, &wanted);
                refusal(repair(&home, &Repair::MarkNotApplied(id("2")), dry_run).await, 4, &wanted);
            }
            home.file(&(tool.file)(2), "create table b (n bigint);\n");
            if word != "golang-migrate" {
                refusal(repair(&home, &Repair::Accept(id("2")), false).await, 4, &wanted);
            }
            home.file(&(tool.file)(2), &text(2));
            let consent = home.database();
            failed(&back(&home.migrator(), Selection::Steps(1), Some(&consent)).await, 4, &wanted);
            let options = GoBackOptions { accept_left_behind: true, ..GoBackOptions::default() };
            refusal(home.migrator().adopt_undo(options, &quiet, Stop::new()).await, 4, &["LIM-U113", next]);
            refusal(go_back(&home).await, 4, &["LIM-U113", next]);
            let again = adopt_with(&home, &AdoptOptions { keep: true, ..AdoptOptions::default() }).await.unwrap();
            assert!(words(&again.errors).contains(next), "{}", words(&again.errors));
            // A ledger of limosa's that knows of nothing, as behind a repair that was done before.
            home.execute(&format!("delete from {}", home.table("schema_migrations")));
            for dry_run in [true, false] {
                refusal(baseline(&home, "3", dry_run).await, 4, &wanted);
            }
            assert_eq!(rows(&home, word), before, "{word}");
        }
    }
}

#[tokio::test]
async fn one_row_that_says_more_than_limosa_knows_is_not_put_back() {
    for home in all_homes() {
        migrated(&home, tool("golang-migrate"));
        home.file("000004_d.up.sql", "create table d (n int);");
        keep(&home).await;
        home.execute("update schema_migrations set version = 4");
        let wanted = ["LIM-P020", "golang-migrate has applied 4", "limosa adopt --keep-foreign-ledger"];
        for dry_run in [true, false] {
            refusal(repair(&home, &Repair::MarkApplied(id("3")), dry_run).await, 4, &wanted);
            refusal(repair(&home, &Repair::MarkNotApplied(id("2")), dry_run).await, 4, &wanted);
        }
        assert_eq!(home.rows("select version from schema_migrations"), ["4"]);
        keep(&home).await;
        assert_eq!(home.ledger().len(), 4);
    }
}

#[tokio::test]
async fn one_row_that_says_more_is_not_given_back_before_it_is_taken_over() {
    for keep in [true, false] {
        for home in all_homes() {
            migrated(&home, tool("golang-migrate"));
            home.file("000004_d.up.sql", "create table d (n int);");
            adopt_with(&home, &AdoptOptions { keep, ..AdoptOptions::default() }).await.unwrap();
            done(home.migrate().await);
            home.file("000005_e.up.sql", "create table e (n int);");
            home.execute("update schema_migrations set version = 5");
            let options = GoBackOptions { accept_left_behind: true, ..GoBackOptions::default() };
            let wanted = ["LIM-P020", "golang-migrate has applied 5", "limosa adopt --undo"];
            refusal(home.migrator().adopt_undo(options, &quiet, Stop::new()).await, 4, &wanted);
            assert_eq!(home.rows("select version from schema_migrations"), ["5"]);
            adopt_with(&home, &AdoptOptions { keep, ..AdoptOptions::default() }).await.unwrap();
            go_back(&home).await.unwrap();
            assert_eq!(home.rows("select version from schema_migrations"), ["5"]);
        }
    }
}
