//! The process number that came with the cancel key.
//!
//! A server sends the number of its own process; a pooler invents one, because the process changes. The driver keeps
//! the number to itself but writes it into a cancel request, so one is written into memory and read there.
//!
//! PostgreSQL documentation, chapter "Frontend/Backend Protocol": SSLRequest, CancelRequest.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Reads the number. None where the server sent no key.
pub(super) async fn process_number(client: &Client) -> Option<i64> {
    let (writer, reader) = tokio::io::duplex(64);
    let token = client.cancel_token();
    let (written, number) = tokio::join!(token.cancel_query_raw(writer, Unencrypted), read(reader));
    written.ok()?;
    number.ok().filter(|number| *number != 0).map(i64::from)
}

async fn read(mut stream: DuplexStream) -> io::Result<i32> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).await?;
    if head == SSL_REQUEST {
        stream.write_all(b"S").await?;
        stream.read_exact(&mut head).await?;
    }
    stream.read_i32().await
}

/// Stands where the driver wants TLS, on a stream that never leaves this process.
struct Unencrypted;

impl TlsConnect<DuplexStream> for Unencrypted {
    type Stream = InMemory;
    type Error = io::Error;
    type Future = Ready<io::Result<InMemory>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        ready(Ok(InMemory(stream)))
    }
}

struct InMemory(DuplexStream);

impl TlsStream for InMemory {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for InMemory {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for InMemory {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
