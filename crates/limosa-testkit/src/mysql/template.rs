//! A data folder that the server's own program made once and every server copies.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::version::MysqlVersion;
use crate::guardian;
use crate::template::Template;

/// Part of the template's name; raise it when the arguments below change.
const FORM: &str = "b";

/// The size of the redo log, in the folder and in the option file: another size would be changed at each first start.
pub(super) const REDO_LOG: &str = "16M";

/// Puts a fresh data folder at `data`, owned by the servers' user. It has `root` with an empty password, for the unix
/// socket.
pub(super) fn create_data_folder(version: &MysqlVersion, data: &Path) -> Result<()> {
    let template = Template {
        name: format!("{FORM}-{version}-{}", version.server_program().display()),
        proof: "mysql",
        make: &|data| make(version, data),
    };
    template.copy_to(data)
}

fn make(version: &MysqlVersion, data: &Path) -> Result<()> {
    let mut command = if version.is_mariadb() { install_db(version)? } else { initialize(version)? };
    if let Some(base) = version.base() {
        command.arg(format!("--basedir={}", base.display()));
    }
    command.arg(format!("--datadir={}", data.display())).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&said).trim());
    }
    Ok(())
}

fn install_db(version: &MysqlVersion) -> Result<Command> {
    let program = version.program("mariadb-install-db");
    let program = program.with_context(|| format!("{version} has no mariadb-install-db"))?;
    let mut command = guardian::server_command(&program)?;
    command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--force"]);
    command.arg(format!("--innodb-log-file-size={REDO_LOG}"));
    Ok(command)
}

fn initialize(version: &MysqlVersion) -> Result<Command> {
    let mut command = guardian::server_command(version.server_program())?;
    command.args(["--no-defaults", "--initialize-insecure", "--skip-log-bin", "--log-error-verbosity=1"]);
    command.arg(format!("--innodb-redo-log-capacity={REDO_LOG}"));
    Ok(command)
}
