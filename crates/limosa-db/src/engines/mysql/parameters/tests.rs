//! Addresses, variables and option files, against what the servers' documentation says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Secret;

/// A file system of a few files. A name that ends in `!` is open to all, one that ends in `?` cannot be read.
#[derive(Default)]
struct Fake(BTreeMap<PathBuf, String>);

impl Fake {
    fn with(files: &[(&str, &str)]) -> Fake {
        Fake(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect())
    }
}

impl Disk for Fake {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path.to_string_lossy().ends_with('?') {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|known| known.starts_with(path))
    }
    fn is_open_to_all(&self, path: &Path) -> bool {
        path.to_string_lossy().ends_with('!')
    }
}

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
    read_with(text, &[], &[])
}

fn read_with(text: &str, environment: &[(&str, &str)], files: &[(&str, &str)]) -> Parameters {
    match Parameters::read(&options(text, environment), &Fake::with(files)) {
        Ok(parameters) => parameters,
        Err(error) => panic!("{text}: {error}"),
    }
}

fn error(text: &str, environment: &[(&str, &str)], files: &[(&str, &str)]) -> DbError {
    match Parameters::read(&options(text, environment), &Fake::with(files)) {
        Ok(parameters) => panic!("{text}: {parameters:?}"),
        Err(error) => {
            assert_eq!(error.kind, DbErrorKind::Configuration, "{text}");
            error
        }
    }
}

/// `user:password@place/database`.
fn shown(parameters: &Parameters) -> String {
    let password = parameters.password.as_ref().map(|password| format!(":{}", password.expose()));
    let place = parameters.place.shown();
    format!("{}{}@{place}/{}", parameters.user, password.unwrap_or_default(), parameters.database)
}

#[test]
fn urls() {
    for (text, expected) in [
        ("mysql://h/d", "me@h:3306/d"),
        ("MariaDB://h/d", "me@h:3306/d"),
        ("  mysql://u@h:3307/d  ", "u@h:3307/d"),
        ("mysql://u:secret@localhost/d", "u:secret@localhost:3306/d"),
        ("mysql://u:@h/d", "u@h:3306/d"),
        ("mysql://:secret@h/d", "me:secret@h:3306/d"),
        ("mysql://u:p%40s%2Fs%3A%25%23@h/d%3Fb", "u:p@s/s:%#@h:3306/d?b"),
        ("mysql://u:a+b@h/a+b", "u:a+b@h:3306/a+b"),
        ("mysql://[2001:db8::1]/d", "me@[2001:db8::1]:3306/d"),
        ("mysql://[::1]:3307/d", "me@[::1]:3307/d"),
        ("mysql://%2Ftmp%2Fmy.sock/d", "me@/tmp/my.sock/d"),
        ("mysql:///d?socket=/tmp/my.sock", "me@/tmp/my.sock/d"),
        ("mysql://h/d?unix_socket=/tmp/my.sock", "me@/tmp/my.sock/d"),
        ("mysql://h/d?socket=/tmp/my.sock&protocol=tcp", "me@h:3306/d"),
        ("mysql:///d?host=h&port=7&user=u", "u@h:7/d"),
        ("mysql://h?database=d", "me@h:3306/d"),
        ("mysql://h/a?database=b", "me@h:3306/b"),
        ("mysql://u@h/d?user=v&", "v@h:3306/d"),
        ("mysql:///d?port=3307", "me@localhost:3307/d"),
        ("mysql:///d?user=a@b", "a@b@localhost:3306/d"),
    ] {
        assert_eq!(shown(&read(text)), expected, "{text}");
    }
}

