//! One of PostgreSQL's own programs while it runs: watched, cancelled in order, and its end understood.

use std::future::Future;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use crate::{DbError, DbErrorKind};

/// Bytes of a tool's complaints that are kept, from the end.
const COMPLAINT_BYTES: usize = 16 * 1024;

/// Between two words about the progress.
const PACE: Duration = Duration::from_millis(500);

/// Between two requests to end: the first may come before the tool can hear it, or between two statements.
const AGAIN: Duration = Duration::from_millis(200);

/// Requests to end before the tool is killed.
const REQUESTS: u32 = 25;

/// Tells tools to end.
#[derive(Debug, Default)]
pub(super) struct Bell(watch::Sender<bool>);

impl Bell {
    pub(super) fn ring(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn listen(&self) -> Listening {
        Listening(self.0.subscribe())
    }
}

/// Hears a [`Bell`].
#[derive(Debug, Clone)]
pub(super) struct Listening(watch::Receiver<bool>);

impl Listening {
    /// Returns once the bell rings; never where nobody is left to ring it.
    pub(super) async fn rung(mut self) {
        if self.0.wait_for(|rung| *rung).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Awaits work that listens to the bell, rings it once `cancelled` ends, and calls `tell` now and then.
pub(super) async fn conduct<T>(
    work: impl Future<Output = T>,
    cancelled: impl Future<Output = ()>,
    bell: &Bell,
    mut tell: impl FnMut(),
) -> T {
    let ringing = async {
        cancelled.await;
        bell.ring();
        std::future::pending::<()>().await;
    };
    tokio::pin!(work, ringing);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = &mut ringing => {}
            () = tokio::time::sleep(PACE) => tell(),
        }
    }
}

/// A tool that runs.
pub(super) struct Tool {
    name: &'static str,
    child: Child,
}

impl Tool {
    pub(super) fn start(mut command: Command, name: &'static str) -> Result<Tool, DbError> {
        let started = command.spawn().map(|child| Tool { name, child });
        started.map_err(|error| DbError::new(DbErrorKind::Resources, format!("{name} could not be started: {error}")))
    }

    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for the end. When the bell rings the tool is asked to end, which makes it cancel what it runs on the server; it is
    /// killed where it does not end in time.
    pub(super) async fn end(mut self, bell: Listening) -> Ended {
        let stderr = self.child.stderr.take();
        let words = async {
            match stderr {
                Some(stderr) => last_words(stderr).await,
                None => String::new(),
            }
        };
        let (complaint, status) = tokio::join!(words, end_of(&mut self.child, bell));
        Ended { name: self.name, status, complaint }
    }
}

async fn end_of(child: &mut Child, bell: Listening) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = bell.rung() => {}
    }
    for _ in 0..REQUESTS {
        request_end(child);
        if let Ok(status) = tokio::time::timeout(AGAIN, child.wait()).await {
            return status;
        }
    }
    child.start_kill()?;
    child.wait().await
}

/// SIGINT: all three programs answer it by a cancel request to the server.
#[cfg(unix)]
fn request_end(child: &Child) {
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        // It may have ended meanwhile, which is as good.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
}

#[cfg(not(unix))]
fn request_end(child: &mut Child) {
    let _ = child.start_kill();
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    name: &'static str,
    status: io::Result<ExitStatus>,
    complaint: String,
}

impl Ended {
    /// # Errors
    /// What went wrong.
    pub(super) fn success(&self) -> Result<(), DbError> {
        match &self.status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failure(self.name, *status, &self.complaint)),
            Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("{} was lost: {error}", self.name))),
        }
    }

    /// True where it ended without hearing what the server made of its last words.
    pub(super) fn is_open_question(&self) -> bool {
        let Ok(status) = &self.status else { return true };
        status.code().is_none() || LOST.iter().any(|words| self.complaint.contains(words))
    }
}

/// How psql says that the connection broke; that it could not connect sounds differently.
const LOST: [&str; 3] =
    ["connection to server was lost", "server closed the connection unexpectedly", "terminating connection"];

/// Reads to the end and keeps the end.
async fn last_words(mut from: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        let surplus = kept.len().saturating_sub(COMPLAINT_BYTES);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn failure(name: &str, status: ExitStatus, complaint: &str) -> DbError {
    let says = |words: &str| complaint.contains(words);
    let (kind, hint) = if says("lock timeout") || (says("statement timeout") && says("LOCK TABLE")) {
        (DbErrorKind::LockTimeout, "end the other sessions that use the database, or wait longer")
    } else if says("terminated by user") || says("due to user request") || status.code().is_none() {
        (DbErrorKind::Cancelled, "it was interrupted")
    } else if LOST.iter().any(|words| says(words)) {
        (DbErrorKind::ConnectionLost, "look at the server, then run it again")
    } else if says("No space left on device") || says("File too large") {
        (DbErrorKind::Resources, "free some space on the disk of the backup")
    } else if says("password authentication failed") || says("no password supplied") {
        (DbErrorKind::Authentication, "check user and password")
    } else if says("permission denied") || says("must be owner") {
        (DbErrorKind::PermissionDenied, "use a role that may read, and for restoring own, every object of the database")
    } else if says("connection to server") {
        (DbErrorKind::CannotConnect, "check that the server runs and can be reached from here")
    } else if says("other objects depend on it") {
        (DbErrorKind::Statement, "drop what depends on what the backup holds, then restore again")
    } else if says("unrecognized configuration parameter") {
        (DbErrorKind::Statement, "use the pg_restore of the server's own major version")
    } else {
        (DbErrorKind::Statement, "see what the tool says")
    };
    let mut error = DbError::new(kind, format!("{name} failed ({status})")).hint(hint);
    if !complaint.is_empty() {
        error.detail = Some(complaint.to_owned());
    }
    error
}
