//! A data folder that `initdb` made once and every server copies.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::version::PostgresVersion;
use crate::guardian;
use crate::template::Template;

/// Part of the template's name; raise it when the arguments of `initdb` change.
const FORM: &str = "a";

/// Puts a fresh data folder at `data`, owned by the servers' user.
pub(crate) fn create_data_folder(version: &PostgresVersion, data: &Path) -> Result<()> {
    let template = Template {
        name: format!("{FORM}-{version}-{}", version.bin().display()),
        proof: "PG_VERSION",
        make: &|data| initdb(version, data),
    };
    template.copy_to(data)
}

fn initdb(version: &PostgresVersion, data: &Path) -> Result<()> {
    let program = version.bin().join("initdb");
    let mut command = guardian::server_command(&program)?;
    command
        .arg("--pgdata")
        .arg(data)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
        .args(["--no-sync", "--no-instructions"])
        .stderr(std::process::Stdio::piped());
    let output = command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{} failed ({}): {}", program.display(), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
