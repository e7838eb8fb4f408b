//! Ctrl-C and SIGTERM while something else than a migration runs: backup, restore, clean, baseline, repair, reset. What ran is
//! cancelled, no half file stays, and the text says what stands.

use limosa_testkit::binary::{Output, Running};
use limosa_testkit::{Folder, eventually};

use super::stage::{limosa, run, seen, sound, sqlite};

/// A way to ask a command to stop.
type Way = (&'static str, fn(&Running));

/// The two that there are.
const WAYS: [Way; 2] =
    [("SIGINT", |running| running.interrupt().unwrap()), ("SIGTERM", |running| running.terminate().unwrap())];

const TABLE: &str = "create table a (id integer);\n-- limosa:rollback\ndrop table a;\n";

#[track_caller]
fn assert_stopped(output: &Output, way: &str, words: &str) {
    for word in ["stopping in order", "LIM-R005", words] {
        assert!(output.stderr.contains(word), "{way}: no {word:?}\n{output}");
    }
    assert_eq!(output.stdout, "", "{way}: {output}");
}

fn backups(folder: &Folder) -> Vec<String> {
    folder.files().into_iter().filter(|name| name.starts_with("backups/")).collect()
}

/// A SQLite database whose copy takes a while, and whose look through takes longer.
fn large(folder: &Folder) {
    let _ = run(folder, "sqlite:app.db", &["migrate"], 0);
    sqlite(&folder.join("app.db"))
        .execute_batch(
            "pragma synchronous = off; create table large (n integer primary key, s text); create index large_s on large (s); \
             insert into large with recursive n(x) as (select 1 union all select x + 1 from n where x < 200000) \
             select x, x || hex(zeroblob(100)) from n",
        )
        .unwrap();
}

#[test]
fn a_backup_on_sqlite_leaves_no_half_file() {
    for (way, ask) in WAYS {
        let folder = Folder::new().file("migrations/001_a.sql", TABLE);
        large(&folder);
        let running = limosa(&folder, "sqlite:app.db", &["backup"]).spawn().unwrap();
        eventually("the copy is begun", || !backups(&folder).is_empty());
        // It stands still until the signal is there, so that it cannot be done before.
        running.stop().unwrap();
        let name = backups(&folder).remove(0);
        assert!(name.contains(".partial-"), "the machine was too quick for this test: {name}");
        ask(&running);
        running.cont().unwrap();
        let output = running.wait().unwrap().assert_code(3);
        assert_stopped(&output, way, "the backup was stopped and its file removed");
        assert_eq!(backups(&folder), [""; 0], "{way}");
        let output = run(&folder, "sqlite:app.db", &["backup"], 0);
        assert!(output.stdout.starts_with("backup backups/"), "{output}");
    }
}

#[test]
fn a_backup_before_a_run_stops_the_run() {
    let folder = Folder::new().file("migrations/001_a.sql", TABLE);
    large(&folder);
    folder.write("migrations/002_b.sql", "create table b (id integer);\n");
    let running = limosa(&folder, "sqlite:app.db", &["migrate", "--backup"]).spawn().unwrap();
    eventually("the copy is begun", || !backups(&folder).is_empty());
    running.stop().unwrap();
    running.interrupt().unwrap();
    running.cont().unwrap();
    let output = running.wait().unwrap().assert_code(3);
    assert_stopped(&output, "SIGINT", "so nothing was run");
    assert_eq!(backups(&folder), [""; 0]);
    assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from sqlite_schema where name = 'b'"), "0");
}

/// Another process holds the file: the wait for it ends at once.
#[test]
fn a_wait_for_another_writer_on_sqlite_ends() {
    let folder = Folder::new().file("migrations/001_a.sql", TABLE);
    let _ = run(&folder, "sqlite:app.db", &["migrate"], 0);
    let _ = run(&folder, "sqlite:app.db", &["backup"], 0);
    let journal = "select count(*) from sqlite_schema where name in ('a', 'limosa_lease')";
    for (way, ask) in WAYS {
        for words in [
            &["restore", "--allow-data-loss", "app.db"][..],
            &["clean", "--allow-data-loss", "app.db"],
            &["reset", "--allow-data-loss", "app.db"],
            &["repair", "--mark-not-applied", "1"],
        ] {
            let database = sqlite(&folder.join("app.db"));
            database.execute_batch("begin immediate").unwrap();
            let running = limosa(&folder, "sqlite:app.db", words).spawn().unwrap();
            running.wait_for_text("app.db");
            ask(&running);
            let output = running.wait().unwrap().assert_code(3);
            assert_stopped(&output, way, "interrupted");
            database.execute_batch("rollback").unwrap();
            assert_eq!(seen(&database, journal), "2", "{words:?}");
            assert_eq!(seen(&database, "select state from limosa_schema_migrations"), "applied", "{words:?}");
        }
    }
    sound(&folder, "sqlite:app.db").unwrap();
}

#[test]
fn a_restore_on_sqlite_leaves_the_database_as_it_was() {
    for (way, ask) in WAYS {
        let folder = Folder::new().file("migrations/001_a.sql", TABLE);
        large(&folder);
        let _ = run(&folder, "sqlite:app.db", &["backup"], 0);
        sqlite(&folder.join("app.db")).execute_batch("create table later (id integer)").unwrap();
        let running = limosa(&folder, "sqlite:app.db", &["restore", "--allow-data-loss", "app.db"]).spawn().unwrap();
        running.wait_for_text("restoring from");
        // The backup is looked through before anything is touched: that alone takes longer than the signal.
        ask(&running);
        let output = running.wait().unwrap().assert_code(3);
        assert_stopped(&output, way, "nothing was changed");
        assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from later"), "0", "{way}");
        sound(&folder, "sqlite:app.db").unwrap();
        let _ = run(&folder, "sqlite:app.db", &["restore", "--allow-data-loss", "app.db"], 0);
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::{TestDatabase, postgres};

    use super::super::stage::server;
    use super::*;

    /// A server whose version has the client tools, which backups need.
    fn with_tools() -> (TestDatabase, String) {
        let version = postgres::versions()
            .unwrap()
            .into_iter()
            .rfind(|version| ["pg_dump", "pg_restore", "psql"].iter().all(|name| version.program(name).is_some()))
            .expect("a PostgreSQL with its client tools is needed; run the tests with `cargo xtask test`");
        let database = postgres::shared(&version).unwrap().create_database().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        (database, format!("{}:{path}", version.bin().display()))
    }

    /// Sessions of others that are at work on this database.
    fn busy(database: &TestDatabase) -> String {
        let query = "select count(*) from pg_stat_activity where datname = current_database() and \
                     pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle in transaction'";
        server::value(database, query)
    }

    fn waits(database: &TestDatabase) -> bool {
        let query = "select count(*) > 0 from pg_stat_activity where datname = current_database() and \
                     pid <> pg_backend_pid() and wait_event_type = 'Lock'";
        server::value(database, query) == "t"
    }

    /// Each command waits for a lock of somebody else's until it is stopped; then nothing of it is left anywhere.
    #[test]
    fn what_waits_for_a_lock_is_cancelled_on_the_server() {
        let (database, path) = with_tools();
        let url = database.url();
        let folder = Folder::new()
            .file("migrations/001_a.sql", TABLE)
            .file("migrations/002_b.sql", "create table b (id integer);\n");
        let _ = run(&folder, &url, &["migrate", "--to", "1"], 0);
        let backup = limosa(&folder, &url, &["backup"]).env("PATH", &path).run().unwrap().assert_code(0);
        assert!(backup.stdout.starts_with("backup backups/"), "{backup}");
        let consent = ["--allow-data-loss", database.name()];
        let on_a = "begin; lock table a in access exclusive mode";
        let on_ledger = "begin; lock table limosa.schema_migrations in share mode";
        for (way, ask) in WAYS {
            for (lock, words, says) in [
                (on_a, &["backup"][..], "the backup was stopped and its file removed"),
                (on_a, &["migrate", "--backup"], "so nothing was run"),
                (on_a, &["restore", consent[0], consent[1]], "nothing was changed"),
                (on_a, &["clean", consent[0], consent[1]], "nothing was changed"),
                (on_a, &["reset", consent[0], consent[1]], "nothing was changed"),
                (on_ledger, &["repair", "--mark-not-applied", "1"], "nothing was changed"),
                (on_ledger, &["repair", "--mark-applied", "2"], "nothing was changed"),
            ] {
                let holder = database.session().unwrap();
                holder.execute(lock).unwrap();
                let call = limosa(&folder, &url, words).env("LIMOSA_LOCK_TIMEOUT", "10m").env("PATH", &path);
                let running = call.spawn().unwrap();
                eventually(&format!("{words:?} waits for the lock"), || waits(&database));
                ask(&running);
                let output = running.wait().unwrap().assert_code(3);
                assert_stopped(&output, &format!("{way} {words:?}"), says);
                eventually("the server has nothing left of it", || busy(&database) == "0");
                holder.execute("rollback").unwrap();
                drop(holder);
                assert_eq!(backups(&folder).len(), 1, "{words:?}");
                assert_eq!(server::value(&database, "select count(*) from a"), "0", "{words:?}");
                assert_eq!(server::value(&database, "select identity from limosa.schema_migrations"), "1");
            }
        }
        sound(&folder, &url).unwrap();
        let restored = limosa(&folder, &url, &["restore", consent[0], consent[1]]).env("PATH", &path);
        let _ = restored.run().unwrap().assert_code(0);
        let _ = run(&folder, &url, &["migrate"], 0);
    }

    #[test]
    fn a_baseline_is_cancelled_on_the_server() {
        let database = server::newest().create_database().unwrap();
        let folder = Folder::new().file("migrations/001_a.sql", TABLE).file("seeds/001_s.sql", "select 1;\n");
        let _ = run(&folder, &database.url(), &["seed"], 0);
        let holder = database.session().unwrap();
        holder.execute("begin; lock table limosa.schema_migrations in share mode").unwrap();
        let call = limosa(&folder, &database.url(), &["baseline", "--to", "1"]).env("LIMOSA_LOCK_TIMEOUT", "10m");
        let running = call.spawn().unwrap();
        eventually("it waits for the lock", || waits(&database));
        running.interrupt().unwrap();
        let output = running.wait().unwrap().assert_code(3);
        assert_stopped(&output, "SIGINT", "nothing was changed");
        eventually("the server has nothing left of it", || busy(&database) == "0");
        holder.execute("rollback").unwrap();
        let _ = run(&folder, &database.url(), &["baseline", "--to", "1"], 0);
    }

    /// The clean is committed when the migrate behind it is stopped.
    #[test]
    fn a_reset_that_is_stopped_in_its_migrate_says_that_the_clean_stands() {
        let database = server::newest().create_database().unwrap();
        let folder = Folder::new().file("migrations/001_a.sql", TABLE);
        let _ = run(&folder, &database.url(), &["migrate"], 0);
        folder.write("migrations/001_a.sql", "create table a (id integer);\nselect pg_sleep(600);\n");
        let running =
            limosa(&folder, &database.url(), &["reset", "--allow-data-loss", database.name()]).spawn().unwrap();
        let sleeps = "select count(*) from pg_stat_activity where datname = current_database() and query like 'select pg_sleep%'";
        eventually("it sleeps", || server::value(&database, sleeps) == "1");
        running.terminate().unwrap();
        let output = running.wait().unwrap().assert_code(3);
        for word in ["LIM-R005", "LIM-U072", "the clean is committed"] {
            assert!(output.stderr.contains(word), "no {word:?}\n{output}");
        }
        assert_eq!(server::value(&database, "select to_regclass('a')"), "");
    }
}
