//! Where scripts are read from: folders on disk, or files that are compiled in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limosa_core::{Checksum, FileHasher};
use limosa_formats::HEAD_BYTES;
use limosa_formats::formats::SIGNS;
use limosa_formats::native::FilePart;
use limosa_run::Files;
use limosa_sql::{Diagnostic, Label};

use crate::git::Tree;
use crate::{Configuration, Embedded, Exit, Failure};

/// Where scripts are read from.
#[derive(Clone)]
pub(crate) enum Scripts {
    Disk,
    /// Changes that stand in no file of their own, and all else.
    Made(Arc<BTreeMap<String, Arc<[u8]>>>, Box<Scripts>),
    Embedded(Embedded),
    /// A commit of git's.
    Commit(Arc<Tree>),
}

impl Scripts {
    pub(crate) fn of(configuration: &Configuration) -> Scripts {
        configuration.embedded.clone().map_or(Scripts::Disk, Scripts::Embedded)
    }

    /// The same with changes that stand in no file of their own.
    pub(crate) fn with_made(self, made: BTreeMap<String, Arc<[u8]>>) -> Scripts {
        if made.is_empty() { self } else { Scripts::Made(Arc::new(made), Box::new(self)) }
    }

    /// The names of all files, in order.
    pub(crate) fn list(&self, folders: &[PathBuf]) -> Result<Vec<String>, Failure> {
        match self {
            Scripts::Made(_, others) => others.list(folders),
            Scripts::Embedded(files) => Ok(files.names().map(str::to_owned).collect()),
            Scripts::Commit(tree) => Ok(tree.names().map(str::to_owned).collect()),
            Scripts::Disk => {
                let mut names = Vec::new();
                for folder in folders {
                    names.extend(list(folder)?.into_iter().map(shown));
                }
                Ok(names)
            }
        }
    }

