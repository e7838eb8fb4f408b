//! Files of what another tool had applied that turn up after the database was taken over never run.

use limosa::{AdoptOptions, OutOfOrder, Repair, Selection, StatusOptions, report::RunAnswer};

use super::tools::{migrated, tool};
use super::{adopt, adopt_with, go_back, verdicts};
use crate::answers::{back, done, failed, id, labels, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

/// The files are in another branch for now: the tool has applied a fourth and a fifth as well.
fn migrated_further(home: &Home, word: &str) {
    migrated(home, tool(word));
    std::fs::remove_file(home.folder.join(&format!("migrations/{}", (tool(word).file)(3)))).unwrap();
    for table in ["c", "d", "e"] {
        home.execute(&format!("create table {table} (n int)"));
    }
    match word {
        "golang-migrate" => home.execute("update schema_migrations set version = 5"),
        "goose" => {
            home.execute("insert into goose_db_version (version_id, is_applied) values (3, true), (4, true), (5, true)")
        }
        _ => {
            let row = |rank: u32, name: &str, crc: &str| {
                home.execute(&format!(
                    "insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, \
                     execution_time, success) values ({rank}, '{rank}', '{name}', 'SQL', 'V{rank}__{name}.sql', {crc}, 'app', 0, true)"
                ));
            };
            // By zlib, over the lines without their endings.
            row(3, "c", "1186832723");
            row(4, "d", &crc("create table d (n int);").to_string());
            row(5, "e", &crc("create table e (n int);").to_string());
        }
    }
}

/// CRC-32, as Flyway writes it.
fn crc(text: &str) -> i32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    (!text.bytes().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(byte), bit))).cast_signed()
}

/// The name of one of its files.
fn name(word: &str, number: usize) -> String {
    (tool(word).file)(number)
}

/// The branch is merged.
fn turn_up(home: &Home, word: &str) {
    for (number, table) in [(3, 'c'), (4, 'd'), (5, 'e')] {
        home.file(&name(word, number), &format!("create table {table} (n int);\n"));
    }
}

/// The states of the files, in words.
async fn states(home: &Home) -> Vec<&'static str> {
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    status.changes.iter().map(|line| line.state.title()).collect()
}

/// A migrate that would let late files run.
async fn lenient(home: &Home) -> RunAnswer {
    done(crate::answers::migrate(&home.with(|it| it.out_of_order = OutOfOrder::Allow)).await)
}

const WORDS: [&str; 3] = ["goose", "flyway", "golang-migrate"];

#[tokio::test]
async fn they_count_as_applied() {
    for word in WORDS {
        for home in all_homes() {
            for keep in [false, true] {
                if keep {
                    go_back(&home).await.unwrap();
                    for number in 3..=5 {
                        std::fs::remove_file(home.folder.join(&format!("migrations/{}", name(word, number)))).unwrap();
                    }
                    std::fs::remove_file(home.folder.join(&format!("migrations/{}", name(word, 6)))).unwrap();
                    home.execute("drop table f");
                    match word {
                        "goose" => home.execute("delete from goose_db_version where version_id = 6"),
                        "flyway" => home.execute("delete from flyway_schema_history where version = '6'"),
                        _ => home.execute("update schema_migrations set version = 5"),
                    }
                } else {
                    migrated_further(&home, word);
                }
                let answer = adopt_with(&home, &AdoptOptions { keep, ..AdoptOptions::default() }).await.unwrap();
                assert_eq!(answer.outcome, "done", "{word}: {}", words(&answer.errors));
                let missing = if word == "golang-migrate" { 1 } else { 3 };
                assert_eq!(answer.counts.missing, missing, "{word}: {:?}", verdicts(&answer));
                turn_up(&home, word);
                home.file(&name(word, 6), "create table f (n int);");
                assert_eq!(
                    states(&home).await,
                    ["baseline", "baseline", "baseline", "baseline", "baseline", "pending"]
                );
                let plan = home.migrator().plan(&limosa::MigrateOptions::default()).await.unwrap();
                assert_eq!(plan.steps.len(), 1, "{word}");
                let answer = lenient(&home).await;
                assert_eq!(labels(&answer).len(), 1, "{word}");
                let said = words(&answer.notices);
                assert!(said.contains("LIM-U160") && said.contains(&name(word, 3)), "{word}: {said}");
                assert_eq!(home.ledger().len(), 6, "{word}");
                let answer = done(home.migrate().await);
                assert_eq!((answer.outcome, words(&answer.notices).as_str()), ("nothing_to_do", ""), "{word}");
                let verdict = if word == "flyway" { "\"verified\"" } else { "\"stamped\"" };
                let details = home.rows(&format!("select detail from {}", home.table("audit_log")));
                let turned_up: Vec<_> = details.iter().filter(|detail| detail.contains("turned_up")).collect();
                assert_eq!(turned_up.len(), if keep { 6 } else { 3 }, "{word}");
                assert!(turned_up.iter().all(|detail| detail.contains(verdict)), "{word}: {turned_up:?}");
                assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
            }
        }
    }
}

