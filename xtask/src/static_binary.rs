//! `cargo xtask static`: one binary that needs nothing of the system it runs on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::EXIT_USAGE;
use crate::cargo::Workspace;

/// Builds the binary for musl, and proves that no loader and no library is asked for. `arguments` go to `cargo build` in place
/// of `--release`.
pub(crate) fn build(workspace: &Workspace, arguments: &[String]) -> Result<u8> {
    if !cfg!(target_os = "linux") {
        eprintln!("error: a static binary is built on linux only");
        return Ok(EXIT_USAGE);
    }
    let target = target();
    if !can_be_built(&target)? {
        return Ok(EXIT_USAGE);
    }
    let release = ["--release".to_owned()];
    let words = if arguments.is_empty() { &release } else { arguments };
    let mut command = workspace.cargo();
    command
        .args(["build", "-p", "limosa-cli", "--target", &target, "--message-format=json-render-diagnostics"])
        .args(words);
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot run cargo build")?;
    if !output.status.success() {
        return Ok(1);
    }
    let binary = executable(&String::from_utf8_lossy(&output.stdout)).context("cargo does not say what it built")?;
    let bytes = std::fs::read(&binary).with_context(|| format!("cannot read {binary}"))?;
    if asks_for_a_loader(&bytes)? {
        bail!("{binary} is not static: it asks for a loader");
    }
    println!("{binary}: static, {:.1} MiB", bytes.len() as f64 / f64::from(1 << 20));
    Ok(0)
}

/// The target of the compiler for a static binary that runs here.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// False where something is not installed, which it says, and how to get it.
pub(crate) fn can_be_built(target: &str) -> Result<bool> {
    let missing = missing(target)?;
    if !missing.is_empty() {
        eprintln!("error: a static binary needs\n{}", missing.join("\n"));
    }
    Ok(missing.is_empty())
}

/// What is not installed, and how to get it.
fn missing(target: &str) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let folder = rustc.context("cannot run rustc")?.stdout;
    if !Path::new(String::from_utf8_lossy(&folder).trim()).is_dir() {
        missing.push(format!("  the target {target}: rustup target add {target}"));
    }
    // SQLite and ring are C.
    if Command::new("musl-gcc").arg("--version").output().is_err() {
        missing.push("  musl-gcc, a C compiler for musl: apt-get install musl-tools".to_owned());
    }
    Ok(missing)
}

/// The path of the binary in cargo's messages.
fn executable(messages: &str) -> Option<String> {
    messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(str::to_owned)
    })
}

/// True where an ELF file of 64 bits, little-endian, has a program header of the kind `PT_INTERP`: the loader that a dynamic
/// binary begins with. See the System V ABI, chapter 5.
fn asks_for_a_loader(bytes: &[u8]) -> Result<bool> {
    const PT_INTERP: u64 = 3;
    if bytes.get(..6) != Some(b"\x7fELF\x02\x01") {
        bail!("it is no ELF file of 64 bits");
    }
    let number = |at: usize, length: usize| {
        let field = bytes.get(at..at + length).context("the ELF file is cut off")?;
        anyhow::Ok(field.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    for header in 0..count {
        let at = usize::try_from(table + header * size)?;
        if number(at, 4)? == PT_INTERP {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_asks_for_a_loader_is_found_out() {
        let mut elf = vec![0_u8; 64 + 2 * 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[0x20], elf[0x36], elf[0x38]) = (64, 56, 2);
        elf[64] = 1;
        assert!(!asks_for_a_loader(&elf).unwrap());
        elf[64 + 56] = 3;
        assert!(asks_for_a_loader(&elf).unwrap());
        assert!(asks_for_a_loader(&elf[..100]).is_err());
        assert!(asks_for_a_loader(b"#!/bin/sh").is_err());
    }

    #[test]
    fn the_binary_is_named_in_the_last_message_that_has_one() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/limosa\"}\n{\"reason\":\"build-finished\"}\n";
        assert_eq!(executable(messages).as_deref(), Some("/t/limosa"));
    }
}
