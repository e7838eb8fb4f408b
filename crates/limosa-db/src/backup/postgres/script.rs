//! What `pg_restore` writes and `psql` runs, on its way from one to the other.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::backup::tool::Listening;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Bytes of the end that are kept: the COMMIT and the comments behind it.
const TAIL: usize = 1024;

/// The script so far.
#[derive(Debug, Default)]
pub(super) struct Script {
    sent: AtomicU64,
    tail: Mutex<Vec<u8>>,
}

impl Script {
    /// Bytes that were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// True where the script went out to its end, with the COMMIT.
    pub(super) fn has_committed(&self) -> bool {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&tail);
        // Nothing but comments and psql's own commands follow it; a row of data that says COMMIT has its end mark behind it.
        text.rsplit_once("\nCOMMIT;\n").is_some_and(|(_, rest)| {
            rest.lines().all(|line| line.is_empty() || line.starts_with("--") || line.starts_with("\\unrestrict"))
        })
    }

    /// Sends text and then all that comes, until the bell rings. An error shows as the end of one of the tools.
    pub(super) async fn pump(
        &self,
        text: &str,
        from: Option<impl AsyncRead + Unpin>,
        to: Option<impl AsyncWrite + Unpin>,
        bell: Listening,
    ) -> io::Result<()> {
        let (Some(mut from), Some(mut to)) = (from, to) else { return Ok(()) };
        tokio::select! {
            biased;
            () = bell.rung() => Ok(()),
            result = self.copy(text, &mut from, &mut to) => result,
        }
    }

    async fn copy(
        &self,
        text: &str,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        to.write_all(text.as_bytes()).await?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = from.read(&mut chunk).await?;
            if length == 0 {
                return to.shutdown().await;
            }
            // Before it goes out: what was sent in part may have been sent whole.
            self.note(&chunk[..length]);
            to.write_all(&chunk[..length]).await?;
        }
    }

    fn note(&self, chunk: &[u8]) {
        self.sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(chunks: &[&str]) -> bool {
        let script = Script::default();
        chunks.iter().for_each(|chunk| script.note(chunk.as_bytes()));
        script.has_committed()
    }

    #[test]
    fn the_commit_is_seen_at_the_end_only() {
        let end = "--\n-- PostgreSQL database dump complete\n--\n\n";
        let long = "x".repeat(5_000);
        assert!(after(&[&long, "\nCOM", "MIT;\n\n", end]));
        assert!(after(&[&format!("{long}\nCOMMIT;\n\n{end}\\unrestrict a1B2\n\n")]));
        assert!(!after(&[&long, "\nCOMMIT"]));
        assert!(!after(&[&format!("{long}\nCOMMIT;\nmore\n")]), "a row of data");
        assert!(!after(&[&format!("{long}\nCOMMIT;\n\\.\n")]), "the last row of data");
        assert!(!after(&["BEGIN;\n"]));
        assert!(!after(&[]));
    }

    #[tokio::test]
    async fn all_is_sent_and_counted_and_nothing_after_the_bell() {
        let script = Script::default();
        let bell = crate::backup::tool::Bell::default();
        let mut out = std::io::Cursor::new(Vec::new());
        script.pump("first;", Some(&b"second"[..]), Some(&mut out), bell.listen()).await.unwrap();
        assert_eq!((out.into_inner(), script.sent()), (b"first;second".to_vec(), 6));
        bell.ring();
        let mut out = std::io::Cursor::new(Vec::new());
        script.pump("first;", Some(&b"second"[..]), Some(&mut out), bell.listen()).await.unwrap();
        assert_eq!(out.into_inner(), b"");
    }
}
