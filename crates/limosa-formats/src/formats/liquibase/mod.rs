//! Liquibase's formatted SQL as it stands: files that begin with `--liquibase formatted sql` and hold changes below
//! `--changeset author:id`, with their ways back below `--rollback`; and changelogs that include them.
//!
//! A change is known by the path of its file, its id and its author, written as Liquibase writes them: `path::id::author`. Liquibase runs
//! whatever did not run yet, so that no change comes late. Changes that a changelog models in XML, YAML or JSON are no SQL.

mod attributes;
mod built_in;
mod changelog;
mod changesets;
mod conditions;
mod defaults;
mod expression;
mod gathered;
mod lines;
mod modelled;
mod order;
mod other_backs;
mod outer;
mod patterns;
mod preconditions;
mod properties;
mod property_file;
mod recorded;
mod xml;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use limosa_core::{Checksum, FileHasher, Version};
use limosa_sql::{Diagnostic, Engine, Label};

use self::attributes::Chosen;
use self::changelog::Item;
use self::changesets::Formatted;
pub(crate) use self::changesets::{WayBack, way_back};
pub(crate) use self::defaults::{Defaults, FILE as DEFAULTS_FILE};
use self::gathered::Gathered;
use self::order::{Passed, Source};
use self::properties::Properties;
use self::recorded::{Known, is_alike};
use super::Format;
use super::native::{Entry, FileRole, Place, split, unclear};
use crate::codes;

/// The line of the format table. The names of scripts could be anybody's: what they hold speaks for it, or a changelog beside them.
pub const FORMAT: Format = Format {
    name: "liquibase",
    description: "Liquibase's formatted SQL: '--changeset author:id' in any .sql file, and changelogs that include them",
    votes,
    sign: Some(|places, _| places.iter().any(|place| is_named_changelog(place.file))),
};

fn votes(places: &[Place<'_>]) -> usize {
    let is_there = places.iter().any(|place| is_named_changelog(place.file));
    places.iter().filter(|place| is_there && (place.file.ends_with(".sql") || is_named_changelog(place.file))).count()
}

/// A changelog that does not say so in its name, by its first bytes: what is to be said where nothing else is there.
pub(crate) fn told_of_other_name(path: &str, head: &[u8]) -> Option<Diagnostic> {
    const ROOT: &[u8] = b"databaseChangeLog";
    let is_one = changelog::may_be(path) && head.windows(ROOT.len()).any(|part| part == ROOT);
    let message = format!("{} is a changelog of Liquibase's, which its name does not say", split(path).1);
    let help = "to run it: --format liquibase";
    is_one.then(|| Diagnostic::warning(codes::UNCLEAR_NAME, message).at(Label::file(path)).help(help))
}

/// A changelog, by its name.
fn is_named_changelog(file: &str) -> bool {
    changelog::may_be(file) && file.to_ascii_lowercase().contains("changelog")
}

/// True where the head of a file says that it is formatted SQL.
pub(crate) fn is_formatted(head: &[u8]) -> bool {
    changesets::is_formatted(head)
}

/// True for a file that must be read before others are classified.
pub(crate) fn is_told_by(path: &str) -> bool {
    is_script(path) || changelog::may_be(path) || is_property_file(path)
}

fn is_property_file(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".properties")
}

fn is_script(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".sql") && !split(path).1.starts_with('.')
}

/// A script as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Script {
    /// None where it is SQL without Liquibase's comments.
    formatted: Option<Formatted>,
    length: u64,
    checksum: Checksum,
    /// What it holds, where changes of a changelog may name it.
    text: Option<String>,
    /// It is a change of a changelog, and no file.
    of_changelog: Option<OfChangelog>,
}

/// A change of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OfChangelog {
    /// Where it stands there, from 1.
    line: u64,
    /// The tag that it puts upon the database.
    tag: Option<String>,
    /// Why it cannot be run here, where it cannot.
    why_not: Option<String>,
}

/// What the files of a project say together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changelogs {
    /// The folders of migrations.
    folders: Vec<String>,
    scripts: BTreeMap<String, Script>,
    lists: BTreeMap<String, Vec<Item>>,
    /// The changelogs as they were read.
    list_checksums: HashMap<String, Checksum>,
    /// What files of properties hold, by their paths.
    property_files: BTreeMap<String, Vec<(String, String)>>,
    engine: Option<Engine>,
    /// The environment that is chosen.
    environment: Option<String>,
    /// Values of the settings, which go before properties.
    given: BTreeMap<String, String>,
    /// What settings of Liquibase's say.
    defaults: Defaults,
    properties: Properties,
    /// Where each change stands, by its name.
    known: HashMap<String, Known>,
    /// What placeholders stand for where the settings give no value: the value of a property, or the text itself.
    values: BTreeMap<String, String>,
    /// Changes of changelogs that hold SQL alone, by the names of the files that they would be, as formatted SQL.
    modelled: BTreeMap<String, Arc<[u8]>>,
    /// Files of SQL that such changes name.
    named: HashSet<String>,
    /// The changes of each script, once they are in order.
    entries: HashMap<String, Vec<Entry>>,
    /// A changelog says what there is.
    is_listed: bool,
}

