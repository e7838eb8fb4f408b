//! Addresses as JDBC writes them, in our form.

use limosa_db::engine_of;
use limosa_sql::Engine;

use crate::settings::address::decoded;

/// An address in our form, and parameters of the driver that were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) address: String,
    pub(super) left_out: Vec<String>,
}

/// The parts of an address that stand beside it in Flyway's settings. Texts may hold references `${env:NAME}`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Beside {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// The default schema (MySQL: the database), a name without quotes.
    pub(super) schema: Option<String>,
}

/// Parameters of the PostgreSQL driver with their names in libpq; an empty name means that we need none.
const POSTGRES: &[(&str, &str)] = &[
    ("options", "options"),
    ("ApplicationName", "application_name"),
    ("connectTimeout", "connect_timeout"),
    ("loginTimeout", "connect_timeout"),
    ("sslmode", "sslmode"),
    ("sslrootcert", "sslrootcert"),
    ("sslcert", "sslcert"),
    ("sslkey", "sslkey"),
    ("targetServerType", ""),
    ("prepareThreshold", ""),
    ("reWriteBatchedInserts", ""),
    ("socketTimeout", ""),
    ("tcpKeepAlive", ""),
    ("stringtype", ""),
];

/// The same for MySQL and MariaDB.
const MYSQL: &[(&str, &str)] = &[
    ("connectTimeout", ""),
    ("allowPublicKeyRetrieval", ""),
    ("serverTimezone", ""),
    ("useUnicode", ""),
    ("characterEncoding", ""),
    ("rewriteBatchedStatements", ""),
    ("allowMultiQueries", ""),
    ("createDatabaseIfNotExist", ""),
    ("autoReconnect", ""),
    ("useLegacyDatetimeCode", ""),
    ("zeroDateTimeBehavior", ""),
    ("permitMysqlScheme", ""),
];

/// Drivers that stand around another one, whose name follows theirs.
const WRAPPERS: &[&str] = &["aws-wrapper", "otel", "p6spy"];

/// The address of a Flyway setting `url` in our form.
///
/// # Errors
/// What limosa does not speak.
pub(super) fn translate<'u>(url: &'u str, beside: &Beside) -> Result<Translated, String> {
    let Some(rest) = url.trim().strip_prefix("jdbc:") else {
        let left_out = Vec::new();
        return Ok(Translated { address: with_beside(url.trim(), beside, Vec::new()), left_out });
    };
    let parted = |rest: &'u str| rest.split_once(':').unwrap_or((rest, ""));
    let (mut scheme, mut rest) = parted(rest);
    if WRAPPERS.contains(&scheme) {
        (scheme, rest) = parted(rest);
    }
    match scheme {
        "postgresql" => Ok(server("postgres", rest, beside, POSTGRES, false)),
        "mysql" | "mariadb" => Ok(server("mysql", rest, beside, MYSQL, scheme == "mariadb")),
        "sqlite" => {
            // The driver takes the address of a file as SQLite writes them, too.
            let file = rest.strip_prefix("file:").map_or(rest, |file| file.split('?').next().unwrap_or(file));
            Ok(Translated { address: format!("sqlite:{file}"), left_out: Vec::new() })
        }
        other => Err(format!("limosa does not speak {other}; it speaks PostgreSQL, MySQL, MariaDB and SQLite")),
    }
}

/// The engine that an address of Flyway's is for.
pub(super) fn engine(url: &str) -> Option<Engine> {
    engine_of(&translate(url, &Beside::default()).ok()?.address).ok()
}

/// What the drivers of MySQL and MariaDB are told of TLS.
///
/// MySQL Connector/J, "Security"; MariaDB Connector/J, "TLS parameters".
#[derive(Debug, Default)]
struct Security {
    is_mariadb: bool,
    mode: Option<&'static str>,
    uses: Option<bool>,
    requires: bool,
    verifies: bool,
    trusts: bool,
}

