//! TLS: the server's certificate, strangers, client certificates.

use std::path::{Path, PathBuf};

use limosa_testkit::mysql::{self, ServerOptions};
use limosa_testkit::{MysqlServer, Proxy};
use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, Opts, OptsBuilder, SslOpts};

async fn cipher(url: &str, ssl: Option<SslOpts>) -> mysql_async::Result<String> {
    let opts = OptsBuilder::from_opts(Opts::from_url(url).unwrap()).prefer_socket(false).ssl_opts(ssl);
    let mut connection = Conn::new(opts).await?;
    let row: Option<(String, String)> = connection.query_first("show session status like 'Ssl_cipher'").await?;
    Ok(row.unwrap().1)
}

fn trusting(authority: PathBuf) -> SslOpts {
    SslOpts::default().with_root_certs(vec![authority.into()]).with_disable_built_in_roots(true)
}

fn identity(certificate: &Path, key: &Path) -> ClientIdentity {
    ClientIdentity::new(certificate.to_owned().into(), key.to_owned().into())
}

#[tokio::test]
async fn the_authority_is_trusted_for_the_named_host_and_a_stranger_is_not() {
    for version in mysql::tested().unwrap() {
        let server = MysqlServer::start_with(&version, &ServerOptions::new().tls(&["localhost"])).unwrap();
        let files = server.certificates().unwrap();
        let url = server.database("mysql").url();
        let named = url.replace("127.0.0.1", "localhost");
        assert_ne!(cipher(&named, Some(trusting(files.authority()))).await.unwrap(), "");
        for (url, authority) in [(&url, files.authority()), (&named, files.stranger())] {
            let error = cipher(url, Some(trusting(authority))).await.unwrap_err().to_string();
            assert!(error.contains("certificate"), "{url}: {error}");
        }
        assert_eq!(cipher(&url, None).await.unwrap(), "", "without TLS it is still open");

        let proxy = Proxy::start(&server).unwrap();
        let through = named.replace(&server.port().to_string(), &proxy.port().to_string());
        assert_ne!(cipher(&through, Some(trusting(files.authority()))).await.unwrap(), "");
        let seen: Vec<String> = proxy.messages().into_iter().map(|message| message.text).collect();
        assert_eq!(seen, ["Greeting", "SSLRequest"]);
    }
}

#[tokio::test]
async fn a_client_certificate_and_tls_can_be_asked_for() {
    for version in mysql::tested().unwrap() {
        let options = ServerOptions::new().tls(&["localhost"]).setting("require_secure_transport", "ON");
        let server = MysqlServer::start_with(&version, &options).unwrap();
        let files = server.certificates().unwrap();
        server.execute("mysql", "create user 'holder'@'%' identified by 'h' require x509").unwrap();
        let database = server.database("mysql");
        let url = database.url().replace("127.0.0.1", "localhost");
        let holder = database.url_for("holder", "h").replace("127.0.0.1", "localhost").replace("/mysql", "/");
        cipher(&url, None).await.unwrap_err();
        cipher(&url, Some(trusting(files.authority()))).await.unwrap();
        cipher(&holder, Some(trusting(files.authority()))).await.unwrap_err();
        let own = identity(&files.client_certificate(), &files.client_key());
        cipher(&holder, Some(trusting(files.authority()).with_client_identity(Some(own)))).await.unwrap();
    }
}

#[tokio::test]
async fn without_certificates_there_is_no_tls() {
    for version in mysql::tested().unwrap() {
        let server = mysql::shared(&version).unwrap();
        let insecure = SslOpts::default().with_danger_accept_invalid_certs(true);
        cipher(&server.database("mysql").url(), Some(insecure)).await.unwrap_err();
    }
}
