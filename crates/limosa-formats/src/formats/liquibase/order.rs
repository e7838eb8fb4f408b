//! Which files a project's changelogs include, and in which order.

use std::collections::{BTreeMap, HashSet};

use limosa_sql::{Diagnostic, Engine, Label, Position};

use super::Script;
use super::changelog::{Item, What};
use super::conditions::Conditions;
use super::modelled::{self, Modelled};
use super::outer::Outer;
use super::properties::Property;
use crate::codes;
use crate::native::split;

/// A file in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: String,
    /// Its path as Liquibase knows it.
    pub(super) name: String,
    /// It and the changelogs that include it, the nearest first.
    pub(super) files: Vec<String>,
    /// What stands around it, the nearest first.
    pub(super) around: Vec<Outer>,
    /// Where the include that is nearest to it stands.
    pub(super) included: Option<Label>,
}

/// What Liquibase comes past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passed {
    /// A script.
    Script(Listed),
    /// A change of a changelog, as formatted SQL.
    Modelled(Listed, Modelled),
    /// A property of a changelog.
    Property(Property),
    /// What a changelog asks before anything runs.
    Conditions(Asking),
}

/// What a changelog asks before anything runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    /// Its path as Liquibase knows it.
    pub(super) name: String,
    /// It and the changelogs that include it, the nearest first.
    pub(super) files: Vec<String>,
    pub(super) conditions: Conditions,
}

/// What was read.
pub(super) struct Source<'s> {
    pub(super) folders: &'s [String],
    pub(super) lists: &'s BTreeMap<String, Vec<Item>>,
    pub(super) scripts: &'s BTreeMap<String, Script>,
    pub(super) engine: Engine,
    /// What files of properties hold, by their paths.
    pub(super) property_files: &'s BTreeMap<String, Vec<(String, String)>>,
}

/// A walk through the changelogs.
struct Walk<'p> {
    listed: Vec<Passed>,
    seen: HashSet<String>,
    /// The files that are being gone through.
    open: Vec<String>,
    /// What stands around it, the furthest first; includes with their places.
    around: Vec<(Outer, Option<Label>)>,
    problems: &'p mut Vec<Diagnostic>,
}

