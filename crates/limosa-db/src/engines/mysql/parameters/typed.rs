//! The parameters as what they mean.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::disk::Disk;
use super::{Settings, Source, malformed};
use crate::network::KeepAlive;
use crate::{ConnectOptions, DbError, Notice, Secret};

/// How long one address may take to answer where `connect-timeout` says nothing. The servers' own clients wait as long as
/// the system does, which is minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The port where none is given.
const PORT: u16 = 3306;

/// Where packagers and the servers themselves put the socket.
const SOCKETS: [&str; 4] =
    ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

/// The server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// A name or an address, and a port.
    Tcp { host: String, port: u16 },
    /// The path of a unix socket.
    Socket(PathBuf),
}

impl Place {
    /// Nothing leaves this machine on the way to the server.
    fn is_this_machine(&self) -> bool {
        match self {
            Place::Socket(_) => true,
            Place::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// `localhost:3306`, `[::1]:3306`, or the path of the socket.
    pub(in super::super) fn shown(&self) -> String {
        match self {
            Place::Socket(path) => path.display().to_string(),
            Place::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Place::Tcp { host, port } => format!("{host}:{port}"),
        }
    }
}

/// How much TLS is asked for, in the words of MySQL's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum SslMode {
    /// Never.
    Disabled,
    /// Where the server has it; not on a unix socket.
    Preferred,
    /// Always; the certificate is not checked.
    Required,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority for this host.
    VerifyIdentity,
}

/// Where trusted certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Roots {
    /// Those of the operating system.
    System,
    /// A file.
    File(PathBuf),
}

/// What TLS needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Tls {
    pub(in super::super) mode: SslMode,
    pub(in super::super) roots: Roots,
    /// Certificate and key of the client.
    pub(in super::super) identity: Option<(PathBuf, PathBuf)>,
    pub(in super::super) revocations: Option<PathBuf>,
    /// TLS 1.2 is allowed.
    pub(in super::super) with_1_2: bool,
    /// TLS 1.3 is allowed.
    pub(in super::super) with_1_3: bool,
}

/// Everything that a connection needs.
#[derive(Debug, Clone)]
pub(in super::super) struct Parameters {
    pub(in super::super) place: Place,
    pub(in super::super) user: String,
    pub(in super::super) password: Option<Secret>,
    /// Where the password was found, for messages.
    pub(in super::super) password_from: String,
    pub(in super::super) database: String,
    pub(in super::super) application_name: String,
    pub(in super::super) connect_timeout: Option<Duration>,
    pub(in super::super) keep_alive: KeepAlive,
    pub(in super::super) tls: Tls,
    /// A password may be shown to the server as it is, over TLS or a socket.
    pub(in super::super) cleartext: bool,
    /// The server may be asked for the key that encrypts a password, without TLS. Whoever stands between can give a key of
    /// his own, so this is for networks that are trusted, and by default for this machine alone.
    pub(in super::super) public_key: bool,
    /// What is to be said about the option files.
    pub(in super::super) notices: Vec<Notice>,
}

impl Parameters {
    /// Reads the options and the files that they mean; connects to nothing.
    pub(in super::super) fn read(options: &ConnectOptions, disk: &dyn Disk) -> Result<Parameters, DbError> {
        let settings = Settings::read(options, disk)?;
        settings.check_character_set()?;
        let Some(database) = settings.get("database") else {
            return Err(malformed("the address names no database").hint(
                "write it behind the host, mysql://user@host:3306/database; on MySQL a database is what elsewhere is a schema",
            ));
        };
        let password = settings.get("password");
        let place = settings.server(disk)?;
        Ok(Parameters {
            user: user(&settings, options)?,
            password: password.map(Secret::new),
            password_from: settings.where_from("password"),
            database: database.to_owned(),
            application_name: settings.get("application-name").unwrap_or(&options.application_name).to_owned(),
            connect_timeout: match settings.number("connect-timeout")? {
                None => Some(CONNECT_TIMEOUT),
                Some(0) => None,
                Some(seconds) => Some(Duration::from_secs(seconds)),
            },
            keep_alive: settings.keep_alive()?,
            tls: settings.tls()?,
            cleartext: settings.truth("enable-cleartext-plugin")?.unwrap_or(false),
            public_key: settings.truth("get-server-public-key")?.unwrap_or_else(|| place.is_this_machine()),
            place,
            notices: settings.notices,
        })
    }
}

/// The servers' own clients ask the operating system for the user; here the environment stands for it.
fn user(settings: &Settings, options: &ConnectOptions) -> Result<String, DbError> {
    let variable = |name: &str| options.environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let user = settings.get("user").or_else(|| ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable));
    user.map(str::to_owned).ok_or_else(|| {
        malformed("no database user is given, and the environment names none")
            .hint("write it into the URL, mysql://user@host/database, or into the group [client] of an option file")
    })
}

impl Settings {
    fn where_from(&self, name: &str) -> String {
        match self.given.get(name).map(|given| &given.source) {
            Some(Source::Variable(variable)) => format!("the variable {variable}"),
            Some(Source::File(path)) => format!("the option file {}", path.display()),
            _ => "the URL".to_owned(),
        }
    }

