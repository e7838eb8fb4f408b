//! The migrations of the working tree, of another branch, and of the commit where the two parted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limosa_core::{Binding, BranchFile, Checksum, Comparison, Kind, TextHasher, compare_branches};
use limosa_formats::Layout;
use limosa_formats::native::{Config, Entry, FileRole};
use limosa_run::Files;
use limosa_sql::{Diagnostic, Dialect, Engine};

use crate::builtins::value_without_database;
use crate::files::layout_of;
use crate::git::{Checkout, Commit};
use crate::scripts::{Scripts, depth_of, unreadable};
use crate::side_by_side::{Reading, ToRead, read_all};
use crate::{Configuration, Failure};

/// One side of a comparison.
pub(crate) struct Side {
    /// Migrations, in the order of their paths.
    pub(crate) files: Vec<BranchFile>,
    /// The names of all files of the folders.
    pub(crate) names: Vec<String>,
    /// Ways back.
    pub(crate) ways_back: Vec<(String, FileRole)>,
    /// What stands in files of settings.
    pub(crate) configs: Vec<Config>,
}

/// Three sides.
pub(crate) struct Branches {
    /// The other branch, as somebody named it.
    pub(crate) reference: String,
    /// Its commit.
    pub(crate) commit: Commit,
    /// Where this branch parted from it.
    pub(crate) merge_base: Commit,
    /// How the files are named.
    pub(crate) layout: Layout,
    /// At the merge base.
    pub(crate) base: Side,
    /// On the other branch.
    pub(crate) there: Side,
    /// In the working tree.
    pub(crate) here: Side,
    /// What could not be compared.
    pub(crate) notices: Vec<Diagnostic>,
}

impl Branches {
    /// Reads the three; without a reference, that of the branch which this one is usually meant for.
    pub(crate) fn read(configuration: &Configuration, reference: Option<&str>) -> Result<Branches, Failure> {
        if configuration.embedded.is_some() {
            let message = "migrations that are compiled in have no branches";
            return Err(Failure::usage("LIM-U131", message, "name their folder: --dir migrations"));
        }
        let folders = &configuration.directories;
        let checkout = Checkout::of(folders)?;
        let reference = reference.map_or_else(|| checkout.usual_reference(), |named| Ok(named.to_owned()))?;
        let (head, commit) = (checkout.head()?, checkout.commit(&reference)?);
        let merge_base = checkout.merge_base(&head, &commit, &reference)?;
        let [at_base, at_commit] = [checkout.tree(&merge_base)?, checkout.tree(&commit)?];
        let left_out: BTreeMap<String, Diagnostic> =
            at_base.left_out().iter().chain(at_commit.left_out()).cloned().collect();
        let [base, there] = [at_base, at_commit].map(|tree| Scripts::Commit(Arc::new(tree)));
        let present: Vec<PathBuf> = folders.iter().filter(|folder| folder.exists()).cloned().collect();
        let mut names = Scripts::Disk.list(&present)?;
        let is_left_out = |name: &str| {
            let mut places = left_out.keys();
            places.any(|place| {
                name.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
            })
        };
        names.retain(|name| !is_left_out(name));
        let there_names = there.list(folders)?;
        if let Some(folder) = folders.iter().find(|folder| !folder.exists())
            && there_names.is_empty()
            && names.is_empty()
        {
            return Err(unreadable(folder, &std::io::ErrorKind::NotFound.into()));
        }
        let engine = limosa_db::engine_of(configuration.database.expose()).ok();
        let dialects: Vec<Dialect> = match engine {
            Some(engine) => vec![Dialect::from(engine)],
            None => Engine::ALL.iter().copied().map(Dialect::from).collect(),
        };
        // How this branch names its files is how the other one does.
        let (scripts, shown) = if names.is_empty() { (&there, &there_names) } else { (&Scripts::Disk, &names) };
        let around = Scripts::Disk.around(folders);
        let reader = engine.unwrap_or(Engine::Sqlite);
        let (recognised, _) = layout_of(configuration, scripts, folders, shown, &around, reader)?;
        let layout = recognised.layout;
        let mut reading = SideReading { configuration, layout: &layout, dialects: &dialects, known: HashMap::new() };
        Ok(Branches {
            base: reading.side(&base, base.list(folders)?)?,
            there: reading.side(&there, there_names)?,
            here: reading.side(&Scripts::Disk, names)?,
            reference,
            commit,
            merge_base,
            layout,
            notices: left_out.into_values().collect(),
        })
    }

