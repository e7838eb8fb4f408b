//! Where an address leads: to compare two of them, and to name them without user, password and parameters.

use std::path::{Component, Path, PathBuf};

use limosa_db::Secret;

use super::address::{Parts, decoded, pairs, redact, scheme_of, split_port};

/// Where an address leads, without user, password and parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// A file, as an absolute path without `.` and `..`.
    File(PathBuf),
    /// A database of its own for each session.
    Memory,
    /// A database of a server.
    Server { scheme: String, hosts: Vec<String>, ports: Vec<String>, database: Option<DatabaseName> },
    /// An address that is not understood, with what may be shown of it.
    Unclear { shown: String, text: Secret },
}

/// The name of a database.
#[derive(Debug, Clone)]
pub(super) struct DatabaseName {
    text: Secret,
    /// False where it is the user's name, which stands in for it and is not shown.
    named: bool,
}

impl PartialEq for DatabaseName {
    fn eq(&self, other: &DatabaseName) -> bool {
        self.text == other.text
    }
}

impl Eq for DatabaseName {}

impl Destination {
    /// Reads an address. Relative paths of SQLite begin at `folder`.
    pub(super) fn of(address: &str, folder: &Path) -> Destination {
        let text = address.trim();
        let unclear = || Destination::Unclear { shown: redact(text), text: Secret::new(text) };
        let Some(scheme) = scheme_of(text) else {
            return pairs(text)
                .filter(|pairs| !pairs.is_empty())
                .map_or_else(unclear, |pairs| from_pairs("postgres".to_owned(), &pairs));
        };
        let rest = &text[scheme.len() + 1..];
        let scheme = match scheme.to_ascii_lowercase() {
            sqlite if sqlite.starts_with("sqlite") => return sqlite_destination(rest, folder),
            postgres if postgres == "postgresql" => "postgres".to_owned(),
            mysql if mysql == "mariadb" => "mysql".to_owned(),
            other => other,
        };
        let Some(parts) = rest.strip_prefix("//").and_then(Parts::read) else { return unclear() };
        let mut pairs = Vec::new();
        let (hosts, ports): (Vec<_>, Vec<_>) = parts.hosts.split(',').map(split_port).unzip();
        pairs.push(("host".to_owned(), decoded(&hosts.join(",")).replace(['[', ']'], "")));
        pairs.push(("port".to_owned(), ports.join(",")));
        pairs.extend(parts.user.map(|user| ("user".to_owned(), decoded(user))));
        let database = parts.database.filter(|name| !name.is_empty());
        pairs.extend(database.map(|name| ("dbname".to_owned(), decoded(name))));
        let parameters = parts.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.extend(parameters.map(|(name, value)| (decoded(name), decoded(value))));
        from_pairs(scheme, &pairs)
    }

