//! How often a migration waits for the server, counted by a proxy.

use limosa::MigrateOptions;
use limosa_testkit::Proxy;

use super::{home, shared};
use crate::running::{Running, well};

/// Waits of a run of so many migrations of one statement (`#` is their number); the least of several measurements is the truth on a busy machine.
async fn waits(migrations: usize, statement: &str) -> usize {
    let mut least = usize::MAX;
    for _ in 0..3 {
        let home = home();
        let proxy = Proxy::start(shared()).unwrap();
        home.file("0001_first.sql", "create table t (n int);");
        well(&home.migrate().await);
        for number in 0..migrations {
            home.file(&format!("{:04}_next.sql", number + 2), &statement.replace('#', &number.to_string()));
        }
        let configuration = home.through(&proxy);
        proxy.reset();
        well(&Running::migrate_with(configuration, MigrateOptions::default()).end().await);
        least = least.min(proxy.waits());
    }
    least
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_waits_for_what_goes_out_together() {
    for (statement, expected) in [
        ("insert into t values (#);", 1),
        // Time-outs, what SHOW CREATE shows, the journal, the statement, the journal.
        ("alter table t add column c# int;", 5),
    ] {
        let (one, two) = (waits(1, statement).await, waits(2, statement).await);
        assert_eq!(two - one, expected, "{statement}");
    }
}
