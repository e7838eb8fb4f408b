//! The table of the tool that a database was taken over from is kept beside limosa's ledger.

use std::time::Duration;

use limosa::report::AdoptAnswer;
use limosa::{AdoptOptions, MigrateOptions, Repair, Selection, StatusOptions};
use limosa_testkit::Proxy;
use limosa_testkit::proxy::{Cut, Side};

use super::tools::{migrated, text, tool};
use super::{adopt, adopt_with, go_back, go_back_all_the_same};
use crate::answers::{back, done, failed, id, labels, refusal, version, words};
use crate::place::{Home, Place, all_homes, newest_postgres, sqlite};
use crate::running::{Running, exit, postgres_homes, well};

const TOOLS: [&str; 5] = ["flyway", "golang-migrate", "goose", "dbmate", "sqlx"];

async fn keep(home: &Home) -> AdoptAnswer {
    let answer = adopt_with(home, &AdoptOptions { keep: true, ..AdoptOptions::default() }).await.unwrap();
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
    assert!(answer.kept);
    answer
}

/// What the tool's table says is applied, in the order of versions.
fn theirs(home: &Home, word: &str) -> Vec<String> {
    home.rows(match word {
        "flyway" => {
            "select concat(version, ' ', script, ' ', checksum) from flyway_schema_history where version is not null \
             and success order by installed_rank"
        }
        "golang-migrate" => "select version from schema_migrations where not dirty",
        "goose" => {
            "select version_id from goose_db_version g where version_id > 0 and id = \
             (select max(id) from goose_db_version l where l.version_id = g.version_id) and is_applied order by 1"
        }
        "dbmate" => "select version from schema_migrations order by 1",
        _ => "select version from _sqlx_migrations where success order by version",
    })
}

fn expected(word: &str, first: usize) -> Vec<String> {
    let all = |spell: &dyn Fn(usize) -> String| (1..=first).map(spell).collect();
    match word {
        "flyway" => ["1 V1__a.sql 1112043886", "2 V2__b.sql -1451242899", "3 V3__c.sql 1186832723"][..first]
            .iter()
            .map(|line| (*line).to_owned())
            .collect(),
        "golang-migrate" if first == 0 => Vec::new(),
        "golang-migrate" => vec![first.to_string()],
        "dbmate" => all(&|number| format!("{number:03}")),
        _ => all(&|number| number.to_string()),
    }
}

/// Ways back for all files.
fn ways_back(home: &Home, word: &str) {
    for (number, letter) in ["a", "b", "c"].into_iter().enumerate().map(|(at, letter)| (at + 1, letter)) {
        let name = match word {
            "golang-migrate" | "sqlx" => format!("{number:06}_{letter}.down.sql"),
            "flyway" => format!("U{number}__{letter}.sql"),
            _ => format!("{number:03}_{letter}.rollback.sql"),
        };
        home.file(&name, &format!("drop table {letter};"));
    }
}

#[tokio::test]
async fn each_step_writes_both_ledgers_and_each_way_back_takes_out_of_both() {
    for word in TOOLS {
        for home in all_homes() {
            migrated(&home, tool(word));
            ways_back(&home, word);
            keep(&home).await;
            assert_eq!(labels(&done(home.migrate().await)).len(), 1, "{word}");
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
            let status = home.migrator().status(StatusOptions::default()).await.unwrap();
            assert!(status.adopted.is_some_and(|adopted| adopted.kept), "{word}");
            assert_eq!(words(&status.notices), "", "{word}");

            let consent = home.database();
            done(back(&home.migrator(), Selection::Steps(1), Some(&consent)).await);
            assert_eq!(theirs(&home, word), expected(word, 2), "{word}");
            done(back(&home.migrator(), Selection::Steps(2), Some(&consent)).await);
            assert_eq!(theirs(&home, word), expected(word, 0), "{word}");
            assert_eq!(labels(&done(home.migrate().await)).len(), 3, "{word}");
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");

            let answer = go_back(&home).await.unwrap();
            assert!(!answer.done.iter().any(|line| line.starts_with("tell ")), "{word}: {:?}", answer.done);
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");
            assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
        }
    }
}