impl Security {
    /// Takes a parameter; false for one that says nothing of it.
    fn take(&mut self, name: &str, value: &str) -> bool {
        let is_on = !value.eq_ignore_ascii_case("false");
        match name.to_ascii_lowercase().as_str() {
            "sslmode" => {
                let word: String = value.chars().filter(char::is_ascii_alphabetic).collect();
                self.mode = Some(match word.to_ascii_lowercase().as_str() {
                    "disable" | "disabled" => "DISABLED",
                    "preferred" => "PREFERRED",
                    "trust" | "required" => "REQUIRED",
                    "verifyca" => "VERIFY_CA",
                    _ => "VERIFY_IDENTITY",
                });
            }
            "usessl" => self.uses = Some(is_on),
            "requiressl" => self.requires = is_on,
            "verifyservercertificate" => self.verifies = is_on,
            "trustservercertificate" => self.trusts = is_on,
            _ => return false,
        }
        true
    }

    /// What it comes to; None where nothing is said.
    fn mode(&self) -> Option<&'static str> {
        if self.mode.is_some() {
            return self.mode;
        }
        match self.uses {
            Some(false) => Some("DISABLED"),
            Some(true) if self.is_mariadb => Some(if self.trusts { "REQUIRED" } else { "VERIFY_IDENTITY" }),
            _ if self.verifies => Some("VERIFY_CA"),
            _ if self.requires => Some("REQUIRED"),
            Some(true) => Some("PREFERRED"),
            None => None,
        }
    }
}

fn server(scheme: &str, rest: &str, beside: &Beside, known: &[(&str, &str)], is_mariadb: bool) -> Translated {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    // `jdbc:postgresql:shop` and `jdbc:postgresql:/` mean the server of this machine.
    let place = match place.strip_prefix("//") {
        Some(place) => place.to_owned(),
        None => format!("localhost/{}", place.trim_start_matches('/')),
    };
    let mut beside = beside.clone();
    let mut path = None;
    let mut security = Security { is_mariadb, ..Security::default() };
    let mut kept = Vec::new();
    let mut left_out = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            // What stands in settings of their own counts more.
            "user" => beside.user = beside.user.or_else(|| Some(decoded(value))),
            "password" => beside.password = beside.password.or_else(|| Some(decoded(value))),
            "currentSchema" => path = Some(decoded(value)),
            "ssl" if value != "false" && scheme == "postgres" => kept.push("sslmode=verify-full".to_owned()),
            "ssl" => {}
            _ if scheme == "mysql" && security.take(name, value) => {}
            _ => match known.iter().find(|(driver, _)| driver.eq_ignore_ascii_case(name)) {
                Some((_, "")) => {}
                Some((_, ours)) => kept.push(format!("{ours}={value}")),
                None => left_out.push(name.to_owned()),
            },
        }
    }
    kept.extend(security.mode().map(|mode| format!("ssl-mode={mode}")));
    let address = with_beside(&format!("{scheme}://{place}"), &beside, kept);
    let address = match path.filter(|_| scheme == "postgres") {
        // The driver hands it to the server as it is written.
        Some(path) => with_search_path(address, &path),
        None => address,
    };
    Translated { address, left_out }
}

/// The address with user, password and search path in their places.
fn with_beside(address: &str, beside: &Beside, parameters: Vec<String>) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let has_user = rest.split(['/', '?']).next().is_some_and(|place| place.contains('@'));
    let login = match (&beside.user, &beside.password) {
        (Some(user), Some(password)) if !has_user => format!("{}:{}@", escaped(user), escaped(password)),
        (Some(user), None) if !has_user => format!("{}@", escaped(user)),
        (None, Some(password)) if !has_user => format!(":{}@", escaped(password)),
        _ => String::new(),
    };
    let sign = if rest.contains('?') { "&" } else { "?" };
    let query = if parameters.is_empty() { String::new() } else { format!("{sign}{}", parameters.join("&")) };
    let address = format!("{scheme}://{login}{rest}{query}");
    match &beside.schema {
        Some(schema) => within(address, schema),
        None => address,
    }
}

/// An address whose objects without a schema are those of this one: on MySQL and MariaDB it is the database, whatever database the address
/// names, as Flyway changes to it.
fn within(address: String, schema: &str) -> String {
    match address.starts_with("mysql:") || address.starts_with("mariadb:") {
        true => with_database(&address, schema),
        false => with_default_schema(address, schema),
    }
}

/// An address of PostgreSQL with this schema ahead of the usual search path, as Flyway puts it, where it has none; any other as it is.
///
/// Flyway: `PostgreSQLConnection.doChangeCurrentSchemaOrSearchPathTo`.
pub(in crate::settings) fn with_default_schema(address: String, schema: &str) -> String {
    with_search_path(address, &format!("{},\"$user\",public", Engine::Postgres.quote_identifier(schema)))
}

