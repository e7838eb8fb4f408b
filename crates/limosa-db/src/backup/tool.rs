//! A program of a server's own while it runs: watched, cancelled in order, and its end kept.

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

    /// True where it has rung.
    #[cfg(feature = "mysql")]
    pub(super) fn is_rung(&self) -> bool {
        *self.0.borrow()
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

/// SIGINT: clients answer it by cancelling what runs on the server.
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
    pub(super) name: &'static str,
    pub(super) status: io::Result<ExitStatus>,
    /// The end of what it wrote to its standard error.
    pub(super) complaint: String,
}

/// All that a tool writes.
pub(super) async fn written(output: Option<ChildStdout>) -> Result<Vec<u8>, DbError> {
    let mut text = Vec::new();
    if let Some(mut output) = output {
        output.read_to_end(&mut text).await.map_err(|error| {
            DbError::new(DbErrorKind::Resources, format!("what the program writes cannot be read: {error}"))
        })?;
    }
    Ok(text)
}

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
