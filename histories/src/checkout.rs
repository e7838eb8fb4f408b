//! Working copies: the folder of one commit, with what stands in the folders above it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::projects::Project;

/// Where repositories come from, and where their working copies go.
pub(crate) struct Source {
    mirror: Option<PathBuf>,
    into: PathBuf,
}

impl Source {
    /// From a folder that holds the repositories as `OWNER/NAME`, or from github.com.
    pub(crate) fn new(mirror: Option<&Path>, into: &Path) -> Result<Self> {
        let mirror = mirror.map(|folder| folder.canonicalize().with_context(|| format!("{}", folder.display())));
        fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
        Ok(Self { mirror: mirror.transpose()?, into: into.canonicalize()? })
    }

    /// The root of a working copy that holds the project's folder, and of everything else only the files in the folders above it.
    pub(crate) fn check_out(&self, project: &Project) -> Result<PathBuf> {
        let copy = self.into.join(project.repository);
        if !copy.join(".git").is_dir() {
            if let Some(above) = copy.parent() {
                fs::create_dir_all(above)?;
            }
            let from = match &self.mirror {
                Some(mirror) => mirror.join(project.repository).display().to_string(),
                None => format!("https://github.com/{}", project.repository),
            };
            let clone = ["clone", "--quiet", "--no-checkout", "--filter=blob:none", "--sparse", &from];
            git(&self.into, &[&clone[..], &[&copy.display().to_string()]].concat())?;
        }
        git(&copy, &["config", "core.autocrlf", "false"])?;
        // What sqlx keeps beside the crate that has the migrations, or above it, says whose these are.
        let above = Path::new(project.folder).ancestors().skip(1);
        let signs: Vec<String> = above.map(|folder| folder.join(".sqlx").display().to_string()).collect();
        let folders = signs.iter().map(String::as_str);
        git(&copy, &["sparse-checkout", "add", project.folder].into_iter().chain(folders).collect::<Vec<_>>())?;
        git(&copy, &["checkout", "--quiet", "--force", project.commit])?;
        if !copy.join(project.folder).is_dir() {
            bail!("{} has no {} in {}", project.repository, project.folder, project.commit);
        }
        Ok(copy)
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("git").current_dir(folder).args(arguments).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