/// The database that an address of MySQL's names; None for one of another kind, and empty where it names none.
pub(in crate::settings) fn database_of(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    if !matches!(scheme, "mysql" | "mariadb") {
        return None;
    }
    let place = rest.split('?').next().unwrap_or(rest);
    Some(place.split_once('/').map_or("", |(_, database)| database))
}

/// The address of MySQL's with another database.
pub(in crate::settings) fn with_database(address: &str, database: &str) -> String {
    let (place, query) = address.split_once('?').map_or((address, None), |(place, query)| (place, Some(query)));
    let authority = place.find("://").map_or(0, |at| at + 3);
    let end = place[authority..].find('/').map_or(place.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{}{query}", &place[..end], escaped(database))
}

/// An address of PostgreSQL with this search path, where it has none; any other as it is.
fn with_search_path(address: String, path: &str) -> String {
    if address.contains("search_path") {
        return address;
    }
    let options = [("search_path".to_owned(), path.to_owned())];
    with_options(&address, &options, escaped).unwrap_or(address)
}

/// An address of PostgreSQL whose sessions begin with these settings, whatever it says of them besides; None for another engine, and where it
/// is written as pairs and has options, which are not ours to change.
pub(in crate::settings) fn with_settings(address: &str, settings: &[(String, String)]) -> Option<String> {
    with_options(address, settings, |text| text.chars().map(escaped_letter).collect())
}

/// An address of PostgreSQL with these settings behind the options that it has; None where that cannot be.
fn with_options(address: &str, settings: &[(String, String)], escape: impl Fn(&str) -> String) -> Option<String> {
    // The server parts options at blanks of any kind.
    let parts = |letter: char| letter == '\\' || letter.is_ascii_whitespace() || letter == '\u{b}';
    let value_of = |value: &str| -> String {
        value.chars().flat_map(|letter| parts(letter).then_some('\\').into_iter().chain([letter])).collect()
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        // Pairs as libpq reads them.
        let is_pairs = ["host=", "dbname="].iter().any(|name| address.contains(name)) && !address.contains("options");
        let quoted = |value: &str| value_of(value).replace('\\', "\\\\").replace('\'', "\\'");
        let all: Vec<String> = settings.iter().map(|(name, value)| format!("-c{name}={}", quoted(value))).collect();
        return is_pairs.then(|| format!("{address} options='{}'", all.join(" ")));
    };
    if !scheme.starts_with("postgres") {
        return None;
    }
    let all: Vec<String> =
        settings.iter().map(|(name, value)| format!("-c{name}%3D{}", escape(&value_of(value)))).collect();
    let all = all.join("%20");
    Some(match rest.find("?options=").or_else(|| rest.find("&options=")) {
        Some(at) => {
            let end = rest[at + 1..].find('&').map_or(rest.len(), |length| at + 1 + length);
            format!("{scheme}://{}%20{all}{}", &rest[..end], &rest[end..])
        }
        None => format!("{address}{}options={all}", if rest.contains('?') { '&' } else { '?' }),
    })
}

/// Everything that has a meaning in an address as `%XX`, but for references, which are filled in later.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("${env:")
            && let Some(end) = rest.find('}')
        {
            out.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
            continue;
        }
        out.push_str(&escaped_letter(first));
        rest = &rest[first.len_utf8()..];
    }
    out
}

