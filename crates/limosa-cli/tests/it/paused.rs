//! A runner that stands still for longer than its lease: SIGSTOP, as a paused machine does it.

use limosa_testkit::{Folder, eventually};

use super::stage::{limosa, run, seen, sound, sqlite};

/// The shortest lease that the settings allow.
const LEASE: (&str, &str) = ("LIMOSA_LEASE", "1s");

/// Longer than the lease.
const WAIT: [&str; 3] = ["migrate", "--lock-wait", "2500ms"];

#[test]
fn on_sqlite_a_stopped_process_is_alive_and_named() {
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n").file(
        "migrations/002_b.sql",
        "insert into a values (1);\ninsert into a with recursive n(x) as (select 1 union all select x + 1 from n where x < 15000000) select max(x) from n;\n",
    );
    let with = |actor: &str, words: &[&str]| {
        limosa(&folder, "sqlite:app.db", words).env(LEASE.0, LEASE.1).env("LIMOSA_ACTOR", actor)
    };
    let first = with("the first one", &["migrate", "-v"]).spawn().unwrap();
    first.wait_for_text("002 b: 1 of 2");
    first.stop().unwrap();
    let second = with("the second one", &WAIT).run().unwrap().assert_code(4);
    assert!(second.stderr.contains("LIM-R001") && second.stderr.contains("the first one"), "{second}");
    first.cont().unwrap();
    let _ = first.wait().unwrap().assert_code(0);
    assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from a"), "2");
    sound(&folder, "sqlite:app.db").unwrap();
}

#[test]
fn on_sqlite_a_writer_of_much_keeps_even_its_name_from_others() {
    // More than SQLite holds in memory: it writes into the file before the end, and nobody can read meanwhile.
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (t text);\n").file(
        "migrations/002_b.sql",
        "insert into a with recursive n(x) as (select 1 union all select x + 1 from n where x < 3000000) select hex(zeroblob(50)) from n;\n",
    );
    let first = limosa(&folder, "sqlite:app.db", &["migrate"]).spawn().unwrap();
    let grows = || std::fs::metadata(folder.join("app.db")).is_ok_and(|file| file.len() > 20_000_000);
    eventually("it writes into the file", grows);
    first.stop().unwrap();
    for words in [&["migrate", "--lock-wait", "1s"][..], &["status"]] {
        let other = limosa(&folder, "sqlite:app.db", words).run().unwrap().assert_code(4);
        assert!(other.stderr.contains("LIM-R001") && other.stderr.contains("--lock-wait"), "{other}");
    }
    let waiting = limosa(&folder, "sqlite:app.db", &["migrate", "--lock-wait", "2m"]).spawn().unwrap();
    first.cont().unwrap();
    let _ = first.wait().unwrap().assert_code(0);
    let _ = waiting.wait().unwrap().assert_code(0);
    assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from a"), "3000000");
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::binary::Running;
    use limosa_testkit::{PgBouncer, PoolMode, TestDatabase};

    use super::super::stage::server;
    use super::*;

    /// 001 works for a while on the server; 002 and 003 show who ran them. They set something, so that they are not with the
    /// server already when the runner is stopped.
    fn folder() -> Folder {
        Folder::new()
            .file("migrations/001_a.sql", "create table a (id integer);\nselect pg_sleep(1);\n")
            .file("migrations/002_b.sql", "set lock_timeout = '2s';\ninsert into a values (2);\n")
            .file("migrations/003_c.sql", "set lock_timeout = '2s';\ninsert into a values (3);\n")
    }

    fn start(folder: &Folder, url: &str, database: &TestDatabase) -> Running {
        let first = limosa(folder, url, &["migrate"]).env(LEASE.0, LEASE.1).env("LIMOSA_ACTOR", "the first one");
        let first = first.spawn().unwrap();
        let sleeps = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' \
                      and query like 'select pg_sleep%'";
        eventually("001 runs", || server::value(database, sleeps) == "1");
        first.stop().unwrap();
        first
    }

    const ROWS: &str = "select string_agg(id::text, ',' order by id) from a";
    const WHO: &str =
        "select string_agg(identity || ' ' || applied_by, ', ' order by version) from limosa.schema_migrations";

    #[test]
    fn on_a_direct_connection_it_keeps_the_lock() {
        let folder = folder();
        let database = server::newest().create_database().unwrap();
        let first = start(&folder, &database.url(), &database);
        let second = limosa(&folder, &database.url(), &WAIT).env(LEASE.0, LEASE.1).run().unwrap().assert_code(4);
        assert!(second.stderr.contains("LIM-R001") && second.stderr.contains("the first one"), "{second}");
        first.cont().unwrap();
        let _ = first.wait().unwrap().assert_code(0);
        assert_eq!(server::value(&database, ROWS), "2,3");
        assert_eq!(server::value(&database, WHO), "1 the first one, 2 the first one, 3 the first one");
        sound(&folder, &database.url()).unwrap();
    }

    #[test]
    fn behind_a_pooler_the_second_takes_over_and_the_first_does_nothing_more() {
        let folder = folder();
        let server = server::newest();
        let database = server.create_database().unwrap();
        let bouncer = PgBouncer::start(server, PoolMode::Transaction).unwrap();
        let url = bouncer.url(&database);
        let first = start(&folder, &url, &database);
        let second = limosa(&folder, &url, &["migrate"]).env(LEASE.0, LEASE.1).env("LIMOSA_ACTOR", "the second one");
        let second = second.run().unwrap().assert_code(0);
        assert!(second.stdout.contains("done: 2 migrations applied"), "{second}");
        let audit = "select count(*) from limosa.audit_log";
        let before = server::value(&database, audit);
        first.cont().unwrap();
        let first = first.wait().unwrap().assert_code(3);
        assert!(first.stderr.contains("LIM-R008"), "{first}");
        assert_eq!(server::value(&database, ROWS), "2,3");
        assert_eq!(server::value(&database, WHO), "1 the first one, 2 the second one, 3 the second one");
        assert_eq!(server::value(&database, audit), before, "it recorded something without the lease");
        let again = run(&folder, &url, &["migrate"], 0);
        assert!(again.stdout.contains("nothing to do"), "{again}");
        sound(&folder, &url).unwrap();
    }
}
