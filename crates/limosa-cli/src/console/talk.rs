//! Talk goes to standard error, and is for eyes: a reader that stands still (a log driver, Ctrl-S) must hold nothing up that works on a
//! database and keeps others waiting for its lock.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::render::json_line;

/// What a pipe takes at once, where it takes anything (POSIX, `PIPE_BUF`; 512 is the least, Linux has 4096).
const AT_ONCE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Bytes that are kept for a reader that stands still; what comes then is lost, but for problems.
const KEPT: usize = 1 << 20;

/// How long the end of a process waits for a reader that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes to standard error, and waits for nobody.
pub(super) struct Talk(Arc<Shared>);

struct Shared {
    is_json: bool,
    backlog: Mutex<Backlog>,
    written: Condvar,
}

/// What waits for the reader. As long as there is any, a thread writes it.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    lost: u64,
    is_written: bool,
    /// Texts that the reader took.
    taken: u64,
}

impl Talk {
    /// As lines of JSON, or for people.
    pub(super) fn new(is_json: bool) -> Talk {
        Talk(Arc::new(Shared { is_json, backlog: Mutex::default(), written: Condvar::new() }))
    }

    /// Writes a text whole, now or when the reader goes on. One that is no problem is lost where too much waits for that.
    pub(super) fn write(&self, text: &[u8], is_problem: bool) {
        let mut backlog = self.0.lock();
        let mut rest = text;
        while !backlog.is_written && !rest.is_empty() && is_writable() {
            let (now, later) = rest.split_at(rest.len().min(AT_ONCE));
            // Where standard error is gone, there is nobody to tell.
            if io::stderr().lock().write_all(now).is_err() {
                return;
            }
            rest = later;
        }
        if rest.is_empty() {
            return;
        }
        // What was begun is ended.
        if !is_problem && rest.len() == text.len() && backlog.bytes + rest.len() > KEPT {
            backlog.lost += 1;
            return;
        }
        backlog.bytes += rest.len();
        backlog.waiting.push_back(rest.to_vec());
        if !backlog.is_written {
            let shared = Arc::clone(&self.0);
            let begun = std::thread::Builder::new().name("talk".to_owned()).spawn(move || shared.drain());
            backlog.is_written = begun.is_ok();
            if begun.is_err() {
                // Without a thread this one waits.
                for text in std::mem::take(&mut *backlog).waiting {
                    let _ = io::stderr().lock().write_all(&text);
                }
            }
        }
    }

    /// Waits until all is written, as long as the reader takes anything.
    pub(super) fn settle(&self) {
        let mut backlog = self.0.lock();
        while backlog.is_written {
            let taken = backlog.taken;
            let is_standing = |backlog: &mut Backlog| backlog.is_written && backlog.taken == taken;
            let waited = self.0.written.wait_timeout_while(backlog, PATIENCE, is_standing);
            let (after, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return;
            }
            backlog = after;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost_line(&self, lost: u64) -> String {
        match self.is_json {
            true => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                json_line::render(now, "talk_lost", &json!({"messages": lost}))
            }
            false => format!("{lost} messages were lost: nobody read them\n"),
        }
    }

    fn drain(&self) {
        loop {
            let mut backlog = self.lock();
            let Some(text) = backlog.waiting.pop_front() else {
                let lost = std::mem::take(&mut backlog.lost);
                if lost == 0 {
                    backlog.is_written = false;
                    self.written.notify_all();
                    return;
                }
                drop(backlog);
                let _ = io::stderr().lock().write_all(self.lost_line(lost).as_bytes());
                continue;
            };
            backlog.bytes -= text.len();
            drop(backlog);
            let _ = io::stderr().lock().write_all(&text);
            self.lock().taken += 1;
            self.written.notify_all();
        }
    }
}

/// True where standard error takes something now.
#[cfg(unix)]
fn is_writable() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stderr = io::stderr();
    let mut asked = [PollFd::new(&stderr, PollFlags::OUT)];
    // What cannot be asked is written to.
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).map_or(true, |ready| ready > 0)
}

#[cfg(not(unix))]
fn is_writable() -> bool {
    true
}
