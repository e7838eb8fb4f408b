//! The way back to the tool that a database was taken over from.

use limosa::{AdoptOptions, GoBackOptions, Selection, Stop};

use super::tools::{EVERYWHERE, Tool, migrated, tool};
use super::{adopt, adopt_with, go_back, go_back_all_the_same, verdicts};
use crate::answers::{back, done, failed, id, labels, quiet, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

fn third(home: &Home, tool: &Tool) -> Vec<String> {
    let schema = if home.is_sqlite() || home.is_mysql() { "" } else { "drizzle." };
    home.rows(&tool.third.0.replace("{schema}", schema))
}

/// What the tool does between the first look and the lock.
#[tokio::test]
async fn what_the_tool_does_meanwhile_is_not_written_over() {
    for (word, does, wanted) in [
        ("golang-migrate", "update schema_migrations set dirty = true", &["LIM-U113", "migrate force 2"][..]),
        ("sqlx", "update _sqlx_migrations set success = false where version = 2", &["LIM-U113", "delete from"]),
        (
            "flyway",
            "update flyway_schema_history set success = false where version = '2'",
            &["LIM-U113", "flyway repair"],
        ),
        (
            "goose",
            "insert into goose_db_version (version_id, is_applied) values (3, true)",
            &["LIM-U117", "goose was here meanwhile"],
        ),
    ] {
        for home in all_homes() {
            migrated(&home, tool(word));
            adopt(&home).await.expect("it is taken over");
            done(home.migrate().await);
            let (ledger, table) = (home.ledger(), format!("select * from {}", tool(word).table));
            let meanwhile = |told: limosa::Progress| {
                if let limosa::Progress::Target(_) = told {
                    home.execute(does);
                }
            };
            let options = limosa::GoBackOptions { accept_left_behind: true, ..limosa::GoBackOptions::default() };
            let before = home.rows(&table).len();
            refusal(home.migrator().adopt_undo(options, &meanwhile, limosa::Stop::new()).await, 4, wanted);
            assert_eq!(home.ledger(), ledger, "{word}");
            assert_eq!(home.rows(&table).len(), before + usize::from(word == "goose"), "{word}");
        }
    }
}

#[tokio::test]
async fn each_tool_is_told_what_was_applied_since() {
    for tool in EVERYWHERE {
        for home in all_homes() {
            migrated(&home, tool);
            assert_eq!(adopt(&home).await.unwrap().outcome, "done", "{}", tool.word);
            done(home.migrate().await);
            let answer = go_back(&home).await.unwrap();
            assert_eq!(answer.done.len(), 2, "{}: {:?}", tool.word, answer.done);
            assert!(answer.done[1].starts_with("tell "), "{:?}", answer.done);
            assert_eq!(third(&home, tool), [tool.third.1], "{}", tool.word);
            assert_eq!(home.ledger(), Vec::<String>::new());
            assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);

            // All of it is there when it is taken over once more.
            failed(&home.migrate().await, 4, &["LIM-P020"]);
            let again = adopt(&home).await.unwrap();
            let found: Vec<&str> = again.migrations.iter().map(|line| line.verdict).collect();
            assert_eq!(found, [tool.verdict; 3], "{}: {}", tool.word, words(&again.errors));
        }
    }
}

#[tokio::test]
async fn nothing_is_told_where_nothing_happened() {
    for tool in EVERYWHERE {
        let home = newest_postgres();
        migrated(&home, tool);
        adopt(&home).await.unwrap();
        let answer = go_back(&home).await.unwrap();
        assert_eq!(answer.done, ["forget 2 migrations in limosa's ledger"], "{}", tool.word);
        refusal(go_back(&home).await, 2, &["LIM-U116"]);
    }
}