impl Changelogs {
    /// Says which folders are meant.
    pub(crate) fn stand_in(&mut self, folders: &[String]) {
        self.folders = folders.to_vec();
    }

    /// Says which environment is chosen, and what the settings give to placeholders.
    pub(crate) fn stand_for(&mut self, environment: Option<&str>, given: &BTreeMap<String, String>) {
        self.environment = environment.map(str::to_owned);
        self.given = given.clone();
    }

    /// Says what settings of Liquibase's say; what limosa's give to placeholders goes before it.
    pub(crate) fn stand_by(&mut self, defaults: Defaults) {
        for (name, value) in &defaults.parameters {
            let is_given = self.given.keys().any(|known| known.eq_ignore_ascii_case(name));
            if !is_given {
                self.given.insert(name.clone(), value.clone());
            }
        }
        self.defaults = defaults;
    }

    /// What settings of Liquibase's say.
    pub(crate) fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// What placeholders stand for where the settings give no value.
    pub(crate) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// True where a changelog says which files there are.
    pub(crate) fn are_listed(&self) -> bool {
        self.is_listed
    }

    /// Reads a script or a changelog.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8], engine: Engine) -> Vec<Diagnostic> {
        self.engine = Some(engine);
        if is_property_file(path) {
            self.property_files.insert(path.to_owned(), property_file::read(bytes));
            return Vec::new();
        }
        if !is_script(path) {
            return match changelog::read(path, &String::from_utf8_lossy(bytes)) {
                Ok(items) => {
                    if let Some(items) = items {
                        self.lists.insert(path.to_owned(), items);
                        self.list_checksums.insert(path.to_owned(), checksum_of(bytes));
                    }
                    Vec::new()
                }
                Err(problem) => vec![*problem],
            };
        }
        let formatted = changesets::is_formatted(bytes).then(|| Formatted::read(path, bytes, engine));
        let text = formatted.is_none().then(|| String::from_utf8_lossy(bytes).into_owned());
        let (length, checksum) = (bytes.len() as u64, checksum_of(bytes));
        let script = Script { formatted, length, checksum, text, of_changelog: None };
        self.scripts.insert(path.to_owned(), script);
        Vec::new()
    }

    /// Brings the changes into their order, once all files were read; says what is wrong with them together.
    pub(crate) fn settle(&mut self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let source = Source {
            folders: &self.folders,
            lists: &self.lists,
            scripts: &self.scripts,
            engine: self.engine.unwrap_or(Engine::Sqlite),
            property_files: &self.property_files,
        };
        let listed = source.in_order(&mut problems);
        self.is_listed = source.has_lists();
        self.named = source.named_by_changes();
        let engine = self.engine.unwrap_or(Engine::Sqlite);
        let chosen = Chosen {
            environment: self.environment.as_deref(),
            contexts: &self.defaults.contexts,
            labels: self.defaults.labels.as_deref(),
        };
        let mut gathered = Gathered::new(engine, chosen, &self.given);
        let mut asking = Vec::new();
        for passed in listed {
            let listed = match passed {
                Passed::Property(property) => {
                    gathered.properties.add(&property);
                    continue;
                }
                Passed::Conditions(one) => {
                    asking.push((one, gathered.properties.len()));
                    continue;
                }
                Passed::Script(listed) => listed,
                Passed::Modelled(listed, change) => {
                    let (path, bytes) = (listed.path.clone(), change.text.into_bytes());
                    let script = Script {
                        formatted: Some(Formatted::read(&path, &bytes, engine)),
                        length: bytes.len() as u64,
                        checksum: checksum_of(&bytes),
                        text: None,
                        of_changelog: Some(OfChangelog { line: change.line, tag: change.tag, why_not: change.why_not }),
                    };
                    self.scripts.insert(path.clone(), script);
                    self.modelled.insert(path, bytes.into());
                    listed
                }
            };
            let Some(script) = self.scripts.get(&listed.path) else { continue };
            match &script.formatted {
                Some(formatted) => gathered.formatted(&listed, script, formatted, &self.scripts),
                None => gathered.raw(&listed, script),
            }
        }
        for (asking, properties) in &asking {
            let checksum = asking.files.first().and_then(|path| self.list_checksums.get(path));
            if let Some(checksum) = checksum {
                gathered.asking(asking, *properties, checksum);
            }
        }
        problems.append(&mut gathered.problems);
        let Gathered { entries, properties, known, values, .. } = gathered;
        (self.entries, self.properties, self.known, self.values) = (entries, properties, known, values);
        problems
    }

    /// Changes of changelogs that hold SQL alone, by the names of the files that they would be.
    pub(crate) fn modelled(&self) -> &BTreeMap<String, Arc<[u8]>> {
        &self.modelled
    }

    /// Says what a file is for; scripts with changes have entries of their own.
    pub fn classify(&self, path: &str) -> FileRole {
        let is_left_out =
            !self.named.contains(path) && self.scripts.contains_key(path) && !self.entries.contains_key(path);
        if !is_left_out {
            return FileRole::Ignored;
        }
        let file = split(path).1;
        let (message, help) = match self.is_listed {
            true => (
                format!("no changelog includes {file}, so liquibase does not run it; it is left out"),
                "include it in the changelog, or move it elsewhere",
            ),
            false => (
                format!("{file} does not begin with '--liquibase formatted sql'; it is left out"),
                "write that line above '--changeset author:id', or move the file elsewhere",
            ),
        };
        unclear(codes::UNCLEAR_NAME, path, message, help)
    }

    /// The change that somebody means who writes it as Liquibase has it in its own table, where the path may count from another folder.
    pub(crate) fn meant(&self, written: &Version) -> Option<Version> {
        let written = written.name()?;
        let is_meant = |known: &str| is_alike(known, written);
        let entries = self.entries.values().flatten();
        let mut found = entries.filter_map(|entry| match &entry.role {
            FileRole::Late { version, .. } | FileRole::Again { place: version, .. } => {
                version.name().filter(|name| is_meant(name))
            }
            _ => None,
        });
        let first = found.next()?;
        found.next().is_none().then(|| Version::of_name(first))
    }

    /// The change that Liquibase may know by this name as well, because it ran before its logical path was written or counted.
    pub(crate) fn by_other_name(&self, key: &str) -> Option<String> {
        let is_it = |known: &Known| known.others.iter().any(|other| is_alike(other, key));
        let mut found = self.known.iter().filter(|(_, known)| is_it(known));
        let (name, known) = found.next()?;
        found.next().is_none().then(|| known.identity(name).to_string())
    }

    /// The changes of a script.
    pub(crate) fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        self.entries.get(path).cloned()
    }
}

