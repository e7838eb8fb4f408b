//! Names and sizes of source files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo::Workspace;

/// Names that say nothing: what stands there belongs beside its noun.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "utilities", "common", "helper", "helpers", "misc", "manager", "managers"];

/// Lines of a file, without its tests, beyond which it holds more than one subject.
const LIMIT: usize = 600;

/// Files that may be longer because they are one flat table.
const TABLES: [&str; 0] = [];

/// Checks every Rust file of every crate.
pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for package in workspace.members() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        for file in sources(manifest.parent().context("a manifest has no folder")?)? {
            let name = file.strip_prefix(&workspace.root).unwrap_or(&file);
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            problems.extend(check(name, &text));
        }
    }
    problems.sort();
    Ok(problems)
}

fn check(file: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let shown = file.display();
    let in_path = file.components().filter_map(|part| Path::new(part.as_os_str()).file_stem());
    let names = in_path.map(|stem| stem.to_string_lossy().into_owned()).chain(modules(text));
    for name in names.filter(|name| EMPTY_NAMES.contains(&name.as_str())) {
        problems.push(format!("{shown}: the name {name} says nothing; name the subject"));
    }
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    let is_test =
        file.components().any(|part| ["tests", "benches", "tests.rs"].iter().any(|name| part.as_os_str() == *name));
    if lines > LIMIT && !is_test && !TABLES.iter().any(|table| Path::new(table) == file) {
        problems.push(format!("{shown}: {lines} lines without its tests, split it (limit {LIMIT})"));
    }
    problems
}

/// Names of modules that stand inside a file.
fn modules(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        let name = line.strip_prefix("mod ")?.strip_suffix('{')?;
        Some(name.trim().to_owned())
    })
}

/// All Rust files below a crate's folder, without those of other crates and of builds.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let hidden =
                path.file_name().is_some_and(|name| name == "target" || name.to_string_lossy().starts_with('.'));
            if path.is_dir() && !hidden {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found_in_paths_and_in_text() {
        for (file, text, count) in [
            ("crates/a/src/graph.rs", "mod edges;\n", 0),
            ("crates/a/src/utils.rs", "", 1),
            ("crates/a/src/helpers/mod.rs", "", 1),
            ("crates/a/tests/it/common.rs", "", 1),
            ("crates/a/src/lib.rs", "pub(crate) mod misc {\n}\n", 1),
            ("crates/a/src/session_manager.rs", "", 0),
        ] {
            assert_eq!(check(Path::new(file), text).len(), count, "{file}");
        }
    }

    #[test]
    fn long_files_are_found_and_their_tests_do_not_count() {
        let long = "let a = 1;\n".repeat(LIMIT + 1);
        let with_tests = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(check(Path::new("crates/a/src/a.rs"), &long).len(), 1);
        assert_eq!(check(Path::new("crates/a/src/a.rs"), &with_tests).len(), 0);
        assert_eq!(check(Path::new("crates/a/tests/it/a.rs"), &long).len(), 0);
    }
}
