//! Signals to processes, without unsafe code.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Sends a signal by name, through the shell, which always has `kill`.
pub(crate) fn signal(name: &str, pid: u32) -> Result<()> {
    send(name, &pid.to_string())
}

/// Sends a signal to a process and all that it has started, where it leads a process group.
pub(crate) fn signal_group(name: &str, leader: u32) -> Result<()> {
    send(name, &format!("-{leader}"))
}

fn send(name: &str, target: &str) -> Result<()> {
    let output = Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "kill", name, target])
        .stdin(Stdio::null())
        .output()
        .context("cannot run sh to send a signal")?;
    if !output.status.success() {
        bail!("cannot send {name} to process {target}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