    /// The address counts before all: a host in it is reached by TCP, whatever a file says of a socket. Without one the host
    /// `localhost` means the socket, as for the servers' own clients.
    fn server(&self, disk: &dyn Disk) -> Result<Place, DbError> {
        let port = match self.get("port").map(str::parse) {
            None => PORT,
            Some(Ok(port)) if port > 0 => port,
            // A password with a slash in it makes a URL whose port is a part of the password.
            Some(_) => {
                return Err(malformed(&format!("{} is not a port, a number from 1 to 65535", self.place("port")))
                    .hint("in a URL the characters / and @ of a password are written %2F and %40"));
            }
        };
        let host = self.get("host").unwrap_or_default();
        let tcp = |host: &str| Place::Tcp { host: host.to_owned(), port };
        if host.starts_with('/') {
            return Ok(Place::Socket(PathBuf::from(host)));
        }
        let in_address = ["socket", "host", "port"].into_iter().find(|name| self.in_address(name));
        let protocol = self.choice("protocol", &[("tcp", Some(true)), ("socket", Some(false))])?.flatten();
        let by_socket = match (in_address, protocol) {
            (_, Some(by_tcp)) => !by_tcp,
            (Some(name), None) => name == "socket",
            (None, None) => matches!(host, "" | "localhost"),
        };
        if !by_socket {
            return Ok(tcp(if host.is_empty() { "localhost" } else { host }));
        }
        if let Some(path) = self.get("socket") {
            return Ok(Place::Socket(PathBuf::from(path)));
        }
        match SOCKETS.iter().map(Path::new).find(|path| disk.exists(path)) {
            Some(path) => Ok(Place::Socket(path.to_owned())),
            None if protocol == Some(false) => Err(malformed("protocol=socket asks for a socket, and there is none")
                .hint("name its path: socket=/path/to/mysqld.sock")),
            None => Ok(tcp("localhost")),
        }
    }

    fn keep_alive(&self) -> Result<KeepAlive, DbError> {
        let default = KeepAlive::default();
        let seconds = |name: &str, default: Duration| {
            let number = self.number(name)?.filter(|number| *number > 0);
            Ok(number.map_or(default, Duration::from_secs))
        };
        let count = self.number("keepalives-count")?.and_then(|count| u32::try_from(count).ok());
        Ok(KeepAlive {
            enabled: self.truth("keepalives")?.unwrap_or(true),
            idle: seconds("keepalives-idle", default.idle)?,
            interval: seconds("keepalives-interval", default.interval)?,
            count: count.filter(|count| *count > 0).unwrap_or(default.count),
            user_timeout: match self.number("tcp-user-timeout")? {
                None => default.user_timeout,
                Some(0) => None,
                Some(milliseconds) => Some(Duration::from_millis(milliseconds)),
            },
        })
    }

    /// Only an address can ask for another character set than ours; files are for all programs.
    fn check_character_set(&self) -> Result<(), DbError> {
        if !self.in_address("default-character-set") {
            return Ok(());
        }
        let name = self.get("default-character-set").unwrap_or_default();
        if ["utf8mb4", "utf8", "utf-8", "auto"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        Err(malformed(&format!("limosa does not speak the character set {name:?}"))
            .hint("leave it out; limosa always speaks utf8mb4 with the server"))
    }

    fn tls(&self) -> Result<Tls, DbError> {
        let modes = [
            ("DISABLED", SslMode::Disabled),
            ("PREFERRED", SslMode::Preferred),
            ("REQUIRED", SslMode::Required),
            ("VERIFY_CA", SslMode::VerifyCa),
            ("VERIFY_IDENTITY", SslMode::VerifyIdentity),
            // The words of PostgreSQL.
            ("disable", SslMode::Disabled),
            ("prefer", SslMode::Preferred),
            ("require", SslMode::Required),
            ("verify-ca", SslMode::VerifyCa),
            ("verify-full", SslMode::VerifyIdentity),
        ];
        let authority = self.get("ssl-ca").map(PathBuf::from);
        // MariaDB has two switches in place of the mode. A certificate to check against is there to be checked.
        let mode = match self.choice("ssl-mode", &modes)? {
            Some(mode) => mode,
            None => match (self.truth("ssl")?, self.truth("ssl-verify-server-cert")?) {
                (Some(false), _) => SslMode::Disabled,
                (_, Some(true)) => SslMode::VerifyIdentity,
                _ if authority.is_some() => SslMode::VerifyCa,
                (Some(true), _) => SslMode::Required,
                (None, _) => SslMode::Preferred,
            },
        };
        if mode == SslMode::VerifyCa && authority.is_none() {
            // Anybody can have a certificate of a public authority: only together with the host's name it proves anything.
            return Err(malformed("ssl-mode=VERIFY_CA needs the certificate to check against").hint(
                "name its file in ssl-ca, or write ssl-mode=VERIFY_IDENTITY for the authorities that the system trusts",
            ));
        }
        let identity = match (self.get("ssl-cert"), self.get("ssl-key")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((PathBuf::from(certificate), PathBuf::from(key))),
            (Some(_), None) => {
                return Err(malformed("ssl-cert has no key beside it").hint("name the key's file in ssl-key"));
            }
            (None, Some(_)) => {
                return Err(malformed("ssl-key has no certificate beside it").hint("name its file in ssl-cert"));
            }
        };
        let (with_1_2, with_1_3) = self.tls_versions()?;
        Ok(Tls {
            mode,
            roots: authority.map_or(Roots::System, Roots::File),
            identity,
            revocations: self.get("ssl-crl").map(PathBuf::from),
            with_1_2,
            with_1_3,
        })
    }

    /// TLS before 1.2 is not spoken.
    fn tls_versions(&self) -> Result<(bool, bool), DbError> {
        let Some(list) = self.get("tls-version") else { return Ok((true, true)) };
        let has = |version: &str| list.split(',').any(|name| name.trim().eq_ignore_ascii_case(version));
        let versions = (has("TLSv1.2"), has("TLSv1.3"));
        if versions == (false, false) {
            return Err(malformed(&format!("{} allows neither TLSv1.2 nor TLSv1.3", self.place("tls-version"))));
        }
        Ok(versions)
    }
}
