//! The states that changes go through: order, lateness, what does not apply, what changed, what counts as applied.

use limosa::{Migrator, OutOfOrder, Repair, Selection, State, StatusOptions};

use crate::answers::{done, failed, findings, id, labels, migrate, quiet, refusal, states, steps, to, version};
use crate::place::{Home, all_homes, homes};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

#[tokio::test]
async fn versions_order_as_numbers_whatever_their_width() {
    for home in all_homes() {
        for (file, name) in [
            ("10_j.sql", "j"),
            ("2_b.sql", "b"),
            ("001_a.sql", "a"),
            ("0003_c.sql", "c"),
            ("20240131120000_t.sql", "t"),
            ("1.5_ab.sql", "ab"),
        ] {
            home.file(file, &table(name));
        }
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["001", "1.5", "2", "0003", "10", "20240131120000"]);
        // A gap may be filled behind the newest only.
        home.file("20240201000000_u.sql", &table("u"));
        assert_eq!(labels(&done(home.migrate().await)), ["20240201000000"]);
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
    }
}

#[tokio::test]
async fn what_comes_late_is_refused_warned_of_or_run() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("003_c.sql", &table("c"));
        done(home.migrate().await);
        home.file("002_b.sql", &table("b"));
        home.file("004_d.sql", &table("d"));

        failed(
            &home.migrate().await,
            1,
            &["LIM-P005", "002_b.sql comes late: version 3 was applied before it", "--out-of-order"],
        );
        assert_eq!(home.tables(), ["a", "c"]);
        assert_eq!(home.states().await, ["1 applied", "2 out of order", "3 applied", "4 pending"]);
        let found = home.migrator().validate().await.unwrap();
        assert_eq!(found.exit_code, 1);
        assert!(findings(&found).contains("LIM-P005"));

        let warning = home.with(|it| it.out_of_order = OutOfOrder::Warn);
        assert_eq!(warning.validate().await.unwrap().exit_code, 0);
        assert!(findings(&warning.validate().await.unwrap()).contains("002_b.sql comes late"));
        let answer = done(warning.migrate(&steps(1), &quiet, limosa::Stop::new()).await);
        assert_eq!(labels(&answer), ["002"]);
        assert_eq!(answer.notices.len(), 1);

        home.file("0035_late.sql", "select 1;");
        home.file("003.5_late.sql", "select 1;");
        let allowing = home.with(|it| it.out_of_order = OutOfOrder::Allow);
        assert!(allowing.validate().await.unwrap().findings.is_empty());
        let answer = done(migrate(&allowing).await);
        assert_eq!((labels(&answer), answer.notices.len()), (vec!["003.5", "004", "0035"], 0));
        assert_eq!(home.ledger().len(), 6);
    }
}

#[tokio::test]
async fn what_does_not_apply_says_why_and_runs_when_it_does() {
    for home in all_homes() {
        let (other, here) = match () {
            () if home.is_sqlite() => ("postgres", "sqlite"),
            () if home.is_mysql() => ("sqlite", "mysql"),
            () => ("sqlite", "postgres"),
        };
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &format!("-- Environments: production\n{}", table("b")));
        home.file("003_c.sql", &format!("-- Engines: {other}\nthis is no SQL of ours;\n"));
        home.file("004_d.sql", &format!("-- Engines: {here}\n{}", table("d")));
        home.file("005_e.sql", &format!("-- Requires-extension: no_such_extension\n{}", table("e")));
        let staging = home.with(|it| it.environment = Some("staging".to_owned()));
        assert_eq!(labels(&done(migrate(&staging).await)), ["001", "004"]);

        let status = staging.status(StatusOptions::default()).await.unwrap();
        let reason = |at: usize| {
            assert_eq!(status.changes[at].state, State::NotApplicable);
            status.changes[at].reason.clone().unwrap()
        };
        assert_eq!(reason(1), "for environment production only, this is staging");
        assert!(reason(2).ends_with(" only"), "{}", reason(2));
        assert_eq!(reason(4), "extension no_such_extension is not available on this server");
        assert_eq!((status.pending, status.applied), (0, 2));
        assert_eq!(staging.validate().await.unwrap().exit_code, 0);
        assert_eq!(done(migrate(&staging).await).outcome, "nothing_to_do");

        // Later it applies, and later versions were run: it is not late.
        let production = home.with(|it| it.environment = Some("production".to_owned()));
        assert_eq!(labels(&done(migrate(&production).await)), ["002"]);
        assert_eq!(production.validate().await.unwrap().exit_code, 0);
        // What was applied stays applied where it would not apply any more.
        assert_eq!(states(&staging.status(StatusOptions::default()).await.unwrap())[1], "2 applied");
    }
}