#[tokio::test]
async fn they_count_alone_and_without_the_tools_table() {
    for word in WORDS {
        let home = newest_postgres();
        migrated_further(&home, word);
        adopt(&home).await.unwrap();
        home.execute(&format!("drop table public.{}", tool(word).table));
        turn_up(&home, word);
        let answer = done(home.migrate().await);
        assert_eq!(answer.outcome, "nothing_to_do", "{word}");
        assert!(words(&answer.notices).contains("LIM-U160"), "{word}");
        assert_eq!(home.ledger().len(), 5, "{word}");
    }
}

#[tokio::test]
async fn what_was_taken_back_by_limosa_runs_again() {
    for word in WORDS {
        for home in all_homes() {
            migrated_further(&home, word);
            adopt(&home).await.unwrap();
            turn_up(&home, word);
            let way_back = match word {
                "golang-migrate" => "000005_e.down.sql",
                "flyway" => "U5__e.sql",
                _ => "005_e.rollback.sql",
            };
            home.file(way_back, "drop table e;");
            done(home.migrate().await);
            let consent = home.database();
            done(back(&home.migrator(), Selection::Steps(1), Some(&consent)).await);
            assert_eq!(states(&home).await.last(), Some(&"pending"), "{word}");
            assert_eq!(labels(&done(home.migrate().await)).len(), 1, "{word}");
            // One that was counted by hand first.
            home.repair(Repair::MarkNotApplied(id("4"))).await.unwrap();
            assert!(states(&home).await.contains(&"out of order"), "{word}");
            go_back(&home).await.ok();
        }
    }
}

#[tokio::test]
async fn what_was_counted_by_hand_is_not_counted_again() {
    let home = sqlite();
    migrated_further(&home, "goose");
    adopt(&home).await.unwrap();
    turn_up(&home, "goose");
    home.repair(Repair::MarkApplied(id("5"))).await.unwrap();
    home.repair(Repair::MarkNotApplied(id("5"))).await.unwrap();
    home.execute("drop table e");
    assert_eq!(labels(&done(home.migrate().await)), ["005"]);
}

#[tokio::test]
async fn another_file_stops_the_run_where_the_checksum_tells() {
    for home in all_homes() {
        migrated_further(&home, "flyway");
        adopt(&home).await.unwrap();
        turn_up(&home, "flyway");
        home.file("V4__d.sql", "create table another (n int);\n");
        home.file("V6__f.sql", "create table f (n int);\n");
        let wanted = ["LIM-U161", "V4__d.sql", "limosa repair --mark-applied 4"];
        failed(&home.migrate().await, 4, &wanted);
        refusal(home.migrator().plan(&limosa::MigrateOptions::default()).await, 4, &wanted);
        let status = words(&home.migrator().status(StatusOptions::default()).await.unwrap().notices);
        assert!(wanted.iter().all(|wanted| status.contains(wanted)), "{status}");
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 1);
        assert_eq!(home.ledger().len(), 2, "nothing was written");
        home.repair(Repair::MarkApplied(id("4"))).await.unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["6"]);
        assert!(!home.tables().contains(&"another".to_owned()));
    }
}

#[tokio::test]
async fn what_one_row_may_have_passed_over_comes_late() {
    for home in all_homes() {
        migrated(&home, tool("golang-migrate"));
        home.file("000005_e.up.sql", "create table e (n int);");
        home.execute("update schema_migrations set version = 5");
        adopt(&home).await.unwrap();
        // The folder was the one of version 5: whether 4 was there then is not known.
        home.file("000004_d.up.sql", "create table d (n int);");
        failed(&home.migrate().await, 1, &["LIM-P005", "000004_d.up.sql"]);
    }
}
