//! `new`: the next migration, as an empty file with its headers.

use std::path::{Path, PathBuf};

use limosa_core::{Change, Kind};
use limosa_sql::Engine;

use crate::files::load;
use crate::report::DoneAnswer;
use crate::{Failure, Migrator};

/// How the new version is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbering {
    /// As the folder does already: sequential where the newest version is short, else by time.
    #[default]
    Auto,
    /// The newest version plus one.
    Sequential,
    /// UTC time, `YYYYMMDDHHMMSS`.
    Timestamp,
}

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewKind {
    /// A versioned migration.
    #[default]
    Versioned,
    /// A repeatable one.
    Repeatable,
}

impl Migrator {
    /// Writes the next migration, empty but for its headers, into the first folder of the configuration. Needs no database.
    /// `timestamp` is the time that becomes the version where versions are times; see [`crate::clock::stamp`].
    ///
    /// # Errors
    /// As [`scaffold`], and where the folders cannot be read; one that is missing is made.
    pub fn new_migration(
        &self,
        title: &str,
        kind: NewKind,
        numbering: Numbering,
        timestamp: &str,
    ) -> Result<DoneAnswer, Failure> {
        let folders = &self.configuration.directories;
        let Some(folder) = folders.first() else {
            return Err(Failure::usage("LIM-U051", "no folder of migrations is named", "name one: --dir migrations"));
        };
        let present: Vec<PathBuf> = folders.iter().filter(|folder| folder.exists()).cloned().collect();
        // Versions stand in names, which are the same for every engine.
        let engine = self.engine().unwrap_or(Engine::Sqlite);
        let loaded = load(&self.configuration, &present, engine)?;
        scaffold(folder, &loaded.changes, title, kind, numbering, timestamp)
    }
}

/// Writes a new, empty migration.
///
/// # Errors
/// Where the name holds nothing to name a file by, or the file cannot be written.
pub fn scaffold(
    folder: &Path,
    changes: &[Change],
    title: &str,
    kind: NewKind,
    numbering: Numbering,
    timestamp: &str,
) -> Result<DoneAnswer, Failure> {
    let words: String = title
        .chars()
        .map(|character| if character.is_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
        .collect();
    let slug = words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    if slug.is_empty() {
        return Err(Failure::usage(
            "LIM-U050",
            format!("'{title}' names nothing"),
            "say what it does: limosa new \"create users\"",
        ));
    }
    let name = match kind {
        NewKind::Repeatable => format!("R__{slug}.sql"),
        NewKind::Versioned => format!("{}_{slug}.sql", next(changes, numbering, timestamp)),
    };
    let path = folder.join(&name);
    let text = match kind {
        NewKind::Versioned => format!(
            "-- Migration: {name}\n-- Purpose: {title}\n\n\n\n-- limosa:rollback\n-- the SQL that takes it back; leave the section out where there is none\n"
        ),
        NewKind::Repeatable => format!("-- Migration: {name}\n-- Purpose: {title}\n\n\n"),
    };
    write_new(folder, &path, &text)?;
    Ok(DoneAnswer { done: vec![path.display().to_string()], ..DoneAnswer::new("new", None) })
}

fn write_new(folder: &Path, path: &PathBuf, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let refused = |error: std::io::Error| {
        Failure::usage(
            "LIM-U051",
            format!("{} cannot be written: {error}", path.display()),
            "choose another name, or check the folder",
        )
    };
    std::fs::create_dir_all(folder).map_err(refused)?;
    // create_new: a file that is there is never overwritten.
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(refused)?;
    file.write_all(text.as_bytes()).map_err(refused)
}

fn next(changes: &[Change], numbering: Numbering, timestamp: &str) -> String {
    let newest = changes
        .iter()
        .filter_map(|change| match &change.kind {
            Kind::Versioned(version) => Some((version, change.label.as_str())),
            Kind::Repeatable => None,
        })
        .max_by(|one, other| one.0.cmp(other.0));
    let by_time = match numbering {
        Numbering::Timestamp => true,
        Numbering::Sequential => false,
        Numbering::Auto => newest.is_some_and(|(_, label)| label.len() >= 12),
    };
    if by_time {
        return timestamp.to_owned();
    }
    let (number, width) = match newest {
        Some((version, label)) => {
            let text = version.to_string();
            let first: u128 = text.split('.').next().and_then(|part| part.parse().ok()).unwrap_or(0);
            (first + 1, label.split(['.', '_']).next().map_or(3, str::len))
        }
        None => (1, 3),
    };
    format!("{number:0width$}")
}
