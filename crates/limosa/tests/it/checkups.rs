//! The looks that applications, monitors and administrators take: ready, health, doctor, and the script for the rights.

use limosa::{Migrator, Repair, Secret, Selection, State, StatusOptions, ledger_script};
use limosa_testkit::postgres;

use crate::answers::{back, done, failed, findings, id, labels, migrate, quiet, refusal, steps, version};
use crate::place::{Place, all_homes, homes, newest_postgres};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

#[tokio::test]
async fn ready_answers_for_applications_that_start() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        home.file("9_b.sql", &table("b"));
        home.file("010_c.sql", "-- Transaction: none\ncreate table c (id int);\nselect * from nowhere;\n");
        if home.is_sqlite() {
            refusal(home.migrator().ready(None).await, 3, &["does not exist"]);
            home.execute("create table users_own (n int)");
        }
        let ready = async |at_least: Option<&str>| {
            let at_least = at_least.map(version);
            let answer = home.migrator().ready(at_least.as_ref()).await.unwrap();
            (answer.exit_code, answer.ok, answer.reason.unwrap_or_default(), answer.version.unwrap_or_default())
        };
        let no = |reason: &str, at: &str| (1, false, reason.to_owned(), at.to_owned());
        assert_eq!(ready(None).await, no("no migration was ever run here", ""));
        // A first run that came to nothing, or has not come to anything yet, makes nobody ready.
        home.file("001_a.sql", "select * from nowhere;\n");
        failed(&home.migrate().await, 3, &["nowhere"]);
        assert_eq!(ready(None).await, no("no migration is applied", ""));
        home.file("001_a.sql", &table("a"));
        done(home.migrate_with(&steps(2)).await);
        assert_eq!(ready(None).await, (0, true, String::new(), "9".to_owned()));
        for below in ["0", "1", "09", "9"] {
            assert!(ready(Some(below)).await.1, "{below}");
        }
        for above in ["9.1", "10", "20240101000000"] {
            let wanted = format!("the database is at version 9, {above} is needed");
            assert_eq!(ready(Some(above)).await, no(&wanted, "9"));
        }
        // Files do not matter to it.
        home.file("001_a.sql", "broken '");
        assert!(ready(Some("9")).await.1);
        home.file("001_a.sql", &table("a"));
        failed(&home.migrate().await, 3, &["nowhere"]);
        assert_eq!(ready(Some("9")).await, no("10 (c) is half done", "9"));
    }
}

#[tokio::test]
async fn health_is_an_answer_whatever_happens() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        home.file("002_b.sql", &table("b"));
        let well = home.migrator().health().await;
        assert_eq!((well.exit_code, well.ok, well.pending, well.troubled), (0, true, Some(1), Some(0)));
        assert_eq!(well.version.as_deref(), Some("1"));
        home.file("001_a.sql", &table("other"));
        let changed = home.migrator().health().await;
        assert_eq!((changed.exit_code, changed.ok, changed.troubled), (1, false, Some(1)));
        assert!(changed.reason.unwrap().contains("1 is changed"));

        let nowhere = if home.is_sqlite() {
            format!("sqlite:{}", home.folder.join("no/such/folder.db").display())
        } else {
            format!("postgres://postgres@127.0.0.1:{}/x", limosa_testkit::free_port().unwrap())
        };
        let unreachable = home.with(|it| it.database = Secret::new(nowhere)).health().await;
        assert_eq!((unreachable.exit_code, unreachable.ok, unreachable.target.is_none()), (3, false, true));
        assert!(unreachable.reason.is_some());
        let broken = home.with(|it| it.directories = vec![home.folder.join("nowhere")]).health().await;
        assert_eq!((broken.exit_code, broken.ok), (2, false));
    }
}

async fn doctor(migrator: &Migrator) -> (u8, String, Vec<String>) {
    let answer = migrator.doctor().await.unwrap();
    let lines = answer.checks.iter().map(|line| format!("{} {}: {}", line.result, line.name, line.seen)).collect();
    (answer.exit_code, findings(&answer), lines)
}

