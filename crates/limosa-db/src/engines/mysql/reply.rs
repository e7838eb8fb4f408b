//! What the server's packets say.
//!
//! MySQL documentation, "Client/Server Protocol", "Generic Response Packets" and "Text Resultset".

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use mysql_common::constants::StatusFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{Column, StmtPacket};

/// First bytes of packets.
pub(super) const OK: u8 = 0x00;
pub(super) const ERROR: u8 = 0xff;
pub(super) const END: u8 = 0xfe;
pub(super) const LOCAL_FILE: u8 = 0xfb;

/// An OK packet, or the end of a result set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Success {
    pub(super) affected: u64,
    pub(super) warnings: u16,
    pub(super) status: StatusFlags,
}

/// An error of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerError {
    pub(super) number: u16,
    pub(super) state: Option<String>,
    pub(super) message: String,
}

/// The columns of a result set.
pub(super) type Columns = Arc<[Column]>;

pub(super) fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server sent a malformed {what}"))
}

/// Reads an OK packet; the end of a result set is written alike.
pub(super) fn success(packet: &Bytes) -> io::Result<Success> {
    let read = || {
        let mut rest = ParseBuf(packet);
        rest.checked_eat_u8()?;
        let affected = rest.checked_eat_lenenc_int()?;
        rest.checked_eat_lenenc_int()?;
        let status = StatusFlags::from_bits_truncate(rest.checked_eat_u16_le()?);
        Some(Success { affected, warnings: rest.checked_eat_u16_le()?, status })
    };
    read().ok_or_else(|| malformed("answer"))
}

/// An error has its SQLSTATE behind a `#`; one that comes before the client has said what it can may have none.
pub(super) fn error(packet: &Bytes) -> io::Result<ServerError> {
    let read = || {
        let mut rest = ParseBuf(packet);
        rest.checked_eat_u8()?;
        let number = rest.checked_eat_u16_le()?;
        let (state, message) = match rest.0 {
            [b'#', a, b, c, d, e, message @ ..] => (Some([*a, *b, *c, *d, *e]), message),
            message => (None, message),
        };
        Some(ServerError {
            number,
            state: state.map(|state| String::from_utf8_lossy(&state).into_owned()),
            message: String::from_utf8_lossy(message).into_owned(),
        })
    };
    read().ok_or_else(|| malformed("error"))
}

pub(super) fn column(packet: &Bytes) -> io::Result<Column> {
    ParseBuf(packet).parse(()).map_err(|_| malformed("column"))
}

pub(super) fn prepared(packet: &Bytes) -> io::Result<StmtPacket> {
    ParseBuf(packet).parse(()).map_err(|_| malformed("prepared statement"))
}

/// A count of columns.
pub(super) fn count(packet: &Bytes) -> io::Result<u64> {
    ParseBuf(packet).checked_eat_lenenc_int().ok_or_else(|| malformed("count of columns"))
}
