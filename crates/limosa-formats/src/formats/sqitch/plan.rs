//! `sqitch.plan`: the changes in the order in which they run, with what each depends on, and the tags between them.
//!
//! sqitch 1, `lib/App/Sqitch/Plan.pm` and the manual `sqitchplan`. A change that stands there twice is *reworked*: the script of the
//! earlier one is called `name@tag`, after a tag that stands between the two.

use std::collections::HashMap;

use limosa_sql::{Diagnostic, Label, Position};

use super::identifier::Stated;
use crate::codes;
use crate::native::Reference;

/// How the versions of the syntax begin that are read.
const SYNTAX: &str = "1.";

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// `%project`.
    pub(super) project: String,
    /// `%uri`; empty where there is none.
    pub(super) uri: String,
    /// In the order in which they run.
    pub(super) changes: Vec<Planned>,
    /// Tags, each with the place of the change that it stands behind.
    pub(super) tags: Vec<(String, usize)>,
}

/// A change of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    /// Its name; reworked ones share it.
    pub(super) name: String,
    /// What it is known by here: the name. One that reworks another has the tag before it as well: `name@tag+`.
    pub(super) identity: String,
    /// The names that its scripts may have, without folder and ending; one of them where it was never reworked.
    pub(super) scripts: Vec<String>,
    /// Its line in the plan.
    pub(super) line: u64,
    /// Identities of those that it needs.
    pub(super) requires: Vec<Reference>,
    /// What its line says besides.
    pub(super) stated: Stated,
}

/// A change with its dependencies as written.
struct Written<'t> {
    line: u64,
    text: &'t str,
    dependencies: Vec<&'t str>,
}

