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
mod expression;
mod lines;
mod order;
mod other_backs;
mod outer;
mod patterns;
mod preconditions;
mod properties;
mod property_file;
mod recorded;
mod xml;

use std::collections::{BTreeMap, HashMap};

use limosa_core::{CallbackEvent, Checksum, FileHasher, Identity, Markers, Version};
use limosa_sql::{Diagnostic, EndDelimiter, Engine, Label, Position, placeholders};

use self::attributes::Often;
use self::changelog::Item;
use self::changesets::{ChangeSet, Formatted, no_such_back};
pub(crate) use self::changesets::{WayBack, way_back};
use self::conditions::Around;
use self::order::{Asking, Listed, Passed, Source, unknown_condition};
use self::other_backs::Elsewhere;
use self::outer::Outer;
use self::preconditions::forgiving;
use self::properties::{Properties, Seen};
use self::recorded::{Known, is_alike};
use super::Format;
use super::native::{Entry, FilePart, FileRole, OtherBack, OtherPart, Place, Reference, Wishes, split, unclear};
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
    properties: Properties,
    /// Where each change stands, by its name.
    known: HashMap<String, Known>,
    /// What placeholders stand for where the settings give no value: the value of a property, or the text itself.
    values: BTreeMap<String, String>,
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
        let script = Script { formatted, length: bytes.len() as u64, checksum: checksum_of(bytes) };
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
            property_files: &self.property_files,
        };
        let listed = source.in_order(&mut problems);
        self.is_listed = source.has_lists();
        let engine = self.engine.unwrap_or(Engine::Sqlite);
        let mut gathered = Gathered::new(engine, self.environment.as_deref(), &self.given);
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

    /// Says what a file is for; scripts with changes have entries of their own.
    pub fn classify(&self, path: &str) -> FileRole {
        let is_left_out = self.scripts.contains_key(path) && !self.entries.contains_key(path);
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
            FileRole::Late { version, .. } => version.name().filter(|name| is_meant(name)),
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
        let named = if known.named.often() == Often::OnChange { format!("R:{name}") } else { name.clone() };
        found.next().is_none().then_some(named)
    }

    /// The changes of a script.
    pub(crate) fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        self.entries.get(path).cloned()
    }
}

/// Changes as they are brought into order.
struct Gathered<'g> {
    engine: Engine,
    environment: Option<&'g str>,
    given: &'g BTreeMap<String, String>,
    properties: Properties,
    known: HashMap<String, Known>,
    values: BTreeMap<String, String>,
    entries: HashMap<String, Vec<Entry>>,
    problems: Vec<Diagnostic>,
    /// Places of those that are known.
    places: HashMap<String, (u64, Label, Option<String>)>,
    /// The last one that runs again with each change of its text.
    last_again: Option<String>,
    /// The line of the first such one, as long as none that runs once follows.
    first_again: Option<Label>,
    is_order_told: bool,
}

