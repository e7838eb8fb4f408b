//! The parameters as what they mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

use super::hosts::{self, Place};
use super::{Settings, malformed};
use crate::network::KeepAlive;
use crate::{ConnectOptions, DbError, Secret};

/// How long one address may take to answer where `connect_timeout` says nothing. libpq waits as long as the system
/// does, which is minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How much TLS is asked for, in libpq's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum SslMode {
    /// Never.
    Disable,
    /// Only where the server refuses without.
    Allow,
    /// Where the server has it.
    Prefer,
    /// Always; the certificate is checked only where a root certificate is given.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority for this host.
    VerifyFull,
}

/// Which of several servers will do (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum SessionKind {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// Where trusted certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Roots {
    /// Those of the operating system (`sslrootcert=system`).
    System,
    /// A file; `given` where the user named it, so that it must exist.
    File { path: PathBuf, given: bool },
    /// None: no home folder is known.
    Nowhere,
}

/// A file that the user named, or libpq's default, which need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct NamedFile {
    pub(in super::super) path: PathBuf,
    pub(in super::super) given: bool,
}

/// What TLS needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Tls {
    pub(in super::super) mode: SslMode,
    pub(in super::super) direct: bool,
    pub(in super::super) roots: Roots,
    pub(in super::super) certificate: Option<NamedFile>,
    pub(in super::super) key: Option<NamedFile>,
    pub(in super::super) revocations: Option<NamedFile>,
    /// Tell the server which host is meant.
    pub(in super::super) send_name: bool,
    /// TLS 1.2 is allowed.
    pub(in super::super) with_1_2: bool,
    /// TLS 1.3 is allowed.
    pub(in super::super) with_1_3: bool,
}

/// Everything that a connection needs.
#[derive(Debug, Clone)]
pub(in super::super) struct Parameters {
    pub(in super::super) places: Vec<Place>,
    pub(in super::super) user: String,
    pub(in super::super) database: String,
    pub(in super::super) password: Option<Secret>,
    /// Where the password was found, for messages.
    pub(in super::super) password_from: &'static str,
    pub(in super::super) password_file: Option<NamedFile>,
    pub(in super::super) application_name: String,
    /// Command-line options for the server process.
    pub(in super::super) options: Option<String>,
    pub(in super::super) connect_timeout: Option<Duration>,
    pub(in super::super) keep_alive: KeepAlive,
    pub(in super::super) tls: Tls,
    pub(in super::super) channel_binding: ChannelBinding,
    pub(in super::super) session_kind: SessionKind,
    /// Try the places in a random order.
    pub(in super::super) shuffled: bool,
}

impl Parameters {
    /// Reads the options; looks for default sockets with `exists` and opens nothing.
    pub(in super::super) fn read(
        options: &ConnectOptions,
        exists: &dyn Fn(&Path) -> bool,
    ) -> Result<Parameters, DbError> {
        let settings = Settings::read(options)?;
        settings.check_protocol()?;
        let user = user(&settings, options)?;
        let home = options.home.as_deref();
        Ok(Parameters {
            places: hosts::places(&settings, exists)?,
            database: settings.get("dbname").unwrap_or(&user).to_owned(),
            user,
            password: settings.get("password").map(Secret::new),
            password_from: match settings.given.get("password").map(|given| given.variable) {
                Some(Some(_)) => "the variable PGPASSWORD",
                Some(None) => "the database URL",
                None => "nowhere",
            },
            password_file: settings.file("passfile", home, PASSWORD_FILE),
            application_name: ["application_name", "fallback_application_name"]
                .iter()
                .find_map(|name| settings.get(name))
                .unwrap_or(&options.application_name)
                .to_owned(),
            options: settings.server_options(options),
            connect_timeout: settings.connect_timeout()?,
            keep_alive: settings.keep_alive()?,
            tls: settings.tls(home)?,
            channel_binding: settings
                .choice(
                    "channel_binding",
                    &[
                        ("disable", ChannelBinding::Disable),
                        ("prefer", ChannelBinding::Prefer),
                        ("require", ChannelBinding::Require),
                    ],
                )?
                .unwrap_or(ChannelBinding::Prefer),
            session_kind: settings.session_kind()?,
            shuffled: settings.choice("load_balance_hosts", &[("disable", false), ("random", true)])?.unwrap_or(false),
        })
    }
}

