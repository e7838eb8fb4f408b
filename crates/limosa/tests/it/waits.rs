//! How often a run waits for the server, counted by a proxy.

use limosa::{MigrateOptions, RollbackOptions, Selection};
use limosa_testkit::Proxy;
use limosa_testkit::proxy::Side;

use crate::place::{Home, newest_postgres};
use crate::running::{Running, postgres_homes, well};

fn proxied(home: &Home) -> Proxy {
    Proxy::start(std::net::SocketAddr::from(([127, 0, 0, 1], home.database_handle().port()))).expect("a proxy")
}

async fn waits_of(home: &Home, proxy: &Proxy, options: MigrateOptions) -> usize {
    let mut configuration = home.configuration();
    configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
    proxy.reset();
    well(&Running::migrate_with(configuration, options).end().await);
    proxy.waits()
}

fn inserts(table: &str, count: usize) -> String {
    let mut text = format!("create table {table} (n int);\n");
    for number in 1..count {
        text.push_str(&format!("insert into {table} values ({number});\n"));
    }
    text
}

/// The busy machine may make a client look as if it waited; the least of several measurements is the truth.
async fn least<F: Future<Output = usize>>(mut measure: impl FnMut(usize) -> F) -> usize {
    let mut least = usize::MAX;
    for attempt in 0..3 {
        least = least.min(measure(attempt).await);
    }
    least
}

/// Migrations after a first one, each with so many statements behind what it begins with.
async fn run_of(files: &[(&str, usize)], begins: &str, attempt: usize) -> usize {
    let home = newest_postgres();
    let proxy = proxied(&home);
    home.file("0001_first.sql", "create table first (n int);");
    well(&home.migrate().await);
    for (name, statements) in files {
        let inserts = inserts(&format!("t{attempt}_{}", &name[..4]), *statements);
        home.file(&format!("{name}.sql"), &format!("{begins}{inserts}"));
    }
    waits_of(&home, &proxy, MigrateOptions::default()).await
}

/// What sets something is not sent before the commit ahead of it is answered.
const SETS: &str = "set lock_timeout = '9s';\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transactional_migration_waits_once_whatever_its_length() {
    let one = least(|attempt| run_of(&[("0002_a", 1)], SETS, attempt)).await;
    let two = least(|attempt| run_of(&[("0002_a", 1), ("0003_b", 1)], SETS, attempt)).await;
    let fifty = least(|attempt| run_of(&[("0002_a", 1), ("0003_b", 50)], SETS, attempt)).await;
    let many = least(|attempt| run_of(&[("0002_a", 1), ("0003_b", 2000)], SETS, attempt)).await;
    assert_eq!((two - one, fifty - one, many - one), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_that_set_nothing_wait_once_together() {
    let one = least(|attempt| run_of(&[("0002_a", 1)], "", attempt)).await;
    let four = [("0002_a", 1), ("0003_b", 50), ("0004_c", 1), ("0005_d", 2)];
    let four = least(|attempt| run_of(&four, "", attempt)).await;
    assert_eq!(four, one);
}

/// Waits of taking back so many migrations.
async fn waits_back(migrations: usize) -> usize {
    let home = newest_postgres();
    let proxy = proxied(&home);
    for number in 1..=migrations {
        home.file(&format!("{number:04}_t.sql"), &format!("create table t{number} (n int);"));
        home.file(&format!("{number:04}_t.rollback.sql"), &format!("drop table t{number};"));
    }
    well(&home.migrate().await);
    let mut configuration = home.configuration();
    configuration.database = limosa::Secret::new(proxy.url(home.database_handle()));
    let options = RollbackOptions {
        selection: Selection::Steps(migrations),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    proxy.reset();
    well(&Running::rollback(configuration, options).end().await);
    proxy.waits()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_are_taken_back_in_one_wait() {
    let one = least(|_| waits_back(1)).await;
    let three = least(|_| waits_back(3)).await;
    assert_eq!(three, one);
    // Whether anybody else uses the database, so that they may share a transaction.
    let fifty = least(|_| waits_back(50)).await;
    assert_eq!(fifty, one + 1);
    // What the server is, the ledger, what is recorded; the lock, the ledger and the records again; the migrations; the lock.
    assert!(one <= 10, "{one} waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_waits_four_times_at_most() {
    // Learning what the server is, looking whether anything is pending, reading the ledger, taking the lock; then the migration;
    // then giving the lock back.
    let again = least(|attempt| run_of(&[("0002_a", 1)], "", attempt)).await;
    assert!(again <= 4 + 1 + 1, "{again} waits");

    let first = least(|_| async {
        let home = newest_postgres();
        let proxy = proxied(&home);
        home.file("0001_first.sql", "create table first (n int);");
        waits_of(&home, &proxy, MigrateOptions::default()).await
    })
    .await;
    // Where there is no ledger to read: whether another tool has been here.
    assert!(first <= 4 + 1 + 1, "{first} waits in the run that makes the ledger");

    for home in postgres_homes() {
        let proxy = proxied(&home);
        home.file("0001_first.sql", "create table first (n int);");
        well(&home.migrate().await);
        let mut fewest = usize::MAX;
        for _ in 0..3 {
            fewest = fewest.min(waits_of(&home, &proxy, MigrateOptions::default()).await);
        }
        assert!(fewest <= 2, "{fewest} waits with nothing pending");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_several_megabytes_streams_in_windows() {
    let home = newest_postgres();
    let proxy = proxied(&home);
    proxy.set_quiet(std::time::Duration::from_millis(20));
    let filler = "x".repeat(10_000);
    let mut text = "create table t (n int, filler text);\n".to_owned();
    for number in 0..500 {
        text.push_str(&format!("insert into t values ({number}, '{filler}');\n"));
    }
    home.file("0001_big.sql", &text);
    let waits = waits_of(&home, &proxy, MigrateOptions::default()).await;
    // Five megabytes through a window of one: more waits than one, far fewer than statements.
    assert!((8..60).contains(&waits), "{waits} waits");
    assert_eq!(home.value("select count(*) from t"), "500");
    assert!(proxy.count(Side::Client) > 500);
}
