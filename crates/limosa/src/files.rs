//! From folders on disk to changes.

use std::collections::HashSet;
use std::path::PathBuf;

use limosa_core::{
    Alike, AppliedRow, Callback, CallbackWork, Change, Checksum, Direction, Identity, LedgerView, PutsBack, RowState,
    SharedSession, Version, find_identity, find_version,
};
use limosa_db::ledger::Glance;
use limosa_formats::native::{Config, Entry, FileFacts, FileRole, assemble};
use limosa_formats::{Layout, LedgerTable, Recognised, left_out};
use limosa_sql::{Diagnostic, Dialect, Engine, ForeignKeys, Label, Severity};

use crate::builtins::value_without_database;
use crate::ledger_told::{ledger_table, schemas_of_tool};
use crate::scripts::{Scripts, depth_of};
use crate::side_by_side::{BUFFER, Reading, ToRead, on_all_processors, read_all};
use crate::unread::{Known, is_settled};
use crate::{Configuration, Exit, Failure, RustCallback};

/// The layout of the files, with what stands in files of its own about all of them.
pub(crate) fn layout_of(
    configuration: &Configuration,
    scripts: &Scripts,
    folders: &[PathBuf],
    names: &[String],
    around: &[PathBuf],
    engine: Engine,
) -> Result<(Recognised, Vec<Diagnostic>), Failure> {
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    // Who gives values to placeholders has none of the tools that are known by what stands around: `${...}` is text there.
    let signs: Vec<&str> = match configuration.values.all.is_empty() {
        true => around.iter().filter_map(|path| path.file_name()?.to_str()).collect(),
        false => Vec::new(),
    };
    let settle = |signs: &[&str]| {
        let recognised = configuration.layout.settle(&paths, signs, &mut |name| scripts.head(name));
        recognised.map_err(|problem| Failure::new(Exit::Usage, *problem))
    };
    let mut recognised = settle(&signs)?;
    if !signs.is_empty() && !recognised.layout.fits(&paths, |name| depth_of(name, scripts, folders)) {
        // The tool is used for something else: it would not read most of these.
        recognised = settle(&[])?;
    }
    let Recognised { mut layout, reason } = recognised;
    let mut diagnostics = Vec::new();
    let around = around.iter().filter_map(|path| path.to_str());
    if let Scripts::Disk = scripts {
        layout.stand_in(&folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>());
    }
    layout.stand_for(configuration.environment.as_deref(), &configuration.values.all);
    let own = layout.settings_file().and_then(|name| scripts.beside(folders, name));
    let own = own.as_deref().and_then(|path| path.to_str()).map(|path| scripts.read(path)).transpose()?;
    layout.stand_by(own.as_deref(), &configuration.variables);
    // The nearest one is read last, and counts.
    for path in paths.iter().copied().chain(around).filter(|path| layout.learns_from(path)).collect::<Vec<_>>() {
        diagnostics.extend(layout.learn(path, &scripts.read(path)?, engine));
    }
    if let Some(path) = layout.told_on_sqlite_by().and_then(|name| scripts.beside(folders, name))
        && engine == Engine::Sqlite
        && let Some(path) = path.to_str()
    {
        diagnostics.extend(layout.learn(path, &scripts.read(path)?, engine));
    }
    diagnostics.extend(layout.look_around(&paths));
    Ok((Recognised { layout, reason }, diagnostics))
}

fn refuse_errors_among(diagnostics: &[Diagnostic]) -> Result<(), Failure> {
    let errors: Vec<Diagnostic> = diagnostics.iter().filter(|problem| problem.is_error()).cloned().collect();
    if errors.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Usage, diagnostics: errors }) }
}