#[test]
fn variables_fill_the_gaps() {
    let all = [("MYSQL_HOST", "h"), ("MYSQL_TCP_PORT", "1"), ("MYSQL_PWD", "p"), ("MYSQL_UNIX_PORT", "/tmp/s")];
    for (text, expected) in [
        ("mysql:///d", "me:p@h:1/d"),
        ("mysql://v:q@i:2/e", "v:q@i:2/e"),
        ("mysql://i/e", "me:p@i:1/e"),
        // What an address says of the place counts before a variable about another kind of place.
        ("mysql://localhost/e", "me:p@localhost:1/e"),
        ("mysql:///e?protocol=socket", "me:p@/tmp/s/e"),
    ] {
        assert_eq!(shown(&read_with(text, &all, &[])), expected, "{text}");
    }
    assert_eq!(shown(&read_with("mysql:///d", &[("MYSQL_UNIX_PORT", "/tmp/s")], &[])), "me@/tmp/s/d");
    assert_eq!(shown(&read_with("mysql:///d", &[("MYSQL_HOST", ""), ("MYSQL_PWD", "")], &[])), "me@localhost:3306/d");
    assert_eq!(read_with("mysql:///d", &all, &[]).password_from, "the variable MYSQL_PWD");
}

#[test]
fn option_files_fill_what_is_left() {
    let own = "[client]\nuser = u\npassword=\"p#1\"\n[mysqld]\nport=9\nuser=mysql\n[client]\nhost=h\nprompt=x\n";
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        ("mysql:///d", &[("/home/me/.my.cnf", own)], "u:p#1@h:3306/d"),
        ("mysql://v:q@i/d", &[("/home/me/.my.cnf", own)], "v:q@i:3306/d"),
        ("mysql:///d?no-defaults", &[("/home/me/.my.cnf", own)], "me@localhost:3306/d"),
        ("mysql:///d?no_defaults=0", &[("/home/me/.my.cnf", own)], "u:p#1@h:3306/d"),
        ("mysql://h/", &[("/home/me/.my.cnf", "[limosa]\ndatabase=d")], "me@h:3306/d"),
        // Later files and later lines win; the home folder is read last.
        (
            "mysql:///d",
            &[
                ("/etc/my.cnf", "[client]\nhost=a\nport=1\nuser=x"),
                ("/etc/mysql/my.cnf", "[client-server]\nport=2\nuser=y\n[client-mariadb]\nuser=z"),
                ("/home/me/.my.cnf", "[limosa]\nuser = w ; no comment\n# none = 1\n; none=1"),
            ],
            "w ; no comment@a:2/d",
        ),
        (
            "mysql:///d?defaults-file=/x/own.cnf",
            &[("/x/own.cnf", "[client]\nhost=own"), ("/home/me/.my.cnf", "[client]\nuser=u")],
            "me@own:3306/d",
        ),
        (
            "mysql:///d?defaults-extra-file=/x/own.cnf",
            &[
                ("/etc/my.cnf", "[client]\nhost=a\nport=5"),
                ("/x/own.cnf", "[client]\nhost=b\nuser=u"),
                ("/home/me/.my.cnf", "[client]\nuser=v"),
            ],
            "v@b:5/d",
        ),
        // Files include others, and folders, in the order of their names.
        (
            "mysql:///d",
            &[
                ("/etc/mysql/my.cnf", "[client]\nport=1\n!includedir conf.d\n!include /etc/mysql/more.cnf\n"),
                ("/etc/mysql/conf.d/a.cnf", "[client]\nport=2\nhost=a"),
                ("/etc/mysql/conf.d/b.cnf", "[client]\nport=3"),
                ("/etc/mysql/conf.d/c.txt", "[client]\nport=4"),
                ("/etc/mysql/more.cnf", "[client]\nuser=more"),
            ],
            "more@a:3/d",
        ),
        // localhost is the socket, for files as for the servers' own clients.
        ("mysql:///d", &[("/etc/my.cnf", "[client]\nhost=localhost\nsocket=/x/s\n")], "me@/x/s/d"),
        ("mysql:///d", &[("/etc/my.cnf", "[client]\nsocket=/x/s\nprotocol=TCP\n")], "me@localhost:3306/d"),
        ("mysql:///d", &[("/etc/my.cnf", "[client]\nhost=db\nsocket=/x/s\n")], "me@db:3306/d"),
        ("mysql://localhost/d", &[("/etc/my.cnf", "[client]\nsocket=/x/s\n")], "me@localhost:3306/d"),
        ("mysql:///d", &[("/run/mysqld/mysqld.sock", "")], "me@/run/mysqld/mysqld.sock/d"),
        ("mysql:///d", &[("/tmp/mysql.sock", "")], "me@/tmp/mysql.sock/d"),
    ];
    for (text, files, expected) in cases {
        assert_eq!(shown(&read_with(text, &[], files)), *expected, "{text} {files:?}");
    }
    let variables = [("MYSQL_PWD", "v")];
    let both = read_with("mysql:///d", &variables, &[("/home/me/.my.cnf", own)]);
    assert_eq!(shown(&both), "u:v@h:3306/d", "a variable counts before a file");
    let from = read_with("mysql:///d", &[], &[("/home/me/.my.cnf", own)]).password_from;
    assert_eq!(from, "the option file /home/me/.my.cnf");
}