fn escaped_letter(letter: char) -> String {
    if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~' | ',') {
        return letter.to_string();
    }
    letter.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, user: &str, password: &str, schema: &str) -> String {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let beside = Beside { user: some(user), password: some(password), schema: some(schema) };
        translate(url, &beside).map_or_else(|error| error, |translated| translated.address)
    }

    #[test]
    fn addresses_of_jdbc_are_ours() {
        for (url, user, password, schema, expected) in [
            ("jdbc:postgresql://db:5433/shop", "app", "p@ss/w", "", "postgres://app:p%40ss%2Fw@db:5433/shop"),
            (
                "jdbc:postgresql://db/shop?ssl=true&user=a&password=b",
                "",
                "",
                "",
                "postgres://a:b@db/shop?sslmode=verify-full",
            ),
            ("jdbc:postgresql://db/shop?user=me%40corp", "", "", "", "postgres://me%40corp@db/shop"),
            (
                "jdbc:postgresql://db/shop?currentSchema=x",
                "u",
                "",
                "y",
                "postgres://u@db/shop?options=-csearch_path%3D%22y%22,%22%24user%22,public",
            ),
            ("jdbc:p6spy:postgresql://db/shop", "", "", "", "postgres://db/shop"),
            ("jdbc:aws-wrapper:mysql://db/shop", "", "", "", "mysql://db/shop"),
            ("jdbc:postgresql:shop", "", "${env:PW}", "", "postgres://:${env:PW}@localhost/shop"),
            (
                "jdbc:mysql://db:3306/shop?useSSL=false&serverTimezone=UTC",
                "root",
                "",
                "x",
                "mysql://root@db:3306/x?ssl-mode=DISABLED",
            ),
            ("jdbc:mariadb://db/shop?sslMode=VERIFY_CA", "", "", "", "mysql://db/shop?ssl-mode=VERIFY_CA"),
            (
                "jdbc:mysql://db/s?useSSL=true&requireSSL=true&verifyServerCertificate=true",
                "",
                "",
                "",
                "mysql://db/s?ssl-mode=VERIFY_CA",
            ),
            ("jdbc:mysql://db/s?requireSSL=true", "", "", "", "mysql://db/s?ssl-mode=REQUIRED"),
            ("jdbc:mysql://db/s?useSSL=true", "", "", "", "mysql://db/s?ssl-mode=PREFERRED"),
            ("jdbc:mariadb://db/s?useSsl=true", "", "", "", "mysql://db/s?ssl-mode=VERIFY_IDENTITY"),
            (
                "jdbc:mariadb://db/s?useSsl=true&trustServerCertificate=true",
                "",
                "",
                "",
                "mysql://db/s?ssl-mode=REQUIRED",
            ),
            ("jdbc:mariadb://db/s?sslMode=verify-full", "", "", "", "mysql://db/s?ssl-mode=VERIFY_IDENTITY"),
            ("jdbc:mariadb://db/s?sslMode=trust", "", "", "", "mysql://db/s?ssl-mode=REQUIRED"),
            (
                "jdbc:postgresql://db/s?options=-c%20search_path%3Dzz",
                "",
                "",
                "",
                "postgres://db/s?options=-c%20search_path%3Dzz",
            ),
            ("jdbc:sqlite:file:app4.db?cache=shared", "", "", "", "sqlite:app4.db"),
            ("jdbc:sqlite:data/app.db", "u", "p", "", "sqlite:data/app.db"),
            ("postgres://a@db/shop", "b", "c", "", "postgres://a@db/shop"),
            (
                "postgres://db/shop?sslmode=require",
                "b",
                "",
                "s",
                "postgres://b@db/shop?sslmode=require&options=-csearch_path%3D%22s%22,%22%24user%22,public",
            ),
            (
                "jdbc:postgresql://db/shop?currentSchema=a,b",
                "",
                "",
                "",
                "postgres://db/shop?options=-csearch_path%3Da,b",
            ),
            (
                "jdbc:postgresql://db/shop",
                "",
                "",
                "My \"S\\",
                "postgres://db/shop?options=-csearch_path%3D%22My%5C%20%22%22S%5C%5C%22,%22%24user%22,public",
            ),
            (
                "jdbc:postgresql://db/shop",
                "",
                "",
                "${env:S}",
                "postgres://db/shop?options=-csearch_path%3D%22${env:S}%22,%22%24user%22,public",
            ),
            ("jdbc:mariadb://db:3306", "u", "", "shop", "mysql://u@db:3306/shop"),
            ("jdbc:mysql://db/?sslMode=VERIFY_CA", "", "", "a b", "mysql://db/a%20b?ssl-mode=VERIFY_CA"),
            (
                "jdbc:oracle:thin:@db",
                "",
                "",
                "",
                "limosa does not speak oracle; it speaks PostgreSQL, MySQL, MariaDB and SQLite",
            ),
        ] {
            assert_eq!(of(url, user, password, schema), expected, "{url}");
        }
        let translated =
            translate("jdbc:postgresql://db/shop?gssEncMode=x&targetServerType=any", &Beside::default()).unwrap();
        assert_eq!(
            (translated.address.as_str(), translated.left_out),
            ("postgres://db/shop", vec!["gssEncMode".to_owned()])
        );
    }
}
