//! Connection strings, variables and defaults, against what libpq's documentation says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::typed::Roots;
use super::*;
use crate::Secret;

fn options(text: &str, environment: &[(&str, &str)]) -> ConnectOptions {
    let environment = [("USER", "me")].iter().chain(environment);
    ConnectOptions {
        database: Secret::new(text),
        environment: environment.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        home: Some(PathBuf::from("/home/me")),
        application_name: "limosa".to_owned(),
        ..ConnectOptions::default()
    }
}

fn read(text: &str) -> Parameters {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Parameters {
    match Parameters::read(&options(text, environment), &|_: &Path| false) {
        Ok(parameters) => parameters,
        Err(error) => panic!("{text}: {error}"),
    }
}

fn error(text: &str, environment: &[(&str, &str)]) -> DbError {
    match Parameters::read(&options(text, environment), &|_: &Path| false) {
        Ok(parameters) => panic!("{text}: {parameters:?}"),
        Err(error) => {
            assert_eq!(error.kind, DbErrorKind::Configuration, "{text}");
            error
        }
    }
}

/// `user:password@place place/database`.
fn shown(parameters: &Parameters) -> String {
    let places: Vec<String> = parameters.places.iter().map(Place::shown).collect();
    let password = parameters.password.as_ref().map(|password| format!(":{}", password.expose()));
    format!("{}{}@{}/{}", parameters.user, password.unwrap_or_default(), places.join(" "), parameters.database)
}

#[test]
fn urls_are_read_as_libpq_reads_them() {
    for (text, expected) in [
        ("postgresql://", "me@localhost:5432/me"),
        ("postgresql://localhost", "me@localhost:5432/me"),
        ("postgresql://localhost:5433", "me@localhost:5433/me"),
        ("postgresql://localhost/mydb", "me@localhost:5432/mydb"),
        ("postgresql://user@localhost", "user@localhost:5432/user"),
        ("postgresql://user:secret@localhost", "user:secret@localhost:5432/user"),
        (
            "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp",
            "other@localhost:5432/otherdb",
        ),
        ("postgresql://host1:123,host2:456/somedb?target_session_attrs=any", "me@host1:123 host2:456/somedb"),
        ("postgresql:///mydb?host=localhost&port=5433", "me@localhost:5433/mydb"),
        ("postgresql://[2001:db8::1234]/database", "me@[2001:db8::1234]:5432/database"),
        ("postgresql:///dbname?host=/var/lib/postgresql", "me@/var/lib/postgresql/.s.PGSQL.5432/dbname"),
        ("postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", "me@/var/lib/postgresql/.s.PGSQL.5432/dbname"),
        ("postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff", "user@localhost:5433/mydb"),
        ("postgres://u:p%40s%2Fs%3A%25@h/d%3Fb", "u:p@s/s:%@h:5432/d?b"),
        ("postgres://u:@h/d", "u@h:5432/d"),
        ("postgres://:secret@h/d", "me:secret@h:5432/d"),
        ("postgres://u:a?b@h/d", "u:a?b@h:5432/d"),
        ("postgres://h?dbname=d&user=u", "u@h:5432/d"),
        ("postgres://h/a?dbname=b", "me@h:5432/b"),
        ("postgres://u@h/d?user=v", "v@h:5432/d"),
        ("postgres:///d?user=a@b", "a@b@localhost:5432/d"),
        ("postgres://a,b:1,[::1]:2/d", "me@a:5432 b:1 [::1]:2/d"),
        ("postgres://a,b/d?port=7", "me@a:7 b:7/d"),
        ("postgres://h/d?hostaddr=127.0.0.1", "me@h:5432/d"),
        ("postgres://h/d?&connect_timeout=3&", "me@h:5432/d"),
        ("postgres://h/a+b", "me@h:5432/a+b"),
    ] {
        assert_eq!(shown(&read(text)), expected, "{text}");
    }
}

#[test]
fn pairs_are_read_as_libpq_reads_them() {
    for (text, expected) in [
        ("", "me@localhost:5432/me"),
        ("host=localhost port=5432 dbname=mydb connect_timeout=10", "me@localhost:5432/mydb"),
        ("  host = localhost\tport\n=\n5433  ", "me@localhost:5433/me"),
        ("dbname='my db' user='it\\'s me'", "it's me@localhost:5432/my db"),
        ("dbname=my\\ db user=back\\\\slash", "back\\slash@localhost:5432/my db"),
        ("user='' host=''", "me@localhost:5432/me"),
        ("password='a b=c' user=u", "u:a b=c@localhost:5432/u"),
        ("host=/tmp port=6000 dbname=d", "me@/tmp/.s.PGSQL.6000/d"),
        ("host=a,b port=1,2 dbname=d", "me@a:1 b:2/d"),
        ("host=a,b port=1, dbname=d", "me@a:1 b:5432/d"),
        ("hostaddr=10.0.0.1,::1 dbname=d", "me@10.0.0.1:5432 [::1]:5432/d"),
        ("host=a host=b dbname=d", "me@b:5432/d"),
    ] {
        assert_eq!(shown(&read(text)), expected, "{text}");
    }
}

#[test]
fn variables_fill_the_gaps() {
    let all = [
        ("PGHOST", "h"),
        ("PGPORT", "1"),
        ("PGUSER", "u"),
        ("PGPASSWORD", "p"),
        ("PGDATABASE", "d"),
        ("PGAPPNAME", "a"),
        ("PGOPTIONS", "-c geqo=off"),
        ("PGTZ", "Europe/Bern it"),
        ("PGSSLMODE", "disable"),
        ("PGCONNECT_TIMEOUT", "1"),
        ("PGTARGETSESSIONATTRS", "primary"),
        ("PGPASSFILE", "/p"),
    ];
    let parameters = read_with("", &all);
    assert_eq!(shown(&parameters), "u:p@h:1/d");
    assert_eq!(parameters.application_name, "a");
    assert_eq!(parameters.options.as_deref(), Some("-c geqo=off -c TimeZone=Europe/Bern\\ it"));
    assert_eq!(parameters.tls.mode, SslMode::Disable);
    assert_eq!(parameters.connect_timeout, Some(Duration::from_secs(2)));
    assert_eq!(parameters.session_kind, SessionKind::Primary);
    assert_eq!(parameters.password_file.as_ref().map(|file| file.path.as_path()), Some(Path::new("/p")));
    assert_eq!(shown(&read_with("postgres://v:q@i:2/e", &all)), "v:q@i:2/e");
    assert_eq!(shown(&read_with("postgres://i/e", &[("PGPORT", "7"), ("PGUSER", "")])), "me@i:7/e");
    assert_eq!(read_with("postgres://?sslmode=require", &all).tls.mode, SslMode::Require);
}

#[test]
fn without_a_host_the_socket_that_is_there_is_taken() {
    for (there, expected) in [
        ("/var/run/postgresql/.s.PGSQL.5432", "/var/run/postgresql/.s.PGSQL.5432"),
        ("/tmp/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"),
        ("/tmp/.s.PGSQL.5433", "localhost:5432"),
    ] {
        let parameters = Parameters::read(&options("dbname=d", &[]), &|path: &Path| path == Path::new(there)).unwrap();
        assert_eq!(parameters.places[0].shown(), expected);
        assert_eq!(parameters.places[0].host.in_password_file(), "localhost");
    }
    assert_eq!(read("host=/tmp").places[0].host.in_password_file(), "/tmp");
}

#[test]
fn names_of_users_come_from_the_environment_last() {
    let mut bare = options("", &[]);
    bare.environment = BTreeMap::from([("LOGNAME".to_owned(), "log".to_owned())]);
    assert_eq!(Parameters::read(&bare, &|_: &Path| false).unwrap().user, "log");
    bare.environment = BTreeMap::new();
    let error = Parameters::read(&bare, &|_: &Path| false).unwrap_err();
    assert!(error.message.contains("no database user"), "{error}");
}

#[test]
fn times_and_keep_alives() {
    for (text, expected) in [
        ("", Some(30)),
        ("connect_timeout=0", None),
        ("connect_timeout=-1", None),
        ("connect_timeout=1", Some(2)),
        ("connect_timeout=' 7 '", Some(7)),
    ] {
        assert_eq!(read(text).connect_timeout, expected.map(Duration::from_secs), "{text}");
    }
    let keep_alive =
        read("keepalives=0 keepalives_idle=5 keepalives_interval=6 keepalives_count=7 tcp_user_timeout=800").keep_alive;
    assert!(!keep_alive.enabled);
    assert_eq!((keep_alive.idle, keep_alive.interval), (Duration::from_secs(5), Duration::from_secs(6)));
    assert_eq!((keep_alive.count, keep_alive.user_timeout), (7, Some(Duration::from_millis(800))));
    let keep_alive = read("keepalives=1 keepalives_idle=0 tcp_user_timeout=0").keep_alive;
    assert!(keep_alive.enabled);
    assert_eq!((keep_alive.idle, keep_alive.user_timeout), (Duration::from_secs(30), None));
}

#[test]
fn tls_parameters() {
    let default = read("").tls;
    assert_eq!((default.mode, default.direct, default.send_name), (SslMode::Prefer, false, true));
    assert_eq!(default.roots, Roots::File { path: "/home/me/.postgresql/root.crt".into(), given: false });
    assert_eq!(default.certificate.map(|file| file.path), Some("/home/me/.postgresql/postgresql.crt".into()));
    for (text, expected) in [
        ("sslmode=disable", SslMode::Disable),
        ("sslmode=allow", SslMode::Allow),
        ("sslmode=prefer", SslMode::Prefer),
        ("sslmode=require", SslMode::Require),
        ("sslmode=verify-ca", SslMode::VerifyCa),
        ("sslmode=verify-full", SslMode::VerifyFull),
        ("postgres://h/d?ssl=true", SslMode::Require),
        ("sslrootcert=system", SslMode::VerifyFull),
        ("sslrootcert=/r.pem", SslMode::Prefer),
    ] {
        assert_eq!(read(text).tls.mode, expected, "{text}");
    }
    let tls = read("sslmode=require sslnegotiation=direct sslrootcert=/r sslcert=/c sslkey=/k sslcrl=/l sslsni=0").tls;
    assert!(tls.direct && !tls.send_name);
    assert_eq!(tls.roots, Roots::File { path: "/r".into(), given: true });
    let files = [tls.certificate, tls.key, tls.revocations].map(|file| file.map(|file| (file.path, file.given)));
    assert_eq!(files, ["/c", "/k", "/l"].map(|path| Some((PathBuf::from(path), true))));
    assert_eq!(read("sslcertmode=disable").tls.certificate, None);
    for (text, expected) in [
        ("ssl_min_protocol_version=TLSv1", (true, true)),
        ("ssl_min_protocol_version=TLSv1.3", (false, true)),
        ("ssl_max_protocol_version=TLSv1.2", (true, false)),
    ] {
        let tls = read(text).tls;
        assert_eq!((tls.with_1_2, tls.with_1_3), expected, "{text}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (text, named) in [
        ("service=x", "service"),
        ("sslpassword=x sslkey=/k", "sslpassword"),
        ("sslcrldir=/d", "sslcrldir"),
        ("gssencmode=require", "gssencmode"),
        ("requirepeer=root", "requirepeer"),
        ("require_auth=scram-sha-256", "require_auth"),
        ("replication=database", "replication"),
        ("client_encoding=latin1", "client_encoding"),
        ("min_protocol_version=3.2", "min_protocol_version"),
        ("sslcertmode=require", "sslcertmode"),
        ("oauth_issuer=https://x", "oauth_issuer"),
        ("host=@abstract", "abstract"),
    ] {
        let error = error(text, &[]);
        assert!(error.message.contains(named), "{text}: {error}");
        assert!(error.hint.is_some(), "{text}");
    }
    assert!(error("", &[("PGSERVICE", "x")]).message.contains("PGSERVICE"));
    // What asks for nothing special is taken.
    read("gssencmode=prefer replication=false client_encoding=UTF-8 sslcompression=0 max_protocol_version=latest");
    read_with("service=''", &[("PGSERVICE", "")]);
}

#[test]
fn mistakes_are_named() {
    for (text, message, hint) in [
        ("postgres://h/d?sslmod=require", "\"sslmod\"", "sslmode"),
        ("sslmode=verify", "\"verify\"", "verify-full"),
        ("postgres://h:99999/d", "not a port", "%2F"),
        ("postgres://h:0/d", "not a port", ""),
        ("postgres://h:x/d", "not a port", ""),
        ("host=a,b port=1,2,3", "3 ports stand beside 2 hosts", ""),
        ("host=a,b hostaddr=127.0.0.1", "2 host names stand beside 1 addresses", ""),
        ("hostaddr=localhost", "not an IP address", "host"),
        ("connect_timeout=soon", "not a whole number", ""),
        ("postgres://[::1/d", "[ without its ]", ""),
        ("postgres://[]/d", "empty IPv6", ""),
        ("postgres://[::1]x/d", "between an IPv6 address and its port", ""),
        ("postgres://h/d?x", "no value", ""),
        ("postgres://h/d?user=a=b", "two =", "%3D"),
        ("postgres://h/%zz", "hexadecimal", ""),
        ("postgres://h/%0", "hexadecimal", ""),
        ("postgres://h/%00", "%00", ""),
        ("postgres://h/%ff", "UTF-8", ""),
        ("dbname='x", "closing quote", ""),
        ("mydb", "neither as a URL nor", "postgres://"),
        ("mysql://u@h/d", "neither as a URL nor", "postgres://"),
        ("dbname=a b", "after the parameter dbname", ""),
        ("sslrootcert=system sslmode=require", "verify-full", ""),
        ("sslnegotiation=direct", "sslmode=require", ""),
        ("ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "above", ""),
    ] {
        let error = error(text, &[]);
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(error.hint.unwrap_or_default().contains(hint), "{text}");
    }
}

/// A password in a URL that is written wrongly ends up anywhere; it must not be shown.
#[test]
fn no_error_shows_a_password() {
    for text in [
        "postgres://user:canary/word@host/db",
        "postgres://user:12/canary@host/db",
        "postgres://user:canary",
        "postgres://user:ca@canary@host/db",
        "postgres://user:canary%@host/db",
        "postgres://user:%zzcanary@host/db",
        "postgres://user:x@canary@host/db",
        "postgres://user:pass@[canary/db",
        "postgres://user:pass@host:canary/db",
        "password=canary x",
        "password=my canary",
        "password=my canary=x",
        "password='canary",
        "canary",
        "https://user:canary@host/db",
        "postgres://user:canary@host/db?nonsense=1",
        "postgres://host/db?password=canary=x",
        "postgres://host/db?password=canary&port=x",
        "user=u password=canary connect_timeout=x",
    ] {
        let error = error(text, &[]);
        let debug = format!("{error:?}");
        assert!(!debug.contains("canary"), "{text}: {debug}");
    }
    let parameters = format!("{:?}", read("postgres://user:canary@host/db"));
    assert!(!parameters.contains("canary"), "{parameters}");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

proptest! {
    #[test]
    fn any_text_survives_both_forms(user in "[^\0]{1,12}", password in "[^\0]{1,12}", database in "[^\0]{1,12}") {
        let url = format!("postgres://{}:{}@host/{}", encoded(&user), encoded(&password), encoded(&database));
        let pairs = format!("user={} password={} dbname={} host=host", quoted(&user), quoted(&password), quoted(&database));
        for text in [url, pairs] {
            let parameters = read(&text);
            prop_assert_eq!(&parameters.user, &user);
            prop_assert_eq!(parameters.password.as_ref().map(Secret::expose), Some(password.as_str()));
            prop_assert_eq!(&parameters.database, &database);
        }
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in "(postgres://)?[a-z@:/?#%=&',\\[\\] \\\\0-9é]{0,40}") {
        let _ = Parameters::read(&options(&text, &[]), &|_: &Path| false);
    }
}
