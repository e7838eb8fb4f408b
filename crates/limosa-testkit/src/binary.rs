//! Runs the built `limosa` as a user does, but with nothing of this machine in its environment.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::poll::eventually;
use crate::signal::{signal, signal_group};

/// A command that runs longer than this hangs; it is killed and the test fails.
const LIMIT: Duration = Duration::from_secs(300);

/// How long an ended command's pipes may stay open.
const ORPHAN: Duration = Duration::from_secs(5);

/// One call of the binary, not yet started.
///
/// Its environment holds `PATH`, `NO_COLOR=1`, `TZ=UTC`, a UTF-8 locale, a home folder that does not
/// exist, and what [`env`](Self::env) adds: no `LIMOSA_*`, `DATABASE_URL` or `PG*` of the caller.
///
/// ```no_run
/// # use limosa_testkit::{Folder, Limosa};
/// # fn main() -> anyhow::Result<()> {
/// let folder = Folder::new().file("migrations/001_a.sql", "select 1;");
/// # let binary = "target/debug/limosa"; // in the tests of the binary: env!("CARGO_BIN_EXE_limosa")
/// let output = Limosa::new(binary)
///     .in_folder(folder.path())
///     .args(["migrate", "--database", "sqlite:a.db"])
///     .run()?
///     .assert_code(0);
/// assert_eq!(output.stderr, "");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Limosa {
    command: Command,
    input: Vec<u8>,
}

/// How a call ended and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to standard output; bytes that are not UTF-8 show as U+FFFD.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Limosa {
    /// A call of this binary: `env!("CARGO_BIN_EXE_limosa")` in the tests of the crate that builds it.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let mut command = Command::new(binary.into());
        command.env_clear().process_group(0);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (name, value) in
            [("NO_COLOR", "1"), ("TZ", "UTC"), ("LC_ALL", "C.UTF-8"), ("HOME", "/nonexistent"), ("RUST_BACKTRACE", "0")]
        {
            command.env(name, value);
        }
        Self { command, input: Vec::new() }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Runs it in this folder.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads from standard input, which is no terminal. Without this it reads end-of-file.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Result<Output> {
        self.spawn()?.wait()
    }

    /// Starts it and returns at once.
    pub fn spawn(mut self) -> Result<Running> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().with_context(|| format!("cannot run {}", self.command.get_program().display()))?;
        if let Some(mut pipe) = child.stdin.take() {
            let input = self.input;
            // It may end without having read its input; that is no failure.
            thread::spawn(move || drop(pipe.write_all(&input)));
        }
        let stdout = Stream::collect(child.stdout.take());
        let stderr = Stream::collect(child.stderr.take());
        Ok(Running { child, stdout, stderr })
    }
}

impl Output {
    /// The output itself, if the exit code is the expected one.
    ///
    /// # Panics
    /// It is not; the message shows all that was written.
    #[track_caller]
    #[must_use]
    pub fn assert_code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "\n{self}");
        self
    }
}

/// Exit code, standard output and standard error in one text, for snapshots.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => writeln!(f, "exit code {code}")?,
            (None, Some(signal)) => writeln!(f, "ended by signal {signal}")?,
            (None, None) => writeln!(f, "no exit code")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "----- {name} -----\n{text}")?;
                if !text.ends_with('\n') {
                    writeln!(f, "[no newline]")?;
                }
            }
        }
        Ok(())
    }
}

/// A call that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without a chance to clean up: SIGKILL.
    pub fn kill_hard(&self) -> Result<()> {
        signal("KILL", self.pid())
    }

    /// Stands it still, as a paused virtual machine does: SIGSTOP.
    pub fn stop(&self) -> Result<()> {
        signal("STOP", self.pid())
    }

    /// Lets it go on after [`stop`](Self::stop): SIGCONT.
    pub fn cont(&self) -> Result<()> {
        signal("CONT", self.pid())
    }

    /// What Ctrl-C does: SIGINT.
    pub fn interrupt(&self) -> Result<()> {
        signal("INT", self.pid())
    }

    /// What a container's stop does: SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        signal("TERM", self.pid())
    }

    /// What it has written to standard output so far.
    pub fn stdout_so_far(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has written to standard error so far.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.so_far()
    }

    /// True while it has not ended.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until standard output or standard error holds a text.
    ///
    /// # Panics
    /// It does not within a minute.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) {
        eventually(&format!("the command has written {text:?}"), || {
            self.stdout.so_far().contains(text) || self.stderr.so_far().contains(text)
        });
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Result<Output> {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begun.elapsed() > LIMIT {
                self.child.kill()?;
                let status = self.child.wait()?;
                let output = self.finish(status);
                bail!("the command did not end within {LIMIT:?} and was killed\n{output}");
            }
            sleep(Duration::from_millis(2));
        };
        Ok(self.finish(status))
    }

    fn finish(&mut self, status: ExitStatus) -> Output {
        Output { code: status.code(), signal: status.signal(), stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

/// Kills what it has started, too: all are in one process group.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = signal_group("KILL", self.pid());
            let _ = self.child.wait();
        }
    }
}

/// Collects a pipe on a thread, so that a full pipe never stops the command.
#[derive(Debug)]
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn collect(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let for_thread = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut chunk = [0; 8192];
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    let mut bytes = for_thread.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes.extend_from_slice(&chunk[..length]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// All that was written, up to the end of the pipe. A child that outlives a killed command
    /// keeps the pipe open; that is not waited for.
    fn all(&mut self) -> String {
        let begun = Instant::now();
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) {
            if begun.elapsed() > ORPHAN {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        self.so_far()
    }
}