#[test]
fn files_that_cannot_be_used() {
    let parameters = read_with("mysql://h/d?defaults-extra-file=/x!", &[], &[("/x!", "[client]\nuser=u")]);
    assert_eq!(shown(&parameters), "me@h:3306/d");
    assert!(parameters.notices[0].message.contains("/x! is ignored: anybody may write it"), "{:?}", parameters.notices);
    for (text, files, expected) in [
        ("mysql://h/d?defaults-file=/missing", &[][..], "the option file /missing cannot be read"),
        ("mysql://h/d?defaults-file=/x?", &[], "cannot be read"),
        ("mysql://h/d", &[("/etc/my.cnf", "[client\n")], "/etc/my.cnf line 1: a [ has no ]"),
        (
            "mysql://h/d",
            &[("/etc/my.cnf", "\n!frobnicate x\n")],
            "/etc/my.cnf line 2: after ! comes include or includedir",
        ),
        ("mysql://h/d", &[("/etc/my.cnf", "!include /etc/my.cnf")], "include each other too deep"),
        (
            "mysql://h/d",
            &[("/etc/my.cnf", "[limosa]\nfrobnicate=1")],
            "/etc/my.cnf line 2: unknown option \"frobnicate\"",
        ),
        ("mysql://h/d", &[("/etc/my.cnf", "[client]\nport=x")], "the option port in /etc/my.cnf is not a port"),
        (
            "mysql://h/d",
            &[("/etc/my.cnf", "[client]\nssl-mode=x")],
            "the option ssl-mode in /etc/my.cnf has the value \"x\"",
        ),
    ] {
        let error = error(text, &[], files);
        assert!(error.message.contains(expected), "{text} {files:?}: {error}");
    }
    let error = error("mysql://h/d", &[], &[("/etc/my.cnf", "[limosa]\nssl-mod=REQUIRED")]);
    assert_eq!(error.hint.as_deref(), Some("did you mean ssl-mode?"));
    // A default file that is there and may not be read is only told of.
    let unreadable = Parameters::read(
        &ConnectOptions { home: Some(PathBuf::from("/home/me")), ..options("mysql://h/d", &[]) },
        &Unreadable,
    );
    assert!(unreadable.unwrap().notices[0].message.contains("/home/me/.my.cnf is ignored"));
}

/// Every file is there, and none may be read.
struct Unreadable;

impl Disk for Unreadable {
    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn exists(&self, path: &Path) -> bool {
        path == Path::new("/home/me/.my.cnf")
    }
    fn is_open_to_all(&self, _: &Path) -> bool {
        false
    }
}

