//! Where a connection would go, without making it.

use super::parameters::{Files, Parameters, Place};
use crate::{ConnectOptions, DbError, TargetDescription};

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
