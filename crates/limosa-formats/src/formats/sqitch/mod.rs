//! Sqitch's projects as they stand: `sqitch.plan` says what there is and in which order; `deploy/NAME.sql` runs once,
//! `revert/NAME.sql` takes it back, `verify/NAME.sql` proves it.
//!
//! sqitch 1: `lib/App/Sqitch/Plan.pm`, `Target.pm` (where scripts stand). Sqitch hands scripts to the client of the database;
//! `${...}` is text there.

mod configuration;
mod identifier;
mod plan;

use std::collections::{BTreeMap, HashMap};

use limosa_core::Version;
use limosa_sql::{Diagnostic, Engine, Label, Position};

use self::configuration::Configuration;
use self::plan::{Plan, Planned};
use super::Format;
use super::native::{Entry, FileRole, Place, RollbackTarget, Wishes, split, unclear};
use crate::codes;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "sqitch",
    description: "Sqitch's: sqitch.plan, with deploy/name.sql, revert/name.sql and verify/name.sql",
    votes,
    sign: Some(has_plan),
};

/// The usual name of the plan.
pub(super) const PLAN: &str = "sqitch.plan";

/// The settings of a project.
const SETTINGS: &str = "sqitch.conf";

/// Where Sqitch keeps its registry where nobody says otherwise.
const USUAL_REGISTRY: &str = "sqitch";

/// The folders of scripts, as they are usually called.
const FOLDERS: [&str; 3] = ["deploy", "revert", "verify"];

/// What a script is for, in the order of [`FOLDERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Deploy,
    Revert,
    Verify,
}

const PURPOSES: [Purpose; 3] = [Purpose::Deploy, Purpose::Revert, Purpose::Verify];

