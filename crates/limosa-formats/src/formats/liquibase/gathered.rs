//! The changes of a project as they are brought into order: what each is called, what it sees, and what is asked before it.

use std::collections::{BTreeMap, HashMap};

use limosa_core::{CallbackEvent, Checksum, Identity, Markers, Version};
use limosa_sql::{Diagnostic, EndDelimiter, Engine, Label, Position, placeholders};

use super::Script;
use super::attributes::{self, Chosen, Named, Often};
use super::changesets::{ChangeSet, Formatted, no_such_back};
use super::conditions::Around;
use super::order::{Asking, Listed, unknown_condition};
use super::other_backs::Elsewhere;
use super::outer::{self, Outer};
use super::preconditions::forgiving;
use super::properties::{Properties, Seen};
use super::recorded::{Known, is_alike};
use crate::codes;
use crate::native::{Entry, FilePart, FileRole, OtherBack, OtherPart, Wishes, split};

/// Changes as they are brought into order.
pub(super) struct Gathered<'g> {
    engine: Engine,
    chosen: Chosen<'g>,
    given: &'g BTreeMap<String, String>,
    pub(super) properties: Properties,
    pub(super) known: HashMap<String, Known>,
    pub(super) values: BTreeMap<String, String>,
    pub(super) entries: HashMap<String, Vec<Entry>>,
    pub(super) problems: Vec<Diagnostic>,
    /// Places of those that are known.
    places: HashMap<String, (u64, Label, Option<String>)>,
}

impl<'g> Gathered<'g> {
    pub(super) fn new(engine: Engine, chosen: Chosen<'g>, given: &'g BTreeMap<String, String>) -> Gathered<'g> {
        Gathered {
            engine,
            chosen,
            given,
            properties: Properties::new(engine, &chosen.contexts()),
            known: HashMap::new(),
            values: BTreeMap::new(),
            entries: HashMap::new(),
            problems: Vec::new(),
            places: HashMap::new(),
        }
    }

    pub(super) fn formatted(
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
            let (mut wishes, mut told) =
                named.wishes(&change.label, self.engine, self.chosen, recorded_labels.as_deref());
            told.extend(change.problems.iter().cloned());
            let guard = change.preconditions.guard().cloned();
            wishes.guard = if named.may_fail() { Some(forgiving(guard)) } else { guard }.map(Box::new);
            let Some(place) = self.place(&identity, &change.label, wishes.left_out.clone()) else { continue };
            told.extend(self.take_values(files, (&change.asked, &change.unread), &change.label));
            let known = Known {
                files: files.to_vec(),
                at: Some(at),
                properties: self.properties.len(),
                named: named.clone(),
                others,
                contexts: recorded_contexts,
                labels: recorded_labels,
            };
            self.known.insert(identity.clone(), known);
            let why_not = script.of_changelog.as_ref().and_then(|it| Some((it.line, it.why_not.as_deref()?)));
            let role = match why_not.filter(|_| wishes.left_out.is_none()) {
                Some(why_not) => no_sql(&identity, change, place, files, why_not),
                None => role(&identity, change, place),
            };
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
                markers: change.markers(&named, self.engine),
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
    pub(super) fn asking(&mut self, asking: &Asking, properties: usize, checksum: &Checksum) {
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
        let role = FileRole::Callback { event: CallbackEvent::BeforeMigrate, name: name.into(), command: false };
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
            Some((name, known)) => Ok(known.identity(name)),
        }
    }

    /// A file of SQL without comments of Liquibase's, which a changelog includes: it is one change.
    pub(super) fn raw(&mut self, listed: &Listed, script: &Script) {
        let Listed { path, name, files, .. } = listed;
        let around: Vec<Outer> = listed.around.iter().map(|outer| outer.expanded(&self.seen(files))).collect();
        let identity = format!("{name}::raw::includeAll");
        let own = attributes::Named::default();
        let (contexts, labels) = recorded(&around, &own);
        let named = own.within(outer::contexts(&around).as_deref());
        let (wishes, problems) = named.wishes(&Label::file(path), self.engine, self.chosen, labels.as_deref());
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

/// A placeholder that stands for its own text.
fn itself(name: &str) -> String {
    format!("${{{name}}}")
}

fn role(identity: &str, change: &ChangeSet, place: u64) -> Option<FileRole> {
    let always = match change.named.often() {
        Often::Once => return once(identity, place, &change.named.id),
        Often::OnChange => false,
        Often::Always => true,
    };
    let place = Version::parse(&place.to_string()).ok()?.named(identity);
    Some(FileRole::Again { name: identity.into(), place, always })
}

/// The role of a change that a changelog models of something else than SQL, at a line of it.
fn no_sql(
    identity: &str,
    change: &ChangeSet,
    place: u64,
    files: &[String],
    (line, why): (u64, &str),
) -> Option<FileRole> {
    let version = Version::parse(&place.to_string()).ok()?.named(identity);
    let changelog = files.get(1).map_or(identity, String::as_str);
    let Named { id, author, .. } = &change.named;
    let message = format!("the change {id} of {author} is no SQL ({why}), which cannot be run here");
    let help = format!(
        "what stands before it runs with --to; liquibase update-sql shows what it runs: do that by hand, and then: limosa repair \
         --mark-applied '{}'; or write it as SQL into its place",
        identity.replace('\'', "'\\''")
    );
    let label = Label::place(changelog, Position { line, column: 1 });
    let problem = Box::new(Diagnostic::error(codes::CODE_MIGRATION, message).at(label).help(help));
    Some(FileRole::Program { version, label: format!("{place:04}").into(), name: id.as_str().into(), problem })
}

/// The role of a change that runs once, whatever ran before it.
fn once(identity: &str, place: u64, name: &str) -> Option<FileRole> {
    let version = Version::parse(&place.to_string()).ok()?.named(identity);
    Some(FileRole::Late { version, label: format!("{place:04}").into(), name: name.into() })
}
