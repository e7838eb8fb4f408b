//! `new`: the next migration, as an empty file with its headers, or the files of a change in several steps.

mod add_column;
mod remove_column;
mod rename_table;
mod renumber;
mod template;
mod versions;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use limosa_core::{Change, Direction, Kind, Markers};
use limosa_formats::native::FileRole;
use limosa_formats::{Layout, NewWayBack};
use limosa_sql::Engine;

pub use renumber::RenumberOptions;
pub use template::{Template, TemplateDetails};

use self::template::{Draft, drafts};
use self::versions::Versions;
use self::write::{NewFile, write_all};
use crate::files::{Loaded, load};
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
    /// `now` is the time since the Unix epoch, for versions that are times.
    ///
    /// # Errors
    /// Where the title holds nothing to name a file by, where the folders cannot be read (one that is missing is made), or the
    /// file cannot be written.
    pub fn new_migration(
        &self,
        title: &str,
        kind: NewKind,
        numbering: Numbering,
        now: Duration,
    ) -> Result<DoneAnswer, Failure> {
        let (folder, loaded) = self.present()?;
        scaffold(folder, &loaded, title, kind, numbering, now)
    }

    /// Writes the files of a change in several steps, for the engine that is named or that of the configured database. Needs no
    /// database. `now` is the time since the Unix epoch, for versions that are times.
    ///
    /// # Errors
    /// Where no engine is known, the details do not fit the template, a migration of that name is there already, or a file cannot
    /// be written; then none is.
    pub fn new_from_template(
        &self,
        title: &str,
        template: Template,
        details: &TemplateDetails,
        engine: Option<Engine>,
        numbering: Numbering,
        now: Duration,
    ) -> Result<DoneAnswer, Failure> {
        let engine = engine.map_or_else(|| self.engine(), Ok)?;
        let slug = slug(title)?;
        let drafts = drafts(template, details, engine)?;
        let (folder, Loaded { changes, layout, .. }) = self.present()?;
        let mut versions = Versions::new(&changes, &layout, numbering, now);
        let mut files = Vec::new();
        let mut before = None;
        for draft in &drafts {
            let words = format!("{slug}_{}", draft.step);
            refuse_second(&changes, &words)?;
            let version = versions.next();
            let name = layout.versioned_name(&version, &words);
            let up = text_of(draft, &name, title, engine, before.as_deref());
            let way_back = layout.way_back(&version, &words);
            before = Some(reference(&layout, &name, version));
            files.extend(with_way_back(folder, &name, up, way_back, &format!("{}\n", draft.back)));
        }
        write_all(folder, &files)?;
        let done = files.iter().map(|file| file.path.display().to_string()).collect();
        Ok(DoneAnswer { done, ..DoneAnswer::new("new", None) })
    }

    /// The folder for new files, and the changes that stand in all folders.
    fn present(&self) -> Result<(&Path, Loaded), Failure> {
        let folders = &self.configuration.directories;
        let Some(folder) = folders.first() else {
            return Err(Failure::usage("LIM-U051", "no folder of migrations is named", "name one: --dir migrations"));
        };
        let present: Vec<PathBuf> = folders.iter().filter(|folder| folder.exists()).cloned().collect();
        // Versions stand in names, which are the same for every engine.
        let engine = self.engine().unwrap_or(Engine::Sqlite);
        let loaded = load(&self.configuration, &present, engine)?;
        match loaded.layout.made_by_its_tool() {
            Some((message, help)) => Err(Failure::usage("LIM-U051", message, help)),
            None => Ok((folder, loaded)),
        }
    }
}

