//! From folders on disk to changes.

use std::fs::File;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limosa_core::{
    AppliedRow, Callback, CallbackWork, Change, Identity, LedgerView, Version, find_identity, find_version,
};
use limosa_formats::formats::SIGNS;
use limosa_formats::native::{Config, FileFacts, FileReader, FileRole, assemble};
use limosa_formats::{Layout, left_out};
use limosa_run::Files;
use limosa_sql::{Diagnostic, Dialect, Engine, Label};

use crate::git::Tree;
use crate::{Configuration, Embedded, Exit, Failure, RustCallback};

/// Where scripts are read from.
#[derive(Clone)]
pub(crate) enum Scripts {
    Disk,
    Embedded(Embedded),
    /// A commit of git's.
    Commit(Arc<Tree>),
}

impl Scripts {
    pub(crate) fn of(configuration: &Configuration) -> Scripts {
        configuration.embedded.clone().map_or(Scripts::Disk, Scripts::Embedded)
    }

    /// The names of all files, in order.
    pub(crate) fn list(&self, folders: &[PathBuf]) -> Result<Vec<String>, Failure> {
        match self {
            Scripts::Embedded(files) => Ok(files.names().map(str::to_owned).collect()),
            Scripts::Commit(tree) => Ok(tree.names().map(str::to_owned).collect()),
            Scripts::Disk => {
                let mut names = Vec::new();
                for folder in folders {
                    names.extend(list(folder)?.iter().map(|path| path.display().to_string()));
                }
                Ok(names)
            }
        }
    }

    /// Files and folders that say beside the folders, or above them, whose they are. Nothing stands around what is compiled in, and
    /// a commit is read as the working tree is.
    pub(crate) fn around(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        match self {
            Scripts::Embedded(_) | Scripts::Commit(_) => Vec::new(),
            Scripts::Disk => folders.iter().flat_map(|folder| around(folder)).collect(),
        }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let read = self.open(name).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(|error| unreadable(Path::new(name), &error))?;
        Ok(bytes)
    }
}

impl Files for Scripts {
    fn open(&self, file: &str) -> std::io::Result<Box<dyn Read + Send>> {
        match self {
            Scripts::Disk => Ok(Box::new(File::open(file)?)),
            Scripts::Embedded(files) => files.open(file),
            Scripts::Commit(tree) => tree.open(file),
        }
    }
}

/// How deep folders are followed; deeper ones are a loop of links.
const DEPTH: usize = 16;

pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let diagnostic = Diagnostic::error("LIM-F900", format!("{} cannot be read: {error}", path.display()));
    let help = match error.kind() {
        std::io::ErrorKind::NotFound => "check --dir, or make a first migration: limosa new \"create users\"",
        std::io::ErrorKind::PermissionDenied => "the user that runs limosa needs the right to read it",
        _ => "look at the file system, then run again",
    };
    Failure::new(Exit::Usage, diagnostic.at(Label::file(path.display().to_string())).help(help))
}