#[tokio::test]
async fn how_long_it_took_is_told_in_the_units_of_the_tool() {
    for home in all_homes() {
        migrated(&home, tool("sqlx"));
        keep(&home).await;
        done(home.migrate().await);
        let spent = home.count("select execution_time from _sqlx_migrations where version = 3");
        assert!((0..60_000_000_000).contains(&spent) && spent % 1_000_000 == 0, "{spent}");
        let checksum = match &home.place {
            Place::Postgres(_) => "encode(checksum, 'hex')",
            _ => "lower(hex(checksum))",
        };
        let checksum = home.rows(&format!("select {checksum} from _sqlx_migrations where version = 3"));
        assert!(checksum[0].starts_with("b5ec96d2b9305156c40f08356cdc7b36"), "{checksum:?}");
    }
}

#[tokio::test]
async fn many_files_that_are_sent_ahead_write_their_rows_one_by_one() {
    for word in TOOLS {
        for home in all_homes() {
            migrated(&home, tool(word));
            keep(&home).await;
            for number in 4..=30 {
                let name = match word {
                    "flyway" => format!("V{number}__t.sql"),
                    "golang-migrate" | "sqlx" => format!("{number:06}_t.up.sql"),
                    _ => format!("{number:03}_t.sql"),
                };
                let wrong = if number == 21 { "insert into nowhere values (1);" } else { "" };
                home.file(&name, &format!("create table t{number} (n int);{wrong}"));
            }
            let result = home.migrate().await;
            assert_eq!(exit(&result), 3, "{word}");
            let last = |home: &Home| {
                let rows = theirs(home, word);
                rows.last().unwrap().split(' ').next().unwrap().trim_start_matches('0').to_owned()
            };
            assert_eq!(last(&home), "20", "{word}: {:?}", theirs(&home, word));
            if word != "golang-migrate" {
                assert_eq!(theirs(&home, word).len(), 20, "{word}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_in_several_transactions_writes_its_row_with_the_last() {
    for word in TOOLS {
        let home = newest_postgres();
        migrated(&home, tool(word));
        let third = (tool(word).file)(3);
        home.file(
            &third,
            "-- Transaction: none\ncreate table c (n int);\ncreate index concurrently c_n on c (n);\nselect wrong;\n",
        );
        keep(&home).await;
        assert_eq!(exit(&home.migrate().await), 3, "{word}");
        assert_eq!(theirs(&home, word), expected(word, 2), "{word}");
        home.file(
            &third,
            "-- Transaction: none\ncreate table c (n int);\ncreate index concurrently c_n on c (n);\nselect 1;\n",
        );
        done(home.migrate().await);
        assert_eq!(theirs(&home, word).len(), expected(word, 3).len(), "{word}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_written_takes_the_migration_back() {
    for home in postgres_homes() {
        migrated(&home, tool("goose"));
        keep(&home).await;
        home.execute("alter table goose_db_version add check (version_id < 3) not valid");
        let said = failed(&home.migrate().await, 3, &["which is kept too", "to keep it no longer: limosa adopt"]);
        assert!(said.contains("violates check constraint"), "{said}");
        assert_eq!(home.ledger().len(), 2);
        assert!(home.refuses("select * from c"), "it was rolled back");
        home.execute("alter table goose_db_version drop constraint goose_db_version_version_id_check");
        done(home.migrate().await);
        assert_eq!(theirs(&home, "goose"), ["1", "2", "3"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_leaves_both_ledgers_alike() {
    for word in ["golang-migrate", "goose"] {
        for at in [1, 2, 4, 6, 8, 10, 12, 14, 16] {
            let home = newest_postgres();
            migrated(&home, tool(word));
            for number in 4..=8 {
                let name = if word == "goose" { format!("{number:03}_t.sql") } else { format!("{number:06}_t.up.sql") };
                home.file(&name, &format!("create table t{number} (n int);"));
            }
            keep(&home).await;
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], home.database_handle().port()));
            let proxy = Proxy::start(address).expect("a proxy");
            let mut configuration = home.configuration();
            configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
            proxy.cut(Cut::after(Side::Server, at * 8));
            let _ = Running::migrate(configuration).end().await;
            let applied = home.ledger().len();
            let there = theirs(&home, word);
            let newest: usize = there.last().unwrap().parse().unwrap();
            assert_eq!(newest, applied, "{word} at {at}: {there:?}");
            well(&home.migrate().await);
            assert_eq!(theirs(&home, word).last().unwrap(), "8");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_the_tool_is_waited_for_and_its_holder_named() {
    for home in postgres_homes() {
        let database = home.database();
        // By the tools' own ways to make it, in SQL and in Python.
        let goose = "4097083626".to_owned();
        migrated(&home, tool("goose"));
        keep(&home).await;
        let other = home.database_handle().session().expect("a session");
        other
            .execute(&format!("set application_name = 'goose'; select pg_advisory_lock({goose})"))
            .expect("it is free");
        let mut configuration = home.configuration();
        configuration.lock_wait = Duration::from_millis(300);
        let result = Running::migrate(configuration.clone()).end().await;
        failed(&result, 4, &["LIM-R001", "a run of goose holds its lock", "backend ", "(goose)"]);
        configuration.lock_wait = Duration::from_secs(60);
        let waiting = Running::migrate(configuration);
        waiting.wait_for("it says who", |event| matches!(event, limosa::Event::LockHeld { holder: Some(holder), .. } if holder.starts_with("goose: backend ")));
        other.execute("select pg_advisory_unlock_all()").expect("it lets go");
        well(&waiting.end().await);
        assert_eq!(theirs(&home, "goose"), ["1", "2", "3"], "{database}");
        let held = "select count(*) from pg_locks where locktype = 'advisory' \
                    and database = (select oid from pg_database where datname = current_database())";
        assert_eq!(home.value(held), "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_lock_is_waited_for_on_mysql() {
    for home in crate::place::mysql_homes() {
        migrated(&home, tool("golang-migrate"));
        keep(&home).await;
        let Place::Mysql(database) = &home.place else { continue };
        let other = database.session().expect("a session");
        let text = format!("{}:schema_migrations", home.database());
        other
            .execute(&format!("select get_lock(cast((crc32('{text}') * 1486364155) % 4294967296 as char), 0)"))
            .expect("it is free");
        let mut configuration = home.configuration();
        configuration.lock_wait = Duration::from_millis(300);
        failed(
            &Running::migrate(configuration).end().await,
            4,
            &["LIM-R001", "a run of golang-migrate", "connection "],
        );
        drop(other);
        done(home.migrate().await);
        assert_eq!(theirs(&home, "golang-migrate"), ["3"]);
    }
}

/// Runs a statement in a session of its own that stays open.
type InSession = Box<dyn Fn(&str)>;

/// CRC-32, as the tools make it.
fn crc(text: &str) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !text.bytes().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(byte), bit))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_the_tool_that_is_under_way_is_waited_for_and_not_called_dead() {
    for home in all_homes().into_iter().filter(|home| !home.is_sqlite()) {
        migrated(&home, tool("golang-migrate"));
        keep(&home).await;
        let key = |names: &str| crc(names).wrapping_mul(1_486_364_155);
        let (run, [lock, unlock]): (InSession, _) = match &home.place {
            Place::Mysql(database) => {
                let key = key(&format!("{}:schema_migrations", home.database()));
                let session = database.session().expect("a session");
                let run = move |sql: &str| session.execute(sql).expect(sql);
                (Box::new(run), [format!("do get_lock('{key}', 0)"), format!("do release_lock('{key}')")])
            }
            _ => {
                let key = key(&format!("public\0schema_migrations\0/{}", home.database()));
                let session = home.database_handle().session().expect("a session");
                let run = move |sql: &str| session.execute(sql).expect(sql);
                (Box::new(run), ["lock", "unlock"].map(|word| format!("select pg_advisory_{word}({key})")))
            }
        };
        run(&lock);
        home.execute("update schema_migrations set version = 3, dirty = true");

        let said = words(&adopt(&home).await.unwrap().errors);
        assert!(said.contains("LIM-U113 golang-migrate is running now") && !said.contains("dirty"), "{said}");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert!(
            words(&status.notices).contains("LIM-U140 golang-migrate is running now"),
            "{}",
            words(&status.notices)
        );
        refusal(go_back(&home).await, 4, &["LIM-U113", "golang-migrate is running now"]);
        let mut configuration = home.configuration();
        configuration.lock_wait = Duration::from_millis(300);
        let result = Running::migrate(configuration.clone()).end().await;
        failed(&result, 4, &["LIM-R001", "a run of golang-migrate holds its lock"]);

        configuration.lock_wait = Duration::from_secs(60);
        let waiting = Running::migrate(configuration);
        waiting.wait_for("it waits", |event| matches!(event, limosa::Event::LockHeld { .. }));
        home.execute(&text(3));
        home.execute("update schema_migrations set dirty = false");
        run(&unlock);
        failed(&waiting.end().await, 4, &["LIM-P020", "golang-migrate has applied 3"]);
        keep(&home).await;
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        home.execute("update schema_migrations set dirty = true");
        failed(&home.migrate().await, 4, &["LIM-U140", "calls version 3 dirty"]);
    }
}

#[tokio::test]
async fn what_the_tool_applies_is_taken_over_and_the_table_is_kept_on() {
    for word in TOOLS {
        for home in all_homes() {
            let tool = tool(word);
            migrated(&home, tool);
            keep(&home).await;
            home.execute(&text(3));
            home.execute(&(tool.next)(&home));
            failed(&home.migrate().await, 4, &["LIM-P020", "limosa adopt --keep-foreign-ledger"]);
            let status = home.migrator().status(StatusOptions::default()).await.unwrap();
            assert!(words(&status.notices).contains("LIM-P020"), "{word}");
            let answer = keep(&home).await;
            assert_eq!(answer.migrations.len(), 1, "{word}");
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
            let name = match word {
                "flyway" => "V4__d.sql",
                "golang-migrate" | "sqlx" => "000004_d.up.sql",
                _ => "004_d.sql",
            };
            home.file(name, "create table d (n int);");
            done(home.migrate().await);
            assert!(theirs(&home, word).last().unwrap().contains('4'), "{word}: {:?}", theirs(&home, word));
        }
    }
}

#[tokio::test]
async fn what_the_tool_takes_back_is_a_stop_that_says_how_to_go_on() {
    for word in ["goose", "golang-migrate"] {
        for home in all_homes() {
            migrated(&home, tool(word));
            keep(&home).await;
            done(home.migrate().await);
            home.execute("drop table c");
            home.execute(match word {
                "goose" => "delete from goose_db_version where version_id = 3",
                _ => "update schema_migrations set version = 2",
            });
            failed(&home.migrate().await, 4, &["LIM-U140", "does not have 3 on record any more", "--mark-not-applied"]);
            home.repair(Repair::MarkNotApplied(id("3"))).await.unwrap();
            done(home.migrate().await);
            assert_eq!(theirs(&home, word).last().unwrap(), "3");
        }
    }
}

#[tokio::test]
async fn a_table_that_is_gone_is_a_stop_until_it_is_kept_no_longer() {
    for home in all_homes() {
        migrated(&home, tool("dbmate"));
        keep(&home).await;
        home.execute(if home.is_mysql() || home.is_sqlite() {
            "drop table schema_migrations"
        } else {
            "drop table public.schema_migrations"
        });
        failed(&home.migrate().await, 4, &["LIM-U140", "limosa adopt"]);
        let answer = adopt(&home).await.unwrap();
        assert_eq!((answer.outcome, answer.kept_no_longer), ("done", true));
        done(home.migrate().await);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn what_counts_as_applied_by_hand_is_told_too() {
    for word in TOOLS {
        for home in all_homes() {
            migrated(&home, tool(word));
            keep(&home).await;
            home.execute(&text(3));
            home.repair(Repair::MarkApplied(id("3"))).await.unwrap();
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");
            home.repair(Repair::MarkNotApplied(id("3"))).await.unwrap();
            assert_eq!(theirs(&home, word), expected(word, 2), "{word}");
            home.migrator()
                .baseline(&version("3"), false, &crate::answers::quiet, limosa::Stop::new())
                .await
                .unwrap_err();
            home.repair(Repair::MarkNotApplied(id("1"))).await.unwrap();
            home.repair(Repair::MarkNotApplied(id("2"))).await.unwrap();
            assert_eq!(theirs(&home, word), expected(word, 0), "{word}");
            home.migrator().baseline(&version("2"), false, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
            assert_eq!(theirs(&home, word), expected(word, 2), "{word}");
        }
    }
}

#[tokio::test]
async fn it_begins_later_with_what_was_done_meanwhile_and_ends_when_it_is_not_asked_for() {
    for word in TOOLS {
        for home in all_homes() {
            migrated(&home, tool(word));
            ways_back(&home, word);
            adopt(&home).await.unwrap();
            let consent = home.database();
            done(back(&home.migrator(), Selection::Steps(1), Some(&consent)).await);
            assert_eq!(theirs(&home, word), expected(word, 2), "{word}: it is only read");
            keep(&home).await;
            assert_eq!(theirs(&home, word), expected(word, 1), "{word}");
            done(home.migrate().await);
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");
            let answer = adopt(&home).await.unwrap();
            assert_eq!((answer.outcome, answer.kept, answer.kept_no_longer), ("done", false, true), "{word}");
            assert_eq!(adopt(&home).await.unwrap().outcome, "nothing_to_do", "{word}");
            done(back(&home.migrator(), Selection::Steps(1), Some(&consent)).await);
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}: it is only read again");
            done(home.migrate().await);
        }
    }
}

#[tokio::test]
async fn one_row_goes_no_further_than_the_first_gap() {
    let home = sqlite();
    migrated(&home, tool("golang-migrate"));
    home.file("000005_e.up.sql", "create table e (n int);");
    home.file("000004_d.up.sql", "create table d (n int);");
    keep(&home).await;
    std::fs::rename(home.folder.join("migrations/000004_d.up.sql"), home.folder.join("d.sql")).unwrap();
    done(home.migrate().await);
    assert_eq!(theirs(&home, "golang-migrate"), ["5"]);
    std::fs::rename(home.folder.join("d.sql"), home.folder.join("migrations/000004_d.up.sql")).unwrap();
    // A file that comes late: golang-migrate would never run it.
    failed(&home.migrate().await, 1, &["LIM-P005"]);
    let late = home.with(|configuration| configuration.out_of_order = limosa::OutOfOrder::Allow);
    assert_eq!(labels(&done(crate::answers::migrate(&late).await)), ["000004"]);
    assert_eq!(theirs(&home, "golang-migrate"), ["5"]);
}

#[tokio::test]
async fn repeatables_have_rows_in_flyways_table_only() {
    for word in ["flyway", "goose"] {
        for home in all_homes() {
            migrated(&home, tool(word));
            home.file("R__view.sql", "create view v as select n from a;");
            keep(&home).await;
            done(home.migrate().await);
            home.file("R__view.sql", "drop view v; create view v as select n from b;");
            done(home.migrate().await);
            if word == "flyway" {
                let rows = home.rows("select script from flyway_schema_history where version is null and type = 'SQL'");
                assert_eq!(rows, ["R__view.sql", "R__view.sql"]);
            }
            assert_eq!(theirs(&home, word), expected(word, 3));
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        }
    }
}

#[tokio::test]
async fn the_ledger_of_another_tool_cannot_be_kept() {
    let home = newest_postgres();
    migrated(&home, tool("prisma"));
    let options = AdoptOptions { keep: true, ..AdoptOptions::default() };
    refusal(adopt_with(&home, &options).await, 2, &["LIM-U141", "Flyway, golang-migrate, goose"]);
    assert!(!home.tables().iter().any(|table| table.contains("lease")), "nothing is written");
}

#[tokio::test]
async fn the_script_for_running_by_hand_writes_both() {
    for word in TOOLS {
        for home in postgres_homes() {
            migrated(&home, tool(word));
            keep(&home).await;
            let script = home.migrator().plan_script(&limosa::MigrateOptions::default()).await.unwrap();
            home.execute(&script);
            assert_eq!(theirs(&home, word), expected(word, 3), "{word}");
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        }
    }
}

/// golang-migrate's one row says 3; 2 turns up behind it.
fn late(home: &Home) {
    home.file("000001_a.up.sql", "create table a (n int);");
    home.file("000003_c.up.sql", "create table c (n int);");
    home.execute("create table a (n int)");
    home.execute("create table c (n int)");
    home.execute(&(tool("golang-migrate").create)(home));
    home.execute("insert into schema_migrations values (3, false)");
}

fn turns_up(home: &Home) {
    home.file("000002_b.up.sql", "create table b (n int);");
    home.file("000002_b.down.sql", "drop table b;");
}

fn newest(home: &Home) {
    home.file("000004_d.up.sql", "create table d (n int);");
    home.file("000004_d.down.sql", "drop table d;");
}

#[tokio::test]
async fn a_late_file_is_run_and_it_is_said_that_the_tool_passes_over_it() {
    for home in all_homes() {
        late(&home);
        keep(&home).await;
        turns_up(&home);
        let allows = home.with(|configuration| configuration.out_of_order = limosa::OutOfOrder::Allow);
        let wanted = ["LIM-U166", "000002 comes late", "says 3", "golang-migrate passes over it in silence"];
        let planned = words(&allows.plan(&MigrateOptions::default()).await.expect("a plan").notices);
        assert!(wanted.iter().all(|wanted| planned.contains(wanted)), "{planned}");
        let answer = done(crate::answers::migrate(&allows).await);
        let said = words(&answer.notices);
        assert!(wanted.iter().all(|wanted| said.contains(wanted)), "{said}");
        assert_eq!(theirs(&home, "golang-migrate"), ["3"]);
        newest(&home);
        assert_eq!(words(&done(home.migrate().await).notices), "");
        assert_eq!(theirs(&home, "golang-migrate"), ["4"]);
    }
}

/// Put back below what it says, it would let golang-migrate run once more what stands.
#[tokio::test]
async fn one_row_is_not_put_back_for_a_late_file() {
    for home in all_homes() {
        late(&home);
        keep(&home).await;
        newest(&home);
        done(home.migrate().await);
        turns_up(&home);
        home.repair(Repair::MarkNotApplied(id("4"))).await.expect("it is counted as not applied");
        assert_eq!(theirs(&home, "golang-migrate"), ["3"], "by hand");
        home.repair(Repair::MarkApplied(id("4"))).await.expect("it is counted as applied");
        assert_eq!(theirs(&home, "golang-migrate"), ["4"], "by hand");
        let consent = home.database();
        done(back(&home.migrator(), Selection::Steps(1), Some(&consent)).await);
        assert_eq!(theirs(&home, "golang-migrate"), ["3"], "a way back");
        let allows = home.with(|configuration| configuration.out_of_order = limosa::OutOfOrder::Allow);
        done(crate::answers::migrate(&allows).await);
        assert_eq!(theirs(&home, "golang-migrate"), ["4"]);
    }
}

#[tokio::test]
async fn one_row_is_not_put_back_for_a_late_file_when_it_is_given_back_or_kept_later() {
    for keeps in [false, true] {
        for home in all_homes() {
            late(&home);
            adopt(&home).await.expect("it is taken over");
            newest(&home);
            done(home.migrate().await);
            turns_up(&home);
            if keeps {
                keep(&home).await;
                assert_eq!(theirs(&home, "golang-migrate"), ["4"]);
            }
            let returned = go_back_all_the_same(&home).await;
            assert_eq!(theirs(&home, "golang-migrate"), ["4"], "{:?}", returned.done);
        }
    }
}