#[tokio::test]
async fn what_comes_late_where_it_does_not_apply_is_remembered_too() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("003_c.sql", &table("c"));
        done(home.migrate().await);
        home.file("002_b.sql", &format!("-- Environments: production\n{}", table("b")));
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        let production = home.with(|it| it.environment = Some("production".to_owned()));
        assert_eq!(labels(&done(migrate(&production).await)), ["002"]);
    }
}

#[tokio::test]
async fn nothing_depends_in_silence_on_what_does_not_apply() {
    for home in all_homes() {
        home.file("001_a.sql", &format!("-- Environments: production\n{}", table("a")));
        home.file("002_b.sql", &format!("-- Depends-on: 1\n{}", table("b")));
        failed(
            &home.migrate().await,
            2,
            &[
                "LIM-P007",
                "002_b.sql depends on 1, which does not apply here: for environment production only, none is chosen",
            ],
        );
        assert!(home.tables().is_empty());
        let production = home.with(|it| it.environment = Some("production".to_owned()));
        assert_eq!(labels(&done(migrate(&production).await)), ["001", "002"]);
    }
}

#[tokio::test]
async fn dependencies_decide_the_order_and_cannot_be_cut_off() {
    for home in all_homes() {
        home.file("001_a.sql", &format!("-- Depends-on: 003_c\n{}", table("a")));
        home.file("002_b.sql", &table("b"));
        home.file("003_c.sql", &table("c"));
        home.file("R__v.sql", "-- Depends-on: R__w.sql\ndrop view if exists v; create view v as select * from w;");
        home.file("R__w.sql", "drop view if exists v; drop view if exists w; create view w as select id from a;");
        failed(&home.migrate_with(&to("2")).await, 2, &["001_a.sql depends on 3, which is not part of this run"]);
        assert_eq!(labels(&done(home.migrate_with(&steps(3)).await)), ["002", "003", "001"]);
        let answer = done(home.migrate().await);
        let order: Vec<&str> = answer.steps.iter().map(|step| step.identity.as_str()).collect();
        assert_eq!(order, ["R:w", "R:v"]);
        failed(
            &home.back(Selection::One(id("3"))).await,
            4,
            &["LIM-P012", "3 cannot be taken back: 1 (a) depends on it"],
        );
    }
}

#[tokio::test]
async fn repeatables_run_after_versions_and_again_when_they_change() {
    for home in all_homes() {
        let view = |column: &str| format!("drop view if exists v;\ncreate view v as select id as {column} from a;\n");
        home.file("R__v.sql", &view("one"));
        home.file("R__a_first.sql", "select 1;\n");
        home.file("001_a.sql", &table("a"));
        let answer = done(home.migrate().await);
        let order: Vec<&str> = answer.steps.iter().map(|step| step.identity.as_str()).collect();
        assert_eq!(order, ["1", "R:a_first", "R:v"]);
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");

        home.file("R__v.sql", &view("two"));
        home.file("002_b.sql", &table("b"));
        assert_eq!(home.states().await, ["1 applied", "2 pending", "R:a_first applied", "R:v outdated"]);
        let answer = done(home.migrate().await);
        let order: Vec<&str> = answer.steps.iter().map(|step| step.identity.as_str()).collect();
        assert_eq!(order, ["2", "R:v"]);
        assert!(home.rows("select two from v").is_empty());
        // A target leaves repeatables alone, and blanks at the end are no change.
        home.file("R__v.sql", &(view("two") + "\n\n"));
        assert_eq!(done(home.migrate_with(&to("2")).await).outcome, "nothing_to_do");
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        assert_eq!(home.count(&format!("select count(*) from {} where identity = 'R:v'", home.table("audit_log"))), 2);
    }
}