#[tokio::test]
async fn what_was_taken_back_since_is_taken_out() {
    for word in ["golang-migrate", "goose", "flyway", "sqlx"] {
        for home in all_homes() {
            let tool = tool(word);
            migrated(&home, tool);
            match word {
                "golang-migrate" | "sqlx" => home.file("000002_b.down.sql", "drop table b;"),
                "flyway" => home.file("U2__b.sql", "drop table b;"),
                _ => home.file("002_b.rollback.sql", "drop table b;"),
            }
            adopt(&home).await.unwrap();
            let consent = home.database();
            done(back(&home.migrator(), Selection::One(id("2")), Some(&consent)).await);
            let answer = go_back(&home).await.unwrap();
            assert_eq!(answer.done.len(), 2, "{word}: {:?}", answer.done);
            let again = adopt(&home).await.unwrap();
            let found: Vec<String> =
                verdicts(&again).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
            assert_eq!(found, [tool.verdict, "pending", "pending"], "{word}");
        }
    }
}

#[tokio::test]
async fn what_the_tool_has_no_place_for_is_left_behind_only_where_that_is_accepted() {
    let home = sqlite();
    migrated(&home, tool("goose"));
    home.file("R__view.sql", "create view v as select n from a;");
    adopt(&home).await.unwrap();
    done(home.migrate().await);
    refusal(go_back(&home).await, 4, &["LIM-U117", "R view (goose has no place for such a one)", "--yes"]);
    assert_eq!(home.ledger().len(), 4, "nothing was done");
    let answer = go_back_all_the_same(&home).await;
    assert!(words(&answer.notices).contains("LIM-U117"), "{:?}", answer.notices);
    assert_eq!(third(&home, tool("goose")), ["2"]);
}

#[tokio::test]
async fn one_row_for_all_versions_goes_as_far_as_nothing_is_missing() {
    let home = sqlite();
    migrated(&home, tool("golang-migrate"));
    home.file("000004_d.up.sql", "create table d (n int);");
    adopt(&home).await.unwrap();
    done(home.migrate().await);
    // A file that comes late stands before one that was applied.
    home.file("000003_c.up.sql", "create table c (n int);\n");
    std::fs::rename(home.folder.join("migrations/000003_c.up.sql"), home.folder.join("migrations/000005_c.up.sql"))
        .unwrap();
    home.file("000003_other.up.sql", "create table other (n int);");
    home.execute(&format!("delete from {} where identity = '3'", home.table("schema_migrations")));
    refusal(
        go_back(&home).await,
        4,
        &["LIM-U117", "000004 d (its one row stands for all versions before it", "(migrate force VERSION)"],
    );
    go_back_all_the_same(&home).await;
    assert_eq!(home.rows("select version, dirty from schema_migrations"), ["2|0"]);
}

#[tokio::test]
async fn what_ran_again_since_is_told_with_its_checksum_of_today() {
    for home in all_homes() {
        migrated(&home, tool("flyway"));
        home.file("R__view.sql", "select 1;\n");
        home.execute(
            "insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, \
             execution_time, success) values (3, null, 'view', 'SQL', 'R__view.sql', -690524359, 'app', 0, true)",
        );
        home.file("U2__b.sql", "drop table b;");
        adopt(&home).await.unwrap();
        home.file("R__view.sql", "select 2;\n");
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("2")), Some(&consent)).await);
        home.file("V2__b.sql", "create table b (n bigint);\n");
        done(home.migrate().await);
        go_back(&home).await.unwrap();
        let rows = home.rows("select script, checksum from flyway_schema_history order by installed_rank");
        assert_eq!(
            rows[2..],
            ["R__view.sql|-690524359", "V2__b.sql|1375441366", "V3__c.sql|1186832723", "R__view.sql|-33932038"],
            "{rows:?}"
        );
        assert!(verdicts(&adopt(&home).await.unwrap()).iter().all(|line| line.starts_with("verified")));
    }
}

#[tokio::test]
async fn what_the_other_tool_left_half_done_since_is_not_written_over() {
    let cases = [
        ("golang-migrate", "update schema_migrations set version = 4, dirty = true", "migrate force 4"),
        ("sqlx", "update _sqlx_migrations set success = false where version = 3", "where version = 3"),
    ];
    for (word, sql, next) in cases {
        for home in all_homes() {
            migrated(&home, tool(word));
            let keep = AdoptOptions { keep: true, ..AdoptOptions::default() };
            assert_eq!(adopt_with(&home, &keep).await.unwrap().outcome, "done");
            done(home.migrate().await);
            home.execute(sql);
            let before = home.rows(&format!("select * from {}", tool(word).table));
            for dry_run in [true, false] {
                let options = GoBackOptions { accept_left_behind: true, dry_run };
                let answer = home.migrator().adopt_undo(options, &quiet, Stop::new()).await;
                refusal(answer, 4, &["LIM-U113", next, "after that: limosa adopt --undo"]);
            }
            assert_eq!(home.ledger().len(), 3, "nothing was done");
            assert_eq!(home.rows(&format!("select * from {}", tool(word).table)), before, "{word}");
        }
    }
}