impl Source<'_> {
    /// True where changelogs say what there is.
    pub(super) fn has_lists(&self) -> bool {
        !self.lists.is_empty()
    }

    /// The files in the order in which Liquibase comes past them: as the root changelog says, or by their paths.
    pub(super) fn in_order(&self, problems: &mut Vec<Diagnostic>) -> Vec<Passed> {
        let mut walk =
            Walk { listed: Vec::new(), seen: HashSet::new(), open: Vec::new(), around: Vec::new(), problems };
        if self.has_lists() {
            if let Some(root) = self.root(walk.problems) {
                self.file(&root, &self.below(&root), &mut walk);
            }
            return walk.listed;
        }
        for (path, script) in self.scripts {
            if script.formatted.is_some() {
                self.file(path, &self.below(path), &mut walk);
            }
        }
        walk.listed
    }

    /// A path below the folder of the migrations.
    fn below(&self, path: &str) -> String {
        let plain = path.replace('\\', "/");
        let inside = self.folders.iter().filter_map(|folder| {
            let folder = folder.replace('\\', "/");
            plain.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/').map(str::to_owned)
        });
        inside.min_by_key(String::len).unwrap_or(plain)
    }

    /// The changelog that no other includes.
    fn root(&self, problems: &mut Vec<Diagnostic>) -> Option<String> {
        let mut included = HashSet::new();
        for (path, items) in self.lists {
            for item in items {
                match &item.what {
                    What::Include { file, is_relative, .. } => included.extend(self.found(file, *is_relative, path)),
                    What::IncludeAll { path: folder, is_relative, .. } => {
                        included.extend(self.all_in(folder, *is_relative, path).into_iter().filter(|it| it != path));
                    }
                    _ => {}
                }
            }
        }
        let roots: Vec<&String> = self.lists.keys().filter(|path| !included.contains(*path)).collect();
        match roots.as_slice() {
            [root] => Some((*root).clone()),
            [] => {
                let message = "the changelogs of this folder include each other, and none is the first";
                let help = "one of them is the one that liquibase is given (--changelog-file): let no other include it";
                let label = self.lists.keys().next().map(Label::file);
                let mut problem = Diagnostic::error(codes::BROKEN_TOOL_FILE, message).help(help);
                problem.labels.extend(label);
                problems.push(problem);
                None
            }
            [one, other, ..] => {
                let message = format!(
                    "{one} and {other} are changelogs, and no other includes them: nobody knows which is meant"
                );
                let help = "give each a folder of its own and name one: --dir; or include one in the other";
                problems.push(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(Label::file(*one)).help(help));
                None
            }
        }
    }

    /// Comes past a file, and what it includes.
    fn file(&self, path: &str, name: &str, walk: &mut Walk<'_>) {
        if !walk.seen.insert(path.to_owned()) {
            return;
        }
        walk.open.push(path.to_owned());
        if self.scripts.contains_key(path) {
            let files = walk.open.iter().rev().cloned().collect();
            let around = walk.around.iter().rev().map(|(outer, _)| outer.clone()).collect();
            let included = walk.around.last().and_then(|(_, place)| place.clone());
            let (path, name) = (path.to_owned(), name.to_owned());
            walk.listed.push(Passed::Script(Listed { path, name, files, around, included }));
        }
        if let Some(items) = self.lists.get(path) {
            let root = items.iter().find_map(|item| match &item.what {
                What::Root(outer) => Some(outer.clone()),
                _ => None,
            });
            walk.around.push((root.unwrap_or(Outer { is_root: true, ..Outer::default() }), None));
            // What it gives to placeholders counts for all of it.
            self.properties(path, items, walk);
            self.items(path, name, items, walk);
            walk.around.pop();
        }
        walk.open.pop();
    }

    fn properties(&self, path: &str, items: &[Item], walk: &mut Walk<'_>) {
        for item in items {
            match &item.what {
                What::Property(property) => walk.listed.push(Passed::Property(property.clone())),
                What::PropertyFile { file, is_relative, is_needed, property } => {
                    let found = find(self.property_files.keys(), file, *is_relative, path);
                    let values = found.and_then(|found| self.property_files.get(&found));
                    if values.is_none() && *is_needed {
                        walk.problems.push(missing(file, path, item.line));
                    }
                    let properties = values.into_iter().flatten().map(|(name, value)| Property {
                        name: name.clone(),
                        value: value.clone(),
                        ..property.clone()
                    });
                    walk.listed.extend(properties.map(Passed::Property));
                }
                _ => {}
            }
        }
    }

    fn items(&self, path: &str, name: &str, items: &[Item], walk: &mut Walk<'_>) {
        for item in items {
            let label = Label::place(path, Position { line: item.line, column: 1 });
            let around = walk.around.len();
            match &item.what {
                What::Include { file, is_relative, outer } => match self.found(file, *is_relative, path) {
                    Some(found) => {
                        walk.around.push((outer.clone(), Some(label)));
                        self.file(&found, &named(file, *is_relative, name), walk);
                    }
                    None => walk.problems.push(missing(file, path, item.line)),
                },
                What::IncludeAll { path: folder, is_relative, outer } => {
                    walk.around.push((outer.clone(), Some(label)));
                    let wanted = named(folder, *is_relative, name);
                    for found in self.all_in(folder, *is_relative, path) {
                        let inner = self.name_in(&found, &wanted);
                        self.file(&found, &inner, walk);
                    }
                }
                What::ChangeSet { author, id, field } => {
                    let find = |file: &str, is_relative: bool| self.text_of(file, is_relative, path);
                    match Modelled::read(field, (author, id), self.engine, &find) {
                        Ok(change) => self.modelled(path, name, (author, id), change, walk),
                        Err(why) => {
                            let message = format!("the change {id} of {author} cannot be read: {why}");
                            let help = "write it without double quotes and line ends, or take the change into a file of formatted SQL";
                            walk.problems
                                .push(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help));
                        }
                    }
                }
                What::Root(_) | What::Property(_) | What::PropertyFile { .. } => {}
                What::Conditions(conditions) => walk.listed.push(Passed::Conditions(Asking {
                    name: name.to_owned(),
                    files: walk.open.iter().rev().cloned().collect(),
                    conditions: (**conditions).clone(),
                })),
                What::UnknownCondition(wrong) => walk.problems.push(unknown_condition(wrong).at(label)),
                What::Other(what) => {
                    let message = format!("{what} is not read here");
                    let help = "where it decides what runs, write that into the changes themselves; else take it out";
                    let is_include = what.contains(" of include");
                    let problem = if is_include { Diagnostic::error } else { Diagnostic::warning };
                    walk.problems.push(problem(codes::OTHER_BEHAVIOUR, message).at(label).help(help));
                }
            }
            walk.around.truncate(around);
        }
    }

    /// Comes past a change that a changelog holds. It stands in a file of its own, which is nowhere but here.
    fn modelled(&self, path: &str, name: &str, (author, id): (&str, &str), change: Modelled, walk: &mut Walk<'_>) {
        let own = format!("{path}::{id}::{author}");
        let others = (2..).map(|number| format!("{own} ({number})"));
        let Some(own) = std::iter::once(own.clone()).chain(others).find(|one| walk.seen.insert(one.clone())) else {
            return;
        };
        let files = std::iter::once(own.clone()).chain(walk.open.iter().rev().cloned()).collect();
        let around = walk.around.iter().rev().map(|(outer, _)| outer.clone()).collect();
        let included = walk.around.last().and_then(|(_, place)| place.clone());
        let listed = Listed { path: own, name: name.to_owned(), files, around, included };
        walk.listed.push(Passed::Modelled(listed, change));
    }

    /// The text of a file of SQL that a change of this changelog names.
    fn text_of(&self, file: &str, is_relative: bool, changelog: &str) -> Option<String> {
        let found = find(self.scripts.keys(), file, is_relative, changelog)?;
        self.scripts.get(&found)?.text.clone()
    }

    /// The files of SQL that changes of changelogs name.
    pub(super) fn named_by_changes(&self) -> HashSet<String> {
        let mut named = HashSet::new();
        for (path, items) in self.lists {
            let changes = items.iter().filter_map(|item| match &item.what {
                What::ChangeSet { field, .. } => Some(&**field),
                _ => None,
            });
            for (file, is_relative) in changes.flat_map(modelled::files) {
                named.extend(find(self.scripts.keys(), &file, is_relative, path));
            }
        }
        named
    }

    fn paths(&self) -> impl Iterator<Item = &String> {
        self.lists.keys().chain(self.scripts.keys())
    }

    /// The file that an include of a changelog means.
    fn found(&self, file: &str, is_relative: bool, changelog: &str) -> Option<String> {
        find(self.paths(), file, is_relative, changelog)
    }

    /// The files below a folder that an `includeAll` means, by their paths.
    fn all_in(&self, folder: &str, is_relative: bool, changelog: &str) -> Vec<String> {
        let written = normal(without_scheme(folder));
        let wanted = match is_relative {
            true => normal(&format!("{}/{folder}", split(changelog).0.replace('\\', "/"))),
            false => written.clone(),
        };
        let is_below = |path: &&String| {
            let path = normal(split(path).0);
            let below = |path: &str, folder: &str| {
                path == folder || path.starts_with(&format!("{folder}/")) || folder.is_empty()
            };
            match is_relative {
                true => below(&path, &wanted),
                false => {
                    below(&path, &wanted)
                        || format!("/{path}/").contains(&format!("/{wanted}/"))
                        || self.is_root_of(&wanted, &path)
                }
            }
        };
        let mut found: Vec<String> = self.paths().filter(is_below).filter(|path| *path != changelog).cloned().collect();
        found.sort();
        found
    }

    /// True where a folder is written with more before it than the folders of the migrations are: `db/sql` for `--dir sql`.
    fn is_root_of(&self, wanted: &str, path: &str) -> bool {
        self.folders.iter().map(|folder| normal(folder)).any(|folder| {
            !folder.is_empty()
                && (wanted == folder || wanted.ends_with(&format!("/{folder}")))
                && path.starts_with(&folder)
        })
    }

    /// How Liquibase calls a file of a folder that it calls `folder`.
    fn name_in(&self, path: &str, folder: &str) -> String {
        let path = normal(path);
        let last = folder.rsplit('/').next().unwrap_or(folder);
        let inside = match folder.is_empty() {
            true => self.below(&path),
            false => {
                path.rsplit_once(&format!("{last}/")).map_or_else(|| self.below(&path), |(_, rest)| rest.to_owned())
            }
        };
        normal(&format!("{folder}/{inside}"))
    }
}

