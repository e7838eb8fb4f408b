//! From an open socket to a session: greeting, TLS, and the proof of the password.
//!
//! MySQL documentation, "Client/Server Protocol", "Connection Phase"; MariaDB documentation, "Connecting".

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use mysql_common::constants::{CapabilityFlags, StatusFlags};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{HandshakePacket, HandshakeResponse, SslRequest};
use mysql_common::proto::MySerialize;

use super::authentication::{Authentication, Secrecy, Step};
use super::packets::Packets;
use super::parameters::{Parameters, Place, SslMode};
use super::refusal;
use super::reply;
use super::tls::TlsAbove;
use crate::DbError;

/// A greeting is never longer.
const LONGEST_GREETING: usize = 4096;

/// Bytes of the longest packet that is taken from the server: the longest that the protocol allows.
const LONGEST_PACKET: u32 = 1 << 30;

/// The collation `utf8mb4_general_ci`, which all servers know; the session's own comes with SET NAMES.
const UTF8MB4: u8 = 45;

/// What every server has that is spoken with.
const NEEDED: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF);

/// What is asked for besides.
///
/// Not among it, on purpose: CLIENT_MULTI_STATEMENTS, so that a message is one statement whatever stands in it, and
/// CLIENT_LOCAL_FILES, so that no server reads files here. CLIENT_FOUND_ROWS makes an UPDATE count the rows that it found,
/// as PostgreSQL and SQLite do.
const WANTED: CapabilityFlags = CapabilityFlags::CLIENT_LONG_PASSWORD
    .union(CapabilityFlags::CLIENT_LONG_FLAG)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_FOUND_ROWS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(CapabilityFlags::CLIENT_CONNECT_ATTRS);

/// A session that the server has opened.
pub(super) struct LoggedIn {
    pub(super) packets: Packets,
    pub(super) status: StatusFlags,
    /// The server's number for the session, its lower 32 bits.
    pub(super) connection: u32,
    /// The version that the server, or what stands before it, calls itself.
    pub(super) version: String,
}

/// Logs in. `database` is None for a session without one.
pub(super) async fn log_in(
    parameters: &Parameters,
    mut packets: Packets,
    tls: Option<&TlsAbove>,
    database: Option<&str>,
) -> Result<LoggedIn, DbError> {
    let place = &parameters.place;
    let broken = |failure: &io::Error| refusal::broken(place, failure);
    let greeting = match packets.greeting(LONGEST_GREETING).await.map_err(|failure| broken(&failure))? {
        Ok(greeting) => greeting,
        Err(bytes) => return Err(refusal::stranger(place, &bytes)),
    };
    if greeting[0] == reply::ERROR {
        let said = reply::error(&greeting).map_err(|failure| broken(&failure))?;
        return Err(refusal::by_server(parameters, said, false));
    }
    if greeting[0] != 10 {
        return Err(refusal::stranger(place, &greeting));
    }
    let Ok(greeting) = ParseBuf(&greeting).parse::<HandshakePacket<'_>>(()) else {
        return Err(refusal::stranger(place, &greeting));
    };
    let version = greeting.server_version_str().into_owned();
    let offered = greeting.capabilities();
    if !offered.contains(NEEDED) {
        return Err(refusal::too_old(place, &version));
    }
    // MariaDB does not say that it has the first, and takes it as the sign of a client that does not know its own ways.
    let mut capabilities = NEEDED | (WANTED & (offered | CapabilityFlags::CLIENT_LONG_PASSWORD));
    if database.is_some() {
        capabilities |= CapabilityFlags::CLIENT_CONNECT_WITH_DB;
    }
    let mut secrecy = if matches!(place, Place::Socket(_)) { Secrecy::Socket } else { Secrecy::Open };
    if let Some(tls) = tls {
        if offered.contains(CapabilityFlags::CLIENT_SSL) {
            capabilities |= CapabilityFlags::CLIENT_SSL;
            packets =
                encrypt(packets, tls, capabilities).await.map_err(|failure| refusal::by_tls(parameters, &failure))?;
            secrecy = Secrecy::Encrypted;
        } else if parameters.tls.mode >= SslMode::Required {
            return Err(refusal::no_tls(place));
        }
    }
    let mut authentication = Authentication::new(parameters, secrecy, &greeting);
    let response = HandshakeResponse::new(
        Some(authentication.first()),
        (5, 5, 3),
        Some(parameters.user.as_bytes()),
        database.map(str::as_bytes),
        Some(authentication.plugin()),
        capabilities,
        capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS).then(|| attributes(parameters)),
        LONGEST_PACKET,
    );
    push(&mut packets, &response);
    loop {
        packets.flush().await.map_err(|failure| broken(&failure))?;
        let packet = packets.next().await.map_err(|failure| broken(&failure))?;
        match packet.first() {
            Some(&reply::OK) => {
                let status = reply::success(&packet).map_err(|failure| broken(&failure))?.status;
                let connection = greeting.connection_id();
                return Ok(LoggedIn { packets, status, connection, version });
            }
            Some(&reply::ERROR) => {
                let said = reply::error(&packet).map_err(|failure| broken(&failure))?;
                let could_be_encrypted = secrecy != Secrecy::Encrypted && offered.contains(CapabilityFlags::CLIENT_SSL);
                return Err(refusal::by_server(parameters, said, could_be_encrypted));
            }
            _ => match authentication.answer(&packet)? {
                Step::Send(data) => packets.push(&[], data),
                Step::Listen => {}
            },
        }
    }
}

async fn encrypt(mut packets: Packets, tls: &TlsAbove, capabilities: CapabilityFlags) -> io::Result<Packets> {
    push(&mut packets, &SslRequest::new(capabilities, LONGEST_PACKET, UTF8MB4));
    packets.flush().await?;
    let Some((stream, sequence)) = packets.into_stream() else {
        // Whatever came before the encryption could come from anybody.
        return Err(reply::malformed("message before the encryption began"));
    };
    let stream = tls.connector.connect(tls.name.clone(), stream).await?;
    Ok(Packets::continued(Box::new(stream), sequence))
}

fn push(packets: &mut Packets, message: &impl MySerialize) {
    let mut bytes = Vec::new();
    message.serialize(&mut bytes);
    packets.push(&[], Bytes::from(bytes));
}

/// What the server shows in `performance_schema.session_connect_attrs`.
fn attributes(parameters: &Parameters) -> HashMap<String, String> {
    let attributes = [
        ("_client_name", "limosa"),
        ("_client_version", env!("CARGO_PKG_VERSION")),
        ("_os", std::env::consts::OS),
        ("_platform", std::env::consts::ARCH),
        ("program_name", &parameters.application_name),
    ];
    let pid = ("_pid".to_owned(), std::process::id().to_string());
    let named = attributes.into_iter().filter(|(_, value)| !value.is_empty());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).chain([pid]).collect()
}
