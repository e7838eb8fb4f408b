//! Reaching a server, and being told why it was not reached.

use std::os::unix::fs::PermissionsExt;

use limosa_db::engines::postgres::{self, create_database, describe};
use limosa_db::{Collector, ConnectOptions, DbErrorKind, Secret, Session};
use limosa_testkit::{PostgresServer, ServerOptions};

use super::{connect, database, fly, newest, options, own_server, refused, script};

#[tokio::test]
async fn every_form_reaches_the_same_database() {
    let database = database();
    let (name, port, folder) = (database.name(), database.port(), database.socket_folder().display());
    let encoded = folder.to_string().replace('/', "%2F");
    for text in [
        database.url(),
        database.socket_url(),
        format!("postgresql://postgres@{encoded}:{port}/{name}"),
        format!("host={folder} port={port} user=postgres dbname={name}"),
        format!("host=localhost hostaddr=127.0.0.1 port={port} user='postgres' dbname='{name}' sslmode=disable"),
        format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port}/{name}"),
        format!("postgres://postgres@127.0.0.1:{port}/{name}?load_balance_hosts=random&sslmode=allow"),
    ] {
        let session = connect(&text).await;
        assert_eq!(session.facts().database, name, "{text}");
        assert_eq!(session.facts().user, "postgres");
        assert!(session.facts().host.contains(&port.to_string()), "{}", session.facts().host);
        assert_eq!(describe(&options(&text)).unwrap().database, name);
    }
    let variables =
        [("PGHOST", "localhost"), ("PGPORT", &port.to_string()), ("PGUSER", "postgres"), ("PGDATABASE", name)];
    let mut from_environment = options("");
    from_environment.environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(postgres::connect(&from_environment).await.unwrap().facts().database, name);
}

#[tokio::test]
async fn facts_are_the_servers() {
    for version in limosa_testkit::postgres::tested().unwrap() {
        let server = limosa_testkit::postgres::shared(&version).unwrap();
        let database = server.create_database().unwrap();
        let session = connect(&database.url()).await;
        let facts = session.facts();
        assert_eq!(facts.version, version.to_string());
        assert_eq!(facts.version_number / 10_000, version.major());
        assert!(!facts.read_only && !facts.pooled);
    }
}