fn checksum_of(bytes: &[u8]) -> Checksum {
    let mut hasher = FileHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(files: &[(&str, &str)]) -> (Changelogs, Vec<Diagnostic>) {
        let mut logs = Changelogs::default();
        logs.stand_in(&["m".to_owned()]);
        let mut problems = Vec::new();
        for (path, text) in files {
            problems.extend(logs.add(path, text.as_bytes(), Engine::Postgres));
        }
        problems.extend(logs.settle());
        (logs, problems)
    }

    fn said(logs: &Changelogs, path: &str) -> Vec<String> {
        let shown = |entry: Entry| match entry.role {
            FileRole::Late { version, label, name } => format!("{label} {version} '{name}'"),
            FileRole::Again { name, place, always } => {
                format!("{} {name} at {place}", if always { "always" } else { "again" })
            }
            role => format!("{role:?}"),
        };
        logs.entries(path).unwrap_or_default().into_iter().map(shown).collect()
    }

    const HEAD: &str = "--liquibase formatted sql\n";

    #[test]
    fn changes_are_known_by_path_id_and_author() {
        let first = format!(
            "{HEAD}--changeset ann:1\nselect 1;\n--changeset ann:v runOnChange:true\nselect 2;\n--changeset bob:2 runAlways:true\nselect 3;"
        );
        let second = format!(
            "{HEAD}--changeset ann:1 logicalFilePath:db/x.sql\nselect 1;\n--changeset ann:w runOnChange:true\nselect 1;\n"
        );
        let (logs, problems) = settled(&[("m/a.sql", &first), ("m/sub/b.sql", &second), ("m/c.sql", "select 1;")]);
        assert_eq!(
            said(&logs, "m/a.sql"),
            ["0001 a.sql::1::ann '1'", "again a.sql::v::ann at a.sql::v::ann", "always a.sql::2::bob at a.sql::2::bob"]
        );
        assert_eq!(
            said(&logs, "m/sub/b.sql"),
            ["0004 db/x.sql::1::ann '1'", "again sub/b.sql::w::ann at sub/b.sql::w::ann"]
        );
        for (written, expected) in [
            ("db/m/a.sql::1::ann", Some("a.sql::1::ann")),
            ("x.sql::1::ann", Some("db/x.sql::1::ann")),
            ("b.sql::1::ann", None),
            ("1", None),
        ] {
            let found = logs.meant(&Version::of_name(written)).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{written}");
        }
        assert!(problems.is_empty(), "{problems:?}");
        assert!(matches!(logs.classify("m/c.sql"), FileRole::Unclear(_)));
    }

    #[test]
    fn two_changes_of_one_name_are_for_different_databases() {
        let of = |one: &str, other: &str| {
            format!("{HEAD}--changeset a:1 {one}\nselect 1;\n--changeset a:1 {other}\nselect 2;\n")
        };
        for (one, other, count, wrong) in
            [("dbms:postgresql", "dbms:mysql", 1, 0), ("dbms:mysql", "dbms:postgresql", 1, 0), ("", "", 1, 1)]
        {
            let (logs, problems) = settled(&[("m/a.sql", &of(one, other))]);
            assert_eq!((said(&logs, "m/a.sql").len(), problems.len()), (count, wrong), "{one} {other}");
            let here = logs.entries("m/a.sql").unwrap().remove(0);
            assert!(here.wishes.left_out.is_none());
        }
    }
}
