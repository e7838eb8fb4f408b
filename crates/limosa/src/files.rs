//! From folders on disk to changes.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use limosa_core::{AppliedRow, Callback, CallbackWork, Change, Checksum, FileHasher, Identity, LedgerView, RowState};
use limosa_formats::native::{Config, FileFacts, FileReader, FileRole, assemble};
use limosa_formats::{Layout, left_out};
use limosa_run::Files;
use limosa_sql::{Diagnostic, Dialect, Label};

use crate::unread::Known;
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

    fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
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

    /// False where something that was left unread is not applied (any more), so that it may be asked to run.
    pub(crate) fn fits(&self, view: &LedgerView) -> bool {
        let unread = self.changes.iter().filter(|change| change.is_unread).map(|change| &change.identity);
        let is_whole = |row: &&AppliedRow| matches!(row.state, RowState::Applied | RowState::Baseline);
        let applied: HashSet<&Identity> = view.rows.iter().filter(is_whole).map(|row| &row.identity).collect();
        unread.into_iter().all(|identity| applied.contains(identity))
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
    Listing::of(configuration, folders)?.read(configuration, dialect.into(), Wanted::All)
}

/// Which files are read.
pub(crate) enum Wanted<'v> {
    /// All.
    All,
    /// Those that are not, byte for byte, what this ledger knows as applied.
    Unknown(&'v LedgerView),
    /// Those of these changes; the others are not there at all.
    These(HashSet<Identity>),
}

impl Wanted<'_> {
    fn has(&self, role: &FileRole) -> bool {
        match (self, role) {
            (Wanted::All | Wanted::Unknown(_), _) => true,
            (Wanted::These(these), FileRole::Rollback { of, .. }) => these.contains(&of.identity()),
            (Wanted::These(these), role) => role.identity().is_some_and(|identity| these.contains(&identity)),
        }
    }
}

/// A file, by its name.
struct Listed {
    name: String,
    role: FileRole,
    /// Of the whole file, where it was asked for.
    checksum: Option<Checksum>,
}

/// The files of some folders, as far as their names tell, with the settings beside them.
pub(crate) struct Listing {
    scripts: Scripts,
    files: Vec<Listed>,
    layout: Layout,
    configs: Vec<Config>,
    diagnostics: Vec<Diagnostic>,
}

impl Listing {
    /// Lists all files of some folders.
    ///
    /// # Errors
    /// Where a folder, or a file of settings, cannot be read.
    pub(crate) fn of(configuration: &Configuration, folders: &[PathBuf]) -> Result<Listing, Failure> {
        let scripts = Scripts::of(configuration);
        let names = scripts.list(folders)?;
        let (mut diagnostics, mut configs) = (Vec::new(), Vec::new());
        let layout = configuration.layout.settle(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let value_of = |name: &str| configuration.values.all.get(name).cloned();
        let mut files = Vec::with_capacity(names.len());
        for name in names {
            match layout.classify(&name) {
                FileRole::Config => {
                    let (config, found) = layout.read_config(&name, &scripts.read(&name)?, &value_of);
                    configs.extend(config);
                    diagnostics.extend(found);
                }
                role => files.push(Listed { name, role, checksum: None }),
            }
        }
        Ok(Listing { scripts, files, layout, configs, diagnostics })
    }

    /// Takes the checksum of each file that may have been applied, while nobody knows yet which were.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(crate) fn with_checksums(mut self) -> Result<Listing, Failure> {
        let scripts = &self.scripts;
        let shares = on_all_processors(self.files, |mut files| {
            let mut buffer = vec![0; BUFFER];
            for file in files.iter_mut().filter(|file| file.role.identity().is_some()) {
                let mut hasher = FileHasher::new();
                each_part(scripts, &file.name, &mut buffer, |bytes| hasher.update(bytes))?;
                file.checksum = Some(hasher.finish());
            }
            Ok(files)
        })?;
        self.files = shares.into_iter().flatten().collect();
        Ok(self)
    }