/// All files below a folder, in order of their names.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    walk(folder, 0, &mut found)?;
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            // The listing tells what most are; links are followed.
            listed.push((name, entry.file_type().ok().filter(|kind| kind.is_dir() || kind.is_file())));
        }
    }
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, kind) in listed {
        let path = folder.join(name);
        let kind = match kind {
            Some(kind) => kind,
            None => std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.file_type(),
        };
        if kind.is_dir() && depth < DEPTH {
            walk(&path, depth + 1, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// How far above a folder of migrations the signs of its tool are looked for: no further than the root of its project.
const ABOVE: usize = 4;

/// Files and folders of [`SIGNS`] beside a folder or above it, the nearest of each name.
fn around(folder: &Path) -> Vec<PathBuf> {
    let Ok(folder) = std::path::absolute(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = Vec::new();
    for place in folder.ancestors().take(ABOVE) {
        for sign in SIGNS {
            let path = place.join(sign);
            if !found.iter().any(|known| known.ends_with(sign)) && path.exists() {
                found.push(path);
            }
        }
        if place.join(".git").exists() {
            break;
        }
    }
    found
}

/// How many folders a file stands below that of its migrations.
pub(crate) fn depth_of(name: &str, scripts: &Scripts, folders: &[PathBuf]) -> usize {
    let path = Path::new(name);
    let below = |path: &Path| path.components().count().saturating_sub(1);
    match scripts {
        Scripts::Embedded(_) => below(path),
        Scripts::Disk | Scripts::Commit(_) => {
            folders.iter().filter_map(|folder| path.strip_prefix(folder).ok()).map(below).min().unwrap_or_default()
        }
    }
}

/// The layout of the files, with what stands in files of its own about all of them.
pub(crate) fn layout_of(
    configuration: &Configuration,
    scripts: &Scripts,
    folders: &[PathBuf],
    names: &[String],
    around: &[PathBuf],
    engine: Engine,
) -> Result<(Layout, Vec<Diagnostic>), Failure> {
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    // Who gives values to placeholders has none of the tools that are known by what stands around: `${...}` is text there.
    let signs: Vec<&str> = match configuration.values.all.is_empty() {
        true => around.iter().filter_map(|path| path.file_name()?.to_str()).collect(),
        false => Vec::new(),
    };
    let mut layout = configuration.layout.settle(&paths, &signs);
    if !signs.is_empty() && !layout.fits(&paths, |name| depth_of(name, scripts, folders)) {
        // The tool is used for something else: it would not read most of these.
        layout = configuration.layout.settle(&paths, &[]);
    }
    let mut diagnostics = Vec::new();
    let around = around.iter().filter_map(|path| path.to_str());
    // The nearest one is read last, and counts.
    for path in paths.iter().copied().chain(around).filter(|path| layout.learns_from(path)).collect::<Vec<_>>() {
        diagnostics.extend(layout.learn(path, &scripts.read(path)?, engine));
    }
    diagnostics.extend(layout.look_around(&paths));
    Ok((layout, diagnostics))
}

/// Changes read from folders, with what is to be said of their files.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// In the order in which they run.
    pub(crate) changes: Vec<Change>,
    /// How their files are named.
    pub(crate) layout: Layout,
    /// What runs around them.
    pub(crate) callbacks: Vec<Callback>,
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// True where nothing can be run until the files are mended.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Refuses to go on with files that have errors; takes the warnings along.
    pub(crate) fn refuse_errors(&self) -> Result<(), Failure> {
        let errors: Vec<Diagnostic> = self.diagnostics.iter().filter(|problem| problem.is_error()).cloned().collect();
        if errors.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: errors }) }
    }

    /// The version that is meant by one that somebody wrote, which may be the name of a migration.
    pub(crate) fn version(&self, written: &Version, rows: &[AppliedRow]) -> Result<Version, Failure> {
        find_version(&self.changes, rows, &self.layout.compared(written))
            .map_err(|problem| Failure::refused(vec![*problem]))
    }

    /// The identity that is meant by one that somebody wrote.
    pub(crate) fn identity(&self, written: &Identity, rows: &[AppliedRow]) -> Result<Identity, Failure> {
        let compared = match Version::parse(written.as_str()) {
            Ok(version) => Identity::of_version(&self.layout.compared(&version)),
            Err(_) => written.clone(),
        };
        let found = find_identity(&self.changes, rows, written).and_then(|found| match found == *written {
            true => find_identity(&self.changes, rows, &compared),
            false => Ok(found),
        });
        found.map_err(|problem| Failure::refused(vec![*problem]))
    }

    /// Names of placeholders, as the scripts and ways back write them; some more than once.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &str> {
        let of_changes = self.changes.iter().flat_map(|change| {
            std::iter::once(&change.script.outline).chain(change.rollback.as_ref().map(|rollback| &rollback.outline))
        });
        let of_callbacks = self.callbacks.iter().filter_map(|callback| match &callback.work {
            CallbackWork::Script(script) => Some(&script.outline),
            CallbackWork::Command(_) | CallbackWork::Code(_) => None,
        });
        of_changes.chain(of_callbacks).flat_map(|outline| outline.placeholders.iter().map(|(name, _)| name.as_str()))
    }

    /// True where a change that never ran asks for an extension.
    pub(crate) fn needs_extensions(&self, view: &LedgerView) -> bool {
        self.changes
            .iter()
            .any(|change| !change.headers.requires_extension.is_empty() && view.row(&change.identity).is_none())
    }
}

