//! Finding and reading everything that holds settings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use limosa_sql::{Diagnostic, Severity};

use super::codes;
use super::env_file;
use super::flyway::{self, FlywayFile};
use super::layer::{Layer, LayerKind};
use super::origin::Origin;
use super::resolve::{choose_environment, entry, environments, resolve};
use super::secrets::{Follower, Need};
use super::typed::{Provenance, Settings};
use super::value::Value;
use super::world::World;

/// The name of the configuration file.
pub const FILE_NAME: &str = "limosa.toml";

/// Settings that were found, and what belongs to them.
#[derive(Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Where each came from.
    pub provenance: Provenance,
    /// Warnings and notes.
    pub notices: Vec<Diagnostic>,
    /// The variables of the process, and of the env file where the process has none of that name: for `PG*` variables.
    pub variables: BTreeMap<String, String>,
    /// The names of the environments in the configuration file.
    pub environments: Vec<String>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of variables may be secrets.
        formatter
            .debug_struct("Loaded")
            .field("settings", &self.settings)
            .field("provenance", &self.provenance)
            .field("notices", &self.notices)
            .field("environments", &self.environments)
            .finish_non_exhaustive()
    }
}

/// Reads the configuration file, the env file where one is asked for, and the variables, and resolves them below the
/// flags.
///
/// The configuration file is the one of `--config` or `LIMOSA_CONFIG`, else the `limosa.toml` of the current folder (or its
/// `flyway.toml` or `flyway.conf`, which are read as settings of ours, or what `FLYWAY_CONFIG_FILES` names in their place), else that of the nearest folder above it up to the root of the repository (a folder with `.git`). Outside of a repository
/// only the current folder is looked at: a file further up may be a stranger's.
///
/// Blocks while files are read and programs of `cmd:` references run.
///
/// # Errors
/// Everything that is wrong, warnings included; at least one is an error.
pub fn load(world: &World<'_>, flags: Layer, need: Need) -> Result<Loaded, Vec<Diagnostic>> {
    let mut layers = vec![Layer::defaults()];
    let mut problems = Vec::new();
    let process = Layer::process(&world.environment);
    let config = configuration_file(world, &[&flags, &process], &mut problems);
    if let Some(config) = &config {
        match read(world, &config.path) {
            Ok(text) if config.is_flyways => {
                let user = flyway::user_file(&config.path)
                    .filter(|path| world.outside.exists(&world.current_directory.join(path)));
                let own = user.as_ref().map(|path| (path.display().to_string(), read(world, path)));
                if let Some((shown, Err(why))) = &own {
                    let message = format!("the configuration file {shown} cannot be read: {why}");
                    let help = format!("Flyway reads it behind {}; make it readable, or take it away", config.shown);
                    problems.push(Diagnostic::error(codes::NO_CONFIGURATION_FILE, message).help(help));
                }
                let file = FlywayFile { shown: &config.shown, text: &text };
                let own = own.as_ref().and_then(|(shown, text)| Some(FlywayFile { shown, text: text.as_ref().ok()? }));
                // Flyway's locations begin at the current folder, wherever the file is that it was given.
                let base = if config.origin == Origin::Default { config.base.as_path() } else { Path::new("") };
                layers.extend(flyway::layers(&file, own.as_ref(), base, &world.environment));
            }
            Ok(text) => layers.extend(Layer::of_file(&config.shown, &text, &config.base)),
            Err(why) => {
                let message = format!("the configuration file {} cannot be read: {why}", config.shown);
                let help = match &config.origin {
                    Origin::Default => "make it readable, or name another file with --config".to_owned(),
                    origin => format!("it was named by {origin}; name a file that exists"),
                };
                problems.push(Diagnostic::error(codes::NO_CONFIGURATION_FILE, message).help(help));
            }
        }
    }
    layers.extend([process, flags]);
    let mut variables = world.environment.clone();
    add_env_file(world, &mut layers, &mut variables, &mut problems);
    let choice = choose_environment(&layers);
    let follower = Follower { variables: &variables, outside: world.outside, folder: &world.current_directory, need };
    let (mut settings, mut provenance, found) = resolve(&layers, &choice, &follower);
    problems.extend(found);
    if problems.iter().any(Diagnostic::is_error) {
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        return Err(problems);
    }
    if let Some(config) = config {
        let origin = match &config.origin {
            Origin::Default => Some(Origin::File { file: config.shown.clone(), line: 1, environment: None }),
            Origin::Variable(name) if name == flyway::told_file::CONFIG_FILES => Some(config.origin.clone()),
            _ => None,
        };
        if let Some(origin) = origin {
            provenance.note("config", origin, None, Vec::new());
        }
        settings.config = Some(config.path);
    }
    let environments = environments(&layers).map(str::to_owned).collect();
    Ok(Loaded { settings, provenance, notices: problems, variables, environments })
}

