//! TLS against a server that has it.

use limosa_db::engines::postgres;
use limosa_db::{Collector, ConnectOptions, DbErrorKind, Item, Session};
use limosa_testkit::{ServerOptions, TestDatabase};

use super::{connect, fly, options, own_server, refused, script};

/// The TLS version of the session; None without.
async fn version(session: &mut dyn Session) -> Option<String> {
    let sql = "select version from pg_stat_ssl where pid = pg_backend_pid() and ssl";
    session.query(sql, &[]).await.unwrap().first().and_then(|row| row.text(0))
}

fn url(database: &TestDatabase, host: &str, query: &str) -> String {
    format!("postgres://postgres@{host}:{}/{}?{query}", database.port(), database.name())
}

#[tokio::test]
async fn modes_mean_what_libpq_means_by_them() {
    let server = own_server(&ServerOptions::new().tls(&["localhost"]));
    let database = server.create_database().unwrap();
    let certificates = server.certificates().unwrap();
    let (authority, stranger) = (certificates.authority(), certificates.stranger());
    let trusted = format!("sslrootcert={}", authority.display());
    let strange = format!("sslrootcert={}", stranger.display());
    for (host, query, expected) in [
        ("localhost", "sslmode=disable".to_owned(), None),
        ("localhost", "sslmode=allow".to_owned(), None),
        ("localhost", String::new(), Some("TLSv1.3")),
        ("localhost", "sslmode=require".to_owned(), Some("TLSv1.3")),
        ("localhost", "sslmode=require&ssl_max_protocol_version=TLSv1.2".to_owned(), Some("TLSv1.2")),
        ("localhost", "sslmode=require&sslsni=0&channel_binding=disable".to_owned(), Some("TLSv1.3")),
        ("127.0.0.1", format!("sslmode=require&{trusted}"), Some("TLSv1.3")),
        ("127.0.0.1", format!("sslmode=verify-ca&{trusted}"), Some("TLSv1.3")),
        ("localhost", format!("sslmode=verify-full&{trusted}"), Some("TLSv1.3")),
        ("localhost", format!("sslmode=verify-full&hostaddr=127.0.0.1&{trusted}"), Some("TLSv1.3")),
        // A certificate that is not trusted is as bad as no TLS: prefer goes on without.
        ("localhost", format!("sslmode=prefer&{strange}"), None),
    ] {
        let mut session = connect(&url(&database, host, &query)).await;
        assert_eq!(version(&mut session).await.as_deref(), expected, "{host} {query}");
        assert!(!session.facts().pooled, "the cancel key is found behind TLS too");
    }
    for (host, query, message, hint) in [
        ("127.0.0.1", format!("sslmode=verify-full&{trusted}"), "not valid for name", "another host"),
        ("localhost", format!("sslmode=verify-full&{strange}"), "UnknownIssuer", "sslrootcert"),
        ("localhost", format!("sslmode=verify-ca&{strange}"), "UnknownIssuer", "sslrootcert"),
        ("localhost", format!("sslmode=require&{strange}"), "UnknownIssuer", "sslrootcert"),
    ] {
        let error = refused(&options(&url(&database, host, &query))).await;
        assert_eq!(error.kind, DbErrorKind::CannotConnect, "{query}: {error:?}");
        assert!(error.message.contains(message) && error.hint.as_deref().unwrap().contains(hint), "{query}: {error:?}");
    }
    let error = refused(&options(&url(&database, "localhost", "sslmode=verify-full"))).await;
    assert_eq!(error.kind, DbErrorKind::Configuration);
    assert!(error.hint.unwrap().contains("sslrootcert=system"));

    // The default file below the home folder counts as if it had been named.
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".postgresql");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&stranger, folder.join("root.crt")).unwrap();
    let at_home = |query: &str| ConnectOptions {
        home: Some(home.path().to_owned()),
        ..options(&url(&database, "localhost", query))
    };
    assert_eq!(refused(&at_home("sslmode=require")).await.kind, DbErrorKind::CannotConnect);
    std::fs::copy(&authority, folder.join("root.crt")).unwrap();
    postgres::connect(&at_home("sslmode=verify-full")).await.unwrap();
}