/// Reads all changes of some folders.
///
/// # Errors
/// Where a folder or file cannot be read. Problems in files are in [`Loaded::diagnostics`].
pub(crate) fn load(
    configuration: &Configuration,
    folders: &[PathBuf],
    dialect: impl Into<Dialect>,
) -> Result<Loaded, Failure> {
    let dialect = dialect.into();
    let scripts = Scripts::of(configuration);
    let names = scripts.list(folders)?;
    let mut diagnostics = Vec::new();
    let mut configs = Vec::new();
    // Where no folder is there yet, what stands around its place counts.
    let around = scripts.around(if folders.is_empty() { &configuration.directories } else { folders });
    let (layout, found) = layout_of(configuration, &scripts, folders, &names, &around, dialect.engine())?;
    diagnostics.extend(found);
    let roles: Vec<FileRole> =
        names.iter().map(|name| layout.classify_at(name, || depth_of(name, &scripts, folders))).collect();
    let value_of = |name: &str| configuration.values.all.get(name).cloned();
    for (name, _) in names.iter().zip(&roles).filter(|(_, role)| **role == FileRole::Config) {
        let (config, found) = layout.read_config(name, &scripts.read(name)?, dialect.engine(), &value_of);
        configs.extend(config);
        diagnostics.extend(found);
    }
    let mut commands = Vec::new();
    let mut wanted = Vec::new();
    for (name, role) in names.iter().zip(roles).filter(|(_, role)| *role != FileRole::Config) {
        match role {
            FileRole::Callback { event, name: title, command: true } => commands.push(Callback {
                event,
                name: title,
                work: CallbackWork::Command(name.clone()),
                headers: Default::default(),
            }),
            role => wanted.push((name.as_str(), role)),
        }
    }
    let (mut files, found) = read_all(&scripts, wanted, &Reading { dialect, configs: &configs, layout: &layout })?;
    diagnostics.extend(found);
    for code in &configuration.code {
        let (facts, found) = code.facts(dialect, &layout);
        files.push(vec![facts]);
        diagnostics.extend(found);
    }
    let is_anything_read = files.iter().any(|share| !share.is_empty());
    let (set, found) = assemble(files.into_iter().flatten(), &configs, dialect.engine());
    diagnostics.extend(found);
    let (mut changes, mut callbacks) = (set.changes, set.callbacks);
    callbacks.extend(allowed(configuration, commands, &mut diagnostics));
    callbacks.extend(configuration.hooks.iter().map(RustCallback::callback));
    callbacks.sort_by_cached_key(|callback| (callback.event, callback.name.clone(), callback.file().to_owned()));
    if !configuration.replace_placeholders || !layout.has_placeholders() {
        let of_changes = changes.iter_mut().map(|change| &mut change.headers);
        for headers in of_changes.chain(callbacks.iter_mut().map(|callback| &mut callback.headers)) {
            headers.placeholders_off = true;
        }
    }
    Ok(Loaded { changes, layout, callbacks, diagnostics: left_out::told(diagnostics, is_anything_read) })
}

/// What decides how files are read.
pub(crate) struct Reading<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) configs: &'r [Config],
    pub(crate) layout: &'r Layout,
}

/// Files that are worth a thread of their own to read.
const SHARE: usize = 64;

/// Threads that read at once, at most: more only wait for each other in the kernel.
const READERS: usize = 4;

/// What is known of each file, and what is to be said of them, in order.
pub(crate) type Facts = (Vec<FileFacts>, Vec<Diagnostic>);

/// Reads files of known roles, many of them on all processors; gives what is known of them share by share, for it is much.
pub(crate) fn read_all<'s>(
    scripts: &Scripts,
    mut files: Vec<(&'s str, FileRole)>,
    how: &Reading<'_>,
) -> Result<(Vec<Vec<FileFacts>>, Vec<Diagnostic>), Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = (files.len() / SHARE).clamp(1, processors.min(READERS));
    let share = files.len().div_ceil(readers);
    let mut others = Vec::new();
    while files.len() > share {
        others.push(files.split_off(files.len() - share));
    }
    others.reverse();
    let read_share = |files| read_files(scripts, files, how);
    let all = std::thread::scope(|scope| {
        let read_apart = |files: Vec<(&'s str, FileRole)>| {
            let spare = files.clone();
            // Where no thread can be had, the share is read with the others of its kind when its turn comes.
            let reader = std::thread::Builder::new().spawn_scoped(scope, || read_share(files));
            move || match reader {
                Ok(reader) => reader.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => read_share(spare),
            }
        };
        let others: Vec<_> = others.into_iter().map(read_apart).collect();
        let first = read_share(files);
        std::iter::once(first).chain(others.into_iter().map(|ended| ended())).collect::<Result<Vec<Facts>, Failure>>()
    })?;
    let (files, found): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    Ok((files, found.into_iter().flatten().collect()))
}

fn read_files(scripts: &Scripts, files: Vec<(&str, FileRole)>, how: &Reading<'_>) -> Result<Facts, Failure> {
    let (mut facts, mut diagnostics) = (Vec::with_capacity(files.len()), Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    for (name, role) in files {
        let is_script = role.is_script();
        let mut reader = FileReader::of_role(how.dialect, name, role, how.configs)
            .no_transaction_mark(how.layout.no_transaction_mark());
        if is_script {
            let path = Path::new(name);
            let mut file = scripts.open(name).map_err(|error| unreadable(path, &error))?;
            loop {
                match file.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => reader.feed(&buffer[..count]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(unreadable(path, &error)),
                }
            }
        }
        let (read, found) = reader.finish();
        facts.extend(read);
        diagnostics.extend(found);
    }
    Ok((facts, diagnostics))
}

/// Programs among the callbacks, where they are allowed. Left out in silence they could be missed.
fn allowed(configuration: &Configuration, commands: Vec<Callback>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Callback> {
    if configuration.allow_commands {
        return commands;
    }
    for command in commands {
        let message = format!("{} is a program, and would run as this user", command.file());
        let error =
            Diagnostic::error(limosa_formats::codes::COMMAND_NOT_ALLOWED, message).at(Label::file(command.file()));
        diagnostics.push(
            error.help("where it is meant to: --allow-commands, or allow_commands = true; else move it elsewhere"),
        );
    }
    Vec::new()
}