#[tokio::test]
async fn a_role_is_taken_on_or_refused() {
    let database = database();
    database.execute("create role owner_of_all; create role bob login").unwrap();
    let with_role = |url: &str, role: &str| ConnectOptions { role: Some(role.to_owned()), ..options(url) };
    let mut session = postgres::connect(&with_role(&database.url(), "owner_of_all")).await.unwrap();
    fly(&mut session, vec![script("create temp table t (n int)")]).await.unwrap();
    let rows =
        (&mut session as &mut dyn Session).query("select current_user::text, session_user::text", &[]).await.unwrap();
    assert_eq!([0, 1].map(|column| rows[0].text(column).unwrap()), ["owner_of_all", "postgres"]);
    assert_eq!(session.role(), None, "the session itself has it");
    let error = refused(&with_role(&database.url(), "nobody_has_it")).await;
    assert!(error.message.contains("nobody_has_it"), "{error:?}");
    let error = refused(&with_role(&database.url_for("bob", ""), "owner_of_all")).await;
    assert_eq!(error.kind, DbErrorKind::PermissionDenied, "{error:?}");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_the_place_and_the_next_step() {
    let database = database();
    let port = database.port();
    let free = limosa_testkit::free_port().unwrap();
    let free_too = limosa_testkit::free_port().unwrap();
    for (url, kind, message, hint) in [
        (
            format!("postgres://u@127.0.0.1:{free}/d"),
            DbErrorKind::CannotConnect,
            format!("127.0.0.1:{free}: connection refused"),
            "runs there",
        ),
        (
            "postgres://u@no-such-host.invalid/d".to_owned(),
            DbErrorKind::CannotConnect,
            "\"no-such-host.invalid\" cannot be resolved".to_owned(),
            "spelling",
        ),
        (
            format!("postgres:///d?host=/nowhere&port={free}&user=u"),
            DbErrorKind::CannotConnect,
            format!("no socket /nowhere/.s.PGSQL.{free}"),
            "runs",
        ),
        (
            format!("postgres://postgres@127.0.0.1:{port}/missing"),
            DbErrorKind::DatabaseMissing,
            format!("127.0.0.1:{port} refuses: database \"missing\" does not exist"),
            "create the database \"missing\"",
        ),
        (
            format!("postgres://nobody@127.0.0.1:{port}/postgres"),
            DbErrorKind::Authentication,
            "role \"nobody\" does not exist".to_owned(),
            "name",
        ),
        (
            format!("{}?sslmode=require", database.url()),
            DbErrorKind::CannotConnect,
            "has no TLS".to_owned(),
            "ssl = on",
        ),
        (
            format!("{}?sslmode=verify-full&sslrootcert=/missing.pem", database.url()),
            DbErrorKind::Configuration,
            "/missing.pem".to_owned(),
            "",
        ),
        (
            format!("{}?target_session_attrs=standby", database.url()),
            DbErrorKind::CannotConnect,
            "target_session_attrs".to_owned(),
            "",
        ),
        (
            format!("{}?options=-cno_such_setting%3D1", database.url()),
            DbErrorKind::Configuration,
            "no_such_setting".to_owned(),
            "PGOPTIONS",
        ),
        (
            format!("postgres://u@127.0.0.1:{free},localhost:{free_too}/d"),
            DbErrorKind::CannotConnect,
            "none of the servers".to_owned(),
            "",
        ),
    ] {
        let error = refused(&options(&url)).await;
        assert_eq!(error.kind, kind, "{url}: {error:?}");
        assert!(error.message.contains(&message), "{url}: {error:?}");
        assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn something_that_is_no_server_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = refused(&options(&format!("postgres://u:canary@127.0.0.1:{port}/d"))).await;
    answer.abort();
    assert_eq!(error.kind, DbErrorKind::CannotConnect, "{error:?}");
    assert!(error.message.contains(&port.to_string()) && !format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn passwords_come_from_url_variable_and_file_and_are_never_shown() {
    let server = own_server(&ServerOptions::new().scram_password("correct horse"));
    let database = server.create_database().unwrap();
    let bare = format!("postgres://postgres@127.0.0.1:{}/{}", server.port(), database.name());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pgpass");
    let at_home = || ConnectOptions { home: Some(home.path().to_owned()), ..options(&bare) };

    let missing = refused(&at_home()).await;
    assert_eq!(missing.kind, DbErrorKind::Authentication);
    assert!(missing.message.contains("none is given") && missing.hint.unwrap().contains("PGPASSWORD"));

    let line = format!("127.0.0.1:{}:*:postgres:correct horse\n", server.port());
    std::fs::write(&file, line).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    postgres::connect(&at_home()).await.unwrap();

    // Readable by others it is ignored, and where another way works a notice says so.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ignored = refused(&at_home()).await;
    assert_eq!(ignored.kind, DbErrorKind::Authentication);
    let hint = ignored.hint.unwrap();
    assert!(hint.contains(".pgpass is ignored") && hint.contains("chmod 600") && hint.contains("PGPASSWORD"), "{hint}");
    let over_socket = ConnectOptions { database: Secret::new(database.socket_url()), ..at_home() };
    let mut session = postgres::connect(&over_socket).await.unwrap();
    let mut collector = Collector::default();
    session.flight(&mut Vec::new().into_iter(), &mut collector).await.unwrap();
    assert!(collector.notices[0].message.contains(".pgpass"), "{:?}", collector.notices);
    assert!(collector.notices[0].hint.as_deref().unwrap().contains("chmod 600"));

    let other = home.path().join("other");
    std::fs::write(&other, "*:*:*:*:wrong canary\n").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut named = at_home();
    named.database = Secret::new(format!("{bare}?passfile={}", other.display()));
    let error = refused(&named).await;
    assert!(error.hint.as_deref().unwrap().contains("other"), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"));

    let mut from_variable = at_home();
    from_variable.environment.insert("PGPASSWORD".to_owned(), "correct horse".to_owned());
    postgres::connect(&from_variable).await.unwrap();
    connect(&bare.replace("postgres@", "postgres:correct%20horse@")).await;

    let error = refused(&options(&bare.replace("postgres@", "postgres:wrong-canary@"))).await;
    assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::Authentication, Some("28P01")));
    assert!(error.hint.as_deref().unwrap().contains("the database URL"), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"));
    assert!(
        !format!("{:?}", describe(&options(&bare.replace("postgres@", "postgres:canary@"))).unwrap())
            .contains("canary")
    );
}

#[tokio::test]
async fn too_many_connections_and_no_access_are_told_apart() {
    let server = own_server(
        &ServerOptions::new()
            .setting("max_connections", "6")
            .setting("superuser_reserved_connections", "3")
            .access("host all locked_out 127.0.0.1/32 reject"),
    );
    server.execute("postgres", "create role locked_out login; create role guest login").unwrap();
    let database = server.create_database().unwrap();
    let error = refused(&options(&database.url_for("locked_out", ""))).await;
    assert_eq!(error.kind, DbErrorKind::Authentication, "{error:?}");
    assert!(error.message.contains("pg_hba.conf") && error.hint.unwrap().contains("pg_hba.conf"));
    let mut kept = Vec::new();
    let error = loop {
        match postgres::connect(&options(&database.url_for("guest", ""))).await {
            Ok(session) => kept.push(session),
            Err(error) => break error,
        }
        assert!(kept.len() < 7);
    };
    assert_eq!((error.kind, error.code.as_deref()), (DbErrorKind::CannotConnect, Some("53300")), "{error:?}");
}

#[tokio::test]
async fn a_hot_standby_is_read_only() {
    let (primary, standby) = PostgresServer::start_with_replica(&newest(), &ServerOptions::new()).unwrap();
    primary.execute("postgres", "create table t (n int)").unwrap();
    standby.catch_up(&primary).unwrap();
    let url = standby.database("postgres").url();
    let mut session = connect(&url).await;
    assert!(session.facts().read_only && !session.facts().pooled);
    let (_, error) = super::failure(&mut session, vec![script("insert into t values (1)")]).await;
    assert_eq!(error.kind, DbErrorKind::ReadOnly);
    // BEGIN READ WRITE fails there: what follows must not run outside a transaction.
    let items = ["begin read write", "select 1"].map(script).to_vec();
    assert_eq!(super::failure(&mut session, items).await.0, 0);
    let both = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres", primary.port(), standby.port());
    for (attributes, standby) in [
        ("any", false),
        ("read-write", false),
        ("primary", false),
        ("standby", true),
        ("read-only", true),
        ("prefer-standby", true),
    ] {
        let session = connect(&format!("{both}?target_session_attrs={attributes}")).await;
        assert_eq!(session.facts().read_only, standby, "{attributes}");
    }
    let only = format!("{}?target_session_attrs=prefer-standby", primary.database("postgres").url());
    assert!(!connect(&only).await.facts().read_only);
}

#[tokio::test]
async fn a_missing_database_can_be_made() {
    let server = own_server(&ServerOptions::new());
    server
        .execute(
            "postgres",
            "create role maker login createdb; create role nobody_special login; create role team; grant team to maker",
        )
        .unwrap();
    let name = "it's \"new\" é";
    let url = server.database("no_such_one").url_for("maker", "");
    create_database(&options(&url), name).await.unwrap();
    assert_eq!(create_database(&options(&url), name).await.unwrap_err().kind, DbErrorKind::Duplicate);
    let owned = ConnectOptions { role: Some("team".to_owned()), ..options(&url) };
    create_database(&owned, "theirs").await.unwrap();
    let sql = "select datname, datdba::regrole::text from pg_database where datname not in ('postgres', 'template0', 'template1') order by 2";
    let expected = [[name, "maker"], ["theirs", "team"]].map(|row| row.map(|text| Some(text.to_owned())).to_vec());
    assert_eq!(server.query("postgres", sql).unwrap(), expected);
    let error = create_database(&options(&server.database("x").url_for("nobody_special", "")), "x").await.unwrap_err();
    assert_eq!(error.kind, DbErrorKind::PermissionDenied);
    assert!(error.hint.unwrap().contains("CREATEDB"));
}