fn has_plan(places: &[Place<'_>], around: &[&str]) -> bool {
    around.contains(&PLAN) || places.iter().any(|place| place.file == PLAN)
}

fn votes(places: &[Place<'_>]) -> usize {
    if has_plan(places, &[]) {
        // A project is often the root of a repository, which holds other SQL as well.
        return places.len();
    }
    let parts = |path: &str| path.split(['/', '\\']).any(|part| FOLDERS.contains(&part));
    places.iter().filter(|place| place.path.ends_with(".sql") && parts(place.path)).count()
}

/// What the files of a project say of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// Path and content of what was read.
    plans: Vec<(String, String)>,
    configuration: Configuration,
    /// Sqitch hands its scripts to psql.
    is_for_psql: bool,
    /// Values of psql's variables, as the settings give them.
    variables: BTreeMap<String, String>,
    /// The plan that counts, with its path.
    plan: Option<(String, Plan)>,
    /// Places in the plan by the names of scripts.
    scripts: HashMap<String, usize>,
}

/// True for a file that must be read before others are classified.
pub(crate) fn is_told_by(path: &str) -> bool {
    let file = split(path).1;
    file == SETTINGS || file.ends_with(".plan")
}

impl Project {
    /// Reads a plan, or the settings of a project.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8], engine: Engine) -> Vec<Diagnostic> {
        self.is_for_psql = engine == Engine::Postgres;
        let Ok(text) = std::str::from_utf8(bytes) else {
            let problem = Diagnostic::error(codes::BROKEN_TOOL_FILE, format!("{path} is not UTF-8"));
            return vec![problem.at(Label::file(path)).help("save it as UTF-8")];
        };
        if split(path).1 != SETTINGS {
            self.plans.push((path.to_owned(), text.to_owned()));
            return Vec::new();
        }
        match Configuration::read(text) {
            Ok(configuration) => {
                self.configuration = configuration;
                let mut problems: Vec<Diagnostic> = self.other_engine(engine).into_iter().collect();
                if self.is_for_psql {
                    let (variables, other) = self.configuration.variables_for("pg");
                    self.variables = variables;
                    problems.extend((!other.is_empty()).then(|| other_values(&other)));
                }
                problems.into_iter().map(|problem| problem.at(Label::file(path))).collect()
            }
            Err(line) => {
                let place = Label::place(path, Position { line, column: 1 });
                let problem = Diagnostic::error(codes::BROKEN_TOOL_FILE, format!("{path} cannot be read")).at(place);
                vec![problem.help("write 'key = value' below '[section]', or let sqitch write it: sqitch config")]
            }
        }
    }

    fn other_engine(&self, engine: Engine) -> Option<Diagnostic> {
        let is_ours = |name: &str| match name {
            "pg" | "cockroach" => engine == Engine::Postgres,
            "mysql" => engine == Engine::Mysql,
            "sqlite" => engine == Engine::Sqlite,
            _ => false,
        };
        let named = self.configuration.engine.as_deref().filter(|name| !is_ours(name))?;
        if self.configuration.engines.iter().any(|name| is_ours(name)) {
            return None;
        }
        let message = format!("this project is for {named}, and the database is {}", engine.title());
        let help = "name the database that is meant: --database; or the folder: --dir. `engine` in sqitch.conf says what it is for";
        Some(Diagnostic::error(codes::OTHER_ENGINE, message).help(help))
    }

    /// Takes the plan of the project, once all files that tell of it were read; says what lacks among these paths.
    pub(crate) fn settle(&mut self, paths: &[&str]) -> Vec<Diagnostic> {
        let named = self.configuration.plan.as_deref().unwrap_or(PLAN);
        let mut plans: Vec<&(String, String)> = self.plans.iter().filter(|(path, _)| split(path).1 == named).collect();
        // One among the files counts before one that stands around them.
        if plans.iter().any(|(path, _)| paths.contains(&path.as_str())) {
            plans.retain(|(path, _)| paths.contains(&path.as_str()));
        }
        plans.dedup();
        let (path, text) = match plans.as_slice() {
            [] if paths.iter().any(|path| path.ends_with(".sql")) => {
                let message =
                    format!("there is no {named}, so nobody knows which changes there are and in which order");
                let help = "name the folder that holds it: --dir, or in limosa.toml: dir = \".\"";
                return vec![Diagnostic::error(codes::BROKEN_TOOL_FILE, message).help(help)];
            }
            [] => return Vec::new(),
            [one] => (one.0.clone(), one.1.clone()),
            [one, other, ..] => {
                let message = format!("there are two plans, {} and {}, and they are two projects", one.0, other.0);
                let help = "name the folder of one: --dir; for the other run limosa again, with --project";
                return vec![Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(Label::file(&one.0)).help(help)];
            }
        };
        let (plan, mut problems) = Plan::read(&path, &text);
        let named =
            |(at, change): (usize, &Planned)| change.scripts.iter().map(move |name| (name.clone(), at)).collect();
        self.scripts = plan.changes.iter().enumerate().flat_map::<Vec<_>, _>(named).collect();
        self.plan = Some((path, plan));
        problems.extend(self.missing(paths));
        problems
    }

    /// The project's name, by which Sqitch tells projects of one database apart; None where there is no plan.
    pub fn name(&self) -> Option<&str> {
        self.plan.as_ref().map(|(_, plan)| plan.project.as_str()).filter(|name| !name.is_empty())
    }

    /// True where scripts are psql's, with its variables and commands.
    pub fn is_for_psql(&self) -> bool {
        self.is_for_psql
    }

    /// The values that `sqitch.conf` gives to psql's variables.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// What Sqitch calls its registry on SQLite, where it is a file of its own.
    pub fn registry(&self) -> &str {
        self.configuration.registry("sqlite").unwrap_or(USUAL_REGISTRY)
    }

    /// The schema, or the database on MySQL, in which Sqitch keeps its registry, with what says so; None where that is the usual schema,
    /// and on SQLite. On MySQL it is never the database that the changes are made in, so that nobody finds it there.
    pub(crate) fn registry_schema(&self, engine: Engine) -> Option<(&str, &'static str)> {
        let named = match engine {
            Engine::Postgres => self.configuration.registry("pg")?,
            Engine::Mysql => match self.configuration.registry("mysql") {
                Some(named) => named,
                None => return Some((USUAL_REGISTRY, "the default of Sqitch")),
            },
            _ => return None,
        };
        Some((named, SETTINGS))
    }

    /// The ids that Sqitch gives to changes, by their identities; without those that the plan does not tell for certain.
    pub fn identifiers(&self) -> HashMap<&str, String> {
        let Some((_, plan)) = &self.plan else { return HashMap::new() };
        let ids = plan.changes.iter().zip(identifier::identifiers(plan));
        ids.filter_map(|(change, id)| Some((change.identity.as_str(), id?))).collect()
    }

    /// What the plan says of a change that Sqitch makes its id of, part by part, besides its name and the changes before it; nothing
    /// for one that is not in the plan.
    pub fn stated(&self, identity: &str) -> Vec<(&'static str, String)> {
        let Some((_, plan)) = &self.plan else { return Vec::new() };
        let Some(at) = plan.changes.iter().position(|change| change.identity == identity) else { return Vec::new() };
        let stated = &plan.changes[at].stated;
        let of_kind = |conflicts: bool| {
            let of_kind = stated.dependencies.iter().filter(|one| one.starts_with('!') == conflicts);
            of_kind.map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        // What stands above all changes is said once, with the first.
        let project = (at == 0).then(|| ("the project and its URI", format!("{} {}", plan.project, plan.uri)));
        let stamp = stated.stamp.split_whitespace().collect::<Vec<_>>().join(" ");
        let own = [
            ("what it requires", of_kind(false)),
            ("what it conflicts with", of_kind(true)),
            ("when and by whom it was planned", stamp),
            ("its note", stated.note.clone()),
        ];
        own.into_iter().chain(project).collect()
    }

    fn changes(&self) -> &[Planned] {
        self.plan.as_ref().map_or(&[], |(_, plan)| &plan.changes)
    }

    /// An error for each change without its script.
    fn missing(&self, paths: &[&str]) -> Vec<Diagnostic> {
        let Some((plan_path, plan)) = &self.plan else { return Vec::new() };
        let mut deployed = vec![false; plan.changes.len()];
        for at in paths.iter().filter_map(|path| self.planned(path)).filter(|(_, purpose)| *purpose == Purpose::Deploy)
        {
            deployed[at.0] = true;
        }
        let lacking = plan.changes.iter().zip(deployed).filter(|(_, is_there)| !is_there);
        let told = lacking.map(|(change, _)| {
            let file = format!("{}/{}.{}", self.folder(0), change.scripts[0], self.extension());
            let message = format!("the plan lists {}, and there is no {file}", change.name);
            let help = "take the file from version control; where it stands in another folder, name that, too: --dir";
            let label = Label::place(plan_path, Position { line: change.line, column: 1 });
            Diagnostic::error(codes::LISTED_FILE_MISSING, message).at(label).help(help)
        });
        told.collect()
    }

    fn extension(&self) -> &str {
        self.configuration.extension.as_deref().unwrap_or("sql")
    }

    fn folder(&self, purpose: usize) -> &str {
        self.configuration.folders[purpose].as_deref().unwrap_or(FOLDERS[purpose])
    }

    /// What a script is for, and what stands in its path behind the folder that says so; the innermost of these first.
    fn scripts_at<'p>(&self, path: &'p str) -> Vec<(Purpose, &'p str)> {
        let Some(stem) = path.strip_suffix(self.extension()).and_then(|path| path.strip_suffix('.')) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut start = 0;
        for (at, _) in stem.match_indices(['/', '\\']) {
            let place = (0..PURPOSES.len()).find(|purpose| self.folder(*purpose) == &stem[start..at]);
            found.extend(place.map(|purpose| (PURPOSES[purpose], &stem[at + 1..])));
            start = at + 1;
        }
        found.reverse();
        found
    }

    /// The place in the plan of the change whose script this is.
    fn planned(&self, path: &str) -> Option<(usize, Purpose)> {
        let known = |stem: &str| self.scripts.get(&stem.replace('\\', "/")).copied();
        self.scripts_at(path).into_iter().find_map(|(purpose, stem)| Some((known(stem)?, purpose)))
    }

    /// Says what a file is for. Both `/` and `\` separate folders.
    pub fn classify(&self, path: &str) -> FileRole {
        let Some((at, purpose)) = self.planned(path) else {
            return match self.scripts_at(path).first() {
                Some((Purpose::Deploy, stem)) if self.plan.is_some() => {
                    let message =
                        format!("{stem} does not stand in the plan, so sqitch does not run it; it is left out");
                    let help = "add it to the plan (sqitch add), or move the file elsewhere";
                    unclear(codes::UNCLEAR_NAME, path, message, help)
                }
                _ => FileRole::Ignored,
            };
        };
        let change = &self.changes()[at];
        let Ok(number) = Version::parse(&(at + 1).to_string()) else { return FileRole::Ignored };
        let version = number.named(change.identity.as_str());
        match purpose {
            Purpose::Deploy => FileRole::Versioned {
                version,
                label: format!("{:04}", at + 1).into(),
                name: change.identity.as_str().into(),
            },
            Purpose::Revert => FileRole::Rollback { of: RollbackTarget::Version(version), beside: None },
            Purpose::Verify if self.configuration.verifies_not => FileRole::Ignored,
            Purpose::Verify => FileRole::Proof { of: version },
        }
    }

    /// What is known of a file besides its role.
    pub(crate) fn entries(&self, path: &str) -> Option<Vec<Entry>> {
        let (at, purpose) = self.planned(path)?;
        let depends_on = match purpose {
            Purpose::Deploy => self.changes()[at].requires.clone(),
            Purpose::Revert | Purpose::Verify => Vec::new(),
        };
        let wishes = Wishes { depends_on, ..Wishes::default() };
        Some(vec![Entry { role: self.classify(path), part: None, wishes, problems: Vec::new() }])
    }

    /// What somebody means by `@tag`, `name@tag` or `name`: the name of a change.
    pub(crate) fn meant(&self, written: &Version) -> Option<Version> {
        let (_, plan) = self.plan.as_ref()?;
        let name = written.name()?;
        if plan.changes.iter().any(|change| change.identity == name) && !name.contains('@') {
            return None;
        }
        let at = plan.find(name, plan.changes.len())?;
        Some(Version::of_name(plan.changes[at].identity.as_str()))
    }
}

