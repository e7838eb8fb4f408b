//! A checkout of git's in a temporary folder.

use std::path::Path;
use std::process::Command;

use crate::Folder;

/// A repository of a test's own, with a checkout. Nothing that the machine has configured is used. Where git is not installed or
/// refuses, its methods panic with what it says: a test of branches never passes without it.
#[derive(Debug)]
pub struct Repository {
    folder: Folder,
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// An empty repository with the branch `main`, checked out in a folder of its own.
    #[track_caller]
    pub fn new() -> Repository {
        let repository = Repository { folder: Folder::new() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// A clone of another repository, as deep as `options` say.
    #[track_caller]
    pub fn clone_of(other: &Repository, options: &[&str]) -> Repository {
        let repository = Repository { folder: Folder::new() };
        let source = format!("file://{}", other.folder.path().display());
        repository.git(&[&["clone", "--quiet"], options, &[&source, "."]].concat());
        repository
    }

    /// The folder of the checkout.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes files, each with its content.
    #[track_caller]
    pub fn write(&self, files: &[(&str, &str)]) {
        for (name, content) in files {
            self.folder.write(name, content);
        }
    }

    /// Writes files and commits all that changed.
    #[track_caller]
    pub fn commit(&self, files: &[(&str, &str)]) {
        self.write(files);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=a step"]);
    }

    /// Runs git in the checkout, and gives what it writes, without the end of its last line.
    #[track_caller]
    pub fn git(&self, words: &[&str]) -> String {
        git(self.folder.path(), words)
    }
}

#[track_caller]
fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a test"), ("GIT_AUTHOR_EMAIL", "test@example.com")])
        .envs([("GIT_COMMITTER_NAME", "a test"), ("GIT_COMMITTER_EMAIL", "test@example.com")])
        .envs([("GIT_AUTHOR_DATE", "2024-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "2024-01-01T00:00:00Z")]);
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim_end().to_owned(),
        Ok(output) => panic!("git {words:?}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("this test needs git, and it cannot be started: {error}"),
    }
}
