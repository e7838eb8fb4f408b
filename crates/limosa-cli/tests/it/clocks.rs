//! The clock of the machine is set while limosa runs, far ahead or far back: nothing that counts depends on it.
#![cfg(target_os = "linux")]

use limosa_testkit::binary::Running;
use limosa_testkit::{FakeClock, Folder};

use super::stage::{limosa, run, seen, sound, sqlite};

/// Where the clock jumps to, and jumps to next.
const JUMPS: [(&str, &str); 2] = [("+5000d", "-5000d"), ("-5000d", "+5000d")];

/// Works for a second or so.
const SLOW: &str = "insert into b with recursive n(x) as (select 1 union all select x + 1 from n where x < 3000000) select max(x) from n;\n";

/// Nothing here takes a quarter of an hour, and nothing takes less than no time.
const ABSURD: &str = "select count(*) from limosa_schema_migrations where execution_ms not between 0 and 900000 or typeof(execution_ms) <> 'integer'";

fn spawn(clock: &FakeClock, folder: &Folder, url: &str, words: &[&str]) -> Running {
    clock.give_to(limosa(folder, url, words)).spawn().unwrap()
}

/// Milliseconds in all, as the answer says.
#[track_caller]
fn elapsed(answer: &str) -> u64 {
    let line = answer.lines().rev().find(|line| line.trim_start().starts_with("\"elapsed_ms\"")).unwrap();
    line.trim().trim_end_matches(',').rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn the_clock_of_a_call_is_another_one() {
    let clock = FakeClock::new().unwrap();
    let folder = Folder::new().file("migrations/001_a.sql", "select 1;\n");
    let _ = run(&folder, "sqlite:app.db", &["migrate"], 0);
    clock.set("+5000d").unwrap();
    folder.write("migrations/002_b.sql", "select 1;\n");
    let _ = clock.give_to(limosa(&folder, "sqlite:app.db", &["migrate"])).run().unwrap().assert_code(0);
    let apart =
        "select cast(max(julianday(applied_at)) - min(julianday(applied_at)) as integer) from limosa_schema_migrations";
    assert!(["4999", "5000"].contains(&seen(&sqlite(&folder.join("app.db")), apart).as_str()));
}

#[test]
fn on_sqlite_it_jumps_in_the_middle_of_a_migrate_and_of_a_rollback() {
    for (jump, back) in JUMPS {
        for transaction in ["", "-- Transaction: none\n"] {
            let clock = FakeClock::new().unwrap();
            let script = format!(
                "{transaction}create table b (id integer);\n{SLOW}{SLOW}-- limosa:rollback\n{SLOW}drop table b;\n"
            );
            let folder = Folder::new()
                .file("migrations/001_a.sql", "create table a (id integer);\n")
                .file("migrations/002_b.sql", script);
            let running = spawn(&clock, &folder, "sqlite:app.db", &["migrate", "-v", "--output", "json"]);
            running.wait_for_text("002 b: 1 of 3");
            clock.set(jump).unwrap();
            running.wait_for_text("002 b: 2 of 3");
            clock.set(back).unwrap();
            let output = running.wait().unwrap().assert_code(0);
            assert!(elapsed(&output.stdout) < 900_000, "{jump}: {output}");
            assert!(!output.stderr.contains(" h "), "{jump}: {output}");
            let database = sqlite(&folder.join("app.db"));
            assert_eq!(seen(&database, ABSURD), "0", "{jump}");
            sound(&folder, "sqlite:app.db").unwrap();

            let consent = ["rollback", "-v", "--output", "json", "--allow-data-loss", "app.db"];
            clock.set("+0").unwrap();
            let running = spawn(&clock, &folder, "sqlite:app.db", &consent);
            running.wait_for_text("002 b");
            clock.set(jump).unwrap();
            let output = running.wait().unwrap().assert_code(0);
            assert!(elapsed(&output.stdout) < 900_000, "{jump}: {output}");
            assert_eq!(seen(&database, "select identity from limosa_schema_migrations"), "1");
            sound(&folder, "sqlite:app.db").unwrap();
        }
    }
}

/// The clocks of both jump; the first one keeps the lock, and the second one waits neither for ever nor too short.
#[test]
fn on_sqlite_it_jumps_while_the_lock_is_held_and_waited_for() {
    for (jump, back) in JUMPS {
        let (holding, waiting) = (FakeClock::new().unwrap(), FakeClock::new().unwrap());
        let folder = Folder::new()
            .file("migrations/001_a.sql", "create table b (id integer);\n")
            .file("migrations/002_b.sql", SLOW.repeat(6));
        let lease = |call: limosa_testkit::Limosa| call.env("LIMOSA_LEASE", "1s");
        let first = holding.give_to(lease(limosa(&folder, "sqlite:app.db", &["migrate", "-v"]))).spawn().unwrap();
        first.wait_for_text("002 b: 1 of 6");
        holding.set(jump).unwrap();
        // In the middle of its transaction it stands still, and lives: nobody may take its place.
        first.wait_for_text("002 b: 2 of 6");
        first.stop().unwrap();
        let words = ["migrate", "--lock-wait", "3s", "-v"];
        let second = waiting.give_to(lease(limosa(&folder, "sqlite:app.db", &words))).spawn().unwrap();
        second.wait_for_text("waiting: ");
        waiting.set(back).unwrap();
        let output = second.wait().unwrap().assert_code(4);
        assert!(output.stderr.contains("LIM-R001") && output.stderr.contains("waited 3.0 s"), "{output}");
        assert!(!output.stderr.contains("life -"), "{output}");
        let words = ["migrate", "--lock-wait", "4m", "-v"];
        let third = spawn(&waiting, &folder, "sqlite:app.db", &words);
        third.wait_for_text("waiting: ");
        waiting.set(jump).unwrap();
        first.cont().unwrap();
        let _ = first.wait().unwrap().assert_code(0);
        let output = third.wait().unwrap().assert_code(0);
        // It saw that nothing is left while it waited, or once it had the lock.
        let did_nothing = ["nothing to do", "done: 0 migrations"].iter().any(|words| output.stdout.contains(words));
        assert!(did_nothing, "{output}");
        let database = sqlite(&folder.join("app.db"));
        assert_eq!((seen(&database, "select count(*) from b"), seen(&database, ABSURD)), ("6".into(), "0".into()));
        sound(&folder, "sqlite:app.db").unwrap();
    }
}

#[test]
fn a_clock_that_is_wrong_all_along_does_no_harm() {
    for offset in ["-15000d", "+15000d"] {
        let clock = FakeClock::new().unwrap();
        clock.set(offset).unwrap();
        let folder = Folder::new()
            .file("migrations/001_a.sql", "create table a (id integer);\n-- limosa:rollback\ndrop table a;\n");
        let call = |words: &[&str]| {
            let _ = clock.give_to(limosa(&folder, "sqlite:app.db", words)).run().unwrap().assert_code(0);
        };
        call(&["migrate"]);
        call(&["backup"]);
        call(&["rollback", "--allow-data-loss", "app.db"]);
        // The next one with a clock that is right again.
        let _ = run(&folder, "sqlite:app.db", &["backup"], 0);
        call(&["restore", "--allow-data-loss", "app.db"]);
        let database = sqlite(&folder.join("app.db"));
        assert_eq!(
            seen(&database, "select count(*) from limosa_schema_migrations"),
            "0",
            "{offset}: the last one made"
        );
        call(&["migrate"]);
        assert_eq!(seen(&database, ABSURD), "0");
        sound(&folder, "sqlite:app.db").unwrap();
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::eventually;

    use super::super::stage::server;
    use super::*;

    #[test]
    fn on_postgres_it_jumps_while_the_lock_is_held_and_waited_for() {
        for (jump, back) in JUMPS {
            let (holding, waiting) = (FakeClock::new().unwrap(), FakeClock::new().unwrap());
            let database = server::newest().create_database().unwrap();
            let url = database.url();
            let slow = "create table a (id integer);\nselect pg_advisory_xact_lock(7);\n-- limosa:rollback\nselect pg_advisory_xact_lock(7);\ndrop table a;\n";
            let folder = Folder::new().file("migrations/001_a.sql", slow);
            let holder = database.session().unwrap();
            let waits = || {
                let query = "select count(*) from pg_stat_activity where datname = current_database() and \
                             query like 'select pg_advisory_xact_lock%' and wait_event_type = 'Lock'";
                server::value(&database, query) == "1"
            };
            for words in [
                &["migrate", "--output", "json"][..],
                &["rollback", "--output", "json", "--allow-data-loss", database.name()],
            ] {
                holder.execute("begin; select pg_advisory_xact_lock(7)").unwrap();
                let call = limosa(&folder, &url, words).env("LIMOSA_LEASE", "1s").env("LIMOSA_LOCK_TIMEOUT", "10m");
                let first = holding.give_to(call).spawn().unwrap();
                eventually("it waits in the middle", waits);
                holding.set(jump).unwrap();
                let call = limosa(&folder, &url, &["seed", "--lock-wait", "3s"]).env("LIMOSA_LEASE", "1s");
                folder.write("seeds/001_s.sql", "select 1;\n");
                let second = waiting.give_to(call).spawn().unwrap();
                second.wait_for_text("waiting: ");
                waiting.set(back).unwrap();
                let output = second.wait().unwrap().assert_code(4);
                assert!(output.stderr.contains("LIM-R001") && output.stderr.contains("waited 3.0 s"), "{output}");
                holding.set(back).unwrap();
                holder.execute("rollback").unwrap();
                let output = first.wait().unwrap().assert_code(0);
                assert!(elapsed(&output.stdout) < 900_000, "{output}");
                let absurd =
                    "select count(*) from limosa.schema_migrations where execution_ms not between 0 and 900000";
                assert_eq!(server::value(&database, absurd), "0");
                sound(&folder, &url).unwrap();
            }
            assert_eq!(server::value(&database, "select count(*) from limosa.schema_migrations"), "0");
        }
    }
}
