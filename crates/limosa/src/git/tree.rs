//! The files that a commit holds of the folders of migrations, read from git one by one.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Mutex, PoisonError};

use limosa_sql::{Diagnostic, Label};

use super::Commit;
use super::program::{refused, run_well, start};
use crate::Failure;

/// The largest file that is read at once.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Files of a commit.
pub(crate) struct Tree {
    /// Names as the working tree would have them, with what git calls their content.
    files: BTreeMap<String, String>,
    /// What cannot be compared: links and submodules.
    left_out: Vec<(String, Diagnostic)>,
    reader: Mutex<Reader>,
}

/// `git cat-file --batch`, which answers each name with its content.
struct Reader {
    child: Child,
    asked: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.asked = None;
        // It ends with its input; where it does not, it is of no use any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tree {
    /// Lists the files of some folders, each with its place in the checkout.
    pub(super) fn read(root: &Path, folders: &[(PathBuf, PathBuf)], commit: &Commit) -> Result<Tree, Failure> {
        let (mut files, mut left_out) = (BTreeMap::new(), Vec::new());
        for (folder, place) in folders {
            let place = place.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            let mut words = vec!["ls-tree", "-r", "-z", "--full-tree", commit.as_str()];
            let below = format!("{place}/");
            if !place.is_empty() {
                words.extend(["--", &below]);
            }
            let listed = run_well(root, &words)?;
            for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
                let entry = String::from_utf8_lossy(entry);
                let Some(((mode, content), path)) = entry.split_once('\t').and_then(|(facts, path)| {
                    let mut facts = facts.split(' ');
                    Some(((facts.next()?, facts.nth(1)?), path))
                }) else {
                    return Err(refused("ls-tree", "its answer is not understood"));
                };
                let own = if place.is_empty() { path } else { path.strip_prefix(&below).unwrap_or(path) };
                // The working tree is read without them, too.
                if own.split('/').any(|part| part.starts_with('.')) {
                    continue;
                }
                let name = own.split('/').fold(folder.clone(), |path, part| path.join(part)).display().to_string();
                let what = match mode {
                    "120000" => "a symbolic link",
                    "160000" => "a submodule",
                    _ => {
                        files.insert(name, content.to_owned());
                        continue;
                    }
                };
                let message = format!("{name} is {what} at {commit}; what it leads to is not compared");
                let warning = Diagnostic::warning("LIM-U135", message).at(Label::file(&name));
                left_out.push((name, warning.help("keep the files themselves in the folder of migrations")));
            }
        }
        let mut child = start(root, &["cat-file", "--batch"])?;
        let asked = child.stdin.take();
        let Some(answers) = child.stdout.take() else { return Err(refused("cat-file", "it has no output")) };
        Ok(Tree { files, left_out, reader: Mutex::new(Reader { child, asked, answers: BufReader::new(answers) }) })
    }

    /// The names of all files, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Names of what cannot be compared, each with a warning.
    pub(crate) fn left_out(&self) -> &[(String, Diagnostic)] {
        &self.left_out
    }

    /// The content of a file.
    pub(crate) fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let content = self.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        // After a panic the two may be out of step; its length then makes no sense, and that is told.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.content(content).map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read + Send>)
    }
}

impl Reader {
    fn content(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let asked = self.asked.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        asked.write_all(format!("{name}\n").as_bytes())?;
        asked.flush()?;
        let mut line = String::new();
        self.answers.by_ref().take(1024).read_line(&mut line)?;
        let size = line.trim_end().strip_prefix(name).and_then(|rest| rest.trim().strip_prefix("blob "));
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
            let message = format!("git does not give what it knows as {name}: {}", line.trim_end());
            return Err(io::Error::other(message));
        };
        if size > LARGEST {
            self.asked = None;
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 512 MiB"));
        }
        let mut bytes = Vec::new();
        self.answers.by_ref().take(size).read_to_end(&mut bytes)?;
        let mut end = [0];
        self.answers.read_exact(&mut end)?;
        match bytes.len() as u64 == size && end == *b"\n" {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