    /// What the two branches have made of what they had in common.
    pub(crate) fn compare(&self) -> Comparison<'_> {
        let order = self.layout.ordered_by();
        compare_branches(&self.base.files, &self.there.files, &self.here.files, order)
    }
}

/// How the sides are read.
struct SideReading<'r> {
    configuration: &'r Configuration,
    layout: &'r Layout,
    /// Each file is read by all of them.
    dialects: &'r [Dialect],
    /// What was read of files on another side, by name and text: most are alike on all.
    known: HashMap<(String, Checksum), FileText>,
}

/// What the text of a migration says.
#[derive(Clone, Default)]
struct FileText {
    engines: Vec<Engine>,
    up_checksums: Vec<Option<Checksum>>,
}

impl SideReading<'_> {
    fn side(&mut self, scripts: &Scripts, names: Vec<String>) -> Result<Side, Failure> {
        let folders = &self.configuration.directories;
        let layout = self.learnt(scripts, &names)?;
        let engine = self.dialects.first().map_or(Engine::Sqlite, |dialect| dialect.engine());
        let value_of = |name: &str| value_without_database(self.configuration, &layout, name);
        let (mut configs, mut wanted, mut ways_back) = (Vec::new(), Vec::new(), Vec::new());
        for name in &names {
            if let Some(entries) = layout.entries(name) {
                for entry in entries {
                    match &entry.role {
                        FileRole::Rollback { .. } => ways_back.push((name.clone(), entry.role.clone())),
                        role if role.identity().is_some() => {
                            wanted.push(Wanted { name, role: role.clone(), entry: Some(entry) });
                        }
                        _ => {}
                    }
                }
                continue;
            }
            match layout.classify_at(name, || depth_of(name, scripts, folders)) {
                // What is wrong with it is told by those who read it to run.
                FileRole::Config => configs.extend(layout.read_config(name, &scripts.read(name)?, engine, &value_of).0),
                role @ FileRole::Rollback { .. } => ways_back.push((name.clone(), role)),
                role if role.identity().is_some() => wanted.push(Wanted { name, role, entry: None }),
                _ => {}
            }
        }
        let files = self.read(scripts, wanted, &configs, &layout)?;
        Ok(Side { files, ways_back, configs, names })
    }

    fn read(
        &mut self,
        scripts: &Scripts,
        wanted: Vec<Wanted<'_>>,
        configs: &[Config],
        layout: &Layout,
    ) -> Result<Vec<BranchFile>, Failure> {
        let mut read: Vec<Option<FileText>> = vec![None; wanted.len()];
        let mut keys = Vec::with_capacity(wanted.len());
        for (at, one) in wanted.iter().enumerate() {
            let key = (one.shown(), text_of(scripts, one)?);
            // Settings beside files may say more of them than their text does.
            read[at] = self.known.get(&key).filter(|_| configs.is_empty()).cloned();
            keys.push(key);
        }
        let unread: Vec<usize> = (0..wanted.len()).filter(|at| read[*at].is_none()).collect();
        for &dialect in self.dialects {
            let these = unread.iter().map(|at| wanted[*at].to_read()).collect();
            let (found, problems) = read_all(
                scripts,
                these,
                &Reading {
                    dialect: dialect.with_marks(layout.placeholder_marks()),
                    configs,
                    layout,
                    ledger_table: None,
                },
            )?;
            // What stands behind an error was not read.
            let errors = problems.iter().filter(|problem| problem.is_error());
            let broken: HashSet<&str> = errors.flat_map(|one| &one.labels).map(|label| label.file.as_str()).collect();
            for (facts, at) in found.into_iter().flatten().zip(&unread) {
                let known = read[*at].get_or_insert_default();
                known.engines = facts.headers().engines.to_vec();
                let script = facts.script().filter(|_| !broken.contains(facts.path()));
                known.up_checksums.push(script.map(|script| script.up_checksum.clone()));
            }
        }
        for (key, read) in keys.iter().zip(&read).filter(|_| configs.is_empty()) {
            self.known.insert(key.clone(), read.clone().unwrap_or_default());
        }
        let files = wanted.iter().zip(read).zip(keys).filter_map(|((one, read), (name, text_checksum))| {
            let FileText { engines, up_checksums } = read.unwrap_or_default();
            let made_at = layout.made_at(one.name);
            let file = branch_file(one, name, text_checksum)?;
            let stated = layout.stated(file.identity.as_str());
            Some(BranchFile { engines, up_checksums, made_at, stated, ..file })
        });
        Ok(files.collect())
    }

    /// The layout with what stands in this side's own files about all of them.
    fn learnt(&self, scripts: &Scripts, names: &[String]) -> Result<Layout, Failure> {
        let mut own = match self.layout {
            Layout::Drizzle(_) => Layout::Drizzle(Default::default()),
            Layout::Sqitch(_) => Layout::Sqitch(Default::default()),
            Layout::Liquibase(_) => Layout::Liquibase(Default::default()),
            _ => return Ok(self.layout.clone()),
        };
        let folders: Vec<String> =
            self.configuration.directories.iter().map(|folder| folder.display().to_string()).collect();
        own.stand_in(&folders);
        let engine = self.dialects.first().map_or(Engine::Sqlite, |dialect| dialect.engine());
        for name in names.iter().filter(|name| self.layout.learns_from(name)) {
            own.learn(name, &scripts.read(name)?, engine);
        }
        if let Layout::Drizzle(_) = own {
            return Ok(own);
        }
        let paths: Vec<&str> = names.iter().map(String::as_str).collect();
        let problems = own.look_around(&paths);
        match (own, problems.into_iter().find(Diagnostic::is_error)) {
            // What lies outside of the folder is on no other side.
            (Layout::Sqitch(project), Some(problem)) if project.name().is_none() => {
                let message = format!("the plan of this project cannot be compared: {}", problem.message);
                let help = "name the folder that holds the plan, and no other: --dir";
                Err(Failure::usage("LIM-U135", message, help))
            }
            (own, _) => Ok(own),
        }
    }
}

