//! The one stream of a run: what it tells on every engine, in which order, and to whom.

use std::sync::Mutex;

use limosa::{Direction, Event, Listener, MigrateOptions, Migrator, Progress, Stop};

use crate::place::{Home, all_homes, sqlite};

/// What is told, in few words; what only some engines tell is left out.
fn words(progress: &Progress) -> Option<String> {
    Some(match progress {
        Progress::Began(began) => format!("began {} {}", began.command, began.project),
        Progress::Target(_) => "target".to_owned(),
        Progress::Run(event) => match event {
            Event::LockWaited { taken, .. } => format!("lock {taken}"),
            Event::PlanStarted { steps, direction } => {
                format!("plan {steps} {}", if *direction == Direction::Apply { "up" } else { "back" })
            }
            Event::StepStarted { number, of, label, .. } => format!("step {number}/{of} {label}"),
            Event::StatementStarted { step, number, verb } => format!("start {step}.{number} {verb}"),
            Event::StatementDone { step, number, of, verb, rows, .. } => {
                format!("done {step}.{number}/{of} {verb} {}", rows.unwrap_or(0))
            }
            Event::StepDone { number, label, .. } => format!("well {number} {label}"),
            Event::StepFailed { number, label, state, statements_done, reason, .. } => {
                let code = reason.as_ref().map_or("-", |(code, _)| code);
                format!("failed {number} {label} {} {statements_done} {code}", state.as_str())
            }
            _ => return None,
        },
        Progress::Ended(ended) => {
            let code = ended.error.as_ref().map_or("-", |error| error.code);
            format!("ended {} {} {} {code}", ended.command, ended.outcome, ended.exit_code)
        }
        _ => return None,
    })
}

#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<String>>,
    deaf_to_starts: bool,
}

impl Listener for Ear {
    fn progress(&self, progress: Progress) {
        self.heard.lock().unwrap().extend(words(&progress));
    }

    fn wants_starts(&self) -> bool {
        !self.deaf_to_starts
    }
}

async fn heard(home: &Home, options: &MigrateOptions, single_transaction: bool) -> Vec<String> {
    let mut configuration = home.configuration();
    configuration.single_transaction = single_transaction;
    let ear = Ear::default();
    let _ = Migrator::new(configuration).migrate(options, &ear, Stop::new()).await;
    ear.heard.into_inner().unwrap()
}

#[tokio::test]
async fn a_run_that_stops_tells_what_began_and_how_it_ended() {
    for home in all_homes() {
        home.file("001_a.sql", "create table a (id integer);\n-- limosa:rollback\ndrop table a;\n");
        home.file("002_b.sql", "insert into a values (1), (2);\nupdate a set nothing = 1;\n");
        home.file("003_c.sql", "create table c (id integer);\n");
        let expected = [
            "began migrate default",
            "target",
            "lock true",
            "plan 3 up",
            "step 1/3 001",
            "start 1.1 CREATE TABLE",
            "done 1.1/1 CREATE TABLE 0",
            "well 1 001",
            "step 2/3 002",
            "start 2.1 INSERT",
            "done 2.1/2 INSERT 2",
            "start 2.2 UPDATE",
            "failed 2 002 rolled_back 0 LIM-R002",
        ];
        let options = MigrateOptions { auto_rollback: true, ..MigrateOptions::default() };
        let told = heard(&home, &options, false).await;
        let (forth, back) = told.split_at(expected.len());
        assert_eq!(forth, expected, "{}", home.url());
        let taken_back = [
            "plan 1 back",
            "step 1/1 001",
            "start 1.1 DROP TABLE",
            "done 1.1/1 DROP TABLE 0",
            "well 1 001",
            "ended migrate stopped 3 LIM-R002",
        ];
        assert_eq!(back, taken_back, "{}", home.url());
    }
}

#[tokio::test]
async fn steps_that_share_a_transaction_tell_whose_statement_it_is_and_which_failed() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (id integer);\n");
    home.file("002_b.sql", "create table b (id integer);\nselect nothing;\n");
    home.file("003_c.sql", "create table c (id integer);\n");
    let told = heard(&home, &MigrateOptions::default(), true).await;
    let expected = [
        "began migrate default",
        "target",
        "lock true",
        "plan 3 up",
        "step 1/3 001",
        "step 2/3 002",
        "step 3/3 003",
        "start 1.1 CREATE TABLE",
        "done 1.1/1 CREATE TABLE 0",
        "start 2.1 CREATE TABLE",
        "done 2.1/2 CREATE TABLE 0",
        "start 2.2 SELECT",
        "failed 1 001 rolled_back 0 -",
        "failed 2 002 rolled_back 0 LIM-R002",
        "failed 3 003 rolled_back 0 -",
        "ended migrate stopped 3 LIM-R002",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_run_that_finds_nothing_to_do_or_cannot_begin_has_an_end_too() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (id integer);\n");
    home.migrate().await.unwrap();
    let told = heard(&home, &MigrateOptions::default(), false).await;
    assert_eq!(told, ["began migrate default", "ended migrate nothing_to_do 0 -"]);
    let port = limosa_testkit::free_port().unwrap();
    let mut configuration = home.configuration();
    configuration.database = limosa::Secret::new(format!("postgres://app:secret@127.0.0.1:{port}/shop"));
    let ear = Ear::default();
    let began = Mutex::new(None);
    let listener = |progress: Progress| {
        if let Progress::Began(found) = &progress {
            *began.lock().unwrap() = Some(found.clone());
        }
        ear.progress(progress);
    };
    Migrator::new(configuration).migrate(&MigrateOptions::default(), &listener, Stop::new()).await.unwrap_err();
    assert_eq!(*ear.heard.lock().unwrap(), ["began migrate default", "ended migrate failed 3 LIM-D002"]);
    let began = began.into_inner().unwrap().unwrap();
    assert_eq!(began.database.as_deref(), Some("shop"));
}

#[tokio::test]
async fn the_start_of_a_statement_is_made_only_for_those_who_want_it() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (id integer);\n");
    let ear = Ear { deaf_to_starts: true, ..Ear::default() };
    home.migrator().migrate(&MigrateOptions::default(), &ear, Stop::new()).await.unwrap();
    let heard = ear.heard.into_inner().unwrap();
    assert!(heard.iter().any(|line| line.starts_with("done 1.1")), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("start")), "{heard:?}");
}

#[tokio::test]
async fn the_name_of_the_database_is_the_same_before_it_is_asked() {
    for home in all_homes() {
        home.file("001_a.sql", "create table a (id integer);\n");
        let names = Mutex::new(Vec::new());
        let listener = |progress: Progress| match progress {
            Progress::Began(began) => names.lock().unwrap().push(began.database.unwrap()),
            Progress::Target(target) => names.lock().unwrap().push(target.database),
            _ => {}
        };
        home.migrator().migrate(&MigrateOptions::default(), &listener, Stop::new()).await.unwrap();
        let names = names.into_inner().unwrap();
        assert!(names.len() == 2 && names[0] == names[1], "{names:?}");
    }
}
