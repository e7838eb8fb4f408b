//! From folders on disk to changes.

use std::fs::File;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

use limosa_core::{Callback, CallbackWork, Change, LedgerView};
use limosa_formats::native::{Config, FileFacts, FileReader, FileRole, assemble};
use limosa_formats::{Layout, left_out};
use limosa_run::Files;
use limosa_sql::{Diagnostic, Dialect, Label};

use crate::{Configuration, Embedded, Exit, Failure, RustCallback};

/// Where scripts are read from.
#[derive(Clone)]
pub(crate) enum Scripts {
    Disk,
    Embedded(Embedded),
}

impl Scripts {
    pub(crate) fn of(configuration: &Configuration) -> Scripts {
        configuration.embedded.clone().map_or(Scripts::Disk, Scripts::Embedded)
    }

    /// The names of all files, in order.
    fn list(&self, folders: &[PathBuf]) -> Result<Vec<String>, Failure> {
        match self {
            Scripts::Embedded(files) => Ok(files.names().map(str::to_owned).collect()),
            Scripts::Disk => {
                let mut names = Vec::new();
                for folder in folders {
                    names.extend(list(folder)?.iter().map(|path| path.display().to_string()));
                }
                Ok(names)
            }
        }
    }

    /// All bytes of a file.
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
        }
    }
}

/// How deep folders are followed; deeper ones are a loop of links.
const DEPTH: usize = 16;

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
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
    let layout = configuration.layout.settle(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let roles: Vec<FileRole> = names.iter().map(|name| layout.classify(name)).collect();
    let value_of = |name: &str| configuration.values.all.get(name).cloned();
    for (name, _) in names.iter().zip(&roles).filter(|(_, role)| **role == FileRole::Config) {
        let (config, found) = layout.read_config(name, &scripts.read(name)?, &value_of);
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
    let (mut files, found) = read_all(&scripts, wanted, dialect, &configs)?;
    diagnostics.extend(found);
    for code in &configuration.code {
        let (facts, found) = code.facts(dialect);
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

/// Files that are worth a thread of their own to read.
const SHARE: usize = 64;

/// Threads that read at once, at most: more only wait for each other in the kernel.
const READERS: usize = 4;

/// What is known of each file, and what is to be said of them, in order.
type Facts = (Vec<FileFacts>, Vec<Diagnostic>);

/// Reads files of known roles, many of them on all processors; gives what is known of them share by share, for it is much.
fn read_all<'s>(
    scripts: &Scripts,
    mut files: Vec<(&'s str, FileRole)>,
    dialect: Dialect,
    configs: &[Config],
) -> Result<(Vec<Vec<FileFacts>>, Vec<Diagnostic>), Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = (files.len() / SHARE).clamp(1, processors.min(READERS));
    let share = files.len().div_ceil(readers);
    let mut others = Vec::new();
    while files.len() > share {
        others.push(files.split_off(files.len() - share));
    }
    others.reverse();
    let read_share = |files| read_files(scripts, files, dialect, configs);
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

fn read_files(
    scripts: &Scripts,
    files: Vec<(&str, FileRole)>,
    dialect: Dialect,
    configs: &[Config],
) -> Result<Facts, Failure> {
    let (mut facts, mut diagnostics) = (Vec::with_capacity(files.len()), Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    for (name, role) in files {
        let is_script = role.is_script();
        let mut reader = FileReader::of_role(dialect, name, role, configs);
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
