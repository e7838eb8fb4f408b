//! Listens to what the driver keeps to itself, and mends one message of its.
//!
//! The driver does not tell which process gave the cancel key, nor the key, whether a transaction is open, nor, while data for a COPY
//! go out, that the server has already refused them. All three stand in the messages that the server sends, so they are
//! read on the way.
//!
//! The driver sends a Sync right behind the Execute of a COPY and another one at its end. Where the server refuses the
//! COPY at once it answers both, and from then on every answer goes to the wrong request (rust-postgres, issue 789). The
//! first Sync is turned into a Flush, which is as long.
//!
//! PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats" and "COPY Operations".

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use crate::network::Transport;

/// A socket that is listened to.
pub(super) type Socket = Tap<Transport>;

/// Type byte and length.
const HEADER: usize = 5;

/// The longest body whose content is read: two numbers of BackendKeyData.
const WANTED: usize = 8;

/// Asks whether the server has TLS.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// First byte of a TLS record of the handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a session's transaction is, after the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// None is open.
    Idle,
    /// One is open.
    Open,
    /// One is open and has failed: only its end is accepted.
    Failed,
}

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Type of the last ReadyForQuery; 0 before the first.
    status: AtomicU8,
    process: AtomicI32,
    secret: AtomicI32,
    encrypted: AtomicBool,
    errors: AtomicU64,
    flush_instead: AtomicBool,
}

impl Heard {
    /// The state after the last answer that has arrived.
    pub(super) fn status(&self) -> TransactionStatus {
        match self.status.load(Ordering::Relaxed) {
            b'T' => TransactionStatus::Open,
            b'E' => TransactionStatus::Failed,
            _ => TransactionStatus::Idle,
        }
    }

    /// The process number that came with the cancel key. A server sends that of its own process; a pooler invents one,
    /// because the process changes.
    pub(super) fn process(&self) -> Option<i64> {
        Some(self.process.load(Ordering::Relaxed)).filter(|process| *process != 0).map(i64::from)
    }

    /// Process number and secret, as a cancel request names them.
    pub(super) fn cancel_key(&self) -> [u8; 8] {
        let [process, secret] =
            [&self.process, &self.secret].map(|number| number.load(Ordering::Relaxed).to_be_bytes());
        let mut key = [0; 8];
        key[..4].copy_from_slice(&process);
        key[4..].copy_from_slice(&secret);
        key
    }

    /// The connection has TLS.
    pub(super) fn encrypted(&self) -> bool {
        self.encrypted.load(Ordering::Relaxed)
    }

    /// How many errors have arrived.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// The next Sync goes out as a Flush. Nothing may be waiting to be sent.
    pub(super) fn flush_instead_of_next_sync(&self) {
        self.flush_instead.store(true, Ordering::Relaxed);
    }
}

/// What the bytes that come in are.
#[derive(Debug, PartialEq, Eq)]
enum Incoming {
    /// The first bytes that go out decide.
    Undecided,
    /// One byte: whether the server has TLS.
    TlsAnswer,
    /// Messages.
    Messages,
    /// TLS records; the messages are heard above.
    Encrypted,
}

/// A stream that is listened to.
#[derive(Debug)]
pub(super) struct Tap<S> {
    stream: S,
    heard: Arc<Heard>,
    incoming: Incoming,
    /// Header, and as much of the body as is wanted, of the message that is coming in.
    head: Vec<u8>,
    /// Bytes of the message's body that are still to come and not wanted.
    skip_in: usize,
    /// Bytes of the message that is going out, while a Sync is looked for.
    skip_out: usize,
}

impl<S> Tap<S> {
    /// On the socket: the first bytes that go out tell whether TLS follows.
    pub(super) fn on_socket(stream: S, heard: Arc<Heard>) -> Tap<S> {
        Tap { stream, heard, incoming: Incoming::Undecided, head: Vec::new(), skip_in: 0, skip_out: 0 }
    }

    /// Above TLS: only messages.
    pub(super) fn above_tls(stream: S, heard: Arc<Heard>) -> Tap<S> {
        heard.encrypted.store(true, Ordering::Relaxed);
        Tap { incoming: Incoming::Messages, ..Tap::on_socket(stream, heard) }
    }

    fn decide(&mut self, bytes: &[u8]) {
        self.incoming = match bytes.first() {
            None => return,
            Some(&TLS_HANDSHAKE) => Incoming::Encrypted,
            Some(_) if bytes == SSL_REQUEST => Incoming::TlsAnswer,
            Some(_) => Incoming::Messages,
        };
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        if self.incoming == Incoming::TlsAnswer {
            let Some((answer, rest)) = bytes.split_first() else { return };
            self.incoming = if *answer == b'S' { Incoming::Encrypted } else { Incoming::Messages };
            bytes = rest;
        }
        if self.incoming != Incoming::Messages {
            return;
        }
        while !bytes.is_empty() {
            let skipped = self.skip_in.min(bytes.len());
            self.skip_in -= skipped;
            bytes = &bytes[skipped..];
            let missing = self.missing().min(bytes.len());
            self.head.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.head.len() >= HEADER && self.missing() == 0 {
                self.skip_in += self.body().saturating_sub(WANTED);
                self.note();
                self.head.clear();
            }
        }
    }

