//! MySQL and MariaDB: the conformance suite, and what is these servers' own.

use std::collections::BTreeMap;

use async_trait::async_trait;
use limosa_db::engines::mysql::{self, MysqlSession};
use limosa_db::{ConnectOptions, Secret, Session};
use limosa_sql::Engine;
use limosa_testkit::mysql::TestDatabase;

use crate::conformance::{Database, conformance};

#[async_trait]
impl Database for TestDatabase {
    fn engine(&self) -> Engine {
        Engine::Mysql
    }
    async fn session(&self) -> Box<dyn Session> {
        Box::new(connect(&self.url()).await)
    }
    async fn reader(&self) -> Option<Box<dyn Session>> {
        let options = ConnectOptions { read_only: true, ..options(&self.url()) };
        Some(Box::new(mysql::connect(&options).await.unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    for version in limosa_testkit::mysql::tested().unwrap() {
        let server = limosa_testkit::mysql::shared(&version).unwrap();
        conformance(async || server.create_database().unwrap()).await;
    }
}

/// Options that know nothing of the machine.
fn options(url: &str) -> ConnectOptions {
    ConnectOptions {
        database: Secret::new(url),
        environment: BTreeMap::new(),
        application_name: "limosa-test".to_owned(),
        ..ConnectOptions::default()
    }
}

async fn connect(url: &str) -> MysqlSession {
    mysql::connect(&options(url)).await.unwrap()
}
