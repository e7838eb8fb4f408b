//! Flyway's locations as folders.

use std::path::{Component, Path, PathBuf};

/// A location that is left out, and the one that holds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Within {
    pub(super) location: String,
    pub(super) of: String,
}

/// The folders without those that stand twice or within another one, which is read with all that is below it: as Flyway
/// (`Locations`) leaves them out. Files of one folder would be read twice.
pub(super) fn outermost(folders: Vec<String>) -> (Vec<String>, Vec<Within>) {
    let plain: Vec<PathBuf> = folders.iter().map(|folder| plain(folder)).collect();
    let mut kept = Vec::new();
    let mut left_out = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        let holds = |other: &usize| {
            let (inner, outer) = (&plain[at], &plain[*other]);
            *other != at && inner.starts_with(outer) && (inner != outer || *other < at)
        };
        match (0..folders.len()).find(holds) {
            Some(outer) => left_out.push(Within { location: folder.clone(), of: folders[outer].clone() }),
            None => kept.push(folder.clone()),
        }
    }
    (kept, left_out)
}

/// The path without `.` and without what `..` takes back.
fn plain(folder: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in Path::new(folder).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(path.components().next_back(), Some(Component::Normal(_))) => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_within_another_one_is_left_out() {
        for (given, kept, left_out) in [
            (vec!["sql", "sql/sub"], vec!["sql"], vec![("sql/sub", "sql")]),
            (vec!["sql/sub", "./sql/"], vec!["./sql/"], vec![("sql/sub", "./sql/")]),
            (vec!["sql", "sql/", "./sql"], vec!["sql"], vec![("sql/", "sql"), ("./sql", "sql")]),
            (vec!["a/../sql", "sql/x"], vec!["a/../sql"], vec![("sql/x", "a/../sql")]),
            (vec!["sql", "sql2", "../sql"], vec!["sql", "sql2", "../sql"], vec![]),
            (vec![".", "sql"], vec!["."], vec![("sql", ".")]),
        ] {
            let (found, without) = outermost(given.iter().map(ToString::to_string).collect());
            let without: Vec<(&str, &str)> =
                without.iter().map(|one| (one.location.as_str(), one.of.as_str())).collect();
            assert_eq!((found, without), (kept.iter().map(ToString::to_string).collect(), left_out), "{given:?}");
        }
    }
}
