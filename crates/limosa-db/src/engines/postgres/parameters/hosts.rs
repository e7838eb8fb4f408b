//! The list of servers that a connection may be made to.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::{Settings, malformed};
use crate::DbError;

/// libpq's port where none is given.
const PORT: u16 = 5432;

/// Where packagers and PostgreSQL itself put the socket.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// One server of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Place {
    pub(in super::super) host: HostName,
    pub(in super::super) port: u16,
}

/// How a server is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum HostName {
    /// The folder of a unix socket.
    Folder {
        path: PathBuf,
        /// The folder was not given but found; a password file then calls it `localhost`.
        default: bool,
    },
    /// A name to be resolved, or an address.
    Name(String),
    /// An address, with the name that certificates and password files use.
    Address { address: IpAddr, name: Option<String> },
}

impl HostName {
    /// As shown and as compared.
    pub(in super::super) fn shown(&self) -> String {
        match self {
            HostName::Folder { path, .. } => path.display().to_string(),
            HostName::Name(name) | HostName::Address { name: Some(name), .. } => name.clone(),
            HostName::Address { address, name: None } => address.to_string(),
        }
    }

    /// As a line of a password file names it.
    pub(in super::super) fn in_password_file(&self) -> String {
        match self {
            HostName::Folder { default: true, .. } => "localhost".to_owned(),
            other => other.shown(),
        }
    }
}

impl Place {
    /// `localhost:5432`, `[::1]:5432`, or the path of the socket.
    pub(in super::super) fn shown(&self) -> String {
        match &self.host {
            HostName::Folder { path, .. } => socket_in(path, self.port).display().to_string(),
            host => {
                let name = host.shown();
                if name.contains(':') { format!("[{name}]:{}", self.port) } else { format!("{name}:{}", self.port) }
            }
        }
    }
}

/// The path of the socket of the server with this port.
pub(in super::super) fn socket_in(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// Puts `host`, `hostaddr` and `port` together, by position. `exists` looks for a socket where no host is given.
pub(super) fn places(settings: &Settings, exists: &dyn Fn(&Path) -> bool) -> Result<Vec<Place>, DbError> {
    let names = list(settings.get("host"));
    let addresses = list(settings.get("hostaddr"));
    let ports = list(settings.get("port"));
    let count = names.len().max(addresses.len()).max(1);
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(malformed(&format!(
            "{} host names stand beside {} addresses (hostaddr)",
            names.len(),
            addresses.len()
        )));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(malformed(&format!("{} ports stand beside {count} hosts", ports.len()))
            .hint("give one port for all, or one for each host"));
    }
    let mut places = Vec::new();
    for index in 0..count {
        let port = ports.get(index).or(ports.first().filter(|_| ports.len() == 1));
        let port = read_port(settings, port.copied().unwrap_or_default())?;
        let name = names.get(index).copied().unwrap_or_default();
        let address = addresses.get(index).copied().unwrap_or_default();
        places.push(Place { host: host(settings, name, address, port, exists)?, port });
    }
    Ok(places)
}

fn list(value: Option<&str>) -> Vec<&str> {
    value.map(|value| value.split(',').map(str::trim).collect()).unwrap_or_default()
}

fn read_port(settings: &Settings, text: &str) -> Result<u16, DbError> {
    if text.is_empty() {
        return Ok(PORT);
    }
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        // A password with a slash in it makes a URL whose port is a part of the password.
        _ => Err(malformed(&format!("{} is not a port, a number from 1 to 65535", settings.place("port")))
            .hint("in a URL the characters / and @ of a password are written %2F and %40")),
    }
}

fn host(
    settings: &Settings,
    name: &str,
    address: &str,
    port: u16,
    exists: &dyn Fn(&Path) -> bool,
) -> Result<HostName, DbError> {
    if !address.is_empty() {
        let Ok(address) = address.parse() else {
            return Err(malformed(&format!("{} is not an IP address", settings.place("hostaddr")))
                .hint("a name belongs into host"));
        };
        return Ok(HostName::Address { address, name: (!name.is_empty()).then(|| name.to_owned()) });
    }
    if name.starts_with('@') {
        return Err(malformed("sockets in the abstract namespace (a host that begins with @) are not supported")
            .hint("give the folder of the socket"));
    }
    if name.starts_with('/') {
        return Ok(HostName::Folder { path: PathBuf::from(name), default: false });
    }
    if !name.is_empty() {
        return Ok(HostName::Name(name.to_owned()));
    }
    let folder = SOCKET_FOLDERS.iter().map(Path::new).find(|folder| exists(&socket_in(folder, port)));
    Ok(match folder {
        Some(folder) => HostName::Folder { path: folder.to_owned(), default: true },
        None => HostName::Name("localhost".to_owned()),
    })
}