impl<'g> Gathered<'g> {
    fn new(engine: Engine, environment: Option<&'g str>, given: &'g BTreeMap<String, String>) -> Gathered<'g> {
        Gathered {
            engine,
            environment,
            given,
            properties: Properties::new(engine, environment),
            known: HashMap::new(),
            values: BTreeMap::new(),
            entries: HashMap::new(),
            problems: Vec::new(),
            places: HashMap::new(),
            last_again: None,
            first_again: None,
            is_order_told: false,
        }
    }

    fn formatted(
        &mut self,
        listed: &Listed,
        script: &Script,
        formatted: &Formatted,
        scripts: &BTreeMap<String, Script>,
    ) {
        let Listed { path, name, files, included, .. } = listed;
        let around: Vec<Outer> = listed.around.iter().map(|outer| outer.expanded(&self.seen(files))).collect();
        let header = formatted.logical_path.as_deref().filter(|path| !path.trim().is_empty());
        let of_all = header.or(outer::logical_path(&around)).filter(|_| !around.is_empty());
        let of_5 = header.or(outer::logical_path_of_5(&around));
        if let (Some(path), false) = (of_all, of_all == of_5) {
            self.problems.push(two_paths(name, path, of_5, included.clone()));
        }
        let contexts = outer::contexts(&around);
        self.problems.extend(formatted.problems.iter().cloned());
        self.entries.entry(path.to_owned()).or_default();
        let mut properties = formatted.properties.iter().peekable();
        for (at, change) in formatted.changes.iter().enumerate() {
            // What stands above the line of a change is put into that line; what stands below it, into its text, too.
            while let Some((_, property)) = properties.next_if(|(above, _)| *above <= at) {
                self.properties.add(property);
            }
            let own = change.named.expanded(&self.seen(files));
            let (recorded_contexts, recorded_labels) = recorded(&around, &own);
            let named = own.within(contexts.as_deref());
            while let Some((_, property)) = properties.next_if(|(above, _)| *above <= at + 1) {
                self.properties.add(property);
            }
            // What stands around a file goes before what its changes say.
            let of_own = named.get("logicalFilePath").or(header).unwrap_or(name);
            let called = |path: &str| format!("{path}::{}::{}", named.id, named.author);
            let identity = called(of_all.unwrap_or(of_own));
            let others =
                [of_own, name].into_iter().chain(of_5).map(called).filter(|other| *other != identity).collect();
            let (mut wishes, mut told) = named.wishes(&change.label, self.engine, self.environment);
            told.extend(change.problems.iter().cloned());
            let guard = change.preconditions.guard().cloned();
            wishes.guard = if named.may_fail() { Some(forgiving(guard)) } else { guard }.map(Box::new);
            let Some(place) = self.place(&identity, &change.label, wishes.left_out.clone()) else { continue };
            told.extend(self.take_values(files, (&change.asked, &change.unread), &change.label));
            let always = named.often() == Often::Always;
            let known = Known {
                files: files.to_vec(),
                at: Some(at),
                properties: self.properties.len(),
                named: named.clone(),
                always,
                others,
                contexts: recorded_contexts,
                labels: recorded_labels,
            };
            self.known.insert(identity.clone(), known);
            let role = self.role(&identity, change, place, &mut wishes, &mut told);
            let other = change.back_of_other.as_ref();
            let back_of_other = other.and_then(|other| {
                let line = formatted.changes.get(other.at)?.line;
                Some(OtherBack { file: path.clone(), line, text: other.text.clone() })
            });
            let elsewhere = change.back_elsewhere.as_ref().map(|named| self.elsewhere(named, scripts));
            let (back_elsewhere, other_elsewhere) = match elsewhere {
                Some(Ok((part, other))) => (Some(part), other),
                Some(Err(message)) => {
                    told.push(no_such_back(message, &change.label));
                    (None, None)
                }
                None => (None, None),
            };
            let in_file = other.and_then(|other| formatted.changes.get(other.at));
            let back_delimiter = match in_file.or(other_elsewhere) {
                Some(other) => other.delimiter(&other.named, "endDelimiter", "splitStatements"),
                // Where `--rollback` stood, blanks stand.
                None => change
                    .delimiter(&named, "rollbackEndDelimiter", "rollbackSplitStatements")
                    .map(EndDelimiter::behind_blanks),
            };
            let delimiter = change.delimiter(&named, "endDelimiter", "splitStatements");
            let part = FilePart {
                start: change.start,
                end: change.end,
                line: change.line,
                checksum: script.checksum.clone(),
                markers: Markers::Liquibase,
                delimiter,
                back_delimiter,
                back_of_other,
                back_elsewhere,
            };
            let entry = role.map(|role| Entry { role, part: Some(part), wishes, problems: told });
            self.entries.entry(path.to_owned()).or_default().extend(entry);
        }
    }

    /// What a change of the first of these files sees by now.
    fn seen<'s>(&'s self, files: &'s [String]) -> Seen<'s> {
        self.properties.seen(files, self.properties.len(), self.given)
    }

    /// Finds the value of each placeholder of a change. One has one value for all changes here: what would need another is refused.
    /// `asked` are the names of placeholders, `unread` what looks like one and is none.
    fn take_values(
        &mut self,
        files: &[String],
        (asked, unread): (&[String], &[String]),
        place: &Label,
    ) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let seen = self.seen(files);
        if let Some(inner) = unread.iter().find(|inner| seen.value(inner.trim()).is_some()) {
            let message = format!("${{{inner}}} has a value with liquibase, and is no placeholder here");
            let help = "write it as ${name}: letters, digits, '_', '-' and '.', without blanks";
            problems.push(Diagnostic::error(codes::OTHER_BEHAVIOUR, message).at(place.clone()).help(help));
        }
        for name in asked {
            let value = self.seen(files).value(name);
            let label = || place.clone();
            if self.seen(files).is_of_connection(name) {
                let message = format!("${{{name}}} is what liquibase knows of its connection, and limosa does not");
                let help = format!("give it a value: --placeholder '{name}=...', or limosa.toml ([placeholders])");
                problems.push(Diagnostic::error(codes::OTHER_BEHAVIOUR, message).at(label()).help(help));
                continue;
            }
            match (self.values.get(name), value) {
                (Some(known), value) if *known != value.as_deref().unwrap_or(&itself(name)) => {
                    let message = format!("${{{name}}} has another value here than in a change above it");
                    let help = "give one of the two properties another name; or give it one value for all in limosa.toml ([placeholders])";
                    problems.push(Diagnostic::error(codes::TWO_VALUES, message).at(label()).help(help));
                }
                (Some(_), _) => {}
                (None, Some(value)) => drop(self.values.insert(name.clone(), value)),
                (None, None) => {
                    self.values.insert(name.clone(), itself(name));
                    let message =
                        format!("${{{name}}} has no value, and runs as it stands here, as it does with liquibase");
                    let help = "where it should have one (liquibase takes variables of the environment, too): limosa.toml ([placeholders]), \
                                --placeholder, or a property above it";
                    problems.push(Diagnostic::warning(codes::NO_VALUE, message).at(label()).help(help));
                }
            }
        }
        problems
    }

    /// What a changelog asks before anything runs. It sees so many properties.
    fn asking(&mut self, asking: &Asking, properties: usize, checksum: &Checksum) {
        let Some(path) = asking.files.first() else { return };
        let label = |line: u64| Label::place(path, Position { line, column: 1 });
        let guard = {
            let seen = self.properties.seen(&asking.files, properties, self.given);
            let find = |path: &str, id: &str, author: &str| self.identity_of(path, id, author);
            let around = Around { engine: self.engine, seen: &seen, name: &asking.name, find: &find };
            asking.conditions.guard(&around)
        };
        let guard = match guard {
            Ok(Some(guard)) => guard,
            Ok(None) => return,
            Err((line, wrong)) => return self.problems.push(unknown_condition(&wrong).at(label(line))),
        };
        let first = guard.checks.first().map_or(1, |check| check.position.line);
        let texts = guard.checks.iter().flat_map(|check| check.question.texts());
        let mut asked: Vec<String> =
            texts.flat_map(|text| placeholders(self.engine, text)).map(|(name, _)| name).collect();
        asked.sort();
        asked.dedup();
        let problems = self.take_values(&asking.files, (&asked, &[]), &label(first));
        let entries = self.entries.entry(path.clone()).or_default();
        let name = match entries.len() {
            0 => asking.name.clone(),
            before => format!("{} {}", asking.name, before + 1),
        };
        let part = FilePart {
            start: 0,
            end: 0,
            line: 1,
            checksum: checksum.clone(),
            markers: Markers::Liquibase,
            delimiter: None,
            back_delimiter: None,
            back_of_other: None,
            back_elsewhere: None,
        };
        let role = FileRole::Callback { event: CallbackEvent::BeforeMigrate, name, command: false };
        let wishes = Wishes { guard: Some(Box::new(guard)), ..Wishes::default() };
        entries.push(Entry { role, part: Some(part), wishes, problems });
    }

    /// Where the change stands that a way back names, and the change itself, where its file is no change as a whole. It must stand above.
    fn elsewhere<'s>(
        &self,
        named: &Elsewhere,
        scripts: &'s BTreeMap<String, Script>,
    ) -> Result<(OtherPart, Option<&'s ChangeSet>), String> {
        let Elsewhere { path, id, author } = named;
        let missing =
            || format!("the way back names the change {id} of {author} in {path}, which does not stand above it");
        let wanted = format!("{path}::{id}::{author}").to_lowercase();
        let is_it = |(name, known): &(&String, &Known)| {
            let mut names = std::iter::once(*name).chain(&known.others);
            names.any(|name| is_alike(&name.to_lowercase(), &wanted))
        };
        let mut found: Vec<(&String, &Known)> = self.known.iter().filter(is_it).collect();
        found.sort_by_key(|(name, _)| (name.len().abs_diff(wanted.len()), (*name).clone()));
        let (_, known) = found.first().ok_or_else(missing)?;
        let file = known.files.first().ok_or_else(missing)?;
        let script = scripts.get(file).ok_or_else(missing)?;
        let change = script.formatted.as_ref().zip(known.at).and_then(|(formatted, at)| formatted.changes.get(at));
        let (start, end, line) = change.map_or((0, script.length, 1), |change| (change.start, change.end, change.line));
        Ok((OtherPart { file: file.clone(), start, end, line }, change))
    }

    /// The change that Liquibase calls so, capitals aside: one of these files, or one that only the ledger knows.
    fn identity_of(&self, path: &str, id: &str, author: &str) -> Result<Identity, String> {
        let wanted = format!("{path}::{id}::{author}");
        let lower = wanted.to_lowercase();
        let mut found: Vec<(&String, &Known)> =
            self.known.iter().filter(|(name, _)| is_alike(&name.to_lowercase(), &lower)).collect();
        found.sort_by_key(|(name, _)| (name.len().abs_diff(wanted.len()), (*name).clone()));
        match found.first() {
            None => Ok(Identity::new(wanted)),
            Some((name, known)) if known.always => {
                Err(format!("limosa keeps no record of {name}, which runs with each run (runAlways:true)"))
            }
            Some((name, known)) if known.named.often() == Often::OnChange => Ok(Identity::new(format!("R:{name}"))),
            Some((name, _)) => Ok(Identity::new((*name).clone())),
        }
    }

    /// A file of SQL without comments of Liquibase's, which a changelog includes: it is one change.
    fn raw(&mut self, listed: &Listed, script: &Script) {
        let Listed { path, name, files, .. } = listed;
        let around: Vec<Outer> = listed.around.iter().map(|outer| outer.expanded(&self.seen(files))).collect();
        let identity = format!("{name}::raw::includeAll");
        let own = attributes::Named::default();
        let (contexts, labels) = recorded(&around, &own);
        let named = own.within(outer::contexts(&around).as_deref());
        let (wishes, problems) = named.wishes(&Label::file(path), self.engine, self.environment);
        let Some(place) = self.place(&identity, &Label::file(path), wishes.left_out.clone()) else { return };
        let Some(role) = once(&identity, place, split(name).1) else { return };
        let part = FilePart {
            start: 0,
            end: script.length,
            line: 1,
            checksum: script.checksum.clone(),
            markers: Markers::Liquibase,
            delimiter: None,
            back_delimiter: None,
            back_of_other: None,
            back_elsewhere: None,
        };
        // Liquibase puts no values into such a file.
        let wishes = Wishes { placeholders_off: Some(true), ..wishes };
        let known = Known {
            files: vec![path.to_owned()],
            at: None,
            properties: 0,
            named,
            always: false,
            others: Vec::new(),
            contexts,
            labels,
        };
        self.known.insert(identity, known);
        let entry = Entry { role, part: Some(part), wishes, problems };
        self.entries.entry(path.to_owned()).or_default().push(entry);
    }

    /// The place of a change among all, from 1. None where there is one of that name that is meant for the same database.
    fn place(&mut self, identity: &str, label: &Label, left_out: Option<String>) -> Option<u64> {
        let next = self.places.len() as u64 + 1;
        match self.places.get_mut(identity) {
            None => {
                self.places.insert(identity.to_owned(), (next, label.clone(), left_out));
                Some(next)
            }
            // One for other databases stands for the same change: what runs here counts.
            Some((_, _, _)) if left_out.is_some() => None,
            Some((place, _, before @ Some(_))) => {
                *before = None;
                let place = *place;
                for entries in self.entries.values_mut() {
                    entries.retain(|entry| entry.role.identity().is_none_or(|known| known.as_str() != identity));
                }
                Some(place)
            }
            Some((_, other, None)) => {
                let message = format!("two changes are called {identity}");
                let problem = Diagnostic::error(codes::DUPLICATE_IDENTITY, message)
                    .at(label.clone())
                    .at(other.clone().text("the other one"))
                    .help("give one of them another id");
                self.problems.push(problem);
                None
            }
        }
    }

    fn role(
        &mut self,
        identity: &str,
        change: &ChangeSet,
        place: u64,
        wishes: &mut Wishes,
        told: &mut Vec<Diagnostic>,
    ) -> Option<FileRole> {
        match change.named.often() {
            Often::Once => {
                if let Some(first) = self.first_again.clone().filter(|_| !self.is_order_told) {
                    self.is_order_told = true;
                    let message = "changes with runOnChange:true run here behind all that run once, and some of those stand below this one";
                    let help = "where one of them needs it, let it run once: leave runOnChange out";
                    self.problems.push(Diagnostic::warning(codes::OTHER_BEHAVIOUR, message).at(first).help(help));
                }
                once(identity, place, &change.named.id)
            }
            Often::OnChange => {
                self.first_again.get_or_insert_with(|| change.label.clone());
                if wishes.left_out.is_none() && wishes.environments.is_none() {
                    // They keep their order among each other.
                    let before = self.last_again.replace(identity.to_owned());
                    let label = change.label.clone();
                    wishes.depends_on.extend(before.map(|text| Reference {
                        text: format!("R:{text}"),
                        label,
                        may_be_prose: false,
                    }));
                }
                Some(FileRole::Repeatable { name: identity.to_owned() })
            }
            Often::Always => {
                self.problems.append(told);
                let name = format!("{place:04} {}", change.named.id);
                Some(FileRole::Callback { event: CallbackEvent::AfterMigrate, name, command: false })
            }
        }
    }
}

