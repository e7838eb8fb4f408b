//! Why no session was opened, in words that say where it was tried and what to do. No password is ever shown.

use std::io;
use std::time::Duration;

use super::error;
use super::parameters::{Parameters, Place, SslMode};
use super::reply::ServerError;
use crate::{DbError, DbErrorKind};

fn cannot(message: String) -> DbError {
    DbError::new(DbErrorKind::CannotConnect, message)
}

/// The name of the host is not known.
pub(super) fn unknown_host(host: &str, error: &io::Error) -> DbError {
    cannot(format!("the host name {host:?} cannot be resolved: {error}"))
        .hint("check the spelling of the host, and that this machine can reach its name server")
}

/// Nobody answered in time.
pub(super) fn silence(place: &Place, limit: Duration) -> DbError {
    cannot(format!("no answer from {} within {} s", place.shown(), limit.as_secs())).hint(
        "check host, port and firewalls: a MySQL server speaks first, others (PostgreSQL, a web server) wait and say nothing; \
         connect-timeout sets the limit",
    )
}

/// The socket could not be opened.
pub(super) fn no_socket(place: &Place, error: &io::Error) -> DbError {
    let shown = place.shown();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => cannot(format!("no server listens at {shown}: connection refused"))
            .hint("check that MySQL or MariaDB runs there, and host and port of the URL"),
        io::ErrorKind::NotFound => cannot(format!("there is no socket {shown}"))
            .hint("check that MySQL or MariaDB runs, and the path of the socket; a host in the URL connects over TCP"),
        io::ErrorKind::PermissionDenied => cannot(format!("the socket {shown} may not be opened: permission denied"))
            .hint("ask for the right to use it, or connect over TCP with a host in the URL"),
        _ => cannot(format!("cannot connect to {shown}: {error}")),
    }
}

/// The connection broke before the session was open.
pub(super) fn broken(place: &Place, failure: &io::Error) -> DbError {
    let why = match failure.kind() {
        io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => failure.to_string(),
    };
    cannot(format!("{} did not open a session: {why}", place.shown()))
        .hint("check that it is a MySQL or MariaDB server, and its log")
}