#[tokio::test]
async fn a_clean_forgets_where_the_database_came_from() {
    for home in all_homes() {
        migrated(&home, tool("goose"));
        adopt(&home).await.unwrap();
        let consent = home.database();
        home.migrator().clean(Some(&consent), false, &quiet, Stop::new()).await.unwrap();
        refusal(go_back(&home).await, 2, &["LIM-U116"]);
        refusal(adopt(&home).await, 2, &["LIM-U110"]);
        assert_eq!(labels(&done(home.migrate().await)), ["001", "002", "003"]);
    }
}

#[tokio::test]
async fn a_table_that_is_gone_is_said() {
    let home = newest_postgres();
    migrated(&home, tool("goose"));
    adopt(&home).await.unwrap();
    done(home.migrate().await);
    home.execute("drop table goose_db_version");
    refusal(go_back(&home).await, 4, &["LIM-U117", "the table public.goose_db_version is gone"]);
    go_back_all_the_same(&home).await;
    assert_eq!(home.ledger(), Vec::<String>::new());
}

#[tokio::test]
async fn a_way_back_that_the_tool_keeps_is_taken_over_and_given_back() {
    for home in all_homes() {
        migrated(&home, tool("numbered-sql"));
        let kept = |version: &str, text: &str| {
            home.execute(&format!("update schema_migrations set rollback_sql = '{text}' where version = '{version}'"));
        };
        kept("001", "-- there is none");
        kept("002", "drop table b;");
        home.file("003_c.rollback.sql", "drop table c;\n");
        adopt(&home).await.unwrap();
        done(home.migrate().await);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("2")), Some(&consent)).await);
        failed(&back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await, 1, &["LIM-P014"]);
        go_back(&home).await.unwrap();
        let third = home.rows("select rollback_sql, metadata from schema_migrations where version = '003'");
        assert!(third[0].starts_with("drop table c;\n|{") && third[0].contains("migrations/003_c.sql"), "{third:?}");
        assert_eq!(home.rows("select name from schema_migrations where version = '003'"), ["C"]);
        assert_eq!(home.rows("select count(*) from schema_migrations where version = '002'"), ["0"]);
    }
}

#[tokio::test]
async fn each_line_of_the_way_back_reads_as_a_sentence() {
    let lines = async |home: &Home| {
        let looking = GoBackOptions { dry_run: true, ..GoBackOptions::default() };
        home.migrator().adopt_undo(looking, &quiet, Stop::new()).await.unwrap().would
    };
    let kept = sqlite();
    migrated(&kept, tool("golang-migrate"));
    adopt_with(&kept, &AdoptOptions { keep: true, ..AdoptOptions::default() }).await.unwrap();
    done(kept.migrate().await);
    let known = "keep 000003 c in the table schema_migrations as it stands there";
    assert_eq!(lines(&kept).await, ["forget 3 migrations in limosa's ledger", known]);

    let home = sqlite();
    migrated(&home, tool("golang-migrate"));
    for name in ["000002_b.up.sql", "000003_c.up.sql"] {
        std::fs::remove_file(home.folder.join("migrations").join(name)).unwrap();
    }
    home.execute("update schema_migrations set version = 1");
    home.file("000001_a.down.sql", "drop table a;");
    adopt(&home).await.unwrap();
    assert_eq!(lines(&home).await, ["forget 1 migration in limosa's ledger"]);
    let consent = home.database();
    done(back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await);
    let nothing = "tell golang-migrate that nothing is applied any more (table schema_migrations)";
    assert_eq!(lines(&home).await, ["forget 0 migrations in limosa's ledger", nothing]);
}
