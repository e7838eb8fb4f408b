//! How the programs of MariaDB and MySQL are told where to connect, and as whom.

use std::path::{Path, PathBuf};

use super::parameters::{Files, Parameters, Place, Roots, SslMode, Tls};
use crate::{ConnectOptions, DbError, DbErrorKind, Secret};

/// Where systems keep the certificates that they trust, in one file.
const TRUSTED: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Bytes that an option file may have: its reader takes no longer lines, and it must fit into the smallest pipe.
const LONGEST: usize = 4_000;

/// Whose programs or whose server. Their options differ, and so do their dumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Oracle's, and those made from it.
    Mysql,
    /// MariaDB's.
    MariaDb,
}

impl Flavor {
    /// The name in running text.
    pub fn title(self) -> &'static str {
        match self {
            Flavor::Mysql => "MySQL",
            Flavor::MariaDb => "MariaDB",
        }
    }
}

/// What `mariadb`, `mysqldump` and their kin need to connect as [`connect`](super::connect()) would.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    parameters: Parameters,
}

impl ClientOptions {
    /// Reads the address, the variables and the option files that limosa reads.
    ///
    /// # Errors
    /// [`Configuration`](DbErrorKind::Configuration) where the options make no sense.
    pub fn read(options: &ConnectOptions) -> Result<ClientOptions, DbError> {
        Ok(ClientOptions { parameters: Parameters::read(options, &Files)? })
    }

    /// The database.
    pub fn database(&self) -> &str {
        &self.parameters.database
    }

    /// The text of an option file for programs of this flavor. It holds the password: it is for a pipe or a file that
    /// nobody else can read, never for arguments.
    ///
    /// MariaDB's programs can only check a certificate with its name or not at all, so that VERIFY_CA checks the name too.
    /// They cannot insist on TLS without a check; they use it where the server has it, as limosa's own session found.
    ///
    /// # Errors
    /// [`Configuration`](DbErrorKind::Configuration) where something cannot be said in an option file.
    pub fn option_file(&self, flavor: Flavor) -> Result<Secret, DbError> {
        let parameters = &self.parameters;
        let mut text = OptionFile::default();
        text.option("user", &parameters.user);
        if let Some(password) = &parameters.password {
            text.option("password", password.expose());
        }
        match &parameters.place {
            Place::Socket(path) => {
                text.option("protocol", "socket");
                text.path("socket", path)?;
            }
            Place::Tcp { host, port } => {
                text.option("protocol", "tcp");
                text.option("host", host);
                text.option("port", &port.to_string());
            }
        }
        // As limosa's own session: on a socket only where it is asked for.
        let on_socket = matches!(parameters.place, Place::Socket(_)) && parameters.tls.mode == SslMode::Preferred;
        let mode = if on_socket { SslMode::Disabled } else { parameters.tls.mode };
        text.tls(flavor, mode, &parameters.tls)?;
        if flavor == Flavor::Mysql {
            for (name, wanted) in
                [("enable-cleartext-plugin", parameters.cleartext), ("get-server-public-key", parameters.public_key)]
            {
                if wanted {
                    text.option(name, "1");
                }
            }
        }
        if text.0.len() > LONGEST {
            let message = format!("user, password and paths have more than {LONGEST} bytes together");
            return Err(DbError::new(DbErrorKind::Configuration, message)
                .hint("the server's own programs take no more; use a shorter password"));
        }
        Ok(Secret::new(text.0))
    }
}

/// The text of an option file.
struct OptionFile(String);

impl Default for OptionFile {
    fn default() -> Self {
        OptionFile("[client]\n".to_owned())
    }
}

