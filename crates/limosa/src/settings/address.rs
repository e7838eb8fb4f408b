//! Addresses of databases, read with tolerance: to show them without their secrets, and to compare where they lead.
//!
//! The sessions read addresses by their engines' exact rules. Here a text that is not clearly an address shows nothing
//! but its scheme, for any part of it may be a password that was written without escapes.

use std::path::{Component, Path, PathBuf};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// Parameters that are shown with their values. Every other value is hidden, known or not.
const OPEN: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "sslmode",
    "application_name",
    "connect_timeout",
    "mode",
    "target_session_attrs",
    "sslrootcert",
    "sslcert",
    "channel_binding",
    "passfile",
];

/// Parameters whose names are shown with a hidden value.
const SECRET: &[&str] = &["password", "sslpassword", "sslkey", "options", "key"];

/// Schemes that are shown even where the text behind them is not understood.
const SCHEMES: &[&str] = &[
    "postgres",
    "postgresql",
    "sqlite",
    "sqlite3",
    "mysql",
    "mariadb",
    "jdbc",
    "mongodb",
    "sqlserver",
    "mssql",
    "oracle",
    "cockroachdb",
    "redis",
];

/// The address without its secrets: `postgres://app:***@db.example/shop`.
///
/// Passwords are hidden wherever they stand: before the host, in a parameter, in `key=value` pairs. Of a text that is not
/// clearly an address only the scheme is shown, and of a `cmd:` reference only the program.
///
/// ```
/// # use limosa::settings::redact;
/// assert_eq!(redact("postgres://app:pa55@db.example/shop"), "postgres://app:***@db.example/shop");
/// assert_eq!(redact("host=db.example password=pa55"), "host=db.example password=***");
/// assert_eq!(redact("postgres://app:pa/55@db.example/shop"), "postgres://***");
/// ```
pub fn redact(address: &str) -> String {
    let text = address.trim();
    if text.starts_with("env:") || text.starts_with("file:") {
        return text.to_owned();
    }
    if let Some(command) = text.strip_prefix("cmd:") {
        let mut words = command.split_whitespace();
        let program = words.next().unwrap_or_default();
        return if words.next().is_some() { format!("cmd:{program} {HIDDEN}") } else { format!("cmd:{program}") };
    }
    if let Some(scheme) = scheme_of(text) {
        let rest = &text[scheme.len() + 1..];
        let shown = match scheme.to_ascii_lowercase().as_str() {
            "sqlite" | "sqlite3" => redact_sqlite(rest),
            _ => rest.strip_prefix("//").and_then(Parts::read).map(|parts| format!("//{}", parts.redacted())),
        };
        let slashes = if rest.starts_with("//") { "//" } else { "" };
        return format!("{scheme}:{}", shown.unwrap_or_else(|| format!("{slashes}{HIDDEN}")));
    }
    let Some(pairs) = pairs(text).filter(|pairs| !pairs.is_empty()) else { return HIDDEN.to_owned() };
    let shown: Vec<String> = pairs.iter().map(|(name, value)| parameter(name, &quoted(value))).collect();
    shown.join(" ")
}

/// A scheme that is surely one, and not the beginning of a secret with a colon in it.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let first = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let plain = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let known = SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
    (known || (first && plain && scheme.len() <= 20 && rest.starts_with("//"))).then_some(scheme)
}

fn redact_sqlite(rest: &str) -> Option<String> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = redact_query(query)?;
    (!path.contains(char::is_control)).then(|| format!("{path}{query}"))
}

fn redact_query(query: &str) -> Option<String> {
    if query.contains('@') || query.contains(char::is_control) {
        return None;
    }
    let shown: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map_or(HIDDEN.to_owned(), |(name, value)| parameter(name, value)))
        .collect();
    Some(if shown.is_empty() { String::new() } else { format!("?{}", shown.join("&")) })
}