impl Plan {
    /// Reads a plan. With errors nothing of it may run.
    pub(super) fn read(path: &str, text: &str) -> (Plan, Vec<Diagnostic>) {
        let mut plan = Plan::default();
        let mut problems = Vec::new();
        let mut written = Vec::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if let Some(pragma) = entry.strip_prefix('%') {
                let (key, value) = pragma.split_once('=').unwrap_or((pragma, ""));
                match key.trim() {
                    "project" => plan.project = value.trim().to_owned(),
                    "uri" => plan.uri = value.trim().to_owned(),
                    "syntax-version" if !value.trim().starts_with(SYNTAX) => {
                        let message = format!("the plan has the syntax {}, and limosa reads 1", value.trim());
                        let help =
                            "let a newer limosa read it, or write the plan as sqitch 1 does: %syntax-version=1.0.0";
                        let label = label(path, number, line, "");
                        problems.push(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help));
                    }
                    _ => {}
                }
                continue;
            }
            if entry.is_empty() {
                continue;
            }
            let added = match entry.strip_prefix('@') {
                Some(tag) => plan.tag(tag).and_then(|()| {
                    let name = tag.split_whitespace().next().unwrap_or_default();
                    stamped(&format!("@{name}"), tag.strip_prefix(name).unwrap_or_default())
                }),
                None => plan.change(entry, number).map(|dependencies| {
                    if let (Some(change), Some((_, note))) = (plan.changes.last_mut(), line.split_once('#')) {
                        note.trim().clone_into(&mut change.stated.note);
                    }
                    written.push(Written { line: number, text: line, dependencies });
                }),
            };
            let added = added.and_then(|()| match plan.changes.last() {
                Some(change) if change.line == number => stamped(&change.name, &change.stated.stamp),
                _ => Ok(()),
            });
            if let Err((message, help)) = added {
                problems.push(
                    Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label(path, number, line, "")).help(help),
                );
            }
        }
        plan.name_scripts(path, &written, &mut problems);
        for (at, change) in written.iter().enumerate().take(plan.changes.len()) {
            for dependency in &change.dependencies {
                let label = label(path, change.line, change.text, dependency);
                problems.extend(plan.depend(at, dependency, label));
            }
        }
        (plan, problems)
    }

    fn tag(&mut self, entry: &str) -> Result<(), (String, String)> {
        let name = entry.split_whitespace().next().unwrap_or_default();
        let refuse = |message: String| Err((message, "let sqitch write the plan: sqitch tag".to_owned()));
        match self.changes.len().checked_sub(1) {
            None => refuse(format!("the tag @{name} stands before the first change")),
            Some(_) if name.is_empty() => refuse("a tag without a name".to_owned()),
            Some(_) if self.tags.iter().any(|(known, _)| known == name) => {
                refuse(format!("the plan has the tag @{name} twice"))
            }
            Some(at) => {
                self.tags.push((name.to_owned(), at));
                Ok(())
            }
        }
    }

    /// Adds a change; gives its dependencies.
    fn change<'t>(&mut self, entry: &'t str, line: u64) -> Result<Vec<&'t str>, (String, String)> {
        let help = || "write NAME [DEPENDENCIES] TIME PLANNER, or let sqitch write the plan: sqitch add".to_owned();
        if entry.starts_with('-') {
            return Err(("a change that is taken out again by the plan is not read".to_owned(), help()));
        }
        let entry = entry.strip_prefix('+').unwrap_or(entry).trim_start();
        let end = entry.find(|letter: char| letter.is_whitespace() || letter == '[').unwrap_or(entry.len());
        let (name, rest) = entry.split_at(end);
        if name.is_empty()
            || name.contains(['@', ':', '\\'])
            || name.split('/').any(|part| part.is_empty() || part == "..")
        {
            return Err((format!("'{name}' is no name of a change"), help()));
        }
        let (dependencies, stamp): (Vec<&str>, &str) = match rest.trim_start().strip_prefix('[') {
            None => (Vec::new(), rest),
            Some(rest) => match rest.split_once(']') {
                Some((inner, stamp)) => (inner.split_whitespace().collect(), stamp),
                None => return Err(("the dependencies are not closed with ']'".to_owned(), help())),
            },
        };
        self.changes.push(Planned {
            name: name.to_owned(),
            identity: name.to_owned(),
            scripts: vec![name.to_owned()],
            line,
            requires: Vec::new(),
            stated: Stated {
                dependencies: dependencies.iter().map(|one| (*one).to_owned()).collect(),
                stamp: stamp.trim().to_owned(),
                note: String::new(),
            },
        });
        Ok(dependencies)
    }

    /// Gives reworked changes their names.
    fn name_scripts(&mut self, path: &str, written: &[Written<'_>], problems: &mut Vec<Diagnostic>) {
        let mut newest: HashMap<String, usize> = HashMap::new();
        for at in 0..self.changes.len() {
            let name = self.changes[at].name.clone();
            let Some(before) = newest.insert(name.clone(), at) else { continue };
            let between = self.tags.iter().filter(|(_, place)| (before..at).contains(place));
            let scripts: Vec<String> = between.map(|(tag, _)| format!("{name}@{tag}")).collect();
            match scripts.first() {
                Some(first) => {
                    self.changes[at].identity = format!("{first}+");
                    self.changes[before].scripts = scripts;
                }
                None => {
                    let first = self.changes[before].line;
                    let message =
                        format!("the plan has {name} twice, and no tag stands between: line {first} has it, too");
                    let label =
                        written.get(at).map_or_else(|| Label::file(path), |one| label(path, one.line, one.text, ""));
                    let help = "take one of the two out, or tag the plan before the change is reworked: sqitch tag, sqitch rework";
                    problems.push(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help));
                }
            }
        }
    }

    /// Takes over a dependency of the change at this place, as written.
    fn depend(&mut self, at: usize, written: &str, label: Label) -> Option<Diagnostic> {
        let (needed, is_conflict) = match written.strip_prefix('!') {
            Some(other) => (other, true),
            None => (written, false),
        };
        let own = format!("{}:", self.project);
        let needed = needed.strip_prefix(&own).unwrap_or(needed);
        let name = self.changes[at].name.clone();
        if needed.contains(':') {
            let (verb, more) = if is_conflict { ("conflicts with", "is not") } else { ("needs", "is") };
            let message =
                format!("{name} {verb} {needed}, which is of another project; whether that {more} there nobody checks");
            let help = "run the migrations of that project first, with its own --project";
            return Some(Diagnostic::warning(codes::OTHER_BEHAVIOUR, message).at(label).help(help));
        }
        match (self.find(needed, at), is_conflict) {
            (Some(other), false) => {
                let text = self.changes[other].identity.clone();
                self.changes[at].requires.push(Reference { text, label, may_be_prose: false });
                None
            }
            (Some(other), true) => {
                let line = self.changes[other].line;
                let message = format!("{name} conflicts with {needed}, which the plan has before it, on line {line}");
                let help = format!(
                    "both cannot be there: take one of the two out of the plan, or let a change before {name} undo {needed} and rework it"
                );
                Some(Diagnostic::error(codes::CONFLICTING_CHANGES, message).at(label).help(help))
            }
            (None, true) => None,
            (None, false) => {
                let message = format!("{name} needs {needed}, which the plan does not have before it");
                let help = "put that change before this one, or correct the name";
                Some(Diagnostic::error(codes::MISSING_DEPENDENCY, message).at(label).help(help))
            }
        }
    }

    /// The place of the change that is meant by `name`, `name@tag`, `@tag`, `@HEAD` or `@ROOT`, among those before `end`.
    pub(super) fn find(&self, written: &str, end: usize) -> Option<usize> {
        let (name, tag) = match written.split_once('@') {
            Some((name, tag)) => (name, Some(tag)),
            None => (written, None),
        };
        let end = match tag {
            None | Some("HEAD" | "LAST") => end,
            Some("ROOT" | "FIRST") => end.min(1),
            Some(tag) => end.min(self.tags.iter().find(|(known, _)| known == tag)?.1 + 1),
        };
        match name {
            "" => end.checked_sub(1),
            name => self.changes[..end].iter().rposition(|change| change.name == name),
        }
    }
}

