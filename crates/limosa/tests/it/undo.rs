//! Taking back: selections, recorded ways back, consent, protection, failures in the middle, placeholders and secrets.

use limosa::{Configuration, MigrateOptions, Migrator, Progress, RollbackOptions, Selection, Stop};

use crate::answers::{back, done, failed, id, labels, migrate, quiet, said, steps, to, version};
use crate::place::{Home, all_homes, homes};

/// Makes a table; its way back drops it, which loses data.
fn losing(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

/// Makes an index; its way back loses nothing.
fn harmless(name: &str, table: &str) -> String {
    format!("create index {name} on {table} (id);\n-- limosa:rollback\ndrop index {name};\n")
}

fn indexes(home: &Home) -> Vec<String> {
    home.rows(match home.is_sqlite() {
        true => "select name from sqlite_schema where type = 'index' and name like 'i%' order by 1",
        false => "select indexname::text from pg_indexes where schemaname = 'public' order by 1",
    })
}

fn from_file(selection: Selection, consent: Option<String>) -> RollbackOptions {
    RollbackOptions { selection, use_file: true, consent, backup: false }
}

/// Five changes: a table and four indexes.
async fn five(home: &Home) {
    home.file("001_t.sql", &losing("t"));
    for number in 2..=5 {
        home.file(&format!("00{number}_i.sql"), &harmless(&format!("i{number}"), "t"));
    }
    done(home.migrate().await);
}

#[tokio::test]
async fn every_selection_takes_back_what_it_says() {
    for home in homes() {
        five(&home).await;
        assert_eq!(labels(&done(home.back(Selection::Steps(1)).await)), ["005"]);
        assert_eq!(labels(&done(home.back(Selection::One(id("2"))).await)), ["002"]);
        assert_eq!(indexes(&home), ["i3", "i4"]);
        assert_eq!(labels(&done(home.back(Selection::To(version("3"))).await)), ["004"]);
        failed(&home.back(Selection::One(id("4"))).await, 1, &["LIM-P011", "4 is not applied"]);
        failed(&home.back(Selection::To(version("2"))).await, 1, &["LIM-P011", "2 is not applied"]);
        assert_eq!(done(home.back(Selection::To(version("3"))).await).outcome, "nothing_to_do");
        let allowing = home.with(|it| it.out_of_order = limosa::OutOfOrder::Allow);
        done(migrate(&allowing).await);
        // 2, 4 and 5 came after 3 now.
        assert_eq!(labels(&done(home.back(Selection::From(id("3"))).await)), ["005", "004", "002", "003"]);
        assert_eq!(indexes(&home), Vec::<String>::new());
        assert_eq!(home.ledger(), ["1|applied"]);
        assert_eq!(labels(&done(home.migrate().await)), ["002", "003", "004", "005"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn all_four_forms_of_ways_back_work() {
    for home in all_homes() {
        home.file("001_a.sql", &losing("a"));
        home.file("002_b.sql", "create table b (id int);");
        home.file("002_b.rollback.sql", "drop table b;");
        home.file("0003_c.sql", "create table c (id int);");
        home.file("rollbacks/0003_rollback.sql", "drop table c;");
        home.file(
            "004_d.sql",
            "create table d (id int);\n\n-- =====\n-- ROLLBACK\n-- =====\n-- Run these to take it back:\n--   drop table d;\n",
        );
        done(home.migrate().await);
        assert_eq!(home.tables(), ["a", "b", "c", "d"]);
        let answer = done(home.rollback(Selection::Steps(4)).await);
        assert_eq!(labels(&answer), ["004", "0003", "002", "001"]);
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn the_recorded_way_back_counts_not_the_file() {
    for home in homes() {
        home.file("001_t.sql", &losing("t"));
        home.file("002_i.sql", &harmless("i1", "t"));
        done(home.migrate().await);
        // The file is wrong now, and nobody asked for it.
        home.file("002_i.sql", "create index i1 on t (id);\n-- limosa:rollback\ndrop index no_such_index;\n");
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
        done(home.back(Selection::Steps(1)).await);
        assert!(indexes(&home).is_empty());

        // Recorded wrong, corrected in the file.
        done(home.migrate().await);
        home.file("002_i.sql", &harmless("i1", "t"));
        failed(&home.back(Selection::Steps(1)).await, 3, &["no_such_index", "recorded rollback of 2"]);
        assert_eq!(indexes(&home), ["i1"]);
        let options = from_file(Selection::Steps(1), None);
        let differences = home.migrator().rollback_differences(&options).await.unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].identity, "2");
        assert!(differences[0].recorded.as_ref().unwrap().contains("no_such_index"));
        assert!(differences[0].file.contains("drop index i1"));
        done(home.migrator().rollback(&options, &quiet, Stop::new()).await);
        assert!(indexes(&home).is_empty());

        // Without a difference there is nothing to show.
        let options = from_file(Selection::Steps(1), Some(home.database()));
        assert!(home.migrator().rollback_differences(&options).await.unwrap().is_empty());
        home.folder.remove("migrations/001_t.sql");
        failed(
            &home.migrator().rollback(&options, &quiet, Stop::new()).await,
            1,
            &["LIM-P013", "no file holds a way back for 1 (t)"],
        );
        done(home.rollback(Selection::Steps(1)).await);
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn what_has_no_way_back_says_so_and_a_file_may_bring_one() {
    for home in homes() {
        home.file("001_t.sql", "create table t (id int);");
        home.file("002_i.sql", &harmless("i1", "t"));
        done(home.migrate().await);
        failed(
            &home.rollback(Selection::Steps(2)).await,
            1,
            &["LIM-P014", "1 (t) was applied without a way back", "--use-file"],
        );
        assert_eq!(indexes(&home), ["i1"]);
        home.file("001_t.rollback.sql", "drop table t;");
        let options = from_file(Selection::Steps(2), Some(home.database()));
        assert_eq!(home.migrator().rollback_differences(&options).await.unwrap().len(), 1);
        done(home.migrator().rollback(&options, &quiet, Stop::new()).await);
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn losing_data_needs_the_name_of_the_database() {
    for home in homes() {
        home.file("001_t.sql", &losing("t"));
        home.file("002_i.sql", &harmless("i1", "t"));
        done(home.migrate().await);
        home.execute("insert into t values (1)");
        let database = home.database();
        let migrator = home.migrator();
        let all = || Selection::Steps(2);
        failed(
            &back(&migrator, all(), None).await,
            4,
            &["LIM-P016", "table t (001)", &format!("--allow-data-loss {database}")],
        );
        for wrong in ["", "yes", "other", "TEST", &format!("{database} ")] {
            failed(&back(&migrator, all(), Some(wrong)).await, 4, &["LIM-P016", &format!("(you named '{wrong}')")]);
        }
        let protected = home.with(|it| {
            it.protected = true;
            it.environment = Some("production".to_owned());
        });
        failed(
            &back(&protected, all(), Some(&database)).await,
            4,
            &["LIM-P015", "protected environment production", "table t"],
        );
        assert_eq!((indexes(&home).len(), home.count("select count(*) from t")), (1, 1));
        // A plan may be looked at without consent, even there.
        let options = RollbackOptions { selection: all(), use_file: false, consent: None, backup: false };
        let plan = migrator.plan_rollback(&options).await.unwrap();
        assert_eq!((plan.direction, plan.steps.len()), ("revert", 2));
        assert_eq!(plan.steps[1].losses, ["table t"]);
        // What loses nothing may go back, even there.
        assert_eq!(labels(&done(back(&protected, Selection::Steps(1), None).await)), ["002"]);
        done(back(&migrator, all(), Some(&database)).await);
        assert!(home.tables().is_empty());
    }
}

#[tokio::test]
async fn a_rollback_that_fails_in_the_middle_leaves_everything() {
    for home in homes() {
        home.file("001_t.sql", &losing("t"));
        home.file("002_u.sql", "create table u (id int);\n-- limosa:rollback\ndrop table u;\ndrop table nowhere;\n");
        home.file("003_i.sql", &harmless("i1", "t"));
        done(home.migrate().await);
        let answer = home.rollback(Selection::Steps(3)).await;
        let text = failed(&answer, 3, &["nowhere", "statement 2 of 2"]);
        assert!(text.contains("recorded rollback of 2"), "{text}");
        // The step before the failed one stands: each has its own transaction.
        assert_eq!(labels(&answer.unwrap()), ["003"]);
        assert_eq!(home.tables(), ["t", "u"]);
        assert!(indexes(&home).is_empty());
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
        let history = home.migrator().history(1).await.unwrap();
        assert_eq!(
            (history.operations[0].operation.as_str(), history.operations[0].outcome.as_str()),
            ("revert", "failed")
        );

        done(home.migrate().await);
        let single = home.with(|it| it.single_transaction = true);
        failed(&back(&single, Selection::Steps(3), Some(&home.database())).await, 3, &["nowhere"]);
        assert_eq!((indexes(&home).len(), home.ledger().len()), (1, 3));
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

/// Migrates with auto-rollback; gives the answer and the notes.
async fn automatic(migrator: &Migrator) -> (limosa::report::RunAnswer, Vec<String>) {
    let notes = std::sync::Mutex::new(Vec::new());
    let listener = |progress| {
        if let Progress::Note(line) = progress {
            notes.lock().unwrap().push(line);
        }
    };
    let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
    let result = migrator.migrate(&options, &listener, Stop::new()).await;
    let text = said(&result).1;
    (result.unwrap_or_else(|_| panic!("{text}")), notes.into_inner().unwrap())
}

#[tokio::test]
async fn an_automatic_rollback_takes_back_exactly_this_run() {
    for home in homes() {
        home.file("001_t.sql", &losing("t"));
        done(home.migrate().await);
        home.file("002_u.sql", &losing("u"));
        home.file("003_v.sql", &losing("v"));
        home.file("004_w.sql", "create table w (id int);\ninsert into nowhere values (1);\n");
        let (answer, notes) = automatic(&home.migrator()).await;
        assert_eq!((answer.exit_code, answer.outcome), (3, "stopped"));
        assert!(answer.error.as_ref().unwrap().message.contains("nowhere"));
        assert_eq!(notes, ["004 w has no way back; if a later step fails, it stays"]);
        let taken: Vec<&str> = answer.taken_back.iter().map(|step| step.version.as_str()).collect();
        assert_eq!(taken, ["003", "002"]);
        assert!(answer.notices.is_empty(), "{:?}", answer.notices);
        assert_eq!((home.tables(), home.ledger()), (vec!["t".to_owned()], vec!["1|applied".to_owned()]));
        let verified = home.migrator().audit_verify(&answer.audit_head.into_iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(verified.exit_code, 0);

        // Mended, all of it goes through.
        home.file("004_w.sql", &losing("w"));
        let (answer, notes) = automatic(&home.migrator()).await;
        assert_eq!((answer.exit_code, answer.taken_back.len(), notes.len()), (0, 0, 0));
        assert_eq!(home.tables(), ["t", "u", "v", "w"]);
    }
}

#[tokio::test]
async fn an_automatic_rollback_says_what_stays() {
    for home in all_homes() {
        home.file("001_a.sql", &losing("a"));
        home.file("002_b.sql", "create table b (id int);");
        home.file("003_c.sql", &losing("c"));
        home.file("004_d.sql", "insert into nowhere values (1);");
        let (answer, notes) = automatic(&home.migrator()).await;
        assert_eq!(answer.exit_code, 3);
        assert!(notes.contains(&"002 b has no way back; if a later step fails, it stays".to_owned()), "{notes:?}");
        let taken: Vec<&str> = answer.taken_back.iter().map(|step| step.version.as_str()).collect();
        assert_eq!(taken, ["003"]);
        assert_eq!(home.tables(), ["a", "b"]);
        let notice = &answer.notices[0];
        assert_eq!(notice.code, "LIM-U006");
        assert_eq!(notice.message, "002 b stood before or has no way back, so this run leaves applied: 001 a, 002 b");

        let protected = home.with(|it| it.protected = true);
        let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
        failed(&protected.migrate(&options, &quiet, Stop::new()).await, 4, &["LIM-U002"]);
    }
}

#[tokio::test]
async fn an_automatic_rollback_leaves_what_half_a_change_stands_on() {
    for home in homes() {
        home.file("001_a.sql", &losing("a"));
        home.file(
            "002_b.sql",
            "-- Transaction: none\ncreate table b (id int);\ninsert into nowhere values (1);\n-- limosa:rollback\ndrop table b;\n",
        );
        let (answer, notes) = automatic(&home.migrator()).await;
        assert_eq!(answer.exit_code, 3);
        assert_eq!(notes, ["002 b does not run in one transaction; if it stops half-way, nothing is taken back"]);
        assert_eq!((answer.taken_back.len(), answer.notices[0].code), (0, "LIM-U005"));
        assert_eq!(home.ledger(), ["1|applied", "2|partial"]);
        assert_eq!(home.tables(), ["a", "b"]);
        // The way out that the notice names.
        home.file(
            "002_b.sql",
            "-- Transaction: none\ncreate table b (id int);\nselect 1;\n-- limosa:rollback\ndrop table b;\n",
        );
        assert_eq!(labels(&done(home.migrate().await)), ["002"]);
        done(home.rollback(Selection::Steps(2)).await);
        assert!(home.tables().is_empty());
    }
}

const SECRET: &str = "canary-7f3a9";

fn with_values(home: &Home, values: &[(&str, &str)]) -> Migrator {
    home.with(|it: &mut Configuration| {
        it.values.all = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        it.values.secret = [String::from("password")].into();
    })
}

/// Everything that the database holds of limosa's.
fn whole_ledger(home: &Home) -> String {
    ["schema_migrations", "audit_log", "application_metadata", "journal", "lease"]
        .iter()
        .flat_map(|table| home.rows(&format!("select * from {}", home.table(table))))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn ways_back_use_the_values_of_then_and_the_secrets_of_now() {
    for home in all_homes() {
        home.file(
            "001_a.sql",
            "create table ${name} (id int, word text default '${password}');\n\
             -- limosa:rollback\n\
             create table removed as select '${name}' as was, '${password}' as word;\ndrop table ${name};\n",
        );
        done(migrate(&with_values(&home, &[("name", "first"), ("password", SECRET)])).await);
        assert_eq!(home.tables(), ["first"]);
        let ledger = whole_ledger(&home);
        assert!(!ledger.contains(SECRET), "{ledger}");
        assert!(ledger.contains("${password}") && ledger.contains("first"));

        let later = [("name", "second"), ("password", "another")];
        let consent = home.database();
        let nothing = with_values(&home, &[]);
        failed(
            &back(&nothing, Selection::Steps(1), Some(&consent)).await,
            2,
            &["LIM-R012", "${password}", "has no value"],
        );
        assert_eq!(home.tables(), ["first"]);
        done(back(&with_values(&home, &later), Selection::Steps(1), Some(&consent)).await);
        assert_eq!(home.tables(), ["removed"]);
        assert_eq!(home.rows("select was, word from removed"), ["first|another"]);
        assert!(!whole_ledger(&home).contains(SECRET));
    }
}

#[tokio::test]
async fn a_way_back_whose_placeholders_are_off_stays_as_written() {
    for home in all_homes() {
        home.file(
            "001_a.sql",
            "-- Placeholders: off\ncreate table a (word text default '${not}');\n\
             -- limosa:rollback\ncreate table removed as select '${not}' as word;\ndrop table a;\n",
        );
        done(home.migrate().await);
        // The header is gone with the file; the ledger remembers.
        home.folder.remove("migrations/001_a.sql");
        done(home.rollback(Selection::Steps(1)).await);
        assert_eq!(home.rows("select word from removed"), ["${not}"]);
    }
}

#[tokio::test]
async fn a_secret_is_in_no_error_and_no_record_of_one() {
    for home in homes() {
        let migrator = with_values(&home, &[("password", SECRET)]);
        let texts = match home.is_sqlite() {
            true => vec![
                "create table a (id int unique); insert into a values (1); insert into ${password} values (1);"
                    .to_owned(),
                "select \"${password}\" from sqlite_schema;".to_owned(),
            ],
            false => vec![
                "insert into ${password:identifier} values (1);".to_owned(),
                "select '${password}'::int;".to_owned(),
                "create table a (word text unique); insert into a values ('${password}'), ('${password}');".to_owned(),
                "do $$ begin raise exception 'no %', '${password}' using hint = '${password}'; end $$;".to_owned(),
                "do $$ begin raise notice 'see %', '${password}'; raise exception 'no'; end $$;".to_owned(),
            ],
        };
        for text in texts {
            home.file("001_a.sql", &text);
            let heard = std::sync::Mutex::new(String::new());
            let listener = |progress: Progress| heard.lock().unwrap().push_str(&format!("{progress:?}"));
            let result = migrator.migrate(&MigrateOptions::default(), &listener, Stop::new()).await;
            let answer = result.unwrap();
            assert_eq!(answer.exit_code, 3, "{text}");
            let shown = format!("{answer:?}");
            assert!(!shown.contains(SECRET), "{text}: {shown}");
            let heard = heard.into_inner().unwrap();
            assert!(!heard.contains(SECRET), "{text}: {heard}");
            assert!(!whole_ledger(&home).contains(SECRET), "{text}");
            let plan = migrator.plan(&MigrateOptions::default()).await.unwrap();
            assert!(!format!("{plan:?}").contains(SECRET), "{text}");
            assert!(!migrator.plan_script(&MigrateOptions::default()).await.unwrap().contains(SECRET), "{text}");
        }
    }
}

#[tokio::test]
async fn targets_of_a_repeated_way_there_and_back() {
    for home in homes() {
        five(&home).await;
        for _ in 0..3 {
            done(home.rollback(Selection::To(version("0"))).await);
            assert!(home.tables().is_empty() && home.ledger().is_empty());
            assert_eq!(labels(&done(home.migrate_with(&to("2")).await)), ["001", "002"]);
            assert_eq!(labels(&done(home.migrate_with(&steps(9)).await)), ["003", "004", "005"]);
        }
        let verified = home.migrator().audit_verify(&[]).await.unwrap();
        assert_eq!(verified.exit_code, 0);
        assert_eq!(verified.checks[0].seen, "35");
    }
}

/// Whether a way back of a section runs within a transaction, and with which time-outs, as its statements find it.
const HOW: &str = "insert into how select case when txid_current_if_assigned() is null then 'alone' else 'inside' end \
                   || ' ' || current_setting('lock_timeout') || ' ' || current_setting('statement_timeout');\n";

#[tokio::test]
async fn a_section_without_a_transaction_drops_an_index_concurrently() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.execute("create table how (what text)");
        home.file("001_t.sql", "create table t (id int);");
        home.file(
            "002_i.sql",
            &format!(
                "-- Lock-timeout: 7s\n-- Statement-timeout: 90s\ncreate index i1 on t (id);\n-- limosa:rollback\n\
                 -- Transaction: none\n-- Lock-timeout: 11s\ninsert into how values ('first');\n{HOW}drop index concurrently i1;\n{HOW}"
            ),
        );
        done(home.migrate().await);
        // What was recorded counts: the file is gone.
        home.folder.remove("migrations/002_i.sql");
        done(home.back(Selection::Steps(1)).await);
        assert!(indexes(&home).is_empty());
        assert_eq!(home.rows("select what from how"), ["first", "alone 11s 0", "alone 11s 0"]);

        // Without the header the statements around it share a transaction; the migration's own time-outs hold.
        home.execute("truncate how");
        home.file(
            "002_i.sql",
            &format!(
                "-- Lock-timeout: 7s\n-- Statement-timeout: 90s\ncreate index i1 on t (id);\n-- limosa:rollback\n\
                 insert into how values ('first');\n{HOW}drop index concurrently i1;\n{HOW}"
            ),
        );
        done(home.migrate().await);
        done(home.back(Selection::Steps(1)).await);
        assert_eq!(home.rows("select what from how")[..2], ["first", "inside 7s 90s"]);
        assert!(indexes(&home).is_empty());
    }
}

/// What a baseline records of a way back is what a migrate records.
#[tokio::test]
async fn a_baseline_records_how_a_way_back_wants_to_be_run() {
    for home in all_homes() {
        home.file(
            "001_t.sql",
            "-- Placeholders: off\ncreate table t (id int);\n-- limosa:rollback\n-- Transaction: none\n-- Lock-timeout: 2s\n\
             -- Statement-timeout: 0\nselect 1;\ndrop table t;\n",
        );
        let origin = format!("select rollback_sql, rollback_origin from {}", home.table("schema_migrations"));
        done(home.migrate().await);
        let migrated = home.rows(&origin);
        for key in ["\"lock_timeout_ms\":2000", "\"statement_timeout_ms\":0", "\"transaction\":\"none\""] {
            assert!(migrated[0].replace(": ", ":").contains(key), "{migrated:?}");
        }
        home.execute(&format!("delete from {}", home.table("schema_migrations")));
        home.migrator().baseline(&version("1"), false, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(home.rows(&origin), migrated);
    }
}