/// Writes a new, empty migration, with its way back where that is a file of its own. `now` is the time since the Unix epoch.
///
/// # Errors
/// Where the name holds nothing to name a file by, or the file cannot be written.
fn scaffold(
    folder: &Path,
    loaded: &Loaded,
    title: &str,
    kind: NewKind,
    numbering: Numbering,
    now: Duration,
) -> Result<DoneAnswer, Failure> {
    let slug = slug(title)?;
    let title = one_line(title);
    let heading = |name: &str| format!("-- Migration: {name}\n-- Purpose: {title}\n\n\n");
    let files = match kind {
        NewKind::Repeatable => {
            let Some(name) = loaded.layout.repeatable_name(&slug) else {
                let message = format!("folders of the format {} have no repeatable migrations", loaded.layout.name());
                return Err(Failure::usage("LIM-U051", message, "write a versioned one: leave --repeatable out"));
            };
            vec![NewFile { path: folder.join(&name), text: heading(&name) }]
        }
        NewKind::Versioned => {
            let version = Versions::new(&loaded.changes, &loaded.layout, numbering, now).next();
            let name = loaded.layout.versioned_name(&version, &slug);
            let way_back = loaded.layout.way_back(&version, &slug);
            let place = match &way_back {
                NewWayBack::Section => "leave the section out",
                NewWayBack::Marked(_) => "leave the section empty",
                NewWayBack::File(_) | NewWayBack::Nowhere => "remove this file",
            };
            let back = &format!("-- the SQL that takes it back; {place} where there is none\n");
            with_way_back(folder, &name, heading(&name), way_back, back)
        }
    };
    write_all(folder, &files)?;
    let done = files.iter().map(|file| file.path.display().to_string()).collect();
    Ok(DoneAnswer { done, ..DoneAnswer::new("new", None) })
}

/// A migration with its way back: a section of the same file, or a file of its own where that has a name.
fn with_way_back(folder: &Path, name: &str, up: String, way_back: NewWayBack, back: &str) -> Vec<NewFile> {
    match way_back {
        NewWayBack::Nowhere => vec![NewFile { path: folder.join(name), text: up }],
        NewWayBack::Section => {
            vec![NewFile { path: folder.join(name), text: format!("{up}\n-- limosa:rollback\n{back}") }]
        }
        NewWayBack::Marked(Markers::Liquibase) => {
            let id = name.strip_suffix(".sql").unwrap_or(name);
            let prose = "-- what takes it back follows on lines that begin with '--rollback '\n";
            let back: String = match back.starts_with("-- ") {
                true => prose.to_owned(),
                false => back.lines().map(|line| format!("--rollback {line}\n")).collect(),
            };
            let text = format!("--liquibase formatted sql\n\n--changeset limosa:{id}\n{up}\n{back}");
            vec![NewFile { path: folder.join(name), text }]
        }
        NewWayBack::Marked(markers) => {
            let (above, below) = (markers.of(Direction::Apply), markers.of(Direction::Revert));
            vec![NewFile { path: folder.join(name), text: format!("{above}\n{up}\n{below}\n{back}") }]
        }
        NewWayBack::File(own) => vec![
            NewFile { path: folder.join(name), text: up },
            NewFile { path: folder.join(&own), text: format!("-- The way back of {name}\n\n{back}") },
        ],
    }
}

/// The title as a part of a file's name.
fn slug(title: &str) -> Result<String, Failure> {
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
    Ok(slug)
}

/// The title on one line, because it stands in a comment, and what follows a line break would be SQL.
fn one_line(title: &str) -> String {
    title.split(|character: char| character.is_whitespace() || character.is_control()).collect::<Vec<_>>().join(" ")
}

fn text_of(draft: &Draft, name: &str, title: &str, engine: Engine, before: Option<&str>) -> String {
    let mut headers = vec![format!("Migration: {name}"), format!("Purpose: {}: {}", one_line(title), draft.purpose)];
    headers.extend(before.map(|version| format!("Depends-on: {version}")));
    headers.push(format!("Engines: {}", engine.name()));
    headers.extend(draft.headers.iter().map(|&header| header.to_owned()));
    let headers: String = headers.iter().map(|header| format!("-- {header}\n")).collect();
    format!("{headers}\n{}\n", draft.up)
}

/// What another migration depends on this new one by: its version, or the name that it is known by.
fn reference(layout: &Layout, name: &str, version: String) -> String {
    match layout.classify(name) {
        FileRole::Versioned { version: own, .. } => own.name().map_or(version, str::to_owned),
        _ => version,
    }
}

/// A second call with the same title is a mistake: its files would do the same again, and fail.
fn refuse_second(changes: &[Change], words: &str) -> Result<(), Failure> {
    let spoken = words.replace('_', " ");
    let same = |change: &&Change| matches!(change.kind, Kind::Versioned(_)) && !change.is_code && change.name == spoken;
    match changes.iter().find(same) {
        None => Ok(()),
        Some(change) => Err(Failure::usage(
            "LIM-U055",
            format!("there is a migration of this name already: {}", change.script.file),
            "give another title, or remove that file where it never ran",
        )),
    }
}