fn parameter(name: &str, value: &str) -> String {
    if OPEN.contains(&name) {
        format!("{name}={value}")
    } else if SECRET.contains(&name) {
        format!("{name}={HIDDEN}")
    } else {
        HIDDEN.to_owned()
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == '\'' || c == '\\') {
        format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
    } else {
        value.to_owned()
    }
}

/// The parts of `user:password@host:port/database?name=value`.
struct Parts<'a> {
    user: Option<&'a str>,
    has_password: bool,
    hosts: &'a str,
    database: Option<&'a str>,
    query: &'a str,
}

impl<'a> Parts<'a> {
    /// Reads what follows `scheme://`; None where a part has characters that it cannot have.
    ///
    /// The user's part ends at the first `@` before any `/`, as in libpq.
    fn read(text: &'a str) -> Option<Parts<'a>> {
        if text.contains(|c: char| c.is_control() || c == ' ') {
            return None;
        }
        let user_end = text.find(['@', '/']).filter(|at| text.as_bytes()[*at] == b'@');
        let (user_part, rest) = match user_end {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        // A second @ means that a password was written without escapes, and nobody knows where it ends.
        if rest.contains('@') {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, database) = match rest.split_once('/') {
            Some((hosts, database)) => (hosts, Some(database)),
            None => (rest, None),
        };
        let (user, password) = match user_part.map(|part| part.split_once(':').unwrap_or((part, ""))) {
            Some((user, password)) => (Some(user), password),
            None => (None, ""),
        };
        let plain_database = database.is_none_or(|name| !name.contains([':', '#', '/', '\'', '"']));
        (hosts.split(',').all(is_host) && plain_database).then_some(Parts {
            user,
            has_password: !password.is_empty(),
            hosts,
            database,
            query,
        })
    }

    fn redacted(&self) -> String {
        let mut text = String::new();
        if let Some(user) = self.user {
            text.push_str(user);
            if self.has_password {
                text.push_str(":***");
            }
            text.push('@');
        }
        text.push_str(self.hosts);
        if let Some(database) = self.database {
            text.push('/');
            text.push_str(database);
        }
        match redact_query(self.query) {
            Some(query) => text + &query,
            None => HIDDEN.to_owned(),
        }
    }
}

/// A host with or without a port: a port that is no number is a password in the wrong place.
fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text);
    let address = host.strip_prefix('[').map(|inside| inside.trim_end_matches(']'));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '%' | '*');
    let host_is_plain = match address {
        Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '%')),
        None => host.chars().all(plain),
    };
    host_is_plain && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_port(text: &str) -> (&str, &str) {
    match text.rfind(']') {
        Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':').unwrap_or(&text[end + 1..])),
        None => text.split_once(':').unwrap_or((text, "")),
    }
}

/// libpq's `key=value` pairs; None where the text is none.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let (name, after) = rest.split_at(end);
        let after = after.trim_start().strip_prefix('=')?.trim_start();
        let (value, after) = pair_value(after)?;
        found.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Some(found)
}

fn pair_value(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('\'');
    let whole = inside.unwrap_or(text);
    let mut value = String::new();
    let mut characters = whole.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if inside.is_some() => return Some((value, &whole[at + 1..])),
            c if inside.is_none() && c.is_whitespace() => return Some((value, &whole[at..])),
            c => value.push(c),
        }
    }
    inside.is_none().then_some((value, ""))
}

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
    Unclear { shown: String, text: limosa_db::Secret },
}

