//! Documents: each page of the book stands in its table of contents, and each link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo::Workspace;

/// The folder of the book, and its table of contents.
const BOOK: &str = "docs";
const SUMMARY: &str = "docs/SUMMARY.md";

/// Folders with documents, beside the root itself.
const FOLDERS: [&str; 3] = [BOOK, "examples", "bench"];

/// Checks all documents.
pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let pages = pages(&workspace.root)?;
    let read = |page: &Path| fs::read_to_string(workspace.root.join(page)).unwrap_or_default();
    for page in &pages {
        for link in links(&read(page)) {
            problems.extend(check(page, &link, &pages, &read, &workspace.root));
        }
    }
    let listed: BTreeSet<PathBuf> =
        links(&read(Path::new(SUMMARY))).iter().filter_map(|link| resolve(Path::new(SUMMARY), link)).collect();
    for page in pages.iter().filter(|page| page.starts_with(BOOK) && page.as_path() != Path::new(SUMMARY)) {
        if !listed.contains(page) {
            problems.push(format!("{SUMMARY}: does not list {}", page.display()));
        }
    }
    problems.sort();
    Ok(problems)
}

/// All documents, by their paths below the root.
fn pages(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(PathBuf::new(), false)];
    open.extend(FOLDERS.map(|folder| (PathBuf::from(folder), true)));
    while let Some((folder, below)) = open.pop() {
        let path = root.join(&folder);
        for entry in fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))? {
            let name = folder.join(entry?.file_name());
            if root.join(&name).is_dir() {
                if below {
                    open.push((name, true));
                }
            } else if name.extension().is_some_and(|extension| extension == "md") {
                found.insert(name);
            }
        }
    }
    Ok(found)
}

/// The targets of all links, code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with("    ") {
            // What stands between backquotes is code.
            let prose: Vec<&str> = line.split('`').step_by(2).collect();
            let prose = prose.join("`");
            let parts = prose.split("](").skip(1);
            found.extend(parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())));
        }
    }
    found
}

fn check(
    page: &Path,
    link: &str,
    pages: &BTreeSet<PathBuf>,
    read: &impl Fn(&Path) -> String,
    root: &Path,
) -> Option<String> {
    let shown = page.display();
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let target = resolve(page, link)?;
    if page.starts_with(BOOK) && !target.starts_with(BOOK) {
        return Some(format!("{shown}: the link {link} leads out of the book"));
    }
    if !pages.contains(&target) && !root.join(&target).exists() {
        return Some(format!("{shown}: the link {link} leads nowhere"));
    }
    let (_, anchor) = link.split_once('#')?;
    let found = read(&target).lines().filter(|line| line.starts_with('#')).any(|line| anchor_of(line) == anchor);
    (!found).then(|| format!("{shown}: no heading answers to {link}"))
}

/// The file that a relative link means, below the root.
fn resolve(page: &Path, link: &str) -> Option<PathBuf> {
    let path = link.split('#').next()?;
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut target = PathBuf::new();
    for part in page.parent()?.join(path).components() {
        match part {
            Component::ParentDir => {
                target.pop();
            }
            Component::CurDir => {}
            part => target.push(part),
        }
    }
    Some(target)
}

/// How a heading is addressed: small letters, digits and hyphens.
fn anchor_of(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let letters = words.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_code_is_not() {
        let text = "[a](b.md) and `[c](d.md)` [e](f.md#g)\n```\n[h](i.md)\n```\n    [j](k.md)\n[`l`](m.md)\n";
        assert_eq!(links(text), ["b.md", "f.md#g", "m.md"]);
    }

    #[test]
    fn what_is_wrong_with_a_link_is_said() {
        let pages = BTreeSet::from(["README.md", "docs/a.md", "docs/how-to/b.md"].map(PathBuf::from));
        let read =
            |page: &Path| if page == Path::new("docs/a.md") { "## What it's for\n".to_owned() } else { String::new() };
        let check = |page: &str, link: &str| check(Path::new(page), link, &pages, &read, Path::new("/nonexistent"));
        for (page, link) in [
            ("README.md", "docs/a.md"),
            ("docs/how-to/b.md", "../a.md#what-its-for"),
            ("docs/a.md", "#what-its-for"),
            ("README.md", "https://example.com/x"),
        ] {
            assert_eq!(check(page, link), None, "{page} {link}");
        }
        for (page, link, wanted) in [
            ("README.md", "docs/c.md", "leads nowhere"),
            ("docs/how-to/b.md", "../../README.md", "out of the book"),
            ("docs/how-to/b.md", "../a.md#other", "no heading"),
        ] {
            assert!(check(page, link).is_some_and(|problem| problem.contains(wanted)), "{page} {link}");
        }
    }
}