#[tokio::test]
async fn doctor_finds_nothing_where_all_is_well() {
    for home in all_homes() {
        home.file("001_a.sql", &table("a"));
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!((exit, text.as_str()), (0, ""), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("note ledger: not made yet")), "{lines:?}");
        done(home.migrate().await);
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!((exit, text.as_str()), (0, ""), "{lines:?}");
        assert!(
            lines.contains(&"ok lock: free".to_owned()) && lines.contains(&"ok files: 1 changes read".to_owned()),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn doctor_finds_what_was_planted() {
    for home in homes() {
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        if home.is_sqlite() {
            home.execute(
                "pragma foreign_keys = off; create table p (id integer primary key); \
                 create table c (p int references p (id)); insert into c values (7);",
            );
            let (exit, text, _) = doctor(&home.migrator()).await;
            assert!(exit == 0 && text.contains("rows of c point nowhere"), "{text}");
        } else {
            home.execute("insert into a values (1), (1)");
            let Place::Postgres(database) = &home.place else { unreachable!() };
            let session = database.session().unwrap();
            assert!(session.execute("create unique index concurrently broken on a (id)").is_err());
            let (exit, text, _) = doctor(&home.migrator()).await;
            assert!(exit == 0 && text.contains("invalid indexes: broken"), "{text}");
        }
        home.file("002_b.sql", "-- Requires-extension: no_such_extension\nselect 1;");
        home.file("003_c.sql", "select 'open");
        let (exit, text, lines) = doctor(&home.migrator()).await;
        assert_eq!(exit, 1);
        assert!(text.contains("extension no_such_extension is not available"), "{text}");
        assert!(text.contains("files: 1 errors") && text.contains("limosa validate"), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("error files")), "{lines:?}");
        home.folder.remove("migrations/003_c.sql");
        home.file("004_d.sql", "-- Transaction: none\ncreate table d (id int);\nselect * from nowhere;\n");
        failed(&home.migrate().await, 3, &["nowhere"]);
        let (_, text, _) = doctor(&home.migrator()).await;
        assert!(text.contains("interrupted: 4") && text.contains("limosa repair"), "{text}");
    }
}

#[tokio::test]
async fn doctor_says_which_rights_are_missing_and_the_script_gives_them() {
    for home in all_homes() {
        let Place::Postgres(database) = &home.place else { continue };
        let role = format!("runner_of_{}", database.name());
        home.execute(&format!(
            "create role {role} login password 'x'; revoke create on schema public from public; \
             create schema app authorization {role}; alter role {role} set search_path = app"
        ));
        let runner = home.with(|it| {
            it.database = Secret::new(database.url_for(&role, "x"));
            it.role = None;
        });
        home.file("001_a.sql", &table("app.a"));
        home.file("002_b.sql", "create index concurrently i on app.a (id);\n-- limosa:rollback\ndrop index app.i;\n");
        let (exit, text, lines) = doctor(&runner).await;
        assert_eq!(exit, 1);
        assert!(
            text.contains("the ledger does not stand and cannot be made") && text.contains("--print-ledger-sql"),
            "{text}"
        );
        assert!(lines.iter().any(|line| line.contains(&format!("GRANT pg_read_all_stats TO \"{role}\""))), "{lines:?}");
        failed(&migrate(&runner).await, 3, &["permission denied", "--print-ledger-sql"]);

        // The rights are for whom the address names, and nothing stays of a script that fails.
        let script = ledger_script(runner.configuration(), None).unwrap();
        let without = ledger_script(runner.configuration(), Some(limosa::Engine::Postgres)).unwrap();
        assert_eq!(script, without);
        assert!(database.session().unwrap().execute(&script.replace(&role, "nobody_there")).is_err());
        home.execute(&script);
        let (exit, text, _) = doctor(&runner).await;
        assert_eq!(exit, 0, "{text}");
        assert_eq!(labels(&done(migrate(&runner).await)), ["001", "002"]);
        done(back(&runner, Selection::Steps(1), Some(database.name())).await);
        runner.repair(&limosa::Repair::MarkApplied(id("2")), false, &quiet, limosa::Stop::new()).await.unwrap();
        assert_eq!(runner.audit_verify(&[]).await.unwrap().exit_code, 0);
        // The log can be appended to, and nothing else.
        let Err(error) = (database_as(database, &role)).execute("update limosa.audit_log set actor = 'eve'") else {
            panic!("the audit log can be changed");
        };
        assert!(error.to_string().contains("permission denied"), "{error}");

        home.execute(&format!("revoke insert on all tables in schema limosa from {role}"));
        let (exit, text, _) = doctor(&runner).await;
        assert!(exit == 1 && text.contains("the ledger stands but cannot be written"), "{text}");
        home.execute(&format!(
            "grant insert on all tables in schema limosa to {role}; revoke update on limosa.lease from {role}"
        ));
        let (exit, text, _) = doctor(&runner).await;
        assert!(exit == 1 && text.contains("the ledger stands but cannot be written"), "{text}");
        // What may not even be looked at ends no examination.
        home.execute(&format!("revoke usage on schema limosa from {role}"));
        let (exit, text, lines) = doctor(&runner).await;
        assert!(exit == 1 && text.contains("permission denied for schema limosa"), "{text}");
        assert!(lines.iter().any(|line| line.contains("changes read")), "{lines:?}");
    }
}

/// A session of another role.
fn database_as(database: &limosa_testkit::TestDatabase, role: &str) -> postgres::Session {
    let session = database.session().unwrap();
    session.execute(&format!("set role {role}")).unwrap();
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_runner_is_at_is_not_half_done() {
    let home = newest_postgres();
    home.file("001_a.sql", &table("a"));
    home.file("002_b.sql", "-- Transaction: none\nselect pg_sleep(600);\n");
    let run = home.start();
    home.backend_running("select pg_sleep");
    let ready = async |at_least: Option<&str>| {
        let at_least = at_least.map(version);
        home.migrator().ready(at_least.as_ref()).await.unwrap().reason
    };
    assert_eq!(ready(Some("1")).await, None);
    assert_eq!(ready(Some("2")).await.as_deref(), Some("the database is at version 1, 2 is needed"));
    assert_eq!(ready(None).await.as_deref(), Some("2 (b) is being run"));
    let health = home.migrator().health().await;
    assert_eq!((health.exit_code, health.reason, health.pending), (0, None, Some(1)));
    let valid = home.migrator().validate().await.unwrap();
    assert_eq!((valid.exit_code, findings(&valid).as_str()), (0, ""));
    let (exit, text, lines) = doctor(&home.migrator()).await;
    assert!(exit == 0 && text.is_empty(), "{text}");
    assert!(lines.contains(&"note running: 2".to_owned()), "{lines:?}");
    let looked = home.repair(Repair::Explain).await.unwrap();
    assert!(looked.would.len() == 1 && looked.would[0].contains("is at it now"), "{:?}", looked.would);
    run.stop.ask();
    failed(&run.end().await, 3, &["LIM-R005"]);
    assert_eq!(ready(Some("1")).await, None, "its one statement was cancelled");
}

#[tokio::test]
async fn what_failed_with_its_first_statement_left_nothing_half_done() {
    let home = newest_postgres();
    home.file("001_a.sql", &table("a"));
    home.file("002_b.sql", "-- Transaction: none\ncreate table a (id int);\nselect 1;\n");
    failed(&home.migrate().await, 3, &["already exists"]);
    assert_eq!(home.migrator().ready(None).await.unwrap().reason, None);
    let reason = home.migrator().health().await.reason.unwrap();
    assert!(reason.starts_with("2 is failed: ") && reason.contains("already exists"), "{reason}");
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    assert_eq!(status.changes[1].state, State::Failed);
    assert_eq!(home.migrator().validate().await.unwrap().exit_code, 0);
    home.file("002_b.sql", "-- Transaction: none\ncreate table b (id int);\nselect * from nowhere;\n");
    failed(&home.migrate().await, 3, &["nowhere"]);
    assert_eq!(home.migrator().ready(None).await.unwrap().reason.as_deref(), Some("2 (b) is half done"));
}

#[tokio::test]
async fn a_database_that_somebody_else_has_made_meanwhile_serves_as_well() {
    for home in all_homes() {
        home.migrator().create_database().await.unwrap();
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
    }
}
