//! `new --renumber`: newer versions for migrations that another branch came before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use limosa_core::{BranchFile, Comparison, Identity, LedgerView, newest_of};
use limosa_formats::native::FileRole;
use limosa_formats::renumber::{NewName, NewPath, is_way_back_of, names_one_of, readdress};
use limosa_sql::{Diagnostic, Label, Position, Severity};

use super::Numbering;
use super::versions::Versions;
use super::write::{Edit, Rename, refuse_taken, rename_all};
use crate::branches::Branches;
use crate::commands::against::has_database;
use crate::opened::{Purpose, open};
use crate::report::DoneAnswer;
use crate::{Failure, Migrator};

/// What `new --renumber` is asked.
#[derive(Debug, Clone, Default)]
pub struct RenumberOptions {
    /// The migrations to renumber; empty: those that clash, and what was added after the first of them.
    pub files: Vec<PathBuf>,
    /// The other branch; None: the upstream of this one, else the main one of `origin`.
    pub reference: Option<String>,
    /// How the new versions are chosen.
    pub numbering: Numbering,
    /// The time since the Unix epoch, for versions that are times.
    pub now: Duration,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// A migration that gets another version, with all that goes along.
struct Move<'f> {
    file: &'f BranchFile,
    new: NewPath,
    label: String,
    /// Ways back and settings beside it.
    along: Vec<(String, NewPath)>,
}

impl Migrator {
    /// Gives migrations that were added on this branch versions that come after those of another one. Files and folders are
    /// renamed, and headers of files that were added here follow. Where a database is configured, nothing that it has applied is touched.
    ///
    /// # Errors
    /// Where git, the files or the ledger cannot be read, a file is on the other branch or applied, or cannot be renamed; then none
    /// is.
    pub async fn renumber(&self, options: &RenumberOptions) -> Result<DoneAnswer, Failure> {
        let (configuration, named) = (self.configuration.clone(), options.reference.clone());
        let reading = move || Branches::read(&configuration, named.as_deref());
        let read = tokio::task::spawn_blocking(reading).await;
        let branches = read.map_err(|_| crate::commands::interrupted())??;
        if let Some((message, help)) = branches.layout.made_by_its_tool() {
            return Err(Failure::usage("LIM-U051", message, help));
        }
        let compared = branches.compare();
        let chosen = chosen(&branches, &compared, &options.files)?;
        let mut answer = DoneAnswer::new("new", None);
        if chosen.is_empty() {
            let message = format!(
                "nothing that was added here since {} collides with {} or comes late",
                branches.merge_base, branches.reference
            );
            answer.notices.push(Diagnostic::new("LIM-U057", Severity::Note, message));
            return Ok(answer);
        }
        let view = match has_database(&self.configuration) {
            true => {
                let mut opened = open(&self.configuration, Purpose::Read).await?;
                let view = opened.look().await;
                answer.target = Some(opened.target.clone());
                opened.close().await;
                Some(view?)
            }
            false => None,
        };
        if let Some(view) = &view {
            refuse_applied(&branches, &chosen, view)?;
        }
        let moves = moves(&branches, &chosen, options)?;
        let names = new_names(&branches, &moves);
        let edits = edits(
            &compared,
            &moves,
            &names,
            |file| view.as_ref().is_none_or(|view| !is_applied(&branches, file, view)),
            &mut answer.notices,
        )?;
        answer.notices.extend(in_configurations(&branches, &names));
        let renames = renames(&moves);
        refuse_taken(&renames)?;
        let mut lines: Vec<String> =
            renames.iter().map(|one| format!("{} -> {}", one.from.display(), one.to.display())).collect();
        lines.extend(edits.iter().map(|edit| format!("{}: its headers name the new versions", edit.path.display())));
        if options.dry_run {
            answer.would = lines;
        } else {
            rename_all(&renames, &edits)?;
            answer.done = lines;
        }
        Ok(answer)
    }
}

fn refused(path: &str, message: String, help: impl Into<String>) -> Failure {
    let mut failure = Failure::usage("LIM-U056", message, help);
    failure.diagnostics.iter_mut().for_each(|problem| problem.labels.push(Label::file(path)));
    failure
}

