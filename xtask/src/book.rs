//! `cargo xtask docs`: the book of `docs/`, for reading in a browser.

use std::process::Command;

use anyhow::{Context, Result};

use crate::EXIT_USAGE;
use crate::cargo::Workspace;

/// Builds the book into `target/book`; says how to get mdBook where it is not installed.
pub(crate) fn build(workspace: &Workspace) -> Result<u8> {
    if !Command::new("mdbook").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("error: mdbook is not installed; get it with: cargo install mdbook");
        return Ok(EXIT_USAGE);
    }
    let target = workspace.target.join("book");
    let status = Command::new("mdbook")
        .args(["build", "docs", "--dest-dir"])
        .arg(&target)
        .current_dir(&workspace.root)
        .status()
        .context("cannot run mdbook")?;
    if status.success() {
        println!("{}", target.join("index.html").display());
    }
    Ok(u8::from(!status.success()))
}