/// A migration of a side before it is read.
struct Wanted<'w> {
    name: &'w str,
    role: FileRole,
    /// Where a list names it, or it is a part of its file.
    entry: Option<Entry>,
}

impl Wanted<'_> {
    /// What it is called on all sides.
    fn shown(&self) -> String {
        match self.role.identity().filter(|_| self.entry.is_some()) {
            Some(identity) => identity.to_string(),
            None => self.name.to_owned(),
        }
    }

    fn to_read(&self) -> ToRead {
        (self.name.to_owned(), self.role.clone(), self.entry.clone().map(Box::new))
    }
}

/// The checksum of a whole text, its line ends made equal; of a part of a file that alone.
fn text_of(scripts: &Scripts, wanted: &Wanted<'_>) -> Result<Checksum, Failure> {
    let unreadable = |error| unreadable(Path::new(wanted.name), &error);
    let mut file = scripts.open(wanted.name).map_err(unreadable)?;
    if let Some(part) = wanted.entry.as_ref().and_then(|entry| entry.part.as_ref()) {
        std::io::copy(&mut file.by_ref().take(part.start), &mut std::io::sink()).map_err(unreadable)?;
        file = Box::new(file.take(part.end.saturating_sub(part.start)));
    }
    let (mut hasher, mut buffer) = (TextHasher::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

/// What the name of a migration says.
fn branch_file(wanted: &Wanted<'_>, name: String, text_checksum: Checksum) -> Option<BranchFile> {
    let role = &wanted.role;
    let (kind, label, binding) = match role {
        FileRole::Versioned { version, label, .. } | FileRole::Program { version, label, .. } => {
            (Kind::Versioned(version.clone()), label, Binding::InOrder)
        }
        FileRole::Late { version, label, .. } | FileRole::Baseline { version, label, .. } => {
            (Kind::Versioned(version.clone()), label, Binding::Free)
        }
        FileRole::Repeatable { name: words } | FileRole::Again { name: words, .. } => {
            (Kind::Repeatable, words, Binding::Repeatable)
        }
        _ => return None,
    };
    let version = if let Kind::Versioned(version) = kind { Some(version) } else { None };
    Some(BranchFile {
        path: wanted.name.to_owned(),
        name,
        made_at: None,
        identity: role.identity()?,
        version,
        label: label.to_string(),
        binding,
        engines: Vec::new(),
        up_checksums: Vec::new(),
        text_checksum,
        stated: Vec::new(),
    })
}