    /// The name of the database, where the address says it.
    pub(super) fn database(&self) -> Option<&DatabaseName> {
        match self {
            Destination::Server { database, .. } => database.as_ref(),
            _ => None,
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, hosts, ports, database) = match self {
            Destination::File(path) => return write!(formatter, "the SQLite file {}", path.display()),
            Destination::Memory => return formatter.write_str("a SQLite database in memory"),
            Destination::Unclear { shown, .. } => return write!(formatter, "the address {shown}"),
            Destination::Server { scheme, hosts, ports, database } => (scheme, hosts, ports, database),
        };
        match database {
            Some(DatabaseName { text, named: true }) => write!(formatter, "database {}", text.expose())?,
            _ if scheme == "mysql" => formatter.write_str("no database")?,
            _ => formatter.write_str("the user's own database")?,
        }
        let several = ports.len() == hosts.len();
        let place = |(index, host): (usize, &String)| match if several { ports.get(index) } else { ports.first() } {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let places: Vec<String> = hosts.iter().enumerate().map(place).collect();
        match places.is_empty() {
            true => write!(formatter, " on the default host ({scheme})"),
            false => write!(formatter, " on {} ({scheme})", places.join(",")),
        }
    }
}

/// The user whom the address of a server names.
pub(crate) fn user_of(address: &str) -> Option<String> {
    let text = address.trim();
    let pairs = match scheme_of(text) {
        None => pairs(text)?,
        Some(scheme) => {
            let parts = text[scheme.len() + 1..].strip_prefix("//").and_then(Parts::read)?;
            let query = parts.query.split('&').filter_map(|pair| pair.split_once('='));
            let user = parts.user.map(|user| ("user".to_owned(), decoded(user)));
            user.into_iter().chain(query.map(|(name, value)| (decoded(name), decoded(value)))).collect()
        }
    };
    pairs.into_iter().rev().find(|(name, value)| name == "user" && !value.is_empty()).map(|(_, user)| user)
}

fn from_pairs(scheme: String, pairs: &[(String, String)]) -> Destination {
    let mysql = scheme == "mysql";
    // A list of names that mean the same, as the session understands them.
    let get = |names: &[&str]| {
        let same = |key: &str| {
            if mysql {
                names.iter().any(|name| key.replace('_', "-").eq_ignore_ascii_case(name))
            } else {
                names.contains(&key)
            }
        };
        pairs.iter().rev().find(|(key, value)| same(key) && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let list = |text: &str| text.split(',').map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let name = |text: &str, named| DatabaseName { text: Secret::new(text), named };
    if mysql && let Some(socket) = get(&["socket", "unix-socket", "unixSocket"]) {
        let database = get(&["database", "dbname"]).map(|text| name(text, true));
        return Destination::Server { scheme, hosts: vec![socket.to_owned()], ports: Vec::new(), database };
    }
    let hosts = get(&["host"]).or_else(|| get(&["hostaddr"])).map(list).unwrap_or_default();
    let usual = if mysql { "3306" } else { "5432" };
    let mut ports = get(&["port"]).map(list).unwrap_or_default();
    ports.iter_mut().filter(|port| port.is_empty()).for_each(|port| *port = usual.to_owned());
    if ports.is_empty() {
        ports.push(usual.to_owned());
    }
    if ports.len() > 1 && ports.iter().all(|port| *port == ports[0]) {
        ports.truncate(1);
    }
    let database = if mysql {
        get(&["database", "dbname"]).map(|text| name(text, true))
    } else {
        get(&["dbname"]).map(|text| name(text, true)).or_else(|| get(&["user"]).map(|user| name(user, false)))
    };
    Destination::Server { scheme, hosts, ports, database }
}

fn sqlite_destination(rest: &str, folder: &Path) -> Destination {
    let path = rest.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("//").unwrap_or(path);
    if path == ":memory:" {
        return Destination::Memory;
    }
    let mut clean = PathBuf::new();
    for component in folder.join(decoded(path)).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    Destination::File(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_of_an_address() {
        for (address, user) in [
            ("postgres://app:pw@h/d", Some("app")),
            ("postgres://o%27x@h/d", Some("o'x")),
            ("postgres://h/d?user=late", Some("late")),
            ("host=h user='my app' dbname=d", Some("my app")),
            ("postgres://h/d", None),
            ("sqlite:a.db", None),
            ("", None),
        ] {
            assert_eq!(user_of(address).as_deref(), user, "{address}");
        }
    }

    #[test]
    fn the_same_database() {
        let of = |address: &str| Destination::of(address, Path::new("/home/me"));
        for (one, other, same) in [
            ("postgres://a:x@DB.example/shop", "postgresql://b:y@db.example:5432/shop?sslmode=require", true),
            ("postgres://db/shop", "host=db dbname=shop password=x", true),
            ("postgres:///shop?host=db", "postgres://db/shop", true),
            ("postgres://shop@db", "postgres://db/shop", true),
            ("postgres://db/shop", "postgres://db/shop2", false),
            ("postgres://db/shop", "postgres://db:5433/shop", false),
            ("postgres://db1/shop", "postgres://db2/shop", false),
            ("postgres://a,b/shop", "postgres://a:5432,b:5432/shop", true),
            ("sqlite:a.db", "sqlite:./x/../a.db?mode=ro", true),
            ("sqlite:a.db", "sqlite:/home/me/a.db", true),
            ("sqlite:a.db", "sqlite:b.db", false),
            ("sqlite:a.db", "postgres://db/a.db", false),
            ("mysql://db/shop", "postgres://db/shop", false),
            ("mysql://a:x@db/shop", "mariadb://b:y@DB:3306/shop?ssl-mode=REQUIRED", true),
            ("mysql://db/shop", "mysql://db:5432/shop", false),
            ("mysql:///shop?socket=/run/a.sock", "mysql:///shop?unix_socket=/run/a.sock", true),
            ("mysql:///shop?socket=/run/a.sock", "mysql:///shop?socket=/run/b.sock", false),
            ("mysql://db/?database=shop", "mysql://db/shop", true),
            ("mysql://shop@db/", "mysql://db/shop", false),
            ("postgres://u:a@b@c/d", "postgres://u:x@y@c/d", false),
        ] {
            assert_eq!(of(one) == of(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn destinations_in_words() {
        for (address, words) in [
            ("postgres://u:pw@db:5433/shop", "database shop on db:5433 (postgres)"),
            ("postgres:///shop", "database shop on the default host (postgres)"),
            ("postgres://a,b:6000/shop", "database shop on a:5432,b:6000 (postgres)"),
            ("mysql://u:pw@db/shop", "database shop on db:3306 (mysql)"),
            ("mariadb:///shop?socket=/run/a.sock", "database shop on /run/a.sock (mysql)"),
            ("mysql://u:pw@db", "no database on db:3306 (mysql)"),
            ("sqlite:x.db", "the SQLite file /home/x.db"),
            ("postgres://u:p@w@h/d", "the address postgres://***"),
        ] {
            assert_eq!(Destination::of(address, Path::new("/home")).to_string(), words);
        }
    }
}