/// The name of a database.
#[derive(Debug, Clone)]
pub(super) struct DatabaseName {
    text: limosa_db::Secret,
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
        let unclear = || Destination::Unclear { shown: redact(text), text: limosa_db::Secret::new(text) };
        let Some(scheme) = scheme_of(text) else {
            return pairs(text).filter(|pairs| !pairs.is_empty()).map_or_else(unclear, |pairs| from_pairs(&pairs));
        };
        let rest = &text[scheme.len() + 1..];
        let scheme = match scheme.to_ascii_lowercase() {
            sqlite if sqlite.starts_with("sqlite") => return sqlite_destination(rest, folder),
            other => {
                if other == "postgresql" {
                    "postgres".to_owned()
                } else {
                    other
                }
            }
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
        match from_pairs(&pairs) {
            Destination::Server { hosts, ports, database, .. } => {
                Destination::Server { scheme, hosts, ports, database }
            }
            other => other,
        }
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

fn from_pairs(pairs: &[(String, String)]) -> Destination {
    let get = |name: &str| {
        pairs.iter().rev().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let list = |text: &str| text.split(',').map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let hosts = get("host").or_else(|| get("hostaddr")).map(list).unwrap_or_default();
    let mut ports = get("port").map(list).unwrap_or_default();
    ports.iter_mut().filter(|port| port.is_empty()).for_each(|port| *port = "5432".to_owned());
    if ports.is_empty() {
        ports.push("5432".to_owned());
    }
    if ports.len() > 1 && ports.iter().all(|port| *port == ports[0]) {
        ports.truncate(1);
    }
    let name = |text: &str, named| DatabaseName { text: limosa_db::Secret::new(text), named };
    let own = || get("user").map(|user| name(user, false));
    let database = get("dbname").map(|text| name(text, true)).or_else(own);
    Destination::Server { scheme: "postgres".to_owned(), hosts, ports, database }
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

/// The same address with a relative SQLite path made relative to `folder` instead.
pub(super) fn based(address: &str, folder: &Path) -> String {
    let Some((scheme, rest)) = address
        .split_once(':')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sqlite") || scheme.eq_ignore_ascii_case("sqlite3"))
    else {
        return address.to_owned();
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if folder.as_os_str().is_empty() || path.is_empty() || path.starts_with(['/', ':', '?']) {
        return address.to_owned();
    }
    let folder = folder.to_string_lossy().replace('%', "%25").replace('?', "%3F");
    format!("{scheme}:{}/{path}", folder.trim_end_matches('/'))
}

/// Replaces `%XX`; what is no escape stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escape = digits.filter(|_| bytes[at] == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Escapes every byte that could mean something in a URL.
pub(super) fn encoded(text: &str, kept: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_are_hidden() {
        for (address, shown) in [
            ("postgres://app:pw@db.example:5432/shop", "postgres://app:***@db.example:5432/shop"),
            ("postgresql://app@db.example/shop", "postgresql://app@db.example/shop"),
            ("postgres://:pw@db.example/shop", "postgres://:***@db.example/shop"),
            ("postgres://db/shop?password=pw&sslmode=require", "postgres://db/shop?password=***&sslmode=require"),
            ("postgres://db/shop?sslpassword=pw", "postgres://db/shop?sslpassword=***"),
            ("postgres://db/shop?pass%77ord=pw", "postgres://db/shop?***"),
            ("postgres://db/shop?pw", "postgres://db/shop?***"),
            ("postgres:///shop?host=/run/pg", "postgres:///shop?host=/run/pg"),
            ("postgres://u:p@[::1]:5433/d", "postgres://u:***@[::1]:5433/d"),
            ("postgres://u:p@a:1,b:2/d", "postgres://u:***@a:1,b:2/d"),
            ("postgres://u:p/w@h/d", "postgres://***"),
            ("postgres://u:p@w@h/d", "postgres://***"),
            ("postgres://u:p?w@h/d", "postgres://u:***@h/d"),
            ("postgres://u:p w@h/d", "postgres://***"),
            ("postgres://u:pw", "postgres://***"),
            ("postgres://u:12/34@h/d", "postgres://***"),
            ("postgres:u:pw@h", "postgres:***"),
            ("host=db user=app password=pw dbname=shop", "host=db user=app password=*** dbname=shop"),
            ("host = db password = 'p w' dbname='a b'", "host=db password=*** dbname='a b'"),
            ("host=db password=p w", "***"),
            ("host=db password='pw", "***"),
            ("host=db sslpassword=pw service=pw", "host=db sslpassword=*** ***"),
            ("hunter2", "***"),
            ("hunter2:more", "***"),
            ("jdbc:postgresql://h/d?user=u&password=pw", "jdbc:***"),
            ("mysql://u:pw@h/d", "mysql://u:***@h/d"),
            ("sqlite:shop.db", "sqlite:shop.db"),
            ("sqlite:shop.db?mode=ro&key=pw", "sqlite:shop.db?mode=ro&key=***"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("env:PROD_URL", "env:PROD_URL"),
            ("cmd:vault read -token=pw", "cmd:vault ***"),
            ("", "***"),
        ] {
            assert_eq!(redact(address), shown, "{address}");
        }
    }

    const CANARY: &str = "cAnArY7cAnArY7";

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_password_survives_in_a_url(before in "[a-z0-9@:/?#%&= '\"\\\\]{0,6}", after in "[a-z0-9@:/?#%&= '\"\\\\]{0,6}") {
            let password = format!("{before}{CANARY}{after}");
            for address in [
                format!("postgres://app:{password}@db.example:5432/shop?sslmode=require"),
                format!("postgresql://:{password}@/shop"),
                format!("mysql://app:{password}@db.example/shop"),
            ] {
                let shown = redact(&address);
                prop_assert!(!shown.contains(CANARY), "{} -> {}", address, shown);
                let destination = Destination::of(&address, Path::new("/"));
                let debug = format!("{destination} {destination:?}");
                prop_assert!(!debug.contains(CANARY), "{} -> {}", address, debug);
            }
        }

        #[test]
        fn no_password_survives_in_parameters(password in "[a-zA-Z0-9@:/?#%=\\\\.-]{0,6}cAnArY7cAnArY7[a-zA-Z0-9@:/?#%=\\\\.-]{0,6}") {
            prop_assume!(!password.contains("//"));
            for address in [
                format!("postgres://db.example/shop?password={password}&sslmode=require"),
                format!("postgres://db.example/shop?sslmode=require&sslpassword={password}"),
                format!("host=db.example password={password} dbname=shop"),
                format!("host=db.example password='{password}' dbname=shop"),
                format!("sqlite:a.db?key={password}"),
                password.clone(),
            ] {
                let shown = redact(&address);
                prop_assert!(!shown.contains(CANARY), "{} -> {}", address, shown);
                let destination = Destination::of(&address, Path::new("/"));
                prop_assert!(!format!("{destination} {destination:?}").contains(CANARY), "{}", address);
            }
        }

        #[test]
        fn escapes_are_undone(text in any::<String>()) {
            prop_assert_eq!(decoded(&encoded(&text, b"")), text);
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
            ("sqlite:x.db", "the SQLite file /home/x.db"),
            ("postgres://u:p@w@h/d", "the address postgres://***"),
        ] {
            assert_eq!(Destination::of(address, Path::new("/home")).to_string(), words);
        }
    }

    #[test]
    fn relative_files_begin_at_the_folder_of_the_file() {
        for (address, folder, expected) in [
            ("sqlite:a.db", "conf", "sqlite:conf/a.db"),
            ("sqlite:a.db?mode=ro", "/x y/50%?", "sqlite:/x y/50%25%3F/a.db?mode=ro"),
            ("sqlite:/a.db", "conf", "sqlite:/a.db"),
            ("sqlite:///a.db", "conf", "sqlite:///a.db"),
            ("sqlite::memory:", "conf", "sqlite::memory:"),
            ("sqlite:a.db", "", "sqlite:a.db"),
            ("postgres://db/x", "conf", "postgres://db/x"),
        ] {
            assert_eq!(based(address, Path::new(folder)), expected);
        }
    }
}
