//! Reaching a server, and being told why it was not reached.

use limosa_db::engines::mysql::{self, backend_identity, create_database, describe};
use limosa_db::{Collector, ConnectOptions, DbErrorKind, Secret, Session};
use limosa_testkit::mysql::{MysqlServer, ServerOptions};

use super::{connect, databases, failure, fly, options, refused, rows, scripts, servers, text};

#[tokio::test(flavor = "multi_thread")]
async fn every_form_reaches_the_same_database() {
    for database in databases() {
        let (name, port, socket) = (database.name(), database.port(), database.socket().display().to_string());
        let password = database.password();
        let encoded = socket.replace('/', "%2F");
        for text in [
            database.url(),
            database.url().replace("mysql://", "mariadb://"),
            format!("mysql://tester:{password}@localhost:{port}/{name}?ssl-mode=PREFERRED"),
            format!("mysql://tester:{password}@{encoded}/{name}"),
            format!("mysql:///{name}?socket={socket}&user=tester&password={password}"),
            format!("mysql://tester:{password}@localhost:1/{name}?socket={socket}"),
        ] {
            let session = connect(&text).await;
            assert_eq!(session.facts().database, name, "{text}");
            assert_eq!(session.facts().user, "tester@%");
            let host = &session.facts().host;
            assert!(host.ends_with(&format!(":{port}")) || *host == socket, "{host}");
            let described = describe(&options(&text)).unwrap();
            assert_eq!((described.database.as_str(), described.user.as_str()), (name, "tester"));
            assert!(!format!("{described:?}{session:?}").contains(password));
        }
        let mut from_environment = options(&format!("mysql://tester@/{name}"));
        let variables = [("MYSQL_UNIX_PORT", socket.as_str()), ("MYSQL_PWD", password)];
        from_environment.environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(mysql::connect(&from_environment).await.unwrap().facts().host, socket);
        let home = tempfile::tempdir().unwrap();
        let file =
            format!("[client]\nsocket={socket}\n[limosa]\nuser=tester\npassword=\"{password}\"\ndatabase={name}\n");
        std::fs::write(home.path().join(".my.cnf"), file).unwrap();
        let from_file = ConnectOptions { home: Some(home.path().to_owned()), ..options("mysql://") };
        assert_eq!(mysql::connect(&from_file).await.unwrap().facts().database, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_the_servers() {
    for server in servers() {
        let version = server.version();
        let database = server.create_database().unwrap();
        let mut session = connect(&database.url()).await;
        let facts = session.facts().clone();
        assert_eq!(facts.is_mariadb(), version.is_mariadb());
        assert!(facts.version.starts_with(&format!("{}.{}.", version.major(), version.minor())), "{}", facts.version);
        let number = version.major() * 10_000 + version.minor() * 100;
        assert_eq!(facts.version_number / 100, number / 100);
        assert!(!facts.read_only && !facts.pooled && facts.settings.is_empty());
        // The name of the session is found again among those of the server, by the same SQL each time.
        let sql = format!(
            "select {} from information_schema.processlist where id = connection_id()",
            backend_identity(&facts)
        );
        for _ in 0..3 {
            assert_eq!(text(&mut session, &sql).await, facts.backend);
        }
        let other = connect(&database.url()).await;
        assert_ne!(other.facts().backend, facts.backend);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_after_a_restart_has_another_name() {
    for server in servers() {
        let server = MysqlServer::start(server.version()).unwrap();
        let database = server.create_database().unwrap();
        // Numbers begin again, so that the same one comes back.
        let names = async || {
            let mut names = Vec::new();
            for _ in 0..20 {
                names.push(connect(&database.url()).await.facts().backend.clone().unwrap());
            }
            names
        };
        let before = names().await;
        let second = |name: &str| name.split(':').nth(1).unwrap().parse::<i64>().unwrap();
        limosa_testkit::eventually("another second has come", || {
            let now = database.query("select unix_timestamp()").unwrap()[0][0].clone().unwrap();
            now.parse::<i64>().unwrap() > second(&before[0])
        });
        server.restart().unwrap();
        let after = names().await;
        let number = |name: &String| name.split(':').next().unwrap().to_owned();
        assert!(before.iter().any(|old| after.iter().any(|new| number(old) == number(new))), "{before:?} {after:?}");
        assert!(second(&after[0]) > second(&before[0]));
        assert!(before.iter().all(|old| !after.contains(old)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_taken_on_or_refused() {
    for server in servers() {
        let database = server.create_database().unwrap();
        let (role, user) = (format!("r_{}", database.name()), format!("u_{}", database.name()));
        server.create_user(&user, "secret", &[&format!("select on {}.*", database.name())]).unwrap();
        let setup = format!("create role {role}; grant all on {}.* to {role}; grant {role} to {user}", database.name());
        database.execute(&setup).unwrap();
        let with_role =
            |role: &str| ConnectOptions { role: Some(role.to_owned()), ..options(&database.url_for(&user, "secret")) };
        let mut session = mysql::connect(&with_role(&role)).await.unwrap();
        fly(&mut session, scripts(&["create table t (n int)"])).await.unwrap();
        assert!(text(&mut session, "select current_role()").await.unwrap().contains(&role));
        let mut plain = connect(&database.url_for(&user, "secret")).await;
        let (_, error) = failure(&mut plain, scripts(&["create table u (n int)"])).await;
        assert_eq!(error.kind, DbErrorKind::PermissionDenied, "{error}");
        let error = refused(&with_role("nobody_has_it")).await;
        assert!(error.message.contains("nobody_has_it"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_the_place_and_the_next_step() {
    for database in databases() {
        let port = database.port();
        let free = limosa_testkit::free_port().unwrap();
        let password = database.password();
        let socket = database.socket().display().to_string();
        for (url, kind, message, hint) in [
            (
                format!("mysql://u@127.0.0.1:{free}/d"),
                DbErrorKind::CannotConnect,
                format!("127.0.0.1:{free}: connection refused"),
                "runs there",
            ),
            (
                "mysql://u@no-such-host.invalid/d".to_owned(),
                DbErrorKind::CannotConnect,
                "\"no-such-host.invalid\" cannot be resolved".to_owned(),
                "spelling",
            ),
            (
                "mysql://u@/d?socket=/nowhere/my.sock".to_owned(),
                DbErrorKind::CannotConnect,
                "no socket /nowhere/my.sock".to_owned(),
                "path of the socket",
            ),
            (
                format!("mysql://tester:{password}@127.0.0.1:{port}/missing"),
                DbErrorKind::DatabaseMissing,
                format!("127.0.0.1:{port} refuses: Unknown database 'missing'"),
                "create the database \"missing\"",
            ),
            (
                format!("mysql://tester:wrong-canary@127.0.0.1:{port}/mysql"),
                DbErrorKind::Authentication,
                "Access denied for user 'tester'".to_owned(),
                "the password came from the URL",
            ),
            (
                format!("mysql://tester@{}/mysql", socket.replace('/', "%2F")),
                DbErrorKind::Authentication,
                "Access denied for user 'tester'".to_owned(),
                "no password is given for user \"tester\": set MYSQL_PWD",
            ),
            (
                format!("mysql://nobody:secret@127.0.0.1:{port}/mysql"),
                DbErrorKind::Authentication,
                "Access denied for user 'nobody'".to_owned(),
                "password",
            ),
            (
                format!("{}?ssl-mode=REQUIRED", database.url()),
                DbErrorKind::CannotConnect,
                "has no TLS, which ssl-mode asks for".to_owned(),
                "ssl_cert",
            ),
            (
                format!("{}?ssl-ca=/missing.pem", database.url()),
                DbErrorKind::Configuration,
                "/missing.pem".to_owned(),
                "",
            ),
            (
                format!("mysql://tester:{password}@127.0.0.1:{port}"),
                DbErrorKind::Configuration,
                "names no database".to_owned(),
                "mysql://user@host:3306/database",
            ),
        ] {
            let error = refused(&options(&url)).await;
            assert_eq!(error.kind, kind, "{url}: {error:?}");
            assert!(error.message.contains(&message), "{url}: {error:?}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{url}: {error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn something_that_is_no_server_is_named() {
    for (answer, message, hint) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "it begins with \"HTTP/1.1 400 Bad Request\"", "host and port"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "it begins with \"SSH-2.0-OpenSSH_9.2p1\"", "SSH server"),
        (b"\x05\0\0\0\x0b\x08\x05\x1a\0", "X protocol", "3306"),
        (b"\x01\0\0\0\x09", "does not answer like MySQL", ""),
        (b"\x04\0\0\0\x0a5.5", "does not answer like MySQL", ""),
        (b"\0\0\0\0", "does not answer like MySQL", ""),
        (b"", "closed the connection", "its log"),
        (b"\x17\0\0\0\xff\x10\x04Too many connections", "Too many connections", "max_connections"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
            }
        });
        let error = refused(&options(&format!("mysql://u:canary@127.0.0.1:{port}/d"))).await;
        task.abort();
        assert_eq!(error.kind, DbErrorKind::CannotConnect, "{error:?}");
        assert!(error.message.contains(&port.to_string()) && error.message.contains(message), "{error:?}");
        assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{error:?}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    // One that waits for its client to speak first, as PostgreSQL does.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = refused(&options(&format!("mysql://u@127.0.0.1:{port}/d?connect-timeout=1"))).await;
    assert!(error.message.contains("within 1 s") && error.hint.unwrap().contains("PostgreSQL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_or_lets_nobody_in_is_told_apart() {
    for server in servers() {
        let server =
            MysqlServer::start_with(server.version(), &ServerOptions::new().setting("max_connections", "12")).unwrap();
        let database = server.create_database().unwrap();
        server.create_user("guest", "secret", &[&format!("all privileges on {}.*", database.name())]).unwrap();
        server.create_user("locked", "secret", &[]).unwrap();
        database.execute("alter user locked account lock").unwrap();
        let error = refused(&options(&database.url_for("locked", "secret"))).await;
        assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
        let error =
            refused(&options(&database.url_for("guest", "secret").replace(&format!("/{}", database.name()), "/mysql")))
                .await;
        assert_eq!(error.kind, DbErrorKind::PermissionDenied, "{error:?}");
        assert!(error.hint.unwrap().contains("ON `mysql`.*"), "{}", error.message);
        let mut kept = Vec::new();
        let error = loop {
            match mysql::connect(&options(&database.url_for("guest", "secret"))).await {
                Ok(session) => kept.push(session),
                Err(error) => break error,
            }
            assert!(kept.len() < 20);
        };
        assert_eq!(error.kind, DbErrorKind::CannotConnect, "{error:?}");
        assert!(error.message.contains("Too many connections") && error.hint.unwrap().contains("max_connections"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_replicates_is_read_only() {
    for server in servers() {
        let server = MysqlServer::start_with(server.version(), &ServerOptions::new().read_only()).unwrap();
        let database = server.create_database().unwrap();
        server.create_user("writer", "secret", &[&format!("all privileges on {}.*", database.name())]).unwrap();
        // Even for those who may write all the same: what they write there is written nowhere else.
        assert!(connect(&database.url()).await.facts().read_only);
        let mut session = connect(&database.url_for("writer", "secret")).await;
        assert!(session.facts().read_only);
        let (_, error) = failure(&mut session, scripts(&["create table t (n int)"])).await;
        assert_eq!(error.kind, DbErrorKind::ReadOnly, "{error:?}");
        assert!(error.hint.unwrap().contains("primary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_can_be_made() {
    for server in servers() {
        let database = server.create_database().unwrap();
        let prefix = format!("made_{}", database.name());
        let (maker, nobody) = (format!("m_{}", database.name()), format!("n_{}", database.name()));
        server
            .create_user(&maker, "secret", &[&format!("all privileges on `{}%`.*", prefix.replace('_', "\\_"))])
            .unwrap();
        server.create_user(&nobody, "secret", &[]).unwrap();
        let url = database.url_for(&maker, "secret").replace(&format!("/{}", database.name()), "/no_such_one");
        for name in [prefix.clone(), format!("{prefix} it's `new` é")] {
            create_database(&options(&url), &name).await.unwrap();
            assert_eq!(create_database(&options(&url), &name).await.unwrap_err().kind, DbErrorKind::Duplicate);
        }
        assert_eq!(connect(&url.replace("no_such_one", &prefix)).await.facts().database, prefix);
        let nobody = options(&database.url_for(&nobody, "secret"));
        let error = create_database(&nobody, "x").await.unwrap_err();
        assert_eq!(error.kind, DbErrorKind::PermissionDenied);
        assert!(error.hint.unwrap().contains("GRANT ALL ON `x`.* TO"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_the_option_files_is_heard_with_the_first_flight() {
    use std::os::unix::fs::PermissionsExt;
    let database = databases().remove(0);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".my.cnf");
    std::fs::write(&file, "[client]\nuser=other\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o646)).unwrap();
    let at_home = ConnectOptions { home: Some(home.path().to_owned()), ..options(&database.url()) };
    let mut session = mysql::connect(&at_home).await.unwrap();
    let mut collector = Collector::default();
    session.flight(&mut Vec::new().into_iter(), &mut collector).await.unwrap();
    assert!(collector.notices[0].message.contains(".my.cnf is ignored: anybody may write it"));
    assert!(collector.notices[0].hint.as_deref().unwrap().starts_with("chmod o-w "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_shows_who_is_there() {
    for database in databases() {
        let mut session = connect(&format!("{}?application-name=shown", database.url())).await;
        let sql = "select attr_value from performance_schema.session_connect_attrs \
             where processlist_id = connection_id() and attr_name in ('program_name', '_client_name') order by attr_name";
        let found: Vec<_> = rows(&mut session, sql).await.iter().map(|row| row.text(0).unwrap()).collect();
        // MariaDB keeps no such book unless it is told to.
        let expected: &[&str] = if session.facts().is_mariadb() { &[] } else { &["limosa", "shown"] };
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_prove_a_password_works() {
    for server in servers() {
        let database = server.create_database().unwrap();
        let name = database.name().to_owned();
        let plugins: &[(&str, &str)] = if server.version().is_mariadb() {
            &[("native", "mysql_native_password"), ("ed", "ed25519"), ("parsec", "parsec")]
        } else {
            &[("native", "mysql_native_password"), ("sha", "sha256_password"), ("caching", "caching_sha2_password")]
        };
        for (user, plugin) in plugins {
            let user = format!("{user}_{name}");
            let soname = if *plugin == "ed25519" { "auth_ed25519" } else { "auth_parsec" };
            let created = if server.version().is_mariadb() {
                // What is not installed is tried where it can be.
                let _ = database.execute(&format!("install soname '{soname}'"));
                database
                    .execute(&format!("create user {user} identified via {plugin} using password('ünïcode secret')"))
            } else {
                database.execute(&format!("create user {user} identified with {plugin} by 'ünïcode secret'"))
            };
            if created.is_err() && *plugin != "mysql_native_password" && server.version().is_mariadb() {
                continue;
            }
            created.unwrap();
            database.execute(&format!("grant all on {name}.* to {user}")).unwrap();
            let encoded = "%C3%BCn%C3%AFcode%20secret";
            let socket =
                format!("mysql:///{name}?socket={}&user={user}&password={encoded}", database.socket().display());
            // The second time the server remembers some of them.
            for url in [database.url_for(&user, encoded), socket, database.url_for(&user, encoded)] {
                assert!(connect(&url).await.facts().user.starts_with(&user), "{plugin} {url}");
            }
            let error = refused(&options(&database.url_for(&user, "canary"))).await;
            assert_eq!(error.kind, DbErrorKind::Authentication, "{plugin}: {error:?}");
            assert!(!format!("{error:?}").contains("canary"));
        }
        // A password that is empty, and one that is not needed.
        let empty = format!("e_{name}");
        database.execute(&format!("create user {empty} identified by ''; grant all on {name}.* to {empty}")).unwrap();
        connect(&database.url_for(&empty, "")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_encrypted_with_a_key_of_whoever_stands_between() {
    for server in servers().into_iter().filter(|server| !server.version().is_mariadb()) {
        let database = server.create_database().unwrap();
        let user = format!("k_{}", database.name());
        server.create_user(&user, "secret", &[&format!("all privileges on {}.*", database.name())]).unwrap();
        let forbidden = format!("{}?get-server-public-key=0", database.url_for(&user, "secret"));
        let error = refused(&options(&forbidden)).await;
        assert_eq!(error.kind, DbErrorKind::Authentication);
        assert!(error.hint.as_deref().unwrap().contains("ssl-mode=REQUIRED"), "{error:?}");
        connect(&format!("{}?get-server-public-key=1", database.url_for(&user, "secret"))).await;
        // Once the server remembers the password it asks for no more than its proof.
        connect(&forbidden).await;
    }
}

#[tokio::test]
async fn an_address_of_another_program_is_told_apart() {
    let database = Secret::new("mysql+pymysql://u:canary@h/d");
    let error = match limosa_db::connect(&ConnectOptions { database, ..ConnectOptions::default() }).await {
        Ok(_) => panic!("a session was opened"),
        Err(error) => error,
    };
    assert_eq!(error.kind, DbErrorKind::Configuration);
    assert!(error.hint.as_deref().unwrap().contains("mysql://"), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"));
}

/// Forwards to the server and gives the session another number in the greeting, as a proxy does that keeps a pool.
async fn renumbering(port: u16) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move {
                let mut greeting = vec![0; 5];
                server.read_exact(&mut greeting).await.unwrap();
                while *greeting.last().unwrap() != 0 {
                    greeting.push(server.read_u8().await.unwrap());
                }
                let number = server.read_u32_le().await.unwrap();
                greeting.extend((number ^ 0x0100_0000).to_le_bytes());
                client.write_all(&greeting).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_with_sessions_of_its_own_is_noticed() {
    for database in databases() {
        let url = database.url_on_port(renumbering(database.port()).await);
        let session = connect(&url).await;
        assert!(session.facts().pooled);
        let direct = ConnectOptions { pooled: Some(false), ..options(&url) };
        assert!(!mysql::connect(&direct).await.unwrap().facts().pooled);
        let pooled = ConnectOptions { pooled: Some(true), ..options(&database.url()) };
        assert!(mysql::connect(&pooled).await.unwrap().facts().pooled);
    }
}
