//! The names that an address and an option file may use, and the variables that stand for them.
//!
//! MySQL documentation, "Command Options for Connecting to the Server" and "Environment Variables"; MariaDB documentation,
//! "mariadb Command-Line Client".

/// One parameter.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    /// Other spellings; `-` and `_` are the same, and capitals do not count.
    pub(super) aliases: &'static [&'static str],
    /// The variable that gives it where the address does not.
    pub(super) variable: Option<&'static str>,
    /// What to do instead, for parameters that limosa does not follow; they are refused by name.
    pub(super) refusal: Option<&'static str>,
}

const fn used(name: &'static str, aliases: &'static [&'static str], variable: Option<&'static str>) -> Keyword {
    Keyword { name, aliases, variable, refusal: None }
}

const fn plain(name: &'static str) -> Keyword {
    used(name, &[], None)
}

const fn refused(name: &'static str, refusal: &'static str) -> Keyword {
    Keyword { name, aliases: &[], variable: None, refusal: Some(refusal) }
}

/// All of them.
pub(super) const KEYWORDS: &[Keyword] = &[
    used("host", &[], Some("MYSQL_HOST")),
    used("port", &[], Some("MYSQL_TCP_PORT")),
    used("socket", &["unix-socket", "unixSocket"], Some("MYSQL_UNIX_PORT")),
    plain("protocol"),
    used("user", &["username"], None),
    used("password", &[], Some("MYSQL_PWD")),
    used("database", &["dbname"], None),
    used("connect-timeout", &[], None),
    used("ssl-mode", &["sslmode"], None),
    plain("ssl"),
    plain("ssl-verify-server-cert"),
    used("ssl-ca", &["sslrootcert"], None),
    used("ssl-cert", &["sslcert"], None),
    used("ssl-key", &["sslkey"], None),
    used("ssl-crl", &["sslcrl"], None),
    plain("tls-version"),
    used("enable-cleartext-plugin", &[], None),
    used("get-server-public-key", &["allowPublicKeyRetrieval"], None),
    used("default-character-set", &["charset"], None),
    used("application-name", &["program-name"], None),
    plain("keepalives"),
    plain("keepalives-idle"),
    plain("keepalives-interval"),
    plain("keepalives-count"),
    plain("tcp-user-timeout"),
    plain("defaults-file"),
    plain("defaults-extra-file"),
    plain("no-defaults"),
    refused("ssl-capath", "put the certificates into one file and name it in ssl-ca"),
    refused("ssl-crlpath", "put the revocation lists into one file and name it in ssl-crl"),
    refused("ssl-cipher", "leave it out; limosa offers only ciphers that are safe today"),
    refused("tls-ciphersuites", "leave it out; limosa offers only ciphers that are safe today"),
    refused("server-public-key-path", "use TLS (ssl-mode=REQUIRED), which needs no such key"),
    refused("default-auth", "leave it out; the server says how it authenticates"),
    refused("plugin-dir", "leave it out; limosa loads no plugins"),
    refused("login-path", "write host, user and password into an option file, and name it in defaults-extra-file"),
    refused("defaults-group-suffix", "put the options into the group [limosa]"),
    refused("compress", "leave it out; limosa does not compress"),
    refused("init-command", "put the statement into the migrations"),
    refused("local-infile", "leave it out; limosa lets no server read files of this machine"),
];

/// Parameters of other drivers that people paste, with what to write here.
const FOREIGN: &[(&str, &str)] = &[
    ("useSSL", "write ssl-mode=REQUIRED or ssl-mode=DISABLED"),
    ("requireSSL", "write ssl-mode=REQUIRED"),
    ("verifyServerCertificate", "write ssl-mode=VERIFY_CA with ssl-ca, or ssl-mode=VERIFY_IDENTITY"),
    ("tls", "write ssl-mode=PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"),
    ("sslaccept", "write ssl-mode=REQUIRED or ssl-mode=VERIFY_IDENTITY"),
    ("trustCertificateKeyStoreUrl", "write ssl-ca with a file in PEM form"),
    ("serverTimezone", "leave it out; limosa reads no times"),
    ("connectionTimeZone", "leave it out; limosa reads no times"),
    ("loc", "leave it out; limosa reads no times"),
    ("parseTime", "leave it out; limosa reads no times"),
    ("characterEncoding", "leave it out; limosa always speaks utf8mb4"),
    ("useUnicode", "leave it out; limosa always speaks utf8mb4"),
    ("collation", "leave it out; limosa always speaks utf8mb4"),
    ("autoReconnect", "leave it out; limosa never reconnects in the middle of a migration"),
    ("multiStatements", "leave it out; limosa sends statement by statement"),
    ("allowMultiQueries", "leave it out; limosa sends statement by statement"),
    ("rewriteBatchedStatements", "leave it out; limosa sends statement by statement"),
    ("interpolateParams", "leave it out; limosa binds what is its own"),
    ("createDatabaseIfNotExist", "leave it out, and run limosa with its own flag for it"),
    ("timeout", "write connect-timeout, in seconds"),
    (
        "x-migrations-table",
        "leave it out; a database whose table of golang-migrate has another name is taken over with limosa adopt --ledger-table NAME",
    ),
    ("x-statement-timeout", "leave it out; write --statement-timeout"),
    ("x-no-lock", "leave it out; limosa's own lock holds"),
    ("connectTimeout", "write connect-timeout, in seconds"),
    ("socketTimeout", "leave it out; keepalives find a dead server"),
    ("readTimeout", "leave it out; keepalives find a dead server"),
    ("writeTimeout", "leave it out; keepalives find a dead server"),
    ("connection_limit", "leave it out; limosa keeps no pool"),
    ("pool_timeout", "leave it out; limosa keeps no pool"),
    ("sql_mode", "leave it out; limosa keeps the server's, and a file may set its own"),
    ("sslidentity", "write ssl-cert and ssl-key"),
    ("schema", "write the database behind the host: mysql://user@host/database"),
];

/// Without capitals, and with `-` for `_`.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The parameter with this name.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    let name = normal(name);
    KEYWORDS
        .iter()
        .find(|keyword| keyword.name == name || keyword.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(&name)))
}

