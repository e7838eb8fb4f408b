//! One connection through the proxy: three loops that share a little state.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::cut::{Cut, Ending};
use super::wire::{Conversation, Frame, Front, Message, Side};
use super::{Address, Shared, Traffic};

type Reader = Pin<Box<dyn AsyncRead + Send>>;
type Writer = Pin<Box<dyn AsyncWrite + Send>>;

/// Bytes that one read takes at most.
const CHUNK: usize = 64 * 1024;

/// Into how many steps the client's silence is divided.
const TICKS: u32 = 10;

/// Takes connections for ever.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = {
            let mut state = shared.state();
            state.connections += 1;
            state.connections
        };
        if *shared.traffic.borrow() == Traffic::Refused {
            continue;
        }
        tokio::spawn(serve(client, number, Arc::clone(&shared)));
    }
}

/// What the loops of one connection share.
struct Link {
    number: usize,
    shared: Arc<Shared>,
    held: Mutex<Held>,
    changed: Notify,
}

/// The server's bytes that the client has not got yet, and what decides when it gets them.
struct Held {
    bytes: Vec<u8>,
    server_ended: bool,
    /// What both sides have said, by the rules of their protocol.
    conversation: Box<dyn Conversation>,
    /// The client has asked something since the last release.
    asked: bool,
    /// Counts the client's bytes as they come and as they go on to the server.
    heard: u64,
    /// Bytes of the client wait for the server to take them: the client may be held up by that.
    forwarding: bool,
    cut: Option<Ending>,
}

impl Held {
    /// Nothing more will come from the server.
    fn over(&self) -> bool {
        self.server_ended || self.cut.is_some()
    }
}

async fn serve(client: TcpStream, number: usize, shared: Arc<Shared>) {
    let _ = client.set_nodelay(true);
    let Ok((server_reader, server_writer)) = connect(&shared.target.address).await else {
        return;
    };
    let conversation = shared.target.protocol.conversation();
    let link = Link {
        number,
        shared,
        held: Mutex::new(Held {
            bytes: Vec::new(),
            server_ended: false,
            conversation,
            asked: false,
            heard: 0,
            forwarding: false,
            cut: None,
        }),
        changed: Notify::new(),
    };
    let (mut client_reader, mut client_writer) = client.into_split();
    let mut server_reader = server_reader;
    let mut server_writer = server_writer;
    tokio::select! {
        () = async {
            let end = link.client_to_server(&mut client_reader, &mut server_writer).await;
            link.flows().await;
            if end.is_ok() {
                // The client's end is the server's end-of-file; its answers may still come.
                let _ = server_writer.shutdown().await;
                std::future::pending::<()>().await;
            }
        } => {}
        () = async {
            if link.server_to_held(&mut server_reader).await.is_ok() {
                std::future::pending::<()>().await;
            }
            link.flows().await;
        } => {}
        _ = link.held_to_client(&mut client_writer) => {}
    }
    let ending = link.held().cut;
    if ending == Some(Ending::Reset) {
        let _ = client_reader.as_ref().set_zero_linger();
    }
    drop(client_reader);
    // A writing half that is dropped would shut the socket down and so turn a reset into an end.
    client_writer.forget();
    if ending.is_some() {
        // Let the server read to the end all that was forwarded before it sees the client go.
        let _ = server_writer.shutdown().await;
        let mut rest = vec![0; CHUNK];
        while server_reader.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    }
}

async fn connect(address: &Address) -> io::Result<(Reader, Writer)> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            Ok((Box::pin(reader), Box::pin(writer)))
        }
        Address::Unix(path) => {
            let (reader, writer) = UnixStream::connect(path).await?.into_split();
            Ok((Box::pin(reader), Box::pin(writer)))
        }
    }
}

impl Link {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when traffic may move; `false` means that what was read is to be thrown away.
    async fn may_pass(&self) -> bool {
        let mut traffic = self.shared.traffic.subscribe();
        let now = traffic.wait_for(|traffic| *traffic != Traffic::Paused).await;
        now.is_ok_and(|traffic| *traffic != Traffic::Swallowed)
    }

    /// Returns when ends of connections pass, too: neither side hears of them while traffic stands.
    async fn flows(&self) {
        let mut traffic = self.shared.traffic.subscribe();
        let _ = traffic.wait_for(|traffic| matches!(traffic, Traffic::Flowing | Traffic::Refused)).await;
    }

