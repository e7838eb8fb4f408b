//! Why no connection was made, in words that say where it was tried and what to do.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use super::error;
use super::parameters::{Parameters, Place, SslMode};
use crate::{DbError, DbErrorKind, Notice};

/// The driver's words where the server wants a password and there is none.
const PASSWORD_MISSING: &str = "password missing";

/// The driver's words where TLS was asked for.
const TLS_FAILED: &str = "error performing TLS handshake";
const NO_TLS: &str = "server does not support TLS";

fn cannot(message: String) -> DbError {
    DbError::new(DbErrorKind::CannotConnect, message)
}

/// The name of the host is not known.
pub(super) fn unknown_host(place: &Place, error: &io::Error) -> DbError {
    cannot(format!("the host name {:?} cannot be resolved: {error}", place.host.shown()))
        .hint("check the spelling of the host, and that this machine can reach its name server")
}

/// Nobody answered in time.
pub(super) fn silence(place: &Place, limit: Duration) -> DbError {
    cannot(format!("no answer from {} within {} s", place.shown(), limit.as_secs()))
        .hint("check host, port and firewalls; connect_timeout sets the limit")
}

/// The socket could not be opened.
pub(super) fn no_socket(place: &Place, error: &io::Error) -> DbError {
    let shown = place.shown();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => cannot(format!("no server listens at {shown}: connection refused"))
            .hint("check that PostgreSQL runs there, and host and port of the URL"),
        io::ErrorKind::NotFound => cannot(format!("there is no socket {shown}"))
            .hint("check that PostgreSQL runs, and folder and port of the socket; host=localhost connects over TCP"),
        io::ErrorKind::PermissionDenied => cannot(format!("the socket {shown} may not be opened: permission denied"))
            .hint("ask for the right to use it, or connect over TCP with host=localhost"),
        _ => cannot(format!("cannot connect to {shown}: {error}")),
    }
}

/// True where TLS failed or was refused, so that libpq's `prefer` goes on without.
pub(super) fn is_about_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().starts_with(TLS_FAILED)
}

/// The server was reached and the session was not opened.
pub(super) fn refused(
    place: &Place,
    parameters: &Parameters,
    password_from: Option<&str>,
    failure: &tokio_postgres::Error,
) -> DbError {
    let shown = place.shown();
    if let Some(server) = failure.as_db_error() {
        return by_server(&shown, parameters, password_from, error::of_server(server));
    }
    let source = failure.source().map(ToString::to_string).unwrap_or_default();
    if is_about_tls(failure) {
        return by_tls(&shown, parameters, &source);
    }
    if source == PASSWORD_MISSING {
        let message = format!("{shown} asks for a password of user {:?}, and none is given", parameters.user);
        return DbError::new(DbErrorKind::Authentication, message)
            .hint("set PGPASSWORD, add a line to the password file, or put it into the URL");
    }
    if source.contains("channel binding") || source.contains("authentication method") || source.contains("SASL") {
        return DbError::new(DbErrorKind::Authentication, format!("{shown} cannot be logged in to: {source}"))
            .hint("the server offers only ways to authenticate that are not supported or not allowed here");
    }
    if failure.is_closed() || failure.source().is_some_and(|source| source.is::<io::Error>()) {
        let why = if source.is_empty() { "it closed the connection".to_owned() } else { source };
        return cannot(format!("{shown} did not open a session: {why}"))
            .hint("check that it is a PostgreSQL server, and its log");
    }
    if !source.is_empty() {
        // What the driver finds while proving the password: a wrong server, or a malformed message.
        return DbError::new(DbErrorKind::Authentication, format!("{shown} cannot be logged in to: {source}"));
    }
    cannot(format!("{shown} does not answer like PostgreSQL: {failure}")).hint("check host and port")
}

