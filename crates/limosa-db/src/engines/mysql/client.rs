//! How MySQL's and MariaDB's own programs are told where to connect.

use std::fmt::Write as _;

use super::parameters::{Files, Parameters, Place, Roots, SslMode};
use crate::{ConnectOptions, DbError, Secret};

/// The text of an option file with which `mysqldump`, `mariadb-dump`, `mysql` and their kin connect as
/// [`connect`](super::connect()) would: for a file that only its owner may read, named in `--defaults-file`, which must be
/// their first argument. The database is not in it: these programs take it as an argument.
///
/// What only one of the two families knows is marked `loose`: the other says a word about it and goes on.
///
/// # Errors
/// [`Configuration`](crate::DbErrorKind::Configuration) where the options make no sense.
pub fn client_option_file(options: &ConnectOptions) -> Result<Secret, DbError> {
    let parameters = Parameters::read(options, &Files)?;
    let mut text = String::from("[client]\n");
    let mut line = |name: &str, value: &str| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = writeln!(text, "{name} = \"{value}\"");
    };
    match &parameters.place {
        Place::Tcp { host, port } => {
            // For these programs localhost is a socket.
            line("protocol", "tcp");
            line("host", host);
            line("port", &port.to_string());
        }
        Place::Socket(path) => {
            line("protocol", "socket");
            line("socket", &path.to_string_lossy());
        }
    }
    line("user", &parameters.user);
    if let Some(password) = &parameters.password {
        line("password", password.expose());
    }
    line("default-character-set", "utf8mb4");
    let tls = &parameters.tls;
    let (mode, on, identity) = match tls.mode {
        SslMode::Disabled => ("DISABLED", "0", "0"),
        SslMode::Preferred => ("PREFERRED", "", "0"),
        SslMode::Required => ("REQUIRED", "1", "0"),
        SslMode::VerifyCa => ("VERIFY_CA", "1", "0"),
        SslMode::VerifyIdentity => ("VERIFY_IDENTITY", "1", "1"),
    };
    line("loose-ssl-mode", mode);
    if !on.is_empty() {
        line("loose-ssl", on);
    }
    line("loose-ssl-verify-server-cert", identity);
    if let (Roots::File(path), true) = (&tls.roots, tls.mode >= SslMode::VerifyCa) {
        line("ssl-ca", &path.to_string_lossy());
    }
    if let (Some((certificate, key)), true) = (&tls.identity, tls.mode != SslMode::Disabled) {
        line("ssl-cert", &certificate.to_string_lossy());
        line("ssl-key", &key.to_string_lossy());
    }
    if parameters.public_key {
        line("loose-get-server-public-key", "1");
    }
    Ok(Secret::new(text))
}