/// Changes read from folders, with what is to be said of their files.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// In the order in which they run.
    pub(crate) changes: Vec<Change>,
    /// How their files are named.
    pub(crate) layout: Layout,
    /// The table in which the tool of their format keeps its record.
    pub(crate) ledger_table: Option<LedgerTable>,
    /// PostgreSQL: the schemas in which they work, where settings of that tool say so.
    pub(crate) schemas: Vec<String>,
    /// SQLite: what each of them begins with.
    pub(crate) foreign_keys: ForeignKeys,
    /// Why they are taken for files of that format, where their names or contents say so.
    pub(crate) format_reason: Option<String>,
    /// What runs around them.
    pub(crate) callbacks: Vec<Callback>,
    /// Files of what runs around ways back, whether they could be read or not.
    around_back: Vec<String>,
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// The tool that the files were written for, where it lets what one of them sets for its session reach those behind it.
    pub(crate) fn shared_session(&self) -> Option<SharedSession> {
        let tool = self.layout.tool().filter(|_| self.layout.shares_session())?;
        let (puts_back, with_callbacks) = match self.layout {
            Layout::Flyway(_) => (PutsBack::PathRoleAndVariables, true),
            _ => (PutsBack::Nothing, false),
        };
        let one_transaction = self.layout.runs_all_in_one_transaction();
        Some(SharedSession { tool: tool.name(), puts_back, with_callbacks, one_transaction })
    }

    /// SQLite: the tool that the files were written for, where its transaction around each of them makes pragmas in them have no effect.
    pub(crate) fn ignores_pragmas(&self) -> Option<&'static str> {
        self.layout.tool().filter(|_| self.layout.leaves_pragmas_in_transaction()).map(|tool| tool.name())
    }

    /// Refuses to go on with files that have errors; takes the warnings along.
    pub(crate) fn refuse_errors(&self) -> Result<(), Failure> {
        refuse_errors_among(&self.diagnostics)
    }

    /// The same for a command that runs recorded ways back: of the files it runs only what runs around those.
    pub(crate) fn refuse_errors_around_back(&self) -> Result<(), Failure> {
        let is_around =
            |problem: &&Diagnostic| problem.labels.first().is_some_and(|label| self.around_back.contains(&label.file));
        refuse_errors_among(&self.diagnostics.iter().filter(is_around).cloned().collect::<Vec<_>>())
    }

    /// The same for a command that runs none of them, see [`Loaded::told_where_none_runs`].
    pub(crate) fn refuse_errors_where_none_runs(&self) -> Result<(), Failure> {
        refuse_errors_among(&self.told_where_none_runs())
    }

    /// The same for what would run, see [`Loaded::told_of_pending`].
    pub(crate) fn refuse_errors_of_pending(&self, view: &LedgerView) -> Result<(), Failure> {
        refuse_errors_among(&self.told_of_pending(view))
    }

    /// What is to be said by a command that runs none of them: statements that cannot run as they stand may have run with another tool,
    /// and are no error.
    pub(crate) fn told_where_none_runs(&self) -> Vec<Diagnostic> {
        self.passing_over(|_| true)
    }

    /// What is to be said where the ledger tells which files would not run again.
    pub(crate) fn told_of_pending(&self, view: &LedgerView) -> Vec<Diagnostic> {
        let stands = |row: &&AppliedRow| matches!(row.state, RowState::Applied | RowState::Baseline);
        let applied: HashSet<&Identity> = view.rows.iter().filter(stands).map(|row| &row.identity).collect();
        let files = self.changes.iter().filter(|change| applied.contains(&change.identity));
        let files: HashSet<&str> = files.map(|change| change.script.file.as_str()).collect();
        self.passing_over(|file| files.contains(file))
    }

    fn passing_over(&self, does_not_run: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let is_passed_over = |problem: &Diagnostic| {
            // Also what is no statement for limosa: a client has read it, or the file was another one then, which its checksum tells.
            (problem.code == limosa_formats::codes::TRANSACTION_MISUSE || problem.code.starts_with("LIM-S"))
                && problem.labels.first().is_some_and(|label| does_not_run(&label.file))
        };
        let told = self.diagnostics.iter().cloned().map(|problem| match is_passed_over(&problem) {
            true => Diagnostic { severity: Severity::Warning, ..problem },
            false => problem,
        });
        told.collect()
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
    let dialect = dialect.into();
    Listing::of(configuration, folders, dialect.engine())?.read(configuration, dialect, Wanted::All)
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
            // What runs around them.
            (Wanted::These(_), FileRole::Callback { event, .. }) => event.direction() == Direction::Revert,
            (Wanted::These(these), FileRole::Proof { of }) => these.contains(&Identity::of_version(of)),
            (Wanted::These(these), role) => role.identity().is_some_and(|identity| these.contains(&identity)),
        }
    }
}

/// A file, by its name.
struct Listed {
    name: String,
    role: FileRole,
    /// Where more is known than the name says: what.
    entry: Option<Box<Entry>>,
    /// Of the whole file, where it was asked for.
    checksum: Option<Checksum>,
}

/// The files of some folders, as far as their names tell, with the settings beside them.
pub(crate) struct Listing {
    scripts: Scripts,
    files: Vec<Listed>,
    recognised: Recognised,
    ledger_table: Option<LedgerTable>,
    schemas: Vec<String>,
    configs: Vec<Config>,
    diagnostics: Vec<Diagnostic>,
}

