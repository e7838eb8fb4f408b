//! Which files a tool runs and in which order. Written from the tools' own documentation, and knows nothing of limosa's readers.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::projects::Format;

/// The files that lead up, in the order of the tool.
pub(crate) fn files(folder: &Path, format: Format) -> Result<Vec<PathBuf>> {
    match format {
        Format::Drizzle => journal(folder),
        Format::Diesel => {
            Ok(folders(folder, "up.sql", |name| name.split('_').next().unwrap_or_default().replace('-', ""))?)
        }
        Format::Prisma => Ok(folders(folder, "migration.sql", str::to_owned)?),
        Format::Flyway => flyway(folder),
        Format::Dbmate => sorted(folder, |name| digits(name).is_some(), str::cmp),
        Format::UpDown => sorted(folder, |name| name.ends_with(".up.sql") && is_numbered(name), by_number),
        Format::Sqlx => sorted(folder, |name| !name.ends_with(".down.sql") && is_numbered(name), by_number),
        Format::Goose => sorted(folder, is_numbered, by_number),
        Format::SqlMigrate => sorted(folder, |_| true, |one, other| by_number(one, other).then_with(|| one.cmp(other))),
        Format::Refinery => {
            let number = |name: &str| name.get(1..).unwrap_or_default().to_owned();
            sorted(folder, |name| name.contains("__"), |one, other| by_number(&number(one), &number(other)))
        }
    }
}

/// What Flyway runs behind the migrations, by event and name.
pub(crate) fn behind(folder: &Path, format: Format) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for event in ["afterMigrateApplied", "afterMigrate"].iter().filter(|_| format == Format::Flyway) {
        let is_meant =
            |name: &str| name.strip_prefix(event).is_some_and(|rest| rest == ".sql" || rest.starts_with("__"));
        found.extend(sorted(folder, is_meant, str::cmp)?);
    }
    Ok(found)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(found)
}

fn sorted(
    folder: &Path,
    is_meant: impl Fn(&str) -> bool,
    order: impl Fn(&str, &str) -> Ordering,
) -> Result<Vec<PathBuf>> {
    let mut found = names(folder)?;
    found.retain(|name| name.ends_with(".sql") && is_meant(name));
    found.sort_by(|one, other| order(one, other));
    Ok(found.into_iter().map(|name| folder.join(name)).collect())
}

/// The digits that a name begins with.
fn digits(name: &str) -> Option<&str> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    name.get(..end).filter(|digits| !digits.is_empty())
}

/// Digits, then an underscore.
fn is_numbered(name: &str) -> bool {
    digits(name).is_some_and(|digits| name[digits.len()..].starts_with('_'))
}

fn by_number(one: &str, other: &str) -> Ordering {
    let number = |name: &str| digits(name).and_then(|digits| digits.parse::<u128>().ok());
    number(one).cmp(&number(other))
}

/// A file of one name in each folder, in the order of a key.
fn folders(folder: &Path, file: &str, key: impl Fn(&str) -> String) -> Result<Vec<PathBuf>> {
    let mut found = names(folder)?;
    found.retain(|name| folder.join(name).join(file).is_file());
    found.sort_by_key(|name| key(name));
    Ok(found.into_iter().map(|name| folder.join(name).join(file)).collect())
}

fn journal(folder: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(folder.join("meta/_journal.json"))?;
    let journal: Value = serde_json::from_str(&text)?;
    let entries = journal["entries"].as_array().context("the journal has no entries")?;
    let tags = entries.iter().filter_map(|entry| entry["tag"].as_str());
    Ok(tags.map(|tag| folder.join(format!("{tag}.sql"))).collect())
}

/// Versions by their parts, then what is repeatable by name.
fn flyway(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for name in names(&folder)? {
            let path = folder.join(&name);
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let Some((version, rest)) = name.split_once("__").filter(|_| name.ends_with(".sql")) else { continue };
            match version.strip_prefix('V') {
                Some(version) => found.push((parts(version), String::new(), path.clone())),
                None if version == "R" => found.push((vec![u128::MAX], rest.to_owned(), path.clone())),
                None => {}
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

fn parts(version: &str) -> Vec<u128> {
    let mut parts: Vec<u128> = version.split(['.', '_']).map(|part| part.parse().unwrap_or_default()).collect();
    while parts.last() == Some(&0) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_parts() {
        assert!(parts("2_10") > parts("2.9"));
        assert_eq!(parts("1.0"), parts("1"));
    }

    #[test]
    fn numbers_are_no_texts() {
        assert_eq!(by_number("2_b.up.sql", "10_a.up.sql"), Ordering::Less);
        assert!(is_numbered("0001_a.sql") && !is_numbered("0001-a.sql") && !is_numbered("a_1.sql"));
    }
}
