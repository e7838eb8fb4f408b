//! Makes a database that is missing.

use limosa_sql::Engine;

use super::facts::Defaults;
use super::flight;
use super::parameters::Parameters;
use super::session::connect_to;
use crate::{ConnectOptions, DbError, DbErrorKind};

/// Databases that every server has, in the order in which they are tried.
const ALWAYS_THERE: [&str; 2] = ["postgres", "template1"];

/// Creates a database on the server of the options, owned by their role where they name one. The database that the
/// options name need not exist.
///
/// # Errors
/// Those of [`connect`](super::connect()), [`Duplicate`](DbErrorKind::Duplicate) where it exists already,
/// [`PermissionDenied`](DbErrorKind::PermissionDenied) where the user may create none.
pub async fn create_database(options: &ConnectOptions, name: &str) -> Result<(), DbError> {
    let mut parameters = Parameters::read(options, &|path| path.exists())?;
    let mut last = DbError::default();
    for database in ALWAYS_THERE {
        database.clone_into(&mut parameters.database);
        let mut session = match connect_to(&parameters, &Defaults::default()).await {
            Ok(session) => session,
            Err(error) if matches!(error.kind, DbErrorKind::DatabaseMissing | DbErrorKind::PermissionDenied) => {
                last = error;
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut sql = format!("create database {}", Engine::Postgres.quote_identifier(name));
        if let Some(role) = &options.role {
            sql.push_str(" owner ");
            sql.push_str(&Engine::Postgres.quote_identifier(role));
        }
        let created = flight::command(session.wire_mut(), &sql).await;
        session.say_goodbye().await;
        return created.map_err(|error| explain(error, &parameters.user));
    }
    Err(last)
}

fn explain(error: DbError, user: &str) -> DbError {
    if error.kind == DbErrorKind::PermissionDenied && error.hint.is_none() {
        let user = Engine::Postgres.quote_identifier(user);
        return error.hint(format!("ask an administrator to create it, or for: ALTER ROLE {user} CREATEDB"));
    }
    error
}
