//! The programs use TLS as limosa's own session would.

use std::future::pending;

use limosa_db::DbErrorKind;
use limosa_db::backup::mysql::{backup, restore};
use limosa_testkit::MysqlServer;
use limosa_testkit::mysql::ServerOptions;

use super::{Setting, names, number, silent, with_tools};

#[tokio::test]
async fn tls_is_as_it_is_asked_for() {
    for version in with_tools() {
        let options = ServerOptions::new().tls(&["127.0.0.1"]).setting("require_secure_transport", "ON");
        let server = MysqlServer::start_with(&version, &options).unwrap();
        let elsewhere = MysqlServer::start_with(&version, &ServerOptions::new().tls(&["127.0.0.1"])).unwrap();
        let [own, other] =
            [&server, &elsewhere].map(|server| server.certificates().unwrap().authority().display().to_string());
        let database = server.create_database().unwrap();
        database.execute("create table t (n int)").unwrap();
        let folder = tempfile::tempdir().unwrap();
        // From 11.4 on the server proves by the password that the certificate is its own, whoever signed it.
        let stranger = (number(&version) < 110_400).then_some(DbErrorKind::CannotConnect);
        for (count, (parameters, expected)) in [
            ("ssl-mode=REQUIRED".to_owned(), None),
            ("ssl-mode=PREFERRED".to_owned(), None),
            (format!("ssl-mode=VERIFY_CA&ssl-ca={own}"), None),
            (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={own}&tls-version=TLSv1.2"), None),
            (format!("ssl-mode=VERIFY_CA&ssl-ca={other}"), stranger),
            (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={other}"), stranger),
        ]
        .into_iter()
        .enumerate()
        {
            let setting = Setting::new(&version, &format!("{}?{parameters}", database.url()));
            let file = folder.path().join(format!("{count}.sql"));
            let result = backup(&setting.tools(), &file, pending(), silent).await;
            assert_eq!(result.as_ref().err().map(|error| error.kind), expected, "{version} {parameters} {result:?}");
            match result {
                Ok(_) => drop(restore(&setting.tools(), &file, pending(), silent).await.unwrap()),
                Err(error) => assert!(error.hint.as_ref().unwrap().contains("ssl-ca"), "{error:?}"),
            }
        }
        let setting = Setting::new(&version, &format!("{}?ssl-mode=DISABLED", database.url()));
        assert!(backup(&setting.tools(), &folder.path().join("plain.sql"), pending(), silent).await.is_err());
        let written = if stranger.is_some() { 4 } else { 6 };
        assert_eq!(names(folder.path()), (0..written).map(|count| format!("{count}.sql")).collect::<Vec<_>>());
    }
}
