//! Where a connection would go, without making it.

use super::parameters::{Files, Parameters, Place};
use crate::{ConnectOptions, DbError};

/// A target in words that may be shown: no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDescription {
    /// Name, address, or the path of the socket.
    pub host: String,
    /// The port; empty for a socket.
    pub port: String,
    /// The database's name.
    pub database: String,
    /// The user's name.
    pub user: String,
}

/// Reads the options as [`connect`](super::connect()) does, and connects to nothing.
///
/// # Errors
/// [`Configuration`](crate::DbErrorKind::Configuration) where they make no sense.
pub fn describe(options: &ConnectOptions) -> Result<TargetDescription, DbError> {
    let parameters = Parameters::read(options, &Files)?;
    let (host, port) = match parameters.place {
        Place::Tcp { host, port } => (host, port.to_string()),
        Place::Socket(path) => (path.display().to_string(), String::new()),
    };
    Ok(TargetDescription { host, port, database: parameters.database, user: parameters.user })
}
