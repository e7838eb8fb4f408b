//! `new --renumber`.

use std::path::PathBuf;
use std::time::Duration;

use limosa::report::DoneAnswer;
use limosa::{Configuration, Failure, Migrator, Numbering, RenumberOptions};
use limosa_testkit::Repository;

use super::{against, configuration, names, parted, path, said};
use crate::answers::{refusal, words};
use crate::place::sqlite;

fn options() -> RenumberOptions {
    let now = Duration::from_secs(1_700_000_000);
    RenumberOptions { reference: Some("main".to_owned()), now, ..RenumberOptions::default() }
}

async fn renumber(repository: &Repository) -> Result<DoneAnswer, Failure> {
    Migrator::new(configuration(repository)).renumber(&options()).await
}

fn full<'f>(files: &[(&'f str, &'f str)]) -> Vec<(String, &'f str)> {
    files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect()
}

fn borrowed<'f>(files: &'f [(String, &'f str)]) -> Vec<(&'f str, &'f str)> {
    files.iter().map(|(name, text)| (name.as_str(), *text)).collect()
}

#[tokio::test]
async fn files_of_every_layout_get_versions_at_the_end() {
    for (both, main, work, expected) in [
        (
            &[("001_a.sql", "select 1;")][..],
            &[("002_b.sql", "select 2;")][..],
            &[
                ("002_c.sql", "select 3;"),
                ("002_c.rollback.sql", "select 0;"),
                ("003_d.sql", "select 4;"),
                ("rollbacks/003_rollback.sql", "select 0;"),
                ("R__v.sql", "select 5;"),
            ][..],
            "001_a.sql 003_c.rollback.sql 003_c.sql 004_d.sql R__v.sql rollbacks/004_rollback.sql",
        ),
        (
            &[("000001_a.up.sql", "select 1;"), ("000001_a.down.sql", "select 0;")],
            &[("000005_b.up.sql", "select 2;")],
            &[("000003_c.up.sql", "select 3;"), ("000003_c.down.sql", "select 0;"), ("000009_d.up.sql", "select 4;")],
            "000001_a.down.sql 000001_a.up.sql 000006_c.down.sql 000006_c.up.sql 000007_d.up.sql",
        ),
        (
            &[("V1.1__a.sql", "select 1;")],
            &[("V1.2__b.sql", "select 2;")],
            &[
                ("V1_2__c.sql", "select 3;"),
                ("U1_2__c.sql", "select 0;"),
                ("V1_2__c.sql.conf", "executeInTransaction=false\n"),
            ],
            "U1_3__c.sql V1.1__a.sql V1_3__c.sql V1_3__c.sql.conf",
        ),
        (
            &[("2023-01-01-000000-0000_a/up.sql", "select 1;")],
            &[("2023-11-14-221325-0000_b/up.sql", "select 2;")],
            &[
                ("2023-11-01-000000-0000_c/up.sql", "select 3;"),
                ("2023-11-01-000000-0000_c/down.sql", "select 0;"),
                ("2023-11-01-000000-0000_c/metadata.toml", "run_in_transaction = false\n"),
            ],
            "2023-01-01-000000-0000_a/up.sql 2023-11-14-221326-0000_c/down.sql 2023-11-14-221326-0000_c/metadata.toml \
             2023-11-14-221326-0000_c/up.sql",
        ),
        (
            &[("20230101000000_a/migration.sql", "select 1;")],
            &[("20231101000000_b/migration.sql", "select 2;")],
            &[("20231001000000_c/migration.sql", "select 3;"), ("20231001000001_d/migration.sql", "select 3;")],
            "20230101000000_a/migration.sql 20231114221320_c/migration.sql 20231114221321_d/migration.sql",
        ),
    ] {
        let [both, main, work] = [both, main, work].map(full);
        let repository = parted(&borrowed(&both), &borrowed(&main), &borrowed(&work));
        assert_eq!(against(&repository, "main").await.unwrap().exit_code, 1);
        let before = names(&repository);
        let dry = RenumberOptions { dry_run: true, ..options() };
        let would = Migrator::new(configuration(&repository)).renumber(&dry).await.unwrap();
        assert_eq!(names(&repository), before);
        let done = renumber(&repository).await.unwrap();
        assert_eq!((&done.done, &done.would), (&would.would, &would.done));
        assert_eq!(names(&repository).join(" "), expected);
        assert_eq!(said(&repository, &against(&repository, "main").await.unwrap()), "0");
        // A second time there is nothing to do.
        let again = renumber(&repository).await.unwrap();
        assert!(again.done.is_empty() && words(&again.notices).contains("LIM-U057"));
    }
}

#[tokio::test]
async fn headers_follow_and_the_rest_is_named() {
    let config = "migrations:\n  - file: 003_d.sql\n    tags: [slow]\n";
    let repository = parted(
        &[("migrations/001_a.sql", "select 1;")],
        &[("migrations/002_b.sql", "select 2;")],
        &[
            ("migrations/002_c.sql", "-- Migration: 002_c.sql\n-- Depends-on: 001\nselect 3;\n"),
            ("migrations/003_d.sql", "-- Depends-on: 002, 001_a\nselect 4; -- 002\n"),
            ("migrations/R__v.sql", "-- Depends-on: 003_d.sql\nselect 5;\n"),
            ("migrations/migration_config.yaml", config),
        ],
    );
    // What is not committed stays so.
    repository.write(&[("migrations/003_d.sql", "-- Depends-on: 002, 001_a\nselect 44; -- 002\n")]);
    let answer = renumber(&repository).await.unwrap();
    let read = |name: &str| repository.folder().read(&format!("migrations/{name}"));
    assert_eq!(read("003_c.sql"), "-- Migration: 003_c.sql\n-- Depends-on: 001\nselect 3;\n");
    assert_eq!(read("004_d.sql"), "-- Depends-on: 003, 001_a\nselect 44; -- 002\n");
    assert_eq!(read("R__v.sql"), "-- Depends-on: 004_d.sql\nselect 5;\n");
    let told = words(&answer.notices);
    assert!(told.contains("LIM-U058 '003_d.sql' names a migration that has another version now"), "{told}");
    assert_eq!(answer.notices.len(), 1);
    assert_eq!(answer.notices[0].labels[0].position.unwrap().line, 2);
    assert_eq!(read("migration_config.yaml"), config);
}

#[tokio::test]
async fn after_a_merge_a_version_alone_is_in_doubt() {
    let work = [
        ("migrations/002_c.sql", "-- Migration: 002_c.sql\nselect 3;\n"),
        ("migrations/003_d.sql", "-- Depends-on: 002\nselect 4;\n"),
        ("migrations/003_d.rollback.sql", "select 0;\n"),
    ];
    let repository = parted(&[("migrations/001_a.sql", "select 1;")], &[("migrations/002_b.sql", "select 2;")], &work);
    repository.git(&["merge", "--quiet", "--no-edit", "main"]);
    let answer = renumber(&repository).await.unwrap();
    assert_eq!(names(&repository).join(" "), "001_a.sql 002_b.sql 003_c.sql 004_d.rollback.sql 004_d.sql");
    assert_eq!(repository.folder().read("migrations/003_c.sql"), "-- Migration: 003_c.sql\nselect 3;\n");
    let told = words(&answer.notices);
    assert!(told.contains("LIM-U058 '002' may mean another migration by now"), "{told}");
    assert!(repository.folder().read("migrations/004_d.sql").contains("Depends-on: 002\n"));
}

#[tokio::test]
async fn files_can_be_named() {
    let work = [("migrations/003_c.sql", "select 3;"), ("migrations/004_d.sql", "select 4;")];
    let repository = parted(&[("migrations/001_a.sql", "select 1;")], &[("migrations/002_b.sql", "select 2;")], &work);
    let named = async |names: &[&str]| {
        let files: Vec<PathBuf> = names.iter().map(|name| path(&repository, name)).collect();
        Migrator::new(configuration(&repository)).renumber(&RenumberOptions { files, ..options() }).await
    };
    refusal(named(&["001_a.sql"]).await, 2, &["LIM-U056", "was not added here"]);
    refusal(named(&["009_none.sql"]).await, 2, &["LIM-U056", "is no migration here"]);
    repository.write(&[("migrations/R__v.sql", "select 1;"), ("migrations/003_c.rollback.sql", "select 0;")]);
    refusal(named(&["R__v.sql"]).await, 2, &["LIM-U056", "no version"]);
    refusal(named(&["003_c.rollback.sql"]).await, 2, &["LIM-U056", "is no migration here"]);
    named(&["003_c.sql"]).await.unwrap();
    assert_eq!(names(&repository).join(" "), "001_a.sql 004_d.sql 005_c.rollback.sql 005_c.sql R__v.sql");
    // A name that something else has is refused, and nothing is renamed.
    repository.write(&[("migrations/006_d.sql/x", "")]);
    refusal(named(&["004_d.sql"]).await, 2, &["LIM-U055"]);
    assert!(path(&repository, "004_d.sql").exists());
}

#[tokio::test]
async fn what_a_database_has_applied_keeps_its_version() {
    let home = sqlite();
    let work = [("migrations/002_c.sql", "create table c (n int);")];
    let repository = parted(&[("migrations/001_a.sql", "select 1;")], &[("migrations/002_b.sql", "select 2;")], &work);
    let own = Configuration { database: home.configuration().database, ..configuration(&repository) };
    let migrator = Migrator::new(own.clone());
    assert_eq!(migrator.renumber(&RenumberOptions { dry_run: true, ..options() }).await.unwrap().would.len(), 1);
    crate::answers::done(crate::answers::migrate(&migrator).await);
    refusal(migrator.renumber(&options()).await, 2, &["LIM-U056", "002_c.sql is applied", "limosa rollback 2"]);
    // A database that has the other branch's is no hindrance.
    let other = sqlite();
    repository.git(&["checkout", "--quiet", "main"]);
    let own = Configuration { database: other.configuration().database, ..own };
    let migrator = Migrator::new(own);
    crate::answers::done(crate::answers::migrate(&migrator).await);
    repository.git(&["checkout", "--quiet", "work"]);
    migrator.renumber(&options()).await.unwrap();
    assert_eq!(names(&repository).join(" "), "001_a.sql 003_c.sql");
}

#[tokio::test]
async fn the_branch_that_is_meant_is_found() {
    let source = parted(&[("migrations/001_a.sql", "select 1;")], &[("migrations/002_b.sql", "select 2;")], &[]);
    source.git(&["checkout", "--quiet", "main"]);
    let clone = Repository::clone_of(&source, &[]);
    clone.git(&["checkout", "--quiet", "-b", "feature", "HEAD~1"]);
    clone.commit(&[("migrations/002_c.sql", "select 3;")]);
    // A branch that was pushed follows its own copy.
    clone.git(&["update-ref", "refs/remotes/origin/feature", "HEAD"]);
    clone.git(&["branch", "--quiet", "--set-upstream-to=origin/feature"]);
    let usual = RenumberOptions { reference: None, dry_run: true, ..options() };
    let answer = Migrator::new(configuration(&clone)).renumber(&usual).await.unwrap();
    assert!(answer.would[0].ends_with("003_c.sql"), "{answer:?}");
    clone.git(&["checkout", "--quiet", "-b", "stacked", "--track", "feature"]);
    clone.commit(&[("migrations/001_z.sql", "select 3;")]);
    let answer = Migrator::new(configuration(&clone)).renumber(&usual).await.unwrap();
    assert!(answer.would[0].ends_with("001_z.sql -> ") || answer.would[0].ends_with("003_z.sql"), "{answer:?}");
    let alone = parted(&[("migrations/001_a.sql", "select 1;")], &[], &[]);
    refusal(Migrator::new(configuration(&alone)).renumber(&usual).await, 2, &["LIM-U132", "--against main"]);
}

#[tokio::test]
async fn folders_of_drizzle_are_left_to_drizzle_and_engines_stay_together() {
    let journal = r#"{"version":"7","dialect":"sqlite","entries":[{"idx":0,"version":"6","when":1700000000000,"tag":"0000_a","breakpoints":true}]}"#;
    let drizzle =
        parted(&[("migrations/0000_a.sql", "select 1;"), ("migrations/meta/_journal.json", journal)], &[], &[]);
    refusal(renumber(&drizzle).await, 2, &["LIM-U051", "drizzle-kit"]);
    let work = [
        ("migrations/002_c.sql", "-- Engines: sqlite\nselect 3;"),
        ("migrations/002_d.sql", "-- Engines: postgres\nselect 3;"),
    ];
    let repository = parted(&[("migrations/001_a.sql", "select 1;")], &[("migrations/002_b.sql", "select 2;")], &work);
    renumber(&repository).await.unwrap();
    assert_eq!(names(&repository).join(" "), "001_a.sql 003_c.sql 003_d.sql");
    let numbering = Numbering::Timestamp;
    let files = vec![path(&repository, "003_c.sql")];
    let options = RenumberOptions { numbering, files, ..options() };
    Migrator::new(configuration(&repository)).renumber(&options).await.unwrap();
    assert_eq!(names(&repository).join(" "), "001_a.sql 003_d.sql 20231114221320_c.sql");
}