/// Path of the password file below the home folder.
const PASSWORD_FILE: &str = ".pgpass";

/// libpq asks the operating system for the user; here the environment stands for it.
fn user(settings: &Settings, options: &ConnectOptions) -> Result<String, DbError> {
    let variable = |name: &str| options.environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let user = settings.get("user").or_else(|| ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable));
    user.map(str::to_owned).ok_or_else(|| {
        malformed("no database user is given, and the environment names none")
            .hint("write it into the URL, postgres://user@host/database, or set PGUSER")
    })
}

impl Settings {
    fn connect_timeout(&self) -> Result<Option<Duration>, DbError> {
        Ok(match self.number("connect_timeout")? {
            None => Some(CONNECT_TIMEOUT),
            Some(seconds) if seconds <= 0 => None,
            // libpq: less than two seconds is not reliable.
            Some(seconds) => Some(Duration::from_secs(seconds.unsigned_abs().max(2))),
        })
    }

    fn keep_alive(&self) -> Result<KeepAlive, DbError> {
        let default = KeepAlive::default();
        let seconds = |name: &str, default: Duration| {
            let number = self.number(name)?.filter(|number| *number > 0);
            Ok(number.map_or(default, |number| Duration::from_secs(number.unsigned_abs())))
        };
        let count =
            self.number("keepalives_count")?.and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
        Ok(KeepAlive {
            enabled: self.number("keepalives")?.is_none_or(|enabled| enabled != 0),
            idle: seconds("keepalives_idle", default.idle)?,
            interval: seconds("keepalives_interval", default.interval)?,
            count: count.unwrap_or(default.count),
            user_timeout: match self.number("tcp_user_timeout")? {
                None => default.user_timeout,
                Some(milliseconds) if milliseconds <= 0 => None,
                Some(milliseconds) => Some(Duration::from_millis(milliseconds.unsigned_abs())),
            },
        })
    }

    fn session_kind(&self) -> Result<SessionKind, DbError> {
        let words = [
            ("any", SessionKind::Any),
            ("read-write", SessionKind::ReadWrite),
            ("read-only", SessionKind::ReadOnly),
            ("primary", SessionKind::Primary),
            ("standby", SessionKind::Standby),
            ("prefer-standby", SessionKind::PreferStandby),
        ];
        Ok(self.choice("target_session_attrs", &words)?.unwrap_or(SessionKind::Any))
    }