/// Files of which more is known than their names say, each as often as it holds changes.
fn with_entries(files: Vec<Listed>, layout: &Layout, scripts: &Scripts) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::with_capacity(files.len());
    for file in files {
        let Some(entries) = layout.entries(&file.name) else {
            listed.push(file);
            continue;
        };
        for entry in entries {
            let entry = match entry.back_elsewhere().map(|file| scripts.read(file)) {
                Some(bytes) => entry.with_back_in(&bytes?),
                None => entry,
            };
            listed.push(Listed {
                name: file.name.clone(),
                role: entry.role.clone(),
                checksum: entry.part.as_ref().map(|part| part.checksum.clone()),
                entry: Some(Box::new(entry)),
            });
        }
    }
    Ok(listed)
}

impl Listing {
    /// Lists all files of some folders, which are read for a database of this engine.
    ///
    /// # Errors
    /// Where a folder, or a file of settings, cannot be read, and where nobody can say whose format it is.
    pub(crate) fn of(configuration: &Configuration, folders: &[PathBuf], engine: Engine) -> Result<Listing, Failure> {
        let scripts = Scripts::of(configuration);
        let mut names = scripts.list(folders)?;
        // Where no folder is there yet, what stands around its place counts.
        let places = if folders.is_empty() { &configuration.directories } else { folders };
        let around = scripts.around(places);
        let (recognised, mut diagnostics) = layout_of(configuration, &scripts, folders, &names, &around, engine)?;
        let layout = &recognised.layout;
        let made = layout.made_files();
        names.extend(made.keys().cloned());
        if matches!(layout, Layout::Flyway(_)) {
            names.extend(scripts.programs_beside(folders)?);
        }
        let scripts = scripts.with_made(made);
        let (ledger_table, problem) = ledger_table(configuration, layout, &scripts, places, engine);
        diagnostics.extend(problem);
        let schemas = schemas_of_tool(layout, &scripts, places);
        // A folder may have a hundred thousand: each is listed once, in the place where it stays.
        let listed = names.into_iter().map(|name| {
            let role = layout.classify_at(&name, || depth_of(&name, &scripts, folders));
            Listed { name, role, entry: None, checksum: None }
        });
        let mut files: Vec<Listed> = listed.collect();
        diagnostics.extend(layout.check(files.iter().map(|file| (file.name.as_str(), &file.role))));
        let value_of = |name: &str| value_without_database(configuration, layout, name);
        if files.iter().any(|file| layout.entries(&file.name).is_some()) {
            files = with_entries(files, layout, &scripts)?;
        }
        let is_config = |file: &Listed| file.entry.is_none() && file.role == FileRole::Config;
        let mut configs = Vec::new();
        for file in files.iter().filter(|file| is_config(file)) {
            let (config, found) = layout.read_config(&file.name, &scripts.read(&file.name)?, engine, &value_of);
            configs.extend(config);
            diagnostics.extend(found);
        }
        files.retain(|file| !is_config(file));
        if !files.iter().any(|file| file.role.identity().is_some()) {
            let ignored = files.iter().filter(|file| file.role == FileRole::Ignored);
            let told =
                ignored.filter_map(|file| left_out::changelog_of_other_name(&file.name, &scripts.head(&file.name)?));
            diagnostics.extend(told);
        }
        if configs.iter().any(|config| config.script().is_some()) {
            let here: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
            diagnostics.extend(configs.iter().filter_map(|config| config.without_script(|name| here.contains(name))));
        }
        Ok(Listing { scripts, files, recognised, ledger_table, schemas, configs, diagnostics })
    }

