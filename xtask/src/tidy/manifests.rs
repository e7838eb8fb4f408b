//! Lints that every crate must switch on.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::arrows::PURE;
use crate::cargo::Workspace;

/// Checks the manifests, and the lists of forbidden calls of the pure crates.
pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let root = read(&workspace.root.join("Cargo.toml"))?;
    if !has(&root, "workspace.lints.rust", "unsafe_code", "\"forbid\"") {
        problems.push("Cargo.toml: [workspace.lints.rust] must say unsafe_code = \"forbid\"".into());
    }
    for package in workspace.members() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        if !has(&read(manifest)?, "lints", "workspace", "true") {
            let name = &package["name"];
            problems.push(format!("{name}: its Cargo.toml must say [lints] workspace = true"));
        }
    }
    problems.extend(forbidden_calls(workspace));
    problems.extend(rust_version(workspace, &root)?);
    Ok(problems)
}

/// What people and the container are told of the Rust that it takes is what the manifest says.
fn rust_version(workspace: &Workspace, manifest: &str) -> Result<Vec<String>> {
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = line.context("Cargo.toml does not say rust-version")?.trim_matches('"');
    let mut problems = Vec::new();
    for (file, words) in [
        ("Dockerfile", format!("FROM rust:{version}-")),
        ("README.md", format!("Rust {version} ")),
        ("docs/install.md", format!("Rust {version} ")),
    ] {
        if !read(&workspace.root.join(file))?.contains(&words) {
            problems.push(format!("{file}: does not say '{}', as rust-version in Cargo.toml does", words.trim_end()));
        }
    }
    Ok(problems)
}

/// Clippy reads one file per crate and no other beside it, so the pure crates hold equal copies.
fn forbidden_calls(workspace: &Workspace) -> Vec<String> {
    let place = |name: &str| workspace.root.join("crates").join(name).join("clippy.toml");
    let first = fs::read_to_string(place(PURE[0])).unwrap_or_default();
    let mut problems = Vec::new();
    if !first.contains("disallowed-methods") {
        problems.push(format!("{} must list what a pure crate may not call", place(PURE[0]).display()));
    }
    for name in &PURE[1..] {
        if fs::read_to_string(place(name)).unwrap_or_default() != first {
            problems.push(format!("crates/{name}/clippy.toml must equal that of {}", PURE[0]));
        }
    }
    problems
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// True if a TOML file has this line in this section. Enough for files that people format alike.
fn has(toml: &str, section: &str, key: &str, value: &str) -> bool {
    let mut current = "";
    toml.lines().map(str::trim).any(|line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name;
        }
        let pair = line.split_once('=').map(|(left, right)| (left.trim(), right.trim()));
        current == section && pair == Some((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_in_its_own_section_only() {
        let toml = "[package]\nname = \"a\"\n[lints]\nworkspace=true\n[features]\n";
        assert!(has(toml, "lints", "workspace", "true"));
        assert!(!has(toml, "package", "workspace", "true"));
        assert!(!has("[lints]\n# workspace = true\n", "lints", "workspace", "true"));
    }
}