fn by_tls(shown: &str, parameters: &Parameters, source: &str) -> DbError {
    if source == NO_TLS {
        return cannot(format!("{shown} has no TLS, which sslmode asks for"))
            .hint("turn it on at the server (ssl = on), or set sslmode=prefer where the network is trusted");
    }
    let error = cannot(format!("TLS with {shown} failed: {source}"));
    let hint = if source.contains("NotValidForName") || source.contains("not valid for name") {
        "the certificate is for another host: connect by a name that it has, or use sslmode=verify-ca"
    } else if source.contains("UnknownIssuer") {
        "the certificate comes from an authority that is not trusted: name its root certificate in sslrootcert"
    } else if source.contains("UnsupportedCertVersion") {
        "the server's certificate has X.509 version 1; make one of version 3, or use sslmode=require without sslrootcert"
    } else if source.contains("xpired") {
        "the server's certificate has expired: renew it"
    } else if parameters.tls.mode >= SslMode::Require {
        "check the certificates and the TLS versions of both sides"
    } else {
        return error;
    };
    error.hint(hint)
}

fn by_server(shown: &str, parameters: &Parameters, password_from: Option<&str>, mut said: DbError) -> DbError {
    let code = said.code.clone().unwrap_or_default();
    let words = said.message.to_ascii_lowercase();
    let (kind, hint) = match code.as_str() {
        "3D000" => (DbErrorKind::DatabaseMissing, create_hint(parameters)),
        // A pooler says everything under one code.
        "08P01" if words.contains("no such database") => (DbErrorKind::DatabaseMissing, create_hint(parameters)),
        "08P01" if words.contains("does not exist") && words.contains("database") => {
            (DbErrorKind::DatabaseMissing, create_hint(parameters))
        }
        "08P01" if words.contains("auth") || words.contains("no such user") || words.contains("password") => {
            (DbErrorKind::Authentication, password_hint(password_from))
        }
        "08P01" if words.contains("unsupported startup parameter") => {
            let hint = "a pooler takes no options, which hold the search path: that of the address, or Flyway's default schema where \
                        its settings name one; give the address of the server itself";
            (DbErrorKind::Configuration, hint.to_owned())
        }
        "28P01" => (DbErrorKind::Authentication, password_hint(password_from)),
        "28000" if words.contains("pg_hba.conf") => {
            let hint = "the server's pg_hba.conf has no line that lets this user into this database from here; \
                        where it says no encryption, use sslmode=require";
            (DbErrorKind::Authentication, hint.to_owned())
        }
        "28000" => (DbErrorKind::Authentication, "check the user's name and its right to log in".to_owned()),
        "42501" => (DbErrorKind::PermissionDenied, "grant the user CONNECT on the database".to_owned()),
        "53300" | "53400" => (
            DbErrorKind::CannotConnect,
            "wait for sessions to end, or raise max_connections or the role's limit".to_owned(),
        ),
        "57P03" => (DbErrorKind::CannotConnect, "the server is not ready: try again in a moment".to_owned()),
        "22023" | "42704" => {
            (DbErrorKind::Configuration, "check the parameter options and the variable PGOPTIONS".to_owned())
        }
        _ if said.kind == DbErrorKind::Statement || said.kind == DbErrorKind::ConnectionLost => {
            (DbErrorKind::CannotConnect, String::new())
        }
        _ => (said.kind, String::new()),
    };
    said.kind = kind;
    said.message = format!("{shown} refuses: {}", said.message);
    if !hint.is_empty() && said.hint.is_none() {
        said.hint = Some(hint);
    }
    said
}

fn create_hint(parameters: &Parameters) -> String {
    format!("create the database {:?}, or correct its name in the URL", parameters.database)
}

/// A login that fails says first why a password file was not read.
pub(super) fn with_notices(mut error: DbError, notices: &[Notice]) -> DbError {
    if error.kind != DbErrorKind::Authentication {
        return error;
    }
    for notice in notices {
        let remedy = notice.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
        let own = error.hint.take().map(|hint| format!("\n{hint}")).unwrap_or_default();
        error.hint = Some(format!("{}{remedy}{own}", notice.message));
    }
    error
}

fn password_hint(password_from: Option<&str>) -> String {
    match password_from {
        Some(place) => format!("the password came from {place}: check it and the user's name"),
        None => "check the user's name, and give a password by PGPASSWORD, a password file or the URL".to_owned(),
    }
}
