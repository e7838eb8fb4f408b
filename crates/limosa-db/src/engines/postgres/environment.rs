//! How PostgreSQL's own programs are told where to connect.

use super::parameters;
use crate::{ConnectOptions, DbError, Secret};

/// The variables (`PGHOST`, `PGPASSWORD`, ...) under which `pg_dump` and its kin connect as [`connect`](super::connect())
/// would. They are for the environment of a child process, never for its arguments, which others can list.
///
/// # Errors
/// [`Configuration`](crate::DbErrorKind::Configuration) where the options make no sense.
pub fn libpq_environment(options: &ConnectOptions) -> Result<Vec<(String, Secret)>, DbError> {
    parameters::variables(options)
}
