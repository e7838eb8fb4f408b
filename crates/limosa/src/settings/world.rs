//! The outside world, as the settings need it: values that come in, and one trait for what must be asked.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Where the settings are looked for.
pub struct World<'a> {
    /// The current folder.
    pub current_directory: PathBuf,
    /// The variables of the process.
    pub environment: BTreeMap<String, String>,
    /// Files and programs.
    pub outside: &'a dyn Outside,
}

impl World<'static> {
    /// The world of this process. Variables that are not Unicode are left out.
    ///
    /// # Errors
    /// The current folder is gone or may not be read.
    pub fn of_process() -> io::Result<World<'static>> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(World { current_directory: std::env::current_dir()?, environment, outside: &Machine })
    }
}

impl fmt::Debug for World<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of variables may be secrets.
        let names: Vec<&String> = self.environment.keys().collect();
        formatter
            .debug_struct("World")
            .field("current_directory", &self.current_directory)
            .field("environment", &names)
            .finish_non_exhaustive()
    }
}

/// Files and programs outside of limosa.
pub trait Outside: Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    /// The file is missing, no file, or may not be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// True where something stands at the path.
    fn exists(&self, path: &Path) -> bool;

    /// True where every user of the machine can read the file.
    fn readable_by_all(&self, path: &Path) -> bool;

    /// Runs a program without a shell and without input, and returns what it wrote to its standard output. What it
    /// writes to its standard error is thrown away: it may hold the secret.
    ///
    /// # Errors
    /// See [`ProgramFailure`].
    fn run(&self, program: &str, arguments: &[String], limit: Duration) -> Result<Vec<u8>, ProgramFailure>;
}

/// Why a program gave no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramFailure {
    /// It could not be started; why.
    NotStarted(String),
    /// It ended with this code; None where a signal ended it.
    Ended(Option<i32>),
    /// It did not end in time and was stopped.
    TooSlow,
    /// It wrote more than a secret can be.
    TooMuch,
    /// Its output could not be read; why.
    Unreadable(String),
}

/// The machine that the process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

/// No secret and no settings are longer.
const MOST_BYTES: u64 = 1024 * 1024;

/// How often a program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

impl Outside for Machine {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
        }
        Ok(bytes)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    #[cfg(unix)]
    fn readable_by_all(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o004 != 0)
    }

    #[cfg(not(unix))]
    fn readable_by_all(&self, _path: &Path) -> bool {
        false
    }

    fn run(&self, program: &str, arguments: &[String], limit: Duration) -> Result<Vec<u8>, ProgramFailure> {
        let begun = Instant::now();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| ProgramFailure::NotStarted(error.to_string()))?;
        let answer = answer_of(&mut child, begun + limit, MOST_BYTES);
        if answer.is_err() {
            // It may have ended already; either way nothing more is wanted of it.
            let _ = child.kill();
            let _ = child.wait();
        }
        answer
    }
}

/// What a program writes to its standard output, which must be piped, until it ends: `most` bytes at most.
pub(crate) fn answer_of(child: &mut Child, deadline: Instant, most: u64) -> Result<Vec<u8>, ProgramFailure> {
    let Some(output) = child.stdout.take() else {
        return Err(ProgramFailure::Unreadable("it has no output".to_owned()));
    };
    // A thread of its own, for a pipe that a grandchild holds open never ends.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(most + 1).read_to_end(&mut bytes).map(|_| bytes);
        let _ = sender.send(read);
    });
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = receiver
        .recv_timeout(left)
        .map_err(|_| ProgramFailure::TooSlow)?
        .map_err(|error| ProgramFailure::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(ProgramFailure::TooMuch);
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(bytes),
            Ok(Some(status)) => return Err(ProgramFailure::Ended(status.code())),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Ok(None) => return Err(ProgramFailure::TooSlow),
            Err(error) => return Err(ProgramFailure::Unreadable(error.to_string())),
        }
    }
}
