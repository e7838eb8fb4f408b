//! Cargo: calls of it, and what it knows about the workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The feature of the binary that is off by default: spans by OpenTelemetry.
pub(crate) const SPANS: &str = "limosa-cli/otel";

/// The feature that holds our splitter against the parser of PostgreSQL itself.
pub(crate) const EXACT_PARSERS: &str = "limosa-sql-oracle/oracle";

/// The workspace that this program was built from.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The folder that cargo builds into.
    pub(crate) target: PathBuf,
    /// The answer of `cargo metadata`, with the resolved graph of packages.
    pub(crate) metadata: Value,
}

impl Workspace {
    /// Asks cargo. The lock file decides the graph; nothing is built.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = cargo()
            .args(["metadata", "--format-version=1"])
            .current_dir(here)
            .output()
            .context("cannot run cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata does not say {key}"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Value> {
        let ids = self.metadata["workspace_members"].as_array();
        self.metadata["packages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(move |package| ids.is_some_and(|ids| ids.contains(&package["id"])))
    }

    /// A call of cargo in the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }
}

/// The cargo that runs this program.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
