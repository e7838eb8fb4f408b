//! Documents that are made from tables in the code: compared with what stands in the folder, or, where
//! `LIMOSA_UPDATE_DOCS` is set, written anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The table of contents of the book.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Several tests of a process change the table of contents.
static SUMMARY_LOCK: Mutex<()> = Mutex::new(());

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A document says what it should.
///
/// # Panics
/// It does not.
#[track_caller]
pub fn check(name: &str, expected: &str) {
    let path = root().join(name);
    if updating() {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        }
        fs::write(&path, expected).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name} is out of date; run again with LIMOSA_UPDATE_DOCS=1");
}

/// A folder holds these pages and no others, and the table of contents lists them below the page `parent`. The pages are
/// given by file name, with title and text.
///
/// # Panics
/// It does not.
#[track_caller]
pub fn check_pages(folder: &str, parent: &str, pages: &[(String, String, String)]) {
    for (name, _, text) in pages {
        check(&format!("{folder}/{name}"), text);
    }
    let wanted: BTreeMap<&str, ()> = pages.iter().map(|(name, ..)| (name.as_str(), ())).collect();
    for entry in fs::read_dir(root().join(folder)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if wanted.contains_key(name.as_str()) {
            continue;
        }
        assert!(updating(), "{folder}/{name} belongs to nothing; run again with LIMOSA_UPDATE_DOCS=1");
        fs::remove_file(entry.path()).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
    }
    let below = folder.strip_prefix("docs/").unwrap_or(folder);
    let lines: Vec<String> = pages.iter().map(|(name, title, _)| format!("  - [{title}]({below}/{name})")).collect();
    let _guard = SUMMARY_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let summary = fs::read_to_string(root().join(SUMMARY)).unwrap_or_default();
    check(SUMMARY, &with_children(&summary, parent, &lines));
}

fn updating() -> bool {
    std::env::var_os("LIMOSA_UPDATE_DOCS").is_some()
}

/// The table of contents with these lines, and no others, below the line of a page.
fn with_children(summary: &str, parent: &str, children: &[String]) -> String {
    let link = format!("]({parent})");
    let mut text = String::new();
    let mut lines = summary.lines().peekable();
    let mut found = false;
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if line.contains(&link) {
            found = true;
            while lines.next_if(|line| line.starts_with("  ")).is_some() {}
            for child in children {
                text.push_str(child);
                text.push('\n');
            }
        }
    }
    assert!(found, "{SUMMARY} does not list {parent}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_replaced_where_they_belong() {
        let summary = "# Summary\n\n- [A](a.md)\n  - [old](a/old.md)\n- [B](b.md)\n  - [kept](b/kept.md)\n";
        let expected = "# Summary\n\n- [A](a.md)\n  - [new](a/new.md)\n- [B](b.md)\n  - [kept](b/kept.md)\n";
        assert_eq!(with_children(summary, "a.md", &["  - [new](a/new.md)".to_owned()]), expected);
    }
}
