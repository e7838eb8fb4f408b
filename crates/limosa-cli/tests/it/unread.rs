//! Talk that nobody reads: a log driver that stands still.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use limosa_testkit::{Folder, eventually};

use super::stage::{seen, sqlite};

/// Enough that what is said fills a pipe, 64 KiB on Linux.
const MIGRATIONS: usize = 1500;

fn begun(folder: &Folder, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limosa"));
    command.args(["migrate", "-v", "--database", "sqlite:app.db"]).args(more).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn a_reader_that_stands_still_holds_no_run_up() {
    for more in [&[][..], &["--log-format", "json"]] {
        let folder = (1..=MIGRATIONS).fold(Folder::new(), |folder, number| {
            folder.file(&format!("migrations/{number:04}_t.sql"), format!("create table t_{number} (n integer);\n"))
        });
        let child = Mutex::new(begun(&folder, more));
        eventually("it ends, though nobody reads", || child.lock().unwrap().try_wait().unwrap().is_some());
        assert_eq!(child.into_inner().unwrap().wait().unwrap().code(), Some(0), "{more:?}");
        let tables = "select count(*) from sqlite_schema where name like 't\\_%' escape '\\'";
        assert_eq!(seen(&sqlite(&folder.join("app.db")), tables), MIGRATIONS.to_string());
    }
}