#[test]
fn modes_of_tls() {
    for (query, files, mode, roots) in [
        ("", &[][..], SslMode::Preferred, Roots::System),
        ("ssl-mode=DISABLED", &[], SslMode::Disabled, Roots::System),
        ("sslmode=required", &[], SslMode::Required, Roots::System),
        ("ssl_mode=VERIFY_IDENTITY", &[], SslMode::VerifyIdentity, Roots::System),
        ("ssl-mode=VERIFY_CA&ssl-ca=/ca", &[], SslMode::VerifyCa, Roots::File("/ca".into())),
        ("ssl-ca=/ca", &[], SslMode::VerifyCa, Roots::File("/ca".into())),
        ("ssl-ca=/ca&ssl-mode=PREFERRED", &[], SslMode::Preferred, Roots::File("/ca".into())),
        ("sslmode=verify-full", &[], SslMode::VerifyIdentity, Roots::System),
        ("", &[("/etc/my.cnf", "[client]\nssl")], SslMode::Required, Roots::System),
        ("", &[("/etc/my.cnf", "[client]\nskip-ssl")], SslMode::Disabled, Roots::System),
        ("", &[("/etc/my.cnf", "[client]\nssl-verify-server-cert")], SslMode::VerifyIdentity, Roots::System),
        ("", &[("/etc/my.cnf", "[client]\nssl-verify-server-cert=0\nssl=1")], SslMode::Required, Roots::System),
        ("ssl-mode=REQUIRED", &[("/etc/my.cnf", "[client]\nskip-ssl")], SslMode::Required, Roots::System),
    ] {
        let tls = read_with(&format!("mysql://h/d?{query}"), &[], files).tls;
        assert_eq!((tls.mode, tls.roots), (mode, roots), "{query} {files:?}");
    }
    let tls = read("mysql://h/d?ssl-cert=/c&ssl-key=/k&ssl-crl=/r&tls-version=TLSv1.2").tls;
    assert_eq!(tls.identity, Some(("/c".into(), "/k".into())));
    assert_eq!(tls.revocations, Some("/r".into()));
    assert_eq!((tls.with_1_2, tls.with_1_3), (true, false));
}

#[test]
fn time_and_signs_of_life() {
    let parameters = read(
        "mysql://h/d?connect_timeout=7&keepalives_idle=1&keepalives-interval=2&keepalives-count=3&tcp_user_timeout=4000\
         &application-name=a&enable-cleartext-plugin=1&get-server-public-key=true",
    );
    assert_eq!(parameters.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(
        (parameters.keep_alive.idle, parameters.keep_alive.interval),
        (Duration::from_secs(1), Duration::from_secs(2))
    );
    assert_eq!((parameters.keep_alive.count, parameters.keep_alive.user_timeout), (3, Some(Duration::from_secs(4))));
    assert_eq!(parameters.application_name, "a");
    assert!(parameters.cleartext && parameters.public_key);
    let plain = read("mysql://h/d?connect-timeout=0&keepalives=0&tcp-user-timeout=0");
    assert_eq!((plain.connect_timeout, plain.keep_alive.enabled, plain.keep_alive.user_timeout), (None, false, None));
    assert!(!plain.cleartext && !plain.public_key);
    for (text, asked) in [
        ("mysql://127.0.0.1/d", true),
        ("mysql://[::1]/d", true),
        ("mysql://localhost/d", true),
        ("mysql://10.0.0.1/d", false),
        ("mysql://localhost.example.com/d", false),
        ("mysql://localhost/d?get-server-public-key=0", false),
        ("mysql://h/d?get-server-public-key", true),
    ] {
        assert_eq!(read(text).public_key, asked, "{text}");
    }
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    for (text, message, hint) in [
        ("mysql://h", "names no database", "mysql://user@host:3306/database"),
        ("mysql://h/", "names no database", ""),
        ("mysql://h/d?sslmod=x", "unknown connection parameter \"sslmod\"", "did you mean ssl-mode?"),
        ("mysql://h/d?useSSL=false", "unknown connection parameter \"useSSL\"", "ssl-mode=DISABLED"),
        ("mysql://h/d?frobnicate=1", "unknown connection parameter", "parameters are those of the mysql client"),
        (
            "mysql://h/d?ssl-mode=MAYBE",
            "the connection parameter ssl-mode has the value \"MAYBE\"",
            "it may be DISABLED",
        ),
        ("mysql://h/d?ssl-mode=VERIFY_CA", "needs the certificate to check against", "ssl-ca"),
        ("mysql://h/d?ssl-cert=/c", "ssl-cert has no key", "ssl-key"),
        ("mysql://h/d?ssl-key=/k", "ssl-key has no certificate", "ssl-cert"),
        ("mysql://h/d?tls-version=TLSv1.1", "allows neither", ""),
        ("mysql://h/d?ssl-capath=/x", "does not follow the connection parameter ssl-capath", "ssl-ca"),
        ("mysql://h/d?charset=latin1", "does not speak the character set \"latin1\"", "utf8mb4"),
        ("mysql://h/d?connect-timeout=soon", "connect-timeout is not a whole number", ""),
        ("mysql://h:0/d", "is not a port", "%2F"),
        ("mysql://h:x/d", "is not a port", "%2F"),
        ("mysql://a,b/d", "several hosts", "primary"),
        ("mysql://h/d/e", "wrong place", "%2F"),
        ("mysql://u:p@w@h/d", "wrong place", "%40"),
        ("mysql://u:p#w@h/d", "a #", "%23"),
        ("mysql://::1/d", "too many colons", "[::1]"),
        ("mysql://[::1/d", "a [ without its ]", ""),
        ("mysql://h/d%zz", "two hexadecimal digits", "%25"),
        ("mysql:///d?protocol=socket", "there is none", "socket="),
        ("mysql:///d?protocol=pipe", "has the value \"pipe\"", "tcp"),
        ("mysqlx://h/d", "begins with mysql://", ""),
    ] {
        let error = error(text, &[], &[]);
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint);
    }
    let nobody = ConnectOptions { environment: BTreeMap::new(), ..options("mysql://h/d", &[]) };
    let error = Parameters::read(&nobody, &Fake::default()).unwrap_err();
    assert!(error.message.contains("no database user"), "{error}");
    let port = self::error("mysql:///d", &[("MYSQL_TCP_PORT", "x")], &[]);
    assert!(port.message.contains("the variable MYSQL_TCP_PORT is not a port"), "{port}");
    for text in ["mysql://h/d?charset=UTF8MB4", "mysql://h/d?charset=utf8"] {
        read(text);
    }
}

