//! The structure of a database as a script, without its rows.

use std::future::Future;
use std::process::Stdio;

use super::MysqlTools;
use super::failure::success;
use super::programs::Purpose;
use crate::backup::tool::{Bell, Tool, conduct, written};
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

/// The script of `mariadb-dump --no-data` or `mysqldump --no-data`, without the tables that are named.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where no fitting program is found; [`DbErrorKind::Cancelled`]; what the program says otherwise.
pub async fn structure(
    tools: &MysqlTools<'_>,
    without: &[String],
    cancelled: impl Future<Output = ()>,
) -> Result<String, DbError> {
    let program = tools.find(Purpose::Dump).await?;
    let (mut command, _handover) = tools.connecting(&program)?;
    command.args(["--no-data", "--routines", "--events", "--triggers", "--skip-comments", "--skip-add-drop-table"]);
    command.args(["--single-transaction", "--skip-lock-tables", "--skip-add-locks", "--no-tablespaces"]);
    if tools.flavor == Flavor::Mysql {
        command.args(["--set-gtid-purged=OFF", "--column-statistics=0"]);
    }
    let database = tools.connection.database();
    command.args(without.iter().map(|table| format!("--ignore-table={database}.{table}")));
    command.arg("--").arg(database).stdout(Stdio::piped());
    let bell = Bell::default();
    let mut dump = Tool::start(command, program.name)?;
    let output = dump.stdout();
    let work = async { tokio::join!(written(output), dump.end(bell.listen())) };
    let (text, ended) = conduct(work, cancelled, &bell, || {}).await;
    success(&ended)?;
    String::from_utf8(text?).map_err(|_| {
        DbError::new(DbErrorKind::Statement, format!("{} wrote something that is not UTF-8", program.name))
    })
}
