//! What git knows of the folders of migrations: commits, and the files that they hold.

mod program;
mod tree;

use std::fmt;
use std::path::{Path, PathBuf};

use limosa_sql::{Diagnostic, Label};

use self::program::{Ran, refused, run, run_well};
pub(crate) use self::tree::Tree;
use crate::{Exit, Failure};

/// A commit, by its whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit(String);

impl Commit {
    /// The whole name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As much of the name as a command needs.
    pub(crate) fn short(&self) -> &str {
        &self.0[..12.min(self.0.len())]
    }
}

/// The first seven letters, as people say it.
impl fmt::Display for Commit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0[..7.min(self.0.len())])
    }
}

/// The checkout that holds the folders of migrations.
pub(crate) struct Checkout {
    root: PathBuf,
    /// The folders as somebody named them, each with its place in the checkout; the root has the empty one.
    folders: Vec<(PathBuf, PathBuf)>,
}

fn usage(code: &'static str, message: String, help: impl Into<String>) -> Failure {
    Failure::usage(code, message, help)
}

/// A path as git writes it, but for the end of its line.
fn path_in(bytes: &[u8]) -> PathBuf {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

impl Checkout {
    /// The checkout in which all folders lie. A folder need not be there.
    pub(crate) fn of(folders: &[PathBuf]) -> Result<Checkout, Failure> {
        let mut checkout: Option<Checkout> = None;
        for folder in folders {
            let (root, place) = place_of(folder)?;
            match &mut checkout {
                None => checkout = Some(Checkout { root, folders: vec![(folder.clone(), place)] }),
                Some(known) if known.root == root => known.folders.push((folder.clone(), place)),
                Some(known) => {
                    let message = format!(
                        "{} lies outside of the checkout that holds the other folders, {}",
                        folder.display(),
                        known.root.display()
                    );
                    let help = "name the folders of one checkout at a time: --dir";
                    return Err(usage("LIM-U131", message, help).at(folder));
                }
            }
        }
        let none = || Failure::usage("LIM-U131", "no folder of migrations is named", "name one: --dir migrations");
        checkout.ok_or_else(none)
    }

    /// The commit that a person means.
    pub(crate) fn commit(&self, reference: &str) -> Result<Commit, Failure> {
        if reference.is_empty() || reference.starts_with('-') || reference.contains(['\0', '\n']) {
            let message = format!("'{}' is no branch, tag or commit", reference.escape_debug());
            return Err(usage("LIM-U132", message, "name one that git knows: --against origin/main"));
        }
        match self.looked_up(reference)? {
            Some(commit) => Ok(commit),
            None => {
                let fetch = match reference.split_once('/') {
                    Some((remote, branch)) => format!("git fetch {remote} {branch}:refs/remotes/{remote}/{branch}"),
                    None => "git fetch --all --tags".to_owned(),
                };
                let shallow = match self.is_shallow()? {
                    true => "; this clone is shallow, and may lack it: git fetch --unshallow",
                    false => "",
                };
                let help = format!("check its name with 'git branch --all', or get it: {fetch}{shallow}");
                Err(usage("LIM-U132", format!("git knows no branch, tag or commit '{reference}' here"), help))
            }
        }
    }

    /// The commit that is checked out.
    pub(crate) fn head(&self) -> Result<Commit, Failure> {
        let help = "commit first, then compare; where there are commits, see what is wrong with them: git fsck";
        let none = || usage("LIM-U132", "this checkout has no commit yet".to_owned(), help);
        self.looked_up("HEAD")?.ok_or_else(none)
    }

    fn looked_up(&self, reference: &str) -> Result<Option<Commit>, Failure> {
        let wanted = format!("{reference}^{{commit}}");
        match run(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])? {
            Ran::Badly(said) if said.is_empty() || said.contains("Needed a single revision") => Ok(None),
            // A path or an object of another kind.
            Ran::Badly(said) if said.starts_with("error:") => Ok(None),
            Ran::Badly(said) => Err(refused("rev-parse", &said)),
            Ran::Well(bytes) => commit_in(&bytes).map(Some),
        }
    }

    fn is_shallow(&self) -> Result<bool, Failure> {
        Ok(run_well(&self.root, &["rev-parse", "--is-shallow-repository"])?.starts_with(b"true"))
    }

    /// The commit at which two others parted.
    pub(crate) fn merge_base(&self, here: &Commit, there: &Commit, reference: &str) -> Result<Commit, Failure> {
        match run(&self.root, &["merge-base", here.as_str(), there.as_str()])? {
            Ran::Well(bytes) => commit_in(&bytes),
            Ran::Badly(said) if !said.is_empty() => Err(refused("merge-base", &said)),
            Ran::Badly(_) => {
                let message = format!("HEAD and {reference} have no commit in common here");
                Err(match self.is_shallow()? {
                    true => usage(
                        "LIM-U133",
                        format!("{message}, for this clone is shallow"),
                        "get the commits before: git fetch --unshallow (in GitHub Actions: fetch-depth: 0)",
                    ),
                    false => usage("LIM-U133", message, "name a branch that this one came from: --against origin/main"),
                })
            }
        }
    }

    /// What a commit holds of the folders.
    pub(crate) fn tree(&self, commit: &Commit) -> Result<Tree, Failure> {
        Tree::read(&self.root, &self.folders, commit)
    }

    /// The branch that this one is meant for: its upstream where that is another branch, else the main one of `origin`.
    pub(crate) fn usual_reference(&self) -> Result<String, Failure> {
        let name = |words: &[&str]| -> Result<Option<String>, Failure> {
            Ok(match run(&self.root, words)? {
                Ran::Well(bytes) => Some(String::from_utf8_lossy(&bytes).trim().to_owned()),
                Ran::Badly(_) => None,
            })
        };
        let own = name(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        let upstream = name(&["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"])?;
        let is_main = |branch: &str| ["main", "master", "trunk"].contains(&branch);
        // A branch that was pushed follows its own copy, which has nothing that it lacks.
        let is_copy = |upstream: &str| {
            own.as_deref().is_some_and(|own| {
                !is_main(own) && upstream.split_once('/').map_or(upstream, |(_, branch)| branch) == own
            })
        };
        if let Some(upstream) = upstream.filter(|upstream| !is_copy(upstream)) {
            return Ok(upstream);
        }
        let origin = name(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
        for branch in origin.into_iter().chain(["origin/main", "origin/master"].map(str::to_owned)) {
            if self.looked_up(&branch)?.is_some() {
                return Ok(branch);
            }
        }
        let message = "this branch follows no other one, and there is no origin/main or origin/master";
        Err(usage("LIM-U132", message.to_owned(), "say which one it is meant for: --against main"))
    }
}

impl Failure {
    /// The folder that it is about.
    fn at(mut self, folder: &Path) -> Failure {
        let label = Label::file(folder.display().to_string());
        self.diagnostics.iter_mut().for_each(|problem| problem.labels.push(label.clone()));
        self
    }
}

fn commit_in(bytes: &[u8]) -> Result<Commit, Failure> {
    let text = String::from_utf8_lossy(bytes);
    let name = text.lines().next().unwrap_or_default().trim();
    match name.len() >= 40 && name.bytes().all(|letter| letter.is_ascii_hexdigit()) {
        true => Ok(Commit(name.to_owned())),
        false => {
            let problem = Diagnostic::error("LIM-U134", "git answers with something that is no name of a commit");
            Err(Failure::new(Exit::Usage, problem.help("run 'git --version'; limosa needs 2.30 or newer")))
        }
    }
}

/// The root of the checkout that holds a folder, and the folder's place in it.
fn place_of(folder: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    // What is gone here may still be there on the other branch.
    let present = absolute.ancestors().find(|place| place.is_dir()).unwrap_or(&absolute);
    let missing = absolute.strip_prefix(present).unwrap_or(Path::new("")).to_owned();
    let root = match run(present, &["rev-parse", "--show-toplevel"])? {
        Ran::Well(bytes) => path_in(&bytes),
        Ran::Badly(said) if said.contains("not a git repository") || said.contains("must be run in a work tree") => {
            let message = format!("{} lies in no checkout of git's", folder.display());
            let help = "run this in the checkout that holds the migrations; in a container: .git must be there, too";
            return Err(usage("LIM-U131", message, help).at(folder));
        }
        Ran::Badly(said) => return Err(refused("rev-parse", &said)),
    };
    let above = run_well(present, &["rev-parse", "--show-superproject-working-tree"])?;
    let current = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    let real_root = std::fs::canonicalize(&root).unwrap_or_else(|_| root.clone());
    if !above.is_empty() && !current.starts_with(&real_root) {
        let message = format!("{} lies in a submodule, which has branches of its own", folder.display());
        let help = format!("run this inside of it: cd {}", root.display());
        return Err(usage("LIM-U131", message, help).at(folder));
    }
    let prefix = path_in(&run_well(present, &["rev-parse", "--show-prefix"])?);
    Ok((root, prefix.join(missing).components().collect()))
}