/// The migrations that are meant, in the order in which they run.
fn chosen<'f>(
    branches: &'f Branches,
    compared: &Comparison<'f>,
    files: &[PathBuf],
) -> Result<Vec<&'f BranchFile>, Failure> {
    if files.is_empty() {
        return Ok(compared.to_renumber());
    }
    let mut wanted = Vec::new();
    for named in files {
        let shown = named.display();
        let place = real(named);
        let is_meant = |file: &&BranchFile| {
            let path = Path::new(&file.path);
            let folder = branches.layout.renumbered(&file.path, "1").map(|new| new.from);
            real(path) == place || folder.is_some_and(|folder| folder != file.path && real(Path::new(&folder)) == place)
        };
        let Some(file) = branches.here.files.iter().find(is_meant) else {
            let help = "name the file of a migration (not of its way back) in the folders of migrations";
            return Err(refused(&shown.to_string(), format!("{shown} is no migration here"), help));
        };
        if file.version.is_none() || file.identity.as_str().starts_with("B:") {
            let help = "only migrations that run once, in order, get another version";
            return Err(refused(&file.path, format!("{} has no version that could be another one", file.path), help));
        }
        if !compared.added.iter().any(|added| added.path == file.path) {
            let message = format!("{} was not added here: {} has it, or had it", file.path, branches.reference);
            return Err(refused(
                &file.path,
                message,
                "what others may have applied keeps its version; write a new migration",
            ));
        }
        wanted.push(file.path.as_str());
    }
    Ok(compared.added.iter().copied().filter(|file| wanted.contains(&file.path.as_str())).collect())
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// True where the ledger's row is that of this file, and not of another branch's with the same version.
fn is_applied(branches: &Branches, file: &BranchFile, view: &LedgerView) -> bool {
    let is_shared = branches.there.files.iter().any(|other| other.identity == file.identity);
    let is_interrupted = view.journal.iter().any(|row| row.identity == file.identity);
    match view.row(&file.identity) {
        Some(row) => {
            let words = branches.layout.words_of(&file.path).unwrap_or_default();
            !is_shared
                || file.up_checksums.iter().flatten().any(|checksum| *checksum == row.up_checksum)
                || row.name == words.replace('_', " ").trim()
        }
        None => is_interrupted && !is_shared,
    }
}

fn refuse_applied(branches: &Branches, chosen: &[&BranchFile], view: &LedgerView) -> Result<(), Failure> {
    match chosen.iter().find(|file| is_applied(branches, file, view)) {
        None => Ok(()),
        Some(file) => Err(refused(
            &file.path,
            format!("{} is applied in the database that is named, by its version", file.path),
            format!(
                "take it back there first: limosa rollback {}; or, where that database is to be thrown away: --files-only",
                file.identity
            ),
        )),
    }
}

/// New paths for all of them.
fn moves<'f>(
    branches: &'f Branches,
    chosen: &[&'f BranchFile],
    options: &RenumberOptions,
) -> Result<Vec<Move<'f>>, Failure> {
    let layout = &branches.layout;
    let is_chosen = |file: &&BranchFile| chosen.iter().any(|one| one.path == file.path);
    let staying = branches.here.files.iter().filter(|file| !is_chosen(file));
    let Some(newest) = newest_of(branches.there.files.iter().chain(staying)) else {
        let file = chosen.first().map_or("", |file| file.path.as_str());
        return Err(refused(file, "no other migration is there to come after".to_owned(), "leave it as it is"));
    };
    let Some(mut versions) = Versions::behind(&newest.label, options.numbering, options.now) else {
        let message = format!("nobody can count on from the version of {}", newest.path);
        return Err(refused(&newest.path, message, "choose how versions go on: --timestamp or --sequential"));
    };
    let mut moves: Vec<Move<'f>> = Vec::new();
    for &file in chosen {
        // Files of one version for different engines stay together.
        let together = moves.last().filter(|last| last.file.identity == file.identity && !last.file.meets(file));
        let label = together.map_or_else(|| versions.next(), |last| last.label.clone());
        let Some(new) = layout.renumbered(&file.path, &label) else {
            let message = format!("no version stands in the name of {}", file.path);
            return Err(refused(&file.path, message, "rename it by hand"));
        };
        let is_newer = match layout.classify(&new.file) {
            FileRole::Versioned { version, .. } | FileRole::Late { version, .. } => Some(version) > newest.version,
            _ => false,
        };
        if !is_newer {
            let message = format!("{} would not come after {}", new.file, newest.path);
            return Err(refused(&file.path, message, "choose how versions go on: --timestamp or --sequential"));
        }
        let along = along(branches, file, chosen, &label, &new)?;
        moves.push(Move { file, new, label, along });
    }
    Ok(moves)
}