/// A password in a URL that is written wrongly ends up anywhere; it must not be shown.
#[test]
fn no_error_shows_a_password() {
    for text in [
        "mysql://user:canary/word@host/db",
        "mysql://user:12/canary@host/db",
        "mysql://user:canary",
        "mysql://user:ca@canary@host/db",
        "mysql://user:canary%@host/db",
        "mysql://user:%zzcanary@host/db",
        "mysql://user:x@canary@host/db",
        "mysql://user:pass@[canary/db",
        "mysql://user:pass@host:canary/db",
        "mysql://user:pass#canary@host/db",
        "mysql://user:pass?canary@host/db",
        "mysql://user:pass&canary@host",
        "canary",
        "https://user:canary@host/db",
        "mysql://user:canary@host/db?nonsense=1",
        "mysql://host/db?password=canary=x",
        "mysql://host/db?password=canary&port=x",
        "mysql://host/db?password=a&canary=x",
        "mysql://user:canary@host/db?connect-timeout=x",
    ] {
        let debug = format!("{:?}", error(text, &[], &[]));
        // A question mark in a password begins the parameters: what follows is taken for the name of one.
        assert!(!debug.contains("canary") || text.contains("pass?"), "{text}: {debug}");
    }
    let parameters = format!("{:?}", read("mysql://user:canary@host/db"));
    assert!(!parameters.contains("canary"), "{parameters}");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

proptest! {
    #[test]
    fn any_text_survives_both_forms(user in "[^\0\n\r]{1,12}", password in "[^\0\n\r]{1,12}", database in "[^\0\n\r]{1,12}") {
        let url = format!("mysql://{}:{}@host/{}", encoded(&user), encoded(&password), encoded(&database));
        let file = format!("[client]\nuser = {}\npassword={}\ndatabase={}", quoted(&user), quoted(&password), quoted(&database));
        for parameters in [read(&url), read_with("mysql://host/", &[], &[("/etc/my.cnf", &file)])] {
            prop_assert_eq!(&parameters.user, &user);
            prop_assert_eq!(parameters.password.as_ref().map(Secret::expose), Some(password.as_str()));
            prop_assert_eq!(&parameters.database, &database);
        }
    }

    #[test]
    fn nothing_makes_the_readers_panic(text in "(mysql://)?[a-z@:/?#%=&',\\[\\] \\\\0-9é]{0,40}", file in "[a-z!=#;'\"\\[\\]\\\\\n é]{0,60}") {
        let _ = Parameters::read(&options(&text, &[]), &Fake::with(&[("/etc/my.cnf", &file)]));
        let own = format!("[client]\n{file}");
        let _ = Parameters::read(&options("mysql://h/d", &[]), &Fake::with(&[("/etc/my.cnf", &own)]));
    }
}