    /// Takes the checksum of each file that may have been applied, while nobody knows yet which were; where names count, of those
    /// that run again when they change. Where values of placeholders count as well, no checksum tells, and none is taken.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(crate) fn with_checksums(mut self, configuration: &Configuration) -> Result<Listing, Failure> {
        let scripts = &self.scripts;
        let layout = &self.recognised.layout;
        let counts_values = layout.counts_values() && configuration.replace_placeholders;
        let marks = layout.placeholder_marks();
        // What it is known by are its values, too, which nobody has here.
        let has_values = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(marks.prefix());
        let counts = |role: &FileRole| configuration.verify_applied || !role.runs_once();
        let is_asked = |file: &Listed| file.role.identity().is_some() && file.checksum.is_none() && counts(&file.role);
        if !self.files.iter().any(is_asked) {
            return Ok(self);
        }
        on_all_processors(&mut self.files, |files| {
            let mut buffer = vec![0; BUFFER];
            for file in files.iter_mut().filter(|file| is_asked(file)) {
                if counts_values && !file.role.runs_once() {
                    let bytes = scripts.read(&file.name)?;
                    file.checksum = (!has_values(&bytes)).then(|| Checksum::of(&bytes));
                    continue;
                }
                file.checksum = Some(scripts.checksum(&file.name, &mut buffer)?);
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// What the files are of.
    pub(crate) fn layout(&self) -> &Layout {
        &self.recognised.layout
    }

    /// True where everything was applied, and nothing is to be said of it: see [`is_settled`].
    pub(crate) fn is_settled(&self, configuration: &Configuration, glance: &Glance) -> bool {
        let is_plain = self.configs.is_empty() && self.diagnostics.is_empty();
        let has_code = !configuration.code.is_empty() || !configuration.hooks.is_empty();
        let files = self.files.iter().map(|file| (&file.role, file.checksum.as_ref()));
        is_plain && !has_code && is_settled(glance, files, !configuration.verify_applied)
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
        let Listing { scripts, files: listed, recognised, ledger_table, schemas, configs, mut diagnostics } = self;
        let Recognised { layout, reason: format_reason } = recognised;
        let known = match &wanted {
            Wanted::Unknown(view) => Known::of(view, listed.iter().map(|file| &file.role)),
            Wanted::All | Wanted::These(_) => Known::default(),
        };
        let is_around_back = |role: &FileRole| matches!(role, FileRole::Callback { event, .. } if event.direction() == Direction::Revert);
        let around_back =
            listed.iter().filter(|file| is_around_back(&file.role)).map(|file| file.name.clone()).collect();
        // What is written again as SQL, or belongs to the application, needs no program.
        let is_program = |role: &FileRole| matches!(role, FileRole::Program { .. });
        let mut others: HashSet<Option<Identity>> = HashSet::new();
        if listed.iter().any(|file| is_program(&file.role)) {
            let files = listed.iter().filter(|file| !is_program(&file.role)).map(|file| file.role.identity());
            others.extend(files.chain(configuration.code.iter().map(|code| code.identity_in(&layout))));
        }
        let mut commands = Vec::new();
        let mut unread = Vec::new();
        let mut buffer = Vec::new();
        // Takes the place of the list.
        let to_read = listed.into_iter().filter(|file| wanted.has(&file.role)).filter_map(|file| {
            let Listed { name, role, entry, checksum } = file;
            match (known.row(&role), checksum) {
                (Some(row), Some(checksum)) if checksum == row.file_checksum => {
                    unread.push(FileFacts::unread(name.into(), role, checksum, row.up_checksum.clone()));
                    return None;
                }
                (Some(row), None) if !configuration.verify_applied && role.runs_once() => {
                    let checksum = row.file_checksum.clone();
                    unread.push(FileFacts::unread(name.into(), role, checksum, row.up_checksum.clone()));
                    return None;
                }
                _ if known.is_settled(&role) => return None,
                _ => {}
            }
            match role {
                role @ FileRole::Program { .. } if others.contains(&role.identity()) => None,
                role @ FileRole::Program { .. } => {
                    buffer.resize(BUFFER, 0);
                    match scripts.checksum(&name, &mut buffer) {
                        Ok(checksum) => unread.extend(FileFacts::of_program(name.into(), role, checksum)),
                        Err(failure) => return Some(Err(failure)),
                    }
                    None
                }
                FileRole::Callback { event, name: title, command: true } => {
                    let (name, work) = (title.to_string(), CallbackWork::Command(name));
                    commands.push(Callback { event, name, work, headers: Default::default() });
                    None
                }
                role => Some(Ok((name, role, entry))),
            }
        });
        let to_read = to_read.collect::<Result<Vec<ToRead>, Failure>>()?;
        let table = ledger_table.as_ref().map(|ledger| ledger.table.as_str());
        let foreign_keys = configuration.foreign_keys.unwrap_or_else(|| layout.foreign_keys());
        let dialect = dialect.with_marks(layout.placeholder_marks()).with_foreign_keys(foreign_keys);
        let how = Reading { dialect, configs: &configs, layout: &layout, ledger_table: table };
        let (mut files, found) = read_all(&scripts, to_read, &how)?;
        diagnostics.extend(found);
        files.push(unread);
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
        let has_placeholders = layout.has_placeholders();
        let leaves_placeholders = !configuration.replace_placeholders || !has_placeholders;
        let mut kinds = Alike::default();
        let of_changes = changes.iter_mut().map(|change| (layout.made_at(&change.script.file), &mut change.headers));
        for (made_at, headers) in of_changes.chain(callbacks.iter_mut().map(|callback| (None, &mut callback.headers))) {
            if made_at.is_some() {
                headers.made_at = made_at;
            }
            if leaves_placeholders {
                headers.placeholders_off = !(has_placeholders && headers.placeholders_on);
            }
            kinds.share(headers);
        }
        let diagnostics = left_out::told(diagnostics, is_anything_read);
        Ok(Loaded {
            changes,
            layout,
            ledger_table,
            schemas,
            foreign_keys,
            format_reason,
            callbacks,
            around_back,
            diagnostics,
        })
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
