//! Clocks that jump, the server's and the machine's: who lives keeps the lock, who is gone loses it, order does not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use limosa::{Event, Migrator, Selection, Stop};

use crate::answers::{done, labels, quiet};
use crate::place::{Home, homes, sqlite};
use crate::pooler::{bouncer, pausing, pooled};
use crate::running::{Running, exit, postgres_homes, says, well};

/// Ten days, either way.
const JUMPS: [i64; 2] = [-10 * 86_400, 10 * 86_400];

/// Writes a lease whose times lie this far from the clock.
fn shift(home: &Home, seconds: i64) {
    if home.is_sqlite() {
        let at = format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{seconds} seconds')");
        home.execute(&format!("update limosa_lease set heartbeat_at = {at}, since = {at}"));
    } else {
        let at = format!("clock_timestamp() + interval '{seconds} seconds'");
        home.execute(&format!("update limosa.lease set heartbeat_at = {at}, since = {at}"));
    }
}

/// A runner on a machine of its own, which nobody can look up.
fn elsewhere(home: &Home) {
    home.execute("update limosa_lease set holder = 'somebody@elsewhere', backend = 'elsewhere:1:1:1'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_direct_connection_the_session_decides_whatever_the_times_say() {
    for seconds in JUMPS {
        for home in postgres_homes() {
            home.file("0001_slow.sql", "create table t (n int); select pg_sleep(600);");
            let first = home.start();
            home.backend_running("select pg_sleep");
            shift(&home, seconds);
            let mut hasty = home.configuration();
            hasty.lock_wait = Duration::from_millis(1500);
            hasty.lease = Duration::from_secs(1);
            let result = Running::migrate(hasty.clone()).end().await;
            assert_eq!(exit(&result), 4, "{seconds}: it lives");
            says(&result, &["LIM-R001", "last sign of life"]);
            let text = format!("{result:?}");
            assert!(!text.contains("life -"), "{text}");
            first.kill().await;
            home.file("0001_slow.sql", "select 1;");
            hasty.lock_wait = Duration::from_secs(60);
            hasty.lease = Duration::from_secs(3600);
            shift(&home, seconds);
            well(&Running::migrate(hasty).end().await);
            assert_eq!(home.ledger(), ["1|applied"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_a_runner_that_lives_is_not_taken_for_silent() {
    for seconds in JUMPS {
        let home = crate::place::newest_postgres();
        let bouncer = bouncer(&home, "3");
        let mut configuration = pooled(&home, &bouncer);
        configuration.lease = Duration::from_secs(18);
        let (first, blocker) = pausing(&home, &configuration).await;
        configuration.lock_wait = Duration::from_secs(10);
        let second = Running::migrate(configuration.clone());
        second.wait_for("the second waits", |event| matches!(event, Event::LockHeld { .. }));
        shift(&home, seconds);
        let result = second.end().await;
        assert_eq!(exit(&result), 4, "{seconds}");
        says(&result, &["LIM-R001", "tester@here"]);
        // One that comes only now.
        configuration.lock_wait = Duration::ZERO;
        shift(&home, seconds);
        assert_eq!(exit(&Running::migrate(configuration).end().await), 4, "{seconds}");
        blocker.execute("rollback").unwrap();
        well(&first.end().await);
        assert_eq!(home.value("select epoch from limosa.lease"), "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_a_runner_that_is_gone_is_replaced() {
    for seconds in JUMPS {
        let home = crate::place::newest_postgres();
        let bouncer = bouncer(&home, "3");
        let mut configuration = pooled(&home, &bouncer);
        configuration.lease = Duration::from_secs(2);
        let (first, blocker) = pausing(&home, &configuration).await;
        first.kill().await;
        blocker.execute("rollback").unwrap();
        shift(&home, seconds);
        well(&Running::migrate(configuration).end().await);
        assert_eq!(
            (home.ledger(), home.value("select epoch from limosa.lease")),
            (vec!["1|applied".to_owned()], "2".to_owned())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_runner_elsewhere_is_watched_not_timed() {
    for seconds in JUMPS {
        let home = Arc::new(sqlite());
        home.file("0001_a.sql", "create table a (n int);");
        well(&home.migrate().await);
        home.file("0002_b.sql", "create table b (n int);");
        elsewhere(&home);
        // It lives: its signs of life go on, by a clock that is far from ours.
        let over = Arc::new(AtomicBool::new(false));
        let beating = std::thread::spawn({
            let (home, over) = (Arc::clone(&home), Arc::clone(&over));
            move || {
                let mut count = 0;
                while !over.load(Ordering::SeqCst) {
                    count += 1;
                    shift(&home, seconds + count);
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        });
        let mut configuration = home.configuration();
        configuration.lease = Duration::from_secs(2);
        configuration.lock_wait = Duration::from_secs(4);
        let result = Running::migrate(configuration.clone()).end().await;
        over.store(true, Ordering::SeqCst);
        beating.join().unwrap();
        assert_eq!(exit(&result), 4, "{seconds}");
        says(&result, &["LIM-R001", "somebody@elsewhere"]);
        // It is gone: silence is all that tells.
        configuration.lock_wait = Duration::from_secs(60);
        well(&Running::migrate(configuration).end().await);
        assert_eq!(home.ledger(), ["1|applied", "2|applied"]);
    }
}

#[tokio::test]
async fn on_sqlite_a_process_of_this_machine_is_looked_up_whatever_the_times_say() {
    for seconds in JUMPS {
        let home = sqlite();
        home.file("0001_a.sql", "create table a (n int);");
        well(&home.migrate().await);
        home.file("0002_b.sql", "create table b (n int);");
        let this = limosa_db::engines::sqlite::this_process(&home.configuration().variables).unwrap();
        home.execute(&format!("update limosa_lease set holder = 'the first one', backend = '{this}'"));
        shift(&home, seconds);
        let mut hasty = home.configuration();
        hasty.lock_wait = Duration::from_millis(1500);
        hasty.lease = Duration::from_secs(1);
        let result = Running::migrate(hasty.clone()).end().await;
        assert_eq!(exit(&result), 4, "{seconds}: it lives");
        says(&result, &["the first one"]);
        // The same process id, begun at another time: it is gone.
        let mut parts: Vec<&str> = this.rsplitn(4, ':').collect();
        parts[1] = "1";
        parts.reverse();
        home.execute(&format!("update limosa_lease set backend = '{}'", parts.join(":")));
        hasty.lock_wait = Duration::ZERO;
        well(&Running::migrate(hasty).end().await);
    }
}

/// The order of application is a number, not a time.
#[tokio::test]
async fn times_in_the_future_change_no_order() {
    for home in homes() {
        let table = |name: &str| format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n");
        home.file("001_a.sql", &table("a"));
        done(home.migrate().await);
        let later = if home.is_sqlite() { "'2999-01-01T00:00:00.000Z'" } else { "'2999-01-01'" };
        home.execute(&format!("update {} set applied_at = {later}", home.table("schema_migrations")));
        let at = if home.is_sqlite() { "'2999-01-01T00:00:00.000Z'" } else { "'2999-01-01T00:00:00.000000Z'" };
        let moved = format!("update {} set updated_at = {at}", home.table("application_metadata"));
        home.execute(&moved);
        home.file("002_b.sql", &table("b"));
        home.file("003_c.sql", &table("c"));
        assert_eq!(labels(&done(home.migrate().await)), ["002", "003"]);
        let migrator = home.migrator();
        assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        let newest = migrator.history(1).await.unwrap().operations.remove(0);
        assert_eq!(newest.identity.as_deref(), Some("3"));
        assert_eq!(labels(&done(home.rollback(Selection::Steps(2)).await)), ["003", "002"]);
        assert_eq!(home.ledger(), ["1|applied"]);
        assert_eq!(done(home.rollback(Selection::Steps(1)).await).outcome, "done");
        assert_eq!(home.ledger(), Vec::<String>::new());
    }
}

/// A backup is newer than those before it, whatever the clock says of them.
#[tokio::test]
async fn the_newest_backup_is_the_last_one_made() {
    let home = sqlite();
    home.file("001_a.sql", "create table a (n int);");
    done(home.migrate().await);
    let migrator = Migrator::new(home.configuration());
    for number in 1..=12 {
        let saved = migrator.backup(&quiet, Stop::new()).await.unwrap().done.remove(0);
        if number == 1 {
            // The clock was ahead then.
            let folder = std::path::Path::new(&saved).parent().unwrap().to_owned();
            let name = std::path::Path::new(&saved).file_name().unwrap().to_str().unwrap().to_owned();
            let (stem, _) = name.rsplit_once('-').unwrap();
            std::fs::rename(&saved, folder.join(format!("{stem}-29990101000000.db"))).unwrap();
        }
        home.execute(&format!("insert into a values ({number})"));
    }
    migrator.restore(None, Some(&home.database()), &quiet, Stop::new()).await.unwrap();
    assert_eq!(home.count("select count(*) from a"), 11);
}