/// What `databasechangelog` has of the contexts and labels of a change.
fn recorded(around: &[Outer], own: &attributes::Named) -> (Option<String>, Option<String>) {
    (outer::recorded_contexts(around, own.contexts()), outer::recorded_labels(around, own.get("labels")))
}

/// Versions of Liquibase that know the changes of a file by different paths.
fn two_paths(name: &str, path: &str, of_5: Option<&str>, included: Option<Label>) -> Diagnostic {
    let other = of_5.unwrap_or("the path of their file");
    let message = format!(
        "Liquibase 4.33 knows the changes of {name} as {path}, and Liquibase 5 as {other}; limosa takes {path}"
    );
    let help =
        "write it into the first line of that file, where both go by it: --liquibase formatted sql logicalFilePath:...";
    let mut problem = Diagnostic::warning(codes::OTHER_BEHAVIOUR, message).help(help);
    problem.labels.extend(included);
    problem
}

fn checksum_of(bytes: &[u8]) -> Checksum {
    let mut hasher = FileHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// A placeholder that stands for its own text.
fn itself(name: &str) -> String {
    format!("${{{name}}}")
}

/// The role of a change that runs once, whatever ran before it.
fn once(identity: &str, place: u64, name: &str) -> Option<FileRole> {
    let version = Version::parse(&place.to_string()).ok()?.named(identity);
    Some(FileRole::Late { version, label: format!("{place:04}"), name: name.to_owned() })
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
            FileRole::Repeatable { name } => format!("again {name}"),
            FileRole::Callback { event, name, .. } => format!("{event} {name}"),
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
        assert_eq!(said(&logs, "m/a.sql"), ["0001 a.sql::1::ann '1'", "again a.sql::v::ann", "afterMigrate 0003 2"]);
        assert_eq!(said(&logs, "m/sub/b.sql"), ["0004 db/x.sql::1::ann '1'", "again sub/b.sql::w::ann"]);
        for (written, expected) in [
            ("db/m/a.sql::1::ann", Some("a.sql::1::ann")),
            ("x.sql::1::ann", Some("db/x.sql::1::ann")),
            ("b.sql::1::ann", None),
            ("1", None),
        ] {
            let found = logs.meant(&Version::of_name(written)).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{written}");
        }
        let again = &logs.entries("m/sub/b.sql").unwrap()[1];
        assert_eq!(again.wishes.depends_on[0].text, "R:a.sql::v::ann");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].code, problems[0].labels[0].position.unwrap().line), (codes::OTHER_BEHAVIOUR, 4));
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
