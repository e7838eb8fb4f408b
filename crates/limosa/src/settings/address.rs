//! Addresses of databases, read with tolerance, to show them without their secrets.
//!
//! The sessions read addresses by their engines' exact rules. Here a text that is not clearly an address shows nothing
//! but its scheme, for any part of it may be a password that was written without escapes.

use std::path::Path;

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
            _ => {
                rest.strip_prefix("//").and_then(Parts::read).and_then(|parts| Some(format!("//{}", parts.redacted()?)))
            }
        };
        let slashes = if rest.starts_with("//") { "//" } else { "" };
        return format!("{scheme}:{}", shown.unwrap_or_else(|| format!("{slashes}{HIDDEN}")));
    }
    let Some(pairs) = pairs(text).filter(|pairs| !pairs.is_empty()) else { return HIDDEN.to_owned() };
    let shown: Vec<String> = pairs.iter().map(|(name, value)| parameter(name, &quoted(value))).collect();
    shown.join(" ")
}

/// A scheme that is surely one, and not the beginning of a secret with a colon in it.
pub(super) fn scheme_of(text: &str) -> Option<&str> {
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
pub(super) struct Parts<'a> {
    pub(super) user: Option<&'a str>,
    password: Option<&'a str>,
    pub(super) hosts: &'a str,
    pub(super) database: Option<&'a str>,
    pub(super) query: &'a str,
}

impl<'a> Parts<'a> {
    /// Reads what follows `scheme://`; None where a part has characters that it cannot have.
    ///
    /// The user's part ends at the first `@` before any `/`, as in libpq.
    pub(super) fn read(text: &'a str) -> Option<Parts<'a>> {
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
        let (user, password) = match user_part.map(|part| part.split_once(':')) {
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (user_part, None),
            None => (None, None),
        };
        let plain_database = database.is_none_or(|name| !name.contains([':', '#', '/', '\'', '"']));
        (hosts.split(',').all(is_host) && plain_database).then_some(Parts { user, password, hosts, database, query })
    }

    /// As it may be shown; None where nobody knows how much of it is secret.
    fn redacted(&self) -> Option<String> {
        let mut text = String::new();
        if let Some(user) = self.user {
            text.push_str(user);
            match self.password {
                // An @ directly behind the colon is rather the first letter of a password than the end of none.
                Some("") => return None,
                Some(_) => text.push_str(":***"),
                None => {}
            }
            text.push('@');
        }
        text.push_str(self.hosts);
        if let Some(database) = self.database {
            text.push('/');
            text.push_str(database);
        }
        Some(match redact_query(self.query) {
            Some(query) => text + &query,
            None => HIDDEN.to_owned(),
        })
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

pub(super) fn split_port(text: &str) -> (&str, &str) {
    match text.rfind(']') {
        Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':').unwrap_or(&text[end + 1..])),
        None => text.split_once(':').unwrap_or((text, "")),
    }
}

/// libpq's `key=value` pairs; None where the text is none.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
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
pub(super) fn decoded(text: &str) -> String {
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

    use super::super::destination::Destination;
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
            ("postgres://u:@pw", "postgres://***"),
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