    /// Bytes that are still wanted of the message that is coming in.
    fn missing(&self) -> usize {
        if self.skip_in > 0 {
            return 0;
        }
        let wanted = if self.head.len() < HEADER { HEADER } else { HEADER + self.body().min(WANTED) };
        wanted.saturating_sub(self.head.len())
    }

    /// Length of the body of the message that is coming in.
    fn body(&self) -> usize {
        (number(&self.head, 1) as usize).saturating_sub(4)
    }

    fn note(&self) {
        match self.head[0] {
            b'Z' => {
                if let Some(status) = self.head.get(HEADER) {
                    self.heard.status.store(*status, Ordering::Relaxed);
                }
            }
            b'K' => {
                self.heard.process.store(number(&self.head, HEADER).cast_signed(), Ordering::Relaxed);
                self.heard.secret.store(number(&self.head, HEADER + 4).cast_signed(), Ordering::Relaxed);
            }
            b'E' => {
                self.heard.errors.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// Four bytes as a number; 0 where there are fewer.
fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    four.map_or(0, u32::from_be_bytes)
}

/// Where the messages in `bytes` begin, the first after `skip` bytes, and where the one behind the last would.
fn boundaries(bytes: &[u8], skip: usize) -> Vec<usize> {
    let mut found = vec![skip];
    let mut at = skip;
    while at + HEADER <= bytes.len() {
        at += 1 + number(bytes, at + 1) as usize;
        found.push(at);
    }
    found
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.hear(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.incoming == Incoming::Undecided {
            self.decide(bytes);
        }
        if self.incoming != Incoming::Messages || !self.heard.flush_instead.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        let boundaries = boundaries(bytes, self.skip_out);
        let sync = boundaries.iter().copied().find(|at| bytes.get(*at) == Some(&b'S'));
        let mended = sync.map(|at| {
            let mut mended = bytes.to_vec();
            mended[at] = b'H';
            mended
        });
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, mended.as_deref().unwrap_or(bytes)))?;
        if sync.is_some_and(|at| at < written) {
            self.heard.flush_instead.store(false, Ordering::Relaxed);
            self.skip_out = 0;
        } else {
            let next = boundaries.iter().copied().find(|at| *at >= written);
            self.skip_out = next.unwrap_or(written) - written;
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    /// What is heard of these bytes, that come in pieces of this size.
    async fn hear(first_out: &[u8], bytes: &[u8], piece: usize) -> Arc<Heard> {
        let (mine, mut theirs) = tokio::io::duplex(piece);
        let heard = Arc::new(Heard::default());
        let mut tap = Tap::on_socket(mine, Arc::clone(&heard));
        let out = first_out.to_vec();
        let sent = bytes.to_vec();
        let peer = tokio::spawn(async move {
            let mut taken = vec![0; out.len()];
            theirs.read_exact(&mut taken).await.unwrap();
            theirs.write_all(&sent).await.unwrap();
        });
        tap.write_all(first_out).await.unwrap();
        let mut all = Vec::new();
        tap.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, bytes);
        peer.await.unwrap();
        heard
    }

    #[tokio::test]
    async fn messages_are_heard_in_any_pieces() {
        let messages = [
            message(b'R', &[0, 0, 0, 0]),
            message(b'K', &[0, 0, 0x30, 0x39, 1, 2, 3, 4]),
            message(b'D', &[b'Z'; 100]),
            message(b'E', b"SERROR\0\0"),
            message(b'3', b""),
            message(b'Z', b"E"),
        ]
        .concat();
        for piece in [64, 1, 2, 3, 5, 7, 1000] {
            let heard = hear(&message(b'Q', b"x\0"), &messages, piece.max(8)).await;
            assert_eq!((heard.process(), heard.errors(), heard.status()), (Some(12345), 1, TransactionStatus::Failed));
            assert_eq!((heard.cancel_key(), heard.encrypted()), ([0, 0, 0x30, 0x39, 1, 2, 3, 4], false));
            let heard = hear(&SSL_REQUEST, &[b"N", &messages[..]].concat(), piece.max(8)).await;
            assert_eq!((heard.process(), heard.errors()), (Some(12345), 1));
            let heard = hear(&SSL_REQUEST, &[b"S", &messages[..]].concat(), piece.max(8)).await;
            assert_eq!((heard.process(), heard.errors(), heard.status()), (None, 0, TransactionStatus::Idle));
            let heard = hear(&[TLS_HANDSHAKE, 3, 1], &messages, piece.max(8)).await;
            assert_eq!(heard.process(), None);
        }
    }

    #[tokio::test]
    async fn one_sync_is_turned_into_a_flush_in_any_pieces() {
        let plain =
            [message(b'B', b"SSSS\0\0"), message(b'E', b"\0S\0\0\0"), message(b'S', b""), message(b'S', b"")].concat();
        let mut expected = plain.clone();
        expected[plain.len() - 10] = b'H';
        for piece in [1, 2, 3, 5, 11, 12, 1000] {
            let (mine, mut theirs) = tokio::io::duplex(piece);
            let heard = Arc::new(Heard::default());
            heard.flush_instead_of_next_sync();
            let mut tap = Tap::above_tls(mine, heard);
            let out = plain.clone();
            let writer = tokio::spawn(async move { tap.write_all(&out).await });
            let mut all = vec![0; plain.len()];
            theirs.read_exact(&mut all).await.unwrap();
            writer.await.unwrap().unwrap();
            assert_eq!(all, expected, "{piece}");
        }
    }
}