/// What goes along with a migration: its ways back that were added here, and settings that are named after it.
fn along(
    branches: &Branches,
    file: &BranchFile,
    chosen: &[&BranchFile],
    label: &str,
    new: &NewPath,
) -> Result<Vec<(String, NewPath)>, Failure> {
    let layout = &branches.layout;
    let elsewhere: BTreeSet<&String> = branches.there.names.iter().chain(&branches.base.names).collect();
    let mut along = Vec::new();
    let is_shared = chosen.iter().filter(|other| other.identity == file.identity).count() > 1;
    for (path, role) in &branches.here.ways_back {
        if elsewhere.contains(path) || !is_way_back_of(role, &file.identity) {
            continue;
        }
        let is_own = match role {
            FileRole::Rollback { beside: Some(stem), .. } => file.path.ends_with(&format!("{stem}.sql")),
            _ => !is_shared || layout.words_of(path) == layout.words_of(&file.path),
        };
        // One that no other of them claims must not be left behind.
        let is_anyones = chosen.iter().any(|other| layout.words_of(path) == layout.words_of(&other.path));
        match (is_own, is_anyones, layout.renumbered(path, label)) {
            (true, _, Some(moved)) => along.push((path.clone(), moved)),
            (false, true, _) => {}
            _ => {
                let message = format!("nobody can say whose way back {path} is");
                return Err(refused(path, message, "rename it after its migration, then run this again"));
            }
        }
    }
    let settings = format!("{}.conf", file.path);
    if branches.here.names.contains(&settings) && !elsewhere.contains(&settings) {
        let to = format!("{}.conf", new.file);
        along.push((settings.clone(), NewPath { file: to.clone(), from: settings, to }));
    }
    Ok(along)
}

fn new_names(branches: &Branches, moves: &[Move<'_>]) -> Vec<NewName> {
    let stays = |identity: &Identity| {
        let mut here = branches.here.files.iter();
        here.any(|file| file.identity == *identity && !moves.iter().any(|one| one.file.path == file.path))
    };
    let name = |one: &Move<'_>| {
        let is_split =
            moves.iter().filter(|other| other.file.identity == one.file.identity).any(|other| other.label != one.label);
        NewName {
            identity: one.file.identity.clone(),
            old: one.file.path.clone(),
            new: one.new.file.clone(),
            label: match branches.layout.classify(&one.new.file).identity() {
                // Where names are identities, it is the name that others depend on.
                Some(identity) if one.file.version.as_ref().is_some_and(|version| version.name().is_some()) => {
                    identity.as_str().to_owned()
                }
                _ => one.label.clone(),
            },
            is_shared: is_split || stays(&one.file.identity),
        }
    };
    moves.iter().map(name).collect()
}

/// New texts of files that were added here and name what moves. `may_change` says whether a file that stays may be touched.
fn edits(
    compared: &Comparison<'_>,
    moves: &[Move<'_>],
    names: &[NewName],
    may_change: impl Fn(&BranchFile) -> bool,
    notices: &mut Vec<Diagnostic>,
) -> Result<Vec<Edit>, Failure> {
    let mut edits = Vec::new();
    for &file in &compared.added {
        let moved = moves.iter().find(|one| one.file.path == file.path);
        let ways_back = moved.iter().flat_map(|one| &one.along).map(|(old, new)| (old.as_str(), new.file.as_str()));
        let own = std::iter::once((file.path.as_str(), moved.map_or(file.path.as_str(), |one| one.new.file.as_str())));
        for (old, new) in own.chain(ways_back).filter(|(old, _)| !old.ends_with(".conf")) {
            let text = std::fs::read(old).map_err(|error| crate::scripts::unreadable(Path::new(old), &error))?;
            let read = readdress(&text, &file.path, names);
            for (line, word) in read.doubtful {
                let message = format!("'{word}' may mean another migration by now, and stays as it is");
                notices.push(by_hand(Label::place(new, Position { line, column: 1 }), message));
            }
            match read.text {
                Some(_) if moved.is_none() && !may_change(file) => {
                    let message = format!("{old} names what has another version now, and is applied already");
                    notices.push(by_hand(Label::file(old), message));
                }
                Some(text) => edits.push(Edit { path: PathBuf::from(new), text }),
                None => {}
            }
        }
    }
    Ok(edits)
}

/// Entries of configurations that name what moves: they are the user's, with comments of theirs.
fn in_configurations(branches: &Branches, names: &[NewName]) -> Vec<Diagnostic> {
    let is_yaml = |path: &str| path.ends_with(".yaml") || path.ends_with(".yml");
    let written =
        branches.here.configs.iter().filter(|config| is_yaml(config.path())).flat_map(|config| config.references());
    written
        .filter(|(text, _)| names_one_of(text, names))
        .map(|(text, label)| by_hand(label.clone(), format!("'{text}' names a migration that has another version now")))
        .collect()
}

fn by_hand(label: Label, message: String) -> Diagnostic {
    Diagnostic::warning("LIM-U058", message).at(label).help("change it by hand where that one is meant")
}

/// What is renamed, each once, the last version first: a name that another one gives up is free by then.
fn renames(moves: &[Move<'_>]) -> Vec<Rename> {
    let mut seen = BTreeSet::new();
    let mut renames = Vec::new();
    for one in moves.iter().rev() {
        for new in std::iter::once(&one.new).chain(one.along.iter().map(|(_, new)| new)) {
            if seen.insert(new.from.clone()) {
                renames.push(Rename { from: PathBuf::from(&new.from), to: PathBuf::from(&new.to) });
            }
        }
    }
    renames
}
