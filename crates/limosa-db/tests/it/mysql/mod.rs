//! MySQL and MariaDB: the conformance suite, and what is these servers' own.

mod certificates;
mod connecting;
mod faults;
mod flights;
mod settings;
mod standing_in_the_way;
mod together;

use std::collections::BTreeMap;

use async_trait::async_trait;
use limosa_db::engines::mysql::{self, MysqlSession};
use limosa_db::{
    Collector, ConnectOptions, DbError, FlightError, FlightObserver, Item, Landed, Notice, Row, Secret, Session,
};
use limosa_sql::Engine;
use limosa_testkit::MysqlServer;
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

async fn refused(options: &ConnectOptions) -> DbError {
    match mysql::connect(options).await {
        Ok(_) => panic!("a session was opened"),
        Err(error) => error,
    }
}

/// The shared servers, one of each version that was found.
fn servers() -> Vec<&'static MysqlServer> {
    let versions = limosa_testkit::mysql::tested().unwrap();
    versions.iter().map(|version| limosa_testkit::mysql::shared(version).unwrap()).collect()
}

/// A fresh database on each of the shared servers.
fn databases() -> Vec<TestDatabase> {
    servers().iter().map(|server| server.create_database().unwrap()).collect()
}

fn script(text: &str) -> Item {
    Item::Script(text.to_owned())
}

fn scripts(texts: &[&str]) -> Vec<Item> {
    texts.iter().copied().map(script).collect()
}

/// What a flight told, in order.
#[derive(Debug, PartialEq)]
enum Told {
    Landed(u64, Option<u64>),
    Notice(String, String),
}

#[derive(Default)]
struct Record(Vec<Told>);

impl FlightObserver for Record {
    fn landed(&mut self, item: u64, landed: Landed) {
        self.0.push(Told::Landed(item, landed.affected));
    }
    fn notice(&mut self, notice: Notice) {
        self.0.push(Told::Notice(notice.severity, notice.message));
    }
}

async fn fly(session: &mut dyn Session, items: Vec<Item>) -> Result<(), FlightError> {
    session.flight(&mut items.into_iter(), &mut Collector::default()).await
}

async fn failure(session: &mut dyn Session, items: Vec<Item>) -> (u64, DbError) {
    match fly(session, items).await {
        Err(FlightError::Failed { item, error }) => (item, *error),
        other => panic!("no failure but {other:?}"),
    }
}

async fn rows(session: &mut dyn Session, sql: &str) -> Vec<Row> {
    session.query(sql, &[]).await.unwrap()
}

/// The only value of the only row, as text.
async fn text(session: &mut dyn Session, sql: &str) -> Option<String> {
    let rows = rows(session, sql).await;
    assert_eq!((rows.len(), rows[0].0.len()), (1, 1), "{sql}");
    rows[0].text(0)
}