    /// How the files are named.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the files that are wanted.
    ///
    /// # Errors
    /// Where a file cannot be read. Problems in files are in [`Loaded::diagnostics`].
    pub(crate) fn read(
        self,
        configuration: &Configuration,
        dialect: Dialect,
        wanted: Wanted<'_>,
    ) -> Result<Loaded, Failure> {
        let Listing { scripts, files: listed, layout, configs, mut diagnostics } = self;
        let known = match &wanted {
            Wanted::Unknown(view) => Known::of(view, listed.iter().map(|file| &file.role)),
            Wanted::All | Wanted::These(_) => Known::default(),
        };
        let mut commands = Vec::new();
        let mut to_read = Vec::with_capacity(listed.len());
        let mut unread = Vec::new();
        for Listed { name, role, checksum } in listed.into_iter().filter(|file| wanted.has(&file.role)) {
            match (known.row(&role), checksum) {
                (Some(row), Some(checksum)) if checksum == row.file_checksum => {
                    unread.push(FileFacts::unread(name, role, checksum, row.up_checksum.clone()));
                    continue;
                }
                _ if known.is_settled(&role) => continue,
                _ => {}
            }
            match role {
                FileRole::Callback { event, name: title, command: true } => commands.push(Callback {
                    event,
                    name: title,
                    work: CallbackWork::Command(name),
                    headers: Default::default(),
                }),
                role => to_read.push((name, role)),
            }
        }
        let read = on_all_processors(to_read, |files| read_files(&scripts, files, dialect, &configs))?;
        let (mut files, found): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        diagnostics.extend(found.into_iter().flatten());
        files.push(unread);
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
}

/// Files that are worth a thread of their own to read.
const SHARE: usize = 64;

/// Bytes that are read of a file at once.
const BUFFER: usize = 64 * 1024;

/// Threads that read at once, at most: more only wait for each other in the kernel.
const READERS: usize = 4;

/// Does something to each share of some files, of which many are shared out to all processors; gives what came of each share,
/// in order.
fn on_all_processors<T: Send, R: Send>(
    mut files: Vec<T>,
    work: impl Fn(Vec<T>) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = (files.len() / SHARE).clamp(1, processors.min(READERS));
    let share = files.len().div_ceil(readers);
    let mut others = Vec::new();
    while files.len() > share {
        others.push(Mutex::new(Some(files.split_off(files.len() - share))));
    }
    others.reverse();
    let work = &work;
    // Whoever comes first takes the share: its thread, or where none can be had, this one.
    let taken = |share: &Mutex<Option<Vec<T>>>| share.lock().ok().and_then(|mut share| share.take()).map(work);
    std::thread::scope(|scope| {
        let begin = |share| std::thread::Builder::new().spawn_scoped(scope, move || taken(share));
        let begun: Vec<_> = others.iter().map(|share| (share, begin(share))).collect();
        let first = work(files);
        let rest = begun.into_iter().filter_map(|(share, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => taken(share),
        });
        std::iter::once(first).chain(rest).collect()
    })
}

/// What is known of each file, and what is to be said of them, in order.
type Facts = (Vec<FileFacts>, Vec<Diagnostic>);

fn read_files(
    scripts: &Scripts,
    files: Vec<(String, FileRole)>,
    dialect: Dialect,
    configs: &[Config],
) -> Result<Facts, Failure> {
    let (mut facts, mut diagnostics) = (Vec::with_capacity(files.len()), Vec::new());
    let mut buffer = vec![0; BUFFER];
    for (name, role) in files {
        let is_script = role.is_script();
        let mut reader = FileReader::of_role(dialect, &name, role, configs);
        if is_script {
            each_part(scripts, &name, &mut buffer, |bytes| reader.feed(bytes))?;
        }
        let (read, found) = reader.finish();
        facts.extend(read);
        diagnostics.extend(found);
    }
    Ok((facts, diagnostics))
}

/// Reads a file to its end, part by part.
fn each_part(scripts: &Scripts, name: &str, buffer: &mut [u8], mut take: impl FnMut(&[u8])) -> Result<(), Failure> {
    let failed = |error| unreadable(Path::new(name), &error);
    let mut file = scripts.open(name).map_err(failed)?;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
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