/// Another kind of server listens there; these are its first bytes.
pub(super) fn stranger(place: &Place, first: &[u8]) -> DbError {
    let shown = place.shown();
    // The first frame of MySQL's X protocol: length, then the type NOTICE.
    if first.get(4) == Some(&11) || first.first() == Some(&11) {
        return cannot(format!("{shown} speaks MySQL's X protocol")).hint("use the server's other port, mostly 3306");
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let said: String = first.iter().copied().take_while(printable).take(40).map(char::from).collect();
    let error = cannot(if said.len() < 4 {
        format!("{shown} does not answer like MySQL or MariaDB")
    } else {
        format!("{shown} does not answer like MySQL or MariaDB; it begins with {said:?}")
    });
    error.hint(if said.starts_with("SSH-") { "that is an SSH server: check the port" } else { "check host and port" })
}

/// A server, or a proxy before it, from before the protocol that is spoken here.
pub(super) fn too_old(place: &Place, version: &str) -> DbError {
    cannot(format!("{} calls itself {version}, and speaks an older protocol", place.shown())).hint(
        "limosa needs MySQL 8.0 or MariaDB 10.5, or newer; where a proxy stands before the server, update the proxy",
    )
}

/// TLS was asked for, and the server has none.
pub(super) fn no_tls(place: &Place) -> DbError {
    cannot(format!("{} has no TLS, which ssl-mode asks for", place.shown())).hint(
        "give the server a certificate (ssl_cert and ssl_key), or set ssl-mode=PREFERRED where the network is trusted",
    )
}

/// TLS failed.
pub(super) fn by_tls(parameters: &Parameters, failure: &io::Error) -> DbError {
    let source = failure.to_string();
    let error = cannot(format!("TLS with {} failed: {source}", parameters.place.shown()));
    let hint = if source.contains("NotValidForName") || source.contains("not valid for name") {
        "the certificate is for another host: connect by a name that it has, or use ssl-mode=VERIFY_CA"
    } else if source.contains("UnknownIssuer") {
        "the certificate comes from an authority that is not trusted: name its certificate in ssl-ca"
    } else if source.contains("UnsupportedCertVersion") {
        "the server's certificate has X.509 version 1; make one of version 3, or use ssl-mode=REQUIRED"
    } else if source.contains("xpired") {
        "the server's certificate has expired: renew it"
    } else if parameters.tls.mode >= SslMode::Required {
        "check the certificates and the TLS versions of both sides; limosa speaks TLS 1.2 and 1.3"
    } else {
        "limosa speaks TLS 1.2 and 1.3; ssl-mode=DISABLED goes without, where the network is trusted"
    };
    error.hint(hint)
}

/// The server wants to see the password as it is.
pub(super) fn cleartext(parameters: &Parameters, secure: bool) -> DbError {
    let message = format!(
        "{} wants the password of user {:?} as it is (mysql_clear_password)",
        parameters.place.shown(),
        parameters.user
    );
    DbError::new(DbErrorKind::Authentication, message).hint(if secure {
        "add enable-cleartext-plugin=1 where you trust the server with it"
    } else {
        "use ssl-mode=VERIFY_IDENTITY and add enable-cleartext-plugin=1: the password must not go over an open network"
    })
}

/// The server wants to see the password, and the connection is open to all.
pub(super) fn needs_encryption(parameters: &Parameters) -> DbError {
    let message = format!(
        "{} wants the password of user {:?} encrypted, and the connection is not",
        parameters.place.shown(),
        parameters.user
    );
    DbError::new(DbErrorKind::Authentication, message)
        .hint("use TLS (ssl-mode=REQUIRED) or the socket; on a network that you trust, add get-server-public-key=1")
}

/// A way to log in that is not spoken here.
pub(super) fn unsupported(parameters: &Parameters, plugin: &str) -> DbError {
    let message = format!(
        "{} authenticates user {:?} with {plugin}, which limosa does not support",
        parameters.place.shown(),
        parameters.user
    );
    DbError::new(DbErrorKind::Authentication, message)
        .hint("give limosa a user with caching_sha2_password, mysql_native_password, ed25519, parsec or unix_socket")
}

/// The server said why. Where the connection could be encrypted and is not, that may be the reason, which no server says.
pub(super) fn by_server(parameters: &Parameters, said: ServerError, could_be_encrypted: bool) -> DbError {
    let number = said.number;
    let mut error = error::of_server(said);
    let user = &parameters.user;
    let by_socket = matches!(parameters.place, Place::Socket(_));
    let (kind, hint) = match number {
        1045 if parameters.password.is_none() => (
            DbErrorKind::Authentication,
            format!("no password is given for user {user:?}: set MYSQL_PWD, or put it into the URL or an option file ([client])"),
        ),
        1045 => {
            let from = &parameters.password_from;
            let hint = format!("the password came from {from}: check it, the user's name, and the host that the user may come from");
            (DbErrorKind::Authentication, hint)
        }
        1698 if !by_socket => (
            DbErrorKind::Authentication,
            "the server may know this user by the socket only: leave the host out of the URL, or name the socket in it \
             (mysql:///database?socket=PATH)"
                .to_owned(),
        ),
        1698 => (
            DbErrorKind::Authentication,
            "over the socket the server compares the user with that of this machine: run limosa as that user".to_owned(),
        ),
        1130 => (
            DbErrorKind::Authentication,
            format!("the server lets nobody in from here: CREATE USER or RENAME USER for {user:?} and this host"),
        ),
        1049 => (
            DbErrorKind::DatabaseMissing,
            format!("create the database {:?}, or correct its name in the URL", parameters.database),
        ),
        1044 => {
            let database = limosa_sql::Engine::Mysql.quote_identifier(&parameters.database);
            (DbErrorKind::PermissionDenied, format!("GRANT the user {user:?} rights ON {database}.*, or correct the database's name"))
        }
        1040 | 1203 | 1226 => (
            DbErrorKind::CannotConnect,
            "wait for sessions to end, or raise max_connections, max_user_connections or the user's limit".to_owned(),
        ),
        1129 => (
            DbErrorKind::CannotConnect,
            "the server has had too many broken connections from here: FLUSH HOSTS there, or restart it".to_owned(),
        ),
        3159 => (DbErrorKind::CannotConnect, "the server takes only encrypted connections: ssl-mode=REQUIRED".to_owned()),
        _ => (
            match error.kind {
                DbErrorKind::Statement | DbErrorKind::ConnectionLost | DbErrorKind::Resources => DbErrorKind::CannotConnect,
                kind => kind,
            },
            String::new(),
        ),
    };
    error.kind = kind;
    error.message = format!("{} refuses: {}", parameters.place.shown(), error.message);
    if !hint.is_empty() {
        error.hint = Some(hint);
    }
    if number == 1045 && could_be_encrypted {
        let more = "the server may let this user in with TLS only: ssl-mode=REQUIRED";
        error.hint = Some(error.hint.map_or_else(|| more.to_owned(), |hint| format!("{hint}; {more}")));
    }
    error
}
