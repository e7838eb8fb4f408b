//! TLS against servers that have it.

use limosa_db::engines::mysql;
use limosa_db::{Collector, DbErrorKind, FlightError, Session};
use limosa_testkit::mysql::{MysqlServer, ServerOptions, TestDatabase};

use super::{connect, fly, options, refused, rows, script, scripts, servers};

/// The TLS version of the session; empty without.
async fn version(session: &mut dyn Session) -> String {
    rows(session, "show session status like 'Ssl_version'").await[0].text(1).unwrap()
}

fn url(database: &TestDatabase, host: &str, query: &str) -> String {
    format!("mysql://tester:{}@{host}:{}/{}?{query}", database.password(), database.port(), database.name())
}

fn with_tls(version: &limosa_testkit::MysqlVersion, options: ServerOptions) -> (MysqlServer, TestDatabase) {
    let server = MysqlServer::start_with(version, &options.tls(&["localhost"])).unwrap();
    let database = server.create_database().unwrap();
    (server, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_mean_what_the_client_means_by_them() {
    for server in servers() {
        let (server, database) = with_tls(server.version(), ServerOptions::new());
        let certificates = server.certificates().unwrap();
        let trusted = format!("ssl-ca={}", certificates.authority().display());
        let strange = format!("ssl-ca={}", certificates.stranger().display());
        for (host, query, expected) in [
            ("localhost", "ssl-mode=DISABLED".to_owned(), ""),
            ("localhost", String::new(), "TLSv1.3"),
            ("127.0.0.1", "ssl-mode=REQUIRED".to_owned(), "TLSv1.3"),
            ("localhost", "ssl-mode=REQUIRED&tls-version=TLSv1.2".to_owned(), "TLSv1.2"),
            ("127.0.0.1", trusted.clone(), "TLSv1.3"),
            ("127.0.0.1", format!("ssl-mode=VERIFY_CA&{trusted}"), "TLSv1.3"),
            ("localhost", format!("ssl-mode=VERIFY_IDENTITY&{trusted}"), "TLSv1.3"),
            // Nobody asked for a check.
            ("localhost", format!("ssl-mode=PREFERRED&{strange}"), "TLSv1.3"),
        ] {
            let mut session = connect(&url(&database, host, &query)).await;
            assert_eq!(version(&mut session).await, expected, "{host} {query}");
        }
        for (host, query, message, hint) in [
            ("127.0.0.1", format!("ssl-mode=VERIFY_IDENTITY&{trusted}"), "not valid for name", "another host"),
            ("localhost", format!("ssl-mode=VERIFY_IDENTITY&{strange}"), "UnknownIssuer", "ssl-ca"),
            ("localhost", format!("ssl-mode=VERIFY_CA&{strange}"), "UnknownIssuer", "ssl-ca"),
            ("localhost", strange.clone(), "UnknownIssuer", "ssl-ca"),
        ] {
            let error = refused(&options(&url(&database, host, &query))).await;
            assert_eq!(error.kind, DbErrorKind::CannotConnect, "{query}: {error:?}");
            assert!(error.message.contains(message), "{query}: {error:?}");
            assert!(error.hint.as_deref().unwrap().contains(hint), "{query}: {error:?}");
        }
        // On a socket only where it is asked for.
        let socket =
            format!("{}&socket={}", url(&database, "", ""), database.socket().display()).replace("@:", "@localhost:");
        for (query, expected) in [("", ""), ("ssl-mode=REQUIRED", "TLSv1.3")] {
            let mut session = connect(&format!("{socket}&{query}")).await;
            assert_eq!(version(&mut session).await, expected, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_encryption_or_a_certificate_gets_it() {
    for server in servers() {
        let options_of_server = ServerOptions::new().setting("require_secure_transport", "ON");
        let (server, database) = with_tls(server.version(), options_of_server);
        let certificates = server.certificates().unwrap();
        let error = refused(&options(&url(&database, "localhost", "ssl-mode=DISABLED"))).await;
        // MariaDB gives another reason: that the user is wrong.
        let kinds = [DbErrorKind::CannotConnect, DbErrorKind::Authentication];
        assert!(
            kinds.contains(&error.kind) && error.hint.as_deref().unwrap().contains("ssl-mode=REQUIRED"),
            "{error:?}"
        );
        connect(&url(&database, "localhost", "")).await;
        database
            .execute("create user certified identified by 'secret' require x509; grant all on *.* to certified")
            .unwrap();
        let certified =
            url(&database, "localhost", "").replace("tester:", "certified:").replace(database.password(), "secret");
        assert_eq!(refused(&options(&certified)).await.kind, DbErrorKind::Authentication);
        let (certificate, key) = (certificates.client_certificate(), certificates.client_key());
        let shown = format!("{certified}ssl-cert={}&ssl-key={}", certificate.display(), key.display());
        connect(&shown).await;
        let open = tempfile::tempdir().unwrap();
        let copy = open.path().join("key.pem");
        std::fs::copy(&key, &copy).unwrap();
        std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let careless = format!("{certified}ssl-cert={}&ssl-key={}", certificate.display(), copy.display());
        let error = refused(&options(&careless)).await;
        assert!(error.message.contains("others may read the private key"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flights_and_cancels_go_through_tls() {
    for server in servers() {
        let (_server, database) = with_tls(server.version(), ServerOptions::new());
        let mut session = connect(&url(&database, "localhost", "ssl-mode=REQUIRED")).await;
        fly(&mut session, scripts(&["create table t (s longtext)"])).await.unwrap();
        let big = "x".repeat(3 << 20);
        fly(&mut session, vec![script(&format!("insert into t values ('{big}')"))]).await.unwrap();
        let back =
            (&mut session as &mut dyn Session).query("select s from t where 1 = $1", &[1_i64.into()]).await.unwrap();
        assert_eq!(back[0].text(0).unwrap().len(), big.len());
        let canceller = session.canceller();
        let task = tokio::spawn(async move {
            loop {
                canceller.cancel().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        });
        let items = scripts(&["select sleep(7200) from (select 1 union all select 2) as twice"]);
        let flown = session.flight(&mut items.into_iter(), &mut Collector::default()).await;
        task.abort();
        let Err(FlightError::Failed { error, .. }) = flown else { panic!("{flown:?}") };
        assert_eq!(error.kind, DbErrorKind::Cancelled);
        session.settle().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_a_server_made_itself_are_taken_where_nobody_asked_for_a_check() {
    // MySQL makes its own with an empty data folder, and newer MariaDB each time it starts.
    let makes_its_own =
        |version: &limosa_testkit::MysqlVersion| !version.is_mariadb() || (version.major(), version.minor()) >= (11, 4);
    for server in servers().into_iter().filter(|server| makes_its_own(server.version())) {
        let version = server.version();
        let own = if version.is_mariadb() { ("ssl", "ON") } else { ("tls_version", "TLSv1.2,TLSv1.3") };
        let server = MysqlServer::start_with(version, &ServerOptions::new().setting(own.0, own.1)).unwrap();
        let database = server.create_database().unwrap();
        let mut session = connect(&url(&database, "localhost", "")).await;
        assert!(self::version(&mut session).await.starts_with("TLSv1."), "{version}");
        mysql::connect(&options(&url(&database, "localhost", "ssl-mode=REQUIRED"))).await.unwrap();
        // Where one is asked for, no public authority has signed them, if this machine knows any.
        let error = refused(&options(&url(&database, "localhost", "ssl-mode=VERIFY_IDENTITY"))).await;
        assert!(matches!(error.kind, DbErrorKind::CannotConnect | DbErrorKind::Configuration), "{error:?}");
    }
}
