//! Makes a database that is missing.

use limosa_sql::Engine;

use super::connect::{Route, within};
use super::parameters::{Files, Parameters};
use super::wire::Wire;
use crate::{ConnectOptions, DbError, DbErrorKind};

/// Creates a database on the server of the options, with the server's own character set and collation. The database that
/// the options name need not exist.
///
/// # Errors
/// Those of [`connect`](super::connect()), [`Duplicate`](DbErrorKind::Duplicate) where it exists already,
/// [`PermissionDenied`](DbErrorKind::PermissionDenied) where the user may create none.
pub async fn create_database(options: &ConnectOptions, name: &str) -> Result<(), DbError> {
    let route = Route::new(Parameters::read(options, &Files)?)?;
    let opened = route.open(None).await?;
    let mut wire = Wire::new(opened.packets, opened.status, usize::MAX);
    let quoted = Engine::Mysql.quote_identifier(name);
    let creating = async {
        wire.command("set names utf8mb4").await?;
        if let Some(role) = &options.role {
            wire.command(format!("set role {}", Engine::Mysql.quote_identifier(role))).await?;
        }
        wire.command(format!("create database {quoted}")).await
    };
    let created = within(route.parameters.connect_timeout, creating).await;
    // A server that does not answer the farewell keeps nobody.
    let _ = within(route.parameters.connect_timeout, wire.close()).await;
    match created {
        Some(created) => created.map(drop).map_err(|error| explain(error, &quoted, &route.parameters.user)),
        None => Err(route.silence()),
    }
}

fn explain(error: DbError, database: &str, user: &str) -> DbError {
    if error.kind != DbErrorKind::PermissionDenied {
        return error;
    }
    let user = Engine::Mysql.quote_identifier(user);
    error.hint(format!("ask an administrator to create it, or for: GRANT ALL ON {database}.* TO {user}"))
}