fn find<'p>(paths: impl Iterator<Item = &'p String>, file: &str, is_relative: bool, changelog: &str) -> Option<String> {
    let mut paths = paths;
    if is_relative {
        let wanted = normal(&format!("{}/{file}", split(changelog).0.replace('\\', "/")));
        return paths.find(|path| normal(path) == wanted).cloned();
    }
    let wanted = normal(without_scheme(file));
    // The search path of Liquibase is not known: the file whose path has most in common with what is written, from its end on.
    let alike = paths.map(|path| (in_common(&normal(path), &wanted), path));
    let fits = alike.filter(|(count, path)| *count == parts(&normal(path)).min(parts(&wanted)));
    fits.max_by_key(|(count, path)| (*count, std::cmp::Reverse(path.len()))).map(|(_, path)| path.clone())
}

/// A precondition of a changelog that cannot be asked.
pub(super) fn unknown_condition(wrong: &str) -> Diagnostic {
    let help = "ask it with sqlCheck, which may hold any query and the text that it must give; or take it out, and nothing is asked";
    Diagnostic::error(codes::UNKNOWN_CONDITION, wrong).help(help)
}

fn missing(file: &str, changelog: &str, line: u64) -> Diagnostic {
    let message = format!("the changelog includes {file}, and there is no such file here");
    let help =
        "take it from version control, or the include out; where it stands in another folder, name that, too: --dir";
    let label = Label::place(changelog, Position { line, column: 1 });
    Diagnostic::error(codes::LISTED_FILE_MISSING, message).at(label).help(help)
}