/// Refuses a line whose end is not a time and a planner, as it is where a plan was cut (`App::Sqitch::Plan`, `_parse`).
fn stamped(name: &str, stamp: &str) -> Result<(), (String, String)> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let refuse = |what: &str| {
        let help = "the plan may have been cut: take it from version control; a line ends with the time and the planner: \
                    2024-01-31T12:00:00Z Ann <ann@example.com>";
        Err((format!("{name} has no {what} in the plan"), help.to_owned()))
    };
    let fits = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    let (date, rest) = match stamp.trim().split_at_checked(FORM.len()) {
        Some((date, rest)) if date.bytes().zip(FORM).all(fits) => (date, rest),
        _ => return refuse("time"),
    };
    let address = rest.strip_suffix('>').and_then(|rest| rest.split_once('<'));
    let is_planner = address.is_some_and(|(planner, address)| {
        planner.starts_with([' ', '\t'])
            && planner.ends_with([' ', '\t'])
            && !planner.trim().is_empty()
            && !address.is_empty()
            && !address.contains('>')
    });
    if is_planner { Ok(()) } else { refuse(&format!("planner behind its time {date}")) }
}

/// A place in a line of the plan.
fn label(path: &str, number: u64, line: &str, word: &str) -> Label {
    let at = if word.is_empty() { 0 } else { line.find(word).unwrap_or(0) };
    let column = line[..at].chars().count() as u64 + 1;
    let length = if word.is_empty() { line.trim_end() } else { word }.chars().count() as u64;
    Label::place(path, Position { line: number, column })
        .line(line.chars().take(300).collect::<String>())
        .length(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "%syntax-version=1.0.0\n%project=flipr\n%uri=https://flipr.example/\n\n\
        roles 2024-01-31T12:00:00Z Ann <ann@example.com> # made # twice\n\
        users/table [roles] 2024-01-31T12:00:01Z Ann <ann@example.com>\n\
        @v1.0 2024-01-31T12:00:02Z Ann <ann@example.com> # first\n\n\
        # a comment\n\
        roles [roles@v1.0 flipr:users/table !gone] 2024-01-31T12:00:03Z Ann <ann@example.com>\n\
        +views [@v1.0 roles] 2024-01-31T12:00:04Z Ann <ann@example.com>\n";

    fn shown(plan: &Plan) -> Vec<String> {
        let needs = |change: &Planned| change.requires.iter().map(|one| one.text.clone()).collect::<Vec<_>>().join(" ");
        plan.changes.iter().map(|one| format!("{} {} [{}]", one.identity, one.scripts[0], needs(one))).collect()
    }

    #[test]
    fn changes_have_their_order_scripts_and_dependencies() {
        let (plan, problems) = Plan::read("sqitch.plan", PLAN);
        assert!(problems.is_empty(), "{problems:?}");
        let expected = [
            "roles roles@v1.0 []",
            "users/table users/table [roles]",
            "roles@v1.0+ roles [roles users/table]",
            "views views [users/table roles@v1.0+]",
        ];
        assert_eq!(shown(&plan), expected);
        assert_eq!((plan.project.as_str(), plan.tags.as_slice()), ("flipr", &[("v1.0".to_owned(), 1)][..]));
        for (written, expected) in [
            ("roles", Some(2)),
            ("roles@v1.0", Some(0)),
            ("@v1.0", Some(1)),
            ("@HEAD", Some(3)),
            ("@ROOT", Some(0)),
            ("@v2", None),
            ("views@v1.0", None),
        ] {
            assert_eq!(plan.find(written, plan.changes.len()), expected, "{written}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (text, code, line, words) in [
            ("a\na\n", codes::BROKEN_TOOL_FILE, 2, "twice"),
            ("a [b]\nb\n", codes::MISSING_DEPENDENCY, 1, "a needs b"),
            ("a\nb [!a]\n", codes::CONFLICTING_CHANGES, 2, "b conflicts with a"),
            ("a\nb [other:x]\n", codes::OTHER_BEHAVIOUR, 2, "another project"),
            ("a [b\n", codes::BROKEN_TOOL_FILE, 1, "not closed"),
            ("@v1\na\n", codes::BROKEN_TOOL_FILE, 1, "before the first change"),
            ("a\n@v1\n@v1\n", codes::BROKEN_TOOL_FILE, 3, "twice"),
            ("../a\n", codes::BROKEN_TOOL_FILE, 1, "no name"),
        ] {
            let stamped: String =
                text.lines().map(|line| format!("{line} 2024-01-31T12:00:00Z Ann <a@b.c>\n")).collect();
            let (_, problems) = Plan::read("sqitch.plan", &stamped);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            let place = problems[0].labels[0].position.unwrap();
            assert_eq!((problems[0].code, place.line), (code, line), "{text}");
            assert!(problems[0].message.contains(words), "{}", problems[0].message);
        }
    }

    #[test]
    fn a_line_that_is_cut_is_an_error() {
        let whole = " 2024-01-31T12:00:00Z Ann <a@b.c>\n";
        for (text, line, words) in [
            ("a{}b 2026-11-26T13:", 2, "b has no time"),
            ("a{}b 2024", 2, "b has no time"),
            ("a{}b", 2, "b has no time"),
            ("a{}b # why", 2, "b has no time"),
            ("a{}b 2024-01-31T12:00:00Z", 2, "b has no planner behind its time"),
            ("a{}b 2024-01-31T12:00:00Z Ann <a@", 2, "b has no planner behind its time"),
            ("a{}b 2024-01-31T12:00:00Z Ann <a@b.c> more", 2, "b has no planner behind its time"),
            ("a{}@v1 2024-01", 2, "@v1 has no time"),
            ("%syntax-version=9.0.0\na{}", 1, "9.0.0"),
        ] {
            let (_, problems) = Plan::read("sqitch.plan", &text.replace("{}", whole));
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            let place = problems[0].labels[0].position.unwrap();
            assert_eq!((problems[0].code, place.line), (codes::BROKEN_TOOL_FILE, line), "{text}");
            assert!(problems[0].message.contains(words), "{}", problems[0].message);
        }
        for text in ["%syntax-version=1.0.0-b2\n a{}", "+ a{}", "a 2024-01-31T12:00:00Z\tAnn B.\t <a@b.c> # why\n"] {
            let (_, problems) = Plan::read("sqitch.plan", &text.replace("{}", whole));
            assert!(problems.is_empty(), "{text}: {problems:?}");
        }
    }
}
