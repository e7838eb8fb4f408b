//! TLS: the server's certificate, strangers, client certificates.

use std::io;
use std::path::Path;
use std::sync::Arc;

use limosa_testkit::{PostgresServer, ServerOptions, postgres};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Config, Error, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

fn client_config(authority: &Path, client: Option<(&Path, &Path)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(certificate).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap(),
    }
}

async fn ssl(server: &PostgresServer, host: &str, tls: ClientConfig) -> Result<bool, Error> {
    let mut config = Config::new();
    config.host(host).port(server.port()).user("postgres").ssl_mode(SslMode::Require);
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

#[tokio::test]
async fn the_authority_is_trusted_for_the_named_host_and_a_stranger_is_not() {
    for version in postgres::tested().unwrap() {
        let options = ServerOptions::new().tls(&["localhost"]);
        let server = PostgresServer::start_with(&version, &options).unwrap();
        let files = server.certificates().unwrap();
        let trusting = || client_config(&files.authority(), None);
        assert!(ssl(&server, "localhost", trusting()).await.unwrap());
        for (host, tls) in [("127.0.0.1", trusting()), ("localhost", client_config(&files.stranger(), None))] {
            let error = ssl(&server, host, tls).await.unwrap_err();
            let cause = std::error::Error::source(&error).unwrap();
            assert!(cause.downcast_ref::<io::Error>().is_some(), "{host}: {cause}");
            assert!(cause.to_string().contains("certificate"), "{host}: {cause}");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_can_be_asked_for() {
    let options = ServerOptions::new()
        .tls(&["localhost"])
        .access("hostssl all all 127.0.0.1/32 cert")
        .access("hostnossl all all 127.0.0.1/32 reject");
    let server = PostgresServer::start_with(&postgres::newest().unwrap(), &options).unwrap();
    let files = server.certificates().unwrap();
    let own = (files.client_certificate(), files.client_key());
    let with = client_config(&files.authority(), Some((&own.0, &own.1)));
    assert!(ssl(&server, "localhost", with).await.unwrap());
    let without = ssl(&server, "localhost", client_config(&files.authority(), None)).await;
    without.unwrap_err();
    let plain = server.database("postgres").url();
    assert!(tokio_postgres::connect(&plain, tokio_postgres::NoTls).await.is_err());
}