    /// The names of the programs that stand in the package beside each folder, and would be found with its scripts.
    pub(crate) fn programs_beside(&self, folders: &[PathBuf]) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        if let Scripts::Disk = self {
            for (package, ending) in folders.iter().flat_map(|folder| packages_beside(folder)) {
                let files = list(&package)?.into_iter();
                names.extend(files.filter(|file| file.extension().is_some_and(|found| found == ending)).map(shown));
            }
        }
        Ok(names)
    }

    /// The first bytes of a file; None where it cannot be read, which is said when it is read for good.
    pub(crate) fn head(&self, name: &str) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        self.open(name).ok()?.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
        Some(head)
    }

    /// Files and folders that say beside the folders, or above them, whose they are. Nothing stands around what is compiled in, and
    /// a commit is read as the working tree is.
    pub(crate) fn around(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        match self {
            Scripts::Made(_, others) => others.around(folders),
            Scripts::Embedded(_) | Scripts::Commit(_) => Vec::new(),
            Scripts::Disk => folders.iter().flat_map(|folder| around(folder, SIGNS)).collect(),
        }
    }

    /// The nearest file of this name beside the folders or above them, where that may be.
    pub(crate) fn beside(&self, folders: &[PathBuf], name: &str) -> Option<PathBuf> {
        match self {
            Scripts::Made(_, others) => others.beside(folders, name),
            Scripts::Embedded(_) | Scripts::Commit(_) => None,
            Scripts::Disk => folders.iter().flat_map(|folder| around(folder, &[name])).find(|path| path.is_file()),
        }
    }

    /// The checksum of a file as it may have been applied. A file that gives less than it is asked for is taken to end there, which
    /// saves a system call for each: were that wrong, the checksum would be none that was recorded, and the file is read for good.
    pub(crate) fn checksum(&self, name: &str, buffer: &mut [u8]) -> Result<Checksum, Failure> {
        let failed = |error| unreadable(Path::new(name), &error);
        let mut file = self.open(name).map_err(failed)?;
        let mut hasher = FileHasher::new();
        loop {
            match file.read(buffer) {
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    if count < buffer.len() {
                        return Ok(hasher.finish());
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
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
            Scripts::Made(made, others) => match made.get(file) {
                Some(bytes) => Ok(Box::new(std::io::Cursor::new(Arc::clone(bytes)))),
                None => others.open(file),
            },
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
        std::io::ErrorKind::NotFound if path.to_str().is_some_and(|path| path.contains('\u{fffd}')) => {
            "its name is not UTF-8; rename it".to_owned()
        }
        std::io::ErrorKind::NotFound => match usual_folders(path).as_slice() {
            [] => "check --dir, or make a first migration: limosa new \"create users\"".to_owned(),
            found => format!("migrations may stand in {}: say --dir {}", found.join(", "), found[0]),
        },
        std::io::ErrorKind::PermissionDenied => "the user that runs limosa needs the right to read it".to_owned(),
        _ => "look at the file system, then run again".to_owned(),
    };
    Failure::new(Exit::Usage, diagnostic.at(Label::file(path.display().to_string())).help(help))
}

/// Where other tools and frameworks have their files when nobody says otherwise.
const USUAL_FOLDERS: [&str; 10] = [
    "db/migrations",
    "db/migration",
    "sql",
    "sql/migrations",
    "prisma/migrations",
    "drizzle",
    "supabase/migrations",
    "src/main/resources/db/migration",
    "src/main/resources/db/changelog",
    "database/migrations",
];

/// Those of them beside a folder that is missing which hold SQL files, as they may be said. Sqitch's are found by its plan.
fn usual_folders(missing: &Path) -> Vec<String> {
    let beside = missing.parent().unwrap_or(Path::new(""));
    let is_sql = |file: &PathBuf| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
    let holds_sql = |folder: &Path| folder.is_dir() && list(folder).is_ok_and(|files| files.iter().any(is_sql));
    if beside.join("sqitch.plan").is_file() {
        return vec![if beside.as_os_str().is_empty() { ".".to_owned() } else { beside.display().to_string() }];
    }
    let folders = USUAL_FOLDERS.iter().map(|folder| beside.join(folder)).filter(|folder| holds_sql(folder));
    folders.map(|folder| folder.display().to_string()).collect()
}

/// All files below a folder, in order of their names.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    walk(folder, 0, &mut found)?;
    Ok(found)
}

/// Where a project built by Maven or Gradle keeps the code that Flyway finds in the same place of the class path as the scripts of this
/// folder, by the ending of its files.
fn packages_beside(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    const LANGUAGES: [(&str, &str); 3] = [("java", "java"), ("kotlin", "kt"), ("groovy", "groovy")];
    let parts: Vec<_> = folder.components().map(|part| part.as_os_str()).collect();
    let Some(at) = parts.windows(3).position(|parts| parts == ["src", "main", "resources"]) else { return Vec::new() };
    let (above, below) = (&parts[..at + 2], &parts[at + 3..]);
    if below.is_empty() {
        // That is all the code there is.
        return Vec::new();
    }
    let package = |language: &str| -> PathBuf {
        above.iter().copied().chain([language.as_ref()]).chain(below.iter().copied()).collect()
    };
    let packages = LANGUAGES.into_iter().map(|(language, ending)| (package(language), ending));
    packages.filter(|(package, _)| package.is_dir()).collect()
}

/// A path as it is shown.
fn shown(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap_or_else(|path| path.to_string_lossy().into_owned())
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
const ABOVE: usize = 8;

/// Files and folders of these names beside a folder or above it, the nearest of each.
fn around(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let Ok(folder) = std::path::absolute(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = Vec::new();
    for place in folder.ancestors().take(ABOVE) {
        for name in names {
            let path = place.join(name);
            if !found.iter().any(|known| known.ends_with(name)) && path.exists() {
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
        Scripts::Made(_, others) => depth_of(name, others, folders),
        Scripts::Embedded(_) => below(path),
        Scripts::Disk | Scripts::Commit(_) => {
            folders.iter().filter_map(|folder| path.strip_prefix(folder).ok()).map(below).min().unwrap_or_default()
        }
    }
}

/// Reads a file to its end, part by part.
pub(crate) fn each_part(
    scripts: &Scripts,
    name: &str,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<(), Failure> {
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

/// A part of a file; `whole` is the file that was read last.
pub(crate) fn part_of<'w>(
    scripts: &Scripts,
    name: &str,
    part: &FilePart,
    whole: &'w mut (String, Vec<u8>),
) -> Result<&'w [u8], Failure> {
    if whole.0 != name {
        let bytes = scripts.read(name)?;
        let mut hasher = FileHasher::new();
        hasher.update(&bytes);
        if hasher.finish() != part.checksum {
            let problem = Diagnostic::error("LIM-F900", format!("{name} was changed while it was read"));
            let help = "run again when the file is at rest";
            return Err(Failure::new(Exit::Usage, problem.at(Label::file(name)).help(help)));
        }
        *whole = (name.to_owned(), bytes);
    }
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(whole.1.len());
    Ok(&whole.1[at(part.start)..at(part.end)])
}
