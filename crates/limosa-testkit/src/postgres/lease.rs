//! Databases that no test needs any more are dropped behind the tests' back, where the disk is not large.
//!
//! One takes eight megabytes, and a test binary makes many hundreds of them; but each drop is a checkpoint, behind which others wait.

use std::path::PathBuf;
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
            if unused.has_room() {
                continue;
            }
            // Its server may have been stopped with it, or the test has dropped it itself.
            let _ = sql::run(&unused.administrator, &unused.drop_database);
        }
    });
    Mutex::new(sender)
});

/// Bytes of a disk that are enough for all databases of a test binary.
const ENOUGH: u64 = 24 << 30;

/// What drops a database, and as whom.
#[derive(Debug)]
struct Use {
    /// Where its server keeps it; None where that does not matter.
    folder: Option<PathBuf>,
    administrator: Config,
    drop_database: String,
}

impl Use {
    fn has_room(&self) -> bool {
        let free = |folder| rustix::fs::statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        self.folder.as_deref().is_some_and(|folder| free(folder).is_ok_and(|bytes| bytes > ENOUGH))
    }
}

/// Shared by all handles to one database: the database may go with the last of them.
#[derive(Debug)]
pub(super) struct Lease(Option<Use>);

impl Lease {
    /// `administrator` is connected to another database than the one of this name, which needs no quotes.
    pub(super) fn new(name: &str, major: u32, folder: Option<PathBuf>, mut administrator: Config) -> Self {
        // Sessions that tests left open would keep an older server from it, which is no harm.
        let force = if major >= 13 { " with (force)" } else { "" };
        administrator.connect_timeout(Duration::from_secs(5));
        let drop_database = format!("drop database if exists {name}{force}");
        Self(Some(Use { folder, administrator, drop_database }))
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