impl OptionFile {
    /// Adds one. In quotes a `#` and blanks at the ends are kept, and a backslash escapes.
    fn option(&mut self, name: &str, value: &str) {
        self.0.push_str(name);
        self.0.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                other => self.0.push(other),
            }
        }
        self.0.push_str("\"\n");
    }

    fn path(&mut self, name: &str, path: &Path) -> Result<(), DbError> {
        let Some(text) = path.to_str() else {
            let message =
                format!("the path {} is not UTF-8, so the server's own programs cannot be told", path.display());
            return Err(DbError::new(DbErrorKind::Configuration, message).hint("give it another name"));
        };
        self.option(name, text);
        Ok(())
    }

    fn tls(&mut self, flavor: Flavor, mode: SslMode, tls: &Tls) -> Result<(), DbError> {
        let checked = matches!(mode, SslMode::VerifyCa | SslMode::VerifyIdentity);
        match flavor {
            Flavor::Mysql => self.option("ssl-mode", word(mode)),
            Flavor::MariaDb if mode == SslMode::Disabled => self.option("ssl", "0"),
            Flavor::MariaDb => {
                self.option("ssl", "1");
                self.option("ssl-verify-server-cert", if checked { "1" } else { "0" });
            }
        }
        if mode == SslMode::Disabled {
            return Ok(());
        }
        if checked {
            match (&tls.roots, flavor) {
                (Roots::File(path), _) => self.path("ssl-ca", path)?,
                // They look where OpenSSL or GnuTLS look.
                (Roots::System, Flavor::MariaDb) => {}
                (Roots::System, Flavor::Mysql) => self.path("ssl-ca", &trusted()?)?,
            }
            if let Some(path) = &tls.revocations {
                self.path("ssl-crl", path)?;
            }
        }
        if let Some((certificate, key)) = &tls.identity {
            self.path("ssl-cert", certificate)?;
            self.path("ssl-key", key)?;
        }
        match (tls.with_1_2, tls.with_1_3) {
            (true, false) => self.option("tls-version", "TLSv1.2"),
            (false, true) => self.option("tls-version", "TLSv1.3"),
            _ => {}
        }
        Ok(())
    }
}

fn word(mode: SslMode) -> &'static str {
    match mode {
        SslMode::Disabled => "DISABLED",
        SslMode::Preferred => "PREFERRED",
        SslMode::Required => "REQUIRED",
        SslMode::VerifyCa => "VERIFY_CA",
        SslMode::VerifyIdentity => "VERIFY_IDENTITY",
    }
}

/// MySQL's programs do not look for the system's certificates by themselves.
fn trusted() -> Result<PathBuf, DbError> {
    TRUSTED.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        DbError::new(
            DbErrorKind::Configuration,
            "MySQL's own programs need a file of trusted certificates, and none was found",
        )
        .hint("install them (Debian: ca-certificates), or name a file in ssl-ca")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &str, flavor: Flavor) -> String {
        let options = ConnectOptions { database: Secret::new(address), ..ConnectOptions::default() };
        let read = ClientOptions::read(&options).unwrap();
        assert!(!format!("{read:?}").contains("pa ss"), "{read:?}");
        read.option_file(flavor).unwrap().expose().to_owned()
    }

    #[test]
    fn what_stands_in_the_file() {
        let tcp = "[client]\nuser=\"u\"\npassword=\"pa ss#\\\"\\\\\"\nprotocol=\"tcp\"\nhost=\"::1\"\nport=\"3307\"\n";
        let address = "mysql://u:pa%20ss%23%22%5C@[::1]:3307/d";
        let with = |parameters: &str| format!("{address}?no-defaults=1&{parameters}");
        for (address, flavor, rest) in [
            (with(""), Flavor::MariaDb, "ssl=\"1\"\nssl-verify-server-cert=\"0\"\n"),
            (with(""), Flavor::Mysql, "ssl-mode=\"PREFERRED\"\nget-server-public-key=\"1\"\n"),
            (with("ssl-mode=DISABLED"), Flavor::MariaDb, "ssl=\"0\"\n"),
            (
                with("ssl-mode=VERIFY_CA&ssl-ca=/ca.pem&tls-version=TLSv1.3"),
                Flavor::MariaDb,
                "ssl=\"1\"\nssl-verify-server-cert=\"1\"\nssl-ca=\"/ca.pem\"\ntls-version=\"TLSv1.3\"\n",
            ),
            (
                with("ssl-mode=VERIFY_CA&ssl-ca=/ca.pem&ssl-cert=/c&ssl-key=/k&get-server-public-key=1"),
                Flavor::Mysql,
                "ssl-mode=\"VERIFY_CA\"\nssl-ca=\"/ca.pem\"\nssl-cert=\"/c\"\nssl-key=\"/k\"\nget-server-public-key=\"1\"\n",
            ),
        ] {
            assert_eq!(text(&address, flavor), format!("{tcp}{rest}"), "{address}");
        }
        let socket = "mysql://u@/d?socket=/a%20b/s&no-defaults=1";
        let expected = "[client]\nuser=\"u\"\nprotocol=\"socket\"\nsocket=\"/a b/s\"\nssl=\"0\"\n";
        assert_eq!(text(socket, Flavor::MariaDb), expected);
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let address = format!("mysql://u:{}@h/d?no-defaults=1", "x".repeat(4_000));
        let options = ConnectOptions { database: Secret::new(address), ..ConnectOptions::default() };
        let error = ClientOptions::read(&options).unwrap().option_file(Flavor::MariaDb).unwrap_err();
        assert_eq!(error.kind, DbErrorKind::Configuration);
        assert!(!error.message.contains("xxx"), "{error}");
    }
}