/// A configuration file that should be read.
struct ConfigurationFile {
    /// Where it is, from the current folder.
    path: PathBuf,
    /// Its name in messages.
    shown: String,
    /// The folder at which its relative paths begin; empty for the current one.
    base: PathBuf,
    /// Who named it; the default where it was found.
    origin: Origin,
    /// It is one of Flyway's.
    is_flyways: bool,
}

fn configuration_file(
    world: &World<'_>,
    naming: &[&Layer],
    problems: &mut Vec<Diagnostic>,
) -> Option<ConfigurationFile> {
    let named = naming.iter().find_map(|layer| layer.entries.get("config"));
    if let Some((Value::Path(path), origin)) = named.map(|entry| (&entry.value, &entry.origin)) {
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        return Some(ConfigurationFile {
            path: path.clone(),
            shown: path.display().to_string(),
            base,
            origin: origin.clone(),
            is_flyways: flyway::is_meant(path),
        });
    }
    let here = world.current_directory.as_path();
    let root = here.ancestors().find(|folder| world.outside.exists(&folder.join(".git"))).unwrap_or(here);
    let names = || std::iter::once(FILE_NAME).chain(flyway::FILE_NAMES);
    let found = here
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .find_map(|folder| names().find(|name| world.outside.exists(&folder.join(name))).map(|name| (folder, name)));
    let told =
        found.is_none_or(|(_, name)| name != FILE_NAME).then(|| flyway::told_file::told_file(&world.environment));
    if let Some(told) = told.flatten() {
        let path = told.map_err(|problem| problems.push(*problem)).ok()?;
        return Some(ConfigurationFile {
            shown: path.display().to_string(),
            path,
            base: PathBuf::new(),
            origin: Origin::Variable(flyway::told_file::CONFIG_FILES.to_owned()),
            is_flyways: true,
        });
    }
    let (found, name) = found?;
    let unread = flyway::FILE_NAMES.iter().find(|name| world.outside.exists(&found.join(name)));
    if let (true, Some(unread)) = (name == FILE_NAME, unread) {
        let message = format!("{unread} is not read: {FILE_NAME} beside it counts in its place");
        let note = Diagnostic::new(codes::FLYWAY_UNREAD, Severity::Note, message);
        problems.push(note.help(format!(
            "write what should hold of it into {FILE_NAME} (docs/coming-from/flyway-settings.md), or take {FILE_NAME} away"
        )));
    }
    let base = if found == here { PathBuf::new() } else { found.to_owned() };
    let path = base.join(name);
    let (shown, is_flyways) = (path.display().to_string(), flyway::is_meant(&path));
    Some(ConfigurationFile { shown, path, base, origin: Origin::Default, is_flyways })
}

fn read(world: &World<'_>, path: &Path) -> Result<String, String> {
    let bytes = world.outside.read(&world.current_directory.join(path)).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Reads the env file that flags, variables, the environment or the top of the configuration file ask for.
fn add_env_file(
    world: &World<'_>,
    layers: &mut Vec<Layer>,
    variables: &mut BTreeMap<String, String>,
    problems: &mut Vec<Diagnostic>,
) {
    let before = choose_environment(layers);
    let section = before.name.clone().map(LayerKind::FileEnvironment);
    let kinds = [Some(LayerKind::Flags), Some(LayerKind::Process), section, Some(LayerKind::FileTop)];
    let asked = kinds.into_iter().flatten().find_map(|kind| entry(layers, &kind, "env_file"));
    let Some((Value::Path(path), asked)) = asked.map(|entry| (&entry.value, entry.clone())) else { return };
    let path = asked.base.join(path);
    let shown = path.display().to_string();
    let text = match read(world, &path) {
        Ok(text) => text,
        Err(why) => {
            let message = format!("the env file {shown}{} cannot be read: {why}", asked.place());
            let problem = Diagnostic::error(codes::NO_ENV_FILE, message);
            problems.push(asked.located(problem.help("make the file, or take env_file out")));
            return;
        }
    };
    let parsed = env_file::parse(&shown, &text);
    for (name, line) in &parsed.0 {
        variables.entry(name.clone()).or_insert_with(|| line.value.clone());
    }
    layers.push(Layer::from_env_lines(&shown, &parsed));
    // The file may name the environment, whose section may name another file: one is enough.
    let after = choose_environment(layers);
    let named = after.name.clone().map(LayerKind::FileEnvironment);
    let other = named.as_ref().and_then(|kind| entry(layers, kind, "env_file"));
    if let Some(other) = other.filter(|other| after != before && other.origin != asked.origin) {
        let message = format!("the env file of {} is not read: {shown} named that environment", other.origin);
        let help = "name the environment with --environment or LIMOSA_ENVIRONMENT";
        let problem = Diagnostic::new(codes::ENV_FILE_UNREAD, Severity::Warning, message).help(help);
        problems.push(other.located(problem));
    }
}