/// What to say about a name that is none: a hint, or None where nothing is near.
pub(super) fn advice(name: &str) -> Option<String> {
    if let Some((_, advice)) = FOREIGN.iter().find(|(foreign, _)| normal(foreign) == normal(name)) {
        return Some((*advice).to_owned());
    }
    let name = normal(name);
    let spellings = KEYWORDS.iter().flat_map(|keyword| {
        std::iter::once(&keyword.name).chain(keyword.aliases).map(move |spelling| (*spelling, keyword.name))
    });
    let near = spellings.map(|(spelling, keyword)| (strsim::damerau_levenshtein(spelling, &name), keyword)).min()?;
    (near.0 <= 2 && near.0 < name.len()).then(|| format!("did you mean {}?", near.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (name, expected) in [
            ("ssl-mode", Some("ssl-mode")),
            ("SSL_MODE", Some("ssl-mode")),
            ("sslMode", Some("ssl-mode")),
            ("unix_socket", Some("socket")),
            ("unixSocket", Some("socket")),
            ("charset", Some("default-character-set")),
            ("connect_timeout", Some("connect-timeout")),
            ("tls", None),
        ] {
            assert_eq!(find(name).map(|keyword| keyword.name), expected, "{name}");
        }
    }

    #[test]
    fn misspelt_and_foreign_names_get_advice() {
        for (name, expected) in [
            ("ssl-mod", Some("did you mean ssl-mode?")),
            ("sslmod", Some("did you mean ssl-mode?")),
            ("sokcet", Some("did you mean socket?")),
            ("pasword", Some("did you mean password?")),
            ("USESSL", Some("write ssl-mode=REQUIRED or ssl-mode=DISABLED")),
            ("connectTimeout", Some("write connect-timeout, in seconds")),
            ("frobnicate", None),
            ("x", None),
        ] {
            assert_eq!(advice(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> =
            KEYWORDS.iter().flat_map(|k| std::iter::once(&k.name).chain(k.aliases)).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(FOREIGN.iter().all(|(name, _)| find(name).is_none()), "a foreign name is known");
    }
}
