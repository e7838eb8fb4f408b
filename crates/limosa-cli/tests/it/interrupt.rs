//! Ctrl-C and SIGTERM in the middle of a statement: it is cancelled, its transaction rolled back, and the text says what stands.

use limosa_testkit::Folder;
use limosa_testkit::binary::{Output, Running};

use super::stage::{limosa, run, seen, sound, sqlite};

/// A way to ask a run to stop.
type Way = (&'static str, fn(&Running));

/// The two that there are.
const WAYS: [Way; 2] =
    [("SIGINT", |running| running.interrupt().unwrap()), ("SIGTERM", |running| running.terminate().unwrap())];

#[track_caller]
fn assert_says_what_stands(output: &Output, way: &str, words: &[&str]) {
    for word in ["stopping in order", "LIM-R005"] {
        assert!(output.stderr.contains(word), "{way}: no {word:?}\n{output}");
    }
    for word in words {
        assert!(output.stdout.contains(word), "{way}: no {word:?}\n{output}");
    }
}

const SLOW: &str = "insert into b with recursive n(x) as (select 1 union all select x + 1 from n where x < 4000000000) select max(x) from n;\n";

#[test]
fn on_sqlite_nothing_of_the_transaction_stands() {
    for (way, ask) in WAYS {
        let folder = Folder::new()
            .file("migrations/001_a.sql", "create table a (id integer);\n")
            .file("migrations/002_b.sql", format!("create table b (id integer);\n{SLOW}"));
        let running = limosa(&folder, "sqlite:app.db", &["migrate", "-v"]).spawn().unwrap();
        running.wait_for_text("002 b: 1 of 2");
        ask(&running);
        let output = running.wait().unwrap().assert_code(3);
        assert_says_what_stands(&output, way, &["1 of 2 migrations", "stands      001", "not kept    002"]);
        let database = sqlite(&folder.join("app.db"));
        let tables = "select count(*) from sqlite_schema where name in ('a', 'b')";
        assert_eq!(seen(&database, tables), "1");
        folder.write("migrations/002_b.sql", "create table b (id integer);\n");
        let _ = run(&folder, "sqlite:app.db", &["migrate"], 0);
        assert_eq!(seen(&database, tables), "2");
        sound(&folder, "sqlite:app.db").unwrap();
    }
}

#[test]
fn on_sqlite_outside_of_transactions_the_statements_before_stand() {
    let file = "-- Transaction: none\ncreate table b (id integer);\n";
    let folder = Folder::new().file("migrations/001_b.sql", format!("{file}{SLOW}"));
    let running = limosa(&folder, "sqlite:app.db", &["migrate", "-v"]).spawn().unwrap();
    running.wait_for_text("001 b: 1 of 2");
    running.interrupt().unwrap();
    let output = running.wait().unwrap().assert_code(3);
    assert_says_what_stands(&output, "SIGINT", &["half done   001 b: 1 of 2 statements stand"]);
    folder.write("migrations/001_b.sql", format!("{file}insert into b values (1);\n"));
    let _ = run(&folder, "sqlite:app.db", &["migrate"], 0);
    assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from b"), "1");
    sound(&folder, "sqlite:app.db").unwrap();
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::{Proxy, TestDatabase, eventually};

    use super::super::stage::server;
    use super::*;

    /// How many sessions of others work on this database, and what they send begins like this.
    fn active(database: &TestDatabase, like: &str) -> String {
        let query = format!(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
             and backend_type = 'client backend' and query ilike '{like}%' and state <> 'idle'"
        );
        server::value(database, &query)
    }

    #[track_caller]
    fn assert_nobody_left(database: &TestDatabase) {
        eventually("the server has nothing left of it", || active(database, "") == "0");
    }

    #[test]
    fn the_statement_is_cancelled_on_the_server() {
        for (way, ask) in WAYS {
            let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n").file(
                "migrations/002_b.sql",
                "create table b (id integer);\nselect pg_sleep(600);\ncreate table c ();\n",
            );
            let database = server::newest().create_database().unwrap();
            let running = limosa(&folder, &database.url(), &["migrate"]).spawn().unwrap();
            eventually("it sleeps", || active(&database, "select pg_sleep") == "1");
            ask(&running);
            let output = running.wait().unwrap().assert_code(3);
            assert_says_what_stands(&output, way, &["1 of 2 migrations", "stands      001", "not kept    002"]);
            assert_nobody_left(&database);
            let tables = "select concat_ws(' ', to_regclass('a'), to_regclass('b'), to_regclass('c'))";
            assert_eq!(server::value(&database, tables), "a");
            folder.write("migrations/002_b.sql", "create table b (id integer);\n");
            let _ = run(&folder, &database.url(), &["migrate"], 0);
            assert_eq!(server::value(&database, tables), "a b");
            sound(&folder, &database.url()).unwrap();
        }
    }

    #[test]
    fn an_index_that_was_being_built_is_cleaned_up_by_the_next_run() {
        for (way, ask) in WAYS {
            let folder = Folder::new()
                .file("migrations/001_a.sql", "create table a (id integer);\ninsert into a values (1);\n")
                .file("migrations/002_index.sql", "create index concurrently a_id on a (id);\n");
            let database = server::newest().create_database().unwrap();
            let _ = run(&folder, &database.url(), &["migrate", "--to", "1"], 0);
            let other = database.session().unwrap();
            other.execute("begin; insert into a values (2)").unwrap();
            let running = limosa(&folder, &database.url(), &["migrate"]).spawn().unwrap();
            eventually("the build waits for the open transaction", || {
                let waits = "select count(*) from pg_stat_activity where datname = current_database() and \
                             query ilike 'create index concurrently%' and wait_event_type = 'Lock'";
                server::value(&database, waits) == "1"
            });
            ask(&running);
            let output = running.wait().unwrap().assert_code(3);
            assert_says_what_stands(&output, way, &["002 index"]);
            eventually("the build has ended", || active(&database, "create index") == "0");
            let invalid = "select count(*) from pg_index where not indisvalid";
            assert_eq!(server::value(&database, invalid), "1");
            other.execute("commit").unwrap();
            let output = run(&folder, &database.url(), &["migrate"], 0);
            assert!(output.stderr.contains("invalid") && output.stderr.contains("a_id"), "{output}");
            assert_eq!(server::value(&database, invalid), "0");
            assert_eq!(
                server::value(&database, "select indisvalid from pg_index where indexrelid = 'a_id'::regclass"),
                "t"
            );
            sound(&folder, &database.url()).unwrap();
        }
    }

    /// The cancel request cannot get through, so that the first signal takes long.
    #[test]
    fn a_second_signal_ends_it_at_once() {
        let folder =
            Folder::new().file("migrations/001_a.sql", "create table a (id integer);\nselect pg_sleep(600);\n");
        let database = server::newest().create_database().unwrap();
        let proxy = Proxy::start(server::newest()).unwrap();
        proxy.set_quiet(std::time::Duration::ZERO);
        let running = limosa(&folder, &proxy.url(&database), &["migrate"]).spawn().unwrap();
        eventually("it sleeps", || active(&database, "select pg_sleep") == "1");
        proxy.black_hole();
        running.interrupt().unwrap();
        running.wait_for_text("stopping in order");
        running.interrupt().unwrap();
        let output = running.wait().unwrap().assert_code(130);
        assert!(output.stderr.contains("limosa status"), "{output}");
        drop(proxy);
        // The server notices the broken connection by itself.
        assert_nobody_left(&database);
        folder.write("migrations/001_a.sql", "create table a (id integer);\n");
        let _ = run(&folder, &database.url(), &["migrate"], 0);
        sound(&folder, &database.url()).unwrap();
    }
}
