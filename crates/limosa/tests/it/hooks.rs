//! Callbacks that an embedding application brings as code.

use limosa::{CallbackEvent, Embedded, Migrator, RustCallback};

use crate::answers::{done, failed, labels, migrate};
use crate::place::{Home, all_homes, sqlite};

static FILES: [(&str, &str); 2] =
    [("001_told.sql", "create table told (n int);"), ("002_more.sql", "insert into told values (2);")];

/// Writes a number where the table is there, once per call.
fn tells(event: CallbackEvent, number: i64) -> RustCallback {
    RustCallback::from_fn(event, format!("number {number}"), move |mut connection| {
        Box::pin(async move {
            connection.execute(&format!("insert into told values ({number})")).await?;
            Ok(())
        })
    })
}

fn with(home: &Home, files: &'static [(&'static str, &'static str)], hooks: Vec<RustCallback>) -> Migrator {
    home.with(|it| {
        it.embedded = Some(Embedded::new(files.iter().copied()));
        it.hooks = hooks;
    })
}

fn told(home: &Home) -> Vec<String> {
    home.rows("select n from told order by n")
}

#[tokio::test]
async fn each_runs_at_its_event_and_is_audited() {
    for home in all_homes() {
        done(migrate(&with(&home, &FILES[..1], Vec::new())).await);
        let hooks = || {
            vec![
                tells(CallbackEvent::AfterMigrateError, 60),
                tells(CallbackEvent::AfterMigrate, 50),
                tells(CallbackEvent::AfterMigrateApplied, 40),
                tells(CallbackEvent::AfterEachMigrate, 30),
                tells(CallbackEvent::BeforeEachMigrate, 20),
                tells(CallbackEvent::BeforeMigrate, 10),
            ]
        };
        let migrator = with(&home, &FILES, hooks());
        assert_eq!(labels(&done(migrate(&migrator).await)), ["002"]);
        assert_eq!(told(&home), ["2", "10", "20", "30", "40", "50"]);
        let log = home.table("audit_log");
        let audited = format!("select identity from {log} where identity like 'callback:%' order by sequence");
        assert_eq!(
            home.rows(&audited),
            [
                "callback:beforeMigrate:number 10",
                "callback:beforeEachMigrate:number 20",
                "callback:afterEachMigrate:number 30",
                "callback:afterMigrateApplied:number 40",
                "callback:afterMigrate:number 50",
            ]
        );
        // With nothing to do the first and the last of them run.
        assert!(labels(&done(migrate(&migrator).await)).is_empty());
        assert_eq!(told(&home), ["2", "10", "10", "20", "30", "40", "50", "50"]);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn one_that_fails_stops_the_run_and_leaves_nothing() {
    for home in all_homes() {
        done(migrate(&with(&home, &FILES[..1], Vec::new())).await);
        let breaks = |event, panics: bool| {
            RustCallback::from_fn(event, "breaks", move |mut connection| {
                Box::pin(async move {
                    connection.execute("insert into told values (99)").await?;
                    assert!(!panics, "out of ideas");
                    Err("no luck today".into())
                })
            })
        };
        let hooks = vec![breaks(CallbackEvent::BeforeMigrate, false), tells(CallbackEvent::AfterMigrateError, 60)];
        let result = migrate(&with(&home, &FILES, hooks)).await;
        failed(&result, 3, &["LIM-R015", "code beforeMigrate breaks: no luck today", "no migration was begun"]);
        assert!(told(&home).is_empty());

        let result = migrate(&with(&home, &FILES, vec![breaks(CallbackEvent::AfterEachMigrate, true)])).await;
        failed(&result, 3, &["it panicked: out of ideas", "the migration is applied, and stands"]);
        assert_eq!(told(&home), ["2"]);
        let log = home.table("audit_log");
        let failures = format!("select identity from {log} where outcome = 'failed' order by sequence");
        assert_eq!(home.rows(&failures), ["callback:beforeMigrate:breaks", "callback:afterEachMigrate:breaks"]);
    }
}

#[tokio::test]
async fn a_failed_migration_calls_for_help() {
    static BROKEN: [(&str, &str); 2] =
        [("001_told.sql", "create table told (n int);"), ("002_broken.sql", "insert into nowhere values (1);")];
    for home in all_homes() {
        let hooks = vec![tells(CallbackEvent::AfterMigrateError, 60), tells(CallbackEvent::AfterMigrate, 50)];
        failed(&migrate(&with(&home, &BROKEN, hooks)).await, 3, &["nowhere"]);
        assert_eq!(told(&home), ["60"]);
    }
}

#[tokio::test]
async fn two_of_one_event_need_two_names() {
    let home = sqlite();
    let hook = || tells(CallbackEvent::AfterMigrate, 1);
    let refused =
        Migrator::builder(home.url()).embedded(Embedded::new(FILES.iter().copied())).hook(hook()).hook(hook()).build();
    let Err(failure) = refused else { panic!("it was built") };
    assert!(
        failure.to_string().contains("two callbacks in Rust for afterMigrate have the name \"number 1\""),
        "{failure}"
    );
}