/// Variables that are to have another value on the way back, or in a proof, than they had on the way up.
fn other_values(names: &[String]) -> Diagnostic {
    let message = format!(
        "these variables have other values for revert or verify than for deploy, and limosa has one for each: {}",
        names.join(", ")
    );
    let help = "give each the same value in all sections, or another name where it means something else";
    Diagnostic::error(codes::OTHER_VALUES, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "%project=p\na 2024-01-31T12:00:00Z Ann <a@b.c>\n@v1 2024-01-31T12:00:01Z Ann <a@b.c>\n\
        users/b [a] 2024-01-31T12:00:02Z Ann <a@b.c>\na [users/b] 2024-01-31T12:00:03Z Ann <a@b.c>\n";

    fn project(configuration: &str, paths: &[&str]) -> (Project, Vec<Diagnostic>) {
        let mut project = Project::default();
        let mut problems = project.add("db/sqitch.conf", configuration.as_bytes(), Engine::Postgres);
        problems.extend(project.add("db/sqitch.plan", TEXT.as_bytes(), Engine::Postgres));
        problems.extend(project.settle(paths));
        (project, problems)
    }

    fn said(project: &Project, path: &str) -> String {
        match project.classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Rollback { of: RollbackTarget::Version(version), .. } => format!("down {version}"),
            FileRole::Proof { of } => format!("proof {of}"),
            FileRole::Unclear(problem) => problem.message,
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        }
    }

    #[test]
    fn the_plan_says_what_files_are_for() {
        let paths = ["db/deploy/a.sql", "db/deploy/a@v1.sql", "db/deploy/users/b.sql", "db/sqitch.plan"];
        let (project, problems) = project("[core]\nengine = pg\n", &paths);
        assert!(problems.is_empty(), "{problems:?}");
        for (path, expected) in [
            ("db/deploy/a@v1.sql", "up a 0001 'a'"),
            ("db/deploy/users/b.sql", "up users/b 0002 'users/b'"),
            ("db/deploy/a.sql", "up a@v1+ 0003 'a@v1+'"),
            ("db/revert/a.sql", "down a@v1+"),
            ("db\\verify\\users\\b.sql", "proof users/b"),
            ("deploy/deploy/a.sql", "up a@v1+ 0003 'a@v1+'"),
            ("db/deploy/c.sql", "c does not stand in the plan, so sqitch does not run it; it is left out"),
            ("db/revert/c.sql", "ignored"),
            ("db/seeds/a.sql", "ignored"),
            ("db/sqitch.plan", "ignored"),
        ] {
            assert_eq!(said(&project, path), expected, "{path}");
        }
        for (written, expected) in
            [("@v1", Some("a")), ("a@v1", Some("a")), ("@HEAD", Some("a@v1+")), ("users/b", None)]
        {
            let found = project.meant(&Version::of_name(written)).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (_, problems) = project("[core]\nengine = mysql\n", &["db/deploy/a.sql"]);
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [codes::OTHER_ENGINE, codes::LISTED_FILE_MISSING, codes::LISTED_FILE_MISSING]);
        let (moved, problems) = project("[core]\nengine=mysql\ndeploy_dir = sql/up\n[engine \"pg\"]\n", &[]);
        assert_eq!(problems.len(), 3);
        assert_eq!(said(&moved, "sql/up/a.sql"), "up a@v1+ 0003 'a@v1+'");
    }
}
