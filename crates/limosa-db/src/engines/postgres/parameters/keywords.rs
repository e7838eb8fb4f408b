//! The names that a connection string may use, and the variables that stand for them.
//!
//! PostgreSQL documentation, chapter "libpq", "Parameter Key Words" and "Environment Variables".

/// One parameter of libpq's.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    /// The variable that gives it where the string does not.
    pub(super) variable: Option<&'static str>,
    /// What to do instead, for parameters that limosa does not follow; they are refused by name.
    pub(super) refusal: Option<&'static str>,
}

const fn used(name: &'static str, variable: &'static str) -> Keyword {
    Keyword { name, variable: Some(variable), refusal: None }
}

const fn plain(name: &'static str) -> Keyword {
    Keyword { name, variable: None, refusal: None }
}

const fn refused(name: &'static str, variable: Option<&'static str>, refusal: &'static str) -> Keyword {
    Keyword { name, variable, refusal: Some(refusal) }
}

const NO_SERVICE: &str = "write host, port, user and dbname of the service into the URL";
const NO_GSS: &str = "GSSAPI is not supported; use a password or a client certificate";
const NO_SCRAM_KEY: &str = "give the password itself, in a variable or a password file";
const NO_OAUTH: &str = "OAuth is not supported; use a password or a client certificate";

/// All of them.
pub(super) const KEYWORDS: &[Keyword] = &[
    used("host", "PGHOST"),
    used("hostaddr", "PGHOSTADDR"),
    used("port", "PGPORT"),
    used("dbname", "PGDATABASE"),
    used("user", "PGUSER"),
    used("password", "PGPASSWORD"),
    used("passfile", "PGPASSFILE"),
    used("options", "PGOPTIONS"),
    used("application_name", "PGAPPNAME"),
    plain("fallback_application_name"),
    plain("client_encoding"),
    used("connect_timeout", "PGCONNECT_TIMEOUT"),
    plain("keepalives"),
    plain("keepalives_idle"),
    plain("keepalives_interval"),
    plain("keepalives_count"),
    plain("tcp_user_timeout"),
    used("sslmode", "PGSSLMODE"),
    used("sslnegotiation", "PGSSLNEGOTIATION"),
    used("sslcompression", "PGSSLCOMPRESSION"),
    used("sslcert", "PGSSLCERT"),
    used("sslkey", "PGSSLKEY"),
    used("sslcertmode", "PGSSLCERTMODE"),
    used("sslrootcert", "PGSSLROOTCERT"),
    used("sslcrl", "PGSSLCRL"),
    used("sslsni", "PGSSLSNI"),
    used("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    used("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    used("channel_binding", "PGCHANNELBINDING"),
    used("gssencmode", "PGGSSENCMODE"),
    used("target_session_attrs", "PGTARGETSESSIONATTRS"),
    used("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    used("min_protocol_version", "PGMINPROTOCOLVERSION"),
    used("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    plain("replication"),
    refused("service", Some("PGSERVICE"), NO_SERVICE),
    refused("servicefile", None, NO_SERVICE),
    refused("sslpassword", None, "store the client key without a passphrase, readable by its owner only"),
    refused("sslcrldir", Some("PGSSLCRLDIR"), "put the revocation lists into one file and name it in sslcrl"),
    refused("sslkeylogfile", None, "leave it out; limosa never writes TLS keys"),
    refused("requirepeer", Some("PGREQUIREPEER"), "protect the folder of the socket, or use sslmode=verify-full"),
    refused("require_auth", Some("PGREQUIREAUTH"), "use channel_binding=require or sslmode=verify-full"),
    refused("krbsrvname", None, NO_GSS),
    refused("gsslib", None, NO_GSS),
    refused("gssdelegation", None, NO_GSS),
    refused("scram_client_key", None, NO_SCRAM_KEY),
    refused("scram_server_key", None, NO_SCRAM_KEY),
    refused("oauth_issuer", None, NO_OAUTH),
    refused("oauth_client_id", None, NO_OAUTH),
    refused("oauth_client_secret", None, NO_OAUTH),
    refused("oauth_scope", None, NO_OAUTH),
];

/// Parameters of other drivers that people paste, with what to write here.
const FOREIGN: &[(&str, &str)] = &[
    ("schema", "in a URL write options=-csearch_path%3DNAME"),
    ("currentSchema", "in a URL write options=-csearch_path%3DNAME"),
    ("search_path", "in a URL write options=-csearch_path%3DNAME"),
    ("statement_timeout", "in a URL write options=-cstatement_timeout%3DMILLISECONDS"),
    ("lock_timeout", "in a URL write options=-clock_timeout%3DMILLISECONDS"),
    ("timezone", "in a URL write options=-ctimezone%3DNAME"),
    ("username", "write user"),
    ("database", "write dbname"),
    ("pgbouncer", "leave it out; a pooler is detected"),
    ("pool_timeout", "leave it out; limosa keeps no pool"),
    ("pool_max_conns", "leave it out; limosa keeps no pool"),
    ("connection_limit", "leave it out; limosa keeps no pool"),
    ("sslaccept", "write sslmode=require or sslmode=verify-full"),
    ("sslidentity", "write sslcert and sslkey"),
    (
        "x-migrations-table",
        "leave it out; a database whose table of golang-migrate has another name is taken over with limosa adopt --ledger-table NAME",
    ),
    (
        "x-migrations-table-quoted",
        "leave it out; a database whose table of golang-migrate has another name is taken over with limosa adopt --ledger-table NAME",
    ),
    ("x-statement-timeout", "leave it out; write --statement-timeout"),
    ("x-multi-statement", "leave it out; limosa sends statement by statement"),
    ("x-multi-statement-max-size", "leave it out; limosa sends statement by statement"),
];

/// The parameter with this name.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// What to say about a name that is none: a hint, or None where nothing is near.
pub(super) fn advice(name: &str) -> Option<String> {
    if let Some((_, advice)) = FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(name)) {
        return Some((*advice).to_owned());
    }
    let name = name.to_ascii_lowercase();
    let near = KEYWORDS.iter().map(|keyword| (strsim::damerau_levenshtein(keyword.name, &name), keyword.name)).min()?;
    (near.0 <= 2 && near.0 < name.len()).then(|| format!("did you mean {}?", near.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_and_foreign_names_get_advice() {
        for (name, expected) in [
            ("sslmod", Some("did you mean sslmode?")),
            ("sslrotcert", Some("did you mean sslrootcert?")),
            ("USER", Some("did you mean user?")),
            ("pasword", Some("did you mean password?")),
            ("search_path", Some("in a URL write options=-csearch_path%3DNAME")),
            ("frobnicate", None),
            ("x", None),
        ] {
            assert_eq!(advice(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_are_unique() {
        for keyword in KEYWORDS {
            assert_eq!(KEYWORDS.iter().filter(|other| other.name == keyword.name).count(), 1, "{}", keyword.name);
        }
    }
}
