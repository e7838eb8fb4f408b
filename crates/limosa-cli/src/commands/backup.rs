//! `limosa backup`.

use clap::Args;
use limosa::Failure;

use crate::call::Call;
use crate::render::style::harmless;

/// Make a backup of the database into the folder of backups.
///
/// SQLite is copied by its own online backup; PostgreSQL by pg_dump, which must be installed.
#[derive(Debug, Args)]
pub(crate) struct Backup {}

impl Backup {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer = call.migrator()?.backup(call.reporter.as_ref(), call.interrupt.stop()).await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| answer.done.iter().map(|path| format!("backup {}\n", harmless(path))).collect());
        Ok(answer.exit_code)
    }
}
