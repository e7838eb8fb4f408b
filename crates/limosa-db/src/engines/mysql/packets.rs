//! Packets on a stream, in both directions, in a way that survives a dropped future.
//!
//! What was read stays in a buffer until it is a whole packet, what is to be written stays in a queue until it is written.
//! So whoever comes after a dropped future can go on where it stopped.
//!
//! MySQL documentation, "Client/Server Protocol", "MySQL Packets".

use std::collections::VecDeque;
use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest part of a payload; a part of this length is followed by another one.
const PART: usize = 0xff_ffff;

/// Length and number of a part.
const HEADER: usize = 4;

/// Bytes up to which a part is copied behind its header, to go out in one write.
const SMALL: usize = 16 * 1024;

/// A socket, with TLS or without.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A stream of packets.
pub(super) struct Packets {
    stream: Box<dyn ByteStream>,
    incoming: BytesMut,
    /// The parts so far of a payload that has several.
    partial: BytesMut,
    outgoing: VecDeque<Bytes>,
    sequence: u8,
    /// The answer may end without a last packet, where another answer follows it.
    pub(super) may_end_early: bool,
    /// It did: the payload that came last begins the next answer.
    pub(super) ended_early: bool,
}

impl Packets {
    pub(super) fn new(stream: Box<dyn ByteStream>) -> Packets {
        Packets {
            stream,
            incoming: BytesMut::new(),
            partial: BytesMut::new(),
            outgoing: VecDeque::new(),
            sequence: 0,
            may_end_early: false,
            ended_early: false,
        }
    }

    /// The stream itself, for putting TLS on it. The numbers go on; None where bytes were read that belong to nobody yet.
    pub(super) fn into_stream(self) -> Option<(Box<dyn ByteStream>, u8)> {
        (self.incoming.is_empty() && self.outgoing.is_empty()).then_some((self.stream, self.sequence))
    }

    /// Goes on with the numbers of the stream below.
    pub(super) fn continued(stream: Box<dyn ByteStream>, sequence: u8) -> Packets {
        Packets { sequence, ..Packets::new(stream) }
    }

    /// Begins a new exchange: its packets count from 0.
    pub(super) fn begin(&mut self) {
        self.sequence = 0;
    }

    /// Expects the answer to the next of several exchanges that were begun without waiting. Their commands are one part each.
    pub(super) fn expect_answer(&mut self) {
        self.sequence = 1;
    }

    /// Puts a payload, `head` and then `body`, into the queue.
    pub(super) fn push(&mut self, head: &[u8], mut body: Bytes) {
        let mut head = Bytes::copy_from_slice(head);
        loop {
            let length = (head.len() + body.len()).min(PART);
            let from_body = body.split_to(length.saturating_sub(head.len()).min(body.len()));
            let mut first = BytesMut::with_capacity(HEADER + head.len() + from_body.len().min(SMALL));
            first.put_uint_le(length as u64, 3);
            first.put_u8(self.sequence);
            first.extend_from_slice(&head);
            head.clear();
            self.sequence = self.sequence.wrapping_add(1);
            if from_body.len() <= SMALL {
                first.extend_from_slice(&from_body);
                self.outgoing.push_back(first.freeze());
            } else {
                self.outgoing.push_back(first.freeze());
                self.outgoing.push_back(from_body);
            }
            // A full part is always followed by another, if an empty one.
            if length < PART {
                return;
            }
        }
    }