    /// Notes a message and asks whether the connection ends here.
    fn judge(&self, side: Side, frame: &Frame) -> Option<Cut> {
        let message = Message { connection: self.number, side, kind: frame.kind, text: frame.text.clone() };
        let mut state = self.shared.state();
        state.counts[side as usize] += 1;
        let number = state.counts[side as usize];
        let cut = state.cut.take_if(|cut| cut.is_at(&message, number));
        state.messages.push(message);
        state.cuts_done += usize::from(cut.is_some());
        drop(state);
        if cut.as_ref().is_some_and(|cut| cut.ending == Ending::Hang) {
            self.shared.traffic.send_replace(Traffic::Paused);
        }
        cut
    }

    async fn client_to_server(&self, from: &mut (impl AsyncRead + Unpin), to: &mut Writer) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(CHUNK);
        while from.read_buf(&mut buffer).await? > 0 {
            if !self.may_pass().await {
                buffer.clear();
                continue;
            }
            self.held().heard += 1;
            let (ready, cut) = self.read(Side::Client, &buffer);
            self.held().forwarding = true;
            to.write_all(&buffer[..ready]).await?;
            to.flush().await?;
            self.held().forwarding = false;
            buffer.drain(..ready);
            if let Some(cut) = cut {
                self.held().cut = Some(cut.ending);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        to.write_all(&buffer).await
    }

    /// How many bytes may go on to the other side, and whether the connection ends after them.
    fn read(&self, side: Side, buffer: &[u8]) -> (usize, Option<Cut>) {
        let mut ready = 0;
        loop {
            let front = self.held().conversation.next(side, &buffer[ready..]);
            match front {
                Front::Partial => return (ready, None),
                Front::Opaque => return (buffer.len(), None),
                Front::Bare(length) => ready += length,
                Front::Frame(frame) => {
                    self.held().asked |= frame.asks;
                    let cut = self.judge(side, &frame);
                    if cut.as_ref().is_none_or(|cut| cut.forward) {
                        ready += frame.length;
                    }
                    if cut.is_some() {
                        return (ready, cut);
                    }
                }
            }
        }
    }

    async fn server_to_held(&self, from: &mut Reader) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(CHUNK);
        while from.read_buf(&mut buffer).await? > 0 {
            if !self.may_pass().await {
                buffer.clear();
                continue;
            }
            if self.held().cut.is_some() {
                // The client is cut off; what the server says now would come after that.
                return Ok(());
            }
            let (ready, cut) = self.read(Side::Server, &buffer);
            let mut held = self.held();
            held.bytes.extend(buffer.drain(..ready));
            held.cut = cut.map(|cut| cut.ending);
            let over = held.cut.is_some();
            drop(held);
            self.changed.notify_one();
            if over {
                // The client still gets what stands before the cut.
                return Ok(());
            }
        }
        self.flows().await;
        let mut held = self.held();
        held.bytes.append(&mut buffer);
        held.server_ended = true;
        drop(held);
        self.changed.notify_one();
        Ok(())
    }

    /// Ends when the server has ended or the connection is cut, and all bytes before have gone out.
    async fn held_to_client(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        loop {
            let (empty, over, asked) = {
                let held = self.held();
                (held.bytes.is_empty(), held.over(), held.asked)
            };
            if empty && over {
                if self.held().cut == Some(Ending::Hang) {
                    self.flows().await;
                }
                return Ok(());
            }
            if empty {
                self.changed.notified().await;
                continue;
            }
            if asked {
                self.silence().await;
            }
            let released = self.release();
            if self.may_pass().await {
                to.write_all(&released).await?;
                to.flush().await?;
            }
        }
    }

    /// Returns when the client has been silent for long enough, or nothing more will come.
    ///
    /// The time is measured in ticks, between which the client's bytes are read: on a machine so
    /// busy that this thread stands still, the client is not taken for silent.
    async fn silence(&self) {
        let tick = self.shared.state().quiet / TICKS;
        let mut heard = self.held().heard;
        let mut silent = 0;
        while silent < TICKS && !tick.is_zero() {
            sleep(tick).await;
            let held = self.held();
            if held.over() {
                return;
            }
            silent = if held.heard == heard && !held.forwarding { silent + 1 } else { 0 };
            heard = held.heard;
        }
    }

    fn release(&self) -> Vec<u8> {
        let mut held = self.held();
        if std::mem::take(&mut held.asked) {
            self.shared.state().waits += 1;
        }
        std::mem::take(&mut held.bytes)
    }
}