#[tokio::test]
async fn flights_cancels_and_copies_go_through_tls() {
    let server = own_server(&ServerOptions::new().tls(&["localhost"]));
    let database = server.create_database().unwrap();
    let mut session = connect(&url(&database, "localhost", "sslmode=require")).await;
    let mut items = vec![Item::Begin, script("create table t (n int, s text)")];
    let big = "x".repeat(100_000);
    items.extend((0..50).map(|n| Item::Script(format!("insert into t values ({n}, '{big}')"))));
    items.extend([
        Item::CopyStart("copy t from stdin".to_owned()),
        Item::CopyData(b"1\ta\n".repeat(10_000)),
        Item::CopyEnd,
    ]);
    items.push(Item::Commit);
    fly(&mut session, items).await.unwrap();
    assert_eq!(database.query("select count(*) from t").unwrap()[0][0].as_deref(), Some("10050"));

    let canceller = session.canceller();
    let again = tokio::spawn(async move {
        loop {
            canceller.cancel().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let (_, error) = super::failure(&mut session, vec![script("select pg_sleep(7200)")]).await;
    again.abort();
    assert_eq!(error.kind, DbErrorKind::Cancelled);
    session.settle().await.unwrap();
}

#[tokio::test]
async fn the_server_may_demand_tls_a_certificate_or_channel_binding() {
    let server = own_server(
        &ServerOptions::new()
            .tls(&["localhost"])
            .access("hostnossl all only_tls all reject")
            .access("hostssl all only_plain all reject")
            .access("hostssl all postgres all cert")
            .access("hostssl all proven all scram-sha-256"),
    );
    server
        .execute(
            "postgres",
            "create role only_tls login; create role only_plain login; create role proven login password 'secret'",
        )
        .unwrap();
    let database = server.create_database().unwrap();
    let as_user = |user: &str, query: &str| {
        options(&format!("postgres://{user}@localhost:{}/{}?{query}", database.port(), database.name()))
    };
    let mut session = postgres::connect(&as_user("only_tls", "sslmode=allow")).await.unwrap();
    assert!(version(&mut session).await.is_some(), "allow goes over to TLS where the server refuses without");
    let mut session = postgres::connect(&as_user("only_plain", "sslmode=prefer")).await.unwrap();
    assert_eq!(version(&mut session).await, None, "prefer goes on without TLS where the server refuses with it");
    assert_eq!(refused(&as_user("only_plain", "sslmode=require")).await.kind, DbErrorKind::Authentication);

    let certificates = server.certificates().unwrap();
    let (certificate, key) = (certificates.client_certificate(), certificates.client_key());
    let pair = format!("sslmode=require&sslcert={}&sslkey={}", certificate.display(), key.display());
    let mut session = postgres::connect(&as_user("postgres", &pair)).await.unwrap();
    assert!(version(&mut session).await.is_some());
    let error = refused(&as_user("postgres", "sslmode=require")).await;
    assert!(error.message.contains("certificate"), "{error:?}");
    let error = refused(&as_user(
        "postgres",
        &format!("sslmode=require&sslcert={}&sslkey=/nowhere.key", certificate.display()),
    ))
    .await;
    assert_eq!(error.kind, DbErrorKind::Configuration);
    assert!(error.message.contains("/nowhere.key"), "{error:?}");
    let open = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(open.path(), std::fs::read(&key).unwrap()).unwrap();
    std::fs::set_permissions(open.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = refused(&as_user(
        "postgres",
        &format!("sslmode=require&sslcert={}&sslkey={}", certificate.display(), open.path().display()),
    ))
    .await;
    assert!(error.hint.unwrap().contains("chmod 600"));

    let mut session =
        postgres::connect(&as_user("proven:secret", "sslmode=require&channel_binding=require")).await.unwrap();
    session.flight(&mut Vec::new().into_iter(), &mut Collector::default()).await.unwrap();
    let error = refused(&as_user("only_tls", "sslmode=require&channel_binding=require")).await;
    assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
}

#[tokio::test]
async fn direct_tls_skips_the_question() {
    if super::newest().major() < 17 {
        return;
    }
    let server = own_server(&ServerOptions::new().tls(&["localhost"]));
    let database = server.create_database().unwrap();
    let mut session = connect(&url(&database, "localhost", "sslmode=require&sslnegotiation=direct")).await;
    assert!(version(&mut session).await.is_some());
    assert!(!session.facts().pooled);
    session.canceller().cancel().await.unwrap();
}