    /// Writes what is in the queue.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while let Some(front) = self.outgoing.front_mut() {
            let written = self.stream.write(front).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            front.advance(written);
            if front.is_empty() {
                self.outgoing.pop_front();
            }
        }
        self.stream.flush().await
    }

    /// The next payload.
    pub(super) async fn next(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(payload) = self.take()? {
                return Ok(payload);
            }
            self.fill().await?;
        }
    }

    /// The payload of the server's first packet. What does not look like one comes back as it was read, so that it can be
    /// shown: other servers speak first too.
    pub(super) async fn greeting(&mut self, longest: usize) -> io::Result<Result<Bytes, Bytes>> {
        while self.incoming.len() < HEADER {
            self.fill().await?;
        }
        if self.sequence_of_next() != 0 || self.length_of_next() > longest || self.length_of_next() == 0 {
            return Ok(Err(self.incoming.split().freeze()));
        }
        self.next().await.map(Ok)
    }

    async fn fill(&mut self) -> io::Result<()> {
        let wanted = if self.incoming.len() < HEADER { SMALL } else { HEADER + self.length_of_next() };
        self.incoming.reserve(wanted.saturating_sub(self.incoming.len()).max(SMALL));
        if self.stream.read_buf(&mut self.incoming).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        Ok(())
    }

    fn length_of_next(&self) -> usize {
        self.incoming[..3].iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte))
    }

    fn sequence_of_next(&self) -> u8 {
        self.incoming[3]
    }

    /// Takes one payload out of what was read, where it is all there.
    fn take(&mut self) -> io::Result<Option<Bytes>> {
        while self.incoming.len() >= HEADER && self.incoming.len() >= HEADER + self.length_of_next() {
            let (length, sequence) = (self.length_of_next(), self.sequence_of_next());
            self.incoming.advance(HEADER);
            let part = self.incoming.split_to(length).freeze();
            // A server that ends the session says so in a packet that nobody has asked for.
            let is_error = part.first() == Some(&0xff);
            if sequence != self.sequence && sequence == 1 && self.may_end_early {
                self.ended_early = true;
            } else if sequence != self.sequence && !is_error {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "packets came in the wrong order"));
            }
            self.sequence = sequence.wrapping_add(1);
            if length == PART {
                self.partial.extend_from_slice(&part);
            } else if self.partial.is_empty() {
                return Ok(Some(part));
            } else {
                self.partial.extend_from_slice(&part);
                return Ok(Some(self.partial.split().freeze()));
            }
        }
        Ok(None)
    }

    /// Closes the stream for writing.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a payload of this length from one end to the other, and says in how many parts it went.
    async fn there(length: usize) -> usize {
        let (ours, theirs) = tokio::io::duplex(PART + 100);
        let body: Vec<u8> = (0..length.saturating_sub(1)).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let mut sender = Packets::new(Box::new(ours));
        let head: &[u8] = if length == 0 { &[] } else { &[3] };
        sender.push(head, Bytes::from(body.clone()));
        let parts = usize::from(sender.sequence);
        let mut receiver = Packets::new(Box::new(theirs));
        let (sent, received) = tokio::join!(sender.flush(), receiver.next());
        sent.unwrap();
        let received = received.unwrap();
        assert_eq!(received.len(), length);
        assert!(length == 0 || (received[0] == 3 && received[1..] == body[..]), "{length}");
        assert_eq!(receiver.sequence, sender.sequence);
        parts
    }

    #[tokio::test]
    async fn payloads_of_any_length_arrive_whole() {
        for (length, parts) in
            [(0, 1), (1, 1), (100, 1), (SMALL + 2, 1), (PART - 1, 1), (PART, 2), (PART + 1, 2), (2 * PART, 3)]
        {
            assert_eq!(there(length).await, parts, "{length}");
        }
    }

    #[tokio::test]
    async fn a_dropped_read_loses_nothing() {
        let (ours, mut theirs) = tokio::io::duplex(1000);
        let mut receiver = Packets::new(Box::new(ours));
        for byte in [3, 0, 0, 0, b'a', b'b'] {
            theirs.write_all(&[byte]).await.unwrap();
            tokio::select! {
                biased;
                _ = receiver.next() => panic!("it is not whole"),
                () = tokio::task::yield_now() => {}
            }
        }
        theirs.write_all(b"c").await.unwrap();
        assert_eq!(&receiver.next().await.unwrap()[..], b"abc");
    }

    #[tokio::test]
    async fn packets_out_of_order_are_refused_but_a_last_word_is_heard() {
        let (ours, mut theirs) = tokio::io::duplex(1000);
        let mut receiver = Packets::new(Box::new(ours));
        theirs.write_all(&[1, 0, 0, 5, 0xff]).await.unwrap();
        assert_eq!(&receiver.next().await.unwrap()[..], [0xff]);
        theirs.write_all(&[1, 0, 0, 5, 0]).await.unwrap();
        assert_eq!(receiver.next().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