#[tokio::test]
async fn a_changed_up_part_is_an_error_and_nothing_else_is() {
    for home in all_homes() {
        let text = "create table a (id int);\ninsert into a values (1);\n";
        home.file("001_a.sql", text);
        done(home.migrate().await);
        for same in [
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            format!("{text}\n\n  \n"),
            format!("{text}\n-- limosa:rollback\ndrop table a;\n"),
        ] {
            home.file("001_a.sql", &same);
            assert_eq!(done(home.migrate().await).outcome, "nothing_to_do", "{same:?}");
            assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0, "{same:?}");
        }
        let before = home.rows(&format!("select up_checksum from {}", home.table("schema_migrations"))).remove(0);
        for other in [text.replace("(1)", "(2)"), format!("-- Purpose: explained later\n{text}")] {
            home.file("001_a.sql", &other);
            home.file("002_b.sql", &table("b"));
            let said =
                failed(&home.migrate().await, 1, &["LIM-P001", "001_a.sql was changed after it was applied", &before]);
            assert_eq!(said.matches("sha256:").count(), 2, "{said}");
            assert_eq!(home.states().await[0], "1 changed");
            let found = home.migrator().validate().await.unwrap();
            assert_eq!(found.exit_code, 1);
            assert!(findings(&found).contains("LIM-P001"));
        }
        assert_eq!(home.tables(), ["a"]);
        // The way out: accept it as it stands.
        home.repair(Repair::Accept(id("1"))).await.unwrap();
        assert_eq!(labels(&done(home.migrate().await)), ["002"]);
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_removed_applied_file_is_missing_and_stops_nothing() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        done(home.migrate().await);
        home.folder.remove("migrations/001_a.sql");
        home.file("003_c.sql", &table("c"));
        assert_eq!(home.states().await, ["2 applied", "3 pending", "1 missing"]);
        let found = home.migrator().validate().await.unwrap();
        assert_eq!(found.exit_code, 1);
        assert!(findings(&found).contains("LIM-P002 1 (a) has no file any more"), "{}", findings(&found));
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["003"]);
        assert_eq!(answer.notices[0].code, "LIM-P002");
        // Its recorded way back still works.
        done(home.rollback(Selection::One(id("1"))).await);
        assert_eq!(home.tables(), ["b", "c"]);
        assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_baseline_counts_as_applied_and_runs_nothing() {
    for home in homes() {
        home.execute("create table a (id int)");
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", "this would fail if it were run;");
        home.file("0025_p.sql", &format!("-- Environments: production\n{}", table("p")));
        home.file("003_c.sql", &table("c"));
        home.file("R__v.sql", "drop view if exists v; create view v as select id from a;");
        let migrator = home.migrator();
        refusal(
            migrator.baseline(&version("0"), false, &quiet, limosa::Stop::new()).await,
            2,
            &["LIM-U020", "no migration has a version up to 0"],
        );

        let tried = migrator.baseline(&version("2"), true, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(tried.would, ["001 a counts as applied", "002 b counts as applied"]);
        assert!(tried.done.is_empty() && !exists(&home));

        let answer = migrator.baseline(&version("25"), false, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(answer.done.len(), 4, "{:?}", answer.done);
        assert!(answer.audit_head.is_some());
        assert_eq!(home.states().await, ["1 baseline", "2 baseline", "3 baseline", "25 not applicable", "R:v pending"]);
        refusal(
            migrator.baseline(&version("1"), true, &quiet, limosa::Stop::new()).await,
            4,
            &["LIM-U021", "1 (a) is in the ledger already"],
        );
        refusal(migrator.baseline(&version("1"), false, &quiet, limosa::Stop::new()).await, 4, &["LIM-U021"]);

        done(home.migrate().await);
        assert_eq!(home.tables(), ["a"]);
        let production = home.with(|it| it.environment = Some("production".to_owned()));
        assert_eq!(labels(&done(migrate(&production).await)), ["0025"]);
        // The ways back of a baseline are known.
        home.execute("drop view v");
        done(home.rollback(Selection::One(id("1"))).await);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

/// True where the ledger stands.
fn exists(home: &Home) -> bool {
    let sql = match home.is_sqlite() {
        true => "select count(*) from sqlite_schema where name like 'limosa%'",
        false => "select count(*) from pg_namespace where nspname = 'limosa'",
    };
    home.count(sql) > 0
}

#[tokio::test]
async fn repair_explains_and_marks() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        done(home.migrate_with(&to("1")).await);
        let explained = home.repair(Repair::Explain).await.unwrap();
        assert_eq!(explained.would, ["nothing to repair: files and ledger agree"]);

        // 2 was done by hand.
        home.execute("create table b (id int)");
        let tried =
            home.migrator().repair(&Repair::MarkApplied(id("2")), true, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!((tried.would.len(), tried.done.len()), (1, 0));
        assert_eq!(home.states().await[1], "2 pending");
        home.repair(Repair::MarkApplied(id("2"))).await.unwrap();
        assert_eq!(home.states().await, ["1 applied", "2 baseline"]);
        refusal(home.repair(Repair::MarkApplied(id("2"))).await, 2, &["LIM-U030", "2 (b) is applied already"]);

        home.execute("drop table a");
        home.repair(Repair::MarkNotApplied(id("1"))).await.unwrap();
        refusal(home.repair(Repair::MarkNotApplied(id("1"))).await, 2, &["LIM-U032", "1 is not in the ledger"]);
        refusal(home.repair(Repair::MarkApplied(id("9"))).await, 2, &["LIM-U031", "no file defines 9"]);
        refusal(home.repair(Repair::Accept(id("9"))).await, 2, &["LIM-U031"]);
        refusal(home.repair(Repair::Accept(id("1"))).await, 2, &["LIM-U032"]);
        refusal(home.repair(Repair::MarkDone(id("1"), 1)).await, 2, &["LIM-U033", "no statement of 1 is in doubt"]);
        refusal(home.repair(Repair::Retry(id("1"), 1)).await, 2, &["LIM-U033"]);
        let allowing = home.with(|it| it.out_of_order = OutOfOrder::Allow);
        assert_eq!(labels(&done(migrate(&allowing).await)), ["001"]);
        home.file("002_b.sql", &table("bb"));
        home.folder.remove("migrations/001_a.sql");
        let explained = home.repair(Repair::Explain).await.unwrap().would;
        assert!(
            explained[0].starts_with("2: the file was changed") && explained[0].contains("--accept 2"),
            "{explained:?}"
        );
        assert!(explained[1].starts_with("1: applied, and its file is gone"), "{explained:?}");
        let history = home.migrator().history(100).await.unwrap();
        assert_eq!(history.operations.iter().filter(|row| row.operation == "repair").count(), 2);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn targets_and_counts() {
    for home in all_homes() {
        for (number, name) in ["a", "b", "c", "d"].iter().enumerate() {
            home.file(&format!("{}_x.sql", number + 1), &table(name));
        }
        home.file("R__r.sql", "select 1;");
        assert_eq!(labels(&done(home.migrate_with(&steps(1)).await)), ["1"]);
        assert_eq!(labels(&done(home.migrate_with(&to("3")).await)), ["2", "3"]);
        assert_eq!(done(home.migrate_with(&to("3")).await).outcome, "nothing_to_do");
        assert_eq!(done(home.migrate_with(&steps(0)).await).outcome, "nothing_to_do");
        assert_eq!(labels(&done(home.migrate().await)), ["4", "R"]);
    }
}

#[tokio::test]
async fn several_folders_are_one_history() {
    for home in all_homes() {
        home.folder.write("core/001_a.sql", table("a"));
        home.folder.write("core/deep/er/003_c.sql", table("c"));
        home.folder.write("shop/002_b.sql", format!("-- Depends-on: 001_a\n{}", table("b")));
        home.folder.write("shop/.hidden/004_no.sql", "nonsense");
        let both = home.with(|it| it.directories = vec![home.folder.join("shop"), home.folder.join("core")]);
        assert_eq!(labels(&done(migrate(&both).await)), ["001", "002", "003"]);
        home.folder.write("core/0002_again.sql", table("d"));
        failed(&migrate(&both).await, 2, &["LIM-F016", "002_b.sql", "0002_again.sql", "both have the version 2"]);
    }
}

#[tokio::test]
async fn two_projects_share_a_database() {
    for home in all_homes() {
        for (project, name) in [("shop", "a"), ("wiki", "b")] {
            home.folder.write(&format!("{project}/001_x.sql"), table(name));
        }
        let of = |project: &'static str| -> Migrator {
            home.with(|it| {
                it.project = project.to_owned();
                it.directories = vec![home.folder.join(project)];
            })
        };
        let (shop, wiki) = (of("shop"), of("wiki"));
        done(migrate(&shop).await);
        assert_eq!(states(&wiki.status(StatusOptions::default()).await.unwrap()), ["1 pending"]);
        let (one, other) = tokio::join!(migrate(&wiki), migrate(&shop));
        assert_eq!(labels(&done(one)), ["001"]);
        assert_eq!(done(other).outcome, "nothing_to_do");
        for migrator in [&shop, &wiki] {
            let status = migrator.status(StatusOptions::default()).await.unwrap();
            assert_eq!(states(&status), ["1 applied"]);
            assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
            assert_eq!(migrator.history(10).await.unwrap().operations.len(), 1);
        }
        // Nobody takes back what is another's.
        let back = crate::answers::back(&wiki, Selection::Steps(9), Some(&home.database())).await;
        assert_eq!(labels(&done(back)), ["001"]);
        assert_eq!(home.tables(), ["a"]);
        assert_eq!(states(&shop.status(StatusOptions::default()).await.unwrap()), ["1 applied"]);
    }
}

#[tokio::test]
async fn a_failed_attempt_shows_until_it_is_mended() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", "create table b (id int);\ninsert into nowhere values (1);\n");
        home.file("003_c.sql", &table("c"));
        let text = failed(&home.migrate().await, 3, &["nowhere", "statement 2 of 2, INSERT"]);
        assert!(text.contains("002_b.sql:2:"), "{text}");
        assert_eq!(home.tables(), ["a"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(states(&status), ["1 applied", "2 failed", "3 pending"]);
        assert!(status.changes[1].reason.as_ref().unwrap().contains("nowhere"), "{:?}", status.changes[1]);
        assert_eq!((status.pending, status.applied), (2, 1));
        let health = home.migrator().health().await;
        assert!(!health.ok && health.reason.unwrap().contains("2 is failed"));
        let found = home.migrator().validate().await.unwrap();
        assert_eq!(found.exit_code, 0);
        assert!(found.checks.iter().any(|check| check.name == "failed" && check.result == "warning"));

        home.file("002_b.sql", &table("b"));
        assert_eq!(labels(&done(home.migrate().await)), ["002", "003"]);
        assert_eq!(home.states().await, ["1 applied", "2 applied", "3 applied"]);
        assert!(home.migrator().health().await.ok);
    }
}

#[tokio::test]
async fn status_answers_no_only_where_asked() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        let asked = StatusOptions { fail_on_pending: true };
        assert_eq!(home.migrator().migrate(&steps(0), &quiet, limosa::Stop::new()).await.unwrap().exit_code, 0);
        done(home.migrate().await);
        assert_eq!(home.migrator().status(asked).await.unwrap().exit_code, 0);
        home.file("002_b.sql", &table("b"));
        assert_eq!(home.migrator().status(asked).await.unwrap().exit_code, 1);
        assert_eq!(home.migrator().status(StatusOptions::default()).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_plan_that_was_looked_at_is_the_one_that_runs() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &table("b"));
        for expected in [1, 2] {
            let plan = home.migrator().plan(&steps(1)).await.unwrap();
            let bound = |digest: &str| limosa::MigrateOptions { expected_plan: Some(digest.to_owned()), ..steps(1) };
            failed(
                &home.migrate_with(&bound("sha256:0123")).await,
                4,
                &["LIM-U001", "the plan has changed", &plan.digest],
            );
            let answer = done(home.migrate_with(&bound(&plan.digest)).await);
            assert_eq!(answer.plan_digest.as_deref(), Some(plan.digest.as_str()));
            assert_eq!(home.ledger().len(), expected);
            let recorded =
                home.rows(&format!("select plan_digest from {} order by rank desc", home.table("schema_migrations")));
            assert_eq!(recorded[0], plan.digest);
        }
        // The world has moved: a plan of before is void.
        home.file("003_c.sql", &table("c"));
        let plan = home.migrator().plan(&steps(1)).await.unwrap();
        home.repair(Repair::MarkNotApplied(id("2"))).await.unwrap();
        home.repair(Repair::MarkApplied(id("2"))).await.unwrap();
        let old = limosa::MigrateOptions { expected_plan: Some(plan.digest), ..steps(1) };
        failed(&home.migrate_with(&old).await, 4, &["LIM-U001"]);
    }
}