    /// `options`, and the two variables that libpq turns into settings of the session.
    fn server_options(&self, options: &ConnectOptions) -> Option<String> {
        let mut parts: Vec<String> = self.get("options").map(str::to_owned).into_iter().collect();
        for (variable, setting) in [("PGTZ", "TimeZone"), ("PGDATESTYLE", "DateStyle")] {
            if let Some(value) = options.environment.get(variable).filter(|value| !value.is_empty()) {
                parts.push(format!("-c {setting}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")));
            }
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Parameters of the protocol that have only one value here.
    fn check_protocol(&self) -> Result<(), DbError> {
        if let Some(encoding) = self.get("client_encoding") {
            let plain: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
            if !["utf8", "auto", "unicode"].contains(&plain.to_ascii_lowercase().as_str()) {
                return Err(self.refuse("client_encoding", "limosa always speaks UTF-8 with the server"));
            }
        }
        if self.get("gssencmode") == Some("require") {
            return Err(self.refuse("gssencmode", "use sslmode=verify-full"));
        }
        self.choice("gssencmode", &[("disable", ()), ("prefer", ())])?;
        if self.get("replication").is_some_and(|value| !["0", "false", "off", "no"].contains(&value)) {
            return Err(self.refuse("replication", "leave it out"));
        }
        if self.get("min_protocol_version").is_some_and(|value| value != "3.0") {
            return Err(self.refuse("min_protocol_version", "limosa speaks version 3.0 of the protocol"));
        }
        self.choice("max_protocol_version", &[("3.0", ()), ("3.2", ()), ("latest", ())])?;
        self.choice("sslcompression", &[("0", ()), ("1", ())])?;
        Ok(())
    }

    /// A file that is named, or libpq's default below the home folder.
    fn file(&self, name: &str, home: Option<&Path>, default: &str) -> Option<NamedFile> {
        if let Some(path) = self.get(name) {
            return Some(NamedFile { path: PathBuf::from(path), given: true });
        }
        home.map(|home| NamedFile { path: home.join(default), given: false })
    }

    fn tls(&self, home: Option<&Path>) -> Result<Tls, DbError> {
        let roots = match (self.get("sslrootcert"), home) {
            (Some("system"), _) => Roots::System,
            (Some(path), _) => Roots::File { path: PathBuf::from(path), given: true },
            (None, Some(home)) => Roots::File { path: home.join(".postgresql/root.crt"), given: false },
            (None, None) => Roots::Nowhere,
        };
        let modes = [
            ("disable", SslMode::Disable),
            ("allow", SslMode::Allow),
            ("prefer", SslMode::Prefer),
            ("require", SslMode::Require),
            ("verify-ca", SslMode::VerifyCa),
            ("verify-full", SslMode::VerifyFull),
        ];
        let mode = self.choice("sslmode", &modes)?;
        // Any site can have a certificate of a public authority: only together with the host's name it proves anything.
        if roots == Roots::System && mode.is_some_and(|mode| mode != SslMode::VerifyFull) {
            return Err(malformed("sslrootcert=system needs sslmode=verify-full")
                .hint("leave sslmode out, or write verify-full"));
        }
        let mode = mode.unwrap_or(if roots == Roots::System { SslMode::VerifyFull } else { SslMode::Prefer });
        let direct = self.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or(false);
        if direct && mode < SslMode::Require {
            return Err(malformed("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full"));
        }
        let with_certificate = self.client_certificate()?;
        let (with_1_2, with_1_3) = self.tls_versions()?;
        Ok(Tls {
            mode,
            direct,
            roots,
            certificate: self.file("sslcert", home, ".postgresql/postgresql.crt").filter(|_| with_certificate),
            key: self.file("sslkey", home, ".postgresql/postgresql.key").filter(|_| with_certificate),
            revocations: self.file("sslcrl", home, ".postgresql/root.crl"),
            send_name: self.choice("sslsni", &[("1", true), ("0", false)])?.unwrap_or(true),
            with_1_2,
            with_1_3,
        })
    }

    fn client_certificate(&self) -> Result<bool, DbError> {
        if self.get("sslcertmode") == Some("require") {
            return Err(self.refuse(
                "sslcertmode",
                "write allow; the server's pg_hba.conf decides whether a certificate is needed",
            ));
        }
        Ok(self.choice("sslcertmode", &[("allow", true), ("disable", false)])?.unwrap_or(true))
    }

    /// TLS before 1.2 is not spoken, whatever the lowest allowed version.
    fn tls_versions(&self) -> Result<(bool, bool), DbError> {
        let lowest = [("TLSv1", 0), ("TLSv1.1", 1), ("TLSv1.2", 2), ("TLSv1.3", 3)];
        let lowest = self.choice("ssl_min_protocol_version", &lowest)?.unwrap_or(2);
        let highest = [("TLSv1.2", 2), ("TLSv1.3", 3)];
        let highest = self.choice("ssl_max_protocol_version", &highest)?.unwrap_or(3);
        if lowest > highest {
            return Err(malformed("ssl_min_protocol_version is above ssl_max_protocol_version"));
        }
        Ok((lowest <= 2, highest >= 3))
    }
}
