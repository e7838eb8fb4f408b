//! Many processes at once on a fresh database: each migration is applied exactly once, all end well, nobody hangs.

use limosa_testkit::Folder;

use super::stage::{limosa, number, seen, sound, sqlite};

/// How many migrations.
const COUNT: usize = 6;

/// Each adds its number to a table, so that running one twice shows.
fn folder() -> Folder {
    let folder = Folder::new();
    for number in 1..=COUNT {
        let first = if number == 1 { "create table log (number integer);\n" } else { "" };
        let sql = format!("{first}create table t{number} (id integer);\ninsert into log values ({number});\n");
        folder.write(&format!("migrations/{number:03}_step.sql"), sql);
    }
    folder
}

/// Starts so many at once; kills some of them, each a little later than the one before. Those that live must end well.
fn race(folder: &Folder, url: &str, runners: usize, killed: usize) {
    let mut running: Vec<_> = (0..runners)
        .map(|number| {
            let actor = format!("runner {number}");
            limosa(folder, url, &["migrate", "--lock-wait", "4m"]).env("LIMOSA_ACTOR", actor).spawn().unwrap()
        })
        .collect();
    for victim in running.drain(..killed) {
        std::thread::sleep(std::time::Duration::from_millis(15));
        // It may have come to its end before.
        let _ = victim.kill_hard();
        let _ = victim.wait().unwrap();
    }
    let outputs: Vec<_> = running.into_iter().map(|running| running.wait().unwrap()).collect();
    for output in &outputs {
        assert_eq!(output.code, Some(0), "{output}");
    }
    if killed == 0 {
        // What is reported as applied adds up, too: nobody claims another's work.
        let applied: usize = outputs.iter().map(|output| output.stderr.matches(" step ... ").count()).sum();
        assert_eq!(applied, COUNT);
    }
}

const EXPECTED: &str = "1,2,3,4,5,6";

fn on_sqlite(runners: usize, killed: usize) {
    let folder = folder();
    race(&folder, "sqlite:app.db", runners, killed);
    let database = sqlite(&folder.join("app.db"));
    assert_eq!(seen(&database, "select group_concat(number) from (select number from log order by 1)"), EXPECTED);
    let done = "select count(*) from limosa_audit_log where operation = 'apply' and outcome = 'done'";
    assert_eq!(seen(&database, done), COUNT.to_string());
    assert_eq!(seen(&database, "pragma integrity_check"), "ok");
    sound(&folder, "sqlite:app.db").unwrap();
}

#[test]
fn two_on_sqlite() {
    for _ in 0..number("LIMOSA_TEST_RACES", 5) {
        on_sqlite(2, 0);
    }
}

#[test]
fn fifty_on_sqlite() {
    on_sqlite(number("LIMOSA_TEST_RUNNERS", 50), 0);
}

#[test]
fn ten_on_sqlite_while_some_are_killed() {
    for _ in 0..number("LIMOSA_TEST_RACES", 5) {
        on_sqlite(10, 3);
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::super::stage::server;
    use super::*;

    fn on_postgres(runners: usize, killed: usize) {
        let folder = folder();
        let database = server::newest().create_database().unwrap();
        race(&folder, &database.url(), runners, killed);
        let log = server::value(&database, "select string_agg(number::text, ',' order by number) from log");
        assert_eq!(log, EXPECTED);
        let done = "select count(*) from limosa.audit_log where operation = 'apply' and outcome = 'done'";
        assert_eq!(server::value(&database, done), COUNT.to_string());
        sound(&folder, &database.url()).unwrap();
    }

    #[test]
    fn two() {
        for _ in 0..number("LIMOSA_TEST_RACES", 5) {
            on_postgres(2, 0);
        }
    }

    #[test]
    fn fifty() {
        on_postgres(number("LIMOSA_TEST_RUNNERS", 50), 0);
    }

    #[test]
    fn ten_while_some_are_killed() {
        for _ in 0..number("LIMOSA_TEST_RACES", 5) {
            on_postgres(10, 3);
        }
    }
}