/// How Liquibase calls a file that a changelog of this name includes.
fn named(file: &str, is_relative: bool, changelog: &str) -> String {
    match is_relative {
        true => normal(&format!("{}/{file}", split(changelog).0)),
        false => normal(without_scheme(file)),
    }
}

fn without_scheme(file: &str) -> &str {
    file.strip_prefix("classpath:").unwrap_or(file)
}

/// A path with `/` between its parts, none of which is `.`, `..` or nothing, as far as that can be.
fn normal(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".") {
        match kept.last() {
            Some(last) if part == ".." && *last != ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    kept.join("/")
}

fn parts(path: &str) -> usize {
    path.split('/').count()
}

/// How many parts two paths have in common, from their ends on.
fn in_common(one: &str, other: &str) -> usize {
    one.rsplit('/').zip(other.rsplit('/')).take_while(|(mine, theirs)| mine == theirs).count()
}

#[cfg(test)]
mod tests {
    use limosa_core::Checksum;

    use super::super::changesets::Formatted;
    use super::*;

    fn listed(folders: &[&str], lists: &[(&str, Vec<What>)], scripts: &[&str]) -> (Vec<String>, Vec<&'static str>) {
        let items = |whats: &[What]| whats.iter().map(|what| Item { line: 1, what: what.clone() }).collect();
        let lists = lists.iter().map(|(path, whats)| ((*path).to_owned(), items(whats))).collect();
        let script = || Script {
            formatted: Some(Formatted::default()),
            length: 0,
            checksum: Checksum::of(b""),
            text: None,
            of_changelog: None,
        };
        let scripts = scripts.iter().map(|path| ((*path).to_owned(), script())).collect();
        let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        let values = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        let property_files = BTreeMap::from([
            ("db/changelog/a.properties".to_owned(), values("a")),
            ("db/changelog/sub/b.properties".to_owned(), values("b")),
        ]);
        let source = Source {
            folders: &folders,
            lists: &lists,
            scripts: &scripts,
            engine: Engine::Postgres,
            property_files: &property_files,
        };
        let mut problems = Vec::new();
        let found = source.in_order(&mut problems);
        let shown = |one: Passed| match one {
            Passed::Script(one) | Passed::Modelled(one, _) => format!("{} {}", one.path, one.name),
            Passed::Property(property) => format!("{}={}", property.name, property.value),
            Passed::Conditions(asking) => format!("asks {}", asking.name),
        };
        let shown = found.into_iter().map(shown).collect();
        (shown, problems.iter().map(|problem| problem.code).collect())
    }

    fn include(file: &str, is_relative: bool) -> What {
        What::Include { file: file.to_owned(), is_relative, outer: Outer::default() }
    }

    fn property_file(file: &str, is_relative: bool, is_needed: bool) -> What {
        What::PropertyFile { file: file.to_owned(), is_relative, is_needed, property: Property::default() }
    }

    fn all(path: &str, is_relative: bool) -> What {
        What::IncludeAll { path: path.to_owned(), is_relative, outer: Outer::default() }
    }

    #[test]
    fn changelogs_say_the_order() {
        let scripts = ["db/changelog/a.sql", "db/changelog/sql/b.sql", "db/changelog/sql/c.sql"];
        let root = "db/changelog/root.xml";
        for (whats, expected, problems) in [
            (
                vec![include("sql/c.sql", true), include("db/changelog/a.sql", false)],
                &["db/changelog/sql/c.sql sql/c.sql", "db/changelog/a.sql db/changelog/a.sql"][..],
                &[][..],
            ),
            (
                vec![all("sql", true), include("classpath:changelog/a.sql", false)],
                &[
                    "db/changelog/sql/b.sql sql/b.sql",
                    "db/changelog/sql/c.sql sql/c.sql",
                    "db/changelog/a.sql changelog/a.sql",
                ],
                &[],
            ),
            (
                vec![all("db/changelog/sql/", false)],
                &["db/changelog/sql/b.sql db/changelog/sql/b.sql", "db/changelog/sql/c.sql db/changelog/sql/c.sql"],
                &[],
            ),
            (vec![include("lost.sql", true), include("other/a.sql", false)], &[], &["LIM-F037", "LIM-F037"]),
            (
                vec![
                    property_file("db/changelog/a.properties", false, true),
                    include("sql/c.sql", true),
                    property_file("sub/b.properties", true, true),
                    property_file("lost.properties", true, true),
                    property_file("lost.properties", true, false),
                ],
                &["a=1", "b=1", "db/changelog/sql/c.sql sql/c.sql"],
                &["LIM-F037"],
            ),
            (vec![What::Other("other".to_owned())], &[], &["LIM-F045"]),
            (vec![What::UnknownCondition("x".to_owned())], &[], &["LIM-F063"]),
        ] {
            let (found, codes) = listed(&["db/changelog"], &[(root, whats.clone())], &scripts);
            assert_eq!(
                (found.as_slice(), codes.as_slice()),
                (&expected.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..], problems),
                "{whats:?}"
            );
        }
        let nested =
            [(root, vec![include("more.yaml", true)]), ("db/changelog/more.yaml", vec![include("a.sql", true)])];
        assert_eq!(listed(&["db/changelog"], &nested, &scripts).0, ["db/changelog/a.sql a.sql"]);
    }

    #[test]
    fn without_changelogs_paths_say_it() {
        let (found, _) = listed(&["m"], &[], &["m/b/x.sql", "m/a.sql"]);
        assert_eq!(found, ["m/a.sql a.sql", "m/b/x.sql b/x.sql"]);
        let two = [("a.xml", Vec::new()), ("b.xml", Vec::new())];
        assert_eq!(listed(&[], &two, &[]).1, ["LIM-F035"]);
        let circle = [("a.xml", vec![include("b.xml", true)]), ("b.xml", vec![include("a.xml", true)])];
        assert_eq!(listed(&[], &circle, &[]).1, ["LIM-F035"]);
    }
}
