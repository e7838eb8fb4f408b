//! Databases that no test needs any more are dropped behind the tests' back.
//!
//! One takes eight megabytes, and a test binary makes many hundreds of them.

use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use tokio_postgres::Config;

use super::sql;

static NO_LONGER_USED: LazyLock<Mutex<Sender<Use>>> = LazyLock::new(|| {
    let (sender, receiver) = channel::<Use>();
    thread::spawn(move || {
        for unused in receiver {
            // Its server may have been stopped with it, or the test has dropped it itself.
            let _ = sql::run(&unused.administrator, &unused.drop_database);
        }
    });
    Mutex::new(sender)
});

/// What drops a database, and as whom.
#[derive(Debug)]
struct Use {
    administrator: Config,
    drop_database: String,
}

/// Shared by all handles to one database: the database goes with the last of them.
#[derive(Debug)]
pub(super) struct Lease(Option<Use>);

impl Lease {
    /// `administrator` is connected to another database than the one of this name, which needs no quotes.
    pub(super) fn new(name: &str, major: u32, mut administrator: Config) -> Self {
        // Sessions that tests left open would keep an older server from it, which is no harm.
        let force = if major >= 13 { " with (force)" } else { "" };
        administrator.connect_timeout(Duration::from_secs(5));
        Self(Some(Use { administrator, drop_database: format!("drop database if exists {name}{force}") }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(unused) = self.0.take() else { return };
        if let Ok(sender) = NO_LONGER_USED.lock() {
            let _ = sender.send(unused);
        }
    }
}
